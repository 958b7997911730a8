"""Smooth random maps for synthetic experiments: white noise on evenly spread points, smoothed by a bell.

Made without anything that the assimilation draws its perturbations with, so that a truth cannot share their form.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import RegularGridInterpolator

from mozart_coupling.constants import EARTH_RADIUS_M
from mozart_coupling.grids import Grid

RADIUS_KM = EARTH_RADIUS_M / 1000.0
POINTS_PER_LENGTH = 2.0
NODES_PER_LENGTH = 4.0
REACH = 3.0  # lengths, beyond which the bell is nothing


def smooth_field(rng: np.random.Generator, length_km: float, grid: Grid) -> np.ndarray:
    """A random map with variance 1 and correlation exp(-d²/2L²), d the chord.

    Parameters
    ----------
    rng : numpy.random.Generator
        Its next numbers are used.
    length_km : float
        L [km]; time grows with 1/L⁴, a second at 700.
    grid : Grid
        Where the map is wanted.

    Returns
    -------
    numpy.ndarray
        (nlat, nlon).

    Notes
    -----
    A bell exp(-d²/L²), d the chord, around each of many evenly spread points (a golden spiral); the correlation is the bell's
    convolution with itself, and dividing by the root of the sum of squares makes the variance 1 everywhere.
    """
    points = _golden_spiral(int(np.ceil(4.0 * np.pi * (POINTS_PER_LENGTH * RADIUS_KM / length_km) ** 2)))
    noise = rng.standard_normal(points.shape[0])
    step = max(1.0, np.rad2deg(length_km / RADIUS_KM) / NODES_PER_LENGTH)
    lat = np.linspace(-90.0, 90.0, int(np.ceil(180.0 / step)) + 1)
    lon = np.linspace(0.0, 360.0, int(np.ceil(360.0 / step)) + 1)
    coarse = np.empty((lat.size, lon.size))
    point_lat = np.arcsin(points[:, 2])
    for row, row_lat, nodes in zip(coarse, np.deg2rad(lat), _unit_vectors(lon[None], lat[:, None]), strict=True):
        near = np.abs(point_lat - row_lat) < REACH * length_km / RADIUS_KM
        bell = np.exp(2.0 * (RADIUS_KM / length_km) ** 2 * (nodes @ points[near].T - 1.0))
        row[:] = bell @ noise[near] / np.sqrt((bell**2).sum(axis=1))
    coarse[:, -1] = coarse[:, 0]
    interpolate = RegularGridInterpolator((lat, lon), coarse)
    where = np.stack(np.meshgrid(grid.lat, np.mod(grid.lon, 360.0), indexing="ij"), axis=-1)
    return interpolate(where)


def _golden_spiral(n: int) -> np.ndarray:
    """n evenly spread unit vectors (n, 3)."""
    index = np.arange(n) + 0.5
    lat = np.rad2deg(np.arcsin(1.0 - 2.0 * index / n))
    return _unit_vectors(np.rad2deg(np.pi * (1.0 + np.sqrt(5.0)) * index), lat)


def _unit_vectors(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Unit vectors (..., 3) of places in degrees."""
    lon, lat = np.broadcast_arrays(np.deg2rad(lon), np.deg2rad(lat))
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
