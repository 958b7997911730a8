"""Reader of any other product of columns, TanSat's for one: a &column_map group of the namelist says which variable is what.

Files are NetCDF or HDF5, of any number of soundings and levels. Where the product has no pressure weights they are made of its pressures;
where it has no prior XCO2 that is the weighted mean of the prior profile.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
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
    ColumnSource,
    Rows,
    identifiers_from,
    pressures,
    same_levels,
    surface_first,
    turned,
)
from gcas_driver.observations.column_times import cf_time, components, dates_and_hours, numbers, texts
from gcas_driver.observations.satellite_files import ColumnReader
from gcas_driver.observations.scales import scale_named_in
from gcas_driver.observations.streams import SatelliteStream

RULE = re.compile(r"\s*(==|!=|<=|>=|<|>)\s*([+-]?\d+\.?\d*(?:[eE][+-]?\d+)?)\s*")
COMPARE = {"==": operator.eq, "!=": operator.ne, "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}
MODES = tuple(str(number) for number in range(100))


def source(dataset: netCDF4.Dataset, stream: SatelliteStream) -> ColumnSource:
    """What an open file holds, by the stream's map."""
    names = stream.column_map
    if names is None:
        raise InputError("no map of variables", f"product {stream.product}", "none", "the name of a &column_map group in 'map'")
    fields = _MappedFields(dataset, (names.latitude,), tuple(names.missing))
    levels = {"kernel": fields.need(names.averaging_kernel, levels=True),
              "prior": fields.fraction(names.prior_profile, levels=True, units=names.prior_units)}
    if names.pressure_weight:
        levels["weight"] = fields.need(names.pressure_weight, levels=True)
    n_levels = same_levels(levels)
    pressure = pressures(fields, names.pressure, names.sigma, names.surface_pressure, n_levels, names.pressure_units)
    turn = surface_first(pressure, fields.n)
    pressure = turned(pressure, turn)
    profile_turn = {"": turn, "top_first": False, "surface_first": True}[names.level_order]
    weight = turned(levels["weight"], profile_turn) if names.pressure_weight else _weights_of(pressure)
    kernel = turned(levels["kernel"], profile_turn)
    value = fields.fraction(stream.value_variable or names.xco2, units=names.xco2_units)
    scale = scale_named_in(value.variable.name) or scale_named_in(nc.attribute_text(value.variable))
    mode = fields.find(names.mode)
    return ColumnSource(
        path=fields.path, n=fields.n, n_levels=n_levels, scale=scale, scale_stated=bool(scale), time=_time(fields, names),
        lon=fields.need(names.longitude), lat=fields.need(names.latitude), xco2=value,
        uncertainty=fields.error(stream.uncertainty_variable or names.uncertainty, units=names.uncertainty_units),
        prior_xco2=fields.fraction(names.prior_xco2, units=names.prior_units) if names.prior_xco2 else None,
        pressure=pressure, pressure_weight=weight,
        averaging_kernel=_unweighted(kernel, weight) if names.kernel_form == "weighted" else kernel,
        prior_profile=turned(levels["prior"], profile_turn), identifiers=_identifiers(fields, names),
        quality=fields.need(names.quality) if names.quality else None, keep=rule(names.quality_rule) if names.quality_rule else None,
        outcome=fields.need(names.outcome) if names.outcome else None, mode=mode, mode_names=MODES if mode else (),
        surface=_surface(fields, names), solar_zenith=fields.find(names.solar_zenith), sensor_zenith=fields.find(names.sensor_zenith),
        **terms(fields, stream))


class _MappedFields(Fields):
    """Fields of which certain numbers are missing ones."""

    def __init__(self, dataset: netCDF4.Dataset, place: tuple[str, ...], missing: tuple[float, ...]) -> None:
        super().__init__(dataset, place)
        self.missing = missing

    def find(self, *names: str, levels: bool = False) -> Field | None:
        return self._marked(super().find(*names, levels=levels))

    def need(self, *names: str, levels: bool = False) -> Field:
        return self._marked(super().need(*names, levels=levels))

    def _marked(self, field: Field | None) -> Field | None:
        if field is not None:
            field.missing = self.missing
        return field


def rule(text: str) -> Callable[[np.ndarray], np.ndarray]:
    """A rule such as "<= 2" or "== 0" as a function of the flags; which ones it keeps, (n,) bool.

    Raises
    ------
    InputError
        If it is none.
    """
    match = RULE.fullmatch(text)
    if match is None:
        raise InputError("no rule on a quality flag", "quality_rule", repr(text), "a comparison and a number, such as '== 0' or '<= 2'")
    compare, number = COMPARE[match[1]], float(match[2])
    return lambda values: compare(values, number)


def _time(fields: Fields, names) -> Rows:
    """Times by the map's form."""
    form = names.time_form
    if form == "text":
        return texts(nc.require_variable(fields.dataset, names.time[:1]), fields.rows)
    if form == "components" and len(names.time) == 1:
        return components([fields.need(names.time[0], levels=True)])
    parts = [fields.need(name) for name in names.time]
    if form == "components":
        return components(parts)
    if form == "date_hour":
        return dates_and_hours(*parts)
    return numbers(parts[0]) if form == "number" else cf_time(parts[0], names.time_units)


def _weights_of(pressure: Rows) -> Rows:
    """Pressure weights of levels that bound layers: each level has half of the layers beside it."""

    def rows(start: int, stop: int) -> np.ndarray:
        half = 0.5 * np.diff(pressure(start, stop), axis=1)
        weight = np.zeros((stop - start, half.shape[1] + 1))
        weight[:, :-1] += half
        weight[:, 1:] += half
        with np.errstate(invalid="ignore", divide="ignore"):
            return weight / weight.sum(axis=1, keepdims=True)

    return rows


def _unweighted(kernel: Rows, weight: Rows) -> Rows:
    """The column's kernel where a file has it multiplied by the pressure weight."""

    def rows(start: int, stop: int) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return kernel(start, stop) / weight(start, stop)

    return rows


def _surface(fields: Fields, names) -> Rows | None:
    if not names.surface:
        return None
    codes = dict.fromkeys(map(float, names.land_values), LAND) | dict.fromkeys(map(float, names.ocean_values), OCEAN)
    return coded(fields.need(names.surface), codes)


def _identifiers(fields: Fields, names) -> Callable[[np.ndarray], np.ndarray]:
    if not names.identifier:
        return identifiers_from(fields, None, f"{Path(fields.path).stem}-")
    return identifiers_from(fields, nc.require_variable(fields.dataset, (names.identifier,)))


READER = ColumnReader(source)
