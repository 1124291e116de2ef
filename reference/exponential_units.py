"""What if a rectifier bends below zero along an exponential, so that its mean comes nearer to zero?

Each returns the value and the derivative, both in the shape of x. At x = 0 the derivative is the one from
the left, as deck 002 writes it: I(x > 0) + I(x <= 0) alpha exp(x).
"""

import math

import numpy as np

from autograder.topic import Array, Float, case, close, topic
from reference.elementwise import by_torch, either_side, far_out, one_by_one, with_zeros


@topic(lecture="004: ELU", returns=("out", "slope"), gradients={"slope": ("out", "x")})
def elu(x: Float[Array, "..."], alpha: float) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Exponential linear unit, entry by entry, and its derivative.

    Formula: `out = x where x > 0, else alpha (exp(x) - 1)`; `slope = 1 where x > 0, else alpha exp(x)`.

    Arguments:
        x: floating, of any shape and any finite size. alpha: a positive number.

    Returns:
        out: the shape of x, above -alpha. slope: the shape of x, d out / d x.

    Numerics: the exponential is taken of min(x, 0) only. Of a large x it would overflow, and infinity times
    a mask of 0 is NaN.

    Convention: at exactly 0 the derivative is alpha, as in deck 002 and PyTorch; deck 000 gives it for
    alpha = 1 only, where both sides agree.

    Example:
        >>> out, slope = elu(np.array([-1.0, 0.0, 1000.0]), 2.0)
        >>> out.round(4).tolist(), slope.round(4).tolist()
        ([-1.2642, 0.0, 1000.0], [0.7358, 2.0, 1.0])

    Source: deck 004, "ELU"; deck 002, tables of activation functions and their derivatives; deck 000,
    table; Clevert, Unterthiner and Hochreiter 2016.
    """
    below = np.minimum(x, 0)
    return np.where(x > 0, x, alpha * np.expm1(below)), np.where(x > 0, 1.0, alpha * np.exp(below))


@elu.cases
def _(rng):
    yield case("ordinary", x=either_side(rng, (6, 5)), alpha=1.0)
    yield case("one example", x=2 * either_side(rng, (1, 9)), alpha=float(rng.uniform(0.3, 0.7)))
    yield case("images", x=either_side(rng, (2, 3, 4, 2)), alpha=float(rng.uniform(1.5, 2.0)))
    yield case("a vector", x=2 * either_side(rng, (7,)), alpha=float(rng.uniform(0.3, 0.7)))
    zeros = with_zeros(rng, (5, 8), columns=3)
    yield case("exact zeros", edge=0.1, x=zeros, alpha=float(rng.uniform(0.3, 0.7)))
    yield case("far from zero", edge=0.2, x=far_out(rng), alpha=float(rng.uniform(1.5, 2.0)))


@elu.alternative
def _(x, alpha):
    """One number after another."""

    def rule(value):
        if value > 0:
            return value, 1.0
        return alpha * math.exp(value) - alpha, alpha * math.exp(value)

    return one_by_one(rule, x)


@elu.alternative
def _(x, alpha):
    """PyTorch in double precision."""
    import torch

    return by_torch(lambda leaf: torch.nn.functional.elu(leaf, alpha), x)


@elu.worked("alpha is where it ends on the left, and its slope at 0", lecture="004: ELU")
def _():
    out, slope = elu(np.array([-50.0, -1.0, 0.0, 3.0]), 2.0)
    close(out, [-2.0, -1.264241, 0.0, 3.0])
    close(slope, [0.0, 0.735759, 2.0, 1.0])


elu.misconception(
    "alpha left out",
    ("alpha * np.expm1(below)", "np.expm1(below)"),
    ("alpha * np.exp(below)", "np.exp(below)"),
    hint="Which of the arguments does your result not depend on?",
)
elu.misconception(
    "alpha left out of the derivative",
    ("alpha * np.exp(below)", "np.exp(below)"),
    hint="A factor stays when you derive. Which one is missing?",
)
elu.misconception(
    "1 not taken from the exponential",
    ("np.expm1(below)", "np.exp(below)"),
    hint="The two pieces must meet at 0. Do yours?",
)
elu.misconception(
    "derivative is the output below zero",
    ("alpha * np.exp(below)", "alpha * np.expm1(below)"),
    hint="What is the derivative of a constant that is subtracted? The function never falls: is your derivative "
    "ever negative?",
)
elu.misconception(
    "derivative of ReLU",
    ("alpha * np.exp(below)", "0.0"),
    hint="Below zero the function is not constant. How steep is it there?",
)
elu.misconception(
    "alpha in the exponent",
    ("alpha * np.expm1(below)", "np.expm1(alpha * below)"),
    ("alpha * np.exp(below)", "alpha * np.exp(alpha * below)"),
    hint="Far to the left, where the exponential has vanished, what should be left?",
)
elu.misconception(
    "sides swapped",
    ("np.where(x > 0, x, alpha * np.expm1(below))", "np.where(x > 0, alpha * np.expm1(np.maximum(x, 0)), x)"),
    ("np.where(x > 0, 1.0, alpha * np.exp(below))", "np.where(x > 0, alpha * np.exp(np.maximum(x, 0)), 1.0)"),
    hint="Which numbers should pass unchanged: the positive or the negative ones?",
)
elu.misconception(
    "derivative 1 at exactly 0",
    ("np.where(x > 0, 1.0", "np.where(x >= 0, 1.0"),
    hint="Which derivative does the question fix at exactly 0?",
)
elu.misconception(
    "mask times an exponential that has overflowed",
    ("np.where(x > 0, x, alpha * np.expm1(below))", "(x > 0) * x + (x <= 0) * alpha * (np.exp(x) - 1)"),
    hint="What is np.exp(1000.0), and what is infinity times a mask of 0?",
)
elu.misconception(
    "derivative's mask times an exponential that has overflowed",
    ("np.where(x > 0, 1.0, alpha * np.exp(below))", "(x > 0) + (x <= 0) * alpha * np.exp(x)"),
    hint="What is np.exp(1000.0), and what is infinity times a mask of 0?",
)
elu.harmless(("np.minimum(x, 0)", "np.minimum(x, 1)"), because="above 0 it is not looked at")
elu.harmless(("x > 0, x, alpha", "x >= 0, x, alpha"), because="at 0 both are 0")


@topic(lecture="000: table of activation functions, SELU", returns=("out", "slope"), gradients={"slope": ("out", "x")})
def selu(x: Float[Array, "..."], lam: float, alpha: float) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Scaled exponential linear unit, entry by entry, and its derivative.

    Formula: `out = lam x where x > 0, else lam alpha (exp(x) - 1)`; `slope = lam where x > 0, else
    lam alpha exp(x)`.

    Arguments:
        x: floating, of any shape and any finite size. lam, alpha: positive numbers. With
            lam = 1.0507009873554805 and alpha = 1.6732632423543772 outputs of mean 0 and variance 1 keep
            them from layer to layer.

    Returns:
        out: the shape of x, above -lam alpha. slope: the shape of x, d out / d x.

    Numerics: the exponential is taken of min(x, 0) only, as for ELU.

    Convention: `torch.nn.functional.selu` has the two constants built in; deck 000 rounds them to 1.0507 and
    1.67326, so they are arguments here. At exactly 0 the derivative is lam alpha, the one from the left, as
    in PyTorch and in the way of deck 002's ELU; deck 000's table has the other side's there.

    Example:
        >>> out, slope = selu(np.array([-1.0, 0.0, 2.0]), 1.0507009873554805, 1.6732632423543772)
        >>> out.round(4).tolist(), slope.round(4).tolist()
        ([-1.1113, 0.0, 2.1014], [0.6468, 1.7581, 1.0507])

    Source: deck 000, table of activation functions, "Scaled exponential linear unit"; Klambauer et al. 2017.
    """
    below = np.minimum(x, 0)
    out = lam * np.where(x > 0, x, alpha * np.expm1(below))
    slope = lam * np.where(x > 0, 1.0, alpha * np.exp(below))
    return out, slope


SELU = {"lam": 1.0507009873554805, "alpha": 1.6732632423543772}


@selu.cases
def _(rng):
    yield case("ordinary", x=either_side(rng, (6, 5)), **SELU)
    yield case("one example", x=2 * either_side(rng, (1, 9)), **SELU)
    other = {"lam": float(rng.uniform(1.2, 1.5)), "alpha": float(rng.uniform(0.5, 0.8))}
    yield case("other constants", x=either_side(rng, (3, 4, 2)), **other)
    yield case("a vector", x=2 * either_side(rng, (7,)), **SELU)
    yield case("exact zeros", edge=0.1, x=with_zeros(rng, (5, 8), columns=3), **SELU)
    yield case("far from zero", edge=0.2, x=far_out(rng), **SELU)


@selu.alternative
def _(x, lam, alpha):
    """One number after another."""

    def rule(value):
        if value > 0:
            return lam * value, lam
        return lam * alpha * math.expm1(value), lam * alpha * math.exp(value)

    return one_by_one(rule, x)


@selu.alternative
def _(x, lam, alpha):
    """PyTorch's own SELU in double precision, or its ELU where the constants are others."""
    import torch

    if (lam, alpha) == (SELU["lam"], SELU["alpha"]):
        return by_torch(torch.selu, x)
    return by_torch(lambda leaf: lam * torch.nn.functional.elu(leaf, alpha), x)


@selu.worked("with the slide's constants it ends at -1.758", lecture="000: table of activation functions, SELU")
def _():
    out, slope = selu(np.array([-50.0, 0.0, 2.0]), 1.0507, 1.67326)
    close(out, [-1.758, 0.0, 2.1014], within=5e-4)
    close(slope, [0.0, 1.758, 1.0507], within=5e-4)


selu.misconception(
    "constants swapped",
    ("lam * np.where(x > 0, x, alpha * np.expm1(below))", "alpha * np.where(x > 0, x, lam * np.expm1(below))"),
    ("lam * np.where(x > 0, 1.0, alpha * np.exp(below))", "alpha * np.where(x > 0, 1.0, lam * np.exp(below))"),
    hint="Two factors stand in the formula. Which of them multiplies the positive numbers too?",
)
selu.misconception(
    "rounded constants written into the function",
    ("below = np.minimum(x, 0)", "below = np.minimum(x, 0); lam, alpha = 1.0507, 1.67326"),
    hint="The constants are arguments. Does your result depend on them?",
)
selu.misconception(
    "scale left out",
    ("lam * np.where(x > 0, x", "np.where(x > 0, x"),
    ("lam * np.where(x > 0, 1.0", "np.where(x > 0, 1.0"),
    hint="This is ELU. What does the S stand for?",
)
selu.misconception(
    "scale left out of the derivative",
    ("lam * np.where(x > 0, 1.0", "np.where(x > 0, 1.0"),
    hint="A factor stays when you derive. Which one is missing?",
)
selu.misconception(
    "scale below zero only",
    ("lam * np.where(x > 0, x, alpha", "np.where(x > 0, x, lam * alpha"),
    ("lam * np.where(x > 0, 1.0, alpha", "np.where(x > 0, 1.0, lam * alpha"),
    hint="Does the scale stand before the brace of the formula, or in one of its lines?",
)
selu.misconception(
    "scale above zero only",
    (
        "lam * np.where(x > 0, x, alpha * np.expm1(below))",
        "np.where(x > 0, lam * x, alpha * np.expm1(below))",
    ),
    (
        "lam * np.where(x > 0, 1.0, alpha * np.exp(below))",
        "np.where(x > 0, lam, alpha * np.exp(below))",
    ),
    hint="Does the scale stand before the brace of the formula, or in one of its lines?",
)
selu.misconception(
    "alpha left out",
    ("alpha * np.expm1(below)", "np.expm1(below)"),
    ("alpha * np.exp(below)", "np.exp(below)"),
    hint="Which of the arguments does your result not depend on?",
)
selu.misconception(
    "1 not taken from the exponential",
    ("np.expm1(below)", "np.exp(below)"),
    hint="The two pieces must meet at 0. Do yours?",
)
selu.misconception(
    "derivative at exactly 0 from the right",
    ("np.where(x > 0, 1.0", "np.where(x >= 0, 1.0"),
    hint="Which derivative does the question fix at exactly 0?",
)
selu.misconception(
    "mask times an exponential that has overflowed",
    ("np.where(x > 0, x, alpha * np.expm1(below))", "((x > 0) * x + (x <= 0) * alpha * (np.exp(x) - 1))"),
    hint="What is np.exp(1000.0), and what is infinity times a mask of 0?",
)
selu.harmless(("np.minimum(x, 0)", "np.minimum(x, 1)"), because="above 0 it is not looked at")
selu.harmless(("x > 0, x, alpha", "x >= 0, x, alpha"), because="at 0 both are 0")
