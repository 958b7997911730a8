"""Reads a namelist of GCASv2: what it may hold, its values with their lines, everything that cannot be right at once.

The groups and names are those of the files of groups that run it; their meanings are taken from the names and from Jiang et al.
(2021), since no manual exists. What is documented nowhere is marked so and never used in silence.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gcas_driver.config.reader import Entry, parse
from gcas_driver.errors import Problem, SettingsError

_INDEXED = re.compile(r"\b([A-Za-z_]\w*)[ \t]*\([ \t]*(\d+)(?:[ \t]*:[ \t]*\d+)?[ \t]*\)(?=[ \t]*=)")


@dataclass(frozen=True)
class Old:
    """A variable of GCASv2's namelist.

    Attributes
    ----------
    group, name : str
    kind : str
        "int", "float", "bool", "text" or "any".
    n : int
        How many values.
    minimum, maximum : float
    required : bool
    unknown : str
        What is documented nowhere; "" if its meaning is known.
    """

    group: str
    name: str
    kind: str
    n: int = 1
    minimum: float = -np.inf
    maximum: float = np.inf
    required: bool = False
    unknown: str = ""


TABLE = (
    Old("time_control", "year", "int", minimum=1900, maximum=2200, required=True),
    Old("time_control", "month", "int", minimum=1, maximum=12, required=True),
    Old("time_control", "day", "int", minimum=1, maximum=31, required=True),
    Old("time_control", "rundays", "int", minimum=1, maximum=36600, required=True),
    Old("time_control", "da_step", "int", minimum=1, maximum=366, required=True),
    Old("assimilation", "casename", "text", required=True),
    Old("assimilation", "nrt", "any", unknown="what near-real time changes"),
    Old("assimilation", "opt_scheme", "any", unknown="which number is which scheme of equations (2) to (5)"),
    Old("assimilation", "netflux", "bool"),
    Old("assimilation", "ensemble", "int", minimum=2, maximum=9999, required=True),
    Old("assimilation", "l_scale", "float", 2, minimum=0.0, unknown="its unit, and which of the two numbers is which"),
    Old("assimilation", "l_ratio", "float", 2, unknown="what it is a ratio of"),
    Old("assimilation", "opt_dir", "text"),
    Old("assimilation", "debug", "any"),
    Old("transport_model", "resm", "any"),
    Old("transport_model", "mozartdir", "text"),
    Old("background_flux", "resb", "any"),
    Old("background_flux", "priordir", "text", required=True),
    Old("background_flux", "bunc", "float", 3, minimum=0.0, maximum=1000.0, unknown="the order of its three components"),
    Old("observations", "issrf", "bool"),
    Old("observations", "obsdir_srf", "text"),
    Old("observations", "issat", "bool"),
    Old("observations", "isgosat", "bool"),
    Old("observations", "obsdir_gosat", "text"),
    Old("observations", "isoco2", "bool"),
    Old("observations", "obsdir_oco2", "text"),
    Old("observations", "istansat", "bool"),
    Old("observations", "obsdir_tansat", "text"),
)
SWITCHES = {"issrf": "obsdir_srf", "isgosat": "obsdir_gosat", "isoco2": "obsdir_oco2", "istansat": "obsdir_tansat"}
GROUPS = tuple(dict.fromkeys(old.group for old in TABLE))


@dataclass(frozen=True)
class OldNamelist:
    """A namelist of GCASv2 as read.

    Attributes
    ----------
    path : pathlib.Path
    values : dict
        Name → value, or tuple of values; only what the file gives.
    lines : dict
        Name → line.
    strange : list of (str, str)
        Where something stands that the table does not know, and what: another version's, or a slip.
    """

    path: Path
    values: dict[str, Any]
    lines: dict[str, int]
    strange: list[tuple[str, str]]

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)

    def where(self, name: str) -> str:
        """File and line of a variable."""
        return f"{self.path.name}, line {self.lines[name]}" if name in self.lines else self.path.name

    @property
    def start(self) -> np.datetime64:
        """First day."""
        return np.datetime64(f"{self['year']:04d}-{self['month']:02d}-{self['day']:02d}", "D")

    def directory(self, name: str) -> Path | None:
        """A directory as an absolute path; relative ones count from the namelist's own directory."""
        return None if not self[name] else (self.path.parent / Path(str(self[name]).strip()).expanduser()).absolute()


def read(path: Path | str) -> OldNamelist:
    """Read a namelist of GCASv2.

    Raises
    ------
    SettingsError
        With every problem: no such file, not the groups of GCASv2, values of a wrong kind, out of range, or missing.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise SettingsError("the namelist cannot be read", str(path), error.strerror or str(error), "a namelist of GCASv2") from None
    groups, problems = parse(_without_indices(text), path.name)
    known = [group for group in groups if group.name in GROUPS]
    if not known:
        raise SettingsError("not a namelist of GCASv2", str(path), ", ".join(f"&{g.name}" for g in groups) or "no group",
                            ", ".join(f"&{name}" for name in GROUPS))
    strange = [(f"line {g.line}", f"group &{g.name}") for g in groups if g.name not in GROUPS]
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for group in known:
        entries = _joined(group.entries)
        for entry in entries:
            old = next((o for o in TABLE if (o.group, o.name) == (group.name, entry.name)), None)
            if old is None:
                strange.append((f"line {entry.line}", f"{entry.name} in &{group.name}{_hint(entry.name, group.name)}"))
                continue
            lines[entry.name] = entry.line
            value, problem = _value(old, entry, f"{path.name}, line {entry.line}")
            problems += [problem] if problem else []
            values[entry.name] = value
    problems += [Problem(f"'{old.name}' is missing in &{old.group}", path.name, "", "a value")
                 for old in TABLE if old.required and values.get(old.name, "") == ""]
    found = OldNamelist(path, values, lines, strange)
    if not problems:
        problems = _contradictions(found)
    if problems:
        raise SettingsError("\n".join(["the namelist of GCASv2 cannot be used:", *(f"  {problem}" for problem in problems)]), str(path))
    return found


def _without_indices(text: str) -> str:
    """`l_scale(1) = …` as a name of its own, since the reader takes no index."""
    return _INDEXED.sub(lambda match: f"{match[1]}__{match[2]}", text)


def _joined(entries: list[Entry]) -> list[Entry]:
    """Entries with an index put together, in order of the index."""
    joined: dict[str, list[tuple[int, Entry]]] = {}
    for entry in entries:
        name, _, index = entry.name.partition("__")
        joined.setdefault(name, []).append((int(index or 1), entry))
    return [Entry(name, parts[0][1].line, [v for _, e in sorted(parts, key=lambda part: part[0]) for v in e.values],
                  [q for _, e in sorted(parts, key=lambda part: part[0]) for q in e.quoted]) for name, parts in joined.items()]


def _hint(name: str, group: str) -> str:
    near = difflib.get_close_matches(name, [old.name for old in TABLE if old.group == group], 1)
    return f" (near: {near[0]})" if near else ""


_CONVERT: dict[str, tuple[Callable[[Any], Any], str]] = {
    "int": (lambda v: v if isinstance(v, int) and not isinstance(v, bool) else None, "a whole number"),
    "float": (lambda v: float(v) if isinstance(v, (int, float)) and not isinstance(v, bool) and np.isfinite(v) else None, "a number"),
    "bool": (lambda v: bool(v) if isinstance(v, bool) or v in (0, 1) else None, ".true. or .false."),
    "text": (lambda v: v.strip() if isinstance(v, str) else None, "a text in quotes"),
    "any": (lambda v: v, "a value"),
}


def _value(old: Old, entry: Entry, where: str) -> tuple[Any, Problem | None]:
    """The value, and what is wrong with it."""
    convert, text = _CONVERT[old.kind]
    shown = ", ".join(str(v) for v in entry.values)
    values = [convert(v) for v in entry.values]
    if len(values) != old.n:
        return None, Problem(f"'{old.name}' takes {old.n} value{'s' if old.n > 1 else ''}", where, f"{len(values)}: {shown}", str(old.n))
    if any(v is None for v in values):
        return None, Problem(f"'{old.name}' is of the wrong kind", where, shown, text)
    if old.kind in ("int", "float") and not all(old.minimum <= v <= old.maximum for v in values):
        return None, Problem(f"'{old.name}' is out of range", where, shown, f"{old.minimum:g} to {old.maximum:g}")
    return (values[0] if old.n == 1 else tuple(values)), None


def _contradictions(found: OldNamelist) -> list[Problem]:
    problems = []
    try:
        _ = found.start
    except ValueError:
        problems.append(Problem("there is no such day", found.where("day"), f"{found['year']}-{found['month']}-{found['day']}", "a date"))
    for switch, directory in SWITCHES.items():
        wanted = found[switch] and (switch == "issrf" or found["issat"] in (None, True))
        if wanted and not found[directory]:
            problems.append(Problem(f"'{switch}' is on, but '{directory}' is not given", found.where(switch), "", "a directory"))
    return problems
