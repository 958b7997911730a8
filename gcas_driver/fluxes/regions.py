"""Regions: shares of grid cells that belong to each region of a mask, and sums of fluxes over them.

The 22 TransCom regions under the names of CarbonTracker's file, the aggregates of the paper (its tables 2 and 4), or any
mask of integers. Cells between two regions are shared by area, so that sums are complete on every grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import netCDF4
import numpy as np
from numpy.typing import ArrayLike

from gcas_driver.errors import InputError
from gcas_driver.fluxes.region_rules import NOT_OPTIMISED, land_region, ocean_region
from gcas_driver.fluxes.units import PGC_PER_YEAR
from mozart_coupling.errors import CouplingError
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

MASK_VARIABLES = ("transcom_regions", "mask64", "region", "regions", "transcom", "mask")
# The TransCom 3 mask's whole-degree longitudes are the eastern edges of its cells: so placed, its land differs from the land mask
# over 1.7 % of the area within 60 degrees of the equator; as western edges (one degree further east) over 3.3 %.
EASTERN_EDGE_VARIABLES = ("mask64",)
BUILTIN_GRID = Grid.regular(720, 360, lon_first=-179.75)
CELL_GAP_TOLERANCE = 1.0e-3  # of a region number
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
    def load(cls, source: str | Path, grid: Grid) -> RegionMap:
        """The built-in map, or one from a file, on a grid.

        Parameters
        ----------
        source
            "builtin", or a NetCDF file with a mask of integers (lat, lon): CarbonTracker's regions.nc, the TransCom 3
            mask on 1 x 1 degree, GCASv2's `region(lat, lon)`, or any other whose coordinates are cell centres (without
            coordinates: cells from 0 E, 90 S). Numbers up to 23 with all 22 regions present are read as TransCom's;
            others become "Region 1", … Zero, missing, or in TransCom 23: of no region.

        Raises
        ------
        InputError
            No such file, no mask in it, or a mask that is not of integers.
        """
        if str(source) == "builtin":
            return cls(grid, TRANSCOM, _builtin_fraction(grid))
        mask, mask_grid = read_mask(Path(source))
        transcom = set(range(1, 23)) <= set(np.unique(mask).tolist()) and mask.max() <= NOT_OPTIMISED
        if transcom:
            numbers, names = list(range(1, 23)), TRANSCOM
            mask = np.where(mask == NOT_OPTIMISED, 0, mask)
        else:
            numbers = [int(n) for n in np.unique(mask) if n > 0]
            names = (*(f"Region {n}" for n in numbers), TRANSCOM[-1])
        shares = regrid(np.array([mask == n for n in [*numbers, 0]], dtype=np.float64), mask_grid, grid)
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


def read_mask(path: Path) -> tuple[np.ndarray, Grid]:
    """A mask of integers (nlat, nlon) and its grid, latitudes turned to ascend; missing values are 0.

    Raises
    ------
    InputError
        See `RegionMap.load`.
    """
    try:
        with netCDF4.Dataset(path) as dataset:
            name = _mask_name(dataset, path)
            values = np.ma.filled(dataset.variables[name][:].squeeze().astype(np.float64), 0.0)
            coordinates = [_coordinate(dataset, names) for names in (("lat", "latitude"), ("lon", "longitude"))]
    except FileNotFoundError:
        raise InputError("the region file is missing", str(path), advice="Give a file, or 'builtin'.") from None
    except OSError as error:
        raise InputError("the region file cannot be read", str(path), str(error), "a NetCDF file") from None
    where = f"{path}, {name}"
    if values.ndim != 2:
        raise InputError("a region mask has two dimensions", where, f"shape {values.shape}", "(lat, lon)")
    values = np.where(np.isfinite(values) & (np.abs(values) < 1e30) & (values > 0.0), values, 0.0)
    mask = np.rint(values).astype(np.int64)
    if np.abs(mask - values).max() > CELL_GAP_TOLERANCE or mask.max() == 0:
        raise InputError("a region mask holds integers", where, f"{values.min():g} … {values.max():g}")
    return _on_grid(mask, coordinates, name, where)


def _on_grid(mask: np.ndarray, coordinates: list[np.ndarray | None], name: str, where: str) -> tuple[np.ndarray, Grid]:
    """Attach a grid, with latitudes ascending and longitudes as cell centres."""
    nlat, nlon = mask.shape
    lat, lon = coordinates
    if lat is None or lon is None:
        return mask, Grid.regular(nlon, nlat, lon_first=None)
    if lat.size != nlat or lon.size != nlon:
        raise InputError("coordinates do not fit the mask", where, f"{lon.size} x {lat.size}", f"{nlon} x {nlat}")
    if lat[0] > lat[-1]:
        lat, mask = lat[::-1], mask[::-1]
    if name in EASTERN_EDGE_VARIABLES and abs(np.mod(lon[0], 360.0 / nlon)) < 1e-6:
        lon = lon - 180.0 / nlon
    try:
        return mask, Grid.from_centres(lon, lat)
    except CouplingError as error:
        raise InputError(error.what, f"{where}; {error.where}", error.found, error.expected, error.advice) from None


def _mask_name(dataset: netCDF4.Dataset, path: Path) -> str:
    for name in MASK_VARIABLES:
        if name in dataset.variables:
            return name
    flat = [name for name, variable in dataset.variables.items() if variable.ndim == 2]
    if len(flat) != 1:
        raise InputError("no region mask in the file", str(path), ", ".join(dataset.variables), " or ".join(MASK_VARIABLES))
    return flat[0]


def _coordinate(dataset: netCDF4.Dataset, names: tuple[str, ...]) -> np.ndarray | None:
    for name in names:
        if name in dataset.variables:
            return np.asarray(dataset.variables[name][:], dtype=np.float64).ravel()
    return None


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
