"""How do scores become probabilities, and what does a rectified unit let through, both ways?"""

import math

import numpy as np

from autograder.topic import Array, Float, Opaque, case, close, layer, topic
from reference.drawing import away_from_zero, on_grid


@topic(lecture="004: Softmax Activation Function", returns=("probabilities",))
def softmax(logits: Float[Array, "N C"]) -> Float[Array, "N C"]:
    """Probabilities of C classes for each of N examples.

    Formula: `p[n, c] = exp(z[n, c]) / sum_j exp(z[n, j])`.

    Arguments:
        logits: (N, C) floating, any finite size; C >= 1.

    Returns:
        (N, C), positive, each row adding up to 1.

    Numerics: exp overflows above 709 in float64 and above 88 in float32. A constant taken from every
    logit of a row cancels in the fraction; with the row's largest taken, the largest exponential is
    exp(0) = 1, so nothing overflows and no sum is zero.

    Convention: `torch.softmax(logits, dim=1)`. The slide's derivative, y(1 - y), is the diagonal of the
    Jacobian only.

    Example:
        >>> softmax(np.array([[0.0, 0.0], [1000.0, 1000.0]])).tolist()
        [[0.5, 0.5], [0.5, 0.5]]
        >>> softmax(np.log([[0.2, 0.7, 0.1]])).round(6).tolist()
        [[0.2, 0.7, 0.1]]

    Source: deck 004, "Softmax Activation Function"; deck 003, its softmax for class probabilities.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@softmax.cases
def _(rng):
    yield case("ordinary", logits=rng.normal(size=(7, 5)))
    yield case("one example", logits=2 * rng.normal(size=(1, 6)))
    yield case("two classes", logits=rng.normal(size=(9, 2)))
    yield case("many classes", logits=rng.normal(size=(3, 11)))
    columns = rng.permutation([0.01, 0.3, 1.0, 4.0])
    yield case("columns of different size", logits=columns * rng.normal(size=(6, 4)) + 2 * columns)
    # Around one level a row's probabilities stay spread; apart, they are nearly 0 and 1.
    level = np.array([1e4, -1e4, 0.0, 1e3, -1e3])[:, None] * rng.uniform(0.8, 1.0, size=(5, 1))
    apart = np.array([1.0, 1.0, 1.0, 1e3, 1e3])[:, None] * rng.normal(size=(5, 4))
    yield case("huge logits", edge=0.25, logits=rng.permutation(on_grid(level + apart)))


@softmax.alternative
def _(logits):
    """One number after another."""
    rows = []
    for row in logits.tolist():
        largest = max(row)
        exponentials = [math.exp(value - largest) for value in row]
        rows.append([value / math.fsum(exponentials) for value in exponentials])
    return np.array(rows)


@softmax.alternative
def _(logits):
    """PyTorch in double precision."""
    import torch

    return torch.softmax(torch.from_numpy(np.asarray(logits, dtype=np.float64)), dim=1).numpy()


@softmax.worked("logarithms of probabilities give them back", lecture="004: Softmax Activation Function")
def _():
    close(softmax(np.log([[0.2, 0.7, 0.1], [0.5, 0.25, 0.25]])), [[0.2, 0.7, 0.1], [0.5, 0.25, 0.25]])
    close(softmax(np.array([[1000.0, 1000.0]])), [[0.5, 0.5]])


@softmax.property(
    "shift invariance",
    share=0.1,
    hint="A constant added to all scores of one example must change nothing.",
)
def _(inputs):
    before = yield inputs
    logits = inputs["logits"]
    shifts = 2.0 * np.arange(1, len(logits) + 1)  # another one for each example
    after = yield {**inputs, "logits": logits + shifts[:, None]}
    expected, actual = before["probabilities"], after["probabilities"]
    # Coarse enough for an answer in float32: rounding logits + 20 costs it 1e-6 of each probability.
    return actual.shape == expected.shape and bool(np.abs(actual - expected).max() <= 1e-4)


softmax.misconception(
    "softmax over the examples",
    ("logits.max(axis=1, keepdims=True)", "logits.max(axis=0, keepdims=True)"),
    ("exponentials.sum(axis=1, keepdims=True)", "exponentials.sum(axis=0, keepdims=True)"),
    hint="Which numbers must add up to 1: those of one example, or those of one class?",
)
softmax.misconception(
    "sums taken over the examples",
    ("exponentials.sum(axis=1, keepdims=True)", "exponentials.sum(axis=0, keepdims=True)"),
    hint="Which numbers must add up to 1: those of one example, or those of one class?",
)
softmax.misconception(
    "normalised over the whole array",
    ("exponentials.sum(axis=1, keepdims=True)", "exponentials.sum()"),
    hint="Each example has its own probabilities. What do the entries of one row of yours add up to?",
)
softmax.misconception(
    "row sums not kept as a column",
    ("exponentials.sum(axis=1, keepdims=True)", "exponentials.sum(axis=1)"),
    hint="Look at the shape of the sums. How does NumPy line up (N,) beside (N, C)?",
)
softmax.misconception(
    "largest logit not subtracted",
    ("logits - logits.max(axis=1, keepdims=True)", "logits"),
    hint="What is np.exp(1000.0)? Softmax does not change when a constant is taken from all scores of a row.",
)
softmax.misconception(
    "largest logit of the whole array subtracted",
    ("logits.max(axis=1, keepdims=True)", "logits.max()"),
    hint="Subtracting one number from everything helps the rows with large scores. What becomes of a row "
    "whose scores lie far below that number?",
)
softmax.misconception(
    "largest logit of each column subtracted",
    ("logits.max(axis=1, keepdims=True)", "logits.max(axis=0, keepdims=True)"),
    hint="What is subtracted cancels only where it is the same for all scores that are compared.",
)
softmax.misconception(
    "scores divided without the exponential",
    ("logits - logits.max(axis=1, keepdims=True)", "logits"),
    ("np.exp(shifted)", "shifted"),
    hint="Scores can be negative, probabilities cannot. Which function on the slide takes care of that?",
)
softmax.misconception(
    "logarithm of the probabilities",
    (
        "exponentials / exponentials.sum(axis=1, keepdims=True)",
        "shifted - np.log(exponentials.sum(axis=1, keepdims=True))",
    ),
    hint="Your numbers are not positive. Is this the probability, or a function of it?",
)


@softmax.wrong(
    "sigmoid of each score",
    hint="The classes exclude each other: a higher score of one must lower the probability of the others.",
)
def _(logits):
    return 1 / (1 + np.exp(-logits))


def relu_forward(x: Float[Array, "..."]) -> tuple[Float[Array, "..."], Opaque]:
    """Rectified linear unit, entry by entry.

    Formula: `out = max(0, x)`.

    Arguments:
        x: floating, of any shape.

    Returns:
        out: the shape of x. cache: whatever backward needs.

    Example:
        >>> relu_forward(np.array([-1.5, 0.0, 2.0]))[0].tolist()
        [0.0, 0.0, 2.0]

    Source: deck 004, "ReLU Activation Function".
    """
    return np.maximum(x, 0), x


def relu_backward(dout: Float[Array, "..."], cache: Opaque) -> Float[Array, "..."]:
    """Gradient of a loss with respect to the input of a rectified linear unit.

    Formula: `dx = dout where x > 0, else 0`.

    Arguments:
        dout: floating, the shape of x: the gradient of the loss with respect to out. cache: as forward
            left it.

    Returns:
        dx: the shape of x.

    Convention: the derivative at exactly 0 is 0, as in deck 002, f'(x) = I(x > 0), and in PyTorch.

    Example:
        >>> relu_backward(np.array([10.0, 20.0, -30.0]), np.array([-1.5, 0.0, 2.0])).tolist()
        [0.0, 0.0, -30.0]

    Source: deck 002, table of activation functions and their derivatives.
    """
    x = cache
    return np.where(x > 0, dout, 0)


relu = layer(relu_forward, relu_backward, lecture="004: ReLU Activation Function", gradients=("x",))


@relu.cases
def _(rng):
    yield case("ordinary", x=away_from_zero(rng, (6, 5)))
    yield case("images", x=away_from_zero(rng, (2, 3, 4, 5)))
    yield case("one example", x=3 * away_from_zero(rng, (1, 9)))
    yield case("sequences", x=away_from_zero(rng, (3, 4, 2)))
    with_zeros = away_from_zero(rng, (5, 8))
    with_zeros[:, rng.choice(8, size=3, replace=False)] = 0.0
    yield case("exact zeros", edge=0.2, x=with_zeros)


@relu.alternative
def _():
    """One number after another."""

    def forward(x):
        out = [value if value > 0 else 0.0 for value in x.ravel().tolist()]
        return np.array(out, dtype=x.dtype).reshape(x.shape), x.copy()

    def backward(dout, cache):
        pairs = zip(dout.ravel().tolist(), cache.ravel().tolist(), strict=True)
        return np.array([slope if value > 0 else 0.0 for slope, value in pairs]).reshape(dout.shape)

    return forward, backward


@relu.alternative
def _():
    """PyTorch's automatic differentiation, in double precision."""

    def forward(x):
        import torch

        leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        out = torch.relu(leaf)
        return out.detach().numpy(), (out, leaf)

    def backward(dout, cache):
        import torch

        out, leaf = cache
        return torch.autograd.grad(out, leaf, torch.tensor(dout))[0].numpy()

    return forward, backward


@relu.worked("on, off, and exactly 0", lecture="004: ReLU Activation Function")
def _():
    out, cache = relu_forward(np.array([-1.5, 0.0, 2.0]))
    close(out, [0.0, 0.0, 2.0])
    close(relu_backward(np.array([10.0, 20.0, -30.0]), cache), [0.0, 0.0, -30.0])


relu.misconception(
    "mask taken from dout",
    ("np.where(x > 0, dout, 0)", "np.where(dout > 0, dout, 0)"),
    hint="Which of forward's numbers decides whether a unit lets the gradient through? May dout be negative?",
)
relu.misconception(
    "slope 0.1 below zero",
    ("np.maximum(x, 0)", "np.where(x > 0, x, 0.1 * x)"),
    ("np.where(x > 0, dout, 0)", "np.where(x > 0, dout, 0.1 * dout)"),
    hint="This is the deck's Leaky ReLU. What does the plain one return for a negative input?",
)
relu.misconception(
    "slope 0.01 below zero",
    ("np.maximum(x, 0)", "np.where(x > 0, x, 0.01 * x)"),
    ("np.where(x > 0, dout, 0)", "np.where(x > 0, dout, 0.01 * dout)"),
    hint="This is a leaky ReLU. What does the plain one return for a negative input?",
)
relu.misconception(
    "gradient passes at exactly zero",
    ("np.where(x > 0, dout, 0)", "np.where(x >= 0, dout, 0)"),
    hint="Which derivative does the question fix at exactly 0?",
)
relu.misconception(
    "half the gradient at exactly zero",
    ("np.where(x > 0, dout, 0)", "dout * np.heaviside(x, 0.5)"),
    hint="Which derivative does the question fix at exactly 0?",
)
relu.misconception(
    "upstream gradient left out",
    ("np.where(x > 0, dout, 0)", "np.where(x > 0, 1.0, 0.0)"),
    hint="This is the derivative of ReLU alone. What does the chain rule multiply it with?",
)
relu.misconception(
    "gradient not masked",
    ("np.where(x > 0, dout, 0)", "dout"),
    hint="A unit that put out 0 did not change when its input changed a little. What is its gradient?",
)
relu.misconception(
    "multiplied by the output instead of the mask",
    ("np.where(x > 0, dout, 0)", "dout * np.maximum(x, 0)"),
    hint="What is the slope of max(0, x) at x = 3: 1 or 3?",
)
relu.misconception(
    "mask inverted",
    ("np.where(x > 0, dout, 0)", "np.where(x > 0, 0, dout)"),
    hint="Which units let the gradient through: those that were on, or those that were off?",
)
