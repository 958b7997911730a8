"""The figures of the realism page, one panel a circulation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gcas_driver.report.style import BACKGROUND, POSTERIOR, PRIOR, SEQUENTIAL, TRUTH, applied, figure

from . import measures
from .measures import Run
from .tally import SEASONS
from .tracers import AGE, POLAR_AGE, SF6

DPI = 75
TITLES = {"analytic": "analytic circulation", "primitive": "primitive equations"}
Runs = Mapping[str, Run]


def draw_all(runs: Runs, folder: Path) -> list[Path]:
    """Write every figure; gives the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    with applied():
        for name, draw in {"sf6": sections_of_sf6_and_age, "radon": radon, "rectifier": rectifier, "polar": polar}.items():
            files.append(folder / f"{name}.png")
            draw(runs).savefig(files[-1], dpi=DPI)
    return files


def sections_of_sf6_and_age(runs: Runs) -> Figure:
    """SF6 less its mean south of 60 degrees south at the ground, and age, annual means."""
    fig = figure(10.0, 3.4 * len(runs))
    for row, (name, run) in zip(fig.subplots(len(runs), 2, squeeze=False), runs.items(), strict=True):
        sf6 = measures.last_year(run, SF6)
        sf6 = sf6 - measures.band(run, sf6, -90.0, -60.0)[-1]
        _section(fig, row[0], run, sf6, np.arange(-0.6, 2.41, 0.2), f"{TITLES[name]}: SF6 less the Antarctic ground's", "years of growth")
        _section(fig, row[1], run, measures.last_year(run, AGE), np.arange(0.0, 2.41, 0.2), "age since the ground at 30-50°N", "years")
    return fig


def polar(runs: Runs) -> Figure:
    """Arctic age by season."""
    fig = figure(10.0, 3.4 * len(runs))
    for row, (name, run) in zip(fig.subplots(len(runs), 2, squeeze=False), runs.items(), strict=True):
        for axes, season in zip(row, ("DJF", "JJA"), strict=True):
            field = measures.season_mean(run, POLAR_AGE, season)
            title = f"{TITLES[name]}, {season}: time poleward of 70°"
            _section(fig, axes, run, field, np.arange(0.0, 24.1, 2.0), title, "days", (60.0, 90.0))
    return fig


def radon(runs: Runs) -> Figure:
    """Profiles over northern land in the afternoon."""
    fig = figure(10.0, 4.0)
    for axes, season in zip(fig.subplots(1, 2, sharey=True), SEASONS, strict=True):
        for (name, run), colour in zip(runs.items(), (POSTERIOR, TRUTH), strict=False):
            height, _, values = measures.radon_profile(run, season)
            axes.plot(values, 1e-3 * height, color=colour, marker=".", label=TITLES[name])
            axes.axhline(1e-3 * measures.radon_shares(run, season)[2], color=colour, linestyle=":", linewidth=1.0)
        axes.set(xscale="log", xlim=(10.0, 2.0e4), ylim=(0.0, 14.0), xlabel="radon-222 (mBq in a standard cubic metre)",
                 title=f"{season}: land 30-60°N, 13-16 h; dotted: boundary layer")
        axes.legend()
    fig.axes[0].set_ylabel("height above ground (km)")
    return fig


def rectifier(runs: Runs) -> Figure:
    """Annual mean of the balanced flux at the ground by latitude, with and without its day."""
    fig = figure(10.0, 3.6)
    for axes, (name, run) in zip(fig.subplots(1, len(runs), squeeze=False, sharey=True)[0], runs.items(), strict=True):
        for daily, colour, label in ((False, POSTERIOR, "with its day"), (True, BACKGROUND, "daily means: season alone")):
            axes.plot(run["lat"], measures.rectifier(run, daily), color=colour, label=label)
        axes.axhline(0.0, color=PRIOR, linewidth=0.8)
        axes.set(xlim=(-90.0, 90.0), xlabel="latitude (°N)", ylabel="ppm", title=f"{TITLES[name]}: lowest layer less 60-90°S")
        axes.legend()
    return fig


def _section(fig: Figure, axes: Axes, run: Run, field: np.ndarray, levels: np.ndarray, title: str, unit: str,
             latitudes: tuple[float, float] = (-90.0, 90.0)) -> None:
    hecto = 0.01 * measures.reference_pressure(run)
    shown = axes.contourf(run["lat"], hecto, field, levels=levels, cmap=SEQUENTIAL, extend="both")
    lines = axes.contour(run["lat"], hecto, field, levels=levels[::2], colors="k", linewidths=0.5)
    axes.clabel(lines, fontsize=7)
    axes.set(ylim=(1000.0, 50.0), xlim=latitudes, xlabel="latitude (°N)", ylabel="hPa", title=title)
    fig.colorbar(shown, ax=axes, pad=0.01, label=unit)


