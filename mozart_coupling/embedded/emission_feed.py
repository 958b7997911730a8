"""The surface flux of a step: the exact integral of the records' linear interpolation, from files or from components."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import netCDF4
import numpy as np

from mozart_coupling import contract
from mozart_coupling.checks import require_grid
from mozart_coupling.classic_header import missing_bytes
from mozart_coupling.constants import AVOGADRO
from mozart_coupling.dates import readable
from mozart_coupling.emissions import check_emission_header, interpolant_weights, read_components, read_factors, read_record
from mozart_coupling.errors import CouplingError, EmissionError
from mozart_coupling.grids import Grid
from mozart_coupling.netcdf import inside


class EmissionFeed(Protocol):
    """Gives the amounts added in a step."""

    def take_coefficients(self) -> np.ndarray | None:
        """(n_tracers, n_basis, nlat, nlon) [1], given away: asked for once; None where there is a field for each tracer."""

    def amounts(self, start: int, end: int) -> np.ndarray:
        """(n_basis, nlat, nlon) [kg m-2] added between two instants [s since 1970]."""

    def close(self) -> None:
        """Let go of files."""


def kilograms_per_molecule_per_cm2(mw_co2: float) -> float:
    """kg m-2 of one molecule cm-2."""
    return 1.0e4 / AVOGADRO * mw_co2 * 1.0e-3


class FileEmissions:
    """Emission files of the contract, one a tracer, read record by record.

    Parameters
    ----------
    directory, tag
        `emissions.<tracer>.surface.<tag>.nc`; an empty tag stands for whatever the one file of a tracer has.
    start, end
        The run [s since 1970]: the records must cover it.

    Raises
    ------
    EmissionError
        Missing, ambiguous or truncated files, another grid, dates that do not cover the run or differ between files.
    """

    def __init__(self, directory: Path, tag: str, tracers: Sequence[str], grid: Grid, start: int, end: int, mw_co2: float) -> None:
        self.paths = [find_emission_file(directory, tracer, tag) for tracer in tracers]
        self._grid, self._factor = grid, kilograms_per_molecule_per_cm2(mw_co2)
        self._files: list[netCDF4.Dataset] = []
        self._kept: dict[int, np.ndarray] = {}
        try:
            for path in self.paths:
                self._files.append(_open(path))
                found, times = _header(self._files[-1], path)
                require_grid(found, grid, path, EmissionError)
                if len(self._files) == 1:
                    self._times = times
                    require_cover(times, start, end, path)
                elif not np.array_equal(times, self._times):
                    raise EmissionError("the records have other dates than the first tracer's", f"{path}, date and datesec",
                                        f"{times.size} records from {readable(int(times[0]))}",
                                        f"{self._times.size} from {readable(int(self._times[0]))}")
        except BaseException:
            self.close()
            raise

    def take_coefficients(self) -> None:
        """There are none."""

    def amounts(self, start: int, end: int) -> np.ndarray:
        """(n_tracers, nlat, nlon) [kg m-2] added between two instants."""
        first, weights = interpolant_weights(self._times, start, end)
        self._kept = {k: v for k, v in self._kept.items() if k >= first}
        total = np.zeros((len(self._files), *self._grid.shape))
        for offset, weight in enumerate(weights):
            if weight:
                total += (weight * self._factor) * self._record(first + offset)
        return total

    def close(self) -> None:
        """Close the files."""
        for data in self._files:
            data.close()
        self._files = []

    def _record(self, index: int) -> np.ndarray:
        if index not in self._kept:
            field = np.empty((len(self._files), *self._grid.shape))
            for own, data, path in zip(field, self._files, self.paths, strict=True):
                try:
                    own[...] = read_record(data, index)
                except (RuntimeError, OSError, IndexError, ValueError) as problem:
                    raise EmissionError("an emission record cannot be read", f"{path}, record {index + 1}", problem) from problem
                if not np.isfinite(own).all():
                    raise EmissionError("a flux is not finite", f"{path}, record {index + 1}, {readable(int(self._times[index]))}",
                                        f"{np.count_nonzero(~np.isfinite(own))} of {own.size} values")
            self._kept[index] = field
        return self._kept[index]


class ComponentEmissions:
    """Flux components common to all tracers, and each tracer's factors, in double precision."""

    def __init__(self, components_file: Path, factors_file: Path, tracers: Sequence[str], grid: Grid, start: int, end: int,
                 mw_co2: float) -> None:
        names, found, self._times, self._flux = read_components(components_file)
        require_grid(found, grid, components_file, EmissionError)
        require_cover(self._times, start, end, components_file)
        own, components, factors = read_factors(factors_file, grid)
        if components != names:
            raise EmissionError("factors and components do not belong together", factors_file, ", ".join(components), ", ".join(names))
        missing = [tracer for tracer in tracers if tracer not in own]
        if missing:
            raise EmissionError("factors of a tracer are missing", f"{factors_file}, {missing[0]}", f"tracers {own[0]} … {own[-1]}",
                                f"{len(tracers)} tracers", f"Missing: {', '.join(missing)}")
        self._coefficients: np.ndarray | None = factors
        if tuple(own) != tuple(tracers):
            self._coefficients = np.ascontiguousarray(factors[[own.index(tracer) for tracer in tracers]])
        self._factor = kilograms_per_molecule_per_cm2(mw_co2)

    def take_coefficients(self) -> np.ndarray | None:
        """(n_tracers, n_components, nlat, nlon) [1]; once."""
        given, self._coefficients = self._coefficients, None
        return given

    def amounts(self, start: int, end: int) -> np.ndarray:
        """(n_components, nlat, nlon) [kg m-2] added between two instants, before the factors."""
        first, weights = interpolant_weights(self._times, start, end)
        part = self._flux[:, first:first + weights.size]
        return np.einsum("k,ckij->cij", weights * self._factor, part)

    def close(self) -> None:
        """Nothing is open."""


def find_emission_file(directory: Path, tracer: str, tag: str) -> Path:
    """The emission file of a tracer.

    Raises
    ------
    EmissionError
        If there is none, or without a tag several.
    """
    if tag:
        found = [path for path in [directory / contract.emission_name(tracer, tag)] if path.is_file()]
    else:
        found = sorted(directory.glob(contract.emission_name(tracer, "*"))) if directory.is_dir() else []
    if len(found) != 1:
        raise EmissionError("there is no emission file of a tracer" if not found else "there are several emission files of a tracer",
                            f"{directory}, {tracer}", ", ".join(path.name for path in found) or "none",
                            contract.emission_name(tracer, tag or "<tag>"), "Set emission_tag in &GCAS_TRANSPORT." if found else "")
    return found[0]


def require_cover(times: np.ndarray, start: int, end: int, path: Path) -> None:
    """Raise `EmissionError` unless the records reach over the whole run."""
    if times[0] > start or times[-1] < end:
        raise EmissionError("the emission records do not cover the run", f"{path}, date and datesec",
                            f"{times.size} records, {readable(int(times[0]))} … {readable(int(times[-1]))}",
                            f"{readable(start)} … {readable(end)}",
                            "Three-hourly records from 00:00 of the first day to 00:00 of the day after the last: 8 a day and one more.")


def _header(data: netCDF4.Dataset, path: Path) -> tuple[Grid, np.ndarray]:
    try:
        return check_emission_header(data, path)
    except CouplingError as problem:
        raise inside(path, problem, EmissionError) from problem


def _open(path: Path) -> netCDF4.Dataset:
    lacking = missing_bytes(path)
    if lacking:
        raise EmissionError("the emission file is truncated", path, f"{lacking} bytes missing", "a complete NetCDF file", "Write it again.")
    try:
        data = netCDF4.Dataset(path)
        for variable in data.variables.values():  # masking costs more than reading where nothing can be masked
            variable.set_auto_maskandscale(bool({"_FillValue", "missing_value", "scale_factor", "add_offset"} & set(variable.ncattrs())))
        return data
    except (OSError, RuntimeError) as problem:
        raise EmissionError("the emission file cannot be opened", path, problem, "a NetCDF file") from problem
