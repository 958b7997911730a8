"""A synthetic experiment small enough to be run many times: 36x18 cells, 8 levels, 8 members, two windows of one day."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
from rich.console import Console

from gcas_driver.progress import Reporter

ROOT = Path(__file__).resolve().parents[2]
MET_PREFIX = "analytic_36x18x8_1_"

NAMELIST = """! a small synthetic case
&case
  name = '{name}'
  seed = 3
/
&time start = '2010-06-01', days = {days}, window_days = 1 /
&state scheme = 'bio_ocn', members = 8, {state} /
&analysis {analysis} /
&initial uniform_ppm = 388.0 /
&prior component = 'bio', directory = 'inputs/prior' /
&prior component = 'ocn', directory = 'inputs/prior' /
&prior component = 'fossil', directory = 'inputs/prior' /
&prior component = 'fire', directory = 'inputs/prior' /
&satellite product = 'acos_lite', name = 'gosat', directory = 'inputs/{satellite}' /
&surface format = 'noaa_flask', name = 'flask', directory = 'inputs/flask', assimilate = .false. /
&transport
  timestep = '1h', threads = 1, met_directory = 'inputs/met', met_prefix = '{prefix}'
  {transport}
/
&truth directory = 'inputs', soundings_per_day = 150 /
"""


def namelist_text(name: str = "case", days: int = 2, state: str = "", analysis: str = "threads = 1", transport: str = "",
                  satellite: str = "gosat") -> str:
    """The namelist of a case on the small inputs."""
    return NAMELIST.format(name=name, days=days, state=state, analysis=analysis, transport=transport, satellite=satellite, prefix=MET_PREFIX)


def quiet() -> Reporter:
    """A reporter that shows nothing."""
    return Reporter(Console(file=open(os.devnull, "w"), force_terminal=False))


def gcas(*words: object, **options) -> subprocess.CompletedProcess:
    """Run the command in a process of its own."""
    return subprocess.run([sys.executable, "-m", "gcas_driver.cli", *map(str, words)], capture_output=True, text=True, cwd="/", **options)


def data_of(case: Path) -> dict[str, np.ndarray]:
    """Every variable of every window's files, by file and name."""
    found = {}
    for path in sorted((case / "windows").glob("*/*.nc")):
        with netCDF4.Dataset(path) as data:
            data.set_auto_mask(False)
            for name, variable in data.variables.items():
                found[f"{path.parent.name}/{path.name}:{name}"] = np.array(variable[...])
    return found


def assert_same_bits(one: Path, two: Path) -> None:
    """Raise unless all data of two cases agree to the bit."""
    first, second = data_of(one), data_of(two)
    assert first and first.keys() == second.keys()
    for name, values in first.items():
        if values.dtype.kind == "O":
            assert values.tolist() == second[name].tolist(), name
        else:
            assert values.tobytes() == second[name].tobytes(), name
