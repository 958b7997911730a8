"""Makes small observation files in the layouts of the real ones, whole or with a fault, for tests of the readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from formats.sounding_numbers import N_LEVELS, make_soundings

from gcas_driver.observations.table import ColumnOperator, Observations, column_observations, point_observations

CURRENT_COLUMNS = ("site_code year month day hour minute second datetime time_decimal air_sample_container_id value value_unc latitude "
                   "longitude altitude elevation intake_height method event_number instrument analysis_datetime qcflag")


def write_flasks(path: Path, rows: list[tuple[str, float, str, float, int]], columns: str = CURRENT_COLUMNS, gas: str = "co2") -> None:
    """A NOAA event file of today's dialect; rows are (time, value, flag, altitude, event)."""
    lines = ["# header_lines : 5", "#", f"# dataset_parameter : {gas}", "# dataset_calibration_scale : CO2_X2019", columns]
    for when, value, flag, altitude, event in rows:
        date = np.datetime64(when, "s").item()
        lines.append(f"MLO {date.year} {date.month} {date.day} {date.hour} {date.minute} {date.second} {date.isoformat()}Z 2010.45 1-99 "
                     f"{value} 0.05 19.53 -155.58 {altitude} 3397.0 {altitude - 3397.0} S {event} L10 2010-07-01T00:00:00 {flag}")
    path.write_text("\n".join(lines) + "\n")


def make_columns(time, lon, lat, value, error, product: str = "sat") -> Observations:
    """Soundings with a plain operator: kernel one, 20 levels from 1000 hPa up."""
    n = len(time)
    s = make_soundings(n)
    pressure = np.tile(100.0 * np.linspace(0.1, 1000.0, N_LEVELS), (n, 1))
    operator = ColumnOperator(pressure, s.weight, np.ones((n, N_LEVELS)), 1.0e-6 * s.prior, s.prior_xco2)
    return column_observations(time=np.asarray(time, dtype=float), lon=lon, lat=lat, value=value, error=error, product=product,
                               identifier=np.array([str(i) for i in range(n)], dtype=object), operator=operator, scale="X2007")


def make_points(time, lon, lat, altitude, value, error, product: str = "flask", site: str = "AAA") -> Observations:
    """Point samples of one site."""
    n = len(time)
    return point_observations(time=np.asarray(time, dtype=float), lon=lon, lat=lat, altitude=altitude, value=value, error=error,
                              product=product, site=np.full(n, site, dtype=object),
                              identifier=np.array([f"{site}:{i}" for i in range(n)], dtype=object), scale="X2007")
