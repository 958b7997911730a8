"""TCCON's columns: the operator against the file's own formula on a real file, means of an hour, both releases, the intercomparison's."""

import netCDF4
import numpy as np
import pytest
from formats import tccon as made

from gcas_driver.errors import InputError
from gcas_driver.observations import ColumnStream, check_streams, read_streams, xco2_operator
from gcas_driver.observations.ground_columns import dry_weights
from gcas_driver.observations.table import WITHHELD

START, END = np.datetime64("2023-04-01"), np.datetime64("2023-04-08")
MADE = (made.START, made.END)
REAL = "hw20230402_20230402.public.qc.nc"


def stream(directory, **changes) -> ColumnStream:
    return ColumnStream(**{"product": "tccon", "directory": directory, **changes})


def simulated(table, profile_ppm) -> np.ndarray:
    """H of dry profiles (n, n_levels) [ppm] that are given at the retrieval's own levels."""
    operator = table.operators["tccon"]
    levels = operator.retrieval_pressure
    return xco2_operator(1.0e-6 * profile_ppm[:, None, :], levels, levels, operator.pressure_weight, operator.averaging_kernel,
                         operator.prior_profile, operator.prior_xco2)[:, 0]


@pytest.mark.needs_real_data
@pytest.mark.parametrize("scale, suffix", [("", ""), ("X2019", "_x2019")])
def test_real_operator_is_the_files_own_formula(real_data, scale, suffix):
    """prior_xco2 + sum io k (m_wet - c_wet), for the prior itself (422.89 ppm) and for another profile, straight from the file."""
    table = read_streams([stream(real_data / "tccon", average_hours=0.0, scale=scale)], START, END)
    assert len(table) == 64 and set(table.site) == {"HW"} and table.scale["tccon"] == (scale or "X2007")
    assert (table.reason == WITHHELD).all() and not table.used.any() and table.evaluated.all()
    with netCDF4.Dataset(real_data / "tccon" / REAL) as data:
        names = ("prior_co2", "prior_h2o", "ak_xco2", "prior_xco2" + suffix, "integration_operator" + suffix, "xco2" + suffix,
                 "prior_altitude")
        take = {name: np.asarray(data[name][:], dtype=np.float64) for name in names}
    order = np.argsort(table.time)
    np.testing.assert_allclose(table.value[order], take["xco2" + suffix], rtol=1e-7)
    prior = simulated(table, 1.0e6 * table.operators["tccon"].prior_profile)
    np.testing.assert_allclose(prior, take["prior_xco2" + suffix], atol=1e-9)
    if not suffix:
        assert prior[0] == pytest.approx(422.89, abs=0.005)
    other = 400.0 + 0.4 * take["prior_altitude"] + np.zeros_like(take["prior_co2"])
    wet = other * (1.0 - take["prior_h2o"])
    departure = take["integration_operator" + suffix] * take["ak_xco2"] * (wet - take["prior_co2"])
    expected = take["prior_xco2" + suffix] + departure.sum(axis=1)
    np.testing.assert_allclose(simulated(table, other[:, ::-1]), expected, atol=1e-6)


@pytest.mark.needs_real_data
def test_real_means_of_an_hour(real_data):
    single = read_streams([stream(real_data / "tccon", average_hours=0.0, error_ppm=0.0)], START, END)
    table = read_streams([stream(real_data / "tccon", error_ppm=0.0)], START, END)
    assert len(table) == 2 and table.n_read() == 64 and table.counts() == {WITHHELD: 2, "averaged with others of its hour": 62}
    hour = np.floor(single.time / 3600.0)
    for i, number in enumerate(np.unique(hour)):
        mine = hour == number
        assert table.value[i] == pytest.approx(single.value[mine].mean(), abs=1e-9)
        scatter, stated = single.value[mine].std(ddof=1), np.sqrt(np.mean(single.error[mine] ** 2))
        assert table.error[i] == pytest.approx(max(scatter, stated) / np.sqrt(mine.sum()), rel=1e-9)
    assert read_streams([stream(real_data / "tccon")], START, END).error[0] == pytest.approx(np.hypot(table.error[0], 0.4))


@pytest.mark.needs_real_data
def test_a_mean_simulates_the_mean_of_its_spectra(real_data):
    """All on the levels of the mean, where the operator is exact."""
    single = read_streams([stream(real_data / "tccon", average_hours=0.0)], START, END)
    table = read_streams([stream(real_data / "tccon")], START, END)
    profile = 395.0 + 20.0 * np.random.default_rng(1).random((1, 51))
    hour = np.floor(single.time / 3600.0)
    parts = simulated(single, np.repeat(profile, 64, axis=0))
    means = [parts[hour == number].mean() for number in np.unique(hour)]
    np.testing.assert_allclose(simulated(table, np.repeat(profile, 2, axis=0)), means, atol=1e-9)


@pytest.mark.needs_real_data
def test_real_file_is_found_in_order(real_data):
    assert check_streams([stream(real_data / "tccon")], START, END) == []
    problem, = check_streams([stream(real_data / "tccon", sites=("HW", "PA"))], START, END)
    assert problem.severity == "warning" and problem.found == "PA"
    problem, = check_streams([stream(real_data / "tccon")], np.datetime64("2010-01-01"), np.datetime64("2010-02-01"))
    assert problem.severity == "warning" and "no usable observation" in problem.what
    assert len(read_streams([stream(real_data / "tccon")], np.datetime64("2010-01-01"), np.datetime64("2010-02-01"))) == 0


def specimen(name: str, directory):
    return next(s for s in made.SPECIMENS if s.name == name).write(directory)


def test_kernels_and_priors_of_2014(tmp_path):
    """Kernel by zenith angle and pressure, prior of the local day, weights that make a mean over dry air."""
    specimen("tccon_ggg2014", tmp_path)
    table = read_streams([stream(tmp_path, average_hours=0.0)], *MADE)
    operator, km = table.operators["tccon"], np.arange(71.0)
    assert len(table) == 8 and table.scale["tccon"] == "X2007" and set(table.site) == {"PA"}
    np.testing.assert_allclose(operator.averaging_kernel[:, ::-1], made.kernel(km, made.ZENITH), rtol=2e-6)
    day = np.floor(table.time / 86400.0 - 90.273 / 360.0) - 16929.0
    expected = made.co2(km)[None, :] + 0.1 * day[:, None] / (1.0 - made.water(km))
    np.testing.assert_allclose(1.0e6 * operator.prior_profile[:, ::-1], expected, rtol=1e-6)
    np.testing.assert_allclose(operator.pressure_weight.sum(axis=1), 1.0, rtol=1e-12)
    uniform = np.full((8, 71), 400.0)
    kernel_one = operator.prior_xco2 + np.sum(operator.pressure_weight * (uniform - 1.0e6 * operator.prior_profile), axis=1)
    np.testing.assert_allclose(kernel_one, 400.0, rtol=1e-9)


def test_dry_weights_by_hand():
    """Three levels, ground between the lower two: layers end at 300 and 750 hPa and at the ground; water takes its share."""
    pressure, ground = np.array([[10000.0, 50000.0, 100000.0]]), np.array([90000.0])
    weight = dry_weights(pressure, ground, np.zeros((1, 3)), 9.8)
    np.testing.assert_allclose(weight, [[30 / 90, 45 / 90, 15 / 90]], rtol=1e-12)
    moist = dry_weights(pressure, ground, np.array([[0.0, 0.0, 0.02]]), 9.8)
    layer = 15.0 / (1.0 + 0.02 / 0.98 * 18.01528 / 28.9644)
    np.testing.assert_allclose(moist, np.array([[30.0, 45.0, layer]]) / (75.0 + layer), rtol=1e-12)
    high = dry_weights(pressure, np.array([60000.0]), np.zeros((1, 3)), 9.8)
    np.testing.assert_allclose(high, [[0.5, 0.5, 0.0]], rtol=1e-12)


def test_dry_air_of_a_real_atmosphere_is_that_of_the_files_operator(tmp_path):
    """The weights that are made for GGG2014 against io (1 - f) of GGG2020, made of the same air on other levels: columns agree."""
    specimen("tccon_ggg2020", tmp_path)
    table = read_streams([stream(tmp_path, average_hours=0.0)], *MADE)
    operator = table.operators["tccon"]
    np.testing.assert_allclose(operator.pressure_weight.sum(axis=1), 1.0, atol=2e-6)
    np.testing.assert_allclose(1.0e6 * np.sum(operator.pressure_weight * operator.prior_profile, axis=1), operator.prior_xco2, atol=0.02)
    np.testing.assert_allclose(1.0e6 * operator.prior_profile[:, ::-1], made.co2(made.altitudes(51, 70.0)) + np.zeros((8, 1)), rtol=1e-6)


def test_selection_of_spectra(tmp_path):
    specimen("tccon_ggg2020", tmp_path)
    assert read_streams([stream(tmp_path, average_hours=0.0, kernel_extrapolation=0)], *MADE).counts() == {
        WITHHELD: 6, "averaging kernel from outside of the provider's table": 2}
    assert len(read_streams([stream(tmp_path, average_hours=0.0, kernel_extrapolation=1)], *MADE)) == 7
    assert len(read_streams([stream(tmp_path, average_hours=0.0, largest_zenith=30.0)], *MADE)) == 6
    assert read_streams([stream(tmp_path, sites=("oc",))], *MADE).counts() == {"site not wanted": 8}
    table = read_streams([stream(tmp_path, assimilate=True)], *MADE)
    assert table.used.all() and len(table) == 4


def test_scales(tmp_path):
    specimen("tccon_ggg2020", tmp_path)
    first, second = (read_streams([stream(tmp_path, average_hours=0.0, scale=scale)], *MADE) for scale in ("X2007", "X2019"))
    np.testing.assert_allclose(second.value, 1.00079 * first.value - 0.142, rtol=1e-6)
    (tmp_path / "old").mkdir()
    specimen("tccon_ggg2014", tmp_path / "old")
    with pytest.raises(InputError, match="GGG2014 is on X2007"):
        read_streams([stream(tmp_path / "old", scale="X2019")], *MADE)
    table = read_streams([stream(tmp_path / "old", scale="X2019", value_factor=1.00079, value_offset_ppm=-0.142, average_hours=0.0)], *MADE)
    assert table.scale["tccon"] == "X2019"
    np.testing.assert_allclose(np.sort(table.value), np.sort(1.00079 * made.VALUES - 0.142), rtol=1e-6)


def test_hourly_averages_of_the_intercomparison(tmp_path):
    specimen("tccon_mip", tmp_path)
    table = read_streams([stream(tmp_path, format="tccon_mip")], *MADE)
    assert set(table.site) == {"STATION 4", "STATION 5", "STATION 6"} and len(table) == 8 and table.scale["tccon"] == "X2007"
    operator = table.operators["tccon"]
    np.testing.assert_allclose(1.0e6 * operator.prior_profile[0, ::-1], made.co2(np.arange(71.0)), rtol=1e-6)
    np.testing.assert_allclose(operator.prior_xco2, 1.0e6 * np.sum(operator.pressure_weight * operator.prior_profile, axis=1), rtol=1e-12)


def test_other_files_are_refused(tmp_path):
    with netCDF4.Dataset(tmp_path / "xx20160501_20160601.public.nc", "w") as data:
        data.createDimension("time", 3)
        data.createVariable("xch4", "f4", ("time",))[:] = 1.8
    problem, = check_streams([stream(tmp_path)], *MADE)
    assert problem.severity == "error" and "not a public file of TCCON" in problem.what and "xch4" in problem.found
