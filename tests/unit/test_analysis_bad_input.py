"""Arguments that cannot be used, numbers at the end of their range, memory that overlaps: a named error, or the documented result.

`test_analysis_face` holds the ordinary refusals; here stand the odd ones, and a fuzz of whole calls that must never end the process.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gcas_driver.analysis import Localization, critical_correlation, ensrf, letkf
from gcas_driver.errors import AnalysisError, GcasError, InputError
from gcas_driver.observations.operator import super_observe, xco2_operator

HERE = Path(__file__).parent
N, P, MEMBERS = 7, 4, 12
RAGGED = [[1], [2, 3]]


@pytest.fixture(params=[ensrf, letkf], ids=lambda method: method.__name__)
def analyse(request):
    """Both filters: they share the door."""
    return request.param


def problem(seed=0, n=N, p=P, members=MEMBERS):
    """Parameters, simulated values, observations, variances."""
    rng = np.random.default_rng(seed)
    x = 1 + 0.5 * rng.standard_normal((n, members))
    hx = 400 + rng.standard_normal((p, n)) @ x / np.sqrt(max(n, 1)) + 0.1 * rng.standard_normal((p, members))
    return x, hx, 401 + rng.standard_normal(p), np.full(p, 0.5)


def places(n=N, p=P, **rule):
    """A localization of all pairs by the paper's rule, within 3000 km."""
    return Localization(np.arange(float(n)), np.zeros(n), np.arange(float(p)), np.zeros(p), **rule)


def set_mask(array):
    """The array with one value masked."""
    return np.ma.masked_array(array, mask=np.arange(array.size).reshape(array.shape) == 1)


BAD = {
    "masked value": (lambda a: a.update(x=set_mask(a["x"])), "x holds NaN"),
    "masked integer": (lambda a: a.update(y=set_mask(np.arange(4))), "y holds NaN"),
    "masked words": (lambda a: a.update(y=np.ma.array(["a", "b", "c", "d"], mask=[1, 0, 0, 0])), "y is not an array of real numbers"),
    "masked complex": (lambda a: a.update(y=np.ma.array(np.ones(4) * 1j)), "y is not an array of real numbers"),
    "objects": (lambda a: a.update(x=a["x"].astype(object)), "x is not an array of real numbers"),
    "none": (lambda a: a.update(hx=None), "hx is not an array of real numbers"),
    "dates": (lambda a: a.update(y=np.zeros(4, "datetime64[s]")), "y is not an array of real numbers"),
    "records": (lambda a: a.update(r=np.zeros(4, [("a", float)])), "r is not an array of real numbers"),
    "a set": (lambda a: a.update(y={1.0, 2.0}), "y is not an array of real numbers"),
    "a number": (lambda a: a.update(y=1.0), "y has the wrong shape"),
    "a column": (lambda a: a.update(y=a["y"][:, None]), "y has the wrong shape"),
    "nothing": (lambda a: a.update(x=[]), "x has the wrong shape"),
    "no members": (lambda a: a.update(x=np.zeros((7, 0)), hx=np.zeros((4, 0))), "at least 2 members"),
    "infinite variance": (lambda a: a["r"].__setitem__(1, np.inf), "r holds NaN or infinity"),
    "variances too large": (lambda a: a.update(r=np.full(4, 1.7e308)), "r holds variances whose sums overflow"),
    "too large": (lambda a: a["x"].__setitem__((2, 3), 1e200), "x holds numbers whose squares overflow"),
    "too large hx": (lambda a: a["hx"].__setitem__((2, 3), -1e160), "hx holds numbers whose squares overflow"),
    "too large y": (lambda a: a["y"].__setitem__(2, 1e300), "y holds numbers whose squares overflow"),
    "order ragged": (lambda a: a.update(order=RAGGED), "order is not a list of positions"),
    "order of true and false": (lambda a: a.update(order=[True, False, True, True]), "order is not a list of positions"),
    "order masked": (lambda a: a.update(order=np.ma.array([0, 1, 2, 3], mask=[0, 0, 1, 0])), "order is not a list of positions"),
    "order none": (lambda a: a.update(order=None), "order is not a list of positions"),
    "order square": (lambda a: a.update(order=[[0, 1], [2, 3]]), "order is not a list of positions"),
    "order negative": (lambda a: a.update(order=[0, 1, 2, -1]), "order points outside"),
    "order empty": (lambda a: a.update(order=[]), "order does not name every observation"),
    "threads negative": (lambda a: a.update(threads=-1), "threads"),
    "threads half": (lambda a: a.update(threads=1.5), "threads"),
    "threads true": (lambda a: a.update(threads=True), "threads"),
    "inflation nan": (lambda a: a.update(inflation=np.nan), "inflation is out of range"),
    "inflation infinite": (lambda a: a.update(inflation=np.inf), "inflation is out of range"),
    "inflation beyond numbers": (lambda a: a.update(inflation=10**400), "inflation is out of range"),
    "inflation a text": (lambda a: a.update(inflation="1.1"), "inflation is out of range"),
    "inflation an array": (lambda a: a.update(inflation=np.array([1.0, 1.1])), "inflation is out of range"),
    "inflation complex": (lambda a: a.update(inflation=1 + 0j), "inflation is out of range"),
    "rtpp true": (lambda a: a.update(rtpp=True), "rtpp is out of range"),
    "rtps nan": (lambda a: a.update(rtps=np.nan), "rtps is out of range"),
    "gross negative": (lambda a: a.update(gross=-1.0), "gross is out of range"),
    "gross ragged": (lambda a: a.update(gross=RAGGED), "gross is out of range"),
    "huber zero": (lambda a: a.update(huber=0), "huber is out of range"),
    "precision an array": (lambda a: a.update(precision=np.array(["double", "single"])), "unknown precision"),
    "precision a typo": (lambda a: a.update(precision="Single"), "unknown precision"),
    "precision none": (lambda a: a.update(precision=None), "unknown precision"),
    "overwrite a word": (lambda a: a.update(overwrite_x="yes"), "overwrite_x is neither True nor False"),
    "overwrite an array": (lambda a: a.update(overwrite_x=np.zeros(2, bool)), "overwrite_x is neither True nor False"),
    "localization one array": (lambda a: a.update(localization=(np.ones((7, 4)),)), "localization is of an unknown kind"),
    "localization the class": (lambda a: a.update(localization=Localization), "localization is of an unknown kind"),
    "weights negative": (lambda a: a.update(localization=(np.ones((7, 4)), np.full((4, 4), -0.1))), "rho_obs holds values outside"),
    "weights transposed": (lambda a: a.update(localization=(np.ones((4, 7)), np.ones((4, 4)))), "rho has the wrong shape"),
    "weights none": (lambda a: a.update(localization=(None, None)), "rho is not an array of real numbers"),
    "blocks a number": (lambda a: a.update(r_blocks=5), "r_blocks is no sequence"),
    "blocks a mapping": (lambda a: a.update(r_blocks={0: np.eye(2)}), "r_blocks is no sequence"),
    "block three things": (lambda a: a.update(r_blocks=[([0], [[1.0]], 3)]), "is not a block"),
    "block outside": (lambda a: a.update(r_blocks=[([0, 4], np.eye(2))]), "r_blocks[0] index points outside"),
    "block twice": (lambda a: a.update(r_blocks=[([1, 1], np.eye(2))]), "r_blocks[0] index names an observation twice"),
    "block ragged": (lambda a: a.update(r_blocks=[(RAGGED, np.eye(2))]), "r_blocks[0] index is not a list"),
    "block nan": (lambda a: a.update(r_blocks=[([0, 1], np.full((2, 2), np.nan))]), "r_blocks[0] matrix holds NaN"),
    "block complex": (lambda a: a.update(r_blocks=[([0, 1], np.eye(2) * 1j)]), "r_blocks[0] matrix is not an array"),
    "block asymmetric where small": (lambda a: a.update(r_blocks=[([0, 1], [[1e-8, 1e-12], [0.0, 1e-8]])]), "not symmetric"),
}


@pytest.mark.parametrize("method,name", [(method, name) for name in BAD for method in (ensrf, letkf)
                                         if method is ensrf or "order" not in name])
def test_odd_arguments_are_refused_with_their_name(method, name):
    arguments = dict(zip(("x", "hx", "y", "r"), problem(), strict=True), localization=None)
    spoil, message = BAD[name]
    spoil(arguments)
    positional = [arguments.pop(key) for key in ("x", "hx", "y", "r")]
    with pytest.raises(InputError) as caught:
        method(*positional, **arguments)
    assert message in str(caught.value) and "expected" in str(caught.value)


NOT_DEFINITE = {
    "singular": [[1.0, 1.0], [1.0, 1.0]], "indefinite": [[1.0, 2.0], [2.0, 1.0]], "zero": [[0.0, 0.0], [0.0, 0.0]],
    "negative": [[-1.0, 0.0], [0.0, 1.0]]}


@pytest.mark.parametrize("matrix", NOT_DEFINITE.values(), ids=NOT_DEFINITE)
def test_a_covariance_that_is_none_is_an_error(analyse, matrix):
    with pytest.raises(AnalysisError, match="positive definite"):
        analyse(*problem(), localization=None, r_blocks=[([0, 1], matrix)])


BAD_LOCALIZATION = [
    (dict(sign="no"), "sign is neither"), (dict(sign=np.array([True, False])), "sign is neither"), (dict(sign=None), "sign is neither"),
    (dict(taper=np.array(["a", "b"])), "unknown taper"), (dict(taper=True), "unknown taper"),
    (dict(max_observations_by=["nearest"]), "unknown max_observations_by"), (dict(max_observations=True), "max_observations"),
    (dict(far_km=np.nan), "far_km"), (dict(far_km="3000"), "far_km"), (dict(far_km=RAGGED), "far_km"), (dict(far_km=[1.0, 2.0]), "far_km"),
    (dict(far_km=[3000.0, 0.0, 1.0, 1.0]), "far_km"), (dict(far_km=[3000.0, np.nan, 1.0, 1.0]), "far_km"),
    (dict(near_km=-1.0), "near_km"), (dict(near_km=None), "near_km"), (dict(near_km=[1.0, 1.0, 1.0, 4000.0]), "near_km"),
    (dict(p_value=np.nan), "p_value"), (dict(p_value="5 %"), "p_value"), (dict(p_value=True), "p_value"),
    (dict(parameter_sign=[1, 0, -1, 1, 0, -1, 0.5]), "parameter_sign"), (dict(parameter_sign="+"), "parameter_sign"),
    (dict(parameter_lon=RAGGED), "parameter_lon"), (dict(observation_lat=[np.inf, 0, 0, 0]), "observation_lat"),
    (dict(parameter_lon=0.0), "parameter_lon"), (dict(observation_lat=np.zeros(5)), "observation_lat")]


@pytest.mark.parametrize("change,name", BAD_LOCALIZATION, ids=[f"{name} {i}" for i, (_, name) in enumerate(BAD_LOCALIZATION)])
def test_an_odd_localization_is_refused(change, name):
    arguments = dict(parameter_lon=np.zeros(N), parameter_lat=np.zeros(N), observation_lon=np.zeros(P), observation_lat=np.zeros(P))
    with pytest.raises(InputError, match=name):
        Localization(**(arguments | change))


def test_a_localization_does_not_change_with_the_arrays_it_was_made_of(analyse):
    lon, lat = np.arange(float(P)), np.zeros(P)
    far = np.full(P, 3000.0)
    localization = Localization(np.arange(float(N)), np.zeros(N), lon, lat, far_km=far, p_value=None, sign=False)
    expected = analyse(*problem(), localization=localization)
    lon[:], lat[:], far[:] = np.nan, 1e9, -1.0
    assert np.array_equal(analyse(*problem(), localization=localization).x, expected.x)


def test_critical_correlations_at_the_ends():
    for members in (3, 4, 50, 10**6):
        for p_value in (1e-300, 1e-30, 1e-3, 0.5, 0.999999):
            for two_sided in (False, True):
                assert 0.0 <= critical_correlation(p_value, members, two_sided=two_sided) <= 1.0
    assert critical_correlation(1e-300, 3, two_sided=False) == pytest.approx(1.0)


def test_a_level_above_one_half_leaves_the_sign_rule(analyse):
    rng = np.random.default_rng(3)
    h = rng.standard_normal((1, 40))
    x = np.vstack([h, -h]) + 3.0 * rng.standard_normal((2, 40))
    far = Localization([0.0, 0.0], [0.0, 0.0], [10.0], [0.0], p_value=0.999)
    assert analyse(x, h, [1.0], [1.0], localization=far).n_local.tolist() == [1, 0]


def test_two_members_are_enough_without_a_test(analyse):
    x, hx, y, r = problem(members=2)
    for localization in (None, places(p_value=None), places(p_value=None, sign=False, taper="gaspari-cohn")):
        assert np.isfinite(analyse(x, hx, y, r, localization=localization).x).all()
    with pytest.raises(InputError, match="too few members"):
        analyse(x, hx, y, r, localization=places())


def test_more_threads_than_the_system_has_do_no_harm(analyse):
    expected = analyse(*problem(), localization=places(), threads=1)
    for threads in (1000, 10**9, 10**30, np.int64(5)):
        assert np.array_equal(analyse(*problem(), localization=places(), threads=threads).x, expected.x)


def test_a_limit_beyond_all_observations_is_no_limit(analyse):
    expected = analyse(*problem(), localization=places())
    assert np.array_equal(analyse(*problem(), localization=places(max_observations=10**30)).x, expected.x)


def test_no_parameters_and_no_observations(analyse):
    for localization in (None, Localization([], [], [], []), (np.zeros((0, 0)), np.zeros((0, 0)))):
        result = analyse(np.zeros((0, 5)), np.zeros((0, 5)), [], [], localization=localization, r_blocks=[])
        assert result.x.shape == (0, 5) and result.hx.shape == (0, 5) and result.rejected_share == 0.0
    if analyse is ensrf:
        assert ensrf(np.zeros((0, 5)), np.zeros((0, 5)), [], [], localization=None, order=[]).order.size == 0


def test_every_observation_rejected_leaves_the_prior(analyse):
    x, hx, y, r = problem()
    result = analyse(x, hx, y + 1e6, r, localization=places(), gross=3.0, inflation=1.5, rtps=0.5, r_blocks=[([0, 2], np.eye(2))])
    assert np.array_equal(result.x, x) and np.array_equal(result.hx, hx) and result.n_gross_rejected == P


def test_an_empty_block_is_none_and_a_block_of_one_is_its_variance(analyse):
    x, hx, y, r = problem()
    expected = analyse(x, hx, y, [0.5, 0.5, 2.0, 0.5], localization=places())
    result = analyse(x, hx, y, r, localization=places(), r_blocks=[([], np.zeros((0, 0))), ([2], [[2.0]])])
    assert np.array_equal(result.x, expected.x) and np.array_equal(result.hx, expected.hx)


def test_the_gross_check_of_a_block_takes_the_blocks_variances(analyse):
    x, hx, y, r = problem()
    y = hx.mean(axis=1) + [0.0, 8.0, 0.0, 0.0]
    wide = analyse(x, hx, y, r, localization=None, gross=3.0, r_blocks=[([0, 1], 100.0 * np.eye(2))])
    narrow = analyse(x, hx, y, np.full(P, 100.0), localization=None, gross=3.0, r_blocks=[([0, 1], 0.1 * np.eye(2))])
    assert wide.n_gross_rejected == 0 and narrow.gross_rejected.tolist() == [False, True, False, False]


def test_rounding_in_a_block_is_no_asymmetry(analyse):
    matrix = np.eye(3)
    matrix[0, 1], matrix[1, 0] = 1e-17, -1e-17
    analyse(*problem(), localization=None, r_blocks=[([0, 1, 2], matrix)])


@pytest.mark.parametrize("scale", [1e-140, 1e-100, 1e-20, 1e20, 1e100, 1e140])
def test_units_change_nothing_but_the_units(analyse, scale):
    """Parameters and observations in units far from 1: the posterior scales along."""
    x, hx, y, r = problem()
    for rule in (None, places(), places(taper="gaspari-cohn", sign=False)):
        expected = analyse(x, hx, y, r, localization=rule, rtps=0.2, gross=50.0, huber=1.0)
        result = analyse(scale * x, hx, y, r, localization=rule, rtps=0.2, gross=50.0, huber=1.0)
        np.testing.assert_allclose(result.x / scale, expected.x, rtol=0, atol=1e-12)
        result = analyse(x, scale * hx, scale * y, scale**2 * r, localization=rule, rtps=0.2, gross=50.0, huber=1.0)
        np.testing.assert_allclose(result.x, expected.x, rtol=0, atol=1e-11)


@pytest.mark.parametrize("scale", [1e-160, 1e-300, 1e-320])
def test_spread_whose_squares_underflow_counts_as_none(analyse, scale):
    x, hx, y, r = problem()
    x[2], hx[1] = scale * (x[2] - x[2].mean()), scale * (hx[1] - hx[1].mean())
    result = analyse(x, hx, y, r, localization=None, rtps=0.3)
    assert np.array_equal(result.x[2], x[2]) and np.array_equal(result.hx[1], hx[1])
    assert (result.n_zero_spread, result.n_zero_spread_observations) == (1, 1)


@pytest.mark.parametrize("variance", [5e-324, 1e-300, 1e300])
def test_variances_at_the_ends_of_numbers(variance):
    """Nearly perfect: the observation is taken as it is, also twice; of no weight: the prior's to rounding."""
    x, hx, y, _ = problem()
    hx[1], y[1] = hx[0], y[0]
    for rule in (None, places(p_value=None, sign=False)):
        result = ensrf(x, hx, y, np.full(P, variance), localization=rule)
        if variance < 1.0:
            np.testing.assert_allclose(result.hx.mean(axis=1), y, rtol=1e-10)
        else:
            np.testing.assert_allclose(result.x, x, rtol=0, atol=1e-13)
        assert all(np.isfinite(values).all() for values in (result.information, result.sensitivity, result.dfs, result.chi2))
    if variance > 1.0:
        np.testing.assert_allclose(letkf(x, hx, y, np.full(P, variance), localization=None).x, x, rtol=0, atol=1e-13)


def test_a_posterior_beyond_numbers_is_an_error(analyse):
    x, hx, y, r = problem()
    with pytest.raises((AnalysisError, InputError)):
        analyse(x * 1e149, hx, y, r, localization=None, inflation=1e149)
    with pytest.raises(AnalysisError, match="range of numbers"):  # the parameters alone
        analyse(x * 1e149, hx, y, r, localization=None, inflation=1e6)
    with pytest.raises(AnalysisError, match="range of numbers"):
        ensrf(x, hx * 1e140, y, r, localization=None, inflation=1e100)


@pytest.mark.parametrize("share", ["hx", "y", "r", "weights", "all of x"])
def test_arrays_in_the_memory_of_an_overwritten_x(analyse, share):
    """The posterior of x is written while hx, y, r or the weights are still needed."""
    x, _, y, r = problem(n=12, members=12)
    x = np.abs(x) % 0.9 + 0.05
    hx = (x[:P] + 0.1 * np.random.default_rng(1).standard_normal((P, 12))) if share != "hx" else x[:P].copy()
    rule = places(n=12, p_value=0.2)
    arguments = [hx, y, r]
    if share == "y":
        arguments[1] = x[0, :P].copy()
    if share == "r":
        arguments[2] = x[0, :P].copy()
    if share == "weights":
        rule = (np.ascontiguousarray(x[:, :P]), x[:P, :P].copy())
    if share == "all of x":
        arguments, rule = [x.copy(), x[:, 0].copy(), x[1].copy()], None
    expected = analyse(x.copy(), *arguments, localization=rule)
    memory = x.copy()
    if share == "hx":
        arguments[0] = memory[:P]
    if share == "y":
        arguments[1] = memory[0, :P]
    if share == "r":
        arguments[2] = memory[0, :P]
    if share == "weights":
        rule = (memory[:, :P], memory[:P, :P])
    if share == "all of x":
        arguments = [memory, memory[:, 0], memory[1]]
    result = analyse(memory, *arguments, localization=rule, overwrite_x=True)
    assert result.x is memory and np.array_equal(result.x, expected.x) and np.array_equal(result.hx, expected.hx)
    assert (result.chi2, result.dfs) == (expected.chi2, expected.dfs)


def test_weights_in_the_memory_of_x_when_they_fill_it(analyse):
    rng = np.random.default_rng(4)
    x = rng.uniform(0.1, 0.9, (6, 6))
    hx, y, r = x + 0.1 * rng.standard_normal((6, 6)), np.ones(6), np.ones(6)
    expected = analyse(x.copy(), hx, y, r, localization=(x.copy(), x.copy()))
    result = analyse(x, hx, y, r, localization=(x, x), overwrite_x=True)
    assert np.array_equal(result.x, expected.x) and np.array_equal(result.hx, expected.hx)


@pytest.mark.parametrize("make", [np.asfortranarray, lambda a: np.repeat(a, 2, axis=-1)[..., ::2], lambda a: a[::-1].copy()[::-1],
                                  lambda a: a.astype(np.float16), lambda a: a.astype(np.longdouble), lambda a: a.tolist(),
                                  np.ma.array],
                         ids=["fortran", "strided", "reversed", "half", "long", "list", "nothing masked"])
def test_any_memory_and_any_real_type(analyse, make):
    arrays = [a.astype(np.float16).astype(float) for a in problem()]
    for rule in (None, places()):
        expected = analyse(*arrays, localization=rule)
        result = analyse(*map(make, arrays), localization=rule)
        assert np.array_equal(result.x, expected.x) and type(result.x) is np.ndarray


@pytest.mark.parametrize("lon,lat", [(0.0, 90.0), (77.0, 90.0), (-180.0, -90.0),
                                     (180.0, 10.0), (-180.0, 10.0), (540.0, 10.0), (7380.0, 10.0)])
def test_places_that_are_the_same_count_as_the_same(analyse, lon, lat):
    """Poles have every longitude, the date line has two names; turns of 360 degrees do not matter."""
    x, hx, y, r = problem(p=1)
    other = {(0.0, 90.0): (123.0, 90.0), (77.0, 90.0): (-5.0, 90.0), (-180.0, -90.0): (3.0, -90.0)}.get((lon, lat), (lon - 720.0, lat))
    parameters = np.full(N, lon + 3.0), np.full(N, lat - np.sign(lat) * 2.0)
    results = [analyse(x, hx, y, r, localization=Localization(*parameters, [a], [b], p_value=None, sign=False, taper="gaspari-cohn"))
               for a, b in ((lon, lat), other)]
    assert (results[0].n_local == 1).all()
    np.testing.assert_allclose(results[0].x, results[1].x, rtol=0, atol=1e-11)


def columns(**changes):
    """One call of the operator on three soundings."""
    arguments = dict(profile=np.full((3, 2, 5), 4e-4), pressure=np.tile(np.arange(1.0, 6.0) * 1e4, (3, 1)),
                     retrieval_pressure=np.tile(np.arange(1.0, 5.0) * 1e4, (3, 1)), pressure_weight=np.full((3, 4), 0.25),
                     averaging_kernel=np.ones((3, 4)), prior_profile=np.full((3, 4), 4e-4), prior_xco2=np.full(3, 400.0))
    return xco2_operator(**(arguments | changes))


@pytest.mark.parametrize("change,message", [
    (dict(method=np.array(["linear", "layers"])), "unknown method"), (dict(method=None), "unknown method"),
    (dict(profile=np.full((3, 5), 4e-4)), "profile has the wrong shape"), (dict(profile=None), "profile is not an array"),
    (dict(profile=np.full((3, 2, 5), np.inf)), "profile holds NaN"),
    (dict(prior_xco2=set_mask(np.ones(3))), "prior_xco2 holds NaN"),
    (dict(pressure=np.full((3, 5), "a")), "pressure is not an array"),
    (dict(averaging_kernel=np.ones((3, 4)) * 1j), "averaging_kernel is not"),
    (dict(profile=np.zeros((3, 2, 0)), pressure=np.zeros((3, 0))), "without levels"), (dict(threads=0), "threads"),
    (dict(pressure=-np.tile(np.arange(1.0, 6.0)[::-1], (3, 1))), "pressure"),
    (dict(profile=np.full((3, 2, 5), 1e305), averaging_kernel=np.full((3, 4), 1e10)), "the simulated XCO2 holds NaN or infinity")])
def test_soundings_that_cannot_be_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        columns(**change)


def test_the_operator_takes_any_memory_and_many_threads():
    expected = columns()
    assert np.array_equal(columns(threads=10**9), expected)
    assert np.array_equal(columns(profile=np.full((3, 2, 5), 4e-4)[:, ::-1]), expected)
    np.testing.assert_allclose(columns(profile=np.full((3, 2, 5), 4e-4, np.float32)), expected, rtol=1e-6)


@pytest.mark.parametrize("change,message", [
    (dict(group=RAGGED), "one integer"), (dict(group=np.ma.array([0, 1], mask=[0, 1])), "one integer"), (dict(group=None), "one integer"),
    (dict(group=[0, 10**12]), "a group is empty"), (dict(error=[np.inf, 1.0]), "error holds NaN"), (dict(floor=np.inf), "floor"),
    (dict(floor="low"), "floor"), (dict(floor=RAGGED), "floor"), (dict(correlation=np.nan), "correlation"),
    (dict(value=[1.7e308, -1.7e308], group=[0, 0]), "the averaged value holds NaN or infinity")])
def test_super_observations_that_cannot_be_are_refused(change, message):
    arguments = dict(value=[1.0, 2.0], error=[1.0, 1.0], hx=np.zeros((2, 3)), group=[0, 1]) | change
    with pytest.raises(InputError, match=message):
        super_observe(**arguments)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_super_observations_of_any_size_of_error(scale):
    group = [0, 0, 1]
    value, error, hx = super_observe([400.0, 402.0, 410.0], [1.0, 2.0, 3.0], np.ones((3, 2)), group)
    same, scaled, _ = super_observe([400.0, 402.0, 410.0], scale * np.array([1.0, 2.0, 3.0]), np.ones((3, 2)), group)
    assert np.array_equal(same, value)
    np.testing.assert_allclose(scaled / scale, error, rtol=1e-15)


def test_hundreds_of_random_calls_end_in_results_or_named_errors():
    """In a process of its own, so that a crash is seen as one."""
    done = subprocess.run([sys.executable, HERE / "fuzz_analysis.py", "600"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    results, refusals = map(int, done.stdout.split())
    assert results > 100 and refusals > 100


def test_errors_are_of_one_family():
    assert issubclass(InputError, GcasError) and issubclass(AnalysisError, GcasError)
