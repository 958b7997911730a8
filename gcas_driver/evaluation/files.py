"""Reading a case's output files: names, text, times and numbers, with holes as NaN.

Only what other rooms promise is read (`windows/<date>/{observations,analysis,fluxes}.nc`), so every past run can be evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.time_units import EPOCH, seconds_since_1970
from mozart_coupling.netcdf import damage


@contextmanager
def opened(path: Path) -> Iterator[netCDF4.Dataset]:
    """A NetCDF file for reading.

    Raises
    ------
    InputError
        If it is missing or no NetCDF file, or cannot be read to its end.
    """
    with damage(lambda said: InputError("an output file cannot be read", str(path), said, "a NetCDF file written by `gcas run`",
                                        "Restore it from a copy: a window that is done is not computed again.")):
        with netCDF4.Dataset(path) as dataset:
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
    """A CF time variable as datetime64[s]; a file without units holds seconds since 1970-01-01.

    Raises
    ------
    InputError
        For units that are not known, or missing times.
    """
    found = variable(dataset, *names)
    units = getattr(found, "units", None)
    if units is None and "bounds" in names[0]:
        units = getattr(dataset.variables.get("time"), "units", None)
    where = dataset.filepath()
    seconds = seconds_since_1970(numbers(dataset, *names), units or EPOCH, where, getattr(found, "calendar", ""))
    if not np.isfinite(seconds).all():
        raise InputError("a time is missing", where, f"{np.count_nonzero(~np.isfinite(seconds))} values without a date")
    return np.round(seconds).astype("int64").astype("datetime64[s]")


def attribute(dataset: netCDF4.Dataset, *names: str) -> float | None:
    """The first global attribute or scalar variable of these names, as a number; None if there is none."""
    for name in names:
        value = getattr(dataset, name, None)
        if value is None and name in dataset.variables and dataset.variables[name].ndim == 0:
            value = np.ma.filled(np.ma.asarray(dataset.variables[name][...], dtype=float), np.nan)
        if value is not None and np.isfinite(float(value)):
            return float(value)
    return None
