"""How do scores become probabilities?"""

import numpy as np

from autograder.topic import Array, Float, case, close, topic


@topic(lecture="your deck: the title of the slide", returns=("probabilities",))
def softmax(logits: Float[Array, "N C"]) -> Float[Array, "N C"]:
    """Probabilities of the classes for each example.

    p[n, c] = exp(z[n, c]) / Σ_k exp(z[n, k])

    Arguments:
        logits: scores z of N examples for C classes, shape (N, C).
    Returns:
        p, shape (N, C); each row sums to 1.
    Numerics:
        exp overflows above 709. Subtracting the largest score of a row changes nothing but that.
    Example:
        >>> softmax(np.array([[1.0, 1.0]]))
        array([[0.5, 0.5]])
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@softmax.cases
def _(rng):
    yield case("ordinary", logits=rng.normal(size=(7, 5)))
    yield case("more classes than examples", logits=rng.normal(scale=3.0, size=(3, 8)))
    yield case("two classes", logits=rng.normal(size=(6, 2)))
    yield case("one example", logits=rng.normal(size=(1, 4)))
    # Whatever is drawn, exp overflows in the first two rows, and is 0 for all of the last two.
    yield case("huge logits", edge=0.25, logits=rng.uniform(1000.0, 3000.0, size=(4, 5)) * [[1], [1], [-1], [-1]])


@softmax.alternative
def _(logits):
    rows = []
    for scores in logits:
        log_total = np.logaddexp.reduce(scores)
        rows.append(np.exp(scores - log_total))
    return np.array(rows)


@softmax.worked("equal scores are equal probabilities", lecture="your deck: the title of the slide")
def _():
    close(softmax(np.zeros((2, 4))), np.full((2, 4), 0.25))


softmax.misconception(
    "normalised over the examples",
    ("exponentials.sum(axis=1, keepdims=True)", "exponentials.sum(axis=0, keepdims=True)"),
    hint="Which sum is 1: that of a row (one example) or that of a column (one class)?",
)

softmax.misconception(
    "largest score not subtracted",
    ("logits - logits.max(axis=1, keepdims=True)", "logits"),
    hint="What is np.exp(1000.0)? Subtract something from the scores that cancels in the quotient.",
)

softmax.misconception(
    "not normalised",
    ("exponentials / exponentials.sum(axis=1, keepdims=True)", "exponentials"),
    hint="What must the probabilities of one example sum to?",
)
