"""Met files: names, interpolation in time, and every fault that a check must find."""

import netCDF4
import numpy as np
import pytest

from mozart_coupling.embedded.levels import check_coefficients, hybrid_levels, level_pressure, mid_coefficients
from mozart_coupling.errors import MetError
from mozart_coupling.grids import Grid
from mozart_coupling.met import MET_FIELDS, MetFiles, met_file_name, write_met_file

GRID = Grid.regular(8, 6)
LEVELS = hybrid_levels(5)
FIRST = np.datetime64("2010-06-01")
TYPICAL = {"T": 250.0, "U": 5.0, "V": -3.0, "Q": 1e-3, "PS": 9.8e4, "PHIS": 100.0, "TS": 285.0, "ALB": 0.2, "ORO": 1.0,
           "PBLH": 500.0, "CMFMC": 0.001, "QFLX": 1e-5,
           "SOILW": 0.3}


def _fields(times, names=MET_FIELDS):
    """Fields that grow linearly with time, with more vapour below."""
    hours = (times - FIRST.astype("datetime64[s]")) / np.timedelta64(1, "h")
    nlev = len(LEVELS[0]) - 1
    fields = {}
    for name in names:
        levels = MET_FIELDS[name].shape(nlev, GRID)[:-2]
        scale = (1.0 + 0.01 * np.arange(levels[0]))[:, None, None] if levels else 1.0
        growth = np.zeros_like(hours) if name == "ORO" else hours
        fields[name] = (TYPICAL.get(name, 1.0) * (1.0 + 1e-4 * growth)).reshape(-1, *([1] * (len(levels) + 2))) * np.ones(
            (times.size, *levels, *GRID.shape)) * scale
    return fields


def _write(directory, days=4, step=6, skip=()):
    for k in range(days):
        if k not in skip:
            times = (FIRST + k).astype("datetime64[s]") + np.arange(24 // step) * np.timedelta64(step, "h")
            write_met_file(directory / met_file_name("m_", "yyyymmdd", FIRST + k), GRID, *LEVELS, times, _fields(times))
    return MetFiles(directory, "m_")


def _change(directory, day, change):
    with netCDF4.Dataset(directory / met_file_name("m_", "yyyymmdd", FIRST + day), "a") as dataset:
        change(dataset.variables)


def _found(met):
    return " | ".join(str(problem) for problem in met.check(FIRST + 1, FIRST + 3))


def test_names():
    assert met_file_name("GEOS5_19x2_", "yyyymmdd", np.datetime64("2014-09-05")) == "GEOS5_19x2_20140905.nc"
    assert met_file_name("a.", "yyyy-mm-dd", np.datetime64("2014-09-05")) == "a.2014-09-05.nc"
    with pytest.raises(MetError, match="yyyy"):
        met_file_name("a", "yymmdd", FIRST)


def test_contract_layout(tmp_path):
    _write(tmp_path, days=1)
    with netCDF4.Dataset(tmp_path / "m_20100601.nc") as dataset:
        assert dataset.data_model.startswith("NETCDF3")
        assert dataset["U"].dimensions == ("time", "lev", "lat", "lon") and dataset["U"].dtype == np.float32
        assert dataset["CMFMC"].dimensions == ("time", "ilev", "lat", "lon")
        assert dataset["time"].units.startswith("days since 1900-01-01") and dataset["time"][0] == 40328.0
        assert dataset["date"][:].tolist() == [20100601] * 4 and dataset["datesec"][:].tolist() == [0, 21600, 43200, 64800]
        for name in ("hyam", "hybm", "hyai", "hybi", "lev", "ilev"):
            assert name in dataset.variables


@pytest.mark.parametrize("step", [3, 6])
def test_interpolation_is_linear_across_midnight(tmp_path, step):
    met = _write(tmp_path, step=step)
    for time in ("2010-06-02T00:00", "2010-06-02T04:30", "2010-06-02T23:45", "2010-06-03T18:00"):
        expected = _fields(np.array([time], dtype="datetime64[s]"))
        found = met.fields_at(np.datetime64(time))
        for name in MET_FIELDS:
            assert found[name].dtype == np.float64
            assert np.allclose(found[name], expected[name][0], rtol=2e-7), name


def test_only_what_is_asked_for_and_fresh_arrays(tmp_path):
    met = _write(tmp_path)
    first = met.fields_at(np.datetime64("2010-06-02T01:00"), ["U", "PS"])
    assert set(first) == {"U", "PS"}
    first["U"][:] = 0.0
    assert met.fields_at(np.datetime64("2010-06-02T01:00"), ["U"])["U"].min() > 1.0
    with pytest.raises(MetError, match="absent"):
        met.fields_at(np.datetime64("2010-06-02T01:00"), ["OMEGA"])


def test_columns_and_reused_arrays_are_the_fields_to_the_bit(tmp_path):
    met = _write(tmp_path)
    ilat, ilon = np.array([0, 3, 3]), np.array([2, 0, 5])
    kept = met.fields_at(np.datetime64("2010-06-02T00:00"), ["T", "PS", "ORO"])
    arrays = {name: id(field) for name, field in kept.items()}
    for time in ("2010-06-02T01:07", "2010-06-02T05:30", "2010-06-02T06:00"):
        fields = met.fields_at(np.datetime64(time), ["T", "PS", "ORO"], kept, threads=2)
        assert {name: id(field) for name, field in fields.items()} == arrays
        fresh = met.fields_at(np.datetime64(time), fields)
        columns = met.columns_at(np.datetime64(time), ilat, ilon, fields)
        for name, field in fields.items():
            assert np.array_equal(field, fresh[name])
            assert np.array_equal(columns[name], field[..., ilat, ilon].T)


def test_grid_and_levels_are_the_files(tmp_path):
    met = _write(tmp_path, days=1)
    assert met.grid == GRID
    assert np.array_equal(met.hyai, LEVELS[0]) and np.array_equal(met.levels[1], LEVELS[1])


def test_outside_the_files(tmp_path):
    met = _write(tmp_path, skip=(2,))
    with pytest.raises(MetError, match="no meteorology record before"):
        met.fields_at(np.datetime64("2010-05-31T23:00"))
    with pytest.raises(MetError, match="after"):
        met.fields_at(np.datetime64("2010-06-02T19:00"))
    with pytest.raises(MetError, match="no meteorology file"):
        _ = MetFiles(tmp_path / "nowhere", "m_").grid


def test_check_passes_good_files(tmp_path):
    assert _write(tmp_path).check(FIRST + 1, FIRST + 3) == []


def test_check_names_a_missing_day(tmp_path):
    text = _found(_write(tmp_path, skip=(2,)))
    assert "m_20100603.nc" in text and "missing" in text and "gap" in text


def test_check_finds_a_truncated_file(tmp_path):
    met = _write(tmp_path)
    path = tmp_path / "m_20100602.nc"
    path.write_bytes(path.read_bytes()[:300])
    assert "truncated" in _found(met)


def test_check_finds_wrong_dates(tmp_path):
    met = _write(tmp_path)

    def change(variables):
        variables["date"][:] = 20110602

    _change(tmp_path, 1, change)
    text = _found(met)
    assert "dates are not those of the file's name" in text and "time disagrees" in text


@pytest.mark.parametrize(("name", "value", "words"), [
    ("U", np.nan, "NaN or fill"), ("T", 1e36, "NaN or fill"), ("PS", 980.0, "must be in Pa"), ("T", 20.0, "not physical"),
])
def test_check_finds_bad_values(tmp_path, name, value, words):
    met = _write(tmp_path)

    def change(variables):
        variables[name][1] = value

    _change(tmp_path, 1, change)
    text = _found(met)
    assert words in text and name in text and "m_20100602.nc" in text
    if words.startswith("NaN"):
        with pytest.raises(MetError, match="NaN"):
            met.fields_at(np.datetime64("2010-06-02T05:00"))


def test_check_finds_levels_upside_down(tmp_path):
    met = _write(tmp_path)

    def change(variables):
        for name in ("hyai", "hybi", "hyam", "hybm"):
            variables[name][:] = variables[name][::-1]

    _change(tmp_path, 1, change)
    assert "upside down" in _found(met)


def test_check_finds_fields_upside_down(tmp_path):
    met = _write(tmp_path)

    def change(variables):
        variables["Q"][:] = variables["Q"][:, ::-1]

    _change(tmp_path, 1, change)
    assert "more vapour in the first level" in _found(met)


def test_check_finds_coefficients_that_are_not_monotone(tmp_path):
    met = _write(tmp_path)

    def change(variables):
        variables["hybi"][3] = 0.0

    _change(tmp_path, 1, change)
    assert "not monotone" in _found(met)


def test_check_finds_irregular_steps(tmp_path):
    met = _write(tmp_path)

    def change(variables):
        variables["datesec"][:] = [0, 21600, 36000, 64800]

    _change(tmp_path, 1, change)
    assert "not 3- or 6-hourly" in _found(met)


def test_writer_refuses(tmp_path):
    times = np.array(["2010-06-01"], dtype="datetime64[s]")
    good = _fields(times)
    for fields, words in ((good | {"PS": good["PS"] * np.nan}, "not finite"), (good | {"XX": good["PS"]}, "XX"),
                          (good | {"U": good["PS"]}, "wrong shape"), ({"U": good["U"]}, "missing")):
        with pytest.raises(MetError, match=words):
            write_met_file(tmp_path / "x.nc", GRID, *LEVELS, times, fields)
    assert list(tmp_path.iterdir()) == []


def test_our_levels():
    hyai, hybi = hybrid_levels()
    pressure = level_pressure(hyai, hybi, 1.0e5)
    lowest = 287.0 * 288.0 / 9.81 * np.log(pressure[-1] / pressure[-2])
    assert 40.0 < lowest < 80.0
    assert 9 <= np.count_nonzero(level_pressure(*mid_coefficients(hyai, hybi), 1.0e5) > 7.0e4) <= 11
    assert pressure[0] == pytest.approx(270.0)
    assert np.all(np.diff(level_pressure(hyai, hybi, 4.5e4)) > 0.0)


@pytest.mark.parametrize("n", [2, 10, 19, 56, 100])
def test_any_number_of_levels(n):
    hyai, hybi = hybrid_levels(n)
    assert hyai.size == n + 1
    check_coefficients(hyai, hybi)


def test_pure_sigma_is_valid_and_nonsense_is_not():
    check_coefficients(np.zeros(6), np.linspace(0.0, 1.0, 6))
    with pytest.raises(MetError, match="not the ground"):
        check_coefficients(np.zeros(6), np.linspace(0.0, 0.9, 6))
    with pytest.raises(MetError):
        hybrid_levels(1)


def test_an_end_after_the_last_record_of_its_day_needs_the_next_file(tmp_path):
    met = _write(tmp_path)
    evening = np.datetime64("2010-06-02T21:00")
    assert met.check(FIRST + 1, evening) == []
    (tmp_path / "m_20100603.nc").unlink()
    problems = met.check(FIRST + 1, evening)
    assert "m_20100603.nc" in problems[0].where and "missing" in problems[0].what
    assert met.check(FIRST + 1, np.datetime64("2010-06-02T18:00")) == []
