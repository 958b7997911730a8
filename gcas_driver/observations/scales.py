"""Calibration scales: kept with each product, never mixed in silence.

X2019 = 1.00079 X2007 - 0.142 ppm is the field's relation, for XCO2 and surface air alike: a stream is converted with `convert_scale`, or
with its `value_factor` and `value_offset_ppm` and says with `scale` what came out.
"""

from __future__ import annotations

from collections.abc import Mapping

from gcas_driver.errors import InputError, Problem
from gcas_driver.observations.column_source import ColumnSource
from gcas_driver.observations.streams import ColumnStream, SatelliteStream, SurfaceStream

SCALES = ("X2007", "X2019")
TO_X2019 = (1.00079, -0.142)
"""X2019 = factor * X2007 + offset [1, ppm]."""
CONVERSIONS = {("X2007", "X2019"): TO_X2019, ("X2019", "X2007"): (1.0 / TO_X2019[0], -TO_X2019[1] / TO_X2019[0])}


def unchanged(stream: SatelliteStream | ColumnStream | SurfaceStream) -> bool:
    """Whether the stream leaves the values, and with them their scale, as the file has them."""
    return stream.value_factor == 1.0 and stream.value_offset_ppm == 0.0


def converted(source: ColumnSource, stream: SatelliteStream) -> tuple[str, float, float]:
    """The scale on which the stream's values come out of the file, and the factor and offset [ppm] that bring them there.

    Raises
    ------
    InputError
        If the settings contradict what the file says of itself, or a conversion is asked for and the file says nothing.
    """
    where = f"{source.path} (product {stream.product})"
    if stream.convert_scale:
        if not source.scale:
            raise InputError(f"values cannot be converted to {stream.convert_scale}: the file does not say their scale", where, "no scale",
                             " or ".join(SCALES), "set value_factor, value_offset_ppm and scale of the stream instead of convert_scale")
        return stream.convert_scale, *CONVERSIONS.get((source.scale, stream.convert_scale), (1.0, 0.0))
    if unchanged(stream):
        if stream.scale in SCALES and source.scale_stated and source.scale != stream.scale:
            raise InputError("the stream's scale is not that of the file", where, f"the file says {source.scale}", stream.scale,
                             f"set convert_scale = '{stream.scale}' of the stream, or read another value_variable")
        return stream.scale or source.scale or "unknown", 1.0, 0.0
    if source.scale == "X2019" and abs(stream.value_factor - TO_X2019[0]) < 1e-5 and abs(stream.value_offset_ppm - TO_X2019[1]) < 1e-3:
        raise InputError("values would be converted to X2019 twice", where, "the file says X2019 already", "values on X2007",
                         "remove value_factor and value_offset_ppm of the stream")
    return stream.scale or "unknown", stream.value_factor, stream.value_offset_ppm


def scale_problems(scale: Mapping[str, str]) -> list[Problem]:
    """What is wrong with the scales of the products of a run: mixed ones are an error, unknown ones a warning."""
    problems = []
    known = {product: name for product, name in scale.items() if name in SCALES}
    if len(set(known.values())) > 1:
        problems.append(Problem("products on different calibration scales",
                                "observations", ", ".join(f"{p} {s}" for p, s in sorted(known.items())), "one scale",
                                "set value_factor, value_offset_ppm and scale of the streams"))
    unknown = sorted(product for product, name in scale.items() if name not in SCALES)
    if unknown and len(scale) > 1:
        problems.append(Problem("calibration scale unknown", "observations", ", ".join(unknown), " or ".join(SCALES),
                                "set scale of the streams", severity="warning"))
    return problems


def scale_named_in(text: str) -> str:
    """The scale that a text names first, or ""."""
    places = {name: text.upper().find(name) for name in SCALES}
    named = [name for name in SCALES if places[name] >= 0]
    return min(named, key=places.get) if named else ""
