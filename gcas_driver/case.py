"""A case that is being worked on: its settings and what all its windows share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mozart_coupling.grids import Grid

from .check import input_problems, unmade_inputs
from .config import Settings
from .errors import InputError
from .fluxes.lambda_cells import LambdaCells, component_cells
from .fluxes.perturbations import Correlation
from .fluxes.regions import RegionMap
from .fluxes.state import read_lambdas
from .journal import Journal
from .launch.runs import TransportRuns
from .meteorology import ensure_meteorology
from .output import Heading
from .plan import Window
from .progress import Reporter


@dataclass(frozen=True)
class Case:
    """What every step of every window may use.

    Attributes
    ----------
    settings : Settings
    journal : Journal
    reporter : Reporter
    grid : Grid
        The transport model's.
    regions : RegionMap
        On that grid.
    cells : dict
        Where the scaling factors live, by optimised flux.
    lambdas : dict
        λ by optimised flux.
    correlation : Correlation
        Of the perturbations.
    runs : TransportRuns
        Starts the transport model.
    """

    settings: Settings
    journal: Journal
    reporter: Reporter
    grid: Grid
    regions: RegionMap
    cells: dict[str, LambdaCells]
    lambdas: dict[str, float | np.ndarray]
    correlation: Correlation
    runs: TransportRuns

    @property
    def directory(self) -> Path:
        """The case's directory."""
        return self.settings.case_directory

    def heading(self, window: Window) -> Heading:
        """Global attributes of a window's files."""
        return Heading(self.settings.case.name, self.settings.digest(), self.settings.case.seed, self.settings.state.members, window.text,
                       self.settings.output.compression)


def open_case(settings: Settings, journal: Journal, reporter: Reporter) -> Case:
    """Everything that is known before the first window.

    Analytic meteorology is written first when the settings name no meteorology.

    Raises
    ------
    InputError, CouplingError
        The meteorology, the regions or λ cannot be used.
    """
    meteorology = ensure_meteorology(settings, reporter)
    grid = meteorology.grid
    regions = RegionMap.of(settings.regions, grid)
    cells = component_cells(settings.state, grid, regions)
    state = settings.state
    return Case(settings=settings, journal=journal, reporter=reporter, grid=grid, regions=regions, cells=cells,
                lambdas=read_lambdas(state, cells), correlation=Correlation(state.correlation_land_km, state.correlation_ocean_km,
                                                                            state.correlation_shape),
                runs=TransportRuns.of(settings, meteorology, reporter))


def refuse_bad_inputs(settings: Settings, reporter: Reporter, windows: Sequence[Window]) -> None:
    """Look at every input file of the windows to come, before anything is made of them.

    Raises
    ------
    InputError
        Naming every problem.
    """
    unmade = unmade_inputs(settings)
    if unmade is not None:
        raise InputError(unmade.what, unmade.where, unmade.found, unmade.expected, unmade.advice)
    problems = input_problems(settings, windows[0].start, windows[-1].end)
    for problem in problems:
        if problem.severity != "error":
            reporter.log.warning("%s", problem)
    errors = [p for p in problems if p.severity == "error"]
    if errors:
        raise InputError(f"{len(errors)} problem{'s' if len(errors) > 1 else ''} with the input of {settings.path}:\n"
                         + "\n".join(f"  {p}" for p in errors))


