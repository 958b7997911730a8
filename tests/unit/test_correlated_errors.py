"""Blocks of correlated errors, their order and what goes with them: by hand, bounds, positive definiteness."""

from types import SimpleNamespace

import numpy as np
import pytest
from generators.observation_files import make_columns
from hypothesis import given, settings
from hypothesis import strategies as st

from gcas_driver.analysis import ensrf, letkf
from gcas_driver.assimilation import order_of_update
from gcas_driver.errors import InputError
from gcas_driver.observations.correlated_errors import MOST, OWN_SHARE, REACH, error_blocks
from gcas_driver.observations.super_observations import super_observe
from gcas_driver.observations.table import Observations
from mozart_coupling.grids import Grid, great_circle_km

GRID = Grid.named("36x18")
DEGREE_KM = float(great_circle_km(np.array(0.0), np.array(0.0), np.array(0.0), np.array(1.0)))


def alone(time, lon, lat, error=1.0, product="sat"):
    """Super-observations of one observation each."""
    n = len(time)
    places = (np.asarray(a, dtype=float) for a in (time, lon, lat))
    table = make_columns(*places, np.full(n, 390.0), np.full(n, error), product)
    return super_observe(table, GRID, floor_ppm=0.0, merge=False)


def test_an_overpass_by_hand():
    """Along a meridian: 0, 1, 2 degrees and 30 degrees in one overpass, the first place again a day later."""
    supers = alone([0, 20, 40, 600, 86400], np.zeros(5), [0, 1, 2, 30, 0], error=2.0)
    (index, matrix), = error_blocks(supers, {"sat": (DEGREE_KM, 0.0)})
    assert index.tolist() == [0, 1, 2]
    expected = 4.0 * (1.0 - OWN_SHARE) * np.exp(-np.abs(np.subtract.outer([0, 1, 2], [0, 1, 2])))
    np.fill_diagonal(expected, 4.0)
    np.testing.assert_allclose(matrix, expected, rtol=1e-12)


def test_a_site_from_day_to_day_by_hand():
    supers = alone(86400.0 * np.array([0, 1, 2, 9]), np.zeros(4), np.zeros(4))
    (index, matrix), = error_blocks(supers, {"sat": (10.0, 24.0)})
    assert index.tolist() == [0, 1, 2], "nine days are beyond the reach"
    np.testing.assert_allclose(matrix[0, 1:], (1.0 - OWN_SHARE) * np.exp([-1.0, -2.0]), rtol=1e-12)


def test_products_do_not_mix_and_zero_is_off():
    one, two = (make_columns([0.0, 5.0], np.zeros(2), np.array([0.0, 0.5]), np.full(2, 390.0), np.ones(2), name) for name in "ab")
    supers = super_observe(Observations.concatenate([one, two]), GRID, merge=False)
    assert error_blocks(supers, {"a": (0.0, 0.0), "b": (0.0, 0.0)}) == error_blocks(supers, {}) == []
    (index, _), = error_blocks(supers, {"a": (0.0, 0.0), "b": (100.0, 0.0)})
    assert supers.product[index].tolist() == ["b", "b"]
    for wrong in ((-1.0, 0.0), (np.nan, 0.0), (100.0, -1.0), (np.inf, 0.0)):
        with pytest.raises(InputError, match="error correlation out of range"):
            error_blocks(supers, {"a": wrong})
    assert error_blocks(super_observe(Observations.empty(), GRID), {"a": (100.0, 0.0)}) == []


@given(n=st.integers(1, 300), seed=st.integers(0, 10**6), length=st.floats(1.0, 3000.0), hours=st.sampled_from([0.0, 0.5, 24.0]),
       spread=st.sampled_from([0.0, 2.0, 60.0]))
@settings(max_examples=40, deadline=None)
def test_blocks_are_bounded_disjoint_and_positive_definite(n, seed, length, hours, spread):
    random = np.random.default_rng(seed)
    supers = alone(np.round(random.uniform(0, 86400, n), -2), 179.0 + random.uniform(-spread, spread, n),
                   random.uniform(-spread, spread, n), error=1.3)
    blocks = error_blocks(supers, {"sat": (length, hours)})
    indices = np.concatenate([index for index, _ in blocks]) if blocks else np.empty(0, int)
    assert np.unique(indices).size == indices.size
    for index, matrix in blocks:
        assert 2 <= index.size <= MOST and (np.diff(index) > 0).all()
        first = index[0]
        assert great_circle_km(supers.lon[first], supers.lat[first], supers.lon[index], supers.lat[index]).max() <= REACH * length
        assert np.ptp(supers.time[index]) <= 3600.0 * (REACH * hours or 1.0)
        assert np.linalg.eigvalsh(matrix)[0] >= 0.999 * OWN_SHARE * 1.3**2
        np.testing.assert_allclose(np.diag(matrix), 1.3**2, rtol=1e-14)


@pytest.mark.parametrize("update", [ensrf, letkf])
def test_the_filters_take_them_and_give_the_kalman_mean(update):
    random = np.random.default_rng(5)
    supers = alone(np.arange(40) * 10.0, np.zeros(40), np.linspace(-10.0, 10.0, 40), error=0.8)
    blocks = error_blocks(supers, {"sat": (300.0, 0.0)})
    assert len(blocks) >= 2
    covariance = np.diag(supers.error**2)
    for index, matrix in blocks:
        covariance[np.ix_(index, index)] = matrix
    x, hx = 1.0 + random.standard_normal((12, 30)), 390.0 + random.standard_normal((40, 30))
    dx, dh = x - x.mean(axis=1, keepdims=True), hx - hx.mean(axis=1, keepdims=True)
    gain = dx @ dh.T @ np.linalg.inv(dh @ dh.T + 29 * covariance)
    result = update(x, hx, supers.value, supers.error**2, localization=None, r_blocks=blocks)
    np.testing.assert_allclose(result.mean, x.mean(axis=1) + gain @ (supers.value - hx.mean(axis=1)), rtol=1e-10)


def test_orders_of_the_update():
    """Rows in time order that were read in another; two of them merged."""
    table = make_columns(np.array([0.0, 10.0, 20.0, 20.0]), np.array([11.0, 55.0, 12.0, 100.0]), np.full(4, 1.0), np.full(4, 390.0),
                         np.ones(4))
    supers = super_observe(table, GRID)
    assert len(supers) == 3 and supers.index[0] == supers.index[2]
    hx = np.array([[389.0, 391.0], [380.0, 400.0], [389.9, 390.1]])
    compared = SimpleNamespace(supers=supers, position=np.array([3, 1, 2, 0]))
    place = {product: i for i, product in enumerate(np.round(supers.lon))}
    expected = [place[100.0], place[55.0], place[np.round(supers.lon[supers.index[0]])]]
    assert order_of_update("file", compared, hx, supers.error**2).tolist() == expected
    assert order_of_update("greedy", compared, hx, supers.error**2) == "greedy"
    time = order_of_update("time", compared, hx, supers.error**2)
    assert (np.diff(supers.time[time]) >= 0.0).all()
