"""NOAA GML flask text, the dialect of before 2020 and today's, as the real files are laid out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gcas_driver.observations import noaa_flask
from gcas_driver.observations.streams import SurfaceStream

from . import Specimen
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


def _read(path: Path) -> dict[str, np.ndarray]:
    return rows(noaa_flask.read(SurfaceStream("flask", path.parent, "noaa_flask", files=("co2_*event*.txt",)), START, END))


SPECIMENS = [Specimen("noaa_event_legacy", "text", _write_legacy, _read), Specimen("noaa_event_current", "text", _write_current, _read)]
