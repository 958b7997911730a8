"""Reads one day of one component from a file of any layout, and refuses what cannot be right."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from mozart_coupling.classic_header import missing_bytes
from mozart_coupling.errors import CouplingError
from mozart_coupling.grids import Grid

from ..units import flux_unit_factor
from .layout import LAT_NAMES, LON_NAMES, Layout
from .limits import out_of_range
from .stream import Stream, file_of, setting
from .times import intervals

HUGE = 1.0e30  # anything larger is a fill value, declared or not
CENTRES_TOLERANCE = 0.01  # degrees


@dataclass(frozen=True)
class FluxDay:
    """The part of a flux file that falls into one day.

    Attributes
    ----------
    grid : Grid
        Of the values, longitudes ascending from the first one at or after 0.
    start, end : numpy.ndarray
        (n,) datetime64[s], the intervals, cut to the day; they cover it without gaps.
    values : numpy.ndarray
        (n, nlat, nlon) float64, means over the intervals [mol m-2 s-1].
    path : pathlib.Path
        Where they were read.
    """

    grid: Grid
    start: np.ndarray
    end: np.ndarray
    values: np.ndarray
    path: Path


@dataclass(frozen=True)
class _Header:
    """What a file says before its values are read."""

    variable: str
    factor: float
    grid: Grid
    flip_lat: bool
    lon_order: np.ndarray
    axes: tuple[int, int, int]
    start: np.ndarray
    end: np.ndarray


def read_day(stream: Stream, layout: Layout, day: np.datetime64) -> FluxDay:
    """One day of a stream, every value checked.

    Raises
    ------
    InputError
        See `check_day`; also for any value that is missing, not finite or not physical.
    """
    path = file_of(stream, day, layout.pattern)
    with _opened(path) as dataset:
        header = _header(dataset, path, stream, layout, day)
        records = _records_of(header, day, path)
        values = _values(dataset, path, header, records, layout)
    _refuse_unphysical(stream.component, values, path, header.variable)
    low, high = day.astype("datetime64[s]"), (day + 1).astype("datetime64[s]")
    return FluxDay(header.grid, np.maximum(header.start[records], low), np.minimum(header.end[records], high), values, path)


def check_day(stream: Stream, layout: Layout, day: np.datetime64) -> Grid:
    """Look at one day's file without reading more of it than one record; returns its grid.

    Raises
    ------
    InputError
        Missing, not NetCDF, truncated, without the variable, wrong grid, units or time stamps, or a record with values
        that are missing, not finite or not physical.
    """
    path = file_of(stream, day, layout.pattern)
    with _opened(path) as dataset:
        header = _header(dataset, path, stream, layout, day)
        records = _records_of(header, day, path)
        last = slice(records.stop - 1, records.stop)
        sample = _values(dataset, path, header, last, layout)
    _refuse_unphysical(stream.component, sample, path, header.variable)
    return header.grid


def _opened(path: Path) -> netCDF4.Dataset:
    try:
        dataset = netCDF4.Dataset(path)
    except OSError as error:
        raise InputError("file cannot be opened as NetCDF", str(path), f"{path.stat().st_size} bytes, {error}",
                         "a complete NetCDF file", "Copy or make the file again.") from None
    # The library reads zeros beyond the end of a cut classic file, so its size is compared with its header.
    lacking = missing_bytes(path)
    if lacking:
        dataset.close()
        size = path.stat().st_size
        raise InputError("file is truncated", str(path), f"{size} bytes", f"{size + lacking} bytes by its header",
                         "Copy or make the file again.")
    return dataset


def _header(dataset: netCDF4.Dataset, path: Path, stream: Stream, layout: Layout, day: np.datetime64) -> _Header:
    variable = _variable(dataset, path, stream, layout)
    units = setting(stream, "units") or str(getattr(dataset[variable], "units", "")) or layout.units
    factor = flux_unit_factor(units)
    if factor is None:
        raise InputError("units of the flux cannot be used", f"{path}, {variable}", repr(units),
                         "an amount of CO2 or carbon per area and time, such as mol m-2 s-1",
                         "Give `units` in the &prior group if the file's are incomplete.")
    lat, lat_dim = _coordinate(dataset, path, LAT_NAMES, "latitude", layout, 0, variable)
    lon, lon_dim = _coordinate(dataset, path, LON_NAMES, "longitude", layout, 1, variable)
    axes = _axes(dataset, path, variable, (lat.size, lon.size), (lat_dim, lon_dim))
    grid, flip, order = _grid(lat, lon, path, layout)
    n_records = dataset[variable].shape[axes[0]]
    start, end = intervals(dataset, path, layout, setting(stream, "time_stamp"), day, n_records)
    if start.size != n_records:
        raise InputError("times and records differ in number", f"{path}, {variable}", f"{start.size} times, {n_records} records")
    return _Header(variable, factor * float(getattr(stream, "factor", 1.0)), grid, flip, order, axes, start, end)


def _variable(dataset: netCDF4.Dataset, path: Path, stream: Stream, layout: Layout) -> str:
    wanted = setting(stream, "variable")
    names = (wanted,) if wanted else layout.variables[stream.component]
    for name in names:
        if name in dataset.variables:
            return name
    inventory = ", ".join(f"{n}{list(v.dimensions)}" for n, v in dataset.variables.items())
    raise InputError(f"no variable for the {stream.component} flux", str(path), inventory or "no variables",
                     " or ".join(names), "Name it by `variable` in the &prior group.")


def _coordinate(dataset: netCDF4.Dataset, path: Path, names: tuple[str, ...], what: str, layout: Layout,
                axis: int, variable: str) -> tuple[np.ndarray, str]:
    """Cell centres [degrees] and the name of their dimension; where a format fixes the grid, its size tells the dimension."""
    for name in names:
        if name in dataset.variables and dataset[name].ndim == 1:
            return np.ma.getdata(dataset[name][:]).astype(np.float64), dataset[name].dimensions[0]
    if layout.shape is not None:
        fitting = [d for d, size in zip(dataset[variable].dimensions, dataset[variable].shape, strict=True)
                   if size == layout.shape[axis]]
        if len(fitting) == 1:
            grid = _fixed_grid(layout)
            return (grid.lat, grid.lon)[axis], fitting[0]
    raise InputError(f"no {what} coordinate", str(path), ", ".join(dataset.variables), " or ".join(names[:2]))


@lru_cache(maxsize=4)
def _fixed_grid(layout: Layout) -> Grid:
    """The grid that a format fixes; its first cell begins at longitude 0."""
    nlat, nlon = layout.shape
    return Grid.regular(nlon, nlat, lon_first=None)


def _axes(dataset: netCDF4.Dataset, path: Path, variable: str, sizes: tuple[int, int],
          dims: tuple[str, str]) -> tuple[int, int, int]:
    """Positions of time, latitude and longitude among the variable's dimensions."""
    have, shape = dataset[variable].dimensions, dataset[variable].shape
    if len(have) == 3 and all(d in have for d in dims):
        lat_axis, lon_axis = (have.index(d) for d in dims)
        if (shape[lat_axis], shape[lon_axis]) == sizes:
            return 3 - lat_axis - lon_axis, lat_axis, lon_axis
    raise InputError("dimensions of the flux", f"{path}, {variable}", f"{list(have)} of {list(shape)}",
                     f"time, {dims[0]} = {sizes[0]}, {dims[1]} = {sizes[1]}")


def _grid(lat: np.ndarray, lon: np.ndarray, path: Path, layout: Layout) -> tuple[Grid, bool, np.ndarray]:
    """The grid with ascending latitudes and longitudes from 0 on, and how to reorder values for it."""
    if not (np.isfinite(lat).all() and np.isfinite(lon).all()):
        raise InputError("grid coordinates are not finite", f"{path}, lat, lon", "NaN")
    if layout.shape is not None and (lat.size, lon.size) != layout.shape:
        raise InputError("wrong grid", f"{path}, lat x lon", f"{lat.size} x {lon.size}",
                         f"{layout.shape[0]} x {layout.shape[1]} for format '{layout.name}'",
                         "Use format = 'cf' for other grids.")
    flip = bool(lat[0] > lat[-1])
    lat = lat[::-1] if flip else lat
    turned = np.mod(lon, 360.0)
    turned[turned > 360.0 - 1e-6] = 0.0
    order = np.argsort(turned, kind="stable")
    if layout.shape is None:
        return _recognised(turned[order].tobytes(), lat.tobytes(), path), flip, order
    fixed = _fixed_grid(layout)
    if max(np.abs(lat - fixed.lat).max(), np.abs(turned[order] - fixed.lon).max()) > CENTRES_TOLERANCE:
        raise InputError("wrong grid", f"{path}, lat, lon", f"lat {lat[0]:g} …, lon {turned[order][0]:g} …",
                         f"lat {fixed.lat[0]:g} …, lon {fixed.lon[0]:g} …", "Use format = 'cf' for other grids.")
    return fixed, flip, order


def _recognised(lon: bytes, lat: bytes, path: Path) -> Grid:
    try:
        return _grid_from_centres(lon, lat)
    except CouplingError as error:
        raise InputError(f"wrong grid: {error.what}", f"{path}, lat, lon", error.found, error.expected, error.advice) from None


@lru_cache(maxsize=16)
def _grid_from_centres(lon: bytes, lat: bytes) -> Grid:
    """Cached, since recognising Gaussian latitudes takes long and files come by the hundred."""
    return Grid.from_centres(np.frombuffer(lon), np.frombuffer(lat))


def _records_of(header: _Header, day: np.datetime64, path: Path) -> slice:
    """The records that cover a day."""
    low, high = day.astype("datetime64[s]"), (day + 1).astype("datetime64[s]")
    inside = np.flatnonzero((header.start < high) & (header.end > low))
    covered = inside.size > 0 and (
        header.start[inside[0]] <= low and header.end[inside[-1]] >= high
        and np.array_equal(header.start[inside[1:]], header.end[inside[:-1]]))
    if not covered:
        found = f"{header.start.size} records, {header.start[0]} to {header.end[-1]}" if header.start.size else "no records"
        raise InputError("time stamps do not cover the day", f"{path}, time", found, f"intervals from {low} to {high}",
                         "Check the file's dates; `time_stamp` of the &prior group says what a stamp marks.")
    return slice(int(inside[0]), int(inside[-1]) + 1)


def _values(dataset: netCDF4.Dataset, path: Path, header: _Header, records: slice, layout: Layout) -> np.ndarray:
    """Records (n, nlat, nlon) [mol m-2 s-1] in the grid's order, holes filled with zero where the format has such."""
    variable = dataset[header.variable]
    selection = [slice(None)] * 3
    selection[header.axes[0]] = records
    try:
        raw = variable[tuple(selection)]
    except (RuntimeError, OSError) as error:
        raise InputError("values cannot be read", f"{path}, {header.variable}", str(error), "a complete file",
                         "Copy or make the file again.") from None
    plain = np.ma.getdata(raw).astype(np.float64)
    missing = np.ma.getmaskarray(raw) | (np.abs(plain) > HUGE)
    if missing.all() or (missing.any() and not layout.holes):
        raise InputError("missing values in the flux", f"{path}, {header.variable}", f"{missing.sum()} of {missing.size}",
                         "none", "Copy or make the file again.")
    plain[missing] = 0.0
    if not np.isfinite(plain).all():
        raise InputError("flux is not finite", f"{path}, {header.variable}",
                         f"{np.count_nonzero(~np.isfinite(plain))} NaN of {plain.size}", "finite numbers")
    ordered = np.transpose(plain, header.axes)[..., header.lon_order]
    return header.factor * (ordered[:, ::-1] if header.flip_lat else ordered)


def _refuse_unphysical(component: str, values: np.ndarray, path: Path, variable: str) -> None:
    verdict = out_of_range(component, values)
    if verdict:
        raise InputError(f"{component} flux is out of the physical range", f"{path}, {variable}", *verdict,
                         advice="Check the file's units; `units` of the &prior group overrides them.")
