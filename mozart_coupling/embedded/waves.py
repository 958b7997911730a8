"""Waves on the sphere as mass fluxes that close: structures, discrete derivatives, and the set that a seed gives.

A wave is a product of a profile in pressure, a structure in latitude and exp(i(m lon - omega t)). Its winds, on cell
centres, come from a stream function or a potential; the zonal one then follows from the other by continuity on the walls
of the cells, onto which a transport model averages its neighbours. So rotational waves have no divergence at all on the
grid in use, and surface pressure changes by exactly the divergence made for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_banded

from mozart_coupling.constants import EARTH_RADIUS_M
from mozart_coupling.grids import Grid

DAY_S = 86400.0
EARTH_ROTATION = 7.292e-5  # s-1
AIR_DENSITY = 1.2  # kg m-3, near the ground


class WindStructure(NamedTuple):
    """Latitude structures (nlat,) of a wave's winds, complex; times a profile (nlev,) they are its wind [m/s]."""

    u: np.ndarray
    v: np.ndarray


@dataclass(frozen=True)
class Wave:
    """One travelling or standing wave.

    Attributes
    ----------
    m
        Zonal wavenumber.
    latitude, width
        Centre and half width of the Gaussian structure [degrees].
    speed
        Meridional wind at the centre for a rotational wave, zonal wind for a divergent one [m/s].
    angular_speed
        omega [rad/s], positive eastward.
    phase
        At the epoch [rad].
    profile
        Name of the profile in pressure.
    season
        Amplitude is 1 + season * (winter-ness of the wave's hemisphere, -1 … 1).
    pulse, pulse_period, pulse_phase
        A slow modulation 1 + pulse * sin(2 pi t / pulse_period + pulse_phase) [1, s, rad].
    divergence
        Speed of the divergent part that goes with a rotational wave [m/s]; ascent ahead of the trough.
    across_pole
        Whether the stream function vanishes at the pole no faster than it must, as cos^m: for m = 1 air then crosses it.
    """

    m: int
    latitude: float
    width: float
    speed: float
    angular_speed: float
    phase: float
    profile: str
    season: float = 0.0
    pulse: float = 0.0
    pulse_period: float = 20.0 * DAY_S
    pulse_phase: float = 0.0
    divergence: float = 0.0
    across_pole: bool = False

    def amplitude(self, seconds: float, winter_north: float) -> complex:
        """Complex amplitude [1] at a time; `winter_north` is 1 in January, -1 in July."""
        winter = winter_north * np.tanh(self.latitude / 5.0)
        slow = 1.0 + self.pulse * np.sin(2.0 * np.pi * seconds / self.pulse_period + self.pulse_phase)
        return (1.0 + self.season * winter) * slow * np.exp(1j * (self.phase - self.angular_speed * seconds))

    def shape(self, latitude: np.ndarray) -> np.ndarray:
        """Structure in latitude [1], 1 near the centre and regular at the poles."""
        gauss = np.exp(-(((latitude - self.latitude) / self.width) ** 2))
        power = self.m if self.across_pole else min(self.m + 1, 4)
        polar = np.cos(np.deg2rad(latitude)) ** power
        return gauss * np.maximum(polar, 0.0) / np.cos(np.deg2rad(self.latitude)) ** power


class Operators:
    """Discrete derivatives of one grid, for fields exp(i m lon)."""

    def __init__(self, grid: Grid):
        self.lat_centres = grid.lat
        self.lat_edges = grid.lat_edges
        edges = np.deg2rad(grid.lat_edges)
        self.height = np.diff(edges)
        self.cos_edges = np.cos(edges)
        self.cos_edges[[0, -1]] = 0.0
        self.cos_centres = np.diff(np.sin(edges)) / self.height
        self.step = 2.0 * np.pi / grid.nlon
        centres = 0.5 * (edges[:-1] + edges[1:])
        self.between_centres = np.diff(centres)

    def closed(self, m: int, v: np.ndarray, divergence: np.ndarray | float = 0.0) -> WindStructure:
        """Winds [m/s] with a given v (nlat,) whose averages on the cells' walls have exactly this divergence [s-1]."""
        v_cos = np.zeros(self.lat_edges.size, dtype=complex)
        v_cos[1:-1] = 0.5 * (v[1:] + v[:-1]) * self.cos_edges[1:-1]
        rest = divergence - np.diff(v_cos) / (EARTH_RADIUS_M * self.cos_centres * self.height)
        return WindStructure(rest * EARTH_RADIUS_M * self.cos_centres * self.step / (1j * np.sin(m * self.step)), v)

    def rotational(self, m: int, stream: np.ndarray) -> WindStructure:
        """Winds [m/s] of a stream function in centres (nlat,) [m2/s], without divergence."""
        return self.closed(m, 1j * np.sin(m * self.step) / self.step * stream / (EARTH_RADIUS_M * self.cos_centres))

    def divergent(self, m: int, potential: np.ndarray) -> WindStructure:
        """Winds [m/s] of a potential in centres (nlat,) [m2/s]."""
        u = 1j * np.sin(m * self.step) / (EARTH_RADIUS_M * self.step) * potential / self.cos_centres
        v_cos = np.zeros(self.lat_edges.size, dtype=complex)
        v_cos[1:-1] = np.diff(potential) / (EARTH_RADIUS_M * self.between_centres) * self.cos_edges[1:-1]
        return WindStructure(u, self.to_centres(v_cos))

    def to_centres(self, v_cos: np.ndarray) -> np.ndarray:
        """Meridional wind in centres from v cos(lat) on edges (..., nlat+1)."""
        return 0.5 * (v_cos[..., 1:] + v_cos[..., :-1]) / self.cos_centres

    def inverse_laplacian(self, m: int, source: np.ndarray) -> np.ndarray:
        """Potential (nlat,) [m2 x] whose discrete Laplacian is `source` (nlat,) [x], for m > 0."""
        fluxes = self.cos_edges[1:-1] / self.between_centres
        lower, upper = np.zeros(source.size), np.zeros(source.size)
        lower[:-1], upper[1:] = fluxes, fluxes
        around = (2.0 - 2.0 * np.cos(m * self.step)) / self.step**2 * self.height / self.cos_centres
        diagonal = -around.copy()
        diagonal[1:] -= fluxes
        diagonal[:-1] -= fluxes
        right = source * EARTH_RADIUS_M**2 * self.cos_centres * self.height
        return solve_banded((1, 1), np.array([upper, diagonal, lower]), right)

    def wave_winds(self, wave: Wave) -> WindStructure:
        """Rotational wind of a wave of its own speed."""
        scale = wave.speed * EARTH_RADIUS_M * np.cos(np.deg2rad(wave.latitude)) / wave.m
        return self.rotational(wave.m, scale * wave.shape(self.lat_centres))

    def wave_divergence(self, wave: Wave, speed: float) -> WindStructure:
        """Divergent wind of `speed` [m/s], a quarter wavelength off the stream function: poleward air ascends."""
        sense = 1.0 if wave.latitude >= 0.0 else -1.0
        scale = sense * speed * EARTH_RADIUS_M * np.cos(np.deg2rad(wave.latitude)) / wave.m
        return self.divergent(wave.m, 1j * scale * wave.shape(self.lat_centres))

    def wave_pressure(self, wave: Wave) -> np.ndarray:
        """Surface pressure [Pa] (nlat,) in geostrophic balance with the wave's stream function at profile 1."""
        coriolis = 2.0 * EARTH_ROTATION * np.sin(np.deg2rad(self.lat_centres))
        scale = wave.speed * EARTH_RADIUS_M * np.cos(np.deg2rad(wave.latitude)) / wave.m
        return AIR_DENSITY * coriolis * scale * wave.shape(self.lat_centres)


def rotational_waves(seed: int) -> list[Wave]:
    """Baroclinic, planetary, tropical and polar waves of a seed; the seed sets phases and pulses and shades the speeds."""
    random = np.random.Generator(np.random.Philox(seed))
    waves: list[Wave] = []
    for hemisphere in (1.0, -1.0):
        waves += _baroclinic(random, hemisphere)
        waves += _planetary(random, hemisphere)
    waves += _tropical(random)
    return waves + _polar(random, 1.0) + _polar(random, -1.0)


def _eastward(speed: float, m: int, latitude: float) -> float:
    """Angular speed omega of a wave whose crests travel at `speed` [m/s] at a latitude."""
    return speed * m / (EARTH_RADIUS_M * np.cos(np.deg2rad(latitude)))


def _pulse(random: np.random.Generator, strength: float, shortest: float, longest: float) -> dict[str, float]:
    return {"pulse": strength, "pulse_period": random.uniform(shortest, longest) * DAY_S,
            "pulse_phase": random.uniform(0.0, 2.0 * np.pi)}


def _baroclinic(random: np.random.Generator, hemisphere: float) -> list[Wave]:
    """m = 5 … 7, a strong and a weak one each, at 8-12 m/s together; weaker summers in the north."""
    season = 0.25 if hemisphere > 0 else 0.05
    table = ((5, 50.0, 8.0), (6, 46.0, 8.5), (7, 42.0, 7.0), (5, 36.0, 4.0), (6, 58.0, 5.0), (7, 52.0, 4.0),
             (4, 62.0, 4.0))
    waves = []
    for m, latitude, speed in table:
        travel = random.uniform(7.0, 13.0)
        waves.append(Wave(m, hemisphere * latitude, 14.0, speed * random.uniform(0.9, 1.1), _eastward(travel, m, latitude),
                          random.uniform(0.0, 2.0 * np.pi), "baroclinic", season, divergence=0.11 * speed,
                          **_pulse(random, 0.35, 8.0, 25.0)))
    return waves


def _planetary(random: np.random.Generator, hemisphere: float) -> list[Wave]:
    """m = 1 … 3: standing ones, strong in the northern winter, and slow travelling ones."""
    strength, season = (1.0, 0.5) if hemisphere > 0 else (0.6, 0.2)
    waves = []
    for m, speed in ((1, 3.0), (2, 4.5), (3, 4.5)):
        phase = random.uniform(0.0, 2.0 * np.pi)
        waves.append(Wave(m, hemisphere * 52.0, 15.0, strength * speed, 0.0, phase, "planetary", season))
        period = random.choice([-1.0, 1.0]) * random.uniform(14.0, 35.0) * DAY_S
        waves.append(Wave(m, hemisphere * random.uniform(42.0, 60.0), 15.0, 3.0, 2.0 * np.pi / period,
                          random.uniform(0.0, 2.0 * np.pi), "planetary", season, **_pulse(random, 0.4, 15.0, 40.0)))
    return waves


def _tropical(random: np.random.Generator) -> list[Wave]:
    """Waves whose meridional wind crosses the equator: westward ones of some days, and slow ones."""
    table = ((2, 3.5, -1.5), (3, 4.0, -6.0), (4, 4.0, -9.0), (5, 3.5, -12.0), (1, 1.5, 2.0))
    return [Wave(m, random.uniform(-6.0, 6.0), 18.0, speed, _eastward(travel, m, 0.0), random.uniform(0.0, 2.0 * np.pi),
                 "tropical", **_pulse(random, 0.3, 10.0, 30.0)) for m, speed, travel in table]


def _polar(random: np.random.Generator, hemisphere: float) -> list[Wave]:
    """m = 1 … 3: travelling waves of high latitudes, nearly as strong below as aloft; those of m = 1 blow across the pole. Without them
    no air would leave the caps."""
    waves = []
    for m, latitude, speed, days in ((1, 80.0, 6.0, 20.0), (1, 75.0, 6.0, 12.0), (2, 72.0, 5.0, 9.0), (3, 70.0, 4.5, 6.0)):
        period = random.choice([-1.0, 1.0]) * random.uniform(0.8, 1.25) * days * DAY_S
        waves.append(Wave(m, hemisphere * latitude, 15.0, speed, 2.0 * np.pi / period, random.uniform(0.0, 2.0 * np.pi), "polar", 0.1,
                          across_pole=True, **_pulse(random, 0.3, 15.0, 40.0)))
    return waves


def overturning_eddies(seed: int) -> list[Wave]:
    """Purely divergent waves of the tropics: standing ones of Walker and monsoon kind, and travelling ones."""
    random = np.random.Generator(np.random.Philox(seed + 1))
    standing = [Wave(m, latitude, 15.0, speed, 0.0, -m * np.deg2rad(rising) - 0.5 * np.pi, "overturning")
                for m, latitude, speed, rising in ((1, 0.0, 1.8, 125.0), (2, 8.0, 0.8, 125.0), (3, 0.0, 0.5, 20.0))]
    travelling = [Wave(m, random.uniform(-5.0, 5.0), 14.0, speed, _eastward(travel, m, 0.0), random.uniform(0.0, 2.0 * np.pi),
                       "overturning", **_pulse(random, 0.4, 15.0, 40.0))
                  for m, speed, travel in ((1, 1.0, 5.0), (2, 0.7, 6.0), (4, 0.5, 14.0), (6, 0.3, -9.0))]
    return standing + travelling
