"""Namelist groups ready to be copied."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path
from typing import Any

DATE8 = re.compile(r"(?<!\d)(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)")
DATE6 = re.compile(r"(?<!\d)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)")


def group_text(name: str, /, **settings: Any) -> str:
    """`&name … /` with settings that are not None."""
    lines = [f"  {key} = {_value(value)}" for key, value in settings.items() if value is not None]
    return "\n".join([f"&{name}", *lines, "/"])


def directory_of(path: Path) -> str:
    """The absolute directory of a file."""
    return str(path.resolve().parent)


def dated_pattern(name: str) -> str:
    """A file's name with its day, if it has one, as a placeholder."""
    if DATE8.search(name):
        return DATE8.sub("{yyyymmdd}", name, count=1)
    return DATE6.sub("{yymmdd}", name, count=1)


def matches(pattern: str, name: str) -> bool:
    """Whether a name is one of those that a pattern with days stands for."""
    plain = re.sub(r"\{(\w+)\}", lambda m: {"yyyymmdd": "????????", "yymmdd": "??????", "date": "????????", "year": "????", "month": "??",
                                            "day": "??"}.get(m[1], "*"), pattern)
    return fnmatch.fnmatch(name, plain.split("/")[-1])


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return ".true." if value else ".false."
    if isinstance(value, (tuple, list)):
        return ", ".join(_value(v) for v in value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"{value:g}" if isinstance(value, float) else str(value)
