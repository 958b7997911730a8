"""Errors of the coupling: each says what, where, what was found, what was expected and what to do."""

from __future__ import annotations


class CouplingError(Exception):
    """Something is wrong with a file of the transport model, with its run, or with what was asked of it.

    Parameters
    ----------
    what : str
        The failure in one sentence.
    where : str
        File, group, variable, dimension, date: whatever leads to the place.
    found, expected : str
        What was read and what the contract asks for.
    advice : str
        What the user can do about it.
    """

    def __init__(self, what: str, where: object = "", found: object = "", expected: object = "", advice: str = "") -> None:
        self.what = what
        self.where = str(where)
        self.found = str(found)
        self.expected = str(expected)
        self.advice = advice
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """All parts in one text, one line a part, parts without content left out."""
        lines = [self.what]
        for label, text in (("where", self.where), ("found", self.found), ("expected", self.expected), ("advice", self.advice)):
            if text:
                lines.append(f"  {label}: {text}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.message

    def at(self, place: object) -> CouplingError:
        """Return the same error with `place` put before what `where` already says."""
        where = f"{place}; {self.where}" if self.where else str(place)
        return type(self)(self.what, where, self.found, self.expected, self.advice)


class NamelistError(CouplingError):
    """A namelist or `mz4.dat` that cannot be read, patched or understood."""


class MetError(CouplingError):
    """A meteorology file missing, incomplete, wrongly dated or unphysical."""


class EmissionError(CouplingError):
    """A surface flux, components or factors file missing, incomplete or on the wrong grid."""


class InitialError(CouplingError):
    """An initial condition that cannot be used."""


class RestartError(CouplingError):
    """A restart file, or the pointer to it, missing, incomplete or of another date."""


class HistoryError(CouplingError):
    """A history file missing, incomplete, of another date, or in other units than said."""


class SampleError(CouplingError):
    """A sample request or sample file that does not fit the run."""


class OutputError(CouplingError):
    """A file cannot be written: a full disk, a limit, no permission."""


class StateError(CouplingError):
    """The model's tracers are not finite, or beyond what air can hold."""


class CflError(CouplingError):
    """The wind is too strong for the time step, or is no number at all."""


class RunFailed(CouplingError):
    """The transport model ended badly, was too slow, or left output that fails a check."""
