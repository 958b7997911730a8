"""The embedded transport model on 128x64x28 cells: a week at 30 minutes, by numbers of tracers.

`advection-N` moves N tracers by winds; `model-N` adds boundary layer, convection and emissions (the ensemble's way: components
times factors) and the sampling of a thousand columns. A few steps are timed and scaled to the week's 336; `limit_seconds` is the time in
which the machine could read and write all tracers twice a step, at the rate of a triad measured in the same run.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.embedded.step import StepEmission, StepMet
from mozart_coupling.grids import Grid

from .common import Row, build_text, peak_mib, time_runs

GRID = "128x64"
WEEK_STEPS = 336
DT = 1800.0
N_BASIS = 4
N_COLUMNS = 1000
CASES = tuple(f"{kind}-{n}" for kind in ("advection", "model") for n in (100, 50, 10, 2, 1))


def add_arguments(parser) -> None:
    """Which cases."""
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--precisions", nargs="+", choices=["double", "single"], default=["double", "single"])
    parser.add_argument("--steps", type=int, default=4, help="steps of a run, scaled to the week's 336")


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


def triad_rate(runs: int = 5, size: int = 12_000_000) -> float:
    """Bytes a second of b = c·a, the best of some runs, on one thread."""
    b, c = np.ones(size), np.ones(size)
    best = np.inf
    for _ in range(runs):
        start = time.perf_counter()
        np.multiply(c, 1.0000001, out=b)
        best = min(best, time.perf_counter() - start)
    return 16.0 * size / best


def measure(options) -> list[Row]:
    """All rows."""
    grid = Grid.named(GRID)
    hyai, hybi = hybrid_levels(28)
    met = weather(grid, hyai, hybi)
    rate = triad_rate()
    rows = []
    for case in options.cases:
        kind, n = case.split("-")[0], int(case.split("-")[1])
        for precision in options.precisions:
            for threads in options.threads:
                rows.append(_measure(case, kind == "model", n, precision, threads, grid, hyai, hybi, met, rate, options))
    return rows


def _measure(case, everything, n, precision, threads, grid, hyai, hybi, met, rate, options) -> Row:
    core = TransportCore(grid, hyai, hybi, n, precision=precision, threads=threads, boundary_layer=everything, convection=everything)
    rng = np.random.default_rng(0)
    field = rng.random((1, core.nlev, *grid.shape))
    core.set_state(np.broadcast_to(field, (n, *field.shape[1:])), met.ps_start)
    emission = None
    if everything:
        core.set_coefficients(rng.standard_normal((n, N_BASIS, *grid.shape)))
        emission = StepEmission(rng.random((N_BASIS, *grid.shape)) * 1e-6)
    ilat, ilon = rng.integers(0, grid.nlat, N_COLUMNS), rng.integers(0, grid.nlon, N_COLUMNS)
    backward = replace(met, ps_start=met.ps_end, ps_end=met.ps_start)

    def run() -> None:
        for step in range(options.steps):
            core.step((met, backward)[step % 2], DT, emission)
        if everything:
            core.gather(ilat, ilon)

    seconds, cpu = time_runs(run, options.runs)
    scale = WEEK_STEPS / options.steps
    cells = n * core.nlev * grid.nlat * grid.nlon
    limit = WEEK_STEPS * 4.0 * cells * (8 if precision == "double" else 4) / rate
    return Row(case, threads, precision, seconds * scale, cpu * scale, limit, peak_mib(run, ()), build_text())
