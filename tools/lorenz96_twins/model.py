"""Lorenz's (1996) model of 40 variables on a ring, its tangent, and the truths and observations of the twin experiments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

VARIABLES = 40
FORCING = 8.0
STEP = 0.05
"""Time step of the Runge-Kutta scheme and time between observations; 0.05 is Lorenz's six hours."""

START_SPREAD = 0.001**0.5
"""Standard deviation of the first ensemble, as in DAPPER's settings: the filter starts on the truth's track. Small global
ensembles with little inflation may never find it from farther away."""

SETTLE = 1000
"""Steps after which a random state has come to the attractor."""

TRUTH, OBSERVATIONS, MEMBERS, FILTER, CLIMATE = range(5)
"""Purposes of the streams of random numbers; a stream is keyed by (seed, purpose)."""


def neighbours(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of every variable i: x(i+1) − x(i−2), and x(i−1).

    Parameters
    ----------
    x : ndarray (..., 40, n)
        States, n side by side.
    """
    ring = np.concatenate((x[..., -2:, :], x, x[..., :1, :]), axis=-2)
    return ring[..., 3:, :] - ring[..., :-3, :], ring[..., 1:-2, :]


def tendency(x: np.ndarray) -> np.ndarray:
    """dx_i/dt = (x_{i+1} − x_{i−2}) x_{i−1} − x_i + F, F = 8; x (..., 40, n)."""
    difference, before = neighbours(x)
    difference *= before
    difference -= x
    difference += FORCING
    return difference


def step(x: np.ndarray, dt: float = STEP) -> np.ndarray:
    """States (..., 40, n) one classical fourth-order Runge-Kutta step later."""
    k1 = tendency(x)
    k2 = tendency(x + (dt / 2) * k1)
    k3 = tendency(x + (dt / 2) * k2)
    k4 = tendency(x + dt * k3)
    return x + (dt / 6) * (k1 + 2 * (k2 + k3) + k4)


def forecast(x: np.ndarray, steps: int) -> np.ndarray:
    """States (..., 40, n) so many steps later."""
    for _ in range(steps):
        x = step(x)
    return x


def tangent_step(x: np.ndarray, dx: np.ndarray, dt: float = STEP) -> tuple[np.ndarray, np.ndarray]:
    """A step together with its derivative.

    Parameters
    ----------
    x : ndarray (..., 40, 1)
        States.
    dx : ndarray (..., 40, n)
        Small departures from each state.

    Returns
    -------
    ndarray (..., 40, 1), ndarray (..., 40, n)
        Both one step later, the departures by the linearized Runge-Kutta scheme.
    """
    def slope(x: np.ndarray, dx: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        (difference, before), (change, change_before) = neighbours(x), neighbours(dx)
        return difference * before - x + FORCING, change * before + difference * change_before - dx

    a, da = slope(x, dx)
    b, db = slope(x + (dt / 2) * a, dx + (dt / 2) * da)
    c, dc = slope(x + (dt / 2) * b, dx + (dt / 2) * db)
    d, dd = slope(x + dt * c, dx + dt * dc)
    return x + (dt / 6) * (a + 2 * (b + c) + d), dx + (dt / 6) * (da + 2 * (db + dc) + dd)


def frozen_tangent(x: np.ndarray, dt: float = STEP) -> np.ndarray:
    """exp(J dt) to fourth order (..., 40, 40), with the Jacobian J of the tendency at x (..., 40, 1)."""
    difference, before = neighbours(x)
    total = term = np.eye(VARIABLES)
    for power in range(1, 5):
        change, change_before = neighbours(term)
        term = (dt / power) * (change * before + difference * change_before - term)
        total = total + term
    return total


def attractor(generators: list[np.random.Generator]) -> np.ndarray:
    """One state on the attractor for each generator, (n, 40)."""
    x = np.stack([FORCING + generator.standard_normal(VARIABLES) for generator in generators])
    return forecast(x[..., None], SETTLE)[..., 0]


@dataclass(frozen=True, eq=False)
class World:
    """Truths and their observations; seed s has the same ones whichever other seeds there are.

    Attributes
    ----------
    seeds : tuple of int
        The key of each truth.
    truth : ndarray (cycles + 1, n_seeds, 40)
        States at the start and at every observation time.
    observations : ndarray (cycles, n_seeds, 40)
        All variables with independent N(0, 1) errors.
    every : int
        Steps of the model from one observation time to the next.
    """

    seeds: tuple[int, ...]
    truth: np.ndarray
    observations: np.ndarray
    every: int = 1

    @property
    def cycles(self) -> int:
        """Number of observation times."""
        return len(self.observations)

    @classmethod
    def draw(cls, seeds: tuple[int, ...], cycles: int, every: int = 1, from_rest: bool = False) -> World:
        """Run the truths from random states of the attractor and observe them every so many steps.

        `from_rest`: the truths start at zero, but for a 1 in the first variable and a little noise, as in DAPPER's settings.
        """
        generators = [np.random.default_rng([seed, TRUTH]) for seed in seeds]
        truth = np.empty((cycles + 1, len(seeds), VARIABLES))
        if from_rest:
            truth[0] = np.eye(VARIABLES)[0] + START_SPREAD * np.stack([generator.standard_normal(VARIABLES) for generator in generators])
        else:
            truth[0] = attractor(generators)
        for cycle in range(cycles):
            truth[cycle + 1] = forecast(truth[cycle][..., None], every)[..., 0]
        noise = [np.random.default_rng([seed, OBSERVATIONS]).standard_normal((cycles, VARIABLES)) for seed in seeds]
        return cls(tuple(seeds), truth, truth[1:] + np.stack(noise, axis=1), every)


@cache
def climate(trajectories: int = 64, steps: int = 2000, every: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Mean (40,) and covariance (40, 40) of the attractor, from states of other trajectories than any truth's."""
    x = attractor([np.random.default_rng([number, CLIMATE]) for number in range(trajectories)])[..., None]
    states = []
    for _ in range(steps // every):
        x = forecast(x, every)
        states.append(x[..., 0])
    states = np.concatenate(states)
    return states.mean(axis=0), np.cov(states.T)
