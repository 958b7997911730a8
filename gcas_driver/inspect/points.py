"""Samples at places: NOAA's files, ObsPack, tables, GCASv2's text."""

from __future__ import annotations

import numpy as np

from gcas_driver.observations import READERS, SurfaceStream
from gcas_driver.observations.table import Observations

from .findings import Findings, LinePanel, PointPanel
from .glance import Glance
from .settings import directory_of, group_text

FIRST, LAST = np.datetime64("1900-01-01", "s"), np.datetime64("2200-01-01", "s")
MOST_DRAWN = 20000


def describe(format: str):
    """The description of files of one format."""
    def run(seen: Glance, found: Findings) -> None:
        found.setting = group_text("surface", format=format, directory=directory_of(seen.path), files=seen.path.name)
        stream = SurfaceStream(product=format, format=format, directory=seen.path.parent, files=(seen.path.name,))
        first, last = (float(t.astype("int64")) for t in (FIRST, LAST))
        table: Observations = READERS[format].read_file(seen.path, stream, first, last)
        found.facts["samples"] = str(table.n_read())
        found.facts["CO2 scale"] = ", ".join(sorted(set(table.scale.values()))) or "unknown"
        found.set_span(table.time)
        found.add_range("value", table.value, "ppm")
        found.add_range("error, as assimilated", table.error, "ppm")
        found.add_range("altitude", table.altitude, "m")
        found.add_counts("by site", table.site)
        found.counts["with default settings"] = {"used": int(np.count_nonzero(table.used)),
                                                 **{reason: int(n) for reason, n in table.counts().items()}}
        if not len(table):
            return
        rows = np.arange(len(table))[:: max(1, len(table) // MOST_DRAWN)]
        sites = np.unique(table.site)
        by = {"used": table.used, "not used": ~table.used}
        found.panels.append(LinePanel(f"{seen.path.name}: {', '.join(sites[:4])}{' …' if len(sites) > 4 else ''}", {
            name: (table.time[rows][which[rows]].astype("int64").astype("datetime64[s]"), table.value[rows][which[rows]])
            for name, which in by.items() if which[rows].any()}, y="ppm", time=True, marks=True))
        found.panels.append(PointPanel(f"{len(sites)} site{'s' if len(sites) > 1 else ''}", table.lon[rows], table.lat[rows],
                                       table.value[rows], "ppm"))
    return run


def describe_means(seen: Glance, found: Findings) -> None:
    """NOAA's tables of monthly means: no samples that a model can be asked for, but recognised and drawn."""
    rows = [line.split() for line in _all_lines(seen) if line and not line.startswith("#")]
    names = rows[0] if not rows[0][1].isdigit() else ["site_code", "year", "month", "value"]
    body = [r for r in rows if len(r) == len(names) and r[1].isdigit()]
    year, month, value = (np.array([float(r[names.index(n)]) for r in body]) for n in ("year", "month", "value"))
    value = np.where(value < -900.0, np.nan, value)
    times = ((year.astype(int) - 1970) * 12 + month.astype(int) - 1).astype("datetime64[M]").astype("datetime64[s]")
    found.set_span(times[np.isfinite(value)])
    found.add_range("value", value, "ppm")
    found.facts["site"] = body[0][0]
    found.problems.append("means over months or days are no samples that can be assimilated: use the event or hourly files of the site")
    found.panels.append(LinePanel(f"{body[0][0]}: means", {"mean": (times, value)}, y="ppm", time=True))


def _all_lines(seen: Glance) -> list[str]:
    return seen.path.read_text(encoding="utf-8", errors="replace").splitlines()
