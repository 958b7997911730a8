"""The prior fluxes of a window on the transport grid."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr

from gcas_driver.errors import SettingsError
from mozart_coupling.grids import Grid, regrid

from .components import COMPONENTS, LONG_NAMES
from .priors import source_days, sources, three_hourly
from .priors.day import STEP_HOURS, STEPS_PER_DAY
from .priors.sources import Source
from .priors.stream import Stream, days_of


def window_fluxes(streams: Iterable[Stream], grid: Grid, start: np.datetime64, end: np.datetime64) -> xr.Dataset:
    """Prior fluxes over `[start, end)` as three-hourly means on the transport grid.

    Parameters
    ----------
    streams : iterable of Stream
        `&prior` groups; several of one component are added up, a component without any is zero. Groups that do not count lend
        others their values for gaps or their diurnal cycle.
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
    found = sources(streams)
    starts = _interval_starts(start, end)
    data = {}
    for component in COMPONENTS:
        total = np.zeros((starts.size, *grid.shape))
        for source in found:
            if source.stream.component == component:
                _add(total, source, grid, start, end)
        data[component] = (("time", "lat", "lon"), total,
                           {"units": "mol m-2 s-1", "long_name": LONG_NAMES[component], "cell_methods": "time: mean"})
    bounds = np.stack([starts, starts + np.timedelta64(STEP_HOURS, "h")], axis=1)
    return xr.Dataset(data, coords={"time": ("time", starts, {"bounds": "time_bounds"}),
                                    "lat": ("lat", grid.lat, {"units": "degrees_north"}),
                                    "lon": ("lon", grid.lon, {"units": "degrees_east"}),
                                    "time_bounds": (("time", "bound"), bounds)})


def _add(total: np.ndarray, source: Source, grid: Grid, start: np.datetime64, end: np.datetime64) -> None:
    for index, day in enumerate(source_days(source, start, end)):
        records = slice(index * STEPS_PER_DAY, (index + 1) * STEPS_PER_DAY)
        total[records] += regrid(three_hourly(day), day.grid, grid, kind="flux")


def _interval_starts(start: np.datetime64, end: np.datetime64) -> np.ndarray:
    n_days = len(days_of(start, end))
    hours = np.arange(n_days * STEPS_PER_DAY) * STEP_HOURS
    return np.datetime64(start, "s") + (3600 * hours).astype("timedelta64[s]")
