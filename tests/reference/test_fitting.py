"""Fitted models against least squares, Newton's method and the bars of their long runs."""

import numpy as np
import pytest

from autograder.suite.calibrate import calibrate
from reference.fitting import excess_cross_entropy, excess_mse, fit_linear, fit_logistic
from reference.gradient_descent import minibatch_gradient_descent
from reference.regression import logistic_loss, mse_loss

SEED = 42


def data(n=30, d=3):
    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(n, d))
    return x, x @ np.array([2.0, -1.0, 0.5])[:d] + 3.0 + 0.5 * rng.normal(size=n)


def test_many_steps_reach_the_least_squares_solution():
    x, y = data()
    best = np.linalg.lstsq(np.column_stack([x, np.ones(30)]), y, rcond=None)[0]
    w, b = fit_linear(x, y, 0.1, 500)
    np.testing.assert_allclose([*w, b], best, rtol=1e-10)


def test_steps_are_those_of_full_batches():
    x, y = data()
    expected = minibatch_gradient_descent(x, y, np.zeros(3), 0.0, 0.05, np.tile(np.arange(30), (7, 1)), 30)
    w, b = fit_linear(x, y, 0.05, 7)
    np.testing.assert_array_equal(w, expected[0])
    assert b == expected[1]


def test_many_steps_reach_the_best_logistic_model():
    x, y = data()
    labels = (y > 3 + np.random.default_rng(SEED + 1).normal(size=30)).astype(np.float64)
    w, b = fit_logistic(x, labels, 1.0, 20000)
    _, dw, db = logistic_loss(w, b, x, labels)
    np.testing.assert_allclose([*dw, db], 0, atol=1e-10)
    assert excess_cross_entropy({"x": x, "y": labels}, (w, b)) < 1e-11


def test_excess_is_the_difference_to_the_smallest_loss():
    x, y = data()
    w, b = fit_linear(x, y, 0.1, 500)
    start = (np.zeros(3), 0.0)
    expected = mse_loss(*start, x, y)[0] - mse_loss(w, b, x, y)[0]
    assert excess_mse({"x": x, "y": y}, start) == pytest.approx(expected, rel=1e-9)
    assert excess_mse({"x": x, "y": y}, (w, b)) < 1e-11


@pytest.mark.parametrize("topic", [fit_linear, fit_logistic], ids=["linear", "logistic"])
def test_bar_of_the_long_run_is_far_below_its_start_and_out_of_reach_of_mistakes(topic):
    bar = np.exp(calibrate(topic, np.random.SeedSequence(SEED)).log_loss)
    run = topic.training.draw(np.random.default_rng(SEED))
    assert topic.training.loss(run, topic(**run)) < bar
    start = topic.training.loss(run, (np.zeros(run["x"].shape[1]), 0.0))
    assert bar < 0.05 * start
    for wrong in ("bias never updated", "loss climbed instead of descended"):
        (names,) = (each.names for each in topic.misconceptions if each.name == wrong)
        assert topic.training.loss(run, names[topic.name](**run)) > bar


def test_other_shapes_are_no_model():
    x, y = data()
    for excess in (excess_mse, excess_cross_entropy):
        for model in ((np.zeros(2), 0.0), (np.zeros(3), np.zeros(1))):
            with pytest.raises(ValueError, match="shape"):
                excess({"x": x, "y": y}, model)
