"""CarbonTracker's flux files of several releases, and its priors by code; on ten degrees, where the real ones have one."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
from generators import flux_files
from generators.flux_files import write_carbontracker

from .flux_common import DAY, flux_specimen, one_stream, write_cf

STAMP = "20100615"
SHAPE = (18, 36)
WEST_FIRST = np.arange(-175.0, 180, 10)


def plausible_flux(component: str, seed: int = 0) -> np.ndarray:
    """(8, 18, 36) mol m-2 s-1 of a believable size."""
    return flux_files.plausible_flux(component, seed, SHAPE)


def write_daily(directory: Path, *, fill_north: bool = False) -> Path:
    """CT2016 to CT2022 and CT-NRT: three-hourly, all components, `time` with components and decimal dates beside it."""
    path = directory / f"CT2022.flux1x1.{STAMP}.nc"
    fluxes = {"bio_flux_opt": plausible_flux("bio"), "ocn_flux_opt": plausible_flux("ocn"), "fossil_flux_imp": plausible_flux("fossil"),
              "fire_flux_imp": plausible_flux("fire")}
    write_carbontracker(path, str(DAY), fluxes, fill_north=fill_north)
    with netCDF4.Dataset(path, "a") as file:
        file.createDimension("calendar_components", 6)
        parts = file.createVariable("time_components", "i4", ("time", "calendar_components"))
        parts[:] = [(2010, 6, 15, 1 + 3 * i, 30, 0) for i in range(8)]
        decimal = file.createVariable("decimal_time", "f8", ("time",))
        decimal[:] = 2010 + (164 + (np.arange(8) + 0.5) / 8) / 365
    return path


def write_old(directory: Path) -> Path:
    """CT2010 and the like: dimension `date`, `lat`, `lon`, imposed fluxes under their old names."""
    return write_carbontracker(directory / f"CT2010.flux1x1.{STAMP}.nc", str(DAY),
                               {"bio_flux_opt": plausible_flux("bio"), "fossil_imp": plausible_flux("fossil")}, old=True)


def write_oldest(directory: Path) -> Path:
    """The oldest copies: `*_imposed`, `*_optimized`, times by components alone."""
    path = write_carbontracker(directory / f"CT2007.flux1x1.{STAMP}.nc", str(DAY),
                               {"ocean_flux_optimized": plausible_flux("ocn"), "fossil_imposed": plausible_flux("fossil")}, old=True)
    with netCDF4.Dataset(path, "a") as file:
        file["date"].delncattr("units")
        file.createDimension("calendar_components", 6)
        parts = file.createVariable("date_components", "i4", ("date", "calendar_components"), fill_value=-9)
        parts[:] = [(2010, 6, 15, 1 + 3 * i, 30, 0) for i in range(8)]
    return path


def monthly_fluxes(component: str = "bio", n: int = 12) -> np.ndarray:
    """(n, 18, 36) mol m-2 s-1 with a season."""
    return plausible_flux(component)[0] * (1 + 0.5 * np.cos(2 * np.pi * np.arange(n) / 12))[:, None, None]


def write_monthly(directory: Path, *, name: str = "CT2022.flux1x1-monthly.nc", time: str = "time") -> Path:
    """`CT2022.flux1x1-monthly.nc`: means of calendar months, stamped in their middle."""
    edges = (np.datetime64("2010-01") + np.arange(13)).astype("datetime64[D]")
    days = (edges - np.datetime64("2000-01-01")).astype(float)
    return write_cf(directory / name, "fossil_flux_imp", monthly_fluxes("fossil"), lon=WEST_FIRST, fill=-1e34,
                    time=(0.5 * (days[:-1] + days[1:]), "days since 2000-01-01 00:00:00 UTC"), names=(time, "latitude", "longitude"))


def write_europe(directory: Path) -> Path:
    """CarbonTracker Europe: `date`, priors beside optimised fluxes, all months in one file."""
    path = write_monthly(directory, name="flux1x1_all_months.nc", time="date")
    with netCDF4.Dataset(path, "a") as file:
        for name, share in (("bio_flux_prior", 1.0), ("bio_flux_opt", 0.8)):
            variable = file.createVariable(name, "f4", ("date", "latitude", "longitude"), fill_value=-1e34)
            variable.units = "mol m-2 s-1"
            variable[:] = share * monthly_fluxes()
    return path


def write_priors(directory: Path) -> Path:
    """Two products of the fossil prior, three-hourly; the real files hold a year, these three days."""
    hours = 1.5 + 3 * np.arange(24)
    for seed, code in enumerate(("fm", "fo")):
        values = np.concatenate([plausible_flux("fossil", seed)] * 3)
        path = write_cf(directory / f"CT2019.prior_{code}_3hrly_2010.nc", "fossil_flux_prior", values, lon=WEST_FIRST, fill=-1e34,
                        time=(hours, "hours since 2010-06-14 00:00:00"), names=("time", "latitude", "longitude"))
    return path


SPECIMENS = [
    flux_specimen("flux_ct_daily", "netcdf4", write_daily, one_stream("bio", "carbontracker")),
    flux_specimen("flux_ct_daily_gaps", "netcdf4", lambda directory: write_daily(directory, fill_north=True),
                  one_stream("fossil", "carbontracker")),
    flux_specimen("flux_ct_old", "netcdf4", write_old, one_stream("fossil", "carbontracker")),
    flux_specimen("flux_ct_oldest", "netcdf4", write_oldest, one_stream("ocn", "carbontracker")),
    flux_specimen("flux_ct_monthly", "netcdf4", write_monthly, one_stream("fossil", "carbontracker")),
    flux_specimen("flux_ct_europe", "netcdf4", write_europe, one_stream("bio", "carbontracker", variable="bio_flux_prior")),
    flux_specimen("flux_ct_priors", "netcdf4", write_priors, one_stream("fossil", "carbontracker_prior", codes=("fm", "fo"))),
]
