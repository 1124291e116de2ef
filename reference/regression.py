"""What does a linear model predict, how far is that from its targets, and which way does it improve?"""

import math

import numpy as np

from autograder.topic import Array, Float, case, close, topic
from reference.drawing import sign


@topic(lecture="000: Univariate Linear Regression", returns=("prediction",))
def linear_forward(x: Float[Array, "N D"], w: Float[Array, "D"], b: Float[Array, ""]) -> Float[Array, "N"]:
    """Predictions of a linear model, one for each of N examples.

    Formula: `prediction[n] = sum_d x[n, d] w[d] + b`.

    Arguments:
        x: (N, D) floating, one example a row. w: (D,) floating, a weight a feature. b: a number.

    Returns:
        (N,), a number an example.

    Convention: deck 000 has one feature, `y = w x + b`; with D features the products are summed and the
    bias is added once. (`torch.nn.Linear(D, 1)` answers (N, 1).)

    Example:
        >>> linear_forward(np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([3.0, 0.5]), 1.0).tolist()
        [5.0, 0.5]

    Source: deck 000, "Univariate Linear Regression"; deck 004, "The Delta Rule For a Linear Neuron".
    """
    return x @ w + b  # (N, D) @ (D,) -> (N,)


@linear_forward.cases
def _(rng):
    for name, n, d in (("ordinary", 7, 3), ("more features than examples", 3, 6), ("one example", 1, 4)):
        yield case(name, **_predicted(rng, n, d))
    yield case("as many features as examples", **_predicted(rng, 5, 5))


def _predicted(rng, n, d):
    """Weights and features that move all predictions to one side: none is a small difference."""
    side = sign(rng)
    return {
        "x": rng.uniform(0.5, 2.0, size=(n, d)),
        "w": side * rng.uniform(0.3, 1.5, size=d),
        "b": side * float(rng.uniform(0.5, 1.5)),
    }


@linear_forward.alternative
def _(x, w, b):
    """One example after another."""
    return np.array([math.fsum([*(float(f * v) for f, v in zip(row, w, strict=True)), float(b)]) for row in x])


@linear_forward.alternative
def _(x, w, b):
    """PyTorch's linear layer with one output, in double precision."""
    import torch

    inputs, weights, bias = (torch.tensor(each, dtype=torch.float64) for each in (x, w, b))
    return torch.nn.functional.linear(inputs, weights[None, :], bias[None])[:, 0].numpy()  # (N, 1) -> (N,)


@linear_forward.worked("two features by hand", lecture="000: Univariate Linear Regression")
def _():
    x = np.array([[1.0, 2.0], [0.0, -1.0], [0.0, 0.0]])
    close(linear_forward(x, np.array([3.0, 0.5]), 1.0), [5.0, 0.5, 1.0])


linear_forward.misconception(
    "bias forgotten",
    ("x @ w + b", "x @ w"),
    hint="Which of the three arguments do your predictions not depend on?",
)
linear_forward.misconception(
    "bias added once for each feature",
    ("x @ w + b", "(x * w + b).sum(axis=1)"),
    hint="What should the prediction be where all features are zero? Try it with two features.",
)
linear_forward.misconception(
    "mean over the features instead of the sum",
    ("x @ w + b", "(x * w).mean(axis=1) + b"),
    hint="Does the share of one feature become smaller when the model gets another feature?",
)
linear_forward.misconception(
    "weights left out",
    ("x @ w + b", "x.sum(axis=1) + b"),
    hint="Do two features of equal size always move the prediction equally?",
)


@topic(
    lecture="004: Loss Function: Mean Squared Error",
    returns=("loss", "dw", "db"),
    gradients={"dw": ("loss", "w"), "db": ("loss", "b")},
)
def mse_loss(
    w: Float[Array, "D"], b: Float[Array, ""], x: Float[Array, "N D"], y: Float[Array, "N"]
) -> tuple[Float[Array, ""], Float[Array, "D"], Float[Array, ""]]:
    """Mean squared error of linear regression, and its gradient.

    Formula: `r = x @ w + b - y`; `loss = mean_n r[n]**2`.

    Arguments:
        w: (D,) floating. b: a number. x: (N, D) floating, one example a row. y: (N,) floating, targets.

    Returns:
        loss: a number, the mean over N.
        dw: (D,), db: a number: the gradient of that mean.

    Backward: `dw = 2/N x.T @ r`; `db = 2/N sum_n r[n]`.

    Convention: factor 1/N as in decks 001, 003 and 004 and in `torch.nn.functional.mse_loss`, so the
    derivative of the square keeps its 2. The delta rule of deck 004 is another one: half the sum.

    Example:
        >>> x, y = np.array([[1.0], [2.0]]), np.array([3.0, 3.0])
        >>> loss, dw, db = mse_loss(np.array([1.0]), 0.0, x, y)
        >>> float(loss), dw.tolist(), float(db)
        (2.5, [-4.0], -3.0)

    Source: deck 004, "Loss Function: Mean Squared Error"; deck 003, "Mean Squared Error Loss".
    """
    residual = x @ w + b - y  # (N, D) @ (D,) -> (N,)
    slope = 2 / len(y) * residual
    return (residual**2).mean(), x.T @ slope, slope.sum()  # (D, N) @ (N,) -> (D,)


@mse_loss.cases
def _(rng):
    for name, n, d in (("ordinary", 9, 4), ("one example", 1, 3), ("one feature", 8, 1), ("many", 25, 6)):
        x = rng.choice([-1.0, 1.0], size=d) * rng.uniform(0.5, 1.5, size=(n, d))
        w, b = rng.normal(size=d), rng.normal()
        # Two of three residuals on one side, by more than the third on the other: neither db nor dw is
        # a small difference of large numbers.
        residual = sign(rng) * rng.uniform(0.5, 2.0, size=n)
        residual[2::3] *= -0.4
        y = x @ w + b - residual
        yield case(name, w=w, b=float(b), x=x, y=y)


@mse_loss.alternative
def _(w, b, x, y):
    """One example after another."""
    loss, dw, db = 0.0, np.zeros(len(w)), 0.0
    for features, target in zip(x.tolist(), y.tolist(), strict=True):
        residual = math.fsum(weight * feature for weight, feature in zip(w.tolist(), features, strict=True))
        residual += b - target
        loss += residual * residual / len(y)
        dw += np.array([2 * residual * feature / len(y) for feature in features])
        db += 2 * residual / len(y)
    return loss, dw, db


@mse_loss.alternative
def _(w, b, x, y):
    """PyTorch's loss, and its gradient by automatic differentiation, in double precision."""
    import torch

    weights, bias, inputs, targets = (torch.tensor(each, dtype=torch.float64) for each in (w, b, x, y))
    weights.requires_grad_()
    bias.requires_grad_()
    loss = torch.nn.functional.mse_loss(inputs @ weights + bias, targets)
    loss.backward()
    return loss.item(), weights.grad.numpy(), bias.grad.item()


@mse_loss.worked("two points and a line through the origin", lecture="004: Loss Function: Mean Squared Error")
def _():
    # The residuals are -2 and -1: the loss is (4 + 1) / 2.
    loss, dw, db = mse_loss(np.array([1.0]), 0.0, np.array([[1.0], [2.0]]), np.array([3.0, 3.0]))
    close(loss, 2.5)
    close(dw, [-4.0])
    close(db, -3.0)


mse_loss.misconception(
    "factor 2 of the gradient lost",
    ("2 / len(y) * residual", "residual / len(y)"),
    hint="Differentiate r**2 on paper. Does your loss have a factor that cancels what comes out?",
)
mse_loss.misconception(
    "gradient summed over the batch",
    ("2 / len(y) * residual", "2 * residual"),
    hint="The loss is a mean over the examples; what does that make of its gradient?",
)
mse_loss.misconception(
    "loss summed over the batch",
    ("(residual**2).mean()", "(residual**2).sum()"),
    hint="Should the loss grow when the same examples are in the data twice?",
)
mse_loss.misconception(
    "loss halved",
    ("(residual**2).mean()", "(residual**2).mean() / 2"),
    hint="The delta rule has a factor of one half. Does the mean squared error of the question?",
)
mse_loss.misconception(
    "root of the mean squared error",
    ("(residual**2).mean()", "np.sqrt((residual**2).mean())"),
    hint="The question asks for the mean of the squares. In which unit is yours?",
)
mse_loss.misconception(
    "gradient of the wrong sign",
    ("2 / len(y) * residual", "-2 / len(y) * residual"),
    hint="If the prediction is too high, does a larger bias make the loss larger or smaller?",
)
mse_loss.misconception(
    "bias forgotten in the prediction",
    ("x @ w + b - y", "x @ w - y"),
    hint="Which of the four arguments do your outputs not depend on?",
)
mse_loss.misconception(
    "db not summed over the batch",
    ("slope.sum()", "slope"),
    hint="There is one bias for all examples. What shape must its gradient have?",
)
mse_loss.misconception(
    "db averaged once more",
    ("slope.sum()", "slope.mean()"),
    hint="How often do you divide by N on the way to db?",
)


@topic(
    lecture="003: Binary Cross Entropy Loss",
    returns=("loss", "dw", "db"),
    gradients={"dw": ("loss", "w"), "db": ("loss", "b")},
)
def logistic_loss(
    w: Float[Array, "D"], b: Float[Array, ""], x: Float[Array, "N D"], y: Float[Array, "N"]
) -> tuple[Float[Array, ""], Float[Array, "D"], Float[Array, ""]]:
    """Binary cross-entropy of logistic regression, and its gradient.

    Formula: `z = x @ w + b`; `p = 1 / (1 + exp(-z))`;
    `loss = -mean_n (y[n] log p[n] + (1 - y[n]) log(1 - p[n]))`.

    Arguments:
        w: (D,) floating. b: a number. x: (N, D) floating, one example a row. y: (N,), 0.0 or 1.0.

    Returns:
        loss: a number, in nats, the mean over N.
        dw: (D,), db: a number: the gradient of that mean.

    Backward: `dz = (p - y) / N`: the slope p (1 - p) of the sigmoid cancels against the logarithm's.
    `dw = x.T @ dz`; `db = sum_n dz[n]`.

    Numerics: p rounds to 0 or 1 where z is large, and log 0 is minus infinity. An example of class 1 costs
    `log(1 + exp(-z))` and one of class 0 `log(1 + exp(z))`, which `logaddexp` computes for every z.

    Convention: labels 0 and 1, natural logarithm, mean over N. (As `torch.nn.BCEWithLogitsLoss`; clipped
    probabilities, or `torch.nn.BCELoss`, which stops at 100, cost less where z is huge, and are not right.)

    Example:
        >>> loss, dw, db = logistic_loss(np.zeros(1), 0.0, np.array([[1.0], [3.0]]), np.array([1.0, 1.0]))
        >>> round(float(loss), 6), dw.tolist(), float(db)
        (0.693147, [-1.0], -0.5)

    Source: deck 003, "Binary Cross Entropy Loss".
    """
    z = x @ w + b  # (N, D) @ (D,) -> (N,)
    p = np.exp(-np.logaddexp(0, -z))
    slope = (p - y) / len(y)
    loss = np.logaddexp(0, (1 - 2 * y) * z).mean()
    return loss, x.T @ slope, slope.sum()  # (D, N) @ (N,) -> (D,)


@logistic_loss.cases
def _(rng):
    yield case("ordinary", **_labelled(rng, n=9, d=4))
    yield case("one feature", **_labelled(rng, n=8, d=1))
    yield case("one example", **_labelled(rng, n=1, d=3))
    yield case("many", **_labelled(rng, n=24, d=6))
    # Numbers on a coarse grid, so that float32 has the same z; three in four examples are on the wrong side.
    x = rng.choice([-1.0, 1.0], size=8)[:, None] * rng.integers(2, 6, size=(8, 3))  # (8, 1) * (8, 3) -> (8, 3)
    w = 64.0 * rng.integers(1, 5, size=3)
    y = (x[:, 0] < 0).astype(np.float64)
    y[::4] = 1 - y[::4]
    yield case("huge scores", edge=0.2, w=w, b=32.0, x=x, y=y)


def _labelled(rng, *, n, d):
    """Data on which neither dw nor db is a small difference of large numbers."""
    while True:
        x, w, b = rng.normal(size=(n, d)), rng.normal(size=d), float(rng.normal())
        y = rng.integers(2, size=n).astype(np.float64)
        _, dw, db = logistic_loss(w, b, x, y)
        if abs(db) > 0.1 and np.abs(dw).max() > 0.1:
            return {"w": w, "b": b, "x": x, "y": y}


@logistic_loss.alternative
def _(w, b, x, y):
    """One example after another, by what its own class costs."""
    costs, slopes = [], []
    for features, label in zip(x.tolist(), y.tolist(), strict=True):
        score = math.fsum([float(b), *(weight * feature for weight, feature in zip(w.tolist(), features, strict=True))])
        wrong = -score if label else score  # large where the model is sure of the other class
        costs.append(max(wrong, 0.0) + math.log1p(math.exp(-abs(wrong))))
        share = 1 / (1 + math.exp(-wrong)) if wrong > -700 else 0.0
        slopes.append(-share if label else share)
    dw = [math.fsum(s * f for s, f in zip(slopes, column, strict=True)) / len(y) for column in x.T.tolist()]
    return math.fsum(costs) / len(y), np.array(dw), math.fsum(slopes) / len(y)


@logistic_loss.alternative
def _(w, b, x, y):
    """PyTorch's loss from scores, and its gradient by automatic differentiation, in double precision."""
    import torch

    weights, bias, inputs, labels = (torch.tensor(each, dtype=torch.float64) for each in (w, b, x, y))
    weights.requires_grad_()
    bias.requires_grad_()
    loss = torch.nn.functional.binary_cross_entropy_with_logits(inputs @ weights + bias, labels)
    loss.backward()
    return loss.item(), weights.grad.numpy(), bias.grad.item()


@logistic_loss.worked("a model that knows nothing pays log 2", lecture="003: Binary Cross Entropy Loss")
def _():
    # p is 1/2 for both examples, and both are of class 1.
    loss, dw, db = logistic_loss(np.zeros(1), 0.0, np.array([[1.0], [3.0]]), np.array([1.0, 1.0]))
    close(loss, math.log(2))
    close(dw, [-1.0])
    close(db, -0.5)


@logistic_loss.worked("sure of the wrong class", lecture="003: Binary Cross Entropy Loss")
def _():
    # The score is 1000 and the class is 0: log(1 + exp(1000)) is 1000, not infinity.
    loss, dw, db = logistic_loss(np.array([10.0]), 0.0, np.array([[100.0]]), np.array([0.0]))
    close(loss, 1000.0)
    close(dw, [100.0])
    close(db, 1.0)


logistic_loss.misconception(
    "log of a probability that is rounded to 0",
    ("np.logaddexp(0, (1 - 2 * y) * z).mean()", "-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()"),
    hint="What is log(1 - p) when p is so near to 1 that it is rounded to it? Simplify the logarithm on paper first.",
)
logistic_loss.misconception(
    "log of the true class's probability, rounded to 0",
    ("np.logaddexp(0, (1 - 2 * y) * z).mean()", "-np.log(np.where(y == 1, p, 1 - p)).mean()"),
    hint="What is log(1 - p) when p is so near to 1 that it is rounded to it? Simplify the logarithm on paper first.",
)
logistic_loss.misconception(
    "probabilities clipped away from 0 and 1",
    (
        "np.logaddexp(0, (1 - 2 * y) * z).mean()",
        "-np.log(np.clip(np.where(y == 1, p, 1 - p), 1e-12, 1)).mean()",
    ),
    hint="Should a model that is twice as sure of the wrong class pay more? With yours the cost stops growing.",
)
logistic_loss.misconception(
    "slope of the sigmoid kept in the gradient",
    ("(p - y) / len(y)", "(p - y) * p * (1 - p) / len(y)"),
    hint="Differentiate -log p by z on paper. What does the slope p (1 - p) cancel against?",
)
logistic_loss.misconception(
    "examples of class 0 left out of the loss",
    ("np.logaddexp(0, (1 - 2 * y) * z).mean()", "(y * np.logaddexp(0, -z)).mean()"),
    hint="What does an example of class 0 cost, if the model is sure that it is of class 1?",
)
logistic_loss.misconception(
    "formula for labels -1 and 1",
    ("np.logaddexp(0, (1 - 2 * y) * z).mean()", "np.logaddexp(0, -y * z).mean()"),
    hint="Your formula is for labels -1 and 1. What does it give for a label of 0?",
)
logistic_loss.misconception(
    "logarithm to base 2",
    ("np.logaddexp(0, (1 - 2 * y) * z).mean()", "np.logaddexp(0, (1 - 2 * y) * z).mean() / np.log(2)"),
    hint="In nats a model that knows nothing pays 0.693. What does yours pay?",
)
logistic_loss.misconception(
    "gradient summed over the batch",
    ("(p - y) / len(y)", "p - y"),
    hint="The loss is a mean over the examples; what does that make of its gradient?",
)
logistic_loss.misconception(
    "loss summed over the batch",
    ("np.logaddexp(0, (1 - 2 * y) * z).mean()", "np.logaddexp(0, (1 - 2 * y) * z).sum()"),
    hint="Should the loss grow when the same examples are in the data twice?",
)
logistic_loss.misconception(
    "factor 2 of the squared error",
    ("(p - y) / len(y)", "2 * (p - y) / len(y)"),
    hint="The mean squared error has a square to differentiate. Has the cross-entropy?",
)
logistic_loss.misconception(
    "gradient of the wrong sign",
    ("(p - y) / len(y)", "(y - p) / len(y)"),
    hint="If p is too high, does a larger bias make the loss larger or smaller?",
)
logistic_loss.misconception(
    "bias forgotten in the score",
    ("x @ w + b", "x @ w"),
    hint="Which of the four arguments do your outputs not depend on?",
)
logistic_loss.misconception(
    "db averaged once more",
    ("slope.sum()", "slope.mean()"),
    hint="How often do you divide by N on the way to db?",
)
