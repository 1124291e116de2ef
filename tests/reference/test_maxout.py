"""Maxout against PyTorch, the activations it contains, and its own forward."""

import numpy as np
import pytest
import torch

from reference.activations import relu_backward, relu_forward
from reference.maxout import maxout, maxout_backward, maxout_forward
from tests.reference.helpers import drawn, slope_along

SEED = 26


@pytest.mark.parametrize("sizes", [(5, 4, 3, 2), (1, 3, 2, 2), (4, 2, 5, 6), (3, 3, 3, 1)], ids=str)
def test_maxout_equals_torch(sizes):
    n, d, m, k = sizes
    rng = np.random.default_rng(SEED)
    x, w, b, dout = (rng.normal(size=shape) for shape in ((n, d), (k, d, m), (k, m), (n, m)))
    leaves = [torch.tensor(each, requires_grad=True) for each in (x, w, b)]
    expected = torch.stack([leaves[0] @ leaves[1][i] + leaves[2][i] for i in range(k)]).max(dim=0).values
    expected.backward(torch.tensor(dout))
    out, cache = maxout_forward(x, w, b)
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-12)
    for ours, leaf in zip(maxout_backward(dout, cache), leaves, strict=True):
        np.testing.assert_allclose(ours, leaf.grad.numpy(), rtol=1e-12, atol=1e-14)


def test_maxout_with_the_pieces_x_and_zero_is_relu():
    x, dout = np.random.default_rng(SEED).normal(size=(2, 6, 1))
    out, cache = maxout_forward(x, np.array([[[1.0]], [[0.0]]]), np.zeros((2, 1)))
    np.testing.assert_array_equal(out, relu_forward(x)[0])
    np.testing.assert_array_equal(maxout_backward(dout, cache)[0], relu_backward(dout, x))


@pytest.mark.parametrize("wrt", ["x", "w", "b"])
def test_maxout_gradients_are_those_of_its_own_forward(wrt):
    rng = np.random.default_rng(SEED)
    inputs = dict(drawn(maxout, SEED)["three pieces"].inputs)
    dout = inputs.pop("dout")
    gradients = dict(zip("xwb", maxout_backward(dout, maxout_forward(**inputs)[1]), strict=True))
    direction = rng.normal(size=inputs[wrt].shape)

    def loss(moved):
        return (dout * maxout_forward(**{**inputs, wrt: moved})[0]).sum()

    numerical = slope_along(loss, inputs[wrt], direction)
    assert (gradients[wrt] * direction).sum() == pytest.approx(numerical, rel=1e-7)


def test_maxout_first_of_tied_pieces_gets_the_gradient():
    _, cache = maxout_forward(np.array([[2.0]]), np.ones((2, 1, 1)), np.zeros((2, 1)))
    _, dw, db = maxout_backward(np.array([[3.0]]), cache)
    assert dw.ravel().tolist() == [6.0, 0.0]
    assert db.ravel().tolist() == [3.0, 0.0]


@pytest.mark.parametrize("seed", range(20))
def test_drawn_cases_have_no_ties_and_let_each_piece_win(seed):
    for case in drawn(maxout, seed).values():
        z = case.inputs["x"] @ case.inputs["w"] + case.inputs["b"][:, None]
        assert set(z.argmax(axis=0).ravel()) == set(range(len(z)))
        ordered = np.sort(z, axis=0)
        assert (ordered[-1] - ordered[-2]).min() > 1e-2
