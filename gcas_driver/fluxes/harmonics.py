"""Homogeneous, isotropic random fields on the sphere with a given correlation function, by spherical harmonics.

    f(p) = Σ_l sqrt(a_l / (2l+1)) Σ_m Y_lm(p) z_lm,    ρ(d) = Σ_l a_l P_l(cos d/R),    z_lm ~ N(0, 1) independent,

with Y normalised to Σ_m Y_lm² = 2l+1. The variance is Σ a_l everywhere and the correlation is ρ, whatever the grid (Wahba,
Spline Models for Observational Data, 1990, chapter 2). All sums run in a fixed order: bits do not depend on threads or on
the number of members.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mozart_coupling.constants import EARTH_RADIUS_M

RADIUS_KM = EARTH_RADIUS_M / 1000.0
N_PANELS = 64  # of the quadrature for the spectrum, finer towards the cusp of exp(-d/L) at d = 0
N_NODES = 32
MAX_DEGREE = 300
ENOUGH_VARIANCE = 1.0 - 1.0e-6


@dataclass(frozen=True, eq=False)
class SphereField:
    """The spectrum of a correlation function.

    Attributes
    ----------
    variance : numpy.ndarray
        (degree + 1,) a_l.
    rest : float
        Variance beyond the last degree, 1 - Σ a_l: structure finer than a cell, drawn independently per cell.
    """

    variance: np.ndarray
    rest: float

    @classmethod
    @lru_cache(maxsize=8)
    def of(cls, length_km: float, shape: str, spacing_km: float) -> SphereField:
        """The field with correlation length [km] and shape "exponential" or "gaussian", for cells of a size [km]."""
        finest = int(min(MAX_DEGREE, np.ceil(1.5 * np.pi * RADIUS_KM / spacing_km)))
        spectrum = np.clip(_spectrum(length_km, shape, finest), 0.0, None)
        spectrum /= max(1.0, spectrum.sum())
        enough = int(np.searchsorted(np.cumsum(spectrum), ENOUGH_VARIANCE))
        if enough < finest:
            spectrum = spectrum[: enough + 1] / spectrum[: enough + 1].sum()
            return cls(spectrum, 0.0)
        return cls(spectrum, float(1.0 - spectrum.sum()))

    @property
    def degree(self) -> int:
        """The last degree."""
        return self.variance.size - 1

    @property
    def n_amplitudes(self) -> int:
        """Number of independent z_lm, (degree + 1)²; z_lm has index l² + l + m."""
        return self.variance.size**2

    def synthesis(self, amplitudes: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Field values.

        Parameters
        ----------
        amplitudes : numpy.ndarray
            (n_amplitudes, n_members), z_lm.
        lon, lat : numpy.ndarray
            (n_points,) degrees; points that share a latitude cost little.

        Returns
        -------
        numpy.ndarray
            (n_points, n_members).
        """
        rows, row_of = np.unique(lat, return_inverse=True)
        table = self._scaled_legendre(rows)
        waves = np.zeros((2 * self.degree + 1, rows.size, amplitudes.shape[1]))  # index degree + m
        for (order, column), row_values in table.items():
            for m in {order, -order}:
                waves[self.degree + m] += row_values[:, None] * amplitudes[column * column + column + m]
        result = np.empty((lon.size, amplitudes.shape[1]))
        for row in range(rows.size):
            points = np.flatnonzero(row_of == row)
            result[points] = self._around_a_circle(waves[:, row], np.deg2rad(lon[points]))
        return result

    def projection(self, weights: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Coefficients g of sums over points: Σ_p w_p f(p) = Σ g_lm z_lm, so that the sum's variance is Σ g².

        Parameters
        ----------
        weights : numpy.ndarray
            (n_sums, n_points).

        Returns
        -------
        numpy.ndarray
            (n_sums, n_amplitudes).
        """
        rows, row_of = np.unique(lat, return_inverse=True)
        table = self._scaled_legendre(rows)
        longitude = np.deg2rad(lon)
        result = np.zeros((weights.shape[0], self.n_amplitudes))
        for m in range(-self.degree, self.degree + 1):
            by_point = weights * _wave(m, longitude)
            by_row = np.stack([np.bincount(row_of, w, rows.size) for w in by_point])
            for column in range(abs(m), self.degree + 1):
                result[:, column * column + column + m] = by_row @ table[abs(m), column]
        return result

    def _around_a_circle(self, waves: np.ndarray, longitude: np.ndarray) -> np.ndarray:
        total = np.zeros((longitude.size, waves.shape[1]))
        for m in range(-self.degree, self.degree + 1):
            total += _wave(m, longitude)[:, None] * waves[self.degree + m]
        return total

    def _scaled_legendre(self, lat: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
        """(order, degree) → sqrt(a_l / (2l+1)) P̄_lm(sin lat), P̄ fully normalised (Holmes and Featherstone, 2002)."""
        scale = np.sqrt(self.variance / (2.0 * np.arange(self.degree + 1) + 1.0))
        sine, cosine = np.sin(np.deg2rad(lat)), np.cos(np.deg2rad(lat))
        table = {}
        diagonal = np.ones_like(sine)
        for m in range(self.degree + 1):
            if m == 1:
                diagonal = np.sqrt(3.0) * cosine
            elif m > 1:
                diagonal = np.sqrt((2.0 * m + 1.0) / (2.0 * m)) * cosine * diagonal
            older, current = np.zeros_like(sine), diagonal
            table[m, m] = scale[m] * current
            for degree in range(m + 1, self.degree + 1):
                a = np.sqrt((4.0 * degree**2 - 1.0) / (degree**2 - m**2))
                b = np.sqrt(((degree - 1.0) ** 2 - m**2) / (4.0 * (degree - 1.0) ** 2 - 1.0))
                older, current = current, a * (sine * current - b * older)
                table[m, degree] = scale[degree] * current
        return table


def _wave(m: int, longitude: np.ndarray) -> np.ndarray:
    return np.cos(m * longitude) if m >= 0 else np.sin(-m * longitude)


def _spectrum(length_km: float, shape: str, degree: int) -> np.ndarray:
    """a_l = (2l+1)/2 ∫ ρ P_l(cos θ) sin θ dθ, l = 0 … degree, by Gauss-Legendre panels in angle."""
    nodes, weights = np.polynomial.legendre.leggauss(N_NODES)
    edges = np.pi * np.linspace(0.0, 1.0, N_PANELS + 1) ** 2
    half = 0.5 * np.diff(edges)[:, None]
    angle = (edges[:-1, None] + half + half * nodes).ravel()
    distance = RADIUS_KM * angle / length_km
    correlation = np.exp(-distance) if shape == "exponential" else np.exp(-0.5 * distance**2)
    weighted = (half * weights).ravel() * np.sin(angle) * correlation
    cosine = np.cos(angle)
    spectrum = np.empty(degree + 1)
    older, current = np.zeros_like(angle), np.ones_like(angle)
    for l_ in range(degree + 1):
        spectrum[l_] = 0.5 * (2 * l_ + 1) * np.sum(weighted * current)
        older, current = current, ((2 * l_ + 1) * cosine * current - l_ * older) / (l_ + 1)
    return spectrum
