"""The dry primitive equations on a sphere by the package dinosaur (JAX, spectral, sigma levels), forced as `forcing` says.

A step is dinosaur's (three implicit-explicit stages of Whitaker and Kar 2013), then forcing, exactly over the step, then
diffusion of the smallest waves, then the global mean of surface pressure is put back.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from dinosaur import (
    coordinate_systems,
    filtering,
    primitive_equations,
    scales,
    sigma_coordinates,
    spherical_harmonic,
    time_integration,
    units,
)

from mozart_coupling.constants import GAS_CONSTANT_DRY_AIR, GRAVITY
from mozart_coupling.embedded.climate import Surface
from mozart_coupling.grids import Grid

from . import forcing
from .forcing import Climate, Season

State = primitive_equations.State

MEAN_SURFACE_PRESSURE = 98550.0
"""Pa, global mean over mountains; Trenberth and Smith (2005, J. Climate 18, 864)."""
REFERENCE_TEMPERATURE = 288.0
"""K, of all levels: the implicit scheme's."""
STEP_S_T42 = 1200.0
"""s; the step is in proportion to the grid."""
DIFFUSION_ORDER, DIFFUSION_S = 4, 8640.0
"""Power of the Laplacian, and time in which the shortest wave decays."""
OROGRAPHY_CUT = 2.0
"""The mountains' shortest wave is reduced by exp(-this)."""
NOISE_K = 1.0
"""Of temperature in the first state."""


def truncation(grid: Grid) -> int:
    """The largest wavenumber that products of two fields resolve on a grid: 42 for 128x64."""
    return (grid.nlon - 1) // 3


def grid_of(resolution: int) -> Grid:
    """The Gaussian grid of a triangular truncation: 128x64 for 42, 64x32 for 21; longitudes are a multiple of 32."""
    nlon = 32 * -(-(3 * resolution + 1) // 32)
    return Grid.gaussian(nlon, nlon // 2)


class Atmosphere:
    """One resolution.

    Parameters
    ----------
    grid
        Gaussian, twice as many longitudes as latitudes.
    sigma
        Interfaces (nlev+1,) from 0 to 1.
    climate
        Constants of the forcing.
    record_s
        Time between two records [s]; `advance` goes one record on, in whole steps.
    """

    def __init__(self, grid: Grid, sigma: np.ndarray, climate: Climate, record_s: int) -> None:
        self.grid, self.climate = grid, climate
        self.resolution = truncation(grid)
        self.specs = units.SimUnits.from_si(gravity_acceleration_si=GRAVITY * scales.units.m / scales.units.s**2,
                                            ideal_gas_constant_si=GAS_CONSTANT_DRY_AIR * scales.units.J / scales.units.kg / scales.units.K)
        horizontal = spherical_harmonic.Grid.construct(self.resolution, grid.nlat // 2, radius=self.specs.radius)
        self.coords = coordinate_systems.CoordinateSystem(horizontal, sigma_coordinates.SigmaCoordinates(sigma))
        self.pascal = float(self.specs.nondimensionalize(scales.units.Pa))
        self.speed = float(self.specs.nondimensionalize(scales.units.m / scales.units.s))
        self.second = float(self.specs.nondimensionalize(scales.units.s))
        self._metre = float(self.specs.nondimensionalize(scales.units.m))
        self.land = forcing.smooth_land(grid)
        self._orography = self._smooth_modes(Surface(grid).height.T * self._metre)
        #: height of the ground as the dynamics sees it (nlat, nlon) [m]
        self.height = self._heights(self._orography)
        self.steps = int(np.ceil(record_s * self.resolution / (STEP_S_T42 * 42.0) - 1e-9))
        self.step_s = record_s / self.steps
        self._advance = jax.jit(self._make_advance())
        self._fields = jax.jit(self._nodal_fields)

    # --- States -----------------------------------------------------------------------------------------------------

    def rest(self, time: np.datetime64, seed: int) -> State:
        """Air at rest over the mountains, stratified as the global mean of its equilibrium, with noise in temperature."""
        horizontal = self.coords.horizontal
        sine = np.sin(np.deg2rad(self.grid.lat))[:, None]
        sigma = np.asarray(self.coords.vertical.centers)[:, None, None]
        wanted = forcing.equilibrium_temperature(self.climate, Season.at(self.climate, time), sigma, sine, self.land, MEAN_SURFACE_PRESSURE)
        weights = self.grid.area / self.grid.area.sum()
        profile = (wanted * weights).sum(axis=(1, 2), keepdims=True)
        noise = NOISE_K * np.random.default_rng(seed).standard_normal((self.coords.vertical.layers, *horizontal.nodal_shape))
        temperature = horizontal.clip_wavenumbers(horizontal.to_modal(jnp.asarray(profile - REFERENCE_TEMPERATURE + noise, jnp.float32)))
        pressure = np.exp(-GRAVITY * self.height / (GAS_CONSTANT_DRY_AIR * float(profile[-1, 0, 0])))
        pressure *= MEAN_SURFACE_PRESSURE / (pressure * weights).sum() * self.pascal
        logarithm = horizontal.clip_wavenumbers(horizontal.to_modal(jnp.asarray(np.log(pressure).T[None], jnp.float32)))
        still = jnp.zeros_like(temperature)
        return State(vorticity=still, divergence=still, temperature_variation=temperature, log_surface_pressure=logarithm)

    def taken_over(self, state: State, other: Atmosphere) -> State:
        """A state of another resolution (the same levels) here: waves are added or dropped; pressure follows the ground's new height."""
        change = coordinate_systems.get_spectral_interpolate_fn(other.coords, self.coords)
        state = change(state)
        lifted = self.height - self._heights(change(other._orography))
        lowest = self.fields(state)["T"][-1]
        shift = self.coords.horizontal.to_modal(jnp.asarray((-GRAVITY * lifted / (GAS_CONSTANT_DRY_AIR * lowest)).T[None], jnp.float32))
        return dataclasses.replace(state, log_surface_pressure=self.coords.horizontal.clip_wavenumbers(state.log_surface_pressure + shift))

    @staticmethod
    def arrays(state: State) -> dict[str, np.ndarray]:
        """What a checkpoint holds: spectral coefficients, float32."""
        names = ("vorticity", "divergence", "temperature_variation", "log_surface_pressure")
        return {name: np.asarray(getattr(state, name)) for name in names}

    @staticmethod
    def from_arrays(arrays: dict[str, np.ndarray]) -> State:
        """The state of a checkpoint."""
        return State(**{name: jnp.asarray(values) for name, values in arrays.items()})

    # --- Time -------------------------------------------------------------------------------------------------------

    def advance(self, state: State, time: np.datetime64) -> tuple[State, float]:
        """One record on from `time`, whose season holds until then; also what PS was shifted by to keep its mean [Pa]."""
        season = Season.at(self.climate, time)
        state, shift = self._advance(state, jnp.asarray([season.air, season.land, season.sea], jnp.float32))
        return state, float(shift)

    def fields(self, state: State) -> dict[str, np.ndarray]:
        """U, V [m s-1], T [K] (nlev, nlat, nlon) and PS [Pa] (nlat, nlon), float64."""
        return {name: np.asarray(values, dtype=np.float64) for name, values in self._fields(state).items()}

    def _nodal_fields(self, state: State) -> dict[str, jax.Array]:
        horizontal = self.coords.horizontal
        u, v = spherical_harmonic.vor_div_to_uv_nodal(horizontal, state.vorticity, state.divergence, clip=False)
        nodal = {"U": u / self.speed, "V": v / self.speed, "T": horizontal.to_nodal(state.temperature_variation) + REFERENCE_TEMPERATURE,
                 "PS": jnp.exp(horizontal.to_nodal(state.log_surface_pressure))[0] / self.pascal}
        return {name: jnp.swapaxes(values, -1, -2) for name, values in nodal.items()}

    def _make_advance(self) -> Any:
        equations = primitive_equations.PrimitiveEquationsSigma(
            np.full(self.coords.vertical.layers, REFERENCE_TEMPERATURE), self._orography, self.coords, self.specs)
        dynamics = time_integration.imex_rk_sil3(equations, self.step_s * self.second)
        force, diffuse = self._make_forcing(), self._make_diffusion()

        def advance(state: State, season: jax.Array) -> tuple[State, jax.Array]:
            def step(state: State, _: None) -> tuple[State, None]:
                return diffuse(force(dynamics(state), season)), None
            state, _ = jax.lax.scan(step, state, length=self.steps)
            return self._with_mean_pressure(state)
        return advance

    def _make_forcing(self) -> Any:
        """Relaxation, drag and sponge over one step, each exactly with what it relaxes to held."""
        horizontal, step = self.coords.horizontal, self.step_s
        centres = np.asarray(self.coords.vertical.centers, dtype=np.float64)
        sigma, land = centres[:, None, None], self.land.T
        _, sine = horizontal.nodal_mesh
        relaxed = jnp.asarray(-np.expm1(-step * forcing.relaxation_rate(self.climate, sigma, sine, land)), jnp.float32)
        low = centres > self.climate.boundary
        braked = jnp.asarray(np.expm1(-step * forcing.drag_rate(self.climate, sigma[low], land)) * horizontal.sec2_lat, jnp.float32)
        kept = jnp.asarray(np.exp(-step * forcing.sponge_rate(self.climate, sigma)), jnp.float32)
        first = int(np.argmax(low))

        def force(state: State, season: jax.Array) -> State:
            pressure = jnp.exp(horizontal.to_nodal(state.log_surface_pressure)) / self.pascal
            wanted = forcing.equilibrium_temperature(self.climate, Season(*season), sigma, sine, land, pressure, jnp.maximum, jnp.log)
            now = horizontal.to_nodal(state.temperature_variation) + REFERENCE_TEMPERATURE
            warmed = horizontal.clip_wavenumbers(horizontal.to_modal(relaxed * (wanted - now)))
            winds = spherical_harmonic.get_cos_lat_vector(state.vorticity[first:], state.divergence[first:], horizontal, clip=False)
            loss = tuple(horizontal.to_modal(braked * horizontal.to_nodal(wind)) for wind in winds)
            vorticity = (state.vorticity * kept).at[first:].add(horizontal.curl_cos_lat(loss))
            divergence = (state.divergence * kept).at[first:].add(horizontal.div_cos_lat(loss))
            return dataclasses.replace(state, vorticity=vorticity, divergence=divergence,
                                       temperature_variation=state.temperature_variation + warmed)
        return force

    def _make_diffusion(self) -> Any:
        """Surface pressure is left alone: it carries the mountains, and continuity is to hold."""
        horizontal = self.coords.horizontal
        largest = float(np.abs(horizontal.laplacian_eigenvalues).max())
        smooth = filtering.horizontal_diffusion_filter(horizontal, self.step_s / (DIFFUSION_S * largest**DIFFUSION_ORDER), DIFFUSION_ORDER)

        def diffuse(state: State) -> State:
            return dataclasses.replace(state, vorticity=smooth(state.vorticity), divergence=smooth(state.divergence),
                                       temperature_variation=smooth(state.temperature_variation))
        return diffuse

    def _with_mean_pressure(self, state: State) -> tuple[State, jax.Array]:
        horizontal = self.coords.horizontal
        pressure = jnp.exp(horizontal.to_nodal(state.log_surface_pressure))[0] / self.pascal
        mean = horizontal.integrate(pressure) / (4.0 * np.pi * horizontal.radius**2)
        logarithm = spherical_harmonic.add_constant(state.log_surface_pressure, jnp.log(MEAN_SURFACE_PRESSURE / mean))
        return dataclasses.replace(state, log_surface_pressure=logarithm), MEAN_SURFACE_PRESSURE - mean

    def _heights(self, modes: jax.Array) -> np.ndarray:
        return np.asarray(self.coords.horizontal.to_nodal(modes), dtype=np.float64).T / self._metre

    def _smooth_modes(self, nodal: np.ndarray) -> jax.Array:
        horizontal = self.coords.horizontal
        largest = float(np.abs(horizontal.laplacian_eigenvalues).max())
        smooth = filtering.horizontal_diffusion_filter(horizontal, OROGRAPHY_CUT / largest**2, 2)
        return smooth(primitive_equations.truncated_modal_orography(jnp.asarray(nodal, jnp.float32), self.coords))
