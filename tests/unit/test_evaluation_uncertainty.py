"""Equation (19) and the two readings of uncertainties over windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gcas_driver.errors import InputError
from gcas_driver.evaluation import uncertainty as unc


def test_two_readings_by_hand():
    # two equal windows of σ 3 and 4: lasting errors average to 3.5, independent ones to sqrt(9 + 16) / 2
    assert unc.aggregate([3.0, 4.0], [7.0, 7.0], "persistent") == pytest.approx(3.5)
    assert unc.aggregate([3.0, 4.0], [7.0, 7.0], "independent") == pytest.approx(2.5)
    # a window three times as long counts three times
    assert unc.aggregate([3.0, 4.0], [21.0, 7.0], "persistent") == pytest.approx(3.25)
    assert unc.aggregate([3.0, 4.0], [21.0, 7.0], "independent") == pytest.approx(np.sqrt(81 + 16) / 4)


@given(hnp.arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 10)))
def test_quadrature_lies_between_persistent_over_root_n_and_persistent(sigma):
    weights = np.full(sigma.size, 7.0)
    persistent, independent = (unc.aggregate(sigma, weights, reading) for reading in unc.READINGS)
    assert persistent / np.sqrt(sigma.size) - 1e-9 <= independent <= persistent + 1e-9


@pytest.mark.parametrize(("weights", "reading"), [([1.0], "persistent"), ([0.0, 0.0], "persistent"), ([1.0, 1.0], "mean")])
def test_refused(weights, reading):
    with pytest.raises(InputError):
        unc.aggregate([1.0, 2.0], weights, reading)


def test_reduction():
    np.testing.assert_allclose(unc.uncertainty_reduction([3.51, 0.0, 1.0], [4.24, 0.0, 0.5]), [17.2169811, np.nan, -100.0])


def test_spread_of_totals_counts_correlations():
    first = np.array([1.0, -1.0, 2.0, -2.0])
    assert unc.standard_deviation(first) == pytest.approx(np.sqrt(10 / 3))
    assert unc.standard_deviation(first - first) == 0.0  # opposite members of two regions cancel in their sum
    assert unc.standard_deviation(np.array([[5.0], [6.0]])).tolist() == [0.0, 0.0]


def test_coverage():
    assert unc.coverage([0.0, 1.0, 3.0, 2.1], [1.0] * 4, [0.0] * 4, 2.0) == 0.5
    assert unc.coverage([], [], [], 1.0) is None


def test_months_share_a_window_that_straddles_them():
    starts = np.array(["2010-05-29", "2010-06-05"], dtype="datetime64[s]")
    found = unc.period_weights(starts, starts + np.timedelta64(7, "D"), "month")
    assert {name: days.tolist() for name, days in found.items()} == {"2010-05": [3.0, 0.0], "2010-06": [4.0, 7.0]}
    assert {k: v.sum() for k, v in unc.period_weights(starts, starts + np.timedelta64(7, "D"), "year").items()} == {"2010": 14.0}
