"""The analysis of a window as &analysis and the streams set it: filter, localization, correlated errors, order, inflation, figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .analysis import AdaptiveInflation, AnalysisResult, Diagnostics, Localization, diagnose, ensrf, letkf, nothing_to_diagnose
from .case import Case
from .errors import AnalysisError, GcasError
from .fluxes.state import State
from .observations.correlated_errors import error_blocks
from .observations.super_observations import SuperObservations
from .plan import Window
from .progress import counted
from .window_data import Compared, Posterior, Prior

LEAST_SPREAD = 0.01
"""Where the members differ by less than this share of the error, an observation can hardly change a flux."""

NOTED = ("chi2", "spread_skill", "error_variance", "error_variance_diagnosed", "prior_variance", "prior_variance_diagnosed", "information",
         "information_ensemble", "rank_p")
"""Figures of all super-observations that the journal keeps."""

SHOWN = ("chi2", "rms_innovation", "expected_rms", "error_variance", "error_variance_diagnosed", "prior_variance",
         "prior_variance_diagnosed", "dfs")
"""Those of the log's line, in its order."""


def analyse(case: Case, window: Window, prior: Prior, compared: Compared) -> Posterior:
    """Correct the factors by the super-observations; without any, posterior = prior.

    Raises
    ------
    AnalysisError
        The ensemble has no spread, or a matrix is singular; names the window.
    """
    supers = compared.supers
    if not len(supers):
        return Posterior(prior.x, prior.x.mean(axis=1), np.empty((0, prior.x.shape[1])), np.zeros(prior.state.n_parameters, np.int32),
                         nothing_to_diagnose(), {})
    with case.reporter.step("analysis"):
        hx = supers.average(compared.hx)
        spread, error = np.median(hx.std(axis=1, ddof=1)), np.median(supers.error)
        case.reporter.log.info("analysis: %s, ensemble spread %.3g ppm, error %.3g ppm (medians)",
                               counted(len(supers), "super-observation"), spread, error)
        if spread < LEAST_SPREAD * error:
            case.reporter.log.warning("window %s: most observations say next to nothing about the fluxes of this window: they were "
                                      "taken too soon after its start, or too far from any flux", window.label)
        try:
            result = filtered(case, prior, compared, hx)
            diagnostics = _diagnostics(case, window, supers, hx, result)
        except GcasError as error:
            raise AnalysisError(error.what, f"window {window.label}: {error.where}", error.found, error.expected, error.advice) from error
        return Posterior(result.x, result.mean, result.hx, result.n_local, diagnostics, _figures(case, result, diagnostics))


def filtered(case: Case, prior: Prior, compared: Compared, hx: np.ndarray) -> AnalysisResult:
    """The filter as &analysis sets it; `hx` (n_super, n_members) are the simulated super-observations [ppm].

    Observations too far off have been rejected before, one by one: the filter's own `gross` check is not used.
    """
    settings, state, supers = case.settings.analysis, prior.state, compared.supers
    variance = supers.error**2
    common: dict[str, Any] = dict(localization=_localization(case, state, supers), precision=settings.precision,
                                  threads=settings.threads or None, inflation=inflation_of(case), rtpp=settings.rtpp,
                                  rtps=settings.rtps, huber=settings.huber or None, r_blocks=_correlated_errors(case, supers))
    if settings.method == "letkf":
        return letkf(prior.x, hx, supers.value, variance, interpolation_km=settings.letkf_interpolation_km or None, **common)
    return ensrf(prior.x, hx, supers.value, variance, order=order_of_update(settings.order, compared, hx, variance), **common)


def _localization(case: Case, state: State, supers: SuperObservations) -> Localization | None:
    """As &analysis says; radii of each super-observation by its stream."""
    settings, members = case.settings.analysis, case.settings.state.members
    if not settings.localize:
        case.reporter.log.warning("analysis: not localized (localize = .false.): every observation corrects every factor, also by "
                                  "correlations that are chance (standard deviation %.2g with %d members)",
                                  1.0 / np.sqrt(members - 1), members)
        return None
    near_km, far_km = case.settings.by_stream("near_km"), case.settings.by_stream("far_km")
    return Localization(
        state.lon, state.lat, supers.lon, supers.lat,
        near_km=[near_km[name] for name in supers.product], far_km=[far_km[name] for name in supers.product],
        p_value=settings.p_value if settings.p_value < 1.0 else None, sign=settings.sign, parameter_sign=state.sign,
        taper=None if settings.taper == "none" else settings.taper, max_observations=settings.max_observations or None,
        max_observations_by=settings.max_observations_by)


def _correlated_errors(case: Case, supers: SuperObservations) -> list[tuple[np.ndarray, np.ndarray]]:
    length, hours = case.settings.by_stream("error_correlation_km"), case.settings.by_stream("error_correlation_hours")
    blocks = error_blocks(supers, {name: (length[name], hours[name]) for name in length})
    if blocks:
        sizes = [index.size for index, _ in blocks]
        case.reporter.log.info("analysis: the errors of %d super-observations are correlated, in %s of at most %d", sum(sizes),
                               counted(len(sizes), "block"), max(sizes))
    return blocks


def order_of_update(order: str, compared: Compared, hx: np.ndarray, variance: np.ndarray) -> str | np.ndarray:
    """Order of the serial update, as the setting `order` says.

    "time": of one time those first that can teach most (decreasing prior variance / error variance); "file": as read, a
    super-observation where its first member stood; "greedy": the core's own.

    Parameters
    ----------
    order : "time", "file" or "greedy"
    compared : Compared
    hx : ndarray (n_super, n_members)
        Simulated super-observations [ppm].
    variance : ndarray (n_super,)
        Of their errors [ppm2].

    Returns
    -------
    "greedy" or ndarray of int (n_super,)
        What `ensrf` takes as `order`.
    """
    if order == "greedy":
        return order
    supers = compared.supers
    if order == "time":
        return np.lexsort((-hx.var(axis=1, ddof=1) / variance, supers.time))
    merged = supers.index >= 0
    first = np.full(len(supers), np.iinfo(np.intp).max)
    np.minimum.at(first, supers.index[merged], compared.position[merged])
    return np.argsort(first)


def inflation_of(case: Case) -> float | AdaptiveInflation:
    """The factor as set, or the estimate that the last window with an analysis has left in the journal."""
    settings = case.settings.analysis
    if not settings.inflation_adaptive:
        return settings.inflation
    first = AdaptiveInflation(settings.inflation, settings.inflation_error, settings.inflation_minimum, settings.inflation_maximum,
                              settings.inflation_growth)
    for entry in reversed(case.journal.windows_done()):
        if "inflation_error" in entry:
            return replace(first, estimate=entry["inflation"], error=entry["inflation_error"])
    return first


def _diagnostics(case: Case, window: Window, supers: SuperObservations, hx: np.ndarray, result: AnalysisResult) -> Diagnostics:
    """By product and by the region of the super-observation's cell."""
    groups = {"product": supers.product.astype(str), "region": case.regions.names_at(supers.lon, supers.lat)}
    return diagnose(supers.value, hx, result, groups=groups, seed=case.settings.case.seed,
                    window=int(np.datetime64(window.start, "D").astype(np.int64)))


def _figures(case: Case, result: AnalysisResult, diagnostics: Diagnostics) -> dict[str, Any]:
    """What the journal keeps of an analysis (`Posterior.figures`); the log says it in words."""
    log = case.reporter.log
    figures = {"rejected_share": round(float(result.rejected_share), 6), "zero_spread_parameters": result.n_zero_spread,
               "zero_spread_observations": result.n_zero_spread_observations, "inflation": result.inflation}
    figures |= _finite({"chi2": result.chi2, "dfs": result.dfs})
    log.info("analysis: %.1f %% of the pairs within reach rejected; without spread and not updated: %d parameters, %d super-observations",
             100 * result.rejected_share, result.n_zero_spread, result.n_zero_spread_observations)
    if result.next_inflation is not None:
        figures["inflation_error"] = result.next_inflation.error
        log.info("analysis: inflation %.3g, standard error %.2g, by the innovations of this window and those before",
                 result.inflation, result.next_inflation.error)
    if case.settings.analysis.huber:
        figures["huber_down_weighted"] = result.n_huber
        log.info("analysis: %s counted less, being more than %g standard deviations off", counted(result.n_huber, "super-observation"),
                 case.settings.analysis.huber)
    figures["diagnostics"] = _finite({name: diagnostics.of(name) for name in NOTED})
    log.info("analysis: χ² %.2f; RMS innovation %.2f ppm, expected %.2f; error variance %.2f ppm², diagnosed %.2f; ensemble variance "
             "%.2f ppm², diagnosed %.2f; %.1f degrees of freedom for signal", *(diagnostics.of(name) for name in SHOWN))
    return figures


def _finite(figures: dict[str, float]) -> dict[str, float]:
    """Without NaN and infinity, which JSON has not; four decimals."""
    return {name: round(value, 4) for name, value in figures.items() if np.isfinite(value)}
