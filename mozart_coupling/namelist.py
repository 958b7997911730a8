"""Namelists: read with f90nml, changed as text so that every byte that was not asked to change stays as it was.

f90nml's writer loses comments and the indices of arrays of types, and its object patch drops sibling components; hence
a small scanner here that finds where a value begins and ends, and a check after every patch that what was asked changed
and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import f90nml
from fortranformat import FortranRecordReader, FortranRecordWriter

from mozart_coupling.errors import NamelistError
from mozart_coupling.netcdf import write_text

Value = str | bool | int | float | Sequence["Value"]

_TOKEN = re.compile(
    r"""(?P<comment>![^\n]*)
      | (?P<string>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<key>[A-Za-z_]\w*(?:\s*\([^()\n]*\))?(?:\s*%\s*[A-Za-z_]\w*(?:\s*\([^()\n]*\))?)*)(?=\s*=)
      | (?P<equals>=)
      | (?P<start>[&$][A-Za-z_]\w*)
      | (?P<end>/)
      | (?P<comma>,)
      | (?P<word>[^\s,/='"!&$]+)
      | (?P<quote>['"])
    """, re.VERBOSE)


@dataclass(frozen=True)
class _Token:
    kind: str
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class _Assignment:
    key: str  # canonical
    values: tuple[_Token, ...]  # value tokens
    commas: tuple[_Token, ...]  # the commas between the first and the last value
    equals: int  # position behind the equals sign


@dataclass(frozen=True)
class _Group:
    name: str
    assignments: tuple[_Assignment, ...]
    start: int  # position of the ampersand
    end: int  # position of the terminating slash (or &end)


def read(path: Path | str) -> f90nml.Namelist:
    """Parse a namelist file.

    Raises
    ------
    NamelistError
        If the file is missing, is not text, or is no namelist.
    """
    return parse(read_text(path), path)


def read_text(path: Path | str) -> str:
    """The text of a namelist file, line ends as they are; bytes that are not UTF-8 come back from `patch_file` as they were."""
    try:
        return Path(path).read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        raise NamelistError("the namelist does not exist", path, "nothing", "a namelist file") from None
    except OSError as problem:
        raise NamelistError("the namelist cannot be read", path, problem.strerror or problem, "a text file") from problem


def parse(text: str, where: object = "namelist") -> f90nml.Namelist:
    """Parse namelist text; a syntax error becomes a `NamelistError`.

    Only the groups are given to f90nml: an apostrophe in the free text around them would make it lose the next one.
    """
    groups = "\n".join(text[group.start:group.end] + "\n/" for group in _scan(text, where))
    try:
        return f90nml.reads(groups + "\n")
    except Exception as problem:  # f90nml raises whatever its parser stumbles over
        raise NamelistError("the namelist cannot be parsed", where, f"{type(problem).__name__}: {problem}",
                            "groups &NAME … / of assignments") from problem


def patch_text(text: str, changes: Mapping[str, Value], group: str = "NLIST", where: object = "namelist") -> str:
    """Change values in namelist text and leave every other byte as it was.

    Parameters
    ----------
    changes
        Value by key, as the key stands in the file (`sim_type`, `dyn_flsp%local_path`, `hst_flsp(1)%x`); case and blanks
        in keys do not matter. A key that the group does not have yet is added on a line of its own before its end. Where
        a key stands twice the last one, which counts, is changed.
    group
        The group to change; it is added at the end of the text if there is none.

    Returns
    -------
    str
        The changed text. It has been read again: exactly the asked values have changed.

    Raises
    ------
    NamelistError
        If the text cannot be parsed, a value cannot be written, or something else would change.
    """
    changed = text
    for key, value in changes.items():
        changed = _patch_one(changed, _canonical(key), format_value(value, f"{where}, {key}"), group, key, where)
    _assert_only(text, changed, changes, group, where)
    return changed


def patch_file(source: Path | str, target: Path | str, changes: Mapping[str, Value], group: str = "NLIST") -> None:
    """`patch_text` from one file into another (or the same), byte for byte apart from the changes."""
    Path(target).write_bytes(patch_text(read_text(source), changes, group, source).encode("utf-8", "surrogateescape"))


def format_value(value: Value, where: str = "namelist") -> str:
    """Namelist text of a string, logical, number, or sequence of these.

    Raises
    ------
    NamelistError
        For a line break or other control character in a string, a number that is not finite, or another type.
    """
    if isinstance(value, bool):
        return ".true." if value else ".false."
    if isinstance(value, str):
        if any(ord(character) < 32 for character in value):
            raise NamelistError("a string with control characters cannot stand in a namelist", where, repr(value))
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and abs(value) < float("inf"):
        return repr(value)
    if isinstance(value, Sequence) and len(value) > 0:
        return ", ".join(format_value(item, where) for item in value)
    raise NamelistError("a value cannot stand in a namelist", where, repr(value), "a string, logical, finite number or a sequence of these")


def flatten(namelist: Mapping[str, Any]) -> dict[str, Any]:
    """Every value of a parsed namelist under a path such as `nlist/hst_flsp(1)%x`."""
    out: dict[str, Any] = {}

    def walk(node: Any, path: str) -> None:
        if isinstance(node, Mapping):
            for key, item in node.items():
                walk(item, f"{path}%{key}" if path else str(key))
        elif isinstance(node, list) and any(isinstance(item, Mapping) for item in node):
            for number, item in enumerate(node, 1):
                walk(item, f"{path}({number})")
        else:
            out[path] = node

    walk(namelist, "")
    return out


def assignments(text: str, group: str = "NLIST", where: object = "namelist") -> dict[str, str]:
    """The text of every value in a group by canonical key, as it stands in the file; the last of equal keys counts."""
    found = [g for g in _scan(text, where) if g.name == group.lower()]
    return {a.key: " ".join(token.text for token in a.values) for g in found for a in g.assignments}


def _canonical(key: str) -> str:
    return re.sub(r"\s+", "", key).lower()


def _scan(text: str, where: object) -> list[_Group]:
    """Groups with the positions of keys and values; text outside groups is comment, as Fortran has it."""
    groups: list[_Group] = []
    name: str | None = None
    begin = 0
    current: list[tuple[str, int, list[_Token]]] = []
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            position += 1
            continue
        kind = found.lastgroup or ""
        if name is None and kind != "start":
            # Outside a group only a start matters; skip by lines so that quotes in free text do no harm.
            position = found.end() if kind in ("comment",) else position + 1
            if kind == "word":
                position = found.end()
            continue
        token = _Token(kind, found.start(), found.end(), found.group())
        position = found.end()
        if kind == "start" and token.text[1:].lower() != "end":
            if name is not None:
                raise _syntax("a group begins before the last one has ended", text, token, where, "'/' first")
            name, begin, current = token.text[1:].lower(), token.start, []
        elif kind == "end" or kind == "start":
            groups.append(_Group(name or "", tuple(_assignment(*entry) for entry in current), begin, token.start))
            name = None
        elif kind == "key":
            current.append((_canonical(token.text), -1, []))
        elif kind == "equals":
            if not current or current[-1][1] >= 0:
                raise _syntax("an equals sign without a variable before it", text, token, where, "name = value")
            current[-1] = (current[-1][0], token.end, current[-1][2])
        elif kind == "quote":
            raise _syntax("a quotation mark is never closed", text, token, where, "a closing quotation mark")
        elif kind in ("string", "word", "comma"):
            if not current:
                raise _syntax("a value without a variable", text, token, where, "name = value")
            current[-1][2].append(token)
    if name is not None:
        raise NamelistError("a namelist group is not ended", f"{where}, &{name.upper()}", "end of file", "'/'")
    return groups


def _syntax(what: str, text: str, token: _Token, where: object, expected: str) -> NamelistError:
    line = text.count("\n", 0, token.start) + 1
    return NamelistError(what, f"{where}, line {line}", text.splitlines()[line - 1].strip(), expected)


def _assignment(key: str, equals: int, tokens: list[_Token]) -> _Assignment:
    values = tuple(token for token in tokens if token.kind != "comma")
    last = values[-1].start if values else equals
    return _Assignment(key, values, tuple(t for t in tokens if t.kind == "comma" and t.start < last), equals)


def _patch_one(text: str, key: str, new: str, group: str, written_key: str, where: object) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    groups = [g for g in _scan(text, where) if g.name == group.lower()]
    if not groups:
        gap = "" if not text or text.endswith("\n") else newline
        return f"{text}{gap}&{group}{newline}  {written_key} = {new}{newline}/{newline}"
    matches = [a for a in groups[-1].assignments if a.key == key]
    if not matches:
        end = groups[-1].end
        line_start = text.rfind("\n", 0, end) + 1
        if text[line_start:end].strip():  # the group ends on a line with content
            return f"{text[:end]}{newline}  {written_key} = {new}{newline}{text[end:]}"
        return f"{text[:line_start]}  {written_key} = {new}{newline}{text[line_start:]}"
    target = matches[-1]
    if not target.values:
        return f"{text[:target.equals]} {new}{text[target.equals:]}"
    # The first value takes the new text; the other values and the commas between them go; comments stay.
    cuts = sorted([*target.values[1:], *target.commas], key=lambda token: token.start, reverse=True)
    for token in cuts:
        text = text[:token.start] + text[token.end:]
    first = target.values[0]
    return text[:first.start] + new + text[first.end:]


def _assert_only(before: str, after: str, changes: Mapping[str, Value], group: str, where: object) -> None:
    """Both the scanner and f90nml must see exactly the asked changes."""
    asked = {_canonical(key): value for key, value in changes.items()}
    old, new = assignments(before, group, where), assignments(after, group, where)
    for key in set(old) | set(new):
        if key not in asked and old.get(key) != new.get(key):
            raise NamelistError("a patch would change more than was asked", f"{where}, {key}", new.get(key), old.get(key))
    for key, value in asked.items():
        if new.get(key) != format_value(value) and _squeeze(new.get(key)) != _squeeze(format_value(value)):
            raise NamelistError("a patch did not take", f"{where}, {key}", new.get(key), format_value(value))
    flat_old, flat_new = flatten(parse(before, where)), flatten(parse(after, where))
    names = {f"{group.lower()}%{re.sub(r'[(][^()]*[)]$', '', key)}" for key in asked}
    for path in set(flat_old) | set(flat_new):
        if path not in names and flat_old.get(path) != flat_new.get(path):
            raise NamelistError("a patch would change more than was asked", f"{where}, {path}", flat_new.get(path), flat_old.get(path))


def _squeeze(text: str | None) -> str:
    return re.sub(r"[\s,]+", " ", text or "")


# --- mz4.dat: the preprocessor's list of species and history fields, fixed columns ---------------------------------

COUNTS_OF_A_TAPE = 44
AVERAGED_VMR_CLASS = 23  # counted from 1


def write_simulation_data(path: Path | str, tracers: Sequence[str]) -> None:
    """Write `mz4.dat` for one history tape that averages the mixing ratio of every tracer.

    Number of tapes (i4); 44 counts (10i4), the 23rd being the number of averaged mixing ratios; their names, a32, four
    to a line; their species indices (20i4); a closing 0.

    Raises
    ------
    NamelistError
        If there is no tracer, or a name does not fit its 32 columns or repeats.
    """
    names = [f"{tracer}_VMR_avrg" for tracer in tracers]
    if not names or len(set(names)) < len(names):
        raise NamelistError("tracer names must be distinct, and at least one", path, ", ".join(tracers) or "none")
    for name in names:
        if len(name) > 32 or not re.fullmatch(r"\w+", name):
            raise NamelistError("a tracer name does not fit", f"{path}, {name}", f"{len(name)} characters with _VMR_avrg",
                                "at most 32 letters, digits and '_'")
    counts = [0] * COUNTS_OF_A_TAPE
    counts[AVERAGED_VMR_CLASS - 1] = len(names)
    records = [FortranRecordWriter("(i4)").write([1]), FortranRecordWriter("(10i4)").write(counts),
               FortranRecordWriter("(4a32)").write([name.ljust(32) for name in names]),
               FortranRecordWriter("(20i4)").write(list(range(1, len(names) + 1))), FortranRecordWriter("(i4)").write([0])]
    write_text(Path(path), "\n".join(records) + "\n")


def read_simulation_data(path: Path | str) -> list[str]:
    """Tracer names, in order, from the averaged mixing ratios of the first history tape in `mz4.dat`.

    Raises
    ------
    NamelistError
        If the file is missing or its counts and names do not agree.
    """
    try:
        lines = Path(path).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise NamelistError("the list of species cannot be read", path, problem, "the preprocessor's mz4.dat (sim_data_file)") from None
    try:
        tapes = FortranRecordReader("(i4)").read(lines[0])[0]
        reader = FortranRecordReader("(10i4)")
        counts = [value for line in lines[1:6] for value in reader.read(line)][:COUNTS_OF_A_TAPE]
    except (IndexError, ValueError) as problem:
        raise NamelistError("the counts cannot be read", path, problem, "i4, then 44 counts in 10i4") from None
    if not tapes or tapes < 1 or len(counts) < COUNTS_OF_A_TAPE:
        raise NamelistError("the counts are incomplete", path, f"{tapes} tapes, {len(counts)} counts", "at least 1 tape and 44 counts")
    expected = counts[AVERAGED_VMR_CLASS - 1] or 0
    reader = FortranRecordReader("(4a32)")
    fields = (str(field).strip() for line in lines[6:] for field in reader.read(line.ljust(128)))
    names = [field.removesuffix("_VMR_avrg") for field in fields if re.fullmatch(r"\w+_VMR_avrg", field)][:expected]
    if expected < 1 or len(names) != expected or len(set(names)) != expected:
        raise NamelistError("the names of averaged mixing ratios do not agree with their count", path,
                            f"{len(names)} names, {len(set(names))} distinct", f"{expected} (23rd count), at least 1")
    return names
