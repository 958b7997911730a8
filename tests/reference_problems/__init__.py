"""The problems whose results are stored in tests/reference: each module has `results(directory) -> dict[str, Result]`.

They are the one place for what is computed and how closely it must come out again; `tools/make_reference` stores the results,
tests/reference compares them. A problem's random inputs are of NumPy's `RandomState`, whose numbers are frozen.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

from .store import Result

STORED = Path(__file__).resolve().parents[1] / "reference"
NAMES = ("inputs", "analysis", "observation", "transport", "case")


def problem(name: str) -> Callable[[Path], dict[str, Result]]:
    """The function that computes a problem's results; its argument is an empty directory to work in."""
    return importlib.import_module(f"{__name__}.{name}").results


def stored_file(name: str) -> Path:
    """Where a problem's results are stored."""
    return STORED / f"{name}.nc"
