"""The one door to the Fortran transport core.

The core holds the mixing ratios of all tracers, tracer fastest and in blocks, and the surface pressure: these two are the
whole state, so that what `mixing_ratio()` and `surface_pressure` give, put back by `set_state()`, continues to the bit.
Everything else (fluxes of air, mixing, convection) follows from them and from the meteorology of a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from mozart_coupling.constants import REFERENCE_PRESSURE
from mozart_coupling.embedded.blocks import (
    GROUP,
    NARROW_WIDTHS,
    WIDE_WIDTHS,
    Fields,
    TransportError,
    add_columns,
    aligned_zeros,
    block_width,
    checked,
    gathered,
    scatter,
    shaped,
)
from mozart_coupling.embedded.mixing import Mixing
from mozart_coupling.embedded.running_mean import RunningMean
from mozart_coupling.embedded.step import StepEmission, StepMet
from mozart_coupling.embedded.tables import Tables, face, hybrid_coefficients, raise_core_status
from mozart_coupling.errors import MetError
from mozart_coupling.grids import Grid
from mozart_coupling.threads import default_threads

#: no tracers that are carried along
_NONE = np.zeros((0, 1, 1, 1, 1))


class TransportCore:
    """Transport of `n_tracers` tracers on one grid.

    Parameters
    ----------
    grid
        Longitude-latitude grid; its first and last row become well-mixed polar caps.
    hyai, hybi
        Hybrid interface coefficients (nlev+1,) [1], top first: pressure = hyai·1e5 Pa + hybi·ps.
    n_tracers
        Number of tracers, at least 1.
    mode
        "linear": unlimited PPM, exactly linear in the tracers; "monotone": no new extrema.
    precision
        Of the tracers: "double" or "single" (geometry and air mass stay double).
    threads
        OpenMP threads; None: OMP_NUM_THREADS or all processors. Results do not depend on it.
    boundary_layer, convection
        Whether to mix.
    block
        Tracers that stand side by side in memory; None: chosen from `n_tracers`. Results do not depend on it.
    history_precision, history_directory
        Of the running means for history files; where those wait that are not kept in memory.
    """

    def __init__(self, grid: Grid, hyai: ArrayLike, hybi: ArrayLike, n_tracers: int, *,
                 mode: Literal["linear", "monotone"] = "linear", precision: Literal["double", "single"] = "double",
                 threads: int | None = None, boundary_layer: bool = True, convection: bool = True,
                 block: int | None = None, history_precision: Literal["double", "single"] = "double",
                 history_directory: Path | None = None) -> None:
        if mode not in ("linear", "monotone"):
            raise TransportError("unknown mode", "TransportCore, mode", repr(mode), "'linear' or 'monotone'")
        if precision not in ("double", "single"):
            raise TransportError("unknown precision", "TransportCore, precision", repr(precision), "'double' or 'single'")
        if n_tracers < 1:
            raise TransportError("no tracers", "TransportCore, n_tracers", n_tracers, "at least 1")
        self.grid = grid
        self.n_tracers = int(n_tracers)
        self.mode = mode
        self._monotone = int(mode == "monotone")
        self.precision = precision
        self.threads = int(threads) if threads else default_threads()
        self.boundary_layer = boundary_layer
        self.convection = convection
        #: what the last step added to the met's surface pressure at its end [Pa]
        self.pressure_shift = 0.0
        #: largest column mismatch that the pressure fixer removed in the last step [Pa]
        self.fixer_mismatch = 0.0
        self._a, self._b = hybrid_coefficients(hyai, hybi)
        self.nlev = self._a.size - 1
        self._block = block_width(self.n_tracers, precision) if block is None else int(block)
        if self._block not in NARROW_WIDTHS + WIDE_WIDTHS[precision]:
            raise TransportError("unknown block width", "TransportCore, block", self._block,
                                 f"one of {NARROW_WIDTHS + WIDE_WIDTHS[precision]}")
        self._kind = np.float64 if precision == "double" else np.float32
        self._tables = Tables(grid)
        n_blocks = -(-self.n_tracers // self._block)
        self._q = aligned_zeros((n_blocks, self.nlev, *grid.shape, self._block), self._kind)
        self._ps = np.full(grid.shape, REFERENCE_PRESSURE)
        field = (self.nlev, *grid.shape)
        self._mass, self._mass_end = np.empty(field), np.empty(field)
        self._zonal, self._meridional = np.empty(field), np.empty((self.nlev, grid.nlat + 1, grid.nlon))
        #: exchange by turbulence, updraft, boundary-layer depth of the last step
        self.mixing = Mixing(grid, self._a, self._b, self.threads, boundary_layer=boundary_layer, convection=convection)
        self._companion: TransportCore | None = None
        self._coefficients: np.ndarray | None = None
        self._coefficients_source: np.ndarray | None = None
        self._history = RunningMean(self.n_tracers, np.float64 if history_precision == "double" else np.float32, self.threads,
                                    history_directory)
        self._no_basis = np.zeros((0, *grid.shape))
        self._no_coefficients = np.zeros((n_blocks, 0, *grid.shape, self._block), dtype=self._kind)

    # --- State ------------------------------------------------------------------------------------------------------

    @property
    def surface_pressure(self) -> np.ndarray:
        """Surface pressure now (nlat, nlon) [Pa]; uniform on the caps."""
        return self._ps.copy()

    def set_state(self, mixing_ratio: ArrayLike | Sequence[np.ndarray], surface_pressure: ArrayLike) -> None:
        """Start from these fields; the two polar rows become their mean over longitude.

        Parameters
        ----------
        mixing_ratio
            (n_tracers, nlev, nlat, nlon), any unit; or a field (nlev, nlat, nlon) for each tracer, which are asked for a few at a time.
        surface_pressure
            (nlat, nlon) [Pa]: the met's of this time, up to a uniform shift.

        Raises
        ------
        TransportError
            Wrong shapes, values that are not finite. An array is looked through before anything is changed.
        """
        field = (self.nlev, *self.grid.shape)
        fields = mixing_ratio if isinstance(mixing_ratio, Sequence) else np.asarray(mixing_ratio)
        if isinstance(fields, np.ndarray) and fields.shape != (self.n_tracers, *field) or len(fields) != self.n_tracers:
            raise TransportError("mixing_ratio has the wrong shape", "mixing_ratio", f"{np.shape(fields)}", f"{(self.n_tracers, *field)}")
        ps = checked(surface_pressure, self.grid.shape, "surface_pressure").copy()
        if ps.min() <= 0.0:
            raise TransportError("surface pressure must be positive", "set_state", f"{ps.min():g} Pa")
        if isinstance(fields, np.ndarray):
            for n in range(self.n_tracers):
                checked(fields[n], field, "mixing_ratio")
        _mix_caps(ps)
        self._ps = ps
        for first in range(0, self.n_tracers, GROUP):
            last = min(first + GROUP, self.n_tracers)
            part = fields[first:last] if isinstance(fields, np.ndarray) else np.stack([fields[n] for n in range(first, last)])
            part = checked(part, (last - first, *field), "mixing_ratio")
            scatter(part, self._q, self.threads, first)
            for row in (0, self.grid.nlat - 1):
                # From the fields as given, so that the bits do not depend on the blocks.
                cap = np.broadcast_to(_mean_of_equals(part[:, :, row : row + 1], axis=3), (*part.shape[:2], 1, self.grid.nlon))
                scatter(cap, self._q[:, :, row : row + 1], self.threads, first)

    def fields(self) -> Fields:
        """Mixing ratios as they are when asked for: a field (nlev, nlat, nlon) for each tracer, float64."""
        return Fields(partial(gathered, self._q, threads=self.threads), self.n_tracers)

    def mixing_ratio(self) -> np.ndarray:
        """Mixing ratios now (n_tracers, nlev, nlat, nlon), float64."""
        return gathered(self._q, 0, self.n_tracers, self.threads)

    def tracer(self, number: int) -> np.ndarray:
        """Mixing ratios of one tracer now (nlev, nlat, nlon): a view, for decay and boundary conditions between steps.

        What is written must be uniform on the polar rows, as the core leaves them.
        """
        return self._q[number // self._block, ..., number % self._block]

    def gather(self, ilat: ArrayLike, ilon: ArrayLike, background: np.ndarray | None = None) -> np.ndarray:
        """Columns now (n, n_tracers, nlev), float64, of the cells `ilat`, `ilon` (n,); on a background (nlev, nlat, nlon) if given."""
        sums = np.zeros((np.size(ilat), self.n_tracers, self.nlev))
        self.add_columns(np.asarray(ilat), np.asarray(ilon), np.arange(np.size(ilat)), np.ones(np.size(ilat)), sums, background)
        return sums

    def add_columns(self, ilat: np.ndarray, ilon: np.ndarray, row: np.ndarray, weight: np.ndarray, sums: np.ndarray,
                    background: np.ndarray | None = None) -> None:
        """Add the columns of cells now, times weights, to rows of sums (n_rows, n_tracers, nlev), in place: see `blocks.add_columns`."""
        add_columns(self._q, background, (ilat, ilon), row, weight, sums, self.threads)

    def air_mass(self) -> np.ndarray:
        """Mass of air in every cell now (nlev, nlat, nlon) [kg]."""
        mass = np.empty((self.nlev, *self.grid.shape))
        self._air_mass(self._ps, mass)
        return mass

    def tracer_mass(self) -> np.ndarray:
        """Mixing ratio times mass of air, summed over the globe (n_tracers,) [mixing-ratio unit × kg]."""
        mass = self.air_mass()
        sums = np.einsum("bkjil,kji->bl", self._q, mass, dtype=np.float64)
        return sums.reshape(-1)[: self.n_tracers]

    # --- History ----------------------------------------------------------------------------------------------------

    def accumulate_history(self) -> None:
        """Take the present mixing ratios into the running mean."""
        self._history.take(self._q)

    def history_mean(self) -> Fields:
        """Mean of what was accumulated since the last `reset_history`: a field (nlev, nlat, nlon) for each tracer, float64."""
        return self._history.fields()

    def reset_history(self) -> None:
        """Forget what was accumulated."""
        self._history.reset()

    # --- Time -------------------------------------------------------------------------------------------------------

    def set_coefficients(self, coefficients: ArrayLike | None) -> None:
        """Emission coefficients for later steps (n_tracers, n_basis, nlat, nlon), copied; None: no coefficients."""
        self._coefficients_source = None
        if coefficients is None:
            self._coefficients = None
            return
        values = np.asarray(coefficients)
        if values.ndim != 4:
            raise TransportError("coefficients have four dimensions", "set_coefficients", f"shape {values.shape}",
                                 "(n_tracers, n_basis, nlat, nlon)")
        values = checked(values, (self.n_tracers, values.shape[1], *self.grid.shape), "coefficients")
        blocked = np.zeros((self._q.shape[0], values.shape[1], *self.grid.shape, self._block), dtype=self._kind)
        scatter(values, blocked, self.threads)
        self._coefficients = blocked

    def step(self, met: StepMet, dt: float, emission: StepEmission | None = None, along: StepEmission | None = None) -> None:
        """Advance by `dt` seconds: horizontal and vertical advection, emission (`along`: of the core carried along), mixing, convection.

        Raises
        ------
        CflError
            If the winds ask for more substeps than is sensible, or empty a cell.
        MetError
            NaN or infinite winds or surface pressure.
        TransportError
            Wrong shapes.
        """
        if not dt > 0:
            raise TransportError("the time step must be positive", "step, dt", dt)
        basis, coefficients = self._emission(emission)
        coefficients_along = _NONE if self._companion is None else self._companion._emission(along)[1]
        ps_end = self._move_air(met, dt)
        self._air_mass(self._ps, self._mass)
        self._horizontal()
        self._columns(basis, coefficients, coefficients_along)
        self._ps = ps_end
        if self._companion is not None:
            self._companion._ps = ps_end

    def carry_along(self, companion: TransportCore) -> None:
        """Move the tracers of a core in double precision, of the same grid, in the steps of this one in single: fluxes, weights and mixing
        are computed once. Both are in linear mode; both have emission coefficients for one basis, or neither has."""
        self._companion = companion
        companion.mixing = self.mixing

    def advect_horizontally(self, zonal: ArrayLike, meridional: ArrayLike, mass: ArrayLike) -> np.ndarray:
        """Horizontal advection alone, by given amounts of air; for tests on the sphere.

        Parameters
        ----------
        zonal
            Air through each cell's western wall in the step (nlev, nlat, nlon) [kg].
        meridional
            Through each cell's southern wall (nlev, nlat+1, nlon) [kg]; zero at the poles.
        mass
            Air in each cell before the step (nlev, nlat, nlon) [kg].

        Returns
        -------
        numpy.ndarray
            Air in each cell after the step (nlev, nlat, nlon) [kg]; on caps the mean of the row.
        """
        self._zonal[:] = shaped(zonal, self._zonal.shape, "zonal")
        self._meridional[:] = shaped(meridional, self._meridional.shape, "meridional")
        self._mass[:] = shaped(mass, self._mass.shape, "mass")
        self._horizontal()
        return self._mass.copy()

    def advect(self, zonal: ArrayLike, meridional: ArrayLike, mass: ArrayLike, mass_end: ArrayLike) -> None:
        """Horizontal and vertical advection by given amounts of air, without fixer and mixing; for tests with exact fluxes.

        Parameters
        ----------
        zonal, meridional, mass
            As for `advect_horizontally`.
        mass_end
            Air in each cell after the step (nlev, nlat, nlon) [kg]; the vertical flux is what continuity gives from the top down.
            Columns must agree: the walls bring what the column gains.
        """
        self.advect_horizontally(zonal, meridional, mass)
        self._mass_end[:] = shaped(mass_end, self._mass_end.shape, "mass_end")
        self._columns(self._no_basis, self._no_coefficients, _NONE)

    # --- The phases of a step ---------------------------------------------------------------------------------------

    def _move_air(self, met: StepMet, dt: float) -> np.ndarray:
        """Fluxes of air, mass at the end, mixing; gives the surface pressure at the end (nlat, nlon) [Pa]."""
        field = (self.nlev, *self.grid.shape)
        u, v = shaped(met.u, field, "u"), shaped(met.v, field, "v")
        ps_end = self._target_pressure(met)
        self._mass_fluxes(u, v, ps_end, dt)
        self._air_mass(ps_end, self._mass_end)
        self.mixing.update(met, 0.5 * (self._ps + ps_end), dt)
        return ps_end

    def _target_pressure(self, met: StepMet) -> np.ndarray:
        ps_end = shaped(met.ps_end, self.grid.shape, "ps_end").copy()
        if not (np.isfinite(ps_end).all() and ps_end.min() > 0.0):
            raise MetError("surface pressure is not finite and positive", "step, ps_end",
                           f"{np.count_nonzero(~np.isfinite(ps_end))} NaN or infinite values")
        _mix_caps(ps_end)
        area = self._tables.area[:, None]
        self.pressure_shift = float(((self._ps - ps_end) * area).sum() / (area.sum() * self.grid.nlon))
        return ps_end + self.pressure_shift

    def _emission(self, emission: StepEmission | None) -> tuple[np.ndarray, np.ndarray]:
        if emission is None:
            return self._no_basis, self._no_coefficients
        basis = np.asarray(emission.basis, dtype=np.float64)
        if basis.ndim == 1:
            basis = np.broadcast_to(basis[:, None, None], (basis.size, *self.grid.shape))
        basis = checked(basis, (basis.shape[0], *self.grid.shape), "basis") * self._tables.area[:, None]
        if emission.coefficients is not None and emission.coefficients is not self._coefficients_source:
            self.set_coefficients(emission.coefficients)
            self._coefficients_source = emission.coefficients
        if self._coefficients is None:
            if basis.shape[0] != self.n_tracers:
                raise TransportError("without coefficients there must be one basis field for each tracer", "step, emission",
                                     f"{basis.shape[0]} basis fields", f"{self.n_tracers}")
            direct = np.zeros_like(self._q[:, :1])
            scatter(basis[:, None], direct, self.threads)
            return np.ones((1, *self.grid.shape)), direct
        if basis.shape[0] != self._coefficients.shape[1]:
            raise TransportError("basis and coefficients disagree", "step, emission", f"{basis.shape[0]} basis fields",
                                 f"{self._coefficients.shape[1]}")
        return basis, self._coefficients

    def _air_mass(self, ps: np.ndarray, mass: np.ndarray) -> None:
        raise_core_status(*face().air_mass(self.threads, self._a, self._b, self._tables.area, ps.T, mass.T))

    def _mass_fluxes(self, u: np.ndarray, v: np.ndarray, ps_end: np.ndarray, dt: float) -> None:
        t = self._tables
        self.fixer_mismatch, *status = face().mass_fluxes(
            self.threads, self._a, self._b, t.lat_edges, t.area, t.basis, t.zonal_factor, t.meridional_factor, t.pivots, float(dt),
            u.T, v.T, self._ps.T, ps_end.T, self._zonal.T, self._meridional.T)
        raise_core_status(*status)

    def _horizontal(self) -> None:
        fixed = (self.threads, self._monotone, self._tables.edge_weights, self._tables.smoothing, self._zonal.T, self._meridional.T,
                 self._mass.T, self._q.T)
        if self.precision == "double":
            raise_core_status(*face().horizontal_double(*fixed))
        else:
            raise_core_status(*face().horizontal_single(*fixed, self._along().T))

    def _columns(self, basis: np.ndarray, coefficients: np.ndarray, coefficients_along: np.ndarray) -> None:
        fixed = (self.threads, self._monotone, self._mass.T, self._mass_end.T, self.mixing.exchange.T, self.mixing.updraft.T, basis.T,
                 coefficients.T, self._q.T)
        if self.precision == "double":
            raise_core_status(*face().columns_double(*fixed))
        else:
            raise_core_status(*face().columns_single(*fixed, coefficients_along.T, self._along().T))

    def _along(self) -> np.ndarray:
        return _NONE if self._companion is None else self._companion._q


def _mean_of_equals(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean along an axis that returns equal values to the bit."""
    first = np.take(values, [0], axis=axis)
    return first + (values - first).mean(axis=axis, keepdims=True)


def _mix_caps(field: np.ndarray) -> None:
    for row in (0, -1):
        field[row] = _mean_of_equals(field[row], axis=0)
