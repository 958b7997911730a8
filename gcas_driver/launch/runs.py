"""The transport runs of a case: the ensemble and the forward run of every window, and the hand-off between them.

Each kind of run has its own directory below `root`, where one model run follows the other by restart: `ensemble` (or `ensemble_1`, …
when the members are split over several runs) and `forward`. What a run was given is noted in the journal, so that a run that ended
well is not done again when its window is.
"""

from __future__ import annotations

import dataclasses
import time
from functools import cached_property
from pathlib import Path

import numpy as np

from mozart_coupling import contract
from mozart_coupling.dates import to_seconds
from mozart_coupling.emissions import write_components, write_factors, write_member_emissions
from mozart_coupling.errors import CouplingError
from mozart_coupling.grids import Grid
from mozart_coupling.initial import write_initial
from mozart_coupling.met import MetFiles
from mozart_coupling.prepare import plan
from mozart_coupling.restart import forget_kept, hand_off
from mozart_coupling.run import EMBEDDED_COMMAND, Capabilities, ModelSettings, RunRequest, run
from mozart_coupling.run_request import PreparedRun
from mozart_coupling.samples import SampleRequest, Samples
from mozart_coupling.verify import check_output

from ..config import Settings
from ..fluxes.members import FluxBasis
from ..initial import fits_as_it_is, make_initial
from ..journal import Journal, array_digest
from ..meteorology import Meteorology
from ..plan import Window
from ..progress import Reporter, counted
from .tidy import forget_history, forget_restarts

PPM = 1.0e-6


@dataclasses.dataclass(frozen=True)
class RunInput:
    """What drives a run: fields times coefficients, and what to sample.

    Attributes
    ----------
    names : tuple of str
        Of the fields.
    nodes : ndarray (n_field, n_node, nlat, nlon)
        Emission records, three-hourly [molecules cm-2 s-1].
    coefficients : ndarray (n_tracers, n_field, nlat, nlon)
    samples : SampleRequest
    """

    names: tuple[str, ...]
    nodes: np.ndarray
    coefficients: np.ndarray
    samples: SampleRequest

    def digest(self, identity: str) -> str:
        """Of everything that enters the run."""
        request = self.samples
        return array_digest(identity, *self.names, self.nodes, self.coefficients, request.lon, request.lat, request.time_start,
                            request.time_end)


@dataclasses.dataclass(frozen=True)
class TransportRuns:
    """Starts the transport model for a case.

    Attributes
    ----------
    settings : Settings
    meteorology : Meteorology
    reporter : Reporter
    model : ModelSettings
        How the model is called, and what it can do.
    root : Path
        Where the run directories are.
    """

    settings: Settings
    meteorology: Meteorology
    reporter: Reporter
    model: ModelSettings
    root: Path

    @classmethod
    def of(cls, settings: Settings, meteorology: Meteorology, reporter: Reporter, root: Path | None = None) -> TransportRuns:
        """For the settings' model, which is asked what it can do."""
        transport = settings.transport
        command = EMBEDDED_COMMAND if transport.model == "embedded" else transport.command
        model = ModelSettings(
            command=command, capabilities=Capabilities.ask(command), mw_air=transport.mw_air, mw_co2=transport.mw_co2,
            tracer_units=transport.tracer_units, emission_tag=transport.emission_tag, namelist_template=transport.namelist_template,
            sampling=transport.sampling, retries=transport.retries, timeout=3600.0 * transport.timeout_hours or None)
        return cls(settings, meteorology, reporter, model, root or settings.case_directory / "transport")

    @property
    def grid(self) -> Grid:
        """The model's grid."""
        return self.meteorology.grid

    def ensemble(self, journal: Journal, window: Window, basis: FluxBasis, factors: np.ndarray, request: SampleRequest) -> Samples | None:
        """The ensemble run, from one field, with the members' fluxes.

        Parameters
        ----------
        factors : ndarray (n_members, n_optimised, nlat, nlon)
        request : SampleRequest

        Returns
        -------
        Samples or None
            Every member a tracer; None when nothing was to be sampled.
        """
        coefficients, nodes = basis.coefficients(factors), basis.nodes()
        found = []
        for name, members in self._parts(len(factors)):
            given = RunInput(basis.names, nodes, coefficients[members], request)
            found.append(self._once(journal, name, window, given, self.settings.transport.precision))
        if found[0] is None:
            return None
        mixing_ratio = np.concatenate([samples.mixing_ratio for samples in found], axis=1) if len(found) > 1 else found[0].mixing_ratio
        return dataclasses.replace(found[0], mixing_ratio=mixing_ratio[:, :len(factors)], tracers=contract.member_names(len(factors)))

    def forward(self, journal: Journal, window: Window, basis: FluxBasis, factors: np.ndarray, request: SampleRequest) -> Samples | None:
        """The run with posterior (first) and prior fluxes (second), each going on from its own field."""
        given = RunInput(basis.names, basis.nodes(), basis.coefficients(factors), request)
        return self._once(journal, "forward", window, given, "double")

    def single(self, name: str, window: Window, nodes: np.ndarray, request: SampleRequest) -> Samples | None:
        """A run of one flux, nodes (n_node, nlat, nlon), such as a truth; not noted in the journal."""
        n_tracers = 1 if self.model.capabilities.any_tracer_count else 2
        given = RunInput(("total",), nodes[None], np.ones((n_tracers, 1, *self.grid.shape)), request)
        return self._samples(self._run(name, window, given, "double"))

    def hand_off(self, window: Window) -> None:
        """Every member's field at the window's end becomes the forward run's posterior field."""
        end = to_seconds(window.end)
        source = self.root / "forward" / contract.restart_name(self.settings.case.name, end)
        for name, _ in self._parts(self.settings.state.members):
            hand_off(source, self.root / name / contract.restart_name(self.settings.case.name, end))

    def has_restart(self, name: str, window: Window) -> bool:
        """Whether a run left restart files at the window's end."""
        end = to_seconds(window.end)
        names = contract.master_restart_name(end), contract.restart_name(self.settings.case.name, end)
        return all((self.root / name / file).is_file() for file in names)

    def forget_before(self, window: Window) -> None:
        """Remove restart files of dates before the window's start, and what the hand-off kept there."""
        start, case = to_seconds(window.start), self.settings.case.name
        for directory in self.root.glob("*/rest"):
            forget_restarts(directory, case, start)
            forget_kept(directory.parent / contract.restart_name(case, start))
            if not self.settings.output.keep_history:
                forget_history(directory.parent, case, to_seconds(window.end))

    def _parts(self, n_members: int) -> list[tuple[str, np.ndarray]]:
        """Run directories and the members in each. An executable with a fixed number of tracers has its last run filled up with copies
        of the last member."""
        size = self.settings.transport.members_per_run or n_members
        if size >= n_members:
            return [("ensemble", np.arange(n_members))]
        starts = range(0, n_members, size)
        filled = np.arange(len(starts) * size)
        whole = np.minimum(filled, n_members - 1) if not self.model.capabilities.any_tracer_count else np.arange(n_members)
        return [(f"ensemble_{number}", whole[first:first + size]) for number, first in enumerate(starts, start=1)]

    def _once(self, journal: Journal, name: str, window: Window, given: RunInput, precision: str) -> Samples | None:
        """Do a run, unless the journal says that it was done with the same input and what it left behind passes the model's check."""
        key = given.digest(f"{self.settings.digest()} {name} {window.text}")
        request = self._request(name, window, given, precision)
        planned = plan(request, self.model)
        artefacts = {"samples": planned.sample_file} if planned.sample_file else {}
        if journal.step_holds(window.label, name, key, self.settings.case_directory) and _passes(planned):
            self.reporter.log.info("%s run of %s was done before", name, window.text)
            return self._samples(planned)
        started = time.monotonic()
        prepared = self._run(name, window, given, precision)
        journal.record_step(window.label, name, key, artefacts, self.settings.case_directory, time.monotonic() - started)
        return self._samples(prepared)

    def _run(self, name: str, window: Window, given: RunInput, precision: str) -> PreparedRun:
        started = time.monotonic()
        request = self._request(name, window, given, precision)
        self._write_inputs(request, window, given)
        with self.reporter.bar(f"{name} run {window.label}") as advance:
            prepared = run(request, self.model, advance)
        self.reporter.log.info("%s run: %s, %s, %.1f s", name, counted(len(request.tracers), "tracer"),
                               counted(window.days, "day"), time.monotonic() - started)
        return prepared

    def _request(self, name: str, window: Window, given: RunInput, precision: str) -> RunRequest:
        transport, directory = self.settings.transport, self.root / name
        components = self.model.capabilities.components
        return RunRequest(
            directory=directory, case=self.settings.case.name, start=window.start, end=window.end, first_start=self.settings.time.start,
            restart=window.index > 0, tracers=contract.member_names(len(given.coefficients)),
            data_directory=transport.data_directory or directory, met_directory=self.meteorology.directory,
            met_prefix=self.meteorology.prefix, met_date_format=self.meteorology.date_format, initial_file=self._initial_file(directory),
            emission_directory=None if components else directory / "emis",
            components_file=directory / "components.nc" if components else None,
            factors_file=directory / "factors.nc" if components else None, sample_request=given.samples, mode=transport.mode,
            precision=precision, boundary_layer=transport.boundary_layer, convection=transport.convection, threads=transport.threads,
            timestep=transport.timestep, title=f"GCAS {name}")

    def _initial_file(self, directory: Path) -> Path:
        return self.settings.initial.file if self._initial_is_given else directory / "initial.nc"

    @cached_property
    def _initial_is_given(self) -> bool:
        """Whether the settings' file is one that the model can read."""
        initial = self.settings.initial
        return initial.file is not None and fits_as_it_is(initial, self.grid, self.meteorology.levels)

    def _write_inputs(self, request: RunRequest, window: Window, given: RunInput) -> None:
        directory = Path(request.directory)
        directory.mkdir(parents=True, exist_ok=True)
        if request.components_file is not None:
            write_components(request.components_file, self.grid, given.names, given.nodes, window.start)
            write_factors(request.factors_file, self.grid, given.names, given.coefficients, request.tracers)
        else:
            (directory / "emis").mkdir(exist_ok=True)
            write_member_emissions(directory / "emis", self.model.emission_tag, self.grid, request.tracers, given.nodes, given.coefficients,
                                   window.start)
        if window.index == 0 and not self._initial_is_given:
            self._write_initial(request)
        self._link_run_files(directory)

    def _write_initial(self, request: RunRequest) -> None:
        met, start, initial = self.meteorology, self.settings.time.start, self.settings.initial
        with MetFiles(met.directory, met.prefix, met.date_format) as files:
            pressure = files.fields_at(start, ["PS"])["PS"]
        tracers = () if self.model.capabilities.any_tracer_count else request.tracers
        if initial.file is not None:
            make_initial(request.initial_file, initial, self.grid, met.levels, pressure, start, tracers, self.model.mw_air,
                         self.model.mw_co2)
        else:
            write_initial(request.initial_file, self.grid, met.levels, pressure, PPM * initial.uniform_ppm, tracers, start,
                          mw_air=self.model.mw_air, mw_co2=self.model.mw_co2)

    def _link_run_files(self, directory: Path) -> None:
        transport = self.settings.transport
        files = transport.run_files_forward if directory.name == "forward" and transport.run_files_forward else transport.run_files
        for file in files:
            link = directory / file.name
            if link.is_symlink() or link.exists():
                link.unlink()
            link.symlink_to(file)

    @staticmethod
    def _samples(prepared: PreparedRun) -> Samples | None:
        return prepared.samples() if len(prepared.request.sample_request) else None


def _passes(planned: PreparedRun) -> bool:
    try:
        check_output(planned)
    except (CouplingError, OSError):
        return False
    return True
