"""What a realism run keeps: monthly means along parallels and at the ground, hemispheres, radon over land in the afternoon."""

from __future__ import annotations

import numpy as np

from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.embedded.met_feed import MetFeed
from mozart_coupling.grids import Grid
from mozart_coupling.heights import hybrid_pressure, hydrostatic_heights
from mozart_coupling.land import land_fraction

from .tracers import AGE, BIOSPHERE, BIOSPHERE_DAILY, NAMES, RADON, YEAR_S

EVERY_S = 3 * 3600  # between samples of means
LAND_BAND = (30.0, 60.0)  # degrees north: radon profiles
LEAST_LAND = 0.9
AFTERNOON = (13.0, 16.0)  # local solar time [h]
SEASONS = {"JJA": (6, 7, 8), "DJF": (12, 1, 2)}
HIGH = 5500.0  # m above ground
BOREAL_BAND = (55.0, 65.0)  # degrees north: radon at the ground, over cells of at least half land
LEAST_RADON = 1e-30  # mol mol-1: the first days, before the air of every cell holds some
MAPS = (RADON, BIOSPHERE, BIOSPHERE_DAILY)
"""Tracers whose lowest layer is kept as monthly maps."""


class Tally:
    """Running sums of a run of some months; `arrays` is all there is, for a checkpoint and for the measures.

    Arrays
    ------
    zonal (months, tracers, nlev, nlat): mixing ratio weighted by air mass, sums along parallels; ages as ages.
    mass (months, nlev, nlat): air [kg], the same way.
    surface (months, len(MAPS), nlat, nlon): lowest layer.
    log_radon (months,): mean logarithm of radon in the lowest layer over boreal land, weighted by area: gives a geometric mean.
    samples (months,): how many were added to these four.
    ends (months + 1, tracers, 2): means over all air of the northern and the southern hemisphere at the ends of months.
    turn (tracers,): what the turns of the year changed in the global means.
    profile (seasons, 3, nlev): radon, mid-level height [m], pressure [Pa] over land in the afternoon, sums over columns by area.
    layers (seasons, 2): boundary-layer depth [m] and area, summed likewise.
    content (seasons, 3): radon times pressure thickness in the column, above the boundary layer, above HIGH, summed likewise.
    fixer (months,): largest column mismatch that the pressure fixer removed in a step [Pa].
    """

    def __init__(self, grid: Grid, n_levels: int, months: int) -> None:
        self.grid = grid
        n = len(NAMES)
        self.arrays = {
            "zonal": np.zeros((months, n, n_levels, grid.nlat)), "mass": np.zeros((months, n_levels, grid.nlat)),
            "surface": np.zeros((months, len(MAPS), *grid.shape)), "log_radon": np.zeros(months), "samples": np.zeros(months),
            "ends": np.zeros((months + 1, n, 2)), "turn": np.zeros(n),
            "profile": np.zeros((len(SEASONS), 3, n_levels)), "layers": np.zeros((len(SEASONS), 2)),
            "content": np.zeros((len(SEASONS), 3)), "fixer": np.zeros(months),
        }
        land = (land_fraction(grid) >= LEAST_LAND) & ((grid.lat > LAND_BAND[0]) & (grid.lat < LAND_BAND[1]))[:, None]
        self._land = np.nonzero(land)
        self._boreal = boreal_land(grid)
        weights = grid.area[self._boreal]
        self._boreal_weights = weights / weights.sum()

    def add(self, core: TransportCore, month: int, elapsed: float) -> None:
        """Take the state into a month's means; `elapsed` since the run's start [s]."""
        mass = core.air_mass()
        self.arrays["mass"][month] += mass.sum(axis=2)
        for number, zonal in enumerate(self.arrays["zonal"][month]):
            shown = core.tracer(number)
            zonal += ((elapsed / YEAR_S - shown if number == AGE else shown) * mass).sum(axis=2)
        for index, number in enumerate(MAPS):
            self.arrays["surface"][month, index] += core.tracer(number)[-1]
        logarithm = np.log(np.maximum(core.tracer(RADON)[-1][self._boreal], LEAST_RADON))
        self.arrays["log_radon"][month] += logarithm @ self._boreal_weights
        self.arrays["samples"][month] += 1

    def end(self, core: TransportCore, index: int) -> None:
        """Hemispheric means at the end of month `index` − 1."""
        mass = core.air_mass()
        north = self.grid.lat > 0.0
        for number in range(len(NAMES)):
            amount = core.tracer(number) * mass
            self.arrays["ends"][index, number] = [amount[:, half].sum() / mass[:, half].sum() for half in (north, ~north)]

    def add_afternoon(self, core: TransportCore, feed: MetFeed, now: int, calendar_month: int) -> None:
        """Take radon profiles of the land where it is afternoon; `now` on the met's clock [s since 1970]."""
        season = next((index for index, months in enumerate(SEASONS.values()) if calendar_month in months), None)
        if season is None:
            return
        ilat, ilon = self._land
        hour = (now % 86400 / 3600.0 + self.grid.lon[ilon] / 15.0) % 24.0
        chosen = (hour >= AFTERNOON[0]) & (hour < AFTERNOON[1])
        if not chosen.any():
            return
        ilat, ilon = ilat[chosen], ilon[chosen]
        weight = self.grid.area[ilat, ilon] / self.grid.area.mean()
        ps, radon = core.surface_pressure[ilat, ilon], core.gather(ilat, ilon)[:, RADON]
        temperature, humidity = feed.columns(now, ilat, ilon)
        vapour = None if humidity is None else humidity.T
        mid, faces = hydrostatic_heights(temperature.T, vapour, ps, np.zeros_like(ps), feed.hyai, feed.hybi)
        interfaces = hybrid_pressure(feed.hyai, feed.hybi, ps)
        pressure, content = 0.5 * (interfaces[:, 1:] + interfaces[:, :-1]), radon * np.diff(interfaces)
        depth = core.mixing.depth[ilat, ilon]
        for index, values in enumerate((radon, mid.T, pressure)):
            self.arrays["profile"][season, index] += weight @ values
        self.arrays["layers"][season] += (weight @ depth, weight.sum())
        for index, height in enumerate((np.zeros_like(depth), depth, np.full_like(depth, HIGH))):
            self.arrays["content"][season, index] += weight @ (content * share_above(faces.T, height)).sum(axis=1)


def boreal_land(grid: Grid) -> np.ndarray:
    """Cells of at least half land in BOREAL_BAND (nlat, nlon)."""
    inside = (grid.lat > BOREAL_BAND[0]) & (grid.lat < BOREAL_BAND[1])
    return (land_fraction(grid) >= 0.5) & inside[:, None]


def share_above(faces: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Share of each layer that is above a height.

    Parameters
    ----------
    faces
        Heights of interfaces (n, nlev+1) [m], top first.
    height
        (n,) [m].

    Returns
    -------
    numpy.ndarray
        (n, nlev) [1]; layers are cut in proportion to height.
    """
    upper, lower = faces[:, :-1], faces[:, 1:]
    return np.clip((upper - height[:, None]) / (upper - lower), 0.0, 1.0)
