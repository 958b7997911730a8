"""Reading variables of observation files whatever their product calls, scales and fills them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.errors import InputError
from mozart_coupling.classic_header import missing_bytes
from mozart_coupling.netcdf import damage

FILL_LIMIT = 1.0e30
FILL_CODES = (-999.99, -999.999, -999.9, -999.0, -9999.0, -99999.0, -999999.0)
PRESSURE_UNITS = {"pa": 1.0, "hpa": 100.0, "mbar": 100.0, "mb": 100.0, "millibar": 100.0, "kpa": 1000.0, "atm": 101325.0}
FRACTION_UNITS = {"ppm": 1.0, "ppmv": 1.0, "micromol mol-1": 1.0, "umol mol-1": 1.0, "1e-6": 1.0, "micromol/mol": 1.0, "umol/mol": 1.0,
                  "umol.mol-1": 1.0, "mol mol-1": 1.0e6, "mol/mol": 1.0e6, "1": 1.0e6, "nanomol mol-1": 1.0e-3, "nmol mol-1": 1.0e-3,
                  "ppb": 1.0e-3, "ppbv": 1.0e-3}


@contextmanager
def open_netcdf(path: Path) -> Iterator[netCDF4.Dataset]:
    """Open a file with masking and scaling off.

    Raises
    ------
    InputError
        If it cannot be opened, or turns out to be truncated while it is read.
    """
    def refusal(what: str) -> Callable[[str], InputError]:
        return lambda said: InputError(what, str(path), said, "a complete NetCDF file", "fetch the file again")

    with damage(refusal("cannot be opened as NetCDF")):
        lacking = missing_bytes(path)
        dataset = netCDF4.Dataset(path)
    if lacking:
        dataset.close()
        raise refusal("truncated")(f"{lacking} bytes less than its header promises")
    dataset.set_auto_maskandscale(False)
    try:
        with damage(refusal("cannot be read to its end")):
            yield dataset
    finally:
        dataset.close()


def find_variable(dataset: netCDF4.Dataset, candidates: Sequence[str]) -> netCDF4.Variable | None:
    """The first of `candidates` ("name" or "Group/name") that the file has, in any case; None if it has none."""
    for candidate in candidates:
        *groups, name = candidate.split("/")
        place = dataset
        for group in groups:
            place = place.groups.get(group) if place is not None else None
        if place is None:
            continue
        names = {key.lower(): key for key in place.variables}
        if name.lower() in names:
            return place.variables[names[name.lower()]]
    return None


def require_variable(dataset: netCDF4.Dataset, candidates: Sequence[str]) -> netCDF4.Variable:
    """As `find_variable`, but a file without it is an error that lists what the file has."""
    variable = find_variable(dataset, candidates)
    if variable is None:
        raise InputError(f"no variable {' or '.join(candidates)}", dataset.filepath(), inventory(dataset),
                         candidates[0], "check that the stream's format is the file's")
    return variable


def inventory(dataset: netCDF4.Dataset) -> str:
    """Names of all variables, those of groups with the group's name."""
    names = list(dataset.variables)
    for group in dataset.groups.values():
        names += [f"{group.name}/{name}" for name in group.variables]
    return "variables " + (", ".join(names) if names else "none")


def read_numbers(variable: netCDF4.Variable, shape: tuple[int, ...]) -> np.ndarray:
    """The variable as float64, NaN where it is missing by any of the conventions met in these products.

    Missing is: `_FillValue`, `missing_value`, the classic -999 codes, |x| > 1e30, NaN. Scale factor and offset of
    packed variables are applied.

    Raises
    ------
    InputError
        If it has not the expected shape or is not numeric.
    """
    if variable.shape != shape:
        raise InputError("wrong shape", place_of(variable), str(variable.shape), str(shape))
    return decoded(variable, variable[...])


def place_of(variable: netCDF4.Variable) -> str:
    """File and variable, for messages."""
    group = variable.group().path.strip("/")
    return f"{variable.group().filepath()}, {group + '/' if group else ''}{variable.name}"


def decoded(variable: netCDF4.Variable, raw: np.ndarray) -> np.ndarray:
    """Numbers of the variable as it stores them, as float64 with NaN for missing ones, as `read_numbers` gives them."""
    if not np.issubdtype(raw.dtype, np.number):
        raise InputError("not a number", place_of(variable), str(raw.dtype), "a numeric variable")
    values = raw.astype(np.float64)
    bad = _missing(variable, raw)
    factor, offset = _attribute(variable, "scale_factor", 1.0), _attribute(variable, "add_offset", 0.0)
    if factor != 1.0 or offset != 0.0:
        values = values * float(factor) + float(offset)
    if bad is not None:
        values[bad] = np.nan
    return values


def _missing(variable: netCDF4.Variable, raw: np.ndarray) -> np.ndarray | None:
    """Which numbers are missing; None where the range of them tells that none is, which is far quicker than to compare each."""
    if not raw.size:
        return None
    low, high = float(raw.min()), float(raw.max())
    codes = [code for name in ("_FillValue", "missing_value") for code in _fill_codes(variable, name)]
    real = np.issubdtype(raw.dtype, np.floating)
    if abs(low) <= FILL_LIMIT and abs(high) <= FILL_LIMIT and not any(low <= code <= high for code in codes):
        if not real or low > 0.999 * max(FILL_CODES):
            return None
    with np.errstate(invalid="ignore"):
        bad = ~(np.abs(raw.astype(np.float64)) <= FILL_LIMIT)
        for code in codes:
            bad |= raw == code
        for code in FILL_CODES if real else ():
            bad |= np.abs(raw - code) <= abs(code) * 1.0e-6
    return bad


def pressure_in_pa(variable: netCDF4.Variable, values: np.ndarray) -> np.ndarray:
    """Pressure levels (n, n_levels) [Pa] by the variable's units, or, where it has none, by its size; checked to be an atmosphere's."""
    return values * pressure_factor(variable, values)


def pressure_factor(variable: netCDF4.Variable, values: np.ndarray, units: str = "") -> float:
    """Factor to Pa of pressure levels (n, n_levels), of which `values` are some rows, by `units` or else as `pressure_in_pa`."""
    units = units or units_of(variable)
    finite = values[np.isfinite(values).all(axis=1)]
    largest = np.median(finite.max(axis=1)) if len(finite) else np.nan
    factor = _factor(PRESSURE_UNITS, units, place_of(variable)) if units else (1.0 if largest > 2000.0 else 100.0)
    if np.isfinite(largest) and not 3.0e4 < largest * factor < 1.2e5:
        raise InputError("pressure is not that of an atmosphere", place_of(variable),
                         f"typical surface value {largest:g} {units or '(no units)'}", "300 to 1200 hPa", "check the file's units")
    return factor


def fraction_in_ppm(variable: netCDF4.Variable, values: np.ndarray) -> np.ndarray:
    """CO2 mole fraction [ppm] by the variable's units, or, where it has none, by its size; checked to be CO2's."""
    return values * fraction_factor(variable, values)


def fraction_factor(variable: netCDF4.Variable, values: np.ndarray, units: str = "") -> float:
    """Factor to ppm of mole fractions, of which `values` are some, by `units` or else as `fraction_in_ppm`."""
    return co2_factor(values, units or units_of(variable), place_of(variable))


def co2_factor(values: np.ndarray, units: str, where: str) -> float:
    """Factor to ppm of CO2 mole fractions by the text of their units, or, if that is empty, by their size.

    Raises
    ------
    InputError
        For unknown units, or a median that is not 200 to 1500 ppm; `where` is the place named.
    """
    middle = np.nanmedian(values) if np.isfinite(values).any() else np.nan
    factor = _factor(FRACTION_UNITS, units, where) if units else (1.0e6 if abs(middle) < 0.1 else 1.0)
    if np.isfinite(middle) and not 200.0 < middle * factor < 1500.0:
        raise InputError("not a mole fraction of CO2", where, f"median {middle:g} {units or '(no units)'}",
                         "200 to 1500 ppm", "check the file's units and gas")
    return factor


def error_in_ppm(variable: netCDF4.Variable, values: np.ndarray) -> np.ndarray:
    """Uncertainty of a mole fraction [ppm] by the variable's units, or by its size."""
    return values * error_factor(variable, values)


def error_factor(variable: netCDF4.Variable, values: np.ndarray, units: str = "") -> float:
    """Factor to ppm of uncertainties, of which `values` are some, by `units` or else as `error_in_ppm`.

    Raises
    ------
    InputError
        For unknown units, or a size that no uncertainty of XCO2 has.
    """
    return uncertainty_factor(values, units or units_of(variable), place_of(variable))


def uncertainty_factor(values: np.ndarray, units: str, where: str) -> float:
    """Factor to ppm of uncertainties by the text of their units, or, if that is empty, by their size.

    Raises
    ------
    InputError
        For unknown units, or a size that no uncertainty of CO2 has; `where` is the place named.
    """
    middle = np.nanmedian(np.abs(values)) if np.isfinite(values).any() else np.nan
    factor = _factor(FRACTION_UNITS, units, where) if units else (1.0e6 if middle < 1.0e-4 else 1.0)
    if np.isfinite(middle) and middle > 0.0 and not 1.0e-5 < middle * factor < 100.0:
        raise InputError("not an uncertainty of a mole fraction of CO2", where, f"median {middle:g} {units or '(no units)'}",
                         "0.00001 to 100 ppm", "check the file's units")
    return factor


def units_of(variable: netCDF4.Variable) -> str:
    """The variable's units; "" where it has none."""
    return str(_attribute(variable, "units", "")).strip()


def attribute_text(variable: netCDF4.Variable) -> str:
    """All text attributes of a variable, long name first."""
    names = sorted(variable.ncattrs(), key=lambda name: name.lower() != "long_name")
    return " ".join(str(variable.getncattr(name)) for name in names if isinstance(variable.getncattr(name), str))


def _factor(table: dict[str, float], units: str, where: str) -> float:
    try:
        return table[units.lower().replace("\u00b5", "u").replace("\u03bc", "u")]
    except KeyError:
        raise InputError("unknown units", where, units, " or ".join(table)) from None


def _fill_codes(variable: netCDF4.Variable, name: str) -> list:
    """The attribute's numbers; a malformed one (text on a number) is passed over, as real Lite files carry such."""
    value = _attribute(variable, name, None)
    return [] if value is None or isinstance(value, (str, bytes)) else list(np.atleast_1d(value))


def _attribute(variable: netCDF4.Variable, name: str, default):
    return variable.getncattr(name) if name in variable.ncattrs() else default
