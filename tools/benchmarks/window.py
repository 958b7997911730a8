"""A whole window of the demo as the driver does it: `window-50` is one week on 128x64x28 cells with 50 members.

Timed is everything from the opening of the case to the journal's entry: prior fluxes, perturbations, ensemble run, H(x), analysis,
forward run, output; the inputs are made before. Processor time counts the transport model's processes too; `peak_mib` is the largest
memory that one process, the driver or a model, has had. `limit_seconds` is the time in which the machine could read and write all
tracers of the window's runs twice a step.
"""

from __future__ import annotations

import logging
import os
import resource
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from gcas_driver.config import Settings, load
from gcas_driver.cycle import run_case
from gcas_driver.osse.demo import WINDOW_DAYS, DemoOptions, demo_namelist
from gcas_driver.osse.experiment import prepare_inputs
from gcas_driver.progress import Reporter
from mozart_coupling.grids import Grid
from mozart_coupling.namelist import patch_text

from .common import Row, build_text
from .transport import triad_rate

FORWARD_TRACERS = 2
STEPS = WINDOW_DAYS * 48
RESULTS = ("windows", "transport", "journal.jsonl")


def add_arguments(parser) -> None:
    """Size of the case."""
    parser.add_argument("--members", type=int, default=50)
    parser.add_argument("--grid", default="128x64")
    parser.add_argument("--precisions", nargs="+", choices=["double", "single"], default=["single"], help="of the members' transport")


def measure(options) -> list[Row]:
    """All rows, on inputs that are made once."""
    rate = triad_rate()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        text = demo_namelist(DemoOptions(1, options.members, options.grid, 1))
        prepare_inputs(_settings(directory, text, options.threads[-1], options.precisions[0]), _quiet())
        for precision in options.precisions:
            for threads in options.threads:
                rows.append(_measure(_settings(directory, text, threads, precision), threads, precision, rate, options.runs))
    return rows


def _settings(directory: Path, text: str, threads: int, precision: str) -> Settings:
    path = directory / "demo.nml"
    text = patch_text(text, {"threads": threads, "precision": precision}, "transport")
    path.write_text(patch_text(text, {"threads": threads}, "analysis"), encoding="utf-8")
    return load(path)


def _quiet() -> Reporter:
    logging.getLogger("gcas").setLevel(logging.ERROR)
    return Reporter()


def _measure(settings: Settings, threads: int, precision: str, rate: float, runs: int) -> Row:
    members, grid = settings.state.members, Grid.named(settings.transport.grid)
    wall, cpu = [], []
    for _ in range(runs + 1):  # the first is a rehearsal
        _forget(settings.case_directory)
        before = time.perf_counter(), _processor_seconds()
        run_case(settings, _quiet())
        wall.append(time.perf_counter() - before[0])
        cpu.append(_processor_seconds() - before[1])
    cells = settings.transport.levels * grid.nlat * grid.nlon
    numbers = members * (8 if precision == "double" else 4) + FORWARD_TRACERS * 8
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024.0
    return Row(f"window-{members}", threads, precision, statistics.median(wall[1:]), statistics.median(cpu[1:]),
               STEPS * 4.0 * cells * numbers / rate, round(peak, 1), build_text())


def _processor_seconds() -> float:
    """Of this process and of all that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _forget(directory: Path) -> None:
    for name in RESULTS:
        path = directory / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
