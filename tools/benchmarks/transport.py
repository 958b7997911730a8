"""The embedded transport model on 128x64x28 cells: a week at 30 minutes, by numbers of tracers.

`advection-N` moves N tracers by winds; `model-N` adds boundary layer, convection, emissions (the ensemble's way: components times
factors) and the sampling of a thousand columns; in single precision it carries anomalies from a mean in double, as the ensemble does. A
few steps are timed, numbers of threads in turn so that a machine whose clock wanders is fair to all, and scaled to the week's 336. The
medians are of runs for whose time the machine gave what it can, as a witness tells (rows `witness-...`: see `common.time_in_turn`).
`program-N` is the whole `gcas-transport`, from its namelist to its restart files, over one day of the analytic circulation, times seven;
`history-N` the same with history files. `limit_seconds` is the time in which the machine could read and write all tracers twice a step,
at the rate of the row `triad`, measured in the same run with as many threads; the row `dgemm` is one product of two matrices of 1000 x
1000. `peak_mib`: what the model takes, from nothing to its last step; of `program` and `history` the whole process.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from mozart_coupling import _transport
from mozart_coupling.embedded.anomalies import AnomalyCore
from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.embedded.step import StepEmission, StepMet
from mozart_coupling.grids import Grid

from .common import WITNESS, Row, Task, add_patience, build_text, gains, peak_mib, time_in_turn, witnesses_last
from .machine import dgemm_rate
from .transport_site import add_tracers, make_site, write_namelist

GRID = "128x64"
LEVELS = 28
WEEK_STEPS = 336
DT = 1800.0
N_BASIS = 4
N_COLUMNS = 1000
NUMBERS = (200, 100, 50, 10, 1)
CASES = (*(f"{kind}-{n}" for kind in ("advection", "model") for n in NUMBERS), "program-100", "history-100")
TPCORE_RATE = 1.34e7  # tracer-cell-steps a core-second: GEOS-Chem's TPCORE, the same class of scheme, double precision
#: additions and multiplications that advection makes for one tracer in one cell and step; what all tracers share is not counted
FLOPS = 79
DGEMM_SIZE, TRIAD_SIZE = 1000, 12_000_000


def add_arguments(parser) -> None:
    """Which cases."""
    add_patience(parser)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--precisions", nargs="+", choices=["double", "single"], default=["double", "single"])
    parser.add_argument("--steps", type=int, default=2, help="steps of a run, scaled to the week's 336")


def weather(grid: Grid, hyai: np.ndarray, hybi: np.ndarray) -> StepMet:
    """Jets, waves, temperature and humidity of about the right size; seven waves in surface pressure."""
    lat, lon = np.deg2rad(grid.lat)[:, None], np.deg2rad(grid.lon)[None, :]
    ps = 1.0e5 - 800.0 * np.cos(7 * lon) * np.cos(lat) ** 2
    middle = 0.5 * ((hyai[1:] + hyai[:-1])[:, None, None] * 1.0e5 + (hybi[1:] + hybi[:-1])[:, None, None] * ps)
    height = np.exp(-(((middle - 2.5e4) / 4.0e4) ** 2))
    u = height * (35.0 * np.sin(2 * lat) ** 2 + 10.0 * np.cos(6 * lon) * np.cos(lat) ** 3)
    v = height * 10.0 * np.sin(6 * lon) * np.cos(lat) ** 3
    temperature = np.maximum((300.0 - 35.0 * np.sin(lat) ** 2) * (middle / ps) ** 0.19, 205.0)
    humidity = 0.017 * np.exp(-((lat / 0.6) ** 2)) * (middle / ps) ** 3
    return StepMet(u=u, v=v, ps_start=ps, ps_end=ps + 20.0 * np.cos(7 * lon + 1.0) * np.cos(lat) ** 2, temperature=temperature,
                   specific_humidity=humidity, oro=(np.cos(3 * lon) > 0.3) * np.ones_like(lat), seconds_of_day=43200.0, day_of_year=180.0)


def triad_rate(threads: int = 1, runs: int = 5) -> float:
    """Bytes a second of d = b + c·(a - b), two arrays read and one written, the best of some runs."""
    a, b, d = (np.full(TRIAD_SIZE, value) for value in (1.0, 2.0, 0.0))
    best = np.inf
    for _ in range(runs + 1):  # the first is a rehearsal
        start = time.perf_counter()
        _transport.gcas_transport_fields_face.blend_double(threads, a, b, 0.5, d)
        best = min(best, time.perf_counter() - start)
    return 24.0 * TRIAD_SIZE / best


def measure(options) -> list[Row]:
    """All rows; the machine's own first."""
    rates = {threads: triad_rate(threads) for threads in options.threads}
    rows = []
    for threads in options.threads:
        product = 2.0 * DGEMM_SIZE**3 / dgemm_rate(threads, size=DGEMM_SIZE)
        for case, seconds in (("triad", 24.0 * TRIAD_SIZE / rates[threads]), ("dgemm", product)):
            rows.append(Row(case, threads, "double", seconds, seconds * threads, seconds, None, build_text()))
    with tempfile.TemporaryDirectory() as name:
        for case in options.cases:
            kind, n = case.split("-")[0], int(case.split("-")[1])
            for precision in options.precisions:
                transfers = WEEK_STEPS * 4.0 * _cells(n) * (8 if precision == "double" else 4)
                limits = {threads: transfers / rate for threads, rate in rates.items()}
                if kind not in ("program", "history"):
                    rows += _core(case, kind == "model", n, precision, limits, options)
                    continue
                for threads, timed in _program(Path(name), kind == "history", n, precision, options).items():
                    rows.append(Row(case, threads, precision, timed[0], timed[1], limits[threads], timed[2], build_text()))
    return witnesses_last(rows)


def describe(rows: list[Row]) -> str:
    """Rates: against the other implementation of the scheme, the machine's limits, and one thread."""
    limits = {(row.case, row.threads): row.seconds for row in rows if row.case in ("triad", "dgemm")}
    lines = [f"{'case':16s} {'threads':>7s} {'precision':>9s} {'cell-steps/core-s':>17s} {'TPCORE x':>8s} {'GFLOP/s':>8s} {'DGEMM':>6s} "
             f"{'GB/s':>6s} {'triad':>6s} {'gain':>5s} {'of':>5s} {'memory':>7s}"]
    for row in rows:
        if row.case in ("triad", "dgemm") or row.case.startswith(WITNESS):
            continue
        n = int(row.case.split("-")[1])
        updates = WEEK_STEPS * _cells(n)
        flops = FLOPS * updates / row.seconds
        bytes_moved = 4.0 * (8 if row.precision == "double" else 4) * updates / row.seconds
        dgemm, triad = 2.0 * DGEMM_SIZE**3 / limits["dgemm", row.threads], 24.0 * TRIAD_SIZE / limits["triad", row.threads]
        gain, possible = gains(rows, row)
        memory = "      -" if row.peak_mib is None else f"{row.peak_mib * 2**20 / (8.0 * _cells(n)):6.2f}x"
        lines.append(f"{row.case:16s} {row.threads:7d} {row.precision:>9s} {updates / row.cpu_seconds:17.3g} "
                     f"{updates / row.cpu_seconds / TPCORE_RATE:8.1f} {flops * 1e-9:8.2f} {flops / dgemm:6.1%} {bytes_moved * 1e-9:6.2f} "
                     f"{bytes_moved / triad:6.1%} {gain:5.2f} {possible:5.2f} {memory}")
    for (case, threads), seconds in limits.items():
        rate = 2.0 * DGEMM_SIZE**3 * 1e-9 / seconds if case == "dgemm" else 24.0 * TRIAD_SIZE * 1e-9 / seconds
        lines.append(f"{case}, {threads} threads: {rate:.1f} {'GFLOP/s' if case == 'dgemm' else 'GB/s'}")
    lines.append(f"{FLOPS} operations and four transfers of a number counted for each tracer, cell and step; "
                 "memory in tracers x cells x 8 bytes; gain: over one thread, of: the witness' own.")
    return "\n".join(lines)


def _cells(n: int) -> float:
    grid = Grid.named(GRID)
    return float(n) * LEVELS * grid.nlat * grid.nlon


def _core(case: str, everything: bool, n: int, precision: str, limits: dict[int, float], options) -> list[Row]:
    """Rows of a case by numbers of threads, each with its witness."""
    scale = WEEK_STEPS / options.steps
    tasks = [Task(_prepared(everything, n, precision, threads, options.steps), threads) for threads in options.threads]
    timings = time_in_turn(tasks, options)
    tasks.clear()
    rows = []
    for threads, timing in zip(options.threads, timings, strict=True):
        peak = peak_mib(lambda threads=threads: _prepared(everything, n, precision, threads, options.steps)(), ())
        row = Row(case, threads, precision, scale * timing.seconds, scale * timing.cpu_seconds, limits[threads], peak, build_text())
        rows += [row, timing.witness_row(row)]
    return rows


def _prepared(everything: bool, n: int, precision: str, threads: int, steps: int) -> Callable[[], None]:
    """A model at its start, and what advances it."""
    grid, (hyai, hybi) = Grid.named(GRID), hybrid_levels(LEVELS)
    met = weather(grid, hyai, hybi)
    options = {"threads": threads, "boundary_layer": everything, "convection": everything}
    if everything and precision == "single":
        core = AnomalyCore(grid, hyai, hybi, n, **options)
    else:
        core = TransportCore(grid, hyai, hybi, n, precision=precision, **options)
    rng = np.random.default_rng(0)
    field = rng.random((LEVELS, *grid.shape))
    core.set_state(np.broadcast_to(field, (n, *field.shape)), met.ps_start)
    emission = None
    if everything:
        emission = StepEmission(rng.random((N_BASIS, *grid.shape)) * 1e-6, rng.standard_normal((n, N_BASIS, *grid.shape)))
    ilat, ilon = rng.integers(0, grid.nlat, N_COLUMNS), rng.integers(0, grid.nlon, N_COLUMNS)
    sums, weight = np.zeros((N_COLUMNS if everything else 0, n, LEVELS)), np.ones(N_COLUMNS)
    backward = replace(met, ps_start=met.ps_end, ps_end=met.ps_start)

    def run() -> None:
        for step in range(steps):
            core.step((met, backward)[step % 2], DT, emission)
            if everything:  # as the model does it: some columns after each step, onto what it keeps
                row = np.arange(step, N_COLUMNS, steps)
                core.add_columns(ilat[row], ilon[row], row, weight[row], sums)

    return run


def _program(directory: Path, history: bool, n: int, precision: str, options) -> dict[int, tuple[float, float, float]]:
    """As `_core`, for the whole program."""
    grid = Grid.named(GRID)
    if not (directory / "data").exists():
        make_site(directory, grid, hybrid_levels(LEVELS), N_COLUMNS)
    add_tracers(directory, grid, n)
    found: dict[int, list[tuple[float, float, float]]] = {threads: [] for threads in options.threads}
    for number in range(options.runs + 1):
        for threads in options.threads:
            namelist = write_namelist(directory, n, precision, threads, history)
            began = time.perf_counter()
            with (directory / "log").open("w") as log:
                process = subprocess.Popen([sys.executable, "-m", "mozart_coupling.embedded.main", namelist.name], cwd=directory,
                                           stdout=log, stderr=subprocess.STDOUT)
                _, status, used = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)  # it has been waited for
            if process.returncode:
                raise RuntimeError((directory / "log").read_text())
            if number:
                found[threads].append((time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024.0))
    return {threads: (7.0 * _median(runs, 0), 7.0 * _median(runs, 1), round(_median(runs, 2), 1)) for threads, runs in found.items()}


def _median(runs: list[tuple[float, ...]], column: int) -> float:
    return statistics.median(run[column] for run in runs)
