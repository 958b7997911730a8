"""All specimens of all families."""

from __future__ import annotations

import importlib
import pkgutil

import formats

from . import Specimen


def specimens() -> list[Specimen]:
    """Those of every module beside this one, in order of their names.

    Raises
    ------
    ValueError
        If two have one name.
    """
    found: dict[str, Specimen] = {}
    for module in pkgutil.iter_modules(formats.__path__):
        for specimen in getattr(importlib.import_module(f"formats.{module.name}"), "SPECIMENS", ()):
            if specimen.name in found:
                raise ValueError(f"two specimens are called {specimen.name}")
            found[specimen.name] = specimen
    return [found[name] for name in sorted(found)]
