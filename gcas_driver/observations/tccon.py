"""Reader of TCCON's public files: GGG2020 and GGG2014, told apart by their content. Withheld unless a stream says otherwise.

GGG2020: every spectrum has its kernel, its prior and an `integration_operator` to be multiplied by a wet profile. With f the wet mole
fraction of water, io (1 - f) are weights of the dry profile and prior / (1 - f) is the dry prior: prior_xco2 + sum io k (m_wet - c_wet)
is then equation (6). XCO2 is on X2007, and beside it on X2019 with an operator of its own.

GGG2014 (`tccon_2014`): kernels by solar zenith angle, a prior for every day, no weights.
"""

from __future__ import annotations

import re
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations import netcdf_fields as nc
from gcas_driver.observations import tccon_2014
from gcas_driver.observations.column_fields import Fields
from gcas_driver.observations.column_times import cf_time
from gcas_driver.observations.daily import MatchingReader, span_of
from gcas_driver.observations.files import while_unchanged
from gcas_driver.observations.ground_columns import Spectra, checked_water, identifiers, to_table
from gcas_driver.observations.scales import scale_named_in
from gcas_driver.observations.streams import ColumnStream
from gcas_driver.observations.table import Observations

DEFAULT_FILES = ("*.public*.nc",)
PUBLIC_NAME = re.compile(r"([a-z]{2})\d{8}_\d{8}\.public")
SAME_ALTITUDE_KM = 0.01


def time_span(path: Path, stream: ColumnStream) -> tuple[float, float]:
    """Earliest and latest spectrum of a file, seconds since 1970; (inf, -inf) for none. A file is looked at once a run."""
    return _time_span(path)


@while_unchanged(4096)
def _time_span(path: Path) -> tuple[float, float]:
    with nc.open_netcdf(path) as dataset:
        times = _times(dataset, _is_2014(dataset))
    return span_of(times)


def read_file(path: Path, stream: ColumnStream, start: float, end: float) -> Observations:
    """Columns of one file in [start, end), seconds since 1970."""
    with nc.open_netcdf(path) as dataset:
        old = _is_2014(dataset)
        times = _times(dataset, old)
        rows = np.flatnonzero((times >= start) & (times < end))
        site = _site(dataset, path)
        spectra = (tccon_2014.spectra if old else _spectra)(dataset, stream, rows, times[rows], site)
        spectra.counts["no time"] += int(np.count_nonzero(~np.isfinite(times)))
    return to_table(spectra, stream, str(path), len(rows) == len(times))


def _is_2014(dataset: netCDF4.Dataset) -> bool:
    if nc.find_variable(dataset, ("xco2",)) is not None:
        return False
    if nc.find_variable(dataset, ("xco2_ppm",)) is not None:
        return True
    raise InputError("not a public file of TCCON", dataset.filepath(), nc.inventory(dataset), "xco2 (GGG2020) or xco2_ppm (GGG2014)")


def _times(dataset: netCDF4.Dataset, old: bool) -> np.ndarray:
    """Times of all spectra (n,), seconds since 1970; compared with the year that the file states beside them."""
    if old:
        fields = Fields(dataset, ("lat_deg", "lat"))
        times = tccon_2014.times(fields)
    else:
        fields = Fields(dataset, ("lat", "latitude"))
        times = cf_time(fields.need("time"))(0, fields.n)
    year = fields.find("year")
    if year is not None and fields.n:
        stated = year(0, fields.n)
        with np.errstate(invalid="ignore"):
            here = 1970.0 + times / (365.2425 * 86400.0)
            apart = ~((stated >= here - 1.1) & (stated <= here + 0.1)) & np.isfinite(stated) & np.isfinite(times)
        if apart.sum() > 0.5 * fields.n:
            row = int(np.flatnonzero(apart)[0])
            raise InputError("two statements of the time disagree", f"{fields.path}, time and year",
                             f"{here[row]:.2f} and {stated[row]:g}", "one year", "check the units of the file's times")
        times = np.where(apart, np.nan, times)
    return times


def _site(dataset: netCDF4.Dataset, path: Path) -> str:
    """TCCON's two letters by the file's name; else the long name in the file; else the name of the file."""
    match = PUBLIC_NAME.match(path.name.lower())
    if match:
        return match.group(1).upper()
    for name in ("long_name", "longName"):
        text = str(getattr(dataset, name, "")).strip()
        if text:
            return text.split()[0].upper()
    return path.stem.upper()


def _spectra(dataset: netCDF4.Dataset, stream: ColumnStream, rows: np.ndarray, times: np.ndarray, site: str) -> Spectra:
    """The given rows of a GGG2020 file."""
    suffix = "_x2019" if stream.scale == "X2019" else ""
    fields = Fields(dataset, ("lat", "latitude"))
    value = fields.fraction("xco2" + suffix)
    scale = scale_named_in(nc.attribute_text(value.variable)) or ("X2019" if suffix else "X2007")
    if stream.scale in ("X2007", "X2019") and scale != stream.scale:
        raise InputError("the stream's scale is not that of the file", f"{fields.path}, {value.variable.name}", f"the file says {scale}",
                         stream.scale, "remove the stream's scale, or convert with value_factor and value_offset_ppm")
    water = _water(fields, rows)
    operator, prior = fields.need("integration_operator" + suffix, levels=True), fields.fraction("prior_co2", levels=True)
    pressure = fields.pressure("prior_pressure").take(rows)
    kernel = fields.need("ak_xco2", levels=True).take(rows)
    _check_levels(kernel, dataset, fields, pressure)
    extrapolation = fields.find("extrapolation_flags_ak_xco2", "extrapolation_flags_ak_xco2" + suffix)
    turn = _surface_first(pressure)
    order = slice(None, None, -1) if turn else slice(None)
    ones = np.ones(len(rows))
    return Spectra(
        times, fields.need("long", "longitude", "lon").take(rows), fields.need("lat", "latitude").take(rows), value.take(rows),
        fields.error("xco2_error" + suffix).take(rows), fields.fraction("prior_xco2" + suffix).take(rows),
        fields.need("solzen").take(rows), 0.0 * ones if extrapolation is None else extrapolation.take(rows), pressure[:, order],
        (operator.take(rows) * (1.0 - water))[:, order], kernel[:, order], (prior.take(rows) / (1.0 - water))[:, order],
        np.full(len(rows), site, dtype=object), identifiers(site, times), scale)


def _water(fields: Fields, rows: np.ndarray) -> np.ndarray:
    """Wet mole fraction of water [1]."""
    water = fields.need("prior_h2o", levels=True).take(rows)
    return checked_water(water, nc.place_of(fields.need("prior_h2o", levels=True).variable))


def _check_levels(kernel: np.ndarray, dataset: netCDF4.Dataset, fields: Fields, pressure: np.ndarray) -> None:
    """Kernels and priors have the same levels in all files seen: raise an InputError where they have not."""
    where = f"{fields.path}, ak_xco2 and prior_co2"
    if kernel.shape != pressure.shape:
        raise InputError("kernels and priors differ in their levels", where, f"{kernel.shape[1]} and {pressure.shape[1]}", "one number")
    altitudes = [_one_profile(dataset, name, kernel.shape[1]) for name in ("ak_altitude", "prior_altitude")]
    both = np.isfinite(altitudes[0]) & np.isfinite(altitudes[1])
    if both.sum() > 1:
        if not np.allclose(altitudes[0][both], altitudes[1][both], atol=SAME_ALTITUDE_KM, rtol=0.0):
            raise InputError("kernels and priors differ in their levels", where, f"altitudes such as {altitudes[0][both][:3]} and "
                             f"{altitudes[1][both][:3]} km", "the same")
        return
    own = nc.require_variable(dataset, ("ak_pressure",))
    levels = _one_profile(dataset, "ak_pressure", kernel.shape[1])
    ratio = levels * nc.pressure_factor(own, levels[None, :]) / pressure if len(pressure) else np.ones(1)
    if not ((ratio > 0.5) & (ratio < 2.0)).all():
        raise InputError("kernels and priors differ in their levels", where, "pressures that differ by more than a factor of two",
                         "the same")


def _one_profile(dataset: netCDF4.Dataset, name: str, n_levels: int) -> np.ndarray:
    """A variable of one number a level; NaN where the file has none such."""
    variable = nc.find_variable(dataset, (name,))
    if variable is None or variable.shape != (n_levels,):
        return np.full(n_levels, np.nan)
    return nc.read_numbers(variable, variable.shape)


def _surface_first(pressure: np.ndarray) -> bool:
    """Whether levels run from the surface up, by most of the profiles."""
    with np.errstate(invalid="ignore"):
        return np.count_nonzero(pressure[:, 0] > pressure[:, -1]) > np.count_nonzero(pressure[:, 0] < pressure[:, -1])


READER = MatchingReader(DEFAULT_FILES, read_file, time_span)
read, check = READER.read, READER.check
