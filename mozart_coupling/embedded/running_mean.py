"""The running mean of all tracers for history files."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import numpy as np

from mozart_coupling.embedded.blocks import Fields, TransportError, gathered, shares, take_into_mean

#: what a run holds beside tracers and means: program, meteorology, samples [bytes]; emission factors as a share of its tracers
BESIDE, FACTORS = 105 * 2**20, 0.25


def levels_in_memory(n_values: int, tracer_bytes: int, mean_bytes: int, n_levels: int) -> int:
    """Levels whose means are in memory, so that a run takes at most two and a half times its tracers in double precision.

    That is all of them, but where means in double precision of tracers in double precision are some hundred MiB.

    Parameters
    ----------
    n_values
        Of all tracers [1].
    tracer_bytes, mean_bytes
        Of one value.
    n_levels
        Levels that there are.
    """
    if 8 * n_values < BESIDE:
        return n_levels
    room = (2.5 - FACTORS) * 8 * n_values - tracer_bytes * n_values - BESIDE
    return min(n_levels, max(0, int(n_levels * room / (mean_bytes * n_values))))


class RunningMean:
    """Mean of the mixing ratios at several instants, in blocks as they are.

    Parameters
    ----------
    n_tracers
        Tracers in the blocks: those that fill up the last one have no mean.
    kind
        float64 or float32: the precision of the files.
    threads
        OpenMP threads.
    directory
        Where means that are not kept in memory wait, in a file without a name.
    """

    def __init__(self, n_tracers: int, kind: type, threads: int, directory: Path | None = None) -> None:
        self._n_tracers, self._kind, self._threads, self._directory = n_tracers, np.dtype(kind), threads, directory
        self._kept: list[np.ndarray] = []
        self._count = 0
        self._buffer, self._file = np.empty(0), -1

    def take(self, blocks: np.ndarray) -> None:
        """Take the mixing ratios (n_blocks, nlev, nlat, nlon, width) of an instant into the mean."""
        if not self._kept:
            self._begin(blocks)
        self._count += 1
        weight = 1.0 / self._count
        for number, (block, kept) in enumerate(zip(blocks, self._kept, strict=True)):
            n = len(kept)
            take_into_mean(block[:n], weight, kept, self._threads)
            for level in range(n, len(block)):
                mean = self._level(number, level)
                take_into_mean(block[level : level + 1], weight, mean, self._threads)
                if os.pwrite(self._file, mean.data, self._place(number, level)) < mean.nbytes:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._directory))

    def fields(self) -> Fields:
        """The mean of each tracer as a field (nlev, nlat, nlon), float64."""
        if self._count == 0:
            raise TransportError("no history was accumulated", "history_mean")
        return Fields(self._gathered, self._n_tracers)

    def reset(self) -> None:
        """Forget what was taken; the first instant taken afterwards stands alone."""
        self._count = 0

    def _begin(self, blocks: np.ndarray) -> None:
        self._n_levels, *plane, self._width = blocks.shape[1:]
        n = levels_in_memory(self._n_tracers * blocks[0, ..., 0].size, blocks.itemsize, self._kind.itemsize, self._n_levels)
        self._kept = [np.zeros((n, *plane, min(self._width, self._n_tracers - number * self._width)), self._kind)
                      for number in range(len(blocks))]
        if n < self._n_levels:
            self._stream = tempfile.TemporaryFile(dir=self._directory)
            self._file, self._buffer = self._stream.fileno(), np.zeros(plane[0] * plane[1] * self._width, self._kind)

    def _level(self, number: int, level: int) -> np.ndarray:
        """The mean of a block on a level (1, nlat, nlon, width): valid until the next call."""
        kept = self._kept[number]
        if level < len(kept):
            return kept[level : level + 1]
        shape = (1, *kept.shape[1:])
        mean = self._buffer[: int(np.prod(shape))].reshape(shape)
        os.preadv(self._file, [mean.data.cast("B")], self._place(number, level))
        return mean

    def _place(self, number: int, level: int) -> int:
        """First byte of a block's level in the file."""
        return ((level - len(self._kept[0])) * len(self._kept) + number) * self._buffer.nbytes

    def _gathered(self, first: int, last: int) -> np.ndarray:
        """As `blocks.gathered`."""
        if len(self._kept[0]) == self._n_levels:
            return gathered(self._kept, first, last, self._threads)
        values = np.empty((last - first, self._n_levels, *self._kept[0].shape[1:3]))
        for number, own, place in shares(first, last, self._width):
            for level in range(self._n_levels):
                values[place, level] = gathered([self._level(number, level)], own.start, own.stop, self._threads)[:, 0]
        return values
