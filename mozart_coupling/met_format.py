"""The layout of met files: what each field is and may hold, how files are named, and their writer.

Names, dimensions and units come from the contract's table; what is physical, and what a run cannot do without, is said here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np

from mozart_coupling.contract import MET, Variable
from mozart_coupling.embedded.levels import P0, check_coefficients, mid_coefficients
from mozart_coupling.errors import MetError
from mozart_coupling.grids import Grid
from mozart_coupling.netcdf import CLASSIC_LIMIT, new_dataset

DAY_S = 86400
EPOCH_1900 = np.datetime64("1900-01-01", "s")

# name: (long name, lowest and highest physical value, whether no run can do without it)
_ABOUT: dict[str, tuple[str, float, float, bool]] = {
    "T": ("temperature", 100.0, 360.0, True),
    "U": ("eastward wind", -300.0, 300.0, True),
    "V": ("northward wind", -300.0, 300.0, True),
    "Q": ("specific humidity", -1.0e-3, 0.1, True),
    "PS": ("surface pressure", 3.0e4, 1.2e5, True),
    "PHIS": ("surface geopotential", -1.0e4, 9.0e4, True),
    "TS": ("surface temperature", 150.0, 380.0, False),
    "TAUX": ("eastward surface stress", -100.0, 100.0, False),
    "TAUY": ("northward surface stress", -100.0, 100.0, False),
    "SHFLX": ("upward sensible heat flux", -2000.0, 2000.0, False),
    "QFLX": ("upward water vapour flux", -0.01, 0.01, False),
    "FSDS": ("downward solar flux at the surface", -10.0, 1500.0, False),
    "ALB": ("surface albedo", 0.0, 1.0, False),
    "SNOWH": ("snow height, water equivalent", 0.0, 1000.0, False),
    "SOILW": ("soil moisture fraction", 0.0, 1.0, False),
    "ORO": ("surface type: 0 ocean, 1 land, 2 sea ice", 0.0, 2.0, False),
    "PBLH": ("boundary layer height", 0.0, 1.0e4, False),
    "CMFMC": ("upward convective mass flux", -0.01, 5.0, False),
}

NOT_USED = frozenset({"FSDS", "ALB", "SNOWH", "SOILW"})
"""MOZART-4's chemistry needs these; a passive tracer does not, so whatever they hold (soils have fill values at sea) stops no run."""


@dataclass(frozen=True)
class MetField:
    """One field; `dims` starts with time, `low` and `high` bound what is physical."""

    dims: tuple[str, ...]
    units: str
    long_name: str
    low: float
    high: float
    required: bool

    @classmethod
    def of(cls, variable: Variable) -> MetField:
        """The contract's field with what is known of it."""
        long_name, low, high, required = _ABOUT[variable.name]
        return cls(variable.dims, variable.units, long_name, low, high, required)

    def shape(self, nlev: int, grid: Grid) -> tuple[int, ...]:
        """Shape of one record."""
        sizes = {"lev": nlev, "ilev": nlev + 1, "lat": grid.nlat, "lon": grid.nlon}
        return tuple(sizes[dim] for dim in self.dims[1:])


MET_FIELDS: dict[str, MetField] = {v.name: MetField.of(v) for v in MET.variables if v.name in _ABOUT}


def met_file_name(prefix: str, date_format: str, day: np.datetime64) -> str:
    """Such as GEOS5_19x2_20140905.nc for prefix "GEOS5_19x2_" and format "yyyymmdd".

    Raises
    ------
    MetError
        If the format lacks yyyy, mm or dd.
    """
    if any(part not in date_format for part in ("yyyy", "mm", "dd")):
        raise MetError("a met date format needs yyyy, mm and dd", "dyn_flnm_date_frmt", repr(date_format), "yyyymmdd")
    year, month, dom = str(day.astype("datetime64[D]")).split("-")
    return prefix + date_format.replace("yyyy", year).replace("mm", month).replace("dd", dom) + ".nc"


def write_met_file(
    path: str | Path,
    grid: Grid,
    hyai: np.ndarray,
    hybi: np.ndarray,
    times: Sequence[np.datetime64] | np.ndarray,
    fields: Mapping[str, np.ndarray],
    attributes: Mapping[str, str] | None = None,
) -> None:
    """Write one day of meteorology in the contract's format (64-bit-offset classic NetCDF, fields in float32).

    The file appears under its name only when it is complete.

    Parameters
    ----------
    times
        Record times (n,), UTC.
    fields
        Contract names → (n, [nlev or nlev+1,] nlat, nlon).
    attributes
        Global attributes: what made the file.

    Raises
    ------
    MetError
        Unknown names, required ones absent, wrong shapes, NaN.
    """
    path = Path(path)
    times = np.asarray(times, dtype="datetime64[s]")
    check_coefficients(hyai, hybi, str(path))
    _check_fields(path, grid, len(hyai) - 1, times.size, fields)
    with new_dataset(path, CLASSIC_LIMIT, durable=False) as dataset:
        dataset.setncatts({"Conventions": "CF-1.8", **(attributes or {})})
        # Everything is defined before the first record is written: the classic format moves all records otherwise.
        _write_coordinates(dataset, grid, np.asarray(hyai), np.asarray(hybi))
        variables = {name: _create_field(dataset, name) for name in MET_FIELDS if name in fields}
        _write_times(dataset, times)
        for index in range(times.size):  # record by record: the order in which the classic format lies on disk
            for name, variable in variables.items():
                variable[index] = fields[name][index]


def write_met_days(
    directory: str | Path,
    prefix: str,
    grid: Grid,
    levels: tuple[np.ndarray, np.ndarray],
    period: tuple[np.datetime64, np.datetime64],
    step_hours: int,
    record: Callable[[np.datetime64], Mapping[str, np.ndarray]],
    attributes: Mapping[str, str],
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write the met files of a run over [start, end]: one a day, from the day before `start` to the day after `end`.

    Parameters
    ----------
    directory, prefix
        Files are `<directory>/<prefix>yyyymmdd.nc`; the directory is made.
    levels
        (hyai, hybi), each (nlev+1,) [1].
    period
        (start, end).
    step_hours
        3 or 6.
    record
        Time → contract names → ([nlev or nlev+1,] nlat, nlon).
    attributes
        Global attributes: what made the files.
    progress
        Called with (files done, files in all) after each file.

    Returns
    -------
    list of Path
        The files, in order of time.

    Raises
    ------
    MetError
        Another step, an end that is not after the start, or what `write_met_file` raises.
    """
    directory = Path(directory)
    start, end = (np.datetime64(time, "s") for time in period)
    if step_hours not in (3, 6):
        raise MetError("met files are 3- or 6-hourly", f"{directory}/{prefix}*.nc", f"step_hours={step_hours}", "3 or 6")
    if end <= start:
        raise MetError("the end is not after the start", f"{directory}/{prefix}*.nc", f"{start} … {end}")
    directory.mkdir(parents=True, exist_ok=True)
    days = np.arange(start.astype("datetime64[D]") - 1, end.astype("datetime64[D]") + 2)
    paths = []
    for done, day in enumerate(days, start=1):
        times = day.astype("datetime64[s]") + np.arange(24 // step_hours) * np.timedelta64(step_hours, "h")
        records = [record(time) for time in times]
        fields = {name: np.array([one[name] for one in records], dtype=np.float32) for name in records[0]}
        paths.append(directory / met_file_name(prefix, "yyyymmdd", day))
        write_met_file(paths[-1], grid, *levels, times, fields, attributes)
        if progress is not None:
            progress(done, days.size)
    return paths


def _check_fields(path: Path, grid: Grid, nlev: int, n_times: int, fields: Mapping[str, np.ndarray]) -> None:
    unknown = sorted(set(fields) - set(MET_FIELDS))
    missing = [name for name, field in MET_FIELDS.items() if field.required and name not in fields]
    if unknown or missing:
        raise MetError("these are not the contract's met fields", path, f"unknown {unknown}, missing {missing}")
    for name, values in fields.items():
        expected = (n_times, *MET_FIELDS[name].shape(nlev, grid))
        if np.shape(values) != expected:
            raise MetError("a field has the wrong shape", f"{path}, {name}", str(np.shape(values)), str(expected))
        if not np.isfinite(values).all():
            raise MetError("a field is not finite", f"{path}, {name}")


def _write_coordinates(dataset: netCDF4.Dataset, grid: Grid, hyai: np.ndarray, hybi: np.ndarray) -> None:
    hyam, hybm = mid_coefficients(hyai, hybi)
    for name, size in (("lon", grid.nlon), ("lat", grid.nlat), ("lev", hyam.size), ("ilev", hyai.size), ("time", None)):
        dataset.createDimension(name, size)
    columns = (
        ("lon", ("lon",), grid.lon, "degrees_east", "longitude"),
        ("lat", ("lat",), grid.lat, "degrees_north", "latitude"),
        ("lev", ("lev",), 1000.0 * (hyam + hybm), "hPa", "hybrid level at midpoints, top first"),
        ("ilev", ("ilev",), 1000.0 * (hyai + hybi), "hPa", "hybrid level at interfaces, top first"),
        ("hyam", ("lev",), hyam, "1", "hybrid A coefficient at midpoints: p = hyam P0 + hybm PS"),
        ("hybm", ("lev",), hybm, "1", "hybrid B coefficient at midpoints"),
        ("hyai", ("ilev",), hyai, "1", "hybrid A coefficient at interfaces"),
        ("hybi", ("ilev",), hybi, "1", "hybrid B coefficient at interfaces"),
        ("P0", (), P0, "Pa", "reference pressure"),
    )
    for name, dims, values, units, long_name in columns:
        variable = dataset.createVariable(name, "f8", dims)
        variable.setncatts({"units": units, "long_name": long_name})
        variable[...] = values


def _write_times(dataset: netCDF4.Dataset, times: np.ndarray) -> None:
    time = dataset.createVariable("time", "f8", ("time",))
    date = dataset.createVariable("date", "i4", ("time",))
    datesec = dataset.createVariable("datesec", "i4", ("time",))
    time.setncatts({"units": "days since 1900-01-01 00:00:00", "calendar": "gregorian", "long_name": "time"})
    date.setncatts({"units": "yyyymmdd", "long_name": "current date"})
    datesec.setncatts({"units": "s", "long_name": "seconds of the current date"})
    days = times.astype("datetime64[D]")
    time[:] = (times - EPOCH_1900) / np.timedelta64(DAY_S, "s")
    date[:] = [int(str(day).replace("-", "")) for day in days]
    datesec[:] = (times - days).astype("timedelta64[s]").astype(int)


def _create_field(dataset: netCDF4.Dataset, name: str) -> netCDF4.Variable:
    about = MET_FIELDS[name]
    variable = dataset.createVariable(name, "f4", about.dims)
    variable.setncatts({"units": about.units, "long_name": about.long_name})
    return variable
