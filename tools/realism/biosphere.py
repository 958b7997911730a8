"""A land biosphere whose flux adds up to nothing in each cell over the year, with and without its day."""

from __future__ import annotations

import numpy as np

from gcas_driver.osse.priors import GRID as FLUX_GRID
from gcas_driver.osse.priors import STEPS_PER_DAY, SyntheticPriors
from mozart_coupling.dates import calendar_date
from mozart_coupling.grids import Grid, regrid

DAYS = 365
MOL_TO_GRAMS_C = 12.011


class BalancedBiosphere:
    """Three-hourly fluxes of the synthetic experiments' biosphere (`gcas_driver.osse.priors`), less each cell's annual mean.

    Parameters
    ----------
    grid
        Target.
    year
        The calendar year whose fluxes are taken; later years repeat it by day of the year, 29 February as the 28th.
    seed
        Of the biosphere.
    """

    def __init__(self, grid: Grid, year: int = 2014, seed: int = 1) -> None:
        priors = SyntheticPriors(seed)
        first = np.datetime64(f"{year}-01-01", "D")
        self._flux = np.empty((DAYS, STEPS_PER_DAY, *grid.shape), dtype=np.float32)  # 95 MB at 128x64
        for day in range(DAYS):
            self._flux[day] = regrid(priors.day("bio", first + day), FLUX_GRID, grid)
        self._annual = self._flux.mean(axis=(0, 1), dtype=np.float64)
        self.grid = grid

    def fluxes(self, time: float) -> tuple[np.ndarray, np.ndarray]:
        """Flux of a time [s since 1970] and of its whole day, each (nlat, nlon) [mol m-2 s-1], positive into the air."""
        date = calendar_date(int(time))
        day = min(date.timetuple().tm_yday - 1 - (date.month > 2 and date.year % 4 == 0), DAYS - 1)
        step = int(time % 86400 // (86400 // STEPS_PER_DAY))
        return self._flux[day, step] - self._annual, self._flux[day].mean(axis=0, dtype=np.float64) - self._annual

    def growing_season_flux(self) -> float:
        """Sum of every cell's net uptake over the months in which it takes up [Pg C yr-1]."""
        months = np.array_split(self._flux.mean(axis=1), 12)
        monthly = np.array([month.mean(axis=0, dtype=np.float64) - self._annual for month in months])
        uptake = -np.minimum(monthly, 0.0).mean(axis=0)
        return float((uptake * self.grid.area).sum() * 365.0 * 86400.0 * MOL_TO_GRAMS_C * 1.0e-15)
