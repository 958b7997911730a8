"""What a case has done, one JSON line each: only a line here makes a window done.

A line is appended, flushed and forced to disk in one piece. A last line that a crash cut short is ignored on reading and cut off
before the next is written; a broken line anywhere else is an error, since then the file was edited.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from mozart_coupling.netcdf import sync_directory

from . import __version__
from .errors import InputError

NAME = "journal.jsonl"


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Journal:
    """The journal of one case.

    Parameters
    ----------
    directory : Path
        The case's directory.

    Raises
    ------
    InputError
        A line other than the last is not JSON.
    """

    def __init__(self, directory: Path) -> None:
        self.path = Path(directory) / NAME
        self._good_bytes = 0
        self.entries = self._read()

    def _read(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        content = self.path.read_bytes()
        entries = []
        for number, line in enumerate(content.splitlines(keepends=True), start=1):
            try:
                if not line.endswith(b"\n"):
                    raise ValueError("no end of line")
                entries.append(json.loads(line))
            except ValueError:
                if self._good_bytes + len(line) == len(content):
                    break
                raise InputError("the journal is damaged", f"{self.path}, line {number}", line[:60].decode(errors="replace"),
                                 "one JSON object a line", "restore the file, or begin a new case") from None
            self._good_bytes += len(line)
        return entries

    def append(self, event: str, **values: Any) -> dict[str, Any]:
        """Write one line: `event`, the time of the clock, the software's version and `values`."""
        entry = {"event": event, "clock": datetime.now(UTC).isoformat(timespec="seconds"), "version": __version__, **values}
        line = (json.dumps(entry) + "\n").encode()
        is_new = not self.path.exists()
        with open(self.path, "r+b" if not is_new else "w+b") as stream:
            stream.truncate(self._good_bytes)
            stream.seek(self._good_bytes)
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())
        if is_new:
            sync_directory(self.path.parent)
        self._good_bytes += len(line)
        self.entries.append(entry)
        return entry

    def events(self, event: str, **matching: Any) -> list[dict[str, Any]]:
        """The entries of one kind that have all of `matching`."""
        return [e for e in self.entries if e.get("event") == event and all(e.get(k) == v for k, v in matching.items())]

    def windows_done(self) -> list[dict[str, Any]]:
        """The entries of the windows that are done, in order."""
        return self.events("window")

    def record_step(self, window: str, step: str, key: str, artefacts: Mapping[str, Path], base: Path, seconds: float) -> None:
        """Note that a step of a window has ended, with the digests of what it left behind.

        Parameters
        ----------
        window : str
            The window's first day.
        step : str
        key : str
            Digest of what went into the step.
        artefacts : mapping of str to Path
        base : Path
            Paths are noted relative to it.
        seconds : float
            Wall time.
        """
        noted = {name: [os.path.relpath(path, base), file_digest(path)] for name, path in artefacts.items()}
        self.append("step", window=window, step=step, key=key, artefacts=noted, seconds=round(seconds, 3))

    def step_holds(self, window: str, step: str, key: str, base: Path) -> bool:
        """Whether a step was done with the same input and all it left behind is still there, byte for byte."""
        found = self.events("step", window=window, step=step, key=key)
        if not found:
            return False
        paths = [(base / path, digest) for path, digest in found[-1]["artefacts"].values()]
        return all(path.is_file() and file_digest(path) == digest for path, digest in paths)


def array_digest(*arrays: Any) -> str:
    """Digest of arrays and strings: what went into a step."""
    digest = hashlib.sha256()
    for array in arrays:
        if isinstance(array, str):
            digest.update(array.encode())
        else:
            array = np.ascontiguousarray(array)
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(repr(array.tolist()).encode() if array.dtype.kind in "OUS" else array.data)
        digest.update(b";")
    return digest.hexdigest()[:32]
