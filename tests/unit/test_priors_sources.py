"""What a component is made of: gaps filled by a second product, diurnal shapes, other years' files, other calendars; totals are kept."""

import logging
import subprocess
import sys
import tracemalloc

import netCDF4
import numpy as np
import pytest
from formats import flux_carbontracker, flux_cf, flux_climatologies, flux_inventories
from formats.flux_common import DAY, GRAM_OF_CARBON, write_cf
from generators.flux_files import plausible_flux, write_gcasv2

from gcas_driver.errors import InputError, SettingsError
from gcas_driver.fluxes.prior import window_fluxes
from gcas_driver.fluxes.priors import PriorStream, annual_totals, check, check_all, days, read, source_days, sources, three_hourly
from gcas_driver.fluxes.priors.diurnal import SHAPES, weights_of
from mozart_coupling.constants import EARTH_RADIUS_M
from mozart_coupling.grids import Grid, regrid

JUNE = 30 * 86400.0
PG_C = 12.011e-15
UNITS = flux_climatologies.UNITS


def total_of(values, grid):
    """mol s-1 over the sphere, the mean over the first axis."""
    return float((values.mean(axis=0) * grid.area).sum())


def day_of(streams, day=DAY):
    [source] = sources(streams)
    return next(iter(source_days(source, day, day + 1)))


# Gaps


def test_gaps_are_filled_by_the_second_product_and_both_totals_are_kept(tmp_path):
    streams = flux_climatologies.filled(flux_climatologies.write_with_model(tmp_path))
    grid, sea = flux_climatologies.GRID, flux_climatologies.sea()
    june = np.where(sea, flux_climatologies.carbon()[5], 0.0) * GRAM_OF_CARBON / JUNE
    model = next(iter(days(PriorStream("ocn", "cf", tmp_path / "model"), DAY, DAY + 1)))
    share = regrid((~sea).astype(float), grid, model.grid)
    wanted = total_of(june[None], grid) + total_of(model.values * share, model.grid)
    filled = day_of(streams)
    assert filled.gaps is None and filled.values.shape == (8, 18, 36)
    size = total_of(np.abs(june[None]), grid)
    assert abs(total_of(filled.values, filled.grid) - wanted) < 1e-12 * size
    inland = share == 1.0
    np.testing.assert_allclose(filled.values[:, inland], model.values[:, inland], rtol=1e-12)
    window = window_fluxes(streams, Grid.named("128x64"), DAY, DAY + 1)
    assert abs(total_of(window.ocn.values, Grid.named("128x64")) - wanted) < 1e-12 * size


def test_without_a_second_product_gaps_have_no_flux(tmp_path):
    flux_climatologies.write_table(tmp_path)
    flux = read(PriorStream("ocn", "takahashi", tmp_path, units=UNITS), DAY, DAY + 1).values[0]
    sea = flux_climatologies.sea()
    assert (flux[~sea] == 0).all()
    np.testing.assert_allclose(flux[sea], flux_climatologies.carbon()[5][sea] * GRAM_OF_CARBON / JUNE, rtol=1e-12)


def test_three_kinds_of_the_climatology_agree(tmp_path):
    flux_climatologies.write_table(tmp_path / "a")
    flux_climatologies.write_climatology(tmp_path / "b")
    flux_climatologies.write_data_library(tmp_path / "c")
    table = read(PriorStream("ocn", "takahashi", tmp_path / "a", units=UNITS), DAY, DAY + 1)
    for name in "bc":
        np.testing.assert_allclose(read(PriorStream("ocn", "climatology", tmp_path / name), DAY, DAY + 1), table, rtol=1e-6, atol=1e-20)


def test_a_table_on_four_by_five_degrees(tmp_path):
    grid = flux_climatologies.FOUR_BY_FIVE
    flux_climatologies.write_table(tmp_path, grid=grid)
    flux = read(PriorStream("ocn", "takahashi", tmp_path, units=UNITS), DAY, DAY + 1)
    sea = flux_climatologies.sea(grid)
    wanted = np.where(sea, flux_climatologies.carbon(grid)[5], 0.0) * GRAM_OF_CARBON / JUNE
    np.testing.assert_allclose(flux.values[0], wanted, rtol=1e-12, atol=1e-20)
    assert flux.lat.values[0] == -88.0 and flux.lon.values[0] == 2.5


def test_areas_of_a_table_are_the_cells_sea(tmp_path):
    flux_climatologies.write_table(tmp_path / "whole")
    flux_climatologies.write_table(tmp_path / "share", comma=True, area=True)
    whole, share = (read(PriorStream("ocn", "takahashi", tmp_path / name, units=UNITS), DAY, DAY + 1) for name in ("whole", "share"))
    np.testing.assert_allclose(share, 0.8 * whole, rtol=1e-3, atol=1e-20)  # areas have three decimals


@pytest.mark.parametrize(("change", "text"), [
    (lambda lines: lines[: len(lines) // 2], "not all months"),
    (lambda lines: lines[:-3], "different numbers of cells"),
    (lambda lines: [*lines[:-1], lines[-2]], "lists a cell twice"),
    (lambda lines: [line.replace("LON", "XLON") for line in lines], "a column is missing"),
    (lambda lines: lines[2:], "another number of columns"),
    (lambda lines: [line.replace("355.1", "") if "  7  " in line else line for line in lines], "another number of columns"),
    (lambda lines: [line.replace("  10.0  ", "  13.7  ") for line in lines], "not cell centres"),
    (lambda lines: [lines[0], lines[1].replace("LAT  LON", "LON  LAT"), *lines[2:]], "not cell centres"),
    (lambda lines: lines[:2], "no table"),
    (lambda lines: [line.replace("355.1", "n.a.") for line in lines], "not a number"),
    (lambda lines: [*lines[:-1], lines[-1].rsplit(maxsplit=1)[0] + "  nan"], "not finite"),
], ids=["half", "cut", "twice", "no LON", "no names", "a column less", "off the grid", "swapped", "names only", "letters", "NaN"])
def test_bad_tables(change, text, tmp_path):
    path = flux_climatologies.write_table(tmp_path)
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    problems = check(PriorStream("ocn", "takahashi", tmp_path, units=UNITS), np.datetime64("2010-12-01"), np.datetime64("2010-12-02"))
    assert len(problems) == 1 and text in problems[0].what and path.name in problems[0].where


def test_a_table_needs_units(tmp_path):
    flux_climatologies.write_table(tmp_path)
    assert "units" in check(PriorStream("ocn", "takahashi", tmp_path), DAY, DAY + 1)[0].what


# Diurnal shapes


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("day", ["2010-06-21", "2010-12-21", "2012-02-29"])
def test_shapes_have_a_mean_of_one_and_are_positive(shape, day):
    weights = weights_of(shape, Grid.regular(24, 18), np.datetime64(day))
    assert weights.shape == (8, 18, 24) and (weights >= 0).all()
    np.testing.assert_allclose(weights.mean(axis=0), 1.0, rtol=1e-14)


def test_the_sun_is_high_at_noon_and_even_where_it_does_not_rise():
    grid = Grid.regular(8, 18)
    weights = weights_of("sun", grid, np.datetime64("2010-06-21"))
    equator = weights[:, 9]
    local = np.mod(1.5 + 3 * np.argmax(equator, axis=0) + grid.lon / 15, 24)
    assert (np.abs(local - 12) <= 1.6).all()
    assert (weights[:, 0] == 1.0).all()
    assert np.count_nonzero(equator[:, 0] == 0.0) >= 3
    assert (weights[:, -1] > 0.0).all()  # polar day


def test_temperature_shape_spans_q10():
    course = weights_of("temperature", Grid.regular(8, 18), np.datetime64("2010-06-21"))[:, 3, 0]
    assert 1.7 < course.max() / course.min() < 2.0


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_keeps_every_days_total(shape, tmp_path):
    flux_inventories.write_odiac(tmp_path)
    plain = next(iter(days(PriorStream("fossil", "odiac", tmp_path), DAY, DAY + 1)))
    shaped = next(iter(days(PriorStream("fossil", "odiac", tmp_path, diurnal=shape), DAY, DAY + 1)))
    assert shaped.values.shape == (8, 18, 36) and np.ptp(shaped.values[:, 9, 0]) > 0
    np.testing.assert_allclose(shaped.values.mean(axis=0), plain.values[0], rtol=1e-13)


def _monthly_and_cycle(directory, component, sign=1.0):
    """A monthly mean on five degrees, and another product with a course within the day on ten degrees."""
    edges = (np.datetime64("2010-01") + np.arange(13)).astype("datetime64[D]")
    middle = 0.5 * ((edges[:-1] - edges[0]).astype(float) + (edges[1:] - edges[0]).astype(float))
    mean = np.repeat(np.repeat(flux_carbontracker.monthly_fluxes(component), 2, axis=1), 2, axis=2)
    write_cf(directory / f"{component}_2010.nc", "flux", mean, time=(middle, "days since 2010-01-01"), dtype="f8")
    cycle = sign * flux_cf.bio() if component in ("bio", "ocn") else np.abs(flux_cf.bio()) * 1e-2
    write_cf(directory / "cycle" / f"{component}_cycle.nc", "flux", cycle, time=(1.5 + 3 * np.arange(8), f"hours since {DAY} 00:00:00"),
             dtype="f8")
    return mean, cycle


@pytest.mark.parametrize("component", ["bio", "fossil"])
def test_the_cycle_of_another_product(component, tmp_path):
    mean, cycle = _monthly_and_cycle(tmp_path, component)
    streams = [PriorStream(component, "cf", tmp_path, diurnal="hours"),
               PriorStream(component, "cf", tmp_path / "cycle", name="hours", counts=False, file_pattern="*_cycle.nc")]
    assert check_all(streams, DAY, DAY + 1) == []
    result = day_of(streams)
    np.testing.assert_allclose(result.values.mean(axis=0), mean[5], rtol=1e-12, atol=1e-18)
    fine = np.repeat(np.repeat(cycle, 2, axis=1), 2, axis=2)
    if component == "bio":
        np.testing.assert_allclose(result.values - mean[5], fine - fine.mean(axis=0), atol=1e-17)
    else:
        assert (result.values >= 0).all()
        np.testing.assert_allclose(result.values * fine.mean(axis=0), mean[5] * fine, rtol=1e-9)


def test_a_shape_is_refused_where_there_is_a_course_already_or_none_to_lend(tmp_path):
    flux_carbontracker.write_daily(tmp_path)
    [problem] = check_all([PriorStream("bio", "carbontracker", tmp_path, diurnal="sun")], DAY, DAY + 1)
    assert "within the day" in problem.what
    flux_inventories.write_odiac(tmp_path)
    groups = [PriorStream("fossil", "odiac", tmp_path, diurnal="other"),
              PriorStream("fossil", "odiac", tmp_path, name="other", counts=False)]
    [problem] = check_all(groups, DAY, DAY + 1)
    assert "has none" in problem.what


# Groups


@pytest.mark.parametrize(("groups", "text"), [
    ([{"gaps_from": "model"}], "no &prior group has the name"),
    ([{"gaps_from": "model"}, {"name": "model"}], "counts by itself too"),
    ([{"diurnal": "moon"}], "sun, temperature, afternoon"),
    ([{}, {"name": "model", "counts": False}], "no other one uses it"),
    ([{"name": "a"}, {"name": "a"}], "same name"),
    ([{"name": "a", "gaps_from": "b"}, {"name": "b", "gaps_from": "a", "counts": False}], "circle"),
    ([{"recycle_years": (2010, 2000)}], "first and the last year"),
    ([{"positive": "left"}], "up or down"),
], ids=["nobody", "twice", "shape", "unused", "same name", "circle", "years", "direction"])
def test_groups_that_do_not_fit_together(groups, text, tmp_path):
    with pytest.raises(SettingsError, match=text):
        sources([PriorStream("ocn", "cf", tmp_path, **group) for group in groups])


def test_the_mean_of_two_inventories_is_two_groups_of_a_half(tmp_path):
    flux_inventories.write_odiac(tmp_path)
    flux_inventories.write_cdiac(tmp_path)
    halves = [PriorStream("fossil", name, tmp_path, factor=0.5) for name in ("cdiac", "odiac")]
    grid = Grid.named("144x96")
    window = window_fluxes(halves, grid, DAY, DAY + 1)
    land, bunker = flux_inventories.odiac_fields()
    grams = 0.5 * (((land + bunker)[5] * Grid.regular(36, 18).area).sum() / 86400 + flux_inventories.cdiac_field().sum() * 1e9 / JUNE)
    np.testing.assert_allclose(total_of(window.fossil.values, grid) * 12.011, grams, rtol=1e-7)
    by_hand = grams * 365.25 * 86400 * 1e-15
    np.testing.assert_allclose(annual_totals(halves, DAY, DAY + 1)[2010]["fossil"], by_hand, rtol=1e-7)


# Other years and calendars


def test_years_are_recycled_only_when_asked_and_the_log_says_so(tmp_path, caplog):
    flux_inventories.write_odiac(tmp_path, 2009)
    flux_inventories.write_odiac(tmp_path, 2010)
    day = np.datetime64("2013-06-15")
    [problem] = check(PriorStream("fossil", "odiac", tmp_path), day, day + 1)
    assert problem.what == "prior flux file is missing" and "recycle_years" in problem.advice
    with caplog.at_level(logging.INFO):
        flux = next(iter(days(PriorStream("fossil", "odiac", tmp_path, recycle_years=(2009, 2010)), day, day + 1)))
    assert flux.path.name.endswith("2009.nc") and flux.start[0] == day.astype("datetime64[s]")
    assert "fluxes of 2013 are those of 2009" in caplog.text
    nearest = PriorStream("fossil", "odiac", tmp_path, recycle_years=(2009, 2010), recycle_by="nearest")
    assert next(iter(days(nearest, day, day + 1))).path.name.endswith("2010.nc")


def test_29_february_of_recycled_years_is_the_28th(tmp_path):
    for number in (27, 28):
        write_gcasv2(tmp_path, "bio", f"201102{number}", plausible_flux("bio", number) * 6.02214076e19)
    stream = PriorStream("bio", "gcasv2", tmp_path, recycle_years=(2011,))
    result = read(stream, np.datetime64("2012-02-28"), np.datetime64("2012-03-01"))
    np.testing.assert_allclose(result.values[8:], result.values[:8], rtol=0)
    assert result.time.values[8] == np.datetime64("2012-02-29T00:00:00")
    assert check(stream, np.datetime64("2012-02-27"), np.datetime64("2012-03-01")) == []


def test_months_of_a_climatology_hold_29_february(tmp_path):
    flux_climatologies.write_climatology(tmp_path)
    stream = PriorStream("ocn", "climatology", tmp_path)
    leap = read(stream, np.datetime64("2012-02-29"), np.datetime64("2012-03-01")).values[0]
    sea = flux_climatologies.sea()
    np.testing.assert_allclose(leap[sea], flux_climatologies.carbon()[1][sea] * GRAM_OF_CARBON / (29 * 86400), rtol=1e-6)


def test_months_of_a_climatology_are_put_into_their_order(tmp_path):
    flux_climatologies.write_climatology(tmp_path)
    stream = PriorStream("ocn", "climatology", tmp_path)
    june = read(stream, DAY, DAY + 1).values
    path = tmp_path / "ocn_climatology.nc"
    with netCDF4.Dataset(path, "a") as file:
        file["ocn_flux"][:], file["time"][:] = file["ocn_flux"][::-1], file["time"][::-1]
    np.testing.assert_array_equal(read(stream, DAY, DAY + 1).values, june)
    with netCDF4.Dataset(path, "a") as file:
        file["time"][3] = -36000.0
    assert "not those of a year" in check(stream, DAY, DAY + 1)[0].what


def test_daily_means_of_a_calendar_without_leap_days(tmp_path):
    values = flux_cf.bio(365) * (1 + np.arange(365)[:, None, None] / 365)
    write_cf(tmp_path / "bio_2012.nc", "nee", values, calendar="noleap", time=(0.5 + np.arange(365), "days since 2012-01-01"), dtype="f8")
    stream = PriorStream("bio", "cf", tmp_path)
    result = read(stream, np.datetime64("2012-02-28"), np.datetime64("2012-03-02"))
    np.testing.assert_allclose(result.values, values[[58, 58, 59]], rtol=1e-14)
    assert check(stream, np.datetime64("2012-01-01"), np.datetime64("2013-01-01")) == []


def test_months_of_thirty_days_are_the_real_months(tmp_path):
    flux_cf.write_thirty_days(tmp_path)
    stream = PriorStream("bio", "cf", tmp_path)
    for day, month in (("2010-01-31", 0), ("2010-02-28", 1), ("2010-12-31", 11)):
        first = np.datetime64(day)
        np.testing.assert_allclose(read(stream, first, first + 1).values[0], flux_cf.bio(12)[month], rtol=1e-6)
    write_cf(tmp_path / "bio_daily.nc", "nee", flux_cf.bio(60), calendar="360_day", time=(0.5 + np.arange(60), "days since 2010-01-01"))
    with pytest.raises(InputError, match="30-day months"):
        read(PriorStream("bio", "cf", tmp_path, file_pattern="bio_daily.nc"), np.datetime64("2010-01-05"), np.datetime64("2010-01-06"))


def test_three_hourly_means_of_a_calendar_without_leap_days(tmp_path):
    hours = 3.0 * np.arange(8 * 4)  # 26 February to 1 March
    values = flux_cf.bio(32)
    for name, bounds in (("marks", None), ("bounds", np.stack([hours, hours + 3], axis=1))):
        write_cf(tmp_path / name / "bio_2012.nc", "nee", values, calendar="noleap", dtype="f8", bounds=bounds,
                 time=(hours + 1.5, "hours since 2012-02-26"))
        result = read(PriorStream("bio", "cf", tmp_path / name), np.datetime64("2012-02-28"), np.datetime64("2012-03-02"))
        np.testing.assert_allclose(result.values, values[[*range(16, 24), *range(16, 32)]], rtol=1e-14)


@pytest.mark.parametrize(("stamp", "first"), [("start", 0), ("end", 1), ("centre", None)])
def test_monthly_stamps_between_months_need_their_meaning(stamp, first, tmp_path):
    edges = ((np.datetime64("2010-01") + np.arange(13)).astype("datetime64[D]") - np.datetime64("2010-01-01")).astype(float)
    marks = edges[:-1] if stamp == "start" else edges[1:] if stamp == "end" else edges[:-1]
    write_cf(tmp_path / "bio_2010.nc", "nee", flux_cf.bio(12), time=(marks, "days since 2010-01-01"))
    if first is None:
        with pytest.raises(InputError, match="between months"):
            read(PriorStream("bio", "cf", tmp_path), DAY, DAY + 1)
    else:
        flux = read(PriorStream("bio", "cf", tmp_path, time_stamp=stamp), DAY, DAY + 1)
        np.testing.assert_allclose(flux.values[0], flux_cf.bio(12)[5], rtol=1e-6)


# Totals and memory


def test_annual_totals_are_those_of_independent_sums(tmp_path):
    flux_inventories.write_odiac(tmp_path)
    land, bunker = flux_inventories.odiac_fields()
    lengths = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    edges = np.sin(np.deg2rad(np.arange(-90, 91, 10)))
    area = EARTH_RADIUS_M**2 * np.deg2rad(10.0) * np.diff(edges)
    grams = ((land + bunker).astype(np.float32).sum(axis=2, dtype=np.float64) @ area * lengths).sum()
    totals = annual_totals([PriorStream("fossil", "odiac", tmp_path)], np.datetime64("2010-01-01"), np.datetime64("2011-01-01"))
    np.testing.assert_allclose(totals[2010]["fossil"], grams * 1e-15 * 365.25 / 365, rtol=1e-6)
    assert totals[2010]["bio"] == 0.0


def test_memory_does_not_grow_with_the_number_of_days(tmp_path):
    values = np.broadcast_to(plausible_flux("bio")[:1], (240, 180, 360))
    write_cf(tmp_path / "bio_201006.nc", "nee", values, time=(1.5 + 3 * np.arange(240), "hours since 2010-06-01"), chunks=(1, 180, 360))
    stream = PriorStream("bio", "cf", tmp_path, file_pattern="bio_{year}{month}.nc")
    peaks = []
    for n_days in (3, 30):
        tracemalloc.start()
        total = sum(float(day.values.sum()) for day in days(stream, np.datetime64("2010-06-01"), np.datetime64("2010-06-01") + n_days))
        assert np.isfinite(total)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.05 * peaks[0] + 1e6
    assert peaks[1] < 40e6  # a day of eight records is 4 MB; the month would be 124 MB


def test_any_chunking_gives_the_same_numbers(tmp_path):
    values = plausible_flux("bio")
    results = []
    for number, chunks in enumerate(((1, 180, 360), (8, 45, 90), (3, 180, 7), None)):
        write_cf(tmp_path / str(number) / "bio_x.nc", "nee", values, time=(1.5 + 3 * np.arange(8), f"hours since {DAY}"), chunks=chunks)
        results.append(three_hourly(next(iter(days(PriorStream("bio", "cf", tmp_path / str(number)), DAY, DAY + 1)))))
    for other in results[1:]:
        assert np.array_equal(other, results[0])


@pytest.mark.slow
def test_a_year_of_three_hourly_fluxes_never_sits_in_memory(tmp_path):
    """2920 records of one degree are 1.5 GB as float64; the process that reads them all grows by some days' worth."""
    with netCDF4.Dataset(tmp_path / "bio_2010.nc", "w") as file:
        for name, size in (("time", 2920), ("lat", 180), ("lon", 360)):
            file.createDimension(name, size)
        file.createVariable("lat", "f8", ("lat",))[:] = np.arange(-89.5, 90)
        file.createVariable("lon", "f8", ("lon",))[:] = np.arange(0.5, 360)
        time = file.createVariable("time", "f8", ("time",))
        time.units = "hours since 2010-01-01"
        time[:] = 1.5 + 3 * np.arange(2920)
        flux = file.createVariable("nee", "f4", ("time", "lat", "lon"), zlib=True, complevel=1, chunksizes=(8, 180, 360))
        flux.units = "mol m-2 s-1"
        for day in range(365):
            flux[8 * day:8 * day + 8] = np.full((8, 180, 360), 1e-8 * (day + 1))
    script = """
import resource, sys
import numpy as np
from gcas_driver.fluxes.priors import PriorStream, days
stream, start = PriorStream("bio", "cf", sys.argv[1]), np.datetime64("2010-01-01")
list(days(stream, start, start + 3))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
total = sum(float(day.values[0, 0, 0]) for day in days(stream, start, start + 365))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, total)
"""
    grown, total = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, capture_output=True, text=True).stdout.split()
    assert float(total) == pytest.approx(1e-8 * 365 * 366 / 2, rel=1e-6)
    assert float(grown) < 40_000  # KiB
