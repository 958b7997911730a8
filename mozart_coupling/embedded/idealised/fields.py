"""Initial fields of the published tests, and their means over cells.

Sources: Williamson et al. (1992), case 1; Nair & Lauritzen (2010); Lauritzen & Thuburn (2012) for the correlated pair.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mozart_coupling.grids import Grid

SAMPLES_PER_CELL = 8
CENTRES = (5.0 * np.pi / 6.0, 7.0 * np.pi / 6.0)  # of the pairs of hills, bells and cylinders, on the equator [rad]

Field = Callable[[np.ndarray, np.ndarray], np.ndarray]


def cosine_bell(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Williamson et al. (1992), eq. 79, of height 1 and radius a/3 about 270E on the equator."""
    r = angle(lon, lat, 1.5 * np.pi, 0.0)
    return np.where(r < 1.0 / 3.0, 0.5 * (1.0 + np.cos(3.0 * np.pi * r)), 0.0)


def gaussian_hills(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Nair & Lauritzen (2010): two hills 0.95 exp(-5 |X - Xi|²)."""
    lon, lat = np.broadcast_arrays(lon, lat)
    x = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    total = np.zeros(np.broadcast(lon, lat).shape)
    for centre in CENTRES:
        xi = np.array([np.cos(centre), np.sin(centre), 0.0]).reshape(3, *([1] * total.ndim))
        total += 0.95 * np.exp(-5.0 * ((x - xi) ** 2).sum(axis=0))
    return total


def cosine_bells(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Nair & Lauritzen (2010): two bells of radius 1/2 between 0.1 and 1."""
    total = np.full(np.broadcast(lon, lat).shape, 0.1)
    for centre in CENTRES:
        r = angle(lon, lat, centre, 0.0)
        total += np.where(r < 0.5, 0.45 * (1.0 + np.cos(2.0 * np.pi * r)), 0.0)
    return total


def slotted_cylinders(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Nair & Lauritzen (2010): two cylinders of radius 1/2, height 1 on 0.1, with slots opposite each other."""
    radius, half_slot, end = 0.5, 0.5 / 6.0, 5.0 * 0.5 / 12.0
    total = np.full(np.broadcast(lon, lat).shape, 0.1)
    for centre, side in ((5.0 * np.pi / 6.0, -1.0), (7.0 * np.pi / 6.0, 1.0)):
        inside = angle(lon, lat, centre, 0.0) <= radius
        slot = (np.abs(lon - centre) < half_slot) & (side * lat < end)
        total = np.where(inside & ~slot, 1.0, total)
    return total


def correlated(chi: np.ndarray) -> np.ndarray:
    """Lauritzen & Thuburn (2012), eq. 1: the tracer that starts as a parabola of `chi`."""
    return -0.8 * chi**2 + 0.9


def sample_points(grid: Grid, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of every cell, equally spaced in area: longitudes (nlon, samples), in [0, 2π), and latitudes (nlat, samples) [rad]."""
    offsets = (np.arange(samples) + 0.5) / samples
    sines = np.sin(np.deg2rad(grid.lat_edges))
    edges = np.deg2rad(grid.lon_edges)
    lon = edges[:-1, None] + np.diff(edges)[:, None] * offsets
    return np.mod(lon, 2.0 * np.pi), np.arcsin(sines[:-1, None] + np.diff(sines)[:, None] * offsets)


def cell_means(field: Field, grid: Grid, samples: int = SAMPLES_PER_CELL) -> np.ndarray:
    """Means of an analytic field over cells (nlat, nlon), polar rows as one cell, by samples equally spaced in area."""
    lon, lat = sample_points(grid, samples)
    values = field(lon[None, :, None, :], lat[:, None, :, None]).mean(axis=(2, 3))
    for row in (0, -1):
        values[row] = values[row].mean()
    return values


def angle(lon: np.ndarray, lat: np.ndarray, lon0: float, lat0: float) -> np.ndarray:
    """Great-circle distance from a point, in radians."""
    cosine = np.sin(lat0) * np.sin(lat) + np.cos(lat0) * np.cos(lat) * np.cos(lon - lon0)
    return np.arccos(np.clip(cosine, -1.0, 1.0))
