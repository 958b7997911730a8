"""Fluxes of the members, schemes (2)-(5) of Jiang et al. (2021), as a few fields times coefficients.

Within a window a member's flux is Σ_b c_b(place) B_b(time, place): the transport can carry all members with the few fields
B and the coefficients c, and never needs N flux files. Models that read one file per member get the same sum.

With `perturbation = "scale"` the fields are the optimised fluxes, each with its factor s, and the sum of those kept, with 1.
With "shift" they are the prior, with 1, and for every optimised flux F a field G = ΣF |F| / Σ|F| (sums over the window),
with s - 1: the window's total is multiplied by s, and the change is spread over time in proportion to |F|.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from gcas_driver.errors import InputError, SettingsError
from mozart_coupling.emissions import molecules_per_cm2, nodes_from_means

from .components import LONG_NAMES, Scheme, scheme_of
from .state import optimised_flux

KEPT, PRIOR = "kept", "prior"


@dataclass(frozen=True, eq=False)
class FluxBasis:
    """The fields whose weighted sums are the members' fluxes.

    Attributes
    ----------
    scheme : Scheme
    perturbation : str
        "scale" or "shift".
    names : tuple of str
        One per field.
    values : numpy.ndarray
        (n_basis, time, nlat, nlon) float64 [mol m-2 s-1].
    """

    scheme: Scheme
    perturbation: str
    names: tuple[str, ...]
    values: np.ndarray

    @property
    def n_basis(self) -> int:
        """Number of fields."""
        return len(self.names)

    def coefficients(self, factors: np.ndarray) -> np.ndarray:
        """Coefficients of the fields.

        Parameters
        ----------
        factors : numpy.ndarray
            (n_members, n_optimised, nlat, nlon), of `State.factors`.

        Returns
        -------
        numpy.ndarray
            (n_members, n_basis, nlat, nlon).
        """
        expected = (len(self.scheme.optimised), *self.values.shape[2:])
        if factors.ndim != 4 or factors.shape[1:] != expected:
            raise InputError("factors do not fit the fluxes", "FluxBasis.coefficients", str(factors.shape), f"(n_members, *{expected})")
        result = np.ones((factors.shape[0], self.n_basis, *factors.shape[2:]))
        n_optimised = len(self.scheme.optimised)
        if self.perturbation == "shift":
            result[:, 1:] = factors - 1.0
        else:
            result[:, :n_optimised] = factors
        return result

    def members(self, factors: np.ndarray) -> Iterator[np.ndarray]:
        """Each member's total flux (time, nlat, nlon) [mol m-2 s-1], one at a time."""
        for coefficients in self.coefficients(factors):
            total = self.values[0] * coefficients[0]
            for field, coefficient in zip(self.values[1:], coefficients[1:], strict=True):
                total += field * coefficient
            yield total

    def nodes(self) -> np.ndarray:
        """The fields as records of emission files: (n_basis, time + 1, nlat, nlon) [molecules cm-2 s-1].

        Records of a sum are the sum of the records, so coefficients apply to them unchanged.
        """
        return molecules_per_cm2(np.stack([nodes_from_means(field) for field in self.values]))


def flux_basis(fluxes: xr.Dataset, scheme: str | Scheme, perturbation: str = "scale") -> FluxBasis:
    """The fields of a window's member fluxes.

    Parameters
    ----------
    fluxes : xarray.Dataset
        Of `prior.window_fluxes`.
    perturbation : str
        "scale" or "shift".
    """
    scheme = scheme_of(scheme)
    _refuse_unknown(perturbation)
    optimised = [optimised_flux(fluxes, scheme, name) for name in scheme.optimised]
    kept = [fluxes[name].values for name in scheme.kept]
    if perturbation == "shift":
        prior = sum(optimised[1:] + kept, start=optimised[0])
        fields = [prior, *(shift_field(flux) for flux in optimised)]
        names = (PRIOR, *scheme.optimised)
    else:
        fields = optimised + ([sum(kept[1:], start=kept[0])] if kept else [])
        names = (*scheme.optimised, *((KEPT,) if kept else ()))
    return FluxBasis(scheme, perturbation, names, np.stack(fields))


def shift_field(flux: np.ndarray) -> np.ndarray:
    """G = ΣF |F| / Σ|F| of a flux F (time, nlat, nlon): the window's total, spread over time in proportion to |F|."""
    size = np.abs(flux)
    total_size = size.sum(axis=0)
    ratio = np.divide(flux.sum(axis=0), total_size, out=np.zeros_like(total_size), where=total_size > 0.0)
    return ratio * size


def scaled_fluxes(fluxes: xr.Dataset, scheme: str | Scheme, factors: np.ndarray | None, perturbation: str = "scale") -> xr.Dataset:
    """A window's fluxes with scaling factors applied: the posterior by the mean factors, the prior without any.

    Parameters
    ----------
    factors : numpy.ndarray or None
        (n_optimised, nlat, nlon), of `State.factors(mean)`; None: 1.

    Returns
    -------
    xarray.Dataset
        One variable (time, lat, lon) [mol m-2 s-1] per optimised flux and kept component; `net` in scheme `net`. Their sum is
        the total flux.
    """
    scheme = scheme_of(scheme)
    _refuse_unknown(perturbation)
    template = fluxes[next(iter(fluxes.data_vars))]
    result = fluxes[list(scheme.kept)] if scheme.kept else fluxes.drop_vars(list(fluxes.data_vars))
    for index, name in enumerate(scheme.optimised):
        prior = optimised_flux(fluxes, scheme, name)
        if factors is None:
            values = prior.copy()
        elif perturbation == "shift":
            values = prior + (factors[index] - 1.0) * shift_field(prior)
        else:
            values = prior * factors[index]
        attributes = template.attrs | {"long_name": LONG_NAMES[name]}
        result[name] = (template.dims, values, attributes)
    return result[[*scheme.optimised, *scheme.kept]]


def _refuse_unknown(perturbation: str) -> None:
    if perturbation not in ("scale", "shift"):
        raise SettingsError("unknown kind of perturbation", "&state, perturbation", repr(perturbation), "scale or shift")
