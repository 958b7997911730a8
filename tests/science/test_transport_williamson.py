"""Williamson et al. (1992), case 1: the cosine bell carried once around the sphere; no worse than TPCORE on its grid."""

from __future__ import annotations

import numpy as np
import pytest

from mozart_coupling.embedded import idealised
from mozart_coupling.grids import Grid

# l2 errors of TPCORE (the same class of scheme) on the 128x65 grid with half-size polar boxes, 256 steps: monotone, unlimited.
REFERENCE = {
    "0": (0.0, 0.0985, 0.0412),
    "0.05": (0.05, 0.0979, 0.0446),
    "pi/2-0.05": (np.pi / 2 - 0.05, 0.2283, 0.1932),
    "pi/2": (np.pi / 2, 0.2430, 0.2191),
}


@pytest.fixture(scope="module")
def grid() -> Grid:
    return Grid.with_poles(128, 65)


@pytest.fixture(scope="module")
def bell(grid: Grid) -> np.ndarray:
    return idealised.cell_means(idealised.cosine_bell, grid)


@pytest.mark.parametrize("mode", ["linear", "monotone"])
@pytest.mark.parametrize("angle", REFERENCE)
def test_bell_returns_no_worse_than_tpcore(grid: Grid, bell: np.ndarray, mode: str, angle: str) -> None:
    alpha, monotone, unlimited = REFERENCE[angle]
    result = idealised.carry(idealised.solid_body(alpha), grid, bell[None], 256, mode)[0]
    found = idealised.norms(result, bell, grid)
    assert found.l2 <= (monotone if mode == "monotone" else unlimited)
    if mode == "monotone":
        assert found.smallest >= -1e-15 and found.largest <= bell.max() + 1e-15


def test_error_falls_with_resolution() -> None:
    """The bell is only once differentiable: halving the cells must more than halve the error."""
    errors = []
    for nlon, nlat, steps in ((64, 33, 128), (128, 65, 256)):
        coarse = Grid.with_poles(nlon, nlat)
        start = idealised.cell_means(idealised.cosine_bell, coarse)
        result = idealised.carry(idealised.solid_body(np.pi / 2 - 0.05), coarse, start[None], steps)[0]
        errors.append(idealised.norms(result, start, coarse).l2)
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize("name", ["128x64", "144x96"])
def test_noise_does_not_grow_where_both_courant_numbers_are_large(name: str) -> None:
    """A check that inner and outer operators belong together: with unlike ones this setting explodes."""
    grid = Grid.named(name)
    noise = np.random.default_rng(1).random((1, *grid.shape))
    result = idealised.carry(idealised.solid_body(1.0), grid, noise, 300)[0]
    interior = noise[0, 1:-1]
    assert result.std() < interior.std()
    assert np.abs(result - 0.5).max() < 0.6
