"""Synthetic prior fluxes and truth: totals, seasons, hours, places, and errors of the size the prior claims."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import gcas_driver.osse.truth as truth_module
from gcas_driver.fluxes.lambda_cells import GridCells
from gcas_driver.fluxes.prior import window_fluxes
from gcas_driver.fluxes.priors import PriorStream, check, read
from gcas_driver.fluxes.regions import RegionMap
from gcas_driver.fluxes.state import build_state
from gcas_driver.fluxes.units import PGC_PER_YEAR
from gcas_driver.osse.priors import ANNUAL_TOTALS, GRID, SyntheticPriors, write_flux_day, write_priors
from gcas_driver.osse.random_fields import smooth_field
from gcas_driver.osse.truth import SIZES, FluxErrors, write_truth
from mozart_coupling.grids import Grid, great_circle_km, regrid
from mozart_coupling.land import land_fraction

SEEDS = (1, 2)
MONTHS = [np.datetime64(f"2010-{month:02d}") for month in range(1, 13)]


def total(flux, where=1.0):
    """PgC/yr of (nlat, nlon)."""
    return float((flux * GRID.area * where).sum() * PGC_PER_YEAR)


@pytest.fixture(scope="module")
def priors():
    return SyntheticPriors(SEEDS[0])


@pytest.fixture(scope="module")
def months(priors):
    """Monthly means (12, nlat, nlon) from every sixth day."""
    days = [[month.astype("datetime64[D]") + d for d in range(3, 28, 6)] for month in MONTHS]
    return {c: np.array([np.mean([priors.day(c, d).mean(axis=0) for d in group], axis=0) for group in days]) for c in ANNUAL_TOTALS}


@pytest.mark.parametrize(("component", "tolerance"), [("bio", 0.4), ("ocn", 0.1), ("fossil", 0.1), ("fire", 0.1)])
def test_annual_totals(months, component, tolerance):
    assert total(months[component].mean(axis=0)) == pytest.approx(ANNUAL_TOTALS[component], abs=tolerance)


def test_another_seed_and_year_have_the_same_totals():
    other = SyntheticPriors(SEEDS[1])
    for component, tolerance in (("bio", 0.5), ("ocn", 0.15), ("fossil", 0.15), ("fire", 0.15)):
        days = np.arange(np.datetime64("2015-01-02"), np.datetime64("2016-01-01"), 11)
        mean = np.mean([other.day(component, d).mean(axis=0) for d in days], axis=0)
        assert total(mean) == pytest.approx(ANNUAL_TOTALS[component], abs=tolerance)


def test_the_north_takes_up_in_summer_and_gives_off_in_autumn(months):
    north = (GRID.lat > 23.5)[:, None]
    series = np.array([total(field, north) for field in months["bio"]])
    assert series[5:7].max() < -15 and series.min() > -35
    assert 8 < series[9:11].max() < 25
    assert (series[[0, 1, 10, 11]] > 2).all()
    world = np.array([total(field) for field in months["bio"]])
    assert -35 < world.min() < -15 and world.argmin() in (5, 6)


def test_uptake_by_day_and_release_at_night_by_local_time(priors):
    flux = priors.day("bio", np.datetime64("2010-07-10"))
    hours = (3 * np.arange(8)[:, None] + 1.5 + GRID.lon / 15) % 24
    band = (GRID.lat > 45) & (GRID.lat < 60)
    productive = np.where(priors.day("bio", np.datetime64("2010-07-10")).min(axis=0) < -5e-6, 1.0, 0.0)
    for low, high, sign in ((10, 14, -1), (0, 3, 1), (22, 24, 1)):
        chosen = (hours >= low) & (hours < high)
        mean = (flux * chosen[:, None] * productive)[:, band].sum() / (chosen[:, None] * productive * np.ones(flux.shape))[:, band].sum()
        assert sign * mean > 2e-6
    noon = (hours >= 11) & (hours < 14)
    gain = [(flux[:, band] * noon[:, None])[..., part].sum() for part in (slice(0, 120), slice(240, 360))]
    assert max(gain) < 0


def test_polar_night_has_no_uptake(priors):
    flux = priors.day("bio", np.datetime64("2010-12-20"))
    assert (flux[:, GRID.lat > 70] >= -1e-9).all()


def test_each_flux_is_where_it_belongs(months):
    land = land_fraction(GRID)
    for component in ("bio", "fossil", "fire"):
        assert (months[component][:, land == 0] == 0).all()
    assert (months["ocn"][:, land == 1] == 0).all()
    assert (months["fossil"] >= 0).all() and (months["fire"] >= 0).all()
    ocean = months["ocn"].mean(axis=0)
    tropics, mid = np.abs(GRID.lat) < 10, (np.abs(GRID.lat) > 30) & (np.abs(GRID.lat) < 60)
    assert total(ocean, tropics[:, None]) > 0.3
    assert total(ocean, mid[:, None]) < -1.5
    east = (GRID.lon > 60) & (GRID.lon < 150)
    assert total(months["fossil"].mean(axis=0), ((GRID.lat > 0)[:, None] & east)) > 3.0
    assert (months["bio"][:, GRID.lat < -65] == 0).all()


def test_fires_follow_their_seasons(months):
    north_africa = ((GRID.lat > 0) & (GRID.lat < 15))[:, None] & ((GRID.lon < 40) | (GRID.lon > 340))
    south_africa = ((GRID.lat < 0) & (GRID.lat > -25))[:, None] & ((GRID.lon > 10) & (GRID.lon < 40))
    series = [np.array([total(field, where) for field in months["fire"]]) for where in (north_africa, south_africa)]
    assert series[0].argmax() in (0, 11) and series[0][6] < 0.05 * series[0].max()
    assert series[1].argmax() in (6, 7) and series[1][1] < 0.1 * series[1].max()


def test_weeks_have_weekends(priors):
    by_day = [total(priors.day("fossil", np.datetime64("2010-06-07") + d).mean(axis=0)) for d in range(7)]  # Monday first
    assert max(by_day[5:]) < 0.93 * min(by_day[:5])


def test_files_pass_the_readers_check_and_the_seed_decides(tmp_path):
    start, end = np.datetime64("2010-06-01"), np.datetime64("2010-06-03")
    shares = []
    write_priors(tmp_path / "a", start, end, 3, shares.append)
    write_priors(tmp_path / "b", start + 1, end, 3)
    assert shares == [0.5, 1.0]
    for component in ANNUAL_TOTALS:
        assert check(PriorStream(component, "gcasv2", tmp_path / "a"), start, end) == []
        name = Path(component) / f"emissions.{component}.20100602.nc"
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    stored = read(PriorStream("bio", "gcasv2", tmp_path / "a"), start, start + 1).values
    np.testing.assert_allclose(stored, SyntheticPriors(3).day("bio", start), rtol=1e-6, atol=1e-15)
    assert not np.allclose(stored, SyntheticPriors(4).day("bio", start))


# --- Smooth maps and truth ---

def test_smooth_maps_have_unit_variance_and_their_length():
    grid = Grid.regular(36, 18)
    maps = np.array([smooth_field(np.random.default_rng(seed), 2000.0, grid) for seed in range(150)]).reshape(150, -1)
    assert maps.var() == pytest.approx(1.0, abs=0.08)
    assert abs(maps.mean()) < 0.05
    lat, lon = (a.ravel() for a in np.meshgrid(grid.lat, grid.lon, indexing="ij"))
    distance = great_circle_km(lon[:, None], lat[:, None], lon, lat)
    sample = maps.T @ maps / 150
    for low in (1000, 2000, 3000, 5000):
        ring = (distance > low) & (distance < low + 300)
        assert sample[ring].mean() == pytest.approx(np.exp(-0.5 * ((low + 150) / 2000) ** 2), abs=0.08)


def test_truth_knows_nothing_of_the_filter():
    text = Path(truth_module.__file__).read_text()
    imports = [line for line in text.splitlines() if line.startswith(("import", "from"))]
    for name in ("perturbations", "state", "harmonics", "members", "lambda_cells", "components"):
        assert not any(name in line for line in imports)


def test_a_days_total_has_its_error_and_the_hours_keep_it(priors):
    day = np.datetime64("2010-06-15")
    flux = priors.day("bio", day)
    error = FluxErrors("bio", 5)
    whole = error.true_day(day, flux)
    cycle_only = error.true_day(day, flux - flux.mean(axis=0)) - error.true_day(day, 0 * flux)
    active = np.abs(flux).mean(axis=0) > 0
    assert 0.05 < np.abs(whole - flux)[:, active].mean() / np.abs(flux)[:, active].mean() < 0.6
    balance = cycle_only.mean(axis=0)
    assert np.abs(balance).max() < 5 * SIZES["bio"].balance * np.abs(flux).max()
    shifted = error._true_cycle(flux - flux.mean(axis=0))
    assert np.abs(shifted.sum(axis=0)).max() < 1e-12 * np.abs(flux).max() * 100
    assert np.abs(shifted - (flux - flux.mean(axis=0))).max() > 1e-7


def test_errors_are_not_a_multiple_of_one_map(priors):
    """The relative error of the flux changes over the year and is not the same by day and by night."""
    days = [np.datetime64("2010-06-15"), np.datetime64("2010-09-15")]
    error = FluxErrors("bio", 5)
    ratios = []
    for day in days:
        flux = priors.day("bio", day)
        ratios += [error.true_day(day, flux)[k] / np.where(np.abs(flux[k]) > 1e-6, flux[k], np.nan) for k in (0, 4)]
    for other in ratios[1:]:
        assert np.nanstd(ratios[0] - other) > 0.05


def test_truth_files_repeat_and_emissions_are_true(tmp_path):
    start, end = np.datetime64("2010-06-01"), np.datetime64("2010-06-03")
    write_priors(tmp_path / "prior", start, end, 3)
    shares = []
    paths = write_truth(tmp_path / "truth", tmp_path / "prior", start, end, 11, shares.append)
    write_truth(tmp_path / "again", tmp_path / "prior", start + 1, end, 11)
    assert len(paths) == 8 and shares == [0.5, 1.0]
    for component in ANNUAL_TOTALS:
        assert check(PriorStream(component, "gcasv2", tmp_path / "truth"), start, end) == []
        name = Path(component) / f"emissions.{component}.20100602.nc"
        bits = [(tmp_path / where / name).read_bytes() for where in ("truth", "again", "prior")]
        assert bits[0] == bits[1]
        assert (bits[0] == bits[2]) == (component in ("fossil", "fire"))


def test_regional_errors_are_about_one_sigma_of_the_prior(priors):
    """Five truth seeds, three weeks: sizes fixed from the prior alone."""
    grid = Grid.named("128x64")
    fraction = RegionMap.load("builtin", grid).fraction[:22]
    ratios = {"bio": [], "ocn": []}
    errors = {(c, seed): FluxErrors(c, seed) for c in ratios for seed in range(5)}
    for month in (1, 6, 9):
        days = np.datetime64(f"2010-{month:02d}-10") + np.arange(7)
        flux = {c: np.stack([priors.day(c, d) for d in days[::3]]) for c in ratios}
        on_model = xr.Dataset({c: (("time", "lat", "lon"), regrid(v.mean(axis=1), GRID, grid)) for c, v in flux.items()})
        sigma = build_state(on_model, GridCells(grid, grid), "bio_ocn", {"bio": 3.0, "ocn": 5.0}).regional_sigma(fraction)
        for index, (component, regions) in enumerate((("bio", slice(0, 11)), ("ocn", slice(11, 22)))):
            prior = flux[component][1]
            for seed in range(5):
                change = regrid((errors[component, seed].true_day(days[3], prior) - prior).mean(axis=0), GRID, grid)
                by_region = (fraction * change * grid.area).sum(axis=(1, 2)) * PGC_PER_YEAR
                ratios[component].append((by_region / sigma[index])[regions])
    for component, values in ratios.items():
        assert 0.7 < np.sqrt(np.mean(np.square(values))) < 1.3, component


def test_window_fluxes_of_synthetic_files_keep_their_totals(tmp_path, priors):
    start, end = np.datetime64("2010-06-01"), np.datetime64("2010-06-02")
    for component in ANNUAL_TOTALS:
        (tmp_path / component).mkdir()
        write_flux_day(tmp_path, component, start, priors.day(component, start))
    grid = Grid.named("128x64")
    result = window_fluxes([PriorStream(c, "gcasv2", tmp_path) for c in ANNUAL_TOTALS], grid, start, end)
    for component in ANNUAL_TOTALS:
        got = (result[component].values * grid.area).sum() * PGC_PER_YEAR / 8
        assert got == pytest.approx(total(priors.day(component, start).mean(axis=0)), rel=1e-5)
