"""Observations that two streams have in common: assimilated twice, or assimilated in one and compared with in the other as if independent.

Files are given to two streams more easily than one thinks: a pattern that takes in the other's files, a pack and the provider's own
file of one site, the same soundings in two layouts.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from gcas_driver.observations.table import Observations

LEAST_SHARE = 0.5
"""Of the smaller stream; below it, it may well be chance, such as a flask filled in the minute that an hourly mean is stamped with."""
MIXER = np.uint64(0x9E3779B97F4A7C15)
"""An odd number without pattern in its bits."""
FINENESS = {"time": 1.0, "lon": 1.0e-3, "lat": 1.0e-3, "altitude": 1.0}
"""Closer than this is equal [s, degrees, degrees, m]."""


def shared_observations(tables: Sequence[Observations]) -> list[str]:
    """A sentence for every two streams of which at least half of the smaller one's observations are the other's too, by time and place.

    Parameters
    ----------
    tables : sequence of Observations
        One of each stream; only rows that are assimilated or withheld count.
    """
    keyed = [(str(table.product[0]), _keys(table), table.used[table.evaluated]) for table in tables if table.evaluated.any()]
    found = []
    for (first, first_keys, first_used), (second, second_keys, second_used) in combinations(keyed, 2):
        common, i, j = np.intersect1d(first_keys, second_keys, return_indices=True)
        if len(common) < LEAST_SHARE * min(len(first_keys), len(second_keys)):
            continue
        both, one = int((first_used[i] & second_used[j]).sum()), int((first_used[i] ^ second_used[j]).sum())
        if both:
            found.append(f"{both} observations of '{first}' are those of '{second}' too, by time and place: they count twice")
        if one:
            found.append(f"{one} observations of '{first}' are those of '{second}' too, by time and place: withheld in one stream and "
                         "assimilated in the other, they test nothing")
    return found


def _keys(table: Observations) -> np.ndarray:
    """Time and place of every row that is assimilated or withheld, rounded and mixed into one number each: millions sort in no time, and
    two that are equal by chance are too rare to make up half of a stream."""
    rows, keys = table.evaluated, np.uint64(0)
    for name, step in FINENESS.items():
        number = np.round(np.nan_to_num(getattr(table, name)[rows], nan=-9999.0) / step).astype(np.int64).astype(np.uint64)
        keys = (keys ^ number) * MIXER
        keys ^= keys >> np.uint64(29)
    return keys
