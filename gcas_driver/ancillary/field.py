"""One month of a field on a global grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gcas_driver.errors import InputError
from mozart_coupling.grids import Grid, regrid
from mozart_coupling.land import land_fraction

COARSE = Grid.regular(360, 180, lon_first=-179.5)
"""Regional means are made on one degree: cells of the field are shared between its cells by area."""
LEAST_ON_LAND = 0.7
"""Share of the area with values that must be land; a field read in another order of rows or columns has about a third there."""


@dataclass(frozen=True)
class MonthlyField:
    """Values of one month.

    Attributes
    ----------
    month : datetime64[M]
    values : ndarray (nlat, nlon)
        South first; NaN: no value.
    grid : Grid
    where : str
        File and variable.
    units : str
    """

    month: np.datetime64
    values: np.ndarray
    grid: Grid
    where: str
    units: str

    def coarse(self, part: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """On `COARSE`: mean over each cell of values (or of `part`, (nlat, nlon)) × presence, and the share of the cell with values."""
        present = np.isfinite(self.values)
        chosen = self.values if part is None else part
        both = regrid(np.stack([np.where(present, chosen, 0.0), present.astype(np.float64)]), self.grid, COARSE)
        return both[0], both[1]

    def require_range(self, lowest: float, highest: float) -> None:
        """Refuse values that cannot be, and a month without any.

        Raises
        ------
        InputError
        """
        present = self.values[np.isfinite(self.values)]
        if not present.size:
            raise InputError("a month has no value at all", f"{self.where}, {self.month}", "missing values only")
        if present.min() < lowest or present.max() > highest:
            raise InputError("values cannot be of this field", f"{self.where}, {self.month}", f"{present.min():g} … {present.max():g}",
                             f"{lowest:g} … {highest:g}", "Check the variable and the format of this &ancillary group.")

    def require_land(self) -> None:
        """Refuse a field of land whose values do not lie on land: its rows or columns are in another order.

        Raises
        ------
        InputError
        """
        _, share = self.coarse()
        weight = share * COARSE.area
        on_land = float((weight * land_fraction(COARSE)).sum() / weight.sum())
        if on_land < LEAST_ON_LAND:
            raise InputError("values of a land field lie at sea", f"{self.where}, {self.month}",
                             f"{100 * on_land:.0f} % of their area is land", f"at least {100 * LEAST_ON_LAND:.0f} %",
                             "Rows or columns are in another order than the format's.")
