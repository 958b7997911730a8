"""Runs a command in place of itself, which dies when the process that started it dies.

Started as `python child.py PARENT_PID COMMAND…` with nothing imported from the package: the death signal is asked of the
system here, after the fork, and survives the exec.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # Linux; elsewhere the lock of the run directory alone keeps an orphan away


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the process that started this run is gone")
    try:
        os.execvp(command[0], command)
    except OSError as problem:
        sys.exit(f"cannot execute {command[0]}: {problem.strerror}")


if __name__ == "__main__":
    main()
