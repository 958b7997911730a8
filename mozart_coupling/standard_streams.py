"""Standard streams that can be relied on: open, and able to write any text.

A command that a batch system or `>&-` starts with a closed stream gets the stream's number back with the next file it opens, and whatever a
library or a child process then prints lands in that file. And a terminal in Latin-1 or ASCII cannot print a `λ` or an `ü`.
"""

from __future__ import annotations

import os
import sys
from typing import IO


def open_standard_streams() -> None:
    """Closed streams lead to nowhere from now on; what an encoding cannot say is written as `\\u03bb`.

    Call it before anything is opened.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)  # takes the lowest free number, which is this one
            os.set_inheritable(number, True)
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")
    sys.stdout, sys.stderr = _writable(sys.stdout), _writable(sys.stderr)


def _writable(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    if hasattr(stream, "reconfigure"):  # not so where a program that calls us has put something else in its place
        stream.reconfigure(errors="backslashreplace")
    return stream
