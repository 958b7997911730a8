"""Longitude-latitude grids, their areas, and conservative regridding.

Cells are boxes bounded by meridians and parallels, so the overlap of two grids is a product of an overlap in longitude
and one in the sine of latitude: regridding is two small matrix products, exact for any pair of grids that cover the
sphere, whatever their longitude origin and with or without points on the poles.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from mozart_coupling.constants import EARTH_RADIUS_M
from mozart_coupling.errors import CouplingError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

CENTRE_TOLERANCE = 2.0e-3  # of a cell: centres in files are often float32, or rounded to a few decimals


class GridError(CouplingError):
    """Coordinates that are not a grid, or values that do not fit one."""


@dataclass(frozen=True, eq=False)
class Grid:
    """A global longitude-latitude grid.

    Attributes
    ----------
    lon, lat
        Cell centres (nlon,), (nlat,) [degrees], both ascending.
    lon_edges, lat_edges
        Cell edges (nlon+1,), (nlat+1,) [degrees]; longitudes span 360, latitudes run from -90 to 90.
    """

    lon: np.ndarray
    lat: np.ndarray
    lon_edges: np.ndarray
    lat_edges: np.ndarray

    def __post_init__(self) -> None:
        for name in ("lon", "lat", "lon_edges", "lat_edges"):
            values = np.array(getattr(self, name), dtype=np.float64)
            if values.ndim != 1 or values.size < 2 or not np.isfinite(values).all():
                raise GridError("coordinates must be a row of at least two finite numbers", f"grid, {name}",
                                f"shape {values.shape}")
            if np.any(np.diff(values) <= 0):
                raise GridError("coordinates must ascend", f"grid, {name}", f"{values[0]:g} … {values[-1]:g}")
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        self._check_edges()

    def _check_edges(self) -> None:
        if self.lon_edges.size != self.nlon + 1 or self.lat_edges.size != self.nlat + 1:
            raise GridError("a grid has one edge more than centres", "grid",
                            f"{self.lon_edges.size} x {self.lat_edges.size} edges", f"{self.nlon + 1} x {self.nlat + 1}")
        if abs(self.lon_edges[-1] - self.lon_edges[0] - 360.0) > 1e-9:
            raise GridError("longitude edges must span 360 degrees", "grid, lon_edges",
                            f"{self.lon_edges[0]:g} … {self.lon_edges[-1]:g}")
        if self.lat_edges[0] != -90.0 or self.lat_edges[-1] != 90.0:
            raise GridError("latitude edges must run from -90 to 90", "grid, lat_edges",
                            f"{self.lat_edges[0]:g} … {self.lat_edges[-1]:g}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grid) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return (f"Grid({self.nlon}x{self.nlat}, lon {self.lon[0]:g}…{self.lon[-1]:g}, "
                f"lat {self.lat[0]:g}…{self.lat[-1]:g})")

    @cached_property
    def _key(self) -> tuple[bytes, ...]:
        return self.lon.tobytes(), self.lat.tobytes(), self.lon_edges.tobytes(), self.lat_edges.tobytes()

    @property
    def nlon(self) -> int:
        """Number of longitudes."""
        return self.lon.size

    @property
    def nlat(self) -> int:
        """Number of latitudes."""
        return self.lat.size

    @property
    def shape(self) -> tuple[int, int]:
        """(nlat, nlon)."""
        return self.nlat, self.nlon

    @property
    def name(self) -> str:
        """Such as "128x64"."""
        return f"{self.nlon}x{self.nlat}"

    @cached_property
    def area(self) -> np.ndarray:
        """Cell areas (nlat, nlon) [m2]; their sum is the sphere's area."""
        bands = np.diff(np.sin(np.deg2rad(self.lat_edges)))
        widths = np.diff(np.deg2rad(self.lon_edges))
        area = EARTH_RADIUS_M**2 * np.outer(bands, widths)
        area.setflags(write=False)
        return area

    @classmethod
    def gaussian(cls, nlon: int, nlat: int) -> Grid:
        """Gaussian latitudes, first centre at longitude 0; edges from the cumulative Gauss weights."""
        sines, _ = np.polynomial.legendre.leggauss(nlat)
        lon, lon_edges = _longitudes(nlon, 0.0)
        return cls(lon, np.rad2deg(np.arcsin(sines)), lon_edges, _gaussian_edges(nlat))

    @classmethod
    def regular(cls, nlon: int, nlat: int, lon_first: float | None = 0.0) -> Grid:
        """Equal steps, cells whose outer edges are the poles (360x180: latitudes -89.5 … 89.5).

        `lon_first` is the centre of the first cell [degrees]; None: half a cell, so that the first edge is at 0.
        """
        first = 180.0 / nlon if lon_first is None else lon_first
        lon, lon_edges = _longitudes(nlon, first)
        lat_edges = _regular_edges(nlat)
        return cls(lon, 0.5 * (lat_edges[:-1] + lat_edges[1:]), lon_edges, lat_edges)

    @classmethod
    def with_poles(cls, nlon: int, nlat: int, lon_first: float = 0.0) -> Grid:
        """Equal steps with centres on both poles, whose cells are half as high (144x96, 288x192)."""
        lon, lon_edges = _longitudes(nlon, lon_first)
        return cls(lon, np.linspace(-90.0, 90.0, nlat), lon_edges, _pole_edges(nlat))

    @classmethod
    def from_centres(cls, lon: ArrayLike, lat: ArrayLike) -> Grid:
        """Recognise a Gaussian, regular or pole-point grid from a file's coordinates, and keep its numbers.

        Parameters
        ----------
        lon, lat
            Cell centres [degrees], ascending, any longitude origin. Descending latitudes are refused, since the
            data that belong to them have to be turned too: the reader of a file does both.

        Raises
        ------
        GridError
            If longitudes are not evenly spaced over 360 degrees, or the latitudes are none of the three kinds.
        """
        lon = np.asarray(lon, dtype=np.float64).ravel()
        lat = np.asarray(lat, dtype=np.float64).ravel()
        if lat.size < 2 or lon.size < 2:
            raise GridError("a grid needs at least two longitudes and latitudes", "grid", f"{lon.size} x {lat.size}")
        if np.all(np.diff(lat) < 0):
            raise GridError("latitudes descend", "grid, lat", f"{lat[0]:g} … {lat[-1]:g}", "south to north",
                            "Reverse the latitude axis of the coordinates and of the data.")
        step = 360.0 / lon.size
        even = lon[0] + step * np.arange(lon.size)
        if not np.all(np.abs(lon - even) <= CENTRE_TOLERANCE * step):
            raise GridError("longitudes are not evenly spaced over 360 degrees", "grid, lon",
                            f"{lon[0]:g}, {lon[1]:g} … {lon[-1]:g}", f"ascending steps of {step:g}",
                            "Sort longitudes and data, and drop a repeated meridian.")
        lon_edges = lon[0] + step * (np.arange(lon.size + 1) - 0.5)
        return cls(lon, lat, lon_edges, _recognised_edges(lat))

    @classmethod
    def named(cls, name: str) -> Grid:
        """A grid by its size: 128x64 Gaussian, 144x96 and 288x192 with pole points, any other NxM regular."""
        try:
            nlon, nlat = (int(part) for part in name.lower().split("x"))
        except ValueError:
            raise GridError("a grid's name is NLONxNLAT", "grid", repr(name), "such as 128x64") from None
        if nlon < 2 or nlat < 2:
            raise GridError("a grid needs at least two longitudes and latitudes", "grid", name)
        if max(nlon, nlat) > MOST_CELLS_A_CIRCLE:
            raise GridError("a grid this fine cannot be held in memory", "grid", name, f"at most {MOST_CELLS_A_CIRCLE} each way")
        if (nlon, nlat) in GAUSSIAN_SIZES:
            return cls.gaussian(nlon, nlat)
        if (nlon, nlat) in POLE_SIZES:
            return cls.with_poles(nlon, nlat)
        return cls.regular(nlon, nlat)

    def cell_index(self, lon: ArrayLike, lat: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Index of the cell that contains each point.

        Parameters
        ----------
        lon, lat
            Points of one shape [degrees]; any longitude convention; both poles included.

        Returns
        -------
        ilat, ilon
            Integer arrays of the points' shape.
        """
        lon, lat = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
        if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
            raise GridError("a position is not a finite number", "cell_index")
        if np.any(np.abs(lat) > 90.0):
            raise GridError("a latitude is beyond the poles", "cell_index", f"{np.max(np.abs(lat)):g}", "-90 … 90")
        ilat = np.clip(np.searchsorted(self.lat_edges, lat, side="right") - 1, 0, self.nlat - 1)
        turned = self.lon_edges[0] + np.mod(lon - self.lon_edges[0], 360.0)
        ilon = np.clip(np.searchsorted(self.lon_edges, turned, side="right") - 1, 0, self.nlon - 1)
        return ilat, ilon


MOST_CELLS_A_CIRCLE = 14400
"""0.025 degrees: finer than any global model of tracers; beyond it a name is a slip of the pen."""
GAUSSIAN_SIZES = {(128, 64)}
POLE_SIZES = {(144, 96), (288, 192)}


def regrid(values: ArrayLike, source: Grid, target: Grid, kind: Literal["flux", "total"] = "flux") -> np.ndarray:
    """Conservative regridding.

    Parameters
    ----------
    values
        (..., source.nlat, source.nlon); any dtype, taken as float64.
    kind
        "flux": amounts per area, `sum(values * area)` is kept; "total": amounts per cell, `sum(values)` is kept.

    Returns
    -------
    numpy.ndarray
        (..., target.nlat, target.nlon), float64. Global totals agree to about 1e-15 relative.

    Raises
    ------
    GridError
        Wrong shape, NaN, infinite or masked values (fill them first: a hole has no amount), unknown kind.
    """
    if kind not in ("flux", "total"):
        raise GridError("unknown kind of regridding", "regrid", repr(kind), "'flux' or 'total'")
    if np.ma.is_masked(values):
        raise GridError("masked values cannot be regridded", "regrid", f"{np.ma.count_masked(values)} masked values",
                        advice="Fill them with the amount they stand for, zero in most flux files.")
    field = np.asarray(values, dtype=np.float64)
    if field.shape[-2:] != source.shape:
        raise GridError("values do not fit the source grid", "regrid", f"shape {field.shape}",
                        f"(..., {source.nlat}, {source.nlon})")
    if not np.isfinite(field).all():
        raise GridError("values are not finite", "regrid", f"{np.count_nonzero(~np.isfinite(field))} NaN or infinite values",
                        advice="Fill them with the amount they stand for, zero in most flux files.")
    if source == target:
        return field.copy()
    by_lat, by_lon = _weights(source, target, kind)
    result = np.empty((*field.shape[:-2], *target.shape))
    layers = zip(field.reshape(-1, *source.shape), result.reshape(-1, *target.shape), strict=True)
    for given, own in layers:  # a cell meets few others: sparse products, of one order of sums on every machine
        own[...] = (by_lon @ (by_lat @ given).T).T
    return result


def wrap_longitude(lon: ArrayLike) -> np.ndarray:
    """Longitude in [-180, 180) [degrees], any shape; values already there keep their bits."""
    lon = np.asarray(lon, dtype=np.float64)
    return np.where((lon >= -180.0) & (lon < 180.0), lon, (lon + 180.0) % 360.0 - 180.0)


def great_circle_km(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> np.ndarray:
    """Great-circle distance [km] between points in degrees; arguments broadcast. Haversine, exact at short range."""
    lon1, lat1, lon2, lat2 = (np.deg2rad(np.asarray(x, dtype=np.float64)) for x in (lon1, lat1, lon2, lat2))
    half = np.sin(0.5 * (lat2 - lat1)) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin(0.5 * (lon2 - lon1)) ** 2
    return 2.0e-3 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))


@lru_cache(maxsize=32)
def _weights(source: Grid, target: Grid, kind: str) -> tuple[csr_array, csr_array]:
    """Matrices (target, source) of the two axes."""
    from scipy.sparse import csr_array  # the embedded model starts without it

    sines = [np.sin(np.deg2rad(grid.lat_edges)) for grid in (source, target)]
    by_lat = _overlap(sines[0], sines[1])
    by_lon = sum(_overlap(source.lon_edges + turn, target.lon_edges) for turn in (-720.0, -360.0, 0.0, 360.0, 720.0))
    widths = (np.diff(sines[0]), np.diff(source.lon_edges))
    # Each source cell is given away whole: this removes the round-off of edges that nearly coincide.
    by_lat *= widths[0] / by_lat.sum(axis=0)
    by_lon *= widths[1] / by_lon.sum(axis=0)
    if kind == "total":
        by_lat, by_lon = by_lat / widths[0], by_lon / widths[1]
    else:
        by_lat, by_lon = by_lat / np.diff(sines[1])[:, None], by_lon / np.diff(target.lon_edges)[:, None]
    return csr_array(by_lat), csr_array(by_lon)


def _overlap(source_edges: np.ndarray, target_edges: np.ndarray) -> np.ndarray:
    """Length shared by each pair of cells (target, source)."""
    low = np.maximum(target_edges[:-1, None], source_edges[None, :-1])
    high = np.minimum(target_edges[1:, None], source_edges[None, 1:])
    return np.maximum(high - low, 0.0)


def _longitudes(nlon: int, first: float) -> tuple[np.ndarray, np.ndarray]:
    step = 360.0 / nlon
    return first + step * np.arange(nlon), first + step * (np.arange(nlon + 1) - 0.5)


def _regular_edges(nlat: int) -> np.ndarray:
    return np.linspace(-90.0, 90.0, nlat + 1)


def _pole_edges(nlat: int) -> np.ndarray:
    lat = np.linspace(-90.0, 90.0, nlat)
    return np.concatenate([[-90.0], 0.5 * (lat[:-1] + lat[1:]), [90.0]])


def _gaussian_edges(nlat: int) -> np.ndarray:
    """Edges between which the sine of latitude grows by the Gauss weights."""
    _, weights = np.polynomial.legendre.leggauss(nlat)
    sines = np.concatenate([[-1.0], -1.0 + 2.0 * np.cumsum(weights) / weights.sum()])
    edges = np.rad2deg(np.arcsin(np.clip(0.5 * (sines - sines[::-1]), -1.0, 1.0)))
    edges[0], edges[-1] = -90.0, 90.0
    return edges


def _recognised_edges(lat: np.ndarray) -> np.ndarray:
    """Edges of the kind of grid that has these latitudes; Gaussian ones, dear to compute, are tried last."""
    n = lat.size
    tolerance = CENTRE_TOLERANCE * 180.0 / n
    for edges_of, centres_of in ((_regular_edges, _middles), (_pole_edges, _with_poles), (_gaussian_edges, _gaussian_centres)):
        if np.all(np.abs(lat - centres_of(n)) <= tolerance):
            return edges_of(n)
    raise GridError("latitudes are neither regular, with pole points, nor Gaussian", "grid, lat",
                    f"{n} latitudes {lat[0]:g}, {lat[1]:g} … {lat[-1]:g}",
                    f"from {_middles(n)[0]:g} (regular), -90 (pole points) or {_gaussian_centres(n)[0]:.4f} (Gaussian) northward")


def _middles(nlat: int) -> np.ndarray:
    edges = _regular_edges(nlat)
    return 0.5 * (edges[:-1] + edges[1:])


def _with_poles(nlat: int) -> np.ndarray:
    return np.linspace(-90.0, 90.0, nlat)


def _gaussian_centres(nlat: int) -> np.ndarray:
    sines, _ = np.polynomial.legendre.leggauss(nlat)
    return np.rad2deg(np.arcsin(sines))
