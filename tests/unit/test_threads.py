"""Threads: how many, and that waiting ones sleep in every process that computes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mozart_coupling.threads import default_threads, let_waiting_threads_sleep

ALL = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize(("text", "expected"), [(None, ALL), ("", ALL), ("0", ALL), ("many", ALL), ("3", 3), ("3,2", 3), (" 5 ", 5)])
def test_default_number(monkeypatch, text, expected):
    if text is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert default_threads() == expected


def test_the_environment_has_the_last_word(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    let_waiting_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    let_waiting_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "active"


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc to see which libraries are loaded")
@pytest.mark.parametrize("module", ["gcas_driver.cli", "mozart_coupling.embedded.main"])
def test_commands_choose_before_openmp_is_loaded(module):
    """OpenMP reads the policy once, when it is loaded: importing a command must not load it, running it must set the policy."""
    code = f"""
import os, pathlib
from {module} import main
assert "libgomp" not in pathlib.Path("/proc/self/maps").read_text(), "loaded too early"
main([{'"namelist-doc"' if "cli" in module else '"absent.nml"'}])
assert os.environ["OMP_WAIT_POLICY"] == "passive"
import gcas_driver._analysis
assert "libgomp" in pathlib.Path("/proc/self/maps").read_text()
"""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
