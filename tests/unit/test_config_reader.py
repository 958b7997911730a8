"""The strict namelist reader: what it reads, and that no fault of form passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcas_driver.config.document import literal
from gcas_driver.config.reader import parse


def one_group(text: str):
    groups, problems = parse(text, "x.nml")
    assert problems == []
    assert len(groups) == 1
    return {entry.name: entry.values for entry in groups[0].entries}


def test_reads_every_kind_of_value():
    values = one_group("&A i=1, f = 1.5d2 ! words\n s='it''s / ! not a comment', b=.TRUE.\n many = 1, 2,\n 3*4.0 path=\"x/y\" /")
    assert values == {"i": [1], "f": [150.0], "s": ["it's / ! not a comment"], "b": [True], "many": [1, 2, 4.0, 4.0, 4.0], "path": ["x/y"]}


def test_knows_the_line_of_every_entry():
    groups, _ = parse("! first\n&a x=1\n  y=2 /\n\n&b\n\n z=3\n&end\n", "x.nml")
    assert [(g.name, g.line, [(e.name, e.line) for e in g.entries]) for g in groups] == [("a", 2, [("x", 2), ("y", 3)]),
                                                                                         ("b", 5, [("z", 7)])]


@pytest.mark.parametrize("text, line, words", [
    ("&a x='open\n /", 1, "string is not closed"),
    ("&a x=1\n", 1, "not closed"),
    ("&a x=1\n&b y=2 /", 1, "not closed"),
    ("&a x=1 x=2 /", 1, "given twice"),
    ("\nwords\n&a x=1 /", 2, "outside of any group"),
    ("&a\n x = \n/", 2, "no value"),
    ("&a 5 /", 1, "without a name"),
    ("&a = 5 /", 1, "without a name"),
    ("&a x(2)=1 /", 1, "not a name"),
    ("&a x%y=1 /", 1, "not a name"),
])
def test_every_fault_of_form_is_found_with_its_line(text, line, words):
    _, problems = parse(text, "x.nml")
    assert any(words in p.what and p.where == f"x.nml, line {line}" for p in problems), [str(p) for p in problems]


@pytest.mark.parametrize("sign, shown", [("\0", "U+0000"), ("\u00a0", "U+00A0"), ("\u200b", "U+200B"), ("\ufeff", "U+FEFF")])
def test_signs_that_cannot_be_seen_are_spelled_out(sign, shown):
    _, problems = parse(f"&a\n x = 1{sign}\n /", "x.nml")
    assert [shown in p.found and p.where == "x.nml, line 2" for p in problems] == [True]


@given(st.one_of(st.booleans(), st.integers(-10**9, 10**9), st.floats(allow_nan=False, allow_infinity=False),
                 st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1)))
def test_a_written_value_reads_back(value):
    assert one_group(f"&a x = {literal(value)} /") == {"x": [value]}


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text):
    groups, problems = parse(text, "x.nml")
    assert isinstance(groups, list) and isinstance(problems, list)
