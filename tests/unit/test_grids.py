"""Grids: kinds, recognition, areas, cells, distances, refusals."""

import numpy as np
import pytest

from mozart_coupling.constants import EARTH_RADIUS_M
from mozart_coupling.grids import Grid, GridError, great_circle_km, regrid

GRIDS = [Grid.gaussian(32, 16), Grid.regular(36, 18, lon_first=-175.0), Grid.regular(24, 12, lon_first=None),
         Grid.with_poles(24, 13), Grid.named("144x96")]


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_areas_sum_to_the_sphere(grid):
    assert grid.area.shape == grid.shape
    assert grid.area.sum() == pytest.approx(4.0 * np.pi * EARTH_RADIUS_M**2, rel=1e-13)
    assert np.all(grid.area > 0.0)


def test_gaussian_areas_are_gauss_weights():
    grid = Grid.named("128x64")
    _, weights = np.polynomial.legendre.leggauss(64)
    assert np.allclose(grid.area[:, 0] * 128 / (2.0 * np.pi * EARTH_RADIUS_M**2), weights, rtol=1e-12)
    assert grid.lat[-1] == pytest.approx(87.8638, abs=1e-4)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_from_centres_recognises_kind_and_keeps_the_numbers(grid, dtype):
    lon, lat = grid.lon.astype(dtype), grid.lat.astype(dtype)
    found = Grid.from_centres(lon, lat)
    assert np.array_equal(found.lon, lon.astype(float)) and np.array_equal(found.lat, lat.astype(float))
    assert np.allclose(found.lat_edges, grid.lat_edges, atol=1e-12)
    assert np.allclose(found.lon_edges, grid.lon_edges, atol=1e-4)


def test_named_kinds():
    assert Grid.named("360x180").lat[0] == -89.5
    assert Grid.named("288x192").lat[0] == -90.0
    assert Grid.named("72x36").lat[0] == -87.5
    with pytest.raises(GridError, match="NLONxNLAT"):
        Grid.named("T42")


@pytest.mark.parametrize(("lon", "lat", "words"), [
    (np.arange(36) * 10.0, np.linspace(85, -85, 18), "descend"),
    (np.arange(36) * 10.0, np.linspace(-80, 80, 18), "neither regular"),
    (np.r_[np.arange(18) * 10.0, np.arange(-18, 0) * 10.0], np.linspace(-85, 85, 18), "evenly spaced"),
    (np.linspace(0, 360, 37), np.linspace(-85, 85, 18), "evenly spaced"),
])
def test_what_is_no_grid_is_refused(lon, lat, words):
    with pytest.raises(GridError, match=words):
        Grid.from_centres(lon, lat)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_cell_index_finds_centres_in_any_longitude_convention(grid):
    lon, lat = np.meshgrid(grid.lon, grid.lat)
    for turn in (-360.0, 0.0, 360.0):
        ilat, ilon = grid.cell_index(lon + turn, lat)
        assert np.array_equal(ilat, np.broadcast_to(np.arange(grid.nlat)[:, None], grid.shape))
        assert np.array_equal(ilon, np.broadcast_to(np.arange(grid.nlon), grid.shape))


def test_cell_index_at_poles_and_beyond():
    grid = Grid.named("128x64")
    assert grid.cell_index(0.0, 90.0)[0] == 63 and grid.cell_index(0.0, -90.0)[0] == 0
    assert grid.cell_index(359.0, 0.0)[1] == 0  # nearer to 360 than to the last centre
    with pytest.raises(GridError):
        grid.cell_index(0.0, 90.1)
    with pytest.raises(GridError):
        grid.cell_index(np.nan, 0.0)


def test_great_circle():
    assert great_circle_km(0, 0, 180, 0) == pytest.approx(np.pi * EARTH_RADIUS_M / 1e3)
    assert great_circle_km(10, 90, 200, 90) == pytest.approx(0.0, abs=1e-9)
    assert great_circle_km(179.9, 0, -179.9, 0) == pytest.approx(np.deg2rad(0.2) * EARTH_RADIUS_M / 1e3)
    assert great_circle_km([0, 0], 0, 0, [1, 2]).shape == (2,)


def test_grids_are_values():
    assert Grid.named("36x18") == Grid.named("36x18") and hash(Grid.named("36x18")) == hash(Grid.named("36x18"))
    assert Grid.named("36x18") != Grid.regular(36, 18, lon_first=None)
    with pytest.raises(ValueError):
        Grid.named("36x18").lon[0] = 1.0


@pytest.mark.parametrize(("values", "words"), [
    (np.ones((3, 4)), "do not fit"),
    (np.full((18, 36), np.nan), "not finite"),
    (np.ma.masked_greater(np.arange(648.0).reshape(18, 36), 600.0), "masked"),
])
def test_regrid_refuses(values, words):
    with pytest.raises(GridError, match=words):
        regrid(values, Grid.named("36x18"), Grid.named("24x12"))


def test_regrid_refuses_unknown_kind():
    with pytest.raises(GridError, match="kind"):
        regrid(np.ones((18, 36)), Grid.named("36x18"), Grid.named("24x12"), kind="mean")
