"""The figures of the transport tests."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mozart_coupling.embedded.idealised import correlated
from mozart_coupling.embedded.idealised.dcmip import P0, SCALE_HEIGHT_M, Case
from mozart_coupling.embedded.idealised.measures import CHI_RANGE, xi_range
from mozart_coupling.embedded.idealised.orography import BASE_PA, surface_height
from transport_page.cases import LADDER, MODES, THRESHOLDS, Results, range_text

DPI = 65
COLOURS = {"monotone": "C3", "linear": "C0"}
STYLES = {"hills": "o-", "bells": "s--", "cylinders": "^:"}
DATELINE = {"xlabel": "longitude (°E)", "ylabel": "latitude (°N)"}


def draw_all(results: Results, folder: Path, tpcore: dict[tuple[str, str], dict[int, float]]) -> list[Path]:
    """Write every figure that the results suffice for; gives the files."""
    folder.mkdir(parents=True, exist_ok=True)
    finest = "240" if "deformation 240 linear" in results.maps else "120"
    figures = {"bells": maps(results, f"deformation {finest}", 1), "cylinders": maps(results, f"deformation {finest}", 2),
               "divergent": maps(results, "divergent", 0), "convergence": convergence(results, tpcore),
               "correlated": scatter(results), "filaments": filaments(results),
               "dcmip-1-1": sections(results, "1-1", 0), "dcmip-1-2": sections(results, "1-2", 0), "dcmip-1-3": sections(results, "1-3", 0)}
    files = []
    for name, figure in figures.items():
        files.append(folder / f"{name}.png")
        figure.savefig(files[-1], dpi=DPI)
        plt.close(figure)
    return files


def maps(results: Results, name: str, tracer: int) -> Figure:
    """Start, half time, end and error on the sphere, a row a mode; the air at half time where it is known."""
    first = results.maps[f"{name} {MODES[0]}"]
    air = first[4] if len(first) > 4 else None
    figure, axes = plt.subplots(2 + (air is not None), 4, figsize=(17, 5.4 + 2.6 * (air is not None)), layout="constrained", sharex=True,
                                sharey=True, squeeze=False)
    for row, mode in zip(axes, MODES, strict=False):
        grid, start, half, final = results.maps[f"{name} {mode}"][:4]
        error = final[tracer] - start[tracer]
        panels = (("start", start[tracer]), ("T/2", half[tracer]), ("T", final[tracer]))
        for axis, (title, values) in zip(row, panels, strict=False):
            shown = axis.pcolormesh(grid.lon, grid.lat, values, vmin=0.0, vmax=1.0, cmap="viridis", rasterized=True)
            axis.set_title(f"{mode}: {title} ({range_text(values.min(), values.max())})", fontsize=10)
        figure.colorbar(shown, ax=row[:3], label="mixing ratio (1)", pad=0.01)
        _error_map(figure, row[3], grid.lon, grid.lat, error, f"{mode}: T minus start")
    if air is not None:
        shown = axes[2, 1].pcolormesh(first[0].lon, first[0].lat, air, cmap="cividis", rasterized=True)
        axes[2, 1].set_title(f"air: T/2 ({air.min():.2f} … {air.max():.2f}; 1 at the start)", fontsize=10)
        figure.colorbar(shown, ax=axes[2, :3], label="kg m⁻²", pad=0.01)
        for axis in axes[2, [0, 2, 3]]:
            axis.set_axis_off()
    for axis in axes.flat:
        axis.set(xlim=(0.0, 357.0), ylim=(-90.0, 90.0), xticks=range(0, 360, 90), yticks=range(-60, 90, 30))
        axis.label_outer()
    figure.supxlabel(DATELINE["xlabel"], fontsize=10)
    figure.supylabel(DATELINE["ylabel"], fontsize=10)
    return figure


def convergence(results: Results, tpcore: dict[tuple[str, str], dict[int, float]]) -> Figure:
    """l2 errors against resolution, with TPCORE's."""
    figure, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained", sharey=True)
    for axis, test in zip(axes, ("deformation", "divergent"), strict=True):
        for tracer, style in STYLES.items():
            for mode in MODES:
                points = [(360.0 / int(row.grid.split("x")[0]), row.norms.l2) for row in results.find(test, tracer, mode)]
                axis.loglog(*zip(*points, strict=True), style, color=COLOURS[mode], label=f"{tracer}, {mode}")
                known = tpcore.get((tracer, mode), {}) if test == "deformation" else {}
                axis.plot([360.0 / nlon for nlon in known], list(known.values()), style[0], mfc="none", mec=COLOURS[mode], ms=10)
        spacing = np.array([0.75, 6.0])
        for order, left in ((1, 0.35), (2, 0.01), (3, 0.0004)):
            axis.loglog(spacing, left * (spacing / 0.75) ** order, color="0.8", lw=0.8, zorder=0)
            axis.annotate(f"order {order}", (1.2, left * 1.6**order), color="0.5", fontsize=8)
        axis.set(title="deformation and return (open: TPCORE)" if test == "deformation" else "divergent flow",
                 xlabel="spacing (°)", xticks=[0.75, 1, 1.5, 3, 6], xticklabels=["0.75", "1", "1.5", "3", "6"], ylim=(8e-4, 0.7))
        axis.minorticks_off()
    axes[0].set_ylabel("l2 error (1)")
    axes[1].legend(fontsize=8, loc="lower right")
    return figure


def scatter(results: Results) -> Figure:
    """The correlated pair at half time, the curve it started on and the curve's hull."""
    names = [nlon for nlon in (120, 240) if f"deformation {nlon} linear" in results.maps]
    figure, axes = plt.subplots(len(names), 2, figsize=(11, 5 * len(names)), layout="constrained", sharex=True, sharey=True, squeeze=False)
    curve, ranges = np.linspace(*CHI_RANGE, 100), xi_range(CHI_RANGE)
    for row, nlon in zip(axes, names, strict=True):
        for axis, mode in zip(row, MODES, strict=True):
            grid, _, half, _ = results.maps[f"deformation {nlon} {mode}"]
            found = results.mixing["2-D", grid.name, mode]
            axis.fill_between(curve, correlated(curve), np.interp(curve, CHI_RANGE, ranges[::-1]), color="0.9", label="hull")
            axis.plot([*CHI_RANGE, *CHI_RANGE[::-1], CHI_RANGE[0]], np.repeat(ranges, [2, 3])[[0, 1, 2, 3, 0]], color="0.6", lw=0.8,
                      label="initial ranges")
            axis.plot(half[1].ravel(), half[3].ravel(), ".", ms=2, color=COLOURS[mode], alpha=0.5, rasterized=True)
            axis.plot(curve, correlated(curve), "k", lw=1.0, label="start")
            measured = f"l_r {found.real:.1e}, l_u {found.unmixing:.1e}, l_o {found.overshooting:.1e}"
            axis.set_title(f"{mode}, {360 / nlon:g}°: {measured}", fontsize=10)
            axis.set(xlim=(0.0, 1.1), ylim=(0.0, 1.0))
    axes[0, 0].legend(fontsize=8, loc="lower left")
    figure.supxlabel("χ (1)", fontsize=10)
    figure.supylabel("ξ (1)", fontsize=10)
    return figure


def filaments(results: Results) -> Figure:
    """l_f at half time; an exact scheme keeps 100 % at every threshold."""
    figure, axis = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for nlon, style in zip(LADDER, ("-.", ":", "--", "-", "-"), strict=True):
        name = f"{nlon}x{nlon // 2 + 1}"
        if (name, "linear") not in results.filaments or nlon not in (120, 240, 480):
            continue
        for mode in MODES:
            axis.plot(THRESHOLDS, results.filaments[name, mode], style, color=COLOURS[mode], label=f"{mode}, {360 / nlon:g}°")
    axis.axhline(100.0, color="0.7", lw=0.8)
    axis.set(xlabel="threshold τ (1)", ylabel="l_f (%)", ylim=(0.0, 150.0), title="area above a threshold at T/2, against the start")
    axis.legend(fontsize=8)
    return figure


def sections(results: Results, name: str, tracer: int) -> Figure:
    """Height against longitude on the equator (1-2: against latitude): start, half time, end, error."""
    figure, axes = plt.subplots(2, 4, figsize=(17, 6.5), layout="constrained", sharex=True, sharey=True)
    for row, mode in zip(axes, MODES, strict=True):
        case, half, final = results.maps[f"{name} {mode}"]
        across, heights, cut = _section(case)
        start, half, final = (cut(fields[tracer]) for fields in (case.start, half, final))
        low, high = min(0.0, start.min()), 1.0
        for axis, (title, values) in zip(row, (("start", start), ("half time", half), ("end", final)), strict=False):
            shown = axis.pcolormesh(across, heights, values, vmin=low, vmax=high, cmap="viridis", shading="flat", rasterized=True)
            axis.set_title(f"{mode}: {title} ({range_text(values.min(), values.max())})", fontsize=10)
        figure.colorbar(shown, ax=row[:3], label="mixing ratio (1)", pad=0.01)
        _error_map(figure, row[3], across, heights, final - start, f"{mode}: end minus start")
        for axis in row:
            if name == "1-3":
                axis.fill_between(across[0], 0.0, 1e-3 * surface_height(np.deg2rad(across[0]), np.array(0.0)), color="0.5")
            axis.set_ylim(0.0, 12.0)
    figure.supxlabel("latitude (°N)" if name == "1-2" else "longitude on the equator (°E)", fontsize=10)
    figure.supylabel("height (km)", fontsize=10)
    return figure


def _section(case: Case) -> tuple[np.ndarray, np.ndarray, object]:
    """Corners of a section's cells (nlev+1, n+1), and what cuts a field."""
    nlev, grid = case.height.size - 1, case.grid
    if case.name == "1-2":
        edges = np.array(grid.lat_edges)
        return (*np.broadcast_arrays(edges[None, :], 1e-3 * case.height[:, None]), lambda field: field[:, :, 0])
    row, edges = grid.nlat // 2, np.array(grid.lon_edges)
    if case.mass.shape[0] > nlev:  # interfaces follow the ground: from the mass of air below
        pressure = BASE_PA - np.cumsum(case.mass[::-1, row] * 9.80665 / grid.area[row], axis=0)[::-1]
        height = 1e-3 * SCALE_HEIGHT_M * np.log(P0 / pressure)
        height = np.concatenate([height, height[:, :1]], axis=1)
        height = np.concatenate([0.5 * (height[:, :1] + height[:, -2:-1]), 0.5 * (height[:, 1:] + height[:, :-1])], axis=1)
        height[:, -1] = height[:, 0]
    else:
        height = np.broadcast_to(1e-3 * case.height[:, None], (nlev + 1, edges.size))
    return np.broadcast_to(edges[None, :], height.shape), height, lambda field: field[:, row]


def _error_map(figure: Figure, axis: Axes, x: np.ndarray, y: np.ndarray, error: np.ndarray, title: str) -> None:
    limit = max(np.abs(error).max(), 1e-3)
    shown = axis.pcolormesh(x, y, error, vmin=-limit, vmax=limit, cmap="RdBu_r", rasterized=True)
    axis.set_title(title, fontsize=10)
    figure.colorbar(shown, ax=axis, label="mixing ratio (1)")
