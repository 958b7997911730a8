"""What all satellite readers share: from raw soundings to rows of the table.

In order: rows with missing or impossible numbers are dropped by reason; flagged ones; modes not wanted; the rest is
averaged in cells with the best warn-level group only (section 2.3 of the paper); errors are scaled; the calibration
scale is converted if asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations.streams import SatelliteStream
from gcas_driver.observations.table import WITHHELD, ColumnOperator, Observations, column_observations
from mozart_coupling.grids import wrap_longitude

OVERPASS_GAP_SECONDS = 3600.0
"""Soundings of one cell further apart in time are of different overpasses: an orbit takes about 100 minutes."""

PLAUSIBLE_PPM = (250.0, 700.0)
WEIGHT_SUM_TOLERANCE = 0.02
MERGED = "averaged with others of its cell"
WORSE_GROUP = "worse warn-level group than another of its cell"
PROFILES = ("pressure", "pressure_weight", "averaging_kernel", "prior_profile")


@dataclass(frozen=True)
class Soundings:
    """Soundings of one file as read: float64, NaN where missing, profiles in the file's level order.

    Attributes
    ----------
    time, lon, lat, xco2, uncertainty, prior_xco2 : ndarray (n,)
        Seconds since 1970, degrees, ppm.
    pressure, pressure_weight, averaging_kernel, prior_profile : ndarray (n, n_levels)
        Pa, 1, 1, ppm.
    identifier : ndarray of str (n,)
    quality : ndarray (n,) or None
        The product's quality flag, NaN where missing.
    warn_level : ndarray (n,) or None
    mode : ndarray of str (n,) or None
    """

    time: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    xco2: np.ndarray
    uncertainty: np.ndarray
    prior_xco2: np.ndarray
    pressure: np.ndarray
    pressure_weight: np.ndarray
    averaging_kernel: np.ndarray
    prior_profile: np.ndarray
    identifier: np.ndarray
    quality: np.ndarray | None = None
    warn_level: np.ndarray | None = None
    mode: np.ndarray | None = None
    counts: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time)

    def keep(self, good: np.ndarray, reason: str) -> Soundings:
        """The rows of `good` (n,) bool; the others counted under `reason`."""
        if good.all():
            return self
        counts = dict(self.counts)
        counts[reason] = counts.get(reason, 0) + int(np.count_nonzero(~good))
        return replace(self.take(good), counts=counts)

    def take(self, rows: np.ndarray) -> Soundings:
        """The given rows."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "counts"}
        return replace(self, **{name: None if a is None else a[rows] for name, a in arrays.items()})


def to_observations(soundings: Soundings, stream: SatelliteStream, scale: str, start: float,
                    end: float) -> Observations:
    """Screen, average and scale the soundings of one file.

    Parameters
    ----------
    soundings : Soundings
    stream : SatelliteStream
    scale : str
        Calibration scale of the values.
    start, end : float
        Keep soundings of [start, end), seconds since 1970; others belong to another window and are not counted.

    Returns
    -------
    Observations
        With `dropped` counted by reason.
    """
    timed = soundings.keep(np.isfinite(soundings.time), "no time")
    inside = timed.take((timed.time >= start) & (timed.time < end))
    good = _screen(orient_top_first(inside), stream)
    if stream.cell_degrees > 0.0:
        good = average_cells(good, stream.cell_degrees, stream.warn_level_bounds)
    error = np.maximum(good.uncertainty * stream.error_factor, stream.sounding_floor_ppm)
    value = stream.value_factor * good.xco2 + stream.value_offset_ppm
    operator = ColumnOperator(good.pressure, good.pressure_weight, good.averaging_kernel, 1.0e-6 * good.prior_profile,
                              good.prior_xco2)
    dropped = {(stream.product, reason): n for reason, n in good.counts.items()}
    table = column_observations(time=good.time, lon=good.lon, lat=good.lat, value=value, error=error,
                                product=stream.product, identifier=good.identifier, operator=operator, scale=scale,
                                dropped=dropped)
    return table if stream.assimilate else table.reject(np.ones(len(table), dtype=bool), WITHHELD)


def orient_top_first(soundings: Soundings) -> Soundings:
    """The same soundings with the levels from space to surface, decided by the pressures of the file.

    A retrieval has one order in one file, so most of the soundings decide; single broken ones fall to the screening.
    """
    if not len(soundings):
        return soundings
    with np.errstate(invalid="ignore"):
        upward = np.count_nonzero(soundings.pressure[:, 0] > soundings.pressure[:, -1])
        downward = np.count_nonzero(soundings.pressure[:, 0] < soundings.pressure[:, -1])
    if upward <= downward:
        return soundings
    return replace(soundings, **{name: getattr(soundings, name)[:, ::-1] for name in PROFILES})


def average_cells(soundings: Soundings, degrees: float, bounds: tuple[int, ...] = ()) -> Soundings:
    """Mean of the soundings of each cell and overpass, of its best warn-level group only.

    All quantities, errors and kernels too, are plain means, as in the paper (section 2.3) and Wang et al. (2019).
    Cells are counted from -180, -90; an overpass ends where the next sounding of the cell is over an hour later.

    Parameters
    ----------
    soundings : Soundings
        Finite, longitude in [-180, 180).
    degrees : float
        Cell size.
    bounds : tuple of int
        Highest warn level of each group but the last; empty, or soundings without warn levels: one group.
    """
    if not len(soundings):
        return soundings
    column = np.floor((soundings.lon + 180.0) / degrees).astype(np.int64)
    row = np.floor((soundings.lat + 90.0) / degrees).astype(np.int64)
    cell = row * (int(np.ceil(360.0 / degrees)) + 1) + column
    ordered = soundings.take(np.lexsort((soundings.time, cell)))
    cell = np.sort(cell)
    new = np.ones(len(cell), dtype=bool)
    new[1:] = (np.diff(cell) != 0) | (np.diff(ordered.time) > OVERPASS_GAP_SECONDS)
    group = np.zeros(len(cell), dtype=np.int64)
    if bounds and soundings.warn_level is not None:
        group = np.searchsorted(np.asarray(bounds, dtype=np.float64), ordered.warn_level, side="left")
    best = np.minimum.reduceat(group, np.flatnonzero(new))[np.cumsum(new) - 1]
    member = np.cumsum(new) - 1
    chosen = ordered.keep(group == best, WORSE_GROUP)
    return _means(chosen, member[group == best])


def _means(soundings: Soundings, group: np.ndarray) -> Soundings:
    """Means over runs of equal `group` (n,), ascending; text comes from the first of each."""
    starts = np.flatnonzero(np.r_[True, np.diff(group) != 0])
    sizes = np.diff(np.r_[starts, len(group)]).astype(np.float64)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, starts, axis=0) / sizes.reshape(-1, *[1] * (values.ndim - 1))

    arrays = {f.name: getattr(soundings, f.name) for f in fields(soundings) if f.name != "counts"}
    merged = {name: None if a is None else (mean(a) if a.dtype.kind == "f" else a[starts]) for name, a in arrays.items()}
    counts = dict(soundings.counts)
    if len(starts) < len(group):
        counts[MERGED] = counts.get(MERGED, 0) + len(group) - len(starts)
    return Soundings(**merged, counts=counts)


def _screen(soundings: Soundings, stream: SatelliteStream) -> Soundings:
    """Without missing, impossible, flagged and unwanted soundings, each counted once, under the first reason met."""
    s = soundings
    if s.quality is not None and stream.quality_flag >= 0:
        s = s.keep(np.isfinite(s.quality), "no quality flag")
        s = s.keep(s.quality == stream.quality_flag, f"quality flag is not {stream.quality_flag}")
    if stream.modes:
        if s.mode is None:
            raise InputError("modes are set, but the files tell no mode", f"product {stream.product}", "no mode variable",
                             ", ".join(stream.modes), "remove the stream's modes")
        s = s.keep(np.isin(s.mode.astype(str), stream.modes), "mode not wanted")
    s = s.keep(np.isfinite(s.lon) & np.isfinite(s.lat) & (np.abs(s.lat) <= 90.0), "missing or impossible place")
    s = s.keep(np.isfinite(s.xco2), "missing value")
    s = s.keep((s.xco2 > PLAUSIBLE_PPM[0]) & (s.xco2 < PLAUSIBLE_PPM[1]), "value not between 250 and 700 ppm")
    s = s.keep(np.isfinite(s.uncertainty) & (s.uncertainty > 0.0), "missing or non-positive uncertainty")
    finite = np.isfinite(s.prior_xco2)
    for name in PROFILES:
        finite &= np.isfinite(getattr(s, name)).all(axis=1)
    s = s.keep(finite, "missing operator data")
    s = s.keep((np.diff(s.pressure, axis=1) > 0.0).all(axis=1) & (s.pressure[:, 0] >= 0.0), "retrieval pressures not in order")
    s = s.keep(np.abs(s.pressure_weight.sum(axis=1) - 1.0) <= WEIGHT_SUM_TOLERANCE, "pressure weights do not sum to one")
    if stream.warn_level_bounds and s.warn_level is not None:
        s = s.keep(np.isfinite(s.warn_level), "no warn level")
    return replace(s, lon=wrap_longitude(s.lon))
