"""The primitive-equation meteorology: forcing, winds through walls, judgement of energy; with dinosaur installed, days of a run."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mozart_coupling.embedded.climate import Surface
from mozart_coupling.embedded.levels import check_coefficients
from mozart_coupling.errors import MetError
from mozart_coupling.grids import Grid
from mozart_coupling.met import MetFiles
from mozart_coupling.met_format import write_met_file

TOOLS = Path(__file__).parents[2] / "tools"
GRID = Grid.gaussian(64, 32)
SINE = np.sin(np.deg2rad(GRID.lat))[:, None]


@pytest.fixture(scope="module")
def tool():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        from primitive_equation_run import energy, forcing, records, walls
    return SimpleNamespace(energy=energy, forcing=forcing, records=records, walls=walls)


# --- Forcing ----------------------------------------------------------------------------------------------------------------

def test_year_is_that_of_the_sun(tool):
    index = tool.forcing.declination_index
    assert index(np.datetime64("2013-06-20T06")) == pytest.approx(1.0, abs=1e-3)
    assert index(np.datetime64("2013-12-21")) == pytest.approx(-1.0, abs=1e-3)
    assert index(np.datetime64("2013-03-22")) == pytest.approx(0.0, abs=1e-12)
    assert index(np.datetime64("2013-07-20"), 30.0) == index(np.datetime64("2013-06-20"))


@given(air=st.floats(-1, 1), land=st.floats(-1, 1), sea=st.floats(-1, 1), fraction=st.floats(0, 1))
def test_half_a_year_later_the_hemispheres_have_changed_places(tool, air, land, sea, fraction):
    climate, sigma = tool.forcing.Climate(), tool.forcing.sigma_levels(12)[1:, None, None]

    def temperature(sign):
        season = tool.forcing.Season(sign * air, sign * land, sign * sea)
        return tool.forcing.equilibrium_temperature(climate, season, sigma, SINE, fraction, 9.9e4)
    np.testing.assert_allclose(temperature(1.0), temperature(-1.0)[:, ::-1], rtol=1e-12)


def test_without_season_and_land_it_is_held_and_suarez(tool):
    """Their equations with their constants, on levels of their kind."""
    climate = replace(tool.forcing.Climate(), warmest=315.0, coldest=200.0, drag_sea=1.0)
    sigma, pressure = np.array([0.05, 0.3, 0.75, 0.95])[:, None, None], 1.01e5
    cosine2 = 1.0 - SINE**2
    p = sigma * pressure / 1.0e5
    published = np.maximum(200.0, (315.0 - 60.0 * SINE**2 - 10.0 * np.log(p) * cosine2) * p ** (2.0 / 7.0))
    season = tool.forcing.Season(0.0, 0.0, 0.0)
    np.testing.assert_allclose(tool.forcing.equilibrium_temperature(climate, season, sigma, SINE, 0.0, pressure), published, rtol=1e-12)
    height = np.maximum(0.0, (sigma - 0.7) / 0.3)
    rate = 1.0 / 40.0 + (1.0 / 4.0 - 1.0 / 40.0) * height * cosine2**2
    np.testing.assert_allclose(tool.forcing.relaxation_rate(climate, sigma, SINE, 0.0) * 86400.0, rate, rtol=1e-12)
    np.testing.assert_allclose(tool.forcing.drag_rate(climate, sigma, 0.0) * 86400.0, height, rtol=1e-12)


def test_land_has_the_larger_and_earlier_year(tool):
    climate = tool.forcing.Climate()
    days = np.datetime64("2013-01-01", "s") + np.arange(365) * np.timedelta64(1, "D")
    north = np.sin(np.deg2rad(60.0))
    seasons = [tool.forcing.Season.at(climate, day) for day in days]
    land, sea = (np.array([float(tool.forcing.equilibrium_temperature(climate, season, 1.0, north, fraction, 1.0e5)) for season in seasons])
                 for fraction in (1.0, 0.0))
    assert np.ptp(land) == pytest.approx(2 * 36.0 * north, rel=1e-3)
    assert np.ptp(sea) == pytest.approx(2 * 10.0 * north, rel=1e-3)
    assert int(np.argmax(sea)) - int(np.argmax(land)) == 35


def test_levels_are_legal_and_the_mask_smooth(tool):
    for n in (10, 28):
        sigma = tool.forcing.sigma_levels(n)
        check_coefficients(np.zeros_like(sigma), sigma)
        assert sigma.size == n + 1
        assert sigma[0] == 0.0
    land = tool.forcing.smooth_land(Grid.named("128x64"))
    assert 0.27 < (land * Grid.named("128x64").area).sum() / Grid.named("128x64").area.sum() < 0.31
    assert np.abs(np.diff(land, axis=1)).max() < 0.5


# --- Winds through walls ----------------------------------------------------------------------------------------------------

def test_short_waves_pass_the_walls_whole(tool):
    """Along a circle: the mean of two neighbours of the sharpened wave is the wave between them, up to a third of the cells."""
    n, lon = 128, 2.0 * np.pi * np.arange(128) / 128
    for k in (1, 7, 30, 42):
        made = tool.walls.along_parallels(np.cos(k * lon + 0.3)[None], tool.walls.sharpen)[0]
        np.testing.assert_allclose(0.5 * (made + np.roll(made, -1)), np.cos(k * (lon + np.pi / n) + 0.3), atol=1e-12)


def test_flow_without_divergence_has_nearly_none_on_the_grid(tool):
    """A stream function of short waves, away from the poles: what the walls' fluxes seem to converge falls to a tenth and less."""
    grid = Grid.named("128x64")
    lon, lat = np.deg2rad(grid.lon)[None, :], np.deg2rad(grid.lat)[:, None]
    k, n = 20, 24
    envelope, slope = np.cos(lat) ** 4, -4.0 * np.cos(lat) ** 3 * np.sin(lat)
    u = -(slope * np.sin(n * lat) + envelope * n * np.cos(n * lat)) * np.cos(k * lon)
    v = -envelope * np.sin(n * lat) * k * np.sin(k * lon) / np.cos(lat)
    fields = {"U": u[None], "V": v[None], "PS": np.full(grid.shape, 1.0e5)}

    def converged(fields):
        edges = np.deg2rad(grid.lat_edges)
        west = 0.5 * (fields["U"][0] + np.roll(fields["U"][0], 1, axis=1)) * np.diff(edges)[:, None]
        south = np.zeros((grid.nlat + 1, grid.nlon))
        south[1:-1] = 0.5 * (fields["V"][0, 1:] + fields["V"][0, :-1]) * np.cos(edges[1:-1])[:, None] * 2.0 * np.pi / grid.nlon
        gain = np.roll(west, -1, axis=1) - west + np.diff(south, axis=0)
        return np.abs(gain[8:-8]).max()
    assert converged(tool.walls.to_walls(fields)) < 0.1 * converged(fields)


def test_uniform_fields_and_the_air_stay_as_they_are(tool):
    pressure = 9.8e4 + 2.0e3 * np.cos(3.0 * np.deg2rad(GRID.lon))[None, :] * (1.0 - SINE**2) ** 2
    made = tool.walls.to_walls({"U": np.zeros((2, *GRID.shape)), "V": np.zeros((2, *GRID.shape)), "PS": pressure, "T": np.ones(3)})
    assert not made["U"].any()
    np.testing.assert_array_equal(made["T"], np.ones(3))
    np.testing.assert_allclose(made["PS"].mean(axis=1), pressure.mean(axis=1), rtol=1e-4)
    uniform = np.full(GRID.shape, 1.0e5)
    np.testing.assert_allclose(tool.walls.along_meridians(uniform, tool.walls.average, 1.0), uniform, rtol=1e-14)


# --- Records and judgement --------------------------------------------------------------------------------------------------

def test_a_record_is_what_met_files_take(tool, tmp_path):
    sigma = tool.forcing.sigma_levels(10)
    shape = (10, *GRID.shape)
    temperature = np.broadcast_to(np.linspace(200.0, 295.0, 10)[:, None, None], shape)
    fields = {"U": np.full(shape, 5.0), "V": np.zeros(shape), "T": temperature, "PS": np.full(GRID.shape, 9.8e4)}
    times = np.datetime64("2013-07-01", "s") + np.arange(4) * np.timedelta64(6, "h")
    surface = Surface(GRID)
    made = [tool.records.met_record(surface, np.full(GRID.shape, 100.0), sigma, time, fields) for time in times]
    stacked = {name: np.array([record[name] for record in made]) for name in made[0]}
    write_met_file(tmp_path / "dry_20130701.nc", GRID, np.zeros(11), sigma, times, stacked)
    with MetFiles(tmp_path, "dry_") as files:
        problems = files.check(times[0] + np.timedelta64(1, "D"), times[-1])
        assert not problems, problems
        read = files.fields_at(times[1])
    assert read["PHIS"].mean() == pytest.approx(980.665)
    assert 0.005 < read["Q"][-1].mean() < 0.03


def series(tool, eddy):
    """Rows of one record a day with the given eddy energy, all else as on earth."""
    days = np.datetime64("2013-01-01", "s").astype(int) + 86400.0 * np.arange(eddy.size)
    north = -np.array([tool.forcing.declination_index(np.datetime64(int(t), "s")) for t in days])
    values = dict(time=days, days_per_row=1.0, resolution=42.0, eddy=eddy, eddy_north=eddy, eddy_south=eddy, zonal=6e5, jet_north=35.0,
                  jet_south=30.0, jet_pressure=2.1e4, cell_high=1e11 * (1.0 + north), cell_low=-1e11 * (1.0 - north), ps_low=6e4,
                  ps_high=1.04e5, shift=0.0)
    return np.stack([np.broadcast_to(values[name], days.shape) for name in tool.energy.COLUMNS], axis=1)


def test_flat_energy_passes_and_nothing_else(tool):
    weather = 6.0e5 * (1.0 + 0.1 * np.random.default_rng(3).standard_normal(365))
    year = np.cos(2.0 * np.pi * np.arange(365) / 365.25)
    steady = series(tool, weather * (1.0 + 0.2 * year))
    assert tool.energy.failures(steady) == []
    assert tool.energy.warnings_of(steady) == []
    assert abs(tool.energy.trend(steady)) < 0.1
    drifting = series(tool, weather * np.linspace(0.8, 1.2, 365))
    assert tool.energy.trend(drifting) == pytest.approx(0.4, abs=0.1)
    assert any("trend" in text for text in tool.energy.warnings_of(drifting))
    assert any("die" in text for text in tool.energy.failures(series(tool, weather * np.exp(-np.arange(365) / 60.0))))
    assert any("blow up" in text for text in tool.energy.failures(series(tool, weather * np.where(np.arange(365) > 360, 9.0, 1.0))))
    assert any("no trend" in text for text in tool.energy.warnings_of(series(tool, weather[:20])))


def test_energy_of_a_known_wave(tool):
    """u = U + A cos(3 lon): 1/4 A^2 ps/g of eddy energy; cells and jets of a resting meridional wind are none."""
    sigma = tool.forcing.sigma_levels(10)
    wave = 30.0 + 8.0 * np.cos(3.0 * np.deg2rad(GRID.lon))
    fields = {"U": np.broadcast_to(wave, (10, *GRID.shape)), "V": np.zeros((10, *GRID.shape)), "PS": np.full(GRID.shape, 1.0e5)}
    row = dict(zip(tool.energy.COLUMNS, tool.energy.row(GRID, sigma, np.datetime64("2013-01-01"), 0.25, 21, fields, 0.0), strict=True))
    assert row["eddy"] == pytest.approx(0.25 * 8.0**2 * 1.0e5 / 9.80665, rel=1e-12)
    assert row["eddy_north"] == pytest.approx(row["eddy"], rel=1e-12)
    assert row["zonal"] == pytest.approx(0.5 * 30.0**2 * 1.0e5 / 9.80665, rel=1e-12)
    assert row["jet_north"] == pytest.approx(30.0)
    assert row["cell_high"] == row["cell_low"] == 0.0
    with pytest.raises(MetError, match="blown up"):
        tool.energy.row(GRID, sigma, np.datetime64("2013-01-01"), 0.25, 21, {**fields, "PS": np.full(GRID.shape, np.nan)}, 0.0)


# --- With the dynamics ------------------------------------------------------------------------------------------------------

@pytest.mark.slow
def test_a_resumed_run_makes_the_same_files(tmp_path):
    """Ten days and four at once, or the ten first: the same bytes; another run's checkpoint is refused."""
    pytest.importorskip("dinosaur", reason="dinosaur is not installed: pip install gcas[dinosaur]")
    common = [sys.executable, str(TOOLS / "primitive_equations")]
    options = ["--start", "2013-01-10", "--levels", "8", "--spinup-days", "8", "--spinup-resolution", "10", "--adjust-days", "0"]

    def run(directory, days, *more):
        command = [*common, str(tmp_path / directory), *options, "--days", str(days), *more]
        return subprocess.run(command, capture_output=True, text=True, check=False)
    whole, first, second = run("whole", 2), run("parts", 1), run("parts", 2)
    assert "met check" not in whole.stderr, whole.stderr
    assert "going on from" in second.stderr, first.stderr + second.stderr
    names = sorted(path.name for path in (tmp_path / "whole").glob("*.nc"))
    assert names == [f"dry_201301{day:02d}.nc" for day in (9, 10, 11, 12)]
    for name in names:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()
    other = run("parts", 2, "--seed", "2")
    assert other.returncode == 2
    assert "another run's" in other.stderr
