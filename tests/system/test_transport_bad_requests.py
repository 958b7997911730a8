"""Bad input as a user meets it: `gcas-transport NAMELIST`, its exit code, its message, and what it leaves behind.

Every row of the tables spoils one thing of a small site: components and factors, sample requests, the namelist, restarts,
what an earlier run left. The message must say what, where, found or expected; a run that was refused before its first step leaves nothing,
one that failed on the way leaves complete files of earlier days only.
"""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from spoiling import (
    Spoil,
    attribute,
    both,
    cut,
    edit,
    flipped,
    output,
    put,
    removed,
    renamed,
    replaced,
    require_message,
    run,
    scaled,
    units,
)
from transport_site import DAY, START, Site, make_site

from mozart_coupling.embedded.lock import only_run
from mozart_coupling.grids import Grid
from mozart_coupling.samples import SampleRequest, write_request

MET, COMPONENTS, FACTORS, REQUEST = "dyn/MET_20120227.nc", "components.nc", "factors.nc", "request.nc"
BY_COMPONENTS = "  history = .false., components_file = '{data}/components.nc', factors_file = '{data}/factors.nc'"
BY_SAMPLES = "  history = .false., sample_list = '{data}/request.nc', sample_file = 'samples.nc'"


def request(**columns: float) -> Spoil:
    def spoil(site: Site) -> None:
        write_request(site.data / REQUEST, site.request(n=5, days=1))
        edit(REQUEST, lambda data: [data[name].__setitem__(0, value) for name, value in columns.items()])(site)
    return spoil


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
