"""Opening and writing NetCDF files so that nothing incomplete ever looks complete."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import netCDF4
import numpy as np

from mozart_coupling.classic_header import missing_bytes, put_fields
from mozart_coupling.errors import CouplingError, OutputError

LITTLE_ROOM = 100_000_000  # bytes
CLASSIC_LIMIT = 2_000_000_000  # bytes; beyond it offsets need 64 bits, still the classic data model


def temporary_name(path: Path) -> Path:
    """The name under which a file is written until it is complete."""
    return path.with_name(f".{path.name}.part")


def classic_format(n_bytes: int) -> str:
    """NetCDF classic, with 64-bit offsets where the size needs them."""
    return "NETCDF3_CLASSIC" if n_bytes < CLASSIC_LIMIT else "NETCDF3_64BIT_OFFSET"


def commit(temporary: Path, path: Path, durable: bool = True) -> None:
    """Give a complete file its name; with `durable`, after its bytes have reached the disk."""
    if durable:
        with open(temporary, "rb+") as handle:
            os.fsync(handle.fileno())
    os.replace(temporary, path)
    if durable:
        sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make renames inside a directory last."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a text file beside, then rename: readers see the old or the new text, never a part."""
    temporary = temporary_name(path)
    with writing(path):
        try:
            temporary.write_text(text, encoding="utf-8", errors="surrogateescape")
            commit(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


class Writer(netCDF4.Dataset):
    """A new file. One that the system did not let be closed is never closed again: that would crash the library."""

    __slots__ = ("_failed",)

    def __init__(self, path: Path, form: str) -> None:
        Writer._failed.__set__(self, False)  # Dataset.__setattr__ would make it a global attribute
        super().__init__(path, "w", format=form)

    def close(self) -> None:
        """Close the file; nothing happens when it is closed, or when that has failed before."""
        if Writer._failed.__get__(self) or not self.isopen():
            return
        try:
            super().close()
        except (OSError, RuntimeError):
            Writer._failed.__set__(self, True)
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))  # collecting it would close it once more
            raise


class ClassicWriter(Writer):
    """A new NetCDF classic file whose definitions are made in one go.

    netCDF4 leaves define mode after every single definition, and the library then moves all data behind the header: for
    forty 3-D fields that is forty copies of the file. Inside `with writer.definitions():` it leaves it once.
    """

    __slots__ = ("_batch",)

    def __init__(self, path: Path, n_bytes: int = 0) -> None:
        ClassicWriter._batch.__set__(self, False)
        super().__init__(path, classic_format(n_bytes))
        self.set_fill_off()

    @contextmanager
    def definitions(self) -> Iterator[None]:
        """Dimensions, variables and attributes only; no data."""
        self._redef()
        ClassicWriter._batch.__set__(self, True)
        try:
            yield
        finally:
            ClassicWriter._batch.__set__(self, False)
            self._enddef()

    def _redef(self) -> None:
        if not ClassicWriter._batch.__get__(self):
            super()._redef()

    def _enddef(self) -> None:
        if not ClassicWriter._batch.__get__(self):
            super()._enddef()


@contextmanager
def new_dataset(path: Path | str, n_bytes: int = 0, durable: bool = True,
                fields: Iterable[tuple[str, np.ndarray]] = ()) -> Iterator[ClassicWriter]:
    """A dataset in NetCDF classic format that gets its name only when the block ends well.

    Parameters
    ----------
    n_bytes
        Expected size; decides between 32- and 64-bit offsets.
    durable
        Wait until the bytes have reached the disk.
    fields
        Names and values of variables that are large and many: they go past the library, which takes twice as long for them. They are asked
        for when all else is written.
    """
    with _complete_or_not_at_all(Path(path), lambda temporary: ClassicWriter(temporary, n_bytes), durable, fields) as dataset:
        yield dataset


@contextmanager
def new_netcdf4(path: Path | str, durable: bool = True) -> Iterator[Writer]:
    """As `new_dataset`, in NetCDF-4 format."""
    with _complete_or_not_at_all(Path(path), lambda temporary: Writer(temporary, "NETCDF4"), durable) as dataset:
        yield dataset


@contextmanager
def _complete_or_not_at_all(path: Path, create: Callable[[Path], Writer], durable: bool,
                            fields: Iterable[tuple[str, np.ndarray]] = ()) -> Iterator[Writer]:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(path)
    with writing(path):
        dataset = create(temporary)
        try:
            yield dataset
            dataset.close()
            if fields:
                put_fields(temporary, fields)
        except BaseException:
            abandon(dataset, temporary)
            raise
        commit(temporary, path, durable)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system or the NetCDF library says while a file is written into an `OutputError` that names it."""
    try:
        yield
    except (OSError, RuntimeError) as problem:
        said = problem.strerror if isinstance(problem, OSError) and problem.strerror else problem
        raise OutputError("a file cannot be written", path, f"{said}{_little_room(path)}", "room and permission to write",
                          "Nothing incomplete was left; start again.") from problem


def _little_room(path: Path) -> str:
    """How much room is left where there is little: of a full disk the NetCDF library says no more than "HDF error"."""
    try:
        disk = os.statvfs(path.parent)
    except OSError:
        return ""
    free = disk.f_bavail * disk.f_frsize
    return f" (its disk has {free / 1e6:.1f} MB left)" if free < LITTLE_ROOM else ""


def abandon(dataset: Writer, temporary: Path) -> None:
    """Give up an incomplete file, whatever the library says to it."""
    with suppress(OSError, RuntimeError):
        dataset.close()
    temporary.unlink(missing_ok=True)


@contextmanager
def open_dataset(path: Path | str, error: type[CouplingError], kind: str) -> Iterator[netCDF4.Dataset]:
    """Open a NetCDF file for reading; a missing or unreadable file becomes the caller's error, and what is wrong inside names the file.

    Raises
    ------
    error
        If the file does not exist, is no NetCDF, ends before its header says, or lacks an attribute that is asked for.
    """
    path = Path(path)
    if not path.is_file():
        raise error(f"the {kind} file does not exist", path, "nothing", "a NetCDF file")
    with damage(lambda said: error(f"the {kind} file cannot be opened", path, said, "a complete NetCDF file")):
        dataset = netCDF4.Dataset(path)
    lacking = missing_bytes(path)
    if lacking:
        dataset.close()
        raise error(f"the {kind} file is truncated", path, f"{path.stat().st_size} bytes", f"{path.stat().st_size + lacking} bytes",
                    "Write or copy it again.")
    def refusal(said: object) -> CouplingError:
        return error(f"the {kind} file cannot be read", path, said, "a complete NetCDF file", "It may be truncated: write it again.")

    with dataset:
        try:
            with damage(refusal):
                yield dataset
        except IndexError as problem:  # fewer records or cells than there should be
            raise refusal(problem) from problem
        except CouplingError as problem:
            raise inside(path, problem, error) from problem


@contextmanager
def damage(refusal: Callable[[str], Exception]) -> Iterator[None]:
    """Turn what the NetCDF library raises at a damaged file, when it is opened or read, into the caller's error.

    Parameters
    ----------
    refusal
        The library's words → the error.
    """
    try:
        yield
    except (OSError, RuntimeError, UnicodeDecodeError) as problem:
        raise refusal(str(problem)) from problem
    except AttributeError as problem:
        if not str(problem).startswith("NetCDF: "):  # a mistake of the program, no attribute that cannot be read
            raise
        raise refusal(str(problem)) from problem


def inside(path: Path, problem: CouplingError, error: type[CouplingError]) -> CouplingError:
    """What was found wrong in a file as the caller's error that names the file; errors that do so already stay as they are."""
    if str(path) in problem.where:
        return problem
    where = f"{path}, {problem.where}" if problem.where else path
    return error(problem.what, where, problem.found, problem.expected, problem.advice)


def attribute(data: netCDF4.Dataset, name: str, path: object, error: type[CouplingError]) -> str:
    """A global attribute as text; its absence is the caller's error."""
    if name not in data.ncattrs():
        raise error("a global attribute is missing", f"{path}, {name}", ", ".join(data.ncattrs()) or "none", name, "Write the file again.")
    return str(data.getncattr(name))
