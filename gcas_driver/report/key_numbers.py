"""The few numbers at the top of the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gcas_driver.evaluation.summary import Evaluation

CLEAR_CHANGE = 2.0
"""A smaller change of an RMSE [%] is called neither good nor bad."""


@dataclass(frozen=True)
class KeyNumber:
    """One number.

    Attributes
    ----------
    label : str
    value : str
        The number itself, short.
    note : str
        What to compare it with.
    good : bool or None
        Whether it is what one hopes for; None: no judgement.
    """

    label: str
    value: str
    note: str
    good: bool | None = None


def key_numbers(summary: dict[str, Any], evaluation: Evaluation) -> list[KeyNumber]:
    """In the order of interest; what does not exist is left out."""
    columns = _rmse(summary["columns"], "TCCON") if "columns" in summary else None
    numbers = [_rmse(summary["xco2"], "XCO₂"), _rmse(summary["surface"], "Withheld flasks"), columns, _land(summary),
               _reduction(summary, evaluation)]
    numbers += _scores(summary.get("scores", {}))
    if len(evaluation.observations):
        numbers.append(KeyNumber("Observations", f"{int(evaluation.observations.used.sum())}",
                                 f"assimilated; {len(evaluation.surface)} withheld flasks"
                                 + (f", {len(evaluation.columns)} columns of TCCON" if len(evaluation.columns) else "")))
    return [n for n in numbers if n is not None]


def _rmse(block: dict[str, dict[str, float | None]], label: str) -> KeyNumber | None:
    name = "rmse_true" if block["posterior"].get("rmse_true") is not None else "rmse"
    prior, posterior = block["prior"].get(name), block["posterior"].get(name)
    if prior is None or posterior is None:
        return None
    against = "against the noise-free truth" if name == "rmse_true" else "against observations"
    change = 100.0 * (posterior / prior - 1.0) if prior > 0 else 0.0
    good = None if abs(change) < CLEAR_CHANGE else change < 0
    return KeyNumber(f"{label}: RMSE {against}", f"{prior:.2f} → {posterior:.2f} ppm",
                     f"prior → posterior, {whole(change)} %", good)


def _land(summary: dict[str, Any]) -> KeyNumber | None:
    name = "Global land" if "Global land" in summary["fluxes"] else "Global"
    row = summary["fluxes"].get(name)
    if not row or row["posterior"] is None:
        return None
    note, good = f"prior {_signed(row['prior'])} ± {row['prior_sd']:.2f}", None
    if row.get("truth") is not None:
        note += f", truth {_signed(row['truth'])}"
        good = abs(row["posterior"] - row["truth"]) < abs(row["prior"] - row["truth"])
    return KeyNumber(f"{name} flux (PgC/yr)", f"{_signed(row['posterior'])} ± {row['posterior_sd']:.2f}", note, good)


def _reduction(summary: dict[str, Any], evaluation: Evaluation) -> KeyNumber | None:
    name = "Global land" if "Global land" in summary["uncertainty_reduction"] else "Global"
    value = summary["uncertainty_reduction"].get(name)
    if value is None:
        return None
    regional = [v for k, v in summary["uncertainty_reduction"].items() if v is not None and k in evaluation.budget.regions]
    note = f"up to {max(regional):.0f} % in a region" if regional else ""
    return KeyNumber(f"Uncertainty reduction, {name.lower()}", f"{value:.0f} %", note)


def _scores(scores: dict[str, Any]) -> list[KeyNumber]:
    numbers = []
    if scores.get("land_regions"):
        n, total = scores["land_regions_nearer"], scores["land_regions"]
        numbers.append(KeyNumber("Land regions nearer to the truth", f"{n} of {total}", "mean over the run", n > total / 2))
    if scores.get("regions"):
        n, total = scores["regions_within_2sd"], scores["regions"]
        numbers.append(KeyNumber("Truth within 2 σ of the posterior", f"{n} of {total}",
                                 f"regions; {scores['regions_within_2sd_independent']} if errors are independent", n >= 0.75 * total))
    if scores.get("land_cell_error", {}).get("change") is not None:
        change = scores["land_cell_error"]["change"]
        numbers.append(KeyNumber("Error of the land flux per cell", f"{whole(change)} %",
                                 "root mean square of the mean over the run", change < 0))
    return numbers


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def whole(change: float) -> str:
    """A change with its sign; less than a half has none."""
    return f"{change:+.0f}".replace("-", "−").replace("+0", "0").replace("−0", "0")
