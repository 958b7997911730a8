"""Strict, typed settings out of a namelist: `load(path)` returns them or raises one error that names every fault.

The dataclasses are made from the definition table, one per group; a repeated group becomes a tuple of them. Nothing is read from
the environment. Paths are relative to the namelist's directory and come out absolute.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

import numpy as np

from ..errors import Problem, SettingsError
from . import reader
from .checks import cross_checks, resolved
from .definitions import GROUPS
from .definitions import group as group_definition
from .variables import Group, Variable


@dataclasses.dataclass(frozen=True)
class GroupSettings:
    """What all groups have besides their settings: where they stand."""

    source: str = dataclasses.field(default="", compare=False, repr=False, kw_only=True)
    lines: Mapping[str, int] = dataclasses.field(default_factory=dict, compare=False, repr=False, kw_only=True)

    def where(self, name: str = "") -> str:
        """File and line of a setting (of the group when the setting was left at its default)."""
        line = self.lines.get(name, self.lines.get("", 0))
        return f"{self.source}, line {line}" if line else self.source


def _dataclass_of(group: Group) -> type:
    types = {"str": str, "int": int, "float": float, "bool": bool, "date": np.datetime64, "path": Path}
    fields = [(v.name, tuple if v.several else types[v.type]) for v in group.variables]
    name = "".join(part.capitalize() for part in group.name.split("_")) + "Settings"
    return dataclasses.make_dataclass(name, fields, bases=(GroupSettings,), frozen=True, kw_only=True,
                                      namespace={"__doc__": group.text, "__module__": __name__})


CLASSES: Mapping[str, type] = MappingProxyType({group.name: _dataclass_of(group) for group in GROUPS})


@dataclasses.dataclass(frozen=True)
class Settings:
    """All settings of a case, one attribute per group; `prior`, `satellite`, `column`, `surface` and `ancillary` are tuples.

    Attributes
    ----------
    path : Path
        The namelist.
    case_directory : Path
        Absolute; where everything the case writes goes.
    truth : TruthSettings or None
        None unless the group &truth is given.
    """

    path: Path
    case_directory: Path
    case: Any
    time: Any
    state: Any
    analysis: Any
    transport: Any
    initial: Any
    prior: tuple
    satellite: tuple
    column_map: tuple
    column: tuple
    surface: tuple
    super_observations: Any
    regions: Any
    ancillary: tuple
    truth: Any
    output: Any
    report: Any

    @property
    def streams(self) -> tuple:
        """Settings of all streams of observations, columns first."""
        return (*self.satellite, *self.column, *self.surface)

    def by_stream(self, setting: str) -> dict[str, Any]:
        """A setting that all streams have, by the stream's name."""
        return {stream.name: getattr(stream, setting) for stream in self.streams}

    def flat(self) -> dict[str, Any]:
        """Every setting as `group.variable` → a plain value; paths relative to the case's directory, so that a case moves as one."""
        values: dict[str, Any] = {}
        for group in GROUPS:
            found = getattr(self, group.name)
            members = found if group.repeated else (() if found is None else (found,))
            for number, member in enumerate(members, start=1):
                label = f"{group.name}({number})" if group.repeated else group.name
                for variable in group.variables:
                    if (group.name, variable.name) == ("case", "directory"):
                        continue
                    values[f"{label}.{variable.name}"] = self._plain(getattr(member, variable.name))
        return values

    def _plain(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return [self._plain(v) for v in value]
        if isinstance(value, Path):
            return Path(os.path.relpath(value, self.case_directory)).as_posix()
        if isinstance(value, np.datetime64):
            return str(value.astype("datetime64[D]"))
        return value

    def digest(self) -> str:
        """Hash of every setting that enters the results: the identity of the experiment."""
        kept = {key: value for key, value in self.flat().items() if change_of(key) == "refused"}
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


def change_of(key: str) -> str:
    """What a change of `group.variable` means for a run in progress: 'refused', 'accept' or 'free'."""
    group_name, name = key.split(".")
    variable = group_definition(group_name.split("(")[0]).variable(name)
    return variable.change if variable else "refused"


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Settings that differ: `group.variable` → (old, new); None where one side has none."""
    return {key: (old.get(key), new.get(key)) for key in sorted({*old, *new}) if old.get(key) != new.get(key)}


def load(path: str | Path) -> Settings:
    """Read a namelist.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Settings

    Raises
    ------
    SettingsError
        Naming every fault, each with file, line, what was found, the nearest known name and the allowed range; its `problems`
        holds them one by one.
    """
    path = Path(os.path.abspath(path))
    text = _text(path)
    groups, problems = reader.parse(text, path.name)
    tables: dict[str, Any] = {group.name: [] for group in GROUPS}
    for found in groups:
        definition = group_definition(found.name)
        if definition is None:
            problems.append(_unknown(f"group &{found.name}", found.name, [g.name for g in GROUPS], f"{path.name}, line {found.line}", "&"))
        elif tables[found.name] and not definition.repeated:
            problems.append(Problem(f"group &{found.name} is given twice", f"{path.name}, line {found.line}",
                                    f"first on line {tables[found.name][0]['lines']['']}", "one group"))
        else:
            tables[found.name].append(_group_values(found, definition, path, problems))
    for group in GROUPS:
        if group.required and not tables[group.name]:
            problems.append(Problem(f"group &{group.name} is missing", path.name, "", group.text))
        elif not group.repeated and not tables[group.name] and group.name != "truth":
            tables[group.name].append(_group_values(reader.GroupText(group.name, 0), group, path, problems))
    if problems:
        raise_all(problems, path)
    parts = {name: tuple(_instance(name, v) for v in values) for name, values in tables.items()}
    singles = {g.name: (parts[g.name][0] if parts[g.name] else None) for g in GROUPS if not g.repeated}
    repeated = {g.name: parts[g.name] for g in GROUPS if g.repeated}
    directory = singles["case"].directory or path.parent / singles["case"].name
    settings = resolved(Settings(path=path, case_directory=directory, **singles, **repeated))
    problems = cross_checks(settings)
    if problems:
        raise_all(problems, path)
    return settings


def _text(path: Path) -> str:
    """The namelist's text: UTF-8, with or without the mark that Windows' editors put before it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError("the namelist cannot be read", str(path), error.strerror or str(error), "a text file") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = "text in UTF-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else f"the byte {content[error.start]:#04x}"
        raise SettingsError("the namelist is not text in UTF-8", f"{path}, line {line}", found, "text in UTF-8",
                            "save it as UTF-8 in your editor, or convert it: iconv -f ISO-8859-1 -t UTF-8") from error


def raise_all(problems: list[Problem], path: Path) -> NoReturn:
    """One error out of all problems."""
    lines = sorted(problems, key=lambda p: int(m.group(1)) if (m := re.search(r"line (\d+)", p.where)) else 0)
    count = f"{len(lines)} problem{'s' if len(lines) > 1 else ''} in {path}"
    error = SettingsError(count + ":\n" + "\n".join(f"  {p}" for p in lines))
    error.problems = lines
    raise error


def _instance(name: str, values: dict[str, Any]) -> Any:
    return CLASSES[name](**values)


def _unknown(what: str, name: str, known: list[str], where: str, prefix: str = "", definition: Group | None = None) -> Problem:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if not near:
        return Problem(f"unknown {what}", where, name, "one of " + ", ".join(prefix + k for k in known))
    meant = f"did you mean '{prefix}{near[0]}'?"
    return Problem(f"unknown {what}", where, name, meant + (f" ({allowed(definition.variable(near[0]))})" if definition else ""))


def _group_values(found: reader.GroupText, definition: Group, path: Path, problems: list[Problem]) -> dict[str, Any]:
    values: dict[str, Any] = {v.name: v.default for v in definition.variables}
    lines = {"": found.line}
    for entry in found.entries:
        variable = definition.variable(entry.name)
        where = f"{path.name}, line {entry.line}"
        if variable is None:
            problems.append(_unknown(f"variable '{entry.name}' in &{definition.name}", entry.name,
                                     [v.name for v in definition.variables], where, definition=definition))
            continue
        lines[entry.name] = entry.line
        values[entry.name] = _converted(entry, variable, definition, path, where, problems)
    for variable in definition.variables:
        if variable.required and variable.name not in lines:
            where = f"{path.name}, line {found.line}" if found.line else path.name
            problems.append(Problem(f"'{variable.name}' is missing in &{definition.name}", where, "", variable.text))
    return {**values, "source": path.name, "lines": lines}


def _converted(entry: reader.Entry, variable: Variable, group: Group, path: Path, where: str, problems: list[Problem]) -> Any:
    if not variable.several and len(entry.values) > 1:
        problems.append(Problem(f"'{variable.name}' in &{group.name} takes one value", where,
                                ", ".join(str(v) for v in entry.values), allowed(variable)))
        return None
    converted = []
    for value, quoted in zip(entry.values, entry.quoted, strict=True):
        try:
            converted.append(_value(value, quoted, variable, path.parent))
        except ValueError as error:
            problems.append(Problem(f"'{variable.name}' in &{group.name} {error}", where,
                                    repr(value) if quoted else str(value), allowed(variable), _near_choice(value, variable)))
    if variable.several:
        return tuple(converted)
    return converted[0] if converted else None


def _near_choice(value: Any, variable: Variable) -> str:
    near = difflib.get_close_matches(str(value).lower(), variable.choices, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else ""


def allowed(variable: Variable) -> str:
    """What a setting may be, in words: its type, range, choices and unit."""
    words = ", ".join(f"'{c}'" for c in variable.choices)
    if words:
        return f"{words} or a quoted path" if variable.type == "path" else f"one of {words}"
    words = {"str": "a quoted string", "int": "a whole number", "float": "a number", "bool": ".true. or .false.",
             "date": "a quoted date 'yyyy-mm-dd'", "path": "a quoted path"}[variable.scalar_type]
    if variable.pattern_text:
        words += f": {variable.pattern_text}"
    bounds = [f"{sign} {bound:g}" for sign, bound in ((">=", variable.minimum), (">", variable.above), ("<=", variable.maximum),
                                                    ("<", variable.below)) if bound is not None]
    words += (" " + " and ".join(bounds) if bounds else "") + (f" ({variable.unit})" if variable.unit else "")
    return words + (", one or several" if variable.several else "")


def _value(value: Any, quoted: bool, variable: Variable, directory: Path) -> Any:
    """One value as the setting's type; ValueError says what is wrong with it."""
    kind = variable.scalar_type
    if kind in ("str", "path", "date"):
        if not quoted:
            raise ValueError("must be a quoted string")
        if kind == "date":
            return _date(value)
        if any(ord(c) < 32 for c in value):
            raise ValueError("holds a control character")
        if kind == "path":
            if value in variable.choices:
                return value
            if not value.strip():
                raise ValueError("is empty")
            return Path(os.path.normpath(directory / value))
        if variable.choices and value not in variable.choices:
            raise ValueError("is not one of the choices")
        if variable.pattern and not re.fullmatch(variable.pattern, value):
            raise ValueError("has the wrong form")
        return value
    if quoted or isinstance(value, str):
        raise ValueError("has the wrong type")
    if kind == "bool":
        if not isinstance(value, bool):
            raise ValueError("has the wrong type")
        return value
    if isinstance(value, bool) or (kind == "int" and not isinstance(value, int)):
        raise ValueError("has the wrong type")
    outside = ((variable.minimum is not None and value < variable.minimum) or (variable.maximum is not None and value > variable.maximum)
               or (variable.above is not None and value <= variable.above) or (variable.below is not None and value >= variable.below))
    if outside or not np.isfinite(float(value)):
        raise ValueError("is out of range")
    return float(value) if kind == "float" else value


def _date(text: str) -> np.datetime64:
    match = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text)
    try:
        if match and 1900 <= int(match.group(1)) <= 2200:
            return np.datetime64(text, "s")
    except ValueError:
        pass
    raise ValueError("is not a date of 1900 to 2200")
