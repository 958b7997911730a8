"""From model profiles to what an instrument reports, and from many observations to one: doors to the Fortran core."""

from gcas_driver.analysis.operators import super_observe, xco2_operator

__all__ = ["super_observe", "xco2_operator"]
