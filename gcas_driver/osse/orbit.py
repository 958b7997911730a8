"""Where and when a GOSAT-like satellite looks: ground track, sun, glint, and clouds in the way.

The orbit is sun-synchronous: 44 revolutions in 3 days, crossing the equator southwards at 13:00 local time. Every 42 s
three points across the track are seen, 263 km apart. The track is that of a circular orbit over a sphere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from scipy.special import ndtri

from gcas_driver.sun import DAY_SECONDS, solar_zenith
from mozart_coupling.constants import EARTH_RADIUS_M

REVOLUTION_SECONDS = 3 * DAY_SECONDS / 44
INCLINATION = np.deg2rad(98.06)
NODE_LOCAL_HOUR = 13.0
POINT_SECONDS = 42.0
EXPOSURE_SHARE = 0.11
"""Time from one point across the track to the next, over the time from row to row."""

ACROSS_KM = 263.0
EARTH_RADIUS_KM = EARTH_RADIUS_M / 1000.0
ZENITH_LIMIT = 72.0
GLINT_HALF_WIDTH = 28.0
"""Ocean is seen in sun glint only, within this distance of the sub-solar latitude [degrees]."""

CLOUD_LENGTHS_KM = (1000.0, 300.0)
CLOUD_FEATURES = 160
PARTLY_CLOUDY = 0.35
"""Width of the zone around clear sky [standard deviations of the cloud field] where retrievals are made, but are bad."""

LandMask = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Views:
    """Places seen, arrays (n,): time [s since 1970], lon, lat [degrees], land (bool), clear (bool; else partly cloudy)."""

    time: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    land: np.ndarray
    clear: np.ndarray

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: np.ndarray) -> Views:
        """The given rows."""
        return Views(*(getattr(self, f.name)[rows] for f in fields(self)))


def views(start: float, end: float, seed: int, is_land: LandMask, point_seconds: float = POINT_SECONDS) -> Views:
    """Sunlit places without thick cloud, seen in [start, end), in order of time.

    Parameters
    ----------
    start, end : float
        Seconds since 1970.
    seed : int
        Decides the clouds of each day, whatever period is asked for.
    is_land : callable
        (lat, lon) in degrees to bool.
    point_seconds : float
        Time from one row of points to the next.
    """
    time, lon, lat = ground_points(start, end, point_seconds)
    land = np.asarray(is_land(lat, lon), dtype=bool)
    zenith, declination = solar_zenith(time, lon, lat)
    lit = (zenith < ZENITH_LIMIT) & np.where(land, ~_ice_sheet(lon, lat), np.abs(lat - declination) < GLINT_HALF_WIDTH)
    time, lon, lat, land = time[lit], lon[lit], lat[lit], land[lit]
    margin = _cloudiness(time, lon, lat, seed) - ndtri(1.0 - cloud_probability(time, lat, land))
    return Views(time, lon, lat, land, margin < 0.0).take(np.flatnonzero(margin < PARTLY_CLOUDY))


def ground_points(start: float, end: float, point_seconds: float = POINT_SECONDS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time [s], longitude and latitude [degrees] of all points under the descending half orbits in [start, end)."""
    first, last = int(np.floor(start / REVOLUTION_SECONDS)) - 1, int(np.ceil(end / REVOLUTION_SECONDS)) + 1
    node_time = np.arange(first, last + 1) * REVOLUTION_SECONDS
    quarter = REVOLUTION_SECONDS / 4.0
    since_node = np.arange(-quarter + point_seconds / 2, quarter, point_seconds)
    node, since = (a.ravel() for a in np.meshgrid(node_time, since_node, indexing="ij"))
    here = _below(node, since)
    across = np.cross(here, _below(node, since + 1.0))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    parts = []
    for side in (-1, 0, 1):
        angle = side * ACROSS_KM / EARTH_RADIUS_KM
        place = np.cos(angle) * here + np.sin(angle) * across
        parts.append((node + since + side * EXPOSURE_SHARE * point_seconds, np.rad2deg(np.arctan2(place[:, 1], place[:, 0])),
                      np.rad2deg(np.arcsin(np.clip(place[:, 2], -1.0, 1.0)))))
    time, lon, lat = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(time, kind="stable")
    order = order[(time[order] >= start) & (time[order] < end)]
    return time[order], lon[order], lat[order]


def cloud_probability(time: np.ndarray, lat: np.ndarray, land: np.ndarray) -> np.ndarray:
    """Chance that a view is not clear: high in the ITCZ, which follows the sun, and in storm tracks; low in the subtropics."""
    season = np.sin(2 * np.pi * (time / DAY_SECONDS / 365.25 - 0.29))
    convergence = 3.0 + np.where(land, 11.0, 5.0) * season
    wet = 0.22 * np.exp(-(((lat - convergence) / 9.0) ** 2)) + 0.16 * np.exp(-(((np.abs(lat) - 57.0) / 14.0) ** 2))
    dry = np.where(land, 0.26, 0.10) * np.exp(-(((np.abs(lat) - 24.0) / 9.0) ** 2))
    return np.clip(0.66 + wet - dry, 0.05, 0.97)


def _ice_sheet(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Antarctica and Greenland, roughly: snow is too dark in the near infrared for a retrieval."""
    return (lat < -60.0) | ((lat > 60.0) & (lon > -58.0) & (lon < -20.0))


def _below(node: np.ndarray, since: np.ndarray) -> np.ndarray:
    """Unit vectors (n, 3), fixed to the earth, of the points below the satellite `since` seconds after the node."""
    argument = np.pi + 2 * np.pi * since / REVOLUTION_SECONDS
    sine_lat = np.sin(INCLINATION) * np.sin(argument)
    east_of_node = np.arctan2(np.cos(INCLINATION) * np.sin(argument), np.cos(argument)) - np.pi
    node_lon = 2 * np.pi * (NODE_LOCAL_HOUR / 24.0 - (node / DAY_SECONDS) % 1.0)
    lon = node_lon + east_of_node - 2 * np.pi * since / DAY_SECONDS
    cosine_lat = np.sqrt(1.0 - sine_lat**2)
    return np.stack([cosine_lat * np.cos(lon), cosine_lat * np.sin(lon), sine_lat], axis=1)


def _cloudiness(time: np.ndarray, lon: np.ndarray, lat: np.ndarray, seed: int) -> np.ndarray:
    """A standard Gaussian field (n,), correlated in space over `CLOUD_LENGTHS_KM`, another one each day.

    Random cosines in space, restricted to the sphere, have a covariance that is Gaussian in chord length.
    """
    phi, lam = np.deg2rad(lat), np.deg2rad(lon)
    place = EARTH_RADIUS_KM * np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=1)
    day = np.floor(time / DAY_SECONDS).astype(np.int64)
    field = np.empty(len(time))
    for today in np.unique(day):
        rows = np.flatnonzero(day == today)
        random = np.random.default_rng([seed, 11, int(today)])
        wave = np.concatenate([random.standard_normal((CLOUD_FEATURES, 3)) / length for length in CLOUD_LENGTHS_KM])
        phase = random.uniform(0.0, 2 * np.pi, len(wave))
        field[rows] = np.sqrt(2.0 / len(wave)) * np.cos(place[rows] @ wave.T + phase).sum(axis=1)
    return field
