"""The journal: durable lines, torn tails, steps that hold only while their files do; and the lock."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gcas_driver.errors import InputError, LockedError
from gcas_driver.journal import Journal, array_digest
from gcas_driver.lock import case_lock, holder


def test_lines_come_back(tmp_path):
    journal = Journal(tmp_path)
    journal.append("start", settings={"a": 1})
    journal.append("window", label="2010-01-01")
    again = Journal(tmp_path)
    assert [e["event"] for e in again.entries] == ["start", "window"]
    assert again.windows_done()[0]["label"] == "2010-01-01"
    assert again.events("start")[0]["settings"] == {"a": 1}


def test_any_torn_last_line_is_dropped_and_the_next_line_is_whole(tmp_path):
    journal = Journal(tmp_path)
    journal.append("start")
    journal.append("window", label="one")
    whole = journal.path.read_bytes()
    first_length = len(whole.splitlines(keepends=True)[0])
    for length in range(first_length, len(whole)):
        journal.path.write_bytes(whole[:length])
        torn = Journal(tmp_path)
        assert [e["event"] for e in torn.entries] == ["start"]
        torn.append("window", label="two")
        assert [e.get("label") for e in Journal(tmp_path).entries] == [None, "two"]


def test_damage_before_the_last_line_is_an_error(tmp_path):
    journal = Journal(tmp_path)
    journal.append("start")
    journal.append("window")
    journal.path.write_bytes(b"x" + journal.path.read_bytes())
    with pytest.raises(InputError, match="line 1"):
        Journal(tmp_path)


def test_a_step_holds_only_while_its_files_do(tmp_path):
    journal = Journal(tmp_path)
    artefact = tmp_path / "samples.nc"
    artefact.write_bytes(b"numbers")
    journal.record_step("2010-01-01", "ensemble", "key", {"samples": artefact}, tmp_path, 1.0)
    journal = Journal(tmp_path)
    assert journal.step_holds("2010-01-01", "ensemble", "key", tmp_path)
    assert not journal.step_holds("2010-01-01", "ensemble", "other key", tmp_path)
    assert not journal.step_holds("2010-01-08", "ensemble", "key", tmp_path)
    artefact.write_bytes(b"Numbers")
    assert not journal.step_holds("2010-01-01", "ensemble", "key", tmp_path)
    artefact.unlink()
    assert not journal.step_holds("2010-01-01", "ensemble", "key", tmp_path)


def test_array_digest_sees_values_shapes_and_strings():
    import numpy as np
    base = array_digest(np.arange(6.0), "a")
    assert base == array_digest(np.arange(6.0), "a")
    others = [array_digest(np.arange(6.0).reshape(2, 3), "a"), array_digest(np.arange(6.0), "b"), array_digest(np.arange(6), "a"),
              array_digest(np.nextafter(np.arange(6.0), 9), "a")]
    assert len({base, *others}) == 5
    assert array_digest(np.array(["x", "y"], dtype=object)) != array_digest(np.array(["x", "z"], dtype=object))


def test_second_run_is_refused_and_the_lock_ends_with_its_process(tmp_path):
    code = ("import sys, time, pathlib\nfrom gcas_driver.lock import case_lock\n"
            "with case_lock(pathlib.Path(sys.argv[1])):\n print('held', flush=True)\n time.sleep(60)")
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline().strip() == "held"
        with pytest.raises(LockedError, match=str(process.pid)) as caught:
            with case_lock(tmp_path):
                pass
        assert caught.value.exit_code == 2
        assert holder(tmp_path) == process.pid
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert holder(tmp_path) is None
    with case_lock(tmp_path):
        pass
