"""Hinge and binary cross-entropy against PyTorch, closed forms and extreme scores."""

import numpy as np
import pytest
import torch

from reference.classification_losses import binary_cross_entropy, hinge
from tests.reference.helpers import slope_along

SEED = 42


@pytest.mark.parametrize(
    ("score", "label", "loss", "slope"),
    [
        (3.0, 1.0, 0.0, 0.0),
        (0.25, 1.0, 0.75, -1.0),
        (-2.0, 1.0, 3.0, -1.0),
        (-2.0, -1.0, 0.0, 0.0),
        (0.25, -1.0, 1.25, 1.0),
        (1.0, 1.0, 0.0, 0.0),
        (-1.0, -1.0, 0.0, 0.0),
        (1e300, -1.0, 1e300, 1.0),
    ],
)
def test_hinge_of_one_example(score, label, loss, slope):
    assert [np.asarray(each).item() for each in hinge(np.array([score]), np.array([label]))] == [loss, slope]


def test_hinge_equals_torch():
    """For labels -1 and 1 torch's margin loss of two inputs is the hinge of the score, with a margin of 1."""
    rng = np.random.default_rng(SEED)
    scores, labels = rng.normal(size=30), rng.choice([-1.0, 1.0], size=30)
    leaf = torch.tensor(scores, requires_grad=True)
    expected = torch.nn.functional.margin_ranking_loss(
        leaf, torch.zeros(30, dtype=torch.float64), torch.tensor(labels), margin=1.0
    )
    expected.backward()
    loss, dscores = hinge(scores, labels)
    assert loss == pytest.approx(expected.item(), rel=1e-13)
    np.testing.assert_allclose(dscores, leaf.grad.numpy(), rtol=1e-13)


@pytest.mark.parametrize("soft", [False, True])
def test_binary_cross_entropy_equals_torch(soft):
    rng = np.random.default_rng(SEED)
    logits = 3 * rng.normal(size=20)
    targets = rng.uniform(size=20) if soft else rng.integers(2, size=20).astype(float)
    leaf = torch.tensor(logits, requires_grad=True)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(leaf, torch.tensor(targets))
    expected.backward()
    loss, dlogits = binary_cross_entropy(logits, targets)
    assert loss == pytest.approx(expected.item(), rel=1e-13)
    np.testing.assert_allclose(dlogits, leaf.grad.numpy(), rtol=1e-12, atol=1e-16)


def test_binary_cross_entropy_is_the_formula_of_the_slide():
    logits, targets = np.array([-1.0, 0.5, 2.0]), np.array([1.0, 0.3, 0.0])
    p = 1 / (1 + np.exp(-logits))
    expected = -(targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean()
    assert binary_cross_entropy(logits, targets)[0] == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    ("logit", "target", "loss", "slope"),
    [
        (0.0, 1.0, np.log(2), -0.5),
        (1e3, 0.0, 1e3, 1.0),
        (-1e3, 1.0, 1e3, -1.0),
        (1e3, 1.0, 0.0, 0.0),
        (-1e3, 0.0, 0.0, 0.0),
        (1e300, 0.5, 5e299, 0.5),
        (40.0, 1.0, np.exp(-40), -np.exp(-40)),  # what is left of the loss is small, not zero
    ],
)
def test_binary_cross_entropy_of_one_example(logit, target, loss, slope):
    found, dlogits = binary_cross_entropy(np.array([logit]), np.array([target]))
    assert found == pytest.approx(loss, rel=1e-13)
    # The small slope is a difference of numbers near 1: exact to their rounding.
    assert dlogits[0] == pytest.approx(slope, rel=1e-13, abs=1e-15)


def test_gradient_of_binary_cross_entropy_is_that_of_its_loss():
    rng = np.random.default_rng(SEED)
    logits, targets, direction = rng.normal(size=9), rng.uniform(size=9), rng.normal(size=9)
    numerical = slope_along(lambda at: binary_cross_entropy(at, targets)[0], logits, direction)
    assert binary_cross_entropy(logits, targets)[1] @ direction == pytest.approx(numerical, rel=1e-7)
