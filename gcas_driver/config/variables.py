"""What a setting is: name, type, unit, range, default and meaning; and groups of settings. Types:

========  ===================================================  ===========================
type      in the namelist                                      in Python
========  ===================================================  ===========================
str       'text'                                               str
int       12                                                   int
float     1.5                                                  float
bool      .true. / .false.                                     bool
date      '2010-01-01'                                         numpy.datetime64[s], 00 UTC
path      'text', relative to the namelist's directory         pathlib.Path, absolute
strs …    several of them, separated by commas                 tuple
========  ===================================================  ===========================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

REQUIRED = object()


@dataclass(frozen=True)
class Variable:
    """One setting.

    `minimum` and `maximum` are inclusive bounds; `above` and `below` exclusive ones. `choices` of a path are words that stand
    beside it and are not paths. `change` says what a changed value means
    for a run in progress: "refused" (results would no longer belong together), "accept" (harmless, taken with --accept) or
    "free" (never enters the results, taken without a word).
    """

    name: str
    type: str
    default: Any
    text: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    pattern_text: str = ""
    change: str = "refused"

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    @property
    def several(self) -> bool:
        return self.type.endswith("s") and self.type != "path"

    @property
    def scalar_type(self) -> str:
        return self.type[:-1] if self.several else self.type


@dataclass(frozen=True)
class Group:
    """One namelist group; a `repeated` one may stand several times in the file."""

    name: str
    text: str
    variables: tuple[Variable, ...]
    repeated: bool = False
    required: bool = False

    def variable(self, name: str) -> Variable | None:
        return next((v for v in self.variables if v.name == name), None)
