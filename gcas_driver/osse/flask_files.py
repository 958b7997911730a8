"""Writing synthetic flasks as NOAA event text in the dialect of before 2020."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gcas_driver.osse.sites import Site

FILL = -999.99
DATA_FIELDS = ("sample_site_code sample_year sample_month sample_day sample_hour sample_minute sample_seconds sample_id "
               "sample_method parameter_formula analysis_group_abbr analysis_value analysis_uncertainty analysis_flag "
               "analysis_instrument analysis_year analysis_month analysis_day analysis_hour analysis_minute analysis_seconds "
               "sample_latitude sample_longitude sample_altitude sample_elevation sample_intake_height event_number")


@dataclass(frozen=True)
class Flask:
    """One flask: time [s since 1970], value and uncertainty [ppm], three-character flag, event number."""

    time: float
    value: float
    uncertainty: float
    flag: str
    event: int


def write_flask_file(directory: Path, site: Site, flasks: Sequence[Flask]) -> Path:
    """Write one site's record as ``co2_<site>_surface-flask_1_ccgg_event.txt`` and return its path."""
    comments = ["# comment: Synthetic flasks of a GCAS experiment, not measurements.",
                "# comment: The coordinates are approximately those of the site of this name.",
                f"# description_site-code: {site.code.lower()}",
                f"# data_fields: {DATA_FIELDS}"]
    lines = [f"# number_of_header_lines: {len(comments) + 1}", *comments, *(_record(site, flask) for flask in flasks)]
    path = directory / f"co2_{site.code.lower()}_surface-flask_1_ccgg_event.txt"
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def _record(site: Site, flask: Flask) -> str:
    sampled, analysed = _calendar(flask.time), _calendar(flask.time + 30 * 86400.0)
    unknown = flask.value == FILL
    return (f"{site.code} {sampled} {flask.event % 100000:5d}-99 S      co2     CCGG {flask.value:9.3f} "
            f"{FILL if unknown else flask.uncertainty:9.3f} {flask.flag}  L8 {analysed} {site.lat:8.4f} {site.lon:9.4f} "
            f"{site.altitude:8.2f} {site.elevation:8.2f} {site.intake:8.2f} {flask.event:8d}")


def _calendar(time: float) -> str:
    return np.datetime64(int(time), "s").item().strftime("%Y %m %d %H %M %S")
