"""The EnSRF's two phases where their chunks (128 observations) and blocks (16 targets) begin and end, and targets that cannot move."""

import numpy as np
import pytest
import reference_analysis as reference

from gcas_driver.analysis import Localization, ensrf
from gcas_driver.errors import InputError

RULES = {
    "none": None,
    "taper": dict(p_value=None, sign=False, taper="gaspari-cohn"),
    "bands": dict(near_km=1500.0, p_value=0.1),
    "unsigned": dict(near_km=1500.0, sign=False, p_value=0.1),
    "nearest": dict(p_value=None, sign=False, max_observations=7),
    "correlated": dict(near_km=1500.0, max_observations=5, max_observations_by="correlated"),
}
FAR_KM = 5000.0


def make_problem(seed, n_cells, p, members=25):
    """Two components at `n_cells` places and `p` observations, as correlated ensembles."""
    rng = np.random.default_rng(seed)
    n = 2 * n_cells
    common = rng.standard_normal((5, members))
    x = 1 + rng.standard_normal((n, 5)) @ common + 0.5 * rng.standard_normal((n, members))
    hx = 2 + rng.standard_normal((p, 5)) @ common + 0.3 * rng.standard_normal((p, members))
    y = hx.mean(axis=1) + rng.standard_normal(p)
    places = [np.tile(rng.uniform(-180, 180, n_cells), 2), np.tile(np.degrees(np.arcsin(rng.uniform(-1, 1, n_cells))), 2),
              rng.uniform(-180, 180, p), np.degrees(np.arcsin(rng.uniform(-1, 1, p)))]
    return rng, x, hx, y, rng.uniform(0.5, 2.0, p), places


def reference_weights(rule, places, x, hx, order):
    """Weights and accepted pairs of parameters, weights of simulated values."""
    n, p = len(x), len(hx)
    if rule is None:
        return np.ones((n, p)), np.ones((n, p), bool), np.ones((p, p))
    sign = int(rule.get("sign", True))
    common = dict(near_km=rule.get("near_km", 500.0), far_km=FAR_KM, p_value=rule.get("p_value", 0.05), n_members=x.shape[1],
                  taper=rule.get("taper"), max_observations=rule.get("max_observations"), by=rule.get("max_observations_by", "nearest"),
                  order=order)
    rho, accepted = reference.weights(reference.distance_km(*places), reference.correlation(x, hx), np.full(n, sign), **common)
    rho_obs, _ = reference.weights(reference.distance_km(*places[2:], *places[2:]), reference.correlation(hx, hx), np.full(p, sign),
                                   **common)
    return rho, accepted, rho_obs


@pytest.mark.parametrize("p", [1, 15, 16, 17, 127, 128, 129, 256, 257, 300])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_chunks_and_blocks_agree_with_the_reference(rule, p):
    rng, x, hx, y, r, places = make_problem(p, 12, p)
    order = rng.permutation(p)
    hx[p // 2] = hx[p // 2, 0] if p > 1 else hx[0]  # an observation without spread
    x[3] = 0.75  # a parameter without spread
    used = order[hx[order].std(axis=1) > 0]
    rho, accepted, rho_obs = reference_weights(rule, places, x, hx, used)
    options = dict(inflation=1.05, rtpp=0.1, rtps=0.2)
    expected = reference.ensrf(x, hx, y, r, rho, rho_obs, used, **options)
    localization = None if rule is None else Localization(*places, far_km=FAR_KM, **rule)
    scale = max(np.abs(expected[0]).max(), np.abs(expected[1]).max(), 1.0)
    results = [ensrf(x, hx, y, r, localization=choice, order=order, threads=threads, **options)
               for choice, threads in ((localization, 1), (localization, 2), (localization, 3), ((rho, rho_obs), 2))]
    for result in results:
        np.testing.assert_allclose(result.x, expected[0], rtol=0, atol=1e-12 * scale)
        np.testing.assert_allclose(result.hx, expected[1], rtol=0, atol=1e-12 * scale)
        assert result.n_zero_spread == 1 and np.array_equal(result.order, used)
    accepted[3] = False
    assert np.array_equal(results[0].n_local, accepted[:, used].sum(axis=1))
    for other in results[1:3]:
        assert np.array_equal(results[0].x, other.x) and np.array_equal(results[0].hx, other.hx)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
def test_a_number_that_cannot_be_used_is_named_and_the_prior_stays(bad):
    _, x, hx, y, r, _ = make_problem(8, 30, 10)
    x[17, 3] = bad
    before = x.copy()
    with pytest.raises(InputError, match=r"17, 3.*x holds"):
        ensrf(x, hx, y, r, localization=None, overwrite_x=True)
    assert np.array_equal(x, before, equal_nan=True)
