"""Initial, restart, sample and history files; the classic header; what both sides agree on in the contract's table."""

from __future__ import annotations

import os
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mozart_coupling import checks, constants, contract
from mozart_coupling.classic_header import missing_bytes
from mozart_coupling.dates import to_seconds
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.errors import HistoryError, InitialError, RestartError, SampleError
from mozart_coupling.grids import Grid
from mozart_coupling.heights import hydrostatic_heights
from mozart_coupling.history import HistoryLayout, HistoryWriter, check_history, history_files, sample_history
from mozart_coupling.initial import read_initial, write_initial
from mozart_coupling.netcdf import new_dataset, write_text
from mozart_coupling.restart import (
    KEPT_SUFFIX,
    forget_kept,
    hand_off,
    read_master,
    read_pointer,
    read_restart,
    write_pointer,
    write_restart,
)
from mozart_coupling.samples import ColumnAir, SampleRequest, SampleWriter, read_request, read_samples, write_request

GRID, LEVELS, TRACERS = Grid.regular(8, 4), hybrid_levels(5), ("EN001", "EN002")
CUBE = (5, *GRID.shape)
NOON = to_seconds(np.datetime64("2010-06-08"))


def field(seed: int = 0, n: int = 2) -> np.ndarray:
    return 6e-4 + 1e-6 * np.random.default_rng(seed).normal(size=(n, *CUBE))


# --- Unit trap -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mw_air", "mw_co2"), [(constants.MOLAR_MASS_AIR, constants.MOLAR_MASS_CO2), (29.0, 44.0)])
def test_ppm_survive_the_round_trip_through_kg_per_kg(tmp_path: Path, mw_air: float, mw_co2: float) -> None:
    write_initial(tmp_path / "ic.nc", GRID, LEVELS, 1.0e5, 400e-6, TRACERS, "2010-06-01", mw_air=mw_air, mw_co2=mw_co2)
    read = read_initial(tmp_path / "ic.nc")
    assert set(read.fields) == {"CO2", *TRACERS}
    back = read.tracer("EN002") * checks.to_mole_fraction("mmr", mw_air, mw_co2)
    np.testing.assert_allclose(back, 400e-6, rtol=1e-7)


def test_the_two_conventions_are_six_tenths_of_a_ppm_apart() -> None:
    factors = [checks.to_mole_fraction("mmr", *pair) for pair in ((29.0, 44.0), (constants.MOLAR_MASS_AIR, constants.MOLAR_MASS_CO2))]
    assert 1e6 * 6e-4 * abs(factors[0] - factors[1]) == pytest.approx(0.57, abs=0.05)


@pytest.mark.parametrize(("mean", "unit", "good"),
                         [(4.0e-4, "vmr", True), (4.0e-4, "mmr", False), (6.1e-4, "mmr", True), (6.1e-4, "vmr", False),
                                                    (1.0, "mmr", True)])
def test_the_mean_tells_the_unit(mean: float, unit: str, good: bool) -> None:
    if good:
        checks.require_unit(mean, unit, "file")
        return
    with pytest.raises(HistoryError, match="other unit"):
        checks.require_unit(mean, unit, "file")


def test_an_initial_field_for_every_tracer_of_its_own(tmp_path: Path) -> None:
    values = np.stack([np.full(CUBE, 300e-6), np.full(CUBE, 400e-6)])
    write_initial(tmp_path / "ic.nc", GRID, LEVELS, 1.0e5, values, TRACERS, "2010-06-01")
    read = read_initial(tmp_path / "ic.nc", ["EN002", "EN009"])
    assert read.tracer("EN002").mean() > read.tracer("EN009").mean()  # EN009 has none: CO2, which is the first
    with pytest.raises(InitialError, match="does not fit"):
        write_initial(tmp_path / "ic2.nc", GRID, LEVELS, 1.0e5, np.ones(3), TRACERS, "2010-06-01")


def test_an_initial_file_without_a_field(tmp_path: Path) -> None:
    write_initial(tmp_path / "ic.nc", GRID, LEVELS, 1.0e5, 400e-6, TRACERS, "2010-06-01")
    with netCDF4.Dataset(tmp_path / "ic.nc", "r+") as data:
        data.renameVariable("CO2", "CO")
        data.renameVariable("EN001", "N1")
    with pytest.raises(InitialError, match="EN001 or CO2"):
        read_initial(tmp_path / "ic.nc").tracer("EN001")
    with pytest.raises(InitialError, match="no.nc"):
        read_initial(tmp_path / "no.nc")


# --- Restart ---------------------------------------------------------------------------------------------------------


def restart(directory: Path, case: str = "test", seed: int = 0, time: int = NOON) -> Path:
    write_restart(directory, case, time, GRID, LEVELS, TRACERS, field(seed), np.full(GRID.shape, 98765.4321), {"mw_air": 29.0})
    return directory / contract.restart_name(case, time)


def test_restart_files_round_trip_to_the_bit(tmp_path: Path) -> None:
    path = restart(tmp_path)
    assert path.name == "test.mz4.r.2010-06-08-00000.nc"
    read = read_restart(path, ("EN002", "EN001"))
    assert np.array_equal(read.mixing_ratio, field()[::-1]) and read.time == NOON
    master = read_master(tmp_path / contract.master_restart_name(NOON))
    assert master.time == NOON and np.all(master.ps == 98765.4321) and master.restart_file == "rest/test.mz4.r.2010-06-08-00000.nc"
    with pytest.raises(RestartError, match="EN007"):
        read_restart(path, ("EN007",))


def test_hand_off_keeps_the_old_file_and_can_be_done_twice(tmp_path: Path) -> None:
    forward, ensemble = restart(tmp_path / "forward", seed=1), restart(tmp_path / "ensemble", seed=2)
    kept = hand_off(forward, ensemble)
    given = read_restart(forward).mixing_ratio[0]
    for _ in range(2):
        after = read_restart(ensemble)
        assert np.array_equal(after.mixing_ratio[0], given) and np.array_equal(after.mixing_ratio[1], given)
        assert kept.name.endswith(KEPT_SUFFIX) and np.array_equal(read_restart(kept, TRACERS).mixing_ratio, field(2))
        hand_off(forward, ensemble)
    assert not list(ensemble.parent.glob(".*"))
    forget_kept(ensemble)
    assert not kept.exists() and ensemble.exists()


def test_hand_off_refuses_other_dates_and_grids(tmp_path: Path) -> None:
    ensemble = restart(tmp_path / "ensemble")
    with pytest.raises(RestartError, match="different dates"):
        hand_off(restart(tmp_path / "forward", time=NOON + 86400), ensemble)
    write_restart(tmp_path / "other", "test", NOON, Grid.regular(8, 6), LEVELS, TRACERS, np.ones((2, 5, 6, 8)), np.ones((6, 8)))
    with pytest.raises(RestartError, match="different grids"):
        hand_off(tmp_path / "other" / contract.restart_name("test", NOON), ensemble)
    assert np.array_equal(read_restart(ensemble).mixing_ratio, field())


def test_a_restart_of_another_model_needs_only_its_tracers(tmp_path: Path) -> None:
    path = tmp_path / "x.mz4.r.2010-06-08-00000.nc"
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as data:
        for name, size in zip(("lev", "lat", "lon"), CUBE, strict=True):
            data.createDimension(name, size)
        for name in TRACERS:
            data.createVariable(name, "f8", ("lev", "lat", "lon"))[:] = 6e-4
    hand_off(restart(tmp_path), path)
    read = read_restart(path)
    assert np.array_equal(read.mixing_ratio[1], field()[0]) and read.time == NOON and read.grid is None


def test_the_pointer_is_one_line(tmp_path: Path) -> None:
    write_pointer(tmp_path, "test", NOON)
    assert (tmp_path / "test-rpntr").read_text() == "rest/rstrt-2010-06-08-00000\n"
    assert read_pointer(tmp_path, "test") == (Path("rest/rstrt-2010-06-08-00000"), NOON)


@pytest.mark.parametrize("text", ["", "\n", "rest/other\n", "rest/rstrt-yesterday\n"])
def test_pointers_that_point_nowhere(tmp_path: Path, text: str) -> None:
    (tmp_path / "test-rpntr").write_text(text)
    with pytest.raises(RestartError, match="test-rpntr"):
        read_pointer(tmp_path, "test")


# --- Samples ---------------------------------------------------------------------------------------------------------


def test_requests_and_samples_round_trip(tmp_path: Path) -> None:
    request = SampleRequest([10.0, 10.5, 370.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [10800.0] * 3)
    write_request(tmp_path / "r.nc", request)
    read = read_request(tmp_path / "r.nc")
    assert all(np.array_equal(getattr(read, n), getattr(request, n)) for n in ("lon", "lat", "time_start", "time_end"))
    ilat, _, _, _, column = request.columns(GRID)
    assert ilat.size == 1 and list(column) == [0, 0, 0]  # one cell, one interval: one column
    random = np.random.default_rng(0)
    mixing, mid, interface = random.normal(4e-4, 1e-6, (1, 2, 5)), random.normal(size=(1, 5)), random.normal(size=(1, 6))
    writer = SampleWriter(tmp_path / "s.nc", column, TRACERS, LEVELS, "test", False)
    writer.put(np.array([0]), mixing)
    assert not (tmp_path / "s.nc").exists()
    writer.complete(ColumnAir(np.array([1e5]), mid, interface, None), NOON)
    samples = read_samples(tmp_path / "s.nc", TRACERS)
    assert samples.mixing_ratio.shape == (3, 2, 5) and samples.specific_humidity is None
    assert np.array_equal(samples.mixing_ratio[2], mixing[0])
    assert np.all(np.diff(samples.pressure_interface) > 0) and samples.pressure_interface[0, -1] == 1e5
    with pytest.raises(SampleError, match="other tracers"):
        read_samples(tmp_path / "s.nc", ("EN001",))


@pytest.mark.parametrize("columns", [([0.0], [91.0], [0.0], [1.0]), ([0.0], [0.0], [2.0], [1.0]), ([np.nan], [0.0], [0.0], [1.0]),
                                     ([0.0, 1.0], [0.0], [0.0], [1.0])])
def test_requests_without_sense(columns: tuple) -> None:
    with pytest.raises(SampleError):
        SampleRequest(*columns)


def test_requests_outside_the_run() -> None:
    with pytest.raises(SampleError, match="row 1, 1 such"):
        SampleRequest([0.0, 0.0], [0.0, 0.0], [0.0, 50.0], [10.0, 101.0]).require_inside(0, 100, "list")


# --- History ---------------------------------------------------------------------------------------------------------


def history(directory: Path, days: int = 2, units: str = "kg/kg", value: float = 6e-4, double: bool = False) -> np.ndarray:
    """Write `days` of three-hour averages from NOON; returns the averages (record, tracer, lev, lat, lon)."""
    (directory / "hist").mkdir(exist_ok=True)
    writer = HistoryWriter(HistoryLayout(directory, "test", "Carbon", GRID, *LEVELS, TRACERS, units, double, True, {}), 8)
    values = value * (1 + 1e-3 * np.random.default_rng(3).normal(size=(8 * days, 2, *CUBE)))
    heights = np.linspace(30e3, 0, 6)[:, None, None] + np.zeros(GRID.shape)
    for k in range(8 * days):
        writer.begin(NOON + 10800 * (k + 1), np.full(GRID.shape, 1e5 + k), 0.5 * (heights[1:] + heights[:-1]), heights, np.full(CUBE, 1e-3))
        writer.finish(values[k])
    writer.close()
    return values


def test_history_is_sampled_in_its_own_interval(tmp_path: Path) -> None:
    values = history(tmp_path, double=True)
    ends = NOON + 10800.0 * np.array([3, 9, 16])
    request = SampleRequest([0.0, 45.0, 45.0], [-60.0, 60.0, 60.0], ends - 10800, ends)
    samples = sample_history(tmp_path, "test", request, TRACERS, 29.0, 44.0, "mmr")
    np.testing.assert_allclose(samples.mixing_ratio[0], values[2, :, :, 0, 0] * 29 / 44, rtol=1e-14)
    np.testing.assert_allclose(samples.mixing_ratio[1], values[8, :, :, 3, 1] * 29 / 44, rtol=1e-14)
    np.testing.assert_allclose(samples.surface_pressure, [1e5 + 2, 1e5 + 8, 1e5 + 15])
    assert np.all(samples.specific_humidity == 1e-3) and samples.height.shape == (3, 5)


def test_other_intervals_are_overlaps_and_instants_are_the_average_that_has_them(tmp_path: Path) -> None:
    values = history(tmp_path, double=True) * 29 / 44
    request = SampleRequest([0.0] * 4, [-60.0] * 4, NOON + np.array([0.0, 5400.0, 10800.0, 172800.0]),
                            NOON + np.array([21600.0, 16200.0, 10800.0, 172800.0]))
    samples = sample_history(tmp_path, "test", request, TRACERS, 29.0, 44.0, "mmr")
    cell = values[:, :, :, 0, 0]
    for row, expected in enumerate(((cell[0] + cell[1]) / 2, (cell[0] + cell[1]) / 2, cell[1], cell[15])):
        np.testing.assert_allclose(samples.mixing_ratio[row], expected, rtol=1e-14)


def test_history_that_does_not_cover_or_is_in_another_unit(tmp_path: Path) -> None:
    history(tmp_path)
    late = SampleRequest([0.0], [0.0], [NOON + 2 * 86400.0], [NOON + 2 * 86400.0 + 10800])
    with pytest.raises(HistoryError, match="cover"):
        sample_history(tmp_path, "test", late, TRACERS, 29.0, 44.0, "mmr")
    with pytest.raises(HistoryError, match="other unit"):
        sample_history(tmp_path, "test", SampleRequest([0.0], [0.0], [NOON], [NOON + 10800.0]), TRACERS, 29.0, 44.0, "vmr")


def test_history_in_mole_fractions(tmp_path: Path) -> None:
    values = history(tmp_path, units="mol/mol", value=4e-4, double=True)
    samples = sample_history(tmp_path, "test", SampleRequest([0.0], [-60.0], [NOON], [NOON + 10800.0]), TRACERS, 29.0, 44.0, "vmr")
    np.testing.assert_allclose(samples.mixing_ratio[0], values[0, :, :, 0, 0], rtol=1e-14)


def test_a_gap_between_history_files_is_found(tmp_path: Path) -> None:
    history(tmp_path, days=3)
    common = dict(mw_air=29.0, mw_co2=44.0, tracer_units="mmr")
    last = check_history(tmp_path, "test", NOON, NOON + 3 * 86400, TRACERS, **common)
    assert last == history_files(tmp_path, "test")[-1][1]
    history_files(tmp_path, "test")[1][1].unlink()
    with pytest.raises(HistoryError, match="missing"):
        check_history(tmp_path, "test", NOON, NOON + 3 * 86400, TRACERS, **common)


# --- Below the files -------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["i1", "i2", "i4", "f4", "f8"]), st.booleans(), st.integers(1, 5)), min_size=1, max_size=6),
       st.integers(0, 4))
def test_the_header_says_how_long_a_file_must_be(tmp_path_factory: pytest.TempPathFactory, variables: list, records: int) -> None:
    path = tmp_path_factory.mktemp("cdf") / "x.nc"
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as data:
        data.createDimension("time", None)
        for number, (dtype, record, size) in enumerate(variables):
            data.createDimension(f"d{number}", size)
            variable = data.createVariable(f"v{number}", dtype, (("time",) if record else ()) + (f"d{number}",))
            variable.text = "x" * number
            variable[...] = np.ones(((records,) if record else ()) + (size,))
    assert missing_bytes(path) == 0
    size = path.stat().st_size
    os.truncate(path, size - 5)  # more than the padding at the end
    assert 0 < missing_bytes(path) <= 5
    os.truncate(path, 20)
    assert missing_bytes(path) > 0


def test_a_damaged_header_is_no_crash(tmp_path: Path) -> None:
    """Any four bytes changed, counts and places of dimensions of 4e9 among them: a number comes back, and no memory is asked for."""
    whole = tmp_path / "whole.nc"
    with netCDF4.Dataset(whole, "w", format="NETCDF3_64BIT_DATA") as data:
        data.createDimension("x", 3)
        data.createVariable("first", "f8", ("x",)).units = "ppm"
        data.createVariable("second", "f4", ("x", "x"))[...] = 1.0
    content, path = whole.read_bytes(), tmp_path / "x.nc"
    assert missing_bytes(whole) == 0
    for place in range(4, len(content) - 3):
        for new in (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x00\x00\x00\x09"):
            path.write_bytes(content[:place] + new + content[place + 4 :])
            assert missing_bytes(path) >= 0


def test_definitions_in_one_go_are_those_of_one_by_one(tmp_path: Path) -> None:
    with new_dataset(tmp_path / "a.nc") as data:
        contract.define(data, contract.RESTART, {"lev": 5, "lat": 4, "lon": 8}, TRACERS, attributes={"case": "test"})
        data["EN001"][:] = field()[0]
        data.late = "an attribute after the data"
    with netCDF4.Dataset(tmp_path / "a.nc") as data:
        assert data.case == "test" and data.late and data["EN002"].units == "kg/kg"
        assert np.array_equal(data["EN001"][:], field()[0])


def test_a_file_that_fails_half_way_has_no_name(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), new_dataset(tmp_path / "a.nc") as data:
        data.createDimension("x", 3)
        1 / 0  # noqa: B018
    assert not list(tmp_path.iterdir())
    write_text(tmp_path / "t", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


def test_heights_of_an_isothermal_atmosphere() -> None:
    hyai, hybi = LEVELS
    ps, phis = np.full(GRID.shape, 1.0e5), np.full(GRID.shape, 980.665)
    mid, interface = hydrostatic_heights(np.full(CUBE, 250.0), None, ps, phis, hyai, hybi)
    scale = 287.05 * 250.0 / 9.80665
    face = hyai[1:] * 1e5 + hybi[1:] * 1e5
    np.testing.assert_allclose(interface[1:, 0, 0], 100.0 + scale * np.log(1e5 / face), rtol=1e-12)
    assert np.all(interface[:-1] > mid) and np.all(mid > interface[1:])
    moist, _ = hydrostatic_heights(np.full(CUBE, 250.0), np.full(CUBE, 0.01), ps, phis, hyai, hybi)
    np.testing.assert_allclose(moist - 100.0, (mid - 100.0) * 1.00608, rtol=1e-12)


@pytest.mark.parametrize("n_bytes", [0, 3_000_000_000])  # offsets of 32 and of 64 bits
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_fields_past_the_library_are_what_it_writes(tmp_path: Path, n_bytes: int, dtype: str) -> None:
    fields = {f"EN{n:03d}": np.random.default_rng(n).normal(size=(2, 3, 5)).astype(dtype) for n in range(3)}
    files = []
    for past in (False, True):
        files.append(tmp_path / f"{past}.nc")
        with new_dataset(files[-1], n_bytes, fields=fields.items() if past else ()) as data:
            with data.definitions():
                for name, length in zip("zyx", (2, 3, 5), strict=True):
                    data.createDimension(name, length)
                for name in fields:
                    data.createVariable(name, dtype, tuple("zyx")).units = "kg/kg"
                data.createVariable("date", "i4", ())
            data["date"][...] = 20100601
            for name in () if past else fields:
                data[name][:] = fields[name]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_field_of_another_shape_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"EN001: found a field of shape \(3,\), expected \(2,\)"):
        with new_dataset(tmp_path / "a.nc", fields=[("EN001", np.zeros(3))]) as data:
            data.createDimension("x", 2)
            data.createVariable("EN001", "f8", ("x",))
    assert not list(tmp_path.iterdir())
