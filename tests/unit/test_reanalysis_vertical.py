"""Layers to layers and profiles to layers: conservation, uniformity, bounds, exactness."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mozart_coupling.embedded.levels import check_coefficients
from mozart_coupling.errors import MetError
from mozart_coupling.reanalysis.levels import checked_levels, published_levels
from mozart_coupling.reanalysis.vertical import LayerRemap, ProfileRemap, faces_to_faces, fill_downward


def _faces(random, n, low=0.0, high=1.0e5, columns=4):
    inner = low + (high - low) * np.sort(random.random((n - 1, columns)), axis=0)
    return np.concatenate([np.full((1, columns), low), inner, np.full((1, columns), high)])


@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_layers_keep_integrals_and_bounds(seed, n, m):
    random = np.random.default_rng(seed)
    source, target = _faces(random, n), _faces(random, m)
    values = random.random((n, 4))
    found = LayerRemap(source, target)(values)
    expected = (values * np.diff(source, axis=0)).sum(axis=0)
    assert np.allclose((found * np.diff(target, axis=0)).sum(axis=0), expected, rtol=1e-12)
    thick = np.diff(target, axis=0) > 1.0  # Pa: thinner ones lose digits in the difference of integrals
    assert found[thick].min() > values.min() - 1e-9 and found[thick].max() < values.max() + 1e-9
    assert np.abs(LayerRemap(source, target)(np.full((n, 4), 3.7))[thick] - 3.7).max() < 1e-9


def test_the_same_layers_are_left_alone():
    random = np.random.default_rng(2)
    faces, values = _faces(random, 30), random.random((30, 4))
    assert np.allclose(LayerRemap(faces, faces)(values), values, rtol=1e-10)


def test_a_line_stays_a_line_inside():
    faces = np.linspace(0.0, 1.0e5, 41)[:, None]
    middle = 0.5 * (faces[1:] + faces[:-1])
    target = np.array([5.0e3, 2.13e4, 2.5e4, 6.01e4, 9.2e4])[:, None]
    found = LayerRemap(faces, target)(2.0 + 3.0e-5 * middle)
    assert np.allclose(found, 2.0 + 3.0e-5 * 0.5 * (target[1:] + target[:-1]), rtol=1e-12)


def test_beyond_the_source_the_end_values_are_held():
    source = np.array([1.0e4, 5.0e4, 9.0e4])[:, None]
    found = LayerRemap(source, np.array([0.0, 1.0e4, 9.0e4, 1.0e5])[:, None])(np.array([[1.0], [3.0]]))
    assert np.allclose(found[:, 0], [1.0, 2.0, 3.0])


def test_a_profile_in_the_logarithm_of_pressure_is_exact():
    levels = np.array([100.0, 1000.0, 5000.0, 20000.0, 50000.0, 85000.0, 100000.0])
    target = _faces(np.random.default_rng(3), 12, low=150.0)
    found = ProfileRemap(levels, target)((3.0 + 2.0 * np.log(levels / 1.0e5))[:, None] * np.ones((1, 4)))

    def integral(p):
        return p * (3.0 + 2.0 * np.log(p / 1.0e5)) - 2.0 * p

    assert np.allclose(found, np.diff(integral(target), axis=0) / np.diff(target, axis=0), rtol=1e-9)


def test_a_profile_is_held_beyond_its_levels():
    levels = np.array([1.0e4, 5.0e4, 9.0e4])
    target = np.array([0.0, 1.0e4, 9.0e4, 1.0e5])[:, None]
    found = ProfileRemap(levels, target)(np.array([[1.0], [1.0], [4.0]]))
    assert found[0, 0] == 1.0 and np.isclose(found[2, 0], 4.0) and 1.0 < found[1, 0] < 4.0


def test_fluxes_through_interfaces_are_interpolated():
    source = np.array([0.0, 2.0e4, 6.0e4, 1.0e5])[:, None]
    found = faces_to_faces(source, np.array([0.0, 1.0, 3.0, 0.0])[:, None], np.array([0.0, 4.0e4, 6.0e4, 8.0e4, 1.0e5])[:, None])
    assert np.allclose(found[:, 0], [0.0, 2.0, 3.0, 1.5, 0.0])


def test_unknown_levels_take_the_nearest_above():
    values = np.array([[1.0, 0.0], [2.0, 5.0], [0.0, 6.0]])
    known = np.array([[True, False], [True, True], [False, True]])
    assert fill_downward(values, known).tolist() == [[1.0, 5.0], [2.0, 5.0], [2.0, 6.0]]


@pytest.mark.parametrize(("n", "lowest", "top_mass"), [(60, 101084.86, 20.0), (72, 99805.07, 2.0), (137, 101084.86, 2.000365)])
def test_the_published_tables(n, lowest, top_mass):
    """Half-level pressures of the published pages over 1013.25 hPa."""
    a, b = published_levels(n)
    assert a.size == b.size == n + 1
    check_coefficients(a / 1.0e5, b)
    assert np.isclose(a[-2] + b[-2] * 101325.0, lowest, atol=0.5) and np.isclose(a[1], top_mass)
    assert a[-1] == 0.0 and b[-1] == 1.0 and np.all(np.diff(b) >= 0.0)
    assert published_levels(91) is None


def test_coefficients_that_cannot_be():
    a, b = published_levels(60)
    with pytest.raises(MetError, match="upside down"):
        checked_levels(a[::-1], b[::-1], "here")
    wrong = b.copy()
    wrong[40] = wrong[44]
    with pytest.raises(MetError, match="not monotone") as error:
        checked_levels(a, wrong, "file.nc, hyai and hybi")
    assert "file.nc" in str(error.value) and "layer 41" in str(error.value)
    same, _ = checked_levels(a / 1.0e5, b, "shares of P0")
    assert np.allclose(same, a)
