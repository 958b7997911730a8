"""Work on whole fields around the transport: interpolation in time, running sums, tracers in and out of blocks."""

from __future__ import annotations

import numpy as np
import pytest

from mozart_coupling import _transport

FACE = _transport.gcas_transport_fields_face
PRECISIONS = {"double": np.float64, "single": np.float32}


def call(routine: str, *arguments: object) -> None:
    status, message = getattr(FACE, routine)(*arguments)
    assert status == 0 and message == ""


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_blend_is_the_line_between_two_records(precision: str, threads: int) -> None:
    first, last = np.random.default_rng(3).normal(size=(2, 1001)).astype(PRECISIONS[precision])
    blended = np.empty(first.size)
    call(f"blend_{precision}", threads, first, last, 0.3, blended)
    assert np.array_equal(blended, (last.astype(float) - first.astype(float)) * 0.3 + first.astype(float))
    call(f"blend_{precision}", threads, first, last, 0.0, blended)
    assert np.array_equal(blended, first)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_running_sum(precision: str) -> None:
    values, total = np.full(7, 0.1, PRECISIONS[precision]), np.full(7, 2.0)
    call(f"add_{precision}", 2, values, total)
    assert np.array_equal(total, 2.0 + values.astype(float))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_blocks_hold_the_tracers_and_give_them_back(precision: str, threads: int) -> None:
    block, shape = 4, (10, 3, 5, 6)  # tracers, levels, rows, columns: the third block has two to spare
    values = np.random.default_rng(4).normal(size=shape)
    q = np.full((3, *shape[1:], block), -1.0, PRECISIONS[precision])
    call(f"into_blocks_{precision}", threads, values.T, q.T)
    for n in range(10):
        assert np.array_equal(q[n // block, ..., n % block], values[n].astype(q.dtype))
    assert (q[2, ..., 2:] == -1.0).all()
    back = np.empty(shape)
    call(f"out_of_blocks_{precision}", threads, q.T, 3.0, back.T)
    assert np.array_equal(back, values.astype(q.dtype).astype(float) / 3.0)


def test_mean_of_equals_is_that_value() -> None:
    values, mean = np.full((7, 3000), 1.0 / 3.0), np.empty(3000)
    call("tracer_mean", 2, values.T, mean)
    assert np.array_equal(mean, values[0])
    values = np.random.default_rng(5).normal(size=(7, 3000))
    call("tracer_mean", 1, values.T, mean)
    np.testing.assert_allclose(mean, values.mean(axis=0), atol=1e-15)
    again = np.empty(3000)
    call("tracer_mean", 2, values.T, again)
    assert np.array_equal(mean, again)


@pytest.mark.parametrize("routine, arguments", [
    ("blend_single", (np.zeros(3, np.float32), np.zeros(4, np.float32), 0.5, np.zeros(3))),
    ("add_double", (np.zeros(3), np.zeros(4))),
    ("into_blocks_double", (np.zeros((9, 1, 2, 2)).T, np.zeros((2, 1, 2, 2, 4)).T)),
    ("out_of_blocks_single", (np.zeros((2, 1, 2, 2, 4), np.float32).T, 1.0, np.zeros((4, 1, 2, 2)).T)),
    ("tracer_mean", (np.zeros((2, 3)).T, np.zeros(2))),
])
def test_shapes_that_do_not_fit_are_refused(routine: str, arguments: tuple) -> None:
    status, message = getattr(FACE, routine)(1, *arguments)
    assert status == _transport.gcas_status.status_bad_shape and "found" in message
