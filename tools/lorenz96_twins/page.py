"""The table as Markdown, put between marks into a page, and the figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .cases import LOST, Case, Outcome, mean_and_error

BEGIN, END = "<!-- made by tools/lorenz96 -->", "<!-- end of what tools/lorenz96 makes -->"
BASELINE_NAMES = {"climatology": "climatology", "optimal-interpolation": "optimal interpolation", "3d-var": "3D-Var",
                  "extended-kalman": "extended Kalman filter", "extended-kalman-tangent": "… with the step's own tangent"}
COLUMNS = ("method", "N", "inflation", "radius", "RMSE", "published", "verdict", "gate", "spread", "cycles above 1", "seeds lost")
CHANGES = {"given-order": "observations around the ring, not shuffled",
           "prior-inflation": "the filter's own `inflation`, before the analysis",
           "plain": "a plain transform filter in NumPy on the same truths and observations", "pairs": "variables localized in pairs"}


def label(case: Case) -> str:
    """The method in words."""
    if case.settings is None:
        return BASELINE_NAMES[case.name]
    name = {"ensrf": "EnSRF", "letkf": "ETKF" if case.settings.radius is None else "LETKF"}[case.settings.method]
    return name + (", rotations" if case.settings.rotate else "")


def table(outcomes: list[Outcome]) -> str:
    """Rows with a published value beside them."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for outcome in outcomes:
        case, settings = outcome.case, outcome.case.settings
        if case.variant_of:
            continue
        setup, kept = ("", "", ""), ("", "")
        if settings:
            setup = (str(settings.members), f"{settings.inflation:g}", f"{settings.radius:g}" if settings.radius else "–")
            kept = (f"{100 * outcome.bursts:.2f} %", f"{outcome.lost} of {outcome.seeds}")
        published = case.published
        if case.reruns:
            published += "; rerun {:.4f} ± {:.4f}".format(*mean_and_error(np.array(case.reruns)))
        cells = (label(case), *setup, f"{outcome.rmse:.4f} ± {outcome.error:.4f}", published, outcome.verdict,
                 "yes" if case.gated else "–", f"{outcome.spread:.3f}", *kept)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def variants(outcomes: list[Outcome], results: dict[str, list[dict]]) -> str:
    """What a convention changes: paired differences over the seeds that kept the truth in both."""
    lines = ["| row | changed | RMSE of the row | changed by | seeds compared | seeds lost |", "|---|---|---|---|---|---|"]
    known = {outcome.case.name: outcome for outcome in outcomes}
    for name, outcome in known.items():
        if outcome.case.variant_of not in known:
            continue
        base = known[outcome.case.variant_of].case
        pairs = [(a["rmse"], b["rmse"]) for a, b in zip(results[base.name], results[name], strict=True)
                 if not base.settings or max(a["bursts"], b["bursts"]) <= LOST]
        if not pairs:
            continue
        before, after = np.array(pairs).T
        change, error = mean_and_error(after - before)
        lines.append(f"| {described(base)} | {changed(outcome.case)} | {before.mean():.4f} | {change:+.4f} ± {error:.4f} | {len(pairs)} | "
                     f"{known[base.name].lost} → {outcome.lost} |")
    return "\n".join(lines)


def described(case: Case) -> str:
    """Method and sizes in a few words."""
    if case.settings is None:
        return label(case)
    return f"{label(case)}, N = {case.settings.members}" + (f", radius {case.settings.radius:g}" if case.settings.radius else "")


def changed(case: Case) -> str:
    """In which convention a variant differs."""
    if case.settings is None:
        return label(case).removeprefix("… ")
    return CHANGES[case.name.removeprefix(case.variant_of + "-")]


def write_page(page: Path, text: str) -> None:
    """Put `text` between the marks of the page, or make a page of it.

    Raises
    ------
    ValueError
        The page exists and has no marks.
    """
    made = f"{BEGIN}\n{text}\n{END}"
    if not page.exists():
        page.write_text(made + "\n", encoding="utf-8")
        return
    old = page.read_text(encoding="utf-8")
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page}: no place for the table; expected the lines {BEGIN!r} and {END!r}")
    page.write_text(before + made + after, encoding="utf-8")


def draw(path: Path, outcomes: list[Outcome]) -> None:
    """RMSE over what is published, with both tolerances, as PNG."""
    from matplotlib.figure import Figure

    rows = [outcome for outcome in outcomes if outcome.case.published and outcome.case.settings][::-1]
    figure = Figure(figsize=(8, 1.2 + 0.36 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for place, outcome in enumerate(rows):
        case = outcome.case
        published, half = float(case.published), case.half_unit + case.published_error
        axes.barh(place, 2 * half, left=published - half, height=0.6, color="#c9d3e0", zorder=1)
        if case.reruns:
            mean, error = mean_and_error(np.array(case.reruns))
            axes.errorbar(mean, place + 0.2, xerr=3 * error, fmt="D", markersize=4, capsize=3, color="#b3541e", zorder=2)
        axes.errorbar(outcome.rmse, place, xerr=3 * np.nan_to_num(outcome.error), fmt="o", capsize=3, zorder=2,
                      color="#1b4f8a", markerfacecolor="#1b4f8a" if case.gated else "white")
    axes.set_yticks(range(len(rows)), [f"{described(outcome.case)}, {outcome.case.settings.inflation:g}" for outcome in rows])
    axes.set_xlabel("analysis RMSE: published with its rounding (bar),\nmeasured with 3 standard errors (dot; hollow: no gate),\n"
                    "DAPPER's own reruns (diamond)")
    axes.grid(axis="x", alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
