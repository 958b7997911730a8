"""Prior fluxes: every format that `&prior` reads; one day of each component is read through its reader."""

from __future__ import annotations

import re

import numpy as np

from gcas_driver.errors import GcasError
from gcas_driver.fluxes import priors
from gcas_driver.fluxes.components import COMPONENTS
from gcas_driver.fluxes.priors.layout import Layout
from gcas_driver.fluxes.priors.times import record_times
from gcas_driver.fluxes.units import MOLAR_MASS_CARBON, PGC_PER_YEAR, SECONDS_PER_DAY, flux_units
from gcas_driver.observations.netcdf_fields import open_netcdf

from .findings import Findings, GridPanel
from .glance import Glance
from .settings import directory_of, group_text, matches

GRAMS_A_DAY = MOLAR_MASS_CARBON * SECONDS_PER_DAY
YEAR_MONTH_DAY = re.compile(r"(19|20)(\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
YEAR_MONTH = re.compile(r"(19|20)(\d{2})(0[1-9]|1[0-2])(?!\d)")
YEAR = re.compile(r"(?<!\d)(19|20)(\d{2})(?!\d)")
CODE = re.compile(r"prior_([a-z0-9]{2})")
HINTS = {"fossil": ("fossil", "ff", "odiac", "cdiac", "edgar"), "fire": ("fire", "gfed", "bb"), "ocn": ("ocn", "ocean", "taka", "fgco2"),
         "bio": ("bio", "nee", "nbp")}
"""Parts of file and folder names."""


def describe(format: str):
    """The description of files of one format."""
    def run(seen: Glance, found: Findings) -> None:
        layout = priors.FORMATS[format]
        times = _times(seen)
        if times is not None and times.size and not layout.months:
            found.set_span(times)
            found.facts["records"] = str(times.size)
        day = _a_day(seen, times, layout.months)
        code = CODE.search(seen.path.name) if layout.coded else None
        failures, settings = [], []
        for component, variable in _components(seen, layout):
            given = {"file_pattern": _template(seen.path.name, layout, times is None), "variable": variable,
                     "codes": (code[1],) if code else ()}
            slab, stamp, failure = _first_day(seen, format, component, given, day)
            told = group_text("prior", component=component, format=format, directory=_home(seen, format, component),
                              file_pattern=_pattern(seen, layout, component), variable=variable or None, time_stamp=stamp or None,
                              units="?" if "units" in failure else None, codes=given["codes"] or None)
            if slab is None:
                failures.append(failure)
                if "units" in failure:
                    settings.append(told)
                continue
            _tell(found, component, day, slab)
            settings.append(told)
            if format in ("cf", "climatology", "gcasv2"):  # one flux a file: the first component that can be it
                failures.clear()
                break
        found.setting = "\n".join(settings)
        found.problems += failures if failures or settings else ["no component's flux is in the file"]
    return run


def _tell(found: Findings, component: str, day: np.datetime64, slab: priors.FluxDay) -> None:
    lengths = (slab.end - slab.start) / np.sum(slab.end - slab.start)
    values = np.tensordot(lengths, slab.values, axes=1)
    total = float((values * slab.grid.area).sum()) * PGC_PER_YEAR
    found.facts[f"{component} on {day}"] = f"{total:+.3f} PgC/yr over the globe, {len(slab.start)} interval(s), {slab.grid.name} cells"
    found.add_range(f"{component} flux", slab.values, "mol m-2 s-1")
    found.panels.append(GridPanel(f"{component} flux on {day}, {total:+.2f} PgC/yr", values * GRAMS_A_DAY, slab.grid, "gC m⁻² d⁻¹", True))


def _first_day(seen: Glance, format: str, component: str, given: dict, day: np.datetime64) -> tuple[priors.FluxDay | None, str, str]:
    """A day of fluxes, the meaning of time stamps that it takes ("" for the format's own), and what stands against it."""
    failure = ""
    for stamp in ("", "start", "end"):
        stream = priors.PriorStream(component, format, seen.path.parent, time_stamp=stamp, **given)
        try:
            return next(iter(priors.days(stream, day, day + 1))), stamp, ""
        except GcasError as error:
            failure = failure or f"{component}: {' '.join(str(error).split())}"
    return None, "", failure


def _times(seen: Glance) -> np.ndarray | None:
    if seen.form != "netcdf":
        return None
    try:
        with open_netcdf(seen.path) as dataset:
            return record_times(dataset, seen.path)
    except GcasError:
        return None


def _a_day(seen: Glance, times: np.ndarray | None, months: str) -> np.datetime64:
    """A day that the file has: by its times, else by its name, else any."""
    name = seen.path.name
    if match := YEAR_MONTH_DAY.search(name):
        return np.datetime64("-".join((match[1] + match[2], match[3], match[4])), "D")
    if months != "year" and times is not None and times.size:
        return times[times.size // 2].astype("datetime64[D]")
    if match := YEAR_MONTH.search(name):
        return np.datetime64(f"{match[1]}{match[2]}-{match[3]}-15", "D")
    if found := YEAR.findall(name):
        return np.datetime64(f"{''.join(found[-1])}-07-15", "D")
    return np.datetime64("2010-07-15", "D")


def _components(seen: Glance, layout: Layout) -> list[tuple[str, str]]:
    """(component, variable or "" for the format's own): those whose variables the file has, the one its name tells first.

    A file whose variable has a name of its own, but units of a flux, may be of any component.
    """
    able = [(c, "") for c in COMPONENTS if c in layout.variables]
    if seen.form == "netcdf" and layout.reader == "gridded":
        known = [(c, v) for c, v in able if any(all(seen.has(part) for part in name.split("+")) for name in layout.variables[c])]
        own = next((n for n, v in seen.variables.items() if len(v.dims) in (2, 3) and flux_units(v.units) is not None), "")
        able = known or [(c, own) for c, _ in able if own]
    file, path = seen.path.name.lower(), str(seen.path).lower()
    return sorted(able, key=lambda pair: not any(hint in file or f"/{hint}/" in path for hint in HINTS[pair[0]]))


def _template(name: str, layout: Layout, timeless: bool = False) -> str:
    """The file's name; with placeholders for what formats without times take from it."""
    if layout.coded:
        name = CODE.sub("prior_{code}", name)
    if not (layout.coded or (timeless and layout.name == "cf") or layout.months == "year" or layout.reader in ("gfed", "cdiac")):
        return name
    for pattern, words in ((YEAR_MONTH_DAY, "{date}"), (YEAR_MONTH, "{year}{month}")):
        if pattern.search(name):
            return pattern.sub(words, name, count=1)
    years = list(YEAR.finditer(name))
    return f"{name[:years[-1].start()]}{{year}}{name[years[-1].end():]}" if years else name


def _home(seen: Glance, format: str, component: str) -> str:
    """GCASv2's daily files lie in a folder of the component's name."""
    inside = format == "gcasv2" and seen.path.resolve().parent.name == component
    return str(seen.path.resolve().parents[1]) if inside else directory_of(seen.path)


def _pattern(seen: Glance, layout: Layout, component: str) -> str | None:
    """The name with its date as placeholders, where it is not the format's own."""
    if any(matches(pattern.replace("{component}", component), seen.path.name) for pattern in layout.patterns):
        return None
    name = _template(seen.path.name, layout)
    if name == seen.path.name and layout.months != "any":
        name = YEAR_MONTH_DAY.sub("{date}", name, count=1)
        name = YEAR_MONTH.sub("{year}{month}", name, count=1) if name == seen.path.name else name
    return YEAR.sub("{year}", name, count=1) if name == seen.path.name and layout.months != "any" else name
