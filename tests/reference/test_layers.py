"""The fully connected layer against PyTorch and numerical derivatives."""

import numpy as np
import pytest
import torch

from reference.layers import affine_backward, affine_forward
from tests.reference.helpers import slope_along

SEED = 23
SIZES = [(5, 4, 3), (1, 6, 2), (3, 2, 7)]


@pytest.mark.parametrize(("n", "d", "m"), SIZES, ids=str)
def test_affine_equals_torch(n, d, m):
    rng = np.random.default_rng(SEED)
    x, w, b, dout = (rng.normal(size=shape) for shape in ((n, d), (d, m), m, (n, m)))
    leaves = [torch.tensor(each, requires_grad=True) for each in (x, w, b)]
    expected = torch.nn.functional.linear(leaves[0], leaves[1].T, leaves[2])
    expected.backward(torch.tensor(dout))
    out, cache = affine_forward(x, w, b)
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-12, atol=1e-14)
    for gradient, leaf in zip(affine_backward(dout, cache), leaves, strict=True):
        np.testing.assert_allclose(gradient, leaf.grad.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("which", range(3), ids=["dx", "dw", "db"])
def test_affine_gradient_is_that_of_its_own_forward(which):
    rng = np.random.default_rng(SEED)
    inputs = [rng.normal(size=shape) for shape in ((5, 4), (4, 3), 3)]
    dout, direction = rng.normal(size=(5, 3)), rng.normal(size=inputs[which].shape)
    gradients = affine_backward(dout, affine_forward(*inputs)[1])

    def weighted(at):
        return (dout * affine_forward(*(at if i == which else each for i, each in enumerate(inputs)))[0]).sum()

    numerical = slope_along(weighted, inputs[which], direction)
    assert (gradients[which] * direction).sum() == pytest.approx(numerical, rel=1e-8)


def test_affine_backward_is_linear_in_dout():
    rng = np.random.default_rng(SEED)
    _, cache = affine_forward(rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=3))
    one, other = rng.normal(size=(2, 5, 3))
    for both, left, right in zip(
        affine_backward(2 * one - 3 * other, cache),
        affine_backward(one, cache),
        affine_backward(other, cache),
        strict=True,
    ):
        np.testing.assert_allclose(both, 2 * left - 3 * right, rtol=1e-10, atol=1e-12)
