"""Settings of &transport that a run does not heed: warnings, so that nobody takes results for what they are not."""

from __future__ import annotations

from mozart_coupling.run_request import Capabilities

from .config import Settings
from .errors import Problem

OF_THE_EMBEDDED = ("mode", "precision", "boundary_layer", "convection", "threads")
OF_THE_ANALYTIC = ("grid", "levels", "met_seed")
OF_A_COMMAND = ("command", "run_files", "run_files_forward")


def effect_problems(settings: Settings) -> list[Problem]:
    """Warnings for settings that stand in the namelist and change nothing, with the reason."""
    transport = settings.transport
    problems = []
    if transport.met_directory is not None:
        problems += _idle(transport, OF_THE_ANALYTIC, "met_directory is given", "grid and levels are those of the met files")
    if transport.model == "embedded":
        problems += _idle(transport, OF_A_COMMAND, "model = 'embedded'", "the embedded model is part of GCAS")
        problems += _idle(transport, ("emission_tag",), "model = 'embedded'", "it is given components and factors, no emission files")
        if transport.sampling == "inline":
            problems += _idle(transport, ("tracer_units",), "sampling = 'inline'", "samples are in mol/mol, and no history is written")
        return problems
    can = Capabilities.ask(transport.command) if transport.command else Capabilities()
    if not can.any:
        problems += _idle(transport, OF_THE_EMBEDDED, "the command says nothing of reading &GCAS_TRANSPORT",
                          "set the like in the model's own namelist, see 'namelist_template'")
    if transport.sampling == "inline" and not can.in_line_samples:
        given = "sampling" if "sampling" in transport.lines else "sampling_hours" if "sampling_hours" in transport.lines else ""
        if given:
            problems.append(Problem("the model does not sample in line: values are taken from its history, with the history's means",
                                    transport.where(given), f"{given} = {getattr(transport, given)!r}", "sampling = 'history'",
                                    "set it, and leave 'sampling_hours' at the history's three hours", "warning"))
    return problems


def _idle(transport: object, names: tuple[str, ...], because: str, advice: str) -> list[Problem]:
    return [Problem(f"'{name}' in &transport has no effect", transport.where(name), because, "", advice, "warning")
            for name in names if name in transport.lines]
