"""Monthly regional fluxes of a case out of its windows' files, and their years."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gcas_driver.errors import InputError
from mozart_coupling.grids import Grid

from . import files
from .aggregates import region_keys
from .case import Case
from .regions import region_map

LEAST_COVER = 0.999
"""Share of a month that the windows must cover for the month to count."""


@dataclass(frozen=True)
class MonthlyFluxes:
    """Regional fluxes of one component.

    Attributes
    ----------
    component : str
    keys : tuple of str
        Regions, then aggregates.
    sums : ndarray (n_keys, n_regions)
        What regions each sums.
    regions : tuple of str
    months : ndarray of datetime64[M] (n,)
        Those that the windows cover.
    prior, posterior : ndarray (n, n_keys)
        PgC/yr.
    """

    component: str
    keys: tuple[str, ...]
    sums: np.ndarray
    regions: tuple[str, ...]
    months: np.ndarray
    prior: np.ndarray
    posterior: np.ndarray


def read_monthly(case: Case, component: str) -> MonthlyFluxes:
    """Monthly means of the windows that count, one window in memory at a time.

    Raises
    ------
    InputError
        The case has no such component, no region map, or no whole month.
    """
    if not case.counted:
        raise InputError("no window counts", str(case.directory), "spin-up only", "a window after `evaluate_from`")
    with files.opened(case.counted[0].directory / "fluxes.nc") as dataset:
        grid = Grid.from_centres(files.numbers(dataset, "lon"), files.numbers(dataset, "lat"))
        regions, fluxes = tuple(files.texts(dataset, "region")), tuple(files.texts(dataset, "component"))
    if component not in fluxes:
        raise InputError("the case has no such flux", str(case.directory), component, " or ".join(fluxes))
    mapped, rows = region_map(case, grid, regions)
    if mapped is None:
        raise InputError("the region map of the case has gone", str(case.directory), str(case.settings.get("regions", "file")), "the file")
    keys, sums = region_keys(regions)
    total = np.zeros(len(keys))
    seconds: dict[np.datetime64, float] = {}
    amounts: dict[np.datetime64, list[np.ndarray]] = {}
    for window in case.counted:
        with files.opened(window.directory / "fluxes.nc") as dataset:
            bounds = files.times(dataset, "time_bounds")
            values = []
            for name in ("flux_prior", "flux_posterior"):
                dims = files.variable(dataset, name).dimensions
                field = files.numbers(dataset, name).transpose([dims.index(d) for d in ("component", "time", "lat", "lon")])
                by_region = mapped.totals(field[fluxes.index(component)], component=component)[:, rows]
                values.append(by_region @ sums.T)
        for i, (start, end) in enumerate(bounds):
            for month, share in _months_in(start, end):
                seconds[month] = seconds.get(month, 0.0) + share
                found = amounts.setdefault(month, [total.copy(), total.copy()])
                for k in (0, 1):
                    found[k] += share * values[k][i]
    whole = [m for m in sorted(seconds) if seconds[m] >= LEAST_COVER * _length(m)]
    if not whole:
        raise InputError("the run has no whole month", str(case.directory), f"{case.counted[0].start} to {case.counted[-1].end}",
                         "at least one calendar month")
    prior, posterior = (np.array([amounts[m][k] / seconds[m] for m in whole]) for k in (0, 1))
    return MonthlyFluxes(component, keys, sums, regions, np.array(whole, dtype="datetime64[M]"), prior, posterior)


def years_of(months: np.ndarray, *tables: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Whole years and their means, months weighted by length; tables (n_months, …) → (n_years, …)."""
    years = months.astype("datetime64[Y]")
    whole = np.array([y for y in np.unique(years) if np.count_nonzero(years == y) == 12], dtype="datetime64[Y]")
    lengths = np.array([_length(m) for m in months])
    means = [np.array([np.average(t[years == y], axis=0, weights=lengths[years == y]) for y in whole]).reshape(len(whole), *t.shape[1:])
             for t in tables]
    return whole, means


def without_season(months: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Departures from the mean of each calendar month; (n_months, …)."""
    calendar = months.astype(int) % 12
    result = np.array(table, dtype=np.float64)
    for number in np.unique(calendar):
        result[calendar == number] -= table[calendar == number].mean(axis=0)
    return result


def _length(month: np.datetime64) -> float:
    """Seconds of a month."""
    return float(((month + 1).astype("datetime64[s]") - month.astype("datetime64[s]")) / np.timedelta64(1, "s"))


def _months_in(start: np.datetime64, end: np.datetime64) -> list[tuple[np.datetime64, float]]:
    """Months that an interval touches, with the seconds in each."""
    parts = []
    for month in np.arange(start.astype("datetime64[M]"), (end - np.timedelta64(1, "s")).astype("datetime64[M]") + 1):
        low, high = max(start, month.astype("datetime64[s]")), min(end, (month + 1).astype("datetime64[s]"))
        parts.append((month, float((high - low) / np.timedelta64(1, "s"))))
    return parts
