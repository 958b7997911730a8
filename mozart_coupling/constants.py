"""Physical constants, in one place for both packages; the Fortran core has its own in `common/gcas_constants.f90`."""

from __future__ import annotations

EARTH_RADIUS_M = 6.371229e6  # of a sphere [m]
GRAVITY = 9.80665  # m s-2
GAS_CONSTANT_DRY_AIR = 287.05  # J kg-1 K-1
REFERENCE_PRESSURE = 1.0e5  # P0 of p = hyam P0 + hybm PS [Pa]
AVOGADRO = 6.02214076e23  # mol-1
MOLAR_MASS_AIR = 28.9644  # dry air, embedded model [g mol-1]
MOLAR_MASS_CO2 = 44.0095  # embedded model [g mol-1]
MOZART_MOLAR_MASS_AIR = 29.0  # field practice with MOZART-4 [g mol-1]
MOZART_MOLAR_MASS_CO2 = 44.0  # field practice with MOZART-4 [g mol-1]
MOLECULES_PER_CM2_PER_MOL_PER_M2 = AVOGADRO * 1.0e-4
