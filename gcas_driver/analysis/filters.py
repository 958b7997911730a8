"""The ensemble filters: arrays in, arrays out; every check stands here, the numerics are Fortran."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gcas_driver.errors import AnalysisError, InputError

from .arrays import (
    LARGEST_VARIANCE,
    as_float,
    as_indices,
    check_choice,
    check_finite,
    check_flag,
    check_number,
    check_positive,
    check_squares,
    describe,
    thread_count,
)
from .blocks import Independent, check_blocks, error_variances, rotate
from .core import Options, run_core
from .inflation import factor_and_successor
from .localization import Localization, prepare_localization
from .moments import Moments
from .result import AnalysisResult

LEAST_SPACING_KM = 25.0
"""Of the grid from which the LETKF interpolates transforms."""


def ensrf(x, hx, y, r, *, localization, order="given", precision="double", threads=None, inflation=1.0, rtpp=0.0,
          rtps=0.0, gross=None, huber=None, r_blocks=None, overwrite_x=False) -> AnalysisResult:
    """Serial ensemble square-root filter with the update in observation space; Whitaker and Hamill (2002).

    Parameters
    ----------
    x : array_like (n_parameters, n_members)
        Prior members, such as 1 + λδ. Any real dtype and order; copied if it is not float64 in C order, or
        `overwrite_x` is False.
    hx : array_like (n_observations, n_members)
        Prior simulated values.
    y, r : array_like (n_observations,)
        Observed values and error variances.
    localization : Localization, (rho, rho_obs) or None
        Which observations update what: bands of distance; weights in [0, 1] (n_parameters, n_observations) and
        (n_observations, n_observations: row updated by column); or no localization at all. There is no default.
    order : "given", "greedy" or array_like of int
        Order of assimilation: as given; by decreasing prior variance over error variance (equal ones as given); or a
        permutation of the observations. Localized results depend on it.
    precision : "double" or "single"
        Precision of the perturbations while the parameters are updated; means and gains are always double.
    threads : int or None
        OpenMP threads; None: OMP_NUM_THREADS, else all processors. Results do not depend on it, to the bit.
    inflation : float or AdaptiveInflation
        Factor of the prior perturbations of every parameter that an observation updates, and of the simulated values; or an estimate
        of it that this analysis' innovations update first.
    rtpp, rtps : float
        Relaxation of the posterior perturbations to the prior's, and of their spread to the prior's, in [0, 1].
    gross : float or None
        An observation is left out if its prior innovation exceeds so many sqrt(s + R).
    huber : float or None
        An observation whose prior innovation is z > `huber` times sqrt(s + R) gets the error variance R z/huber.
    r_blocks : sequence of (index, matrix) or None
        Error covariances of blocks of observations, in place of their `r`. A block is localized as one, at its centroid.
    overwrite_x : bool
        Write the posterior into `x` if it is a writable float64 array in C order: no copy is made.

    Returns
    -------
    AnalysisResult
        Without observations the prior, copied. A parameter without an accepted observation keeps its prior to the bit.

    Raises
    ------
    InputError
        An argument that cannot be used: shapes, NaN, a variance that is not positive, fewer than 2 members, options.
    AnalysisError
        No parameter has any spread, or none of several observations has; an error covariance is not positive definite; the
        posterior is not finite (with `overwrite_x` it stands in `x` then).
    """
    def sequence(problem: Independent, usable: np.ndarray) -> np.ndarray:
        return assimilation_order(order, problem, usable)

    return analyse("ensrf", sequence, (x, hx, y, r), localization, precision, threads, (inflation, rtpp, rtps), gross, huber,
                   r_blocks, overwrite_x)


def letkf(x, hx, y, r, *, localization, precision="double", threads=None, inflation=1.0, rtpp=0.0, rtps=0.0, gross=None,
          huber=None, r_blocks=None, overwrite_x=False, interpolation_km=None) -> AnalysisResult:
    """Local ensemble transform Kalman filter with the symmetric square root; Hunt, Kostelich and Szunyogh (2007).

    Every parameter is analysed by itself with the observations that `localization` accepts for it, their error variances
    divided by the weights; so is every simulated value, at its observation's place. Nothing depends on the order of the
    observations. Without localization this is the ensemble transform Kalman filter, and its mean and covariance are those of
    `ensrf`.

    Parameters
    ----------
    x, hx, y, r, localization, threads, inflation, rtpp, rtps, gross, huber, r_blocks, overwrite_x
        As for `ensrf`.
    precision : "double" or "single"
        Accuracy of the transforms: 1e-14, or 1e-8 of a parameter's perturbations, in fewer steps; all numbers are double.
    interpolation_km : float or None
        Spacing of a coarse grid, km, from 25 to the largest `far_km`: transforms are computed at its points and interpolated to parameters
        and simulated values (Yang et al. 2009). The localization must be by distance alone. None: each is analysed by itself.

    Returns
    -------
    AnalysisResult
        As for `ensrf`; `order` is that of the observations as given, `chi2` that of the prior innovations.

    Raises
    ------
    InputError, AnalysisError
        As for `ensrf`.
    """
    def sequence(problem: Independent, usable: np.ndarray) -> np.ndarray:
        return np.flatnonzero(usable)

    spacing = check_interpolation(interpolation_km, localization)
    return analyse("letkf", sequence, (x, hx, y, r), localization, precision, threads, (inflation, rtpp, rtps), gross, huber,
                   r_blocks, overwrite_x, spacing)


def analyse(method: str, sequence_of, arrays: tuple, localization, precision, threads, relaxation: tuple, gross, huber, r_blocks,
            overwrite_x, spacing_km=0.0) -> AnalysisResult:
    """What both filters share: checks, outliers, rotation of blocks, then the core.

    `sequence_of(problem, usable)` gives the observations in the order in which they are assimilated.
    """
    x, hx, y, r = arrays
    overwrite_x = check_flag("overwrite_x", overwrite_x)
    members, hx, y, r = check_problem(x, hx, y, r)
    n_threads = thread_count(threads)
    prior = Moments.of(hx, n_threads)
    if not prior.finite:
        check_squares("hx", hx)
    n_parameters, n_members = members.shape
    core = prepare_localization(localization, n_parameters, y.size, n_members)
    inflation, rtpp, rtps = relaxation
    rtpp, rtps = check_number("rtpp", rtpp, 0.0, 1.0), check_number("rtps", rtps, 0.0, 1.0)
    check_choice("precision", precision, ("double", "single"))
    blocks = check_blocks(r_blocks, y.size)

    r = error_variances(r, blocks)
    used = gross_check(prior, y, r, gross)
    problem = rotate(y, r, hx, prior, core, blocks, used, n_threads)
    problem, huber_weight = apply_huber(problem, huber)
    spread = problem.moments.differ
    if spread.size > 1 and not spread.any():
        raise AnalysisError("no simulated value has any spread", found=f"{spread.size} observations, spread 0",
                            expected="members that differ", advice="see whether the perturbed fluxes reached the model")
    sequence = sequence_of(problem, used & spread)
    factor, following = factor_and_successor(inflation, problem, sequence)

    if np.may_share_memory(members, x) and not (overwrite_x and members.flags.writeable):
        members = members.copy()
    problem = problem.apart_from(members)
    options = Options(factor, rtpp, rtps, precision == "single", spacing_km, n_threads)
    return AnalysisResult(**run_core(method, members, problem, sequence, options), order=sequence, gross_rejected=~used,
                          huber_weight=huber_weight, prior_variance=factor**2 * prior.variance,
                          n_zero_spread_observations=int(np.sum(~spread)), inflation=factor, next_inflation=following)


def check_interpolation(interpolation_km, localization) -> float:
    """Spacing of the grid from which transforms are interpolated, km; 0: they are not.

    Raises
    ------
    InputError
        Out of range, or the localization is not by distance alone.
    """
    if interpolation_km is None:
        return 0.0
    if not isinstance(localization, Localization):
        raise InputError("interpolation_km needs a localization by distance", found=type(localization).__name__,
                         expected="a Localization", advice="leave interpolation_km out")
    by_rule = [text for text, is_set in (
        (f"p_value={localization.p_value}", localization.p_value is not None), ("sign=True", localization.sign),
        ("max_observations_by='correlated'", localization.max_observations is not None
         and localization.max_observations_by == "correlated")) if is_set]
    if by_rule:
        raise InputError("interpolation_km needs a localization by distance alone: a rule on correlations accepts other observations "
                         "for each parameter", found=", ".join(by_rule), expected="p_value=None, sign=False",
                         advice="leave interpolation_km out, or the rule")
    reach = float(np.max(localization.far_km, initial=LEAST_SPACING_KM))
    return check_number("interpolation_km", interpolation_km, LEAST_SPACING_KM, reach)


def check_problem(x, hx, y, r) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The arrays of the problem in the core's form; whether `x` and `hx` are finite is seen in parallel, later."""
    x = as_float("x", x, (None, None))
    if x.shape[1] < 2:
        raise InputError("an ensemble needs at least 2 members", found=f"x {x.shape}",
                         expected="(n_parameters, n_members)")
    y = as_float("y", y, (None,))
    hx = as_float("hx", hx, (y.size, x.shape[1]), "the observations of y, the members of x")
    r = as_float("r", r, (y.size,), "a variance for each observation; covariances are given by r_blocks")
    check_squares("y", y)
    if r.size and not (r.min() > 0.0 and r.max() <= LARGEST_VARIANCE):
        check_finite("r", r)
        check_positive("r", r)
        raise InputError("r holds variances whose sums overflow", where=f"index {int(r.argmax())}", found=f"{r.max():g}",
                         expected=f"up to {LARGEST_VARIANCE:g}")
    return x, hx, y, r


def gross_check(prior: Moments, y: np.ndarray, r: np.ndarray, gross) -> np.ndarray:
    """Which observations are used: those whose prior innovation is within `gross` standard deviations."""
    if gross is None:
        return np.ones(y.size, bool)
    limit = check_number("gross", gross, 0.0, open_low=True)
    return np.abs(y - prior.mean) <= limit * np.sqrt(prior.variance + r)


def apply_huber(problem: Independent, huber) -> tuple[Independent, np.ndarray]:
    """Larger error variances for observations far from the prior; Huber's (1964) weights."""
    weight = np.ones(problem.y.size)
    if huber is None:
        return problem, weight
    limit = check_number("huber", huber, 0.0, open_low=True)
    innovation = np.abs(problem.y - problem.moments.mean)
    spread = np.sqrt(problem.moments.variance + problem.r)
    far = innovation > limit * spread
    weight[far] = limit * spread[far] / innovation[far]
    return replace(problem, r=problem.r / weight), weight


def assimilation_order(order, problem: Independent, used: np.ndarray) -> np.ndarray:
    """The observations in use, in the order in which they are assimilated."""
    n = problem.y.size
    if isinstance(order, str):
        if order not in ("given", "greedy"):
            raise InputError("unknown order", found=describe(order), expected="'given', 'greedy' or an index array")
        sequence = np.arange(n)
        if order == "greedy":
            sequence = np.argsort(-problem.moments.variance / problem.r, kind="stable")
    else:
        sequence = as_indices("order", order, n)
        if sequence.size != n:
            raise InputError("order does not name every observation", found=describe(order),
                             expected=f"a permutation of 0 to {n - 1}")
    return sequence[used[sequence]]
