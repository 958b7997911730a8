"""From the namelist's localization to the analysis: radii by stream, Huber's weights, no localization."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest

from gcas_driver.assimilation import filtered
from gcas_driver.config import load
from gcas_driver.errors import SettingsError

NAMELIST = """&case name = 'unit' /
&time start = '2010-06-01', days = 7 /
&state members = 20 /
&analysis {analysis} /
&initial uniform_ppm = 388.0 /
&prior component = 'bio', directory = 'bio' /
&satellite product = 'acos_lite', name = 'gosat', directory = 'gosat' {satellite} /
&surface format = 'noaa_flask', name = 'flask', directory = 'flask' {surface} /
"""


@pytest.fixture
def settings_of(tmp_path):
    def make(analysis="", satellite="", surface=""):
        path = tmp_path / "case.nml"
        path.write_text(NAMELIST.format(analysis=analysis, satellite=satellite, surface=surface))
        return load(path)
    return make


class StandIn(SimpleNamespace):
    def __len__(self):
        return len(self.value)


def problem(members=20):
    """Six cells on the equator, 10 degrees apart; at the first a sounding and a flask."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((6, members))
    x += 1.0 - x.mean(axis=1, keepdims=True)
    hx = np.stack([x.sum(axis=0), x.sum(axis=0) + 0.1 * rng.standard_normal(members)])
    state = SimpleNamespace(lon=np.arange(6) * 10.0, lat=np.zeros(6), sign=np.zeros(6))
    supers = StandIn(lon=np.zeros(2), lat=np.zeros(2), product=np.array(["flask", "gosat"], object), time=np.arange(2.0),
                     value=hx.mean(axis=1) + 1.0, error=np.ones(2))
    return SimpleNamespace(x=x, state=state), SimpleNamespace(supers=supers), hx


def analysed(settings):
    log = logging.getLogger("test_localization_settings")
    prior, compared, hx = problem()
    return filtered(SimpleNamespace(settings=settings, reporter=SimpleNamespace(log=log)), prior, compared, hx), prior


def test_radii_are_those_of_the_analysis_unless_a_stream_has_its_own(settings_of):
    settings = settings_of(analysis="near_km = 300, far_km = 2000", surface=", far_km = 900")
    assert [(s.near_km, s.far_km) for s in (*settings.satellite, *settings.surface)] == [(300.0, 2000.0), (300.0, 900.0)]
    settings = settings_of()
    assert (settings.satellite[0].near_km, settings.surface[0].far_km) == (500.0, 3000.0)
    assert (settings.analysis.localize, settings.analysis.huber, settings.analysis.max_observations_by) == (True, 0.0, "nearest")


def test_near_beyond_far_is_named_with_stream_and_line(settings_of):
    with pytest.raises(SettingsError, match=r"line 8: .*'near_km' of stream 'flask'|'near_km' of stream 'flask'.*line 8") as caught:
        settings_of(surface=", far_km = 400")
    assert "500 and 400; what is not given is that of &analysis" in str(caught.value)
    assert len(caught.value.problems) == 1
    with pytest.raises(SettingsError) as caught:
        settings_of(analysis="near_km = 4000")
    assert len(caught.value.problems) == 1, "said once, not for every stream"


def test_every_super_observation_gets_its_streams_radii(settings_of):
    """0, 1112, 2224 km, …: the flask reaches one cell, the sounding three."""
    result, _ = analysed(settings_of(analysis="p_value = 1.0", satellite=", far_km = 2500", surface=", far_km = 1000"))
    assert result.n_local.tolist() == [2, 1, 1, 0, 0, 0]
    result, _ = analysed(settings_of(analysis="p_value = 1.0, max_observations = 1, max_observations_by = 'correlated'"))
    assert result.n_local.tolist() == [1, 1, 1, 0, 0, 0]


def test_without_localization_everything_is_updated_and_said(settings_of, caplog):
    with caplog.at_level(logging.INFO):
        result, prior = analysed(settings_of(analysis="localize = .false., near_km = 1.0, far_km = 2.0"))
    assert result.n_local.tolist() == [2] * 6 and (result.x != prior.x).all() and result.rejected_share == 0.0
    assert "not localized (localize = .false.)" in caplog.text and "0.23 with 20 members" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.INFO):
        analysed(settings_of())
    assert "not localized" not in caplog.text


def test_hubers_weights_are_passed_on(settings_of):
    plain, _ = analysed(settings_of())
    weighted, _ = analysed(settings_of(analysis="huber = 0.1"))
    far, _ = analysed(settings_of(analysis="huber = 5.0"))
    assert (plain.n_huber, weighted.n_huber, far.n_huber) == (0, 2, 0) and np.array_equal(far.x, plain.x)
    assert np.abs(weighted.mean - 1.0).sum() < np.abs(plain.mean - 1.0).sum()
