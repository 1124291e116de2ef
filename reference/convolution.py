"""How is an image convolved with filters, and how does the gradient come back?"""

import math

import numpy as np

from autograder.topic import Array, Float, Opaque, case, close, layer


def conv2d_forward(
    x: Float[Array, "N C H W"], w: Float[Array, "F C KH KW"], b: Float[Array, "F"], stride: int, padding: int
) -> tuple[Float[Array, "N F OH OW"], Opaque]:
    """Forward of a convolution layer: every filter is laid on every place of every image.

    Formula: with x padded by zeros, `out[n, f, i, j] = b[f] + sum over c, k, l of
    x[n, c, stride i + k, stride j + l] w[f, c, k, l]`; `OH = floor((H + 2 padding - KH) / stride) + 1`, OW likewise.

    Arguments:
        x: (N, C, H, W) floating. w: (F, C, KH, KW) floating. b: (F,) floating.
        stride: at least 1. padding: rows and columns of zeros on each side.

    Returns:
        out: (N, F, OH, OW). cache: whatever backward needs.

    Convention: the filter is not turned round: what networks call convolution is a cross-correlation, as in
    `torch.nn.functional.conv2d`. Where the stride does not divide, the last rows and columns are left out.

    Example:
        >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
        >>> conv2d_forward(x, np.ones((1, 1, 2, 2)), np.zeros(1), 1, 0)[0].tolist()
        [[[[8.0, 12.0], [20.0, 24.0]]]]

    Source: deck 004, "Convolutional Neural Network: LeNet (1998)"; deck 003, its slides of convolution layers.
    """
    windows = _windows(_padded(x, padding), w.shape, stride)  # (N, C, OH, OW, KH, KW)
    out = np.tensordot(windows, w, axes=([1, 4, 5], [1, 2, 3]))  # -> (N, OH, OW, F)
    return out.transpose(0, 3, 1, 2) + b[:, None, None], (x, w, stride, padding)


def conv2d_backward(
    dout: Float[Array, "N F OH OW"], cache: Opaque
) -> tuple[Float[Array, "N C H W"], Float[Array, "F C KH KW"], Float[Array, "F"]]:
    """Gradients of a convolution layer.

    Arguments:
        dout: (N, F, OH, OW), gradient of the loss by out. cache: of the forward.

    Returns:
        dx: (N, C, H, W); dw: (F, C, KH, KW); db: (F,).

    Backward: `db[f]` sums dout over all places; `dw[f, c, k, l] = sum of dout[n, f, i, j] x[n, c, stride i + k,
    stride j + l]`; each dout[n, f, i, j] adds w[f] times itself to the place of dx from which it was computed, and
    the padding is cut off at the end.

    Example:
        >>> _, cache = conv2d_forward(np.ones((1, 1, 2, 2)), np.full((1, 1, 1, 1), 3.0), np.zeros(1), 1, 0)
        >>> dx, dw, db = conv2d_backward(np.ones((1, 1, 2, 2)), cache)
        >>> dx.tolist(), dw.ravel().tolist(), db.tolist()
        ([[[[3.0, 3.0], [3.0, 3.0]]]], [4.0], [4.0])

    Source: deck 004, "Backpropagation with a Computational Graph", for a convolution.
    """
    x, w, stride, padding = cache
    padded = _padded(x, padding)
    windows = _windows(padded, w.shape, stride)
    dw = np.tensordot(dout, windows, axes=([0, 2, 3], [0, 2, 3]))  # -> (F, C, KH, KW)
    dpadded = np.zeros_like(padded)
    rows, columns = dout.shape[2:]
    for k in range(w.shape[2]):
        for l in range(w.shape[3]):  # noqa: E741
            part = np.tensordot(dout, w[:, :, k, l], axes=([1], [0]))  # (N, OH, OW, C)
            place = np.s_[:, :, k : k + stride * rows : stride, l : l + stride * columns : stride]
            dpadded[place] += part.transpose(0, 3, 1, 2)
    height, width = x.shape[2:]
    dx = dpadded[:, :, padding : padding + height, padding : padding + width]
    return dx, dw, dout.sum(axis=(0, 2, 3))


def _padded(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


def _windows(padded, shape, stride):
    """Every place on which a filter is laid, as a view: (N, C, OH, OW, KH, KW)."""
    every = np.lib.stride_tricks.sliding_window_view(padded, shape[2:], axis=(2, 3))
    return every[:, :, ::stride, ::stride]


conv2d = layer(
    conv2d_forward,
    conv2d_backward,
    lecture="004: Convolutional Neural Network: LeNet (1998)",
    gradients=("x", "w", "b"),
)


@conv2d.cases
def _(rng):
    # Neither images nor filters are square, so that no axis can be taken for another.
    yield case("no stride, no padding", **_drawn(rng, (2, 3, 5, 6), (4, 3, 3, 2)), stride=1, padding=0)
    yield case("padding", **_drawn(rng, (3, 2, 4, 5), (2, 2, 3, 3)), stride=1, padding=1)
    yield case("stride", **_drawn(rng, (2, 2, 7, 5), (3, 2, 3, 1)), stride=2, padding=0)
    yield case("stride that does not divide", **_drawn(rng, (2, 1, 6, 7), (3, 1, 2, 2)), stride=3, padding=1)
    yield case("filter of one pixel", edge=0.1, **_drawn(rng, (2, 3, 3, 4), (2, 3, 1, 1)), stride=1, padding=0)
    yield case("one place only", edge=0.1, **_drawn(rng, (1, 2, 3, 4), (3, 2, 3, 4)), stride=2, padding=0)


def _drawn(rng, image, filters):
    return {"x": rng.normal(size=image), "w": rng.normal(size=filters), "b": rng.normal(size=filters[0])}


@conv2d.alternative
def _():
    """One place after the other."""

    def forward(x, w, b, stride, padding):
        n, c, h, wide = x.shape
        f, _, kh, kw = w.shape
        big = np.zeros((n, c, h + 2 * padding, wide + 2 * padding))
        big[:, :, padding : padding + h, padding : padding + wide] = x
        oh, ow = (big.shape[2] - kh) // stride + 1, (big.shape[3] - kw) // stride + 1
        out, weights = np.zeros((n, f, oh, ow)), np.reshape(w, (f, -1)).astype(np.float64)
        for i in range(oh):
            for j in range(ow):
                patch = big[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
                out[:, :, i, j] = patch.reshape(n, -1) @ weights.T + b
        return out, (big, weights, w.shape, stride, padding)

    def backward(dout, cache):
        big, weights, (f, c, kh, kw), stride, padding = cache
        n, dbig, dw = len(dout), np.zeros(big.shape), np.zeros(weights.shape)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                place = np.s_[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
                dw += dout[:, :, i, j].T @ big[place].reshape(n, -1)
                dbig[place] += (dout[:, :, i, j] @ weights).reshape(n, c, kh, kw)
        dx = dbig[:, :, padding : dbig.shape[2] - padding, padding : dbig.shape[3] - padding]
        return dx, dw.reshape(f, c, kh, kw), np.array([math.fsum(each) for each in dout.swapaxes(0, 1).reshape(f, -1)])

    return forward, backward


@conv2d.alternative
def _():
    """All windows as columns of one matrix, which backward keeps: what most people write."""

    def places(shape, kernel, stride):
        c, kh, kw = kernel
        oh, ow = (shape[2] - kh) // stride + 1, (shape[3] - kw) // stride + 1
        k, i, j = (each.reshape(-1, 1) for each in np.indices((c, kh, kw)))
        top, left = (stride * each.reshape(1, -1) for each in np.indices((oh, ow)))
        return (slice(None), k, i + top, j + left), oh, ow

    def forward(x, w, b, stride, padding):
        big = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
        place, oh, ow = places(big.shape, w.shape[1:], stride)
        columns = big[place].transpose(1, 0, 2).reshape(w[0].size, -1)  # (CKK, N * OH * OW)
        out = w.reshape(len(w), -1) @ columns + b.reshape(-1, 1)
        return out.reshape(len(w), len(x), oh, ow).transpose(1, 0, 2, 3), (columns, big.shape, w, stride, padding)

    def backward(dout, cache):
        columns, shape, w, stride, padding = cache
        rows = dout.transpose(1, 0, 2, 3).reshape(len(w), -1)
        dw = (rows @ columns.T).reshape(w.shape)
        dcolumns = (w.reshape(len(w), -1).T @ rows).reshape(w[0].size, len(dout), -1)
        dbig = np.zeros(shape)
        np.add.at(dbig, places(shape, w.shape[1:], stride)[0], dcolumns.transpose(1, 0, 2))
        return dbig[:, :, padding : shape[2] - padding, padding : shape[3] - padding], dw, rows.sum(axis=1)

    return forward, backward


@conv2d.costly
def _(rng):
    return {**_drawn(rng, (10, 8, 28, 28), (16, 8, 5, 5)), "stride": 1, "padding": 2}


@conv2d.slow("loops over every output")
def _():
    def forward(x, w, b, stride, padding):
        big = _padded(x, padding)
        kh, kw = w.shape[2:]
        oh, ow = (big.shape[2] - kh) // stride + 1, (big.shape[3] - kw) // stride + 1
        out = np.zeros((len(x), len(w), oh, ow))
        for n, f, i, j in np.ndindex(*out.shape):
            patch = big[n, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
            out[n, f, i, j] = np.sum(patch * w[f]) + b[f]
        return out, (big, x.shape, w, stride, padding)

    def backward(dout, cache):
        big, (_, _, height, width), w, stride, padding = cache
        kh, kw = w.shape[2:]
        dbig, dw, db = np.zeros(big.shape), np.zeros(w.shape), np.zeros(len(w))
        for n, f, i, j in np.ndindex(*dout.shape):
            place = np.s_[n, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
            dw[f] += dout[n, f, i, j] * big[place]
            dbig[place] += dout[n, f, i, j] * w[f]
            db[f] += dout[n, f, i, j]
        return dbig[:, :, padding : padding + height, padding : padding + width], dw, db

    return forward, backward


@conv2d.bulky("every window times every filter at once")
def _():
    def forward(x, w, b, stride, padding):
        windows = _windows(_padded(x, padding), w.shape, stride)
        out = (windows[:, None] * w[:, :, None, None]).sum(axis=(2, 5, 6))  # of (N, F, C, OH, OW, KH, KW)
        return out + b[:, None, None], (x, w, stride, padding)

    return forward, conv2d_backward


@conv2d.worked("a binary image", lecture="002: Convolution")
def _():
    image = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]) * 1.0
    kernel = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]]) * 1.0
    out, _cache = conv2d_forward(image[None, None], kernel[None, None], np.zeros(1), 1, 0)
    close(out, [[[[4, 3, 4], [2, 4, 3], [2, 3, 4]]]])


@conv2d.worked("an edge is found", lecture="000: Edge detection")
def _():
    # Half of the image is 10, half is 0.
    image = np.zeros((1, 1, 6, 6))
    image[..., :3] = 10.0
    kernel = np.array([[[[1.0, 0.0, -1.0]] * 3]])
    out, _cache = conv2d_forward(image, kernel, np.zeros(1), 1, 0)
    close(out, [[[[0, 30, 30, 0]] * 4]])
    # W = 5, F = 3, S = 2, P = 1 gives 3 places.
    out, _cache = conv2d_forward(np.zeros((1, 1, 5, 5)), kernel, np.zeros(1), 2, 1)
    close(out.shape, [1, 1, 3, 3])


conv2d.misconception(
    "kernel flipped",
    ("windows, w, axes=", "windows, w[:, :, ::-1, ::-1], axes="),
    hint="Which weight meets the upper left pixel of a window, the first or the last one?",
)
conv2d.misconception(
    "padding not removed in dx",
    ("dx = dpadded[:, :, padding : padding + height, padding : padding + width]", "dx = dpadded"),
    hint="Which shape must dx have? Which of the gradients belong to pixels that nobody gave you?",
)
conv2d.misconception(
    "corner of the padded gradient taken for dx",
    ("padding : padding + height, padding : padding + width", ":height, :width"),
    hint="Where in the padded image does the image itself begin?",
)
conv2d.misconception(
    "stride ignored in backward",
    ("k : k + stride * rows : stride, l : l + stride * columns : stride", "k : k + rows, l : l + columns"),
    hint="How far apart are the places from which two neighbouring outputs were computed?",
)
conv2d.misconception(
    "gradients of overlapping windows overwritten",
    ("dpadded[place] += part.transpose(0, 3, 1, 2)", "dpadded[place] = part.transpose(0, 3, 1, 2)"),
    hint="A pixel lies under several windows. What happens to the gradients that it gets from each?",
)
conv2d.misconception(
    "db averaged",
    ("dout.sum(axis=(0, 2, 3))", "dout.mean(axis=(0, 2, 3))"),
    hint="A bias is used at every place of every image. What happens to gradients of what is used several times?",
)
conv2d.misconception(
    "db not summed over the batch",
    ("dout.sum(axis=(0, 2, 3))", "dout[0].sum(axis=(1, 2))"),
    hint="Over which of the four axes does your db sum?",
)
conv2d.misconception(
    "dw averaged over the batch",
    ("return dx, dw,", "return dx, dw / len(dout),"),
    hint="Is there a mean anywhere in the forward?",
)
conv2d.misconception(
    "bias left out",
    ("+ b[:, None, None]", "+ 0 * b[:, None, None]"),
    hint="What does your layer answer to an image of zeros?",
)
