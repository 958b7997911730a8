"""Transforms interpolated from a coarse grid: Yang, Kalnay, Hunt and Bowler (2009)."""

import numpy as np
import pytest
import reference_analysis as reference
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcas_driver.analysis import Localization, letkf
from gcas_driver.errors import InputError

TAPER = dict(p_value=None, sign=False, taper="gaspari-cohn")


def smooth_problem(seed, n_places=400, p=250, members=20, components=2, far_km=4000.0, **rule):
    """Fields of a few smooth patterns, seen at random places of the whole sphere."""
    rng = np.random.default_rng(seed)
    lon, lat = random_places(rng, n_places)
    observation_lon, observation_lat = random_places(rng, p)
    lon, lat = np.tile(lon, components), np.tile(lat, components)
    wave = rng.standard_normal((12, 3))
    amplitudes = rng.standard_normal((12, members))
    x = 1 + 0.3 * np.sin(2 * unit(lon, lat) @ wave.T) @ amplitudes + 0.1 * rng.standard_normal((lon.size, members))
    hx = 0.3 * np.sin(2 * unit(observation_lon, observation_lat) @ wave.T) @ amplitudes
    y = hx.mean(axis=1) + rng.standard_normal(p)
    localization = Localization(lon, lat, observation_lon, observation_lat, far_km=far_km, **(TAPER | rule))
    return (x, hx, y, rng.uniform(0.5, 2.0, p)), localization


def random_places(rng, n):
    return rng.uniform(-180, 180, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))


def unit(lon, lat):
    lon, lat = np.radians(lon), np.radians(lat)
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 60), p=st.integers(1, 80), members=st.integers(3, 40),
       far=st.sampled_from([2000.0, 5000.0, 30000.0]), taper=st.sampled_from([None, "gaspari-cohn"]), limit=st.sampled_from([None, 7]),
       spacing=st.sampled_from([700.0, 1500.0, 2000.0]),
       options=st.sampled_from([dict(), dict(inflation=1.1), dict(rtpp=0.3), dict(rtps=0.4)]), components=st.integers(1, 3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_agrees_with_the_reference(seed, n, p, members, far, taper, limit, spacing, options, components):
    problem, localization = smooth_problem(seed, n, p, members, components, far, taper=taper, max_observations=limit)
    places = localization.parameter_lon, localization.parameter_lat
    sites = localization.observation_lon, localization.observation_lat

    def weights_at(lon, lat):
        distance = reference.distance_km(lon, lat, *sites)
        return reference.weights(distance, np.zeros_like(distance), np.zeros(len(lon), int), near_km=500.0, far_km=far, p_value=None,
                                 n_members=members, taper=taper, max_observations=limit, by="nearest", order=range(p))[0]

    expected = reference.letkf_interpolated(*problem, places, sites, spacing, weights_at, **options)
    result = letkf(*problem, localization=localization, interpolation_km=spacing, threads=1, **options)
    scale = max(np.abs(expected[0]).max(), np.abs(expected[1]).max())
    np.testing.assert_allclose(result.x, expected[0], rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(result.hx, expected[1], rtol=0, atol=1e-12 * scale)
    exact = letkf(*problem, localization=localization, threads=1)
    assert np.array_equal(result.n_local, exact.n_local) and result.rejected_share == exact.rejected_share


def test_on_the_points_of_the_grid_it_is_exact():
    problem, _ = smooth_problem(1, n_places=1, components=1)
    n = 8
    spacing = np.pi / 2 * reference.EARTH_RADIUS_KM / n * (1 + 1e-9)
    corners = [((axis, side), i, j) for axis in range(3) for side in (-1, 1) for i in range(n + 1) for j in range(n + 1)]
    lon, lat = np.array([reference.cube_place(corner, n) for corner in corners])[:, :, 0].T
    rng = np.random.default_rng(2)
    x = rng.standard_normal((lon.size, 20))
    places = Localization(lon, lat, *random_places(rng, 250), **TAPER)
    exact, interpolated = (letkf(x, *problem[1:], localization=places, interpolation_km=km) for km in (None, spacing))
    np.testing.assert_allclose(interpolated.x, exact.x, rtol=0, atol=1e-13 * np.abs(exact.x).max())
    # Points on the edges of the cube belong to two or three faces and are made for each.
    assert 6 * n**2 + 2 <= interpolated.n_transforms <= 6 * (n + 1) ** 2


def test_the_error_falls_with_the_square_of_the_spacing_also_at_the_poles_and_the_date_line():
    problem, localization = smooth_problem(3, n_places=3000)
    lon, lat = localization.parameter_lon, localization.parameter_lat
    exact = letkf(*problem, localization=localization)
    regions = {"all": np.ones(lon.size, bool), "poles": np.abs(lat) > 75, "date line": (np.abs(lon) > 165) & (np.abs(lat) < 75)}
    errors = {name: [] for name in regions}
    for spacing in (1000.0, 500.0, 250.0):
        result = letkf(*problem, localization=localization, interpolation_km=spacing)
        for name, chosen in regions.items():
            errors[name].append((np.sqrt(np.mean((result.x - exact.x)[chosen] ** 2)), np.abs(result.mean - exact.mean)[chosen].max()))
    for name, found in errors.items():
        order = np.log2(np.divide(found[:-1], found[1:]))
        assert (order[:, 0] > 1.7).all() and (order[:, 0] < 2.2).all(), (name, order)
        assert (order[:, 1] > 1.5).all(), (name, order)
    for name in ("poles", "date line"):
        assert errors[name][-1][0] < 2.0 * errors["all"][-1][0]


def test_at_a_usual_spacing_mean_and_spread_are_near_the_exact_ones():
    """Spacing an eighth of the localization's reach: mean within 2 per cent of the increments, spread within 0.5 per cent."""
    problem, localization = smooth_problem(4, n_places=2000)
    exact = letkf(*problem, localization=localization)
    result = letkf(*problem, localization=localization, interpolation_km=500.0)
    increment = exact.mean - problem[0].mean(axis=1)
    assert np.sqrt(np.mean((result.mean - exact.mean) ** 2)) < 0.02 * np.sqrt(np.mean(increment**2))
    assert np.abs(result.x.std(axis=1) / exact.x.std(axis=1) - 1).mean() < 0.005
    assert np.abs(result.hx - exact.hx).max() < 0.1 * problem[1].std()
    np.testing.assert_allclose(result.x.mean(axis=1), result.mean, rtol=0, atol=1e-14)


def test_what_no_observation_reaches_keeps_the_prior_to_the_bit_also_beside_a_point_that_one_reaches():
    rng = np.random.default_rng(5)
    lon = np.arange(0.0, 40.0, 0.25)
    localization = Localization(lon, np.zeros_like(lon), np.zeros(3), np.zeros(3), far_km=1500.0, **TAPER)
    x, hx = 1 + rng.standard_normal((lon.size, 20)), rng.standard_normal((3, 20))
    result = letkf(x, hx, np.ones(3), np.ones(3), localization=localization, interpolation_km=1200.0, inflation=1.1, rtps=0.5)
    reached = reference.distance_km(lon, np.zeros_like(lon), np.zeros(1), np.zeros(1))[:, 0] < 1500.0
    assert 20 < reached.sum() < 100 and np.array_equal(result.n_local > 0, reached)
    assert np.array_equal(result.x[~reached], x[~reached])
    assert (result.x[reached] != x[reached]).any(axis=1).all()
    none = letkf(x, hx[:0], [], [], localization=Localization(lon, 0 * lon, [], [], **TAPER), interpolation_km=500.0)
    assert np.array_equal(none.x, x) and none.n_transforms == 0


def test_any_number_of_threads_and_any_split_into_bands_gives_the_same_bits():
    problem, localization = smooth_problem(6, n_places=1500, members=24)
    results = [letkf(*problem, localization=localization, interpolation_km=300.0, threads=threads, rtps=0.1) for threads in (1, 2, 3)]
    for other in results[1:]:
        for name in ("x", "mean", "hx", "n_local", "n_transforms"):
            assert np.array_equal(getattr(results[0], name), getattr(other, name)), name
    # The parameters of one half alone need other points, in other bands.
    north = localization.parameter_lat > 0
    half = Localization(localization.parameter_lon[north], localization.parameter_lat[north], localization.observation_lon,
                        localization.observation_lat, far_km=4000.0, **TAPER)
    alone = letkf(problem[0][north], *problem[1:], localization=half, interpolation_km=300.0, rtps=0.1)
    assert np.array_equal(alone.x, results[0].x[north])


@pytest.mark.parametrize("rule, words", [
    (dict(p_value=0.05), "p_value=0.05"), (dict(sign=True), "sign=True"),
    (dict(max_observations=5, max_observations_by="correlated"), "max_observations_by='correlated'")])
def test_rules_on_correlations_are_refused(rule, words):
    problem, localization = smooth_problem(7, n_places=10, **rule)
    with pytest.raises(InputError, match="distance alone") as caught:
        letkf(*problem, localization=localization, interpolation_km=500.0)
    assert words in str(caught.value)


def test_other_localizations_and_spacings_are_refused():
    problem, localization = smooth_problem(8, n_places=10)
    for other in (None, (np.ones((20, 250)), np.ones((250, 250)))):
        with pytest.raises(InputError, match="needs a localization by distance"):
            letkf(*problem, localization=other, interpolation_km=500.0)
    for spacing in (0.0, 24.0, -1.0, 4001.0, np.nan, "coarse"):
        with pytest.raises(InputError, match="interpolation_km is out of range"):
            letkf(*problem, localization=localization, interpolation_km=spacing)
