"""Region masks and polygons as the field has them: CarbonTracker's, the TransCom 3 mask, MOZART's, GCASv2's, CF's, a list of corners.

Masks are coarse pictures of the built-in map (10 degrees), so that every kind describes the same world.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.fluxes.region_polygons import polygon_shares, read_polygons
from gcas_driver.fluxes.regions import TRANSCOM, RegionMap
from mozart_coupling.grids import Grid

from . import Specimen

COARSE = Grid.regular(72, 36, lon_first=-177.5)
READ_ON = Grid.named("36x18")
ECOSYSTEMS = [f"Ecosystem {letter}" for letter in "ABCDEFGHIJKLMNOPQRS"]


@lru_cache(maxsize=1)
def transcom_numbers() -> np.ndarray:
    """1 to 23 on `COARSE`, the largest share of each cell."""
    return RegionMap.load("builtin", COARSE).fraction.argmax(axis=0) + 1


def _dataset(path: Path, **options) -> netCDF4.Dataset:
    data = netCDF4.Dataset(path, "w", format=options.get("format", "NETCDF3_CLASSIC"))
    for name, size in (("lat", COARSE.nlat), ("lon", COARSE.nlon)):
        data.createDimension(name, size)
    return data


def carbontracker_regions(directory: Path) -> Path:
    """`regions.nc`: floats 1 to 23, ecosystems with names and a fill over the sea."""
    with _dataset(directory / "regions.nc") as data:
        for name, values in (("lat", COARSE.lat), ("lon", COARSE.lon)):
            variable = data.createVariable(name, "f8", (name,))
            variable[:], variable.units = values, f"degrees_{'north' if name == 'lat' else 'east'}"
        for dim, size in (("dim_transcom23", 23), ("dim_eco19", 19), ("name_length", 25), ("long_length", 60)):
            data.createDimension(dim, size)
        mask = data.createVariable("transcom_regions", "f4", ("lat", "lon"), fill_value=np.float32(-1e34))
        mask[:] = transcom_numbers()
        eco = data.createVariable("land_ecosystems", "f4", ("lat", "lon"), fill_value=np.float32(-1e34))
        numbers = np.add.outer(np.arange(COARSE.nlat), np.arange(COARSE.nlon)) % 19 + 1
        eco[:] = np.ma.masked_where(transcom_numbers() > 11, numbers.astype("f4"))
        for name, words, dims in (("transcom_names", TRANSCOM, ("dim_transcom23", "name_length")),
                                  ("ecosystem_names", ECOSYSTEMS, ("dim_eco19", "long_length"))):
            width = data.dimensions[dims[1]].size
            data.createVariable(name, "S1", dims)[:] = netCDF4.stringtochar(np.array([w.ljust(width) for w in words], dtype=f"S{width}"))
    return directory / "regions.nc"


def transcom_mask64(directory: Path) -> Path:
    """The original mask's form: `mask64`, 0 for no region, longitudes at the eastern edges of the cells, one cell nearly zero."""
    with _dataset(directory / "transcom3.nc") as data:
        data.renameDimension("lat", "latitude")
        data.renameDimension("lon", "longitude")
        data.createVariable("latitude", "f4", ("latitude",))[:] = COARSE.lat
        data.createVariable("longitude", "f4", ("longitude",))[:] = COARSE.lon - 2.5  # -180 is the eastern edge of the cell at 177.5
        values = np.roll(np.where(transcom_numbers() == 23, 0.0, transcom_numbers()).astype("f4"), 1, axis=1)
        values[0, 1] = 3.6e-40
        data.createVariable("mask64", "f4", ("latitude", "longitude"))[:] = values
    return directory / "transcom3.nc"


def gcasv2_regions(directory: Path) -> Path:
    """GCASv2's: `region(lat, lon)` from 0 E on, with areas."""
    with _dataset(directory / "regions_gcas.nc") as data:
        order = np.roll(np.arange(COARSE.nlon), -COARSE.nlon // 2)
        data.createVariable("lat", "f4", ("lat",))[:] = COARSE.lat
        data.createVariable("lon", "f4", ("lon",))[:] = np.mod(COARSE.lon[order], 360.0)
        data.createVariable("region", "i4", ("lat", "lon"))[:] = transcom_numbers()[:, order]
        data.createVariable("area", "f4", ("lat", "lon"))[:] = COARSE.area
    return directory / "regions_gcas.nc"


def mozart_regions(directory: Path) -> Path:
    """A variable of zeros and ones for each region, on a grid with points on the poles."""
    grid = Grid.with_poles(36, 19)
    numbers = RegionMap.load("builtin", grid).fraction.argmax(axis=0) + 1
    with netCDF4.Dataset(directory / "TRANSCOM_mask.mozart.nc", "w", format="NETCDF3_CLASSIC") as data:
        for name, values in (("lat", grid.lat), ("lon", grid.lon)):
            data.createDimension(name, values.size)
            data.createVariable(name, "f8", (name,))[:] = values
        data.createDimension("time", 1)
        for n in range(23):
            data.createVariable(f"Region{n:02d}", "f4", ("time", "lat", "lon"))[0] = numbers == (n or 23)
    return directory / "TRANSCOM_mask.mozart.nc"


def named_mask(directory: Path) -> Path:
    """Two basins with CF's flag meanings, north first."""
    with netCDF4.Dataset(directory / "basins.nc", "w") as data:
        for name, values in (("lat", COARSE.lat[::-1]), ("lon", COARSE.lon)):
            data.createDimension(name, values.size)
            data.createVariable(name, "f8", (name,))[:] = values
        basins = data.createVariable("basins", "i2", ("lat", "lon"), fill_value=-99)
        basins.setncatts({"flag_values": np.array([0, 4, 9], dtype="i2"), "flag_meanings": "none Upper_basin Lower_basin"})
        numbers = transcom_numbers()[::-1]
        basins[:] = np.where(numbers == 3, 4, np.where(numbers == 4, 9, 0))
    return directory / "basins.nc"


POLYGONS = """# two regions; the second lies across the date line and has a hole
region Amazon
-80 -10
-50 -10
-50, 5
-80, 5
region Dateline
170 -20
-170 -20
-170 10
170 10
hole
175 -10
-175 -10
-175 0
175 0
"""


def polygon_file(directory: Path) -> Path:
    """A list of corners."""
    (directory / "basins.txt").write_text(POLYGONS)
    return directory / "basins.txt"


def _read(path: Path) -> dict[str, np.ndarray]:
    regions = RegionMap.load(path, READ_ON)
    return {"name": np.array(regions.names), "share": regions.fraction}


def _read_polygons(path: Path) -> dict[str, np.ndarray]:
    polygons = read_polygons(path)
    return {"name": np.array(list(polygons)), "share": polygon_shares(polygons, READ_ON, str(path))}


SPECIMENS = [
    Specimen("carbontracker_regions", "netcdf3", carbontracker_regions, _read),
    Specimen("transcom3_mask", "netcdf3", transcom_mask64, _read),
    Specimen("gcasv2_regions", "netcdf3", gcasv2_regions, _read),
    Specimen("mozart_regions", "netcdf3", mozart_regions, _read),
    Specimen("named_mask", "netcdf4", named_mask, lambda path: {"share": _read(path)["share"]}),
    Specimen("region_polygons", "text", polygon_file, _read_polygons),
]
