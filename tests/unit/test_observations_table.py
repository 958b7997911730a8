"""The table of observations: selection, joining, rejection, accounting, and its way through a file."""

import numpy as np
import pytest
import xarray as xr
from generators.observation_files import make_columns, make_points

from gcas_driver.errors import InputError
from gcas_driver.observations.scales import scale_named_in, scale_problems
from gcas_driver.observations.table import WITHHELD, Observations
from mozart_coupling.grids import wrap_longitude


def table() -> Observations:
    n = 5
    columns = make_columns(np.arange(n), np.linspace(0, 40, n), np.zeros(n), 390.0 + np.arange(n), np.ones(n))
    other = make_columns(10.0 + np.arange(2), np.array([1.0, 2.0]), np.ones(2), np.array([1.0, 2.0]) + 400, np.ones(2), product="other")
    points = make_points(np.arange(3.0), np.array([190.0, 359.0, 20.0]), np.zeros(3), np.full(3, 10.0), np.full(3, 391.0), np.ones(3))
    return Observations.concatenate([columns, points, other, columns])


def test_operators_follow_their_rows():
    whole = table()
    assert len(whole) == 15 and len(whole.operators["sat"]) == 10 and len(whole.operators["other"]) == 2
    pressure = whole.operators["sat"].prior_xco2
    picked = whole.select(np.array([12, 0, 9, 6]))
    row = picked.operator_row
    assert row.tolist() == [0, 1, 0, -1]
    assert picked.operators["sat"].prior_xco2[row[0]] == pressure[whole.operator_row[12]]
    assert picked.operators["sat"].prior_xco2[row[1]] == pressure[whole.operator_row[0]]
    assert picked.value.tolist() == whole.value[[12, 0, 9, 6]].tolist()
    assert len(whole.select(np.zeros(15, dtype=bool))) == 0


def test_every_row_read_is_accounted_for():
    whole = table()
    changed = whole.reject(whole.value > 392.0, "too high").drop(whole.product == "other", "not wanted")
    changed = changed.reject(np.ones(len(changed), dtype=bool), WITHHELD)
    assert changed.counts() == {"too high": 4, "not wanted": 2, WITHHELD: 9}
    assert changed.counts("other") == {"not wanted": 2}
    assert changed.n_read() == 15 and not changed.used.any()
    assert np.count_nonzero(changed.evaluated) == 9, "withheld rows are evaluated, rejected ones are not"
    assert whole.used.all(), "the table it came from is unchanged"


def test_first_reason_stays():
    whole = table().reject(np.ones(15, dtype=bool), "first").reject(np.ones(15, dtype=bool), "second")
    assert set(whole.reason) == {"first"}


def test_file_and_back(tmp_path):
    whole = table().reject(np.arange(15) == 3, "a reason, with comma").drop(np.arange(15) == 14, "gone")
    whole.to_xarray(operators=True).to_netcdf(tmp_path / "table.nc")
    back = Observations.from_xarray(xr.load_dataset(tmp_path / "table.nc", decode_times=False))
    for name in ("time", "lon", "lat", "altitude", "value", "error", "operator_row", "used"):
        np.testing.assert_array_equal(getattr(back, name), getattr(whole, name))
    for name in ("product", "site", "identifier", "kind", "reason"):
        assert list(getattr(back, name)) == list(getattr(whole, name))
    assert back.counts() == whole.counts() and dict(back.scale) == dict(whole.scale)
    for product, operator in whole.operators.items():
        np.testing.assert_array_equal(back.operators[product].prior_profile, operator.prior_profile)


def test_one_product_on_two_scales_is_refused():
    first = make_points(np.zeros(1), np.zeros(1), np.zeros(1), np.zeros(1), np.zeros(1) + 390, np.ones(1))
    second = Observations(**{**first.__dict__, "scale": {"flask": "X2019"}})
    with pytest.raises(InputError, match="two calibration scales.*X2007 and X2019"):
        Observations.concatenate([first, second])


def test_products_on_two_scales_are_a_problem():
    assert [p.severity for p in scale_problems({"a": "X2007", "b": "X2019"})] == ["error"]
    assert [p.severity for p in scale_problems({"a": "X2007", "b": "unknown"})] == ["warning"]
    assert scale_problems({"a": "X2007", "b": "X2007"}) == [] == scale_problems({"a": "unknown"})
    assert scale_named_in("Bias-corrected XCO2 on X2007 scale; XCO2_X2019 holds the other") == "X2007"


def test_columns_must_fit():
    good = table()
    with pytest.raises(InputError, match="column lat does not fit"):
        Observations(**{**good.__dict__, "lat": good.lat[:-1]})


def test_longitudes():
    np.testing.assert_array_equal(wrap_longitude([0.0, 180.0, 359.5, -180.0, 190.0, 179.99]), [0.0, -180.0, -0.5, -180.0, -170.0, 179.99])
