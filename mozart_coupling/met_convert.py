"""The NCEP June climatology (monthly mean, T42, 17 pressure levels) as met files of the contract.

What is real: PS, T, U, V, humidity, TS, the surface heat fluxes. Winds are steady: the mean of many Junes, without weather.
What is added, since a monthly mean has none: a day. Over land the sensible and latent heat fluxes follow the sun about
their real daily mean; boundary-layer height, solar flux and convective mass flux are those of the analytic climate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np

from mozart_coupling.constants import GRAVITY
from mozart_coupling.embedded import climate
from mozart_coupling.embedded.levels import check_coefficients, level_pressure, mid_coefficients
from mozart_coupling.errors import MetError
from mozart_coupling.grids import Grid, regrid
from mozart_coupling.met_format import write_met_days

DRIEST = 3.0e-6  # kg/kg, the stratosphere's
NIGHT_HEAT = -15.0  # W m-2, sensible heat flux over land without sun
JUNE = 6

# name in the file: (expected units, factor to SI)
UNITS = {
    "PS": (("millibars", "mb", "hPa"), 100.0), "T": (("K",), 1.0), "U": (("m/s",), 1.0), "V": (("m/s",), 1.0),
    "Z3": (("meters", "m"), 1.0), "SHUM": (("g/kg",), 1.0e-3), "TS": (("K",), 1.0),
    "SHFLX": (("W m^-2", "W/m^2"), 1.0), "LHFLX": (("W m^-2", "W/m^2"), 1.0),
}


@dataclass(frozen=True)
class Climatology:
    """The fields of the file on one grid; pressures [Pa] ascend, so that the top comes first."""

    pressure: np.ndarray
    humidity_pressure: np.ndarray
    fields: dict[str, np.ndarray]


def convert_ncep_climatology(
    source: str | Path,
    directory: str | Path,
    prefix: str,
    grid: Grid,
    hyai: np.ndarray,
    hybi: np.ndarray,
    start: np.datetime64,
    end: np.datetime64,
    step_hours: int = 6,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write met files for a run over [start, end] in June of any year, from the day before to the day after.

    Fields are put on `grid` conservatively; T and winds are interpolated to the hybrid levels linearly in the logarithm
    of pressure, humidity linearly in pressure, all held constant beyond the file's levels (humidity falls to 3e-6 kg/kg
    above its uppermost, at 300 hPa, with the cube of pressure). PHIS is where PS meets the file's geopotential heights.

    Parameters
    ----------
    source
        `ncep_june_climatology_t42.nc`.
    step_hours
        3 or 6.
    progress
        Called with (files done, files in all).

    Returns
    -------
    list of Path
        The files, in order of time.

    Raises
    ------
    MetError
        Not that file, dates outside June, unusable levels.
    """
    start, end = np.datetime64(start, "s"), np.datetime64(end, "s")
    _check_dates(start, end)
    check_coefficients(hyai, hybi, "convert_ncep_climatology")
    climatology = read_climatology(Path(source), grid)
    steady = steady_fields(climatology, hyai, hybi)
    surface = climate.Surface(grid)
    return write_met_days(directory, prefix, grid, (hyai, hybi), (start, end), step_hours,
                          lambda time: steady | daily_fields(surface, time, steady, climatology.fields, hyai, hybi),
                          {"title": "NCEP reanalysis June climatology, steady winds", "source": Path(source).name}, progress)


def read_climatology(source: Path, grid: Grid) -> Climatology:
    """Read the file in SI units, top first, and put it on a grid."""
    try:
        with netCDF4.Dataset(source) as dataset:
            fields = {name: _read(dataset, name, source) for name in UNITS}
            pressure = 100.0 * _read_axis(dataset, "lev", source)
            humidity_pressure = 100.0 * _read_axis(dataset, "lev2", source)
            own = Grid.from_centres(_read_axis(dataset, "lon", source), _read_axis(dataset, "lat", source))
    except FileNotFoundError:
        raise MetError("the climatology is missing", source) from None
    except (OSError, RuntimeError) as error:
        raise MetError("the climatology cannot be read", source, str(error), "a NetCDF file") from None
    for name, values in fields.items():
        if values.ndim == 3:
            axis = humidity_pressure if name == "SHUM" else pressure
            values = values[np.argsort(axis)]
        fields[name] = regrid(values, own, grid)
    fields["SHUM"] = np.maximum(fields["SHUM"], DRIEST)
    return Climatology(np.sort(pressure), np.sort(humidity_pressure), fields)


def steady_fields(source: Climatology, hyai: np.ndarray, hybi: np.ndarray) -> dict[str, np.ndarray]:
    """What does not change in a day, under the contract's names."""
    surface_pressure = source.fields["PS"]
    target = level_pressure(*mid_coefficients(hyai, hybi), surface_pressure)
    log_source, log_target = np.log(source.pressure), np.log(target)
    fields = {name: interpolate_levels(source.fields[name], log_source, log_target) for name in ("T", "U", "V")}
    humidity = interpolate_levels(source.fields["SHUM"], source.humidity_pressure, target)
    above = np.minimum(target / source.humidity_pressure[0], 1.0) ** 3
    fields["Q"] = np.maximum(humidity * above, DRIEST)
    height = interpolate_levels(source.fields["Z3"], log_source, np.log(surface_pressure)[None], extrapolate=True)[0]
    return fields | {"PS": surface_pressure, "PHIS": GRAVITY * height, "TS": source.fields["TS"]}


def daily_fields(surface: climate.Surface, time: np.datetime64, steady: dict[str, np.ndarray], means: dict[str, np.ndarray],
                 hyai: np.ndarray, hybi: np.ndarray) -> dict[str, np.ndarray]:
    """The surface at one time of the day, whose heat fluxes have the means SHFLX and LHFLX."""
    sensible, latent = means["SHFLX"], means["LHFLX"]
    u, v = steady["U"][-1], steady["V"][-1]
    sun, mean_sun = climate.sunlight(surface, time)
    share = np.where(mean_sun > 0.02, sun / np.maximum(mean_sun, 0.02), 1.0)  # the polar night keeps its mean
    diurnal = surface.is_land & (sensible > NIGHT_HEAT)
    drag = 1.2 * np.where(surface.is_land, 3.0e-3, 1.3e-3) * np.hypot(u, v)
    frozen = ~surface.is_land & (steady["TS"] < 271.0)
    snow = surface.is_land & (steady["TS"] < 271.0)
    sigma = level_pressure(hyai, hybi, steady["PS"]) / steady["PS"]
    return {
        "SHFLX": np.where(diurnal, NIGHT_HEAT + (sensible - NIGHT_HEAT) * share, sensible),
        "QFLX": np.where(surface.is_land, latent * share, latent) / climate.LATENT_HEAT,
        "TAUX": drag * u,
        "TAUY": drag * v,
        "FSDS": 0.62 * climate.SOLAR_CONSTANT * sun,
        **climate.cover(surface, snow, frozen),
        "PBLH": climate.boundary_layer_height(surface, time, np.hypot(u, v), frozen),
        "CMFMC": climate.convective_mass_flux(surface, time, -1.0, sigma),
    }


def interpolate_levels(values: np.ndarray, axis: np.ndarray, target: np.ndarray, extrapolate: bool = False) -> np.ndarray:
    """Linear interpolation along the first dimension.

    Parameters
    ----------
    values
        (n, nlat, nlon) at the ascending positions `axis` (n,).
    target
        Positions wanted (m, nlat, nlon), in the units of `axis`.
    extrapolate
        Go on linearly beyond the axis; else hold the end values.

    Returns
    -------
    numpy.ndarray
        (m, nlat, nlon).
    """
    upper = np.clip(np.searchsorted(axis, target), 1, axis.size - 1)
    weight = (target - axis[upper - 1]) / (axis[upper] - axis[upper - 1])
    if not extrapolate:
        weight = np.clip(weight, 0.0, 1.0)
    low, high = (np.take_along_axis(values, index, axis=0) for index in (upper - 1, upper))
    return low + weight * (high - low)


def _check_dates(start: np.datetime64, end: np.datetime64) -> None:
    last = end - np.timedelta64(1, "s")
    months = [int(time.astype("datetime64[M]").astype(int) % 12) + 1 for time in (start, last)]
    if end <= start or months != [JUNE, JUNE] or start.astype("datetime64[Y]") != last.astype("datetime64[Y]"):
        raise MetError("the climatology is June's", "convert_ncep_climatology", f"{start} … {end}", "dates in one June")


def _read_axis(dataset: netCDF4.Dataset, name: str, source: Path) -> np.ndarray:
    if name not in dataset.variables:
        raise MetError("not the NCEP climatology: an axis is missing", source, ", ".join(dataset.variables), name)
    return np.asarray(dataset.variables[name][:], dtype=np.float64)


def _read(dataset: netCDF4.Dataset, name: str, source: Path) -> np.ndarray:
    """One field without its time dimension, in SI units and without missing values."""
    values, (units, factor) = _read_axis(dataset, name, source), UNITS[name]
    found = getattr(dataset.variables[name], "units", "")
    if found not in units:
        raise MetError("not the NCEP climatology: other units", f"{source}, {name}", repr(found), " or ".join(units))
    if values.shape[0] != 1 or np.ma.is_masked(dataset.variables[name][:]) or np.abs(values).max() > 1e6:
        raise MetError("not the NCEP climatology: several times, or missing values", f"{source}, {name}", str(values.shape))
    return values[0] * factor
