"""Readers of formats that hold a month or a year as a whole: what they share, and CDIAC's grid of numbers."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gcas_driver.errors import InputError
from mozart_coupling.grids import Grid

from ..units import flux_units
from .coordinates import fixed_grid
from .day import FluxDay
from .gridded import moles_per_area
from .layout import Layout
from .limits import refuse_unphysical
from .stream import Stream, file_of, parts_of, period_of, setting
from .times import month_bounds

GIGAGRAMS, TERAGRAMS = "GgC cell-1 month-1", "TgC cell-1 yr-1"
ANTARCTIC_SHARE = 1.0e-3  # that an inventory may have south of 60 S; the file does not say where its rows begin


@dataclass(frozen=True)
class MonthField:
    """Mean fluxes of a month.

    Attributes
    ----------
    grid : Grid
    values : numpy.ndarray
        (nlat, nlon) [mol m-2 s-1], 0 where nothing is known.
    gaps : numpy.ndarray or None
        (nlat, nlon) bool, where nothing is known.
    path : Path
    """

    grid: Grid
    values: np.ndarray
    gaps: np.ndarray | None
    path: Path


class MonthlyReader:
    """Base of the readers: keeps the month that was read last; every day of it has the month's mean."""

    def __init__(self, stream: Stream, layout: Layout, code: str = "") -> None:
        self._stream, self._layout, self._code = stream, layout, code
        self._month: tuple[np.datetime64, MonthField] | None = None

    def day(self, day: np.datetime64) -> FluxDay:
        """One day, every value of its month checked.

        Raises
        ------
        InputError
            A file that is missing or cannot be right.
        """
        field = self._field(day)
        low = day.astype("datetime64[s]")
        return FluxDay(field.grid, np.array([low]), np.array([low + np.timedelta64(86400, "s")]), field.values[None], field.path,
                       None if field.gaps is None else field.gaps[None])

    def total(self, day: np.datetime64) -> FluxDay:
        """The mean of the day's month."""
        return MonthlyReader.day(self, day)

    def check(self, day: np.datetime64) -> Grid:
        """Reads the day's month, which is little; returns its grid."""
        return self._field(day).grid

    def close(self) -> None:
        """Forget the month."""
        self._month = None

    def _field(self, day: np.datetime64) -> MonthField:
        month = day.astype("datetime64[M]")
        if self._month is None or self._month[0] != month:
            field = self._read(day)
            refuse_unphysical(self._stream.component, field.values, field.grid, str(field.path))
            self._month = month, field
        return self._month[1]

    def _read(self, day: np.datetime64) -> MonthField:
        raise NotImplementedError

    def _factor(self, units: str, grid: Grid, day: np.datetime64, where: str) -> np.ndarray | float:
        """mol m-2 s-1 in one unit of a monthly mean or sum, the group's factor and direction included."""
        text = setting(self._stream, "units") or units
        parsed = flux_units(text)
        if parsed is None:
            raise InputError("units of the flux cannot be used", where, repr(text), "such as gC m-2 month-1 or GgC cell-1 month-1",
                             "Give `units` in the &prior group.")
        start, end = month_bounds(day)
        scale = moles_per_area(parsed, grid, np.array([start]), np.array([end]), where)
        scale = scale[0] if isinstance(scale, np.ndarray) and scale.ndim == 3 else scale
        sign = -1.0 if setting(self._stream, "positive") == "down" else 1.0
        return sign * float(getattr(self._stream, "factor", 1.0)) * scale


class CdiacReader(MonthlyReader):
    """CDIAC's `gridcar.YYYYMM` and `gridcar.YYYY`: 64800 numbers, rows from 89.5 N, each from 179.5 W eastward.

    The files of the months hold Gg C a month, those of the years Tg C a year (10^6 tonnes), in every cell.
    """

    def _read(self, day: np.datetime64) -> MonthField:
        path, pattern = file_of(self._stream, day, self._layout.patterns, self._code, compressed=True)
        numbers = _all_numbers(text_lines(path), path)
        nlat, nlon = self._layout.shape
        if numbers.size != nlat * nlon:
            raise InputError("wrong number of cells", str(path), f"{numbers.size} numbers", f"{nlat * nlon}: {nlat} rows of {nlon}",
                             "Copy or make the file again; only the numbers may stand in it.")
        if not np.isfinite(numbers).all():
            raise InputError("flux is not finite", str(path), f"{np.count_nonzero(~np.isfinite(numbers))} NaN of {numbers.size}")
        if numbers.min() < 0.0:
            raise InputError("an inventory has negative cells", str(path), f"{np.count_nonzero(numbers < 0)} of {numbers.size}", "none")
        field = np.roll(numbers.reshape(nlat, nlon)[::-1], nlon // 2, axis=1)
        grid = fixed_grid(self._layout.shape)
        if field[grid.lat < -60.0].sum() > ANTARCTIC_SHARE * field.sum():
            raise InputError("an inventory has emissions in Antarctica", str(path),
                             f"{field[grid.lat < -60.0].sum() / field.sum():.2g} of all",
                             "rows from the north, each from 180 W eastward", "Bring the rows into this order.")
        monthly = period_of(pattern) == "M"
        scale = self._factor(GIGAGRAMS if monthly else TERAGRAMS, grid, day, str(path))
        if not monthly and not setting(self._stream, "units"):
            scale = scale * (365.25 / _days_of_year(parts_of(day)[0]))  # a year's sum, over the year's own length
        return MonthField(grid, field * scale, None, path)


def _days_of_year(year: int) -> int:
    return int((np.datetime64(str(year + 1), "D") - np.datetime64(str(year), "D")).astype(int))


def text_lines(path: Path) -> list[str]:
    """Lines of a text file, gzip-compressed or not.

    Raises
    ------
    InputError
        Not readable; or compressed by `compress`, which needs its own tool.
    """
    try:
        start = path.read_bytes()[:2]
        if start == b"\x1f\x9d":
            raise InputError("file is compressed with `compress`", str(path), "a .Z file", "plain text or .gz",
                             f"Say `uncompress {path.name}` (or `gzip -d {path.name}`) in its directory.")
        data = gzip.decompress(path.read_bytes()) if start == b"\x1f\x8b" else path.read_bytes()
        return data.decode("ascii").splitlines()
    except (OSError, EOFError, gzip.zlib.error) as error:
        raise InputError("file cannot be read", str(path), str(error), "a complete file", "Copy or make the file again.") from None
    except UnicodeDecodeError:
        raise InputError("file is not text", str(path), f"{path.stat().st_size} bytes, some no ASCII", "numbers as text") from None


def _all_numbers(lines: list[str], path: Path) -> np.ndarray:
    """All numbers of a text."""
    text = " ".join(lines)
    try:
        if "_" in text:  # which Python reads as a mark between digits
            raise ValueError(next(word for word in text.split() if "_" in word))
        return np.array(text.split(), dtype=np.float64)
    except ValueError as error:
        raise InputError("not a number", str(path), str(error), "numbers only") from None
