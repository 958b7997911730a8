"""The realism page's experiments change what they say and nothing else."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mozart_coupling.embedded.circulation import Circulation
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.errors import CouplingError
from mozart_coupling.grids import Grid
from mozart_coupling.land import land_fraction

TOOLS = Path(__file__).parents[2] / "tools"
GRID = Grid.named("36x18")
JANUARY = np.datetime64("2014-01-20T06")


@pytest.fixture(scope="module")
def tool():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        from realism import experiments, measures, tally, tracers
    return SimpleNamespace(experiments=experiments, measures=measures, tally=tally, tracers=tracers)


@pytest.fixture(scope="module")
def unchanged():
    return Circulation(GRID, *hybrid_levels(8), 1)


def _moved(changed, unchanged, time=JANUARY):
    new, old = changed.record(time), unchanged.record(time)
    assert set(new) == set(old)
    return {name for name in old if not np.array_equal(new[name], old[name])}


def test_seasons_are_taken_from_the_winds_or_from_the_layer_or_from_the_clouds(tool, unchanged):
    """Whichever part has no season is the same a half year apart, but for the waves' phases; the other parts are untouched."""
    winds, layer, clouds = (make(GRID, *hybrid_levels(8), 1) for make in (
        tool.experiments.SeasonlessWinds, tool.experiments.SeasonlessLayer, tool.experiments.SeasonlessClouds))
    assert _moved(winds, unchanged) == {"U", "V", "PS"}
    assert _moved(layer, unchanged) == set(tool.experiments.LAYER_FIELDS)
    assert _moved(clouds, unchanged) == {"CMFMC"}
    july = JANUARY + np.timedelta64(181, "D")
    jets = [circulation.record(time)["U"].mean(axis=2) for circulation in (winds, unchanged) for time in (JANUARY, july)]
    assert np.abs(jets[1] - jets[0]).max() < 0.1 * np.abs(jets[3] - jets[2]).max()
    for circulation, name in ((clouds, "CMFMC"), (layer, "PBLH")):
        assert np.array_equal(circulation.record(JANUARY)[name], circulation.record(july)[name])


def test_without_clouds_nothing_else_changes(tool, unchanged):
    changed = tool.experiments.NoClouds(GRID, *hybrid_levels(8), 1)
    assert _moved(changed, unchanged) == {"CMFMC"} and not changed.record(JANUARY)["CMFMC"].any()


def test_the_open_seas_layer_over_ice_changes_ice_alone(tool, unchanged):
    changed = tool.experiments.OpenSeaOverIce(GRID, *hybrid_levels(8), 1)
    assert _moved(changed, unchanged) == {"PBLH", "SHFLX"}
    new, old = changed.record(JANUARY), unchanged.record(JANUARY)
    ice = old["ORO"] == 2.0
    assert 0.01 < ice.mean() < 0.4
    assert np.all(new["PBLH"][ice] >= 400.0) and np.all(old["PBLH"][ice] <= 200.0) and np.all(new["SHFLX"][ice] > 0.0)
    for name in ("PBLH", "SHFLX"):
        assert np.array_equal(new[name][~ice], old[name][~ice])


def test_an_unknown_experiment_is_named_with_the_known_ones(tool, tmp_path):
    with pytest.raises(CouplingError, match="stabel_ice(?s:.*)open_ice"):
        tool.experiments.make(["open_ice", "stabel_ice"], tmp_path, print)


def test_weak_polar_waves_have_half_the_wind_at_the_pole(tool, unchanged):
    changed = tool.experiments.WeakPolarWaves(GRID, *hybrid_levels(8), 1)
    times = JANUARY + np.arange(40) * np.timedelta64(12, "h")
    spread = [np.std([one.winds(time)[1][-1] for time in times], axis=0).mean(axis=1) for one in (changed, unchanged)]
    assert np.all(spread[0][[0, -1]] < 0.65 * spread[1][[0, -1]])
    middle = np.abs(GRID.lat) < 45.0
    assert np.allclose(spread[0][middle], spread[1][middle], rtol=0.1, atol=0.1)


def test_soils_under_snow_emit_a_third_of_the_radon(tool):
    plain, frozen = (make(GRID, 5.1e18, None) for make in (tool.tracers.Tracers, tool.experiments.FrozenSoils))
    for month, boreal in (("2014-01-20", 1.0 / 3.0), ("2014-07-20", 1.0)):
        start = int(np.datetime64(month, "s").astype(np.int64))
        old, new = plain.amounts(start, start + 3600), frozen.amounts(start, start + 3600)
        share = new[tool.tracers.RADON] / np.where(old[tool.tracers.RADON] > 0.0, old[tool.tracers.RADON], 1.0)
        siberia = GRID.cell_index(90.0, 60.0)
        assert share[siberia] == pytest.approx(boreal)
        date = np.datetime64(month, "s")
        assert np.array_equal(frozen.frozen(start), Circulation(GRID, *hybrid_levels(8), 1).record(date)["SNOWH"] > 0.0)
        assert share[GRID.cell_index(20.0, 5.0)] == 1.0
        others = [number for number in range(len(tool.tracers.NAMES)) if number != tool.tracers.RADON]
        assert np.array_equal(new[others], old[others])


def test_wet_soils_emit_what_conen_and_robertson_found(tool):
    """1 atom cm-2 s-1 up to 30°N, 0.6 at 50, 0.2 at 70; nothing from the sea nor from beyond."""
    grid = Grid.regular(72, 36)
    plain, wet = (make(grid, 5.1e18, None).amounts(0, 1)[tool.tracers.RADON] for make in (tool.tracers.Tracers, tool.experiments.WetSoils))
    land = land_fraction(grid)
    unit = plain[np.abs(grid.lat) < 30.0].max()  # of a cell that is all land
    for lat, flux in ((2.5, 1.0), (-32.5, 1.0), (27.5, 1.0), (52.5, 0.55), (62.5, 0.35), (67.5, 0.25)):
        row = np.argmin(np.abs(grid.lat - lat))
        assert np.allclose(wet[row], unit * flux * land[row], rtol=1e-9), lat
    assert wet[np.abs(grid.lat + 80.0) < 20.0].max() == 0.0 and wet[grid.lat > 70.0].max() == 0.0


def test_geometric_mean_of_radon(tool):
    """Half the samples at 1, half at 4 Bq m-3: 2."""
    grid = Grid.named("64x32")

    class Core:
        value = 1.0

        def air_mass(self):
            return np.ones((8, *grid.shape))

        def tracer(self, number):
            return np.full((8, *grid.shape), self.value * 1.0e3 / tool.measures.MILLIBECQUEREL)

    core, tally = Core(), tool.tally.Tally(grid, 8, 2)
    for core.value in (1.0, 4.0):
        for month in (0, 1):
            tally.add(core, month, 0.0)
    run = tally.arrays | {"lat": grid.lat, "lon": grid.lon}
    for months in (slice(1, 2), slice(None)):
        assert tool.measures.boreal_radon(run, months) == pytest.approx(2.0)
        assert tool.measures.boreal_radon_mean(run, months) == pytest.approx(2.5)


def test_the_table_shows_both_values(tool):
    """Every experiment has its rows, with what was measured; the year's only where there is one."""
    names = tool.experiments
    grid, months = Grid.gaussian(64, 32), names.MONTHS
    hyai, hybi = hybrid_levels(8)
    run = tool.tally.Tally(grid, 8, months).arrays
    run["mass"][:], run["samples"][:], run["layers"][:], run["content"][:] = 1.0, 1.0, 1.0, 1.0
    run["profile"][:, 2] = np.linspace(1e3, 1e5, 8)
    run["profile"][:, 0] = run["zonal"][:] = 1.0
    run["ends"][:, tool.tracers.SF6] = np.arange(months + 1)[:, None]
    run["zonal"][:, tool.tracers.SF6] = 1.0 + (grid.lat > 0.0)
    run |= {"lat": grid.lat, "lon": grid.lon, "hyai": hyai, "hybi": hybi}
    older = run | {"zonal": 2.0 * run["zonal"]}
    runs = {experiment.name: run for experiment in (names.BASE, *names.EXPERIMENTS)} | {"weak_polar_waves": older}
    text = names.table(runs | {names.WITH_WAVES: run}, older)
    for experiment in names.EXPERIMENTS:
        assert experiment.what in text
        assert experiment.short == (experiment.name in ("wet_soils", "frozen_soils", "weak_polar_waves", "half_step")), experiment.name
    assert "| polar waves at half their speed | Arctic age at 300 hPa, 80-90°N, February (d) | 1 | 2 |" in text
    assert f"| {names.WAVES_ADDED} | Arctic age at 300 hPa, 80-90°N, February (d) | 2 | 1 |" in text
    assert names.WAVES_ADDED not in names.table(runs)


def test_polar_waves_are_added_to_a_years_winds_without_any_divergence(tool, tmp_path):
    """What the experiment adds blows near the poles alone and carries no mass into any column of any layer."""
    levels = np.zeros(9), np.linspace(0.0, 1.0, 9)
    waves = tool.experiments.PolarWaves(Grid.named("64x32"), *levels, 1)
    grid, pressure = waves.grid, np.full(waves.grid.shape, 1.0e5)
    u, v = waves.winds(JANUARY, pressure)
    near, far = np.abs(grid.lat) > 60.0, np.abs(grid.lat) < 20.0
    assert np.abs(v[:, near]).max() > 3.0 and np.abs(v[:, far]).max() < 0.2
    edges = np.deg2rad(grid.lat_edges)
    through_east = 0.5 * (u + np.roll(u, -1, axis=2)) * np.diff(edges)[None, :, None]
    through_north = np.zeros((u.shape[0], grid.nlat + 1, grid.nlon))
    through_north[:, 1:-1] = 0.5 * (v[:, 1:] + v[:, :-1]) * np.cos(edges[1:-1])[None, :, None] * 2.0 * np.pi / grid.nlon
    outflow = through_east - np.roll(through_east, 1, axis=2) + np.diff(through_north, axis=1)
    assert np.abs(outflow).max() < 1e-12 * np.abs(through_east).max() + 1e-14
