"""What turbulence and convection do to the columns of a step, from the meteorology at hand.

The numbers come from the Fortran core (`gcas_transport_mixing_face`); here missing fields get their documented substitutes,
so that the core always has all of them: docs/science/transport-mixing.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mozart_coupling import _transport
from mozart_coupling.constants import GAS_CONSTANT_DRY_AIR, GRAVITY, REFERENCE_PRESSURE
from mozart_coupling.embedded.step import StepMet
from mozart_coupling.errors import MetError
from mozart_coupling.grids import Grid
from mozart_coupling.land import land_fraction

HEAT_CAPACITY = 1004.64  # J kg-1 K-1
VIRTUAL = 0.608
LEAST_FRICTION = 0.05  # m s-1: the winds of a wide cell never rest everywhere
DRAG = {"land": 5.0e-3, "sea": 1.3e-3}  # neutral drag coefficients for the lowest level
LAND_HEAT = (-20.0, 260.0)  # W m-2: at night, and what the sun overhead adds
SEA_HEAT = 12.0  # W m-2
SEA_DEPTH = 600.0  # m
LAND_DEPTH = (150.0, 1050.0)  # m: at night, and after a sun overhead for one radian of its way
LAPSE_RATE, SEA_LEVEL_TEMPERATURE, LEAST_TEMPERATURE = 6.5e-3, 288.15, 216.65  # the standard atmosphere's


class Mixing:
    """Turbulent exchange and convective updraft of every step.

    Parameters
    ----------
    grid
        The model's grid.
    a, b
        Interfaces: pressure = a + b·ps, (nlev+1,) [Pa], [1].
    threads
        OpenMP threads; results do not depend on it.
    boundary_layer, convection
        Whether to mix; a part that is off gives zeros.
    """

    def __init__(self, grid: Grid, a: np.ndarray, b: np.ndarray, threads: int, *, boundary_layer: bool, convection: bool) -> None:
        self.grid, self.threads = grid, threads
        self.boundary_layer, self.convection = boundary_layer, convection
        self._a, self._b, self._area = a, b, np.array(grid.area[:, 0])
        rows = (grid.nlat, a.size - 1, grid.nlon)
        #: air exchanged across upper interfaces and lifted through them in the last step (nlat, nlev, nlon) [kg]
        self.exchange, self.updraft = np.zeros(rows), np.zeros(rows)
        #: depth of the boundary layer in the last step (nlat, nlon) [m]
        self.depth = np.zeros(grid.shape)
        self._land: np.ndarray | None = None

    def update(self, met: StepMet, surface_pressure: np.ndarray, dt: float) -> None:
        """Set `exchange`, `updraft` and `depth` for a step.

        Parameters
        ----------
        met
            Meteorology at mid-step.
        surface_pressure
            The model's at mid-step (nlat, nlon) [Pa].
        dt
            Length of the step [s].

        Raises
        ------
        MetError
            Fields of the wrong shape, or not finite.
        """
        if not (self.boundary_layer or self.convection):
            return
        if self.convection and met.cmfmc is not None:
            flux = _field(met.cmfmc, (self._a.size, *self.grid.shape), "cmfmc")
            _raise(*_face().convection(self.threads, float(dt), self._a, self._b, self._area, surface_pressure.T, flux.T, self.updraft.T))
        if not self.boundary_layer and met.cmfmc is not None:
            return
        field = (self._a.size - 1, *self.grid.shape)
        u, v = _field(met.u, field, "u"), _field(met.v, field, "v")
        temperature = self._temperature() if met.temperature is None else _field(met.temperature, field, "temperature")
        humidity = np.zeros(field) if met.specific_humidity is None else _field(met.specific_humidity, field, "specific_humidity")
        density = surface_pressure / (GAS_CONSTANT_DRY_AIR * temperature[-1] * (1.0 + VIRTUAL * humidity[-1]))
        friction = self._friction_velocity(met, density)
        heat = self._heat_flux(met, density, temperature[-1])
        self.depth[:] = self._depth(met)
        column = (self.threads, float(dt), self._a, self._b, self._area, surface_pressure.T)
        exchange = self.exchange if self.boundary_layer else np.empty_like(self.exchange)  # the depth is wanted all the same
        _raise(*_face().boundary_layer(*column, u.T, v.T, temperature.T, humidity.T, friction.T, heat.T, self.depth.T, exchange.T))
        if self.convection and met.cmfmc is None:
            _raise(*_face().surrogate_convection(*column, temperature.T, humidity.T, heat.T, self.depth.T, self.updraft.T))

    # --- What the met may lack --------------------------------------------------------------------------------------

    def _friction_velocity(self, met: StepMet, density: np.ndarray) -> np.ndarray:
        """u* (nlat, nlon) [m s-1]: from the stress, else a bulk formula with the lowest wind."""
        if met.taux is not None and met.tauy is not None:
            squared = np.sqrt(self._plane(met.taux, "taux") ** 2 + self._plane(met.tauy, "tauy") ** 2) / density
        else:
            squared = np.where(self._is_land(met), DRAG["land"], DRAG["sea"]) * (met.u[-1] ** 2 + met.v[-1] ** 2)
        return np.maximum(np.sqrt(squared), LEAST_FRICTION)

    def _heat_flux(self, met: StepMet, density: np.ndarray, temperature: np.ndarray) -> np.ndarray:
        """Kinematic virtual heat flux at the ground (nlat, nlon) [K m s-1], upward."""
        if met.surface_heat_flux is not None:
            sensible = self._plane(met.surface_heat_flux, "surface_heat_flux")
        else:
            night, day = LAND_HEAT
            sensible = np.where(self._is_land(met), night + day * np.maximum(self._sun(met)[0], 0.0), SEA_HEAT)
        flux = sensible / (density * HEAT_CAPACITY)
        if met.moisture_flux is not None:
            flux = flux + VIRTUAL * temperature * self._plane(met.moisture_flux, "moisture_flux") / density
        return flux

    def _depth(self, met: StepMet) -> np.ndarray:
        """Boundary-layer depth (nlat, nlon) [m] as given; without temperatures prescribed; else 0: to be diagnosed."""
        if met.pblh is not None:
            return self._plane(met.pblh, "pblh")
        if met.temperature is not None:
            return np.zeros(self.grid.shape)
        night, day = LAND_DEPTH
        sun, heat = self._sun(met)
        falling = np.clip(sun / 0.15, 0.0, 1.0)
        return np.where(self._is_land(met), np.maximum(night, day * np.sqrt(heat) * falling), SEA_DEPTH)

    def _temperature(self) -> np.ndarray:
        """The standard atmosphere at the reference pressures (nlev, nlat, nlon) [K]."""
        interfaces = self._a + self._b * REFERENCE_PRESSURE
        pressure = 0.5 * (interfaces[1:] + interfaces[:-1])
        exponent = GAS_CONSTANT_DRY_AIR * LAPSE_RATE / GRAVITY
        profile = np.maximum(SEA_LEVEL_TEMPERATURE * (pressure / REFERENCE_PRESSURE) ** exponent, LEAST_TEMPERATURE)
        return np.ascontiguousarray(np.broadcast_to(profile[:, None, None], (pressure.size, *self.grid.shape)))

    def _sun(self, met: StepMet) -> tuple[np.ndarray, np.ndarray]:
        """Cosine of the sun's zenith angle, and its integral over hour angle since sunrise [rad], each (nlat, nlon)."""
        latitude = np.deg2rad(self.grid.lat)[:, None]
        declination = np.deg2rad(23.44) * np.sin(2.0 * np.pi * (met.day_of_year - 80.0) / 365.25)
        constant, swing = np.sin(latitude) * np.sin(declination), np.cos(latitude) * np.cos(declination)
        sunset = np.arccos(np.clip(-constant / np.maximum(swing, 1e-9), -1.0, 1.0))
        hour = 2.0 * np.pi * ((met.seconds_of_day / 86400.0 + self.grid.lon[None, :] / 360.0) % 1.0 - 0.5)
        lit = np.clip(hour, -sunset, sunset)
        heat = constant * (lit + sunset) + swing * (np.sin(lit) + np.sin(sunset))
        return constant + swing * np.cos(hour), np.maximum(heat, 0.0)

    def _is_land(self, met: StepMet) -> np.ndarray:
        if met.oro is not None:
            return np.abs(np.asarray(met.oro) - 1.0) < 0.5  # regridded masks are not whole numbers
        if self._land is None:
            self._land = land_fraction(self.grid) >= 0.5
        return self._land

    def _plane(self, values: np.ndarray, name: str) -> np.ndarray:
        return _field(values, self.grid.shape, name)


def _face() -> Any:
    return _transport.gcas_transport_mixing_face


def _field(values: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.shape != shape:
        raise MetError("a field of the meteorology has the wrong shape", name, f"{array.shape}", f"{shape}")
    return array


def _raise(status: int, message: str) -> None:
    table = _transport.gcas_status
    if status == table.status_not_finite:
        raise MetError("mixing cannot be computed: meteorology is not finite", found=message)
    if status != table.status_ok:
        raise MetError("mixing refused its input", found=message)
