"""The steps of one window, in order.

    prior fluxes → perturbed members → ensemble run → H(x) → screening, super-observations → analysis → posterior fluxes → forward
    run → posterior and prior H(x) → hand-off → files → journal

`prior` is the forward run's second tracer, which no analysis ever touched; `background` is the mean of the window's own ensemble,
which starts from the last posterior field; `posterior` is the forward run's first tracer.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from mozart_coupling.grids import Grid
from mozart_coupling.samples import SampleRequest, Samples

from .analysis import AdaptiveInflation, AnalysisResult, Diagnostics, Localization, diagnose, ensrf, letkf, nothing_to_diagnose
from .case import Case
from .errors import AnalysisError, GcasError
from .fluxes.members import FluxBasis, flux_basis
from .fluxes.prior import window_fluxes
from .fluxes.state import State, build_state
from .observations import Observations, read_streams
from .observations.correlated_errors import error_blocks
from .observations.screening import listing, screen
from .observations.simulate import SampleMapping, point_levels, sample_request, simulate
from .observations.streams import streams_from
from .observations.super_observations import SuperObservations, super_observe
from .plan import Window
from .progress import counted
from .window_output import write_window

FAR_START_PPM = 3.0
"""A uniform start further than this from the mean of the observations is warned of."""

LEAST_SPREAD = 0.01
"""Where the members differ by less than this share of the error, an observation can hardly change a flux."""

NOTED = ("chi2", "spread_skill", "error_variance", "error_variance_diagnosed", "prior_variance", "prior_variance_diagnosed", "information",
         "information_ensemble", "rank_p")
"""Figures of all super-observations that the journal keeps."""

LISTED = 20
"""Rejected observations named one by one in the log; the files hold all of them."""


@dataclass(frozen=True)
class Prior:
    """What the window starts from: fluxes, parameters, and the members' factors x (n_parameters, n_members)."""

    fluxes: xr.Dataset
    state: State
    basis: FluxBasis
    x: np.ndarray


@dataclass(frozen=True)
class Compared:
    """Observations of the window with their simulated values.

    Attributes
    ----------
    table : Observations
        All rows that were read, in order of time.
    rows : ndarray of int (n_simulated,)
        Those that were simulated.
    position : ndarray of int (n_simulated,)
        Place of each among the rows as they were read: stream by stream, file by file, record by record.
    request, mapping
        What was asked of the transport model, for those rows.
    hx : ndarray (n_simulated, n_members)
        [ppm].
    supers : SuperObservations
        Formed from the simulated rows.
    """

    table: Observations
    rows: np.ndarray
    position: np.ndarray
    request: SampleRequest
    mapping: SampleMapping
    hx: np.ndarray
    supers: SuperObservations

    @property
    def simulated(self) -> Observations:
        """The rows that were simulated."""
        return self.table.select(self.rows)


@dataclass(frozen=True)
class Posterior:
    """Outcome of the analysis.

    Attributes
    ----------
    x : ndarray (n_parameters, n_members)
        Members' factors.
    mean : ndarray (n_parameters,)
    hx : ndarray (n_super, n_members)
        Simulated super-observations [ppm].
    n_observations : ndarray of int (n_parameters,)
        Super-observations that passed each parameter's localization.
    diagnostics : Diagnostics
        How it behaved, over all super-observations, by product and by region.
    figures : dict
        For log and journal: `rejected_share` (of the pairs within reach, by localization), `zero_spread_parameters`,
        `zero_spread_observations` (neither is updated), `inflation` (the factor used), if adaptive
        `inflation_error`, `chi2`, `dfs`, `diagnostics` (`NOTED`, of all super-observations); with
        Huber's weights `huber_down_weighted`.
    """

    x: np.ndarray
    mean: np.ndarray
    hx: np.ndarray
    n_observations: np.ndarray
    diagnostics: Diagnostics
    figures: dict[str, Any]


def run_window(case: Case, window: Window) -> None:
    """Do one window; its last act is its entry in the journal."""
    started = time.monotonic()
    log = case.reporter.log
    log.info("window %s (%s)", window.text, counted(window.days, "day"))
    case.journal.append("begin", window=window.label)
    prior = prior_and_members(case, window)
    table, rows, position, request, mapping = observations_to_simulate(case, window)
    samples = case.runs.ensemble(case.journal, window, prior.basis, prior.state.factors(prior.x), request)
    hx = simulated_values(case, table.select(rows), samples, mapping, case.settings.state.members)
    compared = screened_and_merged(case, window, Compared(table, rows, position, request, mapping, hx, None), samples)
    posterior = analyse(case, window, prior, compared)
    factors = prior.state.factors(posterior.mean)
    forward = case.runs.forward(case.journal, window, prior.basis, np.stack([factors, np.ones_like(factors)]), request)
    final = simulated_values(case, compared.simulated, forward, mapping, 2)
    case.runs.hand_off(window)
    write_window(case, window, prior, compared, posterior, final)
    counts = _counts(compared)
    log.info("window %s: RMSE of the used observations: prior %s, background %s, posterior %s ppm", window.label,
             *(_rmse(compared, values) for values in (final[:, 1], compared.hx.mean(axis=1), final[:, 0])))
    case.journal.append("window", window=window.label, end=window.end_label, index=window.index, settings=case.settings.digest(),
                        seconds=round(time.monotonic() - started, 3), **counts, super_observations=len(compared.supers),
                        **posterior.figures)


def prior_and_members(case: Case, window: Window) -> Prior:
    """Prior fluxes on the transport grid and the members' factors drawn around them, equation (1)."""
    settings = case.settings.state
    fluxes = window_fluxes(case.settings.prior, case.grid, window.start, window.end)
    state = build_state(fluxes, case.cells, settings.scheme, case.lambdas, sign_threshold=settings.sign_threshold)
    delta = state.perturbations(case.settings.case.seed, window.start, settings.members, centred=settings.centred,
                                correlation=case.correlation)
    _log_parameters(case, state)
    return Prior(fluxes, state, flux_basis(fluxes, settings.scheme, settings.perturbation), state.members(delta))


def _log_parameters(case: Case, state: State) -> None:
    idle = sum(cells.n_cells for cells in case.cells.values()) - state.n_parameters
    case.reporter.log.info("%d parameters (%s), %d cells without flux left out, %d without sign rule", state.n_parameters,
                           ", ".join(state.scheme.optimised), idle, np.count_nonzero(state.sign == 0))


def observations_to_simulate(case: Case, window: Window) -> tuple[Observations, np.ndarray, np.ndarray, SampleRequest, SampleMapping]:
    """The window's observations in order of time, which of them to simulate and where these were read, and what to ask of the model."""
    table = read_streams(streams_from(case.settings), window.start, window.end)
    read_at = np.argsort(table.time, kind="stable")
    table = table.select(read_at)
    rows = np.flatnonzero(table.evaluated)
    if not rows.size:
        case.reporter.log.warning("window %s has no observations: posterior = prior", window.label)
    elif window.index == 0:
        _warn_of_a_far_start(case, table.value[rows])
    transport = case.settings.transport
    request, mapping = sample_request(table.select(rows), case.grid, transport.sampling_hours, transport.sampling_place)
    return table, rows, read_at[rows], request, mapping


def _warn_of_a_far_start(case: Case, values: np.ndarray) -> None:
    """A uniform field that is far from what was observed: the fluxes of the first windows would have to make up for it."""
    uniform, seen = case.settings.initial.uniform_ppm, float(np.mean(values))
    if uniform is not None and abs(seen - uniform) > FAR_START_PPM:
        case.reporter.log.warning(
            "the run starts from %g ppm everywhere (%s), but the observations are near %.1f ppm: the fluxes of the first windows will "
            "make up for the difference, and observations more than gross_ppm off are rejected; set uniform_ppm = %.1f, start from a "
            "field (&initial file), or let the first windows not count (&time evaluate_from)", uniform,
            case.settings.initial.where("uniform_ppm"), seen, seen)


def simulated_values(case: Case, observations: Observations, samples: Samples | None, mapping: SampleMapping, n_tracers: int) -> np.ndarray:
    """H(x) (n_observations, n_tracers) [ppm]."""
    if samples is None:
        return np.empty((0, n_tracers))
    with case.reporter.step("simulated observations"):
        return simulate(observations, samples, mapping, {stream.name: stream.operator for stream in case.settings.satellite})


def _by_stream(case: Case, setting: str) -> dict[str, float]:
    return {stream.name: getattr(stream, setting) for stream in (*case.settings.satellite, *case.settings.surface)}


def screened_and_merged(case: Case, window: Window, compared: Compared, samples: Samples | None) -> Compared:
    """Reject what the model cannot come near, merge the rest to super-observations, equations (7)-(9)."""
    analysis, merging = case.settings.analysis, case.settings.super_observations
    simulated = compared.simulated
    kept = screen(simulated, compared.hx, analysis.gross_ppm or None, analysis.gross_sigma or None)
    rejected = np.flatnonzero(simulated.used & ~kept.used)
    if rejected.size:
        for line in listing(kept.select(rejected[:LISTED]), compared.hx[rejected[:LISTED]]):
            case.reporter.log.info("rejected: %s", line)
    used, reason = compared.table.used.copy(), compared.table.reason.copy()
    used[compared.rows], reason[compared.rows] = kept.used, kept.reason
    supers = super_observe(kept, case.grid if merging.grid == "transport" else Grid.named(merging.grid),
                           floor_ppm=_by_stream(case, "error_floor_ppm"), correlation=_by_stream(case, "error_correlation"),
                           bin_hours=merging.bin_hours or None, merge=merging.enabled,
                           levels=point_levels(kept, samples, compared.mapping) if samples and merging.by_level else None)
    result = replace(compared, table=replace(compared.table, used=used, reason=reason), supers=supers)
    counts = _counts(result)
    case.reporter.log.info("window %s: %d observations read, %d assimilated as %s, %d withheld%s", window.label,
                           counts["observations_read"], counts["observations_used"], counted(len(supers), "super-observation"),
                           counts["observations_withheld"],
                           "".join(f", {n} {why}" for why, n in sorted(counts["left_out"].items())))
    if rejected.size and not kept.used.any():
        case.reporter.log.warning("window %s: the model is too far from every observation, so posterior = prior; is the start right "
                                  "(&initial), and gross_ppm = %g?", window.label, analysis.gross_ppm)
    return result


def _counts(compared: Compared) -> dict[str, Any]:
    """Where every observation that was read has gone; the numbers add up."""
    table = compared.table
    left_out = Counter(str(r) for r in table.reason if r and r != "withheld")
    for (_, reason), n in table.dropped.items():
        left_out[reason] += n
    return {"observations_read": len(table) + sum(table.dropped.values()), "observations_used": int(table.used.sum()),
            "observations_withheld": int(np.count_nonzero(table.reason == "withheld")), "left_out": dict(left_out)}


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
        variance = supers.error**2
        spread, error = np.median(hx.std(axis=1, ddof=1)), np.median(supers.error)
        case.reporter.log.info("analysis: %s, ensemble spread %.3g ppm, error %.3g ppm (medians)",
                               counted(len(supers), "super-observation"), spread, error)
        if spread < LEAST_SPREAD * error:
            case.reporter.log.warning("window %s: most observations say next to nothing about the fluxes of this window: they were "
                                      "taken too soon after its start, or too far from any flux", window.label)
        try:
            return _analyse(case, window, prior, compared, hx, variance)
        except GcasError as error:
            raise AnalysisError(error.what, f"window {window.label}: {error.where}", error.found, error.expected, error.advice) from error


def filtered(case: Case, prior: Prior, compared: Compared, hx: np.ndarray, variance: np.ndarray) -> AnalysisResult:
    """The filter as &analysis sets it; `hx` (n_super, n_members) and error `variance` (n_super,) of the super-observations."""
    settings, state, supers = case.settings.analysis, prior.state, compared.supers
    common: dict[str, Any] = dict(localization=_localization(case, state, supers), precision=settings.precision,
                                  threads=settings.threads or None, inflation=inflation_of(case), rtpp=settings.rtpp,
                                  rtps=settings.rtps, huber=settings.huber or None, r_blocks=_correlated_errors(case, supers))
    if settings.method == "letkf":
        return letkf(prior.x, hx, supers.value, variance, interpolation_km=settings.letkf_interpolation_km or None, **common)
    return ensrf(prior.x, hx, supers.value, variance, order=order_of_update(settings.order, compared, hx, variance), **common)


def _analyse(case: Case, window: Window, prior: Prior, compared: Compared, hx: np.ndarray, variance: np.ndarray) -> Posterior:
    result = filtered(case, prior, compared, hx, variance)
    figures = {"rejected_share": round(float(result.rejected_share), 6), "zero_spread_parameters": int(result.n_zero_spread),
               "zero_spread_observations": int(result.n_zero_spread_observations), "inflation": result.inflation}
    figures |= {name: round(float(value), 4) for name in ("chi2", "dfs") if np.isfinite(value := getattr(result, name, np.nan))}
    case.reporter.log.info("analysis: %.1f %% of the pairs within reach rejected; without spread and not updated: %d parameters, %d "
                           "super-observations", 100 * result.rejected_share, result.n_zero_spread, result.n_zero_spread_observations)
    if result.next_inflation is not None:
        figures["inflation_error"] = result.next_inflation.error
        case.reporter.log.info("analysis: inflation %.3g, standard error %.2g, by the innovations of this window and those before",
                               result.inflation, result.next_inflation.error)
    if case.settings.analysis.huber:
        figures["huber_down_weighted"] = result.n_huber
        case.reporter.log.info("analysis: %s counted less, being more than %g standard deviations off",
                               counted(result.n_huber, "super-observation"), case.settings.analysis.huber)
    diagnostics = _diagnostics(case, window, compared.supers, hx, result)
    figures["diagnostics"] = {name: round(value, 4) for name in NOTED if np.isfinite(value := diagnostics.of(name))}
    return Posterior(result.x, result.mean, result.hx, np.asarray(result.n_local), diagnostics, figures)


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
    found = diagnose(supers.value, hx, result, groups=groups, seed=case.settings.case.seed,
                     window=int(np.datetime64(window.start, "D").astype(np.int64)))
    shown = ("chi2", "rms_innovation", "expected_rms", "error_variance", "error_variance_diagnosed", "prior_variance",
             "prior_variance_diagnosed", "dfs")
    case.reporter.log.info("analysis: χ² %.2f; RMS innovation %.2f ppm, expected %.2f; error variance %.2f ppm², diagnosed %.2f; ensemble "
                           "variance %.2f ppm², diagnosed %.2f; %.1f degrees of freedom for signal", *(found.of(name) for name in shown))
    return found


def _localization(case: Case, state: State, supers: SuperObservations) -> Localization | None:
    """As &analysis says; radii of each super-observation by its stream."""
    settings = case.settings.analysis
    if not settings.localize:
        case.reporter.log.warning("analysis: not localized (localize = .false.): every observation corrects every factor, also by "
                                  "correlations that are chance (standard deviation %.2g with %d members)",
                                  1.0 / np.sqrt(case.settings.state.members - 1), case.settings.state.members)
        return None
    near_km, far_km = _by_stream(case, "near_km"), _by_stream(case, "far_km")
    return Localization(
        state.lon, state.lat, supers.lon, supers.lat,
        near_km=[near_km[name] for name in supers.product], far_km=[far_km[name] for name in supers.product],
        p_value=settings.p_value if settings.p_value < 1.0 else None, sign=settings.sign, parameter_sign=state.sign.astype(np.float64),
        taper=None if settings.taper == "none" else settings.taper, max_observations=settings.max_observations or None,
        max_observations_by=settings.max_observations_by)


def _correlated_errors(case: Case, supers: SuperObservations) -> list[tuple[np.ndarray, np.ndarray]]:
    length, hours = _by_stream(case, "error_correlation_km"), _by_stream(case, "error_correlation_hours")
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


def _rmse(compared: Compared, simulated: np.ndarray) -> str:
    used = compared.table.used[compared.rows]
    if not used.any():
        return "–"
    return f"{np.sqrt(np.mean((simulated - compared.table.value[compared.rows])[used] ** 2)):.3f}"


def forget_window_before(case: Case, window: Window) -> None:
    """Remove what only an earlier window needed: restart files before this window's start, and history."""
    case.runs.forget_before(window)
