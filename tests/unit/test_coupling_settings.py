"""What the embedded model understands of a namelist, and its sampling schedule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mozart_coupling.embedded.main import CAPABILITIES, main
from mozart_coupling.embedded.sampling import SampleCollector
from mozart_coupling.embedded.settings import EmbeddedSettings, load
from mozart_coupling.errors import NamelistError
from mozart_coupling.grids import Grid
from mozart_coupling.namelist import write_simulation_data
from mozart_coupling.samples import SampleRequest

BASE = {
    "case": "'test'", "timestep": "'15m'", "icdate": "20140906", "icsec": "0", "sim_type": "'INITIAL'", "sim_duration": "'7d'",
    "hstfrq(1)": "'3h'",
    "mfilt(1)": "8", "restart_frq": "'daily'", "local_data_path": "'data'", "dyn_flsp%nl_filename": "'GEOS5_19x2_20140905.nc'",
    "dyn_flsp%local_path": "'data/dyn/'", "dyn_flnm_prefix": "'GEOS5_19x2_'", "dyn_flnm_date_frmt": "'yyyymmdd'",
    "ic_flsp%nl_filename": "'ic.nc'",
    "emis_flsp%local_path": "'data/emis/'", "sim_data_file": "'mz4.dat'",
}


def loaded(directory: Path, own: str = "", without: tuple[str, ...] = (), **changes: str) -> EmbeddedSettings:
    values = {key: value for key, value in {**BASE, **changes}.items() if key not in without}
    text = "&NLIST\n" + "\n".join(f"  {key} = {value}" for key,
                                  value in values.items()) + "\n/\n" + (f"&GCAS_TRANSPORT {own} /\n" if own else "")
    (directory / "long.nml").write_text(text)
    write_simulation_data(directory / "mz4.dat", ("EN001", "EN002"))
    return load(directory / "long.nml", directory)


def test_the_contracts_example(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    assert (found.timestep, found.duration, found.history_interval, found.samples_per_file, found.restart_interval) == (900, 604800, 10800,
                                                                                                                        8, 86400)
    assert found.first_start == np.datetime64("2014-09-06", "s").astype(int) and not found.restart
    assert (found.met_directory, found.met_prefix, found.emission_directory) == (tmp_path / "data/dyn", "GEOS5_19x2_",
                                                                                 tmp_path / "data/emis")
    assert found.tracers == ("EN001", "EN002") and found.history and found.mode == "linear" and found.mw_co2 == 44.0095


def test_the_prefix_follows_from_the_first_file(tmp_path: Path) -> None:
    assert loaded(tmp_path, without=("dyn_flnm_prefix", "dyn_flnm_date_frmt")).met_prefix == "GEOS5_19x2_"


def test_data_directories_have_their_usual_places(tmp_path: Path) -> None:
    for name in ("dyn", "emis", "ic"):
        (tmp_path / "data" / name).mkdir(parents=True)
    found = loaded(tmp_path, without=("dyn_flsp%local_path", "emis_flsp%local_path"))
    assert (found.met_directory, found.emission_directory) == (tmp_path / "data" / "dyn", tmp_path / "data" / "emis")
    with pytest.raises(NamelistError, match="ic.nc"):
        found.initial_file()
    for place in (tmp_path, tmp_path / "data" / "ic", tmp_path / "data"):  # each is preferred to the one before
        (place / "ic.nc").touch()
        assert found.initial_file() == place / "ic.nc"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "ic.nc").touch()
    assert loaded(tmp_path, **{"ic_flsp%local_path": "'mine'"}).initial_file() == tmp_path / "mine" / "ic.nc"


@pytest.mark.parametrize(("changes", "match"), [
    ({"timestep": "'7m'"}, "divide"), ({"timestep": "'fast'"}, "duration"), ({"sim_type": "'CONTINUE'"}, "INITIAL or RESTART"),
    ({"icdate": "20140931"}, "icdate"),
    ({"icsec": "86400"}, "icsec"), ({"sim_duration": "'0d'"}, "duration"), ({"hstfrq(1)": "'5h'"}, "history interval"),
    ({"calendar": "'noleap'"}, "calendar"),
    ({"restart_frq": "'3h'"}, "midnight"), ({"case": "7"}, "string"), ({"mfilt(1)": "0"}, "sample"),
    ({"sim_data_file": "'none.dat'"}, "none.dat"),
])
def test_values_without_sense(tmp_path: Path, changes: dict, match: str) -> None:
    with pytest.raises(NamelistError, match=match):
        loaded(tmp_path, **changes)


@pytest.mark.parametrize("missing", ["case", "timestep", "icdate", "sim_type", "sim_duration"])
def test_what_must_be_there(tmp_path: Path, missing: str) -> None:
    with pytest.raises(NamelistError, match=missing):
        loaded(tmp_path, without=(missing,))


@pytest.mark.parametrize(("own", "match"), [
    ("mod = 'linear'", "Did you mean mode"), ("mode = 'cubic'", "linear"), ("threads = 'two'", "wrong type"), ("history = 1", "wrong type"),
    ("mw_air = 500.0", "range"),
    ("sample_list = 'a.nc'", "go together"), ("components_file = 'a.nc'", "go together"),
    ("mode = 'monotone' precision = 'single'", "monotone"),
])
def test_our_own_group_is_strict(tmp_path: Path, own: str, match: str) -> None:
    with pytest.raises(NamelistError, match=match):
        loaded(tmp_path, own)


def test_a_misspelt_own_group_is_not_passed_over(tmp_path: Path) -> None:
    loaded(tmp_path)
    with open(tmp_path / "long.nml", "a") as text:
        text.write("&GCAS_TRANSPROT mode = 'monotone' /\n")
    with pytest.raises(NamelistError, match="GCAS_TRANSPROT"):
        load(tmp_path / "long.nml", tmp_path)


def test_what_has_no_effect_is_known(tmp_path: Path) -> None:
    assert loaded(tmp_path, "history_precision = 'double', tracer_units = 'vmr', emission_tag = 'T42LR'").without_effect == ()
    idle = loaded(tmp_path, "history = .false., history_precision = 'double', tracer_units = 'vmr', emission_tag = 'T42LR', "
                  "components_file = 'a', factors_file = 'b'").without_effect
    assert [text.split(":")[0] for text in idle] == ["history_precision", "tracer_units", "emission_tag"]
    assert loaded(tmp_path, "history = .false., history_precision = 'single'").without_effect == ()  # as it would be anyway


def test_capabilities_are_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    assert main(["--capabilities"]) == 0
    assert json.loads(capsys.readouterr().out) == CAPABILITIES


def test_usage_errors_have_exit_code_two() -> None:
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31))
def test_samples_of_a_linear_signal(seed: int) -> None:
    """With a state equal to its own time, an instant gives its time and a mean the mean of the step ends that it takes."""
    random = np.random.default_rng(seed)
    grid, n_steps, step, n = Grid.regular(6, 3), 16, 1800, 12
    begin = np.sort(random.uniform(0, 0.9, n)) * n_steps * step
    length = np.where(random.random(n) < 0.5, 0.0, random.uniform(0, 1, n) * (n_steps * step - begin))
    request = SampleRequest(random.uniform(0, 360, n), random.uniform(-90, 90, n), begin, begin + length)
    complete: dict[int, np.ndarray] = {}
    collector = SampleCollector(request, grid, 2, 1, 0, step, n_steps, False,
                                lambda rows, mixing: complete.update(zip(rows.tolist(), mixing, strict=True)))
    touched = 0
    for state in range(n_steps + 1):
        if collector.wants(state):
            now = float(state * step)
            def add_columns(i: np.ndarray, j: np.ndarray, row: np.ndarray, weight: np.ndarray, sums: np.ndarray, now: float = now) -> None:
                sums[row] += weight[:, None, None] * now

            collector.add(state, add_columns, np.full(grid.shape, 1e5), lambda i, j: (np.full((i.size, 2), 250.0), None))
            touched += 1
    columns = collector.finish(np.zeros(grid.shape), np.array([0.0, 0.5, 0.0]), np.array([0.0, 0.0, 1.0]))
    assert len(complete) == collector.ilat.size >= len(collector._mixing)
    values = np.array([complete[column][0, 0] for column in collector.column.tolist()])
    np.testing.assert_allclose(columns.surface_pressure, 1e5, rtol=1e-12)  # weights add up to one
    for row in range(n):
        if length[row] == 0.0:
            assert values[row] == pytest.approx(begin[row], abs=1e-6)
            continue
        ends = step * np.arange(1, n_steps + 1)
        overlap = np.clip(np.minimum(ends, begin[row] + length[row]) - np.maximum(ends - step, begin[row]), 0, None)
        assert values[row] == pytest.approx(np.sum(overlap * ends) / np.sum(overlap), rel=1e-9)
    assert touched <= n_steps + 1
