"""Reader of ObsPack data sets, NetCDF or text, whole packs, assimilation packs and daily files of several data sets.

`value` is mol mol-1 by its `units`. `obs_flag` 0 says "not representative of large scales"; of `qcflag` NOAA's three
characters are understood (the first rejects, the second says "not background"), other providers' only where a stream lists those it
accepts. Times are the middle of the averaging interval (`sample_times`). A file's time span is looked at once in a run, and files that
do not reach into a window are not opened again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gcas_driver.observations.daily import MatchingReader
from gcas_driver.observations.point_reading import accepted_flags, noaa_reasons, read_samples, time_span
from gcas_driver.observations.points import NOT_BACKGROUND, point_table
from gcas_driver.observations.records import Records, open_records
from gcas_driver.observations.scales import scale_named_in
from gcas_driver.observations.streams import SurfaceStream
from gcas_driver.observations.table import Observations

DEFAULT_FILES = ("co2_*.nc",)


def read_file(path: Path, stream: SurfaceStream, start: float, end: float) -> Observations:
    """Samples of one file in [start, end), seconds since 1970."""
    with open_records(path, start, end) as records:
        samples = read_samples(records, stream, start, end, _reasons)
        scale = scale_named_in(records.attributes.get("dataset_calibration_scale", "")) or "unknown"
    return point_table(samples, stream, scale)


def _reasons(records: Records, rows: slice, stream: SurfaceStream) -> np.ndarray:
    """Why the provider's flag speaks against each record, "" where it does not."""
    flags = records.texts("qcflag", rows) if records.has("qcflag") else np.full(rows.stop - rows.start, "", dtype=object)
    if stream.flags:
        reason = accepted_flags(flags, stream.flags)
    else:
        reason = noaa_reasons(flags)
    if records.has("obs_flag"):
        local = records.numbers("obs_flag", rows) == 0
        reason = np.where(local & (reason == ""), NOT_BACKGROUND, reason).astype(object)
    return reason


READER = MatchingReader(DEFAULT_FILES, read_file, time_span)
read, check = READER.read, READER.check
