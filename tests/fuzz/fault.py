"""What a fault is: a way to damage a file, and what may come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SAME = "same values"
DROPPED = "damaged rows dropped"
HOLES = "no flux where it was damaged"
ERROR = "named error"
ANY = "anything of the normal form's range"

ROW_FAULT = frozenset({SAME, DROPPED, ERROR})
HARMLESS = frozenset({SAME})
SAME_OR_REFUSED = frozenset({SAME, ERROR})
REFUSED = frozenset({ERROR})
NOTHING_LEFT = frozenset({ERROR, DROPPED})
CELL_FAULT = frozenset({SAME, ERROR, HOLES})
WHATEVER = frozenset({ANY, ERROR})


@dataclass(frozen=True)
class Fault:
    """One way to damage a file.

    Attributes
    ----------
    family, name : str
        Kind of fault, such as "variable renamed", and which one of it, such as "xco2".
    allowed : set of str
        What may come of it; whatever else happens is a failure of the reader.
    damage : callable
        Takes the path of a whole file, damages it and returns the path to be read, mostly the same.
    lost : int or None
        Rows that may be missing afterwards; None: any number.
    tolerance : float
        Relative difference that counts as the same value.
    in_child : bool
        Read in a process of its own: damaged bytes can bring the HDF5 library down.
    """

    family: str
    name: str
    allowed: frozenset[str]
    damage: Callable[[Path], Path]
    lost: int | None = None
    tolerance: float = 2.0e-6
    in_child: bool = False

    def __str__(self) -> str:
        return f"{self.family}: {self.name}" if self.name else self.family
