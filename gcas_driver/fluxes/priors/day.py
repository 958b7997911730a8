"""A day of fluxes, what every reader gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mozart_coupling.grids import Grid, regrid

STEP_HOURS = 3
STEPS_PER_DAY = 24 // STEP_HOURS


@dataclass(frozen=True)
class FluxDay:
    """The part of a flux file that falls into one day.

    Attributes
    ----------
    grid : Grid
        Of the values, longitudes ascending from the first one at or after 0.
    start, end : numpy.ndarray
        (n,) datetime64[s], the intervals, cut to the day; they cover it without gaps.
    values : numpy.ndarray
        (n, nlat, nlon) float64, means over the intervals [mol m-2 s-1]; 0 where nothing is known.
    path : pathlib.Path
        Where they were read.
    gaps : numpy.ndarray or None
        (n, nlat, nlon) where nothing is known, as a share of the cell and interval (bool or 0 to 1); None: nowhere.
    """

    grid: Grid
    start: np.ndarray
    end: np.ndarray
    values: np.ndarray
    path: Path
    gaps: np.ndarray | None = None

    def moved(self, days: np.timedelta64) -> FluxDay:
        """The same fluxes on another day."""
        return replace(self, start=self.start + days, end=self.end + days) if days else self


def three_hourly(day: FluxDay) -> np.ndarray:
    """Means of a day's fluxes over its eight three-hour intervals, whatever intervals they came in.

    Returns
    -------
    numpy.ndarray
        (8, nlat, nlon) [mol m-2 s-1]; the day's total is kept.
    """
    return _averaged(day, day.values)


def three_hourly_gaps(day: FluxDay) -> np.ndarray:
    """Shares (8, nlat, nlon) of the three-hour intervals and cells where nothing is known."""
    return np.zeros((STEPS_PER_DAY, *day.grid.shape)) if day.gaps is None else _averaged(day, day.gaps.astype(np.float64))


def in_three_hours(day: FluxDay, values: np.ndarray, gaps: np.ndarray | None = None, grid: Grid | None = None) -> FluxDay:
    """The day with new values (8, nlat, nlon) for its three-hour intervals."""
    first = day.start[0].astype("datetime64[D]").astype("datetime64[s]")
    edges = first + np.arange(STEPS_PER_DAY + 1) * np.timedelta64(3600 * STEP_HOURS, "s")
    return FluxDay(grid or day.grid, edges[:-1], edges[1:], values, day.path, gaps)


def on_finer(first: Grid, second: Grid) -> Grid:
    """The one of two grids that has more cells."""
    return second if second.nlat * second.nlon > first.nlat * first.nlon else first


def moved_to(values: np.ndarray, source: Grid, target: Grid) -> np.ndarray:
    """Amounts per area on another grid, totals kept; the very same array where the grid is the same."""
    return values if source == target else regrid(values, source, target, kind="flux")


def _averaged(day: FluxDay, values: np.ndarray) -> np.ndarray:
    first = day.start[0].astype("datetime64[D]").astype("datetime64[s]")
    low = (day.start - first) / np.timedelta64(1, "h")
    high = (day.end - first) / np.timedelta64(1, "h")
    targets = np.arange(STEPS_PER_DAY + 1) * float(STEP_HOURS)
    if np.array_equal(low, targets[:-1]) and np.array_equal(high, targets[1:]):
        return values
    overlap = np.minimum(high[None], targets[1:, None]) - np.maximum(low[None], targets[:-1, None])
    return np.tensordot(np.maximum(overlap, 0.0) / STEP_HOURS, values, axes=1)
