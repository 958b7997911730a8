"""What the transport core needs beside tracers and meteorology: tables of the grid, interfaces of the levels; and what its status says."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mozart_coupling import _transport
from mozart_coupling.constants import REFERENCE_PRESSURE
from mozart_coupling.embedded.blocks import TransportError
from mozart_coupling.errors import CflError, MetError
from mozart_coupling.grids import Grid


class Tables:
    """Constant geometry of a grid, in the Fortran order the core wants."""

    def __init__(self, grid: Grid) -> None:
        nlon, nlat = grid.nlon, grid.nlat
        self.lat_edges = np.array(grid.lat_edges)
        self.area = np.array(grid.area[:, 0])
        self.edge_weights = np.zeros((4, nlat + 1), order="F")
        self.smoothing = np.zeros(nlat)
        self.basis = np.zeros((nlon, nlon), order="F")
        self.zonal_factor = np.zeros(nlat)
        self.meridional_factor = np.zeros(nlat + 1)
        self.pivots = np.zeros((nlon, nlat), order="F")
        raise_core_status(*face().geometry(self.lat_edges, self.edge_weights, self.smoothing, self.basis, self.zonal_factor,
                                           self.meridional_factor, self.pivots))


def face() -> Any:
    """The Fortran core as Python sees it."""
    return _transport.gcas_transport_face


def raise_core_status(status: int, message: str) -> None:
    """Turn the core's status into an exception."""
    table = _transport.gcas_status
    if status == table.status_ok:
        return
    if status == table.status_cfl:
        raise CflError("the wind is too strong for the time step", found=message, advice="Shorten the time step.")
    if status == table.status_not_finite:
        raise MetError("meteorology is not finite", found=message)
    raise TransportError("the transport core refused its input", found=message)


def hybrid_coefficients(hyai: ArrayLike, hybi: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Interfaces as pressure = a + b·ps, (nlev+1,) [Pa], [1]; raises `TransportError` unless they go down from the top."""
    a = np.array(hyai, dtype=np.float64) * REFERENCE_PRESSURE
    b = np.array(hybi, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or a.size < 2:
        raise TransportError("hybrid coefficients are two rows of equal length", "hyai, hybi", f"shapes {a.shape}, {b.shape}")
    for ps in (5.0e4, REFERENCE_PRESSURE):
        if not np.all(np.diff(a + b * ps) > 0.0):
            raise TransportError("interface pressures must increase downward", "hyai, hybi",
                                 f"not monotone for a surface pressure of {ps:g} Pa", "level 1 on top")
    if np.any(np.diff(b) < 0.0) or not b[-1] > b[0]:
        raise TransportError("hybi must not decrease downward", "hyai, hybi")
    return a, b
