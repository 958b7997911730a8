"""`gcas check` of prior fluxes: every group's files, whether groups fit together, totals by year."""

import numpy as np
import pytest
from formats import flux_climatologies, flux_inventories
from generators.flux_files import plausible_flux, write_gcasv2

from gcas_driver.check import check_case, print_check
from gcas_driver.config import load
from gcas_driver.errors import SettingsError
from gcas_driver.fluxes.priors import annual_totals

# The paper's four priors: BIO from GCASv2's layout, OCN Takahashi with a model in its gaps, FOSSIL the mean of two inventories, FIRE GFED.
NAMELIST = """&case name = 'priors' /
&time start = '2010-06-15', days = 1 /
&state members = 4 /
&initial uniform_ppm = 390.0 /
&transport grid = '36x18', levels = 6 /
&prior component = 'bio', directory = 'bio' /
&prior component = 'ocn', format = 'takahashi', directory = 'ocn', units = 'gC m-2 month-1', gaps_from = 'model' /
&prior component = 'ocn', format = 'cf', directory = 'ocn/model', name = 'model', counts = .false. /
&prior component = 'fossil', format = 'cdiac', directory = 'fossil', factor = 0.5, diurnal = 'afternoon' /
&prior component = 'fossil', format = 'odiac', directory = 'fossil', factor = 0.5 /
&prior component = 'fire', format = 'odiac', directory = 'fossil' /
"""


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """The namelist and its files; FIRE's format is corrected, GFED's file being large."""
    directory = tmp_path_factory.mktemp("case")
    write_gcasv2(directory / "bio", "bio", "20100615", plausible_flux("bio") * 6.02214076e19)
    flux_climatologies.write_with_model(directory / "ocn")
    flux_inventories.write_cdiac(directory / "fossil")
    flux_inventories.write_odiac(directory / "fossil")
    path = directory / "priors.nml"
    path.write_text("\n".join(line for line in NAMELIST.splitlines() if "'fire'" not in line) + "\n")
    return path


def test_the_papers_priors_pass_and_their_totals_are_printed(case, capsys):
    result = check_case(load(case))
    assert [p for p in result.problems if p.severity == "error"] == []
    print_check(result)
    lines = capsys.readouterr().out.splitlines()
    row = next(line.split() for line in lines if line.split()[:1] == ["2010"])
    head = next(line.split() for line in lines if line.split()[:1] == ["year"])
    assert head == ["year", "bio", "ocn", "fossil", "sum"]
    totals = annual_totals(load(case).prior, np.datetime64("2010-06-15"), np.datetime64("2010-06-16"))[2010]
    assert [float(x) for x in row[1:4]] == [round(totals[c], 3) for c in ("bio", "ocn", "fossil")]
    assert float(row[4]) == pytest.approx(sum(totals.values()), abs=0.002)


def test_every_faulty_group_is_named_at_once(case, tmp_path):
    text = case.read_text().replace("name = 'priors'", f"name = 'priors', directory = '{tmp_path}'")
    faulty = case.with_name("faulty.nml")
    faulty.write_text(text.replace("format = 'odiac', directory = 'fossil'", "format = 'odiac', directory = 'ocn'").replace(
        "directory = 'bio'", "directory = 'no_such_place'"))
    found = [str(p) for p in check_case(load(faulty)).errors]
    assert any("no_such_place" in p and "line 6" in p for p in found)
    assert any("odiac*_1x1d_2010.nc" in p for p in found)


def test_a_format_without_the_component_and_a_lender_nobody_uses(case):
    wrong = case.with_name("wrong.nml")
    wrong.write_text(NAMELIST)
    [error] = check_case(load(wrong)).errors
    assert "format 'odiac' has no fire flux" in str(error) and "line 11" in str(error)
    wrong.write_text(case.read_text().replace(", gaps_from = 'model'", ""))
    [error] = check_case(load(wrong)).errors
    assert "no other one uses it" in str(error) and "line 8" in str(error)


def test_settings_of_a_group_are_typed(case):
    wrong = case.with_name("typed.nml")
    for faulty in ("recycle_years = 'x'", "positive = 'left'", "name = '1 a'", "recycle_by = 'random'", "format = 'gfed5'"):
        wrong.write_text(case.read_text().replace("&prior component = 'bio'", f"&prior component = 'bio', {faulty}"))
        with pytest.raises(SettingsError, match="line 6"):
            load(wrong)
