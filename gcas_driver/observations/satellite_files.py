"""Reading and checking the files of a satellite stream: which they are, what they hold of a window, what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.config.satellite_products import PRODUCTS
from gcas_driver.errors import GcasError, InputError, Problem
from gcas_driver.observations.column_source import ColumnSource
from gcas_driver.observations.files import check_daily, daily_files, days_of, files_of_days, matching_files, pattern_of_day, seconds
from gcas_driver.observations.look_worker import shared_looks
from gcas_driver.observations.netcdf_fields import open_netcdf
from gcas_driver.observations.soundings import to_observations
from gcas_driver.observations.streams import SatelliteStream
from gcas_driver.observations.table import Observations

CHECK_SOUNDINGS = 2000
"""Soundings of a file, of its beginning and its end, that a check reads in full; of all it reads the times."""

Files = list[tuple[Path, float | None]]
"""Files, each with the midnight of its day if it is of one day."""
Source = Callable[[netCDF4.Dataset, SatelliteStream], ColumnSource]


@dataclass(frozen=True)
class Finding:
    """What a check finds in one file: a problem, or what is to be compared and summed over files."""

    path: Path
    problem: Problem | None
    counts: Mapping[str, int] = field(default_factory=dict)
    n_usable: int = 0
    n_levels: int = 0
    scale: str = ""


@dataclass(frozen=True)
class ColumnReader:
    """Reader of one product.

    Attributes
    ----------
    source : callable
        Open file and stream → what the file holds.
    single : bool
        All soundings are in one file, whatever its name: several that match are versions of it.
    """

    source: Source
    single: bool = False

    def read(self, stream: SatelliteStream, start: np.datetime64, end: np.datetime64) -> Observations:
        """Soundings of [start, end).

        Parameters
        ----------
        stream : SatelliteStream
        start, end : datetime64
            UTC.

        Returns
        -------
        Observations
            Columns, averaged in cells as the stream sets; rows that were dropped are counted by reason.

        Raises
        ------
        InputError
            For a file that is missing, cannot be read, or is not of this layout.
        """
        parts = [self.read_file(path, stream, seconds(start), seconds(end), day) for path, day in self._files(stream, start, end)]
        return Observations.concatenate(parts)

    def read_file(self, path: Path, stream: SatelliteStream, start: float, end: float, day: float | None = None,
                  sample: int | None = None) -> Observations:
        """Soundings of one file in [start, end), seconds since 1970; `day` and `sample` as `to_observations` takes them."""
        with open_netcdf(path) as dataset:
            return to_observations(self.source(dataset, stream), stream, start, end, day, sample)

    def check(self, stream: SatelliteStream, start: np.datetime64, end: np.datetime64,
              scales: dict[str, str] | None = None) -> list[Problem]:
        """What is wrong with the stream's files, and with what they hold of [start, end).

        Every file is opened: its variables, shapes, units and times are looked at, and some soundings read. `scales`, if given, receives
        the product's calibration scale.
        """
        problems: list[Problem] = []
        if is_dated(self._pattern(stream)):
            _, problems = check_daily(stream.directory, self._pattern(stream), start, end, stream.missing_days)
            if any(problem.severity == "error" for problem in problems):
                return problems
        try:
            files = self._files(stream, start, end)
        except GcasError as error:
            return [*problems, Problem.of(error)]
        return problems + self._check_files(files, stream, start, end, scales)

    def look(self, path: Path, day: float | None, stream: SatelliteStream, start: np.datetime64, end: np.datetime64) -> Finding:
        """What a check finds in one file."""
        try:
            part = self.read_file(path, stream, seconds(start), seconds(end), day, CHECK_SOUNDINGS)
        except GcasError as error:
            return Finding(path, Problem.of(error))
        return Finding(path, None, part.counts(), int(np.count_nonzero(part.evaluated)),
                       part.operators[stream.product].retrieval_pressure.shape[1], part.scale[stream.product])

    def _check_files(self, files: Files, stream: SatelliteStream, start: np.datetime64, end: np.datetime64,
                     scales: dict[str, str] | None) -> list[Problem]:
        findings = shared_looks(self, files, stream, start, end)
        problems = [finding.problem for finding in findings if finding.problem is not None]
        whole = [finding for finding in findings if finding.problem is None]
        problems += _differing("files of one product differ in their number of retrieval levels",
                               {finding.n_levels: finding.path for finding in reversed(whole)}, stream)
        problems += _differing("files of one product are on different calibration scales",
                               {finding.scale: finding.path for finding in reversed(whole)}, stream)
        if problems or not whole:
            return problems
        if scales is not None:
            scales[stream.product] = whole[0].scale
        if not sum(finding.n_usable for finding in whole):
            counts = sum((Counter(finding.counts) for finding in whole), Counter())
            found = ", ".join(f"{n} {reason}" for reason, n in counts.items()) or "no observation within the run"
            problems.append(Problem("no usable observation in any file", f"{stream.directory} (product {stream.product})", found,
                                    "at least one", "check the stream's period and selection settings", severity="warning"))
        return problems

    def _pattern(self, stream: SatelliteStream) -> str:
        return stream.file_pattern or PRODUCTS[stream.format].pattern

    def _files(self, stream: SatelliteStream, start: np.datetime64, end: np.datetime64) -> Files:
        """The files that can hold soundings of [start, end)."""
        pattern = self._pattern(stream)
        if not is_dated(pattern):
            paths = matching_files(stream.directory, (pattern,))
            if self.single and len(paths) > 1:
                raise InputError("more than one file of the whole period", str(stream.directory), ", ".join(p.name for p in paths[:4]),
                                 f"one that matches {pattern}", "narrow the stream's file_pattern to one version")
            return [(path, None) for path in paths]
        paths = daily_files(stream.directory, pattern, start, end, stream.missing_days)
        if _at(pattern, "2001-02-10") == _at(pattern, "2001-02-11"):
            return [(path, None) for path in paths]  # names tell months or years only
        days = days_of(start, end)
        found = dict(zip(map(tuple, files_of_days(stream.directory, pattern, days)), days, strict=True))
        return [(path, seconds(found[path,])) for path in paths]


def is_dated(pattern: str) -> bool:
    """Whether a file pattern depends on the date."""
    return _at(pattern, "2001-02-10") != _at(pattern, "2014-11-23")


def _at(pattern: str, day: str) -> str:
    return pattern_of_day(pattern, np.datetime64(day))


def _differing(what: str, first_of: dict, stream: SatelliteStream) -> list[Problem]:
    """An error if files differ in something that must be one: value → first file that has it."""
    if len(first_of) < 2:
        return []
    found = "; ".join(f"{value} in {path.name}" for value, path in first_of.items())
    return [Problem(what, f"{stream.directory} (product {stream.product})", found, "one",
                    "narrow file_pattern to one version, or give versions streams of their own")]
