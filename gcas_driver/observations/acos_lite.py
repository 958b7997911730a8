"""Reader of Lite files: ACOS GOSAT (v7.3, 9r, 11), OCO-2 (v7r to v11.3) and OCO-3, which share the layout.

One NetCDF-4 file a UTC day. Missing values are marked by `missing_value` in GOSAT's older files and by `_FillValue` in
others: both are honoured. XCO2 is bias-corrected in these files; its uncertainty is the retrieval noise alone. The
quality flag is 0 for good soundings; `warn_level` exists in v7 and v8 files only. The scale is taken from the
variable's name or attributes; where they name none, builds before 11 are on X2007.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations import netcdf_fields as nc
from gcas_driver.observations.column_fields import Field, Fields
from gcas_driver.observations.column_source import (
    LAND,
    OCEAN,
    OTHER,
    UNKNOWN,
    ColumnSource,
    Rows,
    identifiers_from,
    same_levels,
    surface_first,
    turned,
)
from gcas_driver.observations.column_times import cf_time, dates_of_identifiers
from gcas_driver.observations.satellite_files import ColumnReader
from gcas_driver.observations.scales import scale_named_in
from gcas_driver.observations.streams import SatelliteStream

log = logging.getLogger(__name__)

WARN_LEVELS_LEAST_TOP = 6
"""A file whose highest warn level is below this counts them otherwise than the 0..19 that the paper's groups assume."""

OCO_MODES = ("nadir", "glint", "target", "transition", "sam")
GOSAT_MODES = ("land_h", "land_m", "ocean")
PLATFORMS = {"OCO2": "oco2_lite", "OCO3": "oco3_lite", "GOSAT": "acos_lite"}
"""What `Platform` says, letters and digits only, and the product that reads such files."""
PROFILES = {"pressure": ("pressure_levels",), "weight": ("pressure_weight", "pressure_weights"),
            "kernel": ("xco2_averaging_kernel", "averaging_kernel"), "prior": ("co2_profile_apriori",)}


def source(dataset: netCDF4.Dataset, stream: SatelliteStream) -> ColumnSource:
    """What an open Lite file holds."""
    _check_platform(dataset, stream)
    fields = Fields(dataset, ("latitude", "lat"))
    levels = {"pressure": fields.pressure(*PROFILES["pressure"]), "weight": fields.need(*PROFILES["weight"], levels=True),
              "kernel": fields.need(*PROFILES["kernel"], levels=True), "prior": fields.fraction(*PROFILES["prior"], levels=True)}
    turn = surface_first(levels["pressure"], fields.n)
    value, number = fields.fraction(stream.value_variable or "xco2"), fields.need("sounding_id")
    mode, names = _modes(fields)
    warn_level = fields.find("warn_level")
    _warn_of_levels(warn_level, stream, fields.path)
    return ColumnSource(
        path=fields.path, n=fields.n, n_levels=same_levels(levels), time=cf_time(fields.need("time")),
        lon=fields.need("longitude", "lon"), lat=fields.need("latitude", "lat"), xco2=value,
        uncertainty=fields.error(stream.uncertainty_variable or "xco2_uncertainty"), prior_xco2=fields.fraction("xco2_apriori"),
        pressure=turned(levels["pressure"], turn), pressure_weight=turned(levels["weight"], turn),
        averaging_kernel=turned(levels["kernel"], turn), prior_profile=turned(levels["prior"], turn),
        identifiers=identifiers_from(fields, number.variable), date=dates_of_identifiers(number),
        quality=fields.need("xco2_quality_flag", "quality_flag"), warn_level=warn_level,
        outcome=fields.find("Retrieval/outcome_flag", "Sounding/outcome_flag", "outcome_flag"), mode=mode, mode_names=names,
        surface=_surface(fields), solar_zenith=fields.find("solar_zenith_angle", "Sounding/solar_zenith_angle"),
        sensor_zenith=fields.find("sensor_zenith_angle", "Sounding/sensor_zenith_angle"), **terms(fields, stream), **_scale(value.variable))


def terms(fields: Fields, stream: SatelliteStream) -> dict[str, tuple[Field, ...]]:
    """The variables that the stream's bias correction and errors name."""
    return {"bias_terms": tuple(fields.need(name) for name in stream.bias_variables),
            "error_terms": tuple(fields.error(name) for name in stream.error_variables)}


def _check_platform(dataset: netCDF4.Dataset, stream: SatelliteStream) -> None:
    """Errors differ between the instruments, so a stream of one is not given files of another."""
    text = str(getattr(dataset, "Platform", ""))
    product = PLATFORMS.get(re.sub("[^A-Z0-9]", "", text.upper()))
    if product and stream.format != "acos_lite" and stream.format != product:
        raise InputError("a file of another instrument", f"{dataset.filepath()} (product {stream.product})", f"Platform {text}",
                         f"files for product = '{stream.format}'", f"product = '{product}' reads this file")


def _modes(fields: Fields) -> tuple[Rows | None, tuple[str, ...]]:
    """OCO: nadir, glint, target, …; GOSAT, which has no mode variable: land_h, land_m, ocean from gain and surface."""
    number = fields.find("Sounding/operation_mode", "operation_mode")
    if number is not None:
        return number, OCO_MODES
    surface, gain = fields.find("Retrieval/surface_type", "surface_type"), nc.find_variable(fields.dataset, ("Sounding/gain", "gain"))
    if surface is None or gain is None:
        return None, ()
    return _gosat_mode(surface, gain), GOSAT_MODES


def _gosat_mode(surface: Field, gain: netCDF4.Variable) -> Rows:
    def rows(start: int, stop: int) -> np.ndarray:
        raw = np.asarray(gain[start:stop])
        first = raw.reshape(stop - start, -1)[:, 0].astype(str)
        land = np.where(np.char.startswith(np.char.strip(first), "H"), 0.0, 1.0)
        kind = surface(start, stop)
        return np.where(kind == 0.0, 2.0, np.where(kind == 1.0, land, UNKNOWN))

    return rows


def _surface(fields: Fields) -> Rows | None:
    """Land or ocean: by `surface_type` (0 ocean, 1 land), else by OCO's `land_water_indicator` (0 land, 1 sea, 2 inland water, 3 mixed)."""
    kind = fields.find("Retrieval/surface_type", "surface_type")
    if kind is not None:
        return coded(kind, {0.0: OCEAN, 1.0: LAND})
    kind = fields.find("Sounding/land_water_indicator", "land_water_indicator")
    return None if kind is None else coded(kind, {0.0: LAND, 1.0: OCEAN, 2.0: OTHER, 3.0: OTHER})


def coded(rows: Rows, codes: dict[float, float]) -> Rows:
    """Numbers of a file as codes of ours; others are `UNKNOWN`."""

    def recoded(start: int, stop: int) -> np.ndarray:
        values = rows(start, stop)
        out = np.full(len(values), UNKNOWN)
        for number, code in codes.items():
            out[values == number] = code
        return out

    return recoded


def _scale(variable: netCDF4.Variable) -> dict[str, str | bool]:
    """Calibration scale: named by the variable, its name or its attributes; else X2007 for builds before 11."""
    named = scale_named_in(variable.name) or scale_named_in(nc.attribute_text(variable))
    if named:
        return {"scale": named, "scale_stated": True}
    build = re.search(r"B(\d+)\.", str(getattr(variable.group(), "BuildId", "")))
    build = build or re.search(r"_B(\d{1,2})\d{3}", Path(variable.group().filepath()).name)  # such as B7310A, B10206Ar
    return {"scale": "X2007" if build and int(build.group(1)) < 11 else "", "scale_stated": False}


def _warn_of_levels(warn_level: Field | None, stream: SatelliteStream, path: str) -> None:
    if not stream.warn_level_bounds or stream.cell_degrees <= 0.0:
        return
    if warn_level is None:
        log.debug("%s: no warn_level in this version of the product, its soundings are one group", path)
        return
    top = _highest(warn_level)
    if top < WARN_LEVELS_LEAST_TOP:
        log.warning("%s: the highest warn level is %d; the bounds %s were made for levels 0 to 19: check them", path, int(top),
                    stream.warn_level_bounds)


def _highest(rows: Callable[[int, int], np.ndarray]) -> float:
    values = rows(0, rows.n)
    return float(np.nanmax(values)) if np.isfinite(values).any() else np.inf


READER = ColumnReader(source)
