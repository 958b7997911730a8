"""Meteorology files: one a day, read with linear interpolation in time, checked as a whole (writer: met_format).

The layout is the contract's: 3-D `T U V Q` (time, lev, lat, lon), level 1 on top; 2-D `PS PHIS TS TAUX TAUY SHFLX QFLX
FSDS ALB SNOWH SOILW ORO` (time, lat, lon); optional `PBLH` and `CMFMC` (time, ilev, lat, lon); hybrid coefficients;
`date`, `datesec` and `time` in days since 1900-01-01; 3- or 6-hourly.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import netCDF4
import numpy as np

from mozart_coupling import _transport
from mozart_coupling.classic_header import missing_bytes
from mozart_coupling.embedded.levels import P0, check_coefficients
from mozart_coupling.errors import CouplingError, MetError
from mozart_coupling.grids import Grid, GridError
from mozart_coupling.met_format import MET_FIELDS, NOT_USED, met_file_name, write_met_file

__all__ = ["MET_FIELDS", "MetFiles", "met_file_name", "write_met_file"]

LONGEST_STEP_S = 6 * 3600  # records further apart than this are a gap


def _day(time: np.datetime64) -> np.datetime64:
    return np.datetime64(time, "s").astype("datetime64[D]")


class MetFiles:
    """Meteorology of one directory.

    Parameters
    ----------
    directory
        Where the daily files are.
    prefix, date_format
        How they are named: `<prefix><date>.nc`, the date as in the namelist's `dyn_flnm_date_frmt`.
    """

    def __init__(self, directory: str | Path, prefix: str = "", date_format: str = "yyyymmdd"):
        self.directory = Path(directory)
        self.prefix = prefix
        self.date_format = date_format
        self._open: dict[np.datetime64, DayFile] = {}
        self._records: dict[np.datetime64, dict[str, np.ndarray]] = {}
        self._bracket: _Bracket | None = None

    def path(self, day: np.datetime64) -> Path:
        """The file of a day."""
        return self.directory / met_file_name(self.prefix, self.date_format, np.datetime64(day))

    @cached_property
    def _first(self) -> DayFile:
        """The first file there is: it gives grid and levels."""
        stems = sorted(self.directory.glob(f"{self.prefix}*.nc")) if self.directory.is_dir() else []
        if not stems:
            raise MetError("no meteorology file", self.directory, "none", f"{self.prefix}{self.date_format}.nc",
                           "Set the directory and prefix of the meteorology files.")
        return DayFile(stems[0])

    @property
    def grid(self) -> Grid:
        """The grid, with the file's own numbers."""
        return self._first.grid

    @property
    def hyai(self) -> np.ndarray:
        """Pressure coefficients of the interfaces (nlev+1,) [1]."""
        return self._first.coefficients[0]

    @property
    def hybi(self) -> np.ndarray:
        """Terrain coefficients of the interfaces (nlev+1,) [1]."""
        return self._first.coefficients[1]

    @property
    def levels(self) -> tuple[np.ndarray, np.ndarray]:
        """(hyai, hybi)."""
        return self._first.coefficients

    @property
    def names(self) -> tuple[str, ...]:
        """The contract's fields that the first file holds."""
        return self._first.names

    def fields_at(self, time: np.datetime64, names: Iterable[str] | None = None, into: dict[str, np.ndarray] | None = None,
                  threads: int = 1) -> dict[str, np.ndarray]:
        """Fields interpolated linearly between the two records around `time`.

        Parameters
        ----------
        time
            UTC; any datetime64 precision.
        names
            Fields wanted; default: all that the files hold. Ask only for what a step needs: each costs time.
        into
            What an earlier call returned: its arrays are written over instead of new ones. Default: fresh arrays.
        threads
            That share the work; the values do not depend on it.

        Returns
        -------
        dict
            float64 arrays: (nlev, nlat, nlon), CMFMC (nlev+1, nlat, nlon), others (nlat, nlon).

        Raises
        ------
        MetError
            No record before or after `time`, or a field that is absent or not finite.
        """
        bracket, weight = self._place(time)
        result = {} if into is None else into
        for name in bracket.first if names is None else names:
            result[name] = bracket.field(name, weight, result.get(name), threads)
        return result

    def columns_at(self, time: np.datetime64, ilat: np.ndarray, ilon: np.ndarray, names: Iterable[str]) -> dict[str, np.ndarray]:
        """As `fields_at`, to the bit, but only in the cells `ilat`, `ilon` (n,): float64 arrays (n, nlev) or (n,)."""
        bracket, weight = self._place(time)
        return {name: bracket.columns(name, weight, ilat, ilon) for name in names}

    def _place(self, time: np.datetime64) -> tuple[_Bracket, float]:
        """The two records around a time, and the weight of the later one."""
        time = np.datetime64(time).astype("datetime64[ms]")
        bracket = self._bracket
        if bracket is None or not bracket.start <= time <= bracket.end:
            bracket = self._bracket = self._bracket_around(time)
        return bracket, bracket.weight(time)

    def record_times(self, first_day: np.datetime64, last_day: np.datetime64) -> np.ndarray:
        """Times (n,) of all records in the files of these days, both included."""
        times = []
        for day in np.arange(np.datetime64(first_day, "D"), np.datetime64(last_day, "D") + 1):
            file = DayFile(self.path(day))
            times.append(file.times)
            file.close()
        return np.concatenate(times)

    def close(self) -> None:
        """Close files and forget records."""
        for file in self._open.values():
            file.close()
        self._open.clear()
        self._records.clear()
        self._bracket = None

    def __enter__(self) -> MetFiles:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def check(self, start: np.datetime64, end: np.datetime64, values: bool = True) -> list[CouplingError]:
        """Everything that would keep a run over [start, end] from its meteorology.

        Looks at every file from the day before `start` to the day of `end`: presence, format, grid, levels, dates and
        steps, and (with `values`) finite numbers in physical ranges.

        Returns
        -------
        list of CouplingError
            Empty if all is well; nothing is raised.
        """
        from mozart_coupling.met_check import check_files  # the checks are a room of their own

        return check_files(self, np.datetime64(start, "s"), np.datetime64(end, "s"), values)

    def _bracket_around(self, time: np.datetime64) -> _Bracket:
        today = _day(time)
        before: tuple[np.datetime64, np.datetime64] | None = None
        after: tuple[np.datetime64, np.datetime64] | None = None
        for day in (today, today - 1, today + 1):
            needed = day == today or (before is None if day < today else after is None)
            if not needed or not self.path(day).exists():
                continue
            for stamp in self._file(day).times:
                if stamp <= time and (before is None or stamp > before[0]):
                    before = (stamp, day)
                if stamp >= time and (after is None or stamp < after[0]):
                    after = (stamp, day)
        if before is None or after is None:
            side, file = ("before", self.path(today)) if before is None else ("after", self.path(today + 1))
            raise MetError(f"no meteorology record {side} the time wanted", file, "none", f"a record {side} {time}",
                           "Supply met files from the day before the start to the day after the end.")
        if (after[0] - before[0]) > np.timedelta64(LONGEST_STEP_S, "s"):
            raise MetError("a gap between meteorology records", self.directory, f"{before[0]} … {after[0]}",
                           f"steps of at most {LONGEST_STEP_S // 3600} h around {time}")
        keep = {before[0]: before[1], after[0]: after[1]}
        self._records = {stamp: self._records[stamp] if stamp in self._records else self._file(day).record(stamp)
                         for stamp, day in keep.items()}
        for day in [day for day in self._open if abs((day - today).astype(int)) > 1]:
            self._open.pop(day).close()
        return _Bracket(before[0], after[0], self._records[before[0]], self._records[after[0]])

    def _file(self, day: np.datetime64) -> DayFile:
        if day not in self._open:
            file = DayFile(self.path(day))
            if file.grid != self.grid:
                raise MetError("the grid differs from the first file's", file.path, str(file.grid), str(self.grid))
            self._open[day] = file
        return self._open[day]


class _Bracket:
    """Two records and what lies between them."""

    def __init__(self, start: np.datetime64, end: np.datetime64, first: dict[str, np.ndarray], last: dict[str, np.ndarray]):
        self.start, self.end = start, end
        self.first, self._last = first, last

    def weight(self, time: np.datetime64) -> float:
        """Of the later record [1]."""
        span = (self.end - self.start) / np.timedelta64(1, "ms")
        return float(((time - self.start) / np.timedelta64(1, "ms")) / span) if span else 0.0

    def field(self, name: str, weight: float, into: np.ndarray | None, threads: int) -> np.ndarray:
        """The whole field, in `into` if given."""
        first, last, weight = self._pair(name, weight)
        blended = np.empty(first.shape) if into is None else into
        face = _transport.gcas_transport_fields_face
        single = first.dtype == np.float32 and last.dtype == np.float32
        run = face.blend_single if single else face.blend_double
        status, message = run(threads, first.reshape(-1), last.reshape(-1), weight, blended.reshape(-1))
        if status != _transport.gcas_status.status_ok:
            raise MetError("records do not fit each other", f"variable {name}", message)
        return blended

    def columns(self, name: str, weight: float, ilat: np.ndarray, ilon: np.ndarray) -> np.ndarray:
        """The field in some cells, (n, nlev) or (n,)."""
        first, last, weight = self._pair(name, weight)
        before = first[..., ilat, ilon].T.astype(np.float64)
        return (last[..., ilat, ilon].T.astype(np.float64) - before) * weight + before

    def _pair(self, name: str, weight: float) -> tuple[np.ndarray, np.ndarray, float]:
        if name not in self.first or name not in self._last:
            raise MetError("a meteorology field is absent", f"variable {name}", ", ".join(self.first), name)
        first, last = self.first[name], self._last[name]
        if weight == 1.0 or (name == "ORO" and weight >= 0.5):  # a type, not a quantity
            return last, last, 0.0
        return first, last, 0.0 if name == "ORO" else weight


class DayFile:
    """One open file."""

    def __init__(self, path: Path):
        self.path = path
        try:
            lacking = missing_bytes(path)
            if lacking:
                raise MetError("a meteorology file is truncated", path, f"{lacking} bytes missing", "a complete NetCDF file",
                               "Fetch or make it again.")
            self.dataset = netCDF4.Dataset(path)
        except FileNotFoundError:
            raise MetError("a meteorology file is missing", path) from None
        except (OSError, RuntimeError) as error:
            raise MetError("not a readable NetCDF file", path, str(error), "a NetCDF file",
                           "It may be truncated: fetch or make it again.") from None
        self.dataset.set_auto_mask(False)

    def close(self) -> None:
        if self.dataset.isopen():
            self.dataset.close()

    def variable(self, name: str) -> netCDF4.Variable:
        if name not in self.dataset.variables:
            raise MetError("a variable is missing", self.path, "only " + ", ".join(self.dataset.variables), name)
        return self.dataset.variables[name]

    @cached_property
    def grid(self) -> Grid:
        try:
            return Grid.from_centres(self.variable("lon")[:], self.variable("lat")[:])
        except GridError as error:
            raise MetError(error.what, f"{self.path}, {error.where}", error.found, error.expected, error.advice) from None

    @cached_property
    def coefficients(self) -> tuple[np.ndarray, np.ndarray]:
        hyai = np.array(self.variable("hyai")[:], dtype=np.float64)
        hybi = np.array(self.variable("hybi")[:], dtype=np.float64)
        if "P0" in self.dataset.variables:
            hyai = hyai * (float(self.dataset.variables["P0"][...]) / P0)
        check_coefficients(hyai, hybi, f"{self.path}, hyai and hybi")
        return hyai, hybi

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name in MET_FIELDS if name in self.dataset.variables)

    @cached_property
    def times(self) -> np.ndarray:
        """Record times (n,) datetime64[ms], from `date` and `datesec`."""
        dates = np.atleast_1d(self.variable("date")[:]).astype(np.int64)
        seconds = np.atleast_1d(self.variable("datesec")[:]).astype(np.int64)
        text = [f"{d // 10000:04d}-{d // 100 % 100:02d}-{d % 100:02d}" for d in dates]
        try:
            days = np.array(text, dtype="datetime64[s]")
        except ValueError:
            raise MetError("a date is not in the calendar", f"{self.path}, date", str(dates.tolist()), "yyyymmdd") from None
        return (days + seconds.astype("timedelta64[s]")).astype("datetime64[ms]")

    def shape_of(self, name: str) -> tuple[int, ...]:
        """Shape that one record of a field must have."""
        return MET_FIELDS[name].shape(self.coefficients[0].size - 1, self.grid)

    def record(self, stamp: np.datetime64) -> dict[str, np.ndarray]:
        """All contract fields of one record, as the file has them."""
        index = int(np.flatnonzero(self.times == stamp)[0])
        return {name: self.values(name, index) for name in self.names}

    def values(self, name: str, index: int) -> np.ndarray:
        """One field of one record: of the right shape, finite and physical, unless the transport has no use for it."""
        variable = self.variable(name)
        try:
            field = np.asarray(variable[index])
        except (RuntimeError, IndexError) as error:
            raise MetError("a record cannot be read", f"{self.path}, {name}, record {index + 1}", str(error),
                           advice="The file may be truncated: fetch or make it again.") from None
        if field.shape != self.shape_of(name):
            raise MetError("a field has the wrong shape", f"{self.path}, {name}", str(field.shape), str(self.shape_of(name)))
        if name not in NOT_USED:
            stamp = str(self.times[index].astype("datetime64[s]")).replace("T", " ")
            self._require_physical(name, field, f"{self.path}, {name}, record {index + 1}, {stamp}")
        return field

    def _require_physical(self, name: str, field: np.ndarray, where: str) -> None:
        about, low, high = MET_FIELDS[name], float(field.min()), float(field.max())
        if not (np.isfinite(low) and np.isfinite(high)) or max(-low, high) > 1e30:
            raise MetError("a field has NaN or fill values", where,
                           f"{np.count_nonzero(~np.isfinite(field) | (np.abs(field) > 1e30))} of {field.size} values")
        if low < about.low or high > about.high:
            advice = "Surface pressure must be in Pa." if name == "PS" and high < 1200.0 else ""
            raise MetError("values are not physical", where, f"{low:.6g} … {high:.6g}", f"{about.low:g} … {about.high:g} {about.units}",
                           advice)
        if name == "Q" and field[0].mean() > field[-1].mean():
            raise MetError("levels are upside down", where, "more vapour in the first level than in the last", "level 1 on top",
                           "Reverse the level axis.")
        if name == "PS":
            check_coefficients(*self.coefficients, where, low)
