"""How is a gradient kept from being too large?"""

import math

import numpy as np

from autograder.topic import Array, Float, case, close, topic
from reference.drawing import away_from_zero, on_grid


@topic(lecture="004: Gradient norm Clipping", returns=("clipped",), pure=True)
def clip_gradient_norm(grads: list[Array], threshold: float) -> list[Array]:
    """Gradients of all parameters together, made shorter where they are longer than allowed.

    Formula: `norm = sqrt(sum over all entries of all arrays of g**2)`; where norm is larger than the threshold,
    each array is multiplied by `threshold / norm`, and else it stays as it is.

    Arguments:
        grads: a list of arrays, floating, of any shapes. threshold: positive.

    Returns:
        A list of arrays of the same shapes.

    Numerics: gradients that are all zero stay zero; nothing is divided by their norm.

    Convention: one norm over all arrays, as in `torch.nn.utils.clip_grad_norm_`, which adds 1e-6 to the norm. One
    line of deck 002 compares the sum of the squares with the threshold, without its root; that is not a norm.

    Example:
        >>> [g.tolist() for g in clip_gradient_norm([np.array([3.0]), np.array([[0.0, 4.0]])], 2.5)]
        [[1.5], [[0.0, 2.0]]]

    Source: deck 004, "Gradient norm Clipping"; Pascanu, Mikolov and Bengio 2013.
    """
    norm = np.sqrt(sum((g**2).sum() for g in grads))
    scale = threshold / norm if norm > threshold else 1.0
    return [scale * g for g in grads]


@clip_gradient_norm.cases
def _(rng):
    yield case("beyond the threshold", grads=_grads(rng, (3, 4), (4,)), threshold=2.0)
    yield case("much longer", grads=_grads(rng, (5,), (2, 3), (2,), size=20.0), threshold=0.5)
    yield case("each alone is shorter", **_together(rng))
    yield case("one array", grads=_grads(rng, (2, 2, 3)), threshold=1.0)
    yield case("below the threshold", **_allowed(_grads(rng, (6,), (2, 4)), rng.uniform(1.2, 1.6)))
    # Where the norm is below 1, the sum of the squares is below the norm, and the threshold is between them.
    yield case("between norm and square", **_allowed(_grads(rng, (2,), (1, 2), size=0.1), 0.8))
    yield case("all zero", edge=0.1, grads=[np.zeros((2, 3)), np.zeros(4)], threshold=1.0)


def _grads(rng, *shapes, size=1.0):
    """Arrays whose norm is around size times the root of their number of entries, never far from it."""
    return [on_grid(size * away_from_zero(rng, shape, least=0.5), step=2.0**-12) for shape in shapes]


def _allowed(grads, part):
    return {"grads": grads, "threshold": float(part) * _norm(grads)}


def _norm(grads):
    return float(np.sqrt(sum((g**2).sum() for g in grads)))


def _together(rng):
    grads = _grads(rng, (3,), (3,), (2, 2))
    longest = max(_norm([g]) for g in grads)
    return {"grads": grads, "threshold": 0.5 * (longest + _norm(grads))}


@clip_gradient_norm.alternative
def _(grads, threshold):
    """All entries in one vector, and cut apart again."""
    flat = np.concatenate([np.ravel(g) for g in grads]).astype(np.float64)
    size = np.linalg.norm(flat)
    flat = flat / max(size / threshold, 1.0)
    ends = np.cumsum([np.size(g) for g in grads])[:-1]
    return [part.reshape(np.shape(g)) for part, g in zip(np.split(flat, ends), grads, strict=True)]


@clip_gradient_norm.alternative
def _(grads, threshold):
    """The norm in plain numbers."""
    size = math.hypot(*(entry for g in grads for entry in np.ravel(g).tolist()))
    return [np.array(g, dtype=np.float64) * (min(size, threshold) / size if size else 1.0) for g in grads]


@clip_gradient_norm.worked("two arrays of norm 5 together", lecture="004: Gradient norm Clipping")
def _():
    a, b = clip_gradient_norm([np.array([3.0]), np.array([[0.0, 4.0]])], 2.5)
    close(a, [1.5])
    close(b, [[0.0, 2.0]])
    (c,) = clip_gradient_norm([np.array([3.0, -4.0])], 10.0)
    close(c, [3.0, -4.0])


clip_gradient_norm.misconception(
    "each entry clipped by itself",
    ("[scale * g for g in grads]", "[np.clip(g, -threshold, threshold) for g in grads]"),
    hint="Does the clipped gradient still point in the direction of the old one?",
)
clip_gradient_norm.misconception(
    "each array by its own norm",
    ("[scale * g for g in grads]", "[g * min(1.0, threshold / max(np.sqrt((g**2).sum()), 1e-300)) for g in grads]"),
    hint="There is one gradient, of all parameters together. How many norms do you compute?",
)
clip_gradient_norm.misconception(
    "clipped where it is below the threshold",
    ("norm > threshold", "0 < norm < threshold"),
    hint="What should happen to a gradient that is short already?",
)
clip_gradient_norm.misconception(
    "always scaled to the threshold",
    ("if norm > threshold", "if norm > 0"),
    hint="What should happen to a gradient that is short already?",
)
clip_gradient_norm.misconception(
    "no root taken",
    ("np.sqrt(sum((g**2).sum() for g in grads))", "sum((g**2).sum() for g in grads)"),
    hint="What is the norm of (3, 4)? And what does yours compare with the threshold?",
)
clip_gradient_norm.misconception(
    "sum of magnitudes as the norm",
    ("np.sqrt(sum((g**2).sum() for g in grads))", "sum(np.abs(g).sum() for g in grads)"),
    hint="What is the norm of (3, 4)? And what does yours compare with the threshold?",
)
clip_gradient_norm.misconception(
    "divided by the norm, threshold left out",
    ("scale = threshold / norm", "scale = 1 / norm"),
    hint="How long should a gradient be after it was clipped?",
)
clip_gradient_norm.harmless(
    ("norm > threshold", "norm >= threshold"), because="a norm that is the threshold is scaled by 1"
)


@topic(lecture="003: Gradient clipping to scale big gradients", returns=("clipped",), pure=True)
def clip_gradient_value(dw: Float[Array, "..."], limit: float) -> Float[Array, "..."]:
    """A gradient whose entries are kept between two bounds, each by itself.

    Formula: `clipped = min(max(dw, -limit), limit)`, entry by entry.

    Arguments:
        dw: floating, of any shape. limit: positive.

    Returns:
        The shape of dw.

    Convention: entries within the bounds stay, as in `torch.nn.utils.clip_grad_value_`; the direction of the whole
    may change, which is the difference to clipping by norm.

    Example:
        >>> clip_gradient_value(np.array([0.5, -3.0, 2.0]), 1.0).tolist()
        [0.5, -1.0, 1.0]

    Source: deck 003, "Gradient clipping to scale big gradients".
    """
    return np.clip(dw, -limit, limit)


@clip_gradient_value.cases
def _(rng):
    for name, shape in (("a vector", (9,)), ("a matrix", (4, 5)), ("three axes", (2, 3, 4))):
        dw = 2 * away_from_zero(rng, shape, least=0.05)
        # Some of each: too large, too small, and within.
        dw.flat[:4] = rng.permuted([[-3.0, 3.0, -0.3, 0.3]]) * rng.uniform(0.9, 1.1)
        yield case(name, dw=dw, limit=float(rng.uniform(0.8, 1.2)))


@clip_gradient_value.alternative
def _(dw, limit):
    """The magnitude is clipped, and the sign put back."""
    return np.sign(dw) * np.minimum(np.abs(dw), limit)


@clip_gradient_value.alternative
def _(dw, limit):
    """Entry by entry, in plain numbers."""
    return np.array([min(max(each, -limit), limit) for each in np.ravel(dw).tolist()]).reshape(np.shape(dw))


@clip_gradient_value.worked("one of each", lecture="003: Gradient clipping to scale big gradients")
def _():
    close(clip_gradient_value(np.array([0.5, -3.0, 2.0]), 1.0), [0.5, -1.0, 1.0])


clip_gradient_value.misconception(
    "only clipped from above",
    ("np.clip(dw, -limit, limit)", "np.minimum(dw, limit)"),
    hint="A gradient can be far too large on either side of zero.",
)
clip_gradient_value.misconception(
    "scaled by its largest entry",
    ("np.clip(dw, -limit, limit)", "dw * min(1.0, limit / np.abs(dw).max())"),
    hint="What should happen to an entry that is small already, where another one is large?",
)
clip_gradient_value.misconception(
    "scaled by its norm",
    ("np.clip(dw, -limit, limit)", "dw * min(1.0, limit / np.sqrt((dw**2).sum()))"),
    hint="That keeps the direction. Here each entry is looked at by itself.",
)
clip_gradient_value.misconception(
    "what is too large set to zero",
    ("np.clip(dw, -limit, limit)", "np.where(np.abs(dw) > limit, 0.0, dw)"),
    hint="Where is the gradient after your clipping, where it was largest before?",
)
clip_gradient_value.misconception(
    "negative entries clipped to zero",
    ("-limit", "0.0"),
    hint="A gradient may have either sign. Which is the lower bound?",
)
