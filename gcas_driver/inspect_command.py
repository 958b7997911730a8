"""The command `gcas inspect`."""

from __future__ import annotations

import argparse
import json
import os
import pickle
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from .inspect import Findings

MOST_INVENTORY = 40
MOST_SECONDS = 600


def add_inspect_command(commands) -> None:
    """Put `inspect` among the commands."""
    text = "What files are, what GCAS would read in them and by which setting; a picture of each."
    sub = commands.add_parser("inspect", help=text, description=text)
    sub.set_defaults(action=run_inspect)
    sub.add_argument("files", metavar="FILE", nargs="+")
    sub.add_argument("--out", metavar="DIR", help="where the pictures go (beside each file)")
    sub.add_argument("--no-picture", action="store_true", help="draw nothing")
    sub.add_argument("--json", action="store_true", help="machine-readable")


def run_inspect(arguments: argparse.Namespace) -> int:
    """Inspect files; 0 if all are known and whole, else 2."""
    console, findings, plain = Console(highlight=False, soft_wrap=True), [], []
    for name in arguments.files:
        found, picture = _guarded(Path(name), arguments)
        findings.append(found)
        if arguments.json:
            plain.append(found.plain() | {"picture": picture or None})
        else:
            print_findings(found, picture, console)
    if arguments.json:
        print(json.dumps(plain, indent=2, ensure_ascii=False))
    return max(found.exit_code for found in findings)


def _guarded(path: Path, arguments: argparse.Namespace) -> tuple[Findings, str]:
    """Findings of a file and its picture, made in a process of their own: damaged HDF5 files bring the library down, or never come back."""
    from . import inspect

    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(MOST_SECONDS)
            found = inspect.inspect_file(path)
            picture = "" if arguments.no_picture else _picture(found, arguments.out)
            found.panels.clear()
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump((found, picture), pipe)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        content = pipe.read()
    status = os.waitpid(child, 0)[1]
    if content:
        return pickle.loads(content)
    name = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else ""
    how = f"did not come back within {MOST_SECONDS} s" if name == "SIGALRM" else f"failed on it{f' ({name})' if name else ''}"
    return inspect.Findings.of(path, problems=[f"the NetCDF or HDF5 library {how}: the file is damaged"]), ""


def _picture(found: Findings, out: str | None) -> str:
    """Draw what there is to draw; the picture's path. A data directory that takes none, since it is not ours, is told but no problem."""
    if not found.panels:
        return ""
    from .inspect.drawing import draw

    path = Path(out) / f"{found.path.name}.png" if out else found.path.with_name(f"{found.path.name}.png")
    try:
        draw(found, path)
    except OSError as error:
        said = f"the picture cannot be written to {path}: {error.strerror or error} (--out DIR, or --no-picture)"
        if out:
            found.problems.append(said)
        else:
            found.facts["no picture"] = said
        return ""
    except Exception as error:  # what is odd enough to break a drawing is told, not shown as a traceback
        found.problems.append(f"no picture can be drawn: {type(error).__name__}: {error}")
        return ""
    return str(path)


def print_findings(found: Findings, picture: str, console: Console) -> None:
    """For people."""
    def line(text: str, style: str | None = None) -> None:
        console.print(text, markup=False, style=style)

    line(f"{found.path}: {found.title or 'unknown'}", "bold")
    if found.span:
        line(f"  time      {found.span[0]} … {found.span[1]}")
    for name, text in found.facts.items():
        line(f"  {name}: {text}")
    for name, numbers in found.ranges.items():
        if numbers["n"]:
            text = f"{numbers['least']:.6g} … {numbers['most']:.6g}, mean {numbers['mean']:.6g} {numbers['unit']}".rstrip()
        else:
            text = "no value"
        line(f"  {name}: {text}" + (f" ({numbers['missing']} missing)" if numbers["missing"] else ""))
    for name, counts in found.counts.items():
        line(f"  {name}: " + ", ".join(f"{which} {n}" for which, n in counts.items()))
    if not found.kind:
        line("  contents:")
        for text in found.inventory[:MOST_INVENTORY]:
            line(f"    {text}")
        if len(found.inventory) > MOST_INVENTORY:
            line(f"    … {len(found.inventory) - MOST_INVENTORY} more")
        if found.guess:
            line(f"  nearest to: {found.guess}")
    for text in found.problems:
        line(f"  problem: {text}", "red")
    if found.setting:
        line("  read by:")
        for text in found.setting.splitlines():
            line(f"    {text}")
    if picture:
        line(f"  picture: {picture}")
