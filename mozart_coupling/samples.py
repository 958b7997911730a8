"""Sampling: what is asked of the model, and the profiles that come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mozart_coupling import contract
from mozart_coupling.constants import REFERENCE_PRESSURE
from mozart_coupling.contract import SAMPLE_REQUEST, SAMPLES
from mozart_coupling.dates import date_pair, from_date_pair, readable
from mozart_coupling.errors import SampleError
from mozart_coupling.grids import Grid
from mozart_coupling.heights import hybrid_pressure
from mozart_coupling.netcdf import ClassicWriter, abandon, attribute, commit, new_dataset, open_dataset, temporary_name, writing

LARGEST_LONGITUDE = 720.0  # any convention fits; beyond are fill values


@dataclass(frozen=True)
class SampleRequest:
    """Where and when.

    Attributes
    ----------
    lon, lat
        (n,) [degrees], any longitude convention; the cell that contains the point is sampled.
    time_start, time_end
        (n,) [s since 1970]. Equal: an instant, linear between step ends. Else the mean over the interval.
    """

    lon: np.ndarray
    lat: np.ndarray
    time_start: np.ndarray
    time_end: np.ndarray

    def __post_init__(self) -> None:
        for name in ("lon", "lat", "time_start", "time_end"):
            values = np.array(getattr(self, name), dtype=np.float64, ndmin=1)
            object.__setattr__(self, name, values)
            if values.shape != self.lon.shape or values.ndim != 1:
                raise SampleError("the columns of a sample request differ in length", f"sample request, {name}", values.shape,
                                  self.lon.shape)
            if not np.isfinite(values).all():
                raise SampleError("a sample request is not finite", f"sample request, {name}",
                                  f"row {np.flatnonzero(~np.isfinite(values))[0]}")
        if np.any(np.abs(self.lat) > 90.0):
            row = int(np.argmax(np.abs(self.lat)))
            raise SampleError("a latitude is beyond the poles", f"sample request, lat, row {row}", self.lat[row], "-90 … 90")
        if np.any(np.abs(self.lon) > LARGEST_LONGITUDE):
            row = int(np.argmax(np.abs(self.lon)))
            raise SampleError("a longitude is out of range", f"sample request, lon, row {row}", self.lon[row],
                              f"-{LARGEST_LONGITUDE:g} … {LARGEST_LONGITUDE:g}")
        if np.any(self.time_end < self.time_start):
            row = int(np.flatnonzero(self.time_end < self.time_start)[0])
            raise SampleError("a sample ends before it begins", f"sample request, row {row}",
                              f"{self.time_start[row]} … {self.time_end[row]}")

    def __len__(self) -> int:
        return self.lon.size

    def columns(self, grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(ilat, ilon, time_start, time_end) of the distinct (cell, interval) pairs, and the pair's number of every row."""
        ilat, ilon = grid.cell_index(self.lon, self.lat)
        keys = np.stack([self.time_start, self.time_end, ilat.astype(float), ilon.astype(float)], axis=1)
        distinct, column = np.unique(keys, axis=0, return_inverse=True)
        cells = distinct[:, 2:].astype(np.int64)
        return cells[:, 0], cells[:, 1], distinct[:, 0], distinct[:, 1], column.reshape(-1).astype(np.int64)

    def require_inside(self, start: int, end: int, where: object) -> None:
        """Raise `SampleError` unless every row lies inside [start, end] (s since 1970)."""
        outside = np.flatnonzero((self.time_start < start) | (self.time_end > end))
        if outside.size:
            row = int(outside[0])
            raise SampleError("samples are asked for outside the run", f"{where}, row {row}, {outside.size} such rows",
                              f"{readable(int(self.time_start[row]))} … {readable(int(self.time_end[row]))}",
                              f"{readable(start)} … {readable(end)}")


@dataclass(frozen=True)
class Samples:
    """Profiles, level 1 on top.

    Attributes
    ----------
    mixing_ratio
        (n, n_tracers, nlev) [mol/mol].
    surface_pressure
        (n,) [Pa].
    pressure, pressure_interface
        (n, nlev), (n, nlev+1) [Pa].
    height, height_interface
        (n, nlev), (n, nlev+1) [m above sea].
    specific_humidity
        (n, nlev) [kg/kg], or None where the model has no humidity.
    tracers
        Names.
    """

    mixing_ratio: np.ndarray
    surface_pressure: np.ndarray
    pressure: np.ndarray
    pressure_interface: np.ndarray
    height: np.ndarray
    height_interface: np.ndarray
    specific_humidity: np.ndarray | None
    tracers: tuple[str, ...]

    def __len__(self) -> int:
        return self.surface_pressure.size


@dataclass(frozen=True)
class ColumnAir:
    """What sampled columns have beside their tracers, arrays as in `Samples`, for each distinct column."""

    surface_pressure: np.ndarray
    height: np.ndarray
    height_interface: np.ndarray
    specific_humidity: np.ndarray | None


@dataclass(frozen=True)
class SampleColumns:
    """Samples without repetition: arrays as in `Samples` for each distinct column, and the column of every sample."""

    column: np.ndarray
    mixing_ratio: np.ndarray
    surface_pressure: np.ndarray
    height: np.ndarray
    height_interface: np.ndarray
    specific_humidity: np.ndarray | None
    hyai: np.ndarray
    hybi: np.ndarray
    tracers: tuple[str, ...]

    def expand(self) -> Samples:
        """One row for every sample asked for."""
        at = self.column
        ps = self.surface_pressure[at]
        hyam, hybm = 0.5 * (self.hyai[1:] + self.hyai[:-1]), 0.5 * (self.hybi[1:] + self.hybi[:-1])
        distinct = np.array_equal(at, np.arange(self.surface_pressure.size))
        return Samples(self.mixing_ratio if distinct else self.mixing_ratio[at], ps, hybrid_pressure(hyam, hybm, ps),
                       hybrid_pressure(self.hyai, self.hybi, ps), self.height[at], self.height_interface[at],
                       None if self.specific_humidity is None else self.specific_humidity[at], self.tracers)


def write_request(path: Path | str, request: SampleRequest) -> None:
    """Write a sample request."""
    with new_dataset(path) as data:
        contract.define(data, SAMPLE_REQUEST, {"sample": len(request)})
        for name in ("lon", "lat", "time_start", "time_end"):
            data[name][:] = getattr(request, name)


def read_request(path: Path | str) -> SampleRequest:
    """Read a sample request; raises `SampleError` if it is missing, truncated or makes no sense."""
    with open_dataset(path, SampleError, "sample request") as data:
        contract.check_structure(data, SAMPLE_REQUEST, path, SampleError)
        for variable in SAMPLE_REQUEST.variables:
            units = str(getattr(data[variable.name], "units", variable.units))
            if units[:3].lower() != variable.units[:3]:  # degrees, seconds since 1970
                raise SampleError("a sample request has other units", f"{path}, {variable.name}", units, variable.units)
        return SampleRequest(*(contract.value(data, name, 1) for name in ("lon", "lat", "time_start", "time_end")))


class SampleWriter:
    """A sample file: mixing ratios as columns are complete, the rest at the end, when the file gets its name.

    Parameters
    ----------
    path
        The file.
    column
        Column of each sample, from 0.
    tracers
        Names.
    levels
        (hyai, hybi), each (nlev+1,) [1].
    case
        Name of the run.
    has_humidity
        Whether columns have humidity.
    """

    def __init__(self, path: Path, column: np.ndarray, tracers: Sequence[str], levels: tuple[np.ndarray, np.ndarray], case: str,
                 has_humidity: bool) -> None:
        self._path, self._column, self._tracers, self._levels, self._case = Path(path), column, tuple(tracers), levels, case
        self._has_humidity = has_humidity
        self._n_columns = int(column.max(initial=-1)) + 1
        self._data: ClassicWriter | None = None

    def put(self, rows: np.ndarray, mixing_ratio: np.ndarray) -> None:
        """Write columns `rows` (n,), ascending: mixing ratios (n, n_tracers, nlev) [mol/mol]."""
        with writing(self._path):
            values = self._open()["mixing_ratio"]
            for part in np.split(np.arange(rows.size), np.flatnonzero(np.diff(rows) != 1) + 1):
                values[rows[part[0]] : rows[part[-1]] + 1] = mixing_ratio[part[0] : part[-1] + 1]

    def complete(self, columns: ColumnAir, end: int) -> None:
        """Write the rest; `end` is the end of the run [s since 1970], by which a reader knows that the run went through."""
        hyai, hybi = self._levels
        with writing(self._path):
            data = self._open()
            data["column"][:] = self._column
            for name in ("surface_pressure", "height", "height_interface"):
                data[name][:] = getattr(columns, name)
            if columns.specific_humidity is not None:
                data["specific_humidity"][:] = columns.specific_humidity
            data["hyai"][:], data["hybi"][:], data["P0"][...] = hyai, hybi, REFERENCE_PRESSURE
            data["hyam"][:], data["hybm"][:] = 0.5 * (hyai[1:] + hyai[:-1]), 0.5 * (hybi[1:] + hybi[:-1])
            data["date"][...], data["datesec"][...] = date_pair(end)
            data.close()
            commit(temporary_name(self._path), self._path)
        self._data = None

    def discard(self) -> None:
        """Drop the file: for a run that failed."""
        if self._data is not None:
            abandon(self._data, temporary_name(self._path))
        self._data = None

    def _open(self) -> ClassicWriter:
        if self._data is None:
            n_lev, n_tracers = self._levels[0].size - 1, len(self._tracers)
            sizes = {"sample": self._column.size, "columns": self._n_columns, "tracer": n_tracers, "lev": n_lev, "ilev": n_lev + 1}
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._data = ClassicWriter(temporary_name(self._path), self._n_columns * n_tracers * n_lev * 8)
            contract.define(self._data, SAMPLES, sizes, leave_out=() if self._has_humidity else ("specific_humidity",),
                            attributes={"tracers": ",".join(self._tracers), "case": self._case})
        return self._data


def read_samples(path: Path | str, tracers: Sequence[str] | None = None) -> Samples:
    """Read profiles, one row for every sample asked for.

    Parameters
    ----------
    tracers
        If given, the names that the file must have, in this order.

    Raises
    ------
    SampleError
        Missing or truncated file, other tracers, values that are not finite.
    """
    columns, _ = read_sample_columns(path)
    if tracers is not None and tuple(tracers) != columns.tracers:
        raise SampleError("the sample file has other tracers", path, ", ".join(columns.tracers), ", ".join(tracers))
    return columns.expand()


def read_sample_columns(path: Path | str) -> tuple[SampleColumns, int]:
    """(distinct columns, end of the run that wrote them [s since 1970])."""
    with open_dataset(path, SampleError, "sample") as data:
        contract.check_structure(data, SAMPLES, path, SampleError)
        humidity = contract.value(data, "specific_humidity", 2) if "specific_humidity" in data.variables else None
        columns = SampleColumns(contract.value(data, "column", 1).astype(np.int64), contract.value(data, "mixing_ratio", 3),
                                contract.value(data, "surface_pressure", 1), contract.value(data, "height", 2),
                                contract.value(data, "height_interface", 2), humidity, contract.value(data, "hyai", 1),
                                contract.value(data, "hybi", 1), tuple(attribute(data, "tracers", path, SampleError).split(",")))
        end = from_date_pair(int(contract.value(data, "date", 0)), int(contract.value(data, "datesec", 0)))
    for name in ("mixing_ratio", "surface_pressure", "height"):
        values = getattr(columns, name)
        if not np.isfinite(values).all():
            raise SampleError("sampled values are not finite", f"{path}, {name}",
                              f"{np.count_nonzero(~np.isfinite(values))} of {values.size}")
    return columns, end
