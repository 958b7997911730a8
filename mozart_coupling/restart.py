"""Restart files: reading, writing, the pointer, and the hand-off from the forward run to the ensemble."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import netCDF4
import numpy as np
from numpy.typing import ArrayLike

from mozart_coupling import contract
from mozart_coupling.checks import require_grid
from mozart_coupling.constants import REFERENCE_PRESSURE
from mozart_coupling.contract import MASTER_RESTART, RESTART
from mozart_coupling.dates import date_pair, from_date_pair, from_stamp, readable, to_seconds
from mozart_coupling.errors import CouplingError, RestartError
from mozart_coupling.grids import Grid
from mozart_coupling.netcdf import attribute, commit, new_dataset, open_dataset, sync_directory, temporary_name, write_text

KEPT_SUFFIX = ".before_hand_off"


@dataclass(frozen=True)
class Restart:
    """A tracer restart as read: `mixing_ratio` (n_tracers, nlev, nlat, nlon) or a field for each tracer, kg/kg, `time` s since 1970.

    Only the tracers are certain in a file that another model wrote: grid and levels are None where it does not have them.
    """

    tracers: tuple[str, ...]
    mixing_ratio: np.ndarray | Sequence[np.ndarray]
    grid: Grid | None
    hyam: np.ndarray | None
    hybm: np.ndarray | None
    time: int


@dataclass(frozen=True)
class MasterRestart:
    """The air's own state: `ps` (nlat, nlon) Pa, `time` s since 1970, the tracer restart's path relative to the run directory.

    `parts`: the tracers' mean (nlev, nlat, nlon) and anomalies from it (n_tracers, nlev, nlat, nlon) [kg/kg] as a run in single
    precision carries them, where it was stopped off midnight; else None.
    """

    ps: np.ndarray
    time: int
    restart_file: str
    parts: tuple[np.ndarray, np.ndarray] | None


def write_restart(directory: Path | str, case: str, time: object, grid: Grid, levels: tuple[ArrayLike, ArrayLike], tracers: Sequence[str],
                  mixing_ratio: Iterable[np.ndarray], ps: np.ndarray, attributes: dict[str, object] | None = None,
                  parts: tuple[np.ndarray, Iterable[np.ndarray]] | None = None) -> None:
    """Write both restart files of an instant into a run directory, the tracers first; the pointer is the caller's.

    Parameters
    ----------
    levels
        (hyai, hybi), each (nlev+1,).
    mixing_ratio
        A field (nlev, nlat, nlon) [kg/kg] for each tracer.
    ps
        (nlat, nlon) [Pa].
    attributes
        Global attributes of both files.
    parts
        As in `MasterRestart`, an anomaly for each tracer.
    """
    seconds = to_seconds(time)
    hyai, hybi = (np.asarray(c, dtype=np.float64) for c in levels)
    hyam, hybm = 0.5 * (hyai[1:] + hyai[:-1]), 0.5 * (hybi[1:] + hybi[:-1])
    sizes = {"lev": hyam.size, "ilev": hyai.size, "lat": grid.nlat, "lon": grid.nlon}
    tracer_path = Path(directory) / contract.restart_name(case, seconds)
    values = len(tracers) * hyam.size * grid.nlat * grid.nlon
    with new_dataset(tracer_path, values * 8, fields=zip(tracers, mixing_ratio, strict=True)) as data:
        contract.define(data, RESTART, sizes, tracers, attributes={"case": case, **(attributes or {})})
        data["hyam"][:], data["hybm"][:], data["lev"][:] = hyam, hybm, 1000.0 * (hyam + hybm)
        data["PS"][:] = ps
        _put_common(data, grid, seconds)
    with new_dataset(Path(directory) / contract.master_restart_name(seconds), values * 4 if parts else 0) as data:
        contract.define(data, MASTER_RESTART, {**sizes, "tracer": len(tracers)}, leave_out=() if parts else ("mean", "anomaly"),
                        attributes={"case": case, "restart_file": contract.restart_name(case, seconds), **(attributes or {})})
        data["hyai"][:], data["hybi"][:], data["PS"][:] = hyai, hybi, ps
        if parts:
            data["mean"][:] = parts[0]
            for number, anomaly in enumerate(parts[1]):
                data["anomaly"][number] = anomaly
        _put_common(data, grid, seconds)


def read_restart(path: Path | str, tracers: Sequence[str] | None = None) -> Restart:
    """Read a tracer restart.

    Parameters
    ----------
    tracers
        Names wanted, in this order; default: all that the file holds, in its order.

    Raises
    ------
    RestartError
        Missing or truncated file, missing tracers, values that are not finite.
    """
    restart = open_restart(path, tracers)
    return replace(restart, mixing_ratio=np.stack([restart.mixing_ratio[n] for n in range(len(restart.tracers))]))


def open_restart(path: Path | str, tracers: Sequence[str] | None = None) -> Restart:
    """As `read_restart`, but each tracer's field is read when it is asked for, by index or in a loop, and tested then."""
    with open_dataset(path, RestartError, "restart") as data:
        names = tuple(tracers) if tracers is not None else tracers_of(data)
        for name in names or ("EN001",):
            if name not in tracers_of(data):
                raise RestartError("a tracer is not in the restart file", f"{path}, {name}", ", ".join(tracers_of(data)) or "no tracers",
                                   f"{name}(lev, lat, lon)")
        levels = [contract.value(data, name, 1) if name in data.variables else None for name in ("hyam", "hybm")]
        return Restart(names, _RestartFields(path, names), grid_of(data), *levels, time_of(data, Path(path)))


class _RestartFields(Sequence[np.ndarray]):
    """The fields of a restart file, read one by one."""

    def __init__(self, path: Path | str, names: Sequence[str]) -> None:
        self._path, self._names = path, names

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> np.ndarray:  # type: ignore[override]
        name = self._names[index]
        with open_dataset(self._path, RestartError, "restart") as data:
            field = contract.value(data, name, 3).astype(np.float64)
        if not np.isfinite(field).all():
            raise RestartError("a restart field is not finite", f"{self._path}, {name}", f"{np.count_nonzero(~np.isfinite(field))} values")
        return field


def read_master(path: Path | str) -> MasterRestart:
    """Read a master restart of the embedded model.

    Raises
    ------
    RestartError
        If it is missing, another model wrote it, or its surface pressure is not finite and positive.
    """
    with open_dataset(path, RestartError, "master restart") as data:
        contract.check_structure(data, MASTER_RESTART, path, RestartError)
        time = from_date_pair(int(contract.value(data, "date", 0)), int(contract.value(data, "datesec", 0)))
        ps = contract.value(data, "PS", 2)
        if not (np.isfinite(ps).all() and ps.min() > 0.0):
            raise RestartError("the restart's surface pressure is not finite and positive", f"{path}, PS",
                               f"{ps.min():g} … {ps.max():g} Pa")
        parts = (contract.value(data, "mean", 3), contract.value(data, "anomaly", 4)) if "anomaly" in data.variables else None
        return MasterRestart(ps, time, attribute(data, "restart_file", path, RestartError), parts)


def hand_off(forward_restart: Path | str, ensemble_restart: Path | str, source: str = "EN001") -> Path:
    """Give every tracer of the ensemble's restart the forward run's `source` field.

    The new file is written beside the old one, forced to disk and renamed over it; the old one stays under
    `<name>.before_hand_off` until `forget_kept` is called. Doing it twice is the same as doing it once.

    Returns
    -------
    Path
        The kept file.

    Raises
    ------
    RestartError
        If the two files are of different dates or grids, or the source is missing or not finite.
    """
    target = Path(ensemble_restart)
    forward = read_restart(forward_restart, [source])
    kept, temporary = target.with_name(target.name + KEPT_SUFFIX), temporary_name(target)
    with open_dataset(target, RestartError, "restart") as data:
        names, grid, time = tracers_of(data), grid_of(data), time_of(data, target)
        shape = data[names[0]].shape[-3:] if names else ()
    if time != forward.time:
        raise RestartError("the hand-off joins files of different dates", target, readable(time),
                           f"{readable(forward.time)} as {forward_restart}")
    if forward.mixing_ratio[0].shape != shape:
        raise RestartError("the hand-off joins files of different grids", target, shape,
                           f"{forward.mixing_ratio[0].shape} as {forward_restart}")
    if grid is not None and forward.grid is not None:
        require_grid(forward.grid, grid, forward_restart, RestartError)
    shutil.copyfile(target, temporary)
    try:
        _overwrite(temporary, names, forward.mixing_ratio[0])
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if not kept.exists():
        os.link(target, kept)
        sync_directory(target.parent)
    commit(temporary, target)
    return kept


def forget_kept(ensemble_restart: Path | str) -> None:
    """Remove what `hand_off` kept; for when the next window has ended."""
    path = Path(ensemble_restart)
    path.with_name(path.name + KEPT_SUFFIX).unlink(missing_ok=True)


def write_pointer(directory: Path | str, case: str, time: object) -> Path:
    """Write `<case>-rpntr`: one line, the master restart relative to the run directory."""
    path = Path(directory) / contract.pointer_name(contract.check_case(case))
    write_text(path, contract.master_restart_name(to_seconds(time)) + "\n")
    return path


def read_pointer(directory: Path | str, case: str) -> tuple[Path, int]:
    """(master restart relative to the run directory, its date in s since 1970) that the pointer names.

    Raises
    ------
    RestartError
        If there is no pointer, or its line is no master restart.
    """
    path = Path(directory) / contract.pointer_name(contract.check_case(case))
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise RestartError("the restart pointer cannot be read", path, problem, "one line, such as rest/rstrt-2010-06-08-00000",
                           "A RESTART run needs an earlier run of the same case.") from None
    line = lines[0].strip() if lines else ""
    relative = Path(line)
    if not relative.name.startswith("rstrt-"):
        raise RestartError("the restart pointer names no master restart", path, repr(line), "rest/rstrt-YYYY-MM-DD-SSSSS")
    try:
        return relative, from_stamp(relative.name.removeprefix("rstrt-"))
    except CouplingError as problem:
        raise RestartError("the restart pointer names no date", path, repr(line), "rest/rstrt-YYYY-MM-DD-SSSSS") from problem


def tracers_of(data: netCDF4.Dataset) -> tuple[str, ...]:
    """Names of an open restart's fields on (lev, lat, lon)."""
    return tuple(name for name, variable in data.variables.items() if variable.dimensions[-3:] == ("lev", "lat", "lon"))


def grid_of(data: netCDF4.Dataset) -> Grid | None:
    """The grid of an open restart, if it says so."""
    if "lon" not in data.variables or "lat" not in data.variables:
        return None
    return Grid.from_centres(contract.value(data, "lon", 1), contract.value(data, "lat", 1))


def time_of(data: netCDF4.Dataset, path: Path) -> int:
    """The instant of an open restart [s since 1970]: from `date` and `datesec`, else from its name.

    Raises
    ------
    RestartError
        If neither tells, or the two differ.
    """
    found = re.search(r"(\d{4}-\d\d-\d\d-\d{5})", path.name)
    named = from_stamp(found.group(1)) if found else None
    if "date" not in data.variables:
        if named is None:
            raise RestartError("a restart file has no date", path, ", ".join(data.variables),
                               "date, or a YYYY-MM-DD-SSSSS stamp in its name")
        return named
    seconds = int(np.ravel(contract.value(data, "datesec", 0))[0]) if "datesec" in data.variables else 0
    time = from_date_pair(int(np.ravel(contract.value(data, "date", 0))[0]), seconds)
    if named is not None and named != time:
        raise RestartError("a restart file's date is not that of its name", path, readable(time), readable(named))
    return time


def _overwrite(path: Path, names: Sequence[str], field: np.ndarray) -> None:
    with netCDF4.Dataset(path, "r+") as data:
        data.set_auto_mask(False)
        for name in names:
            data[name][...] = field.reshape(data[name].shape)
        data.hand_off = "every tracer was given one field, that of the forward run"


def _put_common(data: netCDF4.Dataset, grid: Grid, seconds: int) -> None:
    data["lat"][:], data["lon"][:], data["P0"][...] = grid.lat, grid.lon, REFERENCE_PRESSURE
    data["date"][...], data["datesec"][...] = date_pair(seconds)
