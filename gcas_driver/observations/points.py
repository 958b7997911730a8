"""What all readers of samples at places share: selection by site, flag and hour, replicates, errors."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations.scales import unchanged
from gcas_driver.observations.streams import SurfaceStream
from gcas_driver.observations.table import WITHHELD, Observations, point_observations

REPLICATE = "averaged with its replicate"
MISSING = "missing value"
NO_PLACE = "missing or impossible place"
IMPLAUSIBLE = "value not between 250 and 700 ppm"
OTHER_HOUR = "outside the local hours"
OTHER_SITE = "site not wanted"
REJECTED = "rejected by the provider's flag"
NOT_BACKGROUND = "not background by the provider's flag"
PLAUSIBLE_PPM = (250.0, 700.0)


@dataclass(frozen=True)
class PointSamples:
    """Samples as read, NaN where missing, all arrays (n,).

    Attributes
    ----------
    time : seconds since 1970
    lon, lat, altitude : degrees, degrees, metres above sea level
    value, uncertainty : ppm; uncertainty is 0 where the file tells none
    site, identifier : str
    reason : str
        Why the provider's flag speaks against the sample; "" if it does not.
    background_flag : bool
        The flag says only "not background": a matter of choice, unlike a rejection.
    """

    time: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    altitude: np.ndarray
    value: np.ndarray
    uncertainty: np.ndarray
    site: np.ndarray
    identifier: np.ndarray
    reason: np.ndarray
    background_flag: np.ndarray

    def take(self, rows: np.ndarray) -> PointSamples:
        """The given rows."""
        return PointSamples(*(getattr(self, f.name)[rows] for f in fields(self)))

    def __len__(self) -> int:
        return len(self.time)


def point_table(samples: PointSamples, stream: SurfaceStream, scale: str) -> Observations:
    """The rows of the table that a stream makes of its samples.

    Parameters
    ----------
    samples : PointSamples
        Of the wanted period.
    stream : SurfaceStream
    scale : str
        Calibration scale that the file tells.

    Returns
    -------
    Observations
        Flagged samples stay, unused; missing ones, other sites and hours, and merged replicates are counted.
    """
    counts: dict[str, int] = {}
    wanted = {site.upper() for site in stream.sites}
    s = _keep(samples, np.array([not wanted or site.upper() in wanted for site in samples.site], dtype=bool), OTHER_SITE, counts)
    s = _keep(s, np.isfinite(s.value), MISSING, counts)
    s = _keep(s, np.isfinite(s.lon) & np.isfinite(s.altitude) & (np.abs(s.lat) <= 90.0), NO_PLACE, counts)
    s = _keep(s, (s.value > PLAUSIBLE_PPM[0]) & (s.value < PLAUSIBLE_PPM[1]), IMPLAUSIBLE, counts)
    if stream.local_hours is not None:
        s = _keep(s, _in_hours(s, stream.local_hours), OTHER_HOUR, counts)
    reason = np.where(s.background_flag & (not stream.background_only), "", s.reason).astype(object)
    s, reason = _average_replicates(s, reason, counts)
    by_site = {site.upper(): error for site, error in stream.site_error_ppm.items()}
    mismatch = np.array([by_site.get(site.upper(), stream.error_ppm) for site in s.site], dtype=np.float64)
    table = point_observations(
        time=s.time, lon=s.lon, lat=s.lat, altitude=s.altitude, value=stream.value_factor * s.value + stream.value_offset_ppm,
        error=stream.error_factor * np.hypot(mismatch, s.uncertainty), product=stream.product, site=s.site,
        identifier=s.identifier, scale=stream.scale or (scale if unchanged(stream) else "unknown"),
        dropped={(stream.product, why): n for why, n in counts.items()})
    for why in np.unique(reason[reason != ""].astype(str)):
        table = table.reject(reason == why, str(why))
    withheld = {site.upper() for site in stream.sites_withheld}
    return table.reject(np.array([not stream.assimilate or site.upper() in withheld for site in s.site], dtype=bool), WITHHELD)


def _keep(samples: PointSamples, good: np.ndarray, reason: str, counts: dict[str, int]) -> PointSamples:
    n = int(np.count_nonzero(~good))
    if n:
        counts[reason] = counts.get(reason, 0) + n
    return samples.take(good) if n else samples


def _in_hours(samples: PointSamples, hours: tuple[float, float]) -> np.ndarray:
    """Samples whose local solar hour lies in [first, last), which may wrap midnight."""
    first, last = hours
    if not (0.0 <= first <= 24.0 and 0.0 <= last <= 24.0):
        raise InputError("bad local hours", "stream", str(hours), "two hours of 0 to 24")
    hour = (samples.time / 3600.0 + samples.lon / 15.0) % 24.0
    return (hour >= first) & (hour < last) if first <= last else (hour >= first) | (hour < last)


def _average_replicates(samples: PointSamples, reason: np.ndarray, counts: dict[str, int]) -> tuple[PointSamples, np.ndarray]:
    """Means of accepted samples of one time, place and height; the first one's identifier stays. Rejected ones stay single.

    The measurement error of a mean of m is the root mean square of theirs over sqrt(m).
    """
    if not len(samples):
        return samples, reason
    _, site_number = np.unique(samples.site.astype(str), return_inverse=True)
    single = np.where(reason == "", 0, 1 + np.arange(len(samples)))
    keys = np.column_stack([samples.time, site_number, samples.altitude, samples.lat, samples.lon, single])
    _, first, group, sizes = np.unique(keys, axis=0, return_index=True, return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    n = len(first)
    if n < len(samples):
        counts[REPLICATE] = counts.get(REPLICATE, 0) + len(samples) - n
    value = np.bincount(group, samples.value, n) / sizes
    uncertainty = np.sqrt(np.bincount(group, samples.uncertainty**2, n)) / sizes
    merged = samples.take(first)
    arrays = {f.name: getattr(merged, f.name) for f in fields(PointSamples)} | {"value": value, "uncertainty": uncertainty}
    return PointSamples(**arrays), reason[first]
