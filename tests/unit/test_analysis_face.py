"""The door of the analysis: what it accepts, what it refuses, and what it counts."""

import numpy as np
import pytest

from gcas_driver.analysis import Localization, critical_correlation, ensrf, letkf
from gcas_driver.errors import AnalysisError, GcasError, InputError


@pytest.fixture(params=[ensrf, letkf], ids=lambda method: method.__name__)
def analyse(request):
    """Both filters: they share the door."""
    return request.param


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    x = 1 + 0.5 * rng.standard_normal((7, 12))
    hx = 400 + x[:4] + 0.1 * rng.standard_normal((4, 12))
    return x, hx, 401 + rng.standard_normal(4), np.full(4, 0.5)


PLACES = dict(parameter_lon=np.arange(7.0), parameter_lat=np.zeros(7), observation_lon=np.arange(4.0),
              observation_lat=np.zeros(4))


@pytest.mark.parametrize("convert", [
    lambda a: a.astype(np.float32).astype(np.float64), np.asfortranarray, lambda a: a[..., ::-1].copy()[..., ::-1],
    lambda a: a.tolist(), np.ma.masked_invalid], ids=["float64", "fortran", "strided", "list", "masked"])
def test_any_order_is_accepted_with_the_same_result(analyse, problem, convert):
    x, hx, y, r = (np.asarray(a, np.float32).astype(np.float64) for a in problem)
    expected = analyse(x, hx, y, r, localization=None)
    result = analyse(*(convert(a) for a in (x, hx, y, r)), localization=None)
    assert np.array_equal(result.x, expected.x)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, ">f8"])
def test_any_real_dtype_is_accepted(analyse, problem, dtype):
    x, hx, y, r = (np.round(10 * a).astype(dtype) for a in problem)
    result = analyse(x, hx, y, r, localization=None)
    expected = analyse(*(a.astype(float) for a in (x, hx, y, r)), localization=None)
    assert result.x.dtype == np.float64 and np.array_equal(result.x, expected.x)


def test_inputs_stay_as_they_are_unless_overwrite_is_asked_for(analyse, problem):
    before = [a.copy() for a in problem]
    result = analyse(*problem, localization=None)
    assert all(np.array_equal(a, b) for a, b in zip(problem, before, strict=True))
    assert not np.shares_memory(result.x, problem[0]) and not np.shares_memory(result.hx, problem[1])
    in_place = analyse(*problem, localization=None, overwrite_x=True)
    assert in_place.x is problem[0] and np.array_equal(in_place.x, result.x)
    assert np.array_equal(problem[1], before[1])


def test_a_read_only_array_is_never_overwritten(analyse, problem):
    x, *rest = problem
    x.flags.writeable = False
    result = analyse(x, *rest, localization=None, overwrite_x=True)
    assert not np.shares_memory(result.x, x)


BAD = {
    "nan in x": (lambda a: a["x"].__setitem__((2, 3), np.nan), "x holds NaN"),
    "infinity in hx": (lambda a: a["hx"].__setitem__((1, 1), np.inf), "hx holds NaN"),
    "nan in y": (lambda a: a["y"].__setitem__(1, np.nan), "y holds NaN"),
    "zero variance": (lambda a: a["r"].__setitem__(1, 0.0), "r is not positive"),
    "negative variance": (lambda a: a["r"].__setitem__(1, -1.0), "r is not positive"),
    "nan variance": (lambda a: a["r"].__setitem__(1, np.nan), "r holds NaN"),
    "members differ": (lambda a: a.update(hx=a["hx"][:, :5]), "hx has the wrong shape"),
    "observations differ": (lambda a: a.update(y=a["y"][:2]), "hx has the wrong shape"),
    "variances differ": (lambda a: a.update(r=a["r"][:2]), "r has the wrong shape"),
    "one member": (lambda a: a.update(x=a["x"][:, :1], hx=a["hx"][:, :1]), "at least 2 members"),
    "x a vector": (lambda a: a.update(x=a["x"][0]), "x has the wrong shape"),
    "words": (lambda a: a.update(y=["a", "b", "c", "d"]), "not an array of real numbers"),
    "complex": (lambda a: a.update(y=a["y"] * 1j), "not an array of real numbers"),
    "ragged": (lambda a: a.update(y=[[1], [2, 3]]), "not an array of real numbers"),
    "unknown order": (lambda a: a.update(order="fastest"), "unknown order"),
    "order too short": (lambda a: a.update(order=[0, 1]), "does not name every"),
    "order twice": (lambda a: a.update(order=[0, 1, 1, 2]), "twice"),
    "order outside": (lambda a: a.update(order=[0, 1, 2, 4]), "points outside"),
    "order of floats": (lambda a: a.update(order=[0.0, 1.0, 2.0, 3.0]), "not a list of positions"),
    "no threads": (lambda a: a.update(threads=0), "threads"),
    "threads a word": (lambda a: a.update(threads="two"), "threads"),
    "inflation": (lambda a: a.update(inflation=0.0), "inflation is out of range"),
    "rtpp": (lambda a: a.update(rtpp=1.5), "rtpp is out of range"),
    "rtps": (lambda a: a.update(rtps=-0.1), "rtps is out of range"),
    "gross": (lambda a: a.update(gross=0.0), "gross is out of range"),
    "huber": (lambda a: a.update(huber="strong"), "huber is out of range"),
    "precision": (lambda a: a.update(precision="half"), "unknown precision"),
    "localization": (lambda a: a.update(localization="gc"), "localization is of an unknown kind"),
    "weights shape": (lambda a: a.update(localization=(np.ones((7, 3)), np.ones((4, 4)))), "rho has the wrong shape"),
    "weights range": (lambda a: a.update(localization=(np.full((7, 4), 1.5), np.ones((4, 4)))), "outside [0, 1]"),
    "weights nan": (lambda a: a.update(localization=(np.full((7, 4), np.nan), np.ones((4, 4)))), "rho holds NaN"),
    "other parameters": (lambda a: a.update(localization=Localization([0.0], [0.0], *[np.zeros(4)] * 2)),
                         "another number of parameters"),
    "other observations": (lambda a: a.update(localization=Localization(*[np.zeros(7)] * 2, [0.0], [0.0])),
                           "another number of observations"),
    "block not square": (lambda a: a.update(r_blocks=[([0, 1], np.eye(3))]), "r_blocks[0] matrix has the wrong shape"),
    "block asymmetric": (lambda a: a.update(r_blocks=[([0, 1], [[1.0, 0.5], [0.4, 1.0]])]), "not symmetric"),
    "blocks overlap": (lambda a: a.update(r_blocks=[([0, 1], np.eye(2)), ([1, 2], np.eye(2))]), "shares observations"),
    "block no pair": (lambda a: a.update(r_blocks=[np.eye(2)[0:1]]), "is not a block"),
}


# Only the serial filter knows an order.
@pytest.mark.parametrize("analyse,name", [(method, name) for name in BAD for method in (ensrf, letkf)
                                          if method is ensrf or "order" not in name])
def test_bad_input_is_refused_with_its_name(analyse, problem, name):
    arguments = dict(zip(("x", "hx", "y", "r"), problem, strict=True), localization=None)
    spoil, message = BAD[name]
    spoil(arguments)
    positional = [arguments.pop(key) for key in ("x", "hx", "y", "r")]
    with pytest.raises(InputError) as caught:
        analyse(*positional, **arguments)
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


BAD_LOCALIZATION = [
    (dict(far_km=0.0), "far_km"), (dict(near_km=4000.0), "near_km"), (dict(p_value=0.0), "p_value"),
    (dict(p_value=1.0), "p_value"), (dict(taper="boxcar"), "unknown taper"), (dict(max_observations=0), "max_observations"),
    (dict(max_observations=2.5), "max_observations"), (dict(max_observations_by="luck"), "max_observations_by"),
    (dict(parameter_sign=np.full(7, 2)), "parameter_sign"), (dict(parameter_sign=np.ones(3)), "parameter_sign"),
    (dict(parameter_lat=np.full(7, 91.0)), "parameter_lat is no latitude"), (dict(observation_lon=np.full(4, np.nan)), "observation_lon"),
    (dict(observation_lat=np.zeros(3)), "observation_lat")]


@pytest.mark.parametrize("change,name", BAD_LOCALIZATION)
def test_a_localization_that_cannot_be_is_refused(change, name):
    with pytest.raises(InputError, match=name):
        Localization(**(PLACES | change))


def test_critical_correlations_of_the_paper():
    for members, expected in ((50, 0.2353), (80, 0.1852), (100, 0.1654), (150, 0.1348)):
        assert critical_correlation(0.05, members, two_sided=False) == pytest.approx(expected, abs=5e-5)
    assert critical_correlation(0.1, 50, two_sided=True) == pytest.approx(0.2353, abs=5e-5)
    assert critical_correlation(0.6, 50, two_sided=False) == 0.0, "the sign rule holds at every level"


def test_two_members_leave_no_degree_of_freedom(analyse, problem):
    x, hx, y, r = problem
    with pytest.raises(InputError, match="too few members"):
        analyse(x[:, :2], hx[:, :2], y, r, localization=Localization(**PLACES))


def test_zero_spread_is_no_update_and_counted(analyse, problem):
    x, hx, y, r = problem
    x[2], hx[1] = 0.1, 400.1
    result = analyse(x, hx, y, r, localization=None, inflation=1.2, rtps=0.5)
    assert np.array_equal(result.x[2], x[2]) and np.array_equal(result.hx[1], hx[1])
    assert (result.n_zero_spread, result.n_zero_spread_observations) == (1, 1)
    without = analyse(x, hx[[0, 2, 3]], y[[0, 2, 3]], r[[0, 2, 3]], localization=None, inflation=1.2, rtps=0.5)
    np.testing.assert_allclose(result.x, without.x, rtol=0, atol=1e-13)


def test_one_observation_without_spread_leaves_the_prior(analyse, problem):
    x, _, y, r = problem
    result = analyse(x, np.full((1, 12), 400.0), y[:1], r[:1], localization=None)
    assert np.array_equal(result.x, x) and result.n_zero_spread_observations == 1


@pytest.mark.parametrize("flat", ["x", "hx", "both"])
def test_no_spread_anywhere_is_an_error(analyse, problem, flat):
    x, hx, y, r = problem
    if flat != "hx":
        x = np.full_like(x, 1.1)
    if flat != "x":
        hx = np.full_like(hx, 400.1)
    with pytest.raises(AnalysisError, match="spread") as caught:
        analyse(x, hx, y, r, localization=None)
    assert caught.value.exit_code == 1 and isinstance(caught.value, GcasError)


def test_a_singular_error_covariance_is_an_error(analyse, problem):
    with pytest.raises(AnalysisError, match="positive definite"):
        analyse(*problem, localization=None, r_blocks=[([0, 1], [[1.0, 1.0], [1.0, 1.0]])])


def test_gross_errors_are_left_out_and_counted(analyse, problem):
    x, hx, y, r = problem
    y[2] = hx[2].mean() + 10 * np.sqrt(hx[2].var(ddof=1) + r[2])
    result = analyse(x, hx, y, r, localization=None, gross=5.0)
    assert result.n_gross_rejected == 1 and result.gross_rejected[2] and 2 not in result.order
    keep = [0, 1, 3]
    without = analyse(x, hx[keep], y[keep], r[keep], localization=None)
    np.testing.assert_allclose(result.x, without.x, rtol=0, atol=1e-13)
    assert result.hx.shape == hx.shape and not np.allclose(result.hx[2], hx[2])


def test_huber_lowers_the_weight_of_what_is_far_off(analyse, problem):
    x, hx, y, r = problem
    spread = np.sqrt(hx.var(axis=1, ddof=1) + r)
    y[:] = hx.mean(axis=1) + spread * [0.5, 4.0, -1.0, 1.9]
    result = analyse(x, hx, y, r, localization=None, huber=2.0)
    np.testing.assert_allclose(result.huber_weight, [1.0, 0.5, 1.0, 1.0], rtol=1e-12)
    assert result.n_huber == 1
    by_hand = analyse(x, hx, y, r * [1.0, 2.0, 1.0, 1.0], localization=None)
    np.testing.assert_allclose(result.x, by_hand.x, rtol=0, atol=1e-12)


def test_inflation_multiplies_the_prior_perturbations(analyse, problem):
    x, hx, y, r = problem
    wide = [a.mean(axis=1, keepdims=True) + 1.3 * (a - a.mean(axis=1, keepdims=True)) for a in (x, hx)]
    np.testing.assert_allclose(analyse(x, hx, y, r, localization=None, inflation=1.3).x,
                               analyse(*wide, y, r, localization=None).x, rtol=0, atol=1e-12)


def test_relaxation_to_prior(analyse, problem):
    x, hx, y, r = problem
    plain = analyse(x, hx, y, r, localization=None)
    full = analyse(x, hx, y, r, localization=None, rtpp=1.0)
    np.testing.assert_allclose(full.x - full.mean[:, None], x - x.mean(axis=1, keepdims=True), rtol=0, atol=1e-13)
    np.testing.assert_allclose(full.mean, plain.mean, rtol=0, atol=1e-14)
    spread = analyse(x, hx, y, r, localization=None, rtps=1.0)
    np.testing.assert_allclose(spread.x.std(axis=1), x.std(axis=1), rtol=1e-12)


def test_a_block_of_observations_is_judged_as_one(analyse):
    """Two observations that cancel in the mean: the block's mean does not correlate, so neither may update."""
    rng = np.random.default_rng(1)
    signal, noise = rng.standard_normal((2, 50))
    x = signal[None, :] + 1.0
    hx = np.stack([noise + signal, noise - signal])
    places = dict(parameter_lon=[0.0], parameter_lat=[0.0], observation_lon=[9.0, 11.0], observation_lat=[0.0, 0.0])
    correlation = np.corrcoef(x[0], hx.mean(axis=0))[0, 1]
    result = analyse(x, hx, [1.0, 1.0], [1.0, 1.0], localization=Localization(**places), r_blocks=[([0, 1], np.eye(2))])
    assert abs(correlation) < 0.2353 and result.n_local[0] == 0
    alone = analyse(x, hx, [1.0, 1.0], [1.0, 1.0], localization=Localization(**places))
    assert alone.n_local[0] == 1


@pytest.mark.parametrize("place", [(180.0, 0.0), (-180.0, 0.0), (540.0, 0.0), (0.0, 90.0), (123.0, 90.0), (77.0, -90.0)])
def test_places_at_the_date_line_and_at_the_poles(analyse, place):
    rng = np.random.default_rng(2)
    x = rng.standard_normal((1, 20))
    near = (place[0] + 179.0, np.sign(place[1]) * 88.0) if place[1] else (-179.0, 1.0)
    localization = Localization([near[0]], [near[1]], [place[0]], [place[1]], p_value=None, sign=False)
    result = analyse(x, x + 1.0, [2.0], [1.0], localization=localization)
    assert result.n_local[0] == 1 and result.x.var() < x.var()


def test_parameters_may_be_absent_and_simulated_values_still_come(analyse, problem):
    x, hx, y, r = problem
    result = analyse(np.zeros((0, 12)), hx, y, r, localization=None)
    full = analyse(x, hx, y, r, localization=None)
    assert result.x.shape == (0, 12) and np.array_equal(result.hx, full.hx)


def test_diagnostics_against_their_definitions(problem):
    x, hx, y, r = problem
    result = ensrf(x, hx, y, r, localization=None)
    prior = np.cov(hx)
    innovation = y - hx.mean(axis=1)
    assert result.chi2 == pytest.approx(innovation @ np.linalg.solve(prior + np.diag(r), innovation) / 4, rel=1e-10)
    assert result.dfs == pytest.approx(np.trace(prior @ np.linalg.inv(prior + np.diag(r))), rel=1e-10)
    assert result.rejected_share == 0.0 and result.n_pairs == 28 and (result.n_local == 4).all()


def test_diagnostics_of_the_letkf_against_their_definitions(problem):
    x, hx, y, r = problem
    result = letkf(x, hx, y, r, localization=None, inflation=1.2)
    prior = 1.44 * np.cov(hx)
    innovation = y - hx.mean(axis=1)
    assert result.chi2 == pytest.approx(np.mean(innovation**2 / (np.diag(prior) + r)), rel=1e-12)
    assert result.dfs == pytest.approx(np.trace(prior @ np.linalg.inv(prior + np.diag(r))), rel=1e-10)
    assert result.rejected_share == 0.0 and result.n_pairs == 28 and (result.n_local == 4).all()
    assert np.array_equal(result.order, np.arange(4))


@pytest.mark.parametrize("variance", [1e-20, 1e-300, 5e-324])
def test_observations_too_precise_for_a_transform_are_an_error(problem, variance):
    x, hx, y, _ = problem
    for localization in (None, Localization(**PLACES)):
        with pytest.raises(AnalysisError, match="too precise"):
            letkf(x, hx, y, np.full(4, variance), localization=localization)


def test_the_letkf_takes_no_order(problem):
    with pytest.raises(TypeError, match="order"):
        letkf(*problem, localization=None, order="given")


def test_parameter_sign_turns_the_rule(analyse):
    rng = np.random.default_rng(3)
    h = rng.standard_normal((1, 40))
    x = np.vstack([h, -h, -h, h, -h]) + 0.1 * rng.standard_normal((5, 40))
    places = dict(parameter_lon=np.zeros(5), parameter_lat=np.zeros(5), observation_lon=[1.0], observation_lat=[0.0])
    result = analyse(x, h, [1.0], [1.0], localization=Localization(**places, parameter_sign=[1, 1, -1, -1, 0]))
    assert result.n_local.tolist() == [1, 0, 1, 0, 1]
    assert result.rejected_share == pytest.approx(0.4)
    everything = analyse(x, h, [1.0], [1.0], localization=Localization(**places, sign=False))
    assert everything.n_local.tolist() == [1] * 5
