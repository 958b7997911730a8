"""From an open file of soundings to rows of the table, the same way for every product.

In order: rows of the window; of these, rows with missing or impossible numbers, flagged ones and modes or surfaces not wanted are dropped
by reason; only of the rest are the profiles read, in blocks; what is good is averaged in cells with the best warn-level group only
(section 2.3 of the paper). Errors, bias and calibration scale are applied to each sounding.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations.averaging import MERGED, WORSE_GROUP, Segments, Sums, segments_of
from gcas_driver.observations.column_fields import BLOCK, blocks_of
from gcas_driver.observations.column_source import ColumnSource
from gcas_driver.observations.scales import converted
from gcas_driver.observations.sounding_screen import BEYOND, DATE, good_profiles, screened
from gcas_driver.observations.streams import SatelliteStream
from gcas_driver.observations.table import WITHHELD, ColumnOperator, Observations, column_observations
from mozart_coupling.grids import wrap_longitude

DAY_SECONDS = 86400.0
TIME_BLOCK = 2**18
SEVERAL = 10
"""Soundings of which all can hardly lack a time by damage to single ones."""
PROFILE_BLOCK = BLOCK // 2


@dataclass
class Heads:
    """Soundings that passed the first screening, without their profiles: arrays (n,) by name, and what was dropped."""

    columns: dict[str, np.ndarray]
    counts: Counter = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.columns["row"])

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]


def to_observations(source: ColumnSource, stream: SatelliteStream, start: float, end: float, day: float | None = None,
                    sample: int | None = None) -> Observations:
    """Screen, average and scale the soundings of one file.

    Parameters
    ----------
    source : ColumnSource
    stream : SatelliteStream
    start, end : float
        Keep soundings of [start, end), seconds since 1970; others belong to another window and are not counted.
    day : float or None
        Midnight of the day that the file's name tells, if it tells one: soundings more than a day away from it are dropped.
    sample : int or None
        Look at so many soundings only, the first and the last of the window: for a check.

    Returns
    -------
    Observations
        With `dropped` counted by reason.

    Raises
    ------
    InputError
        If the file cannot be what the stream says it is.
    """
    scale, factor, offset = converted(source, stream)
    counts: Counter = Counter()
    rows = _rows_in_time(source, start, end, day, counts)
    if sample is not None and len(rows) > sample:
        rows = np.concatenate([rows[:sample // 2], rows[-(sample // 2):]])
    heads = _heads(source, stream, rows, counts)
    segments = segments_of(heads["lon"], heads["lat"], heads["time"], stream.cell_degrees, heads["group"], heads["withheld"])
    profiles, good = _profiles(source, heads, segments, counts)
    n_members = np.bincount(segments.index[good], minlength=len(segments))
    chosen = segments.chosen(n_members)
    n_good, n_chosen = int(n_members.sum()), int(n_members[chosen].sum())
    counts[WORSE_GROUP] += n_good - n_chosen
    counts[MERGED] += n_chosen - int(np.count_nonzero(chosen))
    means = _means(heads, segments, good, n_members, chosen)
    first = _first_members(heads, segments, good, chosen)
    pressure, weight, kernel, prior = np.split(profiles.means(chosen, n_members), 4, axis=1)
    operator = ColumnOperator(pressure, weight, kernel, 1.0e-6 * prior, means["prior_xco2"])
    table = column_observations(
        time=means["time"], lon=means["lon"], lat=means["lat"], value=factor * means["xco2"] + offset, error=means["error"],
        product=stream.product, identifier=source.identifiers(heads["row"][first]), operator=operator, scale=scale,
        dropped={(stream.product, reason): n for reason, n in counts.items() if n})
    withheld = np.ones(len(table), dtype=bool) if not stream.assimilate else heads["withheld"][first]
    table = table.reject(withheld, WITHHELD)
    return table if stream.cell_degrees > 0.0 else table.select(np.argsort(table.time, kind="stable"))


def _rows_in_time(source: ColumnSource, start: float, end: float, day: float | None, counts: Counter) -> np.ndarray:
    """Row numbers of the soundings in [start, end), ascending."""
    first, last = (-np.inf, np.inf) if day is None else (day - DAY_SECONDS, day + 2.0 * DAY_SECONDS)
    chosen, n_timed, n_strange, example = [np.empty(0, dtype=np.intp)], 0, 0, np.nan
    for a in range(0, source.n, TIME_BLOCK):
        time = source.time(a, min(a + TIME_BLOCK, source.n))
        timed = np.isfinite(time)
        counts["no time"] += int(np.count_nonzero(~timed))
        with np.errstate(invalid="ignore"):
            strange = timed & ~((time >= first) & (time < last))
            inside = timed & ~strange & (time >= start) & (time < end)
        n_timed += int(np.count_nonzero(timed))
        n_strange += int(np.count_nonzero(strange))
        example = time[strange][0] if strange.any() else example
        chosen.append(a + np.flatnonzero(inside))
    if n_timed == 0 and source.n >= SEVERAL:
        raise InputError("no time can be read", source.path, f"{source.n} missing or impossible times", "times",
                         "check the form of the times")
    if n_strange > 0.5 * n_timed:
        raise InputError("the times are not those of the day in the file's name", source.path,
                         f"{n_strange} of {n_timed} times are more than a day away, such as {_moment(example)}", f"about {_moment(day)}",
                         "check the file's name and the units of its times")
    counts["time is not of the file's day"] += n_strange
    return np.concatenate(chosen)


def _moment(seconds: float) -> str:
    return str(np.datetime64(int(seconds), "s")) if abs(seconds) < 1.0e11 else f"{seconds:g} s"


def _heads(source: ColumnSource, stream: SatelliteStream, rows: np.ndarray, counts: Counter) -> Heads:
    """What is good of the given rows, as far as can be told without the profiles."""
    parts = [screened(source, stream, first, last, index, counts) for first, last, index in blocks_of(rows)]
    parts = parts or [screened(source, stream, 0, 0, np.empty(0, dtype=np.intp), counts)]
    _refuse_nonsense(source, counts, len(rows))
    return _once(Heads({name: np.concatenate([part[name] for part in parts]) for name in parts[0]}, counts))


def _once(heads: Heads) -> Heads:
    """Each sounding once: of rows with one time and place the first."""
    # One sort of a mixture of the three is several times quicker than a sort by each; rows ascend, so the first stays first.
    order = np.argsort(heads["time"] + 1.0e3 * np.pi * heads["lon"] + 1.0e5 * np.e * heads["lat"], kind="stable")
    same = np.ones(max(len(order) - 1, 0), dtype=bool)
    for name in ("time", "lon", "lat"):
        same &= np.diff(heads[name][order]) == 0.0
    if not same.any():
        return heads
    first = np.ones(len(order), dtype=bool)
    first[order[1:][same]] = False
    heads.counts["the same sounding again"] += int(np.count_nonzero(same))
    return Heads({name: values[first] for name, values in heads.columns.items()}, heads.counts)


def _refuse_nonsense(source: ColumnSource, counts: Counter, n: int) -> None:
    """Many impossible places or times are no damage to single rows: the variables are others than their names say."""
    n_bad = counts.pop(BEYOND, 0)
    if n_bad > max(1, 0.1 * n):
        raise InputError("latitudes and longitudes are not what their names say", source.path,
                         f"{n_bad} of {n} places beyond 90 degrees of latitude or 360 of longitude", "degrees north and degrees east",
                         "check whether they are swapped")
    n_bad = counts[DATE]
    if n_bad > max(1, 0.5 * n):
        raise InputError("times contradict the dates in the soundings' identifiers", source.path, f"{n_bad} of {n} are more than a day off",
                         "the same days", "check the units of the file's times")


def _profiles(source: ColumnSource, heads: Heads, segments: Segments, counts: Counter) -> tuple[Sums, np.ndarray]:
    """Sums by segment of pressure, weight, kernel and prior profile side by side, and which soundings have good ones (n,) bool.

    Where the file has no prior XCO2 of its own, that of the prior profile is put into `heads`.
    """
    sums = Sums(len(segments), 4 * source.n_levels)
    good = np.zeros(len(heads), dtype=bool)
    position = 0
    for first, last, index in blocks_of(heads["row"], PROFILE_BLOCK):
        here = slice(position, position + len(index))
        whole = len(index) == last - first
        arrays = [rows(first, last) if whole else rows(first, last)[index]
                  for rows in (source.pressure, source.pressure_weight, source.averaging_kernel, source.prior_profile)]
        if source.prior_xco2 is None:
            heads["prior_xco2"][here] = (arrays[1] * arrays[3]).sum(axis=1)
        good[here] = good_profiles(*arrays, heads["prior_xco2"][here], counts)
        keep = good[here]
        sums.add(segments.index[here][keep], np.concatenate(arrays, axis=1)[keep])
        position += len(index)
    return sums, good


def _means(heads: Heads, segments: Segments, good: np.ndarray, n_members: np.ndarray, chosen: np.ndarray) -> dict[str, np.ndarray]:
    """Means (n_chosen,) of the numbers that are averaged, by name."""
    names = ("time", "lon", "lat", "xco2", "error", "prior_xco2")
    means = {}
    for name in names:
        # Times are large numbers of which small differences matter: the mean is taken of the distance from one of them.
        values = heads[name][good]
        origin = values[0] if len(values) else 0.0
        total = np.bincount(segments.index[good], weights=values - origin, minlength=len(segments))
        means[name] = origin + total[chosen] / n_members[chosen]
    return {**means, "lon": wrap_longitude(means["lon"])}


def _first_members(heads: Heads, segments: Segments, good: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Index into `heads` of the earliest good sounding of each chosen segment."""
    members = np.flatnonzero(good)
    order = members[np.lexsort((heads["time"][members], segments.index[members]))]
    index = segments.index[order]
    first = order[np.flatnonzero(np.r_[True, np.diff(index) != 0])] if len(order) else order
    return first[chosen[segments.index[first]]]
