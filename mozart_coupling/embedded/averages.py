"""Averages for history files: of the tracers by the core, of the air here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from mozart_coupling.dates import readable
from mozart_coupling.embedded.anomalies import AnomalyCore
from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.heights import hydrostatic_heights
from mozart_coupling.history import HistoryWriter

ROWS = 8  # whose heights are computed together: what that needs in between stays small


class Averages:
    """Averages since the last history record. Heights come from the mean temperature, humidity and surface pressure.

    Parameters
    ----------
    writer
        Of the history files.
    core
        The tracers.
    phis
        Surface geopotential (nlat, nlon) [m2 s-2].
    start, interval
        First instant of the run [s since 1970], length of an average [s].
    physical
        (fields, what) → the fields as they are written, after a look at their values.
    """

    def __init__(self, writer: HistoryWriter, core: TransportCore | AnomalyCore, phis: np.ndarray, start: int, interval: int,
                 physical: Callable[[Sequence[np.ndarray], str], Iterable[np.ndarray]]) -> None:
        self.writer, self._core, self._phis, self._physical = writer, core, phis, physical
        self._start, self._interval, self._count = start, interval, 0
        layout = writer.layout
        profile = (layout.hyai.size - 1, *layout.grid.shape)
        self._ps, self._temperature = np.zeros(profile[1:]), np.zeros(profile)
        self._humidity = np.zeros(profile) if layout.has_humidity else None

    def add(self, now: int, temperature: np.ndarray, humidity: np.ndarray | None) -> None:
        """Take the state at the end of a step, with temperature [K] and humidity [kg/kg]; write a record when the interval is over."""
        self._core.accumulate_history()
        self._ps += self._core.surface_pressure
        self._temperature += temperature
        if self._humidity is not None and humidity is not None:
            self._humidity += humidity
        self._count += 1
        if (now - self._start) % self._interval == 0:
            self._write(now)

    def _write(self, now: int) -> None:
        sums = [values for values in (self._ps, self._temperature, self._humidity) if values is not None]
        for values in sums:
            values /= self._count
        self.writer.begin(now, self._ps, *self._heights(), self._humidity)
        self.writer.finish(self._physical(self._core.history_mean(), f"averages up to {readable(now)}"))
        self._core.reset_history()
        for values in sums:
            values[:] = 0.0
        self._count = 0

    def _heights(self) -> tuple[np.ndarray, np.ndarray]:
        """Of mid-levels and interfaces (nlev, …), (nlev+1, …) [m]."""
        layout = self.writer.layout
        mid, interface = np.empty_like(self._temperature), np.empty((layout.hyai.size, *self._ps.shape))
        for first in range(0, layout.grid.nlat, ROWS):
            rows = slice(first, first + ROWS)
            humidity = None if self._humidity is None else self._humidity[:, rows]
            mid[:, rows], interface[:, rows] = hydrostatic_heights(self._temperature[:, rows], humidity, self._ps[rows], self._phis[rows],
                                                                   layout.hyai, layout.hybi)
        return mid, interface
