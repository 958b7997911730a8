"""Settings of satellite streams and of maps: defaults by product, contradictions told with their line, from namelist to table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from formats import columns_mapped, mip
from formats.sounding_numbers import make_soundings

from gcas_driver.config import load
from gcas_driver.config.document import page, resolved_namelist
from gcas_driver.config.satellite_products import PRODUCTS
from gcas_driver.errors import SettingsError
from gcas_driver.observations import check_streams, read_streams
from gcas_driver.observations.streams import streams_from

REST = """&case name = 'unit' /
&time start = '2017-05-03', days = 1, window_days = 1 /
&initial uniform_ppm = 400 /
&prior component = 'bio', directory = 'prior' /
"""


def settings_of(directory: Path, text: str):
    path = directory / "case.nml"
    path.write_text(REST + text)
    return load(path)


@pytest.mark.parametrize("product", [p for p in PRODUCTS if p != "mapped"])
def test_defaults_by_product_reach_the_stream(tmp_path, product):
    stream, = streams_from(settings_of(tmp_path, f"&satellite product = '{product}', directory = 'x' /"))
    expected = PRODUCTS[product]
    for name in ("error_factor", "quality_flag", "cell_degrees", "error_variables"):
        assert getattr(stream, name) == getattr(expected, name)
    assert f"`{product}`" in page()


def test_given_settings_win_and_survive_the_resolved_namelist(tmp_path):
    settings = settings_of(tmp_path, "&satellite product = 'oco2_mip', directory = 'x', error_variables = '', error_factor = 1.5, "
                                     "quality_flag = -1, bias_variables = 'dp', bias_slopes = 0.3, bias_means = 1.0 /")
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "settings.nml").write_text(resolved_namelist(settings))
    first, again = (streams_from(s)[0] for s in (settings, load(tmp_path / "again" / "settings.nml")))
    assert first.error_variables == () and first.error_factor == 1.5 and first.quality_flag == -1 and first.bias_slopes == (0.3,)
    for name in ("error_variables", "error_factor", "quality_flag", "cell_degrees", "bias_variables", "bias_means"):
        assert getattr(first, name) == getattr(again, name)


MAP = "&satellite product = 'mapped', map = 'm', file_pattern = 'a_{yyyymmdd}.nc', directory = 'x' /\n"


@pytest.mark.parametrize("text, line, words", [
    ("&satellite product = 'acos_lite', directory = 'x', map = 'm' /", 5, "for product 'mapped' only"),
    ("&satellite product = 'mapped', directory = 'x', file_pattern = 'a' /", 5, "needs a map"),
    ("&satellite product = 'mapped', directory = 'x', map = 'm' /\n&column_map name = 'm' /", 5, "needs the names of its files"),
    ("&satellite product = 'oco2_lite', directory = 'x', bias_variables = 'a', 'b', bias_slopes = 1.0, bias_means = 0.0, 0.0 /", 5,
     "2, 1, 2"),
    ("&satellite product = 'oco2_lite', directory = 'x', convert_scale = 'X2019', value_factor = 1.00079 /", 5, "one of them"),
    ("&satellite product = 'oco2_lite', directory = 'x', convert_scale = 'X2019', scale = 'X2007' /", 5, "not the one that values are"),
    ("&satellite product = 'oco2_light', directory = 'x' /", 5, "did you mean 'oco2_lite'?"),
    (MAP + "&column_map name = 'm' /\n&column_map name = 'm' /", 7, "two &column_map groups"),
    (MAP + "&column_map name = 'm' /\n&column_map name = 'n' /", 7, "no stream uses the map 'n'"),
    (MAP + "&column_map name = 'm', time_form = 'date_hour' /", 6, "does not fit time_form"),
    (MAP + "&column_map name = 'm', pressure = '' /", 6, "gives no pressure"),
    (MAP + "&column_map name = 'm', quality_rule = '== 1' /", 6, "no flag to work on"),
    (MAP + "&column_map name = 'm', quality = 'q', quality_rule = 'is good' /", 6, "a comparison and a number"),
    (MAP + "&column_map name = 'm', surface = 's' /", 6, "has no values")])
def test_contradictions(tmp_path, text, line, words):
    with pytest.raises(SettingsError) as caught:
        settings_of(tmp_path, text)
    problem, = caught.value.problems
    assert f"line {line}" in problem.where and words in str(problem)


def test_from_a_namelist_to_the_table(tmp_path):
    """A stream by a map and one of averages, side by side, as a user writes them; both are checked and read."""
    (tmp_path / "tansat").mkdir(), (tmp_path / "mip").mkdir()
    s = make_soundings(20, str(columns_mapped.DAY))
    columns_mapped.write_mapped(columns_mapped.file_of(tmp_path / "tansat", "tansat"), s, "tansat")
    averages, more = mip.make_averages(20)
    averages.time += (columns_mapped.DAY - mip.START).astype(int) * 86400.0
    averages.time = np.minimum(averages.time, averages.time.min() // 86400.0 * 86400.0 + 86399.0)
    mip.write_mip(tmp_path / "mip" / mip.DIALECTS["oco2_mip_v11"].file, averages, more, "oco2_mip_v11")
    lines = "\n".join(f"  {name} = {', '.join(repr(v) for v in (value if isinstance(value, tuple) else (value,)))}"
                      for name, value in columns_mapped.MAPS["tansat"].items())
    settings = settings_of(tmp_path, f"""
&satellite product = 'mapped', map = 'tan', name = 'tansat', directory = 'tansat', file_pattern = 'TanSat_XCO2_{{yyyymmdd}}.h5',
  scale = 'X2019', surface = 'land' /
&column_map name = 'tan'
{lines}
/
&satellite product = 'oco2_mip', directory = 'mip', convert_scale = 'X2019', withheld_flag = 2 /
""")
    streams = streams_from(settings)
    assert check_streams(streams, settings.time.start, settings.time.end) == []
    table = read_streams(streams, settings.time.start, settings.time.end)
    assert np.count_nonzero(table.product == "tansat") == np.count_nonzero(s.mode == 0)
    assert np.count_nonzero(table.used & (table.product == "oco2_mip")) == np.count_nonzero(more.flag == 1)
    assert table.scale == {"tansat": "X2019", "oco2_mip": "X2019"}
    found = np.sort(table.value[table.product == "oco2_mip"])
    np.testing.assert_allclose(found, np.sort(1.00079 * averages.xco2[more.flag > 0] - 0.142), rtol=1e-6)
