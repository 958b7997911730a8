"""What all readers of samples at places share: selection, replicates and averages, model-data mismatch, rows of the table."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations.averages import average
from gcas_driver.observations.mismatch import total_error
from gcas_driver.observations.scales import unchanged
from gcas_driver.observations.streams import SurfaceStream
from gcas_driver.observations.table import WITHHELD, Observations, point_observations
from gcas_driver.observations.wildcards import matches_any
from mozart_coupling.grids import wrap_longitude

MISSING = "missing value"
NO_PLACE = "missing or impossible place, or not that of its site"
IMPLAUSIBLE = "value not between 250 and 700 ppm"
NO_FLAG = "no assimilation flag"
NO_ERROR = "no error of its own in the file"
DOUBTFUL = "measurement uncertainty beyond 50 ppm"
TWICE = "record given twice"
OTHER_HOUR = "outside the local hours"
OTHER_ALTITUDE = "outside the altitudes"
OTHER_SITE = "site not wanted"
OTHER_DATASET = "project or selection not wanted"
REJECTED = "rejected by the provider's flag"
NOT_BACKGROUND = "not background by the provider's flag"
CONCERN = "concern of the pack about assimilation"
NOT_TO_BE_ASSIMILATED = "not to be assimilated by the pack's flag"
PLAUSIBLE_PPM = (250.0, 700.0)
LARGEST_UNCERTAINTY_PPM = 50.0
PLAUSIBLE_METRES = (-450.0, 45000.0)
"""The shore of the Dead Sea, and a balloon's ceiling."""

MOVING = ("aircraft", "shipboard", "ship", "balloon", "aircore")
"""First words of projects whose samples lie along a track."""


@dataclass(frozen=True)
class PointSamples:
    """Samples as read, NaN where missing, all arrays (n,).

    Attributes
    ----------
    time : seconds since 1970, the middle of what was averaged
    lon, lat, altitude : degrees, degrees, metres above sea level
    value, uncertainty : ppm; uncertainty is 0 where the file tells none
    site, identifier : str
    reason : str
        Why the provider's flag speaks against the sample; "" if it does not.
    background_flag : bool
        The flag says only "not background": a matter of choice, unlike a rejection.
    dataset, project, selection : str
        Name of the data set, its project ("surface-flask") and selection tag ("representative"); "" where the file tells none.
    mismatch : ppm
        Model-data mismatch that the file itself gives; NaN where it gives none.
    withheld : bool
        The file's own flag says: to be evaluated, not assimilated.
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
    dataset: np.ndarray = field(default=None)
    project: np.ndarray = field(default=None)
    selection: np.ndarray = field(default=None)
    mismatch: np.ndarray = field(default=None)
    withheld: np.ndarray = field(default=None)

    def __post_init__(self) -> None:
        n = len(self.time)
        blank = np.full(n, "", dtype=object)
        for name, default in (("dataset", blank), ("project", blank), ("selection", blank), ("mismatch", np.full(n, np.nan)),
                              ("withheld", np.zeros(n, dtype=bool))):
            if getattr(self, name) is None:
                object.__setattr__(self, name, default)

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
        Flagged samples stay, unused; missing ones, other sites, data sets, hours and heights, and merged samples are counted.
    """
    counts: dict[str, int] = {}
    s = _select(samples, stream, counts)
    s = _keep(s, np.isfinite(s.value), MISSING, counts)
    s = _keep(s, _has_place(s), NO_PLACE, counts)
    s = _keep(s, (s.value > PLAUSIBLE_PPM[0]) & (s.value < PLAUSIBLE_PPM[1]), IMPLAUSIBLE, counts)
    s = _keep(s, s.reason != NO_FLAG, NO_FLAG, counts)
    s = _keep(s, ~(s.uncertainty > LARGEST_UNCERTAINTY_PPM), DOUBTFUL, counts)
    s = _keep(s, _first_of_its_kind(s), TWICE, counts)
    s = _keep(s, np.isfinite(total_error(s, stream)), NO_ERROR, counts) if stream.error_variable else s
    if stream.local_hours is not None:
        s = _keep(s, _in_hours(s, stream.local_hours), OTHER_HOUR, counts)
    if stream.altitudes_m is not None:
        low, high = stream.altitudes_m
        s = _keep(s, (s.altitude >= low) & (s.altitude < high), OTHER_ALTITUDE, counts)
    reason = np.where(s.background_flag & (not stream.background_only), "", s.reason).astype(object)
    s, reason = average(s, reason, stream, counts)
    table = point_observations(
        time=s.time, lon=s.lon, lat=s.lat, altitude=s.altitude, value=stream.value_factor * s.value + stream.value_offset_ppm,
        error=total_error(s, stream), product=stream.product, site=_site_names(s),
        identifier=s.identifier, scale=stream.scale or (scale if unchanged(stream) else "unknown"),
        dropped={(stream.product, why): n for why, n in counts.items()})
    for why in np.unique(reason[reason != ""].astype(str)):
        table = table.reject(reason == why, str(why))
    apart = matches_any(stream.sites_withheld, s.site, table.site) if stream.sites_withheld else np.zeros(len(s), dtype=bool)
    return table.reject(s.withheld | apart | (not stream.assimilate), WITHHELD)


def is_moving(project: np.ndarray) -> np.ndarray:
    """Whether each project (n,) is one of ships or aircraft, (n,) bool."""
    kinds, index = np.unique(project.astype(str), return_inverse=True)
    return np.array([kind.split("-")[0].lower() in MOVING for kind in kinds], dtype=bool)[index]


def _site_names(samples: PointSamples) -> np.ndarray:
    """Codes in the table: those of ships and aircraft carry their kind, since a station may have the same code."""
    moving = is_moving(samples.project)
    kind = np.array([text.split("-")[0] for text in samples.project.astype(str)], dtype=object)
    return np.where(moving, samples.site + "_" + kind, samples.site).astype(object)


def _select(samples: PointSamples, stream: SurfaceStream, counts: dict[str, int]) -> PointSamples:
    """Sites, projects and selections that the stream wants."""
    s = samples
    if stream.sites:
        s = _keep(s, matches_any(stream.sites, s.site, _site_names(s)), OTHER_SITE, counts)
    wanted = np.ones(len(s), dtype=bool)
    if stream.projects:
        wanted &= matches_any(stream.projects, s.project)
    if stream.selections:
        without_height = np.array([text.rsplit("-", 1)[0] if text.endswith("magl") else text for text in s.selection.astype(str)],
                                  dtype=object)
        wanted &= matches_any(stream.selections, s.selection, without_height)
    return _keep(s, wanted, OTHER_DATASET, counts)


def _has_place(s: PointSamples) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return (np.isfinite(s.time) & (np.abs(s.lon) <= 360.0) & (np.abs(s.lat) <= 90.0) & (s.altitude > PLAUSIBLE_METRES[0])
                & (s.altitude < PLAUSIBLE_METRES[1]))


def _first_of_its_kind(s: PointSamples) -> np.ndarray:
    """False for records that are the same as an earlier one in everything."""
    if not len(s):
        return np.ones(0, dtype=bool)
    names = [np.unique(column.astype(str), return_inverse=True)[1] for column in (s.identifier, s.site, s.dataset, s.reason)]
    keys = np.column_stack([*names, s.time, s.lon, s.lat, s.altitude, s.value, s.uncertainty])
    first = np.zeros(len(s), dtype=bool)
    first[np.unique(keys, axis=0, return_index=True)[1]] = True
    return first


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
    hour = (samples.time / 3600.0 + wrap_longitude(samples.lon) / 15.0) % 24.0
    return (hour >= first) & (hour < last) if first <= last else (hour >= first) | (hour < last)
