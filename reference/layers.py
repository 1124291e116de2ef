"""How does a fully connected layer compute, and how do gradients come back through it?"""

import numpy as np

from autograder.topic import Array, Float, Opaque, case, close, layer


def affine_forward(
    x: Float[Array, "N D"], w: Float[Array, "D M"], b: Float[Array, "M"]
) -> tuple[Float[Array, "N M"], Opaque]:
    """A fully connected layer: every output sees every input.

    Formula: `out = x @ w + b`, the same bias for each example.

    Arguments:
        x: (N, D) floating, one example a row. w: (D, M) floating. b: (M,) floating.

    Returns:
        out: (N, M). cache: whatever backward needs.

    Convention: `torch.nn.Linear` keeps its weight transposed, (M, D), and multiplies by `weight.T`.

    Example:
        >>> out, cache = affine_forward(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([5.0]))
        >>> out.tolist()
        [[16.0]]

    Source: deck 003, "Multi Output Perceptron"; deck 004, "Fully Connected Layer".
    """
    return x @ w + b, (x, w)  # (N, D) @ (D, M) -> (N, M)


def affine_backward(
    dout: Float[Array, "N M"], cache: Opaque
) -> tuple[Float[Array, "N D"], Float[Array, "D M"], Float[Array, "M"]]:
    """Gradients of a loss with respect to input, weights and bias of a fully connected layer.

    Formula: `dx = dout @ w.T`; `dw = x.T @ dout`; `db = sum_n dout[n]`.

    Arguments:
        dout: (N, M) floating, the gradient of the loss with respect to out. cache: as forward left it.

    Returns:
        dx: (N, D). dw: (D, M). db: (M,), summed over N: any mean is already in dout.

    Example:
        >>> _, cache = affine_forward(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([5.0]))
        >>> [gradient.tolist() for gradient in affine_backward(np.array([[10.0]]), cache)]
        [[[30.0, 40.0]], [[10.0], [20.0]], [10.0]]

    Source: deck 004, "Backpropagating dE/dy (Hinton)"; deck 001, backpropagation in matrix form.
    """
    x, w = cache
    dx = dout @ w.T  # (N, M) @ (M, D) -> (N, D)
    dw = x.T @ dout  # (D, N) @ (N, M) -> (D, M)
    db = dout.sum(axis=0)  # (N, M) -> (M,)
    return dx, dw, db


affine = layer(affine_forward, affine_backward, lecture="004: Fully Connected Layer", gradients=("x", "w", "b"))


@affine.cases
def _(rng):
    sizes = {
        "ordinary": (5, 4, 3),
        "one example": (1, 6, 2),
        "more outputs than inputs": (4, 2, 7),
        "more inputs than examples": (3, 8, 5),
    }
    for name, (n, d, m) in sizes.items():
        yield case(name, x=rng.normal(size=(n, d)), w=rng.normal(size=(d, m)), b=rng.normal(size=m))


@affine.alternative
def _():
    """One weight after another."""

    def forward(x, w, b):
        out = np.empty((len(x), len(b)), dtype=x.dtype)
        for n in range(len(x)):
            for m in range(len(b)):
                out[n, m] = b[m] + sum(x[n, d] * w[d, m] for d in range(len(w)))
        return out, (x, w)

    def backward(dout, cache):
        x, w = cache
        dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros_like(dout[0])
        for n, m in np.ndindex(dout.shape):
            dx[n] += dout[n, m] * w[:, m]
            dw[:, m] += dout[n, m] * x[n]
            db[m] += dout[n, m]
        return dx, dw, db

    return forward, backward


@affine.alternative
def _():
    """PyTorch's automatic differentiation, in double precision."""

    def forward(x, w, b):
        import torch

        leaves = [torch.tensor(each, dtype=torch.float64, requires_grad=True) for each in (x, w, b)]
        out = torch.nn.functional.linear(leaves[0], leaves[1].T, leaves[2])
        return out.detach().numpy(), (out, leaves)

    def backward(dout, cache):
        import torch

        out, leaves = cache
        return tuple(each.numpy() for each in torch.autograd.grad(out, leaves, torch.tensor(dout)))

    return forward, backward


@affine.worked("two examples through one layer", lecture="003: Multi Output Perceptron")
def _():
    x, w, b = np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([[3.0, 1.0], [4.0, 0.0]]), np.array([5.0, -1.0])
    out, cache = affine_forward(x, w, b)
    close(out, [[16.0, 0.0], [1.0, -1.0]])
    dx, dw, db = affine_backward(np.array([[10.0, 0.0], [1.0, 100.0]]), cache)
    close(dx, [[30.0, 40.0], [103.0, 4.0]])
    close(dw, [[10.0, 0.0], [19.0, -100.0]])
    close(db, [11.0, 100.0])


affine.misconception(
    "bias forgotten in forward",
    ("x @ w + b", "x @ w"),
    hint="Which of the three arguments does your output not depend on?",
)
affine.misconception(
    "w transposed in forward",
    ("x @ w + b", "x @ w.T + b"),
    hint="Write the shapes under the product: (N, D) times what gives (N, M)?",
)
affine.misconception(
    "db not summed over the batch",
    ("dout.sum(axis=0)", "dout"),
    hint="One bias serves all N examples. What shape must its gradient have?",
)
affine.misconception(
    "db averaged over the batch",
    ("dout.sum(axis=0)", "dout.mean(axis=0)"),
    hint="Where a loss is a mean, its 1/N is already in dout. What happens if it is applied again?",
)
affine.misconception(
    "db summed over the outputs",
    ("dout.sum(axis=0)", "dout.sum(axis=1)"),
    hint="db needs one number for each output. Which axis of dout may not disappear?",
)
affine.misconception(
    "db summed over everything",
    ("dout.sum(axis=0)", "dout.sum()"),
    hint="Each output has its own bias. How many numbers is your db?",
)
affine.misconception(
    "dw averaged over the batch",
    ("x.T @ dout", "x.T @ dout / len(x)"),
    hint="Where a loss is a mean, its 1/N is already in dout. What happens if it is applied again?",
)
affine.misconception(
    "dw transposed",
    ("x.T @ dout", "dout.T @ x"),
    hint="A gradient has the shape of what it is the gradient of. Compare dw with w.",
)
affine.misconception(
    "w not transposed in dx",
    ("dout @ w.T", "dout @ w"),
    hint="Write the shapes under the product: (N, M) times what gives (N, D)?",
)
affine.misconception(
    "upstream gradient left out",
    ("x, w = cache", "x, w = cache; dout = np.ones_like(dout)"),
    hint="Your gradients do not depend on dout. What does the chain rule multiply?",
)
affine.misconception(
    "gradients in another order",
    ("dx, dw, db", "dw, db, dx"),
    hint="In which order does the question ask for the gradients? Compare shapes.",
)
