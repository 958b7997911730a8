"""The realism diagnostics against exact solutions: two boxes, a decaying column, an advective ring, a balanced biosphere; short runs."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from column_site import GRID as SITE_GRID
from column_site import make_core, still_air

from mozart_coupling.constants import AVOGADRO
from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.embedded.step import StepEmission
from mozart_coupling.grids import Grid

TOOLS = Path(__file__).parents[2] / "tools"
DAY, YEAR = 86400.0, 365.0 * 86400.0


@pytest.fixture(scope="module")
def tool():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        from realism import biosphere, measures, run, tally, tracers, winds
    return SimpleNamespace(biosphere=biosphere, measures=measures, run=run, tally=tally, tracers=tracers, winds=winds)


def empty_run(tool, grid: Grid, n_levels: int, months: int = 24) -> dict[str, np.ndarray]:
    """Arrays of a run in which every layer has the same mass per area and nothing was added yet."""
    arrays = tool.tally.Tally(grid, n_levels, months).arrays
    arrays["mass"][:] = grid.area.sum(axis=1)
    arrays["samples"][:] = 1
    hyai, hybi = hybrid_levels(n_levels)
    return arrays | {"lat": grid.lat, "hyai": hyai, "hybi": hybi}


# --- Exchange between hemispheres -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("tau", (0.6, 1.3))
def test_two_boxes_give_their_exchange_time(tool, tau):
    """C_N, C_S of dC_N/dt = 2 − Δ/τ, dC_S/dt = Δ/τ from equal boxes: Δ = τ (1 − e^{−2t/τ}); not settled, and yet exact."""
    grid = Grid.regular(16, 8)
    run = empty_run(tool, grid, 8)
    faces = np.linspace(0.0, 2.0, 25)
    integral = tau * faces + 0.5 * tau**2 * np.exp(-2.0 * faces / tau)
    difference = np.diff(integral) / np.diff(faces)  # exact means of the months
    south = (integral - integral[0]) / tau
    run["ends"][:, tool.tracers.SF6] = np.stack([south + tau * (1.0 - np.exp(-2.0 * faces / tau)), south], axis=1)
    middle = 0.5 * (south[1:] + south[:-1])
    field = middle[:, None] + difference[:, None] * (grid.lat > 0.0)
    run["zonal"][:, tool.tracers.SF6] = field[:, None] * run["mass"]
    for name, value in tool.measures.exchange_times(run).items():
        assert value == pytest.approx(tau, rel=1e-12), name
    assert tool.measures.sf6_lag(run, 5.0e4, -60.0, -30.0) == pytest.approx(difference[-12:].mean(), rel=1e-12)
    growth = [np.diff(run["ends"][[-13, -1], tool.tracers.SF6, half])[0] for half in (0, 1)]
    assert tool.measures.settled(run) == pytest.approx(2.0 * (growth[1] - growth[0]) / sum(growth), rel=1e-12)


def test_the_source_makes_the_global_mean_grow_by_one_in_a_year(tool):
    grid, air = Grid.gaussian(64, 32), 5.1e18
    amounts = tool.tracers.Tracers(grid, air, None).amounts(0, 3600)[tool.tracers.SF6]
    assert (amounts * grid.area).sum() / air == pytest.approx(3600.0 / YEAR, rel=1e-12)
    assert amounts[grid.lat < 28.0].max() == 0.0 and amounts[grid.lat > 62.0].max() == 0.0 and amounts.min() >= 0.0


# --- Radon ------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("step", (1800, 3600, 6 * 3600))
def test_a_column_holds_what_has_not_decayed(tool, step):
    """Without wind a column's radon is F/λ (1 − e^{−λt}), however it is mixed and however long the steps."""
    tracers = tool.tracers
    core = make_core(np.zeros((len(tracers.NAMES), 28)))
    own = tracers.Tracers(SITE_GRID, 5.1e18, None)
    days = 3
    for now in range(0, int(days * DAY), step):
        own.begin_step(core, step)
        core.step(still_air(), float(step), StepEmission(own.amounts(now, now + step)))
    column = (core.tracer(tracers.RADON) * core.air_mass()).sum(axis=0) / SITE_GRID.area
    flux = own.amounts(0, 1)[tracers.RADON]
    decay = tracers.RADON_DECAY
    expected = flux / decay * (1.0 - np.exp(-decay * days * DAY)) * decay / -np.expm1(-decay)
    inner = slice(1, -1)  # the caps are mixed
    np.testing.assert_allclose(column[inner], expected[inner], rtol=1e-10, atol=1e-30)
    assert flux.max() == pytest.approx(1.0e4 / AVOGADRO * 0.0289644, rel=1e-3) and expected.max() > 0.0
    assert np.log(2.0) / decay == pytest.approx(3.8235 * DAY)


def test_shares_of_a_column_in_diffusive_balance(tool):
    """K q'' = λ q: radon falls as e^{−z/√(K/λ)}, e^{−H/√(K/λ)} of it is above H."""
    faces = np.linspace(2.0e4, 0.0, 4001)[None]
    length = np.sqrt(20.0 / tool.tracers.RADON_DECAY)
    content = -np.diff(np.exp(-faces / length))[0]
    content = np.abs(content)
    for height in (1234.0, 5500.0):
        above = (content * tool.tally.share_above(faces, np.array([height]))[0]).sum() / content.sum()
        whole = 1.0 - np.exp(-2.0e4 / length)
        assert above == pytest.approx((np.exp(-height / length) - np.exp(-2.0e4 / length)) / whole, rel=1e-5)


def test_activity_of_a_standard_cubic_metre(tool):
    """1 Bq m-3 is 4.77e5 atoms, of 2.687e25 molecules."""
    assert 1.0e3 / tool.measures.MILLIBECQUEREL == pytest.approx(4.766e5 / 2.6868e25, rel=1e-3)


# --- Ages -------------------------------------------------------------------------------------------------------------------

def test_ages_in_a_ring_that_turns(tool):
    """Air of a solid rotation leaves an origin and comes back to it: its age is the angle behind it over the angular velocity."""
    grid = Grid.regular(72, 12)
    core = TransportCore(grid, *hybrid_levels(5), 2, threads=1, boundary_layer=False, convection=False)
    core.set_state(np.zeros((2, 5, *grid.shape)), np.full(grid.shape, 1.0e5))
    mass = core.air_mass()
    cells, steps = 0.4, 400  # of a cell in a step; two turns and more
    zonal, still = cells * mass, np.zeros((5, grid.nlat + 1, grid.nlon))
    origin = slice(0, 6)
    for number in range(1, steps + 1):
        core.advect_horizontally(zonal, still, mass)
        core.tracer(0)[:, :, origin] = number  # a clock in steps
        inside = core.tracer(1)
        inside += 1.0
        inside[:, :, origin] = 0.0
    behind = np.arange(grid.nlon) - 5
    for age in (steps - core.tracer(0), core.tracer(1)):
        rows = age[:, 1:-1, 12:66]  # away from the origin, where the age falls to nothing, and from the caps
        np.testing.assert_allclose(rows, np.broadcast_to(behind[12:66] / cells, rows.shape), rtol=0.01, atol=0.5)


def test_polar_age_is_the_time_inside(tool):
    field = np.zeros((3, 8, 16))
    outside = np.arange(8) < 6
    for _ in range(5):
        tool.tracers.grow_inside(field, 0.25, outside)
    assert np.all(field[:, 6:] == 1.25) and np.all(field[:, :6] == 0.0)


# --- Biosphere --------------------------------------------------------------------------------------------------------------

def test_the_biosphere_is_balanced_with_and_without_its_day(tool):
    grid = Grid.regular(36, 18)
    biosphere = tool.biosphere.BalancedBiosphere(grid)
    start = int(np.datetime64("2014-01-01", "s").astype(np.int64))
    total, daily, size = np.zeros(grid.shape), np.zeros(grid.shape), np.zeros(grid.shape)
    for time in np.arange(start, start + 365 * 86400, 3 * 3600) + 5400:
        with_day, without = biosphere.fluxes(time)
        total, daily, size = total + with_day, daily + without, size + np.abs(with_day)
    assert np.abs(total).max() < 1e-6 * size.max() and np.abs(daily).max() < 1e-6 * size.max()
    noon, night = (biosphere.fluxes(start + 180 * DAY + hour * 3600)[0] for hour in (12.5, 0.5))
    europe = grid.cell_index(10.0, 50.0)
    assert noon[europe] < 0.0 < night[europe]
    assert 4.0 < biosphere.growing_season_flux() < 16.0
    leap = int(np.datetime64("2016-12-31T12", "s").astype(np.int64))
    assert np.array_equal(biosphere.fluxes(leap)[1], biosphere.fluxes(start + 364 * DAY + 43200)[1])
