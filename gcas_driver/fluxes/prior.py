"""The prior fluxes of a window on the transport grid."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr

from gcas_driver.errors import SettingsError
from mozart_coupling.grids import Grid, regrid

from .components import COMPONENTS, LONG_NAMES
from .priors import FluxDay, days, layout_of
from .priors.stream import Stream, days_of

STEP_HOURS = 3
STEPS_PER_DAY = 24 // STEP_HOURS


def window_fluxes(streams: Iterable[Stream], grid: Grid, start: np.datetime64, end: np.datetime64) -> xr.Dataset:
    """Prior fluxes over `[start, end)` as three-hourly means on the transport grid.

    Parameters
    ----------
    streams : iterable of Stream
        `&prior` groups; several of one component are added up, a component without any is zero.
    grid : Grid
        Of the transport model. Regridding is conservative: totals are kept to round-off.
    start, end : datetime64
        At 00:00 UTC.

    Returns
    -------
    xarray.Dataset
        One variable per component (time, lat, lon) float64 [mol m-2 s-1], positive into the air; `time` is the start of
        each interval, `time_bounds` both ends.

    Raises
    ------
    InputError
        For a file that is missing or wrong.
    SettingsError
        If there is no stream at all, or one of an unknown component or format.
    """
    streams = list(streams)
    if not streams:
        raise SettingsError("no prior flux is given", "&prior", "no group", "a &prior group for each component")
    for stream in streams:
        layout_of(stream)
    starts = _interval_starts(start, end)
    data = {}
    for component in COMPONENTS:
        total = np.zeros((starts.size, *grid.shape))
        for stream in streams:
            if stream.component == component:
                _add_stream(total, stream, grid, start, end)
        data[component] = (("time", "lat", "lon"), total,
                           {"units": "mol m-2 s-1", "long_name": LONG_NAMES[component], "cell_methods": "time: mean"})
    bounds = np.stack([starts, starts + np.timedelta64(STEP_HOURS, "h")], axis=1)
    return xr.Dataset(data, coords={"time": ("time", starts, {"bounds": "time_bounds"}),
                                    "lat": ("lat", grid.lat, {"units": "degrees_north"}),
                                    "lon": ("lon", grid.lon, {"units": "degrees_east"}),
                                    "time_bounds": (("time", "bound"), bounds)})


def three_hourly(day: FluxDay) -> np.ndarray:
    """Means of a day's fluxes over its eight three-hour intervals, whatever intervals they came in.

    Returns
    -------
    numpy.ndarray
        (8, nlat, nlon) [mol m-2 s-1]; the day's total is kept.
    """
    first = day.start[0].astype("datetime64[D]").astype("datetime64[s]")
    low = (day.start - first) / np.timedelta64(1, "h")
    high = (day.end - first) / np.timedelta64(1, "h")
    targets = np.arange(STEPS_PER_DAY + 1) * float(STEP_HOURS)
    if np.array_equal(low, targets[:-1]) and np.array_equal(high, targets[1:]):
        return day.values
    overlap = np.minimum(high[None], targets[1:, None]) - np.maximum(low[None], targets[:-1, None])
    return np.tensordot(np.maximum(overlap, 0.0) / STEP_HOURS, day.values, axes=1)


def _add_stream(total: np.ndarray, stream: Stream, grid: Grid, start: np.datetime64, end: np.datetime64) -> None:
    for index, day in enumerate(days(stream, start, end)):
        records = slice(index * STEPS_PER_DAY, (index + 1) * STEPS_PER_DAY)
        total[records] += regrid(three_hourly(day), day.grid, grid, kind="flux")


def _interval_starts(start: np.datetime64, end: np.datetime64) -> np.ndarray:
    n_days = len(days_of(start, end))
    hours = np.arange(n_days * STEPS_PER_DAY) * STEP_HOURS
    return np.datetime64(start, "s") + (3600 * hours).astype("timedelta64[s]")
