"""Both filters with all their options in plain NumPy, one observation, pair or parameter at a time: what the Fortran core is
compared with. `solve` is the whole analysis, `ensrf` and `letkf` are the algebra for weights that are known.

Written from the equations alone, slow on purpose: dense weights and full matrices, no replay.
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
    outer = (2 - q)**4 * (q**2 + 2 * q - 0.5) / (12 * safe)  # eq. 4.10, factored: near 2 its terms cancel
    return np.where(q <= 1, inner, np.where(q < 2, outer, 0.0))


def correlation(a, b):
    """Correlations of the rows of `a` with the rows of `b`; 0 without spread."""
    a = a - a.mean(axis=1, keepdims=True)
    b = b - b.mean(axis=1, keepdims=True)
    norm = np.sqrt((a**2).sum(axis=1))[:, None] * np.sqrt((b**2).sum(axis=1))[None, :]
    # Pair by pair, so that equal rows give equal numbers, as a matrix product need not.
    product = np.array([(row * b).sum(axis=1) for row in a]).reshape(norm.shape)
    return np.divide(product, norm, out=np.zeros_like(norm), where=norm > 0)


def weights(distance, r, sign, *, near_km, far_km, p_value, n_members, taper, max_observations, by, order):
    """Weights and acceptance (n_targets, n_observations) by the two-band rule; `sign` (n_targets,), 0: no rule; radii: numbers, or
    (n_observations,)."""
    near, far = (np.broadcast_to(radius, distance.shape[1]) for radius in (near_km, far_km))
    result = np.zeros_like(distance)
    accept = np.zeros(distance.shape, bool)
    taper_value = np.maximum(gaspari_cohn(distance, far), 0.0) if taper else np.ones_like(distance)
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


def solve(method, x, hx, y, r, *, rule=None, places=None, weights_given=None, order="given", gross=None, huber=None, r_blocks=(),
          inflation=1.0, rtpp=0.0, rtps=0.0):
    """The analysis from the caller's arguments to the posterior, with dense matrices.

    `places` (parameter lon, lat, observation lon, lat) and `rule` (arguments of `Localization` but places) describe bands of
    distance, `weights_given` (rho, rho_obs) explicit weights; neither: no localization.

    Returns posterior x and hx, and a dictionary of what the result counts.
    """
    n, (p, n_members) = x.shape[0], hx.shape
    error = np.diag(np.asarray(r, float))
    for index, matrix in r_blocks:
        error[np.ix_(index, index)] = matrix
    total = np.sqrt(hx.var(axis=1, ddof=1) + error.diagonal())
    rejected = np.abs(y - hx.mean(axis=1)) > (np.inf if gross is None else gross) * total

    # Q takes the observations to independent ones, A to what stands for them: the mean of their block.
    q, a = np.eye(p), np.eye(p)
    for index, _ in r_blocks:
        index = np.asarray(index)[~rejected[index]]
        if index.size:
            q[np.ix_(index, index)] = np.linalg.eigh(error[np.ix_(index, index)])[1].T
            a[np.ix_(index, index)] = 1 / index.size
    simulated, observed, variance = q @ hx, q @ y, (q @ error @ q.T).diagonal().copy()
    weight = np.ones(p)
    if huber is not None:
        z = np.abs(observed - simulated.mean(axis=1)) / np.sqrt(simulated.var(axis=1, ddof=1) + variance)
        weight = np.minimum(1.0, huber / np.maximum(z, 1e-300))
    variance = variance / weight

    flat = np.ptp(simulated, axis=1) < 1e-13 * np.abs(simulated).max(axis=1)
    if isinstance(order, str):
        ratio = simulated.var(axis=1, ddof=1) / variance
        order = sorted(range(p), key=lambda o: -ratio[o]) if order == "greedy" else range(p)
    used = [o for o in order if not rejected[o] and not flat[o]]

    if places is not None:
        lon, lat, olon, olat = places
        unit = np.stack([np.cos(np.radians(olat)) * np.cos(np.radians(olon)), np.cos(np.radians(olat)) * np.sin(np.radians(olon)),
                         np.sin(np.radians(olat))])
        mean_unit = np.stack([unit[:, np.flatnonzero(row)].mean(axis=1) for row in a], axis=1)
        alone = (a == np.eye(p)).all(axis=1)
        olon = np.where(alone, olon, np.degrees(np.arctan2(mean_unit[1], mean_unit[0])))
        olat = np.where(alone, olat, np.degrees(np.arctan2(mean_unit[2], np.hypot(*mean_unit[:2]))))
        near, far = ([np.broadcast_to(rule[name], p)[np.flatnonzero(row)].max() for row in a] for name in ("near_km", "far_km"))
        common = dict(near_km=near, far_km=far, p_value=rule["p_value"], n_members=n_members,
                      taper=rule["taper"], max_observations=rule["max_observations"], by=rule["max_observations_by"], order=used)
        sign = np.zeros(n) if not rule["sign"] else np.ones(n) if rule["parameter_sign"] is None else rule["parameter_sign"]
        standing = np.array([hx[np.flatnonzero(row)].mean(axis=0) for row in a]).reshape(p, n_members)
        distance = distance_km(lon, lat, olon, olat)
        in_reach = distance < far
        rho, accepted = weights(distance, correlation(x, standing), sign, **common)
        rho_obs, _ = weights(distance_km(olon, olat, olon, olat), correlation(standing, standing),
                             np.full(p, int(rule["sign"])), **common)
    else:
        rho, rho_obs = (np.ones((n, p)), np.ones((p, p))) if weights_given is None else weights_given
        rho, rho_obs = rho @ a.T, a @ rho_obs @ a.T
        accepted, in_reach = rho > 0, np.ones_like(rho, bool)
    unused = np.setdiff1d(np.arange(p), used)
    rho, rho_obs, accepted = rho.copy(), rho_obs.copy(), accepted.copy()
    rho[:, unused], rho_obs[:, unused], accepted[:, unused] = 0.0, 0.0, False
    in_reach[:, unused] = False
    spread = np.ptp(x, axis=1) > 1e-13 * np.abs(x).max(axis=1)  # a parameter without any takes no part in pairs
    accepted[~spread], in_reach[~spread] = False, False

    options = dict(inflation=inflation, rtpp=rtpp, rtps=rtps)
    if method == "ensrf":
        posterior, back = ensrf(x, simulated, observed, variance, rho, rho_obs, used, **options)
    else:
        posterior, back = letkf(x, simulated, observed, variance, rho, rho_obs, **options)
    return posterior, q.T @ back, dict(gross_rejected=rejected, huber_weight=weight, n_local=accepted.sum(axis=1), order=used,
                                                 n_pairs=int(in_reach.sum()), n_zero_spread=int((~spread).sum()))


def letkf_interpolated(x, hx, y, r, places, observation_places, spacing_km, weights_at, *, inflation=1.0, rtpp=0.0, rtps=0.0):
    """As `letkf` with transforms at the corners of a cube's cells, interpolated linearly in both angles; `weights_at(lon, lat)` gives
    the weights (n, n_observations) of places in degrees."""
    n_cells = max(1, int(np.ceil(np.pi / 2 * EARTH_RADIUS_KM / spacing_km)))
    state = np.vstack([x, hx])
    lon, lat = (np.concatenate(pair) for pair in zip(places, observation_places, strict=True))
    own = (weights_at(lon, lat) > 0).any(axis=1)
    transforms = {}
    posterior = state.copy()
    for i, row in enumerate(state):
        prior = inflation * (row - row.mean())
        if not own[i] or not prior.any():
            continue
        mean, pert = row.mean(), np.zeros_like(prior)
        for corner, share in cube_corners(lon[i], lat[i], n_cells):
            if corner not in transforms:
                transforms[corner] = transform_at(hx, y, r, weights_at(*cube_place(corner, n_cells))[0], inflation)
            mean_weight, root = transforms[corner]
            mean += share * (prior @ mean_weight)
            pert += share * (prior @ root)
        pert = (1 - rtpp) * pert + rtpp * prior
        spread = pert.std()
        if spread > 0:
            pert = pert * (1 + rtps * (prior.std() - spread) / spread)
        posterior[i] = mean + pert
    return posterior[: x.shape[0]], posterior[x.shape[0]:]


def cube_corners(lon, lat, n_cells):
    """The four corners around a place, as (face, column, row), and their shares."""
    vector = np.array([np.cos(np.radians(lat)) * np.cos(np.radians(lon)), np.cos(np.radians(lat)) * np.sin(np.radians(lon)),
                       np.sin(np.radians(lat))])
    axis = int(np.argmax(np.abs(vector)))
    place = [(np.arctan(vector[(axis + k) % 3] / np.abs(vector[axis])) / (np.pi / 2) + 0.5) * n_cells for k in (1, 2)]
    corner = [min(max(int(np.floor(p)), 0), n_cells - 1) for p in place]
    share = [p - c for p, c in zip(place, corner, strict=True)]
    face = (axis, 1 if vector[axis] > 0 else -1)
    return [((face, corner[0] + i, corner[1] + j), (share[0] if i else 1 - share[0]) * (share[1] if j else 1 - share[1]))
            for i in (0, 1) for j in (0, 1)]


def cube_place(corner, n_cells):
    """Longitude and latitude of a corner, each (1,), degrees."""
    (axis, side), column, row = corner
    vector = np.zeros(3)
    vector[axis] = side
    vector[(axis + 1) % 3], vector[(axis + 2) % 3] = (np.tan(np.pi / 2 * (k / n_cells - 0.5)) for k in (column, row))
    return np.degrees([np.arctan2(vector[1], vector[0])]), np.degrees([np.arctan2(vector[2], np.hypot(vector[0], vector[1]))])


def transform_at(hx, y, r, weight, inflation):
    """Mean weights (n_members,) and the symmetric root (n_members, n_members) for one vector of weights."""
    n_members = hx.shape[1]
    local = weight > 0
    simulated = inflation * (hx - hx.mean(axis=1, keepdims=True))[local]
    scaled = simulated * (weight[local] / r[local])[:, None]
    eigenvalues, vectors = np.linalg.eigh(simulated.T @ scaled + (n_members - 1) * np.eye(n_members))
    mean_weight = vectors @ (vectors.T @ (scaled.T @ (y - hx.mean(axis=1))[local]) / eigenvalues)
    return mean_weight, (vectors * np.sqrt((n_members - 1) / eigenvalues)) @ vectors.T
