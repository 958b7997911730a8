"""An analytic circulation of the whole atmosphere for experiments: deterministic from a seed, any date, grid and levels.

It is kinematics, not weather: jets, an overturning that follows the season, and waves, chosen so that tracers travel as
they do in the real atmosphere to first order, and built from mass fluxes that close column by column, so that surface
pressure and winds agree. Equations and measured properties: docs/science/meteorology.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from mozart_coupling.constants import EARTH_RADIUS_M, GRAVITY
from mozart_coupling.embedded import climate
from mozart_coupling.embedded.levels import P0, check_coefficients, level_pressure
from mozart_coupling.embedded.waves import (
    AIR_DENSITY,
    EARTH_ROTATION,
    Operators,
    Wave,
    WindStructure,
    overturning_eddies,
    rotational_waves,
)
from mozart_coupling.grids import Grid
from mozart_coupling.met_format import write_met_days

MEAN_SEA_LEVEL_PRESSURE = 1.011e5  # Pa
EPOCH = np.datetime64("2000-01-01T00:00:00", "ms")
YEAR_S = 365.2425 * 86400.0
TENDENCY_STEP_S = 1800.0  # for the time derivative of surface pressure


class Circulation:
    """Winds, pressure and what goes with them at any time.

    Parameters
    ----------
    grid
        Any grid.
    hyai, hybi
        Hybrid interface coefficients (nlev+1,), top first.
    seed
        Sets the phases of all waves: another seed is another weather in the same climate.
    """

    def __init__(self, grid: Grid, hyai: np.ndarray, hybi: np.ndarray, seed: int = 0):
        check_coefficients(hyai, hybi, "circulation")
        self.grid = grid
        self.hyai, self.hybi = np.asarray(hyai, dtype=np.float64), np.asarray(hybi, dtype=np.float64)
        self.operators = Operators(grid)
        self.reference_interfaces = level_pressure(self.hyai, self.hybi, P0)
        self.reference_pressure = 0.5 * (self.reference_interfaces[:-1] + self.reference_interfaces[1:])
        self.reference_thickness = np.diff(self.reference_interfaces)
        self.waves = rotational_waves(seed)
        self.eddies = overturning_eddies(seed)
        self.surface = climate.Surface(grid)
        self._wavenumbers = np.array(sorted({wave.m for wave in self.waves + self.eddies}))

    # --- what is asked for -------------------------------------------------------------------------------------------

    def record(self, time: np.datetime64) -> dict[str, np.ndarray]:
        """All fields of a met file at one time, float64; shapes and units as in the contract."""
        surface_pressure = self.surface_pressure(time)
        u, v = self.winds(time, surface_pressure)
        seconds = _seconds(time)
        warm = self._synthesize(self._wave_temperature(seconds))
        return climate.complete(self.surface, time, self._winter_north(seconds), self.hyai, self.hybi, surface_pressure,
                                u, v, warm)

    def surface_pressure(self, time: np.datetime64) -> np.ndarray:
        """PS (nlat, nlon) [Pa]: a static part over the orography, and waves. Rows at the poles are uniform, as the model's caps are."""
        pressure = self._static_pressure + self._synthesize(self._pressure_coefficients(_seconds(time)))
        pressure[[0, -1]] = pressure[[0, -1]].mean(axis=1, keepdims=True)
        return pressure

    def winds(self, time: np.datetime64, surface_pressure: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """U, V (nlev, nlat, nlon) [m/s].

        Mass fluxes are made for columns of P0; the wind is the flux divided by the layer's true thickness, so that
        the columns' divergence is that of the fluxes whatever the orography.
        """
        if surface_pressure is None:
            surface_pressure = self.surface_pressure(time)
        seconds = _seconds(time)
        winter = self._winter_north(seconds)
        u_waves, v_waves = self._wave_coefficients(seconds, winter)
        u = self._synthesize(u_waves) + self.zonal_jets(winter)[:, :, None]
        v = self._synthesize(v_waves) + self.overturning(winter)[:, :, None]
        thickness = np.diff(level_pressure(self.hyai, self.hybi, surface_pressure), axis=0)
        ratio = self.reference_thickness[:, None, None] / thickness
        u *= ratio
        v *= ratio
        return u, v

    # --- zonal means -------------------------------------------------------------------------------------------------

    def zonal_jets(self, winter_north: float) -> np.ndarray:
        """Zonal-mean zonal wind (nlev, nlat) [m/s] of a season (1 January, -1 July)."""
        latitude = self.grid.lat[None, :]
        hecto = 0.01 * self.reference_pressure[:, None]
        jets = np.zeros((hecto.size, latitude.size))
        for side, base, swing in ((1.0, 35.0, 9.0), (-1.0, 37.0, 5.0)):
            jets += _hemisphere_jets(side * latitude, hecto, winter_north * side, base, swing)
        return jets * _drag(hecto) * np.cos(np.deg2rad(self.grid.lat)) ** 0.5

    def overturning(self, winter_north: float) -> np.ndarray:
        """Zonal-mean meridional wind (nlev, nlat) [m/s] of the overturning stream function."""
        stream = self.overturning_stream(winter_north, self.grid.lat_edges)
        flux = np.diff(stream, axis=0) * GRAVITY / (2.0 * np.pi * EARTH_RADIUS_M) / self.reference_thickness[:, None]
        flux[:, [0, -1]] = 0.0
        return self.operators.to_centres(flux)

    def overturning_stream(self, winter_north: float, latitude: np.ndarray) -> np.ndarray:
        """Mass stream function (nlev+1, n) [kg/s] at interfaces, zero at the top and the ground; positive: the
        northern Hadley cell's sense (northward aloft)."""
        solstice = 1.2e11 * winter_north * np.exp(-(((latitude - 5.0 * winter_north) / 14.0) ** 2))
        equinox = 0.6e11 * (np.exp(-(((latitude - 15.0) / 10.0) ** 2)) - np.exp(-(((latitude + 15.0) / 10.0) ** 2)))
        ferrel = 0.4e11 * (np.exp(-(((latitude + 48.0) / 10.0) ** 2)) - np.exp(-(((latitude - 48.0) / 10.0) ** 2)))
        cells = (solstice + equinox + ferrel) * np.cos(np.deg2rad(latitude))
        return self._overturning_profile[:, None] * cells[None, :]

    @cached_property
    def _overturning_profile(self) -> np.ndarray:
        """Stream function's profile (nlev+1,): 0 above 100 hPa and at the ground, inflow in the lowest 200 hPa."""
        sigma = self.reference_interfaces / self.reference_interfaces[-1]
        below = 1.0 - np.exp(-(1.0 - sigma) / 0.12)
        above = 1.0 - np.exp(-np.maximum(sigma - 0.1, 0.0) / 0.12)
        profile = below * above
        profile[[0, -1]] = 0.0
        return profile / profile.max()

    # --- waves -------------------------------------------------------------------------------------------------------

    @cached_property
    def _profiles(self) -> dict[str, np.ndarray]:
        """Profiles (nlev,) of the winds of each kind of wave, complex where phases tilt with height."""
        hecto = 0.01 * self.reference_pressure
        depth = np.log(hecto / 270.0)
        aloft = np.exp(-((np.maximum(-depth - 0.2, 0.0) / 0.8) ** 2))
        tilt = np.exp(-1j * np.deg2rad(60.0) * np.clip(hecto / 1000.0, 0.0, 1.0))  # crests aloft lie to the west
        overturning = -np.diff(self._overturning_profile) / np.diff(self.reference_interfaces / P0)
        return {
            "baroclinic": (0.45 + 0.55 * np.exp(-((depth / 0.9) ** 2))) * aloft * tilt * _drag(hecto),
            "polar": (0.75 + 0.25 * np.exp(-((depth / 0.9) ** 2))) * aloft * tilt * _drag(hecto),
            "planetary": (0.4 + 0.6 * np.exp(-((np.maximum(depth, 0.0) / 0.8) ** 2))) * (0.3 + 0.7 * aloft) * _drag(hecto),
            "tropical": (0.45 + 0.55 * np.exp(-((np.log(hecto / 200.0) / 0.6) ** 2))) * aloft * _drag(hecto),
            "overturning": overturning / np.abs(overturning).max(),
        }

    @cached_property
    def _structures(self) -> list[tuple[Wave, str, WindStructure]]:
        """Every wave with each of its parts: rotation, and divergence that sums to zero over a column."""
        parts = []
        for wave in self.waves:
            parts.append((wave, wave.profile, self.operators.wave_winds(wave)))
            if wave.divergence:
                parts.append((wave, "overturning", self.operators.wave_divergence(wave, wave.divergence)))
        parts += [(wave, "overturning", self.operators.wave_divergence(wave, wave.speed)) for wave in self.eddies]
        return parts

    @cached_property
    def _stacked(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """By wavenumber: indices of the parts, profiles (n, nlev), u and v structures (n, nlat)."""
        stacks = []
        for m in self._wavenumbers:
            index = [i for i, (wave, _, _) in enumerate(self._structures) if wave.m == m]
            profiles = np.array([self._profiles[self._structures[i][1]] for i in index], dtype=complex)
            u = np.array([self._structures[i][2].u for i in index])
            v = np.array([self._structures[i][2].v for i in index])
            stacks.append((np.array(index), profiles, u, v))
        return stacks

    def _wave_coefficients(self, seconds: float, winter_north: float) -> tuple[np.ndarray, np.ndarray]:
        """Complex coefficients (n_m, nlev, nlat) of the waves' u and v [m/s], the flow behind PS's tendency included."""
        amplitude = np.array([wave.amplitude(seconds, winter_north) for wave, _, _ in self._structures])
        u = np.empty((self._wavenumbers.size, self.reference_pressure.size, self.grid.nlat), dtype=complex)
        v = np.empty_like(u)
        tendency = self._pressure_tendency(seconds)
        for i, (index, profiles, u_part, v_part) in enumerate(self._stacked):
            weighted = (amplitude[index, None] * profiles).T
            column = self._column_flow(int(self._wavenumbers[i]), tendency[i])
            u[i] = weighted @ u_part + column.u
            v[i] = weighted @ v_part + column.v
        return u, v

    def _column_flow(self, m: int, tendency: np.ndarray) -> WindStructure:
        """The same wind in every layer whose mass flux converges to a tendency (nlat,) [Pa/s]."""
        divergence = -tendency / self.reference_thickness.sum()
        potential = self.operators.inverse_laplacian(m, divergence)
        return self.operators.closed(m, self.operators.divergent(m, potential).v, divergence)

    def _pressure_coefficients(self, seconds: float) -> np.ndarray:
        """Coefficients (n_m, nlat) of the waves' surface pressure [Pa]."""
        winter = self._winter_north(seconds)
        pressure = np.zeros((self._wavenumbers.size, self.grid.nlat), dtype=complex)
        for wave, (i, structure) in zip(self.waves, self._wave_pressures, strict=True):
            pressure[i] += wave.amplitude(seconds, winter) * structure
        return pressure

    @cached_property
    def _wave_pressures(self) -> list[tuple[int, np.ndarray]]:
        position = {int(m): i for i, m in enumerate(self._wavenumbers)}
        return [(position[wave.m], self.operators.wave_pressure(wave) * self._profiles[wave.profile][-1])
                for wave in self.waves]

    def _pressure_tendency(self, seconds: float) -> np.ndarray:
        half = 0.5 * TENDENCY_STEP_S
        change = self._pressure_coefficients(seconds + half) - self._pressure_coefficients(seconds - half)
        return change / TENDENCY_STEP_S

    def _wave_temperature(self, seconds: float) -> np.ndarray:
        """Coefficients (n_m, nlev, nlat) of the baroclinic waves' temperature [K]: warm where the air goes poleward."""
        winter = self._winter_north(seconds)
        hecto = 0.01 * self.reference_pressure
        warm = 0.6 * np.exp(-((np.log(hecto / 700.0) / 0.7) ** 2))  # K per m/s
        coefficients = np.zeros((self._wavenumbers.size, hecto.size, self.grid.nlat), dtype=complex)
        position = {int(m): i for i, m in enumerate(self._wavenumbers)}
        for wave, kind, structure in self._structures:
            if kind == "baroclinic":
                profile = warm * np.abs(self._profiles[kind]) * np.sign(wave.latitude)
                coefficients[position[wave.m]] += wave.amplitude(seconds, winter) * np.outer(profile, structure.v)
        return coefficients

    def _synthesize(self, coefficients: np.ndarray) -> np.ndarray:
        """Real field (..., nlat, nlon) of coefficients (n_m, ..., nlat)."""
        stacked = np.concatenate([coefficients.real, -coefficients.imag])
        return np.tensordot(np.moveaxis(stacked, 0, -1), self._harmonics, axes=1)

    @cached_property
    def _harmonics(self) -> np.ndarray:
        angle = self._wavenumbers[:, None] * np.deg2rad(self.grid.lon)[None, :]
        return np.concatenate([np.cos(angle), np.sin(angle)])

    # --- the static part of surface pressure -------------------------------------------------------------------------

    @cached_property
    def _static_pressure(self) -> np.ndarray:
        """PS without waves (nlat, nlon) [Pa]: zonal wind at the ground in geostrophic balance, then the orography."""
        edges = np.deg2rad(self.grid.lat_edges)
        ground = self.zonal_jets(0.0)[-1]
        gradient = -AIR_DENSITY * 2.0 * EARTH_ROTATION * np.sin(np.deg2rad(self.grid.lat)) * ground * EARTH_RADIUS_M
        at_edges = np.concatenate([[0.0], np.cumsum(gradient * np.diff(edges))])
        sea_level = 0.5 * (at_edges[1:] + at_edges[:-1])
        weights = np.diff(np.sin(edges))
        sea_level += MEAN_SEA_LEVEL_PRESSURE - np.average(sea_level, weights=weights)
        return climate.reduce_to_ground(sea_level[:, None], self.surface.height, self.surface.annual_temperature)

    @staticmethod
    def _winter_north(seconds: float) -> float:
        """1 about 20 January, -1 about 20 July."""
        return float(np.cos(2.0 * np.pi * (seconds / YEAR_S - 20.0 / 365.0)))


def _seconds(time: np.datetime64) -> float:
    return float((np.datetime64(time).astype("datetime64[ms]") - EPOCH) / np.timedelta64(1, "ms")) * 1e-3


def _drag(hecto: np.ndarray) -> np.ndarray:
    """Winds slow down towards the ground."""
    return 1.0 - 0.4 * np.exp(-np.maximum(1000.0 - hecto, 0.0) / 50.0)


def _hemisphere_jets(latitude: np.ndarray, hecto: np.ndarray, winter: float, base: float, swing: float) -> np.ndarray:
    """Zonal-mean wind [m/s] of one hemisphere; latitude is positive poleward, `winter` 1 in its winter."""
    depth = np.log(hecto / 215.0)
    subtropical = (base + swing * winter - 8.0) * np.exp(-(((latitude - 37.0 + 5.0 * winter) / 11.0) ** 2)) * np.exp(
        -((depth / np.where(depth > 0.0, 0.95, 0.75)) ** 2))
    westerlies = np.exp(-(((latitude - 48.0) / 11.0) ** 2)) * (
        7.0 + 9.0 * np.exp(-((np.log(hecto / 280.0) / 0.8) ** 2))) * np.clip(hecto / 100.0, 0.2, 1.0)
    trades = -7.0 * np.exp(-(((latitude - 13.0) / 9.0) ** 2)) * np.exp(-(((hecto - 1000.0) / 350.0) ** 2))
    equator = -3.0 * np.exp(-((latitude / 12.0) ** 2)) * np.exp(-((np.log(hecto / 150.0) / 0.8) ** 2))
    polar = -2.5 * np.exp(-(((latitude - 72.0) / 7.0) ** 2)) * np.exp(-(((hecto - 1000.0) / 200.0) ** 2))
    stratosphere = np.clip(np.log(100.0 / hecto) / np.log(10.0), 0.0, 1.3)
    night = 30.0 * max(winter, 0.0) * np.exp(-(((latitude - 58.0) / 12.0) ** 2))
    summer = -18.0 * max(-winter, 0.0) * np.exp(-(((latitude - 40.0) / 25.0) ** 2))
    return subtropical + westerlies + trades + 0.5 * equator + polar + stratosphere * (night + summer)


def write_circulation(
    directory: str | Path,
    prefix: str,
    grid: Grid,
    hyai: np.ndarray,
    hybi: np.ndarray,
    start: np.datetime64,
    end: np.datetime64,
    seed: int,
    step_hours: int = 6,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write the met files of a run over [start, end]: one a day, from the day before `start` to the day after `end`.

    Parameters
    ----------
    directory, prefix
        Files are `<directory>/<prefix>yyyymmdd.nc`; the directory is made.
    step_hours
        3 or 6.
    progress
        Called with (files done, files in all) after each file.

    Returns
    -------
    list of Path
        The files, in order of time. The same arguments give the same numbers.
    """
    return write_records(Circulation(grid, hyai, hybi, seed), directory, prefix, start, end, step_hours, {"seed": str(seed)}, progress)


def write_records(circulation: Circulation, directory: str | Path, prefix: str, start: np.datetime64, end: np.datetime64, step_hours: int,
                  attributes: dict[str, str], progress: Callable[[int, int], None] | None = None) -> list[Path]:
    """As `write_circulation`, of a circulation that is there; `attributes` go into the files beside their title."""
    with threadpool_limits(1, "blas"):  # the products are too small to share
        return write_met_days(directory, prefix, circulation.grid, (circulation.hyai, circulation.hybi), (start, end), step_hours,
                              circulation.record, {"title": "analytic circulation of GCAS", **attributes}, progress)
