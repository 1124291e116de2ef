"""How is a row brought to the same size, and how does a gradient come back through that?"""

import numpy as np

from autograder.topic import Array, Float, Opaque, case, layer


def rms_fwd(x: Float[Array, "N D"], gain: Float[Array, "D"], eps: float) -> tuple[Float[Array, "N D"], Opaque]:
    """Root mean square normalisation: each row of x over the root of its mean square plus eps, times gain.

    Returns out, and cache, a tuple that rms_bwd needs.

    >>> out, cache = rms_fwd(np.array([[3.0, -3.0]]), np.array([1.0, 2.0]), eps=0.0)
    >>> out
    array([[ 1., -2.]])
    """
    size = np.sqrt((x**2).mean(axis=1, keepdims=True) + eps)
    unit = x / size
    return gain * unit, (unit, size, gain)


def rms_bwd(dout: Float[Array, "N D"], cache: Opaque) -> tuple[Float[Array, "N D"], Float[Array, "D"]]:
    """Gradients by x and gain, given dout, that of out, and the cache of rms_fwd.

    >>> out, cache = rms_fwd(np.array([[3.0, -3.0]]), np.array([1.0, 2.0]), eps=0.0)
    >>> rms_bwd(np.array([[0.0, 1.0]]), cache)[1]
    array([ 0., -1.])
    """
    unit, size, gain = cache
    dunit = dout * gain
    dx = (dunit - unit * (dunit * unit).mean(axis=1, keepdims=True)) / size
    return dx, (dout * unit).sum(axis=0)


rms = layer(rms_fwd, rms_bwd, lecture="CV 5: normalisation without a mean", gradients=("x", "gain"))


@rms.cases
def _(rng):
    for name, n, d in (("a batch", 6, 4), ("long rows", 3, 9), ("two rows", 2, 5)):
        yield case(name, x=rng.normal(loc=0.7, size=(n, d)), gain=rng.normal(size=d), eps=0.1)


@rms.alternative
def _():
    def forward(x, gain, eps):
        squares = np.einsum("nd,nd->n", x, x) / x.shape[1]
        return x * gain / (squares + eps)[:, None] ** 0.5, (x, gain, squares + eps)

    def backward(dout, cache):
        x, gain, squares = cache
        dx, dgain = np.zeros_like(x), np.zeros_like(gain)
        for n, row in enumerate(x):
            jacobian = np.eye(len(row)) * squares[n] ** -0.5 - np.outer(row, row) / len(row) * squares[n] ** -1.5
            dx[n] = jacobian @ (dout[n] * gain)
            dgain += dout[n] * row * squares[n] ** -0.5
        return dx, dgain

    return forward, backward


rms.misconception(
    "eps outside the root",
    ("np.sqrt((x**2).mean(axis=1, keepdims=True) + eps)", "np.sqrt((x**2).mean(axis=1, keepdims=True)) + eps"),
    hint="Is eps added to the mean square, or to its root?",
)
rms.misconception(
    "over the batch",
    ("(x**2).mean(axis=1, keepdims=True)", "(x**2).mean(axis=0, keepdims=True)"),
    hint="Which axis is a row?",
)
rms.misconception(
    "size taken as a constant",
    ("dx = (dunit - unit * (dunit * unit).mean(axis=1, keepdims=True)) / size", "dx = dunit / size"),
    hint="The size of a row depends on x, too.",
)
rms.misconception(
    "gain's gradient averaged",
    ("(dout * unit).sum(axis=0)", "(dout * unit).mean(axis=0)"),
    hint="Is a mean in dout already?",
)
