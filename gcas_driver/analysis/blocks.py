"""Observations with correlated errors: each block is rotated to independent ones before the serial analysis."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gcas_driver.errors import AnalysisError, InputError

from .arrays import as_float, as_indices, check_finite
from .localization import BANDS, WEIGHTS, CoreLocalization


@dataclass(frozen=True)
class Rotation:
    """One block: its observations, and the columns that turn them into independent ones."""

    index: np.ndarray
    vectors: np.ndarray


@dataclass(frozen=True)
class Independent:
    """The analysis problem after all rotations; `hx` and `test` (n_observations, n_members)."""

    y: np.ndarray
    r: np.ndarray
    hx: np.ndarray
    test: np.ndarray
    localization: CoreLocalization
    rotations: tuple[Rotation, ...]

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


def rotate(y: np.ndarray, r: np.ndarray, hx: np.ndarray, localization: CoreLocalization, r_blocks,
           used: np.ndarray) -> Independent:
    """Rotate every block of `r_blocks` with the eigenvectors of its error covariance.

    A block is localized as one: all its rotated observations stand at its centroid with the largest radii of its members, are
    judged by the block's mean simulated value, and take the mean of its weights. An observation that is not `used` is left out of its block.

    Raises
    ------
    InputError
        A block that is not a pair (index, matrix), overlaps with another, or is not symmetric.
    AnalysisError
        A block's matrix is not positive definite.
    """
    blocks = check_blocks(r_blocks, y.size)
    if not blocks:
        return Independent(y, r, hx, hx, localization, ())
    y, r, hx, test = y.copy(), r.copy(), hx.copy(), hx.copy()
    rotations = []
    for number, (index, matrix) in enumerate(blocks):
        keep = used[index]
        index, matrix = index[keep], matrix[np.ix_(keep, keep)]
        if not index.size:
            continue
        variances, vectors = np.linalg.eigh(matrix)
        if variances[0] <= variances[-1] * index.size * np.finfo(float).eps:
            raise AnalysisError("an error covariance is not positive definite", where=f"r_blocks[{number}]",
                                found=f"smallest eigenvalue {variances[0]:g}, largest {variances[-1]:g}",
                                expected="all eigenvalues > 0")
        r[index] = variances
        y[index] = vectors.T @ y[index]
        test[index] = hx[index].mean(axis=0)
        hx[index] = vectors.T @ hx[index]
        rotations.append(Rotation(index, vectors))
    return Independent(y, r, hx, test, gather(localization, [rotation.index for rotation in rotations]), tuple(rotations))


def check_blocks(r_blocks, n_observations: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The blocks as positions and matrices."""
    if r_blocks is None:
        return []
    blocks, seen = [], np.zeros(n_observations, bool)
    for number, block in enumerate(r_blocks):
        name = f"r_blocks[{number}]"
        if not isinstance(block, (tuple, list)) or len(block) != 2:
            raise InputError(f"{name} is not a block", found=type(block).__name__, expected="the pair (index, matrix)")
        index = as_indices(f"{name} index", block[0], n_observations)
        matrix = as_float(f"{name} matrix", block[1], (index.size, index.size))
        check_finite(f"{name} matrix", matrix)
        if not np.allclose(matrix, matrix.T, rtol=1e-10, atol=0.0):
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
