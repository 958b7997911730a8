"""The intervals that the records of a flux file stand for."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError

from .layout import COMPONENT_NAMES, DECIMAL_NAMES, TIME_NAMES, Layout

SECOND = np.timedelta64(1, "s")
SECONDS_OF_A_DAY = 86400


def intervals(dataset: netCDF4.Dataset, path: Path, layout: Layout, stamp: str, day: np.datetime64,
              n_records: int) -> tuple[np.ndarray, np.ndarray]:
    """Start and end of every record's interval.

    Parameters
    ----------
    day : datetime64
        The day that the file's name says.
    n_records : int
        Records of the flux.
    stamp : str
        What a time marks ("start", "centre", "end"); "" for the layout's own. Bounds in the file take precedence.

    Returns
    -------
    start, end : numpy.ndarray
        (n_records,) datetime64[s], UTC.

    Raises
    ------
    InputError
        No usable times; not ascending; several gaps or overlaps.
    """
    bounds = _bounds(dataset)
    if bounds is not None:
        start, end = bounds[:, 0], bounds[:, 1]
    elif layout.calendar_dates and "datesec" not in dataset.variables:
        start, end = _shares_of_a_day(dataset, path, day, n_records)
    else:
        marks = _calendar_dates(dataset, path, day) if layout.calendar_dates else _times(dataset, path)
        start, end = _around(marks, stamp or layout.stamp, path)
    if np.any(end <= start) or np.any(start[1:] < end[:-1]):
        raise InputError("time intervals overlap or run backwards", f"{path}, time", _listed(start))
    return start, end


def _around(marks: np.ndarray, stamp: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of equal length around, before or after their marks."""
    if stamp not in ("start", "centre", "end"):
        raise InputError("unknown meaning of time stamps", "&prior, time_stamp", repr(stamp), "start, centre or end")
    steps = np.unique(np.diff(marks)) if marks.size > 1 else np.array([np.timedelta64(86400, "s")])
    if steps.size > 1 and (steps[-1] - steps[0]) / SECOND > 2:
        raise InputError("time stamps are not evenly spaced and have no bounds", f"{path}, time", _listed(marks),
                         "equal steps, or a variable with the bounds")
    step = int(np.median(steps / SECOND))
    before = {"start": 0, "centre": step // 2, "end": step}[stamp]
    start = marks - np.timedelta64(before, "s")
    return start, start + np.timedelta64(step, "s")


def _shares_of_a_day(dataset: netCDF4.Dataset, path: Path, day: np.datetime64, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Equal shares of the day that the file's name says, for daily files without seconds, whose records are merely numbered."""
    if n == 0 or SECONDS_OF_A_DAY % n:
        raise InputError("variable 'datesec' is missing", str(path), ", ".join(dataset.variables),
                         "date and datesec, or records that divide a day")
    if "date" in dataset.variables:
        dates = _dates(dataset, path, day)
        if np.any(dates != day):
            raise InputError("dates are not those of the file's name", f"{path}, date", _listed(dates), str(day))
    edges = day.astype("datetime64[s]") + np.arange(n + 1) * np.timedelta64(SECONDS_OF_A_DAY // n, "s")
    return edges[:-1], edges[1:]


def _calendar_dates(dataset: netCDF4.Dataset, path: Path, day: np.datetime64) -> np.ndarray:
    """Times from `date` (YYYYMMDD) and `datesec`."""
    if "date" not in dataset.variables:
        raise InputError("variable 'date' is missing", str(path), ", ".join(dataset.variables), "date and datesec")
    days = _dates(dataset, path, day)
    seconds = np.ma.getdata(dataset["datesec"][:]).ravel()
    if days.size != seconds.size or days.size == 0:
        raise InputError("date and datesec differ in length", str(path), f"{days.size} and {seconds.size}")
    return days.astype("datetime64[s]") + np.rint(seconds.astype(np.float64)).astype("timedelta64[s]")


def _dates(dataset: netCDF4.Dataset, path: Path, day: np.datetime64) -> np.ndarray:
    """The variable `date` as datetime64[D].

    A four-byte real holds no odd YYYYMMDD: there a date next to the day of the file's name is that day.
    """
    numbers = np.ma.getdata(dataset["date"][:]).ravel()
    named = int(str(day.astype("datetime64[D]")).replace("-", ""))
    if dataset["date"].dtype == np.float32:
        numbers = np.where(np.abs(numbers - named) <= 1.0, named, numbers.astype(np.float64))
    try:
        return np.array([f"{int(d) // 10000:04d}-{int(d) // 100 % 100:02d}-{int(d) % 100:02d}" for d in numbers], dtype="datetime64[D]")
    except ValueError:
        raise InputError("not a calendar date", f"{path}, date", f"{numbers[0]}", "YYYYMMDD") from None


def _times(dataset: netCDF4.Dataset, path: Path) -> np.ndarray:
    """Times from a CF time variable, calendar components or decimal years."""
    for name in TIME_NAMES:
        if name in dataset.variables and " since " in str(getattr(dataset[name], "units", "")):
            return _decoded(dataset[name], dataset[name][:]).ravel()
    for name in COMPONENT_NAMES:
        if name in dataset.variables:
            return _from_components(np.ma.getdata(dataset[name][:]))
    for name in DECIMAL_NAMES:
        if name in dataset.variables:
            return _from_decimal(np.ma.getdata(dataset[name][:]))
    raise InputError("no time that can be read", str(path), ", ".join(dataset.variables),
                     "a time variable with units '… since …'")


def _bounds(dataset: netCDF4.Dataset) -> np.ndarray | None:
    """Interval bounds (n, 2) where the file has them."""
    for name in TIME_NAMES:
        if name not in dataset.variables:
            continue
        other = str(getattr(dataset[name], "bounds", ""))
        if other in dataset.variables and " since " in str(getattr(dataset[name], "units", "")):
            return _decoded(dataset[name], dataset[other][:]).reshape(-1, 2)
    return None


def _decoded(variable: netCDF4.Variable, values: np.ndarray) -> np.ndarray:
    """datetime64[s] of numbers in a variable's time units, rounded to the second."""
    calendar = str(getattr(variable, "calendar", "standard"))
    dates = netCDF4.num2date(np.ma.getdata(values).astype(np.float64), variable.units, calendar,
                             only_use_cftime_datetimes=False, only_use_python_datetimes=True)
    exact = np.array(np.ravel(dates), dtype="datetime64[us]").reshape(np.shape(values))
    return (exact + np.timedelta64(500_000, "us")).astype("datetime64[s]")


def _from_components(parts: np.ndarray) -> np.ndarray:
    """Times from year, month, day, hour, minute, second columns."""
    texts = ["{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}".format(*(int(p) for p in row[:6])) for row in parts]
    return np.array(texts, dtype="datetime64[s]")


def _from_decimal(years: np.ndarray) -> np.ndarray:
    """Times from decimal years, rounded to the minute: seven digits hold no more."""
    whole = np.floor(years).astype(int)
    first = (whole - 1970).astype("datetime64[Y]").astype("datetime64[s]")
    following = (whole - 1969).astype("datetime64[Y]").astype("datetime64[s]")
    seconds = (years - whole) * ((following - first) / SECOND)
    return first + (60 * np.rint(seconds / 60.0)).astype("timedelta64[s]")


def _listed(times: np.ndarray) -> str:
    shown = [str(t) for t in times[:3]] + (["…"] if times.size > 4 else []) + [str(t) for t in times[3:][-1:]]
    return ", ".join(shown)
