"""Runs with one thing changed, which show what a line of the page depends on.

On 64×32 cells beside an unchanged run from the same start; what moves counts, not the values. Where the year matters they take
fourteen months, of which the last twelve are measured; else two, of which the last, a February, is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mozart_coupling.embedded import climate
from mozart_coupling.embedded.circulation import Circulation
from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.embedded.met_feed import MetFeed
from mozart_coupling.embedded.step import StepMet
from mozart_coupling.grids import Grid
from mozart_coupling.land import land_fraction

from . import measures, published
from .biosphere import BalancedBiosphere
from .measures import MILLIBECQUEREL, Run
from .run import Plan, RealismRun
from .tally import Tally
from .tracers import RADON, SF6, Tracers
from .winds import AnalyticWinds, Winds, YearOfFiles

GRID, MONTHS, SHORT = "64x32", 14, 2
WITH_WAVES = "primitive_polar"
WAVES_ADDED = "primitive equations from January on: the analytic circulation's polar waves added to the winds"
FROZEN_SHARE = 1.0 / 3.0  # of radon's flux where the soil is frozen (Zhang et al. 2021)
ICE_LAYER, ICE_HEAT = 150.0, -10.0  # m, W m-2: a stable layer over sea ice
EQUINOX = np.datetime64("2014-04-20", "D")
LEAST = 1e-30  # mol mol-1: the first days, before the air of every cell holds radon
WIND_FIELDS = ("U", "V", "PS")


# --- Circulations with one thing changed --------------------------------------------------------------------------------------

class SeasonlessWinds(Circulation):
    """Winds and surface pressure as between the solstices all year; temperature and mixing have their seasons."""

    def __init__(self, grid: Grid, hyai: np.ndarray, hybi: np.ndarray, seed: int) -> None:
        super().__init__(grid, hyai, hybi, seed)
        self._between = _AlwaysBetween(grid, hyai, hybi, seed)

    def record(self, time: np.datetime64) -> dict[str, np.ndarray]:
        """See `Circulation`."""
        winds = self._between.record(time)
        return super().record(time) | {name: winds[name] for name in WIND_FIELDS}


class SeasonlessMixing(Circulation):
    """Temperature, boundary layer, convection and ground of 20 April all year, with their day; winds have their seasons."""

    def record(self, time: np.datetime64) -> dict[str, np.ndarray]:
        """See `Circulation`."""
        winds = super().record(time)
        of_the_day = np.datetime64(time, "s") - np.datetime64(time, "D")
        return super().record(EQUINOX + of_the_day) | {name: winds[name] for name in WIND_FIELDS}


class StableIce(Circulation):
    """A shallow stable layer over sea ice, where the climate has the open sea's 400 m and more."""

    def record(self, time: np.datetime64) -> dict[str, np.ndarray]:
        """See `Circulation`."""
        fields = super().record(time)
        ice = fields["ORO"] == 2.0
        return fields | {"PBLH": np.where(ice, ICE_LAYER, fields["PBLH"]), "SHFLX": np.where(ice, ICE_HEAT, fields["SHFLX"])}


class WeakPolarWaves(Circulation):
    """Polar waves at half their speed: 70°N has the eddies of the primitive-equation year near the ground."""

    def __init__(self, grid: Grid, hyai: np.ndarray, hybi: np.ndarray, seed: int) -> None:
        super().__init__(grid, hyai, hybi, seed)
        self.waves = [replace(wave, speed=0.5 * wave.speed) if wave.profile == "polar" else wave for wave in self.waves]


class PolarWaves(Circulation):
    """The analytic circulation's polar waves and nothing else: no layer's flow has any divergence."""

    def __init__(self, grid: Grid, hyai: np.ndarray, hybi: np.ndarray, seed: int) -> None:
        super().__init__(grid, hyai, hybi, seed)
        self.waves, self.eddies = [wave for wave in self.waves if wave.profile == "polar"], []
        self._wavenumbers = np.array(sorted({wave.m for wave in self.waves}))

    def zonal_jets(self, winter_north: float) -> np.ndarray:
        """None."""
        return np.zeros((self.reference_pressure.size, self.grid.nlat))

    overturning = zonal_jets

    def _pressure_tendency(self, seconds: float) -> np.ndarray:
        return np.zeros((self._wavenumbers.size, self.grid.nlat), dtype=complex)


class _AlwaysBetween(Circulation):
    @staticmethod
    def _winter_north(seconds: float) -> float:
        return 0.0


class YearWithPolarWaves(YearOfFiles):
    """A year of met files to whose winds the analytic circulation's polar waves are added."""

    def month(self, number: int) -> tuple[MetFeed, int, int]:
        """See `Winds`."""
        feed, start, end = super().month(number)
        waves = PolarWaves(feed.grid, feed.hyai, feed.hybi, 1)
        of_files = feed.step

        def step(first: int, last: int) -> StepMet:
            met = of_files(first, last)
            u, v = waves.winds(np.datetime64((first + last) * 500, "ms"), 0.5 * (met.ps_start + met.ps_end))
            return replace(met, u=met.u + u, v=met.v + v)

        feed.step = step  # type: ignore[method-assign]
        return feed, start, end


# --- Other tracers, other sums --------------------------------------------------------------------------------------------------

class FrozenSoils(Tracers):
    """Soils under snow emit a third of the radon."""

    def __init__(self, grid: Grid, air_mass: float, biosphere: BalancedBiosphere | None) -> None:
        super().__init__(grid, air_mass, biosphere)
        self._surface = climate.Surface(grid)

    def amounts(self, start: int, end: int) -> np.ndarray:
        """See `Tracers`."""
        amounts = super().amounts(start, end)
        amounts[RADON] *= np.where(self.frozen(start), FROZEN_SHARE, 1.0)
        return amounts

    def frozen(self, time: int) -> np.ndarray:
        """Where the analytic climate has snow on land (nlat, nlon); `time` since 1970 [s]."""
        date = np.datetime64(int(time), "s")
        day_of_year = (date - date.astype("datetime64[Y]")) / np.timedelta64(86400, "s")
        winter, still = float(np.cos(2.0 * np.pi * (day_of_year - 20.0) / 365.25)), np.zeros(self.grid.shape)
        return climate.ground_fields(self._surface, date, winter, still, still)["SNOWH"] > 0.0


class RadonByLogarithm(Tally):
    """Keeps also the mean logarithm of radon at the ground over boreal land, which gives a geometric mean over hours and cells."""

    def __init__(self, grid: Grid, n_levels: int, months: int) -> None:
        super().__init__(grid, n_levels, months)
        self._boreal = (land_fraction(grid) >= 0.5) & ((grid.lat > 55.0) & (grid.lat < 65.0))[:, None]
        self.arrays["log_radon"] = np.zeros(months)

    def add(self, core: TransportCore, month: int, elapsed: float) -> None:
        """See `Tally`."""
        super().add(core, month, elapsed)
        self.arrays["log_radon"][month] += np.log(np.maximum(core.tracer(RADON)[-1][self._boreal], LEAST)).mean()


def geometric_radon(run: Run, month: int) -> float:
    """Geometric mean of radon in the lowest layer over boreal land in a month (from 0) [Bq m-3]."""
    return 1.0e-3 * MILLIBECQUEREL * float(np.exp(run["log_radon"][month] / run["samples"][month]))


def boreal_radon(run: Run, month: int) -> float:
    """The same as an arithmetic mean."""
    land = land_fraction(Grid.from_centres(run["lon"], run["lat"])) >= 0.5
    return 1.0e-3 * measures.radon_ground(run, slice(month, month + 1), 55.0, 65.0, land)


# --- The experiments --------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class MonthLine:
    """What can be said of one month of a run: in words, and the measure of a run's arrays and of the month (from 0)."""

    what: str
    measure: Callable[[Run, int], float]


LINES = {line.name: line for line in published.LINES}
MONTH_LINES = {
    "arctic": MonthLine("Arctic age of the lowest layer, 80-90°N, February (d)", lambda run, month: measures.polar_age_of_month(
        run, month, None, 80.0, 90.0)),
    "arctic aloft": MonthLine("Arctic age at 300 hPa, 80-90°N, February (d)", lambda run, month: measures.polar_age_of_month(
        run, month, 3.0e4, 80.0, 90.0)),
    "boreal": MonthLine("radon in the lowest 60 m, boreal land 55-65°N, February (Bq m-3)", boreal_radon),
    "boreal geometric": MonthLine("the same as a geometric mean over hours and cells", geometric_radon),
    "radon aloft": MonthLine("radon at 500 hPa, 30-60°N, February (1e-21 mol/mol)", lambda run, month: 1e21 * measures.of_month(
        run, RADON, month, 5.0e4, 30.0, 60.0)),
    "sf6": MonthLine("SF6 at 850 hPa, 30-60°N less 60-30°S, February (yr)", lambda run, month: measures.of_month(
        run, SF6, month, 8.5e4, 30.0, 60.0) - measures.of_month(run, SF6, month, 8.5e4, -60.0, -30.0)),
}
YEAR_LINES = ("rectifier", "rectifier polar season", "arctic winter", "arctic summer")


@dataclass(frozen=True)
class Experiment:
    """One thing changed.

    Attributes
    ----------
    name, what
        Of the checkpoint, and in words.
    lines
        That are shown: of LINES after fourteen months, of MONTH_LINES after two.
    make, tracers, timestep
        The circulation, the sources, the step [s].
    """

    name: str
    what: str
    lines: tuple[str, ...]
    make: Callable[..., Circulation] = Circulation
    tracers: Callable[..., Tracers] = Tracers
    timestep: int = 3600

    @property
    def short(self) -> bool:
        """Whether two months tell."""
        return set(self.lines) <= set(MONTH_LINES)


BASE = Experiment("coarse", "nothing", YEAR_LINES)
EXPERIMENTS = (
    Experiment("seasonless_winds", "winds of the equinox all year", YEAR_LINES, make=SeasonlessWinds),
    Experiment("seasonless_mixing", "boundary layer, convection and temperature of 20 April all year", YEAR_LINES, make=SeasonlessMixing),
    Experiment("stable_ice", "a stable layer of 150 m over sea ice, for the open sea's", YEAR_LINES, make=StableIce),
    Experiment("frozen_soils", "soils under snow emit a third of the radon (Zhang et al. 2021)", ("boreal", "boreal geometric"),
               tracers=FrozenSoils),
    Experiment("weak_polar_waves", "polar waves at half their speed", ("arctic", "arctic aloft"), make=WeakPolarWaves),
    Experiment("half_step", "steps of 30 minutes", tuple(MONTH_LINES), timestep=1800),
)


class _Run(RealismRun):
    def __init__(self, experiment: Experiment, months: int, work: Path, say: Callable[[str], None], threads: int) -> None:
        plan = Plan(experiment.name, GRID, months, experiment.timestep)
        own = work / "experiments" / experiment.name
        super().__init__(plan, AnalyticWinds(Grid.named(GRID), own, make=experiment.make), own, say, threads)
        self._experiment = experiment

    def tracers(self, grid: Grid, air_mass: float, biosphere: BalancedBiosphere) -> Tracers:
        return self._experiment.tracers(grid, air_mass, biosphere)

    def tally(self, grid: Grid, n_levels: int) -> Tally:
        return RadonByLogarithm(grid, n_levels, self.plan.months)


def make(names: Collection[str], work: Path, say: Callable[[str], None], threads: int = 1) -> dict[str, Run]:
    """Results of the unchanged run (`BASE.name`) and of the experiments of these names, from checkpoints where there are some."""
    chosen = [experiment for experiment in EXPERIMENTS if experiment.name in names]
    longest = SHORT if all(experiment.short for experiment in chosen) else MONTHS
    lengths = {BASE: longest} | {experiment: SHORT if experiment.short else MONTHS for experiment in chosen}
    return {experiment.name: _Run(experiment, months, work, say, threads).make() for experiment, months in lengths.items()}


def make_year(work: Path, year: Winds, grid: str, say: Callable[[str], None], threads: int = 1) -> dict[str, np.ndarray]:
    """The first months of a year with polar waves added (`YearWithPolarWaves`)."""
    plan = Plan(WITH_WAVES, grid, SHORT, 3600)
    return RealismRun(plan, year, work / "experiments" / WITH_WAVES, say, threads).make()


def table(runs: Mapping[str, Run], year: Run | None = None) -> str:
    """What each experiment moved, in Markdown.

    Parameters
    ----------
    runs
        Of `make`; with the result of `make_year` under `WITH_WAVES`, if there is one.
    year
        The run through the unchanged year, if there is that result.
    """
    text = "| changed | line | unchanged | changed |\n|---|---|---|---|\n"
    for experiment in EXPERIMENTS:
        for name in experiment.lines if experiment.name in runs else ():
            old, new = (_value(run, name, experiment.short) for run in (runs[BASE.name], runs[experiment.name]))
            text += _row(experiment.what, (MONTH_LINES if experiment.short else LINES)[name].what, old, new)
    if year is not None and WITH_WAVES in runs:
        for name in ("arctic", "arctic aloft"):
            old, new = (_value(run, name, True) for run in (year, runs[WITH_WAVES]))
            text += _row(WAVES_ADDED, MONTH_LINES[name].what, old, new)
    return text


def _value(run: Run, name: str, short: bool) -> float:
    return MONTH_LINES[name].measure(run, SHORT - 1) if short else LINES[name].measure(run)


def _row(changed: str, what: str, old: float, new: float) -> str:
    return f"| {changed} | {what} | {old:.3g} | {new:.3g} |\n"
