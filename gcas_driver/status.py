"""What a case has done, what it is doing now, and how long the rest will take: from its journal and its lock."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .config import Settings
from .journal import Journal
from .lock import holder
from .plan import plan_windows
from .progress import duration


def case_status(settings: Settings) -> dict[str, Any]:
    """State of a case.

    Returns
    -------
    dict
        `case, directory, state` ("new", "running", "stopped", "done"), `process`, `windows` (list of `window, state, seconds,
        observations, super_observations`), `windows_done, windows_total, step` (the one running), `elapsed_seconds,
        remaining_seconds` (None when unknown), `last_error`.
    """
    windows = plan_windows(settings.time)
    directory = settings.case_directory
    process = holder(directory)
    journal = Journal(directory)
    done = {entry["window"]: entry for entry in journal.windows_done()}
    rows = [_row(window.label, done.get(window.label)) for window in windows]
    finished = sum(row["state"] == "done" for row in rows)
    last = journal.entries[-1] if journal.entries else {}
    step = _running_step(journal) if process is not None else None
    if process is not None and finished < len(rows):
        rows[finished]["state"] = "running"
    state = ("running" if process is not None else "done" if finished == len(rows) else "stopped" if journal.entries else "new")
    return {
        "case": settings.case.name, "directory": str(directory), "state": state, "process": process,
        "windows_done": finished, "windows_total": len(rows), "step": step,
        "elapsed_seconds": round(sum(row["seconds"] or 0.0 for row in rows), 1),
        "remaining_seconds": _remaining(journal, rows, finished, process is not None),
        "last_error": last.get("error") if last.get("event") == "stopped" else None,
        "windows": rows,
    }


def _row(label: str, entry: dict[str, Any] | None) -> dict[str, Any]:
    if entry is None:
        return {"window": label, "state": "waiting", "seconds": None, "observations": None, "super_observations": None}
    return {"window": label, "state": "done", "seconds": entry.get("seconds"), "observations": entry.get("observations_used"),
            "super_observations": entry.get("super_observations")}


def _running_step(journal: Journal) -> str | None:
    """What follows the last thing that was noted."""
    noted = [e for e in journal.entries if e["event"] in ("begin", "step", "window")]
    if not noted or noted[-1]["event"] == "window":
        return "preparing"
    if noted[-1]["event"] == "begin":
        return "ensemble run"
    if noted[-1]["step"] == "forward":
        return "output"
    return "ensemble run, analysis, forward run" if "_" in noted[-1]["step"] else "analysis, forward run"


def _remaining(journal: Journal, rows: list[dict[str, Any]], finished: int, running: bool) -> float | None:
    times = [row["seconds"] for row in rows if row["seconds"]]
    if finished == len(rows):
        return 0.0
    if not times:
        return None
    mean = sum(times) / len(times)
    spent = 0.0
    started = journal.events("begin")
    if running and started and started[-1]["window"] == rows[finished]["window"]:
        spent = (datetime.now(UTC) - datetime.fromisoformat(started[-1]["clock"])).total_seconds()
    return round(max(mean * (len(rows) - finished) - spent, 0.0), 1)


def print_status(status: dict[str, Any], console: Console | None = None) -> None:
    """The status for people."""
    console = console or Console(highlight=False)
    console.print(f"{status['case']}: {status['state']}, {status['windows_done']} of {status['windows_total']} windows done"
                  + (f", process {status['process']}" if status["process"] else "")
                  + (f", now: {status['step']}" if status["step"] else ""))
    console.print(f"directory {Path(status['directory'])}", soft_wrap=True)
    if status["remaining_seconds"]:
        console.print(f"about {duration(status['remaining_seconds'])} left")
    if status["last_error"]:
        console.print(f"last stop: {status['last_error']}", soft_wrap=True, markup=False)
    table = Table("window", "state", "time", "observations", "super-observations")
    for row in status["windows"]:
        table.add_row(row["window"], row["state"], duration(row["seconds"]) if row["seconds"] else "",
                      *("" if row[name] is None else str(row[name]) for name in ("observations", "super_observations")))
    console.print(table)
