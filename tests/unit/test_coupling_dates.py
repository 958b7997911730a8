"""Dates as files write them."""

from __future__ import annotations

import cftime
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mozart_coupling import dates
from mozart_coupling.errors import CouplingError, NamelistError

INSTANTS = st.integers(-3 * 10**9, 8 * 10**9)


@given(INSTANTS)
def test_pairs_and_stamps_round_trip(seconds: int) -> None:
    assert dates.from_date_pair(*dates.date_pair(seconds)) == seconds
    assert dates.from_stamp(dates.stamp(seconds)) == seconds
    assert dates.to_seconds(dates.to_datetime64(seconds)) == seconds


@given(INSTANTS)
def test_days_since_year_zero_are_cftimes(seconds: int) -> None:
    moment = cftime.num2date(dates.DAYS_BEFORE_1970 + seconds // dates.DAY, "days since 0000-01-01", "proleptic_gregorian",
                             has_year_zero=True)
    assert dates.date_pair(seconds)[0] == moment.year * 10000 + moment.month * 100 + moment.day


def test_midnight_begins_a_day() -> None:
    midnight = dates.to_seconds(np.datetime64("2012-03-01"))
    assert dates.date_pair(midnight) == (20120301, 0)
    assert dates.stamp(midnight) == "2012-03-01-00000"
    assert dates.date_pair(midnight - 1) == (20120229, 86399)


@pytest.mark.parametrize("value", [20110229, 20121301, 0, 20120100])
def test_days_that_do_not_exist(value: int) -> None:
    with pytest.raises(CouplingError, match="no such date"):
        dates.from_date_pair(value)


@pytest.mark.parametrize(("text", "seconds"),
                         [("15m", 900), ("7d", 604800), (" 3H ", 10800), ("1800s", 1800), (1800, 1800), ("1800", 1800)])
def test_durations(text: str, seconds: int) -> None:
    assert dates.parse_duration(text, "here") == seconds
    assert dates.parse_duration(dates.format_duration(seconds), "here") == seconds


@pytest.mark.parametrize("text", ["", "m", "1.5h", "-3h", "0d", "7 weeks", "3h30m"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(NamelistError, match="here"):
        dates.parse_duration(text, "here")


def test_format_is_the_shortest() -> None:
    assert [dates.format_duration(n) for n in (604800, 86400, 10800, 5400, 61)] == ["7d", "1d", "3h", "90m", "61s"]
