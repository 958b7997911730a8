"""The initial CO2 field in the transport model's form."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.grids import Grid
from mozart_coupling.initial import read_initial, write_initial

from . import Specimen


def _write(directory: Path) -> Path:
    path = directory / "initial.nc"
    grid, levels = Grid.named("12x6"), hybrid_levels(5)
    field = 1.0e-6 * (390.0 + np.random.default_rng(1).standard_normal((5, *grid.shape)))
    write_initial(path, grid, levels, 1.0e5, field, ["EN001"], "2010-06-01")
    return path


def _read(path: Path) -> dict[str, np.ndarray]:
    found = read_initial(path, ["EN001"])
    return {"co2": found.tracer("EN001"), "lat": found.grid.lat, "grid_lon": found.grid.lon, "hyam": found.hyam, "hybm": found.hybm}


SPECIMENS = [Specimen("initial_contract", "netcdf3", _write, _read)]
