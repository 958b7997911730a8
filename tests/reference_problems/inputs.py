"""What experiments are made of: the analytic circulation, random numbers by seed, emission nodes, priors of the synthetic world."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gcas_driver.fluxes.components import RANDOM_CODES
from gcas_driver.fluxes.perturbations import CELL, OCEAN_REST, Correlation, draw, standard_normal
from mozart_coupling.embedded.circulation import Circulation
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.emissions import nodes_from_means
from mozart_coupling.grids import Grid, regrid
from mozart_coupling.land import land_fraction

from .store import Result

DATES = ("2010-01-15T06", "2012-07-01T21")
GRID = Grid.regular(36, 18)
WINDOW = np.datetime64("2010-06-01")
FOREVER = "these must never change: runs could not be repeated; only the last bits of the normal quantile are the library's"


def results(directory: Path) -> dict[str, Result]:
    """Statistics and some points of every meteorological field; first draws; nodes; a regridded land mask."""
    return {**_circulation(), **_draws(), **_nodes(), **_land()}


def summary(field: np.ndarray) -> np.ndarray:
    """Mean, standard deviation, least, largest, and every 97th value: what tells a changed field from the same."""
    field = np.asarray(field, dtype=np.float64)
    return np.concatenate([[field.mean(), field.std(), field.min(), field.max()], field.ravel()[::97]])


def _circulation() -> dict[str, Result]:
    circulation = Circulation(GRID, *hybrid_levels(8), seed=1)
    records = [circulation.record(np.datetime64(date)) for date in DATES]
    found = {}
    for name in records[0]:
        values = np.array([summary(record[name]) for record in records])
        found[f"circulation_{name}"] = Result(values, "as in the contract", atol=1e-10 * float(np.abs(values).max()),
                                              why="1e-10 of the field's largest value: near 0 the round-off of its parts remains")
    return found


def _draws() -> dict[str, Result]:
    every = np.array([standard_normal(2010, WINDOW, component, 6, 4) for component in RANDOM_CODES])
    others = np.array([standard_normal(seed, np.datetime64(window), "bio", 3, 2, purpose=purpose)
                       for seed, window,
                       purpose in ((0, "1970-01-01", CELL), (2**63 - 1, "2031-12-31", CELL), (7, "2015-03-04", OCEAN_REST))])
    lon, lat = (axis.ravel() for axis in np.meshgrid(GRID.lon[::6], GRID.lat[1::5]))
    correlated = draw(2010, WINDOW, "bio", lon.size, 3, correlation=Correlation(800.0, 1500.0), lon=lon, lat=lat, land=lon < 150.0)
    return {
        "draws_by_component": Result(every, "1", rtol=1e-13, why=FOREVER),
        "draws_by_seed_window_purpose": Result(others, "1", rtol=1e-13, why=FOREVER),
        "draws_correlated": Result(correlated, "1", rtol=0.0, atol=1e-11,
                                   why="sums over harmonics, in the order of the library's matrix product"),
    }


def _nodes() -> dict[str, Result]:
    means = 1e13 * np.random.RandomState(8).standard_normal((24, 3))
    return {"nodes_from_means": Result(nodes_from_means(means), "molecules/cm2/s", rtol=1e-13, atol=1.0,
                                       why="differences of means of 1e13")}


def _land() -> dict[str, Result]:
    return {
        "land_fraction": Result(land_fraction(GRID)[:, ::3], "1", atol=1e-6, why="the tenth-degree mask is single precision"),
        "regridded": Result(regrid(np.random.RandomState(9).random_sample(GRID.shape), GRID, Grid.gaussian(16, 8)), "1", rtol=1e-13),
    }
