"""Two-dimensional published tests beyond TPCORE's table: divergent flow, mixing, filaments, order of accuracy, the model's own grids.

Bounds are the measured figures (docs/science/transport-tests.md) and at most a tenth more, unless a property is exact.
"""

from __future__ import annotations

import numpy as np
import pytest

from mozart_coupling.embedded import idealised
from mozart_coupling.grids import Grid

STEPS_PER_LONGITUDE = 2.4  # half an hour at 1.5 degrees
STEPS_IN_A_WEEK = 336  # of half an hour, over which uniform tracers are promised to stay uniform to 1e-13


def ladder(nlon: int) -> tuple[Grid, int]:
    return Grid.with_poles(nlon, nlon // 2 + 1), round(STEPS_PER_LONGITUDE * nlon)


def divergent(nlon: int, mode: str, bounds: tuple[float, float, float], air: float) -> None:
    grid, steps = ladder(nlon)
    start = np.stack([idealised.cell_means(field, grid)
                      for field in (idealised.gaussian_hills, idealised.cosine_bells, idealised.slotted_cylinders)])
    final, density = idealised.carry_divergent(grid, np.concatenate([start, np.ones((1, *grid.shape))]), steps, mode)
    for before, after, bound in zip(start, final, bounds, strict=False):
        assert idealised.norms(after, before, grid).l2 <= bound
    assert idealised.norms(density, np.ones(grid.shape), grid).l2 <= air
    np.testing.assert_allclose(final[-1], 1.0, rtol=0, atol=1e-13)
    np.testing.assert_allclose((final[:3] * density * grid.area).sum(axis=(1, 2)), (start * grid.area).sum(axis=(1, 2)), rtol=1e-12)
    if mode == "monotone":
        assert np.all(final.min(axis=(1, 2))[:3] >= start.min(axis=(1, 2)) - 1e-14)
        assert np.all(final.max(axis=(1, 2))[:3] <= start.max(axis=(1, 2)) + 1e-14)


@pytest.mark.parametrize(("mode", "bounds"), [("linear", (0.0235, 0.073, 0.325)), ("monotone", (0.063, 0.16, 0.39))])
def test_mixing_ratios_and_air_return_in_divergent_flow(mode: str, bounds: tuple[float, float, float]) -> None:
    divergent(120, mode, bounds, air=2.9e-4)


def test_density_really_changes_in_divergent_flow() -> None:
    """Without this the divergent test would be another non-divergent one."""
    grid, _ = ladder(60)
    _, density = idealised.carry_divergent(grid, np.ones((1, *grid.shape)), 72, duration=idealised.PERIOD_S / 2)
    assert density.max() / density.min() > 2.0


def half_time(nlon: int, mode: str) -> tuple[Grid, np.ndarray, np.ndarray, np.ndarray]:
    grid, steps = ladder(nlon)
    chi = idealised.cell_means(idealised.cosine_bells, grid)
    pair = np.stack([chi, idealised.correlated(chi)])
    found = idealised.carry(idealised.deformation, grid, pair, steps // 2, mode, idealised.PERIOD_S / 2)
    return grid, chi, *found


@pytest.mark.parametrize(("nlon", "mode", "real", "unmixing", "overshooting"), [
    (120, "linear", 4.1e-3, 2.2e-4, 4.2e-3),
    (120, "monotone", 5.3e-3, 3.4e-6, 1e-13),
    pytest.param(240, "linear", 1.26e-3, 3.6e-4, 1.24e-3, marks=pytest.mark.slow),
])
def test_correlated_tracers_mix_as_air_does(nlon: int, mode: str, real: float, unmixing: float, overshooting: float) -> None:
    """Lauritzen & Thuburn (2012): real mixing prevails; the monotone mode never overshoots."""
    grid, _, chi, xi = half_time(nlon, mode)
    found = idealised.mixing(chi, xi, grid.area)
    assert found.real <= real and found.unmixing <= unmixing and found.overshooting <= overshooting


def test_filaments_keep_their_area_better_in_linear_mode() -> None:
    """Lauritzen et al. (2012): l_f at 3 degrees; thin filaments lose their peaks first."""
    for mode, at_half, at_peak in (("linear", 85.0, 38.0), ("monotone", 79.0, 0.0)):
        grid, start, chi, _ = half_time(120, mode)
        found = idealised.filaments(chi, start, grid.area, [0.1, 0.5, 0.7])
        assert found[1] >= at_half and found[2] >= at_peak
        if mode == "monotone":
            assert found[0] == pytest.approx(100.0, abs=1e-9)


def order(nlon: int, mode: str) -> float:
    """Order of the l2 error of the hills between `nlon` and twice as many cells."""
    errors = []
    for cells in (nlon, 2 * nlon):
        grid, steps = ladder(cells)
        start = idealised.cell_means(idealised.gaussian_hills, grid)
        errors.append(idealised.norms(idealised.carry(idealised.deformation, grid, start[None], steps, mode)[0], start, grid).l2)
    return float(np.log2(errors[0] / errors[1]))


@pytest.mark.parametrize(("nlon", "mode", "least"), [
    (120, "linear", 2.3),
    pytest.param(120, "monotone", 1.8, marks=pytest.mark.slow),
    pytest.param(240, "linear", 2.75, marks=pytest.mark.slow),
    pytest.param(240, "monotone", 2.45, marks=pytest.mark.slow),
])
def test_order_of_accuracy_in_deformational_flow(nlon: int, mode: str, least: float) -> None:
    assert order(nlon, mode) >= least


@pytest.mark.parametrize(("name", "steps", "mode", "bell", "hills"), [
    ("144x96", 360, "linear", 0.0313, 0.083), ("144x96", 360, "monotone", 0.0318, 0.135),
    pytest.param("288x192", 720, "linear", 0.0102, 0.0137, marks=pytest.mark.slow),
    pytest.param("288x192", 720, "monotone", 0.0097, 0.0324, marks=pytest.mark.slow),
    pytest.param("360x180", 864, "linear", 0.0096, 0.0072, marks=pytest.mark.slow),
    pytest.param("360x180", 864, "monotone", 0.0137, 0.0175, marks=pytest.mark.slow),
])
def test_grids_of_the_model(name: str, steps: int, mode: str, bell: float, hills: float) -> None:
    """The bell over the poles and the hills' return; uniform stays uniform, mass is kept."""
    grid = Grid.named(name)
    for psi, field, bound in ((idealised.solid_body(np.pi / 2 - 0.05), idealised.cosine_bell, bell),
                              (idealised.deformation, idealised.gaussian_hills, hills)):
        start = idealised.cell_means(field, grid)
        final = idealised.carry(psi, grid, np.stack([start, np.full(grid.shape, 4.0e-4)]), steps, mode)
        assert idealised.norms(final[0], start, grid).l2 <= bound
        np.testing.assert_allclose(final[1], 4.0e-4, rtol=1e-13 * max(1.0, steps / STEPS_IN_A_WEEK), atol=0)
        assert (final[0] * grid.area).sum() == pytest.approx((start * grid.area).sum(), rel=1e-12)
