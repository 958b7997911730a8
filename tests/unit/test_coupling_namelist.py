"""Namelists changed as text, and mz4.dat."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mozart_coupling.errors import NamelistError
from mozart_coupling.namelist import assignments, flatten, parse, patch_file, patch_text, read_simulation_data, write_simulation_data

SITE = ''' it's text before the group, with 'quotes
&NLIST
  case = 'test'   ! the case's name / not an end
  DYN_FLSP%nl_filename = 'GEOS5_20140905.nc', dyn_flsp % local_path='/data/dyn/' ,
  hst_flsp(1)%x = 'one'
  hst_flsp(2)%x = "two ""quoted"""
  hsttimav(1)%list = 'PS','Q', ! a comment inside a list
     'Zm','Zi'
  numbers = 3*1.5, -2.5e-3
  sim_type = 'INITIAL'
/
&OTHER  sim_type = 'KEEP' /
trailing text
'''


def test_only_the_asked_value_changes() -> None:
    changed = patch_text(SITE, {"sim_type": "RESTART"})
    assert changed == SITE.replace("'INITIAL'", "'RESTART'")


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-8-sig"])
def test_every_other_byte_stays_whatever_the_encoding(tmp_path: Path, encoding: str) -> None:
    content = SITE.replace("a comment", "M\u00fcller's comment").replace("\n", "\r\n").encode(encoding)
    (tmp_path / "site.nml").write_bytes(content)
    patch_file(tmp_path / "site.nml", tmp_path / "run.nml", {"sim_type": "RESTART"})
    assert (tmp_path / "run.nml").read_bytes() == content.replace(b"'INITIAL'", b"'RESTART'")


@pytest.mark.parametrize(("key", "value", "old", "new"), [
    ("dyn_flsp%local_path", "/it's/here", "'/data/dyn/'", "'/it''s/here'"),
    ("Dyn_Flsp%NL_FILENAME", "b.nc", "'GEOS5_20140905.nc'", "'b.nc'"),
    ("hst_flsp(1)%x", "1", "'one'", "'1'"),
    ("hst_flsp( 2 )%x", "2", '"two ""quoted"""', "'2'"),
    ("case", "new", "'test'", "'new'"),
])
def test_keys_with_components_and_indices(key: str, value: str, old: str, new: str) -> None:
    assert patch_text(SITE, {key: value}) == SITE.replace(old, new)


def test_a_list_keeps_its_comment() -> None:
    changed = patch_text(SITE, {"hsttimav(1)%list": ["PS"]})
    assert "! a comment inside a list" in changed
    assert flatten(parse(changed))["nlist%hsttimav(1)%list"] == "PS"


def test_missing_keys_and_groups_are_added() -> None:
    changed = patch_text(SITE, {"restart_frq": "daily"})
    assert changed.replace("  restart_frq = 'daily'\n", "") == SITE
    changed = patch_text(changed, {"mode": "linear", "history": False, "threads": 2}, "GCAS_TRANSPORT")
    assert parse(changed)["gcas_transport"] == {"mode": "linear", "history": False, "threads": 2}
    assert changed.startswith(patch_text(SITE, {"restart_frq": "daily"}))
    assert patch_text("&A x = 1 /", {"y": 2}, "A") == "&A x = 1 \n  y = 2\n/"


def test_windows_line_ends_stay(tmp_path: Path) -> None:
    (tmp_path / "a.nml").write_bytes(SITE.replace("\n", "\r\n").encode())
    patch_file(tmp_path / "a.nml", tmp_path / "b.nml", {"case": "x"})
    assert (tmp_path / "b.nml").read_bytes() == SITE.replace("'test'", "'x'").replace("\n", "\r\n").encode()


def test_the_last_of_equal_keys_counts() -> None:
    text = "&NLIST\n a = 1\n a = 2\n/\n"
    assert patch_text(text, {"a": 3}) == "&NLIST\n a = 1\n a = 3\n/\n"


@pytest.mark.parametrize("text", ["&NLIST\n a = 1\n", "&NLIST\n a = 'open\n/\n", "&NLIST\n = 3\n/\n", "&NLIST 5 /",
                                  "&A x = 1\n&B y = 2\n/\n"])
def test_broken_namelists_are_refused(text: str) -> None:
    with pytest.raises(NamelistError, match="namelist"):
        patch_text(text, {"a": 1})


@pytest.mark.parametrize("value", ["line\nbreak", "\x00", float("nan"), object(), []])
def test_values_that_cannot_stand_in_a_namelist(value: object) -> None:
    with pytest.raises(NamelistError):
        patch_text(SITE, {"case": value})  # type: ignore[dict-item]


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}(\(1\))?(%[a-z][a-z0-9]{0,5})?", fullmatch=True)
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_categories=("Cc",)), max_size=20)
VALUES = st.one_of(TEXTS, st.integers(-10**9, 10**9), st.booleans(), st.floats(allow_nan=False, allow_infinity=False, width=32))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), VALUES, min_size=1, max_size=6), VALUES, st.data())
def test_patching_keeps_every_other_byte(content: dict, value: object, data: st.DataObject) -> None:
    lines = [f"  {key}  =  ".encode() + _written(v).encode() + b"   ! it's a comment" for key, v in content.items()]
    text = "head 'text\n&NLIST\n" + "\n".join(line.decode() for line in lines) + "\n/\ntail"
    key = data.draw(st.sampled_from(sorted(content)))
    changed = patch_text(text, {key: value})
    before, after = text.split("\n"), changed.split("\n")
    different = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    assert len(different) <= 1
    assert assignments(changed)[key] == _written(value)
    for i in different:
        assert after[i] == f"  {key}  =  {_written(value)}   ! it's a comment"


def _written(value: object) -> str:
    from mozart_coupling.namelist import format_value

    return format_value(value)  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 210))
def test_species_lists_round_trip(tmp_path_factory: pytest.TempPathFactory, n: int) -> None:
    path = tmp_path_factory.mktemp("mz4") / "mz4.dat"
    names = [f"EN{i:03d}" for i in range(1, n + 1)]
    write_simulation_data(path, names)
    assert read_simulation_data(path) == names


def test_species_lists_have_their_columns(tmp_path: Path) -> None:
    write_simulation_data(tmp_path / "mz4.dat", ["EN001", "EN002"])
    lines = (tmp_path / "mz4.dat").read_text().splitlines()
    assert lines[0] == "   1"
    assert lines[3] == "   0   0   2   0   0   0   0   0   0   0"
    assert lines[6] == f"{'EN001_VMR_avrg':32s}{'EN002_VMR_avrg':32s}"
    assert lines[7:] == ["   1   2", "   0"]


@pytest.mark.parametrize("spoil", [lambda t: t.replace("   2   0", "   3   0", 1), lambda t: t.replace("EN002", "EN001"), lambda t: "",
                                   lambda t: "x\n" * 9,
                                   lambda t: "\n".join(t.splitlines()[:3])])
def test_spoilt_species_lists_are_refused(tmp_path: Path, spoil: object) -> None:
    write_simulation_data(tmp_path / "mz4.dat", ["EN001", "EN002"])
    text = (tmp_path / "mz4.dat").read_text()
    (tmp_path / "mz4.dat").write_text(spoil(text))  # type: ignore[operator]
    with pytest.raises(NamelistError, match="mz4.dat"):
        read_simulation_data(tmp_path / "mz4.dat")
