"""Super-observations: all observations of one product in one model cell become one, equations (7) to (9).

With w_j = 1/r_j^2 of the m observations of a cell:

    1/r^2 = sum w_j / (1 + (m - 1) rho);   y = sum w_j y_j / sum w_j;   Hx_i = sum w_j Hx_j,i / sum w_j,

rho the error correlation within a cell (0 in the paper); then r is raised to a floor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations.operator import super_observe as merge_groups
from gcas_driver.observations.table import COLUMN, Observations
from mozart_coupling.grids import Grid, wrap_longitude


@dataclass(frozen=True)
class SuperObservations:
    """Super-observations, in order of their time.

    Attributes
    ----------
    time, lon, lat : ndarray (n_super,)
        Weighted means over the observations: seconds since 1970, degrees. The place is the mean of the unit vectors,
        not the cell's centre: it is where the information is, also in large cells.
    altitude : ndarray (n_super,)
        Weighted mean [m]; NaN for columns.
    value, error : ndarray (n_super,)
        [ppm].
    product, kind : ndarray of str (n_super,)
    n_merged : ndarray of int (n_super,)
        Observations in each.
    index : ndarray of int (n_observations,)
        The super-observation of each observation; -1 for unused ones.
    observation_error : ndarray (n_observations,)
        r_j of each observation [ppm], for the weights.
    """

    time: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    altitude: np.ndarray
    value: np.ndarray
    error: np.ndarray
    product: np.ndarray
    kind: np.ndarray
    n_merged: np.ndarray
    index: np.ndarray
    observation_error: np.ndarray

    def __len__(self) -> int:
        return len(self.value)

    def average(self, values: np.ndarray) -> np.ndarray:
        """Weighted means (n_super, n_columns) of what belongs to the observations, (n_observations, n_columns); equation (9).

        Values of unused observations are not looked at.

        Raises
        ------
        InputError
            If `values` is not one row an observation.
        """
        values = np.asarray(values, dtype=np.float64)
        if values.ndim != 2 or len(values) != len(self.index):
            raise InputError("values do not fit the observations", "super-observations", str(values.shape),
                             f"({len(self.index)}, n_columns)")
        rows = np.flatnonzero(self.index >= 0)
        if not len(rows):
            return np.empty((0, values.shape[1]))
        error = self.observation_error[rows]
        return merge_groups(np.zeros(len(rows)), error, values[rows], self.index[rows])[2]


def super_observe(observations: Observations, grid: Grid, *, floor_ppm: float | Mapping[str, float] = 1.0,
                  correlation: float | Mapping[str, float] = 0.0, bin_hours: float | None = None, levels: np.ndarray | None = None,
                  merge: bool = True) -> SuperObservations:
    """Form the super-observations of a window.

    Parameters
    ----------
    observations : Observations
        Of one window; unused rows take no part.
    grid : Grid
        Observations of one cell of this grid, one product and, for points, one level are merged.
    floor_ppm : float or mapping
        Least error after merging [ppm], for all products or by product (0 for one that is not named).
    correlation : float or mapping
        rho in [0, 1], for all products or by product (0 for one that is not named).
    bin_hours : float or None
        Merge only within time bins of this length, counted from 00 UTC of 1 January 1970; None: over the whole window.
    levels : ndarray of int (n_observations,) or None
        Model level of each point, from `simulate.point_levels`; None: points of all levels are merged.
    merge : bool
        False: every observation stays by itself, only the floor applies.

    Returns
    -------
    SuperObservations
        None of them where no observation is used.

    Raises
    ------
    InputError
        For a setting out of range, or a used observation without a positive error, a value, a place or a time.
    """
    _check(observations, floor_ppm, correlation, bin_hours, levels)
    rows = np.flatnonzero(observations.used)
    if not len(rows):
        return _none(observations)
    group = _groups(observations, rows, grid, bin_hours, levels) if merge else np.arange(len(rows))
    n_merged = np.bincount(group)
    first = np.full(len(n_merged), len(rows))
    np.minimum.at(first, group, np.arange(len(rows)))
    product = observations.product[rows][first]
    value, error, places = merge_groups(observations.value[rows], observations.error[rows], _places(observations, rows), group,
                                        _by_product(product, floor_ppm), _by_product(product, correlation))
    kind, time = observations.kind[rows][first], places[:, 0]
    lon, lat = _mean_place(places[:, 2:], observations.lon[rows][first], observations.lat[rows][first], n_merged)
    order = np.lexsort((lon, lat, time))
    index = np.full(len(observations), -1)
    index[rows] = np.argsort(order)[group]
    return SuperObservations(
        time=time[order], lon=lon[order], lat=lat[order], altitude=np.where(kind == COLUMN, np.nan, places[:, 1])[order],
        value=value[order], error=error[order], product=product[order], kind=kind[order], n_merged=n_merged[order], index=index,
        observation_error=observations.error)


def _none(observations: Observations) -> SuperObservations:
    empty = np.empty(0)
    return SuperObservations(empty, empty, empty, empty, empty, empty, empty.astype(object), empty.astype(object),
                             empty.astype(np.intp), np.full(len(observations), -1), observations.error)


def _places(observations: Observations, rows: np.ndarray) -> np.ndarray:
    """Time, altitude (0 for columns) and the unit vector of each used observation, (n_used, 5)."""
    phi, lam = np.deg2rad(observations.lat[rows]), np.deg2rad(observations.lon[rows])
    altitude = np.where(observations.kind[rows] == COLUMN, 0.0, observations.altitude[rows])
    return np.column_stack([observations.time[rows], altitude, np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])


def _groups(observations: Observations, rows: np.ndarray, grid: Grid, bin_hours: float | None,
            levels: np.ndarray | None) -> np.ndarray:
    """Number of the group of each used observation, (n_used,) int."""
    ilat, ilon = grid.cell_index(observations.lon[rows], observations.lat[rows])
    _, product = np.unique(observations.product[rows].astype(str), return_inverse=True)
    level = np.full(len(rows), -1) if levels is None else np.where(observations.kind[rows] == COLUMN, -1, np.asarray(levels)[rows])
    column = (observations.kind[rows] == COLUMN).astype(np.intp)
    time_bin = np.zeros(len(rows)) if bin_hours is None else np.floor(observations.time[rows] / (3600.0 * bin_hours))
    keys = np.column_stack([product, column, ilat, ilon, level, time_bin]).astype(np.int64)
    return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)


def _mean_place(vector: np.ndarray, lon: np.ndarray, lat: np.ndarray, n_merged: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude (n,) of mean unit vectors (n, 3); a single observation keeps its own `lon`, `lat` to the bit."""
    mean_lon = wrap_longitude(np.rad2deg(np.arctan2(vector[:, 1], vector[:, 0])))
    mean_lat = np.rad2deg(np.arctan2(vector[:, 2], np.hypot(vector[:, 0], vector[:, 1])))
    return np.where(n_merged == 1, lon, mean_lon), np.where(n_merged == 1, lat, mean_lat)


def _by_product(product: np.ndarray, setting: float | Mapping[str, float]) -> np.ndarray:
    if isinstance(setting, Mapping):
        return np.array([setting.get(name, 0.0) for name in product], dtype=np.float64)
    return np.full(len(product), float(setting))


def _check(observations: Observations, floor_ppm: float | Mapping[str, float], correlation: float | Mapping[str, float],
           bin_hours: float | None, levels: np.ndarray | None) -> None:
    for name, setting, high in (("error floor", floor_ppm, np.inf), ("error correlation", correlation, 1.0)):
        for value in setting.values() if isinstance(setting, Mapping) else (setting,):
            if not 0.0 <= value <= high:
                raise InputError(f"{name} out of range", "super-observations", str(value), f"0 to {high:g}")
    if bin_hours is not None and not bin_hours > 0.0:
        raise InputError("time bin out of range", "super-observations", str(bin_hours), "> 0 hours, or none")
    if levels is not None and np.shape(levels) != (len(observations),):
        raise InputError("levels do not fit the observations", "super-observations", str(np.shape(levels)),
                         f"({len(observations)},)")
    bad = observations.used & ~(np.isfinite(observations.error) & (observations.error > 0.0))
    if bad.any():
        i = np.flatnonzero(bad)[0]
        raise InputError("an observation without a positive error", "super-observations",
                         f"{observations.product[i]} {observations.identifier[i]}: {observations.error[i]} ppm", "> 0 ppm",
                         "check the stream's error settings")
    observations.refuse_missing("super-observations", observations.used, "value", "time", "lon", "lat", "altitude")
