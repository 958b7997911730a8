"""A synthetic experiment small enough to be run many times: 36x18 cells, 8 levels, 8 members, two windows of one day."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
from rich.console import Console

from gcas_driver.config import load
from gcas_driver.meteorology import write_analytic
from gcas_driver.osse.experiment import prepare_inputs
from gcas_driver.progress import Reporter

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
  timestep = '1h', threads = 1, {meteorology}
  {transport}
/
&truth directory = 'inputs', soundings_per_day = 150 /
"""


# Kills itself just before its n-th rename, link, removal or fsync; arguments: n, then those of `gcas`.
KILLER = """
import os, signal, sys
from gcas_driver import cli
left = int(sys.argv[1])
def counted(function):
    def call(*arguments, **options):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call
for name in ('replace', 'fsync', 'link', 'unlink', 'rename'):
    setattr(os, name, counted(getattr(os, name)))
sys.exit(cli.main(sys.argv[2:]))
"""


def namelist_text(name: str = "case", days: int = 2, state: str = "", analysis: str = "threads = 1", transport: str = "",
                  satellite: str = "gosat", analytic: bool = False) -> str:
    """The namelist of a case on the small inputs; `analytic`: its meteorology is yet to be made."""
    meteorology = "grid = '36x18', levels = 8" if analytic else f"met_directory = 'inputs/met', met_prefix = '{MET_PREFIX}'"
    return NAMELIST.format(name=name, days=days, state=state, analysis=analysis, transport=transport, satellite=satellite,
                           meteorology=meteorology)


def make_small_inputs(directory: Path) -> None:
    """Write meteorology, prior fluxes, truth and observations of two days into the folder `inputs` of a directory."""
    making = directory / "making.nml"
    making.write_text(namelist_text("making", analytic=True))
    settings = load(making)
    settings.case_directory.mkdir()
    write_analytic(settings, quiet())
    (directory / "inputs").mkdir()
    (settings.case_directory / "met").rename(directory / "inputs" / "met")
    path = directory / "inputs.nml"
    path.write_text(namelist_text("making"))
    prepare_inputs(load(path), quiet())


def quiet() -> Reporter:
    """A reporter that shows nothing."""
    return Reporter(Console(file=open(os.devnull, "w"), force_terminal=False))


def run_to_death(allowed: int, *words: object) -> int:
    """`gcas` in a process that kills itself after so many durable operations; its return code."""
    command = [sys.executable, "-c", KILLER, str(allowed), *map(str, words)]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/").returncode


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
