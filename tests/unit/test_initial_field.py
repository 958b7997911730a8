"""Initial fields of foreign files: what is read, and what regridding keeps."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import netCDF4
import numpy as np
import pytest
from formats.initial import (
    LEVELS,
    MASSES,
    MODEL,
    START,
    carbontracker_file,
    field_of,
    history_file,
    initial_file,
    mole_fraction,
    restart_file,
    surface_pressure,
)

from gcas_driver.errors import InputError
from gcas_driver.initial import check_initial, fits_as_it_is, make_initial, on_model, read_field
from gcas_driver.initial.field import Field, interfaces_of
from gcas_driver.initial.regridding import mean_over_air
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.grids import Grid
from mozart_coupling.initial import read_initial

RUN = Grid.named("36x18")
RUN_PS = surface_pressure(RUN.lon, RUN.lat) * 1.01


def settings(path, **changes):
    given = {"file": path, "format": "", "tracer": "", "units": "", "date_tolerance_days": 1.0, "where": lambda name: "case.nml, line 9"}
    return SimpleNamespace(**{**given, **changes})


def linear_field(n_levels, grid=MODEL, scale=1.0):
    """A field whose layers are the exact means of 380 + 8 p/P0 ppm."""
    faces = interfaces_of(*hybrid_levels(n_levels), surface_pressure(grid.lon, grid.lat))
    return Field(scale * 1e-6 * (380.0 + 8e-5 * 0.5 * (faces[1:] + faces[:-1])), grid, faces, None, START, "linear", "")


@pytest.mark.parametrize("n_levels", [3, 25, 34, 60])
def test_carbontracker_is_read_top_first_at_the_nearest_record(tmp_path, n_levels):
    field = field_of(carbontracker_file(tmp_path / "ct.nc", n_levels, grid=(24, 18)))
    assert field.values.shape == (n_levels, 18, 24) and field.interfaces.shape == (n_levels + 1, 18, 24)
    assert field.time == START + np.timedelta64(5400, "s")
    middle = 0.5 * (field.interfaces[1:] + field.interfaces[:-1])
    assert np.all(np.diff(middle, axis=0) > 0)
    assert np.allclose(1e6 * field.values, mole_fraction(field.grid.lon, field.grid.lat, middle, 1.5), atol=1e-3)


def test_the_record_nearest_to_the_start_is_taken(tmp_path):
    path = carbontracker_file(tmp_path / "ct.nc", 5, grid=(24, 18))
    late = read_field(path, START + np.timedelta64(86400, "s"), **MASSES)
    assert late.time == START + np.timedelta64(int(22.5 * 3600), "s")
    early = field_of(path)
    assert np.allclose(1e6 * (late.values - early.values), 0.21, atol=1e-3)


def test_old_names_give_the_same_field(tmp_path):
    new, old = (field_of(carbontracker_file(tmp_path / f"{name}.nc", 25, old=name == "old", grid=(24, 18))) for name in ("new", "old"))
    assert np.array_equal(new.values, old.values) and np.array_equal(new.interfaces, old.interfaces) and new.time == old.time


@pytest.mark.parametrize("write", [history_file, restart_file, initial_file])
def test_mozart_files_give_the_same_field(tmp_path, write):
    field = field_of(write(tmp_path))
    assert field.grid.lon[0] == -180.0 and field.grid.lat[0] < 0.0
    middle = 0.5 * (field.interfaces[1:] + field.interfaces[:-1])
    hours = float((field.time - START) / np.timedelta64(3600, "s"))
    assert hours in (0.0, -1.5)
    assert np.allclose(1e6 * field.values, mole_fraction(field.grid.lon, field.grid.lat, middle, hours), atol=2e-3)


def test_faces_of_a_restart_are_those_of_its_levels(tmp_path):
    field = field_of(restart_file(tmp_path))
    expected = interfaces_of(*LEVELS, surface_pressure(field.grid.lon, field.grid.lat))
    assert np.allclose(field.interfaces, expected, rtol=1e-6)


@pytest.mark.parametrize("n_levels", [5, 28, 47])
def test_a_profile_linear_in_pressure_stays_one_on_other_levels(n_levels):
    """Where the levels span the same pressures, to round-off, in the outermost layers too."""
    source, levels = linear_field(34), hybrid_levels(n_levels)
    ps = surface_pressure(MODEL.lon, MODEL.lat)
    made = on_model(source, MODEL, levels, ps)
    faces = interfaces_of(*levels, ps)
    assert np.allclose(1e6 * made.values, 380.0 + 8e-5 * 0.5 * (faces[1:] + faces[:-1]), atol=1e-9)
    assert abs(made.correction_ppm) < 1e-9


def test_carbon_dioxide_is_kept_by_both_steps():
    """Same surface pressure on average per cell: all CO2 and all air are found again, without any correction."""
    random = np.random.default_rng(4)
    faces = np.broadcast_to(np.linspace(300.0, 1.0e5, 12)[:, None, None], (12, *MODEL.shape))
    field = Field(1e-6 * (390.0 + random.normal(size=(11, *MODEL.shape))), MODEL, faces, None, START, "flat", "")
    levels = (np.linspace(300.0, 1.0e5, 8) / 1e5, np.zeros(8))  # other levels between the same pressures
    made = on_model(field, RUN, levels, np.full(RUN.shape, 1.0e5))
    assert abs(made.correction_ppm) < 1e-9
    target = np.broadcast_to(1e5 * levels[0][:, None, None], (8, *RUN.shape))
    amount = [float((v * np.diff(p, axis=0) * g.area).sum()) for v, p, g in ((field.values, faces, MODEL), (made.values, target, RUN))]
    assert amount[0] == pytest.approx(amount[1], rel=1e-12)


def test_the_global_mean_is_kept_over_another_surface_and_another_top():
    field = linear_field(34)
    made = on_model(field, RUN, hybrid_levels(28), RUN_PS)
    target = interfaces_of(*hybrid_levels(28), RUN_PS)
    given = 1e6 * mean_over_air(field.values, field.interfaces, MODEL)
    assert 1e6 * mean_over_air(made.values, target, RUN) == pytest.approx(given, abs=1e-9)
    assert 1e-4 < abs(made.correction_ppm) < 1.0 and "kept" in made.text


def test_a_uniform_field_stays_uniform():
    field = dataclasses.replace(linear_field(34), values=np.full((34, *MODEL.shape), 385e-6))
    assert np.allclose(1e6 * on_model(field, RUN, hybrid_levels(28), RUN_PS).values, 385.0, rtol=0, atol=1e-9)


def test_positive_values_stay_positive_and_within_their_range():
    values = np.full((34, *MODEL.shape), 300e-6)
    values[-1] = 900e-6
    field = dataclasses.replace(linear_field(34), values=values)
    made = on_model(field, RUN, hybrid_levels(60), RUN_PS)
    assert made.values.min() > 290e-6


def test_what_is_made_is_the_contracts_file(tmp_path):
    path = carbontracker_file(tmp_path / "ct.nc", 25, grid=(24, 18))
    levels = hybrid_levels(8)
    made = make_initial(tmp_path / "initial.nc", settings(path), RUN, levels, RUN_PS, START, (), **MASSES)
    read = read_initial(tmp_path / "initial.nc")
    assert read.time == int(START.astype("int64")) and read.fields["CO2"].shape == (8, *RUN.shape)
    again = field_of(tmp_path / "initial.nc")
    assert 1e6 * mean_over_air(again.values, again.interfaces, again.grid) == pytest.approx(made.mean_ppm, abs=1e-4)
    assert fits_as_it_is(settings(tmp_path / "initial.nc"), RUN, levels)
    assert not fits_as_it_is(settings(tmp_path / "initial.nc"), RUN, hybrid_levels(9))
    assert not fits_as_it_is(settings(tmp_path / "initial.nc"), MODEL, levels)
    assert not fits_as_it_is(settings(path), RUN, levels)


def test_a_restart_without_coordinates_can_only_be_the_runs_own(tmp_path):
    path = tmp_path / "rest.nc"
    with netCDF4.Dataset(path, "w") as data:
        for name, size in (("lev", 8), ("lat", 18), ("lon", 36)):
            data.createDimension(name, size)
        data.createVariable("EN001", "f8", ("lev", "lat", "lon"))[:] = 385e-6 * 44.0 / 29.0
    given = settings(path)
    assert [p.severity for p in check_initial(given, START, RUN, 8, 29.0, 44.0)] == ["warning"]
    assert np.allclose(on_model(read_field(path, START, mw_air=29.0, mw_co2=44.0), RUN, hybrid_levels(8), RUN_PS).values, 385e-6)
    assert "no coordinates" in str(check_initial(given, START, MODEL, 8, 29.0, 44.0)[0])
    assert "levels" in str(check_initial(given, START, RUN, 9, 29.0, 44.0)[0])


def _edit(path, change):
    with netCDF4.Dataset(path, "a") as data:
        change(data)
    return path


@pytest.mark.parametrize("change, words", [
    (lambda d: d["co2"].setncattr("units", "mol mol-1"), "contradict"),
    (lambda d: d["co2"].setncattr("units", "furlong"), "unknown units"),
    (lambda d: d.renameVariable("co2", "ch4"), "no CO2 field"),
    (lambda d: d.renameVariable("pressure", "gph2"), "no CO2 field"),
    (lambda d: d["pressure"].setncattr("units", "hPa"), "pressures are not those"),
    (lambda d: d["co2"].__setitem__((0, 3, 4, 5), -1e34), "missing values"),
    (lambda d: d["co2"].__setitem__(slice(None), 0.4), "units"),
    (lambda d: d["latitude"].__setitem__(slice(None), np.linspace(-170, 170, 18)), "latitude"),
    (lambda d: d["time"].__setitem__(slice(None), np.arange(8) / 8.0), "another date"),
])
def test_faults_of_a_file_are_named(tmp_path, change, words):
    path = _edit(carbontracker_file(tmp_path / "ct.nc", 5, grid=(24, 18)), change)
    found = check_initial(settings(path), START, RUN, 8, **MASSES)
    assert len(found) == 1 and words in str(found[0]) and "case.nml, line 9" in str(found[0]) and str(path) in str(found[0])


def test_units_in_dispute_are_settled_by_the_setting(tmp_path):
    path = history_file(tmp_path, "kg/kg")
    with netCDF4.Dataset(path, "a") as data:
        data["EN001_VMR_avrg"].units = "mol/mol"
    with pytest.raises(InputError, match="contradict"):
        field_of(path)
    assert 380e-6 < read_field(path, START, units="mmr", **MASSES).values.mean() < 395e-6


def test_another_date_is_refused_unless_allowed(tmp_path):
    path = carbontracker_file(tmp_path / "ct.nc", 5, grid=(24, 18))
    later = START + np.timedelta64(40 * 86400, "s")
    assert "of another date" in str(check_initial(settings(path), later, RUN, 8, **MASSES)[0])
    assert check_initial(settings(path, date_tolerance_days=60.0), later, RUN, 8, **MASSES) == []


def test_a_missing_or_truncated_file_is_named(tmp_path):
    assert "does not exist" in str(check_initial(settings(tmp_path / "no.nc"), START, RUN, 8, **MASSES)[0])
    path = initial_file(tmp_path)
    path.write_bytes(path.read_bytes()[:-500])
    assert "truncated" in str(check_initial(settings(path), START, RUN, 8, **MASSES)[0])
