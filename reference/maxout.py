"""What if a unit learns its activation too, as the largest of several lines?"""

import numpy as np

from autograder.topic import Array, Float, Opaque, case, close, layer


def maxout_forward(
    x: Float[Array, "N D"], w: Float[Array, "K D M"], b: Float[Array, "K M"]
) -> tuple[Float[Array, "N M"], Opaque]:
    """M units, each the largest of K linear pieces of its input.

    Formula: `z[k] = x @ w[k] + b[k]`; `out[n, m] = max_k z[k, n, m]`.

    Arguments:
        x: (N, D) floating, one example a row. w: (K, D, M) floating. b: (K, M) floating; K >= 1.

    Returns:
        out: (N, M). cache: whatever backward needs.

    Convention: the slides have two pieces. With pieces x and 0 this is ReLU, with x and alpha x leaky ReLU.

    Example:
        >>> x, w, b = np.array([[-1.0], [2.0]]), np.array([[[1.0]], [[-3.0]]]), np.array([[0.0], [0.5]])
        >>> maxout_forward(x, w, b)[0].tolist()
        [[3.5], [2.0]]

    Source: decks 001, 002 and 004, "Maxout"; Goodfellow et al. 2013.
    """
    z = np.einsum("nd,kdm->knm", x, w) + b[:, None, :]
    return z.max(axis=0), (x, w, z)


def maxout_backward(
    dout: Float[Array, "N M"], cache: Opaque
) -> tuple[Float[Array, "N D"], Float[Array, "K D M"], Float[Array, "K M"]]:
    """Gradients of a loss with respect to input, weights and biases of maxout units.

    Formula: with `dz[k] = dout where piece k is the largest, else 0`: `dx = sum_k dz[k] @ w[k].T`;
    `dw[k] = x.T @ dz[k]`; `db[k] = sum_n dz[k, n]`.

    Arguments:
        dout: (N, M) floating, the gradient of the loss with respect to out. cache: as forward left it.

    Returns:
        dx: (N, D). dw: (K, D, M). db: (K, M), summed over N: any mean is already in dout.

    Convention: where two pieces tie, the first gets the gradient; no question has ties.

    Example:
        >>> x, w, b = np.array([[-1.0], [2.0]]), np.array([[[1.0]], [[-3.0]]]), np.array([[0.0], [0.5]])
        >>> _, cache = maxout_forward(x, w, b)
        >>> [gradient.tolist() for gradient in maxout_backward(np.array([[1.0], [10.0]]), cache)]
        [[[-3.0], [10.0]], [[[20.0]], [[-1.0]]], [[10.0], [1.0]]]

    Source: decks 001, 002 and 004, "Maxout".
    """
    x, w, z = cache
    won = np.arange(len(w))[:, None, None] == z.argmax(axis=0)  # (K, N, M)
    dz = np.where(won, dout, 0)
    dx = np.einsum("knm,kdm->nd", dz, w)
    dw = np.einsum("nd,knm->kdm", x, dz)
    db = dz.sum(axis=1)  # (K, N, M) -> (K, M)
    return dx, dw, db


maxout = layer(maxout_forward, maxout_backward, lecture="004: Maxout", gradients=("x", "w", "b"))


@maxout.cases
def _(rng):
    sizes = {
        "two pieces": (5, 4, 3, 2),
        "one example": (1, 6, 5, 2),
        "three pieces": (4, 2, 5, 3),
        "more pieces than examples": (3, 5, 2, 4),
    }
    for name, (n, d, m, k) in sizes.items():
        yield case(name, **_without_ties(rng, n, d, m, k))


def _without_ties(rng, n, d, m, k):
    """Inputs on which one piece wins clearly everywhere, and each piece somewhere."""
    while True:
        x, w, b = rng.normal(size=(n, d)), rng.normal(size=(k, d, m)), rng.normal(size=(k, m))
        z = np.sort(x @ w + b[:, None, :], axis=0)  # (K, N, M)
        winners = np.unique((x @ w + b[:, None, :]).argmax(axis=0))
        if (z[-1] - z[-2]).min() > 1e-2 and len(winners) == k:
            return {"x": x, "w": w, "b": b}


@maxout.alternative
def _():
    """One unit of one example after another."""

    def forward(x, w, b):
        out = np.empty((len(x), w.shape[2]))
        winners = np.empty(out.shape, dtype=int)
        for n, m in np.ndindex(out.shape):
            pieces = [float(x[n] @ w[k, :, m] + b[k, m]) for k in range(len(w))]
            out[n, m] = max(pieces)
            winners[n, m] = pieces.index(out[n, m])
        return out, (x, w, winners)

    def backward(dout, cache):
        x, w, winners = cache
        dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros((len(w), w.shape[2]))
        for n, m in np.ndindex(dout.shape):
            k = winners[n, m]
            dx[n] += dout[n, m] * w[k, :, m]
            dw[k, :, m] += dout[n, m] * x[n]
            db[k, m] += dout[n, m]
        return dx, dw, db

    return forward, backward


@maxout.alternative
def _():
    """PyTorch's automatic differentiation, in double precision."""

    def forward(x, w, b):
        import torch

        leaves = [torch.tensor(each, dtype=torch.float64, requires_grad=True) for each in (x, w, b)]
        out = (leaves[0] @ leaves[1] + leaves[2][:, None]).max(dim=0).values
        return out.detach().numpy(), (out, leaves)

    def backward(dout, cache):
        import torch

        out, leaves = cache
        return tuple(each.numpy() for each in torch.autograd.grad(out, leaves, torch.tensor(dout)))

    return forward, backward


@maxout.worked("two lines, each the larger one once", lecture="004: Maxout")
def _():
    x, w, b = np.array([[-1.0], [2.0]]), np.array([[[1.0]], [[-3.0]]]), np.array([[0.0], [0.5]])
    out, cache = maxout_forward(x, w, b)
    close(out, [[3.5], [2.0]])
    dx, dw, db = maxout_backward(np.array([[1.0], [10.0]]), cache)
    close(dx, [[-3.0], [10.0]])
    close(dw, [[[20.0]], [[-1.0]]])
    close(db, [[10.0], [1.0]])


maxout.misconception(
    "bias added after the largest was taken",
    ('np.einsum("nd,kdm->knm", x, w) + b[:, None, :]', 'np.einsum("nd,kdm->knm", x, w)'),
    ("z.max(axis=0), (x, w, z)", "z.max(axis=0) + b.max(axis=0), (x, w, z)"),
    hint="Each piece has a bias of its own. Does it have a say in which piece is the largest?",
)
maxout.misconception(
    "smallest piece taken",
    ("z.max(axis=0)", "z.min(axis=0)"),
    ("z.argmax(axis=0)", "z.argmin(axis=0)"),
    hint="Which of the pieces is the output?",
)
maxout.misconception(
    "pieces summed",
    ("z.max(axis=0)", "z.sum(axis=0)"),
    ("np.arange(len(w))[:, None, None] == z.argmax(axis=0)", "np.ones(z.shape, dtype=bool)"),
    hint="A sum of lines is a line. Which operation makes the unit nonlinear?",
)
maxout.misconception(
    "gradient to all pieces",
    ("np.where(won, dout, 0)", "np.where(won, dout, dout)"),
    hint="Does the output change when a piece that is not the largest changes a little?",
)
maxout.misconception(
    "gradient to the first piece",
    ("z.argmax(axis=0)", "np.zeros(z.shape[1:])"),
    hint="Which piece was the output of forward? It may be another one for each example and unit.",
)
maxout.misconception(
    "one winner for the whole batch",
    ("z.argmax(axis=0)", "z.sum(axis=1).argmax(axis=0)"),
    hint="Which piece wins depends on the input. May it be another one for each example?",
)
maxout.misconception(
    "dw averaged over the batch",
    ('np.einsum("nd,knm->kdm", x, dz)', 'np.einsum("nd,knm->kdm", x, dz) / len(x)'),
    hint="Where a loss is a mean, its 1/N is already in dout. What happens if it is applied again?",
)
maxout.misconception(
    "db averaged over the batch",
    ("dz.sum(axis=1)", "dz.mean(axis=1)"),
    hint="Where a loss is a mean, its 1/N is already in dout. What happens if it is applied again?",
)
maxout.misconception(
    "same db for all pieces",
    ("dz.sum(axis=1)", "np.tile(dout.sum(axis=0), (len(w), 1))"),
    hint="A bias whose piece never won did not matter. What is its gradient?",
)
maxout.misconception(
    "dx from the first piece's weights",
    ('np.einsum("knm,kdm->nd", dz, w)', "dz.sum(axis=0) @ w[0].T"),
    hint="Through which weights did the input reach the output?",
)
maxout.misconception(
    "upstream gradient left out",
    ("np.where(won, dout, 0)", "np.where(won, 1.0, 0)"),
    hint="Your gradients do not depend on dout. What does the chain rule multiply?",
)
