"""What the page shows: runs of `mozart_coupling.embedded.idealised` at several resolutions, in both modes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from mozart_coupling.embedded import idealised
from mozart_coupling.embedded.idealised import dcmip, orography
from mozart_coupling.embedded.idealised.dcmip import Case
from mozart_coupling.grids import Grid

MODES = ("monotone", "linear")
FIELDS = {"hills": idealised.gaussian_hills, "bells": idealised.cosine_bells, "cylinders": idealised.slotted_cylinders}
ANGLES = {"0": 0.0, "0.05": 0.05, "π/2 − 0.05": np.pi / 2 - 0.05, "π/2": np.pi / 2}
THRESHOLDS = np.linspace(0.1, 1.0, 19)
#: cells around a circle of latitude, steps in 12 days: 6, 3, 1.5, 1 and 0.75 degrees
LADDER = {60: 144, 120: 288, 240: 576, 360: 864, 480: 1152}
#: cells around a circle of latitude and steps of 1-1 and 1-3, by detail
_RUNS_3D = (((120, 144),), ((120, 144),), ((120, 288), (240, 576)))
MODEL_GRIDS = {"128x64": 288, "144x96": 360, "288x192": 720, "360x180": 864}


@dataclass(frozen=True)
class Row:
    """One tracer's errors in one run."""

    test: str
    grid: str
    steps: int
    mode: str
    tracer: str
    norms: idealised.Norms


@dataclass
class Results:
    """All that the tables and figures are made of.

    Attributes
    ----------
    rows
        Norms.
    mixing
        (test, grid, mode) → mixing diagnostics at half time.
    filaments
        (grid, mode) → l_f at `THRESHOLDS` [%].
    air
        Grid → l2 error of the air's density in the divergent flow; (grid, mode) → largest change of a uniform tracer.
    invariants
        (grid, mode) → largest change of a uniform tracer, relative change of tracer mass.
    maps
        Name → fields for figures.
    seconds
        Part → CPU seconds.
    """

    rows: list[Row] = field(default_factory=list)
    mixing: dict[tuple[str, str, str], idealised.Mixing] = field(default_factory=dict)
    filaments: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    air: dict[object, float] = field(default_factory=dict)
    invariants: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    maps: dict[str, object] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def find(self, test: str, tracer: str, mode: str, grid: str | None = None) -> Iterator[Row]:
        """Rows of a test, in the order of running."""
        return (row for row in self.rows if (row.test, row.tracer, row.mode) == (test, tracer, mode) and grid in (None, row.grid))

    def add(self, test: str, grid: str, steps: int, mode: str, tracers: dict[str, tuple[np.ndarray, np.ndarray]], weight: object) -> None:
        """Norms of results and exact solutions, by tracer."""
        for name, (result, exact) in tracers.items():
            self.rows.append(Row(test, grid, steps, mode, name, idealised.norms(result, exact, weight)))


def range_text(smallest: float, largest: float) -> str:
    """Extremes of a field, without a minus before a zero."""
    low, high = (round(value, 3) + 0.0 for value in (smallest, largest))
    return f"{low:.3f} … {high:.3f}"


def run_all(detail: int, threads: int, report: Callable[[str], None]) -> Results:
    """Every part. `detail` 0: down to 3 degrees and 30 levels; 1: all resolutions on the sphere, three dimensions as 0; 2: all."""
    results = Results()
    parts = (williamson, deformation, divergent, model_grids, deformation_3d, hadley, thin_clouds)
    for part in parts:
        began, began_wall = time.process_time(), time.monotonic()
        part(results, detail, threads)
        results.seconds[part.__name__] = time.process_time() - began
        report(f"{part.__name__}: {results.seconds[part.__name__]:.0f} s CPU, {time.monotonic() - began_wall:.0f} s")
    return results


def williamson(results: Results, detail: int, threads: int) -> None:
    """The cosine bell once around the sphere, on TPCORE's grid."""
    grid = Grid.with_poles(128, 65)
    bell = idealised.cell_means(idealised.cosine_bell, grid)
    for mode in MODES:
        for name, alpha in ANGLES.items():
            found = idealised.carry(idealised.solid_body(alpha), grid, bell[None], 256, mode, threads=threads)[0]
            results.add("williamson", grid.name, 256, mode, {name: (found, bell)}, grid)


def deformation(results: Results, detail: int, threads: int) -> None:
    """Deformation and return; correlated tracers and filaments at half time."""
    for nlon in list(LADDER)[: None if detail else 2]:
        grid, steps = Grid.with_poles(nlon, nlon // 2 + 1), LADDER[nlon]
        start = {name: idealised.cell_means(value, grid) for name, value in FIELDS.items()}
        start["correlated"] = idealised.correlated(start["bells"])
        for mode in MODES:
            half = idealised.carry(idealised.deformation, grid, np.stack(list(start.values())), steps // 2, mode,
                                   idealised.PERIOD_S / 2, threads)
            final = idealised.carry(idealised.deformation, grid, half, steps // 2, mode, idealised.PERIOD_S / 2, threads,
                                    begin=idealised.PERIOD_S / 2)
            results.add("deformation", grid.name, steps, mode, dict(zip(start, zip(final, start.values(), strict=True), strict=True)), grid)
            chi, xi = half[1], half[3]
            results.mixing["2-D", grid.name, mode] = idealised.mixing(chi, xi, grid.area)
            results.filaments[grid.name, mode] = idealised.filaments(chi, start["bells"], grid.area, THRESHOLDS)
            results.maps[f"deformation {nlon} {mode}"] = (grid, np.stack(list(start.values())), half, final)


def divergent(results: Results, detail: int, threads: int) -> None:
    """The divergent flow: mixing ratios return, so does the air, and a uniform tracer stays uniform."""
    for nlon in list(LADDER)[: 3 if detail else 2]:
        grid, steps = Grid.with_poles(nlon, nlon // 2 + 1), LADDER[nlon]
        start = {name: idealised.cell_means(value, grid) for name, value in FIELDS.items()}
        fields = np.stack([*start.values(), np.ones(grid.shape)])
        for mode in MODES:
            final, density = idealised.carry_divergent(grid, fields, steps, mode, threads=threads)
            results.add("divergent", grid.name, steps, mode, dict(zip(start, zip(final, start.values(), strict=False), strict=True)), grid)
            results.air[grid.name] = idealised.norms(density, np.ones(grid.shape), grid).l2
            results.air[grid.name, mode] = float(np.abs(final[-1] - 1.0).max())
            if nlon == 120:
                half, air = idealised.carry_divergent(grid, fields, steps // 2, mode, idealised.PERIOD_S / 2, threads)
                results.maps[f"divergent {mode}"] = (grid, fields, half, final, air)


def model_grids(results: Results, detail: int, threads: int) -> None:
    """The cosine bell over the poles, and the hills' deformation, on the grids that the model is run on."""
    for name in list(MODEL_GRIDS)[: None if detail else 2]:
        grid, steps = Grid.named(name), MODEL_GRIDS[name]
        bell, hills = (idealised.cell_means(value, grid) for value in (idealised.cosine_bell, idealised.gaussian_hills))
        uniform = np.full(grid.shape, 4.0e-4)
        for mode in MODES:
            over = idealised.carry(idealised.solid_body(np.pi / 2 - 0.05), grid, np.stack([bell, uniform]), steps, mode, threads=threads)
            results.add("grids", name, steps, mode, {"bell": (over[0], bell)}, grid)
            back = idealised.carry(idealised.deformation, grid, np.stack([hills, uniform]), steps, mode, threads=threads)
            results.add("grids", name, steps, mode, {"hills": (back[0], hills)}, grid)
            drift = max(abs((grid.area * (after - before)).sum() / (grid.area * before).sum())
                        for after, before in ((over[0], bell), (back[0], hills)))
            change = max(np.abs(found[1] / 4.0e-4 - 1.0).max() for found in (over, back))
            results.invariants[name, mode] = (float(change), float(drift))


def _carry_3d(results: Results, case: Case, steps: int, mode: str, threads: int, keep: str = "", grid: str = "") -> None:
    middle: list[np.ndarray] = []
    final = dcmip.run(case, steps, mode, threads, middle.append)
    name = grid or f"{case.grid.name}x{case.height.size - 1}"
    results.add(case.name, name, steps, mode, dict(zip(case.tracers, zip(final, case.start, strict=True), strict=True)), case.weight)
    if {"q1", "q2"} <= set(case.tracers):
        chi, xi = (middle[0][case.tracers.index(tracer)] for tracer in ("q1", "q2"))
        results.mixing[case.name, name, mode] = idealised.mixing(chi, xi, case.weight, dcmip.Q1_RANGE)
    if keep:
        results.maps[f"{keep} {mode}"] = (case, middle[0], final)


def deformation_3d(results: Results, detail: int, threads: int) -> None:
    """DCMIP 1-1."""
    for nlon, steps in _RUNS_3D[detail]:
        case = dcmip.deformation_3d(Grid.with_poles(nlon, nlon // 2 + 1), 60 if detail == 2 else 30)
        for mode in MODES:
            _carry_3d(results, case, steps, mode, threads, keep="1-1" if nlon == 120 else "")


def hadley(results: Results, detail: int, threads: int) -> None:
    """DCMIP 1-2; nothing in it depends on longitude, so 16 of them are enough for any resolution."""
    for nlat, levels, steps in ((91, 30, 96), (91, 60, 96), (181, 60, 144), (181, 120, 288)) if detail == 2 else ((61, 30, 48),):
        case = dcmip.hadley(Grid.with_poles(16, nlat), levels)
        for mode in MODES:
            _carry_3d(results, case, steps, mode, threads, keep="1-2" if detail < 2 or (nlat, levels) == (181, 60) else "",
                      grid=f"{2 * (nlat - 1)}x{nlat}x{levels}")


def thin_clouds(results: Results, detail: int, threads: int) -> None:
    """DCMIP 1-3, the sum of the clouds."""
    for nlon, steps in _RUNS_3D[detail]:
        case = orography.thin_clouds(Grid.with_poles(nlon, nlon // 2 + 1), 60 if detail == 2 else 30).only("q4")
        for mode in MODES:
            _carry_3d(results, case, steps, mode, threads, keep="1-3" if nlon == _RUNS_3D[detail][-1][0] else "")
