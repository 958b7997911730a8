"""Maps and charts of simulated against observed values."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from gcas_driver.evaluation.case import ObservationTable
from gcas_driver.evaluation.summary import Evaluation
from mozart_coupling.grids import Grid

from . import maps
from .flux_figures import colour_bar
from .style import (
    COLOURS,
    DIVERGING,
    INK,
    POSTERIOR,
    PRIOR,
    TRUTH,
    WIDTH,
    figure,
    round_up,
    symmetric_limit,
    time_axis,
    zero_line,
)

DEPARTURE_GRID = Grid.regular(72, 36, lon_first=None)
BAND_DEGREES = 10.0
MAX_SITES = 9


def coverage_maps(evaluation: Evaluation) -> Figure | None:
    """Assimilated soundings in 5° cells, and mean departures before and after, with the flask sites (the paper's figure 4)."""
    table = evaluation.xco2
    if not len(table):
        return None
    rows, columns = DEPARTURE_GRID.cell_index(table.lon, table.lat)
    cell = rows * DEPARTURE_GRID.nlon + columns
    n_cells = DEPARTURE_GRID.nlat * DEPARTURE_GRID.nlon
    number = np.bincount(cell, minlength=n_cells).astype(float)

    def mean(values: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return (np.bincount(cell, values, minlength=n_cells) / number).reshape(DEPARTURE_GRID.shape)

    prior, posterior = mean(table.prior - table.value), mean(table.posterior - table.value)
    limit = symmetric_limit([prior], 95.0)
    fig = figure(WIDTH, 2.15)
    axes = fig.subplots(1, 3)
    count = np.where(number > 0, number, np.nan).reshape(DEPARTURE_GRID.shape)
    image = maps.draw_map(axes[0], count, DEPARTURE_GRID, f"Assimilated soundings, {len(table)} in all",
                          (0.0, round_up(float(np.nanpercentile(count, 98)))), "YlGnBu")
    colour_bar(fig, image, axes[:1], "number in 5° × 5°")
    for ax, field, simulated in ((axes[1], prior, "prior"), (axes[2], posterior, "posterior")):
        image = maps.draw_map(ax, field, DEPARTURE_GRID, f"XCO₂ {simulated} − observed", (-limit, limit), DIVERGING)
        _site_dots(ax, evaluation.surface, simulated, limit)
    colour_bar(fig, image, axes[1:], "ppm (circles: withheld flask sites)")
    return fig


def _site_dots(ax, surface: ObservationTable, simulated: str, limit: float) -> None:
    if not len(surface):
        return
    sites, index = np.unique(surface.site.astype(str), return_inverse=True)
    number = np.bincount(index)
    lon, lat, departure = (np.bincount(index, v) / number for v in (surface.lon, surface.lat, getattr(surface, simulated) - surface.value))
    x, y = maps.project(lon, lat)
    ax.scatter(x, y, c=departure, s=20, vmin=-limit, vmax=limit, cmap=DIVERGING, edgecolors=INK, linewidths=0.8, zorder=5)


def bias_chart(evaluation: Evaluation) -> Figure | None:
    """Mean departure with its standard deviation by window and by latitude, XCO2 above and withheld flasks below (figure 3)."""
    sets = _sets(evaluation)
    if not sets:
        return None
    fig = figure(WIDTH, 2.4 * len(sets) + 0.3)
    axes = np.atleast_2d(fig.subplots(len(sets), 2))
    windows = evaluation.case.counted
    middles = np.array([w.start + (w.end - w.start) / 2 for w in windows], dtype="datetime64[s]")
    for row, (label, table) in zip(axes, sets, strict=True):
        for number, name in enumerate(("prior", "background", "posterior")):
            departure = getattr(table, name) - table.value
            good = np.isfinite(departure)
            mean, sd = _group_mean(table.window[good], departure[good], len(windows))
            nudge = (number - 1) * 0.06 * np.median([w.days for w in windows])
            place = (middles + np.timedelta64(int(nudge * 86400), "s")).astype(object)
            row[0].errorbar(place, mean, yerr=sd, fmt="o-", color=COLOURS[name], markersize=3.5, elinewidth=1.0, linewidth=1.2,
                            label=name.capitalize())
            bands = np.clip(((table.lat[good] + 90.0) // BAND_DEGREES).astype(int), 0, int(180 / BAND_DEGREES) - 1)
            mean, sd = _group_mean(bands, departure[good], int(180 / BAND_DEGREES))
            middle = -90.0 + BAND_DEGREES * (np.arange(len(mean)) + 0.5) + (number - 1) * 1.2
            row[1].errorbar(middle, mean, yerr=sd, fmt="o", color=COLOURS[name], markersize=3.5, elinewidth=1.0)
        for ax in row:
            zero_line(ax)
            ax.set_ylabel("model − observed (ppm)")
        row[0].set_title(f"{label}: by window, mean ± σ")
        row[1].set_title("by latitude (10° bands), mean ± σ")
        time_axis(row[0], windows[0].start, windows[-1].end)
        row[1].set_xlim(-90, 90)
        row[1].set_xticks(range(-90, 91, 30), ["90°S", "60°S", "30°S", "0°", "30°N", "60°N", "90°N"])
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=3)
    return fig


def _sets(evaluation: Evaluation) -> list[tuple[str, ObservationTable]]:
    sets = (("XCO₂, assimilated soundings", evaluation.xco2), ("Surface CO₂, withheld flasks", evaluation.surface),
            ("XCO₂ from the ground, independent", evaluation.columns))
    return [(label, table) for label, table in sets if len(table)]


def _group_mean(index: np.ndarray, values: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    number = np.bincount(index, minlength=size).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(index, values, minlength=size) / number
        square = np.bincount(index, values**2, minlength=size) / number
    return mean, np.sqrt(np.maximum(square - mean**2, 0.0))


def histograms(evaluation: Evaluation) -> Figure | None:
    """Departures before and after, for assimilated soundings and withheld flasks."""
    sets = _sets(evaluation)
    if not sets:
        return None
    n_panels = max(2, len(sets))
    fig = figure(WIDTH, 2.5)
    axes = np.atleast_1d(fig.subplots(1, n_panels))
    for ax, (label, table) in zip(axes, sets, strict=False):
        departures = {name: getattr(table, name) - table.value for name in ("prior", "posterior")}
        limit = symmetric_limit(departures.values(), 98.0)
        bins = np.linspace(-limit, limit, min(61, max(21, int(np.sqrt(len(table))))) | 1)
        for name, values in departures.items():
            share = np.full(len(values), 100.0 / len(values))
            ax.hist(np.clip(values, -limit, limit), bins, weights=share, color=COLOURS[name], alpha=0.45, label=name.capitalize())
            ax.hist(np.clip(values, -limit, limit), bins, weights=share, color=COLOURS[name], histtype="step", linewidth=1.2)
            ax.axvline(values.mean(), color=COLOURS[name], linewidth=1.4, linestyle=(0, (3, 1.5)))
        ax.axvline(0.0, color=INK, linewidth=0.7)
        ax.set_title(f"{label} ({len(table)})")
        ax.set_xlabel("model − observed (ppm); dashed: mean")
        ax.set_ylabel("share (%)")
        ax.legend(loc="upper left")
    for ax in axes[len(sets):]:
        ax.set_visible(False)
    return fig


def site_series(evaluation: Evaluation) -> Figure | None:
    """Observed and simulated CO2 at withheld sites, from north to south (figure 5)."""
    return _series(evaluation, evaluation.surface, "CO₂ (ppm)")


def column_series(evaluation: Evaluation) -> Figure | None:
    """Observed and simulated XCO2 at stations on the ground, from north to south."""
    return _series(evaluation, evaluation.columns, "XCO₂ (ppm)")


def _series(evaluation: Evaluation, table: ObservationTable, label: str) -> Figure | None:
    if not len(table):
        return None
    chosen = _sites_to_show(table)
    columns = min(3, len(chosen))
    rows = -(-len(chosen) // columns)
    fig = figure(WIDTH / 3.0 * columns, 1.8 * rows + 0.4)
    axes = np.atleast_1d(fig.subplots(rows, columns, sharex=True, squeeze=False)).ravel()
    windows = evaluation.case.counted
    for ax, site in zip(axes, chosen, strict=False):
        part = table.select(table.site == site)
        part = part.select(np.argsort(part.time, kind="stable"))
        times = part.time.astype(object)
        ax.plot(times, part.prior, "-", color=PRIOR, linewidth=1.2, marker=".", markersize=4, label="Prior")
        ax.plot(times, part.posterior, "-", color=POSTERIOR, linewidth=1.2, marker=".", markersize=4, label="Posterior")
        if np.isfinite(part.true).any():
            ax.plot(times, part.true, "_", color=TRUTH, markersize=6, markeredgewidth=1.6, label="Truth")
        ax.errorbar(times, part.value, yerr=part.error, fmt="o", color=INK, markersize=3, elinewidth=0.8, markerfacecolor="white",
                    label="Observed ± error", zorder=4)
        height = "" if np.isnan(part.altitude[0]) else f", {part.altitude[0]:.0f} m"
        ax.set_title(f"{site}  {_place(part.lat[0], 'NS')} {_place(part.lon[0], 'EW')}{height}")
        time_axis(ax, windows[0].start, windows[-1].end)
    for ax in axes[len(chosen):]:
        ax.set_visible(False)
    for ax in axes[::columns]:
        ax.set_ylabel(label)
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=4)
    return fig


def _sites_to_show(table: ObservationTable) -> list[str]:
    """The sites with most samples, from north to south; of those that have equally many a choice spread over latitude."""
    sites, index, counts = np.unique(table.site.astype(str), return_inverse=True, return_counts=True)
    latitude = np.bincount(index, table.lat) / counts
    least = np.sort(counts)[::-1][min(MAX_SITES, len(sites)) - 1]
    sure, equal = np.flatnonzero(counts > least), np.flatnonzero(counts == least)
    equal = equal[np.argsort(latitude[equal], kind="stable")]
    places = np.linspace(0, len(equal) - 1, min(MAX_SITES - len(sure), len(equal))).round().astype(int)
    rows = np.concatenate([sure, equal[places]])
    return [str(sites[row]) for row in rows[np.argsort(-latitude[rows], kind="stable")]]


def _place(value: float, signs: str) -> str:
    return f"{abs(value):.1f}°{signs[0] if value >= 0 else signs[1]}"
