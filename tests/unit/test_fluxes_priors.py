"""Readers of prior fluxes: values, grids and times from each layout, and what every kind of bad file gets."""

import re

import netCDF4
import numpy as np
import pytest
from generators import flux_files as files

from gcas_driver.errors import InputError, SettingsError
from gcas_driver.fluxes.priors import FORMATS, PriorStream, check, days, read

MOLECULES = 6.02214076e23 / 1e4
START, END = np.datetime64("2010-06-01"), np.datetime64("2010-06-03")


@pytest.fixture
def two_days(tmp_path):
    fluxes = [files.plausible_flux("bio", seed) for seed in (1, 2)]
    for day, flux in zip(("20100601", "20100602"), fluxes, strict=True):
        files.write_gcasv2(tmp_path, "bio", day, flux * MOLECULES)
    return tmp_path, np.concatenate(fluxes)


def test_gcasv2_values_grid_and_interval_starts(two_days):
    directory, flux = two_days
    result = read(PriorStream("bio", "gcasv2", directory), START, END)
    np.testing.assert_allclose(result.values, flux, rtol=1e-6)
    assert result.attrs["units"] == "mol m-2 s-1"
    assert result.time.values[0] == np.datetime64("2010-06-01T00:00:00")
    assert result.time_end.values[-1] == np.datetime64("2010-06-03T00:00:00")
    assert (np.diff(result.time.values) == np.timedelta64(3, "h")).all()
    np.testing.assert_allclose(result.lon.values, np.arange(0.5, 360))


def test_days_are_read_only_when_asked_for(two_days):
    directory, flux = two_days
    (directory / "bio" / "emissions.bio.20100602.nc").unlink()
    one_by_one = days(PriorStream("bio", "gcasv2", directory), START, END)
    np.testing.assert_allclose(next(one_by_one).values, flux[:8], rtol=1e-6)
    with pytest.raises(InputError, match="20100602"):
        next(one_by_one)


def test_a_good_stream_has_no_problems(two_days):
    assert check(PriorStream("bio", "gcasv2", two_days[0]), START, END) == []


def test_gcasv2_without_coordinate_variables_has_the_layouts_grid(tmp_path):
    flux = files.plausible_flux("ocn")
    files.write_gcasv2(tmp_path, "ocn", "20100601", flux * MOLECULES, coordinates=False)
    result = read(PriorStream("ocn", "gcasv2", tmp_path), START, START + 1)
    np.testing.assert_allclose(result.values, flux, rtol=1e-6)
    assert (result.lat.values[0], result.lon.values[0]) == (-89.5, 0.5)


def test_longitudes_from_minus_180_are_turned(tmp_path):
    flux = files.plausible_flux("bio")
    files.write_gcasv2(tmp_path, "bio", "20100601", np.roll(flux, 180, axis=-1) * MOLECULES, lon=np.arange(-179.5, 180))
    result = read(PriorStream("bio", "gcasv2", tmp_path), START, START + 1)
    np.testing.assert_allclose(result.values, flux, rtol=1e-6)


def test_slightly_negative_fossil_cells_are_kept(tmp_path):
    flux = files.plausible_flux("fossil")
    flux[:, 90, 10] = -2e-9
    files.write_gcasv2(tmp_path, "fossil", "20100601", flux * MOLECULES)
    stream = PriorStream("fossil", "gcasv2", tmp_path)
    assert check(stream, START, START + 1) == []
    np.testing.assert_allclose(read(stream, START, START + 1).values[:, 90, 10], -2e-9, rtol=1e-6)


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(("component", "new_name", "old_name"), [
    ("bio", "bio_flux_opt", "bio_flux_opt"), ("ocn", "ocn_flux_opt", "ocean_flux_optimized"), ("fossil", "fossil_flux_imp", "fossil_imp"),
    ("fire", "fire_flux_imp", "fire_flux_imposed")])
def test_carbontracker_names_of_both_vintages(tmp_path, component, new_name, old_name, old):
    flux = files.plausible_flux(component)
    files.write_carbontracker(tmp_path / "CT2016.flux1x1.20100601.nc", "2010-06-01", {old_name if old else new_name: flux}, old=old)
    stream = PriorStream(component, "carbontracker", tmp_path)
    assert check(stream, START, START + 1) == []
    result = read(stream, START, START + 1)
    np.testing.assert_allclose(result.values, np.roll(flux, 180, axis=-1), rtol=1e-6)
    assert result.lon.values[0] == 0.5
    assert result.time.values[0] == np.datetime64("2010-06-01T00:00:00")


def test_declared_holes_are_no_flux(tmp_path):
    flux = files.plausible_flux("bio")
    files.write_carbontracker(tmp_path / "CT2022.flux1x1.20100601.nc", "2010-06-01", {"bio_flux_opt": flux}, fill_north=True)
    result = read(PriorStream("bio", "carbontracker", tmp_path), START, START + 1)
    assert (result.values[:, -5:] == 0).all()
    assert (result.values[:, :-5] != 0).all()


def test_two_carbontracker_releases_in_one_directory_are_ambiguous(tmp_path):
    for release in ("CT2016", "CT2022"):
        files.write_carbontracker(tmp_path / f"{release}.flux1x1.20100601.nc", "2010-06-01", {"bio_flux_opt": files.plausible_flux("bio")})
    with pytest.raises(InputError, match="several"):
        read(PriorStream("bio", "carbontracker", tmp_path), START, START + 1)
    read(PriorStream("bio", "carbontracker", tmp_path, file_pattern="CT2022.flux1x1.{date}.nc"), START, START + 1)


def _write_monthly(path, units="gC m-2 day-1", descending=True):
    """Two months on 2x2 degrees with bounds, north first."""
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("time", 2), ("lat", 90), ("lon", 180), ("two", 2)):
            file.createDimension(name, size)
        lat = np.arange(-89, 90, 2)
        file.createVariable("lat", "f8", ("lat",))[:] = lat[::-1] if descending else lat
        file.createVariable("lon", "f8", ("lon",))[:] = np.arange(-179, 180, 2)
        time = file.createVariable("time", "f8", ("time",))
        time.units, time.bounds = "days since 2010-05-01", "time_bounds"
        time[:] = [15, 45]
        file.createVariable("time_bounds", "f8", ("time", "two"))[:] = [[0, 31], [31, 61]]
        flux = file.createVariable("nee", "f4", ("time", "lat", "lon"))
        flux.units = units
        flux[:] = np.stack([np.full((90, 180), -1.0), np.broadcast_to(file["lat"][:][:, None] / 90, (90, 180))])
    return path


def test_cf_file_with_bounds_units_and_north_first(tmp_path):
    _write_monthly(tmp_path / "bio_2010.nc")
    result = read(PriorStream("bio", "cf", tmp_path), START - 1, START + 1)
    assert result.sizes["time"] == 2  # each day gets the part of its month that falls into it
    gram = 1 / 12.011 / 86400
    np.testing.assert_allclose(result.values[0], -gram, rtol=1e-6)
    np.testing.assert_allclose(result.values[1, :, 0], result.lat.values / 90 * gram, rtol=1e-6, atol=1e-12)
    assert result.lat.values[0] == -89


def test_factor_turns_a_flux(tmp_path):
    _write_monthly(tmp_path / "bio_2010.nc")
    result = read(PriorStream("bio", "cf", tmp_path, factor=-2.0), START - 1, START)
    np.testing.assert_allclose(result.values, 2 / 12.011 / 86400, rtol=1e-6)


def test_stamps_at_the_start_are_refused_unless_said(tmp_path):
    flux = files.plausible_flux("bio")
    files.write_gcasv2(tmp_path, "bio", "20100601", flux * MOLECULES, seconds=files.SECONDS)
    [problem] = check(PriorStream("bio", "gcasv2", tmp_path), START, START + 1)
    assert "do not cover the day" in problem.what and "2010-05-31T22:30:00" in problem.found
    said = PriorStream("bio", "gcasv2", tmp_path, time_stamp="start")
    assert check(said, START, START + 1) == []
    assert read(said, START, START + 1).time.values[0] == np.datetime64("2010-06-01T00:00:00")


def _cut(path, share=0.6):
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])


def _nan(path):
    with netCDF4.Dataset(path, "a") as file:
        file["emissions"][7, 3, 4] = np.nan


def _fill(path):
    with netCDF4.Dataset(path, "a") as file:
        file["emissions"][7, :10] = 9.96921e36


def _rename(path):
    with netCDF4.Dataset(path, "a") as file:
        file.renameVariable("emissions", "co2_flux")


def _scale(factor):
    def change(path):
        with netCDF4.Dataset(path, "a") as file:
            file["emissions"][:] = file["emissions"][:] * factor
    return change


def _other_date(path):
    with netCDF4.Dataset(path, "a") as file:
        file["date"][:] = 20110601


def _other_grid(path):
    files.write_gcasv2(path.parents[1], "bio", "20100602", files.plausible_flux("bio", 2, (90, 180)) * MOLECULES)


def _shifted_grid(path):
    files.write_gcasv2(path.parents[1], "bio", "20100602", files.plausible_flux("bio", 2) * MOLECULES, lon=np.arange(360.0))


@pytest.mark.parametrize(("change", "text"), [
    (lambda path: path.unlink(), "missing"),
    (lambda path: path.write_bytes(b"this is no NetCDF file"), "cannot be opened as NetCDF"),
    (lambda path: path.write_bytes(b""), "cannot be opened as NetCDF"),
    (_cut, "truncated"),
    (lambda path: _cut(path, 0.99999), "truncated"),  # some twenty bytes
    (_nan, "not finite"),
    (_fill, "missing values"),
    (_rename, "no variable for the bio flux"),
    (_scale(1 / MOLECULES), "physical range"),  # mol m-2 s-1 in place of molecules
    (_scale(1e4), "physical range"),  # molecules m-2 s-1
    (_scale(1e-13), "physical range"),  # gC m-2 day-1
    (_other_date, "do not cover the day"),
    (_other_grid, "wrong grid"),
    (_shifted_grid, "wrong grid"),
], ids=["missing", "not NetCDF", "empty", "truncated", "last bytes cut", "NaN", "fill values", "other variable", "mol m-2 s-1",
        "molecules m-2 s-1",
        "gC m-2 day-1", "other year", "2 degrees", "shifted grid"])
def test_a_bad_file_is_named_with_what_is_wrong(two_days, change, text):
    directory, _ = two_days
    path = directory / "bio" / "emissions.bio.20100602.nc"
    change(path)
    stream = PriorStream("bio", "gcasv2", directory)
    problems = check(stream, START, END)
    assert len(problems) == 1
    assert path.name in str(problems[0])
    with pytest.raises(InputError, match=text):
        read(stream, START, END)
    assert re.search(text, problems[0].what)


def test_truncated_netcdf4_is_found(tmp_path):
    path = files.write_carbontracker(tmp_path / "CT2022.flux1x1.20100601.nc", "2010-06-01", {"bio_flux_opt": files.plausible_flux("bio")})
    _cut(path, 0.5)
    [problem] = check(PriorStream("bio", "carbontracker", tmp_path), START, START + 1)
    assert path.name in str(problem)


def test_many_problems_of_a_kind_are_counted_not_listed(tmp_path):
    problems = check(PriorStream("bio", "gcasv2", tmp_path), START, START + 30)
    assert len(problems) == 11
    assert "20 more files" in problems[-1].what


def test_the_grid_may_not_change_within_a_stream(tmp_path):
    for day, n in (("20100601", 180), ("20100602", 90)):
        with netCDF4.Dataset(tmp_path / f"bio{day}.nc", "w") as file:
            for name, size in (("time", 8), ("lat", n), ("lon", 2 * n)):
                file.createDimension(name, size)
            file.createVariable("lat", "f8", ("lat",))[:] = -90 + (np.arange(n) + 0.5) * 180 / n
            file.createVariable("lon", "f8", ("lon",))[:] = (np.arange(2 * n) + 0.5) * 180 / n
            time = file.createVariable("time", "f8", ("time",))
            time.units = f"hours since {day[:4]}-{day[4:6]}-{day[6:]}"
            time[:] = 1.5 + 3 * np.arange(8)
            file.createVariable("flux", "f4", ("time", "lat", "lon"))[:] = files.plausible_flux("bio", 0, (n, 2 * n))
            file["flux"].units = "mol m-2 s-1"
    stream = PriorStream("bio", "cf", tmp_path, file_pattern="{component}{date}.nc")
    [problem] = check(stream, START, END)
    assert "grid changes" in problem.what
    with pytest.raises(InputError, match="grid changes"):
        read(stream, START, END)


def test_missing_or_useless_units_of_a_cf_file(tmp_path):
    _write_monthly(tmp_path / "bio_2010.nc", units="kg m-2 s-1")
    [problem] = check(PriorStream("bio", "cf", tmp_path), START, START + 1)
    assert "units" in problem.what and "kg m-2 s-1" in problem.found
    read(PriorStream("bio", "cf", tmp_path, units="gC m-2 day-1"), START, START + 1)


def test_settings_of_a_stream(tmp_path):
    with pytest.raises(SettingsError, match="grib"):
        read(PriorStream("bio", "grib", tmp_path), START, END)
    assert "soil" in check(PriorStream("soil", "gcasv2", tmp_path), START, END)[0].found
    assert "middle" in check(PriorStream("bio", "gcasv2", tmp_path, time_stamp="middle"), START, END)[0].found
    with pytest.raises(InputError, match="whole days"):
        list(days(PriorStream("bio", "gcasv2", tmp_path), np.datetime64("2010-06-01T06"), END))
    assert "directory" in check(PriorStream("bio", "gcasv2", tmp_path / "none"), START, START + 1)[0].what


def test_every_layout_knows_the_components_it_can_hold():
    for layout in FORMATS.values():
        assert set(layout.variables) <= {"bio", "ocn", "fossil", "fire"}
    for name in ("gcasv2", "carbontracker", "carbontracker_prior", "climatology", "cf"):
        assert len(FORMATS[name].variables) == 4
    assert "no fire flux" in check(PriorStream("fire", "odiac", "."), START, END)[0].what


def test_a_missing_directory_is_said_once(tmp_path):
    problems = check(PriorStream("bio", "gcasv2", tmp_path / "nowhere"), np.datetime64("2010-06-01"), np.datetime64("2010-06-15"))
    assert len(problems) == 1 and "nowhere" in str(problems[0]) and "directory" in problems[0].what
