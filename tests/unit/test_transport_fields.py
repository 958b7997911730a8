"""Work on whole fields around the transport: interpolation in time, running means, tracers in and out of blocks."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from mozart_coupling import _transport
from mozart_coupling.embedded import running_mean
from mozart_coupling.embedded.blocks import Fields, TransportError, gathered, scatter, tracer_mean
from mozart_coupling.embedded.running_mean import RunningMean, levels_in_memory

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


@pytest.mark.parametrize("of_mean", PRECISIONS)
@pytest.mark.parametrize("of_values", PRECISIONS)
def test_running_mean(of_values: str, of_mean: str) -> None:
    random = np.random.default_rng(6)
    values = random.uniform(1.0, 2.0, (180, 500)).astype(PRECISIONS[of_values])
    mean, equal = np.full((2, 500), 7.0, PRECISIONS[of_mean])  # what was there before does not count
    for number, one in enumerate(values, 1):
        call(f"average_{of_values}_{of_mean}", 2, one.reshape(50, 10).T, 1.0 / number, mean.reshape(50, 10).T)
        call(f"average_{of_values}_{of_mean}", 1, values[0].reshape(1, 500).T, 1.0 / number, equal.reshape(1, 500).T)
    assert np.array_equal(equal, values[0].astype(equal.dtype))
    # A mean of minutes over three hours, in single precision still within the 1e-6 that samples and history may differ.
    np.testing.assert_allclose(mean, values.mean(axis=0, dtype=float), rtol=1e-14 if of_mean == "double" else 7e-7)


@pytest.mark.parametrize("n_tracers, width", [(3, 4), (8, 4), (10, 4), (5, 1), (37, 16)])
@pytest.mark.parametrize("in_memory", [0, 1, 3])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_running_mean_of_tracers_holds_no_others(precision: str, in_memory: int, n_tracers: int, width: int, tmp_path: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the levels of the mean are: the same bits."""
    monkeypatch.setattr(running_mean, "levels_in_memory", lambda *sizes: in_memory)
    instants = np.random.default_rng(8).normal(size=(6, n_tracers, 3, 5, 6)).astype(PRECISIONS[precision])
    mean, q = RunningMean(n_tracers, np.float64, 2, tmp_path), np.zeros((-(-n_tracers // width), 3, 5, 6, width), PRECISIONS[precision])
    for part in (instants[:2], instants[2:]):
        with pytest.raises(TransportError, match="no history"):
            mean.fields()
        expected = np.zeros(part[0].shape)
        for number, one in enumerate(part, 1):
            scatter(one.astype(float), q, 1)
            mean.take(q)
            expected += (one.astype(float) - expected) * (1.0 / number)
        assert np.array_equal(np.stack(list(mean.fields())), expected)
        assert sum(block.size for block in mean._kept) == expected[:, :in_memory].size
        mean.reset()
    assert not list(tmp_path.iterdir())


def test_means_in_memory_leave_room() -> None:
    """All levels in the contract's precision, of anomalies and in small and very large runs; else what a run has room for."""
    values = 100 * 28 * 64 * 128
    assert levels_in_memory(values, 8, 4, 28) == levels_in_memory(values, 4, 8, 28) == levels_in_memory(values // 2, 8, 8, 28) == 28
    assert levels_in_memory(12 * values, 8, 8, 47) == 47
    assert 145 * 2**20 + 8 * values * (1 + levels_in_memory(values, 8, 8, 28) / 28) < 2.5 * 8 * values  # beside them: as measured


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_blocks_hold_the_tracers_and_give_them_back(precision: str, threads: int) -> None:
    block, shape = 4, (10, 3, 5, 6)  # tracers, levels, rows, columns: the third block has two to spare
    values = np.random.default_rng(4).normal(size=shape)
    q = np.full((3, *shape[1:], block), -1.0, PRECISIONS[precision])
    for first, last in ((0, 3), (3, 9), (9, 10)):
        call(f"into_blocks_{precision}", threads, values[first:last].T, first + 1, q.T)
    for n in range(10):
        assert np.array_equal(q[n // block, ..., n % block], values[n].astype(q.dtype))
    assert (q[2, ..., 2:] == -1.0).all()
    for first, last in ((0, 10), (0, 1), (3, 9), (8, 10)):
        back = np.empty((last - first, *shape[1:]))
        call(f"out_of_blocks_{precision}", threads, q.T, first + 1, back.T)
        assert np.array_equal(back, values[first:last].astype(q.dtype).astype(float))


def test_mean_of_equals_is_that_value() -> None:
    values = np.full((7, 3000), 1.0 / 3.0)
    assert np.array_equal(tracer_mean(values), values[0])
    values = np.random.default_rng(5).normal(size=(7, 3000))
    np.testing.assert_allclose(tracer_mean(values), values.mean(axis=0), atol=1e-15)
    assert np.array_equal(tracer_mean(list(values)), tracer_mean(values))


@pytest.mark.parametrize("n_tracers", [1, 5, 8, 9, 20, 37])
def test_fields_come_out_one_by_one(n_tracers: int) -> None:
    values = np.random.default_rng(7).normal(size=(n_tracers, 3, 5, 6))
    q = np.zeros((-(-n_tracers // 20), 3, 5, 6, 20))
    scatter(values, q, 2)
    fields = Fields(partial(gathered, q, threads=2), n_tracers)
    assert len(fields) == n_tracers and np.array_equal(np.stack(list(fields)), values)
    assert np.array_equal(fields[n_tracers - 1], values[-1]) and np.array_equal(fields[0], values[0])
    assert np.array_equal(fields.on(values[0])[n_tracers - 1], values[-1] + values[0])
    with pytest.raises(IndexError):
        fields[n_tracers]


@pytest.mark.parametrize("routine, arguments", [
    ("blend_single", (np.zeros(3, np.float32), np.zeros(4, np.float32), 0.5, np.zeros(3))),
    ("average_double_single", (np.zeros((1, 3)).T, 1.0, np.zeros((1, 4), np.float32).T)),
    ("average_double_double", (np.zeros((3, 2)).T, 1.0, np.zeros((2, 2)).T)),
    ("into_blocks_double", (np.zeros((9, 1, 2, 2)).T, 1, np.zeros((2, 1, 2, 2, 4)).T)),
    ("out_of_blocks_single", (np.zeros((2, 1, 2, 2, 4), np.float32).T, 6, np.zeros((4, 1, 2, 2)).T)),
    ("out_of_blocks_double", (np.zeros((2, 1, 2, 2, 4)).T, 0, np.zeros((4, 1, 2, 2)).T)),
])
def test_shapes_that_do_not_fit_are_refused(routine: str, arguments: tuple) -> None:
    status, message = getattr(FACE, routine)(1, *arguments)
    assert status == _transport.gcas_status.status_bad_shape and "found" in message
