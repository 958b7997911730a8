"""ObsPack in all dialects: the middle of what was averaged, selection, errors, flags of assimilation packs, moving platforms, laziness."""

import shutil

import netCDF4
import numpy as np
import pytest
from formats import noaa as noaa_files
from formats import obspack as made

from gcas_driver.errors import InputError
from gcas_driver.observations import SurfaceStream, check_streams, obspack, read_streams
from gcas_driver.observations.point_reading import _block_spans
from gcas_driver.observations.table import WITHHELD

PERIOD = (made.START, made.END)
HALF_HOUR = 1800.0


def stream(directory, **changes) -> SurfaceStream:
    return SurfaceStream(**{"product": "pack", "directory": directory, "format": "obspack", **changes})


def specimen(module, name: str, directory):
    return next(s for s in module.SPECIMENS if s.name == name).write(directory)


@pytest.mark.parametrize("name, files", [("obspack_2019", ()), ("obspack_text", ("*.txt",))])
def test_starts_become_middles(tmp_path, name, files):
    """Packs of 2019 stamp the start of the hour, in NetCDF and text alike; one value is missing, one rejected."""
    specimen(made, name, tmp_path)
    table = read_streams([stream(tmp_path, files=files)], *PERIOD)
    assert table.counts() == {"missing value": 1, "rejected by the provider's flag": 1} and table.scale == {"pack": "X2007"}
    assert set(table.site) == {"LEF"} and table.identifier[0].startswith("co2_lef_tower-insitu_1_allvalid-396magl~1000")
    good = np.delete(np.arange(made.N), 5)
    np.testing.assert_array_equal(table.time, made.times()[good] + HALF_HOUR)
    np.testing.assert_allclose(table.value, 1.0e6 * made.values()[good], rtol=1e-7)
    np.testing.assert_allclose(table.altitude, 868.0)


@pytest.mark.parametrize("changes, shift", [({"time_stamp": "middle"}, 0.0), ({"time_stamp": "end"}, -HALF_HOUR),
                                            ({"time_stamp": "start", "interval_minutes": 180.0}, 5400.0),
                                            ({"interval_minutes": 20.0}, 600.0)])
def test_stamps_may_be_set(tmp_path, changes, shift):
    specimen(made, "obspack_2019", tmp_path)
    table = read_streams([stream(tmp_path, **changes)], *PERIOD)
    assert table.time[0] - made.times()[0] == shift


def test_without_a_length_of_the_average_stamps_stay(tmp_path):
    made.write_2019(tmp_path / "co2_lef_tower-insitu_1_allvalid-396magl.nc", dataset_data_frequency="", dataset_data_frequency_unit="")
    assert read_streams([stream(tmp_path)], *PERIOD).time[0] == made.times()[0]


def test_version_8_stamps_the_middle(tmp_path):
    specimen(made, "obspack_v8", tmp_path)
    table = read_streams([stream(tmp_path)], *PERIOD)
    np.testing.assert_array_equal(table.time, np.delete(made.times(), 5) + HALF_HOUR)
    assert table.scale == {"pack": "X2019"} and set(table.site) == {"HTM"}
    np.testing.assert_allclose(table.error, np.hypot(1.5, 0.07), rtol=1e-6)


def test_flags_of_assimilation_packs(tmp_path):
    """CT_assim: 1 assimilated, 2 withheld, others rejected; CT_MDM is the whole error."""
    specimen(made, "obspack_v8", tmp_path)
    table = read_streams([stream(tmp_path, assimilation_flags=(1,), evaluation_flags=(2,), error_variable="CT_MDM")], *PERIOD)
    assert table.counts() == {"missing value": 1, WITHHELD: 2, "not to be assimilated by the pack's flag": 1}
    assert np.count_nonzero(table.used) == 5
    np.testing.assert_allclose(table.error, 2.5, rtol=1e-6)
    specimen(made, "obspack_2019", tmp_path)
    with pytest.raises(InputError, match="lef.*no assimilation flags"):
        read_streams([stream(tmp_path, files=("co2_lef*",), assimilation_flags=(1,))], *PERIOD)


def test_concerns(tmp_path):
    specimen(made, "obspack_2019", tmp_path)
    assert read_streams([stream(tmp_path, concerns=("any",))], *PERIOD).counts()["concern of the pack about assimilation"] == 3
    table = read_streams([stream(tmp_path, concerns=("Representivity",))], *PERIOD)
    assert table.counts()["concern of the pack about assimilation"] == 1
    with pytest.raises(InputError, match="unknown concern.*weather.*time window, representivity, variability"):
        read_streams([stream(tmp_path, concerns=("weather",))], *PERIOD)


def daily(directory, **changes) -> SurfaceStream:
    return stream(directory, files=("obspack_co2_*.nc",), error_variable="", **changes)


def test_daily_files_of_several_data_sets(tmp_path):
    """Told apart by obspack_id; the middle of the model's sample window; ships and aircraft carry their kind in the site's name."""
    specimen(made, "obspack_daily", tmp_path)
    table = read_streams([daily(tmp_path)], *PERIOD)
    assert sorted(set(table.site)) == ["CON_aircraft", "MLO", "POC_shipboard"] and len(table) == 8
    np.testing.assert_array_equal(table.time, np.datetime64("2010-06-07T00:30", "s").astype(int) + 7200 * np.arange(8))
    assert table.lon.min() >= -180.0 and table.lon[2] == pytest.approx(-179.9, abs=1e-4)


@pytest.mark.parametrize("changes, n", [({"projects": ("aircraft-*", "shipboard-*")}, 4), ({"projects": ("surface-flask",)}, 2),
                                        ({"selections": ("representative",)}, 4), ({"selections": ("all*",)}, 4), ({"sites": ("con",)}, 2),
                                        ({"sites": ("CON_aircraft",)}, 2), ({"sites": ("m*", "POC")}, 6),
                                        ({"altitudes_m": (3000.0, 4000.0)}, 4),
                                        ({"projects": ("surface-*",), "selections": ("representative",), "sites": ("MLO",)}, 2)])
def test_selection(tmp_path, changes, n):
    specimen(made, "obspack_daily", tmp_path)
    table = read_streams([daily(tmp_path, **changes)], *PERIOD)
    assert len(table) == n and table.n_read() == 8


def test_errors_by_site_data_set_project_and_file(tmp_path):
    specimen(made, "obspack_daily", tmp_path)
    (tmp_path / "errors.txt").write_text("# class errors\naircraft-*  2.5\nco2_mlo_surface-flask_1_representative, 0.9\nMLO 9\n")
    read = read_streams([daily(tmp_path, site_error_ppm={"poc": 1.2}, error_table=tmp_path / "errors.txt", error_ppm=3.0)], *PERIOD)
    by_row = dict(zip(read.identifier, read.error, strict=True))
    assert [round(by_row[f"{name[0]}~{500 + i}"], 6) for i, name in enumerate(made.DAILY)] == [9.0, 2.5, 1.2, 9.0]
    own = read_streams([stream(tmp_path, files=("obspack_co2_*.nc",), error_variable="CT_MDM", site_error_ppm={"POC": 7.0},
                               error_factor=2.0)], *PERIOD)
    np.testing.assert_allclose(own.error, [2.0, 2.5, 14.0, 3.5, 4.0, 4.5, 14.0, 5.5], rtol=1e-6)


@pytest.mark.parametrize("text, message", [("MLO\n", "not an entry.*line 1|line 1.*not an entry"), ("MLO 1.5e-6\n", "error out of range"),
                                           ("MLO 1\nmlo 2\n", "two entries"), ("# nothing\n", "is empty"), ("MLO x\n", "not an entry")])
def test_tables_of_errors_that_are_none(tmp_path, text, message):
    specimen(made, "obspack_daily", tmp_path)
    (tmp_path / "errors.txt").write_text(text)
    problem, = check_streams([daily(tmp_path, error_table=tmp_path / "errors.txt")], *PERIOD)
    assert problem.severity == "error"
    with pytest.raises(InputError, match=message):
        read_streams([daily(tmp_path, error_table=tmp_path / "errors.txt")], *PERIOD)


def test_table_of_errors_in_fixed_columns(tmp_path):
    specimen(made, "obspack_daily", tmp_path)
    (tmp_path / "errors.txt").write_text("MLO  1.25\nCON 12.50\n")
    table = read_streams([daily(tmp_path, error_table=tmp_path / "errors.txt", error_table_format="(A3,F6.2)")], *PERIOD)
    assert set(np.round(table.error[np.isin(table.site, ["MLO", "CON_aircraft"])], 6)) == {1.25, 12.5}


def write_flight(path, n: int) -> None:
    """A flight of one second a sample, eastward over the date line while it climbs."""
    file = made.Writer(path, "obs", n)
    file.put("time", "i4", np.datetime64("2010-06-10T01:00", "s").astype(int) + np.arange(n), made.TIME_UNITS, comment=made.AT_START)
    file.put("value", "f4", 1.0e-6 * (390.0 + 0.001 * np.arange(n)), "mol mol-1", -1.0e34)
    file.put("latitude", "f4", 10.0 + 1.0e-3 * np.arange(n), "degrees_north", -1.0e34)
    lon = 179.0 + 2.0e-3 * np.arange(n)
    file.put("longitude", "f4", np.where(lon > 180.0, lon - 360.0, lon), "degrees_east", -1.0e34)
    file.put("altitude", "f4", 2000.0 + 5.0 * np.arange(n), "m", -1.0e34)
    file.text("obspack_id", 200, [f"pack~{path.stem}~{i}" for i in range(n)])
    file.attributes(**made.lef(site_code="CON", site_latitude="-1e+34", site_longitude="-1e+34", dataset_name=path.stem,
                               dataset_project="aircraft-insitu", dataset_platform="aircraft", dataset_selection_tag="allvalid"))
    file.data.close()


def test_fast_samples_of_an_aircraft_are_averaged(tmp_path):
    """1 Hz over ten minutes becomes means of a minute, a cell or a layer; places over the date line; the error is a sample's, not less."""
    write_flight(tmp_path / "co2_con_aircraft-insitu_42_allvalid.nc", 600)
    every = read_streams([stream(tmp_path)], *PERIOD)
    assert len(every) == 600 and every.counts() == {}
    minutes = read_streams([stream(tmp_path, average_minutes=1.0)], *PERIOD)
    assert len(minutes) == 10 and minutes.counts() == {"averaged with neighbours in time or place": 590}
    np.testing.assert_allclose(minutes.value, 390.0 + 0.001 * (29.5 + 60.0 * np.arange(10)), atol=1e-4)
    np.testing.assert_allclose(minutes.altitude, 2000.0 + 5.0 * (29.5 + 60.0 * np.arange(10)), atol=0.01)
    np.testing.assert_allclose((minutes.lon - 179.0) % 360.0, 2.0e-3 * (29.5 + 60.0 * np.arange(10)), atol=1e-4)
    np.testing.assert_allclose(minutes.error, 1.5)
    assert set(minutes.site) == {"CON_aircraft"}
    assert len(read_streams([stream(tmp_path, average_degrees=1.0)], *PERIOD)) == 2
    assert len(read_streams([stream(tmp_path, average_metres=1000.0)], *PERIOD)) == 3
    assert len(read_streams([stream(tmp_path, average_minutes=5.0, average_metres=1000.0)], *PERIOD)) == 4


def test_latitude_and_longitude_that_changed_places_are_found(tmp_path):
    path = specimen(made, "obspack_v8", tmp_path)
    with netCDF4.Dataset(path, "a") as data:
        data.renameVariable("latitude", "x")
        data.renameVariable("longitude", "latitude")
        data.renameVariable("x", "longitude")
    problem, = check_streams([stream(tmp_path)], *PERIOD)
    assert problem.severity == "error" and "places are not near the site" in problem.what and "co2_htm" in problem.where


def test_files_beyond_the_window_are_not_read_again(tmp_path, monkeypatch):
    """Every file is looked at once in a run; a window opens only those that reach into it."""
    for i, site in enumerate(("aaa", "bbb", "ccc")):
        made.write_2019(tmp_path / f"co2_{site}_surface-flask_1_representative.nc", n_change=1.0e-6 * i, site_code=site.upper(),
                        dataset_name=f"co2_{site}_surface-flask_1_representative")
    _block_spans.cache_clear()
    opened = []
    real = obspack.open_records
    monkeypatch.setattr(obspack, "open_records", lambda path, *rest: opened.append(path.name) or real(path, *rest))
    windows = [(np.datetime64("2010-06-01"), np.datetime64("2010-06-08")), (np.datetime64("2012-01-01"), np.datetime64("2012-01-08")),
               (np.datetime64("2010-06-08"), np.datetime64("2010-06-15"))]
    numbers = [len(read_streams([stream(tmp_path)], *window)) for window in windows]
    assert numbers == [9, 0, 6] and len(opened) == 6
    assert _block_spans.cache_info().misses == 3


def test_text_is_read_a_block_at_a_time(tmp_path, monkeypatch):
    from gcas_driver.observations import text_records
    monkeypatch.setattr(text_records, "BLOCK_LINES", 2)
    text_records.index_text.cache_clear()
    specimen(made, "obspack_text", tmp_path)
    start = np.datetime64(int(made.times()[3]), "s")
    table = read_streams([stream(tmp_path, files=("*.txt",))], start, start + np.timedelta64(1, "D"))
    assert len(table) == 1 and table.value[0] == pytest.approx(1.0e6 * made.values()[3], rel=1e-7)
    index = text_records.index_text(next(tmp_path.glob("*.txt")))
    assert len(index.blocks) == 5
    first = float(start.astype(int))
    assert len(text_records.lines_between(index.path, index.blocks, index.spans, first, first + 86400.0)) == 2


@pytest.mark.needs_real_data
def test_a_real_file_as_if_it_were_of_co2(real_data, tmp_path):
    """The methane file of a pack of 2020 in its real layout; only its gas and its numbers are made CO2's."""
    path = tmp_path / "co2_esp_surface-flask_2_representative.nc"
    shutil.copyfile(real_data / "noaa" / "ch4_esp_surface-flask_2_representative.nc", path)
    path.chmod(0o644)
    with netCDF4.Dataset(path, "a") as data:
        data.setncatts({"dataset_parameter": "co2", "dataset_name": path.stem, "dataset_calibration_scale": "WMO CO2 X2007"})
        data["value"][:] = 200.0 * data["value"][:]
        time, value = np.asarray(data["time"][:]), 1.0e6 * np.asarray(data["value"][:], dtype=np.float64)
        altitude = np.asarray(data["altitude"][:], dtype=np.float64)
    table = read_streams([stream(tmp_path)], np.datetime64("1990-01-01"), np.datetime64("2010-01-01"))
    assert len(table) == 109 and table.counts() == {} and set(table.site) == {"ESP"} and table.scale == {"pack": "X2007"}
    np.testing.assert_array_equal(table.time, time)
    np.testing.assert_allclose(table.value, value, rtol=1e-6)
    np.testing.assert_allclose(table.altitude, altitude)
    assert table.identifier[0] == "ch4_esp_surface-flask_2_representative~3098927"
    assert check_streams([stream(tmp_path, selections=("representative",), projects=("surface-flask",))], np.datetime64("1995-01-01"),
                         np.datetime64("1996-01-01")) == []


def test_every_bad_file_is_named(tmp_path):
    specimen(made, "obspack_2019", tmp_path)
    for name, content in (("co2_a.nc", b""), ("co2_b.nc", b"\x89HDF\r\n\x1a\n" + bytes(50)), ("co2_c.nc", b"# header_lines : 1\n")):
        (tmp_path / name).write_bytes(content)
    problems = check_streams([stream(tmp_path)], *PERIOD)
    assert [problem.severity for problem in problems] == ["error"] * 3
    assert all(name in problem.where for name, problem in zip(("co2_a.nc", "co2_b.nc", "co2_c.nc"), problems, strict=True))


def test_the_flags_of_other_providers_by_list(tmp_path):
    specimen(made, "obspack_v8", tmp_path)
    assert read_streams([stream(tmp_path, flags=("U", "O"))], *PERIOD).used.all()
    assert read_streams([stream(tmp_path, flags=("U",))], *PERIOD).counts()["rejected by the provider's flag"] == 8


def test_noaa_hours_and_netcdf(tmp_path):
    """NOAA's own hourly text gives its midpoints; its NetCDF is micromol mol-1, though it looks like ObsPack's."""
    specimen(noaa_files, "noaa_hourly", tmp_path)
    hours = stream(tmp_path, format="noaa_flask", files=("*Hourly*",))
    table = read_streams([hours], *PERIOD)
    assert table.counts() == {"missing value": 1} and table.scale == {"pack": "X2019"} and (table.time % 3600 == 1800).all()
    background = read_streams([SurfaceStream("p", tmp_path, "noaa_flask", files=("*Hourly*",), background_only=True)], *PERIOD)
    assert background.counts()["not background by the provider's flag"] == 1
    specimen(noaa_files, "noaa_event_netcdf", tmp_path)
    events = read_streams([stream(tmp_path, format="noaa_flask", files=("*_Event.nc",))], *PERIOD)
    np.testing.assert_allclose(events.value, [v for _, _, v, _ in noaa_files.FLASKS if v > 0], rtol=1e-6)
    assert events.identifier[0] == "MLO:300000" and set(events.site) == {"MLO"}


def test_a_window_of_one_odd_record_does_not_end_a_run(tmp_path):
    """One record is far from its site, too high, and no CO2: alone in its window it is dropped; a file of such is refused."""
    path = tmp_path / "co2_lef_tower-insitu_1_allvalid-396magl.nc"
    made.write_2019(path)
    with netCDF4.Dataset(path, "a") as data:
        for name, number in (("latitude", -10.0), ("altitude", 5000.0), ("value", 1.9e-3)):
            data[name][3] = number
    day = np.datetime64(int(made.times()[3]), "s").astype("datetime64[D]")
    table = read_streams([stream(tmp_path)], day, day + 1)
    assert len(table) == 0 and table.n_read() == 1
    assert len(read_streams([stream(tmp_path)], *PERIOD)) == 7
    with netCDF4.Dataset(path, "a") as data:
        data["altitude"][:] = 5000.0
    with pytest.raises(InputError, match="altitude is not ground and intake together"):
        read_streams([stream(tmp_path)], day, day + 1)
