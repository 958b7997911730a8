"""H(x): which columns are asked for, and what is made of them, against profiles with known answers."""

import numpy as np
import pytest
from generators.observation_files import make_columns, make_points

from gcas_driver.errors import InputError
from gcas_driver.observations import xco2_operator
from gcas_driver.observations.simulate import point_levels, sample_request, simulate
from gcas_driver.observations.table import Observations
from mozart_coupling.grids import Grid
from mozart_coupling.samples import SampleRequest, Samples

GRID = Grid.named("36x18")
N_LEVELS, N_MEMBERS = 8, 3


def answer(request: SampleRequest, seed: int = 2) -> Samples:
    """Columns with levels every 1000 m above a ground at 500 m; member m is linear in height, plus noise by column."""
    n = len(request)
    interface = np.tile(500.0 + 1000.0 * np.arange(N_LEVELS, -1.0, -1.0), (n, 1))
    height = 0.5 * (interface[:, 1:] + interface[:, :-1])
    pressure_interface = 101325.0 * np.exp(-interface / 8000.0)
    pressure_interface[:, 0] = 10.0
    base = np.random.default_rng(seed).normal(390.0, 2.0, (n, 1, 1))
    profile = base + np.arange(N_MEMBERS)[None, :, None] * (1.0 + height[:, None, :] / 1000.0)
    return Samples(1.0e-6 * profile, pressure_interface[:, -1], 0.5 * (pressure_interface[:, 1:] + pressure_interface[:, :-1]),
                   pressure_interface, height, interface, None, tuple(f"EN{m:03d}" for m in range(N_MEMBERS)))


def points(altitude) -> Observations:
    altitude = np.asarray(altitude, dtype=float)
    n = len(altitude)
    return make_points(np.full(n, 5000.0), np.full(n, 12.0), np.full(n, 3.0), altitude, np.full(n, 390.0), np.ones(n))


def test_heights_above_the_sea():
    table = points([1000.0, 1500.0, 1723.0, 7999.0, 999.0, 0.0, 20000.0])
    request, mapping = sample_request(table, GRID)
    assert len(request) == 1, "one column serves all"
    samples = answer(request)
    hx = simulate(table, samples, mapping)
    base = 1.0e6 * samples.mixing_ratio[0, 0, 0]
    for row, height in enumerate([1000.0, 1500.0, 1723.0, 7999.0, 1000.0, 1000.0, 8000.0]):
        np.testing.assert_allclose(hx[row], base + np.arange(N_MEMBERS) * (1.0 + height / 1000.0), rtol=1e-13)
    assert point_levels(table, samples, mapping).tolist() == [7, 6, 6, 0, 7, 7, 0]


def test_columns_are_equation_6():
    random = np.random.default_rng(3)
    n = 50
    table = make_columns(random.uniform(0, 86400.0, n), random.uniform(-180, 180, n), random.uniform(-80, 80, n), np.full(n, 390.0),
                         np.ones(n))
    request, mapping = sample_request(table, GRID)
    samples = answer(request)
    hx = simulate(table, samples, mapping)
    operator = table.operators["sat"]
    for row in (0, 17, 49):
        column = mapping.index[row, 0]
        for member in range(N_MEMBERS):
            profile = np.interp(operator.retrieval_pressure[row], samples.pressure[column], samples.mixing_ratio[column, member])
            departure = profile - operator.prior_profile[row]
            expected = operator.prior_xco2[row] + 1e6 * np.sum(operator.pressure_weight[row] * operator.averaging_kernel[row] * departure)
            np.testing.assert_allclose(hx[row, member], expected, rtol=1e-13)
    layers = simulate(table, samples, mapping, {"sat": "layers"})
    cut = [samples.mixing_ratio[mapping.index[:, 0]], samples.pressure_interface[mapping.index[:, 0]]]
    expected = xco2_operator(*cut, operator.retrieval_pressure, operator.pressure_weight, operator.averaging_kernel,
                             operator.prior_profile, operator.prior_xco2, method="layers")
    np.testing.assert_array_equal(layers, expected)
    assert not np.array_equal(layers, hx)


def test_mixed_table_in_small_batches(monkeypatch):
    random = np.random.default_rng(4)
    parts = []
    for product in ("a", "b"):
        parts.append(make_columns(random.uniform(0, 86400.0, 20), random.uniform(-180, 180, 20), random.uniform(-80, 80, 20),
                                  np.full(20, 390.0), np.ones(20), product))
        parts.append(make_points(random.uniform(0, 86400.0, 9), random.uniform(-180, 180, 9), random.uniform(-80, 80, 9),
                                 random.uniform(0, 5000.0, 9), np.full(9, 390.0), np.ones(9), product=product + "f"))
    table = Observations.concatenate(parts).select(random.permutation(58))
    request, mapping = sample_request(table, GRID)
    samples = answer(request)
    whole = simulate(table, samples, mapping)
    monkeypatch.setattr("gcas_driver.observations.simulate.CHUNK_BYTES", 8 * N_LEVELS * N_MEMBERS * 7)
    np.testing.assert_array_equal(simulate(table, samples, mapping), whole)
    for row in range(58):
        one = table.select(np.array([row]))
        alone = simulate(one, samples, type(mapping)(mapping.index[[row]], mapping.weight[[row]]))
        np.testing.assert_array_equal(alone[0], whole[row])


def test_request_names_cells_and_intervals():
    table = points([0.0, 0.0, 0.0, 0.0])
    table = Observations(**{**table.__dict__, "time": np.array([10799.0, 10800.0, 100.0, 21600.0]),
                            "lon": np.array([12.0, 13.0, 14.9, -179.0])})
    request, mapping = sample_request(table, GRID)
    assert request.time_start.tolist() == [0.0, 10800.0, 21600.0] and request.time_end.tolist() == [10800.0, 21600.0, 32400.0]
    assert mapping.index[:, 0].tolist() == [0, 1, 0, 2] and (mapping.weight == 1.0).all()
    ilat, ilon = GRID.cell_index(request.lon, request.lat)
    expected = GRID.cell_index(table.lon[[0, 1, 3]], table.lat[[0, 1, 3]])
    assert ilat.tolist() == expected[0].tolist() and ilon.tolist() == expected[1].tolist()
    instants, _ = sample_request(table, GRID, interval_hours=0.0)
    assert instants.time_start.tolist() == instants.time_end.tolist() == [100.0, 10799.0, 10800.0, 21600.0]
    hours, _ = sample_request(table, GRID, interval_hours=1.0)
    assert (hours.time_end - hours.time_start == 3600.0).all()


@pytest.mark.parametrize("grid", [Grid.named("36x18"), Grid.named("128x64"), Grid.named("144x96")])
def test_bilinear_is_exact_for_linear_fields(grid):
    random = np.random.default_rng(5)
    n = 200
    lat_limit = grid.lat[-1]
    table = make_points(np.zeros(n), random.uniform(-180, 180, n), random.uniform(-lat_limit, lat_limit, n), np.zeros(n), np.zeros(n),
                        np.ones(n))
    request, mapping = sample_request(table, grid, horizontal="bilinear")
    np.testing.assert_allclose(mapping.weight.sum(axis=1), 1.0, rtol=1e-13)
    assert (mapping.weight >= 0.0).all()
    np.testing.assert_allclose((mapping.weight * request.lat[mapping.index]).sum(axis=1), table.lat, atol=1e-9)
    east = (request.lon[mapping.index] - table.lon[:, None] + 180.0) % 360.0 - 180.0
    np.testing.assert_allclose((mapping.weight * east).sum(axis=1), 0.0, atol=1e-9)


def test_bilinear_of_equal_columns_is_the_column():
    table = points([2000.0])
    request, mapping = sample_request(table, GRID, horizontal="bilinear")
    samples = answer(request)
    samples.mixing_ratio[:] = samples.mixing_ratio[:1]
    np.testing.assert_allclose(simulate(table, samples, mapping)[0], 1e6 * samples.mixing_ratio[0, :, 6], rtol=1e-13)


def test_poles_and_date_line_are_cells():
    table = points([0.0] * 4)
    table = Observations(**{**table.__dict__, "lat": np.array([90.0, -90.0, 89.99, 0.0]), "lon": np.array([0.0, 10.0, -180.0, -180.0])})
    for horizontal in ("nearest", "bilinear"):
        request, mapping = sample_request(table, GRID, horizontal=horizontal)
        assert np.isfinite(simulate(table, answer(request), mapping)).all()


def test_no_observation():
    request, mapping = sample_request(Observations.empty(), GRID)
    assert len(request) == 0 and len(mapping) == 0
    assert simulate(Observations.empty(), answer(request), mapping).shape == (0, N_MEMBERS)


def test_faults_have_names():
    table = points([0.0, 10.0])
    request, mapping = sample_request(table, GRID)
    samples = answer(request)
    with pytest.raises(InputError, match="belongs to other observations"):
        simulate(table.select(np.array([0])), samples, mapping)
    samples.mixing_ratio[:] = np.nan
    with pytest.raises(InputError, match="not finite.*AAA:0"):
        simulate(table, samples, mapping)
    with pytest.raises(InputError, match="unknown horizontal sampling"):
        sample_request(table, GRID, horizontal="cubic")
    with pytest.raises(InputError, match="bad sampling interval"):
        sample_request(table, GRID, interval_hours=-1.0)
    empty = Samples(*(array[:0] if isinstance(array, np.ndarray) else array for array in vars(samples).values()))
    with pytest.raises(InputError, match="fewer sampled columns"):
        simulate(table, empty, mapping)


@pytest.mark.parametrize("horizontal", ["nearest", "bilinear"])
def test_no_observation_asks_for_nothing_and_one_is_a_row(horizontal):
    request, mapping = sample_request(Observations.empty(), GRID, horizontal=horizontal)
    assert len(request) == 0 and len(mapping) == 0
    assert simulate(Observations.empty(), answer(request), mapping).shape == (0, N_MEMBERS)
    for table in (points([1500.0]), make_columns(np.zeros(1), np.full(1, 12.0), np.full(1, 3.0), np.full(1, 390.0), np.ones(1))):
        request, mapping = sample_request(table, GRID, horizontal=horizontal)
        hx = simulate(table, answer(request), mapping)
        assert hx.shape == (1, N_MEMBERS) and np.isfinite(hx).all()


def test_numbers_that_are_missing_have_a_name():
    column = make_columns(np.zeros(2), np.full(2, 12.0), np.full(2, 3.0), np.full(2, 390.0), np.ones(2))
    both = Observations.concatenate([column, points([1500.0, 200.0])])
    request, mapping = sample_request(both, GRID)
    samples = answer(request)
    for name in ("time", "lon", "lat"):
        broken = both.select(np.arange(4))
        getattr(broken, name)[2] = np.nan
        with pytest.raises(InputError, match=f"{name} of an observation is not finite"):
            sample_request(broken, GRID)
    broken = both.select(np.arange(4))
    broken.altitude[3] = np.nan
    with pytest.raises(InputError, match="a simulated value is not finite.*1 observations"):
        simulate(broken, samples, mapping)
    samples.mixing_ratio[mapping.index[0], 1, 2] = np.nan
    with pytest.raises(InputError, match="profile holds NaN"):
        simulate(both, samples, mapping)
    both.operators["sat"].averaging_kernel[1, 0] = np.nan
    with pytest.raises(InputError, match="averaging_kernel holds NaN"):
        simulate(both, answer(request), mapping)
