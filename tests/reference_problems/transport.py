"""Two days of the embedded model: 36x18x8, three tracers, the analytic circulation, emissions, mixing and convection."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from transport_site import make_site

from mozart_coupling import contract
from mozart_coupling.grids import Grid
from mozart_coupling.restart import read_master, read_restart
from mozart_coupling.samples import read_samples, write_request

from .inputs import summary
from .store import Result

DAYS = 2
RUNS = {"linear": "mode = 'linear', precision = 'double'", "monotone": "mode = 'monotone', precision = 'double'",
        "single": "mode = 'linear', precision = 'single'"}
WHY = "met files are single precision: a value that rounds the other way on another machine moves the wind by 1e-7 there"
WHY_SINGLE = "anomalies from the mean are carried in single precision"


def results(directory: Path) -> dict[str, Result]:
    """Samples (three-hour means and instants) and the state at the end, of every mode."""
    site = make_site(directory / "data", DAYS, Grid.regular(36, 18), 8)
    request = site.request(24, DAYS)
    instants = np.arange(24) % 4 == 3
    request = dataclasses.replace(request, time_end=np.where(instants, request.time_start, request.time_end))
    found = {}
    for name, options in RUNS.items():
        run = directory / name
        run.mkdir()
        write_request(run / "request.nc", request)
        own = f"  {options}, history = .false., sample_list = 'request.nc', sample_file = 'samples.nc'"
        site.run(run, site.namelist(sim_duration=f"'{DAYS}d'", timestep="'1h'", own=own))
        end = site.start + DAYS * 86400
        samples = read_samples(run / "samples.nc")
        restart = read_restart(run / contract.restart_name("test", end))
        rtol, why = (1e-7, WHY_SINGLE) if name == "single" else (1e-9, WHY)
        found |= {
            f"{name}_samples": Result(samples.mixing_ratio, "mol/mol", rtol, why=why),
            f"{name}_samples_surface_pressure": Result(samples.surface_pressure, "Pa", 1e-9, why=WHY),
            f"{name}_samples_height": Result(samples.height, "m", 1e-9, why=WHY),
            f"{name}_end": Result(np.array([summary(field) for field in restart.mixing_ratio]), "kg/kg", rtol, why=why),
            f"{name}_end_level_means": Result(restart.mixing_ratio.mean(axis=(2, 3)), "kg/kg", rtol, why=why),
            f"{name}_end_surface_pressure": Result(summary(read_master(run / contract.master_restart_name(end)).ps), "Pa", 1e-9, why=WHY),
        }
    return found
