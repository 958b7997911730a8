"""Text files of samples in NOAA GML's and ObsPack's dialects, indexed once, then read a block at a time.

Three dialects: header lines that start with `#` and a first data line with the names of the columns (ObsPack, and NOAA GML since
2020); names in the header line `# data_fields:` (NOAA GML before 2020), which are brought to the newer names here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations.files import while_unchanged
from gcas_driver.observations.netcdf_fields import FILL_CODES, FILL_LIMIT

BLOCK_LINES = 2048
MARGIN_SECONDS = 2.0 * 86400.0
"""Blocks are chosen by the times in the file, which may stand for the start or the end of what was averaged."""

CALENDAR = ("year", "month", "day", "hour", "minute", "second")
OLD_NAMES = {
    "sample_site_code": "site_code", "sample_year": "year", "sample_month": "month", "sample_day": "day", "sample_hour": "hour",
    "sample_minute": "minute", "sample_seconds": "second", "analysis_value": "value", "analysis_uncertainty": "value_unc",
    "analysis_flag": "qcflag", "sample_latitude": "latitude", "sample_longitude": "longitude", "sample_altitude": "altitude",
    "sample_elevation": "elevation", "sample_intake_height": "intake_height",
}


@dataclass(frozen=True)
class TextIndex:
    """Where the records of a text file are.

    Attributes
    ----------
    names : tuple of str
        Columns.
    old_dialect : bool
        NOAA GML's of before 2020.
    attributes : dict
        Attributes of the file, names in lower case.
    variables : dict
        (column, attribute) → text.
    blocks : ndarray (n_blocks, 2) of int
        First byte and byte after the last of each block of lines.
    spans : ndarray (n_blocks, 2)
        Earliest and latest time of each block, seconds since 1970; NaN where none can be made out.
    """

    path: Path
    names: tuple[str, ...]
    old_dialect: bool
    attributes: dict[str, str]
    variables: dict[tuple[str, str], str]
    blocks: np.ndarray
    spans: np.ndarray


class TextRecords:
    """Records of an indexed text file, those of the blocks that may hold times of [start, end)."""

    def __init__(self, index: TextIndex, start: float | None = None, end: float | None = None) -> None:
        self._index = index
        self.where = str(index.path)
        self.attributes = index.attributes
        self.old_dialect = index.old_dialect
        rows = [line.split() for line in lines_between(index.path, index.blocks, index.spans, start, end)]
        self.size = len(rows)
        self._table = np.array(rows, dtype=object).reshape(self.size, len(index.names))

    def has(self, name: str) -> bool:
        """Whether there is such a column; "time_components" are the calendar's six."""
        return name in self._index.names or (name == "time_components" and all(part in self._index.names for part in CALENDAR))

    def numbers(self, name: str, rows: slice = slice(None)) -> np.ndarray:
        """A column of the given rows as float64, NaN where missing."""
        if name == "time_components":
            return np.column_stack([self.numbers(part, rows) for part in CALENDAR])
        try:
            return masked(plain_numbers(self._column(name)[rows]))
        except ValueError as error:
            raise InputError(f"column {name} is not a number", self.where, str(error), "numbers",
                             "the file may be damaged: fetch it again") from None

    def texts(self, name: str, rows: slice = slice(None)) -> np.ndarray:
        """A column of the given rows as text."""
        return self._column(name)[rows]

    def about(self, name: str, attribute: str) -> str:
        """An attribute of a column by the header; "" if it has none."""
        return self._index.variables.get((name, attribute), "")

    def inventory(self) -> str:
        """What columns there are, for messages."""
        return "columns " + " ".join(self._index.names)

    def _column(self, name: str) -> np.ndarray:
        if name not in self._index.names:
            raise InputError(f"no column {name}", self.where, self.inventory(), name, "check that the stream's format is the file's")
        return self._table[:, self._index.names.index(name)]


def plain_numbers(texts: np.ndarray) -> np.ndarray:
    """Texts (n,) as float64; ValueError for what is no number, such as "1_000", which Python would take for one."""
    for text in texts:
        if "_" in text:
            raise ValueError(f"could not convert string to float: {text!r}")
    return texts.astype(np.float64)


def masked(values: np.ndarray) -> np.ndarray:
    """The same numbers, NaN where they are one of the codes of missing data, or beyond 1e30."""
    bad = ~(np.abs(values) <= FILL_LIMIT)
    with np.errstate(invalid="ignore"):
        for code in FILL_CODES:
            bad |= np.abs(values - code) <= abs(code) * 1.0e-6
    return np.where(bad, np.nan, values)


def calendar_seconds(parts: np.ndarray) -> np.ndarray:
    """Seconds since 1970 (n,) of year, month, day, hour, minute, second (n, 6); NaN where they are no date.

    An hour of 24 is midnight of the next day, and seconds may be missing.
    """
    year, month, day, hour, minute, second = np.where(np.isfinite(parts), parts, -1.0).T
    second = np.where(np.isfinite(parts[:, 5]), second, 0.0)
    months = ((np.clip(year, 1, 9999) - 1970) * 12 + np.clip(month, 1, 12) - 1).astype(np.int64).astype("datetime64[M]")
    days = months.astype("datetime64[D]")
    length = ((months + 1).astype("datetime64[D]") - days).astype(np.int64)
    good = (year >= 1) & (year <= 9999) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= length)
    good &= (hour >= 0) & (hour <= 24) & (minute >= 0) & (minute < 60) & (second >= 0) & (second <= 60)
    total = (days.astype(np.int64) + np.where(good, day, 1) - 1) * 86400.0 + hour * 3600.0 + minute * 60.0 + second
    return np.where(good, total, np.nan)


@while_unchanged(4096)
def index_text(path: Path) -> TextIndex:
    """Header and places of all records of a file; kept, since every window asks.

    Raises
    ------
    InputError
        For a file that cannot be read, is of none of the dialects, or holds a line with another number of columns.
    """
    try:
        with open(path, "rb") as file:
            header, names, first = _header(file, path)
            blocks, spans = index_blocks(file, first, len(names), path, str.split, _calendar_of(names))
    except OSError as error:
        raise InputError("cannot be read", str(path), str(error), "a text file of NOAA GML or ObsPack") from error
    attributes, variables = _attributes(header)
    old = any(line.startswith("# data_fields:") for line in header)
    return TextIndex(path, tuple(names), old, attributes, variables, blocks, spans)


def _header(file, path: Path) -> tuple[list[str], list[str], int]:
    """Header lines, names of the columns, and the first byte of the data."""
    header: list[str] = []
    while True:
        place = file.tell()
        line = file.readline()
        text = line.decode("utf-8", "replace")
        if not text.startswith("#"):
            break
        header.append(text.rstrip("\r\n"))
    fields = [line.split(":", 1)[1].split() for line in header if line.startswith("# data_fields:")]
    if fields:
        return header, [OLD_NAMES.get(name, name) for name in fields[0]], place
    names = text.split()
    if "year" in names and "value" in names:
        return header, names, file.tell()
    found = (header[0] if header else text.rstrip())[:60]
    raise InputError("not a text file of NOAA GML or ObsPack", str(path), found or "an empty file",
                     "a header with `# data_fields:`, or a line of column names with year … value",
                     "check that the stream's format is the file's")


def lines_between(path: Path, blocks: np.ndarray, spans: np.ndarray, start: float | None, end: float | None) -> list[str]:
    """Lines, but for empty ones, of the blocks that may hold times of [start, end); of all blocks without these."""
    wanted = np.ones(len(blocks), dtype=bool)
    if start is not None and end is not None:
        wanted = ~(spans[:, 1] < start - MARGIN_SECONDS) & ~(spans[:, 0] >= end + MARGIN_SECONDS)
    lines: list[str] = []
    with open(path, "rb") as file:
        for low, high in blocks[wanted]:
            file.seek(low)
            # Line by line in bytes, as they were counted: text has more ends of lines, such as a vertical tab.
            lines += [text_of(line).rstrip("\r") for line in file.read(high - low).split(b"\n")]
    return [line for line in lines if line.strip()]


def text_of(data: bytes) -> str:
    """Bytes of a text in either of the encodings that are met."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def index_blocks(file, first: int, n_columns: int, path: Path, split: Callable[[str], Sequence[str]],
                 times: Callable[[list[Sequence[str]]], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Bytes (n, 2) and time spans (n, 2) of the blocks of a text from byte `first` on; every line is looked at once.

    Parameters
    ----------
    file : binary file
    n_columns : int
        That every line must have.
    split : callable
        A line to its columns.
    times : callable
        Rows to seconds since 1970; ValueError where they are none: the block may then hold any time.
    """
    blocks, spans = [], []
    file.seek(first)
    low, number = first, 0
    while lines := [line for _, line in zip(range(BLOCK_LINES), file, strict=False)]:
        high = low + sum(len(line) for line in lines)
        rows = []
        for line in lines:
            if not line.strip():
                continue
            number += 1
            row = split(text_of(line).rstrip("\r\n"))
            if len(row) != n_columns:
                raise InputError("wrong number of columns", f"{path}, data row {number}", f"{len(row)}: {text_of(line).strip()[:80]}",
                                 str(n_columns), "the file may be truncated: fetch it again")
            rows.append(row)
        blocks.append((low, high))
        spans.append(_span(rows, times))
        low = high
    return np.array(blocks, dtype=np.int64).reshape(-1, 2), np.array(spans, dtype=np.float64).reshape(-1, 2)


def _span(rows: list[Sequence[str]], times: Callable[[list[Sequence[str]]], np.ndarray]) -> tuple[float, float]:
    try:
        found = times(rows) if rows else np.array([np.nan])
    except ValueError:
        return np.nan, np.nan
    return float(found.min()), float(found.max())


def _calendar_of(names: list[str]) -> Callable[[list[Sequence[str]]], np.ndarray]:
    """Times of rows with calendar columns."""
    places = [names.index(part) if part in names else -1 for part in CALENDAR]

    def times(rows: list[Sequence[str]]) -> np.ndarray:
        if min(places[:3]) < 0:
            raise ValueError("no calendar")
        parts = np.array([[row[place] if place >= 0 else "0" for place in places] for row in rows], dtype=object)
        return calendar_seconds(plain_numbers(parts.ravel()).reshape(parts.shape))

    return times


def _attributes(header: list[str]) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """Attributes of the file ("# site_code : MLO") and of columns ("# value:units : mol mol-1")."""
    attributes: dict[str, str] = {}
    variables: dict[tuple[str, str], str] = {}
    for line in header:
        left, colon, text = line[1:].strip().partition(" :")
        if not colon or " " in left:
            left, colon, text = line[1:].strip().partition(":")
        left = left.strip()
        if not colon or " " in left:
            continue
        name, inner, attribute = left.partition(":")
        if inner:
            variables[name, attribute] = text.strip()
        else:
            attributes.setdefault(left.lower(), text.strip())
    return attributes, variables
