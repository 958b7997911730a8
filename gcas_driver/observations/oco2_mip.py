"""Reader of the OCO-2 model intercomparison's 10-second averages: one file for the whole period, of OCO-2 or OCO-3.

Pressures are `sigma_levels` times `psurf`. Some times are missing, and they are not in order. `assimilate_flag` is 1 for averages to be
assimilated, 0 for others and, in v11 files, 2 for those held back for evaluation. The mode is the last digit of `sounding_id`; files of
v10 and v11 have it as `data_type` too. Files of v7 mark averages to be left out by a negative `operation_mode`.
"""

from __future__ import annotations

import re
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations import netcdf_fields as nc
from gcas_driver.observations.acos_lite import coded, terms
from gcas_driver.observations.column_fields import Field, Fields
from gcas_driver.observations.column_source import (
    LAND,
    OCEAN,
    UNKNOWN,
    ColumnSource,
    Rows,
    identifiers_from,
    pressures,
    same_levels,
    surface_first,
    turned,
)
from gcas_driver.observations.column_times import cf_time, dates_of_identifiers
from gcas_driver.observations.satellite_files import ColumnReader
from gcas_driver.observations.scales import scale_named_in
from gcas_driver.observations.streams import SatelliteStream

MODES = ("LN", "LG", "LT", "LTT", "ON", "OG", "OT", "OTT", "mixed")
"""Land or ocean; nadir, glint, target, transition: digits 1 to 8; 9 (of `data_type`) is neither land nor ocean."""
SURFACES = {float(code): LAND if code < 4 else OCEAN for code in range(8)}


def source(dataset: netCDF4.Dataset, stream: SatelliteStream) -> ColumnSource:
    """What an open file of 10-second averages holds."""
    fields = Fields(dataset, ("latitude", "lat"))
    levels = {"weight": fields.need("pressure_weight", levels=True), "kernel": fields.need("xco2_averaging_kernel", levels=True),
              "prior": fields.fraction("co2_profile_apriori", levels=True)}
    pressure = pressures(fields, "pressure_levels", "sigma_levels", "psurf", same_levels(levels))
    turn = surface_first(pressure, fields.n)
    value, number = fields.fraction(stream.value_variable or "xco2"), fields.need("sounding_id")
    mode = _modes(number, fields.find("data_type"))
    return ColumnSource(
        path=fields.path, n=fields.n, n_levels=same_levels(levels), time=cf_time(fields.need("time")),
        lon=fields.need("longitude", "lon"), lat=fields.need("latitude", "lat"), xco2=value,
        uncertainty=fields.error(stream.uncertainty_variable or "xco2_uncertainty"), prior_xco2=fields.fraction("xco2_apriori"),
        pressure=turned(pressure, turn), pressure_weight=turned(levels["weight"], turn), averaging_kernel=turned(levels["kernel"], turn),
        prior_profile=turned(levels["prior"], turn), identifiers=identifiers_from(fields, number.variable),
        date=dates_of_identifiers(number),
        quality=_flag(fields, stream), mode=mode, mode_names=MODES, surface=coded(mode, SURFACES),
        solar_zenith=fields.find("solar_zenith_angle"),
        sensor_zenith=fields.find("sensor_zenith_angle"), **terms(fields, stream), **_scale(value.variable, fields))


def _modes(number: Field, kind: Field | None) -> Rows:
    """Index into `MODES`: by the last digit of the identifier; where that is none of 1 to 8, by `data_type`.

    Raises
    ------
    InputError
        If both are there and mostly disagree.
    """

    def by_digit(start: int, stop: int) -> np.ndarray:
        digit = np.mod(number(start, stop), 10.0)
        return np.where((digit >= 1.0) & (digit <= 8.0), digit - 1.0, UNKNOWN)

    def by_both(start: int, stop: int) -> np.ndarray:
        digit, named = by_digit(start, stop), kind(start, stop)
        return np.where(digit != UNKNOWN, digit, np.where((named >= 1.0) & (named <= 9.0), named - 1.0, UNKNOWN))

    if kind is None:
        return by_digit
    n = min(number.n, 10000)
    digit, named = by_digit(0, n), kind(0, n)
    both = (digit != UNKNOWN) & np.isfinite(named) & (named <= 8.0)
    if np.count_nonzero(both & (digit != named - 1.0)) > 0.5 * max(1, np.count_nonzero(both)):
        raise InputError("the last digit of sounding_id and data_type tell different modes", nc.place_of(kind.variable),
                         f"digits such as {digit[both][:5] + 1}, data_type {named[both][:5]}",
                         "the same, 1 to 8 for " + ", ".join(MODES[:8]), "check which version of the file this is")
    return by_both


def _flag(fields: Fields, stream: SatelliteStream) -> Rows | None:
    """`assimilate_flag`; in files of v7, which have none (and no `data_type`), 1 where `operation_mode` is not negative."""
    if stream.quality_flag < 0:
        return fields.find("assimilate_flag")
    mode = fields.find("operation_mode")
    if fields.find("assimilate_flag") is not None or fields.find("data_type") is not None or mode is None:
        return fields.need("assimilate_flag")

    def rows(start: int, stop: int) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return np.where(mode(start, stop) >= 0.0, 1.0, 0.0)

    return rows


def _scale(variable: netCDF4.Variable, fields: Fields) -> dict[str, str | bool]:
    """Calibration scale: as the variable's name or attributes say; else X2007 for builds before 11, by the file's name, and where a
    variable of the other scale stands beside it."""
    named = scale_named_in(re.sub("2019_?scale", "x2019", variable.name)) or scale_named_in(nc.attribute_text(variable))
    if named:
        return {"scale": named, "scale_stated": True}
    build = re.search(r"_b(\d\d?)", Path(fields.path).name.lower())
    early = build is not None and int(build[1]) not in range(11, 50)  # b70b and b91 are builds 7.0 and 9.1
    return {"scale": "X2007" if early or fields.find("xco2_2019_scale") is not None else "", "scale_stated": False}


READER = ColumnReader(source, single=True)
