"""Flows on the sphere, as amounts of air through the walls of cells.

Non-divergent flows are stream functions on cell corners, so that the air through the walls of a cell adds up to zero exactly.
Sources: Williamson et al. (1992), case 1; Nair & Lauritzen (2010), case 4 and the divergent flow.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mozart_coupling.constants import EARTH_RADIUS_M
from mozart_coupling.grids import Grid

DAY_S = 86400.0
PERIOD_S = 12.0 * DAY_S
LAYER_KG_M2 = 1.0e4

StreamFunction = Callable[[np.ndarray, np.ndarray, float], np.ndarray]


def solid_body(alpha: float) -> StreamFunction:
    """Williamson et al. (1992), case 1: one turn in 12 days about an axis tilted by `alpha` [rad]; m2 s-1."""
    u0 = 2.0 * np.pi * EARTH_RADIUS_M / PERIOD_S

    def psi(lon: np.ndarray, lat: np.ndarray, time: float) -> np.ndarray:
        return -EARTH_RADIUS_M * u0 * (np.sin(lat) * np.cos(alpha) - np.cos(lon) * np.cos(lat) * np.sin(alpha))

    return psi


def deformation(lon: np.ndarray, lat: np.ndarray, time: float) -> np.ndarray:
    """Nair & Lauritzen (2010), case 4: reversing deformation on top of a zonal turn; m2 s-1."""
    scale = EARTH_RADIUS_M**2 / PERIOD_S
    shifted = lon - 2.0 * np.pi * time / PERIOD_S
    return scale * (10.0 * np.sin(shifted) ** 2 * np.cos(lat) ** 2 * np.cos(np.pi * time / PERIOD_S) - 2.0 * np.pi * np.sin(lat))


def corner_stream(psi: StreamFunction, grid: Grid, time: float) -> np.ndarray:
    """Stream function on cell corners (nlat+1, nlon+1) [m2 s-1], one value at each pole, periodic to the bit."""
    lon = np.deg2rad(grid.lon_edges)[None, :]
    lat = np.deg2rad(grid.lat_edges)[:, None]
    corner = np.array(psi(lon, lat, time))
    corner[0], corner[-1] = corner[0, 0], corner[-1, 0]
    corner[:, -1] = corner[:, 0]
    return corner


def wall_amounts(psi: StreamFunction, grid: Grid, time: float, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Air through western walls (nlat, nlon) and southern walls (nlat+1, nlon) in `dt`, wind at `time` [kg]."""
    corner = corner_stream(psi, grid, time) * (LAYER_KG_M2 * dt)
    zonal = -np.diff(corner, axis=0)[:, :-1]
    zonal[0], zonal[-1] = 0.0, 0.0
    return zonal, np.diff(corner, axis=1)


def divergent_walls(grid: Grid, time: float, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Nair & Lauritzen (2010), the divergent flow on top of a zonal turn, integrated over each wall.

    u = -(5a/T) sin²(λ'/2) sin 2φ cos²φ cos(πt/T) + (2πa/T) cos φ, v = (5a/2T) sin λ' cos³φ cos(πt/T), λ' = λ - 2πt/T.

    Returns
    -------
    zonal, meridional
        Area swept through western walls (nlat, nlon) and southern walls (nlat+1, nlon) in `dt`, wind at `time` [m2].
    """
    lat = np.deg2rad(grid.lat_edges)[:, None]
    shifted = np.deg2rad(grid.lon_edges)[None, :] - 2.0 * np.pi * time / PERIOD_S
    strength = np.cos(np.pi * time / PERIOD_S)
    scale = EARTH_RADIUS_M**2 / PERIOD_S * dt
    zonal = 5.0 * strength * np.sin(0.5 * shifted[:, :-1]) ** 2 * np.diff(0.5 * np.cos(lat) ** 4, axis=0)
    zonal = scale * (zonal + 2.0 * np.pi * np.diff(np.sin(lat), axis=0))
    zonal[0], zonal[-1] = 0.0, 0.0
    meridional = -2.5 * scale * strength * np.cos(lat) ** 4 * np.diff(np.cos(shifted), axis=1)
    meridional[0], meridional[-1] = 0.0, 0.0
    return zonal, meridional
