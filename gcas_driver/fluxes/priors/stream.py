"""One stream of prior fluxes: a component, a format, and where its files are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from gcas_driver.errors import InputError

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_DIGITS = {"date": 8, "year": 4, "month": 2, "day": 2}
COMPRESSED = (".gz", ".Z")


class Stream(Protocol):
    """What a reader needs to know of a `&prior` group; further settings of it are optional (see `PriorStream`)."""

    component: str
    format: str
    directory: str | Path
    file_pattern: str


@dataclass(frozen=True)
class PriorStream:
    """A `&prior` group.

    Attributes
    ----------
    component : str
        "bio", "ocn", "fossil" or "fire".
    format : str
        A name in `gcas_driver.fluxes.priors.FORMATS`.
    directory : path
        Where the files are.
    file_pattern : str
        Below `directory`; `{component}`, `{date}` (yyyymmdd), `{year}`, `{month}`, `{day}` and `{code}` are filled in, `*` and `?`
        match anything. Empty: the format's own.
    variable, units : str
        For files that do not say, or to choose among several variables; variables joined by "+" are added up. Empty: the format's own.
    time_stamp : str
        What a time in the file marks: "start", "centre" or "end" of its interval. Empty: the format's own.
    positive : str
        "up" or "down": the direction in which the file counts. Empty: what the file says, else up.
    factor : float
        The flux is multiplied by this.
    name : str
        By which other groups refer to this one.
    counts : bool
        False: the group only lends its gap filling or diurnal cycle to others.
    codes : tuple of str
        Products whose mean is taken, where file names have a `{code}`.
    gaps_from : str
        Name of the group that fills the cells where this one has no value.
    diurnal : str
        Shape within the day of a product without one: a name in `diurnal.SHAPES`, or that of a group.
    recycle_years : tuple of int
        First and last year of the files (or only one); days of other years are read from one of them.
    recycle_by : str
        "cycle": years go round; "nearest": the first or the last one stands for all beyond it.
    """

    component: str
    format: str
    directory: str | Path
    file_pattern: str = ""
    variable: str = ""
    units: str = ""
    time_stamp: str = ""
    positive: str = ""
    factor: float = 1.0
    name: str = ""
    counts: bool = True
    codes: tuple[str, ...] = ()
    gaps_from: str = ""
    diurnal: str = ""
    recycle_years: tuple[int, ...] = ()
    recycle_by: str = "cycle"


def setting(stream: Stream, name: str) -> str:
    """An optional setting of a stream, "" when it is not there."""
    return str(getattr(stream, name, "") or "")


def label_of(stream: Stream) -> str:
    """What a stream is called in messages, such as "prior ocn" or "prior ocn 'takahashi'"."""
    name = setting(stream, "name")
    return f"prior {stream.component}" + (f" '{name}'" if name else "")


def line_of(stream: Stream, variable: str) -> str:
    """Where a setting of a stream stands: namelist and line where these are known."""
    line = getattr(stream, "where", None)
    return f"&prior of {stream.component}, {variable}" + (f", {line(variable)}" if line else "")


def days_of(start: np.datetime64, end: np.datetime64) -> list[np.datetime64]:
    """The days of `[start, end)`.

    Raises
    ------
    InputError
        If the interval is empty or not made of whole days.
    """
    first, last = np.datetime64(start, "D"), np.datetime64(end, "D")
    if first != np.datetime64(start, "s") or last != np.datetime64(end, "s") or last <= first:
        raise InputError("fluxes are read by whole days", "prior fluxes", f"{start} to {end}",
                         "start and end at 00:00 UTC, end after start")
    return list(np.arange(first, last))


def source_day(stream: Stream, day: np.datetime64) -> np.datetime64:
    """The day whose files are read for `day`: another one only where the stream recycles years.

    29 February becomes the 28th where the year that is read has none.
    """
    years = tuple(getattr(stream, "recycle_years", ()))
    year, month, number = parts_of(day)
    if not years or min(years) <= year <= max(years):
        return day
    first, last = min(years), max(years)
    read = int(np.clip(year, first, last)) if setting(stream, "recycle_by") == "nearest" else first + (year - first) % (last - first + 1)
    return same_day(read, month, number)


def same_day(year: int, month: int, number: int) -> np.datetime64:
    """That day of another year; the 28th for 29 February of a year without."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return np.datetime64(f"{year:04d}-{month:02d}-{28 if (month, number) == (2, 29) and not leap else number:02d}")


def parts_of(day: np.datetime64) -> tuple[int, int, int]:
    """Year, month and day."""
    year, month, number = (int(part) for part in str(day.astype("datetime64[D]")).split("-"))
    return year, month, number


def directory_of(stream: Stream) -> Path:
    """The stream's directory.

    Raises
    ------
    InputError
        If there is none; once for all days, with the namelist's line where that is known.
    """
    directory = Path(stream.directory)
    if not directory.is_dir():
        line = getattr(stream, "where", None)
        where = label_of(stream) + (f", {line('directory')}" if line else "")
        raise InputError("directory of prior fluxes is missing", where, str(directory), "a directory",
                         "Correct `directory` of this &prior group; it counts from the namelist's own directory.")
    return directory


def patterns_of(stream: Stream, own: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the stream's files: what its group says, else the format's dialects, the finest first."""
    return (setting(stream, "file_pattern"),) if setting(stream, "file_pattern") else own


def period_of(pattern: str) -> str:
    """What a file holds by its name: "D" a day, "M" a month, "Y" a year, "" anything."""
    names = set(_PLACEHOLDER.findall(pattern))
    return "D" if names & {"date", "day"} else "M" if "month" in names else "Y" if "year" in names else ""


def file_of(stream: Stream, day: np.datetime64, own: tuple[str, ...], code: str = "", *, compressed: bool = False) -> tuple[Path, str]:
    """The stream's file for a day, and the pattern that its name has.

    Of a format's several dialects the first is taken that the directory has any file of: a day that is missing among daily files
    is not read from a monthly mean beside them.

    Raises
    ------
    InputError
        If no file, or more than one, has the name.
    """
    patterns = patterns_of(stream, own)
    endings = ("", *COMPRESSED) if compressed else ("",)
    found = _files(stream, patterns[0], day, code, endings)
    pattern = patterns[0] if found else next((p for p in patterns if _has_any(stream, p, code, endings)), patterns[0])
    found = found or _files(stream, pattern, day, code, endings)
    filled = _filled(pattern, stream, day, code)
    where = f"{label_of(stream)}, {day}"
    if not found:
        directory = directory_of(stream)
        raise InputError("prior flux file is missing", where, "no such file", str(directory / filled),
                         "Provide the file, or correct `directory` and `file_pattern` of this &prior group; `recycle_years` reads files "
                         "of other years.")
    if len(found) > 1:
        raise InputError("several prior flux files have the name", where, ", ".join(path.name for path in found[:4]),
                         f"one file {filled}", "Make `file_pattern` of this &prior group more exact.")
    return found[0], pattern


def _files(stream: Stream, pattern: str, day: np.datetime64, code: str, endings: tuple[str, ...]) -> list[Path]:
    """Files of a day: the one of exactly that name, or all that a pattern with wildcards matches."""
    directory, filled = Path(stream.directory), _filled(pattern, stream, day, code)
    plain = [path for path in (directory / (filled + ending) for ending in endings) if path.is_file()]
    if plain or not any(c in filled for c in "*?["):
        return plain[:1]
    return sorted(path for ending in endings for path in directory.glob(filled + ending) if path.is_file())


def _has_any(stream: Stream, pattern: str, code: str, endings: tuple[str, ...]) -> bool:
    """Whether the directory has a file of that pattern, of any day."""
    parts = {"component": stream.component, "code": code, **{name: "[0-9]" * n for name, n in _DIGITS.items()}}
    wild = _PLACEHOLDER.sub(lambda match: parts.get(match[1], match[0]), pattern)
    return any(next(Path(stream.directory).glob(wild + ending), None) is not None for ending in endings)


def _filled(pattern: str, stream: Stream, day: np.datetime64, code: str) -> str:
    year, month, number = str(day.astype("datetime64[D]")).split("-")
    parts = {"component": stream.component, "date": year + month + number, "year": year, "month": month, "day": number, "code": code}
    return _PLACEHOLDER.sub(lambda match: parts.get(match[1], match[0]), pattern)

