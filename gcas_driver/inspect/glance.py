"""The structure of a file, whatever it is: names, dimensions, attributes or first lines; no values."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from pathlib import Path

import netCDF4

from gcas_driver.fluxes.region_masks import MAGIC
from mozart_coupling.classic_header import missing_bytes

HEAD_BYTES = 65536
MOST_VARIABLES = 400
PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"\x1f\x9d": "compress (.Z)", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}


@dataclass(frozen=True)
class Known:
    """A variable: dimensions, shape, units and dtype's kind ("" for text)."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    units: str
    kind: str


@dataclass(frozen=True)
class Glance:
    """What can be seen without reading values.

    Attributes
    ----------
    path : Path
    size : int
    form : str
        "netcdf" (HDF5 too), "text", "binary", "empty" or "directory".
    variables : dict
        "name" or "Group/name" → Known.
    attributes : dict
        Global ones, as text.
    dims : dict
        Name → size.
    lines : list of str
        The first ones of a text file.
    problem : str
        Why nothing more can be told; "" if nothing is wrong.
    """

    path: Path
    size: int
    form: str
    variables: dict[str, Known] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    dims: dict[str, int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    problem: str = ""

    def has(self, *names: str) -> bool:
        """Whether all these variables are there, in any case."""
        known = {name.lower() for name in self.variables}
        return all(name.lower() in known for name in names)

    def has_any(self, *names: str) -> bool:
        """Whether one of these variables is there, in any case."""
        return any(self.has(name) for name in names)

    def find(self, *names: str) -> Known | None:
        """The first of these variables, in any case."""
        known = {name.lower(): value for name, value in self.variables.items()}
        return next((known[n.lower()] for n in names if n.lower() in known), None)

    @property
    def inventory(self) -> list[str]:
        """For people: a line a variable, or the first lines."""
        if self.form != "netcdf":
            return [line[:160] for line in self.lines[:12]]
        return [f"{name}({', '.join(v.dims)}) {list(v.shape)}{f' [{v.units}]' if v.units else ''}" for name, v in self.variables.items()]


def glance_at(path: Path) -> Glance:
    """Look at a file.

    Raises
    ------
    OSError
        No such file, no permission.
    """
    if path.is_dir():
        return Glance(path, 0, "directory", problem="a directory, not a file")
    size = path.stat().st_size
    with open(path, "rb") as stream:
        head = stream.read(HEAD_BYTES)
    if not head:
        return Glance(path, 0, "empty", problem="an empty file")
    if head[:4] in MAGIC:
        return _netcdf(path, size)
    packed = next((name for magic, name in PACKED.items() if head.startswith(magic)), "")
    if packed == "gzip" and path.name.lower().startswith("gridcar"):  # CDIAC's come so, and are read so
        return Glance(path, size, "text", lines=_unpacked(path, 400))
    if packed == "gzip":
        return Glance(path, size, "binary", lines=_unpacked(path), problem="packed with gzip: unpack it first")
    if packed:
        return Glance(path, size, "binary", problem=f"packed with {packed}: unpack it first")
    if head.startswith(b"GRIB"):
        return Glance(path, size, "binary", problem="GRIB: `gcas met` reads meteorology from it")
    text = _text(head)
    if text is None:
        return Glance(path, size, "binary")
    return Glance(path, size, "text", lines=text.splitlines()[:400])


def _text(head: bytes) -> str | None:
    if b"\0" in head:
        return None
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(head) - 4:  # cut in the middle of a letter
            return head[:error.start].decode("utf-8")
    text = head.decode("latin-1")
    return text if sum(c.isprintable() or c in "\r\n\t" for c in text) > 0.97 * len(text) else None


def _unpacked(path: Path, most: int = 12) -> list[str]:
    try:
        with gzip.open(path) as stream:
            return (_text(stream.read(HEAD_BYTES)) or "").splitlines()[:most]
    except (OSError, EOFError):
        return []


def _netcdf(path: Path, size: int) -> Glance:
    try:
        lacking = missing_bytes(path)
        with netCDF4.Dataset(path) as data:
            found = Glance(path, size, "netcdf", attributes={n: str(data.getncattr(n)) for n in data.ncattrs()},
                           dims={n: d.size for n, d in data.dimensions.items()}, problem=f"truncated: {lacking} bytes less than its "
                           "header promises" if lacking else "")
            _collect(data, "", found.variables)
            return found
    except Exception as error:  # the library raises what it likes at damaged files
        return Glance(path, size, "netcdf", problem=f"cannot be opened as NetCDF or HDF5: {error}")


def _collect(group: netCDF4.Dataset, prefix: str, into: dict[str, Known]) -> None:
    for name, v in group.variables.items():
        if len(into) >= MOST_VARIABLES:
            return
        kind = "" if v.dtype is str else getattr(v.dtype, "kind", "")
        into[prefix + name] = Known(v.dimensions, v.shape, str(getattr(v, "units", "")), kind)
    for name, child in group.groups.items():
        _collect(child, f"{prefix}{name}/", into)
