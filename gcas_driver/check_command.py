"""Whether the transport model can be started: its executable, templates and run files."""

from __future__ import annotations

import shutil
from pathlib import Path

from mozart_coupling import contract, namelist
from mozart_coupling.errors import CouplingError

from .config import Settings
from .errors import Problem


def command_problems(settings: Settings) -> list[Problem]:
    """Problems with &transport besides the meteorology."""
    transport = settings.transport
    problems = [Problem("a file for the run directory is missing", transport.where("run_files"), str(path), "a file")
                for path in transport.run_files if not path.is_file()]
    problems += _template_problems(settings)
    problems += _species_problems(settings)
    if transport.model == "command" and not _can_be_started(transport.command[0], transport.run_files):
        problems.append(Problem("the transport model's command is not found", transport.where("command"), transport.command[0],
                                "a program on the search path, an absolute path, or one of 'run_files'"))
    return problems


def _template_problems(settings: Settings) -> list[Problem]:
    path = settings.transport.namelist_template
    if path is None:
        return []
    where = settings.transport.where("namelist_template")
    if not path.is_file():
        return [Problem("the model's namelist is missing", where, str(path), "a file with the group &NLIST")]
    try:
        namelist.read(path)
    except CouplingError as error:
        return [Problem(error.what, f"{where}: {error.where}", str(error.found), str(error.expected), str(error.advice))]
    return []


def _species_problems(settings: Settings) -> list[Problem]:
    """A site's own `mz4.dat` must list the tracers that GCAS will drive."""
    transport, members = settings.transport, settings.state.members
    wanted = {"run_files": min(members, transport.members_per_run or members), "run_files_forward": 2}
    problems = []
    for name, n_tracers in wanted.items():
        for path in getattr(transport, name):
            if path.name != "mz4.dat" or not path.is_file():
                continue
            try:
                found = namelist.read_simulation_data(path)
            except CouplingError as error:
                problems.append(Problem(error.what, f"{transport.where(name)}: {path}", str(error.found), str(error.expected),
                                        str(error.advice)))
                continue
            if tuple(found) != contract.member_names(n_tracers):
                problems.append(Problem("the model carries other tracers", f"{transport.where(name)}: {path}",
                                        f"{len(found)}: {', '.join(found[:3])} …", f"{n_tracers}: EN001 … EN{n_tracers:03d}",
                                        "set 'members' or 'members_per_run' to what the executable was compiled for"))
    return problems


def _can_be_started(word: str, run_files: tuple[Path, ...]) -> bool:
    if word.startswith("./"):
        return any(path.name == word[2:] for path in run_files)
    return shutil.which(word) is not None
