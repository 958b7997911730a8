"""The page: every figure in it, nothing outside of it, and no case that it cannot show."""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from generators import case_directory as maker

from gcas_driver.cli import main
from gcas_driver.evaluation.summary import evaluate
from gcas_driver.report import maps, page, style
from gcas_driver.report.key_numbers import whole
from gcas_driver.report.page import context, number, signed, write_report
from mozart_coupling.grids import Grid

ANALYSIS = {"diagnostics", "errors", "ranks", "signal"}
ALL = {"coverage", "bias", "histograms", "sites", "maps", "regions", "aggregates", "series", "spread"} | ANALYSIS
VOID = {"meta", "img", "br", "link"}


class Checker(HTMLParser):
    """Collects figures and links, and insists that tags are closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.figures, self.addresses, self.anchors, self.text = [], {}, [], set(), []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors.add(attributes.get("id"))
        self.addresses += [attributes[k] for k in ("src", "href") if k in attributes]
        if tag == "figure":
            self.current = attributes["id"].removeprefix("figure-")
        if tag == "img":
            self.figures[self.current] = base64.b64decode(attributes["src"].split(",", 1)[1])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(path):
    page = Checker()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    assert page.open == []
    return page


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    directory = maker.make_case(tmp_path_factory.mktemp("full"), maker.CaseOptions(title="Été <2010> & 碳"))
    return read(write_report(directory))


def test_all_figures_are_pictures_of_some_size(full):
    assert set(full.figures) == ALL
    for name, image in full.figures.items():
        assert image[:8] == b"\x89PNG\r\n\x1a\n", name
        width, height = (int.from_bytes(image[i:i + 4], "big") for i in (16, 20))
        assert width >= 1000 and height >= 250, name


def test_needs_nothing_else(full):
    for address in full.addresses:
        assert address.startswith(("data:image/png;base64,", "#")), address[:80]
        assert not address.startswith("#") or address[1:] in full.anchors


def test_says_what_was_run(full):
    text = " ".join(full.text)
    for part in ("Été <2010> & 碳", "2010-06-01 to 2010-06-03", "BIO, OCN", "Eurasia Temperate", "noise-free", "acos_lite", "87.0 %",
                 "&case"):
        assert part in text, part
    assert not re.search(r"\bnan\b|None|Undefined", text)


@pytest.mark.parametrize(("change", "missing"), [
    ({"soundings": 0, "flasks": 0, "truth": False}, {"coverage", "bias", "histograms", "sites"} | ANALYSIS),
    ({"withheld": False, "windows": 1, "truth": False}, {"sites"}),
    ({"soundings": 0, "windows": 1}, {"coverage"} | ANALYSIS)])
def test_parts_may_be_missing(tmp_path, monkeypatch, change, missing):
    monkeypatch.setattr(style, "DPI", 30)
    page = read(write_report(maker.make_case(tmp_path / "Fall — ü", replace(maker.CaseOptions(), **change))))
    assert set(page.figures) == ALL - missing
    assert not re.search(r"\bnan\b|None|Undefined", " ".join(page.text))


def test_columns_of_stations(tmp_path, monkeypatch):
    monkeypatch.setattr(style, "DPI", 30)
    page = read(write_report(maker.make_case(tmp_path / "tccon", maker.CaseOptions(stations=3, soundings=20))))
    text = " ".join(page.text)
    assert set(page.figures) == ALL | {"columns"} and "XCO₂ from the ground (TCCON), independent" in text
    assert "6 columns of TCCON" in text and not re.search(r"\bnan\b|None|Undefined", text)


def test_again_and_without_figures(tmp_path):
    directory = maker.make_case(tmp_path / "c", maker.CaseOptions(windows=1, truth=False, evaluate_from="2011-01-01"))
    with open(directory / "settings.nml", "a") as stream:
        stream.write("&report\n  figures = .false.\n/\n")
    for _ in range(2):
        page = read(write_report(directory))
    assert page.figures == {} and "No window counts yet" in " ".join(page.text)
    assert [p.name for p in (directory / "report").iterdir()] == ["index.html"]


def test_numbers():
    assert (number(None), number(-1.234), signed(2.0), signed(-0.5, 1)) == ("–", "−1.23", "+2.00", "−0.5")


@pytest.mark.parametrize(("value", "rounded"), [(0.0, 1.0), (0.9, 1.0), (1.01, 1.5), (2.5, 3.0), (730.0, 800.0), (1e-9, 1e-9)])
def test_round_limits(value, rounded):
    assert style.round_up(value) == pytest.approx(rounded)


def test_limits_are_symmetric_and_survive_zero_and_nan():
    assert style.symmetric_limit([np.zeros(5)]) == 1.0
    assert style.symmetric_limit([np.array([np.nan, -4.0, 1.0])]) == 4.0
    assert style.symmetric_limit([]) == 1.0


def test_projection_keeps_areas():
    # Equal areas on the sphere are equal areas on the map: the shoelace area of small cells at several latitudes.
    areas = []
    for lat in (-75.0, -40.0, 0.0, 33.0, 80.0):
        lon, lats = np.array([10.0, 11.0, 11.0, 10.0]), np.array([lat, lat, lat + 0.5, lat + 0.5])
        x, y = maps.project(lon, lats)
        shoelace = 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
        areas.append(shoelace / (np.deg2rad(1.0) * np.diff(np.sin(np.deg2rad(lats[1:3])))[0]))
    np.testing.assert_allclose(areas, areas[0], rtol=1e-3)


def test_pixels_lie_where_projection_puts_them():
    lon, lat, (half_width, half_height) = maps._pixels()
    rows, columns = np.nonzero(np.isfinite(lon))
    x, y = maps.project(lon[rows, columns], lat[rows, columns])
    n_rows, n_columns = lon.shape
    np.testing.assert_allclose(x, half_width * ((2 * columns + 1) / n_columns - 1), atol=1e-6)
    np.testing.assert_allclose(y, half_height * (1 - (2 * rows + 1) / n_rows), atol=1e-6)


def test_look_up_finds_the_cell_on_any_longitude_convention():
    for first in (0.0, -180.0):
        grid = Grid.regular(36, 18, lon_first=first)
        rows, columns, inside = maps._lookup(grid)
        lon, lat, _ = maps._pixels()
        far = np.abs((grid.lon[columns] - lon + 180.0) % 360.0 - 180.0)[inside]
        assert far.max() <= 5.0 + 1e-9 and np.abs(grid.lat[rows] - lat)[inside].max() <= 5.0 + 1e-9


def test_coastlines_cover_the_continents():
    lines = maps.coastlines()
    points = np.concatenate(lines)
    assert 40 < len(lines) < 3000 and len(points) > 5000
    for place in ((-9.5, 38.7), (18.4, -34.2), (151.3, -33.9), (-70.2, -20.2)):  # Lisbon, Cape Town, Sydney, Iquique
        x, y = maps.project(np.array(place[0]), np.array(place[1]))
        assert np.hypot(points[:, 0] - x, points[:, 1] - y).min() < 0.02


def test_sites_with_most_samples_spread_over_latitude():
    from gcas_driver.report.observation_figures import MAX_SITES, _sites_to_show

    class Table:
        site = np.array([f"s{i:02d}" for i in range(30)] + ["s07"], dtype=object)
        lat = np.concatenate([np.linspace(-80.0, 80.0, 30), [np.linspace(-80.0, 80.0, 30)[7]]])

    shown = _sites_to_show(Table)
    assert len(shown) == len(set(shown)) == MAX_SITES
    assert "s07" in shown and shown[0] == "s29" and shown[-1] == "s00"


@pytest.fixture
def unreal(tmp_path):
    """A case without a truth and without figures, and what its settings say."""
    directory = maker.make_case(tmp_path / "case", maker.CaseOptions(truth=False, days=2))
    with open(directory / "settings.nml", "a", encoding="utf-8") as stream:
        stream.write("&report\n  figures = .false.\n/\n")
    return directory, directory / "settings.nml"


def _facts(directory):
    shown = context(evaluate(directory))
    return " ".join(shown["caveats"]), dict(shown["facts"])


def test_winds_that_are_not_real_are_said(unreal):
    directory, settings = unreal
    said, facts = _facts(directory)
    assert "winds are not those of these days" in said and facts["Transport"] == "embedded, analytic circulation"
    with_met = settings.read_text() + "&transport\n  met_directory = '../era5'\n/\n"
    for text, transport in ((with_met, "embedded, meteorology from era5"),
                            (with_met.replace("met_dir", "model = 'command'\n  command = 'mpirun', './mz4_mpi'\n  met_dir"),
                             "mpirun ./mz4_mpi, meteorology from era5")):
        settings.write_text(text)
        said, facts = _facts(directory)
        assert said == "" and facts["Transport"] == transport


def test_a_synthetic_experiment_may_have_such_winds(full):
    assert "winds are not" not in " ".join(full.text)


@pytest.mark.parametrize("new, planned", [("days = 8", 4), ("days = 5", 3), ("end = '2010-06-10'", 5)])
def test_a_run_that_is_not_finished_says_so(unreal, new, planned):
    directory, settings = unreal
    text = settings.read_text()
    assert "  days = 4\n" in text and "not finished" not in _facts(directory)[0]
    settings.write_text(text.replace("  days = 4\n", f"  {new}\n"))
    said, facts = _facts(directory)
    assert f"2 of {planned} windows are done" in said and facts["Windows"] == "2, of 2 days each"


def test_commands_and_page_begin_with_it(unreal, capsys):
    directory, settings = unreal
    text = settings.read_text().replace("days = 4", "days = 8")
    settings.write_text(text)
    (directory.parent / "my.nml").write_text(text.replace("name = 'example'", "name = 'example'\n  directory = 'case'"))
    for command in ("evaluate", "report"):
        assert main([command, str(directory.parent / "my.nml")]) == 0
        shown = capsys.readouterr()
        assert "2 of 4 windows" in shown.err and "winds are not" in shown.err and shown.out.count("\n") == 1
    words = " ".join(read(directory / "report" / "index.html").text)
    assert words.index("2 of 4 windows") < words.index("Agreement with observations")


@pytest.mark.parametrize("change, text", [(-4.2, "−4"), (7.6, "+8"), (-0.3, "0"), (0.3, "0"), (-0.0, "0"), (-10.0, "−10"), (20.0, "+20")])
def test_changes_of_nothing_have_no_sign(change, text):
    assert whole(change) == text


def test_what_comes_first_stands_out(full):
    """The mark of the caveats is a rule of its own, after that of all cards."""
    template = Path(page.__file__).parent / "templates" / "index.html.j2"
    rules = [line.split("{")[0].strip() for line in template.read_text(encoding="utf-8").splitlines() if "{ " in line]
    assert rules.index(".card.caveat") > rules.index(".card, figure") and ".key .note" in rules and ".note" in rules
