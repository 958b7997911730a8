"""CarbonTracker's three-dimensional mole fractions, `molefrac_glb3x2` and its kin.

`co2` (time, level, lat, lon) in micromol mol-1, level 0 at the ground in all releases seen (told by the pressures, not believed), 25 or 34
levels; `pressure` (older: `press`) at the layers' bounds, dimension `boundary` = levels + 1, in Pa. Records are three-hour means whose
times are mid-interval, or the means of a month.
"""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.fluxes.priors.times import TIME_NAMES, record_times
from gcas_driver.observations.netcdf_fields import PRESSURE_UNITS, find_variable, inventory, read_numbers, require_variable

from .field import Field, ordered
from .units import factor_to_mole_fraction

VALUES = ("co2", "co2_total", "CO2")
PRESSURES = ("pressure", "press", "p_boundary", "pressure_boundary")
LATITUDES, LONGITUDES = ("latitude", "lat"), ("longitude", "lon")


def looks_like(dataset: netCDF4.Dataset) -> bool:
    """Whether there is a CO2 field with pressures on one level more."""
    values, pressures = find_variable(dataset, VALUES), find_variable(dataset, PRESSURES)
    return values is not None and pressures is not None and values.ndim in (3, 4) and pressures.ndim == values.ndim


def read(dataset: netCDF4.Dataset, path: Path, start: np.datetime64, tracer: str, units: str, mw_air: float, mw_co2: float) -> Field:
    """The record nearest to `start`; see `reading.read_field`."""
    variable = require_variable(dataset, (tracer,) if tracer else VALUES)
    pressure = require_variable(dataset, PRESSURES)
    lat, lon = (require_variable(dataset, names) for names in (LATITUDES, LONGITUDES))
    times = record_times(dataset, path)
    if times is None and _has_time(variable, lat, lon):
        raise InputError("no time that can be read", str(path), inventory(dataset), "time, or time_components")
    times = times if _has_time(variable, lat, lon) else None
    record = 0 if times is None else int(np.argmin(np.abs(times - start)))
    values = _cube(variable, path, lat, lon, record, None if times is None else times.size)
    interfaces = _cube(pressure, path, lat, lon, record, None if times is None else times.size) * _pascals(pressure, path)
    if interfaces.shape[0] != values.shape[0] + 1:
        raise InputError("pressures are not at the layers' bounds", f"{path}, {pressure.name}",
                         f"{interfaces.shape[0]} pressures, {values.shape[0]} levels", f"{values.shape[0] + 1} pressures")
    if interfaces[0].mean() > interfaces[-1].mean():  # the ground first
        values, interfaces = values[::-1], interfaces[::-1]
        _require_same_order(dataset, path, variable, -1, 0)
    else:
        _require_same_order(dataset, path, variable, 0, -1)
    where = f"{path}, {variable.name}"
    mean = float(np.nanmean(values)) if np.isfinite(values).any() else np.nan
    factor, unit = factor_to_mole_fraction(mean, str(getattr(variable, "units", "")), units, mw_air, mw_co2, where)
    grid, (values, interfaces) = ordered(read_numbers(lon, lon.shape), read_numbers(lat, lat.shape), path, values, interfaces)
    time = None if times is None else times[record]
    text = f"{path.name}, {variable.name} of {time} ({unit}), {grid.nlon}x{grid.nlat}x{values.shape[0]}"
    return Field(values * factor, grid, interfaces, None, time, path, text)


def _require_same_order(dataset: netCDF4.Dataset, path: Path, variable: netCDF4.Variable, top: int, ground: int) -> None:
    """Refuse levels in another order than the pressures', which the vapour on them tells."""
    vapour = find_variable(dataset, ("specific_humidity", "shum", "q"))
    if vapour is None or vapour.dimensions != variable.dimensions:
        return
    levels = np.nanmean(np.moveaxis(read_numbers(vapour, vapour.shape), -3, 0), axis=tuple(range(1, vapour.ndim)))
    if levels[top] > levels[ground]:
        raise InputError("levels and pressures are in opposite orders", f"{path}, {vapour.name}",
                         f"{levels[ground]:.3g} kg/kg at the ground, {levels[top]:.3g} on top", "more vapour at the ground",
                         "Fetch the file again.")


def _has_time(variable: netCDF4.Variable, lat: netCDF4.Variable, lon: netCDF4.Variable) -> bool:
    others = [d for d in variable.dimensions if d not in (*lat.dimensions, *lon.dimensions)]
    return len(others) == 2


def _cube(variable: netCDF4.Variable, path: Path, lat: netCDF4.Variable, lon: netCDF4.Variable, record: int,
          n_records: int | None) -> np.ndarray:
    """One record (level, lat, lon), whatever the order of the dimensions in the file."""
    names = list(variable.dimensions)
    rest = [d for d in names if d not in (*lat.dimensions, *lon.dimensions)]
    times = [d for d in rest if d in (*TIME_NAMES, "dim_time")] or rest[:len(rest) - 1]
    levels = [d for d in rest if d not in times]
    if lat.ndim != 1 or lon.ndim != 1 or len(names) != 3 + (n_records is not None) or len(levels) != 1 or \
            not {lat.dimensions[0], lon.dimensions[0]} <= set(names):
        raise InputError("the dimensions of a field", f"{path}, {variable.name}", f"{names} of {list(variable.shape)}",
                         f"time, level, {lat.dimensions[0] if lat.ndim else 'lat'}, {lon.dimensions[0] if lon.ndim else 'lon'}")
    wanted = [*(times if n_records is not None else []), levels[0], lat.dimensions[0], lon.dimensions[0]]
    values = read_numbers(variable, variable.shape).transpose([names.index(d) for d in wanted])
    if n_records is None:
        return values
    if len(values) != n_records:
        raise InputError("times and records differ in number", f"{path}, {variable.name}", f"{n_records} times, {len(values)} records")
    return values[record]


def _pascals(variable: netCDF4.Variable, path: Path) -> float:
    units = str(getattr(variable, "units", "Pa")).strip().lower() or "pa"
    if units not in PRESSURE_UNITS:
        raise InputError("unknown units of pressure", f"{path}, {variable.name}", units, "Pa or hPa")
    return PRESSURE_UNITS[units]
