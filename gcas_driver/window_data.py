"""What the steps of a window hand to one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from mozart_coupling.samples import SampleRequest

from .analysis import Diagnostics
from .fluxes.members import FluxBasis
from .fluxes.state import State
from .observations import Observations
from .observations.simulate import SampleMapping
from .observations.super_observations import SuperObservations


@dataclass(frozen=True)
class Prior:
    """What the window starts from.

    Attributes
    ----------
    fluxes : Dataset
        Of all components on the transport grid [mol m-2 s-1].
    state : State
        Parameters: places, components, λ, signs.
    basis : FluxBasis
        Fields whose sums, times factors, are the members' fluxes.
    x : ndarray (n_parameters, n_members)
        Members' factors, equation (1).
    """

    fluxes: xr.Dataset
    state: State
    basis: FluxBasis
    x: np.ndarray


@dataclass(frozen=True)
class Asked:
    """Observations of the window, and what the transport model is asked for them.

    Attributes
    ----------
    table : Observations
        All rows that were read, in order of time.
    rows : ndarray of int (n_simulated,)
        Those to be simulated.
    position : ndarray of int (n_simulated,)
        Place of each among the rows as they were read: stream by stream, file by file, record by record.
    request, mapping
        For those rows: what is asked, and how samples become their profiles.
    """

    table: Observations
    rows: np.ndarray
    position: np.ndarray
    request: SampleRequest
    mapping: SampleMapping

    @property
    def simulated(self) -> Observations:
        """The rows to be simulated."""
        return self.table.select(self.rows)


@dataclass(frozen=True)
class Compared(Asked):
    """Observations of the window with their simulated values; the table says what screening rejected.

    Attributes
    ----------
    hx : ndarray (n_simulated, n_members)
        Simulated values of the ensemble [ppm].
    supers : SuperObservations
        Formed from the simulated rows.
    """

    hx: np.ndarray
    supers: SuperObservations


@dataclass(frozen=True)
class Posterior:
    """Outcome of the analysis.

    Attributes
    ----------
    x : ndarray (n_parameters, n_members)
        Members' factors.
    mean : ndarray (n_parameters,)
    hx : ndarray (n_super, n_members)
        Simulated super-observations [ppm].
    n_observations : ndarray of int (n_parameters,)
        Super-observations that passed each parameter's localization.
    diagnostics : Diagnostics
        How it behaved, over all super-observations, by product and by region.
    figures : dict
        For log and journal: `rejected_share` (of the pairs within reach, by localization), `zero_spread_parameters`,
        `zero_spread_observations` (neither is updated), `inflation` (the factor used), if adaptive
        `inflation_error`, `chi2`, `dfs`, `diagnostics` (`assimilation.NOTED`, of all super-observations); with
        Huber's weights `huber_down_weighted`. Empty without observations.
    """

    x: np.ndarray
    mean: np.ndarray
    hx: np.ndarray
    n_observations: np.ndarray
    diagnostics: Diagnostics
    figures: dict[str, Any]
