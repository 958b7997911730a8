"""A model run: prepared, launched as a process, verified by the contract's strict rule.

The driver asks a model for its capabilities, never for its name: with none of them it is treated as MOZART-4.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mozart_coupling import contract
from mozart_coupling.errors import CouplingError, RunFailed
from mozart_coupling.orphans import RunLock
from mozart_coupling.prepare import prepare
from mozart_coupling.restart import write_pointer
from mozart_coupling.run_request import EMBEDDED_COMMAND, Capabilities, ModelSettings, PreparedRun, RunRequest
from mozart_coupling.verify import check_output

__all__ = ["EMBEDDED_COMMAND", "BadInput", "Capabilities", "ModelSettings", "PreparedRun", "RunRequest", "launch", "prepare", "run",
           "verify"]

log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
LOG_LINES_SHOWN = 15
BAD_INPUT_EXIT = 2
Progress = Callable[[float], None]


def run(request: RunRequest, settings: ModelSettings, progress: Progress | None = None) -> PreparedRun:
    """Prepare, launch and verify, with as many retries as set.

    Raises
    ------
    RunFailed
        After the last retry, or at once when the model says that its input is bad.
    CouplingError
        Input that keeps the run from being prepared.
    """
    for attempt in range(settings.retries + 1):
        prepared = prepare(request, settings)
        try:
            launch(prepared, progress)
            verify(prepared)
            return prepared
        except RunFailed as problem:
            _set_back_pointer(prepared)
            if attempt == settings.retries or isinstance(problem, BadInput):
                raise
            log.warning("%s; attempt %d of %d follows", problem, attempt + 2, settings.retries + 1)
    raise AssertionError("unreachable: the last attempt returns or raises")


class BadInput(RunFailed):
    """The model refused its input: trying again would not help."""


def launch(prepared: PreparedRun, progress: Progress | None = None) -> None:
    """Start the model and wait for its end.

    The model is a session of its own and dies with this process (parent-death signal where the system has it); it holds the
    run directory's lock as long as it lives. Its output goes to the log file.

    Parameters
    ----------
    progress
        Called with the share of the run that is done, 0 … 1, where the model tells.

    Raises
    ------
    RunFailed
        The model cannot be started, ends with another exit code than 0, or takes longer than the timeout.
    """
    request, settings = prepared.request, prepared.settings
    words = [word.replace("{namelist}", prepared.namelist.name) for word in settings.command]
    environment = dict(os.environ)
    if request.threads > 0:
        environment["OMP_NUM_THREADS"] = str(request.threads)
    starter = [sys.executable, "-I", "-S", str(Path(__file__).with_name("child.py")), str(os.getpid())]
    lock = RunLock(request.directory)
    try:
        prepared.marker.touch()
        with open(prepared.log_file, "wb") as output:
            process = subprocess.Popen(starter + words, cwd=request.directory, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.STDOUT,
                                       env=environment, start_new_session=True, pass_fds=(lock.descriptor,), close_fds=True)
        lock.note(process.pid)
    finally:
        lock.close()
    try:
        code = _wait(process, prepared, progress)
    except BaseException:
        _end_group(process)
        raise
    _end_group(process)  # helpers that a launcher such as mpirun may leave
    if code != 0:
        kind = BadInput if code == BAD_INPUT_EXIT and settings.capabilities.any else RunFailed
        how = f"signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"exit code {code}"
        raise kind("the transport model did not end well", prepared.where, how, "exit code 0", _log_tail(prepared))


def verify(prepared: PreparedRun) -> None:
    """The contract's strict check of what a run left behind.

    Raises
    ------
    RunFailed
        Naming the run, the file and the check, with the log's last lines.
    """
    try:
        check_output(prepared)
    except CouplingError as problem:
        raise RunFailed(problem.what, f"{prepared.where}; {problem.where}", problem.found, problem.expected,
                        f"{problem.advice} {_log_tail(prepared)}".strip()) from problem


def _wait(process: subprocess.Popen[bytes], prepared: PreparedRun, progress: Progress | None) -> int:
    timeout = prepared.request.timeout or prepared.settings.timeout
    began, shown = time.monotonic(), -1.0
    while True:
        try:
            return process.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        if progress is not None:
            share = _share_done(prepared.progress_file)
            if share > shown:
                progress(share)
                shown = share
        if timeout is not None and time.monotonic() - began > timeout:
            raise RunFailed("the transport model took too long", prepared.where, f"more than {timeout:g} s", "an end within the timeout",
                            _log_tail(prepared))


def _share_done(path: Path) -> float:
    try:
        said = json.loads(path.read_text())
        return float(said["step"]) / float(said["steps"])
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError):
        return 0.0


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End every process of the model's group, politely first while its leader lives."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sent)
        except (ProcessLookupError, PermissionError):
            break
        try:
            process.wait(5.0 if sent == signal.SIGTERM else None)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _set_back_pointer(prepared: PreparedRun) -> None:
    if prepared.request.restart:
        write_pointer(prepared.request.directory, prepared.request.case, prepared.start)
    else:
        (prepared.request.directory / contract.pointer_name(prepared.request.case)).unlink(missing_ok=True)


def _log_tail(prepared: PreparedRun) -> str:
    try:
        lines = prepared.log_file.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
    except OSError:
        return ""
    return f"Last lines of {prepared.log_file}:\n    " + "\n    ".join(lines) if lines else f"{prepared.log_file} is empty."

