"""How do parameters walk down a loss: on the whole of it, one example at a time, or batch after batch?"""

import math
from collections.abc import Callable

import numpy as np

from autograder.topic import Array, Float, Int, bind, case, close, topic
from reference.drawing import on_grid, sign
from reference.regression import mse_loss


@topic(lecture="003: Gradient Descent", returns=("path",))
def gradient_descent(
    grad: Callable[[Array], Array], x: Float[Array, "D"], lr: float, steps: int
) -> Float[Array, "T D"]:
    """The way down along the gradient, from a start, with a constant learning rate.

    Formula: `path[0] = x`; `path[t + 1] = path[t] - lr grad(path[t])` for t = 0 to steps - 1.

    Arguments:
        grad: a function of an array (D,) that returns the gradient there, (D,).
        x: (D,) floating, the start. lr: positive, the learning rate. steps: S >= 1.

    Returns:
        (S + 1, D): every point of the way, the start first and the end last.

    Convention: a fixed number of steps and no test for convergence, so that the way is the same for
    everyone; `x` itself is left as it was.

    Example:
        >>> gradient_descent(lambda x: 2 * x, np.array([8.0]), 0.25, 3).tolist()
        [[8.0], [4.0], [2.0], [1.0]]

    Source: deck 003, "Gradient Descent"; deck 000, "Gradient Descent", with x**2 sin(x) as its example.
    """
    path = [x]
    for _ in range(steps):
        path.append(path[-1] - lr * grad(path[-1]))
    return np.array(path)  # S + 1 of (D,) -> (S + 1, D)


@gradient_descent.cases
def _(rng):
    # Each call of grad is a message to the examiner: few steps are enough.
    yield case("bowl", **_hill(rng, _bowl_slope, d=3), lr=0.1, steps=6)
    yield case("bowl in one dimension", **_hill(rng, _bowl_slope, d=1), lr=0.2, steps=4)
    yield case("valley that is no bowl", **_hill(rng, _valley_slope, d=2), lr=0.15, steps=8)
    yield case("five dimensions", **_hill(rng, _valley_slope, d=5), lr=0.1, steps=5)
    yield case("one step", edge=0.2, **_hill(rng, _bowl_slope, d=2), lr=0.1, steps=1)


def _hill(rng, slope, *, d):
    """A slope and a start at some distance from where it is zero, one that float32 holds exactly.

    The slopes come in double precision whatever a program works in, so a rounding of the start alone
    would be held against the small differences that are allowed there.
    """
    lean = rng.uniform(0.5, 1.5, size=(d, d)) + np.eye(d)
    centre = rng.normal(size=d)
    start = centre + rng.choice([-1.0, 1.0], size=d) * rng.uniform(1.0, 2.0, size=d)
    return {"grad": bind(slope, centre=centre, curvature=lean.T @ lean / d**2), "x": on_grid(start, step=2.0**-10)}


def _bowl_slope(x, centre, curvature):
    return curvature @ (x - centre)


def _valley_slope(x, centre, curvature):
    return np.tanh(curvature @ (x - centre)) + 0.2 * (x - centre)


@gradient_descent.alternative
def _(grad, x, lr, steps):
    """The path is filled row by row, in double precision."""
    path = np.empty((steps + 1, len(x)))
    path[0] = x
    for step in range(steps):
        path[step + 1] = path[step] - lr * np.asarray(grad(path[step].copy()))
    return path


@gradient_descent.alternative
def _(grad, x, lr, steps):
    """Plain numbers: each point is the start less the learning rate times the sum of the slopes so far."""
    slopes, path = [], [[float(value) for value in x]]
    for _ in range(steps):
        slopes.append([float(value) for value in grad(np.array(path[-1]))])
        path.append([float(at) - lr * math.fsum(each) for at, each in zip(x, zip(*slopes, strict=True), strict=True)])
    return np.array(path)


@gradient_descent.worked("50 steps down x**2 sin(x) from 2.5", lecture="000: Gradient Descent")
def _():
    # The lecture's figure says -22.1; the derivative is 2 x sin(x) + x**2 cos(x).
    path = gradient_descent(lambda x: 2 * x * np.sin(x) + x**2 * np.cos(x), np.array([2.5]), 0.005, 50)
    end = path[-1]
    close(end, [4.7027], within=5e-5)
    close(end**2 * np.sin(end), [-22.115], within=5e-4)


@gradient_descent.worked("300 steps reach the minimum at 5.0870", lecture="000: Gradient Descent")
def _():
    path = gradient_descent(lambda x: 2 * x * np.sin(x) + x**2 * np.cos(x), np.array([2.5]), 0.005, 300)
    end = path[-1]
    close(end, [5.0870], within=5e-5)
    close(end**2 * np.sin(end), [-24.083], within=5e-4)


gradient_descent.misconception(
    "climbed instead of descended",
    ("path[-1] - lr", "path[-1] + lr"),
    hint="The gradient points to where the function grows. Which way should a step go?",
)
gradient_descent.misconception(
    "start left out of the path",
    ("np.array(path)", "np.array(path[1:])"),
    hint="How many points has a way of one step, with both its ends?",
)
gradient_descent.misconception(
    "one step too few",
    ("range(steps)", "range(steps - 1)"),
    hint="How many times does yours call grad?",
)
gradient_descent.misconception(
    "the same array changed in place and appended again",
    ("np.array(path)", "np.array([path[-1]] * len(path))"),
    hint="All rows of your path are equal. Is what you append at each step a new array?",
)
gradient_descent.misconception(
    "gradient of the start at every step",
    ("grad(path[-1])", "grad(path[0])"),
    hint="Does the slope change on the way? Where do you ask for it?",
)
gradient_descent.misconception(
    "steps of the length of the learning rate",
    ("grad(path[-1])", "grad(path[-1]) / np.linalg.norm(grad(path[-1]))"),
    hint="Steps should become shorter where the function becomes flat. Do yours?",
)
gradient_descent.misconception(
    "learning rate left out",
    ("lr * grad(path[-1])", "grad(path[-1])"),
    hint="Which of the four arguments does your path not depend on?",
)
gradient_descent.misconception(
    "steps added up",
    ("path[-1] - lr * grad(path[-1])", "path[0] - lr * (len(path)) * grad(path[-1])"),
    hint="Where does each step of yours begin: at the last point, or at the start?",
)


@topic(lecture="003: Stochastic Gradient Descent", returns=("w",))
def stochastic_gradient_descent(
    grad: Callable[[Array, int], Array], w: Float[Array, "D"], lr: float, order: Int[Array, "E N"]
) -> Float[Array, "D"]:
    """Stochastic gradient descent: a step for each single example.

    Formula: in epoch e the examples are visited in the order `order[e]`; at example n
    `w <- w - lr grad(w, n)`.

    Arguments:
        grad: a function of parameters (D,) and the number of an example, 0 to N - 1, that returns the
            gradient of that example's loss, (D,).
        w: (D,) floating, the start. lr: positive. order: (E, N) integer, each row a permutation of 0 to
            N - 1: E epochs.

    Returns:
        (D,): where the walk ends, after E N steps.

    Convention: the order is an argument. (Deck 001 and deck 003 draw each example at random.)

    Example:
        >>> targets = np.array([[4.0], [8.0]])
        >>> stochastic_gradient_descent(lambda w, n: w - targets[n], np.zeros(1), 0.5, np.array([[1, 0]])).tolist()
        [4.0]

    Source: deck 003, "Stochastic Gradient Descent"; deck 001, "Stochastic Gradient Descent".
    """
    for visit in order:
        for example in visit:
            w = w - lr * grad(w, example)
    return w


@stochastic_gradient_descent.cases
def _(rng):
    yield case("ordinary", **_examples(rng, n=6, d=3), order=_order(rng, 2, 6))
    yield case("one parameter", **_examples(rng, n=4, d=1), order=_order(rng, 3, 4))
    yield case("one epoch", **_examples(rng, n=9, d=2), order=_order(rng, 1, 9))
    yield case("more parameters than examples", **_examples(rng, n=3, d=5), order=_order(rng, 4, 3))


def _examples(rng, *, n, d):
    """The squared errors of a linear model, far enough from its data for every step to count; w as above."""
    x = rng.choice([-1.0, 1.0], size=(n, d)) * rng.uniform(0.5, 1.5, size=(n, d))
    y = rng.choice([-1.0, 1.0], size=n) * rng.uniform(2.0, 5.0, size=n)
    return {"grad": bind(_slope_of_example, x=x, y=y), "w": on_grid(rng.normal(size=d), step=2.0**-10), "lr": 0.05}


def _slope_of_example(w, n, x, y):
    return 2 * (x[n] @ w - y[n]) * x[n]


@stochastic_gradient_descent.alternative
def _(grad, w, lr, order):
    """All visits in one row, in plain numbers."""
    at = [float(value) for value in w]
    for example in np.ravel(order).tolist():
        slope = grad(np.array(at), example)
        at = [value - lr * float(each) for value, each in zip(at, slope, strict=True)]
    return np.array(at)


@stochastic_gradient_descent.alternative
def _(grad, w, lr, order):
    """The start less the learning rate times the sum of all slopes that were met."""
    start, total = np.array(w, dtype=np.float64), np.zeros(len(w))
    for visit in order:
        for example in visit:
            total = total + np.asarray(grad(start - lr * total, int(example)))
    return start - lr * total


@stochastic_gradient_descent.worked("two examples, one after the other", lecture="003: Stochastic Gradient Descent")
def _():
    # Half of the way from 0 to 8, then half of the way from 4 to 4.
    targets = np.array([[4.0], [8.0]])
    w = stochastic_gradient_descent(lambda w, n: w - targets[n], np.zeros(1), 0.5, np.array([[1, 0]]))
    close(w, [4.0])


stochastic_gradient_descent.misconception(
    "order ignored",
    ("in order", "in [np.arange(order.shape[1])] * len(order)"),
    hint="Which example is visited first in the first epoch? The argument order says so.",
)
stochastic_gradient_descent.misconception(
    "order of the first epoch in every epoch",
    ("in order", "in [order[0]] * len(order)"),
    hint="Each epoch has its own order: order has two axes.",
)
stochastic_gradient_descent.misconception(
    "only one epoch",
    ("in order", "in order[:1]"),
    hint="How many steps does yours take, and how many numbers does order hold?",
)
stochastic_gradient_descent.misconception(
    "last example of each epoch left out",
    ("in visit", "in visit[:-1]"),
    hint="Does yours visit every example of an epoch? Count the calls of grad.",
)
stochastic_gradient_descent.misconception(
    "one step an epoch, with the sum of the gradients",
    (
        "for example in visit: w = w - lr * grad(w, example)",
        "w = w - lr * sum(grad(w, example) for example in visit)",
    ),
    hint="How many times do the parameters change in one epoch of yours? That is full gradient descent.",
)
stochastic_gradient_descent.misconception(
    "one step an epoch, with the mean of the gradients",
    (
        "for example in visit: w = w - lr * grad(w, example)",
        "w = w - lr * sum(grad(w, example) for example in visit) / len(visit)",
    ),
    hint="How many times do the parameters change in one epoch of yours? That is full gradient descent.",
)
stochastic_gradient_descent.misconception(
    "step divided by the number of examples",
    ("lr * grad(w, example)", "lr * grad(w, example) / len(visit)"),
    hint="The gradient at a step is that of one example. What would there be to average?",
)
stochastic_gradient_descent.misconception(
    "climbed instead of descended",
    ("w - lr", "w + lr"),
    hint="The gradient points to where the loss grows. Which way should a step go?",
)


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


@minibatch_gradient_descent.worked("three points, two batches", lecture="001: Minibatch Gradient Descent")
def _():
    # First the points 3 and 1 together, then point 2 alone.
    x, y = np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 4.0, 6.0])
    w, b = minibatch_gradient_descent(x, y, np.zeros(1), 0.0, 0.1, np.array([[2, 0, 1]]), 2)
    close(w, [1.68])
    close(b, 0.64)


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
