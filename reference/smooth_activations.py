"""How do the smooth relatives of ReLU bend around zero, and how steep are they there?

Each returns the value and the derivative, both in the shape of x. Swish and Mish, like GELU, multiply x
by a gate that depends on x, so their derivative has two terms.
"""

import math

import numpy as np

from autograder.topic import Array, Float, case, close, topic
from reference.elementwise import by_torch, far_out, logistic, one_by_one


@topic(lecture="002: table of activation functions", returns=("out", "slope"), gradients={"slope": ("out", "x")})
def softplus(x: Float[Array, "..."]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """A ReLU without its corner, entry by entry, and its derivative.

    Formula: `out = log(1 + exp(x))`; `slope = 1 / (1 + exp(-x))`.

    Arguments:
        x: floating, of any shape and any finite size.

    Returns:
        out: the shape of x, positive, in natural logarithms. slope: the shape of x, d out / d x.

    Numerics: exp(x) overflows above 709, where out is x itself. `np.logaddexp(0, x)` takes the logarithm
    of the sum without forming it. The derivative is exp(x - out), whose exponent is never positive.

    Convention: `torch.nn.functional.softplus`, which goes over to x itself above 20.

    Example:
        >>> out, slope = softplus(np.array([0.0, 1000.0, -1000.0]))
        >>> out.round(4).tolist(), slope.tolist()
        ([0.6931, 1000.0, 0.0], [0.5, 1.0, 0.0])

    Source: deck 002, tables of activation functions and their derivatives; deck 000, table; Glorot,
    Bordes and Bengio 2011.
    """
    out = np.logaddexp(0, x)
    return out, np.exp(x - out)


@softplus.cases
def _(rng):
    yield case("ordinary", x=2 * rng.normal(size=(6, 5)))
    yield case("one example", x=3 * rng.normal(size=(1, 9)))
    yield case("images", x=rng.normal(size=(2, 3, 4, 2)))
    yield case("a vector", x=2 * rng.normal(size=7))
    yield case("far from zero", edge=0.3, x=far_out(rng))


@softplus.alternative
def _(x):
    """One number after another: what is added to ReLU."""

    def rule(value):
        small = math.exp(-abs(value))
        return max(value, 0.0) + math.log1p(small), (1 if value >= 0 else small) / (1 + small)

    return one_by_one(rule, x)


@softplus.alternative
def _(x):
    """PyTorch in double precision."""
    import torch

    return by_torch(lambda leaf: torch.logaddexp(leaf, torch.zeros_like(leaf)), x)


@softplus.worked("softplus is log 2 at 0 and x far to the right", lecture="002: table of activation functions")
def _():
    out, slope = softplus(np.array([0.0, 1000.0]))
    close(out, [0.693147, 1000.0])
    close(slope, [0.5, 1.0])


softplus.misconception(
    "inner derivative left out",
    ("np.exp(x - out)", "np.exp(-out)"),  # 1 / (1 + exp(x))
    hint="Far to the right the function is x itself. What must its derivative be there, 0 or 1?",
)
softplus.misconception(
    "derivative of ReLU",
    ("np.exp(x - out)", "np.where(x > 0, 1.0, 0.0)"),
    hint="This function has no corner. Can its derivative jump?",
)
softplus.misconception(
    "1 not added in the logarithm",
    ("np.logaddexp(0, x)", "x"),
    hint="Your function is the identity. What stands beside the exponential in the logarithm?",
)
softplus.misconception(
    "softplus of -x",
    ("np.logaddexp(0, x)", "np.logaddexp(0, -x)"),
    ("np.exp(x - out)", "-np.exp(-x - out)"),
    hint="Does this function follow ReLU to the right or to the left?",
)
softplus.misconception(
    "logarithm to base 2",
    ("np.logaddexp(0, x)", "np.logaddexp(0, x) / np.log(2)"),
    ("np.exp(x - out)", "np.exp(x - np.logaddexp(0, x)) / np.log(2)"),
    hint="Which logarithm undoes exp? Far to the right the result must be x.",
)


@softplus.wrong(
    "logarithm of an exponential that has overflowed",
    hint="What is np.exp(1000.0)? Far to the right the result is x itself; which form of the sum never gets there "
    "by infinity?",
)
def _(x):
    return np.log(1 + np.exp(x)), 1 / (1 + np.exp(-x))


softplus.misconception(
    "derivative as a quotient that overflows",
    ("np.exp(x - out)", "np.exp(x) / (1 + np.exp(x))"),
    hint="What is np.exp(1000.0), and what is infinity divided by infinity?",
)


@topic(lecture="002: table of activation functions", returns=("out", "slope"), gradients={"slope": ("out", "x")})
def swish(x: Float[Array, "..."], beta: float) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """x times a sigmoid gate of its own, entry by entry, and the derivative.

    Formula: `gate = sigmoid(beta x)`; `out = x gate`; `slope = gate + beta x gate (1 - gate)`.

    Arguments:
        x: floating, of any shape and any finite size. beta: a number, how sharp the gate is.

    Returns:
        out: the shape of x. slope: the shape of x, d out / d x.

    Numerics: the gate as exp(-log(1 + exp(-beta x))), so that nothing overflows. Deck 000's derivative is
    a fraction of exponentials: far to the left it is infinity by infinity.

    Convention: with beta = 1 it is SiLU, `torch.nn.functional.silu`; with beta to infinity, ReLU.

    Example:
        >>> out, slope = swish(np.array([0.0, 1.0, 1000.0]), 1.0)
        >>> out.round(4).tolist(), slope.round(4).tolist()
        ([0.0, 0.7311, 1000.0], [0.5, 0.9277, 1.0])

    Source: deck 002, table of activation functions; deck 000, table, "Sigmoid linear unit";
    Ramachandran, Zoph and Le 2017.
    """
    gate = logistic(beta * x)
    return x * gate, gate + beta * x * gate * (1 - gate)


@swish.cases
def _(rng):
    yield case("SiLU", x=2 * rng.normal(size=(6, 5)), beta=1.0)
    yield case("sharper gate", x=rng.normal(size=(3, 4, 2)), beta=float(rng.uniform(1.5, 2.5)))
    yield case("softer gate", x=3 * rng.normal(size=(1, 9)), beta=float(rng.uniform(0.3, 0.7)))
    yield case("a vector", x=2 * rng.normal(size=8), beta=float(rng.uniform(1.2, 1.8)))
    yield case("far from zero", edge=0.2, x=far_out(rng), beta=float(rng.uniform(1.2, 1.8)))


@swish.alternative
def _(x, beta):
    """One number after another; the derivative by tanh of half the argument."""

    def rule(value):
        half = math.tanh(beta * value / 2)
        return value * (1 + half) / 2, (1 + half) / 2 + beta * value * (1 - half**2) / 4

    return one_by_one(rule, x)


@swish.alternative
def _(x, beta):
    """PyTorch in double precision."""
    import torch

    return by_torch(lambda leaf: leaf * torch.sigmoid(beta * leaf), x)


@swish.worked("the lowest value of SiLU is -0.278", lecture="000: table of activation functions")
def _():
    x = np.linspace(-4.0, 4.0, 8001)
    out, slope = swish(x, 1.0)
    close(out.min(), -0.278, within=5e-4)
    close(slope[out.argmin()], 0.0, within=1e-3)


swish.misconception(
    "derivative of a product taken as the gate alone",
    ("gate + beta * x * gate * (1 - gate)", "gate"),
    hint="x stands twice in the formula, once inside the gate. How many terms does the product rule have?",
)
swish.misconception(
    "gate left out of the derivative",
    ("gate + beta * x * gate * (1 - gate)", "beta * x * gate * (1 - gate)"),
    hint="x stands twice in the formula, once outside the gate. How many terms does the product rule have?",
)
swish.misconception(
    "beta left out of the derivative",
    ("gate + beta * x", "gate + x"),
    hint="The gate's argument is a product. What does the chain rule bring out of it?",
)
swish.misconception(
    "beta ignored",
    ("logistic(beta * x)", "logistic(x)"),
    ("gate + beta * x", "gate + x"),
    hint="Which of the arguments does your result not depend on?",
)
swish.misconception(
    "beta outside the gate",
    ("logistic(beta * x)", "logistic(x)"),
    ("x * gate, gate", "beta * x * gate, beta * gate"),
    hint="Far to the right the function is x, whatever beta is. Is yours?",
)
swish.misconception(
    "gate not multiplied by x",
    ("x * gate, gate + beta * x * gate * (1 - gate)", "gate, beta * gate * (1 - gate)"),
    hint="Far to the right the function is x. What is yours there?",
)
swish.misconception(
    "derivative of the gate in its input",
    ("gate * (1 - gate)", "x * (1 - x)"),
    hint="The derivative of a sigmoid is written by its output, not by its input.",
)


@swish.wrong(
    "derivative as a fraction that overflows",
    hint="What becomes of the table's fraction far to the left, where its exponentials are infinite? Write the "
    "derivative by the gate itself.",
)
def _(x, beta):
    small = np.exp(-beta * x)
    return x / (1 + small), (1 + small + beta * x * small) / (1 + small) ** 2


@topic(lecture="000: table of activation functions, Mish", returns=("out", "slope"), gradients={"slope": ("out", "x")})
def mish(x: Float[Array, "..."]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """x times the tanh of its softplus, entry by entry, and the derivative.

    Formula: `s = log(1 + exp(x))`; `out = x tanh(s)`; `slope = tanh(s) + x (1 - tanh(s)^2) sigmoid(x)`.

    Arguments:
        x: floating, of any shape and any finite size.

    Returns:
        out: the shape of x. slope: the shape of x, d out / d x.

    Backward: the chain goes through tanh, then softplus, whose derivative is the sigmoid of x.

    Numerics: softplus and sigmoid in the forms that do not overflow. Deck 000's derivative is a fraction
    of powers of exp(x): far to the right it is infinity by infinity.

    Convention: `torch.nn.functional.mish`.

    Example:
        >>> out, slope = mish(np.array([0.0, 1.0, 1000.0]))
        >>> out.round(4).tolist(), slope.round(4).tolist()
        ([0.0, 0.8651, 1000.0], [0.6, 1.049, 1.0])

    Source: deck 000, table of activation functions, "Mish"; Misra 2019.
    """
    soft = np.logaddexp(0, x)
    gate = np.tanh(soft)
    return x * gate, gate + x * (1 - gate**2) * np.exp(x - soft)


@mish.cases
def _(rng):
    yield case("ordinary", x=2 * rng.normal(size=(6, 5)))
    yield case("one example", x=3 * rng.normal(size=(1, 9)))
    yield case("sequences", x=rng.normal(size=(3, 4, 2)))
    yield case("a vector", x=2 * rng.normal(size=8))
    yield case("far from zero", edge=0.2, x=far_out(rng))


@mish.alternative
def _(x):
    """One number after another: with e = exp(x), the gate is ((1 + e)^2 - 1) / ((1 + e)^2 + 1)."""

    def rule(value):
        u = math.exp(-abs(value))  # e or 1 / e, whichever cannot overflow
        over, under = (1 + 2 * u, 1 + 2 * u + 2 * u * u) if value >= 0 else (u * u + 2 * u, u * u + 2 * u + 2)
        sigmoid = (1 if value >= 0 else u) / (1 + u)
        gate = over / under
        return value * gate, gate + value * (1 - gate) * (1 + gate) * sigmoid

    return one_by_one(rule, x)


@mish.alternative
def _(x):
    """PyTorch in double precision."""
    import torch

    return by_torch(torch.nn.functional.mish, x)


@mish.worked("the lowest value of Mish is -0.309", lecture="000: table of activation functions, Mish")
def _():
    out, slope = mish(np.linspace(-4.0, 4.0, 8001))
    close(out.min(), -0.3088, within=1e-4)
    close(slope[4000], 0.6)  # at 0, where tanh(log 2) is 3/5


mish.misconception(
    "derivative of a product taken as the gate alone",
    ("gate + x * (1 - gate**2) * np.exp(x - soft)", "gate"),
    hint="x stands twice in the formula, once inside tanh. How many terms does the product rule have?",
)
mish.misconception(
    "derivative of softplus left out",
    ("(1 - gate**2) * np.exp(x - soft)", "(1 - gate**2)"),
    hint="Three functions stand inside one another. Which link of the chain is missing?",
)
mish.misconception(
    "derivative of tanh left out",
    ("x * (1 - gate**2) * np.exp(x - soft)", "x * np.exp(x - soft)"),
    hint="Three functions stand inside one another. Which link of the chain is missing?",
)
mish.misconception(
    "softplus left out",
    ("np.tanh(soft)", "np.tanh(x)"),
    ("np.exp(x - soft)", "1"),
    hint="For a negative input the result must be negative. Is yours?",
)
mish.misconception(
    "sigmoid in place of tanh",
    ("np.tanh(soft)", "logistic(soft)"),
    ("(1 - gate**2)", "gate * (1 - gate)"),
    hint="Far to the left the gate must close altogether. What is yours where softplus is 0?",
)
mish.misconception(
    "exponential in place of softplus",
    ("np.logaddexp(0, x)", "np.exp(np.minimum(x, 700))"),
    ("np.exp(x - soft)", "soft"),
    hint="What is taken of exp(x), after 1 was added to it, before tanh?",
)


@mish.wrong(
    "derivative as a fraction that overflows",
    hint="What becomes of the table's fraction far to the right, where its powers are infinite? Write the "
    "derivative by tanh and sigmoid.",
)
def _(x):
    e = np.exp(x)
    slope = e * (4 * e**2 + e**3 + 4 * (1 + x) + e * (6 + 4 * x)) / (2 + 2 * e + e**2) ** 2
    return x * np.tanh(np.logaddexp(0, x)), slope
