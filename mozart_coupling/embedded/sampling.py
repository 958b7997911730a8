"""In-line sampling: only the columns that are active in a step are touched and kept, equal requests once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mozart_coupling.grids import Grid
from mozart_coupling.heights import hydrostatic_heights
from mozart_coupling.samples import ColumnAir, SampleRequest

GROUP = 64  # complete columns that are handed on together


class SampleCollector:
    """Accumulates weighted profiles over a run, and hands them on as they are complete.

    The model's states are numbered from 0 (the start) to the number of steps. A mean over an interval is the mean of the
    states at the ends of the steps inside it, weighted by how much of the step lies inside: for a history interval this is
    the history's average. An instant is linear between the two states around it.

    Parameters
    ----------
    request
        Inside the run: see `SampleRequest.require_inside`.
    start, timestep, n_steps
        The run [s since 1970, s, 1].
    hand_on
        (rows, mixing ratios): takes complete columns, numbers ascending (n,) and values (n, n_tracers, nlev) [kg/kg].
    """

    def __init__(self, request: SampleRequest, grid: Grid, n_levels: int, n_tracers: int, start: int, timestep: int, n_steps: int,
                 has_humidity: bool, hand_on: Callable[[np.ndarray, np.ndarray], None]) -> None:
        self.ilat, self.ilon, first, last, self.column = request.columns(grid)
        self._hand_on = hand_on
        n = self.ilat.size
        self._state, self._row, self._weight = _schedule(first, last, start, timestep, n_steps)
        self._begin = np.searchsorted(self._state, np.arange(n_steps + 2))
        self._first, self._last = np.full(n, n_steps), np.zeros(n, dtype=np.int64)
        np.minimum.at(self._first, self._row, self._state)
        np.maximum.at(self._last, self._row, self._state)
        # Mixing ratios are kept of columns between their first and last state alone; `_place` says where.
        at_once = np.cumsum(np.bincount(self._first, minlength=n_steps + 2) - np.bincount(self._last + 1, minlength=n_steps + 2))
        self._mixing = np.zeros((int(at_once.max(initial=0)), n_tracers, n_levels))
        self._place, self._free = np.zeros(n, dtype=np.int64), list(range(len(self._mixing)))
        self._ps, self._temperature = np.zeros(n), np.zeros((n, n_levels))
        self._humidity = np.zeros((n, n_levels)) if has_humidity else None

    def wants(self, state: int) -> bool:
        """Whether anything is to be sampled from a state."""
        return bool(self._begin[state + 1] > self._begin[state])

    def add(self, state: int, add_columns: Callable[..., None], ps: np.ndarray,
            profiles: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray | None]]) -> None:
        """Take the active columns of a state.

        Parameters
        ----------
        add_columns
            (ilat, ilon, row, weight, sums): adds weighted columns of mixing ratios to rows of sums (n, n_tracers, nlev).
        ps
            (nlat, nlon) [Pa].
        profiles
            (ilat, ilon) → temperature [K] and specific humidity [kg/kg] or None, each (n, nlev).
        """
        part = slice(self._begin[state], self._begin[state + 1])
        row, weight = self._row[part], self._weight[part]
        i, j = self.ilat[row], self.ilon[row]
        new = row[self._first[row] == state]
        self._place[new] = [self._free.pop() for _ in new]
        self._mixing[self._place[new]] = 0.0
        # A row appears once in a state, so that threads and adding through the index are safe.
        add_columns(i, j, self._place[row], weight, self._mixing)
        self._ps[row] += weight * ps[i, j]
        temperature, humidity = profiles(i, j)
        self._temperature[row] += weight[:, None] * temperature
        if self._humidity is not None and humidity is not None:
            self._humidity[row] += weight[:, None] * humidity
        complete = np.sort(row[self._last[row] == state])
        for first in range(0, complete.size, GROUP):
            rows = complete[first : first + GROUP]
            self._hand_on(rows, self._mixing[self._place[rows]])
        self._free += self._place[complete].tolist()

    def finish(self, phis: np.ndarray, hyai: np.ndarray, hybi: np.ndarray) -> ColumnAir:
        """All else about the columns; heights from their mean temperature, humidity and surface pressure."""
        humidity = None if self._humidity is None else np.ascontiguousarray(self._humidity.T)
        mid, interface = hydrostatic_heights(np.ascontiguousarray(self._temperature.T), humidity, self._ps, phis[self.ilat, self.ilon],
                                             hyai, hybi)
        return ColumnAir(self._ps, np.ascontiguousarray(mid.T), np.ascontiguousarray(interface.T), self._humidity)


def _schedule(first: np.ndarray, last: np.ndarray, start: int, timestep: int, n_steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(state, row, weight) of every contribution, in the order of states; the weights of a row add up to 1."""
    a, b = (first - start) / timestep, (last - start) / timestep  # in steps
    instant = np.flatnonzero(a == b)
    before = np.minimum(np.floor(a[instant]).astype(np.int64), n_steps - 1)
    share = a[instant] - before
    states, rows, weights = [before, before + 1], [instant, instant], [1.0 - share, share]
    mean = np.flatnonzero(a < b)
    low, high = np.floor(a[mean]).astype(np.int64), np.ceil(b[mean]).astype(np.int64)
    counts = high - low
    row = np.repeat(mean, counts)
    step = np.repeat(low, counts) + np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    states.append(step + 1)
    rows.append(row)
    weights.append((np.minimum(b[row], step + 1) - np.maximum(a[row], step)) / (b[row] - a[row]))
    state, row, weight = np.concatenate(states), np.concatenate(rows), np.concatenate(weights)
    used = weight > 0.0
    order = np.argsort(state[used], kind="stable")
    return state[used][order], row[used][order], weight[used][order]
