"""Nair & Lauritzen (2010), case 4: deformation and return; no worse than TPCORE on its grids."""

from __future__ import annotations

import numpy as np
import pytest

from mozart_coupling.embedded import idealised
from mozart_coupling.grids import Grid

FIELDS = {"hills": idealised.gaussian_hills, "bells": idealised.cosine_bells, "cylinders": idealised.slotted_cylinders}
GRIDS = {"3deg": (120, 61, 288), "1.5deg": (240, 121, 576), "1deg": (360, 181, 864)}
# l2 errors of TPCORE: monotone, unlimited.
REFERENCE = {
    ("3deg", "hills"): (0.229, 0.168), ("3deg", "bells"): (0.372, 0.305), ("3deg", "cylinders"): (0.392, 0.364),
    ("1.5deg", "hills"): (0.0797, 0.0438), ("1.5deg", "bells"): (0.152, 0.111), ("1.5deg", "cylinders"): (0.324, 0.303),
    ("1deg", "hills"): (0.0360, None),
}


def compare(resolution: str, mode: str) -> None:
    nlon, nlat, steps = GRIDS[resolution]
    grid = Grid.with_poles(nlon, nlat)
    names = [name for where, name in REFERENCE if where == resolution]
    start = np.stack([idealised.cell_means(FIELDS[name], grid) for name in names])
    result = idealised.carry(idealised.deformation, grid, start, steps, mode)
    for name, before, after in zip(names, start, result, strict=True):
        monotone, unlimited = REFERENCE[resolution, name]
        found = idealised.norms(after, before, grid)
        limit = monotone if mode == "monotone" else unlimited
        if limit is not None:
            assert found.l2 <= limit, f"{name}, {resolution}, {mode}"
        if mode == "monotone":
            assert found.smallest >= before.min() - 1e-14 and found.largest <= before.max() + 1e-14


@pytest.mark.parametrize(("resolution", "mode"), [("3deg", "linear"), ("3deg", "monotone"), ("1.5deg", "linear")])
def test_return_no_worse_than_tpcore(resolution: str, mode: str) -> None:
    compare(resolution, mode)


@pytest.mark.slow
@pytest.mark.parametrize(("resolution", "mode"), [("1.5deg", "monotone"), ("1deg", "monotone")])
def test_return_no_worse_than_tpcore_on_fine_grids(resolution: str, mode: str) -> None:
    compare(resolution, mode)


def test_correlated_tracers_keep_within_the_initial_range_in_monotone_mode() -> None:
    """Lauritzen & Thuburn (2012): χ and ξ = -0.8χ² + 0.9; neither leaves its range at half time, where filaments are thinnest."""
    grid = Grid.with_poles(120, 61)
    chi = idealised.cell_means(idealised.cosine_bells, grid)
    xi = idealised.correlated(chi)

    def first_half(lon: np.ndarray, lat: np.ndarray, time: float) -> np.ndarray:
        return idealised.deformation(lon, lat, time)

    result = idealised.carry(first_half, grid, np.stack([chi, xi]), 144, "monotone", duration=idealised.PERIOD_S / 2)
    for before, after in zip((chi, xi), result, strict=True):
        assert after.min() >= before.min() - 1e-14 and after.max() <= before.max() + 1e-14


def test_linear_mode_keeps_a_linear_relation() -> None:
    """The unlimited scheme is linear: aχ + b stays on its line to round-off."""
    grid = Grid.with_poles(120, 61)
    chi = idealised.cell_means(idealised.cosine_bells, grid)
    result = idealised.carry(idealised.deformation, grid, np.stack([chi, 3.0 * chi - 0.2]), 72, duration=idealised.PERIOD_S / 4)
    np.testing.assert_allclose(result[1], 3.0 * result[0] - 0.2, rtol=0, atol=1e-12)
