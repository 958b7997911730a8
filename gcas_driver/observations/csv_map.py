"""What is where in a table of samples: a map such as 'value=co2', from the namelist, or ICOS's own names.

The right side is the name of a column, `#NAME` for a header line "# NAME: …", or a number or word that holds for the whole file after
a colon, as in 'latitude=:45.9'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gcas_driver.errors import InputError

KEYS = ("value", "uncertainty", "flag", "site", "identifier", "latitude", "longitude", "altitude", "elevation", "intake_height", "time",
        "decimal_year", "seconds", "year", "month", "day", "hour", "minute", "second", "units", "scale")
ICOS = {"value": "co2", "flag": "Flag", "site": "Site", "intake_height": "SamplingHeight", "year": "Year", "month": "Month", "day": "Day",
        "hour": "Hour", "minute": "Minute", "decimal_year": "DecimalDate"}
OF_HEADER = {"site": "#STATION CODE", "latitude": "#LATITUDE", "longitude": "#LONGITUDE", "elevation": "#ALTITUDE",
             "intake_height": "#SAMPLING HEIGHTS", "units": "#MEASUREMENT UNIT", "scale": "#MEASUREMENT SCALE"}
"""Taken where the map says nothing and the file has such a line."""


@dataclass(frozen=True)
class ColumnMap:
    """Each key's place: the number of a column, or a text that holds for all rows.

    Attributes
    ----------
    columns : dict
        Key → column number.
    constants : dict
        Key → text.
    """

    columns: dict[str, int]
    constants: dict[str, str]

    def __contains__(self, key: str) -> bool:
        return key in self.columns or key in self.constants


def parse_map(entries: tuple[str, ...], where: str) -> dict[str, str]:
    """Key → right side, of entries such as "value=co2"; ICOS's names without any.

    Raises
    ------
    InputError
        For an entry of another form, an unknown key, or one given twice.
    """
    if not entries:
        return dict(ICOS)
    found: dict[str, str] = {}
    for entry in entries:
        key, equals, right = (part.strip() for part in entry.partition("="))
        if not equals or not right or key not in KEYS:
            raise InputError("not a column of a csv stream", where, entry, "one of " + ", ".join(KEYS) + ", then = and where it is",
                             "such as 'value=co2', 'latitude=#LATITUDE', 'altitude=:475'")
        if key in found:
            raise InputError("a column of a csv stream is given twice", where, entry, f"one {key}")
        found[key] = right
    return found


def resolve(wanted: Mapping[str, str], names: tuple[str, ...], header: Mapping[str, str], where: str) -> ColumnMap:
    """The places of a map's entries in a file.

    Parameters
    ----------
    wanted : mapping
        From `parse_map`.
    names : tuple of str
        Columns of the file.
    header : mapping
        Header lines, names in upper case → text.

    Raises
    ------
    InputError
        For an entry that the file has not, or a map without value, time or place.
    """
    columns: dict[str, int] = {}
    constants: dict[str, str] = {}
    lower = [name.lower() for name in names]
    for key, right in wanted.items():
        if right.startswith(":"):
            constants[key] = right[1:].strip()
        elif right.startswith("#"):
            name = right[1:].strip().upper()
            if name not in header:
                raise InputError(f"no header line {name}", where, ", ".join(sorted(header)) or "no header", f"# {name}: …",
                                 "correct the stream's columns")
            constants[key] = header[name]
        elif right in names or right.lower() in lower:
            place = names.index(right) if right in names else lower.index(right.lower())
            if [name.lower() for name in names].count(right.lower()) > 1:
                raise InputError("two columns of one name", where, right, "one")
            columns[key] = place
        else:
            raise InputError(f"no column {right}", where, "columns " + ", ".join(names), f"{right}, for {key}",
                             "set the stream's columns to what the file has")
    for key, right in OF_HEADER.items():
        if key not in columns and key not in constants and right[1:] in header:
            constants[key] = header[right[1:]]
    found = ColumnMap(columns, constants)
    missing = [key for key in ("value", "latitude", "longitude") if key not in found]
    if "altitude" not in found and not ("elevation" in found and "intake_height" in found):
        missing.append("altitude, or elevation and intake_height")
    if not any(key in columns for key in ("time", "decimal_year", "seconds")) and not {"year", "month", "day"} <= columns.keys():
        missing.append("time, decimal_year, seconds, or year, month and day")
    if missing:
        raise InputError("the map of columns lacks " + "; ".join(missing), where, "columns " + ", ".join(names) + "; header lines "
                         + (", ".join(sorted(header)) or "none"), "all of these", "add them to the stream's columns")
    return found
