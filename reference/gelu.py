"""How does the Gaussian error linear unit let a number through, exactly and in its two approximations?"""

import math

import numpy as np

from autograder.topic import Array, Float, case, close, topic
from reference.elementwise import by_torch, far_out, logistic, one_by_one


@topic(lecture="002: Gaussian error linear unit", returns=("out", "slope"), gradients={"slope": ("out", "x")})
def gelu(x: Float[Array, "..."], form: str) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """x times the probability that a standard normal number is below it, and the derivative.

    Formula: `out = x gate`; `slope = gate + x gate'`, where the gate is

        form "exact":   P(X < x) = (1 + erf(x / sqrt(2))) / 2
        form "tanh":    (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
        form "sigmoid": sigmoid(1.702 x)

    Arguments:
        x: floating, of any shape and any finite size. form: "exact", "tanh" or "sigmoid".

    Returns:
        out: the shape of x. slope: the shape of x, the derivative of that same form by x.

    Numerics: tanh and sigmoid in forms that do not overflow. NumPy has no erf: `math.erf` takes one
    number, `scipy.special.erf` an array.

    Convention: `torch.nn.functional.gelu(x, approximate="none")` and `"tanh"`; torch has no third form.

    Example:
        >>> for form in ("exact", "tanh", "sigmoid"):
        ...     out, slope = gelu(np.array([1.0, 1000.0]), form)
        ...     print(out.round(4).tolist(), slope.round(4).tolist())
        [0.8413, 1000.0] [1.0833, 1.0]
        [0.8412, 1000.0] [1.083, 1.0]
        [0.8458, 1000.0] [1.0678, 1.0]

    Source: deck 002, the Gaussian error linear unit and its two approximations; deck 000, table.
    """
    if form == "exact":
        gate = (1 + _erf(x / np.sqrt(2))) / 2
        rise = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)  # the density: what the probability grows by
    elif form == "tanh":
        root = np.sqrt(2 / np.pi)
        bend = np.tanh(root * (x + 0.044715 * x**3))
        gate = (1 + bend) / 2
        rise = (1 - bend**2) / 2 * root * (1 + 3 * 0.044715 * x**2)
    else:
        gate = logistic(1.702 * x)
        rise = 1.702 * gate * (1 - gate)
    return x * gate, gate + x * rise


_erf = np.vectorize(math.erf, otypes=[float])


@gelu.cases
def _(rng):
    yield case("ordinary", x=2 * rng.normal(size=(6, 5)), form="exact")
    yield case("one example", x=3 * rng.normal(size=(1, 9)), form="exact")
    yield case("sequences", x=rng.normal(size=(3, 4, 2)), form="exact")
    yield case("a vector", x=2 * rng.normal(size=8), form="exact")
    yield case("tanh form", edge=0.24, x=2 * rng.normal(size=(5, 4)), form="tanh")
    yield case("sigmoid form", edge=0.24, x=2 * rng.normal(size=(4, 6)), form="sigmoid")
    yield case("far from zero", edge=0.12, x=far_out(rng), form="exact")
    yield case("far from zero, tanh form", edge=0.04, x=far_out(rng), form="tanh")
    yield case("far from zero, sigmoid form", edge=0.04, x=far_out(rng), form="sigmoid")


@gelu.alternative
def _(x, form):
    """One number after another."""

    def exact(value):
        probability = math.erfc(-value / math.sqrt(2)) / 2
        return value * probability, probability + value * math.exp(-value * value / 2) / math.sqrt(2 * math.pi)

    def by_logistic(value):
        """Both approximations are x sigmoid(a(x)), as 1 + tanh(a) is twice the sigmoid of 2a."""
        if form == "tanh":
            root = math.sqrt(8 / math.pi)
            argument, inner = root * value * (1 + 0.044715 * value**2), root * (1 + 0.134145 * value**2)
        else:
            argument, inner = 1.702 * value, 1.702
        small = math.exp(-abs(argument))
        gate = (1 if argument >= 0 else small) / (1 + small)
        return value * gate, gate + value * inner * small / (1 + small) ** 2

    return one_by_one(exact if form == "exact" else by_logistic, x)


@gelu.alternative
def _(x, form):
    """PyTorch in double precision."""
    import torch

    if form == "sigmoid":
        return by_torch(lambda leaf: leaf * torch.sigmoid(1.702 * leaf), x)
    approximate = "tanh" if form == "tanh" else "none"
    return by_torch(lambda leaf: torch.nn.functional.gelu(leaf, approximate=approximate), x)


@gelu.worked("the three forms at 1", lecture="002: Gaussian error linear unit")
def _():
    one = np.array([1.0])
    close(gelu(one, "exact")[0], [0.841345])  # the probability of less than one standard deviation above the mean
    close(gelu(one, "tanh")[0], [0.841192])
    close(gelu(one, "sigmoid")[0], [0.845796])
    close(gelu(np.array([0.0]), "exact")[1], [0.5])


@gelu.worked("the lowest value of GELU is -0.17", lecture="000: table of activation functions")
def _():
    out, _ = gelu(np.linspace(-3.0, 3.0, 6001), "exact")
    close(out.min(), -0.17, within=5e-4)


gelu.misconception(
    "derivative of a product taken as the gate alone",
    ("gate + x * rise", "gate"),
    hint="x stands twice in the formula, once inside the probability. How many terms does the product rule have?",
)
gelu.misconception(
    "gate left out of the derivative",
    ("gate + x * rise", "x * rise"),
    hint="x stands twice in the formula, once outside the probability. How many terms does the product rule have?",
)
gelu.misconception(
    "argument of erf not divided by the root of 2",
    ("_erf(x / np.sqrt(2))", "_erf(x)"),
    hint="erf belongs to a normal number of variance one half. What must its argument be for variance 1?",
)
gelu.misconception(
    "density without its factor",
    ("/ np.sqrt(2 * np.pi)", "/ 1"),
    hint="A density has area 1. What is the area under exp(-x^2 / 2)?",
)
gelu.misconception(
    "half left out of the probability",
    ("(1 + _erf(x / np.sqrt(2))) / 2", "1 + _erf(x / np.sqrt(2))"),
    hint="Which values can a probability take, and which ones does 1 + erf take?",
)
gelu.misconception(
    "square in place of the cube",
    ("0.044715 * x**3", "0.044715 * x**2"),
    ("1 + 3 * 0.044715 * x**2", "1 + 2 * 0.044715 * x"),
    hint="A gate of -x must be 1 minus the gate of x. Which power of x has that symmetry?",
)
gelu.misconception(
    "inner derivative of tanh left out",
    ("root * (1 + 3 * 0.044715 * x**2)", "1"),
    hint="What stands inside tanh is a function of x too. What does the chain rule multiply with?",
)
gelu.misconception(
    "inner derivative 1.702 left out",
    ("1.702 * gate * (1 - gate)", "gate * (1 - gate)"),
    hint="The gate's argument is a product. What does the chain rule bring out of it?",
)
gelu.misconception(
    "1.702 left out of the gate",
    ("logistic(1.702 * x)", "logistic(x)"),
    ("1.702 * gate * (1 - gate)", "gate * (1 - gate)"),
    hint="This is SiLU. How steep must the sigmoid be to come near to the normal probability?",
)
gelu.misconception(
    "sigmoid form in place of the exact one",
    ("(1 + _erf(x / np.sqrt(2))) / 2", "logistic(1.702 * x)"),
    ("np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)", "1.702 * gate * (1 - gate)"),
    hint="An approximation is right to two digits. Which function gives the probability itself?",
)
gelu.misconception(
    "tanh form in place of the exact one",
    ("(1 + _erf(x / np.sqrt(2))) / 2", "(1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2"),
    (
        "np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)",
        "2 * gate * (1 - gate) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2)",
    ),
    hint="An approximation is right to three digits. Which function gives the probability itself?",
)
gelu.misconception(
    "form ignored",
    ('form == "exact"', "form"),
    hint="Which of the arguments does your result not depend on?",
)
