"""Fluxes in the wrong place or of the wrong sign: `gcas check` warns."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest

from gcas_driver.check import check_case
from gcas_driver.config import load
from gcas_driver.fluxes.priors import PriorStream, annual_totals, placement_problems
from gcas_driver.fluxes.priors.placement import placements
from mozart_coupling import land
from mozart_coupling.grids import Grid

DAY = np.datetime64("2014-09-06")
LAT, LON = np.arange(-89.5, 90.0), np.arange(0.5, 360.0)
FRACTION = land.land_fraction(Grid.regular(360, 180))


def _field(component: str) -> np.ndarray:
    """(lat, lon), molecules cm-2 s-1: as a component lies, up to twice as strong in the north."""
    share = 1.0 - FRACTION if component == "ocn" else FRACTION
    return 1.0e12 * np.round(share) * (1.0 + 0.5 * np.sin(np.radians(LAT)))[:, None]


def _write(directory, component: str, values: np.ndarray) -> list[PriorStream]:
    (directory / component).mkdir()
    with netCDF4.Dataset(directory / component / f"emissions.{component}.20140906.nc", "w", format="NETCDF3_CLASSIC") as data:
        for name, size in (("time", 8), ("lat", 180), ("lon", 360)):
            data.createDimension(name, size)
        steps = np.arange(8)
        for name, kind, dims, content in (("lat", "f4", ("lat",), LAT), ("lon", "f4", ("lon",), LON), ("time", "i4", ("time",), steps + 1),
                                          ("date", "i4", ("time",), np.full(8, 20140906)),
                                          ("datesec", "i4", ("time",), 5400 + 10800 * steps),
                                          ("emissions", "f4", ("time", "lat", "lon"), values * np.linspace(0.5, 1.5, 8)[:, None, None])):
            data.createVariable(name, kind, dims)[...] = content
    return [PriorStream(component, "gcasv2", directory)]


@pytest.mark.parametrize("component", ["bio", "ocn", "fossil", "fire"])
def test_fluxes_in_their_place(tmp_path, component):
    streams = _write(tmp_path, component, _field(component))
    assert placement_problems(streams, DAY) == []
    place = placements(streams, DAY)[component]
    share, total = place.over_land / place.size, annual_totals(streams, DAY, DAY + 1)[2014][component]
    assert place.net == pytest.approx(total) and placements(streams, DAY.astype("datetime64[s]"))[component].net == pytest.approx(total)
    assert place.net == pytest.approx(place.size) and (share > 0.95 if component != "ocn" else share < 0.05)


@pytest.mark.parametrize("component", ["bio", "ocn", "fossil"])
@pytest.mark.parametrize("turn", [lambda x: x[::-1], lambda x: np.roll(x, 180, axis=1), lambda x: x[:, ::-1]],
                         ids=["south up", "from the date line", "mirrored"])
def test_fluxes_out_of_place(tmp_path, component, turn):
    (problem,) = placement_problems(_write(tmp_path, component, turn(_field(component))), DAY)
    assert problem.severity == "warning" and ("sea" if component == "ocn" else "land") in problem.what and "mirrored" in problem.advice


@pytest.mark.parametrize("component, factor, words", [("fossil", -1.0, "positive = 'down'"), ("fire", -1.0, "positive = 'down'"),
                                                      ("bio", -1.0, None), ("bio", 0.0, "neither carried nor optimised")])
def test_signs_and_zeros(tmp_path, component, factor, words):
    found = placement_problems(_write(tmp_path, component, factor * _field(component)), DAY)
    assert [p.severity for p in found] == ["warning"] * (words is not None)
    assert not words or words in found[0].advice


def test_the_check_tells_them(tmp_path):
    _write(tmp_path, "bio", _field("bio")[::-1])
    (tmp_path / "case.nml").write_text(
        "&case name = 'place' /\n&time start = '2014-09-06', days = 1 /\n&state members = 4 /\n&initial uniform_ppm = 397.0 /\n"
        "&prior component = 'bio', directory = '.' /\n&transport grid = '24x12', levels = 6 /\n")
    result = check_case(load(tmp_path / "case.nml"))
    assert result.errors == [] and any("over land" in p.what for p in result.problems)


def test_a_user_without_a_home(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(land.Path, "home", homeless)
    path = land._cache_file()
    assert land._cached_counts(path) is None
    land._store(path, np.zeros((2, 2), dtype=np.uint8))  # nothing is kept, nothing fails
