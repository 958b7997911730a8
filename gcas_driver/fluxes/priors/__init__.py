"""Prior fluxes from files: one table of formats, one reader.

A stream (`PriorStream`, or any object with its attributes) is read day by day, so that memory does not grow with the
length of a run.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from gcas_driver.errors import InputError, Problem, SettingsError

from ..components import COMPONENTS, LONG_NAMES
from .gridded import FluxDay, check_day, read_day
from .layout import FORMATS, Layout
from .stream import PriorStream, Stream, days_of, directory_of, setting

__all__ = ["FORMATS", "FluxDay", "PriorStream", "check", "days", "layout_of", "read"]

MAX_PROBLEMS = 10  # of one kind in a stream: a wrong directory should not print a year of lines


def days(stream: Stream, start: np.datetime64, end: np.datetime64) -> Iterator[FluxDay]:
    """The days of `[start, end)`, read one by one as they are asked for.

    Raises
    ------
    InputError
        For a file that is missing or wrong; the message names it.
    SettingsError
        For an unknown format or component.
    """
    layout = layout_of(stream)
    for day in days_of(start, end):
        yield read_day(stream, layout, day)


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


def check(stream: Stream, start: np.datetime64, end: np.datetime64) -> list[Problem]:
    """Everything that can be known about a stream's files before a run: headers, and one record of every file.

    Returns
    -------
    list of Problem
        Empty when all is well. Of each kind at most ten, then their number.
    """
    try:
        layout = layout_of(stream)
        wanted = days_of(start, end)
        directory_of(stream)
    except (InputError, SettingsError) as error:
        return [Problem.of(error)]
    problems: list[Problem] = []
    grids: dict = {}
    for day in wanted:
        try:
            grids.setdefault(check_day(stream, layout, day), day)
        except InputError as error:
            problems.append(Problem.of(error))
    if len(grids) > 1:
        (grid, day), (other, other_day) = list(grids.items())[:2]
        problems.append(Problem("the grid changes within a stream", f"prior {stream.component}, {other_day}", repr(other),
                                f"{grid!r} as on {day}"))
    return _shortened(problems, stream)


def layout_of(stream: Stream) -> Layout:
    """The layout of a stream's files.

    Raises
    ------
    SettingsError
        For an unknown format, component or meaning of time stamps.
    """
    if stream.component not in COMPONENTS:
        raise SettingsError("unknown component", "&prior, component", repr(stream.component), ", ".join(COMPONENTS))
    if stream.format not in FORMATS:
        raise SettingsError("unknown format of prior fluxes", f"&prior of {stream.component}, format",
                            repr(stream.format), ", ".join(FORMATS))
    if setting(stream, "time_stamp") not in ("", "start", "centre", "end"):
        raise SettingsError("unknown meaning of time stamps", f"&prior of {stream.component}, time_stamp",
                            repr(setting(stream, "time_stamp")), "start, centre or end")
    return FORMATS[stream.format]


def _refuse_other_grid(first: FluxDay, slab: FluxDay) -> None:
    if slab.grid != first.grid:
        raise InputError("the grid changes within a stream", str(slab.path), repr(slab.grid),
                         f"{first.grid!r} as in {first.path}")


def _shortened(problems: list[Problem], stream: Stream) -> list[Problem]:
    kept: list[Problem] = []
    seen: dict[str, int] = {}
    for problem in problems:
        seen[problem.what] = seen.get(problem.what, 0) + 1
        if seen[problem.what] <= MAX_PROBLEMS:
            kept.append(problem)
    kept += [Problem(f"{what}: {n - MAX_PROBLEMS} more files", f"prior {stream.component}", f"{n} files in all")
             for what, n in seen.items() if n > MAX_PROBLEMS]
    return kept
