"""One model run at a time in a run directory, even after the driver was killed.

The lock is a `flock` on a file in the run directory. The model's processes inherit its descriptor, so the lock is held as
long as one of them lives, whether the driver does or not. A driver that finds it held ends the process group that is
noted in the file, and waits until the lock is free.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import time
from pathlib import Path

from mozart_coupling.errors import RunFailed

LOCK_NAME = "run.lock"
GRACE_SECONDS = 5.0


class RunLock:
    """The lock of a run directory; `descriptor` is to be inherited by the model."""

    def __init__(self, directory: Path, wait_seconds: float = 60.0) -> None:
        self.path = directory / LOCK_NAME
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._acquire(wait_seconds)
        except BaseException:
            os.close(self.descriptor)
            raise
        self._write({})

    def note(self, group: int) -> None:
        """Write down the process group that holds the lock from now on."""
        self._write({"group": group, "host": socket.gethostname(), "driver": os.getpid(), "since": time.time()})

    def close(self) -> None:
        """Let go; processes that inherited the descriptor keep the lock."""
        os.close(self.descriptor)

    def _acquire(self, wait_seconds: float) -> None:
        began, asked = time.monotonic(), 0
        while not self._try():
            holder = self._holder()
            waited = time.monotonic() - began
            if waited > wait_seconds:
                raise RunFailed("another model run holds the run directory", self.path, f"{holder or 'no note of the process'}",
                                "no run, or one that can be ended", "End that run, then start again.")
            # Only a group noted by a driver on this host that is itself gone is ours to end.
            driver = int(str(holder.get("driver", 0)))
            if holder.get("host") == socket.gethostname() and (driver == os.getpid() or not _alive(driver)):
                wanted = signal.SIGTERM if waited < GRACE_SECONDS else signal.SIGKILL
                if asked != wanted:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.killpg(int(str(holder["group"])), wanted)
                    asked = wanted
            time.sleep(0.1)

    def _try(self) -> bool:
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _holder(self) -> dict[str, object]:
        try:
            return dict(json.loads(self.path.read_text() or "{}"))
        except (OSError, ValueError):
            return {}

    def _write(self, content: dict[str, object]) -> None:
        text = json.dumps(content).encode() if content else b""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, text, 0)
        os.fsync(self.descriptor)


def _alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
