"""What GCAS itself writes for a window: observations, analysis, fluxes."""

from __future__ import annotations

import numpy as np

from gcas_driver.evaluation import files
from gcas_driver.fluxes.units import MOLAR_MASS_CARBON, SECONDS_PER_DAY
from mozart_coupling.grids import Grid

from .findings import Findings, GridPanel, PointPanel
from .glance import Glance

SIMULATIONS = ("prior", "background", "posterior")


def describe_observations(seen: Glance, found: Findings) -> None:
    """A window's observations with their simulated values."""
    _attributes(seen, found)
    with files.opened(seen.path) as data:
        time, value, lon, lat = (files.times(data, "time"), *(files.numbers(data, n) for n in ("value", "lon", "lat")))
        product, reason = files.texts(data, "product"), files.texts(data, "reason")
        simulated = {name: files.numbers(data, name) for name in SIMULATIONS}
    found.set_span(time)
    found.add_range("value", value, "ppm")
    for name, values in simulated.items():
        found.add_range(f"{name} - observed", values - value, "ppm")
    found.add_counts("by product", product)
    found.add_counts("by reason", np.where(reason == "", "used", reason).astype(str))
    found.panels.append(PointPanel("posterior − observed", lon, lat, simulated["posterior"] - value, "ppm"))


def describe_analysis(seen: Glance, found: Findings) -> None:
    """A window's scaling factors."""
    _attributes(seen, found)
    with files.opened(seen.path) as data:
        names = files.texts(data, "component")
        mean = files.numbers(data, "factor_mean")
        lon, lat = (np.broadcast_to(files.numbers(data, n), mean.shape) for n in ("lon", "lat"))
    for name, values, x, y in zip(names, np.atleast_2d(mean), np.atleast_2d(lon), np.atleast_2d(lat), strict=False):
        found.add_range(f"factor of {name}", values, "1")
        there = np.isfinite(x) & np.isfinite(y) & np.isfinite(values)
        found.panels.append(PointPanel(f"mean factor of {name}", x[there], y[there], values[there], "1"))


def describe_fluxes(seen: Glance, found: Findings) -> None:
    """A window's fluxes."""
    _attributes(seen, found)
    with files.opened(seen.path) as data:
        found.set_span(files.times(data, "time_bounds"))
        names, regions = files.texts(data, "component"), files.texts(data, "region")
        grid = Grid.from_centres(files.numbers(data, "lon"), files.numbers(data, "lat"))
        both = [files.numbers(data, f"flux_{name}").mean(axis=1) for name in ("prior", "posterior")]
        totals = [files.numbers(data, f"region_total_{name}").mean(axis=-1).sum(axis=-1) for name in ("prior", "posterior")]
    found.facts["regions"] = f"{len(regions)}"
    for i, name in enumerate(names):
        found.facts[str(name)] = f"prior {totals[0][i]:+.3f}, posterior {totals[1][i]:+.3f} PgC/yr"
        found.add_range(f"posterior {name}", both[1][i], "mol m-2 s-1")
    grams = MOLAR_MASS_CARBON * SECONDS_PER_DAY
    found.panels += [GridPanel("posterior flux, all components", grams * both[1].sum(axis=0), grid, "gC m⁻² d⁻¹", True),
                     GridPanel("posterior − prior", grams * (both[1] - both[0]).sum(axis=0), grid, "gC m⁻² d⁻¹", True)]


def describe_part(seen: Glance, found: Findings) -> None:
    """Working files of the transport model: structure only."""
    found.facts["use"] = "made by GCAS or the transport model for a run; not an input of GCAS"


def _attributes(seen: Glance, found: Findings) -> None:
    for name in ("case", "window", "members", "seed", "settings_hash", "source"):
        if name in seen.attributes:
            found.facts[name] = seen.attributes[name]
