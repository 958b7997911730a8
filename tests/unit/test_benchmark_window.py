"""The window benchmark: a small window is run and timed, its row has the documented keys."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.mark.slow
def test_a_small_window_is_timed():
    done = subprocess.run([sys.executable, TOOLS / "benchmark", "window", "--json", "--members", "4", "--grid", "24x12", "--threads", "2"],
                          check=True, capture_output=True, text=True, timeout=300)
    row, = json.loads(done.stdout)
    assert list(row) == ["case", "threads", "precision", "seconds", "cpu_seconds", "limit_seconds", "peak_mib", "build"]
    assert (row["case"], row["threads"], row["precision"]) == ("window-4", 2, "single")
    assert row["cpu_seconds"] > 0 and row["seconds"] > row["limit_seconds"] > 0 and row["peak_mib"] > 10


def test_what_a_run_left_is_forgotten_and_the_inputs_are_kept(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    from benchmarks.window import _forget

    for name in ("windows/a", "transport/a", "journal.jsonl", "inputs/a", "met/a", "demo.nml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    _forget(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo.nml", "inputs", "met"]
