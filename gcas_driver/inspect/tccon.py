"""Columns without a stream of their own: TCCON, unknown products; and reanalyses as downloaded."""

from __future__ import annotations

import numpy as np

from gcas_driver.observations.netcdf_fields import find_variable, open_netcdf, read_numbers

from .findings import Findings, LinePanel
from .glance import Glance
from .settings import directory_of, group_text


def describe(seen: Glance, found: Findings) -> None:
    """A TCCON site: series of XCO2, and a profile of its kernel."""
    with open_netcdf(seen.path) as dataset:
        time = find_variable(dataset, ("time",))
        seconds = read_numbers(time, time.shape)
        if str(getattr(time, "units", "")).startswith("days"):
            seconds = 86400.0 * seconds
        value = find_variable(dataset, ("xco2", "xco2_ppm"))
        xco2 = read_numbers(value, value.shape)
        found.set_span(seconds)
        found.add_range(value.name, xco2, str(getattr(value, "units", "ppm")))
        for names, unit in ((("xco2_x2019",), "ppm"), (("xco2_error", "xco2_ppm_error"), "ppm"), (("solzen", "asza_deg"), "degrees"),
                            (("lat", "lat_deg"), "degrees"), (("long", "long_deg"), "degrees")):
            other = find_variable(dataset, names)
            if other is not None:
                found.add_range(other.name, read_numbers(other, other.shape), unit)
        kernel, pressure = find_variable(dataset, ("ak_xco2",)), find_variable(dataset, ("ak_pressure",))
        found.facts["spectra"] = str(xco2.size)
        found.facts["site"] = seen.attributes.get("long_name", seen.attributes.get("site", seen.path.name[:2]))
        at = seconds.astype("int64").astype("datetime64[s]")
        found.panels.append(LinePanel("XCO2", {"xco2": (at, xco2)}, y="ppm", time=True, marks=True))
        if kernel is not None and pressure is not None and kernel.ndim == 2:
            profile = np.nanmean(read_numbers(kernel, kernel.shape), axis=0)
            levels = read_numbers(pressure, pressure.shape)
            levels = levels.mean(axis=0) if levels.ndim == 2 else levels
            if levels.shape == profile.shape:
                found.panels.append(LinePanel("mean averaging kernel", {"kernel": (profile, levels)}, "1", "hPa", True))


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
