"""Records from means, the exact integral of their interpolant, and the flux files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from netCDF4 import Dataset

from mozart_coupling import emissions
from mozart_coupling.dates import to_seconds
from mozart_coupling.embedded.emission_feed import ComponentEmissions, FileEmissions
from mozart_coupling.errors import EmissionError
from mozart_coupling.grids import Grid

START = np.datetime64("2011-12-30", "s")
GRID = Grid.regular(8, 4)
TRACERS = ("EN001", "EN002", "EN003")


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(0, 2**31))
def test_every_day_keeps_its_total(days: int, seed: int) -> None:
    means = np.random.default_rng(seed).normal(size=(8 * days, 3)) * 1e14
    nodes = emissions.nodes_from_means(means)
    halves = 0.5 * (nodes[1:] + nodes[:-1])
    np.testing.assert_allclose(halves.reshape(days, 8, 3).sum(axis=1), means.reshape(days, 8, 3).sum(axis=1), atol=1e-12 * 8e14)


def test_a_constant_stays_and_the_map_is_linear() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 16, 5))
    np.testing.assert_allclose(emissions.nodes_from_means(np.full((16, 2), 3.0)), 3.0, rtol=1e-15)
    np.testing.assert_allclose(emissions.nodes_from_means(2 * a - b), 2 * emissions.nodes_from_means(a) - emissions.nodes_from_means(b),
                               atol=1e-14)


def test_nodes_lie_between_the_means_and_not_half_an_interval_off() -> None:
    """A linear trend in the means gives the trend itself at the ends of the intervals."""
    means = np.arange(24.0) + 0.5
    nodes = emissions.nodes_from_means(means)
    assert np.abs(nodes - np.arange(25.0)).max() <= 0.5 + 1e-12
    np.testing.assert_allclose(nodes[9:15], np.arange(9.0, 15.0), atol=1e-12)


@pytest.mark.parametrize("means", [np.zeros(7), np.zeros(0), np.full(8, np.nan), np.float64(1.0)])
def test_means_that_are_no_whole_days(means: np.ndarray) -> None:
    with pytest.raises(EmissionError):
        emissions.nodes_from_means(means)


@settings(max_examples=100, deadline=None)
@given(st.floats(0, 86400 * 2), st.floats(0, 86400 * 2), st.integers(0, 2**31))
def test_the_interpolant_is_integrated_exactly(a: float, b: float, seed: int) -> None:
    start, end = sorted((a, b))
    times = np.arange(17.0) * 10800
    nodes = np.random.default_rng(seed).normal(size=17)
    first, weights = emissions.interpolant_weights(times, start, end)
    knots = np.unique(np.concatenate([[start, end], times[(times > start) & (times < end)]]))
    expected = np.trapezoid(np.interp(knots, times, nodes), knots)
    assert np.sum(weights * nodes[first:first + weights.size]) == pytest.approx(expected, abs=1e-8)
    assert weights.sum() == pytest.approx(end - start, abs=1e-8)


def test_steps_add_up_to_the_whole() -> None:
    times, nodes = np.arange(9) * 10800, np.random.default_rng(1).normal(size=9)
    total = 0.0
    for start in range(0, 86400, 2700):
        first, weights = emissions.interpolant_weights(times, start, start + 2700)
        total += float(np.sum(weights * nodes[first:first + weights.size]))
    assert total == pytest.approx(np.trapezoid(nodes, times), rel=1e-12)


def make_files(directory: Path, n_days: int = 2) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    means = random.normal(size=(2, 8 * n_days, *GRID.shape)) * 1e13
    nodes = np.stack([emissions.nodes_from_means(mean) for mean in means])
    factors = random.normal(1.0, 1.0, size=(3, 2, *GRID.shape))
    emissions.write_member_emissions(directory, "T42LR", GRID, TRACERS, nodes, factors, START)
    emissions.write_components(directory / "components.nc", GRID, ("bio", "ocn"), nodes, START)
    emissions.write_factors(directory / "factors.nc", GRID, ("bio", "ocn"), factors, TRACERS)
    return nodes, factors


def test_files_follow_the_contract_and_round_trip(tmp_path: Path) -> None:
    nodes, factors = make_files(tmp_path)
    path = tmp_path / "emissions.EN002.surface.T42LR.nc"
    with Dataset(path) as data:
        assert data.data_model == "NETCDF3_CLASSIC" and data.dimensions["time"].isunlimited()
        assert (data["CO2"].dtype, data["CO2"].dimensions, data["CO2"].units) == (np.float32, ("time", "lat", "lon"), "molecules/cm2/s")
        assert {data[name].dtype for name in ("lat", "lon")} == {np.dtype("f4")}
        assert {data[name].dtype for name in ("date", "datesec", "time")} == {np.dtype("i4")}
        assert list(data["time"][:]) == list(range(1, 18))
        assert (data["date"][0], data["datesec"][0]) == (20111230, 0)
        assert (data["date"][-1], data["datesec"][-1]) == (20120101, 0)
        assert [v.ndim for v in data.variables.values()].count(3) == 1
        assert "linear interpolation" in data.time_interpolation
    read = emissions.read_emissions(path)
    np.testing.assert_allclose(read.flux, np.einsum("ckij,cij->kij", nodes, factors[1]), rtol=1e-5, atol=1e7)
    assert read.times[0] == to_seconds(START)
    names, grid, times, flux = emissions.read_components(tmp_path / "components.nc")
    assert names == ("bio", "ocn") and np.array_equal(flux, nodes) and grid.shape == GRID.shape and times.size == 17
    tracers, components, back = emissions.read_factors(tmp_path / "factors.nc")
    assert tracers == TRACERS and components == names and np.array_equal(back, factors)


def test_feeds_from_files_and_components_agree(tmp_path: Path) -> None:
    make_files(tmp_path)
    start = to_seconds(START)
    files = FileEmissions(tmp_path, "", TRACERS, GRID, start, start + 2 * 86400, 44.0)
    parts = ComponentEmissions(tmp_path / "components.nc", tmp_path / "factors.nc", TRACERS, GRID, start, start + 2 * 86400, 44.0)
    coefficients = parts.take_coefficients()
    assert coefficients is not None and files.take_coefficients() is None
    for a in range(start, start + 2 * 86400, 1800):
        direct = files.amounts(a, a + 1800)
        combined = np.einsum("cij,ncij->nij", parts.amounts(a, a + 1800), coefficients)
        np.testing.assert_allclose(direct, combined, rtol=1e-5, atol=1e-6 * np.abs(combined).max())
    files.close()


def test_amounts_are_kilograms(tmp_path: Path) -> None:
    path = tmp_path / "emissions.EN001.surface.X.nc"
    emissions.write_emissions(path, GRID, np.full((9, *GRID.shape), 6.02214076e19), START)
    feed = FileEmissions(tmp_path, "X", ("EN001",), GRID, to_seconds(START), to_seconds(START) + 86400, 44.0)
    # 6.02e19 molecules/cm2/s are 1 mol/m2/s: 44 g
    np.testing.assert_allclose(feed.amounts(to_seconds(START) + 900, to_seconds(START) + 2700), 1800 * 0.044, rtol=1e-6)
    assert emissions.mol_per_m2(emissions.molecules_per_cm2(1.5)) == pytest.approx(1.5, rel=1e-15)
    feed.close()


def test_sectors_add_up(tmp_path: Path) -> None:
    path = tmp_path / "emissions.EN001.surface.X.nc"
    emissions.write_emissions(path, GRID, np.full((9, *GRID.shape), 2.0), START)
    with Dataset(path, "r+") as data:
        data.createVariable("fire", "f4", ("time", "lat", "lon"))[:] = 3.0
    assert np.all(emissions.read_emissions(path).flux == 5.0)


@pytest.mark.parametrize("units", ["kg/m2/s", "mol m-2 s-1"])
def test_other_units_are_refused(tmp_path: Path, units: str) -> None:
    path = tmp_path / "emissions.EN001.surface.X.nc"
    emissions.write_emissions(path, GRID, np.ones((9, *GRID.shape)), START)
    with Dataset(path, "r+") as data:
        data["CO2"].units = units
    with pytest.raises(EmissionError, match="other units"):
        emissions.read_emissions(path)


@pytest.mark.parametrize("cut", [0.02, 0.3, 0.9, 0.9999])
def test_truncated_files_never_read_as_zeros(tmp_path: Path, cut: float) -> None:
    make_files(tmp_path)
    for name, read in (("emissions.EN001.surface.T42LR.nc", emissions.read_emissions), ("components.nc", emissions.read_components),
                       ("factors.nc", emissions.read_factors)):
        path = tmp_path / name
        os.truncate(path, int(path.stat().st_size * cut))
        with pytest.raises(EmissionError, match=name):
            read(path)


def test_nothing_incomplete_gets_its_name(tmp_path: Path) -> None:
    with pytest.raises(EmissionError, match="record 3"):
        values = np.ones((9, *GRID.shape))
        values[2, 1, 1] = np.inf
        emissions.write_emissions(tmp_path / "emissions.EN001.surface.X.nc", GRID, values, START)
    with pytest.raises(EmissionError):
        emissions.write_factors(tmp_path / "f.nc", GRID, ("a",), np.ones((3, 2, *GRID.shape)))
    assert not list(tmp_path.iterdir())
