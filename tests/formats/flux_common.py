"""What specimens of flux files share: how they are read through GCAS's door, and a small CF writer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.fluxes.priors import PriorStream, check_all, source_days, sources
from mozart_coupling.grids import wrap_longitude

from . import Specimen

DAY = np.datetime64("2010-06-15")
GRAM_OF_CARBON = 1.0 / 12.011  # mol


def reading(streams: Callable[[Path], list[PriorStream]], first: np.datetime64 = DAY, n_days: int = 1) -> Callable[[Path], Mapping]:
    """A specimen's `read`: the days' fluxes of the one group that counts, longitudes from -180 on."""
    def read(path: Path) -> Mapping[str, np.ndarray]:
        [source] = sources(streams(path))
        days = list(source_days(source, first, first + n_days))
        order = np.argsort(wrap_longitude(days[0].grid.lon), kind="stable")
        return {"time": np.concatenate([day.start for day in days]), "time_end": np.concatenate([day.end for day in days]),
                "lat": days[0].grid.lat, "lon": wrap_longitude(days[0].grid.lon)[order],
                "flux": np.concatenate([day.values for day in days])[..., order]}
    return read


def flux_specimen(name: str, kind: str, write: Callable[[Path], Path], streams: Callable[[Path], list[PriorStream]], *,
                  n_days: int = 1) -> Specimen:
    """A specimen whose days are read and checked through the `&prior` groups that belong to its path."""
    return Specimen(name, kind, write, reading(streams, n_days=n_days), lambda path: check_all(streams(path), DAY, DAY + n_days))


def one_stream(component: str, layout: str, **settings) -> Callable[[Path], list[PriorStream]]:
    """The group that reads a specimen's directory."""
    return lambda path: [PriorStream(component, layout, path.parent, **settings)]


def write_cf(path: Path, name: str, values: np.ndarray, *, units: str | None = "mol m-2 s-1", lat: np.ndarray | None = None,
             lon: np.ndarray | None = None, time: tuple[np.ndarray, str] | None = None, calendar: str = "standard",
             bounds: np.ndarray | None = None, order: str = "tyx", dtype: str = "f4", fill: float | None = None,
             packing: tuple[float, float] | None = None, attributes: Mapping | None = None, format: str = "NETCDF4",
             names: tuple[str, str, str] = ("time", "lat", "lon"), chunks: tuple[int, ...] | None = None) -> Path:
    """A CF file of one flux; `values` (time, lat, lon), or (lat, lon) for a file without times."""
    n_lat, n_lon = values.shape[-2:]
    lat = -90 + (np.arange(n_lat) + 0.5) * 180 / n_lat if lat is None else lat
    lon = (np.arange(n_lon) + 0.5) * 360 / n_lon if lon is None else lon
    by_letter = dict(zip("tyx", names, strict=True))
    order = order if values.ndim == 3 else order.replace("t", "")
    path.parent.mkdir(parents=True, exist_ok=True)
    with netCDF4.Dataset(path, "w", format=format) as file:
        sizes = {names[1]: n_lat, names[2]: n_lon, **({names[0]: values.shape[0]} if values.ndim == 3 else {})}
        for dimension, size in sizes.items():
            file.createDimension(dimension, size)
        for coordinate, numbers, unit in ((names[1], lat, "degrees_north"), (names[2], lon, "degrees_east")):
            variable = file.createVariable(coordinate, "f8", (coordinate,))
            variable.units = unit
            variable[:] = numbers
        if time is not None:
            variable = file.createVariable(names[0], "f8", (names[0],))
            variable.units, variable.calendar = time[1], calendar
            variable[:] = time[0]
            if bounds is not None:
                file.createDimension("two", 2)
                variable.bounds = "time_bounds"
                file.createVariable("time_bounds", "f8", (names[0], "two"))[:] = bounds
        flux = file.createVariable(name, dtype, tuple(by_letter[letter] for letter in order), fill_value=fill, chunksizes=chunks)
        if units is not None:
            flux.units = units
        if packing is not None:
            flux.scale_factor, flux.add_offset = packing
        flux.setncatts(dict(attributes or {}))
        whole = "tyx" if values.ndim == 3 else "yx"
        flux[:] = np.ma.asarray(values).transpose([whole.index(letter) for letter in order])
    return path
