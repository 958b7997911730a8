"""Reader of the OCO-2 model intercomparison's TCCON files, `tccon_timeavg_YYYYMMDD.nc4`: means of an hour, all stations, group CO2.

Priors are wet mole fractions in the files of v10, where `prior_mixing` stands alone; files that have `prior_mixing_tccon` beside it give
`prior_mixing` dry. There are no weights: they are made of pressure, ground and water as for GGG2014.
"""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations import netcdf_fields as nc
from gcas_driver.observations.column_fields import Fields
from gcas_driver.observations.daily import MatchingReader, span_of
from gcas_driver.observations.files import while_unchanged
from gcas_driver.observations.ground_columns import Spectra, checked_water, dry_weights, to_table
from gcas_driver.observations.scales import scale_named_in
from gcas_driver.observations.streams import ColumnStream
from gcas_driver.observations.table import Observations
from gcas_driver.observations.text_records import calendar_seconds

DEFAULT_FILES = ("tccon_timeavg_*.nc4",)
GROUP = "CO2"
GRAVITY = 9.81


def time_span(path: Path, stream: ColumnStream) -> tuple[float, float]:
    """Earliest and latest average of a file, seconds since 1970; (inf, -inf) for none. A file is looked at once a run."""
    return _time_span(path)


@while_unchanged(16384)
def _time_span(path: Path) -> tuple[float, float]:
    with nc.open_netcdf(path) as dataset:
        group = _group(dataset)
        times = _times(Fields(group, ("latitude",)))
    return span_of(times)


def read_file(path: Path, stream: ColumnStream, start: float, end: float) -> Observations:
    """Columns of one file in [start, end), seconds since 1970."""
    with nc.open_netcdf(path) as dataset:
        spectra = _spectra(_group(dataset), start, end)
    return to_table(spectra, stream, str(path))


def _group(dataset: netCDF4.Dataset) -> netCDF4.Group:
    if GROUP not in dataset.groups:
        raise InputError(f"no group {GROUP}", dataset.filepath(), nc.inventory(dataset), f"a group {GROUP} with column_mixing")
    return dataset.groups[GROUP]


def _spectra(group: netCDF4.Group, start: float, end: float) -> Spectra:
    fields = Fields(group, ("latitude",))
    times = _times(fields)
    rows = np.flatnonzero((times >= start) & (times < end))
    pressure = fields.pressure("p_levels_prior").take(rows)
    water = checked_water(fields.need("prior_h2o", levels=True).take(rows), f"{fields.path}, {GROUP}/prior_h2o")
    prior = fields.fraction("prior_mixing", levels=True).take(rows)
    if fields.find("prior_mixing_tccon", levels=True) is None:
        prior = prior / (1.0 - water)
    kernel = fields.need("avg_kernel", levels=True).take(rows)
    if len(rows) and np.median(pressure[:, 0] > pressure[:, -1]):
        pressure, water, prior, kernel = (array[:, ::-1] for array in (pressure, water, prior, kernel))
    weight = dry_weights(pressure, fields.pressure("p_surf", levels=False).take(rows), water, GRAVITY)
    value = fields.fraction("column_mixing")
    zenith = fields.find("sza")
    code = fields.need("station_id").take(rows)
    station = [f"STATION {number:.0f}" for number in code]
    numbers = fields.need("obs_num").variable[...]
    zeros = np.zeros(len(rows))
    counts = {"no time": int(np.count_nonzero(~np.isfinite(times)))}
    with np.errstate(invalid="ignore"):
        lat = np.where(code >= 0.0, fields.need("latitude").take(rows), np.nan)  # a missing station has no place
    made = Spectra(times[rows], fields.need("longitude").take(rows), lat, value.take(rows), fields.error("sigma_column_mixing").take(rows),
                   (weight * prior).sum(axis=1), zeros if zenith is None else zenith.take(rows), zeros, pressure, weight, kernel, prior,
                   np.array(station, dtype=object), np.asarray(numbers).reshape(-1)[rows].astype(str).astype(object),
                   _scale(group, value.variable))
    made.counts.update(counts)
    return made


def _times(fields: Fields) -> np.ndarray:
    """Seconds since 1970 (n,) of `cdate`: year, month, day, hour, minute, second."""
    date = fields.need("cdate", levels=True)
    if date.n_levels != 6:
        raise InputError("wrong shape", nc.place_of(date.variable), str(date.variable.shape), "six numbers an average")
    return calendar_seconds(date(0, fields.n))


def _scale(group: netCDF4.Group, variable: netCDF4.Variable) -> str:
    attributes = " ".join(str(group.getncattr(name)) for name in group.ncattrs() if "scale" in name)
    return scale_named_in(nc.attribute_text(variable)) or scale_named_in(attributes)


READER = MatchingReader(DEFAULT_FILES, read_file, time_span)
read, check = READER.read, READER.check
