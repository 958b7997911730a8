"""The transport benchmark: rows have the documented keys, rates follow from them, the whole program is timed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
KEYS = ["case", "threads", "precision", "seconds", "cpu_seconds", "limit_seconds", "peak_mib", "build"]


def benchmark(*words: str) -> str:
    """What `tools/benchmark transport` prints."""
    command = [sys.executable, TOOLS / "benchmark", "transport", "--steps", "1", "--patience", "0", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout


def test_a_few_steps_are_timed_and_scaled_to_a_week():
    rows = json.loads(benchmark("--json", "--cases", "advection-1", "model-1", "--precisions", "single"))
    assert all(list(row) == KEYS for row in rows)
    assert [(row["case"], row["threads"]) for row in rows] == [
        ("triad", 1), ("dgemm", 1), ("triad", 2), ("dgemm", 2), ("advection-1", 1), ("advection-1", 2), ("model-1", 1), ("model-1", 2),
        ("witness-advection-1", 1), ("witness-advection-1", 2), ("witness-model-1", 1), ("witness-model-1", 2)]
    machine = {(row["case"], row["threads"]): row["seconds"] for row in rows}
    for row in rows[4:8]:
        # Four transfers of every number in each of the week's steps, at the triad's rate: 24 bytes of 12 million elements.
        expected = 336 * 4 * 4 * 28 * 64 * 128 / (24 * 12_000_000 / machine["triad", row["threads"]])
        assert row["limit_seconds"] == pytest.approx(expected)
        assert row["seconds"] > row["limit_seconds"] and row["cpu_seconds"] > 0 and row["peak_mib"] > 1
    for row in rows[8:]:
        assert row["seconds"] >= row["limit_seconds"] > 0
    assert machine["model-1", 1] > machine["advection-1", 1]


def test_rates_are_told_with_the_table():
    lines = benchmark("--cases", "advection-10", "--precisions", "double", "--threads", "1").splitlines()
    seconds = float(next(line for line in lines if line.startswith("advection-10")).split()[4])
    rate, ratio = next(line for line in lines[5:] if line.startswith("advection-10")).split()[3:5]
    assert float(rate) == pytest.approx(336 * 10 * 28 * 64 * 128 / seconds, rel=0.01)
    assert float(ratio) == pytest.approx(float(rate) / 1.34e7, rel=0.02)


@pytest.mark.slow
def test_the_whole_program_is_timed():
    rows = json.loads(benchmark("--json", "--cases", "program-100", "--precisions", "single", "--threads", "2"))
    row = rows[-1]
    assert row["case"] == "program-100" and row["seconds"] > 7 and 100 < row["peak_mib"] < 2.5 * 175 * 1.05
