"""Looks at the directories of a GCASv2 installation: which days of the run they hold, in which names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np

COMPONENTS = ("bio", "ocn", "fossil", "fire")
PATTERNS = ("{component}/emissions.{component}.{date}.nc", "emissions.{component}.{date}.nc")
MET_VARIABLES = {"U", "V", "T", "PS", "hyai", "hybi"}
SHOWN = 3


@dataclass(frozen=True)
class Held:
    """What a directory holds of the days of a run.

    Attributes
    ----------
    pattern : str
        Of the names, with `{date}` or `{yyyymmdd}`; "" where none fits.
    missing : list of datetime64[D]
        Days without a file.
    n_days : int
        Of the run.
    first : Path or None
        The first file that is there.
    twice : list of str
        Files of one and the same day, where a day has several.
    """

    pattern: str
    missing: list[np.datetime64]
    n_days: int
    first: Path | None
    twice: list[str]

    def told(self) -> str:
        """In words, for messages."""
        if self.first is None:
            return "no file for any day of the run"
        text = f"{self.n_days - len(self.missing)} of {self.n_days} days have a file"
        if self.missing:
            more = ", …" if len(self.missing) > SHOWN else ""
            text += f"; missing: {', '.join(str(day) for day in self.missing[:SHOWN])}{more}"
        return text + (f"; several of one day: {', '.join(self.twice[:SHOWN])}" if self.twice else "")


def days_of(start: np.datetime64, n: int) -> np.ndarray:
    """The days of a run."""
    return np.arange(start, start + n)


def priors(directory: Path, component: str, days: np.ndarray) -> Held:
    """Prior fluxes of a component: in a folder of the component's name, or all in one."""
    held = [_held(directory, pattern.replace("{component}", component), days, "{date}") for pattern in PATTERNS]
    best = min(held, key=lambda h: len(h.missing))
    return Held(PATTERNS[held.index(best)] if best.first else "", best.missing, best.n_days, best.first, best.twice)


def soundings(directory: Path, days: np.ndarray) -> Held:
    """Daily soundings, `<product>_YYYYMMDD.nc`."""
    return _held(directory, "*_{yyyymmdd}.nc", days, "{yyyymmdd}")


def surface(directory: Path, days: np.ndarray) -> Held:
    """Daily surface samples, `srf_YYYYMMDD`."""
    return _held(directory, "srf_{yyyymmdd}", days, "{yyyymmdd}")


def meteorology(directory: Path, start: np.datetime64) -> tuple[Path, str] | None:
    """Directory and prefix of met files of the contract's form below a MOZART-4 directory, where there are any; three levels deep."""
    name = _yyyymmdd(start)
    for pattern in (f"*{name}.nc", f"*/*{name}.nc", f"*/*/*{name}.nc"):
        for path in sorted(directory.glob(pattern)):
            if _is_met(path):
                return path.parent, re.sub(rf"{name}\.nc$", "", path.name)
    return None


def median_ppm(path: Path) -> float | None:
    """Median of the mole fractions in a file of soundings or surface samples [ppm], where it can be read."""
    try:
        if path.suffix == ".nc":
            with netCDF4.Dataset(path) as data:
                values = np.ma.filled(np.ma.asarray(data["xco2"][:], dtype=float), np.nan)
        else:
            values = np.array([float(line.split()[6]) for line in path.read_text(errors="replace").splitlines() if line.strip()])
    except (OSError, RuntimeError, ValueError, IndexError):
        return None
    good = values[(values > 250.0) & (values < 700.0)]
    return float(np.median(good)) if good.size else None


def _held(directory: Path, pattern: str, days: np.ndarray, place: str) -> Held:
    missing, twice, first = [], [], None
    for day in days:
        found = sorted(directory.glob(pattern.replace(place, _yyyymmdd(day))))
        first = first or (found[0] if found else None)
        missing += [] if found else [day]
        twice += [path.name for path in found] if len(found) > 1 and not twice else []
    return Held(pattern if first else "", missing, len(days), first, twice)


def _is_met(path: Path) -> bool:
    try:
        with netCDF4.Dataset(path) as data:
            return set(data.variables) >= MET_VARIABLES
    except (OSError, RuntimeError):
        return False


def _yyyymmdd(day: np.datetime64) -> str:
    return str(day.astype("datetime64[D]")).replace("-", "")
