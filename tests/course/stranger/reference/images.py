"""How is an image filtered, with its channels last?"""

import numpy as np

from autograder.topic import Array, Float, case, topic


@topic(lecture="CV 3: convolutional layers", returns=("maps",), pure=True)
def conv2d(
    images: Float[Array, "N H W C"], filters: Float[Array, "KH KW C F"], bias: Float[Array, "F"], stride: int = 1
) -> Float[Array, "N Ho Wo F"]:
    """Cross-correlate images (channels last) with filters, without padding.

    images: (N, H, W, C). filters: (KH, KW, C, F). bias: (F,). stride: pixels from one window to the next, down and to
    the right. Returns (N, Ho, Wo, F).

    >>> conv2d(np.ones((1, 2, 3, 1)), np.ones((2, 2, 1, 1)), np.array([0.5]))[0, :, :, 0]
    array([[4.5, 4.5]])
    """
    kh, kw = filters.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(images, (kh, kw), axis=(1, 2))  # (N, H', W', C, KH, KW)
    windows = windows[:, ::stride, ::stride]
    return np.einsum("nhwcij,ijcf->nhwf", windows, filters) + bias


@conv2d.cases
def _(rng):
    for name, (n, h, w, c), (kh, kw, f), stride in (
        ("stride 1", (2, 6, 7, 3), (3, 2, 4), 1),
        ("stride 2", (3, 9, 8, 2), (2, 3, 5), 2),
        ("one colour, one filter", (2, 5, 8, 1), (3, 4, 2), 1),
        ("steps that leave a border", (1, 8, 11, 2), (3, 2, 3), 3),
    ):
        yield case(
            name,
            images=rng.normal(size=(n, h, w, c)),
            filters=rng.normal(size=(kh, kw, c, f)),
            bias=rng.normal(size=f),
            stride=stride,
        )


@conv2d.alternative
def _(images, filters, bias, stride=1):
    n, h, w, _ = images.shape
    kh, kw, _, f = filters.shape
    maps = np.zeros((n, (h - kh) // stride + 1, (w - kw) // stride + 1, f))
    for i in range(maps.shape[1]):
        for j in range(maps.shape[2]):
            patch = images[:, i * stride : i * stride + kh, j * stride : j * stride + kw]
            maps[:, i, j] = np.tensordot(patch, filters, axes=3) + bias
    return maps


conv2d.misconception(
    "filters flipped",
    ("windows, filters)", "windows, filters[::-1, ::-1])"),
    hint="Convolution in mathematics flips the filter; what does a convolutional layer do?",
)
conv2d.misconception("bias left out", ("+ bias", ""), hint="Each filter has a bias: where does it go?")
conv2d.misconception(
    "stride along one axis only",
    ("windows[:, ::stride, ::stride]", "windows[:, ::stride]"),
    hint="A stride of 2 halves the height. And the width?",
)


@conv2d.wrong("channels first", hint="Which axis of an image holds its colours in this course?")
def _(images, filters, bias, stride=1):
    return conv2d(images, filters, bias, stride).transpose(0, 3, 1, 2)
