"""Super-observations: all observations of one product in one model cell become one, equations (7) to (9).

With w_j = 1/r_j^2 of the m observations of a cell:

    1/r^2 = sum w_j / (1 + (m - 1) rho);   y = sum w_j y_j / sum w_j;   Hx_i = sum w_j Hx_j,i / sum w_j,

rho the error correlation within a cell (0 in the paper); then r is raised to a floor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from gcas_driver.errors import InputError
from gcas_driver.observations.table import COLUMN, Observations, wrap_longitude
from mozart_coupling.grids import Grid


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
    weight : ndarray (n_observations,)
        w_j / sum w_j; 0 for unused ones.
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
    weight: np.ndarray

    def __len__(self) -> int:
        return len(self.value)

    def average(self, values: np.ndarray) -> np.ndarray:
        """Weighted means (n_super, ...) of what belongs to the observations, (n_observations, ...); equation (9).

        Raises
        ------
        InputError
            If the first dimension is not that of the observations.
        """
        values = np.asarray(values, dtype=np.float64)
        if not values.ndim or values.shape[0] != len(self.index):
            raise InputError("values do not fit the observations", "super-observations", str(values.shape),
                             f"({len(self.index)}, ...)")
        rows = np.flatnonzero(self.index >= 0)
        matrix = sparse.csr_array((self.weight[rows], (self.index[rows], rows)), shape=(len(self), len(self.index)))
        return (matrix @ values.reshape(len(values), -1)).reshape(len(self), *values.shape[1:])


def super_observe(observations: Observations, grid: Grid, *, floor_ppm: float | Mapping[str, float] = 1.0,
                  correlation: float = 0.0, bin_hours: float | None = None, levels: np.ndarray | None = None,
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
    correlation : float
        rho in [0, 1].
    bin_hours : float or None
        Merge only within time bins of this length, counted from 00 UTC; None: over the whole window.
    levels : ndarray of int (n_observations,) or None
        Model level of each point, from `simulate.point_levels`; None: points of all levels are merged.
    merge : bool
        False: every observation stays by itself, only the floor applies.

    Returns
    -------
    SuperObservations

    Raises
    ------
    InputError
        For a setting out of range or a used observation without a positive error.
    """
    _check(observations, correlation, bin_hours, levels)
    rows = np.flatnonzero(observations.used)
    group = _groups(observations, rows, grid, bin_hours, levels) if merge else np.arange(len(rows))
    n = int(group.max()) + 1 if len(rows) else 0
    weight = observations.error[rows] ** -2.0
    total = np.bincount(group, weight, n)
    share = weight / total[group]
    n_merged = np.bincount(group, minlength=n)
    first = np.full(n, len(rows))
    np.minimum.at(first, group, np.arange(len(rows)))

    def mean(values: np.ndarray) -> np.ndarray:
        # About the first value of each group: equal values give that value back, and seconds keep their precision.
        return values[first] + np.bincount(group, share * (values - values[first][group]), n)

    product = observations.product[rows][first]
    lon, lat = _mean_place(observations.lon[rows], observations.lat[rows], share, group, n)
    time = mean(observations.time[rows])
    error = np.maximum(np.sqrt((1.0 + (n_merged - 1) * correlation) / total), _floors(product, floor_ppm))
    order = np.lexsort((lon, lat, time))
    rank = np.empty(n, dtype=np.intp)
    rank[order] = np.arange(n)
    index, weights = np.full(len(observations), -1), np.zeros(len(observations))
    index[rows], weights[rows] = rank[group], share
    return SuperObservations(
        time=time[order], lon=lon[order], lat=lat[order], altitude=mean(observations.altitude[rows])[order],
        value=mean(observations.value[rows])[order], error=error[order], product=product[order],
        kind=observations.kind[rows][first][order], n_merged=n_merged[order], index=index, weight=weights)


def _groups(observations: Observations, rows: np.ndarray, grid: Grid, bin_hours: float | None,
            levels: np.ndarray | None) -> np.ndarray:
    """Number of the group of each used observation, (n_used,) int."""
    if not len(rows):
        return np.empty(0, dtype=np.intp)
    ilat, ilon = grid.cell_index(observations.lon[rows], observations.lat[rows])
    _, product = np.unique(observations.product[rows].astype(str), return_inverse=True)
    level = np.full(len(rows), -1) if levels is None else np.where(observations.kind[rows] == COLUMN, -1, np.asarray(levels)[rows])
    column = (observations.kind[rows] == COLUMN).astype(np.intp)
    time_bin = np.zeros(len(rows)) if bin_hours is None else np.floor(observations.time[rows] / (3600.0 * bin_hours))
    keys = np.column_stack([product, column, ilat, ilon, level, time_bin]).astype(np.int64)
    return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)


def _mean_place(lon: np.ndarray, lat: np.ndarray, share: np.ndarray, group: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude (n,) of the weighted mean unit vectors; single points keep theirs to the bit."""
    x, y = np.cos(np.deg2rad(lat)) * np.cos(np.deg2rad(lon)), np.cos(np.deg2rad(lat)) * np.sin(np.deg2rad(lon))
    mx, my, mz = (np.bincount(group, share * v, n) for v in (x, y, np.sin(np.deg2rad(lat))))
    mean_lon = wrap_longitude(np.rad2deg(np.arctan2(my, mx)))
    mean_lat = np.rad2deg(np.arctan2(mz, np.hypot(mx, my)))
    single = np.bincount(group, minlength=n)[group] == 1
    mean_lon[group[single]], mean_lat[group[single]] = lon[single], lat[single]
    return mean_lon, mean_lat


def _floors(product: np.ndarray, floor_ppm: float | Mapping[str, float]) -> np.ndarray:
    if isinstance(floor_ppm, Mapping):
        return np.array([floor_ppm.get(name, 0.0) for name in product], dtype=np.float64)
    return np.full(len(product), float(floor_ppm))


def _check(observations: Observations, correlation: float, bin_hours: float | None, levels: np.ndarray | None) -> None:
    if not 0.0 <= correlation <= 1.0:
        raise InputError("error correlation out of range", "super-observations", str(correlation), "0 to 1")
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
