"""Region masks: CarbonTracker's regions.nc, TransCom 3's mask, GCASv2's file, a mask of someone's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.fluxes.region_rules import land_region, ocean_region
from gcas_driver.fluxes.regions import RegionMap
from mozart_coupling.grids import Grid

from . import Specimen


def _numbers(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    lon, lat = np.meshgrid((lon + 180.0) % 360.0 - 180.0, lat)
    land = land_region(lon, lat)
    return np.where((land > 0) & (np.sin(np.deg2rad(3.0 * lon)) > 0), land, np.maximum(ocean_region(lon, lat), 0))


def _writer(name: str, variable: str, form: str, kind: str, first_lon: float, names: tuple[str, str], shift: float = 0.0,
            step: float = 2.0) -> Callable[[Path], Path]:
    def write(directory: Path) -> Path:
        path = directory / name
        lon, lat = np.arange(first_lon, first_lon + 360.0, step), np.arange(-90.0 + step / 2, 90.0, step)
        with netCDF4.Dataset(path, "w", format=form) as data:
            for dim, values, units in ((names[0], lat, "degrees_north"), (names[1], lon, "degrees_east")):
                data.createDimension(dim, values.size)
                data.createVariable(dim, "f8", (dim,))[:] = values
                data[dim].units = units
            mask = data.createVariable(variable, kind, names)
            mask.long_name = "regions"
            mask[:] = _numbers(lon + shift, lat)
        return path
    return write


def _read(path: Path) -> dict[str, np.ndarray]:
    regions = RegionMap.load(path, Grid.named("36x18"))
    return {"share": regions.fraction, "names": np.array(regions.names, dtype=object)}


SPECIMENS = [
    Specimen("carbontracker_regions", "netcdf3", _writer("regions.nc", "transcom_regions", "NETCDF3_CLASSIC", "f4", -179.0, ("lat", "lon")),
             _read),
    Specimen("transcom3_mask", "netcdf4", _writer("transcom3_original_1x1.nc", "mask64", "NETCDF4", "f4", -180.0, ("latitude", "longitude"),
                                                  -0.5, 1.0), _read),
    Specimen("gcasv2_regions", "netcdf3", _writer("regions_gcasv2.nc", "region", "NETCDF3_CLASSIC", "i4", 1.0, ("lat", "lon")), _read),
]
