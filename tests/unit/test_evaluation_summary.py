"""summary.json to the letter, budgets and scores on case directories of known content."""

import io
import json
import math
import shutil
from dataclasses import replace

import netCDF4
import numpy as np
import pytest
import rich
from generators import case_directory as maker
from rich.console import Console

from gcas_driver.analysis import nothing_to_diagnose
from gcas_driver.errors import InputError
from gcas_driver.evaluation.aggregates import region_keys
from gcas_driver.evaluation.case import open_case
from gcas_driver.evaluation.diagnostics import pooled
from gcas_driver.evaluation.summary import evaluate, evaluate_case, format_table
from gcas_driver.fluxes.regions import TRANSCOM

SUMS = ("Global", "Global land", "Global ocean", "Northern land", "Tropical land", "Southern land")
STATISTICS = {"bias", "mae", "rmse", "corr"}


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return maker.make_case(tmp_path_factory.mktemp("cases") / "full")


@pytest.fixture(scope="module")
def evaluation(case):
    return evaluate(case)


def strictly(path):
    def refuse(constant):
        raise AssertionError(f"{constant} in {path}")
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def test_schema_to_the_letter(case):
    returned = evaluate_case(case)
    summary = strictly(case / "summary.json")
    assert summary == returned
    assert list(summary) == ["case", "windows", "members", "wall_seconds", "xco2", "surface", "fluxes", "uncertainty_reduction", "scores",
                             "diagnostics"]
    assert (summary["case"], summary["windows"], summary["members"], summary["wall_seconds"]) == ("example", 2, 8, 25.0)
    for name in ("xco2", "surface"):
        assert list(summary[name]) == ["prior", "background", "posterior"]
        assert all(set(block) == STATISTICS | {"rmse_true"} for block in summary[name].values())
    assert list(summary["fluxes"]) == [*TRANSCOM[:22], *SUMS]
    keys = {"prior", "prior_sd", "posterior", "posterior_sd", "posterior_sd_independent", "truth"}
    assert all(set(row) == keys for row in summary["fluxes"].values())
    assert list(summary["uncertainty_reduction"]) == list(summary["fluxes"])
    details = strictly(case / "evaluation.json")
    assert {"accounting", "diagnostics", "statistics", "fluxes", "weekly", "month", "year"} <= set(details)


def test_columns_of_stations_are_independent(tmp_path):
    """Withheld columns with a site have a block of their own, and statistics by site; withheld soundings of satellites do not mix in."""
    directory = maker.make_case(tmp_path / "tccon", maker.CaseOptions(stations=4))
    summary = evaluate_case(directory)
    assert list(summary)[-1] == "columns" and list(summary["columns"]) == ["prior", "background", "posterior"]
    assert summary["columns"]["posterior"]["rmse_true"] == pytest.approx(0.4 * summary["columns"]["prior"]["rmse_true"])
    found = evaluate(directory)
    assert len(found.columns) == 8 and found.columns.column.all() and set(found.columns.site) <= set(maker.SITES)
    assert len(found.surface) == 12 and not found.surface.column.any()
    details = strictly(directory / "evaluation.json")["statistics"]
    assert set(details) == {"xco2", "surface", "columns"} and set(details["columns"]["site"]) == set(found.columns.site)
    assert sum(site["prior"]["n"] for site in details["columns"]["site"].values()) == 8
    shown = io.StringIO()
    rich.print(format_table(summary), file=shown)
    assert "TCCON, independent" in shown.getvalue()


def test_known_recovery(evaluation):
    summary = evaluation.summary
    for name in ("xco2", "surface"):
        assert summary["scores"][f"{name}_rmse_true_reduction"] == pytest.approx(60.0, abs=1e-6)
        assert summary[name]["posterior"]["rmse_true"] == pytest.approx(0.4 * summary[name]["prior"]["rmse_true"])
    scores = summary["scores"]
    assert scores["land_cell_error"]["change"] == pytest.approx(-60.0, abs=1e-3)
    assert scores["land_cell_error_weekly"]["change"] == pytest.approx(-60.0, abs=1e-3)
    assert scores["land_regions_nearer"] == scores["land_regions"] == 11
    assert scores["regions"] == 22
    for row in summary["fluxes"].values():
        assert row["posterior"] - row["truth"] == pytest.approx(0.4 * (row["prior"] - row["truth"]), abs=2e-5)
    assert all(v == pytest.approx(30.0) for v in summary["uncertainty_reduction"].values())


def test_means_are_regional_totals_and_sums_of_regions(case, evaluation):
    fluxes = evaluation.summary["fluxes"]
    members = []
    for window in sorted((case / "windows").iterdir()):
        with netCDF4.Dataset(window / "fluxes.nc") as data:
            members.append(data["region_total_prior"][:2].sum(axis=0))  # BIO + OCN (region, member)
    for k, name in enumerate(TRANSCOM[:22]):
        assert fluxes[name]["prior"] == pytest.approx(np.mean([m[k].mean() for m in members]), rel=1e-5, abs=1e-6)
        assert fluxes[name]["prior_sd"] == pytest.approx(np.mean([m[k].std(ddof=1) for m in members]))
    land = [m[:11].sum(axis=0).std(ddof=1) for m in members]
    assert fluxes["Global land"]["prior_sd"] == pytest.approx(np.mean(land))
    assert fluxes["Global land"]["posterior_sd_independent"] == pytest.approx(0.7 * np.hypot(*land) / 2)
    assert fluxes["Global land"]["prior"] == pytest.approx(sum(fluxes[n]["prior"] for n in TRANSCOM[:11]))
    rest = np.mean([m[22].mean() for m in members])
    assert fluxes["Global"]["prior"] == pytest.approx(fluxes["Global land"]["prior"] + fluxes["Global ocean"]["prior"] + rest, abs=1e-5)


def test_components_are_told_apart(evaluation):
    budget = evaluation.budget
    assert budget.components == ("bio", "ocn", "fossil", "fire", "total") and budget.optimised == ("bio", "ocn")
    k = budget.keys.index("Global")
    assert budget.mean(budget.prior)[k, budget.column("fossil")] == pytest.approx(9.6, rel=1e-5)
    assert budget.posterior_sd[:, k, budget.column("fire")] == pytest.approx(0.0, abs=1e-12)
    sums = budget.prior[:, k, 0] + budget.prior[:, k, 1]
    np.testing.assert_allclose(budget.prior[:, k, budget.column()], sums)


def test_spin_up_does_not_count(case, tmp_path):
    text = (case / "settings.nml").read_text().replace("&time", "&time\n  evaluate_from = '2010-06-02'")
    short = tmp_path / "short"
    shutil.copytree(case, short)
    (short / "settings.nml").write_text(text)
    found = evaluate(short)
    assert [w.name for w in found.case.counted] == ["2010-06-02"] and found.summary["windows"] == 2
    assert len(found.diagnostics) == 2 and len(found.budget.windows) == 1
    late = text.replace("2010-06-02", "2010-07-01")
    (short / "settings.nml").write_text(late)
    summary = evaluate_case(short)
    assert summary["fluxes"] == {} and summary["xco2"]["prior"]["rmse"] is None
    Console(file=io.StringIO()).print(format_table(summary))


@pytest.mark.parametrize(("change", "empty"), [
    ({"windows": 1}, ()), ({"soundings": 0, "flasks": 0}, ("xco2", "surface")), ({"withheld": False}, ("surface",)),
    ({"soundings": 0}, ("xco2",))])
def test_parts_may_be_missing(tmp_path, change, empty):
    directory = maker.make_case(tmp_path / "Fälle 碳", replace(maker.CaseOptions(truth=False), **change))
    summary = evaluate_case(directory)
    strictly(directory / "summary.json")
    assert "scores" not in summary and "truth" not in summary["fluxes"]["Europe"]
    for name in ("xco2", "surface"):
        for block in summary[name].values():
            assert set(block) == STATISTICS
            assert all((value is None) == (name in empty) for key, value in block.items() if key != "corr")
    rich.print(format_table(summary))


def test_a_zero_prior_has_no_reduction_and_no_nan(case, tmp_path):
    directory = tmp_path / "zero"
    shutil.copytree(case, directory)
    for path in directory.glob("windows/*/fluxes.nc"):
        with netCDF4.Dataset(path, "a") as data:
            for name in ("region_total_prior", "region_total_posterior"):
                data[name][:, 12] = 0.0
    summary = evaluate_case(directory)
    strictly(directory / "summary.json")
    assert summary["uncertainty_reduction"]["W Pacific Trop"] is None
    assert summary["fluxes"]["W Pacific Trop"]["posterior_sd"] == 0.0


def test_a_region_file_that_has_gone_leaves_the_members_means(case, tmp_path, caplog):
    directory = tmp_path / "moved"
    shutil.copytree(case, directory)
    with open(directory / "settings.nml", "a") as stream:
        stream.write("&regions\n  file = 'gone.nc'\n/\n")
    found = evaluate(directory)
    assert "no region map" in caplog.text
    whole = evaluate(case).summary["fluxes"]["Europe"]
    assert found.summary["fluxes"]["Europe"]["posterior"] == pytest.approx(whole["posterior"], rel=1e-5)
    assert "truth" not in found.summary["fluxes"]["Europe"] and "truth" in found.summary["fluxes"]["Global"]


def test_settings_of_another_release_are_no_obstacle(case, tmp_path):
    directory = tmp_path / "old"
    shutil.copytree(case, directory)
    with open(directory / "settings.nml", "a") as stream:
        stream.write("&forgotten\n  setting = 'x'\n/\n")
    assert evaluate(directory).summary["members"] == 8


def test_nothing_to_evaluate_is_said(tmp_path):
    with pytest.raises(InputError, match="nothing to evaluate"):
        open_case(tmp_path)


def test_a_broken_file_is_named(case, tmp_path):
    directory = tmp_path / "broken"
    shutil.copytree(case, directory)
    path = directory / "windows" / "2010-06-02" / "fluxes.nc"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="2010-06-02/fluxes.nc"):
        evaluate(directory)


def test_a_map_of_the_users_own():
    keys, sums = region_keys(("Region 1", "Region 7", TRANSCOM[-1]))
    assert keys == ("Region 1", "Region 7", "Global")
    assert sums.tolist() == [[1, 0, 0], [0, 1, 0], [1, 1, 1]]


def test_diagnostics(evaluation):
    first = evaluation.diagnostics[0]
    assert first.rejected_share == 0.87 and first.figures.of("number") == 59
    path = evaluation.case.windows[0].directory / "observations.nc"
    with netCDF4.Dataset(path) as data:
        hx, y, r = (np.asarray(data[n][:]) for n in ("hx_background", "super_observation_value", "super_observation_error"))
    chi2 = [(y[i] - hx[i].mean()) ** 2 / (hx[i].var(ddof=1) + r[i] ** 2) for i in range(y.size)]
    assert first.figures.of("chi2") == pytest.approx(np.mean(chi2))
    assert first.figures.of("prior_variance") == pytest.approx(np.mean(hx.var(axis=1, ddof=1)))
    with netCDF4.Dataset(path.with_name("analysis.nc")) as data:
        assert data["diagnostic_dfs"].dimensions == ("diagnostic_group",) and data["diagnostic_error_variance"].units == "ppm2"
        assert data["diagnostic_rank_count"][0].sum() == 59 and data["diagnostic_group"][0] == "all"


def test_windows_taken_together_are_all_their_observations(evaluation):
    """Of two windows means are those of all observations, ranks add up, signal is the windows' mean."""
    parts = [d.figures for d in evaluation.diagnostics]
    both = pooled(parts)
    number = np.array([p.of("number") for p in parts])
    for name in ("chi2", "mean_innovation", "error_variance_diagnosed", "prior_variance"):
        assert both.of(name) == pytest.approx(np.average([p.of(name) for p in parts], weights=number))
    squares = np.average([p.of("rms_innovation") ** 2 for p in parts], weights=number)
    assert both.of("rms_innovation") == pytest.approx(math.sqrt(squares))
    assert both.of("spread_skill") == pytest.approx(both.of("rms_innovation") / both.of("expected_rms"))
    assert both.of("number") == number.sum() == both.rank_count[0].sum()
    assert both.of("dfs") == pytest.approx(np.mean([p.of("dfs") for p in parts]))
    once = [g for g in both.groups if sum(g in p.groups for p in parts) == 1]
    for group in once:
        part = next(p for p in parts if group in p.groups)
        assert both.of("dfs", group) == pytest.approx(part.of("dfs", group) / 2) and both.of("chi2", group) == part.of("chi2", group)
    weighted = [p.of("chi2_error") * n for p, n in zip(parts, number, strict=True)]
    assert both.of("chi2_error") == pytest.approx(math.hypot(*weighted) / number.sum())
    regions = [g for g in both.groups if g.startswith("region:")]
    assert sum(both.of("dfs", g) for g in regions) == pytest.approx(both.of("dfs")) and once
    block = evaluation.summary["diagnostics"]
    assert list(block) == ["rejected_share", "all", "product", "region"] and block["rejected_share"] == 0.87
    assert block["all"]["chi2"] == both.of("chi2") and set(block["product"]) == {"acos_lite"}
    assert pooled([]).of("number") == 0 and np.isnan(pooled([nothing_to_diagnose()]).of("dfs"))


def test_windows_written_without_figures_are_read(case, tmp_path):
    directory = tmp_path / "early"
    shutil.copytree(case, directory)
    for path in (directory / "windows").glob("*/analysis.nc"):
        with netCDF4.Dataset(path, "a") as data:
            data.renameDimension("diagnostic_group", "other")
    assert evaluate_case(directory)["diagnostics"]["all"]["number"] == 0


def test_windows_that_are_done_but_lost_are_named(case, tmp_path):
    copy = shutil.copytree(case, tmp_path / "copy")
    lost = sorted((copy / "windows").iterdir())[0]
    (lost / "fluxes.nc").unlink()
    with pytest.raises(InputError, match=f"no {lost.name}/fluxes.nc"):
        open_case(copy)
    (copy / "journal.jsonl").unlink()  # what the message advises
    assert [w.name for w in open_case(copy).windows] == [w.name for w in open_case(case).windows][1:]


def test_windows_that_the_journal_does_not_know_do_not_count(case, tmp_path):
    """Of a run that was stopped before its entry, or of an earlier run in the same directory."""
    copy = shutil.copytree(case, tmp_path / "copy")
    last = sorted((copy / "windows").iterdir())[-1]
    shutil.copytree(last, copy / "windows" / "2019-01-01")
    assert [w.name for w in open_case(copy).windows] == [w.name for w in open_case(case).windows]
    (copy / "journal.jsonl").write_text((copy / "journal.jsonl").read_text().splitlines(keepends=True)[0])
    assert len(open_case(copy).windows) == 1


def test_windows_of_different_settings_are_refused(case, tmp_path):
    copy = shutil.copytree(case, tmp_path / "copy")
    with netCDF4.Dataset(sorted((copy / "windows").iterdir())[-1] / "fluxes.nc", "a") as data:
        data.settings_hash = "fedcba9876543210"
    with pytest.raises(InputError, match="fedcba9876543210"):
        open_case(copy)
