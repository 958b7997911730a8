"""How the analysis behaved, by window and over windows, from the figures that the run wrote; and σ of the scaling factors on a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gcas_driver.analysis import Diagnostics, nothing_to_diagnose
from gcas_driver.analysis.diagnostics import ALL, QUANTITIES, RANK_BINS, rank_flatness
from mozart_coupling.grids import wrap_longitude

from . import files
from .case import Case, Window

SQUARES = ("rms_innovation", "rms_departure", "expected_rms")
TOTALS = ("number", "gross_rejected", "down_weighted")
PER_WINDOW = ("dfs", "dfs_ensemble", "information", "information_added", "information_ensemble", "information_alone")
"""How figures of several windows are taken together: mean squares, sums, means over windows; all others are means over observations."""


@dataclass(frozen=True)
class WindowDiagnostics:
    """One window's analysis.

    Attributes
    ----------
    window : str
    figures : Diagnostics
        By group of super-observations; only "all", with zero counts, where there were none.
    rejected_share : float or None
        (parameter, observation) pairs within reach that localization rejected, 0 … 1.
    """

    window: str
    figures: Diagnostics
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
        if "diagnostic_group" not in dataset.dimensions:
            return WindowDiagnostics(window.name, nothing_to_diagnose(), share)
        groups = tuple(files.texts(dataset, "diagnostic_group"))
        values = {name: files.numbers(dataset, f"diagnostic_{name}") for name in QUANTITIES}
        counts = files.numbers(dataset, "diagnostic_rank_count").astype(int)
    return WindowDiagnostics(window.name, Diagnostics(groups, values, counts), share)


def pooled(windows: Sequence[Diagnostics]) -> Diagnostics:
    """Several windows as one: means over all observations, sums of counts; signal and information are means over the windows.

    Standard errors are those of independent windows.
    """
    groups = tuple(dict.fromkeys(group for window in windows for group in window.groups)) or (ALL,)
    values = {name: np.full((len(windows), len(groups)), np.nan) for name in QUANTITIES}
    counts = np.zeros((len(groups), RANK_BINS), int)
    for row, window in enumerate(windows):
        columns = [groups.index(group) for group in window.groups]
        counts[columns] += window.rank_count
        for name, rows in values.items():
            rows[row, columns] = window.values[name]
    number = np.nan_to_num(values["number"])
    result = {name: _together(name, rows, number) for name, rows in values.items()}
    result["rank_chi2"], result["rank_p"] = rank_flatness(counts)
    with np.errstate(invalid="ignore"):
        result["spread_skill"] = result["rms_innovation"] / result["expected_rms"]
    return Diagnostics(groups, result, counts)


def _together(name: str, values: np.ndarray, number: np.ndarray) -> np.ndarray:
    """One quantity (n_windows, n_groups) of groups with `number` observations in each window, (n_groups,)."""
    there = np.nan_to_num(values)
    if name in TOTALS:
        return there.sum(axis=0)
    known = np.isfinite(values) & (number > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        if name in PER_WINDOW:
            return np.where(known.any(axis=0), there.sum(axis=0) / len(values), np.nan)
        weight = np.where(known, number, 0.0) / np.where(known, number, 0.0).sum(axis=0)
        if name in SQUARES:
            return np.sqrt((weight * there**2).sum(axis=0))
        if name.endswith("_error"):
            return np.sqrt(((weight * there) ** 2).sum(axis=0))
        return (weight * there).sum(axis=0)


def table_of(figures: Diagnostics) -> dict[str, Any]:
    """Figures as {"all": {…}, "product": {name: {…}}, "region": {name: {…}}}, with `rank_count`; None where there is no number."""
    result: dict[str, Any] = {}
    for row, group in enumerate(figures.groups):
        entry: dict[str, Any] = {name: _number(values[row]) for name, values in figures.values.items()}
        entry |= {name: int(figures.values[name][row]) for name in TOTALS} | {"rank_count": figures.rank_count[row].tolist()}
        kind, _, label = group.partition(":")
        if label:
            result.setdefault(kind, {})[label] = entry
        else:
            result[kind] = entry
    return result


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


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
