"""Fires of GFED4.1s: one HDF5 file a year with monthly sums on a quarter of a degree and shares of days and hours.

Layout (van der Werf et al. 2017, Earth Syst. Sci. Data 9, 697): `lat`, `lon` (720, 1440) from the north; `emissions/MM/C` [g C m-2
month-1], `emissions/MM/DM` [kg dry matter m-2 month-1], `emissions/MM/partitioning/DM_SAVA` … shares of six kinds of fires; from 2003 on
`emissions/MM/daily_fraction/day_1` … and `emissions/MM/diurnal_cycle/UTC_0-3h` …, shares of the month and of its days.
"""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from mozart_coupling.constants import MOLAR_MASS_CO2
from mozart_coupling.grids import Grid

from .coordinates import Orientation, numbers, oriented
from .day import STEPS_PER_DAY, FluxDay
from .gridded import HUGE, opened
from .monthly import MonthField, MonthlyReader
from .stream import file_of, parts_of, setting
from .times import month_bounds

# g CO2 per kg dry matter, the product's own (GFED4.1s; mostly Akagi et al. 2011, Atmos. Chem. Phys. 11, 4039).
CO2_FACTORS = {"SAVA": 1686.0, "BORF": 1489.0, "TEMF": 1647.0, "DEFO": 1643.0, "PEAT": 1703.0, "AGRI": 1585.0}
SHARES_TOLERANCE = 0.05
HOURS = tuple(f"UTC_{3 * i}-{3 * i + 3}h" for i in range(STEPS_PER_DAY))


class GfedReader(MonthlyReader):
    """Daily and three-hourly where the file has shares (2003 and later), else the month's mean; the month's total is kept exactly."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self._file: tuple[Path, netCDF4.Dataset] | None = None
        self._oriented: tuple[Path, Orientation] | None = None
        self._shares: tuple[np.datetime64, np.ndarray | None, np.ndarray | None] | None = None

    def day(self, day: np.datetime64) -> FluxDay:
        """One day: eight intervals where the file has a diurnal cycle, else one."""
        mean = super().day(day)
        by_day, cycle = self._month_shares(day)
        values = mean.values
        if by_day is not None:
            of_month = (month_bounds(day)[1] - month_bounds(day)[0]) / np.timedelta64(1, "D")
            share = self._group_field(day, f"daily_fraction/day_{parts_of(day)[2]}")
            values = values * np.where(by_day > 0.0, share * of_month / np.where(by_day > 0.0, by_day, 1.0), 1.0)
        if cycle is None:
            return FluxDay(mean.grid, mean.start, mean.end, values, mean.path)
        total = cycle.sum(axis=0, dtype=np.float64)
        scale = np.where(total > 0.0, STEPS_PER_DAY / np.where(total > 0.0, total, 1.0), 0.0)
        hourly = np.empty((STEPS_PER_DAY, *mean.grid.shape))
        for out, shares in zip(hourly, cycle, strict=True):  # one by one: a day of a quarter degree is 66 MB
            np.multiply(values[0], np.where(total > 0.0, shares * scale, 1.0), out=out)
        edges = mean.start[0] + np.arange(STEPS_PER_DAY + 1) * np.timedelta64(10800, "s")
        return FluxDay(mean.grid, edges[:-1], edges[1:], hourly, mean.path)

    def check(self, day: np.datetime64) -> Grid:
        """The month's sums and all its shares."""
        grid = super().check(day)
        self._month_shares(day)
        return grid

    def close(self) -> None:
        """Close the open file."""
        super().close()
        if self._file is not None:
            self._file[1].close()
        self._file = self._shares = None

    def _read(self, day: np.datetime64) -> MonthField:
        dataset, path = self._dataset(day)
        orientation = self._orientation_of(dataset, path)
        wanted = setting(self._stream, "variable") or "C"
        if wanted not in ("C", "DM"):
            raise InputError("unknown variable of GFED", f"{path}", repr(wanted), "C or DM")
        values = self._group_field(day, wanted).astype(np.float64)
        units = "gC m-2 month-1"
        if wanted == "DM":  # kg DM → g CO2, by kind of fire
            kinds = np.stack([self._group_field(day, f"partitioning/DM_{kind}") for kind in CO2_FACTORS])
            _refuse_shares(kinds.sum(axis=0), values > 0.0, f"{path}, partitioning")
            factors = np.array(list(CO2_FACTORS.values()))[:, None, None] / MOLAR_MASS_CO2
            values, units = values * (kinds * factors).sum(axis=0), "mol m-2 month-1"
        values = values * self._factor(units, orientation.grid, day, str(path))
        return MonthField(orientation.grid, values, None, path)

    def _dataset(self, day: np.datetime64) -> tuple[netCDF4.Dataset, Path]:
        path, _ = file_of(self._stream, day, self._layout.patterns, self._code)
        if self._file is None or self._file[0] != path:
            self.close()
            self._file = path, opened(path)
        return self._file[1], path

    def _orientation(self, dataset: netCDF4.Dataset, path: Path) -> Orientation:
        fields = []
        for name, axis in (("lat", 0), ("lon", 1)):
            if name not in dataset.variables:
                raise InputError(f"no {name}", str(path), ", ".join(dataset.variables) or "no variables",
                                 "lat and lon, such as (720, 1440)")
            values = numbers(dataset[name], path)
            if values.ndim not in (1, 2):
                raise InputError("coordinates are not those of a longitude-latitude grid", f"{path}, {name}",
                                 f"{values.ndim} dimensions", "lat and lon, such as (720, 1440)")
            if values.ndim == 2:
                line = values[:, 0] if axis == 0 else values[0]
                if not np.allclose(values, line[:, None] if axis == 0 else line[None]):
                    raise InputError("coordinates are not those of a longitude-latitude grid", f"{path}, {name}",
                                     "they vary along the other axis", "lat and lon, such as (720, 1440)")
                values = line
            fields.append(values)
        return oriented(fields[0], fields[1], path, self._layout)

    def _group_field(self, day: np.datetime64, name: str) -> np.ndarray:
        """A field (nlat, nlon) of the day's month, in the grid's order.

        Raises
        ------
        InputError
            Not there, of another shape, missing, not finite or negative.
        """
        dataset, path = self._dataset(day)
        place = f"emissions/{parts_of(day)[1]:02d}/{name}"
        variable = _found(dataset, place)
        if variable is None:
            raise InputError("a field is missing", str(path), f"no {place}", "the layout of GFED4.1s", "Copy the file again.")
        orientation = self._orientation_of(dataset, path)
        if variable.shape != orientation.grid.shape:
            raise InputError("wrong grid", f"{path}, {place}", f"{variable.shape}", f"{orientation.grid.shape}, as lat and lon")
        try:
            variable.set_auto_mask(False)  # the product declares nothing missing; masks would cost more than reading
            variable.set_var_chunk_cache(0)  # each of some forty fields is read once
            values = np.asarray(variable[:])
        except (RuntimeError, OSError) as error:
            raise InputError("values cannot be read", f"{path}, {place}", str(error), "a complete file", "Copy the file again.") from None
        if values.dtype.kind not in "fiu":
            raise InputError("the flux is no number", f"{path}, {place}", f"type {values.dtype}", "numbers")
        low, high = float(values.min()), float(values.max())
        if not (low >= 0.0 and high < HUGE):
            raise InputError("flux is not finite" if not np.isfinite([low, high]).all() else "values cannot be right", f"{path}, {place}",
                             f"{low:g} to {high:g}", "0 or more", "Copy the file again.")
        return orientation.turned(values)

    def _orientation_of(self, dataset: netCDF4.Dataset, path: Path) -> Orientation:
        if self._oriented is None or self._oriented[0] != path:
            self._oriented = path, self._orientation(dataset, path)
        return self._oriented[1]

    def _month_shares(self, day: np.datetime64) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Sum (nlat, nlon) of the month's daily shares, and its three-hourly ones (8, nlat, nlon); None where the file has none."""
        month = day.astype("datetime64[M]")
        if self._shares is None or self._shares[0] != month:
            field = self._field(day)
            n_days = int((month_bounds(day)[1] - month_bounds(day)[0]) / np.timedelta64(1, "D"))
            by_day = cycle = None
            if self._has(day, "daily_fraction"):
                by_day = sum(self._group_field(day, f"daily_fraction/day_{i + 1}").astype(np.float64) for i in range(n_days))
                _refuse_shares(by_day, (field.values > 0.0) & (by_day > 0.0), f"{field.path}, daily_fraction of {month}")
            if self._has(day, "diurnal_cycle"):
                cycle = np.stack([self._group_field(day, f"diurnal_cycle/{name}") for name in HOURS])
                total = cycle.sum(axis=0)
                _refuse_shares(total, (field.values > 0.0) & (total > 0.0), f"{field.path}, diurnal_cycle of {month}")
            self._shares = month, by_day, cycle
        return self._shares[1:]

    def _has(self, day: np.datetime64, group: str) -> bool:
        """Whether the month has a group of shares; one that is there has to be whole."""
        groups = self._dataset(day)[0][f"emissions/{parts_of(day)[1]:02d}"].groups
        return group in groups and bool(groups[group].variables)


def _found(dataset: netCDF4.Dataset, place: str) -> netCDF4.Variable | None:
    *groups, name = place.split("/")
    for group in groups:
        if group not in dataset.groups:
            return None
        dataset = dataset.groups[group]
    return dataset.variables.get(name)


def _refuse_shares(total: np.ndarray, where: np.ndarray, place: str) -> None:
    off = np.abs(total[where] - 1.0)
    if off.size and off.max() > SHARES_TOLERANCE:
        raise InputError("shares do not add up to one", place, f"{total[where].min():.3g} to {total[where].max():.3g}", "1",
                         "Copy the file again.")
