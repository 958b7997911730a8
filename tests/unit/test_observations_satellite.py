"""Readers of satellite files: layouts, units, level order, screening and averaging; each fault a named error."""

import dataclasses
import time

import netCDF4
import numpy as np
import pytest
from formats.gcasv2_satellite import write_gcasv2_satellite
from formats.lite import write_lite
from formats.sounding_numbers import Soundings, make_soundings, take
from hypothesis import given, settings
from hypothesis import strategies as st

from gcas_driver.errors import InputError
from gcas_driver.observations import SatelliteStream, check_streams, read_streams, soundings, xco2_operator
from gcas_driver.observations.column_source import ColumnSource
from gcas_driver.observations.files import days_of, pattern_of_day
from gcas_driver.observations.soundings import to_observations
from gcas_driver.observations.table import WITHHELD

START, END = np.datetime64("2010-06-15"), np.datetime64("2010-06-16")
LITE = "acos_LtCO2_100615_v201202_B7310A_161107201902s.nc4"


def lite(directory, **changes) -> SatelliteStream:
    return SatelliteStream(**{"product": "gosat", "directory": directory, "cell_degrees": 0.0, **changes})


def gcasv2(directory, **changes) -> SatelliteStream:
    return lite(directory, **{"product": "oco2", "format": "gcasv2_satellite", **changes})


def same_numbers(table, s) -> None:
    order = np.argsort(table.time)
    operator = table.operators[table.product[0]].take(table.operator_row[order])
    for found, expected in ((table.time[order], s.time), (table.lon[order], s.lon), (table.lat[order], s.lat), (table.value[order], s.xco2),
                            (table.error[order], 1.9 * s.error), (operator.retrieval_pressure, 100.0 * s.pressure),
                            (operator.pressure_weight, s.weight), (operator.averaging_kernel, s.kernel),
                            (operator.prior_profile, 1.0e-6 * s.prior), (operator.prior_xco2, s.prior_xco2)):
        np.testing.assert_allclose(found, expected, rtol=3e-6, atol=2e-5)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("dialect", ["gosat_lite_v73", "oco2_lite_v10r"])
def test_lite_numbers(tmp_path, flip, dialect):
    s = make_soundings(40)
    write_lite(tmp_path / LITE, s, dialect, flip=flip)
    table = read_streams([lite(tmp_path)], START, END)
    assert len(table) == 40 and table.used.all() and set(table.kind) == {"column"} and np.isnan(table.altitude).all()
    assert table.scale["gosat"] == "X2007", "builds before 11"
    same_numbers(table, s)


@pytest.mark.parametrize("flip", [False, True])
def test_gcasv2_numbers(tmp_path, flip):
    s = make_soundings(40)
    write_gcasv2_satellite(tmp_path / "oco2_v11_20100615.nc", s, flip=flip)
    table = read_streams([gcasv2(tmp_path, scale="X2019")], START, END)
    assert len(table) == 40 and table.scale["oco2"] == "X2019"
    assert table.lon.min() < 0.0 and len(set(table.identifier)) == 40
    s.time = np.round(s.time, 1)
    np.testing.assert_allclose(np.sort(table.time), s.time, atol=0.1)  # hours in single precision
    same_numbers(dataclasses.replace(table, time=s.time[np.argsort(np.argsort(table.time))]), s)


@pytest.mark.parametrize("writer, stream, name", [(write_lite, lite, LITE), (write_gcasv2_satellite, gcasv2, "oco2_v11_20100615.nc")])
def test_missing_numbers_are_dropped_and_counted(tmp_path, writer, stream, name):
    s = make_soundings(30)
    s.xco2[0], s.xco2[1], s.error[2], s.lat[3], s.prior[4, 7] = np.nan, 9.9e2, 0.0, np.nan, np.nan
    s.kernel[5, 0], s.weight[6] = 2.0e31, 3.0 * s.weight[6]
    s.lat[8], s.kernel[9, 3], s.prior_xco2[10], s.error[11] = 95.0, 55.0, 280.0, 900.0
    s.pressure[7, 3], s.pressure[7, 4] = s.pressure[7, 4], s.pressure[7, 3]
    writer(tmp_path / name, s)
    table = read_streams([stream(tmp_path)], START, END)
    assert len(table) == 18 and table.n_read() == 30
    assert table.counts() == {"missing value": 1, "value not between 250 and 700 ppm": 1, "missing or non-positive uncertainty": 1,
                              "uncertainty of 50 ppm or more": 1,
                              "missing or impossible place": 2, "missing operator data": 2,
                              "pressure weights do not sum to one": 1, "retrieval pressures not in order": 1,
                              "averaging kernel above 10": 1, "prior XCO2 is not that of the prior profile": 1}
    for name in ("time", "lon", "lat", "value", "error"):
        assert np.isfinite(getattr(table, name)).all()
    for array in vars(table.operators[table.product[0]]).values():
        assert np.isfinite(array).all()


def test_quality_flag_is_a_setting(tmp_path):
    s = make_soundings(10)
    s.quality[:4] = 1
    write_lite(tmp_path / LITE, s)
    assert len(read_streams([lite(tmp_path)], START, END)) == 6
    assert read_streams([lite(tmp_path)], START, END).counts() == {"quality flag is not 0": 4}
    assert len(read_streams([lite(tmp_path, quality_flag=1)], START, END)) == 4
    assert len(read_streams([lite(tmp_path, quality_flag=-1)], START, END)) == 10


def test_names_that_differ_between_versions(tmp_path):
    s = make_soundings(5)
    write_lite(tmp_path / LITE, s, "gosat_lite_v9r", rename={"pressure_weight": "pressure_weights"})
    same_numbers(read_streams([lite(tmp_path)], START, END), s)


def test_scale_comes_from_the_file_or_the_setting(tmp_path):
    write_lite(tmp_path / LITE, make_soundings(5), "oco2_lite_v112")
    assert read_streams([lite(tmp_path)], START, END).scale == {"gosat": "X2007"}
    changed = lite(tmp_path, value_factor=1.00079, value_offset_ppm=-0.142)
    assert read_streams([changed], START, END).scale == {"gosat": "unknown"}, "a changed value is on no scale the file knows"
    changed = dataclasses.replace(changed, scale="X2019")
    table, plain = read_streams([changed], START, END), read_streams([lite(tmp_path)], START, END)
    assert table.scale == {"gosat": "X2019"}
    np.testing.assert_allclose(table.value, 1.00079 * plain.value - 0.142, rtol=1e-14)


def test_modes(tmp_path):
    s = make_soundings(30)
    write_lite(tmp_path / LITE, s, "oco2_lite_v9r")
    assert len(read_streams([lite(tmp_path, modes=("nadir",))], START, END)) == np.count_nonzero(s.mode == 0)
    write_lite(tmp_path / LITE, s)
    assert len(read_streams([lite(tmp_path, modes=("ocean",))], START, END)) == np.count_nonzero(s.mode == 0)
    assert len(read_streams([lite(tmp_path, modes=("land_h",))], START, END)) == np.count_nonzero(s.mode == 1)


def cell_of_soundings(warn_level, minutes):
    s = make_soundings(len(warn_level))
    s.time = s.time[0] // 1 + 60.0 * np.asarray(minutes, dtype=float)
    s.lon, s.lat = 10.1 + 0.1 * np.arange(len(minutes)), np.full(len(minutes), 20.5)
    s.warn_level = np.asarray(warn_level, dtype=np.int8)
    return s


def test_best_warn_level_group_of_a_cell_is_averaged(tmp_path):
    s = cell_of_soundings([8, 3, 12, 15], [0, 1, 2, 3])
    write_lite(tmp_path / LITE, s)
    table = read_streams([lite(tmp_path, cell_degrees=1.0)], START, END)
    assert len(table) == 1 and table.n_read() == 4
    assert table.counts() == {"worse warn-level group than another of its cell": 2, "averaged with others of its cell": 1}
    np.testing.assert_allclose(table.value[0], s.xco2[:2].mean(), rtol=1e-7)
    np.testing.assert_allclose(table.error[0], 1.9 * s.error[:2].mean(), rtol=1e-6)
    np.testing.assert_allclose(table.operators["gosat"].averaging_kernel[0], s.kernel[:2].mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(table.lon[0], s.lon[:2].mean(), rtol=1e-6)
    table = read_streams([lite(tmp_path, cell_degrees=1.0, warn_level_bounds=())], START, END)
    np.testing.assert_allclose(table.value[0], s.xco2.mean(), rtol=1e-7)
    table = read_streams([lite(tmp_path, cell_degrees=1.0, warn_level_bounds=(2, 14))], START, END)
    np.testing.assert_allclose(table.value[0], s.xco2[:3].mean(), rtol=1e-7)


def test_overpasses_are_not_mixed(tmp_path):
    write_lite(tmp_path / LITE, cell_of_soundings([0, 0, 0], [0, 1, 100]))
    assert len(read_streams([lite(tmp_path, cell_degrees=1.0)], START, END)) == 2


def test_only_soundings_of_the_window(tmp_path):
    s = make_soundings(50)
    write_lite(tmp_path / LITE, s)
    noon = START + np.timedelta64(12, "h")
    morning, evening = (read_streams([lite(tmp_path)], a, b) for a, b in ((START, noon), (noon, END)))
    assert morning.time.max() < noon.astype("datetime64[s]").astype(np.int64) <= evening.time.min()
    assert len(morning) + len(evening) == 50


def test_withheld_stream(tmp_path):
    write_lite(tmp_path / LITE, make_soundings(5))
    table = read_streams([lite(tmp_path, assimilate=False)], START, END)
    assert not table.used.any() and set(table.reason) == {WITHHELD} and table.evaluated.all()


def test_days_without_a_file(tmp_path):
    write_lite(tmp_path / LITE, make_soundings(5))
    week = START, START + np.timedelta64(7, "D")
    assert len(read_streams([lite(tmp_path)], *week)) == 5
    assert [p.severity for p in check_streams([lite(tmp_path)], *week)] == ["warning"]
    with pytest.raises(InputError, match="6 of 7 days have no file"):
        read_streams([lite(tmp_path, missing_days=False)], *week)
    later = np.datetime64("2011-01-01"), np.datetime64("2011-01-08")
    assert len(read_streams([lite(tmp_path)], *later)) == 0, "a window without observations is not an error"
    problem, = check_streams([lite(tmp_path)], *later)
    assert problem.severity == "error" and "acos_LtCO2_100615" in problem.found and "110101" in problem.expected


def damage(path, how: str, s) -> None:
    if how == "truncated":
        write_gcasv2_satellite(path, s)
        path.write_bytes(path.read_bytes()[:4000])
    elif how == "text":
        path.write_text("<html>404</html>")
    elif how == "renamed":
        write_gcasv2_satellite(path, s, leave_out=("averagingKernel",))
    elif how == "pressure":
        s.pressure /= 1000.0
        write_gcasv2_satellite(path, s)
    elif how == "methane":
        s.xco2 = s.xco2 * 4.6
        write_gcasv2_satellite(path, s)


@pytest.mark.parametrize("how, message", [("truncated", "truncated"), ("text", "cannot be opened as NetCDF"),
                                          ("renamed", "no variable averagingKernel.*weightingfunction"),
                                          ("pressure", "pressure is not that of an atmosphere"), ("methane", "not a mole fraction of CO2")])
def test_faults_have_names(tmp_path, how, message):
    damage(tmp_path / "oco2_v11_20100615.nc", how, make_soundings(20))
    with pytest.raises(InputError, match=message) as caught:
        read_streams([gcasv2(tmp_path)], START, END)
    assert "oco2_v11_20100615.nc" in caught.value.where and caught.value.exit_code == 2
    assert any(problem.what == caught.value.what for problem in check_streams([gcasv2(tmp_path)], START, END))


def test_truncated_lite_file(tmp_path):
    write_lite(tmp_path / LITE, make_soundings(200))
    whole = (tmp_path / LITE).read_bytes()
    (tmp_path / LITE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="NetCDF|end"):
        read_streams([lite(tmp_path)], START, END)


def test_unknown_units_and_time(tmp_path):
    write_lite(tmp_path / LITE, make_soundings(5), units={"pressure_levels": "fathoms"})
    with pytest.raises(InputError, match="unknown units.*fathoms"):
        read_streams([lite(tmp_path)], START, END)
    for units in ("fortnights since 1990-01-01", "seconds since 0970-01-01"):
        write_lite(tmp_path / LITE, make_soundings(5), units={"time": units})
        with pytest.raises(InputError, match="unknown time units.*since"):
            read_streams([lite(tmp_path)], START, END)


def test_two_versions_of_a_day(tmp_path):
    for name in (LITE, LITE.replace("B7310A", "B9213A")):
        write_lite(tmp_path / name, make_soundings(5))
    with pytest.raises(InputError, match="more than one file for 2010-06-15"):
        read_streams([lite(tmp_path)], START, END)
    assert len(read_streams([lite(tmp_path, file_pattern="acos_LtCO2_{yymmdd}_*B9213A*")], START, END)) == 5


def test_a_day_without_soundings(tmp_path):
    write_gcasv2_satellite(tmp_path / "oco2_v11_20100615.nc", make_soundings(0))
    assert len(read_streams([gcasv2(tmp_path, cell_degrees=1.0)], START, END)) == 0


def test_streams_need_their_own_names(tmp_path):
    write_lite(tmp_path / LITE, make_soundings(5))
    with pytest.raises(InputError, match="two observation streams of one name"):
        read_streams([lite(tmp_path), lite(tmp_path)], START, END)
    with pytest.raises(InputError, match="unknown observation format.*acos_lite"):
        read_streams([lite(tmp_path, format="hdf_eos")], START, END)


def test_a_big_day_is_read_fast(tmp_path):
    write_gcasv2_satellite(tmp_path / "oco2_v11_20100615.nc", make_soundings(20000))
    begin = time.process_time()
    table = read_streams([gcasv2(tmp_path, cell_degrees=1.0)], START, END)
    assert table.n_read() == 20000 and time.process_time() - begin < 5.0


@pytest.mark.needs_real_data
def test_real_averaged_oco2_sounding(tmp_path, real_data):
    """The numbers of a real OCO-2 v11.2 sounding pass the reader's checks, and its own prior gives its prior XCO2."""
    s = make_soundings(1)
    with netCDF4.Dataset(real_data / "oco2" / "oco2-spectrometer_oco2_20150131-336_co2-column.nc") as dataset:
        for name, variable in (("weight", "pressure_weights"), ("pressure", "pressure_levels"), ("kernel", "xco2_averaging_kernel"),
                               ("prior", "co2_profile_apriori"), ("xco2", "xco2"), ("error", "xco2_uncertainty")):
            setattr(s, name, np.asarray(dataset[variable][...].filled(np.nan), dtype=np.float64))
        comment = dataset["xco2"].comment
    s.prior_xco2 = (s.weight * s.prior).sum(axis=1)
    write_lite(tmp_path / LITE, s, "oco2_lite_v112", comment=comment)
    table = read_streams([lite(tmp_path)], START, END)
    assert len(table) == 1 and table.scale["gosat"] == "X2007"
    same_numbers(table, s)
    operator = table.operators["gosat"]
    assert abs(operator.pressure_weight.sum() - 1.0) < 2e-6 and 390.0 < operator.prior_xco2[0] < 410.0
    simulated = xco2_operator(operator.prior_profile[:, None, :], operator.retrieval_pressure, operator.retrieval_pressure,
                              operator.pressure_weight, operator.averaging_kernel, operator.prior_profile, operator.prior_xco2)
    np.testing.assert_allclose(simulated[0, 0], operator.prior_xco2[0], rtol=1e-12)


def test_streams_on_two_scales(tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    write_lite(tmp_path / "a" / LITE, make_soundings(5))
    write_gcasv2_satellite(tmp_path / "b" / "oco2_v11_20100615.nc", make_soundings(5))
    mixed = [lite(tmp_path / "a"), gcasv2(tmp_path / "b", scale="X2019")]
    with pytest.raises(InputError, match="different calibration scales.*gosat X2007, oco2 X2019.*value_factor"):
        read_streams(mixed, START, END)
    assert [p.what for p in check_streams(mixed, START, END)] == ["products on different calibration scales"]
    unknown = [lite(tmp_path / "a"), gcasv2(tmp_path / "b")]
    assert [p.severity for p in check_streams(unknown, START, END)] == ["warning"]
    assert len(read_streams(unknown, START, END)) == 10


def test_nothing_usable_is_said(tmp_path):
    s = make_soundings(5)
    s.quality[:] = 1
    write_lite(tmp_path / LITE, s)
    problem, = check_streams([lite(tmp_path)], START, END)
    assert problem.severity == "warning" and "5 quality flag is not 0" in problem.found


def source_of(s: Soundings) -> ColumnSource:
    """Soundings in memory as a reader gives them."""
    def rows(array):
        return lambda start, stop: np.array(array[start:stop], dtype=float)

    return ColumnSource(path="memory", n=len(s.time), scale="X2007", time=rows(s.time), lon=rows(s.lon), lat=rows(s.lat), xco2=rows(s.xco2),
                        uncertainty=rows(s.error), prior_xco2=rows(s.prior_xco2), pressure=rows(100.0 * s.pressure),
                        pressure_weight=rows(s.weight), averaging_kernel=rows(s.kernel), prior_profile=rows(s.prior), n_levels=20,
                        identifiers=lambda index: np.array([f"{i}" for i in index], dtype=object), quality=rows(s.quality),
                        warn_level=rows(s.warn_level))


def crowded(n: int, seed: int) -> Soundings:
    """Soundings crowded into a few cells and hours."""
    s, random = make_soundings(n, seed=seed), np.random.default_rng(seed)
    s.lon, s.lat, s.time = random.uniform(-180, -176, n), random.uniform(-2, 2, n), random.uniform(0.0, 4e4, n)
    return s


def averaged_by_hand(s: Soundings, degrees: float, bounds: tuple[int, ...]) -> list[dict]:
    """The paper's averaging in plain loops: cells, overpasses, best group, means."""
    cells: dict[tuple[int, int], list[int]] = {}
    for i in np.argsort(s.time, kind="stable"):
        cells.setdefault((int((s.lat[i] + 90) // degrees), int((s.lon[i] + 180) // degrees)), []).append(i)
    means = []
    for key in sorted(cells):
        overpasses: list[list[int]] = []
        for i in cells[key]:
            if overpasses and s.time[i] - s.time[overpasses[-1][-1]] <= 3600.0:
                overpasses[-1].append(i)
            else:
                overpasses.append([i])
        for members in overpasses:
            group = {i: sum(s.warn_level[i] > bound for bound in bounds) for i in members}
            best = [i for i in members if group[i] == min(group.values())]
            means.append({"time": s.time[best].mean(), "lon": s.lon[best].mean(), "value": s.xco2[best].mean(),
                          "error": 1.9 * s.error[best].mean(), "kernel": s.kernel[best].mean(axis=0), "identifier": str(best[0]),
                          "pressure": 100.0 * s.pressure[best].mean(axis=0)})
    return means


@settings(max_examples=30, deadline=None)
@given(n=st.integers(0, 120), seed=st.integers(0, 10**6), degrees=st.sampled_from([0.5, 1.0, 2.0]), bounds=st.sampled_from([(), (8, 12)]))
def test_averaging_is_the_papers(n, seed, degrees, bounds):
    s = crowded(n, seed)
    table = to_observations(source_of(s), lite("nowhere", cell_degrees=degrees, warn_level_bounds=bounds), 0.0, 1.0e5)
    assert table.n_read() == n, "every sounding is accounted for"
    expected = averaged_by_hand(s, degrees, bounds)
    assert len(table) == len(expected)
    operator = table.operators["gosat"]
    for i, mean in enumerate(expected):
        assert table.identifier[i] == mean["identifier"]
        for found, name in ((table.time, "time"), (table.lon, "lon"), (table.value, "value"), (table.error, "error"),
                            (operator.averaging_kernel, "kernel"), (operator.retrieval_pressure, "pressure")):
            np.testing.assert_allclose(found[i], mean[name], rtol=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), block=st.sampled_from([1, 7, 64]), withheld=st.sampled_from([-1, 1]))
def test_results_do_not_depend_on_order_or_blocks(seed, block, withheld):
    s = crowded(90, seed)
    s.quality[::5] = 1
    stream = lite("nowhere", cell_degrees=1.0, withheld_flag=withheld)
    plain = to_observations(source_of(s), stream, 0.0, 1.0e5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(soundings, "PROFILE_BLOCK", block)
        patch.setattr(soundings, "TIME_BLOCK", block)
        other = to_observations(source_of(take(s, np.random.default_rng(seed).permutation(90))), stream, 0.0, 1.0e5)
    assert other.counts() == plain.counts() and (withheld < 0) == (plain.used.all())
    for name in ("time", "lon", "lat", "value", "error"):
        np.testing.assert_allclose(getattr(other, name), getattr(plain, name), rtol=1e-12)
    np.testing.assert_allclose(other.operators["gosat"].averaging_kernel, plain.operators["gosat"].averaging_kernel, rtol=1e-12)


def test_patterns_and_days():
    day = np.datetime64("2010-06-05")
    for pattern, name in (("a_{yymmdd}_*", "a_100605_*"), ("{yyyymmdd}.nc", "20100605.nc"), ("%Y/x_%j.nc", "2010/x_156.nc")):
        assert pattern_of_day(pattern, day) == name
    assert days_of(np.datetime64("2010-06-05T12"), np.datetime64("2010-06-07")).tolist() == [day.item(), (day + 1).item()]
