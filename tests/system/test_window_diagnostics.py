"""What a run says of its own analysis: files, journal and log agree with what can be computed again from its files."""

from __future__ import annotations

import json

import netCDF4
import numpy as np
import pytest

from gcas_driver.analysis.diagnostics import QUANTITIES, RANK_BINS
from gcas_driver.fluxes.regions import RegionMap
from mozart_coupling.grids import Grid


def test_every_window_tells_how_its_analysis_behaved(reference_case):
    journal = {e["window"]: e for line in (reference_case / "journal.jsonl").read_text().splitlines()
               if (e := json.loads(line))["event"] == "window"}
    regions = RegionMap.load("builtin", Grid.named("36x18"))
    for window, entry in journal.items():
        directory = reference_case / "windows" / window
        with netCDF4.Dataset(directory / "observations.nc") as data:
            y, error, lon, lat = (np.asarray(data[f"super_observation_{n}"][:]) for n in ("value", "error", "lon", "lat"))
            before, after = (np.asarray(data[f"hx_{n}"][:]) for n in ("background", "posterior"))
        with netCDF4.Dataset(directory / "analysis.nc") as data:
            groups = list(data["diagnostic_group"][:])
            found = {name: np.ma.filled(data[f"diagnostic_{name}"][:], np.nan) for name in QUANTITIES}
            ranks = np.asarray(data["diagnostic_rank_count"][:])
            assert all(data[f"diagnostic_{name}"].units == units for name, (units, _) in QUANTITIES.items())
            assert float(data["rejected_share"][...]) == entry["rejected_share"]
        where = regions.names_at(lon, lat)
        assert groups == ["all", "product:gosat", *(f"region:{name}" for name in np.unique(where))]
        assert ranks.shape == (len(groups), RANK_BINS)
        d, a, s = y - before.mean(axis=1), y - after.mean(axis=1), before.var(axis=1, ddof=1)
        for row, group in enumerate(groups):
            part = where == group.removeprefix("region:") if group.startswith("region:") else np.ones(y.size, bool)
            assert found["number"][row] == part.sum() == ranks[row].sum()
            for name, value in {"chi2": d**2 / (s + error**2), "error_variance_diagnosed": a * d, "prior_variance": s,
                                "prior_variance_diagnosed": (d - a) * d}.items():
                assert found[name][row] == pytest.approx(value[part].mean(), rel=1e-9, abs=1e-12), (group, name)
            assert found["dfs"][row] == pytest.approx(np.sum(after.var(axis=1, ddof=1)[part] / error[part] ** 2), rel=1e-9)
        for name in ("dfs", "information", "information_ensemble"):
            assert found[name][2:].sum() == pytest.approx(found[name][0], rel=1e-9)
        assert entry["dfs"] == pytest.approx(found["dfs"][0], abs=1e-4)
        assert entry["diagnostics"]["chi2"] == pytest.approx(found["chi2"][0], abs=1e-4)
    assert "degrees of freedom for signal" in (reference_case / "gcas.log").read_text()


def test_a_place_has_the_region_with_most_of_its_cell():
    regions = RegionMap.load("builtin", Grid.named("36x18"))
    assert regions.names_at([10.0, -100.0, -30.0], [50.0, 40.0, 40.0]).tolist() == ["Europe", "N Am Temperate", "N Atlantic Temp"]
    assert regions.names_at([], []).size == 0
