"""`namelists/public_files.nml` with faithful small files of every format it names: checked, run for a window, evaluated."""

from __future__ import annotations

import json
from pathlib import Path

import netCDF4
import numpy as np
from formats import initial, lite, obspack, regions, tccon
from formats.sounding_numbers import make_soundings
from generators.flux_files import plausible_flux, write_carbontracker
from small_case import gcas

ROOT = Path(__file__).resolve().parents[2]
FIRST = np.datetime64("2015-06-01")
DAYS = np.arange(FIRST, FIRST + 2)
COMPONENTS = {"bio_flux_opt": "bio", "ocn_flux_opt": "ocn", "fossil_flux_imp": "fossil", "fire_flux_imp": "fire"}
CHANGES = (("days  = 28", "days  = 2"), ("window_days = 7", "window_days = 2"), ("members = 50", "members = 6"), ("'128x64'", "'24x16'"),
           ("levels = 28", "levels = 9"))


def _write(root: Path, monkeypatch) -> Path:
    """All files, in the names of their producers; returns the namelist."""
    for name in ("carbontracker/fluxes", "gosat", "oco2", "obspack", "tccon"):
        (root / name).mkdir(parents=True)
    monkeypatch.setattr(initial, "START", FIRST.astype("datetime64[s]"))
    monkeypatch.setattr(obspack, "START", FIRST.astype("datetime64[s]"))
    noon = FIRST.astype("datetime64[s]").astype(int) + 18 * 3600
    monkeypatch.setattr(tccon, "times", lambda: noon + np.r_[0, 150, 300, 3900, 4050, 86400, 86550, 90450].astype(float))
    initial.carbontracker_file(root / "carbontracker" / "CT2022.molefrac_glb3x2_2015-06-01.nc", 34)
    regions.carbontracker_regions(root / "carbontracker")
    for day in DAYS:
        stamp = str(day).replace("-", "")
        fluxes = {name: plausible_flux(component, 1, (36, 72)) for name, component in COMPONENTS.items()}
        write_carbontracker(root / "carbontracker" / "fluxes" / f"CT2022.flux1x1.{stamp}.nc", str(day), fluxes)
        for folder, dialect, n in (("gosat", "gosat_lite_v9r", 60), ("oco2", "oco2_lite_v11", 200)):
            lite.write_lite(root / folder / lite.DIALECTS[dialect].name(day), make_soundings(n, str(day), seed=n), dialect)
    obspack.write_2019(root / "obspack" / "co2_lef_tower-insitu_1_allvalid-396magl.nc", dataset_calibration_scale="WMO CO2 X2019")
    obspack.write_2019(root / "obspack" / "co2_mlo_surface-insitu_1_allvalid.nc", site_code="MLO", dataset_project="surface-insitu",
                       dataset_name="co2_mlo_surface-insitu_1_allvalid", dataset_selection_tag="allvalid",
                       dataset_calibration_scale="WMO CO2 X2019")
    spectra = tccon._write_2020(root / "tccon").rename(root / "tccon" / "pa20150601_20150701.public.qc.nc")
    with netCDF4.Dataset(spectra, "a") as data:
        data["year"][:] = 2015
    text = (ROOT / "namelists" / "public_files.nml").read_text()
    for old, new in CHANGES:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    namelist = root / "public_files.nml"
    namelist.write_text(text)
    return namelist


def test_public_files_from_check_to_report(tmp_path, monkeypatch):
    namelist = _write(tmp_path, monkeypatch)
    checked = gcas("check", namelist)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    ran = gcas("run", namelist)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    case = tmp_path / "public_files"
    entries = [json.loads(line) for line in (case / "journal.jsonl").read_text().splitlines()]
    window = next(entry for entry in entries if entry["event"] == "window")
    assert window["observations_used"] > 100 and window["observations_withheld"] > 0
    with netCDF4.Dataset(case / "windows" / "2015-06-01" / "observations.nc") as data:
        products, used = data["product"][:], data["used"][:].astype(bool)
        assert set(products) == {"gosat", "oco2", "obspack", "tccon"} and set(products[used]) == {"gosat", "oco2", "obspack"}
        assert set(data["site"][:][used]) == {"", "LEF"} and np.isfinite(data["posterior"][:][used]).all()
        distance = {name: np.square(data[name][:] - data["value"][:])[used].mean() for name in ("background", "posterior")}
        assert distance["posterior"] < distance["background"]
    for command in ("evaluate", "report"):
        done = gcas(command, namelist)
        assert done.returncode == 0, done.stderr
    assert json.loads((case / "summary.json").read_text())["windows"] == 1 and (case / "report" / "index.html").stat().st_size > 1000
