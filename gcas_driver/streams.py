"""Observation streams of the namelist as the readers take them."""

from __future__ import annotations

from typing import Any

from .config import Settings
from .observations.streams import SatelliteStream, SurfaceStream

_SATELLITE = ("directory", "file_pattern", "assimilate", "missing_days", "error_factor", "sounding_floor_ppm", "quality_flag",
              "cell_degrees", "modes", "value_variable", "scale", "value_factor", "value_offset_ppm")
_SURFACE = ("directory", "format", "files", "sites", "sites_withheld", "assimilate", "missing_days", "error_ppm", "error_factor",
            "background_only", "record_format", "scale", "value_factor", "value_offset_ppm")


def satellite_stream(group: Any) -> SatelliteStream:
    """A &satellite group."""
    bounds = tuple(b for b in group.warn_level_bounds if b >= 0)
    return SatelliteStream(product=group.name, format=group.product, warn_level_bounds=bounds,
                           **{name: getattr(group, name) for name in _SATELLITE})


def surface_stream(group: Any) -> SurfaceStream:
    """A &surface group."""
    return SurfaceStream(product=group.name, site_error_ppm=dict(zip(group.error_sites, group.error_sites_ppm)),
                         local_hours=group.local_hours or None, **{name: getattr(group, name) for name in _SURFACE})


def all_streams(settings: Settings) -> list[tuple[Any, SatelliteStream | SurfaceStream]]:
    """Every stream of a case with its namelist group."""
    return [*((g, satellite_stream(g)) for g in settings.satellite), *((g, surface_stream(g)) for g in settings.surface)]


def error_floors(settings: Settings) -> dict[str, float]:
    """Least error of a super-observation by product [ppm]."""
    return {g.name: g.error_floor_ppm for g in (*settings.satellite, *settings.surface)}


def operator_methods(settings: Settings) -> dict[str, str]:
    """How model profiles are brought to the retrieval's levels, by product."""
    return {g.name: g.operator for g in settings.satellite}
