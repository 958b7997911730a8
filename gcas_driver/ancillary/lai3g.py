"""GIMMS LAI3g: half-monthly leaf area index, binary.

`AVHRRBUVI04.<year><mon><a|b>.abl`: big-endian two-byte integers, 4320 strips of 2160 from the north to the south, the first at 180 W,
1/12 degree. Above 20000: no value. The last digit is the quality (0 good, 1 from a spline, 2 from the season's mean), the rest
1000 × LAI. `a` is the first half of the month.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from gcas_driver.errors import InputError
from mozart_coupling.grids import Grid

from .field import MonthlyField

ROWS, COLUMNS = 2160, 4320
GRID = Grid.regular(COLUMNS, ROWS, lon_first=-180.0 + 180.0 / COLUMNS)
N_BYTES = 2 * ROWS * COLUMNS
LARGEST = 20000
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NAME = re.compile(r"AVHRRBUVI\d+\.(\d{4})([a-z]{3})([ab])\.abl", re.IGNORECASE)


def month_of(path: Path) -> np.datetime64:
    """The month that a file's name says.

    Raises
    ------
    InputError
        Another name.
    """
    match = NAME.fullmatch(path.name)
    if not match or match[2].lower() not in MONTHS:
        raise InputError("no date in the name of an LAI3g file", str(path), path.name, "AVHRRBUVI04.<year><mon><a|b>.abl")
    return np.datetime64(f"{match[1]}-{MONTHS.index(match[2].lower()) + 1:02d}", "M")


def months(paths: Sequence[Path], variables: tuple[str, ...], quality: int, first: np.datetime64,
           last: np.datetime64) -> Iterator[MonthlyField]:
    """Means of the halves of each month; `variables` has no meaning here."""
    halves: dict[np.datetime64, list[Path]] = {}
    for path in paths:
        halves.setdefault(month_of(path), []).append(path)
    for month in sorted(m for m in halves if first <= m <= last):
        total, count = 0.0, 0
        for path in halves[month]:
            values = read_half(path, quality)
            present = np.isfinite(values)
            total, count = total + np.where(present, values, 0.0), count + present
        values = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        yield MonthlyField(month, values, GRID, str(halves[month][0]), "m2 m-2")


def read_half(path: Path, quality: int = 2) -> np.ndarray:
    """Leaf area index (2160, 4320), south first, from 180 W; NaN: no value, or of a quality digit above `quality`.

    Raises
    ------
    InputError
        Another size than the format's.
    """
    try:
        size = path.stat().st_size
        if size != N_BYTES:
            raise InputError("not the size of an LAI3g file", str(path), f"{size} bytes", f"{N_BYTES} bytes",
                             "Fetch it again; unpack it first if it is compressed.")
        raw = np.fromfile(path, dtype=">u2").reshape(COLUMNS, ROWS).astype(np.int32)
    except OSError as error:
        raise InputError("an LAI3g file cannot be read", str(path), str(error)) from None
    digit = raw % 10
    values = np.where((raw > LARGEST) | (digit > min(quality, 2)), np.nan, 0.001 * (raw - digit))
    return np.ascontiguousarray(values.T[::-1])
