"""Every option of both filters, alone and combined, against the NumPy reference on random problems.

The reference (`tests/reference_analysis.py`) uses dense weights, full error matrices and one observation or parameter at a time.
Differences are measured in units of the prior's largest standard deviation.
"""

import numpy as np
import pytest
import reference_analysis as reference
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcas_driver.analysis import Localization, ensrf, letkf

TOLERANCE = 1e-12
# Perturbations of the second phase in single precision; transforms to 1e-8, both with the observations' amplification.
TOLERANCE_SINGLE = {"ensrf": 2e-5, "letkf": 1e-7}
METHODS = {"ensrf": ensrf, "letkf": letkf}
RULE = dict(near_km=1500.0, far_km=6000.0, p_value=0.1, sign=True, parameter_sign=None, taper=None, max_observations=None,
            max_observations_by="nearest")


def problem(seed, n=24, p=18, members=16, components=2, duplicates=True, flat=False, masked=0.0):
    """Correlated parameters and simulated values on the whole sphere, with equal places, and innovations up to 3 sd and more.

    `flat`: one parameter and one observation have no spread; `masked`: about such a share of the parameters, though not all.
    """
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((4, members))
    x = 1 + 0.5 * rng.standard_normal((n, 4)) @ common + 0.3 * rng.standard_normal((n, members))
    hx = 2 + 0.5 * rng.standard_normal((p, 4)) @ common + 0.2 * rng.standard_normal((p, members))
    r = rng.uniform(0.2, 2.0, p)
    y = hx.mean(axis=1) + rng.standard_t(3, p) * np.sqrt(hx.var(axis=1) + r)
    n_cells = -(-n // components)
    lon, lat = (np.tile(v, components)[:n] for v in (rng.uniform(-180, 180, n_cells), rng.uniform(-90, 90, n_cells)))
    olon, olat = rng.uniform(-180, 360, p), rng.uniform(-90, 90, p)
    if duplicates and p > 3:
        olon[1], olat[1], hx[1] = olon[0], olat[0], hx[0]
        lon[0], lat[0] = olon[2], olat[2]
    if flat and n > 2 and p > 4:
        x[n // 2], hx[4] = 1.0, 2.0
    if masked:
        x[1:][rng.uniform(size=n - 1) < masked] = 0.7
    return rng, x, hx, y, r, (lon, lat, olon, olat)


def random_blocks(rng, p):
    """Up to three blocks of one to five observations with correlated errors."""
    free, blocks = rng.permutation(p), []
    for size in rng.integers(1, 6, rng.integers(1, 4)):
        index, free = free[:size], free[size:]
        root = rng.standard_normal((index.size, index.size))
        if index.size:
            blocks.append((index, root @ root.T + rng.uniform(0.3, 2.0) * np.eye(index.size)))
    return blocks


def compare(method, x, hx, y, r, *, localization, tolerance=TOLERANCE, case=None, **options):
    """Assert that the core gives what the reference gives; `localization` are the reference's words for it."""
    if method == "letkf":
        options.pop("order", None)  # it knows none
    expected_x, expected_hx, counts = reference.solve(method, x, hx, y, r, **localization, **options)
    if "places" in localization:
        core = Localization(*localization["places"], **localization["rule"])
    else:
        core = localization.get("weights_given")
    result = METHODS[method](x, hx, y, r, localization=core, threads=1, **options, **(case or {}))
    scale = max(x.std(axis=1, ddof=1).max(), hx.std(axis=1, ddof=1).max()) * options.get("inflation", 1.0)
    np.testing.assert_allclose(result.x, expected_x, rtol=0, atol=tolerance * scale)
    np.testing.assert_allclose(result.hx, expected_hx, rtol=0, atol=tolerance * scale)
    np.testing.assert_allclose(result.mean, expected_x.mean(axis=1), rtol=0, atol=tolerance * scale)
    assert np.array_equal(result.gross_rejected, counts["gross_rejected"])
    np.testing.assert_allclose(result.huber_weight, counts["huber_weight"], rtol=1e-12)
    assert np.array_equal(result.n_local, counts["n_local"]) and result.n_accepted == counts["n_local"].sum()
    assert (result.n_pairs, result.n_zero_spread) == (counts["n_pairs"], counts["n_zero_spread"])
    if method == "ensrf":
        assert np.array_equal(result.order, counts["order"])
    return result


OPTIONS = {
    "plain": {}, "inflation": dict(inflation=1.3), "deflation": dict(inflation=0.8), "rtpp": dict(rtpp=0.4), "rtps": dict(rtps=0.7),
    "relaxed twice": dict(inflation=1.1, rtpp=0.3, rtps=0.5), "gross": dict(gross=1.0), "huber": dict(huber=0.7),
    "gross and huber": dict(gross=2.0, huber=0.5), "blocks": dict(r_blocks="random"),
    "blocks, gross, huber": dict(r_blocks="random", gross=1.2, huber=0.6, inflation=1.2, rtps=0.4),
    "greedy": dict(order="greedy"), "order": dict(order="random"), "greedy blocks": dict(order="greedy", r_blocks="random", gross=1.5)}
RULES = {
    "none": None, "weights": "weights", "paper": {}, "taper": dict(taper="gaspari-cohn"), "distance": dict(p_value=None, sign=False),
    "taper alone": dict(p_value=None, sign=False, taper="gaspari-cohn"), "two-sided": dict(sign=False), "no test": dict(p_value=None),
    "signs": dict(parameter_sign="random"), "nearest": dict(max_observations=3), "global": dict(far_km=30000.0),
    "correlated": dict(max_observations=2, max_observations_by="correlated"),
    "best correlated of all": dict(p_value=None, sign=False, max_observations=4, max_observations_by="correlated", far_km=12000.0),
    "own radii": dict(near_km="random", taper="gaspari-cohn"), "strict": dict(p_value=0.001, near_km=0.0)}


def prepared(rng, x, y, places, rule, options):
    """The words for localization and options, with what is random drawn."""
    options = dict(options)
    if options.get("r_blocks") == "random":
        options["r_blocks"] = random_blocks(rng, y.size)
    if isinstance(options.get("order"), str) and options["order"] == "random":
        options["order"] = rng.permutation(y.size)
    if rule is None:
        return dict(), options
    if rule == "weights":
        rho, rho_obs = (rng.uniform(0, 1, (n, y.size)) * (rng.uniform(size=(n, y.size)) < 0.6) for n in (x.shape[0], y.size))
        return dict(weights_given=(rho, rho_obs)), options
    rule = RULE | rule
    if isinstance(rule["parameter_sign"], str):
        rule["parameter_sign"] = rng.integers(-1, 2, x.shape[0])
    if isinstance(rule["near_km"], str):
        rule["near_km"], rule["far_km"] = np.sort(rng.uniform(0.0, 9000.0, (2, y.size)), axis=0)
    return dict(places=places, rule=rule), options


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_each_option_with_each_localization(method, rule, options):
    for seed in (0, 1):
        rng, x, hx, y, r, places = problem(seed, p=(18, 31)[seed], flat=bool(seed))
        localization, chosen = prepared(rng, x, y, places, rule, options)
        compare(method, x, hx, y, r, localization=localization, **chosen)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_hundreds_of_observations(method, rule):
    """More than the core takes at a time, in a random order, with blocks that lie across its borders."""
    rng, x, hx, y, r, places = problem(5, n=20, p=290 if method == "ensrf" else 150, members=24, flat=True)
    localization, options = prepared(rng, x, y, places, rule, dict(order="random", r_blocks="random", gross=3.0, inflation=1.1, rtps=0.3))
    compare(method, x, hx, y, r, localization=localization, **options)


@st.composite
def choices(draw):
    """Any combination of options and settings of a localization."""
    maybe = lambda *values: draw(st.sampled_from([None, *values]))  # noqa: E731
    options = {name: value for name, value in dict(
        inflation=maybe(1.0, 0.7, 1.4), rtpp=maybe(0.0, 0.25, 1.0), rtps=maybe(0.0, 0.6, 1.0), gross=maybe(0.8, 2.5), huber=maybe(0.4, 1.5),
        r_blocks=maybe("random"), order=maybe("given", "greedy", "random")).items() if value is not None}
    kind = draw(st.sampled_from(["bands"] * 6 + ["weights", "none"]))
    rule = dict(near_km=draw(st.sampled_from([0.0, 500.0, 1500.0, "random"])),
                far_km=draw(st.sampled_from([2000.0, 5000.0, 9000.0, 30000.0])),
                p_value=maybe(1e-4, 0.05, 0.3), sign=draw(st.booleans()), parameter_sign=maybe("random"), taper=maybe("gaspari-cohn"),
                max_observations=maybe(1, 3, 8), max_observations_by=draw(st.sampled_from(["nearest", "correlated"])))
    sizes = dict(n=draw(st.integers(1, 60)), p=draw(st.integers(1, 50)), members=draw(st.integers(3, 30)),
                 components=draw(st.integers(1, 3)), duplicates=draw(st.booleans()), flat=draw(st.booleans()),
                 masked=draw(st.sampled_from([0.0, 0.0, 0.3, 0.9])))
    return dict(bands=rule, weights="weights", none=None)[kind], options, sizes


@pytest.mark.parametrize("method", METHODS)
@given(st.integers(0, 2**32 - 1), choices())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_combination_of_options(method, seed, choice):
    rule, options, sizes = choice
    rng, x, hx, y, r, places = problem(seed, **sizes)
    localization, options = prepared(rng, x, y, places, rule, options)
    compare(method, x, hx, y, r, localization=localization, **options)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_single_precision_against_the_reference(method, rule):
    rng, x, hx, y, r, places = problem(7, n=40, p=30, members=20)
    localization, options = prepared(rng, x, y, places, rule, dict(inflation=1.1, rtps=0.3, gross=3.0, huber=1.0, r_blocks="random"))
    compare(method, x, hx, y, r, localization=localization, tolerance=TOLERANCE_SINGLE[method], case=dict(precision="single"), **options)


@pytest.mark.parametrize("method", METHODS)
def test_overwriting_changes_no_number(method):
    rng, x, hx, y, r, places = problem(8)
    localization, options = prepared(rng, x, y, places, {}, dict(rtpp=0.2, rtps=0.3, r_blocks="random", huber=1.0))
    compare(method, x.copy(), hx, y, r, localization=localization, case=dict(overwrite_x=True), **options)


@pytest.mark.parametrize("method", METHODS)
def test_blocks_without_localization_are_the_kalman_filter_with_the_full_matrix(method):
    """No rotation in this formulation: K = P Hᵀ (H P Hᵀ + R)⁻¹ with the matrix as it is, also where gross errors left it."""
    rng, x, hx, y, r, _ = problem(9, duplicates=False)
    blocks = random_blocks(rng, y.size)
    full = np.diag(r)
    for index, matrix in blocks:
        full[np.ix_(index, index)] = matrix
    members = x.shape[1]
    state = np.vstack([x, hx])
    prior = state - state.mean(axis=1, keepdims=True)
    for gross in (None, 1.0):
        z = np.abs(y - hx.mean(axis=1)) / np.sqrt(hx.var(axis=1, ddof=1) + full.diagonal())
        keep = np.flatnonzero(z <= (np.inf if gross is None else gross))
        h = prior[x.shape[0] + keep]
        gain = prior @ h.T @ np.linalg.inv(h @ h.T + (members - 1) * full[np.ix_(keep, keep)])
        mean = state.mean(axis=1) + gain @ (y - hx.mean(axis=1))[keep]
        covariance = (prior @ prior.T - gain @ h @ prior.T) / (members - 1)
        # What stands in r for an observation of a block is of no account.
        idle = r.copy()
        idle[np.concatenate([index for index, _ in blocks])] = 77.0
        result = METHODS[method](x, hx, y, idle, localization=None, gross=gross, r_blocks=blocks)
        posterior = np.vstack([result.x, result.hx])
        np.testing.assert_allclose(posterior.mean(axis=1), mean, rtol=0, atol=1e-12)
        np.testing.assert_allclose(np.cov(posterior), covariance, rtol=0, atol=1e-12)
        assert result.n_gross_rejected == y.size - keep.size


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("near_km", [0.0, 500.0])
@pytest.mark.parametrize("sign", [True, False])
def test_pairs_next_to_their_limit_are_decided_in_double_precision(method, near_km, sign):
    """Correlations 1e-6 to 1e-12 beside the limits of both bands, above and below, of either sign."""
    rng = np.random.default_rng(10)
    members = 25
    a, b = np.linalg.qr(np.column_stack([np.ones(members), rng.standard_normal((members, 2))]))[0][:, 1:].T
    t = reference.stats.t.isf(0.05 if sign else 0.025, members - 2)
    limits = t / np.sqrt(members - 2 + t**2), 0.0
    steps = np.concatenate([s * 10.0 ** np.arange(-12.0, -5.0) for s in (-1, 1)])
    wanted = np.concatenate([limit + steps for limit in limits] + [-limits[0] + steps])
    x = wanted[:, None] * a + np.sqrt(1 - wanted**2)[:, None] * b
    far = np.arange(wanted.size) % 2 == 1
    rule = Localization(np.where(far, 10.0, 1.0), np.zeros(wanted.size), [0.0], [0.0], near_km=near_km, p_value=0.05, sign=sign)
    result = METHODS[method](x, a[None, :], [1.0], [1.0], localization=rule)
    judged = wanted if sign else np.abs(wanted)
    in_far_band = far | (near_km == 0.0)
    expected = judged > np.where(in_far_band, limits[0], 0.0 if sign else -1.0)
    assert np.array_equal(result.n_local == 1, expected)


@pytest.mark.parametrize("method", METHODS)
def test_the_bands_end_where_they_are_said_to_end(method):
    """A millimetre inside counts, a millimetre outside does not; `near_km` 0 leaves no near band even at one place."""
    rng = np.random.default_rng(11)
    x = np.repeat(rng.standard_normal((1, 30)), 4, axis=0)
    h = x[:1] + rng.standard_normal((1, 30))
    degree = np.pi * reference.EARTH_RADIUS_KM / 180
    for far_km in (1.0, 777.0, 3000.0, 12000.0, 19000.0):
        lon = (far_km + np.array([-1e-6, 1e-6, -1e-6, 1e-6])) / degree
        rule = Localization(lon, np.zeros(4), [0.0], [0.0], near_km=0.0, far_km=far_km, p_value=None, sign=False)
        assert METHODS[method](x, h, [0.0], [1.0], localization=rule).n_local.tolist() == [1, 0, 1, 0]
    weak = 0.1 * h + rng.standard_normal((1, 30))
    weak -= (weak @ (h - h.mean()).T) / ((h - h.mean()) @ (h - h.mean()).T) * (h - h.mean())
    weak += 0.1 * weak.std() / h.std() * h
    for near_km, accepted in ((0.0, 0), (1e-3, 1)):
        rule = Localization([5.0], [50.0], [5.0], [50.0], near_km=near_km, far_km=1000.0)
        assert METHODS[method](weak, h, [0.0], [1.0], localization=rule).n_local[0] == accepted
