"""Synthetic observations: the orbit, the sun, clouds, kernels; and the way through files back to the table."""

import numpy as np
import pytest

from gcas_driver.errors import InputError
from gcas_driver.observations import SatelliteStream, SurfaceStream, check_streams, read_streams
from gcas_driver.osse.observations import TRUTH_FILE, plan_observations, read_truth, write_observations
from gcas_driver.osse.orbit import REVOLUTION_SECONDS, cloud_probability, ground_points, views
from gcas_driver.osse.retrieval import column_operators, pressure_weights, sigma_levels
from gcas_driver.osse.sites import SITES
from gcas_driver.sun import solar_zenith

START, END = np.datetime64("2010-06-05"), np.datetime64("2010-06-12")
FIRST = START.astype("datetime64[s]").astype(float)


def land(lat, lon):
    """Two continents: 0-60 E north of the equator, 100-60 W everywhere."""
    return ((lon > 0) & (lon < 60) & (lat > 0)) | ((lon > -100) & (lon < -60))


@pytest.fixture(scope="module")
def plan():
    return plan_observations(START, END, 7, is_land=land)


@pytest.fixture(scope="module")
def files(plan, tmp_path_factory):
    directory = tmp_path_factory.mktemp("synthetic")
    truth = 390.0 + 3.0 * np.sin(np.deg2rad(plan.lat))
    write_observations(directory, plan, truth, 7, is_land=land)
    return directory, truth


def streams(directory, **changes):
    return [SatelliteStream("gosat", directory / "gosat", **changes), SurfaceStream("flask", directory / "flask", error_ppm=1.0)]


def test_orbit_repeats_after_three_days_at_13_hours():
    time, lon, lat = ground_points(FIRST, FIRST + 3 * 86400.0)
    again = ground_points(FIRST + 3 * 86400.0, FIRST + 6 * 86400.0)
    np.testing.assert_allclose(again[0] - time, 3 * 86400.0, atol=1e-5)
    np.testing.assert_allclose(again[2], lat, atol=1e-6)
    equator = np.abs(lat) < 1.0
    local = (time[equator] / 3600.0 + lon[equator] / 15.0) % 24.0
    assert 12.8 < local.min() < local.max() < 13.2
    assert 83.0 < np.abs(lat).max() < 85.0, "98 degrees of inclination, and a point beside the track"
    assert abs(3 * 86400.0 / REVOLUTION_SECONDS - 44) < 1e-12


def test_periods_join_without_seam():
    whole = views(FIRST, FIRST + 2 * 86400.0, 3, land)
    parts = [views(FIRST + d * 86400.0, FIRST + (d + 1) * 86400.0, 3, land) for d in (0, 1)]
    np.testing.assert_array_equal(whole.time, np.concatenate([p.time for p in parts]))
    np.testing.assert_array_equal(whole.clear, np.concatenate([p.clear for p in parts]))


@pytest.mark.parametrize("date, declination", [("2010-06-21T12", 23.44), ("2010-12-21T12", -23.44), ("2010-03-20T17", 0.0)])
def test_sun(date, declination):
    time = np.array([np.datetime64(date, "s").astype(float)])
    zenith, found = solar_zenith(time, np.array([0.0]), np.array([declination]))
    assert abs(found[0] - declination) < 0.1
    noon_lon = np.linspace(-180, 180, 721)
    zenith, _ = solar_zenith(np.full(721, time[0]), noon_lon, np.full(721, declination))
    assert zenith.min() < 0.6, "somewhere on this latitude the sun is overhead"
    hour = time[0] % 86400.0 / 3600.0
    assert abs(noon_lon[zenith.argmin()] - (12.0 - hour) * 15.0) < 2.5, "within the equation of time"


def test_views_are_sunlit_and_ocean_is_glint():
    seen = views(FIRST, FIRST + 7 * 86400.0, 1, land)
    zenith, declination = solar_zenith(seen.time, seen.lon, seen.lat)
    assert zenith.max() < 72.0 and (np.abs(seen.lat - declination)[~seen.land] < 28.0).all()
    assert seen.land.any() and (~seen.land).any() and (seen.lat > -60.0).all()


def test_clouds_are_where_they_belong_and_come_in_patches():
    time, lon, lat = ground_points(FIRST, FIRST + 7 * 86400.0)
    probability = cloud_probability(time, lat, land(lat, lon))
    itcz, dry = np.abs(lat - 7.0) < 4.0, np.abs(lat - 24.0) < 4.0
    assert probability[itcz].mean() > probability[dry].mean() + 0.15
    seen = views(FIRST, FIRST + 7 * 86400.0, 1, lambda lat, lon: np.ones(len(lat), dtype=bool))
    lit = solar_zenith(time, lon, lat)[0] < 72.0
    clear = np.isin(time[lit], seen.time[seen.clear])
    assert abs(1.0 - clear.mean() - probability[lit & (lat > -60.0)].mean()) < 0.08
    neighbours = np.mean(clear[1:] & clear[:-1])
    assert neighbours > 1.5 * clear.mean() ** 2, "clear views have clear neighbours"


def test_density_is_what_was_asked_for(plan):
    columns = plan.kind == "column"
    assert abs(np.count_nonzero(columns & plan.used) / 7 - 375) < 40
    assert np.count_nonzero(columns & ~plan.used) > 200, "bad soundings are planned too"
    dense = plan_observations(START, END, 7, is_land=land, soundings_per_day=1500, surface_sites=False)
    assert abs(np.count_nonzero(dense.used) / 7 - 1500) < 150
    for table in (plan, dense):
        assert len(set(table.identifier)) == len(table)


def test_plan_is_reproducible_and_follows_the_seed(plan):
    same, other = (plan_observations(START, END, seed, is_land=land) for seed in (7, 8))
    np.testing.assert_array_equal(same.time, plan.time)
    np.testing.assert_array_equal(same.error, plan.error)
    assert len(other) != len(plan) or not np.array_equal(other.time, plan.time)


def test_stated_errors_by_surface(plan):
    columns = plan.select((plan.kind == "column") & plan.used)
    on_land = land(columns.lat, columns.lon)
    assert 1.0 < np.median(columns.error[on_land]) < 1.5 and 0.65 < np.median(columns.error[~on_land]) < 1.0


def test_operators_look_like_those_of_acos():
    n = 6
    zenith, surface = np.linspace(10.0, 70.0, n), np.linspace(7e4, 1.02e5, n)
    operator = column_operators(np.full(n, FIRST), np.zeros(n), np.arange(n) % 2 == 0, zenith, surface)
    assert abs(pressure_weights().sum() - 1.0) < 1e-15 and abs(pressure_weights()[0] / pressure_weights()[1] - 0.5) < 0.01
    np.testing.assert_allclose(np.diff(sigma_levels())[1:], 1 / 19)
    np.testing.assert_array_equal(operator.retrieval_pressure[:, -1], surface)
    np.testing.assert_allclose(operator.prior_xco2, 1e6 * (operator.pressure_weight * operator.prior_profile).sum(axis=1), rtol=1e-14)
    kernel = operator.averaging_kernel
    assert (np.diff(kernel, axis=1) > 0).all() and (kernel[:, 0] < 0.3).all() and (np.abs(kernel[:, -1] - 1.03) < 0.03).all()
    assert 380.0 < operator.prior_xco2.min() <= operator.prior_xco2.max() < 395.0


def test_round_trip_through_files(plan, files):
    directory, truth = files
    table = read_streams(streams(directory), START, END)
    assert not [problem for problem in check_streams(streams(directory), START, END) if problem.severity == "error"]
    assert table.scale == {"gosat": "X2007", "flask": "X2007"}
    columns, points = table.select(table.kind == "column"), table.select(table.kind == "point")
    planned = plan.select((plan.kind == "column") & plan.used)
    row = {name: i for i, name in enumerate(planned.identifier)}
    order = np.array([row[name] for name in columns.identifier])
    assert columns.n_read("gosat") == np.count_nonzero(plan.kind == "column")
    assert columns.counts("gosat")["quality flag is not 0"] == np.count_nonzero((plan.kind == "column") & ~plan.used)
    np.testing.assert_allclose(columns.error, 1.9 * planned.error[order], rtol=1e-6)
    np.testing.assert_allclose(columns.lon, planned.lon[order], atol=2e-5)
    np.testing.assert_allclose(columns.time, planned.time[order], rtol=1e-12)
    for name, tolerance in (("retrieval_pressure", 1e-6), ("averaging_kernel", 1e-6), ("prior_profile", 1e-6), ("pressure_weight", 1e-6)):
        found, expected = (getattr(t.operators["gosat"].take(r), name) for t, r in
                           ((columns, columns.operator_row), (planned, planned.operator_row[order])))
        np.testing.assert_allclose(found, expected, rtol=tolerance)
    assert points.n_read("flask") == 2 * np.count_nonzero(plan.kind == "point")
    assert set(points.site) == {site.code for site in SITES}
    local = (points.time / 3600.0 + points.lon / 15.0) % 24.0
    assert 11.9 < local.min() < local.max() < 16.1


def test_drawn_errors_are_the_stated_ones(files):
    directory, _ = files
    table = read_streams(streams(directory, cell_degrees=0.0), START, END)
    truth = read_truth(directory / TRUTH_FILE)
    departure = table.value - np.array([truth[product, name] for product, name in zip(table.product, table.identifier, strict=True)])
    columns = table.kind == "column"
    normal = departure[columns] / (table.error[columns] / 1.9)
    n = np.count_nonzero(columns)
    assert n > 1000
    assert abs(normal.std() - 1.0) < 4.0 / np.sqrt(2 * n) and abs(normal.mean()) < 4.0 / np.sqrt(n)
    kinds = {site.code: site.error_ppm for site in SITES}
    flasks = (table.kind == "point") & table.used
    normal = departure[flasks] / np.array([kinds[site] for site in table.site[flasks]])
    assert abs(normal.std() - 1.0) < 0.4
    bad = read_streams(streams(directory, quality_flag=1, cell_degrees=0.0)[:1], START, END)
    departure = bad.value - np.array([truth["gosat", name] for name in bad.identifier])
    assert departure.std() > 2.0 * table.error[columns].mean() / 1.9 and departure.mean() < -0.5


def test_truth_must_fit_the_plan(plan, tmp_path):
    with pytest.raises(InputError, match="do not fit the plan"):
        write_observations(tmp_path, plan, np.zeros(3), 1)
    with pytest.raises(InputError, match="1 not finite"):
        write_observations(tmp_path, plan, np.where(np.arange(len(plan)) == 2, np.nan, 390.0), 1)


def test_sites():
    assert len({site.code for site in SITES}) == len(SITES) == 64
    assert all(-90 <= s.lat <= 90 and -180 <= s.lon < 180 and s.altitude >= 0 for s in SITES)
