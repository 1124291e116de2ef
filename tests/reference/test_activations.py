"""Softmax and ReLU against PyTorch, closed forms and their laws."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reference.activations import relu_backward, relu_forward, softmax
from tests.reference.helpers import slope_along

SEED = 21
scores = arrays(np.float64, (3, 4), elements=st.floats(-1e4, 1e4))


def test_softmax_equals_torch():
    logits = 3 * np.random.default_rng(SEED).normal(size=(6, 9))
    np.testing.assert_allclose(softmax(logits), torch.softmax(torch.tensor(logits), dim=1).numpy(), rtol=1e-13)


def test_softmax_of_two_classes_is_the_logistic_function():
    difference = np.linspace(-20, 20, 9)
    logits = np.stack([difference, np.zeros(9)], axis=1)
    np.testing.assert_allclose(softmax(logits)[:, 0], 1 / (1 + np.exp(-difference)), rtol=1e-13)


def test_softmax_of_huge_logits_is_finite():
    logits = np.array([[1e4, 1e4 - 1, -1e4], [-1e4, -1e4, -1e4], [0.0, 1e4, -1e4]])
    expected = [[1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1)), 0], [1 / 3] * 3, [0, 1, 0]]
    np.testing.assert_allclose(softmax(logits), expected, rtol=1e-13)


@given(scores)
def test_softmax_rows_add_up_to_one(logits):
    probabilities = softmax(logits)
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)


@given(scores, st.integers(-1000, 1000))
def test_softmax_ignores_a_shift_of_a_row(logits, shift):
    moved = logits + np.array([[0.0], [shift], [-shift]])
    np.testing.assert_allclose(softmax(moved), softmax(logits), rtol=1e-10, atol=1e-300)


@pytest.mark.parametrize("shape", [(7,), (5, 3), (2, 3, 4, 5)], ids=str)
def test_relu_equals_torch_in_every_shape(shape):
    rng = np.random.default_rng(SEED)
    x, dout = rng.normal(size=shape), rng.normal(size=shape)
    x.flat[0] = 0.0
    leaf = torch.tensor(x, requires_grad=True)
    torch.relu(leaf).backward(torch.tensor(dout))
    out, cache = relu_forward(x)
    np.testing.assert_array_equal(out, np.clip(x, 0, None))
    np.testing.assert_array_equal(relu_backward(dout, cache), leaf.grad.numpy())


def test_relu_gradient_is_that_of_its_own_forward():
    rng = np.random.default_rng(SEED)
    x, dout, direction = rng.normal(size=(3, 6, 5))
    x += np.sign(x) * 0.01  # no kink within the step
    numerical = slope_along(lambda at: (dout * relu_forward(at)[0]).sum(), x, direction)
    assert (relu_backward(dout, relu_forward(x)[1]) * direction).sum() == pytest.approx(numerical, rel=1e-8)


def test_relu_lets_nothing_through_at_exact_zeros():
    assert relu_backward(np.array([3.0, -3.0]), relu_forward(np.array([0.0, -0.0]))[1]).tolist() == [0.0, 0.0]
