"""Conservative regridding against sums over overlapping boxes, cell by cell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mozart_coupling.grids import Grid, regrid


def _grids() -> st.SearchStrategy[Grid]:
    nlon, nlat = st.integers(3, 40), st.integers(3, 30)
    first = st.floats(-180.0, 360.0)
    return st.one_of(
        st.builds(Grid.regular, nlon, nlat, first),
        st.builds(Grid.with_poles, nlon, nlat, first),
        st.builds(Grid.gaussian, nlon, st.integers(2, 15).map(lambda n: 2 * n)),
    )


def _by_boxes(values: np.ndarray, source: Grid, target: Grid) -> np.ndarray:
    """Mean flux of every target cell, one pair of boxes after the other."""
    result = np.zeros(target.shape)
    for j in range(target.nlat):
        for i in range(target.nlon):
            west, east = target.lon_edges[i : i + 2]
            amount = area = 0.0
            for q in range(source.nlat):
                low = max(target.lat_edges[j], source.lat_edges[q])
                high = min(target.lat_edges[j + 1], source.lat_edges[q + 1])
                if high <= low:
                    continue
                band = np.sin(np.deg2rad(high)) - np.sin(np.deg2rad(low))
                for p in range(source.nlon):
                    for turn in range(-3, 4):
                        width = min(east, source.lon_edges[p + 1] + 360 * turn) - max(west, source.lon_edges[p] + 360 * turn)
                        if width > 0:
                            amount += band * width * values[q, p]
                            area += band * width
            result[j, i] = amount / area
    return result


@pytest.mark.parametrize(("source", "target"), [
    (Grid.regular(12, 8, -165.0), Grid.gaussian(8, 6)),
    (Grid.with_poles(10, 7), Grid.regular(9, 5, 3.0)),
    (Grid.gaussian(8, 4), Grid.with_poles(11, 6, -180.0)),
], ids=str)
def test_regrid_equals_box_by_box(source, target):
    values = np.random.default_rng(1).normal(size=source.shape)
    assert np.allclose(regrid(values, source, target), _by_boxes(values, source, target), rtol=0, atol=1e-13)


@settings(max_examples=60, deadline=None)
@given(_grids(), _grids(), st.integers(0, 2**32 - 1))
def test_totals_are_kept_and_constants_stay(source, target, seed):
    values = np.random.default_rng(seed).lognormal(size=(2, *source.shape))
    flux, total = regrid(values, source, target), regrid(values, source, target, kind="total")
    before, after = (values * source.area).sum(axis=(1, 2)), (flux * target.area).sum(axis=(1, 2))
    assert np.allclose(after, before, rtol=1e-12, atol=0)
    assert np.allclose(total.sum(axis=(1, 2)), values.sum(axis=(1, 2)), rtol=1e-12, atol=0)
    assert np.allclose(regrid(np.ones(source.shape), source, target), 1.0, rtol=0, atol=1e-12)
    assert flux.min() >= values.min() - 1e-9 and flux.max() <= values.max() + 1e-9


def test_there_and_back_over_a_finer_grid_is_exact():
    coarse, fine = Grid.regular(12, 6, 15.0), Grid.regular(36, 18, 5.0)
    values = np.random.default_rng(2).normal(size=coarse.shape)
    assert np.allclose(regrid(regrid(values, coarse, fine), fine, coarse), values, rtol=0, atol=1e-13)


def test_longitude_origin_does_not_matter():
    values = np.random.default_rng(3).normal(size=(18, 36))
    east, west = Grid.regular(36, 18, 5.0), Grid.regular(36, 18, -175.0)
    target = Grid.named("24x12")
    assert np.allclose(regrid(values, east, target), regrid(np.roll(values, 18, axis=1), west, target), rtol=0, atol=1e-14)
