"""Records of one variable over all files: what holds at a time, and means about it from accumulations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mozart_coupling.errors import MetError
from mozart_coupling.reanalysis.names import Option, Product
from mozart_coupling.reanalysis.parts import Part, Stamp

HOUR = np.timedelta64(3600, "s")
LEAST_COVERED = 0.5  # of the interval about a record


@dataclass(frozen=True)
class Term:
    """A record and its weight in a linear combination."""

    weight: float
    part: Part
    stamp: Stamp


@dataclass(frozen=True)
class Interval:
    """A mean over [start, end) as a linear combination of records."""

    start: np.datetime64
    end: np.datetime64
    terms: tuple[Term, ...]


class Series:
    """All records of one variable, in order of time.

    Parameters
    ----------
    parts
        The variable in every dataset that has it.

    Raises
    ------
    MetError
        Another grid or other levels in one of the files, the same time twice, no times, no records.
    """

    def __init__(self, parts: Sequence[Part], option: Option) -> None:
        self.option = option
        self.parts = sorted(parts, key=lambda part: str(part.path))
        self.first = self.parts[0]
        for part in self.parts[1:]:
            if part.grid != self.first.grid or part.n_levels != self.first.n_levels:
                raise MetError("one variable on two grids", f"{part.where} and {self.first.path}",
                               f"{part.grid.name}, {part.n_levels} levels", f"{self.first.grid.name}, {self.first.n_levels} levels")
        if not any(len(part.stamps) for part in self.parts):
            raise MetError("a variable has no records", self.first.where, "no times", "one at least", "Fetch the file again.")
        self._records: dict[np.datetime64, Term] = {}
        for part in self.parts:
            for stamp in part.stamps:
                self._add(Term(1.0, part, stamp))
        self.times = np.array(sorted(self._records), dtype="datetime64[s]")

    def _add(self, term: Term) -> None:
        stamp = term.stamp
        if np.isnat(stamp.valid):
            if self.option.kind == "static":
                return
            raise MetError("a variable has no times", term.part.where, "no time or valid_time coordinate", "CF times")
        other = self._records.get(stamp.valid)
        if other is None or _lead(stamp) < _lead(other.stamp):  # an analysis, else the shortest forecast
            self._records[stamp.valid] = term
        elif _lead(stamp) == _lead(other.stamp) and self.option.kind != "static":
            raise MetError("the same time is given twice", f"{term.part.where}, {stamp.valid}", f"also in {other.part.path}", "one record",
                           "Leave one of the files out; preliminary (ERA5T) and final data must not be mixed.")

    @property
    def static(self) -> Term:
        """The first record, whatever its time."""
        return Term(1.0, self.first, self.first.stamps[0])

    def at(self, time: np.datetime64) -> tuple[Term, ...] | None:
        """The record of a time, or None."""
        term = self._records.get(time)
        return None if term is None else (term,)

    @property
    def is_centred(self) -> bool:
        """Whether the dates are the middles of equal intervals that begin on whole ones (00:30, 01:30 …; 01:30, 04:30 …)."""
        if self.times.size < 2:
            return False
        step = np.diff(self.times).min()
        seconds = (self.times - self.times.astype("datetime64[D]")) % step
        return bool(np.all(2 * seconds == step))

    def intervals(self, product: Product) -> list[Interval]:
        """The means that the records hold, in order of time."""
        if product.centred:
            half = np.diff(self.times).min() // 2
            return [Interval(time - half, time + half, (self._records[time],)) for time in self.times]
        if self.option.kind == "accumulated" and product.forecast_hours is not None:
            return self._from_forecasts(product.forecast_hours * HOUR)
        span = product.accumulation_hours * HOUR
        rate = 1.0 / (span / np.timedelta64(1, "s")) if self.option.kind == "accumulated" else 1.0
        return [Interval(time - span, time, (_times(rate, self._records[time]),)) for time in self.times]

    def _from_forecasts(self, length: np.timedelta64) -> list[Interval]:
        """Differences of amounts that count from the start of the forecast."""
        intervals, previous = [], None
        for time in self.times:
            term = self._records[time]
            start = term.stamp.start
            if np.isnat(start):
                day = time.astype("datetime64[D]").astype("datetime64[s]")
                start = day + ((time - day - np.timedelta64(1, "s")) // length) * length
            if time - start > length:
                continue
            follows = previous is not None and previous[0] == start
            since = previous[1] if follows else start
            rate = 1.0 / ((time - since) / np.timedelta64(1, "s"))
            terms = (_times(rate, term),) + ((_times(-rate, previous[2]),) if follows else ())
            intervals.append(Interval(since, time, terms))
            previous = (start, time, term)
        return intervals


def _lead(stamp: Stamp) -> np.timedelta64:
    return np.timedelta64(0, "s") if np.isnat(stamp.start) else stamp.valid - stamp.start


def _times(weight: float, term: Term) -> Term:
    return Term(weight * term.weight, term.part, term.stamp)


def mean_about(intervals: Sequence[Interval], time: np.datetime64, span: np.timedelta64) -> tuple[Term, ...] | None:
    """The mean over [time − span/2, time + span/2] of what the intervals cover of it; None where that is less than half.

    Interval means count by the time they share with it, so that the integral over a run of records is the source's.
    """
    low, high = time - span // 2, time + span // 2
    shares = [(interval, (min(interval.end, high) - max(interval.start, low)) / span) for interval in intervals
              if interval.end > low and interval.start < high]
    covered = sum(share for _, share in shares)
    if covered < LEAST_COVERED - 1.0e-9:
        return None
    weights: dict[int, Term] = {}
    for interval, share in shares:
        for term in interval.terms:
            key = id(term.stamp)
            weight = share / covered * term.weight + (weights[key].weight if key in weights else 0.0)
            weights[key] = Term(weight, term.part, term.stamp)
    return tuple(term for term in weights.values() if term.weight != 0.0)
