"""Prior fluxes from files: one table of formats, few readers.

A stream (`PriorStream`, or any object with its attributes) is read day by day, so that memory does not grow with the
length of a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import xarray as xr

from gcas_driver.errors import InputError, Problem, SettingsError

from ..components import LONG_NAMES
from .day import FluxDay, three_hourly
from .layout import FORMATS
from .placement import placement_problems
from .sources import SourceReader, StreamReader, layout_of, sources
from .sources import days as source_days
from .stream import PriorStream, Stream, days_of, directory_of, label_of
from .totals import annual_totals

__all__ = ["FORMATS", "FluxDay", "PriorStream", "annual_totals", "check", "check_all", "days", "layout_of", "placement_problems", "read",
           "source_days", "sources", "three_hourly"]

MAX_PROBLEMS = 10  # of one kind in a stream: a wrong directory should not print a year of lines


def days(stream: Stream, start: np.datetime64, end: np.datetime64) -> Iterator[FluxDay]:
    """The days of `[start, end)` of a stream that borrows from no other, read one by one as they are asked for.

    Raises
    ------
    InputError
        For a file that is missing or wrong; the message names it.
    SettingsError
        For an unknown format or component.
    """
    [source] = sources([stream])
    return source_days(source, start, end)


def read(stream: Stream, start: np.datetime64, end: np.datetime64) -> xr.DataArray:
    """A stream's fluxes over `[start, end)`.

    Returns
    -------
    xarray.DataArray
        time x lat x lon, float64 [mol m-2 s-1], positive into the air; `time` is the start of each interval and
        `time_end` its end.

    Raises
    ------
    InputError, SettingsError
        See `days`; also when the grid changes on the way.
    """
    slabs = list(days(stream, start, end))
    for slab in slabs[1:]:
        _refuse_other_grid(slabs[0], slab)
    grid = slabs[0].grid
    return xr.DataArray(
        np.concatenate([s.values for s in slabs]),
        dims=("time", "lat", "lon"),
        coords={"time": np.concatenate([s.start for s in slabs]), "lat": grid.lat, "lon": grid.lon,
                "time_end": ("time", np.concatenate([s.end for s in slabs]))},
        name=stream.component,
        attrs={"units": "mol m-2 s-1", "long_name": LONG_NAMES[stream.component], "cell_methods": "time: mean"},
    )


def check_all(streams: Iterable[Stream], start: np.datetime64, end: np.datetime64) -> list[Problem]:
    """Everything that can be known of all groups' files before a run, and whether the groups fit together.

    Returns
    -------
    list of Problem
        Empty when all is well.
    """
    streams = list(streams)
    try:
        found = sources(streams)
    except SettingsError as error:
        return [Problem.of(error)]
    problems = [problem for stream in streams for problem in check(stream, start, end)]
    if problems:
        return problems
    for source in found:
        if source.gaps is None and source.diurnal is None:
            continue
        reader = SourceReader(source)
        try:
            reader.day(days_of(start, end)[0])
        except InputError as error:
            problems.append(Problem.of(error))
        finally:
            reader.close()
    return problems


def check(stream: Stream, start: np.datetime64, end: np.datetime64) -> list[Problem]:
    """Everything that can be known about a stream's files before a run: headers, and one record of every file.

    Returns
    -------
    list of Problem
        Empty when all is well. Of each kind at most ten, then their number.
    """
    try:
        wanted = days_of(start, end)
        reader = StreamReader(stream)
        directory_of(stream)
    except (InputError, SettingsError) as error:
        return [Problem.of(error)]
    problems: list[Problem] = []
    grids: dict = {}
    try:
        for day in wanted:
            try:
                grids.setdefault(reader.check(day), day)
            except InputError as error:
                problems.append(Problem.of(error))
            except SettingsError as error:
                return [*problems, Problem.of(error)]
    finally:
        reader.close()
    if len(grids) > 1:
        (grid, day), (other, other_day) = list(grids.items())[:2]
        problems.append(Problem("the grid changes within a stream", f"{label_of(stream)}, {other_day}", repr(other),
                                f"{grid!r} as on {day}"))
    return _shortened(problems, stream)


def _refuse_other_grid(first: FluxDay, slab: FluxDay) -> None:
    if slab.grid != first.grid:
        raise InputError("the grid changes within a stream", str(slab.path), repr(slab.grid),
                         f"{first.grid!r} as in {first.path}")


def _shortened(problems: list[Problem], stream: Stream) -> list[Problem]:
    """At most ten problems of a kind, and one of a file: a yearly file's is not told for each of its days."""
    kept: list[Problem] = []
    seen: dict[str, int] = {}
    told: set[tuple[str, str]] = set()
    for problem in problems:
        if (problem.what, problem.where) in told:
            continue
        told.add((problem.what, problem.where))
        seen[problem.what] = seen.get(problem.what, 0) + 1
        if seen[problem.what] <= MAX_PROBLEMS:
            kept.append(problem)
    kept += [Problem(f"{what}: {n - MAX_PROBLEMS} more files", label_of(stream), f"{n} files in all")
             for what, n in seen.items() if n > MAX_PROBLEMS]
    return kept
