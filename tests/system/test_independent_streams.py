"""A run with columns of TCCON and a pack of a tall tower beside it: withheld ones are simulated, compared, and change nothing."""

from __future__ import annotations

import json

import netCDF4
import numpy as np
import pytest
from formats import obspack as packs
from formats import tccon as columns
from small_case import gcas

GROUPS = """
&column product = 'tccon', directory = 'tccon' /
&surface format = 'obspack', directory = 'pack', name = 'tower', projects = 'tower-insitu', assimilate = .false. /
"""


@pytest.fixture
def with_independent(small_case):
    path = small_case(days=1)
    for name in ("tccon", "pack"):
        (path.parent / name).mkdir()
    noon = float(np.datetime64("2010-06-01T18:00", "s").astype(int))
    times = noon + np.array([0, 150, 300, 3900, 4050, 7000, 7150, 9050.0])
    columns.write_2020(path.parent / "tccon" / "pa20100501_20100601.public.qc.nc", times)
    packs.write_2019(path.parent / "pack" / "co2_lef_tower-insitu_1_allvalid-396magl.nc")
    return path


def test_withheld_streams_are_compared_and_change_nothing(with_independent):
    plain = gcas("run", with_independent)
    assert plain.returncode == 0, plain.stderr
    before = (with_independent.parent / "case" / "windows" / "2010-06-01" / "analysis.nc").read_bytes()
    with_independent.write_text(with_independent.read_text().replace("name = 'case'", "name = 'more'") + GROUPS)
    checked = gcas("check", with_independent)
    assert checked.returncode == 0, checked.stdout
    result = gcas("run", with_independent)
    assert result.returncode == 0, result.stderr
    case = with_independent.parent / "more"
    with netCDF4.Dataset(case / "windows" / "2010-06-01" / "observations.nc") as data:
        product, site, reason = (data[name][:] for name in ("product", "site", "reason"))
        prior, value, used = (np.asarray(data[name][:]) for name in ("prior", "value", "used"))
    seen = product == "tccon"
    assert seen.sum() == 3 and set(site[seen]) == {"PA"} and set(reason[seen]) == {"withheld"} and not used[seen].any()
    # A field of 388 ppm seen by the operator, but for what a day of fluxes did to it.
    assert np.isfinite(prior[seen]).all() and (np.abs(prior[seen] - value[seen]) > 5.0).all()
    assert (prior[seen] > 386.0).all() and (prior[seen] < 400.0).all()
    tower = product == "tower"
    assert tower.sum() == 1 and set(site[tower]) == {"LEF"} and abs(prior[tower][0] - 388.0) < 20.0
    evaluated = gcas("evaluate", with_independent)
    assert evaluated.returncode == 0, evaluated.stderr
    summary = json.loads((case / "summary.json").read_text())
    departure = prior[seen] - value[seen]
    assert summary["columns"]["prior"]["bias"] == pytest.approx(departure.mean(), abs=1e-6)
    with netCDF4.Dataset(case / "windows" / "2010-06-01" / "analysis.nc") as new, netCDF4.Dataset("old", memory=before) as old:
        np.testing.assert_array_equal(new["factor_posterior"][:], old["factor_posterior"][:])
