"""`gcas import`: values of GCASv2's namelist arrive in GCAS's settings; doubts are said, bad values refused by line."""

from __future__ import annotations

import numpy as np
import pytest
from generators import gcasv2_directory as made

from gcas_driver.cli import main
from gcas_driver.config import load
from gcas_driver.gcasv2.translation import _grid

DEFAULTS = {"rundays": 14, "da_step": 7, "casename": "oco2_2014", "ensemble": 40}
DAYS = np.arange(np.datetime64("2014-09-06"), np.datetime64("2014-09-08"))


def _write(path, replace=(), **values):
    text = made.NAMELIST.format(**(DEFAULTS | values))
    for old, new in replace:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text)
    return path


def _import(tmp_path, capsys, replace=(), **values):
    source = _write(tmp_path / "ensrf.nml", replace, **values)
    assert main(["import", str(source), "-o", str(tmp_path / "my.nml")]) == 0, capsys.readouterr().err
    return load(tmp_path / "my.nml"), capsys.readouterr().out, (tmp_path / "my.nml").read_text()


def test_values_arrive(tmp_path, capsys):
    settings, told, text = _import(tmp_path, capsys)
    assert (settings.case.name, settings.time.start, settings.time.days, settings.time.window_days) == (
        "oco2_2014", np.datetime64("2014-09-06", "s"), 14, 7)
    state, analysis = settings.state, settings.analysis
    assert (state.members, state.lambda_bio, state.lambda_ocn, state.lambda_fossil, state.scheme) == (40, 3.0, 5.0, 1.0, "bio_ocn")
    assert (analysis.near_km, analysis.far_km) == (500.0, 3000.0)
    assert settings.transport.grid == "144x96" and settings.transport.model == "embedded"
    assert [p.directory for p in settings.prior] == 4 * [tmp_path / "prior"]
    assert [(s.name, s.directory) for s in settings.satellite] == [("oco2", tmp_path / "oco2")]
    assert [(s.format, s.directory) for s in settings.surface] == [("gcasv2_surface", tmp_path / "srf")]
    for words in ("opt_scheme = 2", "l_ratio = 1, 1", "opt_dir = /scratch/me/opt/", "L_scale = 500, 3000", "opmode", "bunc: the order",
                  "obsdir_gosat = '/scratch/me/gosat'", "nrt = False"):
        assert words in told and words in text, words
    assert "documented nowhere" in told and "no such directory" in told and "3.5" in text


def test_net_flux_tansat_and_absolute_paths(tmp_path, capsys):
    settings, _, _ = _import(tmp_path, capsys, [
        ("netflux = F", "netflux = .true."),
        ("istansat = .false., obsdir_tansat = ''", "istansat = 1, obsdir_tansat = '/data/it''s/tansat'"),
        ("isoco2 = .true.", "isoco2 = .false."), ("issrf = .true.", "issrf = F")])
    assert settings.state.scheme == "net" and not settings.surface
    assert [(s.name, str(s.directory)) for s in settings.satellite] == [("tansat", "/data/it's/tansat")]


def test_all_satellites_off(tmp_path, capsys):
    settings, told, _ = _import(tmp_path, capsys, [("issat = .true.", "issat = .false.")])
    assert not settings.satellite and "obsdir_oco2 = 'oco2': isoco2 or issat is off" in told


def test_scales_that_are_no_radii_are_not_used(tmp_path, capsys):
    settings, told, _ = _import(tmp_path, capsys, [("L_scale(1) = 500.", "L_scale(1) = 3."), ("L_scale(2) = 3.0d3", "L_scale(2) = 1.5")])
    assert (settings.analysis.near_km, settings.analysis.far_km) == (500.0, 3000.0) and "L_scale = 3, 1.5" in told and "not used" in told


@pytest.mark.parametrize(("text", "grid"), [("144x96", "144x96"), ("96x144", "144x96"), ("1.9x2.5", "144x96"), ("2.5x1.875", "144x96"),
                                            (2.5, "144x72"), (1, "360x180"), ("4x5", "72x45"), ("T42", None), ("0x3", None), (True, None)])
def test_grids(text, grid):
    assert _grid(text) == grid


def test_directories_are_looked_at(tmp_path, capsys):
    made.write_priors(tmp_path / "prior", DAYS)
    for day in DAYS:
        (tmp_path / "prior" / "fire" / f"emissions.fire.{made.yyyymmdd(day)}.nc").unlink()
    made.write_soundings(tmp_path / "oco2" / "oco2_v11_20140907.nc", DAYS[1], 20, level_ppm=401.0)
    made.write_surface(tmp_path / "srf" / "srf_20140906", DAYS[0], 395.5)
    settings, told, _ = _import(tmp_path, capsys, rundays=3, da_step=3)
    assert [p.component for p in settings.prior] == ["bio", "ocn", "fossil"] and "fire fluxes: no file for any day" in told
    assert "bio fluxes: 2 of 3 days have a file; missing: 2014-09-08" in told
    assert "soundings of oco2: 1 of 3 days" in told and "surface samples: 1 of 3 days" in told
    assert abs(settings.initial.uniform_ppm - 401.0) < 2.0, "the median of the soundings"
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in (tmp_path / "prior").glob("*/*.nc"):
        path.rename(flat / path.name)
    (tmp_path / "my.nml").unlink()
    settings, _, _ = _import(tmp_path, capsys, [("priordir = 'prior/'", "priordir = 'flat'")], rundays=2, da_step=2)
    assert settings.prior[0].file_pattern == "emissions.{component}.{date}.nc"


@pytest.mark.parametrize(("old", "new", "says"), [
    ("month = 9", "month = 19", "line 3: 'month' is out of range"), ("day = 6", "day = 31", "there is no such day"),
    ("ensemble = {ensemble}", "ensemble = many", "line 12: 'ensemble' is of the wrong kind"),
    ("ensemble = {ensemble}", "", "'ensemble' is missing"),
    ("bunc = 3.0, 5.0, 1.0", "bunc = 3.0, 5.0", "'bunc' takes 3 values"), ("bunc = 3.0, 5.0, 1.0", "bunc = 3.0, -5.0, 1.0", "out of range"),
    ("priordir = 'prior/'", "priordir = ''", "'priordir' is missing"),
    ("obsdir_oco2 = 'oco2'", "obsdir_oco2 = ''", "'obsdir_oco2' is not given"),
    ("casename = '{casename}'", "casename = 'x", "a string is not closed"),
    ("isoco2 = .true.", "isoco2 = perhaps", "'isoco2' is of the wrong kind"),
])
def test_bad_values_are_refused_by_line(tmp_path, capsys, old, new, says):
    source = tmp_path / "ensrf.nml"
    assert old in made.NAMELIST
    source.write_text(made.NAMELIST.replace(old, new).format(**DEFAULTS))
    assert main(["import", str(source), "-o", str(tmp_path / "my.nml")]) == 2
    error = capsys.readouterr().err
    assert says in error and "ensrf.nml" in error and "Traceback" not in error
    assert not (tmp_path / "my.nml").exists()


def test_all_problems_at_once(tmp_path, capsys):
    source = _write(tmp_path / "ensrf.nml", [("month = 9", "month = 19"), ("da_step = 7", "da_step = 0"),
                                               ("bunc = 3.0, 5.0, 1.0", "bunc = x")])
    assert main(["import", str(source)]) == 2
    error = capsys.readouterr().err
    assert all(f"'{name}'" in error for name in ("month", "da_step", "bunc"))


@pytest.mark.parametrize("content", ["", "&case name = 'x' /", "no namelist at all", "\x00\x01\x02"])
def test_what_is_no_namelist_of_gcasv2(tmp_path, capsys, content):
    (tmp_path / "x.nml").write_text(content)
    assert main(["import", str(tmp_path / "x.nml")]) == 2 and "not a namelist of GCASv2" in capsys.readouterr().err


def test_strange_names_are_told(tmp_path, capsys):
    _, told, _ = _import(tmp_path, capsys, [(" debug = .FALSE.", " debug = .FALSE.\n ensembel = 3\n"),
                                           ("&background_flux", "&mine x = 1 /\n&background_flux")])
    assert "ensembel in &assimilation (near: ensemble)" in told and "group &mine" in told


def test_nothing_is_overwritten(tmp_path, capsys):
    source = _write(tmp_path / "ensrf.nml")
    assert main(["import", str(source), "-o", str(source)]) == 2 and "such a file already" in capsys.readouterr().err
    assert main(["import", str(tmp_path / "none.nml")]) == 2 and main(["import", str(source), "-o", str(tmp_path / "no" / "my.nml")]) == 2
