"""What a conversion must not change: mass integrals, uniform fields, solid rotation, the flow over the poles, whichever way a file lies."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from generators import met_files as world

from mozart_coupling.embedded.levels import hybrid_levels, level_pressure
from mozart_coupling.grids import Grid
from mozart_coupling.met import MetFiles
from mozart_coupling.reanalysis.catalogue import Catalogue
from mozart_coupling.reanalysis.columns import state_columns, structure_of
from mozart_coupling.reanalysis.convert import convert_reanalysis
from mozart_coupling.reanalysis.levels import published_levels
from mozart_coupling.reanalysis.names import PRODUCTS
from mozart_coupling.reanalysis.parts import fix_pole_winds

START, END = np.datetime64("2010-06-02"), np.datetime64("2010-06-03")
NOON = np.datetime64("2010-06-02T12", "s")
SIX = world.times("2010-06-02", "2010-06-03T18", 6)
HOURLY = world.times("2010-06-01T21", "2010-06-03T22", 1)
SOURCE = Grid.with_poles(24, 13)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return world.new_store_model(tmp_path_factory.mktemp("era5"), SIX, HOURLY)


def _columns(files, product, grid, levels, mean_pressure=None):
    catalogue = Catalogue(files)
    series = catalogue.choose(PRODUCTS[product])
    structure = structure_of(catalogue, PRODUCTS[product], series)
    terms = {name: series[name].at(NOON) for name in ("T", "U", "V", "Q", "PS", "DELP") if name in series}
    return state_columns(structure, series, terms, grid, levels, mean_pressure), series


@pytest.mark.parametrize("grid", [Grid.regular(18, 10), Grid.gaussian(16, 8), Grid.with_poles(36, 19)])
def test_mass_integrals_are_kept(source, grid):
    """∫∫ x dp dA of u, v, T and q, and the mass itself, from 137 levels to 20 sigma levels on another grid, to 1e-12."""
    levels = (np.zeros(21), np.linspace(0.0, 1.0, 21) ** 1.5)
    columns, series = _columns(source, "era5", grid, levels)
    term = series["PS"].at(NOON)[0]
    ps = np.exp(term.part.read(term.stamp)[0])
    a, b = published_levels(137)
    air = np.diff(a[:, None, None] + b[:, None, None] * ps, axis=0)
    target = np.diff(level_pressure(*levels, columns.ps), axis=0)
    assert abs((target * grid.area).sum() / (air * SOURCE.area).sum() - 1.0) < 1e-12
    own = {name: series[name].at(NOON)[0].part.read(series[name].at(NOON)[0].stamp) for name in ("T", "U", "V", "Q")}
    fix_pole_winds(own["U"], own["V"], SOURCE)
    for name, values in own.items():
        kept = (columns.fields[name] * target * grid.area).sum()
        assert abs(kept - (values * air * SOURCE.area).sum()) < 1e-12 * (np.abs(values) * air * SOURCE.area).sum(), name


def test_thicknesses_keep_mass_integrals(tmp_path):
    files = world.merra(tmp_path, SIX, HOURLY)
    levels = (np.full(9, 1.0e-5) * (1.0 - np.linspace(0.0, 1.0, 9)), np.linspace(0.0, 1.0, 9))  # from 1 Pa, GEOS's own top
    grid = Grid.regular(18, 10)
    columns, series = _columns(files, "geos", grid, levels)
    own = {name: series[name].at(NOON)[0].part.read(series[name].at(NOON)[0].stamp) for name in ("T", "Q", "DELP")}
    target = np.diff(level_pressure(*levels, columns.ps), axis=0)
    area = series["T"].first.grid.area
    for name in ("T", "Q"):
        assert np.isclose((columns.fields[name] * target * grid.area).sum(), (own[name] * own["DELP"] * area).sum(), rtol=1e-12)


@pytest.mark.parametrize("layout", ["model", "pressure"])
def test_uniform_fields_and_solid_rotation(tmp_path, source, layout):
    files = source if layout == "model" else world.new_store_pressure(tmp_path / "source", SIX, HOURLY)
    changed = tmp_path / "levels.nc"
    with xr.open_dataset(files[0]) as data:
        data = data.load()
    data["q"][:], data["t"][:], data["v"][:] = 0.004, 250.0, 0.0
    data["u"][:] = (30.0 * np.cos(np.deg2rad(world.LAT)))[:, None].astype(np.float32)
    data.to_netcdf(changed)
    with xr.open_dataset(files[0]) as untouched:
        assert not np.allclose(untouched["q"], 0.004)
    grid = Grid.regular(18, 10)
    fields = _columns([changed, *files[1:]], "era5", grid, hybrid_levels(15))[0].fields
    assert np.abs(fields["Q"] / np.float32(0.004) - 1.0).max() < 1e-12 and np.abs(fields["T"] / 250.0 - 1.0).max() < 1e-12
    assert np.abs(fields["V"]).max() < 1e-12
    zonal = fields["U"].mean(axis=(0, 2))
    assert np.abs(fields["U"] - zonal[:, None]).max() < (1e-2 if layout == "model" else 1e-11)  # mass weights vary within a cell
    assert np.abs(zonal / (30.0 * np.cos(np.deg2rad(grid.lat))) - 1.0)[1:-1].max() < 0.02


def test_flow_over_the_poles():
    """Solid rotation about an axis in the equator: the vector on the pole is the neighbours' to (1 - sin) / 2 of it."""
    grid = Grid.with_poles(36, 181)
    phi, lam = np.deg2rad(grid.lat)[:, None], np.deg2rad(grid.lon)[None, :]
    u = 20.0 * np.sin(phi) * np.cos(lam)
    v = -20.0 * np.sin(lam) * np.ones_like(phi)
    for spoil in (0.0, 77.0):
        mine_u, mine_v = u.copy(), v.copy()
        mine_u[[0, -1]], mine_v[[0, -1]] = spoil, spoil
        fix_pole_winds(mine_u, mine_v, grid)
        assert np.abs(mine_u - u).max() < 2e-3 and np.abs(mine_v - v).max() < 2e-3
    rotation = 20.0 * np.cos(phi) * np.ones_like(lam)
    mine_u, mine_v = rotation.copy(), np.zeros_like(rotation)
    fix_pole_winds(mine_u, mine_v, grid)
    assert np.abs(mine_u - rotation).max() < 1e-12 and np.abs(mine_v).max() < 1e-12
    other = Grid.regular(36, 18)  # no points on the poles: nothing is touched
    keep = np.ones(other.shape)
    fix_pole_winds(keep, keep, other)
    assert np.all(keep == 1.0)


def _turned(data):
    """South first, longitudes from -180 with the first meridian repeated, levels from the ground up."""
    data = data.isel(latitude=slice(None, None, -1), longitude=np.r_[12:24, 0:13])
    lon = np.r_[-180.0:181.0:15.0]
    data = data.assign_coords(longitude=lon)
    return data.isel(model_level=slice(None, None, -1)) if "model_level" in data.dims else data


def _two_versions(data):
    """Final and preliminary data side by side, as the old store gave a month that was not yet final."""
    final, early = data.copy(deep=True), data.copy(deep=True)
    for name in data.data_vars:
        if "valid_time" in data[name].dims:
            final[name] = final[name].where(final.valid_time < np.datetime64("2010-06-02T12"))
            early[name] = early[name].where(early.valid_time >= np.datetime64("2010-06-02T12"))
    return xr.concat([final.drop_vars("expver", errors="ignore"), early.drop_vars("expver", errors="ignore")],
                     dim=xr.Variable("expver", np.array([1, 5])))


@pytest.mark.parametrize("change", [_turned, _two_versions])
def test_whichever_way_the_files_lie(tmp_path, source, change):
    paths = []
    for path in source:
        with xr.open_dataset(path) as data:
            changed = change(data.load())
        for name in changed.variables:
            changed[name].encoding = {}
        paths.append(tmp_path / path.name)
        changed.to_netcdf(paths[-1])
    grid, levels = Grid.regular(18, 10), hybrid_levels(8)
    for name, files in (("as_is", source), ("changed", paths)):
        convert_reanalysis("era5", files, tmp_path / name, "m_", grid, levels, START, END)
    one, two = (MetFiles(tmp_path / name, "m_").fields_at(NOON) for name in ("as_is", "changed"))
    assert set(one) == set(two)
    for name, values in one.items():
        assert np.abs(two[name] - values).max() <= 1e-6 * np.abs(values).max(), name


def test_geos_files_with_the_ground_first(tmp_path):
    """As written for GEOS-Chem: layers from the ground up, PS in hPa, no DELP; convective mass flux at 73 interfaces."""
    files = world.merra(tmp_path / "source", SIX, world.times("2010-06-01T20", "2010-06-03T23", 1, 0.5))
    with xr.open_dataset(files[0]) as data:
        data = data.load()
    faces = np.arange(73.0)
    flux = np.broadcast_to((faces * (72.0 - faces) / 5.0e4)[None, :, None, None], (SIX.size + 2, 73, 13, 24))
    stamps = world.times("2010-06-01T21", "2010-06-04T03", 6)[: SIX.size + 2]
    other = xr.Dataset({"CMFMC": (("time", "lev", "lat", "lon"), flux.astype(np.float32))},
                       {"time": stamps.astype("datetime64[ns]"), "lev": faces, "lat": data.lat, "lon": data.lon})
    changed = data.drop_vars("DELP").isel(lev=slice(None, None, -1)).assign_coords(lev=np.linspace(1.0, 0.0, 72))
    changed["PS"] = (0.01 * changed["PS"]).assign_attrs(units="hPa")
    for name in changed.variables:
        changed[name].encoding = {}
    changed.to_netcdf(tmp_path / "I3.nc4")
    other.to_netcdf(tmp_path / "A3mstE.nc4")
    grid, levels = Grid.regular(18, 10), hybrid_levels(8)
    convert_reanalysis("geos", files, tmp_path / "one", "m_", grid, levels, START, END)
    convert_reanalysis("geos", [tmp_path / "I3.nc4", tmp_path / "A3mstE.nc4", *files[1:]], tmp_path / "two", "m_", grid, levels, START, END)
    one, two = (MetFiles(tmp_path / name, "m_").fields_at(NOON) for name in ("one", "two"))
    for name, values in one.items():
        assert np.abs(two[name] - values).max() <= 2e-6 * np.abs(values).max(), name
    mass_flux = two["CMFMC"]
    assert mass_flux.shape == (9, 10, 18) and np.allclose(mass_flux[-1], 0.0) and np.isclose(mass_flux.max(), 36.0**2 / 5.0e4, rtol=0.15)
