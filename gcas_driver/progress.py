"""What the user sees and what is kept of it: a readable log, a machine-readable one, and bars with the time that remains."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from mozart_coupling.logs import SteadyFile, SteadyStream

from .errors import InputError, SettingsError

LOGGERS = ("gcas", "gcas_driver", "mozart_coupling")
Advance = Callable[[float], None]
PLAIN_INTERVAL, PLAIN_SHARE = 10.0, 0.05  # without a terminal: a line at most so often [s] and so near to the last


class JsonLines(logging.Formatter):
    """One JSON object a record: clock, level, text, and whatever was given as `extra={"values": {…}}`."""

    def format(self, record: logging.LogRecord) -> str:
        values = getattr(record, "values", {})
        clock = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return json.dumps({"clock": clock, "level": record.levelname.lower(), "text": record.getMessage(), **values}, default=str)


class Reporter:
    """The screen of one command: log lines and, on a terminal, progress bars; plain lines elsewhere.

    Parameters
    ----------
    console : rich Console, optional
        Default: standard error.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self.log = logging.getLogger(LOGGERS[0])
        self._progress: Progress | None = None

    @contextmanager
    def files(self, directory: Path) -> Iterator[None]:
        """Copy the log to `gcas.log` and `gcas.jsonl` of a case while the context lasts; errors go there too, with their
        traceback unless the input is to blame."""
        readable = SteadyFile(directory / "gcas.log", encoding="utf-8", errors="backslashreplace")
        readable.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%d %H:%M:%S"))
        machine = SteadyFile(directory / "gcas.jsonl", encoding="utf-8", errors="backslashreplace")
        machine.setFormatter(JsonLines())
        try:
            with _attached(readable), _attached(machine):
                yield
        except Exception as error:
            # Bad input is the user's matter and told in full; a traceback is for what may be ours.
            trace = None if isinstance(error, (InputError, SettingsError)) else (type(error), error, error.__traceback__)
            record = self.log.makeRecord(self.log.name, logging.CRITICAL, __file__, 0, "%s", (error,), trace)
            for handler in (readable, machine):
                handler.handle(record)
            error.gcas_log = directory / "gcas.log"
            raise
        finally:
            readable.close()
            machine.close()

    @contextmanager
    def screen(self) -> Iterator[None]:
        """Show log records (and bars on a terminal) while the context lasts."""
        if self.console.is_terminal:
            handler: logging.Handler = RichHandler(console=self.console, show_path=False, show_level=False, log_time_format="%H:%M:%S")
        else:
            handler = SteadyStream(sys.stderr)
            handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        with _attached(handler):
            if not self.console.is_terminal:
                yield
                return
            columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
                       TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
            try:
                with Progress(*columns, console=self.console, transient=True) as self._progress:
                    yield
            finally:
                self._progress = None

    @contextmanager
    def bar(self, text: str) -> Iterator[Advance]:
        """A bar; call the result with the share done, 0 to 1."""
        if self._progress is None:
            yield self._plain(text)
            return
        task = self._progress.add_task(text, total=1.0)
        try:
            yield lambda share: self._progress.update(task, completed=min(max(float(share), 0.0), 1.0))
        finally:
            self._progress.remove_task(task)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """A step without a known share done: shown while it lasts, its time logged."""
        started = time.monotonic()
        task = self._progress.add_task(text, total=None) if self._progress is not None else None
        try:
            yield
        finally:
            if task is not None:
                self._progress.remove_task(task)
        self.log.info("%s: %.1f s", text, time.monotonic() - started)

    def _plain(self, text: str) -> Advance:
        started = last = time.monotonic()
        shown = 0.0

        def advance(share: float) -> None:
            nonlocal last, shown
            now = time.monotonic()
            if now - last >= PLAIN_INTERVAL and share - shown >= PLAIN_SHARE and share < 1:
                last, shown = now, share
                left = (now - started) * (1 - share) / share
                with suppress(OSError):  # nobody reads it any more
                    print(f"         {text}: {100 * share:.0f} %, {duration(left)} left", file=sys.stderr, flush=True)

        return advance


@contextmanager
def _attached(handler: logging.Handler) -> Iterator[None]:
    """Records of all our loggers go to the handler while the context lasts."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


def counted(n: int, what: str) -> str:
    """'1 day', '2 days'."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def duration(seconds: float) -> str:
    """Seconds as people say it: '42 s', '3 min 10 s', '5 h 12 min', '3 d 4 h'."""
    seconds = int(round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    if seconds < 86400:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
    return f"{seconds // 86400} d {seconds % 86400 // 3600} h"
