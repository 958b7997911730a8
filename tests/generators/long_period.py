"""Weeks of small input files of every kind, as a group that has run GCASv2 would have them, to be damaged in the middle."""

from __future__ import annotations

import shutil
from pathlib import Path

import netCDF4
import numpy as np
from formats.regions import gcasv2_regions
from generators import gcasv2_directory as made

from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.grids import Grid
from mozart_coupling.initial import write_initial

FIRST = np.datetime64("2014-09-01")
COMPONENTS = ("bio", "ocn", "fossil", "fire")

NAMELIST = """&case name = 'long' /
&time start = '{start}', days = {days}, window_days = 7 /
&state members = 4 /
&initial file = 'initial.nc' /
&prior component = 'bio', format = 'cf', directory = 'prior', file_pattern = '{{component}}_{{date}}.nc' /
&prior component = 'ocn', format = 'cf', directory = 'prior', file_pattern = '{{component}}_{{date}}.nc' /
&prior component = 'fossil', format = 'cf', directory = 'prior', file_pattern = '{{component}}_{{date}}.nc' /
&prior component = 'fire', format = 'cf', directory = 'prior', file_pattern = '{{component}}_{{date}}.nc' /
&satellite product = 'gcasv2_satellite', name = 'oco2', directory = 'oco2', missing_days = .false., scale = 'X2019' /
&surface format = 'gcasv2_surface', directory = 'srf', scale = 'X2019' /
&transport met_directory = 'met', met_prefix = 'GEOS5_19x2_' /
&regions file = 'region.nc' /
"""


def write(root: Path, n_days: int) -> Path:
    """All files of `n_days` days and the namelist, whose path is returned."""
    days = np.arange(FIRST, FIRST + n_days)
    (root / "prior").mkdir()
    for component in COMPONENTS:
        fluxes = made.fluxes_of(component, FIRST)[:, 5::10, 5::10]
        for day in days:
            _write_prior(prior_file(root, component, day), component, day, fluxes)
    for day in days:
        made.write_soundings(sounding_file(root, day), day, 15)
        made.write_surface(surface_file(root, day), day, 395.5)
    _write_met(root, np.arange(FIRST - 1, FIRST + n_days + 1))
    grid = Grid.with_poles(36, 19)
    write_initial(root / "initial.nc", grid, hybrid_levels(10), 1.0e5, 395.0e-6, ["EN001"], FIRST)
    gcasv2_regions(root).rename(root / "region.nc")
    namelist = root / "long.nml"
    namelist.write_text(NAMELIST.format(start=FIRST, days=n_days))
    return namelist


def prior_file(root: Path, component: str, day: np.datetime64) -> Path:
    return root / "prior" / f"{component}_{made.yyyymmdd(day)}.nc"


def sounding_file(root: Path, day: np.datetime64) -> Path:
    return root / "oco2" / f"oco2_v11_{made.yyyymmdd(day)}.nc"


def surface_file(root: Path, day: np.datetime64) -> Path:
    return root / "srf" / f"srf_{made.yyyymmdd(day)}"


def met_file(root: Path, day: np.datetime64) -> Path:
    return root / "met" / f"GEOS5_19x2_{made.yyyymmdd(day)}.nc"


def _write_prior(path: Path, component: str, day: np.datetime64, fluxes: np.ndarray) -> None:
    """A day of fluxes on 36x18 cells."""
    with netCDF4.Dataset(path, "w") as data:
        for name, values, units in (("time", 0.125 * (np.arange(8) + 0.5), f"days since {day}"),
                                    ("lat", np.arange(-85.0, 90.0, 10.0), "degrees_north"),
                                    ("lon", np.arange(5.0, 360.0, 10.0), "degrees_east")):
            data.createDimension(name, values.size)
            data.createVariable(name, "f8", (name,))[:] = values
            data[name].units = units
        flux = data.createVariable(component, "f4", ("time", "lat", "lon"))
        flux.units = "molecules cm-2 s-1"
        flux[:] = fluxes


def _write_met(root: Path, days: np.ndarray) -> None:
    """One day's fields under every date: a check looks at each file, the same as if they differed."""
    made.write_met(root / "met", days[:1])
    for day in days[1:]:
        shutil.copy(met_file(root, days[0]), met_file(root, day))
        with netCDF4.Dataset(met_file(root, day), "a") as data:
            data["date"][:] = made.yyyymmdd(day)
