"""Numbers in CF units of time: units, calendars and zones, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from gcas_driver.errors import InputError
from gcas_driver.time_units import seconds_since_1970


@pytest.mark.parametrize(("units", "value", "expected"), [
    ("seconds since 1970-01-01 00:00:00", 86400.0, "1970-01-02T00:00:00"), ("days since 2010-06-01", 0.5, "2010-06-01T12:00:00"),
    ("hours since 2000-1-1T06:30:00Z", 1.0, "2000-01-01T07:30:00"), ("min since 1999-12-31 23:00 UTC", 90.0, "2000-01-01T00:30:00"),
    (" Hours SINCE 1900-01-01 00:00:00.0", 876576.0, "2000-01-01T00:00:00"),
    ("days since 2000-01-01 00:00:00 +05:30", 1.0, "2000-01-01T18:30:00"),
    ("seconds since 1993-01-01 00:00:00 0:00", -1.0, "1992-12-31T23:59:59"), ("days since 0000-01-01", 719528.0, "1970-01-01T00:00:00")])
def test_units(units, value, expected):
    found = seconds_since_1970(np.array([[value], [np.nan]]), units, "time", "proleptic_gregorian")
    assert found.shape == (2, 1) and found[0, 0] == np.datetime64(expected, "s").astype(float) and np.isnan(found[1, 0])


@pytest.mark.parametrize(("calendar", "value", "expected"), [
    ("", 60.0, "2012-03-01"), ("none", 60.0, "2012-03-01"), ("Gregorian", 60.0, "2012-03-01"), ("julian", 60.0, "2012-03-01"),
    ("noleap", 60.0, "2012-03-02"), ("365", 59.0, "2012-03-01"), ("360_day", 30.0, "2012-02-01"), ("360", 59.0, "2012-02-29")])
def test_calendars(calendar, value, expected):
    found = seconds_since_1970(np.array([value]), "days since 2012-01-01", "time", calendar)
    assert found[0] == np.datetime64(expected, "s").astype(float)


def test_years_beyond_the_given_ones_are_missing():
    days = np.array([-1.0, 0.0, 365.0, 1e30, np.inf])
    found = seconds_since_1970(days, "days since 2001-01-01", "time", years=(2001, 2002))
    np.testing.assert_array_equal(found, [np.nan, 978307200.0, np.nan, np.nan, np.nan])
    assert np.isnan(seconds_since_1970(days, "days since 2001-01-01", "time")).tolist() == [False, False, False, True, True]


@pytest.mark.parametrize("units", [
    "", "days", "fortnights since 2000-01-01", "months since 2000-01-01", "days since 2000-13-01", "days since 2001-02-29",
    "days since 2000", "days since 2000-01-01 25:00",
    "days since 2000-01-011", "days since 2000-01-01 junk", "days since 2000-01-01 00:00 PST"])
def test_unknown_units_are_refused(units):
    with pytest.raises(InputError, match="unknown time units"):
        seconds_since_1970(np.array([1.0]), units, "file.nc, time")


def test_other_calendars_are_refused():
    with pytest.raises(InputError, match="unknown calendar"):
        seconds_since_1970(np.array([1.0]), "days since 2000-01-01", "file.nc, time", "mayan")
    with pytest.raises(InputError, match="30-day months"):
        seconds_since_1970(np.array([1.0, 2.0]), "days since 2000-01-01", "file.nc, time", "360_day")
