"""What must hold for any wind: conservation, uniformity, linearity, the same bits, and errors that say what is wrong."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mozart_coupling.embedded.core import TransportCore, TransportError
from mozart_coupling.embedded.step import StepEmission, StepMet
from mozart_coupling.errors import CflError, CouplingError, MetError
from mozart_coupling.grids import Grid

NLEV = 8
GRID = Grid.gaussian(32, 16)
DT = 3600.0


def levels(nlev: int = NLEV) -> tuple[np.ndarray, np.ndarray]:
    eta = np.linspace(0.0, 1.0, nlev + 1)
    hybi = np.clip((eta - 0.2) / 0.8, 0.0, 1.0) ** 1.4
    return (0.005 + 0.995 * eta**1.2) - hybi, hybi


def weather(grid: Grid = GRID, nlev: int = NLEV, seed: int = 0, strength: float = 1.0) -> StepMet:
    """Jets, waves, flow over the poles and a pressure tendency that the winds do not give: the fixer has to work."""
    rng = np.random.default_rng(seed)
    lat, lon = np.deg2rad(grid.lat)[:, None], np.deg2rad(grid.lon)[None, :]
    height = np.linspace(1.0, 0.3, nlev)[:, None, None]
    a, b, c, d = rng.uniform(-1.0, 1.0, 4)
    u = strength * height * (30.0 * np.sin(2 * lat) ** 2 + 8.0 * a * np.cos(3 * lon + b) * np.cos(lat))
    v = strength * height * (8.0 * c * np.sin(4 * lon) * np.cos(lat) ** 2 + 5.0 * d * np.cos(lon) * np.sin(lat))
    ps = 1.0e5 - 2.5e4 * np.exp(-((lat - 0.5) ** 2 + (np.mod(lon, 6.2832) - 1.5) ** 2) / 0.1) + 800.0 * np.cos(2 * lon) * np.cos(lat) ** 2
    return StepMet(u=u, v=v, ps_start=ps, ps_end=ps + 40.0 * a * np.cos(lon + d) * np.cos(lat) ** 2 + 7.0)


def make(n_tracers: int = 1, grid: Grid = GRID, mixing: bool = False, **options: object) -> TransportCore:
    hyai, hybi = levels()
    options.setdefault("threads", 1)
    return TransportCore(grid, hyai, hybi, n_tracers, boundary_layer=mixing, convection=mixing, **options)


def rough(n_tracers: int, grid: Grid = GRID, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n_tracers, NLEV, *grid.shape))


def run(core: TransportCore, q: np.ndarray, steps: int = 6, met: StepMet | None = None, emission: StepEmission | None = None) -> np.ndarray:
    met = met or weather(core.grid)
    core.set_state(q, met.ps_start)
    for _ in range(steps):
        core.step(met, DT, emission)
    return core.mixing_ratio()


@pytest.mark.parametrize("mode", ["linear", "monotone"])
@pytest.mark.parametrize("grid", [GRID, Grid.with_poles(36, 19), Grid.regular(27, 14)], ids=["gaussian", "poles", "odd"])
def test_uniform_stays_uniform_and_mass_is_kept(mode: str, grid: Grid) -> None:
    met = weather(grid)
    core = make(2, grid, mixing=True, mode=mode)
    q = np.ones((2, NLEV, *grid.shape))
    q[0] = 4.1e-4
    q[1] = rough(1, grid)[0]
    core.set_state(q, met.ps_start)
    before, air = core.tracer_mass(), core.air_mass().sum()
    for _ in range(48):
        core.step(met, DT)
    np.testing.assert_allclose(core.mixing_ratio()[0], 4.1e-4, rtol=1e-13, atol=0)
    np.testing.assert_allclose(core.tracer_mass(), before, rtol=1e-12)
    np.testing.assert_allclose(core.air_mass().sum(), air, rtol=1e-13)


def test_surface_pressure_follows_the_met_up_to_a_uniform_shift() -> None:
    met, core = weather(), make()
    run(core, rough(1), 1, met)
    difference = (core.surface_pressure - met.ps_end)[1:-1]
    assert np.ptp(difference) < 1e-7
    assert difference.mean() == pytest.approx(core.pressure_shift, abs=1e-7)
    assert core.pressure_shift == pytest.approx(-7.0, abs=0.5)
    assert core.fixer_mismatch > 10.0


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), factor=st.floats(-3.0, 3.0))
def test_superposition(seed: int, factor: float) -> None:
    q = rough(2, seed=seed)
    both = run(make(3, mixing=True), np.concatenate([q, (q[0] + factor * q[1])[None]]), 4, weather(seed=seed))
    np.testing.assert_allclose(both[2], both[0] + factor * both[1], rtol=0, atol=1e-12)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_monotone_mode_makes_no_new_extrema(seed: int) -> None:
    q = np.round(rough(1, seed=seed))
    after = run(make(1, mixing=True, mode="monotone"), q, 12, weather(seed=seed))
    assert after.min() >= -1e-14 and after.max() <= 1.0 + 1e-14


def test_linear_mode_does_overshoot() -> None:
    """The counterpart: a check that the test above can fail."""
    after = run(make(1), np.round(rough(1)), 4)
    assert after.min() < -1e-3


def test_restart_continues_to_the_bit() -> None:
    met, unbroken = weather(), make(3, mixing=True)
    expected = run(unbroken, rough(3), 6, met)
    first = make(3, mixing=True)
    run(first, rough(3), 3, met)
    second = make(3, mixing=True)
    second.set_state(first.mixing_ratio(), first.surface_pressure)
    for _ in range(3):
        second.step(met, DT)
    assert np.array_equal(second.mixing_ratio(), expected)
    assert np.array_equal(second.surface_pressure, unbroken.surface_pressure)


@pytest.mark.parametrize("mode", ["linear", "monotone"])
@pytest.mark.parametrize("precision", ["double", "single"])
def test_threads_change_nothing(mode: str, precision: str) -> None:
    results = [run(make(5, mixing=True, threads=n, mode=mode, precision=precision), rough(5), 3) for n in (1, 2, 3)]
    assert np.array_equal(results[0], results[1]) and np.array_equal(results[0], results[2])


@pytest.mark.parametrize("block", [1, 2, 4, 16, 20, 24, 32])
def test_block_width_changes_nothing(block: int) -> None:
    emission = StepEmission(np.full((5, *GRID.shape), 1e-3))
    reference = run(make(5, mixing=True, block=8), rough(5), 3, emission=emission)
    assert np.array_equal(run(make(5, mixing=True, block=block), rough(5), 3, emission=emission), reference)


def test_single_precision_is_close_to_double() -> None:
    double, single = (run(make(2, mixing=True, precision=p), rough(2), 12) for p in ("double", "single"))
    assert np.abs(single - double).max() < 2e-5


def test_emissions_arrive_in_the_lowest_layer_and_nothing_is_lost() -> None:
    met, core = weather(strength=0.0), make(2)
    basis = np.stack([np.full(GRID.shape, 2.0), np.zeros(GRID.shape)])
    core.set_state(np.zeros((2, NLEV, *GRID.shape)), met.ps_start)
    still = dataclasses.replace(met, ps_end=met.ps_start)
    core.step(still, DT, StepEmission(basis))
    q = core.mixing_ratio()
    np.testing.assert_allclose(core.tracer_mass()[0], 2.0 * GRID.area.sum(), rtol=1e-13)
    assert not q[1].any() and not q[0, :-2].any() and (q[0, -1] > 0).all()
    np.testing.assert_allclose(q[0, -1, 5], 2.0 * GRID.area[5] / core.air_mass()[-1, 5], rtol=1e-12)


def test_basis_times_coefficients_equals_full_emissions() -> None:
    rng = np.random.default_rng(3)
    basis, factors = rng.random((3, *GRID.shape)), rng.random((20, 3, *GRID.shape))
    full = np.einsum("nbji,bji->nji", factors, basis)
    by_parts = run(make(20), rough(20), 3, emission=StepEmission(basis, factors))
    stored = make(20)
    stored.set_coefficients(factors)
    np.testing.assert_allclose(run(stored, rough(20), 3, emission=StepEmission(basis)), by_parts, rtol=0, atol=0)
    np.testing.assert_allclose(run(make(20), rough(20), 3, emission=StepEmission(full)), by_parts, rtol=1e-12)


def test_boundary_layer_conserves_and_damps() -> None:
    """Mixing keeps the column's amount and lowers the variance over the boundary layer; without it nothing changes."""
    still = weather(strength=0.0)
    still = dataclasses.replace(still, ps_end=still.ps_start, pblh=np.full(GRID.shape, 2500.0),
                                surface_heat_flux=np.full(GRID.shape, 150.0))
    q = np.zeros((1, NLEV, *GRID.shape))
    q[0, -1] = 1.0
    core = make(1, mixing=True)
    core.convection = False
    core.set_state(q, still.ps_start)
    before = core.tracer_mass()
    profiles = [q[0, :, 8, 3]]
    for _ in range(12):
        core.step(still, DT)
        profiles.append(core.mixing_ratio()[0, :, 8, 3])
    np.testing.assert_allclose(core.tracer_mass(), before, rtol=1e-13)
    lowest = [profile[-1] for profile in profiles]
    assert all(later < earlier for earlier, later in zip(lowest, lowest[1:], strict=False))
    assert min(p.min() for p in profiles) >= -1e-12
    untouched = run(make(1), q, 2, dataclasses.replace(still))
    np.testing.assert_allclose(untouched[0, :, 8, 3], q[0, :, 8, 3], atol=1e-13)


def test_convection_conserves_and_lifts() -> None:
    """An archived updraft carries air of the lowest layers aloft and loses nothing."""
    still = weather(strength=0.0)
    flux = np.zeros((NLEV + 1, *GRID.shape))
    flux[3:NLEV, 4:12] = 0.02
    still = dataclasses.replace(still, ps_end=still.ps_start, cmfmc=flux)
    hyai, hybi = levels()
    core = TransportCore(GRID, hyai, hybi, 1, threads=1, boundary_layer=False, convection=True)
    q = np.zeros((1, NLEV, *GRID.shape))
    q[0, -1] = 1.0
    core.set_state(q, still.ps_start)
    before = core.tracer_mass()
    core.step(still, DT)
    after = core.mixing_ratio()[0]
    np.testing.assert_allclose(core.tracer_mass(), before, rtol=1e-13)
    assert after[2, 8, 3] > 1e-3 and after[-1, 8, 3] < 1.0
    assert after.min() >= -1e-13 and after.max() <= 1.0 + 1e-13
    np.testing.assert_allclose(after[:, 1, 3], q[0, :, 1, 3], atol=1e-12)


def test_gather_and_history() -> None:
    core = make(3)
    core.set_state(rough(3), weather().ps_start)
    ilat, ilon = np.array([0, 5, 15]), np.array([7, 31, 0])
    expected = core.mixing_ratio()[:, :, ilat, ilon].transpose(2, 0, 1)
    assert np.array_equal(core.gather(ilat, ilon), expected)
    core.accumulate_history()
    first = core.mixing_ratio()
    core.step(weather(), DT)
    core.accumulate_history()
    np.testing.assert_allclose(core.history_mean(), 0.5 * (first + core.mixing_ratio()), rtol=1e-15, atol=1e-16)
    core.reset_history()
    with pytest.raises(TransportError, match="no history"):
        core.history_mean()


@pytest.mark.parametrize("n", [1, 3, 33])
@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize("threads", [1, 3])
def test_columns_are_added_as_numpy_does_it(n: int, precision: str, threads: int) -> None:
    """To the bit, also on a background, and only to their rows."""
    core = make(n, precision=precision, threads=threads)
    core.set_state(rough(n), weather().ps_start)
    random = np.random.default_rng(n)
    count = 50
    ilat, ilon = random.integers(0, core.grid.nlat, count), random.integers(0, core.grid.nlon, count)
    row, weight = random.permutation(2 * count)[:count], random.random(count)
    background = rough(1)[0] - 7.0
    for under in (None, background):
        sums = random.random((2 * count, n, NLEV))
        expected = sums.copy()
        columns = core.mixing_ratio()[:, :, ilat, ilon].transpose(2, 0, 1)
        if under is not None:
            columns = columns + under[:, ilat, ilon].T[:, None]
        expected[row] += weight[:, None, None] * columns
        core.add_columns(ilat, ilon, row, weight, sums, under)
        np.testing.assert_array_equal(sums, expected)


def test_columns_outside_the_grid_are_refused() -> None:
    core = make(2)
    core.set_state(rough(2), weather().ps_start)
    zero, sums = np.zeros(1, dtype=int), np.zeros((1, 2, NLEV))
    with pytest.raises(TransportError, match="outside the grid"):
        core.add_columns(zero, zero + core.grid.nlon, zero, np.ones(1), sums)
    with pytest.raises(TransportError, match="row outside"):
        core.add_columns(zero, zero, zero + 1, np.ones(1), sums)
    assert not sums.any()


def test_strong_cross_polar_wind_is_taken_in_substeps() -> None:
    core = make(1, Grid.with_poles(72, 37))
    met = weather(core.grid, strength=4.0)
    core.set_state(np.ones((1, NLEV, *core.grid.shape)), met.ps_start)
    core.step(met, 2 * DT)
    np.testing.assert_allclose(core.mixing_ratio(), 1.0, rtol=1e-13)


def test_cfl_explosion_is_an_error_with_the_level() -> None:
    with pytest.raises(CflError, match="level 1"):
        run(make(1), rough(1), 1, weather(strength=300.0))


@pytest.mark.parametrize("name", ["u", "v", "ps_end"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_numbers_are_named(name: str, value: float) -> None:
    met = weather()
    field = getattr(met, name).copy()
    field[..., 5, 3] = value
    with pytest.raises(MetError, match=f"{name}|u, v"):
        run(make(1), rough(1), 1, dataclasses.replace(met, **{name: field}))


def test_failed_step_leaves_pressure_as_it_was() -> None:
    core, met = make(1), weather()
    core.set_state(rough(1), met.ps_start)
    before = core.surface_pressure
    with pytest.raises(MetError):
        core.step(dataclasses.replace(met, u=met.u * np.nan), DT)
    assert np.array_equal(core.surface_pressure, before)


def test_wrong_shapes_and_settings_are_refused() -> None:
    hyai, hybi = levels()
    with pytest.raises(TransportError, match="mixing_ratio has the wrong shape"):
        make(2).set_state(rough(1), np.full(GRID.shape, 1e5))
    with pytest.raises(CouplingError, match="u has the wrong shape|wrong shape"):
        run(make(1), rough(1), 1, dataclasses.replace(weather(), u=np.zeros((3, *GRID.shape))))
    with pytest.raises(TransportError, match="increase downward"):
        TransportCore(GRID, hyai[::-1], hybi[::-1], 1)
    with pytest.raises(TransportError, match="unknown mode"):
        TransportCore(GRID, hyai, hybi, 1, mode="fast")  # type: ignore[arg-type]
    with pytest.raises(TransportError, match="one basis field for each tracer"):
        run(make(2), rough(2), 1, emission=StepEmission(np.ones((3, *GRID.shape))))
    with pytest.raises(TransportError, match="at least 1"):
        TransportCore(GRID, hyai, hybi, 0)
