"""The truth of a synthetic experiment: prior fluxes with errors of region, season and hour.

The errors are maps and time functions with lengths and sizes fixed here, once, from the prior's uncertainty alone, before any
inversion: this module knows nothing of how the assimilation perturbs its prior, and draws with another generator and another
kind of field. FOSSIL and FIRE, which the default scheme keeps, are true.

For BIO, with F a day's prior flux and F̄ its mean over the day:

    truth = F̄ (1 + e + s cos(2π t/yr) + c sin(2π t/yr) + band) + b · mean|F| + (1 + d) (F − F̄)(t − τ)

e, s, c, b, d, τ are smooth random maps; `band` is one number for the north, the tropics and the south. The first bracket is an
error of regional strength and of the season's size and phase; b mean|F| is one of balance between uptake and release, which
is there where the prior's net flux is zero; d and τ are errors of the diurnal cycle's size and phase, which leave the day's
total as it is. For OCN the same without b, d and τ, on a longer length.

Sizes: chosen so that a week's regional error is about one standard deviation of the prior, with the σ that λ = 3 (BIO) and
5 (OCN) imply for these priors on the 128×64 grid. Measured over five truth seeds, two prior seeds and twelve months, the root
mean square of (regional error / σ) over the TransCom regions is 0.95 on land (0.6 to 1.4 by region) and 1.0 at sea. As the
errors are coherent over regions and λ's are not, the error of the global land flux can reach 2 σ.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gcas_driver.fluxes.priors import PriorStream, read

from .priors import GRID, HOURS_PER_STEP, YEAR_DAYS, flux_path, write_flux_day
from .random_fields import smooth_field

TRUE_AS_THEY_ARE = ("fossil", "fire")


@dataclass(frozen=True)
class ErrorSizes:
    """Lengths and standard deviations of a component's errors.

    Attributes
    ----------
    length_km : float
        Of all maps.
    regional : float
        Of the relative error of the flux.
    north, elsewhere : float
        Size of the relative error common to everything north of 23.5°N, and to the tropics and the south each; its sign
        is drawn.
    seasonal : float
        Of each of the two terms with the period of a year.
    balance : float
        Of the error in shares of the gross exchange.
    diurnal : float
        Of the relative error of the diurnal cycle's size.
    diurnal_hours : float
        Of its shift.
    """

    length_km: float
    regional: float
    north: float
    elsewhere: float
    seasonal: float
    balance: float
    diurnal: float
    diurnal_hours: float


SIZES = {
    "bio": ErrorSizes(1500.0, regional=0.35, north=0.2, elsewhere=0.2, seasonal=0.15, balance=0.03, diurnal=0.15, diurnal_hours=0.5),
    "ocn": ErrorSizes(2500.0, regional=0.4, north=0.15, elsewhere=0.15, seasonal=0.15, balance=0.0, diurnal=0.0, diurnal_hours=0.0),
}


class FluxErrors:
    """The errors of one component's prior.

    Parameters
    ----------
    component : str
        "bio" or "ocn".
    seed : int
        Of the truth.
    """

    def __init__(self, component: str, seed: int) -> None:
        self._sizes = sizes = SIZES[component]
        order = list(SIZES).index(component)

        def field(number: int) -> np.ndarray:
            return smooth_field(np.random.default_rng([seed, 0x7247, order, number]), sizes.length_km, GRID)

        signs = np.random.default_rng([seed, 0x7247, order, 99]).choice([-1.0, 1.0], 3)
        bands = np.array([sizes.north, sizes.elsewhere, sizes.elsewhere]) * signs
        band_of = np.where(GRID.lat > 23.5, 0, np.where(GRID.lat >= -23.5, 1, 2))
        self._regional = sizes.regional * field(0) + bands[band_of][:, None]
        self._cosine, self._sine = sizes.seasonal * field(1), sizes.seasonal * field(2)
        self._balance = sizes.balance * field(3) if sizes.balance else None
        if sizes.diurnal:
            self._diurnal = sizes.diurnal * field(4)
            self._shift = np.clip(sizes.diurnal_hours / HOURS_PER_STEP * field(5), -0.5, 0.5)

    def true_day(self, day: np.datetime64, flux: np.ndarray) -> np.ndarray:
        """The true flux of a day.

        Parameters
        ----------
        day : datetime64
        flux : numpy.ndarray
            (8, 180, 360) the prior's [mol m-2 s-1].

        Returns
        -------
        numpy.ndarray
            (8, 180, 360).
        """
        day = np.datetime64(day, "D")
        phase = 2.0 * np.pi * (day - day.astype("datetime64[Y]").astype("datetime64[D]")).astype(int) / YEAR_DAYS
        mean = flux.mean(axis=0)
        true_mean = mean * (1.0 + self._regional + np.cos(phase) * self._cosine + np.sin(phase) * self._sine)
        if self._balance is not None:
            true_mean = true_mean + self._balance * np.abs(flux).mean(axis=0)
        return true_mean + self._true_cycle(flux - mean)

    def _true_cycle(self, cycle: np.ndarray) -> np.ndarray:
        """The day's deviations from its mean, resized and shifted; their sum stays zero."""
        if not self._sizes.diurnal:
            return cycle
        later, earlier = np.maximum(self._shift, 0.0), np.maximum(-self._shift, 0.0)
        own, before, after = ((1.0 + self._diurnal) * share for share in (1.0 - later - earlier, later, earlier))
        result = own * cycle
        for index in range(cycle.shape[0]):
            result[index] += before * cycle[index - 1] + after * cycle[(index + 1) % cycle.shape[0]]
        return result


def write_truth(directory: Path | str, prior_directory: Path | str, start: np.datetime64, end: np.datetime64, seed: int,
                progress: Callable[[float], None] | None = None) -> list[Path]:
    """Write the true fluxes of an experiment beside its prior ones, in the same layout.

    Parameters
    ----------
    directory : path
        Gets `{bio,ocn,fossil,fire}/emissions.{component}.YYYYMMDD.nc`.
    prior_directory : path
        Of the prior fluxes in GCASv2's layout, as `priors.write_priors` makes them.
    start, end : datetime64
        `[start, end)`, whole days.
    seed : int
        Of the errors; not the run's and not the prior's.
    progress : callable
        Called with the share done, 0 to 1, after every day.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    InputError
        If a prior file is missing or wrong.
    """
    errors = {component: FluxErrors(component, seed) for component in SIZES}
    days = np.arange(np.datetime64(start, "D"), np.datetime64(end, "D"))
    paths = []
    for component in (*SIZES, *TRUE_AS_THEY_ARE):
        (Path(directory) / component).mkdir(parents=True, exist_ok=True)
    for done, day in enumerate(days, start=1):
        for component, error in errors.items():
            prior = read(PriorStream(component, "gcasv2", prior_directory), day, day + 1)
            paths.append(write_flux_day(directory, component, day, error.true_day(day, prior.values)))
        for component in TRUE_AS_THEY_ARE:
            paths.append(Path(shutil.copyfile(flux_path(prior_directory, component, day), flux_path(directory, component, day))))
        if progress is not None:
            progress(done / days.size)
    return paths
