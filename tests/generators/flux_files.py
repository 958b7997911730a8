"""Small flux files in the layouts that the readers know."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np

SECONDS = 10800 * np.arange(8)


def plausible_flux(component: str, seed: int = 0, shape: tuple[int, int] = (180, 360)) -> np.ndarray:
    """(8, nlat, nlon) mol m-2 s-1 of a believable size."""
    size = {"bio": 3e-6, "ocn": 5e-8, "fossil": 5e-8, "fire": 1e-8}[component]
    noise = np.random.default_rng(seed).standard_normal((8, *shape))
    return size * (noise if component in ("bio", "ocn") else np.abs(noise))


def write_gcasv2(directory: Path, component: str, day: str, molecules: np.ndarray, *, seconds: np.ndarray = SECONDS + 5400,
                 date: str | None = None, coordinates: bool = True, lon: np.ndarray | None = None) -> Path:
    """GCASv2's daily file; `molecules` (8, nlat, nlon) in molecules cm-2 s-1."""
    path = directory / component / f"emissions.{component}.{day}.nc"
    path.parent.mkdir(parents=True, exist_ok=True)
    nlat, nlon = molecules.shape[1:]
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
        for name, size in (("time", molecules.shape[0]), ("lat", nlat), ("lon", nlon)):
            file.createDimension(name, size)
        if coordinates:
            file.createVariable("lat", "f4", ("lat",))[:] = -90 + (np.arange(nlat) + 0.5) * 180 / nlat
            file.createVariable("lon", "f4", ("lon",))[:] = (np.arange(nlon) + 0.5) * 360 / nlon if lon is None else lon
        file.createVariable("date", "i4", ("time",))[:] = int(date or day)
        file.createVariable("datesec", "i4", ("time",))[:] = seconds[: molecules.shape[0]]
        file.createVariable("time", "i4", ("time",))[:] = np.arange(1, molecules.shape[0] + 1)
        file.createVariable("emissions", "f4", ("time", "lat", "lon"))[:] = molecules
    return path


def write_carbontracker(path: Path, day: str, fluxes: dict[str, np.ndarray], *, old: bool = False, fill_north: bool = False) -> Path:
    """CarbonTracker's flux1x1 file; `fluxes` maps variable names to (8, 180, 360) mol m-2 s-1 on longitudes -179.5 … 179.5, or coarser."""
    time, lat, lon = ("date", "lat", "lon") if old else ("time", "latitude", "longitude")
    path.parent.mkdir(parents=True, exist_ok=True)
    nlat, nlon = next(iter(fluxes.values())).shape[1:]
    with netCDF4.Dataset(path, "w") as file:
        for name, size in ((time, 8), (lat, nlat), (lon, nlon)):
            file.createDimension(name, size)
        file.createVariable(lat, "f4", (lat,))[:] = -90 + (np.arange(nlat) + 0.5) * 180 / nlat
        file.createVariable(lon, "f4", (lon,))[:] = -180 + (np.arange(nlon) + 0.5) * 360 / nlon
        centres = (np.datetime64(day) - np.datetime64("2000-01-01")).astype(int) + (np.arange(8) + 0.5) / 8
        variable = file.createVariable(time, "f8", (time,))
        variable.units = "days since 2000-01-01 00:00:00 UTC"
        variable[:] = centres
        for name, values in fluxes.items():
            variable = file.createVariable(name, "f4", (time, lat, lon), fill_value=-1e34)
            variable.units = "mol m-2 s-1"
            masked = np.ma.array(values, mask=np.zeros(values.shape, bool))
            if fill_north:
                masked[:, -5:] = np.ma.masked
            variable[:] = masked
    return path
