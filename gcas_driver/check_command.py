"""Whether the transport model can be started: its executable, templates and run files."""

from __future__ import annotations

import shutil
from pathlib import Path

from mozart_coupling import namelist
from mozart_coupling.errors import CouplingError

from .config import Settings
from .errors import Problem


def command_problems(settings: Settings) -> list[Problem]:
    """Problems with &transport besides the meteorology."""
    transport = settings.transport
    problems = [Problem("a file for the run directory is missing", transport.where("run_files"), str(path), "a file")
                for path in transport.run_files if not path.is_file()]
    for name in ("simulation_data", "simulation_data_forward"):
        path = getattr(transport, name)
        if path is not None and not path.is_file():
            problems.append(Problem(f"'{name}' is missing", transport.where(name), str(path), "the model's mz4.dat"))
    problems += _template_problems(settings)
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


def _can_be_started(word: str, run_files: tuple[Path, ...]) -> bool:
    if word.startswith("./"):
        return any(path.name == word[2:] for path in run_files)
    return shutil.which(word) is not None
