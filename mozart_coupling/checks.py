"""Comparisons that every reader makes: the same grid, the same levels, the unit that was said."""

from __future__ import annotations

import numpy as np

from mozart_coupling.errors import CouplingError, HistoryError
from mozart_coupling.grids import Grid

COORDINATE_TOLERANCE = 1.0e-3  # degrees: files hold coordinates as float32, some rounded to three decimals
LEVEL_TOLERANCE = 1.0e-6  # of P0
PHYSICAL_PPM = (-2000.0, 10000.0)  # beyond this a tracer has come apart; members of a wide ensemble do go below zero
MEAN_VMR = (3.5e-4, 4.5e-4)
MEAN_MMR = (5.0e-4, 7.0e-4)


def require_grid(found: Grid, expected: Grid, where: object, error: type[CouplingError]) -> None:
    """Raise unless two grids have the same centres, up to the rounding of files."""
    if found.shape != expected.shape:
        raise error("the grid is another one", where, f"{found.nlon}x{found.nlat}", f"{expected.nlon}x{expected.nlat}")
    for name in ("lon", "lat"):
        a, b = getattr(found, name), getattr(expected, name)
        worst = int(np.argmax(np.abs(a - b)))
        if abs(a[worst] - b[worst]) > COORDINATE_TOLERANCE:
            raise error("the grid is another one", f"{where}, {name}[{worst}]", f"{a[worst]:g}", f"{b[worst]:g}")


def require_levels(hyam: np.ndarray, hybm: np.ndarray, expected_hyam: np.ndarray, expected_hybm: np.ndarray, where: object,
                   error: type[CouplingError]) -> None:
    """Raise unless hybrid mid-level coefficients agree; upside-down levels get their own words."""
    total, expected = hyam + hybm, expected_hyam + expected_hybm
    if total.shape != expected.shape:
        raise error("the number of levels is another one", where, total.size, expected.size)
    if np.allclose(hyam, expected_hyam, atol=LEVEL_TOLERANCE) and np.allclose(hybm, expected_hybm, atol=LEVEL_TOLERANCE):
        return
    if np.all(np.diff(total) < 0):
        raise error("the levels are upside down", f"{where}, hyam and hybm", f"{total[0]:.4g} … {total[-1]:.4g}", "level 1 at the top")
    worst = int(np.argmax(np.abs(total - expected)))
    raise error("the levels are other ones", f"{where}, hyam and hybm, level {worst + 1}", f"{total[worst]:.6g}", f"{expected[worst]:.6g}")


def to_mole_fraction(tracer_units: str, mw_air: float, mw_co2: float) -> float:
    """Factor from a file's mixing ratio (`mmr` kg/kg or `vmr` mol/mol) to mol/mol.

    Raises
    ------
    HistoryError
        For another unit.
    """
    if tracer_units == "vmr":
        return 1.0
    if tracer_units == "mmr":
        return mw_air / mw_co2
    raise HistoryError("unknown unit of the tracers", "tracer_units", repr(tracer_units), "'mmr' (kg/kg) or 'vmr' (mol/mol)")


def require_unit(mean: float, tracer_units: str, where: object) -> None:
    """Stop when the mean of a CO2 tracer says that it is in the other unit.

    A mean of 3.5e-4…4.5e-4 is mol/mol, 5e-4…7e-4 is kg/kg; a mean outside both says nothing and is let pass.

    Raises
    ------
    HistoryError
        If the mean lies in the other unit's range.
    """
    low, high = MEAN_MMR if tracer_units == "vmr" else MEAN_VMR
    if low <= mean <= high:
        other = "mmr" if tracer_units == "vmr" else "vmr"
        raise HistoryError("the tracers are in the other unit", where, f"a mean of {mean:.4g}, which is {other}",
                           f"tracer_units = '{tracer_units}'", f"Set tracer_units = '{other}', or use the executable that was meant.")


def require_physical(values: np.ndarray, to_vmr: float, where: object, error: type[CouplingError]) -> None:
    """Raise unless every value is finite and a mole fraction that air can have, within wide bounds."""
    if not np.isfinite(values).all():
        raise error("a tracer is not finite", where, f"{np.count_nonzero(~np.isfinite(values))} of {values.size} values")
    low, high = float(values.min()) * to_vmr * 1e6, float(values.max()) * to_vmr * 1e6
    if low < PHYSICAL_PPM[0] or high > PHYSICAL_PPM[1]:
        raise error("a tracer is out of any physical range", where, f"{low:.6g} … {high:.6g} ppm",
                    f"{PHYSICAL_PPM[0]:g} … {PHYSICAL_PPM[1]:g} ppm")
