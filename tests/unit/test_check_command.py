"""What `gcas check` says of a transport model that is not GCAS's own and of settings that a model does not heed, and what a run directory
keeps of a site's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from gcas_driver.check_command import command_problems
from gcas_driver.check_effects import effect_problems
from gcas_driver.config import load
from gcas_driver.launch.tidy import forget_restarts
from mozart_coupling import contract
from mozart_coupling.namelist import write_simulation_data
from mozart_coupling.prepare import _provide_simulation_data

NAMELIST = """&case name = 'site' /
&time start = '2014-09-06', days = 7 /
&state members = 10 /
&initial uniform_ppm = 397.0 /
&prior component = 'bio', directory = 'prior' /
&transport model = 'command', command = './mz4_mpi', '{namelist}', met_directory = 'met', run_files = 'mz4_mpi', 'mz4.dat' /
"""


@pytest.fixture
def site(tmp_path):
    (tmp_path / "mz4_mpi").write_text("#!/bin/sh\n")
    write_simulation_data(tmp_path / "mz4.dat", contract.member_names(10))
    (tmp_path / "site.nml").write_text(NAMELIST)
    return tmp_path


def problems(site: Path) -> list[str]:
    return [str(p) for p in command_problems(load(site / "site.nml"))]


def test_a_complete_site_has_no_problem(site):
    assert problems(site) == []


def test_other_tracers_than_members(site):
    write_simulation_data(site / "mz4.dat", contract.member_names(12))
    (found,) = problems(site)
    assert "site.nml, line 6" in found and "12: EN001" in found and "EN010" in found


def test_missing_executable_and_broken_species_list(site):
    (site / "mz4_mpi").unlink()
    (site / "mz4.dat").write_text("nonsense\n")
    found = " | ".join(problems(site))
    assert "mz4_mpi" in found and "mz4.dat" in found


def test_a_sites_own_species_list_is_kept_if_it_fits(site):
    own = site / "mz4.dat"
    text = own.read_text()
    _provide_simulation_data(own, contract.member_names(10))
    assert own.read_text() == text
    link = site / "run.dat"
    link.symlink_to(own)
    _provide_simulation_data(link, contract.member_names(3))
    assert own.read_text() == text, "a site's file is never written through a link"
    assert not link.is_symlink()


def test_only_our_own_old_restarts_are_forgotten(tmp_path):
    names = ["site.mz4.r.2014-09-06-00000.nc", "rstrt-2014-09-06-00000", "site.mz4.r.2014-09-13-00000.nc", "rstrt-2014-09-13-00000",
             "other.mz4.r.2014-09-06-00000.nc", "notes-2014-09-06-00000.txt"]
    for name in names:
        (tmp_path / name).touch()
    forget_restarts(tmp_path, "site", 1410566400)  # 2014-09-13
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names[2:])


def idle(site: Path, transport: str) -> list[str]:
    """Settings that are said to have no effect, or to have another."""
    path = site / "effects.nml"
    path.write_text(NAMELIST.split("&transport")[0] + f"&transport {transport} /\n")
    found = effect_problems(load(path))
    assert all(problem.severity == "warning" and problem.where == "effects.nml, line 6" and problem.advice for problem in found)
    return sorted(problem.what.split("'")[1] if "no effect" in problem.what else problem.found for problem in found)


def test_settings_that_the_embedded_model_does_not_heed(site):
    assert idle(site, "threads = 2, mode = 'linear', precision = 'double', convection = .false., sampling_hours = 1.0, levels = 20") == []
    assert idle(site, "emission_tag = 'T42LR', tracer_units = 'mmr'") == ["emission_tag", "tracer_units"]
    assert idle(site, "tracer_units = 'mmr', sampling = 'history'") == []
    assert idle(site, "met_directory = 'met', grid = '36x18', levels = 8, met_seed = 3") == ["grid", "levels", "met_seed"]
    assert idle(site, "command = './mz4_mpi', '{namelist}', run_files = 'mz4_mpi'") == ["command", "run_files"]


def test_settings_that_a_command_does_not_heed(site):
    mozart = "model = 'command', met_directory = 'met', command = './mz4_mpi', '{namelist}'"
    assert idle(site, mozart + ", tracer_units = 'mmr', emission_tag = 'T42LR', sampling = 'history'") == []
    assert idle(site, mozart + ", precision = 'single', threads = 2, convection = .false.") == ["convection", "precision", "threads"]
    assert idle(site, mozart + ", sampling = 'inline'") == ["sampling = 'inline'"]
    assert idle(site, mozart + ", sampling_hours = 1.0") == ["sampling_hours = 1.0"]
    able = site / "able"
    able.write_text("#!/bin/sh\necho '{\"in_line_samples\": true}'\n")
    able.chmod(0o755)
    assert idle(site, mozart.replace("./mz4_mpi", str(able)) + ", threads = 2, sampling = 'inline'") == []
