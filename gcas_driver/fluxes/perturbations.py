"""Perturbations of the parameters: standard normal numbers that depend on nothing but their key.

Philox is a counter-based generator (Salmon et al., 2011): block = f(key, counter), no state. Here the key is the run's seed
and the counter spells out (window, component, purpose, member, cell), so that a number is the same however many others
are drawn, in whatever order, on however many threads, before or after a restart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from gcas_driver.errors import InputError
from mozart_coupling.grids import great_circle_km

from .components import RANDOM_CODES
from .harmonics import SphereField

# The purpose keeps the streams of one component apart. Never renumber: runs could not be repeated.
CELL, LAND_HARMONIC, OCEAN_HARMONIC, LAND_REST, OCEAN_REST = range(5)
KEY_DOMAIN = 0x47434153  # "GCAS" in ASCII: the second half of the key, apart from other uses of the same seed
WORDS_PER_BLOCK = 4


@dataclass(frozen=True)
class Correlation:
    """Correlation between the perturbations of cells.

    Attributes
    ----------
    land_km, ocean_km : float
        Length over land and over ocean [km]; 0: independent cells.
    shape : str
        "exponential": exp(-d/L), "gaussian": exp(-d²/2L²), d the great-circle distance.
    """

    land_km: float = 0.0
    ocean_km: float = 0.0
    shape: str = "exponential"

    def __post_init__(self) -> None:
        if self.shape not in ("exponential", "gaussian"):
            raise InputError("unknown shape of correlation", "&state, correlation_shape", repr(self.shape),
                             "exponential or gaussian")
        if not (0.0 <= self.land_km < 20000.0 and 0.0 <= self.ocean_km < 20000.0):
            raise InputError("correlation length", "&state, correlation_land_km, correlation_ocean_km",
                             f"{self.land_km}, {self.ocean_km}", "0 to 20000 km")

    @property
    def any(self) -> bool:
        """Whether there is a correlation at all."""
        return self.land_km > 0.0 or self.ocean_km > 0.0

    def matrix(self, lon: np.ndarray, lat: np.ndarray, land: np.ndarray) -> np.ndarray:
        """The correlation matrix (n, n) that draws have at points [degrees]; for few points, and for tests."""
        distance = great_circle_km(lon[:, None], lat[:, None], lon[None], lat[None])
        result = np.eye(lon.size)
        for surface, length in ((land, self.land_km), (~land, self.ocean_km)):
            if length > 0.0:
                scaled = distance / length
                full = np.exp(-scaled) if self.shape == "exponential" else np.exp(-0.5 * scaled**2)
                result = np.where(np.outer(surface, surface), full, result)
        return result


def standard_normal(seed: int, window: np.datetime64, component: str, n_cells: int, n_members: int, *,
                    purpose: int = CELL) -> np.ndarray:
    """Independent standard normal numbers, each a function of (seed, window, component, purpose, cell, member) only.

    Parameters
    ----------
    seed : int
        Of the run, 0 to 2**63 - 1.
    window : datetime64
        Start of the window; its day enters the key.
    component : str
        See `RANDOM_CODES`.
    n_cells, n_members : int
        How many: more of either leaves the others as they were.

    Returns
    -------
    numpy.ndarray
        (n_cells, n_members) float64.
    """
    if not 0 <= int(seed) < 2**63:
        raise InputError("seed is out of range", "&case, seed", str(seed), "0 to 9223372036854775807")
    day = int(np.datetime64(window, "D").astype(np.int64)) % 2**32
    label = (RANDOM_CODES[component] << 8 | purpose) << 32 | day
    n_words = -(-n_cells // WORDS_PER_BLOCK) * WORDS_PER_BLOCK
    words = np.empty((n_members, n_words), dtype=np.uint64)
    key = np.array([seed, KEY_DOMAIN], dtype=np.uint64)
    for member in range(n_members):
        words[member] = np.random.Philox(key=key, counter=np.array([0, member, label, 0], dtype=np.uint64)).random_raw(n_words)
    words >>= np.uint64(11)
    uniform = words[:, :n_cells].T.astype(np.float64, order="C")
    uniform += 0.5
    uniform *= 2.0**-53
    return ndtri(uniform, out=uniform)


def draw(seed: int, window: np.datetime64, component: str, n_cells: int, n_members: int, *, centred: bool = True,
         correlation: Correlation | None = None, lon: np.ndarray | None = None, lat: np.ndarray | None = None,
         land: np.ndarray | None = None, spacing_km: float = 300.0) -> np.ndarray:
    """Perturbations δ ~ N(0, 1) of equation (1) of Jiang et al. (2021).

    Parameters
    ----------
    seed, window, component, n_cells, n_members
        See `standard_normal`; cells are those of the whole λ grid, so that masks do not shift the numbers.
    centred : bool
        Subtract the mean over members, so that the ensemble mean is the prior. The variance over members, with divisor
        N - 1, is 1 on average either way.
    correlation : Correlation
        None: independent cells. Otherwise `lon`, `lat` (n_cells,) [degrees] and `land` (n_cells,) bool are needed; there is
        no correlation between land and ocean.
    spacing_km : float
        Size of a λ cell: structure of an exponential correlation below it is drawn per cell.

    Returns
    -------
    numpy.ndarray
        (n_cells, n_members) float64, C order.

    Notes
    -----
    A correlated number depends on the place of its cell, not on which other cells there are: it is the value there of a
    homogeneous, isotropic random field on the sphere (`harmonics.SphereField`), one field for land and one for ocean.
    """
    if correlation is None or not correlation.any:
        delta = standard_normal(seed, window, component, n_cells, n_members)
    else:
        places = (lon, lat, land)
        if any(a is None or np.shape(a) != (n_cells,) for a in places):
            raise InputError("correlated perturbations need the place and surface of every cell", "draw",
                             str([np.shape(a) for a in places]), f"lon, lat, land of shape ({n_cells},)")
        delta = _correlated(seed, window, component, n_members, correlation, lon, lat, np.asarray(land, dtype=bool), spacing_km)
    if centred and n_members > 1:
        delta -= delta.mean(axis=1, keepdims=True)
    return delta


def _correlated(seed: int, window: np.datetime64, component: str, n_members: int, correlation: Correlation,
                lon: np.ndarray, lat: np.ndarray, land: np.ndarray, spacing_km: float) -> np.ndarray:
    delta = np.empty((lon.size, n_members))
    surfaces = ((land, correlation.land_km, LAND_HARMONIC, LAND_REST), (~land, correlation.ocean_km, OCEAN_HARMONIC, OCEAN_REST))
    for where, length, harmonic, rest in surfaces:
        if not where.any():
            continue
        if length <= 0.0:
            delta[where] = standard_normal(seed, window, component, lon.size, n_members)[where]
            continue
        field = SphereField.of(length, correlation.shape, spacing_km)
        amplitudes = standard_normal(seed, window, component, field.n_amplitudes, n_members, purpose=harmonic)
        delta[where] = field.synthesis(amplitudes, lon[where], lat[where])
        if field.rest > 0.0:
            noise = standard_normal(seed, window, component, lon.size, n_members, purpose=rest)[where]
            delta[where] += np.sqrt(field.rest) * noise
    return delta
