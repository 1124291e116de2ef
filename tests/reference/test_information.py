"""Entropy, divergence and cross-entropy against SciPy, PyTorch and the laws between them."""

import numpy as np
import pytest
import scipy.stats
import torch

from reference.activations import softmax
from reference.information import categorical_cross_entropy, entropy, kl_divergence
from reference.losses import softmax_cross_entropy
from tests.reference.helpers import slope_along

SEED = 43


def distributions(n=6, c=5, seed=SEED):
    return np.random.default_rng(seed).dirichlet(np.ones(c), size=n)


def test_entropy_equals_scipy():
    p = distributions()
    np.testing.assert_allclose(entropy(p), scipy.stats.entropy(p, axis=1), rtol=1e-13)


def test_divergence_equals_scipy():
    p, q = distributions(), distributions(seed=SEED + 1)
    np.testing.assert_allclose(kl_divergence(p, q), scipy.stats.entropy(p, q, axis=1), rtol=1e-12)


@pytest.mark.parametrize("c", [1, 2, 7])
def test_entropy_is_largest_where_all_classes_are_alike(c):
    assert entropy(np.full((1, c), 1 / c))[0] == pytest.approx(np.log(c), rel=1e-14, abs=1e-15)
    assert (entropy(distributions(20, c)) <= np.log(c) + 1e-14).all()


@pytest.mark.parametrize(
    ("p", "q", "divergence"),
    [
        ([0.5, 0.5, 0.0], [0.5, 0.5, 0.0], 0.0),
        ([1.0, 0.0, 0.0], [0.5, 0.25, 0.25], np.log(2)),
        ([1.0, 0.0, 0.0], [0.5, 0.5, 0.0], np.log(2)),
        ([0.5, 0.5, 0.0], [1.0, 0.0, 0.0], np.inf),
        ([1.0, 0.0, 0.0], [1e-200, 1.0, 0.0], 200 * np.log(10)),
    ],
)
def test_divergence_with_zeros(p, q, divergence):
    assert kl_divergence(np.array([p]), np.array([q]))[0] == pytest.approx(divergence, rel=1e-14)


def test_divergence_is_never_negative_and_not_symmetric():
    p, q = distributions(50), distributions(50, seed=SEED + 1)
    assert (kl_divergence(p, q) > 0).all()
    assert not np.allclose(kl_divergence(p, q), kl_divergence(q, p), rtol=1e-2)


def test_cross_entropy_is_entropy_and_divergence():
    t, p = distributions(), distributions(seed=SEED + 1)
    expected = (entropy(t) + kl_divergence(t, p)).mean()
    assert categorical_cross_entropy(p, t)[0] == pytest.approx(expected, rel=1e-13)


def test_cross_entropy_of_the_lecture_is_0_357():
    loss, dprobabilities = categorical_cross_entropy(np.array([[0.2, 0.7, 0.1]]), np.array([[0.0, 1.0, 0.0]]))
    assert loss == pytest.approx(-np.log(0.7), rel=1e-14)
    np.testing.assert_allclose(dprobabilities, [[0.0, -1 / 0.7, 0.0]], rtol=1e-14)


def test_cross_entropy_equals_torch_behind_its_logarithm():
    t, p = distributions(), distributions(seed=SEED + 1)
    leaf = torch.tensor(p, requires_grad=True)
    # A cross-entropy of logarithms of probabilities is one of logits; that softmax changes nothing here.
    expected = -(torch.tensor(t) * torch.log(leaf)).sum(dim=1).mean()
    expected.backward()
    loss, dprobabilities = categorical_cross_entropy(p, t)
    assert loss == pytest.approx(expected.item(), rel=1e-13)
    assert loss == pytest.approx(torch.nn.functional.cross_entropy(torch.log(leaf), torch.tensor(t)).item(), rel=1e-13)
    np.testing.assert_allclose(dprobabilities, leaf.grad.numpy(), rtol=1e-13)


def test_gradient_of_cross_entropy_is_that_of_its_loss():
    t, p = distributions(), 0.1 + distributions(seed=SEED + 1)
    direction = np.random.default_rng(SEED).normal(size=p.shape)
    numerical = slope_along(lambda at: categorical_cross_entropy(at, t)[0], p, direction)
    assert (categorical_cross_entropy(p, t)[1] * direction).sum() == pytest.approx(numerical, rel=1e-7)


def test_cross_entropy_behind_a_softmax_is_softmax_cross_entropy():
    """Its gradient, through the full Jacobian diag(p) - p p^T, becomes p - t."""
    rng = np.random.default_rng(SEED)
    logits, labels = rng.normal(size=(7, 4)), rng.integers(4, size=7)
    p = softmax(logits)
    loss, dp = categorical_cross_entropy(p, np.eye(4)[labels])
    expected, dlogits = softmax_cross_entropy(logits, labels)
    assert loss == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(p * (dp - (dp * p).sum(axis=1, keepdims=True)), dlogits, rtol=1e-11, atol=1e-16)


def test_cross_entropy_with_classes_excluded():
    p = np.array([[0.5, 0.5, 0.0], [0.0, 1e-30, 1.0]])
    loss, dprobabilities = categorical_cross_entropy(p, np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    assert loss == pytest.approx((np.log(2) + 30 * np.log(10)) / 2, rel=1e-14)
    np.testing.assert_allclose(dprobabilities, [[-1.0, 0.0, 0.0], [0.0, -0.5e30, 0.0]], rtol=1e-14)
