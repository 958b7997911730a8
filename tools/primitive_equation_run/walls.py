"""Winds on cell centres whose means over two neighbours are the spectral model's mass flux through the wall between them.

A transport model takes the flux through a wall as the mean of its two cells'. For waves of a few cells that loses up to half of it,
and differently in both directions, so that what is free of divergence seems to converge. Here it is undone before it happens:
along a circle of n cells the mean of two neighbours multiplies wavenumber k by cos(pi k/n), and the mean over a cell by
sin(pi k/n)/(pi k/n). Meridians are made circles by going on over the pole, where winds change sign.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Gain = Callable[[np.ndarray], np.ndarray]

LARGEST_GAIN = 2.0
"""Bound of 1/cos: reached at a third of the cells, the shortest wave that a quadratic grid's model has."""


def to_walls(fields: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """U, V and PS for the files; everything else as it is.

    Parameters
    ----------
    fields
        U, V [m s-1] (nlev, nlat, nlon), PS [Pa] (nlat, nlon), at the points of a Gaussian grid with nearly even latitudes, and pure sigma
        levels, whose mass is in proportion to PS.

    Returns
    -------
    dict
        PS as mean over cells; U such that PS U, averaged over two neighbours, is the mean flux through the wall between them; V likewise.
    """
    pressure = fields["PS"]
    zonal = along_meridians(along_parallels(fields["U"] * pressure, sharpen), average, -1.0)
    meridional = along_meridians(along_parallels(fields["V"] * pressure, average), sharpen, -1.0)
    mean = along_meridians(along_parallels(pressure, average), average, 1.0)
    return {**fields, "U": zonal / mean, "V": meridional / mean, "PS": mean}


def sharpen(angle: np.ndarray) -> np.ndarray:
    """Undoes the mean of two neighbours for waves of pi k/n [rad]; bounded."""
    return 1.0 / np.maximum(np.cos(angle), 1.0 / LARGEST_GAIN)


def average(angle: np.ndarray) -> np.ndarray:
    """The mean over a cell for waves of pi k/n [rad]."""
    return np.sinc(angle / np.pi)


def along_parallels(values: np.ndarray, gain: Gain) -> np.ndarray:
    """Multiply the waves along the last dimension, a circle."""
    n = values.shape[-1]
    return np.fft.irfft(np.fft.rfft(values, axis=-1) * gain(np.pi * np.arange(n // 2 + 1) / n), n, axis=-1)


def along_meridians(values: np.ndarray, gain: Gain, sign: float) -> np.ndarray:
    """Multiply the waves along meridians (…, nlat, nlon); `sign` is what crossing a pole does to the values."""
    nlat, nlon = values.shape[-2:]
    beyond = sign * np.roll(values, nlon // 2, axis=-1)[..., ::-1, :]
    circle = np.concatenate([values, beyond], axis=-2)
    turned = along_parallels(np.swapaxes(circle, -1, -2), gain)
    return np.swapaxes(turned, -1, -2)[..., :nlat, :]
