"""Surface-flux files: one per tracer as MOZART-4 reads them, or components and factors for the embedded model.

The flux between two records is their linear interpolation in time. Prior fluxes are three-hour means; the records here
("nodes") are the means of the two neighbouring intervals, with each day's residual spread over its interior nodes, so
that the interpolant has every day's total exactly. The method is said in the files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np
from numpy.typing import ArrayLike

from mozart_coupling import contract
from mozart_coupling.checks import require_grid
from mozart_coupling.constants import MOLECULES_PER_CM2_PER_MOL_PER_M2
from mozart_coupling.contract import COMPONENTS, EMISSIONS, FACTORS
from mozart_coupling.dates import DAY, date_pair, from_date_pair, readable, to_seconds
from mozart_coupling.errors import EmissionError
from mozart_coupling.grids import Grid
from mozart_coupling.netcdf import attribute, new_dataset, open_dataset

NODE_INTERVAL = 10800  # s
PER_DAY = DAY // NODE_INTERVAL
METHOD = ("records are instants; the flux between them is their linear interpolation; an interior record is the mean of the two "
          "three-hour means beside it, and each day's residual is spread over its seven interior records, so that the "
          "interpolant has the day's total of the three-hour means")
LARGEST = 1.0e30  # molecules/cm2/s: anything beyond is a fill value


def nodes_from_means(means: ArrayLike, intervals_per_day: int = PER_DAY) -> np.ndarray:
    """Records whose linear interpolation conserves every day's total of the interval means.

    Parameters
    ----------
    means
        (n_intervals, ...), means over consecutive equal intervals from 00:00, whole days, any unit.

    Returns
    -------
    numpy.ndarray
        (n_intervals + 1, ...), float64, at the ends of the intervals. A linear map of `means`.

    Raises
    ------
    EmissionError
        If the intervals are no whole number of days, or a mean is not finite.
    """
    values = np.asarray(means, dtype=np.float64)
    n = values.shape[0] if values.ndim else 0
    if n == 0 or n % intervals_per_day or intervals_per_day < 2:
        raise EmissionError("flux means must cover whole days", "nodes_from_means", f"{n} intervals",
                            f"a multiple of {intervals_per_day}")
    if not np.isfinite(values).all():
        raise EmissionError("flux means are not finite", "nodes_from_means",
                            f"{np.count_nonzero(~np.isfinite(values))} NaN or infinite values")
    nodes = np.empty((n + 1, *values.shape[1:]))
    nodes[0], nodes[-1] = values[0], values[-1]
    nodes[1:-1] = 0.5 * (values[:-1] + values[1:])
    for first in range(0, n, intervals_per_day):
        last = first + intervals_per_day
        integral = 0.5 * (nodes[first] + nodes[last]) + nodes[first + 1:last].sum(axis=0)
        nodes[first + 1:last] += (values[first:last].sum(axis=0) - integral) / (intervals_per_day - 1)
    return nodes


def interpolant_weights(node_times: np.ndarray, start: float, end: float) -> tuple[int, np.ndarray]:
    """Weights of the nodes in the exact integral of their linear interpolant over [start, end].

    Returns
    -------
    first : int
        Index of the first node that counts.
    weights : numpy.ndarray
        Weights of nodes first, first+1, … [s]; they add up to end - start.
    """
    first = int(np.clip(np.searchsorted(node_times, start, side="right") - 1, 0, node_times.size - 2))
    last = int(np.clip(np.searchsorted(node_times, end, side="left"), first + 1, node_times.size - 1))
    weights = np.zeros(last - first + 1)
    for k in range(first, last):
        width = float(node_times[k + 1] - node_times[k])
        a = (max(start, node_times[k]) - node_times[k]) / width
        b = (min(end, node_times[k + 1]) - node_times[k]) / width
        right = 0.5 * (b * b - a * a) * width
        weights[k - first] += (b - a) * width - right
        weights[k - first + 1] += right
    return first, weights


def molecules_per_cm2(flux: ArrayLike) -> np.ndarray:
    """molecules cm-2 s-1 of mol m-2 s-1."""
    return np.asarray(flux, dtype=np.float64) * MOLECULES_PER_CM2_PER_MOL_PER_M2


def mol_per_m2(flux: ArrayLike) -> np.ndarray:
    """mol m-2 s-1 of molecules cm-2 s-1."""
    return np.asarray(flux, dtype=np.float64) / MOLECULES_PER_CM2_PER_MOL_PER_M2


@dataclass(frozen=True)
class Nodes:
    """A time series of flux records: `flux` (node, lat, lon) molecules/cm2/s at `times` (node,) s since 1970."""

    grid: Grid
    times: np.ndarray
    flux: np.ndarray


def write_emissions(path: Path | str, grid: Grid, nodes: ArrayLike, start: object, durable: bool = True) -> None:
    """Write one tracer's surface flux.

    Parameters
    ----------
    nodes
        (n, nlat, nlon) [molecules/cm2/s], three-hourly from `start`; stored as float32.
    start
        Instant of the first record (datetime64, date or seconds since 1970).

    Raises
    ------
    EmissionError
        Wrong shape, or a value that is not finite.
    """
    values = np.asarray(nodes)
    _check_nodes(path, grid, values)
    times = to_seconds(start) + NODE_INTERVAL * np.arange(values.shape[0])
    with new_dataset(path, values.size * 4, durable) as data:
        contract.define(data, EMISSIONS, {"lat": grid.nlat, "lon": grid.nlon}, attributes={"time_interpolation": METHOD})
        _put_times_and_grid(data, grid, times)
        data["time"][:] = np.arange(1, times.size + 1)
        data["CO2"][:] = values.astype(np.float32, copy=False)


def write_member_emissions(directory: Path | str, tag: str, grid: Grid, tracers: Sequence[str], component_nodes: ArrayLike,
                           factors: ArrayLike, start: object) -> list[Path]:
    """Write the emission file of every tracer: sum over components of factor × component's nodes.

    Parameters
    ----------
    component_nodes
        (component, node, nlat, nlon) [molecules/cm2/s].
    factors
        (tracer, component, nlat, nlon) [1].

    Returns
    -------
    list of Path
        The files, in the order of `tracers`. They are renamed into place but not forced to disk one by one: they can
        be made again from the factors, and a run checks them when it reads them.
    """
    basis, factors = np.asarray(component_nodes, dtype=np.float64), np.asarray(factors, dtype=np.float64)
    expected = (len(tracers), basis.shape[0], *grid.shape)
    if factors.shape != expected:
        raise EmissionError("factors do not fit", directory, f"shape {factors.shape}", f"(tracer, component, lat, lon) = {expected}")
    for component in basis:
        _check_nodes(directory, grid, component)
    paths, total, part = [], np.empty(basis.shape[1:]), np.empty(basis.shape[1:])
    for tracer, own in zip(tracers, factors, strict=True):
        np.multiply(basis[0], own[0], out=total)
        for component, factor in zip(basis[1:], own[1:], strict=True):
            total += np.multiply(component, factor, out=part)
        paths.append(Path(directory) / contract.emission_name(tracer, tag))
        write_emissions(paths[-1], grid, total, start, durable=False)
    return paths


def write_components(path: Path | str, grid: Grid, names: Sequence[str], nodes: ArrayLike, start: object) -> None:
    """Write flux components for the embedded model.

    Parameters
    ----------
    names
        One per component.
    nodes
        (component, node, nlat, nlon) [molecules/cm2/s], three-hourly from `start`; stored in double precision.
    """
    values = np.asarray(nodes, dtype=np.float64)
    if values.ndim != 4 or values.shape[0] != len(names):
        raise EmissionError("components do not fit their names", path, f"shape {values.shape}, {len(names)} names",
                            "(component, node, lat, lon)")
    for component in values:
        _check_nodes(path, grid, component)
    times = to_seconds(start) + NODE_INTERVAL * np.arange(values.shape[1])
    with new_dataset(path, values.nbytes) as data:
        contract.define(data, COMPONENTS, {"lat": grid.nlat, "lon": grid.nlon, "component": len(names), "time": times.size},
                        attributes={"time_interpolation": METHOD, "components": ",".join(names)})
        _put_times_and_grid(data, grid, times)
        data["flux"][:] = values


def write_factors(path: Path | str, grid: Grid, names: Sequence[str], factors: ArrayLike, tracers: Sequence[str] = ()) -> None:
    """Write what every tracer takes of every component.

    Parameters
    ----------
    names
        Components, in the order of the components file.
    factors
        (tracer, component, nlat, nlon) [1]; stored in double precision.
    tracers
        Their names; `EN001`, `EN002`, … if not given.
    """
    values = np.asarray(factors, dtype=np.float64)
    if values.ndim != 4 or values.shape[1:] != (len(names), *grid.shape):
        raise EmissionError("factors do not fit", path, f"shape {values.shape}", f"(tracer, {len(names)}, {grid.nlat}, {grid.nlon})")
    _require_finite_factors(path, values)
    tracers = tuple(tracers) or contract.member_names(values.shape[0])
    with new_dataset(path, values.nbytes) as data:
        contract.define(data, FACTORS, {"lat": grid.nlat, "lon": grid.nlon, "component": len(names), "tracer": len(tracers)},
                        attributes={"components": ",".join(names), "tracers": ",".join(tracers)})
        data["lat"][:], data["lon"][:] = grid.lat, grid.lon
        data["factor"][:] = values


def read_emissions(path: Path | str) -> Nodes:
    """Read one tracer's surface flux; all (time, lat, lon) variables are added up, as the CAM lineage does.

    Raises
    ------
    EmissionError
        Missing or truncated file, missing variables, dates out of order, values that are not finite.
    """
    with open_dataset(path, EmissionError, "emission") as data:
        grid, times = check_emission_header(data, path)
        flux = read_record(data, slice(None))
        _check_nodes(path, grid, flux)
    return Nodes(grid, times, flux)


def read_components(path: Path | str) -> tuple[tuple[str, ...], Grid, np.ndarray, np.ndarray]:
    """(names, grid, times (node,) s since 1970, flux (component, node, lat, lon) molecules/cm2/s) of a components file."""
    with open_dataset(path, EmissionError, "components") as data:
        contract.check_structure(data, COMPONENTS, path, EmissionError)
        grid, times = _grid_and_times(data, path)
        flux = contract.value(data, "flux", 4)
        for component in flux:
            _check_nodes(path, grid, component)
        _check_units(data, "flux", path)
        names = tuple(attribute(data, "components", path, EmissionError).split(","))
        if len(names) != flux.shape[0]:
            raise EmissionError("components and their names differ in number", f"{path}, flux", flux.shape[0], ", ".join(names))
        return names, grid, times, flux


def read_factors(path: Path | str, grid: Grid | None = None) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    """(tracers, components, factors (tracer, component, lat, lon)) of a factors file; with `grid`, only if it is on that."""
    with open_dataset(path, EmissionError, "factors") as data:
        contract.check_structure(data, FACTORS, path, EmissionError)
        factors = contract.value(data, "factor", 4)
        _require_finite_factors(path, factors)
        tracers, components = (tuple(attribute(data, name, path, EmissionError).split(",")) for name in ("tracers", "components"))
        if factors.shape[:2] != (len(tracers), len(components)):
            raise EmissionError("factors and their names differ in number", f"{path}, factor", factors.shape[:2],
                                f"{len(tracers)} tracers, {len(components)} components")
        if grid is not None:
            require_grid(Grid.from_centres(contract.value(data, "lon", 1), contract.value(data, "lat", 1)), grid, path, EmissionError)
        return tracers, components, factors


def check_emission_header(data: netCDF4.Dataset, path: Path | str) -> tuple[Grid, np.ndarray]:
    """Grid and record times of an open emission file, its structure checked."""
    if not flux_variables(data):
        raise EmissionError("the emission file has no surface flux", path, "variables " + ", ".join(data.variables),
                            "CO2(time, lat, lon)")
    for name in ("lat", "lon", "date"):
        if name not in data.variables:
            raise EmissionError("a variable of the emission file is missing", f"{path}, {name}", "variables " + ", ".join(data.variables),
                                name)
    for name in flux_variables(data):
        _check_units(data, name, path)
    return _grid_and_times(data, path)


def _check_units(data: netCDF4.Dataset, name: str, path: Path | str) -> None:
    units = str(getattr(data[name], "units", "molecules/cm2/s"))
    if "".join(units.lower().replace("^", "").split()) not in ("molecules/cm2/s", "moleculescm-2s-1", "molec/cm2/s", "moleccm-2s-1"):
        raise EmissionError("the surface flux has other units", f"{path}, {name}", units, "molecules/cm2/s")


def _require_finite_factors(path: Path | str, factors: np.ndarray) -> None:
    if not np.isfinite(factors).all():
        raise EmissionError("factors are not finite", f"{path}, factor",
                            f"{np.count_nonzero(~np.isfinite(factors))} NaN or infinite values")


def flux_variables(data: netCDF4.Dataset) -> list[str]:
    """Names of the (time, lat, lon) variables of an emission file: its sectors."""
    return [name for name, variable in data.variables.items() if len(variable.dimensions) == 3 and variable.dtype.kind == "f"]


def read_record(data: netCDF4.Dataset, record: int | slice) -> np.ndarray:
    """The sum of all sectors at one record, or a slice of records, float64; missing values are NaN."""
    total: np.ndarray | None = None
    for name in flux_variables(data):
        part = np.ma.filled(data[name][record].astype(np.float64), np.nan)
        part[np.abs(part) > LARGEST] = np.nan  # fill values that no attribute declares
        total = part if total is None else total + part
    if total is None:
        raise EmissionError("the emission file has no surface flux", data.filepath(), ", ".join(data.variables), "CO2(time, lat, lon)")
    return total


def _grid_and_times(data: netCDF4.Dataset, path: Path | str) -> tuple[Grid, np.ndarray]:
    grid = Grid.from_centres(contract.value(data, "lon", 1), contract.value(data, "lat", 1))
    dates = np.atleast_1d(contract.value(data, "date", 1))
    seconds = np.atleast_1d(contract.value(data, "datesec", 1)) if "datesec" in data.variables else np.zeros_like(dates)
    times = np.array([from_date_pair(int(d), int(s)) for d, s in zip(dates, seconds, strict=True)], dtype=np.int64)
    if times.size < 2 or np.any(np.diff(times) <= 0):
        shown = ", ".join(readable(int(t)) for t in times[:4])
        raise EmissionError("emission records must have ascending dates, and be at least two", f"{path}, date and datesec",
                            f"{times.size} records: {shown}")
    return grid, times


def _put_times_and_grid(data: netCDF4.Dataset, grid: Grid, times: np.ndarray) -> None:
    pairs = np.array([date_pair(int(t)) for t in times], dtype=np.int32)
    data["lat"][:], data["lon"][:] = grid.lat, grid.lon
    data["date"][:], data["datesec"][:] = pairs[:, 0], pairs[:, 1]


def _check_nodes(path: Path | str, grid: Grid, values: np.ndarray) -> None:
    if values.ndim != 3 or values.shape[1:] != grid.shape:
        raise EmissionError("flux records do not fit the grid", path, f"shape {values.shape}", f"(record, {grid.nlat}, {grid.nlon})")
    if not np.isfinite(values).all():
        bad = np.argwhere(~np.isfinite(values))[0]
        raise EmissionError("a flux is not finite", f"{path}, record {bad[0] + 1}, lat {grid.lat[bad[1]]:g}, lon {grid.lon[bad[2]]:g}",
                            values[tuple(bad)], "a finite number of molecules/cm2/s")
