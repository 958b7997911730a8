"""The design's table of bad input, row by row, through the real commands: the right exit code, a clear message, nothing done.

Other rows have tests of their own: faults of the namelist's form (test_config_settings), a failing model, a second run, settings
changed, no spread, a full disk, several bad files at once (test_cycle_faults), killed runs and windows without observations
(test_cycle_runs), stale or spoilt output of the model (test_transport_failures).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from generators.gcasv2_directory import FluxStyle, fluxes_of, write_flux
from generators.observation_files import write_flasks
from small_case import MET_PREFIX, gcas, namelist_text

from gcas_driver.cli import main

DAY = np.datetime64("2010-06-02")
PRIOR = "prior/ocn/emissions.ocn.20100602.nc"
MET = f"met/{MET_PREFIX}20100602.nc"


@pytest.fixture
def inputs(small_inputs, small_case) -> Path:
    """A copy of the small inputs beside a namelist `case.nml`; files are links until a test spoils them."""
    directory = small_case().parent / "inputs"
    directory.unlink()
    shutil.copytree(small_inputs / "inputs", directory, copy_function=os.link, ignore=shutil.ignore_patterns("truth"))
    return directory


def said_by(capsys, command: str, namelist: Path) -> tuple[int, str]:
    """Exit code and all that a command says."""
    code = main([command, str(namelist)])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def assert_refused(capsys, namelist: Path, *words: str) -> None:
    """Both `gcas check` and `gcas run` end with 2, say the words and no traceback, and no model has run."""
    for command in ("check", "run"):
        code, said = said_by(capsys, command, namelist)
        assert code == 2, (command, said)
        assert "Traceback" not in said
        for word in words:
            assert word in said, (command, word, said)
    case = namelist.parent / "case"
    assert not (case / "windows").exists() and not list(case.glob("transport/*/rest/*"))


def own(path: Path) -> Path:
    """A file of its own in the place of a link, to be spoilt."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    return path


def spoilt(path: Path, change: Callable[[netCDF4.Dataset], None]) -> None:
    with netCDF4.Dataset(own(path), "a") as data:
        data.set_auto_mask(False)
        change(data)


def scaled(name: str, factor: float) -> Callable[[netCDF4.Dataset], None]:
    def change(data: netCDF4.Dataset) -> None:
        data[name][:] = data[name][:] * factor
    return change


def with_nan(name: str) -> Callable[[netCDF4.Dataset], None]:
    def change(data: netCDF4.Dataset) -> None:
        values = data[name][:]
        values[-1, ..., 3] = np.nan
        data[name][:] = values
    return change


ROWS_OF_PRIORS = {
    "missing": (lambda p: p.unlink(), "prior flux file is missing"),
    "empty": (lambda p: (p.unlink(), p.touch()), "cannot be opened as NetCDF"),
    "not NetCDF": (lambda p: (p.unlink(), p.write_text("fluxes")), "cannot be opened as NetCDF"),
    "truncated": (lambda p: own(p).write_bytes(p.read_bytes()[:-3]), "truncated"),
    "a directory": (lambda p: (p.unlink(), p.mkdir()), "20100602"),
    "another grid": (lambda p: (p.unlink(), _write_coarse(p)), "wrong grid"),
    "other units": (lambda p: spoilt(p, scaled("emissions", 1.0e-4)), "mol m-2 s-1"),
    "NaN": (lambda p: spoilt(p, with_nan("emissions")), "20100602"),
    "another day": (lambda p: (p.unlink(), write_flux(p, DAY + 1, fluxes_of("ocn", DAY))), "do not cover the day"),
    "another variable": (lambda p: (p.unlink(), _write_renamed(p)), "no variable for the ocn flux"),
}


def _write_coarse(path: Path) -> None:
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as data:
        for name, size in (("time", 8), ("lat", 90), ("lon", 180)):
            data.createDimension(name, size)
        data.createVariable("lat", "f4", ("lat",))[:] = 2.0 * np.arange(90) - 89.0
        data.createVariable("lon", "f4", ("lon",))[:] = 2.0 * np.arange(180) + 1.0
        data.createVariable("date", "i4", ("time",))[:] = 20100602
        data.createVariable("datesec", "i4", ("time",))[:] = 5400 + 10800 * np.arange(8)
        data.createVariable("emissions", "f4", ("time", "lat", "lon"))[:] = 1.0e12


def _write_renamed(path: Path) -> None:
    write_flux(path, DAY, fluxes_of("ocn", DAY), FluxStyle())
    with netCDF4.Dataset(path, "a") as data:
        data.renameVariable("emissions", "ocean_flux")


@pytest.mark.parametrize("row", ROWS_OF_PRIORS)
def test_prior_files(inputs, capsys, row):
    spoil, words = ROWS_OF_PRIORS[row]
    spoil(inputs / PRIOR)
    assert_refused(capsys, inputs.parent / "case.nml", "emissions.ocn.20100602.nc", words)


ROWS_OF_MET = {
    "missing": (lambda p: p.unlink(), "missing"),
    "not NetCDF": (lambda p: (p.unlink(), p.write_text("wind")), "NetCDF"),
    "truncated": (lambda p: own(p).write_bytes(p.read_bytes()[:-1000]), "truncated"),
    "a field is missing": (lambda p: spoilt(p, lambda data: data.renameVariable("U", "UWND")), "U"),
    "another date": (lambda p: spoilt(p, lambda data: data["date"].__setitem__(slice(None), 20100702)), "dates"),
    "levels upside down": (lambda p: spoilt(p, lambda data: data["hyai"].__setitem__(slice(None), data["hyai"][::-1])), "hyai"),
}


@pytest.mark.parametrize("row", ROWS_OF_MET)
def test_met_files(inputs, capsys, row):
    spoil, words = ROWS_OF_MET[row]
    spoil(inputs / MET)
    assert_refused(capsys, inputs.parent / "case.nml", f"{MET_PREFIX}20100602.nc", words)


@pytest.mark.parametrize("change, words", [(scaled("PS", 0.01), "Surface pressure must be in Pa"), (with_nan("V"), "NaN or fill values")])
def test_numbers_in_met_files(inputs, capsys, change, words):
    """`gcas check` looks at the numbers; a run meets them in the model, which names file and field."""
    spoilt(inputs / MET, change)
    code, said = said_by(capsys, "check", inputs.parent / "case.nml")
    assert code == 2 and words in said and MET_PREFIX in said and "Traceback" not in said


def test_met_on_two_grids(inputs, capsys):
    from mozart_coupling.embedded.circulation import write_circulation
    from mozart_coupling.embedded.levels import hybrid_levels
    from mozart_coupling.grids import Grid

    other = inputs.parent / "other"
    other.mkdir()
    span = DAY.astype("datetime64[s]"), (DAY + 1).astype("datetime64[s]")
    write_circulation(other, "x_", Grid.named("24x12"), *hybrid_levels(8), *span, 1)
    (inputs / MET).unlink()
    shutil.move(other / "x_20100602.nc", inputs / MET)
    assert_refused(capsys, inputs.parent / "case.nml", MET_PREFIX, "grid differs")


ROWS_OF_SOUNDINGS = {
    "not NetCDF": (lambda p: (p.unlink(), p.write_bytes(b"\x89HDF\r\n no")), "cannot be opened as NetCDF"),
    "truncated": (lambda p: own(p).write_bytes(p.read_bytes()[:-500]), "NetCDF"),
    "other units": (lambda p: spoilt(p, lambda data: data["xco2"].setncattr("units", "furlong")), "furlong"),
    "another gas": (lambda p: spoilt(p, scaled("xco2", 4.7)), "not a mole fraction of CO2"),
    "a variable is missing": (lambda p: spoilt(p, lambda data: data.renameVariable("pressure_weight", "h")), "pressure_weight"),
}


@pytest.mark.parametrize("row", ROWS_OF_SOUNDINGS)
def test_sounding_files(inputs, capsys, row):
    spoil, words = ROWS_OF_SOUNDINGS[row]
    path = next((inputs / "gosat").glob("*100602*"))
    spoil(path)
    assert_refused(capsys, inputs.parent / "case.nml", path.name, words)


def test_flask_files(inputs, capsys):
    path = own(next((inputs / "flask").iterdir()))
    path.write_bytes(b"\x00\xff nothing of the kind\n")
    assert_refused(capsys, inputs.parent / "case.nml", path.name)


@pytest.mark.parametrize("folder", ["prior", "met", "gosat", "flask"])
def test_a_directory_that_is_not_there(inputs, capsys, folder):
    shutil.rmtree(inputs / folder)
    path = inputs.parent / "case.nml"
    path.write_text(path.read_text().replace("&truth directory = 'inputs', soundings_per_day = 150 /", ""))
    assert_refused(capsys, path, f"inputs/{folder}")


@pytest.mark.parametrize("old, new, words", [
    ("&initial uniform_ppm = 388.0 /", "&initial file = 'inputs/ic.nc' /", ("ic.nc", "line 9")),
    ("&truth directory = 'inputs', soundings_per_day = 150 /", "&regions file = 'inputs/regions.nc' /", ("regions.nc",)),
    ("&truth directory = 'inputs', soundings_per_day = 150 /", "&regions file = 'case.nml' /", ("case.nml",)),
    ("name = 'case'", "name = '../case'", ("a name, not a path", "line 3")),
    ("name = 'case'", "name = 'a$(touch x)'", ("a name, not a path", "line 3")),
    ("members = 8", "members = '8'", ("whole number", "line 7")),
    ("&state", "&sstate", ("did you mean '&state'", "line 7")),
    ("days = 2", "days = 0", (">= 1", "line 6")),
    ("timestep = '1h'", "timestep = '5h'", ("does not divide a day", "line 17")),
])
def test_settings_and_the_files_they_name(small_case, capsys, old, new, words):
    path = small_case()
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert_refused(capsys, path, *words)
    assert not (path.parent / "x").exists()


def test_a_namelist_that_is_not_there_or_not_text(tmp_path, capsys):
    (tmp_path / "binary.nml").write_bytes(bytes(range(256)))
    for name in ("absent.nml", "binary.nml", "."):
        for command in ("check", "run", "status", "evaluate", "report"):
            code, said = said_by(capsys, command, tmp_path / name)
            assert code == 2 and "gcas:" in said and "Traceback" not in said, (name, command, said)


def test_missing_and_impossible_numbers_are_dropped_and_counted(inputs):
    """NaN and fill values in observations: counted by reason in log and output, nothing of them in the state."""
    path = next((inputs / "gosat").glob("*100601*"))

    def change(data: netCDF4.Dataset) -> None:
        for name, value in (("xco2", np.nan), ("xco2_uncertainty", -1.0), ("latitude", -999999.0)):
            row = {"xco2": 0, "xco2_uncertainty": 1, "latitude": 2}[name]
            good = np.flatnonzero(data["xco2_quality_flag"][:] == 0)[row]
            data[name][good] = value

    spoilt(path, change)
    namelist = inputs.parent / "case.nml"
    namelist.write_text(namelist_text(days=1))
    result = gcas("run", namelist)
    assert result.returncode == 0, result.stderr
    entry = [json.loads(line) for line in (namelist.parent / "case" / "journal.jsonl").read_text().splitlines()][-1]
    for reason in ("missing value", "missing or non-positive uncertainty", "missing or impossible place"):
        assert entry["left_out"][reason] == 1 and f"1 {reason}" in result.stderr
    with netCDF4.Dataset(namelist.parent / "case" / "windows" / "2010-06-01" / "analysis.nc") as data:
        assert np.isfinite(data["factor_posterior"][:]).all()


def test_parameters_without_flux_and_observations_without_spread(inputs):
    """No ocean flux: nothing to scale there. A flask in the first hour, 25 km up, has no spread to speak of: it teaches nothing."""
    for path in (inputs / "prior" / "ocn").glob("*.nc"):
        spoilt(path, scaled("emissions", 0.0))
    write_flasks(inputs / "flask" / "co2_far_surface-flask_1_ccgg_event.txt", [("2010-06-01T00:20:00", 389.0, "...", 25000.0, 1)])
    namelist = inputs.parent / "case.nml"
    namelist.write_text(namelist_text(days=1).replace("assimilate = .false.", "files = 'co2_far*', scale = 'X2007'")
                        .replace("&truth directory = 'inputs', soundings_per_day = 150 /", ""))
    result = gcas("run", namelist)
    assert result.returncode == 0, result.stderr
    assert "cells without flux left out" in result.stderr and "without spread and not updated" in result.stderr
    window = namelist.parent / "case" / "windows" / "2010-06-01"
    with netCDF4.Dataset(window / "analysis.nc") as data:
        factors = data["factor_posterior"][:]
        assert np.isfinite(factors).all() and np.any(data["factor_mean"][0] != 1.0)
        assert np.all(data["factor_mean"][1] == 1.0), "no flux, nothing to scale"
    with netCDF4.Dataset(window / "observations.nc") as data:
        far = data["site"][:] == "MLO"
        assert far.sum() == 1 and data["background_spread"][:][far] < 1e-9
        assert abs(data["posterior"][:][far] - data["background"][:][far]) < 1e-9


def test_a_start_far_from_every_observation(inputs):
    """Nothing can be assimilated: said before and after the first run of the model, posterior = prior, the run goes on."""
    namelist = inputs.parent / "case.nml"
    namelist.write_text(namelist_text(days=1).replace("388.0", "420.0"))
    result = gcas("run", namelist)
    assert result.returncode == 0, result.stderr
    assert "but the observations are near 38" in result.stderr and "too far from every observation" in result.stderr
    with netCDF4.Dataset(namelist.parent / "case" / "windows" / "2010-06-01" / "fluxes.nc") as data:
        assert np.allclose(data["flux_posterior"][:], data["flux_prior"][:], rtol=1e-6)


def test_no_room_for_the_meteorology(small_case):
    """A limit on the size of files in the place of a full disk, met while the analytic circulation is written."""
    path = small_case()
    path.write_text(path.read_text().replace(f"met_directory = 'inputs/met', met_prefix = '{MET_PREFIX}'", "grid = '36x18', levels = 8"))
    limited = f"ulimit -f 40; exec {sys.executable} -m gcas_driver.cli run {path}"
    result = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, cwd="/")
    assert result.returncode == 1, (result.returncode, result.stderr)
    assert "cannot be written" in result.stderr and "20100531.nc" in result.stderr and "Traceback" not in result.stderr
    assert not list((path.parent / "case" / "met").iterdir()), "nothing incomplete is left"


@pytest.mark.parametrize("writer", ["new_dataset", "new_netcdf4"])
def test_a_file_that_cannot_be_written_is_named_and_crashes_nothing(tmp_path, writer):
    script = f"""
import resource, numpy
from mozart_coupling.errors import OutputError
from mozart_coupling.netcdf import {writer}
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
try:
    with {writer}("out.nc") as file:
        file.createDimension("x", 100000)
        file.createVariable("v", "f8", ("x",))[:] = numpy.random.default_rng(1).standard_normal(100000)
except OutputError as error:
    assert "out.nc" in str(error)
    print("named")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0 and done.stdout == "named\n", done
    assert not list(tmp_path.iterdir())
