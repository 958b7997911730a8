"""How near the posterior came to a known truth: the scores of a synthetic experiment."""

from __future__ import annotations

from typing import Any

import numpy as np

from gcas_driver.fluxes.units import MOLAR_MASS_CARBON, SECONDS_PER_YEAR

from .aggregates import land_regions
from .regions import FluxBudget
from .uncertainty import READINGS, aggregate, coverage


def scores(blocks: dict[str, dict[str, dict[str, float | None]]], budget: FluxBudget | None) -> dict[str, Any]:
    """Scores against noise-free values and true fluxes; None where there is nothing to compare.

    Parameters
    ----------
    blocks : dict
        "xco2" and "surface" → prior, background, posterior → statistics.
    budget : FluxBudget or None

    Returns
    -------
    dict
        `xco2_rmse_true_reduction`, `surface_rmse_true_reduction` [% of the prior's]; `global_land_error` {prior, posterior} [PgC/yr] and
        `global_land_error_reduced`; `land_regions`, `land_regions_nearer`; `regions`, `regions_within_1sd`, `regions_within_2sd`, and the
        same `…_independent`; `weekly_coverage_1sd`, `weekly_coverage_2sd` [share of (region, window) pairs]; `land_cell_error` and
        `land_cell_error_weekly` {prior, posterior [gC m-2 yr-1], change [%]}: root mean square over land cells.
    """
    result: dict[str, Any] = {f"{name}_rmse_true_reduction": _reduction(block) for name, block in blocks.items()}
    if budget is None or budget.truth is None:
        return result
    return result | _region_scores(budget) | _cell_scores(budget)


def _reduction(block: dict[str, dict[str, float | None]]) -> float | None:
    prior, posterior = (block[name].get("rmse_true") for name in ("prior", "posterior"))
    return None if not prior or posterior is None else 100.0 * (1.0 - posterior / prior)


def _region_scores(budget: FluxBudget) -> dict[str, Any]:
    column = budget.column()
    prior, posterior, truth = (budget.mean(getattr(budget, name)[..., column]) for name in ("prior", "posterior", "truth"))
    errors = np.abs(prior - truth), np.abs(posterior - truth)
    regions = np.array([key in budget.regions for key in budget.keys])
    land = np.array([key in land_regions(budget.regions) for key in budget.keys])
    result: dict[str, Any] = {}
    if "Global land" in budget.keys:
        whole = budget.keys.index("Global land")
        result["global_land_error"] = {"prior": float(errors[0][whole]), "posterior": float(errors[1][whole])}
        result["global_land_error_reduced"] = bool(errors[1][whole] < errors[0][whole])
    result["land_regions"] = int(land.sum())
    result["land_regions_nearer"] = int(np.count_nonzero(errors[1][land] < errors[0][land]))
    result["regions"] = int(regions.sum())
    for reading in READINGS:
        sd = aggregate(budget.posterior_sd[..., column], budget.weights, reading)
        suffix = "" if reading == "persistent" else f"_{reading}"
        for width in (1, 2):
            result[f"regions_within_{width}sd{suffix}"] = int(np.count_nonzero(errors[1][regions] <= width * sd[regions]))
    for width in (1, 2):
        result[f"weekly_coverage_{width}sd"] = coverage(budget.posterior[:, regions, column], budget.posterior_sd[:, regions, column],
                                                        budget.truth[:, regions, column], width)
    return result


def _cell_scores(budget: FluxBudget) -> dict[str, Any]:
    if budget.land_cell_squares is None:
        return {}
    weight = budget.land * budget.grid.area
    mean_maps = [np.sum(weight * (m[-1] - budget.truth_map[-1]) ** 2) / weight.sum() for m in (budget.prior_map, budget.posterior_map)]
    weekly = budget.mean(budget.land_cell_squares)
    return {name: _cell_error(*np.sqrt(squares)) for name, squares in (("land_cell_error", mean_maps), ("land_cell_error_weekly", weekly))}


def _cell_error(prior: float, posterior: float) -> dict[str, float | None]:
    unit = MOLAR_MASS_CARBON * SECONDS_PER_YEAR
    return {"prior": float(prior * unit), "posterior": float(posterior * unit),
            "change": 100.0 * float(posterior / prior - 1.0) if prior > 0 else None}
