"""Regional and global fluxes of a case: prior, posterior and truth, per component and summed, with the spread of the members.

Means come from the gridded fluxes on the case's region map; σ from every member's regional totals, summed over regions and components
*before* the standard deviation is taken, so that their covariances count.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.fluxes.components import COMPONENTS, NET
from gcas_driver.fluxes.priors import PriorStream, days
from gcas_driver.fluxes.regions import RegionMap
from gcas_driver.fluxes.units import PGC_PER_YEAR
from mozart_coupling.grids import Grid, regrid

from . import files
from .aggregates import GLOBAL, land_regions, region_keys
from .case import Case, Window
from .uncertainty import standard_deviation

log = logging.getLogger(__name__)

TOTAL = "total"
"""The sum of the optimised components."""


@dataclass(frozen=True)
class WindowFluxes:
    """One window's mean fluxes.

    Attributes
    ----------
    prior, posterior : ndarray (n_keys, n_components + 1)
        PgC/yr; the last column is `TOTAL`.
    truth : ndarray or None
        The same; NaN for components whose truth is unknown.
    prior_sd, posterior_sd : ndarray (n_keys, n_components + 1)
        PgC/yr.
    prior_map, posterior_map : ndarray (n_components + 1, nlat, nlon)
        mol m-2 s-1.
    truth_map : ndarray or None
    """

    prior: np.ndarray
    posterior: np.ndarray
    truth: np.ndarray | None
    prior_sd: np.ndarray
    posterior_sd: np.ndarray
    prior_map: np.ndarray
    posterior_map: np.ndarray
    truth_map: np.ndarray | None


@dataclass(frozen=True)
class FluxBudget:
    """The fluxes of all windows that count.

    Attributes
    ----------
    keys : tuple of str
        Region keys: the regions of the map, then the aggregates.
    regions : tuple of str
        The regions of the map alone.
    components : tuple of str
        The fluxes, then `TOTAL`.
    optimised : tuple of str
    windows : tuple of Window
    weights : ndarray (n_windows,)
        Days.
    prior, posterior, prior_sd, posterior_sd : ndarray (n_windows, n_keys, n_components + 1)
        PgC/yr.
    truth : ndarray or None
        The same.
    grid : Grid
    fraction : ndarray (n_regions, nlat, nlon) or None
        Share of each region in each cell; None without a region map.
    land : ndarray (nlat, nlon)
        Share of the land regions in a cell; zero without a region map.
    prior_map, posterior_map : ndarray (n_components + 1, nlat, nlon)
        Mean over the windows, mol m-2 s-1.
    truth_map : ndarray or None
    land_cell_squares : ndarray (n_windows, 2) or None
        Mean square error of the prior's and the posterior's window-mean flux per land cell [(mol m-2 s-1)2].
    """

    keys: tuple[str, ...]
    regions: tuple[str, ...]
    components: tuple[str, ...]
    optimised: tuple[str, ...]
    windows: tuple[Window, ...]
    weights: np.ndarray
    prior: np.ndarray
    posterior: np.ndarray
    prior_sd: np.ndarray
    posterior_sd: np.ndarray
    truth: np.ndarray | None
    grid: Grid
    fraction: np.ndarray | None
    land: np.ndarray
    prior_map: np.ndarray
    posterior_map: np.ndarray
    truth_map: np.ndarray | None
    land_cell_squares: np.ndarray | None

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Mean over the windows, each with its length."""
        return np.tensordot(self.weights / self.weights.sum(), values, axes=1)

    def column(self, component: str = TOTAL) -> int:
        """Position of a component in the last axis."""
        return self.components.index(component)


def read_budget(case: Case) -> FluxBudget | None:
    """Fluxes of the windows that count, one window in memory at a time; None if no window counts."""
    windows = case.counted
    if not windows:
        return None
    reader = _BudgetReader(case, windows[0])
    weights = np.array([w.days for w in windows])
    numbers: dict[str, list] = {name: [] for name in ("prior", "posterior", "truth", "prior_sd", "posterior_sd", "squares")}
    maps: dict[str, np.ndarray | None] = {}
    for window, share in zip(windows, weights / weights.sum(), strict=True):
        fluxes = reader.window(window)
        for name in ("prior", "posterior", "truth", "prior_sd", "posterior_sd"):
            numbers[name].append(getattr(fluxes, name))
        for name in ("prior_map", "posterior_map", "truth_map"):
            field = getattr(fluxes, name)
            maps[name] = None if field is None else maps.get(name, 0.0) + share * field
        numbers["squares"].append(reader.land_squares(fluxes))
    stacked = {name: None if rows[0] is None else np.array(rows) for name, rows in numbers.items()}
    return FluxBudget(keys=reader.keys, regions=reader.regions, components=(*reader.fluxes, TOTAL), optimised=reader.optimised,
                      windows=windows, weights=weights, grid=reader.grid, fraction=reader.fraction, land=reader.land,
                      land_cell_squares=stacked.pop("squares"), **stacked, **maps)


class _BudgetReader:
    """What is the same for all windows: the grid, the region map, the aggregates, the truth's streams."""

    def __init__(self, case: Case, first: Window) -> None:
        self.case = case
        with files.opened(first.directory / "fluxes.nc") as dataset:
            self.grid = Grid.from_centres(files.numbers(dataset, "lon"), files.numbers(dataset, "lat"))
            self.regions = tuple(files.texts(dataset, "region"))
            self.fluxes = tuple(files.texts(dataset, "component"))
            flags = files.numbers(dataset, "optimised") > 0.5 if "optimised" in dataset.variables else None
        self.optimised = tuple(c for i, c in enumerate(self.fluxes)
                               if (flags[i] if flags is not None else c in case.settings.optimised))
        self.keys, self.sums = region_keys(self.regions)
        mapped, rows = region_map(case, self.grid, self.regions)
        self.fraction = None if mapped is None else np.asarray(mapped.fraction)[rows]
        self.shares = None if mapped is None else np.array([mapped.shares(name)[rows] for name in self.fluxes])
        land = np.array([name in land_regions(self.regions) for name in self.regions])
        self.land = self.fraction[land].sum(axis=0) if self.fraction is not None else np.zeros(self.grid.shape)
        self.truth_streams = _truth_streams(case.truth, self.fluxes)

    def window(self, window: Window) -> WindowFluxes:
        with files.opened(window.directory / "fluxes.nc") as dataset:
            bounds = files.times(dataset, "time_bounds").astype("int64").astype(np.float64)
            lengths = bounds[:, 1] - bounds[:, 0]
            maps = [self._time_mean(dataset, f"flux_{name}", lengths) for name in ("prior", "posterior")]
            members = [self._members(dataset, f"region_total_{name}", lengths) for name in ("prior", "posterior")]
        totals = [self._totals(m, x) for m, x in zip(maps, members, strict=True)]
        sigmas = [standard_deviation(self._with_total(np.einsum("gr,crm->cgm", self.sums, x))).T for x in members]
        truth_map = self._truth(window)
        truth = None if truth_map is None else self._totals(truth_map, None)
        with_total = [None if m is None else self._with_total(m) for m in (*maps, truth_map)]
        return WindowFluxes(*totals, truth, *sigmas, *with_total)

    def land_squares(self, window: WindowFluxes) -> tuple[float, float] | None:
        """Mean square error of prior and posterior over land, each cell with its land area; None without truth or land regions."""
        if window.truth_map is None or not self.land.any():
            return None
        weight = self.land * self.grid.area
        errors = [(m[-1] - window.truth_map[-1]) ** 2 for m in (window.prior_map, window.posterior_map)]
        return tuple(float(np.sum(weight * e) / weight.sum()) for e in errors)

    def _time_mean(self, dataset, name: str, lengths: np.ndarray) -> np.ndarray:
        """Mean over the window (component, lat, lon)."""
        values, dimensions = files.numbers(dataset, name), files.variable(dataset, name).dimensions
        ordered = values.transpose([dimensions.index(d) for d in ("component", "time", "lat", "lon")])
        return np.tensordot(lengths / lengths.sum(), ordered, axes=(0, 1))

    def _members(self, dataset, name: str, lengths: np.ndarray) -> np.ndarray:
        """Regional totals of the members, mean over the window (component, region, member)."""
        values, dimensions = files.numbers(dataset, name), files.variable(dataset, name).dimensions
        if "time" in dimensions:
            values = np.tensordot(lengths / lengths.sum(), np.moveaxis(values, dimensions.index("time"), 0), axes=1)
            dimensions = tuple(d for d in dimensions if d != "time")
        return values.transpose([dimensions.index(d) for d in ("component", "region", "member")])

    def _totals(self, maps: np.ndarray, members: np.ndarray | None) -> np.ndarray:
        """Totals (key, component + 1) [PgC/yr] of maps (component, lat, lon); of the members' mean without a region map."""
        everywhere = np.einsum("cyx,yx->c", maps, self.grid.area) * PGC_PER_YEAR
        if self.fraction is not None:
            by_region = np.einsum("cyx,cryx->cr", maps * self.grid.area, self.shares, optimize=True) * PGC_PER_YEAR
        elif members is not None:
            by_region = members.mean(axis=-1)
        else:
            by_region = np.full((len(maps), len(self.regions)), np.nan)
        totals = by_region @ self.sums.T
        totals[:, self.keys.index(GLOBAL)] = everywhere
        return self._with_total(totals).T

    def _with_total(self, values: np.ndarray) -> np.ndarray:
        """Append the sum of the optimised components to the first axis."""
        chosen = [i for i, name in enumerate(self.fluxes) if name in self.optimised]
        return np.concatenate([values, values[chosen].sum(axis=0, keepdims=True)])

    def _truth(self, window: Window) -> np.ndarray | None:
        """True mean fluxes of the window on the case's grid (component, lat, lon), NaN for a kept component without truth; None if that of
        an optimised one is unknown."""
        if not all(self.truth_streams[name] for name in self.optimised):
            return None
        result = np.full((len(self.fluxes), *self.grid.shape), np.nan)
        for i, component in enumerate(self.fluxes):
            if streams := self.truth_streams[component]:
                result[i] = sum(_mean_flux(s, window, self.grid) for s in streams)
        return result


def region_map(case: Case, grid: Grid, regions: Sequence[str]) -> tuple[RegionMap | None, list[int]]:
    """The run's region map and its rows in the order of the file; None if the map has gone."""
    source = str(case.settings.get("regions", "file", "builtin"))
    try:
        mapped = RegionMap.load(source if source == "builtin" else case.directory / source, grid,
                                **{name: str(case.settings.get("regions", name, "")) for name in ("variable", "longitudes")})
    except InputError as error:
        log.warning("no region map, so regional means are those of the members and there is no truth by region: %s", error)
        return None, []
    names = [str(n) for n in mapped.names]
    missing = [r for r in regions if r not in names]
    if missing:
        raise InputError("the region map is not the one of the run", source, ", ".join(missing) + " not in it", ", ".join(names),
                         "Give the file of the run in &regions of the case's settings.nml.")
    return mapped, [names.index(r) for r in regions]


def _truth_streams(truth: Path | None, fluxes: Sequence[str]) -> dict[str, list[PriorStream]]:
    """Component → where its true flux is; the flux "net" is the sum of all there are."""
    known = [c for c in COMPONENTS if any((truth / c).glob("emissions.*.nc"))] if truth else []
    available = {name: PriorStream(name, "gcasv2", truth) for name in known}
    return {name: list(available.values()) if name == NET else [available[name]] if name in available else [] for name in fluxes}


def _mean_flux(stream: PriorStream, window: Window, grid: Grid) -> np.ndarray:
    """Mean over a window of a stream's flux on `grid` (lat, lon) [mol m-2 s-1]."""
    total, seconds, source = 0.0, 0.0, None
    for day in days(stream, window.start, window.end):
        lengths = (day.end - day.start) / np.timedelta64(1, "s")
        total, seconds, source = total + np.tensordot(lengths, day.values, axes=1), seconds + lengths.sum(), day.grid
    return regrid(total / seconds, source, grid, kind="flux")
