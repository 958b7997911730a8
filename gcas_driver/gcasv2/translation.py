"""GCASv2's namelist and directories in GCAS's words, with what has no counterpart."""

from __future__ import annotations

import os
import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import directories
from .directories import COMPONENTS, Held
from .namelist import TABLE, OldNamelist

DEGREES_OF_CELLS = {96: (1.85, 1.9), 144: (2.5, 2.5), 192: (0.9, 0.95)}
RADII_KM = (10.0, 20100.0)
KNOWN_YEAR, KNOWN_PPM, GROWTH_PPM = 2010, 388.7, 2.35
"""Global mean of the marine surface (NOAA GML) and its growth in a year: good to 2 ppm from 2000 to 2025."""

PRODUCTS = {"isgosat": ("gosat", "obsdir_gosat"), "isoco2": ("oco2", "obsdir_oco2"), "istansat": ("tansat", "obsdir_tansat")}
NO_COUNTERPART = {
    "nrt": "GCAS runs what its &time says, past or near-real time alike",
    "l_ratio": "",
    "opt_dir": "GCAS writes into the case's directory: `directory` in &case",
    "debug": "everything is in gcas.log in the case's directory",
    "resb": "GCAS reads the grid of the flux files from the files",
}
FIELD_PRACTICE = (
    "Not in the namelist but in the code or the scripts of groups that run GCASv2; say it here where you want it:",
    "  errors of OCO-2 times 3.5 before the super-observations:  error_factor = 3.5 in its &satellite",
    "  XCO2 from X2007 to X2019: value_factor = 1.00079, value_offset_ppm = -0.142, scale = 'X2019' in &satellite",
    "  at most 20 observations a parameter:  max_observations = 20, max_observations_by = 'correlated' in &analysis",
    "  factors held between 0.1 and 10: no counterpart in GCAS",
)


@dataclass
class Translation:
    """A namelist of GCAS in the making.

    Attributes
    ----------
    text : str
        The namelist.
    taken : list of str
        What was taken over, for the screen.
    left : list of str
        What has no counterpart.
    doubtful : list of str
        What is documented nowhere, and how it was taken.
    found : list of str
        What the directories lack.
    """

    text: str = ""
    taken: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)


def translate(old: OldNamelist, target: Path) -> Translation:
    """The namelist of GCAS for `target`, relative to whose directory paths are written where they were relative."""
    result = Translation()
    days = directories.days_of(old.start, old["rundays"])
    groups = [_case(old, result), _time(old, result), _state(old, result), _analysis(old, result),
              *_priors(old, target, days, result)]
    streams, ppm = _streams(old, target, days, result)
    groups += [_initial(old, ppm, result), *streams, _transport(old, target, result)]
    _tell_the_rest(old, result)
    result.text = "\n".join([*_head(old, result), "", *groups]) + "\n"
    return result


def _case(old: OldNamelist, result: Translation) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]", "_", old["casename"]).lstrip("_-")[:20] or "gcasv2"
    changed = "" if name == old["casename"] else f" for '{old['casename']}': a name has 1 to 20 letters, digits, '_' or '-'"
    result.taken.append(f"casename → &case name = '{name}'{changed}")
    return f"&case\n  name = '{name}'\n/\n"


def _time(old: OldNamelist, result: Translation) -> str:
    result.taken.append(f"year, month, day, rundays, da_step → &time: {old['rundays']} days from {old.start}, windows of {old['da_step']}")
    return f"&time\n  start = '{old.start}'\n  days = {old['rundays']}\n  window_days = {old['da_step']}\n/\n"


def _state(old: OldNamelist, result: Translation) -> str:
    net = bool(old["netflux"])
    scheme = "net" if net else "bio_ocn"
    why = "netflux: the sum of the components is optimised as one" if net else "the paper's; GCASv2's opt_scheme is documented nowhere"
    if old["netflux"] is not None:
        result.taken.append(f"netflux → &state scheme = '{scheme}'")
    if not net or old["opt_scheme"] is not None:
        shown = "" if old["opt_scheme"] is None else f" = {old['opt_scheme']}"
        result.doubtful.append(f"opt_scheme{shown}: which number is which scheme is documented nowhere; scheme = '{scheme}' was written: "
                               "choose among 'bio', 'bio_ocn', 'bio_ocn_fossil', 'net', 'bio_ocn_fire'")
    lines = ["&state", f"  scheme = '{scheme}'".ljust(32) + f"! {why}", f"  members = {old['ensemble']}"]
    result.taken.append(f"ensemble → &state members = {old['ensemble']}")
    if old["bunc"]:
        names = ("lambda_bio", "lambda_ocn", "lambda_fossil")
        lines += [f"  {name} = {value:g}" for name, value in zip(names, old["bunc"], strict=True)]
        result.taken.append("bunc → &state " + ", ".join(f"{n} = {v:g}" for n, v in zip(names, old["bunc"], strict=True)))
        result.doubtful.append("bunc: the order of its three numbers is documented nowhere; taken as λ of BIO, OCN, FOSSIL")
    return "\n".join([*lines, "/\n"])


def _analysis(old: OldNamelist, result: Translation) -> str:
    lines = ["&analysis"]
    if old["l_scale"]:
        near, far = old["l_scale"]
        shown = f"L_scale = {near:g}, {far:g}"
        if RADII_KM[0] <= near <= far <= RADII_KM[1]:
            lines += [f"  near_km = {near:g}".ljust(32) + "! L_scale, taken for two radii in km", f"  far_km = {far:g}"]
            result.taken.append(f"L_scale → &analysis near_km = {near:g}, far_km = {far:g}")
            result.doubtful.append(f"{shown}: unit and meaning are documented nowhere; taken as the paper's two radii of localization "
                                   "in km (500 and 3000 there)")
        else:
            lines.append(f"  ! {shown}: not two radii in km; GCAS's own are near_km = 500, far_km = 3000")
            result.doubtful.append(f"{shown}: unit and meaning are documented nowhere, and these are no two radii in km in ascending "
                                   "order; not used: near_km = 500, far_km = 3000 hold")
    return "\n".join([*lines, "/\n"])


def _priors(old: OldNamelist, target: Path, days: np.ndarray, result: Translation) -> list[str]:
    directory = old.directory("priordir")
    groups = []
    for component in COMPONENTS:
        held = directories.priors(directory, component, days)
        _tell_directory(old, "priordir", f"{component} fluxes", directory, held, result)
        if held.first is None and component in ("fossil", "fire") and directory.is_dir():
            groups.append(f"! no files of {component} in {_written(directory, old['priordir'], old, target)}: GCAS takes it for zero\n")
            continue
        pattern = f", file_pattern = '{held.pattern}'" if held.pattern not in ("", directories.PATTERNS[0]) else ""
        groups.append(f"&prior\n  component = '{component}', format = 'gcasv2', "
                      f"directory = '{_written(directory, old['priordir'], old, target)}'{pattern}\n/\n")
    result.taken.append(f"priordir → &prior of {', '.join(c for c, g in zip(COMPONENTS, groups, strict=True) if g.startswith('&'))}")
    return groups


def _streams(old: OldNamelist, target: Path, days: np.ndarray, result: Translation) -> tuple[list[str], list[float]]:
    """Groups of the observations that are switched on, and medians of what they observed first."""
    groups, ppm = [], []
    for switch, (name, key) in PRODUCTS.items():
        on = bool(old[switch]) and old["issat"] in (None, True)
        if not on:
            _tell_switched_off(old, switch, key, result)
            continue
        directory = old.directory(key)
        held = directories.soundings(directory, days)
        _tell_directory(old, key, f"soundings of {name}", directory, held, result)
        ppm += [directories.median_ppm(held.first)] if held.first else []
        groups.append(f"&satellite\n  product = 'gcasv2_satellite', name = '{name}'\n"
                      f"  directory = '{_written(directory, old[key], old, target)}'\n"
                      "  scale = 'unknown'             ! the files do not tell: X2007 or X2019\n/\n")
        result.taken.append(f"{switch}, {key} → &satellite name = '{name}'")
    if old["issrf"]:
        directory = old.directory("obsdir_srf")
        held = directories.surface(directory, days)
        _tell_directory(old, "obsdir_srf", "surface samples", directory, held, result)
        ppm += [directories.median_ppm(held.first)] if held.first else []
        groups.append(f"&surface\n  format = 'gcasv2_surface', name = 'surface'\n"
                      f"  directory = '{_written(directory, old['obsdir_srf'], old, target)}'\n  scale = 'unknown'\n/\n")
        result.taken.append("issrf, obsdir_srf → &surface name = 'surface'")
    else:
        _tell_switched_off(old, "issrf", "obsdir_srf", result)
    if groups:
        result.doubtful.append("opmode in files of soundings and the last number in files of surface samples: their codes are documented "
                               "nowhere; GCAS reads all of them alike (`modes = '0', …` in &satellite would select by opmode)")
    return groups, [value for value in ppm if value is not None]


def _initial(old: OldNamelist, ppm: list[float], result: Translation) -> str:
    if ppm:
        value, why = round(ppm[0], 1), "median of the first day's observations"
    else:
        value = round(KNOWN_PPM + GROWTH_PPM * (old["year"] - KNOWN_YEAR), 1)
        why = f"about the global mean of {old['year']}: no observation told it"
    result.doubtful.append(f"initial field: not in GCASv2's namelist; uniform_ppm = {value:g} was written ({why}). With `file` a run "
                           "starts from a field of CarbonTracker or MOZART-4")
    return f"&initial\n  uniform_ppm = {value:.1f}".ljust(42) + f"! {why}\n/\n"


def _transport(old: OldNamelist, target: Path, result: Translation) -> str:
    lines = ["&transport", "  model = 'embedded'".ljust(32) + "! MOZART-4 itself: namelists/mozart4_site.nml"]
    directory = old.directory("mozartdir")
    met = directories.meteorology(directory, old.start) if directory and directory.is_dir() else None
    if met:
        lines += [f"  met_directory = '{_written(met[0], old['mozartdir'], old, target)}'", f"  met_prefix = '{met[1]}'"]
        result.taken.append(f"mozartdir → &transport met_directory, met_prefix = '{met[1]}': met files of MOZART-4's form")
        if old["resm"] is not None:
            result.left.append(f"resm = {old['resm']}: the grid is read from the met files")
    else:
        if directory:
            state = "holds no met files of MOZART-4's form for the first day" if directory.is_dir() else "does not exist"
            result.found.append(f"{old.where('mozartdir')}: {directory} {state}: the embedded model runs on its analytic circulation, a "
                                "climate, not the weather of these days")
        grid = _grid(old["resm"])
        if grid:
            lines.append(f"  grid = '{grid}'".ljust(32) + "! resm")
            result.taken.append(f"resm → &transport grid = '{grid}'")
        elif old["resm"] is not None:
            result.doubtful.append(f"resm = {old['resm']}: not understood as a grid; GCAS's own grid '128x64' holds")
    if directory:
        result.left.append(f"mozartdir = '{old['mozartdir']}': the embedded model needs none of it but met files; "
                           "to run MOZART-4 itself: model = 'command'")
    return "\n".join([*lines, "/\n"])


def _grid(text: object) -> str | None:
    """A grid out of 'NxM' cells, 'DxD' degrees or one number of degrees; None if it is none of these."""
    match = re.fullmatch(r"\s*([\d.]+)\s*[xX*]\s*([\d.]+)\s*(?:deg)?\s*", str(text))
    degrees = isinstance(text, (int, float)) and not isinstance(text, bool)
    numbers = [float(n) for n in match.groups()] if match else [float(text)] * 2 if degrees else []
    if len(numbers) != 2 or min(numbers) <= 0.0:
        return None
    if min(numbers) >= 16.0 and all(n == int(n) for n in numbers):
        return f"{int(max(numbers))}x{int(min(numbers))}"
    if max(numbers) > 20.0:
        return None
    lon, lat = max(numbers), min(numbers)
    n_lat = next((n for n, (low, high) in DEGREES_OF_CELLS.items() if low <= lat <= high and n != 144), round(180.0 / lat))
    return f"{round(360.0 / lon)}x{n_lat}"


def _tell_directory(old: OldNamelist, key: str, what: str, directory: Path, held: Held, result: Translation) -> None:
    if not directory.is_dir():
        message = f"{old.where(key)}: no such directory: {directory}"
        result.found += [] if message in result.found else [message]
    elif held.first is None or held.missing or held.twice:
        result.found.append(f"{directory}: {what}: {held.told()}")


def _tell_switched_off(old: OldNamelist, switch: str, key: str, result: Translation) -> None:
    if old[key] and (old[switch] is not None or old["issat"] is False):
        result.left.append(f"{key} = '{old[key]}': {switch} or issat is off")


def _tell_the_rest(old: OldNamelist, result: Translation) -> None:
    for name, why in NO_COUNTERPART.items():
        if old[name] is not None:
            unknown = next((o.unknown for o in TABLE if o.name == name), "")
            words = "; ".join(part for part in (why, f"{unknown} is documented nowhere" if unknown else "") if part)
            shown = ", ".join(f"{v:g}" for v in old[name]) if isinstance(old[name], tuple) else old[name]
            result.left.append(f"{name} = {shown}: {words}")
    result.left += [f"{what}, {where}: not known of GCASv2" for where, what in old.strange]


def _head(old: OldNamelist, result: Translation) -> list[str]:
    lines = [f"! Made by `gcas import` from {old.path.name}, a namelist of GCASv2. Look it through, then: gcas check, gcas run."]
    for title, items in (("Taken as follows though documented nowhere:", result.doubtful), ("Without a counterpart:", result.left),
                         ("The directories:", result.found)):
        if items:
            lines += ["!", f"! {title}"]
            lines += [line for item in items for line in textwrap.wrap(item, 136, initial_indent="!   ", subsequent_indent="!     ")]
    return [*lines, "!", *(f"! {line}" for line in FIELD_PRACTICE)]


def _written(directory: Path, original: str, old: OldNamelist, target: Path) -> str:
    """A path for the new namelist: absolute ones stay, relative ones count from the new file's directory."""
    if Path(str(original).strip()).expanduser().is_absolute():
        return str(directory).replace("'", "''")
    return os.path.relpath(directory, target.absolute().parent).replace("'", "''")
