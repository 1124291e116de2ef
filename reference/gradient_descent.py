"""How do parameters walk down a loss, one batch after another?"""

import numpy as np

from autograder.topic import Array, Float, Int, case, topic
from reference.drawing import sign
from reference.regression import mse_loss


@topic(lecture="001: Minibatch Gradient Descent", returns=("w", "b"))
def minibatch_gradient_descent(
    x: Float[Array, "N D"],
    y: Float[Array, "N"],
    w: Float[Array, "D"],
    b: Float[Array, ""],
    lr: float,
    order: Int[Array, "E N"],
    batch_size: int,
) -> tuple[Float[Array, "D"], Float[Array, ""]]:
    """Minibatch gradient descent on the mean squared error of a linear model.

    Formula: in epoch e the examples are visited in the order `order[e]`, `batch_size` at a time; after
    each batch `w <- w - lr dw` and `b <- b - lr db`, dw and db being the gradient of `mse_loss` on that
    batch alone.

    Arguments:
        x: (N, D) floating. y: (N,) floating. w: (D,), b: a number: where the walk starts.
        lr: positive, the learning rate.
        order: (E, N) integer, each row a permutation of 0 to N - 1: E epochs.
        batch_size: from 1 (stochastic) to N (full batch).

    Returns:
        w: (D,), b: a number: where the walk ends.

    Convention: where batch_size does not divide N, the last batch of an epoch is shorter; it is kept,
    and its gradient is the mean over its own size. (`torch.utils.data.DataLoader` keeps it too.) The
    order is an argument, because a right program that shuffles for itself would end elsewhere.

    Example:
        >>> x, y = np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 4.0, 6.0])
        >>> w, b = minibatch_gradient_descent(x, y, np.zeros(1), 0.0, 0.1, np.array([[2, 0, 1]]), 2)
        >>> w.round(6).tolist(), round(float(b), 6)
        ([1.68], 0.64)

    Source: deck 001, "Minibatch Gradient Descent"; deck 004, "Train a Deep Neural Network with SGD".
    """
    for visit in order:
        for start in range(0, len(visit), batch_size):
            batch = visit[start : start + batch_size]
            _, dw, db = mse_loss(w, b, x[batch], y[batch])
            w = w - lr * dw
            b = b - lr * db
    return w, b


@minibatch_gradient_descent.cases
def _(rng):
    yield case("ordinary", **_regression(rng, n=12, d=3), order=_order(rng, 3, 12), batch_size=4)
    yield case("one at a time", **_regression(rng, n=7, d=2), order=_order(rng, 2, 7), batch_size=1)
    yield case("full batch", **_regression(rng, n=8, d=5), order=_order(rng, 4, 8), batch_size=8)
    yield case("many epochs", **_regression(rng, n=10, d=4), order=_order(rng, 6, 10), batch_size=5)
    # 4, 4 and 3 examples.
    yield case("short last batch", edge=0.3, **_regression(rng, n=11, d=3), order=_order(rng, 3, 11), batch_size=4)


def _regression(rng, *, n, d):
    """Data and a start from which b walks away from zero, so that it is never a small difference."""
    x, side = rng.normal(size=(n, d)), sign(rng)
    y = x @ rng.normal(size=d) + 4 * side + 0.3 * rng.normal(size=n)
    return {"x": x, "y": y, "w": rng.normal(size=d), "b": side * rng.uniform(1.0, 2.0), "lr": 0.04}


def _order(rng, epochs, n):
    return np.array([rng.permutation(n) for _ in range(epochs)])  # (E, N)


@minibatch_gradient_descent.alternative
def _(x, y, w, b, lr, order, batch_size):
    """One example after another."""
    w, b = [float(weight) for weight in w], float(b)
    for visit in order.tolist():
        while visit:
            batch, visit = visit[:batch_size], visit[batch_size:]
            steps, step = [0.0] * len(w), 0.0
            for n in batch:
                residual = sum(weight * float(x[n, d]) for d, weight in enumerate(w)) + b - float(y[n])
                steps = [sofar + 2 * residual * float(x[n, d]) for d, sofar in enumerate(steps)]
                step += 2 * residual
            w = [weight - lr * each / len(batch) for weight, each in zip(w, steps, strict=True)]
            b -= lr * step / len(batch)
    return np.array(w), b


@minibatch_gradient_descent.alternative
def _(x, y, w, b, lr, order, batch_size):
    """PyTorch's automatic differentiation and its optimiser, in double precision."""
    import torch

    inputs, targets = torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)
    parameters = [torch.tensor(each, dtype=torch.float64, requires_grad=True) for each in (w, b)]
    for visit in torch.tensor(order):
        for batch in torch.split(visit, batch_size):
            prediction = inputs[batch] @ parameters[0] + parameters[1]
            loss = torch.nn.functional.mse_loss(prediction, targets[batch])
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                for parameter, gradient in zip(parameters, gradients, strict=True):
                    parameter -= lr * gradient
    return parameters[0].detach().numpy(), parameters[1].item()


minibatch_gradient_descent.misconception(
    "last short batch dropped",
    ("range(0, len(visit), batch_size)", "range(0, len(visit) - batch_size + 1, batch_size)"),
    hint="How many of the examples does an epoch of yours visit when batch_size does not divide N?",
)
minibatch_gradient_descent.misconception(
    "short batch divided by batch_size",
    ("lr * dw", "lr * dw * len(batch) / batch_size"),
    ("lr * db", "lr * db * len(batch) / batch_size"),
    hint="The gradient of a batch is a mean over its examples. How many are in the last one?",
)
minibatch_gradient_descent.misconception(
    "order ignored",
    ("in order", "in [np.arange(len(y))] * len(order)"),
    hint="Which examples are in the first batch of the second epoch? The argument order says so.",
)
minibatch_gradient_descent.misconception(
    "order of the first epoch in every epoch",
    ("in order", "in [order[0]] * len(order)"),
    hint="Each epoch has its own order: order has two axes.",
)
minibatch_gradient_descent.misconception(
    "x shuffled without y",
    ("y[batch]", "y[start : start + batch_size]"),
    hint="After the reordering, does each target still stand beside its own example?",
)
minibatch_gradient_descent.misconception(
    "one update an epoch",
    ("range(0, len(visit), batch_size)", "[0]"),
    ("visit[start : start + batch_size]", "visit"),
    hint="How many times do the parameters change in one epoch of yours, and how many batches are there?",
)
minibatch_gradient_descent.misconception(
    "factor 2 of the gradient lost",
    ("lr * dw", "lr * dw / 2"),
    ("lr * db", "lr * db / 2"),
    hint="Differentiate r**2 on paper. Does the mean squared error have a factor that cancels what comes out?",
)
minibatch_gradient_descent.misconception(
    "gradient summed over the batch",
    ("lr * dw", "lr * dw * len(batch)"),
    ("lr * db", "lr * db * len(batch)"),
    hint="The loss is a mean over the batch. Should a larger batch take larger steps?",
)
minibatch_gradient_descent.misconception(
    "loss climbed instead of descended",
    ("w - lr * dw", "w + lr * dw"),
    ("b - lr * db", "b + lr * db"),
    hint="The gradient points to where the loss grows. Which way should a step go?",
)
minibatch_gradient_descent.misconception(
    "bias never updated",
    ("b - lr * db", "b"),
    hint="Compare b before and after.",
)
minibatch_gradient_descent.misconception(
    "bias updated with the weights already moved",
    ("b - lr * db", "b - lr * mse_loss(w, b, x[batch], y[batch])[2]"),
    hint="Both gradients of a step belong to the same point. Where is db computed in yours?",
)
