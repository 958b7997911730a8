"""From a file's latitudes and longitudes to a grid, and how values have to be turned for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from mozart_coupling.errors import CouplingError
from mozart_coupling.grids import Grid

from .layout import LAT_NAMES, LON_NAMES, Layout

CENTRES_TOLERANCE = 0.01  # degrees


@dataclass(frozen=True)
class Orientation:
    """A grid, and how a file's rows and columns are put into its order.

    Attributes
    ----------
    grid : Grid
        Latitudes ascend, longitudes ascend from the first one at or after 0.
    flip : bool
        The file runs from the north.
    order : numpy.ndarray
        (nlon,) column of the file for each of the grid's.
    """

    grid: Grid
    flip: bool
    order: np.ndarray

    def turned(self, values: np.ndarray) -> np.ndarray:
        """Values (..., nlat, nlon) of the file in the grid's order."""
        ordered = values[..., self.order]
        return ordered[..., ::-1, :] if self.flip else ordered


def oriented(lat: np.ndarray, lon: np.ndarray, path: Path, layout: Layout) -> Orientation:
    """The grid of a file's cell centres [degrees].

    Raises
    ------
    InputError
        If they are no global grid, or not the one that the format fixes.
    """
    if not (np.isfinite(lat).all() and np.isfinite(lon).all()):
        raise InputError("grid coordinates are not finite", f"{path}, lat, lon", "NaN")
    if layout.shape is not None and (lat.size, lon.size) != layout.shape:
        raise InputError("wrong grid", f"{path}, lat x lon", f"{lat.size} x {lon.size}",
                         f"{layout.shape[0]} x {layout.shape[1]} for format '{layout.name}'", "Use format = 'cf' for other grids.")
    flip = bool(lat[0] > lat[-1])
    lat = lat[::-1] if flip else lat
    turned = np.mod(lon, 360.0)
    turned[turned > 360.0 - 1e-6] = 0.0
    order = np.argsort(turned, kind="stable")
    if layout.shape is None:
        return Orientation(_recognised(turned[order].tobytes(), lat.tobytes(), path), flip, order)
    fixed = fixed_grid(layout.shape)
    if max(np.abs(lat - fixed.lat).max(), np.abs(turned[order] - fixed.lon).max()) > CENTRES_TOLERANCE:
        raise InputError("wrong grid", f"{path}, lat, lon", f"lat {lat[0]:g} …, lon {turned[order][0]:g} …",
                         f"lat {fixed.lat[0]:g} …, lon {fixed.lon[0]:g} …", "Use format = 'cf' for other grids.")
    return Orientation(fixed, flip, order)


def numbers(variable: netCDF4.Variable, path: Path) -> np.ndarray:
    """A coordinate's values, float64, NaN where they are missing.

    Raises
    ------
    InputError
        If they cannot be read, or are no numbers.
    """
    try:
        return np.ma.filled(np.ma.asarray(variable[:]).astype(np.float64), np.nan)
    except (RuntimeError, OSError, ValueError, TypeError) as error:
        raise InputError("a coordinate cannot be read", f"{path}, {variable.name}", str(error), "numbers", "Copy the file again.") from None


def coordinate(dataset: netCDF4.Dataset, path: Path, axis: int, layout: Layout, variable: str) -> tuple[np.ndarray, str]:
    """Cell centres [degrees] along an axis (0 latitude, 1 longitude) and the name of their dimension.

    Where a format fixes the grid, its size tells the dimension even when the file has no coordinates.
    """
    names, what = ((LAT_NAMES, "latitude"), (LON_NAMES, "longitude"))[axis]
    for name in names:
        if name in dataset.variables and dataset[name].ndim == 1:
            _refuse_other_units(dataset[name], path, axis, what)
            values = numbers(dataset[name], path)
            _refuse_impossible(values, path, name, axis)
            return values, dataset[name].dimensions[0]
    if layout.shape is not None:
        fitting = [d for d, size in zip(dataset[variable].dimensions, dataset[variable].shape, strict=True)
                   if size == layout.shape[axis]]
        if len(fitting) == 1:
            grid = fixed_grid(layout.shape)
            return (grid.lat, grid.lon)[axis], fitting[0]
    raise InputError(f"no {what} coordinate", str(path), ", ".join(dataset.variables), " or ".join(names[:2]))


def _refuse_other_units(variable: netCDF4.Variable, path: Path, axis: int, what: str) -> None:
    """Swapped coordinates say so by their units, where they have any."""
    units = str(getattr(variable, "units", "")).lower()
    if ("east", "north")[axis] in units:
        raise InputError(f"the {what} has units of the other coordinate", f"{path}, {variable.name}", units,
                         ("degrees_north", "degrees_east")[axis])


def _refuse_impossible(values: np.ndarray, path: Path, name: str, axis: int) -> None:
    limit = (90.001, 360.001)[axis]
    if values.size and np.nanmax(np.abs(np.where(np.isfinite(values), values, 0.0))) > limit:
        raise InputError(f"no {('latitudes', 'longitudes')[axis]}", f"{path}, {name}", f"{np.nanmin(values):g} … {np.nanmax(values):g}",
                         f"within {limit:.0f} degrees")


@lru_cache(maxsize=8)
def fixed_grid(shape: tuple[int, int]) -> Grid:
    """The regular grid (nlat, nlon) whose first cell begins at longitude 0."""
    return Grid.regular(shape[1], shape[0], lon_first=None)


def _recognised(lon: bytes, lat: bytes, path: Path) -> Grid:
    try:
        return _grid_from_centres(lon, lat)
    except CouplingError as error:
        raise InputError(f"wrong grid: {error.what}", f"{path}, lat, lon", error.found, error.expected, error.advice) from None


@lru_cache(maxsize=16)
def _grid_from_centres(lon: bytes, lat: bytes) -> Grid:
    """Cached, since recognising Gaussian latitudes takes long and files come by the hundred."""
    return Grid.from_centres(np.frombuffer(lon), np.frombuffer(lat))
