"""Units of surface fluxes: inside the program mol m-2 s-1, everything else is converted once, at the file boundary."""

from __future__ import annotations

import re

from mozart_coupling.constants import AVOGADRO, MOLAR_MASS_CO2

MOLAR_MASS_CARBON = 12.011  # g mol-1
SECONDS_PER_DAY = 86400.0
SECONDS_PER_YEAR = 365.25 * SECONDS_PER_DAY

MOLECULES_CM2 = 1.0e4 / AVOGADRO  # mol m-2 s-1 in one molecule cm-2 s-1
PGC_PER_YEAR = MOLAR_MASS_CARBON * 1.0e-15 * SECONDS_PER_YEAR  # PgC yr-1 in one mol s-1

_AMOUNTS = {
    "mol": 1.0, "mole": 1.0, "moles": 1.0, "molco2": 1.0, "molc": 1.0,
    "mmol": 1.0e-3, "umol": 1.0e-6, "micromol": 1.0e-6, "micromoles": 1.0e-6, "umolco2": 1.0e-6, "nmol": 1.0e-9,
    "molecule": 1.0 / AVOGADRO, "molecules": 1.0 / AVOGADRO, "molec": 1.0 / AVOGADRO, "moleculesco2": 1.0 / AVOGADRO,
    "gc": 1.0 / MOLAR_MASS_CARBON, "kgc": 1.0e3 / MOLAR_MASS_CARBON, "mgc": 1.0e-3 / MOLAR_MASS_CARBON,
    "gco2": 1.0 / MOLAR_MASS_CO2, "kgco2": 1.0e3 / MOLAR_MASS_CO2,
}
_LENGTHS = {"m": 1.0, "meter": 1.0, "cm": 1.0e-2, "km": 1.0e3}
_TIMES = {
    "s": 1.0, "sec": 1.0, "second": 1.0, "h": 3600.0, "hr": 3600.0, "hour": 3600.0,
    "d": SECONDS_PER_DAY, "day": SECONDS_PER_DAY, "days": SECONDS_PER_DAY,
    "yr": SECONDS_PER_YEAR, "year": SECONDS_PER_YEAR, "a": SECONDS_PER_YEAR,
}
_FACTOR = re.compile(r"(/?)\s*([a-z]+)\s*(?:\*\*|\^)?\s*\(?([+-]?\d+)?\)?")


def flux_unit_factor(text: str) -> float | None:
    """mol m-2 s-1 in one unit of a flux.

    Parameters
    ----------
    text : str
        Such as "mol m-2 s-1", "molecules/cm2/s", "gC m-2 day-1", "kg C m^-2 s^-1", "umol m-2 s-1".

    Returns
    -------
    float or None
        None if the text is not an amount of CO2 or carbon per area and time ("kg m-2 s-1" does not say of what).

    Examples
    --------
    >>> flux_unit_factor("mol m-2 s-1")
    1.0
    >>> flux_unit_factor("K") is None
    True
    """
    words = re.sub(r"\b(k|m)?g\s+(c|co2)\b", lambda m: f"{m[1] or ''}g{m[2]}", text.strip().lower().replace("µ", "u"))
    words = re.sub(r"\b(u?mol|moles?|molecules|micromol(?:es)?)\s+co2\b", r"\1", words).replace("co2", "cotwo")
    amount = length = time = None
    for slash, name, power in _FACTOR.findall(words):
        name = name.replace("cotwo", "co2")
        exponent = int(power or 1) * (-1 if slash and not (power or "1").startswith("-") else 1)
        if name in _AMOUNTS and exponent == 1 and amount is None:
            amount = _AMOUNTS[name]
        elif name in _LENGTHS and exponent == -2 and length is None:
            length = _LENGTHS[name] ** -2
        elif name in _TIMES and exponent == -1 and time is None:
            time = 1.0 / _TIMES[name]
        else:
            return None
    return None if None in (amount, length, time) else amount * length * time
