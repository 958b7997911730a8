"""Twin experiments: `gcas_driver.analysis.ensrf` and `letkf` cycled with Lorenz's model, all seeds side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gcas_driver.analysis import ensrf, letkf

from .model import FILTER, MEMBERS, START_SPREAD, VARIABLES, World, forecast

RADIUS_TO_HALF_SUPPORT = 1.82
"""Gaspari and Cohn's c over the radius r of DAPPER's settings: sqrt(10/3), the taper with the curvature at 0 of exp(−d²/2r²)."""

BURST = 1.0
"""A cycle whose RMSE exceeds this is worse than the observations: the filter has lost the truth for a while."""


@dataclass(frozen=True)
class Settings:
    """One set-up of an ensemble filter.

    Attributes
    ----------
    method : "ensrf", "letkf" or "plain"
        The filter; `plain_transform` is what the others are held against.
    members : int
        Size of the ensemble.
    inflation : float
        Factor of the perturbations.
    radius : float or None
        Localization radius r in grid points: Gaspari and Cohn's function with c = 1.82 r; None: no localization.
    rotate : bool
        Whether the analysed perturbations are rotated at random.
    inflate_prior : bool
        Inflate by the filter's own option, before the analysis; else the analysed perturbations.
    shuffle : bool
        `ensrf`: a new random order of the observations every cycle; else around the ring.
    pairs : bool
        Localize variables 2i and 2i+1 as one, by their mean distance.
    """

    method: str
    members: int
    inflation: float
    radius: float | None = None
    rotate: bool = False
    inflate_prior: bool = False
    shuffle: bool = True
    pairs: bool = False


@dataclass(frozen=True, eq=False)
class Series:
    """What a run leaves, each (cycles, n_seeds): the analysed mean's RMSE over the variables, the analysed spread."""

    rmse: np.ndarray
    spread: np.ndarray


def gaspari_cohn(distance: np.ndarray, half_support: float) -> np.ndarray:
    """Gaspari and Cohn (1999), eq. 4.10: 1 at distance 0, 0 from twice `half_support` on."""
    z = np.asarray(distance, float) / half_support
    near = ((((-z / 4 + 1 / 2) * z + 5 / 8) * z - 5 / 3) * z**2) + 1
    far = (((((z / 12 - 1 / 2) * z + 5 / 8) * z + 5 / 3) * z - 5) * z + 4) - 2 / (3 * np.where(z > 0, z, 1.0))
    return np.where(z <= 1, near, np.where(z < 2, far, 0.0)).clip(0.0, 1.0)


def ring_weights(radius: float, pairs: bool = False) -> np.ndarray:
    """Weights (40, 40: variable, observation) by the distance along the ring."""
    index = np.arange(VARIABLES)
    apart = np.abs(index[:, None] - index)
    distance = np.minimum(apart, VARIABLES - apart).astype(float)
    if pairs:
        distance = distance.reshape(VARIABLES // 2, 2, VARIABLES).mean(axis=1).repeat(2, axis=0)
    return gaspari_cohn(distance, RADIUS_TO_HALF_SUPPORT * radius)


def rotations(generators: list[np.random.Generator], members: int) -> np.ndarray:
    """Random orthogonal matrices that keep the mean; Sakov and Oke (2008).

    A matrix from Haar's measure (QR of normal numbers, signs from R's diagonal) turns the members' space but for the vector of
    ones, which a reflection brings to the first axis.

    Returns
    -------
    ndarray (len(generators), members, members)
        U with U Uᵀ = 1 and U 1 = 1.
    """
    q, r = np.linalg.qr(np.stack([generator.standard_normal((members - 1, members - 1)) for generator in generators]))
    q *= np.sign(np.diagonal(r, axis1=-2, axis2=-1))[:, None, :]
    axis = np.full(members, 1 / np.sqrt(members))
    axis[0] -= 1.0
    reflect = np.eye(members) - 2 * np.outer(axis, axis) / (axis @ axis)
    turn = np.zeros((len(generators), members, members))
    turn[:, 0, 0] = 1.0
    turn[:, 1:, 1:] = q
    return reflect @ turn @ reflect


def start(world: World, members: int) -> np.ndarray:
    """First ensembles (n_seeds, 40, members): about a mean that is off the truth as the members are off the mean."""
    ensembles = []
    for seed, truth in zip(world.seeds, world.truth[0], strict=True):
        generator = np.random.default_rng([seed, MEMBERS])
        mean = truth + START_SPREAD * generator.standard_normal(VARIABLES)
        ensembles.append(mean[:, None] + START_SPREAD * generator.standard_normal((VARIABLES, members)))
    return np.stack(ensembles)


def analysis_of(settings: Settings) -> Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]:
    """The analysis of one ensemble (40, members) with one set of observations (40,), through GCAS's public face."""
    weights = None
    if settings.radius is not None:
        weights = ring_weights(settings.radius, settings.pairs)
        weights = (weights, weights)
    r = np.ones(VARIABLES)
    common = dict(localization=weights, threads=1, inflation=settings.inflation if settings.inflate_prior else 1.0)

    def serial(x: np.ndarray, y: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        order = generator.permutation(VARIABLES) if settings.shuffle else "given"
        return ensrf(x, x, y, r, order=order, **common).x

    def transform(x: np.ndarray, y: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        return letkf(x, x, y, r, **common).x

    def plain(x: np.ndarray, y: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        return plain_transform(x, y, np.ones((1, VARIABLES)) if weights is None else weights[0])

    return {"ensrf": serial, "letkf": transform, "plain": plain}[settings.method]


def plain_transform(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The transform filter by Hunt et al. (2007), eqs. 20-25, with H = 1 and R = 1, in NumPy alone.

    Parameters
    ----------
    x : ndarray (40, members)
        Prior members.
    y : ndarray (40,)
        Observations.
    weights : ndarray (40, 40) or (1, 40)
        Factors of 1/R for each variable, or the same ones for all.
    """
    members = x.shape[1]
    mean = x.mean(axis=1, keepdims=True)
    perturbations = x - mean
    weighted = perturbations.T * weights[:, None, :]
    values, vectors = np.linalg.eigh(weighted @ perturbations + (members - 1) * np.eye(members))
    back = vectors.swapaxes(-1, -2)
    step = (vectors / values[:, None, :]) @ (back @ (weighted @ (y[:, None] - mean)))
    turn = (vectors * np.sqrt((members - 1) / values)[:, None, :]) @ back
    return mean + (perturbations[:, None, :] @ (step + turn))[:, 0]


def run(settings: Settings, world: World, progress: Callable[[int], None] = lambda cycle: None) -> Series:
    """Cycle forecast, analysis, inflation and rotation through all observation times.

    Parameters
    ----------
    settings : Settings
        The filter.
    world : World
        Truths and observations.
    progress : callable
        Called with the number of cycles done, after each.

    Raises
    ------
    gcas_driver.errors.InputError
        An ensemble has left the finite numbers.
    """
    analyse = analysis_of(settings)
    generators = [np.random.default_rng([seed, FILTER]) for seed in world.seeds]
    x = start(world, settings.members)
    rmse, spread = np.empty((2, world.cycles, len(world.seeds)))
    for cycle in range(world.cycles):
        x = forecast(x, world.every)
        for ensemble, y, generator in zip(x, world.observations[cycle], generators, strict=True):
            ensemble[...] = analyse(ensemble, y, generator)
        mean = x.mean(axis=-1, keepdims=True)
        rmse[cycle] = np.sqrt(np.mean((mean[..., 0] - world.truth[cycle + 1]) ** 2, axis=-1))
        x -= mean
        spread[cycle] = np.sqrt(np.mean(x**2, axis=(-2, -1)) * (settings.members / (settings.members - 1)))
        if settings.rotate:
            x = x @ rotations(generators, settings.members)
        if not settings.inflate_prior:
            x *= settings.inflation
        x += mean
        progress(cycle + 1)
    return Series(rmse, spread)
