"""Where a source's layers are: coefficients from its files, or the published table."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from mozart_coupling.embedded.levels import P0, check_coefficients

TABLE = Path(__file__).with_name("hybrid_levels.csv")


@lru_cache(maxsize=1)
def _table() -> np.ndarray:
    return np.loadtxt(TABLE, delimiter=",", comments=("#", "levels"))


def published_levels(n_levels: int) -> tuple[np.ndarray, np.ndarray] | None:
    """a [Pa] and b [1] at the interfaces (n_levels+1,), p = a + b PS, of ECMWF's L60 and L137 and GEOS's L72; else None."""
    rows = _table()[_table()[:, 0] == n_levels]
    return (rows[:, 2].copy(), rows[:, 3].copy()) if rows.size else None


def checked_levels(a: np.ndarray, b: np.ndarray, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients in Pa and 1 if they are sound; a is taken as a share of P0 if it nowhere exceeds 2.

    Raises
    ------
    MetError
        Not finite, upside down, not monotone, not ending at the ground.
    """
    a, b = np.asarray(a, dtype=np.float64).ravel(), np.asarray(b, dtype=np.float64).ravel()
    if a.size and np.abs(a).max() <= 2.0:
        a = a * P0  # normalised by P0, as in climate models' files
    check_coefficients(a / P0, b, where)
    return a, b
