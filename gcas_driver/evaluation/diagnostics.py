"""How the analysis of each window behaved: χ², spread, share of rejected pairs, numbers; and σ of the scaling factors on a map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mozart_coupling.grids import wrap_longitude

from . import files
from .case import Case, Window


@dataclass(frozen=True)
class WindowDiagnostics:
    """One window's analysis; None where it had nothing to say.

    Attributes
    ----------
    window : str
    super_observations : int
    chi2_background, chi2_posterior : float or None
        Mean of (y − x̄)² / (s + r²) over super-observations, s the ensemble variance of the simulated value; 1 when spread and errors are
        right (before the analysis).
    spread_background, spread_posterior : float or None
        Root mean ensemble variance of the simulated super-observations [ppm].
    departure_background, departure_posterior : float or None
        Root mean square of y − x̄ [ppm].
    rejected_share : float or None
        (parameter, observation) pairs within reach that localization rejected, 0 … 1.
    """

    window: str
    super_observations: int
    chi2_background: float | None = None
    chi2_posterior: float | None = None
    spread_background: float | None = None
    spread_posterior: float | None = None
    departure_background: float | None = None
    departure_posterior: float | None = None
    rejected_share: float | None = None


@dataclass(frozen=True)
class FactorSpread:
    """σ of the scaling factors per optimised component and parameter, mean over the windows that count.

    Attributes
    ----------
    components : tuple of str
    lon, lat : ndarray (n_components, n_parameters)
        Degrees; NaN where a component has fewer parameters than another.
    prior, posterior : ndarray (n_components, n_parameters)
    """

    components: tuple[str, ...]
    lon: np.ndarray
    lat: np.ndarray
    prior: np.ndarray
    posterior: np.ndarray


def read_diagnostics(case: Case) -> list[WindowDiagnostics]:
    """Of all windows, spin-up too."""
    return [_window(w, case.journal.get(w.name, {}).get("rejected_share")) for w in case.windows]


def _window(window: Window, noted_share: float | None) -> WindowDiagnostics:
    with files.opened(window.directory / "analysis.nc") as dataset:
        share = files.attribute(dataset, "rejected_share")
    share = noted_share if share is None else share
    with files.opened(window.directory / "observations.nc") as dataset:
        size = dataset.dimensions["super_observation"].size if "super_observation" in dataset.dimensions else 0
        if not size:
            return WindowDiagnostics(window.name, 0, rejected_share=share)
        value = files.numbers(dataset, "super_observation_value", "super_value")
        error = files.numbers(dataset, "super_observation_error", "super_error")
        simulated = [files.numbers(dataset, name) for name in ("hx_background", "hx_posterior")]
    chi2, spread, departure = zip(*(_measures(value, error, hx) for hx in simulated), strict=True)
    return WindowDiagnostics(window.name, size, *chi2, *spread, *departure, share)


def _measures(value: np.ndarray, error: np.ndarray, hx: np.ndarray) -> tuple[float, float, float] | tuple[None, None, None]:
    good = np.isfinite(value) & np.isfinite(error) & np.isfinite(hx).all(axis=1)
    if not good.any() or hx.shape[1] < 2:
        return None, None, None
    innovation = value[good] - hx[good].mean(axis=1)
    variance = hx[good].var(axis=1, ddof=1)
    return (float(np.mean(innovation**2 / (variance + error[good] ** 2))), float(np.sqrt(variance.mean())),
            float(np.sqrt(np.mean(innovation**2))))


def read_factor_spread(case: Case) -> FactorSpread | None:
    """σ of the factors; None if no window counts."""
    prior = posterior = 0.0
    windows = case.counted
    for window in windows:
        with files.opened(window.directory / "analysis.nc") as dataset:
            components = tuple(files.texts(dataset, "component"))
            lon, lat = files.numbers(dataset, "lon"), files.numbers(dataset, "lat")
            sigma = [_sigma(files.variable(dataset, name)) for name in ("factor_prior", "factor_posterior")]
        prior, posterior = prior + sigma[0] / len(windows), posterior + sigma[1] / len(windows)
    if not windows:
        return None
    lon, lat = (np.broadcast_to(place, prior.shape) for place in (wrap_longitude(lon), lat))
    return FactorSpread(components, lon, lat, prior, posterior)


def _sigma(factor) -> np.ndarray:
    """Standard deviation over members (component, parameter), one component in memory at a time."""
    members = factor.dimensions.index("member")
    if factor.shape[members] < 2:
        return np.zeros(factor.shape[:members])
    return np.stack([np.asarray(part[...], dtype=np.float64).std(axis=-1, ddof=1) for part in (factor[i] for i in range(factor.shape[0]))])
