"""Stored results: small NetCDF files that say how they were made, and the comparison with what is computed now."""

from __future__ import annotations

import datetime
import importlib.metadata
import subprocess
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver import __version__, _build_info

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Result:
    """Numbers that must come out again.

    Attributes
    ----------
    values : ndarray
        Any shape.
    units : str
    rtol, atol : float
        Allowed: |now - stored| <= atol + rtol |stored|, `atol` in the variable's units. 0 and 0: the same bits.
    why : str
        Reason of a tolerance other than the one that holds between machines, 1e-10.
    """

    values: np.ndarray
    units: str
    rtol: float = 1e-10
    atol: float = 0.0
    why: str = ""


@dataclass(frozen=True)
class Change:
    """How far one variable is from what is stored.

    Attributes
    ----------
    absolute, relative : float
        Largest change, in the variable's units, and over the stored value's size (where that is not 0).
    of_allowed : float
        Largest ratio of change and tolerance; infinity if shapes, missing values or bits disagree.
    note : str
        What cannot be said in numbers.
    """

    variable: str
    absolute: float
    relative: float
    of_allowed: float
    note: str = ""

    @property
    def within(self) -> bool:
        """Whether the tolerance holds."""
        return self.of_allowed <= 1.0


def compare(stored: dict[str, np.ndarray], results: dict[str, Result]) -> list[Change]:
    """Changes of all variables, those first that came or went."""
    gone = [Change(name, np.nan, np.nan, np.inf, "stored, but no longer computed") for name in stored if name not in results]
    new = [Change(name, np.nan, np.nan, np.inf, "not stored") for name in results if name not in stored]
    return gone + new + [_change(name, stored[name], result) for name, result in results.items() if name in stored]


def _change(name: str, stored: np.ndarray, result: Result) -> Change:
    now = np.asarray(result.values, dtype=np.float64)
    if now.shape != stored.shape:
        return Change(name, np.nan, np.nan, np.inf, f"shape {now.shape}, stored {stored.shape}")
    if not np.array_equal(np.isfinite(now), np.isfinite(stored)):
        return Change(name, np.nan, np.nan, np.inf, f"{np.count_nonzero(~np.isfinite(now))} values are not finite, "
                                                    f"stored {np.count_nonzero(~np.isfinite(stored))}")
    here = np.isfinite(stored)
    change, size = np.abs(now[here] - stored[here]), np.abs(stored[here])
    allowed = result.atol + result.rtol * size
    ratio = np.divide(change, allowed, out=np.where(change > 0.0, np.inf, 0.0), where=allowed > 0.0)
    relative = np.divide(change, size, out=np.zeros_like(change), where=size > 0.0)
    return Change(name, *(float(values.max(initial=0.0)) for values in (change, relative, ratio)))


def read(path: Path) -> dict[str, np.ndarray]:
    """All variables of a stored file."""
    with netCDF4.Dataset(path) as data:
        data.set_auto_mask(False)
        return {name: np.asarray(variable[...], dtype=np.float64) for name, variable in data.variables.items()}


def write(path: Path, results: dict[str, Result], title: str, command: str) -> None:
    """Store results with all that tells how they were made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as data:
        data.setncatts({"title": title, "command": command, **provenance()})
        for name, result in results.items():
            values = np.asarray(result.values, dtype=np.float64)
            sizes = [f"n{size}" for size in values.shape]
            for dimension, size in zip(sizes, values.shape, strict=True):
                if dimension not in data.dimensions:
                    data.createDimension(dimension, size)
            variable = data.createVariable(name, "f8", sizes)
            variable.setncatts({"units": result.units, "tolerance": f"{result.atol:g} + {result.rtol:g} relative"})
            if result.why:
                variable.tolerance_why = result.why
            variable[...] = values


def provenance() -> dict[str, str]:
    """Version, compiler, libraries and day."""
    build = _build_info
    extra = "; ".join(f"{group}: {flags}" for group, flags in build.EXTRA_FLAGS.items())
    return {
        "made_by": f"GCAS {__version__}, {_commit()}",
        "compiler": f"{build.COMPILER} {build.COMPILER_VERSION} {build.FLAGS}" + (f" ({extra})" if extra else ""),
        "libraries": f"{build.BLAS} {build.BLAS_VERSION}, " + ", ".join(f"{name} {importlib.metadata.version(name)}"
                                                                        for name in ("numpy", "scipy")),
        "machine": build.HOST,
        "made_on": datetime.date.today().isoformat(),
    }


def _commit() -> str:
    """The commit that the results were computed from, and whether it had uncommitted changes."""
    try:
        def git(*words: str) -> str:
            return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

        changed = git("status", "--porcelain", "--untracked-files=no", "--", "gcas_driver", "mozart_coupling", "src_fortran")
        return f"commit {git('rev-parse', '--short=12', 'HEAD')}" + (" with uncommitted changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "commit unknown"
