"""TCCON's public files of GGG2020 and GGG2014, and the OCO-2 intercomparison's hourly averages, as their producers write them."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.observations import tccon, tccon_mip
from gcas_driver.observations.ground_columns import dry_weights
from gcas_driver.observations.streams import ColumnStream

from . import Specimen
from .obspack import components
from .reading import rows

START, END = np.datetime64("2016-05-01", "s"), np.datetime64("2016-06-01", "s")
N = 8
ATMOSPHERE_HPA = 1013.25


def altitudes(n: int, top: float) -> np.ndarray:
    """Kilometres, closer near the ground."""
    return top * np.linspace(0.0, 1.0, n) ** 1.5


def pressures(km: np.ndarray) -> np.ndarray:
    """hPa, of a scale height of 7.4 km."""
    return 1010.0 * np.exp(-km / 7.4)


def water(km: np.ndarray) -> np.ndarray:
    """Wet mole fraction."""
    return 9.0e-3 * np.exp(-km / 2.2) + 3.0e-6


def co2(km: np.ndarray) -> np.ndarray:
    """Dry mole fraction [ppm]."""
    return 404.0 + 3.0 * np.exp(-km / 1.5) - 6.0 * np.clip((km - 15.0) / 30.0, 0.0, 1.0)


def times() -> np.ndarray:
    """Seconds since 1970, two clear days."""
    noon = np.datetime64("2016-05-10T18:00", "s").astype(int)
    return noon + np.r_[0, 150, 300, 3900, 4050, 86400, 86550, 90450][:N].astype(float)


def kernel(km: np.ndarray, zenith: np.ndarray) -> np.ndarray:
    """Averaging kernels (n, n_levels), larger aloft for a high sun."""
    return 0.4 + 0.6 * np.exp(-km[None, :] / 12.0) + 0.004 * (zenith[:, None] - 45.0) * (1.0 - km[None, :] / km.max())


ZENITH = np.array([22.0, 22.4, 22.9, 30.1, 30.8, 21.9, 22.2, 29.5])
VALUES = np.array([403.11, 403.35, 402.97, 403.42, 403.05, 404.02, 403.88, 404.21])
ERRORS = np.array([0.45, 0.47, 0.41, 0.52, 0.43, 0.40, 0.44, 0.48])


def _variable(data, name: str, kind: str, dims: tuple[str, ...], values, fill=None, **attributes) -> None:
    variable = data.createVariable(name, kind, dims, fill_value=fill)
    variable.set_auto_maskandscale(False)
    variable.setncatts(attributes)
    variable[...] = np.broadcast_to(values, variable.shape)


def _write_2020(directory: Path) -> Path:
    path = directory / "pa20160501_20160601.public.qc.nc"
    write_2020(path)
    return path


def write_2020(path: Path, time: np.ndarray | None = None) -> None:
    """GGG2020: everything by spectrum, levels from the ground, pressures in atm and hPa, priors wet; `time` (8,) if not the usual one."""
    time = times() if time is None else time
    km = altitudes(51, 70.0)
    hpa, wet = pressures(km), water(km)
    weights = dry_weights(100.0 * hpa[None, ::-1], np.array([97000.0]), wet[None, ::-1], 9.8)[0, ::-1]
    prior = co2(km) * (1.0 - wet)
    with netCDF4.Dataset(path, "w") as data:
        for name, size in (("time", N), ("prior_altitude", 51), ("ak_altitude", 51)):
            data.createDimension(name, size)
        one = ("time",)

        def put(name: str, values, units: str, dims=one, kind: str = "f4", **attributes) -> None:
            _variable(data, name, kind, dims, values, np.nan if kind[0] == "f" else None, units=units, **attributes)

        put("time", time, "seconds since 1970-01-01", kind="f8", calendar="gregorian", standard_name="time")
        put("prior_altitude", km, "km", ("prior_altitude",))
        put("ak_altitude", km, "km", ("ak_altitude",))
        put("ak_pressure", 0.99 * hpa, "hPa", ("ak_altitude",))
        put("year", [part[0] for part in components(time)], "years", kind="i2")
        put("lat", 45.945, "degrees_north")
        put("long", -90.273, "degrees_east")
        put("zobs", 0.476, "km")
        put("pout", 970.0, "hPa")
        put("solzen", ZENITH, "degrees")
        put("extrapolation_flags_ak_xco2", [0, 0, 0, 0, 0, -1, 0, 2], "1", kind="i1")
        put("ak_xco2", kernel(km, ZENITH), "1", ("time", "ak_altitude"))
        for suffix, factor, offset in (("", 1.0, 0.0), ("_x2019", 1.00079, -0.142)):
            scale = "WMO CO2 X2019" if suffix else "WMO CO2 X2007"
            put("xco2" + suffix, factor * VALUES + offset, "ppm", wmo_or_analogous_scale=scale)
            put("xco2_error" + suffix, ERRORS, "ppm")
            # The column of the prior, with the mean share of oxygen that the retrieval takes: not to the digit the weighted prior.
            put("prior_xco2" + suffix, (weights * co2(km)).sum() * (1.0 - 4.0e-5), "ppm")
            put("integration_operator" + suffix, weights / (1.0 - wet), "1", ("time", "prior_altitude"))
        for name, values, units in (("prior_pressure", hpa / ATMOSPHERE_HPA, "atm"), ("prior_h2o", wet, "1"), ("prior_co2", prior, "ppm"),
                                    ("prior_gravity", 9.81 - 3.0e-3 * km, "m.s-2")):
            put(name, values, units, ("time", "prior_altitude"))
        data.setncatts({"long_name": "parkfalls01", "location": "Park Falls, Wisconsin, USA", "file_format_version": "2020.C"})


def _write_2014(directory: Path) -> Path:
    """GGG2014: days since 1970, kernels in a table of zenith angles, one prior a day, -1e38 for missing."""
    path = directory / "pa20160501_20160601.public.nc"
    km = np.arange(71.0)
    hpa, wet = pressures(km), water(km)
    angles = np.linspace(10.0, 85.0, 16)
    days = np.array([16929.0, 16930.0, 16931.0, 16932.0])  # 2016-05-08 to 11
    with netCDF4.Dataset(path, "w") as data:
        for name, size in (("a32", 32), ("ak_P_hPa", 71), ("ak_zenith", 16), ("time", N), ("prior_date", 4), ("prior_Height", 71)):
            data.createDimension(name, size)

        def put(name: str, values, dims: tuple[str, ...] = ("time",), kind: str = "f4", **attributes) -> None:
            missing = np.float32(-1.0e38) if kind == "f4" else np.int32(-32768) if kind == "i4" else -1.0e38
            _variable(data, name, kind, dims, values, missing_value=missing, **attributes)

        put("time", times() / 86400.0, kind="f8", description="fractional days since 1970")
        put("year", 2016, kind="i4", description="Year (e.g. (2009))")
        put("lat_deg", 45.945, units="deg")
        put("long_deg", -90.273, units="deg")
        put("zobs_km", 0.442, units="km")
        put("pout_hPa", 962.0, units="hPa")
        put("asza_deg", ZENITH, units="deg")
        put("xco2_ppm", VALUES, units="ppm", description="0.2095*column_co2/column_o2")
        put("xco2_ppm_error", ERRORS, units="ppm", description="one-sigma precision")
        put("prior_date", days, ("prior_date",), "f8")
        put("prior_Height", km, ("prior_Height",), units="km")
        for name, values, units in (("prior_Pressure", hpa, "hPa"), ("prior_h2o", wet, "parts"),
                                    ("prior_gravity", 9.81 - 3.0e-3 * km, "m/s2")):
            put(name, values, ("prior_date", "prior_Height"), units=units)
        put("prior_co2", (co2(km) * (1.0 - wet))[None, :] + 0.1 * np.arange(4)[:, None], ("prior_date", "prior_Height"), units="ppm")
        put("ak_P_hPa", pressures(km), ("ak_P_hPa",), units="hPa")
        put("ak_zenith", angles, ("ak_zenith",), units="deg")
        put("ak_co2", kernel(km, angles).T, ("ak_P_hPa", "ak_zenith"))
        data.setncatts({"longName": "parkfalls01", "Location": "Park Falls, Wisconsin, USA"})
    return path


def _write_mip(directory: Path) -> Path:
    """Hourly averages of all stations of a day, in a group CO2; Pa, priors wet."""
    path = directory / "tccon_timeavg_20160510.nc4"
    km = np.arange(71.0)
    hpa, wet = pressures(km), water(km)
    time = np.datetime64("2016-05-10T09:30", "s").astype(int) + 3600 * np.arange(N)
    with netCDF4.Dataset(path, "w") as data:
        group = data.createGroup("CO2")
        for name, size in (("idate", 6), ("nobs", N), ("nlev", 71)):
            data.createDimension(name, size)

        def put(name: str, values, dims: tuple[str, ...] = ("nobs",), kind: str = "f4", **attributes) -> None:
            _variable(group, name, kind, dims, values, **attributes)

        put("cdate", components(time), ("nobs", "idate"), "i4")
        put("station_id", np.arange(N) % 3 + 4, kind="i1")
        put("obs_num", 2016051009300004 + np.arange(N), kind="i8")
        put("latitude", np.array([45.945, -45.04, 36.6])[np.arange(N) % 3], units="degrees_north")
        put("longitude", np.array([-90.273, 169.68, -97.49])[np.arange(N) % 3], units="degrees_east")
        put("sza", ZENITH, units="degrees")
        put("p_surf", 96200.0, units="Pa")
        put("p_levels_prior", 100.0 * hpa, ("nobs", "nlev"), units="Pa")
        put("prior_h2o", wet, ("nobs", "nlev"), units="1")
        put("prior_mixing", co2(km) * (1.0 - wet), ("nobs", "nlev"), units="ppm")
        put("avg_kernel", kernel(km, ZENITH), ("nobs", "nlev"))
        put("column_mixing", VALUES, units="ppm", wmo_or_analogous_scale="WMO CO2 X2007")
        put("sigma_column_mixing", ERRORS, units="ppm")
    return path


def _reader(module, product: str, hours: float):
    def read(path: Path) -> dict[str, np.ndarray]:
        stream = ColumnStream("tccon", path.parent, product, files=(path.name,), average_hours=hours)
        return rows(module.read(stream, START, END))
    return read


SPECIMENS = [Specimen("tccon_ggg2020", "netcdf4", _write_2020, _reader(tccon, "tccon", 0.0)),
             Specimen("tccon_ggg2014", "netcdf4", _write_2014, _reader(tccon, "tccon", 0.0)),
             Specimen("tccon_mip", "netcdf4", _write_mip, _reader(tccon_mip, "tccon_mip", 0.0))]
