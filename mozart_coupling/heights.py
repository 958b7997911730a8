"""Pressures and heights of hybrid levels."""

from __future__ import annotations

import numpy as np

from mozart_coupling.constants import GAS_CONSTANT_DRY_AIR, GRAVITY, REFERENCE_PRESSURE

VIRTUAL = 0.608  # (molar mass of dry air / of water) - 1


def hybrid_pressure(a: np.ndarray, b: np.ndarray, ps: np.ndarray) -> np.ndarray:
    """p = a P0 + b PS: coefficients (k,), surface pressure (...) [Pa] → (..., k) [Pa]."""
    return a * REFERENCE_PRESSURE + b * np.asarray(ps)[..., None]


def hydrostatic_heights(temperature: np.ndarray, humidity: np.ndarray | None, ps: np.ndarray, phis: np.ndarray, hyai: np.ndarray,
                        hybi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Heights above sea of mid-levels and interfaces.

    Parameters
    ----------
    temperature, humidity
        (nlev, ...) [K], [kg/kg], top first; without humidity the air is taken as dry.
    ps, phis
        (...) surface pressure [Pa] and surface geopotential [m2 s-2].
    hyai, hybi
        (nlev+1,) [1].

    Returns
    -------
    mid, interface : numpy.ndarray
        (nlev, ...), (nlev+1, ...) [m]: geopotential over g. Where the top interface has no pressure it is taken as the
        mirror image of the interface below it about the mid-level, in ln p.
    """
    shape = (-1,) + (1,) * np.ndim(ps)
    face = hyai.reshape(shape) * REFERENCE_PRESSURE + hybi.reshape(shape) * ps
    mid = 0.5 * (face[:-1] + face[1:])
    if np.any(face[0] <= 0.0):
        face[0] = mid[0] ** 2 / face[1]
    log_face = np.log(face)
    scale = temperature * (GAS_CONSTANT_DRY_AIR / GRAVITY)
    if humidity is not None:
        scale = scale * (1.0 + VIRTUAL * humidity)
    interface = np.empty_like(face)
    interface[-1] = phis / GRAVITY
    for k in range(face.shape[0] - 2, -1, -1):
        interface[k] = interface[k + 1] + scale[k] * (log_face[k + 1] - log_face[k])
    return interface[1:] + scale * (log_face[1:] - np.log(mid)), interface
