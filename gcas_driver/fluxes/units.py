"""Units of surface fluxes: inside the program mol m-2 s-1, everything else is converted once, at the file boundary."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mozart_coupling.constants import AVOGADRO, MOLAR_MASS_CO2

MOLAR_MASS_CARBON = 12.011  # g mol-1
SECONDS_PER_DAY = 86400.0
SECONDS_PER_YEAR = 365.25 * SECONDS_PER_DAY

MOLECULES_CM2 = 1.0e4 / AVOGADRO  # mol m-2 s-1 in one molecule cm-2 s-1
PGC_PER_YEAR = MOLAR_MASS_CARBON * 1.0e-15 * SECONDS_PER_YEAR  # PgC yr-1 in one mol s-1

_GRAMS = {"g": 1.0, "ug": 1.0e-6, "mg": 1.0e-3, "kg": 1.0e3, "megag": 1.0e6, "gg": 1.0e9, "tg": 1.0e12, "pg": 1.0e15, "t": 1.0e6,
          "tonne": 1.0e6, "tonnes": 1.0e6, "kt": 1.0e9, "megat": 1.0e12, "gt": 1.0e15, "gram": 1.0, "grams": 1.0}
_MOLES = {"mol": 1.0, "mole": 1.0, "moles": 1.0, "mmol": 1.0e-3, "umol": 1.0e-6, "micromol": 1.0e-6, "micromoles": 1.0e-6, "nmol": 1.0e-9,
          "kmol": 1.0e3, "molecule": 1.0 / AVOGADRO, "molecules": 1.0 / AVOGADRO, "molec": 1.0 / AVOGADRO}
_AMOUNTS = {  # mol in one of it; a mass alone ("kg") does not say of what
    **{name + "c": grams / MOLAR_MASS_CARBON for name, grams in _GRAMS.items()},
    **{name + "cotwo": grams / MOLAR_MASS_CO2 for name, grams in _GRAMS.items()},
    **{name + of: moles for name, moles in _MOLES.items() for of in ("", "c", "cotwo")},
}
_LENGTHS = {"m": 1.0, "meter": 1.0, "cm": 1.0e-2, "km": 1.0e3}
_CELLS = ("cell", "box", "gridcell", "gridbox")
MONTH = 0.0  # in place of seconds: the length of the record's own calendar month
_TIMES = {
    "s": 1.0, "sec": 1.0, "second": 1.0, "h": 3600.0, "hr": 3600.0, "hour": 3600.0,
    "d": SECONDS_PER_DAY, "day": SECONDS_PER_DAY, "days": SECONDS_PER_DAY, "month": MONTH, "mon": MONTH, "months": MONTH,
    "yr": SECONDS_PER_YEAR, "year": SECONDS_PER_YEAR, "a": SECONDS_PER_YEAR,
}
_SUBSTANCE = re.compile(rf"\b({'|'.join(sorted({*_GRAMS, *_MOLES}, key=len, reverse=True))})[\s_]*\(?(co2|carbon|c)\)?(?![a-z0-9])")
_NUMBER = re.compile(r"\s*(\d+(?:\.\d*)?(?:e[+-]?\d+)?)\s*(?:\*|x)?\s+")
_FACTOR = re.compile(r"\s*([/*.·]?)\s*([a-z]+)\s*(?:\*\*|\^)?\s*\(?([+-]?\d+)?\)?\s*")


@dataclass(frozen=True)
class FluxUnits:
    """What one unit of a flux is.

    Attributes
    ----------
    moles : float
        mol of CO2 in the amount, per m2 or per cell.
    per_cell : bool
        The amount is a grid cell's, not a square metre's.
    seconds : float
        In which it flows; `MONTH` for the length of the calendar month that the record stands for.
    """

    moles: float
    per_cell: bool
    seconds: float


def flux_units(text: str) -> FluxUnits | None:
    """Read the units of a flux.

    Parameters
    ----------
    text : str
        Such as "mol m-2 s-1", "molecules/cm2/s", "gC m-2 day-1", "kg C m^-2 s^-1", "gC m-2 month-1", "GgC cell-1 month-1".

    Returns
    -------
    FluxUnits or None
        None if the text is not an amount of CO2 or carbon, per area or cell, per time ("kg m-2 s-1" does not say of what).
    """
    words = re.sub(r"\bM(?=g|t)", "mega", text.strip()).lower().replace("µ", "u").replace("μ", "u")
    words = re.sub(r"\bgrid[\s_-]*(cell|box)", r"\1", re.sub(r"\s+per\s+", " / ", words))
    words = _SUBSTANCE.sub(lambda match: match[1] + ("cotwo" if match[2] == "co2" else "c"), words)
    number = _NUMBER.match(words)
    amount = length = seconds = None
    place = number.end() if number else 0
    while place < len(words):
        match = _FACTOR.match(words, place)
        if not match:
            return None
        place = match.end()
        exponent = int(match[3] or 1) * (-1 if match[1] == "/" and not (match[3] or "1").startswith("-") else 1)
        if match[2] in _AMOUNTS and exponent == 1 and amount is None:
            amount = _AMOUNTS[match[2]] * float(number[1] if number else 1.0)
        elif match[2] in _LENGTHS and exponent == -2 and length is None:
            length = _LENGTHS[match[2]]
        elif match[2] in _CELLS and exponent == -1 and length is None:
            length = 0.0
        elif match[2] in _TIMES and exponent == -1 and seconds is None:
            seconds = _TIMES[match[2]]
        else:
            return None
    if None in (amount, length, seconds):
        return None
    return FluxUnits(amount / (length**2 or 1.0), length == 0.0, seconds)


def flux_unit_factor(text: str) -> float | None:
    """mol m-2 s-1 in one unit of a flux per area and fixed time; None for anything else.

    Examples
    --------
    >>> flux_unit_factor("mol m-2 s-1")
    1.0
    >>> flux_unit_factor("K") is None
    True
    """
    units = flux_units(text)
    return None if units is None or units.per_cell or units.seconds == MONTH else units.moles / units.seconds
