"""Monthly fields: SPEIbase, GIMMS LAI3g's binary files, a gridded temperature."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.ancillary import AncillaryStream, months
from gcas_driver.ancillary.field import COARSE as COARSE_GRID
from gcas_driver.ancillary.lai3g import COLUMNS, MONTHS, ROWS
from gcas_driver.ancillary.regional import series
from gcas_driver.fluxes.regions import RegionMap
from mozart_coupling.grids import Grid
from mozart_coupling.land import land_fraction

from . import Specimen

COARSE = Grid.regular(72, 36, lon_first=-177.5)
FIRST = np.datetime64("2010-01", "M")
SPAN = (FIRST, FIRST + 3)


@lru_cache(maxsize=4)
def on_land(n_lon: int) -> np.ndarray:
    """Whether cells of a grid from -180 on, south first, are land."""
    grid = Grid.regular(n_lon, n_lon // 2, lon_first=-180.0 + 180.0 / n_lon)
    return land_fraction(grid) > 0.5


def spei_field(month: int, n_lon: int) -> np.ndarray:
    """A drought index: a wave that wanders, -2 … 2, (n_lon / 2, n_lon)."""
    lon, lat = np.deg2rad(np.arange(n_lon) * 360.0 / n_lon)[None, :], np.deg2rad(np.linspace(-89, 89, n_lon // 2))[:, None]
    return 2.0 * np.sin(2.0 * lon + 0.5 * month) * np.cos(lat)


def spei_file(directory: Path, n_months: int = 4, n_lon: int = 72, first: np.datetime64 = FIRST, name: str = "spei12.nc") -> Path:
    """`spei` (time, lat, lon), no land 1e30, one NaN, months at mid-month in days since 1900-1-1."""
    n_lat = n_lon // 2
    step = 360.0 / n_lon
    with netCDF4.Dataset(directory / name, "w", format="NETCDF4_CLASSIC") as data:
        sizes = {"lon": n_lon, "lat": n_lat, "time": None}
        for dim, size in sizes.items():
            data.createDimension(dim, size)
        for dim, values, units in (("lon", -180.0 + step * (np.arange(n_lon) + 0.5), "degrees_east"),
                                   ("lat", -90.0 + step * (np.arange(n_lat) + 0.5), "degrees_north")):
            variable = data.createVariable(dim, "f8", (dim,))
            variable.units, variable[:] = units, values
        time = data.createVariable("time", "f8", ("time",))
        time.units, time.calendar = "days since 1900-1-1", "gregorian"
        spei = data.createVariable("spei", "f4", ("time", "lat", "lon"), fill_value=np.float32(1e30), zlib=True)
        spei.units, spei.long_name = "z-values", "Standardized Precipitation-Evapotranspiration Index"
        land = on_land(n_lon)
        for i in range(n_months):
            month = first + i
            time[i] = (month.astype("datetime64[D]") + 15 - np.datetime64("1900-01-01", "D")).astype(int)
            spei[i] = np.where(land, spei_field(i, n_lon), 1e30)
        spei[0, int(np.argwhere(land)[0][0]), int(np.argwhere(land)[0][1])] = np.nan
    return directory / name


def temperature_file(directory: Path, n_months: int = 4) -> Path:
    """Packed integers, north first, 0 … 360."""
    with netCDF4.Dataset(directory / "t2m_monthly.nc", "w") as data:
        for dim, values in (("time", None), ("latitude", COARSE.lat[::-1]), ("longitude", np.sort(np.mod(COARSE.lon, 360.0)))):
            data.createDimension(dim, None if values is None else values.size)
            if values is not None:
                data.createVariable(dim, "f4", (dim,))[:] = values
        time = data.createVariable("time", "i4", ("time",))
        time.units = "hours since 1900-01-01 00:00:00.0"
        days = np.array([(FIRST + i).astype("datetime64[D]") for i in range(n_months)])
        time[:] = (days - np.datetime64("1900-01-01", "D")).astype(int) * 24
        t2m = data.createVariable("t2m", "i2", ("time", "latitude", "longitude"), fill_value=-32767)
        t2m.setncatts({"scale_factor": 0.002, "add_offset": 260.0, "units": "K"})
        t2m.set_auto_maskandscale(False)
        kelvin = 300.0 - 40.0 * np.sin(np.deg2rad(COARSE.lat[::-1]))[None, :, None] ** 2 + np.arange(n_months)[:, None, None]
        t2m[:] = np.rint((np.broadcast_to(kelvin, (n_months, 36, 72)) - 260.0) / 0.002).astype("i2")
    return directory / "t2m_monthly.nc"


def lai_field() -> np.ndarray:
    """Leaf area index (2160, 4320), south first: 4 at the equator, 0 at the poles."""
    return np.broadcast_to(4.0 * np.cos(np.deg2rad(np.linspace(-90, 90, ROWS)))[:, None] ** 2, (ROWS, COLUMNS))


def lai_file(directory: Path, month: np.datetime64 = FIRST, half: str = "a", quality: int = 0) -> Path:
    """Strips from north to south, big-endian; sea 65535 … 30000; every fifth row from a spline."""
    year, number = str(month).split("-")
    land = np.repeat(np.repeat(on_land(720), 6, axis=0), 6, axis=1)
    digit = np.where(np.arange(ROWS) % 5 == 0, max(quality, 1), quality)[:, None]
    codes = np.where(land, 10 * np.rint(100.0 * lai_field()) + digit, 30000).astype(">u2")
    path = directory / f"AVHRRBUVI04.{year}{MONTHS[int(number) - 1]}{half}.abl"
    np.ascontiguousarray(codes[::-1].T).tofile(path)
    return path


def stream(format: str, path: Path, **changes) -> AncillaryStream:
    """The stream that reads one file."""
    return AncillaryStream(format, format, path.parent, path.name, **{"measure": "mean", **changes})


def _reader(format: str):
    def read(path: Path) -> dict[str, np.ndarray]:
        regions = RegionMap.load("builtin", COARSE_GRID)
        series(stream(format, path), regions, np.eye(len(regions.names)), *SPAN)  # as the command reads it
        found = list(months(stream(format, path), *SPAN))
        parts = [month.coarse() for month in found]
        return {"time": np.array([m.month.astype("datetime64[s]").astype(int) for m in found], dtype=float),
                "amount": np.array([p[0] for p in parts]), "present": np.array([p[1] for p in parts])}
    return read


SPECIMENS = [
    Specimen("speibase", "netcdf4", spei_file, _reader("spei")),
    Specimen("gridded_temperature", "netcdf4", temperature_file, _reader("gridded")),
    Specimen("lai3g", "binary", lai_file, _reader("lai3g")),
]
