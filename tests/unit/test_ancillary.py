"""Monthly fields and their regional figures; Table 5 of a made-up case."""

from __future__ import annotations

import json

import netCDF4
import numpy as np
import pytest
from formats.ancillary import FIRST, SPAN, lai_field, lai_file, on_land, spei_field, spei_file, stream, temperature_file
from formats.regions import POLYGONS
from generators.case_directory import CaseOptions, make_case
from small_case import gcas

from gcas_driver.ancillary import check, months
from gcas_driver.ancillary.field import COARSE
from gcas_driver.ancillary.lai3g import ROWS, month_of, read_half
from gcas_driver.ancillary.regional import RegionalSeries, series
from gcas_driver.errors import InputError
from gcas_driver.evaluation.monthly import MonthlyFluxes, read_monthly, without_season, years_of
from gcas_driver.evaluation.table5 import compared, correlation, table5
from gcas_driver.fluxes.regions import RegionMap


def test_spei_is_read_with_its_holes(tmp_path):
    found = list(months(stream("spei", spei_file(tmp_path, 3)), *SPAN))
    assert [m.month for m in found] == [FIRST, FIRST + 1, FIRST + 2]
    land = on_land(72)
    assert np.isfinite(found[1].values)[land].all() and not np.isfinite(found[1].values)[~land].any()
    assert np.count_nonzero(np.isfinite(found[0].values)) == np.count_nonzero(land) - 1
    assert np.allclose(found[1].values[land], spei_field(1, 72)[land], atol=1e-6)


def test_lai_is_read_by_strips_from_the_north(tmp_path):
    path = lai_file(tmp_path)
    values = read_half(path)
    present = np.isfinite(values)
    assert np.array_equal(present, np.repeat(np.repeat(on_land(720), 6, axis=0), 6, axis=1))
    assert np.abs(values - lai_field())[present].max() <= 0.0051
    assert month_of(path) == FIRST
    splined = np.arange(ROWS) % 5 == 0
    good = np.isfinite(read_half(path, quality=0))
    assert not good[splined].any() and np.array_equal(good[~splined], present[~splined])


def test_halves_of_a_month_are_averaged(tmp_path):
    for half in "ab":
        path = lai_file(tmp_path, half=half)
    codes = np.fromfile(path, dtype=">u2")
    np.where(codes < 20000, codes // 10 * 10 + 2000, codes).astype(">u2").tofile(path)  # two more in the second half
    (month,) = months(stream("lai3g", path.with_name("AVHRRBUVI04.2010jan?.abl")), *SPAN)
    present = np.isfinite(month.values)
    assert np.abs(month.values - lai_field() - 1.0)[present].max() < 0.011


def test_packed_north_first_fields_are_turned(tmp_path):
    found = list(months(stream("gridded", temperature_file(tmp_path)), *SPAN))
    assert len(found) == 4 and found[0].units == "K"
    assert np.allclose(found[2].values[0], 300.0 - 40.0 * np.sin(np.deg2rad(87.5)) ** 2 + 2.0, atol=0.01)
    assert found[0].grid.lon[0] == -177.5


def _sums(regions):
    return np.eye(len(regions.names))


def test_regional_means_are_means_by_area(tmp_path):
    (tmp_path / "regions.txt").write_text(POLYGONS)
    regions = RegionMap.load(tmp_path / "regions.txt", COARSE)
    given = stream("gridded", temperature_file(tmp_path))
    found = series(given, regions, _sums(regions), FIRST, FIRST + 3)
    lat = np.deg2rad(np.arange(-7.5, 5.0, 5.0))  # the field's rows between 10 S and 5 N
    exact = np.average(300.0 - 40.0 * np.sin(lat) ** 2, weights=np.cos(lat))
    assert found.values[:, 0] == pytest.approx(exact + np.arange(4), abs=0.01)
    assert found.unit == "K" and found.values.shape == (4, 3)


def test_area_below_a_threshold_is_the_area(tmp_path):
    regions = RegionMap.load("builtin", COARSE)
    path = spei_file(tmp_path, 2)
    found = series(stream("spei", path, measure="area_below"), regions, _sums(regions), FIRST, FIRST + 1)
    from mozart_coupling.grids import Grid

    field, grid = spei_field(1, 72), Grid.regular(72, 36, lon_first=-177.5)
    expected = (grid.area * (on_land(72) & (field < -1.5))).sum() / 1e12
    in_land_regions = found.values[1, :11].sum()
    assert found.values[1].sum() == pytest.approx(expected, rel=1e-6) and 0.6 * expected < in_land_regions <= expected * 1.000001


def test_a_mask_leaves_only_its_cells(tmp_path):
    regions = RegionMap.load("builtin", COARSE)
    path = tmp_path / "eco.nc"
    lon, lat = np.arange(-175.0, 180, 10), np.arange(-85.0, 90, 10)
    with netCDF4.Dataset(path, "w") as data:
        for name, values in (("lat", lat), ("lon", lon)):
            data.createDimension(name, values.size)
            data.createVariable(name, "f8", (name,))[:] = values
        data.createVariable("eco", "i4", ("lat", "lon"))[:] = np.where(lat[:, None] > 0, 4, 7) * np.ones(lon.size, dtype=int)
    given = {"measure": "area_below", "threshold": 100.0}
    spei = spei_file(tmp_path, 1)
    both = [np.nan_to_num(series(stream("spei", spei, mask_file=path, mask_values=wanted, **given), regions, _sums(regions), FIRST,
                                 FIRST).values) for wanted in ((), (4,), (7,))]
    assert np.allclose(both[0], both[1] + both[2], rtol=1e-9)
    assert both[1][0, 3] == 0.0 or both[1][0, 3] < 0.05 * both[2][0, 3]  # temperate South America lies in the south
    with pytest.raises(InputError, match="nothing is left"):
        series(stream("spei", spei, mask_file=path, mask_values=(5,), **given), regions, _sums(regions), FIRST, FIRST)


@pytest.mark.parametrize("make, format, words", [
    (lambda d: lai_file(d).write_bytes(b"x" * 100), "lai3g", "size"),
    (lambda d: np.fromfile(lai_file(d), ">u2").reshape(4320, 2160).T.tofile(d / "AVHRRBUVI04.2010jana.abl"), "lai3g", "at sea"),
    (lambda d: (d / "AVHRRBUVI04.jan.abl").write_bytes(b""), "lai3g", "no date"),
    (lambda d: temperature_file(d).rename(d / "spei12.nc"), "spei", "no variable spei"),
    (lambda d: (d / "spei12.nc").write_bytes(b"CDF\x01"), "spei", "NetCDF"),
    (lambda d: None, "spei", "no ancillary file")])
def test_faults_are_named(tmp_path, make, format, words):
    make(tmp_path)
    from gcas_driver.ancillary import AncillaryStream

    found = check(AncillaryStream(format, format, tmp_path), *SPAN)
    assert len(found) == 1 and words in str(found[0])


def test_correlation_is_pearsons_with_students_p_value():
    from scipy.stats import pearsonr

    random = np.random.default_rng(3)
    x, y = random.normal(size=(7, 5)), random.normal(size=(7, 5))
    y[:, 4] = 2.0
    r, p = correlation(x, y)
    for i in range(4):
        exact = pearsonr(x[:, i], y[:, i])
        assert (r[i], p[i]) == pytest.approx((exact.statistic, exact.pvalue), abs=1e-12)
    assert np.isnan(r[4]) and np.isnan(p[4])


def test_years_and_seasons():
    at = np.arange(np.datetime64("2009-05", "M"), np.datetime64("2012-01", "M"))
    years, (means,) = years_of(at, np.arange(at.size, dtype=float)[:, None])
    assert [str(y) for y in years] == ["2010", "2011"]
    lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    assert means[0, 0] == pytest.approx(np.average(np.arange(8, 20), weights=lengths))
    season = np.sin(2 * np.pi * at.astype(int) / 12)[:, None] + 0.1 * np.arange(at.size)[:, None]
    assert without_season(at, season).std() < season.std()


def _fluxes(at, prior, posterior):
    return MonthlyFluxes("bio", ("A", "B"), np.eye(2), ("A", "B"), at, prior, posterior)


def test_annual_sinks_are_compared_where_there_are_three_years():
    at = np.arange(np.datetime64("2010-01", "M"), np.datetime64("2014-01", "M"))
    years = (at.astype("datetime64[Y]").astype(int) + 1970 - 2010).astype(float)
    season = np.cos(2 * np.pi * at.astype(int) / 12)
    drought = np.array([0.0, 3.0, 1.0, 2.0])[years.astype(int)]
    flux = np.column_stack([drought + 5 * season, -drought + 5 * season])
    found = compared(_fluxes(at, -flux, flux), RegionalSeries("sda", "km2", at, np.column_stack([drought, drought])))
    assert found.basis == "annual" and len(found.times) == 4
    assert found.correlation["posterior"] == pytest.approx([-1.0, 1.0], abs=1e-4)  # more drought, smaller sink
    assert found.correlation["prior"] == pytest.approx([1.0, -1.0], abs=1e-4)
    two = compared(_fluxes(at[:24], -flux[:24], flux[:24]), RegionalSeries("sda", "km2", at, np.column_stack([drought, drought])))
    assert two.basis == "monthly departures" and two.correlation["posterior"] == pytest.approx([-1.0, 1.0], abs=1e-6)
    with pytest.raises(InputError, match="too few"):
        compared(_fluxes(at[:2], flux[:2], flux[:2]), RegionalSeries("sda", "km2", at, flux))


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Four windows of a month, with a drought index for them."""
    directory = tmp_path_factory.mktemp("table5")
    make_case(directory / "example", CaseOptions(windows=4, days=31, start="2010-01-01", soundings=5, flasks=2, truth=False))
    (directory / "spei").mkdir()
    spei_file(directory / "spei", 6)
    text = (directory / "example" / "settings.nml").read_text()
    text += "&ancillary format = 'spei', name = 'drought', directory = 'spei' /\n"
    text += "&ancillary format = 'spei', directory = 'spei', measure = 'mean' /\n"
    (directory / "case.nml").write_text(text)
    return directory


def test_monthly_totals_are_those_of_the_files(case):
    from gcas_driver.evaluation.case import open_case

    found = read_monthly(open_case(case / "example"), "bio")
    assert [str(m) for m in found.months] == ["2010-01", "2010-02", "2010-03", "2010-04"]
    with netCDF4.Dataset(case / "example" / "windows" / "2010-01-01" / "fluxes.nc") as data:
        flux, area = data["flux_posterior"][0].mean(axis=0), data["area"][:]
    from gcas_driver.fluxes.units import PGC_PER_YEAR

    assert found.posterior[0, found.keys.index("Global")] == pytest.approx(PGC_PER_YEAR * float((flux * area).sum()), rel=1e-5)


def test_the_command_writes_table_and_figure(case):
    result = gcas("table5", case / "case.nml")
    assert result.returncode == 0, result.stderr
    assert "Correlation of the BIO sink with drought" in result.stdout and "Europe" in result.stdout
    content = json.loads((case / "example" / "report" / "table5.json").read_text())
    assert [c["field"] for c in content["comparisons"]] == ["drought", "spei"] and content["comparisons"][0]["unit"] == "1e6 km2"
    europe = content["comparisons"][1]["regions"]["Europe"]
    r = np.corrcoef(europe["index"], europe["sink_posterior"])[0, 1]
    assert europe["r_posterior"] == pytest.approx(r, abs=1e-9) and len(europe["index"]) == 4
    assert (case / "example" / "report" / "table5.png").stat().st_size > 20000
    assert (case / "example" / "report" / "table5.csv").read_text().count("\n") == 1 + 2 * 28
    series = (case / "example" / "report" / "table5_series.csv").read_text().splitlines()
    assert len(series) == 1 + 2 * 28 * 4
    line = next(text.split(",") for text in series if text.startswith("spei,z-values,monthly,Europe,2010-02"))
    assert float(line[5]) == pytest.approx(europe["index"][1], rel=1e-5)
    assert float(line[7]) == pytest.approx(europe["sink_posterior"][1], rel=1e-5)


def test_check_warns_of_them_but_a_run_needs_none(case):
    text = (case / "case.nml").read_text()
    assert "ancillary" not in gcas("check", case / "case.nml").stdout
    (case / "wrong.nml").write_text(text.replace("directory = 'spei'", "directory = 'no_such'", 1))
    shown = gcas("check", case / "wrong.nml").stdout
    assert "warning: " in shown and "no_such" in shown and "&ancillary" in shown


def test_without_fields_the_command_says_so(case):
    (case / "none.nml").write_text((case / "example" / "settings.nml").read_text())
    result = gcas("table5", case / "none.nml")
    assert result.returncode == 2 and "no &ancillary group" in result.stderr
    with pytest.raises(InputError, match="nothing to compare"):
        table5(case / "example", [])
