"""Published tests of transport on the sphere, for whoever wants to verify a build: flows, initial fields, norms, runs.

Two dimensions: Williamson et al. (1992), case 1; Nair & Lauritzen (2010), the non-divergent case 4 and the divergent flow; Lauritzen &
Thuburn (2012), correlated tracers; Lauritzen et al. (2012), filaments. Three dimensions: `dcmip` and `orography`, tests 1-1, 1-2, 1-3 of
DCMIP-2012.
Air through walls is integrated analytically, so that continuity holds to round-off; tracers start as means over cells.
`tools/transport_tests` runs them all and writes the page with the figures.
"""

from mozart_coupling.embedded.idealised.fields import (
    cell_means,
    correlated,
    cosine_bell,
    cosine_bells,
    gaussian_hills,
    slotted_cylinders,
)
from mozart_coupling.embedded.idealised.flows import DAY_S, LAYER_KG_M2, PERIOD_S, deformation, divergent_walls, solid_body, wall_amounts
from mozart_coupling.embedded.idealised.measures import Mixing, Norms, filaments, mixing, norms
from mozart_coupling.embedded.idealised.runs import carry, carry_divergent

__all__ = ["DAY_S", "LAYER_KG_M2", "PERIOD_S", "Mixing", "Norms", "carry", "carry_divergent", "cell_means", "correlated", "cosine_bell",
           "cosine_bells", "deformation", "divergent_walls", "filaments", "gaussian_hills", "mixing", "norms", "slotted_cylinders",
           "solid_body", "wall_amounts"]
