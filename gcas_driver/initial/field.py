"""A three-dimensional CO2 field in one form, whatever file it came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gcas_driver.errors import InputError
from mozart_coupling.grids import Grid, regrid, wrap_longitude

LOWEST_PPM, HIGHEST_PPM = 150.0, 3000.0
"""No cell of a CO2 field is beyond these; the mean over all cells lies between the next two."""
LOWEST_MEAN_PPM, HIGHEST_MEAN_PPM = 250.0, 800.0


@dataclass(frozen=True)
class Field:
    """Mole fractions of dry air, level 0 on top, latitude ascending, longitude from -180 on.

    Attributes
    ----------
    values : ndarray (n_levels, nlat, nlon)
        [mol mol-1].
    grid : Grid or None
        None where the file does not say: it can only be the run's own.
    interfaces : ndarray (n_levels + 1, nlat, nlon) or None
        Pressure [Pa] of the layers' bounds, top first; None where the file has no surface pressure.
    hybrid : (ndarray, ndarray) or None
        hyai, hybi (n_levels + 1,), where the file has no surface pressure; with neither, the levels can only be the run's own.
    time : datetime64[s] or None
        None where the file is not dated.
    path : Path
    text : str
        What was read, for the log.
    """

    values: np.ndarray
    grid: Grid | None
    interfaces: np.ndarray | None
    hybrid: tuple[np.ndarray, np.ndarray] | None
    time: np.datetime64 | None
    path: Path
    text: str

    def __post_init__(self) -> None:
        if self.values.ndim != 3:
            raise InputError("an initial field has three dimensions", str(self.path), f"shape {self.values.shape}", "(level, lat, lon)")
        bad = np.count_nonzero(~np.isfinite(self.values))
        if bad:
            raise InputError("the initial field has missing values", str(self.path), f"{bad} of {self.values.size} cells",
                             "a value in every cell")
        low, high, mean = (1e6 * float(f(self.values)) for f in (np.min, np.max, np.mean))
        if low < LOWEST_PPM or high > HIGHEST_PPM or not LOWEST_MEAN_PPM <= mean <= HIGHEST_MEAN_PPM:
            raise InputError("not a field of CO2", str(self.path), f"{low:.4g} … {high:.4g} ppm, mean {mean:.4g}",
                             f"{LOWEST_PPM:g} … {HIGHEST_PPM:g} ppm, mean {LOWEST_MEAN_PPM:g} … {HIGHEST_MEAN_PPM:g}",
                             "Check the file's units, or give them by `units` in &initial.")
        if self.interfaces is not None:
            _require_layers(self.interfaces, self.values.shape, self.path)

    def require_places(self, grid: Grid, n_levels: int) -> None:
        """Refuse a field that does not say where it is, unless it can be on the run's own grid and levels."""
        if self.grid is None and self.values.shape[1:] != grid.shape:
            raise InputError("the initial field has no coordinates, and not the run's grid", str(self.path),
                             f"{self.values.shape[2]}x{self.values.shape[1]} cells", f"lon and lat, or {grid.name} cells")
        if self.interfaces is None and self.hybrid is None and self.values.shape[0] != n_levels:
            raise InputError("nothing says where the initial field's levels are", str(self.path), f"{self.values.shape[0]} levels",
                             f"hyam and hybm, pressures, or the run's {n_levels} levels")

    def located(self, grid: Grid, levels: tuple[np.ndarray, np.ndarray], ps: np.ndarray) -> tuple[Grid, np.ndarray]:
        """Grid and interface pressures (n_levels + 1, nlat, nlon) [Pa]; what the file does not say is the run's.

        Parameters
        ----------
        grid, levels, ps
            The run's: hyai and hybi (n + 1,), surface pressure (nlat, nlon) [Pa].
        """
        self.require_places(grid, len(levels[0]) - 1)
        own = self.grid or grid
        if self.interfaces is not None:
            return own, self.interfaces
        return own, interfaces_of(*(self.hybrid or levels), regrid(ps, grid, own))


def interfaces_of(hyai: np.ndarray, hybi: np.ndarray, ps: np.ndarray) -> np.ndarray:
    """hyai P0 + hybi PS (n + 1, nlat, nlon) [Pa], hyai in units of P0 = 1e5 Pa."""
    return 1.0e5 * np.asarray(hyai)[:, None, None] + np.asarray(hybi)[:, None, None] * ps


def ordered(lon: np.ndarray, lat: np.ndarray, path: Path, *fields: np.ndarray | None) -> tuple[Grid, list[np.ndarray | None]]:
    """The grid with longitudes from -180 on and latitudes from the south, and fields (..., lat, lon) turned with it.

    Raises
    ------
    InputError
        Coordinates that are no global grid.
    """
    from mozart_coupling.errors import CouplingError

    lon, lat = (np.asarray(c, dtype=np.float64) for c in (lon, lat))
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        raise InputError("coordinates are missing", f"{path}, lon and lat", "NaN or fill values")
    wrapped = wrap_longitude(np.round(lon, 6))
    columns = np.argsort(wrapped, kind="stable")
    rows = slice(None, None, -1) if lat.size > 1 and lat[0] > lat[-1] else slice(None)
    try:
        grid = Grid.from_centres(wrapped[columns], lat[rows])
    except CouplingError as error:
        raise InputError(error.what, f"{path}, {error.where}", error.found, error.expected, error.advice) from None
    return grid, [None if f is None else np.ascontiguousarray(f[..., rows, :][..., columns]) for f in fields]


def _require_layers(interfaces: np.ndarray, shape: tuple[int, ...], path: Path) -> None:
    if interfaces.shape != (shape[0] + 1, *shape[1:]):
        raise InputError("pressures do not bound the levels", str(path), f"shape {interfaces.shape}", f"{(shape[0] + 1, *shape[1:])}")
    if not np.isfinite(interfaces).all():
        raise InputError("pressures are missing", str(path), f"{np.count_nonzero(~np.isfinite(interfaces))} values")
    if np.any(np.diff(interfaces, axis=0) <= 0.0):
        raise InputError("pressures do not ascend from the top", str(path), f"{np.count_nonzero(np.diff(interfaces, axis=0) <= 0.0)} "
                         "layers without air")
    surface = interfaces[-1]
    if surface.min() < 3.0e4 or surface.max() > 1.2e5 or not 8.0e4 < surface.mean() < 1.1e5 or interfaces[0].max() > 3.0e4:
        raise InputError("pressures are not those of an atmosphere in Pa", str(path),
                         f"surface {surface.min():.4g} … {surface.max():.4g}, top {interfaces[0].max():.4g}",
                         "surface 30000 … 120000 Pa, about 98500 in the mean")
