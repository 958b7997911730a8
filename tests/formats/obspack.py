"""ObsPack as its producers write it: packs of 2019 and 2020, of version 8, assimilation packs, daily files, text."""

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
PACK_8 = "obspack_co2_466_GLOBALVIEWplus_v8.0_2023-03-08"
PACK_MIP = "obspack_co2_1_OCO2MIP_v3.2_2021-05-20"
TIME_UNITS = "seconds since 1970-01-01T00:00:00Z"
POSIX = "POSIX time.  Number of seconds since January 1, 1970 in UTC. Time-averaged values are reported at the "
AT_START = POSIX + "beginning of the averaging interval."
AT_MIDDLE = POSIX + "midpoint of the averaging interval (dataset_data_frequency)."
CONCERNS = "time window, representivity, variability"


class Writer:
    """An open file along one dimension of records."""

    def __init__(self, path: Path, dimension: str, n: int, unlimited: bool = False) -> None:
        self.data, self.dimension, self.n = netCDF4.Dataset(path, "w"), dimension, n
        self.data.createDimension(dimension, None if unlimited else n)

    def put(self, name: str, kind: str, values, units: str = "", fill=None, extra: tuple[str, int] | None = None, **attributes) -> None:
        """A number a record, or several along an `extra` dimension (name, size)."""
        if extra and extra[0] not in self.data.dimensions:
            self.data.createDimension(*extra)
        variable = self.data.createVariable(name, kind, (self.dimension, *(extra[:1] if extra else ())), fill_value=fill)
        variable.set_auto_maskandscale(False)
        variable.setncatts(({"units": units} if units else {}) | attributes)
        variable[...] = np.broadcast_to(values, variable.shape) if np.ndim(values) == 0 else values

    def text(self, name: str, width: int, values: list[str], **attributes) -> None:
        """A text a record, as characters."""
        dimension = f"string_of_{width}chars"
        if dimension not in self.data.dimensions:
            self.data.createDimension(dimension, width)
        variable = self.data.createVariable(name, "S1", (self.dimension, dimension))
        variable.setncatts(attributes)
        variable[...] = netCDF4.stringtochar(np.array(values, dtype=f"S{width}"))

    def place(self, lat, lon, altitude, elevation, intake) -> None:
        """Where the samples were taken."""
        for name, values, units in (("latitude", lat, "degrees_north"), ("longitude", lon, "degrees_east"), ("altitude", altitude, "m"),
                                    ("elevation", elevation, "m"), ("intake_height", intake, "m")):
            self.put(name, "f4", values, units, -1.0e34)

    def attributes(self, **texts: str) -> None:
        """Global attributes, all of them texts."""
        for name, value in texts.items():
            self.data.setncattr_string(name, value)


def components(time: np.ndarray) -> list[list[int]]:
    """Year, month, day, hour, minute, second of seconds since 1970."""
    dates = [np.datetime64(int(t), "s").item() for t in time]
    return [[d.year, d.month, d.day, d.hour, d.minute, d.second] for d in dates]


def times() -> np.ndarray:
    """Starts of the hours that were averaged, seconds since 1970."""
    return START.astype(int) + 86400 * 3 * np.arange(N) + 19 * 3600


def values() -> np.ndarray:
    """Mole fractions [mol mol-1], one missing."""
    value = 1.0e-6 * (392.0 + np.sin(np.arange(N)))
    value[5] = -1.0e34
    return value


def lef(**changes: str) -> dict[str, str]:
    """Global attributes of a tall tower's data set."""
    return {"site_code": "LEF", "site_name": "Park Falls, Wisconsin", "site_latitude": "45.9451", "site_longitude": "-90.2732",
            "site_elevation": "472.0", "site_utc2lst": "-6.0", "dataset_name": "co2_lef_tower-insitu_1_allvalid-396magl",
            "dataset_parameter": "co2", "dataset_project": "tower-insitu", "dataset_platform": "fixed",
            "dataset_selection_tag": "allvalid-396magl", "dataset_calibration_scale": "WMO CO2 X2007", "obspack_name": PACK} | changes


def _write_2019(directory: Path) -> Path:
    path = directory / "co2_lef_tower-insitu_1_allvalid-396magl.nc"
    write_2019(path)
    return path


def write_2019(path: Path, n_change: float = 0.0, **changes: str) -> None:
    """A data set of the packs of 2019 and 2020: dimension obs, time at the start; `n_change` [mol mol-1] is added to the values."""
    time = times()
    file = Writer(path, "obs", N, unlimited=True)
    file.put("time", "i4", time, TIME_UNITS, -999999999, comment=AT_START)
    file.put("time_decimal", "f8", 2010.4 + np.arange(N) / 100.0, "years", -9.0)
    file.put("time_components", "i4", components(time), fill=-9, extra=("calendar_components", 6))
    file.put("value", "f4", values() + n_change, "mol mol-1", -1.0e34)
    file.put("value_std_dev", "f4", 3.0e-7, "mol mol-1", -99.99)
    file.put("nvalue", "i4", 120, "1", -9)
    file.place(45.9451, -90.2732, 868.0, 472.0, 396.0)
    file.put("obs_flag", "i4", 1, "1", -9)
    file.put("assimilation_concerns", "i4", np.eye(N, 3, k=-6), extra=("dim_concerns", 3), order=CONCERNS)
    file.put("obs_num", "i4", np.arange(N), "1", -9)
    file.text("qcflag", 10, ["..." if i != 2 else "*.." for i in range(N)], missing_value="NA")
    file.text("obspack_id", 200, [f"{PACK}~{path.stem}~{1000 + i}" for i in range(N)])
    file.attributes(**lef(**({"dataset_data_frequency": "1", "dataset_data_frequency_unit": "hour"} | changes)))
    file.data.close()


def _write_v8(directory: Path) -> Path:
    """Version 8: dimension time, stamps in the middle, start_time beside them, no obs_flag, value_unc; with CarbonTracker's columns."""
    path = directory / "co2_htm_tower-insitu_424_allvalid-70magl.nc"
    time = times() + 1800
    file = Writer(path, "time", N)
    file.put("time", "i4", time, TIME_UNITS, comment=AT_MIDDLE, standard_name="time")
    file.put("start_time", "i4", time - 1800, TIME_UNITS, comment=AT_START)
    file.text("datetime", 20, [f"{np.datetime64(int(t), 's')}Z" for t in time], comment=AT_MIDDLE)
    file.put("time_components", "i4", components(time), extra=("calendar_components", 6))
    file.put("value", "f4", values(), "mol mol-1", -1.0e34)
    file.put("value_unc", "f4", 7.0e-8, "mol mol-1", -1.0e34)
    file.place(56.0976, 13.4189, 185.0, 115.0, 70.0)
    file.put("assimilation_concerns", "i1", np.eye(N, 6, k=-6, dtype="i1"), extra=("dim_concerns", 6),
             order="time window, representivity, variability, a, b, c")
    file.put("CT_assim", "i4", [1, 1, 1, 2, 0, 1, 1, 2, 1], "1", -9)
    file.put("CT_MDM", "f4", 2.5e-6, "mol mol-1", -1.0e34)
    file.put("MIP_models", "i1", np.ones((N, 17), "i1"), extra=("mip_nmodels", 17))
    file.text("qcflag", 10, ["O"] * N)
    file.text("obspack_id", 200, [f"{PACK_8}~{path.stem}~{2000 + i}" for i in range(N)])
    file.attributes(**lef(site_code="HTM", site_name="Hyltemossa", site_latitude="56.0976", site_longitude="13.4189",
                          site_elevation="115.0", dataset_name=path.stem, dataset_selection_tag="allvalid-70magl",
                          dataset_calibration_scale="WMO CO2 X2019", obspack_name=PACK_8, dataset_data_frequency="1",
                          dataset_data_frequency_unit="hour"))
    file.data.close()
    return path


DAILY = (("co2_mlo_surface-insitu_1_allvalid", 19.536, -155.576, 3437.0), ("co2_con_aircraft-insitu_42_allvalid", 35.1, 139.8, 9500.0),
         ("co2_poc_shipboard-flask_1_representative", -12.0, -179.9, 20.0),
         ("co2_mlo_surface-flask_1_representative", 19.536, -155.576, 3402.0))


def _write_daily(directory: Path) -> Path:
    """A day of an assimilation pack: samples of several data sets, told apart by obspack_id alone."""
    path = directory / f"{PACK_MIP}.20100607.nc"
    n = 2 * len(DAILY)
    sets = [DAILY[i % len(DAILY)] for i in range(n)]
    time = np.datetime64("2010-06-07T00:30", "s").astype(int) + 7200 * np.arange(n)
    file = Writer(path, "obs", n)
    file.put("time", "i4", time, TIME_UNITS)
    file.put("value", "f4", 1.0e-6 * (390.0 + np.arange(n)), "mol mol-1", -1.0e34)
    file.put("latitude", "f4", [s[1] for s in sets], "degrees_north", -1.0e34)
    file.put("longitude", "f4", [s[2] for s in sets], "degrees_east", -1.0e34)
    file.put("altitude", "f4", [s[3] for s in sets], "m", -1.0e34)
    file.put("model_sample_window_start", "i4", time - 1800, TIME_UNITS)
    file.put("model_sample_window_end", "i4", time + 1800, TIME_UNITS)
    file.put("CT_assim", "i4", [1, 1, 1, 1, 2, 0, 1, 1], "1")
    file.put("CT_MDM", "f4", 1.0e-6 * (1.0 + 0.25 * np.arange(n)), "mol mol-1", -1.0e34)
    file.text("obspack_id", 200, [f"{PACK_MIP}~{s[0]}~{500 + i}" for i, s in enumerate(sets)])
    file.attributes(obspack_name=PACK_MIP)
    file.data.close()
    return path


TEXT_COLUMNS = ("year month day hour minute second time time_decimal value value_std_dev nvalue latitude longitude altitude elevation "
                "intake_height qcflag obs_flag obs_num obspack_num obspack_id")


def _write_text(directory: Path) -> Path:
    """The text form of 2019: the header says that -1e34 is missing, the data have -999.999."""
    path = directory / "co2_lef_tower-insitu_1_allvalid-396magl.txt"
    header = ["# header_lines : @", "#", "# ------------------------------------------------------------->>>>", "# GLOBAL ATTRIBUTES", "#"]
    header += [f"# {name} : {text}" for name, text in lef(dataset_data_frequency="1", dataset_data_frequency_unit="hour").items()]
    header += ["# ------------------------------------------------------------->>>>", "# VARIABLE ATTRIBUTES", "#",
               f"# time:units : {TIME_UNITS}", f"# time:comment : {AT_START}", "# value:_FillValue : -1e+34", "# value:units : mol mol-1",
               "# latitude:units : degrees_north", "# longitude:units : degrees_east", "# altitude:units : m", "# elevation:units : m",
               "# intake_height:units : m", "# VARIABLE ORDER", "#"]
    header = [line.replace("@", str(len(header) + 1)) for line in header] + [TEXT_COLUMNS]
    time = times()
    data = []
    for i, (t, parts, value) in enumerate(zip(time, components(time), values(), strict=True)):
        shown = "-999.999" if value < 0 else f"{value:.8e}"
        data.append(" ".join(map(str, parts)) + f" {t} {2010.4 + i / 100:.6f} {shown} 3.0e-07 120 45.9451 -90.2732 868.0 472.0 396.0 "
                    f"{'...' if i != 2 else '*..'} 1 {i + 1} {1000 + i} {PACK}~{path.stem}~{1000 + i}")
    path.write_text("\n".join(header + data) + "\n")
    return path


def _reader(files: str, **settings):
    def read(path: Path) -> dict[str, np.ndarray]:
        return rows(obspack.read(SurfaceStream("tower", path.parent, "obspack", files=(files,), **settings), START, END))
    return read


SPECIMENS = [
    Specimen("obspack_2019", "netcdf4", _write_2019, _reader("co2_*.nc")),
    Specimen("obspack_v8", "netcdf4", _write_v8,
             _reader("co2_*.nc", assimilation_flags=(1,), evaluation_flags=(2,), error_variable="CT_MDM")),
    Specimen("obspack_daily", "netcdf4", _write_daily, _reader("obspack_co2_*.nc", error_variable="CT_MDM")),
    Specimen("obspack_text", "text", _write_text, _reader("co2_*.txt")),
]
