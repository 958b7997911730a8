"""Whether a run may begin, or go on with what is there: its directory, its settings and the windows that are done."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mozart_coupling.netcdf import write_text

from .config import Settings
from .config.document import resolved_namelist
from .config.settings import change_of, difference
from .errors import GcasError, InputError, Problem, SettingsError
from .journal import Journal
from .plan import Window, plan_windows


def make_case_directory(directory: Path) -> None:
    """Make the case's directory if it is not there.

    Raises
    ------
    InputError
        Something else is there.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise _no_directory(directory) from None


def _no_directory(path: Path) -> InputError:
    return InputError("the case's directory cannot be made", str(path), "a file, or a link that leads nowhere, on the way to it",
                      "a directory, or nothing", "choose another &case name or directory")


def windows_done(journal: Journal, windows: Sequence[Window]) -> int:
    """How many windows of the plan are done.

    Raises
    ------
    InputError
        What was done is not the beginning of the plan.
    """
    done = journal.windows_done()
    found = [(entry["window"], entry["end"]) for entry in done]
    planned = [(window.label, window.end_label) for window in windows]
    if found != planned[:len(found)]:
        raise InputError("the windows that are done are not those of the settings", str(journal.path),
                         ", ".join("–".join(p) for p in found), ", ".join("–".join(p) for p in planned[:len(found)]),
                         "keep 'start' and 'window_days' and no earlier end, or begin a new case")
    return len(found)


def require_same_experiment(settings: Settings, journal: Journal, accept: bool) -> None:
    """Refuse settings that differ from those of the run in progress, show how; note the settings of a new or accepted run.

    Until the first window is done nothing depends on the settings, and any change is taken.

    Raises
    ------
    SettingsError
        A setting changed that may not, or may only with `accept`.
    InputError
        The windows that are done are not those of the settings.
    """
    changed = _changed(settings, journal)
    refused = _refused(settings, journal, changed, accept)
    if refused is not None:
        raise refused
    windows_done(journal, plan_windows(settings.time))
    if changed or not journal.events("settings"):
        write_text(settings.case_directory / "settings.nml", resolved_namelist(settings))
        journal.append("settings", values=settings.flat(), digest=settings.digest())


def continuing_problems(settings: Settings) -> list[Problem]:
    """What would keep a run from beginning, or from going on, in the case's directory."""
    directory = settings.case_directory
    above = next(path for path in (directory, *directory.parents) if os.path.lexists(path))
    if not above.is_dir():
        return [Problem.of(_no_directory(above))]
    if not os.access(above, os.W_OK | os.X_OK):
        return [Problem("nothing can be written to the case's directory", str(above), "no permission", "a directory of yours",
                        "choose another &case directory")]
    try:
        journal = Journal(directory)
        windows_done(journal, plan_windows(settings.time))
    except GcasError as error:
        return [Problem.of(error)]
    refused = _refused(settings, journal, _changed(settings, journal), accept=False)
    return [Problem.of(refused)] if refused else []


def _changed(settings: Settings, journal: Journal) -> Mapping[str, tuple[Any, Any]]:
    """Settings that are not those of the journal: name → (there, now)."""
    known = journal.events("settings")
    return difference(known[-1]["values"], settings.flat()) if known else {}


def _refused(settings: Settings, journal: Journal, changed: Mapping[str, tuple[Any, Any]], accept: bool) -> SettingsError | None:
    """What forbids to go on: the results that are there are those of other settings."""
    if not journal.windows_done():
        return None
    refused, harmless = ([f"{key}: {old!r} → {new!r}" for key, (old, new) in changed.items() if change_of(key) == kind]
                         for kind in ("refused", "accept"))
    if refused:
        advice = "Restore the settings it began with, or begin a new case (another &case name or directory)."
    elif harmless and not accept:
        advice = "These changes are harmless: `gcas run --accept` takes them."
    else:
        return None
    shown = "".join(f"\n    {line}" for line in refused + harmless)
    return SettingsError("settings changed on a run in progress", str(settings.path), f"{shown}\n", "", advice)
