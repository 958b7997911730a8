"""Where a run's meteorology comes from: the analytic circulation, made month by month, or a year of met files, repeated."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mozart_coupling.dates import to_seconds
from mozart_coupling.embedded.circulation import Circulation, write_records
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.embedded.met_feed import MetFeed
from mozart_coupling.grids import Grid
from mozart_coupling.met import MetFiles


class Winds(ABC):
    """Meteorology of the months of a run.

    Attributes
    ----------
    name
        For files and legends.
    start
        First instant of the run, the first of January of a year.
    """

    name: str
    start: np.datetime64

    @abstractmethod
    def month(self, number: int) -> tuple[MetFeed, int, int]:
        """Meteorology of the month `number` (from 0) of the run, and where it begins and ends on the met's clock [s since 1970].

        A month's met files may be gone when the next is asked for.
        """

    def turns(self, number: int) -> bool:
        """Whether the meteorology of a month does not go on from that of the month before."""
        return False

    @abstractmethod
    def close(self) -> None:
        """Remove what was made, close what is open."""


class AnalyticWinds(Winds):
    """The analytic circulation, 3-hourly; files of one month at a time.

    Parameters
    ----------
    grid, work
        Of the run; its folder of passing files.
    year, seed
        Of the circulation.
    make
        Gives the circulation from grid, hyai, hybi and seed: experiments have their own.
    """

    def __init__(self, grid: Grid, work: Path, year: int = 2014, seed: int = 1, make: Callable[..., Circulation] = Circulation) -> None:
        self.name, self.start, self.seed = "analytic", np.datetime64(f"{year}-01-01", "s"), seed
        self._circulation = make(grid, *hybrid_levels(), seed)
        self._work = work / "analytic_met"

    def month(self, number: int) -> tuple[MetFeed, int, int]:
        """See `Winds`."""
        self.close()
        start, end = month_bounds(self.start, number)
        first, last = (np.datetime64(time, "s") for time in (start, end))
        write_records(self._circulation, self._work, "met_", first, last, 3, {"seed": str(self.seed)})
        feed = MetFeed(MetFiles(self._work, "met_"), to_seconds(start), to_seconds(end), mixing=True)
        return feed, to_seconds(start), to_seconds(end)

    def close(self) -> None:
        """Remove the month's files."""
        shutil.rmtree(self._work, ignore_errors=True)


class YearOfFiles(Winds):
    """One year of met files, over and over.

    At the turn of the year mixing ratios are handed to the surface pressure of its first day: a uniform tracer stays uniform, and
    the mass of others moves by what `Tally` records.
    """

    def __init__(self, directory: Path, prefix: str, year: int, name: str) -> None:
        self.name, self.start = name, np.datetime64(f"{year}-01-01", "s")
        self._files = MetFiles(directory, prefix)

    def month(self, number: int) -> tuple[MetFeed, int, int]:
        """See `Winds`."""
        start, end = (to_seconds(time) for time in month_bounds(self.start, number % 12))
        return MetFeed(self._files, start, end, mixing=True), start, end

    def turns(self, number: int) -> bool:
        """The year begins again."""
        return number > 0 and number % 12 == 0

    def close(self) -> None:
        """Close the files."""
        self._files.close()


def month_bounds(start: np.datetime64, number: int) -> tuple[np.datetime64, np.datetime64]:
    """First instants of a month and of the next, counted from a first of January."""
    first = np.datetime64(start, "M") + number
    return first.astype("datetime64[s]"), (first + 1).astype("datetime64[s]")
