"""How does a unit squash any number into a bounded range, and how steep is it there?

An activation that works entry by entry is one function: it returns the value and the derivative, both
in the shape of x. Backward would multiply the derivative with `dout`.
"""

import math

import numpy as np

from autograder.topic import Array, Float, case, close, topic
from reference.drawing import away_from_zero
from reference.elementwise import by_torch, either_side, far_out, one_by_one, with_zeros


@topic(lecture="003: Common Activation Functions", returns=("out", "slope"), gradients={"slope": ("out", "x")})
def sigmoid(x: Float[Array, "..."]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Logistic function, entry by entry, and its derivative.

    Formula: `out = 1 / (1 + exp(-x))`; `slope = out (1 - out)`.

    Arguments:
        x: floating, of any shape and any finite size.

    Returns:
        out: the shape of x, between 0 and 1. slope: the shape of x, d out / d x.

    Numerics: exp(x) overflows above 709, and the quotient exp(x) / (1 + exp(x)) is NaN there. The
    logarithm of the result is -log(1 + exp(-x)), which `np.logaddexp` knows without overflow.

    Convention: `torch.sigmoid`.

    Example:
        >>> out, slope = sigmoid(np.array([0.0, -6.0, 1000.0]))
        >>> out.round(5).tolist(), slope.round(5).tolist()
        ([0.5, 0.00247, 1.0], [0.25, 0.00247, 0.0])

    Source: deck 003, "Common Activation Functions"; deck 002, table of derivatives; deck 004, "Sigmoid".
    """
    out = np.exp(-np.logaddexp(0, -x))
    return out, out * (1 - out)


@sigmoid.cases
def _(rng):
    yield case("ordinary", x=2 * rng.normal(size=(6, 5)))
    yield case("one example", x=3 * rng.normal(size=(1, 9)))
    yield case("images", x=2 * rng.normal(size=(2, 3, 4, 2)))
    yield case("a vector", x=rng.normal(size=7))
    yield case("far from zero", edge=0.25, x=far_out(rng))


@sigmoid.alternative
def _(x):
    """One number after another, by the half of the formula that cannot overflow."""

    def rule(value):
        small = math.exp(-abs(value))
        return (1 if value >= 0 else small) / (1 + small), small / (1 + small) ** 2

    return one_by_one(rule, x)


@sigmoid.alternative
def _(x):
    """PyTorch in double precision."""
    import torch

    return by_torch(torch.sigmoid, x)


@sigmoid.worked("the sigmoid of -6 is 0.00247, and it is steepest at 0", lecture="003: Common Activation Functions")
def _():
    out, slope = sigmoid(np.array([[-6.0, 0.0]]))
    close(out, [[0.00247, 0.5]], within=5e-6)
    close(slope[0, 1], 0.25)


sigmoid.misconception(
    "exponent of the wrong sign",
    ("np.logaddexp(0, -x)", "np.logaddexp(0, x)"),
    hint="Should the output be near 0 or near 1 for a large positive input?",
)
sigmoid.misconception(
    "derivative in x instead of the output",
    ("out * (1 - out)", "x * (1 - x)"),
    hint="In the slide's derivative g(1 - g), is g the input or the output?",
)
sigmoid.misconception(
    "derivative taken of the output once more",
    ("out * (1 - out)", "1 / (1 + np.exp(-out)) * (1 - 1 / (1 + np.exp(-out)))"),
    hint="How many times does the sigmoid stand in your derivative? It has been applied already.",
)
sigmoid.misconception(
    "second factor of the derivative left out",
    ("out * (1 - out)", "out"),
    hint="For a large input the output hardly changes any more. What should the derivative be there?",
)
sigmoid.misconception(
    "derivative of tanh",
    ("out * (1 - out)", "1 - out**2"),
    hint="Your derivative belongs to another function with the same S shape. How steep is this one at 0?",
)
sigmoid.misconception(
    "derivative of the wrong sign",
    ("out * (1 - out)", "out * (out - 1)"),
    hint="Does the output rise or fall as the input grows?",
)
sigmoid.misconception(
    "quotient of exponentials that overflow",
    ("np.exp(-np.logaddexp(0, -x))", "np.exp(x) / (1 + np.exp(x))"),
    hint="What is np.exp(1000.0), and what is infinity divided by infinity?",
)
sigmoid.misconception(
    "derivative as a quotient that overflows",
    ("out * (1 - out)", "np.exp(-x) / (1 + np.exp(-x)) ** 2"),
    hint="What is np.exp(1000.0), and what is infinity divided by infinity? The derivative can be had from the output.",
)


@sigmoid.wrong(
    "tanh in place of the sigmoid",
    hint="The output is read as a probability. Which range must it have?",
)
def _(x):
    return np.tanh(x), 1 - np.tanh(x) ** 2


@topic(lecture="003: Common Activation Functions", returns=("out", "slope"), gradients={"slope": ("out", "x")})
def tanh(x: Float[Array, "..."]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Hyperbolic tangent, entry by entry, and its derivative.

    Formula: `out = (exp(x) - exp(-x)) / (exp(x) + exp(-x))`; `slope = 1 - out^2`.

    Arguments:
        x: floating, of any shape and any finite size.

    Returns:
        out: the shape of x, between -1 and 1. slope: the shape of x, d out / d x.

    Numerics: as written the formula is infinity by infinity from 710 on; `np.tanh` is not.

    Convention: `torch.tanh`. It is 2 sigmoid(2x) - 1.

    Example:
        >>> out, slope = tanh(np.array([0.0, 1.0, -1000.0]))
        >>> out.round(4).tolist(), slope.round(4).tolist()
        ([0.0, 0.7616, -1.0], [1.0, 0.42, 0.0])

    Source: deck 003, "Common Activation Functions"; deck 002, table of derivatives; deck 004, "tanh".
    """
    out = np.tanh(x)
    return out, 1 - out**2


@tanh.cases
def _(rng):
    yield case("ordinary", x=rng.normal(size=(5, 6)))
    yield case("one example", x=2 * rng.normal(size=(1, 8)))
    yield case("sequences", x=rng.normal(size=(3, 4, 2)))
    yield case("a vector", x=rng.normal(size=9))
    yield case("far from zero", edge=0.2, x=far_out(rng))


@tanh.alternative
def _(x):
    """One number after another, by exponentials that cannot overflow."""

    def rule(value):
        small = math.exp(-2 * abs(value))
        return math.copysign(-math.expm1(-2 * abs(value)) / (1 + small), value), 4 * small / (1 + small) ** 2

    return one_by_one(rule, x)


@tanh.alternative
def _(x):
    """PyTorch in double precision."""
    import torch

    return by_torch(torch.tanh, x)


@tanh.worked("tanh passes through 0 with slope 1 and ends at 1", lecture="003: Common Activation Functions")
def _():
    out, slope = tanh(np.array([0.0, 1.0, 20.0]))
    close(out, [0.0, (math.e**2 - 1) / (math.e**2 + 1), 1.0])
    close(slope, [1.0, 0.419974, 0.0])


tanh.misconception(
    "square of the output left out",
    ("1 - out**2", "1 - out"),
    hint="The function is as steep at -2 as at 2. Is your derivative?",
)
tanh.misconception(
    "derivative in x instead of the output",
    ("1 - out**2", "1 - x**2"),
    hint="In the slide's derivative 1 - g(z)^2, is g(z) the input or the output?",
)
tanh.misconception(
    "derivative of the sigmoid",
    ("1 - out**2", "out * (1 - out)"),
    hint="Your derivative belongs to another function with the same S shape. How steep is this one at 0?",
)
tanh.misconception(
    "difference squared as a whole",
    ("1 - out**2", "(1 - out) ** 2"),
    hint="What is squared in the slide's derivative: the output alone, or all of it?",
)
tanh.misconception(
    "quotient of exponentials that overflow",
    ("np.tanh(x)", "(np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))"),
    hint="What is np.exp(1000.0), and what is infinity divided by infinity?",
)
tanh.misconception(
    "argument of the sigmoid not doubled",
    ("np.tanh(x)", "2 / (1 + np.exp(-x)) - 1"),
    hint="Stretching the sigmoid to the range -1 to 1 is not enough: how steep must the result be at 0?",
)


@tanh.wrong("sigmoid in place of tanh", hint="Which range does the output have, and what is it at 0?")
def _(x):
    out = np.exp(-np.logaddexp(0, -x))
    return out, out * (1 - out)


@topic(lecture="000: table of activation functions, Binary step", returns=("out",))
def hard_step(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Binary step, entry by entry: the threshold of the first neurons.

    Formula: `out = 1 where x >= 0, else 0`.

    Arguments:
        x: floating, of any shape.

    Returns:
        out: the shape of x, zeros and ones. Its derivative is 0 wherever it has one, so a network of
        steps cannot be trained by gradients, and it is not asked for.

    Convention: 1 at exactly 0, as in deck 000's table and deck 004's threshold neuron. `np.heaviside`
    asks for that value.

    Example:
        >>> hard_step(np.array([-0.5, 0.0, 2.0])).tolist()
        [0.0, 1.0, 1.0]

    Source: deck 000, table of activation functions, "Binary step"; deck 004, "Binary Threshold Neuron".
    """
    return np.where(x >= 0, 1.0, 0.0)


@hard_step.cases
def _(rng):
    yield case("ordinary", x=either_side(rng, (6, 5)))
    yield case("one example", x=2 * either_side(rng, (1, 9)))
    yield case("images", x=away_from_zero(rng, (2, 3, 4, 2)))
    yield case("a vector", x=either_side(rng, (7,)))
    yield case("exact zeros", edge=0.4, x=with_zeros(rng, (5, 8), columns=3))


@hard_step.alternative
def _(x):
    """One number after another."""
    return np.array([float(value >= 0) for value in x.ravel().tolist()]).reshape(x.shape)


@hard_step.alternative
def _(x):
    """NumPy's own step, told its value at 0."""
    return np.heaviside(x, 1.0)


@hard_step.worked("the step is 1 from 0 on", lecture="000: table of activation functions, Binary step")
def _():
    close(hard_step(np.array([[-2.0, -0.001], [0.0, 3.0]])), [[0.0, 0.0], [1.0, 1.0]])


hard_step.misconception(
    "0 at exactly 0",
    ("x >= 0", "x > 0"),
    hint="Which value does the question fix at exactly 0?",
)
hard_step.misconception(
    "half at exactly 0",
    ("np.where(x >= 0, 1.0, 0.0)", "np.heaviside(x, 0.5)"),
    hint="Which value does the question fix at exactly 0?",
)
hard_step.misconception(
    "sign in place of the step",
    ("np.where(x >= 0, 1.0, 0.0)", "np.where(x >= 0, 1.0, -1.0)"),
    hint="Which two values does the slide's step take?",
)
hard_step.misconception(
    "step the wrong way round",
    ("x >= 0", "x <= 0"),
    hint="Does the neuron fire when its input is large, or when it is small?",
)
hard_step.misconception(
    "threshold at one half",
    ("x >= 0", "x >= 0.5"),
    hint="At one half a probability is decided. At which input does this step go up?",
)
hard_step.misconception(
    "ReLU in place of the step",
    ("np.where(x >= 0, 1.0, 0.0)", "np.where(x >= 0, x, 0.0)"),
    hint="How many different values may a step put out?",
)
