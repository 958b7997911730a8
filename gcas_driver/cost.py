"""What a run will cost: time, memory and disk, before anything is started."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from mozart_coupling.grids import Grid

from .config import Settings
from .errors import Problem
from .plan import plan_windows
from .progress import counted, duration

SECONDS_PER_CELL_STEP = {"double": 10.0e-9, "single": 9.0e-9}
"""Core-seconds of the embedded model per tracer, cell and step, all of it together; measured on one AVX-512 machine at 128x64x28."""
FORWARD_SECONDS_PER_CELL_STEP = 50.0e-9
"""… of a run with two tracers, where reading the meteorology and the geometry weigh more; per tracer."""
WINDOW_SECONDS = 8.0
"""Per window besides the model: reading, analysis, writing."""
BASE_BYTES = 400 * 2**20
SAMPLE_COLUMNS_PER_DAY = 2000


@dataclass(frozen=True)
class Cost:
    """Estimates for a whole run.

    Attributes
    ----------
    seconds : float or None
        Wall time on this machine; None for a model that is not the embedded one.
    memory_bytes, disk_bytes : float
        At the peak, and at the end.
    n_windows : int
    """

    seconds: float | None
    memory_bytes: float
    disk_bytes: float
    n_windows: int

    def lines(self) -> list[str]:
        """For people."""
        time = "depends on the transport model" if self.seconds is None else f"about {duration(self.seconds)}"
        return [counted(self.n_windows, "window"), f"time    {time}", f"memory  about {size(self.memory_bytes)}",
                f"disk    about {size(self.disk_bytes)}"]

    def problems(self, settings: Settings) -> list[Problem]:
        """Warnings when this machine has less than is needed."""
        problems = []
        memory = psutil.virtual_memory().total
        if self.memory_bytes > memory:
            problems.append(Problem("the run needs more memory than this machine has", settings.state.where("members"),
                                    f"about {self.memory_bytes / 2**30:.1f} GiB", f"at most {memory / 2**30:.1f} GiB",
                                    "set 'members_per_run', or fewer members", "warning"))
        free = shutil.disk_usage(_existing(settings.case_directory)).free
        if self.disk_bytes > free:
            problems.append(Problem("the run needs more disk than is free", settings.case.where("directory"),
                                    f"about {self.disk_bytes / 2**30:.1f} GiB", f"at most {free / 2**30:.1f} GiB", "", "warning"))
        return problems


def size(n_bytes: float) -> str:
    """'340 MiB', '2.1 GiB'."""
    return f"{n_bytes / 2**30:.1f} GiB" if n_bytes >= 2**30 else f"{n_bytes / 2**20:.0f} MiB"


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def estimate_cost(settings: Settings, grid: Grid, n_levels: int) -> Cost:
    """Estimates from the sizes of the problem.

    Parameters
    ----------
    grid : Grid
        The transport model's.
    n_levels : int
    """
    transport, members = settings.transport, settings.state.members
    cells = grid.nlon * grid.nlat * n_levels
    days = settings.time.days
    steps = days * 86400 / timestep_seconds(transport.timestep)
    threads = transport.threads or os.cpu_count() or 1
    seconds = None
    if transport.model == "embedded":
        ensemble = members * cells * steps * SECONDS_PER_CELL_STEP[transport.precision]
        seconds = (ensemble + 2 * cells * steps * FORWARD_SECONDS_PER_CELL_STEP) / threads
        seconds += WINDOW_SECONDS * len(plan_windows(settings.time))
    per_run = min(members, transport.members_per_run or members)
    surface = grid.nlon * grid.nlat
    window_days = min(settings.time.window_days, days)
    samples = SAMPLE_COLUMNS_PER_DAY * window_days * members * n_levels * 8
    fluxes = 4 * window_days * 8 * surface * 8
    state = per_run * cells * (8 if transport.precision == "double" else 4)
    memory = BASE_BYTES + 2 * state + 2 * samples + 4 * fluxes + 3 * members * surface * 2 * 8
    output_days = window_days * (1 if settings.output.flux_interval == "daily" else 8)
    per_window = 4 * surface * 4 * 2 * output_days + 2 * 2 * surface * members * 4 + samples / n_levels
    restarts = 3 * (members + 2) * cells * 8
    met = 0 if transport.met_directory is not None else (days + 3) * 4 * 4 * cells * 4.5
    n_windows = len(plan_windows(settings.time))
    return Cost(seconds, memory, n_windows * per_window + restarts + met + samples, n_windows)


def timestep_seconds(text: str) -> int:
    """'30m' → 1800."""
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]
