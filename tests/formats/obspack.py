"""ObsPack NetCDF of 2019 and 2020."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.observations import obspack
from gcas_driver.observations.streams import SurfaceStream

from . import Specimen
from .reading import rows

START, END = np.datetime64("2010-06-01", "s"), np.datetime64("2010-07-01", "s")
N = 9
PACK = "obspack_co2_1_GLOBALVIEWplus_v5.0_2019-08-12"


def _write(directory: Path) -> Path:
    path = directory / "co2_lef_tower-insitu_1_allvalid-396magl.nc"
    time = START.astype(int) + 86400 * 3 * np.arange(N) + 19 * 3600
    value = 1.0e-6 * (392.0 + np.sin(np.arange(N)))
    value[5] = -1.0e34
    height = {"altitude": 868.0, "elevation": 472.0, "intake_height": 396.0}
    with netCDF4.Dataset(path, "w") as data:
        for name, size in (("obs", None), ("calendar_components", 6), ("string_of_10chars", 10), ("string_of_200chars", 200),
                           ("dim_concerns", 3)):
            data.createDimension(name, size)

        def put(name: str, kind: str, values, units: str = "", fill=None, dims=("obs",)) -> None:
            variable = data.createVariable(name, kind, dims, fill_value=fill)
            variable.set_auto_maskandscale(False)
            if units:
                variable.units = units
            if fill is not None:
                variable.missing_value = np.asarray(fill, dtype=kind)[()]
            variable[...] = values

        def text(name: str, width: int, values: list[str]) -> None:
            variable = data.createVariable(name, "S1", ("obs", f"string_of_{width}chars"))
            variable[...] = netCDF4.stringtochar(np.array(values, dtype=f"S{width}"))

        put("time", "i4", time, "seconds since 1970-01-01T00:00:00Z", -999999999)
        put("time_decimal", "f8", 2010.4 + np.arange(N) / 100.0, "years", -9.0)
        dates = [np.datetime64(int(t), "s").item() for t in time]
        put("time_components", "i4", [[d.year, d.month, d.day, d.hour, d.minute, d.second] for d in dates], fill=-9,
            dims=("obs", "calendar_components"))
        put("value", "f4", value, "mol mol-1", -1.0e34)
        put("value_std_dev", "f4", np.full(N, 3.0e-7), "mol mol-1", -99.99)
        put("nvalue", "i4", np.full(N, 120), "1", -9)
        put("latitude", "f4", np.full(N, 45.9451), "degrees_north", -1.0e34)
        put("longitude", "f4", np.full(N, -90.2732), "degrees_east", -1.0e34)
        for name, metres in height.items():
            put(name, "f4", np.full(N, metres), "m", -1.0e34)
        put("obs_flag", "i4", np.ones(N, int), "1", -9)
        put("obs_num", "i4", np.arange(N), "1", -9)
        text("qcflag", 10, ["..." if i != 2 else "*.." for i in range(N)])
        text("obspack_id", 200, [f"{PACK}~{path.stem}~{1000 + i}" for i in range(N)])
        for name, value in (("site_code", "LEF"), ("site_name", "Park Falls, Wisconsin"), ("dataset_parameter", "co2"),
                            ("dataset_project", "tower-insitu"), ("dataset_selection_tag", "allvalid-396magl"),
                            ("dataset_calibration_scale", "WMO CO2 X2007"), ("obspack_name", PACK)):
            data.setncattr_string(name, value)
    return path


def _read(path: Path) -> dict[str, np.ndarray]:
    return rows(obspack.read(SurfaceStream("tower", path.parent, "obspack"), START, END))


SPECIMENS = [Specimen("obspack_2019", "netcdf4", _write, _read)]
