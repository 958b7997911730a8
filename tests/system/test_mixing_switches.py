"""Mixing in whole runs: the met's fields reach it, and the namelist's switches turn it off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_case import namelist_text as small_namelist
from transport_site import Site

from gcas_driver.config import load
from gcas_driver.launch.runs import RunInput, TransportRuns
from gcas_driver.meteorology import Meteorology
from gcas_driver.plan import Window
from gcas_driver.progress import Reporter
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.embedded.met_feed import MetFeed
from mozart_coupling.grids import Grid
from mozart_coupling.met import MetFiles
from mozart_coupling.prepare import namelist_text, plan
from mozart_coupling.run_request import Capabilities, ModelSettings, RunRequest
from mozart_coupling.samples import SampleRequest


def test_met_feed_passes_all_that_mixing_wants(site: Site) -> None:
    files = MetFiles(site.data / "dyn", "MET_", "yyyymmdd")
    step = MetFeed(files, site.start, site.start + 86400, mixing=True).step(site.start, site.start + 5400)
    for name in ("temperature", "specific_humidity", "pblh", "surface_heat_flux", "moisture_flux", "taux", "tauy", "oro", "cmfmc"):
        assert getattr(step, name) is not None, name
    assert step.cmfmc.shape == (site.levels[0].size, *site.grid.shape)
    assert step.seconds_of_day == 2700.0


@pytest.mark.parametrize("precision", ["double", "single"])
def test_namelist_switches_reach_the_core(site: Site, tmp_path: Path, precision: str) -> None:
    ends = {}
    for switches in ("", ", boundary_layer = .false.", ", convection = .false."):
        own = site.components() + f"  precision = '{precision}', history = .false." + switches
        model = site.run(tmp_path / (switches[2:7] or "both"), site.namelist(own=own, sim_duration="'1d'", restart_frq="'none'"))
        mixing = model.core._mean.mixing if precision == "single" else model.core.mixing
        assert mixing.exchange.any() == ("boundary" not in switches)
        assert mixing.updraft.any() == ("convection" not in switches)
        ends[switches] = model.core.mixing_ratio()[0, -1]
    both, still, flat = ends.values()
    assert np.ptp(still) > 1.2 * np.ptp(both)
    assert not np.array_equal(both, flat)


@pytest.mark.parametrize("name", ["boundary_layer", "convection"])
def test_the_drivers_switches_reach_the_models_namelist(tmp_path: Path, name: str) -> None:
    request = RunRequest(tmp_path, "case", 0, 86400, 0, False, ("EN001",), tmp_path, tmp_path, "met_", mode="linear", **{name: False})
    text = namelist_text(plan(request, ModelSettings(capabilities=Capabilities(threads=True))))
    assert f"{name} = .false." in text and text.count(".false.") == 1
    assert ".false." not in namelist_text(plan(replace(request, **{name: True}), ModelSettings(capabilities=Capabilities(threads=True))))


def test_a_cases_switches_reach_its_runs(tmp_path: Path) -> None:
    path = tmp_path / "case.nml"
    path.write_text(small_namelist(transport="boundary_layer = .false., convection = .false.", analytic=True))
    settings = load(path)
    grid = Grid.regular(36, 18)
    met = Meteorology(tmp_path, "met_", "yyyymmdd", grid, hybrid_levels(8))
    runs = TransportRuns(settings, met, Reporter(), ModelSettings(), tmp_path)
    given = RunInput((), np.empty(0), np.ones((1, 1, *grid.shape)), SampleRequest(*np.zeros((4, 0))))
    request = runs._request("ensemble", Window(0, settings.time.start, settings.time.end), given, "single")
    assert (request.boundary_layer, request.convection) == (False, False)
