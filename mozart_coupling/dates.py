"""Dates as the model's files write them: yyyymmdd with seconds of the day, stamps in names, durations in namelists.

Inside the coupling an instant is a whole number of seconds since 1970-01-01 (UTC, proleptic Gregorian, leap years as in
the calendar); `numpy.datetime64` appears at the borders.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import numpy as np

from mozart_coupling.errors import CouplingError, NamelistError

DAY = 86400
DAYS_BEFORE_1970 = 719528  # from 0000-01-01 to 1970-01-01, proleptic Gregorian: the origin of `time` in history files

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": DAY}


def to_seconds(instant: np.datetime64 | datetime | date | str | int | float) -> int:
    """Seconds since 1970-01-01 of a datetime64, datetime, date, ISO string, or of a number that already is that."""
    if isinstance(instant, (int, float, np.integer, np.floating)):
        return int(instant)
    if isinstance(instant, datetime) and instant.tzinfo is not None:
        instant = instant.astimezone(UTC).replace(tzinfo=None)
    return int(np.datetime64(instant, "s").astype(np.int64))


def to_datetime64(seconds: int) -> np.datetime64:
    """`numpy.datetime64[s]` of seconds since 1970-01-01."""
    return np.datetime64(int(seconds), "s")


def calendar_date(seconds: int) -> date:
    """The day that contains an instant."""
    return date(1970, 1, 1) + timedelta(days=seconds // DAY)


def date_pair(seconds: int) -> tuple[int, int]:
    """(yyyymmdd, seconds of the day); midnight belongs to the day it begins."""
    day = calendar_date(seconds)
    return day.year * 10000 + day.month * 100 + day.day, int(seconds % DAY)


def from_date_pair(yyyymmdd: int, datesec: int = 0) -> int:
    """Seconds since 1970-01-01 of a (yyyymmdd, seconds of the day) pair.

    Raises
    ------
    CouplingError
        If there is no such day.
    """
    value = int(yyyymmdd)
    try:
        day = date(value // 10000, value // 100 % 100, value % 100)
    except ValueError:
        raise CouplingError("no such date", "date", value, "yyyymmdd") from None
    return (day - date(1970, 1, 1)).days * DAY + int(datesec)


def stamp(seconds: int) -> str:
    """`YYYY-MM-DD-SSSSS`, as in the names of history and restart files."""
    return f"{calendar_date(seconds).isoformat()}-{seconds % DAY:05d}"


def from_stamp(text: str) -> int:
    """Seconds since 1970-01-01 of a `YYYY-MM-DD-SSSSS` stamp."""
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)-(\d{5})", text)
    if not found:
        raise CouplingError("no date stamp", "stamp", repr(text), "YYYY-MM-DD-SSSSS")
    year, month, day, second = (int(part) for part in found.groups())
    return from_date_pair(year * 10000 + month * 100 + day, second)


def readable(seconds: int) -> str:
    """`YYYY-MM-DD hh:mm:ss`, for logs and errors."""
    return str(to_datetime64(seconds)).replace("T", " ")


def parse_duration(text: str | int, where: str) -> int:
    """Seconds of a namelist duration such as `15m`, `3h`, `7d`, `1800s`; a bare number is in seconds.

    Raises
    ------
    NamelistError
        If it is nothing of the kind, or not positive.
    """
    found = re.fullmatch(r"\s*(\d+)\s*([smhd]?)\s*", str(text).lower())
    seconds = int(found.group(1)) * _UNITS[found.group(2) or "s"] if found else 0
    if seconds <= 0:
        raise NamelistError("not a duration", where, repr(text), "a positive integer and s, m, h or d, such as '15m'")
    return seconds


def format_duration(seconds: int) -> str:
    """The shortest namelist form of a duration: 604800 → `7d`, 1800 → `30m`."""
    for unit in ("d", "h", "m"):
        if seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]}{unit}"
    return f"{seconds}s"
