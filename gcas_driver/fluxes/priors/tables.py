"""Climatologies as tables of points, such as Takahashi's: a line of names, then one line a cell and month."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np

from gcas_driver.errors import InputError, SettingsError
from mozart_coupling.grids import Grid

from .coordinates import fixed_grid
from .monthly import MonthField, MonthlyReader, text_lines
from .stream import file_of, line_of, parts_of, setting

CODES = (99, 999, 9999, 99999)  # tables mark what is missing by -99, -999.99 and the like
POSITIONS = (("LAT", "LATITUDE"), ("LON", "LONGITUDE", "LONG"), ("MONTH", "MON", "MO"))
_NUMBER_START = re.compile(r"\s*[-+.\d]")


class TableReader(MonthlyReader):
    """A monthly climatology as a table of points: a line of names, then LAT, LON, MONTH and the flux in columns.

    Separated by commas or blanks. Cells that are not listed, or hold a code for missing, are gaps.
    """

    def _read(self, day: np.datetime64) -> MonthField:
        path, _ = file_of(self._stream, day, self._layout.patterns, self._code, compressed=True)
        table = _table(path)
        lat, lon, month = (_column(table, names, path) for names in POSITIONS)
        flux = _column(table, self._names(), path)
        if not setting(self._stream, "units"):
            raise SettingsError("units of a table of fluxes have to be said", line_of(self._stream, "units"), "none",
                                "such as 'gC m-2 month-1' or 'mol m-2 yr-1'", f"See the heading of {flux[0]} in {path}.")
        months = np.unique(month[1])
        if not np.array_equal(months, np.arange(1, 13)):
            raise InputError("the table has not all months", f"{path}, {month[0]}", ", ".join(f"{m:g}" for m in months[:14]), "1 to 12",
                             "Copy or make the file again.")
        lines = [int(np.count_nonzero(month[1] == m)) for m in months]
        if len(set(lines)) > 1:
            raise InputError("months of the table have different numbers of cells", f"{path}, {month[0]}", ", ".join(map(str, lines)),
                             "as many lines for each month", "Copy or make the file again; give missing cells the value -999.")
        grid = _grid_of(lat[1], lon[1], path)
        here = month[1] == parts_of(day)[1]
        rows = np.rint((lat[1][here] - grid.lat[0]) / (grid.lat[1] - grid.lat[0])).astype(int)
        columns = np.rint((np.mod(lon[1][here], 360.0) - grid.lon[0]) / (grid.lon[1] - grid.lon[0])).astype(int) % grid.nlon
        cells = rows * grid.nlon + columns
        if np.unique(cells).size != cells.size:
            raise InputError("the table lists a cell twice", f"{path}, month {parts_of(day)[1]}",
                             f"{cells.size - np.unique(cells).size} times", "one line a cell and month")
        given = flux[1][here]
        known = ~np.isin(np.floor(-given), CODES)
        values, gaps = np.zeros(grid.shape), np.ones(grid.shape, bool)
        values[rows[known], columns[known]], gaps[rows[known], columns[known]] = given[known], False
        if gaps.all():
            raise InputError("missing values in the flux", f"{path}, {flux[0]}", "no value in this month", "some")
        scale = self._factor("", grid, day, f"{path}, {flux[0]}")
        share = _sea_share(table, grid, here, (rows, columns), path)
        return MonthField(grid, values * scale * share, gaps if gaps.any() else None, path)

    def _names(self) -> tuple[str, ...]:
        wanted = setting(self._stream, "variable")
        return (wanted.upper(),) if wanted else self._layout.variables[self._stream.component]


def _sea_share(table: dict[str, np.ndarray], grid: Grid, here: np.ndarray, cells: tuple[np.ndarray, np.ndarray],
               path: Path) -> np.ndarray | float:
    """Share of each cell that its flux holds for, where the table gives the area of its sea [10^6 km2]."""
    name = next((n for n in table if n in ("AREA", "AREA_MKM2", "AREAMKM2", "SEA_AREA")), None)
    if name is None:
        return 1.0
    share = np.ones(grid.shape)
    area = table[name][here]
    if np.any(~np.isfinite(area) | (area < 0)):
        raise InputError("areas of a table", f"{path}, {name}", "missing or negative", "the area of each cell's sea [10^6 km2]")
    share[cells] = area * 1.0e12 / grid.area[cells]
    if share.max() > 1.05:
        raise InputError("areas of a table", f"{path}, {name}", f"{share.max():.3g} of the cell",
                         "the area of each cell's sea [10^6 km2]")
    return np.minimum(share, 1.0)


def _table(path: Path) -> dict[str, np.ndarray]:
    """Columns of a table by upper-case name: the last line before the first one that begins with a number holds the names."""
    names: list[str] = []
    rows: list[list[str]] = []
    comma = False
    for number, line in enumerate(text_lines(path), 1):
        if not line.strip():
            continue
        if not rows and not _NUMBER_START.match(line):
            comma = "," in line
            names = [name.strip().strip('"').upper() for name in (line.split(",") if comma else line.replace("#", " ").split())]
            continue
        fields = [field.strip() for field in line.split(",")] if comma else line.split()
        if len(fields) != len(names):
            raise InputError("a line of the table has another number of columns", f"{path}, line {number}", f"{len(fields)}",
                             f"{len(names)}: {', '.join(names)}", "One line of names has to stand above the columns.")
        rows.append(fields)
    if not rows or not names:
        raise InputError("no table", str(path), f"{len(rows)} lines of numbers", "a line of names, then LAT, LON, MONTH and a flux")
    try:
        values = np.array([[_number(field) for field in row] for row in rows])
    except ValueError as error:
        raise InputError("not a number", str(path), str(error)) from None
    return dict(zip(names, values.T, strict=True)) if len(set(names)) == len(names) else _refuse_names(names, path)


def _refuse_names(names: list[str], path: Path) -> dict[str, np.ndarray]:
    raise InputError("columns have the same name", str(path), ", ".join(names), "one name each")


def _number(field: str) -> float:
    if "_" in field:  # which Python reads as a mark between digits
        raise ValueError(field)
    return -999.0 if field in ("", "NA") else float(field)


def _column(table: dict[str, np.ndarray], names: tuple[str, ...], path: Path) -> tuple[str, np.ndarray]:
    for name in names:
        if name in table:
            if not np.isfinite(table[name]).all():
                raise InputError("flux is not finite" if names not in POSITIONS else "a position is not finite",
                                 f"{path}, {name}", f"{np.count_nonzero(~np.isfinite(table[name]))} NaN", "finite numbers, -999 if missing")
            return name, table[name]
    raise InputError("a column is missing", str(path), ", ".join(table), " or ".join(names), "`variable` names the column of the flux.")


def _grid_of(lat: np.ndarray, lon: np.ndarray, path: Path) -> Grid:
    """The regular grid whose cell centres the points are: its steps are the least distances of latitudes and of longitudes."""
    lat, lon = np.unique(lat), np.unique(np.mod(lon, 360.0))
    steps = [float(np.diff(values).min()) if values.size > 1 else math.nan for values in (lat, lon)]
    sizes = [round(180.0 / steps[0]) if steps[0] > 0 else 0, round(360.0 / steps[1]) if steps[1] > 0 else 0]
    if min(sizes) >= 2 and max(sizes) <= 4000:
        grid = fixed_grid((sizes[0], sizes[1]))
        offset = np.mod(lon - grid.lon[0] + 0.25 * steps[1], steps[1]) - 0.25 * steps[1]
        if (np.abs(lat).max() <= 90 and np.abs(offset).max() < 0.01 * steps[1]
                and np.abs((lat - grid.lat[0]) / steps[0] - np.rint((lat - grid.lat[0]) / steps[0])).max() < 0.01):
            return grid
    raise InputError("points of the table are not cell centres of a regular grid", f"{path}, LAT, LON",
                     f"latitudes by {steps[0]:g} from {lat[0]:g}, longitudes by {steps[1]:g} from {lon[0]:g}",
                     "such as -88 … 88 by 4 and 2.5 … 357.5 by 5")
