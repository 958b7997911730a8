"""Diagnostics of an analysis where theory says what they are: linear Gaussian problems with known truth, prior and errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcas_driver.analysis import Localization, diagnose, ensrf, letkf
from gcas_driver.analysis.diagnostics import QUANTITIES, RANK_BINS, rank_bins, spectral_shares
from gcas_driver.errors import InputError

some = settings(max_examples=25, deadline=None)


def problem(seed, p=15, members=20):
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((4, members))
    hx = 390 + rng.standard_normal((p, 4)) @ common + 0.3 * rng.standard_normal((p, members))
    x = 1 + rng.standard_normal((6, 4)) @ common + rng.standard_normal((6, members))
    return rng, x, hx, hx.mean(axis=1) + rng.standard_normal(p), rng.uniform(0.2, 2.0, p)


def dfs_and_bits(hx, r):
    """tr(HK) of the Kalman filter and the Shannon information of its update."""
    s = np.atleast_2d(np.cov(hx))
    return np.trace(s @ np.linalg.inv(s + r)), np.linalg.slogdet(np.eye(len(s)) + np.linalg.solve(r, s))[1] / np.log(4.0)


def apart(n):
    """A localization in which every observation is alone, on a spiral over the sphere."""
    lat = np.degrees(np.arcsin(1 - (2 * np.arange(n) + 1) / n))
    lon = (np.arange(n) * 137.50776) % 360 - 180
    return Localization([0.0], [90.0], lon, lat, near_km=10.0, far_km=10.0, p_value=None, sign=False)


def scalars(seed, n, members, spread=1.0, error=1.0, stated_spread=1.0, stated_error=1.0, bias=0.0):
    """n problems of one observation each; truth and errors of one size, ensemble and R as stated: (hx, y, r)."""
    rng = np.random.default_rng(seed)
    hx = 390 + stated_spread * rng.standard_normal((n, members))
    y = 390 + spread * rng.standard_normal(n) + error * rng.standard_normal(n) + bias
    return hx, y, np.full(n, stated_error**2)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from([ensrf, letkf]),
       st.sampled_from([{}, {"inflation": 1.3}, {"rtpp": 0.4}, {"rtps": 0.6, "inflation": 1.1}, {"rtpp": 0.3, "rtps": 0.5},
                        {"huber": 1.0}]))
@some
def test_without_localization_signal_and_information_are_the_kalman_filters(seed, p, filter_, options):
    _, x, hx, y, r = problem(seed, p)
    result = filter_(x, hx, y, r, localization=None, **options)
    found = diagnose(y, hx, result, seed=seed)
    assumed = r / result.huber_weight
    dfs, bits = dfs_and_bits(options.get("inflation", 1.0) * hx, np.diag(assumed))
    for value in (found.of("dfs"), found.of("dfs_ensemble"), result.dfs):
        assert value == pytest.approx(dfs, rel=1e-8)
    for name in ("information_ensemble", "information_alone"):
        assert found.of(name) == pytest.approx(bits, rel=1e-8)
    if filter_ is ensrf:
        assert found.of("information") == pytest.approx(bits, rel=1e-8)
    else:
        assert np.isnan(found.of("information"))
    assert found.of("number") == p and found.of("down_weighted") == result.n_huber
    assert found.of("error_variance") == pytest.approx(assumed.mean())


def test_without_perturbations_left_the_signal_is_unknown():
    _, x, hx, y, r = problem(1)
    for options in ({"rtpp": 1.0}, {"rtps": 1.0}):
        assert np.isnan(diagnose(y, hx, ensrf(x, hx, y, r, localization=None, **options)).of("dfs"))


@pytest.mark.parametrize("filter_", [ensrf, letkf])
def test_correlated_errors_count_with_their_full_matrix(filter_):
    rng, x, hx, y, r = problem(3, p=10)
    index = np.array([2, 7, 4])
    root = rng.standard_normal((3, 3))
    full = np.diag(r)
    full[np.ix_(index, index)] = root @ root.T + 0.2 * np.eye(3)
    block = np.isin(np.arange(10), index)
    result = filter_(x, hx, y, r, localization=None, r_blocks=[(index, full[np.ix_(index, index)])])
    found = diagnose(y, hx, result, groups={"in": block})
    dfs, bits = dfs_and_bits(hx, full)
    assert found.of("dfs") == pytest.approx(dfs, rel=1e-9)
    assert found.of("dfs", "in:True") + found.of("dfs", "in:False") == pytest.approx(dfs, rel=1e-9)
    if filter_ is ensrf:
        assert found.of("information") == pytest.approx(bits, rel=1e-9)
    assert found.of("error_variance", "in:True") == pytest.approx(np.diag(full)[block].mean())
    assert found.of("prior_variance") == pytest.approx(hx.var(axis=1, ddof=1).mean())


@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.sampled_from([ensrf, letkf]))
@some
def test_added_information_is_what_an_analysis_without_the_observation_lacks(seed, p, filter_):
    _, x, hx, y, r = problem(seed, p)
    found = diagnose(y, hx, filter_(x, hx, y, r, localization=None), groups={"number": np.arange(p)})
    bits = dfs_and_bits(hx, np.diag(r))[1]
    added = 0.0
    for i in range(p):
        others = np.arange(p) != i
        lacking = bits - (dfs_and_bits(hx[others], np.diag(r[others]))[1] if p > 1 else 0.0)
        assert found.of("information_added", f"number:{i}") == pytest.approx(lacking, rel=1e-6, abs=1e-9)
        added += lacking
    assert found.of("information_added") == pytest.approx(added, rel=1e-6)
    assert found.of("information_added") <= bits * (1 + 1e-9)


def test_added_information_is_localized():
    """Observations out of each other's reach add what they tell alone; two of the same place share it."""
    _, x, hx, y, r = problem(5, p=6)
    for filter_ in (ensrf, letkf):
        found = diagnose(y, hx, filter_(x[:1], hx, y, r, localization=apart(6)), groups={"number": np.arange(6)})
        alone = np.log2(1 + hx.var(axis=1, ddof=1) / r) / 2
        assert [found.of("information_added", f"number:{i}") for i in range(6)] == pytest.approx(alone.tolist(), rel=1e-9)
    together = Localization([0.0], [0.0], np.zeros(6), np.zeros(6), near_km=10.0, far_km=10.0, p_value=None, sign=False)
    found = diagnose(y, hx, letkf(x[:1], hx, y, r, localization=together))
    assert found.of("information_added") < 0.8 * alone.sum()


@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.integers(2, 30))
@some
def test_what_adds_up_and_what_does_not(seed, p, members):
    rng, x, hx, y, r = problem(seed, p, members)
    product, region = rng.choice(["gosat", "flask"], p), rng.choice(["Europe", "N Africa", "Indian Trop"], p)
    found = diagnose(y, hx, ensrf(x, hx, y, r, localization=None), groups={"product": product, "region": region})
    assert found.groups[0] == "all" and len(set(found.groups)) == len(found.groups)
    for kind, labels in (("product", product), ("region", region)):
        names = [f"{kind}:{label}" for label in np.unique(labels)]
        for name in ("number", "dfs", "dfs_ensemble", "information", "information_added", "information_ensemble"):
            assert sum(found.of(name, g) for g in names) == pytest.approx(found.of(name), rel=1e-10)
        assert sum(found.of("information_alone", g) for g in names) >= found.of("information_alone") * (1 - 1e-12)
        for g in names:
            assert found.of("information_alone", g) <= found.of("information_alone") * (1 + 1e-12)
        assert sum(found.rank_count[found.groups.index(g)] for g in names).tolist() == found.rank_count[0].tolist()
    for g in found.groups:
        both = found.of("error_variance_diagnosed", g) + found.of("prior_variance_diagnosed", g)
        assert both == pytest.approx(found.of("rms_innovation", g) ** 2)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(2, 30))
@some
def test_a_share_of_information_lies_between_alone_and_left_unsaid(seed, p, members):
    z = np.random.default_rng(seed).standard_normal((p, members)) * 10.0 ** np.random.default_rng(seed).uniform(-2, 1, (p, 1))
    dfs, share = spectral_shares(z)
    m = z @ z.T
    eigenvalue, vectors = np.linalg.eigh(m)
    np.testing.assert_allclose(share, vectors**2 @ np.log1p(np.maximum(eigenvalue, 0)) / 2, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(dfs, np.diag(m @ np.linalg.inv(np.eye(p) + m)), rtol=1e-6, atol=1e-12)
    assert (share <= np.log1p(np.diag(m)) / 2 * (1 + 1e-9) + 1e-14).all()
    assert (share >= -np.log1p(-np.minimum(dfs, 1 - 1e-12)) / 2 * (1 - 1e-9) - 1e-14).all()


def self_sensitivity(filter_, x, hx, y, r, localization):
    """d(Hx̄_a)_i / dy_i by differences; the means are linear in y."""
    base = filter_(x, hx, y, r, localization=localization).hx.mean(axis=1)
    one_more = np.eye(y.size)
    return np.array([filter_(x, hx, y + one_more[i], r, localization=localization).hx[i].mean() - base[i] for i in range(y.size)])


def test_localized_sensitivity_is_exact_for_the_letkf_and_near_for_the_ensrf():
    rng, x, hx, y, r = problem(8, p=40, members=30)
    lon, lat = rng.uniform(-60, 60, 40), rng.uniform(-40, 40, 40)
    localization = Localization(lon[:6], lat[:6], lon, lat, taper="gaspari-cohn", p_value=None, sign=False)
    exact = self_sensitivity(letkf, x, hx, y, r, localization)
    np.testing.assert_allclose(letkf(x, hx, y, r, localization=localization).sensitivity, exact, rtol=0, atol=1e-10)
    exact = self_sensitivity(ensrf, x, hx, y, r, localization)
    found = ensrf(x, hx, y, r, localization=localization).sensitivity
    assert found.sum() == pytest.approx(exact.sum(), rel=0.1)


def test_departures_reveal_the_true_variances_of_a_consistent_system():
    """Truth is drawn from the ensemble's own covariance: expectations hold without an error of sampling members."""
    rng, x, hx, _, r = problem(5, p=12, members=25)
    perturbations = (hx - hx.mean(axis=1, keepdims=True)) / np.sqrt(24)
    s, drawn = np.cov(hx), []
    for _ in range(1500):
        y = hx.mean(axis=1) + perturbations @ rng.standard_normal(25) + np.sqrt(r) * rng.standard_normal(12)
        drawn.append(diagnose(y, hx, ensrf(x, hx, y, r, localization=None)).values)
    expected = {"chi2": 1.0, "error_variance_diagnosed": r.mean(), "prior_variance_diagnosed": np.diag(s).mean(),
                "posterior_variance_diagnosed": np.diag(s @ np.linalg.solve(s + np.diag(r), np.diag(r))).mean(), "mean_innovation": 0.0,
                "mean_departure": 0.0}
    for name, value in expected.items():
        values = np.array([d[name][0] for d in drawn])
        standard_error = values.std() / np.sqrt(values.size)
        assert standard_error < 0.05 and abs(values.mean() - value) < 4 * standard_error, name


@pytest.mark.parametrize(("stated_spread", "stated_error"), [(1.0, 1.0), (1.0, 2.0), (0.5, 1.0), (2.0, 0.5)])
def test_wrong_statements_show_as_theory_says(stated_spread, stated_error):
    """E[d²/(s+R)], E[a d] = R/(s+R) E[d²] and E[(d-a) d] = s/(s+R) E[d²] for what was stated, whatever is true (E[d²] = 2)."""
    n = 4000
    hx, y, r = scalars(2, n, 300, stated_spread=stated_spread, stated_error=stated_error)
    found = diagnose(y, hx, ensrf(np.eye(1, 300), hx, y, r, localization=apart(n)))
    total = stated_spread**2 + stated_error**2
    expected = {"chi2": 2 / total, "error_variance_diagnosed": 2 * stated_error**2 / total,
                "prior_variance_diagnosed": 2 * stated_spread**2 / total}
    for name, value in expected.items():
        assert abs(found.of(name) - value) < 4 * found.of(f"{name}_error"), name
        assert found.of(f"{name}_error") == pytest.approx(np.sqrt(2 / n) * value, rel=0.1)
    assert found.of("spread_skill") == pytest.approx(np.sqrt(2 / total), rel=0.05)


def test_ranks_are_flat_if_spread_and_errors_are_right_and_tell_what_is_not():
    n, members = 4000, 37
    place = apart(n)

    def shares(**statement):
        hx, y, r = scalars(4, n, members, **statement)
        found = diagnose(y, hx, ensrf(np.eye(1, members), hx, y, r, localization=place), seed=9, window=14761)
        assert found.rank_count.shape == (1, RANK_BINS) and found.rank_count.sum() == n
        return found.rank_count[0] / n * RANK_BINS, found.of("rank_p")

    flat, p = shares()
    assert p > 0.01 and np.abs(flat - 1).max() < 0.2
    narrow, p = shares(stated_spread=0.4, stated_error=0.6)
    assert p < 1e-20 and min(narrow[0], narrow[-1]) > 1.5 and narrow[4:6].max() < 0.9
    wide, p = shares(stated_spread=2.0)
    assert p < 1e-20 and max(wide[0], wide[-1]) < 0.5 and wide[4:6].min() > 1.2
    low, p = shares(bias=1.0)
    assert p < 1e-20 and low[-1] > 2.0 > 0.5 > low[0]


def test_rank_probability_is_itself_uniform():
    """Over many consistent sets the probabilities spread evenly: a test of the noise, the spreading of ranks and the bins together."""
    p = []
    for seed in range(300):
        hx, y, r = scalars(seed, 200, 12)
        counts = np.bincount(rank_bins(y, hx, r, seed, 5), minlength=RANK_BINS)
        p.append(np.sum((counts - 20) ** 2 / 20))
    # A chi-square variable with 9 degrees of freedom has mean 9 and variance 18.
    assert np.mean(p) == pytest.approx(9.0, abs=4 * np.sqrt(18 / 300)) and np.var(p) == pytest.approx(18.0, rel=0.4)


def test_the_noise_is_keyed():
    hx, y, r = scalars(1, 300, 15)
    first = rank_bins(y, hx, r, 3, 100)
    assert np.array_equal(first, rank_bins(y, hx, r, 3, 100)) and np.array_equal(first[:50], rank_bins(y[:50], hx[:50], r[:50], 3, 100))
    assert not np.array_equal(first, rank_bins(y, hx, r, 4, 100)) and not np.array_equal(first, rank_bins(y, hx, r, 3, 101))


def test_only_assimilated_observations_count():
    _, x, hx, y, r = problem(6, p=12)
    y[3] += 50.0
    hx[5] = 391.0
    label = np.where(np.arange(12) == 3, "odd", "even")
    result = ensrf(x, hx, y, r, localization=None, gross=5.0)
    found = diagnose(y, hx, result, groups={"product": label})
    kept = np.delete(np.arange(12), [3, 5])
    assert np.array_equal(np.flatnonzero(result.assimilated), kept)
    assert (found.of("number"), found.of("gross_rejected"), found.of("gross_rejected", "product:odd")) == (10, 1, 1)
    assert found.of("number", "product:odd") == 0
    assert np.isnan(found.of("chi2", "product:odd")) and np.isnan(found.of("rank_p", "product:odd"))
    again = diagnose(y[kept], hx[kept], ensrf(x, hx[kept], y[kept], r[kept], localization=None))
    for name in set(QUANTITIES) - {"gross_rejected", "rank_chi2", "rank_p"}:  # the ranks' noise goes with the position
        assert found.of(name) == pytest.approx(again.of(name), rel=1e-9, abs=1e-9), name


def test_no_observation_and_bad_input():
    _, x, hx, y, r = problem(2)
    nothing = diagnose([], np.empty((0, 20)), ensrf(x, np.empty((0, 20)), [], [], localization=None), groups={"product": []})
    assert nothing.groups == ("all",) and nothing.of("number") == 0 and np.isnan(nothing.of("dfs")) and nothing.rank_count.sum() == 0
    result = ensrf(x, hx, y, r, localization=None)
    for bad in ((y[:-1], hx, {}), (y, hx[:, :-1], {}), (np.where(y > 0, np.nan, y), hx, {}), (y, hx, {"product": ["a"]})):
        with pytest.raises(InputError):
            diagnose(bad[0], bad[1], result, groups=bad[2])
