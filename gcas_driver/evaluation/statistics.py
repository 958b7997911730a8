"""Agreement of simulated with observed values: equations (15)-(18) of Jiang et al. (2021).

The departure is model minus observation throughout. Equation (15) as printed has it the other way round on its right side; its
text and tables mean model minus observation. Every row counts the same. Of nothing there is no statistic: None, never NaN.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gcas_driver.errors import InputError

from .case import SIMULATED, ObservationTable

NAMES = ("bias", "mae", "rmse", "corr")
BAND_EDGES = (-90, -60, -30, 0, 30, 60, 90)

Statistics = dict[str, float | None]


def statistics(model: ArrayLike, observed: ArrayLike) -> Statistics:
    """BIAS, MAE, RMSE and CORR, (15)-(18).

    Parameters
    ----------
    model, observed : array_like (n,)
        Finite, same unit.

    Returns
    -------
    dict
        bias, mae, rmse in that unit, corr in [-1, 1]. All None if n = 0; corr None if n < 2 or a series is constant.

    Raises
    ------
    InputError
        Shapes differ, or a value is not finite.
    """
    model, observed = (np.asarray(a, dtype=np.float64) for a in (model, observed))
    if model.shape != observed.shape or model.ndim != 1:
        raise InputError("model and observations do not fit", "statistics", f"{model.shape} and {observed.shape}", "two rows of one length")
    if not (np.isfinite(model).all() and np.isfinite(observed).all()):
        raise InputError("a value is not a finite number", "statistics", advice="Leave rows without a value out first.")
    if not model.size:
        return dict.fromkeys(NAMES)
    departure = model - observed
    return {"bias": float(departure.mean()), "mae": float(np.abs(departure).mean()),
            "rmse": float(np.sqrt(np.mean(departure**2))), "corr": correlation(model, observed)}


def correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    """Pearson's correlation, (18); None if there are fewer than two values or one series does not vary."""
    if a.size < 2:
        return None
    # The round-off of a constant series must not pass for variation.
    if any(np.ptp(series) <= 8.0 * np.finfo(np.float64).eps * np.abs(series).max() for series in (a, b)):
        return None
    a, b = a - a.mean(), b - b.mean()
    return float(np.clip(np.sum(a * b) / np.sqrt(np.sum(a**2) * np.sum(b**2)), -1.0, 1.0))


def block(table: ObservationTable, details: bool = False) -> dict[str, Statistics]:
    """Statistics of prior, background and posterior over a table's rows.

    Parameters
    ----------
    details : bool
        Add the number of rows `n` and the standard deviation of the departures `sd`.

    Returns
    -------
    dict
        {"prior" | "background" | "posterior": {bias, mae, rmse, corr, rmse_true?}}; `rmse_true`, against the noise-free
        values of the rows that have one. Rows without a background value are left out of `background` alone.
    """
    result = {}
    for name in SIMULATED:
        simulated = getattr(table, name)
        rows = np.isfinite(simulated) & np.isfinite(table.value)
        values = statistics(simulated[rows], table.value[rows])
        known = rows & np.isfinite(table.true)
        if known.any():
            values["rmse_true"] = statistics(simulated[known], table.true[known])["rmse"]
        if details:
            values["n"] = int(np.count_nonzero(rows))
            values["sd"] = float(np.std(simulated[rows] - table.value[rows])) if rows.any() else None
        result[name] = values
    return result


def by_group(table: ObservationTable, key: np.ndarray, label: Callable[[Any], str] = str) -> dict[str, dict[str, Statistics]]:
    """Detailed statistics for each value of `key` (n,), in ascending order of the values."""
    values, group = np.unique(key, return_inverse=True)
    rows = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group, minlength=values.size))[:-1])
    return {label(value): block(table.select(mine), details=True) for value, mine in zip(values, rows, strict=True)} if len(table) else {}


def by_band(table: ObservationTable) -> dict[str, dict[str, Statistics]]:
    """By latitude band, from north to south; bands without rows are left out."""
    index = np.clip(np.searchsorted(BAND_EDGES, table.lat, side="right") - 1, 0, len(BAND_EDGES) - 2)
    found = by_group(table, index, lambda i: f"{_latitude(BAND_EDGES[i])} to {_latitude(BAND_EDGES[i + 1])}")
    return dict(reversed(found.items()))


def by_month(table: ObservationTable) -> dict[str, dict[str, Statistics]]:
    """By calendar month, "YYYY-MM"."""
    return by_group(table, table.time.astype("datetime64[M]"))


def by_site(table: ObservationTable) -> dict[str, dict[str, Statistics]]:
    """By site code; rows without a site, soundings of satellites, do not count."""
    table = table.select(table.from_ground)
    return by_group(table, table.site.astype(str))


def by_product(table: ObservationTable) -> dict[str, dict[str, Statistics]]:
    """By product."""
    return by_group(table, table.product.astype(str))


def accounting(table: ObservationTable, left_out: Iterable[Mapping[str, int]] = ()) -> dict[str, dict[str, int]]:
    """Where every observation went: assimilated, or why not.

    Parameters
    ----------
    table : ObservationTable
    left_out : iterable of mapping
        Per window, reason → number of observations that were read and not used, by the journal. What of them is not in the table was
        left out on reading.

    Returns
    -------
    dict
        Product → "assimilated" or reason → number; those left out on reading under "left out on reading".
    """
    counts: dict[str, dict[str, int]] = {}
    for product in np.unique(table.product.astype(str)):
        rows = table.product == product
        entry = {"assimilated": int(np.count_nonzero(rows & table.used))}
        reasons, numbers = np.unique(table.reason[rows & ~table.used].astype(str), return_counts=True)
        counts[str(product)] = entry | {(reason or "not used"): int(n) for reason, n in zip(reasons, numbers, strict=True)}
    read: Counter[str] = Counter()
    for reasons in left_out:
        read.update(reasons)
    read.subtract(str(reason) for reason in table.reason[~table.used])
    if dropped := {reason: n for reason, n in sorted(read.items()) if n > 0}:
        counts["left out on reading"] = dropped
    return counts


def _latitude(value: float) -> str:
    return "0°" if value == 0 else f"{abs(value):g}°{'N' if value > 0 else 'S'}"
