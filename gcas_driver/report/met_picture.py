"""The picture of a meteorology: eight panels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mozart_coupling.met_sanity import STEP_S, Climate


def draw_climate(climate: Climate, output: Path | str, title: str = "") -> None:
    """Zonal-mean u and T, overturning, transient v; mean surface pressure, boundary layer, Courant numbers, the fixer's work."""
    figure = Figure(figsize=(13.0, 17.0), layout="constrained")
    axes = figure.subplots(4, 2)
    figure.suptitle(f"{title}  {climate.times[0]} … {climate.times[-1]}".strip())
    sections = (("zonal-mean u (m/s)", climate.u, np.arange(-60, 61, 5), "RdBu_r"),
                ("overturning (1e9 kg/s)", climate.stream / 1.0e9, np.arange(-180, 181, 20), "PuOr_r"),
                ("zonal-mean T (K)", climate.t, np.arange(185, 306, 5), "viridis"),
                ("transient v (m/s rms)", climate.v_transient, np.arange(0, 21, 1), "viridis"))
    for axis, (text, values, contours, colours) in zip(axes.flat, sections, strict=False):
        _section(axis, climate, text, values, contours, colours)
    _map(axes[2, 0], climate, "mean surface pressure (hPa)", 0.01 * climate.ps, "cividis")
    if climate.layers:
        hour, layer = next(iter(climate.layers.items()))
        _map(axes[2, 1], climate, f"boundary layer at {hour:02d} UTC (m)", layer, "viridis", (0.0, 2000.0))
    else:
        _map(axes[2, 1], climate, "transient surface pressure (hPa rms); no PBLH in the files", 0.01 * climate.ps_transient, "viridis")
    axes[3, 0].semilogy(climate.grid.lat, climate.courant_x, label="zonal")
    axes[3, 0].semilogy(climate.grid.lat, climate.courant_y, label="meridional")
    axes[3, 0].axhline(1.0, color="0.5", linewidth=0.8)
    axes[3, 0].set(title=f"largest Courant number at {STEP_S / 60:.0f} min", xlabel="latitude")
    axes[3, 0].legend(frameon=False)
    _mismatch(axes[3, 1], climate)
    figure.savefig(output, dpi=70)


def _section(axis: Axes, climate: Climate, text: str, values: np.ndarray, contours: np.ndarray, colours: str) -> None:
    picture = axis.contourf(climate.grid.lat, climate.pressure, values, contours, cmap=colours, extend="both")
    axis.contour(climate.grid.lat, climate.pressure, values, contours, colors="0.3", linewidths=0.4)
    axis.set(title=text, ylim=(1000.0, max(1.0, climate.pressure[0])), yscale="log", ylabel="hPa", xlabel="latitude")
    axis.figure.colorbar(picture, ax=axis)


def _map(axis: Axes, climate: Climate, text: str, values: np.ndarray, colours: str, limits: tuple[float, float] | None = None) -> None:
    low, high = limits or (None, None)
    picture = axis.pcolormesh(climate.grid.lon_edges, climate.grid.lat_edges, values, vmin=low, vmax=high, cmap=colours)
    axis.set(title=text, xlabel="longitude", ylabel="latitude")
    axis.figure.colorbar(picture, ax=axis)


def _mismatch(axis: Axes, climate: Climate) -> None:
    times = sorted(climate.mismatch)
    axis.plot(np.array(times, dtype="datetime64[s]"), [climate.mismatch[time] for time in times], marker="o")
    axis.set(title=f"mass mismatch removed by the fixer in {STEP_S / 60:.0f} min (largest, Pa)", ylim=(0.0, None))
    axis.tick_params(axis="x", rotation=30)
