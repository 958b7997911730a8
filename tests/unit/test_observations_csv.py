"""Tables of sites: ICOS's files by their own names, others by a map of columns; times of every form; what is refused."""

import numpy as np
import pytest
from formats import csv_sites as made

from gcas_driver.errors import InputError
from gcas_driver.observations import SurfaceStream, check_streams, read_streams

PERIOD = (made.START, made.END)


def stream(directory, **changes) -> SurfaceStream:
    return SurfaceStream(**{"product": "sites", "directory": directory, "format": "csv", **changes})


def specimen(name: str, directory):
    return next(s for s in made.SPECIMENS if s.name == name).write(directory)


def test_icos(tmp_path):
    """Hours stamped at their start, flags O, U and R, height above the sea from ground and intake, scale and units of the header."""
    specimen("csv_icos", tmp_path)
    table = read_streams([stream(tmp_path)], *PERIOD)
    assert table.counts() == {"missing value": 1, "rejected by the provider's flag": 1} and table.scale == {"sites": "X2019"}
    assert table.time[0] == np.datetime64("2019-06-10T00:30", "s").astype(int) and set(table.altitude) == {185.0}
    used = table.select(table.used)
    np.testing.assert_allclose(used.value, 408.0 + 0.25 * np.delete(np.arange(24), [4, 6]), rtol=1e-9)
    assert len(read_streams([stream(tmp_path, local_hours=(11.0, 16.0))], *PERIOD)) == 5
    assert read_streams([stream(tmp_path, flags=("K",))], *PERIOD).used.sum() == 1


def test_a_map_of_columns(tmp_path):
    specimen("csv_by_map", tmp_path)
    table = read_streams([stream(tmp_path, columns=made.OTHER_MAP, flags=("ok",), time_stamp="middle")], *PERIOD)
    assert sorted(set(table.site)) == ["AAA", "BBB"] and table.counts() == {"missing value": 1, "rejected by the provider's flag": 1}
    assert table.time[0] == np.datetime64("2019-06-10T12:30", "s").astype(int)
    np.testing.assert_allclose(table.error, np.hypot(1.5, 0.12))


@pytest.mark.parametrize("name, text, changes", [
    ("decimal year", "2019.5", {"columns": ("decimal_year=t",)}), ("seconds", "1562068800", {"columns": ("seconds=t",)}),
    ("zone", "2019-07-02T14:00:00+02:00", {"columns": ("time=t",)}), ("blank", "2019-07-02 12:00", {"columns": ("time=t",)}),
    ("offset", "2019-07-03 00:00", {"columns": ("time=t",), "utc_offset_hours": 12.0})])
def test_times_of_every_form(tmp_path, name, text, changes):
    (tmp_path / "a.csv").write_text(f"t,co2,lat,lon,z\n{text},405.0,10.0,20.0,30.0\n")
    columns = (*changes.pop("columns"), "value=co2", "latitude=lat", "longitude=lon", "altitude=z", "site=:XYZ")
    table = read_streams([stream(tmp_path, columns=columns, time_stamp="middle", **changes)], np.datetime64("2019-06-01"),
                         np.datetime64("2019-08-01"))
    assert table.time.tolist() == [np.datetime64("2019-07-02T12:00", "s").astype(int)], name
    assert table.site.tolist() == ["XYZ"]


@pytest.mark.parametrize("columns, message", [
    (("wert=co2",), "not a column of a csv stream.*wert"), (("value=co2", "value=ch4"), "given twice"),
    (("value=co2",), "lacks.*latitude.*time"), (("value=x",), "no column x.*columns t, co2"),
    (("value=co2", "latitude=#BREITE"), "no header line BREITE")])
def test_maps_that_cannot_be(tmp_path, columns, message):
    (tmp_path / "a.csv").write_text("t,co2,lat,lon,z\n2019-07-02,405.0,10.0,20.0,30.0\n")
    with pytest.raises(InputError, match=message):
        read_streams([stream(tmp_path, columns=columns)], *PERIOD)
    problem, = check_streams([stream(tmp_path, columns=columns)], *PERIOD)
    assert problem.severity == "error"


def test_other_zones_are_refused_unless_told(tmp_path):
    path = specimen("csv_icos", tmp_path)
    path.write_text(path.read_text().replace("TIME ZONE: UTC", "TIME ZONE: CET"))
    with pytest.raises(InputError, match="times are not UTC.*cet.*utc_offset_hours"):
        read_streams([stream(tmp_path)], *PERIOD)
    assert read_streams([stream(tmp_path, utc_offset_hours=1.0)], *PERIOD).time[0] == np.datetime64("2019-06-09T23:30", "s").astype(int)


def test_clocks_that_disagree(tmp_path):
    path = specimen("csv_icos", tmp_path)
    path.write_text(path.read_text().replace(";2019;06;", ";2018;06;"))
    with pytest.raises(InputError, match="calendar and decimal year disagree"):
        read_streams([stream(tmp_path)], *PERIOD)
