"""The look at met files: what it measures of a known circulation, and each of its warnings."""

from __future__ import annotations

import numpy as np
import pytest

from gcas_driver.report.met_picture import draw_climate
from mozart_coupling.embedded.circulation import Circulation
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.errors import MetError
from mozart_coupling.grids import Grid
from mozart_coupling.met_sanity import days_of, measure, report, spread, warnings_of

GRID, LEVELS = Grid.regular(36, 18), hybrid_levels(12)
TIMES = np.datetime64("2010-01-01", "s") + np.arange(4) * np.timedelta64(6, "h")


def _measured(change=None):
    circulation = Circulation(GRID, *LEVELS, 1)

    def fields_at(time):
        fields = dict(circulation.record(time))
        if change is not None and time == TIMES[2]:
            change(fields)
        return fields

    return measure(GRID, LEVELS, fields_at, TIMES)


def test_the_analytic_circulation_is_the_earths(tmp_path):
    climate = _measured()
    assert warnings_of(climate) == []
    assert 1.2e11 < np.abs(climate.stream).max() < 1.7e11  # its Hadley cell in January
    assert climate.u.max() == pytest.approx(35.0, abs=4.0)
    assert max(climate.mismatch.values()) < 5.0
    text = "\n".join(report(climate))
    assert "jet north" in text and "overturning" in text and "the fixer removes" in text
    draw_climate(climate, tmp_path / "picture.png", "test")
    assert (tmp_path / "picture.png").stat().st_size > 50_000


def _set(name, value, level=None):
    def change(fields):
        fields[name] = fields[name].copy()
        fields[name][(level if level is not None else ..., 5, 7)] = value
    return change



@pytest.mark.parametrize(("change", "says"), [
    (_set("U", 150.0, 6), "zonal wind below 70 hPa (m/s): 150 at 2010-01-01T12"), (_set("PS", 4.0e4), "surface pressure (Pa): 40000 at"),
    (_set("T", 150.0, 0), "temperature (K): 150 at"), (_set("Q", -1.0e-4, 3), "specific humidity (kg/kg): -0.0001"),
    (_set("PBLH", 9.0e3), "boundary layer (m): 9000"),
    (lambda fields: fields.update(PS=1.05 * fields["PS"]), "global mean surface pressure"),
])
def test_warnings(change, says):
    found = warnings_of(_measured(change))
    assert any(says in warning for warning in found), found


def test_winds_that_do_not_overturn_and_do_not_fit():
    circulation = Circulation(GRID, *LEVELS, 1)

    def fields_at(time):
        fields = dict(circulation.record(time))
        fields["V"] = 0.1 * fields["V"]
        fields["PS"] = fields["PS"] * (1.0 + 0.01 * np.sin(2 * np.pi * (time - TIMES[0]).astype("timedelta64[s]").astype(int) / 7200.0))
        return fields

    found = " ".join(warnings_of(measure(GRID, LEVELS, fields_at, TIMES)))
    assert "tropical overturning" in found and "the fixer changes the winds much" in found


def test_files_are_found_by_their_dates(tmp_path):
    for name in ("m_20100601.nc", "m_20100603.nc", "m_notes.nc"):
        (tmp_path / name).touch()
    prefix, days = days_of(tmp_path, "")
    assert prefix == "m_" and [str(day) for day in days] == ["2010-06-01", "2010-06-03"]
    (tmp_path / "other_20100601.nc").touch()
    with pytest.raises(MetError, match="several prefixes"):
        days_of(tmp_path, "")
    assert days_of(tmp_path, "other_")[1].size == 1
    with pytest.raises(MetError, match="no meteorology files"):
        days_of(tmp_path, "none_")


def test_records_are_spread_over_all_hours():
    times = np.arange(1000)
    assert spread(times, 1000).size == 1000 and spread(times, 124).size <= 124
    assert set(spread(times, 124) % 8) == set(range(8))
