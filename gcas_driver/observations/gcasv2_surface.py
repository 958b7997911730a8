"""Reader of GCASv2's daily text files of surface samples, `srf_YYYYMMDD`.

A record is: dataset name, YYYYMMDD, second of the day, latitude, longitude 0..360, altitude above sea level [m], mole
fraction [ppm], a code. Records are split at blanks; where a stream gives the record's Fortran format, that is used,
which also reads columns that touch. The meaning of the code (1 or 2 in the files of the field) is not documented:
it is kept in the identifier and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import fortranformat
import numpy as np

from gcas_driver.errors import InputError, Problem
from gcas_driver.observations.daily import check_daily_stream, read_daily
from gcas_driver.observations.points import PointSamples, point_table
from gcas_driver.observations.streams import SurfaceStream
from gcas_driver.observations.table import Observations
from gcas_driver.observations.text_records import text_of

DEFAULT_PATTERN = "srf_{yyyymmdd}"
RECORD_FORMAT = "(A60,1X,I8,1X,I6,1X,F10.4,1X,F10.4,1X,F10.2,1X,F10.3,1X,I2)"
"""What `write_records` uses."""

N_FIELDS = 8
FILL_BELOW = -900.0


def read(stream: SurfaceStream, start: np.datetime64, end: np.datetime64) -> Observations:
    """Samples of [start, end).

    Parameters
    ----------
    stream : SurfaceStream
        Its `files` holds at most one pattern with the day in it.
    start, end : datetime64
        UTC.

    Returns
    -------
    Observations
        Points. A site's code is the second part of a dataset name such as ``co2_mlo_surface-flask_1``, else the name.

    Raises
    ------
    InputError
        For a missing file or a record that cannot be read.
    """
    return read_daily(stream, _pattern(stream), start, end, read_file)


def check(stream: SurfaceStream, start: np.datetime64, end: np.datetime64,
          scales: dict[str, str] | None = None) -> list[Problem]:
    """Everything that is wrong with the stream's files, all read, and with what they hold of [start, end).

    `scales`, if given, receives the product's calibration scale.
    """
    return check_daily_stream(stream, _pattern(stream), start, end, read_file, scales)


def read_file(path: Path, stream: SurfaceStream, start: float, end: float) -> Observations:
    """Samples of one file in [start, end), seconds since 1970."""
    try:
        lines = text_of(path.read_bytes()).lstrip("\ufeff").splitlines()
    except OSError as error:
        raise InputError("cannot be read", str(path), str(error), "a srf_YYYYMMDD text file") from error
    reader = fortranformat.FortranRecordReader(stream.record_format) if stream.record_format else None
    records = [_record(line, reader, f"{path}, line {i + 1}") for i, line in enumerate(lines) if line.strip()]
    samples = _samples(records, path)
    return point_table(samples.take((samples.time >= start) & (samples.time < end)), stream, "unknown")


def write_records(path: Path, records: Iterable[tuple[str, int, int, float, float, float, float, int]]) -> None:
    """Write records (name, YYYYMMDD, second, lat, lon, altitude, ppm, code) in fixed columns (`RECORD_FORMAT`)."""
    writer = fortranformat.FortranRecordWriter(RECORD_FORMAT)
    lines = [writer.write([name.ljust(60), *numbers]) for name, *numbers in records]
    path.write_text("".join(line + "\n" for line in lines), encoding="ascii")


def _record(line: str, reader: fortranformat.FortranRecordReader | None, where: str) -> list:
    parts = line.split() if reader is None else reader.read(line)
    if len(parts) != N_FIELDS or any(part is None for part in parts):
        raise InputError("not a surface record", where, f"{len(parts)} fields: {line.strip()[:90]}",
                         "name, YYYYMMDD, second of day, lat, lon, altitude, ppm, code",
                         "set the stream's record_format where columns touch or names hold blanks")
    try:
        if any("_" in str(part) for part in parts[1:]):
            raise ValueError("not a number")
        name, date = str(parts[0]).strip(), f"{int(parts[1]):08d}"
        midnight = np.datetime64(f"{date[:4]}-{date[4:6]}-{date[6:]}", "s").astype(np.int64)
        return [name, float(midnight) + float(parts[2]), *(float(part) for part in parts[3:7]), int(parts[7])]
    except ValueError as error:
        raise InputError("not a surface record", where, f"{error}: {line.strip()[:90]}",
                         "name, YYYYMMDD, second of day, lat, lon, altitude, ppm, code") from None


def _samples(records: list[list], path: Path) -> PointSamples:
    n = len(records)
    table = np.array([record[1:6] for record in records], dtype=np.float64).reshape(n, 5)
    table[~(table > FILL_BELOW)] = np.nan
    names = [record[0] for record in records]
    sites = np.array([_site(name) for name in names], dtype=object)
    identifier = np.array([f"{path.name}:{i + 1}:{record[6]}" for i, record in enumerate(records)], dtype=object)
    blank = np.full(n, "", dtype=object)
    return PointSamples(table[:, 0], table[:, 2], table[:, 1], table[:, 3], table[:, 4], np.zeros(n), sites, identifier, blank,
                   np.zeros(n, dtype=bool))


def _site(name: str) -> str:
    parts = name.split("_")
    return (parts[1] if len(parts) > 2 and parts[0].lower() == "co2" else name).upper()


def _pattern(stream: SurfaceStream) -> str:
    if len(stream.files) > 1:
        raise InputError("more than one pattern", f"stream {stream.product}, files", ", ".join(stream.files),
                         "one pattern with {yyyymmdd} in it")
    return stream.files[0] if stream.files else DEFAULT_PATTERN
