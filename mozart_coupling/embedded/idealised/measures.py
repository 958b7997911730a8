"""Measures of error on the sphere: norms, mixing of correlated tracers, filaments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mozart_coupling.embedded.idealised.fields import correlated

CHI_RANGE = (0.1, 1.0)  # of the cosine bells on the sphere
ON_THE_EDGE = 1.0e-12  # points so near to a border count as inside


@dataclass(frozen=True)
class Norms:
    """Normalised errors of Williamson et al. (1992), eqs. 82-84, and the extremes of the result."""

    l1: float
    l2: float
    linf: float
    smallest: float
    largest: float


@dataclass(frozen=True)
class Mixing:
    """Mixing diagnostics of Lauritzen & Thuburn (2012): mean distance from the curve, in shares of the initial ranges, by where points lie.

    Attributes
    ----------
    real
        l_r: inside the curve's convex hull, as air mixes.
    unmixing
        l_u: outside the hull, but within the initial ranges.
    overshooting
        l_o: outside the initial ranges.
    """

    real: float
    unmixing: float
    overshooting: float


def norms(result: np.ndarray, exact: np.ndarray, weight: ArrayLike) -> Norms:
    """Errors of cell means against the exact ones.

    Parameters
    ----------
    result, exact
        (..., nlat, nlon).
    weight
        Area or volume of each cell, broadcast against them; or a `Grid`, whose areas are taken.
    """
    weight = np.asarray(getattr(weight, "area", weight))
    error = result - exact
    return Norms(l1=float((np.abs(error) * weight).sum() / (np.abs(exact) * weight).sum()),
                 l2=float(np.sqrt((error**2 * weight).sum() / (exact**2 * weight).sum())),
                 linf=float(np.abs(error).max() / np.abs(exact).max()),
                 smallest=float(result.min()), largest=float(result.max()))


def mixing(chi: np.ndarray, xi: np.ndarray, weight: ArrayLike, chi_range: tuple[float, float] = CHI_RANGE) -> Mixing:
    """Mixing diagnostics of the pair that started on ξ = -0.8 χ² + 0.9; Lauritzen & Thuburn (2012), section 2.

    Parameters
    ----------
    chi, xi
        Tracers of one shape (..., nlat, nlon).
    weight
        Area or volume of each cell, broadcast against them.
    chi_range
        Least and largest χ at the start, neither below zero: they give the range of ξ.
    """
    weight = np.broadcast_to(np.asarray(weight), chi.shape)
    share = distance_from_curve(chi, xi, chi_range) * weight / weight.sum()
    (chi_low, chi_high), (xi_low, xi_high) = chi_range, xi_range(chi_range)
    chord = xi_high + (chi - chi_low) * (xi_low - xi_high) / (chi_high - chi_low)
    hull = (xi <= correlated(chi) + ON_THE_EDGE) & (xi >= chord - ON_THE_EDGE)
    ranges = ((chi >= chi_low - ON_THE_EDGE) & (chi <= chi_high + ON_THE_EDGE)
              & (xi >= xi_low - ON_THE_EDGE) & (xi <= xi_high + ON_THE_EDGE))
    return Mixing(real=float(share[hull].sum()), unmixing=float(share[ranges & ~hull].sum()),
                  overshooting=float(share[~ranges & ~hull].sum()))


def xi_range(chi_range: tuple[float, float]) -> tuple[float, float]:
    """Least and largest ξ of the curve where χ lies in a range."""
    low, high = chi_range
    return correlated(high), correlated(low)


def distance_from_curve(chi: np.ndarray, xi: np.ndarray, chi_range: tuple[float, float] = CHI_RANGE) -> np.ndarray:
    """Shortest distance from ξ = -0.8 x² + 0.9, x in `chi_range`, both axes in units of the initial ranges.

    The squared distance is least at an end, or where x³ + p x + q = 0 with r = (range of ξ / range of χ)² / 1.28,
    p = r - (0.9 - ξ)/0.8, q = -r χ: Cardano's formula, or its trigonometric form where there are three real roots.
    """
    (chi_low, chi_high), (xi_low, xi_high) = chi_range, xi_range(chi_range)
    chi_span, xi_span = chi_high - chi_low, xi_high - xi_low
    r = (xi_span / chi_span) ** 2 / 1.28
    p, half = r - (0.9 - xi) / 0.8, 0.5 * r * chi
    discriminant = half**2 + (p / 3.0) ** 3
    root = np.sqrt(np.maximum(discriminant, 0.0))
    one = np.cbrt(half + root) + np.cbrt(half - root)
    radius = np.sqrt(np.maximum(-p / 3.0, 0.0))
    angle = np.arccos(np.clip(half / np.maximum(radius, 1e-100) ** 3, -1.0, 1.0)) / 3.0
    candidates = [np.full_like(chi, chi_low), np.full_like(chi, chi_high)]
    for k in range(3):
        three = 2.0 * radius * np.cos(angle - 2.0 * np.pi * k / 3.0)
        candidates.append(np.clip(np.where(discriminant >= 0.0, one, three), chi_low, chi_high))
    squared = [((x - chi) / chi_span) ** 2 + ((correlated(x) - xi) / xi_span) ** 2 for x in candidates]
    return np.sqrt(np.min(squared, axis=0))


def filaments(result: np.ndarray, start: np.ndarray, area: ArrayLike, thresholds: ArrayLike) -> np.ndarray:
    """Filament diagnostic l_f of Lauritzen et al. (2012), eqs. 27-29: area at or above each threshold, against the initial one.

    Parameters
    ----------
    result, start
        A tracer at half time and at the start (nlat, nlon).
    area
        (nlat, nlon), any unit.
    thresholds
        (n,), unit of the tracer.

    Returns
    -------
    numpy.ndarray
        (n,) [%]; 0 where nothing was above the threshold at the start.
    """
    area = np.asarray(area)
    before, after = (np.array([area[field >= threshold - ON_THE_EDGE].sum() for threshold in np.asarray(thresholds)])
                     for field in (start, result))
    return 100.0 * np.divide(after, before, out=np.zeros_like(after), where=before > 0.0)
