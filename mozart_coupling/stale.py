"""What an earlier run left: found by its dates and moved aside, so that it cannot pass for a later run's output."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from mozart_coupling.dates import from_stamp
from mozart_coupling.errors import CouplingError
from mozart_coupling.history import history_files

ASIDE = "aside"


def dated_output(directory: Path, case: str, start: int, end: int) -> list[Path]:
    """History and restart files dated inside (start, end] [s since 1970]."""
    stale = [path for stamp, path in history_files(directory, case) if start < stamp <= end]
    for pattern in (f"{case}.mz4.r.*", "rstrt-*"):
        for path in (directory / "rest").glob(pattern):
            date = _date_in(path.name)
            if date is not None and start < date <= end:
                stale.append(path)
    return stale


def move_aside(directory: Path, stale: Iterable[Path]) -> None:
    """Move files to `aside` in the run directory, which then holds these only."""
    aside = directory / ASIDE
    shutil.rmtree(aside, ignore_errors=True)
    for path in stale:
        aside.mkdir(exist_ok=True)
        shutil.move(path, aside / path.name)


def _date_in(name: str) -> int | None:
    for part in (name.removeprefix("rstrt-")[:16], name.partition(".mz4.r.")[2][:16]):
        try:
            return from_stamp(part)
        except CouplingError:
            continue
    return None
