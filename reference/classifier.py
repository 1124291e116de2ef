"""What are the gradients of a small image classifier whose hidden layer is thinned by dropout?"""

import math

import numpy as np

from autograder.topic import Array, Float, Int, case, close, topic
from reference.activations import relu_backward, relu_forward
from reference.dropout import dropout_backward, dropout_forward
from reference.layers import affine_backward, affine_forward
from reference.losses import softmax_cross_entropy
from reference.mlp import network


@topic(
    lecture="002: Dropout",
    returns=("loss", "dW1", "db1", "dW2", "db2"),
    gradients={f"d{name}": ("loss", name) for name in ("W1", "b1", "W2", "b2")},
    pure=True,
)
def classifier_gradients(
    W1: Float[Array, "D H"],
    b1: Float[Array, "H"],
    W2: Float[Array, "H C"],
    b2: Float[Array, "C"],
    x: Float[Array, "N D"],
    y: Int[Array, "N"],
    mask: Float[Array, "N H"],
    keep_prob: float,
) -> tuple[Float[Array, ""], Float[Array, "D H"], Float[Array, "H"], Float[Array, "H C"], Float[Array, "C"]]:
    """Loss and gradients of a classifier with one hidden layer, ReLU and inverted dropout, in training.

    Formula: `hidden = relu(x @ W1 + b1) mask / keep_prob`; `scores = hidden @ W2 + b2`;
    `loss = -mean_n log softmax(scores)[n, y[n]]`.

    Arguments:
        W1: (D, H). b1: (H,). W2: (H, C). b2: (C,). All floating.
        x: (N, D) floating, one image a row. y: (N,) integer, 0 to C - 1, the classes.
        mask: (N, H) of zeros and ones, 1 where a hidden unit is kept for an example. keep_prob: in (0, 1].

    Returns:
        loss: a number in nats, the mean over N.
        dW1, db1, dW2, db2: gradients of that mean, each with the shape of its parameter.

    Backward: a hidden unit passes the gradient on where it was on and kept, by the factor 1 / keep_prob. The 1/N of
    the mean enters once, with the gradient of the scores.

    Numerics: the largest score of an example is subtracted before the exponential, which overflows above 709.

    Convention: inverted dropout, as `torch.nn.Dropout`, whose p is 1 - keep_prob. The mask is an argument: what is
    drawn is the caller's business. The derivative of ReLU at exactly 0 is 0. No decay: that is the optimiser's.

    Example:
        >>> W1, W2 = np.array([[1.0, 1.0]]), np.zeros((2, 2))
        >>> x, y, mask = np.array([[3.0]]), np.array([0]), np.array([[1.0, 0.0]])
        >>> loss, dW1, db1, dW2, db2 = classifier_gradients(W1, np.zeros(2), W2, np.zeros(2), x, y, mask, 0.5)
        >>> round(float(loss), 4), dW2.tolist(), db2.tolist()
        (0.6931, [[-3.0, 3.0], [0.0, 0.0]], [-0.5, 0.5])

    Source: deck 002, "Dropout"; deck 003, "Computing Gradients: Backpropagation"; Srivastava et al. 2014.
    """
    inner, first = affine_forward(x, W1, b1)  # (N, D) -> (N, H)
    active, on = relu_forward(inner)
    hidden, kept = dropout_forward(active, mask, keep_prob, True)
    scores, second = affine_forward(hidden, W2, b2)  # (N, H) -> (N, C)
    loss, dscores = softmax_cross_entropy(scores, y)
    dhidden, dW2, db2 = affine_backward(dscores, second)
    _, dW1, db1 = affine_backward(relu_backward(dropout_backward(dhidden, kept), on), first)
    return loss, dW1, db1, dW2, db2


@classifier_gradients.cases
def _(rng):
    yield case("ordinary", **_batch(rng, n=6, d=4, h=7, c=3, keep_prob=0.7))
    yield case("few units kept", **_batch(rng, n=5, d=6, h=9, c=4, keep_prob=0.4))
    yield case("two classes", **_batch(rng, n=9, d=3, h=5, c=2, keep_prob=0.8))
    yield case("one example", **_batch(rng, n=1, d=5, h=8, c=6, keep_prob=0.6))
    yield case("huge scores", edge=0.15, **_huge(rng, n=7, c=5))
    yield case("a unit at exactly 0", edge=0.1, **_at_zero(_batch(rng, n=5, d=3, h=6, c=4, keep_prob=0.8)))


def _batch(rng, *, n, d, h, c, keep_prob):
    """A network without a unit near its kink, its batch, and a mask that keeps about the expected number of units."""
    drawn = network(rng, n, (d, h, c))
    mask = rng.permutation(np.arange(n * h) < round(keep_prob * n * h)).reshape(n, h) * 1.0
    y = rng.permutation((np.arange(n) + rng.integers(c)) % c)  # as many of each class as can be
    return {**drawn["params"], "x": drawn["x"], "y": y, "mask": mask, "keep_prob": keep_prob}


def _at_zero(batch):
    """The first unit is kept, and stands at its kink for every example."""
    W1, b1, mask = (batch[name].copy() for name in ("W1", "b1", "mask"))
    W1[:, 0], b1[0], mask[:, 0] = 0.0, 0.0, 1.0
    return {**batch, "W1": W1, "b1": b1, "mask": mask}


def _huge(rng, *, n, c):
    """Scores so far apart that every probability is 0 or 1. All examples are wrong: right ones leave 1e-200 behind."""
    b2 = 500.0 * rng.permutation(c)
    y = (b2.argmax() + rng.integers(1, c, size=n)) % c
    return {**_batch(rng, n=n, d=4, h=6, c=c, keep_prob=0.5), "b2": b2, "y": y}


@classifier_gradients.alternative
def _(W1, b1, W2, b2, x, y, mask, keep_prob):
    """PyTorch's automatic differentiation, in double precision."""
    import torch

    leaves = [torch.tensor(each, dtype=torch.float64, requires_grad=True) for each in (W1, b1, W2, b2)]
    images, kept = (torch.tensor(each, dtype=torch.float64) for each in (x, mask))
    hidden = torch.relu(images @ leaves[0] + leaves[1]) * kept / keep_prob
    loss = torch.nn.functional.cross_entropy(hidden @ leaves[2] + leaves[3], torch.tensor(y))
    return loss.item(), *(each.numpy() for each in torch.autograd.grad(loss, leaves))


@classifier_gradients.alternative
def _(W1, b1, W2, b2, x, y, mask, keep_prob):
    """One example after another, through the units that are left of the network; sums divided at the end."""
    total, grads = 0.0, [np.zeros(np.shape(each)) for each in (W1, b1, W2, b2)]
    for image, label, kept in zip(x, y, mask, strict=True):
        inner = image @ W1 + b1  # (H,)
        left = [unit for unit in range(len(b1)) if kept[unit] and inner[unit] > 0]
        hidden = inner[left] / keep_prob
        scores = (b2 + sum(h * W2[unit] for h, unit in zip(hidden, left, strict=True))).tolist()
        largest = max(scores)
        log_sum = largest + math.log(math.fsum(math.exp(score - largest) for score in scores))
        total += log_sum - scores[label]
        slopes = np.array([math.exp(score - log_sum) - (c == label) for c, score in enumerate(scores)])
        grads[3] += slopes
        for h, unit in zip(hidden, left, strict=True):
            back = W2[unit] @ slopes / keep_prob
            grads[0][:, unit] += image * back
            grads[1][unit] += back
            grads[2][unit] += h * slopes
    return total / len(y), *(each / len(y) for each in grads)


@classifier_gradients.worked("one of two hidden units kept", lecture="002: Dropout")
def _():
    W1, W2 = np.array([[1.0, 1.0]]), np.zeros((2, 2))
    x, y, mask = np.array([[3.0]]), np.array([0]), np.array([[1.0, 0.0]])
    loss, dW1, _db1, dW2, db2 = classifier_gradients(W1, np.zeros(2), W2, np.zeros(2), x, y, mask, 0.5)
    close(loss, math.log(2))  # both classes are equally likely, as W2 is zero
    close(dW2, [[-3.0, 3.0], [0.0, 0.0]])  # the unit that was kept is worth 3 / 0.5
    close(db2, [-0.5, 0.5])
    close(dW1, [[0.0, 0.0]])


@classifier_gradients.worked(
    "a mean over two examples, one of them behind a unit that is off",
    lecture="003: Computing Gradients: Backpropagation",
)
def _():
    W1, W2 = np.array([[1.0]]), np.array([[1.0, -1.0]])
    b2 = np.array([0.0, 4.0])  # hidden = 2 for the first example: scores 2 and 2; 0 for the second
    x, y, mask = np.array([[2.0], [-2.0]]), np.array([0, 1]), np.ones((2, 1))
    loss, dW1, db1, _dW2, _db2 = classifier_gradients(W1, np.zeros(1), W2, b2, x, y, mask, 1.0)
    close(loss, (math.log(2) + math.log(1 + math.exp(-4))) / 2)
    close(dW1, [[-1.0]])  # (-1/2 * 1 + 1/2 * -1) * 2, of the first example alone, over two examples
    close(db1, [-0.5])


classifier_gradients.misconception(
    "ReLU mask missing in backward",
    ("relu_backward(dropout_backward(dhidden, kept), on)", "dropout_backward(dhidden, kept)"),
    hint="A hidden unit that was off did not change the loss. Does your backward know which ones were off?",
)
classifier_gradients.misconception(
    "derivative of ReLU 1 at exactly 0",
    ("relu_backward(dropout_backward(dhidden, kept), on)", "dropout_backward(dhidden, kept) * (inner >= 0)"),
    hint="Which derivative does the question fix at exactly 0?",
)
classifier_gradients.misconception(
    "ReLU mask taken from the gradient",
    ("relu_backward(dropout_backward(dhidden, kept), on)", "np.maximum(dropout_backward(dhidden, kept), 0)"),
    hint="Which numbers decide whether a hidden unit lets the gradient through: those of forward or of backward?",
)
classifier_gradients.misconception(
    "hidden layer without ReLU",
    ("relu_forward(inner)", "inner, np.ones_like(inner)"),
    hint="Two layers with nothing between them are one layer. Where is your nonlinearity?",
)
classifier_gradients.misconception(
    "dropout not rescaled",
    ("mask, keep_prob, True", "mask, 1.0, True"),
    hint="Where half of the units are dropped, how large is the sum of the others, if you do nothing about it?",
)
classifier_gradients.misconception(
    "dropout rescaled by the drop probability",
    ("mask, keep_prob, True", "mask, 1 - keep_prob, True"),
    hint="If nearly all units are kept, how much is there to make up for?",
)
classifier_gradients.misconception(
    "nothing dropped",
    ("dropout_forward(active, mask, keep_prob, True)", "active, np.ones_like(active)"),
    hint="Which of the arguments do your results not depend on?",
)
classifier_gradients.misconception(
    "dropout mask forgotten in backward",
    ("dropout_backward(dhidden, kept)", "dhidden"),
    hint="What does a unit that was dropped have to do with the loss?",
)
classifier_gradients.misconception(
    "dropout scale forgotten in backward",
    ("dropout_backward(dhidden, kept)", "dhidden * mask"),
    hint="The derivative of h times a number is that number. By which one are the units that are kept multiplied?",
)
classifier_gradients.misconception(
    "bias gradient missing",
    ("return loss, dW1, db1, dW2, db2", "return loss, dW1, 0 * db1, dW2, 0 * db2"),
    hint="Move a bias a little, and look at the loss. Can its gradient be zero?",
)
classifier_gradients.misconception(
    "bias gradients averaged over the batch",
    ("return loss, dW1, db1, dW2, db2", "return loss, dW1, db1 / len(y), dW2, db2 / len(y)"),
    hint="The 1/N of the mean is in the gradient of the scores already. How often do you divide on the way to db?",
)
classifier_gradients.misconception(
    "loss summed over the batch",
    (
        "loss, dscores = softmax_cross_entropy(scores, y)",
        "loss, dscores = softmax_cross_entropy(scores, y); loss, dscores = len(y) * loss, len(y) * dscores",
    ),
    hint="Should loss and gradients grow when the same examples are in the batch twice?",
)
classifier_gradients.misconception(
    "loss summed, its gradient averaged",
    ("return loss,", "return len(y) * loss,"),
    hint="Should the loss grow when the same examples are in the batch twice?",
)
classifier_gradients.misconception(
    "loss averaged, its gradient summed",
    ("affine_backward(dscores, second)", "affine_backward(len(y) * dscores, second)"),
    hint="The loss is a mean over the examples; what does that make of its gradient?",
)
classifier_gradients.misconception(
    "exponentials of the scores as they are",
    (
        "loss, dscores = softmax_cross_entropy(scores, y)",
        "p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True); rows = np.arange(len(y)); "
        "loss, dscores = -np.log(p[rows, y]).mean(), (p - np.eye(len(b2))[y]) / len(y)",
    ),
    hint="How large may a number be before its exponential is infinite? Only differences of scores matter.",
)
