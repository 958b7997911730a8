"""A directory in which `gcas-transport` can be timed as a user calls it: meteorology, components, factors, sample requests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mozart_coupling.dates import to_seconds
from mozart_coupling.embedded.circulation import write_circulation
from mozart_coupling.emissions import nodes_from_means, write_components, write_factors
from mozart_coupling.grids import Grid
from mozart_coupling.initial import write_initial
from mozart_coupling.namelist import write_simulation_data
from mozart_coupling.samples import SampleRequest, write_request

START = np.datetime64("2010-06-01", "s")
COMPONENTS = ("bio", "ocn", "fossil", "fire")
NAMELIST = """&NLIST
  case = 'bench', sim_type = 'INITIAL', icdate = 20100601, icsec = 0, sim_duration = '1d', timestep = '30m', restart_frq = 'daily'
  hstfrq(1) = '3h', mfilt(1) = 8
  local_data_path = 'data', dyn_flsp%nl_filename = 'MET_20100531.nc', dyn_flsp%local_path = 'data/dyn/', dyn_flnm_prefix = 'MET_'
  dyn_flnm_date_frmt = 'yyyymmdd', ic_flsp%nl_filename = 'ic.nc', sim_data_file = '{n}.dat'
/
&GCAS_TRANSPORT
  precision = '{precision}', threads = {threads}, history = {history}, components_file = 'data/components.nc'
  factors_file = 'data/factors-{n}.nc', sample_list = 'data/request.nc', sample_file = 'samples.nc'
/
"""


def make_site(directory: Path, grid: Grid, levels: tuple[np.ndarray, np.ndarray], n_columns: int) -> None:
    """What runs of any number of tracers share: three days of analytic meteorology, a day of four flux components, requests."""
    data = directory / "data"
    write_circulation(data / "dyn", "MET_", grid, *levels, START, START + np.timedelta64(1, "D"), seed=1)
    random = np.random.default_rng(0)
    nodes = np.stack([nodes_from_means(random.normal(1.0e13, 2.0e13, (8, *grid.shape))) for _ in COMPONENTS])
    write_components(data / "components.nc", grid, COMPONENTS, nodes, START)
    begin = to_seconds(START) + 10800.0 * random.integers(0, 8, n_columns)
    request = SampleRequest(random.uniform(-180, 180, n_columns), random.uniform(-90, 90, n_columns), begin, begin + 10800.0)
    write_request(data / "request.nc", request)
    write_initial(data / "ic" / "ic.nc", grid, levels, 1.0e5, 390e-6, (), START)


def add_tracers(directory: Path, grid: Grid, n: int) -> None:
    """Factors and list of `n` tracers."""
    if (directory / f"{n}.dat").exists():
        return
    names = tuple(f"EN{number:03d}" for number in range(1, n + 1))
    factors = np.random.default_rng(n).normal(1.0, 0.5, (n, len(COMPONENTS), *grid.shape))
    write_factors(directory / "data" / f"factors-{n}.nc", grid, COMPONENTS, factors, names)
    write_simulation_data(directory / f"{n}.dat", names)


def write_namelist(directory: Path, n: int, precision: str, threads: int, history: bool) -> Path:
    """The namelist of one run."""
    path = directory / "long.nml"
    path.write_text(NAMELIST.format(n=n, precision=precision, threads=threads, history=".true." if history else ".false."))
    return path
