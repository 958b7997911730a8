"""Windows of a run, its output files, its status, and the command line's faces."""

from __future__ import annotations

import json
from types import SimpleNamespace

import netCDF4
import numpy as np
import pytest

from gcas_driver.cli import main
from gcas_driver.config import load
from gcas_driver.cost import estimate_cost, timestep_seconds
from gcas_driver.journal import Journal
from gcas_driver.output import Heading, window_file, write_fluxes, write_observations
from gcas_driver.plan import plan_windows
from gcas_driver.progress import duration
from gcas_driver.status import case_status
from mozart_coupling.grids import Grid

HEADING = Heading("unit", "abc", 7, 3, "2010-06-01 to 2010-06-08", 1)
NAMELIST = """&case name = 'unit' /
&time start = '2010-06-01', days = 17, window_days = 7 /
&state members = 10 /
&initial uniform_ppm = 388 /
&prior component = 'bio', directory = 'prior' /
"""


def times(start: str, end: str, days: int):
    return SimpleNamespace(start=np.datetime64(start, "s"), end=np.datetime64(end, "s"), window_days=days)


def test_windows_tile_the_run_and_the_last_may_be_shorter():
    windows = plan_windows(times("2010-12-20", "2011-01-12", 7))
    assert [(w.label, w.end_label, w.days, w.index) for w in windows] == [
        ("2010-12-20", "2010-12-27", 7, 0), ("2010-12-27", "2011-01-03", 7, 1), ("2011-01-03", "2011-01-10", 7, 2),
        ("2011-01-10", "2011-01-12", 2, 3)]
    assert len(plan_windows(times("2010-01-01", "2010-01-29", 7))) == 4


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "x.nc"
    with pytest.raises(ValueError, match="halfway"):
        with window_file(path, "test", HEADING) as out:
            out.dimension("a", 2)
            raise ValueError("halfway")
    assert not path.exists()
    with window_file(path, "test", HEADING) as out:
        out.dimension("a", 2)
        out.put("v", ("a",), [1.0, np.nan], units="1")
        out.put("s", ("a",), ["x", "ü"], "str")
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".nc"] == ["x.nc"]
    with netCDF4.Dataset(path) as data:
        assert data.Conventions == "CF-1.8" and data.settings_hash == "abc" and data.seed == 7 and "gcas" in data.history
        assert np.ma.getmaskarray(data["v"][:]).tolist() == [False, True]
        assert list(data["s"][:]) == ["x", "ü"]


def test_an_observation_file_may_be_empty(tmp_path):
    columns = {name: np.empty(0) for name in ("time", "lon", "lat", "altitude", "value", "error", "used", "super_observation_index")}
    columns |= {name: np.empty(0, dtype=object) for name in ("product", "site", "identifier", "kind", "reason")}
    simulated = {name: np.empty(0) for name in ("prior", "background", "posterior", "background_spread")}
    supers = {name: np.empty(0) for name in ("time", "lon", "lat", "value", "error", "product")} | {
        "hx_background": np.empty((0, 3)), "hx_posterior": np.empty((0, 3))}
    write_observations(tmp_path / "o.nc", HEADING, columns, simulated, supers)
    with netCDF4.Dataset(tmp_path / "o.nc") as data:
        assert {n: len(d) for n, d in data.dimensions.items()} == {"observation": 0, "super_observation": 0, "member": 3}
        assert data["hx_background"].dimensions == ("super_observation", "member")


def test_flux_file_has_the_faces_that_others_read(tmp_path):
    grid = Grid.named("12x6")
    field = np.arange(2 * 2 * 72, dtype=float).reshape(2, 2, 6, 12)
    day = 86400.0
    write_fluxes(tmp_path / "f.nc", HEADING, {
        "component": np.array(["bio", "fire"]), "optimised": np.array([True, False]), "region": np.array(["one"]), "lon": grid.lon,
        "lat": grid.lat, "area": grid.area, "time_bounds": np.array([[0.0, day], [day, 2 * day]]), "flux_prior": field,
        "flux_posterior": 2 * field,
        "region_total_prior": np.ones((2, 1, 3)), "region_total_posterior": np.ones((2, 1, 3))})
    with netCDF4.Dataset(tmp_path / "f.nc") as data:
        assert data["flux_prior"].units == "mol m-2 s-1" and data["region_total_prior"].units == "PgC/yr"
        assert data["flux_prior"].dimensions == ("component", "time", "lat", "lon")
        assert data["region_total_posterior"].dimensions == ("component", "region", "member")
        assert data["time"].bounds == "time_bounds" and data["time"][:].tolist() == [day / 2, 1.5 * day]
        assert np.array_equal(data["flux_posterior"][:], 2 * field)


def test_status_follows_the_journal(tmp_path, capsys):
    path = tmp_path / "case.nml"
    path.write_text(NAMELIST)
    settings = load(path)
    assert case_status(settings)["state"] == "new"
    settings.case_directory.mkdir()
    journal = Journal(settings.case_directory)
    journal.append("begin", window="2010-06-01")
    journal.append("window", window="2010-06-01", end="2010-06-08", seconds=10.0, observations_used=5, super_observations=4)
    journal.append("stopped", error="RunFailed: exit code 1")
    status = case_status(settings)
    assert (status["state"], status["windows_done"], status["windows_total"]) == ("stopped", 1, 3)
    assert status["remaining_seconds"] == 20.0 and status["last_error"] == "RunFailed: exit code 1"
    assert [row["state"] for row in status["windows"]] == ["done", "waiting", "waiting"]
    assert main(["status", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == status
    assert main(["status", str(path)]) == 0
    assert "1 of 3 windows" in capsys.readouterr().out


def test_cost_grows_with_the_problem(tmp_path):
    path = tmp_path / "case.nml"
    path.write_text(NAMELIST)
    small = estimate_cost(load(path), Grid.named("128x64"), 28)
    path.write_text(NAMELIST.replace("members = 10", "members = 20"))
    large = estimate_cost(load(path), Grid.named("128x64"), 28)
    assert large.seconds > 1.2 * small.seconds and large.memory_bytes > small.memory_bytes and large.disk_bytes > small.disk_bytes
    assert small.n_windows == 3 and timestep_seconds("30m") == 1800


@pytest.mark.parametrize("seconds, text", [(0.4, "0 s"), (59, "59 s"), (190, "3 min 10 s"), (18720, "5 h 12 min"), (273600, "3 d 4 h")])
def test_durations_as_people_say_them(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize("arguments", [[], ["fly"], ["run"], ["run", "a", "b"], ["demo"], ["demo", "x", "--members", "1"],
                                       ["demo", "x", "--windows", "two"], ["status", "--json"]])
def test_wrong_usage_ends_with_two(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err
