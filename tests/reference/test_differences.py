"""Numerical gradients against derivatives, and against the error that theory gives them."""

import numpy as np
import pytest

from reference.differences import numerical_gradient
from reference.regression import logistic_loss, mse_loss

SEED = 41


@pytest.mark.parametrize("shape", [(1,), (4,), (2, 3), (2, 1, 2), ()])
def test_gradient_of_a_smooth_function_of_any_shape(shape):
    x = np.random.default_rng(SEED).normal(size=shape)
    kept = x.copy()
    found = numerical_gradient(lambda at: float(np.sum(np.sin(at) * at)), x, 1e-5)
    assert found.shape == shape
    np.testing.assert_allclose(found, np.cos(x) * x + np.sin(x), rtol=1e-8)
    np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize("eps", [1.0, 0.1, 1e-3])
def test_error_is_that_of_the_third_derivative(eps):
    """For x**3 it is eps**2 exactly, where a difference on one side is off by 3 x eps + eps**2."""
    x = np.array([2.0, -1.0])
    np.testing.assert_allclose(numerical_gradient(lambda at: np.sum(at**3), x, eps), 3 * x**2 + eps**2, rtol=1e-9)


@pytest.mark.parametrize("loss", [mse_loss, logistic_loss])
def test_agrees_with_the_gradients_of_the_losses(loss):
    rng = np.random.default_rng(SEED)
    w, x, y = rng.normal(size=3), rng.normal(size=(8, 3)), (rng.random(8) < 0.5) * 1.0
    found = numerical_gradient(lambda at: loss(at, 0.3, x, y)[0], w, 1e-5)
    np.testing.assert_allclose(found, loss(w, 0.3, x, y)[1], rtol=1e-8)
