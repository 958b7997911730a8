"""Bad input as a user meets it: `gcas-transport NAMELIST`, its exit code, its message, and what it leaves behind.

Every row of the tables spoils one thing of a small site: meteorology, initial condition, emission files (all else:
`test_transport_bad_requests.py`). The message must say what, where, found or expected; a run that was refused before its first step leaves
nothing, one that failed on the way leaves complete files of earlier days only.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from netCDF4 import Dataset
from spoiling import Spoil, cut, edit, flipped, output, put, records, removed, renamed, replaced, require_message, run, scaled, units
from transport_site import START, TAG, Site

from mozart_coupling.contract import emission_name
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.grids import Grid
from mozart_coupling.initial import write_initial

MET, MET_DAYS = "dyn/MET_20120227.nc", [f"dyn/MET_201202{day}.nc" for day in (25, 26, 27, 28)]
INITIAL = "ic/ic.nc"
EMISSION = f"emis/{emission_name('EN002', TAG)}"
CO2_FIELDS = ("CO2", "EN001", "EN002", "EN003")


def crossing_interfaces(data: Dataset) -> None:
    data["hyai"][3], data["hybi"][3] = data["hyai"][3] - 0.3, data["hybi"][4] + 0.05


def levels_of_thin_air(site: Site) -> None:
    """Levels that are valid over the sea and over mountains, but have a layer without air where pressure is 310 hPa."""
    hyai, hybi = (np.array(c) for c in site.levels)
    hyai[3] += (hyai[4] - hyai[3]) + (hybi[4] - hybi[3]) * 0.44

    def change(data: Dataset) -> None:
        data["hyai"][:], data["PS"][1, 5, 5] = hyai, 3.1e4
    edit(MET_DAYS, change)(site)
    write_initial(site.data / INITIAL, site.grid, (hyai, hybi), 1e5, 390e-6, site.tracers, START)


def other_initial(grid: Grid | None = None, n_levels: int = 6) -> Spoil:
    return lambda site: write_initial(site.data / INITIAL, grid or site.grid, hybrid_levels(n_levels), 1e5, 390e-6, site.tracers, START)


BEFORE: dict[str, tuple[Spoil, str]] = {
    # Meteorology: gaps, dates, levels, files
    "day missing": (removed(MET), "missing & MET_20120227.nc & 2012-02-26 00:00:00 to 2012-02-28"),
    "last day missing": (removed("dyn/MET_20120228.nc"), "missing & MET_20120228.nc"),
    "met ends in mid-run": (records(MET, 2), "do not fill the day & MET_20120227.nc & 06:00"),
    "met without records": (records(MET, 0), "without records & MET_20120227.nc"),
    "met truncated": (cut(MET, 0.7), "truncated & MET_20120227.nc & bytes missing"),
    "met cut in its header": (cut(MET, 0.01), "truncated & MET_20120227.nc"),
    "met empty": (replaced(MET, ""), "not a readable NetCDF & MET_20120227.nc"),
    "met is text": (replaced(MET, "<html>404</html>"), "not a readable NetCDF & MET_20120227.nc"),
    "no met directory": (lambda site: shutil.rmtree(site.data / "dyn"), "directory does not exist & dyn"),
    "met of another date": (put(MET, "date", slice(None), 20120301), "dates are not those & MET_20120227.nc & 2012-03-01"),
    "met of another year": (edit(MET, lambda d: d["date"].__setitem__(slice(None), d["date"][:] - 10000)), "dates are not & 2011-02-27"),
    "no such date": (put(MET, "date", slice(None), 20121350), "not in the calendar & MET_20120227.nc & 20121350"),
    "times descend": (flipped(MET, ("datesec",), 0), "not 3- or 6-hourly & MET_20120227.nc"),
    "the same time twice": (put(MET, "datesec", slice(0, 2), 0), "not 3- or 6-hourly & MET_20120227.nc"),
    **{f"no {name} in met": (renamed(MET, name), f"missing & MET_20120227.nc & {name}")
       for name in ("U", "V", "PS", "T", "Q", "PHIS", "hyai", "hybi", "lon", "date", "datesec")},
    "levels upside down": (flipped(MET_DAYS, ("hyai", "hybi"), 0), "upside down & MET_20120226.nc & level 1 on top"),
    "coefficients not monotone": (put(MET_DAYS, "hyai", 3, 0.7), "not monotone & MET_20120226.nc & layer 4"),
    "coefficients cross": (edit(MET_DAYS, crossing_interfaces), "hybi is not monotone & MET_20120226.nc & interface 5 & cross"),
    "coefficients not finite": (put(MET_DAYS, "hyai", 3, np.nan), "not finite & MET_20120226.nc"),
    "other levels one day": (put(MET, "hyai", 3, 0.2), "levels differ|not monotone & MET_20120227.nc"),
    "other grid one day": (put(MET, "lon", slice(None), np.arange(16) * 22.5 + 3.0), "grid differs & MET_20120227.nc"),
    "latitudes descend": (flipped(MET_DAYS, ("lat",), 0), "latitudes descend & MET_20120226.nc & south to north"),
    "longitude not finite": (put(MET_DAYS, "lon", 2, np.nan), "MET_20120226.nc & lon"),
    "pressure in hPa from the start": (scaled(MET_DAYS, ("PS",), 0.01), "not physical & MET_20120226.nc, PS, record 1 & must be in Pa"),
    # The initial condition
    "initial not finite": (put(INITIAL, "EN002", (2, 3, 4), np.nan), "not finite & ic.nc, EN002"),
    "initial absurd": (put(INITIAL, "EN002", (2, 3, 4), 1e30), "physical range & ic.nc"),
    "initial in ppm": (scaled(INITIAL, CO2_FIELDS, 1e6), "physical range & ic.nc & ppm"),
    "initial upside down": (flipped(INITIAL, ("hyam", "hybm"), 0), "upside down & ic.nc"),
    "initial on another grid": (other_initial(Grid.regular(24, 12)), "grid is another & ic.nc & 24x12 & 16x8"),
    "initial with other levels": (other_initial(n_levels=9), "number of levels & ic.nc & 9"),
    "initial shifted": (scaled(INITIAL, ("lat",), 1.0, 3.0), "ic.nc, grid, lat"),
    "initial without levels": (renamed(INITIAL, "hyam"), "missing & ic.nc, hyam"),
    "initial without tracers": (lambda site: [renamed(INITIAL, name)(site) for name in CO2_FIELDS], "no tracer field & ic.nc & EN###"),
    "initial of no date": (put(INITIAL, "date", (), 20121399), "no such date & ic.nc & 20121399"),
    "initial missing": (removed(INITIAL), "not there & ic_flsp & ic.nc"),
    "initial truncated": (cut(INITIAL, 0.9), "truncated & ic.nc"),
    "initial empty": (replaced(INITIAL, ""), "cannot be opened & ic.nc"),
    # Emission files
    "emission units": (units(EMISSION, "CO2", "kg/m2/s"), "other units & EN002 & kg/m2/s & molecules/cm2/s"),
    "emission of no date": (put(EMISSION, "date", 3, 20129999), "no such date & EN002 & 20129999"),
    "emission dates descend": (flipped(EMISSION, ("date", "datesec"), 0), "ascending dates & EN002"),
    "emission of another day": (scaled(EMISSION, ("date",), 1, 1), "other dates & EN002 & 2012-02-27"),
    "emission latitudes descend": (flipped(EMISSION, ("lat",), 0), "latitudes descend & EN002"),
    "emission on the other meridian": (scaled(EMISSION, ("lon",), 1.0, 180.0), r"grid is another & EN002.*, lon\[0\]"),
    "emission without lat": (renamed(EMISSION, "lat"), "missing & EN002 & lat"),
    "emission with half its records": (records(EMISSION, 8), "other dates & EN002 & 8 records & 17"),
    "emission without records": (records(EMISSION, 0), "ascending dates & EN002 & 0 records"),
    "emission empty": (replaced(EMISSION, ""), "cannot be opened & EN002"),
    "no emission directory": (lambda site: shutil.rmtree(site.data / "emis"), "no emission file & EN001"),
}


@pytest.mark.parametrize("name", BEFORE)
def test_refused_before_the_first_step(own_site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    spoil, words = BEFORE[name]
    spoil(own_site)
    code, said = run(own_site, tmp_path / "run", capsys)
    assert code == 2, said
    require_message(said, words)
    assert output(tmp_path / "run") == []


AT = (2, 3, 4)
ON_THE_WAY: dict[str, tuple[Spoil, int, str]] = {
    "winds not finite": (put(MET, "U", (2, 3, 4, 5), np.nan), 2, "NaN & step from 2012-02-27 06:00:00 & U, record 3, 2012-02-27 12:00:00"),
    "winds of fill values": (put(MET, "V", (2, 3, 4, 5), 1e36), 2, "NaN or fill & step from 2012-02-27 06:00:00 & V, record 3"),
    "winds in cm/s": (scaled(MET, ("U",), 100.0), 2, "not physical & step from 2012-02-26 & U, record 1, 2012-02-27 00:00:00 & m/s"),
    "pressure in hPa": (scaled(MET, ("PS",), 0.01), 2, "not physical & step from & PS, record 1, 2012-02-27 & must be in Pa"),
    "pressure of no place": (put(MET, "PS", AT, 1.3e5), 2, "not physical & PS, record 3, 2012-02-27 12:00:00 & 130000"),
    "pressure below zero": (put(MET, "PS", AT, -5.0e4), 2, "not physical & PS, record 3"),
    "pressure not finite": (put(MET, "PS", AT, np.nan), 2, "NaN & PS, record 3, 2012-02-27 12:00:00"),
    "temperature in Celsius": (scaled(MET, ("T",), 1.0, -273.15), 2, "not physical & T, record 1"),
    "temperature zero": (put(MET, "T", 2, 0.0), 2, "not physical & T, record 3"),
    "humidity in g/kg": (scaled(MET, ("Q",), 1000.0), 2, "not physical & Q, record 1"),
    "boundary layer not finite": (put(MET, "PBLH", AT, np.nan), 2, "NaN & PBLH, record 3"),
    "convection absurd": (put(MET, "CMFMC", (2, 3, 4, 5), 50.0), 2, "not physical & CMFMC, record 3"),
    "fields upside down": (flipped(MET, ("T", "U", "V", "Q"), 1), 2, "upside down & Q, record 1, 2012-02-27 00:00:00"),
    "a layer without air": (levels_of_thin_air, 2, "not monotone & PS, record 2 & layer 4 & 31000"),
    "emission of fill values": (put(EMISSION, "CO2", (13, 2, 1), 1e35), 2, "not finite & EN002 & record 14, 2012-02-27 15:00:00"),
    "emission infinite": (put(EMISSION, "CO2", (13, 2, 1), np.inf), 2, "not finite & EN002 & record 14"),
    "emission absurd": (put(EMISSION, "CO2", (13, 2, 1), 1e25), 1, "physical range & averages up to 2012-02-27 15:00:00 & ppm"),
}


@pytest.mark.parametrize("name", ON_THE_WAY)
def test_failures_on_the_way_say_when(own_site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    spoil, expected, words = ON_THE_WAY[name]
    spoil(own_site)
    code, said = run(own_site, tmp_path / "run", capsys)
    assert code == expected, said
    require_message(said, words)
    left = output(tmp_path / "run")
    first_day = ["hist/test.mz4.h0.2012-02-26-10800.nc", "rest/rstrt-2012-02-27-00000", "rest/test.mz4.r.2012-02-27-00000.nc", "test-rpntr"]
    assert left in ([], first_day)


def test_an_explosion_of_courant_numbers_says_when(own_site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(MET, "U", 2, 290.0)(own_site)
    code, said = run(own_site, tmp_path / "run", capsys, "  history = .false.", timestep="'1d'")
    assert code == 1
    require_message(said, "too strong for the time step & step from 2012-02-27 00:00:00 to 2012-02-28 & level|row & Shorten the time step")
    assert "rest/rstrt-2012-02-28-00000" not in output(tmp_path / "run")
