"""Judges what a reader made of a damaged file by what it made of the whole one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gcas_driver.errors import GcasError
from mozart_coupling.errors import CouplingError

from .fault import ANY, DROPPED, ERROR, HOLES, SAME, Fault

Arrays = Mapping[str, np.ndarray]
KEY, SHARE = "row", "share"
TIMES = ("time", "start", "end")
TIME_TOLERANCE = 2.0  # s
RANGES = {"lon": (-180.0, 180.0), "lat": (-90.0, 90.0), "value": (100.0, 2000.0), "xco2": (100.0, 2000.0), "error": (0.0, 1000.0),
          "pressure": (0.0, 1.2e5), "retrieval_pressure": (0.0, 1.2e5), "prior_xco2": (100.0, 2000.0), "flux": (-1.0e-2, 1.0e-2)}
"""Ends of what the normal form's arrays can hold, by name."""

MAY_BE_NAN = ("altitude", "height")


@dataclass(frozen=True)
class Outcome:
    """What came of reading: arrays, a named error, or another exception's text."""

    arrays: Arrays | None = None
    error: GcasError | CouplingError | None = None
    crash: str = ""


def verdict(fault: Fault, whole: Arrays, outcome: Outcome) -> str:
    """Why the outcome is not allowed; "" if it is."""
    if outcome.crash:
        return f"not a named error: {outcome.crash}"
    if outcome.error is not None:
        return _error_verdict(fault, outcome.error)
    found = outcome.arrays
    fault_found = impossible(found)
    if fault_found:
        return fault_found
    if ANY in fault.allowed:
        return ""
    difference = differences(whole, found, fault.tolerance)
    if not difference:
        return "" if fault.allowed & {SAME, DROPPED} else "read as if nothing was wrong"
    reasons = [difference]
    if DROPPED in fault.allowed and KEY in whole:
        reasons.append(_rows_verdict(fault, whole, found))
        if not reasons[-1]:
            return ""
    if HOLES in fault.allowed and KEY not in whole:
        reasons.append(_holes_verdict(whole, found))
        if not reasons[-1]:
            return ""
    return "silently other values: " + "; ".join(reasons)


def _error_verdict(fault: Fault, error: GcasError | CouplingError) -> str:
    if ERROR not in fault.allowed:
        return f"refused, though nothing is wrong: {str(error)[:200]}"
    if not (error.what and str(error.where)):
        return f"an error that does not say what or where: {str(error)[:200]!r}"
    if isinstance(error, GcasError) and error.exit_code != 2:
        return f"exit code {error.exit_code} for bad input"
    return ""


def impossible(arrays: Arrays) -> str:
    """What no file may give: values that are not finite, places and amounts that are none."""
    for name, values in arrays.items():
        values = np.asarray(values)
        if values.dtype.kind not in "fiu" or not values.size:
            continue
        if name not in MAY_BE_NAN and not np.isfinite(values).all():
            return f"{name} is not finite"
        low, high = RANGES.get(name, (-np.inf, np.inf))
        with np.errstate(invalid="ignore"):
            if (values < low).any() or (values > high).any():
                return f"{name} from {np.nanmin(values):g} to {np.nanmax(values):g}"
    return ""


def differences(whole: Arrays, found: Arrays, tolerance: float) -> str:
    """The first array that differs, "" if none does; rows may stand in another order."""
    if set(whole) != set(found):
        return f"arrays {sorted(found)} for {sorted(whole)}"
    if KEY in whole:
        if len(whole[KEY]) != len(found[KEY]):
            return f"{len(found[KEY])} rows for {len(whole[KEY])}"
        whole, found = _ordered(whole), _ordered(found)
    for name in whole:
        message = _difference(name, np.asarray(whole[name]), np.asarray(found[name]), tolerance)
        if message:
            return message
    return ""


def _ordered(arrays: Arrays) -> Arrays:
    order = np.argsort(np.asarray(arrays[KEY]).astype(str), kind="stable")
    return {name: np.asarray(values)[order] if np.ndim(values) and len(values) == len(order) else values for name, values in arrays.items()}


def _difference(name: str, a: np.ndarray, b: np.ndarray, tolerance: float) -> str:
    if a.shape != b.shape:
        return f"{name} of shape {b.shape} for {a.shape}"
    if a.dtype.kind not in "fiub" or b.dtype.kind not in "fiub":
        return "" if np.array_equal(a.astype(str), b.astype(str)) else f"{name} differs"
    if not a.size:
        return ""
    a, b = a.astype(np.float64), b.astype(np.float64)
    scale = np.nanmax(np.abs(a)) if np.isfinite(a).any() else 0.0
    limit = TIME_TOLERANCE if name in TIMES else tolerance * scale + tolerance * np.abs(a)
    both = np.isnan(a) & np.isnan(b)
    wrong = ~both & ~(np.abs(a - b) <= limit)
    if not wrong.any():
        return ""
    place = np.unravel_index(np.flatnonzero(wrong)[0], a.shape)
    return f"{name}: {np.count_nonzero(wrong)} of {a.size} values, such as {b[place]:.9g} for {a[place]:.9g}"


def _rows_verdict(fault: Fault, whole: Arrays, found: Arrays) -> str:
    """Whether what is left are rows of the whole file, each once, with their values."""
    keys, left = (np.asarray(arrays[KEY]).astype(str) for arrays in (whole, found))
    if fault.lost is not None and len(keys) - len(left) > fault.lost:
        return f"{len(keys) - len(left)} rows lost of {fault.lost} damaged"
    if not len(left):
        return ""
    strange = set(left) - set(keys)
    if strange:
        return f"rows that the file does not have, such as {sorted(strange)[0]}"
    if len(left) > len(keys) or len(set(left)) < len(left) == len(set(keys)):
        return "rows doubled"
    position = {key: i for i, key in enumerate(keys)}
    chosen = np.array([position[key] for key in left], dtype=int)
    part = {name: np.asarray(values)[chosen] if np.ndim(values) and len(values) == len(keys) else values for name, values in whole.items()}
    return differences(part, found, fault.tolerance)


def _holes_verdict(whole: Arrays, found: Arrays) -> str:
    """Whether only a few values differ, and those are zero; of shares of regions, what one loses another must have got."""
    for name in whole:
        a, b = np.asarray(whole[name]), np.asarray(found.get(name))
        if a.shape != b.shape:
            return f"{name} of shape {b.shape} for {a.shape}"
        if a.dtype.kind != "f":
            continue
        size = np.abs(a).max()
        wrong = ~(np.abs(a - b) <= 2.0e-6 * size)
        if name == SHARE:
            zero = np.abs(b.sum(axis=0) - a.sum(axis=0)).max() < 1.0e-9
        else:
            zero = bool(np.all(np.abs(b[wrong]) <= 1.0e-6 * size))
        if np.count_nonzero(wrong) > max(12, 0.01 * a.size) or not zero:
            return f"{name}: {np.count_nonzero(wrong)} of {a.size} values, not all of them zero"
    return ""
