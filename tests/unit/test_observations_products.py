"""Every satellite product in every dialect: right numbers, selection, errors, bias, scale; each fault a named error."""

import dataclasses

import netCDF4
import numpy as np
import pytest
from formats import columns_mapped, lite, mip
from formats.reading import rows
from formats.sounding_numbers import make_soundings, take

from gcas_driver.errors import InputError
from gcas_driver.observations import check_streams, look_worker, read_streams
from gcas_driver.observations.table import WITHHELD

DAY = lite.DAY


def read_lite(directory, dialect, **changes):
    return read_streams([lite.stream_of(directory, dialect, **changes)], DAY, DAY + 1)


def write_day(directory, dialect, s):
    return lite.write_lite(directory / lite.DIALECTS[dialect].name(), s, dialect)


def same_numbers(table, s, error=None):
    """The table, unaveraged, holds the soundings' numbers."""
    form, order = rows(table), np.argsort(s.time, kind="stable")
    s, place = take(s, order), np.argsort(table.time, kind="stable")
    expected = {"time": s.time, "lon": s.lon, "lat": s.lat, "value": s.xco2, "error": s.error if error is None else error[order],
                "retrieval_pressure": 100.0 * s.pressure, "pressure_weight": s.weight, "averaging_kernel": s.kernel,
                "prior_profile": 1.0e-6 * s.prior, "prior_xco2": s.prior_xco2}
    for name, values in expected.items():
        np.testing.assert_allclose(form[name][place], values, rtol=3e-6, atol=2e-5 if name != "prior_profile" else 0.0, err_msg=name)


@pytest.mark.parametrize("dialect", lite.DIALECTS)
def test_lite_dialects(tmp_path, dialect):
    s = make_soundings(30, str(DAY))
    write_day(tmp_path, dialect, s)
    table = read_lite(tmp_path, dialect)
    same_numbers(table, s)
    assert table.scale[dialect] == lite.DIALECTS[dialect].scale
    assert len(table.identifier[0]) == 16 and table.identifier[0].startswith("20160404")
    assert check_streams([lite.stream_of(tmp_path, dialect)], DAY, DAY + 1) == []


def test_defaults_are_the_products(tmp_path):
    factor = {"acos_lite": 1.9, "oco2_lite": 3.5, "oco3_lite": 3.5, "oco2_mip": 1.0, "gcasv2_satellite": 1.9, "mapped": 1.0}
    for product, value in factor.items():
        assert lite.SatelliteStream("a", tmp_path, product).error_factor == value
    assert lite.SatelliteStream("a", tmp_path, "oco2_mip").error_variables == ("model_error",)
    assert lite.SatelliteStream("a", tmp_path, "oco2_mip", error_factor=2.0, error_variables=()).error_variables == ()


def test_a_stream_of_one_instrument_refuses_files_of_another(tmp_path):
    path = write_day(tmp_path, "oco3_lite_v11", make_soundings(5, str(DAY)))
    path.rename(tmp_path / lite.DIALECTS["oco2_lite_v11"].name())
    with pytest.raises(InputError, match="another instrument.*OCO-3.*oco2_lite.*'oco3_lite' reads"):
        read_lite(tmp_path, "oco2_lite_v11")


@pytest.mark.parametrize("name, scale", [("oco2_LtCO2_160404_B7000rb_COoffline.nc4", "X2007"),
                                         ("oco2_LtCO2_160404_B10206Ar_2.nc4", "X2007"), ("oco2_LtCO2_160404_B11014Ar_2.nc4", "unknown")])
def test_the_build_in_a_files_name_tells_the_scale_too(tmp_path, name, scale):
    path = write_day(tmp_path, "oco2_lite_v10r", make_soundings(4, str(DAY)))
    with netCDF4.Dataset(path, "a") as dataset:
        dataset.delncattr("BuildId")
        dataset.Platform = "OCO2"
    path.rename(tmp_path / name)
    assert read_lite(tmp_path, "oco2_lite_v10r").scale == {"oco2_lite_v10r": scale}


def test_modes_and_surfaces(tmp_path):
    s = make_soundings(50, str(DAY))
    s.mode = np.random.default_rng(1).integers(0, 5, 50)
    write_day(tmp_path, "oco3_lite_v11", s)
    for number, name in enumerate(("nadir", "glint", "target", "transition", "sam")):
        assert len(read_lite(tmp_path, "oco3_lite_v11", modes=(name,))) == np.count_nonzero(s.mode == number)
    assert len(read_lite(tmp_path, "oco3_lite_v11", surface="ocean")) == np.count_nonzero(s.mode == 1)
    assert len(read_lite(tmp_path, "oco3_lite_v11", surface="land", modes=("sam",))) == np.count_nonzero(s.mode == 4)
    with pytest.raises(InputError, match="modes that this product has not.*nadr"):
        read_lite(tmp_path, "oco3_lite_v11", modes=("nadr",))
    with pytest.raises(InputError, match="outcome_flags.*has no outcome flag"):
        read_lite(tmp_path, "oco3_lite_v11", outcome_flags=(1,))


def test_outcome_flags(tmp_path):
    path = write_day(tmp_path, "oco2_lite_v7r", make_soundings(6, str(DAY)))
    with netCDF4.Dataset(path, "a") as dataset:
        dataset.createVariable("Retrieval/outcome_flag", "i1", ("sounding_id",))[:] = [1, 1, 2, 3, 4, 1]
    table = read_lite(tmp_path, "oco2_lite_v7r", outcome_flags=(1, 2))
    assert len(table) == 4 and table.counts() == {"outcome flag not wanted": 2}


def test_extra_screening(tmp_path):
    s = make_soundings(40, str(DAY))
    s.error[:3] = 5e-4
    write_day(tmp_path, "oco2_lite_v10r", s)
    assert len(read_lite(tmp_path, "oco2_lite_v10r")) == 40
    assert read_lite(tmp_path, "oco2_lite_v10r", minimum_uncertainty_ppm=1e-3).counts() == {"uncertainty below 0.001 ppm": 3}
    low = (s.mode == 1) & (s.solar_zenith + s.sensor_zenith > 80.0)  # glint is over the sea in the generator
    table = read_lite(tmp_path, "oco2_lite_v10r", glint_zenith_sum=80.0)
    assert 0 < np.count_nonzero(low) == sum(table.counts().values()) < 40 == len(table) + np.count_nonzero(low)


def test_errors(tmp_path):
    s = make_soundings(20, str(DAY))
    write_day(tmp_path, "oco2_lite_v10r", s)
    table = read_lite(tmp_path, "oco2_lite_v10r", error_factor=2.0, sounding_floor_ppm=1.5)
    same_numbers(table, s, np.maximum(2.0 * s.error, 1.5))
    with netCDF4.Dataset(tmp_path / lite.DIALECTS["oco2_lite_v10r"].name(), "a") as dataset:
        variable = dataset.createVariable("representation", "f4", ("sounding_id",))
        variable.units, variable[:] = "ppm", 0.7
    same_numbers(read_lite(tmp_path, "oco2_lite_v10r", error_factor=2.0, error_variables=("representation",)), s,
                 np.hypot(2.0 * s.error, 0.7))
    with pytest.raises(InputError, match="no variable model_eror"):
        read_lite(tmp_path, "oco2_lite_v10r", error_variables=("model_eror",))


def test_the_floor_of_a_sounding_acts_before_averaging(tmp_path):
    s = make_soundings(2, str(DAY))
    s.time[1], s.lon[:], s.lat[:], s.error[:] = s.time[0] + 1.0, 10.2, 20.2, (0.2, 2.0)
    write_day(tmp_path, "oco2_lite_v10r", s)
    table = read_lite(tmp_path, "oco2_lite_v10r", cell_degrees=1.0, sounding_floor_ppm=1.0)
    np.testing.assert_allclose(table.error, [1.5], rtol=1e-6)


def test_bias_terms(tmp_path):
    s = make_soundings(20, str(DAY))
    write_day(tmp_path, "oco2_lite_v10r", s)
    terms = {"bias_variables": ("Retrieval/dp", "latitude"), "bias_slopes": (0.3, -0.01), "bias_means": (0.5, 10.0)}
    table = read_lite(tmp_path, "oco2_lite_v10r", **terms)
    same_numbers(table, dataclasses.replace(s, xco2=s.xco2 - 0.3 * (s.dp - 0.5) + 0.01 * (s.lat - 10.0)))
    with pytest.raises(InputError, match="no variable Retrieval/dpp"):
        read_lite(tmp_path, "oco2_lite_v10r", **{**terms, "bias_variables": ("Retrieval/dpp", "latitude")})


def test_scales(tmp_path):
    s = make_soundings(5, str(DAY))
    write_day(tmp_path, "oco2_lite_v112", s)
    stated = read_lite(tmp_path, "oco2_lite_v112", value_variable="xco2_x2019")
    converted = read_lite(tmp_path, "oco2_lite_v112", convert_scale="X2019")
    assert stated.scale == converted.scale == {"oco2_lite_v112": "X2019"}
    np.testing.assert_allclose(stated.value, converted.value, atol=1e-4)
    again = read_lite(tmp_path, "oco2_lite_v112", value_variable="xco2_x2019", convert_scale="X2019")
    assert np.array_equal(again.value, stated.value), "what is on the scale stays"
    back = read_lite(tmp_path, "oco2_lite_v112", value_variable="xco2_x2019", convert_scale="X2007")
    np.testing.assert_allclose(np.sort(back.value), np.sort(s.xco2), atol=1e-4)
    with pytest.raises(InputError, match="not that of the file.*says X2007.*convert_scale"):
        read_lite(tmp_path, "oco2_lite_v112", scale="X2019")
    with pytest.raises(InputError, match="converted to X2019 twice"):
        read_lite(tmp_path, "oco2_lite_v112", value_variable="xco2_x2019", value_factor=1.00079, value_offset_ppm=-0.142)


def test_two_scales_or_levels_in_one_stream_are_told_with_files(tmp_path):
    for day, dialect in ((DAY, "oco2_lite_v10r"), (DAY + 1, "oco2_lite_v112")):
        lite.write_lite(tmp_path / lite.DIALECTS[dialect].name(day), make_soundings(5, str(day)), dialect, comment="")
    stream = lite.stream_of(tmp_path, "oco2_lite_v10r")
    problem, = check_streams([stream], DAY, DAY + 2)
    assert problem.severity == "error" and "calibration scales" in problem.what
    assert "X2007 in oco2_LtCO2_160404" in problem.found and "unknown in oco2_LtCO2_160405" in problem.found
    with pytest.raises(InputError, match="on two calibration scales"):
        read_streams([stream], DAY, DAY + 2)


def test_times_of_another_day_or_identifier(tmp_path):
    s = make_soundings(20, str(DAY))
    path = write_day(tmp_path, "oco2_lite_v10r", s)
    s.time[4] += 30 * 86400.0
    write_day(tmp_path, "oco2_lite_v10r", s)
    table = read_lite(tmp_path, "oco2_lite_v10r")
    assert len(table) == 19 and table.counts() == {"time is not of the file's day": 1}
    with netCDF4.Dataset(path, "a") as dataset:
        dataset["time"].units = "seconds since 1993-01-01 00:00:00"
    with pytest.raises(InputError, match="not those of the day in the file's name.*2039"):
        read_lite(tmp_path, "oco2_lite_v10r")


def test_swapped_coordinates(tmp_path):
    s = make_soundings(40, str(DAY))
    s.lon, s.lat = s.lat, s.lon
    write_day(tmp_path, "oco2_lite_v10r", s)
    with pytest.raises(InputError, match="latitudes and longitudes are not what their names say"):
        read_lite(tmp_path, "oco2_lite_v10r")


@pytest.mark.parametrize("layout", ["tansat", "gosat"])
def test_many_files_are_looked_at_by_two_processes(tmp_path, layout, monkeypatch):
    """With the same findings, in the order of the files: each bad file by its name."""
    monkeypatch.setattr(look_worker, "MANY", 4)
    days = np.arange(DAY, DAY + 9)
    for day in days:
        s = make_soundings(3, str(day))
        if layout == "gosat":
            lite.write_lite(tmp_path / lite.DIALECTS["gosat_lite_v73"].name(day), s, "gosat_lite_v73")
        else:
            columns_mapped.write_mapped(tmp_path / f"TanSat_XCO2_{str(day).replace('-', '')}.h5", s, layout)
    stream = lite.stream_of(tmp_path, "gosat_lite_v73") if layout == "gosat" else columns_mapped.stream_of(tmp_path, layout)
    assert check_streams([stream], DAY, DAY + 9) == []
    paths = sorted(tmp_path.iterdir())
    for path in (paths[2], paths[5], paths[8]):
        path.write_bytes(path.read_bytes()[:3000])
    problems = check_streams([stream], DAY, DAY + 9)
    assert [problem.where for problem in problems] == [str(paths[i]) for i in (2, 5, 8)]
    monkeypatch.setattr(look_worker, "MANY", 100)
    assert check_streams([stream], DAY, DAY + 9) == problems


def test_an_empty_day(tmp_path):
    for dialect in ("gosat_lite_v73", "oco2_lite_v10r"):
        write_day(tmp_path, dialect, make_soundings(0, str(DAY)))
        assert len(read_lite(tmp_path, dialect, cell_degrees=1.0)) == 0


# 10-second averages

def read_mip(directory, dialect, start=mip.START, end=mip.END, **changes):
    return read_streams([mip.stream_of(directory, dialect, **changes)], start, end)


@pytest.mark.parametrize("dialect", mip.DIALECTS)
def test_mip_dialects(tmp_path, dialect):
    s, a = mip.make_averages(60)
    s.time[[3, 17]] = np.nan
    mip.write_mip(tmp_path / mip.DIALECTS[dialect].file, s, a, dialect)
    table = read_mip(tmp_path, dialect)
    good = np.isfinite(s.time) & (a.flag == 1)
    assert table.n_read() == 60 and table.counts()["no time"] == 2
    assert (np.diff(table.time) >= 0).all(), "in order of time, which the file is not"
    s.pressure = s.pressure[:, -1:] * (s.pressure[0] / s.pressure[0, -1])
    same_numbers(table, take(s, good), np.hypot(s.error, a.model_error)[good])
    assert table.scale[dialect] == "X2007"
    assert check_streams([mip.stream_of(tmp_path, dialect)], mip.START, mip.END) == []
    parts = [read_mip(tmp_path, dialect, day, day + 1) for day in np.arange(mip.START, mip.END)]
    assert sum(map(len, parts)) == len(table), "windows part the file"


def test_mip_modes_flags_and_scale(tmp_path):
    s, a = mip.make_averages(80)
    mip.write_mip(tmp_path / mip.DIALECTS["oco2_mip_v11"].file, s, a, "oco2_mip_v11")
    read = lambda **changes: read_mip(tmp_path, "oco2_mip_v11", **changes)  # noqa: E731
    assert len(read(modes=("LN", "lg"))) == np.count_nonzero((a.flag == 1) & (a.kind <= 2))
    assert len(read(surface="ocean", quality_flag=-1)) == np.count_nonzero(a.kind >= 5)
    table = read(withheld_flag=2)
    assert np.count_nonzero(table.reason == WITHHELD) == np.count_nonzero(a.flag == 2)
    assert np.count_nonzero(table.used) == np.count_nonzero(a.flag == 1)
    table = read(withheld_flag=2, quality_flag=-1)
    assert len(table) == 80 and np.array_equal(table.used, table.reason != WITHHELD)
    assert np.count_nonzero(~table.used) == np.count_nonzero(a.flag == 2)
    assert read(value_variable="xco2_2019_scale").scale == {"oco2_mip_v11": "X2019"}
    plain = read(error_variables=())
    np.testing.assert_allclose(np.sort(plain.error), np.sort(s.error[a.flag == 1]), rtol=1e-6)


def test_mip_two_versions(tmp_path):
    s, a = mip.make_averages(10)
    for dialect in ("oco2_mip_v10", "oco3_mip_v11"):
        mip.write_mip(tmp_path / mip.DIALECTS[dialect].file, s, a, dialect)
    with pytest.raises(InputError, match="more than one file of the whole period"):
        read_mip(tmp_path, "oco2_mip_v10")
    assert read_mip(tmp_path, "oco2_mip_v10", file_pattern="OCO2_b10c*").n_read() == 10
    with pytest.raises(InputError, match="no file matches"):
        read_mip(tmp_path, "oco2_mip_v10", file_pattern="OCO2_b9*")


def test_mip_modes_that_contradict_each_other(tmp_path):
    s, a = mip.make_averages(40)
    path = mip.write_mip(tmp_path / mip.DIALECTS["oco2_mip_v10"].file, s, a, "oco2_mip_v10")
    with netCDF4.Dataset(path, "a") as dataset:
        dataset["data_type"][:] = 9 - a.kind
    with pytest.raises(InputError, match="last digit of sounding_id and data_type"):
        read_mip(tmp_path, "oco2_mip_v10")


# anything else, by a map

def read_mapped(directory, layout, **changes):
    return read_streams([columns_mapped.stream_of(directory, layout, **changes)], columns_mapped.DAY, columns_mapped.DAY + 1)


@pytest.mark.parametrize("layout", columns_mapped.MAPS)
def test_mapped_layouts(tmp_path, layout):
    s = make_soundings(30, str(columns_mapped.DAY))
    s.pressure = s.pressure[:, -1:] * (s.pressure[0] / s.pressure[0, -1])
    if layout != "layers":
        s.quality[:4] = 1
    columns_mapped.write_mapped(columns_mapped.file_of(tmp_path, layout), s, layout)
    table = read_mapped(tmp_path, layout)
    s.time = np.round(s.time, 3)
    good = take(s, s.quality == 0)
    if layout == "texts":  # weights are made of the pressures: compared by hand, they differ from ACOS's a little
        edges = np.concatenate([good.pressure[:, :1], 0.5 * (good.pressure[:, 1:] + good.pressure[:, :-1]), good.pressure[:, -1:]], axis=1)
        good.weight = np.diff(edges, axis=1) / (edges[:, -1:] - edges[:, :1])
        good.prior_xco2 = (good.weight * good.prior).sum(axis=1)
    same_numbers(table, good)
    assert check_streams([columns_mapped.stream_of(tmp_path, layout)], columns_mapped.DAY, columns_mapped.DAY + 1) == []


def test_a_bad_first_sounding_does_not_spoil_the_others(tmp_path):
    s = make_soundings(8, str(columns_mapped.DAY))
    s.prior[0, 3] = np.nan
    columns_mapped.write_mapped(columns_mapped.file_of(tmp_path, "texts"), s, "texts")
    table = read_mapped(tmp_path, "texts", cell_degrees=1.0)
    assert table.counts() == {"missing operator data": 1} and np.isfinite(table.operators["texts"].prior_xco2).all()


def test_mapped_selection(tmp_path):
    s = make_soundings(30, str(columns_mapped.DAY))
    columns_mapped.write_mapped(columns_mapped.file_of(tmp_path, "tansat"), s, "tansat")
    assert len(read_mapped(tmp_path, "tansat", surface="ocean")) == np.count_nonzero(s.mode == 1)
    assert len(read_mapped(tmp_path, "tansat", modes=("0",))) == np.count_nonzero(s.mode == 0)
    low = (s.mode == 1) & (s.solar_zenith + s.sensor_zenith > 80.0)
    assert len(read_mapped(tmp_path, "tansat", glint_zenith_sum=80.0)) == 30 - np.count_nonzero(low)
    other = columns_mapped.map_of("tansat", latitude="Sounding/latitude")
    with pytest.raises(InputError, match="no variable Sounding/latitude.*Sounding/lat"):
        read_mapped(tmp_path, "tansat", column_map=other)
    other = columns_mapped.map_of("tansat", level_order="top_first")
    assert len(read_mapped(tmp_path, "tansat", column_map=other)) > 0, "an order that is given is taken"
