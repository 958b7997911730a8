"""The cells that scaling factors live on: a longitude-latitude grid of any size, or the regions of a mask.

Two maps connect them to the transport grid, one the transpose of the other: `spread` gives every model cell the
overlap-weighted mean of the factors, `gather` gives every λ cell the totals that its factor multiplies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from gcas_driver.errors import InputError
from mozart_coupling.constants import EARTH_RADIUS_M
from mozart_coupling.grids import Grid, regrid

from .components import NET, scheme_of
from .regions import TRANSCOM, RegionMap


class LambdaCells(Protocol):
    """Cells of scaling factors.

    Attributes
    ----------
    lon, lat : numpy.ndarray
        (n_cells,) centres [degrees].
    model_grid : Grid
        The transport grid.
    spacing_km : float
        Typical size of a cell.
    """

    lon: np.ndarray
    lat: np.ndarray
    model_grid: Grid
    spacing_km: float

    @property
    def n_cells(self) -> int:
        """Number of cells."""

    def spread(self, factors: np.ndarray) -> np.ndarray:
        """Factors (..., n_cells) on the transport grid (..., nlat, nlon)."""

    def gather(self, totals: np.ndarray) -> np.ndarray:
        """Totals (..., nlat, nlon), amounts per model cell, that each factor multiplies (..., n_cells)."""

    def average(self, field: np.ndarray, grid: Grid) -> np.ndarray:
        """Area means (n_cells,) of a field (nlat, nlon) on any grid."""


@dataclass(frozen=True, eq=False)
class GridCells:
    """The cells of a longitude-latitude grid, row by row from the south."""

    grid: Grid
    model_grid: Grid

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return self.grid.nlat * self.grid.nlon

    @cached_property
    def lon(self) -> np.ndarray:
        """Centres (n_cells,) [degrees]."""
        return np.tile(self.grid.lon, self.grid.nlat)

    @cached_property
    def lat(self) -> np.ndarray:
        """Centres (n_cells,) [degrees]."""
        return np.repeat(self.grid.lat, self.grid.nlon)

    @property
    def spacing_km(self) -> float:
        """Distance of neighbouring latitudes."""
        return float(np.deg2rad(180.0 / self.grid.nlat) * EARTH_RADIUS_M / 1000.0)

    def spread(self, factors: np.ndarray) -> np.ndarray:
        """Factors (..., n_cells) on the transport grid: overlap-weighted means, the same numbers on the same grid."""
        shaped = factors.reshape(*factors.shape[:-1], *self.grid.shape)
        return shaped if self.grid == self.model_grid else regrid(shaped, self.grid, self.model_grid, kind="flux")

    def gather(self, totals: np.ndarray) -> np.ndarray:
        """Totals (..., nlat, nlon) per model cell, shared out to the λ cells by overlap (..., n_cells)."""
        shared = regrid(totals, self.model_grid, self.grid, kind="total")
        return shared.reshape(*totals.shape[:-2], self.n_cells)

    def average(self, field: np.ndarray, grid: Grid) -> np.ndarray:
        """Area means (n_cells,) of a field on any grid."""
        return regrid(field, grid, self.grid, kind="flux").ravel()


@dataclass(frozen=True, eq=False)
class RegionCells:
    """The regions of a mask, one factor each; outside of all of them the factor is 1.

    Attributes
    ----------
    names : sequence of str
        Of the regions.
    fraction : numpy.ndarray
        (n_regions, nlat, nlon), share of each model cell that belongs to each region; at most 1 in sum.
    """

    names: Sequence[str]
    fraction: np.ndarray
    model_grid: Grid

    def __post_init__(self) -> None:
        expected = (len(self.names), *self.model_grid.shape)
        if self.fraction.shape != expected:
            raise InputError("regions do not fit the transport grid", "&regions", str(self.fraction.shape), str(expected))
        total = self.fraction.sum(axis=0)
        if self.fraction.min() < 0.0 or total.max() > 1.0 + 1e-9:
            raise InputError("shares of regions", "&regions", f"{self.fraction.min():g} to {total.max():g} in sum", "0 to 1")

    @property
    def n_cells(self) -> int:
        """Number of regions."""
        return len(self.names)

    @cached_property
    def _centres(self) -> tuple[np.ndarray, np.ndarray]:
        lon, lat = (np.deg2rad(a) for a in np.meshgrid(self.model_grid.lon, self.model_grid.lat))
        weights = self.fraction * self.model_grid.area
        x, y, z = ((weights * a).sum(axis=(1, 2)) for a in
                   (np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)))
        return np.rad2deg(np.arctan2(y, x)) % 360.0, np.rad2deg(np.arctan2(z, np.hypot(x, y)))

    @property
    def lon(self) -> np.ndarray:
        """Centroids (n_cells,) [degrees]."""
        return self._centres[0]

    @property
    def lat(self) -> np.ndarray:
        """Centroids (n_cells,) [degrees]."""
        return self._centres[1]

    @property
    def spacing_km(self) -> float:
        """Root of the mean area."""
        return float(np.sqrt((self.fraction * self.model_grid.area).sum() / self.n_cells) / 1000.0)

    def spread(self, factors: np.ndarray) -> np.ndarray:
        """Factors (..., n_cells) on the transport grid, mixed by shares."""
        outside = np.clip(1.0 - self.fraction.sum(axis=0), 0.0, None)
        return np.tensordot(factors, self.fraction, axes=1) + outside

    def gather(self, totals: np.ndarray) -> np.ndarray:
        """Totals (..., nlat, nlon) per model cell, shared out to the regions (..., n_cells)."""
        return np.tensordot(totals, self.fraction, axes=([-2, -1], [-2, -1]))

    def average(self, field: np.ndarray, grid: Grid) -> np.ndarray:
        """Area means (n_cells,) of a field on any grid."""
        weights = self.fraction * self.model_grid.area
        sums = (weights * regrid(field, grid, self.model_grid, kind="flux")).sum(axis=(1, 2))
        return sums / np.maximum(weights.sum(axis=(1, 2)), 1e-300)


def lambda_cells(name: str, model_grid: Grid, *, region_names: Sequence[str] = (),
                 region_fraction: np.ndarray | None = None) -> LambdaCells:
    """The λ cells of the setting `lambda_grid`.

    Parameters
    ----------
    name : str
        "transport", "regions" or "NxM".
    region_names, region_fraction
        For "regions": see `RegionCells` and `regions.RegionMap`, whose last region, that of no region, is left out.

    Raises
    ------
    InputError
        If the setting is "regions" and no regions are given.
    """
    if name == "transport":
        return GridCells(model_grid, model_grid)
    if name == "regions":
        if region_fraction is None:
            raise InputError("scaling factors by region need regions", "&state, lambda_grid", "none", "a &regions group")
        # Places of no region are not optimised: the factor outside of all regions is 1.
        optimised = [index for index, region in enumerate(region_names) if region != TRANSCOM[-1]]
        return RegionCells(tuple(region_names[index] for index in optimised), region_fraction[optimised], model_grid)
    return GridCells(Grid.named(name), model_grid)


def component_cells(state_settings, model_grid: Grid, regions: RegionMap) -> dict[str, LambdaCells]:
    """The λ cells of every optimised flux by its name, from the settings `lambda_grid`, `lambda_grid_bio`, …

    The sum of all fluxes has those of BIO. Fluxes of one setting share one object.

    Raises
    ------
    InputError
        See `lambda_cells`.
    """
    names = {flux: getattr(state_settings, f"lambda_grid_{'bio' if flux == NET else flux}") or state_settings.lambda_grid
             for flux in scheme_of(state_settings.scheme).optimised}
    made = {name: lambda_cells(name, model_grid, region_names=regions.names, region_fraction=regions.fraction)
            for name in dict.fromkeys(names.values())}
    return {flux: made[name] for flux, name in names.items()}


def same_cells(cells: Mapping[str, LambdaCells]) -> bool:
    """Whether all fluxes have the same λ cells."""
    first, *others = cells.values()
    return all(other is first for other in others)
