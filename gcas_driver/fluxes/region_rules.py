"""The built-in map: 22 regions near to TransCom's, drawn by a few polygons and parallels of our own.

Land and sea come from the land mask; the rules here only say which land region and which ocean region a point belongs to
if it is land or sea. Not the TransCom mask itself: where its exact borders matter, give a file.
"""

from __future__ import annotations

import numpy as np

from mozart_coupling.grids import wrap_longitude

NOT_OPTIMISED = 23

# (region, corners lon, lat): the first polygon that contains a point of land decides.
LAND_POLYGONS: tuple[tuple[int, tuple[tuple[float, float], ...]], ...] = (
    (23, ((-181, -91), (181, -91), (181, -60), (-181, -60))),  # Antarctica
    (23, ((-74, 78), (-66, 80.6), (-60, 82.4), (-30, 84.5), (-8, 83), (-17, 70), (-42, 59), (-56, 64), (-59, 74))),  # Greenland
    (23, ((-26, 62.5), (-12, 62.5), (-12, 68), (-26, 68))),  # Iceland
    (23, ((5, 74), (40, 74), (60, 70), (66, 77.5), (110, 77.9), (110, 84), (5, 84))),  # islands of the Barents and Kara Seas
    (1, ((-171, 50), (-140, 57), (-131, 57), (-130, 52.5), (-125, 53), (-114, 53.5), (-102, 51.5), (-95, 50), (-90, 48.5),
         (-84, 48.5), (-80, 48.5), (-70, 48.3), (-64, 48.3), (-64, 46), (-50, 46), (-50, 60), (-57, 70), (-60, 82.6), (-60, 84),
         (-171, 84))),
    (2, ((-140, 57.5), (-128, 40), (-118, 20), (-100, 13), (-92.5, 14), (-92.5, 19.5), (-90, 23), (-79, 23), (-77, 30),
         (-60, 42), (-50, 50), (-64, 53), (-140, 60))),
    (3, ((-93, 13), (-93, 22), (-84, 25), (-74, 24), (-58, 20), (-50, 5), (-40, 0), (-40, -3.5), (-43, -4), (-47, -7),
         (-50, -11), (-53, -14), (-62, -16), (-65, -17), (-71, -13.5), (-77, -11), (-82, -11), (-93, -2))),
    (4, ((-83, -10), (-65, -15), (-50, -10), (-42, -2.5), (-33, -3), (-33, -30), (-50, -58), (-78, -58))),
    (5, ((-20, 0), (-20, 35.9), (-6, 35.9), (-2, 37), (10, 38), (12, 34.5), (30, 33), (32.5, 31.5), (34, 29), (34.6, 27.8),
         (39, 20), (43.2, 12.7), (45, 11.5), (53, 12.5), (53, -1.5), (41.5, -1.5), (41, 0))),
    (6, ((8, 0), (53, 0), (53, -36), (8, -36))),
    (10, ((112, -10.4), (142, -9.9), (144, -9.9), (156, -13), (181, -30), (181, -52), (112, -52))),
    (11, ((-12, 35.9), (-6, 35.9), (-2, 36.6), (10, 38.2), (12, 34), (26.2, 34), (26.2, 40), (29.5, 41.2), (36, 45), (44.5, 43.5),
          (45.5, 46), (54, 46.5), (59, 48.5), (61, 49), (61, 69), (55, 72), (5, 74), (-12, 63))),
    (9, ((91, 25), (93, 24), (94.5, 27), (98, 25.5), (98, 23.9), (105, 23.3), (108.5, 25), (112, 27), (122, 27), (123, 20),
         (130, 8), (128, 0), (156, 0), (156, -12), (144, -9.8), (112, -10.4), (94, 0), (91, 18))),
    (7, ((61, 51.5), (63.5, 52), (65, 55), (69, 55.5), (73, 53.5), (80, 51), (85, 49.5), (99, 49.5), (102, 50.2), (117, 49.4),
         (120, 52.5), (125, 52.8), (128, 49.3), (131, 47.6), (134, 47.8), (131.2, 44.5), (130.5, 42.3), (135, 42),
         (141, 45.8), (148, 43), (163, 50), (181, 62), (181, 78), (61, 78))),
    (7, ((-181, 62), (-169.5, 64), (-169.5, 70), (-181, 72))),  # beyond the date line
    (8, ((26.2, 34), (34, 31), (35, 28), (39, 20), (43.2, 12.7), (52, 12), (66, 20), (77, 5), (83, 5), (94, 18), (92, 25),
         (98, 28), (112, 27.5), (122, 26), (147, 40), (147, 46), (140, 56), (60, 56), (44, 47), (36, 45.5), (26, 41.5))),
)

PACIFIC_TROPICS = (-17.5, 18.5)
SOUTHERN_OCEAN = -45.0
DATE_LINE_SIDE = -160.0  # between the west and the east tropical Pacific


def land_region(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Land region 1 … 11, or 23 (not optimised), of points (degrees) taken as land; 0 far from any."""
    lon = wrap_longitude(lon)
    lat = np.asarray(lat, dtype=np.float64)
    lon, lat = np.broadcast_arrays(lon, lat)
    region = np.zeros(lon.shape, dtype=np.int8)
    for number, corners in LAND_POLYGONS:
        region = np.where((region == 0) & _inside(lon, lat, corners), np.int8(number), region)
    return region


def ocean_region(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Ocean region 12 … 22 of points (degrees) taken as sea."""
    lon = wrap_longitude(lon)
    lat = np.asarray(lat, dtype=np.float64)
    lon, lat = np.broadcast_arrays(lon, lat)
    south, north = PACIFIC_TROPICS
    tropics, southern = (lat >= south) & (lat < north), lat < south
    atlantic, indian = _is_atlantic(lon, lat), _is_indian(lon, lat)
    region = np.where(lat >= north, 12, np.where(tropics, np.where((lon > DATE_LINE_SIDE) & (lon < 0.0), 14, 13), 15))
    region = np.where(atlantic, np.where(southern, 19, np.where(tropics, 18, 17)), region)
    region = np.where(indian, np.where(southern, 22, 21), region)
    region = np.where(lat < SOUTHERN_OCEAN, 20, region)
    far_north = np.where(atlantic, lat > 49.0, lat > 60.0)
    return np.where(far_north, 16, region).astype(np.int8)


def _is_atlantic(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Between America and Africa, with the Mediterranean, the Baltic and the Black Sea."""
    west = np.interp(lat, [-90, -10, 5, 8.5, 9.5, 16, 18, 30, 55, 66, 90], [-70, -70, -77, -77.5, -84, -91, -98, -105, -120, -170, -180])
    east = np.interp(lat, [-90, -30, 0, 29, 31, 45, 60, 66, 90], [20, 20, 30, 33, 37, 45, 60, 180, 180])
    return (lon > west) & (lon < east)


def _is_indian(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """From Africa to the Malay peninsula, the Sunda islands and the strait of Bass."""
    west = np.interp(lat, [-90, -30, 0, 29, 31, 90], [20, 20, 30, 33, 37, 37])
    east = np.interp(lat, [-44, -38, -30, -12, -8, -1, 1, 8, 25, 31], [147, 145, 140, 142, 137, 131, 104, 100, 99, 90])
    return (lon >= west) & (lon < east) & (lat < 31.0)


def _inside(lon: np.ndarray, lat: np.ndarray, corners: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Whether points lie in a polygon: the number of its sides crossed on the way east is odd."""
    inside = np.zeros(lon.shape, dtype=bool)
    for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
        if y1 == y2:
            continue
        crosses = (lat >= min(y1, y2)) & (lat < max(y1, y2))
        inside ^= crosses & (lon < x1 + (lat - y1) * (x2 - x1) / (y2 - y1))
    return inside
