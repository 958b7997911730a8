"""Runs that start from a foreign file: made into the contract's file before the first window, kept over a resume."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from formats.initial import carbontracker_file
from small_case import gcas, make_small_inputs, namelist_text

from mozart_coupling.initial import read_initial


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    directory = tmp_path_factory.mktemp("foreign")
    make_small_inputs(directory)
    carbontracker_file(directory / "inputs" / "CT2017.molefrac_glb3x2_2010-06-01.nc", 25, grid=(24, 18))
    return directory


def _namelist(directory, initial):
    path = directory / "case.nml"
    path.write_text(namelist_text(days=1).replace("uniform_ppm = 388.0", initial))
    return path


def test_a_run_starts_from_carbontrackers_field(inputs):
    path = _namelist(inputs, "file = 'inputs/CT2017.molefrac_glb3x2_2010-06-01.nc'")
    assert gcas("check", path).returncode == 0
    result = gcas("run", path)
    assert result.returncode == 0, result.stderr
    fields = [read_initial(inputs / "case" / "transport" / run / "initial.nc").fields["CO2"] for run in ("ensemble", "forward")]
    assert np.array_equal(*fields) and 384e-6 < fields[0].mean() * 28.9644 / 44.0095 < 394e-6
    log = (inputs / "case" / "gcas.log").read_text()
    assert "initial field: CT2017.molefrac_glb3x2_2010-06-01.nc, co2 of 2010-06-01T01:30:00 (ppm)" in log and "kept by a correction" in log
    shutil.rmtree(inputs / "case")


def test_check_says_what_is_wrong_with_the_field_before_a_run(inputs):
    path = _namelist(inputs, "file = 'inputs/CT2017.molefrac_glb3x2_2010-06-01.nc', units = 'mmr'")
    result = gcas("check", path)
    assert result.returncode == 2 and "not a field of CO2" in result.stdout and "case.nml, line 9" in result.stdout
