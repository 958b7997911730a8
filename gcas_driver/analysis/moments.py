"""Mean, variance and spread of ensembles, row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import raise_status


@dataclass(frozen=True, eq=False)
class Moments:
    """Of ensembles in rows (n, n_members), u the members' unit.

    Attributes
    ----------
    mean : ndarray (n,)
        u.
    variance : ndarray (n,)
        With N - 1 in the denominator, u².
    differ : ndarray (n,) of bool
        Whether members differ by more than rounding, and by so much that squares are numbers.
    finite : bool
        No mean or variance is NaN or infinite.
    """

    mean: np.ndarray
    variance: np.ndarray
    differ: np.ndarray
    finite: bool

    @classmethod
    def of(cls, members: np.ndarray, n_threads: int) -> Moments:
        """Of `members` (n, n_members), float64 in C order; computed in Fortran, with the same bits for any number of threads."""
        from gcas_driver._analysis import gcas_analysis_face

        n = len(members)
        mean, variance, differs = np.zeros(n), np.zeros(n), np.zeros(n, np.int32)
        finite, status, message = gcas_analysis_face.moments(members.T, n_threads, mean, variance, differs)
        raise_status(status, message, where="moments")
        return cls(mean, variance, differs > 0, bool(finite))
