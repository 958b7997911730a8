"""Faults of files of any kind: cut, overwritten, of another kind, not there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from .fault import NOTHING_LEFT, SAME_OR_REFUSED, WHATEVER, Fault

CUTS = (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97)
BLOCKS = (0.0, 0.15, 0.4, 0.6, 0.85)
OTHERS = {
    "an HTML page": b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>Not Found</body></html>\n",
    "a ZIP archive": b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + bytes(200), "compressed": b"\x1f\x8b\x08\x00" + bytes(range(200)),
    "noise": np.random.default_rng(5).bytes(5000),
    "a Git pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    "HDF5's signature alone": b"\x89HDF\r\n\x1a\n", "NetCDF's signature alone": b"CDF\x01", "zero bytes": bytes(4096),
}


def byte_faults(kind: str, size: int) -> Iterator[Fault]:
    """Faults for a file of `size` bytes; those inside text are `text_faults`' matter."""
    child = kind in ("netcdf4", "hdf5", "netcdf3")
    binary = kind != "text"
    yield Fault("empty file", "", NOTHING_LEFT, _written(b""))
    for name, content in OTHERS.items():
        yield Fault("another kind of file", name, NOTHING_LEFT, _written(content), in_child=child)
    yield Fault("a directory in its place", "", NOTHING_LEFT, _directory)
    yield Fault("a link to nothing", "", NOTHING_LEFT, _link("nothing"))
    yield Fault("a link to itself", "", NOTHING_LEFT, _link(None))
    if not binary:
        return
    for place in sorted({1, 3, 7, 64, *(int(size * share) for share in CUTS), size - 1024, size - 100, size - 9, size - 1}):
        if 0 < place < size:
            # Bytes at the end may be padding.
            allowed = NOTHING_LEFT if place < 0.97 * size else SAME_OR_REFUSED | NOTHING_LEFT
            yield Fault("truncated", f"to {place} of {size} bytes", allowed, _cut(place), in_child=child)
    for share in BLOCKS:
        for name, byte in (("zero bytes", 0), ("bytes FF", 255)):
            first = int(size * share)
            yield Fault(f"{name} inside", f"from {first} of {size}", WHATEVER, _overwritten(first, max(16, size // 50), byte),
                        in_child=child)
    yield Fault("bytes behind the end", "", SAME_OR_REFUSED, _appended(bytes(1000)), in_child=child)


def _written(content: bytes) -> Callable[[Path], Path]:
    def damage(path: Path) -> Path:
        path.write_bytes(content)
        return path
    return damage


def _cut(size: int) -> Callable[[Path], Path]:
    def damage(path: Path) -> Path:
        path.write_bytes(path.read_bytes()[:size])
        return path
    return damage


def _overwritten(first: int, n: int, byte: int) -> Callable[[Path], Path]:
    def damage(path: Path) -> Path:
        content = bytearray(path.read_bytes())
        n_inside = min(n, len(content) - first)
        content[first : first + n_inside] = bytes([byte]) * n_inside
        path.write_bytes(content)
        return path
    return damage


def _appended(content: bytes) -> Callable[[Path], Path]:
    def damage(path: Path) -> Path:
        path.write_bytes(path.read_bytes() + content)
        return path
    return damage


def _directory(path: Path) -> Path:
    path.unlink()
    path.mkdir()
    return path


def _link(target: str | None) -> Callable[[Path], Path]:
    def damage(path: Path) -> Path:
        path.unlink()
        path.symlink_to(path.with_name(target) if target else path)
        return path
    return damage


def moved(path: Path, name: str) -> Path:
    """The same file under another name."""
    return Path(shutil.move(path, path.with_name(name)))
