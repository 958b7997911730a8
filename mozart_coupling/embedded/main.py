"""The command `gcas-transport NAMELIST`, called as MOZART-4's executable would be.

Exit codes: 0 done, 1 failed, 2 usage or bad input, 3 interrupted.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from mozart_coupling.errors import CflError, CouplingError, OutputError, StateError
from mozart_coupling.logs import SteadyStream
from mozart_coupling.memory import keep_freed_memory
from mozart_coupling.standard_streams import open_standard_streams
from mozart_coupling.threads import let_waiting_threads_sleep

CAPABILITIES = {
    "model": "gcas-transport",
    "contract": 1,
    "in_line_samples": True,
    "components": True,
    "history_off": True,
    "any_tracer_count": True,
    "threads": True,
    "modes": ["linear", "monotone"],
    "precisions": ["double", "single"],
}
FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the model as the command line says; returns the exit code."""
    open_standard_streams()
    parser = argparse.ArgumentParser(prog="gcas-transport",
                                     description="The embedded transport model of GCAS: reads the namelist that MOZART-4 "
                                     "would read, in the same working directory, and writes the same files.")
    parser.add_argument("namelist", nargs="?", type=Path, help="file with &NLIST and, optionally, &GCAS_TRANSPORT")
    parser.add_argument("--capabilities", action="store_true", help="print as JSON what the model can do beside MOZART-4's contract")
    options = parser.parse_args(arguments)
    if options.capabilities:
        print(json.dumps(CAPABILITIES))
        return 0
    if options.namelist is None:
        parser.error("a namelist is needed")
    logging.basicConfig(handlers=[SteadyStream(sys.stdout)], level=logging.INFO, format="%(message)s", force=True)
    try:
        return _run(options.namelist)
    except (CflError, OutputError, StateError) as problem:
        return _fail(problem, FAILED)
    except CouplingError as problem:
        return _fail(problem, BAD_INPUT)
    except OSError as problem:  # disk full, no permission
        return _fail(CouplingError("the system refused", problem.filename or "", problem.strerror or problem), FAILED)
    except KeyboardInterrupt:
        return _fail(CouplingError("interrupted", advice="Start it again from its last restart."), INTERRUPTED)


def _run(namelist: Path) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    let_waiting_threads_sleep()
    keep_freed_memory()
    from mozart_coupling.embedded.lock import only_run
    from mozart_coupling.embedded.model import EmbeddedModel
    from mozart_coupling.embedded.settings import load

    settings = load(namelist)
    with only_run(settings.directory):
        EmbeddedModel(settings).run()
    return 0


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _fail(problem: CouplingError, code: int) -> int:
    sys.stdout.flush()
    print(f"gcas-transport: {problem}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
