"""What tells one file format of fluxes from another: a table, used by few readers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LAT_NAMES = ("lat", "latitude", "Latitude", "y", "nav_lat", "Y", "LAT")
LON_NAMES = ("lon", "longitude", "Longitude", "x", "nav_lon", "X", "LON")
TIME_NAMES = ("time", "date", "Time", "t", "T")
DECIMAL_NAMES = ("decimal_time", "decimal_date")
COMPONENT_NAMES = ("time_components", "date_components", "idate")


@dataclass(frozen=True, eq=False)
class Layout:
    """A file format of fluxes.

    Attributes
    ----------
    name : str
        Value of the setting `format`.
    patterns : tuple of str
        File names when the setting gives none, one for each dialect, the finest in time first.
    variables : mapping
        Component → names its flux has had, in order of preference; names joined by "+" are added up. A component that is not in it has
        no flux in this format.
    units : str
        Units of files that state none; "" when they have to.
    stamp : str
        What a time marks when the file has no bounds: "start", "centre" or "end".
    reader : str
        "gridded" (NetCDF, any grid), "gfed", "cdiac" or "table".
    calendar_dates : bool
        Times are integers `date` (YYYYMMDD) and `datesec`.
    holes : bool
        Values declared missing stand for "no flux here". Otherwise they are faults.
    shape : (int, int) or None
        (nlat, nlon) that the format fixes; its cell centres are then known even when a file does not give them.
    months : str
        "" when times say what a record is; "year": records are the twelve months of the year in the file's name; "any": of any year.
    coded : bool
        File names hold a product's `{code}`.
    """

    name: str
    patterns: tuple[str, ...]
    variables: Mapping[str, tuple[str, ...]]
    units: str
    stamp: str
    reader: str = "gridded"
    calendar_dates: bool = False
    holes: bool = True
    shape: tuple[int, int] | None = None
    months: str = ""
    coded: bool = False


# GCASv2's own files: one a day and component, 3-hour means stamped at mid-interval, no attributes at all.
GCASV2 = Layout(
    name="gcasv2",
    patterns=("{component}/emissions.{component}.{date}.nc",),
    variables=dict.fromkeys(("bio", "ocn", "fossil", "fire"), ("emissions",)),
    units="molecules cm-2 s-1",
    stamp="centre",
    calendar_dates=True,
    holes=False,
    shape=(180, 360),
)

# CarbonTracker's optimised or imposed fluxes, names of several releases, of CT-NRT and of CarbonTracker Europe.
CARBONTRACKER = Layout(
    name="carbontracker",
    patterns=("CT*.flux1x1.{date}.nc", "CT*.flux1x1.{year}{month}.nc", "CT*.flux1x1-monthly.nc", "flux1x1_all_months.nc"),
    variables={
        "bio": ("bio_flux_opt", "bio_flux_prior", "bio_flux_optimized", "bio_opt"),
        "ocn": ("ocn_flux_opt", "ocn_flux_prior", "ocean_flux_optimized", "ocn_opt"),
        "fossil": ("fossil_flux_imp", "fossil_imp", "fossil_imposed", "fossil_flux_prior", "ff_flux_imp"),
        "fire": ("fire_flux_imp", "fire_imp", "fire_flux_imposed", "fire_flux_prior"),
    },
    units="mol m-2 s-1",
    stamp="centre",
)

# CarbonTracker's priors, a product a file, named by a code. What a file calls its flux is not documented: the candidates are those
# of the release's flux files and of CTDAS; `variable` names another.
CARBONTRACKER_PRIOR = Layout(
    name="carbontracker_prior",
    patterns=("CT*.prior_{code}_3hrly_{year}.nc", "CT*.prior_{code}_{year}.nc", "CT*{date}*prior_{code}.nc", "CT*prior_{code}.nc"),
    variables={
        "bio": ("bio_flux_prior", "bio_prior", "bio", "nee", "flux", "co2_flux", "prior"),
        "ocn": ("ocn_flux_prior", "ocn_prior", "ocn", "ocean", "flux", "co2_flux", "prior"),
        "fossil": ("fossil_flux_prior", "fossil_prior", "fossil_flux_imp", "fossil_imp", "fossil", "ff", "flux", "co2_flux", "prior"),
        "fire": ("fire_flux_prior", "fire_prior", "fire_flux_imp", "fire_imp", "fire", "flux", "co2_flux", "prior"),
    },
    units="mol m-2 s-1",
    stamp="centre",
    coded=True,
)

# GFED4.1s: one HDF5 file a year, monthly sums on a quarter of a degree, north first, with shares of days and hours from 2003 on.
GFED = Layout(
    name="gfed",
    patterns=("GFED4.1s_{year}*.hdf5",),
    variables={"fire": ("C", "DM")},
    units="gC m-2 month-1",
    stamp="",
    reader="gfed",
)

# ODIAC on one degree: the twelve months of the year that the file's name says. Land and international transport are apart.
ODIAC = Layout(
    name="odiac",
    patterns=("odiac*_1x1d_{year}.nc",),
    variables={"fossil": ("land+intl_bunker",)},
    units="gC m-2 d-1",
    stamp="",
    months="year",
)

# CDIAC's gridded inventory: 180 x 360 numbers, from the north and from the date line, per cell and month (Gg C) or year (Tg C).
CDIAC = Layout(
    name="cdiac",
    patterns=("gridcar.{year}{month}", "gridcar.{year}"),
    variables={"fossil": ()},
    units="",
    stamp="",
    reader="cdiac",
    shape=(180, 360),
)

# Takahashi's climatology as a table of points: LAT, LON, MONTH and a flux.
TAKAHASHI = Layout(
    name="takahashi",
    patterns=("*.txt", "*.csv", "*.dat"),
    variables={"ocn": ("FLUX", "FLUXGMSW06", "CO2FLUX", "CO2_FLUX", "SEA_AIR_FLUX", "FLUX_MOL", "FLUXMOL")},
    units="",
    stamp="",
    reader="table",
    months="any",
)

# A monthly climatology on any grid: twelve records, January first, whatever the year of their times.
CLIMATOLOGY = Layout(
    name="climatology",
    patterns=("{component}*.nc",),
    variables={
        "bio": ("bio", "nee", "NEE", "bio_flux", "flux"),
        "ocn": ("ocn", "ocean", "co2_flux", "ocn_flux", "flux"),
        "fossil": ("fossil", "ff", "fossil_flux", "flux"),
        "fire": ("fire", "bb", "fire_flux", "flux"),
    },
    units="",
    stamp="",
    months="any",
)

# Any CF file on a global longitude-latitude grid, in units that say an amount of CO2 or carbon. Names whose convention is
# "positive downward" (nbp, fgco2) are not among those tried: such a field has to be turned first.
CF = Layout(
    name="cf",
    patterns=("{component}*.nc",),
    variables={
        "bio": ("bio", "nee", "NEE", "bio_flux", "flux", "emissions"),
        "ocn": ("ocn", "ocean", "ocn_flux", "flux", "emissions"),
        "fossil": ("fossil", "ff", "fossil_flux", "flux", "emissions"),
        "fire": ("fire", "bb", "fire_flux", "flux", "emissions"),
    },
    units="",
    stamp="centre",
)

FORMATS: dict[str, Layout] = {layout.name: layout for layout in (
    GCASV2, CARBONTRACKER, CARBONTRACKER_PRIOR, GFED, ODIAC, CDIAC, TAKAHASHI, CLIMATOLOGY, CF)}
