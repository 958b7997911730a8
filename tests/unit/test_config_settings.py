"""Settings: strict, complete, every fault at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gcas_driver.cli import main
from gcas_driver.config import load
from gcas_driver.config.definitions import GROUPS
from gcas_driver.config.document import page, resolved_namelist
from gcas_driver.config.settings import change_of, difference
from gcas_driver.errors import SettingsError

ROOT = Path(__file__).resolve().parents[2]

GOOD = """&case
  name = 'unit'
/
&time start = '2010-06-01', days = 14 /
&state members = 10 /
&initial uniform_ppm = 388 /
&prior component = 'bio', directory = 'prior/bio' /
&prior component = 'ocn', directory = 'prior/ocn' /
&satellite product = 'acos_lite', directory = '/data/acos' /
&surface format = 'noaa_flask', directory = 'noaa', sites_withheld = 'MLO', 'SPO' /
"""


def write(directory: Path, text: str, name: str = "case.nml") -> Path:
    path = directory / name
    path.write_text(text)
    return path


def problems_of(directory: Path, text: str):
    with pytest.raises(SettingsError) as caught:
        load(write(directory, text))
    assert caught.value.exit_code == 2
    return caught.value.problems


def test_values_defaults_and_paths(tmp_path):
    settings = load(write(tmp_path, GOOD))
    assert settings.case_directory == tmp_path / "unit"
    assert settings.state.members == 10 and settings.state.scheme == "bio_ocn" and settings.state.lambda_ocn == 5.0
    assert (settings.analysis.near_km, settings.analysis.far_km, settings.analysis.p_value) == (500.0, 3000.0, 0.05)
    assert settings.time.end == np.datetime64("2010-06-15", "s") and settings.time.window_days == 7
    assert [p.directory for p in settings.prior] == [tmp_path / "prior/bio", tmp_path / "prior/ocn"]
    assert settings.satellite[0].directory == Path("/data/acos") and settings.satellite[0].name == "acos_lite"
    assert settings.satellite[0].error_factor == 1.9 and settings.satellite[0].error_floor_ppm == 1.0
    assert settings.surface[0].sites_withheld == ("MLO", "SPO")
    assert settings.truth is None
    assert settings.transport.mw_air == 28.9644
    assert settings.state.where("members") == "case.nml, line 5"


@pytest.mark.parametrize("old, new, line, words", [
    ("&state", "&sate", 5, "did you mean '&state'?"),
    ("members = 10", "membrs = 10", 5, "did you mean 'members'?"),
    ("members = 10", "members = 'ten'", 5, "whole number >= 2"),
    ("members = 10", "members = 10.5", 5, "whole number >= 2"),
    ("members = 10", "members = 1", 5, ">= 2 and <= 9999"),
    ("members = 10", "members = 10, 20", 5, "takes one value"),
    ("members = 10", "members = 10 scheme = 'bio_onc'", 5, "did you mean 'bio_ocn'?"),
    ("members = 10", "members = 10 centred = 1", 5, ".true. or .false."),
    ("'2010-06-01'", "'2010-06-31'", 4, "yyyy-mm-dd"),
    ("'2010-06-01'", "20100601", 4, "quoted"),
    (", days = 14", "", 4, "neither 'end' nor 'days'"),
    ("days = 14", "end = '2010-05-01'", 4, "end after start"),
    ("days = 14", "days = 14 evaluate_from = '2011-01-01'", 4, "outside of the run"),
    ("name = 'unit'", "name = '../escape'", 2, "not a path"),
    ("name = 'unit'", "name = 'a/b'", 2, "not a path"),
    ("name = 'unit'", "name = 'a; rm -rf x'", 2, "not a path"),
    ("name = 'unit'", "seed = 1", 1, "'name' is missing"),
    ("uniform_ppm = 388", "uniform_ppm = 3.88e-4", 6, ">= 150"),
    ("uniform_ppm = 388", "uniform_ppm = 388 file = 'ic.nc'", 6, "either 'file' or 'uniform_ppm'"),
    ("&prior component = 'ocn'", "&surface format = 'obspack' directory = 'x' name = 'noaa_flask' / &prior component = 'ocn'", 10,
     "two streams are called"),
    ("&prior component = 'ocn'", "&surface format = 'noaa_flask' directory = 'noaa' sites_withheld = 'MLO', 'SPO' name = 'copy' / &prior "
     "component = 'ocn'", 10, "would count twice"),
    ("&prior component = 'ocn'", "&prior component = 'bio' directory = 'prior/bio' / &prior component = 'ocn'", 7,
     "fluxes would count twice"),
    ("'MLO', 'SPO'", "'MLO' error_sites = 'MLO', 'SPO' error_sites_ppm = 1.0", 10, "one error for each site"),
    ("'MLO', 'SPO'", "'MLO' local_hours = 3.0", 10, "first, last"),
    ("directory = 'noaa'", "directory = noaa", 10, "quoted"),
    ("&initial", "&state members = 3 /\n&initial", 6, "given twice"),
    ("&initial", "&transport model = 'command' /\n&initial", 6, "'command' is missing"),
    ("&initial", "&transport mode = 'monotone' /\n&initial", 6, "not linear"),
    ("&initial", "&transport sampling = 'history' sampling_hours = 0.0 /\n&initial", 6, "three-hour means"),
    ("&initial", "&analysis near_km = 4000 /\n&initial", 6, "near_km <= far_km"),
    ("members = 10", "members = 10 lambda_grid = '99999x99999'", 5, "cannot be held in memory"),
    ("&initial uniform_ppm = 388 /", "", 0, "group &initial is missing"),
])
def test_each_fault_is_named_with_file_line_and_remedy(tmp_path, old, new, line, words):
    assert old in GOOD
    problems = problems_of(tmp_path, GOOD.replace(old, new, 1))
    hits = [str(p) for p in problems if words in str(p)]
    assert hits, [str(p) for p in problems]
    assert (f"case.nml, line {line}" if line else "case.nml") in hits[0]


def test_text_as_editors_save_it(tmp_path):
    plain = load(write(tmp_path, GOOD)).flat()
    for name, content in (("mark", b"\xef\xbb\xbf" + GOOD.encode()), ("windows", GOOD.replace("\n", "\r\n").encode()),
                          ("both", b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()), ("tabs", GOOD.replace(" ", "\t").encode())):
        (tmp_path / f"{name}.nml").write_bytes(content)
        assert load(tmp_path / f"{name}.nml").flat() == plain, name


@pytest.mark.parametrize("content, words", [
    (GOOD.replace("&time", "! K\u00f6ln\n&time").encode("latin-1"), ("line 4", "0xf6", "iconv")),
    (GOOD.encode("utf-16"), ("UTF-16", "iconv"))])
def test_text_in_another_encoding_is_named(tmp_path, content, words):
    (tmp_path / "case.nml").write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load(tmp_path / "case.nml")
    assert all(word in str(caught.value) for word in words), caught.value


def test_choices_in_capitals_lead_to_the_choice(tmp_path):
    found = "\n".join(str(p) for p in problems_of(tmp_path, GOOD.replace("members", "scheme = 'BIO_OCN', members")))
    assert "did you mean 'bio_ocn'?" in found


def test_all_faults_are_reported_at_once(tmp_path):
    text = GOOD.replace("members = 10", "membrs = 10").replace("388", "38800").replace("'acos_lite'", "'acos'").replace("days", "dais")
    text = text.replace("&surface", "&surfaces")
    found = "\n".join(str(p) for p in problems_of(tmp_path, text))
    for words in ("'membrs'", "uniform_ppm", "'product'", "'dais'", "&surfaces"):
        assert words in found


def test_bad_namelist_ends_the_command_with_two(tmp_path, capsys):
    for command in ("run", "check", "status", "evaluate", "report", "osse"):
        assert main([command, str(write(tmp_path, GOOD.replace("members", "mmbers")))]) == 2
        assert "line 5" in capsys.readouterr().err
    assert main(["run", str(tmp_path / "absent.nml")]) == 2


def test_environment_plays_no_part(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/elsewhere")
    monkeypatch.setenv("DATA", "/elsewhere")
    settings = load(write(tmp_path, GOOD.replace("'/data/acos'", "'$DATA/~'")))
    assert settings.satellite[0].directory == tmp_path / "$DATA" / "~"


def test_resolved_namelist_is_the_same_case(tmp_path):
    settings = load(write(tmp_path, GOOD.replace("&surface", "&truth directory = 'inputs' /\n&surface")))
    settings.case_directory.mkdir()
    again = load(write(settings.case_directory, resolved_namelist(settings), "settings.nml"))
    assert again.flat() == settings.flat()
    assert again.digest() == settings.digest()
    assert again.case_directory == settings.case_directory


def test_a_case_that_moves_keeps_its_identity(tmp_path):
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    one, two = (load(write(tmp_path / name, GOOD)) for name in ("here", "there"))
    assert one.digest() == two.digest()


def test_difference_and_what_a_change_means(tmp_path):
    one = load(write(tmp_path, GOOD))
    two = load(write(tmp_path, GOOD.replace("days = 14", "days = 21").replace("members = 10", "members = 12")))
    changed = difference(one.flat(), two.flat())
    assert changed["state.members"] == (10, 12)
    assert set(changed) == {"state.members", "time.days", "time.end"}
    assert change_of("state.members") == "refused" and change_of("time.end") == "accept" and change_of("report.title") == "free"
    assert one.digest() != two.digest()
    three = load(write(tmp_path, GOOD.replace("days = 14", "days = 21")))
    assert one.digest() == three.digest(), "an extended run is the same experiment"


def test_definitions_are_sound():
    for group in GROUPS:
        names = [v.name for v in group.variables]
        assert len(names) == len(set(names))
        for variable in group.variables:
            assert variable.text and variable.change in ("refused", "accept", "free")
            if variable.choices and variable.default and not variable.required:
                assert variable.default in variable.choices
            if variable.minimum is not None and isinstance(variable.default, (int, float)):
                assert variable.minimum <= variable.default <= (variable.maximum or variable.default)


def test_documentation_page_is_current():
    assert (ROOT / "docs/user/namelist.md").read_text() == page(), "make it anew: gcas namelist-doc > docs/user/namelist.md"


@pytest.mark.parametrize("path", sorted((ROOT / "namelists").glob("*.nml")), ids=lambda p: p.name)
def test_every_shipped_namelist_loads(path):
    if "&NLIST" in path.read_text():
        pytest.skip("a template of the transport model's own namelist")
    settings = load(path)
    assert settings.time.end > settings.time.start
