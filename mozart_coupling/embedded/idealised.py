"""Published two-dimensional tests of advection on the sphere: flows, initial fields and error norms.

Flows are given by stream functions on cell corners, so that the air through the walls of every cell adds up to zero
exactly; tracers start as means over cells. Sources: Williamson et al. (1992), case 1; Nair & Lauritzen (2010), case 4;
Lauritzen & Thuburn (2012) for the mixing diagnostics.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mozart_coupling.constants import EARTH_RADIUS_M
from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.grids import Grid

DAY_S = 86400.0
PERIOD_S = 12.0 * DAY_S
LAYER_KG_M2 = 1.0e4
SAMPLES_PER_CELL = 8

StreamFunction = Callable[[np.ndarray, np.ndarray, float], np.ndarray]
Field = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Norms:
    """Normalised errors of Williamson et al. (1992), eqs. 82-84, and the extremes of the result."""

    l1: float
    l2: float
    linf: float
    smallest: float
    largest: float


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


def cosine_bell(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Williamson et al. (1992), eq. 79, of height 1 and radius a/3 about 270E on the equator."""
    r = _angle(lon, lat, 1.5 * np.pi, 0.0)
    return np.where(r < 1.0 / 3.0, 0.5 * (1.0 + np.cos(3.0 * np.pi * r)), 0.0)


def gaussian_hills(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Nair & Lauritzen (2010): two hills 0.95 exp(-5 |X - Xi|²)."""
    lon, lat = np.broadcast_arrays(lon, lat)
    x = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    total = np.zeros(np.broadcast(lon, lat).shape)
    for centre in (5.0 * np.pi / 6.0, 7.0 * np.pi / 6.0):
        xi = np.array([np.cos(centre), np.sin(centre), 0.0]).reshape(3, *([1] * total.ndim))
        total += 0.95 * np.exp(-5.0 * ((x - xi) ** 2).sum(axis=0))
    return total


def cosine_bells(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Nair & Lauritzen (2010): two bells of radius 1/2 between 0.1 and 1."""
    total = np.full(np.broadcast(lon, lat).shape, 0.1)
    for centre in (5.0 * np.pi / 6.0, 7.0 * np.pi / 6.0):
        r = _angle(lon, lat, centre, 0.0)
        total += np.where(r < 0.5, 0.45 * (1.0 + np.cos(2.0 * np.pi * r)), 0.0)
    return total


def slotted_cylinders(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Nair & Lauritzen (2010): two cylinders of radius 1/2, height 1 on 0.1, with slots opposite each other."""
    radius, half_slot, end = 0.5, 0.5 / 6.0, 5.0 * 0.5 / 12.0
    total = np.full(np.broadcast(lon, lat).shape, 0.1)
    for centre, side in ((5.0 * np.pi / 6.0, -1.0), (7.0 * np.pi / 6.0, 1.0)):
        inside = _angle(lon, lat, centre, 0.0) <= radius
        slot = (np.abs(lon - centre) < half_slot) & (side * lat < end)
        total = np.where(inside & ~slot, 1.0, total)
    return total


def correlated(chi: np.ndarray) -> np.ndarray:
    """Lauritzen & Thuburn (2012), eq. 1: the tracer that starts as a parabola of `chi`."""
    return -0.8 * chi**2 + 0.9


def cell_means(field: Field, grid: Grid, samples: int = SAMPLES_PER_CELL) -> np.ndarray:
    """Means of an analytic field over cells (nlat, nlon), polar rows as one cell, by samples equally spaced in area."""
    offsets = (np.arange(samples) + 0.5) / samples
    sines = np.sin(np.deg2rad(grid.lat_edges))
    sine = sines[:-1, None] + np.diff(sines)[:, None] * offsets
    edges = np.deg2rad(grid.lon_edges)
    lon = edges[:-1, None] + np.diff(edges)[:, None] * offsets
    values = field(np.mod(lon, 2.0 * np.pi)[None, :, None, :], np.arcsin(sine)[:, None, :, None]).mean(axis=(2, 3))
    for row in (0, -1):
        values[row] = values[row].mean()
    return values


def wall_amounts(psi: StreamFunction, grid: Grid, time: float, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Air through western walls (nlat, nlon) and southern walls (nlat+1, nlon) in `dt`, wind at `time` [kg]."""
    lon = np.deg2rad(grid.lon_edges)[None, :]
    lat = np.deg2rad(grid.lat_edges)[:, None]
    corner = psi(lon, lat, time) * (LAYER_KG_M2 * dt)
    corner[0], corner[-1] = corner[0, 0], corner[-1, 0]
    corner[:, -1] = corner[:, 0]
    zonal = -np.diff(corner, axis=0)[:, :-1]
    zonal[0], zonal[-1] = 0.0, 0.0
    return zonal, np.diff(corner, axis=1)


def carry(psi: StreamFunction, grid: Grid, fields: np.ndarray, steps: int, mode: str = "linear", duration: float = PERIOD_S,
          threads: int | None = 1, **options: object) -> np.ndarray:
    """Carry cell means (n, nlat, nlon) by a flow for `duration` seconds in `steps` steps, wind at mid-step."""
    core = TransportCore(grid, [0.0, 0.0], [0.0, 1.0], fields.shape[0], mode=mode, threads=threads, **options)
    core.set_state(fields[:, None], np.full(grid.shape, 1.0e5))
    mass = np.array(grid.area)[None] * LAYER_KG_M2
    dt = duration / steps
    for step in range(steps):
        zonal, meridional = wall_amounts(psi, grid, (step + 0.5) * dt, dt)
        mass = core.advect_horizontally(zonal[None], meridional[None], mass)
    return core.mixing_ratio()[:, 0]


def norms(result: np.ndarray, exact: np.ndarray, grid: Grid) -> Norms:
    """Errors of a result (nlat, nlon) against the exact cell means."""
    area = grid.area
    error = result - exact
    return Norms(l1=float((np.abs(error) * area).sum() / (np.abs(exact) * area).sum()),
                 l2=float(np.sqrt((error**2 * area).sum() / (exact**2 * area).sum())),
                 linf=float(np.abs(error).max() / np.abs(exact).max()),
                 smallest=float(result.min()), largest=float(result.max()))


def _angle(lon: np.ndarray, lat: np.ndarray, lon0: float, lat0: float) -> np.ndarray:
    cosine = np.sin(lat0) * np.sin(lat) + np.cos(lat0) * np.cos(lat) * np.cos(lon - lon0)
    return np.arccos(np.clip(cosine, -1.0, 1.0))
