"""One realism run: all tracers through a circulation, month by month, with a checkpoint after each."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mozart_coupling.constants import GRAVITY
from mozart_coupling.dates import calendar_date
from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.embedded.met_feed import MetFeed
from mozart_coupling.embedded.step import StepEmission
from mozart_coupling.errors import CouplingError
from mozart_coupling.grids import Grid

from .biosphere import BalancedBiosphere
from .tally import EVERY_S, Tally
from .tracers import NAMES, Tracers
from .winds import Winds


@dataclass(frozen=True)
class Plan:
    """What a run is; a checkpoint belongs to exactly one, but `months` may grow."""

    winds: str
    grid: str
    months: int
    timestep: int
    seed: int = 1

    @property
    def key(self) -> str:
        """What a checkpoint must agree with."""
        return json.dumps({name: value for name, value in asdict(self).items() if name != "months"}, sort_keys=True)


class RealismRun:
    """A run from its newest checkpoint, if there is one.

    Parameters
    ----------
    plan
        Of the run.
    winds
        Its meteorology.
    work
        Folder of the checkpoint `<winds>.npz`, which at the end holds the results.
    say
        Takes lines of progress.
    threads
        OpenMP threads.
    """

    def __init__(self, plan: Plan, winds: Winds, work: Path, say: Callable[[str], None], threads: int = 1) -> None:
        self.plan, self.winds, self.say, self.threads = plan, winds, say, threads
        self.path = work / f"{plan.winds}.npz"
        work.mkdir(parents=True, exist_ok=True)

    def make(self) -> dict[str, np.ndarray]:
        """Run to the end; the tally's arrays, with `lat`, `lon`, `hyai`, `hybi` and `growing_season_flux` [Pg C yr-1].

        Raises
        ------
        CouplingError
            Meteorology is missing or wrong, or the checkpoint is another run's.
        """
        stored = self._stored()
        done = int(stored.get("done", 0))
        if done >= self.plan.months:
            return stored
        feed, start, _ = self.winds.month(done)
        core = TransportCore(feed.grid, feed.hyai, feed.hybi, len(NAMES), threads=self.threads)
        ps = feed.surface_pressure(start)
        biosphere = BalancedBiosphere(feed.grid, seed=self.plan.seed)
        air_mass = float(stored.get("air_mass", (ps * feed.grid.area).sum() / GRAVITY))  # of the run's first instant
        tracers, tally = self.tracers(feed.grid, air_mass, biosphere), self.tally(feed.grid, core.nlev)
        elapsed = float(stored.get("elapsed", 0.0))
        if done:
            core.set_state(stored["state"], stored["surface_pressure"])
            for name, values in tally.arrays.items():
                values[tuple(slice(size) for size in stored[name].shape)] = stored[name]
        else:
            core.set_state(tracers.initial(core.nlev), ps)
            tally.end(core, 0)
        constants = {"lat": feed.grid.lat, "lon": feed.grid.lon, "hyai": feed.hyai, "hybi": feed.hybi,
                     "growing_season_flux": biosphere.growing_season_flux(), "timestep": self.plan.timestep,
                     "air_mass": air_mass}
        for month in range(done, self.plan.months):
            if self.winds.turns(month):
                self._turn(core, tally, self.winds.month(month))
            elapsed = self._month(core, tracers, tally, month, elapsed)
            self._save(tally.arrays | constants, month + 1, elapsed, core)
        self.winds.close()
        return self._stored()

    def tracers(self, grid: Grid, air_mass: float, biosphere: BalancedBiosphere) -> Tracers:
        """Sources and sinks; experiments have their own."""
        return Tracers(grid, air_mass, biosphere)

    def tally(self, grid: Grid, n_levels: int) -> Tally:
        """What is kept."""
        return Tally(grid, n_levels, self.plan.months)

    def _month(self, core: TransportCore, tracers: Tracers, tally: Tally, month: int, elapsed: float) -> float:
        began = time.process_time()
        feed, start, end = self.winds.month(month)
        dt = self.plan.timestep
        for now in range(start, end, dt):
            tracers.begin_step(core, dt)
            core.step(feed.step(now, now + dt), float(dt), StepEmission(tracers.amounts(now, now + dt)))
            elapsed += dt
            tracers.end_step(core, dt, elapsed)
            tally.arrays["fixer"][month] = max(tally.arrays["fixer"][month], core.fixer_mismatch)
            if (now + dt) % EVERY_S == 0:
                tally.add(core, month, elapsed)
            if (now + dt) % 3600 == 0 and month >= self.plan.months - 12:
                tally.add_afternoon(core, feed, now + dt, calendar_date(now).month)
        tally.end(core, month + 1)
        north, south = tally.arrays["ends"][month + 1, 0]
        self.say(f"{self.plan.winds}: month {month + 1} of {self.plan.months}, SF6 north − south {north - south:.3f} yr, "
                 f"{time.process_time() - began:.0f} CPU-s")
        return elapsed

    @staticmethod
    def _turn(core: TransportCore, tally: Tally, month: tuple[MetFeed, int, int]) -> None:
        """Hand the mixing ratios to the surface pressure with which the year begins again."""
        feed, start, _ = month
        before = core.tracer_mass() / core.air_mass().sum()
        core.set_state(core.mixing_ratio(), feed.surface_pressure(start))
        tally.arrays["turn"] += core.tracer_mass() / core.air_mass().sum() - before

    # --- Checkpoint -------------------------------------------------------------------------------------------------

    def _stored(self) -> dict[str, np.ndarray]:
        if not self.path.exists():
            return {}
        with np.load(self.path) as archive:
            stored = {name: archive[name] for name in archive.files}
        if str(stored.pop("key")) != self.plan.key:
            raise CouplingError("the checkpoint is another run's", self.path, "other options", self.plan.key,
                                "Give the options of that run, or another --work.")
        return stored

    def _save(self, arrays: dict[str, np.ndarray], done: int, elapsed: float, core: TransportCore) -> None:
        partial = self.path.with_suffix(".part.npz")
        np.savez(partial, key=self.plan.key, done=done, elapsed=elapsed, state=core.mixing_ratio(), surface_pressure=core.surface_pressure,
                 **arrays)
        os.replace(partial, self.path)

