"""How does Adadelta step, in which distances have the units of the parameters?"""

import math

import numpy as np

from autograder.topic import Array, Float, Opaque, case, close, update_rule
from reference.walks import SHAPES, forgetting_rates, walk


@update_rule(lecture="003: Gradient Descent Algorithms")
def adadelta(
    w: Float[Array, "..."], dw: Float[Array, "..."], state: Opaque, lr: float, rho: float, eps: float
) -> tuple[Float[Array, "..."], Opaque]:
    """A step of Adadelta: scaled by how far parameters moved lately, over how steep it was lately.

    Formula: `r <- rho r + (1 - rho) dw**2`; `step = dw sqrt(s + eps) / sqrt(r + eps)`;
    `s <- rho s + (1 - rho) step**2`; `w <- w - lr step`. r and s are 0 before the first step.

    Arguments:
        w: parameters, floating, of any shape. dw: the gradient there, of that shape.
        state: r and s, the averages of squared gradients and of squared steps.
        lr: positive, 1 in the paper. rho: in (0, 1). eps: positive.

    Returns:
        w: the new parameters, another array than the given one. state: of any kind.

    Convention: the decks name Adadelta without its formula; this is the paper's and `torch.optim.Adadelta`'s. eps
    is inside both roots, and s is that of the steps before this one, without the learning rate.

    Example:
        >>> w, state = adadelta(np.array([1.0]), np.array([2.0]), None, 1.0, 0.75, 3.0)
        >>> round(float(w[0]), 6)
        -0.732051

    Source: deck 002 and deck 003, in their lists of optimisers; Zeiler 2012.
    """
    r, s = (np.zeros_like(w), np.zeros_like(w)) if state is None else state
    r = rho * r + (1 - rho) * dw**2
    step = dw * np.sqrt(s + eps) / np.sqrt(r + eps)
    s = rho * s + (1 - rho) * step**2
    return w - lr * step, (r, s)


@adadelta.cases
def _(rng):
    for steps, (name, shape) in zip((20, 6, 9, 5), SHAPES.items(), strict=True):
        yield case(name, **walk(rng, shape, steps=steps), **forgetting_rates(rng))


@adadelta.alternative
def _(w, dw, state, lr, rho, eps):
    """Averages that are moved towards the new squares; one root of a quotient."""
    r, s = (np.zeros(np.shape(w)), np.zeros(np.shape(w))) if state is None else state
    r = r + (np.square(dw) - r) * (1 - rho)
    step = ((s + eps) / (r + eps)) ** 0.5 * dw
    return w - lr * step, (r, s + (np.square(step) - s) * (1 - rho))


@adadelta.alternative
def _(w, dw, state, lr, rho, eps):
    """Entry by entry, in plain numbers."""
    at, slopes = np.ravel(w).tolist(), np.ravel(dw).tolist()
    kept, new = [], []
    for x, g, (r, s) in zip(at, slopes, state or [(0.0, 0.0)] * len(at), strict=True):
        r = math.fsum((rho * r, (1 - rho) * g * g))
        step = g * math.sqrt(s + eps) / math.sqrt(r + eps)
        kept.append((r, math.fsum((rho * s, (1 - rho) * step * step))))
        new.append(x - lr * step)
    return np.array(new).reshape(np.shape(w)), kept


@adadelta.worked("a first and a second step", lecture="003: Gradient Descent Algorithms")
def _():
    # r = 0.25 * 4 = 1: step = 2 sqrt(3) / sqrt(1 + 3), and s = 0.25 * 3.
    w, state = adadelta(np.array([1.0]), np.array([2.0]), None, 1.0, 0.75, 3.0)
    close(w, [1 - math.sqrt(3)])
    # r = 0.75 * 1 + 0.25 * 1 = 1: step = sqrt(0.75 + 3) / sqrt(1 + 3).
    w, state = adadelta(w, np.array([1.0]), state, 1.0, 0.75, 3.0)
    close(w, [1 - math.sqrt(3) - math.sqrt(3.75) / 2])


adadelta.misconception(
    "eps outside of the roots",
    ("np.sqrt(s + eps) / np.sqrt(r + eps)", "(np.sqrt(s) + eps) / (np.sqrt(r) + eps)"),
    hint="Is eps added before or after the root is taken? The question's formula says which.",
)
adadelta.misconception(
    "squared gradient not averaged",
    ("(1 - rho) * dw**2", "dw**2"),
    hint="What do the weights of the old average and of the new square add up to?",
)
adadelta.misconception(
    "squared gradient in the average of the steps",
    ("(1 - rho) * step**2", "(1 - rho) * dw**2"),
    hint="The second average is one of squared steps. What do you put into it?",
)
adadelta.misconception(
    "learning rate in the average of the steps",
    ("(1 - rho) * step**2", "(1 - rho) * (lr * step) ** 2"),
    hint="Is the step that goes into the average already multiplied by the learning rate?",
)
adadelta.misconception(
    "this step in the average that scales it",
    (
        "step = dw * np.sqrt(s + eps) / np.sqrt(r + eps)",
        "step = dw * np.sqrt(rho * s + (1 - rho) * dw**2 + eps) / np.sqrt(r + eps)",
    ),
    hint="How far the parameters moved lately: does that include the step that is being computed?",
)
adadelta.misconception(
    "steps never scaled by those before",
    ("np.sqrt(s + eps) / np.sqrt(r + eps)", "1 / np.sqrt(r + eps)"),
    hint="That is RMSProp. What stands in the numerator of Adadelta?",
)
adadelta.misconception(
    "roots swapped",
    ("np.sqrt(s + eps) / np.sqrt(r + eps)", "np.sqrt(r + eps) / np.sqrt(s + eps)"),
    hint="Where it was steep lately, should a step be longer or shorter?",
)
