"""The errors of the driver: each says what, where, what was found, what was expected and what to do.

`GcasError.exit_code` is the command's exit code: 1 failed, 2 usage or bad input, 3 interrupted and resumable.
"""

from __future__ import annotations

from dataclasses import dataclass


def format_report(what: str, where: str = "", found: str = "", expected: str = "", advice: str = "") -> str:
    """One message out of the five parts; empty parts are left out. A part that ends a line begins a new one instead of a semicolon."""
    parts = [what if not where else f"{where}: {what}"]
    parts += [f"{label}: {text}" for label, text in (("found", found), ("expected", expected)) if text]
    if advice:
        parts.append(advice)
    return "; ".join(parts).replace("\n; ", "\n")


class GcasError(Exception):
    """Base of all errors of the driver.

    Parameters
    ----------
    what : str
        What is wrong.
    where : str
        File and line, group and variable, dimension, or window.
    found, expected : str
        What was read and what it should have been.
    advice : str
        What to do about it.
    """

    exit_code = 1

    def __init__(self, what: str, where: str = "", found: str = "", expected: str = "", advice: str = "") -> None:
        super().__init__(format_report(what, where, found, expected, advice))
        self.what = what
        self.where = where
        self.found = found
        self.expected = expected
        self.advice = advice

    def __reduce__(self):
        return type(self), (self.what, self.where, self.found, self.expected, self.advice)


class SettingsError(GcasError):
    """A namelist that cannot be used."""

    exit_code = 2


class InputError(GcasError):
    """An input file or array that is missing, broken or not what was expected."""

    exit_code = 2


class AnalysisError(GcasError):
    """The analysis could not be done with what it was given."""


class LockedError(GcasError):
    """Another run works on the same directory."""

    exit_code = 2


class Interrupted(GcasError):
    """Stopped from outside; the run can be continued."""

    exit_code = 3


@dataclass(frozen=True)
class Problem:
    """One finding of a `check`: the parts of an error, not raised, so that all can be told at once.

    `severity` is "error" (the run would fail) or "warning" (said, then the run goes on).
    """

    what: str
    where: str = ""
    found: str = ""
    expected: str = ""
    advice: str = ""
    severity: str = "error"

    @classmethod
    def of(cls, error: GcasError, severity: str = "error") -> Problem:
        """The finding that `error` would have raised."""
        return cls(error.what, error.where, error.found, error.expected, error.advice, severity)

    def __str__(self) -> str:
        return f"{self.severity}: {format_report(self.what, self.where, self.found, self.expected, self.advice)}"
