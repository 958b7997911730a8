"""The page of the transport tests, in Markdown."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from transport_page.cases import MODES, Results, Row, range_text

#: l2 errors of TPCORE, measured with the same cell means and wall fluxes: (monotone, unlimited) by α; by cells around the equator
TPCORE_WILLIAMSON = {"0": (0.0985, 0.0412), "0.05": (0.0979, 0.0446), "π/2 − 0.05": (0.2283, 0.1932), "π/2": (0.2430, 0.2191)}
TPCORE = {("hills", "monotone"): {120: 0.229, 240: 0.0797, 360: 0.0360}, ("hills", "linear"): {120: 0.168, 240: 0.0438},
          ("bells", "monotone"): {120: 0.372, 240: 0.152}, ("bells", "linear"): {120: 0.305, 240: 0.111},
          ("cylinders", "monotone"): {120: 0.392, 240: 0.324}, ("cylinders", "linear"): {120: 0.364, 240: 0.303}}
MINIMAL_RESOLUTION_L2 = 0.033  # Lauritzen et al. (2012), section 3.2

INTRODUCTION = """# Transport: the published tests

Made by `tools/transport_tests`; do not edit. {command}

The flows, initial fields and measures are `mozart_coupling.embedded.idealised`; the tests that hold them to these figures are
`tests/science/test_transport_*.py`. The scheme is explained in [transport.md](transport.md). Errors compare the end with the start, which
is the exact solution; both are means over cells. l1, l2, l∞ are those of Williamson et al. (1992), over area, in three dimensions over
volume. Grids have points on the poles unless another is named; 120×61 is 3°, 240×121 1.5°. `linear` is unlimited and may overshoot;
`monotone` makes no new extrema. TPCORE is another implementation of this class of scheme, measured on the same grids, steps, initial means
and wall fluxes (l2 only).

Lauritzen et al. (2012) call the spacing at which the cosine bells' l2 error falls to 0.033 a scheme's minimal resolution. No table of other
models' errors was at hand to be checked number by number when these tests were written (Lauritzen et al. 2014 and Kent et al. 2014 hold
them), so none is quoted.
"""
DEFORMATION = """## Nair & Lauritzen (2010), case 4: deformation and return
Pairs of Gaussian hills, cosine bells and slotted cylinders, drawn out to thin filaments at T/2 and back at T = 12 days, while they go once
around.
"""
CORRELATED = """## Correlated tracers and filaments
χ (the cosine bells) and ξ = −0.8χ² + 0.9 at T/2: mean distance from the curve in shares of the initial ranges, of points inside its hull
(l_r, as air mixes), outside the hull but in range (l_u), out of range (l_o). Of DCMIP 1-1 these are q1 and q2 at half time, means over the
whole volume, hence small: the bells fill little of it.
"""
DIVERGENT = """## Divergent flow
Nair & Lauritzen (2010), the divergent flow with a zonal turn, T = 12 days. Air starts with 1 kg m⁻² everywhere, is carried by a
fourth-order scheme of its own, and its fluxes carry the tracers, as mixing ratios.
"""
GRIDS = """## The model's own grids
The cosine bell over the poles (α = π/2 − 0.05) and the hills' deformation and return. 128×64 is Gaussian, 144×96 and 288×192 have pole
points, 360×180 has cells that end there.
"""
DCMIP = """## DCMIP-2012: three dimensions
Isothermal (300 K), top at 12 km, levels equally spaced in height (third number of the grid). Fluxes through walls are integrated
analytically, so that continuity gives the prescribed vertical wind; no pressure fixer is involved.
"""
DCMIP_TESTS = {
    "1-1": """### 1-1, three-dimensional deformation
Two bells (q1), their parabola (q2), slotted ellipsoids (q3), and what makes the weighted sum one (q4); 12 days.
""",
    "1-2": """### 1-2, Hadley-like circulation
A layer between 2 and 5 km, drawn out by five cells and let back in a day. Nothing depends on longitude, so 16 longitudes are computed; the
grid named is the one whose cells are as wide as high.
""",
    "1-3": """### 1-3, thin clouds over orography
The sum of three clouds (q4), carried horizontally once around the sphere, through levels that follow ridges of up to 2 km, 5.6° from crest
to valley: on coarse grids each slope is one or two cells long, and clouds mix whenever they pass through levels there.
""",
}
SOURCES = """## Sources
Williamson, Drake, Hack, Jakob & Swarztrauber (1992), J. Comput. Phys. 102, 211 · Nair & Lauritzen (2010), J. Comput. Phys. 229, 8868 ·
Lauritzen & Thuburn (2012), Q. J. R. Meteorol. Soc. 138, 906 · Lauritzen, Skamarock, Prather & Taylor (2012), Geosci. Model Dev. 5, 887 ·
Lauritzen et al. (2014), Geosci. Model Dev. 7, 105 · Ullrich, Jablonowski, Kent, Lauritzen, Nair & Taylor (2012), DCMIP test case document
v1.7 · Kent, Ullrich & Jablonowski (2014), Q. J. R. Meteorol. Soc. 140, 1279 · Wicker & Skamarock (2002), Mon. Weather Rev. 130, 2088.
"""


def write(results: Results, path: Path, images: Path, command: str) -> None:
    """Write the page; figures are in `images`."""
    where = Path(os.path.relpath(images, path.parent)).as_posix()
    parts = [INTRODUCTION.format(command=command), williamson(results), deformation(results, where), convergence(results, where),
             correlated(results, where), divergent(results, where), grids(results), dcmip(results, where), seconds(results), SOURCES]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts), encoding="utf-8")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def number(value: float | None, digits: int = 3) -> str:
    """A number of some significant digits, plainly written."""
    if value is None:
        return "–"
    return "0" if value == 0.0 else np.format_float_positional(value, digits, fractional=False, unique=False, trim="-") \
        if abs(value) >= 1e-4 else f"{value:.{digits - 2}e}"


def _norms(row: Row) -> list[str]:
    return [number(row.norms.l1), number(row.norms.l2), number(row.norms.linf), range_text(row.norms.smallest, row.norms.largest)]


def williamson(results: Results) -> str:
    """Williamson et al. (1992), case 1."""
    rows = [[angle, mode, *_norms(row), number(TPCORE_WILLIAMSON[angle][mode == "linear"])]
            for angle in TPCORE_WILLIAMSON for mode in MODES for row in results.find("williamson", angle, mode)]
    return ("## Williamson et al. (1992), case 1\nA cosine bell once around the sphere in 12 days, axis tilted by α; 128×65, 256 steps.\n\n"
            + table(("α", "mode", "l1", "l2", "l∞", "range", "TPCORE l2"), rows))


def deformation(results: Results, where: str) -> str:
    """Nair & Lauritzen (2010), case 4."""
    rows = [[tracer, mode, row.grid, str(row.steps), *_norms(row), number(TPCORE[tracer, mode].get(int(row.grid.split("x")[0])))]
            for tracer in ("hills", "bells", "cylinders") for mode in MODES for row in results.find("deformation", tracer, mode)]
    return (DEFORMATION + "\n" + table(("tracer", "mode", "grid", "steps", "l1", "l2", "l∞", "range", "TPCORE l2"), rows)
            + f"\n![Cosine bells]({where}/bells.png)\n\n![Slotted cylinders]({where}/cylinders.png)\n")


def convergence(results: Results, where: str) -> str:
    """Orders between neighbouring resolutions."""
    rows = []
    for test in ("deformation", "divergent"):
        for tracer in ("hills", "bells"):
            for mode in MODES:
                found = [(int(row.grid.split("x")[0]), row.norms.l2) for row in results.find(test, tracer, mode)]
                orders = [f"{np.log(a[1] / b[1]) / np.log(b[0] / a[0]):.2f} ({360 / a[0]:g}° → {360 / b[0]:g}°)"
                          for a, b in zip(found, found[1:], strict=False)]
                rows.append([test, tracer, mode, ", ".join(orders)])
    minimal = [f"{mode} {minimal_resolution(results, mode)}" for mode in MODES]
    text = f"Minimal resolution by that definition (l2 of the bells = {MINIMAL_RESOLUTION_L2}): {', '.join(minimal)}.\n\n"
    return ("## Convergence\nOrder of the l2 error between neighbouring resolutions, steps shortened with the cells.\n\n"
            + table(("flow", "tracer", "mode", "orders"), rows) + "\n" + text + f"![Convergence]({where}/convergence.png)\n")


def minimal_resolution(results: Results, mode: str) -> str:
    """Spacing at which the bells' l2 error is what Lauritzen et al. (2012) ask for, interpolated between runs."""
    found = [(360.0 / int(row.grid.split("x")[0]), row.norms.l2) for row in results.find("deformation", "bells", mode)]
    spacing, error = (np.log(column) for column in zip(*found, strict=True))
    if error.min() > np.log(MINIMAL_RESOLUTION_L2):
        return f"finer than {found[-1][0]:g}°"
    return f"{np.exp(np.interp(np.log(MINIMAL_RESOLUTION_L2), error[::-1], spacing[::-1])):.2f}°"


def correlated(results: Results, where: str) -> str:
    """Lauritzen & Thuburn (2012); Lauritzen et al. (2012)."""
    rows = [[test, grid, mode, *(f"{value:.2e}" for value in (found.real, found.unmixing, found.overshooting))]
            for (test, grid, mode), found in results.mixing.items()]
    some = [0, 4, 8, 12, 16, 17, 18]
    shown = [[grid, mode, *(f"{values[n]:.1f}" for n in some)] for (grid, mode), values in results.filaments.items()]
    return (CORRELATED + "\n" + table(("flow", "grid", "mode", "l_r", "l_u", "l_o"), rows)
            + f"\n![Correlated tracers at T/2]({where}/correlated.png)\n\n"
            + "Filaments: area where χ ≥ τ at T/2 in percent of that at the start, l_f(τ); 100 is exact.\n\n"
            + table(("grid", "mode", *(f"τ = {0.1 + 0.05 * n:g}" for n in some)), shown) + f"\n![Filaments]({where}/filaments.png)\n")


def divergent(results: Results, where: str) -> str:
    """Nair & Lauritzen (2010), divergent flow."""
    rows = [[tracer, mode, row.grid, str(row.steps), *_norms(row)]
            for tracer in ("hills", "bells", "cylinders") for mode in MODES for row in results.find("divergent", tracer, mode)]
    air = [[key, number(value), *(f"{results.air[key, mode]:.0e}" for mode in MODES)]
           for key, value in results.air.items() if isinstance(key, str)]
    return (DIVERGENT + "\n" + table(("tracer", "mode", "grid", "steps", "l1", "l2", "l∞", "range"), rows) + "\n"
            + table(("grid", "l2 error of the air", *(f"largest change of a uniform tracer, {mode}" for mode in MODES)), air)
            + f"\n![Divergent flow]({where}/divergent.png)\n")


def grids(results: Results) -> str:
    """The grids of the model."""
    rows = []
    for name, mode in results.invariants:
        bell, hills = (next(results.find("grids", tracer, mode, name)) for tracer in ("bell", "hills"))
        change, drift = results.invariants[name, mode]
        rows.append([name, mode, str(bell.steps), number(bell.norms.l2), number(hills.norms.l2), f"{change:.0e}", f"{drift:.0e}"])
    head = ("grid", "mode", "steps", "bell l2", "hills l2", "change of a uniform tracer", "change of tracer mass")
    return GRIDS + "\n" + table(head, rows)


def dcmip(results: Results, where: str) -> str:
    """DCMIP-2012, category 1."""
    text = DCMIP + "\n"
    for name, words in DCMIP_TESTS.items():
        rows = [[row.tracer, row.mode, row.grid, str(row.steps), *_norms(row)]
                for row in sorted((row for row in results.rows if row.test == name), key=lambda row: (row.tracer, -MODES.index(row.mode)))]
        text += words + "\n" + table(("tracer", "mode", "grid", "steps", "l1", "l2", "l∞", "range"), rows)
        text += f"\n![DCMIP {name}]({where}/dcmip-{name}.png)\n\n"
    return text


def seconds(results: Results) -> str:
    """What it cost."""
    return ("## Cost\nCPU seconds of each part when this page was made: "
            + ", ".join(f"{name.replace('_', ' ')} {value:.0f}" for name, value in results.seconds.items()) + ".\n")
