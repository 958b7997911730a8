"""What one step of the transport core is given: meteorology, and what is emitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class StepMet:
    """Meteorology of one step.

    Attributes
    ----------
    u, v
        Wind at mid-step on cell centres (nlev, nlat, nlon) [m s-1].
    ps_start, ps_end
        The met's surface pressure at the step's two ends (nlat, nlon) [Pa]. Only its changes in space and time count:
        the core shifts it uniformly so that the mass of the atmosphere stays what it was.
    temperature, specific_humidity
        (nlev, nlat, nlon) [K], [kg kg-1], or None.
    pblh
        Height of the boundary layer above ground (nlat, nlon) [m], or None.
    surface_heat_flux, moisture_flux, taux, tauy
        Upward sensible heat [W m-2], upward water vapour [kg m-2 s-1], stress on the surface [N m-2]; (nlat, nlon) or None.
    ts, oro, phis
        Surface temperature [K], surface type (0 ocean, 1 land, 2 ice), surface geopotential [m2 s-2]; (nlat, nlon) or None.
    cmfmc
        Upward convective mass flux at interfaces (nlev+1, nlat, nlon) [kg m-2 s-1], or None.
    seconds_of_day, day_of_year
        UTC at mid-step [s], day of the year (1 … 366): local hour and season where surface fluxes are not given.
    """

    u: np.ndarray
    v: np.ndarray
    ps_start: np.ndarray
    ps_end: np.ndarray
    temperature: np.ndarray | None = None
    specific_humidity: np.ndarray | None = None
    pblh: np.ndarray | None = None
    surface_heat_flux: np.ndarray | None = None
    moisture_flux: np.ndarray | None = None
    taux: np.ndarray | None = None
    tauy: np.ndarray | None = None
    ts: np.ndarray | None = None
    oro: np.ndarray | None = None
    phis: np.ndarray | None = None
    cmfmc: np.ndarray | None = None
    seconds_of_day: float = 0.0
    day_of_year: float = 1.0


@dataclass
class StepEmission:
    """What enters the lowest layer in one step: tracer n gets `sum over b of coefficients[n, b] * basis[b]`.

    Attributes
    ----------
    basis
        Amounts added in the step, (n_basis, nlat, nlon) or, for patterns that are the same everywhere, (n_basis,)
        [mixing-ratio unit × kg of air m-2].
    coefficients
        (n_tracers, n_basis, nlat, nlon) [1]; None: those of the last `set_coefficients`, or, if there were none, basis n
        goes to tracer n. The same array object in later steps is taken as unchanged.
    """

    basis: np.ndarray
    coefficients: np.ndarray | None = None
