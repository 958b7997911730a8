"""From the spectra of a station on the ground to rows of the table: screening, means over an hour, the error of the mean.

A mean keeps the operator's meaning: with h, k, y of the spectra, the mean's weight is the mean of h, its kernel the mean of h k over
that, its prior profile the mean of h k y over the mean of h k, so that the mean's simulated value is the mean of the spectra's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields, replace

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations.scales import unchanged
from gcas_driver.observations.sounding_screen import LARGEST_ERROR_PPM, PLAUSIBLE_PPM, good_profiles
from gcas_driver.observations.streams import ColumnStream
from gcas_driver.observations.table import WITHHELD, ColumnOperator, Observations, column_observations
from gcas_driver.observations.wildcards import matches_any

AVERAGED = "averaged with others of its hour"
EXTRAPOLATED = "averaging kernel from outside of the provider's table"
LOW_SUN = "sun too low"
WATER_OVER_DRY_AIR = 18.01528 / 28.9644
"""Molar masses [1]."""
LEAST_WEIGHT = 1.0e-12
"""A level of which less than this counts has no kernel of its own: that of the mean is taken."""


@dataclass(frozen=True)
class Spectra:
    """Columns as read, NaN where missing; profiles from the top.

    Attributes
    ----------
    time, lon, lat, xco2, error, prior_xco2 : ndarray (n,)
        Seconds since 1970, degrees, ppm.
    zenith : ndarray (n,)
        Solar zenith angle [degrees].
    extrapolation : ndarray (n,)
        How the kernel was found: 0 inside the provider's table, ±1 extrapolated, ±2 at its end.
    pressure, weight, kernel, prior : ndarray (n, n_levels)
        Pa, 1, 1, ppm dry.
    site, identifier : ndarray of str (n,)
    scale : str
    """

    time: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    xco2: np.ndarray
    error: np.ndarray
    prior_xco2: np.ndarray
    zenith: np.ndarray
    extrapolation: np.ndarray
    pressure: np.ndarray
    weight: np.ndarray
    kernel: np.ndarray
    prior: np.ndarray
    site: np.ndarray
    identifier: np.ndarray
    scale: str
    counts: Counter = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.time)

    def keep(self, good: np.ndarray, reason: str = "") -> Spectra:
        """The rows of `good` (n,) bool; the others counted under `reason`, if there is one."""
        if good.all():
            return self
        if reason:
            self.counts[reason] += int(np.count_nonzero(~good))
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("scale", "counts")}
        return replace(self, **{name: array[good] for name, array in arrays.items()})


def dry_weights(pressure: np.ndarray, ground: np.ndarray, water: np.ndarray, gravity: np.ndarray | float) -> np.ndarray:
    """Weights (n, n_levels) of levels in a mean over dry air, for files that give none.

    The dry air of a layer is dp / (g m_dry (1 + r m_water / m_dry)), r its moist share over dry air (Wunch et al., 2010, Atmos. Meas.
    Tech. 3, 1351, appendix A). Layers end half-way between levels; the lowest ends at the ground, the highest at no pressure.

    Parameters
    ----------
    pressure : ndarray (n, n_levels)
        From the top [Pa].
    ground : ndarray (n,)
        Pressure at the ground [Pa]; levels and parts of layers below it do not count.
    water : ndarray (n, n_levels)
        Mole fraction of water in moist air [1].
    gravity : ndarray (n, n_levels) or float
        [m s-2].
    """
    middle = 0.5 * (pressure[:, 1:] + pressure[:, :-1])
    lowest = np.maximum(ground, pressure[:, -1])
    edges = np.column_stack([np.zeros(len(pressure)), middle, lowest])
    edges = np.minimum(edges, ground[:, None])
    moist = water / (1.0 - water)
    dry_air = np.diff(edges, axis=1) / (gravity * (1.0 + moist * WATER_OVER_DRY_AIR))
    return dry_air / dry_air.sum(axis=1, keepdims=True)


def checked_water(water: np.ndarray, where: str) -> np.ndarray:
    """The same mole fractions [1]; InputError where most of them cannot be water's."""
    highest = np.nanmax(water, axis=1) if water.size and np.isfinite(water).any() else np.empty(0)
    if len(highest) and not 1.0e-5 < np.nanmedian(highest) < 0.1:
        raise InputError("not a mole fraction of water", where, f"typical largest value {np.nanmedian(highest):g}",
                         "0.00001 to 0.1 mol mol-1", "check the file's units")
    return np.where((water >= 0.0) & (water < 0.2), water, np.nan)


def identifiers(site: str, times: np.ndarray) -> np.ndarray:
    """Site and second of each spectrum (n,) of str."""
    return np.array([f"{site}:{np.datetime64(int(t), 's')}" for t in times], dtype=object)


def to_table(spectra: Spectra, stream: ColumnStream, where: str, whole: bool = True) -> Observations:
    """Screen, average and scale the spectra of one file, `where` in messages; `whole`: they are all that the file has.

    Returns
    -------
    Observations
        Withheld, unless the stream is to be assimilated; rows that were dropped are counted by reason.

    Raises
    ------
    InputError
        If none of a whole file's columns has an operator that can be.
    """
    s = _screened(spectra, stream, where, whole)
    s, single = _averaged(s, stream.average_hours)
    error = np.hypot(stream.error_factor * s.error, stream.error_ppm)
    scale = s.scale or "unknown"
    if not unchanged(stream):
        scale = stream.scale or "unknown"
    elif stream.scale and scale == "unknown":
        scale = stream.scale
    table = column_observations(
        time=s.time, lon=s.lon, lat=s.lat, value=stream.value_factor * s.xco2 + stream.value_offset_ppm, error=error,
        product=stream.product, identifier=s.identifier,
        operator=ColumnOperator(s.pressure, s.weight, s.kernel, 1.0e-6 * s.prior, s.prior_xco2),
        site=s.site, scale=scale, dropped={(stream.product, reason): n for reason, n in single.items() if n})
    return table if stream.assimilate else table.reject(np.ones(len(table), dtype=bool), WITHHELD)


def _screened(s: Spectra, stream: ColumnStream, where: str, whole: bool) -> Spectra:
    """Without other sites, missing, impossible and unwanted columns, each counted under the first reason met."""
    if stream.sites:
        s = s.keep(matches_any(stream.sites, s.site), "site not wanted")
    with np.errstate(invalid="ignore"):
        s = s.keep(np.isfinite(s.time), "no time")
        s = s.keep((np.abs(s.lat) <= 90.0) & (np.abs(s.lon) <= 360.0), "missing or impossible place")
        s = s.keep(np.isfinite(s.xco2), "missing value")
        s = s.keep((s.xco2 > PLAUSIBLE_PPM[0]) & (s.xco2 < PLAUSIBLE_PPM[1]), "value not between 250 and 700 ppm")
        s = s.keep((s.error > 0.0) & (s.error < LARGEST_ERROR_PPM), "missing or impossible uncertainty")
        s = s.keep(s.zenith <= stream.largest_zenith, LOW_SUN)
        s = s.keep((np.abs(s.extrapolation) <= stream.kernel_extrapolation) | (stream.kernel_extrapolation == 2), EXTRAPOLATED)
        first = np.unique(np.column_stack([s.time, s.lon, s.lat, s.xco2, s.error]), axis=0, return_index=True)[1]
        s = s.keep(np.isin(np.arange(len(s)), first), "record given twice")
    problems: Counter = Counter()
    good = good_profiles(s.pressure, s.weight, s.kernel, s.prior, s.prior_xco2, problems)
    if whole and len(s) and not good.any():
        raise InputError("no column has an operator that can be", where, ", ".join(f"{n} {reason}" for reason, n in problems.items()),
                         "pressures, weights, kernels and priors of an atmosphere", "check the file's variables and their units")
    s.counts.update(problems)
    return s.keep(good)


def _averaged(s: Spectra, hours: float) -> tuple[Spectra, Counter]:
    """Means over bins of `hours` of each site, and all counts.

    The error of a mean of n is the larger of the spectra's stated error (root mean square) and their scatter, over sqrt(n).
    """
    counts = Counter(s.counts)
    if not len(s) or hours <= 0.0:
        return s, counts
    site = np.unique(s.site.astype(str), return_inverse=True)[1]
    keys = np.column_stack([site, np.floor(s.time / (3600.0 * hours))])
    _, first, group, sizes = np.unique(keys, axis=0, return_index=True, return_inverse=True, return_counts=True)
    group, n = group.reshape(-1), len(first)
    if n < len(s):
        counts[AVERAGED] += len(s) - n

    def mean(values: np.ndarray) -> np.ndarray:
        total = np.zeros((n, *values.shape[1:]))
        np.add.at(total, group, values)
        return total / sizes.reshape(-1, *[1] * (values.ndim - 1))

    weight, kernel, prior = mean(s.weight), mean(s.weight * s.kernel), mean(s.weight * s.kernel * s.prior)
    with np.errstate(invalid="ignore", divide="ignore"):
        kernel = np.where(np.abs(weight) > LEAST_WEIGHT, kernel / weight, mean(s.kernel))
        prior = np.where(np.abs(weight * kernel) > LEAST_WEIGHT, prior / (weight * kernel), mean(s.prior))
    origin = s.time[first]
    xco2 = mean(s.xco2)
    scatter = np.sqrt(mean((s.xco2 - xco2[group]) ** 2) * sizes / np.maximum(sizes - 1, 1))
    error = np.maximum(np.sqrt(mean(s.error**2)), scatter) / np.sqrt(sizes)
    means = Spectra(origin + mean(s.time - origin[group]), mean(s.lon), mean(s.lat), xco2, error, mean(s.prior_xco2), mean(s.zenith),
                    mean(np.abs(s.extrapolation)), mean(s.pressure), weight, kernel, prior, s.site[first], s.identifier[first], s.scale)
    return means, counts
