"""Soundings: Lite files, 10-second averages, GCASv2's daily files."""

from __future__ import annotations

import numpy as np

from gcas_driver.observations import READERS, SatelliteStream
from gcas_driver.observations.column_source import LAND, OCEAN, OTHER, UNKNOWN
from gcas_driver.observations.netcdf_fields import open_netcdf

from .findings import Findings, PointPanel
from .glance import Glance
from .settings import directory_of, group_text

BLOCK = 65536
MOST_DRAWN = 40000
SURFACE_NAMES = {LAND: "land", OCEAN: "ocean", OTHER: "other", UNKNOWN: "unknown"}


def describe(format: str):
    """The description of files of one product."""
    def run(seen: Glance, found: Findings) -> None:
        stream = SatelliteStream(product=format, format=format, directory=seen.path.parent)
        with open_netcdf(seen.path) as dataset:
            source = READERS[format].source(dataset, stream)
            columns = _read(source)
            names = dict(enumerate(source.mode_names)) | {UNKNOWN: "unknown"}
            found.facts["soundings"] = f"{source.n}, with {source.n_levels} retrieval levels"
            if source.scale:
                found.facts["CO2 scale"] = source.scale + ("" if source.scale_stated else " (implied by the build)")
        found.set_span(columns["time"])
        for name, unit in (("xco2", "ppm"), ("uncertainty", "ppm"), ("lat", "degrees"), ("lon", "degrees")):
            found.add_range(name, columns[name], unit)
        for name, meaning in (("quality", None), ("warn_level", None), ("outcome", None), ("mode", names), ("surface", SURFACE_NAMES)):
            if name in columns:
                found.add_counts(f"by {name.replace('_', ' ')}", columns[name], meaning)
        _would_be_read(format, stream, seen, found, len(columns["time"]))
        found.setting = group_text("satellite", product=format, directory=directory_of(seen.path), **_pattern(format, seen))
        good = np.isfinite(columns["xco2"]) & np.isfinite(columns["lon"]) & np.isfinite(columns["lat"])
        if "quality" in columns and stream.quality_flag >= 0:
            kept = good & (columns["quality"] == stream.quality_flag)
            good = kept if kept.any() else good
        rows = np.flatnonzero(good)[:: max(1, np.count_nonzero(good) // MOST_DRAWN)]
        if rows.size:
            found.panels.append(PointPanel(f"XCO2, {np.count_nonzero(good)} soundings", columns["lon"][rows], columns["lat"][rows],
                                           columns["xco2"][rows], "ppm"))
    return run


def _read(source) -> dict[str, np.ndarray]:
    """The one-dimensional quantities of all rows, in blocks."""
    names = [n for n in ("time", "lon", "lat", "xco2", "uncertainty", "quality", "warn_level", "outcome", "mode", "surface")
             if getattr(source, n) is not None]
    parts = {name: [getattr(source, name)(a, min(a + BLOCK, source.n)) for a in range(0, source.n, BLOCK)] for name in names}
    return {name: np.concatenate(values) if values else np.empty(0) for name, values in parts.items()}


def _would_be_read(format: str, stream: SatelliteStream, seen: Glance, found: Findings, n: int) -> None:
    """What GCAS's default selection makes of (at most some thousand of) the soundings."""
    sample = 20000 if n > 20000 else None
    table = READERS[format].read_file(seen.path, stream, -np.inf, np.inf, None, sample)
    of = f"of {sample} soundings from all over the file" if sample else "of all soundings"
    counts = {"used": int(np.count_nonzero(table.used)), **{reason: int(number) for reason, number in table.counts().items()}}
    found.counts[f"with default settings, {of}"] = counts


def _pattern(format: str, seen: Glance) -> dict[str, str]:
    """The file's pattern where it is not the product's own."""
    from gcas_driver.config.satellite_products import PRODUCTS

    from .settings import dated_pattern, matches

    own = PRODUCTS[format].pattern
    return {} if matches(own, seen.path.name) else {"file_pattern": dated_pattern(seen.path.name)}
