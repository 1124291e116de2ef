"""The losses of regression against PyTorch, closed forms and each other."""

import numpy as np
import pytest
import torch

from reference.regression_losses import absolute_error, huber, squared_error
from tests.reference.helpers import slope_along

SEED = 41
# The grades of deck 003: predicted and true.
PREDICTED, TRUE = np.array([[30.0], [80.0], [85.0]]), np.array([[90.0], [20.0], [95.0]])
LOSSES = {
    "squared": (squared_error, torch.nn.functional.mse_loss),
    "absolute": (absolute_error, torch.nn.functional.l1_loss),
    "huber, delta 0.7": (
        lambda predictions, targets: huber(predictions, targets, 0.7),
        lambda predictions, targets: torch.nn.functional.huber_loss(predictions, targets, delta=0.7),
    ),
}
losses = pytest.mark.parametrize("name", LOSSES)


def drawn(n=6, d=5):
    rng = np.random.default_rng(SEED)
    return rng.normal(size=(n, d)), rng.normal(size=(n, d))


@losses
@pytest.mark.parametrize("shape", [(6, 5), (1, 4), (8, 1)], ids=str)
def test_loss_and_gradient_are_torchs_times_the_number_of_outputs(name, shape):
    ours, theirs = LOSSES[name]
    predictions, targets = drawn(*shape)
    leaf = torch.tensor(predictions, requires_grad=True)
    expected = shape[1] * theirs(leaf, torch.tensor(targets))
    expected.backward()
    loss, dpredictions = ours(predictions, targets)
    assert loss == pytest.approx(expected.item(), rel=1e-13)
    np.testing.assert_allclose(dpredictions, leaf.grad.numpy(), rtol=1e-12, atol=1e-16)


@losses
def test_gradient_is_that_of_the_loss(name):
    predictions, targets = drawn()
    loss_of, direction = LOSSES[name][0], np.random.default_rng(SEED + 1).normal(size=predictions.shape)
    numerical = slope_along(lambda at: loss_of(at, targets)[0], predictions, direction)
    assert (loss_of(predictions, targets)[1] * direction).sum() == pytest.approx(numerical, rel=1e-7)


@losses
def test_perfect_predictions_cost_nothing_and_stay(name):
    targets = drawn()[1]
    loss, dpredictions = LOSSES[name][0](targets.copy(), targets)
    assert loss == 0
    assert not dpredictions.any()


@losses
def test_batch_taken_twice_costs_the_same(name):
    once, twice = (LOSSES[name][0](*(np.tile(each, (k, 1)) for each in drawn()))[0] for k in (1, 2))
    assert twice == pytest.approx(once, rel=1e-13)


@pytest.mark.parametrize(
    ("loss", "costs"),
    [
        (squared_error(PREDICTED, TRUE)[0], (3600, 3600, 100)),
        (absolute_error(PREDICTED, TRUE)[0], (60, 60, 10)),
        (huber(PREDICTED, TRUE, 20.0)[0], (1000, 1000, 50)),
    ],
    ids=["squared", "absolute", "huber"],
)
def test_grades_of_the_lecture(loss, costs):
    assert loss == pytest.approx(np.mean(costs), rel=1e-14)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_branches_of_huber_meet_at_delta(sign):
    """Value and slope at |r| = delta are the same from both sides: r**2 / 2 and r."""
    at, zero = np.array([[sign * 1.5]]), np.zeros((1, 1))
    for delta in (1.5, np.nextafter(1.5, 0.0), np.nextafter(1.5, 2.0)):
        loss, dpredictions = huber(at, zero, delta)
        assert loss == pytest.approx(1.125, rel=1e-14)
        assert dpredictions[0, 0] == pytest.approx(sign * 1.5, rel=1e-14)


def test_huber_lies_between_its_two_relatives():
    """With a large delta it is half the squared error, with a small one delta times the absolute one."""
    predictions, targets = drawn()
    assert huber(predictions, targets, 1e3)[0] == pytest.approx(squared_error(predictions, targets)[0] / 2, rel=1e-13)
    small = 1e-9
    expected = small * absolute_error(predictions, targets)[0]
    assert huber(predictions, targets, small)[0] == pytest.approx(expected, rel=1e-7)


def test_outlier_pulls_with_delta_only():
    _, dpredictions = huber(np.array([[1e9, -1e9]]), np.zeros((1, 2)), 2.0)
    assert dpredictions.tolist() == [[2.0, -2.0]]
