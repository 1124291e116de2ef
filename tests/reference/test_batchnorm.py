"""Batch normalisation against torch.nn.BatchNorm1d in float64, in both modes."""

import numpy as np
import pytest

from reference.batchnorm import BatchNorm, batchnorm_backward, batchnorm_forward

torch = pytest.importorskip("torch")


def drawn(n=7, d=4):
    rng = np.random.default_rng(11)
    return rng.normal(size=(n, d)) + 3.0, rng.normal(size=d), rng.normal(size=d), rng.normal(size=(n, d))


def test_values_and_gradients_are_those_of_torch():
    x, gamma, beta, dout = drawn()
    given = [torch.tensor(each, requires_grad=True) for each in (x, gamma, beta)]
    expected = torch.nn.functional.batch_norm(given[0], None, None, given[1], given[2], training=True, eps=1e-3)
    expected.backward(torch.tensor(dout))
    out, cache = batchnorm_forward(x, gamma, beta, 1e-3)
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-11)
    for gradient, tensor in zip(batchnorm_backward(dout, cache), given, strict=True):
        np.testing.assert_allclose(gradient, tensor.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_gradients_cancel_over_the_batch():
    x, gamma, beta, dout = drawn()
    dx, _, _ = batchnorm_backward(dout, batchnorm_forward(x, gamma, beta, 1e-12)[1])
    np.testing.assert_allclose(dx.sum(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose((dx * x).sum(axis=0), 0, atol=1e-11)


def test_a_life_of_two_modes_is_that_of_torch():
    _, gamma, beta, _ = drawn()
    theirs = torch.nn.BatchNorm1d(4, eps=1e-3, momentum=0.2).double()
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(gamma))
        theirs.bias.copy_(torch.tensor(beta))
    ours, rng = BatchNorm(gamma, beta, 0.2, 1e-3), np.random.default_rng(12)
    for n, training in ((5, True), (2, False), (9, True), (1, False)):
        x = rng.normal(size=(n, 4)) * 2 + 1
        theirs.train(training)
        np.testing.assert_allclose(ours.forward(x, training), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-11)
    np.testing.assert_allclose(ours.running_mean, theirs.running_mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(ours.running_var, theirs.running_var.numpy(), rtol=1e-12)


def test_feature_that_does_not_vary_becomes_beta():
    out, cache = batchnorm_forward(np.full((4, 1), 0.7), np.ones(1), np.array([2.0]), 1e-5)
    np.testing.assert_allclose(out, 2.0)
    assert np.isfinite(batchnorm_backward(np.ones((4, 1)), cache)[0]).all()
