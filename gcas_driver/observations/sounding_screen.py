"""Which soundings can be used: each that cannot is counted once, under the first reason met."""

from __future__ import annotations

from collections import Counter

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations.column_source import LAND, OCEAN, ColumnSource
from gcas_driver.observations.streams import SatelliteStream
from mozart_coupling.grids import wrap_longitude

PLAUSIBLE_PPM = (250.0, 700.0)
LARGEST_ERROR_PPM = 50.0
WEIGHT_SUM_TOLERANCE = 0.02
PRIOR_TOLERANCE_PPM = 2.0
"""Largest distance of the prior XCO2 from the weighted prior profile; the two are one quantity, rounded, and little more in averages."""
SURFACE_PRESSURE = (2.0e4, 1.2e5)
KERNEL_LIMIT = 10.0
PROFILE_PPM = (100.0, 1500.0)
BEYOND = "beyond the poles"
"""Count, not a reason of its own, of places that are there but none on Earth."""
DATE = "time contradicts the date in the identifier"
SURFACES = {"land": LAND, "ocean": OCEAN}


class _Rows:
    """The rows of one block that are still in the running: quantities are read when first needed, and cut as rows fall away."""

    def __init__(self, first: int, last: int, index: np.ndarray, counts: Counter) -> None:
        self.first, self.last, self.index, self.counts = first, last, index, counts
        self.kept: dict[str, np.ndarray] = {}

    def read(self, name: str, rows) -> np.ndarray:
        values = np.empty(0) if self.first == self.last else rows(self.first, self.last)[self.index]
        self.kept[name] = values
        return values

    def keep(self, good: np.ndarray, reason: str) -> None:
        if good.all():
            return
        self.counts[reason] += int(np.count_nonzero(~good))
        self.index = self.index[good]
        self.kept = {name: values[good] for name, values in self.kept.items()}


def screened(source: ColumnSource, stream: SatelliteStream, first: int, last: int, index: np.ndarray,
             counts: Counter) -> dict[str, np.ndarray]:
    """Rows [first, last)[index] of the source without missing, impossible, flagged and unwanted ones.

    Returns
    -------
    dict
        "row", "time", "lon", "lat", "xco2" and "error" (the stream's bias correction, factor, floor and further errors applied),
        "prior_xco2", "group" (warn-level group) and "withheld" (bool), each (m,).
    """
    rows = _Rows(first, last, index, counts)
    _flagged(rows, source, stream)
    _unwanted(rows, source, stream)
    rows.read("time", source.time)
    _placed(rows, source)
    _valued(rows, source, stream)
    group = np.zeros(len(rows.index), dtype=np.int64)
    if stream.warn_level_bounds and source.warn_level is not None and stream.cell_degrees > 0.0:
        rows.read("warn_level", source.warn_level)
        rows.keep(np.isfinite(rows.kept["warn_level"]), "no warn level")
        group = np.searchsorted(np.asarray(stream.warn_level_bounds, dtype=np.float64), rows.kept["warn_level"], side="left")
    kept = rows.kept
    return {"row": first + rows.index, "time": kept["time"], "lon": wrap_longitude(kept["lon"]), "lat": kept["lat"],
            "xco2": kept["xco2"], "error": kept["error"], "prior_xco2": kept["prior_xco2"], "group": group,
            "withheld": kept["withheld"].astype(bool)}


def _flagged(rows: _Rows, source: ColumnSource, stream: SatelliteStream) -> None:
    """By the product's quality flag, or the map's rule on it, and by the retrieval's outcome."""
    rows.kept["withheld"] = np.zeros(len(rows.index), dtype=bool)
    selects = source.keep is not None or stream.quality_flag >= 0
    if source.quality is not None and (selects or stream.withheld_flag >= 0):
        quality = rows.read("quality", source.quality)
        rows.keep(np.isfinite(quality) | (not selects), "no quality flag")
        quality = rows.kept["quality"]
        if stream.withheld_flag >= 0:
            rows.kept["withheld"] = quality == stream.withheld_flag
        if selects:
            good = source.keep(quality) if source.keep is not None else quality == stream.quality_flag
            rows.keep(good | rows.kept["withheld"], "quality rule not met" if source.keep else f"quality flag is not {stream.quality_flag}")
    if stream.outcome_flags:
        outcome = rows.read("outcome", _needed(source.outcome, "outcome_flags", "outcome flag", stream, source))
        rows.keep(np.isin(outcome, stream.outcome_flags), "outcome flag not wanted")


def _unwanted(rows: _Rows, source: ColumnSource, stream: SatelliteStream) -> None:
    """By mode and surface, and ocean glint under a low sun."""
    if stream.modes:
        mode = rows.read("mode", _needed(source.mode, "modes", "mode", stream, source))
        wanted = {name.lower() for name in stream.modes}
        unknown = wanted - {name.lower() for name in source.mode_names}
        if unknown:
            raise InputError("modes that this product has not", f"{source.path} (product {stream.product})", ", ".join(sorted(unknown)),
                             ", ".join(source.mode_names), "correct the stream's modes")
        rows.keep(np.isin(mode, [i for i, name in enumerate(source.mode_names) if name.lower() in wanted]), "mode not wanted")
    if stream.surface:
        surface = rows.read("surface", _needed(source.surface, "surface", "surface type", stream, source))
        rows.keep(surface == SURFACES[stream.surface], "surface not wanted")
    if stream.glint_zenith_sum > 0.0:
        parts = [rows.read(name, _needed(getattr(source, name), "glint_zenith_sum", name.replace("_", " "), stream, source))
                 for name in ("surface", "solar_zenith", "sensor_zenith")]
        glint = parts[0] == OCEAN
        nadir = [i for i, name in enumerate(source.mode_names) if name.lower() in ("nadir", "on")]
        if source.mode is not None and nadir:
            glint &= ~np.isin(rows.read("mode", source.mode), nadir)
        with np.errstate(invalid="ignore"):
            low = glint & ~(parts[1] + parts[2] <= stream.glint_zenith_sum)
        rows.keep(~low, f"ocean glint with solar and sensor zenith angles above {stream.glint_zenith_sum:g} degrees in sum")


def _placed(rows: _Rows, source: ColumnSource) -> None:
    lon, lat = rows.read("lon", source.lon), rows.read("lat", source.lat)
    there = np.isfinite(lon) & np.isfinite(lat)
    with np.errstate(invalid="ignore"):
        possible = there & (np.abs(lat) <= 90.0) & (lon >= -180.01) & (lon <= 360.01)
    rows.counts[BEYOND] += int(np.count_nonzero(there & ~possible))
    rows.keep(possible, "missing or impossible place")
    if source.date is not None:
        date = rows.read("date", source.date)
        with np.errstate(invalid="ignore"):
            rows.keep(~((rows.kept["time"] - date < -86400.0) | (rows.kept["time"] - date >= 2 * 86400.0)), DATE)


def _valued(rows: _Rows, source: ColumnSource, stream: SatelliteStream) -> None:
    """Value with its bias correction, and error."""
    rows.keep(np.isfinite(rows.read("xco2", source.xco2)), "missing value")
    for term, slope, mean in zip(source.bias_terms, stream.bias_slopes, stream.bias_means, strict=True):
        # Not kept by name: two terms may be of one variable.
        rows.kept["xco2"] = rows.kept["xco2"] - slope * (rows.read("term", term) - mean)
        rows.keep(np.isfinite(rows.kept["xco2"]), "missing term of the bias correction")
    xco2 = rows.kept["xco2"]
    rows.keep((xco2 > PLAUSIBLE_PPM[0]) & (xco2 < PLAUSIBLE_PPM[1]), "value not between 250 and 700 ppm")
    error = rows.read("error", source.uncertainty)
    rows.keep(np.isfinite(error) & (error > 0.0), "missing or non-positive uncertainty")
    rows.keep(rows.kept["error"] < LARGEST_ERROR_PPM, f"uncertainty of {LARGEST_ERROR_PPM:g} ppm or more")
    if stream.minimum_uncertainty_ppm > 0.0:
        rows.keep(rows.kept["error"] >= stream.minimum_uncertainty_ppm, f"uncertainty below {stream.minimum_uncertainty_ppm:g} ppm")
    variance = (stream.error_factor * rows.kept["error"]) ** 2
    for term in source.error_terms:
        further = rows.read("term", term)
        variance = variance + further**2
    rows.kept["error"] = np.maximum(np.sqrt(variance), stream.sounding_floor_ppm)
    rows.keep(np.isfinite(rows.kept["error"]), "missing term of the error")
    if source.prior_xco2 is None:
        rows.kept["prior_xco2"] = np.zeros(len(rows.index))
    else:
        rows.keep(np.isfinite(rows.read("prior_xco2", source.prior_xco2)), "missing operator data")


def good_profiles(pressure: np.ndarray, weight: np.ndarray, kernel: np.ndarray, prior: np.ndarray, prior_xco2: np.ndarray,
                  counts: Counter) -> np.ndarray:
    """Which soundings have profiles that equation (6) can use.

    Parameters
    ----------
    pressure, weight, kernel, prior : ndarray (m, n_levels)
        Pa, 1, 1, ppm, top first.
    prior_xco2 : ndarray (m,)
        ppm.

    Returns
    -------
    ndarray of bool (m,)
    """
    good = np.ones(len(pressure), dtype=bool)

    def require(holds: np.ndarray, reason: str) -> None:
        bad = good & ~holds
        if bad.any():
            counts[reason] += int(np.count_nonzero(bad))
            good[bad] = False

    with np.errstate(invalid="ignore", over="ignore"):
        total = weight.sum(axis=1)
        require(np.isfinite(pressure.sum(axis=1) + total + kernel.sum(axis=1) + prior.sum(axis=1)), "missing operator data")
        require((pressure[:, 1:] > pressure[:, :-1]).all(axis=1) & (pressure[:, 0] >= 0.0), "retrieval pressures not in order")
        require((pressure[:, -1] > SURFACE_PRESSURE[0]) & (pressure[:, -1] < SURFACE_PRESSURE[1]), "surface pressure is no atmosphere's")
        require(np.abs(total - 1.0) <= WEIGHT_SUM_TOLERANCE, "pressure weights do not sum to one")
        require((np.abs(kernel) <= KERNEL_LIMIT).all(axis=1), "averaging kernel above 10")
        require((prior.min(axis=1) > PROFILE_PPM[0]) & (prior.max(axis=1) < PROFILE_PPM[1]), "prior profile not between 100 and 1500 ppm")
        require(np.abs((weight * prior).sum(axis=1) - prior_xco2) <= PRIOR_TOLERANCE_PPM, "prior XCO2 is not that of the prior profile")
    return good


def _needed(rows, setting: str, what: str, stream: SatelliteStream, source: ColumnSource):
    if rows is None:
        raise InputError(f"'{setting}' is set, but the file has no {what}", f"{source.path} (product {stream.product})", "no such variable",
                         f"a variable with the {what} of each sounding", f"remove '{setting}' of the stream")
    return rows
