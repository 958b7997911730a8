"""Reader of tables of samples, comma-, semicolon- or tab-separated, by a map of columns; without one, of ICOS's atmosphere files.

Header lines start with `#`; the names of the columns stand in the last of them (ICOS) or in the first line without. Times are what
the map gives: ISO 8601 with or without zone, calendar parts, a decimal year, or seconds since 1970. ICOS stamps the start of each hour
and flags with letters: O, U and R are valid.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations import netcdf_fields as nc
from gcas_driver.observations.csv_map import ColumnMap, parse_map, resolve
from gcas_driver.observations.daily import MatchingReader
from gcas_driver.observations.files import YEARS, while_unchanged
from gcas_driver.observations.point_reading import accepted_flags
from gcas_driver.observations.points import PointSamples, point_table
from gcas_driver.observations.sample_times import CLOCK_TOLERANCE_SECONDS
from gcas_driver.observations.scales import scale_named_in
from gcas_driver.observations.streams import SurfaceStream
from gcas_driver.observations.table import Observations
from gcas_driver.observations.text_records import CALENDAR, calendar_seconds, index_blocks, lines_between, masked, plain_numbers, text_of
from gcas_driver.time_units import within

DEFAULT_FILES = ("*.csv",)
GOOD_FLAGS = ("O", "U", "R")
SEPARATORS = ";,\t"
UTC_NAMES = ("utc", "gmt", "utc+0", "utc+00:00", "z")
MISSING_TEXTS = ("", "na", "nan", "null", "none", "-")


@dataclass(frozen=True)
class CsvFile:
    """One file's header, and where its lines are."""

    path: Path
    names: tuple[str, ...]
    separator: str
    header: dict[str, str]
    places: ColumnMap
    blocks: np.ndarray
    spans: np.ndarray


def time_span(path: Path, stream: SurfaceStream) -> tuple[float, float]:
    """Earliest and latest time in a file, widened by what stamp and zone may shift; (-inf, inf) where it cannot be told."""
    file = _index(path, stream)
    if not len(file.spans):
        return np.inf, -np.inf
    first, last = file.spans[:, 0].min(), file.spans[:, 1].max()
    return (first - 86400.0, last + 86400.0) if np.isfinite(first) and np.isfinite(last) else (-np.inf, np.inf)


def read_file(path: Path, stream: SurfaceStream, start: float, end: float) -> Observations:
    """Samples of one file in [start, end), seconds since 1970."""
    file = _index(path, stream)
    zone = file.header.get("TIME ZONE", file.header.get("TIMEZONE", "UTC")).lower()
    if zone not in UTC_NAMES and stream.utc_offset_hours == 0.0:
        raise InputError("times are not UTC", str(path), f"time zone {zone}", "UTC", "set the stream's utc_offset_hours")
    split = partial(_split, separator=file.separator)

    def samples_of(first: float | None, last: float | None) -> PointSamples:
        rows = [split(line) for line in lines_between(path, file.blocks, file.spans, first, last)]
        return _samples(file, np.array(rows, dtype=object).reshape(len(rows), len(file.names)), stream)

    try:
        samples = samples_of(start, end)
    except InputError:  # the few lines of a window may look like nothing that the whole file is
        samples = samples_of(None, None)
    inside = (samples.time >= start) & (samples.time < end)
    return point_table(samples.take(inside), stream, scale_named_in(file.places.constants.get("scale", "")) or "unknown")


def _index(path: Path, stream: SurfaceStream) -> CsvFile:
    try:
        return _indexed(path, stream.columns)
    except OSError as error:
        raise InputError("cannot be read", str(path), str(error), "a table of samples") from error


@while_unchanged(4096)
def _indexed(path: Path, columns: tuple[str, ...]) -> CsvFile:
    """Header, map and places of the lines; kept, since every window asks."""
    with open(path, "rb") as file:
        header, names, separator, first = _header(file, path)
        places = resolve(parse_map(columns, "columns of a csv stream"), names, header, str(path))
        blocks, spans = index_blocks(file, first, len(names), path, partial(_split, separator=separator),
                                     lambda rows: _times(np.array(rows, dtype=object), places))
    return CsvFile(path, names, separator, header, places, blocks, spans)


def _header(file, path: Path) -> tuple[dict[str, str], tuple[str, ...], str, int]:
    """Header lines by name, names of the columns, the separator, and the first byte of the data."""
    lines: list[str] = []
    place = 0
    for raw in file:
        text = text_of(raw).lstrip("\ufeff").rstrip("\r\n")
        if not text.startswith("#") and text.strip():
            break
        lines.append(text)
        place += len(raw)
    else:
        raise InputError("a table without data", str(path), f"{len(lines)} header lines", "lines of data")
    last = lines[-1].lstrip("# ") if lines else ""
    in_header = max(last.count(sign) for sign in SEPARATORS) == max(text.count(sign) for sign in SEPARATORS) > 1
    title = last if in_header else text
    separator = max(SEPARATORS, key=title.count)
    names = tuple(name.strip() for name in _split(title, separator))
    if len(names) < 3:
        raise InputError("not a table of samples", str(path), title[:80], "columns separated by `;`, `,` or tabs")
    header: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.lstrip("# ").partition(":")
        if colon and len(name) < 60:
            header.setdefault(name.strip().upper(), value.strip())
    return header, names, separator, place if in_header else place + len(raw)


def _split(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator)) if '"' in line else line.split(separator)


def _samples(file: CsvFile, table: np.ndarray, stream: SurfaceStream) -> PointSamples:
    """All rows (n, n_columns) of text as samples."""
    n, places, where = len(table), file.places, str(file.path)

    def texts(key: str) -> np.ndarray:
        if key in places.columns:
            return np.array([str(text).strip() for text in table[:, places.columns[key]]], dtype=object)
        return np.full(n, places.constants.get(key, ""), dtype=object)

    def numbers(key: str) -> np.ndarray:
        if key in places.constants:
            match = re.match(r"\s*([-+]?\d+(\.\d*)?)", places.constants[key])
            if match is None:
                raise InputError(f"{key} is not a number", where, places.constants[key], "a number")
            return np.full(n, float(match.group(1)))
        return _numbers(texts(key), f"{where}, column {file.names[places.columns[key]]}")

    try:
        stamps = _times(table, places)
    except ValueError as error:
        raise InputError("a time cannot be read", where, str(error), "numbers, or ISO 8601", "correct the stream's columns") from None
    half = 30.0 * (stream.interval_minutes or (60.0 if file.header.get("TIME INTERVAL", "").lower().startswith("hour") or not stream.columns
                                              else 0.0))
    time = stamps - 3600.0 * stream.utc_offset_hours + {"": half, "start": half, "middle": 0.0, "end": -half}[stream.time_stamp]
    units, value = places.constants.get("units", ""), numbers("value")
    value = value * nc.co2_factor(value, units, f"{where}, value")
    uncertainty = np.zeros(n)
    if "uncertainty" in places:
        found = numbers("uncertainty")
        found = found * nc.uncertainty_factor(found, units, f"{where}, uncertainty")
        uncertainty = np.where(found > 0.0, found, 0.0)
    altitude = numbers("altitude") if "altitude" in places else numbers("elevation") + numbers("intake_height")
    reason = np.full(n, "", dtype=object)
    if "flag" in places:
        reason = accepted_flags(texts("flag"), stream.flags or GOOD_FLAGS)
    elif stream.flags:
        raise InputError("no column of flags", where, "columns " + ", ".join(file.names), "'flag=…' in the stream's columns")
    site = texts("site") if "site" in places else np.full(n, file.path.stem.upper(), dtype=object)
    site = np.array([text.upper() or file.path.stem.upper() for text in site], dtype=object)
    identifier = texts("identifier") if "identifier" in places else np.array(
        [f"{code}:{height:g}:{'' if not np.isfinite(t) else np.datetime64(int(t), 's')}"
         for code, height, t in zip(site, altitude, time, strict=True)], dtype=object)
    return PointSamples(time, numbers("longitude"), numbers("latitude"), altitude, value, uncertainty, site, identifier, reason,
                        np.zeros(n, dtype=bool))


def _numbers(texts: np.ndarray, where: str) -> np.ndarray:
    """Column of text as numbers, NaN where it is empty or a code of missing data."""
    filled = np.array(["nan" if text.lower() in MISSING_TEXTS else text for text in texts], dtype=object)
    try:
        return masked(plain_numbers(filled))
    except ValueError as error:
        raise InputError("a column is not a number", where, str(error), "numbers", "the file may be damaged: fetch it again") from None


def _times(table: np.ndarray, places: ColumnMap) -> np.ndarray:
    """Time stamps (n,), seconds since 1970 in the file's zone, NaN where missing; ValueError where a text is no time.

    Where calendar parts and a decimal year are both there, they must agree.
    """
    def column(key: str) -> np.ndarray:
        return table[:, places.columns[key]]

    if "time" in places.columns:
        found = np.array([_iso(str(text).strip()) for text in column("time")], dtype=np.float64)
    elif "seconds" in places.columns:
        found = masked(plain_numbers(column("seconds")))
    elif "year" in places.columns:
        parts = [plain_numbers(column(key)) if key in places.columns else np.zeros(len(table)) for key in CALENDAR]
        found = calendar_seconds(np.column_stack(parts))
        if "decimal_year" in places.columns:
            apart = np.abs(found - _decimal(plain_numbers(column("decimal_year")))) > CLOCK_TOLERANCE_SECONDS
            if apart.any():
                row = table[np.flatnonzero(apart)[0]]
                raise ValueError("calendar and decimal year disagree: " + " ".join(map(str, row[:10])))
    else:
        found = _decimal(plain_numbers(column("decimal_year")))
    return within(found, YEARS)


def _iso(text: str) -> float:
    if text.lower() in MISSING_TEXTS:
        return np.nan
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _decimal(year: np.ndarray) -> np.ndarray:
    """Decimal years as seconds since 1970."""
    good = (year >= YEARS[0]) & (year < YEARS[1])
    whole = np.where(good, np.floor(np.where(good, year, 1970.0)), 1970.0).astype(np.int64)
    first, following = ((whole - 1970 + step).astype("datetime64[Y]").astype("datetime64[s]").astype(np.int64) for step in (0, 1))
    return np.where(good, first + (year - whole) * (following - first), np.nan)


READER = MatchingReader(DEFAULT_FILES, read_file, time_span)
read, check = READER.read, READER.check
