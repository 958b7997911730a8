"""From the records of a file to samples, for all formats that name their variables as ObsPack and NOAA GML do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations import netcdf_fields as nc
from gcas_driver.observations.files import while_unchanged
from gcas_driver.observations.mismatch import LARGEST_PPM, SMALLEST_PPM
from gcas_driver.observations.points import (
    CONCERN,
    LARGEST_UNCERTAINTY_PPM,
    MOVING,
    NO_FLAG,
    NOT_BACKGROUND,
    NOT_TO_BE_ASSIMILATED,
    PLAUSIBLE_METRES,
    REJECTED,
    PointSamples,
)
from gcas_driver.observations.records import NetcdfRecords, Records, open_records
from gcas_driver.observations.sample_times import middle_times
from gcas_driver.observations.streams import SurfaceStream
from gcas_driver.observations.wildcards import matches_any

BLOCK_RECORDS = 2048
SITE_TOLERANCE_DEGREES = 5.0
"""Fixed sites have moved by less over the decades; latitude and longitude that changed places are found by it."""

HEIGHT_TOLERANCE_METRES = 100.0
"""Between the altitude and the sum of elevation and intake height, which providers round."""

LENGTH_UNITS = {"m": 1.0, "masl": 1.0, "magl": 1.0, "meter": 1.0, "meters": 1.0, "metre": 1.0, "metres": 1.0, "": 1.0, "km": 1000.0}


DATASET_NAME = re.compile(r"[A-Za-z0-9]+_[^_]+_[a-z]+(-[a-z]+)?_\d+_.+")
"""Gas, site, project, number of the laboratory, selection."""


@dataclass(frozen=True)
class Names:
    """Names of each record's data set and of what it belongs to, ndarrays of str (n,)."""

    dataset: np.ndarray
    site: np.ndarray
    project: np.ndarray
    selection: np.ndarray


Judgement = tuple[np.ndarray, np.ndarray, Callable[[int], str]]
"""Values of some rows (…, n), which of them are bad (n,), and what a row has, in words."""


def time_span(path: Path, stream: SurfaceStream) -> tuple[float, float]:
    """Earliest and latest sample of a file, seconds since 1970; (inf, -inf) for none.

    A file is looked at once a run: what is kept is known by its path, size and date.
    """
    spans = _spans(path, stream)
    return (float(spans[:, 0].min()), float(spans[:, 1].max())) if len(spans) else (np.inf, -np.inf)


def _spans(path: Path, stream: SurfaceStream) -> np.ndarray:
    return _block_spans(path, stream.time_stamp, stream.interval_minutes)


@while_unchanged(16384)
def _block_spans(path: Path, time_stamp: str, interval_minutes: float) -> np.ndarray:
    """Earliest and latest sample of every block of records (n_blocks, 2); (inf, -inf) for a block without times."""
    with open_records(path) as records:
        refuse_means(records)
        refuse_other_gases(records)
        times = middle_times(records, time_stamp=time_stamp, interval_minutes=interval_minutes)
    blocks = [times[first:first + BLOCK_RECORDS] for first in range(0, len(times), BLOCK_RECORDS)]
    return np.array([[np.min(b, initial=np.inf, where=np.isfinite(b)), np.max(b, initial=-np.inf, where=np.isfinite(b))] for b in blocks]
                    ).reshape(-1, 2)


def _rows_to_look_at(records: Records, stream: SurfaceStream, start: float, end: float) -> slice:
    """Of a NetCDF file the blocks that may hold samples of [start, end); text comes in blocks already."""
    if not isinstance(records, NetcdfRecords):
        return slice(0, records.size)
    spans = _spans(Path(records.where), stream)
    wanted = np.flatnonzero((spans[:, 0] < end) & (spans[:, 1] >= start))
    if not len(wanted):
        return slice(0, 0)
    return slice(int(wanted[0]) * BLOCK_RECORDS, min(int(wanted[-1] + 1) * BLOCK_RECORDS, records.size))


def read_samples(records: Records, stream: SurfaceStream, start: float, end: float, reasons: Callable[..., tuple]) -> PointSamples:
    """The records of [start, end).

    Parameters
    ----------
    records : Records
    stream : SurfaceStream
    start, end : float
        Seconds since 1970.
    reasons : callable
        Takes records, rows and stream; returns why each record is rejected or "not background" (n,) of str, by the format's rules.

    Raises
    ------
    InputError
        For a file of another gas, of means of months or days, or that lacks what a sample needs.
    """
    refuse_means(records)
    refuse_other_gases(records)
    near = _rows_to_look_at(records, stream, start, end)
    times = np.full(near.stop, np.nan)
    times[near] = middle_times(records, near, stream.time_stamp, stream.interval_minutes)
    inside = np.flatnonzero((times >= start) & (times < end))
    first, last = (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)
    rows, chosen = slice(first, last), inside - first
    names = _names(records, rows, chosen)
    reason, withheld = reasons(records, rows, stream), np.zeros(last - first, dtype=bool)
    reason, withheld = _assimilation_flags(records, rows, stream, reason, withheld)
    reason = _concerns(records, rows, stream, reason)[chosen]
    value = _scaled(records, "value", rows, records.about("value", "units"), nc.co2_factor)[chosen]
    lon, lat = (place[chosen] for place in _place(records, names, rows))
    return PointSamples(times[inside], lon, lat, _altitude(records, rows)[chosen], value, _uncertainty(records, rows)[chosen],
                        names.site, _identifiers(records, rows, names.dataset, chosen), reason, reason == NOT_BACKGROUND, names.dataset,
                        names.project, names.selection, _own_mismatch(records, rows, stream)[chosen], withheld[chosen])


def refuse_means(records: Records) -> None:
    """Raise an InputError for tables of means over months or days: they are no samples that a model can be asked for."""
    tag = records.attributes.get("dataset_selection_tag", "").lower()
    unit = records.attributes.get("dataset_data_frequency_unit", "").lower().rstrip("s")
    if tag in ("monthlydata", "dailydata") or unit in ("month", "year") or not (records.has("time") or records.has("day")):
        raise InputError("a table of means over days or months", records.where,
                         ", ".join(filter(None, (tag, unit and f"one value a {unit}", records.inventory())))[:160],
                         "flask events, or averages of an hour",
                         "means of months or days are no samples; take the event or hourly file of this site")


def noaa_reasons(flags: np.ndarray) -> np.ndarray:
    """NOAA's three-character flags (n,): the first character rejects, the second says "not background"; others say nothing here."""
    kinds, index = np.unique(flags.astype(str), return_inverse=True)
    return np.array([_noaa_reason(flag) for flag in kinds], dtype=object)[index] if len(kinds) else np.empty(0, dtype=object)


def _noaa_reason(flag: str) -> str:
    if len(flag) != 3:
        return ""
    return REJECTED if flag[0] != "." else NOT_BACKGROUND if flag[1] != "." else ""


def accepted_flags(flags: np.ndarray, accepted: tuple[str, ...]) -> np.ndarray:
    """Reasons (n,) by a list of flags that the stream accepts."""
    return np.where(matches_any(accepted, flags), "", REJECTED).astype(object)


def _names(records: Records, rows: slice, chosen: np.ndarray) -> Names:
    """By the file's attributes; where it has none, since it holds several data sets, by each record's obspack_id; else by its name."""
    told = records.attributes
    dataset = told.get("dataset_name", "")
    if not dataset and records.has("obspack_id"):
        parts = [text.split("~") for text in records.texts("obspack_id", rows)[chosen].astype(str)]
        names = [part[-2] if len(part) > 1 else "" for part in parts]
    else:
        names = [dataset or Path(records.where).stem] * len(chosen)
    split = {name: (name.split("_", 4) if DATASET_NAME.match(name) else [""] * 5) for name in set(names)}

    def part(place: int, key: str) -> np.ndarray:
        return np.array([told.get(key) or split[name][place] for name in names], dtype=object)

    gases = sorted({split[name][0].lower() for name in names} - {"co2", ""})
    if gases:
        _refuse_gas(records, ", ".join(gases))
    code = records.texts("site_code", rows)[chosen] if records.has("site_code") else part(1, "site_code")
    if not any(map(str, code)) and not DATASET_NAME.match(names[0] if names else "co2_x_x_1_x"):
        raise InputError("no name of a site or data set", records.where, records.inventory(), "site_code, dataset_name or obspack_id")
    site = np.array([str(text).upper() or name.upper() for text, name in zip(code, names, strict=True)], dtype=object)
    strange = sorted({text for text in site if "." in text and text not in {name.upper() for name in names}})
    if strange:
        raise InputError("not a site's code", f"{records.where}, site_code", strange[0], "letters and digits", "the file is damaged")
    return Names(np.array(names, dtype=object), site, part(2, "dataset_project"), part(4, "dataset_selection_tag"))


def refuse_other_gases(records: Records) -> None:
    """Raise an InputError for a file that says it is of another gas than CO2."""
    stated = records.attributes.get("dataset_parameter", "").lower()
    if stated not in ("", "co2"):
        _refuse_gas(records, stated)


def _refuse_gas(records: Records, gas: str) -> NoReturn:
    raise InputError("not a file of CO2", records.where, gas, "co2", "leave it out of the stream's files")


def _place(records: Records, names: Names, rows: slice) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude, NaN where they are not near the place that the file gives for a fixed site."""
    told = records.attributes
    lon, lat = records.numbers("longitude", rows), records.numbers("latitude", rows)
    moving = told.get("dataset_platform", "fixed").lower() != "fixed" or any(
        str(project).split("-")[0].lower() in MOVING for project in set(names.project))
    try:
        site_lon, site_lat = (float(told[name]) for name in ("site_longitude", "site_latitude"))
    except (KeyError, ValueError):
        return lon, lat
    if moving or abs(site_lat) > 90.0 or abs(site_lon) > 360.0:
        return lon, lat

    def far(part: slice) -> Judgement:
        x, y = (lon, lat) if part == rows else (records.numbers("longitude", part), records.numbers("latitude", part))
        with np.errstate(invalid="ignore"):
            east = np.abs((x - site_lon + 180.0) % 360.0 - 180.0) * np.cos(np.deg2rad(site_lat))
            bad = (east > SITE_TOLERANCE_DEGREES) | (np.abs(y - site_lat) > SITE_TOLERANCE_DEGREES)
        return np.array([x, y]), bad, lambda row: f"{y[row]:g} N {x[row]:g} E, the site at {site_lat:g} N {site_lon:g} E"

    places, elsewhere = _judged(far, rows, records, "latitude and longitude", "places are not near the site")
    lon, lat = np.where(elsewhere, np.nan, places)
    return lon, lat


def _judged(judge: Callable[[slice], Judgement], rows: slice, records: Records, name: str, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Values of the given rows and which of them are bad; an InputError if more than half of a file's records are: then the file is.

    A window's records are looked at first; only where most of them are bad all are, since a window may hold but one, and a run must
    not end for it.
    """
    values, bad, _ = judge(rows)
    if bad.sum() > 0.5 * len(bad):
        _, of_all, found = judge(slice(0, records.size))
        if of_all.sum() > 0.5 * len(of_all):
            raise InputError(what, f"{records.where}, {name}",
                             f"{found(int(np.flatnonzero(of_all)[0]))}; {of_all.sum()} of {len(of_all)} records",
                             "most records to make sense", "check the file's units and names of variables")
    return values, bad


def _scaled(records: Records, name: str, rows: slice, units: str, rule: Callable[[np.ndarray, str, str], float]) -> np.ndarray:
    """A variable of the given rows times what `rule` makes of its units and size; where these rows say nonsense all are asked."""
    values, where = records.numbers(name, rows), f"{records.where}, {name}"
    try:
        return values * rule(values if units else records.numbers(name), units, where)
    except InputError:
        return values * rule(records.numbers(name), units, where)


def _altitude(records: Records, rows: slice) -> np.ndarray:
    """Height of the sample above sea level [m]; where it is missing, of the ground plus that of the intake.

    NaN where the two are both there and differ, which in most of a file's records is an error: of units, of a variable's name.
    """
    parts = {name: _metres(records, name, rows) for name in ("altitude", "elevation", "intake_height") if records.has(name)}
    if "altitude" not in parts and len(parts) < 2:
        raise InputError("no altitude", records.where, records.inventory(), "altitude, or elevation and intake_height")
    if "elevation" not in parts or "intake_height" not in parts:
        return parts["altitude"]
    total = parts["elevation"] + parts["intake_height"]
    if "altitude" not in parts:
        return total

    def apart_in(part: slice) -> Judgement:
        top, ground, intake = parts.values() if part == rows else (_metres(records, name, part) for name in parts)
        return (top, np.abs(top - (ground + intake)) > HEIGHT_TOLERANCE_METRES,
                lambda row: f"{top[row]:g} m, elevation {ground[row]:g} m, intake {intake[row]:g} m")

    altitude, apart = _judged(apart_in, rows, records, "altitude", "altitude is not ground and intake together")
    return np.where(np.isfinite(altitude) & ~apart, altitude, np.where(apart, np.nan, total))


def _metres(records: Records, name: str, rows: slice) -> np.ndarray:
    units = records.about(name, "units").lower()
    if units not in LENGTH_UNITS:
        raise InputError("unknown units", f"{records.where}, {name}", units, " or ".join(filter(None, LENGTH_UNITS)))

    def beyond(part: slice) -> Judgement:
        values = records.numbers(name, part) * LENGTH_UNITS[units]
        return values, np.abs(values) > PLAUSIBLE_METRES[1], lambda row: f"{values[row]:g} m"

    return _judged(beyond, rows, records, name, "no height in the atmosphere")[0]


def _uncertainty(records: Records, rows: slice) -> np.ndarray:
    """Measurement uncertainty [ppm], 0 where the file tells none."""
    if not records.has("value_unc"):
        return np.zeros(rows.stop - rows.start)
    units = records.about("value_unc", "units") or records.about("value", "units")

    def large(part: slice) -> Judgement:
        values = _scaled(records, "value_unc", part, units, nc.uncertainty_factor)
        return values, values > LARGEST_UNCERTAINTY_PPM, lambda row: f"{values[row]:g} ppm"

    found, _ = _judged(large, rows, records, "value_unc", "no uncertainty of CO2")
    return np.where(found > 0.0, found, 0.0)


def _own_mismatch(records: Records, rows: slice, stream: SurfaceStream) -> np.ndarray:
    """The mismatch that the file gives [ppm], NaN where it gives none."""
    name = stream.error_variable
    if not name:
        return np.full(rows.stop - rows.start, np.nan)
    if not records.has(name):
        raise InputError(f"no variable {name}", records.where, records.inventory(), name, "correct the stream's error_variable")
    units = records.about(name, "units") or records.about("value", "units")

    def strange(part: slice) -> Judgement:
        values = _scaled(records, name, part, units, nc.uncertainty_factor)
        return values, (values > LARGEST_PPM) | (values < SMALLEST_PPM), lambda row: f"{values[row]:g} ppm"

    found, bad = _judged(strange, rows, records, name, "no error of CO2")
    return np.where(bad, np.nan, found)


def _assimilation_flags(records: Records, rows: slice, stream: SurfaceStream, reason: np.ndarray,
                        withheld: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not (stream.assimilation_flags or stream.evaluation_flags):
        return reason, withheld
    if not records.has("CT_assim"):
        raise InputError("no assimilation flags", records.where, records.inventory(), "CT_assim",
                         "this is not an assimilation pack: remove the stream's assimilation_flags and evaluation_flags")
    flag = records.numbers("CT_assim", rows)
    apart = np.isin(flag, stream.evaluation_flags)
    if np.isnan(flag).any():
        reason = np.where(np.isnan(flag), NO_FLAG, reason).astype(object)
    refused = ~apart & ~np.isin(flag, stream.assimilation_flags) & (reason != NO_FLAG)
    return np.where(refused & (reason != REJECTED), NOT_TO_BE_ASSIMILATED, reason).astype(object), withheld | apart


def _concerns(records: Records, rows: slice, stream: SurfaceStream, reason: np.ndarray) -> np.ndarray:
    if not stream.concerns:
        return reason
    if not records.has("assimilation_concerns"):
        raise InputError("no assimilation concerns", records.where, records.inventory(), "assimilation_concerns",
                         "remove the stream's concerns")
    concerns = records.numbers("assimilation_concerns", rows)
    known = [text.strip().lower() for text in records.about("assimilation_concerns", "order").split(",")]
    asked = [text.strip().lower() for text in stream.concerns]
    unknown = [text for text in asked if text != "any" and text not in known]
    if unknown:
        raise InputError("unknown concern", f"{records.where}, assimilation_concerns", ", ".join(unknown), "any, " + ", ".join(known),
                         "correct the stream's concerns")
    chosen = np.arange(concerns.shape[1]) if "any" in asked else [known.index(text) for text in asked]
    if len(known) != concerns.shape[1] and "any" not in asked:
        raise InputError("concerns do not fit their names", f"{records.where}, assimilation_concerns", f"{concerns.shape[1]} columns",
                         f"{len(known)}: {', '.join(known)}")
    named = (np.nan_to_num(concerns[:, chosen]) != 0.0).any(axis=1)
    return np.where(named & (reason == "") | named & (reason == NOT_BACKGROUND), CONCERN, reason).astype(object)


def _identifiers(records: Records, rows: slice, dataset: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The last two parts of obspack_id, data set and number, unique in a pack; site and event number; else data set and record."""
    if records.has("obspack_id"):
        return np.array(["~".join(text.split("~")[-2:]) for text in records.texts("obspack_id", rows)[chosen]], dtype=object)
    if records.has("event_number"):
        site = records.attributes.get("site_code", "").upper()
        sites = records.texts("site_code", rows)[chosen] if records.has("site_code") else [site] * len(chosen)
        events = records.texts("event_number", rows)[chosen]
        return np.array([f"{str(code).upper()}:{event}" for code, event in zip(sites, events, strict=True)], dtype=object)
    return np.array([f"{name}:{rows.start + row + 1}" for name, row in zip(dataset, chosen, strict=True)], dtype=object)
