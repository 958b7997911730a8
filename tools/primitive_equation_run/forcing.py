"""What drives the circulation: Held and Suarez' (1994, BAMS 75, 1825) relaxation and drag, given seasons, land and sea.

Formulas only: NumPy or JAX arrays in, the same out. Fields are (nlev, nlat, nlon) or broadcast to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from mozart_coupling.embedded.levels import P0, hybrid_levels
from mozart_coupling.grids import Grid, regrid
from mozart_coupling.land import land_fraction

Array = Any
"""Of NumPy or of JAX."""

DAY_S = 86400.0
KAPPA = 2.0 / 7.0
OBLIQUITY = np.deg2rad(23.44)
LAND_SMOOTHING = 3.0  # degrees, standard deviation of the filter


@dataclass(frozen=True)
class Climate:
    """The constants: Held and Suarez' where they have them, but 305 and 195 K for their 315 and 200, whose ground is too warm.

    Attributes
    ----------
    warmest, coldest, meridional, vertical
        Equilibrium temperature at the equator's ground, its least value, its fall to the poles and its stability [K].
    boundary
        Sigma above which (below in height) the ground is felt [1].
    swing_air, swing_land, swing_sea
        Half the range of a year of the equilibrium temperature at a pole [K]: above the boundary layer, at the ground over land and sea.
    lag_air, lag_land, lag_sea
        How long they follow the sun's declination [days].
    slow, fast
        Times of relaxation [days]: of the free air, and at the equator's ground.
    land_response
        Share of the fast rate that ground over land has where that of Held and Suarez, cos^4, has gone.
    drag_land, drag_sea
        Time in which the ground brakes the wind [days].
    sponge_sigma, sponge
        Below this sigma winds are braked, at the top in so many days.
    """

    warmest: float = 305.0
    coldest: float = 195.0
    meridional: float = 60.0
    vertical: float = 10.0
    boundary: float = 0.7
    swing_air: float = 16.0
    swing_land: float = 36.0
    swing_sea: float = 10.0
    lag_air: float = 10.0
    lag_land: float = 15.0
    lag_sea: float = 50.0
    slow: float = 40.0
    fast: float = 4.0
    land_response: float = 0.35
    drag_land: float = 0.7
    drag_sea: float = 1.0
    sponge_sigma: float = 0.02
    sponge: float = 3.0


@dataclass(frozen=True)
class Season:
    """Sine of the declination over its largest value, -1 … 1, as free air, land and sea follow it."""

    air: float
    land: float
    sea: float

    @classmethod
    def at(cls, climate: Climate, time: np.datetime64) -> Season:
        """The season at a time, UTC."""
        return cls(*(declination_index(time, lag) for lag in (climate.lag_air, climate.lag_land, climate.lag_sea)))


def declination_index(time: np.datetime64, lag_days: float = 0.0) -> float:
    """sin(declination)/sin(obliquity) some days ago: 1 at the northern summer solstice, -1 at the southern.

    The declination is 23.44 deg times the sine of the days since 21 March over 365.25, as in the model's own diurnal cycle.
    """
    time = np.datetime64(time).astype("datetime64[s]")
    day_of_year = (time - time.astype("datetime64[Y]")) / np.timedelta64(86400, "s")
    declination = OBLIQUITY * np.sin(2.0 * np.pi * (day_of_year - 80.0 - lag_days) / 365.25)
    return float(np.sin(declination) / np.sin(OBLIQUITY))


def boundary_weight(climate: Climate, sigma: Array) -> Array:
    """1 at the ground, 0 at and above the boundary layer's top; [1]."""
    return np.maximum((sigma - climate.boundary) / (1.0 - climate.boundary), 0.0)


def equilibrium_temperature(climate: Climate, season: Season, sigma: Array, sine: Array, land: Array, surface_pressure: Array,
                            maximum: Any = np.maximum, log: Any = np.log) -> Array:
    """Temperature to which the air is relaxed [K].

    max(T_min, (p/p0)^kappa [T_max - dT sin^2(lat) - dtheta ln(p/p0) cos^2(lat) + A sin(lat)]); A, the season, is that of the free
    air above the boundary layer, and within it goes over to that of land and sea, mixed as land and sea are.

    Parameters
    ----------
    sigma, sine, land
        Levels, sine of latitude, smooth land fraction [1].
    surface_pressure
        [Pa].
    maximum, log
        Of the arrays' own library.
    """
    ratio = sigma * surface_pressure / P0
    ground = boundary_weight(climate, sigma)
    surface = land * climate.swing_land * season.land + (1.0 - land) * climate.swing_sea * season.sea
    swing = (1.0 - ground) * climate.swing_air * season.air + ground * surface
    mean = climate.warmest - climate.meridional * sine**2 - climate.vertical * log(ratio) * (1.0 - sine**2)
    return maximum(climate.coldest, ratio**KAPPA * (mean + swing * sine))


def relaxation_rate(climate: Climate, sigma: Array, sine: Array, land: Array) -> Array:
    """Rate at which temperature is relaxed [1/s]; Held and Suarez' over the sea."""
    tropics = (1.0 - sine**2) ** 2
    share = tropics + land * climate.land_response * (1.0 - tropics)
    return (1.0 / climate.slow + (1.0 / climate.fast - 1.0 / climate.slow) * boundary_weight(climate, sigma) * share) / DAY_S


def drag_rate(climate: Climate, sigma: Array, land: Array) -> Array:
    """Rate at which the ground brakes the wind [1/s]."""
    return boundary_weight(climate, sigma) * (land / climate.drag_land + (1.0 - land) / climate.drag_sea) / DAY_S


def sponge_rate(climate: Climate, sigma: Array) -> Array:
    """Rate at which winds next to the top are braked [1/s]; 0 below."""
    return np.maximum(1.0 - sigma / climate.sponge_sigma, 0.0) ** 2 / (climate.sponge * DAY_S)


def sigma_levels(n_levels: int) -> np.ndarray:
    """Interfaces (nlev+1,), 0 … 1: the spacing of the transport model's own levels, the uppermost layer reaching to the top."""
    sigma = np.sum(hybrid_levels(n_levels), axis=0)
    sigma[0] = 0.0
    return sigma


def smooth_land(grid: Grid) -> np.ndarray:
    """Land fraction (nlat, nlon) smoothed over some 300 km, so that no coast is sharper than a spectral model can see."""
    fine = Grid.regular(360, 180, lon_first=-179.5)
    smooth = gaussian_filter(land_fraction(fine).astype(np.float64), LAND_SMOOTHING, mode=("nearest", "wrap"))
    return np.clip(regrid(smooth, fine, grid), 0.0, 1.0)
