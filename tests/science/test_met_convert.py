"""The NCEP June climatology on hybrid levels: the real file in, met files of the contract out."""

import netCDF4
import numpy as np
import pytest

from mozart_coupling.embedded.levels import hybrid_levels, level_pressure, mid_coefficients
from mozart_coupling.errors import MetError
from mozart_coupling.grids import Grid
from mozart_coupling.met import MetFiles
from mozart_coupling.met_convert import convert_ncep_climatology, interpolate_levels

START, END = np.datetime64("2010-06-08"), np.datetime64("2010-06-09")


@pytest.fixture(scope="module")
def source(real_data):
    return real_data / "met" / "ncep_june_climatology_t42.nc"


@pytest.fixture(scope="module")
def met(source, tmp_path_factory):
    directory = tmp_path_factory.mktemp("ncep")
    convert_ncep_climatology(source, directory, "ncep_", Grid.named("128x64"), *hybrid_levels(), START, END)
    return MetFiles(directory, "ncep_")


@pytest.mark.needs_real_data
def test_files_are_good(met):
    assert met.check(START, END) == []
    assert met.grid.shape == (64, 128)


@pytest.mark.needs_real_data
def test_pressure_and_winds_are_the_files(met, source):
    fields = met.fields_at(START)
    with netCDF4.Dataset(source) as dataset:
        assert np.allclose(fields["PS"], 100.0 * dataset["PS"][0], rtol=1e-6)
        u, levels = np.asarray(dataset["U"][0], dtype=float), 100.0 * np.asarray(dataset["lev"][:], dtype=float)
    pressure = level_pressure(*mid_coefficients(*met.levels), fields["PS"])
    for lat, lon in ((20, 5), (45, 100), (32, 64)):
        expected = np.interp(np.log(pressure[:, lat, lon]), np.log(levels[::-1]), u[::-1, lat, lon])
        assert np.allclose(fields["U"][:, lat, lon], expected, atol=1e-4)


@pytest.mark.needs_real_data
def test_june_looks_like_june(met):
    fields = met.fields_at(START)
    latitude = met.grid.lat
    zonal = fields["U"].mean(axis=2)
    pressure = level_pressure(*mid_coefficients(*met.levels), 1.0e5)
    aloft, low = zonal[np.argmin(np.abs(pressure - 2e4))], zonal[-3]
    assert 30.0 < aloft[latitude < -15].max() < 50.0 > aloft[latitude > 15].max()  # winter in the south
    assert low[np.abs(latitude) < 25].min() < -3.0
    assert np.abs(aloft - low)[(latitude > 30) & (latitude < 45)].mean() > 10.0  # shear
    assert 4.5e4 < fields["PS"].min() and fields["PS"].max() < 1.1e5
    height = fields["PHIS"] / 9.80665
    assert height[np.abs(latitude - 33) < 3][:, 28:36].max() > 4000.0  # Tibet
    assert np.abs(np.median(height[fields["ORO"] == 0])) < 100.0
    assert 20.0 < _water(met, fields) < 32.0


def _water(met, fields):
    thickness = np.diff(level_pressure(*met.levels, fields["PS"]), axis=0)
    return np.average((fields["Q"] * thickness).sum(axis=0) / 9.80665, weights=met.grid.area)


@pytest.mark.needs_real_data
def test_winds_are_steady_and_the_surface_has_a_day(met):
    times = START.astype("datetime64[h]") + np.arange(4) * np.timedelta64(6, "h")
    records = [met.fields_at(time) for time in times]
    for name in ("U", "V", "T", "Q", "PS"):
        assert np.array_equal(records[0][name], records[2][name])
    land = (records[0]["ORO"] == 1) & (np.abs(met.grid.lat - 45.0) < 10.0)[:, None]
    layers = np.array([record["PBLH"][land] for record in records])
    assert layers.max(axis=0).mean() > 1000.0 and layers.min(axis=0).mean() < 250.0


@pytest.mark.needs_real_data
def test_heat_flux_keeps_its_daily_mean(source, tmp_path):
    convert_ncep_climatology(source, tmp_path, "n_", Grid.named("128x64"), *hybrid_levels(6), START, END, step_hours=3)
    met = MetFiles(tmp_path, "n_")
    times = START.astype("datetime64[h]") + np.arange(8) * np.timedelta64(3, "h")
    mean = np.mean([met.fields_at(time, ["SHFLX"])["SHFLX"] for time in times], axis=0)
    with netCDF4.Dataset(source) as dataset:
        expected = np.asarray(dataset["SHFLX"][0], dtype=float)
    middle = np.abs(met.grid.lat) < 50.0
    assert np.allclose(mean[middle], expected[middle], atol=12.0)
    assert abs(np.average(mean - expected, weights=met.grid.area)) < 0.5


@pytest.mark.needs_real_data
def test_another_grid_and_other_levels(source, tmp_path):
    convert_ncep_climatology(source, tmp_path, "n_", Grid.named("72x36"), *hybrid_levels(10), START, END)
    met = MetFiles(tmp_path, "n_")
    assert met.check(START, END) == [] and met.grid.shape == (36, 72) and met.hyai.size == 11


@pytest.mark.parametrize(("start", "end"), [("2010-07-01", "2010-07-08"), ("2010-06-28", "2010-07-02"), ("2010-06-02", "2010-06-02"),
                                            ("2010-06-02", "2011-06-05")])
def test_only_june(tmp_path, start, end):
    with pytest.raises(MetError, match="June"):
        convert_ncep_climatology("x.nc", tmp_path, "n_", Grid.named("36x18"), *hybrid_levels(5), start, end)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(MetError, match="missing"):
        convert_ncep_climatology(tmp_path / "x.nc", tmp_path, "n_", Grid.named("36x18"), *hybrid_levels(5), START, END)
    (tmp_path / "x.nc").write_text("not NetCDF")
    with pytest.raises(MetError, match="cannot be read"):
        convert_ncep_climatology(tmp_path / "x.nc", tmp_path, "n_", Grid.named("36x18"), *hybrid_levels(5), START, END)


def test_interpolation():
    values = np.array([1.0, 3.0, 7.0])[:, None, None] * np.ones((3, 2, 2))
    target = np.array([-1.0, 0.5, 1.5, 4.0])[:, None, None] * np.ones((4, 2, 2))
    axis = np.array([0.0, 1.0, 2.0])
    assert interpolate_levels(values, axis, target)[:, 0, 0].tolist() == [1.0, 2.0, 5.0, 7.0]
    assert interpolate_levels(values, axis, target, extrapolate=True)[:, 0, 0].tolist() == [-1.0, 2.0, 5.0, 15.0]
