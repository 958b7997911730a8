"""What mixing is for: deep days, shallow nights, the rectifier, clouds that lift, and figures as in the real air."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from column_site import (
    LEVEL_PRESSURE,
    LEVELS,
    heights,
    make_core,
    plane,
    sounding,
    still_air,
)

from gcas_driver.osse.priors import GRID as FLUX_GRID
from gcas_driver.osse.priors import SyntheticPriors
from mozart_coupling.embedded.circulation import Circulation
from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.embedded.step import StepEmission, StepMet
from mozart_coupling.grids import Grid, regrid

NLEV = LEVELS[0].size - 1
ROW, COLUMN = 3, 5
STEP = 1800.0
PPM_KG = 28.9644e-3 * 1e6  # ppm × kg of air per mol of tracer
MIDDLE, _ = heights(sounding())


def released(flux):
    """Emission of a flux [mol m-2 s-1] over one step, in ppm × kg m-2."""
    return StepEmission((plane(flux) * PPM_KG * STEP)[None])


@pytest.mark.parametrize("step, hours, spread", [(60.0, 1, 0.3), (1800.0, 2, 0.4), (1800.0, 3, 0.2)])
def test_day_mixes_within_the_hour(step, hours, spread):
    """A puff at the ground; the implicit scheme with half-hour steps takes an hour longer."""
    core = make_core(np.where(np.arange(NLEV) == NLEV - 1, 1.0, 0.0)[None])
    day = still_air(pblh=1500.0, surface_heat_flux=250.0, taux=0.2)
    for _ in range(int(hours * 3600.0 / step)):
        core.step(day, step)
    profile = core.mixing_ratio()[0, :, ROW, COLUMN]
    inside = profile[MIDDLE < 0.8 * 1500.0]
    assert inside.size == 7
    assert np.ptp(inside) < spread * inside.mean()
    assert profile[MIDDLE > 1.3 * 1500.0].max() < 0.05 * inside.mean()


def test_night_keeps_emissions_near_the_ground():
    core = make_core(np.zeros((1, NLEV)))
    night = still_air(pblh=150.0, surface_heat_flux=-20.0, taux=0.05)
    for _ in range(20):
        core.step(night, STEP, released(4.0e-6))
    profile = core.mixing_ratio()[0, :, ROW, COLUMN]
    mass = np.diff(LEVELS[0] + LEVELS[1])
    assert (profile * mass)[MIDDLE < 600.0].sum() > 0.9 * (profile * mass).sum()
    assert np.all(np.diff(profile) >= 0.0)
    assert 10.0 < profile[-1] < 60.0  # ppm after ten hours of ordinary respiration
    assert profile[-1] > 4.0 * profile[MIDDLE > 400.0][-1]


def diurnal(hour):
    """A summer day over land: heat, depth and stress of an hour of local time."""
    sun = max(np.sin(np.pi * (hour - 6.0) / 12.0), 0.0)
    depth = 150.0 + 1400.0 * np.sqrt(max(hour - 7.0, 0.0) / 8.0) if 6.0 < hour < 17.0 else 150.0
    return still_air(surface_heat_flux=-20.0 + 240.0 * sun, pblh=depth, taux=0.1)


def test_rectifier():
    """Day uptake and night release that cancel leave the ground with too much: its air is shallow when it takes up carbon."""
    hours = (np.arange(48) + 0.5) * 0.5
    flux = np.where((hours > 6.0) & (hours < 18.0), -4.0e-6 * np.pi / 2.0 * np.sin(np.pi * (hours - 6.0) / 12.0), 4.0e-6)
    flux -= flux.mean()
    core = make_core(np.full((2, NLEV), 400.0))
    days = 12
    mean = np.zeros((2, NLEV))
    for day in range(days):
        for hour, now in zip(hours, flux, strict=True):
            emission = released(now)
            core.step(diurnal(hour), STEP, StepEmission(np.concatenate([emission.basis, -emission.basis])))
            if day >= days // 2:
                mean += core.mixing_ratio()[:, :, ROW, COLUMN] / (48 * (days - days // 2))
    rectified = mean - 400.0
    assert rectified[0, -1] > 2.0
    assert rectified[0, -1] < 20.0
    assert rectified[0, MIDDLE > 300.0].min() < 0.0  # paid for aloft
    assert np.allclose(rectified[0], -rectified[1], atol=1e-9)
    assert core.tracer_mass()[0] == pytest.approx(400.0 * core.air_mass().sum(), rel=1e-12)


def test_convection_lifts_and_the_rest_sinks():
    profile = np.where((LEVEL_PRESSURE > 1.5e4) & (LEVEL_PRESSURE < 8.8e4), 0.012, 0.0)
    flux = np.concatenate([[0.0], 0.5 * (profile[1:] + profile[:-1]), [0.0]])
    ground = np.where(LEVEL_PRESSURE > 8.5e4, 1.0, 0.0)
    aloft = np.where(LEVEL_PRESSURE < 3.0e4, 1.0, 0.0)
    core = make_core(np.stack([ground, aloft]), boundary_layer=False)
    before = core.tracer_mass()
    for _ in range(48):
        core.step(still_air(cmfmc=flux), STEP)
    lifted, sunk = core.mixing_ratio()[:, :, ROW, COLUMN]
    upper, middle = (LEVEL_PRESSURE > 1.5e4) & (LEVEL_PRESSURE < 3.0e4), (LEVEL_PRESSURE > 4.5e4) & (LEVEL_PRESSURE < 7.0e4)
    assert lifted[upper].max() > 0.15
    assert lifted[middle].max() < lifted[upper].max()  # detrained aloft, not on the way
    assert sunk[middle].mean() > 0.01  # what goes up makes the rest go down
    assert np.allclose(core.tracer_mass(), before, rtol=1e-13)
    # The plume starts where the flux does: the layer below feeds it, is renewed by sinking air, the ones below are not touched.
    feeding = int(np.flatnonzero(flux[:-1])[-1])
    assert lifted[feeding] < 0.6
    assert np.allclose(lifted[feeding + 1 :], 1.0, atol=1e-12)


# --- With the analytic circulation and synthetic fluxes ---------------------------------------------------------------

COARSE = Grid.named("32x16")
START = np.datetime64("2010-07-01T00:00:00")


def analytic_step(circulation: Circulation, start: np.datetime64) -> StepMet:
    middle, end = (start + np.timedelta64(seconds, "s") for seconds in (int(STEP) // 2, int(STEP)))
    fields = {name: np.asarray(values, dtype=float) for name, values in circulation.record(middle).items()}
    names = {"temperature": "T", "specific_humidity": "Q", "pblh": "PBLH", "surface_heat_flux": "SHFLX", "moisture_flux": "QFLX",
             "taux": "TAUX", "tauy": "TAUY", "ts": "TS", "oro": "ORO", "phis": "PHIS", "cmfmc": "CMFMC"}
    return StepMet(fields["U"], fields["V"], circulation.surface_pressure(start), circulation.surface_pressure(end),
                   **{argument: fields[name] for argument, name in names.items()})


@lru_cache(maxsize=1)
def two_july_days():
    """Hour of local time, land, and biosphere's share of CO2 in the lowest layer [ppm] with and without mixing, second day."""
    circulation, priors = Circulation(COARSE, *hybrid_levels(), seed=1), SyntheticPriors(1)
    cores = [TransportCore(COARSE, *hybrid_levels(), 1, threads=1, boundary_layer=mixed, convection=mixed) for mixed in (True, False)]
    for core in cores:
        core.set_state(np.zeros((1, NLEV, *COARSE.shape)), circulation.surface_pressure(START))
    hours, states = [], []
    for number in range(96):
        time = START + np.timedelta64(int(STEP) * number, "s")
        flux = regrid(priors.day("bio", time.astype("datetime64[D]"))[number % 48 // 6], FLUX_GRID, COARSE)
        met = analytic_step(circulation, time)
        for core in cores:
            core.step(met, STEP, StepEmission((flux * PPM_KG * STEP)[None]))
        if number >= 48:
            hours.append(((number + 1) % 48 / 2.0 + COARSE.lon / 15.0) % 24.0)
            states.append([core.gather(*np.indices(COARSE.shape).reshape(2, -1))[:, 0, -1].reshape(COARSE.shape) for core in cores])
    return np.array(hours), circulation.surface.is_land, np.array(states)


def over_land(first, last, core=0):
    hours, land, states = two_july_days()
    wanted = ((hours >= first) & (hours < last))[:, None, :] & land
    return states[:, core][wanted]


def test_afternoons_over_land_are_near_the_background():
    afternoon = over_land(13.0, 16.0)
    assert np.abs(afternoon).max() < 30.0
    assert np.percentile(afternoon, 5) < -2.0  # July: the north takes up


def test_nights_over_land_build_up_tens_of_ppm():
    night = over_land(3.0, 6.0)
    assert 10.0 < np.percentile(night, 99) < 60.0
    assert night.max() < 80.0


def test_without_mixing_it_would_be_hundreds():
    assert np.abs(over_land(0.0, 24.0, core=1)).max() > 100.0
