"""What happens when the disk is full, or nobody reads the screen any more: one message that names the file, nothing half-written."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from gcas_driver.errors import GcasError, LockedError
from gcas_driver.lock import case_lock, holder
from gcas_driver.progress import Reporter
from mozart_coupling import netcdf
from mozart_coupling.errors import OutputError
from mozart_coupling.logs import SteadyFile, SteadyStream


def _no_room(*arguments, **settings):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_text_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "summary.json"
    netcdf.write_text(path, "old λ\n")
    monkeypatch.setattr(netcdf.os, "fsync", _no_room)
    with pytest.raises(OutputError) as caught:
        netcdf.write_text(path, "new λ\n")
    assert caught.value.where == str(path) and caught.value.found.startswith("No space left on device")
    assert path.read_text(encoding="utf-8") == "old λ\n"
    assert [p.name for p in tmp_path.iterdir()] == ["summary.json"]


@pytest.mark.parametrize("free, told", [(400_000, "0.4 MB left"), (10**12, None)])
def test_little_room_is_told_with_what_the_library_says(tmp_path, monkeypatch, free, told):
    monkeypatch.setattr(netcdf.os, "statvfs", lambda path: os.statvfs_result((1, 1, 1, 1, free, 1, 1, 1, 0, 255)))
    with pytest.raises(OutputError) as caught, netcdf.writing(tmp_path / "fluxes.nc"):
        raise RuntimeError("NetCDF: HDF error")
    assert "NetCDF: HDF error" in caught.value.found
    assert (told in caught.value.found) if told else ("left" not in caught.value.found)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("kind", ["stream", "file"])
def test_a_log_without_room_stops_nothing(kind, capsys):
    stream = open("/dev/full", "w")
    handler = SteadyStream(stream) if kind == "stream" else SteadyFile("/dev/full")
    logger = logging.Logger("own")
    logger.addHandler(handler)
    logger.error("a line")
    handler.close()
    with suppress(OSError):  # what waits to be written is refused once more
        stream.close()
    assert capsys.readouterr() == ("", "")


def test_a_log_whose_stream_is_closed_stops_nothing(tmp_path, capsys):
    logger, stream = logging.Logger("own"), open(tmp_path / "log", "w")
    logger.addHandler(handler := SteadyStream(stream))
    stream.close()
    logger.error("a line")
    handler.flush()
    handler.close()
    assert capsys.readouterr() == ("", "")


def test_faults_of_ours_in_a_log_line_are_still_told(tmp_path, capsys):
    logger = logging.Logger("own")
    logger.addHandler(handler := SteadyFile(tmp_path / "log"))
    logger.error("%d", "no number")
    handler.close()
    assert "TypeError" in capsys.readouterr().err


def test_a_run_that_nobody_watches_goes_on(tmp_path):
    """As in `gcas run my.nml 2>&1 | head -1`: the screen is gone after the first line."""
    code = ("import sys, time\n"
            "from gcas_driver.progress import Reporter\n"
            "import gcas_driver.progress as progress\n"
            "progress.PLAIN_INTERVAL = 0.0\n"
            "reporter = Reporter()\n"
            "with reporter.screen(), reporter.bar('work') as advance:\n"
            "    for i in range(200):\n"
            "        reporter.log.info('line %d', i); advance(i / 200); time.sleep(0.001)\n"
            f"open({str(tmp_path / 'done')!r}, 'w').close()\n")
    work = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, cwd=tmp_path)
    first = work.stderr.readline()
    work.stderr.close()
    work.wait(60)
    assert first.endswith(b"line 0\n") and (tmp_path / "done").exists()


def test_what_stopped_a_run_is_told_though_its_log_has_no_room(tmp_path, monkeypatch, capsys):
    (tmp_path / "gcas.log").symlink_to("/dev/full")
    (tmp_path / "gcas.jsonl").symlink_to("/dev/full")
    reporter = Reporter()
    with pytest.raises(GcasError, match="the cause"), reporter.files(tmp_path):
        reporter.log.info("a line")
        raise GcasError("the cause")
    assert capsys.readouterr().err == ""


def test_who_looks_at_a_case_does_not_keep_a_run_from_beginning(tmp_path):
    """`gcas status` holds the lock for an instant, shared; a run that begins then waits for it."""
    with case_lock(tmp_path):
        assert holder(tmp_path) == os.getpid()
        with pytest.raises(LockedError, match=f"process {os.getpid()}"), case_lock(tmp_path):
            pass
    looker = subprocess.Popen([sys.executable, "-c", "import fcntl, os, sys, time\n"
                               f"handle = os.open({str(tmp_path / 'gcas.lock')!r}, os.O_RDONLY)\n"
                               "fcntl.flock(handle, fcntl.LOCK_SH); print('held', flush=True); time.sleep(0.15)"], stdout=subprocess.PIPE)
    assert looker.stdout.readline() == b"held\n"
    assert holder(tmp_path) is None  # two may look at once
    with case_lock(tmp_path):
        assert holder(tmp_path) == os.getpid()
    looker.wait(10)


def test_another_users_case_can_be_looked_at(tmp_path, monkeypatch):
    with case_lock(tmp_path):
        opened = os.open
        monkeypatch.setattr(os, "open", lambda path, flags, *more: opened(path, flags, *more) if flags == os.O_RDONLY else _no_room())
        assert holder(tmp_path) == os.getpid()


def test_a_file_system_without_locks_is_named(tmp_path, monkeypatch):
    def no_locks(handle, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", no_locks)
    with pytest.raises(LockedError, match="no locks"), case_lock(tmp_path):
        pass
