"""Bad input and bad endings: each is named, nothing incomplete passes, no orphan writes on."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from netCDF4 import Dataset
from transport_site import DAY, TAG, Site

from mozart_coupling.contract import emission_name, history_name, master_restart_name, restart_name
from mozart_coupling.emissions import write_emissions
from mozart_coupling.errors import CouplingError, EmissionError, InitialError, MetError, NamelistError, RestartError, RunFailed
from mozart_coupling.grids import Grid
from mozart_coupling.namelist import write_simulation_data
from mozart_coupling.orphans import LOCK_NAME, RunLock
from mozart_coupling.restart import read_pointer
from mozart_coupling.run import BadInput, Capabilities, ModelSettings, RunRequest, prepare, run, verify

ABLE = Capabilities(True, True, True, True, True)


@pytest.fixture
def own_site(site: Site, tmp_path: Path) -> Site:
    """A copy of the site's inputs that a test may spoil."""
    shutil.copytree(site.data, tmp_path / "data")
    return dataclasses.replace(site, data=tmp_path / "data")


def request_for(site: Site, directory: Path, **changes: object) -> RunRequest:
    values: dict[str, object] = dict(
        directory=directory, case="gc", start=site.start, end=site.start + DAY, first_start=site.start, restart=False, tracers=site.tracers,
        data_directory=site.data, met_directory=site.data / "dyn", met_prefix="MET_", initial_file=site.data / "ic" / "ic.nc",
        emission_directory=site.data / "emis", timestep="90m", history=True, threads=1)
    return RunRequest(**{**values, **changes})  # type: ignore[arg-type]


def edit(path: Path, change: Callable[[Dataset], None]) -> None:
    with Dataset(path, "r+") as data:
        change(data)


def spoil_wind(value: float) -> Callable[[Dataset], None]:
    def change(data: Dataset) -> None:
        data["U"][2, 3, 4, 5] = value
    return change


def test_a_missing_met_day_is_found_before_the_first_step(own_site: Site, tmp_path: Path) -> None:
    (own_site.data / "dyn" / "MET_20120229.nc").unlink()
    with pytest.raises(MetError, match="MET_20120229.nc"):
        own_site.run(tmp_path / "run", own_site.namelist())
    assert not list((tmp_path / "run" / "hist").iterdir())


def test_a_truncated_met_file_is_named(own_site: Site, tmp_path: Path) -> None:
    path = own_site.data / "dyn" / "MET_20120228.nc"
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(MetError, match="MET_20120228.nc"):
        own_site.run(tmp_path / "run", own_site.namelist())


def test_nan_winds_tell_file_and_time(own_site: Site, tmp_path: Path) -> None:
    edit(own_site.data / "dyn" / "MET_20120227.nc", spoil_wind(np.nan))
    with pytest.raises(MetError, match=r"(?s)step from 2012-02-27 06.*MET_20120227.nc"):
        own_site.run(tmp_path / "run", own_site.namelist())
    assert not list((tmp_path / "run" / "hist").glob("*02-27*"))
    assert not list((tmp_path / "run").rglob(".*.part"))


@pytest.mark.parametrize("what", ["missing", "truncated", "grid", "short", "nan", "two", "foreign"])
def test_bad_emission_files(own_site: Site, tmp_path: Path, what: str) -> None:
    directory = own_site.data / "emis"
    path = directory / emission_name("EN002", TAG)
    shape = (57, *own_site.grid.shape)
    if what == "missing":
        path.unlink()
    elif what == "truncated":
        os.truncate(path, path.stat().st_size - 1000)
    elif what == "grid":
        write_emissions(path, Grid.regular(24, 13), np.ones((57, 13, 24)), own_site.start)
    elif what == "short":
        write_emissions(path, own_site.grid, np.ones(shape)[:-1], own_site.start)
    elif what == "nan":
        edit(path, lambda data: data["CO2"].__setitem__((3, 2, 1), np.nan))
    elif what == "two":
        shutil.copy(path, directory / emission_name("EN002", "OTHER"))
    else:
        path.write_text("no NetCDF\n")
    with pytest.raises(EmissionError, match="EN002"):
        own_site.run(tmp_path / "run", own_site.namelist())


def test_an_emission_tag_decides_between_two_files(own_site: Site, tmp_path: Path) -> None:
    shutil.copy(own_site.data / "emis" / emission_name("EN002", TAG), own_site.data / "emis" / emission_name("EN002", "OTHER"))
    own_site.run(tmp_path / "run", own_site.namelist(own=f"  emission_tag = '{TAG}', history = .false.", sim_duration="'1d'"))


def test_upside_down_levels_of_the_initial_condition(own_site: Site, tmp_path: Path) -> None:
    def change(data: Dataset) -> None:
        for name in ("hyam", "hybm"):
            data[name][:] = data[name][::-1]
    edit(own_site.data / "ic" / "ic.nc", change)
    with pytest.raises(InitialError, match="upside down"):
        own_site.run(tmp_path / "run", own_site.namelist())


def test_a_restart_without_pointer_or_of_another_date(site: Site, tmp_path: Path) -> None:
    text = site.namelist(sim_type="'RESTART'")
    with pytest.raises(RestartError, match="test-rpntr"):
        site.run(tmp_path, text)
    (tmp_path / "test-rpntr").write_text("rest/rstrt-2012-02-27-00000\n")
    with pytest.raises(RestartError, match="rstrt-2012-02-27-00000"):
        site.run(tmp_path, text)
    site.run(tmp_path, site.namelist(sim_duration="'1d'"))
    shutil.copy(tmp_path / "rest" / "rstrt-2012-02-27-00000", tmp_path / "rest" / "rstrt-2012-02-28-00000")
    (tmp_path / "test-rpntr").write_text("rest/rstrt-2012-02-28-00000\n")
    with pytest.raises(RestartError, match="another date"):
        site.run(tmp_path, text)


@pytest.mark.parametrize("case", ["../out", "a/b", "..", "", ".hidden", "a..b", "x" * 60, "a;rm"])
def test_case_names_cannot_escape(site: Site, tmp_path: Path, case: str) -> None:
    with pytest.raises(NamelistError, match="case"):
        site.run(tmp_path / "run", site.namelist(case=f"'{case}'"))
    with pytest.raises(NamelistError, match="case"):
        prepare(request_for(site, tmp_path / "other", case=case), ModelSettings(capabilities=ABLE))
    assert not (tmp_path / "other").exists()


def test_exit_codes_of_the_command(site: Site, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mozart_coupling.embedded.main"]
    missing = subprocess.run([*command, "no.nml"], cwd=tmp_path, capture_output=True, text=True)
    assert missing.returncode == 2 and "no.nml" in missing.stderr
    (tmp_path / "long.nml").write_text(site.namelist(own="  histroy = .false."))
    write_simulation_data(tmp_path / "mz4.dat", site.tracers)
    unknown = subprocess.run([*command, "long.nml"], cwd=tmp_path, capture_output=True, text=True)
    assert unknown.returncode == 2 and "Did you mean history?" in unknown.stderr


@pytest.mark.parametrize("room", [20_000, 42_000])
def test_a_full_disk_leaves_nothing_incomplete(site: Site, tmp_path: Path, room: int) -> None:
    """A limit on the size of files stands in for the disk: first the history does not fit, then the restart."""
    write_simulation_data(tmp_path / "mz4.dat", site.tracers)
    (tmp_path / "long.nml").write_text(site.namelist(sim_duration="'1d'",
                                                     own="  history = .false." if room > 40_000 else "  history = .true."))
    limited = f"import os, resource, sys\nresource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n" \
              "os.execv(sys.executable, sys.argv[1:])"
    command = [sys.executable, "-c", limited, sys.executable, "-m", "mozart_coupling.embedded.main", "long.nml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr and ("rest/test.mz4.r" if room > 40_000 else "hist/test.mz4.h0") in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "hist").iterdir()) and not list((tmp_path / "rest").iterdir()) and not (tmp_path / "test-rpntr").exists()


def test_an_interrupted_run_says_so_and_cleans_up(site: Site, tmp_path: Path) -> None:
    write_simulation_data(tmp_path / "mz4.dat", site.tracers)
    (tmp_path / "long.nml").write_text(site.namelist(timestep="'1m'", own="  progress_file = 'progress.json', threads = 1"))
    model = subprocess.Popen([sys.executable, "-m", "mozart_coupling.embedded.main", "long.nml"], cwd=tmp_path, stdout=subprocess.DEVNULL)
    assert wait_for((tmp_path / "progress.json").exists)
    model.send_signal(signal.SIGTERM)
    assert model.wait(60) == 3
    assert not list(tmp_path.rglob(".*.part"))


# --- Runs as the driver makes them -----------------------------------------------------------------------------------


def test_a_run_is_verified_and_spoilt_output_is_not(site: Site, tmp_path: Path) -> None:
    prepared = run(request_for(site, tmp_path), ModelSettings(capabilities=ABLE))
    history, restart = tmp_path / history_name("gc", site.start + 10800), tmp_path / restart_name("gc", site.start + DAY)
    master = tmp_path / master_restart_name(site.start + DAY)
    verify(prepared)

    def spoilt(path: Path, change: Callable[[], None], match: str) -> None:
        keep = path.read_bytes()
        change()
        with pytest.raises(RunFailed, match=match):
            verify(prepared)
        path.write_bytes(keep)
        verify(prepared)

    spoilt(history, lambda: os.truncate(history, history.stat().st_size - 5000), "truncated")
    spoilt(history, lambda: edit(history, lambda d: d["EN002_VMR_avrg"].__setitem__((7, 1, 1, 1), np.nan)), "EN002_VMR_avrg")
    spoilt(history, lambda: edit(history, lambda d: d["EN001_VMR_avrg"].__setitem__((0, 0, 0, 0), 3.0)), "physical range")
    spoilt(history, lambda: edit(history, lambda d: d["date"].__setitem__(7, 20120228)), "evenly")
    spoilt(history, lambda: edit(history, lambda d: d["datesec"].__setitem__(slice(0, 8), d["datesec"][:] + 5)), "missing")
    spoilt(history, lambda: os.utime(history, (1.0e9, 1.0e9)), "older than the launch")
    spoilt(history, history.unlink, "no history")
    spoilt(restart, restart.unlink, "left no such file")
    spoilt(restart, lambda: edit(restart, lambda d: d["date"].__setitem__((), 20120226)), "date")
    spoilt(restart, lambda: edit(restart, lambda d: d["EN003"].__setitem__((0, 0, 0), np.nan)), "EN003")
    spoilt(master, master.unlink, "rstrt-2012-02-27-00000")
    spoilt(master, lambda: os.utime(master, (1.0e9, 1.0e9)), "older than the launch")
    other = dataclasses.replace(prepared, settings=dataclasses.replace(prepared.settings, tracer_units="vmr"))
    with pytest.raises(RunFailed, match="other unit"):
        verify(other)


def test_the_sample_file_stands_in_for_the_history(site: Site, tmp_path: Path) -> None:
    request = request_for(site, tmp_path, history=False, sample_request=site.request(days=1), components_file=site.data / "components.nc",
                          factors_file=site.data / "factors.nc", emission_directory=None)
    shares: list[float] = []
    prepared = run(request, ModelSettings(capabilities=ABLE), shares.append)
    assert not list((tmp_path / "hist").iterdir())
    assert len(prepared.samples()) == 40
    assert shares == sorted(shares)
    prepared.sample_file.unlink()  # type: ignore[union-attr]
    with pytest.raises(RunFailed, match="samples.nc"):
        verify(prepared)


def test_stale_output_is_moved_aside_and_cannot_pass(site: Site, tmp_path: Path) -> None:
    run(request_for(site, tmp_path), ModelSettings(capabilities=ABLE))
    does_nothing = ModelSettings(command=[sys.executable, "-c", "pass"], retries=0)
    with pytest.raises(RunFailed, match="no history"):
        run(request_for(site, tmp_path), does_nothing)
    assert (tmp_path / "aside" / "gc.mz4.h0.2012-02-26-10800.nc").is_file()
    assert (tmp_path / "aside" / "rstrt-2012-02-27-00000").is_file()


def test_a_failing_model_is_retried_and_reported(site: Site, tmp_path: Path) -> None:
    run(request_for(site, tmp_path), ModelSettings(capabilities=ABLE))
    text = ("import os; open('count', 'a').write('x'); open('gc-rpntr', 'w').write('rest/rstrt-2012-02-28-00000'); "
            "print('last words'); os.kill(os.getpid(), 9)")
    dies = ModelSettings(command=[sys.executable, "-c", text, "{namelist}"], retries=2)
    later = request_for(site, tmp_path, start=site.start + DAY, end=site.start + 2 * DAY, restart=True)
    with pytest.raises(RunFailed, match=r"(?s)SIGKILL.*last words"):
        run(later, dies)
    assert (tmp_path / "count").read_text() == "xxx"
    assert read_pointer(tmp_path, "gc")[1] == site.start + DAY
    assert (tmp_path / "rest" / "rstrt-2012-02-27-00000").is_file()


def test_bad_input_is_not_retried(own_site: Site, tmp_path: Path) -> None:
    path = own_site.data / "emis" / emission_name("EN003", TAG)
    os.truncate(path, 5000)
    with pytest.raises(BadInput, match=r"(?s)exit code 2.*emission file is truncated.*EN003"):
        run(request_for(own_site, tmp_path / "run"), ModelSettings(capabilities=ABLE, retries=5))


def test_a_model_that_hangs_is_ended(site: Site, tmp_path: Path) -> None:
    hangs = ModelSettings(command=[sys.executable, "-c", "import time; time.sleep(60)"], retries=0, timeout=0.5)
    began = time.monotonic()
    with pytest.raises(RunFailed, match="too long"):
        run(request_for(site, tmp_path), hangs)
    assert time.monotonic() - began < 20
    RunLock(tmp_path, wait_seconds=5.0).close()  # nothing holds the directory any more


def test_a_command_that_does_not_exist(site: Site, tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="(?s)cannot execute"):
        run(request_for(site, tmp_path), ModelSettings(command=["/no/such/mz4_mpi", "{namelist}"], retries=0))


def driver_in_a_process(directory: Path, command: list[str]) -> subprocess.Popen[bytes]:
    """A process that does what a driver does: launch, and wait."""
    text = f"""
from pathlib import Path
from mozart_coupling.run import ModelSettings, PreparedRun, RunRequest, launch
directory = Path({str(directory)!r})
request = RunRequest(directory, 'gc', 0, 86400, 0, False, ('EN001',), directory, directory, 'MET_')
settings = ModelSettings(command={command!r})
launch(PreparedRun(request, settings, 0, 86400, directory / 'long.nml', directory / 'log', directory / 'progress.json', None, True))
"""
    return subprocess.Popen([sys.executable, "-c", text])


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if condition():
            return True
        time.sleep(0.05)
    return False


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the parent-death signal is Linux's")
def test_the_model_dies_with_its_driver(tmp_path: Path) -> None:
    writes = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(120)"
    driver = driver_in_a_process(tmp_path, [sys.executable, "-c", writes])
    assert wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
    model = int((tmp_path / "pid").read_text())
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert wait_for(lambda: not is_running(model))


def test_an_orphan_is_ended_before_the_next_run(tmp_path: Path) -> None:
    """A grandchild outlives driver and launcher: the lock that it inherited gives it away."""
    grandchild = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(120)"
    launcher = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}], close_fds=False)"
    driver = driver_in_a_process(tmp_path, [sys.executable, "-c", launcher])
    assert wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
    assert wait_for(lambda: '"group"' in (tmp_path / LOCK_NAME).read_text())
    orphan = int((tmp_path / "pid").read_text())
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    time.sleep(0.3)
    assert is_running(orphan)
    RunLock(tmp_path, wait_seconds=30.0).close()
    assert not is_running(orphan)


def test_a_directory_in_use_is_refused(tmp_path: Path) -> None:
    driver = driver_in_a_process(tmp_path, [sys.executable, "-c", "import time; open('up', 'w').close(); time.sleep(120)"])
    try:
        assert wait_for(lambda: (tmp_path / "up").exists())
        with pytest.raises(RunFailed, match="holds the run directory"):
            RunLock(tmp_path, wait_seconds=0.5)
    finally:
        driver.kill()
        driver.wait()


def test_capabilities_are_asked_for() -> None:
    from mozart_coupling.run import EMBEDDED_COMMAND

    assert Capabilities.ask(EMBEDDED_COMMAND) == ABLE
    assert Capabilities.ask(["/no/such/mz4_mpi", "{namelist}"]) == Capabilities()
    assert Capabilities.ask([sys.executable, "-c", "print('hello')"]) == Capabilities()


def test_what_a_model_cannot_do_is_refused(site: Site, tmp_path: Path) -> None:
    request = request_for(site, tmp_path, components_file=site.data / "components.nc")
    with pytest.raises(CouplingError, match="components"):
        prepare(request, ModelSettings())
    plain = prepare(request_for(site, tmp_path, history=False), ModelSettings())
    assert plain.history and "GCAS_TRANSPORT" not in plain.namelist.read_text()
