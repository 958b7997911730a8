"""Real input: NCEP winds of June, the flasks of Mauna Loa, TransCom's regions; everything through the commands, as a user would.

The flasks lie at 3400 m in the free air over the trade winds, so what two weeks of fluxes do to them is small: some 0.05 ppm. A λ
grid of 20° lets 40 members tell that from noise.
"""

from __future__ import annotations

import json
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from small_case import gcas

from gcas_driver.osse.priors import write_priors

pytestmark = [pytest.mark.needs_real_data, pytest.mark.timeout(600)]

FLASKS = "co2_mlo_surface-flask_1_ccgg_event_2019legacy.txt"
MAUNA_LOA = (-155.576, 19.536)
START, END = "2010-06-02", "2010-06-16"
FAR_KM = 3000.0
VALUE, FLAG = 11, 13  # columns of the file

NAMELIST = """! One window on real winds and flasks
&case name = 'june2010' /
&time start = '2010-06-02', days = 14, window_days = 14 /
&state members = 40, lambda_grid = '18x9' /
&initial uniform_ppm = 391.0 /
&prior component = 'bio', directory = 'prior' /
&prior component = 'ocn', directory = 'prior' /
&prior component = 'fossil', directory = 'prior' /
&prior component = 'fire', directory = 'prior' /
&surface
  format = 'noaa_flask', name = 'mauna_loa', directory = '{data}/noaa', files = '{flasks}'
  error_ppm = 0.75, error_floor_ppm = 0.75
/
&transport met_directory = 'met', met_prefix = 'ncep_' /
&regions file = '{data}/transcom/carbontracker_regions.nc' /
"""


@pytest.fixture(scope="module")
def namelist(real_data, tmp_path_factory) -> Path:
    """The namelist of a case that has been run."""
    directory = tmp_path_factory.mktemp("real")
    made = gcas("met", "ncep", real_data / "met" / "ncep_june_climatology_t42.nc", directory / "met", "--start", START, "--end", END,
                "--grid", "64x32", "--levels", "18")
    assert made.returncode == 0 and "ncep_20100601.nc" in made.stdout, made.stderr
    write_priors(directory / "prior", np.datetime64(START), np.datetime64(END), seed=1)
    path = directory / "june.nml"
    path.write_text(NAMELIST.format(data=real_data, flasks=FLASKS))
    checked = gcas("check", path)
    assert checked.returncode == 0 and "no problems found" in checked.stdout, checked.stdout + checked.stderr
    result = gcas("run", path)
    assert result.returncode == 0, result.stderr
    return path


@pytest.fixture(scope="module")
def window(namelist) -> Path:
    return namelist.parent / "june2010" / "windows" / START


def _flasks(real_data: Path) -> dict[str, list[float]]:
    """Values in the window by the first character of the flag, read from the file's columns without the reader."""
    found: dict[str, list[float]] = {}
    for line in (real_data / "noaa" / FLASKS).read_text().splitlines():
        words = line.split()
        if words and words[0] == "MLO" and START <= "-".join(words[1:4]) < END:
            found.setdefault(words[FLAG][0], []).append(float(words[VALUE]))
    return found


def test_every_flask_is_accounted_for(real_data, namelist, window):
    entry = [json.loads(line) for line in (namelist.parent / "june2010" / "journal.jsonl").read_text().splitlines()][-1]
    flasks = _flasks(real_data)
    n_flagged = sum(len(values) for flag, values in flasks.items() if flag != ".")
    assert n_flagged == 2 and len(flasks["."]) == 6
    assert entry["observations_read"] == 8 == entry["observations_used"] + entry["observations_withheld"] + sum(entry["left_out"].values())
    assert entry["left_out"] == {"rejected by the provider's flag": n_flagged, "averaged with its replicate": 3}
    with netCDF4.Dataset(window / "observations.nc") as data:
        used = data["used"][:].astype(bool)
        assert used.sum() == 3 and set(data["site"][:]) == {"MLO"}
        assert np.isclose(np.sort(data["value"][:][used]), np.sort(np.mean(np.reshape(flasks["."], (-1, 2)), axis=1)), atol=1e-6).all()
        flagged = data["reason"][:] == "rejected by the provider's flag"
        assert sorted(np.round(data["value"][:][flagged], 3)) == [392.9, 393.45]
        assert (data["super_observation_index"][:][flagged] == -1).all()
    assert "2 rejected by the provider's flag" in (namelist.parent / "june2010" / "gcas.log").read_text()


def test_posterior_is_nearer_to_the_flasks(window):
    with netCDF4.Dataset(window / "observations.nc") as data:
        used = data["used"][:].astype(bool)
        distance = {name: np.abs(data[name][:] - data["value"][:])[used] for name in ("prior", "background", "posterior")}
        assert (distance["posterior"] < distance["background"]).all() and (distance["posterior"] < distance["prior"]).all()
        assert np.sum(distance["prior"] - distance["posterior"]) > 0.005, "more than round-off"
        spread = {name: data[f"hx_{name}"][:].std(axis=1, ddof=1) for name in ("background", "posterior")}
        assert (spread["posterior"] < spread["background"]).all() and spread["background"].min() > 0.01


def test_fluxes_change_upwind_and_not_elsewhere(window):
    """Trade winds: what reaches Mauna Loa comes from the east and north-east."""
    with netCDF4.Dataset(window / "fluxes.nc") as data:
        change = (data["flux_posterior"][:] - data["flux_prior"][:]).mean(axis=1)
        lon, lat = np.meshgrid(data["lon"][:], data["lat"][:])
        size = np.abs(change[:2].sum(axis=0)) * data["area"][:]
        assert (change[2:] == 0.0).all(), "FOSSIL and FIRE are kept"
    east = (lon - MAUNA_LOA[0] + 180.0) % 360.0 - 180.0
    distance = _km(lon, lat)
    assert size.sum() > 0.0
    assert size[distance > FAR_KM + 2500.0].max() < 1e-9 * size.max(), "half a λ cell of 20° beyond the localization, and no further"
    upwind, downwind = ((east * sign > 0.0) & (distance < FAR_KM + 2500.0) for sign in (1.0, -1.0))
    assert size[upwind].sum() > 5.0 * size[downwind].sum()


def _km(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    one, two, turn = np.deg2rad(lat), np.deg2rad(MAUNA_LOA[1]), np.deg2rad(lon - MAUNA_LOA[0])
    cosine = np.sin(one) * np.sin(two) + np.cos(one) * np.cos(two) * np.cos(turn)
    return 6371.229 * np.arccos(np.clip(cosine, -1.0, 1.0))


def test_fluxes_are_written_on_real_regions(window):
    with netCDF4.Dataset(window / "fluxes.nc") as data:
        names = [str(name) for name in data["region"][:]]
        assert len(names) >= 22 and "Europe" in names and "N Pacific Temp" in names
        for name in ("flux_prior", "flux_posterior"):
            assert np.isfinite(data[name][:]).all() and data[name].units == "mol m-2 s-1"
        totals = {name: data[f"region_total_{name}"][:].sum(axis=0).mean(axis=-1) for name in ("prior", "posterior")}
    changed = {names[i] for i in np.argsort(-np.abs(totals["posterior"] - totals["prior"]))[:4]}
    assert changed & {"N Pacific Temp", "E Pacific Trop"}


def test_evaluate_and_report(namelist):
    for command, file in (("evaluate", "summary.json"), ("report", "report/index.html")):
        result = gcas(command, namelist)
        assert result.returncode == 0 and file in result.stdout, result.stderr
        assert (namelist.parent / "june2010" / file).stat().st_size > 1000
    summary = json.loads((namelist.parent / "june2010" / "summary.json").read_text())
    assert summary["windows"] == 1 and summary["members"] == 40
    assert summary["fluxes"]["Global land"]["prior"] < -10.0, "June is the season of growth"
