"""Whatever a file's units, direction, order of rows, columns and dimensions: the same flux comes out, and its total is kept."""

import netCDF4
import numpy as np
import pytest
from formats.flux_common import DAY, write_cf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcas_driver.fluxes.priors import PriorStream, check, days, read
from gcas_driver.fluxes.units import MONTH, PGC_PER_YEAR, flux_units
from mozart_coupling.grids import Grid, regrid

CARBON, CO2, AVOGADRO = 12.011, 44.0095, 6.02214076e23  # g mol-1, g mol-1, mol-1
JUNE = 30 * 86400.0

# Units and how many of them one mol m-2 s-1 is; per cell: one mol s-1.
PER_AREA = {
    "mol m-2 s-1": 1.0, "micromol m-2 s-1": 1e6, "umol/m2/s": 1e6, "nmol m^-2 s^-1": 1e9, "mol C m-2 day-1": 86400.0,
    "molecules cm-2 s-1": AVOGADRO / 1e4, "molec/cm2/s": AVOGADRO / 1e4, "molecules CO2 m-2 s-1": AVOGADRO,
    "gC m-2 d-1": CARBON * 86400, "g C m-2 day-1": CARBON * 86400, "gC/m2/d": CARBON * 86400, "g(C) m-2 day-1": CARBON * 86400,
    "kgC m-2 s-1": CARBON * 1e-3, "kg C m-2 s-1": CARBON * 1e-3, "kg CO2 m-2 s-1": CO2 * 1e-3, "kgCO2/m2/h": CO2 * 1e-3 * 3600,
    "gC m-2 yr-1": CARBON * 365.25 * 86400, "mg C m-2 h-1": CARBON * 1e3 * 3600, "Mg C km-2 d-1": CARBON * 86400,
    "tC km-2 d-1": CARBON * 86400, "1e-3 mol m-2 s-1": 1e3, "10 mol m-2 s-1": 0.1,
}
PER_MONTH = {"gC m-2 month-1": CARBON * JUNE, "mol m-2 mon-1": JUNE, "kg CO2 per m2 per month": CO2 * 1e-3 * JUNE}
PER_CELL = {
    "kgC cell-1 s-1": CARBON * 1e-3, "mol CO2 cell-1 s-1": 1.0, "GgC cell-1 month-1": CARBON * 1e-9 * JUNE,
    "Gg C/gridcell/month": CARBON * 1e-9 * JUNE,
    "TgC box-1 yr-1": CARBON * 1e-12 * 365.25 * 86400, "tonnes CO2 grid cell-1 day-1": CO2 * 1e-6 * 86400,
    "MtC cell-1 yr-1": CARBON * 1e-12 * 365.25 * 86400,
}


@pytest.mark.parametrize("text", [*PER_AREA, *PER_MONTH, *PER_CELL])
def test_units_against_factors_by_hand(text):
    units = flux_units(text)
    seconds = JUNE if units.seconds == MONTH else units.seconds
    wanted = {**PER_AREA, **PER_MONTH, **PER_CELL}[text]
    assert units.moles / seconds == pytest.approx(1 / wanted, rel=1e-13)
    assert units.per_cell == (text in PER_CELL) and (units.seconds == MONTH) == ("mon" in text.split("CO2")[-1])


@pytest.mark.parametrize("text", [
    "kg m-2 s-1", "g m-2", "mol cell-1", "mol m-2 cell-1 s-1", "mol m-2 s-1 cell-1", "gC",
    "gC s-1", "ppm", "mol mol-1", "W m-2", "gC m-2 d-1 d-1",
    "mol m-3 s-1", "gN m-2 d-1", "kg CH4 m-2 s-1", "2 2 mol m-2 s-1", "mol m-2 s", "mol m s-1", "mol / m2 / s-1 s-1", "unknown", "1", "-"])
def test_units_that_are_no_flux_of_carbon(text):
    assert flux_units(text) is None


def _field(seed, grid, n):
    generator = np.random.default_rng(seed)
    return 1e-6 * generator.standard_normal((n, *grid.shape))


@st.composite
def files(draw):
    """How a file is laid out."""
    monthly = draw(st.booleans())
    units = draw(st.sampled_from(sorted({**PER_AREA, **(PER_MONTH if monthly else {}), **{
        k: v for k, v in PER_CELL.items() if monthly or "month" not in k}}.items())))
    return {
        "monthly": monthly, "units": units, "north_first": draw(st.booleans()), "order": draw(st.permutations("tyx").map("".join)),
        "shape": draw(st.sampled_from([(18, 36), (90, 180), (45, 72), (19, 36)])), "origin": draw(st.integers(-2, 35)),
        "stamp": draw(st.sampled_from(["start", "centre", "end", "bounds"])), "down": draw(st.sampled_from(["", "setting", "attribute"])),
        "factor": draw(st.sampled_from([1.0, 0.5, -2.0])), "seed": draw(st.integers(0, 99)),
        "format": draw(st.sampled_from(["NETCDF4", "NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET"])),
        "names": draw(st.sampled_from([("time", "lat", "lon"), ("date", "latitude", "longitude"), ("T", "Y", "X")])),
    }


@given(case=files())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_layout_gives_the_same_flux_and_keeps_its_total(case, tmp_path_factory):
    directory = tmp_path_factory.mktemp("layout")
    n_lat, n_lon = case["shape"]
    grid = Grid.with_poles(n_lon, n_lat) if n_lat % 2 else Grid.regular(n_lon, n_lat, lon_first=None)
    if case["shape"] == (45, 72):
        grid = Grid.regular(72, 45, lon_first=2.5)
    flux = _field(case["seed"], grid, 12 if case["monthly"] else 8)
    name, per_unit = case["units"]
    values = flux * per_unit * (grid.area if name in PER_CELL else 1.0) / case["factor"] * (-1.0 if case["down"] else 1.0)
    edges = (((np.datetime64("2010-01") + np.arange(13)).astype("datetime64[D]") - np.datetime64("2010-01-01")).astype(float)
             if case["monthly"] else 164.0 + 0.125 * np.arange(9) + 1.0)
    marks = {"start": edges[:-1], "end": edges[1:]}.get(case["stamp"], 0.5 * (edges[:-1] + edges[1:]))
    shift = case["origin"] % n_lon
    lon = np.mod(np.roll(grid.lon, shift) + 180.0, 360.0) - 180.0 if case["seed"] % 2 else np.roll(grid.lon, shift)
    values = np.roll(values, shift, axis=-1)
    north = slice(None, None, -1) if case["north_first"] else slice(None)
    path = write_cf(directory / "bio.nc", "nee", values[:, north], units=name, lat=grid.lat[north], lon=lon, dtype="f8",
                    order=case["order"], time=(marks, "days since 2010-01-01"), names=case["names"], format=case["format"],
                    bounds=np.stack([edges[:-1], edges[1:]], axis=1) if case["stamp"] == "bounds" else None,
                    attributes={"positive": "down"} if case["down"] == "attribute" else None)
    stream = PriorStream("bio", "cf", directory, factor=case["factor"], positive="down" if case["down"] == "setting" else "",
                         time_stamp="" if case["stamp"] == "bounds" else case["stamp"])
    day = DAY + 1 if case["monthly"] else np.datetime64("2010-06-15")
    assert check(stream, day, day + 1) == [], path
    [found] = days(stream, day, day + 1)
    wanted = flux[5:6] if case["monthly"] else flux
    assert found.grid.shape == grid.shape and np.allclose(found.grid.lon, grid.lon) and np.allclose(found.grid.lat, grid.lat)
    np.testing.assert_allclose(found.values, wanted, rtol=1e-12)
    target = Grid.named("128x64")
    moved = regrid(found.values, found.grid, target)
    size = (np.abs(wanted) * grid.area).sum(axis=(1, 2))
    assert np.max(np.abs((moved * target.area).sum(axis=(1, 2)) - (wanted * grid.area).sum(axis=(1, 2))) / size) < 1e-12


@given(scale=st.floats(1e-12, 1e-10), offset=st.floats(-1e-6, 1e-6), seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_packed_values_are_unpacked_and_holes_are_none(scale, offset, seed, tmp_path_factory):
    directory = tmp_path_factory.mktemp("packed")
    numbers = np.random.default_rng(seed).integers(-30000, 30000, (8, 18, 36))
    path = directory / "bio.nc"
    write_cf(path, "nee", np.zeros((8, 18, 36)), dtype="i2", fill=-32767, time=(1.5 + 3 * np.arange(8), f"hours since {DAY}"),
             packing=(scale, offset))
    with netCDF4.Dataset(path, "a") as file:
        file["nee"].set_auto_maskandscale(False)
        numbers[:, :3] = -32767
        file["nee"][:] = numbers
    found = read(PriorStream("bio", "cf", directory), DAY, DAY + 1).values
    np.testing.assert_allclose(found[:, 3:], numbers[:, 3:] * scale + offset, rtol=1e-9, atol=1e-18)
    assert (found[:, :3] == 0.0).all()


def test_petagrams_a_year():
    assert PGC_PER_YEAR == pytest.approx(CARBON * 365.25 * 86400 * 1e-15, rel=1e-14)
