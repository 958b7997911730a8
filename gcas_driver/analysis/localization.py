"""Which observations update which parameters: the paper's two bands, a taper, or weights given by the caller."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from gcas_driver.errors import InputError

from .arrays import MESSAGE_INDICES, as_float, check_choice, check_finite, check_flag, check_number, describe

NONE, WEIGHTS, BANDS = 0, 1, 2
"""Kinds of localization, as the core numbers them."""


@dataclass(frozen=True, eq=False)
class Localization:
    """Two bands of distance with a test of the correlation; Jiang et al. (2021), section 2.1.3.

    With d the great-circle distance and r the correlation of a parameter with an observation's simulated value over the
    members of the prior ensemble, a pair is accepted if d < `near_km` and r > 0, or if d < `far_km` and r is
    significant. Pairs of observations are treated the same way, without a parameter's sign. The radii of a pair are those of the
    observation that updates, whatever it updates: of two observations either may reach the other alone.

    Parameters
    ----------
    parameter_lon, parameter_lat : array_like (n_parameters,)
        Places of the parameters, degrees.
    observation_lon, observation_lat : array_like (n_observations,)
        Places of the observations, degrees.
    near_km, far_km : float or array_like (n_observations,)
        Radii of the two bands, km: one pair for all, or each observation's own. Beyond half the circumference (20016 km)
        nothing is out of reach. A block of correlated observations takes the largest radii of its members.
    p_value : float or None
        Level of Student's t-test with N-2 degrees of freedom; None: no test.
    sign : bool
        Only positive correlations count, in both bands, and the test is one-sided. False: no such rule, two-sided test.
    parameter_sign : array_like (n_parameters,) of -1, 0, +1, or None
        The correlation is multiplied with it before it is judged; 0: no sign rule for that parameter, two-sided test.
    taper : "gaspari-cohn" or None
        Accepted pairs are weighted with Gaspari and Cohn's (1999) function, which reaches 0 at the
        observation's `far_km`.
    max_observations : int or None
        Of the accepted observations at most so many update a parameter, or an observation.
    max_observations_by : "nearest" or "correlated"
        Which ones are kept, by distance in km or by |r|; among equals those assimilated first.

    Raises
    ------
    InputError
        An array or number that cannot be used.
    """

    parameter_lon: np.ndarray
    parameter_lat: np.ndarray
    observation_lon: np.ndarray
    observation_lat: np.ndarray
    near_km: float | np.ndarray = 500.0
    far_km: float | np.ndarray = 3000.0
    p_value: float | None = 0.05
    sign: bool = True
    parameter_sign: np.ndarray | None = None
    taper: str | None = None
    max_observations: int | None = None
    max_observations_by: str = "nearest"

    def __post_init__(self) -> None:
        for what in ("parameter", "observation"):
            lon = as_float(f"{what}_lon", getattr(self, f"{what}_lon"), (None,))
            lat = as_float(f"{what}_lat", getattr(self, f"{what}_lat"), lon.shape)
            check_finite(f"{what}_lon", lon)
            check_finite(f"{what}_lat", lat)
            if np.any(np.abs(lat) > 90.0):
                raise InputError(f"{what}_lat is no latitude", found=f"{lat[np.abs(lat).argmax()]:g}",
                                 expected="-90 to 90 degrees")
            # Copies: what was checked does not change with the caller's arrays.
            object.__setattr__(self, f"{what}_lon", lon.copy())
            object.__setattr__(self, f"{what}_lat", lat.copy())
        object.__setattr__(self, "far_km", radii("far_km", self.far_km, self.observation_lon.shape))
        object.__setattr__(self, "near_km", radii("near_km", self.near_km, self.observation_lon.shape, self.far_km))
        if self.p_value is not None and not 0.0 < check_number("p_value", self.p_value, 0.0, 1.0) < 1.0:
            raise InputError("p_value is out of range", found=repr(self.p_value), expected="> 0 and < 1, or None",
                             advice="p_value=None makes no test")
        check_flag("sign", self.sign)
        if self.taper is not None and not (isinstance(self.taper, str) and self.taper == "gaspari-cohn"):
            raise InputError("unknown taper", found=describe(self.taper), expected="'gaspari-cohn' or None")
        check_choice("max_observations_by", self.max_observations_by, ("nearest", "correlated"))
        limit = self.max_observations
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, (int, np.integer)) or limit < 1):
            raise InputError("max_observations is out of range", found=describe(limit), expected="an integer >= 1, or None")
        if self.parameter_sign is not None:
            sign = as_float("parameter_sign", self.parameter_sign, self.parameter_lon.shape)
            if not np.isin(sign, (-1.0, 0.0, 1.0)).all():
                raise InputError("parameter_sign holds other values", found=str(np.unique(sign)[:5]),
                                 expected="-1, 0 or +1")
            object.__setattr__(self, "parameter_sign", sign.astype(np.int32))

    def __repr__(self) -> str:
        """Numbers of places and the rules; the arrays are attributes."""
        def radius(value: float | np.ndarray) -> str:
            return " to ".join(f"{v:g}" for v in sorted({np.min(value), np.max(value)})) if np.size(value) else "none"

        given = "None" if self.parameter_sign is None else "given"
        return (f"Localization({self.parameter_lon.size} parameters, {self.observation_lon.size} observations, "
                f"near_km={radius(self.near_km)}, far_km={radius(self.far_km)}, p_value={self.p_value}, sign={self.sign}, "
                f"parameter_sign={given}, taper={self.taper!r}, max_observations={self.max_observations}, "
                f"max_observations_by={self.max_observations_by!r})")


def radii(name: str, values, shape: tuple[int], far_km: float | np.ndarray | None = None) -> float | np.ndarray:
    """A radius [km], or one for each observation: positive; of the near band >= 0 and at most `far_km`."""
    if not isinstance(values, (list, tuple)) and np.ndim(values) == 0:
        values = check_number(name, values, 0.0, open_low=far_km is None)
        if far_km is not None and np.ndim(far_km) == 0 and values > far_km:
            raise InputError(f"{name} is greater than far_km", found=f"{values:g} and {far_km:g} km", expected="near_km <= far_km",
                             advice="give both: one that is left out has its default")
        if far_km is None or np.ndim(far_km) == 0:
            return values
        values = np.broadcast_to(values, shape)
    # A copy, as of the places.
    array = as_float(name, values, shape).copy()
    good = array > 0.0 if far_km is None else (array >= 0.0) & (array <= far_km)
    if not good.all():
        wrong = np.flatnonzero(~good)
        expected = "> 0 km" if far_km is None else f">= 0 and <= far_km, {np.broadcast_to(far_km, shape)[wrong[0]]:g} km there"
        raise InputError(f"{name} is out of range", where=f"index {', '.join(map(str, wrong[:MESSAGE_INDICES]))}",
                         found=f"{array[wrong[0]]:g} and {wrong.size} such values in all", expected=expected)
    return array


def critical_correlation(p_value: float, n_members: int, *, two_sided: bool) -> float:
    """The correlation of `n_members` pairs that independent numbers exceed with probability `p_value`.

    From Student's t with N-2 degrees of freedom, r = t / sqrt(N - 2 + t^2); never below 0: a one-sided test of a level above
    one half is the sign rule alone.

    Raises
    ------
    InputError
        Fewer than three members: no degree of freedom is left.
    """
    if n_members < 3:
        raise InputError("too few members to test a correlation", found=f"{n_members}", expected="at least 3",
                         advice="use more members, or p_value=None")
    t = -stdtrit(n_members - 2, p_value / 2.0 if two_sided else p_value)
    return float(1.0 / np.sqrt(1.0 + (n_members - 2) / t / t)) if t > 0.0 else 0.0


@dataclass(frozen=True)
class CoreLocalization:
    """A localization as the core's arguments, checked against the numbers of parameters and observations."""

    kind: int
    near_km: np.ndarray
    far_km: np.ndarray
    tested: bool
    critical_one_sided: float
    critical_two_sided: float
    sign_rule: bool
    tapered: bool
    max_sources: int
    best_correlated: bool
    parameter_lon: np.ndarray
    parameter_lat: np.ndarray
    parameter_sign: np.ndarray
    observation_lon: np.ndarray
    observation_lat: np.ndarray
    parameter_weights: np.ndarray
    observation_weights: np.ndarray


def prepare_localization(localization, n_parameters: int, n_observations: int, n_members: int) -> CoreLocalization:
    """Check what the caller gave as `localization` and bring it into the core's form.

    Raises
    ------
    InputError
        Neither None, nor weights, nor a `Localization`, or not made for these parameters and observations.
    """
    empty, nothing = np.zeros(0), np.zeros((0, 0))
    signs = np.zeros(n_parameters, np.int32)
    plain = dict(near_km=empty, far_km=empty, tested=False, critical_one_sided=0.0, critical_two_sided=0.0,
                 sign_rule=False, tapered=False, max_sources=0, best_correlated=False, parameter_lon=empty,
                 parameter_lat=empty, parameter_sign=signs, observation_lon=empty, observation_lat=empty,
                 parameter_weights=nothing, observation_weights=nothing)
    if localization is None:
        return CoreLocalization(**(plain | dict(kind=NONE)))
    if isinstance(localization, Localization):
        return CoreLocalization(**(plain | band_arguments(localization, n_parameters, n_observations, n_members)))
    if isinstance(localization, (tuple, list)) and len(localization) == 2:
        rho = weights("rho", localization[0], (n_parameters, n_observations))
        rho_obs = weights("rho_obs", localization[1], (n_observations, n_observations))
        return CoreLocalization(**(plain | dict(kind=WEIGHTS, parameter_weights=rho, observation_weights=rho_obs)))
    raise InputError("localization is of an unknown kind", found=describe(localization),
                     expected="None, a Localization, or the pair (rho, rho_obs)")


def band_arguments(localization: Localization, n_parameters: int, n_observations: int, n_members: int) -> dict:
    """The core's arguments of a `Localization`."""
    for what, n in (("parameter", n_parameters), ("observation", n_observations)):
        found = getattr(localization, f"{what}_lon").size
        if found != n:
            raise InputError(f"the localization was made for another number of {what}s", found=str(found),
                             expected=str(n))
    tested = localization.p_value is not None
    critical = [critical_correlation(localization.p_value, n_members, two_sided=two_sided) if tested else 0.0
                for two_sided in (False, True)]
    if not localization.sign:
        signs = np.zeros(n_parameters, np.int32)
    elif localization.parameter_sign is None:
        signs = np.ones(n_parameters, np.int32)
    else:
        signs = localization.parameter_sign
    return dict(
        kind=BANDS, near_km=np.full(n_observations, localization.near_km), far_km=np.full(n_observations, localization.far_km),
        tested=tested,
        critical_one_sided=critical[0], critical_two_sided=critical[1], sign_rule=bool(localization.sign),
        tapered=localization.taper is not None, max_sources=min(int(localization.max_observations or 0), n_observations),
        best_correlated=localization.max_observations_by == "correlated",
        parameter_lon=localization.parameter_lon, parameter_lat=localization.parameter_lat, parameter_sign=signs,
        observation_lon=localization.observation_lon, observation_lat=localization.observation_lat)


def weights(name: str, values, shape: tuple[int, int]) -> np.ndarray:
    """Localization weights within [0, 1]."""
    array = as_float(name, values, shape)
    check_finite(name, array)
    low, high = (array.min(), array.max()) if array.size else (0.0, 0.0)
    if low < 0.0 and low >= -1e-12 or high > 1.0 and high <= 1.0 + 1e-12:
        # What rounding leaves of a taper near 0 or 1.
        array = np.clip(array, 0.0, 1.0)
        low, high = array.min(), array.max()
    if low < 0.0 or high > 1.0:
        raise InputError(f"{name} holds values outside [0, 1]", found=f"{low:g} to {high:g}", expected="0 to 1")
    return array
