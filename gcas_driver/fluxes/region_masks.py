"""Masks of regions in NetCDF files: integers on a global grid, with their names where the file gives them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from mozart_coupling.classic_header import missing_bytes
from mozart_coupling.errors import CouplingError
from mozart_coupling.grids import Grid

MASK_VARIABLES = ("transcom_regions", "mask64", "region", "regions", "transcom", "mask")
# The TransCom 3 mask's whole-degree longitudes are the eastern edges of its cells: so placed, its land differs from the land mask
# over 1.7 % of the area within 60 degrees of the equator; as western edges (one degree further east) over 3.3 %.
EASTERN_EDGE_VARIABLES = ("mask64",)
NAME_VARIABLES = {"land_ecosystems": "ecosystem_names"}
"""Where CarbonTracker's file keeps the names of a mask; elsewhere `<mask>_names`, `region_names` or `names` are tried."""
ONE_A_REGION = re.compile(r"Region(\d{2,3})")
"""TransCom masks for MOZART's grids have a variable of zeros and ones for each region."""
LATITUDES, LONGITUDES = ("lat", "latitude"), ("lon", "longitude")
CELL_GAP_TOLERANCE = 1.0e-3  # of a region number
MOST_REGIONS = 10000
MAGIC = (b"CDF\x01", b"CDF\x02", b"CDF\x05", b"\x89HDF")


@dataclass(frozen=True)
class Mask:
    """Integers on a grid.

    Attributes
    ----------
    values : ndarray of int (nlat, nlon)
        Latitudes ascending; 0: no region.
    grid : Grid
    names : dict
        Number → name, those that the file gives.
    variable : str
    """

    values: np.ndarray
    grid: Grid
    names: dict[int, str]
    variable: str


def is_netcdf(path: Path) -> bool:
    """Whether a file begins as NetCDF files do."""
    with open(path, "rb") as stream:
        return stream.read(4) in MAGIC


def read_mask(path: Path, variable: str = "", longitudes: str = "") -> Mask:
    """Read a mask.

    Parameters
    ----------
    variable, longitudes
        As in `regions.RegionMap.load`.

    Raises
    ------
    InputError
        No such file, truncated, no mask in it, values that are no whole numbers, coordinates that are no global grid.
    """
    try:
        lacking = missing_bytes(path)
        with netCDF4.Dataset(path) as dataset:
            if lacking:
                raise InputError("the region file is truncated", str(path), f"{lacking} bytes less than its header promises")
            name = variable or _mask_name(dataset, path)
            values, spans = _values(dataset, name, path)
            coordinates = [_coordinate(dataset, names) for names in (LATITUDES, LONGITUDES)]
            names = _names(dataset, name, int(values.max()))
    except FileNotFoundError:
        raise InputError("the region file is missing", str(path), advice="Give a file, or 'builtin'.") from None
    except (OSError, RuntimeError, ValueError, TypeError, OverflowError) as error:
        raise InputError("the region file cannot be read", str(path), str(error), "a NetCDF file") from None
    mask, grid = _on_grid(values, coordinates, longitudes or ("eastern_edges" if _is_at_edges(name, coordinates[1], spans) else ""),
                          f"{path}, {name}")
    return Mask(mask, grid, names, name)


def _is_at_edges(name: str, lon: np.ndarray | None, n_lon: int) -> bool:
    return name.lower() in EASTERN_EDGE_VARIABLES and lon is not None and lon.size == n_lon and abs(np.mod(lon[0], 360.0 / n_lon)) < 1e-6


def _values(dataset: netCDF4.Dataset, name: str, path: Path) -> tuple[np.ndarray, int]:
    """The mask (nlat, nlon) of whole numbers, 0 where it has no value, and its number of longitudes."""
    where = f"{path}, {name}"
    if name == ONE_A_REGION.pattern:
        parts = {int(ONE_A_REGION.fullmatch(n)[1]): n for n in dataset.variables if ONE_A_REGION.fullmatch(n)}
        shares = np.stack([_plane(dataset.variables[n], where) for n in parts.values()])
        total = shares.sum(axis=0)
        if shares.max() > 1.0 or total.max() > 1.001 or (0 in parts and total.min() < 0.999) or set(range(1, max(parts) + 1)) - set(parts):
            raise InputError("regions' variables hold zeros and ones that make one for every cell", where,
                             f"{len(parts)} variables, sums {total.min():g} … {total.max():g}", "Region01, Region02, … without a gap")
        mask = np.where(shares.max(axis=0) > 0.5, np.array(list(parts))[shares.argmax(axis=0)], 0)
        return mask, mask.shape[1]
    if np.dtype(getattr(dataset.variables.get(name), "dtype", "f4")).kind not in "iuf":
        raise InputError("a region mask holds integers", where, str(dataset.variables[name].dtype))
    if name not in dataset.variables:
        raise InputError(f"no variable '{name}' in the region file", str(path), ", ".join(dataset.variables))
    values = _plane(dataset.variables[name], where)
    mask = np.rint(values).astype(np.int64)
    if np.abs(mask - values).max() > CELL_GAP_TOLERANCE or not 0 < mask.max() <= MOST_REGIONS:
        raise InputError("a region mask holds integers", where, f"{values.min():g} … {values.max():g}", f"0 … {MOST_REGIONS}")
    return mask, mask.shape[1]


def _plane(variable: netCDF4.Variable, where: str) -> np.ndarray:
    """Values (nlat, nlon), 0 where missing."""
    raw = np.ma.asarray(variable[:]).astype(np.float64)
    dims = [d for d, size in zip(variable.dimensions, variable.shape, strict=True) if size != 1]
    values = np.ma.filled(raw, 0.0).squeeze()
    if values.ndim != 2:
        raise InputError("a region mask has two dimensions", where, f"shape {values.shape}", "(lat, lon)")
    if np.isnan(values).any() and (values == 0.0).any() and not np.ma.is_masked(raw):
        raise InputError("the region mask has holes", where, f"{np.count_nonzero(np.isnan(values))} NaN besides zeros",
                         "0 for no region, and no NaN", "Fetch the file again.")
    if dims[0] in LONGITUDES or dims[1] in LATITUDES:
        values = values.T
    return np.where(np.isfinite(values) & (np.abs(values) < 1e30) & (values > 0.0), values, 0.0)


def _on_grid(mask: np.ndarray, coordinates: list[np.ndarray | None], longitudes: str, where: str) -> tuple[np.ndarray, Grid]:
    """Attach a grid, with latitudes ascending and longitudes as cell centres."""
    nlat, nlon = mask.shape
    lat, lon = coordinates
    if lat is None or lon is None:
        if where.endswith(", region"):  # GCASv2's layout
            return mask, Grid.regular(nlon, nlat, lon_first=None)
        raise InputError("the mask has no coordinates", where, "no lat and lon", "centres or edges of its cells")
    if lat.size == nlat + 1 and lon.size == nlon + 1:  # both edges of every cell
        lat, lon, longitudes = 0.5 * (lat[1:] + lat[:-1]), 0.5 * (lon[1:] + lon[:-1]), "centres"
    if lat.size != nlat or lon.size != nlon:
        raise InputError("coordinates do not fit the mask", where, f"{lon.size} x {lat.size}", f"{nlon} x {nlat}")
    if lat[0] > lat[-1]:
        lat, mask = lat[::-1], mask[::-1]
    # Cells across the date line, but none on the poles: not impossible, but more likely edges.
    if not longitudes and abs(lon[0] + 180.0) < 1e-6 and abs(lat[0] + 90.0 - 90.0 / nlat) < 1e-3:
        raise InputError("whether longitudes are centres or edges of cells is not clear", f"{where}, lon",
                         f"longitudes {lon[0]:g}, {lon[1]:g} … …, latitudes {lat[0]:g}, {lat[1]:g} …",
                         "", "Say it by `longitudes` in &regions: 'centres', 'western_edges' or 'eastern_edges'.")
    lon = lon + {"": 0.0, "western_edges": 180.0 / nlon, "eastern_edges": -180.0 / nlon, "centres": 0.0}[longitudes]
    try:
        return mask, Grid.from_centres(lon, lat)
    except CouplingError as error:
        raise InputError(error.what, f"{where}; {error.where}", error.found, error.expected, error.advice) from None


def _mask_name(dataset: netCDF4.Dataset, path: Path) -> str:
    names = {name.lower(): name for name in dataset.variables}
    for name in MASK_VARIABLES:
        if name in names:
            return names[name]
    if any(ONE_A_REGION.fullmatch(name) for name in dataset.variables):
        return ONE_A_REGION.pattern
    flat = [name for name, variable in dataset.variables.items() if variable.ndim == 2 and variable.dtype != str
            and variable.dtype.kind in "iuf"]
    if len(flat) != 1 or flat[0] in NAME_VARIABLES:
        raise InputError("no region mask in the file", str(path), ", ".join(dataset.variables), " or ".join(MASK_VARIABLES),
                         "Name it by `variable` in &regions.")
    return flat[0]


def _names(dataset: netCDF4.Dataset, name: str, largest: int) -> dict[int, str]:
    """Number → name: CF's flag_values and flag_meanings, or a text variable with one name for each number from 1 (or 0) on."""
    if name not in dataset.variables or name.lower() in ("transcom_regions", "mask64"):
        return {}
    attributes = dataset.variables[name].__dict__
    if "flag_values" in attributes and "flag_meanings" in attributes:
        words = str(attributes["flag_meanings"]).split()
        numbers = np.atleast_1d(attributes["flag_values"])
        return {int(n): word.replace("_", " ") for n, word in zip(numbers, words, strict=False) if n > 0}
    for candidate in (NAME_VARIABLES.get(name, ""), f"{name}_names", f"{name}_name", "region_names", "region_name", "names"):
        if candidate not in dataset.variables:
            continue
        found = dataset.variables[candidate]
        found.set_auto_mask(False)  # CarbonTracker's names carry a number as missing value
        values = found[...]
        texts = netCDF4.chartostring(values) if values.dtype.kind == "S" and values.ndim == 2 else values
        words = [str(t).strip("\0 ") for t in np.ravel(texts)]
        first = {largest: 1, largest + 1: 0}.get(len(words))
        if first is not None:
            return {n: word for n, word in enumerate(words, start=first) if n > 0 and word}
    return {}


def _coordinate(dataset: netCDF4.Dataset, names: tuple[str, ...]) -> np.ndarray | None:
    for name in dataset.variables:
        if name.lower() in names and np.dtype(dataset.variables[name].dtype).kind in "iuf":
            return np.ma.filled(np.ma.asarray(dataset.variables[name][:], dtype=np.float64), np.nan).ravel()
    return None
