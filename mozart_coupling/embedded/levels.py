"""Hybrid levels: coefficients, pressures and what makes them valid.

p_interface = hyai * P0 + hybi * PS, level 1 on top. The spacing of our own set is a cubic in the level number for the
number of scale heights above the ground: fine in the boundary layer, smooth everywhere, 28 levels up to 2.7 hPa.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mozart_coupling.errors import MetError

P0 = 1.0e5  # Pa
DEFAULT_N_LEVELS = 28
DEFAULT_TOP = 270.0  # Pa
LOWEST_SURFACE_PRESSURE = 4.5e4  # Pa; below the highest ground of any grid in use

_NEAR_GROUND = (0.18, 0.41)  # linear and quadratic part of the number of scale heights
_PURE_PRESSURE_ABOVE = 0.08  # p / P0 at and above which levels do not feel the ground
_TERRAIN_POWER = 1.25


def hybrid_levels(n_levels: int = DEFAULT_N_LEVELS, top: float = DEFAULT_TOP) -> tuple[np.ndarray, np.ndarray]:
    """Interface coefficients of our own set of levels.

    With x = 0 at the ground and 1 at the top interface, -ln(p/P0) = 0.18 x + 0.41 x^2 + c x^3, c chosen so that the
    top is at `top`. For 28 levels the lowest layer is about 60 m thick and ten layers lie below 700 hPa.

    Parameters
    ----------
    n_levels
        Number of layers, at least 2.
    top
        Pressure of the uppermost interface [Pa], in (0, 5e4).

    Returns
    -------
    hyai, hybi
        (n_levels + 1,) [1], top first; hyai + hybi is p/P0 over ground at P0.
    """
    if n_levels < 2 or not 0.0 < top < 0.5 * P0:
        raise MetError("these levels cannot be made", "hybrid levels", f"{n_levels} levels up to {top:g} Pa",
                       "at least 2 levels, top between 0 and 5e4 Pa")
    x = np.linspace(1.0, 0.0, n_levels + 1)
    linear, quadratic = _NEAR_GROUND
    cubic = -np.log(top / P0) - linear - quadratic
    eta = np.exp(-(linear * x + quadratic * x**2 + cubic * x**3))
    eta[-1] = 1.0
    above = np.clip((eta - _PURE_PRESSURE_ABOVE) / (1.0 - _PURE_PRESSURE_ABOVE), 0.0, 1.0)
    hybi = above**_TERRAIN_POWER
    hyai = eta - hybi
    hyai[-1], hybi[-1] = 0.0, 1.0
    return hyai, hybi


def mid_coefficients(hyai: ArrayLike, hybi: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """hyam, hybm (n_levels,): means of the neighbouring interfaces."""
    hyai, hybi = np.asarray(hyai, dtype=np.float64), np.asarray(hybi, dtype=np.float64)
    return 0.5 * (hyai[:-1] + hyai[1:]), 0.5 * (hybi[:-1] + hybi[1:])


def level_pressure(a: ArrayLike, b: ArrayLike, surface_pressure: ArrayLike) -> np.ndarray:
    """a P0 + b PS [Pa]: coefficients (n,), surface pressure (...) [Pa] → (n, ...)."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    surface_pressure = np.asarray(surface_pressure, dtype=np.float64)
    column = (slice(None),) + (None,) * surface_pressure.ndim
    return a[column] * P0 + b[column] * surface_pressure


def check_coefficients(hyai: ArrayLike, hybi: ArrayLike, where: str = "hybrid levels",
                       lowest: float = LOWEST_SURFACE_PRESSURE) -> None:
    """Raise unless the interfaces descend from the top to exactly the ground, for any surface pressure from `lowest` [Pa] on.

    Pure sigma (hyai = 0) and pure pressure levels aloft are both valid.

    Raises
    ------
    MetError
        Shapes differ, values are not finite, levels are upside down, not monotone, or do not end at the ground.
    """
    hyai, hybi = np.asarray(hyai, dtype=np.float64), np.asarray(hybi, dtype=np.float64)
    if hyai.ndim != 1 or hyai.shape != hybi.shape or hyai.size < 3:
        raise MetError("hyai and hybi must be rows of one length", where, f"shapes {hyai.shape}, {hybi.shape}")
    if not (np.isfinite(hyai).all() and np.isfinite(hybi).all()):
        raise MetError("hybrid coefficients are not finite", where)
    if hybi[0] == 1.0 and hyai[0] == 0.0 and hyai[-1] + hybi[-1] < 0.5:
        raise MetError("levels are upside down", where, "the ground first", "level 1 on top",
                       "Reverse the level axis of coefficients and fields.")
    if abs(hyai[-1]) > 1e-6 or abs(hybi[-1] - 1.0) > 1e-6:
        raise MetError("the lowest interface is not the ground", where, f"hyai {hyai[-1]:g}, hybi {hybi[-1]:g}", "0 and 1")
    if hyai[0] + hybi[0] < 0.0:
        raise MetError("the top interface has a negative pressure", where, f"{(hyai[0] + hybi[0]) * P0:g} Pa")
    # Where hybi grows downward a layer is thinnest over the lowest surface pressure.
    for surface_pressure in (min(lowest, P0), P0):
        thickness = np.diff(level_pressure(hyai, hybi, surface_pressure))
        if np.any(thickness <= 0.0):
            k = int(np.argmax(thickness <= 0.0))
            raise MetError("interface pressures are not monotone", where,
                           f"layer {k + 1} is {thickness[k]:.4g} Pa thick over ground at {surface_pressure:g} Pa",
                           "pressures that grow downward")
    if np.any(np.diff(hybi) < 0.0):
        k = int(np.argmax(np.diff(hybi) < 0.0))
        raise MetError("hybi is not monotone", f"{where}, interface {k + 2}", f"{hybi[k + 1]:.6g} after {hybi[k]:.6g}",
                       "numbers that grow from the top to the ground", "Check the coefficients: the interfaces cross.")
