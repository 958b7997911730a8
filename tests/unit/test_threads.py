"""Threads: how many, and that waiting ones sleep in every process that computes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mozart_coupling.threads import BLAS_LOOKS, LOOKS, default_threads, let_waiting_threads_sleep

ALL = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize(("text", "expected"), [(None, ALL), ("", ALL), ("0", ALL), ("many", ALL), ("3", 3), ("3,2", 3), (" 5 ", 5)])
def test_default_number(monkeypatch, text, expected):
    if text is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert default_threads() == expected


def test_the_environment_has_the_last_word(monkeypatch):
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OPENBLAS_THREAD_TIMEOUT"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    let_waiting_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "passive" and os.environ["GOMP_SPINCOUNT"] == str(LOOKS)
    assert os.environ["OPENBLAS_THREAD_TIMEOUT"] == str(BLAS_LOOKS)
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    monkeypatch.setenv("OPENBLAS_THREAD_TIMEOUT", "12")
    monkeypatch.delenv("OMP_WAIT_POLICY")
    let_waiting_threads_sleep()
    assert os.environ["GOMP_SPINCOUNT"] == "7" and os.environ["OPENBLAS_THREAD_TIMEOUT"] == "12"
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    monkeypatch.delenv("GOMP_SPINCOUNT")
    let_waiting_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "active" and "GOMP_SPINCOUNT" not in os.environ


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processor time by thread")
def test_a_thread_without_work_sleeps():
    """After a parallel region the process waits for half a second; its other thread must not compute meanwhile."""
    code = """
import numpy, os, time
from mozart_coupling.threads import let_waiting_threads_sleep
let_waiting_threads_sleep()
from gcas_driver.analysis.moments import Moments
members = numpy.arange(200000.0).reshape(-1, 4)
Moments.of(members, 2)
before = time.process_time()
time.sleep(0.5)
print(time.process_time() - before)
"""
    environment = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    done = subprocess.run([sys.executable, "-c", code], env=environment | {"OPENBLAS_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.05


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
    environment = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "OPENBLAS_THREAD_TIMEOUT")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_product_of_the_command_leaves_no_thread_spinning():
    """OpenBLAS reads how long its threads spin when NumPy is loaded: the command must choose before its own imports load it."""
    code = """
import gcas_driver.cli, numpy, time
matrix = numpy.ones((600, 600))
matrix @ matrix
before = time.process_time()
time.sleep(0.3)
print(time.process_time() - before)
"""
    environment = {name: value for name, value in os.environ.items() if name not in ("OPENBLAS_THREAD_TIMEOUT", "OPENBLAS_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.008
