"""A tracer of a MOZART-4 history, restart or initial file, on any grid and levels."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations.netcdf_fields import PRESSURE_UNITS, find_variable, inventory, read_numbers, require_variable
from mozart_coupling.constants import REFERENCE_PRESSURE
from mozart_coupling.contract import VMR_SUFFIX
from mozart_coupling.dates import from_date_pair, to_datetime64
from mozart_coupling.errors import CouplingError

from .field import Field, interfaces_of, ordered
from .units import factor_to_mole_fraction

HISTORY_INTERVAL_S = 10800
LEVELS, LATITUDES, LONGITUDES = ("lev", "level", "plev"), ("lat", "latitude"), ("lon", "longitude")


def read(dataset: netCDF4.Dataset, path: Path, start: np.datetime64, tracer: str, units: str, mw_air: float, mw_co2: float) -> Field:
    """The record nearest to `start`; see `reading.read_field`. An average counts by the middle of its interval."""
    variable = _variable(dataset, path, tracer)
    times = _times(dataset, path)
    if times is not None and variable.name.endswith(VMR_SUFFIX):
        step = np.median(np.diff(times).astype("int64")) if times.size > 1 else HISTORY_INTERVAL_S
        times = times - np.timedelta64(int(step) // 2, "s")
    record = 0 if times is None else int(np.argmin(np.abs(times - start)))
    n_records = 1 if times is None else times.size
    if variable.ndim == 4 and variable.shape[variable.dimensions.index(_record_dimension(variable))] != n_records or \
            variable.ndim == 3 and n_records > 1:
        raise InputError("dates and records differ in number", f"{path}, {variable.name}",
                         f"{'no' if times is None else n_records} dates, shape {variable.shape}", "`date` and `datesec` of every record")
    values = _field(variable, path, record, 3)
    ps = find_variable(dataset, ("PS",))
    surface = None if ps is None else _field(ps, path, record, 2)
    hybrid, down = _levels(dataset, path, values.shape[0])
    values = values[::-1] if down else values
    mean = float(np.nanmean(values)) if np.isfinite(values).any() else np.nan
    molar = [float(getattr(dataset, name, default)) for name, default in (("mw_air", mw_air), ("mw_co2", mw_co2))]
    factor, unit = factor_to_mole_fraction(mean, str(getattr(variable, "units", "")), units, *molar, f"{path}, {variable.name}")
    lat, lon = (find_variable(dataset, names) for names in (LATITUDES, LONGITUDES))
    grid = None
    if lat is not None and lon is not None:
        if lat.shape + lon.shape != values.shape[1:]:
            raise InputError("coordinates do not fit the field", f"{path}, {variable.name}", f"{values.shape[1:]}",
                             f"{lat.shape + lon.shape}")
        grid, (values, surface) = ordered(read_numbers(lon, lon.shape), read_numbers(lat, lat.shape), path, values, surface)
    interfaces = None
    if hybrid is not None and surface is not None:
        if surface.shape != values.shape[1:] or not np.isfinite(surface).all():
            raise InputError("the initial field's surface pressure is incomplete", f"{path}, PS", f"shape {surface.shape}",
                             f"{values.shape[1:]} finite values")
        interfaces = interfaces_of(*hybrid, surface)
    time = None if times is None else times[record]
    text = f"{path.name}, {variable.name} of {time or 'no date'} ({unit}), {values.shape[2]}x{values.shape[1]}x{values.shape[0]}"
    return Field(values * factor, grid, interfaces, hybrid if interfaces is None else None, time, path, text)


def _variable(dataset: netCDF4.Dataset, path: Path, tracer: str) -> netCDF4.Variable:
    if tracer:
        return require_variable(dataset, (tracer, tracer + VMR_SUFFIX))
    found = find_variable(dataset, ("CO2" + VMR_SUFFIX, "CO2", "EN001" + VMR_SUFFIX, "EN001"))
    if found is None:
        named = sorted(n for n in dataset.variables if n.endswith(VMR_SUFFIX))
        found = dataset.variables[named[0]] if named else None
    if found is None:
        raise InputError("no tracer in the initial file", str(path), inventory(dataset), "CO2, EN001 or EN001_VMR_avrg")
    return found


def _record_dimension(variable: netCDF4.Variable) -> str:
    """Of four dimensions the one that is neither level nor place; the first where names do not tell."""
    return next((d for d in variable.dimensions if d not in (*LEVELS, *LATITUDES, *LONGITUDES)), variable.dimensions[0])


def _times(dataset: netCDF4.Dataset, path: Path) -> np.ndarray | None:
    """Times of the records by `date` and `datesec`; None without a date."""
    date, datesec = (find_variable(dataset, (name,)) for name in ("date", "datesec"))
    if date is None:
        return None
    days = np.atleast_1d(read_numbers(date, date.shape)).ravel()
    seconds = np.zeros(days.size) if datesec is None else np.atleast_1d(read_numbers(datesec, datesec.shape)).ravel()
    if days.size != seconds.size or not (np.isfinite(days).all() and np.isfinite(seconds).all()):
        raise InputError("dates are incomplete", f"{path}, date and datesec", f"{days.size} and {seconds.size} values")
    if seconds.min() < 0.0 or seconds.max() > 86400.0:
        raise InputError("seconds of the day cannot be", f"{path}, datesec", f"{seconds.min():g} … {seconds.max():g}", "0 … 86400")
    try:
        return np.array([to_datetime64(from_date_pair(int(d), int(s))) for d, s in zip(days, seconds, strict=True)], dtype="datetime64[s]")
    except CouplingError as error:
        raise InputError(error.what, f"{path}, date", error.found, error.expected) from None


def _field(variable: netCDF4.Variable, path: Path, record: int, n_dims: int) -> np.ndarray:
    """One record, levels, latitude and longitude last; by name where the file has its dimensions in another order."""
    values = read_numbers(variable, variable.shape)
    names = list(variable.dimensions)
    wanted = [next((n for n in names if n in known), None) for known in (LEVELS, LATITUDES, LONGITUDES)[3 - n_dims:]]
    if None not in wanted:
        rest = [n for n in names if n not in wanted]
        values = values.transpose([names.index(n) for n in (*rest, *wanted)])
    elif variable.ndim not in (n_dims, n_dims + 1):
        raise InputError("the dimensions of a field", f"{path}, {variable.name}", f"{names}", "(time,) lev, lat, lon")
    if values.ndim == n_dims:
        return values
    if values.ndim != n_dims + 1 or record >= len(values):
        raise InputError("the dimensions of a field", f"{path}, {variable.name}", f"{names} of {list(variable.shape)}",
                         "(time,) lev, lat, lon")
    return values[record]


def _levels(dataset: netCDF4.Dataset, path: Path, n_levels: int) -> tuple[tuple[np.ndarray, np.ndarray] | None, bool]:
    """hyai, hybi (n + 1,) in units of 1e5 Pa, top first, and whether the file has the ground first; None where it says nothing.

    Files of the contract give restart and initial fields only at mid-levels, which are the means of their interfaces: with (0, 1) at the
    ground the interfaces follow one by one.
    """
    scale = _reference_pressure(dataset, path) / REFERENCE_PRESSURE
    pairs = []
    for names in (("hyai", "hybi"), ("hyam", "hybm")):
        found = [find_variable(dataset, (name,)) for name in names]
        if (found[0] is None) != (found[1] is None):
            raise InputError("one of two level coefficients is missing", str(path), inventory(dataset), " and ".join(names))
        pairs.append(None if None in found else [np.ravel(read_numbers(v, v.shape)) for v in found])
    faces, middles = pairs
    given = faces or middles
    if given is None:
        return None, False
    expected = n_levels + 1 if faces else n_levels
    if any(c.size != expected or not np.isfinite(c).all() for c in given):
        raise InputError("level coefficients do not fit the field", f"{path}, {'hyai, hybi' if faces else 'hyam, hybm'}",
                         f"{given[0].size} values", f"{expected} finite values")
    total = given[0] * scale + given[1]
    down = bool(total[0] > total[-1])
    if faces and middles and middles[0].size == n_levels and bool((middles[0] + middles[1])[0] > (middles[0] + middles[1])[-1]) != down:
        raise InputError("mid-levels and interfaces are in opposite orders", f"{path}, hyam and hyai", f"{total[0]:.4g} … {total[-1]:.4g}",
                         "level 1 on top in both")
    a, b = (c[::-1] if down else c for c in (given[0] * scale, given[1]))
    return (a, b) if faces else _faces_of(a, b, path), down


def _reference_pressure(dataset: netCDF4.Dataset, path: Path) -> float:
    """P0 [Pa]; 1e5 where the file has none."""
    variable = find_variable(dataset, ("P0",))
    if variable is None:
        return REFERENCE_PRESSURE
    units = str(getattr(variable, "units", "Pa")).strip().lower()
    value = float(np.ravel(read_numbers(variable, variable.shape))[0]) * PRESSURE_UNITS.get(units, 1.0)
    if not 0.9 * REFERENCE_PRESSURE < value < 1.1 * REFERENCE_PRESSURE:
        raise InputError("the reference pressure cannot be", f"{path}, P0", f"{value:g} {units}", f"about {REFERENCE_PRESSURE:g} Pa")
    return value


def _faces_of(hyam: np.ndarray, hybm: np.ndarray, path: Path) -> tuple[np.ndarray, np.ndarray]:
    hyai, hybi = np.zeros(hyam.size + 1), np.zeros(hyam.size + 1)
    hybi[-1] = 1.0
    for k in range(hyam.size - 1, -1, -1):
        hyai[k], hybi[k] = 2.0 * hyam[k] - hyai[k + 1], 2.0 * hybm[k] - hybi[k + 1]
    total = hyai + hybi
    if np.any(np.diff(total) <= 0.0) or total[0] < -1.0e-6:
        raise InputError("mid-level coefficients are not the means of interfaces", f"{path}, hyam and hybm", f"{np.round(total[:4], 5)} …",
                         "ascending from the top, 1 at the ground", "Give a file with hyai and hybi.")
    return np.maximum(hyai, -hybi), hybi
