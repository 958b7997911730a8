"""Where on the globe prior fluxes lie: coordinates that were turned, shifted or mirrored put them where their component has none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gcas_driver.errors import Problem
from mozart_coupling.land import land_fraction

from ..components import COMPONENTS
from ..units import PGC_PER_YEAR
from .day import three_hourly
from .sources import SourceReader, sources
from .stream import Stream

LEAST_AT_HOME = {"land": 0.65, "sea": 0.85}
"""Share of the size of a component's flux that lies on its own side of the coast. Even fluxes have 0.95 (land) and 0.98 (sea) at 1 degree,
0.87 and 0.94 at 4 x 5 degrees; mirrored or shifted by half a turn at most 0.43 and 0.77, whatever the grid."""


@dataclass
class Placement:
    """Of one component on one day: net flux, sum of |daily mean| of all cells, the part of that over land, all [PgC/yr]."""

    net: float = 0.0
    size: float = 0.0
    over_land: float = 0.0


def placements(streams: Iterable[Stream], day: np.datetime64) -> dict[str, Placement]:
    """Component → where its flux of a day lies, for the components that have a stream."""
    found: dict[str, Placement] = {}
    day = np.datetime64(day, "D")
    for source in sources(streams):
        reader = SourceReader(source)
        try:
            flux = reader.total(day)
        finally:
            reader.close()
        amount = three_hourly(flux).mean(axis=0) * flux.grid.area * PGC_PER_YEAR
        place = found.setdefault(source.stream.component, Placement())
        place.net += float(amount.sum())
        place.size += float(np.abs(amount).sum())
        place.over_land += float((np.abs(amount) * land_fraction(flux.grid)).sum())
    return {component: found[component] for component in COMPONENTS if component in found}


def placement_problems(streams: Iterable[Stream], day: np.datetime64) -> list[Problem]:
    """Warnings: a component that is zero everywhere, one that burns and takes up carbon, one that lies on the wrong side of the coast."""
    problems = []
    for component, place in placements(streams, day).items():
        where = f"prior {component}, {day.astype('datetime64[D]')}"

        def warn(what: str, found: str, expected: str, advice: str, where: str = where) -> None:
            problems.append(Problem(what, where, found, expected, advice, severity="warning"))

        if place.size == 0.0:
            warn(f"the {component} flux is zero everywhere", "0", "a flux", "without one the component is neither carried nor optimised")
            continue
        if component in ("fossil", "fire") and place.net < 0.0:
            warn(f"the {component} flux takes carbon out of the air", f"{place.net:.3f} PgC/yr", "more than 0",
                 "does the file count downwards? `positive = 'down'` says so")
        over_land = place.over_land / place.size
        at_home, side = (1.0 - over_land, "sea") if component == "ocn" else (over_land, "land")
        if at_home < LEAST_AT_HOME[side]:
            warn(f"the {component} flux is not where it should be, over {side}", f"{100.0 * at_home:.0f} % of its size over {side}",
                 f"more than {100.0 * LEAST_AT_HOME[side]:.0f} %", "are its coordinates shifted or mirrored? `gcas inspect` draws it")
    return problems
