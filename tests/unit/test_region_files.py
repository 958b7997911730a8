"""Regions from files of every kind: where they lie, their names, what is refused."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest
from formats.regions import (
    COARSE,
    ECOSYSTEMS,
    carbontracker_regions,
    gcasv2_regions,
    mozart_regions,
    named_mask,
    polygon_file,
    transcom_mask64,
    transcom_numbers,
)

from gcas_driver.errors import InputError
from gcas_driver.fluxes.region_masks import read_mask
from gcas_driver.fluxes.region_polygons import polygon_shares, read_polygons
from gcas_driver.fluxes.regions import TRANSCOM, RegionMap
from mozart_coupling.grids import Grid

ONE = Grid.regular(360, 180, lon_first=-179.5)
T42 = Grid.named("128x64")


def _share(path, grid=ONE, **options):
    regions = RegionMap.load(path, grid, **options)
    assert np.allclose(regions.fraction.sum(axis=0), 1.0, atol=1e-9)
    return regions


@pytest.mark.parametrize("write", [carbontracker_regions, transcom_mask64, gcasv2_regions])
def test_transcom_in_every_form_is_the_same_map(tmp_path, write):
    regions = _share(write(tmp_path), COARSE)
    expected = transcom_numbers().copy()
    if write is transcom_mask64:
        expected[0, 0] = 23  # nearly zero
    assert regions.names == TRANSCOM and np.array_equal(regions.fraction.argmax(axis=0) + 1, expected)


def test_mozarts_masks_are_read_on_their_own_grid(tmp_path):
    regions = _share(mozart_regions(tmp_path), Grid.with_poles(36, 19))
    assert regions.names == TRANSCOM and set(np.unique(regions.fraction)) == {0.0, 1.0}


def test_names_come_from_the_file(tmp_path):
    basins = _share(named_mask(tmp_path), COARSE)
    assert basins.names == ("Upper basin", "Lower basin", "Not optimized")
    assert np.array_equal(basins.fraction[0] == 1.0, transcom_numbers() == 3)
    eco = _share(carbontracker_regions(tmp_path), COARSE, variable="land_ecosystems")
    assert eco.names == (*ECOSYSTEMS, "Not optimized")
    assert np.array_equal(eco.fraction[-1] == 1.0, transcom_numbers() > 11)  # the sea


def test_edges_are_said_by_the_setting(tmp_path):
    path = gcasv2_regions(tmp_path)
    centred, western, eastern = (read_mask(path, longitudes=kind).grid.lon[0] for kind in ("centres", "western_edges", "eastern_edges"))
    assert (western - centred, eastern - centred) == pytest.approx((2.5, -2.5))


def test_edges_on_both_sides_are_seen(tmp_path):
    path = tmp_path / "edges.nc"
    with netCDF4.Dataset(path, "w") as data:
        for name, values in (("lat", COARSE.lat_edges), ("lon", COARSE.lon_edges)):
            data.createDimension(name, values.size - 1)
            data.createDimension(f"{name}_edge", values.size)
            data.createVariable(name, "f8", (f"{name}_edge",))[:] = values
        data.createVariable("basins", "i4", ("lat", "lon"))[:] = transcom_numbers()
    assert read_mask(path).grid == COARSE and np.array_equal(read_mask(path).values, transcom_numbers())


def test_whole_degrees_need_a_word(tmp_path):
    """Centres or edges? Half a cell of doubt is not settled in silence."""
    path = transcom_mask64(tmp_path)
    with netCDF4.Dataset(path, "a") as data:
        data.renameVariable("mask64", "zones")
    with pytest.raises(InputError, match="centres or edges"):
        read_mask(path)
    assert read_mask(path, longitudes="eastern_edges").grid.lon[0] == COARSE.lon[0] - 5.0


def test_dimensions_in_the_other_order(tmp_path):
    path = tmp_path / "turned.nc"
    with netCDF4.Dataset(path, "w") as data:
        for name, values in (("lon", COARSE.lon), ("lat", COARSE.lat)):
            data.createDimension(name, values.size)
            data.createVariable(name, "f8", (name,))[:] = values
        data.createVariable("region", "i4", ("lon", "lat"))[:] = transcom_numbers().T
    assert np.array_equal(read_mask(path).values, transcom_numbers())


def test_faults_of_a_mask_are_named(tmp_path):
    def mask(values, name="region", lat=COARSE.lat, lon=COARSE.lon):
        path = tmp_path / "mask.nc"
        with netCDF4.Dataset(path, "w") as data:
            for dim, coordinate in (("lat", lat), ("lon", lon)):
                data.createDimension(dim, coordinate.size)
                data.createVariable(dim, "f8", (dim,))[:] = coordinate
            data.createVariable(name, "f8", ("lat", "lon"))[:] = values
        return path

    numbers = transcom_numbers().astype(float)
    holes = np.where(numbers == 23, 0.0, numbers)
    holes[3, 4] = np.nan
    for given, words in (({"values": numbers + 0.3}, "integers"), ({"values": holes}, "holes"), ({"values": numbers * 1e6}, "integers"),
                         ({"values": numbers, "lat": np.linspace(-80, 80, 36)}, "latitudes"),
                         ({"values": numbers, "lon": COARSE.lon / 2}, "longitudes")):
        with pytest.raises(InputError, match=words):
            RegionMap.load(mask(**given), COARSE)
    with pytest.raises(InputError, match="no variable 'other'"):
        RegionMap.load(mask(numbers), COARSE, variable="other")
    (tmp_path / "cut.nc").write_bytes(mask(numbers).read_bytes()[:3000])
    with pytest.raises(InputError):
        RegionMap.load(tmp_path / "cut.nc", COARSE)


# --- polygons ---


def _area(polygons, grid):
    path_shares = polygon_shares(polygons, grid, "test")
    return (path_shares * grid.area).sum(axis=(1, 2))


def _box_area(west, east, south, north):
    radius = np.sqrt(ONE.area.sum() / (4.0 * np.pi))
    return radius**2 * np.deg2rad(east - west) * (np.sin(np.deg2rad(north)) - np.sin(np.deg2rad(south)))


@pytest.mark.parametrize("grid", [ONE, T42, Grid.named("144x96"), Grid.named("72x46")], ids=str)
def test_boxes_have_their_exact_area_on_every_grid(tmp_path, grid):
    areas = _area(read_polygons(polygon_file(tmp_path)), grid)
    assert areas[0] == pytest.approx(_box_area(-80, -50, -10, 5), rel=1e-9)
    assert areas[1] == pytest.approx(_box_area(170, 190, -20, 10) - _box_area(175, 185, -10, 0), rel=1e-9)


def test_a_box_fills_the_cells_it_covers(tmp_path):
    shares = polygon_shares(read_polygons(polygon_file(tmp_path)), ONE, "test")
    lon, lat = np.meshgrid(ONE.lon, ONE.lat)
    assert np.allclose(shares[0], (lon > -80) & (lon < -50) & (lat > -10) & (lat < 5), atol=1e-9)
    far = np.mod(lon, 360.0)
    inside = (far > 170) & (far < 190) & (lat > -20) & (lat < 10) & ~((far > 175) & (far < 185) & (lat > -10) & (lat < 0))
    assert np.allclose(shares[1], inside, atol=1e-9)


def _polygons(tmp_path, text):
    path = tmp_path / "regions.txt"
    path.write_text(text)
    return read_polygons(path)


def test_a_triangle_has_its_integral(tmp_path):
    """Corners (0, 0), (30, 0), (0, 40): area = R² ∫ 30° (1 - φ/40°) cos φ dφ."""
    areas = _area(_polygons(tmp_path, "region A\n0 0\n30 0\n0 40\n"), T42)
    phi = np.deg2rad(40.0)
    radius2 = ONE.area.sum() / (4.0 * np.pi)
    exact = radius2 * np.deg2rad(30.0) * (1.0 - np.cos(phi)) / phi
    assert areas[0] == pytest.approx(exact, rel=2e-6)


@pytest.mark.parametrize("text, south, north", [
    ("region Cap\n0 70\n120 70\n240 70\n", 70, 90), ("region Cap\n0 -60\n-120 -60\n120 -60\n", -90, -60),
    ("region Band\n-180 -5\n180 -5\n180 5\n-180 5\n", -5, 5), ("region Band\n0 -5\n360 -5\n360 5\n0 5\n", -5, 5),
    ("region Cap\n-180 -90\n180 -90\n180 -60\n-180 -60\n", -90, -60)])
def test_rings_round_the_globe(tmp_path, text, south, north):
    assert _area(_polygons(tmp_path, text), T42)[0] == pytest.approx(_box_area(0, 360, south, north), rel=1e-9)


def test_where_a_ring_begins_and_its_longitude_convention_do_not_matter(tmp_path):
    corners = np.array([[160, -30], [200, -35], [215, 10], [190, 40], [150, 20]], dtype=float)
    shares = []
    for start in range(5):
        ring = np.roll(corners, start, axis=0)
        ring[:, 0] = np.where(ring[:, 0] > 180, ring[:, 0] - 360, ring[:, 0]) if start % 2 else ring[:, 0]
        shares.append(polygon_shares(_polygons(tmp_path, "region A\n" + "\n".join(f"{x} {y}" for x, y in ring)), T42, "test"))
    assert all(np.allclose(s, shares[0], atol=1e-9) for s in shares)


def test_neighbours_share_cells_and_what_is_left_is_of_no_region(tmp_path):
    path = polygon_file(tmp_path)
    regions = _share(path, T42)
    assert regions.names == ("Amazon", "Dateline", "Not optimized")
    assert regions.totals_by_name(np.full(T42.shape, 1e-8))["Global"] > 0


def test_regions_drawn_with_transcoms_names_have_its_aggregates(tmp_path):
    width = 360.0 / 22
    text = "".join(f"region {name}\n" + "".join(f"{x} {y}\n" for x, y in
                   ((i * width, -60), ((i + 1) * width, -60), ((i + 1) * width, 60), (i * width, 60)))
                   for i, name in reversed(list(enumerate(TRANSCOM[:22]))))
    (tmp_path / "all.txt").write_text(text)
    regions = _share(tmp_path / "all.txt", T42)
    assert regions.is_transcom and "Global land" in regions.all_names


@pytest.mark.parametrize("text, words", [
    ("", "no regions"), ("1 2\n", "no list of regions"), ("region A\n1 2\n3 4\n", "three corners"),
    ("region A\n1 2\n3 x\n4 5\n", "two numbers"), ("region A\n-10 100\n3 100\n4 110\n", "no place"),
    ("region A\n0 0\n1 1\n2 2\n", "no area"), ("hole\n0 0\n1 1\n2 0\n", "hole outside"),
    ("region\n0 0\n1 1\n2 0\n", "needs a name"), ("region A\n0 0\n180 0\n90 40\n", "either way"),
    ("region A\nnan 0\n1 0\n9 4\n", "no place")])
def test_faults_of_a_list_are_named_with_their_line(tmp_path, text, words):
    with pytest.raises(InputError, match=words) as error:
        _polygons(tmp_path, text)
    assert "regions.txt" in str(error.value)


def test_overlapping_regions_are_refused_but_for_a_little(tmp_path):
    box = "{0} 0\n{1} 0\n{1} 10\n{0} 10\n"
    near = _polygons(tmp_path, "region A\n" + box.format(0, 10.05) + "region B\n" + box.format(10, 20))
    shares = polygon_shares(near, ONE, "test")
    assert shares.sum(axis=0).max() <= 1.0 + 1e-12
    with pytest.raises(InputError, match="overlap"):
        polygon_shares(_polygons(tmp_path, "region A\n" + box.format(0, 12) + "region B\n" + box.format(10, 20)), ONE, "test")
    (tmp_path / "regions.txt").write_text("region Global\n" + box.format(0, 12))
    with pytest.raises(InputError, match="names of their own"):
        RegionMap.load(tmp_path / "regions.txt", ONE)


@pytest.mark.needs_real_data
def test_real_masks_by_name_and_by_variable(real_data):
    path = real_data / "transcom" / "carbontracker_regions.nc"
    eco = _share(path, variable="land_ecosystems")
    assert len(eco.names) == 19 and "Conifer Forest" in eco.names[0]
    assert read_mask(path, "regions").values.max() <= 240
    ocean = _share(path, variable="ocean_regions")
    assert ocean.names[0] == "Region 1" and ocean.fraction[-1].mean() > 0.2
    original = read_mask(real_data / "transcom" / "transcom3_original_1x1.nc")
    assert original.grid.lon[0] == -180.5 or original.grid.lon[0] == -179.5 - 1.0
