"""Faults of NetCDF and HDF5 files: names, attributes, types and the arrangement of numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from .fault import HARMLESS, NOTHING_LEFT, ROW_FAULT, SAME_OR_REFUSED, Fault
from .roles import Roles, roles
from .tree import Tree, Variable, changed

Change = Callable[[Tree], None]
UNITS_BY_SIZE = {"hPa": ("Pa", 100.0), "Pa": ("hPa", 0.01), "ppm": ("mol mol-1", 1.0e-6), "mol mol-1": ("ppm", 1.0e6),
                 "micromol mol-1": ("mol mol-1", 1.0e-6), "m": ("km", 1.0e-3), "mol m-2 s-1": ("micromol m-2 s-1", 1.0e6)}


def name_faults(tree: Tree, form: str) -> Iterator[Fault]:
    """Variables, dimensions and groups renamed, removed, added."""
    def fault(family: str, name: str, change: Change, allowed: frozenset[str] = SAME_OR_REFUSED) -> Fault:
        return Fault(family, name, allowed, changed(tree, form, change))

    for path in tree.paths():
        yield fault("variable renamed", path, _renamed(path, path.split("/")[-1] + "_of_mine"))
        yield fault("variable missing", path, _removed(path))
        if path.split("/")[-1].upper() != path.split("/")[-1]:
            yield fault("variable in capitals", path, _renamed(path, path.split("/")[-1].upper()))
    for name in tree.dims:
        yield fault("dimension renamed", name, _dimension_renamed(name))
    for name in tree.groups:
        yield fault("group renamed", name, lambda t, name=name: t.groups.update({f"{name}2": t.groups.pop(name)}))
        yield fault("group missing", name, lambda t, name=name: t.groups.pop(name) and None)
    yield fault("all variables missing", "", lambda t: (t.variables.clear(), t.groups.clear()) and None)
    yield fault("unknown variables", "", _with_unknown, HARMLESS)
    yield fault("an unknown group", "", lambda t: t.groups.update({"Extras": Tree()}),
                HARMLESS) if form == "NETCDF4" else fault("an unknown attribute", "", lambda t: t.attributes.update(x=1), HARMLESS)
    yield fault("no global attributes", "", lambda t: t.attributes.clear())
    for name in tree.attributes:
        yield fault("a global attribute missing", name, lambda t, name=name: t.attributes.pop(name) and None)
        yield fault("a global attribute is a number", name, lambda t, name=name: t.attributes.update({name: np.float32(3.5)}))
    for path in tree.paths():
        yield fault("variable without attributes", path, _without_attributes(path))


def type_faults(tree: Tree, form: str) -> Iterator[Fault]:
    """The same numbers in other types, packed, of other shape."""
    seconds = set(roles(tree).times)
    for path in tree.paths():
        variable = tree[path]
        if not variable.numeric:
            continue
        for kind, tolerance in _other_kinds(variable, form, path in seconds):
            yield Fault("other type", f"{path} as {kind}", SAME_OR_REFUSED, changed(tree, form, _cast(path, kind)), tolerance=tolerance)
        if variable.data.dtype.kind == "f" and variable.data.ndim and path not in seconds and _packable(variable):
            yield Fault("packed", path, SAME_OR_REFUSED, changed(tree, form, _packed(path)), tolerance=1.0e-5)
        yield Fault("text instead of numbers", path, SAME_OR_REFUSED, changed(tree, form, _as_text(path)))
        if variable.data.ndim >= 2:
            yield Fault("dimensions transposed", path, SAME_OR_REFUSED, changed(tree, form, _transposed(path)))
        if variable.data.ndim >= 1:
            yield Fault("first dimension dropped", path, SAME_OR_REFUSED, changed(tree, form, _first_only(path)))
        yield Fault("one more dimension", path, SAME_OR_REFUSED, changed(tree, form, _one_more_dimension(path)))


def unit_faults(tree: Tree, form: str) -> Iterator[Fault]:
    """Units absent, unknown, others with the numbers to match."""
    for path in tree.paths():
        variable, units = tree[path], tree[path].attributes.get("units")
        if units is None or not variable.numeric:
            continue
        for text in ("parsec", "", "K"):
            yield Fault("units wrong", f"{path}: '{text}' for '{units}'", SAME_OR_REFUSED, changed(tree, form, _units(path, text)))
        yield Fault("units missing", path, SAME_OR_REFUSED, changed(tree, form, _units(path, None)))
        yield Fault("units are a number", path, SAME_OR_REFUSED, changed(tree, form, _units(path, np.int32(7))))
        if units in UNITS_BY_SIZE:
            other, factor = UNITS_BY_SIZE[units]
            yield Fault("units converted", f"{path}: {units} to {other}", SAME_OR_REFUSED, changed(tree, form, _units(path, other, factor)))
            yield Fault("units converted in numbers alone", f"{path}: {units} to {other}", SAME_OR_REFUSED,
                        changed(tree, form, _units(path, units, factor)))
            yield Fault("units converted in name alone", f"{path}: {units} to {other}", SAME_OR_REFUSED,
                        changed(tree, form, _units(path, other)))
    for path in roles(tree).times:
        units = tree[path].attributes["units"]
        for text in ("days since 1970-01-01", "hours since 1900-01-01 00:00:0.0", "seconds since 1858-11-17", "months since 1960-01-01"):
            if text.split("-")[0] != units.split("-")[0]:
                yield Fault("time units wrong", f"{path}: {text}", NOTHING_LEFT | SAME_OR_REFUSED, changed(tree, form, _units(path, text)))


def arrangement_faults(tree: Tree, form: str) -> Iterator[Fault]:
    """The same file in another order: none of it may change a value."""
    role = roles(tree)

    def fault(family: str, name: str, change: Change, allowed: frozenset[str] = SAME_OR_REFUSED, **options) -> Fault:
        return Fault(family, name, allowed, changed(tree, form, change), **options)

    if role.rows:
        n = tree.dims[role.rows][0]
        order = np.random.default_rng(3).permutation(n)
        free = HARMLESS if role.lat else SAME_OR_REFUSED  # records along time only may have to ascend
        yield fault("rows in another order", "shuffled", _taken(role.rows, order), free)
        yield fault("rows in another order", "backwards", _taken(role.rows, np.arange(n)[::-1]), free)
        yield fault("rows given twice", "all", _taken(role.rows, np.r_[np.arange(n), np.arange(n)]), ROW_FAULT)
        yield fault("rows given twice", "one", _taken(role.rows, np.r_[np.arange(n), 0]), ROW_FAULT)
        yield fault("no rows", "", _taken(role.rows, np.arange(0)), NOTHING_LEFT)
        yield fault("one row", "", _taken(role.rows, np.arange(1)), ROW_FAULT)
        yield fault("unlimited dimension", role.rows, _unlimited(role.rows))
    for name in role.levels:
        n = tree.dims[name][0]
        yield fault("levels upside down", name, _taken(name, np.arange(n)[::-1]))
    if len(role.levels) > 1 and len({tree.dims[d][0] for d in role.levels}) > 1:
        yield fault("levels upside down", "all", lambda t: [_taken(d, np.arange(t.dims[d][0])[::-1])(t) for d in role.levels] and None)
    for name in role.levels:
        yield fault("a level less", name, _taken(name, np.arange(tree.dims[name][0] - 1)), SAME_OR_REFUSED | NOTHING_LEFT)
    if role.grid:
        yield from _grid_faults(tree, form, role)
    if role.lon:
        lon = tree[role.lon]
        west = lon.data < 0 if lon.data.min() < 0 else lon.data > 180
        turned = np.where(west, lon.data + (360 if lon.data.min() < 0 else -360), lon.data)
        yield fault("longitudes of the other convention", "", lambda t: t.put(role.lon, lon.of(turned.astype(lon.data.dtype))))
    for name in ("latitude", "longitude"):
        yield fault("an empty variable of no dimension", name, lambda t: t.variables.update(
            {"empty": Variable((), np.asarray(1.0), {}, np.dtype("f8"))}), HARMLESS) if name == "latitude" else fault(
            "swapped", "latitude and longitude", _swapped(role), SAME_OR_REFUSED | NOTHING_LEFT)


def _grid_faults(tree: Tree, form: str, role: Roles) -> Iterator[Fault]:
    lat_dim, lon_dim = role.grid
    n_lat, n_lon = tree.dims[lat_dim][0], tree.dims[lon_dim][0]
    lat, lon = tree[role.lat], tree[role.lon]

    def fault(family: str, name: str, change: Change, allowed: frozenset[str] = SAME_OR_REFUSED) -> Fault:
        return Fault(family, name, allowed, changed(tree, form, change))

    yield fault("latitudes the other way", "", _taken(lat_dim, np.arange(n_lat)[::-1]))
    yield fault("longitudes begin elsewhere", "", _taken(lon_dim, np.roll(np.arange(n_lon), n_lon // 2)))
    yield fault("longitudes the other way", "", _taken(lon_dim, np.arange(n_lon)[::-1]))
    yield fault("a row of cells less", "", _taken(lat_dim, np.arange(n_lat - 1)))
    yield fault("a column of cells less", "", _taken(lon_dim, np.arange(n_lon - 1)))
    yield fault("a part of the globe", "", _taken(lon_dim, np.arange(n_lon // 2)))
    yield fault("coordinates shuffled", "latitude", lambda t: t.put(role.lat, lat.of(np.random.default_rng(1).permutation(lat.data))))
    yield fault("coordinates out of range", "latitude", lambda t: t.put(role.lat, lat.of(lat.data + lat.data.dtype.type(30))))
    yield fault("coordinates out of range", "longitude", lambda t: t.put(role.lon, lon.of((lon.data * 1.5).astype(lon.data.dtype))))
    yield fault("coordinates are indices", "", lambda t: (t.put(role.lat, lat.of(np.arange(n_lat).astype(lat.data.dtype))),
                                                          t.put(role.lon, lon.of(np.arange(n_lon).astype(lon.data.dtype)))) and None)
    yield fault("coordinates not finite", "latitude", lambda t: t.put(role.lat, lat.of(np.where(np.arange(n_lat) == 1, np.nan, lat.data)
                                                                                      .astype("f4"))))
    yield fault("coordinates not finite", "longitude", lambda t: t.put(role.lon, lon.of(np.full(n_lon, np.nan, "f4"))))
    yield fault("latitudes reversed in name alone", "", lambda t: t.put(role.lat, lat.of(np.where(
        np.arange(n_lat) == 0, lat.data[-1], lat.data))))


def _renamed(path: str, new: str) -> Change:
    def change(tree: Tree) -> None:
        place, name = tree.at(path)
        place.variables = {new if key == name else key: value for key, value in place.variables.items()}
    return change


def _removed(path: str) -> Change:
    def change(tree: Tree) -> None:
        place, name = tree.at(path)
        del place.variables[name]
    return change


def _dimension_renamed(name: str) -> Change:
    def change(tree: Tree) -> None:
        new = f"{name}_x"
        tree.dims = {new if key == name else key: size for key, size in tree.dims.items()}
        for path in tree.paths():
            variable = tree[path]
            tree.put(path, replace(variable, dims=tuple(new if d == name else d for d in variable.dims)))
    return change


def _with_unknown(tree: Tree) -> None:
    extras = {}
    for n, (dim, (size, _)) in enumerate(list(tree.dims.items())[:4]):
        if size < 100_000:
            extras[f"aaa_unknown_{n}"] = Variable((dim,), np.full(size, 7.0, "f4"), {"units": "furlong"}, np.dtype("f4"))
    tree.variables = extras | tree.variables


def _without_attributes(path: str) -> Change:
    def change(tree: Tree) -> None:
        tree.put(path, replace(tree[path], attributes={}))
    return change


def _units(path: str, text: object, factor: float = 1.0) -> Change:
    def change(tree: Tree) -> None:
        variable = tree[path]
        missing = _declared_missing(variable)
        data = variable.data
        if factor != 1.0:
            kind = data.dtype if data.dtype.kind == "f" else np.dtype("f8")
            data = np.where(missing, data, np.where(missing, 0, data) * factor).astype(kind)
        tree.put(path, variable.of(data, units=text))
    return change


def _declared_missing(variable: Variable) -> np.ndarray:
    missing = ~np.isfinite(variable.data.astype("f8"))
    for name in ("_FillValue", "missing_value"):
        code = variable.attributes.get(name)
        if code is not None and not isinstance(code, str):
            missing |= variable.data == np.asarray(code).ravel()[0]
    return missing | (np.abs(variable.data.astype("f8")) > 1.0e30)


def _other_kinds(variable: Variable, form: str, seconds: bool) -> Iterator[tuple[str, float]]:
    have = variable.data.dtype.kind + str(variable.data.dtype.itemsize)
    table = {"f4": ("f8",), "f8": () if seconds else ("f4",), "i1": ("i2", "i4", "f4"), "i2": ("i4", "f4"), "i4": ("i8", "f8"),
             "i8": ("u8", "f8"), "u8": ("i8",), "u1": ("i4",)}
    for kind in table.get(have, ()):
        if form != "NETCDF4" and kind in ("i8", "u8"):
            continue
        if kind in ("u8",) and variable.data.size and variable.data.min() < 0:
            continue
        yield kind, 2.0e-6


def _cast(path: str, kind: str) -> Change:
    return lambda tree: tree.put(path, tree[path].of(tree[path].data.astype(kind)))


def _packable(variable: Variable) -> bool:
    good = variable.data[~_declared_missing(variable)]
    return good.size > 0 and float(np.ptp(good.astype("f8"))) > 0.0 and "scale_factor" not in variable.attributes


def _packed(path: str) -> Change:
    def change(tree: Tree) -> None:
        variable = tree[path]
        missing = _declared_missing(variable)
        good = variable.data[~missing].astype("f8")
        offset, factor = good.min(), np.ptp(good) / 2.0e9
        numbers = np.where(missing, -(2**31), np.round((np.where(missing, offset, variable.data.astype("f8")) - offset) / factor))
        kept = {k: v for k, v in variable.attributes.items() if k not in ("_FillValue", "missing_value", "valid_min", "valid_max",
                                                                         "valid_range", "actual_range")}
        tree.put(path, Variable(variable.dims, numbers.astype("i4"), kept | {
            "_FillValue": np.int32(-(2**31)), "scale_factor": float(factor), "add_offset": float(offset)}, np.dtype("i4")))
    return change


def _as_text(path: str) -> Change:
    def change(tree: Tree) -> None:
        variable = tree[path]
        kept = {k: v for k, v in variable.attributes.items() if k not in ("_FillValue", "missing_value")}
        tree.put(path, Variable(variable.dims, np.full(variable.data.shape, b"x", "S1"), kept, np.dtype("S1")))
    return change


def _transposed(path: str) -> Change:
    def change(tree: Tree) -> None:
        variable = tree[path]
        tree.put(path, replace(variable, data=np.ascontiguousarray(variable.data.T), dims=variable.dims[::-1]))
    return change


def _first_only(path: str) -> Change:
    def change(tree: Tree) -> None:
        variable = tree[path]
        data = variable.data[0] if len(variable.data) else np.zeros(variable.data.shape[1:], variable.data.dtype)
        tree.put(path, replace(variable, data=np.asarray(data), dims=variable.dims[1:]))
    return change


def _one_more_dimension(path: str) -> Change:
    def change(tree: Tree) -> None:
        variable = tree[path]
        tree.dims["two_more"] = (2, False)
        tree.put(path, replace(variable, data=np.stack([variable.data] * 2, axis=-1), dims=(*variable.dims, "two_more")))
    return change


def _taken(dim: str, index: np.ndarray) -> Change:
    """Along a dimension only, or in the order of, `index`."""
    def change(tree: Tree) -> None:
        unlimited = tree.dims[dim][1]
        tree.dims[dim] = (len(index), unlimited or len(index) == 0)
        for path in tree.paths():
            variable = tree[path]
            if dim in variable.dims:
                data = variable.data
                for axis, name in enumerate(variable.dims):
                    data = np.take(data, index, axis=axis) if name == dim else data
                tree.put(path, replace(variable, data=data))
    return change


def _unlimited(dim: str) -> Change:
    return lambda tree: tree.dims.update({dim: (tree.dims[dim][0], True)})


def _swapped(role: Roles) -> Change:
    def change(tree: Tree) -> None:
        if not (role.lat and role.lon):
            return
        lat, lon = tree[role.lat], tree[role.lon]
        tree.put(role.lat, lon)
        tree.put(role.lon, lat)
    return change
