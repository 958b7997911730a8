"""Ctrl-C and SIGTERM become one thing: the work stops, the model's process is ended, and the command exits with 3."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


@contextmanager
def signals_stop_the_work() -> Iterator[None]:
    """While the context lasts SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt in the main thread."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    earlier = [signal.signal(number, _stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, earlier, strict=True):
            signal.signal(number, handler)
