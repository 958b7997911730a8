"""Runs with one thing changed, which show what a line of the page depends on.

On 64×32 cells beside an unchanged run from the same start; what moves counts, not the values. Where the year matters they take
fourteen months, of which the last twelve are measured; else two, of which the last, a February, is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mozart_coupling.constants import AVOGADRO
from mozart_coupling.embedded import climate
from mozart_coupling.embedded.circulation import EPOCH, Circulation
from mozart_coupling.embedded.met_feed import MetFeed
from mozart_coupling.embedded.step import StepMet
from mozart_coupling.errors import CouplingError
from mozart_coupling.grids import Grid
from mozart_coupling.land import land_fraction

from . import measures, published
from .biosphere import BalancedBiosphere
from .measures import Run
from .run import Plan, RealismRun
from .tracers import AIR_KG_PER_MOL, RADON, RADON_FLUX, SF6, Tracers
from .winds import AnalyticWinds, Winds, YearOfFiles

GRID, MONTHS, SHORT = "64x32", 14, 2
WITH_WAVES = "primitive_polar"
WAVES_ADDED = "primitive equations from January on: the analytic circulation's polar waves added to the winds"
FROZEN_SHARE = 1.0 / 3.0  # of radon's flux where the soil is frozen: a scenario that Zhang et al. (2021) tested
WET_SOILS = ((30.0, 70.0), (1.0, 0.2))  # degrees north, atoms cm-2 s-1: Conen & Robertson (2002)
EQUINOX = np.datetime64("2014-04-20", "D")
WIND_FIELDS = ("U", "V", "PS")
LAYER_FIELDS = ("PBLH", "SHFLX", "QFLX", "TAUX", "TAUY", "TS", "T", "Q")  # what the boundary layer's mixing is made of


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


class _OfTheEquinox(Circulation):
    """Some fields are those of 20 April all year, with their day."""

    fields: tuple[str, ...]

    def record(self, time: np.datetime64) -> dict[str, np.ndarray]:
        """See `Circulation`."""
        of_the_day = np.datetime64(time, "s") - np.datetime64(time, "D")
        still = super().record(EQUINOX + of_the_day)
        return super().record(time) | {name: still[name] for name in self.fields}


class SeasonlessLayer(_OfTheEquinox):
    """The boundary layer and what mixes it have no season; winds and convection have theirs."""

    fields = LAYER_FIELDS


class SeasonlessClouds(_OfTheEquinox):
    """Convection has no season."""

    fields = ("CMFMC",)


class NoClouds(Circulation):
    """Nothing is lifted by convection."""

    def record(self, time: np.datetime64) -> dict[str, np.ndarray]:
        """See `Circulation`."""
        fields = super().record(time)
        return fields | {"CMFMC": np.zeros_like(fields["CMFMC"])}


class OpenSeaOverIce(Circulation):
    """The open sea's boundary layer and heat over sea ice too, as the climate had them once."""

    def record(self, time: np.datetime64) -> dict[str, np.ndarray]:
        """See `Circulation`."""
        fields = super().record(time)
        ice = fields["ORO"] == climate.SEA_ICE
        wind = np.hypot(fields["U"][-1], fields["V"][-1])
        sea = climate.boundary_layer_height(self.surface, time, wind, np.zeros_like(ice))
        return fields | {"PBLH": sea, "SHFLX": np.where(ice, climate.SEA_HEAT, fields["SHFLX"])}


class WeakPolarWaves(Circulation):
    """Polar waves at half their speed: 70°N has the eddies of the primitive-equation year near the ground."""

    def __init__(self, grid: Grid, hyai: np.ndarray, hybi: np.ndarray, seed: int) -> None:
        super().__init__(grid, hyai, hybi, seed)
        self.waves = [replace(wave, speed=0.5 * wave.speed) if wave.profile == "polar" else wave for wave in self.waves]


class WideTropicalWaves(Circulation):
    """Tropical waves reach twice as far: at 25 degrees they have 0.6 of their speed, not 0.15."""

    def __init__(self, grid: Grid, hyai: np.ndarray, hybi: np.ndarray, seed: int) -> None:
        super().__init__(grid, hyai, hybi, seed)
        self.waves = [replace(wave, width=2.0 * wave.width) if wave.profile == "tropical" else wave for wave in self.waves]


class FastTropicalWaves(Circulation):
    """Tropical waves at twice their speed."""

    def __init__(self, grid: Grid, hyai: np.ndarray, hybi: np.ndarray, seed: int) -> None:
        super().__init__(grid, hyai, hybi, seed)
        self.waves = [replace(wave, speed=2.0 * wave.speed) if wave.profile == "tropical" else wave for wave in self.waves]


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


# --- Other sources --------------------------------------------------------------------------------------------------------------

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
        date, still = np.datetime64(int(time), "s"), np.zeros(self.grid.shape)
        winter = Circulation._winter_north(float((date - EPOCH) / np.timedelta64(1, "s")))
        return climate.ground_fields(self._surface, date, winter, still, still)["SNOWH"] > 0.0


class WetSoils(Tracers):
    """Radon's flux falls from 30 to 70 degrees north, for soils are wetter there (Conen & Robertson 2002)."""

    def __init__(self, grid: Grid, air_mass: float, biosphere: BalancedBiosphere | None) -> None:
        super().__init__(grid, air_mass, biosphere)
        latitude = grid.lat[:, None]
        northern = land_fraction(grid) * np.interp(latitude, *WET_SOILS) * (RADON_FLUX / AVOGADRO * AIR_KG_PER_MOL)
        self._radon = np.where((latitude > WET_SOILS[0][0]) & (latitude < WET_SOILS[0][1]), northern, self._radon)


# --- The experiments --------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class MonthLine:
    """What can be said of one month of a run: in words, and the measure of a run's arrays and of the month (from 0)."""

    what: str
    measure: Callable[[Run, int], float]


LINES = {line.name: line for line in published.LINES}
MONTH_LINES = {
    "february arctic": MonthLine("Arctic age of the lowest layer, 80-90°N, February (d)", lambda run, month: measures.polar_age_of_month(
        run, month, None, 80.0, 90.0)),
    "february arctic aloft": MonthLine("Arctic age at 300 hPa, 80-90°N, February (d)", lambda run, month: measures.polar_age_of_month(
        run, month, 3.0e4, 80.0, 90.0)),
    "february boreal": MonthLine("radon in the lowest 60 m, boreal land 55-65°N, geometric mean of February (Bq m-3)",
                                 lambda run, month: measures.boreal_radon(run, slice(month, month + 1))),
    "february radon aloft": MonthLine("radon at 500 hPa, 30-60°N, February (1e-21 mol/mol)", lambda run, month: 1e21 * measures.of_month(
        run, RADON, month, 5.0e4, 30.0, 60.0)),
    "february sf6": MonthLine("SF6 at 850 hPa, 30-60°N less 60-30°S, February (yr)", lambda run, month: measures.of_month(
        run, SF6, month, 8.5e4, 30.0, 60.0) - measures.of_month(run, SF6, month, 8.5e4, -60.0, -30.0)),
}
RECTIFIERS = ("rectifier", "rectifier polar season", "rectifier middle", "rectifier season")
SOUTH = ("ground", "troposphere", "lag", "age", "tropics")
POLAR = ("february arctic", "february arctic aloft")


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


BASE = Experiment("coarse", "nothing", RECTIFIERS)
EXPERIMENTS = (
    Experiment("seasonless_winds", "winds of the equinox all year", (*RECTIFIERS, "arctic winter", "arctic summer", *SOUTH),
               make=SeasonlessWinds),
    Experiment("seasonless_layer", "boundary layer of 20 April all year", RECTIFIERS, make=SeasonlessLayer),
    Experiment("seasonless_clouds", "convection of 20 April all year", RECTIFIERS, make=SeasonlessClouds),
    Experiment("no_clouds", "no convection", (*RECTIFIERS, "above layer", "above 5.5 km", *SOUTH), make=NoClouds),
    Experiment("open_ice", "the open sea's boundary layer and heat over sea ice",
               (*RECTIFIERS, "arctic winter", "arctic summer", "antarctic"), make=OpenSeaOverIce),
    Experiment("wide_tropical_waves", "tropical waves that reach twice as far", SOUTH, make=WideTropicalWaves),
    Experiment("fast_tropical_waves", "tropical waves at twice their speed", SOUTH, make=FastTropicalWaves),
    Experiment("wet_soils", "radon's flux falls from 1 at 30°N to 0.2 at 70°N (Conen & Robertson 2002)",
               ("february boreal",), tracers=WetSoils),
    Experiment("frozen_soils", "soils under snow emit a third of the radon", ("february boreal",), tracers=FrozenSoils),
    Experiment("weak_polar_waves", "polar waves at half their speed", POLAR, make=WeakPolarWaves),
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


def check_names(names: Collection[str]) -> None:
    """Raise a CouplingError if a name is no experiment's."""
    known = [experiment.name for experiment in EXPERIMENTS]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise CouplingError("no such experiment", "--experiments", ", ".join(unknown), ", ".join(known),
                            "Give names of these, or none for all.")


def make(names: Collection[str], work: Path, say: Callable[[str], None], threads: int = 1) -> dict[str, Run]:
    """Results of the unchanged run (`BASE.name`) and of the experiments of these names, from checkpoints where there are some."""
    check_names(names)
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
        for name in POLAR:
            old, new = (_value(run, name, True) for run in (year, runs[WITH_WAVES]))
            text += _row(WAVES_ADDED, MONTH_LINES[name].what, old, new)
    return text


def _value(run: Run, name: str, short: bool) -> float:
    return MONTH_LINES[name].measure(run, SHORT - 1) if short else LINES[name].measure(run)


def _row(changed: str, what: str, old: float, new: float) -> str:
    return f"| {changed} | {what} | {old:.3g} | {new:.3g} |\n"
