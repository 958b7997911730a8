"""Every format of prior fluxes: what its specimen holds is what is read; totals against independent sums."""

import gzip
import subprocess
import sys

import netCDF4
import numpy as np
import pytest
from formats import flux_carbontracker, flux_cf, flux_climatologies, flux_inventories
from formats.flux_carbontracker import plausible_flux
from formats.flux_common import DAY, GRAM_OF_CARBON, one_stream, reading

from gcas_driver.errors import InputError, SettingsError
from gcas_driver.fluxes.priors import PriorStream, annual_totals, check, days, read
from mozart_coupling.grids import Grid

SHIFT = 18  # half of the columns
FLUXES = {s.name: s for module in (flux_carbontracker, flux_cf, flux_climatologies, flux_inventories) for s in module.SPECIMENS}
JUNE = 30 * 86400.0
ONE_DEGREE = Grid.regular(360, 180, lon_first=None)


def flux_of(name, directory):
    """A specimen's fluxes with longitudes from 0, as the generators have them."""
    result = FLUXES[name].read(FLUXES[name].write(directory))
    return result["flux"][..., np.argsort(np.mod(result["lon"], 360.0), kind="stable")]


@pytest.mark.parametrize("name", list(FLUXES))
def test_a_specimen_has_no_problems_and_covers_its_day(name, tmp_path):
    path = FLUXES[name].write(tmp_path)
    assert FLUXES[name].check(path) == []
    result = FLUXES[name].read(path)
    assert result["time"][0] == DAY.astype("datetime64[s]") and result["time_end"][-1] == (DAY + 1).astype("datetime64[s]")
    assert np.array_equal(result["time"][1:], result["time_end"][:-1])
    assert result["lon"][0] >= -180 and np.all(np.diff(result["lon"]) > 0) and np.all(np.diff(result["lat"]) > 0)
    assert result["flux"].dtype == np.float64 and np.isfinite(result["flux"]).all()


@pytest.mark.parametrize(("name", "component", "seeds"), [
    ("flux_ct_daily", "bio", (0,)), ("flux_ct_old", "fossil", (0,)), ("flux_ct_oldest", "ocn", (0,)), ("flux_ct_priors", "fossil", (0, 1))])
def test_carbontracker_releases_and_means_of_two_priors(name, component, seeds, tmp_path):
    wanted = np.mean([plausible_flux(component, seed) for seed in seeds], axis=0)
    np.testing.assert_allclose(flux_of(name, tmp_path), np.roll(wanted, SHIFT, axis=-1), rtol=1e-6)


def test_carbontracker_monthly_and_europe(tmp_path):
    june = np.roll(flux_carbontracker.monthly_fluxes("fossil")[5], SHIFT, axis=-1)
    np.testing.assert_allclose(flux_of("flux_ct_monthly", tmp_path / "noaa")[0], june, rtol=1e-6)
    june = np.roll(flux_carbontracker.monthly_fluxes()[5], SHIFT, axis=-1)
    np.testing.assert_allclose(flux_of("flux_ct_europe", tmp_path / "europe")[0], june, rtol=1e-6)
    optimised = read(PriorStream("bio", "carbontracker", tmp_path / "europe"), DAY, DAY + 1)
    np.testing.assert_allclose(optimised.values[0], 0.8 * june, rtol=1e-6)


def test_a_day_missing_among_daily_files_is_not_taken_from_a_monthly_mean(tmp_path):
    flux_carbontracker.write_daily(tmp_path)
    flux_carbontracker.write_monthly(tmp_path)
    stream = PriorStream("fossil", "carbontracker", tmp_path)
    assert check(stream, DAY, DAY + 1) == []
    [problem] = check(stream, DAY, DAY + 2)
    assert problem.what == "prior flux file is missing" and "20100616" in problem.expected


def test_codes_have_to_be_given_and_be_in_the_names(tmp_path):
    flux_carbontracker.write_priors(tmp_path)
    with pytest.raises(SettingsError, match="codes"):
        read(PriorStream("fossil", "carbontracker_prior", tmp_path), DAY, DAY + 1)
    with pytest.raises(SettingsError, match="code"):
        read(PriorStream("fossil", "carbontracker_prior", tmp_path, codes=("fm",), file_pattern="CT*.nc"), DAY, DAY + 1)
    one = read(PriorStream("fossil", "carbontracker_prior", tmp_path, codes=("fo",)), DAY, DAY + 1)
    np.testing.assert_allclose(one.values, np.roll(plausible_flux("fossil", 1), SHIFT, axis=-1), rtol=1e-6)


def test_odiac_takes_the_year_from_the_name_and_adds_transport(tmp_path):
    land, bunker = flux_inventories.odiac_fields()
    gram = GRAM_OF_CARBON / 86400
    np.testing.assert_allclose(flux_of("flux_odiac", tmp_path)[0], (land + bunker)[5] * gram, rtol=1e-6)
    only_land = read(PriorStream("fossil", "odiac", tmp_path, variable="land"), DAY, DAY + 1)
    np.testing.assert_allclose(only_land.values[0], land[5] * gram, rtol=1e-6)
    with pytest.raises(InputError, match="missing"):
        read(PriorStream("fossil", "odiac", tmp_path), DAY + 365, DAY + 366)
    with pytest.raises(SettingsError, match="year"):
        read(PriorStream("fossil", "odiac", tmp_path, file_pattern="odiac*.nc"), DAY, DAY + 1)


@pytest.mark.parametrize("settings", [{}, {"per_line": 6}, {"name": "gridcar.201006.gz"}])
def test_cdiac_amounts_per_cell_and_month(settings, tmp_path):
    path = flux_inventories.write_cdiac(tmp_path, **settings)
    flux = reading(one_stream("fossil", "cdiac"))(path)["flux"][0]
    got = np.roll(flux, 180, axis=-1) * ONE_DEGREE.area * JUNE * 12.011e-9  # Gg C
    np.testing.assert_allclose(got, flux_inventories.cdiac_field(), rtol=1e-12)


def test_cdiac_annual_amounts_are_a_years_own(tmp_path):
    teragrams = np.round(0.012 * flux_inventories.cdiac_field(), 4)
    for year, n_days in ((2010, 365), (2012, 366)):
        flux_inventories.write_cdiac(tmp_path, name=f"gridcar.{year}", values=teragrams)
        day = np.datetime64(f"{year}-03-03")
        flux = read(PriorStream("fossil", "cdiac", tmp_path), day, day + 1).values[0]
        np.testing.assert_allclose((flux * ONE_DEGREE.area).sum() * n_days * 86400 * 12.011e-12, teragrams.sum(), rtol=1e-12)


@pytest.mark.parametrize(("change", "text"), [
    (lambda path: path.write_text(path.read_text()[:200_000]), "wrong number of cells"),
    (lambda path: path.write_bytes(b"\x1f\x9d\x90" + path.read_bytes()[:50]), "compress"),
    (lambda path: path.write_bytes(gzip.compress(path.read_bytes())[:5000]), "cannot be read"),
    (lambda path: path.write_text("\n".join(path.read_text().splitlines()[::-1])), "Antarctica"),
    (lambda path: path.write_text(path.read_text().replace("0.00000", "-1.0", 1)), "negative"),
    (lambda path: path.write_text(path.read_text().replace("0.00000", "nan", 1)), "not finite"),
    (lambda path: path.write_text(path.read_text().replace("0.00000", "zero", 1)), "not a number"),
    (lambda path: path.write_bytes(bytes(range(256)) * 200), "not text"),
    (lambda path: path.write_text(""), "wrong number of cells"),
], ids=["cut", ".Z", "cut gz", "from the south", "negative", "NaN", "letters", "binary", "empty"])
def test_bad_cdiac_files(change, text, tmp_path):
    path = flux_inventories.write_cdiac(tmp_path)
    change(path)
    [problem] = check(PriorStream("fossil", "cdiac", tmp_path), DAY, DAY + 1)
    assert text in problem.what and path.name in problem.where


@pytest.fixture(scope="module")
def gfed(tmp_path_factory):
    """A GFED file with fires in June, with shares, and in July, without."""
    directory = tmp_path_factory.mktemp("gfed")
    flux_inventories.write_gfed(directory, full=(6, 7))
    return directory


def test_gfed_days_and_hours_have_their_shares(gfed):
    by_day, by_hour = flux_inventories.gfed_shares(6, 30)
    stream = PriorStream("fire", "gfed", gfed)
    assert check(stream, DAY, DAY + 1) == []
    [day] = days(stream, DAY, DAY + 1)
    wanted = by_day[14] * by_hour[:, None, None] / 10800 * GRAM_OF_CARBON * flux_inventories.gfed_carbon(6)
    np.testing.assert_allclose(day.values, wanted, rtol=2e-6, atol=1e-20)


def test_gfed_keeps_the_months_total_through_shares_of_days_and_hours(gfed):
    total = sum(day.values.mean(axis=0) * 86400.0 for day in
                days(PriorStream("fire", "gfed", gfed), np.datetime64("2010-06-01"), np.datetime64("2010-07-01")))
    carbon = flux_inventories.gfed_carbon(6).astype(np.float32).astype(np.float64)
    np.testing.assert_allclose(total, carbon * GRAM_OF_CARBON, rtol=1e-12, atol=1e-20)


def test_gfed_without_shares_is_even_over_the_month(gfed):
    july = read(PriorStream("fire", "gfed", gfed), np.datetime64("2010-07-04"), np.datetime64("2010-07-05"))
    assert july.sizes["time"] == 1
    np.testing.assert_allclose(july.values[0], flux_inventories.gfed_carbon(7) * GRAM_OF_CARBON / (31 * 86400), rtol=1e-6)


def test_gfed_dry_matter_by_kinds_of_fire(gfed):
    flux = annual_totals([PriorStream("fire", "gfed", gfed, variable="DM")], DAY, DAY + 1)[2010]["fire"]
    grid = Grid.regular(36, 18, lon_first=None)
    per_kilogram = sum((i + 1) / 21 * x for i, x in enumerate((1686.0, 1489.0, 1647.0, 1643.0, 1703.0, 1585.0))) / 44.0095
    mol = (flux_inventories.gfed_carbon(6) / 480.0 * grid.area).sum() * per_kilogram / JUNE
    np.testing.assert_allclose(flux, mol * 12.011e-15 * 365.25 * 86400, rtol=1e-6)


@pytest.mark.parametrize(("change", "text"), [
    (lambda file: file["emissions/06/daily_fraction/day_3"].__setitem__(slice(None), 0.5), "shares do not add up"),
    (lambda file: file["emissions/06/C"].__setitem__((3, 4), np.nan), "not finite"),
    (lambda file: file["emissions/06/C"].__setitem__((3, 4), -1.0), "cannot be right"),
    (lambda file: file["emissions/06/C"].__setitem__(slice(None), 3e6), "physical range"),
    (lambda file: file["lat"].__setitem__(slice(None), np.linspace(0, 90, 18)[:, None]), "wrong grid"),
], ids=["shares", "NaN", "negative", "units", "other latitudes"])
def test_bad_gfed_files(gfed, change, text, tmp_path):
    path = tmp_path / "GFED4.1s_2010.hdf5"
    path.write_bytes((gfed / path.name).read_bytes())
    with netCDF4.Dataset(path, "a") as file:
        change(file)
    [problem] = check(PriorStream("fire", "gfed", tmp_path), DAY, DAY + 1)
    assert text in problem.what and path.name in problem.where


@pytest.mark.parametrize(("omit", "text"), [
    (("/emissions/06/C",), "a field is missing"), (("/emissions/06/daily_fraction/day_30",), "a field is missing")])
def test_gfed_with_a_field_left_out(omit, text, tmp_path):
    path = flux_inventories.write_gfed(tmp_path, omit=omit)
    [problem] = check(PriorStream("fire", "gfed", tmp_path), DAY, DAY + 1)
    assert text in problem.what and path.name in problem.where


def test_gfed_as_plain_hdf5_without_dimensions(tmp_path):
    """The real files have no dimension scales. Written in a process of its own: two HDF5 libraries do not always go together."""
    if subprocess.run([sys.executable, "-c", "import h5py"], capture_output=True).returncode:
        pytest.skip("h5py is not installed")
    script = """
import h5py, numpy as np, sys
with h5py.File(sys.argv[1], "w") as file:
    file["lat"] = np.broadcast_to((89.875 - 0.25 * np.arange(720))[:, None], (720, 1440)).astype("f4")
    file["lon"] = np.broadcast_to(-179.875 + 0.25 * np.arange(1440), (720, 1440)).astype("f4")
    for month in range(1, 13):
        field = np.zeros((720, 1440), "f4")
        field[100, 200] = month
        file.create_dataset(f"emissions/{month:02d}/C", data=field, compression="gzip")
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "GFED4.1s_2010.hdf5")], check=True)
    flux = read(PriorStream("fire", "gfed", tmp_path), DAY, DAY + 1).values[0]
    assert np.flatnonzero(flux).tolist() == [619 * 1440 + 200 + 720]
    np.testing.assert_allclose(flux.max(), 6 * GRAM_OF_CARBON / JUNE, rtol=1e-12)
    assert flux.shape == (720, 1440)
