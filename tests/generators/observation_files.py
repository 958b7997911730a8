"""Makes small observation files in the layouts of the real ones, whole or with a fault, for tests of the readers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.observations.table import ColumnOperator, Observations, column_observations, point_observations

N_LEVELS = 20
MISSING = -999999.0


@dataclass
class Soundings:
    """Raw numbers as the products have them: hPa, ppm, top first; arrays may be changed by a test before writing."""

    time: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    xco2: np.ndarray
    error: np.ndarray
    prior_xco2: np.ndarray
    pressure: np.ndarray
    weight: np.ndarray
    kernel: np.ndarray
    prior: np.ndarray
    quality: np.ndarray
    warn_level: np.ndarray
    mode: np.ndarray


def make_soundings(n: int, day: str = "2010-06-15", seed: int = 1) -> Soundings:
    """`n` soundings spread over the globe and a UTC day."""
    random = np.random.default_rng(seed)
    sigma = np.arange(N_LEVELS) / (N_LEVELS - 1.0)
    sigma[0] = 1.0e-4
    edges = np.concatenate([[0.0], 0.5 * (sigma[1:] + sigma[:-1]), [1.0]])
    weight = np.tile(np.diff(edges) / np.diff(edges).sum(), (n, 1))
    prior = 385.0 + 8.0 * sigma + random.normal(0.0, 0.5, (n, 1))
    midnight = np.datetime64(day, "s").astype(np.int64)
    return Soundings(
        time=midnight + np.sort(random.uniform(0.0, 86399.0, n)), lon=random.uniform(-180.0, 179.99, n), lat=random.uniform(-70.0, 70.0, n),
        xco2=random.normal(390.0, 1.0, n), error=random.uniform(0.5, 1.5, n), prior_xco2=(weight * prior).sum(axis=1),
        pressure=random.uniform(800.0, 1015.0, (n, 1)) * sigma, weight=weight, kernel=0.3 + 0.7 * sigma + np.zeros((n, 1)), prior=prior,
        quality=np.zeros(n, dtype=np.int8), warn_level=random.integers(0, 20, n).astype(np.int8), mode=random.integers(0, 2, n))


def write_lite(path: Path, s: Soundings, *, fill: str = "missing_value", flip: bool = False, rename: dict[str, str] | None = None,
               units: dict[str, str] | None = None, warn_level: bool = True, oco: bool = False, value_comment: str = "",
               build: str = "B7.3.10A") -> None:
    """An ACOS Lite file: GOSAT's groups, or OCO's with `oco`; `flip` writes the surface first."""
    rename, units = rename or {}, units or {}
    order = slice(None, None, -1) if flip else slice(None)
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.BuildId = build
        dataset.createDimension("sounding_id", len(s.time))
        dataset.createDimension("levels", N_LEVELS)

        def put(place, name: str, kind: str, values: np.ndarray, unit: str = "", comment: str = "") -> None:
            code = np.asarray(MISSING, dtype=kind)[()] if kind.startswith("f") else None
            variable = place.createVariable(rename.get(name, name), kind, ("sounding_id", "levels")[: values.ndim],
                                            fill_value=code if fill == "_FillValue" else None)
            if code is not None and fill == "missing_value":
                variable.missing_value = code
            if units.get(name, unit):
                variable.units = units.get(name, unit)
            if comment:
                variable.comment = comment
            variable[...] = np.nan_to_num(values, nan=MISSING) if kind.startswith("f") else values

        put(dataset, "sounding_id", "u8" if oco else "i8", np.array([20100615000000 + i for i in range(len(s.time))]))
        put(dataset, "time", "f8", s.time, "seconds since 1970-01-01 00:00:00")
        put(dataset, "latitude", "f4", s.lat, "degrees_north")
        put(dataset, "longitude", "f4", s.lon, "degrees_east")
        put(dataset, "xco2", "f4", s.xco2, "ppm", value_comment)
        put(dataset, "xco2_uncertainty", "f4", s.error, "ppm")
        put(dataset, "xco2_apriori", "f4", s.prior_xco2, "ppm")
        put(dataset, "xco2_quality_flag", "i1", s.quality)
        if warn_level:
            put(dataset, "warn_level", "i1", s.warn_level)
        for name, values, unit in (("pressure_levels", s.pressure, "hPa"), ("pressure_weight", s.weight, "1"),
                                   ("xco2_averaging_kernel", s.kernel, "1"), ("co2_profile_apriori", s.prior, "ppm")):
            put(dataset, name, "f4", values[:, order], unit)
        retrieval, sounding = dataset.createGroup("Retrieval"), dataset.createGroup("Sounding")
        put(retrieval, "surface_type", "i1", (s.mode % 2).astype(np.int8))
        if oco:
            put(sounding, "operation_mode", "i1", s.mode.astype(np.int8))
        else:
            put(sounding, "gain", "S1", np.where(s.mode == 1, b"H", b"M").astype("S1"))
            with warnings.catch_warnings():  # real files carry such an attribute
                warnings.simplefilter("ignore", UserWarning)
                sounding["gain"].missing_value = "not a number"


def write_gcasv2_satellite(path: Path, s: Soundings, flip: bool = False, leave_out: tuple[str, ...] = ()) -> None:
    """A daily satellite file of GCASv2: NETCDF3, no attributes, decimal hours, longitude 0..360."""
    order = slice(None, None, -1) if flip else slice(None)
    day = np.floor(s.time / 86400.0).astype(np.int64)
    dates = np.array([int(np.datetime64(int(d), "D").item().strftime("%Y%m%d")) for d in day])
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as dataset:
        dataset.createDimension("nSamples", len(s.time))
        dataset.createDimension("Level", N_LEVELS)
        for name, kind, values in (
                ("date", "i4", dates), ("time", "f4", (s.time - 86400.0 * day) / 3600.0), ("latitude", "f4", s.lat),
                ("longitude", "f4", s.lon % 360.0), ("surfacepressure", "f4", s.pressure[:, -1]), ("pressure", "f4", s.pressure[:, order]),
                ("xco2", "f4", s.xco2), ("xco2unc", "f4", s.error), ("constraintvector", "f4", s.prior[:, order]),
                ("axco2", "f4", s.prior_xco2), ("averagingKernel", "f4", s.kernel[:, order]),
                ("weightingfunction", "f4", s.weight[:, order]), ("opmode", "i4", s.mode)):
            if name not in leave_out:
                dataset.createVariable(name, kind, ("nSamples", "Level")[: values.ndim])[...] = values


CURRENT_COLUMNS = ("site_code year month day hour minute second datetime time_decimal air_sample_container_id value value_unc latitude "
                   "longitude altitude elevation intake_height method event_number instrument analysis_datetime qcflag")


def write_flasks(path: Path, rows: list[tuple[str, float, str, float, int]], columns: str = CURRENT_COLUMNS, gas: str = "co2") -> None:
    """A NOAA event file of today's dialect; rows are (time, value, flag, altitude, event)."""
    lines = ["# header_lines : 5", "#", f"# dataset_parameter : {gas}", "# dataset_calibration_scale : CO2_X2019", columns]
    for when, value, flag, altitude, event in rows:
        date = np.datetime64(when, "s").item()
        lines.append(f"MLO {date.year} {date.month} {date.day} {date.hour} {date.minute} {date.second} {date.isoformat()}Z 2010.45 1-99 "
                     f"{value} 0.05 19.53 -155.58 {altitude} 3397.0 5.0 S {event} L10 2010-07-01T00:00:00 {flag}")
    path.write_text("\n".join(lines) + "\n")


def make_columns(time, lon, lat, value, error, product: str = "sat") -> Observations:
    """Soundings with a plain operator: kernel one, 20 levels from 1000 hPa up."""
    n = len(time)
    s = make_soundings(n)
    pressure = np.tile(100.0 * np.linspace(0.1, 1000.0, N_LEVELS), (n, 1))
    operator = ColumnOperator(pressure, s.weight, np.ones((n, N_LEVELS)), 1.0e-6 * s.prior, s.prior_xco2)
    return column_observations(time=np.asarray(time, dtype=float), lon=lon, lat=lat, value=value, error=error, product=product,
                               identifier=np.array([str(i) for i in range(n)], dtype=object), operator=operator, scale="X2007")


def make_points(time, lon, lat, altitude, value, error, product: str = "flask", site: str = "AAA") -> Observations:
    """Point samples of one site."""
    n = len(time)
    return point_observations(time=np.asarray(time, dtype=float), lon=lon, lat=lat, altitude=altitude, value=value, error=error,
                              product=product, site=np.full(n, site, dtype=object),
                              identifier=np.array([f"{site}:{i}" for i in range(n)], dtype=object), scale="X2007")
