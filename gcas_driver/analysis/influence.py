"""What each observation did in an analysis: its sensitivity and information, with the variances that the filter took."""

from __future__ import annotations

import numpy as np

from .blocks import Independent
from .moments import Moments


def per_observation(problem: Independent, sequence: np.ndarray, hx: np.ndarray, posterior: Moments, turn_mean: np.ndarray,
                    turn_variance: np.ndarray, relaxation: tuple[float, float, float], *, in_turn: bool) -> dict[str, np.ndarray | float]:
    """What the result says of single observations, turned back from blocks, and their sums.

    Parameters
    ----------
    problem : Independent
        As the core was given it; its `hx` are prior members (n_observations, n_members).
    sequence : ndarray of int (n_used,)
        Assimilated observations, in their order.
    hx : ndarray (n_observations, n_members)
        Posterior members, not yet turned back.
    posterior : Moments
        Theirs.
    turn_mean, turn_variance : ndarray (n_used,)
        Mean and variance of the simulated values when an observation's turn came.
    relaxation : (inflation, rtpp, rtps)
    in_turn : bool
        Observations were assimilated one after the other; else information is not told apart.

    Returns
    -------
    dict
        `chi2`, `dfs`, `assimilated`, `error_variance`, `sensitivity`, `information` of an `AnalysisResult`.
    """
    def placed(values: np.ndarray) -> np.ndarray:
        result = np.zeros(problem.y.size)
        result[sequence] = values
        return problem.shared_out(result)

    r = problem.r[sequence]
    chi2 = float(((problem.y[sequence] - turn_mean) ** 2 / (turn_variance + r)).mean()) if sequence.size else np.nan
    information = information_in_turn(turn_variance, r) if in_turn else np.full(sequence.size, np.nan)
    variance = posterior.variance[sequence]
    if max(relaxation[1:]) > 0.0:
        variance = unrelaxed_variance(problem.hx[sequence], hx[sequence], *relaxation)
    sensitivity = variance / r
    return dict(chi2=chi2, dfs=float(sensitivity.sum()), assimilated=placed(np.ones(sequence.size)) > 0.0,
                error_variance=problem.shared_out(problem.r), sensitivity=placed(sensitivity), information=placed(information))


def information_in_turn(variance: np.ndarray, r: np.ndarray) -> np.ndarray:
    """½ ln(1 + s/R) [nat] (n,), also where R is next to nothing: there the ratio is too large for a number, its logarithm is not."""
    with np.errstate(over="ignore"):
        information = np.log1p(variance / r)
    if not np.isfinite(information).all():
        information = np.where(np.isfinite(information), information, np.log(np.maximum(variance, r)) - np.log(r))
    return information / 2.0


def unrelaxed_variance(prior: np.ndarray, posterior: np.ndarray, inflation: float, rtpp: float, rtps: float) -> np.ndarray:
    """Posterior variance (n,) as it was before `rtpp` and then `rtps`, of rows (n, n_members) as they are after both."""
    variance = posterior.var(axis=1, ddof=1)
    if max(rtpp, rtps) == 1.0:
        return np.full(len(variance), np.nan)
    if rtps > 0.0:
        after = np.sqrt(variance)
        before = (after - rtps * inflation * prior.std(axis=1, ddof=1)) / (1.0 - rtps)
        posterior = posterior * (before / after)[:, None]
        variance = before**2
    if rtpp > 0.0:
        variance = (posterior - rtpp * inflation * prior).var(axis=1, ddof=1) / (1.0 - rtpp) ** 2
    return variance
