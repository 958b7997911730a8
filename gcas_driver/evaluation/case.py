"""A finished or running case as its directory shows it: settings, windows, observations, diagnostics."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gcas_driver.config import reader
from gcas_driver.config.definitions import GROUPS
from gcas_driver.config.variables import REQUIRED
from gcas_driver.errors import InputError
from gcas_driver.fluxes.components import COMPONENTS, NET, SCHEMES
from gcas_driver.journal import Journal
from gcas_driver.observations.table import COLUMN, WITHHELD
from mozart_coupling.grids import wrap_longitude

from . import files

SIMULATED = ("prior", "background", "posterior")
FILES = ("observations.nc", "analysis.nc", "fluxes.nc")
MOST_LOST = 5
_WINDOW_NAME = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class CaseSettings:
    """What the evaluation needs of a case's settings.nml, read leniently: a setting of another release is no obstacle.

    Attributes
    ----------
    values : dict
        Group → list of {name: value}, defaults filled in; what the file itself says is in `given`.
    given : list of (group, name, text)
        The settings in the order of the file, for display.
    """

    values: dict[str, list[dict[str, Any]]]
    given: list[tuple[str, str, str]]

    def get(self, group: str, name: str, default: Any = None) -> Any:
        """A setting of the first group of that name."""
        groups = self.values.get(group) or [{}]
        value = groups[0].get(name)
        return default if value is None else value

    @property
    def optimised(self) -> tuple[str, ...]:
        """The optimised components."""
        scheme = SCHEMES.get(str(self.get("state", "scheme")))
        names = scheme.optimised if scheme else COMPONENTS
        return (*COMPONENTS, NET) if NET in names else names


@dataclass(frozen=True)
class Window:
    """One window's files.

    Attributes
    ----------
    name : str
        Its first day, the folder's name.
    start, end : datetime64[s]
    counted : bool
        Whether it starts at `evaluate_from` or later.
    """

    name: str
    directory: Path
    start: np.datetime64
    end: np.datetime64
    counted: bool

    @property
    def days(self) -> float:
        """Length [days]."""
        return float((self.end - self.start) / np.timedelta64(86400, "s"))


@dataclass(frozen=True)
class Case:
    """A case's directory, opened.

    Attributes
    ----------
    directory : Path
    name : str
    settings : CaseSettings
    windows : tuple of Window
        Those written so far, in time.
    members : int or None
    wall_seconds : float or None
        Time that the windows took, by the journal, and the inputs of a synthetic experiment; evaluation and report apart.
    attributes : dict
        Global attributes of the last window's fluxes: software version, hash of the settings, seed, …
    truth : Path or None
        Folder of the truth of a synthetic experiment.
    journal : dict
        Window → what the journal notes of it: `rejected_share` of localization, observations `left_out` by reason, …
    """

    directory: Path
    name: str
    settings: CaseSettings
    windows: tuple[Window, ...]
    members: int | None
    wall_seconds: float | None
    attributes: dict[str, str]
    truth: Path | None
    journal: dict[str, dict[str, Any]]

    @property
    def counted(self) -> tuple[Window, ...]:
        """The windows after spin-up."""
        return tuple(w for w in self.windows if w.counted)


def open_case(directory: str | Path) -> Case:
    """Look at a case's directory.

    Raises
    ------
    InputError
        If it has no window at all, if a window's files are broken, or missing though the journal calls the window done, or if windows are
        of different settings.
    """
    directory = Path(directory)
    settings = read_settings(directory / "settings.nml")
    journal = Journal(directory).entries
    found = _windows_done(directory, journal)
    if not found:
        raise InputError("there is nothing to evaluate", str(directory), "no windows/<date> with " + ", ".join(FILES),
                         "at least one finished window", "Run the case first: gcas run NAMELIST.")
    evaluate_from = _date(settings.get("time", "evaluate_from"))
    windows, hashes = [], {}
    for path in found:
        with files.opened(path / "fluxes.nc") as dataset:
            bounds = files.times(dataset, "time_bounds")
            hashes.setdefault(str(getattr(dataset, "settings_hash", "")), path.name)
        start = bounds.min()
        windows.append(Window(path.name, path, start, bounds.max(), evaluate_from is None or bool(start >= evaluate_from)))
    if len(hashes) > 1:
        raise InputError("the windows are of different settings", str(directory / "windows"),
                         ", ".join(f"{name} of {settings_hash or 'none'}" for settings_hash, name in hashes.items()),
                         "one experiment", "Move the windows of the other one elsewhere.")
    with files.opened(found[-1] / "fluxes.nc") as dataset:
        attributes = {name: str(dataset.getncattr(name)) for name in dataset.ncattrs()}
        members = dataset.dimensions["member"].size if "member" in dataset.dimensions else None
    name = str(settings.get("case", "name") or directory.resolve().name)
    truth = _truth_directory(settings, directory)
    return Case(directory, name, settings, tuple(windows), members, _wall_seconds(journal, truth), attributes,
                truth, {e["window"]: e for e in journal if e.get("event") == "window" and "window" in e})


def _windows_done(directory: Path, journal: list[dict[str, Any]]) -> list[Path]:
    """Folders of the windows that the journal calls done, in time; without a journal those that are complete.

    A folder that the journal does not know is of a run that was stopped in it, or of an earlier one: it does not count.
    """
    folders = directory / "windows"
    if not journal:
        return sorted(p for p in folders.glob("*") if _WINDOW_NAME.fullmatch(p.name) and all((p / name).is_file() for name in FILES))
    done = sorted({str(entry["window"]) for entry in journal if entry.get("event") == "window" and "window" in entry})
    lost = [f"{name}/{file}" for name in done for file in FILES if not (folders / name / file).is_file()]
    if lost:
        more = f" and {len(lost) - MOST_LOST} more" if len(lost) > MOST_LOST else ""
        raise InputError("output of windows that are done is missing", str(folders), "no " + ", ".join(lost[:MOST_LOST]) + more,
                         "the files of every window in the journal",
                         f"Restore them. To evaluate what is left, and know that it is a part, take {directory / 'journal.jsonl'} away.")
    return [folders / name for name in done]


def read_settings(path: Path) -> CaseSettings:
    """Read a case's settings.nml; a missing file gives the defaults."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    groups, _ = reader.parse(text, path.name)
    values: dict[str, list[dict[str, Any]]] = {}
    given = []
    for found in groups:
        entry_values = {e.name: (list(e.values) if len(e.values) > 1 else e.values[0]) for e in found.entries if e.values}
        values.setdefault(found.name, []).append(entry_values)
        given += [(found.name, name, _display(value)) for name, value in entry_values.items()]
    for group in GROUPS:
        defaults = {v.name: v.default for v in group.variables if v.default is not REQUIRED}
        if not group.repeated and group.name not in ("truth",):
            values.setdefault(group.name, [{}])
        values[group.name] = [{**defaults, **entry} for entry in values.get(group.name, [])]
    return CaseSettings(values, given)


@dataclass(frozen=True)
class ObservationTable:
    """Observations of several windows, one row each.

    Attributes
    ----------
    window : ndarray of int (n,)
        Index of the row's window among those read.
    time : ndarray of datetime64[s] (n,)
    lon, lat, altitude : ndarray (n,)
        Degrees, longitude -180 … 180; m above sea level.
    value, error, prior, background, posterior : ndarray (n,)
        ppm; NaN where there is none.
    true : ndarray (n,)
        Noise-free value of a synthetic experiment [ppm], NaN where unknown.
    product, site, identifier, reason : ndarray of str (n,)
    column : ndarray of bool (n,)
        A column-averaged value, else a sample at a point.
    used : ndarray of bool (n,)
    """

    window: np.ndarray
    time: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    altitude: np.ndarray
    value: np.ndarray
    error: np.ndarray
    prior: np.ndarray
    background: np.ndarray
    posterior: np.ndarray
    true: np.ndarray
    product: np.ndarray
    site: np.ndarray
    identifier: np.ndarray
    reason: np.ndarray
    column: np.ndarray
    used: np.ndarray

    def __len__(self) -> int:
        return len(self.value)

    def select(self, mask: np.ndarray) -> ObservationTable:
        """The rows where `mask` (n,) is true, or of these indices."""
        return ObservationTable(**{name: array[mask] for name, array in vars(self).items()})

    @property
    def complete(self) -> np.ndarray:
        """Rows with an observed, a prior and a posterior value (n,) bool."""
        return np.isfinite(self.value) & np.isfinite(self.prior) & np.isfinite(self.posterior)

    @property
    def xco2(self) -> ObservationTable:
        """The assimilated soundings."""
        return self.select(self.column & self.used & self.complete)

    @property
    def columns(self) -> ObservationTable:
        """The withheld columns seen from stations on the ground, which have a site: independent of the analysis."""
        return self.select(self.column & self.from_ground & (self.reason == WITHHELD) & self.complete)

    @property
    def from_ground(self) -> np.ndarray:
        """Rows that have a site (n,) bool: of columns, those of stations on the ground."""
        return self.site.astype(str) != ""

    @property
    def surface(self) -> ObservationTable:
        """The withheld point samples."""
        return self.select(~self.column & (self.reason == WITHHELD) & self.complete)


def read_observations(case: Case, windows: tuple[Window, ...] | None = None) -> ObservationTable:
    """All observations of the windows (default: those that count); noise-free values where a truth file has them."""
    tables = [_window_observations(i, w) for i, w in enumerate(case.counted if windows is None else windows)]
    joined = {name: np.concatenate([t[name] for t in tables]) for name in _empty_columns()} if tables else _empty_columns()
    joined["true"] = _true_values(case, joined["product"], joined["identifier"])
    return ObservationTable(**joined)


def _window_observations(index: int, window: Window) -> dict[str, np.ndarray]:
    path = window.directory / "observations.nc"
    with files.opened(path) as dataset:
        size = dataset.dimensions["observation"].size if "observation" in dataset.dimensions else 0
        if size == 0:
            return _empty_columns()
        columns = {name: files.numbers(dataset, name) for name in ("lon", "lat", "altitude", "value", "error", "prior", "posterior")}
        columns["background"] = files.numbers(dataset, "background")
        columns["time"] = files.times(dataset, "time")
        for name in ("product", "site", "reason"):
            columns[name] = files.texts(dataset, name)
        columns["identifier"] = (files.texts(dataset, "identifier") if "identifier" in dataset.variables
                                 else np.full(size, "", dtype=object))
        columns["used"] = files.numbers(dataset, "used") > 0.5
        columns["column"] = (files.texts(dataset, "kind") == COLUMN if "kind" in dataset.variables
                             else ~np.isfinite(columns["altitude"]))
    columns["lon"] = wrap_longitude(columns["lon"])
    columns["window"] = np.full(size, index)
    columns["true"] = np.full(size, np.nan)
    return columns


def _empty_columns() -> dict[str, np.ndarray]:
    real = ("lon", "lat", "altitude", "value", "error", *SIMULATED, "true")
    empty = {name: np.empty(0) for name in real}
    empty |= {name: np.empty(0, dtype=object) for name in ("product", "site", "identifier", "reason")}
    return empty | {"time": np.empty(0, dtype="datetime64[s]"), "window": np.empty(0, dtype=int),
                    "used": np.empty(0, dtype=bool), "column": np.empty(0, dtype=bool)}


def _true_values(case: Case, product: np.ndarray, identifier: np.ndarray) -> np.ndarray:
    """Noise-free values by product and identifier; by the identifier alone where the truth knows no such product."""
    path = case.truth / "observations.nc" if case.truth else None
    if path is None or not path.is_file() or not len(identifier):
        return np.full(len(identifier), np.nan)
    with files.opened(path) as dataset:
        names = files.texts(dataset, "identifier")
        products = files.texts(dataset, "product") if "product" in dataset.variables else np.full(len(names), "", dtype=object)
        values = files.numbers(dataset, "value_true")
    known = set(products)
    exact = dict(zip(zip(products, names, strict=True), values, strict=True))
    by_name = dict(zip(names, values, strict=True))
    return np.array([exact.get((p, i), np.nan) if p in known else by_name.get(i, np.nan)
                     for p, i in zip(product, identifier, strict=True)], dtype=np.float64)


def _date(value: Any) -> np.datetime64 | None:
    return None if value in (None, "") else np.datetime64(str(value), "s")


def _display(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_display(v) for v in value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _truth_directory(settings: CaseSettings, directory: Path) -> Path | None:
    """`truth` below the setting &truth, directory; relative to the case's directory."""
    inputs = settings.get("truth", "directory")
    if not inputs:
        return None
    candidates = [directory / str(inputs) / "truth", directory / str(inputs)]
    return next((path for path in candidates if (path / "observations.nc").is_file() or any(path.glob("*/emissions.*.nc"))), None)


def _wall_seconds(journal: list[dict[str, Any]], truth: Path | None) -> float | None:
    """Time spent in windows by the journal, and in making the inputs of a synthetic experiment by their marks."""
    seconds = [float(e["seconds"]) for e in journal if e.get("event") == "window" and e.get("seconds") is not None]
    if not seconds:
        return None
    for mark in sorted(truth.parent.glob("made_*.json")) if truth else ():
        try:
            seconds.append(float(json.loads(mark.read_text(encoding="utf-8"))["seconds"]))
        except (ValueError, KeyError, TypeError):
            continue
    return round(sum(seconds), 1)
