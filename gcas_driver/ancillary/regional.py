"""Regional means of monthly fields, and areas beyond a threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.fluxes.region_masks import read_mask
from gcas_driver.fluxes.regions import RegionMap
from mozart_coupling.grids import regrid

from . import AncillaryStream, months
from .field import COARSE, MonthlyField

MILLION_KM2 = 1.0e-12
LEAST_COVER = 0.05
"""A regional mean needs values over this share of the region, or there is none."""


@dataclass(frozen=True)
class RegionalSeries:
    """One figure a month and region.

    Attributes
    ----------
    name, unit : str
    months : ndarray of datetime64[M] (n,)
    values : ndarray (n, n_keys)
        NaN where a region has no values.
    """

    name: str
    unit: str
    months: np.ndarray
    values: np.ndarray


def series(stream: AncillaryStream, regions: RegionMap, sums: np.ndarray, first: np.datetime64, last: np.datetime64) -> RegionalSeries:
    """Regional figures of the months from `first` to `last`.

    Parameters
    ----------
    regions : RegionMap
        On `COARSE`.
    sums : ndarray (n_keys, n_regions)
        What regions and aggregates are made of.

    Raises
    ------
    InputError
        See `ancillary.months`; also when the files have none of these months.
    """
    weights = sums @ (regions.shares("bio") * (COARSE.area * _chosen(stream))).reshape(len(regions.names), -1)
    found, rows, unit = [], [], ""
    for month in months(stream, first, last):
        found.append(month.month)
        values, unit = _figures(stream, month, weights)
        rows.append(values)
    if not rows:
        raise InputError("the ancillary files have none of the run's months", f"{stream.name}, {stream.directory}", "other months",
                         f"{np.datetime64(first, 'M')} to {np.datetime64(last, 'M')}")
    return RegionalSeries(stream.name, unit, np.array(found), np.array(rows))


def _figures(stream: AncillaryStream, month: MonthlyField, weights: np.ndarray) -> tuple[np.ndarray, str]:
    if stream.measure == "mean":
        total, share = (weights @ part.ravel() for part in month.coarse())
        enough = share > LEAST_COVER * weights.sum(axis=1)
        return np.where(enough, total / np.where(enough, share, 1.0), np.nan), month.units
    with np.errstate(invalid="ignore"):
        beyond = month.values < stream.threshold if stream.measure == "area_below" else month.values > stream.threshold
    total, share = (weights @ part.ravel() for part in month.coarse(beyond.astype(np.float64)))
    return np.where(share > 0.0, MILLION_KM2 * total, np.nan), "1e6 km2"


def _chosen(stream: AncillaryStream) -> np.ndarray:
    """Share of each cell of `COARSE` that counts."""
    if stream.mask_file is None:
        return np.ones(COARSE.shape)
    mask = read_mask(stream.mask_file, stream.mask_variable)
    wanted = np.isin(mask.values, stream.mask_values) if stream.mask_values else mask.values > 0
    if not wanted.any():
        raise InputError("nothing is left by the mask", str(stream.mask_file), f"none of {stream.mask_values}",
                         f"{sorted(set(np.unique(mask.values).tolist()))[:30]}")
    return regrid(wanted.astype(np.float64), mask.grid, COARSE)
