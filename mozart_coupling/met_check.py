"""All that can be wrong with a run's meteorology, found before the run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from mozart_coupling.errors import CouplingError, MetError
from mozart_coupling.met import LONGEST_STEP_S, DayFile
from mozart_coupling.met_format import DAY_S, EPOCH_1900, MET_FIELDS, NOT_USED

if TYPE_CHECKING:
    from mozart_coupling.met import MetFiles

ALLOWED_STEPS_S = (3 * 3600, 6 * 3600)


def check_files(met: MetFiles, start: np.datetime64, end: np.datetime64, values: bool) -> list[CouplingError]:
    """Problems of the files from the day before `start` to the day of `end`, or the day after it where `end` lies between the last
    record of its day and midnight; see `MetFiles.check`."""
    if not met.directory.is_dir():
        return [MetError("the meteorology directory does not exist", met.directory)]
    first_day, last_day = start.astype("datetime64[D]") - 1, end.astype("datetime64[D]")
    problems: list[CouplingError] = []
    reference: DayFile | None = None
    last_stamp: np.datetime64 | None = None
    for day in np.arange(first_day, last_day + 2):
        if day > last_day and (last_stamp is None or not last_day <= last_stamp < end):
            break
        try:
            path = met.path(day)
            file = DayFile(path)
        except MetError as error:
            problems.append(error)
            continue
        try:
            problems.extend(_file_problems(file, day, reference, last_stamp, values))
            last_stamp = file.times[-1] if file.times.size else last_stamp
            reference = reference or file
        except CouplingError as error:
            problems.append(error)
        finally:
            file.close()
    if last_stamp is not None and last_stamp < end:
        problems.append(MetError("the last record is before the end", met.path(last_day), str(last_stamp), f"at least {end}"))
    return problems


def _file_problems(file: DayFile, day: np.datetime64, reference: DayFile | None, last_stamp: np.datetime64 | None,
                   values: bool) -> Iterator[CouplingError]:
    yield from _geometry_problems(file, reference)
    yield from _time_problems(file, day, last_stamp)
    for name in MET_FIELDS:
        if name not in file.names:
            if MET_FIELDS[name].required:
                yield MetError("a required field is missing", file.path, ", ".join(file.names), name)
        elif values and name not in NOT_USED:
            yield from _value_problems(file, name)


def _geometry_problems(file: DayFile, reference: DayFile | None) -> Iterator[CouplingError]:
    try:
        grid, coefficients = file.grid, file.coefficients
    except MetError as error:
        yield error
        return
    if reference is None:
        return
    if grid != reference.grid:
        yield MetError("the grid differs from the first file's", file.path, str(grid), str(reference.grid))
    same = coefficients[0].shape == reference.coefficients[0].shape
    if not same or not np.allclose(coefficients, reference.coefficients, rtol=0, atol=1e-9):
        yield MetError("the hybrid levels differ from the first file's", file.path,
                       f"{coefficients[0].size - 1} levels", f"the {reference.coefficients[0].size - 1} of {reference.path.name}")


def _time_problems(file: DayFile, day: np.datetime64, last_stamp: np.datetime64 | None) -> Iterator[CouplingError]:
    times = file.times
    if times.size == 0:
        yield MetError("a file without records", file.path)
        return
    if times[0] < day or times[-1] > day + 1:
        yield MetError("dates are not those of the file's name", f"{file.path}, date", f"{times[0]} … {times[-1]}", str(day))
    steps = np.diff(times).astype("timedelta64[s]").astype(int)
    if times.size > 1 and (np.unique(steps).size > 1 or steps[0] not in ALLOWED_STEPS_S):
        yield MetError("records are not 3- or 6-hourly", f"{file.path}, datesec", f"steps {sorted(set(steps.tolist()))} s")
    if times.size == 1 or times[-1] < day + np.timedelta64(DAY_S - LONGEST_STEP_S, "s"):
        yield MetError("records do not fill the day", file.path, f"{times.size}, the last at {times[-1]}", "8 or 4")
    if last_stamp is not None and times[0] - last_stamp > np.timedelta64(LONGEST_STEP_S, "s"):
        yield MetError("a gap between meteorology records", file.path, f"{last_stamp} … {times[0]}",
                       f"steps of at most {LONGEST_STEP_S // 3600} h")
    if "time" in file.dataset.variables and "1900-01-01" in getattr(file.variable("time"), "units", ""):
        seconds = np.rint(np.atleast_1d(file.variable("time")[:]) * DAY_S).astype("timedelta64[s]")
        if np.any(np.abs((EPOCH_1900 + seconds - times).astype("timedelta64[s]").astype(int)) > 60):
            yield MetError("time disagrees with date and datesec", f"{file.path}, time", str((EPOCH_1900 + seconds)[0]), str(times[0]))


def _value_problems(file: DayFile, name: str) -> Iterator[CouplingError]:
    for index in range(file.times.size):
        try:
            file.values(name, index)
        except MetError as error:
            yield error
            return
