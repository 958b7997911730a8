"""Retrievals of an ACOS-like algorithm, without looking at the truth: levels, weights, kernels, priors, stated errors."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from gcas_driver.observations.table import ColumnOperator
from gcas_driver.sun import DAY_SECONDS

N_LEVELS = 20
TOP_SHARE = 1.0e-4
"""Pressure of the first level over that of the surface."""

STATED_ERROR_PPM = {"land": 1.2, "ocean": 0.8}
STATED_ERROR_SPREAD = 0.18
"""Standard deviation of the logarithm of the stated error."""


def sigma_levels() -> np.ndarray:
    """Pressure over surface pressure (20,), top first: 1e-4, then equal steps of 1/19 to 1."""
    sigma = np.arange(N_LEVELS) / (N_LEVELS - 1.0)
    sigma[0] = TOP_SHARE
    return sigma


def pressure_weights() -> np.ndarray:
    """Weights (20,) of a profile that is linear between levels; half weights at both ends; their sum is one."""
    sigma = sigma_levels()
    edges = np.concatenate([[sigma[0]], 0.5 * (sigma[1:] + sigma[:-1]), [sigma[-1]]])
    weight = np.diff(edges)
    return weight / weight.sum()


def column_operators(time: np.ndarray, lat: np.ndarray, land: np.ndarray, zenith: np.ndarray,
                     surface_pressure: np.ndarray) -> ColumnOperator:
    """Operators of soundings.

    The kernel is near one in the troposphere and falls to a fraction in the stratosphere, less so the longer the
    light's path; the prior is a climatology that rises with the years.

    Parameters
    ----------
    time, lat, land, zenith, surface_pressure : ndarray (n,)
        Seconds since 1970, degrees, bool, degrees, Pa.
    """
    sigma = sigma_levels()
    weight = np.broadcast_to(pressure_weights(), (len(time), N_LEVELS)).copy()
    down = 1.0 / np.cos(np.deg2rad(zenith))
    path = down + np.where(land, 1.0, down)
    depth = (0.26 - 0.02 * np.clip(path - 2.0, 0.0, 4.0))[:, None]
    top = np.where(land, 0.16, 0.22)[:, None]
    kernel = top + (1.04 - top) * (1.0 - np.exp(-((sigma / depth) ** 1.3)))
    profile = prior_profiles(time, lat)
    return ColumnOperator(surface_pressure[:, None] * sigma, weight, kernel, 1.0e-6 * profile, np.sum(weight * profile, axis=1))


def prior_profiles(time: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Prior CO2 (n, 20) [ppm]: trend, gradient from south to north, northern season, and older air in the stratosphere."""
    years = time / DAY_SECONDS / 365.25 - 30.0
    sine = np.sin(np.deg2rad(lat))
    season = 3.0 * np.clip(sine, 0.0, None) * np.cos(2 * np.pi * (years - 0.35))
    surface = 369.5 + 2.0 * years + 1.5 * sine + season
    stratosphere = 369.5 + 2.0 * (years - 4.0)
    share = np.clip((sigma_levels() - 0.05) / 0.25, 0.0, 1.0)
    return stratosphere[:, None] + (surface - stratosphere)[:, None] * share


def stated_error(land: np.ndarray, zenith: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Stated uncertainty (n,) [ppm]: by surface, larger for a low sun, with scatter."""
    scatter = np.clip(random.standard_normal(len(land)), -2.0, 2.0)
    return _typical_error(land, zenith) * np.exp(STATED_ERROR_SPREAD * scatter)


def warn_level(error: np.ndarray, land: np.ndarray, zenith: np.ndarray) -> np.ndarray:
    """Warn level 0..19 (n,) int: the rank of the stated error among soundings of the same surface and sun."""
    rank = ndtr(np.log(error / _typical_error(land, zenith)) / STATED_ERROR_SPREAD)
    return np.clip(np.floor(20.0 * rank), 0, 19).astype(np.int64)


def _typical_error(land: np.ndarray, zenith: np.ndarray) -> np.ndarray:
    base = np.where(land, STATED_ERROR_PPM["land"], STATED_ERROR_PPM["ocean"])
    return base * (np.cos(np.deg2rad(30.0)) / np.clip(np.cos(np.deg2rad(zenith)), 0.2, 1.0)) ** 0.3
