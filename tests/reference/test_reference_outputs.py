"""What is computed now is what was stored, within each variable's tolerance; `tools/make_reference` makes the files anew."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest
from reference_problems import NAMES, STORED, problem, stored_file
from reference_problems.store import Result, compare, read, write


@pytest.mark.parametrize("name", NAMES)
def test_results_are_the_stored_ones(name, tmp_path):
    outside = [change for change in compare(read(stored_file(name)), problem(name)(tmp_path)) if not change.within]
    assert not outside, "\n".join([f"{name}: {len(outside)} variables differ; if on purpose: tools/make_reference {name}",
                                   *(f"{c.variable}: {c.absolute:.3g} absolute, {c.relative:.3g} relative, "
                                     f"{c.of_allowed:.3g} times what is allowed {c.note}" for c in outside)])


def test_files_are_small_and_say_how_they_were_made():
    assert {path.stem for path in STORED.glob("*.nc")} == set(NAMES)
    assert sum(path.stat().st_size for path in STORED.glob("*.nc")) < 1_000_000
    for name in NAMES:
        with netCDF4.Dataset(stored_file(name)) as data:
            assert data.command == f"tools/make_reference {name}"
            assert data.made_by.startswith("GCAS ") and "gfortran" in data.compiler and "numpy" in data.libraries
            assert all(variable.units and variable.tolerance for variable in data.variables.values())


STORED_VALUES = np.array([1.0, 0.0, np.nan])


@pytest.mark.parametrize(("now", "rtol", "atol", "within"), [
    ([1.0, 0.0, np.nan], 0.0, 0.0, True), ([1.0 + 2e-16, 0.0, np.nan], 0.0, 0.0, False), ([1.0 + 1e-11, 0.0, np.nan], 1e-10, 0.0, True),
    ([1.0 + 1e-9, 0.0, np.nan], 1e-10, 0.0, False), ([1.0, 1e-12, np.nan], 1e-10, 0.0, False), ([1.0, 1e-12, np.nan], 1e-10, 1e-11, True),
    ([1.0, 0.0, 2.0], 1.0, 1.0, False), ([1.0, np.inf, np.nan], 1.0, 1.0, False), ([1.0, 0.0], 1.0, 1.0, False)])
def test_comparison_finds_what_is_beyond_tolerance(now, rtol, atol, within):
    (change,) = compare({"a": STORED_VALUES}, {"a": Result(np.array(now), "1", rtol, atol)})
    assert change.within == within


def test_comparison_finds_what_came_and_went(tmp_path):
    results = {"a": Result(np.arange(3.0), "ppm"), "b": Result(np.float64(2.0), "1", why="a reason")}
    write(tmp_path / "one.nc", results, "a title", "a command")
    stored = read(tmp_path / "one.nc")
    assert all(change.within and change.absolute == 0.0 for change in compare(stored, results))
    found = compare(stored, {"a": results["a"], "c": results["b"]})
    assert {change.variable: change.within for change in found} == {"b": False, "c": False, "a": True}
