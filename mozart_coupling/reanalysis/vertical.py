"""From a source's layers or pressure levels to layers, keeping column integrals of what is carried."""

from __future__ import annotations

import numpy as np


class LayerRemap:
    """Layers between pressures → layers between other pressures, column by column.

    In each source layer the field is a line through its mean, whose slope is the central difference limited so that no
    layer's end goes beyond its neighbours' means (van Leer 1977). Targets get the exact integral of that: over any range that both
    cover, ∫ x dp is kept to round-off, a uniform field stays uniform, non-negative fields stay so. Where the targets reach further
    than the source, its outermost layers are thickened with their line's end value held.

    Parameters
    ----------
    source, target
        Interface pressures (n+1, ...), (m+1, ...) [Pa], top first.
    linear_ends
        The outermost layers have the slope towards their neighbour, so that a line stays a line up to the ends; else they are flat, as
        fields need that may jump there.
    """

    def __init__(self, source: np.ndarray, target: np.ndarray, linear_ends: bool = False) -> None:
        self._linear_ends = linear_ends
        self._columns = source.shape[1:]
        source = source.reshape(source.shape[0], -1)
        target = target.reshape(target.shape[0], -1)
        self._thickness = np.diff(source, axis=0)
        self._target_thickness = np.diff(target, axis=0)
        last = source.shape[0] - 2
        inside = np.clip(target, source[0], source[-1])
        index = np.empty(target.shape, dtype=np.intp)
        for face, pressure in enumerate(inside):
            index[face] = np.minimum((source[1:] <= pressure).sum(axis=0), last)
        self._index = index
        self._depth = inside - np.take_along_axis(source, index, axis=0)
        self._beyond = target - inside  # negative above the source, positive below it

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Layer means (n, ...) → (m, ...)."""
        x = values.reshape(values.shape[0], -1)
        slope = _limited_slope(x, self._thickness, self._linear_ends)
        total = np.zeros((x.shape[0] + 1, x.shape[1]))
        np.cumsum(x * self._thickness, axis=0, out=total[1:])
        mean, rise, thickness, above = (np.take_along_axis(row, self._index, axis=0) for row in (x, slope, self._thickness, total[:-1]))
        integral = above + self._depth * (mean + 0.5 * rise * (self._depth - thickness))
        ends = np.where(self._beyond < 0.0, x[0] - 0.5 * slope[0] * self._thickness[0], x[-1] + 0.5 * slope[-1] * self._thickness[-1])
        integral += self._beyond * ends
        return (np.diff(integral, axis=0) / self._target_thickness).reshape(-1, *self._columns)


def _limited_slope(x: np.ndarray, thickness: np.ndarray, linear_ends: bool) -> np.ndarray:
    """Slopes [per Pa] of a piecewise linear field with means x (n, ncol); zero at extremes.

    In the outermost layers zero, or with `linear_ends` that of the line through the two outermost means, unless the line would change
    sign within the layer.
    """
    slope = np.zeros_like(x)
    if linear_ends and x.shape[0] > 1:
        for end, inner in ((0, 1), (-1, -2)):
            rise = (x[inner] - x[end]) / (0.5 * (thickness[inner] + thickness[end])) * (1.0 if end == 0 else -1.0)
            slope[end] = np.clip(rise, -2.0 * np.abs(x[end]) / thickness[end], 2.0 * np.abs(x[end]) / thickness[end])
    if x.shape[0] < 3:
        return slope
    upper, lower = np.diff(x[:-1], axis=0), np.diff(x[1:], axis=0)
    central = (x[2:] - x[:-2]) / (thickness[1:-1] + 0.5 * (thickness[:-2] + thickness[2:]))
    steepest = 2.0 * np.minimum(np.abs(upper), np.abs(lower)) / thickness[1:-1]
    slope[1:-1] = np.where(upper * lower > 0.0, np.sign(central) * np.minimum(np.abs(central), steepest), 0.0)
    return slope


class ProfileRemap:
    """Values at fixed pressures → layers: exact means of a profile that is linear in ln p between them and held beyond.

    Parameters
    ----------
    levels
        Pressures (n,) [Pa], ascending.
    target
        Interface pressures (m+1, ...) [Pa].
    """

    def __init__(self, levels: np.ndarray, target: np.ndarray) -> None:
        self._levels = levels
        self._target_thickness = np.diff(target, axis=0)
        inside = np.clip(target, levels[0], levels[-1])
        self._index = np.clip(np.searchsorted(levels, inside, side="right") - 1, 0, levels.size - 2)
        self._weight = _weight_of_lower(levels[self._index], levels[self._index + 1], inside)
        self._depth = inside - levels[self._index]
        self._beyond = target - inside

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """(n, ...) → layer means (m, ...)."""
        column = (slice(None),) + (None,) * (values.ndim - 1)
        upper, lower = self._levels[:-1], self._levels[1:]
        share = _weight_of_lower(upper, lower, lower)[column]
        pieces = (lower - upper)[column] * (values[:-1] + share * np.diff(values, axis=0))
        total = np.concatenate([np.zeros_like(values[:1]), np.cumsum(pieces, axis=0)])
        above, first, second = (np.take_along_axis(row, index, axis=0) for row, index in
                                ((total, self._index), (values, self._index), (values, self._index + 1)))
        integral = above + self._depth * (first + self._weight * (second - first))
        integral += self._beyond * np.where(self._beyond < 0.0, values[0], values[-1])
        return np.diff(integral, axis=0) / self._target_thickness


def _weight_of_lower(upper: np.ndarray, lower: np.ndarray, pressure: np.ndarray) -> np.ndarray:
    """Weight of the lower value in the mean, from `upper` to `pressure`, of what is linear in ln p between `upper` and `lower`.

    (1/(p − p₁)) ∫ ln(p'/p₁) dp' / ln(p₂/p₁) = (r ln r / (r − 1) − 1) / ln(p₂/p₁), r = p/p₁.
    """
    depth = pressure / upper - 1.0
    near = np.abs(depth) < 1.0e-5  # where the difference of two numbers near 1 would lose digits: the series
    safe = np.where(near, 1.0, depth)
    mean_log = np.where(near, 0.5 * depth - depth**2 / 6.0, (1.0 + safe) * np.log1p(safe) / safe - 1.0)
    return mean_log / np.log(lower / upper)


def faces_to_faces(source: np.ndarray, values: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Fluxes through interfaces (n+1, ...) at pressures `source` → at `target` (m+1, ...): linear in p, held beyond."""
    columns = values.shape[1:]
    source, values, target = (field.reshape(field.shape[0], -1) for field in (source, values, target))
    inside = np.clip(target, source[0], source[-1])
    index = np.empty(target.shape, dtype=np.intp)
    for face, pressure in enumerate(inside):
        index[face] = np.minimum((source[1:] <= pressure).sum(axis=0), source.shape[0] - 2)
    low, high = (np.take_along_axis(source, index + step, axis=0) for step in (0, 1))
    first, second = (np.take_along_axis(values, index + step, axis=0) for step in (0, 1))
    return (first + (second - first) * ((inside - low) / (high - low))).reshape(-1, *columns)


def fill_downward(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Where a column (n, ...) is unknown, the nearest known value above it, else the first known below."""
    filled = values.copy()
    known = known.copy()
    for k in range(1, values.shape[0]):
        take = ~known[k] & known[k - 1]
        filled[k][take] = filled[k - 1][take]
        known[k] |= take
    for k in range(values.shape[0] - 2, -1, -1):
        take = ~known[k] & known[k + 1]
        filled[k][take] = filled[k + 1][take]
        known[k] |= take
    return filled
