"""What all benchmarks share: rows, timing, peak memory."""

from __future__ import annotations

import ctypes
import gc
import itertools
import math
import statistics
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path

from gcas_driver import _build_info

from .machine import Witness

WARM_UP_SECONDS = 0.3
WITNESS = "witness-"


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


@dataclass(frozen=True)
class Task:
    """What is timed: `run(*prepare())`, in which `prepare` is not."""

    run: Callable
    threads: int = 1
    prepare: Callable[[], tuple] = tuple


@dataclass(frozen=True)
class Timing:
    """Medians over the runs that count [s]; what the witness beside them took, and the shortest time it ever took with one thread [s]."""

    seconds: float
    cpu_seconds: float
    witness: float
    witness_alone: float

    def witness_row(self, row: Row) -> Row:
        """The witness as a line of the benchmark, next to the line that it speaks for."""
        return replace(row, case=WITNESS + row.case, seconds=self.witness, cpu_seconds=self.witness * row.threads,
                       limit_seconds=self.witness_alone, peak_mib=None)


def add_patience(parser: ArgumentParser) -> None:
    """The option of those that call `time_in_turn`."""
    parser.add_argument("--patience", type=float, default=30.0,
                        help="seconds that a case waits for runs in which nobody else disturbs the machine, default %(default)g")


def time_runs(run: Callable, options: Namespace, threads: int = 1, warm: bool = False) -> Timing:
    """As `time_in_turn`, of one task."""
    return time_in_turn([Task(run, threads)], options, warm)[0]


def time_in_turn(tasks: list[Task], options: Namespace, warm: bool = False) -> list[Timing]:
    """Time some tasks whose runs take turns, so that what slows the machine down slows all.

    A machine that is shared gives two threads two cores at one moment and the halves of one at the next. So a witness, which knows nothing
    of the results, stands before and after each run. A run waits until the witness finds the machine as it can be, and there are more turns
    while some task has less than `options.runs` runs after which it was so still; for `options.patience` seconds in all. The medians are
    of the `options.runs` runs with the best witness.

    Runs for `WARM_UP_SECONDS` go before, at least one unless `warm`: the first ones find threads asleep, a heap that grows and a low clock.
    """
    began = time.perf_counter()
    while not warm or time.perf_counter() - began < WARM_UP_SECONDS:
        for task in tasks:
            task.run(*task.prepare())
        warm = True
    taken: list[list[tuple[float, float, float]]] = [[] for _ in tasks]
    with Witness(max(task.threads for task in tasks)) as witness:
        deadline = time.perf_counter() + options.patience
        for turn in itertools.count(1):
            for task, times in zip(tasks, taken, strict=True):
                times.append(_timed(task, witness, deadline))
            enough = all(sum(witness.is_itself(task.threads, beside) for beside, _, _ in times) >= options.runs
                         for task, times in zip(tasks, taken, strict=True))
            if turn >= options.runs and (enough or time.perf_counter() >= deadline):
                break
    timings = []
    for times in taken:
        beside, wall, cpu = (statistics.median(values) for values in zip(*sorted(times, key=itemgetter(0))[: options.runs], strict=True))
        timings.append(Timing(wall, cpu, beside, witness.best[1]))
    return timings


def _timed(task: Task, witness: Witness, deadline: float) -> tuple[float, float, float]:
    """Of one run what the witness took, the slower of before and after, and wall and processor seconds."""
    arguments = task.prepare()
    gc.collect()
    before = witness.seconds(task.threads)
    while not witness.is_itself(task.threads, before) and time.perf_counter() < deadline:
        before = witness.seconds(task.threads)
    wall, cpu = time.perf_counter(), time.process_time()
    task.run(*arguments)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return max(before, witness.seconds(task.threads)), wall, cpu


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


def witnesses_last(rows: list[Row]) -> list[Row]:
    """The rows in their order, those of witnesses behind all others."""
    return sorted(rows, key=lambda row: row.case.startswith(WITNESS))


def gains(rows: list[Row], row: Row) -> tuple[float, float]:
    """How many times faster a line is than the same with one thread, and what the witness beside both gained; NaN: not measured."""
    seconds = {(other.case, other.threads): other.seconds for other in rows if other.precision == row.precision}
    witness = WITNESS + row.case
    alone, beside_alone, beside = seconds.get((row.case, 1)), seconds.get((witness, 1)), seconds.get((witness, row.threads))
    return (alone / row.seconds if alone else math.nan,
            row.threads * beside_alone / beside if beside_alone and beside else math.nan)


def as_table(rows: list[Row]) -> str:
    """The rows for reading."""
    lines = [f"{'case':26s} {'threads':>7s} {'precision':>9s} {'seconds':>9s} {'cpu':>9s} {'limit':>9s} {'ratio':>6s} {'peak MiB':>9s}"]
    for row in rows:
        peak = "-" if row.peak_mib is None else f"{row.peak_mib:.0f}"
        ratio = row.seconds / row.limit_seconds if row.limit_seconds else float("nan")
        lines.append(f"{row.case:26s} {row.threads:7d} {row.precision:>9s} {row.seconds:9.4f} {row.cpu_seconds:9.4f} "
                     f"{row.limit_seconds:9.4f} {ratio:6.2f} {peak:>9s}")
    return "\n".join([*lines, f"build: {rows[0].build}"] if rows else lines)
