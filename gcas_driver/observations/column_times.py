"""Times of soundings, in every form that products use, as seconds since 1970-01-01 00:00 UTC; NaN where missing or impossible."""

from __future__ import annotations

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations import netcdf_fields as nc
from gcas_driver.observations.column_fields import Field
from gcas_driver.observations.column_source import Rows
from gcas_driver.observations.files import YEARS
from gcas_driver.time_units import seconds_since_1970


def cf_time(field: Field, units: str = "") -> Rows:
    """Times by CF units such as "hours since 1970-01-01 00:00:00", the variable's own unless given.

    Raises
    ------
    InputError
        For units or a calendar that are not known, or units that count from a year without observations: their date is damaged.
    """
    units, where = units or nc.units_of(field.variable), nc.place_of(field.variable)
    calendar = str(getattr(field.variable, "calendar", ""))
    if not np.isfinite(seconds_since_1970(np.zeros(1), units, where, calendar, YEARS)[0]):
        raise InputError("unknown time units", where, repr(units), f"a date of {YEARS[0]} to {YEARS[1]}")
    return lambda start, stop: seconds_since_1970(field(start, stop), units, where, calendar, YEARS)


def dates_and_hours(date: Field, hour: Field, known: float | None = None) -> Rows:
    """Times from dates YYYYMMDD and decimal hours.

    `known`: the date YYYYMMDD that the file's name tells. A four-byte real holds no odd dates: there a date next to it is that one.
    """

    def rows(start: int, stop: int) -> np.ndarray:
        dates, hours = date(start, stop), hour(start, stop)
        if known is not None and date.variable.dtype == np.float32:
            dates = np.where(np.abs(dates - known) <= 1.0, known, dates)
        hours[~((hours >= 0.0) & (hours <= 24.0))] = np.nan
        return days_of_numbers(dates) + np.round(3600.0 * hours, 3)

    return rows


def components(fields: list[Field]) -> Rows:
    """Times from year, month, day, hour, minute, second and millisecond, as many as there are: columns of one variable, or variables."""

    def rows(start: int, stop: int) -> np.ndarray:
        if len(fields) == 1:
            columns = list(fields[0](start, stop).T)
        else:
            columns = [field(start, stop) for field in fields]
        whole = _seconds(*columns[:6])
        return whole + 1.0e-3 * columns[6] if len(columns) > 6 else whole

    return rows


def numbers(field: Field) -> Rows:
    """Times from numbers YYYYMMDDhhmmss, with any further digits after them, as identifiers of soundings are."""

    def rows(start: int, stop: int) -> np.ndarray:
        value = field(start, stop)
        clock = _leading(value, 14) % 1.0e6
        hour, minute, second = clock // 10000, clock // 100 % 100, clock % 100
        return days_of_numbers(_leading(value, 8)) + _clock(hour, minute, second)

    return rows


def dates_of_identifiers(field: Field) -> Rows:
    """Days [seconds since 1970 at midnight] from identifiers that begin with YYYYMMDD; NaN for those that do not."""
    return lambda start, stop: days_of_numbers(_leading(field(start, stop), 8))


def texts(variable: netCDF4.Variable, along: str) -> Rows:
    """Times from ISO 8601 texts such as 2018-06-01T12:34:56.7Z, one for each place along a dimension.

    Raises
    ------
    InputError
        If the variable holds no texts, or is of other dimensions.
    """
    kind = np.dtype(object if variable.dtype is str else variable.dtype).kind
    if variable.dimensions[:1] != (along,) or variable.ndim != {"O": 1, "S": 2}.get(kind, 0):
        raise InputError("no texts of times", nc.place_of(variable), f"{variable.dtype}, dimensions ({', '.join(variable.dimensions)})",
                         f"one text for each place along {along}")

    def rows(start: int, stop: int) -> np.ndarray:
        raw = variable[start:stop]
        if raw.ndim == 2:
            raw = np.array([b"".join(row).decode("ascii", "replace") for row in raw], dtype=object)
        return np.array([_of_text(str(text)) for text in raw], dtype=np.float64)

    return rows


def _of_text(text: str) -> float:
    try:
        return float(np.datetime64(text.strip().removesuffix("Z").replace(" ", "T"), "ms").astype(np.int64)) / 1000.0
    except ValueError:
        return np.nan


def days_of_numbers(date: np.ndarray) -> np.ndarray:
    """Seconds since 1970 of dates YYYYMMDD (n,) at midnight; NaN for what is no date."""
    date = np.where(np.isfinite(date), date, 0.0)
    return _seconds(date // 10000, date // 100 % 100, date % 100)


def _leading(value: np.ndarray, digits: int) -> np.ndarray:
    """The first `digits` digits of whole numbers of at least as many, as a number; NaN for shorter ones."""
    with np.errstate(invalid="ignore", divide="ignore"):
        surplus = np.floor(np.log10(value)) + 1.0 - digits
        return np.where(surplus >= 0.0, np.floor(value / 10.0 ** np.maximum(surplus, 0.0)), np.nan)


def _clock(hour: np.ndarray, minute: np.ndarray, second: np.ndarray) -> np.ndarray:
    good = (hour >= 0) & (hour <= 24) & (minute >= 0) & (minute < 60) & (second >= 0) & (second < 61)
    return np.where(good, 3600.0 * hour + 60.0 * minute + second, np.nan)


def _seconds(year, month=1.0, day=1.0, hour=0.0, minute=0.0, second=0.0) -> np.ndarray:
    """Seconds since 1970 of dates in numbers; NaN for 31 June, month 13 and the like."""
    year, month, day = (np.asarray(part, dtype=np.float64) + np.zeros_like(year) for part in (year, month, day))
    with np.errstate(invalid="ignore"):
        good = (year >= YEARS[0]) & (year < YEARS[1]) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
        good &= (year == np.floor(year)) & (month == np.floor(month)) & (day == np.floor(day))
    months = np.where(good, (year - 1970) * 12 + month - 1, 0).astype(np.int64).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + np.where(good, day - 1, 0).astype(np.int64)
    good &= days.astype("datetime64[M]") == months
    return np.where(good, 86400.0 * days.astype(np.int64), np.nan) + _clock(*(np.asarray(part, dtype=np.float64)
                                                                             for part in (hour, minute, second)))
