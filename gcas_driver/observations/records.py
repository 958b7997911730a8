"""Files of samples as records by name: the same questions to NetCDF and to text, so that one reader serves both.

`open_records` looks at a file's content, not at its name. Records are read a range at a time: a data set of decades is not read for
a week.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations import netcdf_fields as nc
from gcas_driver.observations.text_records import TextRecords, index_text

SEVERAL = ("time_components", "assimilation_concerns")
"""Variables with several numbers a record."""

NETCDF_STARTS = (b"CDF", b"\x89HDF")


class Records(Protocol):
    """What a file of samples tells.

    Attributes
    ----------
    where : str
        The file, for messages.
    attributes : dict
        Attributes of the file, names in lower case → text.
    size : int
        Number of records.
    """

    where: str
    attributes: dict[str, str]
    size: int

    def has(self, name: str) -> bool:
        """Whether there is such a variable or column."""

    def numbers(self, name: str, rows: slice = slice(None)) -> np.ndarray:
        """A variable of the given rows as float64, NaN where missing; (n,), or (n, k) for those of `SEVERAL`."""

    def texts(self, name: str, rows: slice = slice(None)) -> np.ndarray:
        """A variable of the given rows as text (n,)."""

    def about(self, name: str, attribute: str) -> str:
        """An attribute of a variable; "" if it has none."""

    def inventory(self) -> str:
        """What variables there are, for messages."""


class NetcdfRecords:
    """Records of an open NetCDF file, along the dimension of `time`."""

    def __init__(self, dataset: netCDF4.Dataset) -> None:
        self._dataset = dataset
        self.where = dataset.filepath()
        self.attributes = {name.lower(): str(dataset.getncattr(name)).strip() for name in dataset.ncattrs()}
        time = nc.require_variable(dataset, ("time",))
        if len(time.shape) != 1:
            raise InputError("wrong shape", f"{self.where}, time", str(time.shape), "one time a record")
        self.dimension = time.dimensions[0]
        self.size = time.shape[0]

    def has(self, name: str) -> bool:
        """Whether there is such a variable."""
        return nc.find_variable(self._dataset, (name,)) is not None

    def numbers(self, name: str, rows: slice = slice(None)) -> np.ndarray:
        """A variable of the given rows as float64, NaN where missing; (n,), or (n, k) for those of `SEVERAL`."""
        variable = nc.require_variable(self._dataset, (name,))
        shape = (self.size, *(variable.shape[1:2] if name in SEVERAL else ()))
        if variable.shape != shape:
            raise InputError("wrong shape", nc.place_of(variable), str(variable.shape), str(shape))
        return nc.decoded(variable, variable[rows])

    def texts(self, name: str, rows: slice = slice(None)) -> np.ndarray:
        """A variable of the given rows as text (n,); characters may lie along either dimension."""
        variable = nc.require_variable(self._dataset, (name,))
        place = variable.dimensions.index(self.dimension) if self.dimension in variable.dimensions else 0
        if len(variable.shape) not in (1, 2) or not variable.shape[place] == self.size:
            raise InputError("wrong shape", f"{self.where}, {variable.name}", str(variable.shape), f"({self.size},) texts")
        raw = variable[rows] if place == 0 else variable[:, rows].T
        if raw.dtype.kind == "S" and raw.ndim == 2:
            raw = netCDF4.chartostring(np.ascontiguousarray(raw))
        if raw.ndim != 1:
            raise InputError("not a text", f"{self.where}, {variable.name}", str(raw.dtype), "characters")
        return np.array([(t.decode("utf-8", "replace") if isinstance(t, bytes) else str(t)).strip("\x00 ") for t in raw], dtype=object)

    def about(self, name: str, attribute: str) -> str:
        """An attribute of a variable; "" if it has none."""
        variable = nc.find_variable(self._dataset, (name,))
        return "" if variable is None else str(getattr(variable, attribute, "")).strip()

    def inventory(self) -> str:
        """What variables there are, for messages."""
        return nc.inventory(self._dataset)


def is_netcdf(path: Path) -> bool:
    """Whether the file starts as NetCDF files do.

    Raises
    ------
    InputError
        If it cannot be read or is empty.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(4)
    except OSError as error:
        raise InputError("cannot be read", str(path), str(error), "a file of samples") from error
    if not start:
        raise InputError("the file is empty", str(path), "0 bytes", "a file of samples", "fetch it again")
    return start.startswith(NETCDF_STARTS)


@contextmanager
def open_records(path: Path, start: float | None = None, end: float | None = None) -> Iterator[Records]:
    """Open a NetCDF or text file of samples.

    Parameters
    ----------
    path : Path
    start, end : float or None
        Of a text, only the blocks that may hold records of [start, end), seconds since 1970; None: all.

    Raises
    ------
    InputError
        If it is neither, or is truncated.
    """
    if is_netcdf(path):
        with nc.open_netcdf(path) as dataset:
            yield NetcdfRecords(dataset)
        return
    yield TextRecords(index_text(path), start, end)
