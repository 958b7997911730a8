"""A synthetic experiment of two one-day windows: 36x18x8, 8 members, soundings; its windows' numbers and its summary."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from small_case import data_of, make_small_inputs, namelist_text, quiet

from gcas_driver.config import load
from gcas_driver.cycle import run_case
from gcas_driver.evaluation.summary import evaluate_case

from .store import Result

WHY = ("round-off passes through two windows, an ensemble of 8 and differences of values near 390 ppm; whether a pair of parameter and "
       "observation counts is a threshold, and the ensemble is carried in double precision so that none is near enough to flip")
CASE_OPTIONS = {"transport": "precision = 'double'"}


def results(directory: Path) -> dict[str, Result]:
    """Run and evaluate the case."""
    make_small_inputs(directory)
    namelist = directory / "case.nml"
    namelist.write_text(namelist_text(**CASE_OPTIONS))
    settings = load(namelist)
    run_case(settings, quiet())
    evaluate_case(settings.case_directory)
    return results_of(settings.case_directory)


def results_of(case: Path) -> dict[str, Result]:
    """The numbers of a finished and evaluated case."""
    found = {}
    data = data_of(case)
    for number, window in enumerate(sorted(path.name for path in (case / "windows").iterdir()), start=1):
        for (file, variable), (pick, units, rtol, atol) in WINDOW_RESULTS.items():
            found[f"window{number}_{variable}"] = Result(pick(data[f"{window}/{file}.nc:{variable}"]), units, rtol, atol, WHY)
    return found | _journal(case) | _summary(json.loads((case / "summary.json").read_text()))


def _every(step: int):
    return lambda values: np.asarray(values, dtype=np.float64).reshape(-1, values.shape[-1])[::step]


def _some(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=np.float64).ravel()[::5]


def _all(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=np.float64).ravel()


def _flux(values: np.ndarray) -> np.ndarray:
    """Global sums of squares and every 401st value of each component."""
    flat = np.asarray(values, dtype=np.float64).reshape(values.shape[0], -1)
    return np.concatenate([np.sqrt((flat**2).mean(axis=1, keepdims=True)), flat[:, ::401]], axis=1)


#: (file, variable) of a window → what is kept of it, its units and tolerances.
WINDOW_RESULTS = {
    ("observations", "value"): (_some, "ppm", 1e-7, 0.0),  # stored in single precision by the observation files
    ("observations", "prior"): (_some, "ppm", 1e-10, 0.0),
    ("observations", "background"): (_some, "ppm", 1e-10, 0.0),
    ("observations", "posterior"): (_some, "ppm", 1e-9, 0.0),
    ("observations", "hx_background"): (_every(5), "ppm", 1e-10, 0.0),
    ("observations", "hx_posterior"): (_every(5), "ppm", 1e-9, 0.0),
    ("analysis", "factor_mean"): (_some, "1", 1e-7, 1e-7),
    ("analysis", "n_observations"): (_all, "1", 0.0, 0.0),
    ("fluxes", "flux_prior"): (_flux, "mol m-2 s-1", 1e-7, 1e-15),  # stored in single precision
    ("fluxes", "flux_posterior"): (_flux, "mol m-2 s-1", 1e-6, 1e-14),
    ("fluxes", "region_total_prior"): (_every(9), "PgC/yr", 1e-8, 1e-8),
    ("fluxes", "region_total_posterior"): (_every(9), "PgC/yr", 1e-7, 1e-7),
}


def _journal(case: Path) -> dict[str, Result]:
    entries = [json.loads(line) for line in (case / "journal.jsonl").read_text().splitlines()]
    windows = [entry for entry in entries if entry["event"] == "window"]
    counts = ("observations_read", "observations_used", "super_observations")
    return {
        "counts": Result(np.array([[entry[name] for name in counts] for entry in windows]), "1", rtol=0.0, why="counts"),
        "rejected_share": Result(np.array([entry["rejected_share"] for entry in windows]), "1", rtol=0.0, atol=1e-6, why=WHY),
    }


def _summary(summary: dict) -> dict[str, Result]:
    """summary.json: statistics against observations, fluxes and uncertainty reductions by region, in sorted order."""
    found = {}
    for group in ("xco2", "surface"):
        for stage, values in sorted(summary[group].items()):
            found[f"summary_{group}_{stage}"] = Result(np.array([value for _, value in sorted(values.items())], dtype=np.float64),
                                                       "ppm; corr: 1",
                                                       1e-7, 1e-7, WHY)
    fluxes = [[value for _, value in sorted(values.items())] for _, values in sorted(summary["fluxes"].items())]
    found["summary_fluxes"] = Result(np.array(fluxes, dtype=np.float64), "PgC/yr", 1e-7, 1e-7, WHY)
    reductions = [value for _, value in sorted(summary["uncertainty_reduction"].items())]
    found["summary_uncertainty_reduction"] = Result(np.array(reductions, dtype=np.float64), "%", 1e-7, 1e-5, WHY)
    return found
