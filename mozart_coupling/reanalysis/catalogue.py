"""What the files hold: every variable by name, and the choice of one for each field of the contract."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mozart_coupling.errors import MetError
from mozart_coupling.met_format import MET_FIELDS
from mozart_coupling.reanalysis.files import open_files
from mozart_coupling.reanalysis.names import Option, Product
from mozart_coupling.reanalysis.parts import Part
from mozart_coupling.reanalysis.timing import Series

LAYERED = ("T", "U", "V", "Q", "DELP", "CMFMC")
ON_LEVEL_ONE = ("lnsp", "z")  # surface fields that model-level files carry as level 1
COEFFICIENTS = (("hyai", "hybi"), ("ap", "b"), ("ak", "bk"), ("a_half", "b_half"))


class Catalogue:
    """All variables of the files, upper and lower case being the same.

    Raises
    ------
    MetError
        Files that cannot be opened.
    """

    def __init__(self, paths: Iterable[str | Path]) -> None:
        self._datasets = open_files(paths)
        self._places: dict[str, list[tuple[Path, object, str]]] = {}
        for path, dataset in self._datasets:
            for name in dataset.data_vars:
                self._places.setdefault(str(name).lower(), []).append((path, dataset, str(name)))

    @property
    def text(self) -> str:
        """The names of all variables."""
        return ", ".join(sorted(self._places)) or "no variables"

    def close(self) -> None:
        """Close all files."""
        for _, dataset in self._datasets:
            dataset.close()

    def series(self, option: Option, layered: bool) -> Series | None:
        """The records of the first of the option's names that is there with levels, or without."""
        for name in option.names:
            parts = [Part(path, dataset, own) for path, dataset, own in self._places.get(name.lower(), [])]
            parts = [part for part in parts if _suits(part, name, layered)]
            if parts:
                return Series(parts, option)
        return None

    def choose(self, product: Product) -> dict[str, Series]:
        """For every field that can be had, its records; the names are the contract's, with "DELP", "land", "land ice", "sea ice".

        Raises
        ------
        MetError
            Fields that no run can do without are absent: all of them, with the names that would do.
        """
        wanted = {**product.fields, "land": product.land, "land ice": product.land_ice, "sea ice": product.sea_ice}
        chosen: dict[str, Series] = {}
        for field, options in wanted.items():
            found = (self.series(option, field in LAYERED) for option in options)
            series = next((one for one in found if one is not None), None)
            if series is not None:
                chosen[field] = series
        if "PS" not in chosen and "DELP" in chosen:
            wanted = {**wanted, "PS": ()}
        missing = [field for field, options in wanted.items() if field in MET_FIELDS and MET_FIELDS[field].required
                   and options and field not in chosen]
        if missing:
            needed = "; ".join(f"{field}: " + " or ".join(option.text for option in wanted[field])
                               + (" on levels" if field in LAYERED else "") for field in missing)
            raise MetError(f"variables of {product.title} are missing: {', '.join(missing)}", "FILES", self.text, needed,
                           "Each field needs one of its names, in any of the files.")
        return chosen

    def coefficients(self) -> tuple[np.ndarray, np.ndarray, str] | None:
        """a and b at interfaces as the files give them, and where: GRIB's `pv`, or variables; None if nothing does."""
        for path, dataset in self._datasets:
            for name in dataset.data_vars:
                pv = dataset[name].attrs.get("GRIB_pv")
                if pv is not None and np.size(pv) >= 6:
                    a, b = np.split(np.asarray(pv, dtype=np.float64), 2)
                    return a, b, f"{path}, pv of {name}"
            own = {str(name).lower(): name for name in dataset.variables}
            for first, second in COEFFICIENTS:
                if first in own and second in own and dataset[own[first]].ndim == dataset[own[second]].ndim == 1:
                    a, b = (np.asarray(dataset[own[name]].values, dtype=np.float64) for name in (first, second))
                    return a, b, f"{path}, {first} and {second}"
        return None


def _suits(part: Part, name: str, layered: bool) -> bool:
    if layered:
        return part.n_levels > 1
    return part.n_levels <= 1 or (name in ON_LEVEL_ONE and part.pressure_levels is None)
