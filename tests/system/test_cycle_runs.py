"""Whole runs of the small case: files, accounts, exact restart, threads, empty windows, other ways to the same numbers."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from small_case import assert_same_bits, data_of, gcas, run_to_death

from gcas_driver.config import load

WINDOWS = ("2010-06-01", "2010-06-02")


def journal_of(case: Path) -> list[dict]:
    return [json.loads(line) for line in (case / "journal.jsonl").read_text().splitlines()]


def test_files_have_their_faces(reference_case):
    assert sorted(p.name for p in (reference_case / "windows").iterdir()) == list(WINDOWS)
    for window in WINDOWS:
        directory = reference_case / "windows" / window
        with netCDF4.Dataset(directory / "observations.nc") as data:
            assert set(data.dimensions) == {"observation", "super_observation", "member"}
            for name in ("time", "lon", "lat", "altitude", "value", "error", "prior", "background", "posterior", "product", "site", "used",
                         "reason"):
                assert data[name].dimensions == ("observation",), name
            assert data["value"].units == data["posterior"].units == "ppm"
            assert data["hx_background"].dimensions == data["hx_posterior"].dimensions == ("super_observation", "member")
        with netCDF4.Dataset(directory / "analysis.nc") as data:
            assert data["factor_posterior"].dimensions == ("component", "parameter", "member")
            assert {"lon", "lat", "factor_prior", "factor_mean", "n_observations"} <= set(data.variables)
        with netCDF4.Dataset(directory / "fluxes.nc") as data:
            assert {"time", "lat", "lon", "component", "region", "member"} <= set(data.dimensions)
            assert data["flux_prior"].units == "mol m-2 s-1" and data["region_total_posterior"].units == "PgC/yr"
            assert data.seed == 3 and data.settings_hash and data.Conventions == "CF-1.8"
    for name in ("settings.nml", "journal.jsonl", "gcas.log", "gcas.jsonl", "transport"):
        assert (reference_case / name).exists()
    assert load(reference_case / "settings.nml").digest() == load(reference_case.parent / "case.nml").digest()


def test_every_observation_is_accounted_for(reference_case):
    for entry in (e for e in journal_of(reference_case) if e["event"] == "window"):
        counted = entry["observations_used"] + entry["observations_withheld"] + sum(entry["left_out"].values())
        assert counted == entry["observations_read"] > 100
        with netCDF4.Dataset(reference_case / "windows" / entry["window"] / "observations.nc") as data:
            used = data["used"][:].astype(bool)
            assert used.sum() == entry["observations_used"]
            assert len(data.dimensions["super_observation"]) == entry["super_observations"]
            reason = data["reason"][:]
            assert all((r == "") == u for r, u in zip(reason, used, strict=True))
            assert np.isfinite(data["posterior"][:][used]).all()
            index = data["super_observation_index"][:]
            assert ((index >= 0) == used).all() and set(index[used]) == set(range(entry["super_observations"]))
    log = (reference_case / "gcas.log").read_text()
    assert "quality flag is not 0" in log and "super-observations" in log


def test_posterior_is_nearer_to_the_observations_and_fluxes_follow_the_factors(reference_case):
    data = data_of(reference_case)
    for window in WINDOWS:
        observations = {name: data[f"{window}/observations.nc:{name}"] for name in ("used", "value", "background", "posterior")}
        used = observations["used"].astype(bool)
        rmse = {name: np.sqrt(np.mean((observations[name] - observations["value"])[used] ** 2)) for name in ("background", "posterior")}
        assert rmse["posterior"] < rmse["background"]
        hx = {name: data[f"{window}/observations.nc:hx_{name}"] for name in ("background", "posterior")}
        assert hx["posterior"].var(axis=1).mean() < hx["background"].var(axis=1).mean()
        prior, posterior = (data[f"{window}/fluxes.nc:flux_{name}"] for name in ("prior", "posterior"))
        factors = data[f"{window}/analysis.nc:factor_mean"].reshape(2, 18, 36)
        assert np.allclose(posterior[:2], prior[:2] * factors[:, None], rtol=1e-5, atol=1e-15)
        assert np.array_equal(posterior[2:], prior[2:]) and not np.array_equal(posterior[0], prior[0])
        members = data[f"{window}/analysis.nc:factor_prior"]
        assert np.allclose(members.mean(axis=2), 1.0, atol=1e-6), "centred: the ensemble mean is the prior"


def test_members_regional_totals_are_those_of_their_fluxes(reference_case):
    data = data_of(reference_case)
    for window in WINDOWS:
        area = data[f"{window}/fluxes.nc:area"]
        pgc_per_year = 12.011e-15 * 365.25 * 86400
        for name in ("prior", "posterior"):
            totals = data[f"{window}/fluxes.nc:region_total_{name}"].sum(axis=1)
            mean_flux = (data[f"{window}/fluxes.nc:flux_{name}"].mean(axis=1) * area).sum(axis=(1, 2)) * pgc_per_year
            assert np.allclose(totals.mean(axis=1), mean_flux, rtol=1e-5, atol=1e-6)


def test_running_again_does_nothing(reference_case):
    before = (reference_case / "journal.jsonl").read_text()
    result = gcas("run", reference_case.parent / "case.nml")
    assert result.returncode == 0 and "all 2 windows are done" in result.stderr
    assert (reference_case / "journal.jsonl").read_text() == before


def test_killed_again_and_again_a_run_goes_on_to_the_same_bits(reference_case, small_case):
    """ERS: SIGKILL at random instants, until the run gets through."""
    path = small_case()
    clock = random.Random(5)
    longest = 4.0
    for _ in range(40):
        process = subprocess.Popen([sys.executable, "-m", "gcas_driver.cli", "run", str(path)], stderr=subprocess.DEVNULL, cwd="/")
        try:
            code = process.wait(clock.uniform(0.3, longest))
            assert code == 0
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            longest *= 1.15
    else:
        pytest.fail("the run never came through")
    assert_same_bits(reference_case, path.parent / "case")


def test_killed_between_any_two_durable_operations(reference_case, small_case):
    """ERS: the process kills itself just before its n-th rename, link, removal or fsync; each attempt gets a little further."""
    path = small_case()
    for allowed in (4, 17, 29, 41, 60, 10**9):
        code = run_to_death(allowed, "run", path)
        assert code in (0, -signal.SIGKILL)
    assert code == 0
    assert_same_bits(reference_case, path.parent / "case")


def test_threads_change_nothing(reference_case, small_case):
    """PET."""
    path = small_case(analysis="threads = 2")
    path.write_text(path.read_text().replace("threads = 1, met", "threads = 2, met"))
    assert gcas("run", path).returncode == 0
    assert_same_bits(reference_case, path.parent / "case")


def test_ctrl_c_and_term_end_the_model_and_can_be_continued(reference_case, small_case):
    path = small_case()
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen([sys.executable, "-m", "gcas_driver.cli", "run", str(path)], stderr=subprocess.PIPE, text=True, cwd="/")
        _wait_for_model(path.parent / "case", process)
        process.send_signal(number)
        assert process.wait(30) == 3
        assert "continue" in process.stderr.read()
        process.stderr.close()
        assert not _models_in(path.parent / "case")
    assert gcas("run", path).returncode == 0
    assert_same_bits(reference_case, path.parent / "case")


def _models_in(case: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if Path((entry / "cwd").readlink()).is_relative_to(case) and "embedded" in (entry / "cmdline").read_text():
                found.append(entry.name)
        except OSError:
            continue
    return found


def _wait_for_model(case: Path, process: subprocess.Popen) -> None:
    for _ in range(600):
        if _models_in(case):
            return
        assert process.poll() is None
        time.sleep(0.05)
    pytest.fail("no model was started")


def test_a_window_without_observations_keeps_the_prior(small_inputs, small_case):
    sparse = small_inputs / "inputs" / "first_day_only"
    sparse.mkdir(exist_ok=True)
    for file in (small_inputs / "inputs" / "gosat").glob("*_100601_*"):
        (sparse / file.name).unlink(missing_ok=True)
        (sparse / file.name).symlink_to(file)
    path = small_case(satellite="first_day_only")
    text = path.read_text()
    path.write_text("\n".join(line for line in text.splitlines() if not line.startswith(("&surface", "&truth"))))
    result = gcas("run", path)
    assert result.returncode == 0, result.stderr
    assert "window 2010-06-02 has no observations: posterior = prior" in result.stderr
    data = data_of(path.parent / "case")
    assert (data["2010-06-01/analysis.nc:factor_mean"] != 1.0).any()
    assert np.abs(data["2010-06-02/analysis.nc:factor_mean"] - 1.0).max() < 1e-14
    assert np.array_equal(data["2010-06-02/analysis.nc:factor_posterior"], data["2010-06-02/analysis.nc:factor_prior"])
    assert data["2010-06-02/observations.nc:value"].size == 0


def test_the_other_filter_runs_too_with_hubers_weights(small_case):
    path = small_case(days=1, analysis="method = 'letkf', huber = 0.2")
    result = gcas("run", path)
    assert result.returncode == 0, result.stderr
    data = data_of(path.parent / "case")
    used = data["2010-06-01/observations.nc:used"].astype(bool)
    misfit = {name: np.mean((data[f"2010-06-01/observations.nc:{name}"] - data["2010-06-01/observations.nc:value"])[used] ** 2)
              for name in ("background", "posterior")}
    assert misfit["posterior"] < misfit["background"]
    entry = next(e for e in journal_of(path.parent / "case") if "super_observations" in e)
    assert 0 < entry["huber_down_weighted"] <= entry["super_observations"]
    assert f"{entry['huber_down_weighted']} super-observation" in result.stderr and "more than 0.2 standard deviations off" in result.stderr


def test_members_split_over_runs_give_the_same(small_case):
    """In double precision each member's numbers do not depend on which others are carried with it."""
    whole = small_case("whole.nml", name="whole", days=1, transport="precision = 'double'")
    split = small_case("split.nml", name="split", days=1, transport="precision = 'double', members_per_run = 3")
    for path in (whole, split):
        result = gcas("run", path)
        assert result.returncode == 0, result.stderr
    one, two = data_of(whole.parent / "whole"), data_of(split.parent / "split")
    for name in ("observations.nc:hx_background", "analysis.nc:factor_mean", "observations.nc:posterior"):
        assert np.allclose(one[f"2010-06-01/{name}"], two[f"2010-06-01/{name}"], rtol=1e-12, atol=1e-12), name


MOZART_LIKE = """
import os, sys
if '--capabilities' in sys.argv:
    sys.exit('unknown option')
os.execv(sys.executable, [sys.executable, '-m', 'mozart_coupling.embedded.main', sys.argv[1]])
"""


def test_a_model_with_nothing_but_the_file_contract_gives_the_same_within_float(small_case):
    """Emission files and history in the place of components and in-line samples."""
    script = small_case().parent / "mozart_like.py"
    script.write_text(MOZART_LIKE)
    masses = "precision = 'double', mw_air = 29.0, mw_co2 = 44.0"
    plain = small_case("plain.nml", name="plain", days=1,
                       transport=f"model = 'command', command = '{sys.executable}', '{script}', '{{namelist}}'"
                       ", mw_air = 28.9644, mw_co2 = 44.0095, precision = 'double', sampling = 'history'")
    own = small_case("own.nml", name="own", days=1, transport=masses.split(",")[0])
    for path in (plain, own):
        result = gcas("run", path)
        assert result.returncode == 0, result.stderr
    one, two = data_of(plain.parent / "plain"), data_of(own.parent / "own")
    for name in ("observations.nc:hx_background", "observations.nc:prior", "observations.nc:posterior"):
        assert np.nanmax(np.abs(one[f"2010-06-01/{name}"] - two[f"2010-06-01/{name}"])) < 5e-3, name
