"""DCMIP-2012, test 1-3: thin clouds carried horizontally over steep orography, on levels that follow it.

Definition: Ullrich et al. (2012), DCMIP test case document v1.7, section 1.3; Kent, Ullrich & Jablonowski (2014). Wind is the same at all
heights and purely horizontal, so clouds cross levels above every slope and come back in 12 days. Levels are p = A p0 + B ps with
B = (η - η_top)/(1 - η_top), A = η - B, η = exp(-z/H), heights equally spaced.

The prescribed wind blows through the ground. One more layer between the ground and a constant pressure takes this air: columns down to
there keep their mass, and continuity gives exactly the flux through levels that horizontal wind makes. It is not in the norms.
"""

from __future__ import annotations

import numpy as np

from mozart_coupling.constants import GRAVITY
from mozart_coupling.embedded.idealised.dcmip import P0, SAMPLES, SCALE_HEIGHT_M, Case, even_heights, pressure_at
from mozart_coupling.embedded.idealised.fields import angle, sample_points
from mozart_coupling.embedded.idealised.flows import DAY_S, corner_stream, solid_body
from mozart_coupling.grids import Grid

BASE_PA = 1.2 * P0  # lower boundary of the layer under the ground
TILT = np.pi / 6.0
PEAK_M = 2000.0
RANGE_RADIUS, RIDGE_HALF_WIDTH = 0.75 * np.pi, np.pi / 16.0
CLOUD_RADIUS = 0.25 * np.pi
CLOUDS = ((3050.0, 1000.0), (5050.0, 1000.0), (8200.0, 400.0))  # middle and thickness [m]


def surface_height(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Concentric ridges about 270E on the equator [m]."""
    r = angle(lon, lat, 1.5 * np.pi, 0.0)
    height = 0.5 * PEAK_M * (1.0 + np.cos(np.pi * r / RANGE_RADIUS)) * np.cos(np.pi * r / RIDGE_HALF_WIDTH) ** 2
    return np.where(r < RANGE_RADIUS, height, 0.0)


def thin_clouds(grid: Grid, n_levels: int = 60) -> Case:
    """Test 1-3: two smooth clouds, a thin one with edges, and their sum."""
    height = even_heights(n_levels)
    a, b = hybrid_coefficients(height)
    lon, lat = sample_points(grid, SAMPLES)
    interfaces = _interfaces(a, b, lon[None, :, None, :], lat[:, None, :, None])
    mean = interfaces.mean(axis=(3, 4))
    mean[:, 0], mean[:, -1] = mean[:, :1].mean(axis=2), mean[:, -1:].mean(axis=2)
    zonal, meridional = _wall_rates(grid, a, b)
    mass = np.diff(mean, axis=0) * grid.area / GRAVITY
    volume = SCALE_HEIGHT_M * np.diff(np.log(mean[:-1]), axis=0) * grid.area
    start = _cloud_means(lon, lat, interfaces[:-1])
    start[:, :, 0], start[:, :, -1] = start[:, :, :1].mean(axis=3), start[:, :, -1:].mean(axis=3)
    start = np.concatenate([start, start.sum(axis=0, keepdims=True)])
    return Case("1-3", grid, height, mass, volume, start, ("q1", "q2", "q3", "q4"),
                lambda time, dt: (zonal * dt, meridional * dt), 12.0 * DAY_S)


def hybrid_coefficients(height: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A and B of interfaces (nlev+1,) [1] that lie at `height` [m] where the ground is at sea level."""
    eta = pressure_at(height) / P0
    b = (eta - eta[0]) / (1.0 - eta[0])
    return eta - b, b


def _interfaces(a: np.ndarray, b: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Pressures of interfaces, and of the layer's bottom under the ground, at points (nlev+2, ...) [Pa]."""
    surface = pressure_at(surface_height(lon, lat))
    column = (slice(None),) + (None,) * surface.ndim
    return np.concatenate([a[column] * P0 + b[column] * surface, np.full((1, *surface.shape), BASE_PA)])


def _wall_rates(grid: Grid, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Air through western walls (nlev+1, nlat, nlon) and southern walls (nlev+1, nlat+1, nlon) [kg s-1], pressure taken along each wall."""
    parts = 4 * SAMPLES
    fine = Grid(*_split(grid, parts))
    psi = corner_stream(solid_body(TILT), fine, 0.0) / GRAVITY
    lon_edges, lat_edges = np.deg2rad(grid.lon_edges), np.deg2rad(grid.lat_edges)
    swept = -np.diff(psi[:, :-1:parts], axis=0).reshape(grid.nlat, parts, grid.nlon)
    pressure = _interfaces(a, b, lon_edges[None, None, :-1], np.deg2rad(fine.lat).reshape(grid.nlat, parts, 1))
    zonal = np.diff((swept * pressure).sum(axis=2), axis=0)
    zonal[:, 0], zonal[:, -1] = 0.0, 0.0
    swept = np.diff(psi[::parts], axis=1).reshape(grid.nlat + 1, grid.nlon, parts)
    pressure = _interfaces(a, b, np.deg2rad(fine.lon).reshape(1, grid.nlon, parts), lat_edges[:, None, None])
    return zonal, np.diff((swept * pressure).sum(axis=3), axis=0)


def _split(grid: Grid, parts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Centres and edges of a grid whose cells are `parts` times smaller, with all edges of `grid` among its own."""
    fine = []
    for edges in (grid.lon_edges, grid.lat_edges):
        inner = edges[:-1, None] + np.diff(edges)[:, None] * (np.arange(parts) / parts)
        fine.append(np.append(inner.ravel(), edges[-1]))
    return *(0.5 * (edges[:-1] + edges[1:]) for edges in fine), *fine


def _cloud_means(lon: np.ndarray, lat: np.ndarray, interfaces: np.ndarray) -> np.ndarray:
    """Means of the three clouds over the air of cells (3, nlev, nlat, nlon); interfaces (nlev+1, nlat, nlon, samples, samples) [Pa]."""
    r = angle(lon[None, :, None, :], lat[:, None, :, None], 0.5 * np.pi, 0.0)
    inside = r < CLOUD_RADIUS
    bell = np.where(inside, 0.5 * (1.0 + np.cos(np.pi * r / CLOUD_RADIUS)), 0.0)
    shapes = (bell, bell, inside.astype(float))
    result = np.zeros((3, interfaces.shape[0] - 1, *interfaces.shape[1:3]))
    for k in range(interfaces.shape[0] - 1):
        thickness = interfaces[k + 1] - interfaces[k]
        for sample in (np.arange(SAMPLES) + 0.5) / SAMPLES:
            z = SCALE_HEIGHT_M * np.log(P0 / (interfaces[k] + sample * thickness))
            for n, (middle, depth) in enumerate(CLOUDS):
                off = np.abs(z - middle) / (0.5 * depth)
                vertical = np.where(off < 1.0, 0.5 * (1.0 + np.cos(np.pi * off)) if n < 2 else 1.0, 0.0)
                result[n, k] += (shapes[n] * vertical * thickness).sum(axis=(2, 3)) / SAMPLES
        result[:, k] /= thickness.sum(axis=(2, 3))
    return result
