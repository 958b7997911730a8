"""Tracers in blocks, as the core holds them: (n_blocks, n, nlat, nlon, width), the tracers of a block side by side in memory.

Fields go in and come out a few at a time: a hundred tracers are never in memory twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mozart_coupling import _transport
from mozart_coupling.errors import CouplingError

CACHE_LINE_BYTES = 64
NARROW_WIDTHS = (1, 2, 4, 8)
#: in single precision a cell of a block must fill whole cache lines: vectors that straddle two cost twice
WIDE_WIDTHS = {"double": (16, 20, 24, 32), "single": (16, 32)}
GROUP = 4  # fields that go in and come out together


class TransportError(CouplingError):
    """Arguments that the transport core cannot use."""


class Fields(Sequence[np.ndarray]):
    """The fields (n, nlat, nlon) of all tracers, float64, taken out of their blocks as they are asked for.

    Parameters
    ----------
    take_out
        (first, last) → these tracers' fields (last - first, n, nlat, nlon), as they are then: see `gathered`.
    n_tracers
        Tracers that there are.
    background
        Field added to every tracer's, or None.
    """

    def __init__(self, take_out: Callable[[int, int], np.ndarray], n_tracers: int, background: np.ndarray | None = None) -> None:
        self._take_out, self._n, self._background = take_out, n_tracers, background
        self._group, self._kept = -1, np.empty(0)

    def on(self, background: np.ndarray) -> Fields:
        """The same on a background."""
        return Fields(self._take_out, self._n, background)

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, index: int) -> np.ndarray:  # type: ignore[override]
        if not 0 <= index < self._n:
            raise IndexError(index)
        if index // GROUP != self._group:
            first = index // GROUP * GROUP
            self._kept = np.empty(0)  # before new memory is asked for
            self._kept = self._take_out(first, min(first + GROUP, self._n))
            if self._background is not None:
                self._kept += self._background
            self._group = index // GROUP
        return self._kept[index % GROUP]


class Anomalies(Sequence[np.ndarray]):
    """Fields less a mean, as they are asked for."""

    def __init__(self, fields: Sequence[np.ndarray] | np.ndarray, mean: np.ndarray) -> None:
        self._fields, self._mean = fields, mean

    def __len__(self) -> int:
        return len(self._fields)

    def __getitem__(self, index: int) -> np.ndarray:  # type: ignore[override]
        return self._fields[index] - self._mean


def tracer_mean(fields: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """Mean of all fields, float64; the mean of equal values is that value, to the bit."""
    first = np.array(fields[0], dtype=np.float64)
    total = np.zeros_like(first)
    for n in range(1, len(fields)):
        total += fields[n] - first
    return first + total / len(fields)


def block_width(n_tracers: int, precision: str) -> int:
    """The smallest narrow block that holds all, else the wide one with the least padding (the wider of equals)."""
    for width in NARROW_WIDTHS:
        if n_tracers <= width:
            return width
    return min(WIDE_WIDTHS[precision], key=lambda width: (-(-n_tracers // width) * width, -width))


def aligned_zeros(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Zeros that start on a cache line, so that no vector of a block straddles two."""
    count, size = int(np.prod(shape)), np.dtype(dtype).itemsize
    space = np.zeros(count + CACHE_LINE_BYTES // size, dtype=dtype)
    first = -space.ctypes.data % CACHE_LINE_BYTES // size
    return space[first : first + count].reshape(shape)


def scatter(values: np.ndarray, blocked: np.ndarray, threads: int, first: int = 0) -> None:
    """(n, …) as tracers `first` … of (n_blocks, n, nlat, nlon, width)."""
    if not blocked.flags.c_contiguous:  # single rows
        for n, own in enumerate(values, first):
            blocked[n // blocked.shape[-1], ..., n % blocked.shape[-1]] = own
        return
    raise_status(*getattr(_face(), f"into_blocks_{_word(blocked)}")(threads, values.T, first + 1, blocked.T))


def gathered(blocks: Sequence[np.ndarray] | np.ndarray, first: int, last: int, threads: int) -> np.ndarray:
    """Tracers `first` … `last` - 1 of blocks (n, nlat, nlon, width), the last maybe narrower, as (last - first, n, nlat, nlon), float64."""
    values = np.empty((last - first, *blocks[0].shape[:3]))
    run = getattr(_face(), f"out_of_blocks_{_word(blocks[0])}")
    for number, own, place in shares(first, last, blocks[0].shape[-1]):
        raise_status(*run(threads, blocks[number][None].T, own.start + 1, values[place].T))
    return values


def shares(first: int, last: int, width: int) -> Iterator[tuple[int, slice, slice]]:
    """Where tracers `first` … `last` - 1 are: number of each block, which of its tracers, and their places among those asked for."""
    for number in range(first // width, -(-last // width)):
        begin, end = max(first, number * width), min(last, (number + 1) * width)
        yield number, slice(begin - number * width, end - number * width), slice(begin - first, end - first)


def add_columns(blocked: np.ndarray, background: np.ndarray | None, cells: tuple[np.ndarray, np.ndarray], row: np.ndarray,
                weight: np.ndarray, sums: np.ndarray, threads: int) -> None:
    """Add weighted columns of all tracers to rows of sums, in place.

    Parameters
    ----------
    blocked
        (n_blocks, nlev, nlat, nlon, width).
    background
        Added to every tracer first (nlev, nlat, nlon), float64 in C order; or None.
    cells
        (ilat, ilon), each (n,).
    row, weight
        Where each column goes, no row twice; its weight [1]; each (n,).
    sums
        (n_rows, n_tracers, nlev), float64 in C order.
    """
    run = getattr(_face(), f"add_columns_{_word(blocked)}")
    under = np.empty((0, 0, 0)) if background is None else background
    lat, lon, place = (np.asarray(index, dtype=np.int32) + np.int32(1) for index in (*cells, row))
    raise_status(*run(threads, blocked.T, under.T, lon, lat, place, np.asarray(weight, dtype=np.float64), sums.T))


def take_into_mean(values: np.ndarray, weight: float, mean: np.ndarray, threads: int) -> None:
    """Add a block's values to a running mean, with a weight of one over their number with those before; either of any precision.

    Parameters
    ----------
    values
        (nlev, nlat, nlon, width).
    weight
        1: the mean becomes these values, whatever it was.
    mean
        Of all or only of the first tracers of the block (nlev, nlat, nlon, width or less).
    """
    run = getattr(_face(), f"average_{_word(values)}_{_word(mean)}")
    # Of whole blocks a row together, else a cell.
    together = values.shape[2] if values.shape == mean.shape else 1
    rows = [array.reshape(-1, together * array.shape[3]).T for array in (values, mean)]
    raise_status(*run(threads, rows[0], weight, rows[1]))


def shaped(values: ArrayLike, shape: tuple[int, ...], name: str) -> np.ndarray:
    """As float64 in C order; raises `TransportError` for another shape."""
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.shape != shape:
        raise TransportError(f"{name} has the wrong shape", name, f"{array.shape}", f"{shape}")
    return array


def checked(values: ArrayLike, shape: tuple[int, ...], name: str) -> np.ndarray:
    """As `shaped`; raises `TransportError` for NaN and infinities too."""
    array = shaped(values, shape, name)
    if not np.isfinite(array).all():
        raise TransportError(f"{name} is not finite", name, f"{np.count_nonzero(~np.isfinite(array))} NaN or infinite values")
    return array


def raise_status(status: int, message: str) -> None:
    """Turn a status of the work on fields into an exception."""
    if status != _transport.gcas_status.status_ok:
        raise TransportError("the transport core refused its input", found=message)


def _word(array: np.ndarray) -> str:
    return "double" if array.dtype == np.float64 else "single"


def _face() -> Any:
    return _transport.gcas_transport_fields_face
