"""When a sample was taken: the middle of what was averaged, whatever the file's time stamps mark.

ObsPack's packs of 2019 and 2020 and NOAA GML's files stamp the start of the averaging interval, packs since version 8 its middle (with
`start_time` beside it). The comment of the time variable says which; files without one are judged by what they hold. Assimilation packs
give the window in which a model is to be sampled: its middle is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations.files import YEARS
from gcas_driver.observations.text_records import calendar_seconds
from gcas_driver.time_units import EPOCH, seconds_since_1970

if TYPE_CHECKING:
    from gcas_driver.observations.records import Records

UNIT_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
CLOCK_TOLERANCE_SECONDS = 2.0 * 86400.0
"""Two statements of one time that differ by more belong to a damaged file; half an averaging interval may lie between them."""

WINDOW = ("model_sample_window_start", "model_sample_window_end")
LONGEST_WINDOW_SECONDS = 31.0 * 86400.0


def stamped_times(records: Records, rows: slice = slice(None)) -> np.ndarray:
    """What the file's time stamps say (n,), seconds since 1970, NaN where there is none.

    `time` is compared with the calendar's components where the file has both.

    Raises
    ------
    InputError
        For a file without times, unknown units, or two clocks that disagree.
    """
    calendar = calendar_seconds(_six(records, rows)) if records.has("time_components") else None
    if not records.has("time"):
        if calendar is None:
            raise InputError("no times", records.where, records.inventory(), "time, or year … second")
        return calendar
    times = _in_units(records, "time", rows)
    if calendar is not None:
        with np.errstate(invalid="ignore"):
            apart = np.abs(times - calendar) > CLOCK_TOLERANCE_SECONDS
        if apart.any():
            first = int(np.flatnonzero(apart)[0])
            raise InputError("two statements of the time disagree", f"{records.where}, record {first + 1}",
                             f"time {_text(times[first])}, components {_text(calendar[first])}", "one time",
                             "the file is damaged: fetch it again")
    return times


def middle_times(records: Records, rows: slice = slice(None), time_stamp: str = "", interval_minutes: float = 0.0) -> np.ndarray:
    """Middle of what each sample averages (n,), seconds since 1970, NaN where there is no time.

    Parameters
    ----------
    records : Records
    rows : slice
    time_stamp : str
        "start", "middle" or "end" overrules the file.
    interval_minutes : float
        Length of what was averaged, for files that do not tell it [min].
    """
    times = stamped_times(records, rows)
    half = 0.5 * (60.0 * interval_minutes or interval_seconds(records))
    middle = times + {"start": half, "middle": 0.0, "end": -half}[time_stamp or _mark(records)]
    if time_stamp:
        return middle
    if all(records.has(name) for name in WINDOW):
        return _middle_of_window(records, rows, middle)
    if records.has("midpoint_time"):
        told = _in_units(records, "midpoint_time", rows)
        return np.where(np.isfinite(told), told, middle)
    return middle


def interval_seconds(records: Records) -> float:
    """Length of the averaging interval by the file's attributes [s], 0 where they tell none."""
    unit = records.attributes.get("dataset_data_frequency_unit", "").lower().rstrip("s")
    if any(sign.isdigit() for sign in unit):
        raise InputError("not a unit of time", f"{records.where}, dataset_data_frequency_unit", unit, "hour, minute, …",
                         "the file is damaged")
    try:
        number = float(records.attributes.get("dataset_data_frequency", ""))
    except ValueError:
        return 0.0
    length = number * UNIT_SECONDS.get(unit, 0.0)
    return length if 0.0 < length <= 86400.0 else 0.0


def _mark(records: Records) -> str:
    """What the file's own time stamps mark."""
    comment = " ".join(records.about(name, "comment") for name in ("time", "time_components", "datetime")).lower()
    if "midpoint" in comment or "middle of the averag" in comment:
        return "middle"
    if "beginning" in comment or "start of the averag" in comment:
        return "start"
    return "middle" if records.has("start_time") or getattr(records, "dimension", "obs") == "time" else "start"


def _middle_of_window(records: Records, rows: slice, times: np.ndarray) -> np.ndarray:
    """Middle of the window in which the model is to be sampled; the stamp where a window is missing or none."""
    first, last = (_in_units(records, name, rows) for name in WINDOW)
    with np.errstate(invalid="ignore"):
        good = (last >= first) & (last - first <= LONGEST_WINDOW_SECONDS)
        far = good & (np.abs(0.5 * (first + last) - times) > LONGEST_WINDOW_SECONDS)
    if far.any():
        row = int(np.flatnonzero(far)[0])
        raise InputError("two statements of the time disagree", f"{records.where}, record {row + 1}",
                         f"time {_text(times[row])}, sample window from {_text(first[row])}", "one time", "the file is damaged")
    return np.where(good, 0.5 * (first + last), times)


def _in_units(records: Records, name: str, rows: slice) -> np.ndarray:
    """A variable's times (n,), seconds since 1970, in its own units, else in those of `time`."""
    units, calendar = (records.about(name, attribute) or records.about("time", attribute) for attribute in ("units", "calendar"))
    return seconds_since_1970(records.numbers(name, rows), units or EPOCH, f"{records.where}, {name}", calendar, YEARS)


def _six(records: Records, rows: slice) -> np.ndarray:
    parts = records.numbers("time_components", rows)
    if parts.ndim != 2 or parts.shape[1] != 6:
        raise InputError("wrong shape", f"{records.where}, time_components", str(parts.shape), "six numbers a record")
    return parts


def _text(seconds: float) -> str:
    return str(np.datetime64(int(seconds), "s")) if np.isfinite(seconds) else "none"
