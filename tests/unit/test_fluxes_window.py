"""Window fluxes: totals kept through regridding and through time, streams added up."""

from pathlib import Path

import numpy as np
import pytest
from generators import flux_files as files
from hypothesis import given, settings
from hypothesis import strategies as st

from gcas_driver.errors import InputError, SettingsError
from gcas_driver.fluxes.prior import window_fluxes
from gcas_driver.fluxes.priors import FluxDay, PriorStream, three_hourly
from mozart_coupling.grids import Grid

MOLECULES = 6.02214076e23 / 1e4
START, END = np.datetime64("2010-06-01"), np.datetime64("2010-06-03")
ONE_DEGREE = Grid.regular(360, 180, lon_first=None)


def _written(directory, components):
    stored = {}
    for component in components:
        fields = []
        for seed, day in enumerate(("20100601", "20100602")):
            molecules = (files.plausible_flux(component, seed) * MOLECULES).astype(np.float32)
            files.write_gcasv2(directory, component, day, molecules)
            fields.append(molecules.astype(np.float64) / MOLECULES)
        stored[component] = np.concatenate(fields)
    return stored


@pytest.mark.parametrize("name", ["128x64", "144x96", "360x180", "120x60"])
def test_totals_of_every_interval_are_kept(tmp_path, name):
    stored = _written(tmp_path, ("bio", "fossil"))
    grid = Grid.named(name)
    result = window_fluxes([PriorStream(c, "gcasv2", tmp_path) for c in stored], grid, START, END)
    for component, values in stored.items():
        wanted = (values * ONE_DEGREE.area).sum(axis=(1, 2))
        size = (np.abs(values) * ONE_DEGREE.area).sum(axis=(1, 2))
        got = (result[component].values * grid.area).sum(axis=(1, 2))
        assert np.max(np.abs(got - wanted) / size) < 1e-12


def test_dataset_has_times_bounds_units_and_all_components(tmp_path):
    _written(tmp_path, ("bio",))
    result = window_fluxes([PriorStream("bio", "gcasv2", tmp_path)], Grid.named("128x64"), START, END)
    assert list(result.data_vars) == ["bio", "ocn", "fossil", "fire"]
    assert result.bio.shape == (16, 64, 128)
    assert result.time.values[1] == np.datetime64("2010-06-01T03:00:00")
    assert result.time_bounds.values[-1, 1] == np.datetime64("2010-06-03T00:00:00")
    assert (result.ocn == 0).all()
    assert result.bio.attrs["units"] == "mol m-2 s-1"


def test_streams_of_one_component_add_up(tmp_path):
    _written(tmp_path, ("fossil",))
    stream = PriorStream("fossil", "gcasv2", tmp_path)
    half = PriorStream("fossil", "gcasv2", tmp_path, factor=0.5)
    grid = Grid.named("128x64")
    one = window_fluxes([stream], grid, START, END)
    both = window_fluxes([stream, half], grid, START, END)
    np.testing.assert_allclose(both.fossil.values, 1.5 * one.fossil.values, rtol=1e-14)


def test_a_missing_day_and_no_stream_are_errors(tmp_path):
    _written(tmp_path, ("bio",))
    with pytest.raises(InputError, match="20100603"):
        window_fluxes([PriorStream("bio", "gcasv2", tmp_path)], Grid.named("128x64"), START, END + 1)
    with pytest.raises(SettingsError):
        window_fluxes([], Grid.named("128x64"), START, END)


@given(cuts=st.lists(st.integers(1, 23 * 60 + 59), max_size=12, unique=True), seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_three_hourly_means_keep_the_days_total_whatever_the_intervals(cuts, seed):
    edges = np.array([0, *sorted(cuts), 1440])
    first = np.datetime64("2010-06-01T00:00:00")
    grid = Grid.regular(4, 2)
    values = np.random.default_rng(seed).standard_normal((edges.size - 1, 2, 4))
    marks = first + (60 * edges).astype("timedelta64[s]")
    result = three_hourly(FluxDay(grid, marks[:-1], marks[1:], values, Path("none")))
    np.testing.assert_allclose(result.sum(axis=0) * 180, (values * np.diff(edges)[:, None, None]).sum(axis=0), atol=1e-9)


def test_hourly_and_daily_means_become_three_hourly():
    first = np.datetime64("2010-06-01T00:00:00")
    grid = Grid.regular(4, 2)
    hours = first + np.arange(25) * np.timedelta64(3600, "s")
    values = np.arange(24.0)[:, None, None] * np.ones((1, 2, 4))
    result = three_hourly(FluxDay(grid, hours[:-1], hours[1:], values, Path("none")))
    np.testing.assert_allclose(result[:, 0, 0], 1 + 3 * np.arange(8), rtol=1e-14)
    daily = three_hourly(FluxDay(grid, hours[:1], hours[24:], np.full((1, 2, 4), 7.0), Path("none")))
    np.testing.assert_allclose(daily, 7.0, rtol=1e-14)
