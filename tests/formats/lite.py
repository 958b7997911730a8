"""Lite files of ACOS GOSAT, OCO-2 and OCO-3 in every dialect: one NetCDF-4 file a UTC day.

Names, types, units, groups, fill values and attribute texts follow published headers (GOSAT v7.3, OCO-2 v10r) and the attributes of one
real averaged OCO-2 v11.2 sounding; the numbers are made. No whole granule has been seen.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.observations import SatelliteStream, check_streams, read_streams

from . import Specimen
from .reading import rows
from .sounding_numbers import N_LEVELS, Soundings, identifiers, make_soundings

MISSING = -999999.0
CHUNK = 25000
"""Rows in a compressed chunk of large files."""
FURTHER = 35
"""Variables of large files that no reader looks at."""
DAY = np.datetime64("2016-04-04")
ORDER_TEXT = "Defined on layer boundaries. These are oriented space-to-surface, so the first element defines the TOA, the last the surface."


@dataclass(frozen=True)
class Dialect:
    """One version of a product.

    Attributes
    ----------
    product : str
        Reader's name.
    file : str
        Name of the file, `{yymmdd}` the day.
    platform, build : str
        Global attributes.
    fill : str
        Which attribute marks missing numbers.
    warn_level, x2019 : bool
        Whether the variables `warn_level` and `xco2_x2019` exist.
    quality : str
        Name of the quality flag.
    scale : str
        Scale that the file lets one know.
    comment : str
        The value's comment.
    """

    product: str
    file: str
    platform: str
    build: str
    fill: str = "_FillValue"
    warn_level: bool = False
    x2019: bool = False
    quality: str = "xco2_quality_flag"
    scale: str = "X2007"
    comment: str = ""

    @property
    def oco(self) -> bool:
        return self.platform != "GOSAT"

    def name(self, day: np.datetime64 = DAY) -> str:
        return self.file.format(yymmdd=day.item().strftime("%y%m%d"))


X2007_TEXT = ("Column-averaged dry-air mole fraction of CO2, including bias correction, on X2007 CO2 scale. XCO2_X2019 (in this file) "
              "contains the same information on the X2019 CO2 scale.")
DIALECTS = {
    "gosat_lite_v73": Dialect("acos_lite", "acos_LtCO2_{yymmdd}_v201202_B7310A_161107201902s.nc4", "GOSAT", "B7.3.10A", "missing_value",
                              True),
    "gosat_lite_v9r": Dialect("acos_lite", "acos_LtCO2_{yymmdd}_v210210_B9213A_201026001634s.nc4", "GOSAT", "B9.2.13A",
                              quality="quality_flag"),
    "gosat_lite_v11": Dialect("acos_lite", "acos_FwCO2_{yymmdd}_B11072A_230801001634s.nc4", "GOSAT", "B11.0.72A", x2019=True,
                              comment=X2007_TEXT),
    "oco2_lite_v7r": Dialect("oco2_lite", "oco2_LtCO2_{yymmdd}_B7000rb_COoffline.nc4", "OCO-2", "B7.0.00rb", "missing_value", True),
    "oco2_lite_v8r": Dialect("oco2_lite", "oco2_LtCO2_{yymmdd}_B8100r_171007111501s.nc4", "OCO-2", "B8.1.00r", "missing_value", True),
    "oco2_lite_v9r": Dialect("oco2_lite", "oco2_LtCO2_{yymmdd}_B9003r_180920153001s.nc4", "OCO-2", "B9.0.03r"),
    "oco2_lite_v10r": Dialect("oco2_lite", "oco2_LtCO2_{yymmdd}_B10206Ar_200730223404s.nc4", "OCO-2", "B10.2.06"),
    "oco2_lite_v11": Dialect("oco2_lite", "oco2_LtCO2_{yymmdd}_B11014Ar_220729001001s.nc4", "OCO-2", "B11.0.14", x2019=True,
                             comment=X2007_TEXT),
    "oco2_lite_v112": Dialect("oco2_lite", "oco2_LtCO2_{yymmdd}_B11210Ar_240820000231s.nc4", "OCO-2", "B11.2.10", x2019=True,
                              comment=X2007_TEXT),
    "oco2_lite_v113": Dialect("oco2_lite", "oco2_LtCO2_{yymmdd}_B11300Ar_250601000231s.nc4", "OCO-2", "B11.3.00", x2019=True,
                              comment=X2007_TEXT),
    "oco3_lite_v10": Dialect("oco3_lite", "oco3_LtCO2_{yymmdd}_B10400Br_220318001001s.nc4", "OCO-3", "B10.4.00"),
    "oco3_lite_v11": Dialect("oco3_lite", "oco3_LtCO2_{yymmdd}_B11080Ar_240521001001s.nc4", "OCO-3", "B11.0.80", x2019=True,
                             comment=X2007_TEXT)}


class Writer:
    """Writes variables along the soundings, marked and filled as the dialect does; `chunk` and `level` are those of the compression."""

    def __init__(self, dataset: netCDF4.Dataset, fill: str, chunk: int = 0, level: int = 0, rename: dict[str, str] | None = None,
                 units: dict[str, str] | None = None) -> None:
        self.dataset, self.fill, self.chunk, self.level = dataset, fill, chunk, level
        self.rename, self.units = rename or {}, units or {}

    def put(self, place, name: str, kind: str, values: np.ndarray, unit: str = "", comment: str = "", dims: tuple[str, ...] = ()) -> None:
        """Write one variable; NaN becomes the missing number."""
        code = np.asarray(MISSING, dtype=kind)[()] if kind.startswith("f") else None
        sizes = (self.chunk, *values.shape[1:]) if self.chunk else None
        variable = place.createVariable(self.rename.get(name, name), kind, dims or ("sounding_id", "levels")[: values.ndim],
                                        fill_value=code if self.fill == "_FillValue" else None, zlib=self.level > 0,
                                        complevel=self.level or 4, chunksizes=sizes)
        if code is not None and self.fill == "missing_value":
            variable.missing_value = code
        if self.units.get(name, unit):
            variable.units = self.units.get(name, unit)
        if comment:
            variable.comment = comment
        variable[...] = np.nan_to_num(values, nan=MISSING) if kind.startswith("f") else values


def write_lite(path: Path, s: Soundings, dialect: str | Dialect = "gosat_lite_v73", *, flip: bool = False,
               rename: dict[str, str] | None = None, units: dict[str, str] | None = None, chunk: int = 0, level: int = 0,
               comment: str | None = None) -> Path:
    """A Lite file; `flip` writes the surface first, which real files do not."""
    d = DIALECTS[dialect] if isinstance(dialect, str) else dialect
    order = slice(None, None, -1) if flip else slice(None)
    n = len(s.time)
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.setncatts({"BuildId": d.build, "Platform": d.platform, "Sensor": "TANSO-FTS" if not d.oco else d.platform,
                           "title": "Lite file made for tests", "warn_level_function": "From_L2Std" if d.warn_level else "None"})
        for name, size in (("sounding_id", n), ("levels", N_LEVELS), ("epoch_dimension", 7), ("vertices", 4), ("bands", 3)):
            dataset.createDimension(name, size)
        writer = Writer(dataset, d.fill, min(chunk, n), level, {"xco2_quality_flag": d.quality, **(rename or {})}, units)
        put = partial(writer.put, dataset)
        put("sounding_id", "u8" if d.oco else "i8", identifiers(s))
        put("time", "f8", s.time, "seconds since 1970-01-01 00:00:00")
        put("latitude", "f4", s.lat, "degrees_north", "center latitude of the measurement")
        put("longitude", "f4", s.lon, "degrees_east", "center longitude of the measurement")
        put("date", "i2", date_components(s.time), dims=("sounding_id", "epoch_dimension"))
        put("solar_zenith_angle", "f4", s.solar_zenith, "degrees")
        put("sensor_zenith_angle", "f4", s.sensor_zenith, "degrees")
        put("xco2", "f4", s.xco2, "ppm", d.comment if comment is None else comment)
        if d.x2019:
            put("xco2_x2019", "f4", 1.00079 * s.xco2 - 0.142, "ppm", "bias-corrected XCO2 on the X2019 scale")
        put("xco2_uncertainty", "f4", s.error, "ppm", "This uncertainty is purely noise-driven")
        put("xco2_apriori", "f4", s.prior_xco2, "ppm")
        put("xco2_quality_flag", "i1", s.quality)
        if d.warn_level:
            put("warn_level", "i1", s.warn_level)
        one = "none" if d.oco else "1"
        for name, values, unit in (("pressure_levels", s.pressure, "hPa"), ("pressure_weight", s.weight, one),
                                   ("xco2_averaging_kernel", s.kernel, one), ("co2_profile_apriori", s.prior, "ppm")):
            put(name, "f4", values[:, order], unit, ORDER_TEXT)
        if d.oco:
            put("vertex_latitude", "f4", np.repeat(s.lat[:, None], 4, axis=1), "degrees_north", dims=("sounding_id", "vertices"))
            put("vertex_longitude", "f4", np.repeat(s.lon[:, None], 4, axis=1), "degrees_east", dims=("sounding_id", "vertices"))
        else:
            put("file_index", "i2", np.zeros(n, dtype=np.int16))
        _groups(dataset, writer, s, d)
    return path


def _groups(dataset: netCDF4.Dataset, writer: Writer, s: Soundings, d: Dialect) -> None:
    retrieval, sounding = dataset.createGroup("Retrieval"), dataset.createGroup("Sounding")
    dataset.createGroup("Preprocessors")
    ocean = (s.mode % 2 == 0) if not d.oco else s.mode == 1  # glint over the sea
    writer.put(retrieval, "psurf", "f4", s.pressure[:, -1], "hPa")
    writer.put(retrieval, "surface_type", "i1", np.where(ocean, 0, 1).astype(np.int8))
    writer.put(retrieval, "xco2_raw", "f4", s.xco2 + 0.3 * s.dp, "ppm")
    writer.put(retrieval, "dp", "f4", s.dp, "hPa")
    if d.oco:
        writer.put(sounding, "operation_mode", "i1", s.mode.astype(np.int8))
        writer.put(sounding, "footprint", "i1", (1 + np.arange(len(s.time)) % 8).astype(np.int8))
        return
    writer.put(sounding, "gain", "S1", np.where(s.mode == 1, b"H", b"M").astype("S1"))
    with warnings.catch_warnings():  # real files carry such an attribute
        warnings.simplefilter("ignore", UserWarning)
        sounding["gain"].missing_value = "not a number"


def date_components(time: np.ndarray) -> np.ndarray:
    """Year, month, day, hour, minute, second, millisecond."""
    time = np.nan_to_num(time)
    moments = np.floor(time).astype("datetime64[s]")
    text = np.array([list(map(int, m.replace("-", " ").replace("T", " ").replace(":", " ").split())) for m in moments.astype(str)])
    text = text.reshape(len(time), 6)
    return np.column_stack([text, np.floor(1000.0 * (time - np.floor(time)))]).astype(np.int16)


def write_week(directory: Path, start: np.datetime64, days: int, n: int, dialect: str) -> None:
    """Days of `n` soundings along orbits, two of five flagged, compressed as the producers do, with numbers as noisy as real ones."""
    for day in np.arange(start, start + days):
        s, random = make_soundings(n, str(day), seed=int(day.astype(int))), np.random.default_rng(int(day.astype(int)))
        turn = (s.time - s.time[0]) / 86400.0 * 14.57
        s.lat = 80.0 * np.sin(2.0 * np.pi * turn) + random.normal(0.0, 0.05, n)
        s.lon = (-25.0 * turn + random.normal(0.0, 0.1, n)) % 360.0 - 180.0
        s.quality = (random.random(n) < 0.4).astype(np.int8)
        s.kernel = s.kernel + random.normal(0.0, 0.02, s.kernel.shape)
        s.prior = s.prior + random.normal(0.0, 0.05, s.prior.shape)
        s.pressure = s.pressure[:, -1:] * (s.pressure[0] / s.pressure[0, -1])
        s.prior_xco2 = (s.weight * s.prior).sum(axis=1)
        path = write_lite(directory / DIALECTS[dialect].name(day), s, dialect, chunk=CHUNK, level=4)
        with netCDF4.Dataset(path, "a") as dataset:  # what nobody asks for is most of a real file's variables
            for i in range(FURTHER):
                variable = dataset.createVariable(f"Retrieval/further_{i}", "f4", ("sounding_id",), zlib=True, chunksizes=(min(CHUNK, n),))
                variable[:] = random.normal(0.0, 1.0, n)


def stream_of(directory: Path, dialect: str, **changes) -> SatelliteStream:
    """A stream of a dialect's files, nothing averaged, errors as stated."""
    return SatelliteStream(**{"product": dialect, "directory": directory, "format": DIALECTS[dialect].product, "cell_degrees": 0.0,
                              "error_factor": 1.0, **changes})


def _write(dialect: str, directory: Path) -> Path:
    s = make_soundings(24, str(DAY), seed=len(dialect))
    s.quality[3] = 1
    s.xco2[5], s.kernel[6, 2] = np.nan, np.nan
    return write_lite(directory / DIALECTS[dialect].name(), s, dialect)


def _read(dialect: str, path: Path) -> dict[str, np.ndarray]:
    return rows(read_streams([stream_of(path.parent, dialect, missing_days=False)], DAY, DAY + 1))


def _check(dialect: str, path: Path) -> list:
    return check_streams([stream_of(path.parent, dialect)], DAY, DAY + 1)


ALIKE = ("oco2_lite_v8r", "oco2_lite_v9r", "oco2_lite_v11", "oco2_lite_v113", "oco3_lite_v10")
"""Versions laid out as another one is: v7r, v10r, v11.2, v11.2 and OCO-2's v10r; damaging them too would teach nothing."""
SPECIMENS = [Specimen(name, "netcdf4", partial(_write, name), partial(_read, name), partial(_check, name))
             for name in DIALECTS if name not in ALIKE]
