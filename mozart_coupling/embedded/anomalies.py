"""Single precision without its round-off in the background: the tracers' mean in double, their anomalies in single.

Transport in `linear` mode is exactly linear, so the mean of all tracers and the anomalies from it may be carried apart.
The composite has the faces of `TransportCore`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mozart_coupling.embedded.core import TransportCore, tracer_mean
from mozart_coupling.embedded.step import StepEmission, StepMet
from mozart_coupling.errors import NamelistError
from mozart_coupling.grids import Grid


class AnomalyCore:
    """`n_tracers` tracers as one mean in double precision and as many anomalies in single.

    The parts are taken anew from the sum whenever a state is set: `mixing_ratio` followed by `set_state` is what a restart
    does. A running model does the same every midnight, so that both go on with the same bits; at other times `parts` and
    `set_parts` do.
    """

    def __init__(self, grid: Grid, hyai: np.ndarray, hybi: np.ndarray, n_tracers: int, *, mode: str = "linear", **options: Any) -> None:
        if mode != "linear":
            raise NamelistError("anomalies cannot be carried in monotone mode", "precision = 'single'", repr(mode), "'linear'")
        self._mean = TransportCore(grid, hyai, hybi, 1, mode="linear", precision="double", **options)
        self._anomaly = TransportCore(grid, hyai, hybi, n_tracers, mode="linear", precision="single", **options)
        self._anomaly.follow(self._mean)
        self.threads = self._mean.threads
        self._source: np.ndarray | None = None
        self._coefficients: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def surface_pressure(self) -> np.ndarray:
        """Surface pressure now (nlat, nlon) [Pa]."""
        return self._mean.surface_pressure

    @property
    def pressure_shift(self) -> float:
        """What the last step added to the met's surface pressure [Pa]."""
        return self._mean.pressure_shift

    def set_state(self, mixing_ratio: np.ndarray, surface_pressure: np.ndarray) -> None:
        """Start from these fields, as `TransportCore.set_state`."""
        mean = tracer_mean(mixing_ratio, self.threads)
        self._mean.set_state(mean[None], surface_pressure)
        self._anomaly.set_state(mixing_ratio - mean, surface_pressure)

    @property
    def parts(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean (nlev, nlat, nlon) and anomalies (n_tracers, nlev, nlat, nlon), the latter float32."""
        return self._mean.mixing_ratio()[0], self._anomaly.mixing_ratio().astype(np.float32)

    def set_parts(self, parts: tuple[np.ndarray, np.ndarray], surface_pressure: np.ndarray) -> None:
        """Start from `parts` of another core to the bit: for a restart at a time when a running model takes no new mean."""
        self._mean.set_state(parts[0][None], surface_pressure)
        self._anomaly.set_state(parts[1], surface_pressure)

    def mixing_ratio(self) -> np.ndarray:
        """Mean plus anomalies now (n_tracers, nlev, nlat, nlon)."""
        total = self._anomaly.mixing_ratio()
        total += self._mean.mixing_ratio()
        return total

    def gather(self, ilat: np.ndarray, ilon: np.ndarray) -> np.ndarray:
        """Columns now (n, n_tracers, nlev)."""
        return self._anomaly.gather(ilat, ilon) + self._mean.gather(ilat, ilon)

    def tracer_mass(self) -> np.ndarray:
        """Mixing ratio times mass of air, summed over the globe (n_tracers,) [mixing-ratio unit × kg]."""
        return self._anomaly.tracer_mass() + self._mean.tracer_mass()

    def air_mass(self) -> np.ndarray:
        """Mass of air in every cell now (nlev, nlat, nlon) [kg]."""
        return self._mean.air_mass()

    def accumulate_history(self) -> None:
        """Add the present mixing ratios to the running sums."""
        self._mean.accumulate_history()
        self._anomaly.accumulate_history()

    def history_mean(self) -> np.ndarray:
        """Mean of what was accumulated (n_tracers, nlev, nlat, nlon)."""
        total = self._anomaly.history_mean()
        total += self._mean.history_mean()
        return total

    def reset_history(self) -> None:
        """Forget what was accumulated."""
        self._mean.reset_history()
        self._anomaly.reset_history()

    def step(self, met: StepMet, dt: float, emission: StepEmission | None = None) -> None:
        """Advance both parts by `dt` seconds."""
        mean, anomaly = (None, None) if emission is None else self._split(emission)
        self._mean.step(met, dt, mean)
        self._anomaly.step(met, dt, anomaly)

    def _split(self, emission: StepEmission) -> tuple[StepEmission, StepEmission]:
        if emission.coefficients is None:
            mean = emission.basis.mean(axis=0, keepdims=True)
            return StepEmission(mean), StepEmission(emission.basis - mean)
        if emission.coefficients is not self._source or self._coefficients is None:
            mean = emission.coefficients.mean(axis=0, keepdims=True)
            self._source, self._coefficients = emission.coefficients, (mean, emission.coefficients - mean)
        return StepEmission(emission.basis, self._coefficients[0]), StepEmission(emission.basis, self._coefficients[1])
