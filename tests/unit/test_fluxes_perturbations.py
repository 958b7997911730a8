"""Draws: the same number for the same key whatever else is drawn, and the right distribution."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gcas_driver.errors import InputError
from gcas_driver.fluxes.harmonics import SphereField
from gcas_driver.fluxes.perturbations import Correlation, draw, standard_normal
from mozart_coupling.grids import Grid, great_circle_km

WINDOW = np.datetime64("2010-06-01")


@given(n_cells=st.integers(1, 70), n_members=st.integers(1, 12), seed=st.integers(0, 2**63 - 1))
@settings(max_examples=60, deadline=None)
def test_a_value_does_not_depend_on_how_many_are_drawn(n_cells, n_members, seed):
    whole = standard_normal(seed, WINDOW, "bio", 70, 12)
    np.testing.assert_array_equal(standard_normal(seed, WINDOW, "bio", n_cells, n_members), whole[:n_cells, :n_members])


def test_every_part_of_the_key_matters():
    base = standard_normal(1, WINDOW, "bio", 500, 4)
    others = [standard_normal(2, WINDOW, "bio", 500, 4), standard_normal(1, WINDOW + 7, "bio", 500, 4),
              standard_normal(1, WINDOW, "ocn", 500, 4), standard_normal(1, WINDOW, "net", 500, 4),
              standard_normal(1, WINDOW, "bio", 500, 4, purpose=1)]
    for other in others:
        assert not np.any(base == other)
        assert abs(np.corrcoef(base.ravel(), other.ravel())[0, 1]) < 5 / np.sqrt(base.size)


def test_stored_values():
    """The numbers of old runs: if this fails, no run can be repeated."""
    stored = [[1.1807169099137371, -0.9993409870656231],
              [-0.3459544307894298, -0.07195582147985145],
              [0.5586653490610536, 0.19854159218107473],
              [-0.3289828117720281, -0.23073916756186927],
              [-1.135383371935112, 1.479777900086511]]
    np.testing.assert_allclose(standard_normal(2010, WINDOW, "bio", 5, 2), stored, rtol=1e-12)
    np.testing.assert_allclose(standard_normal(2010, np.datetime64("2010-06-01T00:00:00"), "bio", 5, 2), stored, rtol=1e-12)


def test_distribution_is_standard_normal():
    values = standard_normal(7, WINDOW, "bio", 16384, 60)
    n = values.size
    assert abs(values.mean()) < 4 / np.sqrt(n)
    assert abs(values.var() - 1) < 4 * np.sqrt(2 / n)
    assert abs(stats.skew(values, axis=None)) < 4 * np.sqrt(6 / n)
    assert abs(stats.kurtosis(values, axis=None)) < 4 * np.sqrt(24 / n)
    assert stats.kstest(values.ravel()[:200_000], "norm").pvalue > 1e-3
    assert np.abs(values).max() > 4.5  # tails are not cut


def test_neighbours_and_members_are_not_correlated():
    values = standard_normal(7, WINDOW, "bio", 16384, 60)
    limit = 5 / np.sqrt(values.size)
    for lag in (1, 2, 3, 4, 128):
        assert abs((values[:-lag] * values[lag:]).mean()) < limit
    for lag in (1, 2, 3, 4, 5, 8):
        assert abs((values[:, :-lag] * values[:, lag:]).mean()) < limit
    between = np.corrcoef(values.T) - np.eye(60)
    assert np.abs(between).max() < 5.5 / np.sqrt(16384)


@pytest.mark.parametrize("correlation", [None, Correlation(600.0, 1500.0)])
def test_centred_members_have_mean_zero_and_unit_variance(correlation):
    grid = Grid.named("36x18")
    lat, lon = (a.ravel() for a in np.meshgrid(grid.lat, grid.lon, indexing="ij"))
    options = {"correlation": correlation, "lon": lon, "lat": lat, "land": lat > 0, "spacing_km": 1000.0}
    delta = draw(3, WINDOW, "net", lon.size, 40, **options)
    assert np.abs(delta.mean(axis=1)).max() < 1e-15 * 40
    assert delta.var(axis=1, ddof=1).mean() == pytest.approx(1.0, abs=0.05)
    plain = draw(3, WINDOW, "net", lon.size, 40, centred=False, **options)
    np.testing.assert_allclose(delta, plain - plain.mean(axis=1, keepdims=True), atol=1e-15)
    assert np.abs(plain.mean(axis=1)).max() > 0.1


def test_drawing_is_fast():
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        draw(1, WINDOW, "bio", 16384, 100)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.3


# --- Correlated draws ---

GRID = Grid.named("128x64")
LAT, LON = (a.ravel() for a in np.meshgrid(GRID.lat, GRID.lon, indexing="ij"))
LAND = np.sin(3 * np.deg2rad(LON)) + np.sin(np.deg2rad(2 * LAT)) > 0


def _correlated(n_members, correlation, cells=slice(None), **options):
    return draw(5, WINDOW, "net", LON[cells].size, n_members, correlation=correlation, lon=LON[cells], lat=LAT[cells],
                land=LAND[cells], spacing_km=312.0, **options)


@pytest.mark.parametrize("shape", ["gaussian", "exponential"])
def test_correlation_follows_the_function_and_stops_at_the_coast(shape):
    correlation = Correlation(800.0, 1600.0, shape)
    pick = np.arange(0, LON.size, 29)
    delta = draw(5, WINDOW, "net", pick.size, 1500, correlation=correlation, lon=LON[pick], lat=LAT[pick], land=LAND[pick],
                 spacing_km=312.0, centred=False)
    sample = delta @ delta.T / 1500
    wanted = correlation.matrix(LON[pick], LAT[pick], LAND[pick])
    difference = sample - wanted
    assert np.abs(difference).max() < 6.5 / np.sqrt(1500)  # 40,000 pairs
    np.testing.assert_allclose(sample[np.diag_indices(pick.size)].mean(), 1.0, atol=0.01)
    distance = great_circle_km(LON[pick][:, None], LAT[pick][:, None], LON[pick], LAT[pick])
    both = LAND[pick][:, None] & LAND[pick][None]
    for low in range(300, 3000, 300):
        ring = both & (distance >= low) & (distance < low + 300)
        assert abs(difference[ring].mean()) < 0.03, low
    across = LAND[pick][:, None] != LAND[pick][None]
    assert (wanted[across] == 0).all()
    assert abs(sample[across & (distance < 800)].mean()) < 0.02


def test_correlated_values_do_not_depend_on_members_or_cells():
    correlation = Correlation(800.0, 1600.0, "gaussian")
    whole = _correlated(9, correlation, centred=False)
    np.testing.assert_array_equal(_correlated(4, correlation, centred=False), whole[:, :4])
    north = LAT > 0
    np.testing.assert_array_equal(_correlated(9, correlation, cells=north, centred=False), whole[north])


def test_correlated_drawing_is_fast():
    correlation = Correlation(800.0, 1600.0)
    start = time.perf_counter()
    _correlated(100, correlation)
    assert time.perf_counter() - start < 10.0


def test_one_surface_may_stay_independent():
    delta = _correlated(3, Correlation(0.0, 1500.0, "gaussian"), centred=False)
    np.testing.assert_array_equal(delta[LAND], standard_normal(5, WINDOW, "net", LON.size, 3)[LAND])
    assert not np.any(delta[~LAND] == standard_normal(5, WINDOW, "net", LON.size, 3)[~LAND])


@pytest.mark.parametrize("shape", ["gaussian", "exponential"])
@pytest.mark.parametrize("length", [300.0, 1000.0, 5000.0])
def test_spectrum_sums_to_the_correlation(shape, length):
    field = SphereField.of(length, shape, 200.0)
    distance = np.array([800.0, 2000.0, 6000.0])
    legendre = np.polynomial.legendre.legval(np.cos(distance / 6371.229), field.variance)
    wanted = np.exp(-distance / length) if shape == "exponential" else np.exp(-0.5 * (distance / length) ** 2)
    np.testing.assert_allclose(legendre, wanted, atol=0.006)
    assert field.variance.sum() + field.rest == pytest.approx(1.0, abs=1e-12)
    assert field.rest < 0.25


def test_variance_is_one_at_the_poles_too():
    field = SphereField.of(1000.0, "gaussian", 300.0)
    lat = np.array([-90.0, -89.0, 0.0, 45.0, 90.0])
    basis = field.synthesis(np.eye(field.n_amplitudes), np.array([0.0, 10.0, 20.0, 350.0, 100.0]), lat)
    np.testing.assert_allclose((basis**2).sum(axis=1), 1.0, atol=1e-10)


def test_projection_is_the_transpose_of_synthesis():
    field = SphereField.of(2000.0, "gaussian", 900.0)
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(0, 360, 30), rng.uniform(-90, 90, 30)
    weights = rng.standard_normal((3, 30))
    z = rng.standard_normal((field.n_amplitudes, 2))
    np.testing.assert_allclose(field.projection(weights, lon, lat) @ z, weights @ field.synthesis(z, lon, lat), atol=1e-12)


def test_bad_requests_are_named():
    with pytest.raises(InputError, match="seed"):
        standard_normal(-1, WINDOW, "bio", 3, 3)
    with pytest.raises(InputError, match="place and surface"):
        draw(1, WINDOW, "bio", 3, 3, correlation=Correlation(500.0))
    with pytest.raises(InputError, match="linear"):
        Correlation(500.0, 500.0, "linear")
    with pytest.raises(InputError, match="length"):
        Correlation(-1.0)
