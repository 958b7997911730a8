"""The table that commands print at the end: prior and posterior, against observations and against truth."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

OBSERVED = {"xco2": "XCO2, assimilated", "surface": "Flasks, withheld", "columns": "TCCON, independent"}
COLUMNS = ("bias", "mae", "rmse", "corr", "rmse_true")
HEADINGS = {"bias": "BIAS", "mae": "MAE", "rmse": "RMSE", "corr": "CORR", "rmse_true": "RMSE to truth"}
EMPHASISED = ("Global", "Global land", "Global ocean", "Northern land", "Tropical land", "Southern land")


def format_table(summary: dict[str, Any]) -> Group:
    """A summary for people, as something `rich.print` takes.

    Parameters
    ----------
    summary : dict
        What `evaluate_case` returns or summary.json holds.
    """
    parts: list[Any] = [_observations(summary), Text(), _fluxes(summary)]
    if sentences := score_sentences(summary.get("scores", {})):
        parts += [Text(), Text("Against the truth: " + "; ".join(sentences) + ".")]
    return Group(*parts)


def score_sentences(scores: dict[str, Any]) -> list[str]:
    """The scores of a synthetic experiment in words."""
    sentences = []
    for key, name in (("xco2_rmse_true_reduction", "XCO2"), ("surface_rmse_true_reduction", "withheld flasks")):
        if scores.get(key) is not None:
            sentences.append(f"RMSE of {name} {_change(-scores[key])}")
    if "global_land_error" in scores:
        error = scores["global_land_error"]
        sentences.append(f"error of the global land flux {error['prior']:.2f} → {error['posterior']:.2f} PgC/yr")
    if scores.get("land_regions"):
        sentences.append(f"{scores['land_regions_nearer']} of {scores['land_regions']} land regions nearer")
    if scores.get("regions"):
        sentences.append(f"truth within two posterior standard deviations in {scores['regions_within_2sd']} of {scores['regions']} regions")
    if "land_cell_error" in scores and scores["land_cell_error"]["change"] is not None:
        sentences.append(f"error of the land flux per cell {_change(scores['land_cell_error']['change'])}")
    return sentences


def _change(percent: float) -> str:
    return f"{abs(percent):.0f} % {'lower' if percent < 0 else 'higher'}"


def _observations(summary: dict[str, Any]) -> Table:
    observed = {key: label for key, label in OBSERVED.items() if key in summary}
    with_truth = any("rmse_true" in s for name in observed for s in summary[name].values())
    columns = COLUMNS if with_truth else COLUMNS[:-1]
    table = Table(title="Simulated minus observed CO2 (ppm)", title_justify="left")
    table.add_column("observations")
    table.add_column("fluxes")
    for name in columns:
        table.add_column(HEADINGS[name], justify="right")
    for key, label in observed.items():
        for i, (simulation, values) in enumerate(summary[key].items()):
            table.add_row(label if i == 0 else "", simulation, *(_cell(values.get(name), signed=name == "bias") for name in columns),
                          end_section=i == len(summary[key]) - 1)
    return table


def _fluxes(summary: dict[str, Any]) -> Table:
    fluxes, reduction = summary["fluxes"], summary["uncertainty_reduction"]
    with_truth = any("truth" in row for row in fluxes.values())
    table = Table(title="Optimised flux, mean over the run (PgC/yr, positive into the air)", title_justify="left")
    table.add_column("region", no_wrap=True)
    for name in ("prior", "posterior", *(("truth", "nearer") if with_truth else ()), "σ cut"):
        table.add_column(name, justify="right", no_wrap=True)
    keys = [k for k in fluxes if k not in EMPHASISED] + [k for k in EMPHASISED if k in fluxes]
    for key in keys:
        row = fluxes[key]
        cells = [_with_sd(row["prior"], row["prior_sd"]), _with_sd(row["posterior"], row["posterior_sd"])]
        if with_truth:
            cells += [_cell(row.get("truth"), signed=True), _nearer(row)]
        cells.append("–" if reduction.get(key) is None else f"{reduction[key]:.1f} %")
        table.add_row(key, *cells, style="bold" if key in EMPHASISED else None)
        if key != keys[-1] and keys[keys.index(key) + 1] == EMPHASISED[0]:
            table.add_section()
    return table


def _nearer(row: dict[str, float | None]) -> str:
    if None in (row.get("truth"), row["prior"], row["posterior"]):
        return ""
    return "yes" if abs(row["posterior"] - row["truth"]) < abs(row["prior"] - row["truth"]) else "no"


def _with_sd(value: float | None, sd: float | None) -> str:
    return f"{_cell(value, signed=True)} ± {_cell(sd)}"


def _cell(value: float | None, signed: bool = False) -> str:
    return "–" if value is None else f"{value:{'+' if signed else ''}.2f}"
