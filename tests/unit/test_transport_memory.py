"""What a run holds beside its tracers does not grow with them: history records and samples pass through room for a few."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from mozart_coupling.dates import DAY
from mozart_coupling.embedded.averages import Averages
from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.embedded.sampling import SampleCollector
from mozart_coupling.grids import Grid
from mozart_coupling.history import HistoryLayout, HistoryWriter
from mozart_coupling.samples import SampleRequest

GRID, N_LEVELS, N_TRACERS = Grid.regular(36, 18), 8, 64
LEVELS = hybrid_levels(N_LEVELS)
FIELD = (N_LEVELS, *GRID.shape)
ONE_FIELD = 8 * int(np.prod(FIELD))  # bytes
START = 14610 * DAY


def growth(work: Callable[[], None]) -> int:
    """Most bytes that Python and NumPy take while `work` runs, above what they held before."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("double", [False, True])
def test_a_history_record_is_written_a_few_tracers_at_a_time(double: bool, tmp_path: Path) -> None:
    names = tuple(f"EN{n:03d}" for n in range(1, N_TRACERS + 1))
    core = TransportCore(GRID, *LEVELS, N_TRACERS, history_precision="double" if double else "single")
    state = np.random.default_rng(1).uniform(5e-4, 7e-4, (N_TRACERS, *FIELD))
    core.set_state(state, np.full(GRID.shape, 1e5))
    layout = HistoryLayout(tmp_path, "test", "memory", GRID, *LEVELS, names, "kg/kg", double, True, {})

    def as_they_are(fields: Sequence[np.ndarray], what: str) -> Iterator[np.ndarray]:
        return (fields[n] for n in range(len(fields)))

    averages = Averages(HistoryWriter(layout, 8), core, np.zeros(GRID.shape), START, 3600, as_they_are)
    temperature, humidity = np.full(FIELD, 250.0), np.full(FIELD, 1e-3)
    averages.add(START + 1800, temperature, humidity)  # the means themselves are made here
    assert growth(lambda: averages.add(START + 3600, temperature, humidity)) < 12 * ONE_FIELD < N_TRACERS / 4 * ONE_FIELD
    averages.writer.close()
    with netCDF4.Dataset(next(tmp_path.rglob("*.nc"))) as data:
        expected = core.mixing_ratio()[-1]  # no step was made: the mean of equal states
        assert np.array_equal(data["EN064_VMR_avrg"][0], expected if double else expected.astype(np.float32))
        assert np.ptp(data["Zm"][0, -1]) < 1e-3 < 10.0 < data["Zm"][0, -1].min()


def test_samples_are_kept_while_they_are_active() -> None:
    """A day of hourly means one after the other: as many columns at once as are active in a step, not as there are in the day."""
    n_hours, each = 24, 50
    begin = np.repeat(np.arange(n_hours) * 3600.0, each)
    random = np.random.default_rng(2)
    request = SampleRequest(random.uniform(0, 360, begin.size), random.uniform(-90, 90, begin.size), begin, begin + 3600.0)
    taken: list[np.ndarray] = []

    def run() -> None:
        samples = SampleCollector(request, GRID, N_LEVELS, N_TRACERS, 0, 1800, 48, False, lambda rows, values: taken.append(rows))
        for state in range(49):
            if samples.wants(state):
                samples.add(state, lambda *columns: None, np.full(GRID.shape, 1e5), lambda i, j: (np.full((i.size, N_LEVELS), 250.0), None))

    all_columns = 8 * N_TRACERS * N_LEVELS * begin.size
    assert growth(run) < all_columns / 4
    rows = np.concatenate(taken)
    assert np.array_equal(np.sort(rows), np.arange(rows.size)) and rows.size > 0.9 * begin.size
