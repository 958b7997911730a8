"""Products that GCAS has no reader for, read by a map of variables: three layouts, as unlike each other as products of the field are.

`tansat`: HDF5 with groups, surface first, mol mol-1, Pa, year to second in one variable, flag 1 is good, longitudes 0 to 360.
`layers`: NetCDF classic, no units, sigma, kernels times weights, date and hour. `texts`: times as text, no weights, no prior
XCO2.
None imitates a real file: no TanSat file has been seen.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace

import netCDF4
import numpy as np

from gcas_driver.config.definitions import COLUMN_MAP
from gcas_driver.observations import SatelliteStream, check_streams, read_streams

from . import Specimen
from .lite import date_components
from .reading import rows
from .sounding_numbers import Soundings, make_soundings

DAY = np.datetime64("2017-05-03")

MAPS = {
    "tansat": {
        "time": ("Sounding/time_components",), "time_form": "components", "latitude": "Sounding/lat", "longitude": "Sounding/lon",
        "xco2": "Retrieval/xco2", "uncertainty": "Retrieval/xco2_err", "prior_xco2": "Retrieval/xco2_ap", "prior_profile": "Prior/co2",
        "pressure": "Prior/p", "pressure_weight": "Prior/h", "averaging_kernel": "Retrieval/ak", "quality": "Retrieval/flag",
        "quality_rule": "== 1", "surface": "Sounding/surface", "land_values": (3,), "ocean_values": (4,), "mode": "Sounding/mode",
        "solar_zenith": "Sounding/sza", "sensor_zenith": "Sounding/vza", "identifier": "Sounding/id"},
    "layers": {
        "time": ("ymd", "hour"), "time_form": "date_hour", "xco2": "column", "xco2_units": "ppm", "uncertainty": "error",
        "uncertainty_units": "ppm", "prior_xco2": "column_prior", "prior_profile": "profile", "prior_units": "ppm", "pressure": "",
        "sigma": "sigma", "surface_pressure": "ps", "pressure_units": "hPa", "pressure_weight": "h", "averaging_kernel": "hk",
        "kernel_form": "weighted", "missing": (-1.0,)},
    "texts": {
        "time": ("when",), "time_form": "text", "pressure_weight": "", "level_order": "surface_first", "quality": "qa",
        "quality_rule": ">= 0.5"}}
PLAIN = {v.name: v.default for v in COLUMN_MAP.variables if v.name != "name"}
"""A map that leaves everything at its default: the names of Lite files."""
FILES = {"tansat": "TanSat_XCO2_{yyyymmdd}.h5", "layers": "col_{yyyymmdd}.nc", "texts": "xco2_{yyyymmdd}.nc4"}


def map_of(layout: str, **changes):
    """The settings of a &column_map group."""
    return SimpleNamespace(**(PLAIN | {"name": layout} | MAPS[layout] | changes))


def stream_of(directory: Path, layout: str, **changes) -> SatelliteStream:
    """A stream of a layout's files."""
    return SatelliteStream(**{"product": layout, "directory": directory, "format": "mapped", "file_pattern": FILES[layout],
                              "column_map": map_of(layout), "scale": "X2007", **changes})


def write_mapped(path: Path, s: Soundings, layout: str) -> Path:
    """A file of one of the layouts."""
    {"tansat": _write_tansat, "layers": _write_layers, "texts": _write_texts}[layout](path, s)
    return path


def _write_tansat(path: Path, s: Soundings) -> None:
    up = slice(None, None, -1)
    with netCDF4.Dataset(path, "w") as dataset:
        for name, size in (("obs", len(s.time)), ("layer", s.pressure.shape[1]), ("six", 6)):
            dataset.createDimension(name, size)

        def put(name: str, kind: str, values: np.ndarray, unit: str = "", dims: tuple[str, ...] = ()) -> None:
            variable = dataset.createVariable(name, kind, dims or ("obs", "layer")[: values.ndim])
            if unit:
                variable.units = unit
            variable[...] = np.nan_to_num(values, nan=-999.0) if kind.startswith("f") else values

        put("Sounding/time_components", "f8", np.column_stack([date_components(s.time)[:, :5], np.mod(s.time, 60.0)]), dims=("obs", "six"))
        put("Sounding/lat", "f4", s.lat, "deg")
        put("Sounding/lon", "f4", s.lon % 360.0, "deg")
        put("Sounding/id", "i4", 1000 + np.arange(len(s.time)))
        put("Sounding/sza", "f4", s.solar_zenith)
        put("Sounding/vza", "f4", s.sensor_zenith)
        put("Sounding/surface", "i2", np.where(s.mode == 1, 4, 3))
        put("Sounding/mode", "i2", s.mode)
        put("Retrieval/xco2", "f8", 1.0e-6 * s.xco2, "mol mol-1")
        put("Retrieval/xco2_err", "f8", 1.0e-6 * s.error, "mol mol-1")
        put("Retrieval/xco2_ap", "f8", 1.0e-6 * s.prior_xco2, "mol mol-1")
        put("Retrieval/flag", "i2", 1 - s.quality)
        put("Retrieval/ak", "f4", s.kernel[:, up])
        put("Prior/p", "f4", 100.0 * s.pressure[:, up], "Pa")
        put("Prior/h", "f4", s.weight[:, up])
        put("Prior/co2", "f8", 1.0e-6 * s.prior[:, up], "mol mol-1")


def _write_layers(path: Path, s: Soundings) -> None:
    moments = np.floor(np.nan_to_num(s.time)).astype("datetime64[s]")
    days = np.array([int(m[:10].replace("-", "")) for m in moments.astype(str)], dtype=np.int32)
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as dataset:
        dataset.createDimension("z", s.pressure.shape[1])
        dataset.createDimension("n", len(s.time))
        for name, kind, values in (("ymd", "i4", days), ("hour", "f8", np.mod(s.time, 86400.0) / 3600.0), ("latitude", "f8", s.lat),
                                   ("longitude", "f8", s.lon), ("column", "f4", s.xco2), ("error", "f4", s.error),
                                   ("column_prior", "f4", s.prior_xco2), ("ps", "f4", s.pressure[:, -1])):
            dataset.createVariable(name, kind, ("n",))[:] = np.nan_to_num(values, nan=-1.0)
        for name, values in (("h", s.weight), ("hk", s.weight * s.kernel), ("profile", s.prior)):
            dataset.createVariable(name, "f8", ("n", "z"))[:] = np.nan_to_num(values, nan=-1.0)
        dataset.createVariable("sigma", "f8", ("z",))[:] = s.pressure[0] / s.pressure[0, -1]


def _write_texts(path: Path, s: Soundings) -> None:
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("n", len(s.time))
        dataset.createDimension("z", s.pressure.shape[1])
        when = np.round(1000.0 * np.nan_to_num(s.time)).astype("datetime64[ms]").astype(str).astype(object)
        dataset.createVariable("when", str, ("n",))[:] = np.array([f"{text}Z" for text in when], dtype=object)
        for name, values, unit in (("latitude", s.lat, ""), ("longitude", s.lon, ""), ("xco2", s.xco2, "ppm"),
                                   ("xco2_uncertainty", s.error, "ppm"), ("qa", 1.0 - s.quality, "")):
            variable = dataset.createVariable(name, "f8", ("n",), fill_value=-9999.0)
            variable.units = unit
            variable[:] = np.nan_to_num(values, nan=-9999.0)
        for name, values, unit in (("pressure_levels", s.pressure, "hPa"), ("xco2_averaging_kernel", s.kernel[:, ::-1], ""),
                                   ("co2_profile_apriori", s.prior[:, ::-1], "ppm")):
            variable = dataset.createVariable(name, "f8", ("n", "z"), fill_value=-9999.0)
            variable.units = unit
            variable[:] = np.nan_to_num(values, nan=-9999.0)


def file_of(directory: Path, layout: str) -> Path:
    """The file of the day."""
    return directory / FILES[layout].format(yyyymmdd=DAY.item().strftime("%Y%m%d"))


def _write(layout: str, directory: Path) -> Path:
    return write_mapped(file_of(directory, layout), make_soundings(24, str(DAY), seed=9), layout)


def _read(layout: str, path: Path) -> dict[str, np.ndarray]:
    return rows(read_streams([stream_of(path.parent, layout, missing_days=False)], DAY, DAY + 1))


def _check(layout: str, path: Path) -> list:
    return check_streams([stream_of(path.parent, layout)], DAY, DAY + 1)


SPECIMENS = [Specimen(f"mapped_{name}", "netcdf3" if name == "layers" else "netcdf4", partial(_write, name), partial(_read, name),
                      partial(_check, name)) for name in MAPS]
