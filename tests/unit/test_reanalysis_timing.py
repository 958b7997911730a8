"""Accumulations to means: exact differences within a forecast, overlaps, what is not covered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from generators.met_files import times

from mozart_coupling.errors import MetError
from mozart_coupling.reanalysis.names import PRODUCTS, Option, unit_factor
from mozart_coupling.reanalysis.parts import Part
from mozart_coupling.reanalysis.timing import Series, mean_about

LAT, LON = np.linspace(-90.0, 90.0, 5), np.arange(4) * 90.0
ACCUMULATED = Option(("sshf",), "accumulated")


def _series(stamps, values, product="era5", option=ACCUMULATED, **coordinates):
    data = xr.Dataset({"sshf": (("time", "latitude", "longitude"), np.asarray(values, dtype=float)[:, None, None] * np.ones((1, 5, 4)))},
                      {"time": stamps.astype("datetime64[ns]"), "latitude": LAT, "longitude": LON, **coordinates})
    series = Series([Part(Path("made.nc"), data, "sshf")], option)
    return series, series.intervals(PRODUCTS[product])


def _value(terms):
    return sum(term.weight * term.part.read(term.stamp)[0, 0] for term in terms)


def test_hourly_amounts():
    _, intervals = _series(times("2010-06-01T01", "2010-06-01T12", 1), 3600.0 * np.arange(1, 13))
    assert _value(mean_about(intervals, np.datetime64("2010-06-01T06", "s"), np.timedelta64(3 * 3600, "s"))) == pytest.approx(
        (0.5 * 5 + 6 + 7 + 0.5 * 8) / 3.0, rel=1e-14)
    assert _value(mean_about(intervals, np.datetime64("2010-06-01T00", "s"), np.timedelta64(3 * 3600, "s"))) == pytest.approx(
        (1.0 + 0.5 * 2.0) / 1.5, rel=1e-14)  # half is there
    assert mean_about(intervals, np.datetime64("2010-06-01T13", "s"), np.timedelta64(3 * 3600, "s")) is None  # less than half


def test_the_integral_over_a_run_is_the_sources():
    random = np.random.default_rng(1)
    amounts = random.random(48)
    _, intervals = _series(times("2010-06-01T01", "2010-06-03T00", 1), amounts)
    for hours in (3, 6):
        middles = times("2010-06-01T00", "2010-06-02T21", hours) + np.timedelta64(hours * 1800, "s")
        total = sum(_value(mean_about(intervals, middle, np.timedelta64(hours * 3600, "s"))) * hours * 3600.0 for middle in middles)
        assert total == pytest.approx(amounts.sum(), rel=1e-13)


@pytest.mark.parametrize("steps", [(3, 6, 9, 12), (6, 12), (12,)])
def test_amounts_since_the_start_of_the_forecast(steps):
    """Rates of 1, 2, 3 … W m-2 in successive intervals come back whatever steps were fetched."""
    starts = times("2010-06-01T00", "2010-06-01T12", 12)
    stamps, values, rate, rates = [], [], 0.0, []
    for start in starts:
        amount, last = 0.0, 0
        for step in steps:
            rate += 1.0
            rates.append(rate)
            amount += rate * 3600.0 * (step - last)
            last = step
            stamps.append(start + np.timedelta64(3600 * step, "s"))
            values.append(amount)
    _, intervals = _series(np.array(stamps), values, "era-interim")
    assert [_value(interval.terms) for interval in intervals] == pytest.approx(rates, rel=1e-14)
    assert intervals[0].start == starts[0] and all(one.end == two.start for one, two in zip(intervals, intervals[1:], strict=False))


def test_steps_beyond_half_a_day_are_left_out():
    start = np.datetime64("2010-06-01T00", "s")
    steps = np.array([6, 12, 18, 24])
    data = xr.Dataset({"sshf": (("step", "latitude", "longitude"), steps[:, None, None] * np.ones((1, 5, 4)))},
                      {"time": start.astype("datetime64[ns]"), "step": (steps * 3600).astype("timedelta64[s]").astype("timedelta64[ns]"),
                       "latitude": LAT, "longitude": LON})
    data = data.assign_coords(valid_time=("step", (start + steps * np.timedelta64(3600, "s")).astype("datetime64[ns]")))
    series = Series([Part(Path("made.grib"), data, "sshf")], ACCUMULATED)
    ends = [interval.end for interval in series.intervals(PRODUCTS["era-interim"])]
    assert ends == [start + np.timedelta64(hours * 3600, "s") for hours in (6, 12)]


def test_means_dated_in_the_middle():
    series, intervals = _series(times("2010-06-01T00", "2010-06-01T05", 1, 0.5), np.arange(6.0), "geos", Option(("sshf",)))
    assert series.is_centred and intervals[0].start == np.datetime64("2010-06-01T00", "s")
    assert _value(mean_about(intervals, np.datetime64("2010-06-01T03", "s"), np.timedelta64(6 * 3600, "s"))) == pytest.approx(2.5)
    series, _ = _series(times("2010-06-01T00", "2010-06-01T09", 3), np.arange(4.0), "geos", Option(("sshf",)))
    assert not series.is_centred


def test_units():
    assert unit_factor("Pa", "hPa", "here") == 100.0 and unit_factor("K", "", "here") == 1.0 and unit_factor("", "furlongs", "here") == 1.0
    with pytest.raises(MetError, match="other units"):
        unit_factor("m s-1", "knots", "here")
