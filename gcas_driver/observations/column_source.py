"""What a reader of soundings gives: an open file's quantities in the normal form, row by row, read when asked for.

A product's module says which variable is what; all the rest (screening, averaging, errors, scale) is the same for every product and
stands in `soundings.py` and `averaging.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations import netcdf_fields as nc
from gcas_driver.observations.column_fields import Field, Fields

Rows = Callable[[int, int], np.ndarray]
"""Rows [start, stop) of a quantity, float64, NaN where missing."""

LAND, OCEAN, OTHER = 0.0, 1.0, 2.0
"""Surfaces."""
UNKNOWN = -1.0
"""Code of a mode or surface that the file does not tell."""
DECISIVE = 50


@dataclass(frozen=True)
class ColumnSource:
    """An open file of soundings.

    Attributes
    ----------
    path : str
    n : int
        Rows.
    scale : str
        Calibration scale that the file gives for the values; "" where it says none.
    scale_stated : bool
        Whether the file itself names the scale, rather than its build or version implying it.
    time, lon, lat, xco2, uncertainty, prior_xco2 : Rows
        Seconds since 1970 UTC, degrees, ppm; the value as the file has it.
    pressure, pressure_weight, averaging_kernel, prior_profile : Rows
        (m, n_levels): Pa, 1, 1, ppm, top first.
    n_levels : int
    identifiers : callable
        Row numbers (m,), ascending → identifiers (m,) of str.
    date : Rows or None
        Day that the identifier tells, as seconds since 1970 at its midnight.
    quality, warn_level, outcome : Rows or None
    keep : callable or None
        A rule on `quality`, in place of one value that is kept.
    mode : Rows or None
        Index into `mode_names`, else `UNKNOWN`.
    mode_names : tuple of str
    surface : Rows or None
        `LAND`, `OCEAN`, `OTHER` or `UNKNOWN`.
    solar_zenith, sensor_zenith : Rows or None
        Degrees.
    bias_terms, error_terms : tuple of Rows
        The variables that the stream's bias correction and errors name; the latter in ppm.
    """

    path: str
    n: int
    scale: str
    time: Rows
    lon: Rows
    lat: Rows
    xco2: Rows
    uncertainty: Rows
    prior_xco2: Rows | None
    pressure: Rows
    pressure_weight: Rows
    averaging_kernel: Rows
    prior_profile: Rows
    n_levels: int
    identifiers: Callable[[np.ndarray], np.ndarray]
    scale_stated: bool = False
    date: Rows | None = None
    quality: Rows | None = None
    warn_level: Rows | None = None
    outcome: Rows | None = None
    keep: Callable[[np.ndarray], np.ndarray] | None = None
    mode: Rows | None = None
    mode_names: tuple[str, ...] = ()
    surface: Rows | None = None
    solar_zenith: Rows | None = None
    sensor_zenith: Rows | None = None
    bias_terms: tuple[Rows, ...] = ()
    error_terms: tuple[Rows, ...] = ()


def surface_first(pressure: Rows, n: int, block: int = 4096) -> bool:
    """Whether the levels of a file run from the surface up, decided by its pressures.

    A file has one order, so most of the soundings decide; single broken ones fall to the screening.
    """
    upward = downward = 0
    for start in range(0, n, block):
        levels = pressure(start, min(start + block, n))
        with np.errstate(invalid="ignore"):
            upward += np.count_nonzero(levels[:, 0] > levels[:, -1])
            downward += np.count_nonzero(levels[:, 0] < levels[:, -1])
        if upward + downward >= DECISIVE:
            break
    return upward > downward


def pressures(fields: Fields, levels: str, sigma: str, surface: str, n_levels: int, units: str = "") -> Rows:
    """Pressure at the levels [Pa]: a variable of its own, or else sigma times the surface's pressure.

    Parameters
    ----------
    fields : Fields
    levels, sigma, surface : str
        Names of the variables; sigma is the same for all soundings, or one row for each.
    n_levels : int
        Levels that the other profiles have.
    units : str
        Units of the pressures; "" takes the file's.
    """
    if levels and fields.find(levels, levels=True) is not None:
        field = fields.pressure(levels, units=units)
        if field.n_levels != n_levels:
            raise InputError("pressures and profiles differ in their number of levels", nc.place_of(field.variable), str(field.n_levels),
                             str(n_levels))
        return field
    variable, ground = nc.require_variable(fields.dataset, (sigma or levels,)), fields.pressure(surface, levels=False, units=units)
    if fields.rows in variable.dimensions:
        own = Field(variable, fields.rows, levels=True)
        return lambda start, stop: own(start, stop) * ground(start, stop)[:, None]
    shared = nc.decoded(variable, np.asarray(variable[...]).reshape(-1))
    if shared.shape != (n_levels,) or not ((shared >= 0.0) & (shared <= 1.0 + 1e-6)).all():
        raise InputError("sigma levels are not what is expected", nc.place_of(variable),
                         f"shape {variable.shape}, {np.array2string(shared, precision=4, threshold=6)}", f"({n_levels},), 0 to 1")
    return lambda start, stop: ground(start, stop)[:, None] * shared


def turned(rows: Rows, turn: bool) -> Rows:
    """The same quantity with its levels in reverse order, if `turn`."""
    return (lambda start, stop: rows(start, stop)[:, ::-1]) if turn else rows


def same_levels(fields: dict[str, Field]) -> int:
    """Number of levels that all fields share.

    Raises
    ------
    InputError
        If they differ.
    """
    counts = {field.n_levels for field in fields.values()}
    if len(counts) != 1:
        place = next(iter(fields.values())).variable.group().filepath()
        raise InputError("variables differ in their number of levels", place,
                         ", ".join(f"{field.variable.name} {field.n_levels}" for field in fields.values()), "one number")
    return counts.pop()


def identifiers_from(fields: Fields, variable: netCDF4.Variable | None, prefix: str = "") -> Callable[[np.ndarray], np.ndarray]:
    """Identifiers out of a variable of whole numbers or text; without one, the prefix and the row's number in the file.

    Raises
    ------
    InputError
        If the variable has not one number or text for each sounding.
    """
    if variable is not None:
        text = np.dtype(variable.dtype if variable.dtype is not str else object).kind == "S" and variable.ndim == 2
        if variable.dimensions[:1] != (fields.rows,) or variable.ndim > (2 if text else 1):
            raise InputError("wrong shape", nc.place_of(variable), f"dimensions ({', '.join(variable.dimensions)})", f"({fields.rows},)")

    def by_number(rows: np.ndarray) -> np.ndarray:
        return np.array([f"{prefix}{row + 1:06d}" for row in rows], dtype=object)

    def by_variable(rows: np.ndarray) -> np.ndarray:
        if not len(rows):
            return np.empty(0, dtype=object)
        first = int(rows.min())
        raw = np.asarray(variable[first:int(rows.max()) + 1])[rows - first]
        if raw.dtype.kind == "f":
            raw = np.nan_to_num(raw, nan=-1.0).astype(np.int64)
        if raw.dtype.kind == "S" and raw.ndim == 2:
            raw = np.array([b"".join(row).decode("ascii", "replace").strip() for row in raw], dtype=object)
        return raw.astype(str).astype(object)

    return by_number if variable is None else by_variable
