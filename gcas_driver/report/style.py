"""How figures look: colours that colour-blind readers can tell apart, quiet axes, PNG out."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from contextlib import AbstractContextManager

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PRIOR, BACKGROUND, POSTERIOR, TRUTH = "#7d8590", "#b0985a", "#0072b2", "#d55e00"
INK, QUIET = "#22272e", "#8b949e"
COLOURS = {"prior": PRIOR, "background": BACKGROUND, "posterior": POSTERIOR}

DIVERGING = "RdBu_r"
SEQUENTIAL = "YlGnBu"
DPI = 140
WIDTH = 11.0
"""Width of a figure that fills the page [inches]."""

RC = {
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 8.5, "axes.titlesize": 9.5, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "axes.labelsize": 8.5, "axes.labelcolor": INK, "axes.edgecolor": "#c9d1d9", "axes.linewidth": 0.8,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#eaeef2", "grid.linewidth": 0.8,
    "axes.axisbelow": True, "text.color": INK, "xtick.color": INK, "ytick.color": INK, "xtick.labelsize": 7.5, "ytick.labelsize": 7.5,
    "xtick.major.size": 0, "ytick.major.size": 0, "legend.frameon": False, "legend.fontsize": 8, "lines.linewidth": 1.6,
    "figure.facecolor": "white", "savefig.facecolor": "white", "axes.unicode_minus": True,
}


def figure(width: float, height: float, arranged: bool = True) -> Figure:
    """An empty figure [inches] that makes room for its texts itself (`arranged`); it is no pyplot figure, so nothing has to be closed."""
    return Figure(figsize=(width, height), layout="constrained" if arranged else None)


def applied() -> AbstractContextManager[None]:
    """The context in which figures are made and drawn."""
    return matplotlib.rc_context(RC)


def png(fig: Figure) -> bytes:
    """The figure as PNG."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=DPI, pil_kwargs={"compress_level": 6})
    return buffer.getvalue()


def data_uri(image: bytes) -> str:
    """A PNG as text that a page can hold."""
    return "data:image/png;base64," + base64.b64encode(image).decode()


def symmetric_limit(arrays: Iterable[np.ndarray], percentile: float = 99.0) -> float:
    """A round limit L for a colour scale −L … L that shows all but the extremes; 1 where everything is zero."""
    values = np.concatenate([np.abs(a[np.isfinite(a)]).ravel() for a in arrays] or [np.empty(0)])
    values = values[values > 0]
    return round_up(float(np.percentile(values, percentile))) if values.size else 1.0


def round_up(value: float) -> float:
    """The next of 1, 1.5, 2, 3, 4, 5, 6, 8, 10 times a power of ten."""
    if value <= 0 or not np.isfinite(value):
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value * (1 - 1e-12)))


def time_axis(axes: Axes, start: np.datetime64, end: np.datetime64) -> None:
    """Limits and short dates for an axis of time."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    start, end = (np.datetime64(t, "s").astype(object) for t in (start, end))
    axes.set_xlim(start, end)
    locator = AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def zero_line(axes: Axes, along: str = "y") -> None:
    """A line at zero if the data surround it; a far zero would only take their room."""
    low, high = axes.get_ylim() if along == "y" else axes.get_xlim()
    if low < 0.0 < high:
        (axes.axhline if along == "y" else axes.axvline)(0.0, color=QUIET, linewidth=0.8, zorder=1)
