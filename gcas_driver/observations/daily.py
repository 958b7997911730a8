"""Reading and checking a stream's files: one a day, or all that match the stream's wildcards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from gcas_driver.errors import GcasError, Problem
from gcas_driver.observations.files import check_daily, daily_files, matching_files, seconds
from gcas_driver.observations.streams import ColumnStream, SatelliteStream, SurfaceStream
from gcas_driver.observations.table import Observations
from gcas_driver.observations.wildcards import matches_any

Stream = SatelliteStream | ColumnStream | SurfaceStream
FileReader = Callable[[Path, Stream, float, float], Observations]
TimeSpan = Callable[[Path, Stream], tuple[float, float]]


def read_daily(stream: Stream, pattern: str, start: np.datetime64, end: np.datetime64, read_file: FileReader) -> Observations:
    """All observations of [start, end) out of the daily files that match `pattern`."""
    paths = daily_files(stream.directory, pattern, start, end, stream.missing_days)
    parts = [read_file(path, stream, seconds(start), seconds(end)) for path in paths]
    return Observations.concatenate(parts)


def check_daily_stream(stream: Stream, pattern: str, start: np.datetime64, end: np.datetime64, read_file: FileReader,
                       scales: dict[str, str] | None = None) -> list[Problem]:
    """What is wrong with the stream's files of [start, end); each is read."""
    paths, problems = check_daily(stream.directory, pattern, start, end, stream.missing_days)
    return problems + check_files(paths, stream, start, end, read_file, scales)


def read_matching(stream: Stream, default: tuple[str, ...], start: np.datetime64, end: np.datetime64,
                  read_file: FileReader, time_span: TimeSpan | None = None) -> Observations:
    """All observations of [start, end) out of the files that match the stream's wildcards, or else `default`.

    With `time_span`, which gives a file's earliest and latest time, files that hold nothing of [start, end) are not read.
    """
    paths = matching_files(stream.directory, stream.files or default)
    if time_span is not None:
        spans = ((path, time_span(path, stream)) for path in paths)
        paths = [path for path, (first, last) in spans if first < seconds(end) and last >= seconds(start)]
    return Observations.concatenate([read_file(path, stream, seconds(start), seconds(end)) for path in paths])


def check_matching(stream: Stream, default: tuple[str, ...], start: np.datetime64, end: np.datetime64, read_file: FileReader,
                   scales: dict[str, str] | None = None) -> list[Problem]:
    """What is wrong with the files that match; each is read."""
    try:
        paths = matching_files(stream.directory, stream.files or default)
    except GcasError as error:
        return [Problem.of(error)]
    return check_files(paths, stream, start, end, read_file, scales)


def check_files(paths: Iterable[Path], stream: Stream, start: np.datetime64, end: np.datetime64, read_file: FileReader,
                scales: dict[str, str] | None = None) -> list[Problem]:
    """What is wrong with the given files, and with what they hold for [start, end) taken together.

    Files are read one after the other and only their sums are kept, so that a run of years can be checked.
    `scales`, if given, receives the product's calibration scale.
    """
    problems, heads, counts, sites, n_usable = [], [], Counter(), set(), 0
    for path in paths:
        try:
            part = read_file(path, stream, seconds(start), seconds(end))
        except GcasError as error:
            problems.append(Problem.of(error))
            continue
        heads.append(part.select(np.zeros(len(part), dtype=bool)))
        counts.update(part.counts())
        sites.update(part.site)
        n_usable += int(np.count_nonzero(part.evaluated))
    if problems or not heads:
        return problems
    try:
        together = Observations.concatenate(heads)
    except GcasError as error:
        return [Problem.of(error)]
    if scales is not None:
        scales.update(together.scale)
    if not n_usable:
        found = ", ".join(f"{n} {reason}" for reason, n in counts.items()) or "no observation within the run"
        problems.append(Problem("no usable observation in any file", f"{stream.directory} (product {stream.product})", found,
                                "at least one", "check the stream's period and selection settings", severity="warning"))
    elif not isinstance(stream, SatelliteStream):
        problems += _absent_sites(stream, sites)
    return problems


def _absent_sites(stream: ColumnStream | SurfaceStream, present: set[str]) -> list[Problem]:
    """Sites that the stream names and no file has: perhaps misspelt."""
    codes = np.array(sorted(present), dtype=object)
    plain = np.array([code.rsplit("_", 1)[0] for code in codes], dtype=object)
    asked = sorted({*stream.sites, *getattr(stream, "sites_withheld", ())})
    absent = [site.upper() for site in asked if not matches_any((site,), codes, plain).any()]
    if not absent:
        return []
    return [Problem("sites without a sample in the run", f"{stream.directory} (product {stream.product})", ", ".join(absent),
                    "sites such as " + ", ".join(codes[:6]), "check the spelling in sites and sites_withheld",
                    severity="warning")]
