"""Screening against the model: observations that it cannot come near are rejected, counted and listed.

Only those that were to be assimilated. A withheld observation judges the model and is not judged by it: without the ones
the model fails at, the evaluation would flatter it.
"""

from __future__ import annotations

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations.table import Observations


def screen(observations: Observations, hx: np.ndarray, limit_ppm: float | None = None,
           limit_sigma: float | None = None) -> Observations:
    """Reject observations whose distance from the simulated value is too large.

    Parameters
    ----------
    observations : Observations
    hx : ndarray (n_observations, n_members) or (n_observations,)
        Simulated values [ppm]; the mean over members is compared.
    limit_ppm : float or None
        Largest |simulated - observed| [ppm]; None: no such limit.
    limit_sigma : float or None
        Largest |simulated - observed| in units of its expected standard deviation, the root of error variance plus
        ensemble variance; None: no such limit.

    Returns
    -------
    Observations
        The same rows; rejected ones carry the reason and are unused; withheld ones stay as they are.

    Raises
    ------
    InputError
        If `hx` does not fit or a limit is not positive.
    """
    hx = np.asarray(hx, dtype=np.float64)
    members = hx[:, None] if hx.ndim == 1 else hx
    if members.ndim != 2 or len(members) != len(observations):
        raise InputError("simulated values do not fit the observations", "screen", str(hx.shape),
                         f"({len(observations)}, n_members)")
    for name, limit in (("limit_ppm", limit_ppm), ("limit_sigma", limit_sigma)):
        if limit is not None and not limit > 0.0:
            raise InputError("a screening limit must be positive", f"screen, {name}", str(limit), "> 0 or none")
    distance = np.abs(members.mean(axis=1) - observations.value)
    screened = observations
    if limit_ppm is not None:
        screened = screened.reject(distance > limit_ppm, f"|simulated - observed| > {limit_ppm:g} ppm")
    if limit_sigma is not None:
        variance = members.var(axis=1, ddof=1) if members.shape[1] > 1 else 0.0
        expected = np.sqrt(observations.error**2 + variance)
        screened = screened.reject(distance > limit_sigma * expected, f"|simulated - observed| > {limit_sigma:g} sigma")
    return screened


def listing(observations: Observations, hx: np.ndarray) -> list[str]:
    """One line for each rejected observation of the table, for the log: what, where, when, observed, simulated, why."""
    hx = np.asarray(hx, dtype=np.float64)
    mean = hx if hx.ndim == 1 else hx.mean(axis=1)
    lines = []
    for i in np.flatnonzero(~observations.evaluated):
        when = np.datetime64(int(observations.time[i]), "s")
        lines.append(f"{observations.product[i]} {observations.identifier[i]} {when} lon {observations.lon[i]:.2f} "
                     f"lat {observations.lat[i]:.2f} observed {observations.value[i]:.2f} simulated {mean[i]:.2f} ppm: "
                     f"{observations.reason[i]}")
    return lines
