#!/usr/bin/env python3
"""Draw and measure the analytic circulation: the numbers that docs/science/meteorology.md states.

    tools/draw_meteorology.py OUTPUT.png [--start 2010-01-01] [--days 28] [--grid 128x64] [--seed 1]

For met files: `gcas met check DIR`.
"""

from __future__ import annotations

import argparse

import numpy as np

from gcas_driver.report.met_picture import draw_climate
from mozart_coupling.embedded.circulation import Circulation
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.grids import Grid
from mozart_coupling.met_sanity import measure, report


def main() -> None:
    """Read the arguments, measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output")
    parser.add_argument("--start", default="2010-01-01")
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--grid", default="128x64")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    times = np.datetime64(options.start, "s") + np.arange(4 * options.days) * np.timedelta64(6, "h")
    grid, levels = Grid.named(options.grid), hybrid_levels()
    climate = measure(grid, levels, Circulation(grid, *levels, options.seed).record, times)
    print(*report(climate), sep="\n")
    draw_climate(climate, options.output, f"analytic circulation, seed {options.seed}")


if __name__ == "__main__":
    main()
