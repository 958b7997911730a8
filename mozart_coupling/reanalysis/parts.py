"""One variable of one file, read record by record in one orientation: level 1 on top, latitudes and longitudes ascending."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import xarray as xr

from mozart_coupling.errors import MetError
from mozart_coupling.grids import Grid, GridError
from mozart_coupling.reanalysis.files import PRESENT

LATITUDES = ("latitude", "lat")
LONGITUDES = ("longitude", "lon")
LEVELS = ("pressure_level", "model_level", "hybrid", "isobaricinhpa", "isobaricinpa", "level", "lev", "plev", "mlev", "hybrid_level",
          "ilev")
TIMES = ("valid_time", "time", "forecast_reference_time")
STEPS = ("step", "forecast_period")
MEMBERS = ("number", "member", "ensemble")
VERSIONS = ("expver",)
PRESSURE_UNITS = {"pa": 1.0, "hpa": 100.0, "millibars": 100.0, "millibar": 100.0, "mb": 100.0, "mbar": 100.0}
POLE_TOLERANCE = 1.0e-3  # degrees
RECORD_VALUES = 2**20  # values read at once: 8 MB in float64


@dataclass(frozen=True)
class Stamp:
    """Of one record: where it is in its variable, for when it holds, when its forecast started (NaT if nothing says)."""

    index: tuple[tuple[str, int], ...]
    valid: np.datetime64
    start: np.datetime64


class Part:
    """One variable of one dataset.

    Raises
    ------
    MetError
        Dimensions, coordinates or times that cannot be understood, always with file and variable.
    """

    def __init__(self, path: Path, dataset: xr.Dataset, name: str) -> None:
        self.path = path
        self.name = name
        self.dataset = dataset
        self.where = f"{path}, {name}"
        array = dataset[name]
        self._lat, self._lon = self._axis(array, LATITUDES), self._axis(array, LONGITUDES)
        self._level = self._axis(array, LEVELS)
        self._version = self._axis(array, VERSIONS)
        members = self._axis(array, MEMBERS)
        if members and array.sizes[members] > 1:
            raise MetError("several ensemble members", f"{self.where}, {members}", array.sizes[members], "one",
                           "Fetch `reanalysis` instead of `ensemble_members`, or keep one: `grib_copy -w number=0 FILE NEW`, "
                           "`ncks -d number,0 FILE NEW`.")
        self._time_axes = tuple(str(dim) for dim in array.dims if str(dim).lower() in TIMES + STEPS)
        known = {self._lat, self._lon, self._level, self._version, *self._time_axes}
        extra = [str(dim) for dim in array.dims if dim not in known and array.sizes[dim] > 1]
        if self._lat is None or self._lon is None or extra:
            grid = array.attrs.get("GRIB_gridType", "")
            raise MetError("a variable is not on a longitude-latitude grid", self.where, f"dimensions {array.dims} {grid}".strip(),
                           "time, level, latitude, longitude", "With spectral or reduced grids ask for `grid` such as 1.0/1.0.")
        self._array = array

    @staticmethod
    def _axis(array: xr.DataArray, names: tuple[str, ...]) -> str | None:
        return next((str(dim) for dim in array.dims if str(dim).lower() in names), None)

    @property
    def attributes(self) -> dict[str, object]:
        """The variable's attributes."""
        return self._array.attrs

    @property
    def n_levels(self) -> int:
        """Number of levels; 0 for a surface field."""
        return 0 if self._level is None else self._array.sizes[self._level]

    @cached_property
    def units(self) -> str:
        """As the file says, "" if it does not."""
        return str(self._array.attrs.get("units", ""))

    @cached_property
    def pressure_levels(self) -> np.ndarray | None:
        """Pressures [Pa] in the file's order, or None: no levels, or those of a model."""
        if self._level is None:
            return None
        axis = self._array[self._level] if self._level in self._array.coords else None
        named = {"isobaricinhpa": 100.0, "pressure_level": 100.0, "isobaricinpa": 1.0}.get(self._level.lower())
        factor = None if axis is None else PRESSURE_UNITS.get(str(axis.attrs.get("units", "")).lower(), named)
        return None if factor is None else factor * np.asarray(axis.values, dtype=np.float64)

    @cached_property
    def level_numbers(self) -> np.ndarray:
        """Numbers of the model levels in the file's order; 1, 2 … where it gives none."""
        if self._level in self._array.coords:
            return np.rint(np.asarray(self._array[self._level].values, dtype=np.float64)).astype(int)
        return np.arange(1, self.n_levels + 1)

    @cached_property
    def grid(self) -> Grid:
        """The grid in our orientation."""
        lat, (lon, order) = self._values(self._lat), self._longitudes
        try:
            return Grid.from_centres(lon[order], lat[::-1] if self._north_first else lat)
        except GridError as error:
            raise MetError("the source is not a global longitude-latitude grid: " + error.what, f"{self.where}, {error.where}", error.found,
                           error.expected, "Ask for the whole globe, on a regular or regular Gaussian grid.") from None

    @cached_property
    def stamps(self) -> list[Stamp]:
        """One for every record; the time is NaT where the file has none."""
        array = self._array
        shape = tuple(array.sizes[dim] for dim in self._time_axes)
        valid, start = self._valid_times(shape), self._start_times(shape)
        present = self.dataset.attrs.get(PRESENT, {}).get(array.attrs.get("GRIB_shortName"))
        return [Stamp(tuple(zip(self._time_axes, index, strict=True)), valid[index], start[index]) for index in np.ndindex(shape)
                if present is None or (start[index], valid[index]) in present]

    def _valid_times(self, shape: tuple[int, ...]) -> np.ndarray:
        for name in ("valid_time", "time"):
            if name in self._array.coords and (name == "valid_time" or not self._has_steps()):
                return self._broadcast(name, shape)
        return self._start_times(shape) + self._steps(shape)

    def _start_times(self, shape: tuple[int, ...]) -> np.ndarray:
        if self._has_steps():
            for name in ("forecast_reference_time", "time"):
                if name in self._array.coords:
                    return self._broadcast(name, shape)
        return np.full(shape, np.datetime64("NaT", "s"))

    def _has_steps(self) -> bool:
        return any(name in self._array.coords for name in STEPS)

    def _steps(self, shape: tuple[int, ...]) -> np.ndarray:
        name = next((name for name in STEPS if name in self._array.coords), None)
        if name is None:
            return np.full(shape, np.timedelta64("NaT", "s"))
        return self._broadcast(name, shape, "timedelta64[s]")

    def _broadcast(self, name: str, shape: tuple[int, ...], dtype: str = "datetime64[s]") -> np.ndarray:
        coordinate = self._array.coords[name]
        try:
            values = np.asarray(coordinate.values)
            if not np.issubdtype(values.dtype, np.dtype(dtype).type):
                raise TypeError(f"{values.dtype} {values.ravel()[:1]}")
            values = (values + np.timedelta64(500, "ms")).astype(dtype)
        except (TypeError, ValueError) as error:
            raise MetError("times cannot be understood", f"{self.where}, {name}", str(error),
                           "CF times such as hours since 1900-01-01") from None
        full = xr.DataArray(values, dims=coordinate.dims)
        template = xr.DataArray(np.zeros(shape), dims=self._time_axes)
        return np.array(full.broadcast_like(template).transpose(*self._time_axes).values, dtype=dtype)

    def read(self, stamp: Stamp, levels: slice = slice(None)) -> np.ndarray:
        """One record, float64 (nlat, nlon), or (n, nlat, nlon) for the wanted levels in the file's order."""
        array = self._array.isel(dict(stamp.index))
        if self._level is not None:
            array = array.isel({self._level: levels})
        array = array.isel({dim: 0 for dim in array.dims if dim not in (self._lat, self._lon, self._level, self._version)})
        order = [dim for dim in (self._version, self._level, self._lat, self._lon) if dim is not None]
        try:
            values = np.asarray(array.transpose(*order).values, dtype=np.float64)
        except (OSError, RuntimeError, EOFError, ValueError) as error:
            raise MetError("a record cannot be read", f"{self.where}, {stamp.valid}", str(error).splitlines()[0], "a complete file",
                           "Fetch it again.") from None
        if self._version is not None:  # final and preliminary data: what the first has not, the others give
            values, *others = values
            for other in others:
                values = np.where(np.isfinite(values), values, other)
        if self._north_first:
            values = values[..., ::-1, :]
        return np.ascontiguousarray(values[..., self._longitudes[1]])

    @cached_property
    def _north_first(self) -> bool:
        lat = self._values(self._lat)
        return bool(lat[0] > lat[-1])

    @cached_property
    def _longitudes(self) -> tuple[np.ndarray, np.ndarray]:
        """The file's longitudes, and their indices from west to east with a repeated meridian left out."""
        lon = self._values(self._lon)
        if np.any(np.diff(lon) <= 0.0):
            lon = np.mod(lon, 360.0)
        order = np.argsort(lon, kind="stable")
        if order.size < 2:
            return lon, order
        same = 0.25 * float(np.median(np.diff(lon[order])))  # not of 360 degrees: the file may be of a region
        order = order[np.append(True, np.diff(lon[order]) > same)]
        if lon[order[-1]] - lon[order[0]] > 360.0 - same:
            order = order[:-1]
        return lon, order

    def _values(self, axis: str) -> np.ndarray:
        if axis not in self._array.coords:
            raise MetError("a dimension has no coordinates", f"{self.where}, {axis}", "none", "degrees")
        return np.asarray(self._array[axis].values, dtype=np.float64)


def fix_pole_winds(u: np.ndarray, v: np.ndarray, grid: Grid) -> None:
    """Where a grid has points on a pole, make its row there one vector: the mean of the neighbouring row's, turned to each meridian.

    Sources give anything there: zeros, one meridian's components, or the true ones. u, v (..., nlat, nlon) are changed in place.
    """
    lon = np.deg2rad(grid.lon)
    for row, neighbour, sign in ((0, 1, -1.0), (-1, -2, 1.0)):
        if abs(grid.lat[row]) > 90.0 - POLE_TOLERANCE:
            turn = np.exp(1j * sign * lon)
            vector = ((u[..., neighbour, :] + 1j * v[..., neighbour, :]) * turn).mean(axis=-1, keepdims=True) / turn
            u[..., row, :], v[..., row, :] = vector.real, vector.imag
