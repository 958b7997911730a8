"""One run at a time in a case's directory.

The lock is the kernel's (`flock`), so it ends with the process that holds it, however that ends; the process id in the file is for
the message only.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import LockedError

NAME = "gcas.lock"
ATTEMPTS, PAUSE = 5, 0.1  # [s] between them


@contextmanager
def case_lock(directory: Path) -> Iterator[None]:
    """Hold the case's lock.

    Raises
    ------
    LockedError
        Another process holds it.
    """
    path = Path(directory) / NAME
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(handle, path)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def _take(handle: int, path: Path) -> None:
    """Take the lock; who only looks at it, as `gcas status` does, holds it for a moment, which is waited for."""
    for attempt in range(ATTEMPTS):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if attempt == ATTEMPTS - 1:
                raise LockedError("another run works on this case", str(path), f"process {_reader(handle)}", "one run at a time",
                                  "wait for it, or end it") from None
            time.sleep(PAUSE)
        except OSError as error:
            raise LockedError("this file system has no locks, and without one two runs could work on one case", str(path),
                              error.strerror or str(error), "", "put the case's directory on another disk") from error


def holder(directory: Path) -> int | None:
    """Process id of the run that holds the case's lock, or None when nobody does."""
    path = Path(directory) / NAME
    if not path.exists():
        return None
    handle = os.open(path, os.O_RDONLY)  # of another user's case, too
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        text = _reader(handle)
        return int(text) if text.isdigit() else 0
    finally:
        os.close(handle)


def _reader(handle: int) -> str:
    return os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
