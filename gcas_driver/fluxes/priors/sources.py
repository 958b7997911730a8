"""What a component's flux is made of: means over products, gaps filled from a second product, diurnal shapes, other years' files.

A source is one `&prior` group that counts, with the groups it borrows from. Everything works day by day.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from gcas_driver.errors import InputError, SettingsError
from mozart_coupling.grids import Grid

from ..components import COMPONENTS
from .day import FluxDay, in_three_hours, moved_to, on_finer, three_hourly, three_hourly_gaps
from .diurnal import SHAPES, shaped, with_cycle_of
from .gfed import GfedReader
from .gridded import GriddedReader
from .layout import FORMATS, Layout
from .monthly import CdiacReader
from .stream import Stream, days_of, label_of, line_of, parts_of, patterns_of, period_of, setting, source_day
from .tables import TableReader

log = logging.getLogger(__name__)

READERS = {"gridded": GriddedReader, "gfed": GfedReader, "cdiac": CdiacReader, "table": TableReader}


@dataclass(frozen=True)
class Source:
    """A stream, the one that fills its gaps, and the shape of its days.

    Attributes
    ----------
    stream : Stream
    gaps : Source or None
    diurnal : Source, str or None
        A product whose cycle is taken, the name of a shape, or none.
    """

    stream: Stream
    gaps: Source | None = None
    diurnal: Source | str | None = None


class SourceReader:
    """Reads a source day by day."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._own = StreamReader(source.stream)
        self._gaps = None if source.gaps is None else SourceReader(source.gaps)
        self._cycle = SourceReader(source.diurnal) if isinstance(source.diurnal, Source) else None

    def day(self, day: np.datetime64) -> FluxDay:
        """One day's flux, complete."""
        flux = self._filled(self._own.day(day), day)
        if self._cycle is not None:
            return with_cycle_of(flux, self._cycle.day(day), self._source.stream.component)
        return shaped(flux, self._source.diurnal) if isinstance(self._source.diurnal, str) else flux

    def total(self, day: np.datetime64) -> FluxDay:
        """Flux that has the day's total, or where files hold months the month's mean: cheaper than the day itself."""
        return self._filled(self._own.total(day), day)

    def close(self) -> None:
        """Close all files."""
        for reader in (self._own, self._gaps, self._cycle):
            if reader is not None:
                reader.close()

    def _filled(self, flux: FluxDay, day: np.datetime64) -> FluxDay:
        """The flux with the second product's where nothing is known, on the finer of both grids: each total is kept."""
        if self._gaps is None or flux.gaps is None:
            return flux
        other = self._gaps.day(day)
        grid = on_finer(flux.grid, other.grid)
        share = moved_to(three_hourly_gaps(flux), flux.grid, grid)
        values = moved_to(three_hourly(flux), flux.grid, grid) + share * moved_to(three_hourly(other), other.grid, grid)
        if flux.start.size == 1 and other.start.size == 1:  # no course within the day: it stays one interval
            return FluxDay(grid, flux.start, flux.end, values[:1], flux.path)
        return in_three_hours(flux, values, None, grid)


class StreamReader:
    """Reads the files of one stream: the mean over its codes, from another year's files where years are recycled."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        layout = layout_of(stream)
        self._readers = [READERS[layout.reader](stream, layout, code) for code in (codes_of(stream) or ("",))]
        self._said: set[tuple[int, int]] = set()

    def day(self, day: np.datetime64) -> FluxDay:
        """One day's flux."""
        return self._mean("day", day)

    def total(self, day: np.datetime64) -> FluxDay:
        """See `SourceReader.total`."""
        return self._mean("total", day)

    def check(self, day: np.datetime64) -> Grid:
        """Look at the files of a day; returns their grid."""
        grids = [reader.check(self._read_day(day)) for reader in self._readers]
        for grid in grids[1:]:
            if grid != grids[0]:
                raise InputError("products of a mean have different grids", f"{label_of(self._stream)}, {day}", repr(grid), repr(grids[0]),
                                 "Give each its own &prior group with its share as `factor`.")
        return grids[0]

    def close(self) -> None:
        """Close all files."""
        for reader in self._readers:
            reader.close()

    def _read_day(self, day: np.datetime64) -> np.datetime64:
        read = source_day(self._stream, day)
        years = parts_of(day)[0], parts_of(read)[0]
        if years[0] != years[1] and years not in self._said:
            self._said.add(years)
            log.info("%s: fluxes of %d are those of %d (recycle_years)", label_of(self._stream), *years)
        return read

    def _mean(self, how: str, day: np.datetime64) -> FluxDay:
        read = self._read_day(day)
        days = [getattr(reader, how)(read).moved(day - read) for reader in self._readers]
        if len(days) == 1:
            return days[0]
        for other in days[1:]:
            if other.grid != days[0].grid:
                raise InputError("products of a mean have different grids", f"{other.path}", repr(other.grid), f"{days[0].grid!r} as in "
                                 f"{days[0].path}", "Give each its own &prior group with its share as `factor`.")
        gaps = None if all(d.gaps is None for d in days) else np.mean([three_hourly_gaps(d) for d in days], axis=0)
        return in_three_hours(days[0], np.mean([three_hourly(d) for d in days], axis=0), gaps)


def sources(streams: Iterable[Stream]) -> list[Source]:
    """The groups that count, each with those it borrows from.

    Raises
    ------
    SettingsError
        For a format, component, name or setting that does not fit; for a group that no one uses.
    """
    streams = list(streams)
    for stream in streams:
        layout_of(stream)
    names = [setting(stream, "name") for stream in streams if setting(stream, "name")]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError("two &prior groups have the same name", "&prior, name", repr(name), "a name of its own for each")
    asked = {setting(stream, key) for stream in streams for key in ("gaps_from", "diurnal")}
    for stream in streams:
        if not _counts(stream) and setting(stream, "name") not in asked:
            raise SettingsError("a &prior group does not count and no other one uses it", line_of(stream, "counts"),
                                repr(setting(stream, "name")), "its name in `gaps_from` or `diurnal` of another group")
    found = [_source(stream, streams, ()) for stream in streams if _counts(stream)]
    if streams and not found:
        raise SettingsError("no &prior group counts", line_of(streams[0], "counts"), "counts = .false. in all", "a group that counts")
    return found


def days(source: Source, start: np.datetime64, end: np.datetime64) -> Iterator[FluxDay]:
    """The days of `[start, end)` of a source, read one by one as they are asked for."""
    reader = SourceReader(source)
    try:
        for day in days_of(start, end):
            yield reader.day(day)
    finally:
        reader.close()


def codes_of(stream: Stream) -> tuple[str, ...]:
    """Codes of the products whose mean a stream is."""
    return tuple(getattr(stream, "codes", ()) or ())


def layout_of(stream: Stream) -> Layout:
    """The layout of a stream's files.

    Raises
    ------
    SettingsError
        For an unknown format, component or meaning of time stamps, or settings that contradict one another.
    """
    if stream.component not in COMPONENTS:
        raise SettingsError("unknown component", "&prior, component", repr(stream.component), ", ".join(COMPONENTS))
    if stream.format not in FORMATS:
        raise SettingsError("unknown format of prior fluxes", line_of(stream, "format"), repr(stream.format), ", ".join(FORMATS))
    layout = FORMATS[stream.format]
    if stream.component not in layout.variables:
        raise SettingsError(f"format '{layout.name}' has no {stream.component} flux", line_of(stream, "format"), repr(stream.component),
                            ", ".join(layout.variables))
    for name, known in (("time_stamp", ("start", "centre", "end")), ("positive", ("up", "down")), ("recycle_by", ("cycle", "nearest"))):
        if setting(stream, name) not in ("", *known):
            what = {"time_stamp": "unknown meaning of time stamps"}.get(name, f"unknown value of {name}")
            raise SettingsError(what, line_of(stream, name), repr(setting(stream, name)), " or ".join(known))
    years = tuple(getattr(stream, "recycle_years", ()))
    if len(years) > 2 or (len(years) == 2 and years[0] > years[1]):
        raise SettingsError("years to recycle", line_of(stream, "recycle_years"), ", ".join(map(str, years)), "the first and the last year")
    _refuse_patterns(stream, layout)
    return layout


def _refuse_patterns(stream: Stream, layout: Layout) -> None:
    """File names must say what the format needs to know of them."""
    pattern, codes = setting(stream, "file_pattern"), codes_of(stream)
    if (layout.coded or codes) and not all("{code}" in p for p in patterns_of(stream, layout.patterns)):
        raise SettingsError("names of files with several codes need {code}", line_of(stream, "file_pattern"), repr(pattern),
                            "such as CT2019.prior_{code}_3hrly_{year}.nc") if codes else SettingsError(
                                "names of these files hold a {code}", line_of(stream, "file_pattern"), repr(pattern), "{code}")
    if layout.coded and not codes:
        raise SettingsError("codes of the products are not given", line_of(stream, "codes"), "none", "such as codes = 'fm', 'fo'")
    if pattern and layout.months == "year" and "{year}" not in pattern:
        raise SettingsError(f"the year of a file of format '{layout.name}' is in its name alone", line_of(stream, "file_pattern"),
                            repr(pattern), "a pattern with {year}")
    if pattern and layout.reader == "cdiac" and period_of(pattern) not in ("M", "Y"):
        raise SettingsError("month or year of a CDIAC file are in its name alone", line_of(stream, "file_pattern"), repr(pattern),
                            "a pattern with {year}{month}, or {year}")


def _counts(stream: Stream) -> bool:
    return bool(getattr(stream, "counts", True))


def _source(stream: Stream, streams: list[Stream], above: tuple[str, ...]) -> Source:
    name = setting(stream, "name")
    if name and name in above:
        raise SettingsError("&prior groups borrow from one another in a circle", line_of(stream, "name"), " → ".join((*above, name)))
    gaps = setting(stream, "gaps_from")
    diurnal = setting(stream, "diurnal")
    trail = (*above, name) if name else above
    lender = _source(_named(gaps, stream, "gaps_from", streams), streams, trail) if gaps else None
    if lender is not None and _counts(lender.stream):
        raise SettingsError("the group that fills gaps counts by itself too", line_of(lender.stream, "counts"), repr(gaps),
                            "counts = .false.")
    if not diurnal:
        return Source(stream, lender)
    if diurnal in SHAPES:
        return Source(stream, lender, diurnal)
    return Source(stream, lender, _source(_named(diurnal, stream, "diurnal", streams), streams, trail))


def _named(name: str, stream: Stream, key: str, streams: list[Stream]) -> Stream:
    for other in streams:
        if setting(other, "name") == name:
            if other.component != stream.component and key == "gaps_from":
                raise SettingsError("gaps are filled from another component", line_of(stream, key), f"{name!r}: {other.component}",
                                    stream.component)
            return other
    known = [setting(other, "name") for other in streams if setting(other, "name")] + (list(SHAPES) if key == "diurnal" else [])
    raise SettingsError("no &prior group has the name", line_of(stream, key), repr(name), ", ".join(known) or "a group with that `name`")
