"""Everything a case tells about itself: `evaluate` in memory, `evaluate_case` as `summary.json` and `evaluation.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gcas_driver.observations.table import WITHHELD
from mozart_coupling.netcdf import write_text

from . import statistics
from .case import Case, ObservationTable, open_case, read_observations
from .diagnostics import FactorSpread, WindowDiagnostics, pooled, read_diagnostics, read_factor_spread, table_of
from .regions import TOTAL, FluxBudget, read_budget
from .scores import scores
from .table import format_table
from .uncertainty import READINGS, aggregate, period_weights, uncertainty_reduction

__all__ = ["Evaluation", "evaluate", "evaluate_case", "format_table", "summary_of"]


@dataclass(frozen=True)
class Evaluation:
    """All that tables and figures are made from.

    Attributes
    ----------
    observations : ObservationTable
        Every observation of the windows that count.
    xco2, surface, columns : ObservationTable
        The assimilated soundings; the withheld point samples; the withheld columns of stations on the ground.
    budget : FluxBudget or None
        None if no window counts.
    diagnostics : list of WindowDiagnostics
        Of all windows.
    factors : FactorSpread or None
    summary : dict
        As in summary.json.
    """

    case: Case
    observations: ObservationTable
    xco2: ObservationTable
    surface: ObservationTable
    columns: ObservationTable
    budget: FluxBudget | None
    diagnostics: list[WindowDiagnostics]
    factors: FactorSpread | None
    summary: dict[str, Any]


def evaluate(case_directory: str | Path) -> Evaluation:
    """Read a case's output files and compute what is to be known of it.

    Raises
    ------
    InputError
        No window is there, or a file is broken.
    """
    case = open_case(case_directory)
    observations = read_observations(case)
    xco2, surface, columns = observations.xco2, observations.surface, observations.columns
    budget = read_budget(case)
    diagnostics = read_diagnostics(case)
    summary = summary_of(case, xco2, surface, budget) | {"diagnostics": diagnostics_block(case, diagnostics)}
    if len(columns):
        summary["columns"] = statistics.block(columns)
    return Evaluation(case, observations, xco2, surface, columns, budget, diagnostics, read_factor_spread(case), summary)


def evaluate_case(case_directory: str | Path) -> dict[str, Any]:
    """Evaluate a case and write `summary.json` and the more detailed `evaluation.json` into its directory.

    Returns
    -------
    dict
        What `summary.json` holds: `case, windows, members, wall_seconds, xco2, surface, fluxes, uncertainty_reduction`, `scores`
        for a synthetic experiment, and `columns` where there are independent ones.

    Raises
    ------
    InputError
        No window is there, or a file is broken.
    """
    evaluation = evaluate(case_directory)
    write_summary(evaluation)
    return evaluation.summary


def write_summary(evaluation: Evaluation) -> None:
    """Write `summary.json` and `evaluation.json`, each in one step."""
    for name, content in (("summary.json", evaluation.summary), ("evaluation.json", details_of(evaluation))):
        path = evaluation.case.directory / name
        # allow_nan=False: a NaN would make the file unreadable for strict parsers; better an error here.
        write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def summary_of(case: Case, xco2: ObservationTable, surface: ObservationTable, budget: FluxBudget | None) -> dict[str, Any]:
    """The content of summary.json."""
    fluxes, reduction = ({}, {}) if budget is None else (flux_table(budget), reduction_table(budget))
    blocks = {"xco2": statistics.block(xco2), "surface": statistics.block(surface)}
    result = {"case": case.name, "windows": len(case.windows), "members": case.members, "wall_seconds": case.wall_seconds,
              **blocks, "fluxes": fluxes, "uncertainty_reduction": reduction}
    if case.truth is not None:
        result["scores"] = scores(blocks, budget)
    return result


def diagnostics_block(case: Case, diagnostics: list[WindowDiagnostics]) -> dict[str, Any]:
    """How the analysis behaved in the windows that count, taken together."""
    names = {w.name for w in case.counted}
    counted = [d for d in diagnostics if d.window in names]
    shares = [d.rejected_share for d in counted if d.rejected_share is not None]
    return {"rejected_share": float(np.mean(shares)) if shares else None, **table_of(pooled([d.figures for d in counted]))}


def flux_table(budget: FluxBudget, component: str = TOTAL) -> dict[str, dict[str, float | None]]:
    """Mean flux and its uncertainty by region, of one component or the optimised ones together [PgC/yr]."""
    column = budget.column(component)
    sd = {(name, reading): aggregate(getattr(budget, f"{name}_sd")[..., column], budget.weights, reading)
          for name in ("prior", "posterior") for reading in READINGS}
    means = {name: budget.mean(getattr(budget, name)[..., column]) for name in ("prior", "posterior")}
    truth = None if budget.truth is None else budget.mean(budget.truth[..., column])
    table = {}
    for i, key in enumerate(budget.keys):
        row = {"prior": means["prior"][i], "prior_sd": sd["prior", "persistent"][i], "posterior": means["posterior"][i],
               "posterior_sd": sd["posterior", "persistent"][i], "posterior_sd_independent": sd["posterior", "independent"][i]}
        if truth is not None and np.isfinite(truth[i]):
            row["truth"] = truth[i]
        table[key] = {name: _number(value) for name, value in row.items()}
    return table


def reduction_table(budget: FluxBudget, weights: np.ndarray | None = None) -> dict[str, float | None]:
    """Uncertainty reduction of the mean flux by region, (19) [%]; None where the prior has no uncertainty.

    `weights` (n_windows,) picks a part of the run, such as a month.
    """
    weights = budget.weights if weights is None else weights
    sigma = [aggregate(sd[..., -1], weights, "persistent") for sd in (budget.posterior_sd, budget.prior_sd)]
    return {key: _number(value) for key, value in zip(budget.keys, uncertainty_reduction(*sigma), strict=True)}


def period_reductions(budget: FluxBudget, period: str) -> dict[str, dict[str, float | None]]:
    """Uncertainty reduction by calendar period ("month", "year") and region [%]."""
    starts, ends = (np.array([getattr(w, name) for w in budget.windows]) for name in ("start", "end"))
    return {name: reduction_table(budget, weights) for name, weights in period_weights(starts, ends, period).items()}


def details_of(evaluation: Evaluation) -> dict[str, Any]:
    """The content of evaluation.json: statistics by band, site, region, month and product; weekly, monthly and annual fluxes."""
    case, budget = evaluation.case, evaluation.budget
    content: dict[str, Any] = {
        "case": case.name,
        "windows": [{"window": w.name, "end": str(w.end.astype("datetime64[D]")), "counted": w.counted} for w in case.windows],
        "accounting": accounting_of(evaluation),
        "diagnostics": [{"window": d.window, "rejected_share": d.rejected_share, **table_of(d.figures)} for d in evaluation.diagnostics],
        "statistics": {name: detailed_statistics(table, budget) for name, table in groups_of(evaluation).items()},
    }
    if budget is not None:
        content["fluxes"] = {name: flux_table(budget, name) for name in budget.components}
        content["weekly"] = _weekly(budget)
        for period in ("month", "year"):
            content[period] = _periods(budget, period)
    return content


def accounting_of(evaluation: Evaluation) -> dict[str, dict[str, int]]:
    """Where the observations of the windows that count went."""
    notes = (evaluation.case.journal.get(w.name, {}) for w in evaluation.case.counted)
    return statistics.accounting(evaluation.observations, (note.get("left_out", {}) for note in notes))


def groups_of(evaluation: Evaluation) -> dict[str, ObservationTable]:
    """The sets of observations that are told apart; empty ones are left out, but for the first two."""
    table = evaluation.observations
    table = table.select(table.complete)
    withheld = table.reason == WITHHELD
    extra = {"columns": evaluation.columns, "surface_assimilated": table.select(~table.column & table.used),
             "xco2_withheld": table.select(table.column & withheld & ~table.from_ground)}
    return {"xco2": evaluation.xco2, "surface": evaluation.surface} | {k: v for k, v in extra.items() if len(v)}


def detailed_statistics(table: ObservationTable, budget: FluxBudget | None) -> dict[str, Any]:
    """Statistics of one set of observations, over all and by each grouping."""
    result = {"all": statistics.block(table, details=True), "latitude": statistics.by_band(table), "month": statistics.by_month(table),
              "product": statistics.by_product(table), "window": statistics.by_group(table, table.window, _window_label(budget))}
    if table.from_ground.any():
        result["site"] = statistics.by_site(table)
    if budget is not None and budget.fraction is not None and len(table):
        result["region"] = statistics.by_group(table, region_of(table, budget))
    return result


def region_of(table: ObservationTable, budget: FluxBudget) -> np.ndarray:
    """The region that holds most of the cell of each observation (n,) of str."""
    rows, columns = budget.grid.cell_index(table.lon, table.lat)
    return np.array(budget.regions, dtype=object)[budget.fraction.argmax(axis=0)[rows, columns]].astype(str)


def _window_label(budget: FluxBudget | None):
    return (lambda i: budget.windows[i].name) if budget is not None else str


def _weekly(budget: FluxBudget) -> list[dict[str, Any]]:
    rows = []
    for i, window in enumerate(budget.windows):
        reduction = uncertainty_reduction(budget.posterior_sd[i, :, -1], budget.prior_sd[i, :, -1])
        rows.append({"window": window.name, "fluxes": {
            key: _row(budget, i, k) | {"uncertainty_reduction": _number(reduction[k])} for k, key in enumerate(budget.keys)}})
    return rows


def _row(budget: FluxBudget, window: int, key: int) -> dict[str, float | None]:
    names = ("prior", "prior_sd", "posterior", "posterior_sd") + (() if budget.truth is None else ("truth",))
    return {name: _number(getattr(budget, name)[window, key, -1]) for name in names}


def _periods(budget: FluxBudget, period: str) -> dict[str, Any]:
    starts, ends = (np.array([getattr(w, name) for w in budget.windows]) for name in ("start", "end"))
    result = {}
    for name, weights in period_weights(starts, ends, period).items():
        reduction = reduction_table(budget, weights)
        sd = {r: aggregate(budget.posterior_sd[..., -1], weights, r) for r in READINGS}
        prior_sd = {r: aggregate(budget.prior_sd[..., -1], weights, r) for r in READINGS}
        shares = weights / weights.sum()
        means = {n: np.tensordot(shares, getattr(budget, n)[..., -1], axes=1) for n in ("prior", "posterior")}
        result[name] = {key: {"prior": _number(means["prior"][k]), "posterior": _number(means["posterior"][k]),
                              **{f"prior_sd_{r}": _number(prior_sd[r][k]) for r in READINGS},
                              **{f"posterior_sd_{r}": _number(sd[r][k]) for r in READINGS},
                              "uncertainty_reduction": reduction[key]} for k, key in enumerate(budget.keys)}
    return result


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
