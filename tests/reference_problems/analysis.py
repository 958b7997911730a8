"""One analysis: 60 parameters, 40 observations, 24 members over Europe and around; the serial EnSRF with two bands or tapered, LETKF."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gcas_driver.analysis import Localization, ensrf, letkf

from .store import Result

N_PARAMETERS, N_OBSERVATIONS, N_MEMBERS = 60, 40, 24
SEED = 20100601


def inputs() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Members x and hx, values y, variances r and places: observations see the parameters nearby, with some noise."""
    random = np.random.RandomState(SEED)
    places = {f"{kind}_{name}": random.uniform(low, low + width, n) for kind,
              n in (("parameter", N_PARAMETERS), ("observation", N_OBSERVATIONS))
              for name, low, width in (("lon", -20.0, 80.0), ("lat", 20.0, 50.0))}
    x = 1.0 + 0.6 * random.standard_normal((N_PARAMETERS, N_MEMBERS))
    lon, lat = (places[f"observation_{name}"][:, None] - places[f"parameter_{name}"][None, :] for name in ("lon", "lat"))
    response = np.exp(-(lon**2 + 2.0 * lat**2) / 300.0)
    hx = 390.0 + response @ x + 0.05 * random.standard_normal((N_OBSERVATIONS, N_MEMBERS))
    y = 390.0 + response @ np.full(N_PARAMETERS, 1.3) + 0.3 * random.standard_normal(N_OBSERVATIONS)
    return x, hx, y, random.uniform(0.2, 1.0, N_OBSERVATIONS), places


def results(directory: Path) -> dict[str, Result]:
    """Posterior means, members' spread, simulated values and what localization rejected."""
    x, hx, y, r, places = inputs()
    bands = Localization(**places, near_km=500.0, far_km=3000.0, p_value=0.05, sign=True)
    tapered = Localization(**places, far_km=3000.0, p_value=None, sign=False, taper="gaspari-cohn")
    found = {}
    for name, result in {
        "two_bands": ensrf(x, hx, y, r, localization=bands, threads=1),
        "greedy_inflated_relaxed": ensrf(x, hx, y, r, localization=bands, order="greedy", inflation=1.1, rtps=0.3, huber=1.5, threads=1),
        "tapered": ensrf(x, hx, y, r, localization=tapered, threads=1),
        "letkf_tapered": letkf(x, hx, y, r, localization=tapered, threads=1),
    }.items():
        found[f"{name}_mean"] = Result(result.mean, "1")
        found[f"{name}_members"] = Result(result.x[::6], "1", atol=1e-10)
        found[f"{name}_hx"] = Result(result.hx[::4], "ppm")
        found[f"{name}_rejected_share"] = Result(np.float64(result.rejected_share), "1", rtol=0.0, why="a ratio of counts")
        found[f"{name}_accepted"] = Result(result.n_local, "1", rtol=0.0, why="counts")
        found[f"{name}_dfs"] = Result(np.float64(result.dfs), "1")
        found[f"{name}_chi2"] = Result(np.float64(result.chi2), "1", rtol=1e-9, why="innovations are differences of values near 390 ppm")
    return found
