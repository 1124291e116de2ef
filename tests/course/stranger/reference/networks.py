"""What is the loss of a network with one hidden layer, and its gradient by every parameter?"""

import numpy as np

from autograder.topic import Array, Float, Int, case, topic


@topic(
    lecture="CV 2: a network with a hidden layer", returns=("loss", "grads"), gradients={"grads": ("loss", "params")}
)
def two_layer_loss(
    x: Float[Array, "N D"], y: Int[Array, "N"], params: dict[str, Array]
) -> tuple[Float[Array, ""], dict[str, Array]]:
    """Mean cross-entropy of relu(x W1 + b1) W2 + b2, and a dict of gradients with the keys of params.

    x: (N, D). y: (N,), the true classes. params: {"W1": (D, H), "b1": (H,), "W2": (H, K), "b2": (K,)}. Returns loss, a
    number, and grads.

    >>> params = {"W1": np.eye(2), "b1": np.zeros(2), "W2": np.zeros((2, 2)), "b2": np.zeros(2)}
    >>> loss, grads = two_layer_loss(np.array([[1.0, 2.0]]), np.array([0]), params)
    >>> round(float(loss), 4), grads["b2"]
    (0.6931, array([-0.5,  0.5]))
    """
    n = len(y)
    inner = x @ params["W1"] + params["b1"]
    hidden = np.maximum(inner, 0)
    scores = hidden @ params["W2"] + params["b2"]
    scores = scores - scores.max(axis=1, keepdims=True)
    log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    loss = -log_p[np.arange(n), y].mean()
    dscores = np.exp(log_p)
    dscores[np.arange(n), y] -= 1
    dscores = dscores / n
    dinner = (dscores @ params["W2"].T) * (inner > 0)
    grads = {
        "W1": x.T @ dinner,
        "b1": dinner.sum(axis=0),
        "W2": hidden.T @ dscores,
        "b2": dscores.sum(axis=0),
    }
    return loss, grads


@two_layer_loss.cases
def _(rng):
    for name, n, sizes in (
        ("three classes", 6, (4, 5, 3)),
        ("two classes", 9, (3, 7, 2)),
        ("more classes than examples", 4, (5, 6, 8)),
    ):
        yield case(name, x=rng.normal(size=(n, sizes[0])), y=rng.integers(sizes[2], size=n), params=drawn(rng, *sizes))
    huge = drawn(rng, 4, 6, 3)
    huge["b2"] += 1e3  # exp of the scores overflows, and their differences stay what they were
    yield case("huge scores", edge=0.2, x=rng.normal(size=(5, 4)), y=rng.integers(3, size=5), params=huge)


def drawn(rng, d, h, k):
    """Parameters of a network with h hidden units, small enough for no class to be certain."""
    return {
        "W1": rng.normal(size=(d, h)) / np.sqrt(d),
        "b1": rng.normal(size=h),
        "W2": rng.normal(size=(h, k)) / np.sqrt(h),
        "b2": rng.normal(size=k),
    }


@two_layer_loss.alternative
def _(x, y, params):
    total = 0.0
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    for row, label in zip(x, y, strict=True):
        hidden = np.array([max(value, 0.0) for value in row @ params["W1"] + params["b1"]])
        scores = hidden @ params["W2"] + params["b2"]
        log_total = np.logaddexp.reduce(scores)
        total += log_total - scores[label]
        dscores = np.exp(scores - log_total) - np.eye(len(scores))[label]
        dhidden = np.where(hidden > 0, params["W2"] @ dscores, 0.0)
        grads["W2"] += np.outer(hidden, dscores)
        grads["b2"] += dscores
        grads["W1"] += np.outer(row, dhidden)
        grads["b1"] += dhidden
    return total / len(y), {name: value / len(y) for name, value in grads.items()}


two_layer_loss.misconception(
    "gradients summed over the batch",
    ("dscores / n", "dscores"),
    hint="The loss is a mean over the examples; are its gradients?",
)
two_layer_loss.misconception(
    "no gate on the way back",
    ('(dscores @ params["W2"].T) * (inner > 0)', '(dscores @ params["W2"].T)'),
    hint="What is the slope of relu where its input is negative?",
)
two_layer_loss.misconception(
    "hidden layer without relu",
    ("hidden = np.maximum(inner, 0)", "hidden = inner"),
    hint="What stands between two linear layers?",
)
two_layer_loss.misconception(
    "largest score not subtracted",
    ("scores = scores - scores.max(axis=1, keepdims=True)", ""),
    hint="What is np.exp(1000.0)?",
)
