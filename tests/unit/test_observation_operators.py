"""The XCO2 operator and super-observations: cases by hand, linearity, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcas_driver.errors import InputError
from gcas_driver.observations.operator import super_observe, xco2_operator


def soundings(seed, n=5, members=3, levels=28, retrieval=20):
    rng = np.random.default_rng(seed)
    interfaces = np.sort(rng.uniform(50.0, 1.0e5, (n, levels + 1)), axis=1) + np.arange(levels + 1)
    return dict(profile=4e-4 + 1e-5 * rng.standard_normal((n, members, levels)), interfaces=interfaces,
                retrieval_pressure=np.sort(rng.uniform(1.0, 1.05e5, (n, retrieval)), axis=1) + np.arange(retrieval),
                pressure_weight=rng.dirichlet(np.ones(retrieval), n), averaging_kernel=rng.uniform(0.0, 1.3, (n, retrieval)),
                prior_profile=4e-4 + 1e-5 * rng.standard_normal((n, retrieval)), prior_xco2=rng.uniform(390, 410, n))


def apply(case, method="linear", **changes):
    case = case | changes
    interfaces = case.pop("interfaces")
    pressure = interfaces if method == "layers" else 0.5 * (interfaces[:, 1:] + interfaces[:, :-1])
    return xco2_operator(case.pop("profile"), case.pop("pressure", pressure), **case, method=method)


def test_linear_by_hand():
    """Levels above the top, half-way, a quarter of the way, and below the surface of the model."""
    value = xco2_operator([[[1e-4, 3e-4, 7e-4]]], [[100.0, 300.0, 500.0]], [[50.0, 200.0, 350.0, 900.0]],
                          [[0.1, 0.2, 0.3, 0.4]], [[1.0, 0.5, 1.0, 0.8]], [[2e-4, 2e-4, 2e-4, 2e-4]], [380.0])
    mapped = np.array([1e-4, 2e-4, 4e-4, 7e-4])
    expected = 380.0 + 1e6 * np.sum(np.array([0.1, 0.1, 0.3, 0.32]) * (mapped - 2e-4))
    assert value.shape == (1, 1)
    assert value[0, 0] == pytest.approx(expected, rel=1e-14)


def test_layers_by_hand():
    """Retrieval layers 100-200, 200-400, 400-500 Pa over model layers 0-150, 150-300, 300-450 Pa."""
    value = xco2_operator([[[1e-4, 3e-4, 7e-4]]], [[0.0, 150.0, 300.0, 450.0]], [[100.0, 300.0, 500.0]], [[0.25, 0.5, 0.25]],
                          [[1.0, 1.0, 1.0]], [[0.0, 0.0, 0.0]], [0.0], method="layers")
    mapped = np.array([0.5 * 1e-4 + 0.5 * 3e-4, 0.5 * 3e-4 + 0.5 * 7e-4, 7e-4])
    assert value[0, 0] == pytest.approx(1e6 * (0.25 * mapped[0] + 0.5 * mapped[1] + 0.25 * mapped[2]), rel=1e-14)


def test_unit_kernel_and_layer_weights_give_the_mean_of_the_column():
    case = soundings(1)
    top, surface = case["interfaces"][:, :1], case["interfaces"][:, -1:]
    levels = top + (surface - top) * np.linspace(0.0, 1.0, 20)
    edges = np.concatenate([levels[:, :1], 0.5 * (levels[:, 1:] + levels[:, :-1]), levels[:, -1:]], axis=1)
    weights = np.diff(edges, axis=1) / (surface - top)
    prior = 1e6 * np.sum(weights * case["prior_profile"], axis=1)
    value = apply(case, "layers", retrieval_pressure=levels, pressure_weight=weights, averaging_kernel=np.ones((5, 20)),
                  prior_xco2=prior)
    mass = np.diff(case["interfaces"], axis=1) / (surface - top)
    np.testing.assert_allclose(value, 1e6 * np.einsum("sl,sml->sm", mass, case["profile"]), rtol=1e-13)


SURFACES = {
    "linear": {460.0: [1e-4, 2.5e-4, 6.2e-4], 400.0: [1e-4, 2.5e-4, 5e-4], 700.0: [1e-4, 2.5e-4, 7e-4]},
    "layers": {500.0: [1e-4, 5.75e-4 / 2.25, 6.2e-4], 400.0: [1e-4, 4.25e-4 / 1.75, 3e-4], 800.0: [1e-4, 15.25e-4 / 3.75, 7e-4]},
}
"""Retrieval surface: A(x) at its three levels, by hand."""


@pytest.mark.parametrize("method", list(SURFACES))
def test_retrieval_surface_above_and_below_the_models(method):
    """Model: mid-levels 100, 300, 500 Pa, interfaces 0, 200, 400, 600 Pa. Retrieval: 50 and 250 Pa and its surface."""
    pressure = [[100.0, 300.0, 500.0]] if method == "linear" else [[0.0, 200.0, 400.0, 600.0]]
    for surface, mapped in SURFACES[method].items():
        levels, weight, kernel = [50.0, 250.0, surface], np.array([0.2, 0.5, 0.3]), np.array([0.4, 1.0, 1.2])
        value = xco2_operator([[[1e-4, 3e-4, 7e-4]]], pressure, [levels], [weight], [kernel], [[3.9e-4] * 3], [391.0], method=method)
        expected = 391.0 + 1e6 * np.sum(weight * kernel * (np.array(mapped) - 3.9e-4))
        assert value[0, 0] == pytest.approx(expected, rel=1e-14), surface


@given(seed=st.integers(0, 2**32 - 1), retrieval=st.sampled_from([2, 20, 34, 60]), levels=st.sampled_from([1, 20, 34, 60]),
       surface_shift=st.floats(-2.0e4, 2.0e4))
@settings(max_examples=40, deadline=None)
def test_layers_conserve_mass(seed, retrieval, levels, surface_shift):
    """With kernel 1 and h the shares of pressure: the model's mean by mass from the retrieval's top to its surface.

    A retrieval surface below the model's adds air of the lowest layer, one above it leaves out the air beneath. Equal outer
    pressures: the model's column mean.
    """
    rng = np.random.default_rng(seed)
    interfaces = np.sort(rng.uniform(50.0, 6.0e4, levels + 1)) + np.arange(levels + 1)
    interfaces[-1] = 8.0e4
    top, surface = interfaces[0] + 20.0 * rng.integers(-1, 2), 8.0e4 + surface_shift
    levels_of_retrieval = np.concatenate([[top], np.sort(rng.uniform(top + 1.0, surface - 1.0, retrieval - 2)), [surface]])
    edges = np.concatenate([[top], 0.5 * (levels_of_retrieval[1:] + levels_of_retrieval[:-1]), [surface]])
    weight, prior = np.diff(edges) / (surface - top), 4e-4 + 1e-5 * rng.standard_normal(retrieval)
    profile = 4e-4 + 1e-5 * rng.standard_normal(levels)
    value = xco2_operator([[profile]], [interfaces], [levels_of_retrieval], [weight], [np.ones(retrieval)], [prior],
                          [1e6 * np.sum(weight * prior)], method="layers")
    reach = interfaces.copy()
    reach[0], reach[-1] = min(top, reach[0]), max(surface, reach[-1])
    mass = np.diff(np.clip(reach, top, surface))
    np.testing.assert_allclose(value[0, 0], 1e6 * np.sum(mass * profile) / (surface - top), rtol=1e-13)


@pytest.mark.parametrize("method", ["linear", "layers"])
@given(seed=st.integers(0, 2**32 - 1), retrieval=st.sampled_from([1, 2, 20, 34, 60]), levels=st.sampled_from([1, 2, 28]))
@settings(max_examples=30, deadline=None)
def test_superposition(method, seed, retrieval, levels):
    case = soundings(seed, levels=levels, retrieval=retrieval)
    other = soundings(seed + 1, levels=levels, retrieval=retrieval)["profile"]
    offset = apply(case, method, profile=np.zeros_like(other))
    one, two = apply(case, method), apply(case, method, profile=other)
    both = apply(case, method, profile=2.0 * case["profile"] - 0.5 * other)
    np.testing.assert_allclose(both - offset, 2.0 * (one - offset) - 0.5 * (two - offset), rtol=0, atol=1e-9)
    uniform = apply(case, method, profile=np.full_like(other, 4e-4), prior_profile=np.full((5, retrieval), 4e-4))
    np.testing.assert_allclose(uniform, np.repeat(case["prior_xco2"][:, None], 3, axis=1), rtol=1e-13)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_linear_agrees_with_numpys_interpolation(seed):
    case = soundings(seed)
    middle = 0.5 * (case["interfaces"][:, 1:] + case["interfaces"][:, :-1])
    expected = np.empty((5, 3))
    for s in range(5):
        for m in range(3):
            mapped = np.interp(case["retrieval_pressure"][s], middle[s], case["profile"][s, m])
            expected[s, m] = case["prior_xco2"][s] + 1e6 * np.sum(
                case["pressure_weight"][s] * case["averaging_kernel"][s] * (mapped - case["prior_profile"][s]))
    np.testing.assert_allclose(apply(case), expected, rtol=1e-13)


def test_threads_and_dtypes_change_nothing():
    case = soundings(2, n=50)
    single = {name: value.astype(np.float32) for name, value in case.items()}
    wide = {name: value.astype(np.float64) for name, value in single.items()}
    assert np.array_equal(apply(single | {"interfaces": wide["interfaces"]}), apply(wide))
    middle = 0.5 * (case["interfaces"][:, 1:] + case["interfaces"][:, :-1])
    arguments = [case[k] for k in ("retrieval_pressure", "pressure_weight", "averaging_kernel", "prior_profile", "prior_xco2")]
    for method, pressure in (("linear", middle), ("layers", case["interfaces"])):
        results = [xco2_operator(np.asfortranarray(case["profile"]), pressure, *arguments, method=method, threads=n) for n in (1, 2, 3)]
        assert np.array_equal(results[0], results[1]) and np.array_equal(results[0], results[2])


def test_no_soundings_no_members():
    assert apply(soundings(3, n=0)).shape == (0, 3)
    assert apply(soundings(3, members=0)).shape == (5, 0)


@pytest.mark.parametrize("change,message", [
    (dict(method="cubic"), "unknown method"),
    (dict(prior_xco2=np.zeros(4)), "prior_xco2 has the wrong shape"),
    (dict(averaging_kernel=np.zeros((5, 19))), "averaging_kernel has the wrong shape"),
    (dict(pressure=np.ones((5, 27))), "pressure has the wrong shape"),
    (dict(pressure=np.tile(np.arange(28.0)[::-1] + 1.0, (5, 1))), "model pressures of sounding 0 do not increase .* at level 1$"),
    (dict(pressure=np.tile(np.ones(28), (5, 1))), "model pressures of sounding 0 do not increase"),
    (dict(pressure=np.tile(np.arange(28.0), (5, 1))), "model pressures of sounding 0 are not positive"),
    (dict(pressure=np.tile(np.arange(28.0) - 5.0, (5, 1))), "model pressures of sounding 0 are not positive"),
    (dict(pressure=np.full((5, 28), np.nan)), "pressure holds NaN"),
    (dict(profile=np.full((5, 3, 28), np.inf)), "profile holds NaN or infinity"),
    (dict(retrieval_pressure=np.tile(np.arange(20.0) - 1.0, (5, 1))), "retrieval pressures of sounding 0 are not positive"),
    (dict(prior_profile=np.full((5, 20), np.nan)), "prior_profile holds NaN"),
])
def test_bad_input_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        apply(soundings(4), **change)


def test_unordered_retrieval_levels_name_the_sounding():
    """The first of several, on any number of threads; for both methods."""
    case = soundings(5)
    case["retrieval_pressure"][3:] = case["retrieval_pressure"][3:, ::-1]
    for method in ("linear", "layers"):
        for threads in (1, 3):
            with pytest.raises(InputError, match="retrieval pressures of sounding 3 do not increase"):
                apply(case, method, threads=threads)
    case["interfaces"][2, 7] = case["interfaces"][2, 6]
    with pytest.raises(InputError, match="model pressures of sounding 2 do not increase .* at level 7$"):
        apply(case, "layers")


def test_super_observation_by_hand():
    value, error, hx = super_observe([400.0, 402.0, 410.0], [1.0, 2.0, 3.0], [[1.0, 2.0], [3.0, 6.0], [5.0, 5.0]], [1, 1, 0])
    np.testing.assert_allclose(value, [410.0, (400.0 + 402.0 / 4) / 1.25], rtol=1e-15)
    np.testing.assert_allclose(error, [3.0, np.sqrt(1 / 1.25)], rtol=1e-15)
    np.testing.assert_allclose(hx, [[5.0, 5.0], [(1 + 0.75) / 1.25, (2 + 1.5) / 1.25]], rtol=1e-15)


def test_floor_once_and_error_correlation():
    n = 100
    arguments = (np.full(n, 400.0), np.full(n, 2.0), np.zeros((n, 1)), np.zeros(n, int))
    assert super_observe(*arguments)[1] == pytest.approx(0.2)
    assert super_observe(*arguments, floor=1.0)[1] == pytest.approx(1.0)
    assert super_observe(*arguments, correlation=0.25)[1] == pytest.approx(np.sqrt((1 + 99 * 0.25) / 25))
    assert super_observe(*arguments, correlation=1.0)[1] == pytest.approx(2.0)
    assert super_observe(*arguments, floor=[0.3], correlation=[0.0])[1] == pytest.approx(0.3)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_super_observations_are_linear_and_keep_single_ones(seed):
    rng = np.random.default_rng(seed)
    group = np.concatenate([np.arange(6), rng.integers(0, 6, 20)])
    value, error, hx = rng.normal(400, 2, 26), rng.uniform(0.5, 3, 26), rng.normal(400, 2, (26, 4))
    _, _, one = super_observe(value, error, hx, group)
    _, _, two = super_observe(value, error, 3.0 * hx, group)
    np.testing.assert_allclose(two, 3.0 * one, rtol=1e-13)
    same = super_observe(value, error, np.repeat(value[:, None], 2, axis=1), group)
    np.testing.assert_allclose(same[2], np.repeat(same[0][:, None], 2, axis=1), rtol=1e-14)
    alone = super_observe(value, error, hx, np.arange(26))
    assert np.array_equal(alone[0], value) and np.allclose(alone[1], error, rtol=1e-15)


def test_no_observations_give_no_super_observations():
    value, error, hx = super_observe([], [], np.zeros((0, 4)), np.zeros(0, int))
    assert value.shape == (0,) and error.shape == (0,) and hx.shape == (0, 4)


@pytest.mark.parametrize("change,message", [
    (dict(error=[1.0, 0.0]), "error is not positive"), (dict(group=[0, 2]), "empty"), (dict(group=[0, -1]), "negative"),
    (dict(group=[0.0, 1.0]), "one integer"), (dict(group=[0]), "one integer"), (dict(value=[np.nan, 1.0]), "value holds NaN"),
    (dict(floor=-1.0), "floor"), (dict(correlation=1.5), "correlation"), (dict(floor=[1.0, 2.0, 3.0]), "floor"),
    (dict(hx=np.zeros((3, 2))), "hx has the wrong shape")])
def test_bad_super_observations_are_refused(change, message):
    arguments = dict(value=[1.0, 2.0], error=[1.0, 1.0], hx=np.zeros((2, 3)), group=[0, 1]) | change
    with pytest.raises(InputError, match=message):
        super_observe(**arguments)
