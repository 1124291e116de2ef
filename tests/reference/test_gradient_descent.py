"""The walks down a loss against worked steps, closed forms and each other."""

import numpy as np
import pytest

from reference.gradient_descent import gradient_descent, minibatch_gradient_descent, stochastic_gradient_descent
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


def slope_of_the_deck(x):
    return 2 * x * np.sin(x) + x**2 * np.cos(x)


@pytest.mark.parametrize(
    ("steps", "x", "height"), [(50, 4.7027, -22.115), (1000, 5.0870, -24.083)], ids=["the deck's 50", "to the minimum"]
)
def test_way_down_the_curve_of_the_deck(steps, x, height):
    end = gradient_descent(slope_of_the_deck, np.array([2.5]), 0.005, steps)[-1]
    assert end[0] == pytest.approx(x, abs=5e-5)
    assert (end**2 * np.sin(end))[0] == pytest.approx(height, abs=5e-4)


def test_way_down_a_bowl_has_a_closed_form():
    """Along an axis of curvature c, the distance shrinks by 1 - lr c at every step."""
    curvature, start = np.array([1.0, 4.0, 0.1]), np.array([3.0, -2.0, 5.0])
    path = gradient_descent(lambda x: curvature * x, start, 0.2, 9)
    expected = start * (1 - 0.2 * curvature) ** np.arange(10)[:, None]
    np.testing.assert_allclose(path, expected, rtol=1e-13)
    np.testing.assert_array_equal(start, [3.0, -2.0, 5.0])


def test_one_example_at_a_time_is_a_batch_of_one():
    x, y, w, order = problem(7)
    design, start = np.column_stack([x, np.ones(7)]), np.append(w, 0.5)
    found = stochastic_gradient_descent(lambda at, n: 2 * (design[n] @ at - y[n]) * design[n], start, 0.05, order)
    expected = minibatch_gradient_descent(x, y, w, 0.5, 0.05, order, 1)
    np.testing.assert_allclose(found, [*expected[0], expected[1]], rtol=1e-12)


def test_every_example_is_visited_once_an_epoch_in_its_order():
    order, visits = problem(6)[3], []

    def grad(w, n):
        visits.append(int(n))
        return 0 * w

    start = np.ones(2)
    np.testing.assert_array_equal(stochastic_gradient_descent(grad, start, 0.1, order), start)
    assert visits == order.ravel().tolist()
