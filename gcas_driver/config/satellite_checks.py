"""What the settings of satellite streams, and the maps of their variables, must obey together."""

from __future__ import annotations

from typing import Any

from ..errors import Problem


def satellite_checks(settings: Any) -> list[Problem]:
    """Every contradiction in the &satellite and &column_map groups."""
    maps = [group.name for group in settings.column_map]
    problems = [Problem(f"two &column_map groups are called '{group.name}'", group.where("name"), "", "different values of 'name'")
                for number, group in enumerate(settings.column_map) if group.name in maps[:number]]
    for stream in settings.satellite:
        problems += _map_of(stream, maps) + _bias(stream) + _scale(stream)
    for group in settings.column_map:
        problems += _map(group)
        if group.name not in [stream.map for stream in settings.satellite]:
            problems.append(Problem(f"no stream uses the map '{group.name}'", group.where("name"), "", "a &satellite group with it"))
    return problems


def _map_of(stream: Any, maps: list[str]) -> list[Problem]:
    if stream.product != "mapped":
        if stream.map:
            return [Problem("'map' in &satellite is for product 'mapped' only", stream.where("map"), f"product = '{stream.product}'",
                            "product = 'mapped'")]
        return []
    problems = []
    if stream.map not in maps:
        problems.append(Problem("a mapped product needs a map", stream.where("map"), f"map = '{stream.map}'",
                                "the 'name' of a &column_map group" + (", such as " + ", ".join(maps) if maps else "")))
    if not stream.file_pattern:
        problems.append(Problem("a mapped product needs the names of its files", stream.where(), "no 'file_pattern'",
                                "such as 'TanSat_{yyyymmdd}*.nc'"))
    return problems


def _bias(stream: Any) -> list[Problem]:
    lengths = [len(stream.bias_variables), len(stream.bias_slopes), len(stream.bias_means)]
    if len(set(lengths)) == 1:
        return []
    return [Problem("'bias_variables', 'bias_slopes' and 'bias_means' in &satellite differ in length", stream.where("bias_variables"),
                    ", ".join(map(str, lengths)), "one slope and one mean for each variable")]


def _scale(stream: Any) -> list[Problem]:
    if not stream.convert_scale:
        return []
    if stream.value_factor != 1.0 or stream.value_offset_ppm != 0.0:
        return [Problem("'convert_scale' and 'value_factor' or 'value_offset_ppm' in &satellite both change the values",
                        stream.where("convert_scale"), f"value_factor = {stream.value_factor:g}, "
                        f"value_offset_ppm = {stream.value_offset_ppm:g}", "one of them")]
    if stream.scale not in ("", stream.convert_scale):
        return [Problem("'scale' in &satellite is not the one that values are converted to", stream.where("scale"), f"'{stream.scale}'",
                        f"'{stream.convert_scale}', or no 'scale'")]
    return []


def _map(group: Any) -> list[Problem]:
    problems = []
    needed = {"cf": (1, 1), "components": (1, 7), "date_hour": (2, 2), "number": (1, 1), "text": (1, 1)}[group.time_form]
    if not needed[0] <= len(group.time) <= needed[1]:
        problems.append(Problem(f"'time' in &column_map does not fit time_form '{group.time_form}'", group.where("time"),
                                f"{len(group.time)} variables", f"{needed[0]}" + (f" to {needed[1]}" if needed[1] > needed[0] else "")))
    if not group.pressure and not (group.sigma and group.surface_pressure):
        problems.append(Problem("&column_map gives no pressure", group.where("pressure"), "no 'pressure'",
                                "'pressure', or 'sigma' and 'surface_pressure'"))
    if group.quality_rule and not group.quality:
        problems.append(Problem("'quality_rule' in &column_map has no flag to work on", group.where("quality_rule"), "no 'quality'",
                                "the name of the flag's variable in 'quality'"))
    if group.surface and not (group.land_values or group.ocean_values):
        problems.append(Problem("'surface' in &column_map has no values", group.where("surface"),
                                "neither 'land_values' nor 'ocean_values'", "one of them"))
    return problems
