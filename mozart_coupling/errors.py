"""Errors of the coupling: what went wrong, where, what was found, what was expected, what to do."""

from __future__ import annotations


class CouplingError(Exception):
    """An error in the files or runs of the transport model.

    Parameters
    ----------
    what
        One sentence: what is wrong.
    where
        File, variable, dimension or run.
    found, expected
        What was read, and what should have been there.
    advice
        What to do about it.
    """

    def __init__(self, what: str, where: str = "", found: str = "", expected: str = "", advice: str = ""):
        self.what = what
        self.where = str(where)
        self.found = str(found)
        self.expected = str(expected)
        self.advice = advice
        super().__init__(self._message())

    def _message(self) -> str:
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.found:
            parts.append(f"found {self.found}")
        if self.expected:
            parts.append(f"expected {self.expected}")
        text = "; ".join(parts)
        return f"{text}. {self.advice}" if self.advice else text


class MetError(CouplingError):
    """A meteorology file is missing, incomplete or implausible."""


class EmissionError(CouplingError):
    """An emission file, or the fluxes meant for one, cannot be used."""


class NamelistError(CouplingError):
    """A namelist cannot be read or patched."""


class RestartError(CouplingError):
    """A restart, pointer or initial file cannot be used."""


class HistoryError(CouplingError):
    """A history or sample file cannot be used."""


class RunFailed(CouplingError):
    """A model run did not succeed."""


class CflError(CouplingError):
    """The winds are too strong for the time step."""
