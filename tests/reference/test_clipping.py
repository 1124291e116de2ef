"""Clipping against torch, which adds 1e-6 to the norm, and at its edges."""

import numpy as np
import pytest

from reference.clipping import clip_gradient_norm, clip_gradient_value

torch = pytest.importorskip("torch")

SHAPES = [(3, 4), (4,), (), (2, 1, 2)]


def gradients(seed):
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.normal(size=shape)) for shape in SHAPES]


@pytest.mark.parametrize("threshold", [0.1, 2.0, 50.0])
def test_norm_is_clipped_as_torch_does(threshold):
    grads = gradients(3)
    parameters = [torch.zeros(shape, dtype=torch.float64, requires_grad=True) for shape in SHAPES]
    for parameter, grad in zip(parameters, grads, strict=True):
        parameter.grad = torch.tensor(grad)
    torch.nn.utils.clip_grad_norm_(parameters, threshold)
    for parameter, clipped in zip(parameters, clip_gradient_norm(grads, threshold), strict=True):
        np.testing.assert_allclose(clipped, parameter.grad.numpy(), rtol=1e-6)


def test_direction_is_kept_and_the_norm_is_the_threshold():
    grads = gradients(4)
    clipped = clip_gradient_norm(grads, 1.5)
    before, after = (np.concatenate([np.ravel(g) for g in each]) for each in (grads, clipped))
    assert np.linalg.norm(after) == pytest.approx(1.5)
    assert before @ after == pytest.approx(np.linalg.norm(before) * 1.5)


def test_norm_at_the_threshold_and_of_zero_is_left_alone():
    (kept,) = clip_gradient_norm([np.array([3.0, 4.0])], 5.0)
    np.testing.assert_array_equal(kept, [3.0, 4.0])
    (zero,) = clip_gradient_norm([np.zeros(3)], 1.0)
    np.testing.assert_array_equal(zero, np.zeros(3))


def test_value_is_clipped_as_torch_does():
    (grad, *_) = gradients(5)
    parameter = torch.zeros(3, 4, dtype=torch.float64, requires_grad=True)
    parameter.grad = torch.tensor(grad)
    torch.nn.utils.clip_grad_value_([parameter], 0.7)
    np.testing.assert_array_equal(clip_gradient_value(grad, 0.7), parameter.grad.numpy())
