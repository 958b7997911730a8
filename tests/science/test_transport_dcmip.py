"""DCMIP-2012, tests 1-1, 1-2 and 1-3: three-dimensional transport with the prescribed vertical wind.

Bounds are the measured figures (docs/science/transport-tests.md) and at most a tenth more, unless a property is exact.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mozart_coupling.embedded import idealised
from mozart_coupling.embedded.idealised import dcmip, orography
from mozart_coupling.grids import Grid


def with_poles(nlon: int) -> Grid:
    return Grid.with_poles(nlon, nlon // 2 + 1)


def compare(case: dcmip.Case, steps: int, mode: str, bounds: dict[str, float]) -> np.ndarray:
    """l2 errors within bounds, mass of every tracer kept, ranges where they are promised."""
    final = dcmip.run(case, steps, mode)
    for name, before, after in zip(case.tracers, case.start, final, strict=True):
        if name in bounds:
            assert idealised.norms(after, before, case.weight).l2 <= bounds[name], name
        if mode == "monotone":
            assert after.min() >= before.min() - 1e-14 and after.max() <= before.max() + 1e-14
        if case.name != "1-3":  # there some may be carried into the ground
            air = case.mass[: before.shape[0]]
            assert (after * air).sum() == pytest.approx((before * air).sum(), rel=1e-12)
    return final


@pytest.mark.parametrize(("nlon", "levels", "steps", "mode", "bounds"), [
    (60, 30, 72, "linear", {"q1": 0.61, "q2": 0.0272, "q3": 0.305, "q4": 0.0194}),
    (60, 30, 72, "monotone", {"q1": 0.77, "q2": 0.0332, "q3": 0.361, "q4": 0.0236}),
    (120, 30, 144, "linear", {"q1": 0.313, "q2": 0.0156, "q3": 0.251, "q4": 0.0144}),
])
def test_1_1_tracers_return(nlon: int, levels: int, steps: int, mode: str, bounds: dict[str, float]) -> None:
    final = compare(dcmip.deformation_3d(with_poles(nlon), levels), steps, mode, bounds)
    if mode == "linear":
        np.testing.assert_allclose(0.3 * final[:3].sum(axis=0) + final[3], 1.0, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("nlat", "levels", "steps", "mode", "bound"), [
    (61, 30, 48, "linear", 0.211), (61, 30, 48, "monotone", 0.312),
    pytest.param(181, 60, 144, "linear", 0.0585, marks=pytest.mark.slow),
    pytest.param(181, 60, 144, "monotone", 0.097, marks=pytest.mark.slow),
])
def test_1_2_layer_returns(nlat: int, levels: int, steps: int, mode: str, bound: float) -> None:
    compare(dcmip.hadley(Grid.with_poles(16, nlat), levels), steps, mode, {"q1": bound})


def test_1_2_does_not_depend_on_the_number_of_longitudes() -> None:
    few, many = (dcmip.run(dcmip.hadley(Grid.with_poles(nlon, 31), 15), 24)[0] for nlon in (16, 60))
    np.testing.assert_allclose(many, np.broadcast_to(few[:, :, :1], many.shape), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("nlon", "levels", "steps", "mode", "bound"), [
    (120, 30, 144, "linear", 0.91),
    pytest.param(240, 60, 576, "linear", 0.83, marks=pytest.mark.slow),
])
def test_1_3_clouds_return(nlon: int, levels: int, steps: int, mode: str, bound: float) -> None:
    compare(orography.thin_clouds(with_poles(nlon), levels).only("q4"), steps, mode, {"q4": bound})


def test_1_3_over_one_broad_mountain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mountain that the grid does resolve: clouds pass through levels and come back, even at 6 degrees."""
    monkeypatch.setattr(orography, "RIDGE_HALF_WIDTH", np.pi)
    compare(orography.thin_clouds(with_poles(60), 30).only("q4"), 144, "linear", {"q4": 0.46})


@pytest.mark.parametrize("make", [dcmip.deformation_3d, dcmip.hadley, orography.thin_clouds])
@pytest.mark.parametrize("mode", ["linear", "monotone"])
def test_uniform_stays_uniform(make: object, mode: str) -> None:
    """With vertical wind, and with air that enters and leaves through the ground."""
    case = make(with_poles(36), 12)
    case = replace(case, start=np.full((1, *case.start.shape[1:]), 4.0e-4), tracers=("uniform",), duration=case.duration / 12.0)
    np.testing.assert_allclose(dcmip.run(case, 12, mode), 4.0e-4, rtol=1e-13, atol=0)
