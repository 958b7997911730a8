"""What each source calls the contract's fields, in the order of preference, and how its numbers become the contract's.

ECMWF counts fluxes positive downward and accumulates them (J m-2, N m-2 s, m of water); the contract wants upward rates of heat and
vapour, the stress that the wind exerts on the surface (eastward positive in both), and top-first levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mozart_coupling.errors import MetError

LATENT_HEAT = 2.5008e6  # J kg-1, of vaporization at 0 degrees C, the IFS's own
WATER = 1000.0  # kg m-3

Kind = Literal["instant", "accumulated", "mean", "static"]


@dataclass(frozen=True)
class Option:
    """One way to a field.

    Attributes
    ----------
    names
        What the variable is called; upper and lower case are the same.
    kind
        "instant": at its time; "accumulated": an amount; "mean": over an interval; "static": any time.
    factor
        From the source's unit (for accumulations: per second) to the contract's.
    units
        Expected; those of UNITS that differ by a factor are converted. "": the contract's range is check enough.
    """

    names: tuple[str, ...]
    kind: Kind = "instant"
    factor: float = 1.0
    units: str = ""

    @property
    def text(self) -> str:
        """For a list of what is needed."""
        return "|".join(self.names)


@dataclass(frozen=True)
class Product:
    """A source: its fields, and how it counts time.

    Attributes
    ----------
    accumulation_hours
        An accumulation covers the hours before its time; or, with `forecast_hours`, it counts from the start of the forecast.
    forecast_hours
        Between two starts of forecasts (00 UTC is one), or None.
    centred
        Means are dated at the middle of their interval, which is the spacing of their dates.
    n_levels
        Of the model, for files without coefficients.
    """

    title: str
    fields: dict[str, tuple[Option, ...]]
    land: tuple[Option, ...]
    land_ice: tuple[Option, ...]
    sea_ice: tuple[Option, ...]
    n_levels: int
    accumulation_hours: int = 1
    forecast_hours: int | None = None
    centred: bool = False


def _one(*names: str, kind: Kind = "instant", factor: float = 1.0, units: str = "") -> tuple[Option, ...]:
    return (Option(names, kind, factor, units),)


def _flux(accumulated: str, means: tuple[str, ...], instant: str, factor: float = 1.0) -> tuple[Option, ...]:
    """A surface flux of the IFS: accumulated, mean rate, instantaneous."""
    return (Option((accumulated,), "accumulated", factor), Option(means, "mean", factor), Option((instant,), "instant", factor))


ECMWF_FIELDS: dict[str, tuple[Option, ...]] = {
    "T": _one("t", units="K"), "U": _one("u", units="m s-1"), "V": _one("v", units="m s-1"), "Q": _one("q", units="kg kg-1"),
    "PS": (Option(("sp",), units="Pa"), Option(("lnsp",))),
    "PHIS": _one("z", kind="static"),
    "TS": (Option(("skt",), units="K"), Option(("t2m", "2t"), units="K")),
    "TAUX": _flux("ewss", ("avg_iews", "metss"), "iews"), "TAUY": _flux("nsss", ("avg_inss", "mntss"), "inss"),
    "SHFLX": _flux("sshf", ("avg_ishf", "msshf"), "ishf", -1.0),
    "QFLX": (Option(("e",), "accumulated", -WATER), Option(("avg_ie", "mer"), "mean", -1.0), Option(("ie",), "instant", -1.0),
             Option(("slhf",), "accumulated", -1.0 / LATENT_HEAT), Option(("avg_slhtf", "mslhf"), "mean", -1.0 / LATENT_HEAT)),
    "FSDS": (Option(("ssrd",), "accumulated"), Option(("avg_sdswrf", "msdwswrf"), "mean")),
    "ALB": _one("fal", "al"), "SNOWH": _one("sd"), "SOILW": _one("swvl1"), "PBLH": _one("blh"),
}

GEOS_FIELDS: dict[str, tuple[Option, ...]] = {
    "T": _one("T", units="K"), "U": _one("U", units="m s-1"), "V": _one("V", units="m s-1"), "Q": _one("QV", units="kg kg-1"),
    "PS": _one("PS", units="Pa"), "PHIS": _one("PHIS", kind="static"), "TS": _one("TS", "TSH", units="K"),
    "TAUX": _one("TAUX"), "TAUY": _one("TAUY"), "SHFLX": _one("HFLUX"),
    "QFLX": (Option(("EVAP",)), Option(("EFLUX",), factor=1.0 / LATENT_HEAT)),
    "FSDS": _one("SWGDN"), "ALB": _one("ALBEDO"), "SNOWH": _one("SNOMAS", factor=1.0 / WATER), "SOILW": _one("GWETTOP"),
    "PBLH": _one("PBLH"), "CMFMC": _one("CMFMC"), "DELP": _one("DELP", units="Pa"),
}

PRODUCTS = {
    "era5": Product("ERA5", ECMWF_FIELDS, _one("lsm", kind="static"), (), _one("siconc", "ci"), 137),
    "era-interim": Product("ERA-Interim", ECMWF_FIELDS, _one("lsm", kind="static"), (), _one("ci", "siconc"), 60, forecast_hours=12),
    "geos": Product("GEOS (MERRA-2, GEOS-FP)", GEOS_FIELDS, _one("FRLAND", kind="static"),
                    _one("FRLANDICE", "FRLANDIC", kind="static"), _one("FRSEAICE"), 72, centred=True),
}

FILLED_WITH_ZERO = frozenset({"ALB", "SNOWH", "SOILW", "sea ice"})
"""Fields that some sources leave out at sea or over land."""

_K, _SPEED, _HUMIDITY, _PRESSURE = {"k": 1.0, "kelvin": 1.0}, {}, {}, {}
for _text in ("m s**-1", "m s-1", "m/s", "m s^-1"):
    _SPEED[_text] = 1.0
for _text in ("kg kg**-1", "kg kg-1", "kg/kg", "1", "kg kg^-1"):
    _HUMIDITY[_text] = 1.0
for _text in ("g kg**-1", "g kg-1", "g/kg"):
    _HUMIDITY[_text] = 1.0e-3
for _text, _factor in (("pa", 1.0), ("hpa", 100.0), ("mb", 100.0), ("mbar", 100.0), ("millibar", 100.0), ("millibars", 100.0)):
    _PRESSURE[_text] = _factor
UNITS: dict[str, dict[str, float]] = {"K": _K, "m s-1": _SPEED, "kg kg-1": _HUMIDITY, "Pa": _PRESSURE}


def unit_factor(expected: str, found: str, where: str) -> float:
    """What turns a file's unit into the expected one; 1 if either says nothing.

    Raises
    ------
    MetError
        A unit that is known to be no other name or multiple of the expected one.
    """
    if not expected or not found.strip():
        return 1.0
    known = UNITS[expected]
    text = found.strip().lower()
    if text not in known:
        raise MetError("a field has other units", where, repr(found), f"{expected} ({', '.join(known)})")
    return known[text]
