"""The paper's Table 5: how regional sinks vary from year to year with drought, leaf area, or whatever monthly field is given.

r is Pearson's correlation of the *sink* (minus the flux into the air) with the regional figure of the field: Table 5 of Jiang et al.
(2021) correlates annual sinks of BIO in the 11 land regions with the area of severe drought (SPEI12 < -1.5) and with the mean leaf area.
Years with all twelve months on both sides are compared; with fewer than three of them, months: departures from each calendar
month's mean where there are two of each, else the months as they are.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gcas_driver.ancillary import AncillaryStream
from gcas_driver.ancillary.field import COARSE
from gcas_driver.ancillary.regional import RegionalSeries, series
from gcas_driver.errors import InputError
from mozart_coupling.netcdf import write_text

from .aggregates import land_regions
from .case import Case, open_case
from .monthly import MonthlyFluxes, read_monthly, without_season, years_of
from .regions import region_map

LEAST_POINTS = 3
SIMULATIONS = ("prior", "posterior")


@dataclass(frozen=True)
class Comparison:
    """One field against the sinks.

    Attributes
    ----------
    name, unit : str
    basis : str
        "annual", "monthly departures" or "monthly".
    times : ndarray (n,)
        datetime64[Y] or [M].
    index : ndarray (n, n_keys)
        The field's regional figures.
    sinks : dict
        "prior", "posterior" → (n, n_keys) [PgC/yr].
    correlation, p_value : dict
        "prior", "posterior" → (n_keys,); NaN without variation.
    """

    name: str
    unit: str
    basis: str
    times: np.ndarray
    index: np.ndarray
    sinks: dict[str, np.ndarray]
    correlation: dict[str, np.ndarray]
    p_value: dict[str, np.ndarray]


@dataclass(frozen=True)
class Table5:
    """All comparisons of a case; `keys` are the rows, those shown first."""

    component: str
    keys: tuple[str, ...]
    shown: tuple[str, ...]
    comparisons: tuple[Comparison, ...]


def table5(case_directory: str | Path, streams: Sequence[AncillaryStream], component: str = "bio") -> Table5:
    """Compare a case's output with monthly fields.

    Raises
    ------
    InputError
        No window, no whole month, no common months, a damaged file.
    """
    if not streams:
        raise InputError("there is nothing to compare with", str(case_directory), "no &ancillary group", "at least one &ancillary group")
    case = open_case(case_directory)
    fluxes = read_monthly(case, component)
    shown = tuple(k for k in fluxes.keys if k in land_regions(fluxes.regions)) or fluxes.keys
    return Table5(component, fluxes.keys, shown, tuple(compared(fluxes, _series(case, fluxes, s)) for s in streams))


def _series(case: Case, fluxes: MonthlyFluxes, stream: AncillaryStream) -> RegionalSeries:
    regions, rows = region_map(case, COARSE, fluxes.regions)
    assert regions is not None  # the fluxes were read with it
    sums = np.zeros((len(fluxes.keys), len(regions.names)))
    sums[:, rows] = fluxes.sums
    return series(stream, regions, sums, fluxes.months[0], fluxes.months[-1])


def compared(fluxes: MonthlyFluxes, found: RegionalSeries) -> Comparison:
    """Correlations over the months that both have.

    Raises
    ------
    InputError
        Fewer than three points.
    """
    common = np.intersect1d(fluxes.months, found.months)
    at, there = np.searchsorted(fluxes.months, common), np.searchsorted(found.months, common)
    sinks, index = [-fluxes.prior[at], -fluxes.posterior[at]], found.values[there]
    years, means = years_of(common, index, *sinks)
    counts = np.bincount(common.astype(int) % 12, minlength=12)
    if len(years) >= LEAST_POINTS:
        basis, times, (index, *sinks) = "annual", years, means
    elif common.size and counts[counts > 0].min() >= 2:
        basis, times = "monthly departures", common
        index, *sinks = (without_season(common, t) for t in (index, *sinks))
    else:
        basis, times = "monthly", common
    if len(times) < LEAST_POINTS:
        raise InputError("too few months to correlate", found.name, f"{len(times)} that the run and the field share",
                         f"at least {LEAST_POINTS}")
    both = {name: correlation(index, sink) for name, sink in zip(SIMULATIONS, sinks, strict=True)}
    return Comparison(found.name, found.unit, basis, times, index, dict(zip(SIMULATIONS, sinks, strict=True)),
                      {name: r for name, (r, _) in both.items()}, {name: p for name, (_, p) in both.items()})


def correlation(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pearson's r of columns (n, n_keys), and the two-sided p-value of Student's t with n - 2 degrees of freedom; NaN without variation."""
    from scipy.special import stdtr

    n = len(x)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    size = np.sqrt((x**2).sum(axis=0) * (y**2).sum(axis=0))
    # What round-off leaves of a constant column is no variation.
    varies = (np.abs(x).max(axis=0) > 1e-12) & (np.abs(y).max(axis=0) > 1e-12) & np.isfinite(size)
    r = np.where(varies, (x * y).sum(axis=0) / np.where(varies & (size > 0), size, 1.0), np.nan)
    r = np.clip(r, -1.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(r) * np.sqrt((n - 2) / (1.0 - r**2))
    return r, np.where(np.isnan(r), np.nan, 2.0 * stdtr(n - 2, -np.where(np.isnan(t), 0.0, t)))


def write_table5(directory: Path, result: Table5) -> list[Path]:
    """`table5.csv` (correlations), `table5_series.csv` (what they are of), `table5.json` (both), `table5.png`, into a directory."""
    from gcas_driver.report.table5_figure import draw_table5

    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / name for name in ("table5.csv", "table5_series.csv", "table5.json", "table5.png")]
    write_text(paths[0], _csv(result))
    write_text(paths[1], _series_csv(result))
    write_text(paths[2], json.dumps(_plain(result), indent=2) + "\n")
    draw_table5(result, paths[3])
    return paths


def _csv(result: Table5) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["field", "unit", "basis", "n", "region", "r_prior", "p_prior", "r_posterior", "p_posterior"])
    for found in result.comparisons:
        for i, key in enumerate(result.keys):
            numbers = [_number(table[name][i]) for name in SIMULATIONS for table in (found.correlation, found.p_value)]
            writer.writerow([found.name, found.unit, found.basis, len(found.times), key,
                             *("" if v is None else f"{v:.4f}" for v in numbers)])
    return stream.getvalue()


def _series_csv(result: Table5) -> str:
    """A line a field, region and time: the field's figure and the sinks, as they were correlated."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["field", "unit", "basis", "region", "time", "figure", *(f"sink_{name}_PgC_per_yr" for name in SIMULATIONS)])
    for found in result.comparisons:
        for i, key in enumerate(result.keys):
            for k, time in enumerate(found.times):
                numbers = (found.index[k, i], *(found.sinks[name][k, i] for name in SIMULATIONS))
                writer.writerow([found.name, found.unit, found.basis, key, time,
                                 *("" if not np.isfinite(v) else f"{v:.6g}" for v in numbers)])
    return stream.getvalue()


def _plain(result: Table5) -> dict[str, Any]:
    """Everything, series included, as JSON holds it."""
    def column(values: np.ndarray, i: int) -> list:
        return [_number(v) for v in values[:, i]]

    return {"component": result.component, "sink": "minus the flux into the air, PgC/yr", "comparisons": [
        {"field": found.name, "unit": found.unit, "basis": found.basis, "times": [str(t) for t in found.times], "regions": {
            key: {"index": column(found.index, i), **{f"sink_{name}": column(found.sinks[name], i) for name in SIMULATIONS},
                  **{f"r_{name}": _number(found.correlation[name][i]) for name in SIMULATIONS},
                  **{f"p_{name}": _number(found.p_value[name][i]) for name in SIMULATIONS}}
            for i, key in enumerate(result.keys)}} for found in result.comparisons]}


def _number(value: float) -> float | None:
    return None if not np.isfinite(value) else float(value)
