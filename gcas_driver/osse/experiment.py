"""`gcas osse`: a synthetic experiment from its inputs to its report.

Prior fluxes and meteorology → true fluxes → one run with the true fluxes, sampled where observations will be → observation files →
the ordinary cycle, which reads only files → evaluation → report. Every stage leaves a mark with a digest of all that went into it
and the stages before it; a stage whose mark fits is not done again, and one that was cut short is done again from its beginning.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from mozart_coupling.emissions import molecules_per_cm2, nodes_from_means
from mozart_coupling.grids import Grid
from mozart_coupling.land import is_land
from mozart_coupling.met import MetFiles
from mozart_coupling.netcdf import write_text, writing

from ..config import Settings
from ..config.settings import change_of
from ..continuing import make_case_directory
from ..cycle import run_case
from ..errors import SettingsError
from ..fluxes.components import COMPONENTS
from ..fluxes.prior import window_fluxes
from ..fluxes.priors import PriorStream
from ..journal import array_digest
from ..launch.runs import TransportRuns
from ..lock import case_lock
from ..meteorology import Meteorology, ensure_meteorology
from ..observations import Observations
from ..observations.simulate import sample_request, simulate
from ..plan import Window, plan_windows
from ..progress import Reporter
from .observations import (
    SATELLITE_PRODUCT,
    SURFACE_PRODUCT,
    plan_observations,
    write_observations,
)
from .priors import write_priors
from .truth import write_truth

SECONDS_PER_HOUR = 3600


def run_experiment(settings: Settings, reporter: Reporter, *, accept: bool = False) -> dict[str, Any]:
    """Do all of a synthetic experiment, or what is left of it.

    Returns
    -------
    dict
        The summary, as in summary.json.

    Raises
    ------
    SettingsError
        The namelist describes no synthetic experiment.
    """
    from ..evaluation.summary import evaluate_case, format_table
    from ..report.page import write_report

    require_experiment(settings)
    make_case_directory(settings.case_directory)
    with case_lock(settings.case_directory), reporter.files(settings.case_directory):
        prepare_inputs(settings, reporter)
    run_case(settings, reporter, accept=accept)
    with case_lock(settings.case_directory), reporter.files(settings.case_directory):
        with reporter.step("evaluation"):
            summary = evaluate_case(settings.case_directory)
        with reporter.step("report"):
            write_report(settings.case_directory)
    Console(highlight=False, soft_wrap=True).print(format_table(summary), markup=False)
    reporter.log.info("report: %s", settings.case_directory / "report" / "index.html")
    return summary


def require_experiment(settings: Settings) -> None:
    """Raise unless the namelist has what a synthetic experiment needs."""
    truth = settings.truth
    if truth is None:
        raise SettingsError("the namelist describes no synthetic experiment", str(settings.path), "no group &truth",
                            "&truth directory = '…' /")
    if {(p.directory, p.format, p.file_pattern) for p in settings.prior} != {(settings.prior[0].directory, "gcasv2", "")}:
        raise SettingsError("the prior fluxes of a synthetic experiment are in one directory", settings.prior[0].where("directory"),
                            ", ".join(sorted({str(p.directory) for p in settings.prior})),
                            "one directory in GCASv2's layout for all &prior groups")
    for groups, product, folder in ((settings.satellite, SATELLITE_PRODUCT, "gosat"), (settings.surface, SURFACE_PRODUCT, "flask")):
        for group in groups:
            if group.directory != truth.directory / folder or group.name != product:
                raise SettingsError("a stream of a synthetic experiment must be the one that is made for it", group.where("directory"),
                                    f"name = '{group.name}', directory = '{group.directory}'",
                                    f"name = '{product}', directory = '{truth.directory / folder}'")


def prepare_inputs(settings: Settings, reporter: Reporter) -> None:
    """Meteorology, prior fluxes, truth and observations, as files."""
    started = time.monotonic()
    inputs = settings.truth.directory
    inputs.mkdir(parents=True, exist_ok=True)
    meteorology = ensure_meteorology(settings, reporter)
    span, truth = (settings.time.start, settings.time.end), settings.truth
    key = array_digest(str(span), str(truth.prior_seed))
    prior_directory = settings.prior[0].directory
    if prior_directory == inputs / "prior":
        with _stage(inputs, "prior fluxes", key, reporter) as todo:
            if todo:
                with reporter.bar("prior fluxes") as advance:
                    write_priors(prior_directory, *span, truth.prior_seed, progress=advance)
    key = array_digest(key, str(truth.seed),
                       str(prior_directory.relative_to(inputs) if prior_directory.is_relative_to(inputs) else prior_directory))
    with _stage(inputs, "true fluxes", key, reporter) as todo:
        if todo:
            with reporter.bar("true fluxes") as advance:
                write_truth(inputs / "truth", prior_directory, *span, truth.seed, progress=advance)
    key = array_digest(key, json.dumps(_what_the_truth_run_sees(settings)))
    with _stage(inputs, "observations", key, reporter) as todo:
        if todo:
            make_observations(settings, meteorology, key, reporter)
    reporter.log.info("inputs are ready: %.1f s", time.monotonic() - started)


def _what_the_truth_run_sees(settings: Settings) -> list[Any]:
    groups = ("case.name", "time.", "initial.", "transport.", "truth.", "satellite(1).operator")
    return [pair for pair in sorted(settings.flat().items()) if pair[0].startswith(groups) and change_of(pair[0]) == "refused"]


@contextmanager
def _stage(inputs: Path, name: str, key: str, reporter: Reporter) -> Iterator[bool]:
    """Whether the stage is to be done; its mark is set when the context ends well."""
    mark = inputs / ("made_" + name.replace(" ", "_") + ".json")
    try:
        done = json.loads(mark.read_text())["key"] == key
    except (OSError, ValueError, KeyError):
        done = False
    if done:
        yield False
        return
    mark.unlink(missing_ok=True)
    started = time.monotonic()
    yield True
    seconds = round(time.monotonic() - started, 1)
    write_text(mark, json.dumps({"stage": name, "key": key, "seconds": seconds}) + "\n")
    reporter.log.info("%s made: %.1f s", name, seconds)


def make_observations(settings: Settings, meteorology: Meteorology, key: str, reporter: Reporter) -> None:
    """Plan the observations, sample the truth there, write the files that the readers read."""
    truth = settings.truth
    with reporter.step("plan of the observations"):
        plan = plan_observations(settings.time.start, settings.time.end, truth.seed, soundings_per_day=truth.soundings_per_day,
                                 surface_sites=truth.surface_sites, is_land=_land_at,
                                 surface_pressure=lambda t, lat, lon: surface_pressure(meteorology, t, lat, lon))
    hx = np.full(len(plan), np.nan)
    runs = TransportRuns.of(settings, meteorology, reporter, root=truth.directory / "truth" / "transport")
    for window in plan_windows(settings.time):
        edges = [t.astype("datetime64[s]").astype(np.int64) for t in (window.start, window.end)]
        rows = np.flatnonzero((plan.time >= edges[0]) & (plan.time < edges[1]))
        hx[rows] = true_values(settings, meteorology.grid, runs, window, plan.select(rows), key)
        runs.forget_before(window)
    write_observations(truth.directory, plan, hx, truth.seed, is_land=_land_at)


def true_values(settings: Settings, grid: Grid, runs: TransportRuns, window: Window, plan: Observations, key: str) -> np.ndarray:
    """Noise-free values (n,) [ppm] of a window's planned observations; kept beside the truth's run, so that it can continue."""
    kept = runs.root / f"true_values_{window.label}_{key}.npy"
    if kept.exists() and runs.has_restart("truth", window):
        return np.load(kept)
    request, mapping = sample_request(plan, grid, settings.transport.sampling_hours, settings.transport.sampling_place)
    streams = [PriorStream(component, "gcasv2", settings.truth.directory / "truth") for component in COMPONENTS]
    fluxes = window_fluxes(streams, grid, window.start, window.end)
    total = sum(fluxes[component].values for component in COMPONENTS)
    samples = runs.single("truth", window, molecules_per_cm2(nodes_from_means(total)), request)
    values = simulate(plan, samples, mapping, {SATELLITE_PRODUCT: _operator(settings)})[:, 0] if samples else np.empty(0)
    beside = kept.with_name("part_" + kept.name)
    with writing(kept):
        np.save(beside, values)
        beside.replace(kept)
    return values


def _operator(settings: Settings) -> str:
    return settings.satellite[0].operator if settings.satellite else "linear"


def _land_at(lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    return is_land(lon, lat)


def surface_pressure(meteorology: Meteorology, seconds: np.ndarray, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """The meteorology's surface pressure (n,) [Pa] in the cells and full hours of points."""
    ilat, ilon = meteorology.grid.cell_index(lon, lat)
    hours = np.floor(np.asarray(seconds) / SECONDS_PER_HOUR).astype(np.int64)
    result = np.empty(hours.size)
    with MetFiles(meteorology.directory, meteorology.prefix, meteorology.date_format) as files:
        for hour in np.unique(hours):
            rows = np.flatnonzero(hours == hour)
            field = files.fields_at(np.datetime64(int(hour) * SECONDS_PER_HOUR, "s"), ["PS"])["PS"]
            result[rows] = field[ilat[rows], ilon[rows]]
    return result
