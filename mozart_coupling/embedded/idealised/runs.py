"""Carry tracers by the two-dimensional flows."""

from __future__ import annotations

import numpy as np

from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.embedded.idealised.flows import LAYER_KG_M2, PERIOD_S, StreamFunction, divergent_walls, wall_amounts
from mozart_coupling.grids import Grid


def carry(psi: StreamFunction, grid: Grid, fields: np.ndarray, steps: int, mode: str = "linear", duration: float = PERIOD_S,
          threads: int | None = 1, begin: float = 0.0, **options: object) -> np.ndarray:
    """Carry cell means (n, nlat, nlon) by a flow from `begin` for `duration` seconds in `steps` steps, wind at mid-step."""
    core = _single_layer(grid, fields, mode, threads, **options)
    mass = np.array(grid.area)[None] * LAYER_KG_M2
    dt = duration / steps
    for step in range(steps):
        zonal, meridional = wall_amounts(psi, grid, begin + (step + 0.5) * dt, dt)
        mass = core.advect_horizontally(zonal[None], meridional[None], mass)
    return core.mixing_ratio()[:, 0]


def carry_divergent(grid: Grid, fields: np.ndarray, steps: int, mode: str = "linear", duration: float = PERIOD_S,
                    threads: int | None = 1, **options: object) -> tuple[np.ndarray, np.ndarray]:
    """Carry mixing ratios (n, nlat, nlon) by the divergent flow, which changes the air's density on its way.

    Air is a field of its own here: it starts with 1 kg m-2 and is carried by fourth-order centred fluxes and the three stages of Wicker &
    Skamarock (2002); the fluxes of the last stage are what the tracers are given. They carry mixing ratios at the wind's speed,
    whatever the density's own error is.

    Returns
    -------
    fields, density
        Mixing ratios (n, nlat, nlon) and air (nlat, nlon) [kg m-2] at the end; the exact ones at T are those of the start.
    """
    core = _single_layer(grid, fields, mode, threads, **options)
    area = np.array(grid.area)
    mass = area.copy()
    dt = duration / steps
    for step in range(steps):
        swept = divergent_walls(grid, (step + 0.5) * dt, dt)
        stage = mass
        for share in (3.0, 2.0, 1.0):
            zonal, meridional = _air_through(swept, stage / area)
            stage = mass + (zonal - np.roll(zonal, -1, axis=1) + meridional[:-1] - meridional[1:]) / share
            stage[0], stage[-1] = stage[0].mean(), stage[-1].mean()
        mass = core.advect_horizontally(zonal[None], meridional[None], mass[None])[0]
    return core.mixing_ratio()[:, 0], mass / area


def _air_through(swept: tuple[np.ndarray, np.ndarray], density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Air through walls [kg] from areas swept [m2] and density (nlat, nlon) [kg m-2]; second order next to the caps."""
    zonal, meridional = swept
    near, far = density + np.roll(density, 1, axis=1), np.roll(density, -1, axis=1) + np.roll(density, 2, axis=1)
    on_south = np.zeros_like(meridional)
    on_south[1:-1] = 0.5 * (density[:-1] + density[1:])
    on_south[3:-3] = (7.0 * (density[2:-3] + density[3:-2]) - (density[1:-4] + density[4:-1])) / 12.0
    return zonal * (7.0 * near - far) / 12.0, meridional * on_south


def _single_layer(grid: Grid, fields: np.ndarray, mode: str, threads: int | None, **options: object) -> TransportCore:
    core = TransportCore(grid, [0.0, 0.0], [0.0, 1.0], fields.shape[0], mode=mode, threads=threads, boundary_layer=False, convection=False,
                         **options)
    core.set_state(fields[:, None], np.full(grid.shape, 1.0e5))
    return core
