"""Draws findings: maps, lines, profiles, a panel each."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gcas_driver.report import maps
from gcas_driver.report.style import DIVERGING, POSTERIOR, PRIOR, SEQUENTIAL, TRUTH, applied, figure, png, round_up, time_axis

from .findings import Findings, GridPanel, LinePanel, PointPanel

COLOURS = (POSTERIOR, TRUTH, PRIOR, "#009e73", "#cc79a7")
PANEL = (5.6, 3.1)
LETTERS = 74
"""Of a title, in the width of a panel."""
MOST_PANELS = 6


def draw(found: Findings, path: Path) -> None:
    """Write a PNG of at most six panels."""
    panels = found.panels[:MOST_PANELS]
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    with applied():
        fig = figure(PANEL[0] * columns, PANEL[1] * rows + 0.4)
        fig.suptitle(textwrap.fill(f"{found.path.name}: {found.title}", LETTERS * columns), x=0.01, ha="left", fontsize=10)
        axes = np.atleast_1d(fig.subplots(rows, columns)).ravel()
        for axis, panel in zip(axes, panels, strict=False):
            if isinstance(panel, LinePanel):
                _lines(axis, panel)
            else:
                _map(fig, axis, panel)
        for axis in axes[len(panels):]:
            axis.set_axis_off()
        image = png(fig)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(image)


def _map(fig: Figure, axis: Axes, panel: GridPanel | PointPanel) -> None:
    present = np.asarray(panel.values)[np.isfinite(panel.values)]
    if isinstance(panel, GridPanel) and panel.diverging:
        limit = round_up(float(np.percentile(np.abs(present), 99.0))) if present.size and np.abs(present).max() > 0 else 1.0
        limits, colours = (-limit, limit), DIVERGING
    else:
        low, high = (float(v) for v in np.percentile(present, [1.0, 99.0])) if present.size else (0.0, 1.0)
        limits, colours = (low, high if high > low else low + 1.0), "turbo" if panel.unit == "region" else SEQUENTIAL
    if isinstance(panel, GridPanel):
        image = maps.draw_map(axis, panel.values, panel.grid, panel.title, limits, colours)
    else:
        size = 40.0 if np.unique(panel.lon).size < 20 else 9.0 if present.size < 2000 else 3.0
        image = maps.draw_points(axis, panel.lon, panel.lat, panel.values, panel.title, limits, "turbo", size)
    bar = fig.colorbar(image, ax=axis, shrink=0.8, pad=0.02)
    if panel.unit == "region":
        bar.set_ticks(np.unique(present)[:: max(1, np.unique(present).size // 12)])
    bar.set_label(panel.unit)
    bar.outline.set_visible(False)


def _lines(axis: Axes, panel: LinePanel) -> None:
    for (name, (x, y)), colour in zip(panel.lines.items(), COLOURS * 3, strict=False):
        style = {"linestyle": "none", "marker": ".", "markersize": 3} if panel.marks else {}
        axis.plot(x.astype("datetime64[s]").astype(object) if panel.time else x, y, color=colour, label=name, **style)
    if panel.pressure:
        axis.set_yscale("log")
        top = min(float(np.min(y)) for _, y in panel.lines.values())
        axis.set_ylim(1020.0, max(top, 0.1))
    if panel.time and any(len(x) for x, _ in panel.lines.values()):
        times = np.concatenate([np.asarray(x, dtype="datetime64[s]") for x, _ in panel.lines.values()])
        low, high = times.min(), times.max()
        pad = max(np.timedelta64(3600, "s"), (high - low) // 50)
        time_axis(axis, low - pad, high + pad)
    axis.set(title=panel.title, xlabel=panel.x, ylabel=panel.y)
    if len(panel.lines) > 1:
        axis.legend()
