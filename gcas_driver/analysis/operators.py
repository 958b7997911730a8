"""Operators on observations, linear in the members: XCO2 with averaging kernels, and super-observations."""

from __future__ import annotations

import numpy as np

from gcas_driver.errors import InputError

from .arrays import LARGEST, as_float, check_choice, check_finite, check_number, check_positive, describe, raise_status, thread_count


def xco2_operator(profile, pressure, retrieval_pressure, pressure_weight, averaging_kernel, prior_profile, prior_xco2,
                  method="linear", *, threads=None) -> np.ndarray:
    """Simulated XCO2 of every sounding and member; Jiang et al. (2021), eq. 6.

    XCO2 = prior_xco2 + sum over retrieval levels of h k (A(profile) - prior_profile), where A maps the model's profile to
    the retrieval's levels.

    Parameters
    ----------
    profile : array_like (n_soundings, n_members, n_levels)
        Dry mole fractions of the model, top first, mol mol-1.
    pressure : array_like (n_soundings, n_levels) or (n_soundings, n_levels + 1)
        Mid-levels for "linear", interfaces for "layers", top first, increasing and positive, Pa; only the top interface may be 0.
    retrieval_pressure : array_like (n_soundings, n_retrieval_levels)
        Top first, increasing and positive, Pa; only the top may be 0.
    pressure_weight, averaging_kernel : array_like (n_soundings, n_retrieval_levels)
        h and k, 1.
    prior_profile : array_like (n_soundings, n_retrieval_levels)
        Prior of the retrieval, mol mol-1.
    prior_xco2 : array_like (n_soundings,)
        Prior XCO2 of the retrieval, ppm.
    method : "linear" or "layers"
        "linear": linear in pressure between mid-levels, constant above the first and below the last.
        "layers": mean by mass over the layer of each retrieval level, which ends half-way to its neighbours and at the
        outer levels; the model's outer layers are extended as far as the retrieval reaches, and what lies beyond the
        retrieval's outer levels does not count.
    threads : int or None
        OpenMP threads; results do not depend on it.

    Returns
    -------
    ndarray (n_soundings, n_members)
        ppm.

    Raises
    ------
    InputError
        Shapes that do not agree, NaN, pressures that are not positive or do not increase downward (the first such sounding is
        named), an unknown method.
    """
    check_choice("method", method, ("linear", "layers"))
    profile = as_float("profile", profile, (None, None, None))
    n_soundings, n_members, n_levels = profile.shape
    pressure = as_float("pressure", pressure, (n_soundings, n_levels + (method == "layers")))
    retrieval_pressure = as_float("retrieval_pressure", retrieval_pressure, (n_soundings, None))
    levels = retrieval_pressure.shape
    named = {"pressure": pressure, "retrieval_pressure": retrieval_pressure}
    for name, values in (("pressure_weight", pressure_weight), ("averaging_kernel", averaging_kernel),
                         ("prior_profile", prior_profile)):
        named[name] = as_float(name, values, levels)
    named["prior_xco2"] = as_float("prior_xco2", prior_xco2, (n_soundings,))
    for name, array in named.items():
        check_finite(name, array)
    check_finite("profile", profile)
    if n_soundings and (n_levels == 0 or levels[1] == 0):
        raise InputError("a profile without levels", found=f"profile {profile.shape}, retrieval {levels}",
                         expected="at least one level each")

    values = np.zeros((n_soundings, n_members))
    if values.size == 0:
        return values
    from gcas_driver._analysis import gcas_observation_face

    status, message = gcas_observation_face.xco2_columns(
        method == "layers", profile.T, pressure.T, retrieval_pressure.T, named["pressure_weight"].T,
        named["averaging_kernel"].T, named["prior_profile"].T, named["prior_xco2"], thread_count(threads), values.T)
    raise_status(status, message, where="xco2_operator")
    check_finite("the simulated XCO2", values)
    return values


def super_observe(value, error, hx, group, floor=0.0, correlation=0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Average observations that share a group, with weights 1/error^2; Jiang et al. (2021), eqs. 7-9.

    error^2 = (1 + (m-1) correlation) / sum(1/error_j^2) for m members of a group, and at least floor^2.

    Parameters
    ----------
    value, error : array_like (n,)
        Observed values and their errors, ppm.
    hx : array_like (n, n_members)
        Simulated values, ppm.
    group : array_like (n,) of int
        Group of each observation: 0 … n_groups-1, none empty.
    floor : float or array_like (n_groups,)
        Least error of a super-observation, ppm.
    correlation : float or array_like (n_groups,)
        Correlation of the errors within a group, in [0, 1].

    Returns
    -------
    value, error : ndarray (n_groups,)
    hx : ndarray (n_groups, n_members)
        All ppm.

    Raises
    ------
    InputError
        Shapes that do not agree, NaN, an error that is not positive, empty groups, settings out of range.
    """
    value = as_float("value", value, (None,))
    error = as_float("error", error, value.shape)
    hx = as_float("hx", hx, (value.size, None))
    for name, array in (("value", value), ("error", error), ("hx", hx)):
        check_finite(name, array)
    check_positive("error", error)
    group, n_groups = check_groups(group, value.size)
    floor = per_group("floor", floor, n_groups, LARGEST)
    correlation = per_group("correlation", correlation, n_groups, 1.0)

    group_value, group_error, group_hx = np.zeros(n_groups), np.zeros(n_groups), np.zeros((n_groups, hx.shape[1]))
    from gcas_driver._analysis import gcas_observation_face

    status, message = gcas_observation_face.super_observe(value, error, hx.T, (group + 1).astype(np.int32), floor,
                                                          correlation, group_value, group_error, group_hx.T)
    raise_status(status, message, where="super_observe")
    for name, array in (("value", group_value), ("error", group_error), ("hx", group_hx)):
        check_finite(f"the averaged {name}", array)
    return group_value, group_error, group_hx


def check_groups(group, n: int) -> tuple[np.ndarray, int]:
    """Groups numbered from 0 without gaps, and how many there are."""
    masked = np.ma.is_masked(group)
    try:
        group = np.asarray(group)
    except ValueError:  # lists of different lengths
        group = np.asarray(None)
    if group.shape != (n,) or masked or (n and group.dtype.kind not in "iu"):
        raise InputError("group is not one integer an observation", found=describe(group), expected=f"integers ({n},)")
    if n == 0:
        return group.astype(np.intp), 0
    if group.min() < 0:
        raise InputError("group holds negative numbers", found=str(group.min()), expected=">= 0")
    n_groups = int(group.max()) + 1
    if n_groups > n:
        raise InputError("a group is empty", found=f"{n} observations, groups up to {n_groups - 1}",
                         expected="groups numbered from 0 without gaps")
    counts = np.bincount(group, minlength=n_groups)
    if (counts == 0).any():
        raise InputError("a group is empty", found=f"group {int(np.argmin(counts))} has no observation",
                         expected="groups numbered from 0 without gaps")
    return group.astype(np.intp), n_groups


def per_group(name: str, values, n_groups: int, high: float) -> np.ndarray:
    """One setting for every group, within [0, high]."""
    if not isinstance(values, (list, tuple)) and np.ndim(values) == 0:
        return np.full(n_groups, check_number(name, values, 0.0, high))
    array = as_float(name, values, (n_groups,))
    check_finite(name, array)
    if array.size and (array.min() < 0.0 or array.max() > high):
        raise InputError(f"{name} is out of range", found=f"{array.min():g} to {array.max():g}",
                         expected=f">= 0 and <= {high:g}")
    return array
