"""Inflation from the innovation statistic: Wang and Bishop (2003); Li, Kalnay and Miyoshi (2009)."""

from dataclasses import replace

import numpy as np
import pytest
from analysis_problems import everywhere
from hypothesis import given, settings
from hypothesis import strategies as st

from gcas_driver.analysis import AdaptiveInflation, ensrf, letkf
from gcas_driver.analysis.inflation import innovation_moments
from gcas_driver.errors import InputError

both_filters = pytest.mark.parametrize("analyse", [ensrf, letkf], ids=lambda method: method.__name__)
FREE = AdaptiveInflation(error=1e4, minimum=1e-3, maximum=1e3)
"""Knows nothing: the estimate is that of one analysis."""


def drawn(rng, narrowing=1.0, p=60, members=40, n_patterns=15):
    """Truth and members from one distribution of correlated values with known mean; the members are too narrow by a factor."""
    patterns = rng.standard_normal((p, n_patterns)) / 3
    truth = patterns @ rng.standard_normal(n_patterns)
    weights = rng.standard_normal((n_patterns, members))
    hx = patterns @ (weights - weights.mean(axis=1, keepdims=True)) / narrowing
    r = rng.uniform(0.5, 2.0, p)
    return hx, truth + np.sqrt(r) * rng.standard_normal(p), r


@pytest.mark.parametrize("narrowing", [0.8, 1.0, 2.0])
def test_the_estimate_is_the_factor_by_which_the_ensemble_is_too_narrow_within_its_stated_error(narrowing):
    rng = np.random.default_rng(1)
    start = replace(FREE, estimate=narrowing)
    found = [start.updated(*drawn(rng, narrowing)) for _ in range(600)]
    # In the squares, in which the statistic is linear.
    squares = np.array([each.estimate**2 for each in found])
    stated = np.array([2 * each.estimate * each.error for each in found])
    assert abs(squares.mean() - narrowing**2) < 4 * squares.std() / np.sqrt(600)
    assert np.sqrt(np.mean(stated**2)) == pytest.approx(squares.std(), rel=0.12)
    assert np.median([each.estimate for each in found]) == pytest.approx(narrowing, rel=0.06)


def test_moments_are_those_of_the_dense_matrices():
    rng = np.random.default_rng(2)
    for p, members in ((1, 2), (7, 3), (40, 25), (300, 9), (129, 40)):
        hx, y, r = drawn(rng, p=p, members=members)
        quadratic, trace, square = innovation_moments(hx, y, r)
        b = np.cov(hx).reshape(p, p) / np.sqrt(np.outer(r, r))
        n = members - 1
        expected = np.sum(b * b)
        if n > 1:
            expected = max((expected - b.trace() ** 2 / n) * n**2 / ((n - 1) * (n + 2)), np.sum(b.diagonal() ** 2))
        np.testing.assert_allclose([quadratic, trace, square], [np.sum((y - hx.mean(axis=1)) ** 2 / r), b.trace(), expected], rtol=1e-11)


def test_the_square_is_freed_of_the_members_noise():
    """The sample's own tr(B B) is too large by tr(B)²/n, many times the truth's here."""
    rng = np.random.default_rng(3)
    p, found = 400, []
    for _ in range(40):
        found.append(innovation_moments(rng.standard_normal((p, 20)), np.zeros(p), np.ones(p))[2])
    assert np.mean(found) == pytest.approx(p, rel=0.15)


def test_it_is_a_scalar_kalman_step_in_the_variance():
    rng = np.random.default_rng(4)
    hx, y, r = drawn(rng)
    start = AdaptiveInflation(estimate=1.2, error=0.1, growth=1.5)
    quadratic, trace, square = innovation_moments(hx, y, r)
    value, variance = 1.44, 1.5 * (2 * 1.2 * 0.1) ** 2
    for _ in range(2):
        noise = 2 * (60 + 2 * value * trace + value**2 * square * 40 / 39) / trace**2
        share = variance / (variance + noise)
        value = 1.44 + share * ((quadratic - 60) / trace - 1.44)
    end = start.updated(hx, y, r)
    assert end.estimate == pytest.approx(np.sqrt(value), rel=1e-14)
    assert end.error == pytest.approx(np.sqrt((1 - share) * variance) / (2 * np.sqrt(value)), rel=1e-14)
    assert (end.minimum, end.maximum, end.growth) == (start.minimum, start.maximum, start.growth)


@both_filters
def test_it_converges_over_windows_and_remembers_as_long_as_growth_says(analyse):
    rng = np.random.default_rng(5)
    estimate, found = AdaptiveInflation(), []
    for _ in range(120):
        hx, y, r = drawn(rng, narrowing=1.6)
        result = analyse(hx[:5], hx, y, r, localization=None, inflation=estimate)
        estimate = result.next_inflation
        assert result.inflation == estimate.estimate
        found.append((estimate.estimate, estimate.error))
    values, errors = np.array(found).T
    assert np.abs(values[30:] - 1.6).max() < 0.4 and values[30:].mean() == pytest.approx(1.6, abs=0.06)
    one = FREE.updated(*drawn(rng, narrowing=1.6)).error
    assert errors[-1] < 0.6 * one and errors[-1] == pytest.approx(errors[60:].mean(), rel=0.3)
    # With growth 1 nothing is forgotten: the error falls with the root of the number of windows.
    lasting = AdaptiveInflation(growth=1.0)
    for _ in range(120):
        lasting = lasting.updated(*drawn(rng, narrowing=1.6))
    assert lasting.error < 0.5 * errors[-1] and abs(lasting.estimate - 1.6) < 4 * lasting.error


@both_filters
@given(seed=st.integers(0, 2**32 - 1), estimate=st.floats(0.6, 2.0), error=st.just(0.0) | st.floats(1e-9, 5.0), scale=st.floats(0.0, 50.0))
@settings(max_examples=30, deadline=None)
def test_the_estimate_stays_within_its_bounds_and_the_error_never_grows_beyond_its_growth(analyse, seed, estimate, error, scale):
    hx, y, r = drawn(np.random.default_rng(seed), p=6, members=8)
    given_in = AdaptiveInflation(estimate, error, minimum=0.6, maximum=2.0, growth=1.3)
    result = analyse(hx, hx, scale * y, r, localization=None, inflation=given_in)
    following = result.next_inflation
    assert 0.6 <= following.estimate <= 2.0 and result.inflation == following.estimate
    assert 2 * following.estimate * following.error <= np.sqrt(1.3) * 2 * estimate * error * (1 + 1e-12)


@both_filters
def test_the_analysis_is_that_of_the_number(analyse):
    hx, y, r = drawn(np.random.default_rng(6), narrowing=2.0)
    for localization in (None, everywhere(60, 60)):
        result = analyse(hx, hx, y, r, localization=localization, inflation=AdaptiveInflation())
        assert result.inflation > 1.05
        number = analyse(hx, hx, y, r, localization=localization, inflation=result.inflation)
        assert np.array_equal(result.x, number.x) and np.array_equal(result.hx, number.hx)
        assert number.inflation == result.inflation and number.next_inflation is None


@both_filters
def test_it_counts_the_observations_in_use_after_weights_and_rotation(analyse):
    rng = np.random.default_rng(7)
    hx, y, r = drawn(rng)
    y[3] += 50.0
    start = AdaptiveInflation()

    def following(*arrays, **options):
        return analyse(arrays[0], *arrays, localization=None, inflation=start, **options).next_inflation

    kept = np.arange(60) != 3
    assert following(hx, y, r, gross=5.0) == start.updated(hx[kept], y[kept], r[kept]) != following(hx, y, r)
    weighted = analyse(hx, hx, y, r, localization=None, inflation=start, huber=1.5)
    assert weighted.next_inflation == start.updated(hx, y, r / weighted.huber_weight)
    # A diagonal block changes nothing; a full one is the statistic of the whitened observations.
    block = (np.arange(10, 14), np.diag(r[10:14]))
    assert following(hx, y, r, r_blocks=[block]).estimate == pytest.approx(following(hx, y, r).estimate, rel=1e-12)
    root = rng.standard_normal((4, 4))
    matrix = root @ root.T + np.eye(4)
    whitening = np.eye(60)
    whitening[10:14, 10:14] = np.linalg.inv(np.linalg.cholesky(matrix))
    whole = np.where(np.isin(np.arange(60), block[0]), 1.0, r)
    expected = start.updated(whitening @ hx, whitening @ y, whole)
    found = following(hx, y, r, r_blocks=[(block[0], matrix)])
    # Whitened by any root the statistic is the same; the least bound of the square alone is not rotated.
    assert found.estimate == pytest.approx(expected.estimate, rel=1e-9)


@both_filters
def test_without_observations_or_with_one_it_stays_to_the_bit(analyse):
    hx, y, r = drawn(np.random.default_rng(8))
    start = AdaptiveInflation(1.3, 0.2)
    for n in (0, 1):
        result = analyse(hx, hx[:n], y[:n], r[:n], localization=None, inflation=start)
        assert result.inflation == 1.3 and result.next_inflation == start
    silent = hx[:2].copy()
    silent[1] = 400.0
    assert analyse(hx, silent, y[:2], r[:2], localization=None, inflation=start).next_inflation == start


@both_filters
def test_any_number_of_threads_gives_the_same_bits(analyse):
    hx, y, r = drawn(np.random.default_rng(9), p=900, members=50)
    found = [analyse(hx[:50], hx, y, r, localization=None, inflation=AdaptiveInflation(), threads=n) for n in (1, 2, 3, 1)]
    assert len({(each.inflation, each.next_inflation.error) for each in found}) == 1


@pytest.mark.parametrize("arguments, words", [
    (dict(estimate=0.1), "estimate"), (dict(estimate=np.nan), "estimate"), (dict(error=-1.0), "error"), (dict(error=np.inf), "infinity"),
    (dict(minimum=0.0), "minimum"), (dict(minimum=2.0, maximum=1.0), "maximum"), (dict(growth=0.9), "growth"),
    (dict(growth="x"), "growth")])
def test_settings_that_cannot_be_are_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        AdaptiveInflation(**arguments)
