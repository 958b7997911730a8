"""Which unit a CO2 field is in: by its attribute, by its size, or as the user says; contradictions are refused."""

from __future__ import annotations

from gcas_driver.errors import InputError
from mozart_coupling.checks import MEAN_MMR, MEAN_VMR

MEAN_PPM = tuple(1.0e6 * bound for bound in MEAN_VMR)
UNITS = {
    "kg/kg": "mmr", "kg kg-1": "mmr", "kg kg^-1": "mmr", "kg kg**-1": "mmr", "mmr": "mmr",
    "mol/mol": "vmr", "mol mol-1": "vmr", "mol mol^-1": "vmr", "mole/mole": "vmr", "vmr": "vmr", "v/v": "vmr",
    "micromol mol-1": "ppm", "umol mol-1": "ppm", "umol/mol": "ppm", "micromol/mol": "ppm", "micromole mole-1": "ppm", "ppm": "ppm",
    "ppmv": "ppm", "1e-6": "ppm", "1.e-6": "ppm",
}


def unit_by_size(mean: float) -> str | None:
    """"mmr", "vmr" or "ppm" by the mean of a field of CO2; None where it is in no range."""
    for name, (low, high) in (("mmr", MEAN_MMR), ("vmr", MEAN_VMR), ("ppm", MEAN_PPM)):
        if low <= mean <= high:
            return name
    return None


def factor_to_mole_fraction(mean: float, attribute: str, chosen: str, mw_air: float, mw_co2: float, where: str) -> tuple[float, str]:
    """Factor to mol mol-1, and the unit's name.

    Parameters
    ----------
    mean : float
        Of the field, as in the file.
    attribute : str
        `units` of the variable, "" without.
    chosen : str
        What the user says: "mmr", "vmr", "ppm" or "".
    mw_air, mw_co2 : float
        [g mol-1].

    Raises
    ------
    InputError
        Attribute and size contradict each other, or neither tells.
    """
    factors = {"mmr": mw_air / mw_co2, "vmr": 1.0, "ppm": 1.0e-6}
    if chosen:
        return factors[chosen], chosen
    named, sized = UNITS.get(" ".join(attribute.lower().replace("µ", "u").split())), unit_by_size(mean)
    if attribute and named is None and attribute.strip() not in ("1", "none", "unitless"):
        raise InputError("unknown units of the initial field", where, repr(attribute), "kg/kg, mol/mol or micromol mol-1",
                         "Give `units` in &initial: 'mmr', 'vmr' or 'ppm'.")
    if named and sized and named != sized:
        raise InputError("the initial field's units and its size contradict each other", where,
                         f"{attribute!r} with a mean of {mean:.4g}, which is {sized}", f"a mean in the range of {named}",
                         "Give `units` in &initial: 'mmr' (kg/kg), 'vmr' (mol/mol) or 'ppm'.")
    if not (named or sized):
        raise InputError("the initial field does not say its units", where, f"a mean of {mean:.4g}", "3.5e-4 … 4.5e-4 mol/mol, "
                         "5e-4 … 7e-4 kg/kg or 350 … 450 ppm", "Give `units` in &initial.")
    unit = named or sized
    return factors[unit], unit
