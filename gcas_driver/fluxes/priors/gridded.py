"""Reads one day of one component from a NetCDF file of any layout, and refuses what cannot be right."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from mozart_coupling.classic_header import missing_bytes
from mozart_coupling.grids import Grid
from mozart_coupling.netcdf import damage

from ..units import MONTH, FluxUnits, flux_units
from .coordinates import Orientation, coordinate, oriented
from .day import FluxDay
from .layout import Layout
from .limits import refuse_unphysical
from .stream import Stream, file_of, label_of, parts_of, setting
from .times import Context, intervals, no_leap_days

log = logging.getLogger(__name__)

HUGE = 1.0e30  # anything larger is a fill value, declared or not
CODES = np.array([-999.0, -9999.0, -99999.0, -999.9, -999.99, -9999.9, -999999.0])  # what else is written for missing, often undeclared


@dataclass(frozen=True)
class _Header:
    """What a file says before its values are read."""

    variables: tuple[str, ...]
    units: tuple[FluxUnits, ...]
    factors: tuple[float, ...]
    orientation: Orientation
    axes: tuple[tuple[int | None, int, int], ...]
    start: np.ndarray
    end: np.ndarray
    no_leap: bool


class GriddedReader:
    """Reads a stream's NetCDF files; the last one stays open until another is asked for.

    Parameters
    ----------
    stream : Stream
    layout : Layout
    code : str
        Of the product, where file names hold one.
    """

    def __init__(self, stream: Stream, layout: Layout, code: str = "") -> None:
        self._stream, self._layout, self._code = stream, layout, code
        self._key: tuple = ()
        self._dataset: netCDF4.Dataset | None = None
        self._header: _Header | None = None
        self._seen: set[tuple[Path, int]] = set()

    def day(self, day: np.datetime64) -> FluxDay:
        """One day, every value checked.

        Raises
        ------
        InputError
            See `check`; also for any value that is missing, not finite or not physical.
        """
        path, header, records, moved = self._located(day)
        values, gaps = self._values(path, header, records)
        refuse_unphysical(self._stream.component, values, header.orientation.grid, f"{path}, {'+'.join(header.variables)}")
        low = (day - moved).astype("datetime64[s]")
        return FluxDay(header.orientation.grid, np.maximum(header.start[records], low),
                       np.minimum(header.end[records], low + np.timedelta64(86400, "s")), values, path, gaps).moved(moved)

    total = day

    def check(self, day: np.datetime64) -> Grid:
        """Look at one day's file without reading more of it than one record; returns its grid.

        Raises
        ------
        InputError
            Missing, not NetCDF, truncated, without the variable, wrong grid, units or time stamps, or a record with values
            that are missing, not finite or not physical.
        """
        path, header, records, _ = self._located(day)
        if (path, records.stop) not in self._seen:
            sample, _ = self._values(path, header, slice(records.stop - 1, records.stop))
            refuse_unphysical(self._stream.component, sample, header.orientation.grid, f"{path}, {'+'.join(header.variables)}")
            self._seen.add((path, records.stop))
        return header.orientation.grid

    def close(self) -> None:
        """Close the open file."""
        if self._dataset is not None:
            self._dataset.close()
        self._dataset, self._key = None, ()

    def _located(self, day: np.datetime64) -> tuple[Path, _Header, slice, np.timedelta64]:
        """File, header and records of a day, and how far it is from the day that is read: one, for 29 February without leap days."""
        path, pattern = file_of(self._stream, day, self._layout.patterns, self._code)
        key = (path, parts_of(day)[0])
        if key != self._key:
            self.close()
            self._dataset = opened(path)
            self._header = self._read_header(path, pattern, day)
            self._key = key
        header = self._header
        if header.no_leap and parts_of(day)[1:] == (2, 29) and not _covered(header, day):
            return path, header, _records_of(header, day - 1, path), np.timedelta64(1, "D")
        return path, header, _records_of(header, day, path), np.timedelta64(0, "D")

    def _read_header(self, path: Path, pattern: str, day: np.datetime64) -> _Header:
        dataset, stream, layout = self._dataset, self._stream, self._layout
        variables = _variables(dataset, path, stream, layout)
        units = tuple(_units(dataset, name, path, stream, layout) for name in variables)
        factors = tuple(_sign(dataset[name], path, stream) * float(getattr(stream, "factor", 1.0)) for name in variables)
        lat, lat_dim = coordinate(dataset, path, 0, layout, variables[0])
        lon, lon_dim = coordinate(dataset, path, 1, layout, variables[0])
        axes = tuple(_axes(dataset, path, name, (lat.size, lon.size), (lat_dim, lon_dim)) for name in variables)
        n_records = {1 if axis[0] is None else dataset[name].shape[axis[0]] for name, axis in zip(variables, axes, strict=True)}
        if len(n_records) > 1:
            raise InputError("variables have different numbers of records", str(path), " and ".join(map(str, sorted(n_records))))
        n = n_records.pop()
        start, end = intervals(dataset, Context(path, layout, setting(stream, "time_stamp"), day, pattern), n)
        if start.size != n:
            raise InputError("times and records differ in number", f"{path}, {variables[0]}", f"{start.size} times, {n} records")
        return _Header(variables, units, factors, oriented(lat, lon, path, layout), axes, start, end, no_leap_days(dataset))

    def _values(self, path: Path, header: _Header, records: slice) -> tuple[np.ndarray, np.ndarray | None]:
        """Records (n, nlat, nlon) [mol m-2 s-1] in the grid's order, and where they are missing: zero there."""
        total, gaps = 0.0, None
        for name, units, factor, axes in zip(header.variables, header.units, header.factors, header.axes, strict=True):
            values, missing = self._one(name, path, axes, records)
            scale = factor * moles_per_area(units, header.orientation.grid, header.start[records], header.end[records], f"{path}, {name}")
            total = total + scale * header.orientation.turned(values)
            if missing is not None:
                turned = header.orientation.turned(missing)
                gaps = turned if gaps is None else gaps & turned
            elif len(header.variables) > 1:
                gaps = np.zeros_like(total, bool)
        return total, gaps

    def _one(self, name: str, path: Path, axes: tuple[int | None, int, int], records: slice) -> tuple[np.ndarray, np.ndarray | None]:
        variable = self._dataset[name]
        selection: list = [slice(None) if i in axes else 0 for i in range(variable.ndim)]
        if axes[0] is not None:
            selection[axes[0]] = records
        try:
            raw = variable[tuple(selection)]
        except (RuntimeError, OSError, ValueError, TypeError) as error:
            raise InputError("values cannot be read", f"{path}, {name}", str(error), "a complete file",
                             "Copy or make the file again.") from None
        kept = sorted(axis for axis in axes if axis is not None)
        order = [kept.index(axis) for axis in axes if axis is not None]
        raw = np.ma.asarray(raw).transpose(order)
        raw = raw if raw.ndim == 3 else raw[None]
        values, missing = without_holes(raw, f"{path}, {name}", self._layout.holes)
        if missing is not None and np.any(missing != missing[:1]):
            raise InputError("missing values come and go within a day", f"{path}, {name}",
                             ", ".join(str(n) for n in np.count_nonzero(missing, axis=(1, 2))[:8]) + " by record",
                             "the same cells in every record of a day", "Copy or make the file again.")
        return values, missing


def opened(path: Path) -> netCDF4.Dataset:
    """A NetCDF or HDF5 file, whole by its header.

    Raises
    ------
    InputError
        Not such a file, or truncated.
    """
    with damage(lambda said: InputError("file cannot be opened as NetCDF", str(path), f"{path.stat().st_size} bytes, {said}",
                                        "a complete NetCDF file", "Copy or make the file again.")):
        dataset = netCDF4.Dataset(path)
    # The library reads zeros beyond the end of a cut classic file, so its size is compared with its header.
    lacking = missing_bytes(path)
    if lacking:
        dataset.close()
        size = path.stat().st_size
        raise InputError("file is truncated", str(path), f"{size} bytes", f"{size + lacking} bytes by its header",
                         "Copy or make the file again.")
    return dataset


def without_holes(raw: np.ndarray, where: str, allowed: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """Values with zero where they are missing, and where that is (None: nowhere).

    Raises
    ------
    InputError
        Missing values where the format has none or throughout; NaN or infinity that is not declared missing.
    """
    data = np.ma.getdata(raw)
    if data.dtype.kind not in "fiu":
        raise InputError("the flux is no number", where, f"type {data.dtype}", "numbers")
    plain = data.astype(np.float64)
    missing = np.ma.getmaskarray(raw) | (np.abs(plain) > HUGE)
    if missing.all() or (missing.any() and not allowed):
        raise InputError("missing values in the flux", where, f"{missing.sum()} of {missing.size}", "none", "Copy or make the file again.")
    plain[missing] = 0.0
    if plain.min() <= -999.0:
        coded = np.isin(data, CODES.astype(data.dtype)) & ~missing if data.dtype.kind == "f" else np.isin(plain, CODES)
        if coded.any():
            raise InputError("codes for missing values that are not declared", where, f"{coded.sum()} times {plain[coded][0]:g}",
                             "_FillValue or missing_value", "Declare them in the file's attributes.")
    if not np.isfinite(plain).all():
        raise InputError("flux is not finite", where, f"{np.count_nonzero(~np.isfinite(plain))} NaN of {plain.size}", "finite numbers")
    return plain, missing if missing.any() else None


def moles_per_area(units: FluxUnits, grid: Grid, start: np.ndarray, end: np.ndarray, where: str) -> np.ndarray | float:
    """mol m-2 s-1 in one unit of the file, as a number or (n, nlat, nlon) for records from `start` to `end`.

    Raises
    ------
    InputError
        Amounts per month whose records are not months.
    """
    seconds: np.ndarray | float = units.seconds
    if units.seconds == MONTH:
        seconds = ((end - start) / np.timedelta64(1, "s")).reshape(-1, 1, 1)
        if np.any((seconds < 28 * 86400.0) | (seconds > 31 * 86400.0)):
            raise InputError("amounts per month need monthly records", where, f"records of {seconds.min() / 86400:g} days", "28 to 31 days",
                             "Give `units` in the &prior group if the file's are wrong.")
    return units.moles / seconds / (grid.area if units.per_cell else 1.0)


def _variables(dataset: netCDF4.Dataset, path: Path, stream: Stream, layout: Layout) -> tuple[str, ...]:
    wanted = setting(stream, "variable")
    names = (wanted,) if wanted else layout.variables[stream.component]
    for name in names:
        parts = tuple(part.strip() for part in name.split("+"))
        if all(part in dataset.variables for part in parts):
            return parts
    inventory = ", ".join(f"{n}{list(v.dimensions)}" for n, v in dataset.variables.items())
    raise InputError(f"no variable for the {stream.component} flux", str(path), inventory or "no variables",
                     " or ".join(names), "Name it by `variable` in the &prior group.")


def _units(dataset: netCDF4.Dataset, name: str, path: Path, stream: Stream, layout: Layout) -> FluxUnits:
    text = setting(stream, "units") or str(getattr(dataset[name], "units", "")) or layout.units
    units = flux_units(text)
    if units is None:
        raise InputError("units of the flux cannot be used", f"{path}, {name}", repr(text),
                         "an amount of CO2 or carbon per area (or cell) and time, such as mol m-2 s-1 or GgC cell-1 month-1",
                         "Give `units` in the &prior group if the file's are incomplete.")
    return units


def _sign(variable: netCDF4.Variable, path: Path, stream: Stream) -> float:
    """-1 where the file counts downward: by the group's `positive`, else by the variable's attributes."""
    said = setting(stream, "positive")
    name = str(getattr(variable, "standard_name", "")).lower()
    downward = any(word in name for word in ("downward", "uptake", "into_sea"))
    found = str(getattr(variable, "positive", "")).lower() or ("down" if downward else "")
    if not said and found.startswith("down"):
        log.info("%s: %s of %s counts downward by its attributes and is turned", label_of(stream), variable.name, path)
    return -1.0 if (said or found).startswith("down") else 1.0


def _axes(dataset: netCDF4.Dataset, path: Path, variable: str, sizes: tuple[int, int],
          dims: tuple[str, str]) -> tuple[int | None, int, int]:
    """Positions of time (None: the file has none), latitude and longitude among the variable's dimensions; others must be of length 1."""
    have, shape = dataset[variable].dimensions, dataset[variable].shape
    if all(have.count(d) == 1 for d in dims):
        lat_axis, lon_axis = (have.index(d) for d in dims)
        others = [i for i in range(len(have)) if i not in (lat_axis, lon_axis)]
        times = [i for i in others if have[i].lower() in ("time", "date", "t", "month", "record", "tstep")] or [
            i for i in others if shape[i] != 1] or others[:1]
        if (shape[lat_axis], shape[lon_axis]) == sizes and len(times) <= 1 and all(shape[i] == 1 for i in others if i not in times):
            return times[0] if times else None, lat_axis, lon_axis
    raise InputError("dimensions of the flux", f"{path}, {variable}", f"{list(have)} of {list(shape)}",
                     f"time, {dims[0]} = {sizes[0]}, {dims[1]} = {sizes[1]}")


def _covered(header: _Header, day: np.datetime64) -> bool:
    low, high = day.astype("datetime64[s]"), (day + 1).astype("datetime64[s]")
    inside = np.flatnonzero((header.start < high) & (header.end > low))
    return bool(inside.size > 0 and header.start[inside[0]] <= low and header.end[inside[-1]] >= high
                and np.array_equal(header.start[inside[1:]], header.end[inside[:-1]]))


def _records_of(header: _Header, day: np.datetime64, path: Path) -> slice:
    """The records that cover a day."""
    low, high = day.astype("datetime64[s]"), (day + 1).astype("datetime64[s]")
    if not _covered(header, day):
        found = f"{header.start.size} records, {header.start[0]} to {header.end[-1]}" if header.start.size else "no records"
        raise InputError("time stamps do not cover the day", f"{path}, time", found, f"intervals from {low} to {high}",
                         "Check the file's dates; `time_stamp` of the &prior group says what a stamp marks.")
    inside = np.flatnonzero((header.start < high) & (header.end > low))
    return slice(int(inside[0]), int(inside[-1]) + 1)
