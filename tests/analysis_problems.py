"""Random problems for tests of the analysis: members that share a few directions, as fluxes and what they cause do."""

from __future__ import annotations

import numpy as np

from gcas_driver.analysis import Localization


def random_problem(seed, n=30, p=12, members=20):
    """The generator, x (n, members), hx (p, members), y and r (p,); parameters and simulated values are correlated."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((4, members))
    x = 1 + rng.standard_normal((n, 4)) @ common + 0.5 * rng.standard_normal((n, members))
    hx = 2 + rng.standard_normal((p, 4)) @ common + 0.3 * rng.standard_normal((p, members))
    y = hx.mean(axis=1) + rng.standard_normal(p)
    return rng, x, hx, y, rng.uniform(0.2, 2.0, p)


def covariance(a, b):
    """Of the rows of `a` (n, members) with those of `b`."""
    a = a - a.mean(axis=1, keepdims=True)
    b = b - b.mean(axis=1, keepdims=True)
    return a @ b.T / (a.shape[1] - 1)


def everywhere(n, p, **rule):
    """A localization that accepts every pair with weight 1: all places are one."""
    rule = dict(p_value=None, sign=False) | rule
    return Localization(np.zeros(n), np.zeros(n), np.zeros(p), np.zeros(p), **rule)
