"""What the machine can do: its rates, and how much of its processors it gives at a moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import ThreadpoolController, threadpool_limits

WITNESS_SIZE, WITNESS_PRODUCTS = 192, 12  # some four thousandths of a second in a cache of a megabyte
WITNESS_TOLERANCE = 0.05


class Witness:
    """Tells whether threads have processors of their own now: each multiplies small matrices of its own, so that nothing but the machine
    can make two of them slower than one.

    Attributes
    ----------
    best
        Shortest time so far by number of threads [s].
    """

    def __init__(self, most_threads: int) -> None:
        rng = np.random.default_rng(0)
        self._matrices = [rng.random((3, WITNESS_SIZE, WITNESS_SIZE)) for _ in range(most_threads)]
        self._blas = ThreadpoolController()
        self.best: dict[int, float] = {}

    def __enter__(self) -> Witness:
        self._threads = ThreadPoolExecutor(len(self._matrices))
        for threads in range(1, len(self._matrices) + 1):
            for _ in range(10):
                self.seconds(threads)
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()

    def seconds(self, threads: int) -> float:
        """What the work takes the slowest of so many threads at once, now [s]."""
        began = []
        start = threading.Barrier(threads, lambda: began.append(time.perf_counter()))
        with self._blas.limit(limits=1, user_api="blas"):
            taken = max(self._threads.map(lambda own: _multiply(own, start), self._matrices[:threads])) - began[0]
        self.best[threads] = min(self.best.get(threads, np.inf), taken)
        return taken

    def is_itself(self, threads: int, seconds: float) -> bool:
        """Whether the machine gave as much as it ever did when the work took so long."""
        return seconds <= (1.0 + WITNESS_TOLERANCE) * self.best[threads]


def _multiply(matrices: np.ndarray, start: threading.Barrier) -> float:
    """When the work is done [s], after a product that fills the cache and a wait for the others."""
    np.matmul(matrices[0], matrices[1], out=matrices[2])
    start.wait()
    for _ in range(WITNESS_PRODUCTS):
        np.matmul(matrices[0], matrices[1], out=matrices[2])
    return time.perf_counter()


def dgemm_rate(threads: int, runs: int = 5, size: int = 1000) -> float:
    """Floating-point operations a second of a double-precision matrix product: the best of some runs, as a limit should be."""
    rng = np.random.default_rng(0)
    a, b = rng.random((size, size)), rng.random((size, size))
    return 2.0 * size**3 / best_seconds(lambda: np.matmul(a, b), threads, runs)


def read_rate(threads: int, runs: int = 5, size: int = 4000) -> float:
    """Bytes a second of a matrix-vector product too large for any cache: the best of some runs."""
    matrix, vector = np.ones((size, size)), np.ones(size)
    return matrix.nbytes / best_seconds(lambda: np.matmul(matrix, vector), threads, runs)


def best_seconds(run: Callable, threads: int, runs: int) -> float:
    """Shortest time of `run` with so many BLAS threads."""
    best = np.inf
    with threadpool_limits(threads):
        for _ in range(runs):
            start = time.perf_counter()
            run()
            best = min(best, time.perf_counter() - start)
    return best
