"""The build: both extension modules are there, share memory with NumPy and say what they were built with."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gcas_driver
from gcas_driver import _analysis, _build_info
from mozart_coupling import _transport

EARTH_RADIUS_KM = 6371.229
ROOT = Path(__file__).resolve().parents[2]


def distances(lon1, lat1, lon2, lat2, out=None):
    places = [np.atleast_1d(np.asarray(a, dtype=float)) for a in (lon1, lat1, lon2, lat2)]
    if out is None:
        out = np.empty((places[0].size, places[2].size), order="F")
    status, message = _analysis.gcas_analysis_face.great_circle_distances(*places, out)
    return out, status, message


@pytest.mark.parametrize(
    ("place1", "place2", "angle_degrees"),
    [
        ((0, 0), (0, 0), 0.0),
        ((0, 0), (90, 0), 90.0),
        ((0, 0), (180, 0), 180.0),
        ((10, 40), (-170, -40), 180.0),
        ((0, 90), (123, -90), 180.0),
        ((77, 90), (-12, 90), 0.0),
        ((359.5, 0), (-0.5, 0), 0.0),
        ((170, 0), (-170, 0), 20.0),
        ((0, 45), (180, 45), 90.0),
        ((30, 10), (30, 10 + 1e-7), 1e-7),
        ((0, 0), (180 - 1e-6, 0), 180.0 - 1e-6),
        ((0, 0), (90, 60), 90.0),
        ((0, 0), (60, 60), np.degrees(np.arccos(0.25))),
    ],
)
def test_distance_has_the_exact_value(place1, place2, angle_degrees):
    result, status, message = distances(*place1, *place2)
    assert (status, message) == (_analysis.gcas_status.status_ok, "")
    assert result[0, 0] == pytest.approx(np.radians(angle_degrees) * EARTH_RADIUS_KM, rel=2e-8, abs=1e-9)


def test_distance_between_neighbours_keeps_its_digits():
    offset = np.array([1e-9, 1e-6, 1e-3])
    result, _, _ = distances(0.0, 0.0, offset, 0 * offset)
    np.testing.assert_allclose(result[0], np.radians(offset) * EARTH_RADIUS_KM, rtol=1e-14)


def test_result_is_written_into_the_callers_memory():
    out = np.full((2, 3), -1.0, order="F")
    view = out.T
    address = out.ctypes.data
    distances([0, 10], [0, 0], [0, 10, 20], [0, 0, 0], out)
    assert out.ctypes.data == address
    assert (view >= 0).all()
    # A C-ordered array of (n2, n1), seen through .T, is the same memory too.
    c_ordered = np.full((3, 2), -1.0)
    distances([0, 10], [0, 0], [0, 10, 20], [0, 0, 0], c_ordered.T)
    np.testing.assert_array_equal(c_ordered.T, out)


@pytest.mark.parametrize(
    "out",
    [np.zeros((2, 3), dtype=np.float32, order="F"), np.zeros((2, 3), dtype=np.int64, order="F"), np.zeros((2, 3))],
    ids=["float32", "int64", "C order"],
)
def test_wrong_dtype_or_order_of_a_result_raises(out):
    with pytest.raises(ValueError):
        distances([0, 10], [0, 0], [0, 10, 20], [0, 0, 0], out)
    assert not out.any()


def test_sizes_are_tested_inside():
    out = np.full((2, 2), -1.0, order="F")
    _, status, message = distances([0, 10], [0, 0], [0, 10, 20], [0, 0, 0], out)
    assert status == _analysis.gcas_status.status_bad_shape
    assert "(2, 2)" in message and "(2, 3)" in message
    assert (out == -1.0).all()


def test_nan_is_a_status():
    _, status, message = distances([0, np.nan], [0, 0], 0, 0)
    assert status == _analysis.gcas_status.status_not_finite
    assert "NaN" in message


def test_threads_follow_the_environment():
    code = "from mozart_coupling import _transport; print(_transport.gcas_transport_face.openmp_threads())"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "OMP_NUM_THREADS": "3"},
                          capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.strip() == "3"


def test_status_table_is_the_same_in_both_modules_and_without_doubles():
    tables = []
    for module in (_analysis, _transport):
        names = [name for name in dir(type(module.gcas_status)) if name.startswith("status_")]
        tables.append({name: int(getattr(module.gcas_status, name)) for name in names})
    assert tables[0] == tables[1]
    assert tables[0]["status_ok"] == 0
    assert len(set(tables[0].values())) == len(tables[0]) >= 8


def test_build_info_says_how_it_was_built():
    assert _build_info.COMPILER
    assert _build_info.COMPILER_VERSION[0].isdigit()
    assert "-ffp-contract=off" in _build_info.FLAGS
    assert ("-march=native" in _build_info.FLAGS) == _build_info.NATIVE
    assert isinstance(_build_info.EXTRA_FLAGS, dict)
    assert gcas_driver.__version__.count(".") == 2


def test_freed_memory_is_kept_without_harm():
    from mozart_coupling.memory import keep_freed_memory

    keep_freed_memory()
    assert np.ones(10**7).sum() == 10**7


def test_included_bodies_stand_in_the_group_of_their_source() -> None:
    """Else a changed body would not be compiled: `src_fortran/meson.build`."""
    sources = ROOT / "src_fortran"
    groups = re.findall(r"^  \['\w+', files\((.*?)\)", (sources / "meson.build").read_text(), re.DOTALL | re.MULTILINE)
    names = [re.findall(r"'([^']+)'", group) for group in groups]
    found = 0
    for group in names:
        included = {str(Path(name).parent / body) for name in group if name.endswith(".f90")
                    for body in re.findall(r"^ *include '([^']+)'", (sources / name).read_text(), re.MULTILINE)}
        assert included == {name for name in group if name.endswith(".inc")}
        found += len(included)
    assert found == len(list(sources.rglob("*.inc"))) > 0
