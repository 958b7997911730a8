"""Regions and land: shares, totals, masks as they are found in files, the built-in map against CarbonTracker's."""

import netCDF4
import numpy as np
import pytest

from gcas_driver.errors import InputError
from gcas_driver.fluxes.region_rules import land_region, ocean_region
from gcas_driver.fluxes.regions import AGGREGATES, TRANSCOM, RegionMap, read_mask
from gcas_driver.fluxes.units import PGC_PER_YEAR
from mozart_coupling.constants import EARTH_RADIUS_M
from mozart_coupling.grids import Grid, regrid
from mozart_coupling.land import FINE_GRID, fine_land_fraction, is_land, land_fraction

GRIDS = [Grid.named("128x64"), Grid.named("144x96"), Grid.named("36x18")]
ONE_DEGREE = Grid.regular(360, 180, lon_first=-179.5)
PLACES = {  # longitude, latitude: region
    "Kansas": (-98, 38, 2), "Manaus": (-60, -3, 3), "Beijing": (116, 40, 8), "Berlin": (13, 52, 11), "Borneo": (114, 1, 9),
    "Madagascar": (46, -19, 6), "Alice Springs": (134, -24, 10), "Yakutsk": (130, 62, 7), "Yellowknife": (-114, 62, 1),
    "Buenos Aires": (-60, -36, 4), "Niamey": (2, 13, 5), "Thule": (-60, 77, 23), "Vostok": (107, -78, 23),
    "Delhi": (77, 28, 8), "Moscow": (37, 55, 11), "Novosibirsk": (83, 55, 7),
}
SEAS = {"Bermuda": (-64, 32, 17), "Tahiti": (-150, -17, 14), "Guam": (144, 13, 13), "Mid Pacific": (-150, 40, 12),
        "Cargados": (60, -16, 21), "St Helena": (-6, -16, 18), "Kerguelen": (69, -50, 20), "Jan Mayen": (-8, 71, 16),
        "Amsterdam": (77, -38, 22), "Tristan": (-13, -37, 19), "Rapa": (-144, -28, 15)}


def _mask_file(path, name, mask, lon=None, lat=None, names=("lat", "lon")):
    with netCDF4.Dataset(path, "w") as dataset:
        for dim, size in zip(names, mask.shape, strict=True):
            dataset.createDimension(dim, size)
        for dim, values in zip(names, (lat, lon), strict=True):
            if values is not None:
                dataset.createVariable(dim, "f8", (dim,))[:] = values
        dataset.createVariable(name, "f4", names)[:] = mask
    return path


def test_names_and_aggregates():
    assert len(TRANSCOM) == 23 and TRANSCOM[0] == "N Am Boreal" and TRANSCOM[9] == "Australia(+NZ)" and TRANSCOM[10] == "Europe"
    assert set(AGGREGATES) == {"Global", "Global land", "Global ocean", "Northern land", "Tropical land", "Southern land"}
    parts = [AGGREGATES[name] for name in ("Northern land", "Tropical land", "Southern land")]
    assert sorted(sum(parts, ())) == sorted(AGGREGATES["Global land"])
    assert AGGREGATES["Tropical land"] == ("S Am Tropical", "N Africa", "S Africa", "Tropical Asia")


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_builtin_shares_are_complete(grid):
    regions = RegionMap.load("builtin", grid)
    assert regions.names == TRANSCOM and regions.fraction.shape == (23, *grid.shape)
    assert regions.fraction.min() >= 0.0
    assert np.allclose(regions.fraction.sum(axis=0), 1.0, rtol=0, atol=1e-12)
    assert np.all((regions.fraction * grid.area).sum(axis=(1, 2)) > 4e12)  # none is empty


@pytest.mark.parametrize("place", PLACES)
def test_builtin_puts_land_where_it_is(place):
    lon, lat, region = PLACES[place]
    assert land_region(lon, lat) == region
    assert land_region(lon + 360.0, lat) == region
    assert is_land(np.array(lon), np.array(lat))


@pytest.mark.parametrize("place", SEAS)
def test_builtin_puts_sea_where_it_is(place):
    lon, lat, region = SEAS[place]
    assert ocean_region(lon, lat) == region


def test_totals_of_a_uniform_flux_are_areas():
    grid = Grid.named("72x36")
    regions = RegionMap.load("builtin", grid)
    totals = regions.totals_by_name(np.full((2, *grid.shape), 1e-8))
    assert totals["Global"].shape == (2,)
    sphere = 4.0 * np.pi * EARTH_RADIUS_M**2 * 1e-8 * PGC_PER_YEAR
    assert np.allclose(totals["Global"], sphere, rtol=1e-12)
    everything = totals["Global land"] + totals["Global ocean"] + totals["Not optimized"]
    assert np.allclose(everything, totals["Global"], rtol=1e-12)
    thirds = totals["Northern land"] + totals["Tropical land"] + totals["Southern land"]
    assert np.allclose(thirds, totals["Global land"], rtol=1e-12)


def test_totals_do_not_depend_on_the_grid_of_a_regridded_flux():
    flux = np.random.default_rng(0).normal(size=ONE_DEGREE.shape) * 1e-8
    fine = RegionMap.load("builtin", ONE_DEGREE).totals_by_name(flux)
    coarse = RegionMap.load("builtin", GRIDS[0]).totals_by_name(regrid(flux, ONE_DEGREE, GRIDS[0]))
    assert coarse["Global"] == pytest.approx(fine["Global"], rel=1e-11)


def test_totals_are_linear_and_refuse_bad_fluxes():
    grid = Grid.named("36x18")
    regions = RegionMap.load("builtin", grid)
    flux = np.random.default_rng(1).normal(size=(2, *grid.shape))
    assert np.allclose(regions.totals(flux.sum(axis=0)), regions.totals(flux).sum(axis=0), rtol=1e-12, atol=1e-9)
    with pytest.raises(InputError, match="grid"):
        regions.totals(flux[:, :-1])
    flux[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="NaN"):
        regions.totals(flux)


@pytest.mark.needs_real_data
def test_carbontracker_areas(real_data):
    regions = RegionMap.load(real_data / "transcom" / "carbontracker_regions.nc", ONE_DEGREE)
    areas = (regions.fraction * ONE_DEGREE.area).sum(axis=(1, 2)) / 1e12
    expected = [10.10, 11.46, 9.62, 9.27, 21.07, 10.25, 13.64, 26.18, 6.48, 8.08, 11.53, 44.93, 31.43, 34.82, 38.74, 21.45, 22.42,
                24.23, 19.23, 60.47, 31.31, 27.38, 15.98]
    assert np.allclose(areas, expected, rtol=2e-3, atol=0.01)


@pytest.mark.needs_real_data
def test_the_original_mask_is_placed_by_its_coasts(real_data):
    """Its longitudes are cell edges; the land mask and CarbonTracker's map tell which."""
    path = real_data / "transcom" / "transcom3_original_1x1.nc"
    original = RegionMap.load(path, ONE_DEGREE)
    assert original.names == TRANSCOM
    assert set(np.unique(original.fraction)) == {0.0, 1.0}  # cells meet cells: half a cell off, they would be shared
    middle = ONE_DEGREE.area * (np.abs(ONE_DEGREE.lat) < 60.0)[:, None]
    land = original.fraction[:11].sum(axis=0)
    mismatch = [np.average(np.abs(np.roll(land, turn, axis=1) - land_fraction(ONE_DEGREE)), weights=middle) for turn in (-1, 0, 1)]
    assert mismatch[1] < 0.02 and min(mismatch[0], mismatch[2]) > 0.03
    tracker = RegionMap.load(real_data / "transcom" / "carbontracker_regions.nc", ONE_DEGREE)
    both = (original.fraction * tracker.fraction * ONE_DEGREE.area).sum(axis=(1, 2))[:11]
    assert np.all(both / (tracker.fraction * ONE_DEGREE.area).sum(axis=(1, 2))[:11] > 0.85)


@pytest.mark.needs_real_data
def test_builtin_agrees_with_carbontracker(real_data, record_property):
    tracker = RegionMap.load(real_data / "transcom" / "carbontracker_regions.nc", ONE_DEGREE)
    builtin = RegionMap.load("builtin", ONE_DEGREE)
    land, sea = slice(0, 11), slice(11, 22)
    shared = (np.minimum(tracker.fraction, builtin.fraction) * ONE_DEGREE.area).sum(axis=(1, 2))
    area = (tracker.fraction * ONE_DEGREE.area).sum(axis=(1, 2))
    agreement = {"land": shared[land].sum() / area[land].sum(), "sea": shared[sea].sum() / area[sea].sum()}
    record_property("agreement", agreement)
    print("built-in map against CarbonTracker's, share of area:", agreement, (shared / area).round(3))
    assert agreement["land"] > 0.90 and agreement["sea"] > 0.95
    assert (shared / area)[land].min() > 0.75


def test_gcasv2_layout_with_and_without_coordinates(tmp_path):
    lon, lat = np.arange(360) + 0.5, np.arange(180) - 89.5
    builtin = RegionMap.load("builtin", Grid.regular(360, 180, lon_first=0.5)).fraction.argmax(axis=0) + 1
    with_axes = RegionMap.load(_mask_file(tmp_path / "a.nc", "region", builtin, lon, lat), GRIDS[0])
    without = RegionMap.load(_mask_file(tmp_path / "b.nc", "region", builtin), GRIDS[0])
    turned = RegionMap.load(_mask_file(tmp_path / "c.nc", "region", builtin[::-1], lon, lat[::-1]), GRIDS[0])
    assert with_axes.names == TRANSCOM
    assert np.array_equal(with_axes.fraction, without.fraction) and np.array_equal(with_axes.fraction, turned.fraction)


def test_a_mask_of_the_users_own(tmp_path):
    mask = np.zeros((18, 36))
    mask[9:12, :5], mask[2:4, 30:] = 7, 3
    regions = RegionMap.load(_mask_file(tmp_path / "own.nc", "basins", mask, np.arange(36) * 10.0, np.arange(18) * 10.0 - 85.0),
                             Grid.named("36x18"))
    assert regions.names == ("Region 3", "Region 7", "Not optimized")
    assert np.array_equal(regions.fraction[1], mask == 7)
    assert regions.all_names[-1] == "Global" and not regions.is_transcom


@pytest.mark.parametrize(("mask", "words"), [(np.full((18, 36), 1.5), "integers"), (np.zeros((18, 36)), "integers")])
def test_what_is_no_mask_is_refused(tmp_path, mask, words):
    with pytest.raises(InputError, match=words):
        read_mask(_mask_file(tmp_path / "m.nc", "region", mask, np.arange(36) * 10.0, np.arange(18) * 10.0 - 85.0))


def test_files_that_cannot_be_masks(tmp_path):
    with pytest.raises(InputError, match="missing"):
        read_mask(tmp_path / "none.nc")
    (tmp_path / "text.nc").write_text("regions")
    with pytest.raises(InputError, match="cannot be read"):
        read_mask(tmp_path / "text.nc")
    with pytest.raises(InputError, match="latitudes"):
        read_mask(_mask_file(tmp_path / "m.nc", "region", np.ones((18, 36)), np.arange(36) * 10.0, np.arange(18) * 9.0 - 80.0))


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_land_fraction(grid):
    land = land_fraction(grid)
    assert land.min() >= 0.0 and land.max() <= 1.0
    assert np.average(land, weights=grid.area) == pytest.approx(0.289, abs=0.002)
    assert land[grid.cell_index(20.0, 15.0)] == pytest.approx(1.0) and land[grid.cell_index(-150.0, 30.0)] == 0.0


def test_land_is_cached_on_disk_and_made_anew(tmp_path, monkeypatch):
    from mozart_coupling import land

    reference = fine_land_fraction()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    counts = np.rint(reference * 144).astype(np.uint8)
    land._store(land._cache_file(), counts)
    assert np.array_equal(land._cached_counts(land._cache_file()), counts)
    land._cache_file().write_bytes(b"broken")
    assert land._cached_counts(land._cache_file()) is None
    assert FINE_GRID.shape == counts.shape


@pytest.mark.slow
def test_the_reduced_mask_is_the_packages():
    from mozart_coupling import land

    assert np.array_equal(land._counts_from_package(), np.rint(fine_land_fraction() * 144).astype(np.uint8))


def test_builtin_is_one_thing_only():
    with pytest.raises(InputError, match="missing"):
        RegionMap.load("built-in", GRIDS[2])


def test_a_coast_gives_the_land_its_own_flux():
    grid = Grid.named("64x32")
    regions = RegionMap.load("builtin", grid)
    land = regions.fraction[:11].sum(axis=0) + regions.fraction[22]
    for component in ("bio", "ocn", "net", None):
        shares = regions.shares(component)
        np.testing.assert_allclose(shares.sum(axis=0), 1.0, atol=1e-12)
        assert shares.min() >= 0.0
    flux = np.where(land > 0.01, -1.0e-6, 0.0)
    own, by_area = regions.totals_by_name(flux, component="bio"), regions.totals_by_name(flux)
    assert own["Global ocean"] == 0.0 and by_area["Global ocean"] < 0.1 * by_area["Global"] < 0.0
    np.testing.assert_allclose(own["Global"], by_area["Global"], rtol=1e-12)
    sea = np.where(land < 0.99, 1.0e-8, 0.0)
    np.testing.assert_allclose(regions.totals_by_name(sea, component="ocn")["Global ocean"],
                               regions.totals_by_name(sea, component="ocn")["Global"], rtol=1e-12)
    assert regions.shares("net") is regions.fraction
