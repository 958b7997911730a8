"""The analysis benchmark: its problem is reproducible and as described, its rows have the documented keys."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

TOOLS = Path(__file__).parents[2] / "tools"


def test_rows_have_exactly_the_documented_keys():
    done = subprocess.run([sys.executable, TOOLS / "benchmark", "analysis", "--json", "--sizes", "S0", "--threads", "1",
                           "--patience", "0",
                           "--filters", "taper", "taper-masked", "letkf-interpolated", "--soundings", "500"],
                          check=True, capture_output=True, text=True, timeout=120)
    rows = json.loads(done.stdout)
    assert [(row["case"], row["precision"]) for row in rows] == [
        ("ensrf-S0-taper", "double"), ("ensrf-S0-taper", "single"), ("ensrf-S0-taper-masked", "double"),
        ("letkf-S0-interpolated", "double"), ("xco2-operator", "double"),
        ("witness-ensrf-S0-taper", "double"), ("witness-ensrf-S0-taper", "single"), ("witness-letkf-S0-interpolated", "double")]
    for row in rows:
        assert list(row) == ["case", "threads", "precision", "seconds", "cpu_seconds", "limit_seconds", "peak_mib", "build"]
        assert row["seconds"] > 0 and row["limit_seconds"] > 0


def test_every_case_changes_what_its_name_says(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    from benchmarks.analysis import CASES, make_problem, run_case

    problem = make_problem(16, 8, 200)
    results = [run_case(case, problem, replace(problem.localization, **case.change), 1, "double", problem.x.copy()).x
               for case in CASES.values()]
    assert [case.name.format("S1") for case in CASES.values()] == [
        "ensrf-S1-taper", "ensrf-S1-significance", "letkf-S1", "letkf-S1-significance", "letkf-S1-interpolated"]
    for number, x in enumerate(results):
        assert np.isfinite(x).all()
        assert all(np.abs(x - other).max() > 1e-3 for other in [problem.x, *results[:number]])


def test_seven_cells_in_ten_are_masked_and_what_they_cost_is_said(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    from benchmarks.analysis import describe, mask_of
    from benchmarks.common import Row

    mask = mask_of(128, 64)
    assert mask.shape == (2 * 8192,) and np.array_equal(mask[:8192], mask[8192:]) and mask.mean() == pytest.approx(0.7, abs=1e-4)
    changes = np.diff(mask[:8192].reshape(64, 128), axis=1).mean()
    assert 0.0 < changes < 0.1  # in patches
    rows = [Row(case, 1, "double", seconds, seconds, limit, None, "") for case, seconds, limit in (
        ("ensrf-S1-taper", 10.0, 1.0), ("ensrf-S1-taper-masked", 4.5, 4.0), ("letkf-S1", 10.0, 1.0))]
    assert describe(rows) == "ensrf-S1-taper, 1 threads: a masked parameter costs 0.083 of one that is updated"


def test_the_problem_is_as_described(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    from benchmarks.analysis import MEMBERS, make_problem

    problem, again = make_problem(16, 8, 50), make_problem(16, 8, 50)
    assert np.array_equal(problem.x, again.x) and np.array_equal(problem.hx, again.hx)
    assert problem.x.shape == (256, MEMBERS) and problem.hx.shape == (50, MEMBERS)
    assert problem.x.mean(axis=1) == pytest.approx(1.0)
    assert problem.x.std(axis=1, ddof=1) == pytest.approx(0.5)
    assert problem.hx.var(axis=1, ddof=1).mean() == pytest.approx(0.37)
