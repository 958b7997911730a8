"""From what the readers give to plain arrays by name, as `Specimen.read` gives them."""

from __future__ import annotations

import numpy as np

from gcas_driver.observations.table import Observations

OPERATOR = ("retrieval_pressure", "pressure_weight", "averaging_kernel", "prior_profile", "prior_xco2")


def rows(table: Observations) -> dict[str, np.ndarray]:
    """A table of observations of one product; `row` is place and time, which tell single observations apart in any order."""
    place = [f"{t:.0f} {lon:.2f} {lat:.2f} {0.0 if np.isnan(z) else z:.0f}"
             for t, lon, lat, z in zip(table.time, table.lon, table.lat, table.altitude, strict=True)]
    arrays = {"row": np.array(place, dtype=object)}
    arrays |= {name: getattr(table, name) for name in ("time", "lon", "lat", "altitude", "value", "error", "site", "used")}
    for operator in table.operators.values():
        for name in OPERATOR:
            arrays[name] = getattr(operator, name)[table.operator_row]
    return arrays
