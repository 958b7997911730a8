"""Radii of each observation, distances and tapers against independent formulas, and the borders of what a localization takes."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import reference_analysis as reference
from analysis_problems import random_problem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcas_driver.analysis import Localization, ensrf, letkf
from gcas_driver.analysis.localization import critical_correlation
from gcas_driver.errors import InputError

HALF_CIRCUMFERENCE_KM = np.pi * reference.EARTH_RADIUS_KM
DISTANCE_ONLY = dict(p_value=None, sign=False)
both_filters = pytest.mark.parametrize("analyse", [ensrf, letkf])


def exact_distance_km(lon1, lat1, lon2, lat2):
    """Great circle by Vincenty's formula on the sphere, in extended precision: no place is special to it."""
    lon1, lat1, lon2, lat2 = (np.radians(np.asarray(v, np.longdouble)) for v in (lon1, lat1, lon2, lat2))
    dlon = lon2 - lon1
    sine = np.hypot(np.cos(lat2) * np.sin(dlon), np.cos(lat1) * np.sin(lat2) - np.sin(lat1) * np.cos(lat2) * np.cos(dlon))
    cosine = np.sin(lat1) * np.sin(lat2) + np.cos(lat1) * np.cos(lat2) * np.cos(dlon)
    return reference.EARTH_RADIUS_KM * np.arctan2(sine, cosine)


# Radii of each observation

@given(st.integers(0, 2**32 - 1), st.integers(1, 90), st.integers(1, 90), st.integers(3, 40), st.booleans(),
       st.sampled_from([None, 0.05, 0.3, 0.9]), st.sampled_from([None, "gaspari-cohn"]), st.sampled_from([None, 1, 7]),
       st.sampled_from(["nearest", "correlated"]), st.sampled_from([None, "signs", False]), st.integers(1, 3), st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_radii_of_each_observation_agree_with_the_reference(seed, n, p, members, transform, p_value, taper, limit, by, signs,
                                                            components, duplicated):
    rng, x, hx, y, r = random_problem(seed, n, p, members)
    n_cells = -(-n // components)
    lon, lat = (np.tile(v, components)[:n] for v in (rng.uniform(-180, 180, n_cells), rng.uniform(-90, 90, n_cells)))
    olon, olat = rng.uniform(-180, 360, p), rng.uniform(-90, 90, p)
    if duplicated:
        olon[p // 2:], olat[p // 2:] = olon[: p - p // 2], olat[: p - p // 2]
    far = rng.choice([0.5, 2000.0, 5000.0, 9000.0, 30000.0], p)
    near = far * rng.choice([0.0, 0.2, 1.0], p)
    sign = signs is not False
    parameter_sign = rng.integers(-1, 2, n) if signs == "signs" else None
    order = np.arange(p) if transform else rng.permutation(p)
    rule = dict(near_km=near, far_km=far, p_value=p_value, taper=taper, max_observations=limit)
    common = rule | dict(n_members=members, by=by, order=order)
    effective = np.full(n, int(sign)) if parameter_sign is None else parameter_sign
    distance = reference.distance_km(lon, lat, olon, olat)
    rho, accepted = reference.weights(distance, reference.correlation(x, hx), effective, **common)
    # Row: the observation that is updated; column, and radii: the one that updates.
    rho_obs, _ = reference.weights(reference.distance_km(olon, olat, olon, olat), reference.correlation(hx, hx),
                                   np.full(p, int(sign)), **common)
    localization = Localization(lon, lat, olon, olat, sign=sign, parameter_sign=parameter_sign, max_observations_by=by, **rule)
    if transform:
        expected = reference.letkf(x, hx, y, r, rho, rho_obs)
        result = letkf(x, hx, y, r, localization=localization, threads=1)
    else:
        expected = reference.ensrf(x, hx, y, r, rho, rho_obs, order)
        result = ensrf(x, hx, y, r, localization=localization, order=order, threads=1)
    scale = max(np.abs(expected[0]).max(), np.abs(expected[1]).max(), 1.0)
    np.testing.assert_allclose(result.x, expected[0], rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(result.hx, expected[1], rtol=0, atol=1e-12 * scale)
    assert np.array_equal(result.n_local, accepted.sum(axis=1))
    in_reach = int((distance < far).sum())
    assert (result.n_pairs, result.n_accepted) == (in_reach, accepted.sum())
    assert result.rejected_share == pytest.approx(1 - accepted.sum() / in_reach if in_reach else 0.0, abs=1e-15)


RULES = [dict(), dict(taper="gaspari-cohn", **DISTANCE_ONLY), dict(max_observations=5, taper="gaspari-cohn")]


def spread_problem(seed, **rule):
    rng, x, hx, y, r = random_problem(seed, n=1200, p=150, members=30)
    lon, lat = np.tile(rng.uniform(-180, 180, 600), 2), np.tile(rng.uniform(-90, 90, 600), 2)
    return rng, (x, hx, y, r), Localization(lon, lat, rng.uniform(-180, 180, 150), rng.uniform(-90, 90, 150), **rule)


@both_filters
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("precision", ["double", "single"])
def test_equal_radii_in_an_array_are_the_number_to_the_bit(analyse, rule, precision):
    _, problem, localization = spread_problem(1, near_km=700.0, far_km=4000.0, **rule)
    arrays = replace(localization, near_km=np.full(150, 700.0), far_km=np.full(150, 4000))
    one, many = (analyse(*problem, localization=choice, precision=precision) for choice in (localization, arrays))
    assert np.array_equal(one.x, many.x) and np.array_equal(one.hx, many.hx)
    assert (one.n_pairs, one.n_accepted) == (many.n_pairs, many.n_accepted)


@both_filters
@pytest.mark.parametrize("rule", RULES)
def test_threads_and_single_precision_with_radii_of_their_own(analyse, rule):
    rng, problem, localization = spread_problem(2, **rule)
    far = rng.choice([900.0, 4000.0, 12000.0], 150)
    localization = replace(localization, near_km=far / 5, far_km=far)
    results = [analyse(*problem, localization=localization, threads=threads) for threads in (1, 2, 3)]
    for other in results[1:]:
        assert np.array_equal(results[0].x, other.x) and np.array_equal(results[0].hx, other.hx)
    single = analyse(*problem, localization=localization, precision="single")
    assert np.abs(single.x - results[0].x).max() < 2e-5 * problem[0].std()
    assert np.array_equal(single.n_local, results[0].n_local)


@both_filters
def test_the_radii_are_those_of_the_observation_that_updates(analyse):
    """The first reaches the second, 1000 km away; not the other way round."""
    _, x, hx, y, r = random_problem(3, n=1, p=2)
    lon = np.array([0.0, np.degrees(1000.0 / reference.EARTH_RADIUS_KM)])
    localization = Localization([0.0], [0.0], lon, [0.0, 0.0], near_km=0.0, far_km=[3000.0, 300.0], **DISTANCE_ONLY)
    result = analyse(x, hx, y, r, localization=localization)
    unlocalized = analyse(hx, hx, y, r, localization=None)
    alone = analyse(x, hx[:1], y[:1], r[:1], localization=None)
    np.testing.assert_allclose(result.hx[0], alone.hx[0], rtol=0, atol=1e-13)
    np.testing.assert_allclose(result.x, alone.x, rtol=0, atol=1e-13)
    np.testing.assert_allclose(result.hx[1].mean(), unlocalized.hx[1].mean(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.hx[1].std(), unlocalized.hx[1].std(), rtol=0, atol=1e-12)
    assert result.n_local[0] == 1


@both_filters
def test_a_block_takes_the_largest_radii_of_its_members(analyse):
    _, problem, localization = spread_problem(4, taper="gaspari-cohn")
    index, matrix = np.array([5, 90, 31]), np.array([[1.0, 0.2, 0.1], [0.2, 2.0, 0.3], [0.1, 0.3, 0.7]])
    places = dict(observation_lon=localization.observation_lon.copy(), observation_lat=localization.observation_lat.copy())
    places["observation_lon"][index], places["observation_lat"][index] = [10.0, 11.0, 12.0], [50.0, 51.0, 49.0]
    radii = dict(near_km=np.full(150, 300.0), far_km=np.full(150, 2000.0))
    largest = {name: values.copy() for name, values in radii.items()}
    radii["near_km"][31], radii["far_km"][90] = 800.0, 5000.0
    largest["near_km"][index], largest["far_km"][index] = 800.0, 5000.0
    one, other = (analyse(*problem, localization=replace(localization, **places, **choice), r_blocks=[(index, matrix)])
                  for choice in (radii, largest))
    assert np.array_equal(one.x, other.x) and np.array_equal(one.hx, other.hx) and one.n_pairs == other.n_pairs
    smallest = analyse(*problem, localization=replace(localization, **places, near_km=300.0, far_km=2000.0), r_blocks=[(index, matrix)])
    assert smallest.n_pairs < one.n_pairs


PLACES = dict(parameter_lon=[0.0], parameter_lat=[0.0], observation_lon=[0.0, 1.0, 2.0], observation_lat=[0.0, 1.0, 2.0])


@pytest.mark.parametrize("change,name,where", [
    (dict(far_km=[1.0, 2.0]), "far_km has the wrong shape", ""), (dict(far_km=[5000.0, 0.0, 5000.0]), "far_km is out of range", "index 1"),
    (dict(far_km=[np.nan, 5000.0, 5000.0]), "far_km is out of range", "index 0"),
    (dict(far_km=[9000.0, 400.0, 600.0]), "near_km is out of range", "index 1"),
    (dict(near_km=[0.0, 1.0, -1.0]), "near_km is out of range", "index 2"), (dict(near_km=[0.0, np.nan, 1.0]), "near_km", "index 1"),
    (dict(near_km=["a", "b", "c"]), "near_km is not an array of real numbers", "")])
def test_radii_that_cannot_be_are_refused(change, name, where):
    with pytest.raises(InputError) as caught:
        Localization(**(PLACES | change))
    assert name in str(caught.value) and where in str(caught.value)


# Borders

@both_filters
def test_radii_of_zero_of_the_far_band_and_of_half_the_world(analyse):
    """near_km = 0: every pair is tested; near_km = far_km: none is; far_km beyond half the circumference: all pairs."""
    rng, x, hx, y, r = random_problem(5, n=40, p=40)
    lon, lat = rng.uniform(-180, 180, 40), rng.uniform(-90, 90, 40)
    olon, olat = lon.copy(), lat.copy()
    olon[0], olat[0] = lon[1] + 180.0, -lat[1]
    hx[3] = x[3]
    correlation, distance = reference.correlation(x, hx), reference.distance_km(lon, lat, olon, olat)
    critical = critical_correlation(0.05, 20, two_sided=False)

    def accepted(**rule):
        result = analyse(x, hx, y, r, localization=Localization(lon, lat, olon, olat, **rule))
        return result.n_pairs, result.n_local

    n_pairs, n_local = accepted(near_km=0.0, far_km=4000.0)
    assert n_pairs == (distance < 4000.0).sum()
    assert np.array_equal(n_local, ((distance < 4000.0) & (correlation > critical)).sum(axis=1))
    n_pairs, n_local = accepted(near_km=4000.0, far_km=4000.0)
    assert n_pairs == (distance < 4000.0).sum()
    assert np.array_equal(n_local, ((distance < 4000.0) & (correlation > 0.0)).sum(axis=1))
    for far in (20016.0, 1e6, np.inf):
        assert accepted(near_km=0.0, far_km=far, **DISTANCE_ONLY)[0] == 1600
    assert accepted(near_km=0.0, far_km=20015.0, **DISTANCE_ONLY)[0] == 1599, "all but the antipode"


@both_filters
def test_an_unlimited_taper_is_none_and_bands_without_limit_are_no_localization(analyse):
    _, x, hx, y, r = random_problem(6)
    rng = np.random.default_rng(6)
    places = rng.uniform(-180, 180, 30), rng.uniform(-90, 90, 30), rng.uniform(-180, 180, 12), rng.uniform(-90, 90, 12)
    plain = analyse(x, hx, y, r, localization=None)
    for taper in (None, "gaspari-cohn"):
        free = analyse(x, hx, y, r, localization=Localization(*places, near_km=0.0, far_km=np.inf, taper=taper, **DISTANCE_ONLY))
        np.testing.assert_allclose(free.x, plain.x, rtol=0, atol=1e-12)
        np.testing.assert_allclose(free.hx, plain.hx, rtol=0, atol=1e-12)


@both_filters
@pytest.mark.parametrize("same", [((180.0, 12.0), (-180.0, 12.0), (540.0, 12.0)), ((0.0, 90.0), (123.0, 90.0), (-77.0, 90.0)),
                                  ((0.0, -90.0), (359.0, -90.0)), ((-0.0, 0.0), (360.0, 0.0), (-720.0, 0.0))])
def test_one_place_has_many_names(analyse, same):
    """A metre of reach: only an observation at the parameter's own place counts, whatever its longitude is called."""
    _, x, hx, y, r = random_problem(7, n=len(same), p=1)
    lon, lat = np.array(same).T
    for olon, olat in same:
        result = analyse(x, hx, y, r, localization=Localization(lon, lat, [olon], [olat], near_km=0.0, far_km=1e-3, **DISTANCE_ONLY))
        assert result.n_pairs == len(same)
        np.testing.assert_allclose(result.x, analyse(x, hx, y, r, localization=None).x, rtol=0, atol=1e-13)
        tapered = Localization(lon, lat, [olon], [olat], near_km=0.0, far_km=1.0, taper="gaspari-cohn", **DISTANCE_ONLY)
        np.testing.assert_allclose(analyse(x, hx, y, r, localization=tapered).x, result.x, rtol=0, atol=1e-13)


@both_filters
def test_duplicated_observations_are_one_of_less_error(analyse):
    rng, x, hx, y, r = random_problem(8, n=50, p=6)
    places = dict(parameter_lon=rng.uniform(0, 60, 50), parameter_lat=rng.uniform(0, 60, 50))
    olon, olat = rng.uniform(0, 60, 6), rng.uniform(0, 60, 6)
    rule = dict(near_km=800.0, far_km=4000.0)
    once = analyse(x, hx, y, r, localization=Localization(**places, observation_lon=olon, observation_lat=olat, **rule))
    twice = analyse(*(np.repeat(a, 2, axis=0) if a is not x else x for a in (x, hx, y, 2 * r)),
                    localization=Localization(**places, observation_lon=np.repeat(olon, 2), observation_lat=np.repeat(olat, 2), **rule))
    np.testing.assert_allclose(twice.x, once.x, rtol=0, atol=1e-12)
    assert np.array_equal(twice.n_local, 2 * once.n_local)


@both_filters
def test_three_members_and_extreme_levels(analyse):
    """Three members leave one degree of freedom, four make r uniform: then the critical correlations are plain formulas."""
    for p in (1e-300, 1e-12, 1e-3, 0.05, 0.3, 0.4999):
        assert critical_correlation(p, 3, two_sided=False) == pytest.approx(np.cos(np.pi * p), rel=1e-12)
        assert critical_correlation(p, 4, two_sided=False) == pytest.approx(1 - 2 * p, rel=1e-12)
        assert critical_correlation(p, 4, two_sided=True) == pytest.approx(1 - p, rel=1e-12)
    for p in (0.5, 0.7, 1 - 1e-12):
        assert critical_correlation(p, 20, two_sided=False) == 0.0, "the sign rule stays"
    _, x, hx, y, r = random_problem(9, n=20, p=10, members=3)
    localization = Localization(np.zeros(20), np.zeros(20), np.full(10, 9.0), np.zeros(10), p_value=0.05)
    correlation = reference.correlation(x, hx)
    for p in (1e-300, 0.05, 0.3, 0.7, 1 - 1e-12):
        result = analyse(x, hx, y, r, localization=replace(localization, p_value=p))
        assert np.array_equal(result.n_local, (correlation > max(np.cos(np.pi * p), 0.0)).sum(axis=1))
        assert np.isfinite(result.x).all() and np.isfinite(result.hx).all()


# Distances and tapers

def in_reach(lon, lat, olon, olat, far):
    """Which pairs (parameter i, observation i) are nearer than `far` (n,), by what each parameter's only observation does."""
    ensemble = np.array([[-1.0, 1.0, 0.5]])
    return np.array([ensrf(ensemble, ensemble, [1.0], [1.0], threads=1, localization=Localization(
        [a], [b], [c], [d], near_km=0.0, far_km=f, **DISTANCE_ONLY)).n_pairs == 1
        for a, b, c, d, f in zip(lon, lat, olon, olat, far, strict=True)])


SPECIAL = [(0, 0, 90, 0), (0, 0, 180, 0.001), (10, 20, -170, -19.9999), (0, 90, 0, -89.9999), (123, 90, -57, 89), (179.9, 5, -179.9, 5),
           (0, 0, 0.0002, 0), (77, 45, 77, 45.0001), (0, 89.9999, 180, 89.9999), (30, 0, -150.00001, 0), (0, 0, 60, 0), (0, 45, 120, -45)]


def test_distances_are_great_circles_to_a_part_in_a_thousand_million():
    rng = np.random.default_rng(10)
    places = rng.uniform(-180, 540, 100), rng.uniform(-90, 90, 100), rng.uniform(-180, 540, 100), rng.uniform(-90, 90, 100)
    pairs = np.concatenate([np.array(SPECIAL, float), np.column_stack(places)])
    distance = exact_distance_km(*pairs.T)
    ordinary = distance < 20000.0
    np.testing.assert_allclose(np.diag(reference.distance_km(*pairs.T))[ordinary], distance[ordinary].astype(float), rtol=1e-9)
    assert distance.min() < 0.03 and distance.max() > 20015.0
    assert in_reach(*pairs.T, (distance * (1 + 1e-9)).astype(float)).all()
    assert not in_reach(*pairs.T, (distance * (1 - 1e-9)).astype(float)).any()


def test_at_the_antipode_itself_a_chord_says_less():
    """A chord near the diameter hardly changes with the angle: distances are good to 0.3 m there."""
    pairs = np.array([(0, 0, 180, 0), (33, 21, -147, -21), (5, 90, 77, -90), (-100, -1e-7, 80, 0)], float)
    assert in_reach(*pairs.T, np.full(4, HALF_CIRCUMFERENCE_KM)).all()
    assert not in_reach(*pairs.T, np.full(4, HALF_CIRCUMFERENCE_KM - 3e-4)).any()


@given(st.integers(0, 2**32 - 1), st.lists(st.sampled_from([300.0, 3000.0, 6500.0, 12000.0, 20015.0, 26000.0, 40000.0]), min_size=1,
                                           max_size=4))
@settings(max_examples=40, deadline=None)
def test_the_taper_is_gaspari_and_cohns(seed, far):
    """One observation far from all others moves the mean of a parameter in proportion to its taper."""
    rng = np.random.default_rng(seed)
    ensemble = rng.standard_normal((1, 10))
    ensemble -= ensemble.mean()
    for radius in far:
        olon, olat = rng.uniform(-180, 180), np.degrees(np.arcsin(rng.uniform(-1, 1)))
        angle, azimuth = rng.uniform(0, 1.1 * min(radius, 18000.0) / reference.EARTH_RADIUS_KM, 50), rng.uniform(0, 2 * np.pi, 50)
        lat = np.arcsin(np.sin(np.radians(olat)) * np.cos(angle) + np.cos(np.radians(olat)) * np.sin(angle) * np.cos(azimuth))
        lon = np.radians(olon) + np.arctan2(np.sin(azimuth) * np.sin(angle) * np.cos(np.radians(olat)),
                                            np.cos(angle) - np.sin(np.radians(olat)) * np.sin(lat))
        lon, lat = np.degrees(lon), np.degrees(lat)
        x = np.repeat(ensemble, 50, axis=0)
        full = ensrf(x, ensemble, [1.0], [0.5], localization=None).mean
        result = ensrf(x, ensemble, [1.0], [0.5], localization=Localization(
            lon, lat, [olon], [olat], near_km=0.0, far_km=[radius], taper="gaspari-cohn", **DISTANCE_ONLY)).mean
        distance = exact_distance_km(lon, lat, olon, olat)
        expected = reference.gaspari_cohn(distance.astype(float), radius)
        np.testing.assert_allclose(result / full, np.where(distance < radius, expected, 0.0), rtol=0, atol=2e-14)


def test_the_taper_at_points_known_exactly():
    """Eq. 4.10 at rational distances, by exact fractions; the distances along the equator, far_km = 8000 km."""
    def exact(q):
        inner = -q**5 / 4 + q**4 / 2 + 5 * q**3 / 8 - 5 * q**2 / 3 + 1
        return inner if q <= 1 else q**5 / 12 - q**4 / 2 + 5 * q**3 / 8 + 5 * q**2 / 3 - 5 * q + 4 - Fraction(2, 3) / q

    points = [Fraction(k, 8) for k in range(1, 16)]
    assert exact(Fraction(1)) == Fraction(5, 24) and exact(Fraction(2)) == 0
    lon = np.degrees([float(q) * 4000.0 / reference.EARTH_RADIUS_KM for q in points])
    ensemble = np.array([[-1.0, 1.0, 0.5, -0.5]])
    x = np.repeat(ensemble, len(points), axis=0)
    full = ensrf(x, ensemble, [1.0], [0.5], localization=None).mean
    tapered = ensrf(x, ensemble, [1.0], [0.5], localization=Localization(
        lon, np.zeros(len(points)), [0.0], [0.0], near_km=0.0, far_km=8000.0, taper="gaspari-cohn", **DISTANCE_ONLY)).mean
    np.testing.assert_allclose(tapered / full, [float(exact(q)) for q in points], rtol=0, atol=5e-15)
