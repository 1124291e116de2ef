"""How far are predicted numbers from the true ones, and how much does one bad example weigh?

One convention for all losses here: an example's loss is the sum over its D outputs, and the loss of a
batch is the mean over its N examples.
"""

import math

import numpy as np

from autograder.topic import Array, Float, case, close, topic
from reference.drawing import away_from_zero

SIZES = {"ordinary": (7, 3), "one example": (1, 4), "one output": (9, 1), "many outputs": (3, 8)}


@topic(
    lecture="003: Mean Squared Error Loss",
    returns=("loss", "dpredictions"),
    gradients={"dpredictions": ("loss", "predictions")},
)
def squared_error(
    predictions: Float[Array, "N D"], targets: Float[Array, "N D"]
) -> tuple[Float[Array, ""], Float[Array, "N D"]]:
    """Mean over the examples of the squared distance between prediction and target, and its gradient.

    Formula: `r = predictions - targets`; `loss = mean_n sum_d r[n, d]**2`.

    Arguments:
        predictions: (N, D) floating. targets: (N, D) floating.

    Returns:
        loss: a number, summed over D, the mean over N.
        dpredictions: (N, D), the gradient of that loss with respect to predictions.

    Backward: `dpredictions = 2/N r`.

    Convention: no factor of one half. `torch.nn.functional.mse_loss` divides by D too: it is this loss over D.

    Example:
        >>> loss, dpredictions = squared_error(np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[0.0, 2.0], [3.0, 2.0]]))
        >>> float(loss), dpredictions.tolist()
        (5.0, [[1.0, 0.0], [0.0, 3.0]])

    Source: deck 003, "Mean Squared Error Loss"; deck 004, "Loss Function: Mean Squared Error".
    """
    residual = predictions - targets
    loss = (residual**2).sum(axis=1).mean()  # (N, D) -> (N,) -> ()
    return loss, 2 * residual / len(residual)


@squared_error.cases
def _(rng):
    for name, shape in SIZES.items():
        predictions = 2 * rng.normal(size=shape)
        yield case(name, predictions=predictions, targets=predictions - away_from_zero(rng, shape, least=0.2))


@squared_error.alternative
def _(predictions, targets):
    """One number after another."""
    n = len(targets)
    pairs = list(zip(predictions.ravel().tolist(), targets.ravel().tolist(), strict=True))
    slopes = [2.0 * (guess - truth) / n for guess, truth in pairs]
    return math.fsum((guess - truth) ** 2 for guess, truth in pairs) / n, np.array(slopes).reshape(targets.shape)


@squared_error.alternative
def _(predictions, targets):
    """PyTorch's loss, and its gradient by automatic differentiation, in double precision."""
    import torch

    leaf = torch.tensor(predictions, dtype=torch.float64, requires_grad=True)
    truth = torch.tensor(targets, dtype=torch.float64)
    loss = torch.nn.functional.mse_loss(leaf, truth, reduction="sum") / len(targets)
    loss.backward()
    return loss.item(), leaf.grad.numpy()


@squared_error.worked("grades off by 60, 60 and 10 cost 2433", lecture="003: Mean Squared Error Loss")
def _():
    loss, dpredictions = squared_error(np.array([[30.0], [80.0], [85.0]]), np.array([[90.0], [20.0], [95.0]]))
    close(loss, 7300 / 3)
    close(dpredictions, [[-40.0], [40.0], [-20 / 3]])


@squared_error.worked("an example's outputs are summed, not averaged", lecture="004: Loss Function: Mean Squared Error")
def _():
    loss, _ = squared_error(np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[0.0, 2.0], [3.0, 2.0]]))
    close(loss, 5.0)  # (1 + 9) / 2


squared_error.misconception(
    "averaged over the outputs as well",
    ("(residual**2).sum(axis=1).mean()", "(residual**2).mean()"),
    ("2 * residual / len(residual)", "2 * residual / residual.size"),
    hint="The question sums over one axis and averages over the other. How often do you divide by what?",
)
squared_error.misconception(
    "loss averaged over the outputs as well",
    ("(residual**2).sum(axis=1).mean()", "(residual**2).mean()"),
    hint="The question sums over one axis and averages over the other. Do your loss and your gradient agree?",
)
squared_error.misconception(
    "summed over the examples, averaged over the outputs",
    ("(residual**2).sum(axis=1).mean()", "(residual**2).sum(axis=0).mean()"),
    hint="Which axis holds the examples? The mean belongs to that one.",
)
squared_error.misconception(
    "loss summed over the batch",
    ("(residual**2).sum(axis=1).mean()", "(residual**2).sum()"),
    hint="Should the loss of a batch grow when the same examples are in it twice?",
)
squared_error.misconception(
    "gradient summed over the batch",
    ("2 * residual / len(residual)", "2 * residual"),
    hint="The loss is a mean over the examples; what does that make of its gradient?",
)
squared_error.misconception(
    "factor 2 of the gradient lost",
    ("2 * residual / len(residual)", "residual / len(residual)"),
    hint="Differentiate r**2 on paper. Does your loss have a factor that cancels what comes out?",
)
squared_error.misconception(
    "loss halved",
    ("(residual**2).sum(axis=1).mean()", "(residual**2).sum(axis=1).mean() / 2"),
    hint="Half of the square is the loss of the delta rule. Does this question have the one half?",
)
squared_error.misconception(
    "halved, loss and gradient",
    ("(residual**2).sum(axis=1).mean()", "(residual**2).sum(axis=1).mean() / 2"),
    ("2 * residual / len(residual)", "residual / len(residual)"),
    hint="Half of the square is the loss of the delta rule. Does this question have the one half?",
)
squared_error.misconception(
    "root of the mean squared error",
    ("(residual**2).sum(axis=1).mean()", "np.sqrt((residual**2).sum(axis=1).mean())"),
    hint="The question asks for the mean of the squares. In which unit is yours?",
)
squared_error.misconception(
    "gradient of the wrong sign",
    ("2 * residual / len(residual)", "-2 * residual / len(residual)"),
    hint="If a prediction is too high and grows, does the loss go up or down?",
)


@topic(
    lecture="000: Loss Function and Cost Function",
    returns=("loss", "dpredictions"),
    gradients={"dpredictions": ("loss", "predictions")},
)
def absolute_error(
    predictions: Float[Array, "N D"], targets: Float[Array, "N D"]
) -> tuple[Float[Array, ""], Float[Array, "N D"]]:
    """Mean over the examples of the absolute differences between prediction and target, and its gradient.

    Formula: `r = predictions - targets`; `loss = mean_n sum_d |r[n, d]|`.

    Arguments:
        predictions: (N, D) floating. targets: (N, D) floating.

    Returns:
        loss: a number, summed over D, the mean over N.
        dpredictions: (N, D), the gradient of that loss with respect to predictions.

    Backward: `dpredictions = 1/N sign(r)`.

    Convention: where a prediction is exactly right, the gradient is 0, as in
    `torch.nn.functional.l1_loss`; that loss divides by D too.

    Example:
        >>> loss, dpredictions = absolute_error(np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[0.0, 2.0], [3.0, 8.0]]))
        >>> float(loss), dpredictions.tolist()
        (2.0, [[0.5, 0.0], [0.0, -0.5]])

    Source: deck 000, "Loss Function and Cost Function", which names the mean absolute error (MAE).
    """
    residual = predictions - targets
    loss = np.abs(residual).sum(axis=1).mean()  # (N, D) -> (N,) -> ()
    return loss, np.sign(residual) / len(residual)


@absolute_error.cases
def _(rng):
    for name, shape in SIZES.items():
        predictions = 2 * rng.normal(size=shape)
        yield case(name, predictions=predictions, targets=predictions - away_from_zero(rng, shape, least=0.2))
    targets = 2 * rng.normal(size=(6, 4))
    residual = away_from_zero(rng, (6, 4), least=0.2)
    residual[:, rng.choice(4, size=2, replace=False)] = 0.0
    yield case("exactly right", edge=0.2, predictions=targets + residual, targets=targets)


@absolute_error.alternative
def _(predictions, targets):
    """One number after another."""
    n = len(targets)
    pairs = list(zip(predictions.ravel().tolist(), targets.ravel().tolist(), strict=True))
    slopes = [((guess > truth) - (guess < truth)) / n for guess, truth in pairs]
    return math.fsum(abs(guess - truth) for guess, truth in pairs) / n, np.array(slopes).reshape(targets.shape)


@absolute_error.alternative
def _(predictions, targets):
    """PyTorch's loss, and its gradient by automatic differentiation, in double precision."""
    import torch

    leaf = torch.tensor(predictions, dtype=torch.float64, requires_grad=True)
    truth = torch.tensor(targets, dtype=torch.float64)
    loss = torch.nn.functional.l1_loss(leaf, truth, reduction="sum") / len(targets)
    loss.backward()
    return loss.item(), leaf.grad.numpy()


@absolute_error.worked("the same grades cost 43.3", lecture="003: Mean Squared Error Loss")
def _():
    loss, dpredictions = absolute_error(np.array([[30.0], [80.0], [85.0]]), np.array([[90.0], [20.0], [95.0]]))
    close(loss, 130 / 3)
    close(dpredictions, [[-1 / 3], [1 / 3], [-1 / 3]])


absolute_error.misconception(
    "averaged over the outputs as well",
    ("np.abs(residual).sum(axis=1).mean()", "np.abs(residual).mean()"),
    ("np.sign(residual) / len(residual)", "np.sign(residual) / residual.size"),
    hint="The question sums over one axis and averages over the other. How often do you divide by what?",
)
absolute_error.misconception(
    "summed over the examples, averaged over the outputs",
    ("np.abs(residual).sum(axis=1).mean()", "np.abs(residual).sum(axis=0).mean()"),
    hint="Which axis holds the examples? The mean belongs to that one.",
)
absolute_error.misconception(
    "loss summed over the batch",
    ("np.abs(residual).sum(axis=1).mean()", "np.abs(residual).sum()"),
    hint="Should the loss of a batch grow when the same examples are in it twice?",
)
absolute_error.misconception(
    "gradient summed over the batch",
    ("np.sign(residual) / len(residual)", "np.sign(residual)"),
    hint="The loss is a mean over the examples; what does that make of its gradient?",
)
absolute_error.misconception(
    "signed residuals added up",
    ("np.abs(residual).sum(axis=1).mean()", "residual.sum(axis=1).mean()"),
    hint="May an error upwards pay for an error downwards?",
)
absolute_error.misconception(
    "gradient of the square",
    ("np.sign(residual) / len(residual)", "2 * residual / len(residual)"),
    hint="How steep is |r| at r = 3, and at r = 300?",
)
absolute_error.misconception(
    "gradient of the wrong sign",
    ("np.sign(residual) / len(residual)", "-np.sign(residual) / len(residual)"),
    hint="If a prediction is too high and grows, does the loss go up or down?",
)
absolute_error.misconception(
    "slope -1 where the prediction is exactly right",
    ("np.sign(residual) / len(residual)", "np.where(residual > 0, 1.0, -1.0) / len(residual)"),
    hint="Which gradient does the question fix where prediction and target are equal?",
)
absolute_error.misconception(
    "slope 1 where the prediction is exactly right",
    ("np.sign(residual) / len(residual)", "np.where(residual >= 0, 1.0, -1.0) / len(residual)"),
    hint="Which gradient does the question fix where prediction and target are equal?",
)
absolute_error.misconception(
    "divided by zero where the prediction is exactly right",
    ("np.sign(residual) / len(residual)", "residual / np.abs(residual) / len(residual)"),
    hint="What does your formula for the sign give for a residual of 0? The question says what it must be.",
)


@topic(
    lecture="000: Loss Function and Cost Function",
    returns=("loss", "dpredictions"),
    gradients={"dpredictions": ("loss", "predictions")},
)
def huber(
    predictions: Float[Array, "N D"], targets: Float[Array, "N D"], delta: float
) -> tuple[Float[Array, ""], Float[Array, "N D"]]:
    """Huber's loss, a square for small errors and straight for large ones, and its gradient.

    Formula: `r = predictions - targets`; `h = r**2 / 2 where |r| <= delta, else delta (|r| - delta/2)`;
    `loss = mean_n sum_d h[n, d]`.

    Arguments:
        predictions: (N, D) floating. targets: (N, D) floating. delta: a number above 0.

    Returns:
        loss: a number, summed over D, the mean over N.
        dpredictions: (N, D), the gradient of that loss with respect to predictions.

    Backward: `dpredictions = 1/N (r where |r| <= delta, else delta sign(r))`. At |r| = delta the two
    branches meet, in value and in slope.

    Convention: `torch.nn.functional.huber_loss`, but for its division by D. `smooth_l1_loss` is this over delta.

    Example:
        >>> loss, dpredictions = huber(np.array([[0.5, 0.0], [-4.0, 1.0]]), np.zeros((2, 2)), 1.0)
        >>> float(loss), dpredictions.tolist()
        (2.0625, [[0.25, 0.0], [-0.5, 0.5]])

    Source: deck 000, "Loss Function and Cost Function", which names it; Huber (1964), "Robust
    Estimation of a Location Parameter".
    """
    residual = predictions - targets
    size = np.abs(residual)
    losses = np.where(size <= delta, residual**2 / 2, delta * (size - delta / 2))
    slope = np.where(size <= delta, residual, delta * np.sign(residual))
    return losses.sum(axis=1).mean(), slope / len(residual)  # (N, D) -> (N,) -> ()


@huber.cases
def _(rng):
    deltas = rng.permutation([0.5, 1.5, 2.5, 4.0]).tolist()  # never 1, which hides a forgotten delta
    for (name, shape), delta in zip(SIZES.items(), deltas, strict=True):
        predictions = 2 * rng.normal(size=shape)
        # Both branches, both signs, and the last entries far outside: away from |r| = delta.
        inside = delta * rng.uniform(0.2, 0.8, size=shape)
        outside = delta * rng.uniform(1.5, 4.0, size=shape)
        turns = rng.permutation(np.arange(predictions.size)).reshape(shape)
        residual = np.where(turns % 2, outside, inside) * np.where(turns // 2 % 2, -1, 1)
        yield case(name, predictions=predictions, targets=predictions - residual, delta=delta)


@huber.alternative
def _(predictions, targets, delta):
    """One number after another, the loss as the area under the cut slope."""
    n = len(targets)
    residuals = [g - t for g, t in zip(predictions.ravel().tolist(), targets.ravel().tolist(), strict=True)]
    slopes = [max(-delta, min(delta, residual)) for residual in residuals]
    loss = math.fsum(slope * residual - slope * slope / 2 for slope, residual in zip(slopes, residuals, strict=True))
    return loss / n, np.array(slopes).reshape(targets.shape) / n


@huber.alternative
def _(predictions, targets, delta):
    """PyTorch's loss, and its gradient by automatic differentiation, in double precision."""
    import torch

    leaf = torch.tensor(predictions, dtype=torch.float64, requires_grad=True)
    truth = torch.tensor(targets, dtype=torch.float64)
    loss = torch.nn.functional.huber_loss(leaf, truth, reduction="sum", delta=delta) / len(targets)
    loss.backward()
    return loss.item(), leaf.grad.numpy()


@huber.worked("the same grades with a delta of 20 cost 683", lecture="003: Mean Squared Error Loss")
def _():
    loss, dpredictions = huber(np.array([[30.0], [80.0], [85.0]]), np.array([[90.0], [20.0], [95.0]]), 20.0)
    close(loss, (20 * 50 + 20 * 50 + 10**2 / 2) / 3)
    close(dpredictions, [[-20 / 3], [20 / 3], [-10 / 3]])


huber.misconception(
    "outer branch not lowered to meet the inner one",
    ("delta * (size - delta / 2)", "delta * size"),
    hint="Compare your two branches where the residual is exactly delta. Does the loss jump there?",
)
huber.misconception(
    "outer branch without its slope",
    ("delta * (size - delta / 2)", "size - delta / 2"),
    ("delta * np.sign(residual)", "np.sign(residual)"),
    hint="The two branches must meet at delta with the same slope. How steep is the inner one there?",
)
huber.misconception(
    "outer slope without its sign",
    ("delta * np.sign(residual)", "delta"),
    hint="Which way should a prediction that is far too low be pushed?",
)
huber.misconception(
    "no gradient from the outer branch",
    ("delta * np.sign(residual)", "0.0"),
    hint="An outlier should pull with a limited force. With which force does it pull in your gradient?",
)
huber.misconception(
    "gradient not limited outside",
    ("np.where(size <= delta, residual, delta * np.sign(residual))", "residual"),
    hint="Your gradient grows with the error without bound. What is the slope of the straight branch?",
)
huber.misconception(
    "inner branch not halved",
    ("residual**2 / 2", "residual**2"),
    ("np.where(size <= delta, residual, delta * np.sign(residual))",
     "np.where(size <= delta, 2 * residual, delta * np.sign(residual))"),
    hint="Compare your two branches where the residual is exactly delta, in value and in slope.",
)  # fmt: skip
huber.misconception(
    "scaled by one over delta",
    ("losses.sum(axis=1).mean()", "losses.sum(axis=1).mean() / delta"),
    ("slope / len(residual)", "slope / len(residual) / delta"),
    hint="This is the smooth L1 loss, a scaled relative. Which factor does the question's formula have?",
)
huber.misconception(
    "branches exchanged",
    ("np.where(size <= delta, residual**2 / 2, delta * (size - delta / 2))",
     "np.where(size > delta, residual**2 / 2, delta * (size - delta / 2))"),
    ("np.where(size <= delta, residual, delta * np.sign(residual))",
     "np.where(size > delta, residual, delta * np.sign(residual))"),
    hint="Which errors should be squared: the small ones or the large ones?",
)  # fmt: skip
huber.misconception(
    "residual compared without its absolute value",
    ("np.where(size <= delta, residual**2 / 2, delta * (size - delta / 2))",
     "np.where(residual <= delta, residual**2 / 2, delta * (size - delta / 2))"),
    ("np.where(size <= delta, residual, delta * np.sign(residual))",
     "np.where(residual <= delta, residual, delta * np.sign(residual))"),
    hint="In which branch is a residual of -100 in your code?",
)  # fmt: skip
huber.misconception(
    "delta taken as 1",
    ("residual = predictions - targets", "residual = predictions - targets; delta = 1.0"),
    hint="Which of the arguments does your loss not depend on?",
)
huber.misconception(
    "averaged over the outputs as well",
    ("losses.sum(axis=1).mean()", "losses.mean()"),
    ("slope / len(residual)", "slope / residual.size"),
    hint="The question sums over one axis and averages over the other. How often do you divide by what?",
)
huber.misconception(
    "loss summed over the batch",
    ("losses.sum(axis=1).mean()", "losses.sum()"),
    hint="Should the loss of a batch grow when the same examples are in it twice?",
)
huber.misconception(
    "gradient summed over the batch",
    ("slope / len(residual)", "slope"),
    hint="The loss is a mean over the examples; what does that make of its gradient?",
)
huber.harmless(
    ("size <= delta, residual**2", "size < delta, residual**2"),
    ("size <= delta, residual, delta", "size < delta, residual, delta"),
    because="at delta the two meet",
)
huber.harmless(("delta * np.sign(", "delta / np.sign("), because="signs are 1 and -1 above delta")
