"""The intervals that the records of a flux file stand for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.time_units import NO_LEAP, seconds_since_1970

from . import coordinates
from .layout import COMPONENT_NAMES, DECIMAL_NAMES, TIME_NAMES, Layout
from .stream import parts_of, period_of

SECOND = np.timedelta64(1, "s")
SECONDS_OF_A_DAY = 86400
DAY = np.timedelta64(SECONDS_OF_A_DAY, "s")
MONTH_NAMES = ("month", "months", "Month")


@dataclass(frozen=True)
class Context:
    """What is known of a file's times before it is opened.

    Attributes
    ----------
    path : Path
    layout : Layout
    stamp : str
        What a time marks by the `&prior` group; "" for the layout's own. Bounds in the file take precedence.
    day : datetime64
        The day that is wanted, which the file's name may say.
    pattern : str
        Of the file's name.
    """

    path: Path
    layout: Layout
    stamp: str
    day: np.datetime64
    pattern: str


def intervals(dataset: netCDF4.Dataset, context: Context, n_records: int) -> tuple[np.ndarray, np.ndarray]:
    """Start and end of every record's interval.

    Returns
    -------
    start, end : numpy.ndarray
        (n_records,) datetime64[s], UTC, in the real calendar.

    Raises
    ------
    InputError
        No usable times; not ascending; several gaps or overlaps.
    """
    path, layout = context.path, context.layout
    if n_records == 0:
        raise InputError("the file has no records", str(path), "0 records")
    if layout.months:
        return _months_of(dataset, parts_of(context.day)[0], n_records, path)
    bounds = _bounds(dataset, path)
    if bounds is not None:
        start, end = bounds[:, 0], bounds[:, 1]
    elif layout.calendar_dates and "datesec" not in dataset.variables:
        start, end = _shares_of_a_day(dataset, path, context.day, n_records)
    else:
        marks = _calendar_dates(dataset, path, context.day) if layout.calendar_dates else record_times(dataset, context.path)
        start, end = _of_name(context) if marks is None else _around(marks, context, no_leap_days(dataset))
    if no_leap_days(dataset) and np.median((end - start) / DAY) < 1.0:  # what ends with 28 February does not last over the 29th
        end = np.where((end - start) / DAY >= 1.0, end - DAY, end)
    if np.any(end <= start) or np.any(start[1:] < end[:-1]):
        raise InputError("time intervals overlap or run backwards", f"{path}, time", _listed(start))
    return start, end


def no_leap_days(dataset: netCDF4.Dataset) -> bool:
    """Whether the file's calendar has no 29 February."""
    return any(str(getattr(dataset[name], "calendar", "")).lower() in NO_LEAP for name in TIME_NAMES if name in dataset.variables)


def month_bounds(day: np.datetime64) -> tuple[np.datetime64, np.datetime64]:
    """Start of the calendar month of a day, and of the following one, as datetime64[s]."""
    month = day.astype("datetime64[M]")
    return month.astype("datetime64[s]"), (month + 1).astype("datetime64[s]")


def _months_of(dataset: netCDF4.Dataset, year: int, n_records: int, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The months of a year in the order of their times, of whatever year these are; in the file's own order where it has no times."""
    if n_records != 12:
        raise InputError("the file has not the twelve months of a year", str(path), f"{n_records} records", "12")
    rank = np.arange(12)
    for name in (*MONTH_NAMES, *TIME_NAMES):
        if name in dataset.variables and dataset[name].shape == (12,):
            numbers = _numbers(dataset[name], path)
            steps = np.diff(np.sort(numbers))
            if steps.max() > 1.3 * steps.min() or (name in MONTH_NAMES and not np.array_equal(np.sort(numbers), np.arange(1, 13))):
                raise InputError("months are not those of a year", f"{path}, {name}", ", ".join(f"{x:g}" for x in numbers),
                                 "1 to 12, or times a month apart")
            rank = np.argsort(np.argsort(numbers))
            break
    edges = (np.datetime64(f"{year:04d}-01", "M") + np.arange(13)).astype("datetime64[s]")
    return edges[rank], edges[rank + 1]


def _of_name(context: Context) -> tuple[np.ndarray, np.ndarray]:
    """The one interval of a file without times, by its name."""
    period = period_of(context.pattern)
    if not period:
        raise InputError("no time that can be read", str(context.path), "neither in the file nor in its name",
                         "a time variable with units '… since …', or {date}, {month} or {year} in `file_pattern`")
    first = context.day.astype(f"datetime64[{period}]")
    return np.array([first.astype("datetime64[s]")]), np.array([(first + 1).astype("datetime64[s]")])


def _around(marks: np.ndarray, context: Context, no_leap: bool) -> tuple[np.ndarray, np.ndarray]:
    """Intervals around, before or after their marks: a calendar month or year, or of equal length."""
    stamp, path = context.stamp or context.layout.stamp, context.path
    if stamp not in ("start", "centre", "end"):
        raise InputError("unknown meaning of time stamps", "&prior, time_stamp", repr(stamp), "start, centre or end")
    if marks.size == 1:
        start, end = _of_name(context)
        if not start[0] <= marks[0] <= end[0]:
            raise InputError("time is not that of the file's name", f"{path}, time", str(marks[0]), f"{start[0]} to {end[0]}")
        return start, end
    days = np.diff(marks) / np.timedelta64(1, "D")
    # A stamp at the very end of a month or year belongs to the one before.
    inner = marks - SECOND if stamp == "end" else marks
    for unit, least, most, name in (("M", 28, 31, "month"), ("Y", 365, 366, "year")):
        units = inner.astype(f"datetime64[{unit}]")
        if days.min() >= least - 1 and days.max() <= most + 1 and np.all(np.diff(units).astype(int) == 1):
            if stamp == "centre" and np.all(np.abs(marks - _nearest_edge(marks, unit)) < np.timedelta64(36, "h")):
                raise InputError(f"time stamps stand between {name}s", f"{path}, time", _listed(marks), f"the middle of each {name}",
                                 "Say by `time_stamp` of the &prior group whether they mark its start or its end.")
            return units.astype("datetime64[s]"), (units + 1).astype("datetime64[s]")
    counted = marks - _leap_days_before(marks) * DAY if no_leap else marks
    steps = np.unique(np.diff(counted))
    if (steps[-1] - steps[0]) / SECOND > 2:
        raise InputError("time stamps are not evenly spaced and have no bounds", f"{path}, time", _listed(marks),
                         "equal steps, calendar months or years, or a variable with the bounds")
    step = int(np.median(steps / SECOND))
    before = {"start": 0, "centre": step // 2, "end": step}[stamp]
    start = marks - np.timedelta64(before, "s")
    end = start + np.timedelta64(step, "s")
    if no_leap and step >= SECONDS_OF_A_DAY:
        end[:-1] = start[1:]
    return start, end


def _leap_days_before(marks: np.ndarray) -> np.ndarray:
    """How many 29ths of February lie before each time, counted from year 0."""
    last = (marks - 59 * DAY).astype("datetime64[Y]").astype(int) + 1970  # in January and February the year before
    return last // 4 - last // 100 + last // 400


def _nearest_edge(marks: np.ndarray, unit: str) -> np.ndarray:
    """The nearest start of a month or year."""
    before = marks.astype(f"datetime64[{unit}]").astype("datetime64[s]")
    after = (marks.astype(f"datetime64[{unit}]") + 1).astype("datetime64[s]")
    return np.where(marks - before <= after - marks, before, after)


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
    seconds = _numbers(dataset["datesec"], path).ravel()
    if days.size != seconds.size or days.size == 0:
        raise InputError("date and datesec differ in length", str(path), f"{days.size} and {seconds.size}")
    return days.astype("datetime64[s]") + np.rint(seconds).astype("timedelta64[s]")


def _dates(dataset: netCDF4.Dataset, path: Path, day: np.datetime64) -> np.ndarray:
    """The variable `date` as datetime64[D].

    A four-byte real holds no odd YYYYMMDD: there a date next to the day of the file's name is that day.
    """
    numbers = _numbers(dataset["date"], path).ravel()
    named = int(str(day.astype("datetime64[D]")).replace("-", ""))
    if dataset["date"].dtype == np.float32:
        numbers = np.where(np.abs(numbers - named) <= 1.0, named, numbers)
    try:
        return np.array([f"{int(d) // 10000:04d}-{int(d) // 100 % 100:02d}-{int(d) % 100:02d}" for d in numbers], dtype="datetime64[D]")
    except ValueError:
        raise InputError("not a calendar date", f"{path}, date", f"{numbers[0]}", "YYYYMMDD") from None


def record_times(dataset: netCDF4.Dataset, path: Path) -> np.ndarray | None:
    """Times of records from a CF time variable, calendar components or decimal years; None when the file has none of them.

    Raises
    ------
    InputError
        A time variable that cannot be understood.
    """
    for name in TIME_NAMES:
        if name in dataset.variables and " since " in str(getattr(dataset[name], "units", "")):
            return _decoded(dataset[name], _numbers(dataset[name], path), path).ravel()
    for name in COMPONENT_NAMES:
        if name in dataset.variables:
            return _from_components(_numbers(dataset[name], path), f"{path}, {name}")
    for name in DECIMAL_NAMES:
        if name in dataset.variables:
            return _from_decimal(_numbers(dataset[name], path).ravel())
    if any(name in dataset.variables for name in TIME_NAMES):
        raise InputError("no time that can be read", str(path), ", ".join(dataset.variables), "a time variable with units '… since …'")
    return None


def _numbers(variable: netCDF4.Variable, path: Path) -> np.ndarray:
    """A time variable's numbers, float64.

    Raises
    ------
    InputError
        Where they cannot be read, or any is missing.
    """
    values = np.atleast_1d(coordinates.numbers(variable, path))
    if not np.isfinite(values).all():
        raise InputError("a time is missing", f"{path}, {variable.name}", f"{np.count_nonzero(~np.isfinite(values))} of {values.size}")
    return values


def _bounds(dataset: netCDF4.Dataset, path: Path) -> np.ndarray | None:
    """Interval bounds (n, 2) where the file has them."""
    for name in TIME_NAMES:
        if name not in dataset.variables:
            continue
        other = str(getattr(dataset[name], "bounds", ""))
        if other in dataset.variables and " since " in str(getattr(dataset[name], "units", "")):
            numbers = _numbers(dataset[other], path)
            if numbers.ndim != 2 or numbers.shape[1] != 2:
                raise InputError("bounds of the times", f"{path}, {other}", f"shape {numbers.shape}", "(records, 2)")
            return _decoded(dataset[name], numbers, path).reshape(-1, 2)
    return None


def _decoded(variable: netCDF4.Variable, values: np.ndarray, path: Path) -> np.ndarray:
    """datetime64[s], in the real calendar, of numbers in a variable's time units, rounded to the second."""
    where = f"{path}, {variable.name}"
    seconds = seconds_since_1970(values, str(variable.units), where, str(getattr(variable, "calendar", "")))
    if not np.isfinite(seconds).all():
        raise InputError("times are no dates", where, f"{values[~np.isfinite(seconds)][0]:g} {variable.units}", "the years 1 to 9999")
    return np.floor(seconds + 0.5).astype(np.int64).astype("datetime64[s]")


def _from_components(parts: np.ndarray, where: str) -> np.ndarray:
    """Times from year, month, day, hour, minute, second columns."""
    if parts.ndim != 2 or parts.shape[1] < 6:
        raise InputError("calendar components", where, f"shape {parts.shape}", "year, month, day, hour, minute, second")
    texts = ["{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}".format(*(int(p) for p in row[:6])) for row in parts]
    try:
        return np.array(texts, dtype="datetime64[s]")
    except ValueError:
        raise InputError("not a calendar date", where, texts[0]) from None


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
