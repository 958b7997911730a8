"""Synthetic observations in two steps: where and when (before the truth is known), and the files (after).

`plan_observations` decides places, times, operators and stated errors; the truth run is sampled there by the ordinary
`sample_request` and `simulate`; `write_observations` adds errors and writes the files that the ordinary readers read.

Errors. A sounding's error is independent noise of its stated uncertainty. The analysis assumes 1.9 times as much, as the
paper's does of real soundings: that factor stands for what a twin experiment has not, errors of transport and of
representation. So drawn, departures from a good analysis are as large as the paper's from GOSAT (table 1: a standard
deviation of 1.1 ppm); with the factor drawn as noise they would be 2 ppm. A pair of flasks
shares one draw of the site's model-data mismatch; each flask adds a small measurement error of its own. Soundings
through thin cloud are written too: three times as noisy, low by 1.5 ppm, flagged bad.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations.files import days_of, seconds
from gcas_driver.observations.table import COLUMN, POINT, Observations, column_observations, point_observations
from gcas_driver.osse.flask_files import FILL, Flask, write_flask_file
from gcas_driver.osse.lite_files import NAME, write_lite_file
from gcas_driver.osse.orbit import POINT_SECONDS, LandMask, Views, views
from gcas_driver.osse.retrieval import column_operators, stated_error, warn_level
from gcas_driver.osse.sites import SITES
from gcas_driver.sun import DAY_SECONDS, solar_zenith
from mozart_coupling.land import is_land as is_land_at
from mozart_coupling.netcdf import new_netcdf4

SATELLITE_PRODUCT = "gosat"
SURFACE_PRODUCT = "flask"
SATELLITE_DIRECTORY = "gosat"
SURFACE_DIRECTORY = "flask"
TRUTH_FILE = Path("truth") / "observations.nc"

BAD_NOISE_FACTOR = 3.0
BAD_BIAS_PPM = -1.5
BAD_REASON = "seen through thin cloud"
FLASK_ERROR_PPM = 0.07
FLAG_SHARES = {"+..": 0.02, ".X.": 0.02, "*..": 0.01}
STANDARD_PRESSURE = 101325.0

PressureAt = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def plan_observations(start: np.datetime64, end: np.datetime64, seed: int, *, soundings_per_day: float = 375.0,
                      surface_sites: bool = True, is_land: LandMask | None = None,
                      surface_pressure: PressureAt | None = None) -> Observations:
    """Where, when and how well the synthetic observations look; their values are 0 until the truth is sampled.

    Parameters
    ----------
    start, end : datetime64
        UTC.
    seed : int
    soundings_per_day : float
        Good soundings to aim at, on average over the period.
    surface_sites : bool
        Whether to plan flasks too.
    is_land : callable or None
        (lat, lon) in degrees to bool; None: tenth-degree cells of the mask of global-land-mask.
    surface_pressure : callable or None
        (time, lat, lon) to Pa, for the retrieval levels; None: 1013.25 hPa everywhere.

    Returns
    -------
    Observations
        `error` is the stated uncertainty of soundings, and the site's mismatch error of flasks. Soundings that will be
        flagged bad are unused.
    """
    land_mask = is_land or _default_land
    seen = _views(seconds(start), seconds(end), seed, soundings_per_day, land_mask)
    parts = [_soundings(seen, seed, surface_pressure)]
    if surface_sites:
        parts.append(_flasks(start, end, seed))
    return Observations.concatenate(parts)


def write_observations(directory: Path, observations: Observations, hx_true: np.ndarray, seed: int, *,
                       is_land: LandMask | None = None) -> None:
    """Write daily Lite files, a text file a site, and the noise-free values.

    Parameters
    ----------
    directory : Path
        Gets ``gosat/``, ``flask/`` and ``truth/observations.nc``.
    observations : Observations
        From `plan_observations`.
    hx_true : ndarray (n_observations,) or (n_observations, 1)
        The truth run's values there [ppm].
    seed : int
    is_land : callable or None
        As for the plan.

    Raises
    ------
    InputError
        If the values do not fit the plan or are not finite.
    """
    truth = np.asarray(hx_true, dtype=np.float64).reshape(-1)
    if truth.shape != (len(observations),) or not np.isfinite(truth).all():
        raise InputError("true values do not fit the plan", "write_observations", f"shape {np.shape(hx_true)}, "
                         f"{np.count_nonzero(~np.isfinite(truth))} not finite", f"{len(observations)} finite values")
    for name in (SATELLITE_DIRECTORY, SURFACE_DIRECTORY, TRUTH_FILE.parent):
        (directory / name).mkdir(parents=True, exist_ok=True)
    columns = observations.kind == COLUMN
    _write_soundings(directory / SATELLITE_DIRECTORY, observations.select(columns), truth[columns], seed, is_land or _default_land)
    points = observations.kind == POINT
    events, event_truth = _write_flasks(directory / SURFACE_DIRECTORY, observations.select(points), truth[points], seed)
    _write_truth(directory / TRUTH_FILE,
                 np.concatenate([observations.identifier[columns], events]),
                 np.concatenate([observations.product[columns], np.full(len(events), SURFACE_PRODUCT, dtype=object)]),
                 np.concatenate([truth[columns], event_truth]))


def read_truth(path: Path) -> dict[tuple[str, str], float]:
    """(product, identifier) to the noise-free value [ppm] of a synthetic experiment."""
    with netCDF4.Dataset(path) as dataset:
        keys = zip(dataset["product"][:], dataset["identifier"][:], strict=True)
        return {(str(p), str(i)): float(v) for (p, i), v in zip(keys, np.asarray(dataset["value_true"][:]), strict=True)}


def _default_land(lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    return is_land_at(lon, lat)


def _views(start: float, end: float, seed: int, per_day: float, is_land: LandMask) -> Views:
    """Views thinned, or taken more densely, to the wanted number of clear ones."""
    wanted = per_day * (end - start) / DAY_SECONDS
    seen = views(start, end, seed, is_land)
    if wanted > np.count_nonzero(seen.clear) > 0:
        finer = int(np.ceil(1.05 * wanted / np.count_nonzero(seen.clear)))
        seen = views(start, end, seed, is_land, POINT_SECONDS / finer)
    share = min(1.0, wanted / max(1, np.count_nonzero(seen.clear)))
    return seen.take(np.flatnonzero(np.random.default_rng([seed, 12]).uniform(size=len(seen)) < share))


def _soundings(seen: Views, seed: int, surface_pressure: PressureAt | None) -> Observations:
    zenith, _ = solar_zenith(seen.time, seen.lon, seen.lat)
    pressure = np.full(len(seen), STANDARD_PRESSURE) if surface_pressure is None else surface_pressure(seen.time, seen.lat, seen.lon)
    table = column_observations(
        time=seen.time, lon=seen.lon, lat=seen.lat, value=np.zeros(len(seen)),
        error=stated_error(seen.land, zenith, np.random.default_rng([seed, 13])), product=SATELLITE_PRODUCT,
        identifier=sounding_identifiers(seen.time), scale="X2007",
        operator=column_operators(seen.time, seen.lat, seen.land, zenith, np.asarray(pressure, dtype=np.float64)))
    return table.reject(~seen.clear, BAD_REASON)


def sounding_identifiers(time: np.ndarray) -> np.ndarray:
    """YYYYMMDDhhmmss and hundredths of a second, as text (n,)."""
    stamps = (10 * np.round(100.0 * time).astype(np.int64)).astype("datetime64[ms]")
    text = np.datetime_as_string(stamps, unit="ms")
    return np.array([t[:4] + t[5:7] + t[8:10] + t[11:13] + t[14:16] + t[17:19] + t[20:22] for t in text], dtype=object)


def _flasks(start: np.datetime64, end: np.datetime64, seed: int) -> Observations:
    """A pair of flasks a week at each site, between 12 and 16 local solar time; one row a pair."""
    rows = []
    for number, site in enumerate(SITES):
        random = np.random.default_rng([seed, 14, number])
        weekday = random.integers(7)
        for day in days_of(start, end):
            hour = random.uniform(12.0, 16.0)
            if day.astype(np.int64) % 7 != weekday:
                continue
            time = seconds(day) + 60.0 * np.round(60.0 * ((hour - site.lon / 15.0) % 24.0))
            if seconds(start) <= time < seconds(end):
                rows.append((time, site, f"{site.code}:{_event(number, day)}"))
    sites = [site for _, site, _ in rows]
    return point_observations(
        time=np.array([time for time, _, _ in rows], dtype=np.float64), lon=np.array([s.lon for s in sites], dtype=np.float64),
        lat=np.array([s.lat for s in sites], dtype=np.float64), altitude=np.array([s.altitude for s in sites], dtype=np.float64),
        value=np.zeros(len(rows)), error=np.array([s.error_ppm for s in sites], dtype=np.float64), product=SURFACE_PRODUCT,
        site=np.array([s.code for s in sites], dtype=object), identifier=np.array([name for _, _, name in rows], dtype=object),
        scale="X2007")


def _event(site_number: int, day: np.datetime64) -> int:
    """Number of the first flask of a pair; the second one's is the next."""
    return 2 * (int(day.astype(np.int64)) * len(SITES) + site_number)


def _write_soundings(directory: Path, table: Observations, truth: np.ndarray, seed: int, is_land: LandMask) -> None:
    noise = np.random.default_rng([seed, 15]).standard_normal(len(table)) * table.error
    xco2 = truth + np.where(table.used, noise, BAD_NOISE_FACTOR * noise + BAD_BIAS_PPM)
    zenith, _ = solar_zenith(table.time, table.lon, table.lat)
    land = np.asarray(is_land(table.lat, table.lon), dtype=bool)
    warn = warn_level(table.error, land, zenith)
    day = np.floor(table.time / DAY_SECONDS).astype(np.int64)
    for today in np.unique(day):
        rows = np.flatnonzero(day == today)
        name = NAME.format(day=np.datetime64(int(today), "D").item().strftime("%y%m%d"))
        write_lite_file(directory / name, time=table.time[rows], lon=table.lon[rows], lat=table.lat[rows], xco2=xco2[rows],
                        error=table.error[rows], quality=(~table.used[rows]).astype(np.int8), warn_level=warn[rows],
                        zenith=zenith[rows], land=land[rows], identifier=table.identifier[rows],
                        operator=table.operators[SATELLITE_PRODUCT].take(table.operator_row[rows]))


def _write_flasks(directory: Path, table: Observations, truth: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Write the files; identifiers and true values of all flasks, two a row of the plan."""
    events, values = [], []
    for number, site in enumerate(SITES):
        random = np.random.default_rng([seed, 16, number])
        flasks = []
        for row in np.flatnonzero(table.site == site.code):
            pair_value = truth[row] + table.error[row] * random.standard_normal()
            event = int(table.identifier[row].split(":")[1])
            for which in (0, 1):
                flag = str(random.choice(["...", *FLAG_SHARES], p=[1.0 - sum(FLAG_SHARES.values()), *FLAG_SHARES.values()]))
                value = pair_value + FLASK_ERROR_PPM * random.standard_normal() + (5.0 if flag == "+.." else 0.0)
                flasks.append(Flask(float(table.time[row]), FILL if flag == "*.." else value, FLASK_ERROR_PPM, flag, event + which))
                events.append(f"{site.code}:{event + which}")
                values.append(truth[row])
        if flasks:
            write_flask_file(directory, site, flasks)
    return np.array(events, dtype=object), np.array(values, dtype=np.float64)


def _write_truth(path: Path, identifier: np.ndarray, product: np.ndarray, value: np.ndarray) -> None:
    with new_netcdf4(path) as dataset:
        dataset.title = "noise-free values of synthetic observations"
        dataset.createDimension("observation", len(value))
        for name, texts in (("identifier", identifier), ("product", product)):
            dataset.createVariable(name, str, ("observation",))[:] = texts
        variable = dataset.createVariable("value_true", "f8", ("observation",))
        variable.units = "ppm"
        variable[:] = value
