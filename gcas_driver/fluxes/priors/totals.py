"""Totals of the prior fluxes by component and year, for people to compare with what they know."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..components import COMPONENTS
from ..units import PGC_PER_YEAR
from .day import three_hourly
from .sources import SourceReader, sources
from .stream import Stream, days_of, parts_of

FULL_DAYS = 14  # so many days are all read; of longer spans the 15th of every month


def annual_totals(streams: Iterable[Stream], start: np.datetime64, end: np.datetime64) -> dict[int, dict[str, float]]:
    """Mean fluxes of every year that `[start, end)` touches, over the part of it that it does.

    Returns
    -------
    dict
        Year → component → PgC/yr. Of more than two weeks one day stands for each month, weighted by the month's days inside: exact
        where files hold months, an estimate with the weather of one day else.
    """
    wanted = days_of(start, end)
    sampled = _sampled(wanted)
    totals: dict[int, dict[str, float]] = {year: dict.fromkeys(COMPONENTS, 0.0) for year in sorted({parts_of(day)[0] for day in wanted})}
    lengths = dict.fromkeys(totals, 0)
    for day in wanted:
        lengths[parts_of(day)[0]] += 1
    for source in sources(streams):
        reader = SourceReader(source)
        try:
            for day, weight in sampled.items():
                flux = reader.total(day)
                rate = float((three_hourly(flux).mean(axis=0) * flux.grid.area).sum()) * PGC_PER_YEAR
                year = parts_of(day)[0]
                totals[year][source.stream.component] += rate * weight / lengths[year]
        finally:
            reader.close()
    return totals


def _sampled(wanted: list[np.datetime64]) -> dict[np.datetime64, int]:
    """Days to read, and how many days each stands for."""
    if len(wanted) <= FULL_DAYS:
        return dict.fromkeys(wanted, 1)
    months: dict[np.datetime64, list[np.datetime64]] = {}
    for day in wanted:
        months.setdefault(day.astype("datetime64[M]"), []).append(day)
    return {min(days, key=lambda day: abs(parts_of(day)[2] - 15)): len(days) for days in months.values()}
