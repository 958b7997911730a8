"""Units of fluxes: conversion factors against numbers worked out by hand."""

import numpy as np
import pytest

from gcas_driver.fluxes.units import MOLECULES_CM2, PGC_PER_YEAR, flux_unit_factor


@pytest.mark.parametrize(("text", "factor"), [
    ("mol m-2 s-1", 1.0), ("mol/m2/s", 1.0), ("mol m^-2 s^-1", 1.0), ("mol CO2 m-2 s-1", 1.0), ("MOL M-2 S-1", 1.0),
    ("umol m-2 s-1", 1e-6), ("micromol m-2 s-1", 1e-6),
    ("molecules cm-2 s-1", 1e4 / 6.02214076e23), ("molecules/cm2/s", 1e4 / 6.02214076e23), ("molec cm**-2 s**-1", 1e4 / 6.02214076e23),
    ("gC m-2 day-1", 1 / 12.011 / 86400), ("g C/m2/d", 1 / 12.011 / 86400), ("kgC m-2 s-1", 1000 / 12.011),
    ("kg C m-2 s-1", 1000 / 12.011), ("kgCO2 m-2 s-1", 1000 / 44.0095), ("gC m-2 yr-1", 1 / 12.011 / 365.25 / 86400),
])
def test_units_have_their_factor(text, factor):
    assert flux_unit_factor(text) == pytest.approx(factor, rel=1e-14)


@pytest.mark.parametrize("text", ["", "K", "kg m-2 s-1", "mol m-2", "mol s-1", "m-2 s-1", "mol m-2 s-1 K-1", "mol m2 s-1",
                                  "mol mol m-2 s-1"])
def test_units_that_do_not_say_enough_are_refused(text):
    assert flux_unit_factor(text) is None


def test_totals_in_carbon():
    assert PGC_PER_YEAR * 1e15 / 12.011 / (365.25 * 86400) == pytest.approx(1.0)
    np.testing.assert_allclose(MOLECULES_CM2, flux_unit_factor("molecules cm-2 s-1"), rtol=1e-15)
