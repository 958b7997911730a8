"""Exact properties of the LETKF alone: the global ETKF, both spaces, precise observations, shared transforms."""

import numpy as np
import pytest
from analysis_problems import covariance, everywhere, random_problem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcas_driver.analysis import Localization, ensrf, letkf

EPS = np.finfo(float).eps
relaxed = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


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


def test_the_order_of_the_observations_does_not_matter():
    rng, x, hx, y, r = random_problem(6, n=40, p=30)
    place, site = rng.uniform(-60, 60, (2, 40)), rng.uniform(-60, 60, (2, 30))
    rule = dict(p_value=None, sign=False, taper="gaspari-cohn", far_km=6000.0)
    given_order = letkf(x, hx, y, r, localization=Localization(*place, *site, **rule))
    turn = rng.permutation(30)
    turned = letkf(x, hx[turn], y[turn], r[turn], localization=Localization(*place, *site[:, turn], **rule))
    np.testing.assert_allclose(turned.x, given_order.x, rtol=0, atol=1e-13)
    np.testing.assert_allclose(turned.hx, given_order.hx[turn], rtol=0, atol=1e-13)


@pytest.mark.parametrize("reach", [2000.0, 9000.0], ids=["few observations", "many"])
@pytest.mark.parametrize("rule", [dict(taper="gaspari-cohn"), dict(max_observations=6), dict()], ids=["taper", "nearest", "plain"])
def test_parameters_of_a_cell_share_one_transform_where_their_masks_agree(reach, rule):
    rng, x, hx, y, r = random_problem(14, n=120, p=80)
    lon, lat, places = rng.uniform(-180, 180, 60), rng.uniform(-90, 90, 60), rng.uniform(-90, 90, (2, 80))
    rule = dict(p_value=None, sign=False, far_km=reach) | rule

    def analysed(members, lon, lat):
        return letkf(members, hx, y, r, localization=Localization(lon, lat, *places, **rule))

    first, second, both = analysed(x[:60], lon, lat), analysed(x[60:], lon, lat), analysed(x, np.tile(lon, 2), np.tile(lat, 2))
    cells = int((first.n_local > 0).sum())
    of_simulated_values = analysed(x[:1], places[0, :1], places[1, :1]).n_transforms - 1
    assert cells > 30 and 0 < both.n_transforms - of_simulated_values <= cells
    assert np.array_equal(both.x, np.vstack([first.x, second.x])), "shared or not, the same bits"
    assert np.array_equal(both.mean, np.concatenate([first.mean, second.mean]))


def test_parameters_of_a_cell_with_different_masks_do_not_share():
    rng, x, hx, y, r = random_problem(15, n=120, p=80, members=30)
    lon, lat, places = rng.uniform(-180, 180, 60), rng.uniform(-90, 90, 60), rng.uniform(-90, 90, (2, 80))
    tested = Localization(np.tile(lon, 2), np.tile(lat, 2), *places, near_km=1000.0, far_km=9000.0)
    both, first = letkf(x, hx, y, r, localization=tested), letkf(
        x[:60], hx, y, r, localization=Localization(lon, lat, *places, near_km=1000.0, far_km=9000.0))
    assert both.n_transforms > first.n_transforms + 30
    np.testing.assert_allclose(both.x[:60], first.x, rtol=0, atol=1e-13)


def test_without_localization_there_is_one_transform():
    _, x, hx, y, r = random_problem(16)
    result = letkf(x, hx, y, r, localization=None)
    assert result.n_transforms == 2, "one for parameters, one for simulated values"
    assert ensrf(x, hx, y, r, localization=None).n_transforms == 0
