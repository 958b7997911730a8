"""The command `gcas`.

Exit codes: 0 done, 1 failed, 2 usage or bad input, 3 interrupted (the same command continues).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mozart_coupling.standard_streams import open_standard_streams
from mozart_coupling.threads import let_waiting_threads_sleep

let_waiting_threads_sleep()  # before the settings load NumPy

from . import __version__
from .config import Settings, load
from .errors import GcasError, Interrupted
from .inspect_command import add_inspect_command
from .interrupts import signals_stop_the_work
from .met_command import add_met_commands, whole


def _settings(arguments: argparse.Namespace) -> Settings:
    """The settings come first: a bad namelist is told at once, before anything large is loaded."""
    return load(arguments.namelist)


def _run(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    from .cycle import run_case
    from .progress import Reporter

    reporter = Reporter()
    with reporter.screen():
        run_case(settings, reporter, accept=arguments.accept)
    return 0


def _check(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    from .check import check_case, print_check

    result = check_case(settings)
    print_check(result)
    return 2 if result.errors else 0


def _status(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    from .status import case_status, print_status

    status = case_status(settings)
    if arguments.json:
        print(json.dumps(status, indent=2))
    else:
        print_status(status)
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    directory = _settings(arguments).case_directory
    from .evaluation.summary import evaluate_case

    evaluate_case(directory)
    print(directory / "summary.json")
    _tell_caveats(directory)
    return 0


def _report(arguments: argparse.Namespace) -> int:
    directory = _settings(arguments).case_directory
    from .report.page import write_report

    write_report(directory)
    print(directory / "report" / "index.html")
    _tell_caveats(directory)
    return 0


def _tell_caveats(directory: Path) -> None:
    """What the numbers just written are not."""
    from .evaluation.case import open_case
    from .evaluation.caveats import caveats

    for text in caveats(open_case(directory)):
        print(f"gcas: {text}", file=sys.stderr)


def _table5(arguments: argparse.Namespace) -> int:
    from .table5_command import run_table5

    return run_table5(arguments)


def _osse(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    from .osse.experiment import run_experiment
    from .progress import Reporter

    reporter = Reporter()
    with reporter.screen():
        run_experiment(settings, reporter, accept=arguments.accept)
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    from .osse.demo import DemoOptions, run_demo
    from .progress import Reporter

    options = DemoOptions(windows=arguments.windows, members=arguments.members, grid=arguments.grid, seed=arguments.seed)
    reporter = Reporter()
    with reporter.screen():
        run_demo(Path(arguments.directory), options, reporter)
    return 0


def _import(arguments: argparse.Namespace) -> int:
    from .gcasv2.command import import_namelist

    import_namelist(Path(arguments.namelist), Path(arguments.output) if arguments.output else None)
    return 0


def _namelist_doc(arguments: argparse.Namespace) -> int:
    from .config.document import page

    sys.stdout.write(page())
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="gcas", description="Surface fluxes of CO2 from atmospheric observations.",
                                  epilog="Exit codes: 0 done, 1 failed, 2 usage or bad input, 3 interrupted (run it again to continue).")
    top.add_argument("--version", action="version", version=f"gcas {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, action: Callable[[argparse.Namespace], int], namelist: bool = True) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(action=action)
        if namelist:
            sub.add_argument("namelist", metavar="NAMELIST")
        return sub

    run = command("run", "Run a case, or continue it where it stopped.", _run)
    run.add_argument("--accept", action="store_true", help="accept harmless changes of settings on a run in progress")
    command("check", "Everything that can be known before running: every problem at once, and the cost.", _check)
    status = command("status", "What a case has done, what it is doing, and how long it will take.", _status)
    status.add_argument("--json", action="store_true", help="machine-readable")
    command("evaluate", "Statistics, uncertainties and regional budgets of a case: summary.json.", _evaluate)
    command("report", "Tables and figures of a case: report/index.html.", _report)
    table5 = command("table5", "Correlation of regional sinks with drought, leaf area and other monthly fields (&ancillary).", _table5)
    table5.add_argument("--component", default="bio", choices=("bio", "ocn", "fossil", "fire"), help="whose sink (bio)")
    osse = command("osse", "A synthetic experiment: make truth and observations, run, evaluate, report.", _osse)
    osse.add_argument("--accept", action="store_true", help="as in `gcas run`")
    demo = command("demo", "A complete small synthetic experiment on the embedded model; continues where it stopped.", _demo, False)
    demo.add_argument("directory", metavar="DIR")
    demo.add_argument("--windows", type=whole(1), metavar="N", help="one-week windows (4)")
    demo.add_argument("--members", type=whole(2), metavar="N", help="ensemble members (40)")
    demo.add_argument("--grid", metavar="NxM", help="model grid (128x64)")
    demo.add_argument("--seed", type=whole(0), metavar="N", help="seed of truth and perturbations (1)")
    add_met_commands(commands)
    add_inspect_command(commands)
    old = command("import", "A namelist of GCASv2 and its directories as a namelist of GCAS; what has no counterpart is listed.", _import)
    old.add_argument("-o", "--output", metavar="FILE", help="the namelist to write (NAMELIST's name with _gcas)")
    command("namelist-doc", "The documentation of all settings, Markdown.", _namelist_doc, False)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the return value is the exit code."""
    open_standard_streams()
    arguments = parser().parse_args(argv)
    try:
        with signals_stop_the_work():
            return arguments.action(arguments)
    except KeyboardInterrupt as stop:
        name = str(stop) or "Ctrl-C"
        return _failed(Interrupted(f"interrupted by {name}", advice="run the same command again to continue"), Interrupted.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except GcasError as error:
        return _failed(error, error.exit_code)
    except Exception as error:  # the last line of defence: no traceback on the user's screen, all of it in the log
        return _unexpected(error)


def _failed(error: Exception, code: int) -> int:
    print(f"gcas: {error}", file=sys.stderr)
    return code


def _unexpected(error: Exception) -> int:
    from mozart_coupling.errors import CouplingError, MetError, NamelistError

    if isinstance(error, CouplingError):
        return _failed(error, 2 if isinstance(error, (MetError, NamelistError)) else 1)
    if isinstance(error, OSError) and error.errno is not None:
        return _failed(GcasError("the system refused an operation", str(error.filename or ""), error.strerror or str(error), "",
                                 "nothing that was done is lost: remove the cause and run the same command again"), 1)
    if isinstance(error, MemoryError):
        return _failed(GcasError("there is not enough memory", "", str(error), "", "`gcas check` tells what a run needs: a coarser grid, "
                                 "fewer members or `members_per_run` need less"), 1)
    return _failed(GcasError(f"unexpected error: {type(error).__name__}: {error}",
                             advice=f"this is a fault of GCAS: please report it with the traceback in {_traceback_file(error)}"), 1)


def _traceback_file(error: Exception) -> str:
    """Where the traceback stands: the log of the case, or else a file of its own."""
    import tempfile
    import traceback

    if hasattr(error, "gcas_log"):
        return str(error.gcas_log)
    try:
        with tempfile.NamedTemporaryFile("w", prefix="gcas_traceback_", suffix=".txt", encoding="utf-8", errors="backslashreplace",
                                         delete=False) as stream:
            stream.write("".join(traceback.format_exception(error)))
            return stream.name
    except OSError:
        return "what follows: " + " | ".join(line.strip() for line in traceback.format_exception(error))


if __name__ == "__main__":
    sys.exit(main())
