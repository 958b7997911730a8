"""Writes what a window leaves behind: `windows/<date>/{observations,analysis,fluxes}.nc`, CF-1.8, whole or not at all.

A file is written beside its place, forced to disk and renamed. Nothing in it depends on the clock, so a continued run writes
the same numbers and attributes as an unbroken one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from mozart_coupling.netcdf import new_netcdf4

from . import __version__
from .analysis import Diagnostics
from .analysis.diagnostics import QUANTITIES

TIME_UNITS = "seconds since 1970-01-01 00:00:00"
FILES = ("observations.nc", "analysis.nc", "fluxes.nc")


@dataclass(frozen=True)
class Heading:
    """Global attributes common to the files of a window.

    Attributes
    ----------
    case, settings_hash : str
    seed, members : int
    window : str
        Its first and last moment, for the title.
    compression : int
        Level, 0 to 9.
    """

    case: str
    settings_hash: str
    seed: int
    members: int
    window: str
    compression: int

    def attributes(self, title: str) -> dict[str, Any]:
        """CF's global attributes and ours."""
        return {
            "Conventions": "CF-1.8",
            "title": f"{title}, case {self.case}, {self.window}",
            "source": f"GCAS {__version__}",
            "history": f"written by gcas {__version__}, settings {self.settings_hash}, seed {self.seed}",
            "references": "Jiang et al., Atmos. Chem. Phys. 21, 1963, 2021",
            "gcas_version": __version__, "settings_hash": self.settings_hash, "seed": np.int64(self.seed), "case": self.case,
        }


class WindowFile:
    """A NetCDF-4 file in the making."""

    def __init__(self, dataset: netCDF4.Dataset, compression: int) -> None:
        self.dataset = dataset
        self.compression = compression

    def dimension(self, name: str, size: int) -> None:
        """Define a dimension."""
        self.dataset.createDimension(name, size)

    def put(self, name: str, dimensions: Sequence[str], values: Any, kind: str = "f8", **attributes: Any) -> None:
        """Define a variable and fill it; `kind` is NetCDF's, or `str`."""
        values = np.asarray(values)
        if kind == "str":
            variable = self.dataset.createVariable(name, str, dimensions)
            variable[:] = np.array([str(v) for v in values.ravel()], dtype=object).reshape(values.shape)
        else:
            compressed = {"zlib": True, "complevel": self.compression, "shuffle": True} if self.compression and values.size > 100 else {}
            fill = {"fill_value": np.nan} if kind in ("f4", "f8") and values.size and not np.isfinite(values).all() else {}
            variable = self.dataset.createVariable(name, kind, dimensions, **compressed, **fill)
            variable[...] = values
        variable.setncatts({key.rstrip("_"): value for key, value in attributes.items()})


@contextmanager
def window_file(path: Path, title: str, heading: Heading) -> Iterator[WindowFile]:
    """A new file that appears under its name only when the context ends well."""
    with new_netcdf4(path) as dataset:
        dataset.setncatts(heading.attributes(title))
        yield WindowFile(dataset, heading.compression)


def seconds(times: np.ndarray) -> np.ndarray:
    """datetime64 → seconds since 1970."""
    return np.asarray(times).astype("datetime64[s]").astype(np.int64).astype(np.float64)


def write_observations(path: Path, heading: Heading, columns: Mapping[str, np.ndarray], simulated: Mapping[str, np.ndarray],
                       supers: Mapping[str, np.ndarray]) -> None:
    """Every observation with its fate and its simulated values, and the super-observations with those of every member.

    Parameters
    ----------
    columns : mapping
        `time lon lat altitude value error product site identifier kind used reason`, each (n_observation,), and
        `super_observation_index` (n_observation,) int, -1 for none.
    simulated : mapping
        `prior background posterior background_spread` (n_observation,) ppm; NaN where not simulated.
    supers : mapping
        `value error lon lat time` (n_super,), `product` (n_super,), `hx_background hx_posterior` (n_super, n_members).
    """
    with window_file(path, "Observations and their simulated values", heading) as out:
        out.dimension("observation", len(columns["time"]))
        out.dimension("super_observation", len(supers["value"]))
        out.dimension("member", heading.members)
        rows = ("observation",)
        out.put("time", rows, columns["time"], units=TIME_UNITS, calendar="standard", standard_name="time")
        out.put("lon", rows, columns["lon"], units="degrees_east", standard_name="longitude")
        out.put("lat", rows, columns["lat"], units="degrees_north", standard_name="latitude")
        out.put("altitude", rows, columns["altitude"], units="m", standard_name="altitude",
                long_name="height above sea level; missing for columns")
        out.put("value", rows, columns["value"], units="ppm", long_name="observed CO2, dry-air mole fraction")
        out.put("error", rows, columns["error"], units="ppm", long_name="standard deviation of the error, as used")
        for name, text in (("prior", "simulated with free-running prior fluxes"),
                           ("background", "ensemble mean of the window's background"),
                           ("posterior", "simulated with posterior fluxes"), ("background_spread", "ensemble standard deviation")):
            out.put(name, rows, simulated[name], units="ppm", long_name=text)
        out.put("used", rows, columns["used"], "i1", flag_values=np.array([0, 1], "i1"), flag_meanings="not_assimilated assimilated")
        for name, text in (("product", "stream"), ("site", "site code"), ("identifier", "identifier within the product"),
                           ("kind", "column or point"), ("reason", "why the observation was not assimilated; empty if it was")):
            out.put(name, rows, columns[name], "str", long_name=text)
        out.put("super_observation_index", rows, columns["super_observation_index"], "i4",
                long_name="super-observation that holds the observation, counted from 0; -1: none")
        _put_supers(out, supers)


def _put_supers(out: WindowFile, supers: Mapping[str, np.ndarray]) -> None:
    rows = ("super_observation",)
    out.put("super_observation_time", rows, supers["time"], units=TIME_UNITS, calendar="standard")
    out.put("super_observation_lon", rows, supers["lon"], units="degrees_east")
    out.put("super_observation_lat", rows, supers["lat"], units="degrees_north")
    out.put("super_observation_value", rows, supers["value"], units="ppm", long_name="super-observation")
    out.put("super_observation_error", rows, supers["error"], units="ppm", long_name="standard deviation of its error")
    out.put("super_observation_product", rows, supers["product"], "str", long_name="stream")
    for name, text in (("hx_background", "before"), ("hx_posterior", "after")):
        out.put(name, (*rows, "member"), supers[name], units="ppm",
                long_name=f"simulated super-observation of each member {text} the analysis")


def write_analysis(path: Path, heading: Heading, analysis: Mapping[str, np.ndarray], diagnostics: Diagnostics,
                   rejected_share: float | None, inflation: float | None) -> None:
    """Scaling factors of every member before and after the analysis, and how the analysis behaved.

    Where components have λ cells of their own, the dimension `parameter` is as long as the most numerous ones', `lon` and `lat` are
    (component, parameter), `n_parameters` says how many each component has, and what is beyond is NaN (0 in whole numbers).

    Parameters
    ----------
    analysis : mapping
        `component` (n_component,) names; `lon lat` (n_parameter,) or (n_component, n_parameter) degrees, the latter with `n_parameters`
        (n_component,); `factor_prior factor_posterior` (n_component, n_parameter,
        n_members); `factor_mean lambda n_observations sign` (n_component, n_parameter).
    diagnostics : Diagnostics
    rejected_share : float or None
        Of the pairs within reach, by localization; None: there were no observations.
    inflation : float or None
        Factor by which the analysis multiplied the prior perturbations; None: there was none.
    """
    with window_file(path, "Scaling factors of the fluxes", heading) as out:
        n_component, n_parameter = analysis["factor_mean"].shape
        out.dimension("component", n_component)
        out.dimension("parameter", n_parameter)
        out.dimension("member", heading.members)
        out.put("component", ("component",), analysis["component"], "str", long_name="optimised flux component")
        place = ("component", "parameter")[-analysis["lon"].ndim:]
        out.put("lon", place, analysis["lon"], units="degrees_east", standard_name="longitude")
        out.put("lat", place, analysis["lat"], units="degrees_north", standard_name="latitude")
        if "n_parameters" in analysis:
            out.put("n_parameters", ("component",), analysis["n_parameters"], "i4", units="1", long_name="parameters of the component")
        grid, members = ("component", "parameter"), ("component", "parameter", "member")
        out.put("factor_prior", members, analysis["factor_prior"], "f4", units="1", long_name="prior scaling factor of each member")
        out.put("factor_posterior", members, analysis["factor_posterior"], "f4", units="1",
                long_name="posterior scaling factor of each member")
        out.put("factor_mean", grid, analysis["factor_mean"], units="1", long_name="posterior scaling factor")
        out.put("lambda", grid, analysis["lambda"], units="1", long_name="standard deviation of the prior scaling factor")
        out.put("n_observations", grid, analysis["n_observations"], "i4", units="1",
                long_name="super-observations that passed the parameter's localization")
        out.put("sign", grid, analysis["sign"], "i1", flag_values=np.array([-1, 0, 1], "i1"), flag_meanings="sink no_rule source",
                long_name="sign of the prior flux in the window")
        out.put("inflation", (), np.nan if inflation is None else inflation, units="1",
                long_name="factor of the prior perturbations in the analysis; factor_prior is without it")
        _put_diagnostics(out, diagnostics, rejected_share)


def _put_diagnostics(out: WindowFile, diagnostics: Diagnostics, rejected_share: float | None) -> None:
    group = ("diagnostic_group",)
    out.dimension("diagnostic_group", len(diagnostics.groups))
    out.dimension("rank_bin", diagnostics.rank_count.shape[1])
    out.put("diagnostic_group", group, diagnostics.groups, "str", long_name="group of super-observations: all, by product, by region")
    for name, (units, text) in QUANTITIES.items():
        out.put(f"diagnostic_{name}", group, diagnostics.values[name], units=units, long_name=text)
    out.put("diagnostic_rank_count", (*group, "rank_bin"), diagnostics.rank_count, "i4", units="1",
            long_name="super-observations by the rank of the observed value among the members' simulated ones, equally likely bins")
    out.put("rejected_share", (), np.nan if rejected_share is None else rejected_share, units="1",
            long_name="pairs of parameter and super-observation within reach that localization rejected")


def write_fluxes(path: Path, heading: Heading, fluxes: Mapping[str, np.ndarray]) -> None:
    """Prior and posterior fluxes and every member's regional totals.

    Parameters
    ----------
    fluxes : mapping
        `component` (n_component,) names, `optimised` (n_component,) bool, `region` (n_region,) names, `lon lat` degrees, `area` (lat, lon)
        m2, `time_bounds` (n_time, 2) seconds since 1970, `flux_prior flux_posterior` (n_component, n_time, lat, lon) mol m-2 s-1,
        `region_total_prior region_total_posterior` (n_component, n_region, n_members) PgC/yr.
    """
    with window_file(path, "Surface fluxes of CO2", heading) as out:
        bounds = fluxes["time_bounds"]
        for name, size in (("time", len(bounds)), ("lat", len(fluxes["lat"])), ("lon", len(fluxes["lon"])), ("nv", 2),
                           ("component", len(fluxes["component"])), ("region", len(fluxes["region"])), ("member", heading.members)):
            out.dimension(name, size)
        out.put("time", ("time",), bounds.mean(axis=1), units=TIME_UNITS, calendar="standard", standard_name="time", bounds="time_bounds")
        out.put("time_bounds", ("time", "nv"), bounds, units=TIME_UNITS, calendar="standard")
        out.put("lat", ("lat",), fluxes["lat"], units="degrees_north", standard_name="latitude")
        out.put("lon", ("lon",), fluxes["lon"], units="degrees_east", standard_name="longitude")
        out.put("component", ("component",), fluxes["component"], "str", long_name="flux component")
        out.put("optimised", ("component",), fluxes["optimised"], "i1", flag_values=np.array([0, 1], "i1"), flag_meanings="kept optimised")
        out.put("region", ("region",), fluxes["region"], "str", long_name="region")
        out.put("area", ("lat", "lon"), fluxes["area"], units="m2", standard_name="cell_area")
        field = ("component", "time", "lat", "lon")
        for name, text in (("prior", "prior"), ("posterior", "posterior")):
            out.put(f"flux_{name}", field, fluxes[f"flux_{name}"], "f4", units="mol m-2 s-1", cell_methods="time: mean area: mean",
                    cell_measures="area: area", long_name=f"{text} surface flux of CO2, positive into the air")
        for name in ("prior", "posterior"):
            out.put(f"region_total_{name}", ("component", "region", "member"), fluxes[f"region_total_{name}"], units="PgC/yr",
                    long_name=f"{name} flux of each member, regional total, mean over the window")
