"""Softmax cross-entropy, plain and with smoothed labels, against PyTorch and closed forms."""

import numpy as np
import pytest
import torch

from reference.activations import softmax
from reference.losses import label_smoothed_cross_entropy, softmax_cross_entropy
from tests.reference.helpers import slope_along

SEED = 22


def test_loss_of_the_lecture_is_0_357():
    loss, _ = softmax_cross_entropy(np.log([[0.2, 0.7, 0.1]]), np.array([1]))
    assert loss == pytest.approx(-np.log(0.7), rel=1e-14)
    assert round(float(loss), 3) == 0.357


def test_loss_of_equal_scores_is_log_of_the_number_of_classes():
    loss, dlogits = softmax_cross_entropy(np.full((4, 5), 2.5), np.array([0, 1, 2, 4]))
    assert loss == pytest.approx(np.log(5), rel=1e-14)
    np.testing.assert_allclose(dlogits, (0.2 - np.eye(5)[[0, 1, 2, 4]]) / 4, rtol=1e-13)


def test_loss_and_gradient_equal_torch():
    rng = np.random.default_rng(SEED)
    logits, labels = 2 * rng.normal(size=(9, 4)), rng.integers(4, size=9)
    leaf = torch.tensor(logits, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(leaf, torch.tensor(labels))
    expected.backward()
    loss, dlogits = softmax_cross_entropy(logits, labels)
    assert loss == pytest.approx(expected.item(), rel=1e-13)
    np.testing.assert_allclose(dlogits, leaf.grad.numpy(), rtol=1e-12, atol=1e-16)


def test_gradient_is_that_of_the_loss_along_random_directions():
    rng = np.random.default_rng(SEED)
    logits, labels = rng.normal(size=(6, 5)), rng.integers(5, size=6)
    _, dlogits = softmax_cross_entropy(logits, labels)
    for direction in rng.normal(size=(5, 6, 5)):
        numerical = slope_along(lambda at: softmax_cross_entropy(at, labels)[0], logits, direction)
        assert (dlogits * direction).sum() == pytest.approx(numerical, rel=1e-7)


def test_gradient_is_the_full_jacobian_of_softmax():
    """-1/p of the true class, times diag(p) - p p^T: not only its diagonal."""
    logits = np.random.default_rng(SEED).normal(size=(1, 6))
    p = softmax(logits)[0]
    slope = np.where(np.arange(6) == 2, -1 / p, 0.0)
    _, dlogits = softmax_cross_entropy(logits, np.array([2]))
    np.testing.assert_allclose(dlogits[0], slope @ (np.diag(p) - np.outer(p, p)), rtol=1e-12)


def test_huge_logits_cost_their_distance():
    logits = np.array([[5000.0, -5000.0, 0.0], [0.0, 9000.0, 8990.0]])
    loss, dlogits = softmax_cross_entropy(logits, np.array([1, 0]))
    tail = np.log1p(np.exp(-10))
    assert loss == pytest.approx((10000 + 9000 + tail) / 2, rel=1e-14)
    second = np.array([-1, 1 / (1 + np.exp(-10)), 1 / (1 + np.exp(10))]) / 2
    np.testing.assert_allclose(dlogits, [[0.5, -0.5, 0.0], second], rtol=1e-12, atol=1e-16)


def test_gradient_rows_add_up_to_zero():
    rng = np.random.default_rng(SEED)
    _, dlogits = softmax_cross_entropy(rng.normal(size=(8, 3)), rng.integers(3, size=8))
    np.testing.assert_allclose(dlogits.sum(axis=1), 0, atol=1e-16)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_smoothed_loss_and_gradient_equal_torch(smoothing):
    rng = np.random.default_rng(SEED)
    logits, labels = 2 * rng.normal(size=(9, 4)), rng.integers(4, size=9)
    leaf = torch.tensor(logits, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(leaf, torch.tensor(labels), label_smoothing=smoothing)
    expected.backward()
    loss, dlogits = label_smoothed_cross_entropy(logits, labels, smoothing)
    assert loss == pytest.approx(expected.item(), rel=1e-13)
    np.testing.assert_allclose(dlogits, leaf.grad.numpy(), rtol=1e-11, atol=1e-16)


def test_without_smoothing_it_is_the_plain_loss():
    rng = np.random.default_rng(SEED)
    logits, labels = rng.normal(size=(1, 6)), np.array([4])
    for smoothed, plain in zip(
        label_smoothed_cross_entropy(logits, labels, 0.0), softmax_cross_entropy(logits, labels), strict=True
    ):
        np.testing.assert_allclose(smoothed, plain, rtol=1e-13)


def test_smoothed_loss_is_lowest_at_its_own_targets():
    """With e = 0.3 and three classes the true one is wanted at 0.8, the others at 0.1."""
    lowest, dlogits = label_smoothed_cross_entropy(np.log([[0.1, 0.8, 0.1]]), np.array([1]), 0.3)
    np.testing.assert_allclose(dlogits, 0, atol=1e-15)
    assert lowest < label_smoothed_cross_entropy(np.log([[0.01, 0.98, 0.01]]), np.array([1]), 0.3)[0]


def test_smoothed_loss_of_huge_logits():
    """Sure and right is no longer free: each wrong class is 2000 away, and wanted at 0.1."""
    loss, dlogits = label_smoothed_cross_entropy(np.array([[-1000.0, 1000.0, -1000.0]]), np.array([1]), 0.3)
    assert loss == pytest.approx(400.0, rel=1e-14)
    np.testing.assert_allclose(dlogits, [[-0.1, 0.2, -0.1]], rtol=1e-13)
