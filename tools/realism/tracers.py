"""The tracers of a realism run: where they enter, how they decay, where they are held.

All are carried by one transport core in one run, as mixing ratios, in the order of `NAMES`.
"""

from __future__ import annotations

import numpy as np

from mozart_coupling.constants import AVOGADRO, MOLAR_MASS_AIR
from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.grids import Grid
from mozart_coupling.land import land_fraction

from .biosphere import BalancedBiosphere

NAMES = ("sf6", "radon", "age", "biosphere", "biosphere_daily", "polar_age")
SF6, RADON, AGE, BIOSPHERE, BIOSPHERE_DAILY, POLAR_AGE = range(len(NAMES))
UNITS = {"sf6": "global mean growth in a year", "radon": "mol mol-1", "age": "yr", "biosphere": "ppm", "biosphere_daily": "ppm",
         "polar_age": "d"}

DAY_S, YEAR_S = 86400.0, 365.0 * 86400.0
AIR_KG_PER_MOL = 1.0e-3 * MOLAR_MASS_AIR
SF6_BAND = (30.0, 60.0)  # degrees north: land in it emits
RADON_DECAY = np.log(2.0) / (3.8235 * DAY_S)  # s-1
RADON_FLUX = 1.0e4  # atoms m-2 s-1 from land (1 atom cm-2 s-1: Zhang et al. 2021), half of it from 60 to 70 north, none beyond: frozen
AGE_BAND = (30.0, 50.0)  # degrees north: the lowest layer there is the age tracer's origin
POLAR_EDGE = 70.0  # degrees: outside it the polar age is held at zero


class Tracers:
    """Sources and sinks on one grid.

    Parameters
    ----------
    grid
        The run's.
    air_mass
        Of the whole atmosphere [kg]: it sets the SF6-like source so that the global mean grows by one in a year.
    biosphere
        The balanced flux; None: its two tracers stay zero.
    """

    def __init__(self, grid: Grid, air_mass: float, biosphere: BalancedBiosphere | None) -> None:
        self.grid, self.biosphere = grid, biosphere
        land, latitude = land_fraction(grid), grid.lat[:, None]
        inside = land * ((latitude > SF6_BAND[0]) & (latitude < SF6_BAND[1]))
        self._sf6 = inside * (air_mass / (inside * grid.area).sum() / YEAR_S)  # kg m-2 s-1 of air at mixing ratio one
        share = np.where(np.abs(latitude) < 60.0, 1.0, np.where((latitude > 0.0) & (latitude < 70.0), 0.5, 0.0))
        self._radon = land * share * (RADON_FLUX / AVOGADRO * AIR_KG_PER_MOL)
        self._origin = (grid.lat > AGE_BAND[0]) & (grid.lat < AGE_BAND[1])
        self._outside = np.abs(grid.lat) < POLAR_EDGE

    def initial(self, n_levels: int) -> np.ndarray:
        """Fields near what the run settles to, so that two years suffice (n_tracers, n_levels, nlat, nlon).

        SF6: sin(latitude), two hemispheres a year apart. Age: 0.65 (1 − sin(latitude)) years. All else starts at zero.
        """
        fields = np.zeros((len(NAMES), n_levels, *self.grid.shape))
        sine = np.sin(np.deg2rad(self.grid.lat))[:, None]
        fields[SF6] = sine
        fields[AGE] = -0.65 * (1.0 - sine)
        return fields

    def amounts(self, start: int, end: int) -> np.ndarray:
        """What enters the lowest layer from `start` to `end` [s since 1970] (n_tracers, nlat, nlon) [mixing-ratio unit kg m-2]."""
        length, decays = float(end - start), RADON_DECAY * float(end - start)
        amounts = np.zeros((len(NAMES), *self.grid.shape))
        amounts[SF6] = length * self._sf6
        amounts[RADON] = length * self._radon * -np.expm1(-decays) / decays
        if self.biosphere is not None:
            hourly, daily = self.biosphere.fluxes(0.5 * (start + end))
            amounts[BIOSPHERE], amounts[BIOSPHERE_DAILY] = (1.0e6 * AIR_KG_PER_MOL * length * flux for flux in (hourly, daily))
        return amounts

    def begin_step(self, core: TransportCore, length: float) -> None:
        """Radon decays over the step, before its emission enters with what has decayed of it taken off."""
        core.tracer(RADON)[...] *= np.exp(-RADON_DECAY * length)

    def end_step(self, core: TransportCore, length: float, elapsed: float) -> None:
        """Ages grow; both are held where they begin. `elapsed` since the run's start [s].

        The age tracer is a clock that shows the time where it begins, and air keeps what it shows: age = time − tracer.
        """
        core.tracer(AGE)[-1, self._origin] = elapsed / YEAR_S
        grow_inside(core.tracer(POLAR_AGE), length / DAY_S, self._outside)


def grow_inside(field: np.ndarray, by: float, outside: np.ndarray) -> None:
    """Let an age (nlev, nlat, nlon) grow, in place, but be zero on the rows `outside` (nlat,)."""
    field += by
    field[:, outside] = 0.0
