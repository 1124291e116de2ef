"""What does a rectifier do with the inputs that ReLU throws away?

Each returns the value and the derivative, both in the shape of x. In all rectifiers x = 0 belongs to the
side of the negative numbers: the derivative there is the one from the left, as deck 002 has it for ReLU,
I(x > 0).
"""

import math

import numpy as np

from autograder.topic import Array, Float, case, close, topic
from reference.drawing import on_grid
from reference.elementwise import by_torch, either_side, one_by_one, with_zeros


@topic(lecture="004: Leaky ReLU", returns=("out", "slope"), gradients={"slope": ("out", "x")})
def leaky_relu(x: Float[Array, "..."], alpha: float) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """A ReLU that lets a little through below zero, entry by entry, and its derivative.

    Formula: `out = x where x > 0, else alpha x`; `slope = 1 where x > 0, else alpha`.

    Arguments:
        x: floating, of any shape. alpha: a number, 0 <= alpha < 1; with 0 it is ReLU.

    Returns:
        out: the shape of x. slope: the shape of x, d out / d x.

    Convention: at exactly 0 the derivative is alpha, as in PyTorch and in the way of deck 002's ReLU,
    I(x > 0); deck 000's table has 1 there. Decks 001, 002 and 004 write max(0.1x, x), deck 000 takes 0.01.

    Example:
        >>> out, slope = leaky_relu(np.array([-2.0, 0.0, 3.0]), 0.1)
        >>> out.tolist(), slope.tolist()
        ([-0.2, 0.0, 3.0], [0.1, 0.1, 1.0])

    Source: deck 004, "Leaky ReLU"; deck 002, table of activation functions; deck 000, table.
    """
    return np.where(x > 0, x, alpha * x), np.where(x > 0, 1.0, alpha)


@leaky_relu.cases
def _(rng):
    yield case("ordinary", x=either_side(rng, (6, 5)), alpha=0.1)
    yield case("one example", x=2 * either_side(rng, (1, 9)), alpha=0.01)
    yield case("images", x=either_side(rng, (2, 3, 4, 2)), alpha=float(rng.uniform(0.2, 0.4)))
    yield case("a vector", x=3 * either_side(rng, (7,)), alpha=float(rng.uniform(0.5, 0.8)))
    yield case("exact zeros", edge=0.2, x=with_zeros(rng, (5, 8), columns=3), alpha=float(rng.uniform(0.2, 0.4)))
    yield case("no leak", edge=0.1, x=either_side(rng, (4, 3)), alpha=0.0)


@leaky_relu.alternative
def _(x, alpha):
    """One number after another: the larger of two lines."""
    return one_by_one(lambda value: (max(value, alpha * value), 1.0 if value > 0 else alpha), x)


@leaky_relu.alternative
def _(x, alpha):
    """PyTorch in double precision."""
    import torch

    return by_torch(lambda leaf: torch.nn.functional.leaky_relu(leaf, alpha), x)


@leaky_relu.worked("the slides' slope of 0.1, at exactly 0 too", lecture="004: Leaky ReLU")
def _():
    out, slope = leaky_relu(np.array([-2.0, 0.0, 3.0]), 0.1)
    close(out, [-0.2, 0.0, 3.0])
    close(slope, [0.1, 0.1, 1.0])


leaky_relu.misconception(
    "ReLU: no leak",
    ("alpha * x", "0 * x"),
    ("np.where(x > 0, 1.0, alpha)", "np.where(x > 0, 1.0, 0.0)"),
    hint="Which of the arguments does your result not depend on?",
)
leaky_relu.misconception(
    "derivative of ReLU",
    ("np.where(x > 0, 1.0, alpha)", "np.where(x > 0, 1.0, 0.0)"),
    hint="Below zero the function is a line too. How steep is it there?",
)
leaky_relu.misconception(
    "slope 0.01 whatever alpha is",
    ("alpha * x", "0.01 * x"),
    ("np.where(x > 0, 1.0, alpha)", "np.where(x > 0, 1.0, 0.01)"),
    hint="Which of the arguments does your result not depend on?",
)
leaky_relu.misconception(
    "slope 0.1 whatever alpha is",
    ("alpha * x", "0.1 * x"),
    ("np.where(x > 0, 1.0, alpha)", "np.where(x > 0, 1.0, 0.1)"),
    hint="Which of the arguments does your result not depend on?",
)
leaky_relu.misconception(
    "sides swapped",
    ("np.where(x > 0, x, alpha * x)", "np.where(x > 0, alpha * x, x)"),
    ("np.where(x > 0, 1.0, alpha)", "np.where(x > 0, alpha, 1.0)"),
    hint="Which numbers should pass unchanged: the positive or the negative ones?",
)
leaky_relu.misconception(
    "negative side mirrored",
    ("alpha * x", "-alpha * x"),
    ("np.where(x > 0, 1.0, alpha)", "np.where(x > 0, 1.0, -alpha)"),
    hint="Which sign does the output have for a negative input?",
)
leaky_relu.misconception(
    "constant below zero",
    ("alpha * x", "alpha"),
    hint="Below zero the function is a line. Does yours change there when the input changes?",
)
leaky_relu.misconception(
    "derivative multiplied by the input",
    ("np.where(x > 0, 1.0, alpha)", "np.where(x > 0, x, alpha * x)"),
    hint="What is the slope of a line through 0, its value or its factor?",
)
leaky_relu.misconception(
    "derivative 1 at exactly 0",
    ("np.where(x > 0, 1.0, alpha)", "np.where(x >= 0, 1.0, alpha)"),
    hint="Which derivative does the question fix at exactly 0?",
)
leaky_relu.misconception(
    "derivative 0 at exactly 0",
    ("np.where(x > 0, 1.0, alpha)", "np.where(x > 0, 1.0, np.where(x < 0, alpha, 0.0))"),
    hint="Which derivative does the question fix at exactly 0?",
)
leaky_relu.harmless(("x > 0, x, alpha * x", "x >= 0, x, alpha * x"), because="at 0 both are 0")


@topic(lecture="000: Bounded ReLU", returns=("out", "slope"), gradients={"slope": ("out", "x")})
def bounded_relu(x: Float[Array, "..."], bound: float) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """A ReLU that does not grow beyond a bound, entry by entry, and its derivative.

    Formula: `out = min(max(0, x), bound)`; `slope = 1 where 0 < x < bound, else 0`.

    Arguments:
        x: floating, of any shape. bound: a positive number.

    Returns:
        out: the shape of x, between 0 and bound. slope: the shape of x, d out / d x.

    Convention: the derivative is 0 at both corners, x = 0 and x = bound, as in PyTorch's `hardtanh`;
    `torch.nn.functional.relu6` is this with bound 6. Deck 000 calls the bound n.

    Example:
        >>> out, slope = bounded_relu(np.array([-1.0, 0.0, 2.0, 6.0, 9.0]), 6.0)
        >>> out.tolist(), slope.tolist()
        ([0.0, 0.0, 2.0, 6.0, 6.0], [0.0, 0.0, 1.0, 0.0, 0.0])

    Source: deck 000, "Bounded ReLU".
    """
    return np.minimum(np.maximum(x, 0), bound), np.where((x > 0) & (x < bound), 1.0, 0.0)


@bounded_relu.cases
def _(rng):
    for name, shape, bound in (
        ("ordinary", (6, 5), 1.0),
        ("one example", (1, 9), 6.0),
        ("images", (2, 3, 4, 2), 2.5),
        ("a vector", (8,), 0.5),
    ):
        yield case(name, x=_three_ranges(rng, shape, bound), bound=bound)
    bound = float(on_grid(rng.uniform(1.5, 4.0)))
    at_corners = _three_ranges(rng, (5, 8), bound)
    columns = rng.permutation(8)
    at_corners[:, columns[:2]], at_corners[:, columns[2:4]] = 0.0, bound
    yield case("exactly at the corners", edge=0.2, x=at_corners, bound=bound)


def _three_ranges(rng, shape, bound):
    """As many numbers below 0, between 0 and the bound, and above it; none near to a corner."""
    count = math.prod(shape)
    beyond = 0.01 * bound + np.abs(rng.normal(size=count))
    which = rng.permutation(np.arange(count) % 3)
    return np.choose(which, [-beyond, bound * rng.uniform(0.05, 0.95, size=count), bound + beyond]).reshape(shape)


@bounded_relu.alternative
def _(x, bound):
    """One number after another: the middle one of three."""
    return one_by_one(lambda value: (sorted((0.0, value, bound))[1], float(0 < value < bound)), x)


@bounded_relu.alternative
def _(x, bound):
    """PyTorch in double precision."""
    import torch

    return by_torch(lambda leaf: torch.nn.functional.hardtanh(leaf, 0.0, bound), x)


@bounded_relu.worked("a bound of 6, and what holds at the corners", lecture="000: Bounded ReLU")
def _():
    out, slope = bounded_relu(np.array([-1.0, 0.0, 2.0, 6.0, 9.0]), 6.0)
    close(out, [0.0, 0.0, 2.0, 6.0, 6.0])
    close(slope, [0.0, 0.0, 1.0, 0.0, 0.0])


bounded_relu.misconception(
    "not bounded",
    ("np.minimum(np.maximum(x, 0), bound)", "np.maximum(x, 0)"),
    ("(x > 0) & (x < bound)", "x > 0"),
    hint="Which of the arguments does your result not depend on?",
)
bounded_relu.misconception(
    "zero beyond the bound",
    ("np.minimum(np.maximum(x, 0), bound)", "np.where((x > 0) & (x < bound), x, 0)"),
    hint="The function never falls. What does it return for an input beyond the bound?",
)
bounded_relu.misconception(
    "bounded on both sides",
    ("np.minimum(np.maximum(x, 0), bound)", "np.minimum(np.maximum(x, -bound), bound)"),
    hint="What does a rectifier return for a negative input?",
)
bounded_relu.misconception(
    "bound of 6 whatever is asked",
    ("np.minimum(np.maximum(x, 0), bound)", "np.minimum(np.maximum(x, 0), 6.0)"),
    ("(x < bound)", "(x < 6.0)"),
    hint="Which of the arguments does your result not depend on?",
)
bounded_relu.misconception(
    "divided by the bound",
    ("np.minimum(np.maximum(x, 0), bound)", "np.minimum(np.maximum(x, 0), bound) / bound"),
    hint="Between the corners the function is x itself. What is it at the bound?",
)
bounded_relu.misconception(
    "derivative 1 beyond the bound",
    ("(x > 0) & (x < bound)", "x > 0"),
    hint="Beyond the bound the output does not change. What is its derivative there?",
)
bounded_relu.misconception(
    "derivative 1 at exactly 0",
    ("x > 0", "x >= 0"),
    hint="Which derivative does the question fix at the corners?",
)
bounded_relu.misconception(
    "derivative 1 at exactly the bound",
    ("x < bound", "x <= bound"),
    hint="Which derivative does the question fix at the corners?",
)
bounded_relu.misconception(
    "derivative 1 at both corners",
    ("x > 0", "x >= 0"),
    ("x < bound", "x <= bound"),
    hint="Which derivative does the question fix at the corners?",
)
