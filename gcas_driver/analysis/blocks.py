"""Observations with correlated errors: each block is rotated to independent ones before the serial analysis."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gcas_driver.errors import AnalysisError, InputError

from .arrays import as_float, as_indices, check_finite, describe
from .localization import BANDS, WEIGHTS, CoreLocalization
from .moments import Moments

Blocks = list[tuple[np.ndarray, np.ndarray]]
"""Positions of observations, and the covariance of their errors."""


@dataclass(frozen=True)
class Rotation:
    """One block: its observations, and the columns that turn them into independent ones."""

    index: np.ndarray
    vectors: np.ndarray


@dataclass(frozen=True)
class Independent:
    """The analysis problem after all rotations; `hx` and `test` (n_observations, n_members), `moments` those of `hx`."""

    y: np.ndarray
    r: np.ndarray
    hx: np.ndarray
    moments: Moments
    test: np.ndarray
    localization: CoreLocalization
    rotations: tuple[Rotation, ...]

    def apart_from(self, x: np.ndarray) -> Independent:
        """The same problem; arrays that lie in the memory of `x`, which will be overwritten, are copied."""
        def apart(array: np.ndarray) -> np.ndarray:
            return array.copy() if np.may_share_memory(array, x) else array

        local = replace(self.localization, parameter_weights=apart(self.localization.parameter_weights),
                        observation_weights=apart(self.localization.observation_weights))
        return replace(self, y=apart(self.y), r=apart(self.r), hx=apart(self.hx), test=apart(self.test), localization=local)

    def turn_back(self, hx: np.ndarray) -> None:
        """Bring simulated values back from the rotated to the original observations, in place."""
        for rotation in self.rotations:
            hx[rotation.index] = rotation.vectors @ hx[rotation.index]

    def shared_out(self, values: np.ndarray) -> np.ndarray:
        """Values of rotated observations (n_observations,) as the originals' shares, the squares of the eigenvectors; sums stay.

        Variances of the rotated observations become the diagonal of the block's covariance.
        """
        result = values.copy()
        for rotation in self.rotations:
            result[rotation.index] = rotation.vectors**2 @ values[rotation.index]
        return result


def error_variances(r: np.ndarray, blocks: Blocks) -> np.ndarray:
    """The error variances of all observations: of those in blocks what stands on their matrix' diagonal."""
    if not blocks:
        return r
    r = r.copy()
    for index, matrix in blocks:
        r[index] = matrix.diagonal()
    return r


def rotate(y: np.ndarray, r: np.ndarray, hx: np.ndarray, moments: Moments, localization: CoreLocalization, blocks: Blocks,
           used: np.ndarray, n_threads: int) -> Independent:
    """Rotate every block with the eigenvectors of its error covariance, in the order of ascending eigenvalues.

    A block is localized as one: all its rotated observations stand at its centroid with the largest radii of its members, are
    judged by the block's mean simulated value, and take the mean of its weights. An observation that is not `used` is left out
    of its block.

    Raises
    ------
    InputError
        A block spread over the whole sphere.
    AnalysisError
        A block's matrix is not positive definite.
    """
    if not blocks:
        return Independent(y, r, hx, moments, hx, localization, ())
    y, r, hx, test = y.copy(), r.copy(), hx.copy(), hx.copy()
    rotations = []
    for number, (index, matrix) in enumerate(blocks):
        keep = used[index]
        index, matrix = index[keep], matrix[np.ix_(keep, keep)]
        if index.size < 2:
            continue  # independent as it is, at its own place
        variances, vectors = eigenvectors(matrix, number)
        if not variances[0] > variances[-1] * index.size * np.finfo(float).eps:
            raise AnalysisError("an error covariance is not positive definite", where=f"r_blocks[{number}]",
                                found=f"smallest eigenvalue {variances[0]:g}, largest {variances[-1]:g}",
                                expected="all eigenvalues > 0")
        r[index] = variances
        y[index] = vectors.T @ y[index]
        test[index] = hx[index].mean(axis=0)
        hx[index] = vectors.T @ hx[index]
        rotations.append(Rotation(index, vectors))
    return Independent(y, r, hx, Moments.of(hx, n_threads), test, gather(localization, [rotation.index for rotation in rotations]),
                       tuple(rotations))


def eigenvectors(matrix: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, ascending, and eigenvectors of a block's matrix."""
    try:
        return np.linalg.eigh(matrix)
    except np.linalg.LinAlgError as error:
        raise AnalysisError("an error covariance has no eigenvectors", where=f"r_blocks[{number}]", found=str(error),
                            expected="a positive definite matrix") from None


def check_blocks(r_blocks, n_observations: int) -> Blocks:
    """The blocks as positions and matrices.

    Raises
    ------
    InputError
        A block that is not a pair (index, matrix), overlaps with another, or is not symmetric.
    AnalysisError
        A variance that is not positive.
    """
    if r_blocks is None:
        return []
    if not isinstance(r_blocks, (tuple, list)):
        raise InputError("r_blocks is no sequence", found=describe(r_blocks), expected="a list of pairs (index, matrix), or None")
    blocks, seen = [], np.zeros(n_observations, bool)
    for number, block in enumerate(r_blocks):
        name = f"r_blocks[{number}]"
        if not isinstance(block, (tuple, list)) or len(block) != 2:
            raise InputError(f"{name} is not a block", found=type(block).__name__, expected="the pair (index, matrix)")
        index = as_indices(f"{name} index", block[0], n_observations)
        matrix = as_float(f"{name} matrix", block[1], (index.size, index.size))
        check_finite(f"{name} matrix", matrix)
        variance = matrix.diagonal()
        if (variance <= 0.0).any():
            raise AnalysisError("an error covariance is not positive definite", where=name, found=f"variance {variance.min():g}",
                                expected="> 0")
        if (np.abs(matrix - matrix.T) > 1e-10 * np.sqrt(variance)[:, None] * np.sqrt(variance)).any():
            raise InputError(f"{name} is not symmetric", found=f"largest difference {abs(matrix - matrix.T).max():g}",
                             expected="a covariance matrix")
        if seen[index].any():
            raise InputError(f"{name} shares observations with another block", found=str(index[seen[index]][:5]),
                             expected="every observation in one block at most")
        seen[index] = True
        if index.size:
            blocks.append((index, matrix))
    return blocks


def gather(localization: CoreLocalization, blocks: list[np.ndarray]) -> CoreLocalization:
    """Put the observations of each block at one place with common radii, or give them common weights."""
    if localization.kind == BANDS:
        common = {name: getattr(localization, name).copy() for name in ("observation_lon", "observation_lat", "near_km", "far_km")}
        for index in blocks:
            place = centroid(index, common["observation_lon"][index], common["observation_lat"][index])
            common["observation_lon"][index], common["observation_lat"][index] = place
            for name in ("near_km", "far_km"):
                common[name][index] = common[name][index].max()
        return replace(localization, **common)
    if localization.kind == WEIGHTS:
        rho, rho_obs = localization.parameter_weights.copy(), localization.observation_weights.copy()
        for index in blocks:
            rho[:, index] = rho[:, index].mean(axis=1, keepdims=True)
            rho_obs[:, index] = rho_obs[:, index].mean(axis=1, keepdims=True)
            rho_obs[index] = rho_obs[index].mean(axis=0, keepdims=True)
        return replace(localization, parameter_weights=rho, observation_weights=rho_obs)
    return localization


def centroid(index: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> tuple[float, float]:
    """Longitude and latitude of the mean unit vector of a block's places, degrees."""
    lon, lat = np.radians(lon), np.radians(lat)
    x, y, z = np.mean([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    if np.hypot(np.hypot(x, y), z) < 1e-6:
        raise InputError("a block of observations has no centroid", found=f"observations {index[:5]} spread over "
                         "the whole sphere", expected="neighbours")
    return float(np.degrees(np.arctan2(y, x))), float(np.degrees(np.arctan2(z, np.hypot(x, y))))
