"""Which TransCom regions make up the aggregates that tables show; the sums of the paper's Tables 2 and 4."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gcas_driver.fluxes.regions import TRANSCOM

GLOBAL = "Global"
N_LAND = 11


def _named(*numbers: int) -> tuple[str, ...]:
    return tuple(TRANSCOM[n - 1] for n in numbers)


LAND = _named(*range(1, N_LAND + 1))
OCEAN = _named(*range(N_LAND + 1, 23))
AGGREGATES: dict[str, tuple[str, ...]] = {
    "Global land": LAND,
    "Global ocean": OCEAN,
    "Northern land": _named(1, 2, 7, 8, 11),
    "Tropical land": _named(3, 5, 6, 9),
    "Southern land": _named(4, 10),
}


def is_transcom(regions: Sequence[str]) -> bool:
    """Whether all 22 TransCom regions are among these."""
    return set(TRANSCOM[:22]) <= set(regions)


def land_regions(regions: Sequence[str]) -> tuple[str, ...]:
    """The land regions among these; none on a map of the user's own, which does not tell."""
    return LAND if is_transcom(regions) else ()


def region_keys(regions: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """The keys under which fluxes are reported, and the regions each sums.

    Returns
    -------
    keys : tuple of str
        The 22 TransCom regions, `Global` and the five aggregates; on a map of the user's own its regions and `Global`.
    sums : ndarray (n_keys, n_regions) of 0 and 1
    """
    transcom = is_transcom(regions)
    parts: dict[str, Sequence[str]] = {name: (name,) for name in (TRANSCOM[:22] if transcom else regions)}
    parts[GLOBAL] = tuple(regions)
    if transcom:
        parts |= AGGREGATES
    sums = np.array([[float(region in members) for region in regions] for members in parts.values()])
    return tuple(parts), sums
