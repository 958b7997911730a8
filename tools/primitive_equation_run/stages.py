"""A run's stages, its checkpoints and its files: spin-up at a coarse resolution, adjustment at the wanted one, days that are kept."""

from __future__ import annotations

import json
import os
import sys
import time as clock
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mozart_coupling.embedded.climate import Surface
from mozart_coupling.errors import MetError
from mozart_coupling.grids import Grid
from mozart_coupling.met_format import met_file_name, write_met_file

from . import energy
from .dynamics import Atmosphere, State, grid_of, truncation
from .forcing import Climate, sigma_levels
from .records import met_record

DAY = np.timedelta64(86400, "s")
CHECKPOINT_DAYS = 10
SAY_EVERY_S = 10.0
COST_POWER = 3.5  # of the resolution: what a day costs
CHECKPOINT = "state.npz"


@dataclass(frozen=True)
class Plan:
    """What is to be made; a checkpoint belongs to exactly one, but `days` may grow.

    Attributes
    ----------
    start
        The first day of a run of the transport model; files begin the day before.
    days
        Of that run; files end with the day after.
    """

    grid: str
    levels: int
    start: str
    days: int
    hours: int
    spinup_days: int
    spinup_resolution: int
    adjust_days: int
    seed: int
    prefix: str

    @property
    def first(self) -> np.datetime64:
        """When the first file begins."""
        return np.datetime64(self.start, "s") - DAY

    @property
    def last(self) -> np.datetime64:
        """When the last file ends."""
        return self.first + (self.days + 2) * DAY

    @property
    def fine_from(self) -> np.datetime64:
        """When the wanted resolution begins."""
        return self.first - self.adjust_days * DAY

    @property
    def begin(self) -> np.datetime64:
        """When the spin-up begins."""
        return self.fine_from - self.spinup_days * DAY

    @property
    def key(self) -> str:
        """What a checkpoint must agree with."""
        return json.dumps({name: value for name, value in asdict(self).items() if name != "days"}, sort_keys=True)


class Run:
    """One run, from its newest checkpoint if there is one.

    Parameters
    ----------
    directory
        Of the met files.
    checkpoints
        Where the state is kept.
    """

    def __init__(self, plan: Plan, directory: Path, checkpoints: Path) -> None:
        self.plan, self.directory, self.checkpoint = plan, directory, checkpoints / CHECKPOINT
        self.record_s = plan.hours * 3600
        self.sigma = sigma_levels(plan.levels)
        self.rows: list[np.ndarray] = []
        self.cpu_per_day: dict[int, list[float]] = {}
        self._models: dict[int, Atmosphere] = {}
        self._progress = _Progress(plan)
        directory.mkdir(parents=True, exist_ok=True)
        checkpoints.mkdir(parents=True, exist_ok=True)

    def make(self) -> np.ndarray:
        """Run to the end; the numbers of all records (n, columns).

        Raises
        ------
        MetError
            The checkpoint is another run's, or the equations blow up.
        """
        time, state = self._begin()
        records: list[dict[str, np.ndarray]] = []
        wanted = self.model(self._resolution_at(self.plan.last))
        surface = Surface(wanted.grid)
        for day in self._days(time):
            state = self._enter(day, state)
            model = self.model(self._resolution_at(day))
            if (day - self.plan.begin) // DAY % CHECKPOINT_DAYS == 0 and day > time:
                self._save(day, state)
            began = clock.process_time()
            for now in day + np.arange(0, 86400, self.record_s).astype("timedelta64[s]"):
                fields = model.fields(state)
                kept = day >= self.plan.first
                if kept:
                    records.append(met_record(surface, model.height, self.sigma, now, fields))
                state, shift = model.advance(state, now)
                self.rows.append(energy.row(model.grid, self.sigma, now, self.record_s / 86400.0, model.resolution, fields, shift))
            if records:
                self._write(day, wanted.grid, records)
                records.clear()
            self.cpu_per_day.setdefault(model.resolution, []).append(clock.process_time() - began)
            self._progress.say(day, model.resolution, self.rows[-1])
        self._save(self.plan.last, state)
        return np.array(self.rows)

    def model(self, resolution: int) -> Atmosphere:
        """The equations at a resolution, made once."""
        if resolution not in self._models:
            wanted = Grid.named(self.plan.grid)
            grid = wanted if resolution == truncation(wanted) else grid_of(resolution)
            self._models[resolution] = Atmosphere(grid, self.sigma, Climate(), self.record_s)
        return self._models[resolution]

    def _resolution_at(self, day: np.datetime64) -> int:
        return truncation(Grid.named(self.plan.grid)) if day >= self.plan.fine_from else self.plan.spinup_resolution

    def _days(self, start: np.datetime64) -> Iterator[np.datetime64]:
        yield from start + np.arange((self.plan.last - start) // DAY) * DAY

    def _enter(self, day: np.datetime64, state: State) -> State:
        """The state at the day's resolution."""
        resolution = self._resolution_at(day)
        before = self._resolution_at(day - DAY) if day > self.plan.begin else resolution
        if resolution == before or state.vorticity.shape == self.model(resolution).coords.modal_shape:
            return state
        return self.model(resolution).taken_over(state, self.model(before))

    def _begin(self) -> tuple[np.datetime64, State]:
        if not self.checkpoint.exists():
            return self.plan.begin, self.model(self._resolution_at(self.plan.begin)).rest(self.plan.begin, self.plan.seed)
        with np.load(self.checkpoint) as stored:
            found = {name: stored[name] for name in stored.files}
        if str(found.pop("key")) != self.plan.key:
            raise MetError("the checkpoint is another run's", self.checkpoint, "other options or dates", self.plan.key,
                           "Give the options of that run, or another --checkpoint.")
        time = np.datetime64(int(found.pop("seconds")), "s")
        self.rows = list(found.pop("rows"))
        if time > self.plan.last:
            raise MetError("the checkpoint is past the days asked for", self.checkpoint, str(time), f"at most {self.plan.last}")
        print(f"going on from {time}", file=sys.stderr, flush=True)
        return time, Atmosphere.from_arrays(found)

    def _save(self, time: np.datetime64, state: State) -> None:
        """Replace the checkpoint in one stroke."""
        partial = self.checkpoint.with_suffix(".part.npz")
        seconds = np.datetime64(time, "s").astype(np.int64)
        np.savez(partial, key=self.plan.key, seconds=seconds, rows=np.array(self.rows), **Atmosphere.arrays(state))
        os.replace(partial, self.checkpoint)

    def _write(self, day: np.datetime64, grid: Grid, records: list[dict[str, np.ndarray]]) -> None:
        times = day + np.arange(0, 86400, self.record_s).astype("timedelta64[s]")
        fields = {name: np.array([record[name] for record in records], dtype=np.float32) for name in records[0]}
        path = self.directory / met_file_name(self.plan.prefix, "yyyymmdd", day)
        attributes = {"title": f"dry primitive equations, T{truncation(grid)}, with seasons, continents and mountains",
                      "source": f"tools/primitive_equations {self.plan.key}"}
        write_met_file(path, grid, np.zeros_like(self.sigma), self.sigma, times, fields, attributes)


class _Progress:
    """A line now and then: where the run is, and how long the rest may take, by the cost of the resolutions."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.began, self.said, self.done = plan, clock.monotonic(), 0.0, 0.0
        self.fine = truncation(Grid.named(plan.grid))

    def say(self, day: np.datetime64, resolution: int, row: np.ndarray) -> None:
        """After each day."""
        self.done += resolution**COST_POWER
        now = clock.monotonic()
        if now - self.said < SAY_EVERY_S:
            return
        self.said = now
        coarse = max(0, int((self.plan.fine_from - day) / DAY) - 1)
        fine = int((self.plan.last - day) / DAY) - 1 - coarse
        left = (coarse * self.plan.spinup_resolution**COST_POWER + fine * self.fine**COST_POWER) * (now - self.began) / self.done
        values = dict(zip(energy.COLUMNS, row, strict=True))
        print(f"{day.astype('datetime64[D]')} T{resolution}: eddies {values['eddy'] / 1e5:.2f}e5 J/m2, jets {values['jet_north']:.0f} and "
              f"{values['jet_south']:.0f} m/s, about {left / 60:.0f} min left", file=sys.stderr, flush=True)
