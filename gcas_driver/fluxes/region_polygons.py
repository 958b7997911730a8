"""Regions as polygons in a text file, and the shares of grid cells that lie in them.

    # comment
    region Amazon basin
    -79.0   5.0
    -50.0   4.5
    ...
    hole
    -60.5  -3.0
    ...

`region NAME` begins a polygon, `hole` a hole in the region; a name given again is a further part of the region. Corners are longitude
and latitude in degrees, any longitude convention. A side goes the shorter way round, so that regions may lie across the date line, but for
one of 360 degrees, which is a whole parallel; a ring once round the globe reaches to the nearer pole.

Sides are straight in longitude and latitude. Shares are integrals: exact in longitude, by the middle of strips of 0.1 degree in latitude.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gcas_driver.errors import InputError
from mozart_coupling.grids import Grid

STRIP_DEGREES = 0.1
LARGEST_OVERLAP = 0.01
"""Of the later region: borders drawn twice differ a little, and the earlier region keeps the land between."""
TURNS = (-720.0, -360.0, 0.0, 360.0, 720.0)

Rings = list[tuple[int, np.ndarray]]
"""(+1 for a part, -1 for a hole; corners (n, 2) of longitude and latitude, closed, longitudes unwrapped)."""


def read_polygons(path: Path) -> dict[str, Rings]:
    """Region → rings.

    Raises
    ------
    InputError
        With the line: no text, no region, a corner that is no place, less than three corners, a ring without area.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("the region file is neither NetCDF nor text", str(path), str(error), "a mask, or polygons") from None
    found: dict[str, list[tuple[int, int, list[tuple[float, float]]]]] = {}
    name, begun = "", 0
    for number, line in enumerate(lines, start=1):
        words = line.split("#")[0].replace(",", " ").split()
        if not words:
            continue
        where = f"{path}, line {number}"
        keyword = words[0].lower()
        if keyword == "region":
            name = " ".join(words[1:])
            if not name:
                raise InputError("a region needs a name", where, line.strip(), "region NAME")
            found.setdefault(name, []).append((number, 1, []))
        elif keyword == "hole" and len(words) == 1:
            if not name:
                raise InputError("a hole outside of any region", where, line.strip(), "region NAME before it")
            found[name].append((number, -1, []))
        else:
            if not name:
                raise InputError("this is no list of regions", where, line.strip()[:60], "region NAME, then its corners")
            found[name][-1][2].append(_corner(words, where))
        begun = number
    if not found:
        raise InputError("there are no regions in the file", str(path), f"{begun} lines", "region NAME, then its corners")
    for name, parts in found.items():
        for i, (number, sign, corners) in enumerate(parts):
            if corners and (sign, corners) in [(s, c) for _, s, c in parts[:i]]:
                raise InputError("a part of a region is given twice", f"{path}, line {number}", name, "every part once")
    return {name: [(sign, _ring(corners, f"{path}, line {number}")) for number, sign, corners in parts] for name, parts in found.items()}


def _corner(words: list[str], where: str) -> tuple[float, float]:
    try:
        lon, lat = (float(word) for word in words)
    except ValueError:
        raise InputError("a corner is two numbers", where, " ".join(words)[:60], "longitude and latitude in degrees") from None
    if not (abs(lat) <= 90.0 and -360.0 <= lon <= 720.0):
        advice = "Are longitude and latitude exchanged?" if abs(lon) <= 90.0 and abs(lat) <= 360.0 else ""
        raise InputError("a corner is no place", where, f"longitude {lon:g}, latitude {lat:g}", "-180 … 360 and -90 … 90", advice)
    return lon, lat


def _ring(corners: list[tuple[float, float]], where: str) -> np.ndarray:
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners = corners[:-1]
    if len(corners) < 3:
        raise InputError("a region needs three corners", where, f"{len(corners)}")
    ring = np.array(corners)
    closed = np.vstack([ring, ring[:1]])
    steps = np.diff(closed[:, 0])
    whole = np.abs(np.abs(steps) - 360.0) < 1e-9
    if np.any(np.abs(np.abs(steps) - 180.0) < 1e-9):
        raise InputError("a side of 180 degrees may go either way", where, "", "a corner between its ends")
    steps = np.where(whole, steps, (steps + 180.0) % 360.0 - 180.0)
    lon = ring[0, 0] + np.concatenate([[0.0], np.cumsum(steps)])
    closed = np.column_stack([lon, closed[:, 1]])
    winding = lon[-1] - lon[0]
    if abs(winding) > 1e-6:  # once round the globe
        if abs(abs(winding) - 360.0) > 1e-6:
            raise InputError("a ring goes round the globe more than once", where, f"{winding:g} degrees")
        pole = 90.0 if ring[:, 1].mean() > 0.0 else -90.0
        closed = np.vstack([closed, [lon[-1], pole], [lon[0], pole], closed[:1]])
    area = 0.5 * np.sum(closed[:-1, 0] * closed[1:, 1] - closed[1:, 0] * closed[:-1, 1])
    if abs(area) < 1e-9:
        raise InputError("a region has no area", where, f"corners {corners[:3]} …")
    return closed


def polygon_shares(polygons: dict[str, Rings], grid: Grid, where: str) -> np.ndarray:
    """Share of each cell's area in each region (n, nlat, nlon), 0 … 1; their sum is at most 1.

    Raises
    ------
    InputError
        Regions that overlap by more than a little.
    """
    corners = np.concatenate([ring[:, 1] for rings in polygons.values() for _, ring in rings])
    fine = np.linspace(-90.0, 90.0, round(180.0 / STRIP_DEGREES) + 1)
    edges = np.unique(np.round(np.concatenate([fine, grid.lat_edges, corners]), 9))
    middles, heights = 0.5 * (edges[1:] + edges[:-1]), np.diff(np.sin(np.deg2rad(edges)))
    rows = np.clip(np.searchsorted(grid.lat_edges, middles, side="right") - 1, 0, grid.nlat - 1)
    widths = np.diff(grid.lon_edges)
    free = np.broadcast_to(widths, (middles.size, grid.nlon)).copy()
    shares = np.zeros((len(polygons), *grid.shape))
    for number, (name, rings) in enumerate(polygons.items()):
        covered = np.clip(sum(sign * _covered(ring, middles, grid) for sign, ring in rings), 0.0, widths)
        kept = np.minimum(covered, free)
        total, lost = (float(heights @ part.sum(axis=1)) for part in (covered, covered - kept))
        if lost > LARGEST_OVERLAP * total:
            raise InputError("regions overlap", f"{where}, {name}", f"{100.0 * lost / total:.1f} % of it lies in regions before it",
                             f"at most {100.0 * LARGEST_OVERLAP:g} %")
        free -= kept
        np.add.at(shares[number], rows, kept * heights[:, None])
    return np.clip(shares / (widths * np.diff(np.sin(np.deg2rad(grid.lat_edges)))[:, None]), 0.0, 1.0)


def _covered(ring: np.ndarray, latitudes: np.ndarray, grid: Grid) -> np.ndarray:
    """Degrees of longitude of each cell inside a ring, along parallels: (n_latitudes, nlon)."""
    (x1, y1), (x2, y2) = (end[ring[:-1, 1] != ring[1:, 1]].T for end in (ring[:-1], ring[1:]))
    crosses = (latitudes[:, None] >= np.minimum(y1, y2)) & (latitudes[:, None] < np.maximum(y1, y2))
    found = np.where(crosses, x1 + (latitudes[:, None] - y1) * (x2 - x1) / (y2 - y1), np.inf)
    found.sort(axis=1)
    covered = np.zeros((latitudes.size, grid.nlon))
    widths = np.diff(grid.lon_edges)
    for j in range(int(crosses.sum(axis=1).max(initial=0))):  # from the first crossing to the second a point is inside, and so on
        strips = np.flatnonzero(np.isfinite(found[:, j]))
        for turn in TURNS:
            passed = np.clip(found[strips, j, None] + turn - grid.lon_edges[:-1], 0.0, widths)
            covered[strips] += passed if j % 2 else -passed
    return np.clip(covered, 0.0, widths)
