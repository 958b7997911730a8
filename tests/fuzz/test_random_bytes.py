"""Any bytes changed anywhere: a named error, or numbers that can be; read in a process of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from formats.registry import specimens
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .fault import WHATEVER, Fault
from .oracle import verdict
from .runner import in_child

pytestmark = pytest.mark.slow

CHANGES = st.lists(st.tuples(st.floats(0.0, 0.999999), st.binary(min_size=1, max_size=12)), min_size=1, max_size=6)
OF_THE_LIBRARY = "not a named error: the process died"
"""HDF5 can crash, or not come back, on damaged bytes before any reader sees a number: counted, and said on the page of inputs."""


@pytest.mark.parametrize("specimen", specimens(), ids=lambda s: s.name)
def test_any_bytes(specimen, tmp_path):
    home = tmp_path / "whole"
    home.mkdir()
    path = specimen.write(home)
    whole, content, deaths = specimen.read(path), path.read_bytes(), []

    @settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(CHANGES)
    def damaged(changes):
        case = tmp_path / "case"
        shutil.copytree(home, case, dirs_exist_ok=True)
        data = bytearray(content)
        for place, new in changes:
            first = int(place * len(data))
            data[first : first + len(new)] = new[: len(data) - first]
        (case / path.relative_to(home)).write_bytes(data)
        why = verdict(Fault("bytes changed", repr(changes), WHATEVER, Path), whole, in_child(specimen, case / path.relative_to(home)))
        if why.startswith(OF_THE_LIBRARY) and specimen.kind in ("netcdf4", "hdf5"):
            deaths.append(why)
            return
        assert not why, f"{specimen.name}: {why}"

    damaged()
    if deaths:
        print(f"{specimen.name}: {len(deaths)} of 40: {sorted(set(deaths))}")
