"""The figure of Table 5: in each region the sinks' and the field's departures from their means, side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from gcas_driver.evaluation.table5 import Comparison, Table5

from .style import INK, POSTERIOR, PRIOR, WIDTH, applied, figure, png, zero_line

COLUMNS = 4
PANEL_HEIGHT = 1.75


def draw_table5(result: Table5, path: Path) -> None:
    """One block of panels a field, a panel a region."""
    rows_each = -(-len(result.shown) // COLUMNS)
    with applied():
        fig = figure(WIDTH, PANEL_HEIGHT * rows_each * len(result.comparisons) + 0.5)
        parts = np.atleast_1d(fig.subfigures(len(result.comparisons), 1))
        for part, found in zip(parts, result.comparisons, strict=True):
            axes = part.subplots(rows_each, COLUMNS, squeeze=False).ravel()
            part.suptitle(f"{result.component.upper()} sink and {found.name} ({found.basis}, n = {len(found.times)}): departures from the "
                          "mean", x=0.01, ha="left", fontsize=10, fontweight="bold")
            for axis, key in zip(axes, result.shown, strict=False):
                _panel(axis, found, result.keys.index(key), key)
            for axis in axes[len(result.shown):]:
                axis.set_axis_off()
            _legend(axes[-1] if len(axes) > len(result.shown) else axes[0], found)
        path.write_bytes(png(fig))


def _panel(axis: Axes, found: Comparison, i: int, key: str) -> None:
    at = np.arange(len(found.times))
    for name, colour in (("prior", PRIOR), ("posterior", POSTERIOR)):
        axis.plot(at, found.sinks[name][:, i] - found.sinks[name][:, i].mean(), color=colour, marker="o", markersize=3)
    zero_line(axis)
    index = found.index[:, i]
    if np.isfinite(index).all():
        other = axis.twinx()
        other.plot(at, index - index.mean(), color=INK, linestyle=":", marker="s", markersize=2.5)
        other.grid(False)
        other.tick_params(labelsize=6.5)
        for one in (axis, other):  # both zeros at one height
            largest = max(abs(v) for v in one.get_ylim())
            one.set_ylim(-largest, largest)
    rs = ", ".join("–" if not np.isfinite(r) else f"{r:+.2f}" for r in (found.correlation["prior"][i], found.correlation["posterior"][i]))
    axis.set_title(f"{key}  r {rs}", fontsize=8)
    step = max(1, -(-len(at) // 6))
    axis.set_xticks(at[::step], [str(t) for t in found.times[::step]])


def _legend(axis: Axes, found: Comparison) -> None:
    lines = [axis.plot([], [], color=colour, marker=mark, markersize=3, linestyle=line, label=label)[0] for colour, mark, line, label in (
        (PRIOR, "o", "-", "prior sink (PgC/yr)"), (POSTERIOR, "o", "-", "posterior sink (PgC/yr)"),
        (INK, "s", ":", f"{found.name} ({found.unit or '1'}, right)"))]
    axis.legend(handles=lines, loc="center" if not axis.axison else "best", fontsize=7)
