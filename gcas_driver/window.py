"""The steps of one window, in order.

    prior fluxes → perturbed members → ensemble run → H(x) → screening, super-observations → analysis → posterior fluxes → forward
    run → posterior and prior H(x) → hand-off → files → journal

`prior` is the forward run's second tracer, which no analysis ever touched; `background` is the mean of the window's own ensemble,
which starts from the last posterior field; `posterior` is the forward run's first tracer.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from mozart_coupling.grids import Grid
from mozart_coupling.samples import Samples

from .assimilation import analyse
from .case import Case
from .fluxes.members import flux_basis
from .fluxes.prior import window_fluxes
from .fluxes.state import State, build_state
from .observations import read_streams
from .observations.screening import listing, screen
from .observations.simulate import point_levels, sample_request, simulate
from .observations.streams import streams_from
from .observations.super_observations import super_observe
from .plan import Window
from .progress import counted
from .window_data import Asked, Compared, Prior
from .window_output import write_window

FAR_START_PPM = 3.0
"""A uniform start further than this from the mean of the observations is warned of."""

LISTED = 20
"""Rejected observations named one by one in the log; the files hold all of them."""


def run_window(case: Case, window: Window) -> None:
    """Do one window; its last act is its entry in the journal."""
    started = time.monotonic()
    log = case.reporter.log
    log.info("window %s (%s)", window.text, counted(window.days, "day"))
    case.journal.append("begin", window=window.label)
    prior = prior_and_members(case, window)
    asked = observations_to_simulate(case, window)
    samples = case.runs.ensemble(case.journal, window, prior.basis, prior.state.factors(prior.x), asked.request)
    hx = simulated_values(case, asked, samples, case.settings.state.members)
    compared = screened_and_merged(case, window, asked, hx, samples)
    posterior = analyse(case, window, prior, compared)
    factors = prior.state.factors(posterior.mean)
    forward = case.runs.forward(case.journal, window, prior.basis, np.stack([factors, np.ones_like(factors)]), asked.request)
    final = simulated_values(case, asked, forward, 2)
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


def observations_to_simulate(case: Case, window: Window) -> Asked:
    """The window's observations in order of time, which of them to simulate, and what to ask of the model."""
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
    return Asked(table, rows, read_at[rows], request, mapping)


def _warn_of_a_far_start(case: Case, values: np.ndarray) -> None:
    """A uniform field that is far from what was observed: the fluxes of the first windows would have to make up for it."""
    uniform, seen = case.settings.initial.uniform_ppm, float(np.mean(values))
    if uniform is not None and abs(seen - uniform) > FAR_START_PPM:
        case.reporter.log.warning(
            "the run starts from %g ppm everywhere (%s), but the observations are near %.1f ppm: the fluxes of the first windows will "
            "make up for the difference, and observations more than gross_ppm off are rejected; set uniform_ppm = %.1f, start from a "
            "field (&initial file), or let the first windows not count (&time evaluate_from)", uniform,
            case.settings.initial.where("uniform_ppm"), seen, seen)


def simulated_values(case: Case, asked: Asked, samples: Samples | None, n_tracers: int) -> np.ndarray:
    """H(x) (n_simulated, n_tracers) [ppm]; `samples` is None where there was nothing to sample."""
    if samples is None:
        return np.empty((0, n_tracers))
    with case.reporter.step("simulated observations"):
        operators = {stream.name: stream.operator for stream in (*case.settings.satellite, *case.settings.column)}
        return simulate(asked.simulated, samples, asked.mapping, operators)


def screened_and_merged(case: Case, window: Window, asked: Asked, hx: np.ndarray, samples: Samples | None) -> Compared:
    """Reject what the model cannot come near, merge the rest to super-observations, equations (7)-(9).

    `hx` (n_simulated, n_members) are the ensemble's simulated values [ppm].
    """
    settings, merging = case.settings, case.settings.super_observations
    simulated = asked.simulated
    kept = screen(simulated, hx, settings.analysis.gross_ppm or None, settings.analysis.gross_sigma or None)
    rejected = np.flatnonzero(simulated.used & ~kept.used)
    for line in listing(kept.select(rejected[:LISTED]), hx[rejected[:LISTED]]):
        case.reporter.log.info("rejected: %s", line)
    used, reason = asked.table.used.copy(), asked.table.reason.copy()
    used[asked.rows], reason[asked.rows] = kept.used, kept.reason
    supers = super_observe(kept, case.grid if merging.grid == "transport" else Grid.named(merging.grid),
                           floor_ppm=settings.by_stream("error_floor_ppm"), correlation=settings.by_stream("error_correlation"),
                           bin_hours=merging.bin_hours or None, merge=merging.enabled,
                           levels=point_levels(kept, samples, asked.mapping) if samples and merging.by_level else None)
    result = Compared(replace(asked.table, used=used, reason=reason), asked.rows, asked.position, asked.request, asked.mapping, hx, supers)
    _log_counts(case, window, result)
    if rejected.size and not kept.used.any():
        case.reporter.log.warning("window %s: the model is too far from every observation, so posterior = prior; is the start right "
                                  "(&initial), and gross_ppm = %g?", window.label, settings.analysis.gross_ppm)
    return result


def _log_counts(case: Case, window: Window, compared: Compared) -> None:
    counts = _counts(compared)
    case.reporter.log.info("window %s: %d observations read, %d assimilated as %s, %d withheld%s", window.label,
                           counts["observations_read"], counts["observations_used"], counted(len(compared.supers), "super-observation"),
                           counts["observations_withheld"],
                           "".join(f", {n} {why}" for why, n in sorted(counts["left_out"].items())))


def _counts(compared: Compared) -> dict[str, Any]:
    """Where every observation that was read has gone; the numbers add up."""
    table = compared.table
    left_out = Counter(str(r) for r in table.reason if r and r != "withheld")
    for (_, reason), n in table.dropped.items():
        left_out[reason] += n
    return {"observations_read": len(table) + sum(table.dropped.values()), "observations_used": int(table.used.sum()),
            "observations_withheld": int(np.count_nonzero(table.reason == "withheld")), "left_out": dict(left_out)}


def _rmse(compared: Compared, simulated: np.ndarray) -> str:
    used = compared.table.used[compared.rows]
    if not used.any():
        return "–"
    return f"{np.sqrt(np.mean((simulated - compared.table.value[compared.rows])[used] ** 2)):.3f}"
