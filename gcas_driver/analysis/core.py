"""The call of the Fortran filters, and what their numbers say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gcas_driver.errors import AnalysisError

from .arrays import check_squares, raise_status
from .blocks import Independent
from .influence import per_observation
from .moments import Moments


@dataclass(frozen=True)
class Options:
    """How the perturbations are treated, and by how many threads; all checked.

    Attributes
    ----------
    inflation : float
        Factor of the prior perturbations.
    rtpp, rtps : float
        Relaxation to the prior perturbations and spread, 0 to 1.
    single : bool
        Single precision, as each filter understands it.
    spacing_km : float
        Of the grid from which the LETKF interpolates transforms [km]; 0: it does not.
    n_threads : int
    """

    inflation: float
    rtpp: float
    rtps: float
    single: bool
    spacing_km: float
    n_threads: int


def run_core(method: str, x: np.ndarray, problem: Independent, sequence: np.ndarray, options: Options) -> dict[str, Any]:
    """Analyse `problem` in the Fortran core.

    Parameters
    ----------
    method : "ensrf" or "letkf"
    x : ndarray (n_parameters, n_members)
        Prior members; becomes the posterior.
    problem : Independent
    sequence : ndarray of int
        Observations to be assimilated, in their order.
    options : Options

    Returns
    -------
    dict
        Fields of an `AnalysisResult`: all but those that are known before.

    Raises
    ------
    InputError
        `x` is not finite.
    AnalysisError
        No parameter has any spread, a matrix is singular, or the posterior is not finite.
    """
    from gcas_driver._analysis import gcas_filter_face, gcas_status

    local = problem.localization
    hx = np.empty_like(problem.hx)
    mean, n_local = np.zeros(x.shape[0]), np.zeros(x.shape[0], np.int32)
    turn_mean, turn_variance = np.zeros(sequence.size), np.zeros(sequence.size)
    n_pairs, n_accepted, n_zero_spread, n_transforms, status, message = gcas_filter_face.analyse(
        method == "letkf", local.kind, local.near_km, local.far_km, local.tested, local.critical_one_sided, local.critical_two_sided,
        local.sign_rule, local.tapered, local.max_sources, local.best_correlated, options.inflation, options.rtpp, options.rtps,
        options.single, options.spacing_km, options.n_threads,
        local.parameter_lon, local.parameter_lat, local.parameter_sign, local.observation_lon, local.observation_lat,
        local.parameter_weights.T, local.observation_weights.T, problem.y, problem.r, (sequence + 1).astype(np.int32),
        problem.test.T, problem.hx.T, x.T, hx.T, mean, n_local, turn_mean, turn_variance)
    if status == gcas_status.status_not_finite:
        check_squares("x", x)
    posterior = Moments.of(hx, options.n_threads)
    if status == gcas_status.status_overflow or (status == gcas_status.status_ok and not (
            posterior.finite and np.isfinite(mean.sum()) and np.isfinite(turn_variance.sum()))):
        raise AnalysisError("the analysis left the range of numbers", where=method, found="infinity or NaN in the posterior",
                            expected="finite numbers", advice="choose units in which values, variances and inflation are of "
                            "ordinary size")
    raise_status(status, message, where=method)
    if x.shape[0] and sequence.size and n_zero_spread == x.shape[0]:
        raise AnalysisError("no parameter has any spread", found=f"{x.shape[0]} parameters, spread 0",
                            expected="members that differ", advice="see the prior fluxes and their lambda")
    figures = per_observation(problem, sequence, hx, posterior, turn_mean, turn_variance,
                              (options.inflation, options.rtpp, options.rtps), in_turn=method == "ensrf")
    problem.turn_back(hx)
    return dict(x=x, mean=mean, hx=hx, n_local=n_local, n_pairs=int(n_pairs), n_accepted=int(n_accepted), n_zero_spread=int(n_zero_spread),
                n_transforms=int(n_transforms), **figures)
