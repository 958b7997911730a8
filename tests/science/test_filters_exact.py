"""Exact properties that both filters have: where theory gives the answer, the core must give the same."""

import numpy as np
import pytest
import reference_analysis as reference
from analysis_problems import covariance, everywhere, random_problem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcas_driver.analysis import Localization, ensrf, letkf

EPS = np.finfo(float).eps
relaxed = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
both_filters = pytest.mark.parametrize("analyse", [ensrf, letkf], ids=lambda method: method.__name__)


@both_filters
@given(seed=st.integers(0, 2**32 - 1), members=st.integers(2, 60))
@relaxed
def test_one_observation_gives_the_scalar_kalman_formulas(analyse, seed, members):
    _, x, hx, y, r = random_problem(seed, p=1, members=members)
    s, c = covariance(hx, hx)[0, 0], covariance(x, hx)[:, 0]
    gain = c / (s + r[0])
    step = np.abs(gain * (y[0] - hx.mean()))
    rounding = 1e-14 if analyse is ensrf else 4e-14
    for localization in (None, everywhere(30, 1)):
        result = analyse(x, hx, y, r, localization=localization)
        np.testing.assert_allclose(result.mean, x.mean(axis=1) + gain * (y[0] - hx.mean()), rtol=0,
                                   atol=rounding * (np.abs(x).max() + step.max()))
        np.testing.assert_allclose(result.x.var(axis=1, ddof=1), x.var(axis=1, ddof=1) - gain * c, rtol=0,
                                   atol=rounding * (2 * x.var(axis=1, ddof=1).max() + np.abs(result.x).max()))
        np.testing.assert_allclose(result.hx.var(ddof=1), s * r[0] / (s + r[0]), rtol=1e-12)
        # For one observation the symmetric square root is the serial filter's, member by member.
        np.testing.assert_allclose(result.x, ensrf(x, hx, y, r, localization=None).x, rtol=0,
                                   atol=1e-13 * (np.abs(x).max() + step.max()))


@both_filters
@given(seed=st.integers(0, 2**32 - 1), p=st.integers(1, 70), members=st.integers(2, 40),
       order=st.sampled_from(["given", "greedy", "random"]))
@relaxed
def test_without_localization_it_is_the_kalman_filter_in_any_order(analyse, seed, p, members, order):
    rng, x, hx, y, r = random_problem(seed, p=p, members=members)
    options = dict(order=rng.permutation(p) if order == "random" else order) if analyse is ensrf else {}
    result = analyse(x, hx, y, r, localization=None, **options)
    innovation = y - hx.mean(axis=1)
    gain, hx_gain = (covariance(a, hx) @ np.linalg.inv(covariance(hx, hx) + np.diag(r)) for a in (x, hx))
    scale = np.abs(covariance(x, x)).max() * (1 + np.abs(innovation).max())
    np.testing.assert_allclose(result.mean, x.mean(axis=1) + gain @ innovation, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(result.hx.mean(axis=1), hx.mean(axis=1) + hx_gain @ innovation, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(covariance(result.x, result.x), covariance(x, x) - gain @ covariance(hx, x), rtol=0, atol=1e-12 * scale)


@both_filters
@pytest.mark.parametrize("localization", [None, everywhere(30, 15)], ids=["none", "everywhere"])
def test_correlated_errors_give_the_kalman_filter_with_the_full_matrix(analyse, localization):
    rng, x, hx, y, r = random_problem(7, p=15)
    full = np.diag(r)
    index, other = np.array([3, 9, 4, 11]), np.array([0, 14])
    root = rng.standard_normal((4, 4))
    full[np.ix_(index, index)] = root @ root.T + 0.5 * np.eye(4)
    full[np.ix_(other, other)] = [[1.0, -0.3], [-0.3, 0.5]]
    blocks = [(index, full[np.ix_(index, index)]), (other, full[np.ix_(other, other)])]
    result = analyse(x, hx, y, r, localization=localization, r_blocks=blocks)
    prior, posterior = np.vstack([x, hx]), np.vstack([result.x, result.hx])
    gain = covariance(prior, hx) @ np.linalg.inv(covariance(hx, hx) + full)
    np.testing.assert_allclose(posterior.mean(axis=1), prior.mean(axis=1) + gain @ (y - hx.mean(axis=1)), rtol=0, atol=1e-12)
    np.testing.assert_allclose(covariance(posterior, posterior), covariance(prior, prior) - gain @ covariance(hx, prior),
                               rtol=0, atol=1e-12)


@both_filters
@given(seed=st.integers(0, 2**32 - 1))
@relaxed
def test_perturbation_means_stay_zero_and_mean_is_the_members_mean(analyse, seed):
    _, x, hx, y, r = random_problem(seed, n=100, p=40)
    for localization in (None, everywhere(100, 40)):
        result = analyse(x, hx, y, r, localization=localization)
        np.testing.assert_allclose(result.x.mean(axis=1), result.mean, rtol=0,
                                   atol=(40 if analyse is ensrf else 100) * EPS * np.abs(result.x).max())


@both_filters
def test_a_parameter_without_local_observation_keeps_the_prior_to_the_bit(analyse):
    _, x, hx, y, r = random_problem(3)
    lon = np.where(np.arange(30) < 20, 0.0, 120.0)
    localization = Localization(lon, np.zeros(30), np.full(12, 5.0), np.zeros(12), p_value=None, sign=False)
    result = analyse(x, hx, y, r, localization=localization, inflation=1.1, rtps=0.5)
    assert np.array_equal(result.x[20:], x[20:])
    assert not np.isclose(result.x[:20], x[:20]).all(axis=1).any()
    assert (result.n_local == np.where(np.arange(30) < 20, 12, 0)).all()


@both_filters
def test_no_observation_at_all_gives_the_prior_and_not_the_same_memory(analyse):
    _, x, *_ = random_problem(4)
    for localization in (None, Localization(np.zeros(30), np.zeros(30), [], []), (np.zeros((30, 0)), np.zeros((0, 0)))):
        result = analyse(x, np.zeros((0, 20)), [], [], localization=localization)
        assert np.array_equal(result.x, x) and not np.shares_memory(result.x, x)
        assert result.hx.shape == (0, 20) and result.rejected_share == 0.0 and np.isnan(result.chi2)
        np.testing.assert_allclose(result.mean, x.mean(axis=1), rtol=0, atol=1e-14)


@both_filters
@pytest.mark.parametrize("kind", ["bands", "weights", "taper", "tapered bands"])
def test_when_h_picks_rows_the_observation_space_is_h_of_the_posterior(analyse, kind):
    rng, x, _, _, _ = random_problem(5, n=60, members=25)
    rows = rng.choice(60, 25, replace=False)
    hx = x[rows].copy()
    y, r = hx.mean(axis=1) + rng.standard_normal(25), np.full(25, 0.5)
    lon, lat = rng.uniform(-180, 180, 60), rng.uniform(-90, 90, 60)
    if kind == "weights":
        weight = reference.gaspari_cohn(reference.distance_km(lon, lat, lon, lat), 9000.0)
        localization = (weight[:, rows], weight[np.ix_(rows, rows)])
    else:
        options = {"bands": {}, "taper": dict(p_value=None, sign=False, taper="gaspari-cohn"), "tapered bands": dict(taper="gaspari-cohn")}
        localization = Localization(lon, lat, lon[rows], lat[rows], near_km=1500.0, far_km=9000.0, **options[kind])
    result = analyse(x, hx, y, r, localization=localization, rtpp=0.2, rtps=0.3, inflation=1.05)
    np.testing.assert_allclose(result.hx, result.x[rows], rtol=0, atol=1e-12)
    assert not np.allclose(result.hx, hx)


def test_localized_results_of_the_serial_filter_depend_on_the_order_and_the_order_is_kept():
    rng, x, hx, y, r = random_problem(6, n=40, p=30)
    places = rng.uniform(-60, 60, (2, 40)), rng.uniform(-60, 60, (2, 30))
    localization = Localization(*places[0], *places[1], p_value=None, sign=False, taper="gaspari-cohn", far_km=6000.0)
    given_order = ensrf(x, hx, y, r, localization=localization)
    backwards = ensrf(x, hx, y, r, localization=localization, order=np.arange(30)[::-1])
    assert np.abs(given_order.x - backwards.x).max() > 1e-6
    assert np.array_equal(given_order.order, np.arange(30))
    greedy = ensrf(x, hx, y, r, localization=localization, order="greedy")
    ratio = hx.var(axis=1, ddof=1) / r
    assert (np.diff(ratio[greedy.order]) <= 0).all()
    again = ensrf(x, hx, y, r, localization=localization, order=greedy.order)
    assert np.array_equal(again.x, greedy.x) and np.array_equal(again.hx, greedy.hx)


@both_filters
def test_every_observation_is_updated_in_observation_space_also_the_first(analyse):
    """A field fault: the first observation stayed at its prior. With nearly perfect observations all must arrive."""
    _, x, hx, y, _ = random_problem(8, p=20, members=60)
    result = analyse(x, hx, y, np.full(20, 1e-8), localization=None)
    assert np.abs(hx.mean(axis=1) - y).min() > 1e-3
    np.testing.assert_allclose(result.hx.mean(axis=1), y, rtol=0, atol=1e-5)
    assert (result.hx.var(axis=1) < 1e-7).all()


@both_filters
@pytest.mark.parametrize("copies", [10, 60])
def test_the_same_information_is_counted_once(analyse, copies):
    """A field fault: no update in observation space. Ten copies with ten times the error variance are one observation."""
    _, x, hx, y, r = random_problem(9, p=1)
    once = analyse(x, hx, y, r, localization=None)
    for localization in (None, everywhere(30, copies)):
        repeated = analyse(x, np.repeat(hx, copies, axis=0), np.repeat(y, copies), np.repeat(copies * r, copies), localization=localization)
        np.testing.assert_allclose(repeated.mean, once.mean, rtol=0, atol=1e-12)
        np.testing.assert_allclose(repeated.x, once.x, rtol=0, atol=1e-12)


@both_filters
def test_the_observation_space_update_is_localized(analyse):
    """A field fault: parameters were localized and observations not. Distant observations must not touch one another."""
    _, x, hx, y, r = random_problem(10, n=2, p=2)
    far_apart = Localization([0.0, 90.0], [0.0, 0.0], [0.0, 90.0], [0.0, 0.0], p_value=None, sign=False)
    both = analyse(x, hx, y, r, localization=far_apart)
    for i in range(2):
        alone = analyse(x[i:i + 1], hx[i:i + 1], y[i:i + 1], r[i:i + 1], localization=None)
        np.testing.assert_allclose(both.x[i], alone.x[0], rtol=0, atol=1e-13)
        np.testing.assert_allclose(both.hx[i], alone.hx[0], rtol=0, atol=1e-13)


@both_filters
def test_there_is_no_default_localization(analyse):
    """A field fault: an unlocalized run without a word because localization was not set up."""
    _, x, hx, y, r = random_problem(11)
    with pytest.raises(TypeError, match="localization"):
        analyse(x, hx, y, r)


@both_filters
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 120), p=st.integers(1, 150), members=st.integers(3, 40),
       near=st.sampled_from([0.0, 500.0, 1500.0]), far=st.sampled_from([2000.0, 5000.0, 9000.0, 30000.0]),
       p_value=st.sampled_from([None, 0.05, 0.3]), taper=st.sampled_from([None, "gaspari-cohn"]), limit=st.sampled_from([None, 1, 7]),
       by=st.sampled_from(["nearest", "correlated"]), signs=st.sampled_from([None, "signs", False]),
       options=st.sampled_from([dict(), dict(inflation=1.1), dict(rtpp=0.3), dict(rtps=0.4)]), components=st.integers(1, 3))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_localized_problems_agree_with_the_reference(analyse, seed, n, p, members, near, far, p_value, taper, limit, by, signs,
                                                     options, components):
    rng, x, hx, y, r = random_problem(seed, n, p, members)
    n_cells = -(-n // components)
    lon, lat = (np.tile(v, components)[:n] for v in (rng.uniform(-180, 180, n_cells), rng.uniform(-90, 90, n_cells)))
    olon, olat = rng.uniform(-180, 360, p), rng.uniform(-90, 90, p)
    order = rng.permutation(p) if analyse is ensrf else np.arange(p)
    sign = signs is not False
    parameter_sign = rng.integers(-1, 2, n) if signs == "signs" else None
    rule = dict(near_km=near, far_km=far, p_value=p_value, taper=taper, max_observations=limit)
    common = rule | dict(n_members=members, by=by, order=order)
    effective = np.full(n, int(sign)) if parameter_sign is None else parameter_sign
    distance = reference.distance_km(lon, lat, olon, olat)
    rho, accepted = reference.weights(distance, reference.correlation(x, hx), effective, **common)
    rho_obs, _ = reference.weights(reference.distance_km(olon, olat, olon, olat), reference.correlation(hx, hx),
                                   np.full(p, int(sign)), **common)
    serial = dict(order=order) if analyse is ensrf else {}
    expected = getattr(reference, analyse.__name__)(x, hx, y, r, rho, rho_obs, **serial, **options)
    localization = Localization(lon, lat, olon, olat, sign=sign, parameter_sign=parameter_sign, max_observations_by=by, **rule)
    scale = max(np.abs(expected[0]).max(), np.abs(expected[1]).max(), 1.0)
    for choice in ((rho, rho_obs), localization):
        result = analyse(x, hx, y, r, localization=choice, threads=1, **serial, **options)
        np.testing.assert_allclose(result.x, expected[0], rtol=0, atol=1e-12 * scale)
        np.testing.assert_allclose(result.hx, expected[1], rtol=0, atol=1e-12 * scale)
    in_reach = (distance < far).sum()
    assert np.array_equal(result.n_local, accepted.sum(axis=1))
    assert result.n_pairs == in_reach
    assert result.rejected_share == pytest.approx(1 - accepted.sum() / in_reach if in_reach else 0.0, abs=1e-15)


RULES = {"taper": dict(p_value=None, sign=False, taper="gaspari-cohn"), "bands": dict(), "nearest": dict(max_observations=9),
         "wide": dict(p_value=None, sign=False, far_km=8000.0), "none": None}
all_rules = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


def spread_problem(seed, n_places, p, rule):
    """Two components at random places, on the whole sphere."""
    rng, x, hx, y, r = random_problem(seed, n=2 * n_places, p=p, members=30)
    lon, lat = np.tile(rng.uniform(-180, 180, n_places), 2), np.tile(rng.uniform(-90, 90, n_places), 2)
    places = rng.uniform(-180, 180, p), rng.uniform(-90, 90, p)
    return (x, hx, y, r), None if rule is None else Localization(lon, lat, *places, **rule)


@both_filters
@all_rules
def test_any_number_of_threads_gives_the_same_bits(analyse, rule):
    problem, localization = spread_problem(12, 2500 if analyse is ensrf else 1500, 300, rule)
    results = [analyse(*problem, localization=localization, threads=threads, rtps=0.1) for threads in (1, 2, 3, 7)]
    for other in results[1:]:
        for name in ("x", "mean", "hx", "n_local", "order"):
            assert np.array_equal(getattr(results[0], name), getattr(other, name)), name
        assert (results[0].rejected_share, results[0].chi2, results[0].dfs) == (other.rejected_share, other.chi2, other.dfs)


@both_filters
@all_rules
def test_single_precision_has_the_error_of_single_precision(analyse, rule):
    problem, localization = spread_problem(13, 1500 if analyse is ensrf else 500, 300, rule)
    double, single = (analyse(*problem, localization=localization, precision=p) for p in ("double", "single"))
    difference = np.abs(double.x - single.x).max() / problem[0].std()
    assert difference < (2e-5 if analyse is ensrf else 1e-7)
    # The LETKF's one transform without localization is not iterated: there is nothing to save.
    assert (difference > 0.0) == (analyse is ensrf or rule is not None)
    assert np.array_equal(double.n_local, single.n_local)
    again = analyse(*problem, localization=localization, precision="single", threads=3)
    assert np.array_equal(again.x, single.x)
