"""World maps on the Equal Earth projection (Šavrič, Patterson and Jenny, 2018), whose areas are true to size, with coastlines.

A map is a picture of fixed size whose pixels know their longitude and latitude, so that any number of fields is drawn by look-up.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from contourpy import contour_generator
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.image import AxesImage

from mozart_coupling.grids import Grid
from mozart_coupling.land import FINE_GRID, fine_land_fraction

from .style import INK, QUIET

_A = (1.340264, -0.081106, 0.000893, 0.003796)
_M = np.sqrt(3.0) / 2.0
PIXELS = (330, 678)
COAST_BLOCK = 5
"""Cells of the fine land field that make one of the field that coastlines are drawn from: half a degree."""


def project(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Equal Earth coordinates of points in degrees."""
    theta = np.arcsin(_M * np.sin(np.deg2rad(lat)))
    return _x(np.deg2rad(lon), theta), _y(theta)


def _y(theta: np.ndarray) -> np.ndarray:
    a1, a2, a3, a4 = _A
    return theta * (a1 + a2 * theta**2 + theta**6 * (a3 + a4 * theta**2))


def _slope(theta: np.ndarray) -> np.ndarray:
    a1, a2, a3, a4 = _A
    return a1 + 3 * a2 * theta**2 + theta**6 * (7 * a3 + 9 * a4 * theta**2)


def _x(lon: np.ndarray, theta: np.ndarray) -> np.ndarray:
    return lon * np.cos(theta) / (_M * _slope(theta))


@lru_cache(maxsize=1)
def _pixels() -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    """Longitude and latitude of each pixel [degrees], NaN off the globe, and the half width and height of the map."""
    half_width, half_height = (float(v) for v in (project(np.array(180.0), np.array(0.0))[0], project(np.array(0.0), np.array(90.0))[1]))
    n_rows, n_columns = PIXELS
    y = half_height * (1.0 - (2.0 * np.arange(n_rows) + 1.0) / n_rows)
    x = half_width * ((2.0 * np.arange(n_columns) + 1.0) / n_columns - 1.0)
    theta = y / 1.2
    for _ in range(12):
        theta = theta - (_y(theta) - y) / _slope(theta)
    lat = np.rad2deg(np.arcsin(np.clip(np.sin(theta) / _M, -1.0, 1.0)))
    lon = np.rad2deg(x[None, :] * _M * _slope(theta)[:, None] / np.cos(theta)[:, None])
    off = np.abs(lon) > 180.0
    return np.where(off, np.nan, lon), np.where(off, np.nan, np.broadcast_to(lat[:, None], lon.shape)), (half_width, half_height)


@lru_cache(maxsize=8)
def _lookup(grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each pixel the grid cell it lies in, and whether it is on the globe."""
    lon, lat, _ = _pixels()
    inside = np.isfinite(lon)
    rows, columns = grid.cell_index(np.where(inside, lon, 0.0), np.where(inside, lat, 0.0))
    return rows, columns, inside


@lru_cache(maxsize=1)
def coastlines() -> list[np.ndarray]:
    """Coastlines as projected lines, each (n, 2)."""
    rows, columns = (size // COAST_BLOCK for size in FINE_GRID.shape)
    fraction = fine_land_fraction().reshape(rows, COAST_BLOCK, columns, COAST_BLOCK).mean(axis=(1, 3))
    step = 360.0 / columns
    lon = -180.0 + step * (np.arange(columns) + 0.5)
    lat = -90.0 + step * (np.arange(rows) + 0.5)
    lines = contour_generator(lon, lat, fraction, line_type="Separate").lines(0.5)
    return [np.column_stack(project(line[:, 0], line[:, 1])) for line in lines if len(line) > 6]


def draw_map(axes: Axes, field: np.ndarray, grid: Grid, title: str, limits: tuple[float, float], colours: str) -> AxesImage:
    """Draw one field.

    Parameters
    ----------
    field : ndarray (nlat, nlon)
        NaN leaves a cell empty.
    grid : Grid
    limits : (float, float)
        Ends of the colour scale.
    colours : str
        Name of a colour map.
    """
    rows, columns, inside = _lookup(grid)
    _, _, (half_width, half_height) = _pixels()
    picture = np.ma.masked_invalid(np.where(inside, field[rows, columns], np.nan))
    _frame(axes, title)
    return axes.imshow(picture, extent=(-half_width, half_width, -half_height, half_height), vmin=limits[0], vmax=limits[1], cmap=colours,
                       interpolation="nearest", zorder=1)


def draw_points(axes: Axes, lon: np.ndarray, lat: np.ndarray, values: np.ndarray, title: str, limits: tuple[float, float], colours: str,
                size: float = 6.0, edge: str = "none"):
    """Draw values at places as dots."""
    _frame(axes, title)
    x, y = project(lon, lat)
    return axes.scatter(x, y, c=values, s=size, vmin=limits[0], vmax=limits[1], cmap=colours, linewidths=0.0 if edge == "none" else 0.5,
                        edgecolors=edge, zorder=3)


def _frame(axes: Axes, title: str) -> None:
    _, _, (half_width, half_height) = _pixels()
    side = np.linspace(-90.0, 90.0, 181)
    edge = np.concatenate([np.column_stack(project(np.full(181, -180.0), side)), np.column_stack(project(np.full(181, 180.0), side[::-1]))])
    axes.fill(edge[:, 0], edge[:, 1], facecolor="#f4f6f8", edgecolor="none", zorder=0)
    axes.plot(*np.vstack([edge, edge[:1]]).T, color=QUIET, linewidth=0.7, zorder=4)
    parallels = [np.column_stack(project(np.linspace(-180, 180, 61), np.full(61, lat))) for lat in (-60, -30, 0, 30, 60)]
    axes.add_collection(LineCollection(parallels, colors="#9aa4ae", linewidths=0.3, zorder=2))
    axes.add_collection(LineCollection(coastlines(), colors=INK, linewidths=0.45, zorder=2.5))
    axes.set_xlim(-1.01 * half_width, 1.01 * half_width)
    axes.set_ylim(-1.02 * half_height, 1.02 * half_height)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_title(title)
