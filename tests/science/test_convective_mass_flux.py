"""The analytic climate's convective mass flux: its shape, its size against published numbers, and what it does to a column."""

import numpy as np
import pytest

from mozart_coupling.embedded import climate
from mozart_coupling.embedded.levels import hybrid_levels, level_pressure
from mozart_coupling.grids import Grid

TIMES = [np.datetime64("2010-07-15T00") + np.timedelta64(3 * step, "h") for step in range(8)]
AIR = 1.15  # kg m-3 at cloud base


@pytest.fixture(scope="module")
def july():
    """Surface, p/PS of fine interfaces from the top down, and the flux of a July day (time, interface, lat, lon)."""
    surface = climate.Surface(Grid.named("72x36"))
    sigma = np.linspace(0.0, 1.0, 101)
    column = np.broadcast_to(sigma[:, None, None], (sigma.size, *surface.grid.shape))
    return surface, sigma, np.array([climate.convective_mass_flux(surface, time, -1.0, column) for time in TIMES])


def _strong(flux):
    return flux.max(axis=1) > 1e-4


def test_clouds_let_air_out_in_every_layer_from_cloud_base_to_their_tops(july):
    surface, sigma, flux = july
    out = np.diff(flux, axis=1)[:, ::-1]  # from the ground up; positive where the flux falls with height
    middle = 0.5 * (sigma[1:] + sigma[:-1])[::-1]
    strong = _strong(flux)
    for base, place in ((0.88, surface.is_land), (0.92, ~surface.is_land)):
        columns = out.transpose(0, 2, 3, 1)[strong & place]
        assert np.all(columns[:, middle > base + 0.01] < 0.0)  # the boundary layer gives
        cloudy = (middle < base - 0.01) & (middle > 0.62)
        assert np.all(columns[:, cloudy] > 0.0)
    assert np.all(np.diff(flux, axis=1)[:, sigma[1:] <= 0.88] >= 0.0)  # nowhere does it grow again
    deep = (flux[:, 40] > 1e-4) & (np.abs(surface.grid.lat)[:, None] < 20.0)
    assert deep.any()
    assert np.all(out.transpose(0, 2, 3, 1)[deep][:, (middle < 0.87) & (middle > 0.14)] > 0.0)


def test_nothing_at_the_ground_nor_in_the_stratosphere(july):
    surface, sigma, flux = july
    assert flux[:, -1].max() == 0.0
    assert flux[:, sigma < 0.13].max() == 0.0
    assert flux[:, sigma < 0.22][..., np.abs(surface.grid.lat) > 50.0, :].max() < 1e-7


def test_size_at_cloud_base_and_aloft(july):
    """Belt: 10 g m-2 s-1, a third at 500 hPa; trades: at most the 12 mm s-1 of Vogel et al. (2020); rain that can fall."""
    surface, sigma, flux = july
    mean, lat = flux.mean(axis=0), surface.grid.lat
    sea = ~surface.is_land
    base, middle = mean[np.argmin(np.abs(sigma - 0.92))], mean[50]
    belt = np.argmin(np.abs(lat - 7.5))
    assert 0.008 < base[belt, sea[belt]].mean() < 0.014
    trades = np.abs(lat + 18.0) < 5.0  # the winter's
    assert 0.003 < base[trades][sea[trades]].mean() < 0.012 * AIR
    land, base_land = (np.abs(lat - 45.0) < 8.0)[:, None] & surface.is_land, flux[:, np.argmin(np.abs(sigma - 0.88))]
    assert 0.005 < base_land[:, land].mean() < 0.010
    assert base_land[:, land].max() < 0.4 * 0.03 * AIR * 1.5  # cumuli in less than half of all afternoons: 0.03 rho w* (Grant 2001)
    equator = np.zeros((2, *surface.grid.shape)) + np.array([0.92, 0.5])[:, None, None]
    column = climate.convective_mass_flux(surface, np.datetime64("2010-04-20T00"), 0.0, equator)
    row = np.argmin(np.abs(lat - 2.5))
    ratio = (column[1] / column[0])[row, sea[row]]
    assert np.all((ratio > 0.25) & (ratio < 0.36))
    rain = middle[belt, sea[belt]].mean() / 0.74 * 0.017 * 86400.0  # mm a day: deep flux at cloud base times its vapour
    assert 4.0 < rain < 9.0


def test_the_rain_that_falls_is_the_published_share_of_what_deep_clouds_lift(july):
    """0.45 to 0.57 fell in organised storms (Chong & Hauser 1989; Chang et al. 2015), up to 0.3 in single clouds (CCOPE)."""
    surface, sigma, flux = july
    mean, lat = flux.mean(axis=0), surface.grid.lat
    summer = mean[50, np.argmin(np.abs(lat - 42.5)), surface.is_land[np.argmin(np.abs(lat - 42.5))]].mean() / 0.712  # deep, at cloud base
    lifted = summer * 0.010 * 86400.0  # mm a day
    assert 0.3 < 1.3 / lifted < 0.57
    belt, sea = np.argmin(np.abs(lat - 7.5)), ~surface.is_land
    through_base = mean[np.argmin(np.abs(sigma - 0.92)), belt, sea[belt]].mean() * 0.017 * 86400.0
    assert 0.3 < 6.0 / through_base < 0.57  # of all that passes cloud base in the belt, where some 6 mm fall


def test_storms_of_middle_latitudes_let_out_most_where_anvils_are_seen(july):
    """8.6 km, the mean of 135890 storms over the United States (Starzec et al. 2020)."""
    surface, sigma, flux = july
    row = np.argmin(np.abs(surface.grid.lat - 42.5))
    mean = flux.mean(axis=0)[:, row, surface.is_land[row]].mean(axis=1)
    aloft = sigma <= 0.6
    pressure = 1000.0 * sigma[aloft][np.argmax(np.diff(mean[aloft]))]
    assert 7.6 < 44.33 * (1.0 - (pressure / 1013.25) ** 0.1903) < 9.6  # km in the standard atmosphere


def test_most_of_the_deep_air_is_let_out_between_200_and_300_hpa(july):
    surface, sigma, flux = july
    mean = flux.mean(axis=0)[:, np.argmin(np.abs(surface.grid.lat - 7.5))].mean(axis=1)
    aloft = sigma <= 0.6  # above the shallow clouds
    out = np.diff(mean[aloft])
    assert 0.2 <= sigma[aloft][np.argmax(out)] <= 0.3


def test_shallow_clouds_fall_by_e_in_a_kilometre(july):
    surface, sigma, flux = july
    trades = np.argmin(np.abs(surface.grid.lat + 22.5))
    column = flux[0][:, trades, ~surface.is_land[trades]].mean(axis=1)
    height = 8000.0 * np.log(0.92 / sigma[1:])
    fall = np.interp(1000.0, height[::-1], column[1:][::-1]) / column[np.argmin(np.abs(sigma - 0.92))]
    assert np.exp(-1.4) < fall < np.exp(-0.6)


def test_a_column_keeps_its_tracer_and_has_no_hole_below_the_cloud_tops():
    """A day of summer convection over a boundary layer full of tracer: conserved, and falling with height up to 500 hPa."""
    grid = Grid.named("36x18")
    surface, (hyai, hybi) = climate.Surface(grid), hybrid_levels()
    pressure = level_pressure(hyai, hybi, np.full(grid.shape, 1.0e5))
    flux = np.mean([climate.convective_mass_flux(surface, time, -1.0, pressure / 1.0e5) for time in TIMES], axis=0)
    row = np.argmin(np.abs(grid.lat - 45.0))
    column = np.flatnonzero(surface.is_land[row])[0]
    lifted, mass = flux[:, row, column] * 600.0, np.diff(pressure[:, row, column]) / 9.80665
    tracer = np.where(np.cumsum(mass[::-1])[::-1] < 1000.0, 1.0, 0.0)
    start = (tracer * mass).sum()
    for _ in range(144):
        tracer = _lift(tracer, lifted, mass)
    assert (tracer * mass).sum() == pytest.approx(start, rel=1e-12)
    assert tracer.min() >= 0.0
    middle = 0.5 * (pressure[1:, row, column] + pressure[:-1, row, column])
    lower = (middle > 5.5e4) & (middle < 8.6e4)  # above the layer of cloud base, which only turbulence would fill
    assert np.all(np.diff(tracer[lower]) > 0.0)  # more of it the nearer the ground


def _lift(tracer, lifted, mass):
    """Ten minutes of the plume of docs/science/transport-mixing.md, written again from its equation."""
    change = np.zeros_like(tracer)
    plume = 0.0
    for k in range(tracer.size - 1, 0, -1):  # interface k lies above layer k
        below = lifted[k + 1]
        through = max(lifted[k], below)
        plume = tracer[k] + (plume - tracer[k]) * below / through if through > 0.0 else tracer[k]
        moved = lifted[k] * (plume - tracer[k - 1])
        change[k] -= moved
        change[k - 1] += moved
    return tracer + change / mass
