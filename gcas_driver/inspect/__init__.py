"""What a file is, told from its contents: `inspect_file` gives findings, whatever the file.

`glance` looks at structure only; `kinds` is the table of all kinds; the modules beside describe a family each through GCAS's own readers.
"""

from __future__ import annotations

from pathlib import Path

from gcas_driver.errors import GcasError
from mozart_coupling.errors import CouplingError

from .findings import Findings
from .glance import Glance, glance_at
from .kinds import KINDS, Kind, nearest

__all__ = ["KINDS", "Findings", "Glance", "Kind", "glance_at", "inspect_file", "kind_of"]


def kind_of(seen: Glance) -> Kind | None:
    """The first kind of the table that the file is."""
    return next((kind for kind in KINDS if kind.recognises(seen)), None)


def inspect_file(path: Path) -> Findings:
    """Recognise and describe a file. Nothing is raised: what is wrong stands in `problems`, an unknown file has no `kind`."""
    try:
        seen = glance_at(Path(path))
    except OSError as error:
        return Findings.of(Path(path), problems=[f"cannot be opened: {error.strerror or error}"])
    if seen.problem:
        return Findings.of(seen.path, size=seen.size, inventory=seen.inventory, problems=[seen.problem], guess=nearest(seen))
    kind = kind_of(seen)
    if kind is None:
        return Findings.of(seen.path, size=seen.size, inventory=seen.inventory, problems=["of no kind that GCAS knows"],
                           guess=nearest(seen))
    found = Findings.of(seen.path, size=seen.size, kind=kind.name, title=kind.title, inventory=seen.inventory)
    try:
        kind.describe(seen, found)
    except (GcasError, CouplingError) as error:
        found.problems.append(" ".join(str(error).replace(f"{seen.path}: ", "").split()))
    except Exception as error:  # whatever a damaged file brings about: the user is told, not shown a traceback
        found.problems.append(f"cannot be read as what it looks like: {type(error).__name__}: {error}")
    return found
