"""What needs no ensemble: climatology, optimal interpolation, 3D-Var and the extended Kalman filter, to check the set-up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .model import START_SPREAD, STEP, VARIABLES, World, climate, frozen_tangent, step, tangent_step
from .twin import Series

VARIATIONAL_SHARE = 0.02
"""3D-Var's background covariance over the climate's, as in DAPPER's settings."""

EXTENDED_INFLATION = 10.0
"""Factor of the extended Kalman filter's covariance per unit of time, as in DAPPER's settings."""

Progress = Callable[[int], None]


def climatology(world: World, progress: Progress) -> Series:
    """The climate's mean, whatever is observed."""
    mean, covariance = climate()
    return score(world, np.broadcast_to(mean, world.observations.shape), covariance, progress)


def optimal_interpolation(world: World, progress: Progress) -> Series:
    """The climate as prior of every analysis; no model."""
    mean, covariance = climate()
    gain = covariance @ np.linalg.inv(covariance + np.eye(VARIABLES))
    return score(world, mean + (world.observations - mean) @ gain.T, covariance - gain @ covariance, progress)


def variational(world: World, progress: Progress) -> Series:
    """A forecast whose error covariance is a fixed share of the climate's: 3D-Var, solved exactly since H is linear."""
    background = VARIATIONAL_SHARE * climate()[1]
    gain = background @ np.linalg.inv(background + np.eye(VARIABLES))
    x, analyses = world.truth[0], np.empty(world.observations.shape)
    for cycle, y in enumerate(world.observations):
        x = step(x[..., None])[..., 0]
        x = x + (y - x) @ gain.T
        analyses[cycle] = x
    return score(world, analyses, background - gain @ background, progress)


def extended_kalman(world: World, progress: Progress, late: bool = False) -> Series:
    """The Kalman filter with the tangent of the model's step, started at the truth with small variances.

    `late`: linearize about the forecast, where the step ends, as DAPPER does, instead of along the step.
    """
    growth, unit = EXTENDED_INFLATION**STEP, np.eye(VARIABLES)
    x, covariance = world.truth[0][..., None], START_SPREAD**2 * unit
    rmse, spread = np.empty((2, world.cycles, len(world.seeds)))
    for cycle, y in enumerate(world.observations):
        x, tangent = tangent_step(x, unit)
        if late:
            tangent = frozen_tangent(x)
        covariance = growth * (tangent @ covariance @ tangent.swapaxes(-1, -2))
        gain = covariance @ np.linalg.inv(covariance + unit)
        x = x + gain @ (y[..., None] - x)
        covariance = covariance - gain @ covariance
        covariance = (covariance + covariance.swapaxes(-1, -2)) / 2
        rmse[cycle] = np.sqrt(np.mean((x[..., 0] - world.truth[cycle + 1]) ** 2, axis=-1))
        spread[cycle] = np.sqrt(np.trace(covariance, axis1=-2, axis2=-1) / VARIABLES)
        progress(cycle + 1)
    return Series(rmse, spread)


def late_extended_kalman(world: World, progress: Progress) -> Series:
    """`extended_kalman` linearized about the forecast."""
    return extended_kalman(world, progress, late=True)


def score(world: World, analyses: np.ndarray, covariance: np.ndarray, progress: Progress) -> Series:
    """RMSE of analyses (cycles, n_seeds, 40) whose error covariance is one and the same."""
    rmse = np.sqrt(np.mean((analyses - world.truth[1:]) ** 2, axis=-1))
    progress(world.cycles)
    return Series(rmse, np.full(rmse.shape, np.sqrt(np.trace(covariance) / VARIABLES)))


BASELINES = {"climatology": climatology, "optimal-interpolation": optimal_interpolation, "3d-var": variational,
             "extended-kalman": late_extended_kalman, "extended-kalman-tangent": extended_kalman}
