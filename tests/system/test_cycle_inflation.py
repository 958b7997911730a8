"""Adaptive inflation and interpolated transforms in whole runs: carried from window to window, also over a kill, to the bit."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import netCDF4
import pytest
from small_case import assert_same_bits, gcas, namelist_text

from gcas_driver.config import load
from gcas_driver.errors import SettingsError

ADAPTIVE = ("threads = 1, inflation_adaptive = .true., inflation = 1.1, inflation_error = 0.2, method = 'letkf', p_value = 1, "
            "sign = .false., taper = 'gaspari-cohn', letkf_interpolation_km = 800")

# Kills itself at the first rename after the first window's line in the journal; arguments: the journal, then those of `gcas`.
KILLER = """
import os, pathlib, signal, sys
from gcas_driver import cli
journal, rename = pathlib.Path(sys.argv[1]), os.replace
def watched(*arguments, **options):
    if journal.exists() and b'"event": "window"' in journal.read_bytes():
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(*arguments, **options)
os.replace = watched
sys.exit(cli.main(sys.argv[2:]))
"""


def windows_of(case: Path) -> list[dict]:
    lines = (case / "journal.jsonl").read_text().splitlines() if (case / "journal.jsonl").exists() else []
    return [entry for entry in map(json.loads, lines) if entry["event"] == "window"]


@pytest.fixture(scope="module")
def unbroken(small_inputs, tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("adaptive")
    (directory / "inputs").symlink_to(small_inputs / "inputs")
    (directory / "case.nml").write_text(namelist_text(analysis=ADAPTIVE))
    result = gcas("run", directory / "case.nml")
    assert result.returncode == 0, result.stderr
    return directory / "case"


def test_the_estimate_goes_from_window_to_window_by_the_journal(unbroken):
    first, second = windows_of(unbroken)
    assert 1.1 != first["inflation"] != second["inflation"]
    # A Kalman step never makes the variance, of the squared factor, larger than its growth.
    spreads = [1.1 * 0.2, *(entry["inflation"] * entry["inflation_error"] for entry in (first, second))]
    assert spreads[1] <= spreads[0] * 1.1**0.5 and spreads[2] <= spreads[1] * 1.1**0.5
    for entry in (first, second):
        with netCDF4.Dataset(unbroken / "windows" / entry["window"] / "analysis.nc") as data:
            assert float(data["inflation"][...]) == entry["inflation"]
    log = (unbroken / "gcas.log").read_text()
    assert f"inflation {second['inflation']:.3g}, standard error" in log


def test_a_killed_run_goes_on_with_the_estimate_of_the_last_window(unbroken, small_case):
    path = small_case(analysis=ADAPTIVE)
    command = [sys.executable, "-c", KILLER, str(path.parent / "case" / "journal.jsonl"), "run", str(path)]
    assert subprocess.run(command, capture_output=True, cwd="/").returncode == -signal.SIGKILL
    assert len(windows_of(path.parent / "case")) == 1
    assert gcas("run", path).returncode == 0
    assert_same_bits(unbroken, path.parent / "case")
    names = ("inflation", "inflation_error", "chi2", "dfs")
    assert [[entry[name] for name in names] for entry in windows_of(path.parent / "case")] == \
        [[entry[name] for name in names] for entry in windows_of(unbroken)]


def test_without_it_the_factor_is_the_one_set(reference_case):
    assert all(entry["inflation"] == 1.0 and "inflation_error" not in entry for entry in windows_of(reference_case))


@pytest.mark.parametrize("analysis, words", [
    ("inflation_adaptive = .true., inflation = 4", "outside of its bounds"),
    ("letkf_interpolation_km = 500", "method = 'letkf' and p_value = 1 and sign = .false."),
    ("letkf_interpolation_km = 500, method = 'letkf', p_value = 1, sign = .false., localize = .false.", "localize = .true."),
    ("letkf_interpolation_km = 4000, method = 'letkf', p_value = 1, sign = .false.", "25 to 3000 km"),
    ("letkf_interpolation_km = 500, method = 'letkf', p_value = 1, sign = .false., max_observations = 5, "
     "max_observations_by = 'correlated'", "max_observations_by = 'nearest'")])
def test_settings_that_contradict_each_other_are_found(tmp_path, analysis, words):
    path = tmp_path / "case.nml"
    path.write_text(namelist_text(analysis=analysis))
    with pytest.raises(SettingsError, match="case.nml, line") as caught:
        load(path)
    assert words in str(caught.value)
