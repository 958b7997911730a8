"""Inflation of the prior perturbations that follows from the innovations, carried from one analysis to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gcas_driver.errors import InputError

from .arrays import LARGEST, check_number, raise_status
from .blocks import Independent

LEAST_OBSERVATIONS = 2
"""With fewer the statistic says nothing, and the estimate stays as it is."""


@dataclass(frozen=True)
class AdaptiveInflation:
    """An estimate of the inflation factor, updated by every analysis that it is given to.

    With innovations d, the ensemble's own HPHᵀ of p observations and the factor λ of the perturbations, E[dᵀ R⁻¹ d] =
    λ² tr(HPHᵀ R⁻¹) + p (Wang and Bishop 2003). Every analysis solves this for λ², whose sampling variance follows from the Gaussian
    moments of the innovations, and combines it with the estimate that it was given by a scalar Kalman step (Li, Kalnay and Miyoshi
    2009; Miyoshi 2011). The statistic knows nothing of localization: it is one factor for the whole analysis.

    Parameters
    ----------
    estimate : float
        Factor of the perturbations (their standard deviation, as the filters' `inflation`), 1.
    error : float
        Its standard error, 1. Zero holds the estimate.
    minimum, maximum : float
        Bounds of the estimate, 1.
    growth : float
        Factor of the estimate's variance from one analysis to the next: 1 for a factor that never changes; else about
        growth/(growth - 1) analyses are remembered.

    Raises
    ------
    InputError
        A number out of range, or an estimate outside its bounds.
    """

    estimate: float = 1.0
    error: float = 0.5
    minimum: float = 0.5
    maximum: float = 3.0
    growth: float = 1.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "minimum", check_number("minimum", self.minimum, 0.0, open_low=True))
        object.__setattr__(self, "maximum", check_number("maximum", self.maximum, self.minimum))
        object.__setattr__(self, "estimate", check_number("estimate", self.estimate, self.minimum, self.maximum))
        object.__setattr__(self, "error", check_number("error", self.error, 0.0))
        object.__setattr__(self, "growth", check_number("growth", self.growth, 1.0))
        if not np.isfinite([self.estimate, self.error, self.maximum, self.growth]).all():
            raise InputError("an AdaptiveInflation holds infinity", found=repr(self), expected="finite numbers")

    def updated(self, hx: np.ndarray, y: np.ndarray, r: np.ndarray) -> AdaptiveInflation:
        """The estimate after one analysis.

        Parameters
        ----------
        hx : ndarray (n_observations, n_members)
            Prior simulated values, not inflated, of the observations in use; float64, C order.
        y, r : ndarray (n_observations,)
            Observed values and error variances; errors uncorrelated.

        Returns
        -------
        AdaptiveInflation
            With fewer than two observations, or no spread, the estimate itself.
        """
        n, n_members = hx.shape
        quadratic, trace, square = innovation_moments(hx, y, r)
        if n < LEAST_OBSERVATIONS or not trace > 0.0:
            return self
        # Of λ², in which the statistic is linear.
        known, variance = self.estimate**2, self.growth * (2.0 * self.estimate * self.error) ** 2
        found, value, share = (quadratic - n) / trace, known, 0.0
        # The sampling variance depends on λ itself: first with the known value, then with the new one.
        for _ in range(2):
            noise = 2.0 * (n + 2.0 * value * trace + value**2 * square * n_members / (n_members - 1)) / trace**2
            share = variance / (variance + noise)
            value = float(np.clip(known + share * (found - known), self.minimum**2, self.maximum**2))
        estimate = float(np.clip(np.sqrt(value), self.minimum, self.maximum))
        return replace(self, estimate=estimate, error=float(np.sqrt((1.0 - share) * variance) / (2.0 * estimate)))


def innovation_moments(hx: np.ndarray, y: np.ndarray, r: np.ndarray) -> tuple[float, float, float]:
    """dᵀ R⁻¹ d, and with B = R^(-1/2) HPHᵀ R^(-1/2) the traces of B and of B B, 1.

    The last one is freed of what the sample of members adds to it: of N-1 = n degrees of freedom the mean of tr(S S) is
    (1 + 1/n) tr(B B) + tr(B)²/n. At least it is the sum of B's squared diagonal.
    """
    from gcas_driver._analysis import gcas_innovation_face

    quadratic, trace, square, status, message = gcas_innovation_face.innovation_moments(np.ascontiguousarray(hx).T, y, r)
    raise_status(status, message, where="innovation_moments")
    n = hx.shape[1] - 1
    if n > 1:
        diagonal = float(np.sum((hx.var(axis=1, ddof=1) / r) ** 2))
        square = max((square - trace**2 / n) * n**2 / ((n - 1) * (n + 2)), diagonal)
    return quadratic, trace, square


def factor_and_successor(inflation, problem: Independent, sequence: np.ndarray) -> tuple[float, AdaptiveInflation | None]:
    """The factor of this analysis, and the estimate for the next one if it is adaptive, by the observations of `sequence`.

    Raises
    ------
    InputError
        `inflation` is neither a positive number nor an `AdaptiveInflation`.
    """
    if isinstance(inflation, AdaptiveInflation):
        following = inflation.updated(problem.hx[sequence], problem.y[sequence], problem.r[sequence])
        return following.estimate, following
    return check_number("inflation", inflation, 0.0, LARGEST, open_low=True), None
