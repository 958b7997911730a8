"""Whole runs of the embedded model: restart to the bit, threads, samples against history, budgets."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from netCDF4 import Dataset
from transport_site import DAY, START, Site, uniform_emissions

from mozart_coupling.constants import AVOGADRO, MOLAR_MASS_AIR, MOLAR_MASS_CO2
from mozart_coupling.contract import restart_name
from mozart_coupling.history import sample_history
from mozart_coupling.restart import read_restart, write_pointer
from mozart_coupling.samples import SampleRequest, read_samples, write_request


def end_state(directory: Path, site: Site, day: int) -> np.ndarray:
    return read_restart(directory / restart_name("test", site.start + day * DAY), site.tracers).mixing_ratio


def global_mass(directory: Path, site: Site, day: int) -> np.ndarray:
    """kg of CO2 from the restart file alone."""
    with Dataset(directory / restart_name("test", site.start + day * DAY)) as data:
        hyai, hybi = site.levels
        face = hyai[:, None, None] * 1e5 + hybi[:, None, None] * data["PS"][:]
        weight = np.diff(face, axis=0) / 9.80665 * site.grid.area
        return np.array([np.sum(data[name][:] * weight) for name in site.tracers])


@pytest.mark.parametrize("options", ["  precision = 'double'", "  precision = 'single'", "  mode = 'monotone'"])
@pytest.mark.parametrize("frequency", ["'daily'", "'none'"])
def test_seven_days_are_three_and_four(site: Site, tmp_path: Path, options: str, frequency: str) -> None:
    own = site.components() + options + ", history = .false."
    site.run(tmp_path / "one", site.namelist(own=own, restart_frq=frequency, timestep="'3h'"))
    site.run(tmp_path / "two", site.namelist(own=own, sim_duration="'3d'", restart_frq=frequency, timestep="'3h'"))
    model = site.run(tmp_path / "two",
                     site.namelist(own=own, sim_type="'RESTART'", sim_duration="'4d'", restart_frq=frequency, timestep="'3h'"))
    assert model.start == site.start + 3 * DAY
    assert np.array_equal(end_state(tmp_path / "one", site, 7), end_state(tmp_path / "two", site, 7))


def test_any_daily_restart_goes_on_with_the_same_bits(site: Site, tmp_path: Path) -> None:
    own = site.components() + "  history = .false."
    site.run(tmp_path / "one", site.namelist(own=own))
    last = end_state(tmp_path / "one", site, 7)
    for day in (1, 6):
        write_pointer(tmp_path / "one", "test", site.start + day * DAY)
        site.run(tmp_path / "one", site.namelist(own=own, sim_type="'RESTART'", sim_duration=f"'{7 - day}d'"))
        assert np.array_equal(end_state(tmp_path / "one", site, 7), last)


def test_history_and_samples_go_on_over_a_restart(site: Site, tmp_path: Path) -> None:
    site.run(tmp_path / "one", site.namelist(sim_duration="'2d'"))
    site.run(tmp_path / "two", site.namelist(sim_duration="'1d'"))
    site.run(tmp_path / "two", site.namelist(sim_type="'RESTART'", sim_duration="'1d'"))
    for name in ("test.mz4.h0.2012-02-26-10800.nc", "test.mz4.h0.2012-02-27-10800.nc"):
        with Dataset(tmp_path / "one" / "hist" / name) as one, Dataset(tmp_path / "two" / "hist" / name) as two:
            for variable in one.variables:
                assert np.array_equal(one[variable][...], two[variable][...]), variable


def test_threads_change_nothing(site: Site, tmp_path: Path) -> None:
    for threads in (1, 2):
        site.run(tmp_path / str(threads),
                 site.namelist(own=site.components() + f"  threads = {threads}, history = .false.", sim_duration="'1d'"))
    assert np.array_equal(end_state(tmp_path / "1", site, 1), end_state(tmp_path / "2", site, 1))


@pytest.mark.parametrize(("precision", "tolerance"), [("single", 1e-6), ("double", 1e-12)])
def test_samples_equal_history(site: Site, tmp_path: Path, precision: str, tolerance: float) -> None:
    request = site.request(days=2)
    write_request(tmp_path / "request.nc", request)
    site.run(tmp_path, site.namelist(sim_duration="'2d'",
                                     own=f"  history_precision = '{precision}', sample_list = 'request.nc', sample_file = 'samples.nc'"))
    inline = read_samples(tmp_path / "samples.nc", site.tracers)
    history = sample_history(tmp_path, "test", request, site.tracers, MOLAR_MASS_AIR, MOLAR_MASS_CO2, "mmr")
    assert inline.mixing_ratio.shape == (40, 3, 6)
    assert 380e-6 < inline.mixing_ratio.mean() < 400e-6
    for name in ("mixing_ratio", "surface_pressure", "pressure_interface", "height", "specific_humidity"):
        np.testing.assert_allclose(getattr(inline, name), getattr(history, name), rtol=tolerance, err_msg=name)
    assert np.array_equal(inline.mixing_ratio[0], inline.mixing_ratio[1])


def test_an_instant_at_a_step_end_is_the_state(site: Site, tmp_path: Path) -> None:
    instant = np.array([site.start + DAY, site.start + DAY - 1800.0])
    request = SampleRequest(np.array([100.0, 100.0]), np.array([10.0, 10.0]), instant, instant)
    write_request(tmp_path / "request.nc", request)
    model = site.run(tmp_path,
                     site.namelist(sim_duration="'1d'", own="  history = .false., sample_list = 'request.nc', sample_file = 'samples.nc'"))
    i, j = site.grid.cell_index(100.0, 10.0)
    expected = model.core.gather(np.array([i]), np.array([j]))[0] * MOLAR_MASS_AIR / MOLAR_MASS_CO2
    np.testing.assert_allclose(read_samples(tmp_path / "samples.nc").mixing_ratio[0], expected, rtol=1e-15)


def test_mass_budget_through_files_and_components(site: Site, tmp_path: Path) -> None:
    flux = 3.0e13
    uniform_emissions(tmp_path / "emis", site, flux)
    base = re.sub(r"emis_flsp%local_path = '[^']*'", f"emis_flsp%local_path = '{tmp_path}/emis/'", site.namelist(sim_duration="'2d'"))
    site.run(tmp_path / "files", base)
    initial = 390e-6 * MOLAR_MASS_CO2 / MOLAR_MASS_AIR
    air = global_mass_of_air(tmp_path / "files", site)
    added = flux * 1e4 / AVOGADRO * MOLAR_MASS_CO2 * 1e-3 * 2 * DAY * site.grid.area.sum()
    # The initial field is float32 in its file: compare the change since the first day.
    change = global_mass(tmp_path / "files", site, 2) - global_mass(tmp_path / "files", site, 1)
    np.testing.assert_allclose(change, added / 2, rtol=1e-6)
    np.testing.assert_allclose(global_mass(tmp_path / "files", site, 2), initial * air + added, rtol=1e-6)


def global_mass_of_air(directory: Path, site: Site) -> float:
    with Dataset(directory / restart_name("test", site.start + 2 * DAY)) as data:
        hyai, hybi = site.levels
        top = hyai[0] * 1e5 + hybi[0] * data["PS"][:]
        return float(np.sum((data["PS"][:] - top) / 9.80665 * site.grid.area))


def test_components_close_the_budget_in_double(site: Site, tmp_path: Path) -> None:
    from mozart_coupling.emissions import read_components, read_factors

    site.run(tmp_path, site.namelist(own=site.components() + "  history = .false."))
    _, _, times, flux = read_components(site.data / "components.nc")
    _, _, factors = read_factors(site.data / "factors.nc")
    day = np.flatnonzero((times >= site.start + DAY) & (times <= site.start + 7 * DAY))
    totals = np.trapezoid(flux[:, day], times[day], axis=1)
    added = np.einsum("ncij,cij,ij->n", factors, totals, site.grid.area) * 1e4 / AVOGADRO * MOLAR_MASS_CO2 * 1e-3
    change = global_mass(tmp_path, site, 7) - global_mass(tmp_path, site, 1)
    assert np.abs(change - added).max() < 1e-12 * global_mass(tmp_path, site, 7).max()


def test_files_and_components_agree(site: Site, tmp_path: Path) -> None:
    request = site.request(days=7)
    for name, own in (("files", ""), ("components", site.components())):
        (tmp_path / name).mkdir()
        write_request(tmp_path / name / "request.nc", request)
        site.run(tmp_path / name, site.namelist(own=own + "  history = .false., sample_list = 'request.nc', sample_file = 'samples.nc'"))
    one, two = (read_samples(tmp_path / name / "samples.nc").mixing_ratio for name in ("files", "components"))
    assert np.abs(one - two).max() < 1e-6 * 390e-6
    assert one.std(axis=1).max() > 1e-8  # there is something to compare


def test_single_precision_anomalies_keep_the_spread(site: Site, tmp_path: Path) -> None:
    request = site.request(days=7, n=200)
    for name in ("double", "single"):
        (tmp_path / name).mkdir()
        write_request(tmp_path / name / "request.nc", request)
        own = site.components() + f"  precision = '{name}', history = .false., sample_list = 'request.nc', sample_file = 'samples.nc'"
        site.run(tmp_path / name, site.namelist(own=own))
    double, single = (1e6 * read_samples(tmp_path / name / "samples.nc").mixing_ratio for name in ("double", "single"))
    worst = np.abs(single - double).max()
    assert 0.0 < worst < 1e-3
    assert worst < 1e-3 * double.std(axis=1).max()


def test_the_leap_day_is_in_the_files(site: Site, tmp_path: Path) -> None:
    site.run(tmp_path, site.namelist(sim_duration="'4d'"))
    with Dataset(tmp_path / "hist" / "test.mz4.h0.2012-02-29-10800.nc") as data:
        assert list(data["date"][:]) == [20120229] * 7 + [20120301]
        assert list(data["datesec"][:]) == [*range(10800, DAY, 10800), 0]
        day = np.datetime64("2012-03-01") - np.datetime64("0000-01-01")
        assert data["time"][-1] == day.astype(int)
    assert (tmp_path / "test-rpntr").read_text() == "rest/rstrt-2012-03-01-00000\n"
    assert START.astype(int) + 4 * DAY == np.datetime64("2012-03-01", "s").astype(int)
