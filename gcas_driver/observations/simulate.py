"""Simulated observations H(x): what to ask of the transport model, and what to make of its answer.

Sampling follows the field: the cell that contains the observation (or the four around it), the mean over the
interval that contains its time. Many observations share a column; each column is asked for once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations.operator import xco2_operator
from gcas_driver.observations.table import COLUMN, POINT, Observations
from mozart_coupling.grids import Grid, wrap_longitude
from mozart_coupling.samples import SampleRequest, Samples

PPM = 1.0e6
CHUNK_BYTES = 64 * 2**20
"""Work space for the member profiles of one batch of observations."""


@dataclass(frozen=True)
class SampleMapping:
    """Which sampled columns make up each observation, and with what weight.

    Attributes
    ----------
    index : ndarray of int (n_observations, n_corners)
        Row of the sample request.
    weight : ndarray (n_observations, n_corners)
        Horizontal weight; each row sums to one.
    """

    index: np.ndarray
    weight: np.ndarray

    def __len__(self) -> int:
        return len(self.index)


def sample_request(observations: Observations, grid: Grid, interval_hours: float = 3.0,
                   horizontal: str = "nearest") -> tuple[SampleRequest, SampleMapping]:
    """Which columns the transport model must give so that these observations can be simulated.

    Parameters
    ----------
    observations : Observations
    grid : Grid
        The transport model's grid.
    interval_hours : float
        Length of the time means, counted from 00 UTC; 0 asks for the instant of each observation.
    horizontal : {"nearest", "bilinear"}
        The containing cell, or the four nearest cell centres.

    Returns
    -------
    request : SampleRequest
        One row a distinct column and interval, in order of time; coordinates are those of cell centres.
    mapping : SampleMapping
        For `simulate`.

    Raises
    ------
    InputError
        For an unknown `horizontal`, a negative interval, or an observation without a time or place.
    """
    if horizontal not in ("nearest", "bilinear"):
        raise InputError("unknown horizontal sampling", "sample_request", horizontal, "nearest or bilinear")
    if not interval_hours >= 0.0:
        raise InputError("bad sampling interval", "sample_request", str(interval_hours), "hours, 0 or more")
    observations.refuse_missing("sample_request", np.ones(len(observations), dtype=bool), "time", "lon", "lat")
    if horizontal == "nearest":
        ilat, ilon = (np.asarray(index)[:, None] for index in grid.cell_index(observations.lon, observations.lat))
        weight = np.ones(ilat.shape)
    else:
        ilat, ilon, weight = _bilinear(grid, observations.lon, observations.lat)
    seconds = 3600.0 * interval_hours
    start = np.floor(observations.time / seconds) * seconds if seconds else observations.time
    corners = ilat.shape[1]
    keys = np.column_stack([np.repeat(start, corners), (ilat * grid.nlon + ilon).ravel()])
    distinct, index = np.unique(keys, axis=0, return_inverse=True)
    cell = distinct[:, 1].astype(np.intp)
    lon = wrap_longitude(grid.lon[cell % grid.nlon])
    request = SampleRequest(lon=lon, lat=grid.lat[cell // grid.nlon], time_start=distinct[:, 0],
                            time_end=distinct[:, 0] + seconds)
    return request, SampleMapping(index.reshape(-1, corners), weight)


def simulate(observations: Observations, samples: Samples, mapping: SampleMapping,
             method: str | Mapping[str, str] = "linear") -> np.ndarray:
    """Simulated values of all observations.

    Columns by equation (6). Points by height above sea level: linear between model mid-levels; the lowest level
    below the lowest mid-level, so that a site lower than the model's smoothed ground, or on it, sees the lowest
    level; a mountain site keeps its own height above the sea, where the model's free air is.

    Parameters
    ----------
    observations : Observations
    samples : Samples
        The transport model's answer to the request; every tracer is taken as a member.
    mapping : SampleMapping
    method : {"linear", "layers"} or mapping
        How the model profile is brought to the retrieval levels, for all products or by product.

    Returns
    -------
    ndarray (n_observations, n_members)
        Simulated values [ppm].

    Raises
    ------
    InputError
        If the mapping belongs to other observations, or samples, operators or heights are not finite.
    """
    if len(mapping) != len(observations):
        raise InputError("the sample mapping belongs to other observations", "simulate",
                         f"{len(mapping)} rows", f"{len(observations)} rows")
    if mapping.index.size and mapping.index.max() >= len(samples.mixing_ratio):
        raise InputError("fewer sampled columns than were asked for", "simulate",
                         str(len(samples.mixing_ratio)), f"at least {mapping.index.max() + 1}")
    hx = np.zeros((len(observations), samples.mixing_ratio.shape[1]))
    for corner in range(mapping.index.shape[1]):
        index, weight = mapping.index[:, corner], mapping.weight[:, corner, None]
        for product, operator in observations.operators.items():
            rows = np.flatnonzero((observations.product == product) & (observations.kind == COLUMN))
            mine = method if isinstance(method, str) else method.get(product, "linear")
            for batch in _batches(rows, samples):
                hx[batch] += weight[batch] * _columns(observations, batch, operator, samples, index[batch], mine)
        points = np.flatnonzero(observations.kind == POINT)
        for batch in _batches(points, samples):
            hx[batch] += weight[batch] * _points(observations.altitude[batch], samples, index[batch])
    if not np.isfinite(hx).all():
        bad = np.flatnonzero(~np.isfinite(hx).all(axis=1))
        raise InputError("a simulated value is not finite", "simulate", f"{len(bad)} observations, first: "
                         f"{observations.product[bad[0]]} {observations.identifier[bad[0]]}", "finite samples")
    return hx


def point_levels(observations: Observations, samples: Samples, mapping: SampleMapping) -> np.ndarray:
    """Model layer (0 on top) that holds each point observation, -1 for columns; (n_observations,) int.

    For super-observations of in-situ samples, which are formed per cell and level.
    """
    levels = np.full(len(observations), -1)
    points = np.flatnonzero(observations.kind == POINT)
    if not len(points):
        return levels
    nearest = mapping.index[points, np.argmax(mapping.weight[points], axis=1)]
    floors = samples.height_interface[nearest, 1:]
    above = observations.altitude[points, None] >= floors
    levels[points] = np.where(above.any(axis=1), above.argmax(axis=1), floors.shape[1] - 1)
    return levels


def _columns(observations: Observations, rows: np.ndarray, operator, samples: Samples, index: np.ndarray,
             method: str) -> np.ndarray:
    cut = operator.take(observations.operator_row[rows])
    pressure = samples.pressure_interface if method == "layers" else samples.pressure
    return xco2_operator(samples.mixing_ratio[index], pressure[index], cut.retrieval_pressure, cut.pressure_weight,
                         cut.averaging_kernel, cut.prior_profile, cut.prior_xco2, method=method)


def _points(altitude: np.ndarray, samples: Samples, index: np.ndarray) -> np.ndarray:
    """Mixing ratio at a height above sea level [ppm], (n, n_members)."""
    height = samples.height[index]
    n, n_levels = height.shape
    upper = np.clip(np.sum(height >= altitude[:, None], axis=1) - 1, 0, n_levels - 2)
    rows = np.arange(n)
    top, bottom = height[rows, upper], height[rows, upper + 1]
    share = np.clip((altitude - bottom) / (top - bottom), 0.0, 1.0)[:, None]
    profile = samples.mixing_ratio
    return PPM * (share * profile[index, :, upper] + (1.0 - share) * profile[index, :, upper + 1])


def _batches(rows: np.ndarray, samples: Samples) -> list[np.ndarray]:
    size = max(1, CHUNK_BYTES // (8 * int(np.prod(samples.mixing_ratio.shape[1:]))))
    return [rows[i:i + size] for i in range(0, len(rows), size)]


def _bilinear(grid: Grid, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices and weights (n, 4) of the cell centres around each point; polewards of the last row, that row alone."""
    south = np.clip(np.searchsorted(grid.lat, lat, side="right") - 1, 0, grid.nlat - 2)
    north_share = np.clip((lat - grid.lat[south]) / (grid.lat[south + 1] - grid.lat[south]), 0.0, 1.0)
    east_of_first = (lon - grid.lon[0]) % 360.0
    west = np.minimum(np.searchsorted(grid.lon - grid.lon[0], east_of_first, side="right") - 1, grid.nlon - 1)
    step = np.diff(np.append(grid.lon, grid.lon[0] + 360.0))[west]
    east_share = (east_of_first - (grid.lon[west] - grid.lon[0])) / step
    east = (west + 1) % grid.nlon
    ilat = np.stack([south, south, south + 1, south + 1], axis=1)
    ilon = np.stack([west, east, west, east], axis=1)
    weight = np.stack([(1 - north_share) * (1 - east_share), (1 - north_share) * east_share,
                       north_share * (1 - east_share), north_share * east_share], axis=1)
    return ilat, ilon, weight
