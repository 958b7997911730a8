"""Everything that can be known before running: every problem with the inputs at once, and what the run will cost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from rich.console import Console

from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.errors import CouplingError
from mozart_coupling.grids import Grid
from mozart_coupling.met import MetFiles

from .check_command import command_problems
from .check_effects import effect_problems
from .config import Settings
from .continuing import continuing_problems
from .cost import Cost, estimate_cost
from .errors import GcasError, InputError, Problem
from .fluxes import priors
from .fluxes.components import COMPONENTS
from .fluxes.lambda_cells import component_cells
from .fluxes.perturbations import Correlation
from .fluxes.prior import window_fluxes
from .fluxes.regions import RegionMap
from .fluxes.state import build_state, read_lambdas
from .initial import check_initial
from .meteorology import location
from .observations import check_streams
from .observations.streams import streams_from
from .plan import DAY, plan_windows
from .progress import counted

TOTALS_DAYS = 1096  # so much of a run is looked at for the totals of its prior fluxes
OBSERVATIONS_MADE = "made_observations.json"
"""Mark that `gcas osse` leaves when all inputs of a synthetic experiment are there."""


@dataclass(frozen=True)
class CheckResult:
    """Outcome of a check.

    Attributes
    ----------
    problems : list of Problem
        Errors and warnings.
    cost : Cost or None
        None when the grid is not known because of an error.
    sigma : dict
        Prior standard deviation that λ implies in the first window [PgC/yr]: region → value, sum of the optimised components; empty
        when inputs have errors.
    totals : dict
        Prior fluxes [PgC/yr]: year → component → mean over the part of the year that the run covers; of long runs the first years.
    """

    problems: list[Problem]
    cost: Cost | None
    sigma: dict[str, float]
    totals: dict[int, dict[str, float]] = field(default_factory=dict)

    @property
    def errors(self) -> list[Problem]:
        """Those that would make the run fail."""
        return [p for p in self.problems if p.severity == "error"]


def check_case(settings: Settings) -> CheckResult:
    """Look at everything a run would read, and at what is in its directory."""
    result = _check_inputs(settings)
    return replace(result, problems=[*result.problems, *continuing_problems(settings)])


def _check_inputs(settings: Settings) -> CheckResult:
    unmade = unmade_inputs(settings)
    problems = [unmade] if unmade else input_problems(settings, settings.time.start, settings.time.end, values=True)
    windows = plan_windows(settings.time)
    if windows[-1].days != settings.time.window_days:
        problems.append(Problem(f"the last window is shorter: {counted(windows[-1].days, 'day')}", settings.time.where("end"),
                                severity="warning"))
    grid_and_levels = _grid_and_levels(settings)
    if grid_and_levels is None:
        return CheckResult(problems, None, {})
    cost = estimate_cost(settings, *grid_and_levels)
    problems += cost.problems(settings)
    if unmade is not None or any(p.severity == "error" for p in problems):
        return CheckResult(problems, cost, {})
    try:
        end = min(settings.time.end, settings.time.start + TOTALS_DAYS * DAY)
        totals = priors.annual_totals(settings.prior, settings.time.start, end)
        problems += priors.placement_problems(settings.prior, settings.time.start)
        return CheckResult(problems, cost, implied_sigma(settings, grid_and_levels[0]), totals)
    except InputError as error:  # values that the check's samples did not meet
        return CheckResult([*problems, Problem.of(error)], cost, {})


def unmade_inputs(settings: Settings) -> Problem | None:
    """A warning when this is a synthetic experiment whose inputs have yet to be made."""
    if settings.truth is None or (settings.truth.directory / OBSERVATIONS_MADE).exists():
        return None
    return Problem("the inputs of this synthetic experiment are not made yet", settings.truth.where("directory"),
                   f"no {OBSERVATIONS_MADE} in {settings.truth.directory}", "", "`gcas osse` makes them, then runs the case", "warning")


def input_problems(settings: Settings, start: np.datetime64, end: np.datetime64, *, values: bool = False) -> list[Problem]:
    """Every problem with the files that windows in [start, end) read; observations are looked at for the whole run, since a part of it
    may well have none.

    Parameters
    ----------
    values : bool
        Look at the numbers in the met files too, which takes longer.
    """
    problems = priors.check_all(settings.prior, start, end)
    problems += check_streams(streams_from(settings), settings.time.start, settings.time.end)
    if not settings.streams:
        problems.append(Problem("there are no observations: posterior = prior", settings.path.name,
                                "no &satellite, &column or &surface group",
                                severity="warning"))
    problems += _met_problems(settings, start, end, values)
    problems += _initial_problems(settings)
    problems += _region_problems(settings)
    problems += _ancillary_problems(settings)
    problems += command_problems(settings)
    problems += effect_problems(settings)
    return problems


def _of(error: Exception, where: str) -> Problem:
    """A coupling's or driver's error as a problem, with the namelist line it came from."""
    assert isinstance(error, (CouplingError, GcasError))
    place = f"{where}: {error.where}" if where else str(error.where)
    return Problem(error.what, place, str(error.found), str(error.expected), str(error.advice))


def _met_problems(settings: Settings, start: np.datetime64, end: np.datetime64, values: bool) -> list[Problem]:
    transport = settings.transport
    if transport.met_directory is None:
        try:
            Grid.named(transport.grid)
        except CouplingError as error:
            return [_of(error, transport.where("grid"))]
        return []
    directory, prefix, date_format = location(settings)
    with MetFiles(directory, prefix, date_format) as files:
        try:
            found = files.check(start, end, values=values)
        except CouplingError as error:
            found = [error]
    return [_of(error, transport.where("met_directory")) for error in found]


def _initial_problems(settings: Settings) -> list[Problem]:
    transport = settings.transport
    grid, n_levels = _grid_and_levels(settings) or (None, None)
    return check_initial(settings.initial, settings.time.start, grid, n_levels, transport.mw_air, transport.mw_co2)


def _region_problems(settings: Settings) -> list[Problem]:
    if settings.regions.file == "builtin":
        return []
    try:
        RegionMap.of(settings.regions, Grid.named("36x18"))
    except (CouplingError, GcasError) as error:
        return [_of(error, settings.regions.where("file"))]
    return []


def _ancillary_problems(settings: Settings) -> list[Problem]:
    """Warnings: `gcas table5` reads these files, a run does not."""
    if not settings.ancillary:
        return []
    from .ancillary import check as check_ancillary
    from .ancillary import stream_of

    return [replace(problem, severity="warning") for group in settings.ancillary
            for problem in check_ancillary(stream_of(group), settings.time.start, settings.time.end)]


def _grid_and_levels(settings: Settings) -> tuple[Grid, int] | None:
    transport = settings.transport
    try:
        if transport.met_directory is None:
            return Grid.named(transport.grid), len(hybrid_levels(transport.levels)[0]) - 1
        with MetFiles(*location(settings)) as files:
            return files.grid, len(files.hyai) - 1
    except CouplingError:
        return None


def implied_sigma(settings: Settings, grid: Grid) -> dict[str, float]:
    """Prior standard deviation [PgC/yr] of regions that λ implies for the first window's fluxes."""
    regions = RegionMap.of(settings.regions, grid)
    cells = component_cells(settings.state, grid, regions)
    first = plan_windows(settings.time)[0]
    fluxes = window_fluxes(settings.prior, grid, first.start, min(first.end, first.start + 7 * DAY))
    state = build_state(fluxes, cells, settings.state.scheme, read_lambdas(settings.state, cells),
                        sign_threshold=settings.state.sign_threshold)
    correlation = Correlation(settings.state.correlation_land_km, settings.state.correlation_ocean_km, settings.state.correlation_shape)
    everywhere = np.ones((1, *grid.shape))
    sigma = np.sqrt(sum(state.regional_sigma(np.concatenate([regions.shares(name), everywhere]), correlation)[i] ** 2
                        for i, name in enumerate(state.scheme.optimised)))
    return dict(zip([*regions.names, "Global"], (float(s) for s in sigma), strict=True))


def print_check(result: CheckResult, console: Console | None = None) -> None:
    """The outcome for people."""
    console = console or Console(highlight=False, soft_wrap=True)
    for problem in result.problems:
        console.print(str(problem), markup=False)
    if result.cost is not None:
        for line in result.cost.lines():
            console.print(line, markup=False)
    if result.totals:
        components = [c for c in COMPONENTS if any(values[c] for values in result.totals.values())]
        console.print("prior fluxes, PgC/yr (over the days of the run; of long runs one day a month):")
        console.print("  year" + "".join(f"{c:>10}" for c in components) + f"{'sum':>10}", markup=False)
        for year, values in result.totals.items():
            numbers = [values[c] for c in components]
            console.print(f"  {year}" + "".join(f"{x:10.3f}" for x in (*numbers, sum(numbers))), markup=False)
    if result.sigma:
        console.print("prior standard deviation that λ implies in the first window, PgC/yr:")
        for name, value in result.sigma.items():
            console.print(f"  {name:<30} {value:8.3f}", markup=False)
    n_warnings = len(result.problems) - len(result.errors)
    console.print(f"{counted(len(result.errors), 'error')}, {counted(n_warnings, 'warning')}" if result.problems else "no problems found")
