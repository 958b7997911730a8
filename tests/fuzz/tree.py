"""A NetCDF file in memory, to be changed and written again."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np


@dataclass
class Variable:
    """Raw numbers, without masks and scaling; attributes include `_FillValue`."""

    dims: tuple[str, ...]
    data: np.ndarray
    attributes: dict[str, Any] = field(default_factory=dict)
    kind: Any = None
    """dtype; `str` for strings."""

    @property
    def numeric(self) -> bool:
        return self.kind is not str and self.data.dtype.kind in "iuf"

    def of(self, data: np.ndarray, **attributes: Any) -> Variable:
        """The same with other numbers, and attributes changed; those that are None go."""
        merged = {name: value for name, value in (self.attributes | attributes).items() if value is not None}
        if data.dtype != self.data.dtype:
            merged = {name: np.asarray(value).astype(data.dtype)[()] if name in ("_FillValue", "missing_value") and
                      not isinstance(value, str) and name not in attributes else value for name, value in merged.items()}
        return replace(self, data=data, attributes=merged, kind=data.dtype if self.kind is not str else str)


@dataclass
class Tree:
    """A group: its dimensions (size, whether unlimited), variables, attributes and groups."""

    dims: dict[str, tuple[int, bool]] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, Tree] = field(default_factory=dict)

    def copy(self) -> Tree:
        """A tree that can be changed; the numbers are shared, and must be replaced, not changed."""
        return Tree(dict(self.dims), {n: replace(v, attributes=dict(v.attributes)) for n, v in self.variables.items()},
                    dict(self.attributes), {n: g.copy() for n, g in self.groups.items()})

    def all(self) -> Iterator[tuple[str, Tree, str]]:
        """(path, group that holds it, name) of every variable."""
        for name in self.variables:
            yield name, self, name
        for group_name, group in self.groups.items():
            for path, holder, name in group.all():
                yield f"{group_name}/{path}", holder, name

    def at(self, path: str) -> tuple[Tree, str]:
        """The group that holds a variable, and its name."""
        *groups, name = path.split("/")
        place = self
        for group in groups:
            place = place.groups[group]
        return place, name

    def __getitem__(self, path: str) -> Variable:
        place, name = self.at(path)
        return place.variables[name]

    def put(self, path: str, variable: Variable) -> None:
        place, name = self.at(path)
        place.variables[name] = variable

    def paths(self) -> list[str]:
        return [path for path, _, _ in self.all()]


def load(path: Path) -> tuple[Tree, str]:
    """The file's content and its format, such as "NETCDF4"."""
    with netCDF4.Dataset(path) as dataset:
        dataset.set_auto_maskandscale(False)
        dataset.set_auto_chartostring(False)
        return _load(dataset), dataset.data_model


def _load(group: netCDF4.Dataset) -> Tree:
    variables = {name: Variable(v.dimensions, np.asarray(v[...]), {a: v.getncattr(a) for a in v.ncattrs()}, v.dtype)
                 for name, v in group.variables.items()}
    return Tree({name: (len(d), d.isunlimited()) for name, d in group.dimensions.items()}, variables,
                {a: group.getncattr(a) for a in group.ncattrs()}, {name: _load(g) for name, g in group.groups.items()})


def write(tree: Tree, path: Path, form: str) -> None:
    """Write a tree in place of whatever is there."""
    path.unlink(missing_ok=True)
    with netCDF4.Dataset(path, "w", format=form) as dataset:
        _write(tree, dataset)


def _write(tree: Tree, group: netCDF4.Dataset) -> None:
    classic = group.data_model.startswith("NETCDF3")
    for name, (size, unlimited) in tree.dims.items():  # the classic model has records only as the first dimension
        first = all(v.dims.index(name) == 0 for v in tree.variables.values() if name in v.dims)
        group.createDimension(name, None if unlimited and (first or not classic) else size)
    for name, v in tree.variables.items():
        fill = v.attributes.get("_FillValue")
        variable = group.createVariable(name, v.kind, v.dims, fill_value=fill if fill is not None and v.kind is not str else None)
        variable.set_auto_maskandscale(False)
        variable.set_auto_chartostring(False)
        for key, value in v.attributes.items():
            if key != "_FillValue":
                _set(variable, key, value)
        if v.data.size:
            variable[...] = v.data
    for key, value in tree.attributes.items():
        _set(group, key, value)
    for name, child in tree.groups.items():
        _write(child, group.createGroup(name))


def _set(place: Any, key: str, value: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        place.setncattr(key, value)


def changed(tree: Tree, form: str, change: Callable[[Tree], None]) -> Callable[[Path], Path]:
    """A fault's `damage`: the file anew, after `change` has been at a copy of its tree."""
    def damage(path: Path) -> Path:
        copy = tree.copy()
        change(copy)
        write(copy, path, form)
        return path
    return damage
