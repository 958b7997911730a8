"""The window loop.

A case is a directory. One run at a time works in it; its journal says what is done; only an entry there makes a window done.
Whatever was begun and not entered is done again from what the last window handed over, so a run that was killed at any
instant goes on to the same bits as one that was not.
"""

from __future__ import annotations

import time
from contextlib import suppress

from .case import open_case, refuse_bad_inputs
from .config import Settings
from .continuing import make_case_directory, require_same_experiment, windows_done
from .journal import Journal
from .lock import case_lock
from .plan import plan_windows
from .progress import Reporter, counted, duration
from .window import run_window


def run_case(settings: Settings, reporter: Reporter, *, accept: bool = False) -> None:
    """Run a case, or continue it where it stopped.

    Parameters
    ----------
    settings : Settings
    reporter : Reporter
        Where progress goes.
    accept : bool
        Take harmless changes of settings on a run in progress.

    Raises
    ------
    SettingsError
        The settings are not those of the run in progress.
    InputError
        Its windows are not those of the settings, or its directory cannot be made.
    LockedError
        Another run works in the case's directory.
    GcasError, CouplingError
        A step failed; what was done before stays done.
    """
    make_case_directory(settings.case_directory)
    with case_lock(settings.case_directory), reporter.files(settings.case_directory):
        journal = Journal(settings.case_directory)
        require_same_experiment(settings, journal, accept)
        try:
            _run_windows(settings, journal, reporter)
        except (Exception, KeyboardInterrupt) as error:
            with suppress(OSError):  # a full disk does not take this line either; what stopped the run is what matters
                journal.append("stopped", error=f"{type(error).__name__}: {error}")
            raise


def _run_windows(settings: Settings, journal: Journal, reporter: Reporter) -> None:
    windows = plan_windows(settings.time)
    n_done = windows_done(journal, windows)
    if n_done == len(windows):
        reporter.log.info("%s: all %d windows are done", settings.case.name, len(windows))
        return
    refuse_bad_inputs(settings, reporter, windows[n_done:])
    case = open_case(settings, journal, reporter)
    source = settings.transport.met_directory or "the analytic circulation"
    reporter.log.info("%s: %s from %s to %s, %d members, %dx%d cells, meteorology: %s, results: %s", settings.case.name,
                      counted(len(windows), "window"), windows[0].label, windows[-1].end_label, settings.state.members, case.grid.nlon,
                      case.grid.nlat, source, settings.case_directory)
    if n_done:
        reporter.log.info("%s: continues after %d of %d windows", settings.case.name, n_done, len(windows))
    started = time.monotonic()
    for window in windows[n_done:]:
        run_window(case, window)
        case.runs.forget_before(window)
        left = (time.monotonic() - started) / (window.index + 1 - n_done) * (len(windows) - window.index - 1)
        reporter.log.info("window %s done, %d of %d%s", window.label, window.index + 1, len(windows),
                          f", about {duration(left)} left" if left else "")
