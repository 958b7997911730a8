"""Under which keys fluxes are reported: the regions of the map and what the paper's Tables 2 and 4 sum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gcas_driver.fluxes.regions import AGGREGATES, TRANSCOM

GLOBAL = "Global"
REST = TRANSCOM[-1]
LAND = AGGREGATES["Global land"]
OCEAN = AGGREGATES["Global ocean"]


def is_transcom(regions: Sequence[str]) -> bool:
    """Whether all 22 TransCom regions are among these."""
    return set(LAND + OCEAN) <= set(regions)


def land_regions(regions: Sequence[str]) -> tuple[str, ...]:
    """The land regions among these; none on a map of the user's own, which does not tell."""
    return LAND if is_transcom(regions) else ()


def region_keys(regions: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """The keys under which fluxes are reported, and the regions each sums.

    Returns
    -------
    keys : tuple of str
        The regions but the rest of the world, then `Global`, which holds that too, and the aggregates on TransCom's map.
    sums : ndarray (n_keys, n_regions) of 0 and 1
    """
    parts: dict[str, Sequence[str]] = {name: (name,) for name in regions if name != REST}
    parts |= {**(AGGREGATES if is_transcom(regions) else {}), GLOBAL: tuple(regions)}
    sums = np.array([[float(region in members) for region in regions] for members in parts.values()])
    return tuple(parts), sums
