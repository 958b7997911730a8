"""The directory of someone who has run GCASv2, with the quirks of real files, and a namelist of which only a user's lines change."""

from __future__ import annotations

import json
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from generators import gcasv2_directory as made
from small_case import gcas

from gcas_driver.fluxes.priors import PriorStream, read
from gcas_driver.observations import gcasv2_satellite
from gcas_driver.observations.streams import SatelliteStream

ROOT = Path(__file__).resolve().parents[2]
FIRST = np.datetime64("2014-09-06")
DAYS = np.arange(FIRST, FIRST + 4)
N = 500

STYLES = {
    "latitude and longitude": made.FluxStyle(dims=("time", "latitude", "longitude")),
    "no coordinates, no dates": made.FluxStyle(dims=("nt", "nlat", "nlon"), coordinates=False, stamps="none"),
    "reals": made.FluxStyle(date_type="f4", flux_type="f8", unlimited=True),
    "double dates": made.FluxStyle(date_type="f8"),
}


@pytest.mark.parametrize("style", STYLES)
def test_ways_to_write_fluxes(tmp_path, style):
    """However a day is written, the same numbers are read; the 7th shows that a four-byte real holds no odd date."""
    day = FIRST + 1
    for folder, how in (("plain", made.FluxStyle()), ("other", STYLES[style])):
        made.write_flux(tmp_path / folder / "bio" / "emissions.bio.20140907.nc", day, made.fluxes_of("bio", day), how)
    plain, other = (read(PriorStream("bio", "gcasv2", tmp_path / folder), day, day + 1) for folder in ("plain", "other"))
    assert np.allclose(plain.values, other.values, rtol=1e-6)
    for name in ("time", "time_end", "lat", "lon"):
        assert np.array_equal(plain[name], other[name]), name


def test_a_file_of_another_day_is_found_without_seconds_too(tmp_path):
    path = tmp_path / "bio" / "emissions.bio.20140907.nc"
    made.write_flux(path, FIRST, made.fluxes_of("bio", FIRST))
    with netCDF4.Dataset(path, "a") as data:
        data.renameVariable("datesec", "unused")
    with pytest.raises(Exception, match="not those of the file's name"):
        read(PriorStream("bio", "gcasv2", tmp_path), FIRST + 1, FIRST + 2)


SOUNDING_STYLES = {
    "doubles": made.SoundingStyle(date_type="f8", real_type="f8"),
    "dates as reals": made.SoundingStyle(date_type="f4"),
    "surface first": made.SoundingStyle(surface_first=True),
    "other dimensions": made.SoundingStyle(dims=("n", "lev"), unlimited=True, with_mode=False),
}


@pytest.mark.parametrize("style", SOUNDING_STYLES)
def test_ways_to_write_soundings(tmp_path, style):
    tables = []
    for folder, how in (("plain", made.SoundingStyle()), ("other", SOUNDING_STYLES[style])):
        made.write_soundings(tmp_path / folder / "oco2_v11_20140907.nc", FIRST + 1, 60, style=how)
        tables.append(gcasv2_satellite.READER.read(SatelliteStream("oco2", tmp_path / folder, "gcasv2_satellite"), FIRST + 1, FIRST + 2))
    plain, other = tables
    assert len(plain) == len(other) > 20
    for name in ("time", "lon", "lat", "value", "error"):
        assert np.allclose(getattr(plain, name), getattr(other, name), rtol=1e-6, atol=1e-2 if name == "time" else 1e-5), name
    assert np.allclose(plain.operators["oco2"].retrieval_pressure, other.operators["oco2"].retrieval_pressure, rtol=1e-5)


@pytest.fixture(scope="module")
def directory(tmp_path_factory) -> Path:
    """Priors from the day before the run to its last day; a day without soundings, one with none in it; another grid's meteorology."""
    root = tmp_path_factory.mktemp("foreign")
    ways = dict(zip(("bio", "ocn", "fossil", "fire"), (made.FluxStyle(), *STYLES.values()), strict=False))
    for component, style in ways.items():
        for day in np.arange(FIRST - 1, FIRST + 4):
            path = root / "prior" / component / f"emissions.{component}.{made.yyyymmdd(day)}.nc"
            made.write_flux(path, day, made.fluxes_of(component, day), style)
    names = [root / "oco2" / f"oco2_v11_{made.yyyymmdd(day)}.nc" for day in DAYS]
    spoilt = made.write_soundings(names[0], DAYS[0], N, quirks=True)
    made.write_soundings(names[2], DAYS[2], 0)
    style = made.SoundingStyle(date_type="f8", surface_first=True, with_mode=False, unlimited=True)
    made.write_soundings(names[3], DAYS[3], N, style=style)
    (root / "expected.json").write_text(json.dumps(spoilt))
    for day in DAYS:
        made.write_surface(root / "srf" / f"srf_{made.yyyymmdd(day)}", day, 395.5)
    made.write_met(root / "dyn", np.arange(FIRST - 1, FIRST + 5))
    text = (ROOT / "namelists" / "oco2_two_weeks.nml").read_text()
    for old, new in (("days  = 14", "days  = 4"), ("window_days = 7", "window_days = 2"), ("members = 50", "members = 8"),
                     ("! met_directory = 'met', met_prefix = 'met_'", "met_directory = 'dyn', met_prefix = 'GEOS5_19x2_' !")):
        assert old in text
        text = text.replace(old, new)
    (root / "mine.nml").write_text(text + "\n&surface format = 'gcasv2_surface', directory = 'srf', assimilate = .false. /\n")
    return root


def test_everything_works_unaided(directory):
    namelist = directory / "mine.nml"
    checked = gcas("check", namelist)
    assert checked.returncode == 0 and "0 errors" in checked.stdout, checked.stdout + checked.stderr
    assert "1 of 4 days have no file" in checked.stdout and "2014-09-07" in checked.stdout
    result = gcas("run", namelist)
    assert result.returncode == 0 and "Traceback" not in result.stderr, result.stderr
    case = directory / "oco2_two_weeks"
    entries = [json.loads(line) for line in (case / "journal.jsonl").read_text().splitlines()]
    first, second = (entry for entry in entries if entry["event"] == "window")
    for entry in (first, second):
        counted = entry["observations_used"] + entry["observations_withheld"] + sum(entry["left_out"].values())
        assert counted == entry["observations_read"] == N + 6, "with three surface samples a day"
    for reason, n in json.loads((directory / "expected.json").read_text()).items():
        assert first["left_out"][reason] == n + (2 if reason == "missing value" else 0), reason
    assert first["observations_used"] > 50 < second["observations_used"]
    for window in ("2014-09-06", "2014-09-08"):
        with netCDF4.Dataset(case / "windows" / window / "observations.nc") as data:
            used = data["used"][:].astype(bool)
            distance = {name: np.square(data[name][:] - data["value"][:])[used].mean() for name in ("background", "posterior")}
            assert distance["posterior"] < distance["background"]
            assert set(data["product"][:]) == {"oco2", "gcasv2_surface"} and set(data["site"][:]) == {"", "MLO", "SPO"}
        with netCDF4.Dataset(case / "windows" / window / "fluxes.nc") as data:
            assert data["flux_posterior"].shape[-2:] == (19, 36) and np.isfinite(data["flux_posterior"][:]).all()
    for command, file in (("evaluate", "summary.json"), ("report", "report/index.html")):
        done = gcas(command, namelist)
        assert done.returncode == 0 and (case / file).stat().st_size > 1000, done.stderr
    summary = json.loads((case / "summary.json").read_text())
    assert summary["windows"] == 2 and summary["xco2"]["posterior"]["rmse"] < summary["xco2"]["prior"]["rmse"]
    assert summary["surface"]["posterior"]["rmse"] > 0.0
