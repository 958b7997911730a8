"""Reader of GCASv2's own satellite files: one a day, NetCDF classic, no attributes.

Each holds soundings that were screened and perhaps averaged before: `date` YYYYMMDD and `time` decimal hour, UTC;
longitude 0..360; `pressure` [hPa] with `weightingfunction`, `averagingKernel` and `constraintvector` (prior profile,
ppm); `xco2`, `xco2unc`, `axco2` [ppm]. Units are taken by these conventions and checked by size, since the files
carry none; levels are brought to top first by their pressures. A variable `opmode` is taken as mode "0", "1", ….
"""

from __future__ import annotations

import re
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError, Problem
from gcas_driver.observations import netcdf_fields as nc
from gcas_driver.observations.daily import check_daily_stream, read_daily
from gcas_driver.observations.soundings import Soundings, to_observations
from gcas_driver.observations.streams import SatelliteStream
from gcas_driver.observations.table import Observations

DEFAULT_PATTERN = "*_{yyyymmdd}.nc"


def read(stream: SatelliteStream, start: np.datetime64, end: np.datetime64) -> Observations:
    """Soundings of [start, end).

    Parameters
    ----------
    stream : SatelliteStream
    start, end : datetime64
        UTC.

    Returns
    -------
    Observations
        Columns; rows that were dropped are counted by reason.

    Raises
    ------
    InputError
        For a file that is missing, cannot be read, or is not of this layout.
    """
    return read_daily(stream, stream.file_pattern or DEFAULT_PATTERN, start, end, read_file)


def check(stream: SatelliteStream, start: np.datetime64, end: np.datetime64,
          scales: dict[str, str] | None = None) -> list[Problem]:
    """Everything that is wrong with the stream's files, all read, and with what they hold of [start, end).

    `scales`, if given, receives the product's calibration scale.
    """
    return check_daily_stream(stream, stream.file_pattern or DEFAULT_PATTERN, start, end, read_file, scales)


def read_file(path: Path, stream: SatelliteStream, start: float, end: float) -> Observations:
    """Soundings of one file in [start, end), seconds since 1970."""
    with nc.open_netcdf(path) as dataset:
        soundings = _soundings(dataset)
    return to_observations(soundings, stream, stream.scale or "unknown", start, end)


def _soundings(dataset: netCDF4.Dataset) -> Soundings:
    pressure = nc.require_variable(dataset, ("pressure", "pressure_levels"))
    if len(pressure.shape) != 2:
        raise InputError("wrong shape", f"{dataset.filepath()}, {pressure.name}", str(pressure.shape), "(nSamples, Level)")
    n, n_levels = pressure.shape

    def numbers(*names: str, levels: bool = False) -> tuple[netCDF4.Variable, np.ndarray]:
        variable = nc.require_variable(dataset, names)
        return variable, nc.read_numbers(variable, (n, n_levels) if levels else (n,))

    date, hour = _whole_dates(*numbers("date"), dataset.filepath()), numbers("time")[1]
    mode = nc.find_variable(dataset, ("opmode",))
    return Soundings(
        time=_seconds(date, hour, dataset.filepath()), lon=numbers("longitude", "lon")[1], lat=numbers("latitude", "lat")[1],
        xco2=nc.fraction_in_ppm(*numbers("xco2")), uncertainty=nc.error_in_ppm(*numbers("xco2unc", "xco2_uncertainty")),
        prior_xco2=nc.fraction_in_ppm(*numbers("axco2", "xco2_apriori")),
        pressure=nc.pressure_in_pa(pressure, nc.read_numbers(pressure, (n, n_levels))),
        pressure_weight=numbers("weightingfunction", "pressure_weight", levels=True)[1],
        averaging_kernel=numbers("averagingKernel", "xco2_averaging_kernel", levels=True)[1],
        prior_profile=nc.fraction_in_ppm(*numbers("constraintvector", "co2_profile_apriori", levels=True)),
        identifier=_identifiers(date, n),
        mode=None if mode is None else np.asarray(mode[...]).astype(np.int64).astype(str).astype(object))


def _whole_dates(variable: netCDF4.Variable, dates: np.ndarray, path: str) -> np.ndarray:
    """YYYYMMDD; a four-byte real holds no odd ones: there a date next to the one in the file's name is that one."""
    named = re.search(r"(\d{8})\D*$", Path(path).name)
    if variable.dtype != np.float32 or named is None:
        return dates
    day = float(named[1])
    return np.where(np.abs(dates - day) <= 1.0, day, dates)


def _seconds(date: np.ndarray, hour: np.ndarray, path: str) -> np.ndarray:
    """Seconds since 1970 from YYYYMMDD and decimal hours; NaN where either is missing."""
    seconds_since = np.full(len(date), np.nan)
    good = np.isfinite(date) & np.isfinite(hour)
    for day in np.unique(date[good]).astype(np.int64):
        text = f"{day:08d}"
        try:
            midnight = np.datetime64(f"{text[:4]}-{text[4:6]}-{text[6:]}", "s").astype(np.int64)
        except ValueError:
            raise InputError("not a date", f"{path}, date", text, "YYYYMMDD") from None
        rows = good & (date == day)
        seconds_since[rows] = midnight + np.round(hour[rows] * 3600.0, 3)
    return seconds_since


def _identifiers(date: np.ndarray, n: int) -> np.ndarray:
    """YYYYMMDD and the row in the file: the layout has no identifier of its own."""
    return np.array([f"{0 if np.isnan(d) else int(d):08d}-{i + 1:06d}" for i, d in enumerate(date[:n])], dtype=object)
