"""Whether a run is in a steady state that looks like weather: eddy energy, jets, overturning and surface pressure by record."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gcas_driver.report.style import BACKGROUND, DPI, POSTERIOR, PRIOR, TRUTH, applied, figure
from mozart_coupling.constants import EARTH_RADIUS_M, GRAVITY
from mozart_coupling.errors import MetError
from mozart_coupling.grids import Grid

COLUMNS = ("time", "days_per_row", "resolution", "eddy", "eddy_north", "eddy_south", "zonal", "jet_north", "jet_south", "jet_pressure",
           "cell_high", "cell_low", "ps_low", "ps_high", "shift")
"""Seconds since 1970; days; -; J m-2 (four); m s-1 (two); Pa; kg s-1 (two); Pa (three)."""

EDDY = (2.0e5, 2.0e6)  # J m-2, mean of a run; the atmosphere's is 6e5 … 8e5 (Peixoto and Oort 1992, table 14.1)
EXCURSION = 3.0  # a day's eddy energy over the median, or under it
TREND = 0.25  # of the mean, over the whole series
SHORTEST_TREND, HARMONIC = 60.0, 300.0  # days: below the first no trend is judged; from the second on, next to a yearly wave
JET = (25.0, 45.0)  # m s-1, the stronger hemisphere's zonal mean
JET_PRESSURE = (1.5e4, 3.5e4)  # Pa
CELL = (5.0e10, 3.0e11)  # kg s-1, the winter cell
SWING = 5.0e10  # kg s-1, least difference of the cells' sum between December-February and June-August
SURFACE_PRESSURE = (4.5e4, 1.09e5)  # Pa
SETTLING = 60.0  # days before the spin-up's own energy is judged


def row(grid: Grid, sigma: np.ndarray, time: np.datetime64, days: float, resolution: int, fields: dict[str, np.ndarray],
        shift: float) -> np.ndarray:
    """The numbers of one record, in the order of COLUMNS.

    Parameters
    ----------
    days
        That the record stands for.
    fields
        U, V [m s-1] (nlev, nlat, nlon), PS [Pa] (nlat, nlon).
    shift
        What was added to PS to keep its global mean [Pa].

    Raises
    ------
    MetError
        Something is not finite: the run has blown up.
    """
    u, v, ps = fields["U"], fields["V"], fields["PS"]
    if not all(np.isfinite(values).all() for values in fields.values()):
        raise MetError("the primitive equations have blown up: winds, temperature or pressure are not finite", f"T{resolution}, {time}",
                       advice="Use a shorter step or other constants; nothing of this day was written.")
    mass = np.diff(sigma)[:, None] * ps.mean(axis=1) / GRAVITY  # kg m-2; what PS and wind have in common along a parallel is left out
    mean = u.mean(axis=2)
    eddy = 0.5 * (mass * (u.var(axis=2) + v.var(axis=2))).sum(axis=0)
    zonal = 0.5 * (mass * (mean**2 + v.mean(axis=2) ** 2)).sum(axis=0)
    weight = grid.area[:, 0] / grid.area[:, 0].sum()
    north, south = grid.lat > 0.0, grid.lat < 0.0
    pressure = 0.5 * (sigma[1:] + sigma[:-1])[:, None] * ps.mean(axis=1)
    aloft = np.where((pressure > 1.0e4) & (np.abs(grid.lat) > 15.0), mean, -np.inf)
    circle = 2.0 * np.pi * EARTH_RADIUS_M * np.cos(np.deg2rad(grid.lat)) / GRAVITY
    flux = (np.diff(sigma)[:, None, None] * ps * v).mean(axis=2)
    flux -= np.diff(sigma)[:, None] * flux.sum(axis=0)  # without the net flow that changes the pressure of a cap
    stream = np.cumsum(flux, axis=0)[:, np.abs(grid.lat) < 35.0] * circle[np.abs(grid.lat) < 35.0]
    seconds = float(np.datetime64(time, "s").astype(np.int64))
    return np.array([
        seconds, days, resolution, (eddy * weight).sum(), 2.0 * (eddy * weight)[north].sum(), 2.0 * (eddy * weight)[south].sum(),
        (zonal * weight).sum(), aloft[:, north].max(), aloft[:, south].max(), pressure.ravel()[np.argmax(aloft)], stream.max(),
        stream.min(), ps.min(), ps.max(), shift])


def column(rows: np.ndarray, name: str) -> np.ndarray:
    """One quantity of all records."""
    return rows[:, COLUMNS.index(name)]


def daily(rows: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Days since 1970 and the means over them."""
    days, index = np.unique(column(rows, "time") // 86400.0, return_inverse=True)
    return days, np.bincount(index, column(rows, name)) / np.bincount(index)


def trend(rows: np.ndarray) -> float | None:
    """Change of eddy energy over the series, as a share of its mean; None where it is too short to tell.

    A straight line by least squares; where the series has most of a year, next to a yearly wave.
    """
    days, eddy = daily(rows, "eddy")
    span = days[-1] - days[0] + 1.0
    if span < SHORTEST_TREND:
        return None
    phase = 2.0 * np.pi * days / 365.25
    terms = [np.ones_like(days), (days - days.mean()) / span]
    if span >= HARMONIC:
        terms += [np.cos(phase), np.sin(phase)]
    coefficients = np.linalg.lstsq(np.stack(terms, axis=1), eddy, rcond=None)[0]
    return float(coefficients[1] / eddy.mean())


def failures(rows: np.ndarray) -> list[str]:
    """What makes a series useless: its eddies die or blow up."""
    days, eddy = daily(rows, "eddy")
    median = float(np.median(eddy))
    found = []
    for index, what in ((int(np.argmin(eddy)), "die"), (int(np.argmax(eddy)), "blow up")):
        if not median / EXCURSION <= eddy[index] <= median * EXCURSION:
            day = np.datetime64(int(days[index]), "D")
            found.append(f"eddies {what}: {eddy[index]:.3g} J/m2 on {day}, median {median:.3g}")
    if not EDDY[0] <= eddy.mean() <= EDDY[1]:
        found.append(f"mean eddy energy {eddy.mean():.3g} J/m2, outside {EDDY[0]:g} … {EDDY[1]:g}")
    return found


def warnings_of(rows: np.ndarray) -> list[str]:
    """What does not look like the earth's circulation, or cannot be told from so short a series."""
    found = []
    change = trend(rows)
    if change is None:
        found.append(f"fewer than {SHORTEST_TREND:g} days: no trend of eddy energy can be told")
    elif abs(change) > TREND:
        found.append(f"eddy energy changes by {100 * change:.0f} % of its mean over the series: it has a trend, or the season's half")
    jet = float(np.maximum(column(rows, "jet_north"), column(rows, "jet_south")).mean())
    height = float(np.median(column(rows, "jet_pressure")))
    cell = float(np.maximum(column(rows, "cell_high"), -column(rows, "cell_low")).mean())
    for value, (low, high), what, unit in ((jet, JET, "the stronger jet", "m/s"), (height, JET_PRESSURE, "its pressure", "Pa"),
                                           (cell, CELL, "the stronger overturning cell", "kg/s"),
                                           (column(rows, "ps_low").min(), SURFACE_PRESSURE, "surface pressure", "Pa"),
                                           (column(rows, "ps_high").max(), SURFACE_PRESSURE, "surface pressure", "Pa")):
        if not low <= value <= high:
            found.append(f"{what} is {value:.3g} {unit}, outside {low:g} … {high:g}")
    change = seasonal_swing(rows)
    if change is None:
        found.append("not both solstices are covered: the swing of the overturning cannot be told")
    elif change < SWING:
        found.append(f"the overturning turns round by {change:.2g} kg/s only from northern winter to summer, expected {SWING:g} or more")
    return found


def seasonal_swing(rows: np.ndarray) -> float | None:
    """Sum of both tropical cells, December-February less June-August [kg s-1]; None if either is not there."""
    months = _months(rows) % 12 + 1
    both = column(rows, "cell_high") + column(rows, "cell_low")
    winter, summer = np.isin(months, (12, 1, 2)), np.isin(months, (6, 7, 8))
    return float(both[winter].mean() - both[summer].mean()) if winter.any() and summer.any() else None


def table(rows: np.ndarray) -> list[str]:
    """Means by month, extremes of surface pressure."""
    lines = ["month    T   days   eddy energy 1e5 J/m2   zonal   jets m/s      at   overturning 1e9 kg/s   surface pressure hPa",
             "                    global north south    1e5   north south     hPa     north    south         lowest highest"]
    months, resolution = _months(rows), column(rows, "resolution")
    for month, size in sorted({(m, r) for m, r in zip(months, resolution, strict=True)}):
        part = rows[(months == month) & (resolution == size)]
        mean = {name: column(part, name).mean() for name in COLUMNS}
        lines.append(
            f"{np.datetime64(int(month), 'M')} {size:3.0f} {column(part, 'days_per_row').sum():6.1f}  {mean['eddy'] / 1e5:6.2f} "
            f"{mean['eddy_north'] / 1e5:5.2f} {mean['eddy_south'] / 1e5:5.2f} {mean['zonal'] / 1e5:6.2f}   {mean['jet_north']:5.1f} "
            f"{mean['jet_south']:5.1f}   {mean['jet_pressure'] / 100:5.0f}   {mean['cell_high'] / 1e9:7.0f} {mean['cell_low'] / 1e9:8.0f}"
            f"       {column(part, 'ps_low').min() / 100:8.1f} {column(part, 'ps_high').max() / 100:7.1f}")
    return lines


def draw(rows: np.ndarray, path: Path, title: str) -> None:
    """Eddy energy, jets and overturning against time, daily means."""
    with applied():
        fig = figure(10.0, 7.0)
        panels = (("eddy kinetic energy (1e5 J/m²)", 1e5, {"eddy": ("globe", PRIOR), "eddy_north": ("north", POSTERIOR),
                                                           "eddy_south": ("south", TRUTH)}),
                  ("largest zonal-mean wind (m/s)", 1.0, {"jet_north": ("north", POSTERIOR), "jet_south": ("south", TRUTH)}),
                  ("tropical overturning (1e9 kg/s)", 1e9, {"cell_high": ("northward aloft", POSTERIOR),
                                                            "cell_low": ("southward aloft", TRUTH)}))
        resolutions = column(rows, "resolution")
        change = np.flatnonzero(np.diff(resolutions))
        for axes, (text, scale, lines) in zip(fig.subplots(3, 1, sharex=True), panels, strict=True):
            for name, (label, colour) in lines.items():
                days, values = daily(rows, name)
                axes.plot(days.astype("datetime64[D]"), values / scale, color=colour, label=label)
            for index in change:
                axes.axvline(np.datetime64(int(column(rows, "time")[index]), "s"), color=BACKGROUND, linestyle="--", linewidth=1.0)
            axes.set_title(text)
            axes.legend(ncols=3)
        fig.suptitle(title)
        fig.savefig(path, dpi=DPI)


def _months(rows: np.ndarray) -> np.ndarray:
    return column(rows, "time").astype(np.int64).astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
