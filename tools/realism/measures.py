"""Numbers of a finished run from its tally: exchange between hemispheres, radon profiles, ages, rectifier, polar air.

Every function takes the arrays of a run (`tally`), of which the last twelve months are measured.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mozart_coupling.embedded.levels import P0, level_pressure, mid_coefficients
from mozart_coupling.grids import Grid

from .tally import MAPS, SEASONS, boreal_land
from .tracers import AGE, BIOSPHERE, BIOSPHERE_DAILY, POLAR_AGE, RADON, RADON_DECAY, SF6

Run = Mapping[str, np.ndarray]

TROPOSPHERE = 2.0e4  # Pa: what lies below it, over ground at 1000 hPa
MOLECULES_PER_M3 = 101325.0 / (1.380649e-23 * 273.15)  # of a standard cubic metre
MILLIBECQUEREL = 1.0e3 * MOLECULES_PER_M3 * RADON_DECAY
"""mBq in a standard cubic metre per mol/mol of radon."""


def exchange_time(difference: float, south_growth: float) -> float:
    """Interhemispheric exchange time τ [yr] of two boxes of which only the northern one has a source.

    dC_S/dt = (C_N − C_S)/τ, integrated over a year: τ = mean(C_N − C_S) / (C_S(end) − C_S(start)).
    """
    return difference / south_growth


def last_year(run: Run, number: int) -> np.ndarray:
    """Annual mean along parallels (nlev, nlat)."""
    return run["zonal"][-12:, number].sum(axis=0) / run["mass"][-12:].sum(axis=0)


def season_mean(run: Run, number: int, season: str) -> np.ndarray:
    """Mean along parallels of the months of a season (nlev, nlat)."""
    chosen = [len(run["mass"]) - 12 + month - 1 for month in SEASONS[season]]
    return run["zonal"][chosen, number].sum(axis=0) / run["mass"][chosen].sum(axis=0)


def exchange_times(run: Run) -> dict[str, float]:
    """τ [yr] by hemispheric means of all air, of the troposphere, and of the lowest layer; growth of the south is that of all its air."""
    north = run["lat"] > 0.0
    growth = float(run["ends"][-1, SF6, 1] - run["ends"][-13, SF6, 1])
    times = {}
    for name, layers in (("all air", slice(None)), ("troposphere", reference_pressure(run) > TROPOSPHERE), ("ground", slice(-1, None))):
        amount, mass = run["zonal"][-12:, SF6][:, layers].sum(axis=(0, 1)), run["mass"][-12:][:, layers].sum(axis=(0, 1))
        difference = amount[north].sum() / mass[north].sum() - amount[~north].sum() / mass[~north].sum()
        times[name] = exchange_time(float(difference), growth)
    return times


def settled(run: Run) -> float:
    """How much more the south grew than the north over the last year, as a share of the mean growth: 0 when settled."""
    north, south = run["ends"][-1, SF6] - run["ends"][-13, SF6]
    return float((south - north) / (0.5 * (south + north)))


def band(run: Run, field: np.ndarray, low: float, high: float) -> np.ndarray:
    """Mean over latitudes (nlev,) of a field (nlev, nlat), weighted by air."""
    rows = (run["lat"] > low) & (run["lat"] < high)
    weight = run["mass"][-12:].sum(axis=0)[:, rows]
    return (field[:, rows] * weight).sum(axis=1) / weight.sum(axis=1)


def at_pressure(run: Run, profile: np.ndarray, pressure: float) -> float:
    """A profile (nlev,) at a pressure [Pa] over ground at 1000 hPa, linear in its logarithm."""
    return float(np.interp(np.log(pressure), np.log(reference_pressure(run)), profile))


def sf6_lag(run: Run, pressure: float, low: float, high: float) -> float:
    """Years by which a latitude band at a pressure follows 850 hPa between 30 and 60 degrees north (growth: one in a year).

    Not the ground there: over the sources it holds the nights' emissions, which stations upwind do not see.
    """
    field = last_year(run, SF6)
    return float(at_pressure(run, band(run, field, 30.0, 60.0), 8.5e4) - at_pressure(run, band(run, field, low, high), pressure))


def way_south(run: Run) -> list[tuple[str, float, float]]:
    """Where on the way from the source to the south the lag of SF6 arises.

    Returns
    -------
    list of (what, lag, age)
        From where to where; the SF6 that is less at the end than at the start [yr]; age at the end [yr].
    """
    sf6, ages = last_year(run, SF6), last_year(run, AGE)
    places = [("30-60°N at 850 hPa", 30.0, 60.0, 8.5e4), ("10-20°N", 10.0, 20.0, 8.5e4), ("10-20°S", -20.0, -10.0, 8.5e4),
              ("50-60°S", -60.0, -50.0, 8.5e4), ("250 hPa", -60.0, -50.0, 2.5e4)]
    found = [tuple(at_pressure(run, band(run, field, low, high), pressure) for field in (sf6, ages)) for _, low, high, pressure in places]
    return [(f"{start} to {end}", before - after, old) for (start, *_), (end, *_), (before, _), (after, old)
            in zip(places, places[1:], found, found[1:], strict=False)]


def growth_of_age(run: Run) -> float:
    """By how much the age at 900 hPa, 40-70°S grew from the month before the last year to its last month [yr]: 0 when settled."""
    last, before = (of_month(run, AGE, len(run["mass"]) - back, 9.0e4, -70.0, -40.0) for back in (1, 13))
    return last - before


def age(run: Run, pressure: float, low: float, high: float) -> float:
    """Mean age since the lowest layer of the northern middle latitudes [yr]."""
    return at_pressure(run, band(run, last_year(run, AGE), low, high), pressure)


def polar_age(run: Run, season: str, pressure: float | None, low: float, high: float) -> float:
    """Days that air has been continuously poleward of 70 degrees; None: the lowest layer."""
    profile = band(run, season_mean(run, POLAR_AGE, season), low, high)
    return float(profile[-1]) if pressure is None else at_pressure(run, profile, pressure)


def polar_age_of_month(run: Run, month: int, pressure: float | None, low: float, high: float) -> float:
    """As `polar_age`, of one month of the run (from 0), whatever the run's length."""
    return of_month(run, POLAR_AGE, month, pressure, low, high)


def of_month(run: Run, number: int, month: int, pressure: float | None, low: float, high: float) -> float:
    """A tracer's mean over latitudes in one month of the run (from 0), at a pressure [Pa]; None: the lowest layer."""
    rows = (run["lat"] > low) & (run["lat"] < high)
    profile = run["zonal"][month, number][:, rows].sum(axis=1) / run["mass"][month][:, rows].sum(axis=1)
    return float(profile[-1]) if pressure is None else at_pressure(run, profile, pressure)


def radon_profile(run: Run, season: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Height above ground [m], pressure [Pa], radon [mBq per standard m3] of northern land in the afternoon, each (nlev,)."""
    index = list(SEASONS).index(season)
    radon, height, pressure = run["profile"][index] / run["layers"][index, 1]
    return height, pressure, radon * MILLIBECQUEREL


def radon_shares(run: Run, season: str) -> tuple[float, float, float]:
    """Share of the column's radon above the boundary layer and above 5.5 km [1], mean depth of the boundary layer [m]."""
    index = list(SEASONS).index(season)
    whole, above_layer, high = run["content"][index]
    depth, area = run["layers"][index]
    return above_layer / whole, high / whole, depth / area


def radon_at(run: Run, season: str, pressure: float) -> float:
    """Radon over northern land in the afternoon at a pressure [Pa], linear in ln p; mBq per standard m3."""
    _, own, radon = radon_profile(run, season)
    return float(np.interp(np.log(pressure), np.log(own), radon))


def boreal_radon(run: Run, months: slice) -> float:
    """Geometric mean over hours and cells of the lowest layer over boreal land, from what `tally` kept [Bq m-3]."""
    logarithm = run["log_radon"][months].sum() / run["samples"][months].sum()
    return 1.0e-3 * MILLIBECQUEREL * float(np.exp(logarithm))


def boreal_radon_mean(run: Run, months: slice) -> float:
    """The same as an arithmetic mean [Bq m-3]."""
    grid = Grid.from_centres(run["lon"], run["lat"])
    field = _surface(run, RADON)[months].mean(axis=0)
    return 1.0e-3 * MILLIBECQUEREL * float(np.average(field, weights=boreal_land(grid) * grid.area))


def rectifier(run: Run, daily: bool) -> np.ndarray:
    """Annual mean of the lowest layer along parallels, less that south of 60 degrees south (nlat,) [ppm].

    `daily`: of the flux without its day, the seasonal rectifier alone.
    """
    rows = _surface(run, BIOSPHERE_DAILY if daily else BIOSPHERE)[-12:].mean(axis=(0, 2))
    south = run["lat"] < -60.0
    return rows - np.average(rows[south], weights=np.cos(np.deg2rad(run["lat"][south])))


def mean_between(run: Run, rows: np.ndarray, low: float, high: float) -> float:
    """Mean by area of a row of numbers (nlat,) between two latitudes."""
    chosen = (run["lat"] > low) & (run["lat"] < high)
    return float(np.average(rows[chosen], weights=np.cos(np.deg2rad(run["lat"][chosen]))))


def seasonal_amplitude(run: Run, low: float, high: float) -> float:
    """Largest less smallest monthly mean of the lowest layer between two latitudes [ppm], of the flux with its day."""
    months = _surface(run, BIOSPHERE)[-12:].mean(axis=2)
    series = [mean_between(run, month, low, high) for month in months]
    return max(series) - min(series)


def reference_pressure(run: Run) -> np.ndarray:
    """Mid-level pressures over ground at 1000 hPa (nlev,) [Pa]."""
    return level_pressure(*mid_coefficients(run["hyai"], run["hybi"]), P0)


def _surface(run: Run, number: int) -> np.ndarray:
    return run["surface"][:, MAPS.index(number)] / run["samples"][:, None, None]
