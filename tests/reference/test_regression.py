"""Linear and logistic regression's losses against PyTorch, numerical derivatives and closed forms."""

import numpy as np
import pytest
import torch

from reference.regression import linear_forward, logistic_loss, mse_loss
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


@pytest.mark.parametrize(("n", "d"), [(1, 1), (1, 5), (4, 1), (9, 4)])
def test_linear_forward_equals_torch(n, d):
    w, b, x, _ = problem(n, d)
    layer = torch.nn.Linear(d, 1, dtype=torch.float64)
    with torch.no_grad():
        layer.weight[:], layer.bias[:] = torch.tensor(w), b
        expected = layer(torch.tensor(x))[:, 0].numpy()
    np.testing.assert_allclose(linear_forward(x, w, b), expected, rtol=1e-12)


def labelled(n=12, d=3):
    w, b, x, y = problem(n, d)
    return w, b, x, (y > 0).astype(np.float64)


@pytest.mark.parametrize(("n", "d"), [(1, 1), (1, 4), (30, 6)])
def test_cross_entropy_and_gradient_equal_torch(n, d):
    w, b, x, y = labelled(n, d)
    weights, bias = torch.tensor(w, requires_grad=True), torch.tensor(b, dtype=torch.float64, requires_grad=True)
    p = torch.sigmoid(torch.tensor(x) @ weights + bias)
    expected = torch.nn.functional.binary_cross_entropy(p, torch.tensor(y))
    expected.backward()
    loss, dw, db = logistic_loss(w, b, x, y)
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(dw, weights.grad.numpy(), rtol=1e-11)
    assert db == pytest.approx(bias.grad.item(), rel=1e-11)


def test_cross_entropy_gradient_is_that_of_the_loss():
    w, b, x, y = labelled()
    direction = np.random.default_rng(SEED + 2).normal(size=w.shape)
    _, dw, db = logistic_loss(w, b, x, y)
    assert dw @ direction == pytest.approx(
        slope_along(lambda at: logistic_loss(at, b, x, y)[0], w, direction), rel=1e-8
    )
    assert db == pytest.approx(slope_along(lambda at: logistic_loss(w, at, x, y)[0], b, 1.0), rel=1e-8)


@pytest.mark.parametrize(
    ("score", "label", "expected"), [(1e3, 0.0, 1e3), (-1e3, 1.0, 1e3), (1e3, 1.0, 0.0), (0.0, 1.0, np.log(2))]
)
@pytest.mark.filterwarnings("error")
def test_cross_entropy_of_one_score(score, label, expected):
    """Also where p rounds to 0 or 1: finite, and no warning."""
    loss, dw, db = logistic_loss(np.array([score]), 0.0, np.ones((1, 1)), np.array([label]))
    assert loss == pytest.approx(expected, abs=1e-12)
    assert dw[0] == db == pytest.approx(1 / (1 + np.exp(-score)) - label if score > -700 else -label, abs=1e-12)


def test_cross_entropy_does_not_know_which_class_is_called_1():
    w, b, x, y = labelled()
    loss, dw, db = logistic_loss(w, b, x, y)
    swapped = logistic_loss(-w, -b, x, 1 - y)
    for one, other in zip((loss, -dw, -db), swapped, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-13)
