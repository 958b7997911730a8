"""Reader of NOAA GML flask event text, in the dialect of before 2020 and in today's.

A file is one site's record. Replicate flasks, filled at one time and height, are averaged; so are several analyses
of one flask. The first character of the quality flag rejects, the second says "not background". Tables of monthly
means are recognised and refused: they are no samples that a model can be asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from gcas_driver.errors import InputError, Problem
from gcas_driver.observations.daily import check_matching, read_matching
from gcas_driver.observations.points import NOT_BACKGROUND, REJECTED, PointSamples, point_table
from gcas_driver.observations.scales import scale_named_in
from gcas_driver.observations.streams import SurfaceStream
from gcas_driver.observations.table import Observations

DEFAULT_FILES = ("co2_*_surface-flask_*_event*.txt",)
FILL_BELOW = -900.0

NAMES = {
    "site": ("sample_site_code", "site_code"), "year": ("sample_year", "year"), "month": ("sample_month", "month"),
    "day": ("sample_day", "day"), "hour": ("sample_hour", "hour"), "minute": ("sample_minute", "minute"),
    "second": ("sample_seconds", "second"), "value": ("analysis_value", "value"),
    "uncertainty": ("analysis_uncertainty", "value_unc"), "flag": ("analysis_flag", "qcflag"),
    "lat": ("sample_latitude", "latitude"), "lon": ("sample_longitude", "longitude"),
    "altitude": ("sample_altitude", "altitude"), "event": ("event_number", "event_number"),
}


@dataclass(frozen=True)
class FlaskFile:
    """One file as parsed: columns by name, text, one entry a row, and what the header says."""

    columns: dict[str, np.ndarray]
    gas: str
    scale: str


def read(stream: SurfaceStream, start: np.datetime64, end: np.datetime64) -> Observations:
    """Flasks sampled in [start, end).

    Parameters
    ----------
    stream : SurfaceStream
    start, end : datetime64
        UTC.

    Returns
    -------
    Observations
        Points; flagged ones stay in the table, unused, with the reason; missing values and merged replicates are
        counted.

    Raises
    ------
    InputError
        For a file that is missing, is not of one of the two dialects, or holds a line that cannot be read.
    """
    return read_matching(stream, DEFAULT_FILES, start, end, read_file)


def check(stream: SurfaceStream, start: np.datetime64, end: np.datetime64,
          scales: dict[str, str] | None = None) -> list[Problem]:
    """Everything that is wrong with the stream's files, all read, and with what they hold of [start, end).

    `scales`, if given, receives the product's calibration scale.
    """
    return check_matching(stream, DEFAULT_FILES, start, end, read_file, scales)


def read_file(path: Path, stream: SurfaceStream, start: float, end: float) -> Observations:
    """Flasks of one file in [start, end), seconds since 1970."""
    status = path.stat()
    content = parse(path, status.st_mtime_ns, status.st_size)
    if content.gas not in ("", "co2"):
        raise InputError("not a file of CO2", str(path), content.gas, "co2", "leave it out of the stream's files")
    return point_table(_samples(content, path, start, end), stream, content.scale)


@lru_cache(maxsize=256)
def parse(path: Path, modified: int, size: int) -> FlaskFile:
    """All rows of a file; kept, since every window asks for the same files (`modified` and `size` tell versions apart)."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise InputError("cannot be read", str(path), str(error), "a NOAA flask event file") from error
    header = [line for line in lines if line.startswith("#")]
    first = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    fields = [line.split(":", 1)[1].split() for line in header if line.startswith("# data_fields:")]
    if fields:
        names = fields[0]
    elif first < len(lines) and lines[first].startswith("site_code"):
        names, first = lines[first].split(), first + 1
    else:
        raise InputError("not a NOAA flask event file", str(path), lines[0][:60] if lines else "an empty file",
                         "a header with `# data_fields:`, or a line of column names that starts with site_code")
    if not any(name in names for name in NAMES["event"]):
        raise InputError("not a file of flask events", str(path), "columns " + " ".join(names), "a column event_number",
                         "means of months or days are no samples; take the event file of this site")
    rows = [line.split() for line in lines[first:] if line.strip()]
    for number, row in enumerate(rows):
        if len(row) != len(names):
            raise InputError("wrong number of columns", f"{path}, data row {number + 1}", f"{len(row)}: {' '.join(row)[:80]}",
                             str(len(names)), "the file may be truncated: fetch it again")
    table = np.array(rows, dtype=object).reshape(len(rows), len(names))
    columns = {key: table[:, _position(names, key, path)] for key in NAMES}
    return FlaskFile(columns, _gas(header, names, table), _scale(header))


def _samples(content: FlaskFile, path: Path, start: float, end: float) -> PointSamples:
    """The rows of [start, end) as numbers."""
    def number(key: str, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        text = content.columns[key][rows]
        try:
            return text.astype(np.float64)
        except ValueError as error:
            raise InputError(f"column {key} is not a number", str(path), str(error), "numbers",
                             "the file may be damaged: fetch it again") from None

    time = _seconds(*(number(key).astype(np.int64) for key in ("year", "month", "day", "hour", "minute", "second")))
    inside = (time >= start) & (time < end)

    def known(key: str) -> np.ndarray:
        values = number(key, inside)
        return np.where(np.isfinite(values) & (values > FILL_BELOW), values, np.nan)

    flag = np.array([str(text).ljust(2, ".") for text in content.columns["flag"][inside]], dtype=object)
    site = np.array([str(code).upper() for code in content.columns["site"][inside]], dtype=object)
    reason = np.array([REJECTED if f[0] != "." else NOT_BACKGROUND if f[1] != "." else "" for f in flag], dtype=object)
    identifier = np.array([f"{code}:{event}" for code, event in zip(site, content.columns["event"][inside], strict=True)], dtype=object)
    return PointSamples(time[inside].astype(np.float64), known("lon"), known("lat"), known("altitude"), known("value"),
                   np.nan_to_num(known("uncertainty")), site, identifier, reason, reason == NOT_BACKGROUND)


def _seconds(year: np.ndarray, month: np.ndarray, day: np.ndarray, hour: np.ndarray, minute: np.ndarray,
             second: np.ndarray) -> np.ndarray:
    """Seconds since 1970 of calendar columns (n,)."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]").astype(np.int64) + day - 1
    return days * 86400 + hour * 3600 + minute * 60 + second


def _position(names: list[str], key: str, path: Path) -> int:
    for candidate in NAMES[key]:
        if candidate in names:
            return names.index(candidate)
    raise InputError(f"no column {' or '.join(NAMES[key])}", str(path), "columns " + " ".join(names), NAMES[key][-1])


def _gas(header: list[str], names: list[str], table: np.ndarray) -> str:
    """The gas in lower case: a column of the older dialect, a line of the newer one's header; "" if neither tells."""
    if "parameter_formula" in names and len(table):
        return str(table[0, names.index("parameter_formula")]).lower()
    return next((line.split(":", 1)[1].strip().lower() for line in header if line.startswith("# dataset_parameter :")), "")


def _scale(header: list[str]) -> str:
    """The header's scale; the older dialect names none, and was closed while X2007 was in force."""
    for line in header:
        if "calibration_scale" in line and scale_named_in(line):
            return scale_named_in(line)
    return "X2007" if any(line.startswith("# data_fields:") for line in header) else "unknown"
