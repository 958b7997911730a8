"""Reader of ACOS Lite files: GOSAT (v7.3, 9r, 11), and OCO-2 and OCO-3, which share the layout.

One NetCDF-4 file a UTC day. Missing values are marked by `missing_value` in GOSAT's older files and by `_FillValue` in
others: both are honoured. XCO2 is bias-corrected in these files; its uncertainty is the retrieval noise alone. The
quality flag is 0 for good soundings; `warn_level` exists in v7 and v8 files only. The scale is taken from the
variable's attributes; where they name none, builds before 11 are on X2007.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError, Problem
from gcas_driver.observations import netcdf_fields as nc
from gcas_driver.observations.daily import check_daily_stream, read_daily
from gcas_driver.observations.scales import scale_named_in, unchanged
from gcas_driver.observations.soundings import Soundings, to_observations
from gcas_driver.observations.streams import SatelliteStream
from gcas_driver.observations.table import Observations

log = logging.getLogger(__name__)

DEFAULT_PATTERN = "*_LtCO2_{yymmdd}_*.nc4"
WARN_LEVELS_LEAST_TOP = 6
"""A file whose highest warn level is below this counts them otherwise than the 0..19 that the paper's groups assume."""

OCO_MODES = {0: "nadir", 1: "glint", 2: "target", 3: "transition", 4: "sam"}


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
        Columns, averaged in cells as the stream sets; rows that were dropped are counted by reason.

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
        soundings = _soundings(dataset, stream)
        scale = stream.scale or (_scale(dataset, stream) if unchanged(stream) else "unknown")
    _warn_of_levels(soundings, stream, path)
    return to_observations(soundings, stream, scale, start, end)


def _soundings(dataset: netCDF4.Dataset, stream: SatelliteStream) -> Soundings:
    pressure = nc.require_variable(dataset, ("pressure_levels",))
    if len(pressure.shape) != 2:
        raise InputError("wrong shape", f"{dataset.filepath()}, {pressure.name}", str(pressure.shape), "(sounding_id, levels)")
    n, n_levels = pressure.shape

    def numbers(*names: str, levels: bool = False) -> tuple[netCDF4.Variable, np.ndarray]:
        variable = nc.require_variable(dataset, names)
        return variable, nc.read_numbers(variable, (n, n_levels) if levels else (n,))

    def optional(*names: str) -> np.ndarray | None:
        variable = nc.find_variable(dataset, names)
        return None if variable is None else nc.read_numbers(variable, (n,))

    return Soundings(
        time=_seconds(dataset, n), lon=numbers("longitude", "lon")[1], lat=numbers("latitude", "lat")[1],
        xco2=nc.fraction_in_ppm(*numbers(stream.value_variable or "xco2")),
        uncertainty=nc.error_in_ppm(*numbers("xco2_uncertainty")),
        prior_xco2=nc.fraction_in_ppm(*numbers("xco2_apriori")),
        pressure=nc.pressure_in_pa(pressure, nc.read_numbers(pressure, (n, n_levels))),
        pressure_weight=numbers("pressure_weight", "pressure_weights", levels=True)[1],
        averaging_kernel=numbers("xco2_averaging_kernel", "averaging_kernel", levels=True)[1],
        prior_profile=nc.fraction_in_ppm(*numbers("co2_profile_apriori", levels=True)),
        identifier=_identifiers(dataset, n), quality=numbers("xco2_quality_flag", "quality_flag")[1],
        warn_level=optional("warn_level"), mode=_modes(dataset, n, optional))


def _seconds(dataset: netCDF4.Dataset, n: int) -> np.ndarray:
    """Seconds since 1970 (n,), NaN where missing."""
    variable = nc.require_variable(dataset, ("time",))
    units = str(getattr(variable, "units", "seconds since 1970-01-01")).lower()
    if not re.match(r"seconds since 1970-0?1-0?1", units):
        raise InputError("unknown time units", f"{dataset.filepath()}, time", units, "seconds since 1970-01-01")
    return nc.read_numbers(variable, (n,))


def _identifiers(dataset: netCDF4.Dataset, n: int) -> np.ndarray:
    variable = nc.require_variable(dataset, ("sounding_id",))
    if variable.shape != (n,):
        raise InputError("wrong shape", f"{dataset.filepath()}, sounding_id", str(variable.shape), str((n,)))
    raw = variable[...]
    return (raw.astype(np.int64) if raw.dtype.kind == "f" else raw).astype(str).astype(object)


def _modes(dataset: netCDF4.Dataset, n: int, optional) -> np.ndarray | None:
    """OCO: nadir, glint, target, …; GOSAT, which has no mode variable: land_h, land_m, ocean from gain and surface."""
    number = optional("Sounding/operation_mode", "operation_mode")
    if number is not None:
        return np.array([OCO_MODES.get(int(m), "unknown") if np.isfinite(m) else "unknown" for m in number], dtype=object)
    surface, gain = optional("Retrieval/surface_type"), nc.find_variable(dataset, ("Sounding/gain",))
    if surface is None or gain is None:
        return None
    raw = gain[...]
    text = (netCDF4.chartostring(raw) if raw.dtype.kind == "S" and raw.ndim == 2 else raw).astype(str).reshape(n)
    high = np.char.startswith(np.char.strip(text), "H")
    return np.where(surface == 0, "ocean", np.where(high, "land_h", "land_m")).astype(object)


def _scale(dataset: netCDF4.Dataset, stream: SatelliteStream) -> str:
    """Calibration scale: named by the variable, its name or its attributes; else X2007 for builds before 11."""
    variable = nc.require_variable(dataset, (stream.value_variable or "xco2",))
    named = scale_named_in(variable.name) or scale_named_in(nc.attribute_text(variable))
    if named:
        return named
    build = re.search(r"B(\d+)\.", str(getattr(dataset, "BuildId", "")))
    return "X2007" if build and int(build.group(1)) < 11 else "unknown"


def _warn_of_levels(soundings: Soundings, stream: SatelliteStream, path: Path) -> None:
    if not stream.warn_level_bounds:
        return
    if soundings.warn_level is None:
        log.info("%s: no warn_level in this version of the product, its soundings are one group", path)
    elif np.isfinite(soundings.warn_level).any() and np.nanmax(soundings.warn_level) < WARN_LEVELS_LEAST_TOP:
        log.warning("%s: the highest warn level is %d; the bounds %s were made for levels 0 to 19: check them", path,
                    int(np.nanmax(soundings.warn_level)), stream.warn_level_bounds)
