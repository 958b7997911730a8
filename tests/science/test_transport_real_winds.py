"""Real winds through the pressure fixer: NCEP's June climatology, whose winds and pressure know nothing of each other."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
import pytest

from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.embedded.step import StepMet
from mozart_coupling.grids import Grid

STEPS = 48


def to_levels(values: np.ndarray, pressure: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Linear in the logarithm of pressure; `values` (n_pressures, nlat, nlon), pressure ascending."""
    result = np.empty_like(target)
    for j, i in np.ndindex(target.shape[1:]):
        known = np.abs(values[:, j, i]) < 1e10
        result[:, j, i] = np.interp(np.log(target[:, j, i]), np.log(pressure[known]), values[known, j, i])
    return result


@pytest.mark.needs_real_data
def test_uniform_stays_uniform_in_ncep_winds(real_data: Path) -> None:
    with netCDF4.Dataset(real_data / "met" / "ncep_june_climatology_t42.nc") as file:
        file.set_auto_mask(False)
        north_first = file["lat"][0] > file["lat"][-1]
        top_last = file["lev"][0] > file["lev"][-1]
        turn = slice(None, None, -1) if north_first else slice(None)
        order = slice(None, None, -1) if top_last else slice(None)
        grid = Grid.from_centres(file["lon"][:], file["lat"][turn])
        ps = np.array(file["PS"][0][turn], dtype=float) * 100.0
        pressure = np.array(file["lev"][order], dtype=float) * 100.0
        fields = {name: np.array(file[name][0], dtype=float)[order][:, turn] for name in ("U", "V", "T")}
    hyai, hybi = hybrid_levels(28)
    middle = 0.5 * ((hyai[1:] + hyai[:-1])[:, None, None] * 1e5 + (hybi[1:] + hybi[:-1])[:, None, None] * ps)
    u, v, temperature = (to_levels(fields[name], pressure, middle) for name in ("U", "V", "T"))
    core = TransportCore(grid, hyai, hybi, 2, threads=1)
    q = np.full((2, 28, *grid.shape), 4.0e-4)
    q[1] *= 1.0 + 0.1 * np.sin(np.deg2rad(grid.lat))[:, None]
    core.set_state(q, ps)
    before = core.tracer_mass()
    for step in range(STEPS):
        core.step(StepMet(u=u, v=v, ps_start=ps, ps_end=ps, temperature=temperature, seconds_of_day=step * 1800.0,
                          day_of_year=160.0), 1800.0)
    np.testing.assert_allclose(core.mixing_ratio()[0], 4.0e-4, rtol=1e-13, atol=0)
    np.testing.assert_allclose(core.tracer_mass(), before, rtol=1e-12)
    assert core.fixer_mismatch > 100.0
