"""Land and sea: the 1-minute-class GLOBE mask of the package global-land-mask, as fractions of any grid's cells.

The package loads its 0.9 GB mask when it is imported. Here the same file is read as a stream and reduced to tenths of a
degree once; the result (0.4 MB) is kept in the user's cache directory.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np

from mozart_coupling.errors import CouplingError
from mozart_coupling.grids import Grid, regrid

FINE_GRID = Grid.regular(3600, 1800, lon_first=-179.95)
_POINTS_PER_CELL = 12  # mask points along one side of a cell of a tenth of a degree


@lru_cache(maxsize=1)
def fine_land_fraction() -> np.ndarray:
    """Land fraction (1800, 3600) of tenth-degree cells, south and west (-180) first; read-only, float32."""
    cache = _cache_file()
    counts = _cached_counts(cache)
    if counts is None:
        counts = _counts_from_package()
        _store(cache, counts)
    fraction = counts.astype(np.float32) / _POINTS_PER_CELL**2
    fraction.setflags(write=False)
    return fraction


@lru_cache(maxsize=16)
def land_fraction(grid: Grid) -> np.ndarray:
    """Share of each cell's area that is land (nlat, nlon), 0 … 1; read-only. Lakes count as land, ice shelves too."""
    fraction = np.clip(regrid(fine_land_fraction(), FINE_GRID, grid), 0.0, 1.0)
    fraction.setflags(write=False)
    return fraction


def is_land(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Whether points (degrees) lie in a tenth-degree cell that is at least half land."""
    return fine_land_fraction()[FINE_GRID.cell_index(lon, lat)] >= 0.5


def _cache_file() -> Path:
    try:
        root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:  # a user without a home, as in containers: nothing is kept
        root = os.devnull
    return Path(root) / "gcas" / f"land-tenth-degree-{importlib.metadata.version('global-land-mask')}.npz"


def _cached_counts(path: Path) -> np.ndarray | None:
    try:
        with np.load(path) as stored:
            counts = stored["counts"]
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    return counts if counts.shape == FINE_GRID.shape and counts.dtype == np.uint8 else None


def _store(path: Path, counts: np.ndarray) -> None:
    """Keep the reduced mask; a cache that cannot be written only costs time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as partial:
            np.savez_compressed(partial, counts=counts)
        os.replace(partial.name, path)
    except OSError:
        return


def _counts_from_package() -> np.ndarray:
    """Land points per tenth-degree cell (1800, 3600), 0 … 144, read row block by row block."""
    spec = importlib.util.find_spec("global_land_mask")
    folder = Path(next(iter(spec.submodule_search_locations))) if spec else Path()
    path = folder / "globe_combined_mask_compressed.npz"
    rows, columns = (size * _POINTS_PER_CELL for size in FINE_GRID.shape)
    counts = np.empty(FINE_GRID.shape, dtype=np.uint8)
    try:
        with zipfile.ZipFile(path) as archive, archive.open("mask.npy") as stream:
            shape = _npy_shape(stream)
            if shape != (rows, columns):
                raise CouplingError("the land mask has another size", path, shape, (rows, columns))
            for row in range(FINE_GRID.nlat):
                block = np.frombuffer(stream.read(_POINTS_PER_CELL * columns), dtype=np.bool_)
                sea = block.reshape(_POINTS_PER_CELL, FINE_GRID.nlon, _POINTS_PER_CELL).sum(axis=(0, 2))
                counts[FINE_GRID.nlat - 1 - row] = _POINTS_PER_CELL**2 - sea
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise CouplingError("the land mask cannot be read", path, str(error),
                            advice="Install the package global-land-mask again.") from None
    return counts


def _npy_shape(stream: zipfile.ZipExtFile) -> tuple[int, ...]:
    """Read the header of an array file, leaving the stream at the data."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran_order, dtype = read(stream)
    if fortran_order or dtype != np.bool_:
        raise ValueError(f"a mask of type {dtype}, {'Fortran' if fortran_order else 'C'} order")
    return shape
