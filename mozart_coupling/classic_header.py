"""The header of a NetCDF classic file: how long the file must be, and where its fields lie.

The library reads zeros beyond the end of a truncated file without a word, and writes by pieces of 8 KiB each of which it reads first.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod
from os import SEEK_END
from pathlib import Path
from typing import BinaryIO

import numpy as np

_SIZE_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8, 7: 1, 8: 2, 9: 4, 10: 8, 11: 8}
_STREAMING = 0xFFFFFFFF
_FLOATS = {5: np.dtype(">f4"), 6: np.dtype(">f8")}


def missing_bytes(path: Path | str) -> int:
    """Bytes that a classic file (CDF-1, -2 or -5) lacks against what its header promises; 0 for complete and other files."""
    with open(path, "rb") as handle:
        magic = handle.read(4)
        if len(magic) < 4 or magic[:3] != b"CDF" or magic[3] not in (1, 2, 5):
            return 0
        try:
            expected = _expected_size(_read_header(handle, magic[3]))
        except (struct.error, KeyError, IndexError):
            expected = handle.tell() + 1  # the header itself is cut, or damaged: the library says how
    return max(0, expected - Path(path).stat().st_size)


def put_fields(path: Path | str, fields: Iterable[tuple[str, np.ndarray]]) -> None:
    """Write whole variables (real numbers, no record dimension) of a closed file that defines them, each in one piece.

    Raises
    ------
    ValueError
        A field is not of its variable's shape.
    """
    with open(path, "r+b") as handle:
        magic = handle.read(4)
        places = {variable.name: variable for variable in _read_header(handle, magic[3]).variables}
        for name, field in fields:
            place = places[name]
            if field.shape != place.shape:
                raise ValueError(f"{name}: found a field of shape {field.shape}, expected {place.shape}")
            handle.seek(place.begin)
            handle.write(np.ascontiguousarray(field, dtype=_FLOATS[place.kind]).data)


@dataclass(frozen=True)
class _Place:
    """A variable: its first byte, its lengths (a record dimension has none: 0), its type's number."""

    name: str
    begin: int
    shape: tuple[int, ...]
    kind: int


@dataclass(frozen=True)
class _Header:
    """Number of records, variables, and the header's own size."""

    records: int
    variables: list[_Place]
    size: int


def _read_header(handle: BinaryIO, version: int) -> _Header:
    def number(code: str) -> Callable[[], int]:
        return lambda: struct.unpack(code, handle.read(struct.calcsize(code)))[0]

    word, count, offset = number(">I"), number(">Q" if version == 5 else ">I"), number(">I" if version == 1 else ">Q")

    def name() -> str:
        length = count()
        return _take(handle, length)[:length].decode("utf-8", "replace")

    def skip_attributes() -> None:
        word()
        for _ in range(count()):
            name()
            size = _SIZE_OF_TYPE[word()]
            _take(handle, size * count())

    records = count()
    word()
    lengths = []
    for _ in range(count()):
        name()
        lengths.append(count())
    skip_attributes()
    word()
    variables, behind_count = [], count()
    size = handle.tell()
    for _ in range(behind_count):
        own = name()
        shape = tuple(lengths[count()] for _ in range(count()))
        skip_attributes()
        kind = word()
        count()  # vsize: overflows for large variables, so it is worked out where it is needed
        variables.append(_Place(own, offset(), shape, kind))
    return _Header(records, variables, size)


def _expected_size(header: _Header) -> int:
    fixed_end, record_parts = header.size, []
    for place in header.variables:
        size = _SIZE_OF_TYPE[place.kind]
        if place.shape and place.shape[0] == 0:
            record_parts.append((place.begin, prod(place.shape[1:]) * size))
        else:
            fixed_end = max(fixed_end, place.begin + prod(place.shape) * size)
    if not record_parts or header.records in (0, _STREAMING):
        return fixed_end
    # One record variable alone is not padded to four bytes.
    step = record_parts[0][1] if len(record_parts) == 1 else sum((n + 3) // 4 * 4 for _, n in record_parts)
    return max(begin + (header.records - 1) * step + size for begin, size in record_parts)


def _take(handle: BinaryIO, n: int) -> bytes:
    padded = (n + 3) // 4 * 4
    place = handle.tell()
    if padded > handle.seek(0, SEEK_END) - place:  # asked first: memory for a damaged length may not be there
        raise struct.error("header ends early")
    handle.seek(place)
    return handle.read(padded)
