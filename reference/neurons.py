"""What does one neuron answer, and how do its weights move?"""

import math

import numpy as np

from autograder.topic import Array, Float, case, close, topic
from reference.drawing import on_grid, sign


@topic(lecture="004: Binary Threshold Neuron", returns=("y",))
def threshold_neuron(x: Float[Array, "N D"], w: Float[Array, "D"], b: Float[Array, ""]) -> Float[Array, "N"]:
    """Answers of a binary threshold neuron (McCulloch and Pitts) to N inputs.

    Formula: `z = x @ w + b`; `y[n] = 1 if z[n] >= 0 else 0`.

    Arguments:
        x: (N, D) floating, one example a row. w: (D,) floating. b: a number.

    Returns:
        (N,), each 0.0 or 1.0.

    Convention: z = 0 answers 1, as in deck 004. Deck 000 writes I(z > 0), which answers 0 there, and
    subtracts a threshold t where this one adds a bias: b = -t.

    Example:
        >>> threshold_neuron(np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 1.0]]), np.array([1.0, -1.0]), -1.0).tolist()
        [1.0, 1.0, 0.0]

    Source: deck 004, "Binary Threshold Neuron"; deck 000, "Artificial Neural Networks (ANN)".
    """
    z = x @ w + b  # (N, D) @ (D,) -> (N,)
    return np.where(z >= 0, 1.0, 0.0)


@threshold_neuron.cases
def _(rng):
    # Whole numbers beside a bias that ends in .5: every sum is exact and none is zero.
    for name, n, d in (("ordinary", 12, 4), ("two inputs", 9, 2), ("many inputs", 15, 9), ("one input", 8, 1)):
        yield case(name, **_on_both_sides(rng, n, d))
    given = _on_both_sides(rng, 10, 3)
    x, w = given["x"], given["w"]
    b = float(rng.integers(1, 4)) * sign(rng)
    w[0] = sign(rng)
    x[1::3, 0] = -w[0] * (x[1::3, 1:] @ w[1:] + b)  # z = 0 in three of ten
    x[::3, 0] = -w[0] * (x[::3, 1:] @ w[1:] + b + [-1, 2, -3, 4])
    yield case("on the boundary", edge=0.25, x=x, w=w, b=b)


def _on_both_sides(rng, n, d):
    """Inputs to which the neuron answers both 0 and 1, also where the bias is left out or taken away."""
    while True:
        x, w = rng.integers(-5, 6, size=(n, d)) * 1.0, rng.integers(1, 6, size=d) * rng.choice([-1.0, 1.0], size=d)
        b = sign(rng) * (rng.integers(2, 5) + 0.5)
        answers = [x @ w + shift >= 0 for shift in (b, 0.0, -b)]
        if all(each.any() and not each.all() for each in answers) and len({each.tobytes() for each in answers}) == 3:
            return {"x": x, "w": w, "b": float(b)}


@threshold_neuron.alternative
def _(x, w, b):
    """One number after another."""
    scores = [
        math.fsum(weight * value for weight, value in zip(w.tolist(), row, strict=True)) + b for row in x.tolist()
    ]
    return np.array([0.0 if score < 0 else 1.0 for score in scores])


@threshold_neuron.alternative
def _(x, w, b):
    """PyTorch's step function, told what to answer at zero."""
    import torch

    inputs, weights = (torch.tensor(each, dtype=torch.float64) for each in (x, w))
    return torch.heaviside(inputs @ weights + b, torch.ones((), dtype=torch.float64)).numpy()


@threshold_neuron.worked("two of three inputs make the majority", lecture="000: Artificial Neural Networks (ANN)")
def _():
    x = np.array([[1, 0, 0], [1, 0, 1], [1, 1, 0], [1, 1, 1], [0, 0, 1], [0, 1, 0], [0, 1, 1], [0, 0, 0]])
    close(threshold_neuron(x, np.array([0.3, 0.3, 0.3]), -0.4), [0, 1, 1, 1, 0, 0, 1, 0])


@threshold_neuron.worked("exactly on the boundary the answer is 1", lecture="004: Binary Threshold Neuron")
def _():
    close(threshold_neuron(np.array([[1.0, 1.0], [0.5, 1.0]]), np.array([2.0, 1.0]), -3.0), [1, 0])


threshold_neuron.misconception(
    "boundary answers 0",
    (">= 0", "> 0"),
    hint="The decks differ on the boundary. What does the question say about a sum of exactly zero?",
)
threshold_neuron.misconception(
    "-1 in place of 0",
    ("1.0, 0.0", "1.0, -1.0"),
    hint="Which two answers does this neuron have? Other perceptrons answer with two signs.",
)
threshold_neuron.misconception(
    "answers swapped",
    (">= 0", "< 0"),
    hint="Does a large weighted sum make the neuron fire, or keep it silent?",
)
threshold_neuron.misconception(
    "bias left out",
    ("x @ w + b", "x @ w"),
    hint="Which of the three arguments do your answers not depend on?",
)
threshold_neuron.misconception(
    "bias taken for the threshold",
    ("x @ w + b", "x @ w - b"),
    hint="A bias is added; a threshold is what the sum must reach. How are the two related?",
)
threshold_neuron.misconception(
    "weighted sum without the threshold",
    ("np.where(z >= 0, 1.0, 0.0)", "z"),
    hint="Your answers are those of a linear neuron. What is sent out when the sum reaches the threshold?",
)


@threshold_neuron.wrong(
    "each product compared with the threshold",
    hint="One comparison makes one answer. Is it made before or after the inputs have been added up?",
)
def _(x, w, b):
    return ((x * w + b >= 0).sum(axis=1) > x.shape[1] / 2) * 1.0


@topic(lecture="004: A Sigmoid Neuron", returns=("y",))
def logistic_neuron(x: Float[Array, "N D"], w: Float[Array, "D"], b: Float[Array, ""]) -> Float[Array, "N"]:
    """Answers of a logistic neuron to N inputs.

    Formula: `z = x @ w + b`; `y = 1 / (1 + exp(-z))`.

    Arguments:
        x: (N, D) floating, one example a row. w: (D,) floating. b: a number.

    Returns:
        (N,), each from 0 to 1.

    Numerics: with exp(-|z|) nothing overflows. 1 / (1 + exp(-z)) is right as well, because 1 / inf is 0,
    with a warning; exp(z) / (1 + exp(z)) is inf / inf for large z, which is NaN.

    Convention: deck 003 calls the bias w_0.

    Example:
        >>> logistic_neuron(np.array([[-1.0, 2.0], [1.0, 2.0]]), np.array([3.0, -2.0]), 1.0).round(5).tolist()
        [0.00247, 0.5]

    Source: deck 004, "A Sigmoid Neuron"; deck 003, "The Perceptron: Example".
    """
    z = x @ w + b  # (N, D) @ (D,) -> (N,)
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, small) / (1 + small)


@logistic_neuron.cases
def _(rng):
    for name, n, d in (("ordinary", 8, 3), ("one example", 1, 4), ("one input", 9, 1), ("many inputs", 5, 7)):
        x, w = rng.normal(size=(n, d)), rng.normal(size=d)
        yield case(name, x=x, w=w, b=float(sign(rng) * rng.uniform(0.5, 1.5)))
    # Sums of many hundreds of either sign, exact in float32 too.
    x = on_grid(rng.uniform(-300.0, 300.0, size=(8, 3)))
    w = rng.integers(1, 4, size=3) * rng.choice([-1.0, 1.0], size=3)
    x[:2], x[2:4] = 300.0 * np.sign(w), -300.0 * np.sign(w)
    yield case("huge inputs", edge=0.2, x=rng.permutation(x), w=w, b=float(rng.integers(-2, 3)))


@logistic_neuron.alternative
def _(x, w, b):
    """One number after another, as half a hyperbolic tangent."""
    rows = [[weight * value for weight, value in zip(w.tolist(), row, strict=True)] for row in x.tolist()]
    return np.array([0.5 + 0.5 * math.tanh(math.fsum([*row, float(b)]) / 2) for row in rows])


@logistic_neuron.alternative
def _(x, w, b):
    """PyTorch in double precision."""
    import torch

    inputs, weights = (torch.tensor(each, dtype=torch.float64) for each in (x, w))
    return torch.sigmoid(inputs @ weights + b).numpy()


@logistic_neuron.worked("the sigmoid of -6 is about 0.00247", lecture="003: The Perceptron: Example")
def _():
    y = logistic_neuron(np.array([[-1.0, 2.0]]), np.array([3.0, -2.0]), 1.0)
    close(y, [0.00247], within=5e-6)


logistic_neuron.misconception(
    "sign of the exponent lost",
    ("z >= 0", "z < 0"),
    hint="Does your answer rise or fall as the weighted sum grows?",
)
logistic_neuron.misconception(
    "bias left out",
    ("x @ w + b", "x @ w"),
    hint="Which of the three arguments do your answers not depend on?",
)
logistic_neuron.misconception(
    "bias taken away",
    ("x @ w + b", "x @ w - b"),
    hint="With all inputs at zero, which sign must the sum have if the bias is positive?",
)
logistic_neuron.misconception(
    "weighted sum without the sigmoid",
    ("np.where(z >= 0, 1.0, small) / (1 + small)", "z"),
    hint="Your answers are not between 0 and 1. Which step comes after the weighted sum?",
)
logistic_neuron.misconception(
    "threshold in place of the sigmoid",
    ("np.where(z >= 0, 1.0, small) / (1 + small)", "np.where(z >= 0, 1.0, 0.0)"),
    hint="Between sure of 0 and sure of 1 there is room. Is your output a smooth function of the sum?",
)
logistic_neuron.misconception(
    "hyperbolic tangent in place of the sigmoid",
    ("np.where(z >= 0, 1.0, small) / (1 + small)", "np.tanh(z)"),
    hint="Which range has the logistic function, and which one has yours?",
)
logistic_neuron.harmless(("z >= 0", "z > 0"), because="at 0 both are one half")


@logistic_neuron.wrong(
    "exponential of a large sum divided by itself",
    hint="What is np.exp(1000.0), and what is that divided by itself plus one? There is a form without it.",
)
def _(x, w, b):
    z = x @ w + b
    with np.errstate(over="ignore", invalid="ignore"):
        return np.exp(z) / (1 + np.exp(z))


@logistic_neuron.wrong(
    "sigmoid of each input before the sum",
    hint="A neuron first adds up its inputs. At which place does the sigmoid come?",
)
def _(x, w, b):
    return (1 / (1 + np.exp(-np.clip(x, -50, 50)))) @ w + b


@topic(lecture="004: The Delta Rule For a Linear Neuron", returns=("error", "w"))
def delta_rule(
    x: Float[Array, "N D"], t: Float[Array, "N"], w: Float[Array, "D"], lr: float
) -> tuple[Float[Array, ""], Float[Array, "D"]]:
    """One step of the batch delta rule for a linear neuron without bias.

    Formula: `y = x @ w`; `error = 1/2 sum_n (t[n] - y[n])**2`; `w <- w + lr sum_n x[n] (t[n] - y[n])`.

    Arguments:
        x: (N, D) floating, one example a row. t: (N,) floating, targets. w: (D,) floating.
        lr: positive, the learning rate.

    Returns:
        error: a number, half the sum over N, before the step.
        w: (D,), after the step.

    Convention: the sum over the batch, not its mean, and with the half, as deck 004 has them; all
    residuals belong to the old weights. The mean squared error of decks 001 and 003 has 1/N instead.

    Example:
        >>> x, t = np.array([[1.0, 0.0], [1.0, 2.0]]), np.array([3.0, 1.0])
        >>> error, w = delta_rule(x, t, np.array([1.0, 1.0]), 0.1)
        >>> float(error), w.round(6).tolist()
        (4.0, [1.0, 0.6])

    Source: deck 004, "The Delta Rule For a Linear Neuron".
    """
    residual = t - x @ w  # (N, D) @ (D,) -> (N,)
    return (residual**2).sum() / 2, w + lr * x.T @ residual  # (D, N) @ (N,) -> (D,)


@delta_rule.cases
def _(rng):
    for name, n, d in (("ordinary", 9, 4), ("one example", 1, 3), ("one input", 8, 1), ("many", 20, 6)):
        x = rng.choice([-1.0, 1.0], size=d) * rng.uniform(0.5, 1.5, size=(n, d))
        w = rng.normal(size=d)
        # Two of three residuals on one side: the step is no small difference of large numbers.
        residual = sign(rng) * rng.uniform(0.5, 2.0, size=n)
        residual[2::3] *= -0.4
        yield case(name, x=x, t=x @ w + residual, w=w, lr=float(rng.uniform(0.5, 1.0) / n))


@delta_rule.alternative
def _(x, t, w, lr):
    """One example after another, the old weights kept."""
    error, steps = 0.0, [[] for _ in w]
    for features, target in zip(x.tolist(), t.tolist(), strict=True):
        residual = target - math.fsum(weight * each for weight, each in zip(w.tolist(), features, strict=True))
        error += 0.5 * residual * residual
        for step, feature in zip(steps, features, strict=True):
            step.append(residual * feature)
    return error, np.array([weight + lr * math.fsum(step) for weight, step in zip(w.tolist(), steps, strict=True)])


@delta_rule.alternative
def _(x, t, w, lr):
    """Gradient descent on the error by PyTorch's automatic differentiation, in double precision."""
    import torch

    inputs, targets, weights = (torch.tensor(each, dtype=torch.float64) for each in (x, t, w))
    weights.requires_grad_()
    error = torch.nn.functional.mse_loss(inputs @ weights, targets, reduction="sum") / 2
    (gradient,) = torch.autograd.grad(error, weights)
    return error.item(), (weights - lr * gradient).detach().numpy()


@delta_rule.worked("one example and one weight, by hand", lecture="004: The Delta Rule For a Linear Neuron")
def _():
    # The answer is 2 * 1 = 2, the target 5: the residual is 3, half its square 4.5.
    error, w = delta_rule(np.array([[2.0]]), np.array([5.0]), np.array([1.0]), 0.1)
    close(error, 4.5)
    close(w, [1 + 0.1 * 2 * 3])


@delta_rule.worked("two examples: their steps are added", lecture="004: The Delta Rule For a Linear Neuron")
def _():
    error, w = delta_rule(np.array([[1.0, 0.0], [1.0, 2.0]]), np.array([3.0, 1.0]), np.array([1.0, 1.0]), 0.1)
    close(error, 4.0)
    close(w, [1.0, 0.6])


delta_rule.misconception(
    "step averaged over the batch",
    ("lr * x.T @ residual", "lr * x.T @ residual / len(t)"),
    hint="Are the error derivatives of the batch rule averaged over the training cases, or summed?",
)
delta_rule.misconception(
    "error averaged over the batch",
    ("(residual**2).sum() / 2", "(residual**2).mean() / 2"),
    hint="Should this error grow when the same examples are in the data twice? Look at its definition.",
)
delta_rule.misconception(
    "error and step averaged over the batch",
    ("(residual**2).sum() / 2", "(residual**2).mean() / 2"),
    ("lr * x.T @ residual", "lr * x.T @ residual / len(t)"),
    hint="Yours is the rule of a mean over the examples. What does the question's error do with them?",
)
delta_rule.misconception(
    "half of the error lost",
    ("(residual**2).sum() / 2", "(residual**2).sum()"),
    hint="What is the factor of one half in the error for, and where has it gone in yours?",
)
delta_rule.misconception(
    "step twice as long",
    ("lr * x.T @ residual", "2 * lr * x.T @ residual"),
    hint="Differentiate the error on paper: does the factor 2 of the square survive?",
)
delta_rule.misconception(
    "step of the wrong sign",
    ("w + lr", "w - lr"),
    hint="If the answer is too low for a positive input, should its weight grow or shrink?",
)
delta_rule.misconception(
    "learning rate left out",
    ("lr * x.T", "x.T"),
    hint="Which of the four arguments does your step not depend on?",
)
delta_rule.misconception(
    "step returned in place of the weights",
    ("w + lr * x.T @ residual", "lr * x.T @ residual"),
    hint="The question asks for the weights after the step, not for the step.",
)
delta_rule.misconception(
    "slope of the logistic in the step",
    ("x.T @ residual", "x.T @ (residual * (x @ w) * (1 - x @ w))"),
    hint="This neuron is linear. What is the derivative of its answer with respect to its sum?",
)


@delta_rule.wrong(
    "weights changed after each example",
    hint="In the batch rule all training cases are judged by the same weights. By which ones is your second one?",
)
def _(x, t, w, lr):
    error = ((t - x @ w) ** 2).sum() / 2
    for features, target in zip(x, t, strict=True):
        w = w + lr * features * (target - features @ w)
    return error, w


@delta_rule.wrong(
    "error taken after the step",
    hint="Which weights does the error that you return belong to: the old ones, or the new ones?",
)
def _(x, t, w, lr):
    w = w + lr * x.T @ (t - x @ w)
    return ((t - x @ w) ** 2).sum() / 2, w


@topic(
    lecture="004: Using the chain rule to get the derivatives needed for learning the weights of a logistic unit",
    returns=("error", "dw", "db"),
    gradients={"dw": ("error", "w"), "db": ("error", "b")},
)
def logistic_delta(
    x: Float[Array, "N D"], t: Float[Array, "N"], w: Float[Array, "D"], b: Float[Array, ""]
) -> tuple[Float[Array, ""], Float[Array, "D"], Float[Array, ""]]:
    """Squared error of a logistic neuron, and its gradient.

    Formula: `y = logistic_neuron(x, w, b)`; `error = 1/2 sum_n (t[n] - y[n])**2`.

    Arguments:
        x: (N, D) floating, one example a row. t: (N,) floating, targets from 0 to 1. w: (D,) floating.
        b: a number.

    Returns:
        error: a number, half the sum over N.
        dw: (D,), db: a number: the gradient of that sum.

    Backward: `dz = -y (1 - y) (t - y)`; `dw = sum_n x[n] dz[n]`; `db = sum_n dz[n]`.

    Convention: the sum over the batch and the half, as in deck 004's delta rule. y(1 - y) is the slope of
    the logistic, which cross-entropy would cancel: here a neuron that is sure and wrong learns nothing.
    The deck leaves db out; it is dw for an input that is always 1.

    Example:
        >>> error, dw, db = logistic_delta(np.array([[2.0, 1.0]]), np.array([1.0]), np.zeros(2), 0.0)
        >>> float(error), dw.tolist(), float(db)
        (0.125, [-0.25, -0.125], -0.125)

    Source: deck 004, "Using the chain rule to get the derivatives needed for learning the weights of a
    logistic unit" and "The derivatives of a logistic neuron".
    """
    y = logistic_neuron(x, w, b)  # (N, D) -> (N,)
    residual = t - y
    dz = -y * (1 - y) * residual
    return (residual**2).sum() / 2, x.T @ dz, dz.sum()  # (D, N) @ (N,) -> (D,)


@logistic_delta.cases
def _(rng):
    yield case("ordinary", **_unsure(rng, 9, 4, side=1.0))
    yield case("the other side", **_unsure(rng, 14, 3, side=-1.0))
    yield case("one example", **_unsure(rng, 1, 5, side=sign(rng)))
    yield case("one input", **_unsure(rng, 8, 1, side=sign(rng)))
    soft = _unsure(rng, 10, 2, side=sign(rng))
    soft["t"] = 0.1 + 0.8 * soft["t"]
    yield case("targets between 0 and 1", **soft)
    # Six more on which the neuron is sure, rightly or wrongly: no slope is left there.
    given = _unsure(rng, 8, 2, side=sign(rng))
    sides = np.array([1.0, 1.0, 1.0, -1.0, -1.0, -1.0])[:, None]
    sure = sides * np.sign(given["w"]) * on_grid(rng.uniform(2000.0, 4000.0, size=(6, 2)))
    given["x"] = np.concatenate([given["x"], sure])  # (8, 2), (6, 2) -> (14, 2)
    given["t"] = np.append(given["t"], [0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    yield case("sure neuron", edge=0.2, **given)


def _unsure(rng, n, d, *, side):
    """A neuron that says something between 0.1 and 0.45 (for `side` 1) or 0.55 and 0.9 (for -1).

    Three of four targets are on the other side, and no input changes its sign: so neither db nor dw is a
    small difference of large numbers.
    """
    signs = rng.choice([-1.0, 1.0], size=d)
    x = signs * rng.uniform(0.8, 1.4, size=(n, d))
    w = rng.choice([-1.0, 1.0], size=d) * rng.uniform(0.4, 1.0, size=d) * (2.4 / d if d > 3 else 0.8)
    b = -1.2 * side - 1.1 * signs @ w
    t = np.where(np.arange(n) % 4 == 3, 0.0, 1.0)
    return {"x": x, "t": t if side > 0 else 1.0 - t, "w": w, "b": float(b)}


@logistic_delta.alternative
def _(x, t, w, b):
    """One example after another."""
    error, slopes, slope = 0.0, np.zeros(len(w)), 0.0
    for features, target in zip(np.asarray(x, dtype=np.float64), t.tolist(), strict=True):
        z = math.fsum([*(features * w), float(b)])
        y = 0.5 + 0.5 * math.tanh(z / 2)
        error += 0.5 * (target - y) ** 2
        dz = (y - target) * y * (1 - y)
        slopes, slope = slopes + dz * features, slope + dz
    return error, slopes, slope


@logistic_delta.alternative
def _(x, t, w, b):
    """PyTorch's automatic differentiation, in double precision."""
    import torch

    inputs, targets, weights, bias = (torch.tensor(each, dtype=torch.float64) for each in (x, t, w, b))
    weights.requires_grad_()
    bias.requires_grad_()
    error = torch.nn.functional.mse_loss(torch.sigmoid(inputs @ weights + bias), targets, reduction="sum") / 2
    error.backward()
    return error.item(), weights.grad.numpy(), bias.grad.item()


@logistic_delta.worked("an undecided neuron has the slope 1/4", lecture="004: The derivatives of a logistic neuron")
def _():
    # With all weights at zero the answer is 1/2, so the residual is 1/2 and y (1 - y) is 1/4.
    error, dw, db = logistic_delta(np.array([[2.0, 1.0]]), np.array([1.0]), np.zeros(2), 0.0)
    close(error, 1 / 8)
    close(dw, [-2 / 8, -1 / 8])
    close(db, -1 / 8)


logistic_delta.misconception(
    "slope of the logistic left out",
    ("-y * (1 - y) * residual", "-residual"),
    hint="Between the sum and the error stands the sigmoid. Where is its derivative in your chain rule?",
)
logistic_delta.misconception(
    "slope of the hyperbolic tangent",
    ("-y * (1 - y)", "-(1 - y**2)"),
    hint="Yours is the slope of another activation function. Which one does this neuron have?",
)
logistic_delta.misconception(
    "slope taken at the sum",
    ("-y * (1 - y)", "-(x @ w + b) * (1 - x @ w - b)"),
    hint="The slope is written with the answer of the neuron. What do you put in its place?",
)
logistic_delta.misconception(
    "gradient averaged over the batch",
    ("-y * (1 - y) * residual", "-y * (1 - y) * residual / len(t)"),
    hint="The error is a sum over the examples; what does that make of its gradient?",
)
logistic_delta.misconception(
    "error averaged over the batch",
    ("(residual**2).sum() / 2", "(residual**2).mean() / 2"),
    hint="Should this error grow when the same examples are in the data twice? Look at its definition.",
)
logistic_delta.misconception(
    "half of the error lost",
    ("(residual**2).sum() / 2", "(residual**2).sum()"),
    hint="What is the factor of one half in the error for, and where has it gone in yours?",
)
logistic_delta.misconception(
    "gradient twice as large",
    ("-y * (1 - y)", "-2 * y * (1 - y)"),
    hint="Differentiate the error on paper: does the factor 2 of the square survive?",
)
logistic_delta.misconception(
    "gradient of the wrong sign",
    ("-y * (1 - y)", "y * (1 - y)"),
    hint="A gradient points to where the error grows; the delta rule steps the other way. Which one is asked for?",
)
logistic_delta.misconception(
    "bias left out of the neuron",
    ("logistic_neuron(x, w, b)", "logistic_neuron(x, w, 0.0)"),
    hint="Which of the four arguments do your outputs not depend on?",
)
logistic_delta.misconception(
    "db not summed over the batch",
    ("dz.sum()", "dz"),
    hint="There is one bias for all examples. What shape must its gradient have?",
)
logistic_delta.misconception(
    "cross-entropy in place of the squared error",
    ("(residual**2).sum() / 2", "(np.logaddexp(0.0, x @ w + b) - t * (x @ w + b)).sum()"),
    ("-y * (1 - y) * residual", "-residual"),
    hint="With which error does the slope of the logistic cancel? It is not the one of the question.",
)


@logistic_delta.wrong(
    "exponential of a large sum divided by itself",
    hint="What is np.exp(1000.0), and what is that divided by itself plus one? There is a form without it.",
)
def _(x, t, w, b):
    z = x @ w + b
    with np.errstate(over="ignore", invalid="ignore"):
        y = np.exp(z) / (1 + np.exp(z))
    dz = (y - t) * y * (1 - y)
    return ((t - y) ** 2).sum() / 2, x.T @ dz, dz.sum()


@topic(lecture="002: Hebb's Rule", returns=("w",))
def hebb_update(
    x: Float[Array, "N D"], y: Float[Array, "N M"], w: Float[Array, "D M"], lr: float
) -> Float[Array, "D M"]:
    """One step of Hebb's rule: a connection grows where the cells at both its ends are active together.

    Formula: `w[i, j] <- w[i, j] + lr sum_n x[n, i] y[n, j]`.

    Arguments:
        x: (N, D) floating, activity of the sending cells in N moments. y: (N, M) floating, activity of the
        receiving cells in the same moments. w: (D, M), from each sending to each receiving cell.
        lr: positive, the learning rate.

    Returns:
        w: (D, M), after the step.

    Convention: deck 002 tells the rule in Hebb's words and has no formula. Here the activities of the
    receiving cells are given, not computed from w; moments are summed, as in deck 004's batch delta rule;
    nothing decays (Oja's rule subtracts lr y[n, j]**2 w[i, j]) and no mean is taken away (the covariance rule).

    Example:
        >>> x, y = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]), np.array([[1.0, 0.0], [1.0, 1.0]])
        >>> hebb_update(x, y, np.zeros((3, 2)), 0.5).tolist()
        [[0.5, 0.0], [0.0, 0.0], [1.0, 0.5]]

    Source: deck 002, "Hebb's Rule" (how people learn and remember); Hebb, The Organization of Behavior, 1949.
    """
    return w + lr * x.T @ y  # (D, N) @ (N, M) -> (D, M)


@hebb_update.cases
def _(rng):
    for name, n, d, m in (("ordinary", 7, 4, 3), ("as many senders as receivers", 6, 3, 3), ("one moment", 1, 5, 2)):
        yield case(name, **_activities(rng, n, d, m))
    yield case("one receiver", **_activities(rng, 9, 4, 1))


def _activities(rng, n, d, m):
    x, y = rng.uniform(0.2, 1.5, size=(n, d)), rng.uniform(0.2, 1.5, size=(n, m))
    return {"x": x, "y": y, "w": rng.normal(size=(d, m)), "lr": float(rng.uniform(0.8, 1.2) / n)}


@hebb_update.alternative
def _(x, y, w, lr):
    """One connection after another."""
    senders, receivers = x.T.tolist(), y.T.tolist()
    grown = [
        [math.fsum(one * other for one, other in zip(sender, receiver, strict=True)) for receiver in receivers]
        for sender in senders
    ]
    return np.array([[old + lr * new for old, new in zip(*rows, strict=True)] for rows in zip(w, grown, strict=True)])


@hebb_update.alternative
def _(x, y, w, lr):
    """PyTorch, one moment after another, in double precision."""
    import torch

    weights = torch.tensor(w, dtype=torch.float64)
    for senders, receivers in zip(torch.tensor(x), torch.tensor(y), strict=True):
        weights += lr * torch.outer(senders.double(), receivers.double())
    return weights.numpy()


@hebb_update.worked("a connection grows where both its ends are active", lecture="002: Hebb's Rule")
def _():
    # Cells 1 and 3 send while cell 1 receives; nothing else is active.
    w = hebb_update(np.array([[1.0, 0.0, 1.0]]), np.array([[1.0, 0.0]]), np.zeros((3, 2)), 0.5)
    close(w, [[0.5, 0.0], [0.0, 0.0], [0.5, 0.0]])


@hebb_update.worked("two moments are added, and what was there stays", lecture="002: Hebb's Rule")
def _():
    w = hebb_update(np.array([[1.0, 0.0], [1.0, 2.0]]), np.array([[3.0], [1.0]]), np.array([[10.0], [20.0]]), 0.1)
    close(w, [[10.4], [20.2]])


hebb_update.misconception(
    "moments averaged",
    ("lr * x.T @ y", "lr * x.T @ y / len(x)"),
    hint="Should a connection grow more when its cells are active together in more moments?",
)
hebb_update.misconception(
    "connections transposed",
    ("x.T @ y", "y.T @ x"),
    hint="Which axis of the weights belongs to the sending cells? Look at the shapes the question gives.",
)
hebb_update.misconception(
    "step of the wrong sign",
    ("w + lr", "w - lr"),
    hint="Cells that fire together: does their connection become stronger or weaker?",
)
hebb_update.misconception(
    "learning rate left out",
    ("lr * x.T", "x.T"),
    hint="Which of the four arguments does your step not depend on?",
)
hebb_update.misconception(
    "step returned in place of the weights",
    ("w + lr * x.T @ y", "lr * x.T @ y"),
    hint="The question asks for the weights after the step. What becomes of the old ones in yours?",
)
hebb_update.misconception(
    "delta rule in place of Hebb's",
    ("x.T @ y", "x.T @ (y - x @ w)"),
    hint="Hebb's rule knows no error: does anything have to be subtracted from the activity?",
)
hebb_update.misconception(
    "forgetting as in Oja's rule",
    ("x.T @ y", "(x.T @ y - (y**2).sum(axis=0) * w)"),
    hint="Does anything fade away in the rule of the question, or do connections only add up?",
)
hebb_update.misconception(
    "activities summed before they meet",
    ("x.T @ y", "np.outer(x.sum(axis=0), y.sum(axis=0))"),
    hint="Activity at different moments is not activity together. Do you multiply first, or add first?",
)
hebb_update.misconception(
    "mean activity taken away",
    ("x.T @ y", "x.T @ (y - y.mean(axis=0))"),
    hint="Yours is the covariance rule. What does a cell contribute that is always active, in the question's rule?",
)


@topic(lecture="004: What should we do? Handcraft Features (~1960s).", returns=("features",))
def xor_features(x: Float[Array, "N 2"]) -> Float[Array, "N 3"]:
    """Two inputs, with their product as a third feature: with it, XOR can be separated by a plane.

    Formula: `features[n] = [x[n, 0], x[n, 1], x[n, 0] * x[n, 1]]`.

    Arguments:
        x: (N, 2) floating, any numbers, not only 0 and 1.

    Returns:
        (N, 3).

    Example:
        >>> xor_features(np.array([[0.0, 1.0], [2.0, -3.0]])).tolist()
        [[0.0, 1.0, 0.0], [2.0, -3.0, -6.0]]

    Source: deck 004, "What should we do? Handcraft Features (~1960s)." and "Perceptron can't even solve XOR!".
    """
    return np.column_stack([x, x[:, 0] * x[:, 1]])  # (N, 2), (N,) -> (N, 3)


@xor_features.cases
def _(rng):
    for name, n in (("ordinary", 7), ("three examples", 3), ("one example", 1), ("many", 12)):
        # Neither 0 nor 1 nor 2: there a product is also a minimum, a sum or a square.
        yield case(name, x=rng.choice([-1.0, 1.0], size=(n, 2)) * rng.uniform(1.1, 1.9, size=(n, 2)))
    yield case("corners", x=rng.permutation(np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])))


@xor_features.alternative
def _(x):
    """One example after another."""
    return np.array([[first, second, first * second] for first, second in x.tolist()])


@xor_features.alternative
def _(x):
    """The product from squares, (a + b)**2 - a**2 - b**2 being 2ab, in double precision."""
    first, second = np.asarray(x, dtype=np.float64).T
    return np.stack([first, second, ((first + second) ** 2 - first**2 - second**2) / 2], axis=1)


@xor_features.worked(
    "a plane separates XOR by the three features",
    lecture="004: What should we do? Handcraft Features (~1960s).",
)
def _():
    features = xor_features(np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]))
    close(features, [[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 1]])
    fires = features @ np.array([1.0, 1.0, -2.0]) - 0.5 > 0
    assert fires.tolist() == [False, True, True, False]


xor_features.misconception(
    "sum in place of the product",
    ("x[:, 0] * x[:, 1]", "x[:, 0] + x[:, 1]"),
    hint="A sum of the inputs is something a linear neuron can make for itself. What is the third feature?",
)
xor_features.misconception(
    "logical and in place of the product",
    ("x[:, 0] * x[:, 1]", "np.logical_and(x[:, 0], x[:, 1])"),
    hint="The inputs need not be 0 and 1. What is your third feature for 2 and 3?",
)
xor_features.misconception(
    "exclusive or in place of the product",
    ("x[:, 0] * x[:, 1]", "(x[:, 0] != x[:, 1])"),
    hint="You put the answer itself among the features. Which feature does the slide add?",
)
xor_features.misconception(
    "smaller input in place of the product",
    ("x[:, 0] * x[:, 1]", "x.min(axis=1)"),
    hint="For 0 and 1 alone many functions agree. What is your third feature for 2 and 3?",
)
xor_features.misconception(
    "product without the inputs",
    ("[x, x[:, 0] * x[:, 1]]", "[x[:, 0] * x[:, 1]]"),
    hint="How many features has an example, and which two of them do you have already?",
)
xor_features.misconception(
    "product first",
    ("[x, x[:, 0] * x[:, 1]]", "[x[:, 0] * x[:, 1], x]"),
    hint="All three features are there. In which order does the question list them?",
)
xor_features.misconception(
    "features along the rows",
    ("np.column_stack([x, x[:, 0] * x[:, 1]])", "np.vstack([x.T, x[:, 0] * x[:, 1]])"),
    hint="Is an example a row or a column of your result?",
)
xor_features.misconception(
    "squares in place of the product",
    ("[x, x[:, 0] * x[:, 1]]", "[x, (x**2).sum(axis=1)]"),
    hint="Does your third feature tell (2, 3) from (2, -3)?",
)
