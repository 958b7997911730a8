"""One small cycle with what super-observations, their errors and their order can be set to."""

from __future__ import annotations

from types import SimpleNamespace

import netCDF4
import numpy as np
import pytest
from small_case import gcas, quiet

from gcas_driver.config import load
from gcas_driver.errors import SettingsError
from gcas_driver.observations import read_streams
from gcas_driver.observations.streams import streams_from
from gcas_driver.plan import plan_windows
from gcas_driver.window import observations_to_simulate
from mozart_coupling.grids import Grid

MERGING = "&super_observations grid = '18x9', bin_hours = 6.0, by_level = .false., error_correlation = 0.2 /\n"


def with_settings(path, satellite: str):
    """The small case with merging as above and more settings of the satellite; its flasks are assimilated too."""
    text = path.read_text().replace("'inputs/gosat' /", f"'inputs/gosat', {satellite} /")
    path.write_text(text.replace("assimilate = .false.", "assimilate = .true.") + MERGING)
    return path


def test_bins_cells_blocks_and_order_of_the_files(small_case):
    path = with_settings(small_case(days=1, analysis="threads = 1, order = 'file'"),
                         "error_correlation = 0.5, error_correlation_km = 1500.0, error_floor_ppm = 0.0")
    result = gcas("run", path)
    assert result.returncode == 0, result.stderr
    case = path.parent / "case"
    assert "super-observations are correlated, in" in (case / "gcas.log").read_text()
    with netCDF4.Dataset(case / "windows" / "2010-06-01" / "observations.nc") as data:
        time, lon, lat, error, index = (data[name][:].filled() for name in ("time", "lon", "lat", "error", "super_observation_index"))
        product, level = data["product"][:], data["altitude"][:].filled(np.nan)
        merged_error, merged_time = data["super_observation_error"][:].filled(), data["super_observation_time"][:].filled()
    assert (np.diff(merged_time) >= 0.0).all()
    rows, columns = Grid.named("18x9").cell_index(lon, lat)
    groups = [np.flatnonzero(index == i) for i in range(len(merged_error))]
    assert max(g.size for g in groups if product[g[0]] == "gosat") > 1
    for i, group in enumerate(groups):
        keys = {(product[g], rows[g], columns[g], time[g] // 21600) for g in group}
        assert len(keys) == 1
        gosat = product[group[0]] == "gosat"
        correlation, floor = (0.5, 0.0) if gosat else (0.2, 1.0)
        expected = np.sqrt((1 + (group.size - 1) * correlation) / np.sum(1 / error[group] ** 2))
        assert merged_error[i] == pytest.approx(max(expected, floor), rel=1e-12)
    assert len({i for i in index if i >= 0}) == len(groups) and np.isfinite(level[product == "flask"]).all()


def test_observations_know_where_they_were_read(small_case):
    settings = load(small_case(days=1))
    window = plan_windows(settings.time)[0]
    case = SimpleNamespace(settings=settings, grid=Grid.named("36x18"), reporter=quiet())
    asked = observations_to_simulate(case, window)
    table, rows, position = asked.table, asked.rows, asked.position
    read = read_streams(streams_from(settings), window.start, window.end)
    assert (np.diff(table.time) >= 0.0).all() and not (np.diff(position) > 0).all()
    assert table.identifier[rows].tolist() == read.identifier[position].tolist()
    assert len(asked.mapping) == len(rows) == len(position)


def test_grids_that_are_none_are_found_at_once(small_case):
    path = small_case(state="lambda_grid = '1x1', lambda_grid_ocn = '4x1'")
    path.write_text(path.read_text() + "&super_observations grid = '1x9' /\n")
    with pytest.raises(SettingsError) as caught:
        load(path)
    assert [line.split("'")[1] for line in str(caught.value).splitlines()[1:]] == ["lambda_grid", "lambda_grid_ocn", "grid"]
    assert "line 7" in str(caught.value) and "1x9" in str(caught.value)


def test_a_correlation_time_needs_a_length(small_case):
    path = with_settings(small_case(), "error_correlation_hours = 24.0")
    with pytest.raises(SettingsError, match="'error_correlation_hours' has no effect without 'error_correlation_km'"):
        load(path)
    assert load(with_settings(small_case("second.nml"), "error_floor_ppm = 0.5")).satellite[0].error_correlation == 0.2
