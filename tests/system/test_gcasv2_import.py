"""From a GCASv2 installation to posterior fluxes: import, check, run, with nothing edited between."""

from __future__ import annotations

import json

import netCDF4
import numpy as np
from generators import gcasv2_directory as made
from small_case import gcas

FIRST = np.datetime64("2014-09-06")


def test_an_installation_is_taken_over(tmp_path):
    days = np.arange(FIRST, FIRST + 2)
    made.write_priors(tmp_path / "prior", days)
    for day in days:
        made.write_soundings(tmp_path / "oco2" / f"oco2_v11_{made.yyyymmdd(day)}.nc", day, 200)
        made.write_surface(tmp_path / "srf" / f"srf_{made.yyyymmdd(day)}", day, 395.5)
    made.write_met(tmp_path / "mozart" / "dyn", np.arange(FIRST - 1, FIRST + 3))
    (tmp_path / "ensrf.nml").write_text(made.NAMELIST.format(rundays=2, da_step=2, casename="taken_over", ensemble=6))
    namelist = tmp_path / "my.nml"
    imported = gcas("import", tmp_path / "ensrf.nml", "-o", namelist)
    assert imported.returncode == 0 and "GEOS5_19x2_" in imported.stdout, imported.stdout + imported.stderr
    checked = gcas("check", namelist)
    assert checked.returncode == 0 and "0 errors" in checked.stdout, checked.stdout + checked.stderr
    ran = gcas("run", namelist)
    assert ran.returncode == 0, ran.stderr
    entries = [json.loads(line) for line in (tmp_path / "taken_over" / "journal.jsonl").read_text().splitlines()]
    window = next(entry for entry in entries if entry["event"] == "window")
    assert window["observations_used"] > 100
    with netCDF4.Dataset(tmp_path / "taken_over" / "windows" / "2014-09-06" / "fluxes.nc") as data:
        assert np.isfinite(data["flux_posterior"][:]).all() and np.abs(data["flux_posterior"][:] - data["flux_prior"][:]).max() > 0.0
