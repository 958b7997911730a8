"""DCMIP-2012, tests 1-1 and 1-2: three-dimensional transport in an isothermal atmosphere, p = p0 exp(-z/H), up to 12 km.

Definitions: Ullrich, Jablonowski, Kent, Lauritzen, Nair & Taylor (2012), Dynamical Core Model Intercomparison Project test case document,
v1.7, sections 1.1 and 1.2 (wind as in version 5 of the initial conditions); Kent, Ullrich & Jablonowski (2014), Q. J. R. Meteorol. Soc.
140, 1279.
Horizontal fluxes of air are integrated over walls and layers analytically. Their convergence is then the difference of the prescribed
vertical fluxes through a layer's interfaces, means over the cell: the model's continuity gives the prescribed vertical wind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mozart_coupling.constants import EARTH_RADIUS_M, GRAVITY
from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.embedded.idealised.fields import CENTRES, angle, correlated, sample_points
from mozart_coupling.embedded.idealised.flows import DAY_S, corner_stream, deformation
from mozart_coupling.grids import Grid

P0 = 1.0e5  # Pa
SCALE_HEIGHT_M = 287.0 * 300.0 / 9.80616  # the document's own gas constant, temperature and gravity
TOP_M = 12000.0
SAMPLES = 3  # in each direction of a cell
THICKEST_ELLIPSE = 0.5
Q1_RANGE = (0.0, 1.0)  # of test 1-1
HADLEY_CELLS = 5.0
HADLEY_W = 0.15  # m s-1
HADLEY_U = 40.0  # m s-1

Profile = Callable[[np.ndarray], np.ndarray]
Field = Callable[[np.ndarray, np.ndarray], Profile]


@dataclass(frozen=True)
class Case:
    """A test ready to run.

    Attributes
    ----------
    name
        Such as "1-1".
    grid
        Horizontal grid.
    height
        Heights of interfaces over ground at sea level, top first (nlev+1,) [m].
    mass
        Air in each cell, the same at all times (n, nlat, nlon) [kg]; n may be more than nlev (a layer under the ground).
    weight
        Volume of each cell, for norms (nlev, nlat, nlon) [m3].
    start
        Tracers (n_tracers, nlev, nlat, nlon): means over the cells' air. The exact solution after `duration` is the same.
    tracers
        Their names.
    walls
        (time, dt) → air through western walls (n, nlat, nlon) and southern walls (n, nlat+1, nlon) in `dt`, wind at `time` [kg].
    duration
        [s].
    """

    name: str
    grid: Grid
    height: np.ndarray
    mass: np.ndarray
    weight: np.ndarray
    start: np.ndarray
    tracers: tuple[str, ...]
    walls: Callable[[float, float], tuple[np.ndarray, np.ndarray]]
    duration: float

    def only(self, *tracers: str) -> Case:
        """The same test with some of its tracers."""
        return replace(self, tracers=tracers, start=self.start[[self.tracers.index(name) for name in tracers]])


def run(case: Case, steps: int, mode: str = "linear", threads: int | None = 1,
        half: Callable[[np.ndarray], None] | None = None) -> np.ndarray:
    """Carry a case's tracers for its duration in `steps` steps; (n_tracers, nlev, nlat, nlon).

    `half`, if given, is called with the tracers of half time.
    """
    n_tracers, nlev = case.start.shape[:2]
    below = case.mass.shape[0] - nlev
    core = TransportCore(case.grid, np.zeros(nlev + below + 1), np.linspace(0.0, 1.0, nlev + below + 1), n_tracers, mode=mode,
                         threads=threads, boundary_layer=False, convection=False)
    core.set_state(np.pad(case.start, ((0, 0), (0, below), (0, 0), (0, 0)), mode="edge"), np.full(case.grid.shape, P0))
    dt = case.duration / steps
    for step in range(steps):
        core.advect(*case.walls((step + 0.5) * dt, dt), case.mass, case.mass)
        if half and 2 * (step + 1) == steps:
            half(core.mixing_ratio()[:, :nlev])
    return core.mixing_ratio()[:, :nlev]


def even_heights(n_levels: int) -> np.ndarray:
    """Heights of interfaces, equally spaced, top first (n_levels+1,) [m]."""
    return TOP_M * (1.0 - np.arange(n_levels + 1) / n_levels)


def pressure_at(height: np.ndarray) -> np.ndarray:
    """Pressure of the isothermal atmosphere [Pa] at heights [m]."""
    return P0 * np.exp(-np.asarray(height) / SCALE_HEIGHT_M)


def deformation_3d(grid: Grid, n_levels: int = 60) -> Case:
    """Test 1-1: the non-divergent flow of Nair & Lauritzen (2010) and an overturning that goes up and down twice in 12 days."""
    height = even_heights(n_levels)
    pressure = pressure_at(height)
    period, top, width = 12.0 * DAY_S, pressure[0], 0.2 * pressure[0]
    omega_0 = 23000.0 * np.pi / period
    # Shape of omega in the vertical, zero at top and ground.
    shape = 1.0 + np.exp((top - P0) / width) - np.exp((pressure - P0) / width) - np.exp((top - pressure) / width)
    lat = np.deg2rad(grid.lat_edges)
    squared_cosine = np.diff(0.5 * lat + 0.25 * np.sin(2.0 * lat))  # integral over each row

    def walls(time: float, dt: float) -> tuple[np.ndarray, np.ndarray]:
        air = np.diff(pressure)[:, None, None] * (dt / GRAVITY)
        corner = corner_stream(deformation, grid, time)[None] * air
        shifted = np.deg2rad(grid.lon_edges[:-1]) - 2.0 * np.pi * time / period
        overturning = omega_0 * EARTH_RADIUS_M**2 * np.cos(2.0 * np.pi * time / period) * (dt / GRAVITY)
        zonal = -np.diff(corner, axis=1)[:, :, :-1]
        zonal += overturning * np.diff(shape)[:, None, None] * squared_cosine[:, None] * np.cos(shifted)
        zonal[:, 0], zonal[:, -1] = 0.0, 0.0
        return zonal, np.diff(corner, axis=2)

    bells, ellipses = (layer_means(field, grid, height) for field in (_bells, _slotted_ellipses))
    second = correlated(bells)
    start = np.stack([bells, second, ellipses, 1.0 - 0.3 * (bells + second + ellipses)])
    return Case("1-1", grid, height, *_air(grid, height), start, ("q1", "q2", "q3", "q4"), walls, period)


def hadley(grid: Grid, n_levels: int = 60) -> Case:
    """Test 1-2: a layer is lifted and drawn out by five overturning cells, and let back, in a day."""
    height = even_heights(n_levels)
    period = DAY_S
    lat = np.deg2rad(grid.lat_edges)
    # Density times v, integrated over height: the density of the wind's definition cancels that of the air.
    lifted = np.sin(np.pi * height / TOP_M)
    lifted[0], lifted[-1] = 0.0, 0.0
    northward = P0 / (SCALE_HEIGHT_M * GRAVITY) * EARTH_RADIUS_M * HADLEY_W / HADLEY_CELLS * np.cos(lat) * np.sin(HADLEY_CELLS * lat)
    width = EARTH_RADIUS_M * np.cos(lat) * np.deg2rad(360.0 / grid.nlon)
    eastward = np.diff(pressure_at(height))[:, None] * HADLEY_U / GRAVITY * EARTH_RADIUS_M * np.diff(0.5 * lat + 0.25 * np.sin(2.0 * lat))

    def walls(time: float, dt: float) -> tuple[np.ndarray, np.ndarray]:
        strength = dt * np.cos(np.pi * time / period)
        meridional = strength * np.diff(lifted)[:, None] * (northward * width)
        meridional[:, 0], meridional[:, -1] = 0.0, 0.0
        zonal = dt * eastward
        zonal[:, 0], zonal[:, -1] = 0.0, 0.0
        return (np.repeat(zonal[:, :, None], grid.nlon, axis=2), np.repeat(meridional[:, :, None], grid.nlon, axis=2))

    return Case("1-2", grid, height, *_air(grid, height), layer_means(_layer, grid, height)[None], ("q1",), walls, period)


def layer_means(field: Field, grid: Grid, height: np.ndarray) -> np.ndarray:
    """Means of an analytic field over the air of cells between level interfaces (nlev, nlat, nlon); polar rows as one cell.

    Parameters
    ----------
    field
        (longitude, latitude) [rad] → function of height [m].
    height
        Heights of interfaces (nlev+1,) [m].
    """
    lon, lat = sample_points(grid, SAMPLES)
    profile = field(lon[None, :, None, :], lat[:, None, :, None])
    pressure = pressure_at(height)
    result = np.zeros((height.size - 1, *grid.shape))
    for k in range(height.size - 1):
        for sample in (np.arange(SAMPLES) + 0.5) / SAMPLES:
            z = SCALE_HEIGHT_M * np.log(P0 / (pressure[k] + sample * (pressure[k + 1] - pressure[k])))
            result[k] += profile(z).mean(axis=(2, 3)) / SAMPLES
    result[:, 0], result[:, -1] = result[:, :1, :].mean(axis=2), result[:, -1:, :].mean(axis=2)
    return result


def _air(grid: Grid, height: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mass (nlev, nlat, nlon) [kg] and volume (nlev, nlat, nlon) [m3] of cells."""
    return (np.diff(pressure_at(height))[:, None, None] / GRAVITY * grid.area, -np.diff(height)[:, None, None] * grid.area)


def _distances(lon: np.ndarray, lat: np.ndarray) -> list[np.ndarray]:
    """Squared distance from each centre, in units of half a radian."""
    return [(angle(lon, lat, centre, 0.0) / 0.5) ** 2 for centre in CENTRES]


def _bells(lon: np.ndarray, lat: np.ndarray) -> Profile:
    """q1 of test 1-1: two cosine bells, half a radian wide and 1 km high, at 5 km."""
    near = _distances(lon, lat)

    def profile(z: float) -> np.ndarray:
        return sum(0.5 * (1.0 + np.cos(np.pi * np.minimum(1.0, d + ((z - 5000.0) / 1000.0) ** 2))) for d in near)

    return profile


def _slotted_ellipses(lon: np.ndarray, lat: np.ndarray) -> Profile:
    """q3 of test 1-1: two ellipsoids of 1 on 0.1, slotted along the equator above their middle."""
    near = _distances(lon, lat)
    slot = np.abs(lat) < 0.125

    def profile(z: float) -> np.ndarray:
        inside = np.minimum(*near) + ((z - 5000.0) / 1000.0) ** 2 <= THICKEST_ELLIPSE
        return np.where(inside & ~(slot & (z > 5000.0)), 1.0, 0.1)

    return profile


def _layer(lon: np.ndarray, lat: np.ndarray) -> Profile:
    """q1 of test 1-2: a layer between 2 and 5 km."""
    shape = np.broadcast(lon, lat).shape

    def profile(z: float) -> np.ndarray:
        return np.full(shape, 0.5 * (1.0 + np.cos(2.0 * np.pi * (z - 3500.0) / 3000.0)) if 2000.0 < z < 5000.0 else 0.0)

    return profile
