"""One atmosphere in every layout that users download: the same met files, the exact fluxes, the same mass."""

from __future__ import annotations

import numpy as np
import pytest
from generators import met_files as world

from mozart_coupling.dates import to_seconds
from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.embedded.levels import hybrid_levels, level_pressure
from mozart_coupling.embedded.met_feed import MetFeed
from mozart_coupling.grids import Grid
from mozart_coupling.met import MetFiles
from mozart_coupling.reanalysis.convert import MEAN_PRESSURE, convert_reanalysis
from mozart_coupling.reanalysis.names import LATENT_HEAT

START, END = np.datetime64("2010-06-02"), np.datetime64("2010-06-03")
NOON = np.datetime64("2010-06-02T12", "s")
LEVELS = hybrid_levels(12)
GRID = Grid.with_poles(24, 13)  # the source's own: what differs is the vertical and the layout

INSTANT = world.times("2010-06-02", "2010-06-03T21", 3)
HOURLY = world.times("2010-06-01T21", "2010-06-03T23", 1)
HALF_HOURS = world.times("2010-06-01T22", "2010-06-03T23", 1, 0.5)
SIX = world.times("2010-06-02", "2010-06-03T18", 6)
FORECAST = world.times("2010-06-01T15", "2010-06-03T21", 3)


def _grib(directory, time, flux_time):
    pytest.importorskip("cfgrib", reason="GRIB needs `pip install gcas[grib]`", exc_type=ImportError)
    directory.mkdir(parents=True)
    return world.grib(directory / "all.grib", time, flux_time)


def _grib_forecasts(directory, time, flux_time):
    pytest.importorskip("cfgrib", reason="GRIB needs `pip install gcas[grib]`", exc_type=ImportError)
    directory.mkdir(parents=True)
    return world.grib(directory / "all.grib", time, flux_time, forecasts=True)


def _delivered(name):
    """A file of the archive's own forms, with both editions of GRIB."""
    def make(directory, time, flux_time):
        pytest.importorskip("cfgrib", reason="GRIB needs `pip install gcas[grib]`", exc_type=ImportError)
        from generators import grib_files

        directory.mkdir(parents=True)
        return getattr(grib_files, name)(directory / "all.grib", time, flux_time)
    return make


# layout: (product, generator, times, times of fluxes, hours, largest errors of T [K], u, v [m/s], q [kg/kg])
LAYOUTS = {
    "old_store_pressure": ("era5", world.old_store_pressure, INSTANT, HOURLY, 3, (0.16, 1e-3, 1e-4, 8e-5)),
    "new_store_pressure": ("era5", world.new_store_pressure, INSTANT, HOURLY, 3, (0.16, 3e-4, 1e-5, 8e-5)),
    "new_store_model": ("era5", world.new_store_model, INSTANT, HOURLY, 3, (5e-4, 6e-3, 3e-4, 1.2e-6)),
    "old_store_model": ("era5", world.old_store_model, SIX, HOURLY, 6, (3e-3, 0.02, 1e-3, 5e-6)),
    "era_interim": ("era-interim", world.era_interim, SIX, FORECAST, 6, (3e-3, 0.02, 1e-3, 5e-6)),
    "merra": ("geos", world.merra, INSTANT, HALF_HOURS, 3, (3e-3, 0.02, 1e-3, 5e-6)),
    "grib": ("era5", _grib, SIX, HOURLY, 6, (0.06, 1.5, 0.06, 1e-4)),  # eleven layers only
    "grib_editions": ("era5", _delivered("mixed_editions"), SIX, HOURLY, 6, (0.06, 1.5, 0.06, 1e-4)),
    "grib_pressure": ("era5", _delivered("pressure_levels"), SIX, HOURLY, 6, (0.16, 3e-4, 1e-5, 8e-5)),
    "grib_forecasts": ("era-interim", _grib_forecasts, SIX, FORECAST, 6, (0.06, 1.5, 0.06, 1e-4)),
}


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    made: dict[str, MetFiles] = {}

    def convert(layout):
        if layout not in made:
            product, make, time, flux_time, _, _ = LAYOUTS[layout]
            directory = tmp_path_factory.mktemp(layout)
            files = make(directory / "source", time, flux_time)
            convert_reanalysis(product, files, directory / "met", "m_", GRID, LEVELS, START, END, mean_pressure=None)
            made[layout] = MetFiles(directory / "met", "m_")
        return made[layout]

    return convert


def _layer_means(air, time, faces):
    """Exact means of the atmosphere's layers by fine quadrature."""
    share = (np.arange(64) + 0.5) / 64
    total = {name: [] for name in ("t", "u", "v", "q")}
    for upper, lower in zip(faces[:-1], faces[1:], strict=True):
        state = air.state(time, (upper + share[:, None, None] * (lower - upper))[None])
        for name in total:
            total[name].append(state[name][0].mean(axis=0))
    return {name: np.array(values) for name, values in total.items()}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_state_is_the_atmospheres(converted, layout):
    met = converted(layout)
    assert met.check(START + 1, END.astype("datetime64[s]") + np.timedelta64(18, "h")) == []
    fields = met.fields_at(NOON)
    air = world.Atmosphere(GRID.lat, GRID.lon)
    time = NOON[None]
    assert np.allclose(fields["PS"], air.ps(time)[0], atol=0.15)  # 16-bit integers: 0.03 Pa, lnsp and float32 likewise
    assert np.allclose(fields["PHIS"], air.phis(), atol=0.2)
    expected = _layer_means(air, time, level_pressure(*LEVELS, air.ps(time)[0]))
    inner = slice(1, -1)  # pole rows are made anew from their neighbours
    for name, limit in zip(("t", "u", "v", "q"), LAYOUTS[layout][5], strict=True):
        assert np.abs(fields[name.upper()] - expected[name])[:, inner].max() < limit, name
    assert np.allclose(fields["PBLH"], air.surface(time)["blh"][0], atol=12.0 if layout == "merra" else 0.02)
    assert np.allclose(fields["TS"], air.surface(time)["skt"][0], atol=0.3 if layout == "merra" else 0.001)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_fluxes_are_what_was_accumulated(converted, layout):
    """Means over the interval about each record, of the integral known at the source's times only."""
    met = converted(layout)
    hours = LAYOUTS[layout][4]
    air = world.Atmosphere(GRID.lat, GRID.lon)
    half = np.timedelta64(hours * 1800, "s")
    nodes = LAYOUTS[layout][3]
    if layout == "merra":
        nodes = np.append(nodes - np.timedelta64(1800, "s"), nodes[-1] + np.timedelta64(1800, "s"))
    else:  # the start of the first accumulation
        nodes = np.append(nodes[0] - np.timedelta64(3 * 3600 if nodes is FORECAST else 3600, "s"), nodes)
    seconds = (nodes - world.EPOCH) / np.timedelta64(1, "s")
    for time in np.arange(START.astype("datetime64[s]"), END.astype("datetime64[s]"), np.timedelta64(hours, "h")):
        fields = met.fields_at(time)
        for name, source, factor in (("SHFLX", "sshf", 1.0), ("QFLX", "slhf", 1.0 / LATENT_HEAT), ("TAUX", "ewss", 1.0),
                                     ("TAUY", "nsss", 1.0)):
            known = air.upward(source, nodes)
            ends = [(stamp - world.EPOCH) / np.timedelta64(1, "s") for stamp in (time - half, time + half)]
            integral = [np.apply_along_axis(lambda row, end=end: np.interp(end, seconds, row), 0, known) for end in ends]
            expected = factor * (integral[1] - integral[0]) / (hours * 3600.0)
            packing = 2.0e-4 if layout in ("old_store_pressure", "old_store_model", "era_interim") else 2.0e-6
            assert np.abs(fields[name] - expected).max() < packing * np.abs(expected).max(), (name, time)


def test_layouts_agree(converted):
    reference = converted("new_store_model").fields_at(NOON)
    for layout in ("old_store_pressure", "new_store_pressure", "merra"):
        fields = converted(layout).fields_at(NOON)
        for name, limit in (("T", 0.16), ("U", 0.01), ("V", 1e-3), ("Q", 8e-5), ("PS", 0.1), ("SHFLX", 3e-3), ("TAUX", 2e-6)):
            assert np.abs(fields[name] - reference[name]).max() < limit, (layout, name)
        assert np.array_equal(fields["ORO"], reference["ORO"]) and set(np.unique(fields["ORO"])) == {0.0, 1.0, 2.0}


def test_the_global_mean_pressure_is_fixed(tmp_path):
    files = world.new_store_pressure(tmp_path / "source", INSTANT, HOURLY)
    result = convert_reanalysis("era5", files, tmp_path / "met", "m_", Grid.regular(18, 9), LEVELS, START, END, hours=6)
    met = MetFiles(tmp_path / "met", "m_")
    for time in met.record_times(START, END):
        ps = met.fields_at(time, ["PS"])["PS"]
        assert abs((ps * met.grid.area).sum() / met.grid.area.sum() - MEAN_PRESSURE) < 0.01  # float32
    assert any("550" in note for note in result.notes)


def test_a_day_of_the_embedded_model(tmp_path):
    files = world.merra(tmp_path / "source", INSTANT, HALF_HOURS)
    convert_reanalysis("geos", files, tmp_path / "met", "m_", Grid.regular(18, 10), LEVELS, START, END, hours=6)
    with MetFiles(tmp_path / "met", "m_") as met:
        first = to_seconds(START)
        feed = MetFeed(met, first, first + 86400, mixing=True)
        core = TransportCore(met.grid, *met.levels, 2, threads=1)
        q = np.full((2, 12, *met.grid.shape), 4.0e-4)
        q[1] *= 1.0 + 0.2 * np.sin(np.deg2rad(met.grid.lat))[:, None]
        core.set_state(q, feed.surface_pressure(first))
        before = core.tracer_mass()
        for step in range(48):
            core.step(feed.step(first + 1800 * step, first + 1800 * (step + 1)), 1800.0)
        np.testing.assert_allclose(core.mixing_ratio()[0], 4.0e-4, rtol=1e-13, atol=0)
        np.testing.assert_allclose(core.tracer_mass(), before, rtol=1e-12)
        assert np.abs(core.mixing_ratio()[1] - q[1]).max() > 1e-6


def test_the_sources_own_levels(tmp_path):
    files = world.era_interim(tmp_path / "source", SIX, FORECAST)
    convert_reanalysis("era-interim", files, tmp_path / "met", "m_", GRID, None, START, END, mean_pressure=None)
    with MetFiles(tmp_path / "met", "m_") as met:
        assert met.hyai.size == 61
        air = world.Atmosphere(GRID.lat, GRID.lon)
        a, b = met.hyai * 1.0e5, met.hybi
        own = world.model_levels(air, NOON[None], a, b)
        fields = met.fields_at(NOON)
        for name, limit in (("t", 2e-3), ("u", 4e-3), ("q", 1e-6)):  # 16-bit integers
            assert np.abs(fields[name.upper()] - own[name][0])[:, 1:-1].max() < limit
        core = TransportCore(met.grid, *met.levels, 1, threads=1)
        first = to_seconds(START)
        feed = MetFeed(met, first, first + 86400, mixing=True)
        core.set_state(np.full((1, 60, *met.grid.shape), 1.0), feed.surface_pressure(first))
        core.step(feed.step(first, first + 1800), 1800.0)
        np.testing.assert_allclose(core.mixing_ratio(), 1.0, rtol=1e-13)
