"""Reading a case's output files: names, text, times and numbers, with holes as NaN.

Only what other rooms promise is read (`windows/<date>/{observations,analysis,fluxes}.nc`), so every past run can be evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError

_UNIT_SECONDS = {"second": 1.0, "sec": 1.0, "s": 1.0, "minute": 60.0, "min": 60.0, "hour": 3600.0, "h": 3600.0,
                 "day": 86400.0, "d": 86400.0}
_SINCE = re.compile(r"\s*([a-z]+?)s?\s+since\s+(\d{1,4})-(\d{1,2})-(\d{1,2})(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?", re.IGNORECASE)


@contextmanager
def opened(path: Path) -> Iterator[netCDF4.Dataset]:
    """A NetCDF file for reading.

    Raises
    ------
    InputError
        If it is missing or no NetCDF file.
    """
    try:
        dataset = netCDF4.Dataset(path)
    except (OSError, RuntimeError) as error:
        raise InputError("an output file cannot be read", str(path), str(error), "a NetCDF file written by `gcas run`",
                         "Run the case again: it repeats windows whose files are gone.") from error
    with dataset:
        yield dataset


def variable(dataset: netCDF4.Dataset, *names: str) -> netCDF4.Variable:
    """The first of `names` that the file has.

    Raises
    ------
    InputError
        With the file's inventory, if it has none of them.
    """
    for name in names:
        if name in dataset.variables:
            return dataset.variables[name]
    raise InputError(f"no variable '{names[0]}'", dataset.filepath(), ", ".join(dataset.variables), " or ".join(names))


def numbers(dataset: netCDF4.Dataset, *names: str) -> np.ndarray:
    """A variable as float64, NaN where it has no value."""
    return np.ma.filled(np.ma.asarray(variable(dataset, *names)[...], dtype=np.float64), np.nan)


def texts(dataset: netCDF4.Dataset, *names: str) -> np.ndarray:
    """A text variable as an array of str without padding, from strings or from rows of characters."""
    found = variable(dataset, *names)
    values = found[...]
    if values.dtype.kind == "S" and values.ndim and found.dimensions[-1] not in ("observation", "region", "component"):
        values = netCDF4.chartostring(np.ma.filled(values, b""))
    return np.array([str(v).rstrip("\0 ") for v in np.ma.filled(values, "").ravel()], dtype=object)


def times(dataset: netCDF4.Dataset, *names: str) -> np.ndarray:
    """A CF time variable as datetime64[s]; a file without units holds seconds since 1970-01-01."""
    found = variable(dataset, *names)
    units = getattr(found, "units", None)
    if units is None and "bounds" in names[0]:
        units = getattr(dataset.variables.get("time"), "units", None)
    return decode_times(numbers(dataset, *names), units or "seconds since 1970-01-01", dataset.filepath())


def decode_times(values: np.ndarray, units: str, where: str = "time") -> np.ndarray:
    """Numbers in CF units of time as datetime64[s].

    Raises
    ------
    InputError
        For units that are not "<seconds|minutes|hours|days> since YYYY-MM-DD[ HH:MM[:SS]]", or missing times.
    """
    match = _SINCE.match(units)
    if not match or match[1].lower() not in _UNIT_SECONDS:
        raise InputError("time has unknown units", where, repr(units), "such as 'seconds since 1970-01-01 00:00:00'")
    if not np.isfinite(values).all():
        raise InputError("a time is missing", where, f"{np.count_nonzero(~np.isfinite(values))} values without a number")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[1:])
    origin = np.datetime64(f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}", "s")
    return origin + np.round(values * _UNIT_SECONDS[match[1].lower()]).astype("int64").astype("timedelta64[s]")


def attribute(dataset: netCDF4.Dataset, *names: str) -> float | None:
    """The first global attribute or scalar variable of these names, as a number; None if there is none."""
    for name in names:
        value = getattr(dataset, name, None)
        if value is None and name in dataset.variables and dataset.variables[name].ndim == 0:
            value = np.ma.filled(np.ma.asarray(dataset.variables[name][...], dtype=float), np.nan)
        if value is not None and np.isfinite(float(value)):
            return float(value)
    return None
