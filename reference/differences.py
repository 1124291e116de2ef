"""What is a derivative, measured and not derived?"""

from collections.abc import Callable

import numpy as np

from autograder.topic import Array, Float, bind, case, close, topic
from reference.drawing import on_grid

_EPS = 2.0**-5  # on this grid, x + eps and x - eps are exact in float32 too


@topic(lecture="000: Backpropagation, the derivative by differences", returns=("slope",))
def numerical_gradient(f: Callable[[Array], float], x: Float[Array, "..."], eps: float) -> Float[Array, "..."]:
    """Gradient of a function by central differences.

    Formula: for each index i, with e_i = 1 at i and 0 elsewhere,
    `slope[i] = (f(x + eps e_i) - f(x - eps e_i)) / (2 eps)`.

    Arguments:
        f: a function of an array of the shape of x that returns a number.
        x: floating, of any shape. eps: positive.

    Returns:
        The shape of x.

    Numerics: off by eps**2 f'''/6, where the difference on one side is off by eps f''/2. A smaller eps is
    better only until rounding takes over; near 1e-5 in float64.

    Convention: eps as given, also where it is large. x is left as it was.

    Example:
        >>> numerical_gradient(lambda x: (x**3).sum(), np.array([1.0, 2.0]), 0.5).tolist()
        [3.25, 12.25]

    Source: deck 000, the slide of backpropagation that divides by 2 epsilon.
    """
    slope = np.zeros(np.shape(x))
    for index in np.ndindex(slope.shape):
        ahead, behind = np.array(x), np.array(x)
        ahead[index] += eps
        behind[index] -= eps
        slope[index] = (f(ahead) - f(behind)) / (2 * eps)
    return slope


@numerical_gradient.cases
def _(rng):
    # Each call of f is a message to the examiner: a few numbers are enough.
    yield case("a vector", **_curved(rng, (4,)), eps=_EPS)
    yield case("a matrix", **_curved(rng, (2, 3)), eps=_EPS)
    yield case("one number in an array", **_curved(rng, (1,)), eps=_EPS / 2)
    yield case("a tall matrix", **_curved(rng, (4, 1)), eps=_EPS / 4)


def _curved(rng, shape):
    """A function whose slope by each number depends on all of them, and whose curvature is large."""
    size = int(np.prod(shape))
    while True:
        f = bind(_height, mixing=rng.normal(size=(3, size)), phase=rng.uniform(-1.0, 1.0, size=3))
        x = on_grid(rng.uniform(-1.5, 1.5, size=shape), step=2.0**-8)
        central, one_sided = numerical_gradient(f, x, _EPS), _ahead_only(f, x, _EPS)
        if np.abs(central).max() > 0.5 and np.abs(one_sided - central).max() > 0.01:
            return {"f": f, "x": x}


def _height(x, mixing, phase):
    inner = mixing @ np.ravel(x).astype(np.float64) + phase  # (3, D) @ (D,) -> (3,)
    return float(np.sin(inner).sum() + (inner**3).sum() / 6 + inner[0] * inner[1])


def _ahead_only(f, x, eps):
    return np.array([(f(x + eps * unit.reshape(x.shape)) - f(x)) / eps for unit in np.eye(x.size)]).reshape(x.shape)


@numerical_gradient.alternative
def _(f, x, eps):
    """Every number moved in its place, and put back."""
    at = np.array(x, dtype=np.float64)
    flat, slopes = at.reshape(-1), []
    for number in range(at.size):
        kept = flat[number]
        flat[number] = kept + eps
        above = f(at)
        flat[number] = kept - eps
        slopes.append((above - f(at)) / eps / 2)
        flat[number] = kept
    return np.array(slopes).reshape(at.shape)


@numerical_gradient.alternative
def _(f, x, eps):
    """All moves as the rows of a matrix, half of the difference at each end."""
    units = np.eye(np.size(x)).reshape(-1, *np.shape(x))  # (D, D) -> (D, *shape)
    ends = [[f(x + sign * eps * unit) for unit in units] for sign in (1.0, -1.0)]
    return ((np.array(ends[0]) - np.array(ends[1])) * (0.5 / eps)).reshape(np.shape(x))


@numerical_gradient.worked(
    "the slope of x**3 is 3 x**2, and eps**2 more", lecture="000: Backpropagation, the derivative by differences"
)
def _():
    close(numerical_gradient(lambda x: np.sum(x**3), np.array([1.0, 2.0]), 0.5), [3.25, 12.25])
    close(numerical_gradient(lambda x: np.sum(x**3), np.array([1.0, 2.0]), 1e-4), [3.0, 12.0], within=1e-6)


@numerical_gradient.worked("the slope of x**2 sin(x) at 2.5", lecture="000: Gradient Descent")
def _():
    x = np.array([2.5])
    close(numerical_gradient(lambda x: np.sum(x**2 * np.sin(x)), x, 1e-5), 2 * x * np.sin(x) + x**2 * np.cos(x), 1e-6)


numerical_gradient.misconception(
    "difference on one side",
    ("(f(ahead) - f(behind)) / (2 * eps)", "(f(ahead) - f(x)) / eps"),
    hint="For x**2 at 0 the slope is 0. What does yours say, with a large eps?",
)
numerical_gradient.misconception(
    "difference on the other side",
    ("(f(ahead) - f(behind)) / (2 * eps)", "(f(x) - f(behind)) / eps"),
    hint="For x**2 at 0 the slope is 0. What does yours say, with a large eps?",
)
numerical_gradient.misconception(
    "divided by eps instead of the distance of both ends",
    ("(2 * eps)", "eps"),
    hint="How far apart are the two points at which you call f?",
)
numerical_gradient.misconception(
    "all numbers moved at once",
    ("ahead[index] += eps", "ahead += eps"),
    ("behind[index] -= eps", "behind -= eps"),
    hint="A partial derivative asks what one number does while the others stay.",
)
numerical_gradient.misconception(
    "numbers not put back",
    ("slope = np.zeros(np.shape(x))", "slope = np.zeros(np.shape(x)); ahead, behind = np.array(x), np.array(x)"),
    ("ahead, behind = np.array(x), np.array(x) ahead[index]", "ahead[index]"),
    hint="When you come to the second number, is the first one back in its place?",
)
numerical_gradient.misconception(
    "a step of its own instead of eps",
    ("ahead[index] += eps", "eps = 1e-6; ahead[index] += eps"),
    hint="Which of the three arguments does your gradient not depend on?",
)
numerical_gradient.misconception(
    "sign turned round",
    ("f(ahead) - f(behind)", "f(behind) - f(ahead)"),
    hint="What is the slope of f(x) = x by yours?",
)
numerical_gradient.harmless(("np.zeros(np.shape(x))", "np.ones(np.shape(x))"), because="every entry is written over")
