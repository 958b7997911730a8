"""Parameters: which there are, their λ and sign, and the way from factors to the transport grid and back."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from gcas_driver.errors import InputError, SettingsError
from gcas_driver.fluxes.components import COMPONENTS, SCHEMES, scheme_of
from gcas_driver.fluxes.lambda_cells import GridCells, RegionCells, component_cells, lambda_cells, same_cells
from gcas_driver.fluxes.perturbations import Correlation
from gcas_driver.fluxes.regions import RegionMap
from gcas_driver.fluxes.state import build_state, implied_sigma, read_lambdas
from gcas_driver.fluxes.units import PGC_PER_YEAR
from mozart_coupling.grids import Grid

GRID = Grid.named("36x18")
LAMBDAS = {"bio": 3.0, "ocn": 5.0, "fossil": 1.0, "fire": 1.0, "net": 3.0}
WINDOW = np.datetime64("2010-06-01")
LAND = np.broadcast_to((GRID.lon > 100) & (GRID.lon < 250), GRID.shape)


def fluxes_of(seed=0, n_times=16):
    rng = np.random.default_rng(seed)
    data = {name: 1e-6 * rng.standard_normal((n_times, *GRID.shape)) * LAND for name in COMPONENTS}
    data["ocn"] = -1e-7 * rng.random((n_times, *GRID.shape)) * ~LAND
    return xr.Dataset({name: (("time", "lat", "lon"), values) for name, values in data.items()})


def regions_of(n=4):
    fraction = np.zeros((n, *GRID.shape))
    for r in range(n):
        fraction[r, :, 9 * r: 9 * r + 8] = 1.0  # a gap of one meridian between neighbours
    fraction[0, :, 8], fraction[1, :, 8] = 0.3, 0.6
    return fraction


CELLS = {
    "transport": GridCells(GRID, GRID),
    "finer": lambda_cells("120x60", GRID),
    "coarser": lambda_cells("10x6", GRID),
    "regions": RegionCells(("a", "b", "c", "d"), regions_of(), GRID),
}


def of_both(cells):
    return {"bio": CELLS[cells], "ocn": CELLS[cells]}


def test_schemes_cover_the_components():
    for scheme in SCHEMES.values():
        covered = [part for name in scheme.optimised for part in scheme.parts(name)]
        assert sorted([*covered, *scheme.kept]) == sorted(COMPONENTS)
    with pytest.raises(SettingsError, match="bio_oce"):
        scheme_of("bio_oce")


@pytest.mark.parametrize("cells", ["transport", "coarser", "regions"])
def test_round_off_of_zero_is_no_flux(cells):
    """Else which cells are parameters, and what share of pairs is rejected, would depend on the machine."""
    fluxes = fluxes_of()
    clean = build_state(fluxes, CELLS[cells], "bio_ocn", LAMBDAS)
    fluxes["ocn"].values[:, LAND] = 1e-25
    noisy = build_state(fluxes, CELLS[cells], "bio_ocn", LAMBDAS)
    np.testing.assert_array_equal(noisy.cell, clean.cell)
    fluxes["ocn"].values[:, LAND] = -1e-12
    n_cells = GRID.shape[0] * GRID.shape[1]
    assert build_state(fluxes, CELLS["transport"], "bio_ocn", LAMBDAS).n_parameters > n_cells, "a small flux is a flux"


@pytest.mark.parametrize("scheme", list(SCHEMES))
@pytest.mark.parametrize("cells", list(CELLS))
def test_cells_without_flux_are_no_parameters(scheme, cells):
    fluxes = fluxes_of()
    state = build_state(fluxes, CELLS[cells], scheme, LAMBDAS)
    for index, name in enumerate(state.scheme.optimised):
        size = np.abs(sum(fluxes[p].values for p in state.scheme.parts(name))).sum(axis=0)
        active = state.cell[state.component == index]
        np.testing.assert_array_equal(active, np.flatnonzero(CELLS[cells].gather(size) > 0))
    assert state.n_parameters == state.lam.size == state.sign.size == state.lon.size == state.flux.size
    if scheme == "bio_ocn" and cells == "transport":
        assert state.n_parameters == GRID.shape[0] * GRID.shape[1]  # land for one, sea for the other
        np.testing.assert_array_equal(state.lam, np.where(state.component == 0, 3.0, 5.0))
        np.testing.assert_array_equal(state.lat[:3], GRID.lat[0])


@pytest.mark.parametrize("cells", list(CELLS))
def test_spread_and_gather_are_transposes(cells):
    c = CELLS[cells]
    rng = np.random.default_rng(1)
    deviations, totals = rng.standard_normal((3, c.n_cells)), rng.standard_normal(GRID.shape)
    on_grid = c.spread(1.0 + deviations) - 1.0
    np.testing.assert_allclose((on_grid * totals).sum(axis=(1, 2)), deviations @ c.gather(totals), atol=1e-11)


@pytest.mark.parametrize("cells", list(CELLS))
def test_unit_factors_leave_the_prior(cells):
    c = CELLS[cells]
    np.testing.assert_allclose(c.spread(np.ones((2, c.n_cells))), 1.0, rtol=1e-13)


@given(seed=st.integers(0, 1000), n_members=st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_factors_on_the_transport_grid_are_the_parameters_to_the_bit(seed, n_members):
    state = build_state(fluxes_of(seed), CELLS["transport"], "bio_ocn", LAMBDAS)
    x = state.members(state.perturbations(seed, WINDOW, n_members))
    factors = state.factors(x).reshape(n_members, 2, -1)
    np.testing.assert_array_equal(factors[:, state.component, state.cell].T, x)
    untouched = np.ones(factors.shape[1:], bool)
    untouched[state.component, state.cell] = False
    assert (factors[:, untouched] == 1).all()
    np.testing.assert_array_equal(state.factors(x[:, 0]), state.factors(x)[0])


def test_a_region_has_one_factor_and_mixes_by_share():
    c = CELLS["regions"]
    fluxes = fluxes_of()
    fluxes["bio"][:] = 1e-6
    state = build_state(fluxes, c, "bio", LAMBDAS)
    assert state.n_parameters == 4
    factors = state.factors(np.array([2.0, 3.0, 4.0, 5.0]))[0]
    np.testing.assert_allclose(factors[:, 0], 2.0)
    np.testing.assert_allclose(factors[:, 8], 0.3 * 2 + 0.6 * 3 + 0.1)
    np.testing.assert_allclose(factors[:, 17], 1.0)
    np.testing.assert_allclose(c.lat, 0.0, atol=1e-9)
    assert 20 < c.lon[0] < 50


def test_places_of_no_region_keep_their_prior():
    regions = RegionMap.load("builtin", GRID)
    cells = lambda_cells("regions", GRID, region_names=regions.names, region_fraction=regions.fraction)
    assert cells.n_cells == len(regions.names) - 1 == 22
    factors = cells.spread(np.full(22, 3.0))
    np.testing.assert_allclose(factors, 1.0 + 2.0 * (1.0 - regions.fraction[-1]), atol=1e-12)
    fluxes = fluxes_of()
    fluxes["bio"][:] = 1e-6
    state = build_state(fluxes, cells, "bio", LAMBDAS)
    assert state.n_parameters == 22


def test_sign_follows_the_window_total_and_is_silent_where_it_cancels():
    fluxes = fluxes_of(n_times=10)
    fluxes["bio"][:] = 0.0
    series = {0: [1.0] * 10, 1: [-1.0] * 10, 2: [1.0] * 6 + [-1.0] * 4, 3: [1.0] * 7 + [-1.0] * 3, 4: [1.0] * 5 + [-1.0] * 5,
              5: [-1.0] * 6 + [0.9] * 4}
    for column, values in series.items():
        fluxes["bio"][:, 9, column] = np.array(values) * 1e-7
    state = build_state(fluxes, CELLS["transport"], "bio", LAMBDAS, sign_threshold=0.2001)
    assert state.sign.tolist() == [1, -1, 0, 1, 0, -1]
    np.testing.assert_allclose(state.flux[:3], np.array([1.0, -1.0, 0.2]) * 1e-7 * GRID.area[9, 0], rtol=1e-12)
    assert build_state(fluxes, CELLS["transport"], "bio", LAMBDAS, sign_threshold=0.0).sign.tolist() == [1, -1, 1, 1, 0, -1]


def test_perturbations_do_not_depend_on_which_cells_are_active():
    fluxes = fluxes_of()
    whole = build_state(fluxes, CELLS["transport"], "bio_ocn", LAMBDAS)
    part_fluxes = fluxes.copy(deep=True)
    part_fluxes["bio"][:, :9] = 0.0
    part = build_state(part_fluxes, CELLS["transport"], "bio_ocn", LAMBDAS)
    assert part.n_parameters < whole.n_parameters
    for correlation in (None, Correlation(1500.0, 3000.0)):
        delta = whole.perturbations(4, WINDOW, 6, correlation=correlation)
        some = part.perturbations(4, WINDOW, 6, correlation=correlation)
        place = {key: i for i, key in enumerate(zip(whole.component, whole.cell, strict=True))}
        rows = [place[key] for key in zip(part.component, part.cell, strict=True)]
        np.testing.assert_array_equal(some, delta[rows])


@pytest.mark.parametrize("correlation", [None, Correlation(2000.0, 3000.0, "gaussian"), Correlation(2000.0, 0.0, "exponential")])
@pytest.mark.parametrize("cells", ["transport", "coarser", "regions"])
@pytest.mark.parametrize("scheme", ["bio_ocn", "net"])
def test_implied_sigma_is_the_spread_of_regional_totals(scheme, cells, correlation):
    fluxes, fraction = fluxes_of(), regions_of()
    state = build_state(fluxes, CELLS[cells], scheme, LAMBDAS)
    n = 1500
    factors = state.factors(state.members(state.perturbations(2, WINDOW, n, correlation=correlation)))
    totals = np.einsum("mkij,kij,rij->krm", factors, state.model_flux, fraction) * PGC_PER_YEAR
    wanted = state.regional_sigma(fraction, correlation)
    np.testing.assert_allclose(totals.std(axis=2, ddof=1), wanted, rtol=0.09, atol=1e-12)


def test_implied_sigma_of_several_windows():
    states = [build_state(fluxes_of(seed), CELLS["transport"], "bio_ocn", LAMBDAS) for seed in range(4)]
    sigma = np.stack([state.regional_sigma(regions_of()) for state in states])
    result = implied_sigma(states, regions_of())
    np.testing.assert_allclose(result["persistent"], sigma.mean(axis=0))
    np.testing.assert_allclose(result["independent"], np.sqrt((sigma**2).sum(axis=0)) / 4)


class _Settings:
    scheme = "bio_ocn"
    lambda_bio, lambda_ocn, lambda_fossil, lambda_fire = 3.0, 5.0, 1.0, 1.0
    lambda_file = None


def test_lambda_from_numbers_and_from_a_file(tmp_path):
    assert read_lambdas(_Settings, of_both("transport")) == {"bio": 3.0, "ocn": 5.0}
    lat, lon = np.arange(89.5, -90, -1), np.arange(-179.5, 180)
    field = xr.DataArray(2.0 + 0 * lat[:, None] + (lon > 0), coords={"latitude": lat, "longitude": lon}, dims=("latitude", "longitude"))
    path = tmp_path / "lambda.nc"
    xr.Dataset({"lambda_bio": field}).to_netcdf(path)
    class WithFile(_Settings):
        lambda_file = path
    found = read_lambdas(WithFile, of_both("finer"))
    assert found["ocn"] == 5.0
    east = (CELLS["finer"].lon > 2) & (CELLS["finer"].lon < 178)
    np.testing.assert_allclose(found["bio"][east], 3.0)
    west = (CELLS["finer"].lon > 182) & (CELLS["finer"].lon < 358)
    np.testing.assert_allclose(found["bio"][west], 2.0)
    state = build_state(fluxes_of(), CELLS["finer"], "bio_ocn", found)
    assert set(np.round(state.lam, 6)) >= {2.0, 3.0, 5.0}
    by_region = read_lambdas(WithFile, of_both("regions"))["bio"]
    assert 2.0 < by_region[1] <= 3.0 and by_region[3] == pytest.approx(2.0)


def test_bad_lambda_and_bad_states_are_named(tmp_path):
    with pytest.raises(InputError, match="λ"):
        build_state(fluxes_of(), CELLS["transport"], "bio_ocn", {"bio": -1.0, "ocn": 5.0})
    with pytest.raises(SettingsError, match="λ of ocn"):
        build_state(fluxes_of(), CELLS["transport"], "bio_ocn", {"bio": 3.0})
    with pytest.raises(InputError, match="nothing to optimise"):
        build_state(0 * fluxes_of(), CELLS["transport"], "bio_ocn", LAMBDAS)
    state = build_state(fluxes_of(), CELLS["transport"], "bio_ocn", LAMBDAS)
    with pytest.raises(InputError, match="do not fit"):
        state.factors(np.ones((3, 2)))
    with pytest.raises(InputError, match="regions"):
        lambda_cells("regions", GRID)
    with pytest.raises(InputError, match="shares"):
        RegionCells(("a",), 2 * np.ones((1, *GRID.shape)), GRID)
    path = tmp_path / "lambda.nc"
    path.write_text("nothing")
    class WithFile(_Settings):
        lambda_file = path
    with pytest.raises(InputError, match="λ cannot be read"):
        read_lambdas(WithFile, of_both("transport"))


BUILTIN = RegionMap.load("builtin", GRID)


def layout(scheme="bio_ocn", **grids):
    names = {f"lambda_grid_{name}": "" for name in ("bio", "ocn", "fossil", "fire")}
    return SimpleNamespace(scheme=scheme, lambda_grid="transport", lambda_file=None, **{f"lambda_{k}": v for k, v in LAMBDAS.items()},
                           **(names | grids))


def test_grids_by_component_and_their_defaults():
    cells = component_cells(layout(lambda_grid_bio="regions", lambda_grid_fire="12x6"), GRID, BUILTIN)
    assert list(cells) == ["bio", "ocn"] and cells["bio"].n_cells == 22 and cells["ocn"].n_cells == 648 and not same_cells(cells)
    cells = component_cells(layout("bio_ocn_fire", lambda_grid_ocn="12x6", lambda_grid_fire="12x6"), GRID, BUILTIN)
    assert [c.n_cells for c in cells.values()] == [648, 72, 72] and cells["ocn"] is cells["fire"]
    assert component_cells(layout("net", lambda_grid_bio="12x6"), GRID, BUILTIN)["net"].n_cells == 72
    assert same_cells(component_cells(layout(lambda_grid_bio="transport"), GRID, BUILTIN)), "one grid said twice is one grid"


@pytest.mark.parametrize("correlation", [None, Correlation(2000.0, 3000.0)])
def test_each_flux_as_if_it_were_alone(correlation):
    fluxes, chosen = fluxes_of(), layout("bio_ocn_fossil", lambda_grid_bio="regions", lambda_grid_ocn="10x6")
    cells = component_cells(chosen, GRID, BUILTIN)
    state = build_state(fluxes, cells, chosen.scheme, read_lambdas(chosen, cells))
    delta = state.perturbations(3, WINDOW, 5, correlation=correlation)
    factors, sigma = state.factors(state.members(delta)), state.regional_sigma(regions_of(), correlation)
    for name, grid in (("bio", "regions"), ("ocn", "10x6"), ("fossil", "transport")):
        index, rows = state.scheme.optimised.index(name), state.of(name)
        same = layout("bio_ocn_fossil", **{f"lambda_grid_{k}": grid for k in ("bio", "ocn", "fossil")})
        alone = build_state(fluxes, component_cells(same, GRID, BUILTIN), chosen.scheme, LAMBDAS)
        mine = alone.of(name)
        for column in ("cell", "lon", "lat", "lam", "sign", "flux"):
            np.testing.assert_array_equal(getattr(state, column)[rows], getattr(alone, column)[mine])
        its = alone.perturbations(3, WINDOW, 5, correlation=correlation)
        np.testing.assert_array_equal(delta[rows], its[mine])
        np.testing.assert_allclose(factors[:, index], alone.factors(alone.members(its))[:, index], rtol=1e-14)
        np.testing.assert_allclose(sigma[index], alone.regional_sigma(regions_of(), correlation)[index], rtol=1e-13)
    np.testing.assert_array_equal(state.factors(np.full(state.n_parameters, 1.0)), state.factors(np.ones((state.n_parameters, 1)))[0])


def test_a_gridded_lambda_is_averaged_over_the_cells_of_its_flux(tmp_path):
    lat, lon = np.arange(89.5, -90, -1), np.arange(-179.5, 180)
    field = xr.DataArray(2.0 + (lat[:, None] > 0) + 0 * lon, coords={"lat": lat, "lon": lon}, dims=("lat", "lon"))
    xr.Dataset({"lambda_bio": field, "lambda_ocn": 2 * field}).to_netcdf(tmp_path / "lambda.nc")
    chosen = layout(lambda_grid_bio="10x6", lambda_grid_ocn="4x2")
    chosen.lambda_file = tmp_path / "lambda.nc"
    found = read_lambdas(chosen, component_cells(chosen, GRID, BUILTIN))
    np.testing.assert_allclose(found["bio"], np.repeat([2.0, 3.0], 30), rtol=1e-12)
    np.testing.assert_allclose(found["ocn"], np.repeat([4.0, 6.0], 4), rtol=1e-12)
