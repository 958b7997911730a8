"""What all benchmarks share: rows, timing, the machine's limits, peak memory."""

from __future__ import annotations

import ctypes
import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from gcas_driver import _build_info

WARM_UP_SECONDS = 0.3


@dataclass(frozen=True)
class Row:
    """One line of a benchmark: medians over the runs.

    `limit_seconds`: what the same work takes at the machine's own rate, measured in the same run; `peak_mib`: highest memory
    of the process during the call above what it had before, None where the system does not tell.
    """

    case: str
    threads: int
    precision: str
    seconds: float
    cpu_seconds: float
    limit_seconds: float
    peak_mib: float | None
    build: str


def build_text() -> str:
    """Compiler and flags."""
    extra = "; ".join(f"{group}: {flags}" for group, flags in _build_info.EXTRA_FLAGS.items())
    return f"{_build_info.COMPILER} {_build_info.COMPILER_VERSION} {_build_info.FLAGS}" + (f" ({extra})" if extra else "")


def time_runs(run: Callable, runs: int, prepare: Callable[[], tuple] = tuple, warm: bool = False) -> tuple[float, float]:
    """Median wall and processor seconds of `run(*prepare())`; `prepare` is not timed.

    Runs for `WARM_UP_SECONDS` go before, at least one unless `warm`: the first ones find threads asleep, a heap that grows and a low clock.
    """
    return time_in_turn([(run, prepare)], runs, warm)[0]


def time_in_turn(tasks: list[tuple[Callable, Callable[[], tuple]]], runs: int, warm: bool = False) -> list[tuple[float, float]]:
    """As `time_runs`, of several tasks `(run, prepare)` whose runs take turns: what slows the machine down slows all."""
    began = time.perf_counter()
    while not warm or time.perf_counter() - began < WARM_UP_SECONDS:
        for run, prepare in tasks:
            run(*prepare())
        warm = True
    taken: list[list[tuple[float, float]]] = [[] for _ in tasks]
    for _ in range(runs):
        for (run, prepare), times in zip(tasks, taken, strict=True):
            arguments = prepare()
            gc.collect()
            before = time.perf_counter(), time.process_time()
            run(*arguments)
            times.append((time.perf_counter() - before[0], time.process_time() - before[1]))
            del arguments
    return [(statistics.median(wall), statistics.median(cpu)) for wall, cpu in (zip(*times, strict=True) for times in taken)]


def peak_mib(run: Callable, arguments: tuple) -> float | None:
    """Highest resident memory while `run` works, above what the process held before, MiB.

    `arguments` are held before. What the process had freed goes back to the system first, so that `run` does not find it again.
    """
    status, clear = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    try:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        clear.write_text("5")
        before = _status_kib(status, "VmRSS")
        run(*arguments)
        return round((_status_kib(status, "VmHWM") - before) / 1024.0, 1)
    except (OSError, AttributeError):
        return None


def _status_kib(status: Path, name: str) -> int:
    """One line of the process' status, KiB."""
    line = next(line for line in status.read_text().splitlines() if line.startswith(name + ":"))
    return int(line.split()[1])


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


def as_table(rows: list[Row]) -> str:
    """The rows for reading."""
    lines = [f"{'case':26s} {'threads':>7s} {'precision':>9s} {'seconds':>9s} {'cpu':>9s} {'limit':>9s} {'ratio':>6s} {'peak MiB':>9s}"]
    for row in rows:
        peak = "-" if row.peak_mib is None else f"{row.peak_mib:.0f}"
        ratio = row.seconds / row.limit_seconds if row.limit_seconds else float("nan")
        lines.append(f"{row.case:26s} {row.threads:7d} {row.precision:>9s} {row.seconds:9.4f} {row.cpu_seconds:9.4f} "
                     f"{row.limit_seconds:9.4f} {ratio:6.2f} {peak:>9s}")
    return "\n".join([*lines, f"build: {rows[0].build}"] if rows else lines)
