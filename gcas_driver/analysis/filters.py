"""The ensemble filters: arrays in, arrays out; every check stands here, the numerics are Fortran."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gcas_driver.errors import AnalysisError, InputError

from .arrays import (
    LARGEST,
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
    raise_status,
    thread_count,
)
from .blocks import Independent, check_blocks, error_variances, rotate
from .inflation import AdaptiveInflation, factor_and_successor
from .influence import per_observation
from .localization import Localization, prepare_localization

LEAST_SPACING_KM = 25.0
"""Of the grid from which the LETKF interpolates transforms."""


@dataclass(frozen=True, eq=False)
class AnalysisResult:
    """What an analysis gives back.

    Attributes
    ----------
    x : ndarray (n_parameters, n_members)
        Posterior members.
    mean : ndarray (n_parameters,)
        Their mean.
    hx : ndarray (n_observations, n_members)
        Posterior simulated values of all observations, also of those that were not assimilated.
    rejected_share : float
        Rejected pairs of parameter and observation over those nearer than `far_km`; with weights given by the caller,
        the share of zero weights; 0 where there is no pair.
    n_local : ndarray (n_parameters,) of int
        Observations that were accepted for each parameter.
    n_pairs, n_accepted : int
        Pairs of parameter and assimilated observation within reach, and of them accepted.
    n_zero_spread, n_zero_spread_observations : int
        Parameters and observations whose members are all equal: not updated, of no effect.
    n_transforms : int
        Matrices that `letkf` solved, for parameters and simulated values; 0 from `ensrf`.
    gross_rejected : ndarray (n_observations,) of bool
        Observations left out by the gross check; `n_gross_rejected` counts them.
    huber_weight : ndarray (n_observations,)
        Weight given to each observation by `huber`, 1 if none; `n_huber` counts those below 1.
    order : ndarray of int
        The assimilated observations, in the order of assimilation.
    chi2 : float
        Mean over the assimilated observations of innovation^2/(s + R), each when its turn came (`letkf`: of the prior); about
        1 if the ensemble and R tell the truth. NaN without observations.
    inflation : float
        Factor of the prior perturbations that was used.
    next_inflation : AdaptiveInflation or None
        What the next analysis is to be given as `inflation`, if this one was given an `AdaptiveInflation`.
    dfs : float
        Degrees of freedom for signal, the sum of `sensitivity`.
    assimilated : ndarray (n_observations,) of bool
        Observations that had a part in the analysis; of a block all that passed the gross check.
    prior_variance, error_variance : ndarray (n_observations,)
        s with inflation, and R with Huber's weights, as the filter took them; of a block the diagonal.
    sensitivity : ndarray (n_observations,)
        Sensitivity of an analysed to the observed value, posterior variance over R before any relaxation; Liu et al. (2009). 0 where
        not assimilated; NaN if `rtpp` or `rtps` is 1. A rotated observation of a block counts for the block's observations
        with the squares of its eigenvector.
    information : ndarray (n_observations,)
        ½ ln(1 + s/R) with s when an observation's turn came [nat]: what it added to the earlier ones; 0 where not assimilated. NaN from
        `letkf`, which knows no turns.
    """

    x: np.ndarray
    mean: np.ndarray
    hx: np.ndarray
    rejected_share: float
    n_local: np.ndarray
    n_pairs: int
    n_accepted: int
    n_zero_spread: int
    n_zero_spread_observations: int
    n_transforms: int
    gross_rejected: np.ndarray
    huber_weight: np.ndarray
    order: np.ndarray
    inflation: float
    next_inflation: AdaptiveInflation | None
    chi2: float
    dfs: float
    assimilated: np.ndarray
    prior_variance: np.ndarray
    error_variance: np.ndarray
    sensitivity: np.ndarray
    information: np.ndarray

    def __repr__(self) -> str:
        """What one wants to see of it in a session; the arrays are attributes."""
        (n_parameters, n_members), n = self.x.shape, self.assimilated.size
        return (f"AnalysisResult({n_parameters} parameters, {n_members} members, {int(self.assimilated.sum())} of {n} observations "
                f"assimilated, chi2 {self.chi2:.3g}, dfs {self.dfs:.4g}, {100.0 * self.rejected_share:.1f} % of the pairs rejected, "
                f"inflation {self.inflation:.4g})")

    @property
    def n_gross_rejected(self) -> int:
        """Observations left out by the gross check."""
        return int(self.gross_rejected.sum())

    @property
    def n_huber(self) -> int:
        """Observations whose weight `huber` lowered."""
        return int((self.huber_weight < 1.0).sum())


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
    n_parameters, n_members = members.shape
    core = prepare_localization(localization, n_parameters, y.size, n_members)
    n_threads = thread_count(threads)
    inflation, rtpp, rtps = relaxation
    rtpp, rtps = check_number("rtpp", rtpp, 0.0, 1.0), check_number("rtps", rtps, 0.0, 1.0)
    check_choice("precision", precision, ("double", "single"))
    blocks = check_blocks(r_blocks, y.size)

    r = error_variances(r, blocks)
    used = gross_check(hx, y, r, gross)
    problem = rotate(y, r, hx, core, blocks, used)
    problem, huber_weight = apply_huber(problem, huber)
    spread = has_spread(problem.hx)
    if spread.size > 1 and not spread.any():
        raise AnalysisError("no simulated value has any spread", found=f"{spread.size} observations, spread 0",
                            expected="members that differ", advice="see whether the perturbed fluxes reached the model")
    sequence = sequence_of(problem, used & spread)
    inflation, following = factor_and_successor(inflation, problem.hx[sequence], problem.y[sequence], problem.r[sequence])

    if np.may_share_memory(members, x) and not (overwrite_x and members.flags.writeable):
        members = members.copy()
    problem = problem.apart_from(members)
    counts = dict(gross_rejected=~used, huber_weight=huber_weight, n_zero_spread_observations=int(np.sum(~spread)),
                  inflation=inflation, next_inflation=following)
    return run_core(method, members, problem, sequence, counts, n_threads, (inflation, rtpp, rtps, precision == "single", spacing_km))


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
    """The arrays of the problem in the core's form; whether `x` is finite is seen by the core, in parallel."""
    x = as_float("x", x, (None, None))
    if x.shape[1] < 2:
        raise InputError("an ensemble needs at least 2 members", found=f"x {x.shape}",
                         expected="(n_parameters, n_members)")
    y = as_float("y", y, (None,))
    hx = as_float("hx", hx, (y.size, x.shape[1]), "the observations of y, the members of x")
    r = as_float("r", r, (y.size,), "a variance for each observation; covariances are given by r_blocks")
    for name, array in (("y", y), ("hx", hx)):
        check_squares(name, array)
    check_finite("r", r)
    check_positive("r", r)
    if r.size and r.max() > LARGEST_VARIANCE:
        raise InputError("r holds variances whose sums overflow", where=f"index {int(r.argmax())}", found=f"{r.max():g}",
                         expected=f"up to {LARGEST_VARIANCE:g}")
    return x, hx, y, r


def gross_check(hx: np.ndarray, y: np.ndarray, r: np.ndarray, gross) -> np.ndarray:
    """Which observations are used: those whose prior innovation is within `gross` standard deviations."""
    if gross is None:
        return np.ones(y.size, bool)
    limit = check_number("gross", gross, 0.0, open_low=True)
    return np.abs(y - hx.mean(axis=1)) <= limit * np.sqrt(hx.var(axis=1, ddof=1) + r)


def apply_huber(problem: Independent, huber) -> tuple[Independent, np.ndarray]:
    """Larger error variances for observations far from the prior; Huber's (1964) weights."""
    weight = np.ones(problem.y.size)
    if huber is None:
        return problem, weight
    limit = check_number("huber", huber, 0.0, open_low=True)
    innovation = np.abs(problem.y - problem.hx.mean(axis=1))
    spread = np.sqrt(problem.hx.var(axis=1, ddof=1) + problem.r)
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
            sequence = np.argsort(-problem.hx.var(axis=1, ddof=1) / problem.r, kind="stable")
    else:
        sequence = as_indices("order", order, n)
        if sequence.size != n:
            raise InputError("order does not name every observation", found=describe(order),
                             expected=f"a permutation of 0 to {n - 1}")
    return sequence[used[sequence]]


def has_spread(hx: np.ndarray) -> np.ndarray:
    """Which rows have members that differ by more than rounding, and by so much that squares are numbers, (n,) of bool."""
    if hx.size == 0:
        return np.zeros(hx.shape[0], bool)
    return hx.max(axis=1) - hx.min(axis=1) > np.maximum(32 * np.finfo(float).eps * np.abs(hx).max(axis=1), 2 / LARGEST)


def run_core(method: str, x: np.ndarray, problem: Independent, sequence: np.ndarray, counts: dict, n_threads: int,
             options: tuple[float, float, float, bool, float]) -> AnalysisResult:
    """Call the core and gather its results; `x` becomes the posterior."""
    from gcas_driver._analysis import gcas_filter_face, gcas_status

    local = problem.localization
    hx = problem.hx.copy()
    mean, n_local = np.zeros(x.shape[0]), np.zeros(x.shape[0], np.int32)
    turn_mean, turn_variance = np.zeros(sequence.size), np.zeros(sequence.size)
    n_pairs, n_accepted, n_zero_spread, n_transforms, status, message = gcas_filter_face.analyse(
        method == "letkf", local.kind, local.near_km, local.far_km, local.tested, local.critical_one_sided, local.critical_two_sided,
        local.sign_rule, local.tapered, local.max_sources, local.best_correlated, *options, n_threads,
        local.parameter_lon, local.parameter_lat, local.parameter_sign, local.observation_lon, local.observation_lat,
        local.parameter_weights.T, local.observation_weights.T, problem.y, problem.r, (sequence + 1).astype(np.int32),
        problem.test.T, x.T, hx.T, mean, n_local, turn_mean, turn_variance)
    if status == gcas_status.status_not_finite:
        check_squares("x", x)
    if status == gcas_status.status_overflow or (
            status == gcas_status.status_ok and not all(np.isfinite(array.sum()) for array in (mean, hx, turn_variance))):
        raise AnalysisError("the analysis left the range of numbers", where=method, found="infinity or NaN in the posterior",
                            expected="finite numbers", advice="choose units in which values, variances and inflation are of "
                            "ordinary size")
    raise_status(status, message, where=method)
    if x.shape[0] and sequence.size and n_zero_spread == x.shape[0]:
        raise AnalysisError("no parameter has any spread", found=f"{x.shape[0]} parameters, spread 0",
                            expected="members that differ", advice="see the prior fluxes and their lambda")
    r_used = problem.r[sequence]
    chi2 = float(np.mean((problem.y[sequence] - turn_mean) ** 2 / (turn_variance + r_used))) if sequence.size else np.nan
    information = np.full(sequence.size, np.nan)
    if method == "ensrf":
        with np.errstate(over="ignore"):  # where R is next to nothing the ratio is too large, its logarithm is not
            ratio = turn_variance / r_used
        information = np.where(np.isfinite(ratio), np.log1p(ratio), np.log(np.maximum(turn_variance, r_used)) - np.log(r_used)) / 2.0
    figures = per_observation(problem, sequence, hx, information, options[:3])
    problem.turn_back(hx)
    return AnalysisResult(
        x=x, mean=mean, hx=hx, rejected_share=(n_pairs - n_accepted) / n_pairs if n_pairs else 0.0, n_local=n_local,
        n_pairs=int(n_pairs), n_accepted=int(n_accepted), n_zero_spread=int(n_zero_spread), n_transforms=int(n_transforms),
        order=sequence, chi2=chi2, **figures, **counts)
