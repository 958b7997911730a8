"""The inputs of someone who has run GCASv2: its file layouts to the letter, and the quirks that real files have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.fluxes.units import MOLECULES_CM2
from mozart_coupling.embedded.circulation import Circulation
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.grids import Grid

N_LEVELS = 20
RECORDS = 8
FILL = -999.99


@dataclass(frozen=True)
class FluxStyle:
    """How a group writes its flux files; the default is the layout's description.

    `dims` are the names of time, latitude and longitude, `coordinates` says whether lat and lon are written, `stamps` is
    "centres", or "none" for files whose only time is 1..8.
    """

    dims: tuple[str, str, str] = ("time", "lat", "lon")
    coordinates: bool = True
    stamps: str = "centres"
    date_type: str = "i4"
    flux_type: str = "f4"
    unlimited: bool = False


def write_flux(path: Path, day: np.datetime64, molecules: np.ndarray, style: FluxStyle = FluxStyle()) -> Path:
    """One day of one component, (8, 180, 360) molecules cm-2 s-1."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time, lat, lon = style.dims
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension(time, None if style.unlimited else RECORDS)
        file.createDimension(lat, 180)
        file.createDimension(lon, 360)
        flux = file.createVariable("emissions", style.flux_type, style.dims)
        file.createVariable("time", "i4", (time,))[:] = np.arange(1, RECORDS + 1)
        if style.coordinates:
            file.createVariable(lat, "f4", (lat,))[:] = np.arange(180) - 89.5
            file.createVariable(lon, "f4", (lon,))[:] = np.arange(360) + 0.5
        if style.stamps == "centres":
            file.createVariable("date", style.date_type, (time,))[:] = np.full(RECORDS, yyyymmdd(day))
            file.createVariable("datesec", style.date_type, (time,))[:] = 5400 + 10800 * np.arange(RECORDS)
        flux[:] = molecules
    return path


def fluxes_of(component: str, day: np.datetime64) -> np.ndarray:
    """(8, 180, 360) molecules cm-2 s-1, as smooth and as large as real ones; fossil with a few slightly negative cells."""
    lat = np.deg2rad(np.arange(180) - 89.5)[None, :, None]
    lon = np.deg2rad(np.arange(360) + 0.5)[None, None, :]
    hour = np.deg2rad(360.0 * (np.arange(RECORDS) + 0.5) / RECORDS)[:, None, None]
    land = np.clip(0.5 + np.sin(2.0 * lon) * np.cos(lat) + 0.4 * np.sin(3.0 * lat), 0.0, 1.0)
    sun = np.clip(-np.cos(hour + lon), 0.0, 1.0) * np.cos(lat)
    mol = {"bio": land * np.cos(lat) * (2.5e-6 - 9.0e-6 * sun),
           "ocn": (1.0 - land) * 4.0e-8 * (np.cos(3.0 * lat) - 0.4) + 0.0 * hour,
           "fossil": land * 6.0e-8 * np.exp(-((lat - 0.7) / 0.3) ** 2) * (1.0 + 0.2 * sun), "fire": land * 1.5e-8 * sun}[component]
    molecules = mol / MOLECULES_CM2
    if component == "fossil":
        molecules[:, 40:42, 100] = -1.0e9
    return molecules * (1.0 + 0.01 * (day.astype("datetime64[D]").astype(int) % 7))


def write_priors(directory: Path, days: np.ndarray, style: FluxStyle = FluxStyle()) -> None:
    """All four components of the given days."""
    for component in ("bio", "ocn", "fossil", "fire"):
        for day in days:
            write_flux(directory / component / f"emissions.{component}.{yyyymmdd(day)}.nc", day, fluxes_of(component, day), style)


@dataclass(frozen=True)
class SoundingStyle:
    """How a group writes its sounding files."""

    dims: tuple[str, str] = ("nSamples", "Level")
    date_type: str = "i4"
    real_type: str = "f4"
    surface_first: bool = False
    with_mode: bool = True
    unlimited: bool = False


def write_soundings(path: Path, day: np.datetime64, n: int, *, seed: int = 0, style: SoundingStyle = SoundingStyle(),
                    level_ppm: float = 395.0, quirks: bool = False) -> dict[str, int]:
    """A day of soundings along 14 orbits; returns how many must be dropped by reason.

    With `quirks`: not in order of time, errors of zero and below, fill values, longitudes of exactly 180 and 360, and surfaces far
    below any model's.
    """
    random = np.random.default_rng([seed, day.astype("datetime64[D]").astype(int)])
    hour = np.sort(random.uniform(0.0, 23.999, n))
    phase = hour / 24.0 * 14.0
    columns = {
        "time": hour, "latitude": 62.0 * np.sin(2.0 * np.pi * phase),
        "longitude": (195.0 - 15.0 * hour + 12.0 * np.cos(2.0 * np.pi * phase)) % 360.0,
        "surfacepressure": random.uniform(820.0, 1018.0, n), "xco2unc": random.uniform(0.3, 0.9, n), "opmode": random.integers(0, 3, n)}
    sigma = np.linspace(0.0, 1.0, N_LEVELS)
    sigma[0] = 1.0e-4
    edges = np.concatenate([[0.0], 0.5 * (sigma[1:] + sigma[:-1]), [1.0]])
    weight = np.tile(np.diff(edges), (n, 1))
    profile = level_ppm - 6.0 + 6.0 * sigma + random.normal(0.0, 0.3, (n, 1))
    columns |= {"constraintvector": profile, "axco2": (weight * profile).sum(axis=1), "weightingfunction": weight,
                "averagingKernel": 0.4 + 0.65 * sigma + np.zeros((n, 1)),
                "xco2": level_ppm + 1.5 * np.sin(np.deg2rad(columns["latitude"])) + random.normal(0.0, 0.8, n)}
    expected = _spoil(columns, random) if quirks else {}
    columns["pressure"] = columns["surfacepressure"][:, None] * sigma
    _write_columns(path, columns, style, yyyymmdd(day))
    return expected


def _spoil(columns: dict[str, np.ndarray], random: np.random.Generator) -> dict[str, int]:
    order = random.permutation(len(columns["time"]))
    for name, values in columns.items():
        columns[name] = values[order]
    columns["xco2unc"][3:6] = (0.0, -0.5, FILL)
    columns["xco2"][6:8] = (FILL, 9.969209968386869e36)
    columns["averagingKernel"][8, 4] = np.nan
    columns["latitude"][9] = FILL
    columns["longitude"][10:13] = (180.0, 360.0, 0.0)
    columns["surfacepressure"][13:16] = 1085.0
    columns["xco2"][16] = 1.0e3
    return {"missing or non-positive uncertainty": 3, "missing value": 2, "missing operator data": 1, "missing or impossible place": 1,
            "value not between 250 and 700 ppm": 1}


def _write_columns(path: Path, columns: dict[str, np.ndarray], style: SoundingStyle, date: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    n = len(columns["time"])
    order = slice(None, None, -1) if style.surface_first else slice(None)
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension(style.dims[0], None if style.unlimited else n)
        file.createDimension(style.dims[1], N_LEVELS)
        file.createVariable("date", style.date_type, style.dims[:1])[:] = np.full(n, date)
        for name, values in columns.items():
            if name == "opmode" and not style.with_mode:
                continue
            kind = "i4" if name == "opmode" else style.real_type
            file.createVariable(name, kind, style.dims[: values.ndim])[:] = values[:, order] if values.ndim == 2 else values


def write_surface(path: Path, day: np.datetime64, ppm: float) -> None:
    """A `srf_YYYYMMDD` file with three sites, one of them on the date line, in fixed columns."""
    rows = [("co2_mlo_surface-insitu_1_allvalid", 75600, 19.536, 204.424, 3437.0, ppm, 1),
            ("co2_spo_surface-flask_1_representative", 43200, -89.98, 335.2, 2821.3, ppm - 2.5, 1),
            ("co2_alt_surface-flask_1_representative", 61380, 82.4508, 180.0, 195.0, FILL, 2)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name:<60}{yyyymmdd(day):9d}{second:7d}{lat:10.4f}{lon:10.4f}{altitude:10.2f}{value:10.3f}{code:3d}\n"
                            for name, second, lat, lon, altitude, value, code in rows))


def write_met(directory: Path, days: np.ndarray) -> None:
    """MOZART-4 met files, `GEOS5_19x2_YYYYMMDD.nc`, as another producer writes them.

    With pole points, four-byte coordinates, a fixed time, fill values in the soil of the sea.
    """
    directory.mkdir(parents=True)
    grid, (hyai, hybi) = Grid.with_poles(36, 19), hybrid_levels(10)
    circulation = Circulation(grid, hyai, hybi, seed=1)
    for day in days:
        times = day.astype("datetime64[s]") + np.arange(4) * np.timedelta64(6, "h")
        records = [circulation.record(time) for time in times]
        with netCDF4.Dataset(directory / f"GEOS5_19x2_{yyyymmdd(day)}.nc", "w", format="NETCDF3_64BIT_OFFSET") as file:
            for name, size in (("time", 4), ("lev", 10), ("ilev", 11), ("lat", 19), ("lon", 36)):
                file.createDimension(name, size)
            for name, dim, values in (("lon", "lon", grid.lon), ("lat", "lat", grid.lat), ("hyai", "ilev", hyai), ("hybi", "ilev", hybi)):
                file.createVariable(name, "f4", (dim,))[:] = values
            file.createVariable("date", "i4", ("time",))[:] = yyyymmdd(day)
            file.createVariable("datesec", "i4", ("time",))[:] = 21600 * np.arange(4)
            for name in (n for n in records[0] if n not in ("PBLH", "CMFMC")):
                values = np.array([record[name] for record in records])
                if name == "SOILW":
                    values = np.where(values == 0.0, 1.0e15, values)
                file.createVariable(name, "f4", ("time", "lev", "lat", "lon") if values.ndim == 4 else ("time", "lat", "lon"))[:] = values


def yyyymmdd(day: np.datetime64) -> int:
    """2014-09-06 → 20140906."""
    return int(str(day.astype("datetime64[D]")).replace("-", ""))


NAMELIST = """! as a group has it: capitals, indices, blanks, an old Fortran's way to end a group
&time_control
 year = 2014, month = 9, day = 6
 rundays = {rundays}
 da_step = {da_step}
/
&assimilation
 casename = '{casename}'
 nrt = .false.
 opt_scheme = 2
 netflux = F
 ensemble = {ensemble}
 L_scale(1) = 500.
 L_scale(2) = 3.0d3
 L_ratio = 2*1.0
 opt_dir = '/scratch/me/opt/'
 debug = .FALSE.
/
&Transport_Model
 resm = '1.9x2.5'
 mozartdir = 'mozart/'
&end
&background_flux
 resb = 1
 priordir = 'prior/'
 bunc = 3.0, 5.0, 1.0
/
&observations
 issrf = .true., obsdir_srf = 'srf'
 issat = .true.
 isgosat = .false., obsdir_gosat = '/scratch/me/gosat'
 isoco2 = .true., obsdir_oco2 = 'oco2'
 istansat = .false., obsdir_tansat = ''
/
"""
"""GCASv2's namelist, to be filled in."""
