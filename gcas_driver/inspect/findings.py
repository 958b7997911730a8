"""What was found out about a file, for people, for programs, and as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mozart_coupling.grids import Grid

MOST_COUNTS = 12


@dataclass(frozen=True)
class GridPanel:
    """A map of a field (nlat, nlon); `diverging` colours lie around zero."""

    title: str
    values: np.ndarray
    grid: Grid
    unit: str = ""
    diverging: bool = False


@dataclass(frozen=True)
class PointPanel:
    """A map of values at places (n,)."""

    title: str
    lon: np.ndarray
    lat: np.ndarray
    values: np.ndarray
    unit: str = ""


@dataclass(frozen=True)
class LinePanel:
    """Lines: name → (x, y). `pressure`: y is pressure [hPa], downward; `time`: x are datetime64; `marks`: dots instead of lines."""

    title: str
    lines: Mapping[str, tuple[np.ndarray, np.ndarray]]
    x: str = ""
    y: str = ""
    pressure: bool = False
    time: bool = False
    marks: bool = False


Panel = GridPanel | PointPanel | LinePanel


@dataclass
class Findings:
    """Everything told about one file.

    Attributes
    ----------
    path : Path
    size : int
        Bytes.
    kind, title : str
        Name in the table of kinds, "" for an unknown file; what that is, in words.
    setting : str
        A namelist group that reads the file, ready to be copied; "" where nothing of GCAS's input reads it.
    span : (str, str) or None
        First and last time.
    facts : dict
        What else there is to say, in words.
    ranges : dict
        Quantity → {"least", "most", "mean", "n", "missing", "unit"}.
    counts : dict
        What is counted (flag, mode, site, reason …) → {which: n}.
    problems : list of str
    inventory : list of str
        Variables with dimensions and units, or the first lines.
    guess : str
        Of an unknown file, the kind it is nearest to.
    panels : list
        What is drawn.
    """

    path: Path
    size: int = 0
    kind: str = ""
    title: str = ""
    setting: str = ""
    span: tuple[str, str] | None = None
    facts: dict[str, str] = field(default_factory=dict)
    ranges: dict[str, dict[str, Any]] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    inventory: list[str] = field(default_factory=list)
    guess: str = ""
    panels: list[Panel] = field(default_factory=list)

    @classmethod
    def of(cls, path: Path, **known: Any) -> Findings:
        """Findings of a file with what is known of it."""
        return cls(path=path, **known)

    @property
    def exit_code(self) -> int:
        """0 for a file that is known and whole, 2 for others."""
        return 0 if self.kind and not self.problems else 2

    def add_range(self, name: str, values: np.ndarray, unit: str = "") -> None:
        """Least, most and mean of the finite ones among values of any shape."""
        values = np.asarray(values, dtype=np.float64)
        present = values[np.isfinite(values)]
        numbers = (None, None, None) if not present.size else (float(present.min()), float(present.max()), float(present.mean()))
        self.ranges[name] = dict(zip(("least", "most", "mean"), numbers, strict=True)) | {
            "n": int(present.size), "missing": int(values.size - present.size), "unit": unit}

    def add_counts(self, name: str, values: np.ndarray, names: Mapping[float, str] | None = None) -> None:
        """How often each value occurs, most frequent first; beyond a dozen the rest is summed."""
        found, n = np.unique(np.asarray(values), return_counts=True)
        order = np.argsort(-n, kind="stable")
        named = {str((names or {}).get(found[i], _plain(found[i]))): int(n[i]) for i in order[:MOST_COUNTS]}
        if len(order) > MOST_COUNTS:
            named[f"{len(order) - MOST_COUNTS} others"] = int(n[order[MOST_COUNTS:]].sum())
        if named:
            self.counts[name] = named

    def set_span(self, times: np.ndarray) -> None:
        """From datetime64 or seconds since 1970, of any order; NaT and NaN do not count."""
        times = np.asarray(times).ravel()
        if times.dtype.kind == "f":
            times = times[np.isfinite(times)].astype(np.int64).astype("datetime64[s]")
        times = times[~np.isnat(times)]
        if times.size:
            self.span = tuple(str(t).replace("T", " ") for t in (times.min(), times.max()))

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        kept = ("size", "kind", "title", "setting", "facts", "ranges", "counts", "problems", "inventory", "guess")
        return {"path": str(self.path), **{name: getattr(self, name) for name in kept}, "span": list(self.span) if self.span else None}


def _plain(value: Any) -> Any:
    if isinstance(value, (float, np.floating)):
        return "missing" if np.isnan(value) else f"{value:g}"
    return value
