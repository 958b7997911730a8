"""Equations (15)-(18) against numbers worked out by hand, and the sets of observations they are made of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gcas_driver.errors import InputError
from gcas_driver.evaluation import statistics as stats
from gcas_driver.evaluation.case import ObservationTable


def table(**columns):
    n = len(columns["value"])
    base = {
        "window": np.zeros(n, int), "time": np.full(n, np.datetime64("2010-06-15", "s")), "lon": np.zeros(n), "lat": np.zeros(n),
        "altitude": np.full(n, np.nan), "error": np.ones(n), "true": np.full(n, np.nan), "background": np.array(columns["prior"], float),
        "column": np.ones(n, bool), "used": np.ones(n, bool)}
    base |= {name: np.full(n, "", dtype=object) for name in ("product", "site", "identifier", "reason")}
    return ObservationTable(**(base | {k: np.asarray(v) for k, v in columns.items()}))


def test_by_hand():
    # departures 1, -2, 4: mean 1, mean of sizes 7/3, mean of squares 21/3 = 7
    found = stats.statistics([391.0, 389.0, 396.0], [390.0, 391.0, 392.0])
    assert found["bias"] == pytest.approx(1.0)
    assert found["mae"] == pytest.approx(7 / 3)
    assert found["rmse"] == pytest.approx(np.sqrt(7))
    # model about its mean: -1, -3, 4; observations: -1, 0, 1; sum of products 5, of squares 26 and 2
    assert found["corr"] == pytest.approx(5 / np.sqrt(52))


def test_departure_is_model_minus_observation():
    assert stats.statistics([2.0], [1.0])["bias"] == 1.0


def test_nothing_gives_none_never_nan():
    assert stats.statistics([], []) == {"bias": None, "mae": None, "rmse": None, "corr": None}
    one = stats.statistics([1.0], [0.5])
    assert one["corr"] is None and one["rmse"] == 0.5
    assert stats.statistics([388.1] * 3, [1.0, 2.0, 3.0])["corr"] is None


@pytest.mark.parametrize(("model", "observed"), [([1.0], [1.0, 2.0]), ([np.nan], [1.0]), ([[1.0]], [[1.0]])])
def test_refuses_what_does_not_fit(model, observed):
    with pytest.raises(InputError):
        stats.statistics(model, observed)


@given(hnp.arrays(np.float64, st.integers(2, 30), elements=st.floats(300, 500)), st.floats(-5, 5))
def test_invariants(observed, shift):
    rising = observed + np.linspace(0.0, 1.0, observed.size)
    found = stats.statistics(rising + shift, observed)
    assert abs(found["bias"]) <= found["mae"] + 1e-9
    assert found["mae"] <= found["rmse"] + 1e-9
    assert found["corr"] is None or -1.0 <= found["corr"] <= 1.0
    assert found["bias"] == pytest.approx(0.5 + shift, abs=1e-9)


def test_block_counts_each_simulation_where_it_exists():
    t = table(value=[1.0, 2.0, 3.0], prior=[2.0, 3.0, 4.0], posterior=[1.0, 2.0, 3.0], background=[np.nan, 2.5, 3.5])
    found = stats.block(t, details=True)
    assert found["prior"]["n"] == 3 and found["background"]["n"] == 2
    assert found["background"]["bias"] == pytest.approx(0.5)
    assert "rmse_true" not in found["prior"]


def test_rmse_true_is_against_the_noise_free_values():
    t = table(value=[1.0, 2.0], prior=[3.0, 4.0], posterior=[2.0, 3.0], true=[2.0, 3.0])
    found = stats.block(t)
    assert found["posterior"]["rmse_true"] == 0.0 and found["posterior"]["rmse"] == 1.0
    assert found["prior"]["rmse_true"] == 1.0
    assert set(found["prior"]) == {"bias", "mae", "rmse", "corr", "rmse_true"}


def test_groups():
    t = table(value=[1.0, 2.0, 3.0], prior=[2.0, 3.0, 5.0], posterior=[1.0, 2.0, 3.0], lat=[-90.0, 45.0, 90.0],
              time=np.array(["2010-05-31T23:59:59", "2010-06-01", "2010-06-02"], dtype="datetime64[s]"),
              site=np.array(["spo", "kum", "kum"], dtype=object))
    bands = stats.by_band(t)
    assert list(bands) == ["60°N to 90°N", "30°N to 60°N", "90°S to 60°S"]
    assert bands["60°N to 90°N"]["prior"]["bias"] == 2.0
    assert {k: v["prior"]["n"] for k, v in stats.by_month(t).items()} == {"2010-05": 1, "2010-06": 2}
    assert stats.by_site(t)["kum"]["prior"]["bias"] == pytest.approx(1.5)
    assert stats.by_band(t.select(np.zeros(3, bool))) == {}


def test_sets_of_observations():
    reason = np.array(["", "withheld", "", "withheld", "far off"], dtype=object)
    t = table(value=[1.0] * 5, prior=[1.0] * 5, posterior=[1.0, 1.0, 1.0, 1.0, np.nan], column=np.array([1, 1, 0, 0, 1], bool),
              used=reason == "", reason=reason, product=np.array(["a", "a", "b", "b", "a"], dtype=object))
    assert len(t.xco2) == 1 and len(t.surface) == 1
    assert stats.accounting(t, [{"far off": 1, "bad flag": 2}, {"bad flag": 3}]) == {
        "a": {"assimilated": 1, "far off": 1, "withheld": 1}, "b": {"assimilated": 1, "withheld": 1},
        "left out on reading": {"bad flag": 5}}
