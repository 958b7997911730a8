"""Reader of NOAA GML's own files: flask events and hourly in-situ data, as text of before 2020, of today, or NetCDF.

A file is one site's record. Replicate flasks, filled at one time and height, are averaged; so are several analyses
of one flask. The first character of the quality flag rejects, the second says "not background". Tables of monthly or daily
means are recognised and refused: they are no samples that a model can be asked for. NOAA's NetCDF files look like ObsPack's, but state
micromol mol-1 and fill with -999.999.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations.daily import MatchingReader
from gcas_driver.observations.point_reading import accepted_flags, noaa_reasons, read_samples, refuse_means, refuse_other_gases, time_span
from gcas_driver.observations.points import point_table
from gcas_driver.observations.records import Records, open_records
from gcas_driver.observations.sample_times import interval_seconds
from gcas_driver.observations.scales import scale_named_in
from gcas_driver.observations.streams import SurfaceStream
from gcas_driver.observations.table import Observations

DEFAULT_FILES = ("co2_*_surface-flask_*_event*.txt",)


def read_file(path: Path, stream: SurfaceStream, start: float, end: float) -> Observations:
    """Samples of one file in [start, end), seconds since 1970."""
    with open_records(path, start, end) as records:
        refuse_means(records)
        refuse_other_gases(records)
        if not records.has("event_number") and not interval_seconds(records):
            raise InputError("neither flask events nor averages of an hour", str(path), records.inventory(),
                             "a column event_number, or dataset_data_frequency in the header", "take the event or hourly file of this site")
        _refuse_gas_in_column(records)
        samples = read_samples(records, stream, start, end, _reasons)
        scale = _scale(records)
    return point_table(samples, stream, scale)


def _reasons(records: Records, rows: slice, stream: SurfaceStream) -> np.ndarray:
    flags = records.texts("qcflag", rows)
    return accepted_flags(flags, stream.flags) if stream.flags else noaa_reasons(flags)


def _refuse_gas_in_column(records: Records) -> None:
    """The dialect of before 2020 names the gas in a column."""
    if not records.has("parameter_formula"):
        return
    others = sorted({str(text).lower() for text in records.texts("parameter_formula")} - {"co2"})
    if others:
        raise InputError("not a file of CO2", records.where, ", ".join(others), "co2", "leave it out of the stream's files")


def _scale(records: Records) -> str:
    """The header's scale; the older dialect names none, and was closed while X2007 was in force."""
    for name in ("dataset_calibration_scale", "provider_calibration_scale"):
        if named := scale_named_in(records.attributes.get(name, "")):
            return named
    named = scale_named_in(records.about("value", "scale_comment"))
    return named or ("X2007" if getattr(records, "old_dialect", False) else "unknown")


READER = MatchingReader(DEFAULT_FILES, read_file, time_span)
read, check = READER.read, READER.check
