"""How are linear and logistic regression fitted to data?"""

import numpy as np

from autograder.topic import Array, Float, case, close, trainer
from reference.drawing import on_grid, sign
from reference.regression import logistic_loss, mse_loss

_GRID = 2.0**-10  # float32 holds such data exactly: it starts from zeros in double precision, and rounds nowhere else
_LEAST_EXCESS = 1e-12  # what is left of a loss by rounding; a loss must be positive to have a logarithm


@trainer(lecture="000: Batch Gradient Descent", returns=("w", "b"))
def fit_linear(
    x: Float[Array, "N D"], y: Float[Array, "N"], lr: float, steps: int
) -> tuple[Float[Array, "D"], Float[Array, ""]]:
    """Linear regression, fitted by gradient descent on the mean squared error of all examples.

    Formula: w and b start at zero; then `steps` times `w <- w - lr dw` and `b <- b - lr db`, dw and db being
    the gradient of `mse_loss` over all examples, both at the point before the step.

    Arguments:
        x: (N, D) floating. y: (N,) floating. lr: positive, the learning rate. steps: S >= 1.

    Returns:
        w: (D,), b: a number, after S steps; with enough of them the least-squares solution.

    Convention: the mean squared error has no factor 1/2. (Deck 000 halves the loss, and its formula of the
    step for w leaves the factor x out; it belongs there.)

    Example:
        >>> w, b = fit_linear(np.array([[1.0], [-1.0]]), np.array([3.0, 1.0]), 0.25, 2)
        >>> w.tolist(), float(b)
        ([0.75], 1.5)

    Source: deck 000, "Univariate Linear Regression" and batch gradient descent (BGD).
    """
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        _, dw, db = mse_loss(w, b, x, y)
        w = w - lr * dw
        b = b - lr * db
    return w, b


@fit_linear.cases
def _(rng):
    yield case("ordinary", **_line(rng, n=10, d=3), steps=5)
    yield case("one feature", **_line(rng, n=8, d=1), steps=3)
    yield case("one step", **_line(rng, n=6, d=2), steps=1)
    yield case("many features", **_line(rng, n=15, d=6), steps=8)


def _line(rng, *, n, d):
    """Data that call for weights and a bias away from zero, from the first step on."""
    while True:
        x, side = on_grid(rng.normal(size=(n, d)), step=_GRID), sign(rng)
        w = rng.choice([-1.0, 1.0], size=d) * rng.uniform(1.0, 3.0, size=d)
        y = on_grid(x @ w + 3 * side + 0.3 * rng.normal(size=n), step=_GRID)
        if min(side * fit_linear(x, y, 0.05, steps)[1] for steps in range(1, 9)) > 0.05:
            return {"x": x, "y": y, "lr": 0.05}


def _model(run, fitted):
    w, b = fitted
    d = run["x"].shape[1]
    if np.shape(w) != (d,) or np.shape(b):
        raise ValueError(f"w must have shape {(d,)}, not {np.shape(w)}, and b must be a number")
    return w, b


def excess_mse(run, fitted):
    """How much larger the mean squared error is than the smallest that there is; ValueError on other shapes."""
    w, b = _model(run, fitted)
    design = np.column_stack([run["x"], np.ones(len(run["y"]))])  # (N, D) and (N,) -> (N, D + 1)
    best = np.linalg.lstsq(design, run["y"], rcond=None)[0]
    # The part of the residual that least squares leaves is orthogonal to the design, so no difference is needed.
    return float(np.mean((design @ (np.append(w, b) - best)) ** 2)) + _LEAST_EXCESS


@fit_linear.converges(loss=excess_mse)
def _(rng):
    """Features of equal and independent spread: how fast it converges does not depend on the draw."""
    n, d = 40, 3
    x, _ = np.linalg.qr(np.column_stack([np.ones(n), rng.normal(size=(n, d))]))  # (N, D + 1)
    x = np.sqrt(n) * x[:, 1:]  # columns of mean 0 and mean square 1
    weights = rng.choice([-1.0, 1.0], size=d) * rng.uniform(1.0, 2.0, size=d)
    return {"x": x, "y": x @ weights + 2 * sign(rng) + 0.5 * rng.normal(size=n), "lr": 0.1, "steps": 40}


@fit_linear.alternative
def _(x, y, lr, steps):
    """One example after another, bias and weights in one list."""
    found = [0.0] * (x.shape[1] + 1)
    rows = [[*row, 1.0] for row in x.tolist()]
    for _ in range(steps):
        step = [0.0] * len(found)
        for row, target in zip(rows, y.tolist(), strict=True):
            residual = sum(value * weight for value, weight in zip(row, found, strict=True)) - target
            step = [sofar + 2 * residual * value / len(rows) for sofar, value in zip(step, row, strict=True)]
        found = [weight - lr * each for weight, each in zip(found, step, strict=True)]
    return np.array(found[:-1]), found[-1]


@fit_linear.alternative
def _(x, y, lr, steps):
    """In closed form: along each axis of the bowl, the error shrinks by its own factor at every step."""
    design = np.column_stack([x, np.ones(len(y))]).astype(np.float64)  # (N, D + 1)
    curvature, pull = 2 / len(y) * design.T @ design, 2 / len(y) * design.T @ np.asarray(y, dtype=np.float64)
    values, axes = np.linalg.eigh(curvature)
    walked = sum((1 - lr * values) ** step for step in range(steps))  # (D + 1,)
    found = axes @ (lr * walked * (axes.T @ pull))
    return found[:-1], found[-1]


@fit_linear.worked("two points, two steps by hand", lecture="000: Univariate Linear Regression")
def _():
    # The line is y = x + 2; each step of 0.25 goes half of the way that is left.
    w, b = fit_linear(np.array([[1.0], [-1.0]]), np.array([3.0, 1.0]), 0.25, 2)
    close(w, [0.75])
    close(b, 1.5)


@fit_linear.worked("many steps reach the least-squares solution", lecture="000: Univariate Linear Regression")
def _():
    x, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([1.0, 3.0, 2.0, 5.0])
    w, b = fit_linear(x, y, 0.1, 2000)
    close(w, [1.1])
    close(b, 1.1)


fit_linear.misconception(
    "factor 2 of the gradient lost",
    ("lr * dw", "lr * dw / 2"),
    ("lr * db", "lr * db / 2"),
    hint="Differentiate r**2 on paper. Does the mean squared error have a factor that cancels what comes out?",
)
fit_linear.misconception(
    "gradient summed over the examples",
    ("lr * dw", "lr * dw * len(y)"),
    ("lr * db", "lr * db * len(y)"),
    hint="The loss is a mean over the examples. Should more data make the steps larger?",
)
fit_linear.misconception(
    "loss climbed instead of descended",
    ("w - lr * dw", "w + lr * dw"),
    ("b - lr * db", "b + lr * db"),
    hint="The gradient points to where the loss grows. Which way should a step go?",
)
fit_linear.misconception(
    "bias never updated",
    ("b - lr * db", "b"),
    hint="Where does your line cross the axis, however long you train?",
)
fit_linear.misconception(
    "bias updated with the weights already moved",
    ("b - lr * db", "b - lr * mse_loss(w, b, x, y)[2]"),
    hint="Both gradients of a step belong to the same point. Where is db computed in yours?",
)
fit_linear.misconception(
    "x left out of the gradient of the weights",
    ("lr * dw", "lr * db * np.ones_like(w)"),
    hint="How much does the prediction change when w grows by 1? That factor belongs into its gradient.",
)
fit_linear.misconception(
    "one step too few",
    ("range(steps)", "range(steps - 1)"),
    hint="How many times do your parameters change when steps is 1?",
)
fit_linear.misconception(
    "start at one",
    ("np.zeros(x.shape[1]), 0.0", "np.ones(x.shape[1]), 0.0"),
    hint="Where does the question say that w and b start?",
)


@trainer(lecture="003: Binary Cross Entropy Loss", returns=("w", "b"))
def fit_logistic(
    x: Float[Array, "N D"], y: Float[Array, "N"], lr: float, steps: int
) -> tuple[Float[Array, "D"], Float[Array, ""]]:
    """Logistic regression, fitted by gradient descent on the binary cross-entropy of all examples.

    Formula: w and b start at zero; then `steps` times `w <- w - lr dw` and `b <- b - lr db`, dw and db being
    the gradient of `logistic_loss` over all examples, both at the point before the step.

    Arguments:
        x: (N, D) floating. y: (N,), 0.0 or 1.0. lr: positive, the learning rate. steps: S >= 1.

    Returns:
        w: (D,), b: a number, after S steps.

    Convention: the loss is a mean over the examples, and nothing is added to it. (scikit-learn's
    `LogisticRegression` penalises large weights unless told otherwise.)

    Example:
        >>> w, b = fit_logistic(np.array([[1.0], [3.0]]), np.array([1.0, 1.0]), 0.5, 1)
        >>> w.tolist(), float(b)
        ([0.5], 0.25)

    Source: deck 003, "Binary Cross Entropy Loss" and "Gradient Descent".
    """
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        _, dw, db = logistic_loss(w, b, x, y)
        w = w - lr * dw
        b = b - lr * db
    return w, b


@fit_logistic.cases
def _(rng):
    yield case("ordinary", **_two_classes(rng, n=12, d=3), steps=5)
    yield case("one feature", **_two_classes(rng, n=9, d=1), steps=4)
    yield case("two steps", **_two_classes(rng, n=7, d=2), steps=2)
    yield case("many features", **_two_classes(rng, n=15, d=6), steps=8)


def _two_classes(rng, *, n, d):
    """Classes of unequal size, so that the bias goes down from the first step on."""
    while True:
        y = rng.permutation(np.arange(n) < max(1, n // 4)).astype(np.float64)
        x = rng.normal(size=(n, d)) + np.where(y[:, None] == 1, 1.0, -1.0) * rng.uniform(0.3, 1.0, size=d)
        if max(fit_logistic(x, y, 0.5, steps)[1] for steps in range(1, 9)) < -0.05:
            return {"x": on_grid(x, step=_GRID), "y": y, "lr": 0.5}


def excess_cross_entropy(run, fitted):
    """How much larger the cross-entropy is than the smallest that there is, found by Newton's method."""
    (w, b), x, y = _model(run, fitted), run["x"], run["y"]
    design, best = np.column_stack([x, np.ones(len(y))]), np.zeros(x.shape[1] + 1)
    for _ in range(8):
        p = 1 / (1 + np.exp(-design @ best))  # (N,)
        curvature = (design * (p * (1 - p))[:, None]).T @ design  # (D + 1, D + 1)
        best = best - np.linalg.solve(curvature, design.T @ (p - y))
    least, _, _ = logistic_loss(best[:-1], best[-1], x, y)
    return max(float(logistic_loss(w, b, x, y)[0] - least), 0.0) + _LEAST_EXCESS


@fit_logistic.converges(loss=excess_cross_entropy)
def _(rng):
    """Classes that overlap, so that there is a best pair of weights and bias."""
    n, d = 60, 2
    x = rng.normal(size=(n, d))
    # Three in ten examples have the label that a line would not give them.
    y = (x[:, 0] + 0.4 > 0).astype(np.float64)
    y[: 3 * n // 10] = 1 - y[: 3 * n // 10]
    return {"x": x, "y": y, "lr": 1.0, "steps": 60}


@fit_logistic.alternative
def _(x, y, lr, steps):
    """One example after another, bias and weights in one list."""
    found = [0.0] * (x.shape[1] + 1)
    rows = [[*row, 1.0] for row in x.tolist()]
    for _ in range(steps):
        step = [0.0] * len(found)
        for row, label in zip(rows, y.tolist(), strict=True):
            score = sum(value * weight for value, weight in zip(row, found, strict=True))
            off = 0.5 * (1 + float(np.tanh(score / 2))) - label
            step = [sofar + off * value / len(rows) for sofar, value in zip(step, row, strict=True)]
        found = [weight - lr * each for weight, each in zip(found, step, strict=True)]
    return np.array(found[:-1]), found[-1]


@fit_logistic.alternative
def _(x, y, lr, steps):
    """PyTorch's automatic differentiation and its optimiser, in double precision."""
    import torch

    inputs, labels = torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)
    w = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)
    b = torch.zeros((), dtype=torch.float64, requires_grad=True)
    for _ in range(steps):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(inputs @ w + b, labels)
        dw, db = torch.autograd.grad(loss, (w, b))
        with torch.no_grad():
            w -= lr * dw
            b -= lr * db
    return w.detach().numpy(), b.item()


@fit_logistic.worked("one step from zero, by hand", lecture="003: Binary Cross Entropy Loss")
def _():
    # Both examples are of class 1 and get 1/2 at the start: dw is -1 and db is -1/2.
    w, b = fit_logistic(np.array([[1.0], [3.0]]), np.array([1.0, 1.0]), 0.5, 1)
    close(w, [0.5])
    close(b, 0.25)


fit_logistic.misconception(
    "slope of the sigmoid kept in the gradient",
    (
        "_, dw, db = logistic_loss(w, b, x, y)",
        "p = 1 / (1 + np.exp(-x @ w - b)); dz = (p - y) * p * (1 - p) / len(y); dw, db = x.T @ dz, dz.sum()",
    ),
    hint="Differentiate -log p by z on paper. What does the slope p (1 - p) cancel against?",
)
fit_logistic.misconception(
    "linear regression on the labels",
    ("logistic_loss(w, b, x, y)", "mse_loss(w, b, x, y)"),
    hint="What keeps the predictions of your model between 0 and 1?",
)
fit_logistic.misconception(
    "threshold instead of the sigmoid",
    (
        "_, dw, db = logistic_loss(w, b, x, y)",
        "dz = ((x @ w + b >= 0) - y) / len(y); dw, db = x.T @ dz, dz.sum()",
    ),
    hint="Is the error of an example that the model is not sure of 0 or 1, or something in between?",
)
fit_logistic.misconception(
    "labels taken as -1 and 1",
    ("logistic_loss(w, b, x, y)", "logistic_loss(w, b, x, 2 * y - 1)"),
    hint="Which values does p - y have for an example of class 0? Look at the labels once more.",
)
fit_logistic.misconception(
    "gradient summed over the examples",
    ("lr * dw", "lr * dw * len(y)"),
    ("lr * db", "lr * db * len(y)"),
    hint="The loss is a mean over the examples. Should more data make the steps larger?",
)
fit_logistic.misconception(
    "loss climbed instead of descended",
    ("w - lr * dw", "w + lr * dw"),
    ("b - lr * db", "b + lr * db"),
    hint="The gradient points to where the loss grows. Which way should a step go?",
)
fit_logistic.misconception(
    "bias never updated",
    ("b - lr * db", "b"),
    hint="Which probability does your model give where all features are zero, however long you train?",
)
fit_logistic.misconception(
    "bias updated with the weights already moved",
    ("b - lr * db", "b - lr * logistic_loss(w, b, x, y)[2]"),
    hint="Both gradients of a step belong to the same point. Where is db computed in yours?",
)
fit_logistic.misconception(
    "one step too few",
    ("range(steps)", "range(steps - 1)"),
    hint="How many times do your parameters change when steps is 1?",
)
