"""NOAA GML's files as the real ones are laid out: flask text of before 2020 and of today, hourly in-situ text, NetCDF events."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gcas_driver.observations import noaa_flask
from gcas_driver.observations.streams import SurfaceStream

from . import Specimen
from .obspack import TIME_UNITS, Writer, components
from .reading import rows

START, END = np.datetime64("2010-06-01", "s"), np.datetime64("2010-07-01", "s")
FIELDS = ("sample_site_code sample_year sample_month sample_day sample_hour sample_minute sample_seconds sample_id sample_method "
          "parameter_formula analysis_group_abbr analysis_value analysis_uncertainty analysis_flag analysis_instrument analysis_year "
          "analysis_month analysis_day analysis_hour analysis_minute analysis_seconds sample_latitude sample_longitude sample_altitude "
          "sample_elevation sample_intake_height event_number")
COLUMNS = ("site_code year month day hour minute second datetime time_decimal air_sample_container_id value value_unc latitude longitude "
           "altitude elevation intake_height method event_number instrument analysis_datetime qcflag")
# day, hour, value, flag
FLASKS = ((1, 20, 391.27, "..."), (8, 19, 390.84, "..."), (8, 21, -999.99, "*.."), (15, 20, 389.61, "..."), (17, 2, 388.02, ".N."),
          (22, 20, 389.05, "..."), (29, 20, 388.77, "..."))


def _write_legacy(directory: Path) -> Path:
    header = ["# number_of_header_lines: 5", "# comment: these data are provided as they are", "# comment: calibrated to the WMO scale",
              "# contact: someone", f"# data_fields: {FIELDS}"]
    data = [f"MLO 2010 06 {day:02d} {hour:02d} 55 00      {100 + i}-99 N   co2 CCGG {value:10.3f}      0.050 {flag}   L9 2010 07 01 10 00 "
            f"00   19.5300 -155.5800  3399.00  3397.00     2.00 {300000 + i:10d}" for i, (day, hour, value, flag) in enumerate(FLASKS)]
    path = directory / "co2_mlo_surface-flask_1_ccgg_event.txt"
    path.write_text("\n".join(header + data) + "\n")
    return path


def _write_current(directory: Path) -> Path:
    header = ["# header_lines : 7", "#", "# ------>", "# dataset_name : co2_mlo_surface-flask_1_ccgg_event", "# dataset_parameter : co2",
              "# dataset_calibration_scale : CO2_X2019", COLUMNS]
    data = [f"MLO 2010 6 {day} {hour} 55 0 2010-06-{day:02d}T{hour:02d}:55:00Z 2010.4{i}9 {100 + i}-99 {value:.3f} 0.05 19.53 -155.58 "
            f"3399.0 3397.0 2.0 N {300000 + i} L9 2010-07-01T10:00:00 {flag}" for i, (day, hour, value, flag) in enumerate(FLASKS)]
    path = directory / "co2_mlo_surface-flask_1_ccgg_event_20250507.txt"
    path.write_text("\n".join(header + data) + "\n")
    return path


HOURLY = ("site_code year month day hour minute second datetime time_decimal midpoint_time value value_std_dev nvalue latitude longitude "
          "altitude elevation intake_height qcflag")
STARTS = "Times and dates are UTC. Time-averaged values are reported at the start of the averaging interval."


def _write_hourly(directory: Path) -> Path:
    header = ["# header_lines : @", "#", "# dataset_name: co2_mlo_surface-insitu_1_ccgg_HourlyData", "# site_code : MLO",
              "# site_latitude : 19.5362", "# site_longitude : -155.5763", "# site_elevation : 3397.0",
              "# dataset_name : co2_mlo_surface-insitu_1_ccgg_HourlyData", "# dataset_parameter : co2",
              "# dataset_project : surface-insitu", "# dataset_platform : fixed", "# dataset_selection_tag : HourlyData",
              "# dataset_calibration_scale : CO2_X2019", "# dataset_data_frequency : 1", "# dataset_data_frequency_unit : hour",
              "# time_components:_FillValue : -9", f"# time_components:comment : {STARTS}", f"# midpoint_time:units : {TIME_UNITS}",
              "# value:_FillValue : -999.999", "# value:units : micromol mol-1", "# value:scale_comment : CO2_X2019",
              "# altitude:units : m", "#"]
    header = [line.replace("@", str(len(header) + 1)) for line in header] + [HOURLY]
    data = []
    for i in range(24):
        time = np.datetime64("2010-06-15T00", "s") + np.timedelta64(i, "h")
        value = -999.99 if i == 7 else 390.0 + 0.1 * i
        stamp = " ".join(map(str, components([time.astype(int)])[0]))
        flag = "*.." if i == 7 else ".U." if i == 9 else "..."
        data.append(f"MLO {stamp} {time}Z 2010.45 {time.astype(int) + 1800} {value:.2f} 0.15 6 19.536 -155.576 3437.0 3397.0 40.0 {flag}")
    path = directory / "co2_mlo_surface-insitu_1_ccgg_HourlyData.txt"
    path.write_text("\n".join(header + data) + "\n")
    return path


def _write_netcdf(directory: Path) -> Path:
    """Looks like ObsPack, but micromol mol-1 and -999.999 for missing."""
    path = directory / "co2_mlo_surface-flask_1_ccgg_Event.nc"
    n = len(FLASKS)
    time = np.array([np.datetime64(f"2010-06-{day:02d}T{hour:02d}:55", "s").astype(int) for day, hour, *_ in FLASKS])
    file = Writer(path, "obs", n)
    file.put("time", "i4", time, TIME_UNITS, -999, comment="POSIX time. " + STARTS)
    file.put("time_components", "i4", components(time), fill=-9, extra=("calendar_components", 6))
    file.put("value", "f4", [-999.999 if value < 0 else value for _, _, value, _ in FLASKS], "micromol mol-1", -999.999)
    file.put("value_unc", "f4", 0.05, "micromol mol-1", -999.999)
    for name, number, units in (("latitude", 19.53, "degrees_north"), ("longitude", -155.58, "degrees_east"), ("altitude", 3399.0, "m"),
                                ("elevation", 3397.0, "m"), ("intake_height", 2.0, "m")):
        file.put(name, "f4", number, units, -999.999)
    file.put("event_number", "i4", 300000 + np.arange(n))
    file.text("qcflag", 3, [flag for *_, flag in FLASKS])
    file.attributes(site_code="MLO", site_latitude="19.5362", site_longitude="-155.5763", dataset_name="co2_mlo_surface-flask_1_ccgg_Event",
                    dataset_parameter="co2", dataset_project="surface-flask", dataset_platform="fixed", dataset_selection_tag="Event",
                    dataset_calibration_scale="CO2_X2019")
    file.data.close()
    return path


def _reader(files: str):
    def read(path: Path) -> dict[str, np.ndarray]:
        return rows(noaa_flask.read(SurfaceStream("flask", path.parent, "noaa_flask", files=(files,)), START, END))
    return read


SPECIMENS = [Specimen("noaa_event_legacy", "text", _write_legacy, _reader("co2_*event*.txt")),
             Specimen("noaa_event_current", "text", _write_current, _reader("co2_*event*.txt")),
             Specimen("noaa_hourly", "text", _write_hourly, _reader("co2_*Hourly*.txt")),
             Specimen("noaa_event_netcdf", "netcdf4", _write_netcdf, _reader("co2_*_Event.nc"))]
