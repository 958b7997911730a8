"""History files: written by the embedded model, checked after a run, sampled for H(x)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mozart_coupling import contract
from mozart_coupling.checks import require_physical, require_unit, to_mole_fraction
from mozart_coupling.constants import REFERENCE_PRESSURE
from mozart_coupling.contract import HISTORY, VMR_SUFFIX
from mozart_coupling.dates import DAY, DAYS_BEFORE_1970, date_pair, from_date_pair, from_stamp, readable
from mozart_coupling.errors import CouplingError, HistoryError
from mozart_coupling.grids import Grid
from mozart_coupling.netcdf import ClassicWriter, abandon, commit, open_dataset, temporary_name, writing
from mozart_coupling.samples import SampleColumns, SampleRequest, Samples

DEFAULT_INTERVAL = 10800  # s, where a file with one record cannot tell


@dataclass(frozen=True)
class HistoryLayout:
    """What all history files of a run share; `units` is kg/kg or mol/mol."""

    directory: Path
    case: str
    title: str
    grid: Grid
    hyai: np.ndarray
    hybi: np.ndarray
    tracers: tuple[str, ...]
    units: str
    double: bool
    has_humidity: bool
    attributes: dict[str, object]


class HistoryWriter:
    """Writes averages into files of `samples_per_file` records; a file gets its name when it is complete or the run ends."""

    def __init__(self, layout: HistoryLayout, samples_per_file: int) -> None:
        self.layout = layout
        self.samples_per_file = samples_per_file
        self._path: Path | None = None
        self._data: ClassicWriter | None = None
        self._record = 0

    def begin(self, end: int, ps: np.ndarray, mid: np.ndarray, interface: np.ndarray, humidity: np.ndarray | None) -> None:
        """The air of an average that ends at `end` [s since 1970].

        Parameters
        ----------
        ps
            (nlat, nlon) [Pa].
        mid, interface
            Heights above sea (nlev, …), (nlev+1, …) [m].
        humidity
            (nlev, nlat, nlon) [kg/kg] or None.
        """
        if self._path is None:
            self._path = self.layout.directory / contract.history_name(self.layout.case, end)
        with writing(self._path):
            if self._data is None:
                self._data = self._create(self._path)
            data, self._record = self._data, len(self._data.dimensions["time"])
            record = self._record
            data["PS"][record], data["Zm"][record], data["Zi"][record] = ps, mid, interface
            if humidity is not None:
                data["Q"][record] = humidity
            data["date"][record], data["datesec"][record] = date_pair(end)
            data["time"][record] = DAYS_BEFORE_1970 + end / DAY

    def finish(self, mixing_ratio: Iterable[np.ndarray]) -> None:
        """The tracers of the average that was begun: a field (nlev, nlat, nlon) in the layout's unit for each."""
        data, path = self._data, self._path
        if data is None or path is None:
            raise ValueError("no average was begun")
        with writing(path):
            fields = iter(mixing_ratio)
            for name in self.layout.tracers:  # nothing keeps a field that is written: the next may then take its place
                data[name + VMR_SUFFIX][self._record] = next(fields)
            if next(fields, None) is not None:
                raise ValueError("there are more fields than tracers")
            if self._record + 1 == self.samples_per_file:
                self.close()

    def close(self) -> None:
        """Complete the open file, if there is one, and give it its name."""
        if self._data is not None and self._path is not None:
            with writing(self._path):
                self._data.close()
                commit(temporary_name(self._path), self._path)
        self._data = self._path = None

    def discard(self) -> None:
        """Drop the open file: for a run that failed."""
        if self._data is not None and self._path is not None:
            abandon(self._data, temporary_name(self._path))
        self._data = self._path = None

    def _create(self, path: Path) -> ClassicWriter:
        layout = self.layout
        path.parent.mkdir(parents=True, exist_ok=True)
        n_lev, dtype = layout.hyai.size - 1, "f8" if layout.double else "f4"
        cells = (len(layout.tracers) + 3) * (n_lev + 1) * layout.grid.area.size
        data = ClassicWriter(temporary_name(path), cells * self.samples_per_file * int(dtype[1]))
        sizes = {"lev": n_lev, "ilev": n_lev + 1, "lat": layout.grid.nlat, "lon": layout.grid.nlon}
        fields = ("{tracer}" + VMR_SUFFIX, "PS", "Q", "Zm", "Zi")
        contract.define(data, HISTORY, sizes, layout.tracers, leave_out=() if layout.has_humidity else ("Q",),
                        dtypes={name: dtype for name in fields}, units={fields[0]: layout.units},
                        attributes={"title": layout.title, "case": layout.case, **layout.attributes})
        data["time"].calendar = "proleptic_gregorian"
        hyam, hybm = 0.5 * (layout.hyai[1:] + layout.hyai[:-1]), 0.5 * (layout.hybi[1:] + layout.hybi[:-1])
        data["lat"][:], data["lon"][:], data["P0"][...] = layout.grid.lat, layout.grid.lon, REFERENCE_PRESSURE
        data["hyai"][:], data["hybi"][:], data["hyam"][:], data["hybm"][:] = layout.hyai, layout.hybi, hyam, hybm
        data["lev"][:], data["ilev"][:] = 1000.0 * (hyam + hybm), 1000.0 * (layout.hyai + layout.hybi)
        return data


@dataclass(frozen=True)
class _Record:
    path: Path
    index: int
    start: int
    end: int


def history_files(directory: Path | str, case: str) -> list[tuple[int, Path]]:
    """(end of the first average [s since 1970], path) of a run directory's history files, in the order of time."""
    prefix, found = f"{contract.check_case(case)}.mz4.h0.", []
    for path in (Path(directory) / "hist").glob(f"{prefix}*.nc"):
        try:
            found.append((from_stamp(path.name.removeprefix(prefix).removesuffix(".nc")), path))
        except CouplingError:
            continue  # a name that is no date stamp is no history file
    return sorted(found)


def sample_history(directory: Path | str, case: str, request: SampleRequest, tracers: Sequence[str], mw_air: float, mw_co2: float,
                   tracer_units: str) -> Samples:
    """Profiles from history files: the same numbers as in-line sampling for requests that are history intervals.

    A request over an interval gets the mean of the averages inside it, weighted by overlap; one at an instant gets the
    average that contains it.

    Parameters
    ----------
    directory
        Run directory; the files are in its `hist`.
    tracers
        Names wanted, in this order.
    mw_air, mw_co2
        Molar masses [g mol-1] that turn kg/kg into mol/mol.
    tracer_units
        `mmr` or `vmr`: what the files hold.

    Raises
    ------
    HistoryError
        A time that no file covers, missing variables, values that are not finite, or the other unit.
    """
    records = _index(directory, case, float(request.time_start.min(initial=np.inf)), float(request.time_end.max(initial=-np.inf)))
    if not records:
        raise HistoryError("no history file covers the samples", Path(directory) / "hist", "none", f"{case}.mz4.h0.*.nc")
    with open_dataset(records[0].path, HistoryError, "history") as data:
        contract.check_structure(data, HISTORY, records[0].path, HistoryError, tracers)
        grid = Grid.from_centres(contract.value(data, "lon", 1), contract.value(data, "lat", 1))
        hyai, hybi = contract.value(data, "hyai", 1), contract.value(data, "hybi", 1)
        hyai = hyai * (float(contract.value(data, "P0", 0)) / REFERENCE_PRESSURE)
        names = {"PS": "surface_pressure", "Zm": "height", "Zi": "height_interface", "Q": "specific_humidity"}
        names = {name: target for name, target in names.items() if name in data.variables}
    for needed in ("Zm", "Zi"):
        if needed not in names:
            raise HistoryError("heights are not in the history", f"{records[0].path}, {needed}", ", ".join(names), needed,
                               "Add 'PS','Q','Zm','Zi' to hsttimav(1)%list.")
    ilat, ilon, start, end, column = request.columns(grid)
    weights = _record_weights(records, start, end)
    n = start.size
    mixing = np.zeros((n, len(tracers), hyai.size - 1))
    other = {name: np.zeros((n, *_profile_size(name, hyai.size))) for name in names}
    to_vmr = to_mole_fraction(tracer_units, mw_air, mw_co2)
    for path in dict.fromkeys(record.path for record in records):
        with open_dataset(path, HistoryError, "history") as data:
            data.set_auto_mask(False)
            for number, record in enumerate(records):
                rows, weight = weights[number]
                if record.path != path or rows.size == 0:
                    continue
                for i, tracer in enumerate(tracers):
                    field = np.asarray(data[tracer + VMR_SUFFIX][record.index], dtype=np.float64)
                    require_unit(float(field.mean()), tracer_units, f"{path}, {tracer}{VMR_SUFFIX}, record {record.index + 1}")
                    mixing[rows, i] += weight[:, None] * field[:, ilat[rows], ilon[rows]].T * to_vmr
                for name, total in other.items():
                    field = np.asarray(data[name][record.index], dtype=np.float64)[..., ilat[rows], ilon[rows]]
                    total[rows] += (weight * field).T
    if not np.isfinite(mixing).all():
        raise HistoryError("a tracer is not finite where it is sampled", Path(directory) / "hist",
                           f"{np.count_nonzero(~np.isfinite(mixing))} values")
    columns = SampleColumns(column, mixing, other["PS"], other["Zm"], other["Zi"], other.get("Q"), hyai, hybi, tuple(tracers))
    return columns.expand()


def check_history(directory: Path | str, case: str, start: int, end: int, tracers: Sequence[str], *, mw_air: float, mw_co2: float,
                  tracer_units: str, newer_than_ns: int = 0) -> Path:
    """The contract's strict check of a run's history.

    Parameters
    ----------
    start, end
        The run [s since 1970].
    newer_than_ns
        Launch time: the last file must not be older (`st_mtime_ns`).

    Returns
    -------
    Path
        The last file.

    Raises
    ------
    HistoryError
        Naming the file and the check that failed.
    """
    records = [r for r in _index(directory, case, start, end) if r.end > start]
    if not records:
        raise HistoryError("the run left no history", Path(directory) / "hist", "none", f"{case}.mz4.h0.*.nc up to {readable(end)}")
    last = records[-1].path
    if os.stat(last).st_mtime_ns < newer_than_ns:
        raise HistoryError("the last history file is older than the launch", last, advice="It is left from an earlier run.")
    expected = start
    for record in records:
        if record.start != expected:
            raise HistoryError("a history record is missing", record.path, f"a record from {readable(record.start)}",
                               f"one from {readable(expected)}")
        expected = record.end
    if expected != end:
        raise HistoryError("the history does not reach the end of the run", f"{last}, date and datesec", readable(expected), readable(end))
    to_vmr = to_mole_fraction(tracer_units, mw_air, mw_co2)
    with open_dataset(last, HistoryError, "history") as data:
        contract.check_structure(data, HISTORY, last, HistoryError, tracers)
        data.set_auto_mask(False)
        for tracer in tracers:
            values = np.asarray(data[tracer + VMR_SUFFIX][...])
            where = f"{last}, {tracer}{VMR_SUFFIX}"
            require_physical(values, to_vmr, where, HistoryError)
            require_unit(float(values.mean(dtype=np.float64)), tracer_units, where)
    return last


def _index(directory: Path | str, case: str, first: float, last: float) -> list[_Record]:
    """Records that touch [first, last], in the order of time."""
    files, out = history_files(directory, case), []
    for number, (stamp, path) in enumerate(files):
        following = files[number + 1][0] if number + 1 < len(files) else np.inf
        if stamp - 2 * DAY > last or following < first:
            continue
        with open_dataset(path, HistoryError, "history") as data:
            for name in ("date", "datesec"):
                if name not in data.variables:
                    raise HistoryError("a variable of the history file is missing", f"{path}, {name}", ", ".join(data.variables), name)
            dates, seconds = contract.value(data, "date", 1), contract.value(data, "datesec", 1)
        ends = [from_date_pair(int(d), int(s)) for d, s in zip(np.atleast_1d(dates), np.atleast_1d(seconds), strict=True)]
        if not ends:
            raise HistoryError("a history file has no records", path, 0, "at least 1")
        length = ends[1] - ends[0] if len(ends) > 1 else (out[-1].end - out[-1].start if out else DEFAULT_INTERVAL)
        if length <= 0 or any(b - a != length for a, b in zip(ends, ends[1:], strict=False)):
            raise HistoryError("history records are not evenly spaced", f"{path}, date and datesec",
                               ", ".join(readable(e) for e in ends[:9]))
        out += [_Record(path, i, e - length, e) for i, e in enumerate(ends) if e > first - 1 and e - length < last + 1]
    return sorted(out, key=lambda record: record.end)


def _record_weights(records: list[_Record], start: np.ndarray, end: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """For every record the rows that take from it, and how much; the weights of a row add up to 1."""
    out, total = [], np.zeros(start.size)
    instant = start == end
    for number, record in enumerate(records):
        overlap = np.minimum(end, record.end) - np.maximum(start, record.start)
        # An instant belongs to the average that begins with it or contains it; the last one also has its own end.
        closed = number + 1 == len(records) or records[number + 1].start != record.end
        inside = (start >= record.start) & ((start < record.end) | (closed & (start == record.end)))
        share = np.where(instant, inside.astype(float), np.maximum(overlap, 0.0) / np.where(instant, 1.0, end - start))
        rows = np.flatnonzero(share > 0.0)
        out.append((rows, share[rows]))
        total[rows] += share[rows]
    lacking = np.flatnonzero(np.abs(total - 1.0) > 1e-9)
    if lacking.size:
        row = int(lacking[0])
        raise HistoryError("the history does not cover a sample", records[0].path.parent, f"{total[row]:.3g} of its interval",
                           f"{readable(int(start[row]))} … {readable(int(end[row]))}")
    return out


def _profile_size(name: str, n_interfaces: int) -> tuple[int, ...]:
    return {"PS": (), "Zi": (n_interfaces,)}.get(name, (n_interfaces - 1,))
