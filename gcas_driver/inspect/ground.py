"""Columns seen from the ground: TCCON's files and the intercomparison's averages of them."""

from __future__ import annotations

import numpy as np

from gcas_driver.observations import READERS
from gcas_driver.observations.streams import ColumnStream

from .findings import Findings, LinePanel
from .glance import Glance
from .settings import directory_of, group_text

MOST_SITES = 5


def describe(format: str):
    """The description of files of one product."""
    def run(seen: Glance, found: Findings) -> None:
        found.setting = group_text("column", product=format, directory=directory_of(seen.path), files=seen.path.name)
        stream = ColumnStream(product=format, format=format, directory=seen.path.parent, files=(seen.path.name,), average_hours=0.0)
        table = READERS[format].read_file(seen.path, stream, -np.inf, np.inf)
        found.facts["spectra" if format == "tccon" else "means"] = str(table.n_read())
        found.facts["CO2 scale"] = ", ".join(sorted(set(table.scale.values()))) or "unknown"
        found.set_span(table.time)
        for name, values, unit in (("xco2", table.value, "ppm"), ("error", table.error, "ppm"), ("lat", table.lat, "degrees"),
                                   ("lon", table.lon, "degrees")):
            found.add_range(name, values, unit)
        found.add_counts("by site", table.site)
        found.counts["with default settings, each spectrum by itself"] = {reason: int(n) for reason, n in table.counts().items()}
        if not len(table):
            return
        at = table.time.astype("int64").astype("datetime64[s]")
        sites = np.unique(table.site)[:MOST_SITES]
        found.panels.append(LinePanel("XCO2", {s: (at[table.site == s], table.value[table.site == s]) for s in sites}, y="ppm", time=True,
                                      marks=True))
        operator = table.operators[format]
        found.panels.append(LinePanel("mean averaging kernel", {"kernel": (operator.averaging_kernel.mean(axis=0),
                                                                           0.01 * operator.retrieval_pressure.mean(axis=0))}, "1", "hPa",
                                      True))
    return run
