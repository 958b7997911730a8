"""Errors of super-observations that are correlated along an orbit, or at a site from day to day, as blocks of R.

Two super-observations of one product at the distance d and the time t apart have the error covariance

    R_ij = r_i r_j (1 - c) exp(-d/L - |t|/T),    R_ii = r_i^2,

with T infinite where it is not given. exp(-d/L) of the great-circle distance and exp(-|t|/T) are positive definite, and so is their
product; the part c of the variance that is each one's own keeps R regular where two stand at one place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations.super_observations import SuperObservations
from mozart_coupling.grids import great_circle_km

OWN_SHARE = 0.01
"""c: the part of the variance that no other super-observation shares."""

REACH = 3.0
"""Correlation lengths from the first member of a block to its last; beyond, less than 5 % is left."""

OVERPASS_HOURS = 1.0
"""Without a correlation time: what is further apart belongs to another overpass."""

MOST = 64
"""Super-observations in a block at most: the analysis localizes a block as one."""


def error_blocks(supers: SuperObservations, lengths: Mapping[str, tuple[float, float]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Blocks of super-observations with correlated errors, as `ensrf` and `letkf` take them.

    The first super-observation in time that is in no block opens one; the next in time of its product within `REACH` lengths of it join, up
    to `MOST`. Nothing is correlated from block to block.

    Parameters
    ----------
    supers : SuperObservations
        In order of time.
    lengths : mapping
        Product to (L [km], T [h]); L = 0: independent errors; T = 0: one overpass (an hour), within which time does not count.

    Returns
    -------
    list of (index, matrix)
        Positions (n,) in ascending order, n >= 2, and their covariance (n, n) [ppm2].

    Raises
    ------
    InputError
        A length or time that is negative or not finite.
    """
    blocks = []
    for product, (length_km, hours) in lengths.items():
        if not (np.isfinite([length_km, hours]).all() and length_km >= 0.0 and hours >= 0.0):
            raise InputError("error correlation out of range", f"stream {product}", f"{length_km} km, {hours} h", "0 or more")
        rows = np.flatnonzero(supers.product == product)
        if length_km > 0.0 and rows.size > 1:
            blocks += [(index, _covariance(supers, index, length_km, hours)) for index in _groups(supers, rows, length_km, hours)]
    return blocks


def _groups(supers: SuperObservations, rows: np.ndarray, length_km: float, hours: float) -> Iterator[np.ndarray]:
    """Members of each block of two or more; `rows` are those of one product, in order of time."""
    time = supers.time[rows]
    ends = np.searchsorted(time, time + 3600.0 * (REACH * hours or OVERPASS_HOURS), side="right")
    free = np.ones(rows.size, dtype=bool)
    for first, end in enumerate(ends):
        if not free[first]:
            continue
        later = first + np.flatnonzero(free[first:end])
        near = great_circle_km(supers.lon[rows[first]], supers.lat[rows[first]], supers.lon[rows[later]], supers.lat[rows[later]])
        members = later[near <= REACH * length_km][:MOST]
        free[members] = False
        if members.size > 1:
            yield rows[members]


def _covariance(supers: SuperObservations, index: np.ndarray, length_km: float, hours: float) -> np.ndarray:
    lon, lat, time, error = (getattr(supers, name)[index] for name in ("lon", "lat", "time", "error"))
    exponent = great_circle_km(lon[:, None], lat[:, None], lon[None], lat[None]) / length_km
    if hours > 0.0:
        exponent = exponent + np.abs(time[:, None] - time[None]) / (3600.0 * hours)
    correlation = (1.0 - OWN_SHARE) * np.exp(-exponent)
    np.fill_diagonal(correlation, 1.0)
    return error[:, None] * error[None] * correlation
