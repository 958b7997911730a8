"""The realism page, in Markdown."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from . import figures, measures
from .measures import Run
from .published import LINES, SOURCES, WHY, Line
from .tracers import SF6

INTRODUCTION = """# Transport: realism

Made by `tools/transport_realism`; do not edit.{command}

Six tracers whose behaviour in the atmosphere is published go through the transport core in one run of {months} months, with boundary layer
and convection, in steps of {minutes} minutes; the last twelve months are measured. {grids} Definitions are in
`tools/realism/tracers.py` and `measures.py`; `tests/science/test_transport_realism.py` holds them to exact solutions.
{winds}
A circulation that is drawn or idealised need not agree with the atmosphere: the page is there to say where it does.
"""
WINDS = {
    "analytic": "The **analytic circulation** ([meteorology.md](meteorology.md)) is that of the demo and of most tests, 3-hourly, seed 1.",
    "primitive": "The **primitive equations** are a dry year of `tools/primitive_equations` (T42, 28 levels, 6-hourly), repeated;\n"
                 "boundary layer and convection are the analytic circulation's climate.",
}
TABLE = """## Measured and published
| | {names} | published | inside |
|---|{rules}---|---|
"""
WAY = """### The way south
SF6 that is less at the second place than at the first, which sums to the line of the lag, and the age at the second place; both in years.
| from … to | {names} |
|---|{rules}
{rows}"""
EXPERIMENTS = """## Experiments
Where a reason above says *experiment*, it is one of these: one thing changed in the analytic circulation (or what is said) on 64×32×28
cells, beside an unchanged run from the same start. Where the line is a year's, 14 months of which the last twelve are measured; where it
is February's, the second month from January. Grid and length are not the table's, hence other values: only what moves counts
(`tools/realism/experiments.py`).
{table}"""
DEFINITIONS = """## What is meant
**SF6-like tracer**: a steady source on land between 30 and 60°N, no sink; unit: what the global mean grows by in a year. Two boxes of equal
mass, the source in the northern one: dC_S/dt = (C_N − C_S)/τ, integrated over the measured year,

    τ = mean(C_N − C_S) / (C_S(end) − C_S(start)).

C_S on the right is the mean of all southern air, the difference that of all air, of the troposphere or of the lowest layer: sources lie
near the ground, so the same exchange gives three numbers. The start is sin(latitude), a year between hemispheres. The lag's reference was
the ground at first and was moved to 850 hPa when it was seen that the ground over the sources holds the nights' emissions (2.5 yr then).

**Age**: a clock is held at the time in the lowest layer between 30 and 50°N; air keeps the time that it saw there last, mixed. Age is now
less that, the mean over all ways of the transit time, from 0.65 (1 − sin latitude) years at the start. Southern ages are not settled
after two years; by how much they still grew is said above. On 64×32 cells the analytic circulation was run for 38 months: the age at
900 hPa, 40-70°S is 1.73 yr in the mean of the second year and 2.07 in that of the last twelve months, which still add 0.2, while the lag
(2.15, 2.16) and τ of the troposphere (0.96, 0.98) hardly move. The stratosphere (top at 2.7 hPa, few levels) is not settled either:
nothing is said of it.

**Radon-222**: 1 atom cm⁻² s⁻¹ from land, half of it between 60 and 70°N, none further poleward; half-life 3.82 days, the decay exact over
each step. Profiles are means over cells of at least nine tenths land between 30 and 60°N at 13 to 16 h local time. Boreal land: cells of at
least half land; the geometric mean is that of all hours and cells of the year, weighted by area (an arithmetic mean was compared until the
published one was seen to be geometric: 6.07 and 5.99 Bq m⁻³ then). Northern soils may emit less than is taken here: from 1 at 30°N to 0.2
at 70°N (Conen & Robertson 2002), or a third where they are frozen, which Zhang et al. (2021) found too little in winter. Both were tried as
experiments; the source was not changed.

**Rectifier**: the biosphere of the synthetic experiments, each cell's annual mean taken off ({flux} Pg C of uptake in the growing seasons
of all cells), once with its day and once as daily means. What remains in the annual mean at the ground is made by transport alone.

**Polar age**: days since the air was last equatorward of 70°, at any height.

**What the last change of the climate did** (deep convection over summer land by rain and its published efficiency; sea ice with satellites'
extents and a stable layer: [meteorology.md](meteorology.md)), before → after, analytic circulation; primitive equations:
| | analytic | primitive |
|---|---|---|
| radon above the boundary layer, summer | 0.364 → 0.416 | 0.490 → 0.520 |
| radon above 5.5 km, summer | 0.063 → 0.134 | 0.079 → 0.134 |
| rectifier 60-90°N (ppm) | −1.67 → −1.28 | 0.04 → 0.25 |
| rectifier 30-60°N (ppm) | −0.19 → 0.24 | 0.47 → 0.56 |
| SF6 lag at 250 hPa, 50-60°S (yr) | 2.49 → 2.22 | 3.20 → 3.04 |
| Arctic age at the ground, winter, summer (d) | 8.4, 12.6 → 8.8, 13.0 | 21.5, 19.3 → 21.5, 19.5 |

Worse, though inside: Arctic ages of the analytic circulation. Not mended: radon over summer land still has a minimum at 5 km (in a standard
cubic metre 0.22 Bq, 0.58 at 8 km), between the tops of shallow clouds and where deep ones let out most; mean profiles fall with height. The
primitive equations' winds are the same before and after.

**Grid**: the analytic circulation was run on 64×32 cells too. Polar ages depend on the grid (14.1, 22.7 and 6.4 days in the Arctic there,
17.4 in the Antarctic: caps are wider), and so do the small rectifiers at 30-60°N (0.54 and, without the day, −0.10 ppm); every other line
of the table moves by 12 % at most (all of this before convection and sea ice were changed). Steps of
30 minutes: see the experiments.
"""


def write(runs: Mapping[str, Run], out: Path, experiments: str = "") -> Path:
    """Figures into `out`/images/realism, the page into `out`/science/transport-realism.md; gives the page's path.

    `experiments`: their table, in Markdown.
    """
    images = out / "images" / "realism"
    figures.draw_all(runs, images)
    path = out / "science" / "transport-realism.md"
    where = Path(os.path.relpath(images, path.parent)).as_posix()
    first = next(iter(runs.values()))
    parts = [INTRODUCTION.format(command=_command(runs), months=len(first["mass"]), minutes=round(float(first["timestep"]) / 60.0),
                                 grids=_grids(runs), winds="\n".join(WINDS[name] for name in runs)),
             table(runs), misses(runs), way_south(runs), remarks(runs),
             EXPERIMENTS.format(table=experiments) if experiments else "",
             DEFINITIONS.format(flux=f"{float(first['growing_season_flux']):.1f}"),
             pictures(where), SOURCES]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(filter(None, parts)), encoding="utf-8")
    return path


def table(runs: Mapping[str, Run]) -> str:
    """Every line with its values."""
    text = TABLE.format(names=" | ".join(figures.TITLES[name] for name in runs), rules="---|" * len(runs))
    for line in LINES:
        values = [line.measure(run) for run in runs.values()]
        verdicts = [{True: "yes", False: "**no**", None: "–"}[line.holds(value)] for value in values]
        inside = verdicts[0] if len(set(verdicts)) == 1 else ", ".join(verdicts)
        shown = " | ".join("–" if np.isnan(value) else f"{value:.3g}" for value in values)
        text += f"| {line.what} | {shown} | {line.published} | {_range(line)}{inside} |\n"
    return text


def _range(line: Line) -> str:
    if line.low is None:
        return "" if line.high is None else f"at most {line.high:g}: "
    return f"at least {line.low:g}: " if line.high is None else f"{line.low:g} to {line.high:g}: "


def misses(runs: Mapping[str, Run]) -> str:
    """The lines outside their range, those with the same reason together, each with what is known of it."""
    text = ""
    for name, run in runs.items():
        reasons: dict[str, list[str]] = {}
        for line in LINES:
            if line.holds(line.measure(run)) is False:
                reasons.setdefault(WHY[name].get(line.name, "no reason is known yet."), []).append(line.what)
        text += "".join(f"- {figures.TITLES[name]}, {'; '.join(whats)}: {reason}\n" for reason, whats in reasons.items())
    return f"### Outside the range\n{text}" if text else "No line is outside its range.\n"


def way_south(runs: Mapping[str, Run]) -> str:
    """Where the lag of southern air arises."""
    steps = [measures.way_south(run) for run in runs.values()]
    rows = "".join(f"| {same[0][0]} | " + " | ".join(f"{lag:.2f} | {age:.2f}" for _, lag, age in same) + " |\n"
                   for same in zip(*steps, strict=True))
    names = " | ".join(f"{figures.TITLES[name]}: lag | age" for name in runs)
    return WAY.format(names=names, rules="---|" * (2 * len(runs)), rows=rows)


def remarks(runs: Mapping[str, Run]) -> str:
    """How far the runs are settled, and what they lose at the turn of the year."""
    lines = []
    for name, run in runs.items():
        north, south = run["ends"][-1, SF6] - run["ends"][-13, SF6]
        line = (f"{figures.TITLES[name]}: in the measured year SF6 grew by {north:.2f} in the north, {south:.2f} in the south (1 when "
                f"settled). The pressure fixer moved at most {run['fixer'].max():.0f} Pa in a step.")
        line += (f" The age at 900 hPa, 40-70°S grew by {measures.growth_of_age(run):.2f} yr from the month before that year to its last: "
                 "not settled, so what the table says of it is less than it would come to.")
        if run["turn"].any():
            line += f" Handing over at the turn of the year changed the global mean of SF6 by {run['turn'][SF6]:+.1e}."
        ranges = [f"{measures.seasonal_amplitude(run, *band):.1f} ppm" for band in ((60.0, 80.0), (15.0, 25.0))]
        lines.append(f"{line} Seasonal range of the biosphere's tracer at the ground: 60-80°N {ranges[0]}, 15-25°N {ranges[1]}.")
    return "\n\n".join(lines) + "\n"


def pictures(where: str) -> str:
    """All figures."""
    captions = {"sf6": "SF6-like tracer and age, annual means along parallels.", "radon": "Radon-222 over northern land in the afternoon.",
                "rectifier": "What a balanced biosphere leaves at the ground in the annual mean.", "polar": "Time poleward of 70°."}
    return "## Figures\n" + "\n".join(f"{caption}\n\n![{caption}]({where}/{name}.png)\n" for name, caption in captions.items())


def _command(runs: Mapping[str, Run]) -> str:
    return "" if len(runs) > 1 else f" This time with one circulation only: {figures.TITLES[next(iter(runs))]}."


def _grids(runs: Mapping[str, Run]) -> str:
    sizes = {f"{run['lon'].size}×{run['lat'].size}×{run['hyai'].size - 1}" for run in runs.values()}
    text = f"Grid: {', '.join(sorted(sizes))}."
    if min(run["lat"].size for run in runs.values()) < 64:
        text += "\nThis is coarser than the demo's 128×64: lines on polar air depend on it, the others were not compared with a finer one."
    return text
