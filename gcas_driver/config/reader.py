"""Reads Fortran namelist text strictly, and remembers the line of every group, variable and value.

The general namelist readers accept too much for a file that people write by hand: an unclosed string or a missing `=`
silently loses a setting. This reader knows the subset that settings need (no derived types, no null values), and collects
every fault instead of stopping at the first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..errors import Problem

Value = bool | int | float | str

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\f,]+)
      | (?P<comment>!.*)
      | (?P<string>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<unclosed>['"].*)
      | (?P<group>[&$][A-Za-z_]\w*)
      | (?P<end>/)
      | (?P<equals>=)
      | (?P<word>[^\s\x00-\x1f\u200b-\u200f\ufeff,'"/=!&$]+)
      | (?P<other>.)""",
    re.VERBOSE,
)
_INTEGER = re.compile(r"[+-]?\d+$")
_REAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?$")
_REPEAT = re.compile(r"(\d+)\*(.+)$")
_LOGICAL = {".true.": True, ".t.": True, "t": True, "true": True,
            ".false.": False, ".f.": False, "f": False, "false": False}
_NAME = re.compile(r"[A-Za-z_]\w*$")


@dataclass
class Entry:
    """One `name = values` of a group; `quoted` tells for each value whether it was written as a string."""

    name: str
    line: int
    values: list[Value] = field(default_factory=list)
    quoted: list[bool] = field(default_factory=list)


@dataclass
class GroupText:
    """One group of the file, in the order of the file."""

    name: str
    line: int
    entries: list[Entry] = field(default_factory=list)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int


def parse(text: str, source: str) -> tuple[list[GroupText], list[Problem]]:
    """The groups of a namelist file and every fault of its form.

    Parameters
    ----------
    text : str
        The file's content.
    source : str
        Its name, for messages.

    Returns
    -------
    groups : list of GroupText
    problems : list of Problem
        Empty when the text is well formed.
    """
    problems: list[Problem] = []
    groups: list[GroupText] = []
    current: GroupText | None = None
    entry: Entry | None = None
    tokens = _tokens(text, source, problems)
    for position, token in enumerate(tokens):
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        if token.kind == "group" and token.text[1:].lower() == "end":
            current, entry = None, None
        elif token.kind == "group":
            if current is not None:
                problems.append(_unclosed_group(current, source))
            current, entry = GroupText(token.text[1:].lower(), token.line), None
            groups.append(current)
        elif current is None:
            if not (problems and problems[-1].where == f"{source}, line {token.line}"):
                problems.append(Problem("text outside of any group", f"{source}, line {token.line}", token.text,
                                        "groups of the form '&name … /'", "comments start with '!'"))
        elif token.kind == "end":
            current, entry = None, None
        elif following is not None and following.kind == "equals" and token.kind == "word":
            entry = _new_entry(token, current, source, problems)
        elif token.kind == "equals":
            if entry is None or tokens[position - 1].kind != "word":
                problems.append(Problem("'=' without a name before it", f"{source}, line {token.line}"))
        elif entry is None:
            problems.append(Problem(f"a value without a name in &{current.name}", f"{source}, line {token.line}",
                                    token.text, "name = value"))
        else:
            _add_value(entry, token)
    if current is not None:
        problems.append(_unclosed_group(current, source))
    problems += [Problem(f"no value for '{e.name}' in &{g.name}", f"{source}, line {e.line}", "nothing after '='", "a value")
                 for g in groups for e in g.entries if not e.values]
    return groups, problems


def _unclosed_group(group: GroupText, source: str) -> Problem:
    return Problem(f"group &{group.name} is not closed", f"{source}, line {group.line}",
                   "the next group or the end of the file", "'/' at the end of the group")


def _tokens(text: str, source: str, problems: list[Problem]) -> list[_Token]:
    tokens = []
    for number, line in enumerate(text.splitlines(), start=1):
        for match in _TOKEN.finditer(line):
            kind = match.lastgroup
            if kind in ("space", "comment"):
                continue
            if kind == "unclosed":
                problems.append(Problem("a string is not closed", f"{source}, line {number}", match.group(),
                                        "the same quote at both ends, on one line"))
                kind = "string"
            if kind == "other":
                sign = match.group()
                shown = sign if sign.isprintable() else f"U+{ord(sign):04X}"
                problems.append(Problem("a character that has no meaning here", f"{source}, line {number}", shown, "",
                                        "" if sign.isprintable() else "it cannot be seen: delete what stands there and type it again"))
                continue
            tokens.append(_Token(kind, match.group(), number))
    return tokens


def _new_entry(token: _Token, group: GroupText, source: str, problems: list[Problem]) -> Entry:
    name = token.text.lower()
    entry = Entry(name, token.line)
    if not _NAME.match(name):
        problems.append(Problem(f"'{token.text}' in &{group.name} is not a name", f"{source}, line {token.line}",
                                token.text, "letters, digits and '_', no index"))
        return entry
    earlier = next((e for e in group.entries if e.name == name), None)
    if earlier is not None:
        problems.append(Problem(f"'{name}' is given twice in &{group.name}", f"{source}, line {token.line}",
                                f"first on line {earlier.line}", "one value", "remove one of them"))
        return entry
    group.entries.append(entry)
    return entry


def _add_value(entry: Entry, token: _Token) -> None:
    if token.kind == "string":
        quote = token.text[0]
        entry.values.append(token.text[1:-1].replace(quote * 2, quote))
        entry.quoted.append(True)
        return
    repeat = _REPEAT.match(token.text)
    count, word = (int(repeat.group(1)), repeat.group(2)) if repeat else (1, token.text)
    if count > 10000:
        count, word = 1, token.text
    entry.values += [_word_value(word)] * count
    entry.quoted += [False] * count


def _word_value(word: str) -> Value:
    if word.lower() in _LOGICAL:
        return _LOGICAL[word.lower()]
    if _INTEGER.match(word):
        return int(word)
    if _REAL.match(word):
        return float(word.lower().replace("d", "e"))
    return word
