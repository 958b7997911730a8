"""Member fluxes: the few fields times coefficients are the schemes' equations, whatever the scheme and perturbation."""

import numpy as np
import pytest
import xarray as xr

from gcas_driver.errors import InputError, SettingsError
from gcas_driver.fluxes.components import COMPONENTS, SCHEMES
from gcas_driver.fluxes.lambda_cells import GridCells, lambda_cells
from gcas_driver.fluxes.members import flux_basis, scaled_fluxes, shift_field
from gcas_driver.fluxes.state import build_state
from mozart_coupling.emissions import molecules_per_cm2, nodes_from_means
from mozart_coupling.grids import Grid

GRID = Grid.named("36x18")
LAMBDAS = {"bio": 3.0, "ocn": 5.0, "fossil": 0.5, "fire": 1.0, "net": 2.0}
WINDOW = np.datetime64("2010-06-01")


@pytest.fixture(scope="module")
def fluxes():
    rng = np.random.default_rng(0)
    times = WINDOW.astype("datetime64[s]") + np.arange(16) * np.timedelta64(10800, "s")
    data = {name: (("time", "lat", "lon"), 1e-6 * rng.standard_normal((16, *GRID.shape)), {"units": "mol m-2 s-1"}) for name in COMPONENTS}
    data["bio"][1][:, :4] = 0.0
    return xr.Dataset(data, coords={"time": times, "lat": GRID.lat, "lon": GRID.lon})


def _case(fluxes, scheme, cells, n_members=4):
    state = build_state(fluxes, cells, scheme, LAMBDAS)
    delta = state.perturbations(1, WINDOW, n_members)
    return state, delta, state.factors(state.members(delta))


@pytest.mark.parametrize("scheme", list(SCHEMES))
def test_members_are_equations_2_to_5(fluxes, scheme):
    """X_i = (X + λ δ_i X) summed over what is optimised, plus what is kept, written out cell by cell."""
    state, delta, factors = _case(fluxes, scheme, GridCells(GRID, GRID))
    basis = flux_basis(fluxes, scheme)
    for i, member in enumerate(basis.members(factors)):
        wanted = sum((fluxes[name].values for name in SCHEMES[scheme].kept), start=np.zeros((16, *GRID.shape)))
        for name in SCHEMES[scheme].optimised:
            prior = fluxes[name].values if name != "net" else sum(fluxes[part].values for part in COMPONENTS)
            perturbation = np.zeros(GRID.shape[0] * GRID.shape[1])
            rows = state.of(name)
            perturbation[state.cell[rows]] = LAMBDAS[name] * delta[rows, i]
            wanted = wanted + prior + perturbation.reshape(GRID.shape) * prior
        np.testing.assert_allclose(member, wanted, rtol=1e-12, atol=1e-20)


@pytest.mark.parametrize("perturbation", ["scale", "shift"])
@pytest.mark.parametrize("scheme", list(SCHEMES))
def test_both_routes_give_the_same_flux(fluxes, scheme, perturbation):
    _, _, factors = _case(fluxes, scheme, lambda_cells("12x8", GRID))
    basis = flux_basis(fluxes, scheme, perturbation)
    coefficients = basis.coefficients(factors)
    assert coefficients.shape == (4, basis.n_basis, *GRID.shape)
    for i, member in enumerate(basis.members(factors)):
        whole = scaled_fluxes(fluxes, scheme, factors[i], perturbation).to_array().sum("variable").values
        np.testing.assert_allclose(member, whole, rtol=1e-12, atol=1e-19)
        np.testing.assert_allclose(member, np.einsum("bij,btij->tij", coefficients[i], basis.values), rtol=1e-12, atol=1e-19)


@pytest.mark.parametrize("perturbation", ["scale", "shift"])
def test_records_of_a_member_are_the_sum_of_the_fields_records(fluxes, perturbation):
    _, _, factors = _case(fluxes, "bio_ocn", GridCells(GRID, GRID))
    basis = flux_basis(fluxes, "bio_ocn", perturbation)
    coefficients, nodes = basis.coefficients(factors), basis.nodes()
    assert nodes.shape == (basis.n_basis, 17, *GRID.shape)
    for i, member in enumerate(basis.members(factors)):
        direct = molecules_per_cm2(nodes_from_means(member))
        np.testing.assert_allclose(np.einsum("bij,bnij->nij", coefficients[i], nodes), direct, rtol=1e-11,
                                   atol=1e-11 * np.abs(direct).max())


@pytest.mark.parametrize("perturbation", ["scale", "shift"])
def test_the_window_total_is_scaled(fluxes, perturbation):
    _, _, factors = _case(fluxes, "bio_ocn", GridCells(GRID, GRID))
    posterior = scaled_fluxes(fluxes, "bio_ocn", factors[2], perturbation)
    for index, name in enumerate(("bio", "ocn")):
        np.testing.assert_allclose(posterior[name].sum("time"), factors[2, index] * fluxes[name].sum("time"), atol=1e-17)
    for name in ("fossil", "fire"):
        np.testing.assert_array_equal(posterior[name], fluxes[name])


def test_shift_changes_in_proportion_to_size_and_never_blows_up(fluxes):
    field = shift_field(fluxes.bio.values)
    ratio = field / np.abs(np.where(fluxes.bio.values == 0, 1, fluxes.bio.values))
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:1], ratio.shape), atol=1e-12)
    assert (np.abs(field) <= np.abs(fluxes.bio.values) * (1 + 1e-12)).all()
    assert (field[:, :4] == 0).all()


@pytest.mark.parametrize("perturbation", ["scale", "shift"])
@pytest.mark.parametrize("scheme", list(SCHEMES))
def test_without_factors_it_is_the_prior(fluxes, scheme, perturbation):
    ones = np.ones((1, len(SCHEMES[scheme].optimised), *GRID.shape))
    prior = sum(fluxes[name].values for name in COMPONENTS)
    np.testing.assert_allclose(next(flux_basis(fluxes, scheme, perturbation).members(ones)), prior, atol=1e-20)
    plain = scaled_fluxes(fluxes, scheme, None)
    np.testing.assert_allclose(plain.to_array().sum("variable").values, prior, atol=1e-20)
    assert list(plain.data_vars) == [*SCHEMES[scheme].optimised, *SCHEMES[scheme].kept]
    assert plain[SCHEMES[scheme].optimised[0]].attrs["units"] == "mol m-2 s-1"


def test_bad_requests_are_named(fluxes):
    with pytest.raises(SettingsError, match="stretch"):
        flux_basis(fluxes, "bio", "stretch")
    with pytest.raises(InputError, match="do not fit"):
        flux_basis(fluxes, "bio_ocn").coefficients(np.ones((3, 1, *GRID.shape)))
