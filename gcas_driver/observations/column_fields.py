"""Variables of a file of soundings, read by runs of rows in the normal form's units: a day of OCO-2 need not be in memory at once."""

from __future__ import annotations

from collections.abc import Sequence

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations import netcdf_fields as nc

SAMPLE_ROWS = 100
"""Rows at either end of a file from which units are judged: few, since whole chunks are unpacked for them."""
BLOCK = 32768
"""Rows that are read at a time."""
CHUNK_CACHE_MOST = 2**27
"""Largest cache [bytes] for a variable's chunks: a chunk that does not fit is unpacked again for every run that is read of it."""


class Field:
    """One numeric variable of an open file: `field(start, stop)` are its rows as float64, NaN where missing, times `factor`.

    Parameters
    ----------
    variable : netCDF4.Variable
    rows : str
        Name of the dimension along which soundings lie; it may stand first or second.
    levels : bool
        Whether the variable has levels too.

    Raises
    ------
    InputError
        If it has other dimensions, or is not numeric.
    """

    def __init__(self, variable: netCDF4.Variable, rows: str, levels: bool = False) -> None:
        self.variable, self.factor = variable, 1.0
        expected = 2 if levels else 1
        # A variable of one number a sounding may carry a second dimension of length 1.
        dims = [d for d, size in zip(variable.dimensions, variable.shape, strict=True) if d == rows or levels or size != 1]
        if len(dims) != expected or dims.count(rows) != 1:
            raise InputError("wrong shape", nc.place_of(variable), f"{variable.shape}, dimensions ({', '.join(variable.dimensions)})",
                             f"({rows}, levels)" if levels else f"({rows},)", "check that the variable is the one meant")
        if not np.issubdtype(np.dtype(variable.dtype) if variable.dtype is not str else np.dtype(object), np.number):
            raise InputError("not a number", nc.place_of(variable), str(variable.dtype), "a numeric variable")
        self.axis = variable.dimensions.index(rows)
        self.levels = levels
        self.n = variable.shape[self.axis]
        self.n_levels = variable.shape[1 - self.axis] if levels else 0
        self.missing: tuple[float, ...] = ()
        _keep_chunks(variable)

    def __call__(self, start: int, stop: int) -> np.ndarray:
        """Rows [start, stop): (m,) or (m, n_levels)."""
        values = nc.decoded(self.variable, self._raw(start, stop))
        for code in self.missing:
            values[values == code] = np.nan
        if self.factor != 1.0:
            values *= self.factor
        return values

    def _raw(self, start: int, stop: int) -> np.ndarray:
        index: list = [slice(None)] * self.variable.ndim
        index[self.axis] = slice(start, stop)
        raw = self.variable[tuple(index)]
        if not self.levels:
            return raw.reshape(stop - start)
        return raw if self.axis == 0 else raw.T

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Rows of the given numbers, ascending, read block by block."""
        parts = [self(first, last)[index] for first, last, index in blocks_of(rows)]
        return np.concatenate(parts) if parts else np.empty((0, self.n_levels) if self.levels else 0)

    def sample(self) -> np.ndarray:
        """Rows of both ends of the file, or more, so that a finite number is among them if the file has any."""
        tail = max(self.n - SAMPLE_ROWS, min(SAMPLE_ROWS, self.n))
        values = np.concatenate([self(0, min(SAMPLE_ROWS, self.n)), self(tail, self.n)])
        for start in range(0, self.n, BLOCK):
            if np.isfinite(values).any():
                break
            values = self(start, min(start + BLOCK, self.n))
        return values


class Fields:
    """The variables of an open file, found by any of their names and brought to the normal form's units.

    Parameters
    ----------
    dataset : netCDF4.Dataset
    place : sequence of str
        Names of a variable with one number a sounding, such as the latitude; its dimension is that of the soundings.
    """

    def __init__(self, dataset: netCDF4.Dataset, place: Sequence[str]) -> None:
        self.dataset = dataset
        variable = nc.require_variable(dataset, place)
        long = [d for d, size in zip(variable.dimensions, variable.shape, strict=True) if size != 1]
        if len(long) > 1 or not variable.dimensions:
            raise InputError("wrong shape", nc.place_of(variable), str(variable.shape), "one number for each sounding")
        self.rows = long[0] if long else variable.dimensions[0]
        self.n = variable.shape[variable.dimensions.index(self.rows)]

    @property
    def path(self) -> str:
        """The file, for messages."""
        return self.dataset.filepath()

    def find(self, *names: str, levels: bool = False) -> Field | None:
        """The first variable of these names; None if the file has none of them."""
        variable = nc.find_variable(self.dataset, [name for name in names if name])
        return None if variable is None else Field(variable, self.rows, levels)

    def need(self, *names: str, levels: bool = False) -> Field:
        """As `find`, but a file without it is an error that lists what the file has."""
        return Field(nc.require_variable(self.dataset, [name for name in names if name]), self.rows, levels)

    def fraction(self, *names: str, levels: bool = False, units: str = "") -> Field:
        """A mole fraction of CO2 [ppm]."""
        field = self.need(*names, levels=levels)
        field.factor = nc.fraction_factor(field.variable, field.sample(), units)
        return field

    def error(self, *names: str, units: str = "") -> Field:
        """An uncertainty of a mole fraction [ppm]."""
        field = self.need(*names)
        field.factor = nc.error_factor(field.variable, field.sample(), units)
        return field

    def pressure(self, *names: str, levels: bool = True, units: str = "") -> Field:
        """Pressure at levels, or of the surface [Pa]."""
        field = self.need(*names, levels=levels)
        sample = field.sample()
        field.factor = nc.pressure_factor(field.variable, sample if levels else sample[:, None], units)
        return field


def blocks_of(rows: np.ndarray, size: int = BLOCK) -> list[tuple[int, int, np.ndarray]]:
    """Runs to read for ascending row numbers: (first, last + 1, index of the wanted rows in the run), none longer than `size`."""
    rows = np.asarray(rows, dtype=np.intp)
    if not rows.size:
        return []
    cuts = np.flatnonzero(np.diff(rows // size)) + 1
    return [(int(part[0]), int(part[-1]) + 1, part - part[0]) for part in np.split(rows, cuts)]


def _keep_chunks(variable: netCDF4.Variable) -> None:
    """Let the library keep a chunk of the variable unpacked, where its default cache is too small for one."""
    chunks = variable.chunking() if variable.group().data_model.startswith("NETCDF4") else None
    if not isinstance(chunks, list) or variable.dtype is str:
        return
    size = int(np.prod(chunks)) * np.dtype(variable.dtype).itemsize
    if variable.get_var_chunk_cache()[0] < 2 * size <= CHUNK_CACHE_MOST:
        variable.set_var_chunk_cache(size=2 * size, nelems=101, preemption=0.75)
