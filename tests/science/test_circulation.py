"""The analytic circulation: what it promises about mass, and what makes it like the atmosphere."""

import numpy as np
import pytest

from mozart_coupling.constants import EARTH_RADIUS_M
from mozart_coupling.embedded import climate
from mozart_coupling.embedded.circulation import Circulation, write_circulation
from mozart_coupling.embedded.levels import hybrid_levels, level_pressure, mid_coefficients
from mozart_coupling.errors import MetError
from mozart_coupling.grids import Grid
from mozart_coupling.met import MET_FIELDS, MetFiles

GRAVITY = 9.80665
JANUARY, JULY = np.datetime64("2010-01-15T00:00"), np.datetime64("2010-07-15T00:00")
STEP_S = 1800.0


@pytest.fixture(scope="module")
def t42():
    return Circulation(Grid.named("128x64"), *hybrid_levels(), seed=1)


@pytest.fixture(scope="module")
def seasons(t42):
    """A fortnight of 6-hourly winds and pressures in January and July."""
    samples = {}
    for name, start in (("january", JANUARY), ("july", JULY)):
        records = []
        for step in range(56):
            time = start + np.timedelta64(6 * step, "h")
            pressure = t42.surface_pressure(time)
            records.append((*t42.winds(time, pressure), pressure))
        samples[name] = [np.array(part, dtype=np.float32) for part in zip(*records, strict=True)]
    return samples


def _reference_pressure(circulation):
    return 0.01 * level_pressure(*mid_coefficients(circulation.hyai, circulation.hybi), 1.0e5)


def _column_convergence(circulation, time):
    """Tendency of surface pressure [Pa/s] from winds averaged onto the walls of cells, as a transport model does."""
    grid, pressure = circulation.grid, circulation.surface_pressure(time)
    thickness = np.diff(level_pressure(circulation.hyai, circulation.hybi, pressure), axis=0)
    u, v = circulation.winds(time)
    east, north = (u * thickness).sum(axis=0), (v * thickness).sum(axis=0)
    edges = np.deg2rad(grid.lat_edges)
    through_west = 0.5 * (east + np.roll(east, 1, axis=1)) * EARTH_RADIUS_M * np.diff(edges)[:, None]
    through_south = np.zeros((grid.nlat + 1, grid.nlon))
    width = EARTH_RADIUS_M * np.cos(edges[1:-1])[:, None] * 2.0 * np.pi / grid.nlon
    through_south[1:-1] = 0.5 * (north[1:] + north[:-1]) * width
    outflow = np.roll(through_west, -1, axis=1) - through_west + np.diff(through_south, axis=0)
    return -outflow / grid.area


@pytest.mark.parametrize("grid", [Grid.named("128x64"), Grid.named("72x36"), Grid.with_poles(72, 46)], ids=str)
def test_surface_pressure_changes_by_the_divergence(grid):
    circulation = Circulation(grid, *hybrid_levels(), seed=3)
    for time in (JANUARY + np.timedelta64(5, "h"), JULY):
        quarter = np.timedelta64(15, "m")
        tendency = (circulation.surface_pressure(time + quarter) - circulation.surface_pressure(time - quarter)) / 1800.0
        residual = (_column_convergence(circulation, time) - tendency)[1:-1]
        assert tendency.std() * 3600.0 > 3.0  # Pa per hour: there is weather
        assert np.abs(residual).max() < 1e-3 * tendency.std()


def test_mass_of_the_atmosphere_is_constant(t42):
    means = [np.average(t42.surface_pressure(time), weights=t42.grid.area) for time in (JANUARY, JULY, JULY + 1)]
    assert np.ptp(means) < 1e-9 * means[0]
    assert 9.6e4 < means[0] < 1.0e5


def test_same_seed_same_numbers_other_seed_other_weather():
    grid, levels = Grid.named("36x18"), hybrid_levels(8)
    one, again, other = (Circulation(grid, *levels, seed).record(JANUARY) for seed in (5, 5, 6))
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert np.abs(one["V"] - other["V"]).max() > 3.0
    assert np.abs(one["U"].mean(axis=2) - other["U"].mean(axis=2)).max() < 3.0  # the same climate


@pytest.mark.parametrize(("season", "winter_side"), [("january", 1.0), ("july", -1.0)])
def test_jets(t42, seasons, season, winter_side):
    mean = seasons[season][0].mean(axis=(0, 3))
    pressure, latitude = _reference_pressure(t42), t42.grid.lat
    winter = np.where((winter_side * latitude > 15.0)[None, :] & (pressure > 100.0)[:, None], mean, -np.inf)
    level, row = np.unravel_index(np.argmax(winter), winter.shape)
    assert 30.0 < winter[level, row] < 40.0
    assert 190.0 < pressure[level] < 270.0 and 25.0 < abs(latitude[row]) < 45.0
    low = mean[pressure > 900.0]
    assert -10.0 < low[:, np.abs(latitude) < 25.0].min() < -4.0  # trades
    for side in (1.0, -1.0):
        assert 4.0 < low[:, side * latitude > 35.0].max() < 12.0  # westerlies


@pytest.mark.parametrize(("season", "sign"), [("january", 1.0), ("july", -1.0)])
def test_overturning_follows_the_season(t42, seasons, season, sign):
    _, v, pressure = seasons[season]
    thickness = np.array([np.diff(level_pressure(t42.hyai, t42.hybi, p), axis=0) for p in pressure])
    around = 2.0 * np.pi * EARTH_RADIUS_M * np.cos(np.deg2rad(t42.grid.lat)) / GRAVITY
    stream = np.cumsum((thickness * v).mean(axis=(0, 3)), axis=0) * around
    tropics = np.abs(t42.grid.lat) < 35.0
    strongest = sign * stream[:, tropics]
    assert 1.0e11 < strongest.max() < 2.0e11
    assert strongest.min() > -0.7e11
    assert (sign * stream[:, t42.grid.nlat // 2]).max() > 0.5e11  # through the equator
    assert np.abs(stream[-1]).max() < 1e10  # columns close


def test_synoptic_variability(t42, seasons):
    pressure, latitude = _reference_pressure(t42), t42.grid.lat
    v = seasons["january"][1][:, int(np.argmin(np.abs(pressure - 250.0)))]
    transient = v.std(axis=0).mean(axis=1)
    assert 7.0 < transient[np.abs(latitude - 45.0) < 8.0].mean() < 17.0
    assert transient[np.abs(latitude) < 6.0].mean() > 2.0
    weather = seasons["january"][2].std(axis=0)
    assert 300.0 < weather.max() < 1800.0


def test_air_crosses_the_poles(t42, seasons):
    """Caps whose air stands still would keep it for years."""
    pressure, far = _reference_pressure(t42), np.abs(t42.grid.lat) > 75.0
    for _, v, surface in seasons.values():
        for level, least in ((250.0, 2.5), (850.0, 1.0)):
            k = int(np.argmin(np.abs(pressure - level)))
            assert v[:, k].std(axis=0).mean(axis=1)[far].min() > least
        assert np.ptp(surface[:, [0, -1]], axis=2).max() == 0.0


def test_courant_numbers_are_harmless(t42, seasons):
    grid = t42.grid
    spacing = EARTH_RADIUS_M * np.cos(np.deg2rad(grid.lat)) * 2.0 * np.pi / grid.nlon
    height = EARTH_RADIUS_M * np.deg2rad(np.diff(grid.lat_edges))
    for u, v, _ in seasons.values():
        zonal = np.abs(u).max(axis=(0, 1, 3)) * STEP_S / spacing
        assert np.all(zonal[np.abs(grid.lat) < 80.0] < 1.0)
        assert np.all(np.abs(v).max(axis=(0, 1, 3)) * STEP_S / height < 1.0)


def test_boundary_layer_by_hour_and_surface(t42):
    surface, grid = t42.surface, t42.grid
    row = int(np.argmin(np.abs(grid.lat - 42.0)))
    by_hour = {hour: [] for hour in range(0, 24, 3)}
    for hour in by_hour:
        height = t42.record(JULY + np.timedelta64(hour, "h"))["PBLH"]
        local = (hour + grid.lon / 15.0) % 24.0
        land = surface.is_land[row]
        by_hour[hour] = (local[land], height[row][land])
        assert 500.0 < height[(~surface.is_land) & (np.abs(grid.lat) < 60.0)[:, None]].mean() < 900.0
    local = np.concatenate([pair[0] for pair in by_hour.values()])
    height = np.concatenate([pair[1] for pair in by_hour.values()])
    afternoon, night = height[np.abs(local - 15.0) < 1.5], height[np.abs(local - 2.0) < 1.5]
    assert 1000.0 < afternoon.mean() < 2000.0
    assert 100.0 <= night.min() and night.max() <= 200.0
    noon = surface.is_land[row] & (np.abs((grid.lon + 180.0) % 360.0 - 180.0) < 30.0)
    winter, summer = (t42.record(start + np.timedelta64(12, "h"))["PBLH"][row, noon].mean() for start in (JANUARY, JULY))
    assert summer > 1.3 * winter


@pytest.mark.parametrize(("date", "north", "south"), [("2010-03-10", 15.4, None), ("2010-09-10", 6.4, 18.5), ("2010-02-20", None, 2.9)])
def test_sea_ice_has_the_extents_of_satellites(date, north, south):
    """Million km2, 1981-2010 (National Snow and Ice Data Center)."""
    surface = climate.Surface(Grid.regular(360, 180, lon_first=-179.5))
    extent = 1e-12 * surface.grid.area * climate.frozen_sea(surface, np.datetime64(date))
    for published, side in ((north, surface.grid.lat > 0.0), (south, surface.grid.lat < 0.0)):
        if published is not None:
            assert extent[side].sum() == pytest.approx(published, rel=0.1)


@pytest.mark.parametrize("date", (JANUARY, JULY, np.datetime64("2010-03-10T12")))
def test_the_layer_over_sea_ice_is_shallow_and_stable(t42, date):
    """100 to 200 m and a small flux down (SHEBA: Persson et al. 2002), frozen surfaces; open sea beside it as ever."""
    fields = t42.record(date)
    ice, sea = fields["ORO"] == 2.0, fields["ORO"] == 0.0
    assert np.array_equal(ice, climate.frozen_sea(t42.surface, date)) and not (ice & t42.surface.is_land).any()
    for side in (1.0, -1.0):
        assert ice[side * t42.grid.lat > 78.0].any()
    assert 100.0 <= fields["PBLH"][ice].min() and fields["PBLH"][ice].max() <= 200.0 and fields["PBLH"][sea].min() >= 400.0
    assert np.all((fields["SHFLX"][ice] <= 0.0) & (fields["SHFLX"][ice] >= -5.0)) and fields["SHFLX"][sea].min() > 0.0
    assert fields["TS"][ice].max() < 271.4 <= fields["TS"][sea].min()


def test_thermodynamics_are_plausible(t42):
    fields = t42.record(JULY)
    pressure = level_pressure(*mid_coefficients(t42.hyai, t42.hybi), fields["PS"])
    theta = fields["T"] * (1.0e5 / pressure) ** 0.2857
    assert np.all(np.diff(theta.mean(axis=2), axis=0) < 0.0)  # stable
    water = (fields["Q"] * np.diff(level_pressure(t42.hyai, t42.hybi, fields["PS"]), axis=0)).sum(axis=0) / GRAVITY
    assert 15.0 < np.average(water, weights=t42.grid.area) < 35.0  # kg m-2; observed about 25
    share = np.average(fields["ORO"] == 1.0, weights=t42.grid.area)
    assert 0.26 < share < 0.32
    assert fields["CMFMC"][-1].max() == 0.0 and fields["CMFMC"][0].max() == 0.0
    assert 4.5e4 < fields["PS"].min() < 6.5e4  # there are mountains


def test_files_pass_their_own_check_and_hold_the_fields(tmp_path):
    grid, levels = Grid.named("36x18"), hybrid_levels(8)
    start, end = np.datetime64("2012-02-28"), np.datetime64("2012-03-01T12:00")
    seen = []
    paths = write_circulation(tmp_path, "ana_", grid, *levels, start, end, seed=2, progress=lambda *done: seen.append(done))
    assert [path.name[4:12] for path in paths] == ["20120227", "20120228", "20120229", "20120301", "20120302"]
    assert seen[-1] == (5, 5)
    met = MetFiles(tmp_path, "ana_")
    assert met.check(start, end) == []
    assert set(met.names) == set(MET_FIELDS)
    time = np.datetime64("2012-02-29T18:00")
    expected, found = Circulation(grid, *levels, 2).record(time), met.fields_at(time)
    for name in MET_FIELDS:
        assert np.allclose(found[name], expected[name], rtol=1e-6, atol=1e-30), name


def test_size_of_a_day_at_t42(tmp_path, t42):
    paths = write_circulation(tmp_path, "a_", t42.grid, *hybrid_levels(), JANUARY, JANUARY + np.timedelta64(1, "h"), seed=1)
    assert paths[0].stat().st_size < 30e6


def test_refusals(tmp_path):
    grid, levels = Grid.named("36x18"), hybrid_levels(8)
    with pytest.raises(MetError, match="end"):
        write_circulation(tmp_path, "a_", grid, *levels, JULY, JANUARY, seed=1)
    with pytest.raises(MetError, match="hourly"):
        write_circulation(tmp_path, "a_", grid, *levels, JANUARY, JULY, seed=1, step_hours=4)
