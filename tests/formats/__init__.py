"""Faithful small files of the field's formats, one module a family, for readers' tests and for the fuzz test.

Each module makes files as their producers do (names, dimensions, units, order, fill values) and lists them in `SPECIMENS`.
`formats.registry` collects all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Specimen:
    """One format: how a file of it is made, and what GCAS reads in it.

    Attributes
    ----------
    name : str
        Unique, such as "oco2_lite_v11".
    kind : str
        "netcdf4", "netcdf3", "hdf5", "text" or "binary": tells which faults a file can have.
    write : callable
        Takes an empty directory, writes the file (with its siblings, where a reader needs several) and returns its path.
    read : callable
        Takes that path and reads the file through GCAS's own door, the one that `gcas check` and `gcas run` use. Returns name → array
        in the normal form: levels from the top, Pa, mol mol-1 or ppm, mol m-2 s-1, UTC, longitude -180...180, a key array "row" first
        where rows can be dropped one by one.
    check : callable or None
        Takes the path and returns the problems that `gcas check` would tell; None where `read` is all there is.
    """

    name: str
    kind: str
    write: Callable[[Path], Path]
    read: Callable[[Path], Mapping[str, np.ndarray]]
    check: Callable[[Path], list] | None = None
