"""Convection of whole runs: the met files' mass flux is what lifts; without it the surrogate does, and follows temperature and vapour."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from netCDF4 import Dataset
from transport_site import Site, make_site

from mozart_coupling.embedded.levels import level_pressure
from mozart_coupling.embedded.model import EmbeddedModel
from mozart_coupling.grids import Grid
from mozart_coupling.met import MetFiles

HOURS = 3
STEP = HOURS * 3600


@pytest.fixture(scope="module")
def deep_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_site(tmp_path_factory.mktemp("deep") / "data", days=1, grid=Grid.regular(16, 8), n_levels=20)


def lifted(site: Site, directory: Path, change: Callable[[Dataset], object] | None = None, switch: str = ".true.") -> EmbeddedModel:
    """The model after one step of three hours with changed meteorology."""
    return site.after_one_step(directory, HOURS, change, f"  history = .false., convection = {switch}")


def no_flux(data: Dataset) -> None:
    data.renameVariable("CMFMC", "CMFMC_of_another_name")


def test_the_given_flux_is_what_lifts(deep_site: Site, tmp_path: Path) -> None:
    model = lifted(deep_site, tmp_path)
    middle = np.datetime64(model.start + STEP // 2, "s")
    flux = MetFiles(tmp_path / "dyn", "MET_").fields_at(middle, ["CMFMC"])["CMFMC"]
    thickness = np.diff(level_pressure(*deep_site.levels, model.core.surface_pressure), axis=0) / 9.80665
    expected = np.zeros_like(thickness)
    expected[1:] = np.minimum(np.maximum(flux[1:-1], 0.0) * STEP, 3.9 * np.minimum(thickness[1:], thickness[:-1]))
    found = model.core.mixing.updraft.transpose(1, 0, 2) / deep_site.grid.area
    free = expected < 3.8 * np.minimum(thickness, np.roll(thickness, 1, axis=0))  # the absurd is limited
    assert (expected[free] > 0.0).sum() > 100
    np.testing.assert_allclose(found[free], expected[free], rtol=1e-10)


def test_more_flux_lifts_more_and_none_is_as_convection_off(deep_site: Site, tmp_path: Path) -> None:
    def scaled(factor: float) -> Callable[[Dataset], object]:
        return lambda data: data["CMFMC"].__setitem__(slice(None), factor * data["CMFMC"][:])

    as_is, more, none = (lifted(deep_site, tmp_path / str(f), scaled(f)) for f in (1.0, 3.0, 0.0))
    off = lifted(deep_site, tmp_path / "off", switch=".false.")
    assert np.array_equal(none.core.mixing_ratio(), off.core.mixing_ratio())
    free = [np.abs(model.core.mixing_ratio()[:, 4:10] - off.core.mixing_ratio()[:, 4:10]).mean() for model in (as_is, more)]
    assert 1.5 * free[0] < free[1]
    for model in (as_is, more):
        np.testing.assert_allclose(model.core.tracer_mass(), off.core.tracer_mass(), rtol=1e-12)


def test_the_surrogate_follows_temperature_and_vapour(deep_site: Site, tmp_path: Path) -> None:
    def drier(data: Dataset) -> None:
        no_flux(data)
        data["Q"][:] = 0.3 * data["Q"][:]

    def stabler(data: Dataset) -> None:
        no_flux(data)
        data["T"][:, :12] = data["T"][:, :12] + 12.0

    def above_the_ground(model: EmbeddedModel) -> float:
        """Air lifted through interfaces of the free troposphere [kg]."""
        return float(model.core.mixing.updraft[:, 6:13].sum())

    given = lifted(deep_site, tmp_path / "given")
    surrogate, dry, stable = (lifted(deep_site, tmp_path / change.__name__, change) for change in (no_flux, drier, stabler))
    assert not np.array_equal(given.core.mixing_ratio(), surrogate.core.mixing_ratio())
    assert above_the_ground(surrogate) > 0.0
    assert above_the_ground(dry) < 0.3 * above_the_ground(surrogate)
    assert above_the_ground(stable) < 0.3 * above_the_ground(surrogate)
    np.testing.assert_allclose(surrogate.core.tracer_mass(), given.core.tracer_mass(), rtol=1e-12)


def test_the_surrogate_is_linear_in_precision_and_anomalies(deep_site: Site, tmp_path: Path) -> None:
    """Members carried as anomalies are lifted by the same updraft, computed once."""
    double = lifted(deep_site, tmp_path / "double", no_flux)
    single = lifted(dataclasses.replace(deep_site), tmp_path / "single", no_flux, ".true., precision = 'single'")
    assert np.array_equal(single.core._mean.mixing.updraft, double.core.mixing.updraft)
    assert single.core._anomaly.mixing is single.core._mean.mixing
    assert np.abs(single.core.mixing_ratio() - double.core.mixing_ratio()).max() < 1e-9
