"""Which variable of a file is what, told by names and shapes alone: the oracle's own knowledge of the field's files."""

from __future__ import annotations

from dataclasses import dataclass

from .tree import Tree

LAT = ("latitude", "lat", "Latitude", "lat_deg")
LON = ("longitude", "lon", "Longitude", "long", "long_deg")
LEVELS = ("levels", "level", "Level", "lev", "nlev", "prior_altitude", "ak_altitude", "boundary", "sigma_levels", "ak_P_hPa",
          "prior_Height")


@dataclass(frozen=True)
class Roles:
    """Paths of the variables of a file, "" where it has none.

    Attributes
    ----------
    lat, lon : str
    rows : str
        The dimension of single observations; "" in gridded files.
    grid : tuple of str
        Dimensions of latitude and longitude of gridded files; empty in others.
    levels : tuple of str
        Dimensions of levels.
    times : tuple of str
        Variables with "since" in their units.
    """

    lat: str
    lon: str
    rows: str
    grid: tuple[str, ...]
    levels: tuple[str, ...]
    times: tuple[str, ...]


def roles(tree: Tree) -> Roles:
    """Roles in a file."""
    paths = tree.paths()

    def first(names: tuple[str, ...]) -> str:
        return next((p for name in names for p in paths if p.split("/")[-1] == name), "")

    lat, lon = first(LAT), first(LON)
    rows, grid = "", ()
    if lat and lon:
        a, b = tree[lat].dims, tree[lon].dims
        if len(a) == len(b) == 1 and a == b:
            rows = a[0]
        elif len(a) == len(b) == 1:
            grid = (a[0], b[0])
    times = tuple(p for p in paths if "since" in str(tree[p].attributes.get("units", "")) and tree[p].numeric)
    if not rows and not grid and times and len(tree[times[0]].dims) == 1:
        rows = tree[times[0]].dims[0]
    return Roles(lat, lon, rows, grid, tuple(d for d in tree.dims if d in LEVELS), times)
