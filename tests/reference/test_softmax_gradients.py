"""Softmax's backward and log-softmax against PyTorch, full Jacobians and their laws."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reference.activations import softmax
from reference.softmax_gradients import log_softmax_backward, log_softmax_forward, softmax_backward

SEED = 25
scores = arrays(np.float64, (3, 4), elements=st.floats(-1e4, 1e4))


@pytest.mark.parametrize("shape", [(6, 9), (1, 4), (5, 1), (4, 4)], ids=str)
def test_softmax_backward_equals_torch(shape):
    logits, dp = np.random.default_rng(SEED).normal(size=(2, *shape))
    leaf = torch.tensor(logits, requires_grad=True)
    torch.softmax(leaf, dim=1).backward(torch.tensor(dp))
    np.testing.assert_allclose(softmax_backward(dp, softmax(logits)), leaf.grad.numpy(), rtol=1e-10, atol=1e-15)


def test_softmax_backward_is_the_full_jacobian():
    p = softmax(np.random.default_rng(SEED).normal(size=(1, 5)))
    columns = [softmax_backward(unit[None], p)[0] for unit in np.eye(5)]
    np.testing.assert_allclose(columns, np.diag(p[0]) - np.outer(p[0], p[0]), atol=1e-16)


@pytest.mark.parametrize("p", [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]], ids=str)
def test_softmax_backward_at_the_border(p):
    dp = np.array([[3.0, -5.0, 7.0]])
    expected = {1.0: [0, 0, 0], 0.5: [2, -2, 0]}[p[0]]
    assert softmax_backward(dp, np.array([p])).tolist() == [expected]


@pytest.mark.parametrize("shape", [(6, 9), (1, 4), (5, 1), (4, 4)], ids=str)
def test_log_softmax_equals_torch(shape):
    logits, dout = 3 * np.random.default_rng(SEED).normal(size=(2, *shape))
    leaf = torch.tensor(logits, requires_grad=True)
    expected = torch.log_softmax(leaf, dim=1)
    expected.backward(torch.tensor(dout))
    out, cache = log_softmax_forward(logits)
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(log_softmax_backward(dout, cache), leaf.grad.numpy(), rtol=1e-10, atol=1e-14)


def test_log_softmax_of_huge_scores_is_finite():
    out, cache = log_softmax_forward(np.array([[1e4, -1e4, 1e4 - 1], [-1e4, -1e4, -1e4]]))
    top = -np.log(1 + np.exp(-1))
    np.testing.assert_allclose(out, [[top, -2e4 + top, top - 1], [-np.log(3)] * 3], rtol=1e-13)
    assert np.isfinite(log_softmax_backward(np.ones((2, 3)), cache)).all()


@given(scores, arrays(np.float64, (3, 4), elements=st.floats(-10, 10)))
def test_laws_of_log_softmax(logits, dout):
    out, cache = log_softmax_forward(logits)
    np.testing.assert_allclose(np.exp(out).sum(axis=1), 1, rtol=1e-11)
    np.testing.assert_allclose(np.exp(out), softmax(logits), rtol=1e-10, atol=1e-300)
    np.testing.assert_allclose(log_softmax_backward(dout, cache).sum(axis=1), 0, atol=1e-10)
    np.testing.assert_allclose(softmax_backward(dout, softmax(logits)).sum(axis=1), 0, atol=1e-10)


def test_the_two_backwards_agree_through_the_logarithm():
    logits, dout = np.random.default_rng(SEED).normal(size=(2, 4, 6))
    out, cache = log_softmax_forward(logits)
    p = np.exp(out)
    np.testing.assert_allclose(log_softmax_backward(dout, cache), softmax_backward(dout / p, p), rtol=1e-10)
