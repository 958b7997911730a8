"""One stream of prior fluxes: a component, a format, and where its files are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from gcas_driver.errors import InputError

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


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
        Below `directory`; `{component}`, `{date}` (yyyymmdd), `{year}`, `{month}` and `{day}` are filled in, `*` and `?`
        match anything. Empty: the format's own.
    variable, units : str
        For files that do not say, or to choose among several variables. Empty: the format's own.
    time_stamp : str
        What a time in the file marks: "start", "centre" or "end" of its interval. Empty: the format's own.
    factor : float
        The flux is multiplied by this.
    """

    component: str
    format: str
    directory: str | Path
    file_pattern: str = ""
    variable: str = ""
    units: str = ""
    time_stamp: str = ""
    factor: float = 1.0


def setting(stream: Stream, name: str) -> str:
    """An optional setting of a stream, "" when it is not there."""
    return str(getattr(stream, name, "") or "")


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
        where = f"prior {stream.component}" + (f", {line('directory')}" if line else "")
        raise InputError("directory of prior fluxes is missing", where, str(directory), "a directory",
                         "Correct `directory` of this &prior group; it counts from the namelist's own directory.")
    return directory


def file_of(stream: Stream, day: np.datetime64, default_pattern: str) -> Path:
    """The stream's file for a day.

    Raises
    ------
    InputError
        If no file, or more than one, has the name.
    """
    pattern = setting(stream, "file_pattern") or default_pattern
    year, month, number = str(day.astype("datetime64[D]")).split("-")
    parts = {"component": stream.component, "date": year + month + number, "year": year, "month": month, "day": number}
    filled = _PLACEHOLDER.sub(lambda match: parts.get(match[1], match[0]), pattern)
    directory = Path(stream.directory)
    plain = directory / filled
    if plain.is_file():
        return plain
    where = f"prior {stream.component}, {day}"
    directory_of(stream)
    found = sorted(directory.glob(filled)) if any(c in filled for c in "*?[") else []
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError("prior flux file is missing", where, "no such file", str(plain),
                         "Provide the file, or correct `directory` and `file_pattern` of this &prior group.")
    raise InputError("several prior flux files have the name", where, ", ".join(p.name for p in found[:4]),
                     f"one file {filled}", "Make `file_pattern` of this &prior group more exact.")
