"""Looking at the files of a run of years with a second process, since unpacking them is what takes the time.

The second process is this module as a program: it gets reader, stream and files on its standard input, pickled, and writes what it found on
its standard output. It is not made by `multiprocessing`, which would run the caller's own script again.
"""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
from typing import Any

MANY = 60
"""From this number of files a second process is worth its start of a second or two."""

log = logging.getLogger(__name__)


def shared_looks(reader: Any, files: list, stream: Any, start: Any, end: Any) -> list:
    """`reader.look` at each file, in order; with a second process where there are many files and a second processor."""
    if len(files) < MANY or len(os.sched_getaffinity(0)) < 2:
        return [reader.look(path, day, stream, start, end) for path, day in files]
    # Not `-m`: the package loads this module itself, of which Python would warn on the user's screen.
    command = [sys.executable, "-c", "from gcas_driver.observations.look_worker import main; main()"]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        try:
            with worker.stdin as pipe:
                pickle.dump((reader, files[1::2], stream, start, end), pipe)
        except BrokenPipeError:
            log.debug("the second process that looks at observation files has died")
        mine = [reader.look(path, day, stream, start, end) for path, day in files[0::2]]
        answer = worker.stdout.read()
        theirs = pickle.loads(answer) if worker.wait() == 0 else [reader.look(path, day, stream, start, end) for path, day in files[1::2]]
    finally:
        if worker.poll() is None:
            worker.kill()
        worker.stdout.close()
        worker.wait()
    findings = [None] * len(files)
    findings[0::2], findings[1::2] = mine, theirs
    return findings


def main() -> None:
    """The second process."""
    reader, files, stream, start, end = pickle.load(sys.stdin.buffer)
    findings = [reader.look(path, day, stream, start, end) for path, day in files]
    sys.stdout.buffer.write(pickle.dumps(findings))
