"""Arrays as the Fortran core takes them: float64, C order, finite, of the right shape; else an error that names them."""

from __future__ import annotations

import os

import numpy as np

from gcas_driver.errors import AnalysisError, InputError
from mozart_coupling.threads import default_threads

MESSAGE_INDICES = 5
"""How many offending positions an error lists."""

LARGEST = 1e150
"""Largest magnitude whose square is a number: values of a filter must not exceed it."""

LARGEST_VARIANCE = 1e300
"""The largest variance."""

THREADS_PER_PROCESSOR = 4
"""More threads than this bring nothing, whatever is asked for."""


def as_float(name: str, values, shape: tuple[int | None, ...], meaning: str = "") -> np.ndarray:
    """`values` as a float64 array in C order; copied only if it is not one already.

    Parameters
    ----------
    name : str
        What the array is called in errors.
    values : array_like
        Any real dtype, any order; masked values count as NaN.
    shape : tuple of int or None
        Expected shape; None: any length.
    meaning : str
        What the dimensions are, for errors.

    Raises
    ------
    InputError
        Not numbers, or of another shape.
    """
    mask = np.ma.getmask(values)
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "fiub":
            raise TypeError
        array = np.ascontiguousarray(array, dtype=np.float64)
        if mask is not np.ma.nomask and mask.any():
            array = np.where(mask, np.nan, array)
    except (TypeError, ValueError):
        raise InputError(f"{name} is not an array of real numbers", found=describe(values),
                         expected="real numbers") from None
    if array.ndim == 1 and len(shape) == 1 and np.ndim(values) == 0:
        array = array.reshape(np.shape(values))
    if array.ndim != len(shape) or any(n is not None and m != n for m, n in zip(array.shape, shape, strict=True)):
        expected = ", ".join("any" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "")
        raise InputError(f"{name} has the wrong shape", found=str(np.shape(values)), expected=f"({expected}){meaning and ': ' + meaning}")
    return array


def check_finite(name: str, array: np.ndarray) -> None:
    """Refuse NaN and infinity, naming where they stand.

    Raises
    ------
    InputError
        Some value is not finite.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(array.sum()):
            return
    finite = np.isfinite(array)
    if not finite.all():
        where = np.argwhere(~finite)
        listed = ", ".join(str(tuple(map(int, index)) if array.ndim > 1 else int(index[0]))
                           for index in where[:MESSAGE_INDICES])
        raise InputError(f"{name} holds NaN or infinity", where=f"index {listed}",
                         found=f"{len(where)} of {array.size} values", expected="finite numbers",
                         advice="drop such observations or members before the analysis")


def check_squares(name: str, array: np.ndarray) -> None:
    """Refuse NaN, infinity and magnitudes whose squares overflow.

    Raises
    ------
    InputError
        Some value is not finite, or larger than `LARGEST`.
    """
    if array.size == 0 or (-LARGEST <= array.min() and array.max() <= LARGEST):  # never so with NaN
        return
    check_finite(name, array)
    too_large = np.argwhere(np.abs(array) > LARGEST)
    if too_large.size:
        raise InputError(f"{name} holds numbers whose squares overflow", where=f"index {tuple(map(int, too_large[0]))}",
                         found=f"{len(too_large)} of {array.size} values", expected=f"magnitudes up to {LARGEST:g}",
                         advice="choose units in which values are of ordinary size")


def check_positive(name: str, array: np.ndarray) -> None:
    """Refuse zero and negative values.

    Raises
    ------
    InputError
        Some value is not positive.
    """
    wrong = np.flatnonzero(~(array > 0.0))
    if wrong.size:
        listed = ", ".join(str(int(index)) for index in wrong[:MESSAGE_INDICES])
        raise InputError(f"{name} is not positive", where=f"index {listed}",
                         found=f"{array.flat[wrong[0]]:g} and {wrong.size} such values in all", expected="> 0")


def check_number(name: str, value, low: float, high: float = np.inf, *, open_low: bool = False) -> float:
    """A number within `[low, high]`, or `(low, high]`.

    Raises
    ------
    InputError
        Not a number, or out of range.
    """
    try:
        if isinstance(value, (bool, np.bool_, str, bytes)) or np.ndim(value) or np.ma.is_masked(value):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = np.nan
    if not (low < number if open_low else low <= number) or not number <= high:
        expected = f"{'>' if open_low else '>='} {low:g}" + (f" and <= {high:g}" if np.isfinite(high) else "")
        raise InputError(f"{name} is out of range", found=describe(value), expected=expected)
    return number


def check_choice(name: str, value, choices: tuple[str, ...]) -> str:
    """One of some words.

    Raises
    ------
    InputError
        Another word, or no word.
    """
    if not isinstance(value, str) or value not in choices:
        expected = ", ".join(map(repr, choices[:-1])) + f" or {choices[-1]!r}"
        raise InputError(f"unknown {name}", found=describe(value), expected=expected)
    return value


def check_flag(name: str, value) -> bool:
    """True or False.

    Raises
    ------
    InputError
        Something else.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise InputError(f"{name} is neither True nor False", found=describe(value), expected="True or False")
    return bool(value)


def as_indices(name: str, values, n: int) -> np.ndarray:
    """Different positions in `0 … n-1`.

    Raises
    ------
    InputError
        Not integers, outside the range, or some of them twice.
    """
    try:
        array = np.asarray(values)
    except ValueError:  # lists of different lengths
        array = np.asarray(None)
    if array.size == 0 and array.ndim == 1:
        array = array.astype(np.intp)
    if array.ndim != 1 or array.dtype.kind not in "iu" or np.ma.is_masked(values):
        raise InputError(f"{name} is not a list of positions", found=describe(values), expected="a vector of integers")
    if array.size and (array.min() < 0 or array.max() >= n):
        raise InputError(f"{name} points outside the observations", found=f"{array.min()} to {array.max()}",
                         expected=f"0 to {n - 1}")
    if np.unique(array).size != array.size:
        raise InputError(f"{name} names an observation twice", found=describe(values), expected="each once")
    return array.astype(np.intp)


def thread_count(threads: int | None) -> int:
    """Threads to use: as asked for, else OMP_NUM_THREADS, else all processors that this process may use.

    Never more than `THREADS_PER_PROCESSOR` a processor: results do not depend on the number, and a system that refuses another
    thread ends the process.
    """
    if threads is None:
        threads = default_threads()
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or threads < 1:
        raise InputError("threads is not a positive integer", found=describe(threads), expected="None or >= 1")
    # Processors are not counted where it does not matter: the system takes its time to tell.
    return int(threads) if threads <= THREADS_PER_PROCESSOR else min(int(threads), THREADS_PER_PROCESSOR * (os.cpu_count() or 1))


def raise_status(status: int, message: str, where: str) -> None:
    """Turn a status of the core into an exception.

    Raises
    ------
    AnalysisError, InputError
        `status` is not 0.
    """
    from gcas_driver._analysis import gcas_status

    if status == gcas_status.status_ok:
        return
    inputs = (gcas_status.status_bad_shape, gcas_status.status_not_finite, gcas_status.status_bad_value)
    raise (InputError if status in inputs else AnalysisError)(message, where=where)


def describe(values) -> str:
    """Type and size of a thing, for errors."""
    if isinstance(values, np.ndarray):
        return f"array of {values.dtype} {values.shape}"
    if isinstance(values, (list, tuple)) and len(values) > 20:
        return f"{type(values).__name__} of {len(values)}"
    text = repr(values)
    return text if len(text) <= 60 else f"{type(values).__name__}"
