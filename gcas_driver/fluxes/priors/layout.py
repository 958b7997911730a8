"""What tells one file format of gridded fluxes from another: a table, used by one reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LAT_NAMES = ("lat", "latitude", "Latitude", "y", "nav_lat")
LON_NAMES = ("lon", "longitude", "Longitude", "x", "nav_lon")
TIME_NAMES = ("time", "date", "Time", "t")
DECIMAL_NAMES = ("decimal_time", "decimal_date")
COMPONENT_NAMES = ("time_components", "date_components")


@dataclass(frozen=True, eq=False)
class Layout:
    """A file format of gridded fluxes.

    Attributes
    ----------
    name : str
        Value of the setting `format`.
    pattern : str
        File names when the setting gives none.
    variables : mapping
        Component → names its flux has had, in order of preference.
    units : str
        Units of files that state none; "" when they have to.
    stamp : str
        What a time marks when the file has no bounds: "start", "centre" or "end".
    calendar_dates : bool
        Times are integers `date` (YYYYMMDD) and `datesec`.
    holes : bool
        Values declared missing stand for "no flux here". Otherwise they are faults.
    shape : (int, int) or None
        (nlat, nlon) that the format fixes; its cell centres are then known even when a file does not give them.
    """

    name: str
    pattern: str
    variables: Mapping[str, tuple[str, ...]]
    units: str
    stamp: str
    calendar_dates: bool = False
    holes: bool = True
    shape: tuple[int, int] | None = None


# GCASv2's own files: one a day and component, 3-hour means stamped at mid-interval, no attributes at all.
GCASV2 = Layout(
    name="gcasv2",
    pattern="{component}/emissions.{component}.{date}.nc",
    variables=dict.fromkeys(("bio", "ocn", "fossil", "fire"), ("emissions",)),
    units="molecules cm-2 s-1",
    stamp="centre",
    calendar_dates=True,
    holes=False,
    shape=(180, 360),
)

# CarbonTracker's optimised or imposed fluxes, names of several releases.
CARBONTRACKER = Layout(
    name="carbontracker",
    pattern="CT*.flux1x1.{date}.nc",
    variables={
        "bio": ("bio_flux_opt", "bio_flux_prior", "bio_flux_optimized", "bio_opt"),
        "ocn": ("ocn_flux_opt", "ocn_flux_prior", "ocean_flux_optimized", "ocn_opt"),
        "fossil": ("fossil_flux_imp", "fossil_imp", "fossil_imposed", "fossil_flux_prior"),
        "fire": ("fire_flux_imp", "fire_imp", "fire_flux_imposed", "fire_flux_prior"),
    },
    units="mol m-2 s-1",
    stamp="centre",
)

# Any CF file on a global longitude-latitude grid, in units that say an amount of CO2 or carbon. Names whose convention is
# "positive downward" (nbp, fgco2) are not among those tried: such a field has to be turned first.
CF = Layout(
    name="cf",
    pattern="{component}*.nc",
    variables={
        "bio": ("bio", "nee", "NEE", "bio_flux", "flux", "emissions"),
        "ocn": ("ocn", "ocean", "ocn_flux", "flux", "emissions"),
        "fossil": ("fossil", "ff", "fossil_flux", "flux", "emissions"),
        "fire": ("fire", "bb", "fire_flux", "flux", "emissions"),
    },
    units="",
    stamp="centre",
)

FORMATS: dict[str, Layout] = {layout.name: layout for layout in (GCASV2, CARBONTRACKER, CF)}
