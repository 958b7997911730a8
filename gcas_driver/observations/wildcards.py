"""Names by shell wildcards, in any case: sites, projects, selections, flags."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

import numpy as np


def matches(pattern: str, name: str) -> bool:
    """Whether a name matches a pattern such as "aircraft-*", whatever the case."""
    return fnmatch.fnmatchcase(name.lower(), pattern.lower())


def matches_any(patterns: Iterable[str], *columns: np.ndarray) -> np.ndarray:
    """Rows (n,) bool where the name of any of the columns (n,) matches any of the patterns."""
    patterns = tuple(patterns)
    found = np.zeros(len(columns[0]), dtype=bool)
    for column in columns:
        names, index = np.unique(column.astype(str), return_inverse=True)
        found |= np.array([any(matches(pattern, name) for pattern in patterns) for name in names], dtype=bool)[index]
    return found
