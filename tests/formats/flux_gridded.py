"""Gridded fluxes: CarbonTracker's daily flux1x1, and a CF file on another grid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np
from generators.flux_files import plausible_flux, write_carbontracker

from gcas_driver.fluxes import priors

from . import Specimen

START, END = np.datetime64("2010-06-01", "s"), np.datetime64("2010-06-02", "s")


def _carbontracker(name: str, variable: str, **options) -> Callable[[Path], Path]:
    return lambda directory: write_carbontracker(directory / name, "2010-06-01", {variable: plausible_flux("bio", 4)}, **options)


def _cf(directory: Path) -> Path:
    path = directory / "bio_2010.nc"
    with netCDF4.Dataset(path, "w") as data:
        for name, size in (("time", 8), ("lat", 18), ("lon", 36), ("bnds", 2)):
            data.createDimension(name, size)
        centres = 0.125 * (np.arange(8) + 0.5)
        for name, dims, values, units in (
                ("lat", ("lat",), np.arange(-85.0, 90.0, 10.0), "degrees_north"),
                ("lon", ("lon",), np.arange(-175.0, 180.0, 10.0), "degrees_east"),
                ("time", ("time",), centres, "days since 2010-06-01 00:00:00"),
                ("time_bnds", ("time", "bnds"), np.stack([centres - 0.0625, centres + 0.0625], 1), "")):
            variable = data.createVariable(name, "f8", dims)
            variable[:] = values
            if units:
                variable.units = units
        data["time"].bounds = "time_bnds"
        flux = data.createVariable("nee", "f4", ("time", "lat", "lon"), fill_value=np.float32(1.0e20))
        flux.units, flux.standard_name = "mol m-2 s-1", "surface_upward_mole_flux_of_carbon_dioxide"
        flux[:] = plausible_flux("bio", 5, (18, 36))
    return path


def _reader(form: str) -> Callable[[Path], dict[str, np.ndarray]]:
    def read(path: Path) -> dict[str, np.ndarray]:
        flux = priors.read(priors.PriorStream("bio", form, path.parent), START, END)
        return {"flux": flux.values, "lat": flux.lat.values, "time": flux.time.values.astype("datetime64[s]").astype(float)}
    return read


SPECIMENS = [
    Specimen("carbontracker_2017_flux", "netcdf4", _carbontracker("CT2017.flux1x1.20100601.nc", "bio_flux_opt", fill_north=True),
             _reader("carbontracker")),
    Specimen("cf_flux", "netcdf4", _cf, _reader("cf")),
]
