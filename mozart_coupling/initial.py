"""The initial condition: one CO2 field, or one for every tracer, in kg/kg on the model's grid and levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np
from numpy.typing import ArrayLike

from mozart_coupling import contract
from mozart_coupling.checks import require_physical
from mozart_coupling.constants import MOLAR_MASS_AIR, MOLAR_MASS_CO2, REFERENCE_PRESSURE
from mozart_coupling.contract import INITIAL
from mozart_coupling.dates import date_pair, from_date_pair, to_seconds
from mozart_coupling.errors import InitialError
from mozart_coupling.grids import Grid
from mozart_coupling.netcdf import new_dataset, open_dataset


@dataclass(frozen=True)
class Initial:
    """An initial condition as read: `fields` (nlev, nlat, nlon) kg/kg by name, `ps` (nlat, nlon) Pa or None, `time` s since 1970 (None
    where the file is not dated)."""

    grid: Grid
    hyam: np.ndarray
    hybm: np.ndarray
    ps: np.ndarray | None
    fields: dict[str, np.ndarray]
    time: int | None
    path: Path

    def tracer(self, name: str) -> np.ndarray:
        """The field of a tracer: its own if the file has one, else `CO2`.

        Raises
        ------
        InitialError
            If the file has neither.
        """
        field = self.fields.get(name, self.fields.get("CO2"))
        if field is None:
            raise InitialError("the initial condition has no field for a tracer", f"{self.path}, {name}", ", ".join(self.fields),
                               f"{name} or CO2")
        return field


def write_initial(path: Path | str, grid: Grid, levels: tuple[ArrayLike, ArrayLike], ps: ArrayLike, field: ArrayLike,
                  tracers: Sequence[str],
                  date: object, *, mw_air: float = MOLAR_MASS_AIR, mw_co2: float = MOLAR_MASS_CO2) -> None:
    """Write an initial condition with `CO2` and every tracer.

    Parameters
    ----------
    levels
        (hyai, hybi), each (nlev+1,), top first.
    ps
        (nlat, nlon) or one number [Pa].
    field
        Mole fraction [mol/mol]: one number, (nlev, nlat, nlon), or (n_tracers, nlev, nlat, nlon), where `CO2` gets the first.
    tracers
        Names beside `CO2`.
    date
        Instant the field is for.
    mw_air, mw_co2
        Molar masses [g mol-1]; the file holds kg/kg = mol/mol · mw_co2 / mw_air.

    Raises
    ------
    InitialError
        Wrong shapes, values that are not finite.
    """
    hyai, hybi = (np.asarray(c, dtype=np.float64) for c in levels)
    hyam, hybm = 0.5 * (hyai[1:] + hyai[:-1]), 0.5 * (hybi[1:] + hybi[:-1])
    cube = (hyam.size, *grid.shape)
    values = np.asarray(field, dtype=np.float64)
    if values.shape not in ((), cube, (len(tracers), *cube)):
        raise InitialError("the initial field does not fit", path, f"shape {values.shape}", f"a number, {cube} or {(len(tracers), *cube)}")
    values = values * (mw_co2 / mw_air)
    surface = np.broadcast_to(np.asarray(ps, dtype=np.float64), grid.shape)
    if not (np.isfinite(values).all() and np.isfinite(surface).all()):
        raise InitialError("the initial field is not finite", path)
    names = ["CO2", *(name for name in tracers if name != "CO2")]
    with new_dataset(path, 4 * len(names) * int(np.prod(cube))) as data:
        contract.define(data, INITIAL, {"lev": hyam.size, "lat": grid.nlat, "lon": grid.nlon}, names,
                        attributes={"mw_air": mw_air, "mw_co2": mw_co2})
        data["lat"][:], data["lon"][:], data["hyam"][:], data["hybm"][:] = grid.lat, grid.lon, hyam, hybm
        data["lev"][:], data["P0"][...], data["PS"][:] = 1000.0 * (hyam + hybm), REFERENCE_PRESSURE, surface
        data["date"][...], data["datesec"][...] = date_pair(to_seconds(date))
        for name in names:
            own = values[list(tracers).index(name) if name in tracers else 0] if values.ndim == 4 else values
            data[name][:] = np.broadcast_to(own, cube)


def read_initial(path: Path | str, tracers: Sequence[str] | None = None) -> Initial:
    """Read an initial condition.

    Parameters
    ----------
    tracers
        Read only `CO2` and these; default: every field on (lev, lat, lon).

    Raises
    ------
    InitialError
        Missing or truncated file, missing variables, values that are missing or impossible, coefficients that are no levels.
    """
    with open_dataset(path, InitialError, "initial") as data:
        contract.check_structure(data, INITIAL, path, InitialError)
        grid = Grid.from_centres(contract.value(data, "lon", 1), contract.value(data, "lat", 1))
        hyam, hybm = contract.value(data, "hyam", 1), contract.value(data, "hybm", 1)
        p0 = float(np.ravel(contract.value(data, "P0", 0))[0]) if "P0" in data.variables else REFERENCE_PRESSURE
        _refuse_levels(hyam, hybm, p0, path)
        cube = (hyam.size, *grid.shape)
        wanted = None if tracers is None else {"CO2", *tracers}
        fields = {}
        for name, variable in data.variables.items():
            if variable.shape[-3:] != cube or (wanted is not None and name not in wanted):
                continue
            fields[name] = _field(data, name, path)
        if not fields:
            raise InitialError("the initial condition has no tracer field", path, ", ".join(data.variables), "CO2 or EN### (lev, lat, lon)")
        date, datesec = (int(np.ravel(contract.value(data, name, 0))[0]) if name in data.variables else None
                         for name in ("date", "datesec"))
        time = None if date is None else from_date_pair(date, datesec or 0)
        return Initial(grid, hyam * (p0 / REFERENCE_PRESSURE), hybm, _surface_pressure(data), fields, time, Path(path))


def _field(data: netCDF4.Dataset, name: str, path: Path | str) -> np.ndarray:
    """A tracer (nlev, nlat, nlon) as it stands in the file, refused where it holds anything but mixing ratios."""
    if data[name].dtype is str or data[name].dtype.kind not in "fiu":
        raise InitialError("an initial field holds no numbers", f"{path}, {name}", data[name].dtype, "kg/kg")
    values = contract.value(data, name, 3).astype(np.float64)
    require_physical(values, MOLAR_MASS_AIR / MOLAR_MASS_CO2, f"{path}, {name}", InitialError)
    return values


def _refuse_levels(hyam: np.ndarray, hybm: np.ndarray, p0: float, path: Path | str) -> None:
    """Raise an `InitialError` unless the hybrid coefficients make pressures that grow from the top to the ground."""
    if not 0.9 * REFERENCE_PRESSURE <= p0 <= 1.1 * REFERENCE_PRESSURE:
        raise InitialError("the reference pressure is not one of an atmosphere", f"{path}, P0", f"{p0:g}", f"{REFERENCE_PRESSURE:g} Pa")
    pressure = hyam + hybm  # over a surface at the reference pressure, as its fraction
    if pressure.size > 1 and (np.diff(pressure) < 0.0).all():
        raise InitialError("the levels are upside down", f"{path}, hyam and hybm", f"{pressure[0]:.4g} … {pressure[-1]:.4g}",
                           "level 1 at the top")
    if not (np.isfinite(pressure).all() and pressure[0] >= 0.0 and pressure[-1] < 1.1 and (np.diff(pressure) > 0.0).all()
            and (hybm >= -1.0e-6).all()):
        raise InitialError("the hybrid coefficients are not those of an atmosphere", f"{path}, hyam and hybm",
                           f"pressures of {', '.join(f'{1000.0 * p:.4g}' for p in pressure[:4])} … hPa at the levels",
                           "pressures that grow from the top level to the lowest, up to 1100 hPa")


def _surface_pressure(data: netCDF4.Dataset) -> np.ndarray | None:
    return contract.value(data, "PS", 2).astype(np.float64) if "PS" in data.variables else None
