"""The published transport tests are set up as published: flows against their formulas, measures against brute force."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mozart_coupling.constants import EARTH_RADIUS_M, GRAVITY
from mozart_coupling.embedded import idealised
from mozart_coupling.embedded.idealised import dcmip, orography
from mozart_coupling.grids import Grid

measures = importlib.import_module("mozart_coupling.embedded.idealised.measures")
T = idealised.PERIOD_S
NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)


@pytest.fixture(scope="module")
def grid() -> Grid:
    return Grid.with_poles(24, 13)


def along(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gauss points (n, 12) between edges [rad] and their weights."""
    width = np.diff(edges)[:, None]
    return edges[:-1, None] + 0.5 * width * (1.0 + NODES), 0.5 * width * WEIGHTS


def test_divergent_walls_are_the_integrals_of_the_published_wind(grid: Grid) -> None:
    time, dt = 0.3 * T, 900.0
    lon_edges, lat_edges = np.deg2rad(grid.lon_edges), np.deg2rad(grid.lat_edges)
    turn, strength = 2.0 * np.pi * time / T, np.cos(np.pi * time / T)
    lat, weight = along(lat_edges)
    lam = (lon_edges[:-1] - turn)[None, :, None]
    u = (-5.0 * np.sin(0.5 * lam) ** 2 * (np.sin(2 * lat) * np.cos(lat) ** 2)[:, None, :] * strength
         + 2.0 * np.pi * np.cos(lat)[:, None, :]) * EARTH_RADIUS_M / T
    zonal, meridional = idealised.divergent_walls(grid, time, dt)
    np.testing.assert_allclose(zonal[1:-1], ((u * weight[:, None, :]).sum(axis=2) * EARTH_RADIUS_M * dt)[1:-1], rtol=1e-11, atol=1.0)
    lon, weight = along(lon_edges)
    v = 2.5 * EARTH_RADIUS_M / T * np.sin(lon - turn)[None] * (np.cos(lat_edges) ** 3)[:, None, None] * strength
    expected = (v * weight).sum(axis=2) * EARTH_RADIUS_M * np.cos(lat_edges)[:, None] * dt
    np.testing.assert_allclose(meridional, expected, rtol=1e-11, atol=1.0)


@given(chi=st.floats(-0.2, 1.3), xi=st.floats(-0.2, 1.1), low=st.sampled_from([0.0, 0.1]))
@settings(max_examples=200, deadline=None)
def test_distance_from_the_curve_is_the_shortest(chi: float, xi: float, low: float) -> None:
    x = np.linspace(low, 1.0, 20001)
    brute = np.sqrt((((x - chi) / (1.0 - low)) ** 2 + ((idealised.correlated(x) - xi) / (0.8 - 0.8 * low**2)) ** 2).min())
    found = measures.distance_from_curve(np.array([chi]), np.array([xi]), (low, 1.0))[0]
    assert found <= brute + 1e-12
    assert found == pytest.approx(brute, abs=1e-4)


def test_mixing_tells_the_three_regions_apart() -> None:
    chi = np.array([[0.5, 0.55, 0.55, 1.05]])
    xi = np.array([[idealised.correlated(np.array(0.5)), 0.6, 0.8, 0.1]])
    found = idealised.mixing(chi, xi, np.array([[1.0, 1.0, 1.0, 1.0]]))
    far = measures.distance_from_curve(chi, xi)[0] / 4.0
    assert far[0] < 1e-9
    np.testing.assert_allclose([found.real, found.unmixing, found.overshooting], far[1:], atol=1e-9)


def test_mixing_between_points_of_the_curve_is_real() -> None:
    chi = np.array([0.1, 1.0, 0.3, 0.7])
    pair = 0.5 * (chi + chi[::-1]), 0.5 * (idealised.correlated(chi) + idealised.correlated(chi[::-1]))
    found = idealised.mixing(*pair, np.ones(4))
    assert found.real > 0.05 and found.unmixing == found.overshooting == 0.0


def test_mixing_in_other_ranges() -> None:
    """The pair of DCMIP 1-1 begins at χ = 0: air that mixes with it is inside the hull, which it is not in the sphere's ranges."""
    pair = np.array([0.05, 0.5]), np.array([0.5 * (0.9 + idealised.correlated(0.1)), 0.5 * (0.9 + 0.1)])
    found = idealised.mixing(*pair, np.ones(2), dcmip.Q1_RANGE)
    assert found.real > 0.08 and found.unmixing == found.overshooting == 0.0
    assert idealised.mixing(*pair, np.ones(2)).overshooting > 0.0


def test_dcmip_1_1_starts_on_the_curve(grid: Grid) -> None:
    case = dcmip.deformation_3d(grid, 12)
    found = idealised.mixing(case.start[0], case.start[1], case.weight, dcmip.Q1_RANGE)
    assert found.real + found.unmixing + found.overshooting < 1e-12
    assert case.start[0].min() == 0.0 and case.start[0].max() <= 1.0


def test_filaments_count_area() -> None:
    start, area = np.array([[0.1, 0.5, 0.9]]), np.array([[1.0, 2.0, 3.0]])
    found = idealised.filaments(np.array([[0.1, 0.9, 0.6]]), start, area, [0.1, 0.5, 0.7, 1.0])
    np.testing.assert_allclose(found, [100.0, 100.0, 100.0 * 2.0 / 3.0, 0.0])


def vertical_flux(case: dcmip.Case, time: float, dt: float) -> np.ndarray:
    """Air that continuity carries down through interfaces in `dt` (n+1, nlat, nlon) [kg]."""
    zonal, meridional = case.walls(time, dt)
    gain = zonal - np.roll(zonal, -1, axis=2) + meridional[:, :-1] - meridional[:, 1:]
    return np.concatenate([np.zeros((1, *case.grid.shape)), np.cumsum(gain, axis=0)])


def test_continuity_gives_the_vertical_wind_of_dcmip_1_1(grid: Grid) -> None:
    """ω = ω0 sin λ' cos φ cos(2πt/τ) s(p), averaged over each cell."""
    case = dcmip.deformation_3d(grid, 12)
    time, dt = 0.2 * T, 900.0
    flux = vertical_flux(case, time, dt)
    p, top = dcmip.pressure_at(case.height), dcmip.pressure_at(12000.0)
    s = 1 + np.exp((top - 1e5) / (0.2 * top)) - np.exp((p - 1e5) / (0.2 * top)) - np.exp((top - p) / (0.2 * top))
    lon, lon_weight = along(np.deg2rad(grid.lon_edges))
    lat, lat_weight = along(np.deg2rad(grid.lat_edges))
    over = (np.sin(lon - 2 * np.pi * time / T) * lon_weight).sum(axis=1)[None] * (np.cos(lat) ** 2 * lat_weight).sum(axis=1)[:, None]
    expected = 23000.0 * np.pi / T * np.cos(4 * np.pi * 0.2 / 2) * EARTH_RADIUS_M**2 * dt / GRAVITY * s[:, None, None] * over
    np.testing.assert_allclose(flux[:, 1:-1], expected[:, 1:-1], rtol=0, atol=1e-11 * case.mass.max())


def test_continuity_gives_the_vertical_wind_of_dcmip_1_2(grid: Grid) -> None:
    case = dcmip.hadley(grid, 12)
    time, dt = 0.1 * 86400.0, 60.0
    flux = vertical_flux(case, time, dt)
    lat, weight = along(np.deg2rad(grid.lat_edges))
    shape = -2 * np.sin(5 * lat) * np.sin(lat) + 5 * np.cos(lat) * np.cos(5 * lat)
    area_mean = (shape * np.cos(lat) * weight).sum(axis=1) / (np.cos(lat) * weight).sum(axis=1)
    density = 1e5 / (287.0 * 300.0)
    w = density * 0.15 / 5 * area_mean * np.sin(np.pi * case.height / 12000.0)[:, None] * np.cos(2 * np.pi * 0.1 / 2)
    # Mass is over the model's gravity, density over the document's.
    expected = -w[:, :, None] * grid.area * dt * 9.80616 / GRAVITY
    np.testing.assert_allclose(flux[:, 1:-1], expected[:, 1:-1], rtol=0, atol=1e-11 * case.mass.max())


def test_columns_over_orography_keep_their_air_and_flow_crosses_levels_as_wind_does(grid: Grid) -> None:
    """Down to the fixed base nothing converges; through a level the flux is -u·∇p, as for any purely horizontal wind."""
    case = orography.thin_clouds(grid, 12)
    flux = vertical_flux(case, 0.0, 900.0)
    assert np.abs(flux[-1, 1:-1]).max() < 1e-10 * case.mass.max()
    a, b = orography.hybrid_coefficients(case.height)
    k, j, i = 8, 7, 15
    lon, lon_weight = along(np.deg2rad(grid.lon_edges[i : i + 2]))
    lat, lat_weight = along(np.deg2rad(grid.lat_edges[j : j + 2]))
    lon, lat, h = lon.reshape(-1, 1), lat.reshape(1, -1), 1e-5

    def pressure(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return a[k] * 1e5 + b[k] * dcmip.pressure_at(orography.surface_height(x, y))

    u0 = 2.0 * np.pi * EARTH_RADIUS_M / T
    u = u0 * (np.cos(lat) * np.cos(np.pi / 6) + np.sin(lat) * np.cos(lon) * np.sin(np.pi / 6))
    v = -u0 * np.sin(lon) * np.sin(np.pi / 6)
    eastward, northward = pressure(lon + h, lat) - pressure(lon - h, lat), pressure(lon, lat + h) - pressure(lon, lat - h)
    along_wind = (u / np.cos(lat) * eastward + v * northward) / (2 * h)
    expected = -(along_wind * np.cos(lat) * lon_weight.reshape(-1, 1) * lat_weight.reshape(1, -1)).sum() * EARTH_RADIUS_M * 900.0 / GRAVITY
    assert abs(expected) > 1e-3 * case.mass[k, j, i]
    assert flux[k, j, i] == pytest.approx(expected, rel=0.02)
