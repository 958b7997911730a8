"""Routes that must give the same numbers: restart at any step, a run that was killed, samples and history, files and components."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from netCDF4 import Dataset
from transport_site import DAY, START, TAG, Site, make_site

from mozart_coupling.constants import MOLAR_MASS_AIR, MOLAR_MASS_CO2
from mozart_coupling.contract import master_restart_name, member_names, restart_name
from mozart_coupling.emissions import read_components, read_factors, write_factors, write_member_emissions
from mozart_coupling.grids import Grid
from mozart_coupling.history import sample_history
from mozart_coupling.met import MetFiles
from mozart_coupling.namelist import write_simulation_data
from mozart_coupling.restart import read_master, read_restart, write_restart
from mozart_coupling.samples import SampleRequest, read_samples, write_request

HOUR = 3600
SAMPLED = "  history = .false., sample_list = 'request.nc', sample_file = 'samples.nc'\n"


@pytest.fixture(scope="module")
def tiny_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Met is six-hourly, fluxes three-hourly."""
    return make_site(tmp_path_factory.mktemp("tiny") / "data", days=2, grid=Grid.regular(16, 8))


def state(directory: Path, site: Site, seconds: int) -> tuple[np.ndarray, np.ndarray]:
    """Tracers and surface pressure of a restart."""
    return (read_restart(directory / restart_name("test", site.start + seconds), site.tracers).mixing_ratio,
            read_master(directory / master_restart_name(site.start + seconds)).ps)


# --- Restart ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", ["precision = 'double'", "precision = 'single'", "mode = 'monotone'"])
@pytest.mark.parametrize("route", ["files", "components"])
@pytest.mark.parametrize("hours", [1.5, 3, 10.5, 25.5, 45])
def test_a_restart_at_any_step_goes_on_with_the_same_bits(tiny_site: Site, tmp_path: Path, options: str, route: str, hours: float) -> None:
    """In the middle of flux and met records, where they change, off midnight and on the second day."""
    site, first = tiny_site, int(hours * HOUR)
    own = f"  history = .false., {options}\n" + (site.components() if route == "components" else "")

    def run(name: str, start: str, seconds: int) -> None:
        site.run(tmp_path / name, site.namelist(own=own, sim_type=start, sim_duration=f"'{seconds}s'"))

    run("one", "'INITIAL'", 2 * DAY)
    run("two", "'INITIAL'", first)
    run("two", "'RESTART'", 2 * DAY - first)
    for one, two in zip(state(tmp_path / "one", site, 2 * DAY), state(tmp_path / "two", site, 2 * DAY), strict=True):
        assert np.array_equal(one, two)


def test_a_hand_off_into_a_restart_off_midnight_is_taken(tiny_site: Site, tmp_path: Path) -> None:
    """The master restart then holds a mean and anomalies of other tracers: those of the tracer restart count."""
    site = tiny_site
    own = site.components() + "  history = .false., precision = 'single'"
    site.run(tmp_path, site.namelist(own=own, sim_duration="'6h'"))
    now = site.start + 6 * HOUR
    fields, ps = state(tmp_path, site, 6 * HOUR)
    handed = np.repeat(fields[:1], 3, axis=0)
    master = tmp_path / master_restart_name(now)
    kept = master.read_bytes()
    write_restart(tmp_path, "test", now, site.grid, site.levels, site.tracers, handed, ps)
    master.write_bytes(kept)
    assert read_master(master).parts is not None
    model = site.run(tmp_path, site.namelist(own="  history = .false., precision = 'single'", sim_type="'RESTART'", sim_duration="'90m'"))
    assert model.start == now
    after, _ = state(tmp_path, site, int(7.5 * HOUR))
    assert np.abs(after - handed).max() < np.abs(fields[1:] - fields[:1]).max()


@pytest.mark.parametrize("share", [0.15, 0.5, 0.85])
def test_a_killed_run_started_again_gives_the_same_bits(tiny_site: Site, tmp_path: Path, share: float) -> None:
    """SIGKILL at no chosen instant; what it leaves under final names is complete, and the same run again is as an unbroken one."""
    site = tiny_site
    own = site.components() + "  progress_file = 'progress.json', threads = 1, sample_list = 'request.nc', sample_file = 'samples.nc'"
    text = site.namelist(own=own, sim_duration="'2d'", timestep="'10m'")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_request(tmp_path / name / "request.nc", site.request(n=10, days=2))
    site.run(tmp_path / "one", text)
    write_simulation_data(tmp_path / "two" / "mz4.dat", site.tracers)
    (tmp_path / "two" / "long.nml").write_text(text)
    command = [sys.executable, "-m", "mozart_coupling.embedded.main", "long.nml"]
    model = subprocess.Popen(command, cwd=tmp_path / "two", stdout=subprocess.DEVNULL)
    wait_for((tmp_path / "two" / "progress.json").exists)
    time.sleep(share)  # the run takes about a second; one that has ended by now serves as well
    model.send_signal(signal.SIGKILL)
    model.wait()
    left = [path for pattern in ("hist/[!.]*", "rest/[!.]*", "samples.nc") for path in (tmp_path / "two").glob(pattern)]
    for path in left:
        same_file(tmp_path / "one" / path.relative_to(tmp_path / "two"), path)
    site.run(tmp_path / "two", text)
    assert not list((tmp_path / "two").rglob(".*.part"))
    for path in [*(tmp_path / "one" / "hist").iterdir(), *(tmp_path / "one" / "rest").iterdir(), tmp_path / "one" / "samples.nc"]:
        same_file(path, tmp_path / "two" / path.relative_to(tmp_path / "one"))


def same_file(one: Path, two: Path) -> None:
    with Dataset(one) as a, Dataset(two) as b:
        assert list(a.variables) == list(b.variables)
        for name in a.variables:
            assert np.array_equal(a[name][...], b[name][...]), f"{two}, {name}"


def wait_for(condition: object, seconds: float = 30.0) -> None:
    began = time.monotonic()
    while not condition():  # type: ignore[operator]
        assert time.monotonic() - began < seconds
        time.sleep(0.02)


def test_surface_pressure_is_the_mets_of_the_same_time(tiny_site: Site, tmp_path: Path) -> None:
    """Up to the uniform shift, and but for the caps; in restart and samples."""
    site, hours = tiny_site, 10.5
    lon, lat = (values.ravel() for values in np.meshgrid(site.grid.lon, site.grid.lat[1:-1]))
    instant = np.full(lon.size, site.start + 7.5 * HOUR)
    write_request(tmp_path / "request.nc", SampleRequest(lon, lat, instant, instant))
    site.run(tmp_path, site.namelist(own=SAMPLED, sim_duration=f"'{int(hours * 60)}m'"))
    with MetFiles(site.data / "dyn", "MET_") as met:
        at_end, sampled = (met.fields_at(np.datetime64(site.start + int(h * HOUR), "s"), ["PS"])["PS"][1:-1] for h in (hours, 7.5))
    assert np.ptp(at_end - sampled) > 10.0
    assert np.ptp(state(tmp_path, site, int(hours * HOUR))[1][1:-1] - at_end) < 1e-6
    assert np.ptp(read_samples(tmp_path / "samples.nc").surface_pressure - sampled.ravel()) < 1e-6


# --- Samples and history ----------------------------------------------------------------------------------------------


def awkward_request(site: Site) -> SampleRequest:
    """Both poles, the date line from both sides, cell edges; intervals over midnight, over met records, a day, a whole run."""
    places = [(0.0, 90.0), (179.0, -90.0), (180.0, 10.0), (-180.0, 10.0), (179.999, 10.0), (-179.999, 10.0), (359.999, -33.0),
              (-0.001, 45.0), (11.25, 0.0), (540.0, 67.5)]
    spans = [(0, 3), (3, 6), (21, 24), (21, 27), (3, 9), (18, 30), (0, 24), (24, 48), (0, 48), (45, 48)]
    rows = [(lon, lat, site.start + a * HOUR, site.start + b * HOUR) for lon, lat in places for a, b in spans]
    return SampleRequest(*np.array(rows, dtype=float).T)


@pytest.mark.parametrize(("precision", "tolerance"), [("single", 1e-6), ("double", 1e-12)])
@pytest.mark.parametrize("options", ["", "precision = 'single'", "mode = 'monotone'"])
def test_samples_equal_history_at_awkward_places_and_times(tiny_site: Site, tmp_path: Path, precision: str, tolerance: float,
                                                           options: str) -> None:
    site, request = tiny_site, awkward_request(tiny_site)
    write_request(tmp_path / "request.nc", request)
    own = SAMPLED.replace("history = .false.", f"history = .true., history_precision = '{precision}'") + site.components() + f"  {options}"
    site.run(tmp_path, site.namelist(sim_duration="'2d'", own=own))
    inline = read_samples(tmp_path / "samples.nc", site.tracers)
    history = sample_history(tmp_path, "test", request, site.tracers, MOLAR_MASS_AIR, MOLAR_MASS_CO2, "mmr")
    assert np.ptp(inline.mixing_ratio[:, :, -1]) > 1e-7
    for name in ("mixing_ratio", "surface_pressure", "pressure_interface", "specific_humidity"):
        np.testing.assert_allclose(getattr(inline, name), getattr(history, name), rtol=tolerance, err_msg=name)


def test_an_instant_is_linear_between_step_ends(tiny_site: Site, tmp_path: Path) -> None:
    site = tiny_site
    times = site.start + 90.0 * 60 * np.array([4.0, 4.25, 5.0, 15.0, 15.5, 16.0])  # a flux record, a met record and midnight among them
    place = np.zeros(times.size)
    write_request(tmp_path / "request.nc", SampleRequest(place + 100.0, place + 10.0, times, times))
    site.run(tmp_path, site.namelist(sim_duration="'2d'", own=SAMPLED))
    values = read_samples(tmp_path / "samples.nc").mixing_ratio
    np.testing.assert_allclose(values[1], 0.75 * values[0] + 0.25 * values[2], rtol=1e-14)
    np.testing.assert_allclose(values[4], 0.5 * (values[3] + values[5]), rtol=1e-14)
    assert np.abs(values[2] - values[0]).max() > 1e-9


# --- Files and components; few and many tracers -----------------------------------------------------------------------


@pytest.mark.parametrize("n_tracers", [1, 2, 33, 200])
def test_files_and_components_agree_for_any_number_of_tracers(tiny_site: Site, tmp_path: Path, n_tracers: int) -> None:
    site, tracers = tiny_site, member_names(n_tracers)
    names, _, _, flux = read_components(site.data / "components.nc")
    factors = np.random.default_rng(7).normal(1.0, 0.5, (n_tracers, len(names), *site.grid.shape))
    write_factors(tmp_path / "factors.nc", site.grid, names, factors, tracers)
    write_member_emissions(tmp_path / "emis", TAG, site.grid, tracers, flux, factors, START)
    request = site.request(n=60, days=2)
    components = f"  components_file = '{site.data}/components.nc', factors_file = '{tmp_path}/factors.nc'\n"
    results = {}
    for name, own in {"files": "", "double": components, "single": components + "  precision = 'single'\n"}.items():
        (tmp_path / name).mkdir()
        write_request(tmp_path / name / "request.nc", request)
        text = site.namelist(own=SAMPLED + own, sim_duration="'2d'", timestep="'3h'")
        text = text.replace(f"'{site.data}/emis/'", f"'{tmp_path}/emis/'")
        site.run(tmp_path / name, text, tracers)
        results[name] = 1e6 * read_samples(tmp_path / name / "samples.nc", tracers).mixing_ratio
    np.testing.assert_allclose(results["files"], results["double"], rtol=1e-6)
    worst = np.abs(results["single"] - results["double"]).max()
    assert worst < 1e-3
    if n_tracers > 1:
        spread = results["double"].std(axis=1)
        assert worst < 1e-3 * spread.max()
        lowest = spread[:, -1]
        assert (np.abs(results["single"] - results["double"]).max(axis=1)[:, -1] < 1e-3 * lowest)[lowest > 0.01 * lowest.max()].all()


def test_the_members_of_a_large_ensemble_are_those_of_a_small_one(tiny_site: Site, tmp_path: Path) -> None:
    """One tracer alone has the bits that it has among three."""
    site = tiny_site
    _, names, factors = read_factors(site.data / "factors.nc")
    write_factors(tmp_path / "factors.nc", site.grid, names, factors[1:2], ("EN001",))
    for name, tracers, file in (("three", site.tracers, site.data / "factors.nc"), ("one", ("EN001",), tmp_path / "factors.nc")):
        own = f"  history = .false., components_file = '{site.data}/components.nc', factors_file = '{file}'"
        site.run(tmp_path / name, site.namelist(own=own, sim_duration="'1d'"), tracers)
    among = read_restart(tmp_path / "three" / restart_name("test", site.start + DAY), ("EN002",)).mixing_ratio
    alone = read_restart(tmp_path / "one" / restart_name("test", site.start + DAY), ("EN001",)).mixing_ratio
    assert np.array_equal(among, alone)
