"""`gcas inspect`: every kind of file is known by its contents, described through GCAS's readers, drawn; others are told apart."""

from __future__ import annotations

import json
import os
import shutil
import signal

import netCDF4
import numpy as np
import pytest
from formats.initial import START, carbontracker_file
from formats.regions import carbontracker_regions
from formats.registry import specimens
from fuzz.runner import faults_of, sample
from generators.case_directory import CaseOptions, make_case

from gcas_driver import cli
from gcas_driver.config import load, reader
from gcas_driver.config.definitions import GROUPS
from gcas_driver.inspect import KINDS, inspect_file
from gcas_driver.inspect.drawing import draw

KIND_OF = {  # specimen's name, or how it begins: kind
    "carbontracker_2017_flux": "carbontracker_flux", "carbontracker_molefrac": "carbontracker_molefrac", "carbontracker_regions": "regions",
    "cf_flux": "cf_flux", "csv": "csv", "flux_cdiac": "cdiac", "flux_cf": "cf_flux", "flux_climatology": "climatology",
    "flux_ct_priors": "carbontracker_prior", "flux_ct": "carbontracker_flux", "flux_gcasv2": "gcasv2_prior", "flux_gfed": "gfed",
    "flux_odiac": "odiac", "flux_takahashi": "takahashi", "gcasv2_prior": "gcasv2_prior", "gcasv2_regions": "regions",
    "gcasv2_satellite": "gcasv2_satellite", "gcasv2_surface": "gcasv2_surface", "gosat_lite": "acos_lite", "gridded": "gridded",
    "initial_contract": "restart", "lai3g": "lai3g", "mozart_history": "history", "mozart_regions": "regions", "mozart_restart": "restart",
    "named_mask": "regions", "noaa_event_netcdf": "noaa_netcdf", "noaa": "noaa_text", "obspack_text": "obspack_text", "obspack": "obspack",
    "oco2_lite": "oco2_lite", "oco3_lite": "oco3_lite", "oco2_mip": "oco2_mip", "oco3_mip": "oco2_mip", "region_polygons": "polygons",
    "speibase": "spei", "tccon_ggg2014": "tccon_ggg2014", "tccon_ggg2020": "tccon", "tccon_mip": "tccon_mip",
    "transcom3_mask": "regions", "mapped_tansat": "other_columns", "mapped_texts": "other_columns"}
NEEDS_A_WORD = ("csv_by_map", "flux_takahashi")
"""Files that do not say all that a reader must know: the problem tells what."""
UNKNOWN = ("mapped_layers",)


def _expected(name: str) -> str | None:
    fitting = [key for key in KIND_OF if name.startswith(key)]
    return KIND_OF[max(fitting, key=len)] if fitting else None


@pytest.mark.parametrize("specimen", specimens(), ids=lambda s: s.name)
def test_every_format_is_known_by_its_contents(specimen, tmp_path):
    found = inspect_file(specimen.write(tmp_path))
    expected = _expected(specimen.name)
    if specimen.name in UNKNOWN:
        assert not found.kind and found.exit_code == 2 and found.inventory
        return
    assert found.kind and (expected is None or found.kind == expected), found
    if specimen.name.startswith(NEEDS_A_WORD):
        assert len(found.problems) == 1 and found.exit_code == 2
    elif expected is not None:
        assert not found.problems and found.exit_code == 0, found.problems
    if expected is None or found.kind in ("other_columns",) or found.problems:
        return
    assert found.panels and found.setting and (found.ranges or found.facts)


@pytest.mark.parametrize("specimen", [s for s in specimens() if s.name in (
    "oco2_lite_v11", "gosat_lite_v73", "obspack_v8", "noaa_event_current", "flux_ct_daily", "flux_odiac", "carbontracker_molefrac_34",
    "region_polygons", "speibase")], ids=lambda s: s.name)
def test_the_setting_it_gives_is_one_that_the_namelist_takes(specimen, tmp_path):
    found = inspect_file(specimen.write(tmp_path))
    groups, problems = reader.parse(found.setting, "setting")
    known = {group.name: {v.name for v in group.variables} for group in GROUPS}
    assert groups and not problems
    for group in groups:
        assert {entry.name for entry in group.entries} <= known[group.name]
    base = "&case name = 'x' /\n&time start = '2010-06-01', days = 7 /\n&state scheme = 'bio_ocn_fossil' /\n"
    base += "" if "&initial" in found.setting else "&initial uniform_ppm = 390.0 /\n"
    base += "" if "&prior" in found.setting else "&prior component = 'bio', directory = '.' /\n"
    (tmp_path / "case.nml").write_text(base + found.setting + "\n")
    load(tmp_path / "case.nml")


@pytest.mark.parametrize("specimen", [s for s in specimens() if s.name in (
    "oco2_lite_v11", "obspack_v8", "flux_ct_daily", "carbontracker_molefrac_34", "mozart_history", "transcom3_mask")], ids=lambda s: s.name)
def test_what_it_knows_is_drawn(specimen, tmp_path, capsys):
    path = specimen.write(tmp_path)
    assert cli.main(["inspect", str(path), "--out", str(tmp_path / "pictures")]) == 0
    picture = tmp_path / "pictures" / f"{path.name}.png"
    assert picture.stat().st_size > 15000 and str(picture) in capsys.readouterr().out


def test_numbers_are_those_of_the_file(tmp_path):
    path = carbontracker_file(tmp_path / "a_name_that_says_nothing.nc", 25, grid=(24, 18))
    found = inspect_file(path)
    with netCDF4.Dataset(path) as data:
        first = data["co2"][0]
    assert found.ranges["mole fraction"]["least"] == pytest.approx(float(first.min()), rel=1e-6)
    day = str(START)[:10]
    assert found.ranges["mole fraction"]["n"] == first.size and found.span == (f"{day} 01:30:00", f"{day} 22:30:00")
    assert f"file = '{path}'" in found.setting


def test_flags_and_modes_are_counted(tmp_path):
    specimen = next(s for s in specimens() if s.name == "oco2_lite_v112")
    path = specimen.write(tmp_path)
    found = inspect_file(path)
    with netCDF4.Dataset(path) as data:
        flags = np.asarray(data["xco2_quality_flag"][:])
    assert sum(found.counts["by quality"].values()) == flags.size
    assert found.counts["by quality"]["0"] == np.count_nonzero(flags == 0)
    assert set(found.counts["by mode"]) <= {"nadir", "glint", "target", "transition", "sam", "unknown"}


def test_gcas_own_files(tmp_path):
    case = make_case(tmp_path / "example", CaseOptions(windows=1, truth=False))
    for name in ("observations", "analysis", "fluxes"):
        found = inspect_file(case / "windows" / "2010-06-01" / f"{name}.nc")
        assert found.kind == f"gcas_{name}" and not found.problems and found.panels and found.ranges
        assert not found.setting
    assert inspect_file(case / "settings.nml").kind == "gcas_namelist"


def test_json_of_several_files(tmp_path, capsys):
    files = [carbontracker_regions(tmp_path), tmp_path / "none.nc"]
    assert cli.main(["inspect", "--json", "--no-picture", *map(str, files)]) == 2
    content = json.loads(capsys.readouterr().out)
    assert [c["kind"] for c in content] == ["regions", ""] and content[1]["problems"] == ["cannot be opened: No such file or directory"]
    assert content[0]["picture"] is None and content[0]["size"] == files[0].stat().st_size


@pytest.mark.parametrize("content, words", [
    (b"", "empty"), (b"\x89HDF\r\n\x1a\nxxxxxxxx", "cannot be opened"), (b"CDF\x01garbage", "truncated"), (b"\x1f\x8b\x08\x00zzzz", "gzip"),
    (b"PK\x03\x04zz", "zip"), (b"GRIB....", "gcas met"), (bytes(range(256)) * 40, "no kind"),
    (b"Dear all,\nhere are the data.\n", "no kind"),
    ("Mu\u00dfte das sein?\n".encode("latin-1"), "no kind")])
def test_whatever_comes_is_answered(tmp_path, content, words, capsys):
    path = tmp_path / "thing"
    path.write_bytes(content)
    assert cli.main(["inspect", str(path)]) == 2
    shown = capsys.readouterr().out
    assert words in shown and "Traceback" not in shown


def test_an_unknown_netcdf_gets_its_inventory_and_the_nearest_kind(tmp_path, capsys):
    path = tmp_path / "strange.nc"
    with netCDF4.Dataset(path, "w") as data:
        data.createDimension("n", 3)
        for name in ("sounding_id", "xco2_uncertainty", "pressure_weight", "pressure_levels"):
            data.createVariable(name, "f8", ("n",))
    assert cli.main(["inspect", str(path)]) == 2
    shown = capsys.readouterr().out
    assert "pressure_levels(n) [3]" in shown and "nearest to: ACOS GOSAT Lite file: has sounding_id" in shown


@pytest.mark.parametrize("specimen", [s for s in specimens() if s.name in (
    "oco2_lite_v11", "obspack_v8", "flux_gcasv2", "mozart_history", "named_mask", "noaa_event_legacy", "region_polygons", "gcasv2_surface",
    "tccon_ggg2020", "flux_takahashi_text")], ids=lambda s: s.name)
def test_damaged_files_are_answered_and_drawn_or_not(specimen, tmp_path):
    """No exception leaves, whatever was damaged; the drawing too."""
    home = tmp_path / "whole"
    home.mkdir()
    path = specimen.write(home)
    for n, fault in enumerate(sample([f for f in faults_of(specimen, path) if not f.in_child], 14)):
        case = tmp_path / f"case{n}"
        shutil.copytree(home, case)
        found = inspect_file(fault.damage(case / path.relative_to(home)))
        assert found.exit_code in (0, 2)
        assert all("Traceback" not in problem for problem in found.problems)
        if found.panels:
            draw(found, tmp_path / "picture.png")


def test_truncated_files_are_named(tmp_path):
    path = carbontracker_regions(tmp_path)
    path.write_bytes(path.read_bytes()[:-3000])
    found = inspect_file(path)
    assert found.exit_code == 2 and "truncated" in found.problems[0]


def test_a_picture_that_cannot_be_written_is_told(tmp_path, capsys):
    path = carbontracker_regions(tmp_path)
    (tmp_path / "file").write_text("")
    assert cli.main(["inspect", str(path), "--out", str(tmp_path / "file" / "below")]) == 2
    assert "problem: the picture cannot be written" in capsys.readouterr().out


def test_a_data_directory_that_takes_no_picture_is_no_problem(tmp_path, capsys):
    path = carbontracker_regions(tmp_path)
    path.with_name(f"{path.name}.png").mkdir()  # stands for a directory of somebody else's
    assert cli.main(["inspect", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "no picture: the picture cannot be written" in shown and "problem" not in shown


def test_a_library_that_dies_of_a_file_is_told(tmp_path, capsys, monkeypatch):
    from gcas_driver import inspect

    (tmp_path / "bad.nc").write_bytes(b"x")
    monkeypatch.setattr(inspect, "inspect_file", lambda path: os.kill(os.getpid(), signal.SIGKILL))
    assert cli.main(["inspect", str(tmp_path / "bad.nc")]) == 2
    assert "library failed on it (SIGKILL)" in capsys.readouterr().out


def test_the_table_has_each_kind_once():
    names = [kind.name for kind in KINDS]
    assert len(set(names)) == len(names) and all(kind.title for kind in KINDS)


@pytest.mark.needs_real_data
def test_real_files(real_data):
    expected = {"noaa/co2_mlo_surface-flask_1_ccgg_event_2019legacy.txt": "noaa_text",
                "noaa/co2_mko_surface-flask_1_ccgg_event_20250507.txt": "noaa_text",
                "noaa/co2_smo_surface-flask_1_ccgg_month_20250507.txt": "noaa_means",
                "noaa/ch4_esp_surface-flask_2_representative.nc": "obspack", "tccon/hw20230402_20230402.public.qc.nc": "tccon",
                "transcom/carbontracker_regions.nc": "regions", "transcom/transcom3_original_1x1.nc": "regions",
                "met/ncep_june_climatology_t42.nc": "reanalysis"}
    found = {name: inspect_file(real_data / name) for name in expected}
    assert {name: f.kind for name, f in found.items()} == expected
    assert found["tccon/hw20230402_20230402.public.qc.nc"].span == ("2023-04-02 15:09:00", "2023-04-02 16:57:49")
    assert found["noaa/co2_mlo_surface-flask_1_ccgg_event_2019legacy.txt"].counts["by site"] == {"MLO": 5268}
