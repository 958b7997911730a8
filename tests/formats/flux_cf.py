"""CF fluxes of other hands: packed, per cell, downward, other calendars, stamps at start and end, a file without times."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mozart_coupling.grids import Grid

from .flux_common import DAY, flux_specimen, one_stream, write_cf

TEN_DEGREES = Grid.regular(36, 18, lon_first=None)
HOURS = (3.0 * np.arange(8), f"hours since {DAY} 00:00:00")


def bio(n: int = 8) -> np.ndarray:
    """(n, 18, 36) mol m-2 s-1 on ten degrees."""
    lat, lon = np.deg2rad(TEN_DEGREES.lat)[:, None], np.deg2rad(TEN_DEGREES.lon)
    return 2e-6 * np.cos(lat) * (0.3 + np.cos(2 * np.pi * np.arange(n) / n)[:, None, None] * np.cos(lon))


def write_packed(directory: Path) -> Path:
    """Two-byte integers with scale and offset, north first, longitudes from -180, hours at interval starts."""
    return write_cf(directory / "bio_packed.nc", "nee", 1e6 * np.roll(bio(), 18, axis=-1)[:, ::-1], units="umol m-2 s-1", dtype="i2",
                    fill=-32768, packing=(1e-4, 0.1), lat=TEN_DEGREES.lat[::-1], lon=np.arange(-175.0, 180, 10), time=HOURS,
                    format="NETCDF3_CLASSIC")


def write_per_cell(directory: Path) -> Path:
    """Amounts per cell and second, stamped at interval ends, longitude before latitude."""
    return write_cf(directory / "bio_cells.nc", "flux", bio() * TEN_DEGREES.area * 12.011e-3, units="kgC cell-1 s-1", dtype="f8",
                    order="txy", time=(3.0 + HOURS[0], HOURS[1]))


def write_downward(directory: Path) -> Path:
    """A model's nbp: downward, kgC, monthly in a calendar without leap days, with bounds and gaps."""
    values = np.ma.array(-bio(12) * 12.011e-3)
    values[:, :2] = np.ma.masked
    name = "surface_net_downward_mass_flux_of_carbon_dioxide_expressed_as_carbon_due_to_all_land_processes"
    edges = np.concatenate([[0], np.cumsum([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])]).astype(float)
    return write_cf(directory / "bio_model_2010.nc", "nbp", values, units="kg C m-2 s-1", fill=1e20, calendar="noleap",
                    time=(0.5 * (edges[:-1] + edges[1:]), "days since 2010-01-01"), bounds=np.stack([edges[:-1], edges[1:]], axis=1),
                    attributes={"standard_name": name})


def write_thirty_days(directory: Path) -> Path:
    """Monthly means in a calendar of 30-day months."""
    return write_cf(directory / "bio_360.nc", "nee", bio(12) * 12.011 * 86400, units="gC m-2 d-1", calendar="360_day",
                    time=(15.0 + 30 * np.arange(12), "days since 2010-01-01"))


def write_without_time(directory: Path) -> Path:
    """A file a month without any time, amounts per month."""
    return write_cf(directory / "bio_201006.nc", "nee", bio()[0] * 12.011 * 30 * 86400, units="g C m-2 month-1")


SPECIMENS = [
    flux_specimen("flux_cf_packed", "netcdf3", write_packed, one_stream("bio", "cf", time_stamp="start")),
    flux_specimen("flux_cf_per_cell", "netcdf4", write_per_cell, one_stream("bio", "cf", time_stamp="end")),
    flux_specimen("flux_cf_downward", "netcdf4", write_downward, one_stream("bio", "cf", variable="nbp")),
    flux_specimen("flux_cf_360_day", "netcdf4", write_thirty_days, one_stream("bio", "cf")),
    flux_specimen("flux_cf_timeless", "netcdf4", write_without_time, one_stream("bio", "cf", file_pattern="bio_{year}{month}.nc")),
]
