"""What all benchmarks share: rows, timing, the machine's limits, peak memory."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from gcas_driver import _build_info


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


def time_runs(run: Callable, runs: int, prepare: Callable[[], tuple] = tuple) -> tuple[float, float]:
    """Median wall and processor seconds of `run(*prepare())`; `prepare` is not timed, and one run goes before."""
    run(*prepare())
    wall, cpu = [], []
    for _ in range(runs):
        arguments = prepare()
        gc.collect()
        before = time.perf_counter(), time.process_time()
        run(*arguments)
        after = time.perf_counter(), time.process_time()
        wall.append(after[0] - before[0])
        cpu.append(after[1] - before[1])
    return statistics.median(wall), statistics.median(cpu)


def peak_mib(run: Callable, arguments: tuple) -> float | None:
    """Highest resident memory while `run` works, above what the process held before, MiB."""
    status, clear = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    try:
        gc.collect()
        clear.write_text("5")
        before = _status_kib(status, "VmRSS")
        run(*arguments)
        return round((_status_kib(status, "VmHWM") - before) / 1024.0, 1)
    except OSError:
        return None


def _status_kib(status: Path, name: str) -> int:
    """One line of the process' status, KiB."""
    line = next(line for line in status.read_text().splitlines() if line.startswith(name + ":"))
    return int(line.split()[1])


def dgemm_rate(threads: int, runs: int = 9, size: int = 1200) -> float:
    """Floating-point operations a second of a double-precision matrix product: the best of some runs, as a limit should be."""
    rng = np.random.default_rng(0)
    a, b = rng.random((size, size)), rng.random((size, size))
    best = np.inf
    with threadpool_limits(threads):
        for _ in range(runs):
            start = time.perf_counter()
            np.matmul(a, b)
            best = min(best, time.perf_counter() - start)
    return 2.0 * size**3 / best


def as_table(rows: list[Row]) -> str:
    """The rows for reading."""
    lines = [f"{'case':26s} {'threads':>7s} {'precision':>9s} {'seconds':>9s} {'cpu':>9s} {'limit':>9s} {'ratio':>6s} {'peak MiB':>9s}"]
    for row in rows:
        peak = "-" if row.peak_mib is None else f"{row.peak_mib:.0f}"
        ratio = row.seconds / row.limit_seconds if row.limit_seconds else float("nan")
        lines.append(f"{row.case:26s} {row.threads:7d} {row.precision:>9s} {row.seconds:9.4f} {row.cpu_seconds:9.4f} "
                     f"{row.limit_seconds:9.4f} {ratio:6.1f} {peak:>9s}")
    return "\n".join([*lines, f"build: {rows[0].build}"] if rows else lines)
