"""Reader of ObsPack NetCDF files, the schema of the packs of 2019 and 2020 and, as far as it differs by name only, later.

`value` is mol mol-1 by its `units`. `obs_flag` 0 says "not representative of large scales"; of `qcflag` NOAA's three
characters are understood (the first rejects, the second says "not background"), other providers' are not looked at.
`time` is the start of the averaging interval in packs of 2019 and 2020 and its middle in later ones: it is taken as it
is, half an hour at most from the middle in hourly data.
"""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError, Problem
from gcas_driver.observations import netcdf_fields as nc
from gcas_driver.observations.daily import check_matching, read_matching
from gcas_driver.observations.points import NOT_BACKGROUND, REJECTED, PointSamples, point_table
from gcas_driver.observations.scales import scale_named_in
from gcas_driver.observations.streams import SurfaceStream
from gcas_driver.observations.table import Observations

DEFAULT_FILES = ("co2_*.nc",)


def read(stream: SurfaceStream, start: np.datetime64, end: np.datetime64) -> Observations:
    """Samples of [start, end).

    Parameters
    ----------
    stream : SurfaceStream
    start, end : datetime64
        UTC.

    Returns
    -------
    Observations
        Points; flagged ones stay in the table, unused, with the reason.

    Raises
    ------
    InputError
        For a file that is missing, cannot be read, is not of this schema, or of another gas.
    """
    return read_matching(stream, DEFAULT_FILES, start, end, read_file)


def check(stream: SurfaceStream, start: np.datetime64, end: np.datetime64,
          scales: dict[str, str] | None = None) -> list[Problem]:
    """Everything that is wrong with the stream's files, all read, and with what they hold of [start, end).

    `scales`, if given, receives the product's calibration scale.
    """
    return check_matching(stream, DEFAULT_FILES, start, end, read_file, scales)


def read_file(path: Path, stream: SurfaceStream, start: float, end: float) -> Observations:
    """Samples of one file in [start, end), seconds since 1970."""
    with nc.open_netcdf(path) as dataset:
        gas = str(getattr(dataset, "dataset_parameter", "")).lower()
        if gas not in ("", "co2"):
            raise InputError("not a file of CO2", str(path), gas, "co2", "leave it out of the stream's files")
        samples = _samples(dataset, start, end)
        scale = scale_named_in(str(getattr(dataset, "dataset_calibration_scale", ""))) or "unknown"
    return point_table(samples, stream, scale)


def _samples(dataset: netCDF4.Dataset, start: float, end: float) -> PointSamples:
    """The rows of [start, end)."""
    stamps = nc.require_variable(dataset, ("time",))
    units = str(getattr(stamps, "units", ""))
    if not units.lower().startswith("seconds since 1970-01-01"):
        raise InputError("unknown time units", f"{dataset.filepath()}, time", units or "none", "seconds since 1970-01-01")
    n = stamps.shape[0]
    time = nc.read_numbers(stamps, (n,))
    rows = np.flatnonzero((time >= start) & (time < end))

    def numbers(name: str) -> np.ndarray:
        return nc.read_numbers(nc.require_variable(dataset, (name,)), (n,))[rows]

    value = nc.require_variable(dataset, ("value",))
    flags = _texts(dataset, ("qcflag",), n)[rows]
    representative = nc.find_variable(dataset, ("obs_flag",))
    local = np.zeros(len(rows), dtype=bool) if representative is None else np.asarray(representative[...])[rows] == 0
    noaa = np.array([len(flag) == 3 for flag in flags], dtype=bool)
    rejected = noaa & np.array([not flag.startswith(".") for flag in flags], dtype=bool)
    local |= noaa & np.array([flag[1:2] not in ("", ".") for flag in flags], dtype=bool)
    reason = np.where(rejected, REJECTED, np.where(local, NOT_BACKGROUND, "")).astype(object)
    return PointSamples(time[rows], numbers("longitude"), numbers("latitude"), numbers("altitude"),
                        nc.fraction_in_ppm(value, nc.read_numbers(value, (n,)))[rows], _uncertainty(dataset, n)[rows],
                        np.full(len(rows), str(getattr(dataset, "site_code", "")).upper(), dtype=object),
                        _identifiers(dataset, n)[rows], reason, reason == NOT_BACKGROUND)


def _uncertainty(dataset: netCDF4.Dataset, n: int) -> np.ndarray:
    """Measurement uncertainty (n,) [ppm], 0 where the file tells none."""
    variable = nc.find_variable(dataset, ("value_unc",))
    if variable is None:
        return np.zeros(n)
    return np.nan_to_num(nc.error_in_ppm(variable, nc.read_numbers(variable, (n,))))


def _identifiers(dataset: netCDF4.Dataset, n: int) -> np.ndarray:
    """The last two parts of obspack_id, dataset and number, which are unique in a pack."""
    texts = _texts(dataset, ("obspack_id",), n)
    return np.array(["~".join(text.split("~")[-2:]) for text in texts], dtype=object)


def _texts(dataset: netCDF4.Dataset, candidates: tuple[str, ...], n: int) -> np.ndarray:
    """A text variable (n,); empty texts where the file has no such variable."""
    variable = nc.find_variable(dataset, candidates)
    if variable is None:
        return np.full(n, "", dtype=object)
    raw = variable[...]
    if raw.dtype.kind == "S":
        raw = netCDF4.chartostring(raw) if raw.ndim == 2 else raw
    return np.array([(t.decode("ascii", "replace") if isinstance(t, bytes) else str(t)).strip("\x00 ") for t in raw], dtype=object)
