"""The table of all kinds of files: how each is recognised, in words, and who describes it. A new format is one row.

Rows are tried in order, the first that recognises a file has it: what has a signature of its own comes before what is merely gridded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from gcas_driver.fluxes.priors.layout import LAT_NAMES, LON_NAMES
from gcas_driver.fluxes.region_masks import MASK_VARIABLES, ONE_A_REGION
from gcas_driver.fluxes.units import flux_units
from gcas_driver.initial import carbontracker
from mozart_coupling.contract import VMR_SUFFIX

from . import columns, fields, fluxes, ground, ours, points, unread
from .findings import Findings
from .glance import Glance

EN = re.compile(r"EN\d{3,}")


@dataclass(frozen=True)
class Kind:
    """One row.

    Attributes
    ----------
    name, title : str
    recognises : callable
        Structure → whether the file is of this kind.
    describe : callable
        Fills the findings; may raise GCAS's errors.
    signature : tuple of str
        Variables, or words of text, by which an unknown file is likened to this kind.
    """

    name: str
    title: str
    recognises: Callable[[Glance], bool]
    describe: Callable[[Glance, Findings], None]
    signature: tuple[str, ...] = ()


def _platform(text: str) -> Callable[[Glance], bool]:
    """A Lite file of an instrument, by its attribute or else its name."""
    def test(seen: Glance) -> bool:
        if not seen.has("sounding_id", "xco2") or not seen.has_any("pressure_levels") or seen.has_any("sigma_levels", "model_error"):
            return False
        said = (seen.attributes.get("Platform", "") or seen.path.name).lower().replace("-", "").replace("_", "")
        return text in said if text else True
    return test


def _text(*words: str) -> Callable[[Glance], bool]:
    """A text file with all these words in its first lines."""
    def test(seen: Glance) -> bool:
        head = "\n".join(seen.lines).lower()
        return seen.form == "text" and all(word in head for word in words)
    return test


def _has(*names: str) -> Callable[[Glance], bool]:
    return lambda seen: seen.has(*names)


def _first_data(seen: Glance) -> list[str]:
    return next((line.replace(",", " ").split() for line in seen.lines if line.strip() and not line.lstrip().startswith("#")), [])


def _noaa_text(seen: Glance) -> bool:
    return seen.form == "text" and bool(seen.lines) and re.match(r"#\s*(number_of_)?header_lines", seen.lines[0]) is not None


def _is_means(seen: Glance) -> bool:
    """NOAA's tables of means: few columns, none of them a sample's."""
    if not _noaa_text(seen):
        return False
    name = seen.path.name.lower()
    return "month" in name or "daily" in name or "data_fields: site year month value" in "\n".join(seen.lines)


def _gcasv2_surface(seen: Glance) -> bool:
    words = _first_data(seen)
    return seen.form == "text" and len(words) >= 8 and re.fullmatch(r"(19|20)\d{6}", words[-7]) is not None


def _cdiac(seen: Glance) -> bool:
    words = " ".join(seen.lines[:40]).split()
    try:
        [float(w) for w in words[:200]]
    except ValueError:
        return False
    return seen.form == "text" and len(words) >= 40 and (seen.size > 2 * 180 * 360 or seen.path.suffix == ".gz")


def _table_of_points(seen: Glance) -> bool:
    head = " ".join(seen.lines[:200]).lower()
    return seen.form == "text" and all(re.search(rf"\b{word}", head) for word in ("lat", "lon", "month")) and "flux" in head


def _csv(seen: Glance) -> bool:
    if seen.form != "text":
        return False
    for line in seen.lines[:150]:
        names = [word.strip(" #\"'").lower() for word in re.split("[;,\t]", line)]
        if len(names) >= 4 and all(len(n) < 30 for n in names) and any(re.match(r"co2|value|xco2", n) for n in names) \
                and any(re.search(r"year|date|time", n) for n in names):
            return True
    return False


def _namelist(*groups: str) -> Callable[[Glance], bool]:
    def test(seen: Glance) -> bool:
        found = {m[1].lower() for line in seen.lines if (m := re.match(r"\s*&(\w+)", line))}
        return seen.form == "text" and set(groups) <= found
    return test


def _namelist_row(what: str, advice: str) -> Callable[[Glance, Findings], None]:
    def describe(seen: Glance, found: Findings) -> None:
        found.facts["groups"] = ", ".join(m[1] for line in seen.lines if (m := re.match(r"\s*&(\w+)", line)))
        found.facts["use"] = advice
    return describe


def _gridded(seen: Glance, n_dims: int = 3) -> list[str]:
    """Variables on latitude, longitude and further dimensions, n_dims in all."""
    lat, lon = seen.find(*LAT_NAMES), seen.find(*LON_NAMES)
    if lat is None or lon is None or len(lat.dims) != 1 or len(lon.dims) != 1:
        return []
    return [n for n, v in seen.variables.items() if len(v.dims) == n_dims and {lat.dims[0], lon.dims[0]} <= set(v.dims) and v.kind in "iuf"]


def _mask(seen: Glance) -> bool:
    planes = _gridded(seen, 2)
    names = [n.lower() for n in seen.variables]
    if any(ONE_A_REGION.fullmatch(n) for n in seen.variables) or any(n in names for n in ("transcom_regions", "mask64")):
        return True
    known = [n for n in MASK_VARIABLES if n in names and seen.find(n) is not None and len(seen.find(n).dims) == 2]
    return bool(known) or (len(planes) == 1 and seen.variables[planes[0]].kind in "iu")


def _fluxes_of(seen: Glance) -> list[str]:
    """Gridded variables, with time or without, whose units are those of a flux."""
    return [n for n in (*_gridded(seen), *_gridded(seen, 2)) if flux_units(seen.variables[n].units) is not None]


def _climatology(seen: Glance) -> bool:
    """Twelve records of no year in particular."""
    named = _fluxes_of(seen)
    time = seen.find("time", "T", "month")
    ageless = time is None or "since" not in time.units or "since 000" in time.units or "months" in time.units
    return any(12 in seen.variables[n].shape for n in named) and ("clim" in seen.path.name.lower() or ageless)


def _carbontracker_flux(seen: Glance) -> bool:
    return any(re.search(r"(flux_(opt|imp|prior|imposed|optimized)|_(imposed|imp|opt|optimized))$", n) and len(v.dims) == 3
               for n, v in seen.variables.items())


def _molefrac(seen: Glance) -> bool:
    values = seen.find(*carbontracker.VALUES)
    return values is not None and len(values.dims) >= 3 and seen.has_any(*carbontracker.PRESSURES)


def _points_netcdf(seen: Glance) -> bool:
    return seen.has("value", "latitude", "longitude") and seen.has_any("time", "time_components", "time_decimal")


KINDS: tuple[Kind, ...] = (
    Kind("gcas_fluxes", "fluxes of a window, written by GCAS", _has("flux_posterior", "region_total_posterior"), ours.describe_fluxes),
    Kind("gcas_analysis", "analysis of a window, written by GCAS", _has("factor_prior", "factor_posterior"), ours.describe_analysis),
    Kind("gcas_observations", "observations of a window, written by GCAS", _has("value", "prior", "background", "posterior", "reason"),
         ours.describe_observations),
    Kind("oco2_mip", "10-second averages of the OCO-2 or OCO-3 model intercomparison",
         lambda s: s.has("sounding_id", "xco2") and s.has_any("sigma_levels", "model_error", "assimilate_flag"),
         columns.describe("oco2_mip"),
         ("sounding_id", "sigma_levels", "psurf", "xco2", "model_error", "assimilate_flag")),
    Kind("oco3_lite", "OCO-3 Lite file", _platform("oco3"), columns.describe("oco3_lite")),
    Kind("oco2_lite", "OCO-2 Lite file", _platform("oco2"), columns.describe("oco2_lite")),
    Kind("acos_lite", "ACOS GOSAT Lite file", _platform(""), columns.describe("acos_lite"),
         ("sounding_id", "xco2", "xco2_uncertainty", "xco2_quality_flag", "pressure_levels", "pressure_weight", "xco2_averaging_kernel")),
    Kind("gcasv2_satellite", "soundings of a day in GCASv2's layout", _has("xco2", "averagingKernel", "weightingfunction"),
         columns.describe("gcasv2_satellite"), ("xco2", "xco2unc", "averagingKernel", "weightingfunction", "constraintvector")),
    Kind("tccon", "TCCON, GGG2020", _has("xco2", "ak_xco2", "prior_co2"), ground.describe("tccon"),
         ("xco2", "ak_xco2", "prior_co2", "integration_operator", "prior_pressure")),
    Kind("tccon_ggg2014", "TCCON, GGG2014", _has("xco2_ppm"), ground.describe("tccon"), ("xco2_ppm", "ak_co2", "prior_co2", "zobs_km")),
    Kind("tccon_mip", "hourly averages of TCCON, of the OCO-2 model intercomparison", _has("CO2/column_mixing", "CO2/avg_kernel"),
         ground.describe("tccon_mip"), ("CO2/column_mixing", "CO2/avg_kernel", "CO2/p_levels_prior")),
    Kind("other_columns", "columns of a product without a reader of its own",
         lambda s: any(n.split("/")[-1].lower() == "xco2" for n in s.variables), unread.describe_other,
         ("xco2", "averaging_kernel", "pressure_levels")),
    Kind("noaa_netcdf", "NOAA GML's own NetCDF file of one site", lambda s: _points_netcdf(s) and s.has_any("event_number")
         and not s.has_any("obspack_id"), points.describe("noaa_flask")),
    Kind("obspack", "ObsPack file", lambda s: _points_netcdf(s) and s.has_any("obspack_id", "obs_num", "obspack_num", "qcflag"),
         points.describe("obspack"), ("value", "time", "latitude", "longitude", "altitude", "qcflag", "obspack_id")),
    Kind("carbontracker_molefrac", "CarbonTracker's mole fractions in three dimensions", _molefrac, fields.describe_initial,
         ("co2", "pressure", "gph", "latitude", "longitude")),
    Kind("carbontracker_prior", "a prior flux of CarbonTracker, named by its code",
         lambda s: s.form == "netcdf" and fluxes.CODE.search(s.path.name) is not None and bool(_gridded(s)),
         fluxes.describe("carbontracker_prior")),
    Kind("carbontracker_flux", "CarbonTracker's fluxes", lambda s: bool(_gridded(s)) and _carbontracker_flux(s),
         fluxes.describe("carbontracker"),
         ("bio_flux_opt", "ocn_flux_opt", "fossil_flux_imp", "fire_flux_imp")),
    Kind("gfed", "GFED4.1s", lambda s: any(re.fullmatch(r"emissions/\d\d/(C|DM)", n) for n in s.variables), fluxes.describe("gfed"),
         ("emissions/01/C", "emissions/01/DM", "ancill/grid_cell_area")),
    Kind("odiac", "ODIAC on one degree", lambda s: s.has_any("land", "intl_bunker") and bool(_gridded(s)) and "odiac" in
         (s.path.name + " ".join(s.attributes.values())).lower(), fluxes.describe("odiac"), ("land", "intl_bunker")),
    Kind("gcasv2_prior", "prior flux of a day in GCASv2's layout", lambda s: s.has("emissions") and len(s.find("emissions").dims) == 3
         and not s.find("emissions").units, fluxes.describe("gcasv2"), ("emissions", "date", "datesec")),
    Kind("history", "history of the transport model", lambda s: any(n.endswith(VMR_SUFFIX) for n in s.variables), fields.describe_initial,
         ("EN001_VMR_avrg", "PS", "hyam", "hybm")),
    Kind("meteorology", "meteorology of a day in the contract's form", lambda s: s.has("T", "U", "V", "PS", "hyai", "hybi"),
         fields.describe_met, ("T", "U", "V", "Q", "PS", "hyai", "hybi", "date", "datesec")),
    Kind("emissions", "surface flux of a tracer in the contract's form", lambda s: s.has("CO2", "date", "datesec") and
         len(s.find("CO2").dims) == 3 and not s.has_any("hyam"), fields.describe_emissions),
    Kind("master_restart", "master restart of the embedded model", lambda s: "restart_file" in s.attributes, ours.describe_part),
    Kind("restart", "restart or initial file of the transport model", lambda s: s.form == "netcdf" and s.has_any("hyam", "lev") and
         any(EN.fullmatch(n) or n == "CO2" for n in s.variables), fields.describe_initial, ("EN001", "CO2", "PS", "hyam", "hybm")),
    Kind("transport_part", "working file of the transport model", lambda s: s.has("mixing_ratio", "column") or
         s.has("time_start", "time_end", "lon", "lat") or {"components", "tracers"} & set(s.attributes) != set(), ours.describe_part),
    Kind("spei", "drought index SPEI", _has("spei"), fields.describe_ancillary("spei"), ("spei", "lat", "lon", "time")),
    Kind("regions", "mask of regions", lambda s: s.form == "netcdf" and _mask(s), fields.describe_regions, MASK_VARIABLES),
    Kind("reanalysis", "reanalysis as downloaded", lambda s: s.has("t", "u", "v") and s.has_any("q", "sp", "lnsp", "ps", "delp", "omega"),
         unread.describe_reanalysis, ("t", "u", "v", "q", "lnsp", "sp")),
    Kind("climatology", "monthly climatology of a flux", _climatology, fluxes.describe("climatology")),
    Kind("cf_flux", "gridded flux that states its units", lambda s: bool(_fluxes_of(s)), fluxes.describe("cf"), ("flux", "nee", "fgco2")),
    Kind("gridded", "monthly field on a global grid", lambda s: bool(_gridded(s)) and s.has_any("time"),
         fields.describe_ancillary("gridded")),
    Kind("obspack_text", "ObsPack file, text", lambda s: _noaa_text(s) and _text("obspack_id")(s), points.describe("obspack"),
         ("obspack_id", "nvalue")),
    Kind("noaa_means", "NOAA GML's table of means", _is_means, points.describe_means),
    Kind("noaa_text", "NOAA GML's samples of one site, text", _noaa_text, points.describe("noaa_flask"),
         ("header_lines", "data_fields", "contact", "noaa")),
    Kind("gcas_namelist", "namelist of GCAS", _namelist("case", "time"), _namelist_row("GCAS", "gcas check, gcas run")),
    Kind("gcasv2_namelist", "namelist of GCASv2", _namelist("time_control", "assimilation"),
         _namelist_row("GCASv2", "gcas import turns it into a namelist of GCAS")),
    Kind("mozart_namelist", "namelist of the transport model", _namelist("nlist"),
         _namelist_row("MOZART", "namelist_template of &transport")),
    Kind("polygons", "regions as polygons", lambda s: s.form == "text" and any(re.match(r"\s*region\s+\S", line, re.I) for line in s.lines),
         fields.describe_regions, ("region", "hole")),
    Kind("gcasv2_surface", "samples of a day in GCASv2's layout", _gcasv2_surface, points.describe("gcasv2_surface")),
    Kind("cdiac", "CDIAC's gridded inventory", _cdiac, fluxes.describe("cdiac")),
    Kind("takahashi", "climatology of sea-air fluxes as a table of points", _table_of_points, fluxes.describe("takahashi"),
         ("lat", "lon", "month", "flux")),
    Kind("csv", "table of samples, such as ICOS's", _csv, points.describe("csv"), ("co2", "stdev", "flag", "year")),
    Kind("lai3g", "GIMMS LAI3g, half a month", lambda s: s.form == "binary" and (s.path.suffix.lower() == ".abl" or
         s.size == 2 * 2160 * 4320), fields.describe_ancillary("lai3g")),
)


def nearest(seen: Glance) -> str:
    """The kind whose signature the file has most of, with what is found and what lacks; "" if it is like none."""
    names = {n.lower() for n in seen.variables} | {n.split("/")[-1].lower() for n in seen.variables}
    head = "\n".join(seen.lines).lower()
    best, share = "", 0.25
    for kind in KINDS:
        if not kind.signature:
            continue
        there = [n for n in kind.signature if n.lower() in names or (head and n.lower() in head)]
        if len(there) / len(kind.signature) > share:
            share = len(there) / len(kind.signature)
            lacking = [n for n in kind.signature if n not in there]
            best = f"{kind.title}: has {', '.join(there)}" + (f"; lacks {', '.join(lacking)}" if lacking else "")
    return best
