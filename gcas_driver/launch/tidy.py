"""Removing what only an earlier window needed."""

from __future__ import annotations

import re
from pathlib import Path

from mozart_coupling.dates import from_stamp
from mozart_coupling.history import history_files

_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}-\d{5}")


def forget_restarts(directory: Path, case: str, before: int) -> None:
    """Remove restart files of a run's `rest` folder with dates before `before` [s since 1970]; files of other names stay."""
    for path in directory.iterdir():
        stamp = _STAMP.search(path.name)
        ours = path.name.startswith((f"{case}.mz4.r.", "rstrt-"))
        if ours and stamp and from_stamp(stamp.group()) < before:
            path.unlink()


def forget_history(run_directory: Path, case: str, until: int) -> None:
    """Remove history files with stamps up to `until` [s since 1970]."""
    for stamp, path in history_files(run_directory, case):
        if stamp <= until:
            path.unlink()
