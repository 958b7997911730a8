"""What must hold on every grid and any number of levels, in rough weather: winds of several cells a step over the poles, substeps in
latitude, surface pressure that changes by 40 hPa a day over high ground."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.embedded.levels import hybrid_levels, level_pressure
from mozart_coupling.embedded.step import StepMet
from mozart_coupling.errors import CflError
from mozart_coupling.grids import Grid

HOUR = 3600.0
GRAVITY = 9.80665
SMALL_GRIDS = {"36x19": Grid.with_poles(36, 19), "24x12": Grid.regular(24, 12), "32x16": Grid.gaussian(32, 16),
               "27x14": Grid.regular(27, 14), "9x8": Grid.regular(9, 8)}


def rough_weather(grid: Grid, n_levels: int, seed: int, dt: float, start: float = 0.0) -> StepMet:
    """Jets of 60 m/s up to the poles and a flow of 40 m/s across them, mountains of 400 hPa, deep lows on their way."""
    random = np.random.default_rng(seed)
    phase = random.uniform(0.0, 2.0 * np.pi, 4)
    latitude, longitude = np.deg2rad(grid.lat)[:, None], np.deg2rad(grid.lon)[None, :]
    height = np.cos(np.linspace(0.0, 2.5, n_levels))[:, None, None]  # the sense changes with height: strong vertical motion
    u = 60.0 * np.sin(2.0 * latitude + phase[0]) + 40.0 * np.sin(latitude) * np.sin(longitude + phase[1])
    v = 40.0 * np.cos(longitude + phase[1]) + 20.0 * np.sin(3.0 * longitude + phase[2]) * np.cos(latitude)
    ground = 1.0e5 - 4.0e4 * np.exp(-((latitude - 0.6) ** 2 + (longitude - 1.5) ** 2) / 0.15)
    waves = [2000.0 * np.cos(3.0 * longitude + phase[3] - 2.0 * np.pi * time / 86400.0) * np.cos(latitude) for time in (start, start + dt)]
    return StepMet(u=height * u, v=height * v, ps_start=ground - waves[0], ps_end=ground - waves[1] + 5.0)


def courant_numbers(core: TransportCore, met: StepMet, dt: float) -> tuple[float, float]:
    """Largest shares of the upwind cells' air that the fluxes of the last step carried along longitude and latitude [1]."""
    pressure = level_pressure(core._a / 1.0e5, core._b, 0.5 * (met.ps_start + met.ps_end))
    mass = np.diff(pressure, axis=0) / GRAVITY * core.grid.area
    zonal = np.abs(core._zonal) / np.minimum(mass, np.roll(mass, 1, axis=2))
    meridional = np.abs(core._meridional[:, 1:-1]) / np.minimum(mass[:, 1:], mass[:, :-1])
    return float(zonal[:, 1:-1].max()), float(meridional[:, 1:-1].max())


def start(grid: Grid, n_levels: int, q: np.ndarray, seed: int, dt: float, **options: object) -> tuple[TransportCore, StepMet]:
    given = {"threads": 1, "boundary_layer": False, "convection": False} | options
    core = TransportCore(grid, *hybrid_levels(n_levels), q.shape[0], **given)
    met = rough_weather(grid, n_levels, seed, dt)
    core.set_state(q, met.ps_start)
    return core, met


def require_invariants(grid: Grid, n_levels: int, seed: int, dt: float, steps: int, **options: object) -> TransportCore:
    """Uniform to 1e-13, mass to 1e-12, air to 1e-13, pressure as given up to one number."""
    q = np.empty((2, n_levels, *grid.shape))
    q[0], q[1] = 4.1e-4, np.random.default_rng(seed).random(q.shape[1:])
    core, met = start(grid, n_levels, q, seed, dt, **options)
    mass, air = core.tracer_mass(), core.air_mass().sum()
    for number in range(steps):
        met = rough_weather(grid, n_levels, seed, dt, number * dt)
        core.step(met, dt)
    np.testing.assert_allclose(core.mixing_ratio()[0], 4.1e-4, rtol=1e-13, atol=0.0)
    np.testing.assert_allclose(core.tracer_mass(), mass, rtol=1e-12)
    np.testing.assert_allclose(core.air_mass().sum(), air, rtol=1e-13)
    assert np.ptp((core.surface_pressure - met.ps_end)[1:-1]) < 1e-6
    return core


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(sorted(SMALL_GRIDS)), n_levels=st.integers(2, 40), seed=st.integers(0, 10**6),
       hours=st.sampled_from([0.25, 1, 3]), mode=st.sampled_from(["linear", "monotone"]), mixing=st.booleans())
@example(name="36x19", n_levels=5, seed=1, hours=3, mode="linear", mixing=True)
@example(name="9x8", n_levels=2, seed=2, hours=3, mode="monotone", mixing=True)
def test_any_grid_keeps_uniformity_and_mass(name: str, n_levels: int, seed: int, hours: float, mode: str, mixing: bool) -> None:
    require_invariants(SMALL_GRIDS[name], n_levels, seed, hours * HOUR, 4, mode=mode, boundary_layer=mixing, convection=mixing)


@settings(max_examples=8, deadline=None)
@given(name=st.sampled_from(sorted(SMALL_GRIDS)), n_levels=st.integers(2, 40), seed=st.integers(0, 10**6))
def test_any_grid_superposes(name: str, n_levels: int, seed: int) -> None:
    grid, random = SMALL_GRIDS[name], np.random.default_rng(seed)
    a, b = random.random((2, n_levels, *grid.shape))
    core, met = start(grid, n_levels, np.stack([a, b, 2.0 * a - 3.0 * b]), seed, 3 * HOUR, boundary_layer=True, convection=True)
    for _ in range(3):
        core.step(met, 3 * HOUR)
    a, b, both = core.mixing_ratio()
    np.testing.assert_allclose(both, 2.0 * a - 3.0 * b, rtol=0.0, atol=1e-12 * np.abs(both).max())


@settings(max_examples=8, deadline=None)
@given(name=st.sampled_from(sorted(SMALL_GRIDS)), n_levels=st.integers(2, 40), seed=st.integers(0, 10**6), hours=st.sampled_from([1, 3]))
def test_any_grid_makes_no_new_extrema_in_monotone_mode(name: str, n_levels: int, seed: int, hours: int) -> None:
    grid = SMALL_GRIDS[name]
    q = np.round(np.random.default_rng(seed).random((2, n_levels, *grid.shape)))
    q[1] = np.round(np.linspace(0.0, 1.0, n_levels))[:, None, None]  # steps in the vertical alone
    core, met = start(grid, n_levels, q, seed, hours * HOUR, mode="monotone")
    for _ in range(4):
        core.step(met, hours * HOUR)
    after = core.mixing_ratio()
    assert after.min() >= -1e-14 and after.max() <= 1.0 + 1e-14
    assert after[1].std(axis=(1, 2)).max() > 1e-3  # the winds did lift something


def test_the_weather_is_as_rough_as_said() -> None:
    """Several cells a step along the rows next to the poles, more than one in latitude, 40 hPa a day."""
    grid = SMALL_GRIDS["36x19"]
    core, met = start(grid, 5, np.ones((1, 5, *grid.shape)), 1, 6 * HOUR)
    core.step(met, 6 * HOUR)
    along, across = courant_numbers(core, met, 6 * HOUR)
    assert along > 4.0 and across > 1.0
    changes = [rough_weather(grid, 5, 1, HOUR, time * HOUR) for time in range(24)]
    assert 3900.0 < np.ptp([met.ps_start for met in changes], axis=0).max() < 4100.0


def test_substeps_in_latitude_are_taken_and_more_than_twenty_are_refused() -> None:
    grid = SMALL_GRIDS["36x19"]
    require_invariants(grid, 5, 1, 12 * HOUR, 2)
    with pytest.raises(CflError, match="level"):
        require_invariants(grid, 5, 1, 960 * HOUR, 1)


@pytest.mark.parametrize("name", ["72x46", "128x64", "144x96"])
@pytest.mark.parametrize("n_levels", [5, 28])
def test_grids_of_the_field(name: str, n_levels: int) -> None:
    grid = Grid.with_poles(72, 46) if name == "72x46" else Grid.named(name)
    require_invariants(grid, n_levels, 3, HOUR, 1)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["linear", "monotone"])
@pytest.mark.parametrize("name", ["128x64", "144x96", "288x192", "360x180"])
@pytest.mark.parametrize("n_levels", [28, 60])
def test_grids_of_the_field_in_full(name: str, n_levels: int, mode: str) -> None:
    core = require_invariants(Grid.named(name), n_levels, 4, HOUR, 2, mode=mode, boundary_layer=True, convection=True, threads=2)
    if mode == "monotone":
        after = core.mixing_ratio()[1]
        assert 0.0 <= after.min() and after.max() <= 1.0
