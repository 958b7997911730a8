"""Numbers of soundings, as the products have them, for the writers of all column formats."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

N_LEVELS = 20


@dataclass
class Soundings:
    """Raw numbers as the products have them: hPa, ppm, top first; arrays may be changed by a test before writing."""

    time: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    xco2: np.ndarray
    error: np.ndarray
    prior_xco2: np.ndarray
    pressure: np.ndarray
    weight: np.ndarray
    kernel: np.ndarray
    prior: np.ndarray
    quality: np.ndarray
    warn_level: np.ndarray
    mode: np.ndarray
    dp: np.ndarray
    solar_zenith: np.ndarray
    sensor_zenith: np.ndarray


def make_soundings(n: int, day: str = "2010-06-15", seed: int = 1) -> Soundings:
    """`n` soundings spread over the globe and a UTC day."""
    random = np.random.default_rng(seed)
    sigma = np.arange(N_LEVELS) / (N_LEVELS - 1.0)
    sigma[0] = 1.0e-4
    edges = np.concatenate([[0.0], 0.5 * (sigma[1:] + sigma[:-1]), [1.0]])
    weight = np.tile(np.diff(edges) / np.diff(edges).sum(), (n, 1))
    prior = 385.0 + 8.0 * sigma + random.normal(0.0, 0.5, (n, 1))
    midnight = np.datetime64(day, "s").astype(np.int64)
    return Soundings(
        time=midnight + np.sort(random.uniform(0.0, 86399.0, n)), lon=random.uniform(-180.0, 179.99, n), lat=random.uniform(-70.0, 70.0, n),
        xco2=random.normal(390.0, 1.0, n), error=random.uniform(0.5, 1.5, n), prior_xco2=(weight * prior).sum(axis=1),
        pressure=random.uniform(800.0, 1015.0, (n, 1)) * sigma, weight=weight, kernel=0.3 + 0.7 * sigma + np.zeros((n, 1)), prior=prior,
        quality=np.zeros(n, dtype=np.int8), warn_level=random.integers(0, 20, n).astype(np.int8), mode=random.integers(0, 2, n),
        dp=random.normal(0.0, 2.0, n), solar_zenith=random.uniform(10.0, 75.0, n), sensor_zenith=random.uniform(0.0, 40.0, n))



def identifiers(s: Soundings) -> np.ndarray:
    """YYYYMMDDhhmmss, a tenth of a second and a footprint or mode: 16 digits, as Lite files and their averages have them."""
    whole = np.floor(np.nan_to_num(s.time)).astype("datetime64[s]")
    text = np.array(["".join(c for c in moment if c.isdigit()) for moment in whole.astype(str)], dtype="U14")
    tenths = np.floor(10.0 * np.nan_to_num(s.time - np.floor(s.time))).astype(np.int64)
    return text.astype(np.int64) * 100 + tenths * 10 + 1 + np.arange(len(s.time)) % 8


def take(s: Soundings, rows: np.ndarray) -> Soundings:
    """Some of the soundings, in the given order."""
    return Soundings(*(getattr(s, f.name)[rows] for f in fields(s)))
