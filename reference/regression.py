"""How far is a linear model from its targets, and which way does that improve?"""

import math

import numpy as np

from autograder.topic import Array, Float, case, topic
from reference.drawing import sign


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
