"""Standard streams of any kind: closed ones, ones that cannot say everything; and what is said when the fault is ours."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gcas_driver import cli
from mozart_coupling.standard_streams import open_standard_streams


@pytest.mark.parametrize("module", ["gcas_driver.cli", "mozart_coupling.embedded.main"])
@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_nothing_that_is_printed_lands_in_a_file(tmp_path, module, closed):
    """Without the care taken the first file that is opened would get the closed stream's number."""
    code = ("import os, sys\n"
            f"from {module} import open_standard_streams\n"
            "open_standard_streams()\n"
            f"with open({str(tmp_path / 'data')!r}, 'wb') as data:\n"
            "    os.system('echo child; echo child >&2'); print('printed'); print('said', file=sys.stderr)\n"
            "    for number in (1, 2): os.write(number, b'library')\n"
            "    sys.exit(0 if data.fileno() > 2 else 5)\n")
    done = subprocess.run([sys.executable, "-c", code], preexec_fn=lambda: [os.close(n) for n in closed], check=False, timeout=60)
    assert done.returncode == 0
    assert (tmp_path / "data").read_bytes() == b""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_an_encoding_cannot_say_is_spelled_out(encoding):
    done = subprocess.run([sys.executable, "-m", "gcas_driver.cli", "namelist-doc"], capture_output=True, check=False, timeout=60,
                          env={**os.environ, "PYTHONIOENCODING": encoding})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u03bb" in done.stdout


def test_streams_that_a_caller_has_put_in_place_stay(monkeypatch):
    class Own:
        def write(self, text: str) -> int:
            return len(text)

    own = Own()
    monkeypatch.setattr(sys, "stdout", own)
    open_standard_streams()
    assert sys.stdout is own


def _failing(error: Exception):
    def action(arguments):
        raise error

    return action


def test_a_fault_of_ours_says_where_its_traceback_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cli, "_namelist_doc", _failing(KeyError("lost")))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert cli.main(["namelist-doc"]) == 1
    told, written = capsys.readouterr().err, list(tmp_path.glob("gcas_traceback_*.txt"))
    assert len(written) == 1 and str(written[0]) in told and "Traceback" not in told
    assert "KeyError: 'lost'" in written[0].read_text()


def test_too_little_memory_is_no_fault(monkeypatch, capsys):
    monkeypatch.setattr(cli, "_namelist_doc", _failing(MemoryError("Unable to allocate 74 GiB")))
    assert cli.main(["namelist-doc"]) == 1
    told = capsys.readouterr().err
    assert "not enough memory" in told and "74 GiB" in told and "traceback" not in told
