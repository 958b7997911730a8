"""The documentation page of the namelist, and a resolved namelist to stand beside a run's output: both from the definition table."""

from __future__ import annotations

from typing import Any

from .definitions import GROUPS
from .settings import Settings, allowed
from .variables import Group, Variable

_INTRODUCTION = """# The namelist, setting by setting

This page is made from the definition table (`gcas namelist-doc > docs/user/namelist.md`); do not edit it by hand.

A namelist is a text file of groups `&name … /`. Strings are quoted, `!` begins a comment, several values are separated by
commas. Paths are relative to the namelist's own directory. An unknown name, a wrong type and a value out of range are errors, and
all of them are reported at once. Environment variables play no part.

*Change* says what happens when a setting is changed on a run in progress: **no** is refused with the difference shown, **accept** needs
`gcas run --accept`, **free** is taken without a word.
"""


def page() -> str:
    """The page, Markdown."""
    return "\n".join([_INTRODUCTION, *(_section(group) for group in GROUPS)])


def _section(group: Group) -> str:
    marks = [word for word, holds in (("required", group.required), ("may be repeated", group.repeated)) if holds]
    rows = [f"| `{v.name}` | {_cell(allowed(v))} | {_default(v)} | {_change(v)} | {_cell(v.text)} |" for v in group.variables]
    return "\n".join([f"## &{group.name}", "", group.text + (f" ({', '.join(marks)})" if marks else ""), "",
                      "| setting | allowed | default | change | meaning |", "|---|---|---|---|---|", *rows, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _change(variable: Variable) -> str:
    return {"refused": "no"}.get(variable.change, variable.change)


def _default(variable: Variable) -> str:
    if variable.required:
        return "**required**"
    if variable.default is None or variable.default == () or variable.default == "":
        return "–"
    return f"`{literal(variable.default)}`"


def literal(value: Any) -> str:
    """A value as it is written in a namelist."""
    if isinstance(value, (list, tuple)):
        return ", ".join(literal(v) for v in value)
    if isinstance(value, bool):
        return ".true." if value else ".false."
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def resolved_namelist(settings: Settings) -> str:
    """Every setting of a case, defaults included, as a namelist that stands in the case's directory and can be loaded there."""
    values = settings.flat()
    lines = ["! All settings of this case, defaults included; written by `gcas run`. Paths are relative to this directory."]
    for group in GROUPS:
        found = getattr(settings, group.name)
        for number in range(1, (len(found) if group.repeated else int(found is not None)) + 1):
            label = f"{group.name}({number})" if group.repeated else group.name
            lines += ["", f"&{group.name}"]
            if group.name == "case":
                lines.append("  directory = '.'")
            lines += [f"  {v.name} = {literal(values[f'{label}.{v.name}'])}" for v in group.variables
                      if values.get(f"{label}.{v.name}") not in (None, [], "")]
            lines.append("/")
    return "\n".join(lines) + "\n"
