"""Synthetic prior fluxes for experiments: plausible in size, place, season and hour, for any date, from a seed.

Four components on 1°×1°, three-hourly, in the layout of GCASv2's own files, so that they pass through the ordinary readers.
Means over a year: BIO -4, OCN -2.5, FOSSIL 9.6, FIRE 2 PgC/yr.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np

from gcas_driver.fluxes.components import COMPONENTS
from gcas_driver.fluxes.units import MOLECULES_CM2, PGC_PER_YEAR
from mozart_coupling.grids import Grid
from mozart_coupling.land import land_fraction
from mozart_coupling.netcdf import new_dataset

from . import geography as geo
from .random_fields import smooth_field

ANNUAL_TOTALS = {"bio": -4.0, "ocn": -2.5, "fossil": 9.6, "fire": 2.0}  # PgC yr-1
GROSS_PRODUCTION = 125.0  # PgC yr-1
GRID = Grid.regular(360, 180, lon_first=None)
HOURS_PER_STEP = 3
STEPS_PER_DAY = 24 // HOURS_PER_STEP
YEAR_DAYS = 365.25
NORMALISING_DAYS = np.arange(0.5, 365.0, 5.0)  # the days whose mean stands for the year's

LIGHT_HALF_SATURATION = 0.35  # of the sine of the sun's height: photosynthesis saturates
RESPIRATION_LAG = 18.0  # days behind growth: soils warm late
RESPIRATION_WIDTH = 1.25  # and over a longer season
RESPIRATION_FLOOR = 0.22
RESPIRATION_DIURNAL = 0.2
CLOUD_AMPLITUDE = 0.18
WIND_AMPLITUDE = 0.35
N_WAVES = 12
SINK_PATCHES = 0.07  # of production: local sources and sinks many times the mean sink, as forests differ in age
SEASON_SHIFT = 12.0  # days, regional deviation of the season in high latitudes; three times that in the tropics, of rains


class SyntheticPriors:
    """The prior fluxes of one seed.

    Parameters
    ----------
    seed : int
        Of the texture: patches of productivity, regional sinks, weather.

    Notes
    -----
    BIO is respiration minus gross production. Production follows a growing season by latitude, the local sun and
    passing clouds; respiration follows the season late and broadly, and balances production over the year but for a
    regional share, the sink. Emissions of fossil fuel and fire have their places, seasons and hours.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 0x9D10])
        lon, lat = GRID.lon, GRID.lat
        self._land = land_fraction(GRID)
        self._weather = _Waves(rng)
        self._shift = smooth_field(rng, 1200.0, GRID) * SEASON_SHIFT * np.interp(np.abs(lat), (20, 40), (3, 1))[:, None]
        self._production, self._sink_share = self._biosphere(rng, lon, lat)
        self._growth_norm = np.mean([self._growth(day) * self._lit(day) for day in NORMALISING_DAYS], axis=0)
        self._respiration_norm = np.mean([self._warmth(day) for day in NORMALISING_DAYS], axis=0)
        self._sea, self._sea_season = self._ocean(rng, lon, lat)
        self._fossil = _scaled(geo.blob_map(geo.PEOPLE, lon, lat) * self._land, ANNUAL_TOTALS["fossil"])
        self._fires = self._fire_patches(rng, lon, lat)

    def day(self, component: str, day: np.datetime64) -> np.ndarray:
        """Three-hour means of a day.

        Parameters
        ----------
        component : str
            "bio", "ocn", "fossil" or "fire".
        day : datetime64
            UTC.

        Returns
        -------
        numpy.ndarray
            (8, 180, 360) [mol m-2 s-1], positive into the air.
        """
        day = np.datetime64(day, "D")
        of_year = float((day - day.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)) + 0.5
        number = int(day.astype(np.int64))
        make: dict[str, Callable[[float, int], np.ndarray]] = {
            "bio": self._bio_day, "ocn": self._ocn_day, "fossil": self._fossil_day, "fire": self._fire_day}
        return make[component](of_year, number)

    # --- Land biosphere ---

    def _biosphere(self, rng: np.random.Generator, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Annual production [mol m-2 s-1], and the share of it that is not respired."""
        by_latitude = np.interp(lat, geo.PRODUCTION_LAT, geo.PRODUCTION)[:, None]
        cover = np.clip(1.0 - geo.blob_map(geo.BARREN, lon, lat), 0.02, 1.0) * (1.0 + geo.blob_map(geo.LUSH, lon, lat))
        cover *= geo.blob_map((geo.GREENLAND,), lon, lat) < 0.35
        texture = np.exp(0.25 * smooth_field(rng, 1000.0, GRID) + 0.12 * rng.standard_normal(GRID.shape))
        production = _scaled(by_latitude * cover * texture * self._land, GROSS_PRODUCTION)
        # Sinks are strongest in the growing forests of the north; patches, with sources among them, everywhere.
        share = np.interp(lat, (-40, -15, 0, 15, 35, 50, 65), (0.03, 0.01, 0.01, 0.01, 0.05, 0.06, 0.05))[:, None]
        share = share + SINK_PATCHES * (smooth_field(rng, 1000.0, GRID) + 2.0 * rng.standard_normal(GRID.shape))
        return production, share + (-ANNUAL_TOTALS["bio"] - _total(share * production)) / GROSS_PRODUCTION

    def _growth(self, day_of_year: float) -> np.ndarray:
        return _season(day_of_year, self._shift, widening=1.0, floor=0.0)

    def _warmth(self, day_of_year: float) -> np.ndarray:
        return _season(day_of_year, self._shift + RESPIRATION_LAG, widening=RESPIRATION_WIDTH, floor=RESPIRATION_FLOOR)

    def _lit(self, day_of_year: float) -> np.ndarray:
        return (_light(day_of_year).sum(axis=1, keepdims=True) > 0.0).astype(float)

    def _bio_day(self, day_of_year: float, number: int) -> np.ndarray:
        light = _light(day_of_year)
        relative = np.divide(light, light.mean(axis=1, keepdims=True), out=np.zeros_like(light),
                             where=light.mean(axis=1, keepdims=True) > 0.0)
        clouds = 1.0 + CLOUD_AMPLITUDE * self._weather.at(number)
        production = self._production * self._growth(day_of_year) / self._growth_norm * clouds
        respiration = self._production * (1.0 - self._sink_share) * self._warmth(day_of_year) / self._respiration_norm
        hour = np.arange(GRID.nlon) * 24.0 / GRID.nlon
        warm = np.broadcast_to(1.0 + RESPIRATION_DIURNAL * np.cos(2.0 * np.pi * (hour - 15.0) / 24.0), light.shape)
        return respiration * _local_means(warm) - production * _local_means(relative)

    # --- Ocean ---

    def _ocean(self, rng: np.random.Generator, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Annual flux [mol m-2 s-1], and the relative amplitude of its cosine season, largest on 15 February."""
        raw = np.interp(lat, geo.SEA_LAT, geo.SEA_FLUX)[:, None] + geo.blob_map(geo.SEA_PATCHES, lon, lat)
        raw = raw * (1.0 + 0.3 * smooth_field(rng, 1200.0, GRID)) * (1.0 - self._land)
        source = _scaled(np.maximum(raw, 0.0), geo.SEA_SOURCE_PGC)
        sink = _scaled(np.maximum(-raw, 0.0), geo.SEA_SOURCE_PGC - ANNUAL_TOTALS["ocn"])
        # Subtropical waters take up most when cold, high latitudes when they bloom.
        season = np.interp(lat, (-70, -55, -45, -30, -10, 10, 30, 45, 55, 70), (0.5, 0.4, 0.0, -0.7, -0.1, 0.1, 0.7, 0.0, -0.4, -0.5))
        return source - sink, season[:, None]

    def _ocn_day(self, day_of_year: float, number: int) -> np.ndarray:
        season = 1.0 + self._sea_season * np.cos(2.0 * np.pi * (day_of_year - 46.0) / YEAR_DAYS)
        wind = 1.0 + WIND_AMPLITUDE * self._weather.at(number + 100)
        return np.broadcast_to(self._sea * season * wind, (STEPS_PER_DAY, *GRID.shape))

    # --- Emissions ---

    def _fossil_day(self, day_of_year: float, number: int) -> np.ndarray:
        weekday = (number + 3) % 7  # 1970-01-01 was a Thursday; 0 is Monday
        week = 1.03 if weekday < 5 else 0.925
        season = 1.0 + 0.08 * np.sin(np.deg2rad(GRID.lat))[:, None] * np.cos(2.0 * np.pi * (day_of_year - 20.0) / YEAR_DAYS)
        hour = np.arange(GRID.nlon) * 24.0 / GRID.nlon
        by_hour = np.broadcast_to(1.0 + 0.25 * np.cos(2.0 * np.pi * (hour - 14.0) / 24.0), GRID.shape)
        return self._fossil * season * week * _local_means(by_hour)

    def _fire_patches(self, rng: np.random.Generator, lon: np.ndarray, lat: np.ndarray) -> list[tuple[np.ndarray, geo.FireSeason]]:
        """Annual mean fluxes [mol m-2 s-1] of every region that burns, with its season."""
        texture = np.exp(0.5 * smooth_field(rng, 1000.0, GRID) + 0.7 * rng.standard_normal(GRID.shape))
        fuel = self._land * texture * (self._production > 0.0)
        given = sum(fire.patch.weight for fire in geo.FIRES)
        return [(_scaled(geo.blob_map((fire.patch,), lon, lat) * fuel, fire.patch.weight * ANNUAL_TOTALS["fire"] / given), fire)
                for fire in geo.FIRES]

    def _fire_day(self, day_of_year: float, number: int) -> np.ndarray:
        total = np.zeros(GRID.shape)
        for patch, fire in self._fires:
            total += patch * _bell(day_of_year, fire.peak_day, fire.width_days) / _bell_mean(fire.peak_day, fire.width_days)
        hour = np.arange(GRID.nlon) * 24.0 / GRID.nlon
        afternoon = 0.2 + np.exp(-0.5 * ((hour - 14.0) / 2.5) ** 2)
        return total * _local_means(np.broadcast_to(afternoon / afternoon.mean(), GRID.shape))


class _Waves:
    """Weather as a sum of travelling waves: mean 0, size about 1."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._number = rng.integers(4, 22, N_WAVES)
        self._period = rng.uniform(5.0, 25.0, N_WAVES)  # days
        self._phase = rng.uniform(0.0, 2.0 * np.pi, N_WAVES)
        self._tilt = rng.uniform(-12.0, 12.0, N_WAVES)

    def at(self, day_number: int) -> np.ndarray:
        """(nlat, nlon) on a day counted from 1970."""
        lon, lat = np.deg2rad(GRID.lon)[None], np.deg2rad(GRID.lat)[:, None]
        total = np.zeros(GRID.shape)
        for number, period, phase, tilt in zip(self._number, self._period, self._phase, self._tilt, strict=True):
            angle = number * lon + (phase + tilt * lat - 2.0 * np.pi * day_number / period)
            total += np.cos(angle)
        return total * np.sqrt(2.0 / N_WAVES)


def write_priors(directory: Path | str, start: np.datetime64, end: np.datetime64, seed: int,
                 progress: Callable[[float], None] | None = None) -> list[Path]:
    """Write synthetic prior fluxes as daily files in GCASv2's layout.

    Parameters
    ----------
    directory : path
        Gets `{bio,ocn,fossil,fire}/emissions.{component}.YYYYMMDD.nc`.
    start, end : datetime64
        `[start, end)`, whole days.
    seed : int
        See `SyntheticPriors`.
    progress : callable
        Called with the share done, 0 to 1, after every day.

    Returns
    -------
    list of Path
        The files.
    """
    priors = SyntheticPriors(seed)
    days = np.arange(np.datetime64(start, "D"), np.datetime64(end, "D"))
    paths = []
    for component in COMPONENTS:
        (Path(directory) / component).mkdir(parents=True, exist_ok=True)
    for done, day in enumerate(days, start=1):
        paths += [write_flux_day(directory, component, day, priors.day(component, day)) for component in COMPONENTS]
        if progress is not None:
            progress(done / days.size)
    return paths


def flux_path(directory: Path | str, component: str, day: np.datetime64) -> Path:
    """The file of a component and day in GCASv2's layout."""
    return Path(directory) / component / f"emissions.{component}.{str(np.datetime64(day, 'D')).replace('-', '')}.nc"


def write_flux_day(directory: Path | str, component: str, day: np.datetime64, flux: np.ndarray) -> Path:
    """Write one day of a component, (8, 180, 360) [mol m-2 s-1], in GCASv2's layout: no attributes, mid-interval stamps."""
    path = flux_path(directory, component, day)
    seconds = 3600 * HOURS_PER_STEP * np.arange(STEPS_PER_DAY)
    with new_dataset(path, 4 * flux.size, durable=False) as file:
        for name, size in (("time", STEPS_PER_DAY), ("lat", GRID.nlat), ("lon", GRID.nlon)):
            file.createDimension(name, size)
        columns = {"time": ("i4", np.arange(1, STEPS_PER_DAY + 1)), "lat": ("f4", GRID.lat), "lon": ("f4", GRID.lon)}
        columns |= {"date": ("i4", np.full(STEPS_PER_DAY, int(str(np.datetime64(day, "D")).replace("-", "")))),
                    "datesec": ("i4", seconds + 1800 * HOURS_PER_STEP)}
        for name, (kind, values) in columns.items():
            file.createVariable(name, kind, (name if name in file.dimensions else "time",))[:] = values
        file.createVariable("emissions", "f4", ("time", "lat", "lon"))[:] = (flux / MOLECULES_CM2).astype(np.float32)
    return path


def _total(flux: np.ndarray) -> float:
    """PgC yr-1 of a flux (nlat, nlon) [mol m-2 s-1]."""
    return float((flux * GRID.area).sum() * PGC_PER_YEAR)


def _scaled(pattern: np.ndarray, total: float) -> np.ndarray:
    """A pattern as a flux [mol m-2 s-1] with a global total [PgC yr-1]."""
    return pattern * (total / _total(pattern))


def _bell(day_of_year: float, peak: np.ndarray | float, width: np.ndarray | float) -> np.ndarray:
    """A season's course: 1 on its peak, cyclic in the year."""
    apart = np.mod(day_of_year - np.asarray(peak) + 0.5 * YEAR_DAYS, YEAR_DAYS) - 0.5 * YEAR_DAYS
    return np.exp(-0.5 * (apart / width) ** 2)


@lru_cache(maxsize=64)
def _bell_mean(peak: float, width: float) -> float:
    return float(np.mean([_bell(day, peak, width) for day in NORMALISING_DAYS]))


def _season(day_of_year: float, lag: np.ndarray, widening: float, floor: float) -> np.ndarray:
    """Course of growth or warmth (nlat, nlon), `lag` (nlat, nlon) days late."""
    width, least = (np.interp(GRID.lat, geo.SEASON_LAT, values)[:, None] for values in (geo.SEASON_WIDTH, geo.SEASON_FLOOR))
    # The hemispheres are half a year apart: each has its own peak up to the equator, where the season hardly matters.
    half = len(geo.SEASON_LAT[:6])
    peak = np.where(GRID.lat < 0.0, np.interp(GRID.lat, geo.SEASON_LAT[:half], geo.SEASON_PEAK[:half]),
                    np.interp(GRID.lat, geo.SEASON_LAT[half:], geo.SEASON_PEAK[half:]))[:, None]
    least = np.maximum(least, floor)
    return least + (1.0 - least) * _bell(day_of_year, peak + lag, width * widening)


@lru_cache(maxsize=512)
def _light(day_of_year: float) -> np.ndarray:
    """What the sun gives photosynthesis by latitude and local solar time (nlat, nlon); column j is j/15 hours."""
    declination = np.deg2rad(-23.44 * np.cos(2.0 * np.pi * (day_of_year + 9.5) / YEAR_DAYS))
    lat = np.deg2rad(GRID.lat)[:, None]
    hour_angle = np.deg2rad(np.arange(GRID.nlon) - 180.0)
    height = np.sin(lat) * np.sin(declination) + np.cos(lat) * np.cos(declination) * np.cos(hour_angle)
    height = np.maximum(height, 0.0)
    return height / (height + LIGHT_HALF_SATURATION)


def _local_means(by_local_time: np.ndarray) -> np.ndarray:
    """Three-hour means at every longitude of something that depends on local solar time.

    Parameters
    ----------
    by_local_time : numpy.ndarray
        (nlat, nlon), columns as in `_light`.

    Returns
    -------
    numpy.ndarray
        (8, nlat, nlon) over UTC intervals. A day's mean is kept.
    """
    width = GRID.nlon // STEPS_PER_DAY
    summed = np.cumsum(np.concatenate([np.zeros((GRID.nlat, 1)), by_local_time, by_local_time[:, :width]], axis=1), axis=1)
    means = (summed[:, width:] - summed[:, :-width])[:, : GRID.nlon] / width
    start = np.floor(GRID.lon).astype(int)[None] + width * np.arange(STEPS_PER_DAY)[:, None]
    return means[:, start % GRID.nlon].transpose(1, 0, 2)
