"""Physical limits of surface fluxes, wide enough for any real field, narrow enough to catch wrong units.

The commonest mix-ups (molecules cm-2 s-1, gC m-2 day-1, kgC m-2 s-1, mol m-2 s-1) are factors of 1e3 and more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gcas_driver.errors import InputError
from mozart_coupling.grids import Grid


@dataclass(frozen=True)
class Limits:
    """Limits of one component [mol m-2 s-1].

    Attributes
    ----------
    lowest, highest : float
        Of a three-hour mean in a 1 degree cell.
    mean_lowest, mean_highest : float
        Of the mean of |flux| over the cells of a field that is not zero throughout.
    """

    lowest: float
    highest: float
    mean_lowest: float
    mean_highest: float


# A productive canopy at noon takes up 4e-5; a busy city at 1 degree emits 2e-5, a great fire 1e-4.
# NEE of +-100 PgC/yr, the gross diurnal exchange, is a global mean of 5e-7; fires of 2 PgC/yr are 1e-8.
LIMITS: dict[str, Limits] = {
    "bio": Limits(-2.0e-4, 2.0e-4, 1.0e-10, 1.0e-5),
    "ocn": Limits(-2.0e-5, 2.0e-5, 1.0e-11, 1.0e-6),
    "fossil": Limits(-1.0e-6, 5.0e-4, 1.0e-10, 1.0e-6),
    "fire": Limits(-1.0e-6, 5.0e-3, 1.0e-14, 1.0e-6),
}


def out_of_range(component: str, values: np.ndarray, crowding: float = 1.0) -> tuple[str, str] | None:
    """What is physically impossible about fluxes of a component.

    Parameters
    ----------
    component : str
        One of `LIMITS`.
    values : numpy.ndarray
        Any shape, finite [mol m-2 s-1].
    crowding : float
        Limits of single cells are multiplied by this: a smaller cell can have all that a larger one has.

    Returns
    -------
    tuple of str or None
        (found, expected), None when nothing is. Slightly negative fossil cells are possible: some inventories have them.
    """
    limits = LIMITS[component]
    low, high = float(values.min()), float(values.max())
    lowest, highest = crowding * limits.lowest, crowding * limits.highest
    if low < lowest or high > highest:
        return (f"{low:.3g} to {high:.3g} mol m-2 s-1", f"{lowest:.0e} to {highest:.0e}")
    mean = float(np.abs(values).mean())
    if mean and not limits.mean_lowest <= mean <= limits.mean_highest:
        return (f"mean size {mean:.3g} mol m-2 s-1", f"{limits.mean_lowest:.0e} to {limits.mean_highest:.0e}")
    return None


def refuse_unphysical(component: str, values: np.ndarray, grid: Grid, where: str) -> None:
    """Refuse fluxes that are physically impossible on their grid.

    Raises
    ------
    InputError
        With what was found.
    """
    verdict = out_of_range(component, values, max(1.0, grid.nlat * grid.nlon / (180 * 360)))
    if verdict:
        raise InputError(f"{component} flux is out of the physical range", where, *verdict,
                         advice="Check the file's units; `units` of the &prior group overrides them.")
