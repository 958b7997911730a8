"""Regions: shares of grid cells that belong to each region of a mask, and sums of fluxes over them.

The 22 TransCom regions under the names of CarbonTracker's file, the aggregates of the paper (its tables 2 and 4), or any
mask of integers. Cells between two regions are shared by area, so that sums are complete on every grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gcas_driver.errors import InputError
from gcas_driver.fluxes.region_masks import is_netcdf, read_mask
from gcas_driver.fluxes.region_polygons import polygon_shares, read_polygons
from gcas_driver.fluxes.region_rules import NOT_OPTIMISED, land_region, ocean_region
from gcas_driver.fluxes.units import PGC_PER_YEAR
from mozart_coupling.grids import Grid, regrid
from mozart_coupling.land import land_fraction

#: The names of DATA-FORMATS, numbers 1 to 23; the last takes what belongs to no region: Antarctica, Greenland.
TRANSCOM = (
    "N Am Boreal", "N Am Temperate", "S Am Tropical", "S Am Temperate", "N Africa", "S Africa", "Eurasia Boreal",
    "Eurasia Temperate", "Tropical Asia", "Australia(+NZ)", "Europe", "N Pacific Temp", "W Pacific Trop", "E Pacific Trop",
    "S Pacific Temp", "Northern Ocean", "N Atlantic Temp", "Atlantic Trop", "S Atlantic Temp", "Southern Ocean",
    "Indian Trop", "S Indian Temp", "Not optimized",
)

_LAND = TRANSCOM[:11]
#: What each aggregate sums; `Global` is every region, the one that is not optimised included.
AGGREGATES: dict[str, tuple[str, ...]] = {
    "Global": TRANSCOM,
    "Global land": _LAND,
    "Global ocean": TRANSCOM[11:22],
    "Northern land": tuple(_LAND[i] for i in (0, 1, 6, 7, 10)),
    "Tropical land": tuple(_LAND[i] for i in (2, 4, 5, 8)),
    "Southern land": tuple(_LAND[i] for i in (3, 9)),
}

#: Fluxes of one surface only; all others (the sum of all, "net") belong to a cell's regions by area.
SURFACE = {"bio": "land", "fire": "land", "fossil": "land", "ocn": "ocean"}

BUILTIN_GRID = Grid.regular(720, 360, lon_first=-179.75)
SMALLEST_SHARE = 1.0e-9  # of a cell's area: less is round-off of the regridding


@dataclass(frozen=True, eq=False)
class RegionMap:
    """Regions on one grid.

    Attributes
    ----------
    grid
        The grid of `fraction`.
    names
        One a region; the last takes the cells of no region, so that all fractions sum to 1 in every cell.
    fraction
        Share of each cell's area (n_regions, nlat, nlon), 0 … 1.
    """

    grid: Grid
    names: tuple[str, ...]
    fraction: np.ndarray

    @classmethod
    def of(cls, settings: Any, grid: Grid) -> RegionMap:
        """The map of a namelist's `&regions` (file, variable, longitudes) on a grid."""
        return cls.load(settings.file, grid, variable=settings.variable, longitudes=settings.longitudes)

    @classmethod
    def load(cls, source: str | Path, grid: Grid, *, variable: str = "", longitudes: str = "") -> RegionMap:
        """The built-in map, or one from a file, on a grid.

        Parameters
        ----------
        source
            "builtin"; a NetCDF file with a mask of integers (lat, lon): CarbonTracker's regions.nc, the TransCom 3 mask on
            1 x 1 degree, GCASv2's `region(lat, lon)`, any other (without coordinates: cells from 0 E, 90 S); or a text file with
            polygons. Numbers up to 23 with all 22 regions present are read as TransCom's, if the file gives them no other names;
            others get the file's names, or "Region 1", … Zero, missing, outside all polygons, or in TransCom 23: of no region.
        variable
            Name of the mask; "" takes the first known one.
        longitudes
            "centres", "western_edges", "eastern_edges", or "" for what is known of the file.

        Raises
        ------
        InputError
            No such file, no mask or polygon in it, or a mask that is not of integers.
        """
        if str(source) == "builtin":
            return cls(grid, TRANSCOM, _builtin_fraction(grid))
        path = Path(source)
        if not path.is_file():
            raise InputError("the region file is missing", str(path), advice="Give a file, or 'builtin'.")
        if not is_netcdf(path):
            return _of_polygons(path, grid)
        mask = read_mask(path, variable, longitudes)
        values, present = mask.values, set(np.unique(mask.values).tolist())
        if not mask.names and set(range(1, 23)) <= present and max(present) <= NOT_OPTIMISED:
            numbers, names = list(range(1, 23)), TRANSCOM
            values = np.where(values == NOT_OPTIMISED, 0, values)
        else:
            numbers = sorted(n for n in present if n > 0)
            names = _distinct([mask.names.get(n, f"Region {n}") for n in numbers], path)
        shares = np.array([regrid((values == n).astype(np.float64), mask.grid, grid) for n in [*numbers, 0]])
        return cls(grid, names, _read_only(shares))

    @property
    def is_transcom(self) -> bool:
        """Whether these are the 22 TransCom regions, so that the aggregates exist."""
        return self.names == TRANSCOM

    @property
    def all_names(self) -> tuple[str, ...]:
        """Regions, then aggregates: the order of `totals`."""
        return self.names + tuple(self._aggregates())

    def shares(self, component: str | None = None) -> np.ndarray:
        """Share of a component's flux in each cell that belongs to each region.

        On a coast the biosphere's flux is the land regions' and the sea's the ocean regions', however the area is divided:
        shared by area, a 2.8 degree grid would give a tenth of the land's uptake to the oceans.

        Parameters
        ----------
        component
            Name of a flux; None or one that is of no single surface: shares of area. Where a cell has no region of the flux's
            surface, and with masks other than TransCom's, too.

        Returns
        -------
        numpy.ndarray
            (n_regions, nlat, nlon), 0 … 1, with sum 1 in every cell.
        """
        surface = SURFACE.get(component or "")
        if surface is None or not self.is_transcom:
            return self.fraction
        ocean = np.array([name in AGGREGATES["Global ocean"] for name in self.names])
        chosen = np.where((ocean == (surface == "ocean"))[:, None, None], self.fraction, 0.0)
        total = chosen.sum(axis=0)
        found = total > SMALLEST_SHARE
        return np.where(found, chosen / np.where(found, total, 1.0), self.fraction)

    def names_at(self, lon: ArrayLike, lat: ArrayLike) -> np.ndarray:
        """Name of the region with the largest share of the cell of each place [degrees], (n,) of str."""
        rows, columns = self.grid.cell_index(lon, lat)
        return np.array(self.names, dtype=object)[self.fraction.argmax(axis=0)[rows, columns]].astype(str)

    def totals(self, flux: ArrayLike, area: ArrayLike | None = None, component: str | None = None) -> np.ndarray:
        """Fluxes summed over regions and aggregates.

        Parameters
        ----------
        flux
            (..., nlat, nlon) [mol m-2 s-1].
        area
            (nlat, nlon) [m2]; default: the grid's.
        component
            Which flux it is: see `shares`.

        Returns
        -------
        numpy.ndarray
            (..., n) [PgC/yr], n as in `all_names`.

        Raises
        ------
        InputError
            A flux on another grid, or with NaN.
        """
        flux = np.asarray(flux, dtype=np.float64)
        if flux.shape[-2:] != self.grid.shape:
            raise InputError("the flux is not on the regions' grid", "regional totals", f"shape {flux.shape}",
                             f"(..., {self.grid.nlat}, {self.grid.nlon})")
        if not np.isfinite(flux).all():
            raise InputError("the flux has NaN or infinite values", "regional totals", f"{np.count_nonzero(~np.isfinite(flux))}")
        area = self.grid.area if area is None else np.asarray(area, dtype=np.float64)
        weights = (self.shares(component) * area).reshape(len(self.names), -1)
        regional = PGC_PER_YEAR * (flux.reshape(*flux.shape[:-2], -1) @ weights.T)
        members = np.array([[name in parts for name in self.names] for parts in self._aggregates().values()], dtype=np.float64)
        return np.concatenate([regional, regional @ members.T], axis=-1)

    def totals_by_name(self, flux: ArrayLike, area: ArrayLike | None = None, component: str | None = None) -> dict[str, np.ndarray]:
        """`totals` as name → (...) [PgC/yr]."""
        values = self.totals(flux, area, component)
        return {name: values[..., i] for i, name in enumerate(self.all_names)}

    def _aggregates(self) -> dict[str, tuple[str, ...]]:
        return AGGREGATES if self.is_transcom else {"Global": self.names}


def _of_polygons(path: Path, grid: Grid) -> RegionMap:
    polygons = read_polygons(path)
    if set(polygons) == set(TRANSCOM[:22]):
        polygons = {name: polygons[name] for name in TRANSCOM[:22]}
    names = _distinct(list(polygons), path)
    shares = polygon_shares(polygons, grid, str(path))
    rest = np.clip(1.0 - shares.sum(axis=0), 0.0, 1.0)
    return RegionMap(grid, names, _read_only(np.concatenate([shares, rest[None]])))


def _distinct(names: list[str], path: Path) -> tuple[str, ...]:
    """The regions' names and, last, that of the cells of no region; no name twice."""
    twice = sorted({name for name in names if names.count(name) > 1 or name in (TRANSCOM[-1], *AGGREGATES)})
    if twice:
        raise InputError("regions need names of their own", str(path), ", ".join(twice), f"each once, none of {', '.join(AGGREGATES)}")
    return (*names, TRANSCOM[-1])


@lru_cache(maxsize=8)
def _builtin_fraction(grid: Grid) -> np.ndarray:
    """The rules on half-degree cells, land by land fraction, on a grid; (23, nlat, nlon)."""
    lon, lat = np.meshgrid(BUILTIN_GRID.lon, BUILTIN_GRID.lat)
    on_land, at_sea = land_region(lon, lat), ocean_region(lon, lat)
    land = np.where(on_land > 0, land_fraction(BUILTIN_GRID), 0.0)  # islands far from any land region count as sea
    shares = [regrid(land * (on_land == n) + (1.0 - land) * (at_sea == n), BUILTIN_GRID, grid) for n in range(1, 24)]
    return _read_only(np.array(shares))


def _read_only(values: np.ndarray) -> np.ndarray:
    values.setflags(write=False)
    return values
