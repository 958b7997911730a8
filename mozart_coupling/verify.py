"""Success, stricter than the field's habit: everything a run must have left behind, new, complete and plausible."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mozart_coupling import contract
from mozart_coupling.checks import require_physical, to_mole_fraction
from mozart_coupling.dates import readable
from mozart_coupling.errors import CouplingError, RestartError, SampleError
from mozart_coupling.history import check_history
from mozart_coupling.netcdf import open_dataset
from mozart_coupling.restart import time_of, tracers_of
from mozart_coupling.run_request import PreparedRun
from mozart_coupling.samples import read_sample_columns


def check_output(prepared: PreparedRun) -> None:
    """History or samples, and both restart files of the run's end.

    Raises
    ------
    CouplingError
        Naming the file and the check that failed.
    """
    request, settings = prepared.request, prepared.settings
    launched = prepared.marker.stat().st_mtime_ns
    if prepared.history:
        check_history(request.directory, request.case, prepared.start, prepared.end, request.tracers, mw_air=settings.mw_air,
                      mw_co2=settings.mw_co2, tracer_units=settings.tracer_units, newer_than_ns=launched)
    if prepared.sample_file is not None:
        check_samples(prepared, prepared.sample_file, launched)
    check_restart(prepared, launched)


def check_samples(prepared: PreparedRun, path: Path, launched: int) -> None:
    """The sample file stands in for the history where that is off."""
    _require_new(path, launched, SampleError)
    columns, end = read_sample_columns(path)
    request = prepared.request
    if end != prepared.end:
        raise SampleError("the samples are of another run", path, readable(end), readable(prepared.end))
    if columns.tracers != tuple(request.tracers):
        raise SampleError("the samples have other tracers", path, ", ".join(columns.tracers), ", ".join(request.tracers))
    n = 0 if request.sample_request is None else len(request.sample_request)
    if columns.column.size != n:
        raise SampleError("the samples are not as many as were asked for", path, columns.column.size, n)
    require_physical(columns.mixing_ratio, 1.0, path, SampleError)


def check_restart(prepared: PreparedRun, launched: int) -> None:
    """Both restart files of the run's end: new, with all tracers, finite, of the right date."""
    request, settings = prepared.request, prepared.settings
    directory = Path(request.directory)
    _require_new(directory / contract.master_restart_name(prepared.end), launched, RestartError)
    path = directory / contract.restart_name(request.case, prepared.end)
    _require_new(path, launched, RestartError)
    to_vmr = to_mole_fraction("mmr", settings.mw_air, settings.mw_co2)
    with open_dataset(path, RestartError, "restart") as data:
        if time_of(data, path) != prepared.end:
            raise RestartError("the restart file is of another date", path, readable(time_of(data, path)), readable(prepared.end))
        missing = [tracer for tracer in request.tracers if tracer not in tracers_of(data)]
        if missing:
            raise RestartError("tracers are missing in the restart file", path, ", ".join(tracers_of(data)), ", ".join(missing))
        for tracer in request.tracers:
            require_physical(np.asarray(contract.value(data, tracer, 3)), to_vmr, f"{path}, {tracer}", RestartError)


def _require_new(path: Path, launched: int, error: type[CouplingError]) -> None:
    if not path.is_file() or path.stat().st_size == 0:
        raise error("the run left no such file", path, "nothing" if not path.is_file() else "an empty file", "the file of the run's end")
    if path.stat().st_mtime_ns < launched:
        raise error("the file is older than the launch", path, advice="It is left from an earlier run.")
