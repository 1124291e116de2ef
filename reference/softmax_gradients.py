"""How does a gradient come back through a softmax, and through its logarithm?

A score changes the probabilities of all classes of its example, so each Jacobian is a full matrix. It is
never formed: it is multiplied with what comes from above.
"""

import math

import numpy as np

from autograder.topic import Array, Float, Opaque, case, close, layer, topic
from reference.drawing import on_grid


@topic(lecture="004: Softmax Activation Function", returns=("dlogits",))
def softmax_backward(dp: Float[Array, "N C"], p: Float[Array, "N C"]) -> Float[Array, "N C"]:
    """Gradient of a loss with respect to the scores, from that with respect to their softmax.

    Formula: for each example the Jacobian is `diag(p) - p p^T`, so
    `dlogits[n, i] = p[n, i] (dp[n, i] - sum_j p[n, j] dp[n, j])`.

    Arguments:
        dp: (N, C) floating, the gradient of the loss with respect to p. p: (N, C), the probabilities that
            softmax returned, each row adding up to 1.

    Returns:
        dlogits: (N, C). Each row adds up to 0: a constant added to all scores changes nothing.

    Convention: the slide writes p_i (1 - p_i) only, the diagonal. Off it stands -p_i p_j.

    Example:
        >>> softmax_backward(np.array([[1.0, 0.0, 0.0]]), np.array([[0.2, 0.7, 0.1]])).round(3).tolist()
        [[0.16, -0.14, -0.02]]

    Source: deck 004, "Softmax Activation Function"; deck 003, its softmax for class probabilities.
    """
    shared = (p * dp).sum(axis=1, keepdims=True)  # (N, C) -> (N, 1)
    return p * (dp - shared)


@softmax_backward.cases
def _(rng):
    sizes = {
        "ordinary": (7, 5),
        "one example": (1, 6),
        "many classes": (3, 11),
        "square": (4, 4),
    }
    for name, shape in sizes.items():
        yield case(name, dp=rng.normal(size=shape), p=_probabilities(1.5 * rng.normal(size=shape)))
    yield case("two classes", dp=_opposed(rng, 9), p=_probabilities(1.5 * rng.normal(size=(9, 2))))
    # Nearer to certainty the gradient is a difference of almost equal numbers, of no use in float32.
    likely = np.eye(4)[rng.integers(4, size=5)]
    p = 0.9 * likely + 0.1 * _probabilities(rng.normal(size=(5, 4)))
    yield case("one class likely", dp=rng.normal(size=(5, 4)), p=p)


def _opposed(rng, n):
    """(N, 2) of both signs in each row: of two almost equal numbers hardly more than rounding would be left."""
    return rng.permuted(np.tile([1.0, -1.0], (n, 1)), axis=1) * (0.1 + np.abs(rng.normal(size=(n, 2))))


def _probabilities(logits):
    exponentials = np.exp(logits)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@softmax_backward.alternative
def _(dp, p):
    """The Jacobian of each example, formed and multiplied."""
    rows = []
    for slopes, probabilities in zip(dp, p, strict=True):
        jacobian = np.diag(probabilities) - np.outer(probabilities, probabilities)  # (C, C)
        rows.append(jacobian @ slopes)
    return np.array(rows)


@softmax_backward.alternative
def _(dp, p):
    """PyTorch's automatic differentiation, in double precision: log p are scores that have this softmax."""
    import torch

    scores = torch.tensor(np.log(np.asarray(p, dtype=np.float64)), requires_grad=True)
    probabilities = torch.softmax(scores, dim=1)
    return torch.autograd.grad(probabilities, scores, torch.tensor(dp, dtype=torch.float64))[0].numpy()


@softmax_backward.worked("a column of the Jacobian, then another", lecture="004: Softmax Activation Function")
def _():
    p = np.array([[0.2, 0.7, 0.1]])
    close(softmax_backward(np.array([[1.0, 0.0, 0.0]]), p), [[0.16, -0.14, -0.02]])
    close(softmax_backward(np.array([[0.0, 1.0, 0.0]]), p), [[-0.14, 0.21, -0.07]])


softmax_backward.misconception(
    "only the diagonal of the Jacobian",
    ("p * (dp - shared)", "p * (1 - p) * dp"),
    hint="A score changes the probabilities of all classes, not only of its own. Which partial derivatives are "
    "missing on the slide?",
)
softmax_backward.misconception(
    "sum taken over the examples",
    ("(p * dp).sum(axis=1, keepdims=True)", "(p * dp).sum(axis=0, keepdims=True)"),
    hint="Which probabilities does a score change: those of its example, or those of its class?",
)
softmax_backward.misconception(
    "sum taken over the whole array",
    ("(p * dp).sum(axis=1, keepdims=True)", "(p * dp).sum()"),
    hint="Each example has its own Jacobian. Over which numbers does its row run?",
)
softmax_backward.misconception(
    "row sums not kept as a column",
    ("(p * dp).sum(axis=1, keepdims=True)", "(p * dp).sum(axis=1)"),
    hint="Look at the shape of the sums. How does NumPy line up (N,) beside (N, C)?",
)
softmax_backward.misconception(
    "sum not weighted by the probabilities",
    ("(p * dp).sum(axis=1, keepdims=True)", "dp.sum(axis=1, keepdims=True)"),
    hint="The entry of the Jacobian off the diagonal holds two probabilities. Which of them is in your sum?",
)
softmax_backward.misconception(
    "mean in place of the sum",
    ("(p * dp).sum(axis=1, keepdims=True)", "(p * dp).mean(axis=1, keepdims=True)"),
    hint="What does a row of the matrix times a vector do with its products?",
)
softmax_backward.misconception(
    "off-diagonal entries of the wrong sign",
    ("dp - shared", "dp + shared"),
    hint="If one class becomes more probable, what must happen to the others?",
)
softmax_backward.misconception(
    "Jacobian without its off-diagonal part",
    ("p * (dp - shared)", "p * dp"),
    hint="What must each row of the result add up to, as a constant added to all scores changes nothing?",
)
softmax_backward.misconception(
    "outer factor left out",
    ("p * (dp - shared)", "dp - shared"),
    hint="A class of probability 0 hardly moves whatever its score. Does yours?",
)
softmax_backward.misconception(
    "gradient of the cross-entropy",
    ("p * (dp - shared)", "p - dp"),
    hint="Probability minus target belongs to softmax and cross-entropy together. Here any loss may stand behind.",
)


def log_softmax_forward(logits: Float[Array, "N C"]) -> tuple[Float[Array, "N C"], Opaque]:
    """Logarithms of the probabilities of C classes for each of N examples.

    Formula: `out[n, c] = z[n, c] - log sum_j exp(z[n, j])`.

    Arguments:
        logits: (N, C) floating, any finite size.

    Returns:
        out: (N, C), at most 0, in natural logarithms; the exponentials of a row add up to 1. cache: whatever
            backward needs.

    Numerics: the logarithm is taken on paper. A probability that has underflowed to 0 has minus infinity for
    a logarithm, and exp of a large score overflows; with the row's largest score taken from all of them,
    neither happens.

    Convention: `torch.log_softmax(logits, dim=1)`.

    Example:
        >>> out, cache = log_softmax_forward(np.array([[0.0, 0.0], [0.0, 1000.0]]))
        >>> out.round(4).tolist()
        [[-0.6931, -0.6931], [-1000.0, 0.0]]

    Source: deck 004, "Softmax Activation Function" and "Loss Function: Cross-Entropy Loss".
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    out = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return out, out


def log_softmax_backward(dout: Float[Array, "N C"], cache: Opaque) -> Float[Array, "N C"]:
    """Gradient of a loss with respect to the scores, through the logarithm of their softmax.

    Formula: `dlogits[n, i] = dout[n, i] - p[n, i] sum_j dout[n, j]`, where p is the softmax.

    Arguments:
        dout: (N, C) floating, the gradient of the loss with respect to out. cache: as forward left it.

    Returns:
        dlogits: (N, C). Each row adds up to 0.

    Backward: the Jacobian of each example is `I - 1 p^T`; with the cross-entropy's dout, -1 at the true class
    and 0 elsewhere, this is the slide's y - t.

    Example:
        >>> _, cache = log_softmax_forward(np.log([[0.2, 0.7, 0.1]]))
        >>> log_softmax_backward(np.array([[0.0, -1.0, 0.0]]), cache).round(6).tolist()
        [[0.2, -0.3, 0.1]]

    Source: deck 004, "Loss Function: Cross-Entropy Loss".
    """
    p = np.exp(cache)
    return dout - p * dout.sum(axis=1, keepdims=True)


log_softmax = layer(
    log_softmax_forward,
    log_softmax_backward,
    lecture="004: Softmax Activation Function",
    gradients=("logits",),
)


@log_softmax.cases
def _(rng):
    yield case("ordinary", logits=2 * rng.normal(size=(7, 5)))
    yield case("one example", logits=2 * rng.normal(size=(1, 6)))
    yield case("two classes", logits=rng.normal(size=(9, 2)), dout=_opposed(rng, 9))
    yield case("many classes", logits=rng.normal(size=(3, 11)))
    yield case("square", logits=rng.normal(size=(4, 4)))
    # All rows lie far from 0, another one each, and their own scores far apart.
    level = np.array([1e4, -1e4, 0.0, 2e3, -2e3])[:, None]
    logits = rng.permutation(level + 1e3 * rng.normal(size=(5, 4)))
    yield case("huge logits", edge=0.25, logits=on_grid(logits))


@log_softmax.alternative
def _():
    """One example after another, by log-sum-exp."""

    def forward(logits):
        rows = []
        for row in np.asarray(logits, dtype=np.float64).tolist():
            largest = max(row)
            log_sum = largest + math.log(math.fsum(math.exp(value - largest) for value in row))
            rows.append([value - log_sum for value in row])
        return np.array(rows), rows

    def backward(dout, cache):
        rows = []
        for slopes, row in zip(dout.tolist(), cache, strict=True):
            total = math.fsum(slopes)
            rows.append([slope - math.exp(value) * total for slope, value in zip(slopes, row, strict=True)])
        return np.array(rows)

    return forward, backward


@log_softmax.alternative
def _():
    """PyTorch's automatic differentiation, in double precision."""

    def forward(logits):
        import torch

        leaf = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
        out = torch.log_softmax(leaf, dim=1)
        return out.detach().numpy(), (out, leaf)

    def backward(dout, cache):
        import torch

        out, leaf = cache
        return torch.autograd.grad(out, leaf, torch.tensor(dout))[0].numpy()

    return forward, backward


@log_softmax.property(
    "shift invariance",
    share=0.1,
    hint="A constant added to all scores of one example must change nothing.",
)
def _(inputs):
    before = yield inputs
    logits = inputs["logits"]
    shifts = 2.0 * np.arange(1, len(logits) + 1)  # another one for each example
    after = yield {**inputs, "logits": logits + shifts[:, None]}
    # Coarse enough for an answer in float32.
    return all(
        after[block].shape == before[block].shape and bool(np.abs(after[block] - before[block]).max() <= 1e-3)
        for block in ("out", "dlogits")
    )


@log_softmax.worked("0.7 for the true class costs 0.357, and the gradient is y - t", lecture="000: Cross entropy")
def _():
    out, cache = log_softmax_forward(np.log([[0.2, 0.7, 0.1]]))
    close(-out[0, 1], 0.357, within=5e-4)
    dlogits = log_softmax_backward(np.array([[0.0, -1.0, 0.0]]), cache)
    close(dlogits, [[0.2, 0.7 - 1.0, 0.1]])


log_softmax.misconception(
    "softmax over the examples",
    ("logits.max(axis=1, keepdims=True)", "logits.max(axis=0, keepdims=True)"),
    ("np.exp(shifted).sum(axis=1, keepdims=True)", "np.exp(shifted).sum(axis=0, keepdims=True)"),
    hint="Which probabilities must add up to 1: those of one example, or those of one class?",
)
log_softmax.misconception(
    "sums taken over the whole array",
    ("np.exp(shifted).sum(axis=1, keepdims=True)", "np.exp(shifted).sum()"),
    hint="Each example has its own probabilities. What do the exponentials of one row of yours add up to?",
)
log_softmax.misconception(
    "logarithm not taken",
    (
        "shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))",
        "np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)",
    ),
    ("np.exp(cache)", "cache"),
    hint="The logarithm of a probability is never positive. Is yours?",
)
log_softmax.misconception(
    "logarithm of the sum left out",
    ("shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))", "shifted"),
    ("np.exp(cache)", "np.exp(cache) / np.exp(cache).sum(axis=1, keepdims=True)"),
    hint="What do the exponentials of one row of yours add up to?",
)
log_softmax.misconception(
    "logarithm to base 2",
    ("return out, out", "return out / np.log(2), out"),
    hint="Which logarithm undoes exp?",
)


@log_softmax.wrong(
    "logarithm of a probability that has underflowed",
    hint="What is the probability of a class whose score lies 1000 below another one, and its logarithm? Take "
    "the logarithm of the softmax on paper first.",
)
def _():
    def forward(logits):
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        p = exponentials / exponentials.sum(axis=1, keepdims=True)
        return np.log(p), p

    def backward(dout, p):
        return dout - p * dout.sum(axis=1, keepdims=True)

    return forward, backward


log_softmax.misconception(
    "largest logit not subtracted",
    ("logits - logits.max(axis=1, keepdims=True)", "logits"),
    hint="What is np.exp(1000.0)? Nothing changes when a constant is taken from all scores of a row.",
)
log_softmax.misconception(
    "gradient taken for a dout of sum 1",
    ("p * dout.sum(axis=1, keepdims=True)", "p"),
    hint="Probability minus target is the case of the cross-entropy. What is the sum of dout in general?",
)
log_softmax.misconception(
    "only the diagonal of the Jacobian",
    ("dout - p * dout.sum(axis=1, keepdims=True)", "dout * (1 - p)"),
    hint="A score changes the probabilities of all classes, not only of its own. Which of dout's entries does "
    "each entry of your gradient see?",
)
log_softmax.misconception(
    "gradient of the softmax",
    ("dout - p * dout.sum(axis=1, keepdims=True)", "p * (dout - (p * dout).sum(axis=1, keepdims=True))"),
    hint="This goes back through the softmax alone. Which function stands between it and dout?",
)
log_softmax.misconception(
    "gradient summed over the examples",
    ("p * dout.sum(axis=1, keepdims=True)", "p * dout.sum(axis=0, keepdims=True)"),
    hint="Which outputs does a score change: those of its example, or those of its class?",
)
log_softmax.misconception(
    "gradient by the logarithms in place of the probabilities",
    ("np.exp(cache)", "cache"),
    hint="The derivative of the log-sum-exp is a probability. Are the numbers you multiply with positive?",
)
