"""How long a NetCDF classic file must be: the library reads zeros beyond the end of a truncated one without a word."""

from __future__ import annotations

import struct
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import BinaryIO

_SIZE_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8, 7: 1, 8: 2, 9: 4, 10: 8, 11: 8}
_STREAMING = 0xFFFFFFFF


def missing_bytes(path: Path | str) -> int:
    """Bytes that a classic file (CDF-1, -2 or -5) lacks against what its header promises; 0 for complete and other files."""
    with open(path, "rb") as handle:
        magic = handle.read(4)
        if len(magic) < 4 or magic[:3] != b"CDF" or magic[3] not in (1, 2, 5):
            return 0
        try:
            expected = _expected_size(handle, magic[3])
        except (struct.error, KeyError):
            expected = handle.tell() + 1  # the header itself is cut
    return max(0, expected - Path(path).stat().st_size)


def _expected_size(handle: BinaryIO, version: int) -> int:
    def number(code: str) -> Callable[[], int]:
        return lambda: struct.unpack(code, handle.read(struct.calcsize(code)))[0]

    word, count, offset = number(">I"), number(">Q" if version == 5 else ">I"), number(">I" if version == 1 else ">Q")

    def skip_name() -> None:
        _skip(handle, count())

    def skip_attributes() -> None:
        word()
        for _ in range(count()):
            skip_name()
            size = _SIZE_OF_TYPE[word()]
            _skip(handle, size * count())

    records = count()
    word()
    lengths = []
    for _ in range(count()):
        skip_name()
        lengths.append(count())
    skip_attributes()
    word()
    fixed_end, record_parts = handle.tell(), []
    for _ in range(count()):
        skip_name()
        dims = [lengths[count()] for _ in range(count())]
        skip_attributes()
        size = _SIZE_OF_TYPE[word()]
        count()  # vsize: overflows for large variables, so it is worked out here
        begin = offset()
        if dims and dims[0] == 0:
            record_parts.append((begin, prod(dims[1:]) * size))
        else:
            fixed_end = max(fixed_end, begin + prod(dims) * size)
    if not record_parts or records in (0, _STREAMING):
        return fixed_end
    # One record variable alone is not padded to four bytes.
    step = record_parts[0][1] if len(record_parts) == 1 else sum((n + 3) // 4 * 4 for _, n in record_parts)
    return max(begin + (records - 1) * step + size for begin, size in record_parts)


def _skip(handle: BinaryIO, n: int) -> None:
    padded = (n + 3) // 4 * 4
    if len(handle.read(padded)) < padded:
        raise struct.error("header ends early")
