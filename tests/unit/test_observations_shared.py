"""Two streams that read the same observations."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
from formats import lite
from formats.sounding_numbers import make_soundings
from generators.observation_files import write_flasks

from gcas_driver.observations import SurfaceStream, read_streams

DAY = np.datetime64("2016-04-04")


@pytest.fixture
def soundings(tmp_path):
    """A stream of 40 soundings."""
    lite.write_lite(tmp_path / lite.DIALECTS["oco2_lite_v11"].name(DAY), make_soundings(40, str(DAY)), "oco2_lite_v11")
    return lite.stream_of(tmp_path, "oco2_lite_v11", missing_days=False)


def _warnings(streams, caplog) -> list[str]:
    caplog.clear()
    with caplog.at_level(logging.WARNING, "gcas_driver.observations"):
        read_streams(streams, DAY, DAY + 1)
    return [record.getMessage() for record in caplog.records if "by time and place" in record.getMessage()]


@pytest.mark.parametrize("changes, words", [
    ({}, "40 observations of 'oco2_lite_v11' are those of 'again' too, by time and place: they count twice"),
    ({"assimilate": False}, "they test nothing"),
    ({"value_factor": 1.00079, "value_offset_ppm": -0.142, "scale": "X2007", "error_factor": 3.0}, "count twice")])
def test_the_same_soundings_in_two_streams(soundings, caplog, changes, words):
    (told,) = _warnings([soundings, replace(soundings, product="again", **changes)], caplog)
    assert words in told


def test_streams_of_their_own_say_nothing(soundings, caplog):
    assert _warnings([soundings], caplog) == []
    halves = [replace(soundings, product=name, surface=name) for name in ("land", "ocean")]
    assert _warnings(halves, caplog) == []


def _flasks(path, hours: float = 0.0, altitude: float = 3437.0) -> None:
    path.parent.mkdir(exist_ok=True)
    write_flasks(path, [(str(np.datetime64(DAY, "s") + int(3600 * (3 * i + hours))), 400.0 + i, "...", altitude, i) for i in range(5)])


def test_a_pattern_that_takes_in_the_others_files(tmp_path, caplog):
    _flasks(tmp_path / "a.txt")
    _flasks(tmp_path / "b.txt", hours=1.0)
    streams = [SurfaceStream("all", tmp_path, files=("*.txt",)), SurfaceStream("b", tmp_path, files=("b*.txt",))]
    assert "5 observations of 'all' are those of 'b' too" in " ".join(_warnings(streams, caplog))
    assert _warnings([replace(streams[0], files=("a*.txt",)), streams[1]], caplog) == []


def test_samples_at_other_heights_or_a_few_by_chance_are_not_the_same(tmp_path, caplog):
    _flasks(tmp_path / "low" / "a.txt")
    _flasks(tmp_path / "high" / "a.txt", altitude=3537.0)
    _flasks(tmp_path / "later" / "a.txt", hours=9.0)  # two of five coincide
    assert _warnings([SurfaceStream(name, tmp_path / name, files=("*.txt",)) for name in ("low", "high", "later")], caplog) == []
