"""Whether a run may go on with what is in its directory: `gcas check` says beforehand what `gcas run` would say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gcas_driver.config import load
from gcas_driver.continuing import continuing_problems, make_case_directory, require_same_experiment
from gcas_driver.errors import InputError, SettingsError, format_report
from gcas_driver.journal import Journal
from gcas_driver.meteorology import ensure_meteorology
from gcas_driver.progress import Reporter

NAMELIST = """&case name = 'go' /
&time start = '2010-06-01', days = 4, window_days = 1 /
&state members = 4 /
&analysis near_km = 500.0 /
&initial uniform_ppm = 388.0 /
&prior component = 'bio', directory = 'prior' /
&transport grid = '12x6', levels = 4 /
"""


@pytest.fixture
def begun(tmp_path) -> Path:
    """A namelist whose case has done two windows."""
    settings = _settings(tmp_path)
    make_case_directory(settings.case_directory)
    journal = Journal(settings.case_directory)
    require_same_experiment(settings, journal, accept=False)
    for day in (1, 2):
        journal.append("window", window=f"2010-06-0{day}", end=f"2010-06-0{day + 1}")
    return tmp_path


def _settings(directory: Path, old: str = "", new: str = ""):
    assert old in NAMELIST
    (directory / "go.nml").write_text(NAMELIST.replace(old, new) if old else NAMELIST)
    return load(directory / "go.nml")


@pytest.mark.parametrize("old, new, words", [
    ("near_km = 500.0", "near_km = 600.0", ("analysis.near_km: 500.0 → 600.0", "new case")),
    ("days = 4", "days = 3", ("time.days: 4 → 3", "--accept")),
    ("days = 4", "days = 1", ("2010-06-02–2010-06-03", "no earlier end"))])
def test_check_and_run_say_the_same_of_a_case_in_progress(begun, old, new, words):
    assert continuing_problems(_settings(begun)) == []
    settings = _settings(begun, old, new)
    (problem,) = continuing_problems(settings)
    with pytest.raises((SettingsError, InputError)) as caught:
        require_same_experiment(settings, Journal(settings.case_directory), accept="earlier" in words[1])
    for said in (str(problem), str(caught.value)):
        assert all(word in said for word in words), said


def test_an_end_before_what_is_done_is_not_noted(begun):
    settings = _settings(begun, "days = 4", "days = 1")
    journal = Journal(settings.case_directory)
    with pytest.raises(InputError):
        require_same_experiment(settings, journal, accept=True)
    assert len(journal.events("settings")) == 1


def test_each_change_stands_on_a_line_of_its_own(begun):
    (problem,) = continuing_problems(_settings(begun, "near_km = 500.0", "near_km = 600.0, far_km = 2000.0"))
    lines = str(problem).splitlines()
    assert [line.strip() for line in lines[1:3]] == ["analysis.far_km: 3000.0 → 2000.0", "analysis.near_km: 500.0 → 600.0"]
    assert lines[3].startswith("Restore") and "; \n" not in str(problem) and "\n;" not in str(problem)
    assert format_report("a", "b", "c", "d", "e") == "b: a; found: c; expected: d; e"


@pytest.mark.parametrize("kind", ["file", "file above", "dangling link"])
def test_something_else_in_the_directorys_place(tmp_path, kind):
    settings = _settings(tmp_path, "name = 'go'", "name = 'go', directory = 'cases/go'")
    (tmp_path / "cases").symlink_to("nowhere") if kind == "dangling link" else None
    (tmp_path / "cases").write_text("") if kind == "file above" else None
    if kind == "file":
        (tmp_path / "cases").mkdir()
        (tmp_path / "cases" / "go").write_text("")
    (problem,) = continuing_problems(settings)
    assert "cannot be made" in problem.what and str(tmp_path / "cases") in problem.where
    with pytest.raises(InputError, match="cannot be made"):
        make_case_directory(settings.case_directory)


def test_a_directory_that_is_not_ours_to_write(tmp_path, monkeypatch):
    settings = _settings(tmp_path)
    assert continuing_problems(settings) == []
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    (problem,) = continuing_problems(settings)
    assert problem.found == "no permission" and problem.where == str(tmp_path)


def test_a_damaged_journal_is_told(begun):
    path = begun / "go" / "journal.jsonl"
    path.write_text(path.read_text().replace('"event"', "event", 1))
    (problem,) = continuing_problems(_settings(begun))
    assert "journal is damaged" in problem.what


def test_a_file_of_the_analytic_circulation_that_was_cut_is_made_again(tmp_path):
    settings = _settings(tmp_path)
    make_case_directory(settings.case_directory)
    ensure_meteorology(settings, Reporter())
    files = sorted((settings.case_directory / "met").glob("*.nc"))
    contents = [file.read_bytes() for file in files]
    for cut in (0, 3, 40, len(contents[2]) - 1):
        files[2].write_bytes(contents[2][:cut])
        ensure_meteorology(settings, Reporter())
        assert [file.read_bytes() for file in files] == contents, cut
