"""Readers of flasks and other samples at places: both NOAA dialects on real files, replicates, flags, faults."""

import netCDF4
import numpy as np
import pytest
from generators.observation_files import CURRENT_COLUMNS, write_flasks

from gcas_driver.errors import InputError
from gcas_driver.observations import SurfaceStream, check_streams, read_streams
from gcas_driver.observations.gcasv2_surface import RECORD_FORMAT, write_records
from gcas_driver.observations.table import WITHHELD

START, END = np.datetime64("2010-06-14"), np.datetime64("2010-06-21")
REJECTED, LOCAL, PAIR, MISSING = ("rejected by the provider's flag", "not background by the provider's flag",
                                  "averaged with its replicate", "missing value")
LEGACY = "co2_mlo_surface-flask_1_ccgg_event_2019legacy.txt"


def flask(directory, **changes) -> SurfaceStream:
    return SurfaceStream(**{"product": "flask", "directory": directory, "files": ("*.txt",), **changes})


def count_lines(path, first: str, last: str) -> list[list[str]]:
    """Rows of a legacy file sampled between two days, counted without the reader."""
    rows = [line.split() for line in path.read_text().splitlines() if not line.startswith("#")]
    return [row for row in rows if first <= "-".join(row[1:4]) < last]


@pytest.mark.needs_real_data
@pytest.mark.parametrize("first, last", [("2010-06-01", "2010-07-01"), ("2010-06-15", "2010-06-22"), ("1985-01-01", "1985-12-31"),
                                         ("1969-08-01", "2019-01-01")])
def test_real_mauna_loa_before_2020(real_data, first, last):
    table = read_streams([flask(real_data / "noaa", files=(LEGACY,))], np.datetime64(first), np.datetime64(last))
    rows = count_lines(real_data / "noaa" / LEGACY, first, last)
    assert table.n_read() == len(rows) > 0
    known = [row for row in rows if float(row[11]) > -900.0]
    assert table.counts().get(MISSING, 0) == len(rows) - len(known)
    good: dict[tuple, list[float]] = {}
    for row in known:
        if row[13][0] == ".":
            good.setdefault((*row[1:7], *row[21:24]), []).append(float(row[11]))
    assert np.count_nonzero(table.used) == len(good), "one row a time and height"
    np.testing.assert_allclose(np.sort(table.value[table.used]), np.sort([np.mean(values) for values in good.values()]), rtol=1e-12)
    assert np.isfinite(table.value).all() and set(table.site) == {"MLO"} and table.scale["flask"] == "X2007"


@pytest.mark.needs_real_data
def test_real_week_with_flagged_flasks(real_data):
    """Mauna Loa, 8 June 2010: the flasks of the tower (40 m) disagree and are flagged +.. and -..; the pair at 5 m is good."""
    table = read_streams([flask(real_data / "noaa", files=(LEGACY,))], np.datetime64("2010-06-07"), np.datetime64("2010-06-14"))
    assert table.n_read() == 4 and table.counts() == {REJECTED: 2, PAIR: 1}
    flagged = table.reason == REJECTED
    assert sorted(table.value[flagged]) == [392.9, 393.45] and not table.evaluated[flagged].any()
    np.testing.assert_allclose(table.value[table.used], [(392.99 + 392.94) / 2], rtol=1e-12)
    assert table.altitude[table.used].tolist() == [3402.0]
    assert table.time[table.used].tolist() == [np.datetime64("2010-06-08T20:39", "s").astype(np.int64)]


@pytest.mark.needs_real_data
def test_real_dialect_of_today(real_data):
    stream = flask(real_data / "noaa", files=("co2_mlo_surface-flask_1_ccgg_event.txt", "co2_mko_*event*.txt"))
    table = read_streams([stream], np.datetime64("1969-01-01"), np.datetime64("2026-01-01"))
    assert set(table.site) == {"MLO", "MKO"} and table.scale["flask"] == "X2019"
    assert table.n_read() == (169 - 149) + (567 - 147)
    mko = table.select(table.site == "MKO")
    assert 4199.0 < mko.altitude.min() and 300.0 < mko.value.min() < mko.value.max() < 450.0


@pytest.mark.needs_real_data
@pytest.mark.parametrize("name, message", [
    ("co2_smo_surface-flask_1_ccgg_month_20250507.txt", "table of means.*columns site year month value.*no samples"),
    ("co2_mlo_surface-insitu_1_ccgg_MonthlyData_20250507.txt", "table of means.*monthlydata, one value a month"),
    ("ch4_esp_surface-flask_2_representative.nc", "not a file of CO2.*ch4")])
def test_real_files_of_other_kinds_are_refused(real_data, name, message):
    with pytest.raises(InputError, match=message):
        read_streams([flask(real_data / "noaa", files=(name,))], START, END)
    problem, = check_streams([flask(real_data / "noaa", files=(name,))], START, END)
    assert problem.severity == "error" and name in problem.where


@pytest.mark.needs_real_data
def test_real_obspack_of_another_gas_is_refused(real_data):
    with pytest.raises(InputError, match="not a file of CO2.*ch4"):
        read_streams([flask(real_data / "noaa", format="obspack", files=("ch4_*.nc",))], START, END)


ROWS = [("2010-06-15T20:00", 391.0, "...", 3402.0, 11), ("2010-06-15T20:00", 391.4, "...", 3402.0, 12),
        ("2010-06-15T20:00", 399.0, "+..", 3402.0, 13), ("2010-06-15T20:00", 392.0, "...", 3437.0, 14),
        ("2010-06-16T08:00", 392.5, ".X.", 3402.0, 15), ("2010-06-17T20:00", -999.99, "*..", 3402.0, 16),
        ("2010-06-25T20:00", 395.0, "...", 3402.0, 17)]


def test_replicates_flags_and_missing(tmp_path):
    write_flasks(tmp_path / "a.txt", ROWS)
    table = read_streams([flask(tmp_path)], START, END)
    assert table.n_read() == 6 and table.counts() == {REJECTED: 1, MISSING: 1, PAIR: 1}
    used = table.select(table.used)
    np.testing.assert_allclose(sorted(used.value), [391.2, 392.0, 392.5])
    pair = used.select(used.identifier == "MLO:11")
    np.testing.assert_allclose(pair.error, np.hypot(1.5, 0.05 / np.sqrt(2)))
    background = read_streams([flask(tmp_path, background_only=True)], START, END)
    assert background.counts() == {REJECTED: 1, MISSING: 1, PAIR: 1, LOCAL: 1}


def test_sites_errors_and_hours(tmp_path):
    write_flasks(tmp_path / "a.txt", ROWS)
    assert len(read_streams([flask(tmp_path, sites=("brw",))], START, END)) == 0
    table = read_streams([flask(tmp_path, sites=("mlo",), sites_withheld=("MLO",), site_error_ppm={"mlo": 3.0}, error_factor=2.0)], START,
                         END)
    assert not table.used.any() and np.count_nonzero(table.reason == WITHHELD) == 3 and np.count_nonzero(table.evaluated) == 3
    assert np.all(np.abs(table.error - 6.0) < 0.01)
    # 20 UTC at 155.58 W is 9.6 h local, 08 UTC is 21.6 h
    assert read_streams([flask(tmp_path, local_hours=(20.0, 4.0))], START, END).value.tolist() == [392.5]
    assert 392.5 not in read_streams([flask(tmp_path, local_hours=(8.0, 12.0))], START, END).value


def test_a_misspelt_site_is_said(tmp_path):
    write_flasks(tmp_path / "a.txt", ROWS)
    problem, = check_streams([flask(tmp_path, sites_withheld=("MLO", "MLP"))], START, END)
    assert problem.severity == "warning" and problem.found == "MLP" and "MLO" in problem.expected


def test_flask_faults(tmp_path):
    write_flasks(tmp_path / "a.txt", ROWS)
    whole = (tmp_path / "a.txt").read_text()
    (tmp_path / "a.txt").write_text(whole[:-30])
    with pytest.raises(InputError, match="data row 7: wrong number of columns.*19.*22"):
        read_streams([flask(tmp_path)], START, END)
    (tmp_path / "a.txt").write_text(whole.replace("391.0", "391.0\x0b").replace("392.0", "392.0\u2028"))  # ends of lines for Python alone
    assert len(read_streams([flask(tmp_path)], START, END)) == 4
    (tmp_path / "a.txt").write_text(whole.replace("391.0", "39l.0"))
    with pytest.raises(InputError, match="column value is not a number.*39l.0"):
        read_streams([flask(tmp_path)], START, END)
    write_flasks(tmp_path / "a.txt", ROWS, columns=CURRENT_COLUMNS.replace("qcflag", "flag"))
    with pytest.raises(InputError, match="no column qcflag"):
        read_streams([flask(tmp_path)], START, END)
    write_flasks(tmp_path / "a.txt", ROWS, gas="ch4")
    with pytest.raises(InputError, match="not a file of CO2"):
        read_streams([flask(tmp_path)], START, END)
    with pytest.raises(InputError, match="no file matches.*a.txt"):
        read_streams([flask(tmp_path, files=("b*.txt",))], START, END)
    with pytest.raises(InputError, match="no such directory"):
        read_streams([flask(tmp_path / "none")], START, END)


def test_a_changed_file_is_read_again(tmp_path):
    write_flasks(tmp_path / "a.txt", ROWS)
    assert read_streams([flask(tmp_path)], START, END).n_read() == 6
    write_flasks(tmp_path / "a.txt", ROWS[:3])
    assert read_streams([flask(tmp_path)], START, END).n_read() == 3


RECORDS = [("co2_mlo_surface-flask_1", 20100615, 72000, 19.53, 204.42, 3402.0, 391.5, 1),
           ("TANK", 20100615, 3600, -65.0, 10.0, 12.0, -999.99, 2),
           ("co2_spo_surface-flask_1", 20100615, 60, -89.98, 335.2, 2821.0, 386.123, 2)]


@pytest.mark.parametrize("record_format", ["", RECORD_FORMAT])
def test_gcasv2_records(tmp_path, record_format):
    write_records(tmp_path / "srf_20100615", RECORDS)
    stream = flask(tmp_path, format="gcasv2_surface", files=(), record_format=record_format)
    table = read_streams([stream], START, END)
    assert table.counts() == {MISSING: 1} and sorted(table.site) == ["MLO", "SPO"]
    first = table.select(table.site == "MLO")
    np.testing.assert_allclose([first.time[0], first.lon[0], first.lat[0], first.altitude[0], first.value[0]],
                               [np.datetime64("2010-06-15T20:00", "s").astype(int), -155.58, 19.53, 3402.0, 391.5], rtol=1e-9)


def test_gcasv2_columns_that_touch(tmp_path):
    (tmp_path / "srf_20100615").write_text("MLO  20100615 72000  19.5300-155.5800 3402.00 391.500 1\n")
    stream = flask(tmp_path, format="gcasv2_surface", files=())
    with pytest.raises(InputError, match="line 1: not a surface record.*7 fields.*record_format"):
        read_streams([stream], START, END)
    stream = flask(tmp_path, format="gcasv2_surface", files=(), record_format="(A4,1X,I8,1X,I5,F9.4,F9.4,F8.2,F8.3,1X,I1)")
    assert read_streams([stream], START, END).lon.tolist() == [-155.58]


def write_obspack(path, **changes) -> None:
    """An ObsPack file with the real schema's variables and two kinds of fill."""
    n = 5
    numbers = {"time": 1276560000 + 3600 * np.arange(n), "value": np.array([390.0, 391.0, np.nan, 393.0, 394.0]) * 1e-6,
               "latitude": np.full(n, 45.95), "longitude": np.full(n, -90.27), "altitude": np.full(n, 868.0), **changes}
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.setncatts({"site_code": "LEF", "dataset_parameter": "co2", "dataset_calibration_scale": "WMO CO2 X2007"})
        for name, size in (("obs", n), ("string_of_10chars", 10), ("string_of_200chars", 200)):
            dataset.createDimension(name, size)
        for name, values in numbers.items():
            kind = "i4" if name == "time" else "f4"
            variable = dataset.createVariable(name, kind, ("obs",), fill_value=None if kind == "i4" else -1e34)
            variable.units = {"time": "seconds since 1970-01-01T00:00:00Z", "value": "mol mol-1"}.get(name, "m")
            variable[:] = values if kind == "i4" else np.nan_to_num(values, nan=-1e34)
        dataset.createVariable("obs_flag", "i4", ("obs",))[:] = [1, 1, 1, 0, 1]
        texts = {"qcflag": (["...", "N..", "...", "...", ".S."], 10), "obspack_id": ([f"pack~co2_lef~{i}" for i in range(n)], 200)}
        for name, (values, size) in texts.items():
            dataset.createVariable(name, "S1",
                                   ("obs", f"string_of_{size}chars"))[:] = netCDF4.stringtochar(np.array(values, dtype=f"S{size}"))


def test_obspack(tmp_path):
    write_obspack(tmp_path / "co2_lef_tower.nc")
    table = read_streams([flask(tmp_path, format="obspack", files=())], START, END)
    assert table.counts() == {MISSING: 1, REJECTED: 1} and table.scale == {"flask": "X2007"}
    np.testing.assert_allclose(table.value[table.used], [390.0, 393.0, 394.0], rtol=1e-6)
    assert table.identifier[0] == "co2_lef~0" and set(table.site) == {"LEF"}
    table = read_streams([flask(tmp_path, format="obspack", files=(), background_only=True)], START, END)
    assert table.counts() == {MISSING: 1, REJECTED: 1, LOCAL: 2}
