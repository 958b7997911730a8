"""Averages of soundings over cells and overpasses, summed block by block, of the best warn-level group only.

All quantities, errors and kernels too, are plain means, as in the paper (section 2.3) and Wang et al. (2019).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

OVERPASS_GAP_SECONDS = 3600.0
"""Soundings of one cell further apart in time are of different overpasses: an orbit takes about 100 minutes."""

MERGED = "averaged with others of its cell"
WORSE_GROUP = "worse warn-level group than another of its cell"


@dataclass(frozen=True)
class Segments:
    """Which soundings may be averaged with which.

    Attributes
    ----------
    index : ndarray of int (n,)
        Segment of each sounding: those of one cell, overpass, warn-level group and use.
    overpass : ndarray of int (n_segments,)
        Segments of one value are rivals: only the best group of them is kept.
    group : ndarray of int (n_segments,)
        Warn-level group, 0 the best.
    """

    index: np.ndarray
    overpass: np.ndarray
    group: np.ndarray

    def __len__(self) -> int:
        return len(self.overpass)

    def chosen(self, n_members: np.ndarray) -> np.ndarray:
        """Segments (n_segments,) bool that are kept, given how many good soundings each has: the best group that has any."""
        filled = np.where(n_members > 0, self.group, np.iinfo(np.int64).max)
        best = np.full(self.overpass.max(initial=-1) + 1, np.iinfo(np.int64).max)
        np.minimum.at(best, self.overpass, filled)
        return (n_members > 0) & (filled == best[self.overpass])


def segments_of(lon: np.ndarray, lat: np.ndarray, time: np.ndarray, degrees: float, group: np.ndarray,
                apart: np.ndarray | None = None) -> Segments:
    """Segments of soundings: cells are counted from -180, -90; an overpass ends where the next sounding of the cell is an hour later.

    Parameters
    ----------
    lon, lat, time : ndarray (n,)
        Degrees, longitude in [-180, 180); seconds.
    degrees : float
        Size of the cells; 0: every sounding is a segment of its own.
    group : ndarray of int (n,)
        Warn-level group, 0 the best.
    apart : ndarray of bool (n,), optional
        Soundings that are not to be averaged with the others, such as withheld ones.

    Returns
    -------
    Segments
        In order of the cells from the south, then from the west, then of time; without cells in the order of the soundings.
    """
    n = len(lon)
    if degrees <= 0.0:
        return Segments(np.arange(n), np.arange(n), np.zeros(n, dtype=np.int64))
    column = np.floor((lon + 180.0) / degrees).astype(np.int64)
    row = np.floor((lat + 90.0) / degrees).astype(np.int64)
    apart = np.zeros(n, dtype=bool) if apart is None else apart
    cell = (row * (int(np.ceil(360.0 / degrees)) + 1) + column) * 2 + apart
    order = np.lexsort((time, cell))
    new = np.ones(n, dtype=bool)
    new[1:] = (np.diff(cell[order]) != 0) | (np.diff(time[order]) > OVERPASS_GAP_SECONDS)
    overpass = np.empty(n, dtype=np.int64)
    overpass[order] = np.cumsum(new) - 1
    n_groups = int(group.max(initial=0)) + 1
    keys, index = np.unique(overpass * n_groups + group, return_inverse=True)
    return Segments(index.reshape(n), keys // n_groups, keys % n_groups)


class Sums:
    """Sums of quantities by segment, to which blocks of soundings are added.

    Parameters
    ----------
    n : int
        Segments.
    columns : int
        Numbers a sounding.
    """

    def __init__(self, n: int, columns: int) -> None:
        self.total = np.zeros((n, columns))

    def add(self, segment: np.ndarray, values: np.ndarray) -> None:
        """Add `values` (m, columns) of soundings in segments `segment` (m,)."""
        if not len(segment):
            return
        if (np.diff(segment) < 0).any():
            order = np.argsort(segment, kind="stable")
            segment, values = segment[order], values[order]
        starts = np.flatnonzero(np.r_[True, np.diff(segment) != 0])
        self.total[segment[starts]] += values if len(starts) == len(segment) else np.add.reduceat(values, starts, axis=0)

    def means(self, chosen: np.ndarray, n_members: np.ndarray) -> np.ndarray:
        """Means (n_chosen, columns) over the members of the chosen segments."""
        return self.total[chosen] / n_members[chosen, None]
