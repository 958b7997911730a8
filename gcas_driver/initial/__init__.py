"""The CO2 field at the start out of files that are not the run's own: CarbonTracker's mole fractions, MOZART's history and restart files,
initial files of another grid or other levels.

`read_field` brings any of them into one form, `on_model` onto the run's grid and levels, `make_initial` into the contract's file.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from gcas_driver.errors import GcasError, InputError, Problem
from mozart_coupling.checks import require_grid, require_levels
from mozart_coupling.embedded.levels import mid_coefficients
from mozart_coupling.errors import CouplingError, InitialError
from mozart_coupling.grids import Grid
from mozart_coupling.initial import read_initial, write_initial

from .field import Field
from .reading import read_field
from .regridding import Regridded, on_model
from .units import unit_by_size

__all__ = ["Field", "Regridded", "check_initial", "fits_as_it_is", "make_initial", "on_model", "read_field", "require_date"]

log = logging.getLogger(__name__)

DAY_S = 86400.0
PPM = 1.0e-6


def fits_as_it_is(settings: Any, grid: Grid, levels: tuple[np.ndarray, np.ndarray]) -> bool:
    """Whether `&initial file` is the contract's initial file, for this grid and these levels, in kg/kg: then the model gets it untouched.

    Parameters
    ----------
    settings : InitialSettings
    levels : (hyai, hybi)
    """
    if settings.format == "carbontracker" or settings.tracer or settings.units not in ("", "mmr"):
        return False
    try:
        found = read_initial(settings.file, [])
        require_grid(found.grid, grid, settings.file, InitialError)
        require_levels(found.hyam, found.hybm, *mid_coefficients(*levels), settings.file, InitialError)
    except CouplingError:
        return False
    return "CO2" in found.fields and unit_by_size(float(found.fields["CO2"].mean())) in (None, "mmr")


def make_initial(path: Path, settings: Any, grid: Grid, levels: tuple[np.ndarray, np.ndarray], ps: np.ndarray, start: np.datetime64,
                 tracers: tuple[str, ...], mw_air: float, mw_co2: float) -> Regridded:
    """Write the contract's initial file out of `&initial file`, and say in the log what became of the global mean.

    Parameters
    ----------
    settings : InitialSettings
    levels : (hyai, hybi)
    ps : ndarray (nlat, nlon)
        Surface pressure of the meteorology at the start [Pa].

    Raises
    ------
    InputError
        The file cannot be read or understood, or is of another date.
    """
    field = read_field(settings.file, start, format=settings.format, tracer=settings.tracer, units=settings.units, mw_air=mw_air,
                       mw_co2=mw_co2)
    require_date(field, start, settings.date_tolerance_days)
    made = on_model(field, grid, levels, ps)
    log.info("initial field: %s; %s", field.text, made.text)
    write_initial(path, grid, levels, ps, made.values, tracers, start, mw_air=mw_air, mw_co2=mw_co2)
    return made


def require_date(field: Field, start: np.datetime64, tolerance_days: float) -> None:
    """Refuse a field that is further from the start than allowed; one without a date passes.

    Raises
    ------
    InputError
    """
    if field.time is None:
        return
    if np.isnat(field.time):
        raise InputError("the initial field's date cannot be read", str(field.path), "no number", f"near {start}")
    off = abs(float((field.time - np.datetime64(start, "s")) / np.timedelta64(1, "s"))) / DAY_S
    if off > tolerance_days:
        raise InputError("the initial field is of another date", str(field.path), f"{field.time}, {off:.4g} days from the start {start}",
                         f"at most {tolerance_days:g} days",
                         "Give the file of the start, or allow it by `date_tolerance_days` in &initial.")


def check_initial(settings: Any, start: np.datetime64, grid: Grid | None, n_levels: int | None, mw_air: float,
                  mw_co2: float) -> list[Problem]:
    """Everything that can be known of `&initial file` before a run; `grid` and `n_levels` of the run are None where they are not known."""
    if settings.file is None:
        return []
    try:
        field = read_field(settings.file, start, format=settings.format, tracer=settings.tracer, units=settings.units, mw_air=mw_air,
                           mw_co2=mw_co2)
        require_date(field, start, settings.date_tolerance_days)
        if grid is not None and n_levels is not None:
            field.require_places(grid, n_levels)
    except GcasError as error:
        return [Problem(error.what, f"{settings.where('file')}: {error.where}", error.found, error.expected, error.advice)]
    if field.time is None:
        return [Problem("the initial field is not dated", f"{settings.where('file')}: {field.path}", "neither date nor time",
                        f"a field of {start}", severity="warning")]
    return []
