"""Six soundings through both XCO2 operators, and fourteen observations merged into super-observations."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gcas_driver.observations import xco2_operator
from gcas_driver.observations.super_observations import super_observe
from gcas_driver.observations.table import COLUMN, POINT, Observations
from mozart_coupling.embedded.levels import hybrid_levels, level_pressure
from mozart_coupling.grids import Grid

from .store import Result

SEED = 20140906
N_SOUNDINGS, N_MEMBERS, N_LEVELS, N_RETRIEVAL_LEVELS = 6, 3, 12, 20


def results(directory: Path) -> dict[str, Result]:
    """XCO2 of each sounding and member by both methods; values, errors and places of super-observations."""
    random = np.random.RandomState(SEED)
    return {**_columns(random), **_merged(random)}


def _columns(random: np.random.RandomState) -> dict[str, Result]:
    surface = random.uniform(7.0e4, 1.02e5, N_SOUNDINGS)
    interfaces = np.array([level_pressure(*hybrid_levels(N_LEVELS), pressure) for pressure in surface])
    middles = 0.5 * (interfaces[:, 1:] + interfaces[:, :-1])
    sigma = np.linspace(1.0, N_RETRIEVAL_LEVELS, N_RETRIEVAL_LEVELS) / N_RETRIEVAL_LEVELS
    retrieval = (surface + random.uniform(-300.0, 300.0, N_SOUNDINGS))[:, None] * sigma
    weight = np.full((N_SOUNDINGS, N_RETRIEVAL_LEVELS), 1.0 / (N_RETRIEVAL_LEVELS - 1))
    weight[:, [0, -1]] *= 0.5
    kernel = 0.6 + 0.5 * sigma + 0.02 * random.standard_normal(weight.shape)
    prior = 1e-6 * (385.0 + 8.0 * sigma**2 + random.standard_normal(weight.shape))
    profile = 1e-6 * (386.0 + 6.0 * (middles / 1e5)[:, None, :] ** 3 + random.standard_normal((N_SOUNDINGS, N_MEMBERS, N_LEVELS)))
    prior_xco2 = 1e6 * (weight * prior).sum(axis=1)
    retrieved = (retrieval, weight, kernel, prior, prior_xco2)
    return {f"xco2_{method}": Result(xco2_operator(profile, pressure, *retrieved, method=method, threads=1), "ppm", rtol=1e-13,
                                     why="a sum of twenty terms")
            for method, pressure in (("linear", middles), ("layers", interfaces))}


def _merged(random: np.random.RandomState) -> dict[str, Result]:
    n = 14
    lon, lat = random.uniform(10.0, 34.0, n), random.uniform(40.0, 52.0, n)
    kind = np.array([COLUMN] * 11 + [POINT] * 3)
    used = np.ones(n, dtype=bool)
    used[3] = False
    table = Observations(
        time=1.2753e9 + random.uniform(0.0, 86400.0, n), lon=lon, lat=lat,
        altitude=np.where(kind == COLUMN, np.nan, random.uniform(0.0, 2000.0, n)),
        value=390.0 + random.standard_normal(n), error=random.uniform(0.8, 2.5, n), product=np.where(kind == COLUMN, "gosat", "flask"),
        site=np.where(kind == COLUMN, "", "ABC"), identifier=np.arange(n).astype(str), kind=kind, used=used,
        reason=np.where(used, "", "screened"),
        operator_row=np.where(kind == COLUMN, np.arange(n), -1))
    merged = super_observe(table, Grid.regular(30, 15), floor_ppm=1.0, correlation=0.2)
    hx = merged.average(390.0 + random.standard_normal((n, N_MEMBERS)))
    return {
        "super_value": Result(merged.value, "ppm", rtol=1e-13), "super_error": Result(merged.error, "ppm", rtol=1e-13),
        "super_lon": Result(merged.lon, "degrees_east", rtol=1e-12), "super_lat": Result(merged.lat, "degrees_north", rtol=1e-12),
        "super_time": Result(merged.time, "seconds since 1970-01-01", rtol=1e-14), "super_hx": Result(hx, "ppm", rtol=1e-13),
        "super_index": Result(merged.index, "1", rtol=0.0), "super_n_merged": Result(merged.n_merged, "1", rtol=0.0),
    }
