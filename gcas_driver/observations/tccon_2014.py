"""GGG2014's public files: kernels by pressure and solar zenith angle, one prior a day, weights to be made.

`time` and `prior_date` are days since 1970; -1e38 is missing. The prior is taken for a wet mole fraction, as its water is. It is the prior
of the spectrum's local day; of days that have none, of the nearest within a month. Kernels are linear in angle and pressure between the
table's entries and constant beyond them, which counts as an extrapolation of 2.
"""

from __future__ import annotations

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations import netcdf_fields as nc
from gcas_driver.observations.column_fields import Fields
from gcas_driver.observations.column_times import cf_time
from gcas_driver.observations.ground_columns import Spectra, checked_water, dry_weights, identifiers
from gcas_driver.observations.scales import scale_named_in
from gcas_driver.observations.streams import ColumnStream
from mozart_coupling.grids import wrap_longitude

DAYS = "days since 1970-01-01"
NEAREST_DAYS = 31.0


def times(fields: Fields) -> np.ndarray:
    """Times of all spectra (n,), seconds since 1970."""
    field = fields.need("time")
    return cf_time(field, "" if " since " in nc.units_of(field.variable) else DAYS)(0, fields.n)


def spectra(dataset: netCDF4.Dataset, stream: ColumnStream, rows: np.ndarray, time: np.ndarray, site: str) -> Spectra:
    """The given rows of a GGG2014 file.

    Raises
    ------
    InputError
        For a file whose kernels, priors or pressures are not laid out as GGG2014's.
    """
    fields = Fields(dataset, ("lat_deg", "lat"))
    if stream.scale == "X2019" and stream.value_factor == 1.0:
        raise InputError("the stream's scale is not that of the file", f"{fields.path}, xco2_ppm", "GGG2014 is on X2007", "X2007",
                         "convert with value_factor = 1.00079, value_offset_ppm = -0.142")
    value = fields.fraction("xco2_ppm", units="ppm")
    lon = fields.need("long_deg", "long").take(rows)
    zenith = fields.need("asza_deg", "solzen").take(rows)
    day, near = _day_of_prior(dataset, time, lon)
    prior, pressure = (_daily(dataset, name, day) for name in ("prior_co2", "prior_Pressure"))
    prior = prior * _fraction_factor(dataset, prior)
    pressure = pressure * nc.pressure_factor(nc.require_variable(dataset, ("prior_Pressure",)), pressure)
    water = checked_water(_daily(dataset, "prior_h2o", day), f"{fields.path}, prior_h2o")
    gravity = _daily(dataset, "prior_gravity", day)
    kernel, beyond = _kernels(dataset, pressure, zenith)
    ground = fields.pressure("pout_hPa", levels=False, units="hPa").take(rows)
    if len(pressure) and np.median(pressure[:, 0] > pressure[:, -1]):
        pressure, prior, water, kernel, gravity = (array[:, ::-1] for array in (pressure, prior, water, kernel, gravity))
    weight = dry_weights(pressure, ground, water, gravity)
    dry = np.where(near[:, None], prior / (1.0 - water), np.nan)
    error = fields.error("xco2_ppm_error", units="ppm").take(rows)
    return Spectra(time, lon, fields.need("lat_deg", "lat").take(rows), value.take(rows), error,
                   (weight * dry).sum(axis=1), zenith, beyond, pressure, weight, kernel, dry, np.full(len(rows), site, dtype=object),
                   identifiers(site, time), scale_named_in(nc.attribute_text(value.variable)) or "X2007")


def _day_of_prior(dataset: netCDF4.Dataset, time: np.ndarray, lon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the prior of each spectrum's local day, or else of the nearest day, and whether that is near enough (n,)."""
    variable = nc.require_variable(dataset, ("prior_date",))
    days = np.floor(nc.read_numbers(variable, variable.shape) + 0.01)
    if days.ndim != 1 or not np.isfinite(days).any():
        raise InputError("no dates of priors", nc.place_of(variable), str(variable.shape), "days since 1970")
    local = np.floor(time / 86400.0 + wrap_longitude(np.nan_to_num(lon)) / 360.0)
    order = np.argsort(np.where(np.isfinite(days), days, np.inf))
    ordered = days[order][:np.count_nonzero(np.isfinite(days))]
    after = np.clip(np.searchsorted(ordered, local), 0, len(ordered) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(ordered[before] - local) < np.abs(ordered[after] - local), before, after)
    return order[nearest], np.abs(ordered[nearest] - local) <= NEAREST_DAYS


def _daily(dataset: netCDF4.Dataset, name: str, day: np.ndarray) -> np.ndarray:
    """Profiles (n, n_levels) of the given days, of a variable (prior_date, prior_Height)."""
    variable = nc.require_variable(dataset, (name,))
    dims = nc.require_variable(dataset, ("prior_date",)).dimensions
    if len(variable.shape) != 2 or dims[0] not in variable.dimensions:
        raise InputError("wrong shape", nc.place_of(variable), f"{variable.shape}, ({', '.join(variable.dimensions)})",
                         "(prior_date, prior_Height)")
    if not len(day):
        return np.empty((0, variable.shape[1 - variable.dimensions.index(dims[0])]))
    first, last = int(day.min()), int(day.max()) + 1
    along = variable.dimensions.index(dims[0])
    raw = variable[first:last] if along == 0 else variable[:, first:last].T
    return nc.decoded(variable, raw)[day - first]


def _fraction_factor(dataset: netCDF4.Dataset, prior: np.ndarray) -> float:
    variable = nc.require_variable(dataset, ("prior_co2",))
    units = nc.units_of(variable)
    return nc.co2_factor(prior, "" if units.lower() in ("", "parts") else units, nc.place_of(variable))


def _kernels(dataset: netCDF4.Dataset, pressure: np.ndarray, zenith: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kernels (n, n_levels) at the levels of the priors, and 2 for spectra beyond the table's angles, else 0 (n,)."""
    angles, levels, table = (nc.require_variable(dataset, (name,)) for name in ("ak_zenith", "ak_P_hPa", "ak_co2"))
    angle, level = (nc.read_numbers(variable, variable.shape) for variable in (angles, levels))
    values = nc.read_numbers(table, table.shape)
    if table.dimensions == (*angles.dimensions, *levels.dimensions):
        values = values.T
    if values.shape != (level.size, angle.size) or not np.isfinite(values).all() or not np.isfinite(angle).all():
        raise InputError("kernels do not fit pressures and angles", nc.place_of(table), str(table.shape), f"({level.size}, {angle.size})")
    if not (angle.min() >= 0.0 and 30.0 < angle.max() <= 90.0 and (level > 0.0).all()):
        raise InputError("no angles and pressures of a table of kernels", f"{dataset.filepath()}, ak_zenith and ak_P_hPa",
                         f"{angle.min():g} to {angle.max():g} degrees, {level.min():g} to {level.max():g}", "0 to 90 degrees, hPa")
    level = level * nc.pressure_factor(levels, level[None, :])
    by_angle, by_level = np.argsort(angle), np.argsort(level)
    angle, level, values = angle[by_angle], level[by_level], values[by_level][:, by_angle]
    place = np.clip(np.searchsorted(angle, zenith) - 1, 0, angle.size - 2)
    share = np.clip((zenith - angle[place]) / (angle[place + 1] - angle[place]), 0.0, 1.0)
    at_angle = values[:, place] * (1.0 - share) + values[:, place + 1] * share
    kernel = np.array([np.interp(p, level, k) for p, k in zip(pressure, at_angle.T, strict=True)]).reshape(pressure.shape)
    return kernel, np.where((zenith < angle[0]) | (zenith > angle[-1]), 2.0, 0.0)
