"""How do parameters step down a slope, with and without speed?

The state of a rule is whatever it wants to remember, None before the first step.
"""

import math
from collections.abc import Callable

import numpy as np

from autograder.topic import Array, Float, Opaque, case, close, update_rule
from reference.walks import SHAPES, hill, walk


@update_rule(lecture="002: Gradient Descent")
def sgd(
    w: Float[Array, "..."], dw: Float[Array, "..."], state: Opaque, lr: float
) -> tuple[Float[Array, "..."], Opaque]:
    """A step of gradient descent, on the gradient of a minibatch: stochastic gradient descent.

    Formula: `w <- w - lr dw`.

    Arguments:
        w: parameters, floating, of any shape. dw: the gradient there, of that shape.
        state: nothing is remembered; it is handed through. lr: positive, the learning rate.

    Returns:
        w: the new parameters, another array than the given one. state: of any kind.

    Convention: the form of every update rule. State is None before the first step; arrays that are given
    are left as they were. (`torch.optim.SGD` changes its parameters in place.)

    Example:
        >>> w, state = sgd(np.array([1.0, -2.0]), np.array([0.5, 1.0]), None, 0.5)
        >>> w.tolist()
        [0.75, -2.5]

    Source: deck 003, "Stochastic Gradient Descent"; deck 002, the slide of step decay.
    """
    return w - lr * dw, state


@sgd.cases
def _(rng):
    for steps, (name, shape) in zip((6, 5, 8, 5), SHAPES.items(), strict=True):
        yield case(name, **walk(rng, shape, steps=steps), lr=float(rng.uniform(0.05, 0.2)))


@sgd.alternative
def _(w, dw, state, lr):
    """Entry by entry, in plain numbers."""
    flat = [math.fsum((at, -lr * slope)) for at, slope in zip(np.ravel(w), np.ravel(dw), strict=True)]
    return np.array(flat).reshape(np.shape(w)), state


@sgd.alternative
def _(w, dw, state, lr):
    """The start is kept, and less the learning rate times the sum of all gradients."""
    first, total = (w, dw) if state is None else (state[0], state[1] + dw)
    return first - total * lr, (first, total)


@sgd.worked("one step from (1, -2)", lecture="003: Stochastic Gradient Descent")
def _():
    w = np.array([1.0, -2.0])
    new, _state = sgd(w, np.array([0.5, 1.0]), None, 0.5)
    close(new, [0.75, -2.5])
    close(w, [1.0, -2.0])  # a step returns new parameters, and leaves those that it is given


sgd.misconception(
    "climbed instead of descended",
    ("w - lr", "w + lr"),
    hint="The gradient points to where the loss grows. Which way should a step go?",
)
sgd.misconception(
    "learning rate left out",
    ("lr * dw", "dw"),
    hint="Which of the four arguments does your step not depend on?",
)
sgd.misconception(
    "only the direction of the gradient",
    ("lr * dw", "lr * dw / np.sqrt((dw**2).sum())"),
    hint="Twice the gradient makes twice the step. Does it in yours?",
)


@sgd.wrong("parameters changed in place", hint="After the step, what does the caller's own array w hold?")
def _(w, dw, state, lr):
    w = np.asarray(w)
    w -= lr * dw
    return w, state


@update_rule(lecture="002: Momentum, 'with momentum'")
def momentum(
    w: Float[Array, "..."], dw: Float[Array, "..."], state: Opaque, lr: float, decay: float
) -> tuple[Float[Array, "..."], Opaque]:
    """A step of gradient descent with momentum: the steps before go on, and die away.

    Formula: `v <- decay v - lr dw`, v being 0 before the first step; `w <- w + v`.

    Arguments:
        w: parameters, floating, of any shape. dw: the gradient there, of that shape. state: the velocity v.
        lr: positive, the learning rate. decay: in [0, 1), the deck's lambda, how much of a step goes on.

    Returns:
        w: the new parameters, another array than the given one. state: of any kind.

    Convention: as deck 002, the learning rate is inside v. `torch.optim.SGD` keeps v without it, `v <- decay v +
    dw`, `w <- w - lr v`: the same path where the learning rate does not change. There is no dampening.

    Example:
        >>> w, state = momentum(np.array([1.0]), np.array([2.0]), None, 0.5, 0.5)
        >>> w, state = momentum(w, np.array([2.0]), state, 0.5, 0.5)
        >>> w.tolist()
        [-1.5]

    Source: deck 002, the slides of momentum, with v written out over three steps.
    """
    v = np.zeros_like(w) if state is None else state
    v = decay * v - lr * dw
    return w + v, v


@momentum.cases
def _(rng):
    for steps, (name, shape) in zip((20, 6, 9, 5), SHAPES.items(), strict=True):
        rates = {"lr": float(rng.uniform(0.05, 0.2)), "decay": float(rng.uniform(0.6, 0.95))}
        yield case(name, **walk(rng, shape, steps=steps), **rates)


@momentum.alternative
def _(w, dw, state, lr, decay):
    """The velocity without the learning rate, as torch.optim.SGD keeps it."""
    v = dw if state is None else dw + decay * state
    return w - v * lr, v


@momentum.alternative
def _(w, dw, state, lr, decay):
    """Every gradient is kept, and weighed by its age in plain numbers."""
    kept = [*(state or []), np.ravel(dw).tolist()]
    ages = [decay**age for age in reversed(range(len(kept)))]
    moves = [
        math.fsum(weight * slope for weight, slope in zip(ages, slopes, strict=True))
        for slopes in zip(*kept, strict=True)
    ]
    return np.asarray(w) - lr * np.array(moves).reshape(np.shape(w)), kept


@momentum.worked("a constant slope: the second step is longer", lecture="002: Momentum, 'with momentum'")
def _():
    # v = -1, then v = 0.5 * (-1) - 1 = -1.5.
    w, state = momentum(np.array([1.0]), np.array([2.0]), None, 0.5, 0.5)
    close(w, [0.0])
    w, state = momentum(w, np.array([2.0]), state, 0.5, 0.5)
    close(w, [-1.5])


momentum.misconception(
    "velocity with the wrong sign",
    ("decay * v - lr * dw", "- decay * v - lr * dw"),
    hint="On a slope that does not change, steps with momentum become longer. Do yours?",
)
momentum.misconception(
    "climbed instead of descended",
    ("decay * v - lr * dw", "decay * v + lr * dw"),
    hint="Which way does your very first step go, up or down the slope?",
)
momentum.misconception(
    "velocity forgotten after each step",
    ("w + v, v", "w + v, None"),
    hint="What does the second step know of the first one?",
)
momentum.misconception(
    "gradient weighed by 1 - decay",
    ("lr * dw", "(1 - decay) * lr * dw"),
    hint="Is the velocity of this formula an average of the gradients, or a sum?",
)
momentum.misconception(
    "learning rate on the old velocity as well",
    ("decay * v - lr * dw", "lr * (decay * v - dw)"),
    hint="What is the old velocity multiplied by in the formula, and what in yours?",
)
momentum.misconception(
    "old velocity instead of the new one",
    ("v = decay * v - lr * dw return w + v, v", "return w + v, decay * v - lr * dw"),
    hint="Does your very first step move at all?",
)
momentum.misconception(
    "gradient added to the parameters as well",
    ("w + v, v", "w + v - lr * dw, v"),
    hint="How often does one gradient move the parameters in the step in which it comes?",
)


@momentum.wrong(
    "velocity changed in place, and it is the caller's gradient", hint="Whose array is your first velocity?"
)
def _(w, dw, state, lr, decay):
    v = np.asarray(dw) if state is None else state
    if state is not None:
        v *= decay
        v += dw
    return w - lr * v, v


@momentum.wrong("parameters changed in place", hint="After the step, what does the caller's own array w hold?")
def _(w, dw, state, lr, decay):
    w = np.asarray(w)
    v = -lr * dw if state is None else decay * state - lr * dw
    w += v
    return w, v


@update_rule(lecture="002: Nesterov")
def nesterov(
    w: Float[Array, "..."], grad: Callable[[Array], Array], state: Opaque, lr: float, decay: float
) -> tuple[Float[Array, "..."], Opaque]:
    """A step with Nesterov's momentum: the slope is asked for where the old velocity alone would lead.

    Formula: `ahead = w + decay v`, v being 0 before the first step; `v <- decay v - lr grad(ahead)`;
    `w <- w + v`.

    Arguments:
        w: parameters, floating, of any shape. grad: a function of parameters that returns the gradient there.
        state: the velocity v. lr: positive. decay: in [0, 1), the deck's alpha.

    Returns:
        w: the new parameters, another array than the given one. state: of any kind.

    Convention: as deck 002, w is where the parameters are and not the point ahead. `torch.optim.SGD(nesterov=True)`
    keeps the point ahead instead, so its path is another one.

    Example:
        >>> w, state = nesterov(np.array([4.0]), lambda w: w, None, 0.5, 0.5)
        >>> w, state = nesterov(w, lambda w: w, state, 0.5, 0.5)
        >>> w.tolist()
        [0.5]

    Source: deck 002, "Nesterov", the three lines of the algorithm.
    """
    v = np.zeros_like(w) if state is None else state
    ahead = w + decay * v
    v = decay * v - lr * grad(ahead)
    return w + v, v


@nesterov.cases
def _(rng):
    for name, shape in {**SHAPES, "four axes": (2, 1, 2, 1)}.items():
        rates = {"lr": float(rng.uniform(0.05, 0.15)), "decay": float(rng.uniform(0.6, 0.9))}
        yield case(name, **hill(rng, shape), **rates)


@nesterov.alternative
def _(w, grad, state, lr, decay):
    """Remembers the point ahead, and how it was reached from the last one."""
    ahead, behind = (w, w) if state is None else state
    new = ahead - lr * np.asarray(grad(ahead))
    return new, (new + decay * (new - behind), new)


@nesterov.alternative
def _(w, grad, state, lr, decay):
    """Plain numbers; the velocity is the last step, less what the slope does to it."""
    v = [0.0] * np.size(w) if state is None else state
    at = [float(each) for each in np.ravel(w)]
    ahead = np.array([x + decay * speed for x, speed in zip(at, v, strict=True)]).reshape(np.shape(w))
    slopes = np.ravel(grad(ahead)).tolist()
    v = [math.fsum((decay * speed, -lr * slope)) for speed, slope in zip(v, slopes, strict=True)]
    return np.array([x + speed for x, speed in zip(at, v, strict=True)]).reshape(np.shape(w)), v


@nesterov.worked("two steps down x**2 / 2 from 4", lecture="002: Nesterov")
def _():
    # First v = -2 and w = 2. Then the slope is asked for at 2 + 0.5 * (-2) = 1: v = -1 - 0.5 and w = 0.5.
    w, state = nesterov(np.array([4.0]), lambda w: w, None, 0.5, 0.5)
    close(w, [2.0])
    w, state = nesterov(w, lambda w: w, state, 0.5, 0.5)
    close(w, [0.5])


nesterov.misconception(
    "gradient at the parameters, not ahead of them",
    ("grad(ahead)", "grad(w)"),
    hint="That is ordinary momentum. Where does Nesterov ask for the slope?",
)
nesterov.misconception(
    "looked back instead of ahead",
    ("w + decay * v", "w - decay * v"),
    hint="To which side of the parameters does the old velocity lead?",
)
nesterov.misconception(
    "looked ahead by the whole velocity",
    ("w + decay * v", "w + v"),
    hint="How much of the old velocity is left in this step? That far ahead is the slope asked for.",
)
nesterov.misconception(
    "moved on from the point ahead",
    ("return w + v", "return ahead + v"),
    hint="The old velocity moves the parameters once. How often does it in yours?",
)
nesterov.misconception(
    "velocity with the wrong sign",
    ("v = decay * v - lr", "v = - decay * v - lr"),
    hint="On a slope that does not change, steps with momentum become longer. Do yours?",
)
nesterov.misconception(
    "velocity forgotten after each step",
    ("w + v, v", "w + v, None"),
    hint="What does the second step know of the first one?",
)
nesterov.misconception(
    "climbed instead of descended",
    ("v - lr *", "v + lr *"),
    hint="Which way does your very first step go, up or down the slope?",
)


@update_rule(lecture="004: Train a Deep Neural Network with SGD")
def alexnet_update(
    w: Float[Array, "..."], dw: Float[Array, "..."], state: Opaque, lr: float, momentum: float, decay: float
) -> tuple[Float[Array, "..."], Opaque]:
    """The step that AlexNet was trained with: momentum, and parameters that decay.

    Formula: `v <- momentum v - decay lr w - lr dw`, v being 0 before the first step; `w <- w + v`.

    Arguments:
        w: parameters, floating, of any shape. dw: the gradient there, of that shape. state: the velocity v.
        lr: positive, the deck's epsilon. momentum: 0.9 in the deck. decay: 0.0005 in the deck, not negative.

    Returns:
        w: the new parameters, another array than the given one. state: of any kind.

    Convention: the decay is multiplied by the learning rate, and goes through the velocity, as in the deck.

    Example:
        >>> w, state = alexnet_update(np.array([2.0]), np.array([1.0]), None, 0.5, 0.9, 0.5)
        >>> w.tolist()
        [1.0]

    Source: deck 004, "Train a Deep Neural Network with SGD"; Krizhevsky, Sutskever and Hinton 2012.
    """
    v = np.zeros_like(w) if state is None else state
    v = momentum * v - decay * lr * w - lr * dw
    return w + v, v


@alexnet_update.cases
def _(rng):
    # The deck's decay would be too small to see, so it is larger here.
    for steps, (name, shape) in zip((12, 6, 9, 5), SHAPES.items(), strict=True):
        rates = {"lr": 0.1, "momentum": float(rng.uniform(0.6, 0.95)), "decay": float(rng.uniform(0.1, 0.4))}
        drawn = walk(rng, shape, steps=steps)
        drawn["w"] = drawn["w"] + np.copysign(1.0, drawn["w"])
        yield case(name, **drawn, **rates)


@alexnet_update.alternative
def _(w, dw, state, lr, momentum, decay):
    """The decay is the gradient of a penalty, and the velocity is kept without the learning rate."""
    slope = dw + decay * w
    v = slope if state is None else momentum * state + slope
    return w - lr * v, v


@alexnet_update.alternative
def _(w, dw, state, lr, momentum, decay):
    """Plain numbers; remembers the parameters before, for the velocity is what has changed since."""
    at = [float(each) for each in np.ravel(w)]
    before = at if state is None else state
    new = [
        math.fsum((x, momentum * (x - old), -lr * decay * x, -lr * slope))
        for x, old, slope in zip(at, before, np.ravel(dw).tolist(), strict=True)
    ]
    return np.array(new).reshape(np.shape(w)), at


@alexnet_update.worked("0.9, 0.0005 and a learning rate of 0.01", lecture="004: Train a Deep Neural Network with SGD")
def _():
    # v = -0.0005 * 0.01 * 2 - 0.01 * 3 = -0.03001.
    w, state = alexnet_update(np.array([2.0]), np.array([3.0]), None, 0.01, 0.9, 0.0005)
    close(w, [1.96999], within=1e-9)
    # Then v = 0.9 * (-0.03001) - 0.0005 * 0.01 * 1.96999, where the slope is 0.
    w, state = alexnet_update(w, np.array([0.0]), state, 0.01, 0.9, 0.0005)
    close(w, [1.94297115], within=1e-9)


alexnet_update.misconception(
    "decay without the learning rate",
    ("decay * lr * w", "decay * w"),
    hint="With a learning rate of 0, nothing should move. Does yours?",
)
alexnet_update.misconception(
    "decay with the wrong sign",
    ("- decay * lr * w", "+ decay * lr * w"),
    hint="Where the slope is 0, do your parameters shrink or grow?",
)
alexnet_update.misconception(
    "decay left out",
    ("- decay * lr * w", ""),
    hint="Which of the arguments does your step not depend on?",
)
alexnet_update.misconception(
    "decay applied to the velocity",
    ("decay * lr * w", "decay * lr * v"),
    hint="What decays: the parameters, or how fast they move?",
)
alexnet_update.misconception(
    "decay of the parameters beside the velocity",
    ("- decay * lr * w", ""),
    ("return w + v", "return w - decay * lr * w + v"),
    hint="In this formula the decay goes on with the momentum. What does your velocity know of it?",
)
alexnet_update.misconception(
    "velocity with the wrong sign",
    ("v = momentum * v", "v = - momentum * v"),
    hint="On a slope that does not change, steps with momentum become longer. Do yours?",
)
alexnet_update.misconception(
    "velocity forgotten after each step",
    ("w + v, v", "w + v, None"),
    hint="What does the second step know of the first one?",
)
