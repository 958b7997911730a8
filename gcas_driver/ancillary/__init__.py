"""Monthly fields that fluxes are compared with: drought, leaf area, temperature, whatever is on a global grid.

`months(group, first, last)` reads them month by month; `regional.series` makes regional means, or areas beyond a threshold, of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gcas_driver.errors import InputError, Problem

from . import gridded, lai3g
from .field import MonthlyField

__all__ = ["FORMATS", "AncillaryStream", "MonthlyField", "check", "months", "stream_of"]


@dataclass(frozen=True)
class Format:
    """One kind of file.

    Attributes
    ----------
    reader : module
        With `months(stream, format, first, last)`.
    pattern : str
        Of the files' names when the setting gives none.
    variables : tuple of str
        In order of preference; empty: the file's only field.
    lowest, highest : float
        What a value can be.
    measure : str
        What is made of it by default.
    land_only : bool
        Values lie on land; elsewhere there are none.
    unit : str
    """

    reader: Any
    pattern: str
    variables: tuple[str, ...]
    lowest: float
    highest: float
    measure: str
    land_only: bool
    unit: str


FORMATS = {
    "spei": Format(gridded, "spei*.nc", ("spei",), -10.0, 10.0, "area_below", True, "1"),
    "lai3g": Format(lai3g, "AVHRRBUVI*.abl", (), 0.0, 10.0, "mean", True, "m2 m-2"),
    "gridded": Format(gridded, "*.nc", (), -np.inf, np.inf, "mean", False, ""),
}


@dataclass(frozen=True)
class AncillaryStream:
    """An `&ancillary` group.

    Attributes
    ----------
    name, format : str
    directory : Path
    file_pattern, variable : str
        "" takes the format's own.
    measure : str
        "mean", "area_below", "area_above"; "" takes the format's own.
    threshold : float
    quality : int
        Highest quality digit of LAI3g that is used.
    mask_file : Path or None
    mask_variable : str
    mask_values : tuple of int
        Only where the mask has one of these; empty: where it has any.
    """

    name: str
    format: str
    directory: Path
    file_pattern: str = ""
    variable: str = ""
    measure: str = ""
    threshold: float = -1.5
    quality: int = 2
    mask_file: Path | None = None
    mask_variable: str = ""
    mask_values: tuple[int, ...] = ()


def stream_of(group: Any) -> AncillaryStream:
    """The stream of a namelist's group."""
    names = AncillaryStream.__dataclass_fields__
    values = {name: getattr(group, name) for name in names}
    form = FORMATS[group.format]
    return AncillaryStream(**{**values, "name": group.name or group.format, "measure": group.measure or form.measure})


def files_of(stream: AncillaryStream) -> list[Path]:
    """The stream's files.

    Raises
    ------
    InputError
        No directory, no file.
    """
    directory = Path(stream.directory)
    if not directory.is_dir():
        raise InputError("no such directory", str(directory), "nothing", "a directory", "Correct `directory` of &ancillary.")
    pattern = stream.file_pattern or FORMATS[stream.format].pattern
    found = sorted(p for p in directory.glob(pattern) if p.is_file())
    if not found:
        raise InputError("no ancillary file", str(directory), "nothing", pattern, "Correct `directory` or `file_pattern` of &ancillary.")
    return found


def months(stream: AncillaryStream, first: np.datetime64, last: np.datetime64) -> Iterator[MonthlyField]:
    """The months from `first` to `last` (both included) that the files have, in order, one in memory at a time.

    Raises
    ------
    InputError
        No file, a file that is damaged, values that cannot be.
    """
    form = FORMATS[stream.format]
    for month in form.reader.months(files_of(stream), form.variables if not stream.variable else (stream.variable,), stream.quality,
                                    np.datetime64(first, "M"), np.datetime64(last, "M")):
        month.require_range(form.lowest, form.highest)
        if form.land_only:
            month.require_land()
        yield month


def check(stream: AncillaryStream, first: np.datetime64, last: np.datetime64) -> list[Problem]:
    """What is wrong with a stream: its first month is read, and the months it has are counted."""
    try:
        next(months(stream, first, last), None)
    except InputError as error:
        return [Problem.of(error)]
    return []
