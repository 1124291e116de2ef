"""How do Adam and AdamW step?"""

import math

import numpy as np

from autograder.topic import Array, Float, Opaque, case, close, update_rule
from reference.walks import SHAPES, flat, walk


@update_rule(lecture="002: Adam")
def adam(
    w: Float[Array, "..."], dw: Float[Array, "..."], state: Opaque, lr: float, beta1: float, beta2: float, eps: float
) -> tuple[Float[Array, "..."], Opaque]:
    """A step of Adam: an average gradient over the root of an average square, both corrected for their start.

    Formula: `t <- t + 1`; `s <- beta1 s + (1 - beta1) dw`; `r <- beta2 r + (1 - beta2) dw**2`;
    `w <- w - lr (s / (1 - beta1**t)) / (sqrt(r / (1 - beta2**t)) + eps)`. s, r and t are 0 before the first step.

    Arguments:
        w: parameters, floating, of any shape. dw: the gradient there, of that shape.
        state: s, r and t, the two averages and the number of steps so far. lr, eps: positive.
        beta1, beta2: in (0, 1), 0.9 and 0.999 in deck 002, where they are rho1 and rho2.

    Returns:
        w: the new parameters, another array than the given one. state: of any kind.

    Convention: eps outside of the root, beside the corrected average, as in deck 002 and in `torch.optim.Adam`.

    Example:
        >>> w, state = adam(np.array([1.0]), np.array([4.0]), None, 0.5, 0.9, 0.999, 1.0)
        >>> w.round(6).tolist()
        [0.6]

    Source: deck 002, "Adam"; Kingma and Ba 2014.
    """
    s, r, t = (np.zeros_like(w), np.zeros_like(w), 0) if state is None else state
    t = t + 1
    s = beta1 * s + (1 - beta1) * dw
    r = beta2 * r + (1 - beta2) * dw**2
    corrected = s / (1 - beta1**t)
    spread = np.sqrt(r / (1 - beta2**t))
    return w - lr * corrected / (spread + eps), (s, r, t)


@adam.cases
def _(rng):
    for steps, (name, shape) in zip((20, 6, 9, 5), SHAPES.items(), strict=True):
        yield case(name, **walk(rng, shape, steps=steps), **_rates(rng))
    yield case("a parameter without slope", edge=0.1, **flat(rng), lr=0.1, beta1=0.9, beta2=0.999, eps=1e-8)


def _rates(rng):
    """Rates that are far from each other, and an eps that is large enough to be seen."""
    return {
        "lr": float(rng.uniform(0.1, 0.3)),
        "beta1": float(rng.uniform(0.6, 0.8)),
        "beta2": float(rng.uniform(0.9, 0.97)),
        "eps": float(rng.uniform(0.2, 0.6)),
    }


@adam.alternative
def _(w, dw, state, lr, beta1, beta2, eps):
    """The corrections go into the learning rate, as Kingma and Ba have it for speed; eps moves with them."""
    s, r, t = (np.zeros(np.shape(w)), np.zeros(np.shape(w)), 1) if state is None else state
    s, r = s + (dw - s) * (1 - beta1), r + (np.square(dw) - r) * (1 - beta2)
    root = math.sqrt(1 - beta2**t)
    rate = lr * root / (1 - beta1**t)
    return w - rate * s / (r**0.5 + eps * root), (s, r, t + 1)


@adam.alternative
def _(w, dw, state, lr, beta1, beta2, eps):
    """Every gradient is kept; the corrected averages are averages whose weights add up to 1."""
    kept = [*(state or []), np.ravel(dw).tolist()]

    def average(beta, numbers):
        weights = [beta**age for age in reversed(range(len(kept)))]
        return math.fsum(a * b for a, b in zip(weights, numbers, strict=True)) / math.fsum(weights)

    moves = []
    for slopes in zip(*kept, strict=True):
        spread = math.sqrt(average(beta2, [slope * slope for slope in slopes]))
        moves.append(lr * average(beta1, slopes) / (spread + eps))
    return np.asarray(w) - np.array(moves).reshape(np.shape(w)), kept


@adam.worked("the first step has the length of the learning rate", lecture="002: Adam")
def _():
    # However large the gradient: both corrected averages are those of one number.
    for slope in (1e-3, 1.0, 1e3):
        w, _state = adam(np.array([2.0]), np.array([slope]), None, 0.1, 0.9, 0.999, 1e-12)
        close(w, [1.9])


@adam.worked("slopes of 4 and then -2", lecture="002: Adam")
def _():
    w, state = adam(np.array([1.0]), np.array([4.0]), None, 0.5, 0.5, 0.5, 1.0)
    close(w, [1 - 0.5 * 4 / (4 + 1)])
    # s = 0.5 * 2 - 0.5 * 2 = 0, so nothing moves.
    w, state = adam(w, np.array([-2.0]), state, 0.5, 0.5, 0.5, 1.0)
    close(w, [0.6])


adam.misconception(
    "no bias correction",
    ("s / (1 - beta1**t)", "s"),
    ("r / (1 - beta2**t)", "r"),
    hint="The averages start at 0. How long is your first step, where eps is tiny?",
)
adam.misconception(
    "only the first average corrected",
    ("r / (1 - beta2**t)", "r"),
    hint="Both averages start at 0. How long is your first step, where eps is tiny?",
)
adam.misconception(
    "only the second average corrected",
    ("s / (1 - beta1**t)", "s"),
    hint="Both averages start at 0. How long is your first step, where eps is tiny?",
)
adam.misconception(
    "steps counted from two",
    ("np.zeros_like(w), 0) if state", "np.zeros_like(w), 1) if state"),
    hint="Which number has the first step in your corrections?",
)
adam.misconception(
    "number of the step not counted on",
    ("(s, r, t)", "(s, r, 0)"),
    hint="Print the number of the step that your second step uses.",
)
adam.misconception(
    "correction by the rate itself at every step",
    ("(1 - beta1**t)", "(1 - beta1)"),
    ("(1 - beta2**t)", "(1 - beta2)"),
    hint="After many steps the averages need no correction any more. Does yours go to 1?",
    equivalent_to="number of the step not counted on",
)
adam.misconception(
    "eps inside the root",
    ("np.sqrt(r / (1 - beta2**t))", "np.sqrt(r / (1 - beta2**t) + eps)"),
    ("(spread + eps)", "spread"),
    hint="Is eps added before or after the root is taken? The question's formula says which.",
)
adam.misconception(
    "squared gradient not averaged",
    ("(1 - beta2) * dw**2", "dw**2"),
    hint="What do the weights of the old average and of the new square add up to?",
)
adam.misconception(
    "beta1 and beta2 swapped",
    ("s = beta1 * s + (1 - beta1) * dw", "beta1, beta2 = beta2, beta1; s = beta1 * s + (1 - beta1) * dw"),
    hint="Which of the two averages forgets more slowly?",
)
adam.misconception(
    "average of the gradient squared instead of its square averaged",
    ("(1 - beta2) * dw**2", "(1 - beta2) * s**2"),
    hint="Is the gradient squared before or after it is averaged?",
)


@adam.wrong("parameters changed in place", hint="After the step, what does the caller's own array w hold?")
def _(w, dw, state, lr, beta1, beta2, eps):
    w = np.asarray(w)
    s, r, t = (0 * dw, 0 * dw, 1) if state is None else state
    s, r = beta1 * s + (1 - beta1) * dw, beta2 * r + (1 - beta2) * dw**2
    w -= lr * s / (1 - beta1**t) / (np.sqrt(r / (1 - beta2**t)) + eps)
    return w, (s, r, t + 1)


@update_rule(lecture="002: Adam")
def adamw(
    w: Float[Array, "..."],
    dw: Float[Array, "..."],
    state: Opaque,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    decay: float,
) -> tuple[Float[Array, "..."], Opaque]:
    """A step of AdamW: Adam, and beside it parameters that decay.

    Formula: the step of `adam`, and from the same w: `w <- w - lr corrected / (spread + eps) - lr decay w`.

    Arguments:
        w: parameters, floating, of any shape. dw: the gradient there, of that shape.
        state: s, r and t, as in Adam. lr, eps: positive. beta1, beta2: in (0, 1). decay: not negative.

    Returns:
        w: the new parameters, another array than the given one. state: of any kind.

    Convention: the decay is decoupled: it never meets the averages. It is multiplied by the learning rate, and
    by the parameters before the step, as in `torch.optim.AdamW`.

    Example:
        >>> w, state = adamw(np.array([1.0]), np.array([4.0]), None, 0.5, 0.9, 0.999, 1.0, 0.5)
        >>> w.round(6).tolist()
        [0.35]

    Source: deck 002, "Adam", with weight decay; Loshchilov and Hutter 2019.
    """
    s, r, t = (np.zeros_like(w), np.zeros_like(w), 0) if state is None else state
    t = t + 1
    s = beta1 * s + (1 - beta1) * dw
    r = beta2 * r + (1 - beta2) * dw**2
    corrected = s / (1 - beta1**t)
    spread = np.sqrt(r / (1 - beta2**t))
    return w - lr * corrected / (spread + eps) - lr * decay * w, (s, r, t)


@adamw.cases
def _(rng):
    for steps, (name, shape) in zip((12, 6, 9, 5), SHAPES.items(), strict=True):
        drawn = walk(rng, shape, steps=steps)
        drawn["w"] = drawn["w"] + np.copysign(1.0, drawn["w"])
        yield case(name, **drawn, **_rates(rng), decay=float(rng.uniform(0.2, 0.5)))


@adamw.alternative
def _(w, dw, state, lr, beta1, beta2, eps, decay):
    """The parameters shrink first, by a factor, and then Adam's step is made with the old averages."""
    return adam.alternatives[0]["adam"](w * (1 - lr * decay), dw, state, lr, beta1, beta2, eps)


@adamw.alternative
def _(w, dw, state, lr, beta1, beta2, eps, decay):
    """Plain numbers: every gradient is kept."""
    new, kept = adam.alternatives[1]["adam"](np.zeros(np.shape(w)), dw, state, lr, beta1, beta2, eps)
    moved = [math.fsum((x, move, -lr * decay * x)) for x, move in zip(np.ravel(w), np.ravel(new), strict=True)]
    return np.array(moved).reshape(np.shape(w)), kept


@adamw.worked("without a slope only the decay is left", lecture="002: Adam")
def _():
    w, _state = adamw(np.array([2.0]), np.array([0.0]), None, 0.1, 0.9, 0.999, 1e-8, 0.5)
    close(w, [1.9])
    # With one, Adam's first step of 0.1 comes to it, whatever its size.
    w, _state = adamw(np.array([2.0]), np.array([30.0]), None, 0.1, 0.9, 0.999, 1e-12, 0.5)
    close(w, [1.8])


adamw.misconception(
    "decay in the gradient, so in the averages too",
    ("t = t + 1", "t = t + 1; dw = dw + decay * w"),
    ("- lr * decay * w", ""),
    hint="That is Adam with an L2 penalty. Which quantities does a decoupled decay never meet?",
)
adamw.misconception(
    "decay without the learning rate",
    ("lr * decay * w", "decay * w"),
    hint="With a learning rate of 0, nothing should move. Does yours?",
)
adamw.misconception(
    "decay left out",
    ("- lr * decay * w", ""),
    hint="Which of the arguments does your step not depend on?",
)
adamw.misconception(
    "decay with the wrong sign",
    ("- lr * decay * w", "+ lr * decay * w"),
    hint="Where the slope is 0, do your parameters shrink or grow?",
)
adamw.misconception(
    "decay of the parameters after the step",
    (
        "w - lr * corrected / (spread + eps) - lr * decay * w",
        "(w - lr * corrected / (spread + eps)) * (1 - lr * decay)",
    ),
    hint="Which parameters are multiplied by the decay: those before Adam's step, or those after it?",
)
adamw.misconception(
    "decay applied to the state",
    ("s = beta1 * s", "s = (1 - lr * decay) * beta1 * s"),
    ("- lr * decay * w", ""),
    hint="What decays: the parameters, or an average of gradients?",
)


@adamw.wrong("decay added to the caller's gradient", hint="Whose array is dw? Does anybody need it after your step?")
def _(w, dw, state, lr, beta1, beta2, eps, decay):
    dw = np.asarray(dw)
    s, r, t = (0 * dw, 0 * dw, 1) if state is None else state
    dw += decay * w
    s, r = beta1 * s + (1 - beta1) * dw, beta2 * r + (1 - beta2) * dw**2
    return w - lr * s / (1 - beta1**t) / (np.sqrt(r / (1 - beta2**t)) + eps), (s, r, t + 1)


adamw.misconception(
    "no bias correction",
    ("s / (1 - beta1**t)", "s"),
    ("r / (1 - beta2**t)", "r"),
    hint="The averages start at 0. How long is Adam's part of your first step, where eps is tiny?",
)
adamw.misconception(
    "eps inside the root",
    ("np.sqrt(r / (1 - beta2**t))", "np.sqrt(r / (1 - beta2**t) + eps)"),
    ("(spread + eps)", "spread"),
    hint="Is eps added before or after the root is taken? The formula of Adam's step says which.",
)
