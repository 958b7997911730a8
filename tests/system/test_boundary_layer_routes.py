"""The boundary layer of whole runs: heat, vapour and stress in the met files set how deep and how strongly it mixes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from netCDF4 import Dataset
from transport_site import Site, make_site

from mozart_coupling.embedded.model import EmbeddedModel
from mozart_coupling.grids import Grid
from mozart_coupling.met import MetFiles

FLUXES = ("SHFLX", "QFLX", "TAUX", "TAUY")


@pytest.fixture(scope="module")
def deep_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_site(tmp_path_factory.mktemp("layer") / "data", days=1, grid=Grid.regular(16, 8), n_levels=20)


def mixed(site: Site, directory: Path, *changes: Callable[[Dataset], object]) -> EmbeddedModel:
    """The model after one step of three hours without convection, its boundary layer diagnosed: PBLH is taken away first."""
    def change(data: Dataset) -> None:
        data.renameVariable("PBLH", "PBLH_of_another_name")
        for one in changes:
            one(data)

    return site.after_one_step(directory, 3, change, "  history = .false., convection = .false.")


def times(factor: float, *names: str) -> Callable[[Dataset], object]:
    """Multiplies fields."""
    def change(data: Dataset) -> None:
        for name in names:
            data[name][:] = factor * data[name][:]

    return change


def without(*names: str) -> Callable[[Dataset], object]:
    """Hides fields."""
    def change(data: Dataset) -> None:
        for name in names:
            data.renameVariable(name, f"{name}_of_another_name")

    return change


def test_fluxes_of_the_files_set_depth_and_strength(deep_site: Site, tmp_path: Path) -> None:
    as_is = mixed(deep_site, tmp_path / "as_is")
    heat = MetFiles(tmp_path / "as_is" / "dyn", "MET_").fields_at(np.datetime64(as_is.start + 5400, "s"), ["SHFLX"])["SHFLX"]
    where = heat > 5.0  # unstable ground, most of it sea
    assert where.sum() > 30
    for names, factor in ((("SHFLX",), 3.0), (("QFLX",), 8.0), (("TAUX", "TAUY"), 4.0)):
        model = mixed(deep_site, tmp_path / names[0], times(factor, *names))
        depth, exchange = model.core.mixing.depth, model.core.mixing.exchange
        if "TAUX" not in names:  # wind also carries heat away from strong thermals: not every cell grows deeper by it
            assert np.all(depth[where] >= as_is.core.mixing.depth[where] - 1e-9), names
        assert depth[where].mean() > 1.01 * as_is.core.mixing.depth[where].mean(), names
        assert exchange.sum() > 1.02 * as_is.core.mixing.exchange.sum(), names
        assert np.abs(model.core.mixing_ratio() - as_is.core.mixing_ratio()).max() > 0.0, names
        np.testing.assert_allclose(model.core.tracer_mass(), as_is.core.tracer_mass(), rtol=1e-12)


def test_without_them_substitutes_are_used(deep_site: Site, tmp_path: Path) -> None:
    as_is, bare = mixed(deep_site, tmp_path / "as_is"), mixed(deep_site, tmp_path / "bare", without(*FLUXES))
    assert not np.array_equal(as_is.core.mixing.depth, bare.core.mixing.depth)
    assert 0.2 < bare.core.mixing.exchange.sum() / as_is.core.mixing.exchange.sum() < 5.0
    one = mixed(deep_site, tmp_path / "one", without("QFLX"))
    assert one.core.mixing.exchange.sum() < as_is.core.mixing.exchange.sum()  # dry heat alone lifts less
