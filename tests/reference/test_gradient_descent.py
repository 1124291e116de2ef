"""Minibatch gradient descent against worked steps, the closed form of one step and the solution."""

import numpy as np
import pytest

from reference.gradient_descent import minibatch_gradient_descent
from reference.regression import mse_loss

SEED = 25


def problem(n, d=3, epochs=4):
    rng = np.random.default_rng(SEED)
    order = np.array([rng.permutation(n) for _ in range(epochs)])
    return rng.normal(size=(n, d)), rng.normal(size=n), rng.normal(size=d), order


def test_full_batch_is_one_step_an_epoch_whatever_the_order():
    x, y, w, order = problem(8)
    ended = minibatch_gradient_descent(x, y, w, 0.5, 0.1, order[:1], 8)
    _, dw, db = mse_loss(w, 0.5, x, y)
    np.testing.assert_allclose(ended[0], w - 0.1 * dw, rtol=1e-13)
    assert ended[1] == pytest.approx(0.5 - 0.1 * db, rel=1e-13)


def test_last_short_batch_is_kept_with_its_own_mean():
    x, y, w, order = problem(5, epochs=1)
    ended = minibatch_gradient_descent(x, y, w, 0.5, 0.1, order, 3)
    b = 0.5
    for batch in (order[0, :3], order[0, 3:]):
        residual = x[batch] @ w + b - y[batch]
        w, b = w - 0.2 * (residual[:, None] * x[batch]).mean(axis=0), b - 0.2 * residual.mean()
    np.testing.assert_allclose(ended[0], w, rtol=1e-12)
    assert ended[1] == pytest.approx(b, rel=1e-12)


def test_two_epochs_are_one_after_the_other():
    x, y, w, order = problem(7)
    at_once = minibatch_gradient_descent(x, y, w, 0.5, 0.05, order, 2)
    stopped = (w, 0.5)
    for visit in order:
        stopped = minibatch_gradient_descent(x, y, *stopped, 0.05, visit[None, :], 2)
    np.testing.assert_array_equal(at_once[0], stopped[0])
    assert at_once[1] == stopped[1]


def test_order_of_relabelled_examples_does_not_matter():
    x, y, w, order = problem(9)
    new = np.random.default_rng(SEED + 1).permutation(9)
    relabelled = np.argsort(new)[order]
    one = minibatch_gradient_descent(x, y, w, 0.5, 0.05, order, 4)
    other = minibatch_gradient_descent(x[new], y[new], w, 0.5, 0.05, relabelled, 4)
    np.testing.assert_allclose(other[0], one[0], rtol=1e-13)
    assert other[1] == pytest.approx(one[1], rel=1e-13)


def test_long_run_reaches_the_solution_of_exact_data():
    x, _, w, order = problem(12, epochs=400)
    target = np.array([2.0, -1.0, 0.5])
    found, b = minibatch_gradient_descent(x, x @ target + 3.0, w, 0.0, 0.1, order, 5)
    np.testing.assert_allclose([*found, b], [*target, 3.0], rtol=1e-9)
