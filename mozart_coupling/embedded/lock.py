"""One model at a time in a run directory, whoever starts it: two would write the same files."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mozart_coupling.errors import RunFailed

LOCK_NAME = "gcas-transport.lock"


@contextmanager
def only_run(directory: Path) -> Iterator[None]:
    """Hold the run directory's lock; the system lets go of it when the process ends, however that happens.

    Raises
    ------
    RunFailed
        If another model runs there.
    """
    descriptor = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunFailed("another model runs in this directory", directory, "a held lock", "one model in a run directory",
                            "Wait for its end, or give this run a directory of its own.") from None
        yield
    finally:
        os.close(descriptor)
