"""Shapes within the day for fluxes that have none. The mean of every day, and so the total of every month, stays what it was.

A shape multiplies: F(t) = F w(t) with the mean of w over the day 1 in every cell. Another product's cycle H is added for fluxes of both
signs, F(t) = F + H(t) - mean of H over the day, as Olsen and Randerson (2004, J. Geophys. Res. 109, D02301) add a shape to monthly NEE
so that its monthly mean stays; for emissions it multiplies, F(t) = F H(t) / mean of H, since an emission cannot be negative.
"""

from __future__ import annotations

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.sun import DAY_SECONDS, solar_zenith
from mozart_coupling.grids import Grid

from .day import STEPS_PER_DAY, FluxDay, in_three_hours, moved_to, on_finer, three_hourly

SAMPLES = 12  # in three hours
Q10 = 2.0
DAILY_RANGE_K = 10.0
WARMEST_HOUR = 15.0
FIRE_PEAK_HOUR, FIRE_WIDTH_HOURS, FIRE_BASE = 13.5, 2.5, 0.1
SHAPES = ("sun", "temperature", "afternoon")
ADDED = ("bio", "ocn")


def shaped(day: FluxDay, shape: str) -> FluxDay:
    """A day's mean flux with a shape.

    Parameters
    ----------
    shape : str
        "sun": the cosine of the sun's zenith angle, 0 at night, as photosynthesis in weak light; even where the sun does not rise.
        "temperature": Q10 = 2 over a daily range of 10 K that is warmest at 15 h solar time, as respiration.
        "afternoon": a base of a tenth and a bell of 2.5 h around 13:30 solar time, as fires in the tropics.

    Raises
    ------
    InputError
        If the flux has a course within the day already.
    """
    _refuse_resolved(day)
    weights = weights_of(shape, day.grid, day.start[0].astype("datetime64[D]"))
    return in_three_hours(day, day.values * weights, None if day.gaps is None else np.broadcast_to(day.gaps, weights.shape))


def with_cycle_of(day: FluxDay, other: FluxDay, component: str) -> FluxDay:
    """A day's mean flux with the diurnal cycle of another product, on the finer of both grids.

    Raises
    ------
    InputError
        If the flux has a course within the day already, or the other has none.
    """
    _refuse_resolved(day)
    if other.start.size < 2:
        raise InputError("the product that lends its diurnal cycle has none", str(other.path), "one record a day or less",
                         "three-hourly records", "Name another group in `diurnal` of the &prior group.")
    grid = on_finer(day.grid, other.grid)
    mean = moved_to(day.values[0], day.grid, grid)
    cycle = moved_to(three_hourly(other), other.grid, grid)
    average = cycle.mean(axis=0)
    if component in ADDED:
        values = mean + (cycle - average)
    else:
        there = average > 0.0
        values = mean * np.where(there, np.maximum(cycle, 0.0) / np.where(there, average, 1.0), 1.0)
        # Slightly negative hours are cut off above: what is left is scaled to the mean again.
        total = values.mean(axis=0)
        values *= np.where(total != 0.0, mean / np.where(total != 0.0, total, 1.0), 1.0)
    gaps = None if day.gaps is None else np.broadcast_to(moved_to(day.gaps[0].astype(np.float64), day.grid, grid), values.shape)
    return in_three_hours(day, values, gaps, grid)


def weights_of(shape: str, grid: Grid, day: np.datetime64) -> np.ndarray:
    """Weights (8, nlat, nlon) of the three-hour intervals; their mean in every cell is 1."""
    first = day.astype("datetime64[s]").astype(np.float64)
    means = np.stack([sum(_course(shape, grid, first, (i + (j + 0.5) / SAMPLES) * DAY_SECONDS / STEPS_PER_DAY) for j in range(SAMPLES))
                      for i in range(STEPS_PER_DAY)])
    total = means.mean(axis=0)
    return np.broadcast_to(np.where(total > 0.0, means / np.where(total > 0.0, total, 1.0), 1.0), (STEPS_PER_DAY, *grid.shape))


def _course(shape: str, grid: Grid, first: float, second: float) -> np.ndarray:
    """The unscaled shape at an instant: (nlat, nlon), or (1, nlon) where it depends on solar time alone."""
    if shape == "sun":
        zenith, _ = solar_zenith(np.float64(first + second), grid.lon[None, :], grid.lat[:, None])
        return np.maximum(np.cos(np.deg2rad(zenith)), 0.0)
    hours = np.mod(second / 3600.0 + grid.lon[None, :] / 15.0, 24.0)
    if shape == "temperature":
        return Q10 ** (0.05 * DAILY_RANGE_K * np.cos(2.0 * np.pi * (hours - WARMEST_HOUR) / 24.0))
    away = np.mod(hours - FIRE_PEAK_HOUR + 12.0, 24.0) - 12.0
    return FIRE_BASE + (1.0 - FIRE_BASE) * np.exp(-0.5 * (away / FIRE_WIDTH_HOURS) ** 2)


def _refuse_resolved(day: FluxDay) -> None:
    if day.start.size != 1:
        raise InputError("a diurnal shape is asked for fluxes that have a course within the day", str(day.path),
                         f"{day.start.size} records a day", "daily or longer means", "Leave `diurnal` out of this &prior group.")
