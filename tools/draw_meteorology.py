#!/usr/bin/env python3
"""Draw and measure a meteorology: zonal-mean winds, overturning, eddies, boundary layer, Courant numbers.

    tools/draw_meteorology.py OUTPUT.png [--files DIRECTORY PREFIX] [--start 2010-01-01] [--days 28] [--grid 128x64] [--seed 1]

Without --files the analytic circulation is measured. Prints the numbers that docs/science/meteorology.md states.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from mozart_coupling.constants import EARTH_RADIUS_M
from mozart_coupling.embedded.circulation import Circulation
from mozart_coupling.embedded.levels import hybrid_levels, level_pressure, mid_coefficients
from mozart_coupling.grids import Grid
from mozart_coupling.met import MetFiles

GRAVITY = 9.80665
STEP_S = 1800.0


def main() -> None:
    """Read the arguments, measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output")
    parser.add_argument("--files", nargs=2, metavar=("DIRECTORY", "PREFIX"))
    parser.add_argument("--start", default="2010-01-01")
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--grid", default="128x64")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    times = np.datetime64(options.start, "s") + np.arange(4 * options.days) * np.timedelta64(6, "h")
    if options.files:
        files = MetFiles(*options.files)
        measured = measure(files.grid, *files.levels, files.fields_at, times)
    else:
        grid, levels = Grid.named(options.grid), hybrid_levels()
        measured = measure(grid, *levels, Circulation(grid, *levels, options.seed).record, times)
    for line in report(measured):
        print(line)
    draw(measured, options.output)


def measure(grid: Grid, hyai: np.ndarray, hybi: np.ndarray, fields_at: Callable, times: np.ndarray) -> dict:
    """Means, variances and extremes over the times."""
    sums = {name: 0.0 for name in ("u", "v", "v_square", "u_square", "ps", "ps_square", "t", "flux")}
    courant_x, courant_y = np.zeros(grid.nlat), np.zeros(grid.nlat)
    spacing_x = EARTH_RADIUS_M * np.cos(np.deg2rad(grid.lat)) * 2.0 * np.pi / grid.nlon
    spacing_y = EARTH_RADIUS_M * np.deg2rad(np.diff(grid.lat_edges))
    residual = []
    for time in times:
        fields = fields_at(time)
        thickness = np.diff(level_pressure(hyai, hybi, fields["PS"]), axis=0)
        for name, values in (("u", fields["U"]), ("v", fields["V"]), ("t", fields["T"]), ("ps", fields["PS"]),
                             ("u_square", fields["U"] ** 2), ("v_square", fields["V"] ** 2), ("ps_square", fields["PS"] ** 2),
                             ("flux", thickness * fields["V"])):
            sums[name] = sums[name] + values / times.size
        courant_x = np.maximum(courant_x, np.abs(fields["U"]).max(axis=(0, 2)) * STEP_S / spacing_x)
        courant_y = np.maximum(courant_y, np.abs(fields["V"]).max(axis=(0, 2)) * STEP_S / spacing_y)
        residual.append((thickness * fields["V"]).sum(axis=0).mean(axis=1))
    stream = np.cumsum(sums["flux"].mean(axis=2), axis=0) * 2.0 * np.pi * EARTH_RADIUS_M * np.cos(np.deg2rad(grid.lat)) / GRAVITY
    return {
        "grid": grid, "pressure": 0.01 * level_pressure(*mid_coefficients(hyai, hybi), 1.0e5), "stream": stream,
        "u": sums["u"].mean(axis=2), "t": sums["t"].mean(axis=2), "courant_x": courant_x, "courant_y": courant_y,
        "v_eddy": np.sqrt(np.maximum((sums["v_square"] - sums["v"] ** 2).mean(axis=2), 0.0)),
        "v_standing": np.sqrt((sums["v"] ** 2).mean(axis=2) - sums["v"].mean(axis=2) ** 2),
        "ps_eddy": np.sqrt(np.maximum(sums["ps_square"] - sums["ps"] ** 2, 0.0)), "ps": sums["ps"],
        "column": np.abs(np.mean(residual, axis=0)),
        "layers": [fields_at(times[0].astype("datetime64[D]") + np.timedelta64(hour, "h"))["PBLH"] for hour in (0, 12)],
    }


def report(m: dict) -> list[str]:
    """The numbers, one a line."""
    grid, pressure, lat = m["grid"], m["pressure"], m["grid"].lat
    lines = []
    for name, half in (("north", lat > 15), ("south", lat < -15)):
        part = np.where(half[None, :] & (pressure[:, None] > 100.0), m["u"], -np.inf)
        k, j = np.unravel_index(np.argmax(part), part.shape)
        lines.append(f"jet {name}: {part[k, j]:.1f} m/s at {lat[j]:.0f} deg, {pressure[k]:.0f} hPa")
    low = pressure > 900.0
    lines.append(f"trades {m['u'][low][:, np.abs(lat) < 30].min():.1f} m/s, surface westerlies "
                 f"{m['u'][low][:, lat > 30].max():.1f} N, {m['u'][low][:, lat < -30].max():.1f} S")
    tropics = np.abs(lat) < 35
    lines.append(f"overturning {m['stream'][:, tropics].min() / 1e9:.0f} … {m['stream'][:, tropics].max() / 1e9:.0f} 1e9 kg/s; "
                 f"through the equator {np.abs(m['stream'][:, grid.nlat // 2]).max() / 1e9:.0f}")
    aloft, ground = int(np.argmin(np.abs(pressure - 250))), int(np.argmin(np.abs(pressure - 900)))
    for name, k in (("250 hPa", aloft), ("900 hPa", ground)):
        for where, rows in (("45N", np.abs(lat - 45) < 8), ("45S", np.abs(lat + 45) < 8), ("equator", np.abs(lat) < 5)):
            lines.append(f"v eddies {name} {where}: transient {m['v_eddy'][k, rows].mean():.1f}, "
                         f"standing {m['v_standing'][k, rows].mean():.1f} m/s")
    lines.append(f"ps transients {0.01 * m['ps_eddy'].max():.1f} hPa at most; "
                 f"ps {0.01 * m['ps'].min():.0f} … {0.01 * m['ps'].max():.0f} hPa")
    beyond = np.abs(lat[m["courant_x"] > 1.0])
    lines.append(f"at 30 min: max Cy {m['courant_y'].max():.2f}; |Cx| > 1 from {beyond.min() if beyond.size else 90:.1f} deg, "
                 f"max Cx {m['courant_x'].max():.2f}")
    return lines


def draw(m: dict, output: str) -> None:
    """Six panels."""
    figure, axes = plt.subplots(3, 2, figsize=(13, 13), layout="constrained")
    lat, pressure = m["grid"].lat, m["pressure"]
    panels = (("zonal-mean u (m/s)", m["u"], np.arange(-40, 61, 5), "RdBu_r"),
              ("overturning (1e9 kg/s)", m["stream"] / 1e9, np.arange(-180, 181, 20), "PuOr_r"),
              ("transient v (m/s rms)", m["v_eddy"], np.arange(0, 21, 1), "viridis"),
              ("zonal-mean T (K)", m["t"], np.arange(190, 306, 5), "viridis"))
    for axis, (title, values, levels, colours) in zip(axes.flat, panels, strict=False):
        picture = axis.contourf(lat, pressure, values, levels, cmap=colours, extend="both")
        axis.contour(lat, pressure, values, levels, colors="0.3", linewidths=0.4)
        axis.set(title=title, ylim=(1000, 10), yscale="log", ylabel="hPa", xlabel="latitude")
        figure.colorbar(picture, ax=axis)
    for axis, values, hour in zip(axes[2], m["layers"], (0, 12), strict=True):
        picture = axis.pcolormesh(m["grid"].lon, lat, values, vmin=0, vmax=2000, cmap="viridis")
        axis.contour(m["grid"].lon, lat, 0.01 * m["ps"], np.arange(500, 1040, 25), colors="w", linewidths=0.4)
        axis.set(title=f"boundary layer at {hour:02d} UTC (m); mean surface pressure (hPa, lines)")
        figure.colorbar(picture, ax=axis)
    figure.savefig(output, dpi=70)


if __name__ == "__main__":
    main()
