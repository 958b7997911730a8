"""The analysis benchmark: its problem is reproducible and as described, its rows have the documented keys."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

TOOLS = Path(__file__).parents[2] / "tools"


def test_rows_have_exactly_the_documented_keys():
    done = subprocess.run([sys.executable, TOOLS / "benchmark", "analysis", "--json", "--sizes", "S0", "--threads", "1",
                           "--filters", "taper", "significance", "letkf", "letkf-significance", "--soundings", "500"],
                          check=True, capture_output=True, text=True, timeout=120)
    rows = json.loads(done.stdout)
    assert {row["case"] for row in rows} == {"ensrf-S0-taper", "ensrf-S0-significance", "letkf-S0", "letkf-S0-significance",
                                            "xco2-operator"}
    for row in rows:
        assert list(row) == ["case", "threads", "precision", "seconds", "cpu_seconds", "limit_seconds", "peak_mib", "build"]
        assert row["seconds"] > 0 and row["limit_seconds"] > 0


def test_the_problem_is_as_described(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    from benchmarks.analysis import MEMBERS, make_problem

    problem, again = make_problem(16, 8, 50), make_problem(16, 8, 50)
    assert np.array_equal(problem.x, again.x) and np.array_equal(problem.hx, again.hx)
    assert problem.x.shape == (256, MEMBERS) and problem.hx.shape == (50, MEMBERS)
    assert problem.x.mean(axis=1) == pytest.approx(1.0)
    assert problem.x.std(axis=1, ddof=1) == pytest.approx(0.5)
    assert problem.hx.var(axis=1, ddof=1).mean() == pytest.approx(0.37)
