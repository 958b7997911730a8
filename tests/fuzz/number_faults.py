"""Faults of single numbers in NetCDF files: missing in every way there is, impossible, at the wrong time or place."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .fault import ANY, CELL_FAULT, ERROR, NOTHING_LEFT, ROW_FAULT, SAME, SAME_OR_REFUSED, Fault
from .netcdf_faults import Change
from .roles import Roles, roles
from .tree import Tree, Variable, changed

MISSING = {"NaN": np.nan, "inf": np.inf, "-inf": -np.inf, "1e36": 1.0e36, "-1e34": -1.0e34, "-999": -999.0,
           "-999.99": -999.99, "-9999": -9999.0}
N_ROWS = 3


def number_faults(tree: Tree, form: str) -> Iterator[Fault]:
    """Some numbers, and all numbers, of every variable missing."""
    role = roles(tree)
    for path in tree.paths():
        variable = tree[path]
        if not variable.numeric or variable.data.size < 4:
            continue
        places, lost = _some(variable, role)
        allowed = ROW_FAULT if role.rows and variable.dims[:1] == (role.rows,) else CELL_FAULT
        if variable.data.dtype.kind == "f":
            for name, value in MISSING.items():
                yield Fault(f"some numbers {name}", path, allowed, changed(tree, form, _set(path, places, value)), lost)
            for name in ("NaN", "1e36", "-9999"):
                yield Fault(f"all numbers {name}", path, NOTHING_LEFT | {SAME}, changed(tree, form, _set(path, ..., MISSING[name])))
        yield Fault("some numbers fill", path, allowed, changed(tree, form, _filled(path, places)), lost)
        yield Fault("all numbers fill", path, NOTHING_LEFT | {SAME}, changed(tree, form, _filled(path, ...)))
        yield Fault("all numbers zero", path, NOTHING_LEFT | {SAME, ANY}, changed(tree, form, _set(path, ..., 0)))
        yield Fault("fill attribute of no use", path, SAME_OR_REFUSED, changed(tree, form, _fill_attribute(path, -1)))
        rows_or_any = allowed if allowed is ROW_FAULT else frozenset({ANY, ERROR})
        yield Fault("fill attribute is a real value", path, rows_or_any, changed(tree, form, _fill_attribute(path, None)))


def place_and_time_faults(tree: Tree, form: str) -> Iterator[Fault]:
    """Single rows that cannot be where or when they say, and whole files of another time."""
    role = roles(tree)
    if role.rows:
        for path, values in ((role.lat, (95.0, -200.0)), (role.lon, (1000.0, -900.0))):
            for value in values if path else ():
                places, lost = _some(tree[path], role)
                yield Fault("a place that is none", f"{path} {value:g}", ROW_FAULT, changed(tree, form, _set(path, places, value)), lost)
    for path in role.times:
        variable = tree[path]
        if variable.data.ndim != 1 or not len(variable.data):
            continue
        year = _year_in_its_units(str(variable.attributes["units"]))
        places, lost = _some(variable, role)
        allowed = ROW_FAULT if role.rows else frozenset({SAME, ERROR})
        for name, shift in (("a year late", year), ("a century early", -100 * year)):
            yield Fault("some times wrong", f"{path} {name}", allowed, changed(tree, form, _shifted(path, places, shift)), lost)
        for name, shift in (("one year late", year), ("one year early", -year), ("a century late", 100 * year)):
            yield Fault("all times wrong", f"{path} {name}", NOTHING_LEFT | {SAME}, changed(tree, form, _shifted(path, ..., shift)))
    for path in tree.paths():
        variable = tree[path]
        if path.split("/")[-1] == "date" and variable.numeric and variable.data.ndim == 1 and variable.data.size:
            for name, shift in (("a year late", 10000), ("a month that is none", 5000), ("zero", None)):
                change = _set(path, ..., 0) if shift is None else _shifted(path, ..., shift)
                yield Fault("all dates wrong", f"{path}, {name}", NOTHING_LEFT | {SAME}, changed(tree, form, change))


def _some(variable: Variable, role: Roles) -> tuple[tuple, int | None]:
    """An index of a few numbers, and how many rows it spoils."""
    n = variable.data.shape[0]
    first = np.unique(np.linspace(1, n - 1, N_ROWS).astype(int)) if n > N_ROWS else np.array([n - 1])
    rest = tuple(size // 2 for size in variable.data.shape[1:])
    return (first, *rest), len(first) if role.rows and variable.dims[0] == role.rows else None


def _set(path: str, places: object, value: float) -> Change:
    def change(tree: Tree) -> None:
        variable = tree[path]
        data = variable.data.copy()
        if data.dtype.kind in "iu":
            value_here = np.asarray(value).astype(data.dtype)
        else:
            value_here = value
        data[places] = value_here
        tree.put(path, variable.of(data))
    return change


def _filled(path: str, places: object) -> Change:
    """With the fill value that the variable declares, or else NetCDF's own."""
    def change(tree: Tree) -> None:
        variable = tree[path]
        code = next((variable.attributes[name] for name in ("_FillValue", "missing_value") if name in variable.attributes
                     and not isinstance(variable.attributes[name], str)), None)
        default = {"f4": 9.969209968386869e36, "f8": 9.969209968386869e36, "i1": -127, "u1": 255, "i2": -32767, "i4": -2147483647,
                   "i8": -9223372036854775806, "u8": 18446744073709551614}
        kind = variable.data.dtype.kind + str(variable.data.dtype.itemsize)
        data = variable.data.copy()
        data[places] = np.ravel(code)[0] if code is not None else default.get(kind, 0)
        tree.put(path, variable.of(data))
    return change


def _fill_attribute(path: str, code: float | None) -> Change:
    """A fill value that no number has (`code`), or that one of the numbers has; the numbers stay."""
    def change(tree: Tree) -> None:
        variable = tree[path]
        value = variable.data.ravel()[variable.data.size // 2] if code is None else np.asarray(code).astype(variable.data.dtype)[()]
        tree.put(path, variable.of(variable.data, _FillValue=value, missing_value=None))
    return change


def _shifted(path: str, places: object, shift: float) -> Change:
    def change(tree: Tree) -> None:
        variable = tree[path]
        data = variable.data.copy().astype("f8" if variable.data.dtype.kind == "f" else variable.data.dtype)
        with np.errstate(over="ignore"):
            data[places] = data[places] + np.asarray(shift).astype(data.dtype)
        tree.put(path, variable.of(data.astype(variable.data.dtype)))
    return change


def _year_in_its_units(units: str) -> float:
    return {"s": 1.0, "m": 1.0 / 60.0, "h": 1.0 / 3600.0, "d": 1.0 / 86400.0}[units[0].lower()] * 366 * 86400.0


