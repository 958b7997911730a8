"""The ensemble analysis on two fixed problems, S1 and S2 (and S0, a small one to try it out), and the XCO2 operator.

Regular cells, two parameters each, 100 centred members of smoothed noise, observations uniform on the sphere, R = 1.
Numbers of threads take turns, run by run, beside a witness (rows `witness-…`: see `common.time_in_turn`).

`limit_seconds` is the time of the state update's 4 N operations a pair within reach at the rate of DGEMM, the better of just before and
just after the runs. Of a case `…-masked`, in which 70 per cent of the cells have no spread, it is the time of the same analysis without
their parameters, taken in turn: what is above it they cost. `peak_mib` is what an analysis needs above its inputs; the posterior takes the
prior's memory (`overwrite_x`). Single precision is measured with the largest number of threads only. The operator's limit is the time to
read the profiles once.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.ndimage import gaussian_filter

from gcas_driver.analysis import Localization, ensrf, letkf
from gcas_driver.observations import xco2_operator

from .common import Row, Task, add_patience, build_text, gains, peak_mib, time_in_turn, time_runs, witnesses_last
from .machine import dgemm_rate, read_rate

MEMBERS = 100
FAR_KM = 3000.0
SPREAD = 0.5
MEAN_HPH = 0.37
SMOOTHING_KM = 600.0
SIZES = {"S0": (32, 16, 100), "S1": (128, 64, 2000), "S2": (360, 180, 5000)}


@dataclass(frozen=True)
class Problem:
    """One problem: members, simulated values, observations, and their places in degrees."""

    x: np.ndarray
    hx: np.ndarray
    y: np.ndarray
    r: np.ndarray
    localization: Localization


def add_arguments(parser) -> None:
    """Which cases."""
    add_patience(parser)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=["S1", "S2"])
    parser.add_argument("--filters", nargs="*", choices=[*CASES, *MASKED], default=[*CASES, "taper-masked", "significance-masked"])
    parser.add_argument("--soundings", type=int, default=100_000, help="of the XCO2 operator; 0 leaves it out")


def make_problem(n_lon: int, n_lat: int, n_observations: int, seed: int = 20211963) -> Problem:
    """Build a problem; the same seed gives the same numbers."""
    rng = np.random.default_rng(seed)
    lon = -180.0 + (np.arange(n_lon) + 0.5) * 360.0 / n_lon
    lat = -90.0 + (np.arange(n_lat) + 0.5) * 180.0 / n_lat
    width = SMOOTHING_KM / (40030.0 / n_lon)
    members = np.empty((2, n_lat, n_lon, MEMBERS))
    for component in range(2):
        noise = rng.standard_normal((MEMBERS, n_lat, n_lon))
        noise = gaussian_filter(noise, (0.0, width, width), mode=("nearest", "nearest", "wrap"))
        noise -= noise.mean(axis=0)
        noise *= SPREAD / noise.std(axis=0, ddof=1)
        members[component] = np.moveaxis(noise, 0, -1)

    observation_lon = rng.uniform(-180.0, 180.0, n_observations)
    observation_lat = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, n_observations)))
    cell = (np.clip(((observation_lat + 90.0) / 180.0 * n_lat).astype(int), 0, n_lat - 1),
            np.clip(((observation_lon + 180.0) / 360.0 * n_lon).astype(int), 0, n_lon - 1))
    hx = members[0][cell] + members[1][cell]
    hx *= np.sqrt(MEAN_HPH / hx.var(axis=1, ddof=1).mean())
    y = np.sqrt(MEAN_HPH) * rng.standard_normal(n_observations) + rng.standard_normal(n_observations)

    mesh_lat, mesh_lon = np.meshgrid(lat, lon, indexing="ij")
    places = Localization(np.tile(mesh_lon.ravel(), 2), np.tile(mesh_lat.ravel(), 2), observation_lon, observation_lat,
                          far_km=FAR_KM, p_value=None, sign=False, taper="gaspari-cohn")
    return Problem(1.0 + members.reshape(-1, MEMBERS), hx, y, np.ones(n_observations), places)


PRECISIONS = ("double", "single")


@dataclass(frozen=True)
class Case:
    """A filter, what it changes of the problem's localization, its options, and the precisions that differ."""

    run: Callable
    name: str
    change: dict
    options: dict = field(default_factory=dict)
    precisions: tuple[str, ...] = PRECISIONS


SIGNIFICANCE = {"p_value": 0.05, "sign": True, "taper": None}
"""The paper's two bands in place of the distance taper."""
CASES = {
    "taper": Case(ensrf, "ensrf-{}-taper", {}),
    "significance": Case(ensrf, "ensrf-{}-significance", SIGNIFICANCE),
    "letkf": Case(letkf, "letkf-{}", {}),
    "letkf-significance": Case(letkf, "letkf-{}-significance", SIGNIFICANCE),
    "letkf-interpolated": Case(letkf, "letkf-{}-interpolated", {}, {"interpolation_km": 500.0}, ("double",)),
}


MASKED = {f"{name}-masked": CASES[name] for name in ("taper", "significance", "letkf")}
"""The same with parameters that have no spread."""
MASKED_SHARE = 0.7
MASK_KM = 2000.0


def mask_of(n_lon: int, n_lat: int, seed: int = 7) -> np.ndarray:
    """Which parameters have no spread: those of the cells of `MASKED_SHARE` of all in one patch after another, as of an ocean."""
    width = MASK_KM / (40030.0 / n_lon)
    field = gaussian_filter(np.random.default_rng(seed).standard_normal((n_lat, n_lon)), width, mode=("nearest", "wrap"))
    return np.tile((field < np.quantile(field, MASKED_SHARE)).ravel(), 2)


def run_case(case: Case, problem: Problem, localization: Localization, threads: int, precision: str, x: np.ndarray):
    """One analysis, the posterior in the place of the prior."""
    return case.run(x, problem.hx, problem.y, problem.r, localization=localization, threads=threads, precision=precision,
                    overwrite_x=True, **case.options)


def measure(options) -> list[Row]:
    """All cases for all sizes and numbers of threads."""
    rows = []
    for size in options.sizes if options.filters else ():
        problem = make_problem(*SIZES[size])
        for name in options.filters:
            if name in MASKED:
                mask = mask_of(*SIZES[size][:2])
                rows += [measure_masked(MASKED[name], size, problem, mask, threads, options) for threads in options.threads]
                continue
            rows += measure_case(CASES[name], size, problem, options)
    for threads in options.threads if options.soundings else ():
        rows.append(measure_operator(options.soundings, threads, options))
    return witnesses_last(rows)


def measure_case(case: Case, size: str, problem: Problem, options: Namespace) -> list[Row]:
    """Time one case with each number of threads next to the machine's limit; each row with its witness.

    Their runs take turns, and only those count in whose time the machine was itself: what two threads gain is seen also where its speed
    changes from one second to the next.
    """
    localization = replace(problem.localization, **case.change)
    settings = [(n, precision) for n in options.threads
                for precision in case.precisions[: 2 if n == max(options.threads) else 1]]
    n_pairs = 0

    def task(n_threads: int, precision: str) -> Callable[[np.ndarray], None]:
        def run(x: np.ndarray) -> None:
            nonlocal n_pairs
            n_pairs = run_case(case, problem, localization, n_threads, precision, x).n_pairs

        return run

    tasks = [Task(task(*setting), setting[0], lambda: (problem.x.copy(),)) for setting in settings]
    peaks = [peak_mib(task.run, (problem.x.copy(),)) for task in tasks]
    before = {n: dgemm_rate(n) for n in options.threads}
    taken = time_in_turn(tasks, options, warm=None not in peaks)
    rates = {n: max(before[n], dgemm_rate(n)) for n in options.threads}
    rows = []
    for (n, precision), timing, peak in zip(settings, taken, peaks, strict=True):
        row = Row(case.name.format(size), n, precision, timing.seconds, timing.cpu_seconds, 4.0 * MEMBERS * n_pairs / rates[n], peak,
                  build_text())
        rows += [row, timing.witness_row(row)]
    return rows


def measure_masked(case: Case, size: str, problem: Problem, mask: np.ndarray, threads: int, options: Namespace) -> Row:
    """Time one case with `mask` next to the same without the masked parameters."""
    places = replace(problem.localization, **case.change)
    x = np.where(mask[:, None], 1.0, problem.x)
    active = np.ascontiguousarray(problem.x[~mask])
    alone = replace(places, parameter_lon=places.parameter_lon[~mask], parameter_lat=places.parameter_lat[~mask])

    def run(values: np.ndarray, localization: Localization = places) -> None:
        run_case(case, problem, localization, threads, "double", values)

    peak = peak_mib(run, (x.copy(),))
    masked, active_alone = time_in_turn([Task(run, threads, lambda: (x.copy(),)), Task(run, threads, lambda: (active.copy(), alone))],
                                        options)
    return Row(f"{case.name.format(size)}-masked", threads, "double", masked.seconds, masked.cpu_seconds, active_alone.seconds, peak,
               build_text())


def describe(rows: list[Row]) -> str:
    """What more threads gain; what a masked parameter costs of one that is updated, by the rows of one case with and without a mask."""
    lines = []
    for row in rows:
        gain, possible = gains(rows, row)
        if row.threads > 1 and np.isfinite(gain + possible):
            lines.append(f"{row.case}, {row.threads} threads: {gain:.2f} times as fast as one; work of which nothing is shared, beside it: "
                         f"{possible:.2f}")
        name = row.case.removesuffix("-masked")
        of_all = [other.seconds for other in rows if (other.case, other.threads, other.precision) == (name, row.threads, row.precision)]
        if name != row.case and of_all:
            share = (row.seconds - row.limit_seconds) / (of_all[0] - row.limit_seconds)
            lines.append(f"{name}, {row.threads} threads: a masked parameter costs {share:.3f} of one that is updated")
    return "\n".join(lines)


LEVELS, RETRIEVAL_LEVELS, BATCH = 28, 20, 10_000
"""Of the XCO2 operator; all profiles at once would be 2.2 GB, so one batch of soundings is used again and again."""


def measure_operator(soundings: int, threads: int, options: Namespace) -> Row:
    """Time `xco2_operator` on batches of random profiles."""
    rng = np.random.default_rng(20211963)
    batch = min(BATCH, soundings)
    pressure = np.linspace(300.0, 98000.0, LEVELS) * rng.uniform(0.97, 1.03, (batch, 1))
    profile = 4e-4 * (1.0 + 0.01 * rng.standard_normal((batch, MEMBERS, LEVELS)))
    retrieval = np.linspace(10.0, 100000.0, RETRIEVAL_LEVELS) * rng.uniform(0.97, 1.03, (batch, 1))
    weight = np.full((batch, RETRIEVAL_LEVELS), 1.0 / RETRIEVAL_LEVELS)
    kernel = rng.uniform(0.5, 1.2, (batch, RETRIEVAL_LEVELS))
    prior = np.full((batch, RETRIEVAL_LEVELS), 4e-4)
    batches = -(-soundings // batch)

    def run() -> None:
        for _ in range(batches):
            xco2_operator(profile, pressure, retrieval, weight, kernel, prior, np.full(batch, 400.0), threads=threads)

    peak = peak_mib(run, ())
    rate = read_rate(threads)
    timing = time_runs(run, options, threads, warm=peak is not None)
    limit = batches * profile.nbytes / max(rate, read_rate(threads))
    return Row("xco2-operator", threads, "double", timing.seconds, timing.cpu_seconds, limit, peak, build_text())
