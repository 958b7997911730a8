"""The one table of observations: a row an observation, whatever product it came from.

Readers fill it, screening marks rows in it, super-observations and H(x) read it. Columns are NumPy arrays; nothing
in it is NaN except `altitude` of columns, which have none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np
import xarray as xr

from gcas_driver.errors import InputError
from mozart_coupling.grids import wrap_longitude

COLUMN = "column"
POINT = "point"
WITHHELD = "withheld"
"""Reason of rows that are simulated and evaluated, but kept from the analysis."""

NUMBER_COLUMNS = ("time", "lon", "lat", "altitude", "value", "error")
TEXT_COLUMNS = ("product", "site", "identifier", "kind", "reason")
UNITS = {"time": "seconds since 1970-01-01 00:00:00", "lon": "degrees_east", "lat": "degrees_north",
         "altitude": "m", "value": "ppm", "error": "ppm"}


@dataclass(frozen=True)
class ColumnOperator:
    """What equation (6) needs of a product's soundings, one row a sounding.

    Attributes
    ----------
    retrieval_pressure : ndarray (m, n_retrieval_levels)
        Pressure of the retrieval levels [Pa], top first.
    pressure_weight, averaging_kernel : ndarray (m, n_retrieval_levels)
        h and k of equation (6) [1].
    prior_profile : ndarray (m, n_retrieval_levels)
        y_b of equation (6), prior CO2 [mol mol-1 dry].
    prior_xco2 : ndarray (m,)
        XCO2_b of equation (6) [ppm].
    """

    retrieval_pressure: np.ndarray
    pressure_weight: np.ndarray
    averaging_kernel: np.ndarray
    prior_profile: np.ndarray
    prior_xco2: np.ndarray

    def __post_init__(self) -> None:
        shape = np.shape(self.retrieval_pressure)
        for name in ("pressure_weight", "averaging_kernel", "prior_profile"):
            if np.shape(getattr(self, name)) != shape:
                raise InputError(f"{name} does not fit retrieval_pressure", "ColumnOperator",
                                 str(np.shape(getattr(self, name))), str(shape))
        if len(shape) != 2 or np.shape(self.prior_xco2) != shape[:1]:
            raise InputError("prior_xco2 does not fit retrieval_pressure", "ColumnOperator",
                             f"{np.shape(self.prior_xco2)} and {shape}", "(m,) and (m, n_retrieval_levels)")

    def __len__(self) -> int:
        return len(self.prior_xco2)

    def take(self, rows: np.ndarray) -> ColumnOperator:
        """The given rows, in the given order."""
        return ColumnOperator(*(getattr(self, f.name)[rows] for f in fields(self)))

    @classmethod
    def concatenate(cls, parts: Iterable[ColumnOperator]) -> ColumnOperator:
        """All rows of `parts`, in order; they must have the same number of levels."""
        parts = list(parts)
        levels = {part.retrieval_pressure.shape[1] for part in parts}
        if len(levels) > 1:
            raise InputError("soundings of one product differ in their number of retrieval levels", "ColumnOperator",
                             str(sorted(levels)), "one number", "give files of different versions different product names")
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))


@dataclass(frozen=True)
class Observations:
    """Observations, one row each.

    Attributes
    ----------
    time : ndarray (n,)
        Seconds since 1970-01-01 00:00 UTC.
    lon, lat : ndarray (n,)
        Degrees, longitude in [-180, 180).
    altitude : ndarray (n,)
        Metres above sea level; NaN for columns.
    value, error : ndarray (n,)
        Observed value and the standard deviation of its error as the analysis is to use it [ppm].
    product, site, identifier : ndarray of str (n,)
        Stream name; site code ("" for satellites, of columns those of stations on the ground); identifier within the product.
    kind : ndarray of str (n,)
        "column" or "point".
    used : ndarray of bool (n,)
        Whether the analysis may use the row.
    reason : ndarray of str (n,)
        "" if used; "withheld" rows are evaluated all the same.
    operator_row : ndarray of int (n,)
        Row in ``operators[product]``; -1 for points.
    operators : dict
        Product to `ColumnOperator`.
    scale : dict
        Product to calibration scale: "X2007", "X2019" or "unknown".
    dropped : dict
        (product, reason) to the number of rows read that are no longer in the table (fill values, averaged into
        another), so that every observation is accounted for.
    """

    time: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    altitude: np.ndarray
    value: np.ndarray
    error: np.ndarray
    product: np.ndarray
    site: np.ndarray
    identifier: np.ndarray
    kind: np.ndarray
    used: np.ndarray
    reason: np.ndarray
    operator_row: np.ndarray
    operators: Mapping[str, ColumnOperator] = field(default_factory=dict)
    scale: Mapping[str, str] = field(default_factory=dict)
    dropped: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = np.shape(self.time)
        for name in (*NUMBER_COLUMNS, *TEXT_COLUMNS, "used", "operator_row"):
            array = _column(name, getattr(self, name))
            if array.shape != n:
                raise InputError(f"column {name} does not fit", "Observations", str(array.shape), str(n))
            object.__setattr__(self, name, array)

    @classmethod
    def empty(cls, dropped: Mapping[tuple[str, str], int] | None = None,
              scale: Mapping[str, str] | None = None) -> Observations:
        """No rows."""
        columns = {name: np.empty(0) for name in (*NUMBER_COLUMNS, "operator_row")}
        columns |= {name: np.empty(0, dtype=object) for name in TEXT_COLUMNS} | {"used": np.empty(0, dtype=bool)}
        return cls(**columns, dropped=dict(dropped or {}), scale=dict(scale or {}))

    def __len__(self) -> int:
        return len(self.time)

    @property
    def evaluated(self) -> np.ndarray:
        """Rows that statistics count: used ones and withheld ones, (n,) bool."""
        return self.used | (self.reason == WITHHELD)

    def refuse_missing(self, where: str, rows: np.ndarray, *names: str) -> None:
        """Raise an InputError that names the first of the `rows` (n,) bool in which a number column of `names` is not finite.

        Columns are not looked at for their altitude, which they have none of.
        """
        for name in names:
            needed = rows & (self.kind != COLUMN) if name == "altitude" else rows
            bad = np.flatnonzero(needed & ~np.isfinite(getattr(self, name)))
            if bad.size:
                raise InputError(f"{name} of an observation is not finite", where,
                                 f"{self.product[bad[0]]} {self.identifier[bad[0]]}, {bad.size} in all", "numbers",
                                 "leave such observations out")

    def select(self, mask: np.ndarray) -> Observations:
        """The rows where `mask` (n,) is true, or the rows at the given indices; operators are cut to match."""
        rows = np.flatnonzero(mask) if np.asarray(mask).dtype == bool else np.asarray(mask, dtype=np.intp)
        columns = {name: getattr(self, name)[rows] for name in (*NUMBER_COLUMNS, *TEXT_COLUMNS, "used", "operator_row")}
        operators: dict[str, ColumnOperator] = {}
        for product, operator in self.operators.items():
            mine = (columns["product"] == product) & (columns["operator_row"] >= 0)
            operators[product] = operator.take(columns["operator_row"][mine])
            columns["operator_row"][mine] = np.arange(np.count_nonzero(mine))
        return replace(self, **columns, operators=operators)

    @staticmethod
    def concatenate(parts: Iterable[Observations]) -> Observations:
        """All rows of all parts, in order.

        Raises
        ------
        InputError
            If one product comes on two calibration scales or with two numbers of retrieval levels.
        """
        parts = list(parts)
        if not parts:
            return Observations.empty()
        offsets: dict[str, int] = {}
        operator_rows = []
        for part in parts:
            shift = np.zeros(len(part), dtype=np.intp)
            for product, operator in part.operators.items():
                shift[part.product == product] = offsets.get(product, 0)
                offsets[product] = offsets.get(product, 0) + len(operator)
            operator_rows.append(np.where(part.operator_row >= 0, part.operator_row + shift, -1))
        columns = {name: np.concatenate([getattr(part, name) for part in parts])
                   for name in (*NUMBER_COLUMNS, *TEXT_COLUMNS, "used")}
        operators = {product: ColumnOperator.concatenate([part.operators[product] for part in parts if product in part.operators])
                     for product in offsets}
        return Observations(**columns, operator_row=np.concatenate(operator_rows), operators=operators,
                            scale=_merge_scales(parts), dropped=_add_counts(part.dropped for part in parts))

    def reject(self, mask: np.ndarray, reason: str) -> Observations:
        """The same rows, those of `mask` marked unused for `reason`; a row rejected before, or withheld, keeps its first reason."""
        mask = np.asarray(mask, dtype=bool) & (self.reason == "")
        return replace(self, used=self.used & ~mask, reason=np.where(mask, reason, self.reason))

    def drop(self, mask: np.ndarray, reason: str) -> Observations:
        """Without the rows of `mask`, which are counted under `reason`."""
        mask = np.asarray(mask, dtype=bool)
        counts = {(product, reason): int(np.count_nonzero(mask & (self.product == product)))
                  for product in np.unique(self.product[mask])}
        return replace(self.select(~mask), dropped=_add_counts([self.dropped, counts]))

    def counts(self, product: str | None = None) -> dict[str, int]:
        """How many rows read are not used, by reason, for one product or all."""
        totals: dict[str, int] = {}
        for (name, reason), n in self.dropped.items():
            if product in (None, name):
                totals[reason] = totals.get(reason, 0) + n
        rejected = ~self.used if product is None else ~self.used & (self.product == product)
        for reason, n in zip(*np.unique(self.reason[rejected].astype(str), return_counts=True), strict=True):
            totals[str(reason)] = totals.get(str(reason), 0) + int(n)
        return totals

    def n_read(self, product: str | None = None) -> int:
        """Rows read: those in the table and those dropped."""
        in_table = len(self) if product is None else int(np.count_nonzero(self.product == product))
        return in_table + sum(n for (name, _), n in self.dropped.items() if product in (None, name))

    def to_xarray(self, operators: bool = False) -> xr.Dataset:
        """As a dataset with dimension `observation`, with the column operators too if asked."""
        data = {name: ("observation", getattr(self, name), {"units": UNITS[name]}) for name in NUMBER_COLUMNS}
        data |= {name: ("observation", getattr(self, name).astype(str)) for name in TEXT_COLUMNS}
        data["used"] = ("observation", self.used.astype(np.int8), {"flag_values": [0, 1], "flag_meanings": "not_used used"})
        if operators:
            data["operator_row"] = ("observation", self.operator_row.astype(np.int32))
            for i, (product, operator) in enumerate(sorted(self.operators.items())):
                for f in fields(operator):
                    array = getattr(operator, f.name)
                    data[f"operator{i}_{f.name}"] = ((f"sounding{i}", f"level{i}")[:array.ndim], array, {"product": product})
        attributes = {f"scale_{product}": scale for product, scale in sorted(self.scale.items())}
        attributes["dropped"] = [f"{product}\t{reason}\t{n}" for (product, reason), n in sorted(self.dropped.items())] or ""
        return xr.Dataset(data, attrs=attributes)

    @classmethod
    def from_xarray(cls, dataset: xr.Dataset) -> Observations:
        """The inverse of `to_xarray`; a dataset without operators gives columns whose `operator_row` is -1."""
        columns = {name: dataset[name].values for name in (*NUMBER_COLUMNS, *TEXT_COLUMNS)}
        n = len(columns["time"])
        row = dataset["operator_row"].values if "operator_row" in dataset else np.full(n, -1)
        names = [f.name for f in fields(ColumnOperator)]
        operators = {}
        for i in range(sum(name.endswith("_prior_xco2") for name in dataset.variables)):
            arrays = [dataset[f"operator{i}_{name}"] for name in names]
            operators[arrays[0].attrs["product"]] = ColumnOperator(*(array.values for array in arrays))
        lines = np.atleast_1d(dataset.attrs.get("dropped", ""))
        dropped = {(p, r): int(c) for p, r, c in (str(line).split("\t") for line in lines if str(line))}
        scale = {name.removeprefix("scale_"): text for name, text in dataset.attrs.items() if name.startswith("scale_")}
        return cls(**columns, used=dataset["used"].values.astype(bool), operator_row=row, operators=operators,
                   scale=scale, dropped=dropped)


def point_observations(*, time, lon, lat, altitude, value, error, product: str, site, identifier,
                       scale: str = "unknown", dropped: Mapping[tuple[str, str], int] | None = None) -> Observations:
    """A table of point samples of one product, all used."""
    n = len(time)
    return Observations(time, wrap_longitude(lon), lat, altitude, value, error, np.full(n, product, dtype=object), site,
                        identifier, np.full(n, POINT, dtype=object), np.ones(n, dtype=bool),
                        np.full(n, "", dtype=object), np.full(n, -1), {}, {product: scale}, dict(dropped or {}))


def column_observations(*, time, lon, lat, value, error, product: str, identifier, operator: ColumnOperator, site=None,
                        scale: str = "unknown", dropped: Mapping[tuple[str, str], int] | None = None) -> Observations:
    """A table of soundings of one product, all used; row i of `operator` belongs to row i. `site` (n,): codes of stations on the ground."""
    n = len(time)
    return Observations(time, wrap_longitude(lon), lat, np.full(n, np.nan), value, error,
                        np.full(n, product, dtype=object), np.full(n, "", dtype=object) if site is None else site, identifier,
                        np.full(n, COLUMN, dtype=object), np.ones(n, dtype=bool), np.full(n, "", dtype=object),
                        np.arange(n), {product: operator}, {product: scale}, dict(dropped or {}))


def _column(name: str, values) -> np.ndarray:
    if name in TEXT_COLUMNS:
        return np.asarray(values, dtype=object)
    if name == "used":
        return np.asarray(values, dtype=bool)
    return np.asarray(values, dtype=np.intp if name == "operator_row" else np.float64)


def _merge_scales(parts: Iterable[Observations]) -> dict[str, str]:
    merged: dict[str, str] = {}
    for part in parts:
        for product, scale in part.scale.items():
            if merged.setdefault(product, scale) != scale:
                raise InputError("one product on two calibration scales", f"product {product}",
                                 f"{merged[product]} and {scale}", "one scale",
                                 "give the files different stream names, or set scale for the stream")
    return merged


def _add_counts(parts: Iterable[Mapping[tuple[str, str], int]]) -> dict[tuple[str, str], int]:
    total: dict[tuple[str, str], int] = {}
    for part in parts:
        for key, n in part.items():
            total[key] = total.get(key, 0) + n
    return total
