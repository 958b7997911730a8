"""One record of a met file from the dynamics' winds, temperature and surface pressure.

A dry atmosphere has no vapour, clouds or day: humidity follows the run's temperature by a fixed relative humidity; heat and
vapour fluxes, boundary-layer height and convection are the analytic circulation's climate, with its day and its seasons.
"""

from __future__ import annotations

import numpy as np

from mozart_coupling.constants import GRAVITY
from mozart_coupling.embedded import climate
from mozart_coupling.embedded.climate import Surface

from .forcing import declination_index
from .walls import to_walls

WINTER_LAG = 30.0  # days after the solstice


def met_record(surface: Surface, height: np.ndarray, sigma: np.ndarray, time: np.datetime64,
               fields: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All the contract's fields at one time.

    Parameters
    ----------
    height
        Of the dynamics' own ground (nlat, nlon) [m].
    sigma
        Interfaces (nlev+1,) [1].
    fields
        U, V [m s-1], T [K] (nlev, nlat, nlon), PS [Pa] (nlat, nlon), at the grid's points.
    """
    fields = to_walls(fields)
    winter = -declination_index(time, WINTER_LAG)
    u, v = fields["U"][-1], fields["V"][-1]
    centres = 0.5 * (sigma[1:] + sigma[:-1])[:, None, None]
    humidity = climate.specific_humidity(surface.latitude, centres, centres * fields["PS"], fields["T"])
    ground = climate.ground_fields(surface, time, winter, u, v)
    return {
        **fields,
        "Q": humidity,
        "PHIS": GRAVITY * height,
        **ground,
        "PBLH": climate.boundary_layer_height(surface, time, np.hypot(u, v), ground["ORO"] == climate.SEA_ICE),
        "CMFMC": climate.convective_mass_flux(surface, time, winter, np.broadcast_to(sigma[:, None, None], (sigma.size, *height.shape))),
    }
