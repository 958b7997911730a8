"""Reading and checking streams that come as one file a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from gcas_driver.errors import GcasError, Problem
from gcas_driver.observations.files import check_daily, daily_files, seconds
from gcas_driver.observations.scales import scale_problems
from gcas_driver.observations.streams import SatelliteStream, SurfaceStream
from gcas_driver.observations.table import Observations

Stream = SatelliteStream | SurfaceStream
FileReader = Callable[[Path, Stream, float, float], Observations]


def read_daily(stream: Stream, pattern: str, start: np.datetime64, end: np.datetime64, read_file: FileReader) -> Observations:
    """All observations of [start, end) out of the daily files that match `pattern`."""
    paths = daily_files(stream.directory, pattern, start, end, stream.missing_days)
    parts = [read_file(path, stream, seconds(start), seconds(end)) for path in paths]
    return Observations.concatenate(parts)


def check_daily_stream(stream: Stream, pattern: str, start: np.datetime64, end: np.datetime64,
                       read_file: FileReader) -> list[Problem]:
    """What is wrong with the stream's files of [start, end); each is read."""
    paths, problems = check_daily(stream.directory, pattern, start, end, stream.missing_days)
    return problems + check_files(paths, stream, start, end, read_file)


def check_files(paths: Iterable[Path], stream: Stream, start: np.datetime64, end: np.datetime64,
                read_file: FileReader) -> list[Problem]:
    """What is wrong with the given files, and with what they hold for [start, end) taken together."""
    problems, parts = [], []
    for path in paths:
        try:
            parts.append(read_file(path, stream, seconds(start), seconds(end)))
        except GcasError as error:
            problems.append(Problem.of(error))
    if problems or not parts:
        return problems
    try:
        together = Observations.concatenate(parts)
    except GcasError as error:
        return [Problem.of(error)]
    if not together.evaluated.any():
        counts = ", ".join(f"{n} {reason}" for reason, n in together.counts().items())
        problems.append(Problem("no usable observation in any file", f"{stream.directory} (product {stream.product})",
                                counts or "no observation within the run", "at least one",
                                "check the stream's period and selection settings", severity="warning"))
    return problems + scale_problems(together.scale)
