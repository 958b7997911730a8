"""Monthly (or finer) fields in NetCDF: SPEIbase, temperature, precipitation, any variable on a global grid with time.

SPEIbase: `spei` (time, lat, lon), 0.5 degree, monthly, no land 1.0e30, some NaN.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.fluxes.priors.times import record_times
from gcas_driver.initial.field import ordered
from gcas_driver.observations.netcdf_fields import inventory, open_netcdf, require_variable

from .field import MonthlyField

LATITUDES, LONGITUDES = ("lat", "latitude", "y"), ("lon", "longitude", "x")
FILL_LIMIT = 1.0e29  # SPEIbase fills with 1.0e30
YEARS = (1850, 2150)


def months(paths: Sequence[Path], variables: tuple[str, ...], quality: int, first: np.datetime64,
           last: np.datetime64) -> Iterator[MonthlyField]:
    """Months of files in the order of their names; records of one month in one file are averaged. `quality` has no meaning here."""
    before = None
    for path in paths:
        with open_netcdf(path) as dataset:
            try:
                for month in _months_of(dataset, path, variables, first, last):
                    if before is not None and month.month <= before:
                        raise InputError("months are given twice or out of order", str(path), str(month.month), f"after {before}",
                                         "Narrow `file_pattern` of this &ancillary group.")
                    before = month.month
                    yield month
            except (IndexError, KeyError, ValueError, OverflowError) as error:
                raise InputError("the file cannot be understood", str(path), f"{type(error).__name__}: {error}",
                                 "a field on time, lat and lon") from error


def variable_of(dataset: netCDF4.Dataset, names: tuple[str, ...]) -> netCDF4.Variable:
    """The field: by name, else the only one with three dimensions."""
    if names:
        return require_variable(dataset, names)
    cubes = [v for v in dataset.variables.values() if v.ndim == 3 and v.dtype != str and v.dtype.kind in "iuf"]
    if len(cubes) != 1:
        raise InputError("which variable is not clear", dataset.filepath(), inventory(dataset), "one field on time, lat and lon",
                         "Name it by `variable` of &ancillary.")
    return cubes[0]


def _months_of(dataset: netCDF4.Dataset, path: Path, names: tuple[str, ...], first: np.datetime64,
               last: np.datetime64) -> Iterator[MonthlyField]:
    variable = variable_of(dataset, names)
    lat, lon = (require_variable(dataset, known) for known in (LATITUDES, LONGITUDES))
    dims = list(variable.dimensions)
    where = f"{path}, {variable.name}"
    if variable.ndim != 3 or lat.ndim != 1 or lon.ndim != 1 or not {lat.dimensions[0], lon.dimensions[0]} <= set(dims):
        raise InputError("the dimensions of a field", where, f"{dims} of {list(variable.shape)}", "time, lat, lon")
    axes = dims.index(lat.dimensions[0]), dims.index(lon.dimensions[0])
    time_axis = 3 - sum(axes)
    stamps = record_times(dataset, path)
    if stamps is None:
        raise InputError("no time that can be read", str(path), inventory(dataset), "a time variable with units '… since …'")
    years = stamps.astype("datetime64[Y]").astype(int) + 1970
    if stamps.size != variable.shape[time_axis] or np.any(np.diff(stamps) <= np.timedelta64(0, "s")) or years.min() < YEARS[0] \
            or years.max() > YEARS[1]:
        raise InputError("times do not fit the field", where, f"{stamps.size} times {stamps[0]} … {stamps[-1]}",
                         f"{variable.shape[time_axis]} ascending times of {YEARS[0]} to {YEARS[1]}")
    at = stamps.astype("datetime64[M]")
    steps = np.diff(np.unique(at)).astype(int)
    if np.any(steps > 1):
        raise InputError("months are missing within the file", where, f"{np.count_nonzero(steps > 1)} gaps, the first after "
                         f"{np.unique(at)[np.argmax(steps > 1)]}", "every month, or files of their own")
    for month in np.unique(at[(at >= first) & (at <= last)]):
        records = np.flatnonzero(at == month)
        total, count = 0.0, 0
        for record in records:  # one at a time: a month of hourly fields need not fit into memory
            plane = np.moveaxis(_plane(variable, time_axis, int(record)), 0, 0 if axes[0] < axes[1] else 1)
            present = np.isfinite(plane)
            total, count = total + np.where(present, plane, 0.0), count + present
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        grid, (values,) = ordered(lon[...], lat[...], path, mean)
        yield MonthlyField(month, values, grid, where, str(getattr(variable, "units", "")))


def _plane(variable: netCDF4.Variable, time_axis: int, record: int) -> np.ndarray:
    """One record as float64, NaN where there is no value by any convention."""
    index: list = [slice(None)] * 3
    index[time_axis] = record
    raw = variable[tuple(index)]
    values = raw.astype(np.float64)
    bad = ~(np.abs(values) < FILL_LIMIT)
    for name in ("_FillValue", "missing_value"):
        if name in variable.ncattrs():
            for code in np.atleast_1d(variable.getncattr(name)):
                bad |= (raw == code) if not isinstance(code, (str, bytes)) else False
    factor, offset = (float(getattr(variable, name, default)) for name, default in (("scale_factor", 1.0), ("add_offset", 0.0)))
    return np.where(bad, np.nan, values * factor + offset)
