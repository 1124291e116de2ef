"""How does the first neuron learn from its mistakes?"""

import numpy as np

from autograder.topic import Array, Float, Int, case, close, topic


@topic(lecture="004: Rosenblatt's Perceptron (1958)", returns=("w", "b", "mistakes"))
def perceptron_fit(
    x: Float[Array, "N D"], y: Float[Array, "N"], epochs: int
) -> tuple[Float[Array, "D"], Float[Array, ""], Int[Array, "E"]]:
    """Rosenblatt's learning rule for one neuron with two classes.

    Formula: w and b start at zero; then `epochs` times, for the examples in their order: where
    `y[n] * (w @ x[n] + b) <= 0`, a mistake, `w <- w + y[n] x[n]` and `b <- b + y[n]`.

    Where a hyperplane separates the classes, all epochs together make at most (R / gamma)**2 mistakes: with
    a 1 appended to each input for the bias, R is the longest input and gamma the distance from the
    hyperplane to the nearest one. Where none does, as for XOR, no epoch is without a mistake.

    Arguments:
        x: (N, D) floating, one example a row. y: (N,) floating, -1.0 or 1.0. epochs: E >= 1.

    Returns:
        w: (D,). b: a number. mistakes: (E,) integer, how many mistakes each epoch made.

    Convention: the learning rate is 1. A point exactly on the boundary is a mistake, so that the rule
    leaves its start at zero. The history has E entries, zeros after convergence. The slide's labels are
    0 and 1 and its step is (label - prediction) x; with labels -1 and 1 that would be twice as long.

    Example:
        >>> x, y = np.array([[2.0, 1.0], [-1.0, -3.0], [0.0, -1.0]]), np.array([1.0, -1.0, 1.0])
        >>> w, b, mistakes = perceptron_fit(x, y, 3)
        >>> w.tolist(), float(b), mistakes.tolist()
        ([3.0, 1.0], 3.0, [2, 2, 1])

    Source: deck 004, "Rosenblatt's Perceptron (1958)" and "Perceptron can't even solve XOR!".
    """
    w, b = np.zeros(x.shape[1]), 0.0
    mistakes = np.zeros(epochs, dtype=int)
    for epoch in range(epochs):
        for features, label in zip(x, y, strict=True):
            if label * (features @ w + b) <= 0:
                w = w + label * features
                b = b + label
                mistakes[epoch] += 1
    return w, b, mistakes


@perceptron_fit.cases
def _(rng):
    yield case("separable", **_separable(rng, n=12, d=3, first=1.0), epochs=25)
    yield case("separable, first example negative", **_separable(rng, n=9, d=2, first=-1.0), epochs=25)
    yield case("not separable", **_any_labels(rng, n=10, d=4, epochs=3), epochs=3)
    yield case("one epoch", **_any_labels(rng, n=14, d=5, epochs=1), epochs=1)
    # In this order the rule goes round for ever, and not through zero at the end of an epoch.
    corners = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    yield case("XOR", x=corners, y=np.array([-1.0, -1.0, 1.0, 1.0]), epochs=5)


def _separable(rng, *, n, d, first):
    """Points that the rule learns before epoch 20, the first of class `first`."""
    while True:
        x = _points(rng, n, d)
        score = x @ rng.integers(-4, 5, size=d) + 0.5 + rng.integers(-4, 4)
        y = np.sign(score)
        w, b, mistakes = perceptron_fit(x, y, 20)
        if y[0] == first and np.ptp(y) and w.all() and b and mistakes[1] and not mistakes[-1]:
            return {"x": x, "y": y}


def _any_labels(rng, *, n, d, epochs):
    while True:
        x, y = _points(rng, n, d), rng.choice([-1.0, 1.0], size=n)
        w, b, mistakes = perceptron_fit(x, y, epochs)
        worse = epochs == 1 or mistakes[:-1].min() < mistakes[-1]  # than an epoch before
        if np.ptp(y) and w.all() and b and worse:
            return {"x": x, "y": y}


def _points(rng, n, d):
    """Whole numbers: every sum is exact in float32 too, so a tie is a tie for everyone."""
    return rng.integers(-5, 6, size=(n, d)).astype(np.float64)


@perceptron_fit.alternative
def _(x, y, epochs):
    """One number after another."""
    w, b, mistakes = [0.0] * x.shape[1], 0.0, []
    for _ in range(epochs):
        mistakes.append(0)
        for features, label in zip(x.tolist(), y.tolist(), strict=True):
            score = b + sum(weight * feature for weight, feature in zip(w, features, strict=True))
            wrong = score <= 0 if label > 0 else score >= 0
            if wrong:
                w = [weight + label * feature for weight, feature in zip(w, features, strict=True)]
                b += label
                mistakes[-1] += 1
    return np.array(w), b, np.array(mistakes)


@perceptron_fit.alternative
def _(x, y, epochs):
    """The dual form: how often each example was learned, the bias as the weight of a constant 1."""
    signed = np.column_stack([x, np.ones(len(x))]) * y[:, None]  # (N, D) -> (N, D + 1)
    agreement = signed @ signed.T  # (N, N)
    learned, mistakes = np.zeros(len(x)), []
    for _ in range(epochs):
        before = learned.sum()
        for n in range(len(x)):
            learned[n] += agreement[n] @ learned <= 0
        mistakes.append(int(learned.sum() - before))
    weights = learned @ signed  # (N,) @ (N, D + 1) -> (D + 1,)
    return weights[:-1], weights[-1], np.array(mistakes)


@perceptron_fit.worked("three examples, three epochs by hand", lecture="004: Rosenblatt's Perceptron (1958)")
def _():
    x, y = np.array([[2.0, 1.0], [-1.0, -3.0], [0.0, -1.0]]), np.array([1.0, -1.0, 1.0])
    w, b, mistakes = perceptron_fit(x, y, 3)
    close(w, [3.0, 1.0])
    close(b, 3.0)
    close(mistakes, [2, 2, 1])


@perceptron_fit.worked("XOR is never learned", lecture="004: Perceptron can't even solve XOR!")
def _():
    x, y = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([-1.0, 1.0, 1.0, -1.0])
    _, _, mistakes = perceptron_fit(x, y, 50)
    assert len(mistakes) == 50
    assert min(mistakes) > 0


@perceptron_fit.worked(
    "XOR is learned with the product as a third feature",
    lecture="004: What should we do? Handcraft Features (~1960s).",
)
def _():
    x = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    w, b, mistakes = perceptron_fit(x, np.array([-1.0, 1.0, 1.0, -1.0]), 50)
    assert mistakes[-1] == 0
    assert (x @ w + b > 0).tolist() == [False, True, True, False]


@perceptron_fit.wrong(
    "weights of the best epoch returned",
    hint="What does the question ask for where a later epoch makes more mistakes than an earlier one?",
)
def _(x, y, epochs):
    w, b, mistakes = np.zeros(x.shape[1]), 0.0, []
    best = w, b
    for _ in range(epochs):
        mistakes.append(0)
        for features, label in zip(x, y, strict=True):
            if label * (features @ w + b) <= 0:
                w, b = w + label * features, b + label
                mistakes[-1] += 1
        best = (w, b) if mistakes[-1] == min(mistakes) else best
    return *best, np.array(mistakes)


perceptron_fit.misconception(
    "boundary not counted as a mistake",
    ("<= 0", "< 0"),
    hint="With w and b at zero every point lies on the boundary. How does your rule get away from there?",
)
perceptron_fit.misconception(
    "boundary counted as class -1",
    ("label * (features @ w + b) <= 0", "(features @ w + b > 0) != (label > 0)"),
    hint="Your neuron answers -1 on the boundary, so for one class it is never wrong there. What does the "
    "question say about the boundary?",
)
perceptron_fit.misconception(
    "boundary counted as class 1",
    ("label * (features @ w + b) <= 0", "(features @ w + b >= 0) != (label > 0)"),
    hint="Your neuron answers 1 on the boundary, so for one class it is never wrong there. What does the "
    "question say about the boundary?",
)
perceptron_fit.misconception(
    "update on correct examples",
    ("<= 0", ">= 0"),
    hint="When is label times score positive: when the neuron is right, or when it is wrong?",
)
perceptron_fit.misconception(
    "update of the wrong sign",
    ("w + label * features", "w - label * features"),
    ("b + label", "b - label"),
    hint="After an update, should the score of that example have moved towards its label or away from it?",
)
perceptron_fit.misconception(
    "bias never updated",
    ("b = b + label", "b = b"),
    hint="Compare b before and after. Which input is the bias the weight of?",
)
perceptron_fit.misconception(
    "bias left out of the decision",
    ("(features @ w + b)", "(features @ w)"),
    hint="The score that decides about a mistake has two parts.",
)
perceptron_fit.misconception(
    "label left out of the update",
    ("w + label * features", "w + features"),
    ("b + label", "b + 1"),
    hint="Should examples of both classes pull w in the same direction?",
)
perceptron_fit.misconception(
    "step twice as long",
    ("w + label * features", "w + 2 * label * features"),
    ("b + label", "b + 2 * label"),
    hint="Label minus prediction is 1 for labels 0 and 1. How large is it for labels -1 and 1?",
)
perceptron_fit.misconception(
    "mistakes counted over all epochs",
    ("b, mistakes", "b, np.cumsum(mistakes)"),
    hint="Each entry counts the mistakes of one epoch. Where do you set the counter back?",
)


@perceptron_fit.wrong(
    "all examples judged before any update",
    hint="Rosenblatt's rule learns from one example at a time. With which weights is the second one judged?",
)
def _(x, y, epochs):
    w, b, mistakes = np.zeros(x.shape[1]), 0.0, []
    for _ in range(epochs):
        wrong = y * (x @ w + b) <= 0
        w, b = w + y[wrong] @ x[wrong], b + y[wrong].sum()
        mistakes.append(int(wrong.sum()))
    return w, b, np.array(mistakes)


@perceptron_fit.wrong(
    "history ends at convergence",
    hint="How many entries must the history have, whatever happens in training?",
)
def _(x, y, epochs):
    w, b, mistakes = perceptron_fit(x, y, epochs)
    last = int(np.argmin(mistakes)) if 0 in mistakes else epochs
    return w, b, mistakes[: last + 1]
