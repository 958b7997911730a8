"""10-second averages of the OCO-2 model intercomparison, v7, v10 and v11 of OCO-2 and v11 of OCO-3: one file for the whole period.

Names and meanings follow public code that reads the real files; types and attributes that it does not show are made after the Lite files.
No real file has been seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.observations import SatelliteStream, check_streams, read_streams

from . import Specimen
from .lite import Writer
from .reading import rows
from .sounding_numbers import N_LEVELS, Soundings, identifiers, make_soundings, take

START, END = np.datetime64("2016-04-04"), np.datetime64("2016-04-11")


@dataclass(frozen=True)
class Dialect:
    """One version: name of its file; whether it has `assimilate_flag`, values above 1 in it, `data_type`, and X2019 beside X2007."""

    file: str
    flag: bool = True
    held_back: bool = False
    data_type: bool = True
    x2019: bool = False


DIALECTS = {"oco2_mip_v7": Dialect("OCO2_b70b_10sec_WL15_GOOD_v10.nc", flag=False, data_type=False),
            "oco2_mip_v10": Dialect("OCO2_b10c_10sec_GOOD_r5.nc4"),
            "oco2_mip_v11": Dialect("OCO2_b11.2_10sec_GOOD_r2.nc4", held_back=True, x2019=True),
            "oco3_mip_v11": Dialect("OCO3_b11_10sec_GOOD_r2.nc4", held_back=True, x2019=True)}


@dataclass
class Averages:
    """What the averages have besides the soundings' numbers, each (n,)."""

    model_error: np.ndarray
    flag: np.ndarray
    kind: np.ndarray


def make_averages(n: int, seed: int = 1) -> tuple[Soundings, Averages]:
    """`n` averages of a week, in no order, some of them without a time; all of one surface pressure ratio."""
    random = np.random.default_rng([seed, 77])
    days = [make_soundings(n // 7 + 1, str(START + i), seed + i) for i in range(7)]
    s = take(Soundings(*(np.concatenate([getattr(day, name) for day in days]) for name in vars(days[0]))), random.permutation(n))
    kind = random.integers(1, 9, n)
    return s, Averages(random.uniform(0.3, 1.5, n), random.choice([0, 1, 1, 1, 2], n), kind)


def write_mip(path: Path, s: Soundings, a: Averages, dialect: str, *, chunk: int = 0, level: int = 0) -> Path:
    """A file of 10-second averages. The last digit of an identifier is the mode."""
    d = DIALECTS[dialect]
    n = len(s.time)
    with netCDF4.Dataset(path, "w") as dataset:
        for name, size in (("sounding_id", n), ("levels", N_LEVELS), ("epoch_dimension", 7)):
            dataset.createDimension(name, size)
        writer = Writer(dataset, "_FillValue", min(chunk, n), level)
        put = partial(writer.put, dataset)
        put("sounding_id", "i8", identifiers(s) // 10 * 10 + a.kind)
        put("time", "f8", s.time, "seconds since 1970-01-01 00:00:00")
        put("latitude", "f4", s.lat, "degrees_north")
        put("longitude", "f4", s.lon, "degrees_east")
        put("psurf", "f4", s.pressure[:, -1], "hPa")
        dataset.createVariable("sigma_levels", "f8", ("levels",))[:] = s.pressure[0] / s.pressure[0, -1]
        put("xco2", "f4", s.xco2, "ppm")
        if d.x2019:
            put("xco2_2019_scale", "f4", 1.00079 * s.xco2 - 0.142, "ppm")
        put("xco2_uncertainty", "f4", s.error, "ppm")
        put("model_error", "f4", a.model_error, "ppm")
        put("xco2_apriori", "f4", s.prior_xco2, "ppm")
        for name, values, unit in (("pressure_weight", s.weight, ""), ("xco2_averaging_kernel", s.kernel, ""),
                                   ("co2_profile_apriori", s.prior, "ppm")):
            put(name, "f4", values, unit)
        for name in ("dp", "dws", "co2_grad_del"):
            put(name, "f4", s.dp)
        if d.flag:
            put("assimilate_flag", "i1", np.where((a.flag == 2) & (not d.held_back), 0, a.flag).astype(np.int8))
        if d.data_type:
            put("data_type", "i1", a.kind.astype(np.int8))
        if not d.flag:  # v7: what is to be left out has a negative mode
            put("operation_mode", "i1", np.where(a.flag == 1, (a.kind - 1) % 4, -1).astype(np.int8))
            put("xco2_increased_uncert", "f4", 1.5 * s.error, "ppm")
    return path


def stream_of(directory: Path, dialect: str, **changes) -> SatelliteStream:
    """A stream of a dialect's file."""
    return SatelliteStream(**{"product": dialect, "directory": directory, "format": "oco2_mip", **changes})


def _write(dialect: str, directory: Path) -> Path:
    s, a = make_averages(40)
    s.time[[3, 17]] = np.nan
    return write_mip(directory / DIALECTS[dialect].file, s, a, dialect)


def _read(dialect: str, path: Path) -> dict[str, np.ndarray]:
    return rows(read_streams([stream_of(path.parent, dialect)], START, END))


def _check(dialect: str, path: Path) -> list:
    return check_streams([stream_of(path.parent, dialect)], START, END)


SPECIMENS = [Specimen(name, "netcdf4", partial(_write, name), partial(_read, name), partial(_check, name)) for name in DIALECTS]

