"""The benchmark of reading: small files are made, kept and read, its rows have the documented keys."""

import json
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).parents[2] / "tools"


def test_a_small_week_is_timed(tmp_path):
    command = [sys.executable, TOOLS / "benchmark", "read", "--json", "--patience", "0", "--days", "2", "--soundings", "300",
               "--directory", tmp_path / "week"]
    rows = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout)
    assert [row["case"] for row in rows] == ["read-oco2-week", "read-oco2-week-single", "check-oco2-week"]
    for row in rows:
        assert list(row) == ["case", "threads", "precision", "seconds", "cpu_seconds", "limit_seconds", "peak_mib", "build"]
        assert row["seconds"] > 0 and row["limit_seconds"] > 0
    assert len(list((tmp_path / "week").iterdir())) == 2
