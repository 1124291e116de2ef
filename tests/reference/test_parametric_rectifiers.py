"""PReLU and RReLU against PyTorch, their laws and hand-made numbers."""

import numpy as np
import pytest
import torch

from reference.parametric_rectifiers import prelu_backward, prelu_forward, rrelu
from tests.reference.helpers import slope_along

SEED = 24


@pytest.mark.parametrize("shape", [(6, 4), (1, 5), (3, 1), (4, 4)], ids=str)
def test_prelu_equals_torch(shape):
    rng = np.random.default_rng(SEED)
    x, dout, a = rng.normal(size=shape), rng.normal(size=shape), rng.normal(size=shape[1])
    x.flat[0] = 0.0
    leaves = [torch.tensor(each, requires_grad=True) for each in (x, a)]
    expected = torch.nn.functional.prelu(*leaves)
    expected.backward(torch.tensor(dout))
    out, cache = prelu_forward(x, a)
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-14)
    for ours, leaf in zip(prelu_backward(dout, cache), leaves, strict=True):
        np.testing.assert_allclose(ours, leaf.grad.numpy(), rtol=1e-13, atol=1e-14)


def test_prelu_gradients_are_those_of_its_own_forward():
    rng = np.random.default_rng(SEED)
    x, dout = rng.normal(size=(2, 6, 5))
    x += np.sign(x) * 0.01  # no corner within the step
    a = rng.normal(size=5)
    dx, da = prelu_backward(dout, prelu_forward(x, a)[1])
    for gradient, at, loss in (
        (dx, x, lambda moved: (dout * prelu_forward(moved, a)[0]).sum()),
        (da, a, lambda moved: (dout * prelu_forward(x, moved)[0]).sum()),
    ):
        direction = rng.normal(size=at.shape)
        assert (gradient * direction).sum() == pytest.approx(slope_along(loss, at, direction), rel=1e-8)


def test_prelu_slope_of_a_feature_that_was_never_negative_gets_no_gradient():
    _, da = prelu_backward(np.ones((2, 2)), prelu_forward(np.array([[1.0, -1.0], [2.0, 3.0]]), np.ones(2))[1])
    assert da.tolist() == [0.0, -1.0]


def test_rrelu_in_test_mode_equals_torch_whatever_was_drawn():
    x = np.random.default_rng(SEED).normal(size=(5, 6))
    leaf = torch.tensor(x, requires_grad=True)
    expected = torch.nn.functional.rrelu(leaf, 0.125, 0.5, training=False)
    expected.sum().backward()
    for slopes in (np.zeros(x.shape), np.full(x.shape, np.nan)):
        out, slope = rrelu(x, slopes, 0.125, 0.5, False)
        np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-14)
        np.testing.assert_allclose(slope, leaf.grad.numpy(), rtol=1e-14)


def test_rrelu_in_training_takes_each_entry_its_own_slope():
    slopes = np.array([[0.1, 0.2], [0.3, 0.4]])
    out, slope = rrelu(np.array([[-1.0, 1.0], [0.0, -10.0]]), slopes, 0.0, 1.0, True)
    assert out.tolist() == [[-0.1, 1.0], [0.0, -4.0]]
    assert slope.tolist() == [[0.1, 1.0], [0.3, 0.4]]
