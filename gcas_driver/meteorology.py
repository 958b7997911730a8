"""The meteorology of a case: the files it names, or the embedded model's analytic circulation, written first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mozart_coupling.classic_header import missing_bytes
from mozart_coupling.embedded.circulation import write_circulation
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.grids import Grid
from mozart_coupling.met import MetFiles, met_file_name

from .config import Settings
from .plan import DAY
from .progress import Reporter


@dataclass(frozen=True)
class Meteorology:
    """Where the met files are, and the grid and levels they are on."""

    directory: Path
    prefix: str
    date_format: str
    grid: Grid
    levels: tuple[np.ndarray, np.ndarray]


def location(settings: Settings) -> tuple[Path, str, str]:
    """Directory, prefix and date format of a case's met files."""
    transport = settings.transport
    if transport.met_directory is None:
        return settings.case_directory / "met", f"analytic_{transport.grid}x{transport.levels}_{transport.met_seed}_", "yyyymmdd"
    return transport.met_directory, transport.met_prefix, transport.met_date_format


def ensure_meteorology(settings: Settings, reporter: Reporter) -> Meteorology:
    """The case's meteorology; files of the analytic circulation that are not there yet are written.

    Raises
    ------
    MetError
        There are no files where the settings say, or they cannot be read.
    """
    if settings.transport.met_directory is None:
        write_analytic(settings, reporter)
    directory, prefix, date_format = location(settings)
    with MetFiles(directory, prefix, date_format) as files:
        return Meteorology(directory, prefix, date_format, files.grid, tuple(np.array(c) for c in files.levels))


def _whole(path: Path) -> bool:
    """Whether a file is there, is one of ours by its first bytes, and has all the bytes that its header speaks of."""
    try:
        with open(path, "rb") as stream:
            begins = stream.read(4)
    except FileNotFoundError:
        return False
    return begins in (b"CDF\1", b"CDF\2", b"CDF\5") and not missing_bytes(path)


def write_analytic(settings: Settings, reporter: Reporter) -> None:
    """Write the analytic circulation of the whole run into the case's directory; days that are there, and whole, are kept."""
    transport, time = settings.transport, settings.time
    directory, prefix, date_format = location(settings)
    days = np.arange(time.start - DAY, time.end + 2 * DAY, DAY)
    missing = [day for day in days if not _whole(directory / met_file_name(prefix, date_format, day))]
    if not missing:
        return
    reporter.log.info("no met_directory is set: the embedded model runs on its analytic circulation "
                      "(%s, %d levels, seed %d), written to %s",
                      transport.grid, transport.levels, transport.met_seed, directory)
    grid = Grid.named(transport.grid)
    with reporter.bar("analytic meteorology") as advance:
        # The writer begins a day before its start and wants a start before the end; days it writes again come out the same.
        first = min(missing[0] + DAY, time.end - DAY)
        write_circulation(directory, prefix, grid, *hybrid_levels(transport.levels), first, time.end, transport.met_seed,
                          progress=lambda done, total: advance(done / total))
