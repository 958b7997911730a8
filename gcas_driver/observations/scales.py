"""Calibration scales: kept with each product, never mixed in silence.

X2019 = 1.00079 X2007 - 0.142 ppm is the field's relation, for XCO2 and surface air alike: a stream is converted with
its `value_factor` and `value_offset_ppm`, and says with `scale` what came out.
"""

from __future__ import annotations

from collections.abc import Mapping

from gcas_driver.errors import Problem
from gcas_driver.observations.streams import SatelliteStream, SurfaceStream

SCALES = ("X2007", "X2019")


def unchanged(stream: SatelliteStream | SurfaceStream) -> bool:
    """Whether the stream leaves the values, and with them their scale, as the file has them."""
    return stream.value_factor == 1.0 and stream.value_offset_ppm == 0.0


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
