"""The convolution against torch in float64: all gradients, and what shapes and places follow from the formula."""

import numpy as np
import pytest

from reference.convolution import conv2d_backward, conv2d_forward

torch = pytest.importorskip("torch")


@pytest.mark.parametrize(
    ("image", "filters", "stride", "padding"),
    [
        ((2, 3, 6, 5), (4, 3, 3, 2), 1, 0),
        ((1, 1, 5, 5), (1, 1, 3, 3), 2, 1),
        ((2, 2, 7, 8), (3, 2, 2, 3), 3, 2),
        ((3, 2, 3, 4), (2, 2, 3, 4), 1, 0),
    ],
    ids=["plain", "W=5 F=3 S=2 P=1", "stride that does not divide", "one place"],
)
def test_values_and_gradients_are_those_of_torch(image, filters, stride, padding):
    rng = np.random.default_rng(8)
    x, w, b = rng.normal(size=image), rng.normal(size=filters), rng.normal(size=filters[0])
    given = [torch.tensor(each, requires_grad=True) for each in (x, w, b)]
    expected = torch.nn.functional.conv2d(*given, stride=stride, padding=padding)
    dout = rng.normal(size=tuple(expected.shape))
    expected.backward(torch.tensor(dout))
    out, cache = conv2d_forward(x, w, b, stride, padding)
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-12, atol=1e-12)
    for gradient, tensor in zip(conv2d_backward(dout, cache), given, strict=True):
        np.testing.assert_allclose(gradient, tensor.grad.numpy(), rtol=1e-11, atol=1e-12)


def test_a_shifted_image_has_a_shifted_answer():
    rng = np.random.default_rng(9)
    x, w = rng.normal(size=(1, 2, 8, 9)), rng.normal(size=(3, 2, 3, 2))
    here, _ = conv2d_forward(x, w, np.zeros(3), 1, 0)
    there, _ = conv2d_forward(np.roll(x, (1, 2), axis=(2, 3)), w, np.zeros(3), 1, 0)
    np.testing.assert_allclose(there[:, :, 1:, 2:], here[:, :, :-1, :-2], rtol=1e-12)
