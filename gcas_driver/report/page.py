"""`write_report`: everything about a case on one page that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2

from gcas_driver import __version__
from gcas_driver.evaluation.aggregates import GLOBAL
from gcas_driver.evaluation.case import Case
from gcas_driver.evaluation.caveats import caveats, is_analytic
from gcas_driver.evaluation.diagnostics import table_of
from gcas_driver.evaluation.regions import TOTAL, FluxBudget
from gcas_driver.evaluation.summary import (
    Evaluation,
    accounting_of,
    detailed_statistics,
    evaluate,
    flux_table,
    groups_of,
    period_reductions,
)
from mozart_coupling.netcdf import write_text, writing

from .key_numbers import key_numbers
from .verdict import verdicts

TITLES = {
    "xco2": "XCO₂, assimilated soundings", "surface": "Surface CO₂, withheld flasks",
    "columns": "XCO₂ from the ground (TCCON), independent", "surface_assimilated": "Surface CO₂, assimilated",
    "xco2_withheld": "XCO₂, withheld soundings",
}
COMPONENT_TITLES = {
    "bio": "Land biosphere (BIO)", "ocn": "Ocean (OCN)", "fossil": "Fossil fuel and cement (FOSSIL)",
    "fire": "Biomass burning (FIRE)", "net": "All components as one (NET)", TOTAL: "Optimised components together",
}


@dataclass(frozen=True)
class Picture:
    """One figure of the page.

    Attributes
    ----------
    name : str
        Identifier in the page.
    title, caption : str
    uri : str
        The PNG, as data of the page.
    """

    name: str
    title: str
    caption: str
    uri: str


def write_report(case_directory: str | Path, evaluation: Evaluation | None = None) -> Path:
    """Write `report/index.html` of a case.

    Parameters
    ----------
    case_directory : str or Path
        Of a finished or running case; only its output files are read.
    evaluation : Evaluation, optional
        Of this case, if it is at hand already.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InputError
        No window is there, or a file is broken.
    """
    evaluation = evaluation or evaluate(case_directory)
    path = Path(case_directory) / "report" / "index.html"
    text = render(evaluation)
    with writing(path):
        path.parent.mkdir(exist_ok=True)
    write_text(path, text)
    return path


def render(evaluation: Evaluation) -> str:
    """The page as text."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True,
                                     trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"number": number, "signed": signed, "percent": percent}
    figures = pictures(evaluation) if evaluation.case.settings.get("report", "figures", True) else {}
    return environment.get_template("index.html.j2").render(**context(evaluation), figures=figures)


def context(evaluation: Evaluation) -> dict[str, Any]:
    """What the template shows, but for the figures."""
    case, budget = evaluation.case, evaluation.budget
    counted = case.counted
    tables = {TITLES[name]: detailed_statistics(table, budget) for name, table in groups_of(evaluation).items() if len(table)}
    return {
        "title": str(case.settings.get("report", "title") or case.name),
        "case": case, "summary": evaluation.summary, "synthetic": case.truth is not None,
        "version": case.attributes.get("gcas_version", __version__),
        "caveats": caveats(case), "facts": _facts(evaluation), "keys": key_numbers(evaluation.summary, evaluation), "tables": tables,
        "simulations": ("prior", "background", "posterior"), "spin_up": len(case.windows) - len(counted),
        "components": [] if budget is None else global_budget(budget),
        "regions": [] if budget is None else list(budget.regions),
        "periods": {} if budget is None else _periods(budget),
        "accounting": accounting_of(evaluation),
        "windows": [{"window": d.window, "rejected_share": d.rejected_share, "table": table_of(d.figures)["all"]}
                    for d in evaluation.diagnostics],
        "groups": _diagnosed_groups(evaluation), "verdicts": verdicts(evaluation.summary["diagnostics"]), "settings": _settings(evaluation),
        "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def _diagnosed_groups(evaluation: Evaluation) -> dict[str, dict[str, Any]]:
    """Figures of the analysis of all super-observations, of every product and of every region that has some."""
    block = evaluation.summary["diagnostics"]
    groups = {"all": block["all"]} | block.get("product", {}) | block.get("region", {})
    return {name: row for name, row in groups.items() if row["number"]}


def _periods(budget: FluxBudget) -> dict[str, dict[str, float | None]]:
    """Uncertainty reduction by year, if there are several, and by month."""
    years = period_reductions(budget, "year")
    return (years if len(years) > 1 else {}) | period_reductions(budget, "month")


def global_budget(budget: FluxBudget) -> list[dict[str, Any]]:
    """Rows of the table of global fluxes: the components, the optimised ones together, and everything that goes into the air."""
    rows = [{"title": COMPONENT_TITLES.get(c, c), "optimised": c in budget.optimised or c == TOTAL, "total": c == TOTAL,
             "row": flux_table(budget, c)[GLOBAL]} for c in budget.components]
    kept = [r["row"] for r in rows if not r["optimised"]]
    if kept:
        whole = dict(rows[-1]["row"])
        for name in ("prior", "posterior", "truth"):
            parts = [row.get(name) for row in (whole, *kept)]
            whole[name] = None if None in parts else sum(parts)
        rows.append({"title": "All components: what stays in the air", "optimised": True, "total": True, "row": whole})
    return rows


def pictures(evaluation: Evaluation) -> dict[str, Picture]:
    """All figures that the case has data for, by name."""
    from . import analysis_figures, flux_figures, observation_figures
    from .style import applied, data_uri, png

    budget, block = evaluation.budget, evaluation.summary["diagnostics"]
    makers: list[tuple[str, str, str, Callable[[], Any]]] = [
        ("coverage", "Where observations were and how far off the simulation is", "Means over 5° cells; circles are withheld flask sites.",
         lambda: observation_figures.coverage_maps(evaluation)),
        ("bias", "Departures by window and latitude",
         "Prior and posterior are free-running; the background starts every window from the posterior state of the one before.",
         lambda: observation_figures.bias_chart(evaluation)),
        ("histograms", "Distribution of departures", "The outermost bins hold all that lies beyond.",
         lambda: observation_figures.histograms(evaluation)),
        ("sites", "Flask sites", "Withheld sites with most samples, spread over latitude, from north to south.",
         lambda: observation_figures.site_series(evaluation)),
        ("columns", "Columns from the ground", "TCCON, not assimilated: stations with most values, from north to south.",
         lambda: observation_figures.column_series(evaluation)),
        ("diagnostics", "Window by window",
         "Above 1: departures are larger than spread s and errors R allow; below 1: smaller. Which of the two, the next figure tells. "
         "Spin-up windows included.", lambda: analysis_figures.window_chart(evaluation.diagnostics)),
        ("errors", "Error and spread, assumed and diagnosed",
         "Diagnosed from the departures (Desroziers et al., 2005): left of the assumed one, the error or the spread was larger than the "
         "departures show. Look at both: the fluxes depend on their ratio. Errors may be larger on purpose, since correlations by chance "
         "act like errors where members are few. Correlated errors that are taken as independent make the diagnosed error too small.",
         lambda: analysis_figures.error_chart(block)),
        ("ranks", "Rank of the observation among the members",
         "Level within the grey band: spread and errors are right. U: too small. Hump: too large. Slope: simulated values are biased, look "
         "at the start field. The band is that of independent ranks; neighbours share errors and scatter more.",
         lambda: analysis_figures.rank_chart(block)),
        ("signal", "What the observations told, mean window",
         "Degrees of freedom for signal: how many independent numbers the observations determined; information: how much they narrowed the "
         "uncertainty. Long bars carry the result; where they are short, more or better observations are wanted, or longer correlations.",
         lambda: analysis_figures.signal_chart(block)),
    ]
    if budget is not None:
        makers += [
            ("maps", "Optimised flux, mean over the run", "Sum of the optimised components, positive into the air.",
             lambda: flux_figures.flux_maps(budget)),
            ("regions", "Regional fluxes", "σ as if errors lasted from window to window.", lambda: flux_figures.region_chart(budget)),
            ("aggregates", "Fluxes window by window: large regions", "Each step is a window; bands are ±σ of the members' totals.",
             lambda: flux_figures.series(budget, flux_figures.SERIES, 3, 2.1)),
            ("series", "Fluxes window by window: every region", "As above.",
             lambda: flux_figures.series(budget, budget.regions, 4, 1.7)),
            ("spread", "Uncertainty reduction by cell", "Of single scaling factors; what a region gains is in the table.",
             lambda: flux_figures.spread_map(evaluation)),
        ]
    drawn = {}
    for name, title, caption, make in makers:
        with applied():
            figure = make()
            if figure is not None:
                drawn[name] = Picture(name, title, caption, data_uri(png(figure)))
    return drawn


def _facts(evaluation: Evaluation) -> list[tuple[str, str]]:
    """What was run, in a few words."""
    case, get = evaluation.case, evaluation.case.settings.get
    counted, first, last = case.counted, case.windows[0], case.windows[-1]
    spin_up, length = len(case.windows) - len(counted), "1 day" if first.days == 1 else f"{first.days:g} days"
    facts = [
        ("Period", f"{first.start.astype('datetime64[D]')} to {last.end.astype('datetime64[D]')}"),
        ("Windows", f"{len(case.windows)}, of {length} each" + (f", {spin_up} of them spin-up" if spin_up else "")),
        ("Members", "" if case.members is None else str(case.members)),
        ("Optimised", ", ".join(c.upper() for c in evaluation.factors.components) if evaluation.factors else ""),
        ("Grid", evaluation.budget.grid.name.replace("x", " × ") if evaluation.budget else ""),
        ("Transport", _transport(case)),
        ("Filter", f"{get('analysis', 'method')}, " + (f"{get('analysis', 'near_km'):g} / {get('analysis', 'far_km'):g} km"
                                                       if get("analysis", "localize", True) else "not localized")),
        ("Seed", str(get("case", "seed", ""))),
        ("Time taken", _duration(case.wall_seconds)),
    ]
    return [(name, text) for name, text in facts if text]


def _transport(case: Case) -> str:
    """The model and what its winds come from."""
    if is_analytic(case):
        return "embedded, analytic circulation"
    get = case.settings.get
    command = get("transport", "command") or ""
    words = [command] if isinstance(command, str) else command
    model = "embedded" if get("transport", "model") == "embedded" else " ".join(words)
    return f"{model}, meteorology from {Path(str(get('transport', 'met_directory'))).name}"


def _settings(evaluation: Evaluation) -> dict[str, list[tuple[str, str]]]:
    """The settings of the case's namelist by group."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for group, name, text in evaluation.case.settings.given:
        groups.setdefault(group, []).append((name, text))
    return groups


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def number(value: float | None, digits: int = 2) -> str:
    """A number with a proper minus sign; a dash for none."""
    return "–" if value is None else re.sub("^-", "−", f"{value:.{digits}f}")


def signed(value: float | None, digits: int = 2) -> str:
    """A number that always shows its sign."""
    return "–" if value is None else re.sub("^-", "−", f"{value:+.{digits}f}")


def percent(value: float | None, digits: int = 1) -> str:
    """A percentage without its sign."""
    return "–" if value is None else f"{number(value, digits)} %"
