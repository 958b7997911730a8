"""Means of samples: replicates always; along a track, over time, cell or layer, where a stream asks for it.

A mean of m samples keeps their model-data mismatch, which neighbours share; their measurement error becomes the root mean square
over sqrt(m).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gcas_driver.observations.streams import SurfaceStream
from mozart_coupling.grids import wrap_longitude

if TYPE_CHECKING:
    from gcas_driver.observations.points import PointSamples

REPLICATE = "averaged with its replicate"
NEIGHBOUR = "averaged with neighbours in time or place"
PASSAGE_GAP_SECONDS = 3600.0
"""Samples of one cell that are further apart in time belong to different passages, if cells alone are set."""


def average(samples: PointSamples, reason: np.ndarray, stream: SurfaceStream,
            counts: dict[str, int]) -> tuple[PointSamples, np.ndarray]:
    """Means of the accepted samples; rejected and withheld ones are not mixed with the others.

    Parameters
    ----------
    samples : PointSamples
        Finite.
    reason : ndarray of str (n,)
        Why a sample is rejected; "" if it is not. Rejected ones stay single.
    stream : SurfaceStream
        `average_minutes`, `average_degrees`, `average_metres`; all 0: replicates only.
    counts : dict
        Receives how many samples were merged, by reason.
    """
    if not len(samples):
        return samples, reason
    replicate = np.column_stack([samples.time, samples.altitude, samples.lat, samples.lon])
    samples, reason = _merge(samples, reason, replicate, None, REPLICATE, counts)
    bins = _bins(samples, stream)
    if bins is None:
        return samples, reason
    gap = None if stream.average_minutes > 0.0 else PASSAGE_GAP_SECONDS
    return _merge(samples, reason, bins, gap, NEIGHBOUR, counts)


def _bins(s: PointSamples, stream: SurfaceStream) -> np.ndarray | None:
    """Numbers (n, k) that are equal within one bin; None if no bin is set."""
    places = ((s.time, 60.0 * stream.average_minutes), (wrap_longitude(s.lon) + 180.0, stream.average_degrees),
              (s.lat + 90.0, stream.average_degrees), (s.altitude, stream.average_metres))
    columns = [np.floor(values / size) for values, size in places if size > 0.0]
    return np.column_stack(columns) if columns else None


def _merge(samples: PointSamples, reason: np.ndarray, keys: np.ndarray, gap: float | None, why: str,
           counts: dict[str, int]) -> tuple[PointSamples, np.ndarray]:
    """Means over equal rows of `keys`, of one site, data set and kind of use, broken where time jumps by more than `gap` [s]."""
    n = len(samples)
    names = [np.unique(column.astype(str), return_inverse=True)[1] for column in (samples.site, samples.dataset)]
    single = np.where(reason == "", 0, 1 + np.arange(n))
    keys = np.column_stack([*names, samples.withheld, single, keys])
    group = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
    if gap is not None:
        order = np.lexsort((samples.time, group))
        new = (np.diff(group[order], prepend=-1) != 0) | (np.diff(samples.time[order], prepend=-np.inf) > gap)
        group[order] = np.cumsum(new) - 1
    n_groups = int(group.max()) + 1
    if n_groups == n:
        return samples, reason
    counts[why] = counts.get(why, 0) + n - n_groups
    sizes = np.bincount(group, minlength=n_groups)
    first = np.full(n_groups, n)
    np.minimum.at(first, group, np.arange(n))
    order = np.argsort(first, kind="stable")

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(group, values, n_groups) / sizes

    merged = samples.take(first)
    angle = np.deg2rad(samples.lon)
    lon = np.rad2deg(np.arctan2(mean(np.sin(angle)), mean(np.cos(angle))))
    same_lon = np.bincount(group, samples.lon != merged.lon[group], n_groups) == 0
    means = {name: mean(getattr(samples, name)) for name in ("time", "lat", "altitude", "value", "mismatch")}
    one = sizes == 1
    means = {name: np.where(one, getattr(merged, name), values) for name, values in means.items()}
    means["lon"] = np.where(same_lon, merged.lon, lon)
    means["uncertainty"] = np.sqrt(np.bincount(group, samples.uncertainty**2, n_groups)) / sizes
    return replace(merged, **means).take(order), reason[first][order]
