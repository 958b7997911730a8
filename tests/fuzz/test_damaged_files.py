"""Damaged files of every format: a named error or right values, never a traceback, never other values in silence."""

from __future__ import annotations

import pytest
from formats import Specimen
from formats.registry import specimens

from .known import expected
from .runner import run

CASES = 44
"""Faults a specimen in the everyday tests; the slow ones try all."""


def _id(specimen: Specimen) -> str:
    return specimen.name


@pytest.mark.parametrize("specimen", specimens(), ids=_id)
def test_damaged_files(specimen, tmp_path):
    n, failures = run(specimen, tmp_path, CASES)
    assert n >= CASES // 4
    surprises = [str(failure) for failure in failures if not expected(failure)]
    assert not surprises, "\n".join(surprises)


@pytest.mark.slow
@pytest.mark.parametrize("specimen", specimens(), ids=_id)
def test_all_damaged_files(specimen, tmp_path):
    n, failures = run(specimen, tmp_path)
    surprises = [str(failure) for failure in failures if not expected(failure)]
    assert not surprises, f"{len(surprises)} of {n}:\n" + "\n".join(surprises)
