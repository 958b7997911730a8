"""Exchange by turbulence and updraft of convection: the formulas, the invariants, and what happens when fields are missing."""

from __future__ import annotations

import numpy as np
import pytest
from column_site import (
    GRID,
    LEVEL_PRESSURE,
    LEVELS,
    SURFACE_PRESSURE,
    heights,
    make_core,
    plane,
    sounding,
    still_air,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mozart_coupling.embedded.mixing import Mixing
from mozart_coupling.embedded.step import StepEmission
from mozart_coupling.errors import MetError

NLEV = LEVELS[0].size - 1
ROW, COLUMN = 3, 5
STEP = 1800.0
KARMAN, GRAVITY, GAS = 0.4, 9.80665, 287.05
GROUND_PER_PASCAL = GRID.area[ROW, COLUMN] / GRAVITY


def mixing_of(met, threads=1, dt=STEP, **switches):
    mixing = Mixing(GRID, LEVELS[0] * 1e5, LEVELS[1], threads, **({"boundary_layer": True, "convection": True} | switches))
    mixing.update(met, plane(SURFACE_PRESSURE), dt)
    return mixing


def diffusivity(met, temperature):
    """K (nlev-1,) [m2 s-1] of inner interfaces, from the exchange and heights that another part of the program computes."""
    middle, interface = heights(temperature)
    pressure = (LEVELS[0] * 1e5 + LEVELS[1] * SURFACE_PRESSURE)[1:-1]
    density = pressure / (GAS * 0.5 * (temperature[1:] + temperature[:-1]))
    exchange = mixing_of(met).exchange[ROW, 1:, COLUMN]
    return exchange * (middle[:-1] - middle[1:]) / (density * STEP * GRID.area[ROW, COLUMN]), interface[1:-1]


def friction_velocity(stress, temperature):
    return np.sqrt(stress * GAS * temperature[-1] / SURFACE_PRESSURE)


def test_neutral_profile_is_the_published_one():
    temperature = sounding()
    k_values, z = diffusivity(still_air(pblh=1000.0, taux=0.3), temperature)
    inside = z < 1000.0
    expected = KARMAN * friction_velocity(0.3, temperature) * z * (1.0 - z / 1000.0) ** 2
    larger = inside & (expected > 1.0)  # the background is smaller
    assert larger.sum() >= 5
    assert np.allclose(k_values[larger], expected[larger], rtol=1e-5)
    assert np.all(k_values[~inside] <= 1.0)
    assert np.all(k_values[z > 7000.0] < 0.3)


def test_unstable_profile_is_the_published_one():
    temperature, heat, depth = sounding(), 200.0, 1500.0
    k_values, z = diffusivity(still_air(pblh=depth, taux=0.1, surface_heat_flux=heat), temperature)
    friction = friction_velocity(0.1, temperature)
    density = SURFACE_PRESSURE / (GAS * temperature[-1])
    buoyancy = GRAVITY / temperature[-1] * heat / (density * 1004.64)
    convective = (buoyancy * depth) ** (1 / 3)
    length = -(friction**3) / (KARMAN * buoyancy)
    momentum = friction * (1.0 - 15.0 * 0.1 * depth / length) ** (1 / 3)
    assert momentum == pytest.approx((friction**3 + 0.6 * convective**3) ** (1 / 3), rel=1e-12)
    steep = 1.0 - 1.5 * depth / length
    prandtl = steep ** (-1 / 2) / steep ** (-1 / 3) + 7.2 * KARMAN * 0.1 * convective / momentum
    surface = friction * np.sqrt(1.0 - 15.0 * z / length)
    velocity = np.where(z < 0.1 * depth, np.minimum(surface, momentum / prandtl), momentum / prandtl)
    inside = z < 0.95 * depth
    assert np.any(z[inside] < 0.1 * depth)
    assert np.allclose(k_values[inside], (KARMAN * velocity * z * (1.0 - z / depth) ** 2)[inside], rtol=1e-5)


def test_stable_profile_is_the_published_one():
    temperature, heat, depth = sounding(), -20.0, 300.0
    k_values, z = diffusivity(still_air(pblh=depth, taux=0.5, surface_heat_flux=heat), temperature)
    friction = friction_velocity(0.5, temperature)
    density = SURFACE_PRESSURE / (GAS * temperature[-1])
    length = -(friction**3) / (KARMAN * GRAVITY / temperature[-1] * heat / (density * 1004.64))
    expected = KARMAN * z * (1.0 - z / depth) ** 2 * friction / np.where(z < length, 1.0 + 5.0 * z / length, 5.0 + z / length)
    larger = (z < depth) & (expected > 1.0)
    assert larger.sum() >= 2
    assert np.allclose(k_values[larger], expected[larger], rtol=1e-5)


def test_very_stable_layer_follows_the_other_branch():
    calm, windy = (diffusivity(still_air(pblh=2000.0, taux=stress, surface_heat_flux=-60.0), sounding())[0] for stress in (0.01, 1.0))
    z = heights(sounding())[1][1:-1]
    inside = (z > 100.0) & (z < 1000.0)
    assert np.all(windy[inside] > 10.0 * calm[inside])
    assert np.all(calm[inside] <= 1.0)  # but for the background


def test_free_convection_without_stress_is_bounded():
    k_values, _z = diffusivity(still_air(pblh=1500.0, taux=0.0, surface_heat_flux=300.0), sounding())
    convective = (GRAVITY / 290.0 * 300.0 / (1.2 * 1004.64) * 1500.0) ** (1 / 3)
    assert np.isfinite(k_values).all()
    assert k_values.max() < 0.2 * convective * 1500.0
    assert k_values.max() > 0.02 * convective * 1500.0


def test_shear_mixes_free_air_and_stability_damps_it():
    still = still_air(pblh=100.0)
    sheared = still_air(pblh=100.0)
    sheared.u = sheared.u + np.linspace(400.0, 0.0, NLEV)[:, None, None]
    strong = still_air(pblh=100.0, temperature=sounding(lapse_rate=0.0))
    strong.u = sheared.u
    level = int(np.argmin(np.abs(LEVEL_PRESSURE - 8.0e4)))
    weak, mixed, damped = (mixing_of(met).exchange[ROW, level, COLUMN] for met in (still, sheared, strong))
    assert mixed > 3.0 * weak
    assert damped < mixed
    assert mixing_of(still_air(pblh=100.0, temperature=sounding(lapse_rate=11e-3))).exchange[ROW, level, COLUMN] > 20.0 * weak


def test_a_stable_night_still_exchanges_a_little():
    met = still_air(pblh=20.0, taux=1e-6, surface_heat_flux=-30.0)
    k_values, z = diffusivity(met, sounding())
    assert 0.5 < k_values[-1] < 1.5
    assert np.all(np.diff(k_values[z < 5000.0]) >= 0.0)


def test_nothing_mixes_in_the_stratosphere():
    mixing = mixing_of(still_air())
    above = LEVELS[0][:-1] + LEVELS[1][:-1] < 0.2
    assert above.sum() > 8
    assert not mixing.exchange[:, above].any()
    assert np.all(mixing.exchange[:, ~above] >= 0.0)


def test_given_depth_is_kept_and_holes_are_diagnosed():
    met = still_air(pblh=777.0)
    met.pblh[2, 3] = 0.0
    depth = mixing_of(met).depth
    assert depth[2, 3] != 777.0
    assert depth[2, 3] > 20.0
    depth[2, 3] = 777.0
    assert np.all(depth == 777.0)


def mixed_layer(top, jump=4.0):
    """Temperatures (nlev,) [K]: dry-adiabatic up to `top` [m], an inversion, then 6 K/km."""
    temperature = sounding()
    for _ in range(20):
        middle, _ = heights(temperature)
        below = 295.0 - 9.76e-3 * middle
        temperature = np.where(middle < top, below, np.maximum(295.0 - 9.76e-3 * top + jump - 6.0e-3 * (middle - top), 200.0))
    return temperature


@pytest.mark.parametrize("top", [700.0, 1200.0, 2000.0])
def test_diagnosed_depth_finds_the_inversion(top):
    temperature = mixed_layer(top)
    depth = mixing_of(still_air(temperature=temperature, pblh=None, surface_heat_flux=150.0)).depth[ROW, COLUMN]
    middle, _ = heights(temperature)
    assert middle[middle < top].max() <= depth <= middle[middle > top].min()


def test_warm_ground_and_wind_deepen_the_diagnosed_layer():
    depths = [mixing_of(still_air(pblh=None, **fields)).depth[ROW, COLUMN]
              for fields in ({"taux": 0.001, "surface_heat_flux": -20.0}, {"taux": 0.1, "surface_heat_flux": 0.0},
                             {"taux": 0.1, "surface_heat_flux": 200.0}, {"taux": 1.0, "surface_heat_flux": 0.0})]
    assert depths[0] < depths[1] < depths[2]
    assert depths[1] < depths[3] < 6000.0


def test_water_vapour_flux_lightens_the_air():
    dry, moist = (mixing_of(still_air(moisture_flux=flux)).exchange[ROW, -2, COLUMN] for flux in (0.0, 1.0e-4))
    assert moist > dry


def test_all_is_prescribed_when_only_wind_is_known():
    met = still_air(**dict.fromkeys(("temperature", "specific_humidity", "pblh", "surface_heat_flux", "moisture_flux", "taux", "tauy",
                                     "cmfmc")),
                    seconds_of_day=43200.0, day_of_year=172.0)
    met.u = met.u + 5.0
    mixing = mixing_of(met)
    noon, midnight = GRID.cell_index(0.0, 40.0), GRID.cell_index(179.0, 40.0)
    assert mixing.depth[noon] > 900.0
    assert mixing.depth[midnight] == 150.0
    assert mixing.exchange[noon[0], -3, noon[1]] > 10.0 * mixing.exchange[midnight[0], -3, midnight[1]]
    met.oro = None  # the mask is the program's own
    assert mixing_of(met).depth[GRID.cell_index(-30.0, 0.0)] == 600.0


def test_bulk_stress_stands_for_a_missing_one():
    met = still_air(taux=None, tauy=None)
    met.u = met.u + 10.0
    with_bulk = mixing_of(met).exchange
    density = SURFACE_PRESSURE / (GAS * sounding()[-1])
    met.taux, met.tauy = plane(density * 5.0e-3 * 100.0), plane(0.0)
    assert np.allclose(mixing_of(met).exchange, with_bulk, rtol=1e-12)


def test_switches():
    flux = np.concatenate([[0.0], np.full(NLEV - 1, 0.01), [0.0]])
    met = still_air(cmfmc=flux)
    both, turbulence, lifting, none = (mixing_of(met, boundary_layer=a, convection=b) for a, b in ((1, 1), (1, 0), (0, 1), (0, 0)))
    assert np.array_equal(both.exchange, turbulence.exchange)
    assert np.array_equal(both.updraft, lifting.updraft)
    for quiet in (turbulence.updraft, lifting.exchange, none.exchange, none.updraft):
        assert not quiet.any()
    met.cmfmc = None
    alone = mixing_of(met, boundary_layer=False)
    assert not alone.exchange.any()
    assert np.array_equal(alone.depth, both.depth)


def test_bits_do_not_depend_on_threads():
    rng = np.random.default_rng(0)
    met = still_air(pblh=None, cmfmc=None, specific_humidity=np.full(NLEV, 0.015))
    met.surface_heat_flux, met.u = rng.normal(50.0, 100.0, GRID.shape), rng.normal(0.0, 10.0, met.u.shape)
    one, two, three = (mixing_of(met, threads) for threads in (1, 2, 3))
    assert one.updraft.any()
    for other in (two, three):
        for name in ("exchange", "updraft", "depth"):
            assert np.array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("field", ["temperature", "specific_humidity", "pblh", "surface_heat_flux", "taux", "cmfmc"])
def test_what_is_not_finite_is_refused(field):
    met = still_air()
    values = getattr(met, field).copy()
    values[..., 5, 7] = np.nan
    setattr(met, field, values)
    with pytest.raises(MetError, match="row 6"):
        mixing_of(met)


@pytest.mark.parametrize("field", ["temperature", "pblh", "cmfmc", "tauy"])
def test_wrong_shapes_are_refused(field):
    met = still_air()
    setattr(met, field, getattr(met, field)[..., :-1])
    with pytest.raises(MetError, match="shape"):
        mixing_of(met)


# --- Convection -----------------------------------------------------------------------------------------------------


def test_given_flux_becomes_an_amount():
    flux = np.linspace(0.0, 0.02, NLEV + 1)
    flux[3] = -0.005  # a net downdraught
    updraft = mixing_of(still_air(cmfmc=flux), dt=60.0).updraft[ROW, :, COLUMN]
    expected = np.maximum(flux[:-1], 0.0) * 60.0 * GRID.area[ROW, COLUMN]
    expected[0] = 0.0
    assert np.allclose(updraft, expected, rtol=1e-12)


def test_absurd_flux_is_limited():
    updraft = mixing_of(still_air(cmfmc=np.full(NLEV + 1, 5.0)), dt=21600.0).updraft[ROW, :, COLUMN]
    thickness = np.diff(LEVELS[0] * 1e5 + LEVELS[1] * SURFACE_PRESSURE) * GROUND_PER_PASCAL
    assert np.allclose(updraft[1:], 4.0 * np.minimum(thickness[1:], thickness[:-1]), rtol=1e-10)
    core = make_core(np.linspace(1.0, 2.0, NLEV)[None])
    core.step(still_air(cmfmc=np.full(NLEV + 1, 5.0)), 21600.0)
    assert np.all((core.mixing_ratio() >= 1.0 - 1e-12) & (core.mixing_ratio() <= 2.0 + 1e-12))


def tropical(relative=0.85):
    """A moist tropical sounding: temperatures and humidities (nlev,)."""
    temperature = sounding(301.0, 6.3e-3)
    celsius = temperature - 273.15
    saturation = 0.622 * 610.94 * np.exp(17.625 * celsius / (celsius + 243.04)) / LEVEL_PRESSURE
    return temperature, relative * saturation * np.clip(LEVEL_PRESSURE / SURFACE_PRESSURE, 0.3, 1.0)


def test_surrogate_is_deep_in_the_moist_tropics():
    temperature, humidity = tropical()
    met = still_air(temperature=temperature, specific_humidity=humidity, pblh=600.0, surface_heat_flux=12.0, moisture_flux=5.0e-5,
                    cmfmc=None)
    flux = mixing_of(met).updraft[ROW, :, COLUMN] / (STEP * GRID.area[ROW, COLUMN])
    assert flux[LEVEL_PRESSURE < 4.0e4].max() > 1e-3
    assert 0.01 < flux.max() < 0.05
    assert 8.0e4 < LEVEL_PRESSURE[flux.argmax()] < 9.7e4
    assert not flux[LEVEL_PRESSURE < 1.0e4].any()


def test_surrogate_is_shallow_below_an_inversion_and_absent_over_cold_ground():
    temperature, humidity = tropical()
    inverted = temperature + np.where(LEVEL_PRESSURE < 8.0e4, 12.0, 0.0)
    drier = np.where(LEVEL_PRESSURE < 8.0e4, 0.1, 1.0) * humidity
    kwargs = {"specific_humidity": drier, "pblh": 600.0, "moisture_flux": 5.0e-5, "cmfmc": None}
    shallow = mixing_of(still_air(temperature=inverted, surface_heat_flux=12.0, **kwargs)).updraft[ROW, :, COLUMN]
    assert shallow.any()
    assert not shallow[LEVEL_PRESSURE < 7.0e4].any()
    assert not mixing_of(still_air(temperature=temperature, surface_heat_flux=-200.0, **kwargs)).updraft.any()
    dry = still_air(temperature=temperature, surface_heat_flux=12.0, **(kwargs | {"specific_humidity": 0.2 * humidity}))
    assert not mixing_of(dry).updraft.any()


# --- What they do to tracers ----------------------------------------------------------------------------------------


def busy(seed=0):
    """Every kind of column side by side."""
    rng = np.random.default_rng(seed)
    flux = np.concatenate([[0.0], 0.02 * np.sin(np.linspace(0.0, np.pi, NLEV - 1)), [0.0]])
    met = still_air(cmfmc=flux)
    met.surface_heat_flux, met.pblh = rng.normal(50.0, 100.0, GRID.shape), rng.uniform(20.0, 3000.0, GRID.shape)
    met.cmfmc = met.cmfmc * rng.uniform(0.0, 3.0, GRID.shape)
    return met


@pytest.mark.parametrize("precision,tolerance", [("double", 1e-13), ("single", 1e-5)])
def test_mass_is_conserved_and_uniform_stays(precision, tolerance):
    rng = np.random.default_rng(1)
    tracers = np.concatenate([np.full((1, NLEV, *GRID.shape), 3.7e-4), rng.uniform(0.0, 1.0, (3, NLEV, *GRID.shape))])
    core = make_core(tracers, precision=precision)
    before = core.tracer_mass()
    for _ in range(10):
        core.step(busy(), STEP)
    assert np.allclose(core.tracer_mass(), before, rtol=tolerance)
    uniform = core.mixing_ratio()[0]
    assert np.abs(uniform / uniform[0, 0, 0] - 1.0).max() < (1e-13 if precision == "double" else 1e-6)


def test_superposition():
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=(2, NLEV, *GRID.shape))
    core = make_core(np.stack([first, second, 2.0 * first - 3.0 * second]))
    emission = rng.normal(size=(2, *GRID.shape))
    basis = np.stack([emission[0], emission[1], 2.0 * emission[0] - 3.0 * emission[1]])
    for _ in range(5):
        core.step(busy(), STEP, StepEmission(basis))
    a, b, c = core.mixing_ratio()
    assert np.abs(c - (2.0 * a - 3.0 * b)).max() < 1e-12 * np.abs(c).max()


def test_sawtooth_is_damped():
    saw = np.where(np.arange(NLEV) % 2, 1.0, -1.0)
    core = make_core(saw[None])
    core.step(still_air(pblh=1500.0, surface_heat_flux=150.0), STEP)
    after = core.mixing_ratio()[0, :, ROW, COLUMN]
    middle, _ = heights(sounding())
    assert np.abs(after[middle < 1000.0]).max() < 0.1
    assert np.abs(after).max() <= 1.0 + 1e-14


def test_tracers_do_not_depend_on_threads():
    rng = np.random.default_rng(3)
    tracers = rng.uniform(size=(3, NLEV, *GRID.shape))
    results = []
    for threads in (1, 2):
        core = make_core(tracers, threads=threads)
        for _ in range(3):
            core.step(busy(), STEP)
        results.append(core.mixing_ratio())
    assert np.array_equal(*results)


@settings(max_examples=25, deadline=None)
@given(flux=arrays(float, NLEV + 1, elements=st.floats(-0.01, 0.5)), heat=st.floats(-300.0, 500.0), depth=st.floats(0.0, 5000.0),
       stress=st.floats(0.0, 3.0), seed=st.integers(0, 99))
def test_no_weather_makes_extremes_or_mass(flux, heat, depth, stress, seed):
    tracer = np.random.default_rng(seed).uniform(1.0, 2.0, (1, NLEV))
    core = make_core(tracer)
    before = core.tracer_mass()
    core.step(still_air(cmfmc=flux, surface_heat_flux=heat, pblh=depth, taux=stress), STEP)
    after = core.mixing_ratio()
    assert tracer.min() - 1e-12 <= after.min() and after.max() <= tracer.max() + 1e-12
    assert np.allclose(core.tracer_mass(), before, rtol=1e-13)


def test_core_without_mixing_leaves_still_air_alone():
    tracer = np.random.default_rng(4).uniform(size=(1, NLEV))
    core = make_core(tracer, boundary_layer=False, convection=False)
    core.step(still_air(surface_heat_flux=200.0, cmfmc=None), STEP)
    assert np.allclose(core.mixing_ratio()[0, :, ROW, COLUMN], tracer[0], rtol=1e-14)
