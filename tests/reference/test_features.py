"""Scaled and polynomial features against laws and NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.features import min_max_scale, polynomial_features, standardize

SEED = 43


def data(n=12, d=4):
    rng = np.random.default_rng(SEED)
    return rng.normal(size=(n, d)) * [1.0, 100.0, 1e-3, 5.0][:d] + 7.0


def test_training_examples_have_mean_0_and_deviation_1():
    train_z, _ = standardize(data(), data(3))
    np.testing.assert_allclose(train_z.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(train_z.std(axis=0), 1, rtol=1e-10)


def test_test_examples_are_scaled_as_the_training_examples():
    train = data()
    train_z, test_z = standardize(train, train[[5, 2]])
    np.testing.assert_allclose(test_z, train_z[[5, 2]], rtol=1e-13)
    alone = standardize(train, train[[5]])[1]
    np.testing.assert_array_equal(alone, test_z[:1])


@pytest.mark.parametrize("scale", [lambda x: standardize(x, x)[0], min_max_scale], ids=["standardize", "min_max_scale"])
def test_units_do_not_matter(scale):
    x = data()
    np.testing.assert_allclose(scale(2.54 * x - 40), scale(x), atol=1e-9)


@pytest.mark.parametrize("scale", [lambda x: standardize(x, x)[0], min_max_scale], ids=["standardize", "min_max_scale"])
@pytest.mark.parametrize("value", [0.0, -3.5, 1e6])
@pytest.mark.filterwarnings("error")
def test_constant_column_becomes_zeros(scale, value):
    x = data()
    x[:, 1] = value
    scaled = scale(x)
    np.testing.assert_array_equal(scaled[:, 1], 0)
    assert np.isfinite(scaled).all()
    np.testing.assert_array_equal(np.delete(scaled, 1, axis=1), scale(np.delete(x, 1, axis=1)))


def test_one_example_alone_becomes_zeros():
    np.testing.assert_array_equal(min_max_scale(np.array([[3.0, -1.0]])), 0)
    train_z, test_z = standardize(np.array([[3.0, -1.0]]), np.array([[5.0, -1.0]]))
    assert (train_z.tolist(), test_z.tolist()) == ([[0.0, 0.0]], [[2.0, 0.0]])


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=20))
def test_scaled_column_goes_from_0_to_1(numbers):
    scaled = min_max_scale(np.array(numbers, dtype=np.float64)[:, None])[:, 0]
    assert scaled.min() == 0
    assert scaled.max() == (1 if len(set(numbers)) > 1 else 0)
    assert np.all(np.diff(scaled[np.argsort(numbers)]) >= 0)


@pytest.mark.parametrize(("n", "degree"), [(1, 1), (5, 3), (4, 9)])
def test_powers_equal_polyval_of_each_coefficient(n, degree):
    x = np.random.default_rng(SEED).normal(size=n)
    found = polynomial_features(x, degree)
    assert found.shape == (n, degree)
    for column, coefficients in zip(found.T, np.eye(degree + 1)[1:], strict=True):
        np.testing.assert_allclose(column, np.polynomial.polynomial.polyval(x, coefficients), rtol=1e-12)


def test_powers_of_zero_are_zero():
    np.testing.assert_array_equal(polynomial_features(np.zeros(2), 4), 0)
