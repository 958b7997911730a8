"""The page "The filters as a library" runs as it stands, and prints what it says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from gcas_driver.analysis import Localization, diagnose, ensrf, letkf
from gcas_driver.errors import InputError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "user" / "library.md"


def test_the_blocks_run_in_turn_and_print_what_the_page_shows(capsys):
    names = {}
    shown = 0
    for language, block in re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        if language == "python":
            exec(compile(block, str(PAGE), "exec"), names)
            printed = capsys.readouterr().out
        else:
            assert printed == block
            shown += 1
    assert shown >= 4
    # What the page says in words of 60 members.
    sixty = names["letkf"](names["np"].stack([names["x"][names["regions"] == k].mean(axis=0) for k in range(6)]), names["hx"], names["y"],
                           names["r"], localization=(names["rho"], names["rho_observations"]))
    wrong = sixty.mean - [names["truth"][names["regions"] == k].mean() for k in range(6)]
    assert round(float(sixty.x.std(axis=1, ddof=1).mean()), 2) == 0.05 and round(float(abs(wrong).max()), 2) == 0.34


def test_what_a_session_shows_is_short_and_says_the_rules():
    rng = np.random.default_rng(2)
    lon, lat = rng.uniform(-180.0, 180.0, 4), rng.uniform(-90.0, 90.0, 4)
    localization = Localization(lon, lat, lon, lat, far_km=[600.0, 700.0, 800.0, 900.0], max_observations=2)
    assert repr(localization) == ("Localization(4 parameters, 4 observations, near_km=500, far_km=600 to 900, p_value=0.05, sign=True, "
                                  "parameter_sign=None, taper=None, max_observations=2, max_observations_by='nearest')")
    x = rng.standard_normal((4, 9))
    result = letkf(x, x, np.array([0.0, 0.0, 0.0, 1e6]), np.ones(4), localization=localization, gross=5.0)
    assert "3 of 4 observations assimilated" in repr(result) and len(repr(result)) < 200
    table = str(diagnose(np.zeros(4), x, result, groups={"site": ["b", "a", "a", "b"]})).splitlines()
    assert [line.split()[0] for line in table] == ["number", "all", "site:a", "site:b"]
    assert [line.split()[1] for line in table[1:]] == ["3", "2", "1"]


@pytest.mark.parametrize("call, words", [
    (lambda d: d.of("chi"), "no such name"), (lambda d: d.of("chi2", "site:x"), "no such group")])
def test_an_unknown_figure_is_named_with_the_known_ones(call, words):
    x = np.random.default_rng(3).standard_normal((4, 9))
    figures = diagnose(np.zeros(4), x, letkf(x, x, np.zeros(4), np.ones(4), localization=None))
    with pytest.raises(InputError, match=words) as caught:
        call(figures)
    assert caught.value.expected.startswith(("number, ", "all"))


def test_errors_say_what_a_newcomer_needs():
    x = np.random.default_rng(4).standard_normal((4, 9))
    with pytest.raises(InputError, match=r"expected: \(4,\): a variance for each observation; covariances are given by r_blocks"):
        ensrf(x, x, np.zeros(4), np.eye(4), localization=None)
    with pytest.raises(InputError, match="the observations of y, the members of x"):
        ensrf(x.T, x, np.zeros(4), np.ones(4), localization=None)
    with pytest.raises(InputError, match="near_km is greater than far_km; found: 500 and 100 km"):
        Localization([0.0], [0.0], [0.0], [0.0], far_km=100.0)
    with pytest.raises(InputError, match="kind -> labels"):
        diagnose(np.zeros(4), x, ensrf(x, x, np.zeros(4), np.ones(4), localization=None), groups=["a"] * 4)
