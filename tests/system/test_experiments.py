"""Synthetic experiments from end to end, the demo's faces, and the namelist for real soundings on a directory in GCASv2's layouts."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from small_case import assert_same_bits, gcas, namelist_text, run_to_death

from gcas_driver.config import load
from gcas_driver.osse.demo import DemoOptions, demo_namelist

ROOT = Path(__file__).resolve().parents[2]


def experiment(directory: Path) -> Path:
    directory.mkdir()
    path = directory / "case.nml"
    path.write_text(namelist_text(analytic=True) + "&report figures = .false. /\n")
    return path


def test_an_experiment_killed_at_any_stage_goes_on_to_the_same_numbers(tmp_path):
    whole, broken = experiment(tmp_path / "whole"), experiment(tmp_path / "broken")
    result = gcas("osse", whole)
    assert result.returncode == 0, result.stderr
    assert "truth" in result.stdout and "Global land" in result.stdout
    for allowed in (5, 20, 60, 10**9):
        code = run_to_death(allowed, "osse", broken)
        assert code in (0, -signal.SIGKILL)
    assert code == 0
    assert_same_bits(whole.parent / "case", broken.parent / "case")
    one, two = (json.loads((path.parent / "case" / "summary.json").read_text()) for path in (whole, broken))
    assert one["fluxes"] == two["fluxes"] and one["xco2"] == two["xco2"]
    assert one["windows"] == 2 and one["members"] == 8 and "rmse_true" in one["xco2"]["prior"] and "truth" in one["fluxes"]["Global"]
    assert (whole.parent / "case" / "report" / "index.html").stat().st_size > 1000


def test_demo_writes_the_shipped_namelist(tmp_path):
    assert demo_namelist(DemoOptions()) == (ROOT / "namelists" / "demo.nml").read_text()
    path = tmp_path / "demo.nml"
    path.write_text(demo_namelist(DemoOptions(windows=2, members=12, grid="72x46", seed=9)))
    settings = load(path)
    assert settings.case_directory == tmp_path and settings.time.days == 14 and settings.state.members == 12
    assert settings.case.seed == settings.truth.seed == 9 and settings.transport.grid == "72x46"


@pytest.mark.parametrize("options", [("--grid", "128"), ("--grid", "axb"), ("--members", "100000")])
def test_demo_refuses_bad_options_and_leaves_nothing(tmp_path, options):
    result = gcas("demo", tmp_path / "new", *options)
    assert result.returncode == 2 and options[1] in result.stderr
    assert not (tmp_path / "new").exists()


def test_demo_refuses_another_demos_directory(tmp_path):
    (tmp_path / "demo.nml").write_text(demo_namelist(DemoOptions(members=12)))
    result = gcas("demo", tmp_path, "--members", "20")
    assert result.returncode == 2 and "members 12" in result.stderr and "members 20" in result.stderr


@pytest.mark.parametrize("present", ["data.nc", "journal.jsonl", "oco2/x.nc"])
def test_demo_begins_in_no_directory_of_other_things(tmp_path, monkeypatch, present):
    (tmp_path / present).parent.mkdir(exist_ok=True)
    (tmp_path / present).write_text("mine")
    monkeypatch.chdir(tmp_path)
    for place in (tmp_path, "."):
        result = subprocess.run([sys.executable, "-m", "gcas_driver.cli", "demo", str(place)], capture_output=True, text=True, timeout=60)
        assert result.returncode == 2 and present.split("/")[0] in result.stderr and "directory of its own" in result.stderr
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()] == [present]


def test_demo_goes_on_where_it_was_stopped_before_its_namelist_and_beside_what_it_says(tmp_path):
    (tmp_path / ".demo.nml.part").write_text("&case")
    (tmp_path / "demo.log").touch()
    (tmp_path / "demo.check.nml").write_text("&case")
    result = gcas("demo", tmp_path, "--grid", "axb")  # told of the option, so the directory was taken
    assert result.returncode == 2 and "axb" in result.stderr


def test_check_and_run_say_when_inputs_are_yet_to_be_made(tmp_path):
    path = experiment(tmp_path / "unmade")
    result = gcas("check", path)
    assert result.returncode == 0 and "gcas osse" in result.stdout and "2 windows" in result.stdout
    result = gcas("run", path)
    assert result.returncode == 2 and "gcas osse" in result.stderr


def test_osse_needs_a_truth(tmp_path):
    path = tmp_path / "case.nml"
    path.write_text("\n".join(line for line in namelist_text().splitlines() if not line.startswith("&truth")))
    result = gcas("osse", path)
    assert result.returncode == 2 and "&truth" in result.stderr


def gcasv2_soundings(directory: Path, lite_files: list[Path]) -> None:
    """The soundings of Lite files in GCASv2's own layout: no attributes, longitude 0 to 360, screened before."""
    directory.mkdir()
    for path in lite_files:
        with netCDF4.Dataset(path) as lite:
            lite.set_auto_mask(False)
            good = lite["xco2_quality_flag"][:] == 0
            get = {name: np.asarray(lite[name][:])[good]
                   for name in ("time", "latitude", "longitude", "xco2", "xco2_uncertainty", "xco2_apriori", "pressure_levels",
                                "xco2_averaging_kernel", "pressure_weight", "co2_profile_apriori")}
        day = "20" + path.name.split("_")[2]
        with netCDF4.Dataset(directory / f"oco2_v11_{day}.nc", "w", format="NETCDF3_CLASSIC") as out:
            out.createDimension("nSamples", good.sum())
            out.createDimension("Level", 20)
            hour = (get["time"] % 86400.0) / 3600.0
            columns = {"date": ("i4", np.full(good.sum(), int(day))), "time": ("f4", hour), "latitude": ("f4", get["latitude"]),
                       "longitude": ("f4", get["longitude"] % 360.0), "surfacepressure": ("f4", get["pressure_levels"][:, -1]),
                       "xco2": ("f4", get["xco2"]), "xco2unc": ("f4", get["xco2_uncertainty"]), "axco2": ("f4", get["xco2_apriori"]),
                       "opmode": ("i4", np.zeros(good.sum(), int))}
            for name, (kind, values) in columns.items():
                out.createVariable(name, kind, ("nSamples",))[:] = values
            for name, source in (("pressure", "pressure_levels"), ("averagingKernel", "xco2_averaging_kernel"),
                                 ("weightingfunction", "pressure_weight"),
                                 ("constraintvector", "co2_profile_apriori")):
                out.createVariable(name, "f4", ("nSamples", "Level"))[:] = get[source]


def test_the_namelist_for_real_soundings_works_unaided(small_inputs, tmp_path):
    """`namelists/oco2_two_weeks.nml` with nothing changed but dates, members and grid."""
    inputs = small_inputs / "inputs"
    gcasv2_soundings(tmp_path / "oco2", sorted((inputs / "gosat").glob("*.nc4")))
    shutil.copytree(inputs / "prior", tmp_path / "prior")
    text = (ROOT / "namelists" / "oco2_two_weeks.nml").read_text()
    for old, new in (("'2014-09-06'", "'2010-06-01'"), ("days  = 14", "days  = 2"), ("window_days = 7", "window_days = 1"),
                     ("members = 50", "members = 8"),
                     ("395.0", "388.0"), ("'128x64'", "'36x18'"), ("levels = 28", "levels = 8")):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "oco2_two_weeks.nml"
    path.write_text(text)
    assert gcas("check", path).returncode == 0
    result = gcas("run", path)
    assert result.returncode == 0, result.stderr
    assert "analytic circulation" in result.stderr
    with netCDF4.Dataset(tmp_path / "oco2_two_weeks" / "windows" / "2010-06-02" / "observations.nc") as data:
        assert data["used"][:].sum() > 50 and set(data["product"][:]) == {"oco2"}
    assert gcas("evaluate", path).returncode == 0
    summary = json.loads((tmp_path / "oco2_two_weeks" / "summary.json").read_text())
    assert summary["xco2"]["posterior"]["rmse"] < summary["xco2"]["prior"]["rmse"]
