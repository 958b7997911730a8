"""Reader of GCASv2's own satellite files: one a day, NetCDF classic, no attributes.

Each holds soundings that were screened and perhaps averaged before: `date` YYYYMMDD and `time` decimal hour, UTC;
longitude 0..360; `pressure` [hPa] with `weightingfunction`, `averagingKernel` and `constraintvector` (prior profile,
ppm); `xco2`, `xco2unc`, `axco2` [ppm]. Units are taken by these conventions and checked by size, since the files
carry none; levels are brought to top first by their pressures. A variable `opmode` is taken as mode "0", "1", ….
"""

from __future__ import annotations

import re
from pathlib import Path

import netCDF4

from gcas_driver.observations.acos_lite import terms
from gcas_driver.observations.column_fields import Fields
from gcas_driver.observations.column_source import ColumnSource, identifiers_from, same_levels, surface_first, turned
from gcas_driver.observations.column_times import dates_and_hours
from gcas_driver.observations.satellite_files import ColumnReader
from gcas_driver.observations.streams import SatelliteStream

MODES = tuple(str(number) for number in range(10))


def source(dataset: netCDF4.Dataset, stream: SatelliteStream) -> ColumnSource:
    """What an open file holds."""
    fields = Fields(dataset, ("latitude", "lat"))
    levels = {"pressure": fields.pressure("pressure", "pressure_levels"),
              "weight": fields.need("weightingfunction", "pressure_weight", levels=True),
              "kernel": fields.need("averagingKernel", "xco2_averaging_kernel", levels=True),
              "prior": fields.fraction("constraintvector", "co2_profile_apriori", levels=True)}
    turn = surface_first(levels["pressure"], fields.n)
    named = re.search(r"(\d{8})\D*$", Path(fields.path).name)
    return ColumnSource(
        path=fields.path, n=fields.n, n_levels=same_levels(levels), scale="",
        time=dates_and_hours(fields.need("date"), fields.need("time"), float(named[1]) if named else None),
        lon=fields.need("longitude", "lon"), lat=fields.need("latitude", "lat"), xco2=fields.fraction(stream.value_variable or "xco2"),
        uncertainty=fields.error(stream.uncertainty_variable or "xco2unc", "xco2_uncertainty"),
        prior_xco2=fields.fraction("axco2", "xco2_apriori"),
        pressure=turned(levels["pressure"], turn), pressure_weight=turned(levels["weight"], turn),
        averaging_kernel=turned(levels["kernel"], turn), prior_profile=turned(levels["prior"], turn),
        # The layout has no identifier: the day and the row in the file.
        identifiers=identifiers_from(fields, None, f"{named[1]}-" if named else ""), mode=fields.find("opmode"), mode_names=MODES,
        **terms(fields, stream))


READER = ColumnReader(source)
