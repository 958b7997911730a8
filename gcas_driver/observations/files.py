"""Finding observation files by pattern and date."""

from __future__ import annotations

import fnmatch
import logging
import os
import re
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path

import numpy as np

from gcas_driver.errors import InputError, Problem

log = logging.getLogger(__name__)

DAY = np.timedelta64(1, "D")
YEARS = (1900, 2200)
"""Whatever is of another time is no observation: first year, and the one after the last."""


def while_unchanged(maxsize: int) -> Callable[[Callable], Callable]:
    """Decorator of a function whose first argument is a path: its results are kept as long as the file has the same date and size.

    Every window asks the same of every file. A file that is not there raises OSError, as `Path.stat` does.

    Parameters
    ----------
    maxsize : int
        Results that are kept; the longest unused go first. The other arguments must be hashable.
    """

    def decorate(read: Callable) -> Callable:
        @lru_cache(maxsize=maxsize)
        def kept(path: Path, modified: int, size: int, *arguments):
            return read(path, *arguments)

        @wraps(read)
        def of_file(path: Path, *arguments):
            status = path.stat()
            return kept(path, status.st_mtime_ns, status.st_size, *arguments)

        of_file.cache_clear, of_file.cache_info = kept.cache_clear, kept.cache_info
        return of_file

    return decorate


def seconds(time: np.datetime64) -> float:
    """Seconds since 1970-01-01 00:00 UTC."""
    return float(np.datetime64(time, "s").astype(np.int64))


def days_of(start: np.datetime64, end: np.datetime64) -> np.ndarray:
    """The UTC days that [start, end) touches, datetime64[D]."""
    first = np.datetime64(start, "D")
    last = np.datetime64(np.datetime64(end, "s") - np.timedelta64(1, "s"), "D")
    return np.arange(first, last + DAY)


def pattern_of_day(pattern: str, day: np.datetime64) -> str:
    """`pattern` with `{yymmdd}`, `{yyyymmdd}` and strftime codes filled in for `day`."""
    codes = pattern.replace("{yymmdd}", "%y%m%d").replace("{yyyymmdd}", "%Y%m%d")
    return day.astype("datetime64[D]").item().strftime(codes)


def files_of_days(directory: Path, pattern: str, days: np.ndarray) -> list[list[Path]]:
    """Files of each of the days, in order of name. A plain directory is listed once, since a run of years asks for thousands of days."""
    directory = Path(directory)
    patterns = [pattern_of_day(pattern, day) for day in days]
    if "/" in pattern:
        return [sorted(directory.glob(text)) for text in patterns]
    names = sorted(name for name in os.listdir(directory) if not name.startswith("."))
    found = []
    for text in patterns:
        literal = max(re.split(r"\*|\?|\[.*?\]", text), key=len)  # looked for first: far quicker than the whole pattern
        found.append([directory / name for name in names if literal in name and fnmatch.fnmatchcase(name, text)])
    return found


def daily_files(directory: Path, pattern: str, start: np.datetime64, end: np.datetime64,
                missing_days: bool = True, said: bool = True) -> list[Path]:
    """Files of the days in [start, end), in order.

    Parameters
    ----------
    directory : Path
    pattern : str
        The day as `{yymmdd}`, `{yyyymmdd}` or strftime codes, then shell wildcards.
    missing_days : bool
        Whether days without a file are allowed.
    said : bool
        Say in the log which days have none.

    Raises
    ------
    InputError
        For a missing directory, a missing day that is not allowed, or two files of one day.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise InputError("no such directory", str(directory), _instead(directory), "a directory with daily observation files",
                         "correct the stream's directory")
    found, missing = [], []
    days = days_of(start, end)
    for day, matches in zip(days, files_of_days(directory, pattern, days), strict=True):
        if len(matches) > 1:
            raise InputError(f"more than one file for {day}", str(directory), ", ".join(m.name for m in matches),
                             f"one that matches {pattern_of_day(pattern, day)}",
                             "keep one version, or narrow the stream's file_pattern")
        found += [path for path in matches if path not in found[-1:]]  # a file of a month is every day's
        if not matches:
            missing.append(day)
    if missing:
        text = f"{len(missing)} of {len(days_of(start, end))} days have no file ({_some(missing)})"
        if not missing_days:
            raise InputError(text, str(directory), "no file", pattern_of_day(pattern, missing[0]),
                             "complete the directory or allow missing_days")
        if said:
            log.info("%s: %s, pattern %s", directory, text, pattern)
    return found


def check_daily(directory: Path, pattern: str, start: np.datetime64, end: np.datetime64,
                missing_days: bool) -> tuple[list[Path], list[Problem]]:
    """The files of a whole run and what is wrong with the set of them; no file at all is an error."""
    try:
        found = daily_files(directory, pattern, start, end, missing_days, said=False)
    except InputError as error:
        return [], [Problem.of(error)]
    if found:
        days = days_of(start, end)
        missing = [day for day, paths in zip(days, files_of_days(directory, pattern, days), strict=True) if not paths]
        if not missing:
            return found, []
        text = f"{len(missing)} of {len(days_of(start, end))} days have no file"
        return found, [Problem(text, str(directory), f"nothing for {_some(missing)}", pattern_of_day(pattern, missing[0]),
                               "the run goes on without them", severity="warning")]
    names = sorted(p.name for p in Path(directory).iterdir())
    return [], [Problem("no observation file for any day of the run", str(directory),
                        f"{len(names)} files{': ' + _some(names) if names else ''}",
                        pattern_of_day(pattern, np.datetime64(start, "D")),
                        "correct directory or file_pattern of the stream")]


def matching_files(directory: Path, patterns: tuple[str, ...]) -> list[Path]:
    """All files that match any of the wildcards, each once, in order of name.

    Raises
    ------
    InputError
        If a wildcard matches nothing.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise InputError("no such directory", str(directory), _instead(directory), "a directory with observation files",
                         "correct the stream's directory")
    found: set[Path] = set()
    for pattern in patterns:
        matches = [path for path in directory.glob(pattern) if path.is_file()]
        if not matches:
            raise InputError("no file matches", str(directory), _some(sorted(p.name for p in directory.iterdir())) or "nothing",
                             pattern, "correct the stream's files")
        found.update(matches)
    return sorted(found)


def _instead(directory: Path) -> str:
    """What stands where a directory is expected."""
    return "a file" if directory.exists() else "nothing"


def _some(items: list) -> str:
    shown = ", ".join(str(item) for item in items[:4])
    return shown + (", …" if len(items) > 4 else "")
