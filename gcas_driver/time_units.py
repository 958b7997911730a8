"""Numbers in CF units of time ("days since 2000-01-01") as instants of the real calendar. cftime knows units and calendars."""

from __future__ import annotations

import calendar as month_lengths
import re

import cftime
import numpy as np

from gcas_driver.errors import InputError

EPOCH = "seconds since 1970-01-01"
REAL_CALENDARS = ("standard", "gregorian", "proleptic_gregorian", "julian")
NO_LEAP = ("noleap", "365_day", "365")
MONTHS_OF_30 = ("360_day", "360")

_FORM = re.compile(r"\s*[a-z]+\s+since\s+\d{1,4}-\d{1,2}-\d{1,2}([T\s]+\d{1,2}:\d{1,2}(:\d{1,2}(\.\d*)?)?)?"
                   r"\s*(Z|UTC|GMT|0?0:?00|[+-]\d{1,2}(:?\d{2})?)?\s*", re.IGNORECASE)
"""cftime reads a date at the beginning of a text and lets anything follow: a damaged date would become another one."""


def seconds_since_1970(values: np.ndarray, units: str, where: str, calendar: str = "", years: tuple[int, int] = (1, 10000)) -> np.ndarray:
    """Instants of the real calendar [seconds since 1970-01-01 00:00 UTC], of the shape of `values`; leap seconds do not count.

    Days of a calendar without leap days are days of the real one. One of twelve months of 30 days can only mean whole months: there a time
    stands in the same month of the real calendar, at its first instant if it is that of the other.

    Parameters
    ----------
    values
        Numbers in `units`.
    units, calendar
        The variable's attributes; no calendar is the standard one.
    where
        File and variable, for errors.
    years
        First year, and the one after the last. What lies beyond them becomes NaN, as NaN does.

    Raises
    ------
    InputError
        For units or a calendar that are not known, or days of a calendar of 30-day months.
    """
    name = calendar.strip().lower()
    name = {"": "standard", "none": "standard", "365": "noleap", "360": "360_day"}.get(name, name)
    if name not in (*REAL_CALENDARS, *NO_LEAP, *MONTHS_OF_30):
        raise InputError("unknown calendar", where, calendar, "standard, proleptic_gregorian, noleap or 360_day")
    if not _FORM.fullmatch(units):
        raise InputError("unknown time units", where, repr(units) if units else "none", f"such as '{EPOCH}'")
    try:
        if name in REAL_CALENDARS:
            origin, following = cftime.date2num(cftime.num2date([0, 1], units, name), EPOCH, name)
            times = origin + (following - origin) * np.asarray(values, dtype=np.float64)
        else:
            times = _of_other_calendar(np.asarray(values, dtype=np.float64), units, name, where)
    except (ValueError, OverflowError, TypeError) as error:
        raise InputError("unknown time units", where, f"{units!r}: {error}", f"such as '{EPOCH}'") from None
    return within(times, years)


def within(times: np.ndarray, years: tuple[int, int]) -> np.ndarray:
    """Times [seconds since 1970], NaN before the first of the years and from the second one on."""
    first, end = (np.array(years) - 1970).astype("datetime64[Y]").astype("datetime64[s]").astype(np.float64)
    return np.where((times >= first) & (times < end), times, np.nan)


def _of_other_calendar(values: np.ndarray, units: str, calendar: str, where: str) -> np.ndarray:
    known = np.isfinite(values)
    dates = cftime.num2date(values[known], units, calendar, only_use_cftime_datetimes=True)
    months = {(date.year, date.month) for date in dates}
    if calendar in MONTHS_OF_30 and len(months) < (values.size if values.ndim == 1 else len(values)):
        raise InputError("a calendar of 30-day months has no days that exist", where, calendar, "monthly means")
    times = np.full(values.shape, np.nan)
    times[known] = cftime.date2num([_real(date) for date in dates], EPOCH, "proleptic_gregorian") if len(dates) else []
    return times


def _real(date: cftime.datetime) -> cftime.datetime:
    """The date of the same name in the real calendar, the last of its month where it has fewer days."""
    day = min(date.day, month_lengths.monthrange(date.year, date.month)[1])
    clock = date.hour, date.minute, date.second, date.microsecond
    return cftime.datetime(date.year, date.month, day, *clock, calendar="proleptic_gregorian")
