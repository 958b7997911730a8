"""Acts as a script that has driven the real model for years: its own directories, its own namelist, its own NetCDF code.

Nothing of `mozart_coupling` is used here but what makes the meteorology.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from netCDF4 import Dataset, num2date
from transport_site import DAY, START, Site

MEMBERS = 4
NAMES = [f"EN{i:03d}" for i in range(1, MEMBERS + 1)]
NAMELIST = """ run of the group's ensemble, written by hand in 2014
&NLIST
  case             = 'test'
  title            = 'Carbon'
  timestep         = '30m'
  calendar         = 'gregorian'
  icdate           = 20120226
  icsec            = 0
  sim_type         = 'INITIAL'
  sim_duration     = '2d'
! history
  hstfrq(1)        = '3h'
  mfilt(1)         = 8
  hst_flsp(1)%rpath = 'hist'
  restart_frq      = 'daily'
  arch_file        = 'FILE_STUB'
  rest0_flsp%nl_filename = ''
  rest1_flsp%local_path = "it's nothing to us"
  local_data_path  = '../site/data'
  dyn_flsp%nl_filename = 'MET_20120225.nc'
  dyn_flsp%local_path  = '../site/data/dyn/'
  dyn_flsp%remote_path = 'NONE'
  dyn_flnm_prefix      = 'MET_'
  dyn_flnm_date_frmt   = 'yyyymmdd'
  dyn_offset_time      = 0, 0, 0, 0
  ic_flsp%nl_filename  = 'ic_20120226.nc'
  emis_flsp%local_path = '../site/data/emis/'
  emis_timing%type     = 'serial'
  sim_data_file    = 'mz4.dat'
  lhsteq_flag = .false.   diag = 3*1.5
  hsttimav(1)%list = 'PS','Q',
                     'Zm','Zi'
/
"""


def write_species_list(path: Path) -> None:
    """Fixed columns, as the preprocessor leaves them."""
    counts = [0] * 44
    counts[22] = MEMBERS
    lines = [f"{1:4d}"] + ["".join(f"{c:4d}" for c in counts[i:i + 10]) for i in range(0, 44, 10)]
    fields = [f"{name + '_VMR_avrg':<32s}" for name in NAMES]
    lines += ["".join(fields[i:i + 4]).rstrip() for i in range(0, MEMBERS, 4)]
    lines += ["".join(f"{i:4d}" for i in range(1, MEMBERS + 1)), f"{0:4d}"]
    path.write_text("\n".join(lines) + "\n")


def write_emissions(directory: Path, met: Dataset, first_day: np.datetime64, days: int, flux: np.ndarray) -> None:
    """Uniform flux of every member [molecules/cm2/s], float, three-hourly, 8 days + 1 records."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, value in zip(NAMES, flux, strict=True):
        with Dataset(directory / f"emissions.{name}.surface.T42LR.nc", "w", format="NETCDF3_CLASSIC") as out:
            n = 8 * days + 1
            for dim, size in (("lon", met["lon"].size), ("lat", met["lat"].size), ("time", None)):
                out.createDimension(dim, size)
            for axis in ("lon", "lat"):
                out.createVariable(axis, "f4", (axis,))[:] = met[axis][:]
            co2 = out.createVariable("CO2", "f4", ("time", "lat", "lon"))
            co2.units = "molecules/cm2/s"
            moments = first_day + np.arange(n) * np.timedelta64(3, "h")
            day = moments.astype("datetime64[D]")
            out.createVariable("date", "i4", ("time",))[:] = [int(str(d).replace("-", "")) for d in day]
            out.createVariable("datesec", "i4", ("time",))[:] = (moments - day).astype("timedelta64[s]").astype(int)
            out.createVariable("time", "i4", ("time",))[:] = np.arange(1, n + 1)
            co2[:] = value


def write_initial(path: Path, met: Dataset, ppm: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with Dataset(path, "w", format="NETCDF3_CLASSIC") as out:
        for dim in ("lon", "lat", "lev"):
            out.createDimension(dim, met[dim].size)
            out.createVariable(dim, "f4", (dim,))[:] = met[dim][:]
        for name in ("hyam", "hybm"):
            out.createVariable(name, "f8", ("lev",))[:] = met[name][:]
        out.createVariable("P0", "f8", ())[...] = 1.0e5
        out.createVariable("date", "i4", ())[...] = 20120226
        out.createVariable("datesec", "i4", ())[...] = 0
        out.createVariable("PS", "f4", ("lat", "lon"))[:] = 1.0e5
        out.createVariable("CO2", "f4", ("lev", "lat", "lon"))[:] = ppm * 1e-6 * 44.0095 / 28.9644


def call_model(run: Path) -> str:
    """As `mpirun -np 24 ./mz4_mpi long.nml > mz4_mpi.log` would be called, in the run directory."""
    command = [sys.executable, "-m", "mozart_coupling.embedded.main", "long.nml"]
    done = subprocess.run(command, cwd=run, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def driven(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two windows of two days: INITIAL, hand-off by overwriting the restart's tracers, RESTART."""
    root = tmp_path_factory.mktemp("foreign")
    (root / "site" / "data").mkdir(parents=True)
    (root / "site" / "data" / "dyn").symlink_to(site.data / "dyn")
    run = root / "run_ensemble"
    for name in ("hist", "rest", "arch", "temp"):
        (run / name).mkdir(parents=True)
    write_species_list(run / "mz4.dat")
    (run / "long.nml").write_text(NAMELIST)
    with Dataset(site.data / "dyn" / "MET_20120225.nc") as met:
        write_initial(root / "site" / "data" / "ic" / "ic_20120226.nc", met, 390.0)
        write_emissions(root / "site" / "data" / "emis", met, START, 2, np.array([0.0, 1.0, 2.0, -1.0]) * 1e14)
        call_model(run)
        with Dataset(run / "rest" / "test.mz4.r.2012-02-28-00000.nc", "r+") as restart:
            (root / "before.npy").write_bytes(np.stack([restart[n][:].filled() for n in NAMES]).tobytes())
            field = restart["EN003"][:]
            for name in NAMES:
                restart[name][:] = 1.01 * field if name == "EN001" else field
        (run / "test-rpntr").write_text("rest/rstrt-2012-02-28-00000\n")
        (run / "long.nml").write_text(NAMELIST.replace("'INITIAL'", "'RESTART'"))
        write_emissions(root / "site" / "data" / "emis", met, START + np.timedelta64(2, "D"), 2, np.zeros(MEMBERS))
    call_model(run)
    return root


def test_every_history_file_is_where_it_is_expected(driven: Path) -> None:
    found = sorted(path.name for path in (driven / "run_ensemble" / "hist").iterdir())
    assert found == [f"test.mz4.h0.2012-02-{day}-10800.nc" for day in (26, 27, 28, 29)]


def test_history_has_names_types_units_and_dates(driven: Path, site: Site) -> None:
    with Dataset(driven / "run_ensemble" / "hist" / "test.mz4.h0.2012-02-29-10800.nc") as data:
        assert data.data_model == "NETCDF3_CLASSIC"
        assert (data.title, data.case) == ("Carbon", "test")
        assert data.dimensions["time"].isunlimited() and len(data.dimensions["time"]) == 8
        for name in NAMES:
            variable = data[f"{name}_VMR_avrg"]
            assert (variable.dtype, variable.dimensions, variable.units) == (np.float32, ("time", "lev", "lat", "lon"), "kg/kg")
        for name, dims, units in (("PS", ("time", "lat", "lon"), "Pa"), ("Zm", ("time", "lev", "lat", "lon"), "m"),
                                  ("Zi", ("time", "ilev", "lat", "lon"), "m"),
                                  ("Q", ("time", "lev", "lat", "lon"), "kg/kg")):
            assert (data[name].dtype, data[name].dimensions, data[name].units) == (np.float32, dims, units)
        assert data["date"].dtype == data["datesec"].dtype == np.int32
        assert list(data["date"][:]) == [20120229] * 7 + [20120301]
        assert list(data["datesec"][:]) == [10800, 21600, 32400, 43200, 54000, 64800, 75600, 0]
        assert data["time"].units.startswith("days since 0000-01-01")
        moment = num2date(data["time"][-1], data["time"].units, "proleptic_gregorian", has_year_zero=True)
        assert (moment.year, moment.month, moment.day, moment.hour) == (2012, 3, 1, 0)
        with Dataset(site.data / "dyn" / "MET_20120225.nc") as met:
            for name in ("lon", "lat", "hyam", "hybm", "hyai", "hybi", "lev", "ilev"):
                assert np.array_equal(data[name][:], met[name][:]), name
        assert data["P0"][...] == 1.0e5
        assert np.all(np.diff(data["Zm"][0], axis=0) < 0)  # level 1 on top
        assert np.all(data["Zi"][0, :-1] > data["Zm"][0]) and np.all(data["Zi"][0, 1:] < data["Zm"][0])
        assert 8.0e4 < data["PS"][:].mean() < 1.02e5


def test_restart_files_and_pointer(driven: Path) -> None:
    run = driven / "run_ensemble"
    for day in ("02-27", "02-28", "02-29", "03-01"):
        assert (run / "rest" / f"rstrt-2012-{day}-00000").is_file()
        with Dataset(run / "rest" / f"test.mz4.r.2012-{day}-00000.nc") as data:
            for name in NAMES:
                assert (data[name].dtype, data[name].dimensions) == (np.float64, ("lev", "lat", "lon"))
    assert (run / "test-rpntr").read_text().strip() == "rest/rstrt-2012-03-01-00000"
    assert not [path for path in run.rglob(".*")]  # nothing half-written is left


def test_the_second_window_starts_from_what_the_script_wrote(driven: Path, site: Site) -> None:
    """Without flux the mean over the air of the first average is that of the field that was handed over."""
    run = driven / "run_ensemble"
    with Dataset(run / "hist" / "test.mz4.h0.2012-02-28-10800.nc") as data:
        face = data["hyai"][:][:, None, None] * 1e5 + data["hybi"][:][:, None, None] * data["PS"][0]
        air = np.diff(face, axis=0) * site.grid.area
        first = [float(np.average(data[f"{name}_VMR_avrg"][0], weights=air)) for name in NAMES]
    with Dataset(run / "rest" / "test.mz4.r.2012-02-28-00000.nc") as restart:
        given = [float(np.average(restart[name][:], weights=air)) for name in NAMES]
    assert given[1] == given[2] == given[3] != given[0]
    np.testing.assert_allclose(first, given, rtol=1e-5)


def test_the_mass_budget_closes_to_1e_6(driven: Path, site: Site) -> None:
    """Uniform flux: the change of the global mean mixing ratio is the flux over the mass of air of a column."""
    size = site.grid.nlat * site.grid.nlon * 6
    before = np.frombuffer((driven / "before.npy").read_bytes()).reshape(MEMBERS, 6, *site.grid.shape)
    assert before.size == MEMBERS * size
    with Dataset(driven / "run_ensemble" / "rest" / "rstrt-2012-02-28-00000") as master:
        hyai, hybi = site.levels
        mass = np.diff(hyai[:, None, None] * 1e5 + hybi[:, None, None] * master["PS"][:], axis=0) / 9.80665 * site.grid.area
    gained = np.sum((before - before[0]) * mass, axis=(1, 2, 3))
    seconds, kilograms = 2 * DAY, 44.0095e-3 / 6.02214076e23
    expected = np.array([0.0, 1.0, 2.0, -1.0]) * 1e14 * 1e4 * kilograms * seconds * site.grid.area.sum()
    np.testing.assert_allclose(gained[1:], expected[1:], rtol=1e-6)


def test_an_absolute_path_and_another_name_work_too(driven: Path, tmp_path: Path) -> None:
    run = tmp_path / "elsewhere"
    run.mkdir()
    write_species_list(run / "species.txt")
    text = NAMELIST.replace("'mz4.dat'", "'species.txt'").replace("'test'", "'b30.004'")
    text = text.replace("'30m'", "'1800s'").replace("'2d'", "'24h'")
    text = text.replace("../site", str(driven / "site"))
    # the emission files now begin two days later: start there
    text = text.replace("20120226\n", "20120228\n")
    (run / "forward.nml").write_text(text)
    done = subprocess.run([sys.executable, "-m", "mozart_coupling.embedded.main", "forward.nml"], cwd=run, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (run / "hist" / "b30.004.mz4.h0.2012-02-28-10800.nc").is_file()
    assert (run / "rest" / "b30.004.mz4.r.2012-02-29-00000.nc").is_file()
