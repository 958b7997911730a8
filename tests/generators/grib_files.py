"""GRIB as the archive delivers it: both editions in one file, model levels with coefficients, pressure levels, forecasts.

The atmosphere and its grid are `met_files`'s. ERA5 keeps model levels in edition 2 and all else in edition 1; a request for both comes
as one file, messages in the archive's order (time, parameter, level).
"""

from __future__ import annotations

from pathlib import Path

import eccodes
import numpy as np
from generators.met_files import FEW_LEVELS, LAT, LON, PRESSURES, Atmosphere, hourly_fluxes, model_levels

Field = np.ndarray
HOUR = np.timedelta64(3600, "s")
PARAMETERS = {"z": 129, "t": 130, "u": 131, "v": 132, "q": 133, "lnsp": 152}  # the archive's order is theirs
TABLE_2 = {"z": (3, 4), "t": (0, 0), "u": (2, 2), "v": (2, 3), "q": (1, 0), "lnsp": (3, 25)}  # category and number in discipline 0


def mixed_editions(path: Path, time: np.ndarray, flux_time: np.ndarray) -> list[Path]:
    """Model levels in GRIB 2, the surface in GRIB 1, one after the other in one file."""
    with open(path, "wb") as handle:
        _model_levels(handle, time)
        _surface(handle, time, flux_time, ("blh", "skt"))
    return [path]


def pressure_levels(path: Path, time: np.ndarray, flux_time: np.ndarray) -> list[Path]:
    """Pressure levels, with geopotential as a fifth field, and single levels with `sp`, `z` and `lsm`; all GRIB 1."""
    air = Atmosphere()
    with open(path, "wb") as handle:
        for n, when in enumerate(time):
            state = air.state(time[n : n + 1], 100.0 * PRESSURES[None, :, None, None])
            state["z"] = 7000.0 * 9.80665 * -np.log(PRESSURES / 1000.0)[None, :, None, None] + np.zeros((1, 1, *air.phis().shape))
            for name in PARAMETERS:
                if name in state:
                    for k, level in enumerate(PRESSURES):
                        _edition_1(handle, name, 100, int(level), when, 0, state[name][0, k])
        _surface(handle, time, flux_time, ("sp", "blh", "skt"))
        _edition_1(handle, "z", 1, 0, time[0], 0, air.phis())
        _edition_1(handle, "lsm", 1, 0, time[0], 0, air.land())
    return [path]


def _model_levels(handle: object, time: np.ndarray) -> None:
    air = Atmosphere()
    for n, when in enumerate(time):
        fields = {name: values[0] for name, values in model_levels(air, time[n : n + 1], *FEW_LEVELS).items()}
        fields |= {"z": air.phis()[None], "lnsp": np.log(air.ps(time[n : n + 1]))}  # level 1 only
        for name in PARAMETERS:
            for k, field in enumerate(fields[name], start=1):
                _edition_2(handle, name, k, when, field)


def _surface(handle: object, time: np.ndarray, flux_time: np.ndarray, names: tuple[str, ...]) -> None:
    """Instantaneous fields, and amounts of one hour from forecasts that start at 06 and 18 UTC."""
    air = Atmosphere()
    for n, when in enumerate(time):
        for name in names:
            _edition_1(handle, name, 1, 0, when, 0, air.surface(time[n : n + 1])[name][0])
    for n, when in enumerate(flux_time):
        start = (when - 7 * HOUR).astype("datetime64[D]").astype("datetime64[s]") + 6 * HOUR
        start += ((when - HOUR - start) // (12 * HOUR)) * 12 * HOUR
        step = int((when - start) / HOUR)
        for name, field in hourly_fluxes(air, flux_time[n : n + 1]).items():
            _edition_1(handle, name, 1, 0, start, (step - 1, step), field[0])


def _grid() -> dict[str, object]:
    return {"Ni": LON.size, "Nj": LAT.size, "latitudeOfFirstGridPointInDegrees": 90.0, "latitudeOfLastGridPointInDegrees": -90.0,
            "longitudeOfFirstGridPointInDegrees": 0.0, "longitudeOfLastGridPointInDegrees": float(LON[-1]),
            "iDirectionIncrementInDegrees": 15.0, "jDirectionIncrementInDegrees": 15.0}


def _instant(start: np.datetime64) -> dict[str, object]:
    day = start.astype("datetime64[D]")
    return {"dataDate": int(str(day).replace("-", "")), "dataTime": int((start - day) / HOUR) * 100}


def _edition_1(handle: object, name: str, kind: int, level: int, start: np.datetime64, step: int | tuple[int, int], values: Field) -> None:
    amount = isinstance(step, tuple)
    keys = {"centre": "ecmf", "table2Version": 128, "indicatorOfTypeOfLevel": kind} | _grid() | {"shortName": name} | _instant(start)
    keys |= {"level": level, "bitsPerValue": 24}
    if amount:
        keys |= {"stepType": "accum", "stepRange": f"{step[0]}-{step[1]}"}
    else:
        keys |= {"stepRange": str(step)}
    _write(handle, eccodes.codes_grib_new_from_samples("GRIB1"), keys, values, None)


def _edition_2(handle: object, name: str, level: int, when: np.datetime64, values: Field) -> None:
    category, number = TABLE_2[name]
    keys = {"centre": "ecmf", "discipline": 0, "parameterCategory": category, "parameterNumber": number,
            "typeOfFirstFixedSurface": 105, "typeOfSecondFixedSurface": 255} | _grid() | _instant(when)
    keys |= {"scaleFactorOfFirstFixedSurface": 0, "scaledValueOfFirstFixedSurface": level, "bitsPerValue": 24}
    _write(handle, eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2"), keys, values, np.concatenate(FEW_LEVELS))


def _write(handle: object, message: int, keys: dict[str, object], values: Field, pv: np.ndarray | None) -> None:
    for key, value in keys.items():
        eccodes.codes_set(message, key, value)
    if pv is not None:
        eccodes.codes_set(message, "PVPresent", 1)
        eccodes.codes_set_array(message, "pv", pv)
    eccodes.codes_set_values(message, values.ravel())
    eccodes.codes_write(message, handle)
    eccodes.codes_release(message)
