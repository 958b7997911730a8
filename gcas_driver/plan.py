"""The windows of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

DAY = np.timedelta64(86400, "s")


@dataclass(frozen=True)
class Window:
    """One assimilation window, half open: `start` belongs to it, `end` does not.

    Attributes
    ----------
    index : int
        Counted from 0.
    start, end : numpy.datetime64[s]
    """

    index: int
    start: np.datetime64
    end: np.datetime64

    @property
    def label(self) -> str:
        """The first day, such as 2010-06-01: the window's name in files and messages."""
        return str(self.start.astype("datetime64[D]"))

    @property
    def end_label(self) -> str:
        """The day after the last."""
        return str(self.end.astype("datetime64[D]"))

    @property
    def days(self) -> int:
        """Length."""
        return int((self.end - self.start) / DAY)

    @property
    def text(self) -> str:
        """For titles: '2010-06-01 to 2010-06-08'."""
        return f"{self.label} to {self.end_label}"


def plan_windows(time: Any) -> list[Window]:
    """All windows of a run, `window_days` each; the last one ends with the run.

    Parameters
    ----------
    time : TimeSettings
    """
    starts = np.arange(time.start, time.end, time.window_days * DAY)
    return [Window(index, start, min(start + time.window_days * DAY, time.end)) for index, start in enumerate(starts)]
