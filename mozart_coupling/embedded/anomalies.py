"""Single precision without its round-off in the background: the tracers' mean in double, their anomalies in single.

Transport in `linear` mode is exactly linear, so the mean of all tracers and the anomalies from it may be carried apart.
The composite has the faces of `TransportCore`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from mozart_coupling.embedded.blocks import Anomalies, Fields, tracer_mean
from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.embedded.step import StepEmission, StepMet
from mozart_coupling.errors import NamelistError
from mozart_coupling.grids import Grid


class AnomalyCore:
    """`n_tracers` tracers as one mean in double precision and as many anomalies in single.

    The parts are taken anew from the sum whenever a state is set: `fields` followed by `set_state` is what a restart
    does. A running model does the same every midnight, so that both go on with the same bits; at other times `parts` and
    `set_parts` do.
    """

    def __init__(self, grid: Grid, hyai: np.ndarray, hybi: np.ndarray, n_tracers: int, *, mode: str = "linear",
                 history_precision: Literal["double", "single"] = "double", **options: Any) -> None:
        if mode != "linear":
            raise NamelistError("anomalies cannot be carried in monotone mode", "precision = 'single'", repr(mode), "'linear'")
        self._mean = TransportCore(grid, hyai, hybi, 1, mode="linear", precision="double", **options)
        self._anomaly = TransportCore(grid, hyai, hybi, n_tracers, mode="linear", precision="single", history_precision=history_precision,
                                      **options)
        self._anomaly.carry_along(self._mean)
        self.threads = self._mean.threads
        self._source: np.ndarray | None = None
        self._has_coefficients = False

    @property
    def surface_pressure(self) -> np.ndarray:
        """Surface pressure now (nlat, nlon) [Pa]."""
        return self._mean.surface_pressure

    @property
    def pressure_shift(self) -> float:
        """What the last step added to the met's surface pressure [Pa]."""
        return self._anomaly.pressure_shift

    def set_state(self, mixing_ratio: np.ndarray | Sequence[np.ndarray], surface_pressure: np.ndarray) -> None:
        """Start from these fields, as `TransportCore.set_state`; they may be those that `fields` gives."""
        fields = mixing_ratio if isinstance(mixing_ratio, Sequence) else np.asarray(mixing_ratio)
        mean = tracer_mean(fields)
        self._anomaly.set_state(Anomalies(fields, mean), surface_pressure)
        self._mean.set_state(mean[None], surface_pressure)

    @property
    def parts(self) -> tuple[np.ndarray, Fields]:
        """Mean (nlev, nlat, nlon) and each tracer's anomaly, which is exact in single precision."""
        return self._mean.mixing_ratio()[0], self._anomaly.fields()

    def set_parts(self, parts: tuple[np.ndarray, np.ndarray | Sequence[np.ndarray]], surface_pressure: np.ndarray) -> None:
        """Start from `parts` of another core to the bit: for a restart at a time when a running model takes no new mean."""
        self._mean.set_state(parts[0][None], surface_pressure)
        self._anomaly.set_state(parts[1], surface_pressure)

    def fields(self) -> Fields:
        """Mean plus anomaly of each tracer, the anomalies as they are when asked for."""
        return self._anomaly.fields().on(self._mean.mixing_ratio()[0])

    def mixing_ratio(self) -> np.ndarray:
        """Mean plus anomalies now (n_tracers, nlev, nlat, nlon)."""
        total = self._anomaly.mixing_ratio()
        total += self._mean.mixing_ratio()
        return total

    def gather(self, ilat: np.ndarray, ilon: np.ndarray) -> np.ndarray:
        """Columns now (n, n_tracers, nlev)."""
        return self._anomaly.gather(ilat, ilon, self._mean.tracer(0))

    def add_columns(self, ilat: np.ndarray, ilon: np.ndarray, row: np.ndarray, weight: np.ndarray, sums: np.ndarray) -> None:
        """As `TransportCore.add_columns`, of mean plus anomalies."""
        self._anomaly.add_columns(ilat, ilon, row, weight, sums, self._mean.tracer(0))

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

    def history_mean(self) -> Fields:
        """Mean of what was accumulated: a field (nlev, nlat, nlon) for each tracer."""
        background = self._mean.history_mean()[0]
        return self._anomaly.history_mean().on(background)

    def reset_history(self) -> None:
        """Forget what was accumulated."""
        self._mean.reset_history()
        self._anomaly.reset_history()

    def set_coefficients(self, coefficients: np.ndarray | None) -> None:
        """Emission coefficients for later steps, as `TransportCore.set_coefficients`."""
        self._source, self._has_coefficients = None, coefficients is not None
        mean = None if coefficients is None else np.mean(coefficients, axis=0, keepdims=True)
        self._mean.set_coefficients(mean)
        self._anomaly.set_coefficients(None if coefficients is None else coefficients - mean)

    def step(self, met: StepMet, dt: float, emission: StepEmission | None = None) -> None:
        """Advance both parts by `dt` seconds."""
        mean, anomaly = (None, None) if emission is None else self._split(emission)
        self._anomaly.step(met, dt, anomaly, mean)

    def _split(self, emission: StepEmission) -> tuple[StepEmission, StepEmission]:
        if emission.coefficients is not None and emission.coefficients is not self._source:
            self.set_coefficients(emission.coefficients)
            self._source = emission.coefficients
        if self._has_coefficients:
            return StepEmission(emission.basis), StepEmission(emission.basis)
        mean = emission.basis.mean(axis=0, keepdims=True)
        return StepEmission(mean), StepEmission(emission.basis - mean)
