"""Charts of how the analysis behaved: consistency by window, errors, ranks, signal and information."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gcas_driver.evaluation.diagnostics import WindowDiagnostics

from .style import BACKGROUND, INK, POSTERIOR, PRIOR, QUIET, WIDTH, figure, time_axis

BARS = "#a9bfd3"
MAX_PANELS = 3
LEAST_RANKED = 20
"""A histogram of fewer ranks shows noise."""


def window_chart(diagnostics: list[WindowDiagnostics]) -> Figure | None:
    """Per window: χ² and the ratio of innovation to expectation; innovation, expectation, departure; share of rejected pairs."""
    if not any(d.figures.of("number") for d in diagnostics):
        return None
    fig = figure(WIDTH, 2.55)
    axes = fig.subplots(1, 3)
    times = np.array([d.window for d in diagnostics], dtype="datetime64[s]").astype(object)

    def line(ax: Axes, name: str, colour: str, label: str, dash="-") -> None:
        ax.plot(times, [d.figures.of(name) for d in diagnostics], color=colour, linestyle=dash, marker="o", markersize=3.5, label=label)

    line(axes[0], "chi2", BACKGROUND, "χ²")
    line(axes[0], "spread_skill", POSTERIOR, "RMS innovation / expected")
    axes[0].axhline(1.0, color=INK, linewidth=0.8, linestyle=(0, (3, 1.5)))
    axes[0].set_title("Consistency: 1 is right")
    line(axes[1], "rms_innovation", BACKGROUND, "RMS before the analysis")
    line(axes[1], "expected_rms", PRIOR, "expected: √mean(s + R)", (0, (2, 1.2)))
    line(axes[1], "rms_departure", POSTERIOR, "RMS after")
    axes[1].set_title("Observed − simulated")
    axes[1].set_ylabel("ppm")
    shares = [np.nan if d.rejected_share is None else 100.0 * d.rejected_share for d in diagnostics]
    axes[2].bar(times, shares, width=0.6 * _spacing(times), color=BARS)
    axes[2].set_ylim(0, 100)
    axes[2].set_title("Pairs rejected by localization")
    axes[2].set_ylabel("% of pairs within reach")
    margin = np.timedelta64(int(0.5 * _spacing(times) * 86400), "s")
    for ax in axes:
        time_axis(ax, np.datetime64(times[0], "s") - margin, np.datetime64(times[-1], "s") + margin)
    for ax in axes[:2]:
        ax.set_ylim(0.0, 1.4 * ax.get_ylim()[1])
        ax.legend(loc="upper center", ncols=2, fontsize=7.5)
    return fig


def _spacing(times: np.ndarray) -> float:
    """Days between windows."""
    return (times[1] - times[0]).total_seconds() / 86400.0 if len(times) > 1 else 7.0


def error_chart(block: dict[str, Any]) -> Figure | None:
    """Error and ensemble spread as assumed and as the departures tell, by product."""
    products = _with_observations(block.get("product", {}))
    groups = products if len(products) == 1 else _with_observations({"all": block["all"]} | products)
    if not groups:
        return None
    fig = figure(WIDTH, 0.34 * len(groups) + 1.5)
    axes = fig.subplots(1, 2)
    places = np.arange(len(groups))[::-1]
    for ax, name, title in ((axes[0], "error_variance", "Observation error √R"), (axes[1], "prior_variance", "Ensemble spread √s")):
        assumed = np.sqrt([row[name] for row in groups.values()])
        diagnosed = np.array([row[f"{name}_diagnosed"] for row in groups.values()])
        doubt = np.array([row[f"{name}_diagnosed_error"] or 0.0 for row in groups.values()])
        low, middle, high = (np.sqrt(np.maximum(diagnosed + sign * doubt, 0.0)) for sign in (-1, 0, 1))
        ax.hlines(places, np.minimum(assumed, middle), np.maximum(assumed, middle), color=QUIET, linewidth=1.0)
        ax.plot(assumed, places, "D", color=PRIOR, markersize=6, label="Assumed")
        ax.errorbar(middle, places, xerr=[middle - low, high - middle], fmt="o", color=POSTERIOR, markersize=5.5, elinewidth=2.0,
                    label="Diagnosed ± standard error")
        ax.set_yticks(places, list(groups))
        ax.set_ylim(-0.6, len(groups) - 0.4)
        ax.set_xlim(0.0, 1.12 * ax.get_xlim()[1])
        ax.grid(axis="y", visible=False)
        ax.set_title(title)
        ax.set_xlabel("ppm")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=2)
    return fig


def rank_chart(block: dict[str, Any]) -> Figure | None:
    """Rank histograms: all super-observations, then the products with most of them."""
    products = {name: row for name, row in block.get("product", {}).items() if row["number"] >= LEAST_RANKED}
    groups = {"all": block["all"]} if block["all"]["number"] >= LEAST_RANKED else {}
    if len(block.get("product", {})) > 1:
        most = sorted(products, key=lambda name: -products[name]["number"])[:MAX_PANELS - 1]
        groups |= {name: products[name] for name in most}
    if not groups:
        return None
    fig = figure(WIDTH, 2.4)
    axes = fig.subplots(1, len(groups), squeeze=False, sharey=True)[0]
    for ax, (name, row) in zip(axes, groups.items(), strict=True):
        counts = np.array(row["rank_count"])
        n, bins = counts.sum(), counts.size
        expected = 100.0 / bins
        scatter = 2.0 * np.sqrt(expected / 100.0 * (1.0 - expected / 100.0) / n) * 100.0
        ax.axhspan(max(expected - scatter, 0.0), expected + scatter, color="#eef1f4", zorder=0)
        ax.bar((np.arange(bins) + 0.5) / bins, 100.0 * counts / n, width=0.92 / bins, color=BARS)
        ax.axhline(expected, color=INK, linewidth=0.8, linestyle=(0, (3, 1.5)))
        ax.set_title(f"{name} ({n})")
        ax.set_xlim(0.0, 1.0)
        ax.set_xticks([0.0, 0.5, 1.0], ["below\nall members", "rank of the observation", "above\nall members"])
        for label, side in zip(ax.get_xticklabels(), ("left", "center", "right"), strict=True):
            label.set_horizontalalignment(side)
    axes[0].set_ylabel("share of observations (%)")
    return fig


def signal_chart(block: dict[str, Any]) -> Figure | None:
    """Degrees of freedom for signal and information of a window, by region and, if there are several, by product."""
    everything, products = block["all"], _with_observations(block.get("product", {}))
    regions = _with_observations(block.get("region", {}))
    if everything["dfs"] is None or not regions:
        return None
    regions = {name: regions[name] for name in sorted(regions, key=lambda name: -(regions[name]["dfs"] or 0.0))}
    parts = [("by region", regions)] + ([("by product", products)] if len(products) > 1 else [])
    rows = max(len(part) for _, part in parts)
    fig = figure(WIDTH, 0.2 * rows + 1.0)
    axes = fig.subplots(1, 2 * len(parts), squeeze=False, gridspec_kw={"width_ratios": [1.5, 1.5, 1.0, 1.0][:2 * len(parts)]})[0]
    information = "information" if everything["information"] is not None else "information_added"
    for number, (by, part) in enumerate(parts):
        for column, (name, title, colour) in enumerate((("dfs", "Signal", POSTERIOR), (information, "Information", BACKGROUND))):
            ax, places = axes[2 * number + column], np.arange(len(part))[::-1]
            ax.barh(places, [row[name] or 0.0 for row in part.values()], height=0.72, color=colour, alpha=0.75)
            ax.set_yticks(places, [""] * len(part) if column else list(part))
            ax.set_ylim(len(part) - rows - 0.6, len(part) - 0.4)
            ax.grid(axis="y", visible=False)
            ax.set_title(f"{title} {by}" + ("" if number else f": {everything[name]:.3g} in all"))
            ax.set_xlabel("bit" if column else "degrees of freedom")
    return fig


def _with_observations(groups: dict[str, Any]) -> dict[str, Any]:
    return {name: row for name, row in groups.items() if row["number"]}
