"""The embedded model: from a namelist to history, samples and restart files."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from mozart_coupling import contract
from mozart_coupling.checks import MEAN_VMR, require_grid, require_levels, require_physical, to_mole_fraction
from mozart_coupling.dates import DAY, calendar_date, readable
from mozart_coupling.embedded.anomalies import AnomalyCore
from mozart_coupling.embedded.averages import Averages
from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.embedded.emission_feed import ComponentEmissions, EmissionFeed, FileEmissions
from mozart_coupling.embedded.met_feed import MetFeed
from mozart_coupling.embedded.sampling import SampleCollector
from mozart_coupling.embedded.settings import EmbeddedSettings
from mozart_coupling.embedded.step import StepEmission
from mozart_coupling.errors import CouplingError, InitialError, RestartError, SampleError, StateError
from mozart_coupling.history import HistoryLayout, HistoryWriter
from mozart_coupling.initial import read_initial
from mozart_coupling.met import MetFiles
from mozart_coupling.restart import open_restart, read_master, read_pointer, write_pointer, write_restart
from mozart_coupling.samples import SampleWriter, read_request
from mozart_coupling.stale import dated_output, move_aside

log = logging.getLogger("gcas-transport")
PROGRESS_SECONDS = 1.0


class EmbeddedModel:
    """One run: everything is opened and checked on construction, so that bad input is found before the first step.

    Tracers are carried in kg/kg: what restart, initial and emission files give and take without a factor.

    Raises
    ------
    CouplingError
        The subclass says which input is wrong.
    """

    def __init__(self, settings: EmbeddedSettings) -> None:
        self.settings = settings
        #: mol/mol of one kg/kg
        self.to_vmr = to_mole_fraction("mmr", settings.mw_air, settings.mw_co2)
        self.start, master = self._first_instant()
        self.end = self.start + settings.duration
        self.n_steps = settings.duration // settings.timestep
        for name in contract.RUN_DIRECTORIES:
            (settings.directory / name).mkdir(exist_ok=True)
        for path in [*settings.directory.glob(f"hist/.{settings.case}.*.part"), *settings.directory.glob("rest/.*.part")]:
            path.unlink()  # left by a run that was killed
        files = MetFiles(settings.met_directory, settings.met_prefix, settings.met_date_format)
        self.met = MetFeed(files, self.start, self.end, settings.boundary_layer or settings.convection)
        self.levels = (self.met.hyai, self.met.hybi)
        core = AnomalyCore if settings.precision == "single" else TransportCore
        self.core = core(self.met.grid, *self.levels, len(settings.tracers), mode=settings.mode, threads=settings.threads or None,
                         boundary_layer=settings.boundary_layer, convection=settings.convection,
                         history_precision=settings.history_precision, history_directory=settings.directory / "temp")
        self.met.threads = self.core.threads
        if master is None:
            self._set_initial()
        else:
            self._set_restart(master)
        self.emissions = self._open_emissions()
        self.core.set_coefficients(self.emissions.take_coefficients())
        self._sample_writer: SampleWriter | None = None
        self.samples = self._open_samples()
        self.averages = self._open_averages() if settings.history else None

    def run(self) -> None:
        """Step through the run and write all its output; what an earlier run left for the same dates goes to `aside` first.

        Raises
        ------
        CouplingError
            With the time of the step at which it happened.
        """
        settings, began, reported = self.settings, time.monotonic(), 0.0
        log.info("%s run of %s, %d tracers, %s, %s to %s, %d steps of %d s, %d threads", "restart" if settings.restart else "initial",
                 settings.case,
                 len(settings.tracers), self.met.grid, readable(self.start), readable(self.end), self.n_steps, settings.timestep,
                 self.core.threads)
        for text in settings.without_effect:
            log.warning("&GCAS_TRANSPORT: no effect of %s", text)
        self._move_stale_output_aside()
        try:
            self._sample(0, self.start)
            for number in range(1, self.n_steps + 1):
                now = self.start + number * settings.timestep
                self._step(now - settings.timestep, now)
                self._sample(number, now)
                self._finish_day(now, number, time.monotonic() - began)
                if time.monotonic() - reported > PROGRESS_SECONDS or number == self.n_steps:
                    reported = time.monotonic()
                    self._report(now, number, reported - began)
            self._write_samples()
        except BaseException:
            if self.averages is not None:
                self.averages.writer.discard()
            if self._sample_writer is not None:
                self._sample_writer.discard()
            raise
        finally:
            self.emissions.close()
            self.met.files.close()
        log.info("run ended normally at %s after %.1f s", readable(self.end), time.monotonic() - began)

    def _move_stale_output_aside(self) -> None:
        settings = self.settings
        stale = dated_output(settings.directory, settings.case, self.start, self.end)
        if settings.sample_file is not None and settings.sample_file.exists():
            stale.append(settings.sample_file)
        if stale:
            log.warning("%d files of an earlier run for the same dates are moved to aside, such as %s", len(stale), stale[0])
            move_aside(settings.directory, stale)

    # --- State ------------------------------------------------------------------------------------------------------

    def _first_instant(self) -> tuple[int, Path | None]:
        """Start of the run and, on a restart, the master restart that the pointer names."""
        settings = self.settings
        if not settings.restart:
            return settings.first_start, None
        relative, pointed = read_pointer(settings.directory, settings.case)
        path = settings.directory / relative
        master = read_master(path)
        if master.time != pointed:
            raise RestartError("the master restart is of another date than the pointer says", path, readable(master.time),
                               readable(pointed))
        return master.time, path

    def _set_initial(self) -> None:
        path = self.settings.initial_file()
        initial = read_initial(path, self.settings.tracers)
        require_grid(initial.grid, self.met.grid, path, InitialError)
        self._require_levels(initial.hyam, initial.hybm, path, InitialError)
        fields = [initial.tracer(name) for name in self.settings.tracers]  # often one field for all
        for field in {id(field): field for field in fields}.values():
            require_physical(field, self.to_vmr, path, InitialError)
        mean = float(np.mean([field.mean() for field in fields]))
        if MEAN_VMR[0] <= mean <= MEAN_VMR[1]:
            log.warning("the initial condition %s has a mean of %.4g: kg/kg is expected, this looks like mol/mol", path, mean)
        if initial.time is not None and initial.time != self.start:
            log.warning("the initial condition %s is dated %s, the run starts at %s", path, readable(initial.time), readable(self.start))
        self.core.set_state(fields, self.met.surface_pressure(self.start))

    def _set_restart(self, master_path: Path) -> None:
        master = read_master(master_path)
        path = master_path.parent / Path(contract.restart_name(self.settings.case, master.time)).name
        restart = open_restart(path, self.settings.tracers)
        if restart.time != self.start:
            raise RestartError("the tracer restart is of another date than the master restart", path, readable(restart.time),
                               readable(self.start))
        expected = (self.levels[0].size - 1, *self.met.grid.shape)
        if restart.mixing_ratio[0].shape != expected:
            raise RestartError("the restart is on another grid than the meteorology", path, restart.mixing_ratio[0].shape, expected)
        if restart.grid is not None:
            require_grid(restart.grid, self.met.grid, path, RestartError)
        if restart.hyam is not None and restart.hybm is not None:
            self._require_levels(restart.hyam, restart.hybm, path, RestartError)
        for name, field in zip(self.settings.tracers, restart.mixing_ratio, strict=True):
            require_physical(field, self.to_vmr, f"{path}, {name}", RestartError)
        if master.ps.shape != expected[1:]:
            raise RestartError("the restart is on another grid than the meteorology", f"{master_path}, PS", master.ps.shape, expected[1:])
        parts = master.parts
        if isinstance(self.core, AnomalyCore) and parts is not None and all(
                np.array_equal(parts[0] + anomaly, field) for anomaly, field in zip(parts[1], restart.mixing_ratio, strict=True)):
            self.core.set_parts(parts, master.ps)
        else:
            self.core.set_state(restart.mixing_ratio, master.ps)

    def _require_levels(self, hyam: np.ndarray, hybm: np.ndarray, path: Path, error: type[CouplingError]) -> None:
        hyai, hybi = self.levels
        require_levels(hyam, hybm, 0.5 * (hyai[1:] + hyai[:-1]), 0.5 * (hybi[1:] + hybi[:-1]), path, error)

    # --- One step ---------------------------------------------------------------------------------------------------

    def _step(self, start: int, end: int) -> None:
        try:
            emission = StepEmission(self.emissions.amounts(start, end))
            self.core.step(self.met.step(start, end), float(end - start), emission)
            if self.averages is not None:
                self.averages.add(end, *self.met.profiles(end))
        except CouplingError as problem:
            raise problem.at(f"step from {readable(start)} to {readable(end)}") from problem

    def _sample(self, number: int, now: int) -> None:
        if self.samples is not None and self.samples.wants(number):
            try:
                self.samples.add(number, self.core.add_columns, self.core.surface_pressure, partial(self.met.columns, now))
            except CouplingError as problem:
                raise problem.at(f"samples of {readable(now)}") from problem

    def _finish_day(self, now: int, number: int, elapsed: float) -> None:
        if now == self.end or (now % DAY == 0 and self._restart_due(now)):
            if now == self.end and self.averages is not None:
                self.averages.writer.close()
            self._write_restart(now)
        if now % DAY == 0:
            if isinstance(self.core, AnomalyCore):
                # As a run restarted here would do; done every day, so that it does not matter which restarts are written.
                self.core.set_state(self.core.fields(), self.core.surface_pressure)
            log.info("%s  %5.1f s  %.0f ms a step, surface pressure shifted by %+.3f Pa", readable(now), elapsed, 1e3 * elapsed / number,
                     self.core.pressure_shift)

    def _restart_due(self, now: int) -> bool:
        interval, day = self.settings.restart_interval, calendar_date(now)
        if isinstance(interval, int):
            return (now - self.settings.first_start) // DAY % (interval // DAY) == 0
        return {"none": False, "monthly": day.day == 1, "yearly": (day.month, day.day) == (1, 1)}[interval]

    # --- Output -----------------------------------------------------------------------------------------------------

    def _write_restart(self, now: int) -> None:
        """Both restart files, then the pointer."""
        settings = self.settings
        parts = self.core.parts if isinstance(self.core, AnomalyCore) and now % DAY else None
        fields = self.physical(self.core.fields(), f"tracers at {readable(now)}")
        write_restart(settings.directory, settings.case, now, self.met.grid, self.levels, settings.tracers, fields,
                      self.core.surface_pressure, self.attributes(), parts)
        write_pointer(settings.directory, settings.case, now)

    def physical(self, fields: Sequence[np.ndarray], what: str, factor: float = 1.0) -> Iterator[np.ndarray]:
        """Each tracer's field times a factor, after a look at its values [kg/kg]."""
        for name, n in zip(self.settings.tracers, range(len(fields)), strict=True):
            field = fields[n]
            require_physical(field, self.to_vmr, f"{what}, {name}", StateError)
            yield field if factor == 1.0 else factor * field
            del field  # before the next is asked for

    def attributes(self) -> dict[str, object]:
        """Global attributes of every file the run writes."""
        settings = self.settings
        return {"model": "gcas-transport, the embedded transport model of GCAS", "mw_air": settings.mw_air, "mw_co2": settings.mw_co2,
                "mode": settings.mode, "precision": settings.precision}

    def _write_samples(self) -> None:
        if self.samples is not None and self._sample_writer is not None:
            self._sample_writer.complete(self.samples.finish(self.met.surface_geopotential(self.start), *self.levels), self.end)

    def _report(self, now: int, number: int, elapsed: float) -> None:
        path = self.settings.progress_file
        if path is None:
            return
        text = json.dumps({"case": self.settings.case, "date": readable(now), "step": number, "steps": self.n_steps,
                           "elapsed_seconds": round(elapsed, 3)})
        temporary = path.with_name(f".{path.name}.part")
        temporary.write_text(text + "\n")
        os.replace(temporary, path)

    # --- Input ------------------------------------------------------------------------------------------------------

    def _open_emissions(self) -> EmissionFeed:
        settings = self.settings
        run = (settings.tracers, self.met.grid, self.start, self.end, settings.mw_co2)
        if settings.components_file is not None and settings.factors_file is not None:
            return ComponentEmissions(settings.components_file, settings.factors_file, *run)
        return FileEmissions(settings.emission_directory, settings.emission_tag, *run)

    def _open_samples(self) -> SampleCollector | None:
        settings = self.settings
        if settings.sample_list is None or settings.sample_file is None:
            return None
        request = read_request(settings.sample_list)
        if len(request) == 0:
            raise SampleError("the sample request is empty", settings.sample_list, "no rows", "at least one",
                              "Leave out sample_list and sample_file where nothing is to be sampled.")
        request.require_inside(self.start, self.end, settings.sample_list)
        samples = SampleCollector(request, self.met.grid, self.levels[0].size - 1, len(settings.tracers), self.start, settings.timestep,
                                  self.n_steps, self.met.has_humidity, self._put_samples)
        self._sample_writer = SampleWriter(settings.sample_file, samples.column, settings.tracers, self.levels, settings.case,
                                           self.met.has_humidity)
        return samples

    def _open_averages(self) -> Averages:
        settings, met = self.settings, self.met
        layout = HistoryLayout(settings.directory, settings.case, settings.title, met.grid, *self.levels, settings.tracers,
                               "kg/kg" if settings.tracer_units == "mmr" else "mol/mol", settings.history_precision == "double",
                               met.has_humidity, self.attributes())
        factor = self.to_vmr if settings.tracer_units == "vmr" else 1.0
        return Averages(HistoryWriter(layout, settings.samples_per_file), self.core, met.surface_geopotential(self.start), self.start,
                        settings.history_interval, partial(self.physical, factor=factor))

    def _put_samples(self, rows: np.ndarray, mixing_ratio: np.ndarray) -> None:
        """Complete columns, from kg/kg to mol/mol, into their file."""
        mixing_ratio *= self.to_vmr
        require_physical(mixing_ratio, 1.0, f"columns {rows[0]} … {rows[-1]} of the samples", StateError)
        if self._sample_writer is not None:
            self._sample_writer.put(rows, mixing_ratio)
