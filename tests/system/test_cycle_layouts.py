"""One small cycle with BIO on regions and OCN on a coarse grid: its file, its fluxes, its map."""

from __future__ import annotations

from types import SimpleNamespace

import netCDF4
import numpy as np
from small_case import gcas

from gcas_driver.evaluation.case import open_case
from gcas_driver.evaluation.diagnostics import read_factor_spread
from gcas_driver.fluxes.lambda_cells import lambda_cells
from gcas_driver.fluxes.regions import RegionMap
from gcas_driver.report.flux_figures import spread_map
from mozart_coupling.grids import Grid


def test_each_component_on_cells_of_its_own(small_case):
    path = small_case(days=1, state="lambda_grid = '9x6', lambda_grid_bio = 'regions', lambda_bio = 0.5")
    result = gcas("run", path)
    assert result.returncode == 0, result.stderr
    window = path.parent / "case" / "windows" / "2010-06-01"
    with netCDF4.Dataset(window / "analysis.nc") as data:
        data.set_auto_mask(False)
        assert data["factor_posterior"].dimensions == ("component", "parameter", "member")
        assert data["lon"].dimensions == data["lat"].dimensions == ("component", "parameter")
        assert data["n_parameters"][:].tolist() == [22, 54] and data["factor_mean"].shape == (2, 54)
        for name in ("lon", "lat", "lambda", "factor_mean", "factor_prior", "factor_posterior"):
            assert np.isfinite(data[name][1]).all() and np.isfinite(data[name][0, :22]).all() and np.isnan(data[name][0, 22:]).all(), name
        assert (data["n_observations"][0, 22:] == 0).all() and (data["n_observations"][0, :22] > 0).any()
        prior, mean = data["factor_prior"][0, :22], data["factor_mean"][0, :22]
        assert (np.abs(mean - 1.0) > 1e-3).sum() > 5, "regions are corrected"
        assert (data["factor_posterior"][0, :22].std(axis=1)[mean != 1.0] < prior.std(axis=1)[mean != 1.0]).all()
        means = {"bio": mean, "ocn": data["factor_mean"][1]}
    with netCDF4.Dataset(window / "fluxes.nc") as data:
        before, after = (data[f"flux_{name}"][:2].filled(np.nan).mean(axis=1) for name in ("prior", "posterior"))
        grid = Grid.from_centres(data["lon"][:].filled(), data["lat"][:].filled())
    regions = RegionMap.load("builtin", grid)
    for index, (component, cells) in enumerate((("bio", "regions"), ("ocn", "9x6"))):
        where = lambda_cells(cells, grid, region_names=regions.names, region_fraction=regions.fraction)
        np.testing.assert_allclose(after[index], before[index] * where.spread(means[component]), rtol=1e-5, atol=1e-14)
    spread = read_factor_spread(open_case(path.parent / "case"))
    assert spread.lon.shape == spread.prior.shape == (2, 54) and np.isnan(spread.lon[0, 22:]).all()
    assert len(spread_map(SimpleNamespace(factors=spread)).axes) == 3, "two maps, the first of dots, and a colour bar"
