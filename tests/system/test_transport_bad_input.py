"""Bad input as a user meets it: `gcas-transport NAMELIST`, its exit code, its message, and what it leaves behind.

Every row of the tables spoils one thing of a small site. The message must say what, where, found or expected; a run that was
refused before its first step leaves nothing, one that failed on the way leaves complete files of earlier days only.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from netCDF4 import Dataset
from transport_site import DAY, START, TAG, Site, make_site

from mozart_coupling.contract import emission_name
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.embedded.lock import only_run
from mozart_coupling.embedded.main import main
from mozart_coupling.grids import Grid
from mozart_coupling.initial import write_initial
from mozart_coupling.namelist import write_simulation_data
from mozart_coupling.samples import SampleRequest, write_request

Spoil = Callable[[Site], object]
MET, MET_DAYS = "dyn/MET_20120227.nc", [f"dyn/MET_201202{day}.nc" for day in (25, 26, 27, 28)]
INITIAL, COMPONENTS, FACTORS, REQUEST = "ic/ic.nc", "components.nc", "factors.nc", "request.nc"
EMISSION = f"emis/{emission_name('EN002', TAG)}"
CO2_FIELDS = ("CO2", "EN001", "EN002", "EN003")
BY_COMPONENTS = "  history = .false., components_file = '{data}/components.nc', factors_file = '{data}/factors.nc'"
BY_SAMPLES = "  history = .false., sample_list = '{data}/request.nc', sample_file = 'samples.nc'"


@pytest.fixture(scope="module")
def good_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_site(tmp_path_factory.mktemp("good") / "data", days=2, grid=Grid.regular(16, 8))


@pytest.fixture
def own_site(good_site: Site, tmp_path: Path) -> Site:
    """A copy that a test may spoil."""
    shutil.copytree(good_site.data, tmp_path / "data")
    return dataclasses.replace(good_site, data=tmp_path / "data")


# --- Ways to spoil a file ---------------------------------------------------------------------------------------------


def edit(names: str | list[str], change: Callable[[Dataset], object]) -> Spoil:
    def spoil(site: Site) -> None:
        for name in [names] if isinstance(names, str) else names:
            with Dataset(site.data / name, "r+") as data:
                data.set_auto_mask(False)
                change(data)
    return spoil


def put(names: str | list[str], variable: str, where: object, value: object) -> Spoil:
    return edit(names, lambda data: data[variable].__setitem__(where, value))


def scaled(names: str | list[str], variables: tuple[str, ...], factor: float, offset: float = 0.0) -> Spoil:
    return edit(names, lambda data: [data[v].__setitem__(slice(None), data[v][:] * factor + offset) for v in variables])


def flipped(names: str | list[str], variables: tuple[str, ...], axis: int) -> Spoil:
    return edit(names, lambda data: [data[v].__setitem__(slice(None), np.flip(data[v][:], axis)) for v in variables])


def renamed(names: str | list[str], variable: str) -> Spoil:
    return edit(names, lambda data: data.renameVariable(variable, f"not_{variable}"))


def attribute(name: str, key: str, value: str | None) -> Spoil:
    return edit(name, lambda data: data.delncattr(key) if value is None else data.setncattr(key, value))


def units(name: str, variable: str, value: str) -> Spoil:
    return edit(name, lambda data: data[variable].setncattr("units", value))


def cut(name: str, keep: float) -> Spoil:
    """Leave a share of the file."""
    return lambda site: os.truncate(site.data / name, int((site.data / name).stat().st_size * keep))


def replaced(name: str, text: str) -> Spoil:
    return lambda site: (site.data / name).write_text(text)


def removed(name: str) -> Spoil:
    return lambda site: (site.data / name).unlink()


def records(name: str, n: int) -> Spoil:
    """Keep only the first records."""
    def spoil(site: Site) -> None:
        path = site.data / name
        with Dataset(path) as old, Dataset(path.with_suffix(".new"), "w", format="NETCDF3_CLASSIC") as new:
            old.set_auto_mask(False)
            for key, dimension in old.dimensions.items():
                new.createDimension(key, None if dimension.isunlimited() else dimension.size)
            for key, variable in old.variables.items():
                copy = new.createVariable(key, variable.dtype, variable.dimensions)
                copy.setncatts({a: variable.getncattr(a) for a in variable.ncattrs()})
                copy[...] = variable[:n] if variable.dimensions[:1] == ("time",) else variable[...]
        os.replace(path.with_suffix(".new"), path)
    return spoil


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


def request(**columns: float) -> Spoil:
    def spoil(site: Site) -> None:
        write_request(site.data / REQUEST, site.request(n=5, days=1))
        edit(REQUEST, lambda data: [data[name].__setitem__(0, value) for name, value in columns.items()])(site)
    return spoil


def both(*spoils: Spoil) -> Spoil:
    return lambda site: [spoil(site) for spoil in spoils]


# --- Running, and what must hold after any failure --------------------------------------------------------------------


def run(site: Site, directory: Path, capsys: pytest.CaptureFixture[str], own: str | None = None, replace: tuple[str, str] = ("", ""),
        **changes: str) -> tuple[int, str]:
    """(exit code, what was said on standard error) of the command in a directory of its own."""
    directory.mkdir(exist_ok=True)
    write_simulation_data(directory / "mz4.dat", site.tracers)
    values = {"sim_duration": "'2d'", "timestep": "'3h'", **changes}
    text = site.namelist(own=own and own.format(data=site.data), **values).replace(*replace)
    (directory / "long.nml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        patch.setenv("OMP_NUM_THREADS", "1")
        code = main(["long.nml"])
    return code, capsys.readouterr().err


def output(directory: Path) -> list[str]:
    """History, restart, sample and half-written files."""
    kinds = ("hist/*", "rest/*", "*-rpntr", "samples.nc", "**/.*.part")
    return sorted(str(path.relative_to(directory)) for kind in kinds for path in directory.glob(kind))


def require_message(text: str, words: str) -> None:
    assert text.startswith("gcas-transport: ") and "Traceback" not in text and "Warning" not in text, text
    assert "  where: " in text and ("  found: " in text or "  expected: " in text), text
    for word in words.split(" & "):
        assert re.search(word, text), f"{word!r} is not in:\n{text}"


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


COMPONENT_FAULTS: dict[str, tuple[Spoil, str]] = {
    "flux not finite": (put(COMPONENTS, "flux", (0, 3, 2, 1), np.nan), "not finite & components.nc, record 4, lat"),
    "flux units": (units(COMPONENTS, "flux", "kg/m2/s"), "other units & components.nc, flux"),
    "flux missing": (renamed(COMPONENTS, "flux"), "missing & components.nc, flux"),
    "other names": (attribute(COMPONENTS, "components", "a,b"), "do not belong together & factors.nc & bio, ocn & a, b"),
    "too many names": (attribute(COMPONENTS, "components", "bio,ocn,fire"), "differ in number & components.nc"),
    "no names": (attribute(COMPONENTS, "components", None), "attribute is missing & components.nc, components"),
    "components a day late": (scaled(COMPONENTS, ("date",), 1, 1), "do not cover & components.nc & 2012-02-27 & 2012-02-26"),
    "components shifted": (scaled(COMPONENTS, ("lat",), 1.0, 3.0), "components.nc, grid, lat"),
    "components truncated": (cut(COMPONENTS, 0.9), "truncated & components.nc"),
    "factor not finite": (put(FACTORS, "factor", (0, 0, 2, 1), np.nan), "not finite & factors.nc"),
    "other components' factors": (attribute(FACTORS, "components", "x,y"), "do not belong together & factors.nc & x, y"),
    "a tracer without factors": (attribute(FACTORS, "tracers", "EN001,EN002,EN007"), "missing & factors.nc & EN003"),
    "fewer names than factors": (attribute(FACTORS, "tracers", "EN001,EN002"), "differ in number & factors.nc"),
    "factors without names": (attribute(FACTORS, "tracers", None), "attribute is missing & factors.nc, tracers"),
    "factors upside down": (flipped(FACTORS, ("lat",), 0), "latitudes descend & factors.nc"),
    "factors on another grid": (scaled(FACTORS, ("lon",), 1.0, 5.0), "grid is another & factors.nc, lon"),
    "factors missing": (removed(FACTORS), "does not exist & factors.nc"),
    "factors truncated": (cut(FACTORS, 0.9), "truncated & factors.nc"),
}


@pytest.mark.parametrize("name", COMPONENT_FAULTS)
def test_components_and_factors_that_do_not_fit(own_site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    spoil, words = COMPONENT_FAULTS[name]
    spoil(own_site)
    code, said = run(own_site, tmp_path / "run", capsys, BY_COMPONENTS)
    assert code == 2, said
    require_message(said, words)
    assert output(tmp_path / "run") == []


SECONDS = float(START.astype(int))
SAMPLE_FAULTS: dict[str, tuple[Spoil, str]] = {
    "beyond the pole": (request(lat=95.0), "beyond the poles & request.nc & row 0 & 95"),
    "no longitude": (request(lon=9.96921e36), "longitude is out of range & request.nc & row 0"),
    "after the run": (request(time_end=SECONDS + 3 * DAY), "outside the run & request.nc, row 0 & 2012-02-29 00:00:00"),
    "before the run": (request(time_start=SECONDS - 1), "outside the run & 2012-02-25 23:59:59"),
    "not finite": (request(lat=np.nan), "not finite & request.nc & lat & row 0"),
    "reversed": (request(time_start=SECONDS + DAY, time_end=SECONDS), "ends before & request.nc & row 0"),
    "in days": (both(request(), units(REQUEST, "time_end", "days since 1970-01-01")), "other units & request.nc, time_end & days"),
    "in radians": (both(request(), units(REQUEST, "lat", "radian")), "other units & request.nc, lat & radian"),
    "a column missing": (both(request(), renamed(REQUEST, "lon")), "missing & request.nc, lon"),
    "no rows": (lambda site: write_request(site.data / REQUEST, SampleRequest(*np.zeros((4, 0)))), "empty & request.nc"),
    "truncated": (both(request(), cut(REQUEST, 0.95)), "truncated & request.nc"),
    "missing": (lambda site: None, "does not exist & request.nc"),
}


@pytest.mark.parametrize("name", SAMPLE_FAULTS)
def test_sample_requests_that_cannot_be(own_site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    spoil, words = SAMPLE_FAULTS[name]
    spoil(own_site)
    code, said = run(own_site, tmp_path / "run", capsys, BY_SAMPLES)
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


@pytest.mark.parametrize("name, value", [(name, value) for name, values in {
    "timestep": ("'0m'", "'-30m'", "'7m'", "'6h'", "'2d'", "'abc'", "1.5", "'1e9m'"),
    "sim_duration": ("'0d'", "'-1d'", "'5h'", "'90m'"),
    "restart_frq": ("'5h'", "'often'")}.items() for value in values])
def test_times_that_cannot_be(good_site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, value: str) -> None:
    code, said = run(good_site, tmp_path / "run", capsys, **{name: value})
    assert code == 2, said
    require_message(said, "long.nml, &NLIST & timestep|sim_duration|one day|hstfrq|restart_frq")
    assert output(tmp_path / "run") == []


@pytest.mark.parametrize("old, new, words", [
    ("hstfrq(1) = '3h'", "hstfrq(1) = '5h'", "history interval & hstfrq & 18000"),
    ("hstfrq(1) = '3h'", "hstfrq(1) = '0h'", "not a duration & hstfrq"),
    ("hstfrq(1) = '3h'", "hstfrq(1) = '2h'", "history interval & hstfrq & timestep"),
    ("mfilt(1) = 8", "mfilt(1) = 0", "at least one sample & mfilt"),
    ("icdate = 20120226", "icdate = 20121345", "no date & icdate & 20121345"),
    ("icdate = 20120226", "icdate = 20150101", "missing & MET_20150101.nc"),
    ("icsec = 0", "icsec = 5000", "time step does not divide & icsec"),
    ("icsec = 0", "icsec = 90000", "icsec & 86399"),
    ("dyn_flnm_prefix = 'MET_'", "dyn_flnm_prefix = 'OTHER_'", "OTHER_"),
    ("'yyyymmdd'", "'yymmdd'", "date format & yyyy"),
    ("calendar = 'gregorian'", "calendar = '360_day'", "calendar & 360_day"),
    ("'mz4.dat'", "'none.dat'", "none.dat"),
    ("&NLIST", "&NLST", "no group &NLIST")])
def test_namelists_that_cannot_be(good_site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str,
                                  words: str) -> None:
    code, said = run(good_site, tmp_path / "run", capsys, replace=(old, new))
    assert code == 2, said
    require_message(said, words)
    assert output(tmp_path / "run") == []


# --- Restarts ---------------------------------------------------------------------------------------------------------

RESTART, MASTER, POINTER = "rest/test.mz4.r.2012-02-27-00000.nc", "rest/rstrt-2012-02-27-00000", "test-rpntr"
RESTART_FAULTS: dict[str, tuple[Spoil, str]] = {
    "a tracer missing": (renamed(RESTART, "EN003"), "tracer is not in & 2012-02-27-00000.nc, EN003"),
    "not finite": (put(RESTART, "EN002", (1, 2, 3), np.nan), "not finite & 2012-02-27-00000.nc, EN002"),
    "absurd": (put(RESTART, "EN002", (1, 2, 3), 7.0), "physical range & test.mz4.r.2012-02-27-00000.nc"),
    "another date": (put(RESTART, "date", (), 20120226), "date & test.mz4.r.2012-02-27-00000.nc & 2012-02-26"),
    "no such date": (put(RESTART, "date", (), 20129926), "no such date & test.mz4.r.2012-02-27-00000.nc & 20129926"),
    "another grid": (scaled(RESTART, ("lon",), 1.0, 5.0), "grid is another & test.mz4.r.2012-02-27-00000.nc, lon"),
    "other levels": (scaled(RESTART, ("hybm",), 0.9), "levels are other & test.mz4.r.2012-02-27-00000.nc"),
    "truncated": (cut(RESTART, 0.8), "truncated & test.mz4.r.2012-02-27-00000.nc"),
    "missing": (removed(RESTART), "does not exist & test.mz4.r.2012-02-27-00000.nc"),
    "master truncated": (cut(MASTER, 0.8), "truncated & rstrt-2012-02-27-00000"),
    "master missing": (removed(MASTER), "does not exist & rstrt-2012-02-27-00000"),
    "master without pressure": (renamed(MASTER, "PS"), "missing & rstrt-2012-02-27-00000, PS"),
    "master's pressure not finite": (put(MASTER, "PS", (1, 2), np.nan), "not finite & rstrt-2012-02-27-00000, PS"),
    "master of another date": (put(MASTER, "date", (), 20120226), "another date & rstrt-2012-02-27-00000 & 2012-02-26"),
    "master of no model of ours": (replaced(MASTER, "binary"), "cannot be opened & rstrt-2012-02-27-00000"),
    "pointer empty": (replaced(POINTER, ""), "names no master restart & test-rpntr"),
    "pointer of no date": (replaced(POINTER, "rest/rstrt-2012-13-27-00000\n"), "no date & test-rpntr"),
    "no pointer": (removed(POINTER), "cannot be read & test-rpntr"),
}


@pytest.fixture(scope="module")
def stopped_run(good_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory after its first day."""
    directory = tmp_path_factory.mktemp("stopped")
    good_site.run(directory, good_site.namelist(sim_duration="'1d'", timestep="'3h'"))
    return directory


@pytest.mark.parametrize("name", RESTART_FAULTS)
def test_restarts_that_cannot_be(good_site: Site, stopped_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                 name: str) -> None:
    shutil.copytree(stopped_run, tmp_path / "run")
    spoil, words = RESTART_FAULTS[name]
    spoil(dataclasses.replace(good_site, data=tmp_path / "run"))
    before = output(tmp_path / "run")
    code, said = run(good_site, tmp_path / "run", capsys, sim_type="'RESTART'", sim_duration="'1d'")
    assert code == 2, said
    require_message(said, words)
    assert output(tmp_path / "run") == before


def test_a_restart_of_another_size_is_refused(good_site: Site, stopped_run: Path, tmp_path: Path,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(stopped_run, tmp_path / "run")
    other = make_site(tmp_path / "data", days=2, grid=Grid.regular(24, 12))
    code, said = run(other, tmp_path / "run", capsys, sim_type="'RESTART'", sim_duration="'1d'")
    assert code == 2
    require_message(said, r"another grid & test.mz4.r & \(6, 8, 16\) & \(6, 12, 24\)")
    more = dataclasses.replace(good_site, tracers=(*good_site.tracers, "EN004"))
    code, said = run(more, tmp_path / "run", capsys, sim_type="'RESTART'", sim_duration="'1d'")
    assert code == 2
    require_message(said, "EN004")


# --- What an earlier run left -----------------------------------------------------------------------------------------


def test_output_of_an_earlier_run_cannot_pass_for_a_failed_ones(own_site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request()(own_site)
    own = BY_SAMPLES.replace("history = .false., ", "")
    assert run(own_site, tmp_path / "run", capsys, own)[0] == 0
    complete = output(tmp_path / "run")
    assert "samples.nc" in complete and len([name for name in complete if name.startswith("hist/")]) == 2
    put(MET, "U", (2, 3, 4, 5), np.nan)(own_site)
    assert run(own_site, tmp_path / "run", capsys, own)[0] == 2
    assert output(tmp_path / "run") == [name for name in complete if "02-26" in name or "r.2012-02-27" in name or "rstrt-2012-02-27" in name
                                        or "rpntr" in name]
    assert (tmp_path / "run" / "aside" / "samples.nc").is_file()
    assert (tmp_path / "run" / POINTER).read_text() == MASTER + "\n"


def test_a_second_model_in_the_same_directory_is_refused(good_site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run").mkdir()
    with only_run(tmp_path / "run"):
        code, said = run(good_site, tmp_path / "run", capsys)
    assert code == 2
    require_message(said, "another model runs & run")
    assert output(tmp_path / "run") == []
    assert run(good_site, tmp_path / "run", capsys, sim_duration="'1d'")[0] == 0
