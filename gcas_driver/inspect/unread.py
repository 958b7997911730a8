"""Files that are known, but read only after a word of the user's: columns of other products, reanalyses as downloaded."""

from __future__ import annotations

from .findings import Findings
from .glance import Glance
from .settings import directory_of, group_text


def describe_other(seen: Glance, found: Findings) -> None:
    """Columns that no reader knows: a map of variables to be filled in."""
    found.setting = (group_text("satellite", product="mapped", map="own", directory=directory_of(seen.path), file_pattern=seen.path.name)
                     + "\n" + group_text("column_map", name="own", **_likely(seen)))
    found.facts["use"] = "complete the &column_map group: docs/user/inputs/satellites.md"


LIKELY = {"time": ("time",), "latitude": ("latitude", "lat"), "longitude": ("longitude", "lon"), "xco2": ("xco2",),
          "uncertainty": ("xco2_uncertainty", "xco2_error", "uncertainty"), "pressure": ("pressure_levels", "pressure"),
          "pressure_weight": ("pressure_weight",), "averaging_kernel": ("xco2_averaging_kernel", "averaging_kernel"),
          "prior_profile": ("co2_profile_apriori", "prior_profile")}


def _likely(seen: Glance) -> dict[str, str]:
    lower = {n.split("/")[-1].lower(): n for n in seen.variables}
    return {key: next((lower[n] for n in names if n in lower), "?") for key, names in LIKELY.items()}


def describe_reanalysis(seen: Glance, found: Findings) -> None:
    """Fields of a reanalysis: to be converted."""
    found.facts["use"] = "`gcas met` makes met files from ERA5, ERA-Interim and GEOS as downloaded: docs/user/meteorology.md"
