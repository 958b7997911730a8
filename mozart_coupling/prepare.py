"""Making a run directory ready: namelist, species list, sample request, pointer, and stale output moved aside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mozart_coupling import contract
from mozart_coupling.contract import RUN_DIRECTORIES
from mozart_coupling.dates import DAY, date_pair, format_duration, readable, to_datetime64, to_seconds
from mozart_coupling.embedded.settings import OPTIONS
from mozart_coupling.errors import CouplingError, EmissionError, InitialError, RestartError, RunFailed
from mozart_coupling.met import met_file_name
from mozart_coupling.namelist import Value, flatten, parse, patch_text, read_simulation_data, read_text, write_simulation_data
from mozart_coupling.netcdf import write_text
from mozart_coupling.orphans import RunLock
from mozart_coupling.restart import write_pointer
from mozart_coupling.run_request import ModelSettings, PreparedRun, RunRequest
from mozart_coupling.samples import write_request
from mozart_coupling.stale import dated_output, move_aside

OWN_TEMPLATE = Path(__file__).with_name("mozart4.nml")
NAMELIST, LOG, PROGRESS, REQUEST, SAMPLES = "long.nml", "transport.log", "progress.json", "samples_request.nc", "samples.nc"


def prepare(request: RunRequest, settings: ModelSettings) -> PreparedRun:
    """Make a run directory ready.

    An orphan of an earlier driver is ended first. Output dated inside the run, of any earlier attempt, is moved to `aside`; the
    pointer is written anew; nothing earlier is touched.

    Raises
    ------
    CouplingError
        Dates, names or inputs that cannot be; what a model would need and cannot do.
    """
    prepared = plan(request, settings)
    _check(request, settings, prepared.start, prepared.end)
    directory = Path(request.directory)
    for name in ("", *RUN_DIRECTORIES):
        (directory / name).mkdir(parents=True, exist_ok=True)
    lock = RunLock(directory)
    try:
        _move_aside(prepared)
        _provide_simulation_data(directory / _own_name(settings, "sim_data_file", "mz4.dat"), request.tracers)
        write_text(prepared.namelist, namelist_text(prepared))
        if prepared.sample_file is not None and request.sample_request is not None:
            write_request(directory / REQUEST, request.sample_request)
        if request.restart:
            write_pointer(directory, request.case, prepared.start)
        else:
            (directory / contract.pointer_name(request.case)).unlink(missing_ok=True)
    finally:
        lock.close()
    return prepared


def plan(request: RunRequest, settings: ModelSettings) -> PreparedRun:
    """What `prepare` would make ready; nothing is touched. With it the output of an earlier run of the same request can be
    checked and read."""
    contract.check_case(request.case)
    inline = _samples_inline(request, settings)
    wanted = request.sample_request is not None and len(request.sample_request) > 0
    directory = Path(request.directory)
    return PreparedRun(request, settings, to_seconds(request.start), to_seconds(request.end), directory / NAMELIST, directory / LOG,
                       directory / PROGRESS,
                       directory / SAMPLES if inline else None,
                       request.history or (wanted and not inline) or not settings.capabilities.history_off)


def namelist_text(prepared: PreparedRun) -> str:
    """The template with what this run decides; only values that differ are touched."""
    request, settings = prepared.request, prepared.settings
    template = settings.namelist_template or OWN_TEMPLATE
    text = read_text(template)
    text = patch_text(text, _differing(text, _nlist(prepared), template), "NLIST", template)
    if settings.capabilities.any:
        present = flatten(parse(text, template))
        changes = {name: value for name, value in _own_group(prepared).items()
                   if value != present.get(f"gcas_transport%{name}", OPTIONS[name].default)}
        text = patch_text(text, changes, "GCAS_TRANSPORT", template) if changes else text
    return patch_text(text, dict(request.namelist_changes), "NLIST", template) if request.namelist_changes else text


def _provide_simulation_data(path: Path, tracers: Sequence[str]) -> None:
    """A site's own file stays if it lists these tracers; it may list more history than GCAS needs."""
    try:
        own = tuple(read_simulation_data(path))
    except CouplingError:
        own = ()
    if own != tuple(tracers):
        write_simulation_data(path, tracers)


def _nlist(prepared: PreparedRun) -> dict[str, Value]:
    request, settings = prepared.request, prepared.settings
    icdate, icsec = date_pair(to_seconds(request.first_start))
    first_met = to_datetime64(to_seconds(request.first_start) - DAY).astype("datetime64[D]")
    changes: dict[str, Value] = {
        "case": request.case, "icdate": icdate, "icsec": icsec, "sim_type": "RESTART" if request.restart else "INITIAL",
        "sim_duration": format_duration(prepared.end - prepared.start), "local_data_path": str(Path(request.data_directory).absolute()),
        "dyn_flsp%nl_filename": met_file_name(request.met_prefix, request.met_date_format, first_met),
        "dyn_flsp%local_path": _slashed(request.met_directory),
        "dyn_flnm_prefix": request.met_prefix, "dyn_flnm_date_frmt": request.met_date_format,
    }
    if request.title:
        changes["title"] = request.title
    if request.timestep:
        changes["timestep"] = request.timestep
    if request.emission_directory is not None:
        changes["emis_flsp%local_path"] = _slashed(request.emission_directory)
    if request.initial_file is not None:
        changes["ic_flsp%nl_filename"] = Path(request.initial_file).name
        template = flatten(parse(read_text(settings.namelist_template or OWN_TEMPLATE)))
        if "nlist%ic_flsp%local_path" in template:
            changes["ic_flsp%local_path"] = _slashed(Path(request.initial_file).parent)
    frequency = request.restart_frequency or ("none" if settings.capabilities.history_off and settings.namelist_template is None else None)
    if frequency:
        changes["restart_frq"] = frequency
    return changes


def _own_group(prepared: PreparedRun) -> dict[str, Value]:
    request, settings = prepared.request, prepared.settings
    inline = prepared.sample_file is not None
    return {
        "mode": request.mode, "precision": request.precision, "boundary_layer": request.boundary_layer, "convection": request.convection,
        "threads": request.threads, "history": prepared.history,
        "history_precision": request.history_precision, "tracer_units": settings.tracer_units, "mw_air": settings.mw_air,
        "mw_co2": settings.mw_co2,
        "progress_file": PROGRESS, "sample_list": REQUEST if inline else "", "sample_file": SAMPLES if inline else "",
        "components_file": str(Path(request.components_file).absolute()) if request.components_file else "",
        "factors_file": str(Path(request.factors_file).absolute()) if request.factors_file else "",
        "emission_tag": settings.emission_tag if request.emission_directory is not None else "",
    }


def _differing(text: str, wanted: dict[str, Value], template: Path) -> dict[str, Value]:
    present = flatten(parse(text, template))
    return {key: value for key, value in wanted.items() if present.get(f"nlist%{key.lower()}") != value}


def _slashed(directory: Path) -> str:
    """Absolute, with the closing slash that MOZART-4's paths have."""
    return str(Path(directory).absolute()) + "/"


def _own_name(settings: ModelSettings, key: str, default: str) -> str:
    value = flatten(parse(read_text(settings.namelist_template or OWN_TEMPLATE))).get(f"nlist%{key}", default)
    return Path(str(value)).name


def _samples_inline(request: RunRequest, settings: ModelSettings) -> bool:
    wanted = request.sample_request is not None and len(request.sample_request) > 0
    return wanted and settings.capabilities.in_line_samples and settings.sampling == "inline"


def _check(request: RunRequest, settings: ModelSettings, start: int, end: int) -> None:
    where = f"run {request.case} in {request.directory}"
    if end <= start or to_seconds(request.first_start) > start:
        found = f"{readable(start)} to {readable(end)}, first start {readable(to_seconds(request.first_start))}"
        raise RunFailed("the dates of a run do not fit", where, found, "first start <= start < end")
    able = settings.capabilities
    if request.components_file is not None and not able.components:
        raise RunFailed("the model cannot take components and factors", where, "components_file", "emission files")
    if request.sample_request is not None:
        request.sample_request.require_inside(start, end, where)
    if not request.restart:
        if request.initial_file is None or not Path(request.initial_file).is_file():
            raise InitialError("the initial condition is not there", f"{where}; {request.initial_file}", "nothing", "a NetCDF file")
    else:
        for name in (contract.master_restart_name(start), contract.restart_name(request.case, start)):
            if not (Path(request.directory) / name).is_file():
                raise RestartError("a restart file is not there", f"{where}; {name}", "nothing", f"the file of {readable(start)}",
                                   "An earlier run of this case must have ended there.")
    if request.components_file is None:
        directory = request.emission_directory or Path(request.data_directory) / "emis"
        for tracer in request.tracers:
            path = Path(directory) / contract.emission_name(tracer, settings.emission_tag)
            if not path.is_file():
                raise EmissionError("an emission file is not there", f"{where}; {path}", "nothing", f"the surface flux of {tracer}")


def _move_aside(prepared: PreparedRun) -> None:
    """Output dated inside the run goes to `aside`, which holds the last attempt only."""
    request, directory = prepared.request, Path(prepared.request.directory)
    stale = dated_output(directory, request.case, prepared.start, prepared.end)
    stale += [path for path in (directory / SAMPLES, directory / PROGRESS, prepared.log_file) if path.exists()]
    stale += [path for name in ("hist", "rest", ".") for path in (directory / name).glob(".*.part")]
    move_aside(directory, stale)
