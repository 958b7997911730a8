"""Rough geography for synthetic prior fluxes: where plants grow, people live, forests burn and the sea gives off CO2.

Numbers are ours, read off general knowledge of the carbon cycle to make plausible patterns; they are nobody's data set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Blob:
    """A bell-shaped patch: centre and half-widths [degrees], and a weight."""

    lon: float
    lat: float
    lon_width: float
    lat_width: float
    weight: float


@dataclass(frozen=True)
class FireSeason:
    """A patch that burns: `patch.weight` is PgC/yr; peak and half-width in days of the year."""

    patch: Blob
    peak_day: float
    width_days: float


def blob_map(blobs: tuple[Blob, ...], lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Sum of the patches (nlat, nlon) at centres in degrees."""
    total = np.zeros((lat.size, lon.size))
    for blob in blobs:
        east = np.mod(lon - blob.lon + 180.0, 360.0) - 180.0
        total += blob.weight * np.outer(np.exp(-0.5 * ((lat - blob.lat) / blob.lat_width) ** 2),
                                        np.exp(-0.5 * (east / blob.lon_width) ** 2))
    return total


# Gross primary production by latitude [gC m-2 yr-1, relative], then shares that deserts and high plateaus take away.
PRODUCTION_LAT = (-90, -60, -50, -40, -30, -20, -10, 0, 10, 18, 25, 32, 40, 50, 60, 66, 72, 78, 84, 90)
PRODUCTION = (0, 0, 500, 800, 900, 1100, 2000, 2600, 1800, 900, 600, 680, 720, 720, 520, 330, 110, 15, 0, 0)
BARREN = (
    Blob(-5, 23, 12, 6.5, 0.97), Blob(18, 23, 14, 6.5, 0.97), Blob(47, 23, 8, 7, 0.95), Blob(60, 34, 9, 6, 0.75),
    Blob(82, 40, 9, 4, 0.85), Blob(103, 42, 9, 4, 0.85), Blob(65, 45, 9, 4, 0.6), Blob(88, 33, 9, 3.5, 0.75),
    Blob(70, 27, 4, 4, 0.8), Blob(-114, 37, 7, 7, 0.75), Blob(-104, 27, 5, 4, 0.7), Blob(19, -25, 6, 7, 0.8),
    Blob(46, 6, 4, 6, 0.75), Blob(129, -25, 12, 6, 0.88), Blob(-69, -25, 3, 8, 0.9), Blob(-69, -45, 4, 7, 0.75),
    Blob(-40, -8, 4, 4, 0.4),
)
LUSH = (
    Blob(-62, -4, 9, 6, 0.25), Blob(22, 0, 8, 4, 0.2), Blob(108, 0, 14, 6, 0.3), Blob(112, 27, 7, 5, 0.6), Blob(100, 18, 6, 6, 0.5),
    Blob(80, 20, 6, 6, 0.3), Blob(-84, 34, 7, 5, 0.6), Blob(-50, -22, 7, 6, 0.4), Blob(10, 49, 12, 6, 0.35), Blob(33, -14, 7, 6, 0.2),
)
GREENLAND = Blob(-40, 74, 16, 9, 1.0)

# Growing season by latitude: day of the peak, half-width in days, and the share that does not follow the season.
SEASON_LAT = (-60, -45, -30, -20, -10, -4, 4, 10, 20, 30, 45, 60, 75)
SEASON_PEAK = (12, 14, 20, 35, 50, 60, 240, 235, 222, 200, 184, 194, 200)
SEASON_WIDTH = (50, 65, 80, 75, 75, 90, 90, 75, 70, 70, 56, 42, 32)
SEASON_FLOOR = (0.1, 0.3, 0.4, 0.45, 0.7, 0.9, 0.9, 0.7, 0.4, 0.3, 0.1, 0.02, 0.0)

# Air-sea flux by latitude [mol m-2 yr-1, relative], positive out of the sea: tropical source, mid-latitude sinks.
SEA_LAT = (-90, -75, -62, -55, -47, -38, -30, -20, -12, 0, 8, 15, 25, 35, 45, 55, 65, 75, 85, 90)
SEA_FLUX = (-0.1, -0.3, -0.2, -0.5, -2.1, -2.3, -1.5, -0.3, 0.5, 1.0, 0.5, 0.0, -1.0, -2.4, -2.5, -2.0, -2.2, -1.3, -0.1, 0.0)
SEA_PATCHES = (
    Blob(-105, -2, 28, 6, 2.4), Blob(-165, 0, 20, 5, 1.0), Blob(150, 2, 18, 8, -0.8), Blob(58, 14, 9, 6, 1.2), Blob(-15, 0, 14, 6, 0.4),
    Blob(-35, 55, 18, 9, -1.4), Blob(5, 68, 15, 5, -1.6), Blob(175, 57, 14, 4, 2.2), Blob(165, 43, 18, 5, -0.8),
    Blob(-45, -44, 15, 5, -1.2),
)
SEA_SOURCE_PGC = 0.9  # yr-1, of the cells that give off CO2; the sinks make up the rest of the total

# Where people burn coal, oil and gas [relative].
PEOPLE = (
    Blob(116, 38, 4, 3, 14), Blob(120, 32, 3, 2.5, 10), Blob(113.5, 23, 2, 1.5, 5), Blob(106, 30, 3, 2.5, 5), Blob(124, 43, 3.5, 3, 4),
    Blob(109, 35, 3, 2.5, 4), Blob(127, 37, 1.2, 1.2, 4), Blob(138, 35.5, 2.2, 1.6, 7), Blob(131, 33.5, 1.5, 1, 2),
    Blob(121, 24.5, 1, 1.2, 2),
    Blob(77, 28.5, 3, 2, 4), Blob(73, 20, 2, 2.5, 3), Blob(86, 23, 3, 1.6, 3), Blob(78, 12.5, 2.2, 2.2, 2), Blob(90, 24, 1.2, 1.2, 0.8),
    Blob(73, 31, 2.5, 2, 1), Blob(101, 14, 1.8, 2, 1.6), Blob(107, -6.7, 2, 0.8, 1.6), Blob(112, -7.5, 1.5, 0.8, 0.8),
    Blob(102, 3, 1.2, 1.5, 1.2),
    Blob(106, 11, 1, 1.5, 0.8), Blob(121, 14.6, 1, 1, 0.8), Blob(51.4, 35.7, 2.5, 1.8, 2.2), Blob(47, 29.8, 2, 1.5, 2),
    Blob(54, 24.5, 1.8, 1.2, 2.2),
    Blob(40, 22, 1.5, 2, 1.4), Blob(46, 25, 1.5, 1.5, 1.4), Blob(44.4, 33, 1.5, 1.5, 0.8), Blob(31, 30.2, 1, 1, 1.4),
    Blob(32, 40, 4, 1.4, 2.2),
    Blob(7, 51, 2.2, 1.6, 5), Blob(13, 51, 2.5, 1.6, 3), Blob(-1.5, 52.6, 1.4, 1.4, 3.2), Blob(2.5, 48.8, 1.8, 1.4, 2),
    Blob(10, 45, 2, 1.2, 2.6),
    Blob(14, 41.3, 1.4, 1.2, 1.2), Blob(-3.5, 40.2, 2.4, 1.8, 1.8), Blob(19, 50.6, 2.2, 1.4, 2.8), Blob(24, 43, 3, 2, 1.4),
    Blob(16, 59, 2.5, 1.6, 0.8),
    Blob(37.5, 55.6, 3.2, 2, 3.6), Blob(37, 48.5, 3, 1.8, 2.4), Blob(50, 54, 4, 2, 2), Blob(60, 56.5, 3.5, 2, 2), Blob(75, 54, 5, 1.6, 1.4),
    Blob(88, 55, 4, 1.5, 1.4), Blob(72, 50, 4, 2, 1.2), Blob(69, 41.5, 3, 1.6, 1.2), Blob(-74.5, 40.7, 2.2, 1.6, 4.6),
    Blob(-80.5, 40.8, 3, 1.8, 4.4),
    Blob(-87.5, 41.2, 2.6, 2, 4), Blob(-95.5, 29.9, 2.2, 1.4, 3.6), Blob(-97, 32.8, 2, 1.4, 2), Blob(-84, 33.7, 2.5, 1.8, 3),
    Blob(-81.5, 28, 1.2, 1.4, 1.6),
    Blob(-90.5, 38.6, 2.2, 1.6, 2), Blob(-118.2, 34.1, 1.4, 1, 2.6), Blob(-121.8, 37.7, 1.2, 1, 1.4), Blob(-122.3, 47.4, 1, 1, 0.8),
    Blob(-105, 39.9, 1.6, 1.4, 1),
    Blob(-112, 33.4, 1.2, 1, 0.7), Blob(-79.4, 43.7, 1.8, 1, 1.8), Blob(-113.8, 52.6, 2, 1.6, 1.4), Blob(-99.3, 19.5, 2, 1.2, 2),
    Blob(-100.4, 25.6, 1.2, 1, 0.8),
    Blob(-46.5, -23.3, 1.8, 1.2, 1.6), Blob(-43.3, -21.8, 1.4, 1.2, 0.8), Blob(-58.6, -34.5, 1.6, 1.4, 1.2),
    Blob(-71, -33.2, 0.9, 1.4, 0.5), Blob(-67, 10.2, 1.8, 0.8, 1.1),
    Blob(-74.5, 5, 1.2, 2, 0.5), Blob(28.5, -26, 2, 1.2, 3), Blob(3.5, 6.8, 1.5, 1, 0.7), Blob(3, 36.4, 2.4, 0.9, 0.9),
    Blob(-7, 33.4, 1.4, 1, 0.5),
    Blob(37, -1.2, 1.5, 1.5, 0.2), Blob(151, -33.4, 1.2, 1.2, 1), Blob(145.2, -37.8, 1.2, 0.9, 0.9), Blob(149.5, -24, 1.8, 2, 0.6),
    Blob(116, -32.3, 1, 1, 0.4),
)

FIRES = (
    FireSeason(Blob(18, 8.5, 15, 2.6, 0.46), 358, 32), FireSeason(Blob(23, -11, 9, 5, 0.65), 218, 42),
    FireSeason(Blob(-57, -11, 7, 4, 0.32), 252, 28),
    FireSeason(Blob(100, 18, 5, 4, 0.16), 76, 24), FireSeason(Blob(110, -2, 9, 3, 0.22), 272, 28),
    FireSeason(Blob(132, -15, 8, 3, 0.12), 292, 34),
    FireSeason(Blob(115, 59, 20, 5, 0.12), 200, 26), FireSeason(Blob(-112, 57, 12, 5, 0.07), 200, 26),
    FireSeason(Blob(-90, 17, 4, 3, 0.05), 112, 20),
)
