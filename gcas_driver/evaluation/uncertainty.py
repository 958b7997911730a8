"""Uncertainty of regional fluxes and what the observations took off it: equation (19).

σ is the standard deviation over members of a region's *total*, so that correlations between cells, components and regions count.
How errors of one window relate to those of the next no window's ensemble can tell, hence two readings of a mean over windows:
`independent` (errors forget; quadrature) and `persistent` (errors last; the mean of the windows' σ).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gcas_driver.errors import InputError

READINGS = ("persistent", "independent")


def standard_deviation(members: ArrayLike) -> np.ndarray:
    """Standard deviation over the last axis, N − 1 in the denominator; zero for a single member."""
    members = np.asarray(members, dtype=np.float64)
    return members.std(axis=-1, ddof=1) if members.shape[-1] > 1 else np.zeros(members.shape[:-1])


def aggregate(sigma: ArrayLike, weights: ArrayLike, reading: str) -> np.ndarray:
    """σ of a weighted mean over windows.

    Parameters
    ----------
    sigma : array_like (n_windows, ...)
        σ of each window's mean flux.
    weights : array_like (n_windows,)
        Length of each window, or what of it falls into a month; at least one positive.
    reading : str
        "persistent": Σ w σ / Σ w. "independent": sqrt(Σ (w σ)²) / Σ w.

    Returns
    -------
    ndarray (...)
    """
    sigma, weights = np.asarray(sigma, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    if weights.shape != sigma.shape[:1] or weights.sum() <= 0 or (weights < 0).any():
        raise InputError("weights do not fit the windows", "aggregate", f"{weights.shape}, sum {weights.sum():g}",
                         f"{sigma.shape[:1]}, not negative, not all zero")
    shares = weights / weights.sum()
    if reading == "persistent":
        return np.tensordot(shares, sigma, axes=1)
    if reading == "independent":
        return np.sqrt(np.tensordot(shares**2, sigma**2, axes=1))
    raise InputError("unknown reading of uncertainties over windows", "aggregate", repr(reading), " or ".join(READINGS))


def uncertainty_reduction(posterior: ArrayLike, prior: ArrayLike) -> np.ndarray:
    """UR = (1 − σ_posterior / σ_prior) · 100, (19) [%]; NaN where the prior has no uncertainty."""
    posterior, prior = np.asarray(posterior, dtype=np.float64), np.asarray(prior, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(prior > 0.0, 100.0 * (1.0 - posterior / prior), np.nan)


def coverage(estimate: ArrayLike, sigma: ArrayLike, truth: ArrayLike, width: float) -> float | None:
    """Share of estimates within `width` σ of the truth, in [0, 1]; None of nothing."""
    estimate, sigma, truth = (np.asarray(a, dtype=np.float64) for a in (estimate, sigma, truth))
    return float(np.mean(np.abs(estimate - truth) <= width * sigma)) if estimate.size else None


def period_weights(starts: np.ndarray, ends: np.ndarray, period: str) -> dict[str, np.ndarray]:
    """How much of each window falls into each calendar period.

    Parameters
    ----------
    starts, ends : ndarray of datetime64 (n_windows,)
    period : str
        "month" or "year".

    Returns
    -------
    dict
        "YYYY-MM" or "YYYY" → (n_windows,) days; periods that no window touches are left out.
    """
    unit = {"month": "M", "year": "Y"}[period]
    starts, ends = (np.asarray(a, dtype="datetime64[s]") for a in (starts, ends))
    first, last = starts.min().astype(f"datetime64[{unit}]"), (ends.max() - np.timedelta64(1, "s")).astype(f"datetime64[{unit}]")
    result = {}
    for current in np.arange(first, last + 1):
        low, high = current.astype("datetime64[s]"), (current + 1).astype("datetime64[s]")
        days = (np.minimum(ends, high) - np.maximum(starts, low)) / np.timedelta64(86400, "s")
        if (days > 0).any():
            result[str(current)] = np.maximum(days, 0.0)
    return result
