"""Maps and charts of the fluxes."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gcas_driver.evaluation.aggregates import land_regions
from gcas_driver.evaluation.regions import FluxBudget
from gcas_driver.evaluation.summary import Evaluation
from gcas_driver.evaluation.uncertainty import uncertainty_reduction
from gcas_driver.fluxes.units import MOLAR_MASS_CARBON, SECONDS_PER_YEAR
from mozart_coupling.grids import Grid

from . import maps
from .style import DIVERGING, INK, POSTERIOR, PRIOR, SEQUENTIAL, TRUTH, WIDTH, figure, round_up, symmetric_limit, time_axis, zero_line

GRAMS_PER_YEAR = MOLAR_MASS_CARBON * SECONDS_PER_YEAR
UNIT = "gC m⁻² yr⁻¹"
SERIES = ("Global", "Global land", "Global ocean", "Northern land", "Tropical land", "Southern land")


def flux_maps(budget: FluxBudget) -> Figure:
    """Prior, posterior and increment of the optimised flux (the paper's figure 7), and where truth is known the errors left."""
    prior, posterior = (m[-1] * GRAMS_PER_YEAR for m in (budget.prior_map, budget.posterior_map))
    fluxes = [("Prior", prior), ("Posterior", posterior)]
    changes = [("Increment: posterior − prior", posterior - prior)]
    if budget.truth_map is None:
        fig = figure(WIDTH, 2.15)
        axes = fig.subplots(1, 3)
        panels = (axes[:2], axes[2:])
    else:
        truth = budget.truth_map[-1] * GRAMS_PER_YEAR
        fluxes.append(("Truth", truth))
        changes += [("Wanted: truth − prior", truth - prior), ("Left: truth − posterior", truth - posterior)]
        fig = figure(WIDTH, 4.1)
        panels = fig.subplots(2, 3)
    for axes, group in zip(panels, (fluxes, changes), strict=True):
        limit = symmetric_limit([field for _, field in group], 99.5)
        for ax, (title, field) in zip(axes, group, strict=True):
            image = maps.draw_map(ax, field, budget.grid, title, (-limit, limit), DIVERGING)
        colour_bar(fig, image, axes, UNIT)
    return fig


def spread_map(evaluation: Evaluation) -> Figure | None:
    """Where the observations narrowed the scaling factors, per optimised component."""
    factors = evaluation.factors
    if factors is None or not factors.lon.size:
        return None
    fig = figure(WIDTH, 2.85)
    axes = np.atleast_1d(fig.subplots(1, max(len(factors.components), 2)))
    reduction = uncertainty_reduction(factors.posterior, factors.prior)
    finite = reduction[np.isfinite(reduction)]
    limit = min(100.0, round_up(float(np.percentile(finite, 99.5)))) if finite.size and finite.max() > 0 else 10.0
    for ax, component, lon, lat, values in zip(axes, factors.components, factors.lon, factors.lat, reduction, strict=False):
        title = f"Scaling factors of {component.upper()}: σ reduced"
        there = np.isfinite(lon)
        lon, lat, values = lon[there], lat[there], values[there]
        lattice = _lattice(lon, lat)
        if lattice is None:
            image = maps.draw_points(ax, lon, lat, values, title, (0.0, limit), SEQUENTIAL, size=14.0)
        else:
            grid, rows, columns = lattice
            field = np.full(grid.shape, np.nan)
            field[rows, columns] = values
            image = maps.draw_map(ax, field, grid, title, (0.0, limit), SEQUENTIAL)
    for ax in axes[len(factors.components):]:
        ax.set_visible(False)
    colour_bar(fig, image, axes[:len(factors.components)], "%")
    return fig


def _lattice(lon: np.ndarray, lat: np.ndarray) -> tuple[Grid, np.ndarray, np.ndarray] | None:
    """The longitude-latitude grid that the parameters lie on and the cell of each; None if they lie on none."""
    from mozart_coupling.grids import GridError

    lons, lats = np.unique(np.round(lon, 6)), np.unique(np.round(lat, 6))
    try:
        grid = Grid.from_centres(lons, lats)
    except GridError:
        return None
    return grid, *grid.cell_index(lon, lat)


def region_chart(budget: FluxBudget) -> Figure:
    """Prior and posterior with ±1 σ, and truth: land regions, ocean regions and aggregates, each with an axis of its own."""
    land = [k for k in budget.keys if k in land_regions(budget.regions)]
    others = [k for k in budget.keys if k in budget.regions and k not in land]
    together = [k for k in SERIES if k in budget.keys]
    groups = [("Land regions", land), ("Ocean regions" if land else "Regions", others), ("Together", together)]
    groups = [(title, keys) for title, keys in groups if keys]
    fig = figure(WIDTH, 0.26 * max(len(keys) for _, keys in groups) + 1.1)
    axes = np.atleast_1d(fig.subplots(1, len(groups)))
    for ax, (title, keys) in zip(axes, groups, strict=True):
        _region_panel(ax, budget, keys, title)
    handles, labels = axes[0].get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda n: labels[n] == "Truth")
    fig.legend([handles[n] for n in order], [labels[n] for n in order], loc="outside upper center", ncols=3)
    fig.supxlabel("Optimised flux, mean over the run (PgC yr⁻¹, positive into the air)", fontsize=8.5)
    return fig


def _region_panel(ax: Axes, budget: FluxBudget, keys: list[str], title: str) -> None:
    y = np.arange(len(keys))[::-1] * 1.0
    pick = [budget.keys.index(k) for k in keys]
    for name, label, colour, shift in (("prior", "Prior ± σ", PRIOR, 0.15), ("posterior", "Posterior ± σ", POSTERIOR, -0.15)):
        mean, sd = (budget.mean(getattr(budget, n)[..., -1])[pick] for n in (name, f"{name}_sd"))
        ax.errorbar(mean, y + shift, xerr=sd, fmt="o", color=colour, markersize=4, elinewidth=2.2, label=label, zorder=3)
    if budget.truth is not None:
        ax.plot(budget.mean(budget.truth[..., -1])[pick], y, "D", color=TRUTH, markersize=4.5, label="Truth", zorder=4,
                markeredgecolor="white", markeredgewidth=0.6)
    zero_line(ax, "x")
    ax.set_yticks(y, keys)
    ax.set_ylim(-0.6, len(keys) - 0.4)
    ax.grid(axis="y", visible=False)
    ax.set_title(title)


def series(budget: FluxBudget, keys: tuple[str, ...], columns: int, height: float) -> Figure:
    """Flux of every window with ±1 σ, one panel per region."""
    keys = tuple(k for k in keys if k in budget.keys)
    rows = -(-len(keys) // columns)
    tall = height * rows + 0.65
    fig = figure(WIDTH, tall, arranged=False)
    # Set by hand: finding room for the texts of two dozen panels takes longer than drawing them.
    axes = fig.subplots(rows, columns, sharex=True, squeeze=False, gridspec_kw={
        "left": 0.055, "right": 0.99, "top": 1.0 - 0.55 / tall, "bottom": 0.36 / tall, "wspace": 0.25, "hspace": 0.30}).ravel()
    edges = np.array([[w.start, w.end] for w in budget.windows], dtype="datetime64[s]")
    times = edges.ravel().astype(object)
    for ax, key in zip(axes, keys, strict=False):
        k = budget.keys.index(key)
        for name, colour in (("prior", PRIOR), ("posterior", POSTERIOR)):
            mean, sd = (np.repeat(getattr(budget, n)[:, k, -1], 2) for n in (name, f"{name}_sd"))
            ax.fill_between(times, mean - sd, mean + sd, color=colour, alpha=0.2, linewidth=0)
            ax.plot(times, mean, color=colour, label=f"{name.capitalize()} ± σ")
        if budget.truth is not None:
            ax.plot(times, np.repeat(budget.truth[:, k, -1], 2), color=TRUTH, linestyle=(0, (4, 1.5)), label="Truth")
        ax.set_title(key)
        zero_line(ax)
    time_axis(axes[0], edges.min(), edges.max())
    _hide(axes, len(keys), columns)
    for ax in axes[::columns]:
        ax.set_ylabel("PgC yr⁻¹")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="upper center", ncols=3)
    return fig


def _hide(axes: np.ndarray, used: int, columns: int) -> None:
    """Hide the panels that are not used, and show the axis of time in those above them."""
    for ax in axes[used:]:
        ax.set_visible(False)
    for ax in axes[max(used - columns, 0):used]:
        ax.tick_params(labelbottom=True)


def colour_bar(fig: Figure, image, axes, label: str) -> None:
    """A colour bar beside its panels; symmetric scales may be passed on both sides, others above only."""
    low, _ = image.get_clim()
    bar = fig.colorbar(image, ax=list(np.ravel(axes)), orientation="vertical", shrink=0.82, aspect=18, pad=0.012,
                       extend="both" if low < 0 else "max")
    bar.set_label(label)
    bar.outline.set_linewidth(0.5)
    bar.outline.set_edgecolor(INK)
