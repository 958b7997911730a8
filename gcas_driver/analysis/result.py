"""What an analysis gives back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .inflation import AdaptiveInflation


@dataclass(frozen=True, eq=False)
class AnalysisResult:
    """What `ensrf` and `letkf` give back. Units are those of the arrays that were given: u of y and hx, u² of r.

    Attributes
    ----------
    x : ndarray (n_parameters, n_members)
        Posterior members.
    mean : ndarray (n_parameters,)
        Their mean.
    hx : ndarray (n_observations, n_members)
        Posterior simulated values of all observations, also of those that were not assimilated [u].

    n_local : ndarray (n_parameters,) of int
        Observations that were accepted for each parameter; 0 for one without spread.
    n_pairs, n_accepted : int
        Pairs of parameter and assimilated observation within reach, and of them accepted; with weights given by the caller, all pairs and
        those with a weight above zero. `rejected_share` follows from them. Parameters without spread take part in none.
    n_zero_spread, n_zero_spread_observations : int
        Parameters and observations whose members are all equal: not updated, of no effect. Nothing but this number depends on whether such
        parameters are passed or left out.
    n_transforms : int
        Matrices that `letkf` solved, for parameters and simulated values; 0 from `ensrf`.

    order : ndarray of int
        The assimilated observations, in the order of assimilation.
    assimilated : ndarray (n_observations,) of bool
        Observations that had a part in the analysis; of a block all that passed the gross check.
    gross_rejected : ndarray (n_observations,) of bool
        Observations left out by the gross check; `n_gross_rejected` counts them.
    huber_weight : ndarray (n_observations,)
        Weight given to each observation by `huber`, 1 if none; `n_huber` counts those below 1.
    prior_variance, error_variance : ndarray (n_observations,)
        s with inflation, and R with Huber's weights, as the filter took them; of a block the diagonal [u²].
    sensitivity : ndarray (n_observations,)
        Sensitivity of an analysed to the observed value, posterior variance over R before any relaxation; Liu et al. (2009). 0 where
        not assimilated; NaN if `rtpp` or `rtps` is 1. A rotated observation of a block counts for the block's observations
        with the squares of its eigenvector.
    information : ndarray (n_observations,)
        ½ ln(1 + s/R) with s when an observation's turn came [nat]: what it added to the earlier ones; 0 where not assimilated. NaN from
        `letkf`, which knows no turns.

    chi2 : float
        Mean over the assimilated observations of innovation²/(s + R), each when its turn came (`letkf`: of the prior); about
        1 if the ensemble and R tell the truth. NaN without observations.
    dfs : float
        Degrees of freedom for signal, the sum of `sensitivity`.
    inflation : float
        Factor of the prior perturbations that was used.
    next_inflation : AdaptiveInflation or None
        What the next analysis is to be given as `inflation`, if this one was given an `AdaptiveInflation`.
    """

    x: np.ndarray
    mean: np.ndarray
    hx: np.ndarray

    n_local: np.ndarray
    n_pairs: int
    n_accepted: int
    n_zero_spread: int
    n_zero_spread_observations: int
    n_transforms: int

    order: np.ndarray
    assimilated: np.ndarray
    gross_rejected: np.ndarray
    huber_weight: np.ndarray
    prior_variance: np.ndarray
    error_variance: np.ndarray
    sensitivity: np.ndarray
    information: np.ndarray

    chi2: float
    dfs: float
    inflation: float
    next_inflation: AdaptiveInflation | None

    def __repr__(self) -> str:
        """What one wants to see of it in a session; the arrays are attributes."""
        (n_parameters, n_members), n = self.x.shape, self.assimilated.size
        return (f"AnalysisResult({n_parameters} parameters, {n_members} members, {int(self.assimilated.sum())} of {n} observations "
                f"assimilated, chi2 {self.chi2:.3g}, dfs {self.dfs:.4g}, {100.0 * self.rejected_share:.1f} % of the pairs rejected, "
                f"inflation {self.inflation:.4g})")

    @property
    def rejected_share(self) -> float:
        """Rejected pairs of parameter and observation over those nearer than `far_km` (weights by the caller: the share of zeros); 0
        where there is no pair."""
        return (self.n_pairs - self.n_accepted) / self.n_pairs if self.n_pairs else 0.0

    @property
    def n_gross_rejected(self) -> int:
        """Observations left out by the gross check."""
        return int(self.gross_rejected.sum())

    @property
    def n_huber(self) -> int:
        """Observations whose weight `huber` lowered."""
        return int((self.huber_weight < 1.0).sum())
