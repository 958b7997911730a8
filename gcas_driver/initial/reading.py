"""Which kind of file an initial field is in, by its contents, and its reader."""

from __future__ import annotations

import re
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations.netcdf_fields import inventory, open_netcdf
from mozart_coupling.contract import VMR_SUFFIX

from . import carbontracker, mozart
from .field import Field

TRACER = re.compile(r"EN\d{3,}")
READERS = {"carbontracker": carbontracker.read, "mozart": mozart.read}


def kind_of(dataset: netCDF4.Dataset) -> str | None:
    """"carbontracker", "mozart" or None, by the variables."""
    names = set(dataset.variables)
    if any(name.endswith(VMR_SUFFIX) or TRACER.fullmatch(name) for name in names) or ("hyam" in names and "CO2" in names):
        return "mozart"
    if carbontracker.looks_like(dataset):
        return "carbontracker"
    return None


def read_field(path: Path | str, start: np.datetime64, *, format: str = "", tracer: str = "", units: str = "", mw_air: float,
               mw_co2: float) -> Field:
    """Read the record of a file that is nearest to `start`.

    Parameters
    ----------
    format : str
        "carbontracker" or "mozart"; "" recognises the file by its contents.
    tracer : str
        Name of the variable; "" takes `co2`, `CO2` or the first member.
    units : str
        "mmr", "vmr", "ppm", or "" to go by attribute and size.
    mw_air, mw_co2 : float
        Molar masses for kg/kg, where the file states none [g mol-1].

    Raises
    ------
    InputError
        Missing or truncated file, no CO2 field in it, values that are missing or not CO2's, pressures that are no atmosphere's.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError("the initial file does not exist", str(path), "nothing", "a NetCDF file")
    with open_netcdf(path) as dataset:
        kind = format or kind_of(dataset)
        if kind is None:
            raise InputError("no CO2 field that can be read as initial field", str(path), inventory(dataset),
                             "CarbonTracker's co2 with pressure, or CO2, EN### or EN###_VMR_avrg with hyam and hybm",
                             "Name the variable by `tracer` and the layout by `format` in &initial.")
        try:
            return READERS[kind](dataset, path, np.datetime64(start, "s"), tracer, units, mw_air, mw_co2)
        except (IndexError, KeyError, TypeError, ValueError, OverflowError) as error:  # whatever a damaged header leads to
            raise InputError("the initial file cannot be understood", str(path), f"{type(error).__name__}: {error}",
                             f"a {kind} file") from error
