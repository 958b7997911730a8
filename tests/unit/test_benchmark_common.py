"""What the benchmarks share: runs that others disturb do not count, and a witness tells which ones they are."""

from argparse import Namespace
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture
def common(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    from benchmarks import common

    return common


class Machine:
    """A time that only runs and the witness move; how much slower two threads are at one look of the witness after the other."""

    def __init__(self, factors):
        self.now, self.factors, self.best, self.runs = 0.0, iter(factors), {1: 0.1, 2: 0.1}, 0

    def clock(self):
        return self.now

    def one(self):
        self.now += 1.9

    def two(self):
        self.runs += 1
        self.now += self.last

    def __call__(self, most_threads):
        assert most_threads == 2
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def seconds(self, threads):
        if threads == 1:
            return 0.1
        self.last = next(self.factors)
        self.now += 0.1 * self.last
        return 0.1 * self.last

    def is_itself(self, threads, seconds):
        return seconds <= 1.05 * self.best[threads]


@pytest.mark.parametrize(("patience", "factors", "seconds", "beside", "turns"), [
    # It waits for a quiet moment before each run; the second is disturbed while it is on its way, so that there is a sixth.
    (1e9, [2.0, 1.5, 1, 1, 1, 3, 1, 1, 1.04, 1, 1.06, 1, 1, 1, 1], 1.0, 0.1, 6),
    # No patience: all count, disturbed before or after, two looks a run.
    (0.0, [1.4, 1, 1, 1.2, 2, 2, 1, 1, 3, 3], 1.4, 0.14, 5),
    # Patience for seventeen seconds: the turn after the last second is the last, and the best five of six count.
    (17.0, [1, 1, 1.5, 1, 1.2, 1, 1.5, 1, 1.1, 1, 1.3, 1, 1.2, 1, 1.4, 1, 1.1, 1, 1.2, 1, 1.3], 1.0, 0.12, 6)])
def test_the_runs_that_count_are_those_with_the_best_witness(common, monkeypatch, patience, factors, seconds, beside, turns):
    machine = Machine(factors)
    monkeypatch.setattr(common, "Witness", machine)
    for clock in ("perf_counter", "process_time"):
        monkeypatch.setattr(common.time, clock, machine.clock)
    monkeypatch.setattr(common, "WARM_UP_SECONDS", 0.0)
    tasks = [common.Task(machine.one), common.Task(machine.two, 2)]
    alone, together = common.time_in_turn(tasks, Namespace(runs=5, patience=patience), warm=True)
    assert machine.runs == turns
    assert (alone.seconds, alone.witness) == pytest.approx((1.9, 0.1))
    assert (together.seconds, together.witness) == pytest.approx((seconds, beside))

    rows = []
    for threads, timing in ((1, alone), (2, together)):
        row = common.Row("case", threads, "double", timing.seconds, timing.cpu_seconds, 0.0, None, "")
        rows += [row, timing.witness_row(row)]
    assert common.gains(rows, rows[2]) == pytest.approx((1.9 / seconds, 0.2 / beside))
    assert [row.case for row in rows] == ["case", "witness-case"] * 2


def test_the_witness_tells_threads_that_must_share_a_processor(common):
    import os

    mine = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(mine)})  # threads started from here on have one processor between them
        with common.Witness(2) as witness:
            found = [(witness.seconds(1), witness.seconds(2)) for _ in range(5)]
    finally:
        os.sched_setaffinity(0, mine)
    assert all(not witness.is_itself(1, together) for _, together in found)
    assert min(together for _, together in found) > 1.6 * min(alone for alone, _ in found)
    assert witness.is_itself(1, witness.best[1]) and witness.best[1] <= min(alone for alone, _ in found)
