"""A small world for tests of the transport model: inputs in a directory of its own, and namelists as a site would write them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from netCDF4 import Dataset

from mozart_coupling.dates import to_seconds
from mozart_coupling.embedded.circulation import write_circulation
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.embedded.model import EmbeddedModel
from mozart_coupling.embedded.settings import load
from mozart_coupling.emissions import nodes_from_means, write_components, write_emissions, write_factors, write_member_emissions
from mozart_coupling.grids import Grid
from mozart_coupling.initial import write_initial
from mozart_coupling.namelist import write_simulation_data
from mozart_coupling.samples import SampleRequest

START = np.datetime64("2012-02-26", "s")  # a leap day lies inside the week
DAYS = 7
DAY = 86400
GRID = Grid.regular(24, 12)
TAG = "T42LR"


@dataclass(frozen=True)
class Site:
    """Meteorology, fluxes and an initial field below `data`."""

    data: Path
    grid: Grid
    levels: tuple[np.ndarray, np.ndarray]
    tracers: tuple[str, ...] = ("EN001", "EN002", "EN003")

    @property
    def start(self) -> int:
        """Start of the run [s since 1970]."""
        return to_seconds(START)

    def namelist(self, extra: str = "", own: str | None = None, **changes: object) -> str:
        """A namelist of the site; `own` becomes &GCAS_TRANSPORT."""
        values = {"sim_type": "'INITIAL'", "sim_duration": f"'{DAYS}d'", "timestep": "'90m'", "case": "'test'", "restart_frq": "'daily'",
                  **changes}
        text = "\n".join(f"  {key} = {value}" for key, value in values.items())
        group = f"&GCAS_TRANSPORT\n{own}\n/\n" if own is not None else ""
        return f"""&NLIST
{text}
  title = 'Carbon'  calendar = 'gregorian'
  icdate = 20120226, icsec = 0
  hstfrq(1) = '3h', mfilt(1) = 8
  arch_file = 'FILE_STUB'
  local_data_path = '{self.data}'
  dyn_flsp%nl_filename = 'MET_20120225.nc', dyn_flsp%local_path = '{self.data}/dyn/'
  dyn_flnm_prefix = 'MET_', dyn_flnm_date_frmt = 'yyyymmdd'
  ic_flsp%nl_filename = 'ic.nc'
  emis_flsp%local_path = '{self.data}/emis/', emis_timing%type = 'serial'
  sim_data_file = 'mz4.dat'
  hsttimav(1)%list = 'PS', 'Q', 'Zm', 'Zi'
{extra}
/
{group}"""

    def components(self) -> str:
        """The lines of &GCAS_TRANSPORT for components and factors."""
        return f"  components_file = '{self.data}/components.nc', factors_file = '{self.data}/factors.nc'\n"

    def after_one_step(self, directory: Path, hours: int, change: Callable[[Dataset], object] | None, own: str) -> EmbeddedModel:
        """The model after one step of some hours with changed meteorology: `change` gets every met file of the run, open."""
        shutil.copytree(self.data / "dyn", directory / "dyn")
        for path in (directory / "dyn").iterdir():
            with Dataset(path, "r+") as data:
                data.set_auto_mask(False)
                if change is not None:
                    change(data)
        text = self.namelist(own=self.components() + own, sim_duration=f"'{hours}h'", timestep=f"'{hours}h'")
        return self.run(directory, text.replace(f"'{self.data}/dyn/'", f"'{directory}/dyn/'"))

    def run(self, directory: Path, text: str, tracers: tuple[str, ...] | None = None) -> EmbeddedModel:
        """Run a namelist in a directory, in this process; returns the model at its end. One thread: these runs are too small for more."""
        directory.mkdir(parents=True, exist_ok=True)
        write_simulation_data(directory / "mz4.dat", tracers or self.tracers)
        (directory / "long.nml").write_text(text)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OMP_NUM_THREADS", "1")
            model = EmbeddedModel(load(directory / "long.nml", directory))
            model.run()
        return model

    def request(self, n: int = 40, days: int = DAYS, seed: int = 1) -> SampleRequest:
        """Requests for three-hour means, some twice."""
        random = np.random.default_rng(seed)
        begin = self.start + 10800.0 * random.integers(0, 8 * days, n)
        lon, lat = random.uniform(-180, 180, n), random.uniform(-90, 90, n)
        lon[1], lat[1], begin[1] = lon[0], lat[0], begin[0]
        return SampleRequest(lon, lat, begin, begin + 10800.0)


def make_site(data: Path, days: int = DAYS, grid: Grid = GRID, n_levels: int = 6) -> Site:
    """Write the inputs of a site: three tracers, two components."""
    levels = hybrid_levels(n_levels)
    site = Site(data, grid, levels)
    write_circulation(data / "dyn", "MET_", grid, *levels, START, START + np.timedelta64(days, "D"), seed=3)
    random = np.random.default_rng(4)
    means = random.normal(1.0e13, 2.0e13, (2, 8 * days, *grid.shape))
    nodes = np.stack([nodes_from_means(mean) for mean in means])
    factors = random.normal(1.0, 0.5, (3, 2, *grid.shape))
    write_member_emissions(data / "emis", TAG, grid, site.tracers, nodes, factors, START)
    write_components(data / "components.nc", grid, ("bio", "ocn"), nodes, START)
    write_factors(data / "factors.nc", grid, ("bio", "ocn"), factors, site.tracers)
    write_initial(data / "ic" / "ic.nc", grid, levels, 1.0e5, 390e-6, site.tracers, START)
    return site


def uniform_emissions(directory: Path, site: Site, flux: float, days: int = DAYS) -> None:
    """The same flux [molecules/cm2/s] everywhere and always, for every tracer."""
    for tracer in site.tracers:
        write_emissions(directory / f"emissions.{tracer}.surface.{TAG}.nc", site.grid, np.full((8 * days + 1, *site.grid.shape), flux),
                        START)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """One site for all tests of a session; nobody writes into it."""
    return make_site(tmp_path_factory.mktemp("site") / "data")
