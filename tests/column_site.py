"""Columns without wind, for tests of mixing and convection: the same weather over the whole of a small grid."""

from __future__ import annotations

from typing import Any

import numpy as np

from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.embedded.levels import (
    hybrid_levels,
    level_pressure,
    mid_coefficients,
)
from mozart_coupling.embedded.step import StepMet
from mozart_coupling.grids import Grid
from mozart_coupling.heights import hydrostatic_heights

GRID = Grid.regular(16, 8)
LEVELS = hybrid_levels(28)
SURFACE_PRESSURE = 1.0e5
LEVEL_PRESSURE = level_pressure(*mid_coefficients(*LEVELS), SURFACE_PRESSURE)


def plane(value: float) -> np.ndarray:
    """The same number everywhere (nlat, nlon)."""
    return np.full(GRID.shape, float(value))


def column(profile: np.ndarray) -> np.ndarray:
    """The same profile everywhere (n, nlat, nlon)."""
    return np.ascontiguousarray(np.broadcast_to(np.asarray(profile, dtype=float)[:, None, None], (len(profile), *GRID.shape)))


def heights(temperature: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Heights above ground of mid-levels and interfaces of one dry column [m]."""
    return hydrostatic_heights(temperature, None, np.float64(SURFACE_PRESSURE), np.float64(0.0), *LEVELS)


def sounding(ground: float = 290.0, lapse_rate: float = 6.5e-3, least: float = 205.0) -> np.ndarray:
    """Temperatures (nlev,) [K] of a constant lapse rate [K/m]."""
    exponent = 287.05 * lapse_rate / 9.80665
    return np.maximum(ground * (LEVEL_PRESSURE / SURFACE_PRESSURE) ** exponent, least)


def still_air(**fields: Any) -> StepMet:
    """Meteorology of a step without wind; numbers and profiles are spread over the grid. Stress gives u* for air of 1.2 kg m-3."""
    nlev = LEVELS[0].size - 1
    given: dict[str, Any] = {"temperature": sounding(), "specific_humidity": np.zeros(nlev), "pblh": 1000.0, "surface_heat_flux": 0.0,
                             "moisture_flux": 0.0, "taux": 0.1, "tauy": 0.0, "oro": 1.0, "cmfmc": np.zeros(nlev + 1)} | fields
    spread: dict[str, Any] = {name: value if value is None or isinstance(value, np.ndarray) and value.ndim > 1
                              else column(value) if isinstance(value, np.ndarray) else plane(value)
                              for name, value in given.items() if name not in ("seconds_of_day", "day_of_year")}
    spread |= {name: given[name] for name in ("seconds_of_day", "day_of_year") if name in given}
    wind = np.zeros((nlev, *GRID.shape))
    return StepMet(wind, wind, plane(SURFACE_PRESSURE), plane(SURFACE_PRESSURE), **spread)


def make_core(mixing_ratio: np.ndarray, **options: Any) -> TransportCore:
    """A core with these tracers (n, nlev) or (n, nlev, nlat, nlon) over ground at 1000 hPa."""
    mixing_ratio = np.asarray(mixing_ratio, dtype=float)
    if mixing_ratio.ndim == 2:
        mixing_ratio = np.ascontiguousarray(np.broadcast_to(mixing_ratio[:, :, None, None], (*mixing_ratio.shape, *GRID.shape)))
    core = TransportCore(GRID, *LEVELS, mixing_ratio.shape[0], **({"threads": 1} | options))
    core.set_state(mixing_ratio, plane(SURFACE_PRESSURE))
    return core
