"""Parameters without spread, such as factors of cells whose prior flux is zero: they take no part in an analysis and change nothing of it.

Whatever share of them is passed, wherever they stand: everything else is, to the bit, what an analysis without them gives.
"""

import numpy as np
import pytest
import reference_analysis as reference
from analysis_problems import random_problem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcas_driver.analysis import Localization, ensrf, letkf
from gcas_driver.errors import InputError

METHODS = {"ensrf": ensrf, "letkf": letkf}
RULE = dict(near_km=1500.0, far_km=5000.0, p_value=0.1, sign=True, taper=None, max_observations=None, max_observations_by="nearest")
RULES = {
    "none": None, "weights": "weights", "bands": {}, "taper": dict(p_value=None, sign=False, taper="gaspari-cohn"),
    "distance": dict(p_value=None, sign=False), "unsigned": dict(sign=False), "nearest": dict(p_value=None, sign=False, max_observations=7),
    "correlated": dict(max_observations=5, max_observations_by="correlated")}
COUNTS = ("n_pairs", "n_accepted", "n_zero_spread_observations", "n_transforms", "chi2", "dfs", "inflation", "rejected_share")
OF_OBSERVATIONS = ("hx", "order", "assimilated", "gross_rejected", "huber_weight", "prior_variance", "error_variance", "sensitivity",
                   "information")


def mask_of(rng, n, share, pattern):
    """Which of `n` parameters have no spread: about `share` of them, at random or in one piece, though never all."""
    masked = rng.uniform(size=n) < share if pattern == "scattered" else np.roll(np.arange(n) < round(share * n), rng.integers(n))
    masked[rng.integers(n)] = False
    return masked


def masked_problem(seed, n, p, members, share, pattern):
    """Members whose masked rows are equal numbers of any size, observations, places of two components a cell, and the mask."""
    rng, x, hx, y, r = random_problem(seed, n=n, p=p, members=members)
    cells = -(-n // 2)
    lon, lat = (np.tile(values, 2)[:n] for values in (rng.uniform(-180, 180, cells), rng.uniform(-90, 90, cells)))
    masked = mask_of(rng, n, share, pattern)
    x[masked] = (rng.choice([0.0, 1.0, 0.1, -3e7, 1e-9], masked.sum()))[:, None]
    return rng, x, (hx, y, r), (lon, lat, rng.uniform(-180, 180, p), rng.uniform(-90, 90, p)), masked


def words_of(rng, rule, places, n, p):
    """The reference's words for a localization."""
    if rule is None:
        return {}
    if rule == "weights":
        return dict(weights_given=tuple(rng.uniform(0, 1, (k, p)) * (rng.uniform(size=(k, p)) < 0.6) for k in (n, p)))
    sign = rng.integers(-1, 2, n) if (RULE | rule)["sign"] and rng.uniform() < 0.5 else None
    return dict(places=places, rule=RULE | dict(parameter_sign=sign) | rule)


def localization_of(words, chosen):
    """The core's localization of the chosen parameters."""
    if "weights_given" in words:
        return words["weights_given"][0][chosen], words["weights_given"][1]
    if not words:
        return None
    lon, lat, *observations = words["places"]
    sign = words["rule"]["parameter_sign"]
    rule = words["rule"] | dict(parameter_sign=None if sign is None else sign[chosen])
    return Localization(lon[chosen], lat[chosen], *observations, **rule)


def assert_masked_changes_nothing(method, x, observed, words, masked, **options):
    """Compare the analysis of all parameters with that of those that have spread, bit by bit; returns the former."""
    everything, active = np.ones(masked.size, bool), ~masked
    full, few = (METHODS[method](x[chosen], *observed, localization=localization_of(words, chosen), **options)
                 for chosen in (everything, active))
    assert np.array_equal(full.x[masked], x[masked])
    assert np.array_equal(full.mean[masked], x[masked, 0])
    assert not full.n_local[masked].any()
    for name in ("x", "mean", "n_local"):
        assert np.array_equal(getattr(full, name)[active], getattr(few, name)), name
    for name in OF_OBSERVATIONS:
        assert np.array_equal(getattr(full, name), getattr(few, name), equal_nan=True), name
    for name in COUNTS:
        np.testing.assert_array_equal(getattr(full, name), getattr(few, name), err_msg=name)
    assert (full.n_zero_spread, few.n_zero_spread) == (masked.sum(), 0)
    return full


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 90), p=st.integers(1, 40), members=st.integers(3, 25),
       share=st.floats(0.0, 1.0), pattern=st.sampled_from(["scattered", "in one piece"]), rule=st.sampled_from(list(RULES)),
       inflation=st.sampled_from([1.0, 0.7, 1.3]), rtpp=st.sampled_from([0.0, 0.4, 1.0]), rtps=st.sampled_from([0.0, 0.6, 1.0]),
       threads=st.integers(1, 3), precision=st.sampled_from(["double", "double", "single"]))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_mask_changes_nothing(method, seed, n, p, members, share, pattern, rule, inflation, rtpp, rtps, threads, precision):
    """And what is not masked agrees with the NumPy reference."""
    rng, x, observed, places, masked = masked_problem(seed, n, p, members, share, pattern)
    words = words_of(rng, RULES[rule], places, n, p)
    relaxed = dict(inflation=inflation, rtpp=rtpp, rtps=rtps)
    result = assert_masked_changes_nothing(method, x, observed, words, masked, threads=threads, precision=precision, **relaxed)
    expected, _, counts = reference.solve(method, x, *observed, **words, **relaxed)
    scale = inflation * max(x.std(axis=1, ddof=1).max(), observed[0].std(axis=1, ddof=1).max())
    tolerance = 1e-12 if precision == "double" else 2e-5
    np.testing.assert_allclose(result.x[~masked], expected[~masked], rtol=0, atol=tolerance * scale)
    assert np.array_equal(result.n_local, counts["n_local"])
    assert (result.n_pairs, result.n_accepted, result.n_zero_spread) == (counts["n_pairs"], counts["n_local"].sum(), masked.sum())


@pytest.mark.parametrize("pattern", ["scattered", "in one piece"])
@pytest.mark.parametrize("share", [0.02, 0.7, 0.999])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("method", METHODS)
def test_masks_over_many_blocks_and_chunks(method, rule, share, pattern):
    """More parameters than share a list of candidates, more observations than a chunk."""
    rng, x, observed, places, masked = masked_problem(11, 1500, 150, 12, share, pattern)
    words = words_of(rng, RULES[rule], places, 1500, 150)
    results = [assert_masked_changes_nothing(method, x, observed, words, masked, threads=threads, inflation=1.1, rtpp=0.2, gross=3.0,
                                             overwrite_x=False) for threads in (1, 2, 3)]
    for other in results[1:]:
        assert np.array_equal(other.x, results[0].x) and np.array_equal(other.mean, results[0].mean)


@pytest.mark.parametrize("pattern", ["scattered", "in one piece"])
@pytest.mark.parametrize("taper", [None, "gaspari-cohn"])
def test_interpolated_transforms_are_made_for_the_others_only(taper, pattern):
    rng, x, observed, places, masked = masked_problem(12, 900, 60, 10, 0.7, pattern)
    words = words_of(rng, dict(p_value=None, sign=False, taper=taper, far_km=4000.0), places, 900, 60)
    for threads in (1, 2):
        assert_masked_changes_nothing("letkf", x, observed, words, masked, interpolation_km=800.0, inflation=1.2, rtps=0.5, threads=threads)


@pytest.mark.parametrize("method", METHODS)
def test_the_prior_is_overwritten_by_itself(method):
    """With `overwrite_x` the posterior takes the prior's memory; masked rows stay where and what they are."""
    rng, x, observed, places, masked = masked_problem(13, 200, 20, 15, 0.5, "scattered")
    words = words_of(rng, {}, places, 200, 20)
    expected = METHODS[method](x, *observed, localization=localization_of(words, slice(None)))
    given = x.copy()
    result = METHODS[method](given, *observed, localization=localization_of(words, slice(None)), overwrite_x=True)
    assert result.x is given and np.array_equal(given, expected.x) and np.array_equal(given[masked], x[masked])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("departures", [(0, 1, -1, 0, 0, 0), (0, 0, 0, 0, 0, 1e-9), (0, 0, 0, 0, 0, -1e-9)])
def test_spread_in_any_member_is_spread(method, departures):
    """Also where the first members are all at the mean, or all but one are alike."""
    _, _, hx, y, r = random_problem(15, n=3, p=4, members=6)
    x = 1.0 + np.array([departures, departures, np.zeros(6)])
    result = METHODS[method](x, hx, y, r, localization=None)
    assert result.n_zero_spread == 1 and result.n_local.tolist() == [4, 4, 0]
    expected, _, _ = reference.solve(method, x, hx, y, r)
    np.testing.assert_allclose(result.x[:2], expected[:2], rtol=0, atol=2e-15)
    assert not np.array_equal(result.x[0], x[0])


@pytest.mark.parametrize("method", METHODS)
def test_a_masked_parameter_that_is_no_number_is_still_refused(method):
    rng, x, observed, places, masked = masked_problem(14, 50, 10, 8, 0.5, "scattered")
    row = np.flatnonzero(masked)[-1]
    x[row] = np.nan
    with pytest.raises(InputError, match=rf"{row}, 0.*x holds NaN"):
        METHODS[method](x, *observed, localization=None)
