"""A CO2 field on the run's grid and levels, with the amount of CO2 kept.

Horizontally each layer's mole fraction is the mean over the overlap of cells, weighted by the mass of air in them, and pressures are the
mean by area: so the amount of CO2 of every layer is kept exactly. Vertically the layers' exact integrals are shared out (van Leer's
limited lines; `mozart_coupling.reanalysis.vertical`). The run's surface pressure is another one than the file's, and its top lies lower:
what that changes in the mean over all air is taken back by one factor, so that the global mean mole fraction is that of the file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mozart_coupling.grids import Grid, regrid
from mozart_coupling.reanalysis.vertical import LayerRemap

from .field import Field, interfaces_of

LARGEST_CORRECTION_PPM = 2.0
"""Beyond this the two atmospheres have little in common: said in the text, since the field is still the file's."""


@dataclass(frozen=True)
class Regridded:
    """A field on the run's grid and levels.

    Attributes
    ----------
    values : ndarray (n_levels, nlat, nlon)
        [mol mol-1].
    mean_ppm : float
        Mean over all air, of the file and of `values` alike.
    correction_ppm : float
        What the factor added to the mean.
    """

    values: np.ndarray
    mean_ppm: float
    correction_ppm: float

    @property
    def text(self) -> str:
        """For the log."""
        text = f"mean over all air {self.mean_ppm:.4f} ppm, kept by a correction of {self.correction_ppm:+.4f} ppm"
        if abs(self.correction_ppm) > LARGEST_CORRECTION_PPM:
            text += " (large: the file's surface pressure or top is far from the run's)"
        return text


def on_model(field: Field, grid: Grid, levels: tuple[np.ndarray, np.ndarray], ps: np.ndarray) -> Regridded:
    """Regrid a field.

    Parameters
    ----------
    grid, levels, ps
        The run's: hyai and hybi (n + 1,), top first; surface pressure (nlat, nlon) [Pa].

    Raises
    ------
    InputError
        The file does not say where its cells or levels are.
    """
    source, interfaces = field.located(grid, levels, ps)
    target = interfaces_of(*levels, ps)
    mean = mean_over_air(field.values, interfaces, source)
    if source == grid:
        layers, faces = field.values, interfaces
    else:
        mass = np.diff(interfaces, axis=0)
        layers = regrid(field.values * mass, source, grid) / regrid(mass, source, grid)
        faces = regrid(interfaces, source, grid)
    values = layers if np.array_equal(faces, target) else LayerRemap(faces, target, linear_ends=True)(layers)
    found = mean_over_air(values, target, grid)
    return Regridded(values * (mean / found), 1e6 * mean, 1e6 * (mean - found))


def mean_over_air(values: np.ndarray, interfaces: np.ndarray, grid: Grid) -> float:
    """Mean weighted by the mass of air, area times thickness in pressure."""
    mass = np.diff(interfaces, axis=0) * grid.area
    return float((values * mass).sum() / mass.sum())
