"""What a reader of the numbers must know before anything else: that they are not of the whole run, or not of the real air."""

from __future__ import annotations

import math

import numpy as np

from gcas_driver.plan import DAY

from .case import Case


def caveats(case: Case) -> list[str]:
    """One sentence each; empty for a finished run with the meteorology of its days."""
    found = []
    done, planned = len(case.windows), planned_windows(case)
    if planned is not None and done < planned:
        found.append(f"The run is not finished: {done} of {planned} windows are done, and all numbers are of these.")
    if case.truth is None and is_analytic(case):
        found.append("The winds are not those of these days: without met_directory the model ran on its analytic circulation, a climate. "
                     "With real observations the fluxes show that the set-up works, not what the surface did.")
    return found


def planned_windows(case: Case) -> int | None:
    """How many windows the settings ask for, None where they do not say."""
    start, end, days, length = (case.settings.get("time", name) for name in ("start", "end", "days", "window_days"))
    if days is None and start is not None and end is not None:
        days = int((np.datetime64(str(end)) - np.datetime64(str(start))) / DAY)
    return math.ceil(days / length) if days and length else None


def is_analytic(case: Case) -> bool:
    """Whether the transport model made its own circulation."""
    return case.settings.get("transport", "model") == "embedded" and case.settings.get("transport", "met_directory") is None
