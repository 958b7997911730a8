"""Log handlers that never stop the work: on a full disk, or when nobody reads the pipe any more, lines are lost and nothing else.

The library's own handlers print a traceback for every such line, and closing one raises what has been lost once more.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress


class SteadyStream(logging.StreamHandler):
    """Writes to an open stream as long as the system takes it."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Faults of ours are told as usual, refusals of the system are not."""
        if not isinstance(sys.exception(), OSError) and not getattr(self.stream, "closed", False):
            super().handleError(record)

    def flush(self) -> None:
        if not getattr(self.stream, "closed", False):
            with suppress(OSError):
                super().flush()


class SteadyFile(SteadyStream, logging.FileHandler):
    """Appends to a file as long as the system takes it."""

    def close(self) -> None:
        with suppress(OSError):
            super().close()
