"""What settings must obey together, and the defaults that depend on other settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mozart_coupling.constants import MOLAR_MASS_AIR, MOLAR_MASS_CO2, MOZART_MOLAR_MASS_AIR, MOZART_MOLAR_MASS_CO2
from mozart_coupling.errors import CouplingError
from mozart_coupling.grids import Grid

from ..errors import Problem
from .definitions import COMPONENTS
from .satellite_checks import satellite_checks
from .satellite_products import product_defaults

DAY = np.timedelta64(86400, "s")
EMBEDDED_MASSES = (MOLAR_MASS_AIR, MOLAR_MASS_CO2)
MOZART_MASSES = (MOZART_MOLAR_MASS_AIR, MOZART_MOLAR_MASS_CO2)
HISTORY_HOURS = 3.0


def resolved(settings: Any) -> Any:
    """Fill the defaults that depend on other settings: the end of the run, molar masses, what streams take from other groups."""
    time, transport = settings.time, settings.transport
    if time.end is None and time.days is not None:
        time = dataclasses.replace(time, end=time.start + time.days * DAY)
    elif time.days is None and time.end is not None:
        time = dataclasses.replace(time, days=int((time.end - time.start) / DAY))
    if time.evaluate_from is None:
        time = dataclasses.replace(time, evaluate_from=time.start)
    masses = EMBEDDED_MASSES if transport.model == "embedded" else MOZART_MASSES
    transport = dataclasses.replace(
        transport, mw_air=masses[0] if transport.mw_air is None else transport.mw_air,
        mw_co2=masses[1] if transport.mw_co2 is None else transport.mw_co2)
    common, analysis = settings.super_observations.error_correlation, settings.analysis

    def stream(group: Any, name: str) -> Any:
        defaults = {"error_correlation": common, "near_km": analysis.near_km, "far_km": analysis.far_km}
        missing = {key: value for key, value in defaults.items() if getattr(group, key) is None}
        return dataclasses.replace(group, name=group.name or name, **missing)

    return dataclasses.replace(settings, time=time, transport=transport,
                               satellite=tuple(stream(dataclasses.replace(s, **product_defaults(s.product, vars(s))), s.product)
                                               for s in settings.satellite),
                               column=tuple(stream(s, s.product) for s in settings.column),
                               surface=tuple(stream(s, s.format) for s in settings.surface))


def cross_checks(settings: Any) -> list[Problem]:
    """Every contradiction between settings."""
    return [*_time(settings.time), *_analysis(settings.analysis), *_inflation(settings.analysis),
            *_interpolation(settings), *_transport(settings.transport), *_initial(settings),
            *_priors(settings), *_streams(settings), *satellite_checks(settings), *_grids(settings)]


def _time(time: Any) -> list[Problem]:
    problems = []
    if time.end is None:
        problems.append(Problem("the end of the run is not given", time.where(), "neither 'end' nor 'days' in &time", "one of them"))
        return problems
    if time.end <= time.start:
        problems.append(Problem("the run ends before it starts", time.where("end"), f"{time.start} to {time.end}", "end after start"))
    elif "end" in time.lines and "days" in time.lines and time.start + time.days * DAY != time.end:
        problems.append(Problem("'end' and 'days' in &time contradict each other", time.where("days"),
                                f"{time.days} days from {time.start} to {time.end}", "one of them"))
    elif not time.start <= time.evaluate_from < time.end:
        problems.append(Problem("'evaluate_from' in &time is outside of the run", time.where("evaluate_from"), str(time.evaluate_from),
                                f"from {time.start} and before {time.end}"))
    return problems


def _analysis(analysis: Any) -> list[Problem]:
    if analysis.near_km > analysis.far_km:
        return [Problem("'near_km' in &analysis is greater than 'far_km'", analysis.where("near_km"),
                        f"{analysis.near_km:g} and {analysis.far_km:g}", "near_km <= far_km")]
    return []


def _inflation(analysis: Any) -> list[Problem]:
    low, high, first = analysis.inflation_minimum, analysis.inflation_maximum, analysis.inflation
    if not analysis.inflation_adaptive or low <= first <= high:
        return []
    return [Problem("'inflation' in &analysis is outside of its bounds", analysis.where("inflation"),
                    f"{first:g}, bounds {low:g} to {high:g}", "inflation_minimum <= inflation <= inflation_maximum")]


def _interpolation(settings: Any) -> list[Problem]:
    analysis, spacing = settings.analysis, settings.analysis.letkf_interpolation_km
    if not spacing:
        return []
    from ..analysis.filters import LEAST_SPACING_KM

    # A window may hold observations of one stream alone, so every stream's reach must do.
    reach = min([analysis.far_km, *(stream.far_km for stream in settings.streams)])
    rules = [("method = 'letkf'", analysis.method == "letkf"), ("localize = .true.", analysis.localize),
             ("p_value = 1", analysis.p_value == 1), ("sign = .false.", not analysis.sign),
             ("max_observations_by = 'nearest'", not analysis.max_observations or analysis.max_observations_by == "nearest"),
             (f"{LEAST_SPACING_KM:g} to {reach:g} km, the least 'far_km'", LEAST_SPACING_KM <= spacing <= reach)]
    missing = [text for text, holds in rules if not holds]
    if not missing:
        return []
    return [Problem("'letkf_interpolation_km' in &analysis cannot be used: transforms can be interpolated only where distance alone "
                    "decides which observations count", analysis.where("letkf_interpolation_km"), f"{spacing:g}",
                    " and ".join(missing))]


def _transport(transport: Any) -> list[Problem]:
    problems = []
    if transport.model == "command":
        if not transport.command:
            problems.append(Problem("'command' is missing in &transport", transport.where("model"), "model = 'command'",
                                    "the command line, one word per string"))
        elif not any("{namelist}" in word for word in transport.command):
            problems.append(Problem("'command' in &transport does not say where the namelist's name goes", transport.where("command"),
                                    " ".join(transport.command), "a word '{namelist}'"))
        if transport.met_directory is None:
            problems.append(Problem("'met_directory' is missing in &transport", transport.where("model"), "model = 'command'",
                                    "the directory of the met files; the grid is read from them"))
    if transport.sampling == "history" and transport.sampling_hours != HISTORY_HOURS:
        problems.append(Problem("history files hold three-hour means", transport.where("sampling_hours"),
                                f"sampling_hours = {transport.sampling_hours:g}",
                                f"sampling_hours = {HISTORY_HOURS:g} with sampling = 'history'"))
    if transport.model == "embedded":
        problems += _timestep(transport)
    if transport.mode == "monotone" and transport.precision == "single":
        problems.append(Problem("members cannot be carried as anomalies when the model is not linear", transport.where("mode"),
                                "mode = 'monotone' with precision = 'single'", "mode = 'linear', or precision = 'double'"))
    return problems


def _timestep(transport: Any) -> list[Problem]:
    """The embedded model's steps end at midnight, and where history is written at its intervals."""
    interval, name = (HISTORY_HOURS, "three hours, the history interval") if transport.sampling == "history" else (24.0, "a day")
    seconds = int(transport.timestep[:-1]) * {"s": 1, "m": 60, "h": 3600}[transport.timestep[-1]]
    if int(3600 * interval) % seconds == 0:
        return []
    what = f"'timestep' in &transport does not divide {name}"
    return [Problem(what, transport.where("timestep"), f"'{transport.timestep}'", "such as '30m'")]


def _initial(settings: Any) -> list[Problem]:
    initial = settings.initial
    if (initial.file is None) == (initial.uniform_ppm is None):
        found = "neither" if initial.file is None else "both"
        return [Problem("&initial takes either 'file' or 'uniform_ppm'", initial.where(), found, "one of them")]
    return []


def _priors(settings: Any) -> list[Problem]:
    optimised = {"net": ["bio", "ocn", "fossil", "fire"]}.get(settings.state.scheme, settings.state.scheme.split("_"))
    if settings.prior and not set(optimised) & {p.component for p in settings.prior if p.counts}:
        return [Problem(f"scheme '{settings.state.scheme}' optimises nothing", settings.state.where("scheme"),
                        "&prior for " + ", ".join(p.component for p in settings.prior),
                        "a &prior group for one of " + ", ".join(optimised))]
    return [Problem("two &prior groups are the same: their fluxes would count twice", group.where(), f"the first {first.where()}",
                    "one of them", "a multiple is said by 'factor'")
            for group, first in _again(settings.prior)]


def _again(groups: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Every group that says what an earlier one says already, whatever their names, and that earlier one."""
    nameless = [dataclasses.replace(group, name="") if hasattr(group, "name") else group for group in groups]
    for number, group in enumerate(nameless):
        if group in nameless[:number]:
            yield groups[number], groups[nameless.index(group)]


def _streams(settings: Any) -> list[Problem]:
    problems = []
    streams = settings.streams
    for number, stream in enumerate(streams):
        if stream.name in [s.name for s in streams[:number]]:
            problems.append(Problem(f"two streams are called '{stream.name}'", stream.where("name"), "", "different values of 'name'"))
    problems += [Problem(f"streams '{first.name}' and '{stream.name}' are the same: their observations would count twice", stream.where(),
                         f"the first {first.where()}", "one of them, or streams that differ in what they read")
                 for stream, first in _again(streams) if stream.name != first.name]
    for stream in streams:
        if stream.error_correlation_hours > 0.0 and stream.error_correlation_km == 0.0:
            problems.append(Problem("'error_correlation_hours' has no effect without 'error_correlation_km'",
                                    stream.where("error_correlation_hours"), "error_correlation_km = 0", "a length in km"))
        given = [radius for radius in ("near_km", "far_km") if radius in stream.lines]
        if given and stream.near_km > stream.far_km:
            problems.append(Problem(f"'near_km' of stream '{stream.name}' is greater than its 'far_km'", stream.where(given[0]),
                                    f"{stream.near_km:g} and {stream.far_km:g}; what is not given is that of &analysis",
                                    "near_km <= far_km"))
    for surface in settings.surface:
        if len(surface.error_sites) != len(surface.error_sites_ppm):
            problems.append(Problem("'error_sites' and 'error_sites_ppm' in &surface differ in length", surface.where("error_sites"),
                                    f"{len(surface.error_sites)} and {len(surface.error_sites_ppm)}", "one error for each site"))
        for name, text in (("local_hours", "two hours"), ("altitudes_m", "two heights")):
            if len(getattr(surface, name)) not in (0, 2):
                problems.append(Problem(f"'{name}' in &surface takes {text}", surface.where(name),
                                        f"{len(getattr(surface, name))} values", "first, last"))
        if len(surface.altitudes_m) == 2 and surface.altitudes_m[0] >= surface.altitudes_m[1]:
            problems.append(Problem("'altitudes_m' in &surface is empty", surface.where("altitudes_m"),
                                    f"{surface.altitudes_m[0]:g} to {surface.altitudes_m[1]:g}", "the lower height first"))
        twice = sorted(set(surface.assimilation_flags) & set(surface.evaluation_flags))
        if twice:
            problems.append(Problem("a flag is both assimilated and withheld", surface.where("evaluation_flags"),
                                    ", ".join(map(str, twice)), "in 'assimilation_flags' or in 'evaluation_flags'"))
    return problems


def _grids(settings: Any) -> list[Problem]:
    """Grids by name that are none, such as '1x1'."""
    state, merging = settings.state, settings.super_observations
    named = [(state, name) for name in ("lambda_grid", *(f"lambda_grid_{component}" for component in COMPONENTS))] + [(merging, "grid")]
    problems = []
    for group, name in named:
        value = getattr(group, name)
        if value in ("", "transport", "regions"):
            continue
        try:
            Grid.named(value)
        except CouplingError as error:
            problems.append(Problem(f"'{name}' is no grid: {error.what}", group.where(name), f"'{value}'", "'NxM' such as '120x60'"))
    return problems
