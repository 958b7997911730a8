"""Mixing in whole runs: the met's fields reach it, and the namelist's switches turn it off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from transport_site import Site

from mozart_coupling.embedded.met_feed import MetFeed
from mozart_coupling.met import MetFiles


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
