"""Reading and checking a stream's files: one a day, or all that match the stream's wildcards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class MatchingReader:
    """Reader of a format whose files are found by wildcards: each is read by itself.

    Attributes
    ----------
    default_files : tuple of str
        Wildcards where the stream gives none.
    read_file : callable
        Path, stream, start and end [seconds since 1970] → observations of one file in [start, end).
    time_span : callable
        Path and stream → its earliest and latest time, seconds since 1970; (inf, -inf) for none. Files that hold nothing of a window are
        not read for it, so it should look at a file once in a run.
    """

    default_files: tuple[str, ...]
    read_file: FileReader
    time_span: TimeSpan

    def read(self, stream: Stream, start: np.datetime64, end: np.datetime64) -> Observations:
        """Observations of [start, end).

        Parameters
        ----------
        stream : ColumnStream or SurfaceStream
        start, end : datetime64
            UTC.

        Returns
        -------
        Observations
            Flagged ones stay in the table, unused, with the reason; what was left out is counted.

        Raises
        ------
        InputError
            For a file that is missing, cannot be read, or is not of the format.
        """
        paths = matching_files(stream.directory, stream.files or self.default_files)
        spans = ((path, self.time_span(path, stream)) for path in paths)
        wanted = [path for path, (first, last) in spans if first < seconds(end) and last >= seconds(start)]
        return Observations.concatenate([self.read_file(path, stream, seconds(start), seconds(end)) for path in wanted])

    def check(self, stream: Stream, start: np.datetime64, end: np.datetime64, scales: dict[str, str] | None = None) -> list[Problem]:
        """Everything that is wrong with the stream's files, all read, and with what they hold of [start, end).

        `scales`, if given, receives the product's calibration scale.
        """
        try:
            paths = matching_files(stream.directory, stream.files or self.default_files)
        except GcasError as error:
            return [Problem.of(error)]
        return check_files(paths, stream, start, end, self.read_file, scales)


def span_of(times: np.ndarray) -> tuple[float, float]:
    """Earliest and latest of times (n,) that may be missing; (inf, -inf) for none."""
    times = times[np.isfinite(times)]
    return (float(times.min()), float(times.max())) if len(times) else (np.inf, -np.inf)


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
