"""What the embedded model is told: `&NLIST` as MOZART-4 has it, and the optional strict group `&GCAS_TRANSPORT`.

A real `&NLIST` carries many variables that mean nothing here: those are let pass. `&GCAS_TRANSPORT` is ours: an unknown
name or a wrong type in it stops the run.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mozart_coupling import constants, contract
from mozart_coupling.dates import DAY, from_date_pair, parse_duration
from mozart_coupling.errors import CouplingError, NamelistError
from mozart_coupling.namelist import read, read_simulation_data

GROUP, OWN_GROUP = "nlist", "gcas_transport"


@dataclass(frozen=True)
class Option:
    """One variable of &GCAS_TRANSPORT: its default (which gives the type), what it may be, what it means."""

    default: str | bool | int | float
    allowed: tuple[str, ...] | None
    text: str


OPTIONS: dict[str, Option] = {
    "mode": Option("linear", ("linear", "monotone"), "advection: unlimited and exactly linear, or without new extrema"),
    "precision": Option("double", ("double", "single"), "of the transported fields; single carries anomalies from the tracers' mean"),
    "threads": Option(0, None, "OpenMP threads; 0: as many as the system offers"),
    "history": Option(True, None, "write history files"),
    "history_precision": Option("single", ("single", "double"), "of the fields in history files"),
    "tracer_units": Option("mmr", ("mmr", "vmr"), "of the tracers in history files: kg/kg or mol/mol"),
    "sample_list": Option("", None, "sample request file; empty: no in-line sampling"),
    "sample_file": Option("", None, "where the samples go"),
    "components_file": Option("", None, "flux components; empty: emission files of &NLIST"),
    "factors_file": Option("", None, "factors of tracers and components"),
    "emission_tag": Option("", None, "the tag in the emission files' names; empty: whatever the one file of a tracer has"),
    "progress_file": Option("", None, "JSON, rewritten about once a second"),
    "boundary_layer": Option(True, None, "mix the boundary layer"),
    "convection": Option(True, None, "mix by convection"),
    "mw_air": Option(constants.MOLAR_MASS_AIR, None, "molar mass of dry air [g mol-1]"),
    "mw_co2": Option(constants.MOLAR_MASS_CO2, None, "molar mass of CO2 [g mol-1]"),
}


@dataclass(frozen=True)
class EmbeddedSettings:
    """A run as the namelist describes it. Times in s since 1970, durations in s, paths absolute."""

    namelist: Path
    directory: Path
    case: str
    title: str
    tracers: tuple[str, ...]
    restart: bool
    first_start: int
    duration: int
    timestep: int
    history_interval: int
    samples_per_file: int
    restart_interval: int | str
    met_directory: Path
    met_prefix: str
    met_date_format: str
    initial_candidates: tuple[Path, ...]
    emission_directory: Path
    mode: str
    precision: str
    threads: int
    history: bool
    history_precision: str
    tracer_units: str
    sample_list: Path | None
    sample_file: Path | None
    components_file: Path | None
    factors_file: Path | None
    emission_tag: str
    progress_file: Path | None
    boundary_layer: bool
    convection: bool
    mw_air: float
    mw_co2: float
    without_effect: tuple[str, ...] = ()

    def initial_file(self) -> Path:
        """The initial condition: the first of the sensible places where there is one."""
        for path in self.initial_candidates:
            if path.is_file():
                return path
        raise NamelistError("the initial condition is not there", f"{self.namelist}, ic_flsp%nl_filename",
                            "nothing at " + ", ".join(map(str, self.initial_candidates)), "a NetCDF file")


def load(namelist: Path | str, directory: Path | str | None = None) -> EmbeddedSettings:
    """Read a run's settings.

    Parameters
    ----------
    namelist
        The file.
    directory
        Run directory; relative paths count from it. Default: the working directory, as for MOZART-4.

    Raises
    ------
    NamelistError
        Anything missing, of the wrong type or without sense; names the file and the variable.
    """
    base = Path.cwd() if directory is None else Path(directory).resolve()
    path = Path(namelist)
    groups = read(path)
    if GROUP not in groups:
        raise NamelistError("the namelist has no group &NLIST", path, ", ".join(groups) or "no group", "&NLIST")
    strange = [name for name in groups if name.startswith("gcas") and name != OWN_GROUP]
    if strange:
        raise NamelistError("unknown namelist group", path, f"&{strange[0].upper()}", f"&{OWN_GROUP.upper()}")
    nlist = _Reader(groups[GROUP], path)
    own = _own_options(groups.get(OWN_GROUP, {}), path)
    data = base / nlist.text("local_data_path", ".")
    history_interval = nlist.duration("hstfrq", "3h")
    settings = EmbeddedSettings(
        namelist=path, directory=base, case=contract.check_case(nlist.text("case")), title=nlist.text("title", ""),
        tracers=tuple(read_simulation_data(base / nlist.text("sim_data_file", "mz4.dat"))),
        restart=nlist.choice("sim_type", ("INITIAL", "RESTART")) == "RESTART",
        first_start=nlist.start(), duration=nlist.duration("sim_duration"), timestep=nlist.duration("timestep"),
        history_interval=history_interval, samples_per_file=nlist.integer("mfilt", 8), restart_interval=_restart_interval(nlist),
        **_met(nlist, base, data), initial_candidates=_initial_candidates(nlist, base, data),
        emission_directory=nlist.directory("emis_flsp", base, data, "emis"),
        **own, **{name: _path(base, own_path) for name, own_path in _own_paths(groups.get(OWN_GROUP, {})).items()})
    _check(settings, nlist)
    return replace(settings, without_effect=without_effect(settings, groups.get(OWN_GROUP, {})))


class _Reader:
    """Typed access to &NLIST; an array gives its first element."""

    def __init__(self, group: Mapping[str, Any], path: Path) -> None:
        self.group, self.path = group, path

    def where(self, name: str) -> str:
        return f"{self.path}, &NLIST, {name}"

    def get(self, name: str) -> Any:
        node: Any = self.group
        for part in name.split("%"):
            node = node[0] if isinstance(node, list) and node else node
            node = node.get(part) if isinstance(node, Mapping) else None
        return node[0] if isinstance(node, list) and node else node

    def text(self, name: str, default: str | None = None) -> str:
        value = self.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise NamelistError("a variable is missing or no string", self.where(name), "nothing" if value is None else repr(value),
                                "a quoted string")
        return value.strip()

    def integer(self, name: str, default: int | None = None) -> int:
        value = self.get(name)
        value = default if value is None else value
        if isinstance(value, bool) or not isinstance(value, int):
            raise NamelistError("a variable is missing or no integer", self.where(name), "nothing" if value is None else repr(value),
                                "an integer")
        return value

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name).upper()
        if value not in allowed:
            raise NamelistError("a variable has an unknown value", self.where(name), repr(value), " or ".join(allowed))
        return value

    def duration(self, name: str, default: str | None = None) -> int:
        value = self.get(name)
        if value is None and default is None:
            raise NamelistError("a variable is missing", self.where(name), "nothing", "a duration such as '15m', '3h', '7d'")
        return parse_duration(default if value is None else value, self.where(name))

    def start(self) -> int:
        seconds = self.integer("icsec", 0)
        if not 0 <= seconds < DAY:
            raise NamelistError("icsec is no second of a day", self.where("icsec"), seconds, f"0 … {DAY - 1}")
        try:
            return from_date_pair(self.integer("icdate"), seconds)
        except NamelistError:
            raise
        except CouplingError as problem:
            raise NamelistError("icdate is no date", self.where("icdate"), problem.found, "yyyymmdd") from problem

    def directory(self, name: str, base: Path, data: Path, subdirectory: str) -> Path:
        """`<name>%local_path` if given, else the data directory's subdirectory if there is one, else the data directory."""
        given = self.get(f"{name}%local_path")
        if isinstance(given, str) and given.strip():
            return base / given.strip()
        return data / subdirectory if (data / subdirectory).is_dir() else data


def _met(nlist: _Reader, base: Path, data: Path) -> dict[str, Any]:
    first = nlist.text("dyn_flsp%nl_filename", "")
    date_format = nlist.text("dyn_flnm_date_frmt", "yyyymmdd")
    prefix = nlist.get("dyn_flnm_prefix")
    if prefix is None:
        found = re.fullmatch(rf"(.*?)\d{{{len(date_format)}}}\.nc", first) if date_format.isalpha() else None
        if not found:
            raise NamelistError("the names of the meteorology files are not said", nlist.where("dyn_flnm_prefix"), repr(first),
                                "dyn_flnm_prefix, such as 'GEOS5_19x2_'")
        prefix = found.group(1)
    return {"met_directory": nlist.directory("dyn_flsp", base, data, "dyn"), "met_prefix": nlist.text("dyn_flnm_prefix", prefix),
            "met_date_format": date_format}


def _initial_candidates(nlist: _Reader, base: Path, data: Path) -> tuple[Path, ...]:
    name = nlist.text("ic_flsp%nl_filename", "")
    if not name:
        return ()
    given = nlist.get("ic_flsp%local_path")
    places = [base / given.strip()] if isinstance(given, str) and given.strip() else []
    return tuple(dict.fromkeys(place / name for place in [*places, data, data / "ic", base]))


def _restart_interval(nlist: _Reader) -> int | str:
    value = nlist.text("restart_frq", "daily").lower()
    if value in ("daily", "monthly", "yearly", "none"):
        return DAY if value == "daily" else value
    seconds = parse_duration(value, nlist.where("restart_frq"))
    if seconds % DAY:
        raise NamelistError("restart files are written at midnight", nlist.where("restart_frq"), repr(value),
                            "'daily', 'monthly', 'yearly', 'none' or days, such as '2d'")
    return seconds


def _own_options(group: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The options that are no paths, checked; the paths are checked too."""
    out: dict[str, Any] = {}
    for name in group:
        if name not in OPTIONS:
            near = difflib.get_close_matches(name, OPTIONS, 1)
            raise NamelistError("unknown variable", f"{path}, &GCAS_TRANSPORT, {name}", name, "one of " + ", ".join(OPTIONS),
                                f"Did you mean {near[0]}?" if near else "")
    for name, option in OPTIONS.items():
        value, where = group.get(name, option.default), f"{path}, &GCAS_TRANSPORT, {name}"
        if isinstance(option.default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not type(option.default):
            raise NamelistError("a variable has the wrong type", where, repr(value),
                                f"{type(option.default).__name__}, such as {option.default!r}")
        if option.allowed is not None and value not in option.allowed:
            raise NamelistError("a variable has an unknown value", where, repr(value), " or ".join(map(repr, option.allowed)))
        if name.startswith("mw_") and not 1.0 < value < 100.0 or name == "threads" and not 0 <= value <= 4096:
            raise NamelistError("a variable is out of range", where, value, "1 … 100 g mol-1" if name.startswith("mw_") else "0 … 4096")
        if not name.endswith(("_file", "_list")):
            out[name] = value
    return out


def without_effect(settings: EmbeddedSettings, given: Mapping[str, Any]) -> tuple[str, ...]:
    """Variables of &GCAS_TRANSPORT that were set and change nothing in this run, each with the reason."""
    reasons = {"history_precision": (not settings.history, "no history is written"),
               "tracer_units": (not settings.history, "no history is written; samples are in mol/mol"),
               "emission_tag": (settings.components_file is not None, "components and factors are read, no emission files")}
    return tuple(f"{name}: {why}" for name, (idle, why) in reasons.items()
                 if idle and name in given and given[name] != OPTIONS[name].default)


def _own_paths(group: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(group.get(name, "")) for name in OPTIONS if name.endswith(("_file", "_list"))}


def _path(base: Path, text: str) -> Path | None:
    return base / text.strip() if text.strip() else None


def _check(settings: EmbeddedSettings, nlist: _Reader) -> None:
    calendar = nlist.text("calendar", "gregorian").lower()
    if calendar not in ("gregorian", "proleptic_gregorian", "standard"):
        raise NamelistError("the calendar is not supported", nlist.where("calendar"), repr(calendar), "'gregorian'")
    step = settings.timestep
    for name, value in (("sim_duration", settings.duration), ("one day", DAY), ("icsec", settings.first_start % DAY)):
        if value % step:
            raise NamelistError("the time step does not divide a time of the run", nlist.where(name), f"{value} s",
                                f"a multiple of timestep, {step} s")
    if settings.samples_per_file < 1:
        raise NamelistError("a history file needs at least one sample", nlist.where("mfilt"), settings.samples_per_file, "1 or more")
    if settings.history:
        interval = settings.history_interval
        if interval % step or DAY % interval or settings.duration % interval:
            raise NamelistError("the history interval does not fit", nlist.where("hstfrq"), f"{interval} s",
                                f"a multiple of timestep ({step} s) that divides a day and sim_duration ({settings.duration} s)")
    for one, other in (("sample_list", "sample_file"), ("components_file", "factors_file")):
        if (getattr(settings, one) is None) != (getattr(settings, other) is None):
            raise NamelistError("two variables go together", f"{settings.namelist}, &GCAS_TRANSPORT", f"only one of {one} and {other}",
                                "both or neither")
    if settings.mode == "monotone" and settings.precision == "single":
        raise NamelistError("anomalies cannot be carried in monotone mode", f"{settings.namelist}, &GCAS_TRANSPORT, precision",
                            "'single' with mode = 'monotone'", "precision = 'double'",
                            "Anomalies from a mean need exactly linear transport.")
