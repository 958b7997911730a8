"""Observations: one reader a product, one table, screening, super-observations and H(x).

`READERS` maps a stream's format to its reader, which has ``read(stream, start, end)`` and ``check(stream, start, end, scales)``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import numpy as np

from gcas_driver.errors import InputError, Problem
from gcas_driver.observations import (
    acos_lite,
    csv_sites,
    gcasv2_satellite,
    gcasv2_surface,
    mapped,
    noaa_flask,
    obspack,
    oco2_mip,
    tccon,
    tccon_mip,
)
from gcas_driver.observations.operator import xco2_operator
from gcas_driver.observations.scales import scale_problems
from gcas_driver.observations.shared import shared_observations
from gcas_driver.observations.streams import ColumnStream, SatelliteStream, SurfaceStream
from gcas_driver.observations.table import ColumnOperator, Observations

__all__ = ["READERS", "ColumnOperator", "ColumnStream", "Observations", "SatelliteStream", "SurfaceStream", "check_streams", "read_streams",
           "xco2_operator"]

log = logging.getLogger(__name__)

Stream = SatelliteStream | ColumnStream | SurfaceStream

READERS = {"acos_lite": acos_lite.READER, "oco2_lite": acos_lite.READER, "oco3_lite": acos_lite.READER, "oco2_mip": oco2_mip.READER,
           "gcasv2_satellite": gcasv2_satellite.READER, "mapped": mapped.READER,
           "noaa_flask": noaa_flask, "obspack": obspack, "csv": csv_sites, "gcasv2_surface": gcasv2_surface,
           "tccon": tccon, "tccon_mip": tccon_mip}


def read_streams(streams: Iterable[Stream], start: np.datetime64, end: np.datetime64) -> Observations:
    """All observations of [start, end) of all streams, in order of the streams; what was left out is logged by reason.

    Parameters
    ----------
    streams : iterable of SatelliteStream or SurfaceStream
        Product names must differ.
    start, end : datetime64
        UTC.

    Raises
    ------
    InputError
        For files that cannot be read, equal product names, or streams on different calibration scales.
    """
    streams = list(streams)
    _check_names(streams)
    parts = []
    for stream in streams:
        part = _reader(stream).read(stream, start, end)
        counts = "".join(f", {n} {reason}" for reason, n in sorted(part.counts().items()))
        log.info("%s: %d read, %d used%s", stream.product, part.n_read(), np.count_nonzero(part.used), counts)
        parts.append(part)
    for text in shared_observations(parts):
        log.warning("%s", text)
    table = Observations.concatenate(parts)
    for problem in scale_problems(table.scale):
        if problem.severity == "error":
            raise InputError(problem.what, problem.where, problem.found, problem.expected, problem.advice)
    return table


def check_streams(streams: Iterable[Stream], start: np.datetime64, end: np.datetime64) -> list[Problem]:
    """Everything that can be known to be wrong with the streams before a run over [start, end)."""
    streams = list(streams)
    try:
        _check_names(streams)
    except InputError as error:
        return [Problem.of(error)]
    scales: dict[str, str] = {}
    problems = []
    for stream in streams:
        try:
            problems += _reader(stream).check(stream, start, end, scales)
        except InputError as error:
            problems.append(Problem.of(error))
    return problems + scale_problems(scales)


def _reader(stream: Stream):
    try:
        return READERS[stream.format]
    except KeyError:
        raise InputError("unknown observation format", f"stream {stream.product}", stream.format,
                         " or ".join(sorted(READERS))) from None


def _check_names(streams: list[Stream]) -> None:
    names = [stream.product for stream in streams]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError("two observation streams of one name", "streams", ", ".join(twice), "different names",
                         "give each stream its own name")
