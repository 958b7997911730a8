"""Meteorology as users download it, in every layout, from one analytic atmosphere on a small grid.

Layouts follow what the data stores deliver: the old Climate Data Store's NetCDF (16-bit integers, `time`, `level`), the new one's
(`valid_time`, `pressure_level`, `number`, `expver`), GRIB 1 with coefficients in `pv`, ERA-Interim with accumulations from the start of the
forecast, MERRA-2 (72 levels, DELP, means dated at mid-interval, fill values of 1e15).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from mozart_coupling.reanalysis.levels import published_levels

EPOCH = np.datetime64("2010-06-01", "s")
LAT = np.linspace(90.0, -90.0, 13)
LON = np.arange(24) * 15.0
PRESSURES = np.array([1, 2, 5, 10, 20, 30, 50, 70, 100, 150, 200, 250, 300, 400, 500, 600, 700, 775, 850, 900, 925, 950, 975,
                      1000.0])  # hPa
FEW_LEVELS = (np.array([0.0, 300.0, 2000.0, 6000.0, 10000.0, 12000.0, 11000.0, 7000.0, 3000.0, 800.0, 0.0, 0.0]),
              np.array([0.0, 0.0, 0.0, 0.01, 0.06, 0.18, 0.36, 0.60, 0.80, 0.93, 0.98, 1.0]))  # a [Pa], b; for GRIB

Field = np.ndarray


def times(first: str, last: str, hours: float, offset: float = 0.0) -> np.ndarray:
    """From `first` to `last`, both included, every so many hours, shifted by `offset` hours."""
    low, high = (np.datetime64(text, "s") for text in (first, last))
    step = np.timedelta64(int(3600 * hours), "s")
    return np.arange(low, high + np.timedelta64(1, "s"), step) + np.timedelta64(int(3600 * offset), "s")


def _hours(time: np.ndarray) -> Field:
    return ((time - EPOCH) / np.timedelta64(3600, "s"))[:, None, None]


class Atmosphere:
    """Analytic fields at latitudes and longitudes; times (n,) → (n, nlat, nlon)."""

    def __init__(self, lat: np.ndarray = LAT, lon: np.ndarray = LON) -> None:
        self.lat, self.lon = lat, lon
        self._phi, self._lambda = np.deg2rad(lat)[:, None], np.deg2rad(lon)[None, :]

    def _wave(self, time: np.ndarray) -> Field:
        return np.cos(self._phi) ** 2 * np.cos(self._lambda - 2.0 * np.pi * _hours(time) / 96.0)

    def ps(self, time: np.ndarray) -> Field:
        """Surface pressure [Pa]."""
        return 98000.0 + 1500.0 * np.cos(self._phi) * np.cos(2.0 * self._lambda) + 600.0 * self._wave(time)

    def phis(self) -> Field:
        """Surface geopotential (nlat, nlon) [m2 s-2]."""
        return 3000.0 * (1.0 + np.cos(self._phi) * np.cos(2.0 * self._lambda)) * np.ones_like(self._lambda)

    def land(self) -> Field:
        """Land fraction (nlat, nlon)."""
        return np.where(np.sin(self._lambda) * np.ones_like(self._phi) > 0.05, 1.0, 0.0)

    def state(self, time: np.ndarray, pressure: Field) -> dict[str, Field]:
        """t, u, v, q at pressures (n, k, nlat or 1, nlon or 1) [Pa] → (n, k, nlat, nlon)."""
        height = -np.log(pressure / 1.0e5)
        wave = self._wave(time)[:, None]
        cos, sin = np.cos(self._phi), np.sin(self._phi)
        return {"t": 215.0 + 75.0 * (pressure / 1.0e5) ** 0.9 * (0.8 + 0.2 * cos) + 2.0 * wave,
                "u": cos * (5.0 + 6.0 * height) + 4.0 * wave, "v": 3.0 * sin * wave * (1.0 + 0.2 * height),
                "q": 3.0e-6 + 0.014 * (pressure / 1.0e5) ** 3 * cos**2 + 0.0 * wave}

    def surface(self, time: np.ndarray) -> dict[str, Field]:
        """Instantaneous surface fields under their ECMWF names."""
        wave = self._wave(time)
        return {"sp": self.ps(time), "blh": 700.0 + 400.0 * wave, "skt": 285.0 + 8.0 * wave,
                "siconc": np.where(self.lat[:, None] > 74.0, 0.9, 0.0) + 0.0 * wave}

    def upward(self, name: str, time: np.ndarray) -> Field:
        """Integral since EPOCH of upward heat [J m-2], latent heat [J m-2], or of eastward or northward stress [N m-2 s]."""
        mean, swing = {"sshf": (40.0, 120.0), "slhf": (80.0, 60.0), "ewss": (0.1, 0.05), "nsss": (0.02, 0.04)}[name]
        hours = _hours(time)
        omega = 2.0 * np.pi / 24.0
        cycle = np.sin(omega * hours + self._lambda) - np.sin(self._lambda)
        return 3600.0 * np.cos(self._phi) ** 2 * (mean * hours + swing * cycle / omega)

    def between(self, name: str, start: np.ndarray, end: np.ndarray) -> Field:
        """What ECMWF accumulates from `start` to `end`: heat counts positive downward."""
        sign = -1.0 if name in ("sshf", "slhf") else 1.0
        return sign * (self.upward(name, end) - self.upward(name, start))


FLUXES = ("sshf", "slhf", "ewss", "nsss")
UNITS = {"t": "K", "u": "m s**-1", "v": "m s**-1", "q": "kg kg**-1", "sp": "Pa", "z": "m**2 s**-2", "blh": "m", "skt": "K",
         "sshf": "J m**-2", "slhf": "J m**-2", "ewss": "N m**-2 s", "nsss": "N m**-2 s", "lnsp": "~", "lsm": "(0 - 1)", "siconc": "(0 - 1)"}


def hourly_fluxes(air: Atmosphere, time: np.ndarray) -> dict[str, Field]:
    """Accumulations of ERA5: over the hour before each time."""
    return {name: air.between(name, time - np.timedelta64(3600, "s"), time) for name in FLUXES}


def forecast_fluxes(air: Atmosphere, time: np.ndarray) -> dict[str, Field]:
    """Accumulations of ERA-Interim: since the last forecast began, at 00 or 12 UTC."""
    day = (time - np.timedelta64(1, "s")).astype("datetime64[D]").astype("datetime64[s]")
    half = np.timedelta64(12 * 3600, "s")
    start = day + ((time - np.timedelta64(1, "s") - day) // half) * half
    return {name: air.between(name, start, time) for name in FLUXES}


def model_levels(air: Atmosphere, time: np.ndarray, a: np.ndarray, b: np.ndarray) -> dict[str, Field]:
    """t, u, v, q in the middle of layers, top first."""
    faces = a[:, None, None] + b[:, None, None] * air.ps(time)[:, None]
    return air.state(time, np.maximum(0.5 * (faces[:, 1:] + faces[:, :-1]), 1.0))


def _dataset(fields: dict[str, Field], time: np.ndarray, names: tuple[str, ...], axes: dict[str, object]) -> xr.Dataset:
    variables = {}
    for name, values in fields.items():
        dims = names if values.ndim == len(names) else (names[0], *names[-2:])
        variables[name] = (dims, values.astype(np.float32), {"units": UNITS.get(name, "1")})
    coordinates = {key: ((key,), value) if not isinstance(value, tuple) else value for key, value in axes.items()}
    coordinates[names[0]] = (names[0], time.astype("datetime64[ns]"))
    data = xr.Dataset(variables, coordinates)
    for name, units in (("latitude", "degrees_north"), ("longitude", "degrees_east")):
        data[name] = data[name].assign_attrs(units=units)
    return data


def _packed(data: xr.Dataset) -> dict[str, dict]:
    """16-bit integers with scale and offset, as grib_to_netcdf writes them."""
    encoding: dict[str, dict] = {"time": {"units": "hours since 1900-01-01 00:00:00.0", "dtype": "int32"}}
    for name, field in data.data_vars.items():
        low, high = float(field.min()), float(field.max())
        scale = max(high - low, 1.0e-30) / 65000.0
        encoding[name] = {"dtype": "int16", "scale_factor": scale, "add_offset": 0.5 * (low + high), "_FillValue": -32767}
    return encoding


def old_store_pressure(directory: Path, time: np.ndarray, flux_time: np.ndarray) -> list[Path]:
    """ERA5 of the old store: pressure levels top first in hPa, single levels, invariants; packed."""
    air = Atmosphere()
    axes = {"latitude": LAT, "longitude": LON}
    level = {"level": ("level", PRESSURES.astype(np.int32), {"units": "millibars"})}
    state = air.state(time, 100.0 * PRESSURES[None, :, None, None])
    levels = _dataset(state, time, ("time", "level", "latitude", "longitude"), axes | level)
    single = _dataset(air.surface(time), time, ("time", "latitude", "longitude"), axes)
    fluxes = _dataset(hourly_fluxes(air, flux_time), flux_time, ("time", "latitude", "longitude"), axes)
    constant = _dataset({"z": air.phis()[None], "lsm": air.land()[None]}, np.array([np.datetime64("1989-01-01", "s")]),
                        ("time", "latitude", "longitude"), axes)
    return _write(directory, {"levels": levels, "single": single, "fluxes": fluxes, "constant": constant}, _packed, "NETCDF3_64BIT")


def new_store(directory: Path, time: np.ndarray, flux_time: np.ndarray, fields: dict[str, Field],
              level: tuple[str, np.ndarray]) -> list[Path]:
    """The new store: `valid_time`, `number`, `expver`; instantaneous and accumulated fields in two files; pressure from the ground up."""
    air = Atmosphere()
    extra = {"latitude": LAT, "longitude": LON, "number": ((), 0), "expver": ("valid_time", np.full(time.size, "0001"))}
    axes = extra | {level[0]: (level[0], level[1], {"units": "hPa"} if level[0] == "pressure_level" else {})}
    levels = _dataset(fields, time, ("valid_time", level[0], "latitude", "longitude"), axes)
    constant = {"z": np.repeat(air.phis()[None], time.size, 0), "lsm": np.repeat(air.land()[None], time.size, 0)}
    surface = air.surface(time)
    surface["siconc"] = np.where(air.land() > 0.5, np.nan, surface["siconc"])  # ERA5 has none over land
    instant = _dataset(surface | constant, time, ("valid_time", "latitude", "longitude"), extra)
    accumulated = _dataset(hourly_fluxes(air, flux_time), flux_time, ("valid_time", "latitude", "longitude"),
                           {key: value for key, value in extra.items() if key != "expver"})
    return _write(directory, {"levels": levels, "stepType-instant": instant, "stepType-accum": accumulated}, lambda data: {})


def new_store_pressure(directory: Path, time: np.ndarray, flux_time: np.ndarray) -> list[Path]:
    """ERA5 of the new store on pressure levels."""
    fields = Atmosphere().state(time, 100.0 * PRESSURES[::-1][None, :, None, None])
    return new_store(directory, time, flux_time, fields, ("pressure_level", PRESSURES[::-1]))


def new_store_model(directory: Path, time: np.ndarray, flux_time: np.ndarray) -> list[Path]:
    """ERA5 on its 137 levels, without coefficients, with the logarithm of surface pressure as level 1 instead of `sp`."""
    air = Atmosphere()
    fields = model_levels(air, time, *published_levels(137))
    paths = new_store(directory, time, flux_time, fields, ("model_level", np.arange(1.0, 138.0)))
    with xr.open_dataset(paths[1]) as data:
        data = data.load().drop_vars("sp")
    data.to_netcdf(paths[1])
    lnsp = _dataset({"lnsp": np.log(air.ps(time))[:, None]}, time, ("valid_time", "model_level", "latitude", "longitude"),
                    {"latitude": LAT, "longitude": LON, "model_level": ("model_level", np.array([1.0]))})
    return paths + _write(directory, {"lnsp": lnsp}, lambda data: {"lnsp": {"dtype": "float64"}})


def old_store_model(directory: Path, time: np.ndarray, flux_time: np.ndarray) -> list[Path]:
    """ERA5 on 137 levels, one request of the archive made NetCDF: packed; `lnsp` and `z` on all levels, with values on level 1 only."""
    air = Atmosphere()
    fields = model_levels(air, time, *published_levels(137))
    for name, values in (("lnsp", np.log(air.ps(time))), ("z", np.repeat(air.phis()[None], time.size, 0))):
        fields[name] = np.full_like(fields["t"], np.nan)
        fields[name][:, 0] = values
    axes = {"latitude": LAT, "longitude": LON, "level": ("level", np.arange(1, 138, dtype=np.int32), {"long_name": "model_level_number"})}
    levels = _dataset(fields, time, ("time", "level", "latitude", "longitude"), axes)
    surface = {"latitude": LAT, "longitude": LON}
    instant = {name: values for name, values in air.surface(time).items() if name != "sp"}
    single = _dataset(instant, time, ("time", "latitude", "longitude"), surface)
    fluxes = _dataset(hourly_fluxes(air, flux_time), flux_time, ("time", "latitude", "longitude"), surface)
    return _write(directory, {"levels": levels, "single": single, "fluxes": fluxes}, _packed)


def era_interim(directory: Path, time: np.ndarray, flux_time: np.ndarray) -> list[Path]:
    """ERA-Interim on 60 levels as its server gave it: packed, analyses and forecasts apart, accumulations since 00 and 12 UTC, `ci`."""
    air = Atmosphere()
    axes = {"latitude": LAT, "longitude": LON, "level": ("level", np.arange(1, 61, dtype=np.int32), {"long_name": "model_level_number"})}
    surface = {"latitude": LAT, "longitude": LON}
    levels = _dataset(model_levels(air, time, *published_levels(60)), time, ("time", "level", "latitude", "longitude"), axes)
    instant = air.surface(time)
    instant["ci"] = instant.pop("siconc")
    constant = _dataset({"z": air.phis()[None], "lsm": air.land()[None]}, time[:1], ("time", "latitude", "longitude"), surface)
    datasets = {"levels": levels, "analysis": _dataset(instant, time, ("time", "latitude", "longitude"), surface),
                "forecast": _dataset(forecast_fluxes(air, flux_time), flux_time, ("time", "latitude", "longitude"), surface),
                "constant": constant}
    return _write(directory, datasets, _packed)


def merra(directory: Path, time: np.ndarray, flux_time: np.ndarray) -> list[Path]:
    """MERRA-2: longitudes from -180, latitudes ascending, layers with DELP, hourly means dated at the half hour, fluxes upward."""
    lat, lon = LAT[::-1], LON - 180.0
    air = Atmosphere(lat, lon)
    a, b = published_levels(72)
    faces = a[:, None, None] + b[:, None, None] * air.ps(time)[:, None]
    rename = {"t": "T", "u": "U", "v": "V", "q": "QV"}
    state = {rename[name]: values for name, values in model_levels(air, time, a, b).items()}
    state |= {"DELP": np.diff(faces, axis=1), "PS": air.ps(time), "PHIS": np.repeat(air.phis()[None], time.size, 0)}
    axes = {"latitude": lat, "longitude": lon}
    layers = {"lev": ("lev", np.arange(1.0, 73.0), {"units": "layer"})}
    levels = _dataset(state, time, ("time", "lev", "latitude", "longitude"), axes | layers)
    half = np.timedelta64(1800, "s")
    means = {name: (air.upward(source, flux_time + half) - air.upward(source, flux_time - half)) / 3600.0
             for name, source in (("HFLUX", "sshf"), ("EFLUX", "slhf"), ("TAUX", "ewss"), ("TAUY", "nsss"))}
    instant = air.surface(flux_time)
    means |= {"PBLH": instant["blh"], "TS": instant["skt"], "FRSEAICE": instant["siconc"]}
    fluxes = _dataset(means, flux_time, ("time", "latitude", "longitude"), axes)
    constant = _dataset({"FRLAND": air.land()[None]}, time[:1], ("time", "latitude", "longitude"), axes)
    short = {"latitude": "lat", "longitude": "lon"}
    datasets = {name: data.rename(short) for name, data in {"inst3_3d_asm_Nv": levels, "tavg1_2d_flx_Nx": fluxes,
                                                            "const_2d_asm_Nx": constant}.items()}
    for name in ("T", "U", "V", "QV", "PHIS"):
        datasets["inst3_3d_asm_Nv"][name].attrs["units"] = {"T": "K", "QV": "kg kg-1", "PHIS": "m+2 s-2"}.get(name, "m s-1")
    for name in ("DELP", "PS"):
        datasets["inst3_3d_asm_Nv"][name].attrs["units"] = "Pa"
    datasets["tavg1_2d_flx_Nx"]["TS"].attrs["units"] = "K"


    def encode(data: xr.Dataset) -> dict[str, dict]:
        first = str(data["time"].values[0].astype("datetime64[s]")).replace("T", " ")
        return {name: {"_FillValue": np.float32(1.0e15)} for name in data.data_vars} | {
            "time": {"units": f"minutes since {first}", "dtype": "int32"}}

    return _write(directory, datasets, encode)


def _write(directory: Path, datasets: dict[str, xr.Dataset], encode: Callable[[xr.Dataset], dict], form: str = "NETCDF4") -> list[Path]:
    paths = []
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in datasets.items():
        paths.append(directory / f"{name}.nc")
        data.to_netcdf(paths[-1], format=form, encoding=encode(data))
    return paths


def grib(path: Path, time: np.ndarray, flux_time: np.ndarray, forecasts: bool = False) -> list[Path]:
    """GRIB 1: eleven model levels with `pv`, lnsp and z at level 1, surface fields; accumulations with `forecasts` as ERA-Interim's."""
    air = Atmosphere()
    with open(path, "wb") as handle:
        state = model_levels(air, time, *FEW_LEVELS)
        for n, when in enumerate(time):
            for name, values in state.items():
                for k, field in enumerate(values[n], start=1):
                    _message(handle, name, 109, k, when, 0, field)
            _message(handle, "lnsp", 109, 1, when, 0, np.log(air.ps(time[n : n + 1]))[0])
            _message(handle, "z", 109, 1, when, 0, air.phis())
            for name in ("blh", "skt"):
                _message(handle, name, 1, 0, when, 0, air.surface(time[n : n + 1])[name][0])
        make = forecast_fluxes if forecasts else hourly_fluxes
        for n, when in enumerate(flux_time):
            day, second = when.astype("datetime64[D]").astype("datetime64[s]"), np.timedelta64(1, "s")
            if forecasts:  # from 00 and 12 UTC, steps to 12 h
                half = np.timedelta64(12 * 3600, "s")
                day = (when - second).astype("datetime64[D]").astype("datetime64[s]")
                start = day + ((when - second - day) // half) * half
            else:  # from 06 and 18 UTC
                half = np.timedelta64(12 * 3600, "s")
                early = day - np.timedelta64(6 * 3600, "s")
                start = early + ((when - second - early) // half) * half
            step = int((when - start) / np.timedelta64(3600, "s"))
            for name, field in make(air, flux_time[n : n + 1]).items():
                _message(handle, name, 1, 0, start, step, field[0])
    return [path]


def _message(handle: object, name: str, kind: int, level: int, start: np.datetime64, step: int, values: Field) -> None:
    """One GRIB 1 message of ECMWF on the grid of LAT and LON."""
    import eccodes

    day = start.astype("datetime64[D]")
    message = eccodes.codes_grib_new_from_samples("GRIB1")
    keys = {"centre": "ecmf", "table2Version": 128, "indicatorOfTypeOfLevel": kind, "Ni": LON.size, "Nj": LAT.size,
            "latitudeOfFirstGridPointInDegrees": 90.0, "latitudeOfLastGridPointInDegrees": -90.0, "longitudeOfFirstGridPointInDegrees": 0.0,
            "longitudeOfLastGridPointInDegrees": float(LON[-1]), "iDirectionIncrementInDegrees": 15.0, "jDirectionIncrementInDegrees": 15.0,
            "shortName": name, "dataDate": int(str(day).replace("-", "")), "dataTime": int((start - day) / np.timedelta64(3600, "s")) * 100,
            "stepRange": str(step), "level": level, "bitsPerValue": 24}
    for key, value in keys.items():
        eccodes.codes_set(message, key, value)
    if kind == 109:
        eccodes.codes_set(message, "PVPresent", 1)
        eccodes.codes_set_array(message, "pv", np.concatenate(FEW_LEVELS))
    eccodes.codes_set_values(message, values.ravel())
    eccodes.codes_write(message, handle)
    eccodes.codes_release(message)
