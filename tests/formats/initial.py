"""Three-dimensional CO2 fields: CarbonTracker's mole fractions of several releases, MOZART's history, restart and initial files.

All are written from one analytic field, so that what is read can be compared with what was meant.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import netCDF4
import numpy as np

from gcas_driver.initial import Field, check_initial, on_model, read_field, require_date
from mozart_coupling.constants import MOLAR_MASS_AIR, MOLAR_MASS_CO2
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.grids import Grid
from mozart_coupling.history import HistoryLayout, HistoryWriter
from mozart_coupling.initial import write_initial
from mozart_coupling.restart import write_restart

from . import Specimen

START = np.datetime64("2010-06-01", "s")
MODEL = Grid.named("24x16")
LEVELS = hybrid_levels(9)
MASSES = {"mw_air": MOLAR_MASS_AIR, "mw_co2": MOLAR_MASS_CO2}


def surface_pressure(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """A made-up surface pressure [Pa] (nlat, nlon), between 76 and 101 kPa."""
    lon, lat = np.deg2rad(lon)[None, :], np.deg2rad(lat)[:, None]
    return 98000.0 + 3000.0 * np.cos(lat) * np.cos(lon) - 20000.0 * np.exp(-((lat - 0.6) ** 2 + (1.0 - np.cos(lon - 1.5))) / 0.1)


def mole_fraction(lon: np.ndarray, lat: np.ndarray, pressure: np.ndarray, hours: float = 0.0) -> np.ndarray:
    """CO2 [ppm] at pressures (n, nlat, nlon) [Pa]: linear in pressure, smooth along the globe, 0.01 ppm an hour."""
    lon, lat = np.deg2rad(lon)[None, None, :], np.deg2rad(lat)[None, :, None]
    return 384.0 + 3.0 * np.sin(lat) + np.cos(lat) * np.cos(lon) + 6.0 * pressure / 1.0e5 + 0.01 * hours


def carbontracker_file(path: Path, n_levels: int = 25, *, old: bool = False, grid: tuple[int, int] = (120, 90), records: int = 8) -> Path:
    """A `molefrac_glb3x2` file of one day; `old`: the names of the first releases, `date_components` and `press`."""
    n_lon, n_lat = grid
    lon, lat = -180.0 + 360.0 / n_lon * (np.arange(n_lon) + 0.5), -90.0 + 180.0 / n_lat * (np.arange(n_lat) + 0.5)
    hyai, hybi = (c[::-1] for c in hybrid_levels(n_levels, 20.0))  # the ground first
    faces = 1e5 * hyai[:, None, None] + hybi[:, None, None] * surface_pressure(lon, lat)
    time, level, boundary = ("date", "level", "boundary") if old else ("time", "level", "boundary")
    names = ("lat", "lon") if old else ("latitude", "longitude")
    with netCDF4.Dataset(path, "w", format="NETCDF4") as data:
        sizes = {time: records, level: n_levels, boundary: n_levels + 1, names[0]: n_lat, names[1]: n_lon, "calendar_components": 6}
        for name, size in sizes.items():
            data.createDimension(name, None if name == time else size)
        data.setncatts({"title": "CarbonTracker mole fractions", "institution": "NOAA", "Conventions": "CF-1.5"})
        for name, values in zip(names, (lat, lon), strict=True):
            data.createVariable(name, "f4", (name,))[:] = values
        marks = START + np.array([int(3600 * (3 * i + 1.5)) for i in range(records)], dtype="timedelta64[s]")
        components = data.createVariable("date_components" if old else "time_components", "i4", (time, "calendar_components"))
        components[:] = [[int(part) for part in str(m).replace("T", "-").replace(":", "-").split("-")] for m in marks]
        if not old:
            stamps = data.createVariable("time", "f8", (time,))
            stamps.units = "days since 2000-01-01 00:00:00 UTC"
            stamps[:] = (marks - np.datetime64("2000-01-01", "s")) / np.timedelta64(86400, "s")
        cube = (time, level, *names)
        co2 = data.createVariable("co2", "f4", cube, zlib=True, fill_value=np.float32(-1e34))
        co2.setncatts({"units": "micromol mol-1", "long_name": "mole fraction of carbon dioxide in air"})
        pressure = data.createVariable("press" if old else "pressure", "f4", (time, boundary, *names), zlib=True)
        pressure.setncatts({"units": "Pa", "long_name": "pressure at level boundaries"})
        for i in range(records):
            co2[i] = mole_fraction(lon, lat, 0.5 * (faces[1:] + faces[:-1]), 3 * i + 1.5)
            pressure[i] = faces
        vapour = data.createVariable("specific_humidity", "f4", cube, zlib=True)
        vapour.units = "kg/kg"
        vapour[:] = np.broadcast_to(0.02 * (0.5 * (faces[1:] + faces[:-1]) / 1e5) ** 3, (records, n_levels, n_lat, n_lon))
        gph = data.createVariable("gph", "f4", (time, boundary, *names), zlib=True)
        gph.units = "m"
        gph[:] = np.broadcast_to(7000.0 * np.log(1e5 / np.maximum(faces, 1.0)), (records, *faces.shape))
    return path


def _model_field(hours: float = 0.0, ps: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Mole fraction [mol mol-1] on the model's grid, and the surface pressure."""
    ps = surface_pressure(MODEL.lon, MODEL.lat) if ps is None else ps
    faces = 1e5 * LEVELS[0][:, None, None] + LEVELS[1][:, None, None] * ps
    return 1e-6 * mole_fraction(MODEL.lon, MODEL.lat, 0.5 * (faces[1:] + faces[:-1]), hours), ps


def history_file(directory: Path, units: str = "kg/kg") -> Path:
    """A day's history: eight averages, two members."""
    factor = MOLAR_MASS_CO2 / MOLAR_MASS_AIR if units == "kg/kg" else 1.0
    layout = HistoryLayout(directory, "old", "an earlier run", MODEL, *LEVELS, ("EN001", "EN002"), units, False, False, {})
    writer = HistoryWriter(layout, 8)
    first = int(START.astype("int64")) - 86400
    for i in range(1, 9):
        field, ps = _model_field(3 * i - 25.5)
        height = np.zeros((LEVELS[0].size, *MODEL.shape))
        writer.begin(first + 10800 * i, ps, height[1:], height, None)
        writer.finish(factor * np.stack([field, field]))
    return next(directory.rglob("*.nc"))


def restart_file(directory: Path) -> Path:
    """A tracer restart of midnight, kg/kg."""
    field, ps = _model_field()
    mixing_ratio = MOLAR_MASS_CO2 / MOLAR_MASS_AIR * np.stack([field, field])
    write_restart(directory, "old", START, MODEL, LEVELS, ("EN001", "EN002"), mixing_ratio, ps)
    return next(directory.rglob("old.mz4.r.*.nc"))


def initial_file(directory: Path) -> Path:
    """The contract's initial file."""
    field, ps = _model_field()
    write_initial(directory / "ic_20100601.nc", MODEL, LEVELS, ps, field, (), START)
    return directory / "ic_20100601.nc"


def field_of(path: Path) -> Field:
    """Through the door that the driver uses."""
    return read_field(path, START, **MASSES)


def _read(path: Path) -> dict[str, np.ndarray]:
    field = field_of(path)
    require_date(field, START, 1.0)
    return {"co2": 1e6 * on_model(field, MODEL, LEVELS, surface_pressure(MODEL.lon, MODEL.lat)).values}


def _check(path: Path) -> list:
    settings = SimpleNamespace(file=path, format="", tracer="", units="", date_tolerance_days=1.0, where=lambda name: f"case.nml, {name}")
    return check_initial(settings, START, MODEL, len(LEVELS[0]) - 1, **MASSES)


def _in(write, **options):
    return lambda directory: write(directory / "CT2017.molefrac_glb3x2_2010-06-01.nc", grid=(24, 18), **options)


SPECIMENS = [
    Specimen("carbontracker_molefrac_34", "netcdf4", _in(carbontracker_file, n_levels=34, records=8), _read, _check),
    Specimen("carbontracker_molefrac_25", "netcdf4", _in(carbontracker_file, n_levels=25, old=True), _read, _check),
    Specimen("mozart_history", "netcdf3", history_file, _read, _check),
    Specimen("mozart_restart", "netcdf3", restart_file, _read, _check),
    Specimen("initial_contract", "netcdf3", initial_file, _read, _check),
]
