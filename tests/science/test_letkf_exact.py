"""Exact properties of the LETKF: the global ETKF, the Kalman filter, both spaces, and a reference in plain NumPy."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcas_driver.analysis import Localization, ensrf, letkf

_spec = importlib.util.spec_from_file_location("reference_analysis", Path(__file__).parents[1] / "reference_analysis.py")
reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference)

EPS = np.finfo(float).eps
relaxed = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def random_problem(seed, n=30, p=12, members=20):
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((4, members))
    x = 1 + rng.standard_normal((n, 4)) @ common + 0.5 * rng.standard_normal((n, members))
    hx = 2 + rng.standard_normal((p, 4)) @ common + 0.3 * rng.standard_normal((p, members))
    y = hx.mean(axis=1) + rng.standard_normal(p)
    return rng, x, hx, y, rng.uniform(0.2, 2.0, p)


def covariance(a, b):
    a = a - a.mean(axis=1, keepdims=True)
    b = b - b.mean(axis=1, keepdims=True)
    return a @ b.T / (a.shape[1] - 1)


def everywhere(n, p, **rule):
    """A localization that accepts every pair with weight 1: all places are one."""
    rule = dict(p_value=None, sign=False) | rule
    return Localization(np.zeros(n), np.zeros(n), np.zeros(p), np.zeros(p), **rule)


def global_etkf(x, hx, y, r):
    """Hunt et al. (2007), eqs. 20-25, without localization: the transform as they write it."""
    members = x.shape[1]
    x_mean, y_mean = x.mean(axis=1, keepdims=True), hx.mean(axis=1)
    perturbations = hx - y_mean[:, None]
    c = perturbations.T / r
    values, vectors = np.linalg.eigh((members - 1) * np.eye(members) + c @ perturbations)
    weight = (vectors * np.sqrt((members - 1) / values)) @ vectors.T
    weight += ((vectors / values) @ vectors.T @ c @ (y - y_mean))[:, None]
    return x_mean + (x - x_mean) @ weight


@given(st.integers(0, 2**32 - 1), st.integers(1, 70), st.integers(2, 40))
@relaxed
def test_weight_one_everywhere_is_the_global_etkf(seed, p, members):
    _, x, hx, y, r = random_problem(seed, p=p, members=members)
    expected, expected_hx = global_etkf(x, hx, y, r), global_etkf(hx, hx, y, r)
    scale = 1 + np.abs(expected).max() + np.abs(y - hx.mean(axis=1)).max() * np.abs(x).max()
    for localization in (None, everywhere(30, p), everywhere(30, p, taper="gaspari-cohn"), (np.ones((30, p)), np.ones((p, p)))):
        result = letkf(x, hx, y, r, localization=localization, threads=1)
        np.testing.assert_allclose(result.x, expected, rtol=0, atol=1e-12 * scale)
        np.testing.assert_allclose(result.hx, expected_hx, rtol=0, atol=1e-12 * scale)


@given(st.integers(0, 2**32 - 1), st.integers(1, 70), st.integers(2, 40))
@relaxed
def test_without_localization_mean_and_covariance_are_the_kalman_filters_and_the_ensrfs(seed, p, members):
    _, x, hx, y, r = random_problem(seed, p=p, members=members)
    result, serial = letkf(x, hx, y, r, localization=None), ensrf(x, hx, y, r, localization=None)
    gain = covariance(x, hx) @ np.linalg.inv(covariance(hx, hx) + np.diag(r))
    scale = np.abs(covariance(x, x)).max() * (1 + np.abs(y - hx.mean(axis=1)).max())
    np.testing.assert_allclose(result.mean, x.mean(axis=1) + gain @ (y - hx.mean(axis=1)), rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(result.mean, serial.mean, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(result.hx.mean(axis=1), serial.hx.mean(axis=1), rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(covariance(result.x, result.x), covariance(x, x) - gain @ covariance(hx, x), rtol=0,
                               atol=1e-12 * scale)


@given(st.integers(0, 2**32 - 1), st.integers(2, 60))
@relaxed
def test_one_observation_gives_the_scalar_formulas(seed, members):
    _, x, hx, y, r = random_problem(seed, p=1, members=members)
    s, c = covariance(hx, hx)[0, 0], covariance(x, hx)[:, 0]
    gain = c / (s + r[0])
    step = np.abs(gain * (y[0] - hx.mean()))
    for localization in (None, everywhere(30, 1)):
        result = letkf(x, hx, y, r, localization=localization)
        np.testing.assert_allclose(result.mean, x.mean(axis=1) + gain * (y[0] - hx.mean()), rtol=0,
                                   atol=1e-14 * 4 * (np.abs(x).max() + step.max()))
        # For one observation the symmetric square root is the serial filter's, member by member.
        np.testing.assert_allclose(result.x, ensrf(x, hx, y, r, localization=None).x, rtol=0,
                                   atol=1e-13 * (np.abs(x).max() + step.max()))


def test_both_spaces_give_the_same():
    """p up to 1.5 N is solved by p×p, more by N×N: an observation without information moves a problem across the border."""
    rng, x, hx, y, r = random_problem(1, p=30, members=20)
    few = letkf(x, hx, y, r, localization=everywhere(30, 30))
    idle = np.vstack([hx, rng.standard_normal((5, 20))]), np.append(y, np.zeros(5)), np.append(r, np.full(5, 1e28))
    many = letkf(x, *idle, localization=everywhere(30, 35))
    np.testing.assert_allclose(few.x, many.x, rtol=0, atol=1e-12)
    np.testing.assert_allclose(few.mean, many.mean, rtol=0, atol=1e-12)
    np.testing.assert_allclose(few.hx, many.hx[:30], rtol=0, atol=1e-12)


def test_few_nearly_perfect_observations_lose_nothing():
    """The p×p matrix is as good as its own condition, however small R is beside the spread."""
    rng, x, _, _, _ = random_problem(2, members=24)
    hx = rng.standard_normal((5, 24))
    y, r = rng.standard_normal(5), np.full(5, 1e-11)
    serial = ensrf(x, hx, y, r, localization=None)
    for localization in (None, everywhere(30, 5)):
        np.testing.assert_allclose(letkf(x, hx, y, r, localization=localization).mean, serial.mean, rtol=0, atol=1e-12)


@pytest.mark.parametrize("p", [9, 70])
@pytest.mark.parametrize("variance", [1e-6, 1e-3, 1e6])
def test_nearly_perfect_and_nearly_useless_observations(p, variance):
    _, x, hx, y, _ = random_problem(2, p=p, members=24)
    r = np.full(p, variance)
    expected = global_etkf(x, hx, y, r)
    # The condition of I + S Sᵀ times rounding is what any method loses.
    tolerance = 50 * EPS * (1 + covariance(hx, hx).trace() / variance) * np.abs(expected).max()
    for localization in (None, everywhere(30, p)):
        result = letkf(x, hx, y, r, localization=localization)
        np.testing.assert_allclose(result.x, expected, rtol=0, atol=max(tolerance, 1e-13))


def test_correlated_errors_give_the_kalman_filter_with_the_full_matrix():
    rng, x, hx, y, r = random_problem(7, p=15)
    full = np.diag(r)
    index = np.array([3, 9, 4, 11])
    root = rng.standard_normal((4, 4))
    full[np.ix_(index, index)] = root @ root.T + 0.5 * np.eye(4)
    result = letkf(x, hx, y, r, localization=everywhere(30, 15), r_blocks=[(index, full[np.ix_(index, index)])])
    gain = covariance(x, hx) @ np.linalg.inv(covariance(hx, hx) + full)
    np.testing.assert_allclose(result.mean, x.mean(axis=1) + gain @ (y - hx.mean(axis=1)), rtol=0, atol=1e-12)
    np.testing.assert_allclose(covariance(result.x, result.x), covariance(x, x) - gain @ covariance(hx, x), rtol=0, atol=1e-12)


@given(st.integers(0, 2**32 - 1))
@relaxed
def test_perturbation_means_stay_zero_and_mean_is_the_members_mean(seed):
    _, x, hx, y, r = random_problem(seed, n=100, p=40)
    for localization in (None, everywhere(100, 40)):
        result = letkf(x, hx, y, r, localization=localization)
        np.testing.assert_allclose(result.x.mean(axis=1), result.mean, rtol=0, atol=100 * EPS * np.abs(result.x).max())


def test_a_parameter_without_local_observation_keeps_the_prior_to_the_bit():
    _, x, hx, y, r = random_problem(3)
    lon = np.where(np.arange(30) < 20, 0.0, 120.0)
    localization = Localization(lon, np.zeros(30), np.full(12, 5.0), np.zeros(12), p_value=None, sign=False)
    result = letkf(x, hx, y, r, localization=localization, inflation=1.1, rtps=0.5)
    assert np.array_equal(result.x[20:], x[20:])
    assert not np.isclose(result.x[:20], x[:20]).all(axis=1).any()
    assert (result.n_local == np.where(np.arange(30) < 20, 12, 0)).all()


def test_no_observation_at_all_gives_the_prior_and_not_the_same_memory():
    _, x, *_ = random_problem(4)
    for localization in (None, Localization(np.zeros(30), np.zeros(30), [], []), (np.zeros((30, 0)), np.zeros((0, 0)))):
        result = letkf(x, np.zeros((0, 20)), [], [], localization=localization)
        assert np.array_equal(result.x, x) and not np.shares_memory(result.x, x)
        assert result.hx.shape == (0, 20) and result.rejected_share == 0.0 and np.isnan(result.chi2)


def test_the_order_of_the_observations_does_not_matter():
    rng, x, hx, y, r = random_problem(6, n=40, p=30)
    place, site = rng.uniform(-60, 60, (2, 40)), rng.uniform(-60, 60, (2, 30))
    rule = dict(p_value=None, sign=False, taper="gaspari-cohn", far_km=6000.0)
    given_order = letkf(x, hx, y, r, localization=Localization(*place, *site, **rule))
    turn = rng.permutation(30)
    turned = letkf(x, hx[turn], y[turn], r[turn], localization=Localization(*place, *site[:, turn], **rule))
    np.testing.assert_allclose(turned.x, given_order.x, rtol=0, atol=1e-13)
    np.testing.assert_allclose(turned.hx, given_order.hx[turn], rtol=0, atol=1e-13)


def test_every_simulated_value_is_analysed_as_a_parameter_at_its_place():
    rng, _, hx, y, r = random_problem(8, p=50, members=25)
    lon, lat = rng.uniform(-180, 180, 50), rng.uniform(-90, 90, 50)
    localization = Localization(lon, lat, lon, lat, near_km=1500.0, far_km=9000.0, taper="gaspari-cohn")
    result = letkf(hx.copy(), hx, y, r, localization=localization, rtpp=0.2, rtps=0.3, inflation=1.05)
    np.testing.assert_allclose(result.hx, result.x, rtol=0, atol=1e-13)
    assert not np.allclose(result.hx, hx)


def test_the_same_information_is_counted_once():
    _, x, hx, y, r = random_problem(9, p=1)
    once = letkf(x, hx, y, r, localization=None)
    for copies in (10, 60):
        repeated = letkf(x, np.repeat(hx, copies, axis=0), np.repeat(y, copies), np.repeat(copies * r, copies),
                         localization=everywhere(30, copies))
        np.testing.assert_allclose(repeated.x, once.x, rtol=0, atol=1e-12)


def test_distant_observations_do_not_touch_one_another():
    _, x, hx, y, r = random_problem(10, n=2, p=2)
    far_apart = Localization([0.0, 90.0], [0.0, 0.0], [0.0, 90.0], [0.0, 0.0], p_value=None, sign=False)
    both = letkf(x, hx, y, r, localization=far_apart)
    for i in range(2):
        alone = letkf(x[i:i + 1], hx[i:i + 1], y[i:i + 1], r[i:i + 1], localization=None)
        np.testing.assert_allclose(both.x[i], alone.x[0], rtol=0, atol=1e-13)
        np.testing.assert_allclose(both.hx[i], alone.hx[0], rtol=0, atol=1e-13)


def test_there_is_no_default_localization():
    _, x, hx, y, r = random_problem(11)
    with pytest.raises(TypeError, match="localization"):
        letkf(x, hx, y, r)


@given(st.integers(0, 2**32 - 1), st.integers(1, 120), st.integers(1, 150), st.integers(3, 40),
       st.sampled_from([0.0, 500.0, 1500.0]), st.sampled_from([2000.0, 5000.0, 9000.0, 30000.0]),
       st.sampled_from([None, 0.05, 0.3]), st.sampled_from([None, "gaspari-cohn"]), st.sampled_from([None, 1, 7]),
       st.sampled_from(["nearest", "correlated"]), st.sampled_from([None, "signs", False]),
       st.sampled_from([dict(), dict(inflation=1.1), dict(rtpp=0.3), dict(rtps=0.4)]), st.integers(1, 3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_localized_problems_agree_with_the_reference(seed, n, p, members, near, far, p_value, taper, limit, by, signs,
                                                     options, components):
    rng, x, hx, y, r = random_problem(seed, n, p, members)
    n_cells = -(-n // components)
    lon, lat = (np.tile(v, components)[:n] for v in (rng.uniform(-180, 180, n_cells), rng.uniform(-90, 90, n_cells)))
    olon, olat = rng.uniform(-180, 360, p), rng.uniform(-90, 90, p)
    sign = signs is not False
    parameter_sign = rng.integers(-1, 2, n) if signs == "signs" else None
    rule = dict(near_km=near, far_km=far, p_value=p_value, taper=taper, max_observations=limit)
    common = rule | dict(n_members=members, by=by, order=range(p))
    effective = np.full(n, int(sign)) if parameter_sign is None else parameter_sign
    distance = reference.distance_km(lon, lat, olon, olat)
    rho, accepted = reference.weights(distance, reference.correlation(x, hx), effective, **common)
    rho_obs, _ = reference.weights(reference.distance_km(olon, olat, olon, olat), reference.correlation(hx, hx),
                                   np.full(p, int(sign)), **common)
    expected = reference.letkf(x, hx, y, r, rho, rho_obs, **options)
    localization = Localization(lon, lat, olon, olat, sign=sign, parameter_sign=parameter_sign, max_observations_by=by, **rule)
    scale = max(np.abs(expected[0]).max(), np.abs(expected[1]).max(), 1.0)
    for choice in (localization, (rho, rho_obs)):
        result = letkf(x, hx, y, r, localization=choice, threads=1, **options)
        np.testing.assert_allclose(result.x, expected[0], rtol=0, atol=1e-12 * scale)
        np.testing.assert_allclose(result.hx, expected[1], rtol=0, atol=1e-12 * scale)
    result = letkf(x, hx, y, r, localization=localization, threads=1, **options)
    in_reach = (distance < far).sum()
    assert np.array_equal(result.n_local, accepted.sum(axis=1))
    assert result.n_pairs == in_reach
    assert result.rejected_share == pytest.approx(1 - accepted.sum() / in_reach if in_reach else 0.0, abs=1e-15)


def spread_problem(seed, n_places, p, **rule):
    """Two components at random places, on the whole sphere."""
    rng, x, hx, y, r = random_problem(seed, n=2 * n_places, p=p, members=30)
    lon, lat = np.tile(rng.uniform(-180, 180, n_places), 2), np.tile(rng.uniform(-90, 90, n_places), 2)
    return x, hx, y, r, Localization(lon, lat, rng.uniform(-180, 180, p), rng.uniform(-90, 90, p), **rule)


RULES = [dict(p_value=None, sign=False, taper="gaspari-cohn"), dict(), dict(max_observations=9),
         dict(p_value=None, sign=False, far_km=8000.0)]


@pytest.mark.parametrize("rule", [*RULES, None])
def test_any_number_of_threads_gives_the_same_bits(rule):
    *problem, localization = spread_problem(12, 1500, 300, **(rule or {}))
    localization = None if rule is None else localization
    results = [letkf(*problem, localization=localization, threads=threads, rtps=0.1) for threads in (1, 2, 3)]
    for other in results[1:]:
        for name in ("x", "mean", "hx", "n_local", "order"):
            assert np.array_equal(getattr(results[0], name), getattr(other, name)), name
        assert (results[0].rejected_share, results[0].chi2, results[0].dfs) == (other.rejected_share, other.chi2, other.dfs)


@pytest.mark.parametrize("rule", [*RULES, None])
def test_single_precision_has_the_error_of_single_precision(rule):
    *problem, localization = spread_problem(13, 500, 300, **(rule or {}))
    localization = None if rule is None else localization
    double, single = (letkf(*problem, localization=localization, precision=p) for p in ("double", "single"))
    assert 0.0 < np.abs(double.x - single.x).max() / problem[0].std() < 1e-7
    assert np.array_equal(double.n_local, single.n_local)
