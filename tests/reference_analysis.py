"""Both filters in plain NumPy, one observation, pair or parameter at a time: what the Fortran core is compared with.

Written from the equations alone, slow on purpose: dense weights, no blocks, no replay.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

EARTH_RADIUS_KM = 6371.229


def distance_km(lon1, lat1, lon2, lat2):
    """Great-circle distances (n1, n2), km."""
    lon1, lat1 = np.radians(lon1)[:, None], np.radians(lat1)[:, None]
    lon2, lat2 = np.radians(lon2)[None, :], np.radians(lat2)[None, :]
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))


def gaspari_cohn(distance, far):
    """Gaspari and Cohn (1999), eq. 4.10, zero from `far` on."""
    q = 2 * np.asarray(distance, float) / far
    safe = np.maximum(q, 1e-3)
    inner = -q**5 / 4 + q**4 / 2 + 5 * q**3 / 8 - 5 * q**2 / 3 + 1
    outer = q**5 / 12 - q**4 / 2 + 5 * q**3 / 8 + 5 * q**2 / 3 - 5 * q + 4 - 2 / (3 * safe)
    return np.where(q <= 1, inner, np.where(q < 2, outer, 0.0))


def correlation(a, b):
    """Correlations of the rows of `a` with the rows of `b`; 0 without spread."""
    a = a - a.mean(axis=1, keepdims=True)
    b = b - b.mean(axis=1, keepdims=True)
    norm = np.sqrt((a**2).sum(axis=1))[:, None] * np.sqrt((b**2).sum(axis=1))[None, :]
    return np.divide(a @ b.T, norm, out=np.zeros_like(norm), where=norm > 0)


def weights(distance, r, sign, *, near_km, far_km, p_value, n_members, taper, max_observations, by, order):
    """Weights and acceptance (n_targets, n_observations) by the two-band rule; `sign` (n_targets,), 0: no rule; radii: numbers, or
    (n_observations,)."""
    near, far = (np.broadcast_to(radius, distance.shape[1]) for radius in (near_km, far_km))
    result = np.zeros_like(distance)
    accept = np.zeros(distance.shape, bool)
    taper_value = np.maximum(gaspari_cohn(distance, far_km), 0.0) if taper else np.ones_like(distance)
    critical = {True: 0.0, False: -1.0}
    if p_value is not None:
        for one_sided in (True, False):
            quantile = stats.t.isf(p_value if one_sided else p_value / 2, n_members - 2)
            critical[one_sided] = max(quantile / np.sqrt(n_members - 2 + quantile**2), 0.0)
    for i in range(distance.shape[0]):
        for o in range(distance.shape[1]):
            d, c = distance[i, o], r[i, o]
            if d >= far[o]:
                continue
            value = sign[i] * c if sign[i] else abs(c)
            limit = 0.0 if sign[i] else -1.0
            if d >= near[o]:
                limit = critical[bool(sign[i])]
            if value > limit:
                result[i, o] = taper_value[i, o]
                accept[i, o] = True
        accepted = [o for o in order if accept[i, o]]
        if max_observations is not None and len(accepted) > max_observations:
            key = distance[i] if by == "nearest" else -np.abs(r[i])
            dropped = sorted(accepted, key=lambda o: key[o])[max_observations:]
            result[i, dropped] = 0.0
            accept[i, dropped] = False
    return result, accept


def ensrf(x, hx, y, r, rho, rho_obs, order, *, inflation=1.0, rtpp=0.0, rtps=0.0):
    """Posterior members of parameters and simulated values; every observation updates everything, each in turn."""
    n_members = x.shape[1]
    state = np.vstack([x, hx])
    weight = np.vstack([rho, rho_obs])
    n_parameters = x.shape[0]
    mean = state.mean(axis=1)
    prior = inflation * (state - mean[:, None])
    touched = (weight[:, order] > 0).any(axis=1) & ((state - mean[:, None]) != 0).any(axis=1)
    pert = prior.copy()
    for o in order:
        h = pert[n_parameters + o].copy()
        s = h @ h / (n_members - 1)
        innovation = y[o] - mean[n_parameters + o]
        alpha = 1 / (1 + np.sqrt(r[o] / (s + r[o])))
        gain = weight[:, o] * (pert @ h) / (n_members - 1) / (s + r[o])
        mean = mean + gain * innovation
        pert = pert - alpha * gain[:, None] * h
    pert = (1 - rtpp) * pert + rtpp * prior
    spread, prior_spread = pert.std(axis=1), prior.std(axis=1)
    safe = np.where(spread > 0, spread, 1.0)
    pert = pert * (1 + rtps * (prior_spread - spread) / safe)[:, None]
    posterior = np.where(touched[:, None], mean[:, None] + pert, state)
    return posterior[:n_parameters], posterior[n_parameters:]


def letkf(x, hx, y, r, rho, rho_obs, *, inflation=1.0, rtpp=0.0, rtps=0.0):
    """Posterior members of parameters and simulated values; every row by itself, in the space of the members, by eigenvectors."""
    n_members = x.shape[1]
    state = np.vstack([x, hx])
    weight = np.vstack([rho, rho_obs])
    innovation = y - hx.mean(axis=1)
    simulated = inflation * (hx - hx.mean(axis=1, keepdims=True))
    posterior = state.copy()
    for i, row in enumerate(state):
        local = weight[i] > 0
        prior = inflation * (row - row.mean())
        if not local.any() or not prior.any():
            continue
        scaled = simulated[local] * (weight[i, local] / r[local])[:, None]
        eigenvalues, vectors = np.linalg.eigh(simulated[local].T @ scaled + (n_members - 1) * np.eye(n_members))
        mean_weight = vectors @ (vectors.T @ (scaled.T @ innovation[local]) / eigenvalues)
        pert = prior @ (vectors * np.sqrt((n_members - 1) / eigenvalues)) @ vectors.T
        pert = (1 - rtpp) * pert + rtpp * prior
        spread = pert.std()
        if spread > 0:
            pert = pert * (1 + rtps * (prior.std() - spread) / spread)
        posterior[i] = row.mean() + prior @ mean_weight + pert
    return posterior[: x.shape[0]], posterior[x.shape[0]:]
