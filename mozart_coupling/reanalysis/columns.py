"""One record of a source on the model's grid and levels.

Horizontally a layer's fields are means over the overlap of cells, weighted by the mass of air (Δp × area); vertically their exact
integrals are shared out (`vertical`). So ∫∫ x dp dA of u, v, T and q is the source's, up to the uniform shift of surface pressure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mozart_coupling.embedded.levels import P0, level_pressure
from mozart_coupling.errors import MetError
from mozart_coupling.grids import Grid, regrid
from mozart_coupling.reanalysis.catalogue import Catalogue
from mozart_coupling.reanalysis.levels import checked_levels, published_levels
from mozart_coupling.reanalysis.names import FILLED_WITH_ZERO, Product, unit_factor
from mozart_coupling.reanalysis.parts import RECORD_VALUES, fix_pole_winds
from mozart_coupling.reanalysis.timing import Series, Term
from mozart_coupling.reanalysis.vertical import LayerRemap, ProfileRemap, faces_to_faces, fill_downward

STATE = ("T", "U", "V", "Q")
GEOS_TOP = 1.0  # Pa
LARGEST_SHIFT = 1500.0  # Pa; beyond it the pressure is no surface pressure of this planet
LARGEST_DISAGREEMENT = 100.0  # Pa between PS and the sum of DELP

Terms = tuple[Term, ...]


@dataclass(frozen=True)
class Structure:
    """The vertical structure of a source.

    Attributes
    ----------
    kind
        "hybrid": p = a + b ps at interfaces; "thickness": DELP is given; "pressure": values at fixed pressures.
    a, b
        Interfaces (n+1,) [Pa], [1]; empty unless known.
    pressures
        (n,) [Pa], ascending; empty unless "pressure".
    order
        Of the levels of a file, top first (n,).
    """

    kind: str
    a: np.ndarray
    b: np.ndarray
    pressures: np.ndarray
    order: np.ndarray
    text: str


def structure_of(catalogue: Catalogue, product: Product, series: dict[str, Series]) -> Structure:
    """Find out where the layers are.

    Raises
    ------
    MetError
        Levels that are missing, not monotone, or of which nothing says where they are.
    """
    first = series["T"].first
    nothing = np.empty(0)
    pressures = first.pressure_levels
    if pressures is not None:
        order = np.argsort(pressures)
        if np.any(np.diff(pressures[order]) <= 0.0) or pressures.size < 3:
            raise MetError("pressure levels must be at least three, all different", first.where, pressures.tolist())
        return Structure("pressure", nothing, nothing, pressures[order], order, f"{order.size} pressure levels")
    if product.centred:
        return _geos_structure(catalogue, series, np.arange(first.n_levels))
    numbers = first.level_numbers
    if np.unique(numbers).size != numbers.size:
        raise MetError("a model level is given twice", first.where, numbers.tolist())
    order = np.argsort(numbers)
    given = catalogue.coefficients()
    n_levels = given[0].size - 1 if given else product.n_levels
    sorted_numbers = numbers[order]
    complete = np.arange(n_levels - numbers.size + 1, n_levels + 1)
    if not np.array_equal(sorted_numbers, complete):
        lacking = sorted(set(range(int(sorted_numbers[0]), n_levels + 1)) - set(sorted_numbers.tolist()))
        without = f", without {', '.join(map(str, lacking[:10]))}" if lacking else ""
        raise MetError("model levels are missing", first.where,
                       f"{numbers.size} levels, {sorted_numbers[0]} … {sorted_numbers[-1]}{without}",
                       f"all levels down to {n_levels}, the ground",
                       "" if given else f"{product.title} has {n_levels}; other models' files need coefficients (GRIB, or hyai and hybi).")
    a, b, where = given if given else (*published_levels(n_levels), f"the published table of {n_levels} levels")
    a, b = checked_levels(a, b, where)
    keep = slice(n_levels - numbers.size, None)
    return Structure("hybrid", a[keep], b[keep], nothing, order, f"{numbers.size} model levels, coefficients from {where}")


def _geos_structure(catalogue: Catalogue, series: dict[str, Series], order: np.ndarray) -> Structure:
    """Layers of GEOS files; those written for GEOS-Chem have the ground first, which pressure or vapour tell."""
    nothing = np.empty(0)
    judge = series.get("DELP") or series["Q"]
    ends = [_layers(judge, (judge.static,), slice(k, k + 1), order)[0].mean() for k in (0, order.size - 1)]
    if ends[0] > ends[1]:
        order = order[::-1]
    given = catalogue.coefficients() or ((*table, f"the published table of {order.size} levels")
                                         if (table := published_levels(order.size)) else None)
    a = b = nothing
    if given and given[0].size == order.size + 1:
        turn = slice(None, None, -1 if given[1][0] == 1.0 else 1)  # these files may have the ground first
        a, b = checked_levels(given[0][turn], given[1][turn], given[2])
    if "DELP" in series:
        return Structure("thickness", a, b, nothing, order, f"{order.size} model levels, thicknesses from DELP")
    if a.size:
        return Structure("hybrid", a, b, nothing, order, f"{order.size} model levels, coefficients from {given[2]}")
    raise MetError("nothing says where the levels are", series["T"].first.where, f"{order.size} levels",
                   "DELP, hyai and hybi, or the 72 levels of GEOS")


@dataclass(frozen=True)
class Columns:
    """Fields of one time on the model's grid: surface pressure (as shifted), the shift [Pa], and what the contract calls them."""

    ps: np.ndarray
    shift: float
    fields: dict[str, np.ndarray]


def state_columns(structure: Structure, series: dict[str, Series], terms: dict[str, Terms], grid: Grid,
                  levels: tuple[np.ndarray, np.ndarray], mean_pressure: float | None) -> Columns:
    """T, U, V, Q, PS, and CMFMC where `terms` has it, of one time.

    Parameters
    ----------
    terms
        Field → the records that make it at this time.
    levels
        hyai, hybi of the model.
    mean_pressure
        Global mean surface pressure to be shifted to [Pa]; None: no shift.

    Raises
    ------
    MetError
        NaN, other units, a surface pressure that cannot be, levels upside down.
    """
    source = series["T"].first.grid
    native = surface(series["PS"], terms["PS"], "PS") if "PS" in terms else None
    layers, thickness = _on_grid(structure, series, terms, native, source, grid)
    if structure.kind == "thickness":
        faces = np.concatenate([np.full((1, *grid.shape), GEOS_TOP), GEOS_TOP + np.cumsum(thickness, axis=0)])
        ps = faces[-1].copy()
        apart = 0.0 if native is None else np.abs(regrid(native, source, grid) - ps).max()
        if apart > LARGEST_DISAGREEMENT:
            raise MetError("PS and the sum of DELP disagree", _where(terms["DELP"]), f"{apart:.4g} Pa",
                           f"at most {LARGEST_DISAGREEMENT:g} Pa")
    else:
        ps = regrid(native, source, grid)
    shift = _shift(ps, grid, mean_pressure, _where(terms.get("PS", terms.get("DELP"))))
    target = level_pressure(*levels, ps + shift)
    if structure.kind == "pressure":
        remap = ProfileRemap(structure.pressures, target)
    else:
        if structure.kind == "hybrid":
            faces = level_pressure(structure.a / P0, structure.b, ps + shift)
        else:
            faces = faces + shift * (structure.b[:, None, None] if structure.b.size else (faces - GEOS_TOP) / (ps - GEOS_TOP))
        remap = LayerRemap(faces, target)
    fields = {name: remap(values) for name, values in layers.items()}
    if fields["Q"][0].mean() > 1.001 * fields["Q"][-1].mean():
        raise MetError("levels are upside down", _where(terms["Q"]), "more vapour in the first level than in the last", "level 1 on top",
                       "The level coordinate and the data contradict each other.")
    if "CMFMC" in terms and structure.kind != "pressure":
        flux = _layers(series["CMFMC"], terms["CMFMC"], slice(None), _face_order(structure.order))
        fields["CMFMC"] = faces_to_faces(faces, regrid(flux, series["CMFMC"].first.grid, grid), target)
    return Columns(ps + shift, shift, fields)


def _on_grid(structure: Structure, series: dict[str, Series], terms: dict[str, Terms], native: np.ndarray | None, source: Grid,
             grid: Grid) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Means of the source's layers over the model's cells (n, nlat, nlon), and the layers' thickness there [Pa]."""
    n = structure.order.size
    layers = {name: np.empty((n, *grid.shape)) for name in STATE}
    known = {name: np.ones((n, *grid.shape), dtype=bool) for name in STATE}
    thickness = np.empty((n, *grid.shape))
    for block in _blocks(n, source):
        air = _air(structure, series, terms, native, block, source)
        thickness[block] = regrid(air, source, grid)
        own = {name: _layers(series[name], terms[name], block, structure.order, check=structure.kind != "pressure") for name in STATE}
        fix_pole_winds(own["U"], own["V"], source)
        for name, values in own.items():
            if structure.kind == "pressure":
                there = _above_ground(values, structure.pressures[block], native, terms[name], series[name])
                weight = regrid(there, source, grid)
                known[name][block] = weight > 0.0
                layers[name][block] = regrid(np.where(there > 0.0, values, 0.0), source, grid) / np.where(weight > 0.0, weight, 1.0)
            else:
                layers[name][block] = regrid(values * air, source, grid) / thickness[block]
    if structure.kind == "pressure":
        layers = {name: fill_downward(values, known[name]) for name, values in layers.items()}
    return layers, thickness


def _blocks(n: int, source: Grid) -> Iterator[slice]:
    size = max(1, RECORD_VALUES // (source.nlat * source.nlon))
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def _air(structure: Structure, series: dict[str, Series], terms: dict[str, Terms], native: np.ndarray | None, block: slice,
         source: Grid) -> np.ndarray:
    """Thickness of the layers on the source's grid [Pa]; 1 for pressure levels."""
    if structure.kind == "pressure":
        return np.ones((block.stop - block.start, *source.shape))
    if structure.kind == "thickness":
        return _layers(series["DELP"], terms["DELP"], block, structure.order)
    column = (slice(None), None, None)
    return np.diff(structure.a)[block][column] + np.diff(structure.b)[block][column] * native


def _above_ground(values: np.ndarray, pressures: np.ndarray, native: np.ndarray, terms: Terms, series: Series) -> np.ndarray:
    """1 where a pressure level has a value, 0 where it is below the ground and has none."""
    there = np.isfinite(values)
    below = pressures[:, None, None] > native - 100.0
    if not (there | below).all():
        _refuse_nan(np.where(below, 0.0, values), terms[0], series)
    return there.astype(np.float64)


def _face_order(order: np.ndarray) -> np.ndarray:
    """Of interfaces, as `order` is of layers."""
    faces = np.arange(order.size + 1)
    return faces if order[0] < order[-1] else faces[::-1]


def _layers(series: Series, terms: Terms, block: slice, order: np.ndarray, check: bool = True) -> np.ndarray:
    """Some levels, top first, of a linear combination of records, in the expected unit."""
    wanted = order[block]
    low = int(wanted.min())
    total = None
    for term in terms:
        values = term.part.read(term.stamp, slice(low, int(wanted.max()) + 1))[wanted - low]
        if check:
            _refuse_nan(values, term, series)
        values *= term.weight * series.option.factor * unit_factor(series.option.units, term.part.units, term.part.where)
        total = values if total is None else total + values
    return total


def surface(series: Series, terms: Terms, field: str) -> np.ndarray:
    """A surface field on its own grid (nlat, nlon), in the contract's unit; lnsp becomes a pressure.

    Raises
    ------
    MetError
        NaN where there must be none, other units.
    """
    total = np.zeros(series.first.grid.shape)
    for term in terms:
        values = term.part.read(term.stamp, _level_one(term)) if term.part.n_levels else term.part.read(term.stamp)
        values = values[0] if values.ndim == 3 else values
        if field in FILLED_WITH_ZERO:
            values = np.where(np.isfinite(values), values, 0.0)
        _refuse_nan(values, term, series)
        values = np.exp(values) if term.part.name.lower() == "lnsp" else values
        total += term.weight * unit_factor(series.option.units, term.part.units, term.part.where) * values
    return series.option.factor * total


def _level_one(term: Term) -> slice:
    place = int(np.argmin(term.part.level_numbers))
    return slice(place, place + 1)


def _shift(ps: np.ndarray, grid: Grid, mean_pressure: float | None, where: str) -> float:
    mean = float((ps * grid.area).sum() / grid.area.sum())
    if mean_pressure is None:
        return 0.0
    if abs(mean_pressure - mean) > LARGEST_SHIFT:
        raise MetError("this is not the earth's surface pressure", where, f"global mean {mean:.6g} Pa",
                       f"{mean_pressure:g} ± {LARGEST_SHIFT:g} Pa", "Is it mean sea level pressure, hPa, or part of the globe?")
    return mean_pressure - mean


def _refuse_nan(values: np.ndarray, term: Term, series: Series) -> None:
    wrong = ~np.isfinite(values)
    if not wrong.any():
        return
    place = np.argwhere(wrong)[0]
    grid = series.first.grid
    raise MetError("a field has NaN or fill values", f"{term.part.where}, {term.stamp.valid}",
                   f"{np.count_nonzero(wrong)} of {values.size} values, the first at {grid.lat[place[-2]]:g}N {grid.lon[place[-1]]:g}E",
                   "numbers everywhere", "Fetch that time again.")


def _where(terms: Terms) -> str:
    return f"{terms[0].part.where}, {terms[0].stamp.valid}"
