"""What the departures say of the errors and the spread that an analysis was given, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

LEAST_NUMBER = 20
"""Of fewer observations nothing is said."""
MARGIN = 4.0 / 3.0
"""A standard deviation within this factor of the diagnosed one counts as right."""
DOUBT = 2.0
"""… and so does one whose diagnosed variance is within so many standard errors."""

TOGETHER = (
    "The fluxes depend on the ratio of the two: changed in one step, they stay about as they are, and the stated uncertainties follow. "
    "Those of regions may then be too small; a correlation length moves uncertainty from cells to regions. Smaller errors alone give "
    "chance correlations more weight, and may make the fluxes worse.")
IN_STEPS = (
    "Go in steps, and watch withheld data: chance correlations of few members act like errors, which is why one may want larger ones.")
ADVICE = {
    (0, 0): "Both fit the departures.",
    (1, 1): "Both are larger than the departures show: multiply the error factor and floor by about {error}, together with λ by about "
            "{spread}. " + TOGETHER,
    (-1, -1): "Both are smaller than the departures show: multiply the errors by about {error} and λ by about {spread}, together.",
    (1, 0): "The errors are larger than the departures show: the error factor and floor may be multiplied by about {error}. " + IN_STEPS,
    (1, -1): "The errors are larger than the departures show and the spread is smaller: multiply λ by about {spread} and the error "
             "factor and floor by about {error}. " + IN_STEPS,
    (-1, 0): "The errors are smaller than the departures show: multiply them by about {error}; a mean innovation far from 0 in some "
             "regions would rather be a bias of transport or start.",
    (-1, 1): "The errors are smaller than the departures show and the spread is larger: multiply the errors by about {error} and λ by "
             "about {spread}.",
    (0, 1): "The spread is larger than the departures show: multiply λ by about {spread}.",
    (0, -1): "The spread is smaller than the departures show: multiply λ by about {spread}, or give the perturbations a correlation "
             "length.",
}
"""By (error, spread): 1 larger than diagnosed, -1 smaller, 0 right."""


def verdicts(block: Mapping[str, Any]) -> dict[str, str]:
    """A few sentences for every product with enough observations.

    Parameters
    ----------
    block : mapping
        `diagnostics` of `summary.json`.

    Returns
    -------
    dict of str to str
        Product → text.
    """
    return {name: verdict(row) for name, row in block.get("product", {}).items() if row["number"] >= LEAST_NUMBER}


def verdict(row: Mapping[str, Any]) -> str:
    """The figures of one group, compared, and what to do.

    Diagnosed variances (Desroziers et al., QJRMS 131, 3385, 2005) below 0 say that assumptions are far off: nothing is advised then.
    """
    states, factors, parts = [], [], []
    for name, title in (("error_variance", "error"), ("prior_variance", "spread")):
        assumed, found, doubt = row[name], row[f"{name}_diagnosed"], row[f"{name}_diagnosed_error"]
        if not found > 0.0:
            return f"χ² {row['chi2']:.2f}. The diagnosed {title} is not positive: assumptions are far off, or observations too few."
        factor = math.sqrt(found / assumed)
        right = 1.0 / MARGIN <= factor <= MARGIN or abs(found - assumed) <= DOUBT * (doubt or 0.0)
        states.append(0 if right else 1 if factor < 1.0 else -1)
        factors.append(f"{factor:.1g}" if factor < 1.0 else f"{factor:.1f}")
        parts.append(f"{title} assumed {math.sqrt(assumed):.2f} ppm, diagnosed {math.sqrt(found):.2f}")
    return f"{'; '.join(parts).capitalize()}; χ² {row['chi2']:.2f}. " + ADVICE[tuple(states)].format(error=factors[0], spread=factors[1])
