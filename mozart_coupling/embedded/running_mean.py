"""The running mean of all tracers for history files."""

from __future__ import annotations

import numpy as np

from mozart_coupling.embedded.blocks import Fields, TransportError, take_into_mean


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
    """

    def __init__(self, n_tracers: int, kind: type, threads: int) -> None:
        self._n_tracers, self._kind, self._threads = n_tracers, kind, threads
        self._blocks: list[np.ndarray] = []
        self._count = 0

    def take(self, blocks: np.ndarray) -> None:
        """Take the mixing ratios (n_blocks, nlev, nlat, nlon, width) of an instant into the mean."""
        width = blocks.shape[-1]
        if not self._blocks:
            self._blocks = [np.zeros((*block.shape[:-1], min(width, self._n_tracers - number * width)), self._kind)
                            for number, block in enumerate(blocks)]
        self._count += 1
        for block, mean in zip(blocks, self._blocks, strict=True):
            take_into_mean(block, 1.0 / self._count, mean, self._threads)

    def fields(self) -> Fields:
        """The mean of each tracer as a field (nlev, nlat, nlon), float64."""
        if self._count == 0:
            raise TransportError("no history was accumulated", "history_mean")
        return Fields(self._blocks, self._n_tracers, self._threads)

    def reset(self) -> None:
        """Forget what was taken; the first instant taken afterwards stands alone."""
        self._count = 0
