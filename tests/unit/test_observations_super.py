"""Super-observations, equations (7)-(9): exact cases and invariants; screening."""

import numpy as np
import pytest
from generators.observation_files import make_columns, make_points
from hypothesis import given, settings
from hypothesis import strategies as st

from gcas_driver.errors import InputError
from gcas_driver.observations.screening import listing, screen
from gcas_driver.observations.super_observations import super_observe
from gcas_driver.observations.table import WITHHELD, Observations
from mozart_coupling.grids import Grid

GRID = Grid.named("36x18")


def columns(n: int, seed: int = 1, product: str = "sat", spread: float = 180.0) -> Observations:
    random = np.random.default_rng(seed)
    return make_columns(random.uniform(0.0, 7 * 86400.0, n), random.uniform(-spread, spread, n), random.uniform(-spread / 2, spread / 2, n),
                        random.normal(390.0, 1.0, n), random.uniform(0.5, 2.0, n), product)


def test_three_by_hand():
    table = make_columns([0.0, 10.0, 20.0], np.array([11.0, 12.0, 13.0]), np.full(3, 1.0), np.array([390.0, 392.0, 391.0]),
                         np.array([1.0, 2.0, 2.0]))
    merged = super_observe(table, GRID, floor_ppm=0.0)
    assert len(merged) == 1 and merged.n_merged.tolist() == [3] and merged.index.tolist() == [0, 0, 0]
    weight = np.array([1.0, 0.25, 0.25])
    np.testing.assert_allclose(merged.error[0], 1.5**-0.5, rtol=1e-14)
    np.testing.assert_allclose(merged.value[0], weight @ [390.0, 392.0, 391.0] / 1.5, rtol=1e-14)
    np.testing.assert_allclose(merged.time[0], weight @ [0.0, 10.0, 20.0] / 1.5, rtol=1e-12)
    hx = np.arange(6.0).reshape(3, 2)
    np.testing.assert_allclose(merged.average(hx), [weight @ hx / 1.5], rtol=1e-14)


def test_floor_acts_once_after_merging():
    table = columns(400, spread=4.0)
    assert super_observe(table, GRID, floor_ppm=0.0).error.max() < 0.3, "(7) alone drives the error to nothing"
    assert (super_observe(table, GRID).error == 1.0).all()
    assert (super_observe(table, GRID, floor_ppm={"sat": 0.7}).error == 0.7).all()
    assert super_observe(table, GRID, floor_ppm={"other": 0.7}).error.max() < 0.3


@pytest.mark.parametrize("correlation", [0.0, 0.3, 1.0])
def test_error_correlation(correlation):
    table = make_columns(np.zeros(5), np.full(5, 12.0), np.full(5, 1.0), np.full(5, 390.0), np.full(5, 2.0))
    merged = super_observe(table, GRID, floor_ppm=0.0, correlation=correlation)
    np.testing.assert_allclose(merged.error[0] ** 2, 4.0 * (1.0 + 4.0 * correlation) / 5.0, rtol=1e-14)


def test_products_levels_and_bins_stay_apart():
    here = dict(lon=np.full(2, 12.0), lat=np.full(2, 1.0), value=np.full(2, 390.0), error=np.ones(2))
    both = Observations.concatenate([make_columns([0.0, 90000.0], **here), make_columns([0.0, 90000.0], **here, product="other"),
                                     make_points([0.0, 90000.0], altitude=np.array([10.0, 3000.0]), **here)])
    assert len(super_observe(both, GRID)) == 3
    assert len(super_observe(both, GRID, levels=np.array([0, 0, 0, 0, 27, 20]))) == 4, "levels part points, not columns"
    assert len(super_observe(both, GRID, bin_hours=24.0)) == 6
    assert len(super_observe(both, GRID, merge=False)) == 6
    merged = super_observe(both, GRID, levels=np.array([0, 0, 0, 0, 27, 20]))
    assert sorted(merged.altitude[merged.kind == "point"]) == [10.0, 3000.0] and np.isnan(merged.altitude[merged.kind == "column"]).all()


def test_settings_by_product_and_bins_in_order_of_time():
    here = dict(lon=np.full(4, 12.0), lat=np.full(4, 1.0), value=np.full(4, 390.0), error=np.full(4, 2.0))
    hours = 3600.0 * np.array([13.0, 1.0, 5.0, 14.0])
    both = Observations.concatenate([make_columns(hours, **here), make_columns(hours, **here, product="other")])
    merged = super_observe(both, GRID, floor_ppm={"other": 1.5}, correlation={"sat": 1.0}, bin_hours=12.0)
    assert merged.product.tolist() == ["other", "sat", "other", "sat"] and merged.n_merged.tolist() == [2, 2, 2, 2]
    np.testing.assert_allclose(merged.time, 3600.0 * np.array([3.0, 3.0, 13.5, 13.5]))
    np.testing.assert_allclose(merged.error, [1.5, 2.0, 1.5, 2.0], rtol=1e-14)
    assert len(super_observe(both, GRID, bin_hours=3.0)) == 6, "12-15, 0-3, 3-6"


def test_one_observation_keeps_its_numbers_to_the_bit():
    table = columns(1, seed=7)
    merged = super_observe(table, GRID, floor_ppm=0.0, correlation=1.0, bin_hours=24.0)
    for name in ("time", "lon", "lat", "value"):
        assert getattr(merged, name).tobytes() == getattr(table, name).tobytes(), name
    np.testing.assert_allclose(merged.error, table.error, rtol=1e-15)
    assert merged.average(np.array([[391.3, 388.1]])).tolist() == [[391.3, 388.1]]


@pytest.mark.parametrize("name", ["value", "time", "lon", "lat", "altitude"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_missing_numbers_are_named_where_they_are_used(name, bad):
    table = make_points(np.zeros(3), np.arange(3.0), np.zeros(3), np.full(3, 50.0), np.full(3, 390.0), np.ones(3))
    getattr(table, name)[1] = bad
    with pytest.raises(InputError, match=f"{name} of an observation is not finite.*1 in all"):
        super_observe(table, GRID)
    assert len(super_observe(table.reject(np.array([False, True, False]), "bad"), GRID)) == 1


def test_unused_rows_take_no_part():
    table = columns(50, spread=4.0)
    table = table.reject(np.arange(50) >= 10, WITHHELD)
    merged = super_observe(table, GRID, floor_ppm=0.0)
    alone = super_observe(table.select(table.used), GRID, floor_ppm=0.0)
    np.testing.assert_array_equal(merged.value, alone.value)
    assert (merged.index[10:] == -1).all()
    hx = np.full((50, 2), np.nan)
    hx[:10] = 5.0
    np.testing.assert_allclose(merged.average(hx), 5.0)


def test_no_observation_at_all():
    for table in (Observations.empty(), columns(4).reject(np.ones(4, dtype=bool), "bad")):
        merged = super_observe(table, GRID)
        assert len(merged) == 0 and merged.average(np.zeros((len(table), 3))).shape == (0, 3)


def test_across_the_date_line():
    table = make_columns(np.zeros(2), np.array([179.5, -179.5]), np.full(2, 1.0), np.full(2, 390.0), np.ones(2))
    merged = super_observe(table, Grid.regular(36, 18, lon_first=0.0))
    assert len(merged) == 1 and abs(abs(merged.lon[0]) - 180.0) < 1e-9


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 80), seed=st.integers(0, 10**6), correlation=st.floats(0.0, 1.0), spread=st.sampled_from([4.0, 40.0, 180.0]))
def test_invariants(n, seed, correlation, spread):
    table = columns(n, seed, spread=spread)
    merged = super_observe(table, GRID, floor_ppm=0.0, correlation=correlation)
    random = np.random.default_rng(seed)
    hx = random.normal(390.0, 1.0, (n, 4))
    mean = merged.average(hx)
    assert merged.n_merged.sum() == n and (np.bincount(merged.index) == merged.n_merged).all() and (np.diff(merged.time) >= 0.0).all()
    for i in range(len(merged)):
        mine = merged.index == i
        assert table.value[mine].min() - 1e-9 <= merged.value[i] <= table.value[mine].max() + 1e-9
        assert (hx[mine].min(axis=0) - 1e-9 <= mean[i]).all() and (mean[i] <= hx[mine].max(axis=0) + 1e-9).all()
        assert merged.error[i] <= table.error[mine].max() * (1.0 + 1e-12)
        cells = {tuple(int(k) for k in GRID.cell_index(lon, lat)) for lon, lat in zip(table.lon[mine], table.lat[mine], strict=True)}
        assert len(cells) == 1
    np.testing.assert_allclose(merged.average(2.0 * hx - 5.0), 2.0 * mean - 5.0, rtol=1e-12)
    order = random.permutation(n)
    shuffled = super_observe(table.select(order), GRID, floor_ppm=0.0, correlation=correlation)
    np.testing.assert_allclose(shuffled.value, merged.value, rtol=1e-12)
    np.testing.assert_allclose(shuffled.error, merged.error, rtol=1e-12)


def test_bad_settings_have_names():
    table = columns(3)
    for changes, message in (({"correlation": 1.5}, "correlation"), ({"correlation": {"a": -0.1}}, "correlation"),
                             ({"floor_ppm": -1.0}, "error floor"), ({"floor_ppm": {"sat": np.nan}}, "error floor"),
                             ({"bin_hours": 0.0}, "time bin"), ({"levels": np.zeros(2)}, "levels")):
        with pytest.raises(InputError, match=message):
            super_observe(table, GRID, **changes)
    table.error[1] = 0.0
    with pytest.raises(InputError, match="without a positive error.*sat 1"):
        super_observe(table, GRID)
    with pytest.raises(InputError, match="do not fit"):
        super_observe(columns(3), GRID).average(np.zeros((2, 4)))


def test_screening_rejects_counts_and_lists():
    table = make_columns(np.zeros(4), np.zeros(4), np.zeros(4), np.array([390.0, 393.0, 410.0, 390.0]), np.array([1.0, 1.0, 1.0, 0.1]))
    table = table.reject(np.array([False, False, True, False]), WITHHELD)
    hx = np.full((4, 5), 391.0)
    screened = screen(table, hx, limit_ppm=15.0, limit_sigma=3.0)
    assert screened.counts() == {WITHHELD: 1, "|simulated - observed| > 3 sigma": 1}
    assert screened.used.tolist() == [True, True, False, False]
    assert screened.evaluated.tolist() == [True, True, True, False], "a withheld one, 19 ppm off, judges the model"
    lines = listing(screened, hx)
    assert len(lines) == 1 and "observed 390.00 simulated 391.00 ppm: |simulated - observed| > 3 sigma" in lines[0]
    assert "observed 393.00 simulated 391.00 ppm: |simulated - observed| > 1.5 ppm" in listing(screen(table, hx, limit_ppm=1.5), hx)[0]
    assert screen(table, hx).counts() == {WITHHELD: 1}
    spread = hx + np.array([-9.0, 9.0, 0.0, 0.0, 0.0])
    assert screen(table, spread, limit_sigma=3.0).used.tolist() == [True, True, False, True], "ensemble spread widens the limit"
    with pytest.raises(InputError, match="limit must be positive"):
        screen(table, hx, limit_ppm=0.0)
    with pytest.raises(InputError, match="do not fit"):
        screen(table, hx[:2])
