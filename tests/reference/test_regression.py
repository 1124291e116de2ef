"""The mean squared error against PyTorch, numerical derivatives and the least-squares solution."""

import numpy as np
import pytest
import torch

from reference.regression import mse_loss
from tests.reference.helpers import slope_along

SEED = 24


def problem(n=9, d=4):
    rng = np.random.default_rng(SEED)
    return rng.normal(size=d), 0.7, rng.normal(size=(n, d)), rng.normal(size=n)


def test_loss_and_gradient_equal_torch():
    w, b, x, y = problem()
    weights, bias = torch.tensor(w, requires_grad=True), torch.tensor(b, dtype=torch.float64, requires_grad=True)
    expected = torch.nn.functional.mse_loss(torch.tensor(x) @ weights + bias, torch.tensor(y))
    expected.backward()
    loss, dw, db = mse_loss(w, b, x, y)
    assert loss == pytest.approx(expected.item(), rel=1e-13)
    np.testing.assert_allclose(dw, weights.grad.numpy(), rtol=1e-12)
    assert db == pytest.approx(bias.grad.item(), rel=1e-12)


def test_gradient_is_that_of_the_loss():
    w, b, x, y = problem()
    direction = np.random.default_rng(SEED + 1).normal(size=w.shape)
    _, dw, db = mse_loss(w, b, x, y)
    along_w = slope_along(lambda at: mse_loss(at, b, x, y)[0], w, direction)
    along_b = slope_along(lambda at: mse_loss(w, at, x, y)[0], b, 1.0)
    assert dw @ direction == pytest.approx(along_w, rel=1e-8)
    assert db == pytest.approx(along_b, rel=1e-8)


def test_gradient_is_zero_at_the_least_squares_solution():
    _, _, x, y = problem(n=30)
    solution, (left,), *_ = np.linalg.lstsq(np.column_stack([x, np.ones(30)]), y, rcond=None)
    loss, dw, db = mse_loss(solution[:-1], solution[-1], x, y)
    assert loss == pytest.approx(left / 30, rel=1e-12)
    np.testing.assert_allclose([*dw, db], 0, atol=1e-14)


def test_loss_does_not_change_when_the_data_are_doubled():
    w, b, x, y = problem()
    for one, two in zip(mse_loss(w, b, x, y), mse_loss(w, b, np.tile(x, (2, 1)), np.tile(y, 2)), strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-13)
