"""How does every parameter get a learning rate of its own, from the gradients that it has met?"""

import math
from collections.abc import Callable

import numpy as np

from autograder.topic import Array, Float, Opaque, case, close, update_rule
from reference.walks import SHAPES, flat, forgetting_rates, hill, walk


@update_rule(lecture="002: Adagrad")
def adagrad(
    w: Float[Array, "..."], dw: Float[Array, "..."], state: Opaque, lr: float, eps: float
) -> tuple[Float[Array, "..."], Opaque]:
    """A step of Adagrad: the more slope a parameter has met so far, the shorter its steps.

    Formula: `r <- r + dw**2`, r being 0 before the first step; `w <- w - lr dw / (sqrt(r) + eps)`, entry by entry.

    Arguments:
        w: parameters, floating, of any shape. dw: the gradient there, of that shape.
        state: r, the sum of the squared gradients. lr, eps: positive.

    Returns:
        w: the new parameters, another array than the given one. state: of any kind.

    Convention: eps outside of the root, as deck 002's delta and `torch.optim.Adagrad`. The gradient of this step
    is in r already.

    Example:
        >>> w, state = adagrad(np.array([1.0]), np.array([3.0]), None, 0.5, 1.0)
        >>> w.tolist()
        [0.625]

    Source: deck 002, "Adagrad"; Duchi, Hazan and Singer 2011.
    """
    r = np.zeros_like(w) if state is None else state
    r = r + dw**2
    return w - lr * dw / (np.sqrt(r) + eps), r


@adagrad.cases
def _(rng):
    for steps, (name, shape) in zip((20, 6, 9, 5), SHAPES.items(), strict=True):
        rates = {"lr": float(rng.uniform(0.2, 0.5)), "eps": float(rng.uniform(0.2, 0.6))}
        yield case(name, **walk(rng, shape, steps=steps), **rates)
    yield case("a parameter without slope", edge=0.1, **flat(rng), lr=0.3, eps=1e-8)


@adagrad.alternative
def _(w, dw, state, lr, eps):
    """Every gradient is kept."""
    kept = [*(state or []), np.asarray(dw)]
    return w - lr / (eps + np.linalg.norm(np.stack(kept), axis=0)) * dw, kept


@adagrad.alternative
def _(w, dw, state, lr, eps):
    """Plain numbers; remembers the length instead of its square."""
    slopes = np.ravel(dw).tolist()
    lengths = [math.hypot(old, new) for old, new in zip(state or [0.0] * len(slopes), slopes, strict=True)]
    moves = [lr * slope / (eps + length) for slope, length in zip(slopes, lengths, strict=True)]
    return np.asarray(w) - np.array(moves).reshape(np.shape(w)), lengths


@adagrad.worked("slopes of 3 and then 4", lecture="002: Adagrad")
def _():
    # First r = 9, so w = 1 - 0.5 * 3 / (3 + 1); then r = 9 + 16 and w = 0.625 - 0.5 * 4 / (5 + 1).
    w, state = adagrad(np.array([1.0]), np.array([3.0]), None, 0.5, 1.0)
    close(w, [0.625])
    w, state = adagrad(w, np.array([4.0]), state, 0.5, 1.0)
    close(w, [0.625 - 1 / 3])


adagrad.misconception(
    "eps inside the root",
    ("(np.sqrt(r) + eps)", "np.sqrt(r + eps)"),
    hint="Is eps added before or after the root is taken? The question's formula says which.",
)
adagrad.misconception(
    "eps left out",
    ("(np.sqrt(r) + eps)", "np.sqrt(r)"),
    hint="What does a parameter do that has met no slope so far?",
)
adagrad.misconception(
    "gradients summed without squaring",
    ("r + dw**2", "r + np.abs(dw)"),
    hint="What is summed up: gradients, or their squares?",
)
adagrad.misconception(
    "square root left out",
    ("np.sqrt(r)", "r"),
    hint="If all gradients were ten times larger, would your very first step stay nearly the same?",
)
adagrad.misconception(
    "sum that ends with the gradient before",
    ("r = r + dw**2 return w - lr * dw / (np.sqrt(r) + eps), r", "return w - lr * dw / (np.sqrt(r) + eps), r + dw**2"),
    hint="Does the gradient of this very step belong to the sum that divides it?",
)
adagrad.misconception(
    "one sum for all parameters",
    ("r + dw**2", "r + (dw**2).sum()"),
    hint="Each parameter has a learning rate of its own. Which shape has your sum?",
)
adagrad.misconception(
    "only the last gradient",
    ("eps), r", "eps), None"),
    hint="Adagrad remembers all gradients since the start. What does your second step know of the first?",
)


@update_rule(lecture="002: RMSProp")
def rmsprop(
    w: Float[Array, "..."], dw: Float[Array, "..."], state: Opaque, lr: float, rho: float, eps: float
) -> tuple[Float[Array, "..."], Opaque]:
    """A step of RMSProp: as Adagrad, with an average of the squared gradients that forgets.

    Formula: `r <- rho r + (1 - rho) dw**2`, r being 0 before the first step; `w <- w - lr dw / (sqrt(r) + eps)`.

    Arguments:
        w: parameters, floating, of any shape. dw: the gradient there, of that shape.
        state: r, the average of the squared gradients. lr, eps: positive. rho: in (0, 1).

    Returns:
        w: the new parameters, another array than the given one. state: of any kind.

    Convention: eps outside of the root, as in `torch.optim.RMSprop`. Deck 002's first slide of it starts with
    sigma = |dw| instead of sqrt(1 - rho) |dw|, and has no eps; its later one starts with r = 0, which is graded.

    Example:
        >>> w, state = rmsprop(np.array([1.0]), np.array([4.0]), None, 0.5, 0.75, 1.0)
        >>> round(float(w[0]), 6)
        0.333333

    Source: deck 002, "RMSProp"; Tieleman and Hinton 2012.
    """
    r = np.zeros_like(w) if state is None else state
    r = rho * r + (1 - rho) * dw**2
    return w - lr * dw / (np.sqrt(r) + eps), r


@rmsprop.cases
def _(rng):
    for steps, (name, shape) in zip((20, 6, 9, 5), SHAPES.items(), strict=True):
        yield case(name, **walk(rng, shape, steps=steps), **forgetting_rates(rng))
    yield case("a parameter without slope", edge=0.1, **flat(rng), lr=0.1, rho=0.9, eps=1e-8)


@rmsprop.alternative
def _(w, dw, state, lr, rho, eps):
    """The average is moved towards the new square."""
    r = np.zeros(np.shape(w)) if state is None else state
    r = r + (np.square(dw) - r) * (1 - rho)
    return w - dw * (lr / (r**0.5 + eps)), r


@rmsprop.alternative
def _(w, dw, state, lr, rho, eps):
    """Plain numbers; every gradient is kept, and weighed by its age."""
    kept = [*(state or []), np.ravel(dw).tolist()]
    ages = [(1 - rho) * rho**age for age in reversed(range(len(kept)))]
    moves = []
    for slopes in zip(*kept, strict=True):
        average = math.fsum(age * slope * slope for age, slope in zip(ages, slopes, strict=True))
        moves.append(lr * slopes[-1] / (math.sqrt(average) + eps))
    return np.asarray(w) - np.array(moves).reshape(np.shape(w)), kept


@rmsprop.worked("a slope of 4, with rho = 0.75", lecture="002: RMSProp")
def _():
    # r = 0.25 * 16 = 4, so w = 1 - 0.5 * 4 / (2 + 1); then r = 0.75 * 4 + 0 and nothing moves.
    w, state = rmsprop(np.array([1.0]), np.array([4.0]), None, 0.5, 0.75, 1.0)
    close(w, [1 / 3])
    w, state = rmsprop(w, np.array([0.0]), state, 0.5, 0.75, 1.0)
    close(w, [1 / 3])
    # r = 0.75 * 3 + 0.25 * 4 = 3.25
    w, state = rmsprop(w, np.array([2.0]), state, 0.5, 0.75, 1.0)
    close(w, 1 / 3 - 1 / (math.sqrt(3.25) + 1) * np.ones(1))


rmsprop.misconception(
    "squared gradient not averaged",
    ("(1 - rho) * dw**2", "dw**2"),
    hint="What do the weights of the old average and of the new square add up to?",
)
rmsprop.misconception(
    "rho and 1 - rho swapped",
    ("rho * r + (1 - rho) * dw**2", "(1 - rho) * r + rho * dw**2"),
    hint="With rho near 1, does your average forget fast or slowly?",
)
rmsprop.misconception(
    "squares summed as in Adagrad",
    ("rho * r + (1 - rho) * dw**2", "r + dw**2"),
    hint="That sum never forgets. What happens to the old squares here?",
)
rmsprop.misconception(
    "eps inside the root",
    ("(np.sqrt(r) + eps)", "np.sqrt(r + eps)"),
    hint="Is eps added before or after the root is taken? The question's formula says which.",
)
rmsprop.misconception(
    "square root left out",
    ("np.sqrt(r)", "r"),
    hint="If all gradients were ten times larger, would your very first step stay nearly the same?",
)
rmsprop.misconception(
    "average starts at the first square",
    ("np.zeros_like(w) if state is None", "dw**2 if state is None"),
    hint="What is the average before the first step, by the question's formula?",
)
rmsprop.misconception(
    "average corrected as in Adam",
    ("r = np.zeros_like(w) if state is None else state", "r, t = (np.zeros_like(w), 0) if state is None else state"),
    ("np.sqrt(r) + eps), r", "np.sqrt(r / (1 - rho ** (t + 1))) + eps), (r, t + 1)"),
    hint="Does the formula of this question divide the average by anything?",
)
rmsprop.misconception(
    "average forgotten after each step",
    ("eps), r", "eps), None"),
    hint="What does your second step know of the first one?",
)


@update_rule(lecture="002: RMSProp+ Nesterov")
def rmsprop_nesterov(
    w: Float[Array, "..."],
    grad: Callable[[Array], Array],
    state: Opaque,
    lr: float,
    rho: float,
    momentum: float,
    eps: float,
) -> tuple[Float[Array, "..."], Opaque]:
    """A step of RMSProp with Nesterov's momentum: scaled steps that go on, the slope asked for ahead.

    Formula: `g = grad(w + momentum v)`; `r <- rho r + (1 - rho) g**2`; `v <- momentum v - lr g / (sqrt(r) + eps)`;
    `w <- w + v`. r and v are 0 before the first step.

    Arguments:
        w: parameters, floating, of any shape. grad: a function of parameters that returns the gradient there.
        state: r and v. lr, eps: positive. rho: in (0, 1). momentum: in [0, 1), the deck's alpha.

    Returns:
        w: the new parameters, another array than the given one. state: of any kind.

    Convention: deck 002 divides by the root of r alone; with eps beside the root a parameter without slope
    stays where it is.

    Example:
        >>> w, state = rmsprop_nesterov(np.array([4.0]), lambda w: w, None, 0.5, 0.75, 0.5, 1.0)
        >>> round(float(w[0]), 6)
        3.333333

    Source: deck 002, "RMSProp+ Nesterov".
    """
    r, v = (np.zeros_like(w), np.zeros_like(w)) if state is None else state
    g = grad(w + momentum * v)
    r = rho * r + (1 - rho) * g**2
    v = momentum * v - lr * g / (np.sqrt(r) + eps)
    return w + v, (r, v)


@rmsprop_nesterov.cases
def _(rng):
    for name, shape in {**SHAPES, "four axes": (2, 1, 2, 1)}.items():
        yield case(name, **hill(rng, shape), **forgetting_rates(rng), momentum=float(rng.uniform(0.6, 0.9)))


@rmsprop_nesterov.alternative
def _(w, grad, state, lr, rho, momentum, eps):
    """Remembers the parameters before, for the velocity is what has changed since."""
    before, r = (w, np.zeros(np.shape(w))) if state is None else state
    go_on = momentum * (w - before)
    g = np.asarray(grad(w + go_on))
    r = r + (np.square(g) - r) * (1 - rho)
    return w + go_on - g * (lr / (r**0.5 + eps)), (w, r)


@rmsprop_nesterov.alternative
def _(w, grad, state, lr, rho, momentum, eps):
    """Entry by entry, in plain numbers."""
    at = np.ravel(w).tolist()
    averages, speeds = ([0.0] * len(at), [0.0] * len(at)) if state is None else state
    ahead = [math.fsum((x, momentum * v)) for x, v in zip(at, speeds, strict=True)]
    slopes = np.ravel(grad(np.array(ahead).reshape(np.shape(w)))).tolist()
    averages = [math.fsum((rho * r, (1 - rho) * g * g)) for r, g in zip(averages, slopes, strict=True)]
    speeds = [momentum * v - lr * g / (math.sqrt(r) + eps) for v, g, r in zip(speeds, slopes, averages, strict=True)]
    new = [x + v for x, v in zip(at, speeds, strict=True)]
    return np.array(new).reshape(np.shape(w)), (averages, speeds)


@rmsprop_nesterov.worked("down x**2 / 2 from 4", lecture="002: RMSProp+ Nesterov")
def _():
    # g = 4, r = 0.25 * 16 = 4, v = -0.5 * 4 / (2 + 1).
    w, state = rmsprop_nesterov(np.array([4.0]), lambda w: w, None, 0.5, 0.75, 0.5, 1.0)
    close(w, [4 - 2 / 3])
    # The slope is asked for at 3.3333 - 0.3333 = 3: r = 0.75 * 4 + 0.25 * 9 = 5.25.
    w, state = rmsprop_nesterov(w, lambda w: w, state, 0.5, 0.75, 0.5, 1.0)
    close(w, [3 - 1.5 / (math.sqrt(5.25) + 1)])


rmsprop_nesterov.misconception(
    "gradient at the parameters, not ahead of them",
    ("grad(w + momentum * v)", "grad(w)"),
    hint="That is ordinary momentum. Where does Nesterov ask for the slope?",
)
rmsprop_nesterov.misconception(
    "squared gradient not averaged",
    ("(1 - rho) * g**2", "g**2"),
    hint="What do the weights of the old average and of the new square add up to?",
)
rmsprop_nesterov.misconception(
    "rho and 1 - rho swapped",
    ("rho * r + (1 - rho) * g**2", "(1 - rho) * r + rho * g**2"),
    hint="With rho near 1, does your average forget fast or slowly?",
)
rmsprop_nesterov.misconception(
    "eps inside the root",
    ("(np.sqrt(r) + eps)", "np.sqrt(r + eps)"),
    hint="Is eps added before or after the root is taken? The question's formula says which.",
)
rmsprop_nesterov.misconception(
    "velocity scaled together with the gradient",
    ("momentum * v - lr * g / (np.sqrt(r) + eps)", "(momentum * v - lr * g) / (np.sqrt(r) + eps)"),
    hint="What does the root divide: the gradient of this step, or the old velocity as well?",
)
rmsprop_nesterov.misconception(
    "velocity with the wrong sign",
    ("v = momentum * v - lr", "v = - momentum * v - lr"),
    hint="On a slope that does not change, steps with momentum become longer. Do yours?",
)
rmsprop_nesterov.misconception(
    "moved on from the point ahead",
    ("return w + v", "return w + momentum * v + v"),
    hint="The old velocity moves the parameters once. How often does it in yours?",
)
